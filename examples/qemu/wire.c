/*
 * What is at the other end of a network card's wire: a gateway that answers whoever asks for its address (every address that ends in .1 is its own)
 * and takes UDP datagrams. Enough to prove that a pod's network works on the host it is on.
 */
#include "host_internal.h"

#include <string.h>

#define ETHERNET_SIZE 14u
#define ARP_SIZE 28u
#define IP_SIZE 20u
#define UDP_SIZE 8u

static const uint8_t gateway_mac[6] = { 0x02, 0x15, 0x5d, 0x00, 0x00, 0x01 };

/* Ethernet, ARP: who has `target`? */
static void wire_answer_arp(struct qemu_nic *nic, const uint8_t *bytes)
{
	static const uint8_t reply_head[8] = { 0, 1, 8, 0, 6, 4, 0, 2 };
	const uint8_t *arp = bytes + ETHERNET_SIZE;
	uint8_t answer[ETHERNET_SIZE + ARP_SIZE];

	if (arp[7] != 1 || arp[27] != 1)
		return;
	memcpy(answer, bytes + 6, 6);
	memcpy(answer + 6, gateway_mac, 6);
	memcpy(answer + 12, bytes + 12, 2);
	memcpy(answer + 14, reply_head, sizeof reply_head);
	memcpy(answer + 22, gateway_mac, 6);
	memcpy(answer + 28, arp + 24, 4);
	memcpy(answer + 32, arp + 8, 10);
	qemu_nic_send(nic, answer, sizeof answer);
}

static void wire_take_datagram(const hcs_vm *vm, const uint8_t *bytes, size_t size)
{
	size_t head = ETHERNET_SIZE + (size_t)(bytes[ETHERNET_SIZE] & 15) * 4;
	size_t length;

	if (size < head + UDP_SIZE || bytes[ETHERNET_SIZE + 9] != 17)
		return;
	length = (size_t)bytes[head + 4] << 8 | bytes[head + 5];
	if (length < UDP_SIZE || head + length > size)
		return;
	if (vm->host->config.datagram)
		vm->host->config.datagram(vm->host->config.user, bytes + head + UDP_SIZE, length - UDP_SIZE);
}

void wire_packet(void *user, struct qemu_nic *nic, const uint8_t *bytes, size_t size)
{
	const hcs_vm *vm = user;

	if (size >= ETHERNET_SIZE + ARP_SIZE && bytes[12] == 8 && bytes[13] == 6)
		wire_answer_arp(nic, bytes);
	else if (size >= ETHERNET_SIZE + IP_SIZE + UDP_SIZE && bytes[12] == 8 && bytes[13] == 0)
		wire_take_datagram(vm, bytes, size);
}
