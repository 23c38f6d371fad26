/*
 * Stdio relays: what a process prints goes to the file or FIFO that was named for it, and what is in the file or FIFO of its stdin goes to
 * the process. Output connections tell the place of their first byte (guest.h), so nothing is passed on twice, however often the guest
 * connects, and on a destination nothing that the source has passed on.
 */
#include "host_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STDIO_DRAIN (1 * MOCK_SECOND)

struct stdio_stream {
	struct stdio_relay *relay;
	int fd; /* upstream; -1: not used */
	uint32_t port;
	mock_end *end;
	mock_watch *watch;  /* of the upstream */
	uint64_t delivered; /* the place up to which everything is upstream */
	uint64_t place;     /* of the next byte that comes over this connection */
	unsigned n_place;   /* bytes of the place that have come */
	uint8_t *pending;   /* what the upstream does not take now */
	size_t n_pending;
};

struct stdio_relay {
	struct stdio_relay *next;
	mock_stdio *stdio;
	char *container_id;
	bool is_init;
	struct stdio_stream streams[3];
	lcowmig_call *drain;
	mock_timer *drain_timer;
};

/* What is known of a container's stdout without its relay. */
struct stdio_place {
	struct stdio_place *next;
	char *container_id;
	uint64_t bytes;
};

struct mock_stdio {
	mock_host *host;
	struct stdio_relay *relays;
	struct stdio_place *places;
};

static struct stdio_place *stdio_find_place(mock_stdio *stdio, const char *container_id, bool make)
{
	struct stdio_place *place = stdio->places;

	while (place && strcmp(place->container_id, container_id) != 0)
		place = place->next;
	if (!place && make) {
		place = mock_alloc(sizeof *place);
		place->container_id = mock_strdup(container_id);
		place->next = stdio->places;
		stdio->places = place;
	}
	return place;
}

static struct stdio_relay *stdio_find_relay(mock_stdio *stdio, const char *container_id)
{
	struct stdio_relay *relay = stdio->relays;

	while (relay && !(relay->is_init && strcmp(relay->container_id, container_id) == 0))
		relay = relay->next;
	return relay;
}

uint64_t mock_host_stdout_bytes(const mock_host *host, const char *container_id)
{
	const struct stdio_relay *relay = stdio_find_relay(host->stdio, container_id);
	const struct stdio_place *place = stdio_find_place(host->stdio, container_id, false);

	return relay ? relay->streams[1].delivered : place ? place->bytes : 0;
}

void mock_host_skip_stdout(mock_host *host, const char *container_id, uint64_t bytes)
{
	struct stdio_relay *relay = stdio_find_relay(host->stdio, container_id);

	stdio_find_place(host->stdio, container_id, true)->bytes = bytes;
	if (relay)
		relay->streams[1].delivered = bytes;
}

static void stdio_check_drained(struct stdio_relay *relay)
{
	lcowmig_call *call = relay->drain;

	for (int i = 1; i < 3; i++) {
		if (relay->streams[i].end || relay->streams[i].n_pending > 0)
			return;
	}
	relay->drain = NULL;
	if (!call)
		return;
	mock_timer_stop(relay->drain_timer);
	lcowmig_call_complete(call, LCOWMIG_OK);
}

static void stdio_drain_over(void *user)
{
	struct stdio_relay *relay = user;
	lcowmig_call *call = relay->drain;

	relay->drain = NULL;
	if (call)
		lcowmig_call_complete(call, LCOWMIG_OK);
}

/* ---- From the process ---- */

static void stdio_keep(struct stdio_stream *stream, const uint8_t *bytes, size_t size)
{
	stream->pending = realloc(stream->pending, stream->n_pending + size);
	memcpy(stream->pending + stream->n_pending, bytes, size);
	stream->n_pending += size;
	mock_watch_set(stream->watch, POLLOUT);
}

static size_t stdio_write_some(struct stdio_stream *stream, const uint8_t *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t written = write(stream->fd, bytes + done, size - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			break;
		done += (size_t)written;
	}
	return done;
}

static void stdio_upstream_writable(void *user, short events)
{
	struct stdio_stream *stream = user;
	size_t done = stdio_write_some(stream, stream->pending, stream->n_pending);

	(void)events;
	memmove(stream->pending, stream->pending + done, stream->n_pending - done);
	stream->n_pending -= done;
	if (stream->n_pending > 0)
		return;
	mock_watch_set(stream->watch, 0);
	stdio_check_drained(stream->relay);
}

