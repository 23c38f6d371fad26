/* The public functions of the VM controller: arguments and the lock. What they do is in the other files. */
#include "private.h"

#include "engine/abi.h"

static lcowmig_status no_vm(lcowmig_error *error)
{
	return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "the virtual machine is NULL");
}

static lcowmig_status create_check(const lcowmig_vm *vm, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&vm->object, LCOWMIG__VM_CREATE, error);

	if (status == LCOWMIG_OK && !vm->owner.sandbox_id(vm->owner.user))
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "the sandbox has no id; expected one from its config or an import");
	return status;
}

lcowmig_status lcowmig_vm_create(lcowmig_vm *vm, const char *document, size_t size, const lcowmig_vm_options *options, lcowmig_done_fn done,
				 void *user, lcowmig_error *error)
{
	lcowmig_vm_options own = { .size = sizeof own };
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__flow *flow;
	lcowmig__pump pump;

	if (!vm)
		return no_vm(error);
	if (!document || !size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "virtual machine: the HCS document is missing");
	if (options)
		status = LCOWMIG__COPY_SIZED("lcowmig_vm_options", &own, options, reserved, error);
	if (status == LCOWMIG_OK && own.reserved)
		status = lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_vm_options: reserved is not zero");
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__enter(vm->object.context, &pump);
	status = create_check(vm, error);
	flow = status == LCOWMIG_OK ? lcowmig__vm_create_flow(vm, document, size, &own, error) : NULL;
	return lcowmig__leave_flow(vm, &pump, status, flow, done, user, error);
}

/* An operation that takes nothing but the machine. */
static lcowmig_status vm_run(lcowmig_vm *vm, lcowmig__flow *(*make)(lcowmig_vm *vm, lcowmig_error *error), lcowmig_done_fn done, void *user,
			     lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vm)
		return no_vm(error);
	lcowmig__enter(vm->object.context, &pump);
	return lcowmig__leave_flow(vm, &pump, LCOWMIG_OK, make(vm, error), done, user, error);
}

lcowmig_status lcowmig_vm_start(lcowmig_vm *vm, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return vm_run(vm, lcowmig__vm_start_flow, done, user, error);
}

lcowmig_status lcowmig_vm_terminate(lcowmig_vm *vm, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return vm_run(vm, lcowmig__vm_terminate_flow, done, user, error);
}

lcowmig_status lcowmig_vm_wait(lcowmig_vm *vm, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return vm_run(vm, lcowmig__vm_wait_flow, done, user, error);
}

/* ---- The policy of a confidential sandbox ---- */

static lcowmig_status policy_swap(lcowmig_vm *vm, const lcowmig_vm_policy *policy, lcowmig_error *error)
{
	const char *const given[] = { policy->enforcer, policy->policy, policy->reference, policy->hash_envelope };
	lcowmig__buf texts;
	size_t i;

	if (vm->object.state != LCOWMIG__VM_NOT_CREATED && vm->object.state != LCOWMIG__VM_CREATED)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "virtual machine %s is %s; a policy needs NotCreated, Created",
				     vm->object.id, lcowmig__vm_state_name(vm));
	lcowmig__buf_init(&texts, lcowmig__vm_mem(vm));
	for (i = 0; i < LCOWMIG__COUNT(given) && policy->enforcer; i++) {
		if (given[i])
			lcowmig__buf_text(&texts, given[i]);
		lcowmig__buf_append(&texts, "", 1);
	}
	if (texts.failed) {
		lcowmig__buf_done(&texts);
		return lcowmig__fail_memory(error);
	}
	lcowmig__free(lcowmig__vm_mem(vm), vm->policy);
	vm->policy = texts.data;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_vm_set_policy(lcowmig_vm *vm, const lcowmig_vm_policy *policy, lcowmig_error *error)
{
	lcowmig_vm_policy own = { .size = sizeof own };
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__pump pump;

	if (!vm)
		return no_vm(error);
	if (policy)
		status = LCOWMIG__COPY_SIZED("lcowmig_vm_policy", &own, policy, hash_envelope, error);
	if (status == LCOWMIG_OK && policy && (!own.enforcer || !own.policy))
		status = lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_vm_policy: enforcer or policy is missing");
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__enter(vm->object.context, &pump);
	status = policy_swap(vm, &own, error);
	return lcowmig__leave_object(vm, &pump, status);
}

/* ---- Updates ---- */

/* For operations that need Running: refused at once, without a flow, when it is not. */
static lcowmig_status vm_run_operation(lcowmig_vm *vm, lcowmig__pump *pump, lcowmig__flow *flow, lcowmig_done_fn done, void *user,
				       lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&vm->object, LCOWMIG__VM_OPERATE, error);

	if (status == LCOWMIG_OK)
		return lcowmig__leave_flow(vm, pump, status, flow, done, user, error);
	lcowmig__flow_discard(flow);
	return lcowmig__leave_object(vm, pump, status);
}

