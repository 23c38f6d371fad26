#include "streams.h"

#include <stdlib.h>

#define STREAMS_PORTS 8

/* What the library holds as a handle: a listener, or a connection. */
typedef struct handle {
	streams *owner;
	uint32_t port;        /* a listener's; 0: a connection */
	mock_end *end;        /* a connection's; or one that came to a listener and was not accepted yet */
	lcowmig_call *accept; /* a listener's, while it waits for a connection */
} handle;

struct streams {
	mock_vsock *vsock;
	lcowmig_gcs *gcs;
	handle *listeners[STREAMS_PORTS];
};

static void connection_data(void *user, mock_end *end, const uint8_t *bytes, size_t size)
{
	handle *connection = user;

	lcowmig_gcs_receive(connection->owner->gcs, connection, bytes, size);
}

/* The handle lives until the library closes it. */
static void connection_over(void *user, mock_end *end, bool lost)
{
	handle *connection = user;

	connection->end = NULL;
	mock_end_close(end);
	lcowmig_gcs_receive_end(connection->owner->gcs, connection, lost ? LCOWMIG_E_UNAVAILABLE : LCOWMIG_OK);
}

static const mock_end_ops connection_ops = { connection_data, connection_over };

static void listener_hand_over(handle *listener)
{
	lcowmig_call *call = listener->accept;
	handle *connection = mock_alloc(sizeof *connection);

	connection->owner = listener->owner;
	connection->end = listener->end;
	listener->end = NULL;
	listener->accept = NULL;
	mock_end_take(connection->end, &connection_ops, connection);
	lcowmig_call_set_handle(call, connection);
	lcowmig_call_complete(call, LCOWMIG_OK);
}

/* The guest has dialled. A newer connection replaces one that nobody has accepted. */
static void listener_dialled(void *user, uint32_t port, mock_end *end)
{
	handle *listener = user;

	if (listener->end)
		mock_end_close(listener->end);
	listener->end = end;
	if (listener->accept)
		listener_hand_over(listener);
}

static handle **streams_slot(streams *self, uint32_t port)
{
	for (int i = 0; i < STREAMS_PORTS; i++)
		if (self->listeners[i] && self->listeners[i]->port == port)
			return &self->listeners[i];
	return NULL;
}

static lcowmig_status streams_listen(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	streams *self = user;

	if (streams_slot(self, port))
		return LCOWMIG_OK;
	for (int i = 0; i < STREAMS_PORTS; i++) {
		handle *listener;

		if (self->listeners[i])
			continue;
		self->listeners[i] = listener = mock_alloc(sizeof *listener);
		listener->owner = self;
		listener->port = port;
		mock_vsock_listen(self->vsock, port, listener_dialled, listener);
		lcowmig_call_set_handle(call, listener);
		return LCOWMIG_OK;
	}
	lcowmig_call_set_error(call, 0, "all listeners are in use");
	return LCOWMIG_E_HOST_FAILED;
}

/* The one callback that takes its time. */
static lcowmig_status streams_accept(void *user, lcowmig_call *call, uint32_t port)
{
	handle **slot = streams_slot(user, port);

	if (!slot || (*slot)->accept) {
		lcowmig_call_set_error(call, 0, "nothing listens on this port");
		return LCOWMIG_E_HOST_FAILED;
	}
	(*slot)->accept = call;
	if ((*slot)->end)
		listener_hand_over(*slot);
	return LCOWMIG_PENDING;
}

/* The mock takes any number of bytes at once; with sockets this is where a full buffer keeps the call pending. */
static lcowmig_status streams_send(void *user, lcowmig_call *call, void *stream, const uint8_t *bytes, size_t size)
{
	handle *connection = stream;

	if (connection->end && mock_end_write(connection->end, bytes, size))
		return LCOWMIG_OK;
	lcowmig_call_set_error(call, 0, "the connection to the guest is lost");
	return LCOWMIG_E_HOST_FAILED;
}

static void streams_close(void *user, void *closed)
{
	streams *self = user;
	handle *gone = closed;
	lcowmig_call *accept = gone->accept;

	if (gone->port) {
		mock_vsock_unlisten(self->vsock, gone->port);
		*streams_slot(self, gone->port) = NULL;
	}
	if (gone->end)
		mock_end_close(gone->end);
	free(gone);
	if (accept)
		lcowmig_call_complete(accept, LCOWMIG_E_CANCELLED);
}

streams *streams_new(mock_vsock *vsock)
{
	streams *self = mock_alloc(sizeof *self);

	self->vsock = vsock;
	return self;
}

void streams_free(streams *self)
{
	free(self);
}

void streams_fill_ops(streams *self, lcowmig_stream_ops *ret_ops)
{
	*ret_ops = (lcowmig_stream_ops){ sizeof *ret_ops, self, streams_listen, streams_accept, streams_send, streams_close };
}

void streams_set_bridge(streams *self, lcowmig_gcs *gcs)
{
	self->gcs = gcs;
}
