/*
 * Awaits, counted: the linker puts this in the place of lcowmig__flow_await_begin (--wrap). A cancel that comes before an await has begun finds no host
 * call to end; the flow has to see it all the same, and leave whatever it holds.
 */
#include "engine/operation.h"
#include "torture.h"

bool __real_lcowmig__flow_await_begin(lcowmig__flow *flow);
bool __wrap_lcowmig__flow_await_begin(lcowmig__flow *flow);

static lcowmig__flow *outermost(lcowmig__flow *flow)
{
	while (flow->parent)
		flow = flow->parent;
	return flow;
}

/* As lcowmig_context_cancel does it, with the lock held already. */
static void cancel_operation(lcowmig__flow *flow)
{
	lcowmig__flow *outer = outermost(flow);

	if (outer->operation->is_cancelled)
		return;
	outer->operation->is_cancelled = true;
	lcowmig__flow_interrupt(outer, LCOWMIG_E_CANCELLED, "was cancelled");
}

bool __wrap_lcowmig__flow_await_begin(lcowmig__flow *flow)
{
	torture_plan *plan = &torture_armed;

	/* Only what somebody waits for can be cancelled. */
	if (!plan->host || flow->context != plan->host->context || !outermost(flow)->operation)
		return __real_lcowmig__flow_await_begin(flow);
	plan->awaits++;
	if (torture_is_about_awaits(plan->kind) && plan->awaits == plan->nth) {
		plan->was_met = true;
		if (plan->kind == TORTURE_AWAIT_CANCEL)
			cancel_operation(flow);
		else
			lcowmig__flow_interrupt(flow, LCOWMIG_E_TIMED_OUT, "was not over in time");
	}
	return __real_lcowmig__flow_await_begin(flow);
}
