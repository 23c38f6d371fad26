/* ModifySettings in the mock guest: what is mounted, plugged and wired. */
#include "guest_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *modify_text(const cJSON *settings, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(settings, name));

	return text ? text : "";
}

static uint64_t modify_number(const cJSON *settings, const char *name)
{
	const cJSON *number = cJSON_GetObjectItem(settings, name);

	return cJSON_IsNumber(number) ? (uint64_t)number->valuedouble : 0;
}

/* The link that points to the mount at a path; its target is 0 when there is none. */
static uint64_t *modify_find_mount(mock_guest *guest, const char *path)
{
	uint64_t *at = &guest_edit_root(guest)->mounts;

	while (*at && strcmp(guest_text(guest, MOCK_VIEW(guest->memory, struct guest_mount, *at)->path), path) != 0)
		at = &MOCK_EDIT(guest->memory, struct guest_mount, *at)->next;
	return at;
}

static const char *modify_mount(mock_guest *guest, const char *kind, const char *path, const cJSON *settings)
{
	uint64_t mount;
	struct guest_mount *record;

	if (!*path)
		return NULL;
	if (*modify_find_mount(guest, path))
		return "something is mounted there";
	mount = mock_image_alloc(guest->memory, sizeof *record);
	if (!mount)
		return "the guest is out of memory";
	record = MOCK_EDIT(guest->memory, struct guest_mount, mount);
	record->kind = mock_image_text(guest->memory, kind);
	record->path = mock_image_text(guest->memory, path);
	record->controller = (uint32_t)modify_number(settings, "Controller");
	record->lun = (uint32_t)modify_number(settings, "Lun");
	record->partition = modify_number(settings, "Partition");
	*modify_find_mount(guest, path) = mount;
	return NULL;
}

static const char *modify_unmount(mock_guest *guest, const char *path)
{
	uint64_t *at = modify_find_mount(guest, path);
	uint64_t mount = *at;
	struct guest_mount record;

	if (!mount)
		return *path ? "nothing is mounted there" : NULL;
	record = *MOCK_VIEW(guest->memory, struct guest_mount, mount);
	*at = record.next;
	mock_image_free(guest->memory, record.kind);
	mock_image_free(guest->memory, record.path);
	mock_image_free(guest->memory, mount);
	return NULL;
}

static const char *modify_disk(mock_guest *guest, const char *container, bool add, const cJSON *settings)
{
	(void)container;
	if (modify_number(settings, "Controller") > 3 || modify_number(settings, "Lun") > 63)
		return "no such SCSI device";
	return add ? modify_mount(guest, "disk", modify_text(settings, "MountPath"), settings)
		   : modify_unmount(guest, modify_text(settings, "MountPath"));
}

/* A device can be unplugged only when nothing of it is mounted. */
static const char *modify_scsi_device(mock_guest *guest, const char *container, bool add, const cJSON *settings)
{
	uint64_t at = guest_root(guest)->mounts;

	(void)container;
	if (add)
		return "a SCSI device can only be removed";
	for (; at; at = MOCK_VIEW(guest->memory, struct guest_mount, at)->next) {
		const struct guest_mount *mount = MOCK_VIEW(guest->memory, struct guest_mount, at);

		if (strcmp(guest_text(guest, mount->kind), "disk") == 0 && mount->controller == modify_number(settings, "Controller") &&
		    mount->lun == modify_number(settings, "Lun"))
			return "the device is still mounted";
	}
	return NULL;
}

static const char *modify_layers(mock_guest *guest, const char *container, bool add, const cJSON *settings)
{
	const cJSON *layer;

	(void)container;
	if (!add)
		return modify_unmount(guest, modify_text(settings, "ContainerRootPath"));
	cJSON_ArrayForEach(layer, cJSON_GetObjectItem(settings, "Layers")) {
		if (!*modify_find_mount(guest, modify_text(layer, "Path")))
			return "a layer is not mounted";
	}
	return modify_mount(guest, "overlay", modify_text(settings, "ContainerRootPath"), settings);
}

static const char *modify_directory(mock_guest *guest, const char *container, bool add, const cJSON *settings)
{
	(void)container;
	return add ? modify_mount(guest, "plan9", modify_text(settings, "MountPath"), settings)
		   : modify_unmount(guest, modify_text(settings, "MountPath"));
}

static uint64_t *modify_find_nic(mock_guest *guest, const char *namespace_id, const char *id)
{
	uint64_t *at = &guest_edit_root(guest)->nics;

	while (*at && (strcasecmp(guest_text(guest, MOCK_VIEW(guest->memory, struct guest_nic, *at)->id), id) != 0 ||
		       strcasecmp(guest_text(guest, MOCK_VIEW(guest->memory, struct guest_nic, *at)->namespace_id), namespace_id) != 0))
		at = &MOCK_EDIT(guest->memory, struct guest_nic, *at)->next;
	return at;
}

