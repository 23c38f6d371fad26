#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "document_parts.h"
#include "guest_paths.h"

/*
 * Sets the value at `path`. Where parents are missing (or null), the deepest one that can be added is added with the rest inside it.
 * Keys of our paths need no escapes.
 */
static lcowmig_status edit_set(const lcowmig__mem *mem, const char *text, size_t size, const char *path, const char *value, char **ret_text,
			       size_t *ret_size, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__json_splice(mem, text, size, path, value, ret_text, ret_size);
	char *wrapped = NULL;
	char parent[96];
	char *slash;

	snprintf(parent, sizeof parent, "%s", path);
	while (status == LCOWMIG_E_NOT_FOUND && (slash = strrchr(parent, '/')) != NULL) {
		char *wider = lcowmig__path_format(mem, "{\"%s\":%s}", slash + 1, wrapped ? wrapped : value);

		lcowmig__free(mem, wrapped);
		wrapped = wider;
		*slash = '\0';
		status = wrapped ? lcowmig__json_splice(mem, text, size, parent, wrapped, ret_text, ret_size) : LCOWMIG_E_NO_MEMORY;
	}
	lcowmig__free(mem, wrapped);
	return status == LCOWMIG_E_NO_MEMORY ? lcowmig__fail_memory(error) : status;
}

/* The same for a value that was built, NULL for lack of memory; it is taken. */
static lcowmig_status edit_set_taken(const lcowmig__mem *mem, const char *text, size_t size, const char *path, char *value, char **ret_text,
				     size_t *ret_size, lcowmig_error *error)
{
	lcowmig_status status;

	if (!value)
		return lcowmig__fail_memory(error);
	status = edit_set(mem, text, size, path, value, ret_text, ret_size, error);
	lcowmig__free(mem, value);
	return status;
}

/* Go sorts the keys of a map as texts: controllers by GUID, LUN 10 before LUN 2. The other implementation's documents look the same. */
static const uint32_t controllers_by_guid[LCOWMIG_SCSI_CONTROLLERS_MAX] = { 1, 3, 2, 0 };

/* The disks of one controller, by LUN; NULL where there is none. */
typedef struct edit_disks {
	const lcowmig__hcs_attachment *luns[LCOWMIG_SCSI_LUNS];
} edit_disks;

static void edit_write_disk(lcowmig__buf *map, bool *is_first, const lcowmig__hcs_attachment *attachment)
{
	char lun[12];

	if (!attachment)
		return;
	if (*is_first)
		lcowmig__json_write(map, "Attachments:{");
	*is_first = false;
	snprintf(lun, sizeof lun, "%" PRIu32, attachment->lun);
	lcowmig__json_write_key(map, lun);
	lcowmig__hcs_write_attachment(map, attachment);
}

static void edit_write_controller(lcowmig__buf *map, uint32_t index, const edit_disks *disks)
{
	bool is_empty = true;
	uint32_t first, second;

	lcowmig__json_write_key(map, lcowmig__hcs_scsi_controller(index));
	lcowmig__buf_text(map, "{");
	for (first = 0; first < 10; first++) {
		edit_write_disk(map, &is_empty, disks->luns[first]);
		for (second = 0; first && second < 10 && first * 10 + second < LCOWMIG_SCSI_LUNS; second++)
			edit_write_disk(map, &is_empty, disks->luns[first * 10 + second]);
	}
	lcowmig__buf_text(map, is_empty ? "}" : "}}");
}

static char *edit_print_map(const lcowmig__mem *mem, uint32_t n_controllers, const edit_disks *disks)
{
	lcowmig__buf map;
	size_t i;

	lcowmig__buf_init(&map, mem);
	lcowmig__buf_text(&map, "{");
	for (i = 0; i < LCOWMIG_SCSI_CONTROLLERS_MAX; i++)
		if (controllers_by_guid[i] < n_controllers)
			edit_write_controller(&map, controllers_by_guid[i], &disks[controllers_by_guid[i]]);
	lcowmig__buf_text(&map, "}");
	return lcowmig__buf_take(&map);
}

