/* Public questions to the VM controller that are answered at once. */
#include "private.h"

_Static_assert((int)LCOWMIG_VM_NOT_CREATED == (int)LCOWMIG__VM_NOT_CREATED, "the numbers of the states are public");
_Static_assert((int)LCOWMIG_VM_RUNNING == (int)LCOWMIG__VM_RUNNING, "the numbers of the states are public");
_Static_assert((int)LCOWMIG_VM_TERMINATED == (int)LCOWMIG__VM_TERMINATED, "the numbers of the states are public");
_Static_assert((int)LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED == (int)LCOWMIG__VM_SOURCE_INITIALIZED, "the numbers of the states are public");
_Static_assert((int)LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED == (int)LCOWMIG__VM_DESTINATION_IMPORTED,
	       "the numbers of the states are public");
_Static_assert((int)LCOWMIG_VM_MIGRATION_FINALIZED == (int)LCOWMIG__VM_FINALIZED, "the numbers of the states are public");

lcowmig_vm_state lcowmig_vm_get_state(lcowmig_vm *vm)
{
	lcowmig_vm_state state;
	lcowmig__pump pump;

	if (!vm)
		return LCOWMIG_VM_NOT_CREATED;
	lcowmig__enter(vm->object.context, &pump);
	state = (lcowmig_vm_state)vm->object.state;
	lcowmig__leave(vm->object.context, &pump);
	return state;
}

const char *lcowmig_vm_state_name(lcowmig_vm_state state)
{
	return (size_t)state < lcowmig__vm_machine.n_states ? lcowmig__vm_machine.states[state] : "UNKNOWN";
}

/* Reads something under the lock. */
#define ANSWER(type, vm, none, expression)                                                                                                 \
	lcowmig__pump pump;                                                                                                                \
	type answer;                                                                                                                       \
                                                                                                                                           \
	if (!(vm))                                                                                                                         \
		return none;                                                                                                               \
	lcowmig__enter((vm)->object.context, &pump);                                                                                       \
	answer = (expression);                                                                                                             \
	lcowmig__leave((vm)->object.context, &pump);                                                                                       \
	return answer

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

const char *lcowmig_vm_id(lcowmig_vm *vm)
{
	ANSWER(const char *, vm, "", text_or_empty(vm->env->vm_id));
}

static bool vm_is_one_of(const lcowmig_vm *vm, lcowmig__vm_state a, lcowmig__vm_state b)
{
	return vm->object.state == (int)a || vm->object.state == (int)b;
}

const char *lcowmig_vm_runtime_id(lcowmig_vm *vm)
{
	ANSWER(const char *, vm, "", vm_is_one_of(vm, LCOWMIG__VM_CREATED, LCOWMIG__VM_RUNNING) ? text_or_empty(vm->env->runtime_id) : "");
}

int64_t lcowmig_vm_start_time(lcowmig_vm *vm)
{
	ANSWER(int64_t, vm, 0, vm_is_one_of(vm, LCOWMIG__VM_RUNNING, LCOWMIG__VM_TERMINATED) ? vm->started_at : 0);
}

const char *lcowmig_vm_stacks(lcowmig_vm *vm)
{
	ANSWER(const char *, vm, "", text_or_empty(vm->stacks));
}

const uint8_t *lcowmig_vm_compatibility_info(lcowmig_vm *vm, size_t *ret_size)
{
	const uint8_t *bytes;
	lcowmig__pump pump;

	if (!vm)
		return NULL;
	lcowmig__enter(vm->object.context, &pump);
	bytes = vm->compat;
	if (ret_size)
		*ret_size = vm->compat_size;
	lcowmig__leave(vm->object.context, &pump);
	return bytes;
}

static lcowmig_status bad_argument(lcowmig_error *error)
{
	return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "virtual machine: it, or the place for the result, is NULL or has no size");
}

lcowmig_status lcowmig_vm_architecture(lcowmig_vm *vm, const char **ret_architecture, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__pump pump;

	if (!vm || !ret_architecture)
		return bad_argument(error);
	lcowmig__enter(vm->object.context, &pump);
	if (vm->object.state == LCOWMIG__VM_NOT_CREATED)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				       "the virtual machine is NotCreated; its architecture is not known yet");
	else
		*ret_architecture = text_or_empty(vm->architecture);
	return lcowmig__leave_object(vm, &pump, status);
}

lcowmig_status lcowmig_vm_exit_status(lcowmig_vm *vm, lcowmig_vm_exit *ret_exit, lcowmig_error *error)
{
	lcowmig_vm_exit result = { 0 };
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__pump pump;

	if (!vm || !ret_exit || ret_exit->size < offsetof(lcowmig_vm_exit, unexpected) + sizeof result.unexpected)
		return bad_argument(error);
	lcowmig__enter(vm->object.context, &pump);
	if (vm->object.state != LCOWMIG__VM_TERMINATED) {
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "virtual machine %s is %s; an exit status needs Terminated",
				       vm->object.id, lcowmig__vm_state_name(vm));
	} else if (vm->was_started) {
		result.started_at = vm->started_at;
		result.exited_at = vm->exited_at;
		result.hresult = vm->exit.hresult;
		result.unexpected = vm->exit.is_unexpected;
	}
	lcowmig__leave(vm->object.context, &pump);
	if (status != LCOWMIG_OK)
		return status;
	result.size = ret_exit->size;
	memcpy(ret_exit, &result, result.size < sizeof result ? result.size : sizeof result);
	return LCOWMIG_OK;
}

/* ---- Device controllers ---- */

lcowmig_status lcowmig_vm_scsi(lcowmig_vm *vm, lcowmig_scsi **ret_scsi, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vm || !ret_scsi)
		return bad_argument(error);
	lcowmig__enter(vm->object.context, &pump);
	return lcowmig__leave_object(vm, &pump, lcowmig__vm_scsi(vm, ret_scsi, error));
}

lcowmig_status lcowmig_vm_plan9(lcowmig_vm *vm, lcowmig_plan9 **ret_plan9, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vm || !ret_plan9)
		return bad_argument(error);
	lcowmig__enter(vm->object.context, &pump);
	return lcowmig__leave_object(vm, &pump, lcowmig__vm_plan9(vm, ret_plan9, error));
}

lcowmig_status lcowmig_vm_vpci(lcowmig_vm *vm, lcowmig_vpci **ret_vpci, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vm || !ret_vpci)
		return bad_argument(error);
	lcowmig__enter(vm->object.context, &pump);
	return lcowmig__leave_object(vm, &pump, lcowmig__vm_vpci(vm, ret_vpci, error));
}
