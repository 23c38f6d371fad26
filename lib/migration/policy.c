/* Asking the host what it thinks of a foreign envelope, before anything is created. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "migration.h"

struct vetting {
	lcowmig_import_policy_fn policy;
	void *user;
	lcowmig_error *error;
	char where[512]; /* cut when longer */
};

/* What the document of an LCOW sandbox may have. Plan9 and VirtualPci are refused elsewhere: with them a machine cannot migrate. */
static const char *const usual_devices[] = { "ComPorts", "HvSocket", "Scsi" };

static lcowmig_status default_policy(lcowmig_import_item item, const char *text)
{
	size_t i;

	if (item != LCOWMIG_IMPORT_DEVICE)
		return LCOWMIG_OK;
	for (i = 0; i < LCOWMIG__COUNT(usual_devices); i++)
		if (strcmp(usual_devices[i], text) == 0)
			return LCOWMIG_OK;
	return LCOWMIG_E_DENIED;
}

static lcowmig_status vet(struct vetting *vetting, lcowmig_import_item item, const char *text)
{
	lcowmig_status status = vetting->policy ? vetting->policy(vetting->user, item, vetting->where, text) : default_policy(item, text);

	if (status == LCOWMIG_OK)
		return LCOWMIG_OK;
	return lcowmig__fail(vetting->error, LCOWMIG_E_DENIED, "import: the policy refuses %s: %.200s", vetting->where, text);
}

/* Members that name something on the host: "KernelFilePath", "VmbFsRootPath", "Path", "NamedPipe". DevicePath is inside the machine. */
static bool is_host_path(const char *key)
{
	if (strcmp(key, "DevicePath") == 0)
		return false;
	return lcowmig__text_ends_with(key, "Path") || strcmp(key, "NamedPipe") == 0;
}

static lcowmig_status vet_string(struct vetting *vetting, const cJSON *item)
{
	if (!item->string)
		return LCOWMIG_OK;
	if (strcmp(item->string, "KernelCmdLine") == 0 || strcmp(item->string, "OptionalData") == 0)
		return vet(vetting, LCOWMIG_IMPORT_KERNEL_COMMAND_LINE, item->valuestring);
	return is_host_path(item->string) ? vet(vetting, LCOWMIG_IMPORT_HOST_PATH, item->valuestring) : LCOWMIG_OK;
}

/* Depth is bounded by the parser. */
static lcowmig_status vet_tree(struct vetting *vetting, const cJSON *tree)
{
	size_t end = strlen(vetting->where);
	lcowmig_status status = LCOWMIG_OK;
	const cJSON *item;

	for (item = tree->child; item && status == LCOWMIG_OK; item = item->next) {
		snprintf(vetting->where + end, sizeof vetting->where - end, "%s%s", end ? "/" : "", item->string ? item->string : "[]");
		if (strcmp(vetting->where, "VirtualMachine/Devices/Scsi") == 0)
			status = vet(vetting, LCOWMIG_IMPORT_DEVICE, "Scsi"); /* its disks come from the SCSI state */
		else if (lcowmig__text_starts_with(vetting->where, "VirtualMachine/Devices/") && !strchr(vetting->where + 23, '/'))
			status = vet(vetting, LCOWMIG_IMPORT_DEVICE, item->string);
		if (status == LCOWMIG_OK && cJSON_IsString(item))
			status = vet_string(vetting, item);
		else if (status == LCOWMIG_OK && strcmp(vetting->where, "VirtualMachine/Devices/Scsi") != 0)
			status = vet_tree(vetting, item);
		vetting->where[end] = '\0';
	}
	return status;
}

static lcowmig_status vet_document(struct vetting *vetting, const lcowmig_limits *limits, const lcowmig__wire_bytes *document)
{
	lcowmig_status status;
	cJSON *tree;

	if (!document->size)
		return LCOWMIG_OK;
	status = lcowmig__json_parse("sandbox.vm.hcs_document", (const char *)document->data, document->size, limits->document_bytes,
				     limits, &tree, vetting->error);
	if (status != LCOWMIG_OK)
		return status;
	status = vet_tree(vetting, tree);
	cJSON_Delete(tree);
	return status;
}

lcowmig_status lcowmig__import_vet(const lcowmig_limits *limits, const lcowmig__wire_sandbox *wire, lcowmig_import_policy_fn policy,
				   void *user, lcowmig_error *error)
{
	struct vetting vetting = { policy, user, error, "" };
	lcowmig_status status = vet_document(&vetting, limits, &wire->vm.hcs_document);
	size_t i;

	for (i = 0; i < wire->vm.scsi.n_disks && status == LCOWMIG_OK; i++) {
		snprintf(vetting.where, sizeof vetting.where, "disk in slot %lu", (unsigned long)wire->vm.scsi.disks[i].slot);
		status = vet(&vetting, LCOWMIG_IMPORT_HOST_PATH, wire->vm.scsi.disks[i].host_path);
	}
	return status;
}
