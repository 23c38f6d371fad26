/* Which calls of a shim's services may be served now: one table. */
#include <string.h>

#include "base/text.h"
#include "engine/abi.h"
#include "sandbox.h"

typedef enum guard {
	GUARD_NONE,
	GUARD_RUNNING,     /* the machine is exactly Running; every migrating state is not */
	GUARD_CREATE,      /* Running, or DestinationMigrationImported: then it patches */
	GUARD_IDLE,        /* no migration session */
	GUARD_NOT_CREATED, /* once only */
	GUARD_CREATED,     /* there is a machine, or was */
	GUARD_UNSUPPORTED
} guard;

struct call {
	const char *name;
	guard guard;
};

static const struct call task_calls[] = {
	[LCOWMIG_TASK_STATE] = { "State", GUARD_IDLE },
	[LCOWMIG_TASK_CREATE] = { "Create", GUARD_CREATE },
	[LCOWMIG_TASK_START] = { "Start", GUARD_RUNNING },
	[LCOWMIG_TASK_DELETE] = { "Delete", GUARD_IDLE },
	[LCOWMIG_TASK_PIDS] = { "Pids", GUARD_RUNNING },
	[LCOWMIG_TASK_PAUSE] = { "Pause", GUARD_UNSUPPORTED },
	[LCOWMIG_TASK_RESUME] = { "Resume", GUARD_UNSUPPORTED },
	[LCOWMIG_TASK_CHECKPOINT] = { "Checkpoint", GUARD_UNSUPPORTED },
	[LCOWMIG_TASK_KILL] = { "Kill", GUARD_IDLE },
	[LCOWMIG_TASK_EXEC] = { "Exec", GUARD_RUNNING },
	[LCOWMIG_TASK_RESIZE_PTY] = { "ResizePty", GUARD_RUNNING },
	[LCOWMIG_TASK_CLOSE_IO] = { "CloseIO", GUARD_RUNNING },
	[LCOWMIG_TASK_UPDATE] = { "Update", GUARD_RUNNING },
	[LCOWMIG_TASK_STATS] = { "Stats", GUARD_RUNNING },
	[LCOWMIG_TASK_WAIT] = { "Wait", GUARD_NONE },
	[LCOWMIG_TASK_CONNECT] = { "Connect", GUARD_NONE },
	[LCOWMIG_TASK_SHUTDOWN] = { "Shutdown", GUARD_NONE },
};

static const struct call sandbox_calls[] = {
	[LCOWMIG_SANDBOX_CREATE] = { "CreateSandbox", GUARD_NOT_CREATED },
	[LCOWMIG_SANDBOX_START] = { "StartSandbox", GUARD_CREATED },
	[LCOWMIG_SANDBOX_PLATFORM] = { "Platform", GUARD_CREATED },
	[LCOWMIG_SANDBOX_STOP] = { "StopSandbox", GUARD_NONE },
	[LCOWMIG_SANDBOX_WAIT] = { "WaitSandbox", GUARD_CREATED },
	[LCOWMIG_SANDBOX_STATUS] = { "SandboxStatus", GUARD_NONE },
	[LCOWMIG_SANDBOX_PING] = { "PingSandbox", GUARD_UNSUPPORTED },
	[LCOWMIG_SANDBOX_SHUTDOWN] = { "ShutdownSandbox", GUARD_NONE },
	[LCOWMIG_SANDBOX_METRICS] = { "SandboxMetrics", GUARD_RUNNING },
	[LCOWMIG_SANDBOX_DIAG_EXEC_IN_HOST] = { "DiagExecInHost", GUARD_RUNNING },
	[LCOWMIG_SANDBOX_DIAG_TASKS] = { "DiagTasks", GUARD_RUNNING },
	[LCOWMIG_SANDBOX_DIAG_SHARE] = { "DiagShare", GUARD_RUNNING },
	[LCOWMIG_SANDBOX_DIAG_STACKS] = { "DiagStacks", GUARD_RUNNING },
	[LCOWMIG_SANDBOX_DIAG_PID] = { "DiagPid", GUARD_NONE },
};

static lcowmig_status guard_vm(const lcowmig_sandbox *sandbox, const char *what, bool is_allowed, const char *expected,
			       lcowmig_error *error)
{
	if (is_allowed)
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "sandbox %s: %s needs a virtual machine that is %s, this one is %s",
			     sandbox->object.id, what, expected, lcowmig__vm_state_name(sandbox->vm));
}

lcowmig_status lcowmig__sandbox_check_running(const lcowmig_sandbox *sandbox, const char *what, lcowmig_error *error)
{
	return guard_vm(sandbox, what, lcowmig__vm_get_state(sandbox->vm) == LCOWMIG__VM_RUNNING, "Running", error);
}

