/* A container's way from one host to another: check, save, import, adopt, resume. Patch is in patch.c, abort and announce in end.c. */
#include <string.h>

#include "container_private.h"

/* ---- Reasons against ---- */

static lcowmig_status check_processes(const lcowmig_container *container, lcowmig_error *error)
{
	if (container->init && container->processes.count > 1)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "container %s has %zu execs; Save needs the init process only",
				     container->id, container->processes.count - 1);
	return lcowmig__container_check_init(container, "Save", error);
}

static lcowmig_status check_none(const lcowmig_container *container, const lcowmig__guids *list, const char *what, lcowmig_error *error)
{
	size_t count = list->count - list->first;

	if (count)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "container %s has %zu %s, which cannot migrate", container->id,
				     count, what);
	return LCOWMIG_OK;
}

static lcowmig_status check_shares(const lcowmig_container *container, lcowmig_error *error)
{
	return check_none(container, &container->shares, "Plan9 shares", error);
}

static lcowmig_status check_devices(const lcowmig_container *container, lcowmig_error *error)
{
	return check_none(container, &container->devices, "vPCI devices", error);
}

static lcowmig_status check_state(const lcowmig_container *container, lcowmig_error *error)
{
	return lcowmig__object_check(&container->object, CONTAINER_SAVE, error);
}

static lcowmig_status check_idle(const lcowmig_container *container, lcowmig_error *error)
{
	return lcowmig__object_check_idle(&container->object, error);
}

static lcowmig_status (*const checks[])(const lcowmig_container *container, lcowmig_error *error) = {
	check_state, check_idle, check_processes, check_shares, check_devices,
};

static lcowmig_status capture_init(const lcowmig_container *container, lcowmig__wire_process *ret_wire, lcowmig_error *error)
{
	if (!container->init || check_state(container, NULL) != LCOWMIG_OK)
		return LCOWMIG_OK; /* a reason that was given already */
	return lcowmig__process_capture(container->init, ret_wire, error);
}

void lcowmig__container_check(const lcowmig_container *container, void (*report)(void *user, const char *reason), void *user)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__wire_process wire;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(checks); i++)
		if (checks[i](container, &error) != LCOWMIG_OK)
			report(user, error.message);
	if (capture_init(container, &wire, &error) != LCOWMIG_OK)
		report(user, error.message);
}

/* ---- Save ---- */

lcowmig_status lcowmig__container_capture(lcowmig_container *container, lcowmig__arena *arena, lcowmig__wire_container *ret_wire,
					  lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__wire_layer *layers;
	lcowmig__wire_process init, *processes;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(checks) && status == LCOWMIG_OK; i++)
		status = checks[i](container, error);
	if (status == LCOWMIG_OK)
		status = capture_init(container, &init, error);
	if (status != LCOWMIG_OK)
		return status;
	processes = lcowmig__arena_alloc(arena, sizeof *processes);
	layers = lcowmig__arena_alloc(arena, container->n_ro_layers * sizeof *layers);
	if (!processes || !layers)
		return lcowmig__fail_memory(error);
	*processes = init;
	for (i = 0; i < container->n_ro_layers; i++) {
		layers[i].reservation_id = container->ro_layers[i].reservation;
		layers[i].guest_path = container->ro_layers[i].guest_path;
	}
	*ret_wire = (lcowmig__wire_container){
		.container_id = container->id,
		.gcs_container_id = container->gcs_id,
		.io_retry_timeout = lcowmig__process_duration(container->io_retry_timeout_ns),
		.has_layers = container->has_layers,
		.ro_layers = layers,
		.n_ro_layers = container->n_ro_layers,
		.has_scratch = container->has_scratch,
		.scratch = { container->scratch.reservation, container->scratch.guest_path },
		.layers_combined = container->layers_combined,
		.rootfs_path = container->rootfs_path,
		.scsi_reservations = container->disks.items,
		.n_scsi_reservations = container->disks.count,
		.processes = processes,
		.n_processes = 1,
	};
	return LCOWMIG_OK;
}

