/* Listening and accepting, handles, and bytes that come before their stream is known. */
#include "gcs.h"

#include <string.h>

#include "engine/env_call.h"

/* ---- Handles ---- */

/* Calls carry the host's functions with them, because a late one may outlive the bridge. */
static bool call_set_streams(lcowmig_call *call, const lcowmig_gcs *gcs)
{
	call->arguments = lcowmig__memdup(&gcs->context->mem, &gcs->streams, sizeof gcs->streams);
	return call->arguments != NULL;
}

static lcowmig_status invoke_close(lcowmig_call *call)
{
	const lcowmig_stream_ops *streams = call->arguments;

	streams->close(streams->user, call->handle_argument);
	return LCOWMIG_OK;
}

static void discard_handle(lcowmig_call *call, void *handle)
{
	lcowmig__env_discard(call, "guest stream close", invoke_close, handle);
}

static lcowmig_call *closer_new(const lcowmig_gcs *gcs)
{
	lcowmig_call *call = lcowmig__call_bare(gcs->context);

	if (!call || call_set_streams(call, gcs))
		return call;
	lcowmig__call_spare_free(call);
	return NULL;
}

/* Begins a call that attaches a handle, and makes what will close that one. NULL: the await has failed. */
static lcowmig_call *opening_call(lcowmig__flow *flow, const lcowmig_gcs *gcs, lcowmig__gcs_handle *ret_handle, const char *what,
				  lcowmig_status (*invoke)(lcowmig_call *call), uint32_t port)
{
	lcowmig_call *call = NULL;

	ret_handle->closer = closer_new(gcs);
	if (ret_handle->closer)
		call = lcowmig__call_new(flow, NULL, what, invoke);
	else
		lcowmig__call_refuse(flow, LCOWMIG_E_NO_MEMORY, what, "out of memory");
	if (!call)
		return NULL;
	call->number = port;
	call->discard = discard_handle;
	if (!call_set_streams(call, gcs))
		lcowmig__env_refuse(call);
	return call;
}

void lcowmig__gcs_handle_close(lcowmig__gcs_handle *handle)
{
	lcowmig_call *closer = handle->closer;

	if (!closer)
		return;
	if (handle->handle)
		lcowmig__env_post(closer, "guest stream close", invoke_close, handle->handle);
	else
		lcowmig__call_spare_free(closer);
	handle->handle = NULL;
	handle->closer = NULL;
}

/* ---- Ports ---- */

static lcowmig__gcs_port *port_find(lcowmig_gcs *gcs, size_t number)
{
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(gcs->ports); i++)
		if (gcs->ports[i].number == number)
			return &gcs->ports[i];
	return NULL;
}

void lcowmig__gcs_port_disarm(lcowmig__gcs_port *port)
{
	lcowmig__gcs_handle_close(&port->listener);
	port->is_armed = false;
}

void lcowmig__gcs_port_forget(lcowmig_gcs *gcs, lcowmig__gcs_port *port)
{
	lcowmig__free(&gcs->context->mem, port->runtime_id);
	port->runtime_id = NULL;
}

typedef struct listen_flow {
	lcowmig__gcs_flow base; /* base.stream: the listener */
	lcowmig__gcs_port *port;
	char *runtime_id;
} listen_flow;

static lcowmig_status invoke_listen(lcowmig_call *call)
{
	const lcowmig_stream_ops *streams = call->arguments;

	return streams->listen(streams->user, call, call->text[0], (uint32_t)call->number);
}

static void listen_call(listen_flow *self)
{
	lcowmig__flow *flow = &self->base.flow;

	lcowmig__env_set_text(opening_call(flow, self->base.gcs, &self->base.stream, "guest stream listen", invoke_listen, self->port->number),
			      0, self->runtime_id);
}

static void listen_step(lcowmig__flow *flow)
{
	listen_flow *self = (listen_flow *)flow;
	lcowmig__gcs_port *port = self->port;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &port->gate));
	if (port->is_armed && strcmp(port->runtime_id, self->runtime_id) != 0)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_FAILED_PRECONDITION,
						"guest port %lu listens for machine %s; expected it to be asked for the same one",
						(unsigned long)port->number, port->runtime_id));
	if (port->is_armed)
		FLOW_RETURN(flow, LCOWMIG_OK);
	FLOW_TRY(flow, listen_call(self));
	self->base.stream.handle = lcowmig__flow_take_handle(flow);
	port->listener = self->base.stream;
	memset(&self->base.stream, 0, sizeof self->base.stream);
	lcowmig__gcs_port_forget(self->base.gcs, port);
	port->runtime_id = self->runtime_id;
	self->runtime_id = NULL;
	port->is_armed = true;
	FLOW_END(flow);
}

