#include "env_call.h"

static lcowmig_status invoke_out_of_memory(lcowmig_call *call)
{
	(void)call;
	return LCOWMIG_E_NO_MEMORY;
}

lcowmig_call *lcowmig__env_call(lcowmig__flow *flow, const lcowmig__env *env, const char *what, bool has_member, const char *missing,
                                lcowmig_status (*invoke)(lcowmig_call *call))
{
	if (has_member)
		return lcowmig__call_new(flow, env, what, invoke);
	lcowmig__call_refuse(flow, LCOWMIG_E_NOT_SUPPORTED, what, missing);
	return NULL;
}

void lcowmig__env_refuse(lcowmig_call *call)
{
	call->invoke = invoke_out_of_memory;
}

void lcowmig__env_take_text(const lcowmig__env *env, lcowmig_call *call, size_t i, char *text)
{
	if (call) {
		call->text[i] = text;
		if (!text)
			lcowmig__env_refuse(call);
	} else {
		lcowmig__free(&env->context->mem, text);
	}
}

void lcowmig__env_set_text(lcowmig_call *call, size_t i, const char *text)
{
	if (call)
		lcowmig__env_take_text(call->env, call, i, lcowmig__strdup(&call->context->mem, text ? text : ""));
}

void lcowmig__env_set_bytes(lcowmig_call *call, const void *bytes, size_t size)
{
	if (!call)
		return;
	call->bytes = lcowmig__memdup(&call->context->mem, bytes, size);
	call->size = size;
	if (!call->bytes)
		lcowmig__env_refuse(call);
}

lcowmig_call *lcowmig__call_bare(lcowmig_context *context)
{
	lcowmig_call *call = lcowmig__alloc(&context->mem, sizeof *call);

	if (!call)
		return NULL;
	call->context = context;
	lcowmig__list_init(&call->in_flow);
	lcowmig__list_init(&call->outbox);
	return call;
}

lcowmig_call *lcowmig__call_spare(const lcowmig__env *env)
{
	lcowmig_call *call = lcowmig__call_bare(env->context);

	if (call)
		call->env = env;
	return call;
}

void lcowmig__call_spare_free(lcowmig_call *spare)
{
	if (!spare)
		return;
	lcowmig__free(&spare->context->mem, spare->arguments);
	lcowmig__free(&spare->context->mem, spare);
}

void lcowmig__env_post(lcowmig_call *spare, const char *what, lcowmig_status (*invoke)(lcowmig_call *call), void *handle)
{
	spare->what = what;
	spare->invoke = invoke;
	spare->handle_argument = handle;
	lcowmig__list_append(&spare->context->pump->outbox, &spare->outbox);
	spare->context->calls++;
	if (spare->env && spare->env->calls)
		++*spare->env->calls;
}

void lcowmig__env_discard(lcowmig_call *late, const char *what, lcowmig_status (*invoke)(lcowmig_call *call), void *handle)
{
	late->what = what;
	late->handle_argument = handle;
	late->invoke = invoke;
}
