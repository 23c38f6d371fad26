#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "document_parts.h"
#include "documents.h"

/* Flags of a Plan9 share. */
#define PLAN9_READ_ONLY 0x01u
#define PLAN9_LINUX_METADATA 0x04u
#define PLAN9_RESTRICT_FILE_ACCESS 0x80u

/* Takes `settings`; `ok` false means that building them failed. */
static char *modify_print(const lcowmig__mem *mem, const char *path, const char *type, cJSON *settings, bool ok)
{
	cJSON *request = cJSON_CreateObject();
	char *text = NULL;

	ok = ok && lcowmig__json_add_string(request, "ResourcePath", path) && lcowmig__json_add_string(request, "RequestType", type);
	if (ok && settings) {
		ok = lcowmig__json_add_item(request, "Settings", settings);
		settings = NULL; /* the request has it now, or it is gone */
	}
	if (ok)
		text = lcowmig__json_print(mem, request);
	cJSON_Delete(settings);
	cJSON_Delete(request);
	return text;
}

char *lcowmig__hcs_modify_request(const lcowmig__mem *mem, const char *path, const char *type, cJSON *settings)
{
	return modify_print(mem, path, type, settings, true);
}

/* For paths that end in a caller's name, whose length nothing bounds. */
static char *modify_print_at(const lcowmig__mem *mem, const char *folder, const char *name, const char *type, cJSON *settings, bool ok)
{
	lcowmig__buf path;
	char *text;

	lcowmig__buf_init(&path, mem);
	lcowmig__buf_text(&path, folder);
	lcowmig__buf_text(&path, name);
	text = modify_print(mem, path.failed ? "" : path.data, type, settings, ok && !path.failed);
	lcowmig__buf_done(&path);
	return text;
}

bool lcowmig__hcs_fill_attachment(cJSON *object, const lcowmig__hcs_attachment *attachment)
{
	return lcowmig__json_add_string(object, "Type", attachment->type) && lcowmig__json_add_string(object, "Path", attachment->path) &&
	       lcowmig__json_add_bool(object, "ReadOnly", attachment->read_only) &&
	       lcowmig__json_add_string(object, "ExtensibleVirtualDiskType", attachment->evd_type);
}

static char *modify_scsi(const lcowmig__mem *mem, uint32_t controller, uint32_t lun, const char *type, cJSON *settings, bool ok)
{
	char path[128];

	snprintf(path, sizeof path, "VirtualMachine/Devices/Scsi/%s/Attachments/%" PRIu32, lcowmig__hcs_scsi_controller(controller), lun);
	return modify_print(mem, path, type, settings, ok);
}

char *lcowmig__hcs_scsi_add(const lcowmig__mem *mem, const lcowmig__hcs_attachment *attachment)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__hcs_fill_attachment(settings, attachment);

	return modify_scsi(mem, attachment->controller, attachment->lun, "Add", settings, ok);
}

char *lcowmig__hcs_scsi_remove(const lcowmig__mem *mem, uint32_t controller, uint32_t lun)
{
	return modify_scsi(mem, controller, lun, "Remove", NULL, true);
}

static char *modify_nic(const lcowmig__mem *mem, const char *type, const char *nic_id, const char *endpoint_id, const char *mac_address)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(settings, "EndpointId", endpoint_id) &&
		  lcowmig__json_add_string(settings, "MacAddress", mac_address);

	return modify_print_at(mem, "VirtualMachine/Devices/NetworkAdapters/", nic_id, type, settings, ok);
}

char *lcowmig__hcs_nic_add(const lcowmig__mem *mem, const char *nic_id, const char *endpoint_id, const char *mac_address)
{
	return modify_nic(mem, "Add", nic_id, endpoint_id, mac_address);
}

char *lcowmig__hcs_nic_remove(const lcowmig__mem *mem, const char *nic_id, const char *endpoint_id, const char *mac_address)
{
	return modify_nic(mem, "Remove", nic_id, endpoint_id, mac_address);
}

