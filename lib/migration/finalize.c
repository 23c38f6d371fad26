/* The decision at the end of a session, and who may take it. */
#include "base/text.h"
#include "engine/abi.h"
#include "migration.h"

struct finalize {
	lcowmig__flow flow;
	lcowmig_migration *m;
	uint64_t generation;
	bool resume;
	uint32_t epoch;     /* of the token, for the first step */
	const char *reason; /* the caller's, for the first step; NULL: nothing is forced */
};

static void finalize_done(struct finalize *self)
{
	lcowmig_migration *m = self->m;

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
	lcowmig_migration *m = self->m;

	lcowmig__right_take(&m->right, self->epoch);
	if (self->reason)
		finalize_note_force(m, self->reason);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_FINALIZE, NULL);
}

static void finalize_step(lcowmig__flow *flow)
{
	struct finalize *self = (struct finalize *)flow;
	lcowmig_migration *m = self->m;

	FLOW_BEGIN(flow);
	finalize_decide(self);
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__transfer_join_flow(m, flow->error)));
	if (self->resume)
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__session_resume_flow(m, flow->error)));
	else
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__session_stop_flow(m, flow->error)));
	if (lcowmig__session_is_stale(m, self->generation) || m->abandon)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_CANCELLED, "finalize: its session was abandoned"));
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, flow->result);
	finalize_done(self);
	FLOW_END(flow);
}

static void finalize_release(lcowmig__flow *flow)
{
	struct finalize *self = (struct finalize *)flow;

	lcowmig__session_end_work(self->m, flow);
	if (!lcowmig__session_is_stale(self->m, self->generation))
		lcowmig__timeline_end(&self->m->timeline, LCOWMIG__SPAN_FINALIZE);
}

static const lcowmig__flow_class finalize_class = { "finalize", finalize_step, finalize_release, false };

bool lcowmig__session_is_finalizing(const lcowmig_migration *m)
{
	return m->id && m->work && m->work->class == &finalize_class; /* it may outlive an abandoned session */
}

/* Whether there is anything here that could run. */
static lcowmig_status finalize_check_machine(const lcowmig_migration *m, lcowmig_error *error)
{
	lcowmig__vm_state state = lcowmig__vm_get_state(m->sandbox->vm);

	if (m->is_stopped || m->is_discarded)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "migration session %s (%s) was %s here and cannot resume",
				     m->object.id, lcowmig__object_state_name(&m->object), m->is_stopped ? "stopped" : "discarded");
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
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
			     "migration session %s (%s) cannot resume: its transfer has not completed here; expected release or finalize "
			     "with STOP",
			     m->object.id, lcowmig__object_state_name(&m->object));
}

static struct finalize *finalize_make(lcowmig_migration *m, bool resume, lcowmig_error *error)
{
	struct finalize *self = lcowmig__flow_new(sizeof *self, &finalize_class, m->object.context, &m->object, error);

	if (!self)
		return NULL;
	self->m = m;
	self->generation = m->generation;
	self->resume = resume;
	lcowmig__session_begin_work(m, &self->flow);
	return self;
}

static lcowmig_status finalize_begin_resume(lcowmig_migration *m, const lcowmig_finalize_options *options, lcowmig__flow **ret_flow,
					    lcowmig_error *error)
{
	struct finalize *self;
	uint32_t epoch;
	lcowmig_status status;

	if (m->object.state == LCOWMIG_MIGRATION_FINALIZED && m->was_resumed) {
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
	self = finalize_make(m, true, error);
	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->epoch = epoch;
	if (options->flags & LCOWMIG_FINALIZE_FORCE && !epoch && !lcowmig__right_is_held(&m->right))
		self->reason = options->reason;
	*ret_flow = &self->flow;
	return LCOWMIG_OK;
}

static lcowmig_status finalize_begin_stop(lcowmig_migration *m, lcowmig__flow **ret_flow, lcowmig_error *error)
{
	if (m->object.state == LCOWMIG_MIGRATION_FINALIZED && m->was_resumed)
		return lcowmig__fail(
			error, LCOWMIG_E_FAILED_PRECONDITION,
			"migration session %s was finalized with resume; expected the virtual machine to be terminated instead",
			m->object.id);
	if (m->object.state == LCOWMIG_MIGRATION_FINALIZED) {
		lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_STOP);
		return LCOWMIG_OK;
	}
	if (m->object.state != LCOWMIG_MIGRATION_CANCELLED || lcowmig__session_is_source(m) || m->resume_begun) {
		struct finalize *self = finalize_make(m, false, error);

		*ret_flow = self ? &self->flow : NULL;
		return self ? LCOWMIG_OK : LCOWMIG_E_NO_MEMORY;
	}
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_DISCARD);
	m->is_stopped = true;
	lcowmig__session_discard(m);
	return LCOWMIG_OK;
}

static lcowmig_status finalize_begin(lcowmig_migration *m, const char *session_id, const lcowmig_finalize_options *options,
				     lcowmig__flow **ret_flow, lcowmig_error *error)
{
	bool resume = options->action == LCOWMIG_FINALIZE_RESUME;
	lcowmig_status status = lcowmig__session_check(m, session_id, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__object_check(&m->object, resume ? LCOWMIG__MIGRATION_RESUME : LCOWMIG__MIGRATION_STOP, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__session_check_quiet(m, error);
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
