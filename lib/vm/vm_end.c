/*
 * The end of the machine, by whatever road.
 *
 *     terminate        migrating off -> HCS terminate -> exit (30 s) -> guest close -> HCS close -> Terminated
 *     finalized Stop   exit (30 s) -> as terminate from where that leaves it
 *     exit by itself   Terminated -> guest close, HCS close in the background
 *
 * One flow ends the machine at a time; whoever else wants that waits for it. It is shielded: an end once begun goes on. When the machine
 * has ended, everything frozen below it is released.
 */
#include "private.h"

/* Once: the guest connection is no longer there, nothing stays frozen, and the sandbox hears of it. */
static void vm_release_below(lcowmig_vm *vm)
{
	vm->env->has_guest = false;
	if (vm->scsi)
		lcowmig__scsi_thaw(vm->scsi);
	if (vm->told)
		return;
	vm->told = true;
	vm->owner.ended(vm->owner.user);
}

static void vm_set_ended(lcowmig_vm *vm)
{
	if (!vm->exited_at)
		vm->exited_at = lcowmig__wall_clock(vm->object.context);
	vm_release_below(vm);
	lcowmig__signal_set(&vm->ended);
}

/* ---- An exit that nobody asked for ---- */

#define CLOSE_AGAIN_AFTER (LCOWMIG__SECOND / 10)

/*
 * Closes the guest connection, which releases everybody who waits for an answer, and the handle. Embedded in the machine, so that it needs
 * no memory to begin with; what it needs later it gets when there is some.
 */
static void vm_closing_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = LCOWMIG__CONTAINER_OF(flow, lcowmig_vm, closing);

	FLOW_BEGIN(flow);
	for (;;) {
		FLOW_AWAIT(flow, lcowmig__guest_close(flow, vm->env));
		if (flow->result == LCOWMIG_OK)
			FLOW_AWAIT(flow, lcowmig__hcs_close(flow, vm->env));
		if (flow->result != LCOWMIG_E_NO_MEMORY)
			break;
		lcowmig__flow_set_deadline(flow, CLOSE_AGAIN_AFTER);
		FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &vm->never));
		lcowmig__flow_clear_deadline(flow);
	}
	if (flow->result != LCOWMIG_OK)
		lcowmig__log(flow->context, LCOWMIG_LOG_WARNING, "virtual machine %s has ended, but its handle did not close: %s",
			     vm->object.id, flow->error->message);
	vm->is_closing = false;
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_closing_class = { .name = "close", .step = vm_closing_step };

void lcowmig__vm_hcs_exited(lcowmig_vm *vm, const char *data)
{
	lcowmig_context *context = vm->object.context;

	if (!vm->env->system || vm->has_exited)
		return; /* of a machine that is not ours any more, or told before */
	if (lcowmig__hcs_parse_exit(&context->limits, data, &vm->exit, NULL) != LCOWMIG_OK) {
		vm->exit = (lcowmig__hcs_exit){ .is_unexpected = true }; /* it has ended all the same */
		lcowmig__log(context, LCOWMIG_LOG_WARNING, "virtual machine %s: the exit event cannot be read",
			     vm->object.id);
	}
	lcowmig__log(context, LCOWMIG_LOG_INFO, "virtual machine %s (%s) has exited: %s, status 0x%08x", vm->object.id,
		     lcowmig__vm_state_name(vm), vm->exit.type[0] ? vm->exit.type : "no exit type", (unsigned)vm->exit.hresult);
	vm->has_exited = true;
	vm->exited_at = lcowmig__wall_clock(context);
	lcowmig__signal_set(&vm->exited);
	if (vm->is_ending || !lcowmig__machine_allows(&lcowmig__vm_machine, vm->object.state, LCOWMIG__VM_EXITED))
		return; /* whoever ends or creates it goes on from here */
	lcowmig__object_fire(&vm->object, LCOWMIG__VM_EXITED);
	lcowmig__flow_init(&vm->closing, &vm_closing_class, context, &vm->object, &vm->closing_rest);
	lcowmig__flow_background(&vm->closing);
	vm->is_closing = true;
	vm_set_ended(vm);
}

/* ---- Ending it ---- */

struct vm_end {
	lcowmig__flow flow;
	int trigger;
};

static bool vm_end_accepted(const lcowmig__flow *flow)
{
	return flow->result == LCOWMIG_OK || flow->error->hresult == LCOWMIG__HR_OPERATION_PENDING;
}

/* Inside an await: for the exit that HCS reports, as long as it is given. The deadline is to be cleared afterwards. */
static void vm_await_exit(lcowmig__flow *flow, lcowmig_vm *vm)
{
	lcowmig__flow_set_deadline(flow, LCOWMIG__VM_EXIT_TIME);
	lcowmig__signal_wait(flow, &vm->exited);
}

static void vm_close_system(lcowmig__flow *flow, lcowmig__env *env)
{
	if (env->system)
		lcowmig__hcs_close(flow, env);
}

