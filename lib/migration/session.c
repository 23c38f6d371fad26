/* A session's beginning and end, its id, and what is in flight on it. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "engine/abi.h"
#include "migration.h"

static const char no_session[] = "(none)";

static int imported_compare(const void *key, const lcowmig__node *node)
{
	return strcmp(key, LCOWMIG__TREE_ENTRY(node, lcowmig__imported, node)->source_id);
}

lcowmig_status lcowmig__migration_new(lcowmig_sandbox *sandbox, lcowmig_migration **ret_migration, lcowmig_error *error)
{
	lcowmig_context *context = sandbox->env.context;
	lcowmig_migration *m = lcowmig__alloc(&context->mem, sizeof *m);

	if (!m)
		return lcowmig__fail_memory(error);
	lcowmig__object_init(&m->object, context, &lcowmig__migration_machine, no_session);
	m->sandbox = sandbox;
	lcowmig__error_init(&m->failure);
	lcowmig__signal_init(&m->quiet);
	lcowmig__signal_init(&m->background_over);
	lcowmig__signal_init(&m->socket_signal);
	lcowmig__signal_set(&m->quiet);
	lcowmig__signal_set(&m->background_over);
	lcowmig__tree_init(&m->imported, imported_compare);
	lcowmig__notifier_init(&m->notifier, context);
	lcowmig__timeline_init(&m->timeline, context);
	*ret_migration = m;
	return LCOWMIG_OK;
}

void lcowmig__migration_free(lcowmig_migration *m)
{
	if (!m)
		return;
	lcowmig__session_close(m);
	lcowmig__free(&m->object.context->mem, m);
}

/* A source that is being prepared has a session while Idle, and work may outlive its session: both are in flight. */
lcowmig_status lcowmig__migration_check_idle(const lcowmig_migration *m, lcowmig_error *error)
{
	if (m->object.state != LCOWMIG_MIGRATION_IDLE)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "migration session %s is %s; expected Idle", m->object.id,
				     lcowmig__object_state_name(&m->object));
	return lcowmig__session_check_quiet(m, error);
}

lcowmig_status lcowmig__session_check_id(const lcowmig_migration *m, const char *what, const char *id, lcowmig_error *error)
{
	size_t size;

	if (lcowmig__text_is_empty(id))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s is required", what);
	size = strlen(id);
	if (size > m->object.context->limits.id_bytes)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "%s has %zu bytes, at most %lu", what, size,
				     (unsigned long)m->object.context->limits.id_bytes);
	if (!lcowmig__utf8_is_valid(id, size))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s is not valid UTF-8", what);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__session_refuse(const lcowmig_migration *m, const char *why, lcowmig_error *error)
{
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "migration session %s (%s)%s", m->object.id,
			     lcowmig__object_state_name(&m->object), why);
}

static lcowmig_status session_fail_abandoned(const lcowmig_migration *m, lcowmig_error *error)
{
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "migration session %s is being abandoned", m->object.id);
}

lcowmig_status lcowmig__session_check(const lcowmig_migration *m, const char *session_id, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__session_check_id(m, "session id", session_id, error);

	if (status != LCOWMIG_OK)
		return status;
	if (m->id && strcmp(m->id, session_id) != 0)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "migration session %s is active, not %s", m->id, session_id);
	return m->abandon ? session_fail_abandoned(m, error) : LCOWMIG_OK;
}

