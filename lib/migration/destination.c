/* The destination before the transfer: patching what was imported, and creating the machine that receives. */
#include <stdio.h>
#include <string.h>

#include "engine/abi.h"
#include "migration.h"

struct patch {
	lcowmig__flow flow;
	lcowmig_migration *m;
	lcowmig__imported *imported; /* lives as long as the session */
	lcowmig__flow *child;        /* NULL once started */
};

static void patch_done(lcowmig_migration *m, lcowmig__imported *imported)
{
	size_t total = m->imported.count;

	if (!imported->is_patched)
		m->n_pending--;
	imported->is_patched = true;
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_PATCH);
	lcowmig__session_step(m, LCOWMIG_STEP_PATCHED, total - m->n_pending, total, NULL);
	if (m->n_pending == 0)
		lcowmig__timeline_end(&m->timeline, LCOWMIG__SPAN_PATCH);
}

static lcowmig__flow *patch_take_child(struct patch *self)
{
	lcowmig__flow *child = self->child;

	self->child = NULL;
	return child;
}

static void patch_step(lcowmig__flow *flow)
{
	struct patch *self = (struct patch *)flow;

	FLOW_BEGIN(flow);
	if (self->m->n_pending == self->m->imported.count && self->m->patches == 1)
		lcowmig__timeline_begin(&self->m->timeline, LCOWMIG__SPAN_PATCH, NULL);
	FLOW_TRY(flow, lcowmig__flow_child(flow, patch_take_child(self))); /* a cancel or an abandon would have interrupted it */
	patch_done(self->m, self->imported);
	FLOW_END(flow);
}

static void patch_release(lcowmig__flow *flow)
{
	struct patch *self = (struct patch *)flow;

	lcowmig__flow_discard(self->child);
	lcowmig__session_end_patch(self->m);
}

static const lcowmig__flow_class patch_class = { "patch", patch_step, patch_release, false };

static lcowmig_status patch_begin(lcowmig_migration *m, const lcowmig_patch *patch, lcowmig__flow **ret_flow, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&m->object, LCOWMIG__MIGRATION_PATCH, error);
	lcowmig__imported *imported;
	lcowmig_patch current = *patch;
	struct patch *self;

	if (status == LCOWMIG_OK && m->abandon)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "migration session %s is being abandoned", m->object.id);
	if (status == LCOWMIG_OK && m->work)
		status = lcowmig__session_check_quiet(m, error);
	if (status == LCOWMIG_OK && lcowmig__vm_get_state(m->sandbox->vm) != LCOWMIG__VM_DESTINATION_IMPORTED)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "patch: the virtual machine is %s, its disks are settled",
				       lcowmig__vm_state_name(m->sandbox->vm));
	if (status != LCOWMIG_OK)
		return status;
	imported = LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&m->imported, patch->source_container_id), lcowmig__imported, node);
	if (!imported)
		return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND,
				     "patch: container %s is not pending, migration session %s imported none of that id",
				     patch->source_container_id, m->object.id);
	if (imported->is_patched)
		current.source_container_id = lcowmig__container_id(imported->container);
	self = lcowmig__flow_new(sizeof *self, &patch_class, m->object.context, &m->object, error);
	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->m = m;
	self->imported = imported;
	lcowmig__session_begin_patch(m);
	self->child = lcowmig__sandbox_patch_flow(m->sandbox, &current, error);
	if (!self->child) {
		lcowmig__flow_discard(&self->flow);
		return LCOWMIG_E_NO_MEMORY;
	}
	*ret_flow = &self->flow;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_migration_patch(lcowmig_migration *m, const lcowmig_patch *patch, lcowmig_done_fn done, void *user,
				       lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;
	lcowmig_patch own;

	if (!m || !patch)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "patch: migration and patch are required");
	status = LCOWMIG__COPY_SIZED("lcowmig_patch", &own, patch, reserved, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__session_check_id(m, "patch: source container id", own.source_container_id, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__session_check_id(m, "patch: container id", own.container_id, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__enter(m->object.context, &pump);
	status = patch_begin(m, &own, &flow, error);
	return lcowmig__leave_with(m->object.context, &pump, status, flow, done, user, error);
}

struct prepare_destination {
	lcowmig__flow flow;
	lcowmig_migration *m;
	uint64_t generation;
	bool has_options;
	lcowmig__migration_options options;
	char *vm_id;
};

static void prepare_create(struct prepare_destination *self)
{
	lcowmig__flow *flow = &self->flow;

	lcowmig__flow_child(flow, lcowmig__vm_create_destination_flow(self->m->sandbox->vm, self->vm_id,
								      self->has_options ? &self->options : NULL, flow->error));
}

static void prepare_destination_step(lcowmig__flow *flow)
{
	struct prepare_destination *self = (struct prepare_destination *)flow;
	lcowmig_migration *m = self->m;

	FLOW_BEGIN(flow);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_PREPARE, NULL);
	/* An earlier attempt that ran out of memory, or was cancelled, may have got that far. */
	if (lcowmig__vm_get_state(m->sandbox->vm) != LCOWMIG__VM_DESTINATION_CREATED)
		FLOW_TRY(flow, prepare_create(self));
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_patch_flow(m->sandbox->vm, flow->error)));
	if (flow->result != LCOWMIG_OK && flow->result != LCOWMIG_E_NO_MEMORY && flow->result != LCOWMIG_E_CANCELLED)
		lcowmig__session_fail(m, flow->result, flow->error);
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, flow->result);
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_PREPARE_DESTINATION);
	FLOW_END(flow);
}