static void listen_release(lcowmig__flow *flow)
{
	listen_flow *self = (listen_flow *)flow;

	lcowmig__free(&flow->context->mem, self->runtime_id);
	lcowmig__gcs_flow_release(flow);
}

static const lcowmig__flow_class listen_class = { "listen", listen_step, listen_release, false };

lcowmig__flow *lcowmig__listen_flow(lcowmig_gcs *gcs, const void *runtime_id, size_t port, lcowmig_error *error)
{
	lcowmig__gcs_port *found = port_find(gcs, port);
	listen_flow *self;

	if (!found) {
		lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "guest bridge: port %lu is not its entropy, log or control port",
			      (unsigned long)port);
		return NULL;
	}
	self = lcowmig__gcs_flow_new(gcs, sizeof *self, &listen_class, error);
	if (!self)
		return NULL;
	self->port = found;
	self->runtime_id = lcowmig__strdup(&gcs->context->mem, runtime_id ? runtime_id : "");
	return lcowmig__flow_made(&self->base.flow, self->runtime_id != NULL, error);
}

/* ---- Accepting: a child of connect, resume, entropy and log ---- */

typedef struct accept_flow {
	lcowmig__flow flow;
	lcowmig_gcs *gcs;
	lcowmig__gcs_port *port;
	lcowmig__gcs_handle stream;
	lcowmig__gcs_handle *ret_stream;
} accept_flow;

static lcowmig_status invoke_accept(lcowmig_call *call)
{
	const lcowmig_stream_ops *streams = call->arguments;

	return streams->accept(streams->user, call, (uint32_t)call->number);
}

static lcowmig_status accept_check(accept_flow *self)
{
	const lcowmig__gcs_port *port = self->port;
	unsigned long number = port->number;

	if (port->is_accepting)
		return lcowmig__fail(self->flow.error, LCOWMIG_E_FAILED_PRECONDITION,
				     "guest port %lu waits for a connection already; expected one accept at a time", number);
	if (!port->is_armed && !port->runtime_id)
		return lcowmig__fail(self->flow.error, LCOWMIG_E_FAILED_PRECONDITION,
				     "nothing listens on guest port %lu; expected it to be prepared first", number);
	return LCOWMIG_OK;
}

/* An attempt that failed has used up its listener: the next one makes its own. */
static void accept_listen(accept_flow *self)
{
	lcowmig_gcs *gcs = self->gcs;

	if (!self->port->is_armed)
		lcowmig__flow_child(&self->flow, lcowmig__listen_flow(gcs, self->port->runtime_id, self->port->number, NULL));
}

/* Takes what the accept brought. */
static lcowmig_status accept_take(accept_flow *self)
{
	lcowmig__flow *flow = &self->flow;

	/* Out of memory: the host knows of nothing, and the listener is as good as before. */
	if (flow->result != LCOWMIG_E_NO_MEMORY)
		lcowmig__gcs_port_disarm(self->port);
	if (flow->result != LCOWMIG_OK)
		return flow->result;
	self->stream.handle = lcowmig__flow_take_handle(flow);
	if (!self->stream.handle)
		return lcowmig__fail(flow->error, LCOWMIG_E_HOST_FAILED, "guest stream accept: the host attached no stream");
	*self->ret_stream = self->stream;
	memset(&self->stream, 0, sizeof self->stream);
	return LCOWMIG_OK;
}

/*
 * A listener serves one accept. Also when that failed or was given up: the host's accept then ends with the listener, and swallows no
 * connection that a later accept is waiting for.
 */
static void accept_step(lcowmig__flow *flow)
{
	accept_flow *self = (accept_flow *)flow;
	lcowmig_gcs *gcs = self->gcs;

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, accept_check(self));
	self->port->is_accepting = true;
	gcs->accepting++;
	FLOW_AWAIT(flow, accept_listen(self));
	if (flow->result == LCOWMIG_OK)
		FLOW_AWAIT(flow, opening_call(flow, gcs, &self->stream, "guest stream accept", invoke_accept, self->port->number));
	self->port->is_accepting = false;
	gcs->accepting--;
	FLOW_RETURN(flow, accept_take(self));
	FLOW_END(flow);
}

static void accept_release(lcowmig__flow *flow)
{
	lcowmig__gcs_handle_close(&((accept_flow *)flow)->stream);
}

static const lcowmig__flow_class accept_class = { "accept", accept_step, accept_release, false };

