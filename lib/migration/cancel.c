/*
 * Cancel. It sets the state first, so that nothing new begins, ends what is in flight, and asks the host, which gets through while a
 * transfer blocks. The exception is a source that is just being prepared: what the host is doing there can only be undone once it is done.
 *
 * An abandon interrupts it, and is still there when it goes on after that.
 */
#include "migration.h"

bool lcowmig__cancel_was_pointless(lcowmig_status status, uint32_t hresult)
{
	return hresult == LCOWMIG__HR_INVALID_STATE || hresult == LCOWMIG__HR_INVALID_STATE_OLD || lcowmig__is_gone(status, hresult);
}

/* Nothing exists at the host yet, or not any more. */
static bool cancel_needs_host(const lcowmig_migration *m)
{
	lcowmig__vm_state state = lcowmig__vm_get_state(m->sandbox->vm);

	return state != LCOWMIG__VM_DESTINATION_IMPORTED && state != LCOWMIG__VM_TERMINATED;
}

static void cancel_ended(lcowmig_migration *m)
{
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_CANCEL_DONE);
	lcowmig__session_step(m, LCOWMIG_STEP_CANCELLED, 0, 0, NULL);
	lcowmig__session_settle(m, false);
}

/* How the host's answer counts; the flow ends with it. */
static lcowmig_status cancel_judge(lcowmig_migration *m, lcowmig__flow *flow)
{
	if (flow->result == LCOWMIG_OK)
		m->cancel_acknowledged = true;
	if (flow->result == LCOWMIG_OK || lcowmig__cancel_was_pointless(flow->result, flow->error->hresult)) {
		cancel_ended(m);
		return LCOWMIG_OK;
	}
	return lcowmig__session_note_failure(m, flow->result, flow->error);
}

static void cancel_announce(lcowmig_migration *m)
{
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_CANCEL, NULL);
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_CANCEL);
	lcowmig__session_interrupt_work(m, LCOWMIG_E_CANCELLED, "was cancelled with its session");
	lcowmig__signal_set(&m->socket_signal);
}

static void cancel_step(lcowmig__flow *flow)
{
	lcowmig_migration *m = ((lcowmig__session_flow *)flow)->m;

	FLOW_BEGIN(flow);
	if (m->object.state == LCOWMIG_MIGRATION_IDLE) {
		m->cancel_asked = true;
		FLOW_TRY(flow, lcowmig__signal_wait(flow, &m->quiet));
	}
	if (lcowmig__session_is_stale(flow))
		FLOW_RETURN(flow, LCOWMIG_OK); /* the preparation failed: there is nothing to cancel */

	cancel_announce(m);
	FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &m->quiet));
	if (!m->abandon && !cancel_needs_host(m)) {
		cancel_ended(m);
		FLOW_RETURN(flow, LCOWMIG_OK);
	}
	if (!m->abandon)
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_cancel_flow(m->sandbox->vm, NULL)));
	if (m->abandon)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_CANCELLED, "cancel: its session was abandoned"));
	FLOW_RETURN(flow, cancel_judge(m, flow));
	FLOW_END(flow);
}

static void cancel_release(lcowmig__flow *flow)
{
	((lcowmig__session_flow *)flow)->m->cancel = NULL;
	lcowmig__session_flow_release(flow);
}

static const lcowmig__flow_class cancel_class = { .name = "cancel", .step = cancel_step, .release = cancel_release };

/* Whether everything is as a cancel would leave it. */
static bool cancel_is_settled(const lcowmig_migration *m)
{
	if (m->cancel)
		return true;
	if (m->object.state == LCOWMIG_MIGRATION_IDLE)
		return !m->id;
	return m->object.state == LCOWMIG_MIGRATION_CANCELLED || m->object.state == LCOWMIG_MIGRATION_FINALIZED;
}

static lcowmig_status cancel_begin(lcowmig_migration *m, const char *session_id, lcowmig__flow **ret_flow, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__session_check(m, session_id, error);
	lcowmig__session_flow *self;

	if (status == LCOWMIG_OK)
		status = lcowmig__object_check(&m->object, LCOWMIG__MIGRATION_CANCEL, error);
	if (status == LCOWMIG_OK && lcowmig__session_is_finalizing(m))
		status = lcowmig__session_check_quiet(m, error); /* it has been decided otherwise */
	if (status != LCOWMIG_OK)
		return status;
	if (cancel_is_settled(m)) {
		lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_CANCEL);
		return LCOWMIG_OK;
	}
	self = lcowmig__session_flow_new(m, sizeof *self, &cancel_class, true, error);
	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->span = LCOWMIG__SPAN_CANCEL;
	m->cancel = &self->flow;
	*ret_flow = &self->flow;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_migration_cancel(lcowmig_migration *m, const char *session_id, lcowmig_done_fn done, void *user,
					lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;

	if (!lcowmig__enter_object(m, m, "cancel: migration", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = cancel_begin(m, session_id, &flow, error);
	return lcowmig__leave_with(m->object.context, &pump, status, flow, done, user, error);
}
