/*
 * The transfer, which runs in the background of its session:
 *
 *     wait for the socket -> Transferring -> start -> transfer -> TransferCompleted
 *
 * A cancel may come between any two of these and while each of them runs. It sets the state; so the state is asked after each await.
 * The host's cancel may have come too early for what the host was just starting: then it is repeated here.
 */
#include "engine/abi.h"
#include "migration.h"

#define CANCEL_TIME_NS UINT64_C(30000000000)
#define JOIN_TIME_NS UINT64_C(30000000000)

struct transfer {
	lcowmig__flow flow;
	lcowmig_migration *m;
	uint64_t generation;
	uint64_t socket_timeout;
	uint64_t deadline; /* 0: none */
	lcowmig__timer timer;
};

static bool transfer_is_stale(const struct transfer *self)
{
	return lcowmig__session_is_stale(self->m, self->generation);
}

static bool transfer_has_state(const struct transfer *self, lcowmig_migration_state state)
{
	return self->m->object.state == (int)state;
}

static lcowmig__flow *transfer_start_flow(struct transfer *self)
{
	lcowmig_migration *m = self->m;
	uint32_t number = lcowmig__session_number(m->id);

	if (lcowmig__session_is_source(m))
		return lcowmig__vm_start_source_flow(m->sandbox->vm, m->socket, number, self->flow.error);
	return lcowmig__vm_start_destination_flow(m->sandbox->vm, m->socket, number, self->flow.error);
}

static lcowmig__flow *transfer_move_flow(struct transfer *self)
{
	return lcowmig__vm_transfer_flow(self->m->sandbox->vm, self->flow.error);
}

static lcowmig__flow *transfer_cancel_flow(struct transfer *self)
{
	return lcowmig__vm_cancel_flow(self->m->sandbox->vm, self->flow.error);
}

/* The wait is over, and not because the socket came. A cancelled or abandoned session ends quietly, a failed one has told already. */
static void transfer_not_begun(struct transfer *self)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status = self->flow.result;

	lcowmig__timeline_end(&self->m->timeline, LCOWMIG__SPAN_SOCKET);
	if (status == LCOWMIG_OK || self->m->abandon)
		return;
	if (status == LCOWMIG_E_TIMED_OUT)
		status = lcowmig__fail(&error, LCOWMIG_E_FAILED_PRECONDITION, "migration session %s: the socket did not come in time",
				       self->m->id);
	else
		lcowmig__error_copy(&error, self->flow.error);
	lcowmig__session_fail(self->m, status, &error);
}

/* The session fails at once, however long the host takes to notice. */
static void transfer_deadline_passed(lcowmig__timer *timer)
{
	struct transfer *self = LCOWMIG__CONTAINER_OF(timer, struct transfer, timer);
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	if (transfer_is_stale(self) || !transfer_has_state(self, LCOWMIG_MIGRATION_TRANSFERRING))
		return;
	lcowmig__fail(&error, LCOWMIG_E_TIMED_OUT, "migration session %s: the transfer was not over in time", self->m->id);
	lcowmig__session_fail(self->m, LCOWMIG_E_TIMED_OUT, &error);
	lcowmig__flow_interrupt(&self->flow, LCOWMIG_E_TIMED_OUT, "was not over in time");
}

static void transfer_set_deadline(struct transfer *self)
{
	if (self->deadline)
		lcowmig__timer_set(self->flow.context, &self->timer, self->deadline, transfer_deadline_passed);
}

static void transfer_begin_transferring(struct transfer *self)
{
	lcowmig_migration *m = self->m;

	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_SOCKET);
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_START);
	lcowmig__session_step(m, LCOWMIG_STEP_TRANSFER_STARTED, 0, 0, NULL);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_START, NULL);
	transfer_set_deadline(self);
}

static void transfer_note_end(struct transfer *self, bool moved)
{
	lcowmig_migration *m = self->m;

	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_START);
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_TRANSFER);
	if (moved)
		m->transfer_done = true;
	if (!transfer_has_state(self, LCOWMIG_MIGRATION_TRANSFERRING))
		return;
	if (moved) {
		lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_COMPLETE);
		lcowmig__session_step(m, LCOWMIG_STEP_TRANSFER_COMPLETED, 0, 0, NULL);
	} else {
		lcowmig__session_fail(m, self->flow.result, self->flow.error);
	}
}

/* Whether something still runs at the host that nobody wants. `status`: how the last host call ended. */
static bool transfer_needs_cancel(const struct transfer *self, lcowmig_status status)
{
	const lcowmig_migration *m = self->m;

	if (status == LCOWMIG_E_TIMED_OUT || status == LCOWMIG_E_NO_MEMORY)
		return !m->cancel_acknowledged;
	if (status != LCOWMIG_OK ||
	    !(transfer_has_state(self, LCOWMIG_MIGRATION_CANCELLING) || transfer_has_state(self, LCOWMIG_MIGRATION_CANCELLED)))
		return false;
	/* Started or moved in spite of the cancel. One that is still with the host may deal with a transfer, but not with a start. */
	return m->transfer_done ? !m->cancel && !m->cancel_acknowledged : true;
}

