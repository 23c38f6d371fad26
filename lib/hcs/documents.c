#include "documents.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "document_parts.h"

#define DOCUMENT "HCS document"

/*
 * A member that we read from the tree but replace in the text: both must see the same one. So it must not be there twice, nor in another
 * case of letters, which HCS would take for the same. JSON null counts as absent.
 */
static lcowmig_status document_member(const cJSON *object, const char *key, const cJSON **ret_item, lcowmig_error *error)
{
	const cJSON *item = object ? object->child : NULL;
	const cJSON *found = NULL;

	for (; item; item = item->next) {
		if (lcowmig__text_compare_nocase(item->string, key) != 0)
			continue;
		if (found)
			return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": it has two members %s", key);
		if (strcmp(item->string, key) != 0)
			return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": it has a member %.64s, which should be spelled %s",
					     item->string, key);
		found = item;
	}
	*ret_item = cJSON_IsNull(found) ? NULL : found;
	return LCOWMIG_OK;
}

/* A member that must be an object when it is there. */
static lcowmig_status document_object(const cJSON *object, const char *key, const cJSON **ret_item, lcowmig_error *error)
{
	lcowmig_status status = document_member(object, key, ret_item, error);

	if (status == LCOWMIG_OK && *ret_item && !cJSON_IsObject(*ret_item))
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": %s is not an object", key);
	return status;
}

/* Follows a "/"-separated path of objects; NULL when one of them is absent. */
static lcowmig_status document_walk(const cJSON *tree, const char *path, const cJSON **ret_item, lcowmig_error *error)
{
	const cJSON *item = tree;

	while (*path && item) {
		size_t length = strcspn(path, "/");
		lcowmig_status status;
		char key[32];

		snprintf(key, sizeof key, "%.*s", (int)length, path);
		status = document_object(item, key, &item, error);
		if (status)
			return status;
		path += length + (path[length] == '/');
	}
	*ret_item = item;
	return LCOWMIG_OK;
}

static lcowmig_status document_parse(const lcowmig_limits *limits, const char *text, size_t size, cJSON **ret_tree, lcowmig_error *error)
{
	lcowmig_status status;
	const cJSON *machine;
	cJSON *tree = NULL;

	status = lcowmig__json_parse(DOCUMENT, text, size, limits->document_bytes, limits, &tree, error);
	if (status)
		return status;
	if (!cJSON_IsObject(tree)) {
		status = lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": it is not a JSON object");
	} else {
		status = document_object(tree, "VirtualMachine", &machine, error);
		if (status == LCOWMIG_OK && !machine)
			status = lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": it has no VirtualMachine");
	}
	if (status) {
		cJSON_Delete(tree);
		return status;
	}
	*ret_tree = tree;
	return LCOWMIG_OK;
}

/* A LUN as HCS writes it: decimal, no leading zero. */
static bool document_lun(const char *text, uint32_t *ret_lun)
{
	uint32_t lun = 0;
	const char *p;

	for (p = text; *p; p++) {
		if (*p < '0' || *p > '9' || (p > text && lun == 0))
			return false;
		lun = lun * 10 + (uint32_t)(*p - '0');
		if (lun >= LCOWMIG_SCSI_LUNS)
			return false;
	}
	*ret_lun = lun;
	return p > text;
}

static lcowmig_status document_attachment(const lcowmig_limits *limits, const cJSON *item, lcowmig__hcs_attachment *attachment,
					  lcowmig_error *error)
{
	attachment->path = lcowmig__json_string(item, "Path");
	attachment->type = lcowmig__json_string(item, "Type");
	attachment->read_only = lcowmig__json_bool(item, "ReadOnly");
	attachment->evd_type = lcowmig__json_string(item, "ExtensibleVirtualDiskType");
	if (!cJSON_IsObject(item) || !attachment->type || lcowmig__text_is_empty(attachment->path))
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": SCSI attachment %u:%u has no Type or no Path",
				     (unsigned)attachment->controller, (unsigned)attachment->lun);
	if (!lcowmig__hcs_disk_type_is_known(attachment->type))
		return lcowmig__fail(error, LCOWMIG_E_NOT_SUPPORTED, DOCUMENT ": SCSI attachment %u:%u is of the unknown type %.64s",
				     (unsigned)attachment->controller, (unsigned)attachment->lun, attachment->type);
	if (strlen(attachment->path) > limits->path_bytes)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED,
				     DOCUMENT ": the path of SCSI attachment %u:%u is longer than %u bytes",
				     (unsigned)attachment->controller, (unsigned)attachment->lun, (unsigned)limits->path_bytes);
	return LCOWMIG_OK;
}

