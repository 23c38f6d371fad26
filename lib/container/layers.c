/* The root file system: read-only layers, the scratch disk, and their combination in the guest. */
#include <string.h>

#include "container_private.h"
#include "guest/guest.h"
#include "hcs/guest_paths.h"

struct layers_flow {
	lcowmig__container_flow base;
	lcowmig__container_plan *plan;
	lcowmig_scsi *scsi;
	const char *path; /* canonical */
};

static lcowmig_status layers_prepare(struct layers_flow *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;
	const lcowmig__mem *mem = &container->env->context->mem;
	size_t count = self->plan->layers.count;

	if (!self->plan->layers.scratch[0])
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "container %s: its root file system names no scratch disk",
				     container->id);
	if (count) {
		container->ro_layers = lcowmig__alloc_array(mem, count, sizeof *container->ro_layers);
		if (!container->ro_layers)
			return lcowmig__fail_memory(error);
	}
	container->rootfs_path = lcowmig__path_rootfs(mem, container->guest_pod_id, container->gcs_id);
	if (!container->rootfs_path)
		return lcowmig__fail_memory(error);
	container->has_layers = true;
	return container->vm->scsi(container->vm->user, &self->scsi, error);
}

static lcowmig_status layers_reserve_ro(struct layers_flow *self)
{
	static const char *const options[] = { "ro" };
	lcowmig_container *container = self->base.container;
	lcowmig__layer *layer = &container->ro_layers[container->n_ro_layers];
	const lcowmig_disk_config disk = {
		.size = sizeof disk,
		.host_path = self->path,
		.type = LCOWMIG_DISK_VIRTUAL,
		.read_only = 1,
	};
	const lcowmig_mount_config mount = {
		.size = sizeof mount,
		.partition = self->plan->layers.layers[container->n_ro_layers].partition,
		.options = options,
		.n_options = LCOWMIG__COUNT(options),
		.read_only = 1,
	};
	lcowmig_status status = lcowmig__scsi_reserve(self->scsi, &disk, &mount, &layer->reservation, self->base.flow.error);

	if (status == LCOWMIG_OK)
		container->n_ro_layers++;
	return status;
}

static lcowmig_status layers_reserve_scratch(struct layers_flow *self)
{
	lcowmig_container *container = self->base.container;
	bool encrypted = container->vm->scratch_encryption(container->vm->user);
	const lcowmig_disk_config disk = { .size = sizeof disk, .host_path = self->path, .type = LCOWMIG_DISK_VIRTUAL };
	const lcowmig_mount_config mount = {
		.size = sizeof mount,
		.filesystem = encrypted ? "xfs" : "ext4",
		.encrypted = encrypted,
		.ensure_filesystem = 1,
	};
	lcowmig_status status;

	status = lcowmig__scsi_reserve(self->scsi, &disk, &mount, &container->scratch.reservation, self->base.flow.error);
	container->has_scratch = status == LCOWMIG_OK;
	return status;
}

static void layers_map(struct layers_flow *self, lcowmig__layer *layer)
{
	lcowmig__flow_child(&self->base.flow, lcowmig__scsi_map_flow(self->scsi, &layer->reservation, &layer->guest_path, NULL));
}

/* What both the add and the remove say. */
static bool layers_describe(const lcowmig_container *container, lcowmig__guest_layers *layers, char **ret_scratch, const char ***ret_paths)
{
	const lcowmig__mem *mem = &container->env->context->mem;
	size_t i;

	*ret_paths = lcowmig__alloc_array(mem, container->n_ro_layers + 1, sizeof **ret_paths);
	/* An imported container may claim a combined root without a scratch disk. */
	*ret_scratch = lcowmig__path_scratch(mem, container->scratch.guest_path ? container->scratch.guest_path : "",
					     container->guest_pod_id, container->gcs_id);
	if (!*ret_paths || !*ret_scratch)
		return false;
	for (i = 0; i < container->n_ro_layers; i++)
		(*ret_paths)[i] = container->ro_layers[i].guest_path;
	layers->container_id = container->gcs_id;
	layers->root_path = container->rootfs_path;
	layers->layers = *ret_paths;
	layers->n_layers = container->n_ro_layers;
	layers->scratch_path = *ret_scratch;
	return true;
}

static void layers_tell(lcowmig__flow *flow, const lcowmig_container *container,
			void (*tell)(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_layers *layers))
{
	const lcowmig__mem *mem = &container->env->context->mem;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__guest_layers layers = { 0 };
	const char **paths = NULL;
	char *scratch = NULL;

	if (layers_describe(container, &layers, &scratch, &paths))
		tell(flow, container->env, &layers);
	else
		lcowmig__flow_await_failed(flow, lcowmig__fail_memory(&error), &error);
	lcowmig__free(mem, paths);
	lcowmig__free(mem, scratch);
}

void lcowmig__container_remove_layers(lcowmig__flow *flow, const lcowmig_container *container)
{
	layers_tell(flow, container, lcowmig__guest_remove_layers);
}

static void layers_step(lcowmig__flow *flow)
{
	struct layers_flow *self = (struct layers_flow *)flow;
	lcowmig_container *container = self->base.container;
	const lcowmig__env *env = container->env;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	status = layers_prepare(self, flow->error);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	while (container->n_ro_layers < self->plan->layers.count) {
		FLOW_TRY(flow, lcowmig__hcs_resolve_path(flow, env, self->plan->layers.layers[container->n_ro_layers].path));
		status = lcowmig__container_take_path(flow, &self->plan->arena, &self->path);
		if (status == LCOWMIG_OK)
			status = layers_reserve_ro(self);
		if (status != LCOWMIG_OK)
			FLOW_RETURN(flow, status);
		FLOW_TRY(flow, layers_map(self, &container->ro_layers[container->n_ro_layers - 1]));
	}
	FLOW_TRY(flow, lcowmig__hcs_resolve_path(flow, env, self->plan->layers.scratch));
	status = lcowmig__container_take_path(flow, &self->plan->arena, &self->path);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	FLOW_TRY(flow, lcowmig__hcs_grant_access(flow, env, self->path));
	status = layers_reserve_scratch(self);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	FLOW_TRY(flow, layers_map(self, &container->scratch));
	lcowmig__flow_shield(flow, true);
	FLOW_TRY(flow, layers_tell(flow, container, lcowmig__guest_add_layers));
	container->layers_combined = true;
	FLOW_END(flow);
}

static const lcowmig__flow_class layers_class = { .name = "layers", .step = layers_step };

lcowmig__flow *lcowmig__container_layers_flow(lcowmig__container_plan *plan, lcowmig_error *error)
{
	struct layers_flow *self = lcowmig__container_flow_new(plan->container, sizeof *self, &layers_class, false, error);

	if (!self)
		return NULL;
	self->plan = plan;
	return &self->base.flow;
}
