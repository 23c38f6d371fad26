/*
 * The guest's side of frame.h: streams to the host, as vsock would give them. A stream belongs to one epoch of the connection; when the
 * machine finds itself on another host, all of them are lost at once and their owners dial again.
 */
#ifndef GUEST_MUX_H
#define GUEST_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;

enum stream_end {
	STREAM_SHUT,   /* the host will send no more, but may take what is sent */
	STREAM_CLOSED, /* by the host, or nobody listens there */
	STREAM_LOST    /* the epoch has ended */
};

struct stream_ops {
	void (*open)(void *user); /* the host has accepted */
	void (*data)(void *user, const uint8_t *bytes, size_t size);
	void (*over)(void *user, enum stream_end how); /* it must still be closed */
};

/* Looks for the port, which may not be there yet, and for a host behind it. */
void mux_start(void);

/* NULL when there is no host. */
struct stream *mux_dial(uint32_t port, const struct stream_ops *ops, void *user);
void stream_send(struct stream *stream, const void *bytes, size_t size);
void stream_shut(struct stream *stream);
/* NULL is fine. */
void stream_close(struct stream *stream);

/* False while so much waits to be taken by the host that nothing should be added. */
bool mux_has_room(void);

#endif
