/*
 * Giving back what a container holds, in the order that guest and host need: the combined root, the guest's state of the container,
 * scratch, read-only layers, further disks, shares, devices. Whatever was given back is forgotten at once, so that a release that fails
 * goes on from there when it is repeated. A guest or virtual machine that is gone has given everything back.
 */
#include "container_private.h"
#include "guest/guest.h"

enum release_part {
	RELEASE_ROOT,
	RELEASE_STATE,
	RELEASE_SCRATCH,
	RELEASE_LAYERS,
	RELEASE_DISKS,
	RELEASE_SHARES,
	RELEASE_DEVICES,
	RELEASE_PARTS
};

static const char *const release_names[] = {
	[RELEASE_ROOT] = "combined layers",
	[RELEASE_STATE] = "state in the guest",
	[RELEASE_SCRATCH] = "scratch disk",
	[RELEASE_LAYERS] = "read-only layers",
	[RELEASE_DISKS] = "further disks",
	[RELEASE_SHARES] = "shares",
	[RELEASE_DEVICES] = "devices",
};
_Static_assert(LCOWMIG__COUNT(release_names) == RELEASE_PARTS, "every part has a name");

struct release {
	lcowmig__container_flow base;
	unsigned part; /* enum release_part: that it has come to */
	lcowmig_scsi *scsi;
	lcowmig_plan9 *plan9;
	lcowmig_vpci *vpci;
};

static lcowmig__guids *release_list(lcowmig_container *container, unsigned part)
{
	if (part == RELEASE_DISKS)
		return &container->disks;
	return part == RELEASE_SHARES ? &container->shares : &container->devices;
}

/* Whether anything of the part is left. */
static bool release_is_due(lcowmig_container *container, unsigned part)
{
	switch (part) {
	case RELEASE_ROOT:
		return container->layers_combined;
	case RELEASE_STATE:
		return container->guest_knows && container->env->guest_supports_delete_state;
	case RELEASE_SCRATCH:
		return container->has_scratch;
	case RELEASE_LAYERS:
		return container->first_ro_layer < container->n_ro_layers;
	default:
		return release_list(container, part)->first < release_list(container, part)->count;
	}
}

static void release_forget_layer(lcowmig_container *container, lcowmig__layer *layer)
{
	lcowmig__free(&container->env->context->mem, layer->guest_path);
	layer->guest_path = NULL;
}

/* The next of the part has been given back. */
static void release_forget(lcowmig_container *container, unsigned part)
{
	switch (part) {
	case RELEASE_ROOT:
		container->layers_combined = false;
		break;
	case RELEASE_STATE:
		container->guest_knows = false;
		break;
	case RELEASE_SCRATCH:
		container->has_scratch = false;
		release_forget_layer(container, &container->scratch);
		break;
	case RELEASE_LAYERS:
		release_forget_layer(container, &container->ro_layers[container->first_ro_layer++]);
		break;
	default:
		release_list(container, part)->first++;
		break;
	}
}

/* Controllers that are gone with their machine, and stay NULL here, took everything with them. */
static void release_find_controllers(struct release *self)
{
	lcowmig_container *container = self->base.container;
	const lcowmig__container_vm *vm = container->vm;

	if (!vm)
		return;
	vm->scsi(vm->user, &self->scsi, NULL);
	if (release_is_due(container, RELEASE_SHARES))
		vm->plan9(vm->user, &self->plan9, NULL);
	if (release_is_due(container, RELEASE_DEVICES))
		vm->vpci(vm->user, &self->vpci, NULL);
}

static void release_unmap(struct release *self, const lcowmig_guid *reservation)
{
	if (self->scsi)
		lcowmig__flow_child(&self->base.flow, lcowmig__scsi_unmap_flow(self->scsi, reservation, NULL));
}

static void release_give_back(struct release *self)
{
	lcowmig_container *container = self->base.container;
	lcowmig__flow *flow = &self->base.flow;

	switch (self->part) {
	case RELEASE_ROOT:
		lcowmig__container_remove_layers(flow, container);
		break;
	case RELEASE_STATE:
		lcowmig__guest_delete_container_state(flow, container->env, container->gcs_id);
		break;
	case RELEASE_SCRATCH:
		release_unmap(self, &container->scratch.reservation);
		break;
	case RELEASE_LAYERS:
		release_unmap(self, &container->ro_layers[container->first_ro_layer].reservation);
		break;
	case RELEASE_DISKS:
		release_unmap(self, &container->disks.items[container->disks.first]);
		break;
	case RELEASE_SHARES:
		if (self->plan9)
			lcowmig__flow_child(flow, lcowmig__plan9_unmap_flow(
							  self->plan9, &container->shares.items[container->shares.first], NULL));
		break;
	default:
		if (self->vpci)
			lcowmig__flow_child(flow, lcowmig__vpci_remove_flow(
							  self->vpci, &container->devices.items[container->devices.first], NULL));
		break;
	}
}

static lcowmig_status release_answered(struct release *self)
{
	lcowmig_container *container = self->base.container;
	lcowmig__flow *flow = &self->base.flow;

	if (flow->result != LCOWMIG_OK && !lcowmig__is_gone(flow->result, flow->error->hresult))
		return lcowmig__wrap(flow->error, flow->result, "container %s is %s: its %s could not be released", container->id,
				     lcowmig__object_state_name(&container->object), release_names[self->part]);
	release_forget(container, self->part);
	return LCOWMIG_OK;
}

static void release_step(lcowmig__flow *flow)
{
	struct release *self = (struct release *)flow;

	FLOW_BEGIN(flow);
	/* What has been given back must be known, else a repetition would ask for it again. */
	lcowmig__flow_shield(flow, true);
	release_find_controllers(self);
	for (; self->part < RELEASE_PARTS; self->part++) {
		while (release_is_due(self->base.container, self->part)) {
			FLOW_AWAIT(flow, release_give_back(self));
			FLOW_CHECK(flow, release_answered(self));
		}
	}
	FLOW_END(flow);
}

static const lcowmig__flow_class release_class = { .name = "release", .step = release_step };

lcowmig__flow *lcowmig__container_release_flow(lcowmig_container *container, lcowmig_error *error)
{
	return lcowmig__container_flow_new(container, sizeof(struct release), &release_class, error);
}

void lcowmig__container_drop_resources(lcowmig_container *container)
{
	unsigned part;

	container->guest_knows = false; /* even if the guest could be told */
	for (part = 0; part < RELEASE_PARTS; part++)
		while (release_is_due(container, part))
			release_forget(container, part);
}

/* ---- Lists of reservations ---- */

bool lcowmig__guids_reserve(const lcowmig_container *container, lcowmig__guids *guids, size_t count)
{
	const lcowmig__mem *mem = &container->env->context->mem;

	lcowmig__free(mem, guids->items); /* of an earlier try */
	guids->items = count ? lcowmig__alloc_array(mem, count, sizeof *guids->items) : NULL;
	return guids->items || !count;
}
