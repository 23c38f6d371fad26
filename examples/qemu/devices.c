/* Disks and network cards: as QEMU wants them described, plugged in and taken out while the machine runs. */
#include "machine_internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_MAX 65536u

/*
 * QEMU locks the images: a scratch is writable for one process at a time. Flushing them to the host's disk would only matter if the host
 * lost power.
 */
cJSON *disk_block_device(const struct qemu_disk *disk)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *file = cJSON_CreateObject();
	cJSON *cache = cJSON_CreateObject();
	char name[32];

	snprintf(name, sizeof name, "disk%u-%u", (unsigned)disk->controller, (unsigned)disk->lun);
	cJSON_AddStringToObject(json, "driver", "raw");
	cJSON_AddStringToObject(json, "node-name", name);
	cJSON_AddBoolToObject(json, "read-only", disk->is_read_only);
	cJSON_AddStringToObject(file, "driver", "file");
	cJSON_AddStringToObject(file, "filename", disk->path);
	cJSON_AddStringToObject(file, "locking", "on");
	cJSON_AddBoolToObject(cache, "no-flush", true);
	cJSON_AddItemToObject(json, "cache", cache);
	cJSON_AddItemToObject(json, "file", file);
	return json;
}

cJSON *disk_device(const struct qemu_disk *disk)
{
	cJSON *json = cJSON_CreateObject();
	char text[32];

	cJSON_AddStringToObject(json, "driver", "scsi-hd");
	snprintf(text, sizeof text, "slot%u-%u", (unsigned)disk->controller, (unsigned)disk->lun);
	cJSON_AddStringToObject(json, "id", text);
	cJSON_AddStringToObject(json, "serial", text);
	snprintf(text, sizeof text, "disk%u-%u", (unsigned)disk->controller, (unsigned)disk->lun);
	cJSON_AddStringToObject(json, "drive", text);
	snprintf(text, sizeof text, "scsi%u.0", (unsigned)disk->controller);
	cJSON_AddStringToObject(json, "bus", text);
	cJSON_AddNumberToObject(json, "channel", 0);
	cJSON_AddNumberToObject(json, "scsi-id", 0);
	cJSON_AddNumberToObject(json, "lun", disk->lun);
	return json;
}

void qemu_machine_plug_disk(qemu_machine *machine, const struct qemu_disk *disk, qemu_step *step)
{
	(void)machine;
	qemu_step_add(step, "blockdev-add", disk_block_device(disk));
	qemu_step_add(step, "device_add", disk_device(disk));
}

/* ---- Network cards. Each is wired to this program by a socket on which every frame follows its length (4 bytes, big endian). ---- */

static void nic_deliver(qemu_machine *machine, struct qemu_nic *nic)
{
	size_t at = 0;

	while (nic->in_size - at >= 4) {
		const uint8_t *head = nic->in + at;
		size_t size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];

		if (nic->in_size - at - 4 < size)
			break;
		machine->config.packet(machine->config.user, nic, head + 4, size);
		at += 4 + size;
	}
	memmove(nic->in, nic->in + at, nic->in_size - at);
	nic->in_size -= at;
}

static void nic_ready(void *user, short events)
{
	struct qemu_nic *nic = user;
	ssize_t n = read(nic->fd, nic->in + nic->in_size, 2 * PACKET_MAX - nic->in_size);

	(void)events;
	if (n > 0) {
		nic->in_size += (size_t)n;
		nic_deliver(nic->machine, nic);
	} else {
		mock_watch_set(nic->watch, 0);
	}
}

void qemu_nic_send(struct qemu_nic *nic, const uint8_t *bytes, size_t size)
{
	uint8_t packet[2048] = { 0, 0, (uint8_t)(size >> 8), (uint8_t)size };
	ssize_t n;

	if (size > sizeof packet - 4)
		return;
	memcpy(packet + 4, bytes, size);
	n = send(nic->fd, packet, size + 4, MSG_NOSIGNAL); /* a lost packet is a lost packet */
	(void)n;
}

