/*
 * Patch: an imported container gets its disks, its stdio and its name on this host, or stays exactly as it was.
 *
 *     paths made canonical -> stdio opened, kept aside -> disks repointed -> pod and index re-keyed (commit) -> everything adopted
 *
 * From the repointing on nothing waits. It comes before the commit because it may refuse; should the commit refuse, the disks go back.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "container_private.h"

struct container_patch {
	lcowmig__container_flow base;
	char *id; /* the new one; in exchange for the container's */
	lcowmig_event *exit_event;
	lcowmig_rootfs_mount *rootfs;
	size_t n_rootfs;
	lcowmig_disk_patch *disks;
	size_t n_disks;

	lcowmig__repoint *items;
	size_t n_items;
	size_t next;
	lcowmig_scsi *scsi;
	lcowmig__oci_layers layers;
	lcowmig__container_commit commit;
	void *user;
	lcowmig_process_options stdio;
};

/* ---- Which disks get which paths ---- */

static lcowmig__repoint *patch_add(struct container_patch *self, const lcowmig_guid *reservation, const char *path)
{
	lcowmig__repoint *item = &self->items[self->n_items++];

	item->reservation = reservation;
	item->host_path = path;
	return item;
}

static void patch_add_layer(struct container_patch *self, const lcowmig__layer *layer, const char *path, bool read_only, uint64_t partition)
{
	lcowmig__repoint *item = patch_add(self, &layer->reservation, path);

	item->check = true;
	item->read_only = read_only;
	item->partition = partition;
}

static lcowmig_status patch_plan_layers(struct container_patch *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;
	const lcowmig__oci_layers *layers = &self->layers;
	lcowmig_status status;
	size_t i;

	if (!self->n_rootfs || !container->has_layers)
		return LCOWMIG_OK;
	status = lcowmig__oci_layers_read(&self->base.flow.rest->arena, &container->env->context->limits, self->rootfs, self->n_rootfs,
					  NULL, &self->layers, error);
	if (status != LCOWMIG_OK)
		return status;
	if (layers->count != container->n_ro_layers)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "container %s was saved with %zu read-only layers, the patch has %zu", container->id,
				     container->n_ro_layers, layers->count);
	if (container->has_scratch && !layers->scratch[0])
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "container %s was saved with a scratch disk, the patch names none",
				     container->id);
	for (i = 0; i < layers->count; i++)
		patch_add_layer(self, &container->ro_layers[i], layers->layers[i].path, true, layers->layers[i].partition);
	if (container->has_scratch)
		patch_add_layer(self, &container->scratch, layers->scratch, false, 0);
	return LCOWMIG_OK;
}

struct patch_disk {
	const char *source_path;
	const lcowmig_guid *reservation;
};

static int patch_disk_compare(const void *a, const void *b)
{
	return strcmp(((const struct patch_disk *)a)->source_path, ((const struct patch_disk *)b)->source_path);
}

/* The container's further disks, sorted by what the source calls them. */
static struct patch_disk *patch_known_disks(struct container_patch *self, size_t *ret_count)
{
	const lcowmig__guids *disks = &self->base.container->disks;
	struct patch_disk *known = lcowmig__flow_alloc(&self->base.flow, (disks->count + 1) * sizeof *known);
	size_t count = 0;
	size_t i;

	if (!known)
		return NULL;
	for (i = disks->first; i < disks->count; i++) {
		known[count].reservation = &disks->items[i];
		known[count].source_path = lcowmig__scsi_imported_path(self->scsi, &disks->items[i]);
		count += known[count].source_path != NULL;
	}
	qsort(known, count, sizeof *known, patch_disk_compare);
	*ret_count = count;
	return known;
}

static lcowmig_status patch_plan_disks(struct container_patch *self, lcowmig_error *error)
{
	size_t count;
	struct patch_disk *known = patch_known_disks(self, &count);
	size_t i;

	if (!known)
		return lcowmig__fail_memory(error);
	for (i = 0; i < self->n_disks; i++) {
		const struct patch_disk key = { self->disks[i].source_path, NULL };
		const struct patch_disk *found = bsearch(&key, known, count, sizeof *known, patch_disk_compare);

		if (!found)
			return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "container %s has no further disk %.200s of the source's",
					     self->base.container->id, self->disks[i].source_path);
		if (!self->disks[i].path[0])
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "container %s: the patch names no path for its disk %.200s",
					     self->base.container->id, self->disks[i].source_path);
		patch_add(self, found->reservation, self->disks[i].path);
	}
	return LCOWMIG_OK;
}

static bool patch_touches_disks(const struct container_patch *self)
{
	return (self->n_rootfs && self->base.container->has_layers) || self->n_disks;
}

static lcowmig_status patch_plan(struct container_patch *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;
	size_t room = container->n_ro_layers + 1 + self->n_disks;
	lcowmig_status status;

	if (!patch_touches_disks(self))
		return LCOWMIG_OK;
	if (!container->vm)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "container %s has disks and no SCSI controller; Patch needs one",
				     container->id);
	status = container->vm->scsi(container->vm->user, &self->scsi, error);
	if (status != LCOWMIG_OK)
		return status;
	self->items = lcowmig__flow_alloc(&self->base.flow, room * sizeof *self->items);
	if (!self->items)
		return lcowmig__fail_memory(error);
	status = patch_plan_layers(self, error);
	return status == LCOWMIG_OK && self->n_disks ? patch_plan_disks(self, error) : status;
}

