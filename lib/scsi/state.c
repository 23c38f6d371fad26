/* What the SCSI controller, its disks and their mounts may do when. */
#include "scsi_private.h"

/* ---- The controller ---- */

static const char *const scsi_states[] = { "Active", "Migrating" };
static const char *const scsi_triggers[] = {
	"reserving for the root filesystem", "reserving", "mapping", "unmapping", "saving", "updating a host path", "resuming",
};

static const lcowmig__transition scsi_rows[] = {
	{ SCSI_ACTIVE, SCSI_RESERVE_FOR_ROOTFS, SCSI_ACTIVE },
	{ SCSI_ACTIVE, SCSI_RESERVE, SCSI_ACTIVE },
	{ SCSI_ACTIVE, SCSI_MAP, SCSI_ACTIVE },
	{ SCSI_ACTIVE, SCSI_UNMAP, SCSI_ACTIVE },
	{ SCSI_ACTIVE, SCSI_SAVE, SCSI_MIGRATING },
	{ SCSI_ACTIVE, SCSI_RESUME, SCSI_ACTIVE }, /* repeating it does nothing */
	{ SCSI_MIGRATING, SCSI_SAVE, SCSI_MIGRATING },
	{ SCSI_MIGRATING, SCSI_UPDATE_HOST_PATH, SCSI_MIGRATING },
	{ SCSI_MIGRATING, SCSI_RESUME, SCSI_ACTIVE },
};

const lcowmig__machine lcowmig__scsi_machine = {
	"SCSI", scsi_states, LCOWMIG__COUNT(scsi_states), scsi_triggers, LCOWMIG__COUNT(scsi_triggers),
	scsi_rows, LCOWMIG__COUNT(scsi_rows),
};

/* ---- Disks ---- */

static const char *const disk_states[] = { "Reserved", "Attached", "Ejected", "Detached" };
static const char *const disk_triggers[] = {
	"reserving a partition", "attaching", "failing to attach", "mounting a partition", "unmounting a partition", "ejecting",
	"detaching",             "saving",
};

static const lcowmig__transition disk_rows[] = {
	{ DISK_RESERVED, DISK_RESERVE_PARTITION, DISK_RESERVED },
	{ DISK_RESERVED, DISK_ATTACH, DISK_ATTACHED },
	{ DISK_RESERVED, DISK_ATTACH_FAILED, DISK_DETACHED },
	{ DISK_RESERVED, DISK_UNMOUNT_PARTITION, DISK_RESERVED },
	{ DISK_RESERVED, DISK_DETACH, DISK_RESERVED }, /* it was never there */
	{ DISK_RESERVED, DISK_SAVE, DISK_RESERVED },
	{ DISK_ATTACHED, DISK_RESERVE_PARTITION, DISK_ATTACHED },
	{ DISK_ATTACHED, DISK_ATTACH, DISK_ATTACHED },
	{ DISK_ATTACHED, DISK_MOUNT_PARTITION, DISK_ATTACHED },
	{ DISK_ATTACHED, DISK_UNMOUNT_PARTITION, DISK_ATTACHED },
	{ DISK_ATTACHED, DISK_SAVE, DISK_ATTACHED },
	{ DISK_ATTACHED, DISK_EJECT, DISK_EJECTED }, /* the guest let go of it */
	{ DISK_EJECTED, DISK_DETACH, DISK_DETACHED },
	{ DISK_DETACHED, DISK_UNMOUNT_PARTITION, DISK_DETACHED },
	{ DISK_DETACHED, DISK_DETACH, DISK_DETACHED }, /* attaching had failed */
};

const lcowmig__machine lcowmig__disk_machine = {
	"SCSI disk", disk_states, LCOWMIG__COUNT(disk_states), disk_triggers, LCOWMIG__COUNT(disk_triggers), disk_rows,
	LCOWMIG__COUNT(disk_rows),
};

/* ---- Mounts ---- */

static const char *const mount_states[] = { "Reserved", "Mounted", "Unmounted" };
static const char *const mount_triggers[] = {
	"reserving", "mounting", "failing to mount", "unmounting", "unmounting what was reserved again",
	"releasing one of its reservations",
	"saving",
};

static const lcowmig__transition mount_rows[] = {
	{ MOUNT_RESERVED, MOUNT_RESERVE, MOUNT_RESERVED },
	{ MOUNT_RESERVED, MOUNT_MOUNT, MOUNT_MOUNTED },
	{ MOUNT_RESERVED, MOUNT_MOUNT_FAILED, MOUNT_UNMOUNTED },
	{ MOUNT_RESERVED, MOUNT_RELEASE, MOUNT_RESERVED },
	{ MOUNT_RESERVED, MOUNT_SAVE, MOUNT_RESERVED },
	{ MOUNT_MOUNTED, MOUNT_RESERVE, MOUNT_MOUNTED },
	{ MOUNT_MOUNTED, MOUNT_MOUNT, MOUNT_MOUNTED },
	{ MOUNT_MOUNTED, MOUNT_RELEASE, MOUNT_MOUNTED }, /* others still hold it */
	{ MOUNT_MOUNTED, MOUNT_SAVE, MOUNT_MOUNTED },
	{ MOUNT_MOUNTED, MOUNT_UNMOUNT, MOUNT_UNMOUNTED },
	{ MOUNT_MOUNTED, MOUNT_UNMOUNT_RESERVED_AGAIN, MOUNT_RESERVED }, /* somebody asked for it while the guest unmounted it */
	{ MOUNT_UNMOUNTED, MOUNT_RELEASE, MOUNT_UNMOUNTED },             /* mounting had failed; its holders leave one by one */
};

const lcowmig__machine lcowmig__mount_machine = {
	"SCSI mount", mount_states, LCOWMIG__COUNT(mount_states), mount_triggers, LCOWMIG__COUNT(mount_triggers), mount_rows,
	LCOWMIG__COUNT(mount_rows),
};

_Static_assert(LCOWMIG__COUNT(scsi_states) == SCSI_STATES && LCOWMIG__COUNT(scsi_triggers) == SCSI_TRIGGERS, "a name for each");
_Static_assert(LCOWMIG__COUNT(disk_states) == DISK_STATES && LCOWMIG__COUNT(disk_triggers) == DISK_TRIGGERS, "a name for each");
_Static_assert(LCOWMIG__COUNT(mount_states) == MOUNT_STATES && LCOWMIG__COUNT(mount_triggers) == MOUNT_TRIGGERS, "a name for each");
