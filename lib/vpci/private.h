/* What the files of this folder share. */
#ifndef LCOWMIG__VPCI_PRIVATE_H
#define LCOWMIG__VPCI_PRIVATE_H

#include "vpci.h"

typedef enum device_state { DEVICE_RESERVED, DEVICE_ASSIGNED, DEVICE_READY, DEVICE_ASSIGNED_INVALID, DEVICE_REMOVED, DEVICE_STATES } device_state;

typedef enum device_trigger {
	DEVICE_ADD,
	DEVICE_HOST_ADDED,
	DEVICE_HOST_REFUSED,
	DEVICE_GUEST_ADDED,
	DEVICE_GUEST_REFUSED,
	DEVICE_REMOVE,
	DEVICE_REMOVE_FAILED,
	DEVICE_TRIGGERS
} device_trigger;

/* The controller's own machine: it is always open; the object counts what is in flight. */
extern const lcowmig__machine lcowmig__vpci_machine;

typedef struct vpci_device {
	lcowmig__object object;
	lcowmig__node by_guid;
	lcowmig__node by_identity;
	lcowmig_guid guid;
	char guid_text[LCOWMIG_GUID_TEXT_SIZE];
	uint16_t function;
	unsigned users;
	char instance_id[]; /* NUL-terminated */
} vpci_device;

struct lcowmig_vpci {
	lcowmig__object object;
	lcowmig__env *env;
	lcowmig__gate gate; /* held across host and guest calls */
	lcowmig__tree devices;    /* by GUID */
	lcowmig__tree identities; /* by instance id and function */
};

#endif
