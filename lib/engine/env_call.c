#include "env_call.h"

static lcowmig_status invoke_out_of_memory(lcowmig_call *call)
{
	(void)call;
	return LCOWMIG_E_NO_MEMORY;
}

void lcowmig__env_set_text(lcowmig_call *call, const char *text)
{
	call->text[0] = lcowmig__strdup(&call->context->mem, text ? text : "");
	if (!call->text[0])
		call->invoke = invoke_out_of_memory;
}

lcowmig_call *lcowmig__call_spare(const lcowmig__env *env)
{
	lcowmig_call *call = lcowmig__alloc(&env->context->mem, sizeof *call);

	if (!call)
		return NULL;
	call->context = env->context;
	call->env = env;
	lcowmig__list_init(&call->in_flow);
	lcowmig__list_init(&call->outbox);
	return call;
}

void lcowmig__call_spare_free(lcowmig_call *spare)
{
	if (spare)
		lcowmig__free(&spare->context->mem, spare);
}

void lcowmig__env_post(lcowmig_call *spare, const char *what, lcowmig_status (*invoke)(lcowmig_call *call), void *handle)
{
	spare->what = what;
	spare->invoke = invoke;
	spare->handle_argument = handle;
	lcowmig__list_append(&spare->context->pump->outbox, &spare->outbox);
	spare->context->calls++;
	if (spare->env->calls)
		++*spare->env->calls;
}

void lcowmig__env_discard(lcowmig_call *late, const char *what, lcowmig_status (*invoke)(lcowmig_call *call), void *handle)
{
	late->what = what;
	late->handle_argument = handle;
	late->invoke = invoke;
}
