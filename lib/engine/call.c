#include "call.h"

#include <stdio.h>
#include <string.h>

#include "env.h"

lcowmig_call *lcowmig__call_new(lcowmig__flow *flow, const struct lcowmig__env *env, const char *what,
                                lcowmig_status (*invoke)(lcowmig_call *call))
{
	lcowmig_call *call = lcowmig__alloc(&flow->context->mem, sizeof *call);

	if (!call) {
		lcowmig__call_refuse(flow, LCOWMIG_E_NO_MEMORY, what, "out of memory");
		return NULL;
	}
	call->context = flow->context;
	call->flow = flow;
	call->env = env;
	call->what = what;
	call->invoke = invoke;
	lcowmig__list_init(&call->in_flow);
	lcowmig__list_init(&call->outbox);
	lcowmig__list_append(&flow->rest->calls, &call->in_flow);
	lcowmig__list_append(&flow->context->pump->outbox, &call->outbox);
	flow->waiting++;
	flow->context->calls++;
	if (env && env->calls)
		++*env->calls;
	return call;
}

void lcowmig__call_refuse(lcowmig__flow *flow, lcowmig_status status, const char *what, const char *why)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	lcowmig__fail(&error, status, "%s: %s", what, why);
	lcowmig__flow_await_failed(flow, status, &error);
}

static void call_free(lcowmig_call *call)
{
	lcowmig_context *context = call->context;

	if (call->env && call->env->calls)
		--*call->env->calls;
	lcowmig__free(&context->mem, call->text[0]);
	lcowmig__free(&context->mem, call->text[1]);
	lcowmig__free(&context->mem, call->bytes);
	lcowmig__free(&context->mem, call->arguments);
	lcowmig__free(&context->mem, call->result);
	lcowmig__free(&context->mem, call);
	context->calls--;
}

/* Tells the flow that waits how it went. */
static void call_report(lcowmig_call *call)
{
	lcowmig__flow *flow = call->flow;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status = call->no_memory ? LCOWMIG_E_NO_MEMORY : call->status;

	if (call->result) {
		lcowmig__buf_clear(&flow->rest->reply);
		lcowmig__buf_append(&flow->rest->reply, call->result, call->result_size);
		if (flow->rest->reply.failed)
			status = LCOWMIG_E_NO_MEMORY;
	}
	if (status == LCOWMIG_OK)
		flow->handle = call->handle;
	if (status != LCOWMIG_OK) {
		lcowmig__fail_hresult(&error, status, call->hresult, "%s: %s", call->what,
		                      call->message[0] ? call->message : lcowmig_status_text(status));
		lcowmig__flow_await_failed(flow, status, &error);
	}
	if (call->report)
		call->report(call);
	lcowmig__list_remove(&call->in_flow);
	call->flow = NULL;
	if (status == LCOWMIG_OK)
		call->handle = NULL; /* the flow has it */
	lcowmig__flow_await_over(flow);
}

/* Nobody took the handle that the call opened: the call becomes the one that closes it. */
static void call_undo(lcowmig_call *call)
{
	void *handle = call->handle;

	lcowmig__log(call->context, LCOWMIG_LOG_WARNING, "%s succeeded and nobody waits for it; undoing it", call->what);
	call->discard(call, handle);
	call->discard = NULL;
	call->handle = NULL;
	call->phase = LCOWMIG__CALL_QUEUED;
	call->hresult = 0;
	call->message[0] = '\0';
	lcowmig__list_append(&call->context->pump->outbox, &call->outbox);
}

/* The host is through with the call. */
static void call_finish(lcowmig_call *call)
{
	lcowmig__log(call->context, LCOWMIG_LOG_DEBUG, "%s -> %s%s%s", call->what, lcowmig_status_name(call->status),
	             call->message[0] ? ": " : "", call->message);
	if (call->flow)
		call_report(call);
	if (call->status == LCOWMIG_OK && call->handle && call->discard)
		call_undo(call);
	else
		call_free(call);
}

