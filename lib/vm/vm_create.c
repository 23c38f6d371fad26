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
	lcowmig_vm *vm;
	bool is_destination;
	char *id;
	char *document; /* cold: what will be kept */
	size_t size;
	lcowmig_vm_options options; /* architecture is owned */
	char *architecture;
	lcowmig__hcs_facts facts;
	bool has_migration; /* else the platform's defaults */
	lcowmig__migration_options migration;
	char *runtime_id;
	lcowmig_status failure;
	lcowmig_error why;
};

static void vm_create_release(lcowmig__flow *flow)
{
	struct vm_create *self = (struct vm_create *)flow;
	const lcowmig__mem *mem = lcowmig__vm_mem(self->vm);

	lcowmig__free(mem, self->id);
	lcowmig__free(mem, self->document);
	lcowmig__free(mem, self->architecture);
	lcowmig__free(mem, self->runtime_id);
	lcowmig__hcs_facts_done(mem, &self->facts);
}

/* ---- The stamped copy ---- */

struct disk_list {
	lcowmig__hcs_attachment *items;
	size_t count;
	size_t room;
};

static void count_disk(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	(void)slot;
	(void)disk;
	((struct disk_list *)user)->room++;
}

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
	struct disk_list list = { 0 };
	lcowmig_status status;

	if (!vm->scsi)
		return LCOWMIG_OK; /* the document itself tells its disks */
	if (controllers < lcowmig__scsi_controllers(vm->scsi))
		controllers = lcowmig__scsi_controllers(vm->scsi);
	if (!controllers)
		return LCOWMIG_OK;
	lcowmig__scsi_each_disk(vm->scsi, count_disk, &list);
	list.items = lcowmig__alloc_array(mem, list.room + 1, sizeof *list.items);
	if (!list.items)
		return lcowmig__fail_memory(error);
	lcowmig__scsi_each_disk(vm->scsi, list_disk, &list);
	status = lcowmig__hcs_document_set_disks(mem, vm->document, vm->document_size, controllers, list.items, list.count, ret_text,
						 ret_size, error);
	lcowmig__free(mem, list.items);
	return status;
}

static lcowmig_status stamp_document(lcowmig_vm *vm, const lcowmig__migration_options *migration, char **ret_text, lcowmig_error *error)
{
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	char *with_disks = NULL;
	char *options;
	size_t size = vm->document_size;
	lcowmig_status status = stamp_disks(vm, &with_disks, &size, error);

	if (status != LCOWMIG_OK)
		return status;
	options = lcowmig__hcs_initialize_options(mem, LCOWMIG__ORIGIN_DESTINATION, migration, vm->compat, vm->compat_size);
	status = options ? lcowmig__hcs_document_set_migration(mem, with_disks ? with_disks : vm->document, size, options, ret_text, &size,
							       error)
			 : lcowmig__fail_memory(error);
	lcowmig__free(mem, options);
	lcowmig__free(mem, with_disks);
	return status;
}

/* ---- The handle of a machine that did not come to life ---- */

struct vm_close_handle {
	lcowmig__flow flow;
	lcowmig_vm *vm;
};

static void vm_close_handle_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = ((struct vm_close_handle *)flow)->vm;

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true);
	FLOW_TRY(flow, lcowmig__hcs_close(flow, vm->env));
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_close_handle_class = { "close", vm_close_handle_step, NULL, false };

lcowmig__flow *lcowmig__vm_close_handle_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	struct vm_close_handle *self = lcowmig__vm_flow(vm, sizeof *self, &vm_close_handle_class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	return &self->flow;
}

/* ---- Creating ---- */

/* Everything that can be refused before HCS is asked; gives the document for HCS. */
static lcowmig_status vm_create_prepare(struct vm_create *self, char **ret_text, lcowmig_error *error)
{
	lcowmig_vm *vm = self->vm;
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	lcowmig_status status =
		lcowmig__object_check(&vm->object, self->is_destination ? LCOWMIG__VM_CREATE_DESTINATION : LCOWMIG__VM_CREATE, error);

	if (status == LCOWMIG_OK && self->is_destination) {
		if (!vm->document)
			return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
					     "virtual machine (%s) was imported without an HCS document", lcowmig__vm_state_name(vm));
		status = lcowmig__migration_options_check(self->has_migration ? &self->migration : NULL, error);
		return status == LCOWMIG_OK ? stamp_document(vm, self->has_migration ? &self->migration : NULL, ret_text, error) : status;
	}
	if (status == LCOWMIG_OK)
		status = lcowmig__hcs_document_inspect(mem, &vm->object.context->limits, self->document, self->size, &self->facts, error);
	if (status != LCOWMIG_OK)
		return status;
	*ret_text = lcowmig__strndup(mem, self->document, self->size);
	return *ret_text ? LCOWMIG_OK : lcowmig__fail_memory(error);
}

static void vm_create_start(struct vm_create *self)
{
	lcowmig__flow *flow = &self->flow;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	char *text = NULL;
	lcowmig_status status = vm_create_prepare(self, &text, &error);

	if (status != LCOWMIG_OK) {
		lcowmig__flow_await_failed(flow, status, &error);
		return;
	}
	self->vm->has_exited = false;
	lcowmig__signal_reset(&self->vm->exited);
	lcowmig__hcs_create(flow, self->vm->env, self->id, text);
}

