/*
 * Adding a device to the virtual machine and removing it.
 *
 *     add:     HCS add device, guest waits for it    once, then counted
 *     remove:  HCS remove device                     with the last use
 *
 * Gate and shield as in scsi/scsi_map.c.
 */
#include "guest/guest.h"
#include "hcs/documents.h"
#include "vpci_private.h"

typedef struct vpci_work {
	lcowmig__entry_work base;
	lcowmig__device *device;
} vpci_work;

/* How the await that just ended went; a failure says whose it is. */
static lcowmig_status work_result(const vpci_work *self, const char *doing)
{
	const lcowmig__flow *flow = &self->base.flow;
	const lcowmig__device *device = self->device;

	if (flow->result == LCOWMIG_OK)
		return LCOWMIG_OK;
	return lcowmig__wrap(flow->error, flow->result, "vPCI device %s, %.200s/%u (%s): %s", device->text, device->instance_id,
	                     (unsigned)device->identity.function, lcowmig__object_state_name(&device->object), doing);
}

static lcowmig_status work_begin(vpci_work *self)
{
	self->device = lcowmig__vpci_look_up((lcowmig_vpci *)self->base.flow.object, &self->base.id, self->base.flow.error);
	return self->device ? LCOWMIG_OK : LCOWMIG_E_NOT_FOUND;
}

/* ---- Add ---- */

static void ask_add(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__device *device)
{
	lcowmig__hcs_modify(flow, env,
			    lcowmig__hcs_vpci_add(&env->context->mem, device->text, device->instance_id, device->identity.function));
}

static void add_step(lcowmig__flow *flow)
{
	vpci_work *self = (vpci_work *)flow;
	lcowmig_vpci *vpci = (lcowmig_vpci *)flow->object;
	lcowmig__device *device = self->device;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &vpci->base.gate));
	FLOW_CHECK(flow, work_begin(self));
	device = self->device;
	FLOW_CHECK(flow, lcowmig__object_check(&device->object, DEVICE_ADD, flow->error));
	lcowmig__flow_shield(flow, true);
	if (device->object.state == DEVICE_RESERVED) {
		FLOW_AWAIT(flow, ask_add(flow, vpci->base.env, device));
		lcowmig__entry_work_fire_failed(&self->base, &device->object, DEVICE_ADD_FAILED);
		FLOW_CHECK(flow, work_result(self, "adding it"));
		lcowmig__object_fire(&device->object, DEVICE_ADD);
		FLOW_AWAIT(flow, lcowmig__guest_add_vpci(flow, vpci->base.env, device->text));
		lcowmig__object_fire(&device->object, flow->result == LCOWMIG_OK ? DEVICE_APPEAR : DEVICE_APPEAR_FAILED);
		FLOW_CHECK(flow, work_result(self, "waiting for it in the guest"));
	} else {
		lcowmig__object_fire(&device->object, DEVICE_ADD);
	}
	device->ref_count++;
	FLOW_END(flow);
}

static const lcowmig__work_class add_class = { { "adding a device", add_step, NULL, false },
					       sizeof(vpci_work),
					       "lcowmig_vpci_add: an argument" };

lcowmig__flow *lcowmig__vpci_add_flow(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_error *error)
{
	return lcowmig__entry_work_new(vpci, device, NULL, error, &add_class);
}

lcowmig_status lcowmig_vpci_add(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return lcowmig__entry_work_run(vpci, device, done, user, error, &add_class);
}

/* ---- Remove ---- */

/* Whether the host has the device, and there still is a machine to have it. */
static bool remove_needs_host(const lcowmig_vpci *vpci, const lcowmig__device *device)
{
	return (device->object.state == DEVICE_READY || device->object.state == DEVICE_ASSIGNED_INVALID) && vpci->base.env->system;
}

/* A device that did not leave can be reserved again; its uses are over, unless the host was not even asked. */
static lcowmig_status remove_result(const vpci_work *self)
{
	lcowmig_status status = self->base.flow.result;

	lcowmig__entry_work_fire_failed(&self->base, &self->device->object, DEVICE_REMOVE_FAILED);
	if (status != LCOWMIG_OK)
		lcowmig__vpci_show((lcowmig_vpci *)self->base.flow.object, self->device);
	if (status != LCOWMIG_E_NO_MEMORY)
		self->device->ref_count = 0;
	return work_result(self, "removing it");
}

static void remove_step(lcowmig__flow *flow)
{
	vpci_work *self = (vpci_work *)flow;
	lcowmig_vpci *vpci = (lcowmig_vpci *)flow->object;
	lcowmig__device *device = self->device;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &vpci->base.gate));
	FLOW_CHECK(flow, work_begin(self));
	device = self->device;
	if (device->ref_count > 1) {
		device->ref_count--;
		lcowmig__object_fire(&device->object, DEVICE_RELEASE);
		FLOW_RETURN(flow, LCOWMIG_OK);
	}
	lcowmig__flow_shield(flow, true);
	if (remove_needs_host(vpci, device)) {
		/* While it leaves it is not found: who reserves the device now gets another GUID. */
		lcowmig__vpci_hide(vpci, device);
		FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, vpci->base.env,
						     lcowmig__hcs_vpci_remove(&flow->context->mem, device->text)));
		FLOW_CHECK(flow, remove_result(self));
	}
	lcowmig__object_fire(&device->object, DEVICE_REMOVE);
	lcowmig__vpci_hide(vpci, device);
	lcowmig__controller_forget(&vpci->base, &device->entry);
	FLOW_END(flow);
}

static const lcowmig__work_class remove_class = { { "removing a device", remove_step, NULL, false },
						  sizeof(vpci_work),
						  "lcowmig_vpci_remove: an argument" };

lcowmig__flow *lcowmig__vpci_remove_flow(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_error *error)
{
	return lcowmig__entry_work_new(vpci, device, NULL, error, &remove_class);
}

lcowmig_status lcowmig_vpci_remove(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return lcowmig__entry_work_run(vpci, device, done, user, error, &remove_class);
}
