/*
 * The guest's ends of stdin, stdout and stderr. Output goes into a ring in guest memory first and from there to whatever connection there
 * is; a new connection starts with the oldest byte of the ring, so what a lost connection swallowed is said again.
 */
#include "guest_internal.h"

#include <stdlib.h>
#include <string.h>

static const struct guest_stream *stdio_view(const mock_guest *guest, uint64_t offset)
{
	return MOCK_VIEW(guest->memory, struct guest_stream, offset);
}

struct guest_local *guest_local(mock_guest *guest, uint64_t process)
{
	const struct guest_process *record = MOCK_VIEW(guest->memory, struct guest_process, process);
	uint32_t slot = record->slot;

	if (slot == UINT32_MAX) { /* a new process: the place of one that has gone, or a new one */
		for (slot = 0; slot < guest->n_locals && guest->locals[slot] && guest->locals[slot]->process; slot++)
			continue;
		if (slot >= guest->n_locals && guest_root(guest)->n_slots > slot)
			slot = guest_root(guest)->n_slots;
		if (slot >= guest_root(guest)->n_slots)
			guest_edit_root(guest)->n_slots = slot + 1;
		MOCK_EDIT(guest->memory, struct guest_process, process)->slot = slot;
	}
	if (slot >= guest->n_locals) {
		uint32_t wanted = guest_root(guest)->n_slots;

		guest->locals = realloc(guest->locals, wanted * sizeof *guest->locals);
		while (guest->n_locals < wanted)
			guest->locals[guest->n_locals++] = NULL;
	}
	if (!guest->locals[slot])
		guest->locals[slot] = mock_alloc(sizeof **guest->locals);
	guest->locals[slot]->guest = guest;
	guest->locals[slot]->process = process;
	return guest->locals[slot];
}

static int stdio_which(const struct guest_local *local, const mock_end *end)
{
	int i = 0;

	while (i < 3 && local->ends[i] != end)
		i++;
	return i;
}

static void stdio_data(void *user, mock_end *end, const uint8_t *bytes, size_t size)
{
	struct guest_local *local = user;

	if (stdio_which(local, end) == 0)
		guest_workload_input(local->guest, local->process, bytes, size);
}

static void stdio_over(void *user, mock_end *end, bool lost)
{
	struct guest_local *local = user;
	int which = stdio_which(local, end);

	(void)lost;
	if (which == 3)
		return;
	local->ends[which] = NULL;
	mock_end_close(end);
	if (which == 0 && local->process)
		guest_workload_input(local->guest, local->process, NULL, 0);
}

static const mock_end_ops stdio_ops = { stdio_data, stdio_over };

/* Gives the connection what it has not had. False when it is lost. */
static bool stdio_push(mock_guest *guest, uint64_t stream, mock_end *end)
{
	const struct guest_stream *record = stdio_view(guest, stream);

	while (record->written < record->total) {
		size_t from = (size_t)(record->written % GUEST_STREAM_BYTES);
		size_t size = (size_t)(record->total - record->written);

		if (size > GUEST_STREAM_BYTES - from)
			size = GUEST_STREAM_BYTES - from;
		if (!mock_end_write(end, record->bytes + from, size))
			return false;
		MOCK_EDIT(guest->memory, struct guest_stream, stream)->written += size;
	}
	if (record->is_shut)
		mock_end_shutdown(end);
	return true;
}

static bool stdio_dial(mock_guest *guest, struct guest_local *local, uint64_t stream, int which)
{
	struct guest_stream *record = MOCK_EDIT(guest->memory, struct guest_stream, stream);
	uint8_t place[8];

	local->next_dial[which] = guest_root(guest)->clock + GUEST_REDIAL;
	local->ends[which] = mock_vsock_dial(guest->vsock, record->port, &stdio_ops, local);
	if (!local->ends[which])
		return false;
	local->was_dialled[which] = true;
	if (which == 0)
		return true;
	record->written = record->total > GUEST_STREAM_BYTES ? record->total - GUEST_STREAM_BYTES : 0;
	for (int i = 0; i < 8; i++)
		place[i] = (uint8_t)(record->written >> (8 * i));
	mock_end_write(local->ends[which], place, sizeof place);
	return stdio_push(guest, stream, local->ends[which]);
}

