/* Host devices assigned to a container: each becomes a device on the virtual machine's bus, and the spec names it by its bus GUID. */
#include "container_private.h"

struct devices_flow {
	lcowmig__container_part part;
	lcowmig_vpci *vpci;
	size_t next;
};

static lcowmig_status devices_reserve(struct devices_flow *self)
{
	lcowmig__container_plan *plan = self->part.plan;
	lcowmig__oci_device *device = &plan->devices[self->next];
	lcowmig__guids *devices = &plan->container->devices;
	lcowmig_guid *guid = &devices->items[devices->count];
	lcowmig_error *error = self->part.base.flow.error;
	char *text = lcowmig__arena_alloc(plan->arena, LCOWMIG_GUID_TEXT_SIZE);
	lcowmig_status status;

	if (!text)
		return lcowmig__fail_memory(error);
	status = lcowmig__vpci_reserve(self->vpci, device->instance_path, device->virtual_function, guid, error);
	if (status != LCOWMIG_OK)
		return status;
	devices->count++;
	lcowmig_guid_format(guid, text);
	device->vmbus_guid = text;
	return LCOWMIG_OK;
}

static void devices_add(struct devices_flow *self)
{
	const lcowmig__guids *devices = &self->part.plan->container->devices;

	lcowmig__flow_child(&self->part.base.flow, lcowmig__vpci_add_flow(self->vpci, &devices->items[devices->count - 1], NULL));
}

static lcowmig_status devices_prepare(struct devices_flow *self)
{
	const lcowmig__container_plan *plan = self->part.plan;
	const lcowmig__container_vm *vm = plan->container->vm;
	lcowmig_error *error = self->part.base.flow.error;

	if (!plan->n_devices)
		return LCOWMIG_OK;
	if (!lcowmig__guids_reserve(plan->container, &plan->container->devices, plan->n_devices))
		return lcowmig__fail_memory(error);
	return vm->vpci(vm->user, &self->vpci, error);
}

static void devices_step(lcowmig__flow *flow)
{
	struct devices_flow *self = (struct devices_flow *)flow;

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, devices_prepare(self));
	for (; self->next < self->part.plan->n_devices; self->next++) {
		FLOW_CHECK(flow, devices_reserve(self));
		FLOW_TRY(flow, devices_add(self));
	}
	FLOW_END(flow);
}

static const lcowmig__flow_class devices_class = { .name = "devices", .step = devices_step };

lcowmig__flow *lcowmig__container_devices_flow(lcowmig__container_plan *plan)
{
	return lcowmig__container_part_flow(plan, sizeof(struct devices_flow), &devices_class);
}
