#include "private.h"

static const char *const share_states[] = {
	[SHARE_RESERVED] = "Reserved",
	[SHARE_ADDED] = "Added",
	[SHARE_INVALID] = "Invalid",
	[SHARE_REMOVED] = "Removed",
};
_Static_assert(LCOWMIG__COUNT(share_states) == SHARE_STATES, "every state has a name");

static const char *const share_triggers[] = {
	[SHARE_ADD] = "add",
	[SHARE_ADD_FAILED] = "failed add",
	[SHARE_REMOVE] = "remove",
	[SHARE_RESERVE_MOUNT] = "reserve mount",
	[SHARE_MOUNT] = "mount",
};
_Static_assert(LCOWMIG__COUNT(share_triggers) == SHARE_TRIGGERS, "every trigger has a name");

static const lcowmig__transition share_rows[] = {
	{ SHARE_RESERVED, SHARE_RESERVE_MOUNT, SHARE_RESERVED },
	{ SHARE_RESERVED, SHARE_ADD, SHARE_ADDED },
	{ SHARE_RESERVED, SHARE_ADD_FAILED, SHARE_INVALID },
	{ SHARE_ADDED, SHARE_RESERVE_MOUNT, SHARE_ADDED },
	{ SHARE_ADDED, SHARE_ADD, SHARE_ADDED },
	{ SHARE_ADDED, SHARE_MOUNT, SHARE_ADDED },
	/* Only without a mount; with one, removing leaves the share alone. */
	{ SHARE_RESERVED, SHARE_REMOVE, SHARE_REMOVED },
	{ SHARE_ADDED, SHARE_REMOVE, SHARE_REMOVED },
	{ SHARE_INVALID, SHARE_REMOVE, SHARE_REMOVED },
	{ SHARE_REMOVED, SHARE_REMOVE, SHARE_REMOVED },
};

const lcowmig__machine lcowmig__plan9_share_machine = {
	.kind = "Plan9 share",
	.states = share_states,
	.n_states = SHARE_STATES,
	.triggers = share_triggers,
	.n_triggers = SHARE_TRIGGERS,
	.rows = share_rows,
	.n_rows = LCOWMIG__COUNT(share_rows),
};

static const char *const mount_states[] = {
	[MOUNT_RESERVED] = "Reserved",
	[MOUNT_MOUNTED] = "Mounted",
	[MOUNT_INVALID] = "Invalid",
	[MOUNT_UNMOUNTED] = "Unmounted",
};
_Static_assert(LCOWMIG__COUNT(mount_states) == MOUNT_STATES, "every state has a name");

static const char *const mount_triggers[] = {
	[MOUNT_RESERVE] = "reserve",
	[MOUNT_MOUNT] = "mount",
	[MOUNT_MOUNT_FAILED] = "failed mount",
	[MOUNT_RELEASE] = "unmount by one of several",
	[MOUNT_UNMOUNT] = "unmount by the last",
};
_Static_assert(LCOWMIG__COUNT(mount_triggers) == MOUNT_TRIGGERS, "every trigger has a name");

static const lcowmig__transition mount_rows[] = {
	{ MOUNT_RESERVED, MOUNT_RESERVE, MOUNT_RESERVED },
	{ MOUNT_RESERVED, MOUNT_MOUNT, MOUNT_MOUNTED },
	{ MOUNT_RESERVED, MOUNT_MOUNT_FAILED, MOUNT_INVALID },
	{ MOUNT_RESERVED, MOUNT_RELEASE, MOUNT_RESERVED },
	{ MOUNT_RESERVED, MOUNT_UNMOUNT, MOUNT_UNMOUNTED },
	{ MOUNT_MOUNTED, MOUNT_RESERVE, MOUNT_MOUNTED },
	{ MOUNT_MOUNTED, MOUNT_MOUNT, MOUNT_MOUNTED },
	{ MOUNT_MOUNTED, MOUNT_RELEASE, MOUNT_MOUNTED },
	{ MOUNT_MOUNTED, MOUNT_UNMOUNT, MOUNT_UNMOUNTED },
	{ MOUNT_INVALID, MOUNT_RELEASE, MOUNT_INVALID },
	{ MOUNT_INVALID, MOUNT_UNMOUNT, MOUNT_UNMOUNTED },
};

const lcowmig__machine lcowmig__plan9_mount_machine = {
	.kind = "Plan9 mount",
	.states = mount_states,
	.n_states = MOUNT_STATES,
	.triggers = mount_triggers,
	.n_triggers = MOUNT_TRIGGERS,
	.rows = mount_rows,
	.n_rows = LCOWMIG__COUNT(mount_rows),
};

static const char *const plan9_states[] = { "Open" };

const lcowmig__machine lcowmig__plan9_machine = { .kind = "Plan9 controller", .states = plan9_states, .n_states = LCOWMIG__COUNT(plan9_states) };
