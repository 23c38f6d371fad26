/*
 * The virtual machine's sockets to its host: the host listens on ports, the guest dials them. Connections live in this process and carry
 * bytes through the loop; resetting the machine's vsock loses every connection with what was not read yet, as a blackout does.
 */
#ifndef MOCK_VSOCK_H
#define MOCK_VSOCK_H

#include "loop.h"

typedef struct mock_vsock mock_vsock;
typedef struct mock_end mock_end; /* one end of a connection */

typedef struct mock_end_ops {
	/* Bytes have come; called from the loop, never from inside another call. */
	void (*data)(void *user, mock_end *end, const uint8_t *bytes, size_t size);
	/* The other end will send no more; `lost`: and takes no more, bytes may be missing. The end must still be closed. */
	void (*over)(void *user, mock_end *end, bool lost);
} mock_end_ops;

/* A connection has come in: take it with mock_end_take or close it. */
typedef void (*mock_accept_fn)(void *user, uint32_t port, mock_end *end);

mock_vsock *mock_vsock_new(mock_loop *loop);
/* Whatever is still connected is closed first. */
void mock_vsock_free(mock_vsock *vsock);

/* One listener for a port; listening again replaces it. It stays until it is removed. */
void mock_vsock_listen(mock_vsock *vsock, uint32_t port, mock_accept_fn accepted, void *user);
void mock_vsock_unlisten(mock_vsock *vsock, uint32_t port);

/* The guest's side. NULL when nobody listens. The other end is handed to the listener before this returns. */
mock_end *mock_vsock_dial(mock_vsock *vsock, uint32_t port, const mock_end_ops *ops, void *user);
/* Loses every connection. */
void mock_vsock_reset(mock_vsock *vsock);

void mock_end_take(mock_end *end, const mock_end_ops *ops, void *user);
/* Copies the bytes towards the other end; false when the connection is lost. */
bool mock_end_write(mock_end *end, const void *bytes, size_t size);
/* Sends no more. */
void mock_end_shutdown(mock_end *end);
/* Ends the connection: the other end still reads what was written. `end` is gone. */
void mock_end_close(mock_end *end);
/* Bytes that wait to be read at the other end. */
size_t mock_end_backlog(const mock_end *end);

#endif
