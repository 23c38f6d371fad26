/* A process as an object: making, freeing, waiting, deleting, questions. */
#include "process_private.h"

/* ---- Flows of a process ---- */

void *lcowmig__process_flow_new(lcowmig_process *process, size_t size, const lcowmig__flow_class *class, lcowmig_error *error)
{
	lcowmig__process_flow *self = lcowmig__flow_new(size, class, process->env->context, &process->object, error);

	if (self)
		self->process = process;
	return self;
}

bool lcowmig__process_event_new(const lcowmig_process *process, lcowmig_event_type type, const char *container_id,
				lcowmig_event **ret_event)
{
	*ret_event = process->exec_id[0] ? lcowmig__event_new(process->env, type, container_id, process->exec_id, NULL) : NULL;
	return *ret_event || !process->exec_id[0];
}

/* ---- Making and freeing ---- */

char *lcowmig__process_make_name(const lcowmig__mem *mem, const char *container_id, const char *exec_id)
{
	lcowmig__buf name;

	if (!exec_id[0])
		return lcowmig__strdup(mem, container_id);
	lcowmig__buf_init(&name, mem);
	lcowmig__buf_printf(&name, "%s/%s", container_id, exec_id);
	return lcowmig__buf_take(&name);
}

lcowmig_process *lcowmig__process_alloc(lcowmig__env *env, const char *container_id, const char *gcs_container_id, const char *exec_id,
					lcowmig_error *error)
{
	const lcowmig__mem *mem = &env->context->mem;
	lcowmig_process *process = lcowmig__alloc(mem, sizeof *process);

	if (!process) {
		lcowmig__fail_memory(error);
		return NULL;
	}
	process->env = env;
	process->gcs_container_id = lcowmig__strdup(mem, gcs_container_id);
	process->container_id = lcowmig__strdup(mem, container_id);
	process->exec_id = lcowmig__strdup(mem, exec_id);
	process->name = lcowmig__process_make_name(mem, container_id, exec_id);
	process->exit_status = PROCESS_EXIT_STATUS_INITIAL;
	lcowmig__object_init(&process->object, env->context, &lcowmig__process_machine, process->name);
	lcowmig__gate_init(&process->gate);
	lcowmig__gate_init(&process->io_gate);
	lcowmig__signal_init(&process->exited);
	if (process->gcs_container_id && process->container_id && process->exec_id && process->name)
		return process;
	lcowmig__process_free(process);
	lcowmig__fail_memory(error);
	return NULL;
}

lcowmig_status lcowmig__process_new(lcowmig__env *env, const char *container_id, const char *gcs_container_id, const char *exec_id,
				    uint64_t io_retry_timeout_ns, const lcowmig__process_owner *owner, lcowmig_process **ret_process,
				    lcowmig_error *error)
{
	lcowmig_process *process = lcowmig__process_alloc(env, container_id, gcs_container_id, exec_id, error);

	if (!process)
		return LCOWMIG_E_NO_MEMORY;
	process->io_retry_timeout_ns = io_retry_timeout_ns;
	process->owner = *owner;
	*ret_process = process;
	return LCOWMIG_OK;
}

void lcowmig__process_free(lcowmig_process *process)
{
	const lcowmig__mem *mem;

	if (!process)
		return;
	mem = &process->env->context->mem;
	lcowmig__process_orphan_watches(process);
	lcowmig__flow_discard(process->exit_flow);
	lcowmig__event_free(process->exit_event);
	lcowmig__process_io_close_retired(process);
	lcowmig__process_io_done(&process->io, process->env);
	lcowmig__process_patch_rollback(process);
	lcowmig__free(mem, process->spec);
	lcowmig__free(mem, process->name);
	lcowmig__free(mem, process->container_id);
	lcowmig__free(mem, process->gcs_container_id);
	lcowmig__free(mem, process->exec_id);
	lcowmig__free(mem, process);
}

/* ---- Waiting ---- */

static void wait_step(lcowmig__flow *flow)
{
	lcowmig_process *process = ((lcowmig__process_flow *)flow)->process;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__signal_wait(flow, &process->exited));
	FLOW_END(flow);
}

static const lcowmig__flow_class wait_class = { .name = "wait", .step = wait_step, .is_watch = true };

lcowmig__flow *lcowmig__process_wait_flow(lcowmig_process *process, lcowmig_error *error)
{
	return lcowmig__process_flow_new(process, sizeof(lcowmig__process_flow), &wait_class, error);
}

/* ---- Deleting ---- */

static void delete_step(lcowmig__flow *flow)
{
	lcowmig_process *process = ((lcowmig__process_flow *)flow)->process;
	int state;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &process->gate, PROCESS_DELETE));
	state = process->object.state;
	lcowmig__object_fire(&process->object, PROCESS_DELETE);
	if (state == PROCESS_CREATED)
		lcowmig__process_end_now(process, PROCESS_EXIT_STATUS_DELETED);
	/* Terminated comes before its stdio is closed and its exit announced. */
	FLOW_TRY(flow, lcowmig__signal_wait(flow, &process->exited));
	FLOW_END(flow);
}

static const lcowmig__flow_class delete_class = { .name = "delete", .step = delete_step };

lcowmig__flow *lcowmig__process_delete_flow(lcowmig_process *process, lcowmig_error *error)
{
	return lcowmig__process_flow_new(process, sizeof(lcowmig__process_flow), &delete_class, error);
}

/* ---- Questions ---- */

const char *lcowmig__process_exec_id(const lcowmig_process *process)
{
	return process->exec_id;
}

uint32_t lcowmig__process_pid(const lcowmig_process *process)
{
	return process->pid;
}

bool lcowmig__process_is_created(const lcowmig_process *process)
{
	return process->object.state == PROCESS_CREATED;
}

void lcowmig__process_tell_exit(const lcowmig_process *process, lcowmig_event *event)
{
	event->pid = process->pid;
	event->exit_status = process->exit_status;
	event->exited_at = process->exited_at;
}

lcowmig_status lcowmig__process_check_exit(const lcowmig_exit *exit, lcowmig_error *error)
{
	if (exit->size < sizeof *exit)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "lcowmig_exit: size is %zu, expected at least %zu (set it to sizeof)", exit->size, sizeof *exit);
	return LCOWMIG_OK;
}

void lcowmig__process_fill_exit(const lcowmig_process *process, lcowmig_exit *ret_exit)
{
	ret_exit->pid = process->pid;
	ret_exit->exit_status = process->exit_status;
	ret_exit->exited_at = process->exited_at;
}

bool lcowmig__process_tell_io(const lcowmig_process *process, lcowmig_event *event)
{
	const lcowmig__process_io *io = &process->io;

	event->pid = process->pid;
	return lcowmig__event_set_io(event, io->bundle, (const char *const *)io->paths, io->terminal);
}

lcowmig_status lcowmig__process_check_idle(const lcowmig_process *process, lcowmig_error *error)
{
	return lcowmig__object_check_idle(&process->object, error);
}

lcowmig__node *lcowmig__process_node(lcowmig_process *process)
{
	return &process->node;
}

lcowmig_process *lcowmig__process_of_node(const lcowmig__node *node)
{
	return LCOWMIG__TREE_ENTRY(node, lcowmig_process, node);
}
