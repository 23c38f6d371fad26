/*
 * Plan9: host directories shared into the guest. A virtual machine that has any cannot migrate.
 *
 * Used like SCSI disks: reserve gives an id, map adds the share and mounts it, unmap undoes both and forgets the id, at every point.
 * Reservations of the same host path share one share and one mount.
 */
#ifndef LCOWMIG_PLAN9_H
#define LCOWMIG_PLAN9_H

#include "guid.h"
#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to the virtual machine (lcowmig_vm_plan9). */
typedef struct lcowmig_plan9 lcowmig_plan9;

/* A directory as HCS shares it. Two are the same when all members are, the names in any order and either case of letters. */
typedef struct lcowmig_share_config {
	size_t size;
	const char *host_path;
	const char *const *allowed_names; /* with restrict_access: the only files visible */
	size_t n_allowed_names;
	uint32_t read_only;
	uint32_t restrict_access;
} lcowmig_share_config;

#define LCOWMIG_SHARE_CONFIG_INIT { sizeof(lcowmig_share_config), NULL, NULL, 0, 0, 0 }

/*
 * Reserves a share and its mount in the guest. `share` is copied; `mount_read_only` (0 or 1) is how the guest mounts it. Nothing is asked
 * of the host or the guest.
 * Errors: DENIED (a writable share where those are forbidden), INVALID_ARGUMENT (bad config, or the same path with another one),
 * LIMIT_EXCEEDED, FAILED_PRECONDITION (the share failed and was not unmapped yet), NO_MEMORY; then nothing was recorded. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_plan9_reserve(lcowmig_plan9 *plan9, const lcowmig_share_config *share, uint32_t mount_read_only,
                                                 lcowmig_guid *ret_reservation, lcowmig_error *error);

/*
 * Adds the share to the virtual machine and mounts it in the guest, unless somebody did already. `reservation` is copied. May return
 * PENDING; see lcowmig_done_fn. Once it has begun it is not abandoned by lcowmig_context_cancel.
 * Errors: NOT_FOUND, FAILED_PRECONDITION (an earlier map failed), NO_MEMORY, and those of the host and the guest. After a failure of those
 * the reservation can only be unmapped. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_plan9_map(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                             lcowmig_error *error);

/*
 * Gives a reservation back: mount and share go with the last one. May return PENDING. On failure the reservation stays; repeat it with the
 * same id, what was completed is not repeated. Errors: NOT_FOUND, NO_MEMORY, and those of the host and the guest. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_plan9_unmap(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                               lcowmig_error *error);

/*
 * Where the guest has the directory. Written with a NUL to `buffer` of `capacity` bytes; `ret_size` (may be NULL) gets the length without
 * it; a NULL buffer gives the length only. NOT_FOUND, FAILED_PRECONDITION unless it is mapped, INVALID_ARGUMENT when the buffer is too
 * small. Any thread, never waits. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_plan9_guest_path(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, char *buffer, size_t capacity,
                                                    size_t *ret_size, lcowmig_error *error);

/*
 * Asks whether the virtual machine could migrate as far as shares go: FAILED_PRECONDITION, with the counts, unless there is neither share
 * nor reservation. Changes nothing. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_plan9_save(lcowmig_plan9 *plan9, lcowmig_error *error);

#ifdef __cplusplus
}
#endif

#endif
