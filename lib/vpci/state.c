#include "private.h"

static const char *const device_states[] = {
	[DEVICE_RESERVED] = "Reserved",
	[DEVICE_ASSIGNED] = "Assigned",
	[DEVICE_READY] = "Ready",
	[DEVICE_ASSIGNED_INVALID] = "AssignedInvalid",
	[DEVICE_REMOVED] = "Removed",
};
_Static_assert(LCOWMIG__COUNT(device_states) == DEVICE_STATES, "every state has a name");

static const char *const device_triggers[] = {
	[DEVICE_ADD] = "AddToVM",
	[DEVICE_HOST_ADDED] = "added by the host",
	[DEVICE_HOST_REFUSED] = "refused by the host",
	[DEVICE_GUEST_ADDED] = "seen by the guest",
	[DEVICE_GUEST_REFUSED] = "refused by the guest",
	[DEVICE_REMOVE] = "RemoveFromVM",
	[DEVICE_REMOVE_FAILED] = "failed RemoveFromVM",
};
_Static_assert(LCOWMIG__COUNT(device_triggers) == DEVICE_TRIGGERS, "every trigger has a name");

static const lcowmig__transition device_rows[] = {
	{ DEVICE_RESERVED, DEVICE_ADD, DEVICE_RESERVED },
	{ DEVICE_RESERVED, DEVICE_HOST_ADDED, DEVICE_ASSIGNED },
	{ DEVICE_RESERVED, DEVICE_HOST_REFUSED, DEVICE_REMOVED },
	{ DEVICE_ASSIGNED, DEVICE_GUEST_ADDED, DEVICE_READY },
	{ DEVICE_ASSIGNED, DEVICE_GUEST_REFUSED, DEVICE_ASSIGNED_INVALID },
	{ DEVICE_READY, DEVICE_ADD, DEVICE_READY }, /* one more user */

	/* A removal that succeeds forgets the device; the state it had last is never seen again. */
	{ DEVICE_RESERVED, DEVICE_REMOVE, DEVICE_REMOVED },
	{ DEVICE_REMOVED, DEVICE_REMOVE, DEVICE_REMOVED },
	{ DEVICE_READY, DEVICE_REMOVE, DEVICE_REMOVED },
	{ DEVICE_READY, DEVICE_REMOVE_FAILED, DEVICE_ASSIGNED_INVALID },
	{ DEVICE_ASSIGNED_INVALID, DEVICE_REMOVE, DEVICE_REMOVED },
	{ DEVICE_ASSIGNED_INVALID, DEVICE_REMOVE_FAILED, DEVICE_ASSIGNED_INVALID },
};

const lcowmig__machine lcowmig__vpci_device_machine = {
	.kind = "vPCI device",
	.states = device_states,
	.n_states = DEVICE_STATES,
	.triggers = device_triggers,
	.n_triggers = DEVICE_TRIGGERS,
	.rows = device_rows,
	.n_rows = LCOWMIG__COUNT(device_rows),
};

static const char *const vpci_states[] = { "Open" };

const lcowmig__machine lcowmig__vpci_machine = { .kind = "vPCI controller", .states = vpci_states, .n_states = LCOWMIG__COUNT(vpci_states) };
