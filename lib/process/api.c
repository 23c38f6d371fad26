/* The process for the host: arguments checked, the lock taken, flows started. */
#include "engine/abi.h"
#include "process_private.h"

/* What a container does for its own processes, and with them for their counterparts in the guest. */
static lcowmig_status api_check_standalone(const lcowmig_process *process, const char *what, lcowmig_error *error)
{
	if (!process->is_standalone)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "process %s belongs to its container; %s needs one imported alone", process->name, what);
	return LCOWMIG_OK;
}

static lcowmig_status api_check_exec(const lcowmig_process *process, const char *what, lcowmig_error *error)
{
	if (!process->is_standalone && !process->exec_id[0])
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "process %s is a container's init process; the container does its %s", process->name, what);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_process_create(lcowmig_process *process, const lcowmig_process_options *options, lcowmig_done_fn done, void *user,
				      lcowmig_error *error)
{
	lcowmig_process_options own;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(process, process, "process create: process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = LCOWMIG__COPY_SIZED("lcowmig_process_options", &own, options, reserved, error);
	if (status == LCOWMIG_OK)
		status = api_check_exec(process, "Create", error);
	if (status == LCOWMIG_OK)
		flow = lcowmig__process_create_flow(process, &own, error);
	return lcowmig__leave_flow(process, &pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_process_start(lcowmig_process *process, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__flow *flow = NULL;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(process, process, "process start: process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = api_check_exec(process, "Start", error);
	if (status == LCOWMIG_OK)
		flow = lcowmig__process_start_flow(process, error);
	return lcowmig__leave_flow(process, &pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_process_kill(lcowmig_process *process, uint32_t signal, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__flow *flow = NULL;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(process, process, "process kill: process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	if (signal)
		status = lcowmig__process_check_signal(process->env, signal, &signal, error);
	if (status == LCOWMIG_OK)
		flow = lcowmig__process_kill_flow(process, signal, error);
	return lcowmig__leave_flow(process, &pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_process_resize(lcowmig_process *process, uint16_t width, uint16_t height, lcowmig_done_fn done, void *user,
				      lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(process, process, "process resize: process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(process, &pump, LCOWMIG_OK, lcowmig__process_resize_flow(process, width, height, error), done, user,
				   error);
}

lcowmig_status lcowmig_process_close_stdin(lcowmig_process *process, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(process, process, "process close stdin: process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(process, &pump, LCOWMIG_OK, lcowmig__process_close_stdin_flow(process, error), done, user, error);
}

lcowmig_status lcowmig_process_wait(lcowmig_process *process, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(process, process, "process wait: process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(process, &pump, LCOWMIG_OK, lcowmig__process_wait_flow(process, error), done, user, error);
}

/* ---- Migration of a process alone ---- */

lcowmig_status lcowmig_process_save(lcowmig_process *process, uint8_t *buffer, size_t capacity, size_t *ret_size, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__wire_process wire;
	lcowmig__buf bytes;
	lcowmig__pump pump;

	if (!ret_size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "process save: ret_size is NULL");
	if (!lcowmig__enter_object(process, process, "process save: process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	lcowmig__buf_init(&bytes, &process->env->context->mem);
	if (buffer)
		status = api_check_standalone(process, "Save", error);
	if (status == LCOWMIG_OK)
		status = lcowmig__process_capture(process, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__wire_encode_process(&bytes, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__copy_out("process save", bytes.data, bytes.size, buffer, capacity, ret_size, error);
	if (status == LCOWMIG_OK && buffer)
		lcowmig__process_freeze(process);
	lcowmig__buf_done(&bytes);
	return lcowmig__leave_object(process, &pump, status);
}

lcowmig_status lcowmig_process_import(lcowmig_sandbox *sandbox, const uint8_t *data, size_t size, const char *container_id,
				      const char *guest_container_id, lcowmig_process **ret_process, lcowmig_error *error)
{
	lcowmig__env *env = sandbox ? lcowmig__sandbox_env(sandbox) : NULL;
	lcowmig__wire_process wire;
	lcowmig_process *process;
	lcowmig__arena arena;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!env || !container_id || !guest_container_id || !ret_process)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "process import: sandbox, an id or ret_process is NULL");
	lcowmig__arena_init(&arena, &env->context->mem, 0);
	lcowmig__enter(env->context, &pump);
	status = lcowmig__wire_decode_process(&arena, &env->context->limits, data, size, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__process_import(env, &wire, container_id, guest_container_id, NULL, &process, error);
	if (status == LCOWMIG_OK) {
		process->is_standalone = true;
		env->context->dependents++;
		*ret_process = process;
	}
	lcowmig__leave(env->context, &pump);
	lcowmig__arena_done(&arena);
	return status;
}

lcowmig_status lcowmig_process_patch(lcowmig_process *process, const char *container_id, const lcowmig_process_options *options,
				     lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig_process_options own;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(process, process, "process patch: process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = LCOWMIG__COPY_SIZED("lcowmig_process_options", &own, options, reserved, error);
	if (status == LCOWMIG_OK)
		status = api_check_standalone(process, "Patch", error);
	if (status == LCOWMIG_OK)
		flow = lcowmig__process_patch_flow(process, container_id, &own, error);
	return lcowmig__leave_flow(process, &pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_process_adopt(lcowmig_process *process, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(process, process, "process adopt: process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(process, &pump, lcowmig__process_adopt(process, error));
}

lcowmig_status lcowmig_process_resume(lcowmig_process *process, bool is_destination, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__flow *flow = NULL;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(process, process, "process resume: process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = api_check_standalone(process, "Resume", error);
	if (status == LCOWMIG_OK)
		flow = lcowmig__process_resume_flow(process, is_destination, error);
	return lcowmig__leave_flow(process, &pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_process_abort(lcowmig_process *process, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(process, process, "process abort: process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = api_check_standalone(process, "AbortMigrated", error);
	if (status == LCOWMIG_OK)
		lcowmig__process_abort(process);
	return lcowmig__leave_object(process, &pump, status);
}

lcowmig_status lcowmig_process_free(lcowmig_process *process, lcowmig_error *error)
{
	lcowmig_context *context;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!process)
		return LCOWMIG_OK;
	context = process->env->context;
	lcowmig__enter(context, &pump);
	status = api_check_standalone(process, "freeing", error);
	if (status == LCOWMIG_OK)
		status = lcowmig__process_check_idle(process, error);
	if (status == LCOWMIG_OK) {
		lcowmig__process_free(process);
		context->dependents--;
	}
	lcowmig__leave(context, &pump);
	return status;
}

/* ---- Questions ---- */

lcowmig_process_status lcowmig_process_get_status(const lcowmig_process *process)
{
	static const lcowmig_process_status statuses[PROCESS_STATES] = {
		[PROCESS_CREATED] = LCOWMIG_PROCESS_CREATED, /* LCOWMIG_PROCESS_UNKNOWN for what is not mentioned */
		[PROCESS_RUNNING] = LCOWMIG_PROCESS_RUNNING,
		[PROCESS_TERMINATED] = LCOWMIG_PROCESS_STOPPED,
	};
	int state;

	if (!process)
		return LCOWMIG_PROCESS_UNKNOWN;
	lcowmig__lock_take(&process->env->context->lock);
	state = process->object.state;
	lcowmig__lock_drop(&process->env->context->lock);
	return statuses[state];
}

const char *lcowmig_process_state_name(const lcowmig_process *process)
{
	const char *name;

	if (!process)
		return "";
	lcowmig__lock_take(&process->env->context->lock);
	name = lcowmig__object_state_name(&process->object);
	lcowmig__lock_drop(&process->env->context->lock);
	return name;
}

lcowmig_status lcowmig_process_get_exit(const lcowmig_process *process, lcowmig_exit *ret_exit, lcowmig_error *error)
{
	lcowmig_status status;

	if (!process || !ret_exit)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "process exit: process or ret_exit is NULL");
	status = lcowmig__process_check_exit(ret_exit, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__lock_take(&process->env->context->lock);
	lcowmig__process_fill_exit(process, ret_exit);
	lcowmig__lock_drop(&process->env->context->lock);
	return LCOWMIG_OK;
}

uint32_t lcowmig_process_pid(const lcowmig_process *process)
{
	lcowmig_exit seen = LCOWMIG_EXIT_INIT;

	lcowmig_process_get_exit(process, &seen, NULL);
	return seen.pid;
}

/* Texts change only with a patch; the lock makes sure that a whole one is seen. */
static const char *api_text(const lcowmig_process *process, const char *const *text)
{
	const char *value;

	lcowmig__lock_take(&process->env->context->lock);
	value = *text;
	lcowmig__lock_drop(&process->env->context->lock);
	return value ? value : "";
}

const char *lcowmig_process_container_id(const lcowmig_process *process)
{
	return process ? api_text(process, (const char *const *)&process->container_id) : "";
}

const char *lcowmig_process_exec_id(const lcowmig_process *process)
{
	return process ? process->exec_id : "";
}

const char *lcowmig_process_bundle(const lcowmig_process *process)
{
	return process ? api_text(process, (const char *const *)&process->io.bundle) : "";
}

const char *lcowmig_process_stdin(const lcowmig_process *process)
{
	return process ? api_text(process, (const char *const *)&process->io.paths[0]) : "";
}

const char *lcowmig_process_stdout(const lcowmig_process *process)
{
	return process ? api_text(process, (const char *const *)&process->io.paths[1]) : "";
}

const char *lcowmig_process_stderr(const lcowmig_process *process)
{
	return process ? api_text(process, (const char *const *)&process->io.paths[2]) : "";
}

bool lcowmig_process_terminal(const lcowmig_process *process)
{
	bool terminal;

	if (!process)
		return false;
	lcowmig__lock_take(&process->env->context->lock);
	terminal = process->io.terminal;
	lcowmig__lock_drop(&process->env->context->lock);
	return terminal;
}
