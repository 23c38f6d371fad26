/*
 * Getting the guest back after a finalize with Resume.
 *
 *     source, connection alive    prove it with a round trip
 *     source, connection lost     listen, swap in the new transport, negotiate
 *     destination                 accept on the listener armed before the start, negotiate
 *     then                        migrating off -> port and id floors -> disks thaw -> Running
 *
 * The log stream is wired up again in the background; nothing here waits for it.
 */
#include "private.h"

#include "guest/guest.h"

#define PROOF_TIME (10 * LCOWMIG__SECOND)

struct vm_resume {
	lcowmig__flow flow;
	bool is_connected;
};

static bool resume_is_source(const lcowmig_vm *vm)
{
	return vm->origin == LCOWMIG__ORIGIN_SOURCE;
}

static void resume_ask_connected(struct vm_resume *self)
{
	const lcowmig_vm *vm = lcowmig__vm_of(&self->flow);

	if (resume_is_source(vm))
		lcowmig__guest_is_connected(&self->flow, vm->env, &self->is_connected);
}

static void resume_listen(lcowmig__flow *flow, const lcowmig_vm *vm)
{
	if (resume_is_source(vm))
		lcowmig__guest_prepare(flow, vm->env, LCOWMIG__PORT_CONTROL);
}

static void resume_connect(lcowmig__flow *flow, const lcowmig_vm *vm)
{
	if (resume_is_source(vm))
		lcowmig__guest_resume(flow, vm->env);
	else
		lcowmig__guest_connect(flow, vm->env, false);
}

static void resume_raise_floors(lcowmig__flow *flow, const lcowmig_vm *vm)
{
	if (!resume_is_source(vm))
		lcowmig__guest_raise_floors(flow, vm->env, vm->next_port, vm->next_request_id);
}

/* Cannot fail: the machine runs again. */
static void resume_commit(lcowmig_vm *vm)
{
	if (vm->scsi)
		lcowmig__scsi_thaw(vm->scsi);
	vm->next_port = 0;
	vm->next_request_id = 0;
	if (!vm->started_at)
		vm->started_at = lcowmig__wall_clock(vm->object.context);
}

static void resume_step(lcowmig__flow *flow)
{
	struct vm_resume *self = (struct vm_resume *)flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, lcowmig__object_check(&vm->object, LCOWMIG__VM_RESUME, flow->error));
	if (vm->object.state == LCOWMIG__VM_RUNNING) {
		lcowmig__object_fire(&vm->object, LCOWMIG__VM_RESUME);
		FLOW_RETURN(flow, LCOWMIG_OK);
	}
	FLOW_TRY(flow, resume_ask_connected(self));
	if (self->is_connected) {
		lcowmig__flow_set_deadline(flow, PROOF_TIME);
		/* The machine has no properties, which the guest says at once; any answer proves that it hears us. */
		FLOW_AWAIT(flow, lcowmig__guest_properties(flow, vm->env, LCOWMIG__NULL_GUID, "ProcessList"));
		lcowmig__flow_clear_deadline(flow);
		if (flow->result == LCOWMIG_E_CANCELLED || flow->result == LCOWMIG_E_NO_MEMORY)
			FLOW_RETURN(flow, flow->result); /* says nothing about the guest */
		self->is_connected = flow->result == LCOWMIG_OK || flow->result == LCOWMIG_E_GUEST_FAILED;
	}
	if (!self->is_connected) {
		lcowmig__flow_set_deadline(flow, LCOWMIG__VM_CONNECT_TIME);
		FLOW_TRY(flow, resume_listen(flow, vm));
		lcowmig__vm_watch_log(vm, true);
		FLOW_TRY(flow, resume_connect(flow, vm));
		FLOW_CHECK(flow, lcowmig__vm_connected(flow));
		vm->env->guest_was_replaced = true;
		lcowmig__flow_clear_deadline(flow);
	}
	FLOW_TRY(flow, lcowmig__guest_set_migrating(flow, vm->env, false));
	FLOW_TRY(flow, resume_raise_floors(flow, vm));
	FLOW_CHECK(flow, lcowmig__vm_advance(vm, LCOWMIG__VM_RESUME, flow->error));
	resume_commit(vm);
	FLOW_END(flow);
}

static const lcowmig__flow_class resume_class = { .name = "resume", .step = resume_step };

lcowmig__flow *lcowmig__vm_resume_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return lcowmig__vm_flow(vm, sizeof(struct vm_resume), &resume_class, error);
}
