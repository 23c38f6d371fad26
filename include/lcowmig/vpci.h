/*
 * vPCI: host PCI functions assigned to the virtual machine. A virtual machine that has any cannot migrate.
 *
 * Reserving names a device, adding assigns it and waits until the guest sees it, removing takes it away. Additions are counted, so each
 * add needs its remove; reservations are not, a device that was only reserved goes with one remove.
 */
#ifndef LCOWMIG_VPCI_H
#define LCOWMIG_VPCI_H

#include "guid.h"
#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to the virtual machine (lcowmig_vm_vpci). */
typedef struct lcowmig_vpci lcowmig_vpci;

/*
 * Reserves a device: its instance id on the host (copied) and the index of its virtual function. The same device gives the same GUID until
 * it is removed; the GUID is the device's name on the VM bus. Nothing is asked of the host or the guest.
 * Errors: INVALID_ARGUMENT, LIMIT_EXCEEDED, NO_MEMORY. Any thread, no callback. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vpci_reserve(lcowmig_vpci *vpci, const char *instance_id, uint16_t function, lcowmig_guid *ret_device,
                                                lcowmig_error *error);

/*
 * Assigns the device and waits for it in the guest; for one that is there already it only counts. `device` is copied. May return PENDING;
 * see lcowmig_done_fn. Once it has begun it is not abandoned by lcowmig_context_cancel.
 * Errors: NOT_FOUND, FAILED_PRECONDITION (an earlier add failed), NO_MEMORY, and those of the host and the guest. After a failure of those
 * the device can only be removed. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vpci_add(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user,
                                            lcowmig_error *error);

/*
 * Takes back one add; with the last one, or without any, the device is taken from the virtual machine and forgotten. May return PENDING.
 * On failure it stays and the removal can be repeated. Errors: NOT_FOUND, NO_MEMORY, and those of the host. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vpci_remove(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user,
                                               lcowmig_error *error);

/*
 * Asks whether the virtual machine could migrate as far as devices go: FAILED_PRECONDITION, with the count, unless there is none. Changes
 * nothing. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vpci_save(lcowmig_vpci *vpci, lcowmig_error *error);

#ifdef __cplusplus
}
#endif

#endif
