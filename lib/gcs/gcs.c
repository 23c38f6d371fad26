#include "gcs.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "engine/abi.h"

static const char *const state_names[] = { "Disconnected", "Negotiating", "Connected", "Parked" };
static const char *const trigger_names[] = { "accept", "negotiated", "park", "lose" };

static const lcowmig__transition rows[] = {
	{ LCOWMIG__GCS_DISCONNECTED, LCOWMIG__GCS_ACCEPT, LCOWMIG__GCS_NEGOTIATING },
	{ LCOWMIG__GCS_NEGOTIATING, LCOWMIG__GCS_NEGOTIATED, LCOWMIG__GCS_CONNECTED },
	{ LCOWMIG__GCS_NEGOTIATING, LCOWMIG__GCS_LOSE, LCOWMIG__GCS_DISCONNECTED },
	{ LCOWMIG__GCS_CONNECTED, LCOWMIG__GCS_LOSE, LCOWMIG__GCS_DISCONNECTED },
	{ LCOWMIG__GCS_CONNECTED, LCOWMIG__GCS_PARK, LCOWMIG__GCS_PARKED },
	{ LCOWMIG__GCS_CONNECTED, LCOWMIG__GCS_ACCEPT, LCOWMIG__GCS_NEGOTIATING }, /* a swap before the old transport broke */
	{ LCOWMIG__GCS_PARKED, LCOWMIG__GCS_ACCEPT, LCOWMIG__GCS_NEGOTIATING },
	{ LCOWMIG__GCS_PARKED, LCOWMIG__GCS_LOSE, LCOWMIG__GCS_DISCONNECTED },
	{ LCOWMIG__GCS_NEGOTIATING, LCOWMIG__GCS_PARK, LCOWMIG__GCS_PARKED }, /* a swap that failed */
	{ LCOWMIG__GCS_NEGOTIATING, LCOWMIG__GCS_ACCEPT, LCOWMIG__GCS_NEGOTIATING },
};

static const lcowmig__machine machine = {
	.kind = "guest connection",
	.states = state_names,
	.n_states = LCOWMIG__COUNT(state_names),
	.triggers = trigger_names,
	.n_triggers = LCOWMIG__COUNT(trigger_names),
	.rows = rows,
	.n_rows = LCOWMIG__COUNT(rows),
};

static lcowmig_status config_resolve(const lcowmig_gcs_config *given, lcowmig_gcs_config *config, lcowmig_stream_ops *streams,
				     lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG__COPY_SIZED("lcowmig_gcs_config", config, given, flags, error);

	if (status == LCOWMIG_OK)
		status = LCOWMIG__COPY_SIZED("lcowmig_stream_ops", streams, config->streams, close, error);
	if (status != LCOWMIG_OK)
		return status;
	if (!streams->listen || !streams->accept || !streams->send || !streams->close)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "lcowmig_stream_ops: listen, accept, send and close are all needed");
	if (config->flags & ~LCOWMIG_GCS_RECORD_SECRETS)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_gcs_config: flags 0x%lx are not known",
				     (unsigned long)config->flags);
	if (!config->request_timeout_ns)
		config->request_timeout_ns = LCOWMIG__GCS_REQUEST_TIMEOUT;
	if (!config->connect_timeout_ns)
		config->connect_timeout_ns = LCOWMIG__GCS_CONNECT_TIMEOUT;
	if (!config->queue_bytes)
		config->queue_bytes = LCOWMIG__GCS_QUEUE_BYTES;
	config->streams = NULL;
	return LCOWMIG_OK;
}

static void gcs_init(lcowmig_gcs *gcs, lcowmig_context *context)
{
	static const uint32_t numbers[] = { LCOWMIG_GCS_CONTROL_PORT, LCOWMIG_GCS_LOG_PORT, LCOWMIG_GCS_ENTROPY_PORT };
	size_t i;

	lcowmig__object_init(&gcs->object, context, &machine, "to the guest");
	gcs->context = context;
	gcs->next_port = LCOWMIG_GCS_FIRST_PORT;
	lcowmig__list_init(&gcs->queue);
	lcowmig__list_init(&gcs->kept_order);
	lcowmig__list_init(&gcs->notices);
	lcowmig__tree_init(&gcs->requests, lcowmig__request_compare);
	lcowmig__tree_init(&gcs->kept_answers, lcowmig__kept_compare);
	lcowmig__tree_init(&gcs->containers, lcowmig__opened_compare);
	lcowmig__gate_init(&gcs->establishing);
	for (i = 0; i < LCOWMIG__COUNT(numbers); i++) {
		gcs->ports[i].number = numbers[i];
		lcowmig__gate_init(&gcs->ports[i].gate);
	}
}

