/* What an assigned device may do when. */
#include "vpci_private.h"

static const char *const vpci_states[] = { "Active" };
static const char *const vpci_triggers[] = { "reserving", "adding", "removing", "saving" };

static const lcowmig__transition vpci_rows[] = {
	{ 0, VPCI_RESERVE, 0 },
	{ 0, VPCI_ADD, 0 },
	{ 0, VPCI_REMOVE, 0 },
	{ 0, VPCI_SAVE, 0 }, /* a question: does it hold nothing? */
};

const lcowmig__machine lcowmig__vpci_machine = {
	"vPCI", vpci_states, LCOWMIG__COUNT(vpci_states), vpci_triggers, LCOWMIG__COUNT(vpci_triggers),
	vpci_rows, LCOWMIG__COUNT(vpci_rows),
};

static const char *const device_states[] = { "Reserved", "Assigned", "Ready", "AssignedInvalid", "Removed" };
static const char *const device_triggers[] = {
	"adding", "failing to add", "appearing in the guest", "failing to appear",
	"releasing one of its uses", "removing", "failing to remove",
};

static const lcowmig__transition device_rows[] = {
	{ DEVICE_RESERVED, DEVICE_ADD, DEVICE_ASSIGNED },
	{ DEVICE_RESERVED, DEVICE_ADD_FAILED, DEVICE_REMOVED },
	{ DEVICE_RESERVED, DEVICE_REMOVE, DEVICE_REMOVED }, /* it was never there */
	{ DEVICE_ASSIGNED, DEVICE_APPEAR, DEVICE_READY },
	{ DEVICE_ASSIGNED, DEVICE_APPEAR_FAILED, DEVICE_ASSIGNED_INVALID },
	{ DEVICE_READY, DEVICE_ADD, DEVICE_READY },
	{ DEVICE_READY, DEVICE_RELEASE, DEVICE_READY },
	{ DEVICE_READY, DEVICE_REMOVE, DEVICE_REMOVED },
	{ DEVICE_READY, DEVICE_REMOVE_FAILED, DEVICE_ASSIGNED_INVALID },
	{ DEVICE_ASSIGNED_INVALID, DEVICE_REMOVE, DEVICE_REMOVED },
	{ DEVICE_ASSIGNED_INVALID, DEVICE_REMOVE_FAILED, DEVICE_ASSIGNED_INVALID },
	{ DEVICE_REMOVED, DEVICE_REMOVE, DEVICE_REMOVED }, /* adding had failed */
};

const lcowmig__machine lcowmig__vpci_device_machine = {
	"vPCI device", device_states, LCOWMIG__COUNT(device_states), device_triggers, LCOWMIG__COUNT(device_triggers),
	device_rows,   LCOWMIG__COUNT(device_rows),
};

_Static_assert(LCOWMIG__COUNT(vpci_triggers) == VPCI_TRIGGERS, "a name for each");
_Static_assert(LCOWMIG__COUNT(device_states) == DEVICE_STATES && LCOWMIG__COUNT(device_triggers) == DEVICE_TRIGGERS, "a name for each");