static lcowmig_status document_controller(const lcowmig_limits *limits, const cJSON *controller, uint32_t index,
					  lcowmig__hcs_disk_visitor visit, void *user, lcowmig_error *error)
{
	lcowmig__hcs_attachment attachment = { index, 0, NULL, NULL, false, NULL };
	const cJSON *item = NULL;
	lcowmig_status status;
	uint64_t seen = 0;

	if (cJSON_IsNull(controller))
		return LCOWMIG_OK;
	if (!cJSON_IsObject(controller))
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": SCSI controller %u is not an object", (unsigned)index);
	status = document_object(controller, "Attachments", &item, error);
	if (status || !item)
		return status;
	for (item = item->child; item; item = item->next) {
		if (!document_lun(item->string, &attachment.lun))
			return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": SCSI controller %u has no LUN \"%.64s\"",
					     (unsigned)index, item->string);
		if (seen >> attachment.lun & 1)
			return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": SCSI attachment %u:%u is there twice",
					     (unsigned)index, (unsigned)attachment.lun);
		seen |= (uint64_t)1 << attachment.lun;
		status = document_attachment(limits, item, &attachment, error);
		if (status == LCOWMIG_OK && visit)
			status = visit(user, &attachment, error);
		if (status)
			return status;
	}
	return LCOWMIG_OK;
}

static lcowmig_status document_controllers(const lcowmig_limits *limits, const cJSON *tree, lcowmig__hcs_disk_visitor visit, void *user,
					   uint32_t *ret_controllers, lcowmig_error *error)
{
	const cJSON *item = NULL;
	lcowmig_status status;
	uint32_t controllers = 0;
	uint32_t index;

	status = document_walk(tree, "VirtualMachine/Devices/Scsi", &item, error);
	if (status)
		return status;
	for (item = item ? item->child : NULL; item; item = item->next) {
		if (!lcowmig__hcs_scsi_controller_index(item->string, &index))
			return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": there is no SCSI controller \"%.64s\"",
					     item->string);
		if (controllers >> index & 1)
			return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": SCSI controller %u is there twice",
					     (unsigned)index);
		controllers |= (uint32_t)1 << index;
		status = document_controller(limits, item, index, visit, user, error);
		if (status)
			return status;
	}
	*ret_controllers = controllers;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__hcs_document_disks(const lcowmig_limits *limits, const char *text, size_t size, lcowmig__hcs_disk_visitor visit,
					   void *user, lcowmig_error *error)
{
	uint32_t controllers;
	lcowmig_status status;
	cJSON *tree = NULL;

	status = document_parse(limits, text, size, &tree, error);
	if (status)
		return status;
	status = document_controllers(limits, tree, visit, user, &controllers, error);
	cJSON_Delete(tree);
	return status;
}

static lcowmig_status document_command_line(const lcowmig__mem *mem, const cJSON *tree, lcowmig__hcs_facts *facts, lcowmig_error *error)
{
	const cJSON *direct = NULL;
	const cJSON *uefi = NULL;
	const char *line;
	lcowmig_status status;

	status = document_walk(tree, "VirtualMachine/Chipset/LinuxKernelDirect", &direct, error);
	if (status == LCOWMIG_OK)
		status = document_walk(tree, "VirtualMachine/Chipset/Uefi/BootThis", &uefi, error);
	if (status)
		return status;
	line = lcowmig__json_string(direct, "KernelCmdLine");
	if (lcowmig__text_is_empty(line))
		line = lcowmig__json_string(uefi, "OptionalData");
	facts->kernel_command_line = lcowmig__strdup(mem, line ? line : "");
	if (!facts->kernel_command_line)
		return lcowmig__fail_memory(error);
	facts->relays_log = strstr(facts->kernel_command_line, LCOWMIG__LOG_RELAY_COMMAND) != NULL;
	return LCOWMIG_OK;
}

static lcowmig_status document_device_kinds(const lcowmig__mem *mem, const cJSON *tree, lcowmig__hcs_facts *facts, lcowmig_error *error)
{
	const cJSON *item = lcowmig__json_get(lcowmig__json_get(tree, "VirtualMachine"), "Devices");
	lcowmig__buf kinds;

	lcowmig__buf_init(&kinds, mem);
	for (item = item ? item->child : NULL; item; item = item->next) {
		if (cJSON_IsNull(item))
			continue;
		lcowmig__buf_text(&kinds, kinds.size ? ", " : "");
		lcowmig__buf_text(&kinds, item->string);
	}
	facts->devices = lcowmig__buf_take(&kinds);
	return facts->devices ? LCOWMIG_OK : lcowmig__fail_memory(error);
}

