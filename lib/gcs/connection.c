/*
 * Establishing the connection.
 *
 *     host                                     guest
 *       listen 0x40000000 (before it runs)
 *                                              dials; first of all it sends what it had queued
 *       NegotiateProtocol {4, 4}         ->
 *                                        <-    Version 4, Capabilities
 *       Create, Start of the null GUID   ->    (cold, and only when the guest asks for them: LCOW's does not)
 *
 * connect, resume and repeats of either wait for each other at one gate; who comes later finds the connection up.
 */
#include "gcs.h"

#include <string.h>

#define BASE "\"ContainerId\":\"" LCOWMIG__NULL_GUID "\",\"ActivityId\":\"" LCOWMIG__NULL_GUID "\""

static const char negotiate_document[] =
	"{\"ContainerId\":\"\",\"ActivityId\":\"" LCOWMIG__NULL_GUID "\",\"MinimumVersion\":4,\"MaximumVersion\":4}";
static const char create_document[] =
	"{" BASE ",\"ContainerConfig\":\"{\\\"SystemType\\\":\\\"Container\\\",\\\"TimeZoneInformation\\\":null}\"}";
static const char start_document[] = "{" BASE "}";

/* ---- The handshake, a child of the connect flow ---- */

typedef struct handshake_flow {
	lcowmig__flow flow;
	lcowmig_gcs *gcs;
	bool is_cold;
} handshake_flow;

/* Sends one message of the handshake inside an await. It has no deadline of its own: the connect flow has. */
static void handshake_send(handshake_flow *self, uint32_t message, const char *document)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__request *request = NULL;

	lcowmig__request_send(self->gcs, message, true, "", document, 0, &request, &error);
	lcowmig__request_await(&self->flow, request, &error);
}

static lcowmig_status handshake_read(handshake_flow *self)
{
	lcowmig__flow *flow = &self->flow;
	lcowmig_gcs *gcs = self->gcs;
	lcowmig_gcs_capabilities capabilities;
	lcowmig_status status;
	char *json = NULL;

	if (flow->result == LCOWMIG_E_GUEST_FAILED && flow->error->hresult == LCOWMIG__HR_UNSUPPORTED_PROTOCOL) {
		flow->error->status = LCOWMIG_E_UNSUPPORTED_VERSION;
		return LCOWMIG_E_UNSUPPORTED_VERSION;
	}
	if (flow->result != LCOWMIG_OK)
		return flow->result;
	status = lcowmig__answer_capabilities(gcs, flow->rest->reply.data, flow->rest->reply.size, &capabilities, &json, flow->error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__free(&gcs->context->mem, gcs->capabilities_json);
	gcs->capabilities_json = json;
	gcs->capabilities = capabilities;
	gcs->has_negotiated = true;
	return LCOWMIG_OK;
}

static void handshake_step(lcowmig__flow *flow)
{
	handshake_flow *self = (handshake_flow *)flow;
	lcowmig_gcs *gcs = self->gcs;

	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, handshake_send(self, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, negotiate_document));
	FLOW_CHECK(flow, handshake_read(self));
	if (!self->is_cold || !gcs->capabilities.send_host_create_message)
		FLOW_RETURN(flow, LCOWMIG_OK);
	FLOW_TRY(flow, handshake_send(self, LCOWMIG_GCS_CREATE, create_document));
	if (gcs->capabilities.send_host_start_message)
		FLOW_TRY(flow, handshake_send(self, LCOWMIG_GCS_START, start_document));
	FLOW_END(flow);
}

static const lcowmig__flow_class handshake_class = { "negotiate", handshake_step, NULL, false };

static lcowmig__flow *handshake_flow_new(lcowmig_gcs *gcs, bool is_cold)
{
	handshake_flow *self = lcowmig__flow_new(sizeof *self, &handshake_class, gcs->context, NULL, NULL);

	if (!self)
		return NULL;
	self->gcs = gcs;
	self->is_cold = is_cold;
	return &self->flow;
}

/* ---- Connect and resume ---- */

typedef struct connect_flow {
	lcowmig__gcs_flow base;
	bool is_cold;
	bool resumes;
	uint64_t transport; /* at first the one it met, then the one it brought */
} connect_flow;

