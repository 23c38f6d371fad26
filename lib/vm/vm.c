/* The VM controller: what it consists of, and the device controllers that are made when they are first asked for. */
#include "private.h"

static lcowmig_status vm_scsi(void *user, lcowmig_scsi **ret_scsi, lcowmig_error *error)
{
	return lcowmig__vm_scsi(user, ret_scsi, error);
}

static lcowmig_status vm_plan9(void *user, struct lcowmig_plan9 **ret_plan9, lcowmig_error *error)
{
	return lcowmig__vm_plan9(user, ret_plan9, error);
}

static lcowmig_status vm_vpci(void *user, struct lcowmig_vpci **ret_vpci, lcowmig_error *error)
{
	return lcowmig__vm_vpci(user, ret_vpci, error);
}

static bool vm_scratch_encryption(void *user)
{
	return ((const lcowmig_vm *)user)->config.enable_scratch_encryption;
}

lcowmig_status lcowmig__vm_new(lcowmig__env *env, const lcowmig__vm_owner *owner, lcowmig_vm **ret_vm, lcowmig_error *error)
{
	lcowmig_vm *vm = lcowmig__alloc(&env->context->mem, sizeof *vm);

	if (!vm)
		return lcowmig__fail_memory(error);
	lcowmig__object_init(&vm->object, env->context, &lcowmig__vm_machine, "");
	vm->env = env;
	vm->owner = *owner;
	vm->for_containers.user = vm;
	vm->for_containers.scsi = vm_scsi;
	vm->for_containers.plan9 = vm_plan9;
	vm->for_containers.vpci = vm_vpci;
	vm->for_containers.scratch_encryption = vm_scratch_encryption;
	lcowmig__gate_init(&vm->gate);
	lcowmig__signal_init(&vm->exited);
	lcowmig__signal_init(&vm->ended);
	lcowmig__signal_init(&vm->log_done);
	lcowmig__signal_init(&vm->end_over);
	lcowmig__signal_init(&vm->never);
	lcowmig__signal_set(&vm->log_done);
	lcowmig__error_init(&vm->end_error);
	*ret_vm = vm;
	return LCOWMIG_OK;
}

void lcowmig__vm_config_done(const lcowmig__mem *mem, lcowmig__vm_config *config)
{
	lcowmig__free(mem, config->document);
	lcowmig__free(mem, config->architecture);
	lcowmig__hcs_facts_done(mem, &config->facts);
}

void lcowmig__vm_free(lcowmig_vm *vm)
{
	const lcowmig__mem *mem;

	if (!vm)
		return;
	mem = lcowmig__vm_mem(vm);
	lcowmig__scsi_free(vm->scsi);
	lcowmig__plan9_free(vm->plan9);
	lcowmig__vpci_free(vm->vpci);
	lcowmig__vm_config_done(mem, &vm->config);
	lcowmig__free(mem, vm->policy);
	lcowmig__free(mem, vm->compat);
	lcowmig__free(mem, vm->stacks);
	lcowmig__free(mem, vm->env->vm_id);
	lcowmig__free(mem, vm->env->runtime_id);
	vm->env->vm_id = NULL;
	vm->env->runtime_id = NULL;
	lcowmig__free(mem, vm);
}

lcowmig__vm_state lcowmig__vm_get_state(const lcowmig_vm *vm)
{
	return (lcowmig__vm_state)vm->object.state;
}

const char *lcowmig__vm_state_name(const lcowmig_vm *vm)
{
	return lcowmig__object_state_name(&vm->object);
}

const lcowmig__container_vm *lcowmig__vm_for_containers(lcowmig_vm *vm)
{
	return &vm->for_containers;
}

bool lcowmig__vm_policy_based_routing(const lcowmig_vm *vm)
{
	return vm->config.policy_based_routing;
}

bool lcowmig__vm_must_stop(const lcowmig_vm *vm)
{
	return vm->stops_asked || vm->stop_accepted || vm->is_ending || vm->object.state == LCOWMIG__VM_TERMINATED;
}

bool lcowmig__vm_is_free_to_go(const lcowmig_vm *vm, lcowmig_error *error)
{
	bool rests = vm->object.state == LCOWMIG__VM_NOT_CREATED || vm->object.state == LCOWMIG__VM_DESTINATION_IMPORTED ||
		     vm->object.state == LCOWMIG__VM_TERMINATED;

	if (!rests || vm->env->system) {
		lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "virtual machine %s is %s%s; expected it to be terminated first",
			      vm->object.id, lcowmig__vm_state_name(vm), rests ? " and its handle is still open" : "");
		return false;
	}
	return lcowmig__object_check_idle(&vm->object, error) == LCOWMIG_OK;
}