static void stdio_output(void *user, mock_end *end, const uint8_t *bytes, size_t size)
{
	struct stdio_stream *stream = user;
	size_t skip = 0, done;

	(void)end;
	for (; stream->n_place < 8 && size > 0; bytes++, size--)
		stream->place |= (uint64_t)*bytes << (8 * stream->n_place++);
	if (size == 0)
		return;
	if (stream->place < stream->delivered)
		skip = stream->delivered - stream->place < size ? (size_t)(stream->delivered - stream->place) : size;
	bytes += skip;
	size -= skip;
	stream->place += skip + size;
	if (stream->place > stream->delivered)
		stream->delivered = stream->place;
	if (stream->fd < 0)
		return;
	done = stream->n_pending > 0 ? 0 : stdio_write_some(stream, bytes, size);
	if (done < size)
		stdio_keep(stream, bytes + done, size - done);
}

static void stdio_output_over(void *user, mock_end *end, bool lost)
{
	struct stdio_stream *stream = user;

	(void)lost;
	stream->end = NULL;
	mock_end_close(end);
	stdio_check_drained(stream->relay);
}

static const mock_end_ops stdio_output_ops = { stdio_output, stdio_output_over };

/* ---- To the process ---- */

static void stdio_input_nothing(void *user, mock_end *end, const uint8_t *bytes, size_t size)
{
	(void)user;
	(void)end;
	(void)bytes;
	(void)size;
}

static void stdio_input_over(void *user, mock_end *end, bool lost)
{
	struct stdio_stream *stream = user;

	(void)lost;
	stream->end = NULL;
	if (stream->watch)
		mock_watch_set(stream->watch, 0);
	mock_end_close(end);
}

static const mock_end_ops stdio_input_ops = { stdio_input_nothing, stdio_input_over };

static void stdio_upstream_readable(void *user, short events)
{
	struct stdio_stream *stream = user;
	uint8_t bytes[4096];
	ssize_t got = read(stream->fd, bytes, sizeof bytes);

	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0 && stream->end && mock_end_write(stream->end, bytes, (size_t)got))
		return;
	mock_watch_set(stream->watch, 0);
	if (stream->end)
		mock_end_shutdown(stream->end);
}

/* ---- What the library asks ---- */

static bool stdio_open_upstream(struct stdio_stream *stream, const char *path, bool is_input)
{
	struct stat info;

	stream->fd = -1;
	if (!path || !*path)
		return true;
	if (is_input)
		stream->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	else if (stat(path, &info) == 0 && S_ISFIFO(info.st_mode))
		stream->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC); /* so that it does not matter when its reader comes */
	else
		stream->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (stream->fd < 0)
		return false;
	stream->watch = mock_watch_new(stream->relay->stdio->host->loop, stream->fd, 0,
				       is_input ? stdio_upstream_readable : stdio_upstream_writable, stream);
	return true;
}

static void stdio_free_relay(struct stdio_relay *relay)
{
	mock_stdio *stdio = relay->stdio;

	if (relay->is_init)
		stdio_find_place(stdio, relay->container_id, true)->bytes = relay->streams[1].delivered;
	for (struct stdio_relay **at = &stdio->relays; *at; at = &(*at)->next) {
		if (*at == relay) {
			*at = relay->next;
			break;
		}
	}
	for (int i = 0; i < 3; i++) {
		struct stdio_stream *stream = &relay->streams[i];

		if (stream->port)
			mock_vsock_unlisten(stdio->host->vsock, stream->port);
		if (stream->end)
			mock_end_close(stream->end);
		mock_watch_free(stream->watch);
		if (stream->fd >= 0)
			close(stream->fd);
		free(stream->pending);
	}
	mock_timer_free(relay->drain_timer);
	free(relay->container_id);
	free(relay);
}

static void stdio_serve_open(mock_call *job)
{
	mock_stdio *stdio = job->owner;
	const lcowmig_stdio_config *config = job->data;
	const char *const paths[3] = { config->stdin_path, config->stdout_path, config->stderr_path };
	struct stdio_relay *relay = mock_alloc(sizeof *relay);
	const struct stdio_place *place;

	relay->stdio = stdio;
	relay->container_id = mock_strdup(config->container_id);
	relay->is_init = !config->exec_id || !*config->exec_id;
	relay->drain_timer = mock_timer_new(stdio->host->loop, stdio_drain_over, relay);
	place = relay->is_init ? stdio_find_place(stdio, relay->container_id, false) : NULL;
	relay->streams[1].delivered = place ? place->bytes : 0;
	for (int i = 0; i < 3; i++) {
		relay->streams[i].relay = relay;
		relay->streams[i].fd = -1;
	}
	relay->next = stdio->relays;
	stdio->relays = relay;
	for (int i = 0; i < 3; i++) {
		if (!stdio_open_upstream(&relay->streams[i], paths[i], i == 0)) {
			mock_call_fail(job->call, 0x80070002u, "cannot open %s: %s", paths[i], strerror(errno));
			stdio_free_relay(relay);
			return;
		}
	}
	lcowmig_call_set_handle(job->call, relay);
	lcowmig_call_complete(job->call, LCOWMIG_OK);
}

