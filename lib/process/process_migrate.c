/* A process's way from one host to another: save, import, patch, adopt, resume, abort. */
#include <string.h>

#include "process_private.h"

#define NS_PER_SECOND UINT64_C(1000000000)

lcowmig__wire_duration lcowmig__process_duration(uint64_t nanoseconds)
{
	return (lcowmig__wire_duration){ (int64_t)(nanoseconds / NS_PER_SECOND), (int32_t)(nanoseconds % NS_PER_SECOND) };
}

uint64_t lcowmig__process_nanoseconds(const lcowmig__wire_duration *duration)
{
	return (uint64_t)duration->seconds * NS_PER_SECOND + (uint64_t)duration->nanos;
}

/* ---- Save ---- */

static lcowmig_status capture_check(const lcowmig_process *process, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&process->object, PROCESS_SAVE, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__object_check_idle(&process->object, error);
	if (status == LCOWMIG_OK && process->has_answer)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "process %s is exiting; Save needs one that goes on running",
				       process->name);
	if (status == LCOWMIG_OK && process->wait_id <= 0)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				       "process %s is %s, but the request that waits for its exit has no id yet; Save needs it",
				       process->name, lcowmig__object_state_name(&process->object));
	return status;
}

lcowmig_status lcowmig__process_capture(const lcowmig_process *process, lcowmig__wire_process *ret_wire, lcowmig_error *error)
{
	lcowmig_status status = capture_check(process, error);

	if (status != LCOWMIG_OK)
		return status;
	*ret_wire = (lcowmig__wire_process){
		.exec_id = process->exec_id,
		.pid = (int32_t)process->pid,
		.bundle = process->io.bundle,
		.oci_process_spec_json = { (const uint8_t *)process->spec, process->spec_size },
		.io_retry_timeout = lcowmig__process_duration(process->io_retry_timeout_ns),
		.ports = { process->ports[0], process->ports[1], process->ports[2] },
		.wait_call_id = process->wait_id,
	};
	return LCOWMIG_OK;
}

void lcowmig__process_freeze(lcowmig_process *process)
{
	lcowmig__object_fire(&process->object, PROCESS_SAVE);
}

/* ---- Import ---- */

static bool import_fill(lcowmig_process *process, const lcowmig__wire_process *wire)
{
	const lcowmig__mem *mem = &process->env->context->mem;

	process->pid = (uint32_t)wire->pid;
	process->io_retry_timeout_ns = lcowmig__process_nanoseconds(&wire->io_retry_timeout);
	memcpy(process->ports, wire->ports, sizeof process->ports);
	process->wait_id = wire->wait_call_id;
	process->io.bundle = lcowmig__strdup(mem, wire->bundle);
	if (wire->oci_process_spec_json.size) {
		process->spec = lcowmig__memdup(mem, wire->oci_process_spec_json.data, wire->oci_process_spec_json.size);
		process->spec_size = process->spec ? wire->oci_process_spec_json.size : 0;
	}
	/* What the exit needs is made by Resume: before that it is only noted. */
	return process->io.bundle && (process->spec || !wire->oci_process_spec_json.size);
}

lcowmig_status lcowmig__process_import(lcowmig__env *env, const lcowmig__wire_process *wire, const char *container_id,
				       const char *gcs_container_id, const lcowmig__process_owner *owner, lcowmig_process **ret_process,
				       lcowmig_error *error)
{
	lcowmig_process *process;

	if (wire->pid < 0)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "process %s: its pid is %ld, expected none below 0", container_id,
				     (long)wire->pid);
	process = lcowmig__process_alloc(env, container_id, gcs_container_id, wire->exec_id, error);
	if (!process)
		return LCOWMIG_E_NO_MEMORY;
	if (!import_fill(process, wire)) {
		lcowmig__process_free(process);
		return lcowmig__fail_memory(error);
	}
	if (owner)
		process->owner = *owner;
	lcowmig__object_fire(&process->object, PROCESS_IMPORT);
	*ret_process = process;
	return LCOWMIG_OK;
}

/* ---- Patch ---- */

struct process_patch {
	lcowmig__process_flow base;
	lcowmig__process_patch *patch; /* NULL: it is the process's by now */
};

static void patch_free(lcowmig__process_patch *patch, lcowmig__env *env)
{
	const lcowmig__mem *mem = &env->context->mem;

	if (!patch)
		return;
	lcowmig__process_io_done(&patch->io, env);
	lcowmig__free(mem, patch->container_id);
	lcowmig__free(mem, patch->name);
	lcowmig__event_free(patch->exit_event);
	lcowmig__free(mem, patch);
}

