/*
 * Creating the compute system: from the host's document, or on the destination from the imported one.
 *
 *     cold         HCS create (document)            -> query RuntimeId -> Created
 *     destination  HCS create (stamped copy)        -> query RuntimeId -> DestinationMigrationCreated
 *
 * The stamped copy has the migration options with the source's compatibility data, and the disks as they are patched. The document that is
 * kept has neither.
 */
#include "private.h"

struct vm_create {
	lcowmig__flow flow;
	int trigger;
	/* What becomes the machine's. */
	char *id;
	char *runtime_id;
	lcowmig__vm_config config; /* cold only */
	const lcowmig__migration_options *migration; /* destination only */
};

static void vm_create_release(lcowmig__flow *flow)
{
	struct vm_create *self = (struct vm_create *)flow;
	const lcowmig__mem *mem = &flow->context->mem;

	lcowmig__free(mem, self->id);
	lcowmig__free(mem, self->runtime_id);
	lcowmig__vm_config_done(mem, &self->config);
}

/* ---- The stamped copy ---- */

struct disk_list {
	lcowmig__hcs_attachment *items; /* room for every slot */
	size_t count;
};

static const char *disk_type_text(uint32_t type)
{
	switch (type) {
	case LCOWMIG_DISK_PASS_THROUGH:
		return LCOWMIG__DISK_PASS_THRU;
	case LCOWMIG_DISK_EXTENSIBLE:
		return LCOWMIG__DISK_EXTENSIBLE;
	default:
		return LCOWMIG__DISK_VIRTUAL;
	}
}

static void list_disk(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	struct disk_list *list = user;
	lcowmig__hcs_attachment *item = &list->items[list->count++];

	item->controller = slot / LCOWMIG_SCSI_LUNS;
	item->lun = slot % LCOWMIG_SCSI_LUNS;
	item->path = disk->host_path;
	item->type = disk_type_text(disk->type);
	item->read_only = disk->read_only != 0;
	item->evd_type = disk->evd_type;
}

/* The document with the machine's present disks on all its controllers; NULL in `ret_text` when the machine has no SCSI at all. */
static lcowmig_status stamp_disks(lcowmig_vm *vm, char **ret_text, size_t *ret_size, lcowmig_error *error)
{
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	uint32_t controllers = lcowmig__vm_document_controllers(vm);
	struct disk_list list = { NULL, 0 };
	lcowmig_status status;

	if (!vm->scsi)
		return LCOWMIG_OK; /* the document itself tells its disks */
	if (controllers < lcowmig__scsi_controllers(vm->scsi))
		controllers = lcowmig__scsi_controllers(vm->scsi);
	if (!controllers)
		return LCOWMIG_OK;
	list.items = lcowmig__alloc_array(mem, controllers * LCOWMIG_SCSI_LUNS, sizeof *list.items);
	if (!list.items)
		return lcowmig__fail_memory(error);
	lcowmig__scsi_each_disk(vm->scsi, list_disk, &list);
	status = lcowmig__hcs_document_set_disks(mem, vm->config.document, vm->config.document_size, controllers, list.items, list.count,
						 ret_text, ret_size, error);
	lcowmig__free(mem, list.items);
	return status;
}

static lcowmig_status stamp_document(lcowmig_vm *vm, const lcowmig__migration_options *migration, char **ret_text, lcowmig_error *error)
{
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	char *with_disks = NULL;
	char *options;
	size_t size = vm->config.document_size;
	lcowmig_status status = stamp_disks(vm, &with_disks, &size, error);

	if (status != LCOWMIG_OK)
		return status;
	options = lcowmig__hcs_initialize_options(mem, LCOWMIG__ORIGIN_DESTINATION, migration, vm->compat, vm->compat_size);
	status = options ? lcowmig__hcs_document_set_migration(mem, with_disks ? with_disks : vm->config.document, size, options, ret_text,
							       &size, error)
			 : lcowmig__fail_memory(error);
	lcowmig__free(mem, options);
	lcowmig__free(mem, with_disks);
	return status;
}

/* ---- The handle of a machine that did not come to life ---- */

static void vm_close_handle_step(lcowmig__flow *flow)
{
	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true);
	FLOW_TRY(flow, lcowmig__hcs_close(flow, lcowmig__vm_of(flow)->env));
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_close_handle_class = { .name = "close", .step = vm_close_handle_step };

lcowmig__flow *lcowmig__vm_close_handle_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return lcowmig__vm_plain_flow(vm, &vm_close_handle_class, error);
}

/* ---- Creating ---- */

/* Everything that can be refused before HCS is asked; gives the document for HCS. */
static lcowmig_status vm_create_prepare(struct vm_create *self, char **ret_text, lcowmig_error *error)
{
	lcowmig_vm *vm = lcowmig__vm_of(&self->flow);
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	lcowmig__vm_config *config = &self->config;
	lcowmig_status status = lcowmig__object_check(&vm->object, self->trigger, error);

	if (status != LCOWMIG_OK)
		return status;
	if (self->trigger == LCOWMIG__VM_CREATE_DESTINATION) {
		if (!vm->config.document)
			return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
					     "virtual machine (%s) was imported without an HCS document", lcowmig__vm_state_name(vm));
		return stamp_document(vm, self->migration, ret_text, error);
	}
	status = lcowmig__hcs_document_inspect(mem, &vm->object.context->limits, config->document, config->document_size, &config->facts,
					       error);
	if (status != LCOWMIG_OK)
		return status;
	*ret_text = lcowmig__strndup(mem, config->document, config->document_size);
	return *ret_text ? LCOWMIG_OK : lcowmig__fail_memory(error);
}

