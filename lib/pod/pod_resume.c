/*
 * Bringing a pod back: every container reattaches while the network is rebuilt.
 *
 *     network -> Configured      (at once, no call)
 *     +- container 1 … n         (all at once)
 *     +- network reset           (destination)
 *     live, then TASK_CREATE for each container (destination)
 *
 * So the time it takes does not depend on how many containers there are, and a task is announced only when its pod is complete
 * (X-34).
 */
#include "private.h"

struct pod_resume {
	lcowmig__flow flow;
	bool is_destination;
};

static void resume_start(struct pod_resume *self)
{
	lcowmig_pod *pod = (lcowmig_pod *)self->flow.object;
	lcowmig_container *container;

	for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
		lcowmig__flow_child(&self->flow, lcowmig__container_resume_flow(container, self->is_destination, NULL));
	if (self->is_destination && pod->network)
		lcowmig__flow_child(&self->flow, lcowmig__network_reset_flow(pod->network, NULL));
}

/* What can be refused before anybody is asked. */
static lcowmig_status resume_prepare(lcowmig_pod *pod, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig_scsi *scsi;

	if (pod->network)
		status = lcowmig__network_resume(pod->network, error);
	if (status == LCOWMIG_OK)
		status = pod->vm->scsi(pod->vm->user, &scsi, error);
	return status;
}

static void resume_announce(lcowmig_pod *pod)
{
	lcowmig_container *container;

	for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
		lcowmig__container_announce(container);
}

static void resume_step(lcowmig__flow *flow)
{
	struct pod_resume *self = (struct pod_resume *)flow;
	lcowmig_pod *pod = (lcowmig_pod *)flow->object;

	FLOW_BEGIN(flow);
	if (!lcowmig__pod_is_migrating(pod)) {
		lcowmig__object_fire(&pod->object, LCOWMIG__POD_RESUME);
		FLOW_RETURN(flow, LCOWMIG_OK);
	}
	FLOW_CHECK(flow, lcowmig__pod_result(flow, resume_prepare(pod, flow->error)));
	FLOW_AWAIT(flow, resume_start(self));
	FLOW_CHECK(flow, lcowmig__pod_result(flow, flow->result));
	lcowmig__object_fire(&pod->object, LCOWMIG__POD_RESUME);
	pod->sandbox_container = NULL;
	if (self->is_destination)
		resume_announce(pod);
	FLOW_END(flow);
}

static const lcowmig__work_class resume_class = { { "resume", resume_step, NULL, false }, sizeof(struct pod_resume), "the pod" };

lcowmig__flow *lcowmig__pod_resume_flow(lcowmig_pod *pod, bool is_destination, lcowmig_error *error)
{
	struct pod_resume *self = lcowmig__work_new(pod, error, &resume_class);

	if (!self)
		return NULL;
	self->is_destination = is_destination;
	return &self->flow;
}
