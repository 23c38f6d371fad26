/*
 * vPCI: host PCI functions assigned to the virtual machine. A virtual machine that has any cannot migrate.
 *
 * A device is named by what it is on the host (instance id and virtual function) and, once reserved, by a GUID that is its place on the VMBus.
 * Reserving twice gives the same GUID; adding is counted. Mirrors HCS's VirtualMachine/Devices/VirtualPci and the guest's VPCIDevice resource.
 */
#ifndef LCOWMIG_VPCI_H
#define LCOWMIG_VPCI_H

#include "guid.h"
#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to the virtual machine (lcowmig_vm_vpci), and lives as long. */
typedef struct lcowmig_vpci lcowmig_vpci;

/*
 * Reserves a device: `instance_id` (copied) and virtual function. Calls nobody. Any thread.
 * Errors: INVALID_ARGUMENT (no instance id), HOST_FAILED (no random bytes), NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vpci_reserve(lcowmig_vpci *vpci, const char *instance_id, uint16_t function, lcowmig_guid *ret_device,
                                                lcowmig_error *error);

/*
 * Adds a reserved device to the machine and waits until the guest sees it; a device that is there already only gets one more user. Host and guest
 * callbacks run before it returns. May return PENDING; `done` then reports the end.
 * Errors: NOT_FOUND (not reserved), FAILED_PRECONDITION (an earlier add failed: remove it first), those of host and guest. After a failure the device
 * must be removed. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vpci_add(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user,
                                            lcowmig_error *error);

/*
 * Takes one user from a device, and with the last one removes it from the machine and forgets it; also clears what a failed add has left.
 * Repeatable after a failure. May return PENDING. Errors: NOT_FOUND, those of the host. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vpci_remove(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user,
                                               lcowmig_error *error);

/*
 * Tells whether the machine could be saved as far as its devices are concerned: OK when there is none, else FAILED_PRECONDITION with their number.
 * Freezes nothing. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vpci_save(lcowmig_vpci *vpci, lcowmig_error *error);

#ifdef __cplusplus
}
#endif

#endif
