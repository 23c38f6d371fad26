/* Create opens a process's stdio; Start runs it in the guest. */
#include <string.h>

#include "base/json.h"
#include "guest/guest.h"
#include "process_private.h"

/* ---- Create ---- */

struct process_create {
	lcowmig__process_flow base;
	lcowmig__process_io io;
	char *spec;
	lcowmig_event *added; /* an exec's TASK_EXEC_ADDED */
};

static lcowmig_status create_check_spec(const struct process_create *self, lcowmig_error *error)
{
	const lcowmig_process *process = self->base.process;
	const lcowmig_limits *limits = &process->env->context->limits;
	lcowmig_status status;
	size_t size;

	if (!process->exec_id[0])
		return self->spec ? lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
						  "process %s is an init process, whose specification is the container's; expected none",
						  process->name)
				  : LCOWMIG_OK;
	if (!self->spec)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "process %s is an exec; expected its OCI process", process->name);
	size = strlen(self->spec);
	status = lcowmig__json_validate("OCI process", self->spec, size, limits->document_bytes, limits, error);
	if (status == LCOWMIG_OK && !lcowmig__json_is_object(self->spec, size))
		status =
			lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "process %s: its OCI process is not a JSON object", process->name);
	return status;
}

static lcowmig_status create_check(struct process_create *self, lcowmig_error *error)
{
	lcowmig_process *process = self->base.process;
	lcowmig_status status = lcowmig__process_io_check(process, &self->io, error);

	if (status == LCOWMIG_OK)
		status = create_check_spec(self, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__process_prepare_exit(process, error);
	return status;
}

static void create_commit(struct process_create *self)
{
	lcowmig_process *process = self->base.process;

	self->io.handle = lcowmig__flow_take_handle(&self->base.flow);
	process->io = self->io;
	memset(&self->io, 0, sizeof self->io);
	process->spec = self->spec;
	process->spec_size = self->spec ? strlen(self->spec) : 0;
	self->spec = NULL;
	lcowmig__object_fire(&process->object, PROCESS_CREATE);
	lcowmig__event_send(self->added);
	self->added = NULL;
}

static void create_step(lcowmig__flow *flow)
{
	struct process_create *self = (struct process_create *)flow;
	lcowmig_process *process = self->base.process;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &process->gate, PROCESS_CREATE));
	FLOW_CHECK(flow, create_check(self, flow->error));
	FLOW_AWAIT(flow, lcowmig__process_io_open(flow, process, process->container_id, &self->io));
	status = flow->result;
	if (status == LCOWMIG_OK && !flow->handle)
		status = lcowmig__fail(flow->error, LCOWMIG_E_HOST_FAILED, "stdio open: the host attached no handle");
	if (status == LCOWMIG_OK)
		create_commit(self);
	else
		lcowmig__wrap(flow->error, status, "process %s could not be created", process->name);
	FLOW_RETURN(flow, status);
	FLOW_END(flow);
}

static void create_release(lcowmig__flow *flow)
{
	struct process_create *self = (struct process_create *)flow;

	lcowmig__process_io_done(&self->io, self->base.process->env);
	lcowmig__free(&flow->context->mem, self->spec);
	lcowmig__event_free(self->added);
}

static const lcowmig__flow_class create_class = { .name = "create", .step = create_step, .release = create_release };

lcowmig__flow *lcowmig__process_create_flow(lcowmig_process *process, const lcowmig_process_options *options, lcowmig_error *error)
{
	struct process_create *self = lcowmig__process_flow_new(process, sizeof *self, &create_class, error);
	bool is_complete;

	if (!self)
		return NULL;
	self->spec = lcowmig__strdup(&process->env->context->mem, options->process_spec);
	is_complete = (self->spec || !options->process_spec) && lcowmig__process_io_init(&self->io, process->env, options) &&
		      lcowmig__process_event_new(process, LCOWMIG_EVENT_TASK_EXEC_ADDED, process->container_id, &self->added);
	return lcowmig__flow_made(&self->base.flow, is_complete, error);
}

/* ---- Start ---- */

struct process_start {
	lcowmig__process_flow base;
	lcowmig__flow *watch;
	lcowmig_event *started; /* an exec's TASK_EXEC_STARTED */
	bool was_sent;          /* the guest has, or may have, started it */
};

