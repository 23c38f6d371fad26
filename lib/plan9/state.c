/* What Plan9 shares and their mounts may do when. */
#include "plan9_private.h"

static const char *const plan9_states[] = { "Active" };
static const char *const plan9_triggers[] = { "reserving", "mapping", "unmapping", "saving" };

static const lcowmig__transition plan9_rows[] = {
	{ 0, PLAN9_RESERVE, 0 },
	{ 0, PLAN9_MAP, 0 },
	{ 0, PLAN9_UNMAP, 0 },
	{ 0, PLAN9_SAVE, 0 }, /* a question: does it hold nothing? */
};

const lcowmig__machine lcowmig__plan9_machine = {
	"Plan9",    plan9_states, LCOWMIG__COUNT(plan9_states), plan9_triggers, LCOWMIG__COUNT(plan9_triggers),
	plan9_rows, LCOWMIG__COUNT(plan9_rows),
};

/* ---- Shares ---- */

static const char *const share_states[] = { "Reserved", "Added", "Invalid", "Removed" };
static const char *const share_triggers[] = {
	"reserving a mount", "adding", "failing to add", "mounting", "unmounting", "removing",
};

static const lcowmig__transition share_rows[] = {
	{ SHARE_RESERVED, SHARE_RESERVE_MOUNT, SHARE_RESERVED },
	{ SHARE_RESERVED, SHARE_ADD, SHARE_ADDED },
	{ SHARE_RESERVED, SHARE_ADD_FAILED, SHARE_INVALID },
	{ SHARE_RESERVED, SHARE_UNMOUNT, SHARE_RESERVED },
	{ SHARE_RESERVED, SHARE_REMOVE, SHARE_REMOVED }, /* it was never there */
	{ SHARE_ADDED, SHARE_RESERVE_MOUNT, SHARE_ADDED },
	{ SHARE_ADDED, SHARE_ADD, SHARE_ADDED },
	{ SHARE_ADDED, SHARE_MOUNT, SHARE_ADDED },
	{ SHARE_ADDED, SHARE_UNMOUNT, SHARE_ADDED },
	{ SHARE_ADDED, SHARE_REMOVE, SHARE_REMOVED },
	{ SHARE_INVALID, SHARE_UNMOUNT, SHARE_INVALID },
	{ SHARE_INVALID, SHARE_REMOVE, SHARE_REMOVED }, /* nothing was added */
};

const lcowmig__machine lcowmig__plan9_share_machine = {
	"Plan9 share", share_states, LCOWMIG__COUNT(share_states), share_triggers, LCOWMIG__COUNT(share_triggers),
	share_rows,    LCOWMIG__COUNT(share_rows),
};

/* ---- Mounts ---- */

static const char *const mount_states[] = { "Reserved", "Mounted", "Invalid", "Unmounted" };
static const char *const mount_triggers[] = {
	"reserving", "mounting", "failing to mount", "releasing one of its reservations",
	"unmounting", "unmounting what was reserved again",
};

static const lcowmig__transition mount_rows[] = {
	{ SHARE_MOUNT_RESERVED, SHARE_MOUNT_RESERVE, SHARE_MOUNT_RESERVED },
	{ SHARE_MOUNT_RESERVED, SHARE_MOUNT_MOUNT, SHARE_MOUNT_MOUNTED },
	{ SHARE_MOUNT_RESERVED, SHARE_MOUNT_MOUNT_FAILED, SHARE_MOUNT_INVALID },
	{ SHARE_MOUNT_RESERVED, SHARE_MOUNT_RELEASE, SHARE_MOUNT_RESERVED },
	{ SHARE_MOUNT_RESERVED, SHARE_MOUNT_UNMOUNT, SHARE_MOUNT_UNMOUNTED }, /* the last reference; nothing was mounted */
	{ SHARE_MOUNT_MOUNTED, SHARE_MOUNT_RESERVE, SHARE_MOUNT_MOUNTED },
	{ SHARE_MOUNT_MOUNTED, SHARE_MOUNT_MOUNT, SHARE_MOUNT_MOUNTED },
	{ SHARE_MOUNT_MOUNTED, SHARE_MOUNT_RELEASE, SHARE_MOUNT_MOUNTED },
	{ SHARE_MOUNT_MOUNTED, SHARE_MOUNT_UNMOUNT, SHARE_MOUNT_UNMOUNTED },
	{ SHARE_MOUNT_MOUNTED, SHARE_MOUNT_UNMOUNT_RESERVED_AGAIN, SHARE_MOUNT_RESERVED }, /* asked for while the guest unmounted it */
	{ SHARE_MOUNT_INVALID, SHARE_MOUNT_RELEASE, SHARE_MOUNT_INVALID },
	{ SHARE_MOUNT_INVALID, SHARE_MOUNT_UNMOUNT, SHARE_MOUNT_UNMOUNTED },
};

const lcowmig__machine lcowmig__plan9_mount_machine = {
	"Plan9 mount", mount_states, LCOWMIG__COUNT(mount_states), mount_triggers, LCOWMIG__COUNT(mount_triggers),
	mount_rows,    LCOWMIG__COUNT(mount_rows),
};

_Static_assert(LCOWMIG__COUNT(plan9_triggers) == PLAN9_TRIGGERS, "a name for each");
_Static_assert(LCOWMIG__COUNT(share_states) == SHARE_STATES && LCOWMIG__COUNT(share_triggers) == SHARE_TRIGGERS, "a name for each");
_Static_assert(LCOWMIG__COUNT(mount_states) == SHARE_MOUNT_STATES && LCOWMIG__COUNT(mount_triggers) == SHARE_MOUNT_TRIGGERS,
               "a name for each");