/* ---- Checks ---- */

static lcowmig_status patch_check(const struct container_patch *self, lcowmig_error *error)
{
	const lcowmig_container *container = self->base.container;
	lcowmig_status status = lcowmig__container_check_id(container->env, "container", self->id, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__container_check_init(container, "Patch", error);
	if (status == LCOWMIG_OK && container->processes.count != 1)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				       "container %s has %zu processes; Patch needs the init process only", container->id,
				       container->processes.count);
	return status;
}

/* ---- The change ---- */

static void patch_adopt(struct container_patch *self)
{
	lcowmig_container *container = self->base.container;
	char *old_id = container->id;
	lcowmig_event *old_event = container->exit_event;

	lcowmig__process_patch_commit(container->init);
	container->id = self->id;
	container->object.id = container->id;
	container->exit_event = self->exit_event;
	self->id = old_id;
	self->exit_event = old_event;
	lcowmig__object_fire(&container->object, CONTAINER_PATCH);
}

/* In one go: nobody sees half of it. An abort in the meantime is what the stdio fails of. */
static lcowmig_status patch_change(struct container_patch *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;
	lcowmig__repoint_change *change = NULL;
	lcowmig_status status = LCOWMIG_OK;

	if (self->n_items)
		status = lcowmig__scsi_repoint_begin(self->scsi, self->items, self->n_items, &change, error);
	if (status == LCOWMIG_OK && self->commit)
		status = self->commit(self->user, container, self->id, error);
	if (status == LCOWMIG_OK)
		patch_adopt(self);
	lcowmig__scsi_repoint_end(self->scsi, change, status == LCOWMIG_OK);
	return status;
}

static void patch_stdio(struct container_patch *self)
{
	lcowmig__flow_child(&self->base.flow, lcowmig__process_patch_flow(self->base.container->init, self->id, &self->stdio, NULL));
}

static void patch_step(lcowmig__flow *flow)
{
	struct container_patch *self = (struct container_patch *)flow;
	lcowmig_container *container = self->base.container;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &container->gate, CONTAINER_PATCH));
	FLOW_CHECK(flow, patch_check(self, flow->error));
	FLOW_CHECK(flow, patch_plan(self, flow->error));
	for (; self->next < self->n_items; self->next++) {
		FLOW_TRY_OR(flow, lcowmig__hcs_resolve_path(flow, container->env, self->items[self->next].host_path), failed);
		FLOW_CHECK(flow, lcowmig__container_take_path(flow, &flow->rest->arena, &self->items[self->next].host_path));
	}
	FLOW_TRY_OR(flow, patch_stdio(self), failed);
	status = patch_change(self, flow->error);
	if (status != LCOWMIG_OK)
		lcowmig__process_patch_rollback(container->init);
	FLOW_RETURN(flow, status);
failed:
	lcowmig__process_patch_rollback(container->init); /* it may have come that far before it was cancelled */
	FLOW_RETURN(flow, lcowmig__wrap(flow->error, flow->result, "container %s could not be patched", container->id));
	FLOW_END(flow);
}

static void patch_release(lcowmig__flow *flow)
{
	struct container_patch *self = (struct container_patch *)flow;

	lcowmig__free(&flow->context->mem, self->id);
	lcowmig__event_free(self->exit_event);
}

static const lcowmig__flow_class patch_class = { .name = "patch", .step = patch_step, .release = patch_release };

/* ---- Copies ---- */

static void patch_keep_disks(struct container_patch *self, const lcowmig_disk_patch *disks, size_t count)
{
	lcowmig__flow *flow = &self->base.flow;
	size_t i;

	self->n_disks = count;
	self->disks = lcowmig__flow_alloc(flow, (count + 1) * sizeof *self->disks);
	for (i = 0; self->disks && i < count; i++) {
		self->disks[i].source_path = lcowmig__flow_text(flow, disks[i].source_path ? disks[i].source_path : "");
		self->disks[i].path = lcowmig__flow_text(flow, disks[i].path ? disks[i].path : "");
	}
}

lcowmig__flow *lcowmig__container_patch_flow(lcowmig_container *container, const lcowmig_patch *patch, lcowmig__container_commit commit,
					     void *user, lcowmig_error *error)
{
	struct container_patch *self = lcowmig__container_flow_new(container, sizeof *self, &patch_class, error);
	lcowmig__flow *flow;

	if (!self)
		return NULL;
	flow = &self->base.flow;
	self->commit = commit;
	self->user = user;
	self->stdio.bundle = patch->bundle;
	self->stdio.stdin_path = patch->stdin_path;
	self->stdio.stdout_path = patch->stdout_path;
	self->stdio.stderr_path = patch->stderr_path;
	self->stdio.terminal = patch->terminal;
	lcowmig__container_keep_stdio(flow, &self->stdio);
	self->n_rootfs = patch->rootfs ? patch->n_rootfs : 0;
	self->rootfs = lcowmig__container_keep_rootfs(flow, patch->rootfs, self->n_rootfs);
	patch_keep_disks(self, patch->disks, patch->disks ? patch->n_disks : 0);
	self->id = lcowmig__strdup(&flow->context->mem, patch->container_id ? patch->container_id : "");
	self->exit_event = lcowmig__event_new(container->env, LCOWMIG_EVENT_TASK_EXIT, patch->container_id, "", NULL);
	return lcowmig__flow_made(flow, self->id && self->exit_event, error);
}
