/* The parts of the vPCI controller: devices by GUID and by what they are. */
#ifndef LCOWMIG__VPCI_PRIVATE_H
#define LCOWMIG__VPCI_PRIVATE_H

#include "vpci.h"

typedef enum lcowmig__vpci_trigger { VPCI_RESERVE, VPCI_ADD, VPCI_REMOVE, VPCI_SAVE, VPCI_TRIGGERS } lcowmig__vpci_trigger;

typedef enum lcowmig__device_state {
	DEVICE_RESERVED,
	DEVICE_ASSIGNED, /* only while an add is under way */
	DEVICE_READY,
	DEVICE_ASSIGNED_INVALID,
	DEVICE_REMOVED,
	DEVICE_STATES
} lcowmig__device_state;
typedef enum lcowmig__device_trigger {
	DEVICE_ADD,
	DEVICE_ADD_FAILED,
	DEVICE_APPEAR,
	DEVICE_APPEAR_FAILED,
	DEVICE_RELEASE,
	DEVICE_REMOVE,
	DEVICE_REMOVE_FAILED,
	DEVICE_TRIGGERS
} lcowmig__device_trigger;

extern const lcowmig__machine lcowmig__vpci_machine;

/* What a device is. */
typedef struct lcowmig__device_identity {
	const char *instance_id;
	uint16_t function;
} lcowmig__device_identity;

typedef struct lcowmig__device {
	lcowmig__object object; /* its id is the GUID's text */
	lcowmig__node by_id;
	lcowmig__node by_identity; /* in no tree while it is leaving */
	lcowmig_guid id;
	char text[LCOWMIG_GUID_TEXT_SIZE];
	char *instance_id;
	uint16_t function;
	uint32_t ref_count;
} lcowmig__device;

struct lcowmig_vpci {
	lcowmig__object object;
	lcowmig__env *env;
	lcowmig__gate gate; /* held by add and remove across their calls */
	lcowmig__tree by_id;
	lcowmig__tree by_identity;
};

lcowmig_status lcowmig__vpci_look_up(const lcowmig_vpci *vpci, const lcowmig_guid *id, lcowmig__device **ret_device, lcowmig_error *error);
/* Puts a device that was leaving back among those that Reserve finds, unless another has taken its place. */
void lcowmig__vpci_show(lcowmig_vpci *vpci, lcowmig__device *device);
void lcowmig__vpci_hide(lcowmig_vpci *vpci, lcowmig__device *device);
void lcowmig__vpci_forget(lcowmig_vpci *vpci, lcowmig__device *device);

#endif
