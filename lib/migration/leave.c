/*
 * Leaving a session: cleanup, where everything has been decided, and abandon, from anywhere.
 *
 * Abandon interrupts what is in flight and waits for its end, then lets run what may run here and stops the rest. Each of its waits is
 * bounded, and at its end the session is Idle whatever happened; what it could not do is its result.
 */
#include "migration.h"

#define ABANDON_WAIT_NS UINT64_C(30000000000)
#define ABANDON_ACT_NS UINT64_C(300000000000) /* longer than a machine's own bounds, so that those apply */

static lcowmig_status cleanup_begin(lcowmig_migration *m, lcowmig_error *error)
{
	bool is_discarded = !lcowmig__session_is_source(m) && m->object.state == LCOWMIG_MIGRATION_CANCELLED;
	int trigger = is_discarded ? LCOWMIG__MIGRATION_CLEANUP_DISCARDED : LCOWMIG__MIGRATION_CLEANUP;
	lcowmig_status status = lcowmig__object_check(&m->object, trigger, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__session_check_quiet(m, error);
	if (status != LCOWMIG_OK)
		return status;
	if (is_discarded && !m->resume_begun)
		lcowmig__session_discard(m);
	lcowmig__object_fire(&m->object, trigger);
	if (m->id)
		lcowmig__session_close(m);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_migration_cleanup(lcowmig_migration *m, const char *session_id, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!m)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "cleanup: migration is NULL");
	lcowmig__enter(m->object.context, &pump);
	status = lcowmig__session_check(m, session_id, error);
	if (status == LCOWMIG_OK)
		status = cleanup_begin(m, error);
	lcowmig__leave(m->object.context, &pump);
	return status;
}

/* ---- Abandon ---- */

typedef enum abandon_way { ABANDON_NOTHING, ABANDON_RESUME, ABANDON_STOP } abandon_way;

struct abandon {
	lcowmig__flow flow;
	lcowmig_migration *m;
	lcowmig_status status; /* the first thing that could not be done */
	lcowmig_error problem;
};

static void abandon_interrupt(lcowmig_migration *m)
{
	static const char why[] = "was abandoned with its session";

	lcowmig__session_interrupt_work(m, LCOWMIG_E_CANCELLED, why);
	if (m->cancel)
		lcowmig__flow_interrupt(m->cancel, LCOWMIG_E_CANCELLED, why);
	if (m->background)
		lcowmig__flow_interrupt(m->background, LCOWMIG_E_CANCELLED, why);
}

/* What is left at the host by a preparation or a transfer. */
static bool abandon_needs_cancel(const lcowmig_migration *m)
{
	lcowmig__vm_state state = lcowmig__vm_get_state(m->sandbox->vm);

	return !m->resume_begun && !m->is_stopped &&
	       (state == LCOWMIG__VM_SOURCE_INITIALIZED || state == LCOWMIG__VM_SOURCE_STARTED || state == LCOWMIG__VM_DESTINATION_STARTED);
}

static abandon_way abandon_find_way(const lcowmig_migration *m)
{
	if (m->object.state == LCOWMIG_MIGRATION_IDLE || m->object.state == LCOWMIG_MIGRATION_FINALIZED)
		return ABANDON_NOTHING;
	/* A cancelled destination that was stopped has asked nothing of the host yet; a stop that the host has accepted stands. */
	if (m->is_stopped || lcowmig__vm_must_stop(m->sandbox->vm))
		return ABANDON_STOP;
	if (m->resume_begun)
		return ABANDON_RESUME;
	return lcowmig__session_is_source(m) && lcowmig__right_is_held(&m->right) ? ABANDON_RESUME : ABANDON_STOP;
}

static void abandon_note(struct abandon *self, const char *what)
{
	if (self->flow.result == LCOWMIG_OK || self->status != LCOWMIG_OK)
		return;
	self->status = self->flow.result;
	lcowmig__error_copy(&self->problem, self->flow.error);
	lcowmig__wrap(&self->problem, self->status, "migration session %s was left, but could not %s", self->m->object.id, what);
}

