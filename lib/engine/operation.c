#include "operation.h"

static void operation_deliver(lcowmig__delivery *delivery)
{
	lcowmig__operation *operation = LCOWMIG__CONTAINER_OF(delivery, lcowmig__operation, delivery);
	lcowmig__mem mem = operation->context->mem;

	if (operation->done)
		operation->done(operation->user, operation->status, &operation->error);
	lcowmig__free(&mem, operation);
}

void lcowmig__operation_end(lcowmig__operation *operation, lcowmig_status status, const lcowmig_error *error)
{
	operation->flow = NULL;
	operation->has_ended = true;
	operation->status = status;
	lcowmig__error_copy(&operation->error, error);
	lcowmig__list_remove(&operation->in_context);
	if (operation->is_pending)
		lcowmig__deliver(operation->context, &operation->delivery);
}

/* The end is reported by the return value, not by done. */
static lcowmig_status operation_collect(lcowmig__operation *operation, lcowmig_error *error)
{
	lcowmig_status status = operation->status;

	if (status != LCOWMIG_OK)
		lcowmig__error_copy(error, &operation->error);
	lcowmig__free(&operation->context->mem, operation);
	return status;
}

lcowmig_status lcowmig__leave_with(lcowmig_context *context, lcowmig__pump *pump, lcowmig_status status, lcowmig__flow *flow,
                                   lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__operation *operation = NULL;

	if (status == LCOWMIG_OK && flow) {
		operation = lcowmig__alloc(&context->mem, sizeof *operation);
		if (!operation) {
			lcowmig__flow_discard(flow);
			status = lcowmig__fail_memory(error);
		}
	}
	if (operation) {
		operation->delivery.run = operation_deliver;
		operation->context = context;
		operation->flow = flow;
		operation->done = done;
		operation->user = user;
		lcowmig__list_init(&operation->delivery.node);
		lcowmig__list_append(&context->operations, &operation->in_context);
		lcowmig__error_init(&operation->error);
		flow->rest->operation = operation;
		lcowmig__flow_background(flow);
	}
	lcowmig__run(context, pump);
	if (operation && operation->has_ended)
		status = operation_collect(operation, error);
	else if (operation) {
		operation->is_pending = true;
		status = LCOWMIG_PENDING;
	}
	lcowmig__leave(context, pump);
	return status;
}

static lcowmig_context *handle_context(const void *handle)
{
	return ((const lcowmig__object *)handle)->context;
}

bool lcowmig__enter_object(const void *handle, const void *argument, const char *what, lcowmig__pump *pump, lcowmig_error *error)
{
	if (!handle || !argument) {
		lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s is NULL", what);
		return false;
	}
	lcowmig__enter(handle_context(handle), pump);
	return true;
}

lcowmig_status lcowmig__leave_object(const void *handle, lcowmig__pump *pump, lcowmig_status status)
{
	lcowmig__leave(handle_context(handle), pump);
	return status;
}

lcowmig_status lcowmig__leave_flow(const void *handle, lcowmig__pump *pump, lcowmig_status status, lcowmig__flow *flow,
				   lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	if (status == LCOWMIG_OK && !flow)
		status = LCOWMIG_E_NO_MEMORY;
	return lcowmig__leave_with(handle_context(handle), pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_context_cancel(lcowmig_context *context, lcowmig_done_fn done, void *user)
{
	lcowmig_status status = LCOWMIG_E_NOT_FOUND;
	lcowmig__list *node, *following;
	lcowmig__pump pump;

	if (!context)
		return LCOWMIG_E_INVALID_ARGUMENT;
	lcowmig__enter(context, &pump);
	LCOWMIG__LIST_EACH (node, following, &context->operations) {
		lcowmig__operation *operation = LCOWMIG__LIST_ENTRY(node, lcowmig__operation, in_context);

		if (operation->done == done && operation->user == user) {
			status = LCOWMIG_OK;
			if (operation->is_cancelled)
				continue;
			operation->is_cancelled = true;
			lcowmig__flow_interrupt(operation->flow, LCOWMIG_E_CANCELLED, "was cancelled");
		}
	}
	lcowmig__leave(context, &pump);
	return status;
}
