/*
 * What of the machine travels: collected from HCS and the guest connection, captured into the wire struct, and taken over on the other
 * side.
 */
#include <stdarg.h>
#include <stdio.h>

#include "private.h"

/* ---- The check that can be asked for at any time ---- */

struct vm_check {
	const lcowmig_vm *vm;
	void (*report)(void *user, const char *reason);
	void *user;
};

static void check_say(const struct vm_check *check, const char *format, ...) LCOWMIG__PRINTF(2, 3);

static void check_say(const struct vm_check *check, const char *format, ...)
{
	char text[LCOWMIG_ERROR_MESSAGE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	check->report(check->user, text);
}

/* Asks a part of the machine whether it could be captured now. Its answer to running out of memory is no reason against a migration. */
static void check_ask(const struct vm_check *check, lcowmig_status status, const lcowmig_error *error)
{
	if (status != LCOWMIG_OK && status != LCOWMIG_E_NO_MEMORY)
		check->report(check->user, error->message);
}

static void check_disks(const struct vm_check *check)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__wire_scsi wire = { 0 };
	lcowmig__arena arena;

	if (!check->vm->scsi)
		return;
	lcowmig__arena_init(&arena, lcowmig__vm_mem(check->vm), 0);
	check_ask(check, lcowmig__scsi_capture(check->vm->scsi, &arena, &wire, &error), &error);
	lcowmig__arena_done(&arena);
}

void lcowmig__vm_check(const lcowmig_vm *vm, void (*report)(void *user, const char *reason), void *user)
{
	struct vm_check check = { vm, report, user };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	const char *id = vm->object.id;

	if (vm->object.state != LCOWMIG__VM_RUNNING && vm->object.state != LCOWMIG__VM_SOURCE_INITIALIZED)
		check_say(&check, "virtual machine %s is %s; a migration needs Running", id, lcowmig__vm_state_name(vm));
	if (vm->document && !vm->facts.relays_log)
		check_say(&check, "virtual machine %s was booted without migration support: its kernel command line lacks \"%s\"", id,
			  LCOWMIG__LOG_RELAY_COMMAND);
	if (vm->confidential)
		check_say(&check, "virtual machine %s belongs to a confidential sandbox", id);
	if (vm->facts.blockers[0])
		check_say(&check, "virtual machine %s has what cannot migrate in its document: %s", id, vm->facts.blockers);
	if (vm->plan9)
		check_ask(&check, lcowmig__plan9_capture(vm->plan9, &error), &error);
	if (vm->vpci)
		check_ask(&check, lcowmig__vpci_capture(vm->vpci, &error), &error);
	if (vm->execs)
		check_say(&check, "virtual machine %s has %u processes started with exec into the virtual machine", id, vm->execs);
	check_ask(&check, lcowmig__object_check_idle(&vm->object, &error), &error);
	check_disks(&check);
}

/* ---- Collect, capture, freeze ---- */

struct vm_collect {
	lcowmig__flow flow;
	lcowmig_vm *vm;
	uint32_t next_port;
	int64_t next_request_id;
};

static void vm_collect_floors(struct vm_collect *self)
{
	if (self->vm->env->has_guest)
		lcowmig__guest_read_floors(&self->flow, self->vm->env, &self->next_port, &self->next_request_id);
}

static void vm_collect_step(lcowmig__flow *flow)
{
	struct vm_collect *self = (struct vm_collect *)flow;
	lcowmig_vm *vm = self->vm;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	status = lcowmig__object_check(&vm->object, LCOWMIG__VM_SAVE, flow->error);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__vm_compatibility_flow(vm, NULL)));
	FLOW_TRY(flow, vm_collect_floors(self));
	vm->next_port = self->next_port;
	vm->next_request_id = self->next_request_id;
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_collect_class = { "save", vm_collect_step, NULL, true };

lcowmig__flow *lcowmig__vm_collect_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	struct vm_collect *self = lcowmig__vm_flow(vm, sizeof *self, &vm_collect_class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	return &self->flow;
}

