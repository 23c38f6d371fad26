/* What the platform tells about a migration, the end of the machine, and who wants to know. */
#include <string.h>

#include "migration.h"

/* A destination may hear of the blackout only when it is over. */
static void event_mark_blackout(lcowmig_migration *m, const lcowmig__migration_notification *event)
{
	bool has_begun = lcowmig__timeline_has(&m->timeline, LCOWMIG__SPAN_BLACKOUT);

	if (event->phase == LCOWMIG__PHASE_BLACKOUT_STARTED)
		lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_BLACKOUT, NULL);
	else if (event->phase == LCOWMIG__PHASE_BLACKOUT_EXITED && has_begun)
		lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_BLACKOUT);
	else if (event->phase == LCOWMIG__PHASE_BLACKOUT_EXITED && event->has_blackout)
		lcowmig__timeline_past(&m->timeline, LCOWMIG__SPAN_BLACKOUT, event->blackout_duration_ms);
}

void lcowmig__migration_hcs_event(lcowmig_migration *m, const char *data)
{
	lcowmig__migration_notification parsed;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__notice notice = { 0 };

	if (!m->id)
		return; /* of an earlier session, or of a migration that is not ours */
	if (lcowmig__hcs_parse_notification(&m->object.context->limits, data, (lcowmig__origin)m->origin, &parsed, &error) != LCOWMIG_OK) {
		lcowmig__log(m->object.context, LCOWMIG_LOG_WARNING, "migration session %s: a notification is dropped: %s", m->object.id,
			     error.message);
		return;
	}
	event_mark_blackout(m, &parsed);
	notice.origin = (lcowmig_origin)parsed.origin;
	notice.phase = (lcowmig_phase)parsed.phase;
	notice.state = (lcowmig_phase_state)parsed.state;
	notice.has_blackout = parsed.has_blackout;
	notice.blackout_ms = parsed.blackout_duration_ms;
	notice.blackout_stop = parsed.blackout_stop_ns;
	lcowmig__notifier_tell(&m->notifier, &notice);
}

void lcowmig__migration_vm_ended(lcowmig_migration *m)
{
	if (!m->id)
		return;
	lcowmig__timeline_mark(&m->timeline, LCOWMIG__SPAN_VM_ENDED);
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_BLACKOUT);
	lcowmig__session_step(m, LCOWMIG_STEP_VM_ENDED, 0, 0, NULL);
	/* There is nothing left to transfer, and nobody to wait for. */
	if (m->background)
		lcowmig__flow_interrupt(m->background, LCOWMIG_E_UNAVAILABLE, "lost its virtual machine");
	/* A peer that is still in its blackout must see at once that nobody is there any more. */
	lcowmig__session_drop_socket(m);
	if (!lcowmig__session_is_source(m))
		lcowmig__session_discard(m);
}

lcowmig_status lcowmig_migration_subscribe(lcowmig_migration *m, const char *session_id, uint32_t flags, lcowmig_notification_fn notify,
					   void *user, lcowmig_subscription **ret_subscription, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!m || !notify || !ret_subscription || flags & ~LCOWMIG_SUBSCRIBE_STEPS)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "subscribe: migration, notify and ret_subscription are required, and known flags");
	lcowmig__enter(m->object.context, &pump);
	status = lcowmig__session_check(m, session_id, error);
	if (status == LCOWMIG_OK && !m->id)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "subscribe: no migration session is active");
	if (status == LCOWMIG_OK)
		status = lcowmig__notifier_subscribe(&m->notifier, flags, notify, user, ret_subscription, error);
	lcowmig__leave(m->object.context, &pump);
	return status;
}

/* ---- Questions, answered at once ---- */

lcowmig_migration_state lcowmig_migration_get_state(lcowmig_migration *m)
{
	lcowmig_migration_state state;

	if (!m)
		return LCOWMIG_MIGRATION_IDLE;
	lcowmig__lock_take(&m->object.context->lock);
	state = (lcowmig_migration_state)m->object.state;
	lcowmig__lock_drop(&m->object.context->lock);
	return state;
}

lcowmig_origin lcowmig_migration_get_origin(lcowmig_migration *m)
{
	lcowmig_origin origin;

	if (!m)
		return LCOWMIG_ORIGIN_UNSPECIFIED;
	lcowmig__lock_take(&m->object.context->lock);
	origin = m->origin;
	lcowmig__lock_drop(&m->object.context->lock);
	return origin;
}

const char *lcowmig_migration_session_id(lcowmig_migration *m)
{
	const char *id;

	if (!m)
		return "";
	lcowmig__lock_take(&m->object.context->lock);
	id = m->id ? m->id : "";
	lcowmig__lock_drop(&m->object.context->lock);
	return id;
}

size_t lcowmig_migration_pending_count(lcowmig_migration *m)
{
	size_t count;

	if (!m)
		return 0;
	lcowmig__lock_take(&m->object.context->lock);
	count = m->n_pending;
	lcowmig__lock_drop(&m->object.context->lock);
	return count;
}

bool lcowmig_migration_has_right(lcowmig_migration *m)
{
	bool held;

	if (!m)
		return false;
	lcowmig__lock_take(&m->object.context->lock);
	held = m->id && lcowmig__right_is_held(&m->right);
	lcowmig__lock_drop(&m->object.context->lock);
	return held;
}

lcowmig_status lcowmig_migration_failure(lcowmig_migration *m, lcowmig_error *error)
{
	lcowmig_status status;

	if (!m)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "failure: migration is NULL");
	lcowmig__lock_take(&m->object.context->lock);
	status = m->id ? (lcowmig_status)m->failure.status : LCOWMIG_OK;
	if (status != LCOWMIG_OK)
		lcowmig__error_copy(error, &m->failure);
	lcowmig__lock_drop(&m->object.context->lock);
	return status;
}
