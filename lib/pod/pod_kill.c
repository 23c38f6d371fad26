/* Signalling a whole pod: every container at once. */
#include "private.h"

struct pod_kill {
	lcowmig__flow flow;
	uint32_t signal;
};

static void kill_start(struct pod_kill *self)
{
	lcowmig_pod *pod = (lcowmig_pod *)self->flow.object;
	lcowmig_container *container;

	for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
		lcowmig__flow_child(&self->flow, lcowmig__container_kill_flow(container, "", self->signal, true, NULL));
}

static void kill_step(lcowmig__flow *flow)
{
	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, kill_start((struct pod_kill *)flow));
	FLOW_RETURN(flow, lcowmig__pod_result(flow, flow->result));
	FLOW_END(flow);
}

static const lcowmig__work_class kill_class = { { "kill", kill_step, NULL, false }, sizeof(struct pod_kill), "the pod" };

lcowmig_status lcowmig_pod_kill(lcowmig_pod *pod, uint32_t signal, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__flow *flow;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(pod, pod, kill_class.what, &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	flow = lcowmig__work_new(pod, error, &kill_class);
	if (flow)
		((struct pod_kill *)flow)->signal = signal;
	return lcowmig__leave_flow(pod, &pump, LCOWMIG_OK, flow, done, user, error);
}
