/* The vPCI controller from the inside. Conventions as in scsi/scsi.h. It has no payload: its use forbids migration. */
#ifndef LCOWMIG__VPCI_H
#define LCOWMIG__VPCI_H

#include "engine/env.h"
#include "lcowmig/vpci.h"

lcowmig_status lcowmig__vpci_new(lcowmig__env *env, lcowmig_vpci **ret_vpci, lcowmig_error *error);
void lcowmig__vpci_free(lcowmig_vpci *vpci);
/* The same device gives the same GUID. */
lcowmig_status lcowmig__vpci_reserve(lcowmig_vpci *vpci, const char *instance_id, uint16_t function, lcowmig_guid *ret_device,
                                     lcowmig_error *error);
lcowmig__flow *lcowmig__vpci_add_flow(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_error *error);
lcowmig__flow *lcowmig__vpci_remove_flow(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_error *error);
lcowmig_status lcowmig__vpci_capture(const lcowmig_vpci *vpci, lcowmig_error *error);

extern const lcowmig__machine lcowmig__vpci_device_machine;

#endif
