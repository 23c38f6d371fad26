/* Streams over one virtio-serial port; see mux.h. */
#include "mux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../frame.h"
#include "json.h"
#include "loop.h"

#define PORT_NAME "lcow.mux"
#define ROOM (1u << 20)
#define RETRY_MS 20

struct stream {
	struct stream *next;
	const struct stream_ops *ops; /* NULL: closed by its owner, and freed when nobody walks the list */
	void *user;
	uint32_t id;
	bool is_lost;
};

static struct {
	int fd;
	struct watch *watch;
	struct timer retry;
	struct frame_reader reader;
	struct text out; /* wire bytes; the first out_at of them are written */
	size_t out_at;
	bool has_epoch;
	uint8_t nonce[FRAME_NONCE_SIZE];
	uint32_t next_id;
	struct stream *streams;
	int walking;
} mux = { .fd = -1 };

static void mux_want(void)
{
	if (mux.watch)
		mux.watch->events = (short)(mux.retry.at >= 0 ? 0 : POLLIN | (mux.out.size > mux.out_at ? POLLOUT : 0));
}

static void mux_flush(void)
{
	while (mux.out.size > mux.out_at) {
		ssize_t n = write(mux.fd, mux.out.bytes + mux.out_at, mux.out.size - mux.out_at);

		if (n <= 0)
			break;
		mux.out_at += (size_t)n;
	}
	if (mux.out_at == mux.out.size) {
		mux.out.size = 0;
		mux.out_at = 0;
	}
	mux_want();
}

static void mux_send(enum frame_kind kind, uint32_t stream, const void *payload, size_t size)
{
	uint8_t wire[FRAME_WIRE_MAX];
	struct frame frame = { kind, stream, payload, size };

	text_add(&mux.out, wire, frame_write(wire, &frame));
	mux_want();
}

static void mux_sweep(void)
{
	for (struct stream **at = &mux.streams; *at;) {
		struct stream *stream = *at;

		if (stream->ops) {
			at = &stream->next;
			continue;
		}
		*at = stream->next;
		free(stream);
	}
}

/* Another host, or the same one after a gap: the streams do not go on. What was queued for the old one is dropped with them. */
static void mux_begin_epoch(const uint8_t *nonce)
{
	bool is_new = !mux.has_epoch || memcmp(nonce, mux.nonce, sizeof mux.nonce) != 0;

	if (is_new) {
		mux.has_epoch = true;
		memcpy(mux.nonce, nonce, sizeof mux.nonce);
		mux.out.size = 0;
		mux.out_at = 0;
	}
	mux_send(FRAME_EPOCH, 0, nonce, FRAME_NONCE_SIZE);
	if (is_new) {
		mux.walking++;
		for (struct stream *stream = mux.streams; stream; stream = stream->next) {
			if (!stream->ops || stream->is_lost)
				continue;
			stream->is_lost = true;
			stream->ops->over(stream->user, STREAM_LOST);
		}
		mux.walking--;
	}
}

static void mux_take(void *user, const struct frame *frame)
{
	struct stream *stream = mux.streams;

	(void)user;
	if (frame->kind == FRAME_EPOCH && frame->size == FRAME_NONCE_SIZE) {
		mux_begin_epoch(frame->payload);
		return;
	}
	while (stream && !(stream->id == frame->stream && stream->ops && !stream->is_lost))
		stream = stream->next;
	if (!stream)
		return;
	if (frame->kind == FRAME_ACCEPT) {
		stream->ops->open(stream->user);
	} else if (frame->kind == FRAME_DATA) {
		stream->ops->data(stream->user, frame->payload, frame->size);
	} else if (frame->kind == FRAME_SHUT) {
		stream->ops->over(stream->user, STREAM_SHUT);
	} else if (frame->kind == FRAME_CLOSE) {
		stream->is_lost = true;
		stream->ops->over(stream->user, STREAM_CLOSED);
	}
}

static void mux_ready(void *user)
{
	uint8_t bytes[16384];
	ssize_t n;

	(void)user;
	if (mux.watch->found & POLLHUP && !(mux.watch->found & POLLIN)) { /* no host behind the port */
		loop_set(&mux.retry, loop_now() + RETRY_MS);
		mux_want();
		return;
	}
	n = read(mux.fd, bytes, sizeof bytes);
	if (n > 0) {
		mux.walking++;
		frame_read(&mux.reader, bytes, (size_t)n, mux_take, NULL);
		mux.walking--;
		mux_sweep();
	}
	mux_flush();
}

static bool mux_find_port(char *path, size_t size)
{
	DIR *directory = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory))) {
		char name[64] = "";
		FILE *file;

		snprintf(path, size, "/sys/class/virtio-ports/%.64s/name", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		found = fgets(name, sizeof name, file) && strncmp(name, PORT_NAME, strlen(PORT_NAME)) == 0;
		fclose(file);
		snprintf(path, size, "/dev/%.64s", entry->d_name);
	}
	if (directory)
		closedir(directory);
	return found;
}

static void mux_retry(void *user)
{
	char path[128];

	(void)user;
	if (mux.fd < 0 && mux_find_port(path, sizeof path))
		mux.fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (mux.fd < 0) {
		loop_set(&mux.retry, loop_now() + RETRY_MS);
		return;
	}
	if (!mux.watch)
		mux.watch = loop_watch(mux.fd, POLLIN, mux_ready, NULL);
	mux_want();
}

void mux_start(void)
{
	mux.retry.fn = mux_retry;
	mux.retry.at = -1;
	mux_retry(NULL);
}

struct stream *mux_dial(uint32_t port, const struct stream_ops *ops, void *user)
{
	uint8_t payload[4];
	struct stream *stream;

	if (!mux.has_epoch)
		return NULL;
	stream = guest_alloc(sizeof *stream);
	stream->ops = ops;
	stream->user = user;
	stream->id = ++mux.next_id;
	stream->next = mux.streams;
	mux.streams = stream;
	frame_put_u32(payload, port);
	mux_send(FRAME_OPEN, stream->id, payload, sizeof payload);
	return stream;
}

void stream_send(struct stream *stream, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size > 0 && !stream->is_lost) {
		size_t part = size < FRAME_PAYLOAD_MAX ? size : FRAME_PAYLOAD_MAX;

		mux_send(FRAME_DATA, stream->id, at, part);
		at += part;
		size -= part;
	}
}

void stream_shut(struct stream *stream)
{
	if (!stream->is_lost)
		mux_send(FRAME_SHUT, stream->id, NULL, 0);
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	if (!stream->is_lost)
		mux_send(FRAME_CLOSE, stream->id, NULL, 0);
	stream->is_lost = true;
	stream->ops = NULL;
	if (mux.walking == 0)
		mux_sweep();
}

bool mux_has_room(void)
{
	return mux.out.size - mux.out_at < ROOM;
}