/* The host may have no answer to give: then the guest's listeners have to do without the runtime id. */
static lcowmig_status vm_create_read_id(struct vm_create *self, lcowmig_error *error)
{
	lcowmig__flow *flow = &self->flow;
	lcowmig_context *context = self->vm->object.context;
	char text[LCOWMIG_GUID_TEXT_SIZE] = "";
	lcowmig_status status = LCOWMIG_OK;

	if (flow->result == LCOWMIG_OK)
		status = lcowmig__hcs_parse_runtime_id(&context->limits, flow->rest->reply.data, text, error);
	else if (flow->result != LCOWMIG_E_NOT_SUPPORTED) {
		lcowmig__error_copy(error, flow->error);
		status = flow->result;
	}
	if (status != LCOWMIG_OK)
		return status;
	self->runtime_id = lcowmig__strdup(&context->mem, text);
	return self->runtime_id ? LCOWMIG_OK : lcowmig__fail_memory(error);
}

/* Cannot fail: swaps in what was prepared. */
static void vm_create_commit(struct vm_create *self)
{
	lcowmig_vm *vm = self->vm;
	lcowmig__env *env = vm->env;
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	char *text;

	lcowmig__free(mem, env->vm_id);
	env->vm_id = self->id;
	self->id = NULL;
	lcowmig__free(mem, env->runtime_id);
	env->runtime_id = self->runtime_id;
	self->runtime_id = NULL;
	vm->object.id = env->vm_id;
	if (self->is_destination) {
		lcowmig__object_fire(&vm->object, LCOWMIG__VM_CREATE_DESTINATION);
		return;
	}
	lcowmig__vm_set_document(vm, self->document, self->size);
	self->document = NULL;
	lcowmig__hcs_facts_done(mem, &vm->facts);
	vm->facts = self->facts;
	memset(&self->facts, 0, sizeof self->facts);
	text = vm->architecture;
	vm->architecture = self->architecture;
	self->architecture = text;
	vm->has_options = true;
	vm->no_writable_file_shares = self->options.no_writable_file_shares != 0;
	vm->enable_scratch_encryption = self->options.enable_scratch_encryption != 0;
	vm->policy_based_routing = self->options.policy_based_routing != 0;
	vm->fully_physically_backed = self->options.fully_physically_backed != 0;
	vm->confidential = self->options.confidential != 0;
	lcowmig__object_fire(&vm->object, LCOWMIG__VM_CREATE);
}

static lcowmig_status vm_create_conclude(struct vm_create *self, lcowmig_error *error)
{
	lcowmig_status status = vm_create_read_id(self, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__vm_recheck(self->vm, self->is_destination ? LCOWMIG__VM_CREATE_DESTINATION : LCOWMIG__VM_CREATE, error);
	if (status == LCOWMIG_OK && self->vm->has_exited)
		status = lcowmig__fail(error, LCOWMIG_E_UNAVAILABLE, "virtual machine %s ended while it was created", self->id);
	return status;
}

static void vm_create_step(lcowmig__flow *flow)
{
	struct vm_create *self = (struct vm_create *)flow;
	lcowmig_vm *vm = self->vm;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &vm->gate));
	FLOW_AWAIT(flow, vm_create_start(self));
	if (flow->result != LCOWMIG_OK) {
		lcowmig__gate_leave(flow, &vm->gate);
		FLOW_RETURN(flow, flow->result);
	}
	vm->env->system = lcowmig__flow_take_handle(flow);
	if (!vm->env->system) {
		lcowmig__gate_leave(flow, &vm->gate);
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_HOST_FAILED, "HCS create of %s brought no handle", self->id));
	}
	vm->is_creating = true;
	FLOW_AWAIT(flow, lcowmig__hcs_properties(flow, vm->env, lcowmig__strdup(lcowmig__vm_mem(vm), LCOWMIG__HCS_QUERY_BASIC)));
	self->failure = vm_create_conclude(self, &self->why);
	if (self->failure == LCOWMIG_OK) {
		vm_create_commit(self);
	} else {
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_close_handle_flow(vm, NULL)));
		if (vm->env->system && vm->object.state != LCOWMIG__VM_TERMINATED)
			lcowmig__object_fire(&vm->object, LCOWMIG__VM_CLOSE_FAILED);
	}
	vm->is_creating = false;
	lcowmig__gate_leave(flow, &vm->gate);
	lcowmig__vm_finish(flow, self->failure, &self->why);
	return;
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_create_class = { "create", vm_create_step, vm_create_release, false };

static struct vm_create *vm_create_new(lcowmig_vm *vm, const char *id, lcowmig_error *error)
{
	struct vm_create *self = lcowmig__vm_flow(vm, sizeof *self, &vm_create_class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	lcowmig__error_init(&self->why);
	self->id = lcowmig__strdup(lcowmig__vm_mem(vm), id);
	return self;
}

lcowmig__flow *lcowmig__vm_create_flow(lcowmig_vm *vm, const char *id, const char *document, size_t size, const lcowmig_vm_options *options,
				       lcowmig_error *error)
{
	struct vm_create *self = vm_create_new(vm, id, error);

	if (!self)
		return NULL;
	self->options = *options;
	self->architecture = lcowmig__strdup(lcowmig__vm_mem(vm), options->architecture ? options->architecture : "");
	self->document = lcowmig__strndup(lcowmig__vm_mem(vm), document, size);
	self->size = size;
	if (self->id && self->architecture && self->document)
		return &self->flow;
	lcowmig__flow_discard(&self->flow);
	lcowmig__fail_memory(error);
	return NULL;
}

lcowmig__flow *lcowmig__vm_create_destination_flow(lcowmig_vm *vm, const char *id, const lcowmig__migration_options *options,
						   lcowmig_error *error)
{
	struct vm_create *self = vm_create_new(vm, id, error);

	if (!self)
		return NULL;
	self->is_destination = true;
	self->has_migration = options != NULL;
	if (options)
		self->migration = *options;
	if (self->id)
		return &self->flow;
	lcowmig__flow_discard(&self->flow);
	lcowmig__fail_memory(error);
	return NULL;
}