lcowmig_status lcowmig__session_check_quiet(const lcowmig_migration *m, lcowmig_error *error)
{
	if (m->work)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "migration session %s (%s) has %s in flight", m->object.id,
				     lcowmig__object_state_name(&m->object), m->work->class->name);
	if (m->patches)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "migration session %s (%s) has %u patches in flight",
				     m->object.id, lcowmig__object_state_name(&m->object), m->patches);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__session_check_call(const lcowmig_migration *m, const char *session_id, int trigger, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__session_check(m, session_id, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__object_check(&m->object, trigger, error);
	return status == LCOWMIG_OK ? lcowmig__session_check_quiet(m, error) : status;
}

lcowmig_status lcowmig__session_check_patch(const lcowmig_migration *m, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&m->object, LCOWMIG__MIGRATION_PATCH, error);

	if (status == LCOWMIG_OK && m->abandon)
		status = session_fail_abandoned(m, error);
	return status == LCOWMIG_OK && m->work ? lcowmig__session_check_quiet(m, error) : status;
}

lcowmig_status lcowmig__session_open(lcowmig_migration *m, const char *id, lcowmig_origin origin, lcowmig_error *error)
{
	char *copy = lcowmig__strdup(&m->object.context->mem, id);

	if (!copy || !lcowmig__notifier_open(&m->notifier)) {
		lcowmig__free(&m->object.context->mem, copy);
		return lcowmig__fail_memory(error);
	}
	m->id = copy;
	m->object.id = copy;
	m->origin = origin;
	m->generation++;
	lcowmig__error_init(&m->failure);
	lcowmig__right_init(&m->right, origin == LCOWMIG_ORIGIN_SOURCE, id);
	lcowmig__timeline_init(&m->timeline, m->object.context);
	return LCOWMIG_OK;
}

void lcowmig__session_drop_socket(lcowmig_migration *m)
{
	if (m->socket)
		lcowmig__post_socket_close(m->socket_spare, m->socket);
	else
		lcowmig__call_spare_free(m->socket_spare);
	m->socket = NULL;
	m->socket_spare = NULL;
}

static void session_drop_imported(lcowmig_migration *m)
{
	lcowmig__node *node;

	while ((node = lcowmig__tree_first(&m->imported)) != NULL) {
		lcowmig__imported *imported = LCOWMIG__TREE_ENTRY(node, lcowmig__imported, node);

		lcowmig__tree_remove(&m->imported, node);
		lcowmig__free(&m->object.context->mem, imported->source_id);
		lcowmig__free(&m->object.context->mem, imported);
	}
	m->n_pending = 0;
}

void lcowmig__session_close(lcowmig_migration *m)
{
	lcowmig__flow *background = m->background;

	m->generation++;
	if (background) {
		m->background = NULL;
		lcowmig__flow_interrupt(background, LCOWMIG_E_CANCELLED, "outlived its session");
		lcowmig__signal_set(&m->background_over);
	}
	lcowmig__signal_set(&m->socket_signal);
	lcowmig__signal_reset(&m->socket_signal);
	lcowmig__session_drop_socket(m);
	m->socket_taken = false;
	session_drop_imported(m);
	lcowmig__notifier_close(&m->notifier);
	lcowmig__free(&m->object.context->mem, m->envelope);
	lcowmig__free(&m->object.context->mem, m->id);
	m->envelope = NULL;
	m->envelope_size = 0;
	m->id = NULL;
	m->object.id = no_session;
	m->origin = LCOWMIG_ORIGIN_UNSPECIFIED;
	m->n_resumed = 0;
	m->cancel_asked = false;
	m->cancel_acknowledged = false;
	m->transfer_done = false;
	m->resume_begun = false;
	m->is_stopped = false;
	m->is_discarded = false;
	m->was_resumed = false;
}

/* ---- What is in flight ---- */

void lcowmig__session_update_quiet(lcowmig_migration *m)
{
	if (m->work || m->patches)
		lcowmig__signal_reset(&m->quiet);
	else
		lcowmig__signal_set(&m->quiet);
}

void lcowmig__session_begin_work(lcowmig_migration *m, lcowmig__flow *flow)
{
	m->work = flow;
	lcowmig__session_update_quiet(m);
}