void lcowmig__container_freeze(lcowmig_container *container)
{
	lcowmig__process_freeze(container->init);
	lcowmig__object_fire(&container->object, CONTAINER_SAVE);
}

/* ---- Import ---- */

static bool import_layer(const lcowmig__mem *mem, lcowmig__layer *layer, const lcowmig__wire_layer *wire)
{
	layer->reservation = wire->reservation_id;
	layer->guest_path = lcowmig__strdup(mem, wire->guest_path);
	return layer->guest_path != NULL;
}

static bool import_layers(lcowmig_container *container, const lcowmig__wire_container *wire)
{
	const lcowmig__mem *mem = &container->env->context->mem;
	size_t *count = &container->n_ro_layers;

	container->has_layers = wire->has_layers;
	container->layers_combined = wire->layers_combined;
	container->has_scratch = wire->has_scratch;
	container->rootfs_path = lcowmig__strdup(mem, wire->rootfs_path ? wire->rootfs_path : "");
	if (wire->n_ro_layers)
		container->ro_layers = lcowmig__alloc_array(mem, wire->n_ro_layers, sizeof *container->ro_layers);
	if (!container->rootfs_path || (wire->n_ro_layers && !container->ro_layers) ||
	    (wire->has_scratch && !import_layer(mem, &container->scratch, &wire->scratch)))
		return false;
	for (; *count < wire->n_ro_layers; ++*count)
		if (!import_layer(mem, &container->ro_layers[*count], &wire->ro_layers[*count]))
			return false;
	return true;
}

static bool import_disks(lcowmig_container *container, const lcowmig__wire_container *wire)
{
	if (!lcowmig__guids_reserve(container, &container->disks, wire->n_scsi_reservations))
		return false;
	for (; container->disks.count < wire->n_scsi_reservations; container->disks.count++)
		container->disks.items[container->disks.count] = wire->scsi_reservations[container->disks.count];
	return true;
}