static const char *modify_add_nic(mock_guest *guest, uint64_t *at, const cJSON *settings)
{
	const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(settings, "IPConfigs"), 0);
	uint64_t nic = mock_image_alloc(guest->memory, sizeof(struct guest_nic));
	struct guest_nic *record;
	char address[128];

	if (!nic)
		return "the guest is out of memory";
	snprintf(address, sizeof address, "%.100s/%llu", modify_text(first, "IPAddress"),
		 (unsigned long long)modify_number(first, "PrefixLength"));
	record = MOCK_EDIT(guest->memory, struct guest_nic, nic);
	record->namespace_id = mock_image_text(guest->memory, modify_text(settings, "NamespaceID"));
	record->id = mock_image_text(guest->memory, modify_text(settings, "ID"));
	record->mac = mock_image_text(guest->memory, modify_text(settings, "MacAddress"));
	record->address = mock_image_text(guest->memory, first ? address : "");
	*at = nic;
	return NULL;
}

static const char *modify_network(mock_guest *guest, const char *container, bool add, const cJSON *settings)
{
	uint64_t *at = modify_find_nic(guest, modify_text(settings, "NamespaceID"), modify_text(settings, "ID"));
	uint64_t nic = *at;
	struct guest_nic record;

	(void)container;
	if (add && guest->faults.refuse_network_add > 0) {
		guest->faults.refuse_network_add--;
		return "the interface does not show up";
	}
	if (add)
		return nic ? "the adapter exists" : modify_add_nic(guest, at, settings);
	if (nic) { /* an adapter that is not known is gone already */
		record = *MOCK_VIEW(guest->memory, struct guest_nic, nic);
		*at = record.next;
		mock_image_free(guest->memory, record.namespace_id);
		mock_image_free(guest->memory, record.id);
		mock_image_free(guest->memory, record.mac);
		mock_image_free(guest->memory, record.address);
		mock_image_free(guest->memory, nic);
	}
	return NULL;
}

static const char *modify_device(mock_guest *guest, const char *container, bool add, const cJSON *settings)
{
	(void)guest;
	(void)container;
	return add && *modify_text(settings, "VMBusGUID") ? NULL : "no such device";
}

static const char *modify_constraints(mock_guest *guest, const char *container, bool add, const cJSON *settings)
{
	(void)add;
	if (!guest_find(guest, container))
		return "container not found";
	return cJSON_IsObject(cJSON_GetObjectItem(settings, "Linux")) ? NULL : "there are no Linux constraints";
}

static const char *modify_nothing(mock_guest *guest, const char *container, bool add, const cJSON *settings)
{
	(void)guest;
	(void)container;
	(void)add;
	(void)settings;
	return NULL;
}

static const struct modify_resource {
	const char *type;
	const char *(*apply)(mock_guest *guest, const char *container, bool add,
			     const cJSON *settings); /* NULL: done, else what is wrong */
	bool without_settings;
} modify_resources[] = {
	{ "MappedVirtualDisk", modify_disk, false },
	{ "SCSIDevice", modify_scsi_device, false },
	{ "CombinedLayers", modify_layers, false },
	{ "Network", modify_network, false },
	{ "MappedDirectory", modify_directory, false },
	{ "VPCIDevice", modify_device, false },
	{ "ContainerConstraints", modify_constraints, false },
	{ "SecurityPolicy", modify_nothing, false },
	{ "SecurityPolicyFragment", modify_nothing, false },
	{ "PodCgroupMemoryLimit", modify_nothing, true },
};

void guest_modify(mock_guest *guest, const struct guest_request *request)
{
	const cJSON *body = cJSON_GetObjectItem(request->json, "Request");
	const cJSON *settings = cJSON_GetObjectItem(body, "Settings");
	const char *type = modify_text(body, "ResourceType");
	const char *problem = NULL;
	size_t i = 0;
	char message[256];

	while (i < sizeof modify_resources / sizeof *modify_resources && strcmp(modify_resources[i].type, type) != 0)
		i++;
	if (i == sizeof modify_resources / sizeof *modify_resources) {
		guest_fail(guest, request, GUEST_E_FAIL, "the resource type is not supported");
		return;
	}
	if (!cJSON_IsObject(settings) && !modify_resources[i].without_settings) {
		guest_fail(guest, request, GUEST_E_INVALID_JSON, "the settings are missing");
		return;
	}
	problem =
		modify_resources[i].apply(guest, request->container_id, strcmp(modify_text(body, "RequestType"), "Remove") != 0, settings);
	if (problem) {
		snprintf(message, sizeof message, "%s %s: %s", modify_text(body, "RequestType"), type, problem);
		guest_fail(guest, request, GUEST_E_FAIL, message);
		return;
	}
	guest_reply(guest, request, NULL);
}