static lcowmig_status patch_check(const struct process_patch *self, lcowmig_error *error)
{
	const lcowmig_process *process = self->base.process;
	lcowmig_status status;

	if (!self->patch->container_id[0])
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "process %s: Patch needs a container id", process->name);
	status = lcowmig__object_check(&process->object, PROCESS_PATCH, error);
	return status == LCOWMIG_OK ? lcowmig__process_io_check(process, &self->patch->io, error) : status;
}

/* The world may have changed while the host opened the stdio: an abort waits for nobody. */
static lcowmig_status patch_keep_aside(struct process_patch *self)
{
	lcowmig_process *process = self->base.process;
	lcowmig__flow *flow = &self->base.flow;
	lcowmig_status status;

	self->patch->io.handle = lcowmig__flow_take_handle(flow);
	if (!self->patch->io.handle)
		return lcowmig__fail(flow->error, LCOWMIG_E_HOST_FAILED, "stdio open: the host attached no handle");
	status = lcowmig__object_check(&process->object, PROCESS_PATCH, flow->error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__process_patch_rollback(process);
	process->patch = self->patch;
	self->patch = NULL;
	return LCOWMIG_OK;
}

static void patch_step(lcowmig__flow *flow)
{
	struct process_patch *self = (struct process_patch *)flow;
	lcowmig_process *process = self->base.process;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &process->gate));
	FLOW_CHECK(flow, patch_check(self, flow->error));
	FLOW_AWAIT(flow, lcowmig__process_io_open(flow, process, self->patch->container_id, &self->patch->io));
	status = flow->result;
	if (status == LCOWMIG_OK)
		status = patch_keep_aside(self);
	if (status != LCOWMIG_OK)
		lcowmig__wrap(flow->error, status, "process %s could not be patched", process->name);
	else if (process->is_standalone)
		lcowmig__process_patch_commit(process);
	FLOW_RETURN(flow, status);
	FLOW_END(flow);
}

static void patch_release(lcowmig__flow *flow)
{
	struct process_patch *self = (struct process_patch *)flow;

	patch_free(self->patch, self->base.process->env);
}

static const lcowmig__flow_class patch_class = { .name = "patch", .step = patch_step, .release = patch_release };

static bool patch_fill(struct process_patch *self, const char *container_id, const lcowmig_process_options *options)
{
	const lcowmig_process *process = self->base.process;
	const lcowmig__mem *mem = &process->env->context->mem;
	lcowmig__process_patch *patch = lcowmig__alloc(mem, sizeof *patch);

	self->patch = patch;
	if (!patch)
		return false;
	patch->container_id = lcowmig__strdup(mem, container_id ? container_id : "");
	patch->name = patch->container_id ? lcowmig__process_make_name(mem, patch->container_id, process->exec_id) : NULL;
	return patch->name && lcowmig__process_io_init(&patch->io, process->env, options) &&
	       lcowmig__process_event_new(process, LCOWMIG_EVENT_TASK_EXIT, patch->container_id, &patch->exit_event);
}

lcowmig__flow *lcowmig__process_patch_flow(lcowmig_process *process, const char *container_id, const lcowmig_process_options *options,
					   lcowmig_error *error)
{
	struct process_patch *self = lcowmig__process_flow_new(process, sizeof *self, &patch_class, error);

	if (!self)
		return NULL;
	return lcowmig__flow_made(&self->base.flow, patch_fill(self, container_id, options), error);
}

void lcowmig__process_patch_commit(lcowmig_process *process)
{
	const lcowmig__mem *mem = &process->env->context->mem;
	lcowmig__process_patch *patch = process->patch;

	if (!patch)
		return;
	lcowmig__process_io_close(process);
	lcowmig__process_io_done(&process->io, process->env);
	process->io = patch->io;
	lcowmig__free(mem, process->container_id);
	lcowmig__free(mem, process->name);
	process->container_id = patch->container_id;
	process->name = patch->name;
	process->object.id = process->name;
	if (patch->exit_event) {
		lcowmig__event_free(process->exit_event);
		process->exit_event = patch->exit_event;
	}
	process->patch = NULL;
	lcowmig__free(mem, patch);
	lcowmig__object_fire(&process->object, PROCESS_PATCH);
}

void lcowmig__process_patch_rollback(lcowmig_process *process)
{
	patch_free(process->patch, process->env);
	process->patch = NULL;
}

/* ---- Resume ---- */