void lcowmig__call_invoke(lcowmig_call *call, lcowmig__pump *pump)
{
	lcowmig_context *context = call->context;
	lcowmig_status status;

	call->phase = LCOWMIG__CALL_INVOKING;
	lcowmig__lock_drop(&context->lock);
	status = call->invoke(call);
	lcowmig__lock_take(&context->lock);
	context->pump = pump;
	if (call->phase == LCOWMIG__CALL_INVOKING && status == LCOWMIG_PENDING) {
		call->phase = LCOWMIG__CALL_PENDING;
		return;
	}
	if (call->phase == LCOWMIG__CALL_INVOKING)
		call->status = status > LCOWMIG_PENDING ? LCOWMIG_E_HOST_FAILED : status;
	call_finish(call);
}

void lcowmig__call_abandon(lcowmig_call *call)
{
	lcowmig__flow *flow = call->flow;

	lcowmig__list_remove(&call->in_flow);
	call->flow = NULL;
	lcowmig__flow_await_over(flow);
	if (call->phase == LCOWMIG__CALL_QUEUED) {
		lcowmig__list_remove(&call->outbox);
		call_free(call);
	}
}

void lcowmig__call_complete(lcowmig_call *call, lcowmig_status status)
{
	lcowmig__call_phase phase = call->phase;

	if (phase == LCOWMIG__CALL_COMPLETED)
		return; /* inside its callback: the first one counts */
	call->status = status >= LCOWMIG_PENDING ? LCOWMIG_E_HOST_FAILED : status;
	call->phase = LCOWMIG__CALL_COMPLETED;
	if (phase == LCOWMIG__CALL_PENDING) /* else the thread in the callback goes on from there */
		call_finish(call);
}

void lcowmig_call_complete(lcowmig_call *call, lcowmig_status status)
{
	lcowmig_context *context;
	lcowmig__pump pump;

	if (!call)
		return;
	context = call->context;
	lcowmig__enter(context, &pump);
	lcowmig__call_complete(call, status);
	lcowmig__leave(context, &pump);
}

lcowmig_status lcowmig_call_set_result(lcowmig_call *call, const void *data, size_t size)
{
	const lcowmig__mem *mem;
	char *copy;

	if (!call || (!data && size))
		return LCOWMIG_E_INVALID_ARGUMENT;
	mem = &call->context->mem;
	copy = lcowmig__memdup(mem, data, size);
	call->no_memory = copy == NULL;
	lcowmig__free(mem, call->result);
	call->result = copy;
	call->result_size = copy ? size : 0;
	return copy ? LCOWMIG_OK : LCOWMIG_E_NO_MEMORY;
}

void lcowmig_call_set_handle(lcowmig_call *call, void *handle)
{
	if (call)
		call->handle = handle;
}

void lcowmig_call_set_error(lcowmig_call *call, uint32_t hresult, const char *message)
{
	if (!call)
		return;
	call->hresult = hresult;
	snprintf(call->message, sizeof call->message, "%s", message ? message : "");
}

void lcowmig__call_tell_request_id(lcowmig_call *call, int64_t id)
{
	call->request_id = id;
	if (call->flow && call->told_request_id)
		call->told_request_id(call, id);
}

void lcowmig_call_set_request_id(lcowmig_call *call, int64_t id)
{
	lcowmig__pump pump;

	if (!call)
		return;
	lcowmig__enter(call->context, &pump);
	lcowmig__call_tell_request_id(call, id);
	lcowmig__leave(call->context, &pump);
}

bool lcowmig_call_is_abandoned(lcowmig_call *call)
{
	bool abandoned;

	if (!call)
		return true;
	lcowmig__lock_take(&call->context->lock);
	abandoned = call->flow == NULL;
	lcowmig__lock_drop(&call->context->lock);
	return abandoned;
}

void lcowmig_call_set_host_data(lcowmig_call *call, void *data)
{
	if (call)
		call->host_data = data;
}

void *lcowmig_call_host_data(const lcowmig_call *call)
{
	return call ? call->host_data : NULL;
}
