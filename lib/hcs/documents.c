#include "documents.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "document_parts.h"

#define DOCUMENT "HCS document"

/* After the first failure, which `status` keeps, everything reads as absent. */
typedef struct document_reader {
	const lcowmig_limits *limits;
	lcowmig_status status;
	lcowmig_error *error;
} document_reader;

static void document_fail(document_reader *reader, lcowmig_status status, const char *format, ...) LCOWMIG__PRINTF(3, 4);
static void document_fail(document_reader *reader, lcowmig_status status, const char *format, ...)
{
	char sentence[LCOWMIG_ERROR_MESSAGE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	reader->status = lcowmig__fail(reader->error, status, DOCUMENT ": %s", sentence);
}

/*
 * A member that we read from the tree but replace in the text: both must see the same one. So it must not be there twice, nor in another
 * case of letters, which HCS would take for the same. JSON null counts as absent.
 */
static const cJSON *document_member(document_reader *reader, const cJSON *object, const char *key)
{
	const cJSON *item = object ? object->child : NULL;
	const cJSON *found = NULL;

	for (; item && reader->status == LCOWMIG_OK; item = item->next) {
		if (lcowmig__text_compare_nocase(item->string, key) != 0)
			continue;
		if (found)
			document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "it has two members %s", key);
		else if (strcmp(item->string, key) != 0)
			document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "it has a member %.64s, which should be spelled %s", item->string,
				      key);
		found = item;
	}
	return reader->status != LCOWMIG_OK || cJSON_IsNull(found) ? NULL : found;
}

/* A member that must be an object when it is there. */
static const cJSON *document_object(document_reader *reader, const cJSON *object, const char *key)
{
	const cJSON *item = document_member(reader, object, key);

	if (!item || cJSON_IsObject(item))
		return item;
	document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "%s is not an object", key);
	return NULL;
}

/* Follows a "/"-separated path of objects; NULL when one of them is absent. */
static const cJSON *document_walk(document_reader *reader, const cJSON *item, const char *path)
{
	while (*path && item) {
		size_t length = strcspn(path, "/");
		char key[32];

		snprintf(key, sizeof key, "%.*s", (int)length, path);
		item = document_object(reader, item, key);
		path += length + (path[length] == '/');
	}
	return item;
}

/* The tree, which is the caller's also after a failure. */
static cJSON *document_parse(document_reader *reader, const char *text, size_t size)
{
	cJSON *tree = NULL;

	reader->status = lcowmig__json_parse(DOCUMENT, text, size, reader->limits->document_bytes, reader->limits, &tree, reader->error);
	if (reader->status != LCOWMIG_OK)
		return NULL;
	if (!cJSON_IsObject(tree))
		document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "it is not a JSON object");
	else if (!document_object(reader, tree, "VirtualMachine") && reader->status == LCOWMIG_OK)
		document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "it has no VirtualMachine");
	return tree;
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

static void document_attachment(document_reader *reader, const cJSON *item, lcowmig__hcs_attachment *attachment)
{
	unsigned controller = attachment->controller;
	unsigned lun = attachment->lun;

	attachment->path = lcowmig__json_string(item, "Path");
	attachment->type = lcowmig__json_string(item, "Type");
	attachment->read_only = lcowmig__json_bool(item, "ReadOnly");
	attachment->evd_type = lcowmig__json_string(item, "ExtensibleVirtualDiskType");
	if (!attachment->type || lcowmig__text_is_empty(attachment->path))
		document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "SCSI attachment %u:%u has no Type or no Path", controller, lun);
	else if (!lcowmig__hcs_disk_type_is_known(attachment->type))
		document_fail(reader, LCOWMIG_E_NOT_SUPPORTED, "SCSI attachment %u:%u is of the unknown type %.64s", controller, lun,
			      attachment->type);
	else if (strlen(attachment->path) > reader->limits->path_bytes)
		document_fail(reader, LCOWMIG_E_LIMIT_EXCEEDED, "the path of SCSI attachment %u:%u is longer than %u bytes", controller, lun,
			      (unsigned)reader->limits->path_bytes);
}

static void document_controller(document_reader *reader, const cJSON *controller, uint32_t index, lcowmig__hcs_disk_visitor visit,
				void *user)
{
	lcowmig__hcs_attachment attachment = { index, 0, NULL, NULL, false, NULL };
	const cJSON *item;
	uint64_t seen = 0;

	if (cJSON_IsNull(controller))
		return;
	if (!cJSON_IsObject(controller))
		document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "SCSI controller %u is not an object", (unsigned)index);
	item = document_object(reader, controller, "Attachments");
	for (item = item ? item->child : NULL; item && reader->status == LCOWMIG_OK; item = item->next) {
		if (!document_lun(item->string, &attachment.lun)) {
			document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "SCSI controller %u has no LUN \"%.64s\"", (unsigned)index,
				      item->string);
			return;
		}
		if (seen >> attachment.lun & 1) {
			document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "SCSI attachment %u:%u is there twice", (unsigned)index,
				      (unsigned)attachment.lun);
			return;
		}
		seen |= (uint64_t)1 << attachment.lun;
		document_attachment(reader, item, &attachment);
		if (reader->status == LCOWMIG_OK && visit)
			reader->status = visit(user, &attachment, reader->error);
	}
}

/* Returns a bit for each controller. */
static uint32_t document_controllers(document_reader *reader, const cJSON *tree, lcowmig__hcs_disk_visitor visit, void *user)
{
	const cJSON *item = document_walk(reader, tree, "VirtualMachine/Devices/Scsi");
	uint32_t controllers = 0;
	uint32_t index = 0;

	for (item = item ? item->child : NULL; item && reader->status == LCOWMIG_OK; item = item->next) {
		if (!lcowmig__hcs_scsi_controller_index(item->string, &index))
			document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "there is no SCSI controller \"%.64s\"", item->string);
		else if (controllers >> index & 1)
			document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "SCSI controller %u is there twice", (unsigned)index);
		else
			document_controller(reader, item, index, visit, user);
		controllers |= (uint32_t)1 << index;
	}
	return controllers;
}

