/*
 * Booting, and the log stream.
 *
 *     listen 1, 109, 0x40000000 -> HCS start -> entropy -> control connection, negotiation -> (policy) -> Running
 *                                            \-> log stream, read in the background
 *
 * All of it within the two minutes that a guest is given to connect.
 */
#include "private.h"

#include "guest/guest.h"

#define ENTROPY_BYTES 512

struct vm_boot {
	lcowmig__flow flow;
	lcowmig_vm *vm;
	uint8_t entropy[ENTROPY_BYTES];
};

static void vm_boot_listen(struct vm_boot *self)
{
	lcowmig__flow *flow = &self->flow;
	lcowmig_context *context = self->vm->object.context;
	lcowmig__env *env = self->vm->env;
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	if (env->guest.entropy) {
		if (context->platform.random(context->platform.user, self->entropy, sizeof self->entropy) != LCOWMIG_OK) {
			lcowmig__fail(&error, LCOWMIG_E_HOST_FAILED, "the platform gave no random bytes for the guest");
			lcowmig__flow_await_failed(flow, LCOWMIG_E_HOST_FAILED, &error);
			return;
		}
		lcowmig__guest_prepare(flow, env, LCOWMIG__PORT_ENTROPY);
	}
	lcowmig__guest_prepare(flow, env, LCOWMIG__PORT_LOG);
	lcowmig__guest_prepare(flow, env, LCOWMIG__PORT_CONTROL);
}

lcowmig_status lcowmig__vm_connected(lcowmig_vm *vm, lcowmig__flow *flow, lcowmig_error *error)
{
	lcowmig__guest_capabilities capabilities;
	lcowmig_status status = lcowmig__guest_reply_capabilities(flow, &capabilities, error);

	if (status != LCOWMIG_OK)
		return status;
	if (vm->told)
		return lcowmig__fail(error, LCOWMIG_E_UNAVAILABLE, "virtual machine %s has ended", vm->env->vm_id);
	vm->env->has_guest = true;
	vm->env->guest_supports_namespaces = capabilities.supports_namespaces;
	vm->env->guest_supports_signals = capabilities.supports_signals;
	vm->env->guest_supports_dump_stacks = capabilities.supports_dump_stacks;
	vm->env->guest_supports_delete_state = capabilities.supports_delete_state;
	return LCOWMIG_OK;
}

static void vm_boot_policy(struct vm_boot *self)
{
	lcowmig_vm *vm = self->vm;
	lcowmig__guest_policy policy = { vm->policy[0], vm->policy[1], vm->policy[2], vm->policy[3] };

	if (vm->policy[0])
		lcowmig__guest_add_policy(&self->flow, vm->env, &policy);
}

/* What it takes to get a guest that answers; the result is in flow->result. */
static void vm_boot_step(lcowmig__flow *flow)
{
	struct vm_boot *self = (struct vm_boot *)flow;
	lcowmig_vm *vm = self->vm;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	lcowmig__flow_set_deadline(flow, LCOWMIG__VM_CONNECT_TIME);
	FLOW_TRY(flow, vm_boot_listen(self));
	vm->was_started = true;
	lcowmig__vm_watch_log(vm, false);
	FLOW_TRY(flow, lcowmig__hcs_start(flow, vm->env, lcowmig__strdup(lcowmig__vm_mem(vm), ""), NULL));
	FLOW_TRY(flow, lcowmig__guest_entropy(flow, vm->env, self->entropy, sizeof self->entropy));
	FLOW_TRY(flow, lcowmig__guest_connect(flow, vm->env, true));
	status = lcowmig__vm_connected(vm, flow, flow->error);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	FLOW_TRY(flow, vm_boot_policy(self));
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_boot_class = { "boot", vm_boot_step, NULL, false };

static lcowmig__flow *vm_boot_flow(lcowmig_vm *vm)
{
	struct vm_boot *self = lcowmig__vm_flow(vm, sizeof *self, &vm_boot_class, NULL);

	if (!self)
		return NULL;
	self->vm = vm;
	return &self->flow;
}

struct vm_start {
	lcowmig__flow flow;
	lcowmig_vm *vm;
};

static void vm_start_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = ((struct vm_start *)flow)->vm;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &vm->gate));
	status = lcowmig__object_check(&vm->object, LCOWMIG__VM_START, flow->error);
	if (status != LCOWMIG_OK || vm->object.state == LCOWMIG__VM_RUNNING) {
		if (status == LCOWMIG_OK)
			lcowmig__object_fire(&vm->object, LCOWMIG__VM_START);
		lcowmig__gate_leave(flow, &vm->gate);
		FLOW_RETURN(flow, status);
	}
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, vm_boot_flow(vm)));
	status = flow->result;
	if (status == LCOWMIG_OK)
		status = lcowmig__vm_recheck(vm, LCOWMIG__VM_START, flow->error);
	if (status == LCOWMIG_OK) {
		lcowmig__object_fire(&vm->object, LCOWMIG__VM_START);
		vm->started_at = lcowmig__wall_clock(vm->object.context);
	} else {
		vm->env->has_guest = false;
		if (vm->object.state == LCOWMIG__VM_CREATED)
			lcowmig__object_fire(&vm->object, LCOWMIG__VM_START_FAILED);
	}
	lcowmig__gate_leave(flow, &vm->gate);
	FLOW_RETURN(flow, status);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_start_class = { "start", vm_start_step, NULL, false };

lcowmig__flow *lcowmig__vm_start_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	struct vm_start *self = lcowmig__vm_flow(vm, sizeof *self, &vm_start_class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	return &self->flow;
}

/* ---- The log stream ---- */

struct vm_log {
	lcowmig__flow flow;
	lcowmig_vm *vm;
	bool prepares;
};

static void vm_log_listen(struct vm_log *self)
{
	if (self->prepares)
		lcowmig__guest_prepare(&self->flow, self->vm->env, LCOWMIG__PORT_LOG);
}

static void vm_log_step(lcowmig__flow *flow)
{
	struct vm_log *self = (struct vm_log *)flow;
	lcowmig_vm *vm = self->vm;

	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, vm_log_listen(self));
	if (flow->result == LCOWMIG_OK)
		FLOW_AWAIT(flow, lcowmig__guest_log(flow, vm->env));
	if (flow->result != LCOWMIG_OK && !vm->told)
		lcowmig__log(flow->context, LCOWMIG_LOG_WARNING, "virtual machine %s: its log stream is lost: %s",
			     vm->object.id, flow->error->message);
	if (self->prepares)
		vm->is_log_rearmed = false;
	if (--vm->logs == 0)
		lcowmig__signal_set(&vm->log_done);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_log_class = { "log stream", vm_log_step, NULL, true };

void lcowmig__vm_watch_log(lcowmig_vm *vm, bool prepares)
{
	struct vm_log *self;

	if (!vm->env->guest.log || (prepares && vm->is_log_rearmed))
		return;
	self = lcowmig__vm_flow(vm, sizeof *self, &vm_log_class, NULL);
	if (!self) {
		lcowmig__log(vm->object.context, LCOWMIG_LOG_WARNING, "virtual machine %s: its log stream is not read: out of memory",
			     vm->object.id);
		return;
	}
	self->vm = vm;
	self->prepares = prepares;
	vm->is_log_rearmed = prepares;
	if (vm->logs++ == 0)
		lcowmig__signal_reset(&vm->log_done);
	lcowmig__flow_background(&self->flow);
}
