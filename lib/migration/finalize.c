/* The decision at the end of a session, and who may take it. */
#include "base/text.h"
#include "engine/abi.h"
#include "migration.h"

#define JOIN_TIME_NS UINT64_C(30000000000)

struct finalize {
	lcowmig__session_flow base;
	bool resume;
	uint32_t epoch;     /* of the token, for the first step */
	const char *reason; /* the caller's, for the first step; NULL: nothing is forced */
};

static void finalize_done(struct finalize *self)
{
	lcowmig_migration *m = self->base.m;

	m->was_resumed = self->resume;
	lcowmig__object_fire(&m->object, self->resume ? LCOWMIG__MIGRATION_RESUME : LCOWMIG__MIGRATION_STOP);
	lcowmig__session_step(m, LCOWMIG_STEP_FINALIZED, 0, 0, NULL);
}

static void finalize_note_force(lcowmig_migration *m, const char *reason)
{
	lcowmig__log(m->object.context, LCOWMIG_LOG_WARNING, "migration session %s: finalize with resume is forced: %s", m->object.id,
		     reason);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_FORCED, reason);
	lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_FORCED);
	lcowmig__session_step(m, LCOWMIG_STEP_FORCED, 0, 0, reason);
}

/* The decision is taken here and not before, when memory for carrying it out may still be refused. */
static void finalize_decide(const struct finalize *self)
{
	lcowmig_migration *m = self->base.m;

	lcowmig__right_take(&m->right, self->epoch);
	if (self->reason)
		finalize_note_force(m, self->reason);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_FINALIZE, NULL);
}

static lcowmig__flow *finalize_way(const struct finalize *self)
{
	return self->resume ? lcowmig__session_resume_flow(self->base.m, NULL) : lcowmig__session_stop_flow(self->base.m, NULL);
}

static void finalize_step(lcowmig__flow *flow)
{
	struct finalize *self = (struct finalize *)flow;
	lcowmig_migration *m = self->base.m;

	FLOW_BEGIN(flow);
	finalize_decide(self);
	/* The transfer goes first; one that does not end is ended. */
	lcowmig__flow_set_deadline(flow, JOIN_TIME_NS);
	FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &m->background_over));
	lcowmig__flow_clear_deadline(flow);
	if (flow->result == LCOWMIG_E_TIMED_OUT && m->background) {
		lcowmig__flow_interrupt(m->background, LCOWMIG_E_TIMED_OUT, "did not end after its session had");
		FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &m->background_over));
	}
	FLOW_CHECK(flow, flow->result);
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, finalize_way(self)));
	if (lcowmig__session_is_stale(flow) || m->abandon)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_CANCELLED, "finalize: its session was abandoned"));
	FLOW_CHECK(flow, flow->result);
	finalize_done(self);
	FLOW_END(flow);
}

static const lcowmig__flow_class finalize_class = { .name = "finalize", .step = finalize_step, .release = lcowmig__session_flow_release };

bool lcowmig__session_is_finalizing(const lcowmig_migration *m)
{
	return m->id && m->work && m->work->class == &finalize_class; /* it may outlive an abandoned session */
}

/* Whether there is anything here that could run. */
static lcowmig_status finalize_check_machine(const lcowmig_migration *m, lcowmig_error *error)
{
	lcowmig__vm_state state = lcowmig__vm_get_state(m->sandbox->vm);

	if (m->is_stopped)
		return lcowmig__session_refuse(m, " was stopped here and cannot resume", error);
	if (m->is_discarded)
		return lcowmig__session_refuse(m, " was discarded here and cannot resume", error);
	/* A destination that was never created is discarded as soon as it is cancelled. */
	if (state == LCOWMIG__VM_TERMINATED || state == LCOWMIG__VM_INVALID)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "migration session %s (%s) cannot resume: the virtual machine is %s", m->object.id,
				     lcowmig__object_state_name(&m->object), lcowmig__vm_state_name(m->sandbox->vm));
	return LCOWMIG_OK;
}

static lcowmig_status finalize_check_right(const lcowmig_migration *m, const lcowmig_finalize_options *options, uint32_t *ret_epoch,
					   lcowmig_error *error)
{
	bool force = (options->flags & LCOWMIG_FINALIZE_FORCE) != 0;
	lcowmig_status status;

	*ret_epoch = 0;
	if (options->token) {
		status = lcowmig__right_read(&m->right, options->token, options->token_size, ret_epoch, error);
		return status == LCOWMIG_OK || force ? LCOWMIG_OK : status;
	}
	if (force || lcowmig__right_is_held(&m->right))
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
			     "migration session %s: the %s has not got the right to run the sandbox; expected the other side's token",
			     m->object.id, lcowmig__session_is_source(m) ? "source" : "destination");
}