static lcowmig_status import_processes(lcowmig_container *container, const lcowmig__wire_container *wire, lcowmig_error *error)
{
	lcowmig__process_owner owner = lcowmig__container_as_owner(container);
	lcowmig_process *process;
	lcowmig_status status;
	size_t i;

	for (i = 0; i < wire->n_processes; i++) {
		status = lcowmig__process_import(container->env, &wire->processes[i], container->id, container->gcs_id, &owner, &process,
						 error);
		if (status != LCOWMIG_OK)
			return status;
		lcowmig__container_add_process(container, process);
	}
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__container_import(lcowmig__env *env, const lcowmig__container_vm *vm, const char *guest_pod_id,
					 const lcowmig__wire_container *wire, lcowmig_container **ret_container, lcowmig_error *error)
{
	lcowmig_container *container;
	lcowmig_status status;

	status = lcowmig__container_check_id(env, "container", wire->container_id, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__container_check_id(env, "guest container", wire->gcs_container_id, error);
	if (status != LCOWMIG_OK)
		return status;
	container = lcowmig__container_alloc(env, vm, guest_pod_id, wire->container_id, wire->gcs_container_id, error);
	if (!container)
		return LCOWMIG_E_NO_MEMORY;
	container->io_retry_timeout_ns = lcowmig__process_nanoseconds(&wire->io_retry_timeout);
	container->guest_knows = true;
	if (!import_layers(container, wire) || !import_disks(container, wire))
		status = lcowmig__fail_memory(error);
	if (status == LCOWMIG_OK)
		status = import_processes(container, wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__container_prepare_event(container, error);
	if (status != LCOWMIG_OK) {
		lcowmig__container_free(container);
		return status;
	}
	lcowmig__object_fire(&container->object, CONTAINER_IMPORT);
	*ret_container = container;
	return LCOWMIG_OK;
}

/* ---- Resume ---- */

lcowmig_status lcowmig__container_adopt(lcowmig_container *container, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__node *node;

	if (container->object.state != CONTAINER_DESTINATION_MIGRATING)
		return LCOWMIG_OK;
	for (node = lcowmig__tree_first(&container->processes); node && status == LCOWMIG_OK; node = lcowmig__tree_next(node))
		status = lcowmig__process_adopt(lcowmig__process_of_node(node), error);
	return status;
}

struct container_resume {
	lcowmig__container_flow base;
	bool is_destination;
	bool was_imported; /* DestinationMigrating at first */
};

static bool resume_is_due(const lcowmig_container *container)
{
	return container->object.state == CONTAINER_SOURCE_MIGRATING || container->object.state == CONTAINER_DESTINATION_MIGRATING;
}

/* The announcement that will be sent once the pod is complete. */
static lcowmig_status resume_make_event(lcowmig_container *container, lcowmig_error *error)
{
	lcowmig_event *event = lcowmig__event_new(container->env, LCOWMIG_EVENT_TASK_CREATE, container->id, "", error);

	if (!event || !lcowmig__process_tell_io(container->init, event)) {
		lcowmig__event_free(event);
		return lcowmig__fail_memory(error);
	}
	lcowmig__event_free(container->create_event);
	container->create_event = event;
	return LCOWMIG_OK;
}

static lcowmig_status resume_prepare(struct container_resume *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;
	lcowmig_status status;

	self->was_imported = container->object.state == CONTAINER_DESTINATION_MIGRATING;
	if (!self->was_imported)
		return LCOWMIG_OK;
	if (!container->env->has_guest)
		return lcowmig__fail(error, LCOWMIG_E_UNAVAILABLE, "container %s is DestinationMigrating; Resume needs a guest connection",
				     container->id);
	status = lcowmig__container_check_init(container, "Resume", error);
	if (status == LCOWMIG_OK)
		status = lcowmig__container_prepare_end(container, error);
	return status == LCOWMIG_OK ? resume_make_event(container, error) : status;
}

/* What an earlier attempt has opened stays open. */
static void resume_open(struct container_resume *self)
{
	lcowmig_container *container = self->base.container;

	if (self->was_imported && !container->guest_is_open)
		lcowmig__guest_open_container(&self->base.flow, container->env, container->gcs_id);
}

static void resume_processes(struct container_resume *self)
{
	lcowmig_container *container = self->base.container;
	lcowmig__node *node;

	for (node = lcowmig__tree_first(&container->processes); node; node = lcowmig__tree_next(node))
		lcowmig__flow_child(&self->base.flow,
				    lcowmig__process_resume_flow(lcowmig__process_of_node(node), self->is_destination, NULL));
}

static lcowmig_status resume_commit(lcowmig_container *container, lcowmig_error *error)
{
	if (!resume_is_due(container))
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "container %s was aborted while it was being resumed",
				     container->id);
	lcowmig__object_fire(&container->object, CONTAINER_RESUME);
	return LCOWMIG_OK;
}

static void resume_step(lcowmig__flow *flow)
{
	struct container_resume *self = (struct container_resume *)flow;
	lcowmig_container *container = self->base.container;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &container->gate, CONTAINER_RESUME));
	if (!resume_is_due(container))
		FLOW_RETURN(flow, LCOWMIG_OK);
	FLOW_CHECK(flow, resume_prepare(self, flow->error));
	FLOW_TRY_OR(flow, resume_open(self), failed);
	container->guest_is_open = true;
	FLOW_TRY_OR(flow, resume_processes(self), failed);
	FLOW_RETURN(flow, resume_commit(container, flow->error));
failed:
	FLOW_RETURN(flow, lcowmig__wrap(flow->error, flow->result, "container %s could not be resumed and is %s", container->id,
					lcowmig__object_state_name(&container->object)));
	FLOW_END(flow);
}

static const lcowmig__flow_class resume_class = { .name = "resume", .step = resume_step };

lcowmig__flow *lcowmig__container_resume_flow(lcowmig_container *container, bool is_destination, lcowmig_error *error)
{
	struct container_resume *self = lcowmig__container_flow_new(container, sizeof *self, &resume_class, error);

	if (!self)
		return NULL;
	self->is_destination = is_destination;
	return &self->base.flow;
}
