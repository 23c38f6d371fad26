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

struct transfer {
	lcowmig__session_flow base;
	uint64_t socket_timeout;
	uint64_t deadline; /* 0: none */
	lcowmig__timer timer;
};

static bool transfer_has_state(const struct transfer *self, lcowmig_migration_state state)
{
	return self->base.m->object.state == (int)state;
}

static lcowmig__flow *transfer_start_flow(const struct transfer *self)
{
	const lcowmig_migration *m = self->base.m;
	uint32_t number = lcowmig__session_number(m->id);

	if (lcowmig__session_is_source(m))
		return lcowmig__vm_start_source_flow(m->sandbox->vm, m->socket, number, NULL);
	return lcowmig__vm_start_destination_flow(m->sandbox->vm, m->socket, number, NULL);
}

/* The wait is over, and not because the socket came. A cancelled or abandoned session ends quietly, a failed one has told already. */
static void transfer_not_begun(struct transfer *self)
{
	lcowmig_migration *m = self->base.m;
	lcowmig__flow *flow = &self->base.flow;
	lcowmig_status status = flow->result;

	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_SOCKET);
	if (status == LCOWMIG_OK || m->abandon)
		return;
	if (status == LCOWMIG_E_TIMED_OUT)
		status = lcowmig__fail(flow->error, LCOWMIG_E_FAILED_PRECONDITION, "migration session %s: the socket did not come in time",
				       m->id);
	lcowmig__session_fail(m, status, flow->error);
}

/* The session fails at once, however long the host takes to notice. */
static void transfer_deadline_passed(lcowmig__timer *timer)
{
	struct transfer *self = LCOWMIG__CONTAINER_OF(timer, struct transfer, timer);
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	if (lcowmig__session_is_stale(&self->base.flow) || !transfer_has_state(self, LCOWMIG_MIGRATION_TRANSFERRING))
		return;
	lcowmig__fail(&error, LCOWMIG_E_TIMED_OUT, "migration session %s: the transfer was not over in time", self->base.m->id);
	lcowmig__session_fail(self->base.m, LCOWMIG_E_TIMED_OUT, &error);
	lcowmig__flow_interrupt(&self->base.flow, LCOWMIG_E_TIMED_OUT, "was not over in time");
}

static void transfer_begin_transferring(struct transfer *self)
{
	lcowmig_migration *m = self->base.m;

	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_SOCKET);
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_START);
	lcowmig__session_step(m, LCOWMIG_STEP_TRANSFER_STARTED, 0, 0, NULL);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_START, NULL);
	if (self->deadline)
		lcowmig__timer_set(m->object.context, &self->timer, self->deadline, transfer_deadline_passed);
}

static void transfer_note_end(struct transfer *self, bool moved)
{
	lcowmig_migration *m = self->base.m;

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
		lcowmig__session_fail(m, self->base.flow.result, self->base.flow.error);
	}
}

/* Whether something still runs at the host that nobody wants. `status`: how the last host call ended. */
static bool transfer_needs_cancel(const struct transfer *self, lcowmig_status status)
{
	const lcowmig_migration *m = self->base.m;

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
	lcowmig_migration *m = self->base.m;

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
	if (lcowmig__session_is_stale(flow))
		FLOW_RETURN(flow, LCOWMIG_OK);
	if (flow->result == LCOWMIG_OK && transfer_has_state(self, LCOWMIG_MIGRATION_TRANSFERRING)) {
		lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_START);
		lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_TRANSFER, NULL);
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_transfer_flow(m->sandbox->vm, NULL)));
		if (lcowmig__session_is_stale(flow))
			FLOW_RETURN(flow, LCOWMIG_OK);
		transfer_note_end(self, flow->result == LCOWMIG_OK);
	} else {
		transfer_note_end(self, false);
	}
	lcowmig__timer_clear(flow->context, &self->timer);

	if (transfer_needs_cancel(self, flow->result)) {
		lcowmig__flow_set_deadline(flow, CANCEL_TIME_NS);
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_cancel_flow(m->sandbox->vm, NULL)));
		if (lcowmig__session_is_stale(flow))
			FLOW_RETURN(flow, LCOWMIG_OK);
		m->cancel_acknowledged = m->cancel_acknowledged || flow->result == LCOWMIG_OK;
	}
	lcowmig__session_settle(m, true);
	FLOW_END(flow);
}

static void transfer_release(lcowmig__flow *flow)
{
	struct transfer *self = (struct transfer *)flow;
	lcowmig_migration *m = self->base.m;

	lcowmig__timer_clear(flow->context, &self->timer);
	if (m->background != flow)
		return;
	m->background = NULL;
	lcowmig__signal_set(&m->background_over);
}

static const lcowmig__flow_class transfer_class = { .name = "transfer", .step = transfer_step, .release = transfer_release };

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
	self = lcowmig__session_flow_new(m, sizeof *self, &transfer_class, true, error);
	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->socket_timeout = options->socket_timeout_ns > 0 ? (uint64_t)options->socket_timeout_ns : LCOWMIG_SOCKET_TIMEOUT_NS;
	self->deadline = options->deadline_ns;
	m->background = &self->base.flow;
	lcowmig__signal_reset(&m->background_over);
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_TRANSFER);
	lcowmig__flow_background(m->background);
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
	return lcowmig__leave_object(m, &pump, status);
}
