/* Streams to the guest over one socket; see mux.h. */
#include "mux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "frame.h"

#define ASK_AGAIN (50 * MOCK_MS)

struct listener {
	struct listener *next;
	uint32_t port;
	qemu_accept_fn accepted;
	void *user;
};

struct qemu_stream {
	qemu_stream *next;
	qemu_mux *mux;
	const qemu_stream_ops *ops; /* NULL: nobody has taken it yet */
	void *user;
	uint32_t id;
	bool is_lost;
	bool is_closed; /* freed when nobody walks the list */
	uint8_t *kept;  /* what came before it was taken, or is about to be handed over */
	size_t n_kept;
	bool is_kept;   /* whatever comes now comes after that */
	bool is_over;   /* at the end of what is kept: no more will come */
};

struct qemu_mux {
	mock_loop *loop;
	int fd;
	mock_watch *watch;
	mock_timer *ask;
	struct frame_reader reader;
	uint8_t *out;
	size_t out_size;
	size_t out_capacity;
	bool is_in_epoch; /* the guest has answered */
	uint8_t nonce[FRAME_NONCE_SIZE];
	struct listener *listeners;
	qemu_stream *streams;
	int walking;
};

static void mux_want(qemu_mux *mux)
{
	if (mux->watch)
		mock_watch_set(mux->watch, (short)(POLLIN | (mux->out_size > 0 ? POLLOUT : 0)));
}

static void mux_flush(qemu_mux *mux)
{
	size_t done = 0;

	while (done < mux->out_size) {
		ssize_t n = write(mux->fd, mux->out + done, mux->out_size - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done > 0)
		memmove(mux->out, mux->out + done, mux->out_size - done);
	mux->out_size -= done;
	mux_want(mux);
}

static void mux_send(qemu_mux *mux, enum frame_kind kind, uint32_t stream, const void *payload, size_t size)
{
	struct frame frame = { kind, stream, payload, size };

	if (mux->fd < 0)
		return;
	if (mux->out_capacity - mux->out_size < FRAME_WIRE_MAX) {
		uint8_t *larger = mock_alloc(2 * mux->out_capacity + FRAME_WIRE_MAX);

		if (mux->out_size > 0)
			memcpy(larger, mux->out, mux->out_size);
		free(mux->out);
		mux->out = larger;
		mux->out_capacity = 2 * mux->out_capacity + FRAME_WIRE_MAX;
	}
	mux->out_size += frame_write(mux->out + mux->out_size, &frame);
	mux_want(mux);
}

static void stream_free(qemu_stream *stream)
{
	mock_loop_forget(stream->mux->loop, stream);
	free(stream->kept);
	free(stream);
}

static void stream_data(qemu_stream *stream, const uint8_t *bytes, size_t size)
{
	uint8_t *larger;

	if (!stream->is_kept) {
		stream->ops->data(stream->user, stream, bytes, size);
		return;
	}
	larger = mock_alloc(stream->n_kept + size);
	if (stream->n_kept > 0)
		memcpy(larger, stream->kept, stream->n_kept);
	memcpy(larger + stream->n_kept, bytes, size);
	free(stream->kept);
	stream->kept = larger;
	stream->n_kept += size;
}

static void stream_over(qemu_stream *stream)
{
	if (stream->is_kept)
		stream->is_over = true;
	else
		stream->ops->over(stream->user, stream, stream->is_lost);
}

static void stream_hand_over(void *user)
{
	qemu_stream *stream = user;
	qemu_mux *mux = stream->mux;

	if (stream->is_closed)
		return;
	mux->walking++;
	stream->is_kept = false;
	if (stream->n_kept > 0)
		stream->ops->data(stream->user, stream, stream->kept, stream->n_kept);
	if (stream->is_over && !stream->is_closed)
		stream->ops->over(stream->user, stream, stream->is_lost);
	mux->walking--;
}

static void mux_sweep(qemu_mux *mux)
{
	for (qemu_stream **at = &mux->streams; *at;) {
		qemu_stream *stream = *at;

		if (!stream->is_closed) {
			at = &stream->next;
			continue;
		}
		*at = stream->next;
		stream_free(stream);
	}
}

static void mux_lose_streams(qemu_mux *mux)
{
	mux->walking++;
	for (qemu_stream *stream = mux->streams; stream; stream = stream->next) {
		if (stream->is_lost)
			continue;
		stream->is_lost = true;
		if (!stream->is_closed)
			stream_over(stream);
	}
	mux->walking--;
	if (mux->walking == 0)
		mux_sweep(mux);
}

static struct listener **mux_place(qemu_mux *mux, uint32_t port)
{
	struct listener **at = &mux->listeners;

	while (*at && (*at)->port != port)
		at = &(*at)->next;
	return at;
}

static void mux_opened(qemu_mux *mux, const struct frame *frame)
{
	uint32_t port = frame->size == 4 ? frame_get_u32(frame->payload) : 0;
	struct listener *listener = *mux_place(mux, port);
	qemu_stream *stream;

	if (!listener) {
		mux_send(mux, FRAME_CLOSE, frame->stream, NULL, 0);
		return;
	}
	stream = mock_alloc(sizeof *stream);
	stream->mux = mux;
	stream->id = frame->stream;
	stream->is_kept = true;
	stream->next = mux->streams;
	mux->streams = stream;
	mux_send(mux, FRAME_ACCEPT, stream->id, NULL, 0);
	listener->accepted(listener->user, port, stream);
}

static void mux_take(void *user, const struct frame *frame)
{
	qemu_mux *mux = user;
	qemu_stream *stream = mux->streams;

	if (frame->kind == FRAME_EPOCH) {
		if (frame->size == FRAME_NONCE_SIZE && memcmp(frame->payload, mux->nonce, FRAME_NONCE_SIZE) == 0) {
			mux->is_in_epoch = true;
			mock_timer_stop(mux->ask);
		}
		return;
	}
	if (!mux->is_in_epoch)
		return;
	if (frame->kind == FRAME_OPEN) {
		mux_opened(mux, frame);
		return;
	}
	while (stream && (stream->id != frame->stream || stream->is_lost || stream->is_closed))
		stream = stream->next;
	if (!stream)
		return;
	if (frame->kind == FRAME_DATA) {
		stream_data(stream, frame->payload, frame->size);
	} else if (frame->kind == FRAME_SHUT) {
		stream_over(stream);
	} else if (frame->kind == FRAME_CLOSE) {
		stream->is_lost = true;
		stream_over(stream);
	}
}

static void mux_ready(void *user, short events)
{
	qemu_mux *mux = user;
	uint8_t bytes[65536];
	ssize_t n;

	if (events & POLLOUT)
		mux_flush(mux);
	n = read(mux->fd, bytes, sizeof bytes);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		qemu_mux_disconnect(mux);
		return;
	}
	if (n < 0)
		return;
	mux->walking++;
	frame_read(&mux->reader, bytes, (size_t)n, mux_take, mux);
	mux->walking--;
	if (mux->walking == 0)
		mux_sweep(mux);
}

