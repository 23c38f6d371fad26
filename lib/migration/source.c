/*
 * The source before the transfer.
 *
 *     prepare source:  reasons against it? -> HCS initialise
 *     export:          reasons against it? -> ask the host what only it knows -> capture everything, encode, freeze everything: one step
 */
#include "migration.h"

struct prepare_source {
	lcowmig__session_flow base;
	const lcowmig__migration_options *options;
	lcowmig__migration_options own;
};

static void prepare_source_step(lcowmig__flow *flow)
{
	struct prepare_source *self = (struct prepare_source *)flow;
	lcowmig_migration *m = self->base.m;
	lcowmig_vm *vm = m->sandbox->vm;

	FLOW_BEGIN(flow);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_PREPARE, NULL);
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_initialize_source_flow(vm, self->options, NULL)));
	/* An interrupt does not keep the host from doing what it was asked for. */
	if (flow->result != LCOWMIG_OK && lcowmig__vm_get_state(vm) != LCOWMIG__VM_SOURCE_INITIALIZED)
		FLOW_RETURN(flow, flow->result);
	if (lcowmig__session_is_stale(flow)) {
		/* Abandoned while the host took its time: undo what it has done after all. */
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_cancel_flow(vm, NULL)));
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_finalize_flow(vm, true, NULL)));
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_resume_flow(vm, NULL)));
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_CANCELLED, "prepare source: its session was abandoned"));
	}
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_PREPARE_SOURCE);
	if (m->cancel_asked || flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_CANCELLED, "migration session %s was cancelled", m->id));
	FLOW_END(flow);
}

/* Without success there is no session. */
static void prepare_source_release(lcowmig__flow *flow)
{
	lcowmig_migration *m = ((struct prepare_source *)flow)->base.m;
	bool has_session = m->work == flow && !lcowmig__session_is_stale(flow);

	lcowmig__session_flow_release(flow);
	if (has_session && m->object.state == LCOWMIG_MIGRATION_IDLE && !m->abandon)
		lcowmig__session_close(m);
}

static const lcowmig__flow_class prepare_source_class = {
	.name = "prepare source",
	.step = prepare_source_step,
	.release = prepare_source_release,
};