bool guest_stdio_connect(mock_guest *guest, uint64_t process)
{
	struct guest_local *local = guest_local(guest, process);
	const struct guest_process *record = MOCK_VIEW(guest->memory, struct guest_process, process);

	for (int i = 0; i < 3; i++) {
		if (record->streams[i] && !stdio_dial(guest, local, record->streams[i], i))
			return false;
	}
	return true;
}

void guest_stdio_release(mock_guest *guest, uint64_t process)
{
	struct guest_local *local = guest_local(guest, process);

	local->process = 0;
	for (int i = 0; i < 3; i++) {
		if (local->ends[i])
			mock_end_close(local->ends[i]);
		local->ends[i] = NULL;
		local->next_dial[i] = 0;
		local->was_dialled[i] = false;
	}
}

void guest_stdio_tick(mock_guest *guest, uint64_t process)
{
	struct guest_local *local = guest_local(guest, process);
	const struct guest_process *record = MOCK_VIEW(guest->memory, struct guest_process, process);

	/* A stream re-dials only when it has something to say; init's only, as in the real guest. */
	for (int i = 1; i < 3 && record->is_init; i++) {
		uint64_t stream = record->streams[i];

		if (stream && !local->ends[i] && !(record->has_exited && local->was_dialled[i]) && stdio_view(guest, stream)->total > 0 &&
		    guest_root(guest)->clock >= local->next_dial[i])
			stdio_dial(guest, local, stream, i);
		else if (stream && local->ends[i])
			stdio_push(guest, stream, local->ends[i]);
	}
	for (int i = 1; i < 3 && !record->is_init; i++) {
		if (record->streams[i] && local->ends[i])
			stdio_push(guest, record->streams[i], local->ends[i]);
	}
}

bool guest_stdio_print(mock_guest *guest, uint64_t process, int stream, const char *text, size_t size)
{
	uint64_t offset = MOCK_VIEW(guest->memory, struct guest_process, process)->streams[stream];
	struct guest_local *local = guest_local(guest, process);
	struct guest_stream *record;

	if (!offset)
		return true;
	if (stdio_view(guest, offset)->total - stdio_view(guest, offset)->written + size > GUEST_STREAM_BYTES)
		return false;
	record = MOCK_EDIT(guest->memory, struct guest_stream, offset);
	for (size_t i = 0; i < size; i++)
		record->bytes[(record->total + i) % GUEST_STREAM_BYTES] = (uint8_t)text[i];
	record->total += size;
	if (local->ends[stream])
		stdio_push(guest, offset, local->ends[stream]);
	return true;
}

bool guest_stdio_is_flushed(mock_guest *guest, uint64_t process)
{
	const struct guest_process *record = MOCK_VIEW(guest->memory, struct guest_process, process);
	const struct guest_local *local = guest_local(guest, process);

	for (int i = 1; i < 3; i++) {
		const struct guest_stream *stream = record->streams[i] ? stdio_view(guest, record->streams[i]) : NULL;

		/* Over means: all written, said so, and the host has closed its end after reading it. */
		if (stream && (stream->written < stream->total || local->ends[i]))
			return false;
	}
	return true;
}

void guest_stdio_drop_all(mock_guest *guest)
{
	for (uint32_t i = 0; i < guest->n_locals; i++) {
		struct guest_local *local = guest->locals[i];

		for (int which = 0; local && which < 3; which++) {
			if (local->ends[which])
				mock_end_close(local->ends[which]);
			local->ends[which] = NULL;
			local->was_dialled[which] = false;
			local->next_dial[which] = 0;
		}
	}
}
