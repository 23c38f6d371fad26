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
	lcowmig_vm *vm;
	bool is_source;
	bool is_connected;
};

static void resume_ask_connected(struct vm_resume *self)
{
	if (self->is_source)
		lcowmig__guest_is_connected(&self->flow, self->vm->env, &self->is_connected);
}

/* The machine has no properties, which the guest says at once; any answer proves that it hears us. */
static void resume_ask_anything(struct vm_resume *self)
{
	lcowmig__guest_properties(&self->flow, self->vm->env, LCOWMIG__NULL_GUID, "ProcessList");
}

static void resume_connect(struct vm_resume *self)
{
	if (self->is_source)
		lcowmig__guest_resume(&self->flow, self->vm->env);
	else
		lcowmig__guest_connect(&self->flow, self->vm->env, false);
}

static void resume_listen(struct vm_resume *self)
{
	if (self->is_source)
		lcowmig__guest_prepare(&self->flow, self->vm->env, LCOWMIG__PORT_CONTROL);
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
	lcowmig__object_fire(&vm->object, LCOWMIG__VM_RESUME);
}

static void resume_step(lcowmig__flow *flow)
{
	struct vm_resume *self = (struct vm_resume *)flow;
	lcowmig_vm *vm = self->vm;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	status = lcowmig__object_check(&vm->object, LCOWMIG__VM_RESUME, flow->error);
	if (status == LCOWMIG_OK && vm->object.state == LCOWMIG__VM_RUNNING)
		lcowmig__object_fire(&vm->object, LCOWMIG__VM_RESUME);
	if (status != LCOWMIG_OK || vm->object.state == LCOWMIG__VM_RUNNING)
		FLOW_RETURN(flow, status);
	FLOW_TRY(flow, resume_ask_connected(self));
	if (self->is_connected) {
		lcowmig__flow_set_deadline(flow, PROOF_TIME);
		FLOW_AWAIT(flow, resume_ask_anything(self));
		lcowmig__flow_clear_deadline(flow);
		if (flow->result == LCOWMIG_E_CANCELLED || flow->result == LCOWMIG_E_NO_MEMORY)
			FLOW_RETURN(flow, flow->result); /* says nothing about the guest */
		self->is_connected = flow->result == LCOWMIG_OK || flow->result == LCOWMIG_E_GUEST_FAILED;
	}
	if (!self->is_connected) {
		lcowmig__flow_set_deadline(flow, LCOWMIG__VM_CONNECT_TIME);
		FLOW_TRY(flow, resume_listen(self));
		lcowmig__vm_watch_log(vm, true);
		FLOW_TRY(flow, resume_connect(self));
		status = lcowmig__vm_connected(vm, flow, flow->error);
		if (status != LCOWMIG_OK)
			FLOW_RETURN(flow, status);
		vm->env->guest_was_replaced = true;
		lcowmig__flow_clear_deadline(flow);
	}
	FLOW_TRY(flow, lcowmig__guest_set_migrating(flow, vm->env, false));
	FLOW_TRY(flow, self->is_source ? (void)0 : lcowmig__guest_raise_floors(flow, vm->env, vm->next_port, vm->next_request_id));
	status = lcowmig__vm_recheck(vm, LCOWMIG__VM_RESUME, flow->error);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	resume_commit(vm);
	FLOW_END(flow);
}

static const lcowmig__flow_class resume_class = { "resume", resume_step, NULL, false };

lcowmig__flow *lcowmig__vm_resume_flow(lcowmig_vm *vm, bool is_source, lcowmig_error *error)
{
	struct vm_resume *self = lcowmig__vm_flow(vm, sizeof *self, &resume_class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	self->is_source = is_source;
	return &self->flow;
}
