/* The machine's own disks, and any other that no container's patch speaks for: repointed by what the source calls them. */
#include <string.h>

#include "base/text.h"
#include "migration.h"

static lcowmig_status disks_check(const lcowmig_disk_patch *disks, size_t count, lcowmig_error *error)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (lcowmig__text_is_empty(disks[i].source_path) || lcowmig__text_is_empty(disks[i].path))
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "patch disks: disk %zu has no source_path or no path", i);
	return LCOWMIG_OK;
}

static lcowmig_status disks_repoint(lcowmig_migration *m, const lcowmig_disk_patch *disks, size_t count, lcowmig_error *error)
{
	const lcowmig__mem *mem = &m->object.context->mem;
	lcowmig__repoint *items;
	lcowmig_scsi *scsi;
	lcowmig_status status = lcowmig__vm_scsi(m->sandbox->vm, &scsi, error);
	size_t i;

	if (status != LCOWMIG_OK)
		return status;
	items = lcowmig__alloc_array(mem, count, sizeof *items);
	if (!items)
		return lcowmig__fail_memory(error);
	for (i = 0; i < count && status == LCOWMIG_OK; i++) {
		items[i].host_path = disks[i].path;
		if (!lcowmig__scsi_find_imported(scsi, disks[i].source_path, &items[i].slot))
			status = lcowmig__fail(error, LCOWMIG_E_NOT_FOUND,
					       "patch disks: migration session %s imported no disk with the path %s", m->object.id,
					       disks[i].source_path);
	}
	if (status == LCOWMIG_OK)
		status = lcowmig__scsi_repoint(scsi, items, count, error);
	lcowmig__free(mem, items);
	return status;
}

lcowmig_status lcowmig_migration_patch_disks(lcowmig_migration *m, const char *session_id, const lcowmig_disk_patch *disks, size_t n_disks,
                                             lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!m || (!disks && n_disks))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "patch disks: migration or disks is NULL");
	status = disks_check(disks, n_disks, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__enter(m->object.context, &pump);
	status = lcowmig__session_check(m, session_id, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__session_check_patch(m, error);
	if (status == LCOWMIG_OK && n_disks)
		status = disks_repoint(m, disks, n_disks, error);
	return lcowmig__leave_object(m, &pump, status);
}
