/* New host paths for disks whose old ones were another machine's. */
#include <string.h>

#include "base/text.h"
#include "scsi_private.h"

/* What one item does: the disk and its new path, later its old one. */
typedef struct repointing {
	lcowmig__disk *disk;
	char *path;
	bool is_in_effect;
	bool was_unpatched;
} repointing;

struct lcowmig__repoint_change {
	size_t count;
	repointing work[];
};

static lcowmig_status repoint_check(const lcowmig__repoint *item, const lcowmig__scsi_reservation *reservation, const lcowmig__disk *disk,
                                    lcowmig_error *error)
{
	uint64_t partition = reservation ? reservation->partition : item->partition;

	if (!item->check)
		return LCOWMIG_OK;
	if (partition != item->partition)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI disk %.200s: partition %llu was saved, expected %llu",
				     disk->host_path, (unsigned long long)partition, (unsigned long long)item->partition);
	if (disk->read_only != item->read_only)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI disk %.200s is %s, expected %s", disk->host_path,
		                     disk->read_only ? "read-only" : "writable", item->read_only ? "read-only" : "writable");
	return LCOWMIG_OK;
}

static lcowmig_status repoint_find(const lcowmig_scsi *scsi, const lcowmig__repoint *item, lcowmig__disk **ret_disk, lcowmig_error *error)
{
	const lcowmig_limits *limits = &scsi->object.context->limits;
	lcowmig__scsi_reservation *reservation = NULL;
	lcowmig_status status = LCOWMIG_OK;
	char id[LCOWMIG_GUID_TEXT_SIZE];

	if (item->reservation)
		status = lcowmig__scsi_look_up(scsi, item->reservation, &reservation, error);
	if (status != LCOWMIG_OK)
		return status;
	if (reservation)
		*ret_disk = reservation->disk;
	else
		*ret_disk = item->slot < scsi->n_controllers * LCOWMIG_SCSI_LUNS ? scsi->slots[item->slot] : NULL;
	if (!*ret_disk && reservation) {
		lcowmig_guid_format(item->reservation, id);
		return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "SCSI: there is no disk for reservation %s", id);
	}
	if (!*ret_disk)
		return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "SCSI: there is no disk in slot %u", (unsigned)item->slot);
	if (lcowmig__text_is_empty(item->host_path) || !lcowmig__text_is_fine(item->host_path, limits->path_bytes))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI disk %.200s: the new path is empty, too long or not UTF-8",
		                     (*ret_disk)->host_path);
	return repoint_check(item, reservation, *ret_disk, error);
}

static void disk_exchange_path(lcowmig__disk *disk, char **path)
{
	char *other = disk->host_path;

	disk->host_path = *path;
	disk->object.id = disk->host_path;
	*path = other;
}

/*
 * Puts the new paths into force in two passes, so that disks may take each other's. Stops at a path that belongs to a disk that keeps
 * it, and then `ret_failed` says which item that was.
 */
static bool repoint_commit(lcowmig_scsi *scsi, repointing *work, size_t count, size_t *ret_failed)
{
	size_t i;

	for (i = 0; i < count; i++)
		lcowmig__tree_remove(&scsi->paths, &work[i].disk->node);
	for (i = 0; i < count; i++) {
		lcowmig__disk *disk = work[i].disk;

		if (disk->node.height && strcmp(disk->host_path, work[i].path) == 0)
			continue; /* another item said the same */
		if (disk->node.height || lcowmig__scsi_find_path(scsi, work[i].path)) {
			*ret_failed = i;
			return false;
		}
		disk_exchange_path(disk, &work[i].path);
		work[i].is_in_effect = true;
		lcowmig__tree_insert(&scsi->paths, disk->host_path, &disk->node);
	}
	return true;
}

static void repoint_undo(lcowmig_scsi *scsi, repointing *work, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		lcowmig__tree_remove(&scsi->paths, &work[i].disk->node);
	for (i = 0; i < count; i++)
		if (work[i].is_in_effect)
			disk_exchange_path(work[i].disk, &work[i].path);
	for (i = 0; i < count; i++)
		if (work[i].disk->host_path[0] && !work[i].disk->node.height)
			lcowmig__tree_insert(&scsi->paths, work[i].disk->host_path, &work[i].disk->node);
}

