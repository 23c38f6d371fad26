/* Pages out and pages in: what each side of a transfer does; see transfer.h. */
#include "transfer_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PAGES_FEW 48u /* dirty pages that are little enough for the blackout */
#define PAGES_PORTION 64u

/* A fault that was asked for: as if the cable had been cut. */
static void pages_break(mock_transfer *transfer)
{
	shutdown(transfer->fd, SHUT_RDWR);
	transfer_end(transfer, TRANSFER_E_CONNECTION, "the migration connection broke in pass %u", (unsigned)transfer->progress.pass);
}

static void pages_begin_pass(mock_transfer *transfer)
{
	transfer->next_page = 0;
	transfer->pass_pages = 0;
	transfer->progress.pass++;
	transfer->progress.pass_bytes = 0;
	transfer->progress.pass_total = (uint64_t)mock_memory_n_dirty(transfer->config.memory) * MOCK_PAGE_SIZE;
	if (transfer->state == TRANSFER_MOVING)
		transfer->config.step(transfer->config.user, MOCK_TRANSFER_PROGRESS);
}

static void pages_finish(mock_transfer *transfer)
{
	uint64_t sum = mock_memory_checksum(transfer->config.memory);
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(sum >> (8 * i));
	transfer_put(transfer, TRANSFER_DEVICES, 0, 0, transfer->devices, strlen(transfer->devices));
	transfer_put(transfer, TRANSFER_DONE, 0, 0, bytes, sizeof bytes);
	transfer->state = TRANSFER_CLOSING;
}

static void pages_end_pass(mock_transfer *transfer)
{
	uint32_t n_dirty = mock_memory_n_dirty(transfer->config.memory);

	transfer_put(transfer, TRANSFER_PASS, transfer->progress.pass, transfer->pass_pages, NULL, 0);
	if (transfer->state == TRANSFER_HOLDING) {
		pages_finish(transfer);
		return;
	}
	if (n_dirty > PAGES_FEW && transfer->progress.pass < transfer->config.maximum_passes) {
		pages_begin_pass(transfer);
		return;
	}
	transfer->state = TRANSFER_HOLDING;
	transfer_put(transfer, TRANSFER_BLACKOUT, 0, 0, NULL, 0);
	transfer->config.step(transfer->config.user, MOCK_TRANSFER_BLACKOUT);
	pages_begin_pass(transfer);
}

/* One portion of pages; the guest runs between two of them. */
void transfer_source_fill(mock_transfer *transfer)
{
	static const uint8_t zero[MOCK_PAGE_SIZE];
	uint32_t pass;

	if (transfer->state != TRANSFER_MOVING && transfer->state != TRANSFER_HOLDING)
		return;
	if (transfer->progress.pass == 0)
		pages_begin_pass(transfer);
	pass = transfer->progress.pass;
	if ((transfer->config.break_in_pass == pass && transfer->progress.pass_bytes * 2 >= transfer->progress.pass_total) ||
	    (transfer->config.break_in_blackout && transfer->state == TRANSFER_HOLDING)) {
		pages_break(transfer);
		return;
	}
	for (unsigned i = 0; i < PAGES_PORTION && transfer->progress.pass == pass && transfer->state != TRANSFER_CLOSING; i++) {
		uint32_t page;
		const void *bytes;

		if (!mock_memory_take_dirty(transfer->config.memory, transfer->next_page, &page)) {
			pages_end_pass(transfer);
			break;
		}
		transfer->next_page = page + 1;
		transfer->pass_pages++;
		bytes = mock_memory_view(transfer->config.memory, (uint64_t)page * MOCK_PAGE_SIZE, MOCK_PAGE_SIZE);
		transfer_put(transfer, TRANSFER_PAGE, page, 0, bytes, memcmp(bytes, zero, sizeof zero) == 0 ? 0 : MOCK_PAGE_SIZE);
		transfer->progress.bytes += MOCK_PAGE_SIZE;
		transfer->progress.pass_bytes += MOCK_PAGE_SIZE;
		transfer->throttle_bytes += MOCK_PAGE_SIZE;
	}
	transfer_report(transfer);
}

