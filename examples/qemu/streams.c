/* Byte streams for lcowmig_gcs: its four callbacks over mux.h. */
#include "host_internal.h"

#include <stdlib.h>

/* What the library holds as a handle is one of two things. */
struct stream_handle {
	struct stream_handle *next;
	qemu_host *host;
	uint32_t port;
	bool is_listener;
	qemu_stream *stream;  /* a stream's; NULL when it is lost */
	qemu_stream *waiting; /* a listener's connection that nobody has accepted yet */
	lcowmig_call *accept; /* a listener's, while it waits for a connection */
};

static void streams_data(void *user, qemu_stream *stream, const uint8_t *bytes, size_t size)
{
	struct stream_handle *handle = user;

	(void)stream;
	lcowmig_gcs_receive(handle->host->gcs, handle, bytes, size);
}

static void streams_over(void *user, qemu_stream *stream, bool lost)
{
	struct stream_handle *handle = user;

	handle->stream = NULL;
	qemu_stream_close(stream);
	lcowmig_gcs_receive_end(handle->host->gcs, handle, lost ? LCOWMIG_E_UNAVAILABLE : LCOWMIG_OK);
}

static struct stream_handle *streams_add(qemu_host *host, uint32_t port, bool is_listener)
{
	struct stream_handle *handle = mock_alloc(sizeof *handle);

	handle->host = host;
	handle->port = port;
	handle->is_listener = is_listener;
	handle->next = host->handles;
	host->handles = handle;
	return handle;
}

static void streams_hand_over(struct stream_handle *listener)
{
	static const qemu_stream_ops ops = { streams_data, streams_over };
	lcowmig_call *call = listener->accept;
	struct stream_handle *handle = streams_add(listener->host, listener->port, false);

	handle->stream = listener->waiting;
	listener->accept = NULL;
	listener->waiting = NULL;
	qemu_stream_take(handle->stream, &ops, handle);
	lcowmig_call_set_handle(call, handle);
	lcowmig_call_complete(call, LCOWMIG_OK);
}

/* One connection is wanted; a newer one replaces an older one that nobody has taken. */
static void streams_accepted(void *user, uint32_t port, qemu_stream *stream)
{
	struct stream_handle *listener = user;

	(void)port;
	if (listener->waiting)
		qemu_stream_close(listener->waiting);
	listener->waiting = stream;
	if (listener->accept)
		streams_hand_over(listener);
}

static struct stream_handle *streams_find_listener(qemu_host *host, uint32_t port)
{
	struct stream_handle *handle = host->handles;

	while (handle && !(handle->is_listener && handle->port == port))
		handle = handle->next;
	return handle;
}

static lcowmig_status streams_listen(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	qemu_host *host = user;
	struct stream_handle *listener;

	(void)runtime_id; /* this host has one machine */
	if (streams_find_listener(host, port))
		return LCOWMIG_OK;
	listener = streams_add(host, port, true);
	qemu_mux_listen(host->mux, port, streams_accepted, listener);
	lcowmig_call_set_handle(call, listener);
	return LCOWMIG_OK;
}

static lcowmig_status streams_accept(void *user, lcowmig_call *call, uint32_t port)
{
	struct stream_handle *listener = streams_find_listener(user, port);

	if (!listener || listener->accept)
		return host_fail(call, 0, "nothing listens on port %u", (unsigned)port);
	listener->accept = call;
	if (listener->waiting && qemu_stream_is_lost(listener->waiting)) {
		qemu_stream_close(listener->waiting);
		listener->waiting = NULL;
	}
	if (listener->waiting)
		streams_hand_over(listener);
	return LCOWMIG_PENDING;
}

static lcowmig_status streams_send(void *user, lcowmig_call *call, void *stream, const uint8_t *bytes, size_t size)
{
	struct stream_handle *handle = stream;

	(void)user;
	if (!handle->stream || !qemu_stream_write(handle->stream, bytes, size))
		return host_fail(call, 0, "the connection to the guest is lost");
	return LCOWMIG_OK;
}

static void streams_drop(struct stream_handle *handle)
{
	for (struct stream_handle **at = &handle->host->handles; *at; at = &(*at)->next) {
		if (*at == handle) {
			*at = handle->next;
			break;
		}
	}
	if (handle->is_listener)
		qemu_mux_unlisten(handle->host->mux, handle->port);
	if (handle->waiting)
		qemu_stream_close(handle->waiting);
	if (handle->stream)
		qemu_stream_close(handle->stream);
	free(handle);
}

static void streams_close(void *user, void *handle)
{
	lcowmig_call *accept = ((struct stream_handle *)handle)->accept;

	(void)user;
	streams_drop(handle);
	if (accept)
		lcowmig_call_complete(accept, LCOWMIG_E_CANCELLED);
}

void streams_free(qemu_host *host)
{
	while (host->handles)
		streams_drop(host->handles);
}

void streams_fill_ops(qemu_host *host, lcowmig_stream_ops *ret_ops)
{
	*ret_ops = (lcowmig_stream_ops){ sizeof *ret_ops, host, streams_listen, streams_accept, streams_send, streams_close };
}
