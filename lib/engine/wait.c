/* Gates and signals: what flows wait for besides host calls and children. */
#include "flow.h"

void lcowmig__gate_init(lcowmig__gate *gate)
{
	gate->holder = NULL;
	gate->next_held = NULL;
	lcowmig__list_init(&gate->queue);
}

static void gate_give(lcowmig__gate *gate, lcowmig__flow *flow)
{
	gate->holder = flow;
	gate->next_held = flow->rest->gates;
	flow->rest->gates = gate;
}

void lcowmig__gate_enter(lcowmig__flow *flow, lcowmig__gate *gate)
{
	if (!gate->holder) {
		gate_give(gate, flow);
		return;
	}
	flow->waiting++;
	lcowmig__list_append(&gate->queue, &flow->rest->queued);
}

void lcowmig__gate_enter_for(lcowmig__flow *flow, lcowmig__gate *gate, int trigger)
{
	flow->rest->has_trigger = true;
	flow->rest->trigger = trigger;
	lcowmig__gate_enter(flow, gate);
}

void lcowmig__gate_leave(lcowmig__flow *flow, lcowmig__gate *gate)
{
	lcowmig__gate **link = &flow->rest->gates;
	lcowmig__list *node;

	if (gate->holder != flow)
		return;
	while (*link != gate)
		link = &(*link)->next_held;
	*link = gate->next_held;
	gate->holder = NULL;
	node = lcowmig__list_pop(&gate->queue);
	if (!node)
		return;
	gate_give(gate, LCOWMIG__FLOW_OF(node, queued));
	lcowmig__flow_await_over(gate->holder);
}

void lcowmig__gate_leave_all(lcowmig__flow *flow)
{
	while (flow->rest->gates)
		lcowmig__gate_leave(flow, flow->rest->gates);
}

void lcowmig__signal_init(lcowmig__signal *signal)
{
	signal->is_set = false;
	lcowmig__list_init(&signal->queue);
}

void lcowmig__signal_wait(lcowmig__flow *flow, lcowmig__signal *signal)
{
	if (signal->is_set)
		return;
	flow->waiting++;
	lcowmig__list_append(&signal->queue, &flow->rest->queued);
}

void lcowmig__signal_set(lcowmig__signal *signal)
{
	lcowmig__list *node;

	signal->is_set = true;
	while ((node = lcowmig__list_pop(&signal->queue)) != NULL)
		lcowmig__flow_await_over(LCOWMIG__FLOW_OF(node, queued));
}

void lcowmig__signal_reset(lcowmig__signal *signal)
{
	signal->is_set = !lcowmig__list_is_empty(&signal->queue);
}
