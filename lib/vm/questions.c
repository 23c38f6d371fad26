/* Public questions to the VM controller that are answered at once. */
#include "private.h"

#include "engine/abi.h"

_Static_assert((int)LCOWMIG_VM_NOT_CREATED == (int)LCOWMIG__VM_NOT_CREATED, "the numbers of the states are public");
_Static_assert((int)LCOWMIG_VM_RUNNING == (int)LCOWMIG__VM_RUNNING, "the numbers of the states are public");
_Static_assert((int)LCOWMIG_VM_TERMINATED == (int)LCOWMIG__VM_TERMINATED, "the numbers of the states are public");
_Static_assert((int)LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED == (int)LCOWMIG__VM_SOURCE_INITIALIZED, "the numbers of the states are public");
_Static_assert((int)LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED == (int)LCOWMIG__VM_DESTINATION_IMPORTED,
	       "the numbers of the states are public");
_Static_assert((int)LCOWMIG_VM_MIGRATION_FINALIZED == (int)LCOWMIG__VM_FINALIZED, "the numbers of the states are public");

/* What can be read off the machine. */
struct vm_answers {
	lcowmig_vm_state state;
	const char *id;
	const char *runtime_id;
	const char *stacks;
	int64_t start_time;
	const uint8_t *compat;
	size_t compat_size;
};

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

static bool vm_is_one_of(const lcowmig_vm *vm, lcowmig__vm_state a, lcowmig__vm_state b)
{
	return vm->object.state == (int)a || vm->object.state == (int)b;
}

/* One look at the machine under the lock; at NULL: nothing. */
static struct vm_answers vm_look(lcowmig_vm *vm)
{
	struct vm_answers answers = { .state = LCOWMIG_VM_NOT_CREATED, .id = "", .runtime_id = "", .stacks = "" };

	if (!vm)
		return answers;
	lcowmig__lock_take(&vm->object.context->lock);
	answers.state = (lcowmig_vm_state)vm->object.state;
	answers.id = text_or_empty(vm->env->vm_id);
	if (vm_is_one_of(vm, LCOWMIG__VM_CREATED, LCOWMIG__VM_RUNNING))
		answers.runtime_id = text_or_empty(vm->env->runtime_id);
	answers.stacks = text_or_empty(vm->stacks);
	if (vm_is_one_of(vm, LCOWMIG__VM_RUNNING, LCOWMIG__VM_TERMINATED))
		answers.start_time = vm->started_at;
	answers.compat = vm->compat;
	answers.compat_size = vm->compat_size;
	lcowmig__lock_drop(&vm->object.context->lock);
	return answers;
}

lcowmig_vm_state lcowmig_vm_get_state(lcowmig_vm *vm)
{
	return vm_look(vm).state;
}

const char *lcowmig_vm_state_name(lcowmig_vm_state state)
{
	return (size_t)state < lcowmig__vm_machine.n_states ? lcowmig__vm_machine.states[state] : "UNKNOWN";
}

const char *lcowmig_vm_id(lcowmig_vm *vm)
{
	return vm_look(vm).id;
}

const char *lcowmig_vm_runtime_id(lcowmig_vm *vm)
{
	return vm_look(vm).runtime_id;
}

int64_t lcowmig_vm_start_time(lcowmig_vm *vm)
{
	return vm_look(vm).start_time;
}

const char *lcowmig_vm_stacks(lcowmig_vm *vm)
{
	return vm_look(vm).stacks;
}

const uint8_t *lcowmig_vm_compatibility_info(lcowmig_vm *vm, size_t *ret_size)
{
	struct vm_answers answers = vm_look(vm);

	if (vm && ret_size)
		*ret_size = answers.compat_size;
	return answers.compat;
}

static bool vm_enter(lcowmig_vm *vm, const void *ret_result, lcowmig__pump *pump, lcowmig_error *error)
{
	if (!vm || !ret_result) {
		lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "virtual machine: it, or the place for the result, is NULL or has no size");
		return false;
	}
	lcowmig__enter(vm->object.context, pump);
	return true;
}

lcowmig_status lcowmig_vm_architecture(lcowmig_vm *vm, const char **ret_architecture, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__pump pump;

	if (!vm_enter(vm, ret_architecture, &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	if (vm->object.state == LCOWMIG__VM_NOT_CREATED)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				       "the virtual machine is NotCreated; its architecture is not known yet");
	else
		*ret_architecture = text_or_empty(vm->config.architecture);
	return lcowmig__leave_object(vm, &pump, status);
}

static lcowmig_status exit_read(const lcowmig_vm *vm, lcowmig_vm_exit *ret_exit, lcowmig_error *error)
{
	lcowmig_vm_exit result = { .size = ret_exit->size };

	if (vm->object.state != LCOWMIG__VM_TERMINATED)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "virtual machine %s is %s; an exit status needs Terminated",
				     vm->object.id, lcowmig__vm_state_name(vm));
	if (vm->was_started) {
		result.started_at = vm->started_at;
		result.exited_at = vm->exited_at;
		result.hresult = vm->exit.hresult;
		result.unexpected = vm->exit.is_unexpected;
	}
	memcpy(ret_exit, &result, result.size < sizeof result ? result.size : sizeof result);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_vm_exit_status(lcowmig_vm *vm, lcowmig_vm_exit *ret_exit, lcowmig_error *error)
{
	bool has_size = ret_exit && ret_exit->size >= LCOWMIG__SIZE_THROUGH(lcowmig_vm_exit, unexpected);
	lcowmig__pump pump;

	if (!vm_enter(vm, has_size ? ret_exit : NULL, &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(vm, &pump, exit_read(vm, ret_exit, error));
}

/* ---- Device controllers ---- */

lcowmig_status lcowmig_vm_scsi(lcowmig_vm *vm, lcowmig_scsi **ret_scsi, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vm_enter(vm, ret_scsi, &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(vm, &pump, lcowmig__vm_scsi(vm, ret_scsi, error));
}

lcowmig_status lcowmig_vm_plan9(lcowmig_vm *vm, lcowmig_plan9 **ret_plan9, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vm_enter(vm, ret_plan9, &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(vm, &pump, lcowmig__vm_plan9(vm, ret_plan9, error));
}

lcowmig_status lcowmig_vm_vpci(lcowmig_vm *vm, lcowmig_vpci **ret_vpci, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vm_enter(vm, ret_vpci, &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(vm, &pump, lcowmig__vm_vpci(vm, ret_vpci, error));
}