static lcowmig_status stdio_open(void *user, lcowmig_call *call, const lcowmig_stdio_config *config)
{
	mock_stdio *stdio = user;

	return mock_call_later(stdio->host->loop, &(mock_call){ .owner = stdio, .call = call, .serve = stdio_serve_open, .data = config });
}

static void stdio_accepted(void *user, uint32_t port, mock_end *end)
{
	struct stdio_stream *stream = user;
	bool is_input = stream == &stream->relay->streams[0];

	(void)port;
	if (stream->end)
		mock_end_close(stream->end);
	stream->end = end;
	stream->place = 0;
	stream->n_place = 0;
	mock_end_take(end, is_input ? &stdio_input_ops : &stdio_output_ops, stream);
	if (is_input && stream->watch)
		mock_watch_set(stream->watch, POLLIN);
}

static void stdio_serve_attach(mock_call *job)
{
	struct stdio_relay *relay = job->object;
	const uint32_t *ports = job->data;

	for (int i = 0; i < 3; i++) {
		relay->streams[i].port = ports[i];
		if (ports[i])
			mock_vsock_listen(relay->stdio->host->vsock, ports[i], stdio_accepted, &relay->streams[i]);
	}
	lcowmig_call_complete(job->call, LCOWMIG_OK);
}

static lcowmig_status stdio_attach(void *user, lcowmig_call *call, void *relay, const uint32_t ports[3])
{
	mock_stdio *stdio = user;

	return mock_call_later(stdio->host->loop,
			       &(mock_call){ .owner = stdio, .call = call, .serve = stdio_serve_attach, .object = relay, .data = ports });
}

static void stdio_serve_drain(mock_call *job)
{
	struct stdio_relay *relay = job->object;

	relay->drain = job->call;
	mock_timer_set(relay->drain_timer, mock_now() + STDIO_DRAIN);
	stdio_check_drained(relay);
}

static lcowmig_status stdio_drain(void *user, lcowmig_call *call, void *relay)
{
	mock_stdio *stdio = user;

	return mock_call_later(stdio->host->loop,
			       &(mock_call){ .owner = stdio, .call = call, .serve = stdio_serve_drain, .object = relay });
}

static void stdio_serve_close_stdin(mock_call *job)
{
	struct stdio_stream *stream = &((struct stdio_relay *)job->object)->streams[0];

	if (stream->watch)
		mock_watch_set(stream->watch, 0);
	if (stream->end)
		mock_end_shutdown(stream->end);
}

static void stdio_close_stdin(void *user, void *relay)
{
	mock_stdio *stdio = user;

	mock_call_soon(stdio->host->loop, &(mock_call){ .owner = stdio, .serve = stdio_serve_close_stdin, .object = relay });
}

static void stdio_serve_close(mock_call *job)
{
	stdio_free_relay(job->object);
}

static void stdio_close(void *user, void *relay)
{
	mock_stdio *stdio = user;

	mock_call_soon(stdio->host->loop, &(mock_call){ .owner = stdio, .serve = stdio_serve_close, .object = relay });
}

mock_stdio *mock_stdio_new(mock_host *host)
{
	mock_stdio *stdio = mock_alloc(sizeof *stdio);

	stdio->host = host;
	return stdio;
}

void mock_stdio_free(mock_stdio *stdio)
{
	if (!stdio)
		return;
	while (stdio->relays)
		stdio_free_relay(stdio->relays);
	while (stdio->places) {
		struct stdio_place *place = stdio->places;

		stdio->places = place->next;
		free(place->container_id);
		free(place);
	}
	free(stdio);
}

void mock_stdio_fill_ops(mock_stdio *stdio, lcowmig_stdio_ops *ret_ops)
{
	*ret_ops = (lcowmig_stdio_ops){ sizeof *ret_ops, stdio, stdio_open, stdio_attach, stdio_drain, stdio_close_stdin, stdio_close };
}
