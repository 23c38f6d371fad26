/* Documents the mock compute system takes. Strict on purpose: what it does not know, it refuses, as the real one does. */
#include "hcs_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const hcs_controllers[HCS_CONTROLLERS] = {
	"df6d0690-79e5-55b6-a5ec-c1e2f77f580a",
	"0110f83b-de10-5172-a266-78bca56bf50a",
	"b5d2d8d4-3a75-51bf-945b-3444dc6b8579",
	"305891a9-b251-5dfe-91a2-c25d9212275b",
};

static bool hcs_wrong(hcs_reason *ret_reason, const char *what, const char *name)
{
	snprintf(ret_reason->text, sizeof ret_reason->text, "%.100s %.90s", what, name ? name : "");
	return false;
}

cJSON *hcs_parse(const char *text, hcs_reason *ret_reason)
{
	cJSON *json = cJSON_ParseWithOpts(text, NULL, true);

	if (cJSON_IsObject(json))
		return json;
	cJSON_Delete(json);
	hcs_wrong(ret_reason, "the document is no JSON object", NULL);
	return NULL;
}

bool hcs_only(const cJSON *object, const char *const *keys, const char *what, hcs_reason *ret_reason)
{
	const cJSON *member;

	if (object && !cJSON_IsObject(object))
		return hcs_wrong(ret_reason, what, "is no object");
	cJSON_ArrayForEach(member, object) {
		size_t i = 0;

		while (keys[i] && strcasecmp(keys[i], member->string) != 0)
			i++;
		if (!keys[i]) {
			snprintf(ret_reason->text, sizeof ret_reason->text, "%.60s has an unknown member %.100s", what, member->string);
			return false;
		}
	}
	return true;
}

const char *hcs_text(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));

	return text ? text : "";
}

int hcs_controller(const char *guid, size_t length)
{
	for (unsigned i = 0; i < HCS_CONTROLLERS; i++) {
		if (length == strlen(hcs_controllers[i]) && strncasecmp(guid, hcs_controllers[i], length) == 0)
			return (int)i;
	}
	return -1;
}

static bool hcs_read_disk(hcs_vm *vm, unsigned controller, const cJSON *attachment, hcs_reason *ret_reason)
{
	static const char *const keys[] = { "Type", "Path", "ReadOnly", "ExtensibleVirtualDiskType", NULL };
	char *end;
	unsigned long lun = strtoul(attachment->string, &end, 10);

	if (!hcs_only(attachment, keys, "an attachment", ret_reason))
		return false;
	if (*end || end == attachment->string || lun >= HCS_LUNS)
		return hcs_wrong(ret_reason, "there is no LUN", attachment->string);
	if (!*hcs_text(attachment, "Path"))
		return hcs_wrong(ret_reason, "an attachment has no path: LUN", attachment->string);
	vm->disks[controller][lun].path = mock_strdup(hcs_text(attachment, "Path"));
	vm->disks[controller][lun].read_only = cJSON_IsTrue(cJSON_GetObjectItem(attachment, "ReadOnly"));
	return true;
}

static bool hcs_read_scsi(hcs_vm *vm, const cJSON *scsi, hcs_reason *ret_reason)
{
	static const char *const keys[] = { "Attachments", NULL };
	const cJSON *controller, *attachment;

	cJSON_ArrayForEach(controller, scsi) {
		int number = hcs_controller(controller->string, strlen(controller->string));

		if (number < 0)
			return hcs_wrong(ret_reason, "there is no SCSI controller", controller->string);
		if (!hcs_only(controller, keys, "a SCSI controller", ret_reason))
			return false;
		cJSON_ArrayForEach(attachment, cJSON_GetObjectItem(controller, "Attachments")) {
			if (!hcs_read_disk(vm, (unsigned)number, attachment, ret_reason))
				return false;
		}
	}
	return true;
}

char *hcs_compatibility(const hcs_vm *vm)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[96];
	size_t n = (size_t)snprintf(text, sizeof text, "%s cpu=%u page=%u", HCS_COMPATIBILITY, (unsigned)vm->processors, MOCK_PAGE_SIZE);
	char *coded = mock_alloc(2 * sizeof text);
	char *at = coded;

	while (n % 3) /* so that no padding is needed */
		text[n++] = ' ';
	for (size_t i = 0; i < n; i += 3) {
		uint32_t bits = (uint32_t)(uint8_t)text[i] << 16 | (uint32_t)(uint8_t)text[i + 1] << 8 | (uint8_t)text[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			*at++ = letters[bits >> shift & 63];
	}
	return coded;
}

