/*
 * Stdio relays: what a process prints is appended to the file that was named for it; what is in the file named for its stdin goes to the process.
 * The guest repeats its last output when it connects again, also to another host; what the file ends with is found in it and not written twice.
 */
#include "host_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "join.h"

struct stdio_stream {
	struct stdio *owner;
	int number;
	int fd; /* of the file; -1: not used */
	uint32_t port;
	qemu_stream *stream;
	struct join *join; /* while it is not known where new output begins */
};

struct stdio {
	qemu_host *host;
	struct stdio_stream streams[3];
	lcowmig_call *drain;
};

static void stdio_write(struct stdio_stream *stream, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(stream->fd, bytes, size);

		if (n <= 0)
			return;
		bytes += n;
		size -= (size_t)n;
	}
}

static void stdio_settle_drain(struct stdio *stdio)
{
	lcowmig_call *drain = stdio->drain;

	if (!drain || stdio->streams[1].stream || stdio->streams[2].stream)
		return;
	stdio->drain = NULL;
	lcowmig_call_complete(drain, LCOWMIG_OK);
}

static void stdio_data(void *user, qemu_stream *end, const uint8_t *bytes, size_t size)
{
	struct stdio_stream *stream = user;
	const uint8_t *fresh = bytes;
	size_t n_fresh = size;

	(void)end;
	if (stream->number == 0)
		return;
	if (!stream->join) {
		stdio_write(stream, bytes, size);
		return;
	}
	if (join_feed(stream->join, bytes, size, &fresh, &n_fresh)) {
		stdio_write(stream, fresh, n_fresh);
		join_free(stream->join);
		stream->join = NULL;
	}
}

static void stdio_over(void *user, qemu_stream *end, bool lost)
{
	struct stdio_stream *stream = user;
	const uint8_t *fresh;
	size_t n_fresh;

	(void)lost;
	if (stream->join) {
		join_end(stream->join, &fresh, &n_fresh);
		stdio_write(stream, fresh, n_fresh);
		join_free(stream->join);
		stream->join = NULL;
	}
	stream->stream = NULL;
	qemu_stream_close(end);
	stdio_settle_drain(stream->owner);
}

/* Stdin is a file: all of it, then its end. */
static void stdio_send_input(struct stdio_stream *stream)
{
	uint8_t bytes[8192];
	ssize_t n;

	while (stream->fd >= 0 && (n = read(stream->fd, bytes, sizeof bytes)) > 0)
		qemu_stream_write(stream->stream, bytes, (size_t)n);
	qemu_stream_shutdown(stream->stream);
}

static void stdio_accepted(void *user, uint32_t port, qemu_stream *end)
{
	static const qemu_stream_ops ops = { stdio_data, stdio_over };
	struct stdio_stream *stream = user;

	(void)port;
	if (stream->stream)
		qemu_stream_close(stream->stream); /* a newer connection replaces an older one */
	join_free(stream->join);
	stream->stream = end;
	stream->join = stream->number > 0 ? join_new(stream->fd) : NULL;
	qemu_stream_take(end, &ops, stream);
	if (stream->number == 0)
		stdio_send_input(stream);
}

static int stdio_open_file(const char *path, int number)
{
	return number == 0 ? open(path, O_RDONLY | O_CLOEXEC) : open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static lcowmig_status stdio_open(void *user, lcowmig_call *call, const lcowmig_stdio_config *config)
{
	const char *const paths[3] = { config->stdin_path, config->stdout_path, config->stderr_path };
	struct stdio *stdio = mock_alloc(sizeof *stdio);

	stdio->host = user;
	for (int i = 0; i < 3; i++) {
		stdio->streams[i].owner = stdio;
		stdio->streams[i].number = i;
		stdio->streams[i].fd = *paths[i] ? stdio_open_file(paths[i], i) : -1;
		if (*paths[i] && stdio->streams[i].fd < 0) {
			lcowmig_status status = host_fail(call, 0, "%s cannot be opened: %s", paths[i], strerror(errno));

			while (i-- > 0)
				close(stdio->streams[i].fd);
			free(stdio);
			return status;
		}
	}
	lcowmig_call_set_handle(call, stdio);
	return LCOWMIG_OK;
}

static lcowmig_status stdio_attach(void *user, lcowmig_call *call, void *handle, const uint32_t ports[3])
{
	struct stdio *stdio = handle;
	qemu_host *host = user;

	(void)call;
	for (int i = 0; i < 3; i++) {
		stdio->streams[i].port = ports[i];
		if (ports[i] != 0)
			qemu_mux_listen(host->mux, ports[i], stdio_accepted, &stdio->streams[i]);
	}
	return LCOWMIG_OK;
}

static lcowmig_status stdio_drain(void *user, lcowmig_call *call, void *handle)
{
	struct stdio *stdio = handle;

	(void)user;
	if (!stdio->streams[1].stream && !stdio->streams[2].stream)
		return LCOWMIG_OK;
	stdio->drain = call;
	return LCOWMIG_PENDING;
}

static void stdio_close_stdin(void *user, void *handle)
{
	struct stdio_stream *stream = &((struct stdio *)handle)->streams[0];

	(void)user;
	if (stream->stream)
		qemu_stream_shutdown(stream->stream);
}

static void stdio_close(void *user, void *handle)
{
	struct stdio *stdio = handle;
	lcowmig_call *drain = stdio->drain;

	(void)user;
	for (int i = 0; i < 3; i++) {
		struct stdio_stream *stream = &stdio->streams[i];

		if (stream->port != 0)
			qemu_mux_unlisten(stdio->host->mux, stream->port);
		if (stream->stream)
			qemu_stream_close(stream->stream);
		join_free(stream->join);
		if (stream->fd >= 0)
			close(stream->fd);
	}
	free(stdio);
	if (drain)
		lcowmig_call_complete(drain, LCOWMIG_E_CANCELLED);
}

void stdio_fill_ops(qemu_host *host, lcowmig_stdio_ops *ret_ops)
{
	*ret_ops = (lcowmig_stdio_ops){ .size = sizeof *ret_ops,
		                        .user = host,
		                        .open = stdio_open,
		                        .attach = stdio_attach,
		                        .drain = stdio_drain,
		                        .close_stdin = stdio_close_stdin,
		                        .close = stdio_close };
}