static void document_block(lcowmig__hcs_facts *facts, bool *flag, const char *element)
{
	size_t used = strlen(facts->blockers);

	*flag = true;
	snprintf(facts->blockers + used, sizeof facts->blockers - used, "%s%s", used ? ", " : "", element);
}

static lcowmig_status document_devices(const cJSON *tree, lcowmig__hcs_facts *facts, lcowmig_error *error)
{
	const cJSON *machine = lcowmig__json_get(tree, "VirtualMachine");
	const cJSON *devices = lcowmig__json_get(machine, "Devices"); /* looked at with the disks */
	const cJSON *item = NULL;
	lcowmig_status status;

	status = document_member(devices, "Plan9", &item, error);
	if (status)
		return status;
	if (item)
		document_block(facts, &facts->has_plan9, "Devices.Plan9");
	status = document_object(devices, "VirtualPci", &item, error);
	if (status)
		return status;
	if (item && item->child)
		document_block(facts, &facts->has_vpci, "Devices.VirtualPci");
	status = document_member(machine, "GuestState", &item, error);
	if (status)
		return status;
	if (item)
		document_block(facts, &facts->is_confidential, "GuestState");
	status = document_member(machine, "SecuritySettings", &item, error);
	if (status)
		return status;
	if (item)
		document_block(facts, &facts->is_confidential, "SecuritySettings");
	status = document_object(machine, "MigrationOptions", &item, error);
	facts->has_migration_options = item != NULL;
	return status;
}

/* What run-time changes are written to must be where they will be looked for. */
static lcowmig_status document_topology(const cJSON *tree, lcowmig__hcs_facts *facts, lcowmig_error *error)
{
	static const char *const numbers[] = { "Limit", "Weight", "Reservation" };
	const cJSON *memory = NULL;
	const cJSON *processor = NULL;
	const cJSON *item = NULL;
	lcowmig_status status;
	size_t i;

	status = document_walk(tree, "VirtualMachine/ComputeTopology/Memory", &memory, error);
	if (status == LCOWMIG_OK)
		status = document_member(memory, "SizeInMB", &item, error);
	if (status)
		return status;
	if (item && !lcowmig__json_uint64(memory, "SizeInMB", &facts->memory_mb))
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, DOCUMENT ": Memory.SizeInMB is not a size");
	status = document_walk(tree, "VirtualMachine/ComputeTopology/Processor", &processor, error);
	if (status == LCOWMIG_OK)
		status = document_object(processor, "CpuGroup", &item, error);
	if (status == LCOWMIG_OK)
		status = document_member(item, "Id", &item, error);
	for (i = 0; status == LCOWMIG_OK && i < LCOWMIG__COUNT(numbers); i++)
		status = document_member(processor, numbers[i], &item, error);
	return status;
}

lcowmig_status lcowmig__hcs_document_inspect(const lcowmig__mem *mem, const lcowmig_limits *limits, const char *text, size_t size,
					     lcowmig__hcs_facts *ret_facts, lcowmig_error *error)
{
	lcowmig__hcs_facts facts = { 0 };
	lcowmig_status status;
	cJSON *tree = NULL;

	status = document_parse(limits, text, size, &tree, error);
	if (status)
		return status;
	status = document_controllers(limits, tree, NULL, NULL, &facts.scsi_controllers, error);
	if (status == LCOWMIG_OK)
		status = document_devices(tree, &facts, error);
	if (status == LCOWMIG_OK)
		status = document_topology(tree, &facts, error);
	if (status == LCOWMIG_OK)
		status = document_command_line(mem, tree, &facts, error);
	if (status == LCOWMIG_OK)
		status = document_device_kinds(mem, tree, &facts, error);
	cJSON_Delete(tree);
	if (status == LCOWMIG_OK)
		*ret_facts = facts;
	else
		lcowmig__hcs_facts_done(mem, &facts);
	return status;
}

void lcowmig__hcs_facts_done(const lcowmig__mem *mem, lcowmig__hcs_facts *facts)
{
	lcowmig__free(mem, facts->kernel_command_line);
	lcowmig__free(mem, facts->devices);
	memset(facts, 0, sizeof *facts);
}
