/*
 * What of the machine travels: collected from HCS and the guest connection, captured into the wire struct, and taken over on the other
 * side.
 */
#include "private.h"

/* ---- The check that can be asked for at any time ---- */

struct vm_check {
	const lcowmig_vm *vm;
	void (*report)(void *user, const char *reason);
	void *user;
	lcowmig_error error;
};

/* How a part of the machine answered. That it ran out of memory over the answer is no reason against a migration. */
static void check_note(struct vm_check *check, lcowmig_status status)
{
	if (status != LCOWMIG_OK && status != LCOWMIG_E_NO_MEMORY)
		check->report(check->user, check->error.message);
}

static void check_disks(struct vm_check *check)
{
	lcowmig__wire_scsi wire = { 0 };
	lcowmig__arena arena;

	if (!check->vm->scsi)
		return;
	lcowmig__arena_init(&arena, lcowmig__vm_mem(check->vm), 0);
	check_note(check, lcowmig__scsi_capture(check->vm->scsi, &arena, &wire, &check->error));
	lcowmig__arena_done(&arena);
}

void lcowmig__vm_check(const lcowmig_vm *vm, void (*report)(void *user, const char *reason), void *user)
{
	struct vm_check check = { vm, report, user, LCOWMIG_ERROR_INIT };
	const lcowmig_status no = LCOWMIG_E_FAILED_PRECONDITION;
	const lcowmig__vm_config *config = &vm->config;
	lcowmig_error *error = &check.error;
	const char *id = vm->object.id;

	if (vm->object.state != LCOWMIG__VM_RUNNING && vm->object.state != LCOWMIG__VM_SOURCE_INITIALIZED)
		check_note(&check, lcowmig__fail(error, no, "virtual machine %s is %s; a migration needs Running", id,
						 lcowmig__vm_state_name(vm)));
	if (config->document && !config->facts.relays_log)
		check_note(&check, lcowmig__fail(error, no,
						 "virtual machine %s was booted without migration support: its kernel command line lacks "
						 "\"" LCOWMIG__LOG_RELAY_COMMAND "\"",
						 id));
	if (config->confidential)
		check_note(&check, lcowmig__fail(error, no, "virtual machine %s belongs to a confidential sandbox", id));
	if (config->facts.blockers[0])
		check_note(&check, lcowmig__fail(error, no, "virtual machine %s has what cannot migrate in its document: %s", id,
						 config->facts.blockers));
	if (vm->plan9)
		check_note(&check, lcowmig__plan9_capture(vm->plan9, error));
	if (vm->vpci)
		check_note(&check, lcowmig__vpci_capture(vm->vpci, error));
	if (vm->execs)
		check_note(&check, lcowmig__fail(error, no, "virtual machine %s has %u processes started with exec into the virtual machine",
						 id, vm->execs));
	check_note(&check, lcowmig__object_check_idle(&vm->object, error));
	check_disks(&check);
}

/* ---- Collect, capture, freeze ---- */

struct vm_collect {
	lcowmig__flow flow;
	uint32_t next_port;
	int64_t next_request_id;
};

static void vm_collect_floors(struct vm_collect *self)
{
	const lcowmig__env *env = lcowmig__vm_of(&self->flow)->env;

	if (env->has_guest)
		lcowmig__guest_read_floors(&self->flow, env, &self->next_port, &self->next_request_id);
}

static void vm_collect_step(lcowmig__flow *flow)
{
	struct vm_collect *self = (struct vm_collect *)flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, lcowmig__object_check(&vm->object, LCOWMIG__VM_SAVE, flow->error));
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__vm_compatibility_flow(vm, NULL)));
	FLOW_TRY(flow, vm_collect_floors(self));
	vm->next_port = self->next_port;
	vm->next_request_id = self->next_request_id;
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_collect_class = { .name = "save", .step = vm_collect_step, .is_watch = true };

lcowmig__flow *lcowmig__vm_collect_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return lcowmig__vm_flow(vm, sizeof(struct vm_collect), &vm_collect_class, error);
}

