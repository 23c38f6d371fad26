#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "document_parts.h"
#include "documents.h"

/* {"key": value} as text. */
static char *edit_wrap(const lcowmig__mem *mem, const char *key, size_t length, const char *value)
{
	lcowmig__buf buf;

	lcowmig__buf_init(&buf, mem);
	lcowmig__buf_text(&buf, "{\"");
	lcowmig__buf_append(&buf, key, length);
	lcowmig__buf_text(&buf, "\":");
	lcowmig__buf_text(&buf, value);
	lcowmig__buf_text(&buf, "}");
	return lcowmig__buf_take(&buf);
}

/*
 * Sets the value at `path`. Where parents are missing (or null), the deepest one that can be added is added with the rest inside it.
 * Keys of our paths need no escapes.
 */
static lcowmig_status edit_set(const lcowmig__mem *mem, const char *text, size_t size, const char *path, const char *value, char **ret_text,
			       size_t *ret_size, lcowmig_error *error)
{
	char parent[96];
	char *wrapped = NULL;
	lcowmig_status status = LCOWMIG_E_NOT_FOUND;

	snprintf(parent, sizeof parent, "%s", path);
	for (;;) {
		char *slash = strrchr(parent, '/');
		char *wider;

		status = lcowmig__json_splice(mem, text, size, parent, wrapped ? wrapped : value, ret_text, ret_size);
		if (status != LCOWMIG_E_NOT_FOUND || !slash)
			break;
		wider = edit_wrap(mem, slash + 1, strlen(slash + 1), wrapped ? wrapped : value);
		lcowmig__free(mem, wrapped);
		wrapped = wider;
		if (!wrapped) {
			status = LCOWMIG_E_NO_MEMORY;
			break;
		}
		*slash = '\0';
	}
	lcowmig__free(mem, wrapped);
	return status == LCOWMIG_E_NO_MEMORY ? lcowmig__fail_memory(error) : status;
}

/* Go sorts the keys of a map as texts: controllers by GUID, LUN 10 before LUN 2. The other implementation's documents look the same. */
static const uint32_t controllers_by_guid[LCOWMIG_SCSI_CONTROLLERS_MAX] = { 1, 3, 2, 0 };

/* The disks of one controller, by LUN; NULL where there is none. */
typedef struct edit_disks {
	const lcowmig__hcs_attachment *luns[LCOWMIG_SCSI_LUNS];
} edit_disks;

static bool edit_add_disk(cJSON *controller, cJSON **attachments, const lcowmig__hcs_attachment *attachment)
{
	char lun[12];

	if (!attachment)
		return true;
	if (!*attachments)
		*attachments = cJSON_AddObjectToObject(controller, "Attachments");
	snprintf(lun, sizeof lun, "%" PRIu32, attachment->lun);
	return *attachments && lcowmig__hcs_fill_attachment(cJSON_AddObjectToObject(*attachments, lun), attachment);
}

static bool edit_add_controller(cJSON *map, uint32_t index, const edit_disks *disks)
{
	cJSON *controller = map ? cJSON_AddObjectToObject(map, lcowmig__hcs_scsi_controller(index)) : NULL;
	cJSON *attachments = NULL;
	uint32_t first, second, lun;

	if (!controller)
		return false;
	for (first = 0; first < 10; first++) {
		if (!edit_add_disk(controller, &attachments, disks->luns[first]))
			return false;
		for (second = 0; first && second < 10; second++) {
			lun = first * 10 + second;
			if (lun < LCOWMIG_SCSI_LUNS && !edit_add_disk(controller, &attachments, disks->luns[lun]))
				return false;
		}
	}
	return true;
}

static char *edit_print_map(const lcowmig__mem *mem, uint32_t n_controllers, const edit_disks *disks)
{
	cJSON *map = cJSON_CreateObject();
	char *text = NULL;
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < LCOWMIG_SCSI_CONTROLLERS_MAX; i++)
		if (controllers_by_guid[i] < n_controllers)
			ok = edit_add_controller(map, controllers_by_guid[i], &disks[controllers_by_guid[i]]);
	if (ok)
		text = lcowmig__json_print(mem, map);
	cJSON_Delete(map);
	return text;
}