/* Returns the machine's end of the wire. */
static int nic_make(qemu_machine *machine, struct qemu_nic *nic, const char *id, const char *mac)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	memset(nic, 0, sizeof *nic);
	nic->machine = machine;
	nic->is_there = true;
	snprintf(nic->id, sizeof nic->id, "%s", id);
	for (size_t i = 0; i + 1 < sizeof nic->mac && mac[i]; i++)
		nic->mac[i] = mac[i] == '-' ? ':' : (char)tolower((unsigned char)mac[i]);
	nic->fd = ends[0];
	nic->in = mock_alloc(2 * PACKET_MAX);
	nic->watch = mock_watch_new(machine->config.loop, nic->fd, POLLIN, nic_ready, nic);
	return ends[1];
}

void nic_close(struct qemu_nic *nic)
{
	if (!nic->is_there)
		return;
	mock_watch_free(nic->watch);
	close(nic->fd);
	free(nic->in);
	memset(nic, 0, sizeof *nic);
}

void nics_from_source(qemu_machine *machine, const cJSON *compatibility, int child_fds[QEMU_NICS])
{
	const cJSON *entry;

	for (unsigned i = 0; i < QEMU_NICS; i++)
		child_fds[i] = -1;
	cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(compatibility, "Nics"))
	{
		const cJSON *place = cJSON_GetObjectItemCaseSensitive(entry, "Place");
		unsigned i = cJSON_IsNumber(place) ? (unsigned)place->valueint : QEMU_NICS;

		if (i >= QEMU_NICS || child_fds[i] >= 0)
			continue;
		child_fds[i] = nic_make(machine, &machine->nics[i], "", qemu_json_text(entry, "MacAddress"));
		machine->nics[i].is_stale = true;
	}
}

static unsigned nic_free_place(const qemu_machine *machine)
{
	unsigned i = 0;

	while (i < QEMU_NICS && machine->nics[i].is_there)
		i++;
	return i;
}

bool qemu_machine_has_nic_place(const qemu_machine *machine)
{
	return nic_free_place(machine) < QEMU_NICS;
}

void qemu_machine_plug_nic(qemu_machine *machine, const char *id, const char *mac, qemu_step *step)
{
	unsigned i = nic_free_place(machine);
	char name[32];
	int theirs;

	theirs = nic_make(machine, &machine->nics[i], id, mac);
	snprintf(name, sizeof name, "wire%u", i);
	qmp_give_fd(machine->monitor, theirs, name);
	close(theirs);
	qemu_step_addf(step, "netdev_add", "{\"type\":\"socket\",\"id\":\"%s\",\"fd\":\"%s\"}", name, name);
	qemu_step_addf(step, "device_add", "{\"driver\":\"virtio-net-pci\",\"id\":\"nic%u\",\"netdev\":\"%s\",\"addr\":\"%x\",\"mac\":\"%s\","
	                                   "\"romfile\":\"\"}", i, name, 16 + i, machine->nics[i].mac);
}

struct qemu_nic *qemu_machine_find_nic(qemu_machine *machine, const char *id)
{
	for (unsigned i = 0; i < QEMU_NICS; i++) {
		if (machine->nics[i].is_there && !machine->nics[i].is_stale && strcmp(machine->nics[i].id, id) == 0)
			return &machine->nics[i];
	}
	return NULL;
}

void qemu_machine_unplug_nic(qemu_machine *machine, struct qemu_nic *nic, qemu_step *step)
{
	nic->is_leaving = true;
	qemu_step_addf(step, "device_del", "{\"id\":\"nic%d\"}", (int)(nic - machine->nics));
}

void qemu_machine_deleted(qemu_machine *machine, const char *device)
{
	qemu_step *step = qemu_step_new(machine, NULL, NULL);
	unsigned controller;
	unsigned lun;
	unsigned i;

	if (sscanf(device, "slot%u-%u", &controller, &lun) == 2) {
		qemu_step_addf(step, "blockdev-del", "{\"node-name\":\"disk%u-%u\"}", controller, lun);
	} else if (sscanf(device, "nic%u", &i) == 1 && i < QEMU_NICS) {
		qemu_step_addf(step, "netdev_del", "{\"id\":\"wire%u\"}", i);
		nic_close(&machine->nics[i]);
	}
	qemu_step_end(step);
}
