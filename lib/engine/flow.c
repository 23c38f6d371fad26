#include "flow.h"

#include <string.h>

#include "call.h"
#include "operation.h"

#define FLOW_ARENA_HINT 256

void lcowmig__flow_init(lcowmig__flow *flow, const lcowmig__flow_class *class, lcowmig_context *context, lcowmig__object *object,
                        lcowmig_error *error)
{
	memset(flow, 0, sizeof *flow);
	flow->class = class;
	flow->context = context;
	flow->object = object;
	lcowmig__list_init(&flow->ready);
	lcowmig__list_init(&flow->on_object);
	lcowmig__list_init(&flow->in_parent);
	lcowmig__list_init(&flow->children);
	lcowmig__list_init(&flow->calls);
	lcowmig__list_init(&flow->queued);
	lcowmig__buf_init(&flow->reply, &context->mem);
	lcowmig__arena_init(&flow->arena, &context->mem, FLOW_ARENA_HINT);
	flow->error = error;
	lcowmig__error_init(error);
}

void *lcowmig__flow_new(size_t size, const lcowmig__flow_class *class, lcowmig_context *context, lcowmig__object *object,
                        lcowmig_error *error)
{
	/* The error comes behind the struct, whose size is a multiple of its pointers' alignment. */
	lcowmig__flow *flow = lcowmig__alloc(&context->mem, size + sizeof(lcowmig_error));

	if (!flow) {
		lcowmig__fail_memory(error);
		return NULL;
	}
	lcowmig__flow_init(flow, class, context, object, (lcowmig_error *)(void *)((char *)flow + size));
	flow->on_heap = true;
	return flow;
}

void *lcowmig__flow_alloc(lcowmig__flow *flow, size_t size)
{
	void *piece = lcowmig__arena_alloc(&flow->arena, size);

	flow->lacks_memory |= !piece;
	return piece;
}

char *lcowmig__flow_bytes(lcowmig__flow *flow, const char *bytes, size_t size)
{
	char *copy = lcowmig__arena_strndup(&flow->arena, bytes, size);

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
	lcowmig__buf_done(&flow->reply);
	lcowmig__arena_done(&flow->arena);
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
		lcowmig__list_append(&flow->object->flows, &flow->on_object);
	lcowmig__list_append(&flow->context->pump->ready, &flow->ready);
}

void lcowmig__flow_child(lcowmig__flow *parent, lcowmig__flow *child)
{
	if (!child) {
		lcowmig_error error = LCOWMIG_ERROR_INIT;

		lcowmig__flow_await_failed(parent, lcowmig__fail_memory(&error), &error);
		return;
	}
	child->parent = parent;
	parent->waiting++;
	lcowmig__list_append(&parent->children, &child->in_parent);
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
	lcowmig__buf_clear(&flow->reply);
	flow->handle = NULL;
	if (interrupt == LCOWMIG_OK || flow->is_shielded)
		return true;
	flow->interrupt = LCOWMIG_OK;
	flow->result = lcowmig__fail(flow->failure == LCOWMIG_OK ? flow->error : NULL, interrupt, "%s %s", flow->class->name,
				     flow->interrupt_why);
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
		lcowmig__list_append(&flow->context->pump->ready, &flow->ready);
}

void lcowmig__flow_finish(lcowmig__flow *flow, lcowmig_status status)
{
	flow->result = status;
	flow->ended = true;
}

void lcowmig__flow_step(lcowmig__flow *flow)
{
	lcowmig__flow *parent = flow->parent;
	lcowmig__operation *operation = flow->operation;

	/* An await whose things were all finished at once is over already. */
	do {
		if (flow->label < 0 && flow->result != LCOWMIG_OK)
			lcowmig__flow_finish(flow, flow->result);
		else
			flow->class->step(flow);
	} while (!flow->ended && !flow->waiting);
	if (!flow->ended)
		return;
	lcowmig__gate_leave_all(flow);
	lcowmig__flow_clear_deadline(flow);
	lcowmig__list_remove(&flow->on_object);
	lcowmig__list_remove(&flow->in_parent);
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
	LCOWMIG__LIST_EACH (node, following, &flow->children)
		lcowmig__flow_interrupt(LCOWMIG__LIST_ENTRY(node, lcowmig__flow, in_parent), status, why);
	if (!lcowmig__list_is_empty(&flow->queued)) {
		lcowmig__list_remove(&flow->queued);
		lcowmig__flow_await_over(flow);
	}
	while (!lcowmig__list_is_empty(&flow->calls))
		lcowmig__call_abandon(LCOWMIG__LIST_ENTRY(flow->calls.next, lcowmig_call, in_flow));
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
		flow->interrupt_why = why;
	}
}

void lcowmig__flow_shield(lcowmig__flow *flow, bool is_shielded)
{
	flow->is_shielded = is_shielded;
}

/* The flow set its deadline itself, so no shield keeps it off. It waits: timers fire while nothing is about to run. */
static void flow_deadline_passed(lcowmig__timer *timer)
{
	lcowmig__flow *flow = LCOWMIG__CONTAINER_OF(timer, lcowmig__flow, deadline);

	flow_break_await(flow, LCOWMIG_E_TIMED_OUT, "was not over in time");
}

void lcowmig__flow_set_deadline(lcowmig__flow *flow, uint64_t nanoseconds)
{
	lcowmig__timer_set(flow->context, &flow->deadline, nanoseconds, flow_deadline_passed);
}

void lcowmig__flow_clear_deadline(lcowmig__flow *flow)
{
	lcowmig__timer_clear(flow->context, &flow->deadline);
}

void *lcowmig__flow_take_handle(lcowmig__flow *flow)
{
	void *handle = flow->handle;

	flow->handle = NULL;
	return handle;
}