/* A destination's machine that never ran is simply terminated: the platform's migration ends with it. */
static lcowmig__flow *abandon_stop_flow(struct abandon *self)
{
	lcowmig_migration *m = self->m;

	if (lcowmig__session_is_source(m))
		return lcowmig__session_stop_flow(m, self->flow.error);
	return lcowmig__vm_terminate_flow(m->sandbox->vm, self->flow.error);
}

static void abandon_leave(struct abandon *self)
{
	lcowmig_migration *m = self->m;

	if (!lcowmig__session_is_source(m) && !m->resume_begun)
		lcowmig__session_discard(m);
	lcowmig__log(m->object.context, LCOWMIG_LOG_INFO, "migration session %s is abandoned%s%s", m->object.id,
		     self->status == LCOWMIG_OK ? "" : ": ", self->status == LCOWMIG_OK ? "" : self->problem.message);
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_ABANDON);
	m->abandon = NULL;
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_ABANDON);
	lcowmig__session_close(m);
}

static void abandon_step(lcowmig__flow *flow)
{
	struct abandon *self = (struct abandon *)flow;
	lcowmig_migration *m = self->m;

	FLOW_BEGIN(flow);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_ABANDON, NULL);
	abandon_interrupt(m);
	lcowmig__flow_set_deadline(flow, ABANDON_WAIT_NS);
	FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &m->quiet));
	abandon_note(self, "end what was in flight");
	lcowmig__flow_set_deadline(flow, ABANDON_WAIT_NS);
	FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &m->background_over));
	abandon_note(self, "end the transfer");
	if (abandon_needs_cancel(m)) {
		lcowmig__flow_set_deadline(flow, ABANDON_WAIT_NS);
		FLOW_AWAIT(flow,
			   lcowmig__flow_child(flow, lcowmig__vm_cancel_flow(m->sandbox->vm, flow->error)));
		if (!lcowmig__cancel_was_pointless(flow->result, flow->error->hresult))
			abandon_note(self, "cancel at the host");
	}
	lcowmig__flow_set_deadline(flow, ABANDON_ACT_NS);
	if (abandon_find_way(m) == ABANDON_RESUME) {
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__session_resume_flow(m, flow->error)));
		abandon_note(self, "let the sandbox run again");
	} else if (abandon_find_way(m) == ABANDON_STOP) {
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, abandon_stop_flow(self)));
		abandon_note(self, "stop the virtual machine");
	}
	lcowmig__flow_clear_deadline(flow);
	abandon_leave(self);
	lcowmig__error_copy(flow->error, &self->problem);
	FLOW_RETURN(flow, self->status);
	FLOW_END(flow);
}

static void abandon_release(lcowmig__flow *flow)
{
	lcowmig_migration *m = ((struct abandon *)flow)->m;

	if (m->abandon == flow)
		m->abandon = NULL; /* it never began */
}

static const lcowmig__flow_class abandon_class = { "abandon", abandon_step, abandon_release, false };

/* Legal in every state. */
static lcowmig_status abandon_begin(lcowmig_migration *m, lcowmig__flow **ret_flow, lcowmig_error *error)
{
	struct abandon *self;

	if (!m->id) {
		lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_ABANDON);
		return LCOWMIG_OK;
	}
	self = lcowmig__flow_new(sizeof *self, &abandon_class, m->object.context, &m->object, error);
	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->m = m;
	lcowmig__error_init(&self->problem);
	m->abandon = &self->flow;
	*ret_flow = &self->flow;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_migration_abandon(lcowmig_migration *m, const char *session_id, lcowmig_done_fn done, void *user,
					 lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;

	if (!m)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "abandon: migration is NULL");
	lcowmig__enter(m->object.context, &pump);
	status = lcowmig__session_check(m, session_id, error);
	if (status == LCOWMIG_OK)
		status = abandon_begin(m, &flow, error);
	return lcowmig__leave_with(m->object.context, &pump, status, flow, done, user, error);
}