void *lcowmig__session_flow_new(lcowmig_migration *m, size_t size, const lcowmig__flow_class *class, bool is_own, lcowmig_error *error)
{
	lcowmig__session_flow *self = lcowmig__flow_new(size, class, m->object.context, is_own ? &m->object : NULL, error);

	if (!self)
		return NULL;
	self->m = m;
	self->generation = m->generation;
	return self;
}

bool lcowmig__session_is_stale(const lcowmig__flow *flow)
{
	const lcowmig__session_flow *self = (const lcowmig__session_flow *)flow;

	return self->generation != self->m->generation;
}

void lcowmig__session_flow_release(lcowmig__flow *flow)
{
	const lcowmig__session_flow *self = (const lcowmig__session_flow *)flow;
	lcowmig_migration *m = self->m;

	if (m->work == flow) {
		m->work = NULL;
		lcowmig__session_update_quiet(m);
	}
	if (self->span && !lcowmig__session_is_stale(flow))
		lcowmig__timeline_end(&m->timeline, self->span);
}

void lcowmig__session_interrupt_work(lcowmig_migration *m, lcowmig_status status, const char *why)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH(node, following, &m->object.flows)
	{
		lcowmig__flow *flow = LCOWMIG__FLOW_OF(node, on_object);

		if (flow != m->background && flow != m->cancel && flow != m->abandon)
			lcowmig__flow_interrupt(flow, status, why);
	}
}

static void session_tell(lcowmig_migration *m, lcowmig__notice *notice, const char *text)
{
	notice->origin = m->origin;
	snprintf(notice->text, sizeof notice->text, "%s", text);
	lcowmig__notifier_tell(&m->notifier, notice);
}

void lcowmig__session_step(lcowmig_migration *m, lcowmig_step step, size_t number, size_t total, const char *text)
{
	lcowmig__notice notice = { .step = step, .number = (uint32_t)number, .total = (uint32_t)total };

	if (!text)
		text = "";
	lcowmig__log(m->object.context, LCOWMIG_LOG_INFO, "migration session %s: %s, step %d (%zu of %zu) %s", m->object.id,
		     lcowmig__object_state_name(&m->object), (int)step, number, total, text);
	session_tell(m, &notice, text);
}

void lcowmig__session_fail(lcowmig_migration *m, lcowmig_status status, const lcowmig_error *error)
{
	lcowmig__notice notice = { .phase = LCOWMIG_PHASE_FAILED };

	lcowmig__session_note_failure(m, status, error);
	notice.state = lcowmig__session_is_source(m) ? LCOWMIG_PHASE_STATE_SOURCE_FAILED : LCOWMIG_PHASE_STATE_DESTINATION_FAILED;
	lcowmig__log(m->object.context, LCOWMIG_LOG_ERROR, "migration session %s failed: %s", m->object.id, m->failure.message);
	session_tell(m, &notice, m->failure.message);
}

lcowmig_status lcowmig__session_note_failure(lcowmig_migration *m, lcowmig_status status, const lcowmig_error *error)
{
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_FAIL);
	lcowmig__error_copy(&m->failure, error);
	m->failure.status = status;
	return status;
}

void lcowmig__session_discard(lcowmig_migration *m)
{
	m->is_discarded = true;
	lcowmig__sandbox_abort(m->sandbox);
}

void lcowmig__session_settle(lcowmig_migration *m, bool background_ends)
{
	if (lcowmig__session_is_source(m) || m->object.state != LCOWMIG_MIGRATION_CANCELLED || m->transfer_done || m->resume_begun)
		return;
	if (m->background && !background_ends)
		return; /* its transfer may still succeed, and the machine be the only one there is */
	lcowmig__session_discard(m);
}

lcowmig_status lcowmig__session_copy_out(const char *what, const void *data, size_t data_size, void *buffer, size_t size, size_t *ret_size,
					 lcowmig_error *error)
{
	*ret_size = data_size;
	return lcowmig__copy_out(what, data, data_size, buffer, size, NULL, error);
}
