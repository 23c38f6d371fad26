/*
 * SCSI: every disk on the virtual machine's buses, and where the guest has its partitions mounted.
 *
 * A disk is used in four steps: reserve (gives an id), map (attaches the disk and mounts the partition), unmap (undoes both), and nothing
 * more: after the unmap the id is forgotten. Reservations of the same disk share its slot, those of the same partition its mount; what is
 * shared is attached and mounted once and goes with the last of them. Unmapping is legal, and complete, at every point: never mapped, map
 * failed, mapped, an earlier unmap failed half-way.
 *
 *     lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error);
 *     lcowmig_scsi_map(scsi, &id, done, user, &error);
 *     …
 *     lcowmig_scsi_unmap(scsi, &id, done, user, &error);
 *
 * A controller that was saved, or that was imported, is frozen until it is resumed: reserving, mapping and unmapping are refused with
 * FAILED_PRECONDITION ("Migrating"), looking is not. A frozen one takes new host paths.
 */
#ifndef LCOWMIG_SCSI_H
#define LCOWMIG_SCSI_H

#include "guid.h"
#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to the virtual machine (lcowmig_vm_scsi) or to whoever imported it alone. */
typedef struct lcowmig_scsi lcowmig_scsi;

typedef enum lcowmig_disk_type {
	LCOWMIG_DISK_VIRTUAL = 1,      /* "VirtualDisk": a VHD or VHDX file */
	LCOWMIG_DISK_PASS_THROUGH = 2, /* "PassThru": a physical disk */
	LCOWMIG_DISK_EXTENSIBLE = 3,   /* "ExtensibleVirtualDisk": served by a provider */
	LCOWMIG_DISK_FORCE_INT = 0x7fffffff
} lcowmig_disk_type;

/* A disk as HCS attaches it. Two are the same disk when all members are equal. */
typedef struct lcowmig_disk_config {
	size_t size;
	const char *host_path;
	const char *evd_type; /* provider; only for LCOWMIG_DISK_EXTENSIBLE, else NULL or "" */
	uint32_t type;        /* lcowmig_disk_type */
	uint32_t read_only;   /* 0 or 1 */
} lcowmig_disk_config;

#define LCOWMIG_DISK_CONFIG_INIT { sizeof(lcowmig_disk_config), NULL, NULL, LCOWMIG_DISK_VIRTUAL, 0 }

/* A partition as the guest mounts it. */
typedef struct lcowmig_mount_config {
	size_t size;
	uint64_t partition;         /* 0: the whole disk; else counted from 1 */
	const char *const *options; /* n_options texts */
	size_t n_options;
	const char *filesystem;     /* NULL or "": the guest detects it */
	uint32_t read_only;
	uint32_t encrypted;
	uint32_t ensure_filesystem; /* format unless it has `filesystem` already */
	uint32_t block_device;      /* link the device instead of mounting it */
} lcowmig_mount_config;

#define LCOWMIG_MOUNT_CONFIG_INIT { sizeof(lcowmig_mount_config), 0, NULL, 0, NULL, 0, 0, 0, 0 }

/* ---- Using disks ---- */

/*
 * Reserves a given slot for a disk that is part of the virtual machine's document. It has no id and is never unmapped. `disk` is copied.
 * Errors: INVALID_ARGUMENT (no such slot, bad config), ALREADY_EXISTS (the slot or the path is taken), FAILED_PRECONDITION (frozen),
 * NO_MEMORY. Any thread, no callback. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_scsi_reserve_for_rootfs(lcowmig_scsi *scsi, uint32_t controller, uint32_t lun,
                                                           const lcowmig_disk_config *disk, lcowmig_error *error);

/*
 * Reserves a partition of a disk, in the lowest free slot unless the disk has one. Both configs are copied. Disks are told apart by
 * `host_path` as it is written: resolve links beforehand. Nothing is asked of the host or the guest.
 * Errors: INVALID_ARGUMENT (bad config, or the same disk or partition with another config), LIMIT_EXCEEDED (no free slot, too many
 * options or reservations), FAILED_PRECONDITION (frozen, or the disk is on its way out), NO_MEMORY; then nothing was recorded. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_scsi_reserve(lcowmig_scsi *scsi, const lcowmig_disk_config *disk, const lcowmig_mount_config *mount,
                                                lcowmig_guid *ret_reservation, lcowmig_error *error);

/*
 * Attaches the disk and mounts the partition, unless somebody did already. `reservation` is copied. May return PENDING; see
 * lcowmig_done_fn. Repeating it is harmless. Once it has begun it is not abandoned by lcowmig_context_cancel.
 * Errors: NOT_FOUND, FAILED_PRECONDITION (frozen; an earlier map failed), NO_MEMORY, and those of the host and the guest. After a failure
 * of those the reservation can only be unmapped. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_scsi_map(lcowmig_scsi *scsi, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                            lcowmig_error *error);

/*
 * Gives a reservation back: the guest's mount goes with the last reservation of the partition, disk and slot with the last one of the
 * disk. May return PENDING. On failure the reservation stays; repeat it with the same id, what was completed is not repeated. Once it has
 * begun it is not abandoned by lcowmig_context_cancel.
 * Errors: NOT_FOUND, FAILED_PRECONDITION (frozen), NO_MEMORY, and those of the host and the guest. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_scsi_unmap(lcowmig_scsi *scsi, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                              lcowmig_error *error);

/*
 * ---- Looking ----
 * Any thread, at any time, never waiting for a map or unmap that is under way. Texts are written with a NUL to `buffer` of `capacity`
 * bytes, and `ret_size` (may be NULL) gets their length without it; with a NULL buffer it gets the length only. A buffer that is too small
 * is INVALID_ARGUMENT.
 */