/* Leaves the machine without a handle and a guest connection. */
static void vm_wind_down_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true);
	FLOW_TRY(flow, lcowmig__guest_set_migrating(flow, vm->env, false));
	if (vm->was_started && !vm->has_exited) {
		FLOW_AWAIT(flow, lcowmig__hcs_terminate(flow, vm->env));
		if (vm_end_accepted(flow)) {
			FLOW_AWAIT(flow, vm_await_exit(flow, vm));
			lcowmig__flow_clear_deadline(flow);
		} else if (!vm->has_exited && !lcowmig__is_gone(flow->result, flow->error->hresult)) {
			FLOW_RETURN(flow, flow->result);
		}
	}
	FLOW_TRY(flow, lcowmig__guest_close(flow, vm->env));
	FLOW_AWAIT(flow, vm_close_system(flow, vm->env));
	if (flow->result != LCOWMIG_OK && flow->result != LCOWMIG_E_NO_MEMORY)
		lcowmig__object_fire(&vm->object, LCOWMIG__VM_CLOSE_FAILED);
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_wind_down_class = { .name = "wind down", .step = vm_wind_down_step };

/* The handle that did not close after an exit. */
static void vm_end_close_rest(lcowmig__flow *flow, lcowmig_vm *vm)
{
	if (vm->env->system && !vm->env->system_is_closing && !vm->is_closing && !vm->is_creating)
		lcowmig__flow_child(flow, lcowmig__vm_close_handle_flow(vm, NULL));
}

static void vm_end_finish(lcowmig__flow *flow, lcowmig_vm *vm)
{
	int trigger = ((struct vm_end *)flow)->trigger;

	/* The answer to a stop may come so late that the machine has been let run meanwhile. */
	if (!lcowmig__machine_allows(&lcowmig__vm_machine, vm->object.state, trigger))
		trigger = LCOWMIG__VM_TERMINATE;
	if (flow->result == LCOWMIG_OK) {
		lcowmig__object_fire(&vm->object, trigger);
		vm_set_ended(vm);
	} else if (vm->has_exited) {
		vm_release_below(vm); /* dead, though its handle is not closed yet */
	}
	vm->is_ending = false;
	vm->end_status = flow->result;
	lcowmig__error_copy(&vm->end_error, flow->error);
	lcowmig__signal_set(&vm->end_over);
}

static void vm_end_step(lcowmig__flow *flow)
{
	struct vm_end *self = (struct vm_end *)flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true);
	if (vm->is_ending) {
		FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &vm->end_over));
		lcowmig__error_copy(flow->error, &vm->end_error);
		FLOW_RETURN(flow, vm->end_status);
	}
	if (vm->object.state == LCOWMIG__VM_NOT_CREATED || vm->object.state == LCOWMIG__VM_TERMINATED) {
		lcowmig__object_fire(&vm->object, LCOWMIG__VM_TERMINATE);
		FLOW_TRY(flow, vm_end_close_rest(flow, vm));
		FLOW_RETURN(flow, LCOWMIG_OK);
	}
	vm->is_ending = true;
	lcowmig__signal_reset(&vm->end_over);
	if (self->trigger == LCOWMIG__VM_FINALIZE_STOP && vm->was_started) {
		FLOW_AWAIT(flow, vm_await_exit(flow, vm));
		lcowmig__flow_clear_deadline(flow);
	}
	if (vm->object.state != LCOWMIG__VM_DESTINATION_IMPORTED) /* there is nothing to wind down yet */
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_plain_flow(vm, &vm_wind_down_class, NULL)));
	vm_end_finish(flow, vm);
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_end_class = { .name = "terminate", .step = vm_end_step };

lcowmig__flow *lcowmig__vm_end_flow(lcowmig_vm *vm, int trigger, lcowmig_error *error)
{
	struct vm_end *self = lcowmig__vm_flow(vm, sizeof *self, &vm_end_class, error);

	if (!self)
		return NULL;
	self->trigger = trigger;
	return &self->flow;
}

lcowmig__flow *lcowmig__vm_terminate_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return lcowmig__vm_end_flow(vm, LCOWMIG__VM_TERMINATE, error);
}

/* ---- Waiting for it ---- */

static void vm_wait_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	if (vm->object.state == LCOWMIG__VM_NOT_CREATED)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_FAILED_PRECONDITION,
						"the virtual machine is NotCreated; expected one that can end"));
	if (vm->object.state == LCOWMIG__VM_DESTINATION_IMPORTED)
		FLOW_RETURN(flow, LCOWMIG_OK); /* nothing there that could run */
	FLOW_TRY(flow, lcowmig__signal_wait(flow, &vm->ended));
	FLOW_TRY(flow, lcowmig__signal_wait(flow, &vm->log_done));
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_wait_class = { .name = "wait", .step = vm_wait_step, .is_watch = true };

lcowmig__flow *lcowmig__vm_wait_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return lcowmig__vm_plain_flow(vm, &vm_wait_class, error);
}