lcowmig_status lcowmig_gcs_new(lcowmig_context *context, const lcowmig_gcs_config *given, lcowmig_gcs **ret_gcs, lcowmig_error *error)
{
	lcowmig_gcs_config config;
	lcowmig_stream_ops streams;
	lcowmig_status status;
	lcowmig__pump pump;
	lcowmig_gcs *gcs;

	if (!context || !ret_gcs)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "guest bridge: %s is NULL", context ? "ret_gcs" : "context");
	status = config_resolve(given, &config, &streams, error);
	if (status != LCOWMIG_OK)
		return status;
	gcs = lcowmig__alloc(&context->mem, sizeof *gcs);
	if (!gcs)
		return lcowmig__fail_memory(error);
	/* There from the start, so that receiving never fails for memory in the middle of a frame. */
	gcs->partial = lcowmig__alloc(&context->mem, LCOWMIG_GCS_FRAME_MAX);
	if (!gcs->partial) {
		lcowmig__free(&context->mem, gcs);
		return lcowmig__fail_memory(error);
	}
	gcs->config = config;
	gcs->streams = streams;
	gcs_init(gcs, context);
	lcowmig__enter(context, &pump);
	context->dependents++;
	lcowmig__leave(context, &pump);
	*ret_gcs = gcs;
	return LCOWMIG_OK;
}

static lcowmig_status gcs_check_free(const lcowmig_gcs *gcs, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check_idle(&gcs->object, error);

	if (status != LCOWMIG_OK)
		return status;
	if (!lcowmig__list_is_empty(&gcs->object.flows))
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "the guest connection has work in flight; expected it to be closed");
	if (gcs->sandbox)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "the guest connection serves a sandbox; expected that to be freed first");
	if (gcs->object.state != LCOWMIG__GCS_DISCONNECTED || gcs->requests.count)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "the guest connection is %s with %lu requests outstanding; expected it to be closed",
				     lcowmig__object_state_name(&gcs->object), (unsigned long)gcs->requests.count);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_gcs_free(lcowmig_gcs *gcs, lcowmig_error *error)
{
	lcowmig_context *context;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!gcs)
		return LCOWMIG_OK;
	context = gcs->context;
	lcowmig__enter(context, &pump);
	status = gcs_check_free(gcs, error);
	if (status == LCOWMIG_OK) {
		lcowmig__gcs_shut(gcs); /* listeners, and what was kept */
		lcowmig__free(&context->mem, gcs->capabilities_json);
		lcowmig__free(&context->mem, gcs->partial);
		lcowmig__free(&context->mem, gcs->disconnect);
		lcowmig__free(&context->mem, gcs);
		context->dependents--;
	}
	lcowmig__leave(context, &pump);
	return status;
}

void lcowmig__gcs_copy(char *ret_text, size_t size, const char *text)
{
	snprintf(ret_text, size, "%s", text);
	lcowmig__text_trim(ret_text, size);
}

/* ---- Operations ---- */

void *lcowmig__gcs_flow_new(lcowmig_gcs *gcs, size_t size, const lcowmig__flow_class *class, lcowmig_error *error)
{
	lcowmig__gcs_flow *self = lcowmig__flow_new(size, class, gcs->context, &gcs->object, error);

	if (!self)
		return NULL;
	self->gcs = gcs;
	return self;
}

void lcowmig__gcs_flow_release(lcowmig__flow *flow)
{
	lcowmig__gcs_flow *self = (lcowmig__gcs_flow *)flow;
	lcowmig_call *call = self->call;

	lcowmig__gcs_handle_close(&self->stream);
	if (!self->gcs->accepting)
		lcowmig__early_drop(self->gcs);
	if (call) {
		if (flow->result != LCOWMIG_OK) {
			lcowmig_call_set_error(call, flow->error->hresult, flow->error->message);
			lcowmig__text_trim(call->message, sizeof call->message);
		} else if (self->reply) {
			lcowmig_call_set_result(call, self->reply, strlen(self->reply));
		}
		lcowmig__call_complete(call, flow->result);
	}
	lcowmig__free(&flow->context->mem, self->reply);
}
