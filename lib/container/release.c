/*
 * Giving back what a container holds, in the order that guest and host need: the combined root, the guest's state of the container,
 * scratch, read-only layers, further disks, shares, devices. Whatever was given back is forgotten at once, so that a release that fails
 * goes on from there when it is repeated. A guest or virtual machine that is gone has given everything back.
 */
#include "container_private.h"
#include "guest/guest.h"

struct release {
	lcowmig__container_flow base;
	lcowmig_scsi *scsi;
	lcowmig_plan9 *plan9;
	lcowmig_vpci *vpci;
};

static bool release_is_done(const lcowmig__flow *flow)
{
	return flow->result == LCOWMIG_OK || lcowmig__is_gone(flow->result, flow->error->hresult);
}

static lcowmig_status release_failed(lcowmig__flow *flow, const char *what)
{
	const lcowmig_container *container = ((lcowmig__container_flow *)flow)->container;

	return lcowmig__wrap(flow->error, flow->result, "container %s is %s: its %s could not be released", container->id,
			     lcowmig__object_state_name(&container->object), what);
}

/* Controllers that are gone with their machine took everything with them. */
static void release_find_controllers(struct release *self)
{
	lcowmig_container *container = self->base.container;
	const lcowmig__container_vm *vm = container->vm;

	if (!vm || vm->scsi(vm->user, &self->scsi, NULL) != LCOWMIG_OK)
		self->scsi = NULL;
	if (!vm || container->shares.first == container->shares.count || vm->plan9(vm->user, &self->plan9, NULL) != LCOWMIG_OK)
		self->plan9 = NULL;
	if (!vm || container->devices.first == container->devices.count || vm->vpci(vm->user, &self->vpci, NULL) != LCOWMIG_OK)
		self->vpci = NULL;
}

static void release_unmap(struct release *self, const lcowmig_guid *reservation)
{
	if (self->scsi)
		lcowmig__flow_child(&self->base.flow, lcowmig__scsi_unmap_flow(self->scsi, reservation, NULL));
}

static void release_unshare(struct release *self)
{
	const lcowmig__guids *shares = &self->base.container->shares;

	if (self->plan9)
		lcowmig__flow_child(&self->base.flow, lcowmig__plan9_unmap_flow(self->plan9, &shares->items[shares->first], NULL));
}

static void release_remove_device(struct release *self)
{
	const lcowmig__guids *devices = &self->base.container->devices;

	if (self->vpci)
		lcowmig__flow_child(&self->base.flow, lcowmig__vpci_remove_flow(self->vpci, &devices->items[devices->first], NULL));
}

static void release_forget_layer(lcowmig_container *container, lcowmig__layer *layer)
{
	lcowmig__free(&container->env->context->mem, layer->guest_path);
	layer->guest_path = NULL;
}

static bool release_deletes_state(const lcowmig_container *container)
{
	return container->guest_knows && container->env->guest_supports_delete_state;
}

static void release_step(lcowmig__flow *flow)
{
	struct release *self = (struct release *)flow;
	lcowmig_container *container = self->base.container;

	FLOW_BEGIN(flow);
	/* What has been given back must be known, else a repetition would ask for it again. */
	lcowmig__flow_shield(flow, true);
	release_find_controllers(self);
	if (container->layers_combined) {
		FLOW_AWAIT(flow, lcowmig__container_remove_layers(flow, container));
		if (!release_is_done(flow))
			FLOW_RETURN(flow, release_failed(flow, "combined layers"));
		container->layers_combined = false;
	}
	if (release_deletes_state(container)) {
		FLOW_AWAIT(flow, lcowmig__guest_delete_container_state(flow, container->env, container->gcs_id));
		if (!release_is_done(flow))
			FLOW_RETURN(flow, release_failed(flow, "state in the guest"));
		container->guest_knows = false;
	}
	if (container->has_scratch) {
		FLOW_AWAIT(flow, release_unmap(self, &container->scratch.reservation));
		if (!release_is_done(flow))
			FLOW_RETURN(flow, release_failed(flow, "scratch disk"));
		container->has_scratch = false;
		release_forget_layer(container, &container->scratch);
	}
	for (; container->first_ro_layer < container->n_ro_layers; container->first_ro_layer++) {
		FLOW_AWAIT(flow, release_unmap(self, &container->ro_layers[container->first_ro_layer].reservation));
		if (!release_is_done(flow))
			FLOW_RETURN(flow, release_failed(flow, "read-only layers"));
		release_forget_layer(container, &container->ro_layers[container->first_ro_layer]);
	}
	for (; container->disks.first < container->disks.count; container->disks.first++) {
		FLOW_AWAIT(flow, release_unmap(self, &container->disks.items[container->disks.first]));
		if (!release_is_done(flow))
			FLOW_RETURN(flow, release_failed(flow, "further disks"));
	}
	for (; container->shares.first < container->shares.count; container->shares.first++) {
		FLOW_AWAIT(flow, release_unshare(self));
		if (!release_is_done(flow))
			FLOW_RETURN(flow, release_failed(flow, "shares"));
	}
	for (; container->devices.first < container->devices.count; container->devices.first++) {
		FLOW_AWAIT(flow, release_remove_device(self));
		if (!release_is_done(flow))
			FLOW_RETURN(flow, release_failed(flow, "devices"));
	}
	FLOW_END(flow);
}

static const lcowmig__flow_class release_class = { .name = "release", .step = release_step };

lcowmig__flow *lcowmig__container_release_flow(lcowmig_container *container, lcowmig_error *error)
{
	return lcowmig__container_flow_new(container, sizeof(struct release), &release_class, false, error);
}

void lcowmig__container_drop_resources(lcowmig_container *container)
{
	container->layers_combined = false;
	container->guest_knows = false;
	container->has_scratch = false;
	release_forget_layer(container, &container->scratch);
	for (; container->first_ro_layer < container->n_ro_layers; container->first_ro_layer++)
		release_forget_layer(container, &container->ro_layers[container->first_ro_layer]);
	container->disks.first = container->disks.count;
	container->shares.first = container->shares.count;
	container->devices.first = container->devices.count;
}

/* ---- Lists of reservations ---- */

bool lcowmig__guids_reserve(const lcowmig__mem *mem, lcowmig__guids *guids, size_t count)
{
	lcowmig_guid *items;

	if (!count)
		return true;
	items = lcowmig__alloc_array(mem, count, sizeof *items);
	if (!items)
		return false;
	lcowmig__free(mem, guids->items); /* of an earlier try */
	guids->items = items;
	return true;
}

void lcowmig__guids_done(const lcowmig__mem *mem, lcowmig__guids *guids)
{
	lcowmig__free(mem, guids->items);
	guids->items = NULL;
	guids->count = 0;
	guids->first = 0;
}
