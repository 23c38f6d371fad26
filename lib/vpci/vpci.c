#include "private.h"

#include <string.h>

#include "base/guid.h"
#include "guest/guest.h"
#include "hcs/documents.h"

typedef struct device_identity {
	const char *instance_id;
	uint16_t function;
} device_identity;

static int compare_guid(const void *key, const lcowmig__node *node)
{
	return lcowmig__guid_compare(key, &LCOWMIG__TREE_ENTRY(node, vpci_device, by_guid)->guid);
}

static int compare_identity(const void *key, const lcowmig__node *node)
{
	const device_identity *wanted = key;
	const vpci_device *device = LCOWMIG__TREE_ENTRY(node, vpci_device, by_identity);
	int order = strcmp(wanted->instance_id, device->instance_id);

	return order ? order : (int)wanted->function - (int)device->function;
}

lcowmig_status lcowmig__vpci_new(lcowmig__env *env, lcowmig_vpci **ret_vpci, lcowmig_error *error)
{
	lcowmig_vpci *vpci = lcowmig__alloc(&env->context->mem, sizeof *vpci);

	if (!vpci)
		return lcowmig__fail_memory(error);
	lcowmig__object_init(&vpci->object, env->context, &lcowmig__vpci_machine, "");
	vpci->env = env;
	lcowmig__gate_init(&vpci->gate);
	lcowmig__tree_init(&vpci->devices, compare_guid);
	lcowmig__tree_init(&vpci->identities, compare_identity);
	*ret_vpci = vpci;
	return LCOWMIG_OK;
}

static void device_forget(lcowmig_vpci *vpci, vpci_device *device)
{
	lcowmig__tree_remove(&vpci->devices, &device->by_guid);
	lcowmig__tree_remove(&vpci->identities, &device->by_identity);
	lcowmig__free(&vpci->env->context->mem, device);
}

void lcowmig__vpci_free(lcowmig_vpci *vpci)
{
	lcowmig__node *node, *following;

	if (!vpci)
		return;
	LCOWMIG__TREE_EACH (node, following, &vpci->devices)
		device_forget(vpci, LCOWMIG__TREE_ENTRY(node, vpci_device, by_guid));
	lcowmig__free(&vpci->env->context->mem, vpci);
}

static vpci_device *device_find(const lcowmig_vpci *vpci, const lcowmig_guid *guid)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&vpci->devices, guid), vpci_device, by_guid);
}

lcowmig_status lcowmig__vpci_reserve(lcowmig_vpci *vpci, const char *instance_id, uint16_t function, lcowmig_guid *ret_device,
                                     lcowmig_error *error)
{
	device_identity identity = { instance_id, function };
	lcowmig_context *context = vpci->env->context;
	lcowmig_status status;
	vpci_device *device;
	size_t length;

	if (!instance_id || !instance_id[0])
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "vPCI device: the instance id is empty, expected that of a host device");
	device = LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&vpci->identities, &identity), vpci_device, by_identity);
	if (device) {
		*ret_device = device->guid;
		return LCOWMIG_OK;
	}
	length = strlen(instance_id);
	device = lcowmig__alloc(&context->mem, sizeof *device + length + 1);
	if (!device)
		return lcowmig__fail_memory(error);
	status = lcowmig__random_guid(context, &device->guid, error);
	if (status != LCOWMIG_OK) {
		lcowmig__free(&context->mem, device);
		return status;
	}
	memcpy(device->instance_id, instance_id, length);
	device->function = function;
	lcowmig_guid_format(&device->guid, device->guid_text);
	lcowmig__object_init(&device->object, context, &lcowmig__vpci_device_machine, device->guid_text);
	lcowmig__tree_insert(&vpci->devices, &device->guid, &device->by_guid);
	lcowmig__tree_insert(&vpci->identities, &identity, &device->by_identity);
	*ret_device = device->guid;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__vpci_capture(const lcowmig_vpci *vpci, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check_idle(&vpci->object, error);

	if (status != LCOWMIG_OK)
		return status;
	if (vpci->devices.count)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
		                     "vPCI controller: %zu devices are assigned or reserved; a machine that migrates has none", vpci->devices.count);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_vpci_reserve(lcowmig_vpci *vpci, const char *instance_id, uint16_t function, lcowmig_guid *ret_device,
                                    lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig_status status;

	if (!vpci || !ret_device)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "vPCI reserve: vpci or ret_device is NULL");
	lcowmig__enter(vpci->env->context, &pump);
	status = lcowmig__vpci_reserve(vpci, instance_id, function, ret_device, error);
	lcowmig__leave(vpci->env->context, &pump);
	return status;
}

lcowmig_status lcowmig_vpci_save(lcowmig_vpci *vpci, lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig_status status;

	if (!vpci)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "vPCI save: vpci is NULL");
	lcowmig__enter(vpci->env->context, &pump);
	status = lcowmig__vpci_capture(vpci, error);
	lcowmig__leave(vpci->env->context, &pump);
	return status;
}

/* ---- Adding and removing ---- */

typedef struct device_flow {
	lcowmig__flow flow;
	lcowmig_vpci *vpci;
	lcowmig_guid guid;
	vpci_device *device; /* while the gate is held */
} device_flow;