lcowmig__flow *lcowmig__accept_flow(lcowmig_gcs *gcs, uint32_t port, lcowmig__gcs_handle *ret_stream)
{
	accept_flow *self = lcowmig__flow_new(sizeof *self, &accept_class, gcs->context, NULL, NULL);

	if (!self)
		return NULL;
	self->gcs = gcs;
	self->port = port_find(gcs, port);
	self->ret_stream = ret_stream;
	return &self->flow;
}

/* ---- Sending ---- */

static lcowmig_status invoke_send(lcowmig_call *call)
{
	const lcowmig_stream_ops *streams = call->arguments;

	return streams->send(streams->user, call, call->handle_argument, call->bytes, call->size);
}

bool lcowmig__send_call(lcowmig__flow *flow, lcowmig_gcs *gcs, void *stream, uint8_t *bytes, size_t size)
{
	const lcowmig__mem *mem = &gcs->context->mem;
	void *streams = lcowmig__memdup(mem, &gcs->streams, sizeof gcs->streams);
	lcowmig_call *call;

	/* Known before the host is: a stream of which nothing was written stays whole. */
	if (!streams) {
		lcowmig__call_refuse(flow, LCOWMIG_E_NO_MEMORY, "guest stream send", "out of memory");
		return false;
	}
	call = lcowmig__call_new(flow, NULL, "guest stream send", invoke_send);
	if (!call) {
		lcowmig__free(mem, streams);
		return false;
	}
	call->arguments = streams;
	call->handle_argument = stream;
	call->bytes = bytes;
	call->size = size;
	return true;
}

/*
 * ---- Early bytes ----
 *
 * A host may read a stream from the moment it has it, which is before the library knows that its accept has succeeded. A guest that
 * reconnects sends what it had queued at once, so these bytes matter.
 */

static lcowmig__early *early_find(lcowmig_gcs *gcs, const void *stream)
{
	size_t i;

	for (i = 0; i < gcs->n_early; i++)
		if (gcs->early[i].stream == stream)
			return &gcs->early[i];
	return NULL;
}

static void early_free(lcowmig_gcs *gcs, lcowmig__early *early)
{
	lcowmig__buf_done(&early->bytes);
	gcs->n_early--;
	memmove(early, early + 1, (size_t)(gcs->early + gcs->n_early - early) * sizeof *early);
}

/* The oldest makes room: it is one of a stream that was closed long ago. */
static lcowmig__early *early_open(lcowmig_gcs *gcs, void *stream)
{
	lcowmig__early *early = early_find(gcs, stream);

	if (early)
		return early;
	if (gcs->n_early == LCOWMIG__GCS_EARLY_STREAMS)
		early_free(gcs, &gcs->early[0]);
	early = &gcs->early[gcs->n_early++];
	memset(early, 0, sizeof *early);
	early->stream = stream;
	lcowmig__buf_init(&early->bytes, &gcs->context->mem);
	return early;
}

/* What comes after that is ignored. */
static void early_stop(lcowmig__early *early, lcowmig_status status)
{
	if (early->has_ended)
		return;
	early->has_ended = true;
	early->status = status;
}

void lcowmig__early_add(lcowmig_gcs *gcs, void *stream, const void *bytes, size_t size)
{
	lcowmig__early *early = early_open(gcs, stream);

	if (early->has_ended)
		return;
	if (size > LCOWMIG__GCS_EARLY_BYTES - early->bytes.size) {
		early_stop(early, LCOWMIG_E_LIMIT_EXCEEDED);
		return;
	}
	lcowmig__buf_append(&early->bytes, bytes, size);
	if (early->bytes.failed)
		early_stop(early, LCOWMIG_E_NO_MEMORY);
}

void lcowmig__early_end(lcowmig_gcs *gcs, void *stream, lcowmig_status status)
{
	early_stop(early_open(gcs, stream), status);
}

bool lcowmig__early_take(lcowmig_gcs *gcs, void *stream, lcowmig__buf *ret_bytes, lcowmig_status *ret_status)
{
	lcowmig__early *early = early_find(gcs, stream);
	bool has_ended = false;

	if (early) {
		has_ended = early->has_ended;
		*ret_status = early->status;
		*ret_bytes = early->bytes;
		lcowmig__buf_init(&early->bytes, &gcs->context->mem);
		early_free(gcs, early);
	}
	if (!gcs->accepting)
		lcowmig__early_drop(gcs);
	return has_ended;
}

void lcowmig__early_drop(lcowmig_gcs *gcs)
{
	while (gcs->n_early)
		early_free(gcs, &gcs->early[gcs->n_early - 1]);
}