lcowmig_status lcowmig_vm_update_memory(lcowmig_vm *vm, uint64_t size_mb, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vm)
		return no_vm(error);
	if (!size_mb || size_mb > UINT32_MAX)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "virtual machine: a memory of %llu MiB is none",
				     (unsigned long long)size_mb);
	lcowmig__enter(vm->object.context, &pump);
	return vm_run_operation(vm, &pump, lcowmig__vm_update_memory_flow(vm, size_mb, error), done, user, error);
}

lcowmig_status lcowmig_vm_update_cpu(lcowmig_vm *vm, const lcowmig_vm_cpu_limits *limits, lcowmig_done_fn done, void *user,
				     lcowmig_error *error)
{
	lcowmig_vm_cpu_limits own = { .size = sizeof own };
	lcowmig__hcs_cpu_limits inner;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!vm)
		return no_vm(error);
	status = LCOWMIG__COPY_SIZED("lcowmig_vm_cpu_limits", &own, limits, reserved, error);
	if (status != LCOWMIG_OK)
		return status;
	if (own.reserved)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_vm_cpu_limits: reserved is not zero");
	inner.limit = own.limit;
	inner.weight = own.weight;
	inner.reservation = own.reservation;
	inner.maximum_frequency_mhz = own.maximum_frequency_mhz;
	lcowmig__enter(vm->object.context, &pump);
	return vm_run_operation(vm, &pump, lcowmig__vm_update_cpu_flow(vm, &inner, error), done, user, error);
}

lcowmig_status lcowmig_vm_update_cpu_group(lcowmig_vm *vm, const char *group_id, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vm)
		return no_vm(error);
	if (lcowmig__text_is_empty(group_id))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "virtual machine: the id of the CPU group is empty");
	lcowmig__enter(vm->object.context, &pump);
	return vm_run_operation(vm, &pump, lcowmig__vm_update_cpu_group_flow(vm, group_id, error), done, user, error);
}

lcowmig_status lcowmig_vm_update_policy_fragment(lcowmig_vm *vm, const char *fragment, const char *media_type, lcowmig_done_fn done,
						 void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vm)
		return no_vm(error);
	if (lcowmig__text_is_empty(fragment))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "virtual machine: the policy fragment is empty");
	lcowmig__enter(vm->object.context, &pump);
	return vm_run_operation(vm, &pump, lcowmig__vm_update_fragment_flow(vm, fragment, media_type, error), done, user, error);
}

/* ---- Exec, stacks, statistics, compatibility ---- */

static lcowmig_status exec_check(const lcowmig_vm_exec *exec, lcowmig_error *error)
{
	size_t i;

	if (exec->terminal && !lcowmig__text_is_empty(exec->stderr_path))
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "exec into the virtual machine: a terminal has no stderr of its own; expected no stderr path");
	if (exec->reserved || !exec->arguments || !exec->n_arguments)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_vm_exec: there are no arguments, or reserved is not zero");
	for (i = 0; i < exec->n_arguments; i++)
		if (!exec->arguments[i])
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_vm_exec: argument %zu is NULL", i);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_vm_exec_into_host(lcowmig_vm *vm, const lcowmig_vm_exec *exec, int32_t *ret_exit_code, lcowmig_done_fn done,
					 void *user, lcowmig_error *error)
{
	lcowmig_vm_exec own = { .size = sizeof own };
	lcowmig_status status;
	lcowmig__pump pump;

	if (!vm || !ret_exit_code)
		return vm ? lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "virtual machine: ret_exit_code is NULL") : no_vm(error);
	status = LCOWMIG__COPY_SIZED("lcowmig_vm_exec", &own, exec, reserved, error);
	if (status == LCOWMIG_OK)
		status = exec_check(&own, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__enter(vm->object.context, &pump);
	return vm_run_operation(vm, &pump, lcowmig__vm_exec_flow(vm, &own, ret_exit_code, error), done, user, error);
}

lcowmig_status lcowmig_vm_dump_stacks(lcowmig_vm *vm, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return vm_run(vm, lcowmig__vm_dump_stacks_flow, done, user, error);
}

lcowmig_status lcowmig_vm_get_stats(lcowmig_vm *vm, lcowmig_vm_stats *ret_stats, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vm)
		return no_vm(error);
	if (!ret_stats || ret_stats->size < LCOWMIG__SIZE_THROUGH(lcowmig_vm_stats, dm_operation_in_progress))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_vm_stats: it is NULL or its size is not set");
	lcowmig__enter(vm->object.context, &pump);
	return vm_run_operation(vm, &pump, lcowmig__vm_stats_flow(vm, ret_stats, error), done, user, error);
}

lcowmig_status lcowmig_vm_query_compatibility(lcowmig_vm *vm, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return vm_run(vm, lcowmig__vm_compatibility_flow, done, user, error);
}
