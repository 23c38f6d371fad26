/* The controller: devices, and the question whether there are none. */
#include "base/guid.h"
#include "base/text.h"
#include "vpci_private.h"

#include <string.h>

static int compare_id(const void *key, const lcowmig__node *node)
{
	return lcowmig__guid_compare(key, &LCOWMIG__TREE_ENTRY(node, lcowmig__device, by_id)->id);
}

static int compare_identity(const void *key, const lcowmig__node *node)
{
	const lcowmig__device_identity *identity = key;
	const lcowmig__device *device = LCOWMIG__TREE_ENTRY(node, lcowmig__device, by_identity);
	int order = strcmp(identity->instance_id, device->instance_id);

	return order ? order : (int)identity->function - (int)device->function;
}

lcowmig_status lcowmig__vpci_new(lcowmig__env *env, lcowmig_vpci **ret_vpci, lcowmig_error *error)
{
	lcowmig_vpci *vpci = lcowmig__alloc(&env->context->mem, sizeof *vpci);

	if (!vpci)
		return lcowmig__fail_memory(error);
	lcowmig__object_init(&vpci->object, env->context, &lcowmig__vpci_machine, "controller");
	vpci->env = env;
	lcowmig__gate_init(&vpci->gate);
	lcowmig__tree_init(&vpci->by_id, compare_id);
	lcowmig__tree_init(&vpci->by_identity, compare_identity);
	*ret_vpci = vpci;
	return LCOWMIG_OK;
}

void lcowmig__vpci_free(lcowmig_vpci *vpci)
{
	lcowmig__node *node;

	if (!vpci)
		return;
	while ((node = lcowmig__tree_first(&vpci->by_id)) != NULL)
		lcowmig__vpci_forget(vpci, LCOWMIG__TREE_ENTRY(node, lcowmig__device, by_id));
	lcowmig__free(&vpci->object.context->mem, vpci);
}

lcowmig_status lcowmig__vpci_look_up(const lcowmig_vpci *vpci, const lcowmig_guid *id, lcowmig__device **ret_device, lcowmig_error *error)
{
	char text[LCOWMIG_GUID_TEXT_SIZE];

	*ret_device = LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&vpci->by_id, id), lcowmig__device, by_id);
	if (*ret_device)
		return LCOWMIG_OK;
	lcowmig_guid_format(id, text);
	return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "vPCI: device %s not found", text);
}

void lcowmig__vpci_show(lcowmig_vpci *vpci, lcowmig__device *device)
{
	lcowmig__device_identity identity = { device->instance_id, device->function };

	lcowmig__tree_insert(&vpci->by_identity, &identity, &device->by_identity);
}

void lcowmig__vpci_hide(lcowmig_vpci *vpci, lcowmig__device *device)
{
	lcowmig__tree_remove(&vpci->by_identity, &device->by_identity);
}

static void device_free(const lcowmig__mem *mem, lcowmig__device *device)
{
	lcowmig__free(mem, device->instance_id);
	lcowmig__free(mem, device);
}

void lcowmig__vpci_forget(lcowmig_vpci *vpci, lcowmig__device *device)
{
	lcowmig__tree_remove(&vpci->by_id, &device->by_id);
	lcowmig__vpci_hide(vpci, device);
	device_free(&vpci->object.context->mem, device);
}

static lcowmig_status device_new(lcowmig_vpci *vpci, const lcowmig__device_identity *identity, lcowmig__device **ret_device,
                                 lcowmig_error *error)
{
	const lcowmig__mem *mem = &vpci->object.context->mem;
	lcowmig__device *device = lcowmig__alloc(mem, sizeof *device);
	lcowmig_status status;

	if (!device)
		return lcowmig__fail_memory(error);
	status = lcowmig__random_guid(vpci->object.context, &device->id, error);
	if (status == LCOWMIG_OK && lcowmig__tree_find(&vpci->by_id, &device->id))
		status = lcowmig__fail(error, LCOWMIG_E_HOST_FAILED, "vPCI: the platform's random bytes repeat themselves");
	if (status == LCOWMIG_OK) {
		device->instance_id = lcowmig__strdup(mem, identity->instance_id);
		if (!device->instance_id)
			status = lcowmig__fail_memory(error);
	}
	if (status != LCOWMIG_OK) {
		device_free(mem, device);
		return status;
	}
	device->function = identity->function;
	lcowmig_guid_format(&device->id, device->text);
	lcowmig__object_init(&device->object, vpci->object.context, &lcowmig__vpci_device_machine, device->text);
	*ret_device = device;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__vpci_reserve(lcowmig_vpci *vpci, const char *instance_id, uint16_t function, lcowmig_guid *ret_device,
                                     lcowmig_error *error)
{
	const lcowmig_limits *limits = &vpci->object.context->limits;
	lcowmig__device_identity identity = { instance_id, function };
	lcowmig__device *device = NULL;
	lcowmig_status status;

	if (lcowmig__text_is_empty(instance_id) || !lcowmig__text_is_fine(instance_id, limits->path_bytes))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "vPCI: the device instance id is empty, too long or not UTF-8");
	device = LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&vpci->by_identity, &identity), lcowmig__device, by_identity);
	if (!device) {
		if (vpci->by_id.count >= limits->reservations)
			return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "vPCI: there are %u devices already",
					     (unsigned)limits->reservations);
		status = device_new(vpci, &identity, &device, error);
		if (status != LCOWMIG_OK)
			return status;
		lcowmig__tree_insert(&vpci->by_id, &device->id, &device->by_id);
		lcowmig__vpci_show(vpci, device);
	}
	*ret_device = device->id;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__vpci_capture(const lcowmig_vpci *vpci, lcowmig_error *error)
{
	if (!vpci->by_id.count)
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "vPCI controller has %zu devices; migrating needs it empty",
	                     vpci->by_id.count);
}