void *lcowmig__vm_flow(lcowmig_vm *vm, size_t size, const lcowmig__flow_class *class, lcowmig_error *error)
{
	return lcowmig__flow_new(size, class, vm->object.context, &vm->object, error);
}

lcowmig__flow *lcowmig__vm_plain_flow(lcowmig_vm *vm, const lcowmig__flow_class *class, lcowmig_error *error)
{
	return lcowmig__vm_flow(vm, sizeof(lcowmig__flow), class, error);
}

lcowmig_status lcowmig__vm_recheck(const lcowmig_vm *vm, int trigger, lcowmig_error *error)
{
	if (lcowmig__machine_allows(&lcowmig__vm_machine, vm->object.state, trigger))
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_UNAVAILABLE, "virtual machine %s became %s while %s was under way", vm->object.id,
			     lcowmig__vm_state_name(vm), lcowmig__vm_machine.triggers[trigger]);
}

lcowmig_status lcowmig__vm_advance(lcowmig_vm *vm, int trigger, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__vm_recheck(vm, trigger, error);

	if (status == LCOWMIG_OK)
		lcowmig__object_fire(&vm->object, trigger);
	return status;
}

void lcowmig__vm_note(lcowmig_vm *vm, int trigger)
{
	if (lcowmig__machine_allows(&lcowmig__vm_machine, vm->object.state, trigger))
		lcowmig__object_fire(&vm->object, trigger);
}

/* ---- Device controllers ---- */

static uint32_t disk_type_number(const char *type)
{
	if (strcmp(type, LCOWMIG__DISK_PASS_THRU) == 0)
		return LCOWMIG_DISK_PASS_THROUGH;
	if (strcmp(type, LCOWMIG__DISK_EXTENSIBLE) == 0)
		return LCOWMIG_DISK_EXTENSIBLE;
	return LCOWMIG_DISK_VIRTUAL;
}

static lcowmig_status reserve_attachment(void *user, const lcowmig__hcs_attachment *attachment, lcowmig_error *error)
{
	lcowmig_disk_config disk = { .size = sizeof disk };

	disk.host_path = attachment->path;
	disk.evd_type = attachment->evd_type;
	disk.type = disk_type_number(attachment->type);
	disk.read_only = attachment->read_only;
	return lcowmig__scsi_reserve_for_rootfs(user, attachment->controller, attachment->lun, &disk, error);
}

uint32_t lcowmig__vm_document_controllers(const lcowmig_vm *vm)
{
	uint32_t count = LCOWMIG_SCSI_CONTROLLERS_MAX;

	while (count && !(vm->config.facts.scsi_controllers & (1u << (count - 1))))
		count--;
	return count;
}

lcowmig_status lcowmig__vm_build_scsi(const lcowmig_vm *vm, lcowmig_scsi **ret_scsi, lcowmig_error *error)
{
	lcowmig_scsi *scsi = NULL;
	lcowmig_status status = lcowmig__scsi_new(vm->env, lcowmig__vm_document_controllers(vm), &scsi, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__hcs_document_disks(&vm->object.context->limits, vm->config.document, vm->config.document_size,
						     reserve_attachment, scsi, error);
	if (status != LCOWMIG_OK) {
		lcowmig__scsi_free(scsi);
		return status;
	}
	*ret_scsi = scsi;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__vm_scsi(lcowmig_vm *vm, lcowmig_scsi **ret_scsi, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;

	if (!vm->scsi && !vm->config.facts.scsi_controllers)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "virtual machine %s (%s) has no document with SCSI controllers",
				     vm->object.id, lcowmig__vm_state_name(vm));
	if (!vm->scsi)
		status = lcowmig__vm_build_scsi(vm, &vm->scsi, error);
	if (status == LCOWMIG_OK)
		*ret_scsi = vm->scsi;
	return status;
}

lcowmig_status lcowmig__vm_plan9(lcowmig_vm *vm, lcowmig_plan9 **ret_plan9, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;

	if (!vm->plan9)
		status = lcowmig__plan9_new(vm->env, vm->config.no_writable_file_shares, &vm->plan9, error);
	if (status == LCOWMIG_OK)
		*ret_plan9 = vm->plan9;
	return status;
}

lcowmig_status lcowmig__vm_vpci(lcowmig_vm *vm, lcowmig_vpci **ret_vpci, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;

	if (!vm->vpci)
		status = lcowmig__vpci_new(vm->env, &vm->vpci, error);
	if (status == LCOWMIG_OK)
		*ret_vpci = vm->vpci;
	return status;
}
