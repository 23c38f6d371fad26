/* The root file system: read-only layers, the scratch disk, and their combination in the guest. */
#include <string.h>

#include "container_private.h"
#include "guest/guest.h"
#include "hcs/guest_paths.h"

struct layers_flow {
	lcowmig__container_part part;
	lcowmig_scsi *scsi;
	const char *path; /* canonical */
};

static lcowmig_status layers_prepare(struct layers_flow *self, lcowmig_error *error)
{
	const lcowmig__oci_layers *layers = &self->part.plan->layers;
	lcowmig_container *container = self->part.plan->container;
	const lcowmig__mem *mem = &container->env->context->mem;

	if (!layers->scratch[0])
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "container %s: its root file system names no scratch disk",
				     container->id);
	if (layers->count)
		container->ro_layers = lcowmig__alloc_array(mem, layers->count, sizeof *container->ro_layers);
	container->rootfs_path = lcowmig__path_rootfs(mem, container->guest_pod_id, container->gcs_id);
	if (!container->rootfs_path || (layers->count && !container->ro_layers))
		return lcowmig__fail_memory(error);
	container->has_layers = true;
	return container->vm->scsi(container->vm->user, &self->scsi, error);
}

static lcowmig_status layers_reserve(struct layers_flow *self, lcowmig__layer *layer, const lcowmig_mount_config *mount)
{
	const lcowmig_disk_config disk = {
		.size = sizeof disk,
		.host_path = self->path,
		.type = LCOWMIG_DISK_VIRTUAL,
		.read_only = mount->read_only,
	};

	return lcowmig__scsi_reserve(self->scsi, &disk, mount, &layer->reservation, self->part.base.flow.error);
}

static lcowmig_status layers_reserve_ro(struct layers_flow *self)
{
	static const char *const options[] = { "ro" };
	lcowmig_container *container = self->part.plan->container;
	const lcowmig_mount_config mount = {
		.size = sizeof mount,
		.partition = self->part.plan->layers.layers[container->n_ro_layers].partition,
		.options = options,
		.n_options = LCOWMIG__COUNT(options),
		.read_only = 1,
	};
	lcowmig_status status = layers_reserve(self, &container->ro_layers[container->n_ro_layers], &mount);

	if (status == LCOWMIG_OK)
		container->n_ro_layers++;
	return status;
}

static lcowmig_status layers_reserve_scratch(struct layers_flow *self)
{
	lcowmig_container *container = self->part.plan->container;
	bool encrypted = container->vm->scratch_encryption(container->vm->user);
	const lcowmig_mount_config mount = {
		.size = sizeof mount,
		.filesystem = encrypted ? "xfs" : "ext4",
		.encrypted = encrypted,
		.ensure_filesystem = 1,
	};
	lcowmig_status status = layers_reserve(self, &container->scratch, &mount);

	container->has_scratch = status == LCOWMIG_OK;
	return status;
}

static void layers_map(struct layers_flow *self, lcowmig__layer *layer)
{
	lcowmig__flow_child(&self->part.base.flow, lcowmig__scsi_map_flow(self->scsi, &layer->reservation, &layer->guest_path, NULL));
}

/* The host's path of a disk, canonical as the host has just said. */
static lcowmig_status layers_take_path(struct layers_flow *self)
{
	return lcowmig__container_take_path(&self->part.base.flow, self->part.plan->arena, &self->path);
}

/* What both the add and the remove say. */
static void layers_tell(lcowmig__flow *flow, const lcowmig_container *container,
			void (*tell)(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_layers *layers))
{
	/* An imported container may claim a combined root without a scratch disk. */
	const char *scratch = container->scratch.guest_path ? container->scratch.guest_path : "";
	const char **paths = lcowmig__flow_alloc(flow, (container->n_ro_layers + 1) * sizeof *paths);
	const lcowmig__guest_layers layers = {
		.container_id = container->gcs_id,
		.root_path = container->rootfs_path,
		.layers = paths,
		.n_layers = container->n_ro_layers,
		.scratch_path =
			lcowmig__path_scratch(lcowmig__arena_mem(&flow->rest->arena), scratch, container->guest_pod_id, container->gcs_id),
	};
	size_t i;

	if (!paths || !layers.scratch_path) {
		lcowmig__flow_child(flow, NULL); /* memory is out */
		return;
	}
	for (i = 0; i < container->n_ro_layers; i++)
		paths[i] = container->ro_layers[i].guest_path;
	tell(flow, container->env, &layers);
}

void lcowmig__container_remove_layers(lcowmig__flow *flow, const lcowmig_container *container)
{
	layers_tell(flow, container, lcowmig__guest_remove_layers);
}

static void layers_step(lcowmig__flow *flow)
{
	struct layers_flow *self = (struct layers_flow *)flow;
	const lcowmig__oci_layers *layers = &self->part.plan->layers;
	lcowmig_container *container = self->part.plan->container;
	const lcowmig__env *env = container->env;

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, layers_prepare(self, flow->error));
	while (container->n_ro_layers < layers->count) {
		FLOW_TRY(flow, lcowmig__hcs_resolve_path(flow, env, layers->layers[container->n_ro_layers].path));
		FLOW_CHECK(flow, layers_take_path(self));
		FLOW_CHECK(flow, layers_reserve_ro(self));
		FLOW_TRY(flow, layers_map(self, &container->ro_layers[container->n_ro_layers - 1]));
	}
	FLOW_TRY(flow, lcowmig__hcs_resolve_path(flow, env, layers->scratch));
	FLOW_CHECK(flow, layers_take_path(self));
	FLOW_TRY(flow, lcowmig__hcs_grant_access(flow, env, self->path));
	FLOW_CHECK(flow, layers_reserve_scratch(self));
	FLOW_TRY(flow, layers_map(self, &container->scratch));
	lcowmig__flow_shield(flow, true);
	FLOW_TRY(flow, layers_tell(flow, container, lcowmig__guest_add_layers));
	container->layers_combined = true;
	FLOW_END(flow);
}

static const lcowmig__flow_class layers_class = { .name = "layers", .step = layers_step };

lcowmig__flow *lcowmig__container_layers_flow(lcowmig__container_plan *plan)
{
	return lcowmig__container_part_flow(plan, sizeof(struct layers_flow), &layers_class);
}
