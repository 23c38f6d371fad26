#include "flow.h"

#include <string.h>

#include "call.h"
#include "operation.h"

#define FLOW_ARENA_HINT 256

void lcowmig__flow_init(lcowmig__flow *flow, const lcowmig__flow_class *class, lcowmig_context *context, lcowmig__object *object,
                        lcowmig__flow_rest *rest)
{
	memset(flow, 0, sizeof *flow);
	memset(rest, 0, sizeof *rest);
	flow->class = class;
	flow->context = context;
	flow->object = object;
	flow->error = &rest->error;
	flow->rest = rest;
	rest->flow = flow;
	lcowmig__list_init(&rest->ready);
	lcowmig__list_init(&rest->on_object);
	lcowmig__list_init(&rest->in_parent);
	lcowmig__list_init(&rest->children);
	lcowmig__list_init(&rest->calls);
	lcowmig__list_init(&rest->queued);
	lcowmig__buf_init(&rest->reply, &context->mem);
	lcowmig__arena_init(&rest->arena, &context->mem, FLOW_ARENA_HINT);
	lcowmig__error_init(&rest->error);
}

void *lcowmig__flow_new(size_t size, const lcowmig__flow_class *class, lcowmig_context *context, lcowmig__object *object,
                        lcowmig_error *error)
{
	/* The rest comes behind the struct, which may end in bytes of any number. */
	const size_t place = (size + _Alignof(lcowmig__flow_rest) - 1) / _Alignof(lcowmig__flow_rest) * _Alignof(lcowmig__flow_rest);
	lcowmig__flow *flow = lcowmig__alloc(&context->mem, place + sizeof(lcowmig__flow_rest));

	if (!flow) {
		lcowmig__fail_memory(error);
		return NULL;
	}
	lcowmig__flow_init(flow, class, context, object, (lcowmig__flow_rest *)(void *)((char *)flow + place));
	flow->on_heap = true;
	return flow;
}

void *lcowmig__flow_alloc(lcowmig__flow *flow, size_t size)
{
	void *piece = lcowmig__arena_alloc(&flow->rest->arena, size);

	flow->lacks_memory |= !piece;
	return piece;
}

char *lcowmig__flow_bytes(lcowmig__flow *flow, const char *bytes, size_t size)
{
	char *copy = lcowmig__arena_strndup(&flow->rest->arena, bytes, size);

	flow->lacks_memory |= !copy;
	return copy;
}

char *lcowmig__flow_text(lcowmig__flow *flow, const char *text)
{
	return text ? lcowmig__flow_bytes(flow, text, strlen(text)) : NULL;
}

lcowmig__flow *lcowmig__flow_made(lcowmig__flow *flow, bool is_complete, lcowmig_error *error)
{
	if (is_complete && !flow->lacks_memory)
		return flow;
	lcowmig__fail_memory(error);
	lcowmig__flow_discard(flow);
	return NULL;
}

static void flow_release(lcowmig__flow *flow)
{
	if (flow->class->release)
		flow->class->release(flow);
	lcowmig__buf_done(&flow->rest->reply);
	lcowmig__arena_done(&flow->rest->arena);
	if (flow->on_heap)
		lcowmig__free(&flow->context->mem, flow);
}

void lcowmig__flow_discard(lcowmig__flow *flow)
{
	if (flow)
		flow_release(flow);
}

/* From here on the flow counts as in flight on its object. */
static void flow_launch(lcowmig__flow *flow)
{
	flow->started = true;
	if (flow->object)
		lcowmig__list_append(&flow->object->flows, &flow->rest->on_object);
	lcowmig__list_append(&flow->context->pump->ready, &flow->rest->ready);
}

void lcowmig__flow_child(lcowmig__flow *parent, lcowmig__flow *child)
{
	if (!child) {
		lcowmig_error error = LCOWMIG_ERROR_INIT;

		lcowmig__flow_await_failed(parent, lcowmig__fail_memory(&error), &error);
		return;
	}
	child->rest->parent = parent;
	parent->waiting++;
	lcowmig__list_append(&parent->rest->children, &child->rest->in_parent);
	flow_launch(child);
}

void lcowmig__flow_background(lcowmig__flow *flow)
{
	flow_launch(flow);
}

bool lcowmig__flow_await_begin(lcowmig__flow *flow, int label)
{
	lcowmig_status interrupt = flow->interrupt;

	flow->label = label;
	flow->result = LCOWMIG_OK;
	lcowmig__buf_clear(&flow->rest->reply);
	flow->handle = NULL;
	if (interrupt == LCOWMIG_OK || flow->is_shielded)
		return true;
	flow->interrupt = LCOWMIG_OK;
	flow->result = lcowmig__fail(flow->failure == LCOWMIG_OK ? flow->error : NULL, interrupt, "%s %s", flow->class->name,
				     flow->rest->interrupt_why);
	return false;
}

