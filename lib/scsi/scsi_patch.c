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
	const lcowmig_limits *limits = &scsi->base.object.context->limits;
	const lcowmig__scsi_reservation *reservation = NULL;
	lcowmig__disk *disk;
	char id[LCOWMIG_GUID_TEXT_SIZE];

	if (item->reservation) {
		reservation = lcowmig__scsi_look_up(scsi, item->reservation, error);
		if (!reservation)
			return LCOWMIG_E_NOT_FOUND;
		disk = reservation->disk;
	} else {
		disk = lcowmig__scsi_disk_in(scsi, item->slot);
	}
	if (!disk && reservation) {
		lcowmig_guid_format(item->reservation, id);
		return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "SCSI: there is no disk for reservation %s", id);
	}
	if (!disk)
		return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "SCSI: there is no disk in slot %u", (unsigned)item->slot);
	if (!lcowmig__text_is_given(item->host_path, limits->path_bytes))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI disk %.200s: the new path is empty, too long or not UTF-8",
		                     disk->host_path);
	*ret_disk = disk;
	return repoint_check(item, reservation, disk, error);
}

static lcowmig_status repoint_find_all(const lcowmig_scsi *scsi, lcowmig__repoint_change *change, const lcowmig__repoint *items,
				       size_t count, lcowmig_error *error)
{
	for (; change->count < count; change->count++) {
		repointing *work = &change->work[change->count];
		lcowmig_status status = repoint_find(scsi, &items[change->count], &work->disk, error);

		if (status != LCOWMIG_OK)
			return status;
		work->path = lcowmig__strdup(&scsi->base.object.context->mem, items[change->count].host_path);
		if (!work->path)
			return lcowmig__fail_memory(error);
	}
	return LCOWMIG_OK;
}

static void repoint_exchange_path(repointing *work)
{
	char *other = work->disk->host_path;

	work->disk->host_path = work->path;
	work->disk->object.id = work->path;
	work->path = other;
}

/*
 * Puts the new paths into force in two passes, so that disks may take each other's. Stops at a path that belongs to a disk that keeps
 * it, and returns which item that was; after the last one: all are in force.
 */
static size_t repoint_commit(lcowmig_scsi *scsi, lcowmig__repoint_change *change)
{
	size_t i;

	for (i = 0; i < change->count; i++)
		lcowmig__tree_remove(&scsi->paths, &change->work[i].disk->by_path);
	for (i = 0; i < change->count; i++) {
		repointing *work = &change->work[i];
		lcowmig__disk *disk = work->disk;

		if (disk->by_path.height && strcmp(disk->host_path, work->path) == 0)
			continue; /* another item said the same */
		if (disk->by_path.height || lcowmig__scsi_find_path(scsi, work->path))
			break;
		repoint_exchange_path(work);
		lcowmig__scsi_index_path(scsi, disk);
		work->is_in_effect = true;
		work->was_unpatched = disk->is_unpatched;
		disk->is_unpatched = false;
	}
	return i;
}

static void repoint_undo(lcowmig_scsi *scsi, lcowmig__repoint_change *change)
{
	size_t i;

	for (i = 0; i < change->count; i++)
		lcowmig__tree_remove(&scsi->paths, &change->work[i].disk->by_path);
	for (i = 0; i < change->count; i++) {
		if (!change->work[i].is_in_effect)
			continue;
		repoint_exchange_path(&change->work[i]);
		change->work[i].disk->is_unpatched = change->work[i].was_unpatched;
	}
	for (i = 0; i < change->count; i++)
		lcowmig__scsi_index_path(scsi, change->work[i].disk);
}

static void change_free(const lcowmig__mem *mem, lcowmig__repoint_change *change)
{
	while (change->count)
		lcowmig__free(mem, change->work[--change->count].path); /* the old ones, or those not used */
	lcowmig__free(mem, change);
}

lcowmig_status lcowmig__scsi_repoint_begin(lcowmig_scsi *scsi, const lcowmig__repoint *items, size_t count,
                                           lcowmig__repoint_change **ret_change, lcowmig_error *error)
{
	const lcowmig__mem *mem = &scsi->base.object.context->mem;
	lcowmig_status status = lcowmig__object_check(&scsi->base.object, SCSI_UPDATE_HOST_PATH, error);
	lcowmig__repoint_change *change;
	size_t done;

	if (status != LCOWMIG_OK)
		return status;
	change = lcowmig__alloc(mem, sizeof *change + count * sizeof *change->work);
	if (!change)
		return lcowmig__fail_memory(error);
	status = repoint_find_all(scsi, change, items, count, error);
	if (status == LCOWMIG_OK) {
		done = repoint_commit(scsi, change);
		if (done == count) {
			*ret_change = change;
			return LCOWMIG_OK;
		}
		repoint_undo(scsi, change);
		status = lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS,
		                       "SCSI disk %.150s in slot %u: the new path %.150s is another disk's, or the disk was given two",
		                       change->work[done].disk->host_path, (unsigned)change->work[done].disk->slot, items[done].host_path);
	}
	change_free(mem, change);
	return status;
}

void lcowmig__scsi_repoint_end(lcowmig_scsi *scsi, lcowmig__repoint_change *change, bool keep)
{
	size_t i;

	if (!change)
		return;
	if (!keep)
		repoint_undo(scsi, change);
	for (i = 0; i < change->count && keep; i++) {
		if (!change->work[i].was_unpatched)
			continue;
		change->work[i].disk->imported_path = change->work[i].path; /* the source's: patches go by it */
		change->work[i].path = NULL;
	}
	change_free(&scsi->base.object.context->mem, change);
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

	/* Repointed already: there is no index of what disks were called, and at most 256 of them. */
	if (!disk || !disk->is_unpatched)
		for (disk = lcowmig__scsi_next(scsi, NULL); disk; disk = lcowmig__scsi_next(scsi, disk))
			if (disk->imported_path && strcmp(disk->imported_path, path) == 0)
				break;
	if (disk)
		*ret_slot = disk->slot;
	return disk != NULL;
}