/* Behind the gate: the device as it is now. */
static lcowmig_status device_look_up(device_flow *self, device_trigger trigger)
{
	char text[LCOWMIG_GUID_TEXT_SIZE];

	self->device = device_find(self->vpci, &self->guid);
	if (self->device)
		return lcowmig__object_check(&self->device->object, (int)trigger, &self->flow.error);
	lcowmig_guid_format(&self->guid, text);
	return lcowmig__fail(&self->flow.error, LCOWMIG_E_NOT_FOUND, "vPCI device %s is not reserved", text);
}

static char *device_add_document(const device_flow *self)
{
	return lcowmig__hcs_vpci_add(&self->flow.context->mem, self->device->guid_text, self->device->instance_id, self->device->function);
}

static void device_add_step(lcowmig__flow *flow)
{
	device_flow *self = (device_flow *)flow;
	lcowmig__env *env = self->vpci->env;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &self->vpci->gate));
	lcowmig__flow_shield(flow, true); /* the host takes nothing back */
	flow->result = device_look_up(self, DEVICE_ADD);
	if (flow->result != LCOWMIG_OK)
		goto leave;
	if (self->device->object.state == DEVICE_READY) {
		self->device->users++;
		goto leave;
	}
	FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, env, device_add_document(self)));
	lcowmig__object_fire(&self->device->object, flow->result == LCOWMIG_OK ? DEVICE_HOST_ADDED : DEVICE_HOST_REFUSED);
	if (flow->result != LCOWMIG_OK)
		goto leave;
	FLOW_AWAIT(flow, lcowmig__guest_add_vpci(flow, env, self->device->guid_text));
	lcowmig__object_fire(&self->device->object, flow->result == LCOWMIG_OK ? DEVICE_GUEST_ADDED : DEVICE_GUEST_REFUSED);
	if (flow->result == LCOWMIG_OK)
		self->device->users = 1;
leave:
	lcowmig__gate_leave(flow, &self->vpci->gate);
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__wrap(&flow->error, flow->result, "vPCI add"));
	FLOW_END(flow);
}

static const lcowmig__flow_class device_add_class = { .name = "vPCI add", .step = device_add_step };

/* Whether the host has the device, so that it must be asked to remove it. */
static bool device_is_on_host(const vpci_device *device)
{
	return device->object.state == DEVICE_READY || device->object.state == DEVICE_ASSIGNED_INVALID;
}

static void device_remove_step(lcowmig__flow *flow)
{
	device_flow *self = (device_flow *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &self->vpci->gate));
	lcowmig__flow_shield(flow, true); /* the host takes nothing back */
	flow->result = device_look_up(self, DEVICE_REMOVE);
	if (flow->result != LCOWMIG_OK)
		goto leave;
	if (self->device->users > 1) {
		self->device->users--;
		goto leave;
	}
	self->device->users = 0;
	if (device_is_on_host(self->device)) {
		FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, self->vpci->env,
		                                     lcowmig__hcs_vpci_remove(&flow->context->mem, self->device->guid_text)));
		if (flow->result != LCOWMIG_OK) {
			lcowmig__object_fire(&self->device->object, DEVICE_REMOVE_FAILED);
			goto leave;
		}
	}
	lcowmig__object_fire(&self->device->object, DEVICE_REMOVE);
	device_forget(self->vpci, self->device);
leave:
	lcowmig__gate_leave(flow, &self->vpci->gate);
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__wrap(&flow->error, flow->result, "vPCI remove"));
	FLOW_END(flow);
}

static const lcowmig__flow_class device_remove_class = { .name = "vPCI remove", .step = device_remove_step };

static lcowmig__flow *device_flow_new(lcowmig_vpci *vpci, const lcowmig__flow_class *class, const lcowmig_guid *guid, lcowmig_error *error)
{
	device_flow *self = lcowmig__flow_new(sizeof *self, class, vpci->env->context, &vpci->object, error);

	if (!self)
		return NULL;
	self->vpci = vpci;
	self->guid = *guid;
	return &self->flow;
}

lcowmig__flow *lcowmig__vpci_add_flow(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_error *error)
{
	return device_flow_new(vpci, &device_add_class, device, error);
}

lcowmig__flow *lcowmig__vpci_remove_flow(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_error *error)
{
	return device_flow_new(vpci, &device_remove_class, device, error);
}

static lcowmig_status device_run(lcowmig_vpci *vpci, const lcowmig__flow_class *class, const lcowmig_guid *device, lcowmig_done_fn done,
                                 void *user, lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig__flow *flow;

	if (!vpci || !device)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s: vpci or device is NULL", class->name);
	lcowmig__enter(vpci->env->context, &pump);
	flow = device_flow_new(vpci, class, device, error);
	return lcowmig__leave_with(vpci->env->context, &pump, flow ? LCOWMIG_OK : LCOWMIG_E_NO_MEMORY, flow, done, user, error);
}

lcowmig_status lcowmig_vpci_add(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return device_run(vpci, &device_add_class, device, done, user, error);
}

lcowmig_status lcowmig_vpci_remove(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return device_run(vpci, &device_remove_class, device, done, user, error);
}
