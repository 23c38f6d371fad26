/* Signalling a whole pod: every container at once. */
#include "private.h"

struct pod_kill {
	lcowmig__flow flow;
	lcowmig_pod *pod;
	uint32_t signal;
};

static void kill_start(struct pod_kill *self)
{
	lcowmig_container *container;

	for (container = lcowmig__pod_next(self->pod, NULL); container; container = lcowmig__pod_next(self->pod, container))
		lcowmig__flow_child(&self->flow, lcowmig__container_kill_flow(container, "", self->signal, true, NULL));
}

static void kill_step(lcowmig__flow *flow)
{
	struct pod_kill *self = (struct pod_kill *)flow;

	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, kill_start(self));
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__wrap(flow->error, flow->result, "pod %s", self->pod->id));
	FLOW_END(flow);
}

static const lcowmig__flow_class kill_class = { "kill", kill_step, NULL, false };

lcowmig__flow *lcowmig__pod_kill_flow(lcowmig_pod *pod, uint32_t signal, lcowmig_error *error)
{
	struct pod_kill *self = lcowmig__flow_new(sizeof *self, &kill_class, pod->object.context, &pod->object, error);

	if (!self)
		return NULL;
	self->pod = pod;
	self->signal = signal;
	return &self->flow;
}
