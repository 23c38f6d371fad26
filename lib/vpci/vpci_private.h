/* The parts of the vPCI controller: devices by GUID and by what they are. */
#ifndef LCOWMIG__VPCI_PRIVATE_H
#define LCOWMIG__VPCI_PRIVATE_H

#include "engine/controller.h"
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
	lcowmig__entry entry;
	lcowmig__node by_identity; /* in no tree while it is leaving */
	lcowmig__object object;    /* its id is the GUID's text */
	lcowmig__device_identity identity;
	uint32_t ref_count;
	char text[LCOWMIG_GUID_TEXT_SIZE];
	char instance_id[];
} lcowmig__device;

struct lcowmig_vpci {
	lcowmig__controller base; /* its entries are the devices */
	lcowmig__tree by_identity;
};

/* NULL, and NOT_FOUND naming the id. */
static inline lcowmig__device *lcowmig__vpci_look_up(const lcowmig_vpci *vpci, const lcowmig_guid *id, lcowmig_error *error)
{
	return (lcowmig__device *)lcowmig__controller_look_up(&vpci->base, id, error);
}
/* Puts a device among those that Reserve finds, unless another has taken its place while it was leaving. */
void lcowmig__vpci_show(lcowmig_vpci *vpci, lcowmig__device *device);
void lcowmig__vpci_hide(lcowmig_vpci *vpci, lcowmig__device *device);

#endif
