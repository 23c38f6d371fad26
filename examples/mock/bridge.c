/* Byte streams for lcowmig_gcs: its four callbacks over the mock's vsock. */
#include "host_internal.h"

#include <stdlib.h>

/* What the library holds as a handle is one of two things. */
struct bridge_handle {
	struct bridge_handle *next;
	mock_bridge *bridge;
	uint32_t port;
	bool is_listener;
	mock_end *end;        /* a stream's; NULL when it is lost */
	mock_end *waiting;    /* a listener's connection that nobody has accepted yet */
	lcowmig_call *accept; /* a listener's, while it waits for a connection */
};

struct mock_bridge {
	mock_host *host;
	struct bridge_handle *handles;
};

static void bridge_stream_data(void *user, mock_end *end, const uint8_t *bytes, size_t size)
{
	struct bridge_handle *stream = user;

	(void)end;
	lcowmig_gcs_receive(stream->bridge->host->gcs, stream, bytes, size);
}

static void bridge_stream_over(void *user, mock_end *end, bool lost)
{
	struct bridge_handle *stream = user;

	stream->end = NULL;
	mock_end_close(end);
	lcowmig_gcs_receive_end(stream->bridge->host->gcs, stream, lost ? LCOWMIG_E_UNAVAILABLE : LCOWMIG_OK);
}

static const mock_end_ops bridge_stream_ops = { bridge_stream_data, bridge_stream_over };

static struct bridge_handle *bridge_add(mock_bridge *bridge, uint32_t port, bool is_listener)
{
	struct bridge_handle *handle = mock_alloc(sizeof *handle);

	handle->bridge = bridge;
	handle->port = port;
	handle->is_listener = is_listener;
	handle->next = bridge->handles;
	bridge->handles = handle;
	return handle;
}

static void bridge_drop(struct bridge_handle *handle)
{
	for (struct bridge_handle **at = &handle->bridge->handles; *at; at = &(*at)->next) {
		if (*at == handle) {
			*at = handle->next;
			break;
		}
	}
	free(handle);
}

static void bridge_hand_over(struct bridge_handle *listener)
{
	lcowmig_call *call = listener->accept;
	struct bridge_handle *stream = bridge_add(listener->bridge, listener->port, false);

	stream->end = listener->waiting;
	listener->accept = NULL;
	listener->waiting = NULL;
	mock_end_take(stream->end, &bridge_stream_ops, stream);
	lcowmig_call_set_handle(call, stream);
	lcowmig_call_complete(call, LCOWMIG_OK);
}

/* One connection is wanted; a newer one replaces an older one that nobody has taken. */
static void bridge_accepted(void *user, uint32_t port, mock_end *end)
{
	struct bridge_handle *listener = user;

	(void)port;
	if (listener->waiting)
		mock_end_close(listener->waiting);
	listener->waiting = end;
	if (listener->accept)
		bridge_hand_over(listener);
}

static struct bridge_handle *bridge_find_listener(mock_bridge *bridge, uint32_t port)
{
	struct bridge_handle *handle = bridge->handles;

	while (handle && !(handle->is_listener && handle->port == port))
		handle = handle->next;
	return handle;
}

static void bridge_serve_listen(mock_call *job)
{
	mock_bridge *bridge = job->owner;
	struct bridge_handle *listener;

	if (!bridge_find_listener(bridge, job->number)) {
		listener = bridge_add(bridge, job->number, true);
		mock_vsock_listen(bridge->host->vsock, job->number, bridge_accepted, listener);
		lcowmig_call_set_handle(job->call, listener);
	}
	lcowmig_call_complete(job->call, LCOWMIG_OK);
}

static lcowmig_status bridge_listen(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	mock_bridge *bridge = user;

	(void)runtime_id; /* this host has one machine */
	return mock_call_later(bridge->host->loop,
			       &(mock_call){ .owner = bridge, .call = call, .serve = bridge_serve_listen, .number = port });
}

static void bridge_serve_accept(mock_call *job)
{
	struct bridge_handle *listener = bridge_find_listener(job->owner, job->number);

	if (!listener || listener->accept) {
		mock_call_fail(job->call, 0, "nothing listens on vsock port %u", (unsigned)job->number);
		return;
	}
	listener->accept = job->call;
	if (listener->waiting)
		bridge_hand_over(listener);
}

static lcowmig_status bridge_accept(void *user, lcowmig_call *call, uint32_t port)
{
	mock_bridge *bridge = user;

	return mock_call_later(bridge->host->loop,
			       &(mock_call){ .owner = bridge, .call = call, .serve = bridge_serve_accept, .number = port });
}

static void bridge_serve_send(mock_call *job)
{
	struct bridge_handle *stream = job->object;

	if (stream->end && mock_end_write(stream->end, job->data, job->size))
		lcowmig_call_complete(job->call, LCOWMIG_OK);
	else
		mock_call_fail(job->call, 0, "the connection to the guest is lost");
}

static lcowmig_status bridge_send(void *user, lcowmig_call *call, void *stream, const uint8_t *bytes, size_t size)
{
	mock_bridge *bridge = user;

	return mock_call_later(
		bridge->host->loop,
		&(mock_call){ .owner = bridge, .call = call, .serve = bridge_serve_send, .object = stream, .data = bytes, .size = size });
}

static void bridge_serve_close(mock_call *job)
{
	struct bridge_handle *handle = job->object;
	lcowmig_call *accept = handle->accept;

	if (handle->is_listener)
		mock_vsock_unlisten(handle->bridge->host->vsock, handle->port);
	if (handle->waiting)
		mock_end_close(handle->waiting);
	if (handle->end)
		mock_end_close(handle->end);
	bridge_drop(handle);
	if (accept)
		lcowmig_call_complete(accept, LCOWMIG_E_CANCELLED);
}

static void bridge_close(void *user, void *handle)
{
	mock_bridge *bridge = user;

	mock_call_soon(bridge->host->loop, &(mock_call){ .owner = bridge, .serve = bridge_serve_close, .object = handle });
}

mock_bridge *mock_bridge_new(mock_host *host)
{
	mock_bridge *bridge = mock_alloc(sizeof *bridge);

	bridge->host = host;
	return bridge;
}

void mock_bridge_free(mock_bridge *bridge)
{
	if (!bridge)
		return;
	while (bridge->handles)
		bridge_drop(bridge->handles);
	free(bridge);
}

void mock_bridge_fill_ops(mock_bridge *bridge, lcowmig_stream_ops *ret_ops)
{
	*ret_ops = (lcowmig_stream_ops){ sizeof *ret_ops, bridge, bridge_listen, bridge_accept, bridge_send, bridge_close };
}
