/*
 * The host's side of frame.h: what vsock would be on Hyper-V. The host listens on ports, the guest dials. It outlives machines: listeners may
 * be there before the machine is, and a machine that goes away loses its streams only.
 */
#ifndef QEMU_MUX_H
#define QEMU_MUX_H

#include "loop.h"

typedef struct qemu_mux qemu_mux;
typedef struct qemu_stream qemu_stream;

typedef struct qemu_stream_ops {
	void (*data)(void *user, qemu_stream *stream, const uint8_t *bytes, size_t size);
	/* The guest will send no more; `lost`: and takes no more. The stream must still be closed. */
	void (*over)(void *user, qemu_stream *stream, bool lost);
} qemu_stream_ops;

/* The guest has dialled: take the stream, sooner or later, or close it. What comes before it is taken is kept. */
typedef void (*qemu_accept_fn)(void *user, uint32_t port, qemu_stream *stream);

qemu_mux *qemu_mux_new(mock_loop *loop);
void qemu_mux_free(qemu_mux *mux);

/* The other end of `fd` (taken) is a machine's port. Nothing is heard from it before qemu_mux_begin. */
void qemu_mux_connect(qemu_mux *mux, int fd);
/* Begins an epoch: asks the guest, until it answers, to forget all streams and to dial again. */
void qemu_mux_begin(qemu_mux *mux);
/* The machine is gone: every stream is lost. */
void qemu_mux_disconnect(qemu_mux *mux);

/* One listener for a port; listening again replaces it. */
void qemu_mux_listen(qemu_mux *mux, uint32_t port, qemu_accept_fn accepted, void *user);
void qemu_mux_unlisten(qemu_mux *mux, uint32_t port);

/* Callbacks come from the loop, never before this returns. */
void qemu_stream_take(qemu_stream *stream, const qemu_stream_ops *ops, void *user);
bool qemu_stream_is_lost(const qemu_stream *stream);
/* Copies; false when the stream is lost. */
bool qemu_stream_write(qemu_stream *stream, const void *bytes, size_t size);
void qemu_stream_shutdown(qemu_stream *stream);
/* `stream` is gone. */
void qemu_stream_close(qemu_stream *stream);

#endif
