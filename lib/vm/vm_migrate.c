/*
 * The host's migration calls, one by one, in the order in which a session makes them. Those that the host does not take back are shielded:
 * when the session is cancelled meanwhile, their answer still decides about the machine's state.
 */
#include "private.h"

struct vm_step {
	lcowmig__flow flow;
	void *socket;
	uint32_t number;
	const lcowmig__migration_options *options;
};

/* ---- Source: initialize ---- */

static void initialize_ask(struct vm_step *self)
{
	lcowmig_vm *vm = lcowmig__vm_of(&self->flow);

	vm->origin = LCOWMIG__ORIGIN_SOURCE;
	lcowmig__hcs_initialize_migration(
		&self->flow, vm->env, lcowmig__hcs_initialize_options(lcowmig__vm_mem(vm), vm->origin, self->options, NULL, 0));
}

static void initialize_source_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &vm->gate)); /* an update in progress finishes first */
	lcowmig__flow_shield(flow, true);
	FLOW_CHECK(flow, lcowmig__object_check(&vm->object, LCOWMIG__VM_INITIALIZE_SOURCE, flow->error));
	FLOW_TRY(flow, initialize_ask((struct vm_step *)flow));
	FLOW_CHECK(flow, lcowmig__vm_advance(vm, LCOWMIG__VM_INITIALIZE_SOURCE, flow->error));
	FLOW_END(flow);
}

static const lcowmig__flow_class initialize_source_class = { .name = "initialize live migration", .step = initialize_source_step };

lcowmig__flow *lcowmig__vm_initialize_source_flow(lcowmig_vm *vm, const lcowmig__migration_options *options, lcowmig_error *error)
{
	struct vm_step *self = lcowmig__vm_flow(vm, sizeof *self, &initialize_source_class, error);

	if (!self)
		return NULL;
	self->options = options;
	return &self->flow;
}

/* ---- Both: start ---- */

static char *start_options(const struct vm_step *self, const lcowmig_vm *vm)
{
	return lcowmig__hcs_start_options(lcowmig__vm_mem(vm), vm->origin, self->number);
}

static lcowmig__flow *start_flow(lcowmig_vm *vm, const lcowmig__flow_class *class, void *socket, uint32_t session_number,
				 lcowmig_error *error)
{
	struct vm_step *self = lcowmig__vm_flow(vm, sizeof *self, class, error);

	if (!self)
		return NULL;
	self->socket = socket;
	self->number = session_number;
	return &self->flow;
}

/* The flag first: when the host call answers, the guest may be gone from this side already. */
static void start_source_step(lcowmig__flow *flow)
{
	struct vm_step *self = (struct vm_step *)flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true);
	FLOW_CHECK(flow, lcowmig__object_check(&vm->object, LCOWMIG__VM_START_SOURCE, flow->error));
	FLOW_TRY(flow, lcowmig__guest_set_migrating(flow, vm->env, true));
	FLOW_AWAIT(flow, lcowmig__hcs_start_migration(flow, vm->env, start_options(self, vm), self->socket));
	flow->failure = flow->result;
	if (flow->failure == LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__vm_advance(vm, LCOWMIG__VM_START_SOURCE, flow->error));
	FLOW_AWAIT(flow, lcowmig__guest_set_migrating(flow, vm->env, false));
	FLOW_RETURN(flow, flow->failure);
	FLOW_END(flow);
}

static const lcowmig__flow_class start_source_class = { .name = "start live migration", .step = start_source_step };

lcowmig__flow *lcowmig__vm_start_source_flow(lcowmig_vm *vm, void *socket, uint32_t session_number, lcowmig_error *error)
{
	return start_flow(vm, &start_source_class, socket, session_number, error);
}

/* Control connection first: the guest dials as soon as it runs, and the first dial should succeed. */
static void start_destination_step(lcowmig__flow *flow)
{
	struct vm_step *self = (struct vm_step *)flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true);
	FLOW_CHECK(flow, lcowmig__object_check(&vm->object, LCOWMIG__VM_START_DESTINATION, flow->error));
	FLOW_TRY(flow, lcowmig__guest_prepare(flow, vm->env, LCOWMIG__PORT_CONTROL));
	vm->was_started = true;
	FLOW_AWAIT(flow, lcowmig__hcs_start(flow, vm->env, start_options(self, vm), self->socket));
	vm->was_started = flow->result == LCOWMIG_OK;
	if (vm->was_started)
		FLOW_CHECK(flow, lcowmig__vm_advance(vm, LCOWMIG__VM_START_DESTINATION, flow->error));
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class start_destination_class = { .name = "start with migration", .step = start_destination_step };

lcowmig__flow *lcowmig__vm_start_destination_flow(lcowmig_vm *vm, void *socket, uint32_t session_number, lcowmig_error *error)
{
	return start_flow(vm, &start_destination_class, socket, session_number, error);
}

/* ---- Destination: patch ---- */

static void grant_disk(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	lcowmig__flow *flow = user;

	(void)slot;
	if (disk->type != LCOWMIG_DISK_EXTENSIBLE) /* served by a provider: there is no file to open */
		lcowmig__hcs_grant_access(flow, lcowmig__vm_of(flow)->env, disk->host_path);
}

static void patch_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = lcowmig__vm_of(flow);
	lcowmig_scsi *scsi;

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, lcowmig__object_check(&vm->object, LCOWMIG__VM_PATCH, flow->error));
	if (lcowmig__vm_scsi(vm, &scsi, flow->error) != LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_INVALID_ARGUMENT,
						"virtual machine %s was imported without SCSI controllers", vm->env->vm_id));
	FLOW_TRY(flow, lcowmig__scsi_each_disk(vm->scsi, grant_disk, flow));
	FLOW_CHECK(flow, lcowmig__vm_advance(vm, LCOWMIG__VM_PATCH, flow->error));
	FLOW_END(flow);
}

static const lcowmig__flow_class patch_class = { .name = "patch", .step = patch_step };

lcowmig__flow *lcowmig__vm_patch_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return lcowmig__vm_plain_flow(vm, &patch_class, error);
}

/* ---- Both: transfer, cancel ---- */

static void transfer_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, lcowmig__object_check(&vm->object, LCOWMIG__VM_TRANSFER, flow->error));
	FLOW_TRY(flow, lcowmig__hcs_transfer(flow, vm->env, lcowmig__hcs_transfer_options(lcowmig__vm_mem(vm), vm->origin)));
	FLOW_CHECK(flow, lcowmig__vm_advance(vm, LCOWMIG__VM_TRANSFER, flow->error));
	FLOW_END(flow);
}

static const lcowmig__flow_class transfer_class = { .name = "transfer", .step = transfer_step };

lcowmig__flow *lcowmig__vm_transfer_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return lcowmig__vm_plain_flow(vm, &transfer_class, error);
}

/* Takes no gate and waits for nobody: the transfer that it is to end may be under way. */
static void cancel_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, lcowmig__object_check(&vm->object, LCOWMIG__VM_CANCEL, flow->error));
	FLOW_TRY(flow, lcowmig__hcs_cancel_migration(flow, vm->env, lcowmig__hcs_cancel_options(lcowmig__vm_mem(vm), vm->origin)));
	lcowmig__vm_note(vm, LCOWMIG__VM_CANCEL);
	FLOW_END(flow);
}

static const lcowmig__flow_class cancel_class = { .name = "cancel", .step = cancel_step, .is_watch = true };

lcowmig__flow *lcowmig__vm_cancel_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return lcowmig__vm_plain_flow(vm, &cancel_class, error);
}
