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
	uint8_t entropy[ENTROPY_BYTES];
};

static lcowmig_status vm_boot_roll(struct vm_boot *self)
{
	const lcowmig_platform *platform = &self->flow.context->platform;

	if (!lcowmig__vm_of(&self->flow)->env->guest.entropy ||
	    platform->random(platform->user, self->entropy, sizeof self->entropy) == LCOWMIG_OK)
		return LCOWMIG_OK;
	return lcowmig__fail(self->flow.error, LCOWMIG_E_HOST_FAILED, "the platform gave no random bytes for the guest");
}

static void vm_boot_listen(lcowmig__flow *flow, const lcowmig__env *env)
{
	if (env->guest.entropy)
		lcowmig__guest_prepare(flow, env, LCOWMIG__PORT_ENTROPY);
	lcowmig__guest_prepare(flow, env, LCOWMIG__PORT_LOG);
	lcowmig__guest_prepare(flow, env, LCOWMIG__PORT_CONTROL);
}

lcowmig_status lcowmig__vm_connected(lcowmig__flow *flow)
{
	const lcowmig_vm *vm = lcowmig__vm_of(flow);
	lcowmig__env *env = vm->env;
	lcowmig__guest_capabilities capabilities;
	lcowmig_status status = lcowmig__guest_reply_capabilities(flow, &capabilities, flow->error);

	if (status != LCOWMIG_OK)
		return status;
	if (vm->told)
		return lcowmig__fail(flow->error, LCOWMIG_E_UNAVAILABLE, "virtual machine %s has ended", env->vm_id);
	env->has_guest = true;
	env->guest_supports_namespaces = capabilities.supports_namespaces;
	env->guest_supports_signals = capabilities.supports_signals;
	env->guest_supports_dump_stacks = capabilities.supports_dump_stacks;
	env->guest_supports_delete_state = capabilities.supports_delete_state;
	return LCOWMIG_OK;
}

static void vm_boot_policy(lcowmig__flow *flow, const lcowmig_vm *vm)
{
	lcowmig__guest_policy policy = { .enforcer = vm->policy };

	if (!vm->policy)
		return;
	policy.policy = policy.enforcer + strlen(policy.enforcer) + 1;
	policy.reference = policy.policy + strlen(policy.policy) + 1;
	policy.hash_envelope = policy.reference + strlen(policy.reference) + 1;
	lcowmig__guest_add_policy(flow, vm->env, &policy);
}

/* What it takes to get a guest that answers. */
static void vm_boot_step(lcowmig__flow *flow)
{
	struct vm_boot *self = (struct vm_boot *)flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	lcowmig__flow_set_deadline(flow, LCOWMIG__VM_CONNECT_TIME);
	FLOW_CHECK(flow, vm_boot_roll(self));
	FLOW_TRY(flow, vm_boot_listen(flow, vm->env));
	vm->was_started = true;
	lcowmig__vm_watch_log(vm, false);
	FLOW_TRY(flow, lcowmig__hcs_start(flow, vm->env, lcowmig__strdup(lcowmig__vm_mem(vm), ""), NULL));
	FLOW_TRY(flow, lcowmig__guest_entropy(flow, vm->env, self->entropy, sizeof self->entropy));
	FLOW_TRY(flow, lcowmig__guest_connect(flow, vm->env, true));
	FLOW_CHECK(flow, lcowmig__vm_connected(flow));
	FLOW_TRY(flow, vm_boot_policy(flow, vm));
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_boot_class = { .name = "boot", .step = vm_boot_step };

static void vm_start_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &vm->gate));
	FLOW_CHECK(flow, lcowmig__object_check(&vm->object, LCOWMIG__VM_START, flow->error));
	if (vm->object.state == LCOWMIG__VM_RUNNING) {
		lcowmig__object_fire(&vm->object, LCOWMIG__VM_START);
		FLOW_RETURN(flow, LCOWMIG_OK);
	}
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_flow(vm, sizeof(struct vm_boot), &vm_boot_class, NULL)));
	if (flow->result == LCOWMIG_OK)
		flow->result = lcowmig__vm_advance(vm, LCOWMIG__VM_START, flow->error);
	if (flow->result == LCOWMIG_OK) {
		vm->started_at = lcowmig__wall_clock(vm->object.context);
	} else {
		vm->env->has_guest = false;
		if (vm->object.state == LCOWMIG__VM_CREATED)
			lcowmig__object_fire(&vm->object, LCOWMIG__VM_START_FAILED);
	}
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_start_class = { .name = "start", .step = vm_start_step };

lcowmig__flow *lcowmig__vm_start_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return lcowmig__vm_plain_flow(vm, &vm_start_class, error);
}

/* ---- The log stream ---- */

struct vm_log {
	lcowmig__flow flow;
	bool prepares;
};

static void vm_log_listen(struct vm_log *self)
{
	if (self->prepares)
		lcowmig__guest_prepare(&self->flow, lcowmig__vm_of(&self->flow)->env, LCOWMIG__PORT_LOG);
}

static void vm_log_step(lcowmig__flow *flow)
{
	struct vm_log *self = (struct vm_log *)flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);

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

static const lcowmig__flow_class vm_log_class = { .name = "log stream", .step = vm_log_step, .is_watch = true };

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
	self->prepares = prepares;
	vm->is_log_rearmed = prepares;
	if (vm->logs++ == 0)
		lcowmig__signal_reset(&vm->log_done);
	lcowmig__flow_background(&self->flow);
}