static lcowmig_status prepare_source_begin(lcowmig_migration *m, const char *session_id, const lcowmig_migration_options *options,
					   lcowmig__flow **ret_flow, lcowmig_error *error)
{
	struct prepare_source *self;
	lcowmig_status status = lcowmig__object_check(&m->object, LCOWMIG__MIGRATION_PREPARE_SOURCE, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__session_check_quiet(m, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__migration_check_reasons(m, error);
	/* An abandon that the host refused leaves a machine that is initialized already, but for nobody. */
	if (status == LCOWMIG_OK && lcowmig__vm_get_state(m->sandbox->vm) != LCOWMIG__VM_RUNNING)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "virtual machine %s is %s; prepare source needs Running",
				       m->sandbox->env.vm_id, lcowmig__vm_state_name(m->sandbox->vm));
	if (status != LCOWMIG_OK)
		return status;
	self = lcowmig__session_flow_new(m, sizeof *self, &prepare_source_class, true, error);
	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	status = lcowmig__migration_convert_options(options, &self->own, &self->options, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__session_open(m, session_id, LCOWMIG_ORIGIN_SOURCE, error);
	if (status != LCOWMIG_OK) {
		lcowmig__flow_discard(&self->base.flow);
		return status;
	}
	self->base.generation = m->generation;
	self->base.span = LCOWMIG__SPAN_PREPARE;
	lcowmig__session_begin_work(m, &self->base.flow);
	*ret_flow = &self->base.flow;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_migration_prepare_source(lcowmig_migration *m, const char *session_id, const lcowmig_migration_options *options,
						lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;

	if (!lcowmig__enter_object(m, m, "prepare source: migration", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = lcowmig__session_check_id(m, "session id", session_id, error);
	if (status == LCOWMIG_OK)
		status = prepare_source_begin(m, session_id, options, &flow, error);
	return lcowmig__leave_with(m->object.context, &pump, status, flow, done, user, error);
}

/* Fills `sandbox` with what is, as it is. Nothing changes. */
static lcowmig_status export_capture(const lcowmig_migration *m, lcowmig__arena *arena, lcowmig__wire_sandbox *sandbox,
				     lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig_pod *pod;

	sandbox->pods = lcowmig__arena_alloc(arena, (m->sandbox->pods.count + 1) * sizeof *sandbox->pods);
	if (!sandbox->pods)
		return lcowmig__fail_memory(error);
	status = lcowmig__vm_capture(m->sandbox->vm, arena, &sandbox->vm, error);
	for (pod = lcowmig__sandbox_next_pod(m->sandbox, NULL); pod && status == LCOWMIG_OK;
	     pod = lcowmig__sandbox_next_pod(m->sandbox, pod))
		status = lcowmig__pod_capture(pod, arena, &sandbox->pods[sandbox->n_pods++], error);
	return status;
}

/* Captures and encodes: everything that can fail. */
static lcowmig_status export_encode(const lcowmig_migration *m, lcowmig__buf *envelope, lcowmig_error *error)
{
	lcowmig__wire_sandbox sandbox = { 0 };
	lcowmig__arena arena;
	lcowmig_status status;

	lcowmig__arena_init(&arena, &m->object.context->mem, 0);
	status = export_capture(m, &arena, &sandbox, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__wire_encode_sandbox(envelope, &sandbox, error);
	lcowmig__arena_done(&arena);
	if (status == LCOWMIG_OK && envelope->size > m->object.context->limits.envelope_bytes)
		status = lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "the envelope of sandbox %s has %zu bytes, at most %lu",
				       m->sandbox->object.id, envelope->size,
				       (unsigned long)m->object.context->limits.envelope_bytes);
	return status;
}

/* Everything or nothing: what can fail comes first, and what freezes cannot. */
static lcowmig_status export_freeze(lcowmig_migration *m, lcowmig_error *error)
{
	lcowmig__buf envelope;
	lcowmig_status status;
	lcowmig_pod *pod;

	lcowmig__buf_init(&envelope, &m->object.context->mem);
	status = export_encode(m, &envelope, error);
	if (status != LCOWMIG_OK) {
		lcowmig__buf_done(&envelope);
		return status;
	}
	m->envelope_size = envelope.size;
	m->envelope = lcowmig__buf_take(&envelope);
	lcowmig__right_bind(&m->right, m->sandbox->env.vm_id, m->envelope, m->envelope_size);
	lcowmig__vm_freeze(m->sandbox->vm);
	for (pod = lcowmig__sandbox_next_pod(m->sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(m->sandbox, pod))
		lcowmig__pod_freeze(pod);
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_EXPORT);
	return LCOWMIG_OK;
}

static void export_step(lcowmig__flow *flow)
{
	lcowmig_migration *m = ((lcowmig__session_flow *)flow)->m;

	FLOW_BEGIN(flow);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_EXPORT, NULL);
	/* A cancel or an abandon would have interrupted it. */
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__vm_collect_flow(m->sandbox->vm, NULL)));
	FLOW_CHECK(flow, lcowmig__migration_check_reasons(m, flow->error));
	FLOW_CHECK(flow, export_freeze(m, flow->error));
	lcowmig__session_step(m, LCOWMIG_STEP_EXPORTED, 0, 0, NULL);
	FLOW_END(flow);
}

static const lcowmig__flow_class export_class = { .name = "export", .step = export_step, .release = lcowmig__session_flow_release };

static lcowmig_status export_begin(lcowmig_migration *m, const char *session_id, lcowmig__flow **ret_flow, lcowmig_error *error)
{
	lcowmig__session_flow *self;
	lcowmig_status status = lcowmig__session_check_call(m, session_id, LCOWMIG__MIGRATION_EXPORT, error);

	if (status == LCOWMIG_OK && m->object.state == LCOWMIG_MIGRATION_SOURCE_EXPORTED) {
		lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_EXPORT);
		return LCOWMIG_OK;
	}
	if (status == LCOWMIG_OK)
		status = lcowmig__migration_check_reasons(m, error);
	if (status != LCOWMIG_OK)
		return status;
	self = lcowmig__session_flow_new(m, sizeof *self, &export_class, true, error);
	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->span = LCOWMIG__SPAN_EXPORT;
	lcowmig__session_begin_work(m, &self->flow);
	*ret_flow = &self->flow;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_migration_export(lcowmig_migration *m, const char *session_id, lcowmig_done_fn done, void *user,
					lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;

	if (!lcowmig__enter_object(m, m, "export: migration", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = export_begin(m, session_id, &flow, error);
	return lcowmig__leave_with(m->object.context, &pump, status, flow, done, user, error);
}

static lcowmig_status envelope_check(const lcowmig_migration *m, const char *session_id, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__session_check(m, session_id, error);

	if (status == LCOWMIG_OK && !m->envelope)
		status = lcowmig__session_refuse(m, " has exported nothing", error);
	return status;
}

lcowmig_status lcowmig_migration_envelope(lcowmig_migration *m, const char *session_id, const uint8_t **ret_data, size_t *ret_size,
					  lcowmig_error *error)
{
	lcowmig_status status;

	if (!m || !ret_data || !ret_size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "envelope: migration, ret_data and ret_size are required");
	lcowmig__lock_take(&m->object.context->lock);
	status = envelope_check(m, session_id, error);
	if (status == LCOWMIG_OK) {
		*ret_data = (const uint8_t *)m->envelope;
		*ret_size = m->envelope_size;
	}
	lcowmig__lock_drop(&m->object.context->lock);
	return status;
}

lcowmig_status lcowmig_migration_copy_envelope(lcowmig_migration *m, const char *session_id, uint8_t *buffer, size_t size, size_t *ret_size,
					       lcowmig_error *error)
{
	lcowmig_status status;

	if (!m || !ret_size || (!buffer && size))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "envelope: migration, buffer and ret_size are required");
	lcowmig__lock_take(&m->object.context->lock);
	status = envelope_check(m, session_id, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__session_copy_out("envelope", m->envelope, m->envelope_size, buffer, size, ret_size, error);
	lcowmig__lock_drop(&m->object.context->lock);
	return status;
}
