/*
 * The host's migration calls, one by one, in the order in which a session makes them. Those that the host does not take back are shielded:
 * when the session is cancelled meanwhile, their answer still decides about the machine's state.
 */
#include "private.h"

struct vm_step {
	lcowmig__flow flow;
	lcowmig_vm *vm;
	bool is_source;
	void *socket;
	uint32_t number;
	bool has_options; /* else the platform's defaults */
	lcowmig__migration_options options;
	lcowmig_status status;
	lcowmig_error why;
};

static struct vm_step *vm_step_new(lcowmig_vm *vm, const lcowmig__flow_class *class, lcowmig_error *error)
{
	struct vm_step *self = lcowmig__vm_flow(vm, sizeof *self, class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	lcowmig__error_init(&self->why);
	return self;
}

static lcowmig__origin step_origin(const struct vm_step *self)
{
	return self->is_source ? LCOWMIG__ORIGIN_SOURCE : LCOWMIG__ORIGIN_DESTINATION;
}

/* Ends the flow as the await went, moving the machine when it went well and has not ended meanwhile. */
static void vm_step_conclude(struct vm_step *self, int trigger)
{
	lcowmig__flow *flow = &self->flow;
	lcowmig_status status = flow->result;

	if (status == LCOWMIG_OK)
		status = lcowmig__vm_recheck(self->vm, trigger, flow->error);
	if (status == LCOWMIG_OK)
		lcowmig__object_fire(&self->vm->object, trigger);
	lcowmig__flow_finish(flow, status);
}

/* ---- Source: initialize ---- */

static lcowmig_status initialize_check(const struct vm_step *self, lcowmig_error *error)
{
	const lcowmig_vm *vm = self->vm;
	lcowmig_status status = lcowmig__object_check(&vm->object, LCOWMIG__VM_INITIALIZE_SOURCE, error);

	if (status != LCOWMIG_OK)
		return status;
	if (!vm->facts.relays_log)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "virtual machine %s was booted without migration support: its kernel command line lacks \"%s\"",
				     vm->env->vm_id, LCOWMIG__LOG_RELAY_COMMAND);
	if (vm->confidential)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "virtual machine %s belongs to a confidential sandbox and cannot migrate", vm->env->vm_id);
	return lcowmig__migration_options_check(self->has_options ? &self->options : NULL, error);
}

static void initialize_source_step(lcowmig__flow *flow)
{
	struct vm_step *self = (struct vm_step *)flow;
	lcowmig_vm *vm = self->vm;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &vm->gate)); /* an update in progress finishes first */
	lcowmig__flow_shield(flow, true);
	self->status = initialize_check(self, flow->error);
	if (self->status != LCOWMIG_OK) {
		lcowmig__gate_leave(flow, &vm->gate);
		FLOW_RETURN(flow, self->status);
	}
	FLOW_AWAIT(flow,
		   lcowmig__hcs_initialize_migration(flow, vm->env,
						     lcowmig__hcs_initialize_options(lcowmig__vm_mem(vm), LCOWMIG__ORIGIN_SOURCE,
										     self->has_options ? &self->options : NULL, NULL, 0)));
	vm_step_conclude(self, LCOWMIG__VM_INITIALIZE_SOURCE);
	lcowmig__gate_leave(flow, &vm->gate);
	return;
	FLOW_END(flow);
}

static const lcowmig__flow_class initialize_source_class = { "initialize live migration", initialize_source_step, NULL, false };

lcowmig__flow *lcowmig__vm_initialize_source_flow(lcowmig_vm *vm, const lcowmig__migration_options *options, lcowmig_error *error)
{
	struct vm_step *self = vm_step_new(vm, &initialize_source_class, error);

	if (!self)
		return NULL;
	self->has_options = options != NULL;
	if (options)
		self->options = *options;
	return &self->flow;
}

/* ---- Source: start ---- */

/* The flag first: when the host call answers, the guest may be gone from this side already. */
static void start_source_step(lcowmig__flow *flow)
{
	struct vm_step *self = (struct vm_step *)flow;
	lcowmig_vm *vm = self->vm;

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true);
	self->status = lcowmig__object_check(&vm->object, LCOWMIG__VM_START_SOURCE, flow->error);
	if (self->status != LCOWMIG_OK)
		FLOW_RETURN(flow, self->status);
	FLOW_TRY(flow, lcowmig__guest_set_migrating(flow, vm->env, true));
	FLOW_AWAIT(flow, lcowmig__hcs_start_migration(flow, vm->env,
						      lcowmig__hcs_start_options(lcowmig__vm_mem(vm), LCOWMIG__ORIGIN_SOURCE, self->number),
						      self->socket));
	if (flow->result == LCOWMIG_OK) {
		vm_step_conclude(self, LCOWMIG__VM_START_SOURCE);
		return;
	}
	self->status = flow->result;
	lcowmig__error_copy(&self->why, flow->error);
	FLOW_AWAIT(flow, lcowmig__guest_set_migrating(flow, vm->env, false));
	lcowmig__vm_finish(flow, self->status, &self->why);
	return;
	FLOW_END(flow);
}

static const lcowmig__flow_class start_source_class = { "start live migration", start_source_step, NULL, false };

lcowmig__flow *lcowmig__vm_start_source_flow(lcowmig_vm *vm, void *socket, uint32_t session_number, lcowmig_error *error)
{
	struct vm_step *self = vm_step_new(vm, &start_source_class, error);

	if (!self)
		return NULL;
	self->socket = socket;
	self->number = session_number;
	return &self->flow;
}