static void prepare_destination_release(lcowmig__flow *flow)
{
	struct prepare_destination *self = (struct prepare_destination *)flow;

	lcowmig__session_end_work(self->m, flow);
	if (!lcowmig__session_is_stale(self->m, self->generation))
		lcowmig__timeline_end(&self->m->timeline, LCOWMIG__SPAN_PREPARE);
	lcowmig__free(&flow->context->mem, self->vm_id);
}

static const lcowmig__flow_class prepare_destination_class = { "prepare destination", prepare_destination_step, prepare_destination_release,
							       false };

/* What nobody has patched, as far as there is room for names. */
struct unpatched {
	char list[LCOWMIG_ERROR_MESSAGE_SIZE];
	size_t used;
	size_t count;
};

static void unpatched_add(struct unpatched *unpatched, const char *name, const char *more)
{
	unpatched->count++;
	if (unpatched->used < sizeof unpatched->list)
		unpatched->used += (size_t)snprintf(unpatched->list + unpatched->used, sizeof unpatched->list - unpatched->used, "%s%s%s",
						    unpatched->used ? ", " : "", name, more);
}

/* Names the containers in the order of their ids. */
static lcowmig_status prepare_check_pending(const lcowmig_migration *m, lcowmig_error *error)
{
	struct unpatched unpatched = { "", 0, 0 };
	lcowmig__node *node;

	for (node = lcowmig__tree_first(&m->imported); node; node = lcowmig__tree_next(node)) {
		const lcowmig__imported *imported = LCOWMIG__TREE_ENTRY(node, lcowmig__imported, node);

		if (!imported->is_patched)
			unpatched_add(&unpatched, imported->source_id, "");
	}
	if (!unpatched.count)
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "migration session %s: %zu containers are not patched yet: %s",
			     m->object.id, unpatched.count, unpatched.list);
}

static void unpatched_visit(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	char more[32];

	snprintf(more, sizeof more, " (slot %lu)", (unsigned long)slot);
	unpatched_add(user, disk->host_path, more);
}

/* A disk that still has the source's path is either shared, and the host says so, or forgotten. */
static lcowmig_status prepare_check_disks(const lcowmig_migration *m, uint32_t flags, lcowmig_error *error)
{
	const lcowmig__container_vm *vm = lcowmig__vm_for_containers(m->sandbox->vm);
	struct unpatched unpatched = { "", 0, 0 };
	lcowmig_status status;
	lcowmig_scsi *scsi;

	if (flags & LCOWMIG_PREPARE_PATHS_SHARED)
		return LCOWMIG_OK;
	status = vm->scsi(vm->user, &scsi, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__scsi_each_unpatched(scsi, unpatched_visit, &unpatched);
	if (!unpatched.count)
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
			     "migration session %s: %zu disks still have the source's path, patch them or say that paths are shared: %s",
			     m->object.id, unpatched.count, unpatched.list);
}

static lcowmig_status prepare_destination_check(const lcowmig_migration *m, const char *session_id, uint32_t flags, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__session_check(m, session_id, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__object_check(&m->object, LCOWMIG__MIGRATION_PREPARE_DESTINATION, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__session_check_quiet(m, error);
	if (status == LCOWMIG_OK)
		status = prepare_check_pending(m, error);
	return status == LCOWMIG_OK ? prepare_check_disks(m, flags, error) : status;
}

static lcowmig_status prepare_destination_begin(lcowmig_migration *m, const lcowmig_migration_options *options, lcowmig__flow **ret_flow,
						lcowmig_error *error)
{
	struct prepare_destination *self =
		lcowmig__flow_new(sizeof *self, &prepare_destination_class, m->object.context, &m->object, error);
	size_t size = strlen(m->sandbox->id) + sizeof "@vm";
	lcowmig_status status;

	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->m = m;
	self->generation = m->generation;
	status = lcowmig__migration_convert_options(options, &self->has_options, &self->options, error);
	self->vm_id = lcowmig__alloc(&m->object.context->mem, size);
	if (status == LCOWMIG_OK && !self->vm_id)
		status = lcowmig__fail_memory(error);
	if (status != LCOWMIG_OK) {
		lcowmig__flow_discard(&self->flow);
		return status;
	}
	snprintf(self->vm_id, size, "%s@vm", m->sandbox->id);
	lcowmig__session_begin_work(m, &self->flow);
	*ret_flow = &self->flow;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_migration_prepare_destination(lcowmig_migration *m, const char *session_id, const lcowmig_migration_options *options,
						     uint32_t flags, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;

	if (!m || flags & ~LCOWMIG_PREPARE_PATHS_SHARED)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "prepare destination: migration is NULL or flags are unknown");
	lcowmig__enter(m->object.context, &pump);
	status = prepare_destination_check(m, session_id, flags, error);
	if (status == LCOWMIG_OK)
		status = prepare_destination_begin(m, options, &flow, error);
	return lcowmig__leave_with(m->object.context, &pump, status, flow, done, user, error);
}