/* PENDING: go on. */
static lcowmig_status connect_check(connect_flow *self)
{
	lcowmig_gcs *gcs = self->base.gcs;
	lcowmig_error *error = self->base.flow.error;

	if (self->resumes) {
		if (!gcs->is_migrating || gcs->object.state == LCOWMIG__GCS_DISCONNECTED)
			return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
					     "the guest connection is %s and %s; resuming needs a connection that is migrating",
					     lcowmig__object_state_name(&gcs->object), gcs->is_migrating ? "migrating" : "not migrating");
		/* Another resume, which this one waited for, has done it all. */
		return gcs->object.state == LCOWMIG__GCS_CONNECTED && gcs->transport != self->transport ? LCOWMIG_OK : LCOWMIG_PENDING;
	}
	if (gcs->object.state == LCOWMIG__GCS_CONNECTED)
		return LCOWMIG_OK;
	if (gcs->object.state == LCOWMIG__GCS_PARKED)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "the guest connection is Parked; expected it to be resumed");
	return LCOWMIG_PENDING;
}

/* The guest op tells the capabilities. */
static lcowmig_status connect_reply(connect_flow *self)
{
	lcowmig_gcs *gcs = self->base.gcs;

	if (!self->base.call)
		return LCOWMIG_OK;
	self->base.reply = lcowmig__strdup(&gcs->context->mem, gcs->capabilities_json);
	return self->base.reply ? LCOWMIG_OK : lcowmig__fail_memory(self->base.flow.error);
}

/* True while the transport that this flow brought is still the one. */
static bool connect_is_current(const connect_flow *self)
{
	return self->base.gcs->transport == self->transport;
}

static lcowmig_status connect_negotiated(connect_flow *self)
{
	lcowmig__flow *flow = &self->base.flow;
	lcowmig_gcs *gcs = self->base.gcs;
	lcowmig_status status = flow->result;

	if (status == LCOWMIG_OK && !connect_is_current(self))
		return lcowmig__fail(flow->error, LCOWMIG_E_UNAVAILABLE, "the guest connection was lost as soon as it was negotiated");
	if (status == LCOWMIG_OK)
		status = connect_reply(self);
	if (status == LCOWMIG_OK)
		status = lcowmig__transport_negotiated(gcs, flow->error);
	if (status != LCOWMIG_OK && connect_is_current(self))
		lcowmig__transport_lose(gcs, flow->error->message);
	return status;
}

static void connect_step(lcowmig__flow *flow)
{
	connect_flow *self = (connect_flow *)flow;
	lcowmig_gcs *gcs = self->base.gcs;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	lcowmig__flow_set_deadline(flow, gcs->config.connect_timeout_ns);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &gcs->establishing));
	status = connect_check(self);
	if (status == LCOWMIG_OK)
		status = connect_reply(self);
	if (status != LCOWMIG_PENDING)
		FLOW_RETURN(flow, status);
	if (!self->is_cold)
		lcowmig__gcs_keep(gcs);
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__accept_flow(gcs, LCOWMIG_GCS_CONTROL_PORT, &self->base.stream)));
	status = connect_check(self); /* the migration may be over */
	if (status != LCOWMIG_PENDING)
		FLOW_RETURN(flow, status);
	lcowmig__transport_install(gcs, &self->base.stream, self->resumes);
	self->transport = gcs->transport;
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, handshake_flow_new(gcs, self->is_cold)));
	FLOW_RETURN(flow, connect_negotiated(self));
	FLOW_END(flow);
}

static const lcowmig__flow_class connect_class = { "connect", connect_step, lcowmig__gcs_flow_release, false };
static const lcowmig__flow_class resume_class = { "resume", connect_step, lcowmig__gcs_flow_release, false };

lcowmig__flow *lcowmig__connect_flow(lcowmig_gcs *gcs, const void *data, size_t is_cold, lcowmig_error *error)
{
	connect_flow *self = lcowmig__gcs_flow_new(gcs, sizeof *self, &connect_class, error);

	(void)data;
	if (!self)
		return NULL;
	self->is_cold = is_cold != 0;
	return &self->base.flow;
}

lcowmig__flow *lcowmig__resume_flow(lcowmig_gcs *gcs, const void *data, size_t number, lcowmig_error *error)
{
	connect_flow *self = lcowmig__gcs_flow_new(gcs, sizeof *self, &resume_class, error);

	(void)data;
	(void)number;
	if (!self)
		return NULL;
	self->resumes = true;
	self->transport = gcs->transport;
	return &self->base.flow;
}