static void mux_ask(void *user)
{
	qemu_mux *mux = user;

	mux_send(mux, FRAME_EPOCH, 0, mux->nonce, FRAME_NONCE_SIZE);
	mock_timer_set(mux->ask, mock_now() + ASK_AGAIN);
}

qemu_mux *qemu_mux_new(mock_loop *loop)
{
	qemu_mux *mux = mock_alloc(sizeof *mux);

	mux->loop = loop;
	mux->fd = -1;
	mux->ask = mock_timer_new(loop, mux_ask, mux);
	return mux;
}

void qemu_mux_free(qemu_mux *mux)
{
	if (!mux)
		return;
	qemu_mux_disconnect(mux);
	while (mux->streams) {
		mux->streams->is_closed = true;
		mux_sweep(mux);
	}
	while (mux->listeners)
		qemu_mux_unlisten(mux, mux->listeners->port);
	mock_timer_free(mux->ask);
	free(mux->out);
	free(mux);
}

void qemu_mux_connect(qemu_mux *mux, int fd)
{
	qemu_mux_disconnect(mux);
	mux->fd = fd;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	mux->watch = mock_watch_new(mux->loop, fd, POLLIN, mux_ready, mux);
}

void qemu_mux_begin(qemu_mux *mux)
{
	mux_lose_streams(mux);
	mux->is_in_epoch = false;
	if (getrandom(mux->nonce, sizeof mux->nonce, 0) != (ssize_t)sizeof mux->nonce)
		abort();
	mux_ask(mux);
}

void qemu_mux_disconnect(qemu_mux *mux)
{
	if (mux->fd < 0)
		return;
	mock_watch_free(mux->watch);
	mux->watch = NULL;
	close(mux->fd);
	mux->fd = -1;
	mux->out_size = 0;
	mux->is_in_epoch = false;
	mock_timer_stop(mux->ask);
	memset(&mux->reader, 0, sizeof mux->reader);
	mux_lose_streams(mux);
}

void qemu_mux_listen(qemu_mux *mux, uint32_t port, qemu_accept_fn accepted, void *user)
{
	struct listener **at = mux_place(mux, port);

	if (!*at) {
		*at = mock_alloc(sizeof **at);
		(*at)->port = port;
	}
	(*at)->accepted = accepted;
	(*at)->user = user;
}

void qemu_mux_unlisten(qemu_mux *mux, uint32_t port)
{
	struct listener **at = mux_place(mux, port);
	struct listener *listener = *at;

	if (listener) {
		*at = listener->next;
		free(listener);
	}
}

void qemu_stream_take(qemu_stream *stream, const qemu_stream_ops *ops, void *user)
{
	stream->ops = ops;
	stream->user = user;
	mock_loop_post(stream->mux->loop, stream_hand_over, stream);
}

bool qemu_stream_is_lost(const qemu_stream *stream)
{
	return stream->is_lost;
}

bool qemu_stream_write(qemu_stream *stream, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size > 0 && !stream->is_lost) {
		size_t part = size < FRAME_PAYLOAD_MAX ? size : FRAME_PAYLOAD_MAX;

		mux_send(stream->mux, FRAME_DATA, stream->id, at, part);
		at += part;
		size -= part;
	}
	return !stream->is_lost;
}

void qemu_stream_shutdown(qemu_stream *stream)
{
	if (!stream->is_lost)
		mux_send(stream->mux, FRAME_SHUT, stream->id, NULL, 0);
}

void qemu_stream_close(qemu_stream *stream)
{
	qemu_mux *mux = stream->mux;

	if (!stream->is_lost)
		mux_send(mux, FRAME_CLOSE, stream->id, NULL, 0);
	stream->is_lost = true;
	stream->is_closed = true;
	if (mux->walking == 0)
		mux_sweep(mux);
}