static void vm_create_start(struct vm_create *self)
{
	lcowmig__flow *flow = &self->flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	char *text = NULL;
	lcowmig_status status = vm_create_prepare(self, &text, &error);

	if (status != LCOWMIG_OK) {
		lcowmig__flow_await_failed(flow, status, &error);
		return;
	}
	vm->has_exited = false;
	lcowmig__signal_reset(&vm->exited);
	lcowmig__hcs_create(flow, vm->env, self->id, text);
}

/* Cannot fail: hands over what was prepared. A machine is created once, so there is nothing in the way. */
static void vm_create_commit(struct vm_create *self)
{
	lcowmig_vm *vm = lcowmig__vm_of(&self->flow);

	vm->env->vm_id = self->id;
	vm->env->runtime_id = self->runtime_id;
	vm->object.id = self->id;
	self->id = NULL;
	self->runtime_id = NULL;
	if (self->trigger == LCOWMIG__VM_CREATE) {
		vm->config = self->config;
		memset(&self->config, 0, sizeof self->config);
	}
	lcowmig__object_fire(&vm->object, self->trigger);
}

/* The host may have no answer to give: then the guest's listeners have to do without the runtime id. */
static lcowmig_status vm_create_conclude(struct vm_create *self, lcowmig_error *error)
{
	lcowmig__flow *flow = &self->flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);
	char text[LCOWMIG_GUID_TEXT_SIZE] = "";
	lcowmig_status status = flow->result;

	if (status == LCOWMIG_OK)
		status = lcowmig__hcs_parse_runtime_id(&flow->context->limits, flow->rest->reply.data, text, error);
	if (status != LCOWMIG_OK && flow->result != LCOWMIG_E_NOT_SUPPORTED)
		return status;
	self->runtime_id = lcowmig__strdup(&flow->context->mem, text);
	if (!self->runtime_id)
		return lcowmig__fail_memory(error);
	status = lcowmig__vm_recheck(vm, self->trigger, error);
	if (status == LCOWMIG_OK && vm->has_exited)
		status = lcowmig__fail(error, LCOWMIG_E_UNAVAILABLE, "virtual machine %s ended while it was created", self->id);
	return status;
}

static void vm_create_step(lcowmig__flow *flow)
{
	struct vm_create *self = (struct vm_create *)flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &vm->gate));
	FLOW_TRY(flow, vm_create_start(self));
	vm->env->system = lcowmig__flow_take_handle(flow);
	if (!vm->env->system)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_HOST_FAILED, "HCS create of %s brought no handle", self->id));
	vm->is_creating = true;
	FLOW_AWAIT(flow, lcowmig__vm_query(flow, LCOWMIG__HCS_QUERY_BASIC));
	flow->failure = vm_create_conclude(self, flow->error);
	if (flow->failure == LCOWMIG_OK) {
		vm_create_commit(self);
	} else {
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_close_handle_flow(vm, NULL)));
		if (vm->env->system && vm->object.state != LCOWMIG__VM_TERMINATED)
			lcowmig__object_fire(&vm->object, LCOWMIG__VM_CLOSE_FAILED);
	}
	vm->is_creating = false;
	FLOW_RETURN(flow, flow->failure);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_create_class = { .name = "create", .step = vm_create_step, .release = vm_create_release };

/* The machine is called after its sandbox. */
static struct vm_create *vm_create_new(lcowmig_vm *vm, int trigger, lcowmig_error *error)
{
	struct vm_create *self = lcowmig__vm_flow(vm, sizeof *self, &vm_create_class, error);
	lcowmig__buf id;

	if (!self)
		return NULL;
	self->trigger = trigger;
	lcowmig__buf_init(&id, lcowmig__vm_mem(vm));
	lcowmig__buf_printf(&id, "%s@vm", vm->owner.sandbox_id(vm->owner.user));
	self->id = lcowmig__buf_take(&id);
	return self;
}

lcowmig__flow *lcowmig__vm_create_flow(lcowmig_vm *vm, const char *document, size_t size, const lcowmig_vm_options *options,
				       lcowmig_error *error)
{
	struct vm_create *self = vm_create_new(vm, LCOWMIG__VM_CREATE, error);
	lcowmig__vm_config *config;

	if (!self)
		return NULL;
	config = &self->config;
	config->document = lcowmig__strndup(lcowmig__vm_mem(vm), document, size);
	config->document_size = size;
	config->architecture = lcowmig__strdup(lcowmig__vm_mem(vm), options->architecture ? options->architecture : "");
	config->has_options = true;
	config->no_writable_file_shares = options->no_writable_file_shares != 0;
	config->enable_scratch_encryption = options->enable_scratch_encryption != 0;
	config->policy_based_routing = options->policy_based_routing != 0;
	config->fully_physically_backed = options->fully_physically_backed != 0;
	config->confidential = options->confidential != 0;
	return lcowmig__flow_made(&self->flow, self->id && config->document && config->architecture, error);
}

lcowmig__flow *lcowmig__vm_create_destination_flow(lcowmig_vm *vm, const lcowmig__migration_options *options, lcowmig_error *error)
{
	struct vm_create *self = vm_create_new(vm, LCOWMIG__VM_CREATE_DESTINATION, error);

	if (!self)
		return NULL;
	self->migration = options;
	return lcowmig__flow_made(&self->flow, self->id != NULL, error);
}
