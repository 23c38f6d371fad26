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
	return lcowmig__leave_object(m, &pump, status);
}

/* ---- Questions, answered at once ---- */

struct migration_answers {
	lcowmig_migration_state state;
	lcowmig_origin origin;
	const char *id;
	size_t n_pending;
	bool has_right;
};

/* One look at the session under the lock; at NULL: one that is not there. */
static struct migration_answers migration_look(lcowmig_migration *m)
{
	struct migration_answers answers = { LCOWMIG_MIGRATION_IDLE, LCOWMIG_ORIGIN_UNSPECIFIED, "", 0, false };

	if (!m)
		return answers;
	lcowmig__lock_take(&m->object.context->lock);
	answers.state = (lcowmig_migration_state)m->object.state;
	answers.origin = m->origin;
	answers.n_pending = m->n_pending;
	if (m->id) {
		answers.id = m->id;
		answers.has_right = lcowmig__right_is_held(&m->right);
	}
	lcowmig__lock_drop(&m->object.context->lock);
	return answers;
}

lcowmig_migration_state lcowmig_migration_get_state(lcowmig_migration *m)
{
	return migration_look(m).state;
}

lcowmig_origin lcowmig_migration_get_origin(lcowmig_migration *m)
{
	return migration_look(m).origin;
}

const char *lcowmig_migration_session_id(lcowmig_migration *m)
{
	return migration_look(m).id;
}

size_t lcowmig_migration_pending_count(lcowmig_migration *m)
{
	return migration_look(m).n_pending;
}

bool lcowmig_migration_has_right(lcowmig_migration *m)
{
	return migration_look(m).has_right;
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