/* Where the guest has the partition. NOT_FOUND, FAILED_PRECONDITION unless it is mapped. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_scsi_guest_path(lcowmig_scsi *scsi, const lcowmig_guid *reservation, char *buffer, size_t capacity,
                                                   size_t *ret_size, lcowmig_error *error);

/* How many slots there are: disks are in slots 0 to n - 1, slot = controller * 64 + LUN. 0 for NULL. Since 1.0. */
LCOWMIG_API uint32_t lcowmig_scsi_slots(lcowmig_scsi *scsi);

/*
 * The disk in a slot, reserved ones included. Set ret_disk->size; its texts are borrowed until the next call that changes the controller.
 * NOT_FOUND when the slot is empty. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_scsi_disk(lcowmig_scsi *scsi, uint32_t slot, lcowmig_disk_config *ret_disk, lcowmig_error *error);

/*
 * The value of VirtualMachine.Devices.Scsi in a compute-system document (JSON): every controller, with the disks that are attached or
 * reserved for the root filesystem. Disks that are only reserved are not on the virtual machine and left out. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_scsi_attachments(lcowmig_scsi *scsi, char *buffer, size_t capacity, size_t *ret_size,
                                                    lcowmig_error *error);

/* True from a save or an import until a resume. Since 1.0. */
LCOWMIG_API bool lcowmig_scsi_is_migrating(lcowmig_scsi *scsi);

/* ---- Migrating a controller by itself (lcowmig_migration does it for a whole sandbox) ---- */

/*
 * Saves the controller as an envelope of `ret_size` bytes into `buffer` and freezes it. With a NULL buffer it gives the size only and
 * freezes nothing. May be repeated while frozen, with the same bytes.
 * Errors: FAILED_PRECONDITION (a map or unmap is in flight, or a disk, mount or reservation is half-way; the message names it),
 * INVALID_ARGUMENT (`capacity` is too small), NO_MEMORY; then nothing is frozen. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_scsi_save(lcowmig_scsi *scsi, uint8_t *buffer, size_t capacity, size_t *ret_size, lcowmig_error *error);

/*
 * Makes a frozen controller of an envelope, bound to the sandbox's host and guest. Free with lcowmig_scsi_free before the sandbox. Nothing
 * in the bytes is trusted. Errors: INVALID_ARGUMENT (absent, of another type, or bad values), CORRUPT_DATA, UNSUPPORTED_VERSION,
 * LIMIT_EXCEEDED, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_scsi_import(lcowmig_sandbox *sandbox, const uint8_t *data, size_t size, lcowmig_scsi **ret_scsi,
                                               lcowmig_error *error);

/*
 * Gives the disk behind a reservation a new host path; a frozen controller only. Naming the old path again says that it is right here too.
 * Errors: FAILED_PRECONDITION (not frozen), NOT_FOUND (reservation, or its disk), ALREADY_EXISTS (another disk has the path),
 * INVALID_ARGUMENT, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_scsi_update_disk_host_path(lcowmig_scsi *scsi, const lcowmig_guid *reservation, const char *host_path,
                                                              lcowmig_error *error);

/* Ends being frozen; no call to host or guest. Succeeds without effect when it is not. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_scsi_resume(lcowmig_scsi *scsi, lcowmig_error *error);

/*
 * Frees a controller that lcowmig_scsi_import made. NULL is fine. FAILED_PRECONDITION, nothing freed, while a map or unmap is in flight or
 * when it belongs to a virtual machine. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_scsi_free(lcowmig_scsi *scsi, lcowmig_error *error);

#ifdef __cplusplus
}
#endif

#endif