static lcowmig_status guard_check(const lcowmig_sandbox *sandbox, const struct call *call, lcowmig_error *error)
{
	lcowmig__vm_state state = lcowmig__vm_get_state(sandbox->vm);

	switch (call->guard) {
	case GUARD_RUNNING:
		return lcowmig__sandbox_check_running(sandbox, call->name, error);
	case GUARD_CREATE:
		return guard_vm(sandbox, call->name, state == LCOWMIG__VM_RUNNING || state == LCOWMIG__VM_DESTINATION_IMPORTED,
				"Running or DestinationMigrationImported", error);
	case GUARD_NOT_CREATED:
		return guard_vm(sandbox, call->name, state == LCOWMIG__VM_NOT_CREATED, "NotCreated", error);
	case GUARD_CREATED:
		return guard_vm(sandbox, call->name, state != LCOWMIG__VM_NOT_CREATED, "created", error);
	case GUARD_IDLE:
		return lcowmig__sandbox_check_no_session(sandbox, call->name, error);
	case GUARD_UNSUPPORTED:
		return lcowmig__fail(error, LCOWMIG_E_NOT_SUPPORTED, "%s is not offered", call->name);
	case GUARD_NONE:
	default:
		return LCOWMIG_OK;
	}
}

/* NULL for a number that is no call. */
static const struct call *call_find(const struct call *calls, size_t count, int number)
{
	return number > 0 && (size_t)number < count ? &calls[number] : NULL;
}

lcowmig_status lcowmig__sandbox_check_task(const lcowmig_sandbox *sandbox, lcowmig_task_call call, lcowmig_error *error)
{
	return guard_check(sandbox, &task_calls[call], error);
}

lcowmig_status lcowmig_sandbox_check_task(lcowmig_sandbox *sandbox, lcowmig_task_call number, lcowmig_error *error)
{
	const struct call *call = call_find(task_calls, LCOWMIG__COUNT(task_calls), (int)number);
	lcowmig__pump pump;

	if (!sandbox || !call)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "the sandbox is NULL, or %d is no task call", (int)number);
	lcowmig__enter(sandbox->object.context, &pump);
	return lcowmig__leave_object(sandbox, &pump, guard_check(sandbox, call, error));
}

static lcowmig_status call_check_id(const lcowmig_sandbox *sandbox, const struct call *call, const char *sandbox_id, lcowmig_error *error)
{
	bool is_diagnostic = call >= &sandbox_calls[LCOWMIG_SANDBOX_DIAG_EXEC_IN_HOST];

	if (!sandbox_id && is_diagnostic)
		return LCOWMIG_OK;
	if (sandbox_id && sandbox->id && strcmp(sandbox_id, sandbox->id) == 0)
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s: the request is for sandbox \"%.128s\", this one is \"%s\"", call->name,
			     sandbox_id ? sandbox_id : "", sandbox->object.id);
}

lcowmig_status lcowmig_sandbox_check_call(lcowmig_sandbox *sandbox, lcowmig_sandbox_call number, const char *sandbox_id,
					  lcowmig_error *error)
{
	const struct call *call = call_find(sandbox_calls, LCOWMIG__COUNT(sandbox_calls), (int)number);
	lcowmig_status status;
	lcowmig__pump pump;

	if (!sandbox || !call)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "the sandbox is NULL, or %d is no sandbox call", (int)number);
	lcowmig__enter(sandbox->object.context, &pump);
	status = call_check_id(sandbox, call, sandbox_id, error);
	if (status == LCOWMIG_OK)
		status = guard_check(sandbox, call, error);
	return lcowmig__leave_object(sandbox, &pump, status);
}

/* A machine that moves is the running one until it has ended here; one that arrives is not before it runs. */
static bool status_is_ready(lcowmig_vm_state state)
{
	return state == LCOWMIG_VM_RUNNING || state == LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED ||
	       state == LCOWMIG_VM_SOURCE_MIGRATION_STARTED;
}

lcowmig_status lcowmig_sandbox_get_status(lcowmig_sandbox *sandbox, lcowmig_sandbox_status *ret_status, lcowmig_error *error)
{
	lcowmig_vm_exit exit = { .size = sizeof exit };
	lcowmig_sandbox_status result = { 0 };
	lcowmig_vm_state state;
	lcowmig_vm *vm;

	if (!sandbox || !ret_status || ret_status->size < LCOWMIG__SIZE_THROUGH(lcowmig_sandbox_status, reserved))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "the sandbox or lcowmig_sandbox_status is NULL, or its size is not set");
	vm = sandbox->vm;
	state = lcowmig_vm_get_state(vm);
	if (status_is_ready(state)) {
		result.ready = 1;
		result.created_at = lcowmig_vm_start_time(vm);
	} else if (lcowmig_vm_exit_status(vm, &exit, NULL) == LCOWMIG_OK) {
		result.created_at = exit.started_at;
		result.exited_at = exit.exited_at;
	}
	result.size = ret_status->size;
	memcpy(ret_status, &result, result.size < sizeof result ? result.size : sizeof result);
	return LCOWMIG_OK;
}