static void transfer_step(lcowmig__flow *flow)
{
	struct transfer *self = (struct transfer *)flow;
	lcowmig_migration *m = self->m;

	FLOW_BEGIN(flow);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_SOCKET, NULL);
	lcowmig__flow_set_deadline(flow, self->socket_timeout);
	FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &m->socket_signal));
	lcowmig__flow_clear_deadline(flow);
	if (!transfer_has_state(self, LCOWMIG_MIGRATION_SOCKET_READY)) {
		transfer_not_begun(self);
		lcowmig__session_settle(m, true);
		FLOW_RETURN(flow, LCOWMIG_OK);
	}

	transfer_begin_transferring(self);
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, transfer_start_flow(self)));
	if (transfer_is_stale(self))
		FLOW_RETURN(flow, LCOWMIG_OK);
	if (flow->result == LCOWMIG_OK && transfer_has_state(self, LCOWMIG_MIGRATION_TRANSFERRING)) {
		lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_START);
		lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_TRANSFER, NULL);
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, transfer_move_flow(self)));
		if (transfer_is_stale(self))
			FLOW_RETURN(flow, LCOWMIG_OK);
		transfer_note_end(self, flow->result == LCOWMIG_OK);
	} else {
		transfer_note_end(self, false);
	}
	lcowmig__timer_clear(flow->context, &self->timer);

	if (transfer_needs_cancel(self, flow->result)) {
		lcowmig__flow_set_deadline(flow, CANCEL_TIME_NS);
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, transfer_cancel_flow(self)));
		if (transfer_is_stale(self))
			FLOW_RETURN(flow, LCOWMIG_OK);
		m->cancel_acknowledged = m->cancel_acknowledged || flow->result == LCOWMIG_OK;
	}
	lcowmig__session_settle(m, true);
	FLOW_END(flow);
}

static void transfer_release(lcowmig__flow *flow)
{
	struct transfer *self = (struct transfer *)flow;
	lcowmig_migration *m = self->m;

	lcowmig__timer_clear(flow->context, &self->timer);
	if (m->background != flow)
		return;
	m->background = NULL;
	lcowmig__signal_set(&m->background_over);
}

static const lcowmig__flow_class transfer_class = { "transfer", transfer_step, transfer_release, false };

static lcowmig_status transfer_begin(lcowmig_migration *m, const lcowmig_transfer_options *options, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&m->object, LCOWMIG__MIGRATION_TRANSFER, error);
	struct transfer *self;

	if (status != LCOWMIG_OK)
		return status;
	if (m->background || m->transfer_done) {
		lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_TRANSFER);
		return LCOWMIG_OK;
	}
	self = lcowmig__flow_new(sizeof *self, &transfer_class, m->object.context, &m->object, error);
	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->m = m;
	self->generation = m->generation;
	self->socket_timeout = options->socket_timeout_ns > 0 ? (uint64_t)options->socket_timeout_ns : LCOWMIG_SOCKET_TIMEOUT_NS;
	self->deadline = options->deadline_ns;
	m->background = &self->flow;
	lcowmig__signal_reset(&m->background_over);
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_TRANSFER);
	lcowmig__flow_background(&self->flow);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_migration_transfer(lcowmig_migration *m, const char *session_id, const lcowmig_transfer_options *given,
					  lcowmig_error *error)
{
	lcowmig_transfer_options options = LCOWMIG_TRANSFER_OPTIONS_INIT;
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__pump pump;

	if (!m)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "transfer: migration is NULL");
	if (given)
		status = LCOWMIG__COPY_SIZED("lcowmig_transfer_options", &options, given, deadline_ns, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__enter(m->object.context, &pump);
	status = lcowmig__session_check(m, session_id, error);
	if (status == LCOWMIG_OK)
		status = transfer_begin(m, &options, error);
	lcowmig__leave(m->object.context, &pump);
	return status;
}

/* ---- Waiting for it ---- */

struct join {
	lcowmig__flow flow;
	lcowmig_migration *m;
};

static void join_step(lcowmig__flow *flow)
{
	lcowmig_migration *m = ((struct join *)flow)->m;

	FLOW_BEGIN(flow);
	lcowmig__flow_set_deadline(flow, JOIN_TIME_NS);
	FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &m->background_over));
	lcowmig__flow_clear_deadline(flow);
	if (flow->result == LCOWMIG_E_TIMED_OUT && m->background) {
		lcowmig__flow_interrupt(m->background, LCOWMIG_E_TIMED_OUT, "did not end after its session had");
		FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &m->background_over));
	}
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class join_class = { "wait for the transfer's end", join_step, NULL, false };

lcowmig__flow *lcowmig__transfer_join_flow(lcowmig_migration *m, lcowmig_error *error)
{
	struct join *self = lcowmig__flow_new(sizeof *self, &join_class, m->object.context, NULL, error);

	if (!self)
		return NULL;
	self->m = m;
	return &self->flow;
}