/* A machine none of whose disks was ever asked for is captured with them all the same: else it could not be patched over there. */
static lcowmig_status capture_scsi(lcowmig_vm *vm, lcowmig__arena *arena, lcowmig__wire_vm *wire, lcowmig_error *error)
{
	lcowmig_scsi *built = NULL;
	lcowmig_status status;

	if (!vm->scsi) {
		status = lcowmig__vm_build_scsi(vm, &built, error);
		if (status != LCOWMIG_OK)
			return status;
	}
	status = lcowmig__scsi_capture(built ? built : vm->scsi, arena, &wire->scsi, error);
	wire->has_scsi = true;
	if (status == LCOWMIG_OK && built)
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
	wire.vm_id = vm->env->vm_id;
	wire.has_options = vm->has_options;
	wire.no_writable_file_shares = vm->no_writable_file_shares;
	wire.enable_scratch_encryption = vm->enable_scratch_encryption;
	wire.policy_based_routing = vm->policy_based_routing;
	wire.architecture = vm->architecture;
	wire.fully_physically_backed = vm->fully_physically_backed;
	wire.gcs_next_port = vm->next_port;
	wire.bridge_next_id = vm->next_request_id;
	wire.compat_info.data = vm->compat;
	wire.compat_info.size = vm->compat_size;
	wire.hcs_document.data = (const uint8_t *)vm->document;
	wire.hcs_document.size = vm->document_size;
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
	char *document;
	lcowmig__hcs_facts facts;
	char *architecture;
	uint8_t *compat;
	lcowmig_scsi *scsi;
};

static void import_drop(const lcowmig__mem *mem, struct vm_import *parts)
{
	lcowmig__free(mem, parts->document);
	lcowmig__hcs_facts_done(mem, &parts->facts);
	lcowmig__free(mem, parts->architecture);
	lcowmig__free(mem, parts->compat);
	lcowmig__scsi_free(parts->scsi);
}

static lcowmig_status import_prepare(lcowmig_vm *vm, const lcowmig__wire_vm *wire, struct vm_import *parts, lcowmig_error *error)
{
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	const lcowmig_limits *limits = &vm->object.context->limits;
	const char *document = (const char *)wire->hcs_document.data;
	lcowmig_status status = LCOWMIG_OK;

	if (wire->hcs_document.size) {
		status = lcowmig__hcs_document_inspect(mem, limits, document, wire->hcs_document.size, &parts->facts, error);
		if (status != LCOWMIG_OK)
			return status;
		parts->document = lcowmig__strndup(mem, document, wire->hcs_document.size);
		if (!parts->document)
			return lcowmig__fail_memory(error);
	}
	parts->architecture = lcowmig__strdup(mem, wire->architecture);
	parts->compat = lcowmig__memdup(mem, wire->compat_info.data ? wire->compat_info.data : (const uint8_t *)"", wire->compat_info.size);
	if (!parts->architecture || !parts->compat)
		return lcowmig__fail_memory(error);
	if (wire->has_scsi)
		status = lcowmig__scsi_import(vm->env, &wire->scsi, &parts->scsi, error);
	return status;
}

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
		import_drop(mem, &parts);
		return status;
	}
	lcowmig__vm_set_document(vm, parts.document, wire->hcs_document.size);
	lcowmig__hcs_facts_done(mem, &vm->facts);
	vm->facts = parts.facts;
	lcowmig__free(mem, vm->architecture);
	vm->architecture = parts.architecture;
	lcowmig__free(mem, vm->compat);
	vm->compat = parts.compat;
	vm->compat_size = wire->compat_info.size;
	lcowmig__scsi_free(vm->scsi);
	vm->scsi = parts.scsi;
	vm->has_options = wire->has_options;
	vm->no_writable_file_shares = wire->no_writable_file_shares;
	vm->enable_scratch_encryption = wire->enable_scratch_encryption;
	vm->policy_based_routing = wire->policy_based_routing;
	vm->fully_physically_backed = wire->fully_physically_backed;
	vm->next_port = wire->gcs_next_port;
	vm->next_request_id = wire->bridge_next_id;
	lcowmig__object_fire(&vm->object, LCOWMIG__VM_IMPORT);
	return LCOWMIG_OK;
}