/* A machine none of whose disks was ever asked for is captured with them all the same: else it could not be patched over there. */
static lcowmig_status capture_scsi(lcowmig_vm *vm, lcowmig__arena *arena, lcowmig__wire_vm *wire, lcowmig_error *error)
{
	lcowmig_scsi *built = NULL;
	lcowmig_status status;

	if (vm->scsi)
		return lcowmig__scsi_capture(vm->scsi, arena, &wire->scsi, error);
	status = lcowmig__vm_build_scsi(vm, &built, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__scsi_capture(built, arena, &wire->scsi, error);
	if (status == LCOWMIG_OK)
		vm->scsi = built;
	else
		lcowmig__scsi_free(built);
	return status;
}

lcowmig_status lcowmig__vm_capture(lcowmig_vm *vm, lcowmig__arena *arena, lcowmig__wire_vm *ret_wire, lcowmig_error *error)
{
	lcowmig__wire_vm wire = { 0 };
	lcowmig_status status = lcowmig__object_check(&vm->object, LCOWMIG__VM_SAVE, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__object_check_idle(&vm->object, error);
	if (status == LCOWMIG_OK && vm->vpci)
		status = lcowmig__vpci_capture(vm->vpci, error);
	if (status == LCOWMIG_OK && vm->plan9)
		status = lcowmig__plan9_capture(vm->plan9, error);
	if (status == LCOWMIG_OK)
		status = capture_scsi(vm, arena, &wire, error);
	if (status != LCOWMIG_OK)
		return status;
	wire.has_scsi = true;
	wire.vm_id = vm->env->vm_id;
	wire.has_options = vm->config.has_options;
	wire.no_writable_file_shares = vm->config.no_writable_file_shares;
	wire.enable_scratch_encryption = vm->config.enable_scratch_encryption;
	wire.policy_based_routing = vm->config.policy_based_routing;
	wire.architecture = vm->config.architecture;
	wire.fully_physically_backed = vm->config.fully_physically_backed;
	wire.gcs_next_port = vm->next_port;
	wire.bridge_next_id = vm->next_request_id;
	wire.compat_info.data = vm->compat;
	wire.compat_info.size = vm->compat_size;
	wire.hcs_document.data = (const uint8_t *)vm->config.document;
	wire.hcs_document.size = vm->config.document_size;
	lcowmig__object_fire(&vm->object, LCOWMIG__VM_SAVE);
	*ret_wire = wire;
	return LCOWMIG_OK;
}

void lcowmig__vm_freeze(lcowmig_vm *vm)
{
	vm->env->guest_was_replaced = false;
	lcowmig__scsi_freeze(vm->scsi); /* the capture before it has made one */
}

/* ---- Import ---- */

struct vm_import {
	lcowmig__vm_config config;
	uint8_t *compat;
	lcowmig_scsi *scsi;
};

static lcowmig_status import_prepare(lcowmig_vm *vm, const lcowmig__wire_vm *wire, struct vm_import *parts, lcowmig_error *error)
{
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	const char *document = (const char *)wire->hcs_document.data;
	size_t size = wire->hcs_document.size;
	lcowmig_status status = LCOWMIG_OK;

	if (size) {
		status = lcowmig__hcs_document_inspect(mem, &vm->object.context->limits, document, size, &parts->config.facts, error);
		if (status != LCOWMIG_OK)
			return status;
		parts->config.document = lcowmig__strndup(mem, document, size);
		parts->config.document_size = size;
	}
	parts->config.architecture = lcowmig__strdup(mem, wire->architecture);
	parts->compat = lcowmig__memdup(mem, wire->compat_info.data ? wire->compat_info.data : (const uint8_t *)"", wire->compat_info.size);
	if ((size && !parts->config.document) || !parts->config.architecture || !parts->compat)
		return lcowmig__fail_memory(error);
	parts->config.has_options = wire->has_options;
	parts->config.no_writable_file_shares = wire->no_writable_file_shares;
	parts->config.enable_scratch_encryption = wire->enable_scratch_encryption;
	parts->config.policy_based_routing = wire->policy_based_routing;
	parts->config.fully_physically_backed = wire->fully_physically_backed;
	if (wire->has_scsi)
		status = lcowmig__scsi_import(vm->env, &wire->scsi, &parts->scsi, error);
	return status;
}

/* The machine is as it was made: there is nothing that the import could replace. */
lcowmig_status lcowmig__vm_import(lcowmig_vm *vm, const lcowmig__wire_vm *wire, lcowmig_error *error)
{
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	struct vm_import parts = { 0 };
	lcowmig_status status = lcowmig__object_check(&vm->object, LCOWMIG__VM_IMPORT, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__object_check_idle(&vm->object, error); /* a create under way */
	if (status == LCOWMIG_OK)
		status = import_prepare(vm, wire, &parts, error);
	if (status != LCOWMIG_OK) {
		lcowmig__vm_config_done(mem, &parts.config);
		lcowmig__free(mem, parts.compat);
		return status;
	}
	vm->config = parts.config;
	vm->compat = parts.compat;
	vm->compat_size = wire->compat_info.size;
	vm->scsi = parts.scsi;
	vm->next_port = wire->gcs_next_port;
	vm->next_request_id = wire->bridge_next_id;
	vm->origin = LCOWMIG__ORIGIN_DESTINATION;
	lcowmig__object_fire(&vm->object, LCOWMIG__VM_IMPORT);
	return LCOWMIG_OK;
}
