/* The controller: devices, and the question whether there are none. */
#include "base/text.h"
#include "vpci_private.h"

#include <string.h>

static int compare_identity(const void *key, const lcowmig__node *node)
{
	const lcowmig__device_identity *identity = key;
	const lcowmig__device_identity *other = &LCOWMIG__TREE_ENTRY(node, lcowmig__device, by_identity)->identity;
	int order = strcmp(identity->instance_id, other->instance_id);

	return order ? order : (int)identity->function - (int)other->function;
}

lcowmig_status lcowmig__vpci_new(lcowmig__env *env, lcowmig_vpci **ret_vpci, lcowmig_error *error)
{
	lcowmig_vpci *vpci = lcowmig__controller_new(env, sizeof *vpci, &lcowmig__vpci_machine, "device", error);

	if (!vpci)
		return LCOWMIG_E_NO_MEMORY;
	lcowmig__tree_init(&vpci->by_identity, compare_identity);
	*ret_vpci = vpci;
	return LCOWMIG_OK;
}

void lcowmig__vpci_free(lcowmig_vpci *vpci)
{
	lcowmig__node *node;

	if (!vpci)
		return;
	while ((node = lcowmig__tree_first(&vpci->base.entries)) != NULL)
		lcowmig__controller_forget(&vpci->base, LCOWMIG__TREE_ENTRY(node, lcowmig__entry, node));
	lcowmig__free(&vpci->base.object.context->mem, vpci);
}

void lcowmig__vpci_show(lcowmig_vpci *vpci, lcowmig__device *device)
{
	lcowmig__tree_insert(&vpci->by_identity, &device->identity, &device->by_identity);
}

void lcowmig__vpci_hide(lcowmig_vpci *vpci, lcowmig__device *device)
{
	lcowmig__tree_remove(&vpci->by_identity, &device->by_identity);
}

static lcowmig_status device_new(lcowmig_vpci *vpci, const lcowmig__device_identity *identity, lcowmig__device **ret_device,
                                 lcowmig_error *error)
{
	size_t size = strlen(identity->instance_id) + 1;
	lcowmig__entry *entry = NULL;
	lcowmig_status status = lcowmig__controller_draw(&vpci->base, sizeof(lcowmig__device) + size, &entry, error);
	lcowmig__device *device = (lcowmig__device *)entry;

	if (status != LCOWMIG_OK)
		return status;
	memcpy(device->instance_id, identity->instance_id, size);
	device->identity = (lcowmig__device_identity){ device->instance_id, identity->function };
	lcowmig_guid_format(&entry->id, device->text);
	lcowmig__object_init(&device->object, vpci->base.object.context, &lcowmig__vpci_device_machine, device->text);
	lcowmig__controller_add(&vpci->base, entry);
	lcowmig__vpci_show(vpci, device);
	*ret_device = device;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__vpci_reserve(lcowmig_vpci *vpci, const char *instance_id, uint16_t function, lcowmig_guid *ret_device,
                                     lcowmig_error *error)
{
	lcowmig__device_identity identity = { instance_id, function };
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__device *device;

	if (!lcowmig__text_is_given(instance_id, vpci->base.object.context->limits.path_bytes))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "vPCI: the device instance id is empty, too long or not UTF-8");
	device = LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&vpci->by_identity, &identity), lcowmig__device, by_identity);
	if (!device)
		status = device_new(vpci, &identity, &device, error);
	if (status == LCOWMIG_OK)
		*ret_device = device->entry.id;
	return status;
}

lcowmig_status lcowmig__vpci_capture(const lcowmig_vpci *vpci, lcowmig_error *error)
{
	if (!vpci->base.entries.count)
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "vPCI controller has %zu devices; migrating needs it empty",
	                     vpci->base.entries.count);
}