static lcowmig_status repoint_all(lcowmig_scsi *scsi, repointing *work, const lcowmig__repoint *items, size_t count, lcowmig_error *error)
{
	const lcowmig__mem *mem = &scsi->object.context->mem;
	size_t failed = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		lcowmig_status status = repoint_find(scsi, &items[i], &work[i].disk, error);

		if (status != LCOWMIG_OK)
			return status;
		work[i].path = lcowmig__strdup(mem, items[i].host_path);
		if (!work[i].path)
			return lcowmig__fail_memory(error);
	}
	if (!repoint_commit(scsi, work, count, &failed)) {
		repoint_undo(scsi, work, count);
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS,
		                     "SCSI disk %.150s in slot %u: the new path %.150s is another disk's, or the disk was given two",
		                     work[failed].disk->host_path, (unsigned)work[failed].disk->slot, items[failed].host_path);
	}
	for (i = 0; i < count; i++) {
		work[i].was_unpatched = work[i].disk->is_unpatched;
		work[i].disk->is_unpatched = false;
	}
	return LCOWMIG_OK;
}

static void change_free(const lcowmig__mem *mem, lcowmig__repoint_change *change)
{
	size_t i;

	for (i = 0; i < change->count; i++)
		lcowmig__free(mem, change->work[i].path); /* the old ones, or those not used */
	lcowmig__free(mem, change);
}

lcowmig_status lcowmig__scsi_repoint_begin(lcowmig_scsi *scsi, const lcowmig__repoint *items, size_t count,
                                           lcowmig__repoint_change **ret_change, lcowmig_error *error)
{
	const lcowmig__mem *mem = &scsi->object.context->mem;
	lcowmig_status status = lcowmig__object_check(&scsi->object, SCSI_UPDATE_HOST_PATH, error);
	lcowmig__repoint_change *change;

	if (status != LCOWMIG_OK)
		return status;
	change = lcowmig__alloc(mem, sizeof *change + count * sizeof *change->work);
	if (!change)
		return lcowmig__fail_memory(error);
	change->count = count;
	status = repoint_all(scsi, change->work, items, count, error);
	if (status == LCOWMIG_OK)
		*ret_change = change;
	else
		change_free(mem, change);
	return status;
}

/* The path that was exchanged out is the source's: patches go by it. */
static void repoint_keep_imported(repointing *work, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!work[i].was_unpatched)
			continue;
		work[i].disk->imported_path = work[i].path;
		work[i].path = NULL;
	}
}

void lcowmig__scsi_repoint_end(lcowmig_scsi *scsi, lcowmig__repoint_change *change, bool keep)
{
	size_t i;

	if (!change)
		return;
	if (keep) {
		repoint_keep_imported(change->work, change->count);
	} else {
		repoint_undo(scsi, change->work, change->count);
		for (i = 0; i < change->count; i++)
			change->work[i].disk->is_unpatched |= change->work[i].was_unpatched;
	}
	change_free(&scsi->object.context->mem, change);
}

lcowmig_status lcowmig__scsi_repoint(lcowmig_scsi *scsi, const lcowmig__repoint *items, size_t count, lcowmig_error *error)
{
	lcowmig__repoint_change *change = NULL;
	lcowmig_status status = lcowmig__scsi_repoint_begin(scsi, items, count, &change, error);

	lcowmig__scsi_repoint_end(scsi, change, true);
	return status;
}

const char *lcowmig__scsi_imported_path(const lcowmig_scsi *scsi, const lcowmig_guid *reservation)
{
	const lcowmig__scsi_reservation *found = lcowmig__scsi_find(scsi, reservation);

	if (!found || !found->disk)
		return NULL;
	return found->disk->imported_path ? found->disk->imported_path : found->disk->host_path;
}

bool lcowmig__scsi_find_imported(const lcowmig_scsi *scsi, const char *path, uint32_t *ret_slot)
{
	const lcowmig__disk *disk = lcowmig__scsi_find_path(scsi, path);
	uint32_t slot;

	if (disk && disk->is_unpatched) {
		*ret_slot = disk->slot;
		return true;
	}
	/* Repointed already: there is no index of what disks were called, and at most 256 of them. */
	for (slot = 0; slot < scsi->n_controllers * LCOWMIG_SCSI_LUNS; slot++) {
		disk = scsi->slots[slot];
		if (disk && disk->imported_path && strcmp(disk->imported_path, path) == 0) {
			*ret_slot = slot;
			return true;
		}
	}
	return false;
}