lcowmig_status lcowmig__hcs_document_set_disks(const lcowmig__mem *mem, const char *text, size_t size, uint32_t n_controllers,
					       const lcowmig__hcs_attachment *attachments, size_t n_attachments, char **ret_text,
					       size_t *ret_size, lcowmig_error *error)
{
	edit_disks disks[LCOWMIG_SCSI_CONTROLLERS_MAX] = { { { NULL } } };
	lcowmig_status status;
	size_t i;
	char *map;

	for (i = 0; i < n_attachments; i++) {
		const lcowmig__hcs_attachment *a = &attachments[i];

		if (n_controllers > LCOWMIG_SCSI_CONTROLLERS_MAX || a->controller >= n_controllers || a->lun >= LCOWMIG_SCSI_LUNS ||
		    disks[a->controller].luns[a->lun])
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "HCS document: SCSI slot %u:%u does not exist or is taken",
					     (unsigned)a->controller, (unsigned)a->lun);
		disks[a->controller].luns[a->lun] = a;
	}
	map = edit_print_map(mem, n_controllers, disks);
	if (!map)
		return lcowmig__fail_memory(error);
	status = edit_set(mem, text, size, "VirtualMachine/Devices/Scsi", map, ret_text, ret_size, error);
	lcowmig__free(mem, map);
	return status;
}

lcowmig_status lcowmig__hcs_document_set_migration(const lcowmig__mem *mem, const char *text, size_t size, const char *options,
						   char **ret_text, size_t *ret_size, lcowmig_error *error)
{
	return edit_set(mem, text, size, "VirtualMachine/MigrationOptions", options, ret_text, ret_size, error);
}

lcowmig_status lcowmig__hcs_document_set_memory(const lcowmig__mem *mem, const char *text, size_t size, uint64_t size_mb, char **ret_text,
						size_t *ret_size, lcowmig_error *error)
{
	char number[24];

	snprintf(number, sizeof number, "%" PRIu64, size_mb);
	return edit_set(mem, text, size, "VirtualMachine/ComputeTopology/Memory/SizeInMB", number, ret_text, ret_size, error);
}

lcowmig_status lcowmig__hcs_document_set_cpu_group(const lcowmig__mem *mem, const char *text, size_t size, const char *id, char **ret_text,
						   size_t *ret_size, lcowmig_error *error)
{
	cJSON *group = cJSON_CreateObject();
	char *value = lcowmig__json_add_string(group, "Id", id) ? lcowmig__json_print(mem, group) : NULL;
	lcowmig_status status;

	if (value)
		status = edit_set(mem, text, size, "VirtualMachine/ComputeTopology/Processor/CpuGroup", value, ret_text, ret_size, error);
	else
		status = lcowmig__fail_memory(error);
	lcowmig__free(mem, value);
	cJSON_Delete(group);
	return status;
}

lcowmig_status lcowmig__hcs_document_set_cpu_limits(const lcowmig__mem *mem, const char *text, size_t size,
						    const lcowmig__hcs_cpu_limits *limits, char **ret_text, size_t *ret_size,
						    lcowmig_error *error)
{
	const struct {
		const char *path;
		uint64_t value;
	} changes[] = {
		{ "VirtualMachine/ComputeTopology/Processor/Limit", limits->limit },
		{ "VirtualMachine/ComputeTopology/Processor/Weight", limits->weight },
		{ "VirtualMachine/ComputeTopology/Processor/Reservation", limits->reservation },
	};
	char *current = lcowmig__memdup(mem, text, size);
	size_t i;

	if (!current)
		return lcowmig__fail_memory(error);
	for (i = 0; i < LCOWMIG__COUNT(changes); i++) {
		lcowmig_status status;
		char number[24];
		char *next;

		if (!changes[i].value)
			continue;
		snprintf(number, sizeof number, "%" PRIu64, changes[i].value);
		status = edit_set(mem, current, size, changes[i].path, number, &next, &size, error);
		lcowmig__free(mem, current);
		if (status)
			return status;
		current = next;
	}
	*ret_text = current;
	*ret_size = size;
	return LCOWMIG_OK;
}
