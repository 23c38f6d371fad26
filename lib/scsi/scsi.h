/*
 * The SCSI controller from the inside: every disk on the virtual machine's SCSI buses. Behaviour and states: docs/states.md.
 *
 * Functions named …_flow make a flow that does the work when it is started (lcowmig__flow_child in an await, or lcowmig__leave_with); they
 * check nothing beforehand and return NULL only when memory is out, with `error` filled. Other functions act at once, under the context's
 * lock.
 */
#ifndef LCOWMIG__SCSI_H
#define LCOWMIG__SCSI_H

#include "engine/env.h"
#include "lcowmig/scsi.h"
#include "wire/wire.h"

/* The struct types of configurations are public: lcowmig_disk_config, lcowmig_mount_config in lcowmig/scsi.h. */

lcowmig_status lcowmig__scsi_new(lcowmig__env *env, uint32_t n_controllers, lcowmig_scsi **ret_scsi, lcowmig_error *error);
/* Always frees; nothing may be in flight. NULL is fine. */
void lcowmig__scsi_free(lcowmig_scsi *scsi);

lcowmig_status lcowmig__scsi_reserve_for_rootfs(lcowmig_scsi *scsi, uint32_t controller, uint32_t lun, const lcowmig_disk_config *disk,
                                                lcowmig_error *error);
lcowmig_status lcowmig__scsi_reserve(lcowmig_scsi *scsi, const lcowmig_disk_config *disk, const lcowmig_mount_config *mount,
                                     lcowmig_guid *ret_reservation, lcowmig_error *error);
/* `ret_path` (may be NULL) gets a copy of the guest path for lcowmig__free; it must live until the flow has ended. */
lcowmig__flow *lcowmig__scsi_map_flow(lcowmig_scsi *scsi, const lcowmig_guid *reservation, char **ret_path, lcowmig_error *error);
/* Legal from every point of a reservation's life (never mapped, map failed, mapped): unwinds completely. Retriable with the same id. */
lcowmig__flow *lcowmig__scsi_unmap_flow(lcowmig_scsi *scsi, const lcowmig_guid *reservation, lcowmig_error *error);

bool lcowmig__scsi_is_migrating(const lcowmig_scsi *scsi);
/* Calls `visit`, in slot order, for every disk the virtual machine has: attached ones and those of its document. One that is only reserved
 * is none of them. */
void lcowmig__scsi_each_disk(const lcowmig_scsi *scsi, void (*visit)(void *user, uint32_t slot, const lcowmig_disk_config *disk),
			     void *user);
/* The value for VirtualMachine.Devices.Scsi: all controllers (empty ones as {}), the same disks. JSON text, NULL when memory is out. */
char *lcowmig__scsi_attachments(const lcowmig_scsi *scsi);
uint32_t lcowmig__scsi_controllers(const lcowmig_scsi *scsi);

/*
 * Save in two halves. capture checks (FAILED_PRECONDITION naming the disk; operations in flight refuse too) and fills `ret_scsi` with
 * arrays from `arena` and borrowed strings, and changes nothing; freeze cannot fail. Both may be repeated while migrating.
 */
lcowmig_status lcowmig__scsi_capture(lcowmig_scsi *scsi, lcowmig__arena *arena, lcowmig__wire_scsi *ret_scsi, lcowmig_error *error);
void lcowmig__scsi_freeze(lcowmig_scsi *scsi);
lcowmig_status lcowmig__scsi_import(lcowmig__env *env, const lcowmig__wire_scsi *wire, lcowmig_scsi **ret_scsi, lcowmig_error *error);

/* Patch: gives the disks behind several reservations (or slots) new host paths, all or none. */
typedef struct lcowmig__repoint {
	const lcowmig_guid *reservation; /* NULL: use slot */
	uint32_t slot;
	const char *host_path; /* copied */
	bool check;            /* also require what follows */
	bool read_only;
	uint64_t partition;
} lcowmig__repoint;
lcowmig_status lcowmig__scsi_repoint(lcowmig_scsi *scsi, const lcowmig__repoint *items, size_t count, lcowmig_error *error);
/* The same for what may yet be refused: `ret_change` (untouched on failure) is for _end, before anything else happens to the controller. */
typedef struct lcowmig__repoint_change lcowmig__repoint_change;
lcowmig_status lcowmig__scsi_repoint_begin(lcowmig_scsi *scsi, const lcowmig__repoint *items, size_t count,
                                           lcowmig__repoint_change **ret_change, lcowmig_error *error);
/* Keeps the change, or makes everything as it was. Needs no memory; NULL is fine. */
void lcowmig__scsi_repoint_end(lcowmig_scsi *scsi, lcowmig__repoint_change *change, bool keep);
/*
 * The host path of the disk behind a reservation as the envelope named it; for a disk that was not imported, as it is. Borrowed until the
 * disk is repointed or removed; NULL without such a disk. (For patches by source path.)
 */
const char *lcowmig__scsi_imported_path(const lcowmig_scsi *scsi, const lcowmig_guid *reservation);
/* The slot of the disk that the envelope called `path`, whether it has been repointed or not. */
bool lcowmig__scsi_find_imported(const lcowmig_scsi *scsi, const char *path, uint32_t *ret_slot);
/* Paths that still are the ones of the import, in slot order: for the check before the destination is prepared. */
void lcowmig__scsi_each_unpatched(const lcowmig_scsi *scsi, void (*visit)(void *user, uint32_t slot, const lcowmig_disk_config *disk),
                                  void *user);
/* Ends migrating; a controller that is not migrating is left alone (idempotent, X-42). */
void lcowmig__scsi_thaw(lcowmig_scsi *scsi);

#endif
