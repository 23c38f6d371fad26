/* Host devices assigned to a container: each becomes a device on the virtual machine's bus, and the spec names it by its bus GUID. */
#include "container_private.h"

struct devices_flow {
	lcowmig__container_flow base;
	lcowmig__container_plan *plan;
	lcowmig_vpci *vpci;
	size_t next;
};

static lcowmig_status devices_reserve(struct devices_flow *self)
{
	lcowmig_container *container = self->base.container;
	lcowmig__oci_device *device = &self->plan->devices[self->next];
	lcowmig_guid *guid = &container->devices.items[container->devices.count];
	lcowmig_error *error = self->base.flow.error;
	char *text = lcowmig__arena_alloc(&self->plan->arena, LCOWMIG_GUID_TEXT_SIZE);
	lcowmig_status status;

	if (!text)
		return lcowmig__fail_memory(error);
	status = lcowmig__vpci_reserve(self->vpci, device->instance_path, device->virtual_function, guid, error);
	if (status != LCOWMIG_OK)
		return status;
	container->devices.count++;
	lcowmig_guid_format(guid, text);
	device->vmbus_guid = text;
	return LCOWMIG_OK;
}

static void devices_add(struct devices_flow *self)
{
	const lcowmig__guids *devices = &self->base.container->devices;

	lcowmig__flow_child(&self->base.flow, lcowmig__vpci_add_flow(self->vpci, &devices->items[devices->count - 1], NULL));
}

static lcowmig_status devices_prepare(struct devices_flow *self)
{
	lcowmig_container *container = self->base.container;

	if (!self->plan->n_devices)
		return LCOWMIG_OK;
	if (!lcowmig__guids_reserve(&container->env->context->mem, &container->devices, self->plan->n_devices))
		return lcowmig__fail_memory(self->base.flow.error);
	return container->vm->vpci(container->vm->user, &self->vpci, self->base.flow.error);
}

static void devices_step(lcowmig__flow *flow)
{
	struct devices_flow *self = (struct devices_flow *)flow;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	status = devices_prepare(self);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	for (; self->next < self->plan->n_devices; self->next++) {
		status = devices_reserve(self);
		if (status != LCOWMIG_OK)
			FLOW_RETURN(flow, status);
		FLOW_TRY(flow, devices_add(self));
	}
	FLOW_END(flow);
}

static const lcowmig__flow_class devices_class = { .name = "devices", .step = devices_step };

lcowmig__flow *lcowmig__container_devices_flow(lcowmig__container_plan *plan, lcowmig_error *error)
{
	struct devices_flow *self = lcowmig__container_flow_new(plan->container, sizeof *self, &devices_class, false, error);

	if (!self)
		return NULL;
	self->plan = plan;
	return &self->base.flow;
}
