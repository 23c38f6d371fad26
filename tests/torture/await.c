/*
 * Awaits, counted: the linker puts this in the place of lcowmig__flow_await_begin (--wrap). A cancel that comes before an await has begun
 * finds no host call to end; the flow has to see it all the same, and leave whatever it holds.
 */
#include <string.h>

#include "engine/operation.h"
#include "torture.h"

bool __real_lcowmig__flow_await_begin(lcowmig__flow *flow, int label);
bool __wrap_lcowmig__flow_await_begin(lcowmig__flow *flow, int label);

static lcowmig__flow *outermost(lcowmig__flow *flow)
{
	while (flow->rest->parent)
		flow = flow->rest->parent;
	return flow;
}

/* As lcowmig_context_cancel does it, with the lock held already. */
static void cancel_operation(lcowmig__flow *flow)
{
	lcowmig__flow *outer = outermost(flow);

	if (outer->rest->operation->is_cancelled)
		return;
	outer->rest->operation->is_cancelled = true;
	lcowmig__flow_interrupt(outer, LCOWMIG_E_CANCELLED, "was cancelled");
}

/* What winds objects down in the background has made sure of all it needs; nobody could try it again. */
static bool may_be_refused(lcowmig__flow *flow)
{
	const lcowmig__flow *outer = outermost(flow);

	return outer->rest->operation || strcmp(outer->class->name, "transfer") == 0;
}

/* Nothing is asked of the host, although the flow has a shield: as if every request were refused. */
static bool refuse(lcowmig__flow *flow, int label)
{
	bool was_shielded = flow->is_shielded;
	bool begins;

	flow->is_shielded = false;
	lcowmig__flow_interrupt(flow, LCOWMIG_E_TIMED_OUT, "was not over in time");
	begins = __real_lcowmig__flow_await_begin(flow, label);
	flow->is_shielded = was_shielded;
	return begins;
}

static bool refusal_is_due(unsigned count)
{
	torture_plan *plan = &torture_armed;

	if (plan->kind == TORTURE_AWAIT_REFUSE_ALL && plan->is_over)
		return false;
	if (plan->kind == TORTURE_AWAIT_REFUSE ? count != plan->nth : plan->kind != TORTURE_AWAIT_REFUSE_ALL || count < plan->nth)
		return false;
	plan->was_met = true;
	return true;
}

bool __wrap_lcowmig__flow_await_begin(lcowmig__flow *flow, int label)
{
	torture_plan *plan = &torture_armed;

	if (!plan->host || flow->context != plan->host->context)
		return __real_lcowmig__flow_await_begin(flow, label);
	if (may_be_refused(flow) && refusal_is_due(++plan->refusable))
		return refuse(flow, label);
	/* Only what somebody waits for can be cancelled. */
	if (!outermost(flow)->rest->operation || ++plan->awaits != plan->nth)
		return __real_lcowmig__flow_await_begin(flow, label);
	plan->was_met = plan->was_met || plan->kind == TORTURE_AWAIT_CANCEL || plan->kind == TORTURE_AWAIT_INTERRUPT;
	if (plan->kind == TORTURE_AWAIT_CANCEL)
		cancel_operation(flow);
	else if (plan->kind == TORTURE_AWAIT_INTERRUPT)
		lcowmig__flow_interrupt(flow, LCOWMIG_E_TIMED_OUT, "was not over in time");
	return __real_lcowmig__flow_await_begin(flow, label);
}