void transfer_source_take(mock_transfer *transfer, uint32_t type, uint32_t a, const uint8_t *payload, size_t size)
{
	(void)a;
	(void)payload;
	(void)size;
	if (type != TRANSFER_ACK || transfer->state != TRANSFER_CLOSING) {
		transfer_give_up(transfer, "the destination answered something unexpected");
		return;
	}
	transfer->config.step(transfer->config.user, MOCK_TRANSFER_OFFLINE_DONE);
	transfer_end(transfer, 0, "%s", "");
}

static void pages_take_page(mock_transfer *transfer, uint32_t page, const uint8_t *payload, size_t size)
{
	static const uint8_t zero[MOCK_PAGE_SIZE];

	if ((size != 0 && size != MOCK_PAGE_SIZE) || !mock_memory_receive(transfer->config.memory, page, size ? payload : zero)) {
		transfer_give_up(transfer, "a page came that this memory does not have");
		return;
	}
	transfer->pass_pages++;
	transfer->progress.bytes += MOCK_PAGE_SIZE;
	transfer->progress.pass_bytes += MOCK_PAGE_SIZE;
	if (transfer->pass_pages % PAGES_PORTION == 0)
		transfer_report(transfer);
}

static void pages_take_done(mock_transfer *transfer, const uint8_t *payload, size_t size)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < 8 && size == 8; i++)
		sum |= (uint64_t)payload[i] << (8 * i);
	if (!transfer->devices_agree) {
		transfer_give_up(transfer, "the source did not say which devices it has");
	} else if (sum != mock_memory_checksum(transfer->config.memory)) {
		transfer_give_up(transfer, "the memory that arrived has another checksum");
	} else {
		transfer_put(transfer, TRANSFER_ACK, 0, 0, NULL, 0);
		transfer->config.step(transfer->config.user, MOCK_TRANSFER_OFFLINE_DONE);
		transfer->state = TRANSFER_CLOSING;
	}
}

void transfer_destination_take(mock_transfer *transfer, uint32_t type, uint32_t a, uint32_t b, const uint8_t *payload, size_t size)
{
	char reason[192];

	if (type != TRANSFER_PASS && transfer->progress.pass == 0) {
		transfer->progress.pass = 1;
		transfer->config.step(transfer->config.user, MOCK_TRANSFER_PROGRESS);
	}
	if (type == TRANSFER_PAGE) {
		pages_take_page(transfer, a, payload, size);
	} else if (type == TRANSFER_PASS) {
		if (b != transfer->pass_pages)
			transfer_give_up(transfer, "pages of a pass are missing");
		transfer->pass_pages = 0;
		transfer->progress.pass = a + 1;
		transfer->progress.pass_bytes = 0;
	} else if (type == TRANSFER_BLACKOUT && transfer->state == TRANSFER_MOVING) {
		transfer->state = TRANSFER_HOLDING;
		transfer->config.step(transfer->config.user, MOCK_TRANSFER_BLACKOUT);
	} else if (type == TRANSFER_DEVICES) {
		transfer->devices_agree = size == strlen(transfer->devices) && memcmp(payload, transfer->devices, size) == 0;
		if (!transfer->devices_agree) {
			snprintf(reason, sizeof reason, "the source has disks at %.*s, here they are at %.60s",
				 (int)(size < 60 ? size : 60), (const char *)payload, transfer->devices);
			transfer_give_up(transfer, reason);
		}
	} else if (type == TRANSFER_DONE && transfer->state == TRANSFER_HOLDING) {
		pages_take_done(transfer, payload, size);
	} else {
		transfer_give_up(transfer, "the source sends what does not belong here");
	}
}
