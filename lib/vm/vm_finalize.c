/*
 * Finalizing: the host is told how the migration ends for this side.
 *
 *     Resume   HCS finalize -> MigrationFinalized; vm_resume.c goes on from there
 *     Stop     HCS finalize -> (source: disks thaw) -> the machine ends -> Terminated
 *
 * A Stop that HCS has accepted is not asked for again when what follows has to be repeated, and rules out a Resume.
 */
#include "private.h"

struct vm_finalize {
	lcowmig__flow flow;
	lcowmig_vm *vm;
	bool is_source;
	bool resume;
};

static lcowmig_status finalize_check(const struct vm_finalize *self, lcowmig_error *error)
{
	const lcowmig_vm *vm = self->vm;
	lcowmig_status status =
		lcowmig__object_check(&vm->object, self->resume ? LCOWMIG__VM_FINALIZE_RESUME : LCOWMIG__VM_FINALIZE_STOP, error);

	if (status == LCOWMIG_OK && self->resume && vm->stop_accepted)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "virtual machine %s (%s) has been finalized with stop; it cannot resume", vm->env->vm_id,
				     lcowmig__vm_state_name(vm));
	return status;
}

static void finalize_ask(struct vm_finalize *self)
{
	lcowmig_vm *vm = self->vm;
	lcowmig__origin origin = self->is_source ? LCOWMIG__ORIGIN_SOURCE : LCOWMIG__ORIGIN_DESTINATION;

	if (!vm->stop_accepted)
		lcowmig__hcs_finalize_migration(&self->flow, vm->env,
						lcowmig__hcs_finalize_options(lcowmig__vm_mem(vm), origin, self->resume));
}

static void finalize_step(lcowmig__flow *flow)
{
	struct vm_finalize *self = (struct vm_finalize *)flow;
	lcowmig_vm *vm = self->vm;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true); /* the host does not take this back */
	status = finalize_check(self, flow->error);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	vm->stops_asked += !self->resume;
	FLOW_AWAIT(flow, finalize_ask(self));
	vm->stops_asked -= !self->resume;
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, flow->result);
	if (self->resume) {
		status = lcowmig__vm_recheck(vm, LCOWMIG__VM_FINALIZE_RESUME, flow->error);
		if (status == LCOWMIG_OK) {
			vm->was_started = true; /* a destination whose transfer never came about, too */
			lcowmig__object_fire(&vm->object, LCOWMIG__VM_FINALIZE_RESUME);
		}
		FLOW_RETURN(flow, status);
	}
	vm->stop_accepted = true;
	if (self->is_source && vm->scsi)
		lcowmig__scsi_thaw(vm->scsi);
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__vm_end_flow(vm, LCOWMIG__VM_FINALIZE_STOP, true, NULL)));
	FLOW_END(flow);
}

static const lcowmig__flow_class finalize_class = { "finalize", finalize_step, NULL, false };

lcowmig__flow *lcowmig__vm_finalize_flow(lcowmig_vm *vm, bool is_source, bool resume, lcowmig_error *error)
{
	struct vm_finalize *self = lcowmig__vm_flow(vm, sizeof *self, &finalize_class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	self->is_source = is_source;
	self->resume = resume;
	return &self->flow;
}
