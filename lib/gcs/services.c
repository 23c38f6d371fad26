/* The two one-way streams beside the control connection: entropy to the guest, its log from it. */
#include "gcs.h"

#include <string.h>

#include "engine/env_call.h"

/* ---- Entropy ---- */

typedef struct entropy_flow {
	lcowmig__gcs_flow base;
	uint8_t *bytes;
	size_t size;
} entropy_flow;

static void entropy_send(entropy_flow *self)
{
	if (lcowmig__send_call(&self->base.flow, self->base.gcs, self->base.stream.handle, self->bytes, self->size))
		self->bytes = NULL;
}

static void entropy_step(lcowmig__flow *flow)
{
	entropy_flow *self = (entropy_flow *)flow;
	lcowmig_gcs *gcs = self->base.gcs;

	FLOW_BEGIN(flow);
	lcowmig__flow_set_deadline(flow, gcs->config.connect_timeout_ns);
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__accept_flow(gcs, LCOWMIG_GCS_ENTROPY_PORT, &self->base.stream)));
	FLOW_TRY(flow, entropy_send(self));
	FLOW_END(flow); /* closing the stream, in release, tells the guest that this is all */
}

static void entropy_release(lcowmig__flow *flow)
{
	lcowmig__free(&flow->context->mem, ((entropy_flow *)flow)->bytes);
	lcowmig__gcs_flow_release(flow);
}

static const lcowmig__flow_class entropy_class = { "entropy", entropy_step, entropy_release, false };

lcowmig__flow *lcowmig__entropy_flow(lcowmig_gcs *gcs, const void *bytes, size_t size, lcowmig_error *error)
{
	entropy_flow *self;

	if (!bytes || !size) {
		lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "guest bridge: there are no entropy bytes");
		return NULL;
	}
	self = lcowmig__gcs_flow_new(gcs, sizeof *self, &entropy_class, error);
	if (!self)
		return NULL;
	self->bytes = lcowmig__memdup(&gcs->context->mem, bytes, size);
	self->size = size;
	return lcowmig__flow_made(&self->base.flow, self->bytes != NULL, error);
}

/* ---- Log ---- */

typedef struct log_flow {
	lcowmig__gcs_flow base;
	lcowmig__signal ended;
} log_flow;

static lcowmig_status invoke_log_bytes(lcowmig_call *call)
{
	const lcowmig_gcs_config *config = call->arguments;

	config->log(config->user, call->bytes, call->size);
	return LCOWMIG_OK;
}

/* Passes on what came before the stream was known; the rest goes straight from lcowmig_gcs_receive to the callback. */
static void log_pass_early(log_flow *self, const lcowmig__buf *bytes)
{
	lcowmig_gcs *gcs = self->base.gcs;
	lcowmig_call *call;

	if (!bytes->size || !gcs->config.log)
		return;
	call = lcowmig__call_new(&self->base.flow, NULL, "guest log", invoke_log_bytes);
	if (!call)
		return;
	lcowmig__env_set_bytes(call, bytes->data, bytes->size);
	call->arguments = lcowmig__memdup(&gcs->context->mem, &gcs->config, sizeof gcs->config);
	if (!call->arguments)
		lcowmig__env_refuse(call);
}

static void log_begin(log_flow *self)
{
	lcowmig_gcs *gcs = self->base.gcs;
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__buf bytes;

	if (gcs->log)
		lcowmig__log_ended(gcs);
	gcs->log = &self->base;
	lcowmig__buf_init(&bytes, &gcs->context->mem);
	if (lcowmig__early_take(gcs, self->base.stream.handle, &bytes, &status))
		lcowmig__log_ended(gcs);
	log_pass_early(self, &bytes);
	lcowmig__buf_done(&bytes);
}

static void log_step(lcowmig__flow *flow)
{
	log_flow *self = (log_flow *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__accept_flow(self->base.gcs, LCOWMIG_GCS_LOG_PORT, &self->base.stream)));
	FLOW_TRY(flow, log_begin(self));
	FLOW_TRY(flow, lcowmig__signal_wait(flow, &self->ended));
	FLOW_END(flow);
}

static void log_release(lcowmig__flow *flow)
{
	log_flow *self = (log_flow *)flow;

	if (self->base.gcs->log == &self->base)
		self->base.gcs->log = NULL;
	lcowmig__gcs_flow_release(flow);
}

static const lcowmig__flow_class log_class = { "log", log_step, log_release, true };

lcowmig__flow *lcowmig__log_flow(lcowmig_gcs *gcs, const void *data, size_t number, lcowmig_error *error)
{
	log_flow *self = lcowmig__gcs_flow_new(gcs, sizeof *self, &log_class, error);

	(void)data;
	(void)number;
	if (!self)
		return NULL;
	lcowmig__signal_init(&self->ended);
	return &self->base.flow;
}

bool lcowmig__log_is_stream(const lcowmig_gcs *gcs, const void *stream)
{
	return gcs->log && gcs->log->stream.handle == stream;
}

void lcowmig__log_ended(lcowmig_gcs *gcs)
{
	log_flow *self = (log_flow *)gcs->log;

	gcs->log = NULL;
	lcowmig__signal_set(&self->ended);
}
