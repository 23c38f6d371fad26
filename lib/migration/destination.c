/* The destination before the transfer: patching what was imported, and creating the machine that receives. */
#include <stdio.h>

#include "engine/abi.h"
#include "migration.h"

struct patch {
	lcowmig__session_flow base;
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

static void patch_start(struct patch *self)
{
	lcowmig__flow *child = self->child;

	self->child = NULL;
	lcowmig__flow_child(&self->base.flow, child);
}

static void patch_step(lcowmig__flow *flow)
{
	struct patch *self = (struct patch *)flow;
	lcowmig_migration *m = self->base.m;

	FLOW_BEGIN(flow);
	if (m->n_pending == m->imported.count && m->patches == 1)
		lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_PATCH, NULL);
	FLOW_TRY(flow, patch_start(self)); /* a cancel or an abandon would have interrupted it */
	patch_done(m, self->imported);
	FLOW_END(flow);
}

static void patch_release(lcowmig__flow *flow)
{
	struct patch *self = (struct patch *)flow;

	lcowmig__flow_discard(self->child);
	self->base.m->patches--;
	lcowmig__session_update_quiet(self->base.m);
}

static const lcowmig__flow_class patch_class = { .name = "patch", .step = patch_step, .release = patch_release };

static lcowmig_status patch_begin(lcowmig_migration *m, const lcowmig_patch *patch, lcowmig__flow **ret_flow, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__session_check_patch(m, error);
	lcowmig__imported *imported;
	lcowmig_patch current = *patch;
	struct patch *self;

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
	self = lcowmig__session_flow_new(m, sizeof *self, &patch_class, true, error);
	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->imported = imported;
	m->patches++; /* until the release */
	lcowmig__session_update_quiet(m);
	self->child = lcowmig__sandbox_patch_flow(m->sandbox, &current, error);
	*ret_flow = lcowmig__flow_made(&self->base.flow, self->child != NULL, error);
	return *ret_flow ? LCOWMIG_OK : LCOWMIG_E_NO_MEMORY;
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
	lcowmig__session_flow base;
	const lcowmig__migration_options *options;
	lcowmig__migration_options own;
};

static void prepare_destination_step(lcowmig__flow *flow)
{
	struct prepare_destination *self = (struct prepare_destination *)flow;
	lcowmig_migration *m = self->base.m;
	lcowmig_vm *vm = m->sandbox->vm;

	FLOW_BEGIN(flow);
	lcowmig__timeline_begin(&m->timeline, LCOWMIG__SPAN_PREPARE, NULL);
	/* An earlier attempt that ran out of memory, or was cancelled, may have got that far. */
	if (lcowmig__vm_get_state(vm) != LCOWMIG__VM_DESTINATION_CREATED)
		FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__vm_create_destination_flow(vm, self->options, NULL)));
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_patch_flow(vm, NULL)));
	if (flow->result != LCOWMIG_OK && flow->result != LCOWMIG_E_NO_MEMORY && flow->result != LCOWMIG_E_CANCELLED)
		lcowmig__session_fail(m, flow->result, flow->error);
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, flow->result);
	lcowmig__object_fire(&m->object, LCOWMIG__MIGRATION_PREPARE_DESTINATION);
	FLOW_END(flow);
}

static const lcowmig__flow_class prepare_destination_class = {
	.name = "prepare destination",
	.step = prepare_destination_step,
	.release = lcowmig__session_flow_release,
};

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

static lcowmig_status unpatched_judge(const lcowmig_migration *m, const struct unpatched *unpatched, const char *what, lcowmig_error *error)
{
	if (!unpatched->count)
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "migration session %s: %zu %s: %s", m->object.id, unpatched->count, what,
			     unpatched->list);
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
	return unpatched_judge(m, &unpatched, "containers are not patched yet", error);
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
	struct unpatched unpatched = { "", 0, 0 };
	lcowmig_status status;
	lcowmig_scsi *scsi;

	if (flags & LCOWMIG_PREPARE_PATHS_SHARED)
		return LCOWMIG_OK;
	status = lcowmig__vm_scsi(m->sandbox->vm, &scsi, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__scsi_each_unpatched(scsi, unpatched_visit, &unpatched);
	return unpatched_judge(m, &unpatched, "disks still have the source's path, patch them or say that paths are shared", error);
}

static lcowmig_status prepare_destination_begin(lcowmig_migration *m, const char *session_id, const lcowmig_migration_options *options,
						uint32_t flags, lcowmig__flow **ret_flow, lcowmig_error *error)
{
	struct prepare_destination *self;
	lcowmig_status status = lcowmig__session_check_call(m, session_id, LCOWMIG__MIGRATION_PREPARE_DESTINATION, error);

	if (status == LCOWMIG_OK)
		status = prepare_check_pending(m, error);
	if (status == LCOWMIG_OK)
		status = prepare_check_disks(m, flags, error);
	if (status != LCOWMIG_OK)
		return status;
	self = lcowmig__session_flow_new(m, sizeof *self, &prepare_destination_class, true, error);
	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	status = lcowmig__migration_convert_options(options, &self->own, &self->options, error);
	if (status != LCOWMIG_OK) {
		lcowmig__flow_discard(&self->base.flow);
		return status;
	}
	self->base.span = LCOWMIG__SPAN_PREPARE;
	lcowmig__session_begin_work(m, &self->base.flow);
	*ret_flow = &self->base.flow;
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
	status = prepare_destination_begin(m, session_id, options, flags, &flow, error);
	return lcowmig__leave_with(m->object.context, &pump, status, flow, done, user, error);
}