/* A port for every stream that has a path. */
static void start_allocate_ports(struct process_start *self)
{
	lcowmig_process *process = self->base.process;
	bool wanted[3];
	bool any = false;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(wanted); i++) {
		wanted[i] = process->io.paths[i][0] != '\0';
		any = any || wanted[i];
		process->ports[i] = 0;
	}
	if (any)
		lcowmig__guest_allocate_ports(&self->base.flow, process->env, wanted, process->ports);
}

static void start_execute(struct process_start *self)
{
	const lcowmig_process *process = self->base.process;
	const lcowmig__guest_process request = {
		.container_id = process->gcs_container_id,
		.ports = { process->ports[0], process->ports[1], process->ports[2] },
		.oci_process = process->spec,
	};

	lcowmig__guest_execute_process(&self->base.flow, process->env, &request);
	self->was_sent = self->base.flow.waiting > 0;
}

static lcowmig_status start_read_pid(struct process_start *self)
{
	lcowmig__flow *flow = &self->base.flow;
	uint32_t pid;
	lcowmig_status status = lcowmig__guest_reply_process_id(flow, &pid, flow->error);

	if (status == LCOWMIG_OK && (!pid || pid > INT32_MAX))
		status = lcowmig__fail(flow->error, LCOWMIG_E_CORRUPT_DATA, "the guest answered with the process id %lu",
				       (unsigned long)pid);
	if (status == LCOWMIG_OK)
		self->base.process->pid = pid;
	return status;
}

static void start_commit(struct process_start *self)
{
	lcowmig_process *process = self->base.process;

	lcowmig__object_fire(&process->object, PROCESS_START);
	lcowmig__flow_background(self->watch);
	self->watch = NULL;
	if (self->started)
		self->started->pid = process->pid;
	lcowmig__event_send(self->started);
	self->started = NULL;
}

/* Out of memory before the guest was asked is no reason to give the process up. */
static lcowmig_status start_failed(struct process_start *self)
{
	lcowmig_process *process = self->base.process;
	lcowmig_status status = self->base.flow.result;

	if (status != LCOWMIG_E_NO_MEMORY || self->was_sent) {
		lcowmig__object_fire(&process->object, PROCESS_START_FAILED);
		lcowmig__process_end_now(process, PROCESS_EXIT_STATUS_NOT_STARTED);
	}
	return lcowmig__wrap(self->base.flow.error, status, "process %s could not be started and is %s", process->name,
			     lcowmig__object_state_name(&process->object));
}

static void start_step(lcowmig__flow *flow)
{
	struct process_start *self = (struct process_start *)flow;
	lcowmig_process *process = self->base.process;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &process->gate, PROCESS_START));
	FLOW_TRY_OR(flow, start_allocate_ports(self), failed);
	/* Listening comes first: the guest answers only after it has dialled. */
	FLOW_TRY_OR(flow, lcowmig__stdio_attach(flow, process->env, process->io.handle, process->ports), failed);
	lcowmig__flow_shield(flow, true);
	FLOW_TRY_OR(flow, start_execute(self), failed);
	flow->result = start_read_pid(self);
	if (flow->result != LCOWMIG_OK)
		goto failed;
	start_commit(self);
	FLOW_RETURN(flow, LCOWMIG_OK);
failed:
	FLOW_RETURN(flow, start_failed(self));
	FLOW_END(flow);
}

static void start_release(lcowmig__flow *flow)
{
	struct process_start *self = (struct process_start *)flow;

	lcowmig__flow_discard(self->watch);
	lcowmig__event_free(self->started);
}

static const lcowmig__flow_class start_class = { .name = "start", .step = start_step, .release = start_release };

lcowmig__flow *lcowmig__process_start_flow(lcowmig_process *process, lcowmig_error *error)
{
	struct process_start *self = lcowmig__process_flow_new(process, sizeof *self, &start_class, error);
	bool is_complete;

	if (!self)
		return NULL;
	self->watch = lcowmig__process_watch_flow(process, PROCESS_WAITS, error);
	is_complete = self->watch &&
		      lcowmig__process_event_new(process, LCOWMIG_EVENT_TASK_EXEC_STARTED, process->container_id, &self->started);
	return lcowmig__flow_made(&self->base.flow, is_complete, error);
}