/* The source's memory goes to one machine: what a token says is worth nothing where that has not arrived. */
static lcowmig_status finalize_check_memory(const lcowmig_migration *m, const lcowmig_finalize_options *options, lcowmig_error *error)
{
	if (lcowmig__session_is_source(m) || m->transfer_done || m->resume_begun || options->flags & LCOWMIG_FINALIZE_FORCE)
		return LCOWMIG_OK;
	return lcowmig__session_refuse(
		m, " cannot resume: its transfer has not completed here; expected release or finalize with STOP", error);
}

static struct finalize *finalize_make(lcowmig_migration *m, bool resume, lcowmig__flow **ret_flow, lcowmig_error *error)
{
	struct finalize *self = lcowmig__session_flow_new(m, sizeof *self, &finalize_class, true, error);

	if (!self)
		return NULL;
	self->base.span = LCOWMIG__SPAN_FINALIZE;
	self->resume = resume;
	lcowmig__session_begin_work(m, &self->base.flow);
	*ret_flow = &self->base.flow;
	return self;
}

static lcowmig_status finalize_begin_resume(lcowmig_migration *m, const lcowmig_finalize_options *options, lcowmig__flow **ret_flow,
					    lcowmig_error *error)
{
	struct finalize *self;
	uint32_t epoch;
	lcowmig_status status;

	if (m->was_resumed) {
		lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_RESUME);
		return LCOWMIG_OK;
	}
	status = finalize_check_machine(m, error);
	if (status == LCOWMIG_OK)
		status = finalize_check_right(m, options, &epoch, error);
	if (status == LCOWMIG_OK)
		status = finalize_check_memory(m, options, error);
	if (status != LCOWMIG_OK)
		return status;
	self = finalize_make(m, true, ret_flow, error);
	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->epoch = epoch;
	if (options->flags & LCOWMIG_FINALIZE_FORCE && !epoch && !lcowmig__right_is_held(&m->right))
		self->reason = options->reason;
	return LCOWMIG_OK;
}

static lcowmig_status finalize_begin_stop(lcowmig_migration *m, lcowmig__flow **ret_flow, lcowmig_error *error)
{
	if (m->was_resumed)
		return lcowmig__fail(
			error, LCOWMIG_E_FAILED_PRECONDITION,
			"migration session %s was finalized with resume; expected the virtual machine to be terminated instead",
			m->object.id);
	if (m->object.state == LCOWMIG_MIGRATION_FINALIZED) {
		lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_STOP);
		return LCOWMIG_OK;
	}
	if (m->object.state != LCOWMIG_MIGRATION_CANCELLED || lcowmig__session_is_source(m) || m->resume_begun)
		return finalize_make(m, false, ret_flow, error) ? LCOWMIG_OK : LCOWMIG_E_NO_MEMORY;
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_DISCARD);
	m->is_stopped = true;
	lcowmig__session_discard(m);
	return LCOWMIG_OK;
}

static lcowmig_status finalize_begin(lcowmig_migration *m, const char *session_id, const lcowmig_finalize_options *options,
				     lcowmig__flow **ret_flow, lcowmig_error *error)
{
	bool resume = options->action == LCOWMIG_FINALIZE_RESUME;
	lcowmig_status status =
		lcowmig__session_check_call(m, session_id, resume ? LCOWMIG__MIGRATION_RESUME : LCOWMIG__MIGRATION_STOP, error);

	if (status != LCOWMIG_OK)
		return status;
	return resume ? finalize_begin_resume(m, options, ret_flow, error) : finalize_begin_stop(m, ret_flow, error);
}

static lcowmig_status finalize_check_options(const lcowmig_finalize_options *options, lcowmig_error *error)
{
	if (options->action != LCOWMIG_FINALIZE_STOP && options->action != LCOWMIG_FINALIZE_RESUME)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "finalize: action is %lu, expected STOP (1) or RESUME (2)",
				     (unsigned long)options->action);
	if (options->flags & ~LCOWMIG_FINALIZE_FORCE)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "finalize: unknown flags 0x%lx", (unsigned long)options->flags);
	if (options->flags & LCOWMIG_FINALIZE_FORCE && lcowmig__text_is_empty(options->reason))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "finalize: LCOWMIG_FINALIZE_FORCE needs a reason");
	if (!options->token != !options->token_size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "finalize: token and token_size contradict each other");
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_migration_finalize(lcowmig_migration *m, const char *session_id, const lcowmig_finalize_options *given,
					  lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig_finalize_options options;
	lcowmig__pump pump;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;

	if (!m)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "finalize: migration is NULL");
	status = LCOWMIG__COPY_SIZED("lcowmig_finalize_options", &options, given, flags, error);
	if (status == LCOWMIG_OK)
		status = finalize_check_options(&options, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__enter(m->object.context, &pump);
	status = finalize_begin(m, session_id, &options, &flow, error);
	return lcowmig__leave_with(m->object.context, &pump, status, flow, done, user, error);
}
