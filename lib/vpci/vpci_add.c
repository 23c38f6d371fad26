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
	lcowmig__flow flow;
	lcowmig_vpci *vpci;
	lcowmig_guid id;
	lcowmig__device *device;
	lcowmig_status status;
} vpci_work;

/* Keeps the failure of the await that just ended, saying whose it is. */
static void work_failed(vpci_work *self, const char *doing)
{
	self->status = lcowmig__wrap(self->flow.error, self->flow.result, "vPCI device %s, %.200s/%u (%s): %s", self->device->text,
	                             self->device->instance_id, (unsigned)self->device->function,
	                             lcowmig__object_state_name(&self->device->object), doing);
}

static void ask_add(lcowmig__flow *flow, const vpci_work *self)
{
	const lcowmig__env *env = self->vpci->env;

	lcowmig__hcs_modify(
		flow, env,
		lcowmig__hcs_vpci_add(&env->context->mem, self->device->text, self->device->instance_id, self->device->function));
}

static void ask_remove(lcowmig__flow *flow, const vpci_work *self)
{
	const lcowmig__env *env = self->vpci->env;

	lcowmig__hcs_modify(flow, env, lcowmig__hcs_vpci_remove(&env->context->mem, self->device->text));
}

/* ---- Add ---- */

static lcowmig_status add_begin(vpci_work *self, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__vpci_look_up(self->vpci, &self->id, &self->device, error);

	return status == LCOWMIG_OK ? lcowmig__object_check(&self->device->object, DEVICE_ADD, error) : status;
}

static void add_step(lcowmig__flow *flow)
{
	vpci_work *self = (vpci_work *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &self->vpci->gate));
	self->status = add_begin(self, flow->error);
	if (self->status != LCOWMIG_OK)
		goto out;
	lcowmig__flow_shield(flow, true);
	if (self->device->object.state == DEVICE_RESERVED) {
		FLOW_AWAIT(flow, ask_add(flow, self));
		if (flow->result != LCOWMIG_OK) {
			/* Without memory the host was not asked: nothing has failed that could not be asked again. */
			if (flow->result != LCOWMIG_E_NO_MEMORY)
				lcowmig__object_fire(&self->device->object, DEVICE_ADD_FAILED);
			work_failed(self, "adding it");
			goto out;
		}
		lcowmig__object_fire(&self->device->object, DEVICE_ADD);
		FLOW_AWAIT(flow, lcowmig__guest_add_vpci(flow, self->vpci->env, self->device->text));
		if (flow->result != LCOWMIG_OK) {
			lcowmig__object_fire(&self->device->object, DEVICE_APPEAR_FAILED);
			work_failed(self, "waiting for it in the guest");
			goto out;
		}
		lcowmig__object_fire(&self->device->object, DEVICE_APPEAR);
	} else {
		lcowmig__object_fire(&self->device->object, DEVICE_ADD);
	}
	self->device->ref_count++;
out:
	lcowmig__gate_leave(flow, &self->vpci->gate);
	FLOW_RETURN(flow, self->status);
	FLOW_END(flow);
}

/* ---- Remove ---- */

/* Whether the host has the device, and there still is a machine to have it. */
static bool remove_needs_host(const vpci_work *self)
{
	int state = self->device->object.state;

	return (state == DEVICE_READY || state == DEVICE_ASSIGNED_INVALID) && self->vpci->env->system;
}

static void remove_step(lcowmig__flow *flow)
{
	vpci_work *self = (vpci_work *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &self->vpci->gate));
	self->status = lcowmig__vpci_look_up(self->vpci, &self->id, &self->device, flow->error);
	if (self->status != LCOWMIG_OK)
		goto out;
	if (self->device->ref_count > 1) {
		self->device->ref_count--;
		lcowmig__object_fire(&self->device->object, DEVICE_RELEASE);
		goto out;
	}
	lcowmig__flow_shield(flow, true);
	if (remove_needs_host(self)) {
		/* While it leaves it is not found: who reserves the device now gets another GUID. */
		lcowmig__vpci_hide(self->vpci, self->device);
		FLOW_AWAIT(flow, ask_remove(flow, self));
		if (flow->result != LCOWMIG_OK) {
			lcowmig__vpci_show(self->vpci, self->device);
			if (flow->result != LCOWMIG_E_NO_MEMORY) {
				self->device->ref_count = 0;
				lcowmig__object_fire(&self->device->object, DEVICE_REMOVE_FAILED);
			}
			work_failed(self, "removing it");
			goto out;
		}
	}
	lcowmig__object_fire(&self->device->object, DEVICE_REMOVE);
	lcowmig__vpci_forget(self->vpci, self->device);
out:
	lcowmig__gate_leave(flow, &self->vpci->gate);
	FLOW_RETURN(flow, self->status);
	FLOW_END(flow);
}

/* ---- */

static const lcowmig__flow_class add_class = { "adding a device", add_step, NULL, false };
static const lcowmig__flow_class remove_class = { "removing a device", remove_step, NULL, false };

static lcowmig__flow *work_new(const lcowmig__flow_class *class, lcowmig_vpci *vpci, const lcowmig_guid *id, lcowmig_error *error)
{
	vpci_work *work = lcowmig__flow_new(sizeof *work, class, vpci->object.context, &vpci->object, error);

	if (!work)
		return NULL;
	work->vpci = vpci;
	work->id = *id;
	return &work->flow;
}

lcowmig__flow *lcowmig__vpci_add_flow(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_error *error)
{
	return work_new(&add_class, vpci, device, error);
}

lcowmig__flow *lcowmig__vpci_remove_flow(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_error *error)
{
	return work_new(&remove_class, vpci, device, error);
}
