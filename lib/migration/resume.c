/*
 * Letting the sandbox run here, on whichever side and from wherever an earlier attempt stopped:
 *
 *     HCS finalise(resume) -> wait ids adopted -> machine: guest connection, floors, SCSI -> all pods at once
 *
 * The wait ids come before the connection, because the answers to them may be the first thing the guest sends.
 */
#include "migration.h"

struct resume_pod {
	lcowmig__session_flow base;
	lcowmig_pod *pod;
};

static void resume_pod_step(lcowmig__flow *flow)
{
	struct resume_pod *self = (struct resume_pod *)flow;
	lcowmig_migration *m = self->base.m;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__pod_resume_flow(self->pod, !lcowmig__session_is_source(m), NULL)));
	m->n_resumed += lcowmig__pod_count(self->pod);
	lcowmig__session_step(m, LCOWMIG_STEP_RESUMED, m->n_resumed, m->sandbox->containers.count, NULL);
	FLOW_END(flow);
}

static const lcowmig__flow_class resume_pod_class = { .name = "resume of a pod", .step = resume_pod_step };

static void resume_pods(lcowmig__flow *flow, lcowmig_migration *m)
{
	lcowmig_pod *pod;

	m->n_resumed = 0;
	for (pod = lcowmig__sandbox_next_pod(m->sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(m->sandbox, pod)) {
		struct resume_pod *child = lcowmig__session_flow_new(m, sizeof *child, &resume_pod_class, false, NULL);

		if (child)
			child->pod = pod;
		lcowmig__flow_child(flow, child ? &child->base.flow : NULL);
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

static void resume_step(lcowmig__flow *flow)
{
	lcowmig_migration *m = ((lcowmig__session_flow *)flow)->m;
	lcowmig_vm *vm = m->sandbox->vm;

	FLOW_BEGIN(flow);
	if (!resume_is_running(m)) {
		m->resume_begun = true;
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_finalize_flow(vm, true, NULL)));
		/* A refusal leaves the machine where it was; silence may mean anything, but not to a later session. */
		if (flow->result != LCOWMIG_OK && flow->result != LCOWMIG_E_TIMED_OUT && flow->result != LCOWMIG_E_CANCELLED)
			m->resume_begun = false;
		FLOW_CHECK(flow, flow->result);
	}
	m->resume_begun = true;
	FLOW_CHECK(flow, resume_adopt(m, flow->error));
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_RESUME_MACHINE, NULL);
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__vm_resume_flow(vm, NULL)));
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_RESUME_MACHINE);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_RESUME_PODS, NULL);
	FLOW_TRY(flow, resume_pods(flow, m));
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_BLACKOUT);
	FLOW_END(flow);
}

static void resume_release(lcowmig__flow *flow)
{
	lcowmig_migration *m = ((lcowmig__session_flow *)flow)->m;

	if (lcowmig__session_is_stale(flow))
		return;
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_RESUME_MACHINE);
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_RESUME_PODS);
}

static const lcowmig__flow_class resume_class = { .name = "resume", .step = resume_step, .release = resume_release };

lcowmig__flow *lcowmig__session_resume_flow(lcowmig_migration *m, lcowmig_error *error)
{
	return lcowmig__session_flow_new(m, sizeof(lcowmig__session_flow), &resume_class, false, error);
}
