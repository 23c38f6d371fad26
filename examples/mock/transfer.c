/* The connection of a transfer: records in and out, and how it ends. */
#include "transfer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void transfer_put32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t transfer_get32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void transfer_put(mock_transfer *transfer, enum transfer_record type, uint32_t a, uint32_t b, const void *payload, size_t size)
{
	uint8_t *at;

	if (transfer->output_capacity - transfer->n_output < TRANSFER_HEADER + size) {
		transfer->output_capacity = 2 * transfer->output_capacity + TRANSFER_HEADER + size;
		transfer->output = realloc(transfer->output, transfer->output_capacity);
	}
	at = transfer->output + transfer->n_output;
	transfer_put32(at, type);
	transfer_put32(at + 4, a);
	transfer_put32(at + 8, b);
	transfer_put32(at + 12, (uint32_t)size);
	if (size > 0)
		memcpy(at + TRANSFER_HEADER, payload, size);
	transfer->n_output += TRANSFER_HEADER + size;
}

static void transfer_tell_end(void *user)
{
	mock_transfer *transfer = user;

	transfer->config.ended(transfer->config.user, transfer->hresult, transfer->message);
}

void transfer_end(mock_transfer *transfer, uint32_t hresult, const char *format, ...)
{
	va_list arguments;

	if (transfer->state == TRANSFER_ENDED)
		return;
	va_start(arguments, format);
	vsnprintf(transfer->message, sizeof transfer->message, format, arguments);
	va_end(arguments);
	transfer->hresult = hresult;
	transfer->state = TRANSFER_ENDED;
	mock_timer_stop(transfer->timer);
	mock_watch_set(transfer->watch, 0);
	if (transfer->has_begun)
		mock_loop_post(transfer->config.loop, transfer_tell_end, transfer);
}

static void transfer_flush(mock_transfer *transfer)
{
	while (transfer->n_sent < transfer->n_output) {
		ssize_t written =
			send(transfer->fd, transfer->output + transfer->n_sent, transfer->n_output - transfer->n_sent, MSG_NOSIGNAL);

		if (written < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (written < 0) {
			transfer_end(transfer, TRANSFER_E_CONNECTION, "the migration connection broke: %s", strerror(errno));
			return;
		}
		transfer->n_sent += (size_t)written;
	}
	transfer->n_sent = transfer->n_output = 0;
	if (transfer->state == TRANSFER_CLOSING && !transfer->config.is_source)
		transfer_end(transfer, 0, "%s", ""); /* everything is here, and the source knows */
}

void transfer_give_up(mock_transfer *transfer, const char *reason)
{
	if (transfer->state == TRANSFER_ENDED)
		return;
	transfer_put(transfer, TRANSFER_GIVE_UP, TRANSFER_E_DATA, 0, reason, strlen(reason));
	transfer_flush(transfer);
	transfer_end(transfer, TRANSFER_E_DATA, "%s", reason);
}

void transfer_report(mock_transfer *transfer)
{
	if (transfer->config.progress)
		transfer->config.progress(transfer->config.progress_user, &transfer->progress);
}

static void transfer_update_watch(mock_transfer *transfer)
{
	if (transfer->state == TRANSFER_ENDED)
		return;
	mock_watch_set(transfer->watch, (short)(POLLIN | (transfer->n_output > 0 ? POLLOUT : 0)));
}

/* The next portion is due when the bandwidth allows what was sent so far. */
static void transfer_plan(mock_transfer *transfer)
{
	uint64_t due = transfer->throttle_start;

	if (!transfer->config.is_source || (transfer->state != TRANSFER_MOVING && transfer->state != TRANSFER_HOLDING))
		return;
	if (transfer->config.bandwidth > 0)
		due += transfer->throttle_bytes * 1000 / (transfer->config.bandwidth / 1000 > 0 ? transfer->config.bandwidth / 1000 : 1) *
		       1000;
	mock_timer_set(transfer->timer, due);
}

static void transfer_portion(void *user)
{
	mock_transfer *transfer = user;

	if (transfer->n_output == 0)
		transfer_source_fill(transfer);
	transfer_flush(transfer);
	if (transfer->n_output == 0)
		transfer_plan(transfer);
	transfer_update_watch(transfer);
}

static void transfer_greeted(mock_transfer *transfer, const uint8_t *payload, size_t size, uint32_t version, uint32_t session)
{
	char reason[128];

	transfer->peer_has_greeted = true;
	if (version != TRANSFER_VERSION || size < 4) {
		transfer_give_up(transfer, "the peer speaks another version of the transfer");
	} else if (session != transfer->config.session) {
		snprintf(reason, sizeof reason, "the peer's session number is %u, ours is %u", (unsigned)session,
			 (unsigned)transfer->config.session);
		transfer_give_up(transfer, reason);
	} else if (transfer_get32(payload) != mock_memory_pages(transfer->config.memory)) {
		transfer_give_up(transfer, "the peer's memory has another size");
	} else {
		transfer->state = TRANSFER_READY;
	}
}

/* Both sides greet as soon as they can; pages move when both have been told to transfer. */
static void transfer_try_moving(mock_transfer *transfer)
{
	if (transfer->state != TRANSFER_READY || !transfer->has_begun)
		return;
	transfer->state = TRANSFER_MOVING;
	transfer->throttle_start = mock_now();
	transfer->config.step(transfer->config.user, MOCK_TRANSFER_SETUP_DONE);
	if (transfer->config.is_source)
		mock_memory_mark_all(transfer->config.memory);
	transfer_plan(transfer);
}

static void transfer_take(mock_transfer *transfer, uint32_t type, uint32_t a, uint32_t b, const uint8_t *payload, size_t size)
{
	char reason[192];

	if (type == TRANSFER_HELLO && !transfer->peer_has_greeted) {
		transfer_greeted(transfer, payload, size, a, b);
		transfer_try_moving(transfer);
	} else if (type == TRANSFER_GIVE_UP) {
		snprintf(reason, sizeof reason, "%.*s", (int)(size < sizeof reason ? size : sizeof reason - 1), (const char *)payload);
		transfer_end(transfer, a ? a : TRANSFER_E_DATA, "the peer gave up: %s", reason);
	} else if (transfer->config.is_source) {
		transfer_source_take(transfer, type, a, payload, size);
	} else {
		transfer_destination_take(transfer, type, a, b, payload, size);
	}
}

/* Pages that come before this side has begun wait in the socket. */
static bool transfer_wants_input(const mock_transfer *transfer)
{
	return transfer->state != TRANSFER_ENDED && (transfer->state != TRANSFER_READY || transfer->has_begun);
}

static void transfer_parse(mock_transfer *transfer)
{
	size_t used = 0;

	while (transfer_wants_input(transfer) && transfer->n_input - used >= TRANSFER_HEADER) {
		const uint8_t *at = transfer->input + used;
		uint32_t size = transfer_get32(at + 12);

		if (size > TRANSFER_PAYLOAD_MAX) {
			transfer_give_up(transfer, "the peer sends something else than a transfer");
			return;
		}
		if (transfer->n_input - used < TRANSFER_HEADER + size)
			break;
		used += TRANSFER_HEADER + size;
		transfer_take(transfer, transfer_get32(at), transfer_get32(at + 4), transfer_get32(at + 8), at + TRANSFER_HEADER, size);
	}
	memmove(transfer->input, transfer->input + used, transfer->n_input - used);
	transfer->n_input -= used;
}

static void transfer_read(mock_transfer *transfer)
{
	for (int i = 0; i < 16 && transfer->state != TRANSFER_ENDED; i++) {
		ssize_t got = read(transfer->fd, transfer->input + transfer->n_input, TRANSFER_CHUNK - transfer->n_input);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			transfer_end(transfer, TRANSFER_E_CONNECTION, "the peer closed the migration connection in pass %u%s%s",
				     (unsigned)transfer->progress.pass, got < 0 ? ": " : "", got < 0 ? strerror(errno) : "");
			return;
		}
		transfer->n_input += (size_t)got;
		transfer_parse(transfer);
		if (!transfer_wants_input(transfer)) {
			mock_watch_set(transfer->watch, 0);
			return;
		}
	}
}