void lcowmig__flow_await_failed(lcowmig__flow *flow, lcowmig_status status, const lcowmig_error *error)
{
	if (flow->result != LCOWMIG_OK)
		return; /* the first failure stands */
	flow->result = status;
	if (flow->failure != LCOWMIG_OK)
		return; /* its sentence stands */
	lcowmig__error_copy(flow->error, error);
	flow->error->status = status;
}

void lcowmig__flow_await_over(lcowmig__flow *flow)
{
	if (--flow->waiting == 0)
		lcowmig__list_append(&flow->context->pump->ready, &flow->rest->ready);
}

void lcowmig__flow_finish(lcowmig__flow *flow, lcowmig_status status)
{
	flow->result = status;
	flow->ended = true;
}

/* What the flow waited for may have changed its object: only now its state counts. */
static void flow_check_trigger(lcowmig__flow *flow)
{
	if (flow->rest->has_trigger && flow->result == LCOWMIG_OK)
		flow->result = lcowmig__object_check(flow->object, flow->rest->trigger, flow->error);
	flow->rest->has_trigger = false;
}

void lcowmig__flow_step(lcowmig__flow *flow)
{
	lcowmig__flow *parent = flow->rest->parent;
	lcowmig__operation *operation = flow->rest->operation;

	/* An await whose things were all finished at once is over already. */
	do {
		flow_check_trigger(flow);
		if (flow->label < 0 && flow->result != LCOWMIG_OK)
			lcowmig__flow_finish(flow, flow->result);
		else
			flow->class->step(flow);
	} while (!flow->ended && !flow->waiting);
	if (!flow->ended)
		return;
	lcowmig__gate_leave_all(flow);
	lcowmig__flow_clear_deadline(flow);
	lcowmig__list_remove(&flow->rest->on_object);
	lcowmig__list_remove(&flow->rest->in_parent);
	if (flow->result == LCOWMIG_OK)
		lcowmig__error_init(flow->error);
	if (parent && flow->result != LCOWMIG_OK)
		lcowmig__flow_await_failed(parent, flow->result, flow->error);
	if (operation)
		lcowmig__operation_end(operation, flow->result, flow->error);
	flow_release(flow);
	if (parent)
		lcowmig__flow_await_over(parent);
}

/* Ends what the flow waits for. Children are asked, not forced: their own shields hold. */
static void flow_break_await(lcowmig__flow *flow, lcowmig_status status, const char *why)
{
	lcowmig__list *node, *following;
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	lcowmig__fail(&error, status, "%s %s", flow->class->name, why);
	lcowmig__flow_await_failed(flow, status, &error);
	LCOWMIG__LIST_EACH (node, following, &flow->rest->children)
		lcowmig__flow_interrupt(LCOWMIG__FLOW_OF(node, in_parent), status, why);
	if (!lcowmig__list_is_empty(&flow->rest->queued)) {
		lcowmig__list_remove(&flow->rest->queued);
		lcowmig__flow_await_over(flow);
	}
	while (!lcowmig__list_is_empty(&flow->rest->calls))
		lcowmig__call_abandon(LCOWMIG__LIST_ENTRY(flow->rest->calls.next, lcowmig_call, in_flow));
}

void lcowmig__flow_interrupt(lcowmig__flow *flow, lcowmig_status status, const char *why)
{
	if (flow->ended)
		return;
	if (flow->waiting && !flow->is_shielded) {
		flow_break_await(flow, status, why);
		return;
	}
	/* It is about to run, or must not be disturbed: a later await ends at once. The first interrupt stands. */
	if (flow->interrupt == LCOWMIG_OK) {
		flow->interrupt = status;
		flow->rest->interrupt_why = why;
	}
}

void lcowmig__flow_shield(lcowmig__flow *flow, bool is_shielded)
{
	flow->is_shielded = is_shielded;
}

/* The flow set its deadline itself, so no shield keeps it off. It waits: timers fire while nothing is about to run. */
static void flow_deadline_passed(lcowmig__timer *timer)
{
	lcowmig__flow *flow = LCOWMIG__CONTAINER_OF(timer, lcowmig__flow_rest, deadline)->flow;

	flow_break_await(flow, LCOWMIG_E_TIMED_OUT, "was not over in time");
}

void lcowmig__flow_set_deadline(lcowmig__flow *flow, uint64_t nanoseconds)
{
	lcowmig__timer_set(flow->context, &flow->rest->deadline, nanoseconds, flow_deadline_passed);
}

void lcowmig__flow_clear_deadline(lcowmig__flow *flow)
{
	lcowmig__timer_clear(flow->context, &flow->rest->deadline);
}

void *lcowmig__flow_take_handle(lcowmig__flow *flow)
{
	void *handle = flow->handle;

	flow->handle = NULL;
	return handle;
}