lcowmig_status lcowmig__process_adopt(lcowmig_process *process, lcowmig_error *error)
{
	lcowmig__flow *watch;

	if (process->object.state != PROCESS_DESTINATION_MIGRATING || process->is_adopted)
		return LCOWMIG_OK;
	if (process->wait_id <= 0)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "process %s was saved without the id of the request that waits for its exit; Resume needs it",
				     process->name);
	if (!process->env->guest.adopt)
		return lcowmig__fail(error, LCOWMIG_E_NOT_SUPPORTED, "process %s: the host's guest ops have no adopt, which Resume needs",
				     process->name);
	watch = lcowmig__process_watch_flow(process, PROCESS_ADOPTS, error);
	if (!watch)
		return LCOWMIG_E_NO_MEMORY;
	process->is_adopted = true;
	lcowmig__flow_background(watch);
	return LCOWMIG_OK;
}

struct process_resume {
	lcowmig__process_flow base;
	bool is_destination;
	bool was_imported; /* DestinationMigrating at first */
	lcowmig__flow *probe;
};

static bool resume_is_due(const lcowmig_process *process)
{
	return process->object.state == PROCESS_DESTINATION_MIGRATING || process->object.state == PROCESS_SOURCE_MIGRATING;
}

/* On the destination: whatever must be there before the guest's streams are taken up again. */
static lcowmig_status resume_prepare(struct process_resume *self, lcowmig_error *error)
{
	lcowmig_process *process = self->base.process;
	lcowmig_status status;

	self->was_imported = process->object.state == PROCESS_DESTINATION_MIGRATING;
	if (!self->was_imported)
		return LCOWMIG_OK;
	if (!process->io.handle)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "process %s is DestinationMigrating and has no stdio; Patch comes first", process->name);
	status = lcowmig__process_prepare_exit(process, error);
	return status == LCOWMIG_OK ? lcowmig__process_adopt(process, error) : status;
}

static void resume_attach(struct process_resume *self)
{
	lcowmig_process *process = self->base.process;

	if (process->io.handle)
		lcowmig__stdio_attach(&self->base.flow, process->env, process->io.handle, process->ports);
}

static lcowmig_status resume_commit(struct process_resume *self, lcowmig_error *error)
{
	lcowmig_process *process = self->base.process;
	lcowmig_status status;

	if (process->object.state == PROCESS_TERMINATED && !self->was_imported)
		return LCOWMIG_OK; /* it exited meanwhile */
	if (!resume_is_due(process))
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "process %s was aborted while it was being resumed",
				     process->name);
	/* The connection over which it was adopted may be gone already: nobody would wait for the exit. */
	status = lcowmig__process_adopt(process, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__object_fire(&process->object, PROCESS_RESUME);
	if (self->is_destination || process->probe_wanted || process->env->guest_was_replaced) {
		lcowmig__process_settle(process, self->probe);
		self->probe = NULL;
	}
	process->probe_wanted = false;
	return LCOWMIG_OK;
}

static void resume_step(lcowmig__flow *flow)
{
	struct process_resume *self = (struct process_resume *)flow;
	lcowmig_process *process = self->base.process;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &process->gate, PROCESS_RESUME));
	if (!resume_is_due(process))
		FLOW_RETURN(flow, LCOWMIG_OK);
	FLOW_CHECK(flow, resume_prepare(self, flow->error));
	FLOW_TRY_OR(flow, lcowmig__gate_enter(flow, &process->io_gate), failed);
	FLOW_AWAIT(flow, resume_attach(self));
	lcowmig__process_io_leave(flow, process);
	if (flow->result == LCOWMIG_OK)
		FLOW_RETURN(flow, resume_commit(self, flow->error));
failed:
	FLOW_RETURN(flow, lcowmig__wrap(flow->error, flow->result, "process %s could not be resumed and is %s", process->name,
					lcowmig__object_state_name(&process->object)));
	FLOW_END(flow);
}

static void resume_release(lcowmig__flow *flow)
{
	lcowmig__flow_discard(((struct process_resume *)flow)->probe);
}

static const lcowmig__flow_class resume_class = { .name = "resume", .step = resume_step, .release = resume_release };

lcowmig__flow *lcowmig__process_resume_flow(lcowmig_process *process, bool is_destination, lcowmig_error *error)
{
	struct process_resume *self = lcowmig__process_flow_new(process, sizeof *self, &resume_class, error);

	if (!self)
		return NULL;
	self->is_destination = is_destination;
	self->probe = lcowmig__process_watch_flow(process, PROCESS_PROBES, error);
	return lcowmig__flow_made(&self->base.flow, self->probe != NULL, error);
}

/* ---- Abort ---- */

void lcowmig__process_abort(lcowmig_process *process)
{
	if (process->object.state != PROCESS_DESTINATION_MIGRATING)
		return;
	lcowmig__object_fire(&process->object, PROCESS_ABORT);
	lcowmig__process_end_now(process, LCOWMIG_EXIT_ABORTED);
}
