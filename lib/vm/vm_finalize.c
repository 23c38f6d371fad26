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
	bool resume;
};

static lcowmig_status finalize_check(const struct vm_finalize *self, lcowmig_error *error)
{
	const lcowmig_vm *vm = lcowmig__vm_of(&self->flow);
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
	const lcowmig_vm *vm = lcowmig__vm_of(&self->flow);

	if (!vm->stop_accepted)
		lcowmig__hcs_finalize_migration(&self->flow, vm->env,
						lcowmig__hcs_finalize_options(lcowmig__vm_mem(vm), vm->origin, self->resume));
}

static void finalize_step(lcowmig__flow *flow)
{
	struct vm_finalize *self = (struct vm_finalize *)flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true); /* the host does not take this back */
	FLOW_CHECK(flow, finalize_check(self, flow->error));
	vm->stops_asked += !self->resume;
	FLOW_AWAIT(flow, finalize_ask(self));
	vm->stops_asked -= !self->resume;
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, flow->result);
	if (self->resume) {
		FLOW_CHECK(flow, lcowmig__vm_advance(vm, LCOWMIG__VM_FINALIZE_RESUME, flow->error));
		vm->was_started = true; /* a destination whose transfer never came about, too */
		FLOW_RETURN(flow, LCOWMIG_OK);
	}
	vm->stop_accepted = true;
	if (vm->origin == LCOWMIG__ORIGIN_SOURCE && vm->scsi)
		lcowmig__scsi_thaw(vm->scsi);
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__vm_end_flow(vm, LCOWMIG__VM_FINALIZE_STOP, NULL)));
	FLOW_END(flow);
}

static const lcowmig__flow_class finalize_class = { .name = "finalize", .step = finalize_step };

lcowmig__flow *lcowmig__vm_finalize_flow(lcowmig_vm *vm, bool resume, lcowmig_error *error)
{
	struct vm_finalize *self = lcowmig__vm_flow(vm, sizeof *self, &finalize_class, error);

	if (!self)
		return NULL;
	self->resume = resume;
	return &self->flow;
}
