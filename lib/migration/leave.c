/*
 * Leaving a session: cleanup, where everything has been decided, and abandon, from anywhere.
 *
 * Abandon interrupts what is in flight and waits for its end, then lets run what may run here and stops the rest. Each of its waits is
 * bounded, and at its end the session is Idle whatever happened; what it could not do is its result.
 */
#include "migration.h"

#define ABANDON_WAIT_NS UINT64_C(30000000000)
#define ABANDON_ACT_NS UINT64_C(300000000000) /* longer than a machine's own bounds, so that those apply */

static lcowmig_status cleanup_now(lcowmig_migration *m, const char *session_id, lcowmig_error *error)
{
	bool is_discarded = !lcowmig__session_is_source(m) && m->object.state == LCOWMIG_MIGRATION_CANCELLED;
	int trigger = is_discarded ? LCOWMIG__MIGRATION_CLEANUP_DISCARDED : LCOWMIG__MIGRATION_CLEANUP;
	lcowmig_status status = lcowmig__session_check_call(m, session_id, trigger, error);

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
	lcowmig__pump pump;

	if (!lcowmig__enter_object(m, m, "cleanup: migration", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(m, &pump, cleanup_now(m, session_id, error));
}

/* ---- Abandon ---- */

typedef enum abandon_way { ABANDON_NOTHING, ABANDON_RESUME, ABANDON_STOP } abandon_way;

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

/* The first thing that could not be done is the flow's failure. */
static void abandon_note(lcowmig__flow *flow, const char *what)
{
	if (flow->result == LCOWMIG_OK || flow->failure != LCOWMIG_OK)
		return;
	flow->failure = lcowmig__wrap(flow->error, flow->result, "migration session %s was left, but could not %s", flow->object->id, what);
}

/* A destination's machine that never ran is simply terminated: the platform's migration ends with it. */
static lcowmig__flow *abandon_stop_flow(lcowmig_migration *m)
{
	return lcowmig__session_is_source(m) ? lcowmig__session_stop_flow(m, NULL) : lcowmig__vm_terminate_flow(m->sandbox->vm, NULL);
}

static void abandon_leave(lcowmig_migration *m, const lcowmig__flow *flow)
{
	bool is_clean = flow->failure == LCOWMIG_OK;

	if (!lcowmig__session_is_source(m) && !m->resume_begun)
		lcowmig__session_discard(m);
	lcowmig__log(m->object.context, LCOWMIG_LOG_INFO, "migration session %s is abandoned%s%s", m->object.id, is_clean ? "" : ": ",
		     is_clean ? "" : flow->error->message);
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_ABANDON);
	m->abandon = NULL;
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_ABANDON);
	lcowmig__session_close(m);
}

static void abandon_step(lcowmig__flow *flow)
{
	lcowmig_migration *m = ((lcowmig__session_flow *)flow)->m;

	FLOW_BEGIN(flow);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_ABANDON, NULL);
	abandon_interrupt(m);
	lcowmig__flow_set_deadline(flow, ABANDON_WAIT_NS);
	FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &m->quiet));
	abandon_note(flow, "end what was in flight");
	lcowmig__flow_set_deadline(flow, ABANDON_WAIT_NS);
	FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &m->background_over));
	abandon_note(flow, "end the transfer");
	if (abandon_needs_cancel(m)) {
		lcowmig__flow_set_deadline(flow, ABANDON_WAIT_NS);
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_cancel_flow(m->sandbox->vm, NULL)));
		if (!lcowmig__cancel_was_pointless(flow->result, flow->error->hresult))
			abandon_note(flow, "cancel at the host");
	}
	lcowmig__flow_set_deadline(flow, ABANDON_ACT_NS);
	if (abandon_find_way(m) == ABANDON_RESUME) {
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__session_resume_flow(m, NULL)));
		abandon_note(flow, "let the sandbox run again");
	} else if (abandon_find_way(m) == ABANDON_STOP) {
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, abandon_stop_flow(m)));
		abandon_note(flow, "stop the virtual machine");
	}
	lcowmig__flow_clear_deadline(flow);
	abandon_leave(m, flow);
	FLOW_RETURN(flow, flow->failure);
	FLOW_END(flow);
}

static void abandon_release(lcowmig__flow *flow)
{
	lcowmig_migration *m = ((lcowmig__session_flow *)flow)->m;

	if (m->abandon == flow)
		m->abandon = NULL; /* it never began */
}

static const lcowmig__flow_class abandon_class = { .name = "abandon", .step = abandon_step, .release = abandon_release };

/* Legal in every state. */
static lcowmig_status abandon_begin(lcowmig_migration *m, const char *session_id, lcowmig__flow **ret_flow, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__session_check(m, session_id, error);

	if (status != LCOWMIG_OK)
		return status;
	if (!m->id) {
		lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_ABANDON);
		return LCOWMIG_OK;
	}
	m->abandon = lcowmig__session_flow_new(m, sizeof(lcowmig__session_flow), &abandon_class, true, error);
	*ret_flow = m->abandon;
	return m->abandon ? LCOWMIG_OK : LCOWMIG_E_NO_MEMORY;
}

lcowmig_status lcowmig_migration_abandon(lcowmig_migration *m, const char *session_id, lcowmig_done_fn done, void *user,
					 lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;

	if (!lcowmig__enter_object(m, m, "abandon: migration", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = abandon_begin(m, session_id, &flow, error);
	return lcowmig__leave_with(m->object.context, &pump, status, flow, done, user, error);
}
