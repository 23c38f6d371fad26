/*
 * How a container ends: its init process exits -> Stopped -> guest handle closed -> waits end -> TASK_EXIT. All that is needed was made
 * with the container.
 */
#include "container_private.h"

struct container_exit {
	lcowmig__container_flow base;
	bool closes_only; /* the end is through already: an abort */
};

void lcowmig__container_close_guest(lcowmig__flow *flow, lcowmig_container *container)
{
	if (container->guest_is_open)
		lcowmig__guest_close_container(flow, container->env, container->gcs_id);
}

static void end_send_exit(lcowmig_container *container)
{
	lcowmig_event *event = container->exit_event;

	container->exit_event = NULL;
	container->exit_is_due = false;
	lcowmig__event_send(event);
}

/* The end as such: signal, and an event if one is due. The state has moved already. Once. */
static void end_finish(lcowmig_container *container)
{
	lcowmig__signal_set(&container->terminated);
	if (!container->init)
		return;
	lcowmig__process_tell_exit(container->init, container->exit_event);
	container->exit_is_due = true;
	if (container->is_announced)
		end_send_exit(container);
}

static void exit_step(lcowmig__flow *flow)
{
	struct container_exit *self = (struct container_exit *)flow;
	lcowmig_container *container = self->base.container;

	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, lcowmig__container_close_guest(flow, container));
	if (!container)
		FLOW_RETURN(flow, LCOWMIG_OK);
	if (flow->result == LCOWMIG_OK)
		container->guest_is_open = false; /* else a delete tries again */
	if (!self->closes_only)
		end_finish(container);
	FLOW_END(flow);
}

static const lcowmig__flow_class exit_class = { .name = "exit", .step = exit_step, .is_watch = true };

lcowmig_status lcowmig__container_prepare_event(lcowmig_container *container, lcowmig_error *error)
{
	if (!container->exit_event)
		container->exit_event = lcowmig__event_new(container->env, LCOWMIG_EVENT_TASK_EXIT, container->id, "", error);
	return container->exit_event ? LCOWMIG_OK : LCOWMIG_E_NO_MEMORY;
}

lcowmig_status lcowmig__container_prepare_end(lcowmig_container *container, lcowmig_error *error)
{
	struct container_exit *self;

	if (!container->exit_flow) {
		self = lcowmig__container_flow_new(container, sizeof *self, &exit_class, error);
		if (!self)
			return LCOWMIG_E_NO_MEMORY;
		container->exit_flow = &self->base.flow;
	}
	return lcowmig__container_prepare_event(container, error);
}

static void end_launch(lcowmig_container *container, bool closes_only)
{
	lcowmig__flow *flow = container->exit_flow;

	container->exit_flow = NULL;
	((struct container_exit *)flow)->closes_only = closes_only;
	lcowmig__flow_background(flow);
}

void lcowmig__container_begin_end(lcowmig_container *container)
{
	lcowmig__object_fire(&container->object, CONTAINER_EXIT);
	end_launch(container, false);
}

/* ---- For imported containers ---- */

void lcowmig__container_announce(lcowmig_container *container)
{
	if (container->object.state == CONTAINER_DESTINATION_MIGRATING || container->is_announced)
		return;
	container->is_announced = true;
	lcowmig__event_send(container->create_event);
	container->create_event = NULL;
	if (container->exit_is_due)
		end_send_exit(container);
}

void lcowmig__container_abort(lcowmig_container *container)
{
	lcowmig__node *node;

	if (container->object.state != CONTAINER_DESTINATION_MIGRATING) {
		lcowmig__container_announce(container); /* it was resumed: whatever becomes of it, it has a name here */
		return;
	}
	for (node = lcowmig__tree_first(&container->processes); node; node = lcowmig__tree_next(node))
		lcowmig__process_abort(lcowmig__process_of_node(node));
	lcowmig__object_fire(&container->object, CONTAINER_ABORT);
	lcowmig__container_drop_resources(container);
	container->is_announced = true;
	if (container->guest_is_open)
		end_launch(container, true);
	end_finish(container);
}

void lcowmig__container_hint_exit(lcowmig_container *container)
{
	if (container->init)
		lcowmig__process_hint_exit(container->init);
}
