/*
 * Plan9: host directories shared into the guest. A virtual machine that has any cannot migrate.
 *
 * A reservation is one user's claim on a share; the same host path is shared once and mounted once, for all its users. Mirrors HCS's Plan9 shares and
 * the guest's MappedDirectory resource.
 */
#ifndef LCOWMIG_PLAN9_H
#define LCOWMIG_PLAN9_H

#include "guid.h"
#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to the virtual machine (lcowmig_vm_plan9), and lives as long. */
typedef struct lcowmig_plan9 lcowmig_plan9;

/* A share. Two are the same when all members are equal (names in any order, whatever their case). */
typedef struct lcowmig_share_config {
	size_t size;
	const char *host_path;
	const char *const *allowed_names; /* with restrict_access: the only files visible */
	size_t n_allowed_names;
	uint32_t read_only;
	uint32_t restrict_access;
} lcowmig_share_config;

/*
 * Reserves a share and a mount of it; `share` is copied. `mount_read_only` is how the guest mounts it. Calls nobody.
 * Errors: INVALID_ARGUMENT, DENIED (writable, and the machine forbids writable shares), FAILED_PRECONDITION (the path is shared with another
 * configuration, or a failed share waits to be unmapped), HOST_FAILED (no random bytes), NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_plan9_reserve(lcowmig_plan9 *plan9, const lcowmig_share_config *share, bool mount_read_only,
                                                 lcowmig_guid *ret_reservation, lcowmig_error *error);

/*
 * Adds the share to the machine and mounts it in the guest, as far as that has not happened yet. Host and guest callbacks run before it returns; may
 * return PENDING. The guest path is lcowmig_plan9_guest_path then.
 * Errors: NOT_FOUND, FAILED_PRECONDITION (failed before), those of host and guest; after a failure the reservation must be unmapped. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_plan9_map(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                             lcowmig_error *error);

/* Returns where the guest has a reservation's share, "/run/mounts/plan9/<name>", or NULL for an unknown one. Borrowed until it is unmapped. Since 1.0. */
LCOWMIG_API const char *lcowmig_plan9_guest_path(lcowmig_plan9 *plan9, const lcowmig_guid *reservation);

/*
 * Gives a reservation back; with the last one the share is unmounted and removed. Repeatable with the same id after a failure: what was done is not
 * done again. May return PENDING. Errors: NOT_FOUND, those of host and guest. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_plan9_unmap(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                               lcowmig_error *error);

/*
 * Tells whether the machine could be saved as far as shares are concerned: OK when there is none, else FAILED_PRECONDITION with the numbers. Freezes
 * nothing. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_plan9_save(lcowmig_plan9 *plan9, lcowmig_error *error);

#ifdef __cplusplus
}
#endif

#endif