static bool hcs_read_migration(hcs_vm *vm, const cJSON *options, hcs_reason *ret_reason)
{
	static const char *const keys[] = { "Origin",
					    "MemoryTransport",
					    "MemoryTransferThrottleParams",
					    "CompressionSettings",
					    "ChecksumVerification",
					    "PerfTracingEnabled",
					    "CancelIfBlackoutThresholdExceeds",
					    "PrepareMemoryTransferMode",
					    "CompatibilityData",
					    NULL };
	const cJSON *passes =
		cJSON_GetObjectItem(cJSON_GetObjectItem(options, "MemoryTransferThrottleParams"), "MaximumNumberOfBrownoutTransferPasses");
	char *expected;
	bool agrees;

	if (!options)
		return true;
	if (!hcs_only(options, keys, "MigrationOptions", ret_reason))
		return false;
	if (strcmp(hcs_text(options, "Origin"), "Destination") != 0)
		return hcs_wrong(ret_reason, "a document is for a destination, not for origin", hcs_text(options, "Origin"));
	expected = hcs_compatibility(vm);
	agrees = strcmp(expected, hcs_text(cJSON_GetObjectItem(options, "CompatibilityData"), "Data")) == 0;
	free(expected);
	if (!agrees)
		return hcs_wrong(ret_reason, "the source's compatibility data does not fit this host", NULL);
	if (cJSON_IsNumber(passes))
		vm->maximum_passes = (uint32_t)passes->valuedouble;
	vm->is_destination = true;
	return true;
}

bool hcs_read_document(hcs_vm *vm, const cJSON *document, hcs_reason *ret_reason)
{
	static const char *const top[] = { "Owner", "SchemaVersion", "VirtualMachine", "ShouldTerminateOnLastHandleClosed", NULL };
	static const char *const machine[] = { "StopOnReset",      "Chipset",    "ComputeTopology",     "Devices",
					       "MigrationOptions", "StorageQoS", "ResourcePartitionId", NULL };
	static const char *const devices[] = { "Scsi", "HvSocket", "ComPorts", "Plan9", "VirtualPci", NULL };
	const cJSON *vm_json = cJSON_GetObjectItem(document, "VirtualMachine");
	const cJSON *topology = cJSON_GetObjectItem(vm_json, "ComputeTopology");
	const cJSON *size = cJSON_GetObjectItem(cJSON_GetObjectItem(topology, "Memory"), "SizeInMB");
	const cJSON *count = cJSON_GetObjectItem(cJSON_GetObjectItem(topology, "Processor"), "Count");
	const cJSON *device_json = cJSON_GetObjectItem(vm_json, "Devices");

	if (!hcs_only(document, top, "the document", ret_reason) || !hcs_only(vm_json, machine, "VirtualMachine", ret_reason) ||
	    !hcs_only(device_json, devices, "Devices", ret_reason))
		return false;
	if (!cJSON_IsObject(vm_json))
		return hcs_wrong(ret_reason, "the document has no", "VirtualMachine");
	if (!cJSON_IsObject(cJSON_GetObjectItem(document, "SchemaVersion")))
		return hcs_wrong(ret_reason, "the document has no", "SchemaVersion");
	vm->memory_mb = cJSON_IsNumber(size) ? (uint64_t)size->valuedouble : 1024;
	vm->processors = cJSON_IsNumber(count) ? (uint32_t)count->valuedouble : 2;
	if (vm->memory_mb < 8 || vm->memory_mb > 8192)
		return hcs_wrong(ret_reason, "a mock machine has between 8 and 8192 MB", NULL);
	return hcs_read_scsi(vm, cJSON_GetObjectItem(device_json, "Scsi"), ret_reason) &&
	       hcs_read_migration(vm, cJSON_GetObjectItem(vm_json, "MigrationOptions"), ret_reason);
}

void hcs_list_disks(const hcs_vm *vm, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned controller = 0; controller < HCS_CONTROLLERS; controller++) {
		for (unsigned lun = 0; lun < HCS_LUNS && used < size; lun++) {
			if (vm->disks[controller][lun].path)
				used += (size_t)snprintf(text + used, size - used, "%s%u:%u", used ? "," : "", controller, lun);
		}
	}
}

bool hcs_is_granted(const mock_hcs *hcs, const char *id, const char *path)
{
	const hcs_grant *grant = hcs->grants;

	while (grant && (strcmp(grant->path, path) != 0 || strcmp(grant->id, id) != 0))
		grant = grant->next;
	return grant != NULL;
}
