/*
 * Letting the sandbox run here, on whichever side and from wherever an earlier attempt stopped:
 *
 *     HCS finalise(resume) -> wait ids adopted -> machine: guest connection, floors, SCSI -> all pods at once
 *
 * The wait ids come before the connection, because the answers to them may be the first thing the guest sends.
 */
#include "migration.h"

struct resume {
	lcowmig__flow flow;
	lcowmig_migration *m;
	uint64_t generation;
};

struct resume_pod {
	lcowmig__flow flow;
	lcowmig_migration *m;
	lcowmig_pod *pod;
};

static size_t resume_count_containers(const lcowmig_migration *m)
{
	return m->sandbox->containers.count;
}

static void resume_pod_step(lcowmig__flow *flow)
{
	struct resume_pod *self = (struct resume_pod *)flow;
	lcowmig_migration *m = self->m;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__pod_resume_flow(self->pod, !lcowmig__session_is_source(m), flow->error)));
	m->n_resumed += lcowmig__pod_count(self->pod);
	lcowmig__session_step(m, LCOWMIG_STEP_RESUMED, m->n_resumed, resume_count_containers(m), NULL);
	FLOW_END(flow);
}

static const lcowmig__flow_class resume_pod_class = { "resume of a pod", resume_pod_step, NULL, false };

static void resume_pods(lcowmig__flow *flow, lcowmig_migration *m)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_pod *pod;

	m->n_resumed = 0;
	for (pod = lcowmig__sandbox_next_pod(m->sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(m->sandbox, pod)) {
		struct resume_pod *child = lcowmig__flow_new(sizeof *child, &resume_pod_class, m->object.context, NULL, &error);

		if (child) {
			child->m = m;
			child->pod = pod;
		}
		lcowmig__flow_child(flow, child ? &child->flow : NULL);
	}
}

static lcowmig_status resume_adopt(lcowmig_migration *m, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig_pod *pod;

	if (lcowmig__session_is_source(m))
		return LCOWMIG_OK; /* its waits are still its own */
	for (pod = lcowmig__sandbox_next_pod(m->sandbox, NULL); pod && status == LCOWMIG_OK;
	     pod = lcowmig__sandbox_next_pod(m->sandbox, pod))
		status = lcowmig__pod_adopt(pod, error);
	return status;
}

/* Whether HCS has let the machine run already. */
static bool resume_is_running(const lcowmig_migration *m)
{
	lcowmig__vm_state state = lcowmig__vm_get_state(m->sandbox->vm);

	return state == LCOWMIG__VM_FINALIZED || state == LCOWMIG__VM_RUNNING;
}

static lcowmig__flow *resume_finalize_flow(struct resume *self)
{
	return lcowmig__vm_finalize_flow(self->m->sandbox->vm, true, self->flow.error);
}

static void resume_step(lcowmig__flow *flow)
{
	struct resume *self = (struct resume *)flow;
	lcowmig_migration *m = self->m;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	if (!resume_is_running(m)) {
		m->resume_begun = true;
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, resume_finalize_flow(self)));
		/* A refusal leaves the machine where it was; silence may mean anything. */
		if (flow->result != LCOWMIG_OK && flow->result != LCOWMIG_E_TIMED_OUT && flow->result != LCOWMIG_E_CANCELLED)
			m->resume_begun = false;
		if (flow->result != LCOWMIG_OK)
			FLOW_RETURN(flow, flow->result);
	}
	m->resume_begun = true;
	status = resume_adopt(m, flow->error);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_RESUME_MACHINE, NULL);
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__vm_resume_flow(m->sandbox->vm, flow->error)));
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_RESUME_MACHINE);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_RESUME_PODS, NULL);
	FLOW_TRY(flow, resume_pods(flow, m));
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_BLACKOUT);
	FLOW_END(flow);
}

static void resume_release(lcowmig__flow *flow)
{
	struct resume *self = (struct resume *)flow;

	if (lcowmig__session_is_stale(self->m, self->generation))
		return;
	lcowmig__timeline_end(&self->m->timeline, LCOWMIG__SPAN_RESUME_MACHINE);
	lcowmig__timeline_end(&self->m->timeline, LCOWMIG__SPAN_RESUME_PODS);
}

static const lcowmig__flow_class resume_class = { "resume", resume_step, resume_release, false };

lcowmig__flow *lcowmig__session_resume_flow(lcowmig_migration *m, lcowmig_error *error)
{
	struct resume *self = lcowmig__flow_new(sizeof *self, &resume_class, m->object.context, NULL, error);

	if (!self)
		return NULL;
	self->m = m;
	self->generation = m->generation;
	return &self->flow;
}
