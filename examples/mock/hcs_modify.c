/* HcsModifyComputeSystem: disks and NICs come and go, memory and processors change. */
#include "hcs_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct modify {
	mock_call *job;
	hcs_vm *vm;
	const char *rest; /* of the path, behind what has been recognised */
	bool add;
	const cJSON *settings;
};

static void modify_done(const struct modify *modify)
{
	lcowmig_call_complete(modify->job->call, LCOWMIG_OK);
}

static void modify_disk(const struct modify *modify)
{
	static const char attachments[] = "/Attachments/";
	const char *at = strchr(modify->rest, '/');
	int controller = at ? hcs_controller(modify->rest, (size_t)(at - modify->rest)) : -1;
	char *end = NULL;
	unsigned long lun = HCS_LUNS;
	hcs_disk *disk;

	if (controller >= 0 && strncasecmp(at, attachments, strlen(attachments)) == 0)
		lun = strtoul(at + strlen(attachments), &end, 10);
	if (lun >= HCS_LUNS || *end) {
		mock_call_fail(modify->job->call, HCS_E_INVALID_JSON, "there is no SCSI slot %s", modify->rest);
		return;
	}
	disk = &modify->vm->disks[controller][lun];
	if (modify->add && disk->path) {
		mock_call_fail(modify->job->call, HCS_E_EXISTS, "slot %d:%lu has the disk %s", controller, lun, disk->path);
	} else if (modify->add && !*hcs_text(modify->settings, "Path")) {
		mock_call_fail(modify->job->call, HCS_E_INVALID_JSON, "the disk for slot %d:%lu has no path", controller, lun);
	} else if (!modify->add && !disk->path) {
		mock_call_fail(modify->job->call, HCS_E_NOT_FOUND, "slot %d:%lu is empty", controller, lun);
	} else {
		free(disk->path);
		disk->path = modify->add ? mock_strdup(hcs_text(modify->settings, "Path")) : NULL;
		disk->read_only = cJSON_IsTrue(cJSON_GetObjectItem(modify->settings, "ReadOnly"));
		modify_done(modify);
	}
}

static void modify_nic(const struct modify *modify)
{
	hcs_nic **at = &modify->vm->nics;
	hcs_nic *nic;

	while (*at && strcasecmp((*at)->id, modify->rest) != 0)
		at = &(*at)->next;
	nic = *at;
	if (modify->add && nic) {
		mock_call_fail(modify->job->call, HCS_E_EXISTS, "there is a NIC %s", modify->rest);
	} else if (!modify->add && !nic) {
		mock_call_fail(modify->job->call, HCS_E_NOT_FOUND, "there is no NIC %s", modify->rest);
	} else if (modify->add) {
		nic = mock_alloc(sizeof *nic);
		nic->id = mock_strdup(modify->rest);
		nic->endpoint_id = mock_strdup(hcs_text(modify->settings, "EndpointId"));
		nic->mac = mock_strdup(hcs_text(modify->settings, "MacAddress"));
		*at = nic;
		modify_done(modify);
	} else {
		*at = nic->next;
		free(nic->id);
		free(nic->endpoint_id);
		free(nic->mac);
		free(nic);
		modify_done(modify);
	}
}

static void modify_memory(const struct modify *modify)
{
	/* Guest memory keeps its size; a balloon would do the rest. */
	if (!cJSON_IsNumber(modify->settings) || modify->settings->valuedouble > (double)modify->vm->memory_mb)
		mock_call_fail(modify->job->call, HCS_E_INVALID_JSON, "a mock machine cannot grow");
	else
		modify_done(modify);
}

static const struct modify_resource {
	const char *prefix;
	void (*apply)(const struct modify *modify);
} modify_resources[] = {
	{ "VirtualMachine/Devices/Scsi/", modify_disk },
	{ "VirtualMachine/Devices/NetworkAdapters/", modify_nic },
	{ "VirtualMachine/Devices/VirtualPci/", modify_done },
	{ "VirtualMachine/Devices/Plan9/Shares", modify_done },
	{ "VirtualMachine/ComputeTopology/Memory/SizeInMB", modify_memory },
	{ "VirtualMachine/ComputeTopology/Processor/", modify_done },
};

void hcs_serve_modify(mock_call *job)
{
	static const char *const keys[] = { "ResourcePath", "RequestType", "Settings", NULL };
	hcs_vm *vm = job->object;
	hcs_reason reason = { { 0 } };
	cJSON *request = hcs_parse(job->text, &reason);
	const char *path = hcs_text(request, "ResourcePath");
	struct modify modify = { job, vm, NULL, strcmp(hcs_text(request, "RequestType"), "Remove") != 0,
				 cJSON_GetObjectItem(request, "Settings") };
	size_t i = 0;

	while (i < sizeof modify_resources / sizeof *modify_resources &&
	       strncasecmp(path, modify_resources[i].prefix, strlen(modify_resources[i].prefix)) != 0)
		i++;
	if (!request || !hcs_only(request, keys, "the request", &reason)) {
		mock_call_fail(job->call, HCS_E_INVALID_JSON, "%s", reason.text);
	} else if (vm->state == HCS_OFF) {
		mock_call_fail(job->call, 0xC0370110u, "the compute system %s has stopped", vm->id);
	} else if (i == sizeof modify_resources / sizeof *modify_resources) {
		mock_call_fail(job->call, HCS_E_INVALID_JSON, "the resource %s is unknown", path);
	} else {
		modify.rest = path + strlen(modify_resources[i].prefix);
		modify_resources[i].apply(&modify);
	}
	cJSON_Delete(request);
}