lcowmig_status lcowmig__hcs_document_set_disks(const lcowmig__mem *mem, const char *text, size_t size, uint32_t n_controllers,
					       const lcowmig__hcs_attachment *attachments, size_t n_attachments, char **ret_text,
					       size_t *ret_size, lcowmig_error *error)
{
	edit_disks disks[LCOWMIG_SCSI_CONTROLLERS_MAX] = { { { NULL } } };
	size_t i;

	for (i = 0; i < n_attachments; i++) {
		const lcowmig__hcs_attachment *a = &attachments[i];

		if (n_controllers > LCOWMIG_SCSI_CONTROLLERS_MAX || a->controller >= n_controllers || a->lun >= LCOWMIG_SCSI_LUNS ||
		    disks[a->controller].luns[a->lun])
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "HCS document: SCSI slot %u:%u does not exist or is taken",
					     (unsigned)a->controller, (unsigned)a->lun);
		disks[a->controller].luns[a->lun] = a;
	}
	return edit_set_taken(mem, text, size, "VirtualMachine/Devices/Scsi", edit_print_map(mem, n_controllers, disks), ret_text, ret_size,
			      error);
}

lcowmig_status lcowmig__hcs_document_set_migration(const lcowmig__mem *mem, const char *text, size_t size, const char *options,
						   char **ret_text, size_t *ret_size, lcowmig_error *error)
{
	return edit_set(mem, text, size, "VirtualMachine/MigrationOptions", options, ret_text, ret_size, error);
}

lcowmig_status lcowmig__hcs_document_set_memory(const lcowmig__mem *mem, const char *text, size_t size, uint64_t size_mb, char **ret_text,
						size_t *ret_size, lcowmig_error *error)
{
	return edit_set_taken(mem, text, size, LCOWMIG__HCS_MEMORY_SIZE, lcowmig__path_format(mem, "%" PRIu64, size_mb), ret_text, ret_size,
			      error);
}

lcowmig_status lcowmig__hcs_document_set_cpu_group(const lcowmig__mem *mem, const char *text, size_t size, const char *id, char **ret_text,
						   size_t *ret_size, lcowmig_error *error)
{
	return edit_set_taken(mem, text, size, LCOWMIG__HCS_CPU_GROUP, lcowmig__json_text(mem, "{Id:s}", id), ret_text, ret_size, error);
}

lcowmig_status lcowmig__hcs_document_set_cpu_limits(const lcowmig__mem *mem, const char *text, size_t size,
						    const lcowmig__hcs_cpu_limits *limits, char **ret_text, size_t *ret_size,
						    lcowmig_error *error)
{
	const struct {
		const char *path;
		uint64_t value;
	} changes[] = {
		{ LCOWMIG__HCS_PROCESSOR "/Limit", limits->limit },
		{ LCOWMIG__HCS_PROCESSOR "/Weight", limits->weight },
		{ LCOWMIG__HCS_PROCESSOR "/Reservation", limits->reservation },
	};
	char *current = lcowmig__memdup(mem, text, size);
	lcowmig_status status = LCOWMIG_OK;
	size_t i;

	if (!current)
		return lcowmig__fail_memory(error);
	for (i = 0; status == LCOWMIG_OK && i < LCOWMIG__COUNT(changes); i++) {
		char *next = NULL;

		if (!changes[i].value)
			continue;
		status = edit_set_taken(mem, current, size, changes[i].path, lcowmig__path_format(mem, "%" PRIu64, changes[i].value), &next,
					&size, error);
		lcowmig__free(mem, current);
		current = next;
	}
	if (status != LCOWMIG_OK)
		return status;
	*ret_text = current;
	*ret_size = size;
	return LCOWMIG_OK;
}