/* ---- Destination: patch, start ---- */

static void grant_disk(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	struct vm_step *self = user;

	(void)slot;
	if (disk->type != LCOWMIG_DISK_EXTENSIBLE) /* served by a provider: there is no file to open */
		lcowmig__hcs_grant_access(&self->flow, self->vm->env, disk->host_path);
}

static void patch_step(lcowmig__flow *flow)
{
	struct vm_step *self = (struct vm_step *)flow;
	lcowmig_vm *vm = self->vm;
	lcowmig_scsi *scsi;

	FLOW_BEGIN(flow);
	self->status = lcowmig__object_check(&vm->object, LCOWMIG__VM_PATCH, flow->error);
	if (self->status != LCOWMIG_OK)
		FLOW_RETURN(flow, self->status);
	if (lcowmig__vm_scsi(vm, &scsi, flow->error) != LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_INVALID_ARGUMENT,
						"virtual machine %s was imported without SCSI controllers", vm->env->vm_id));
	FLOW_AWAIT(flow, lcowmig__scsi_each_disk(vm->scsi, grant_disk, self));
	vm_step_conclude(self, LCOWMIG__VM_PATCH);
	return;
	FLOW_END(flow);
}

static const lcowmig__flow_class patch_class = { "patch", patch_step, NULL, false };

lcowmig__flow *lcowmig__vm_patch_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	struct vm_step *self = vm_step_new(vm, &patch_class, error);

	return self ? &self->flow : NULL;
}

/* Control connection first: the guest dials as soon as it runs, and the first dial should succeed. */
static void start_destination_step(lcowmig__flow *flow)
{
	struct vm_step *self = (struct vm_step *)flow;
	lcowmig_vm *vm = self->vm;

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true);
	self->status = lcowmig__object_check(&vm->object, LCOWMIG__VM_START_DESTINATION, flow->error);
	if (self->status != LCOWMIG_OK)
		FLOW_RETURN(flow, self->status);
	FLOW_TRY(flow, lcowmig__guest_prepare(flow, vm->env, LCOWMIG__PORT_CONTROL));
	vm->was_started = true;
	FLOW_AWAIT(flow, lcowmig__hcs_start(flow, vm->env,
					    lcowmig__hcs_start_options(lcowmig__vm_mem(vm), LCOWMIG__ORIGIN_DESTINATION, self->number),
					    self->socket));
	if (flow->result != LCOWMIG_OK)
		vm->was_started = false;
	vm_step_conclude(self, LCOWMIG__VM_START_DESTINATION);
	return;
	FLOW_END(flow);
}

static const lcowmig__flow_class start_destination_class = { "start with migration", start_destination_step, NULL, false };

lcowmig__flow *lcowmig__vm_start_destination_flow(lcowmig_vm *vm, void *socket, uint32_t session_number, lcowmig_error *error)
{
	struct vm_step *self = vm_step_new(vm, &start_destination_class, error);

	if (!self)
		return NULL;
	self->socket = socket;
	self->number = session_number;
	return &self->flow;
}

/* ---- Both: transfer, cancel ---- */

static void transfer_step(lcowmig__flow *flow)
{
	struct vm_step *self = (struct vm_step *)flow;
	lcowmig_vm *vm = self->vm;

	FLOW_BEGIN(flow);
	self->status = lcowmig__object_check(&vm->object, LCOWMIG__VM_TRANSFER, flow->error);
	if (self->status != LCOWMIG_OK)
		FLOW_RETURN(flow, self->status);
	FLOW_AWAIT(flow, lcowmig__hcs_transfer(flow, vm->env, lcowmig__hcs_transfer_options(lcowmig__vm_mem(vm), step_origin(self))));
	vm_step_conclude(self, LCOWMIG__VM_TRANSFER);
	return;
	FLOW_END(flow);
}

static const lcowmig__flow_class transfer_class = { "transfer", transfer_step, NULL, false };

lcowmig__flow *lcowmig__vm_transfer_flow(lcowmig_vm *vm, bool is_source, lcowmig_error *error)
{
	struct vm_step *self = vm_step_new(vm, &transfer_class, error);

	if (!self)
		return NULL;
	self->is_source = is_source;
	return &self->flow;
}

/* Takes no gate and waits for nobody: the transfer that it is to end may be under way. */
static void cancel_step(lcowmig__flow *flow)
{
	struct vm_step *self = (struct vm_step *)flow;
	lcowmig_vm *vm = self->vm;

	FLOW_BEGIN(flow);
	self->status = lcowmig__object_check(&vm->object, LCOWMIG__VM_CANCEL, flow->error);
	if (self->status != LCOWMIG_OK)
		FLOW_RETURN(flow, self->status);
	FLOW_TRY(flow, lcowmig__hcs_cancel_migration(flow, vm->env, lcowmig__hcs_cancel_options(lcowmig__vm_mem(vm), step_origin(self))));
	lcowmig__vm_note(vm, LCOWMIG__VM_CANCEL);
	FLOW_END(flow);
}

static const lcowmig__flow_class cancel_class = { "cancel", cancel_step, NULL, true };

lcowmig__flow *lcowmig__vm_cancel_flow(lcowmig_vm *vm, bool is_source, lcowmig_error *error)
{
	struct vm_step *self = vm_step_new(vm, &cancel_class, error);

	if (!self)
		return NULL;
	self->is_source = is_source;
	return &self->flow;
}