char *lcowmig__hcs_vpci_add(const lcowmig__mem *mem, const char *vmbus_guid, const char *instance_path, uint16_t virtual_function)
{
	cJSON *settings = cJSON_CreateObject();
	cJSON *functions = cJSON_CreateArray();
	cJSON *function = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(function, "DeviceInstancePath", instance_path) &&
		  lcowmig__json_add_uint64(function, "VirtualFunction", virtual_function);

	if (!cJSON_AddItemToArray(functions, function)) /* also when either is NULL */
		cJSON_Delete(function);
	ok = lcowmig__json_add_item(settings, "Functions", functions) && ok;
	ok = ok && lcowmig__json_add_bool(settings, "PropagateNumaAffinity", true);
	return modify_print_at(mem, "VirtualMachine/Devices/VirtualPci/", vmbus_guid, "Add", settings, ok);
}

char *lcowmig__hcs_vpci_remove(const lcowmig__mem *mem, const char *vmbus_guid)
{
	return modify_print_at(mem, "VirtualMachine/Devices/VirtualPci/", vmbus_guid, "Remove", NULL, true);
}

static bool modify_fill_share(cJSON *settings, const char *name, const char *path)
{
	return lcowmig__json_add_string(settings, "Name", name) && lcowmig__json_add_string(settings, "AccessName", name) &&
	       lcowmig__json_add_string(settings, "Path", path) && lcowmig__json_add_uint64(settings, "Port", LCOWMIG__PLAN9_PORT);
}

char *lcowmig__hcs_plan9_add(const lcowmig__mem *mem, const lcowmig__hcs_plan9_share *share)
{
	uint32_t flags =
		PLAN9_LINUX_METADATA | (share->read_only ? PLAN9_READ_ONLY : 0) | (share->restrict_files ? PLAN9_RESTRICT_FILE_ACCESS : 0);
	cJSON *settings = cJSON_CreateObject();
	bool ok = modify_fill_share(settings, share->name, share->path) && lcowmig__json_add_uint64(settings, "Flags", flags);
	cJSON *files = NULL;
	size_t i;

	if (ok && share->n_allowed_files) {
		files = cJSON_AddArrayToObject(settings, "AllowedFiles");
		ok = files != NULL;
	}
	for (i = 0; ok && i < share->n_allowed_files; i++) {
		cJSON *file = cJSON_CreateString(share->allowed_files[i]);

		ok = cJSON_AddItemToArray(files, file);
	}
	return modify_print(mem, "VirtualMachine/Devices/Plan9/Shares", "Add", settings, ok);
}

char *lcowmig__hcs_plan9_remove(const lcowmig__mem *mem, const char *name)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = modify_fill_share(settings, name, NULL);

	return modify_print(mem, "VirtualMachine/Devices/Plan9/Shares", "Remove", settings, ok);
}

char *lcowmig__hcs_memory(const lcowmig__mem *mem, uint64_t size_mb)
{
	char number[24];
	cJSON *settings;

	snprintf(number, sizeof number, "%" PRIu64, size_mb);
	settings = cJSON_CreateRaw(number);
	return modify_print(mem, "VirtualMachine/ComputeTopology/Memory/SizeInMB", NULL, settings, settings != NULL);
}

char *lcowmig__hcs_cpu_group(const lcowmig__mem *mem, const char *id)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(settings, "Id", id);

	return modify_print(mem, "VirtualMachine/ComputeTopology/Processor/CpuGroup", NULL, settings, ok);
}

char *lcowmig__hcs_cpu_limits_request(const lcowmig__mem *mem, const lcowmig__hcs_cpu_limits *limits)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_uint64(settings, "Limit", limits->limit) &&
		  lcowmig__json_add_uint64(settings, "Weight", limits->weight) &&
		  lcowmig__json_add_uint64(settings, "Reservation", limits->reservation) &&
		  lcowmig__json_add_uint64(settings, "MaximumFrequencyMHz", limits->maximum_frequency_mhz);

	return modify_print(mem, "VirtualMachine/ComputeTopology/Processor/Limits", NULL, settings, ok);
}
