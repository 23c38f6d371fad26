/*
 * One of a process's standard streams, between a pipe and a stream to the host. As with Microsoft's guest, output whose connection is lost dials
 * the same port again when there is more to say, and begins with the last 128 KiB that it had said: the host may see it twice, but misses nothing.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT_MAX (128u << 10)
#define REDIAL_MS 100

struct relay {
	struct process *process;
	int number;
	uint32_t port;
	bool repeats;
	struct stream *stream;
	bool is_open;
	bool was_refused;
	int ours;   /* end of the pipe */
	int theirs;
	struct watch *watch;
	struct timer redial;
	bool has_ended; /* the process will print no more */
	bool is_shut;
	bool is_over;
	char kept[KEPT_MAX]; /* a ring of what was printed last */
	uint64_t total;
	struct text input; /* for stdin, until the pipe takes it */
	bool input_has_ended;
};

static void relay_ready(void *user);

/* `size` bytes that end at the end of all output. */
static void relay_send_last(struct relay *relay, size_t size)
{
	for (uint64_t at = relay->total - size; at < relay->total;) {
		size_t place = (size_t)(at % KEPT_MAX);
		size_t part = (size_t)(relay->total - at);

		if (part > KEPT_MAX - place)
			part = KEPT_MAX - place;
		stream_send(relay->stream, relay->kept + place, part);
		at += part;
	}
}

static void relay_end(struct relay *relay)
{
	relay->is_over = true;
	loop_forget(&relay->redial);
	stream_close(relay->stream);
	relay->stream = NULL;
	process_settle(relay->process);
}

static void relay_shut(struct relay *relay)
{
	if (!relay->has_ended || relay->is_shut || !relay->is_open)
		return;
	relay->is_shut = true;
	stream_shut(relay->stream);
}

static void relay_opened(void *user)
{
	struct relay *relay = user;
	bool is_again = relay->total > 0;

	relay->is_open = true;
	relay->is_shut = false;
	if (is_again && relay->number > 0)
		relay_send_last(relay, relay->total < KEPT_MAX ? (size_t)relay->total : KEPT_MAX);
	relay_shut(relay);
	if (relay->watch && relay->number > 0)
		relay->watch->events = POLLIN;
}

static void relay_feed(struct relay *relay)
{
	size_t done = 0;

	while (relay->ours >= 0 && done < relay->input.size) {
		ssize_t n = write(relay->ours, relay->input.bytes + done, relay->input.size - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done > 0) {
		memmove(relay->input.bytes, relay->input.bytes + done, relay->input.size - done);
		relay->input.size -= done;
	}
	if (relay->watch)
		relay->watch->events = relay->input.size > 0 ? POLLOUT : 0;
	if (relay->input_has_ended && relay->input.size == 0 && relay->ours >= 0) {
		loop_unwatch(relay->watch);
		relay->watch = NULL;
		close(relay->ours);
		relay->ours = -1;
	}
}

static void relay_data(void *user, const uint8_t *bytes, size_t size)
{
	struct relay *relay = user;

	if (relay->number == 0) {
		text_add(&relay->input, bytes, size);
		relay_feed(relay);
	}
}

static void relay_lost(void *user, enum stream_end how)
{
	struct relay *relay = user;
	bool was_open = relay->is_open;

	if (how == STREAM_SHUT && !relay->is_shut && relay->number > 0)
		return; /* the host says nothing on an output stream anyway */
	stream_close(relay->stream);
	relay->stream = NULL;
	relay->is_open = false;
	if (relay->number == 0) {
		relay->input_has_ended = true;
		relay_feed(relay);
		relay->was_refused = !was_open;
	} else if (relay->process->pid == 0) {
		relay->was_refused = true;
	} else if (relay->is_shut && how != STREAM_LOST) {
		relay_end(relay);
	} else if (!relay->repeats) {
		if (relay->has_ended)
			relay_end(relay);
	} else if (relay->has_ended || !was_open) {
		loop_set(&relay->redial, loop_now() + REDIAL_MS);
	}
}

static void relay_dial(void *user)
{
	static const struct stream_ops ops = { relay_opened, relay_data, relay_lost };
	struct relay *relay = user;

	if (relay->stream || relay->is_over)
		return;
	relay->stream = mux_dial(relay->port, &ops, relay);
	if (!relay->stream)
		loop_set(&relay->redial, loop_now() + REDIAL_MS);
}

static void relay_keep(struct relay *relay, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		relay->kept[(relay->total + i) % KEPT_MAX] = bytes[i];
	relay->total += size;
}

/* The process has printed, or closed its end. */
static void relay_output(struct relay *relay)
{
	char bytes[16384];
	ssize_t n;

	if (!mux_has_room()) {
		relay->watch->events = 0;
		loop_set(&relay->redial, loop_now() + REDIAL_MS);
		return;
	}
	n = read(relay->ours, bytes, sizeof bytes);
	if (n > 0) {
		relay_keep(relay, bytes, (size_t)n);
		if (relay->is_open)
			stream_send(relay->stream, bytes, (size_t)n);
		else if (relay->repeats)
			relay_dial(relay);
	} else if (n == 0 || errno != EAGAIN) {
		loop_unwatch(relay->watch);
		relay->watch = NULL;
		relay->has_ended = true;
		if (relay->is_open)
			relay_shut(relay);
		else if (relay->repeats)
			relay_dial(relay);
		else
			relay_end(relay);
		return;
	}
	/* What is read while there is no connection stays in the ring, but no more than that. */
	if (!relay->is_open && relay->repeats)
		relay->watch->events = 0;
}

static void relay_ready(void *user)
{
	struct relay *relay = user;

	if (relay->number == 0)
		relay_feed(relay);
	else
		relay_output(relay);
}

static void relay_again(void *user)
{
	struct relay *relay = user;

	if (relay->is_open && relay->watch && relay->number > 0)
		relay->watch->events = POLLIN;
	else
		relay_dial(relay);
}

struct relay *relay_new(struct process *process, int number, uint32_t port, bool repeats)
{
	struct relay *relay = guest_alloc(sizeof *relay);

	relay->process = process;
	relay->number = number;
	relay->port = port;
	relay->repeats = repeats && number > 0;
	relay->ours = -1;
	relay->theirs = -1;
	relay->redial.fn = relay_again;
	relay->redial.user = relay;
	relay->redial.at = -1;
	relay_dial(relay);
	return relay;
}

int relay_state(const struct relay *relay)
{
	return relay->was_refused ? -1 : relay->is_open ? 1 : 0;
}

int relay_take_pipe(struct relay *relay)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	relay->ours = ends[relay->number == 0 ? 1 : 0];
	fcntl(relay->ours, F_SETFL, O_NONBLOCK);
	relay->watch = loop_watch(relay->ours, relay->number == 0 ? 0 : POLLIN, relay_ready, relay);
	if (relay->number == 0)
		relay_feed(relay);
	return ends[relay->number == 0 ? 0 : 1];
}

bool relay_is_over(const struct relay *relay)
{
	return relay->is_over;
}

void relay_free(struct relay *relay)
{
	if (!relay)
		return;
	loop_forget(&relay->redial);
	loop_unwatch(relay->watch);
	stream_close(relay->stream);
	if (relay->ours >= 0)
		close(relay->ours);
	text_done(&relay->input);
	free(relay);
}