lcowmig_status lcowmig__hcs_document_disks(const lcowmig_limits *limits, const char *text, size_t size, lcowmig__hcs_disk_visitor visit,
					   void *user, lcowmig_error *error)
{
	document_reader reader = { limits, LCOWMIG_OK, error };
	cJSON *tree = document_parse(&reader, text, size);

	if (reader.status == LCOWMIG_OK)
		document_controllers(&reader, tree, visit, user);
	cJSON_Delete(tree);
	return reader.status;
}

/* Notes an element that rules a migration out. */
static void document_block(lcowmig__hcs_facts *facts, bool is_there, bool *flag, const char *element)
{
	size_t used = strlen(facts->blockers);

	if (!is_there)
		return;
	*flag = true;
	snprintf(facts->blockers + used, sizeof facts->blockers - used, "%s%s", used ? ", " : "", element);
}

static void document_devices(document_reader *reader, const cJSON *tree, lcowmig__hcs_facts *facts)
{
	const cJSON *machine = lcowmig__json_get(tree, "VirtualMachine");
	const cJSON *devices = lcowmig__json_get(machine, "Devices"); /* looked at with the disks */
	const cJSON *functions;

	document_block(facts, document_member(reader, devices, "Plan9"), &facts->has_plan9, "Devices.Plan9");
	functions = document_object(reader, devices, "VirtualPci");
	document_block(facts, functions && functions->child, &facts->has_vpci, "Devices.VirtualPci");
	document_block(facts, document_member(reader, machine, "GuestState"), &facts->is_confidential, "GuestState");
	document_block(facts, document_member(reader, machine, "SecuritySettings"), &facts->is_confidential, "SecuritySettings");
	facts->has_migration_options = document_object(reader, machine, "MigrationOptions") != NULL;
}

/* What run-time changes are written to must be where they will be looked for. */
static void document_topology(document_reader *reader, const cJSON *tree, lcowmig__hcs_facts *facts)
{
	static const char *const numbers[] = { "Limit", "Weight", "Reservation" };
	const cJSON *memory = document_walk(reader, tree, "VirtualMachine/ComputeTopology/Memory");
	const cJSON *processor;
	size_t i;

	if (document_member(reader, memory, "SizeInMB") && !lcowmig__json_uint64(memory, "SizeInMB", &facts->memory_mb))
		document_fail(reader, LCOWMIG_E_CORRUPT_DATA, "Memory.SizeInMB is not a size");
	processor = document_walk(reader, tree, "VirtualMachine/ComputeTopology/Processor");
	document_member(reader, document_object(reader, processor, "CpuGroup"), "Id");
	for (i = 0; i < LCOWMIG__COUNT(numbers); i++)
		document_member(reader, processor, numbers[i]);
}

static char *document_command_line(document_reader *reader, const lcowmig__mem *mem, const cJSON *tree)
{
	const cJSON *direct = document_walk(reader, tree, "VirtualMachine/Chipset/LinuxKernelDirect");
	const cJSON *uefi = document_walk(reader, tree, "VirtualMachine/Chipset/Uefi/BootThis");
	const char *line = lcowmig__json_string(direct, "KernelCmdLine");

	if (lcowmig__text_is_empty(line))
		line = lcowmig__json_string(uefi, "OptionalData");
	return lcowmig__strdup(mem, line ? line : "");
}

static char *document_device_kinds(const lcowmig__mem *mem, const cJSON *tree)
{
	const cJSON *item = lcowmig__json_get(lcowmig__json_get(tree, "VirtualMachine"), "Devices");
	lcowmig__buf kinds;

	lcowmig__buf_init(&kinds, mem);
	for (item = item ? item->child : NULL; item; item = item->next)
		if (!cJSON_IsNull(item))
			lcowmig__buf_printf(&kinds, "%s%s", kinds.size ? ", " : "", item->string);
	return lcowmig__buf_take(&kinds);
}

lcowmig_status lcowmig__hcs_document_inspect(const lcowmig__mem *mem, const lcowmig_limits *limits, const char *text, size_t size,
					     lcowmig__hcs_facts *ret_facts, lcowmig_error *error)
{
	document_reader reader = { limits, LCOWMIG_OK, error };
	lcowmig__hcs_facts facts = { 0 };
	cJSON *tree = document_parse(&reader, text, size);

	facts.scsi_controllers = document_controllers(&reader, tree, NULL, NULL);
	document_devices(&reader, tree, &facts);
	document_topology(&reader, tree, &facts);
	facts.kernel_command_line = document_command_line(&reader, mem, tree);
	facts.devices = document_device_kinds(mem, tree);
	cJSON_Delete(tree);
	if (reader.status == LCOWMIG_OK && (!facts.kernel_command_line || !facts.devices))
		reader.status = lcowmig__fail_memory(error);
	if (reader.status != LCOWMIG_OK) {
		lcowmig__hcs_facts_done(mem, &facts);
		return reader.status;
	}
	facts.relays_log = strstr(facts.kernel_command_line, LCOWMIG__LOG_RELAY_COMMAND) != NULL;
	*ret_facts = facts;
	return LCOWMIG_OK;
}

void lcowmig__hcs_facts_done(const lcowmig__mem *mem, lcowmig__hcs_facts *facts)
{
	lcowmig__free(mem, facts->kernel_command_line);
	lcowmig__free(mem, facts->devices);
	memset(facts, 0, sizeof *facts);
}