static void transfer_ready(void *user, short events)
{
	mock_transfer *transfer = user;

	if (events & (POLLIN | POLLHUP | POLLERR))
		transfer_read(transfer);
	if (transfer->state == TRANSFER_ENDED)
		return;
	transfer_flush(transfer);
	if (transfer->n_output == 0)
		transfer_plan(transfer);
	if (transfer_wants_input(transfer))
		transfer_update_watch(transfer);
}

mock_transfer *mock_transfer_new(int fd, const mock_transfer_config *config)
{
	mock_transfer *transfer = mock_alloc(sizeof *transfer);
	uint8_t pages[4];

	transfer->config = *config;
	transfer->devices = mock_strdup(config->devices);
	if (!transfer->config.maximum_passes)
		transfer->config.maximum_passes = 10;
	transfer->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	fcntl(transfer->fd, F_SETFL, fcntl(transfer->fd, F_GETFL) | O_NONBLOCK);
	transfer->input = mock_alloc(TRANSFER_CHUNK);
	transfer->timer = mock_timer_new(config->loop, transfer_portion, transfer);
	transfer->watch = mock_watch_new(config->loop, transfer->fd, POLLIN, transfer_ready, transfer);
	transfer_put32(pages, mock_memory_pages(config->memory));
	transfer_put(transfer, TRANSFER_HELLO, TRANSFER_VERSION, config->session, pages, sizeof pages);
	transfer_flush(transfer);
	transfer_update_watch(transfer);
	return transfer;
}

void mock_transfer_begin(mock_transfer *transfer)
{
	transfer->has_begun = true;
	if (transfer->state == TRANSFER_ENDED) { /* the peer was faster in giving up */
		mock_loop_post(transfer->config.loop, transfer_tell_end, transfer);
		return;
	}
	transfer_try_moving(transfer);
	transfer_parse(transfer);
	transfer_update_watch(transfer);
}

bool mock_transfer_cancel(mock_transfer *transfer)
{
	static const char reason[] = "cancelled";

	if (transfer->state == TRANSFER_ENDED)
		return false;
	transfer_put(transfer, TRANSFER_GIVE_UP, TRANSFER_E_CANCELLED, 0, reason, sizeof reason - 1);
	transfer_flush(transfer);
	transfer_end(transfer, TRANSFER_E_CANCELLED, "the migration was cancelled");
	return true;
}

void mock_transfer_free(mock_transfer *transfer)
{
	if (!transfer)
		return;
	transfer_give_up(transfer, "the machine is gone"); /* unless it has ended: others may hold the connection open */
	mock_loop_forget(transfer->config.loop, transfer);
	mock_timer_free(transfer->timer);
	mock_watch_free(transfer->watch);
	close(transfer->fd);
	free(transfer->devices);
	free(transfer->output);
	free(transfer->input);
	free(transfer);
}
