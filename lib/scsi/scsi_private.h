/* The parts of the SCSI controller: disks in slots, the mounts of their partitions, and the reservations that hold both. */
#ifndef LCOWMIG__SCSI_PRIVATE_H
#define LCOWMIG__SCSI_PRIVATE_H

#include "base/text_list.h"
#include "engine/controller.h"
#include "guest/guest.h"
#include "hcs/documents.h"
#include "scsi.h"

/* Linux gives a disk 256 minor numbers, the whole disk included. */
#define LCOWMIG__SCSI_PARTITION_MAX 255u

/* ---- State tables (state.c) ---- */

typedef enum lcowmig__scsi_state { SCSI_ACTIVE, SCSI_MIGRATING, SCSI_STATES } lcowmig__scsi_state;
typedef enum lcowmig__scsi_trigger {
	SCSI_RESERVE_FOR_ROOTFS,
	SCSI_RESERVE,
	SCSI_MAP,
	SCSI_UNMAP,
	SCSI_SAVE,
	SCSI_UPDATE_HOST_PATH,
	SCSI_RESUME,
	SCSI_TRIGGERS
} lcowmig__scsi_trigger;

typedef enum lcowmig__disk_state { DISK_RESERVED, DISK_ATTACHED, DISK_EJECTED, DISK_DETACHED, DISK_STATES } lcowmig__disk_state;
typedef enum lcowmig__disk_trigger {
	DISK_RESERVE_PARTITION,
	DISK_ATTACH,
	DISK_ATTACH_FAILED,
	DISK_MOUNT_PARTITION,
	DISK_UNMOUNT_PARTITION,
	DISK_EJECT,
	DISK_DETACH,
	DISK_SAVE,
	DISK_TRIGGERS
} lcowmig__disk_trigger;

typedef enum lcowmig__mount_state { MOUNT_RESERVED, MOUNT_MOUNTED, MOUNT_UNMOUNTED, MOUNT_STATES } lcowmig__mount_state;
typedef enum lcowmig__mount_trigger {
	MOUNT_RESERVE,
	MOUNT_MOUNT,
	MOUNT_MOUNT_FAILED,
	MOUNT_UNMOUNT,
	MOUNT_UNMOUNT_RESERVED_AGAIN,
	MOUNT_RELEASE,
	MOUNT_SAVE,
	MOUNT_TRIGGERS
} lcowmig__mount_trigger;

extern const lcowmig__machine lcowmig__scsi_machine;
extern const lcowmig__machine lcowmig__disk_machine;
extern const lcowmig__machine lcowmig__mount_machine;

/* ---- Mounts (mount.c) ---- */

typedef struct lcowmig__mount {
	lcowmig__object object; /* its id is the guest path */
	lcowmig__node node;     /* in the disk, by partition */
	uint32_t slot;
	/* What of it travels; the guest path is known before it is mounted there. The texts are its own, the options those of the list. */
	lcowmig__wire_mount wire;
	lcowmig__text_list options;
} lcowmig__mount;

/* A copy of `wire`; without a guest path it is at the usual place. NULL when memory is out. */
lcowmig__mount *lcowmig__mount_new(lcowmig_context *context, uint32_t slot, const lcowmig__wire_mount *wire);
void lcowmig__mount_free(lcowmig__mount *mount);
/*
 * One more holder: FAILED_PRECONDITION when it is Unmounted, INVALID_ARGUMENT when `wire` says something else but for the place; options
 * come in any order and either case of letters.
 */
lcowmig_status lcowmig__mount_reserve(lcowmig__mount *mount, const lcowmig__wire_mount *wire, lcowmig_error *error);
/* For the guest's Add and Remove. Borrows from the mount. */
lcowmig__guest_disk lcowmig__mount_describe(const lcowmig__mount *mount);
/* Whether giving up one reference needs the guest. */
bool lcowmig__mount_is_last_use(const lcowmig__mount *mount);

/* ---- Disks (disk.c) ---- */

typedef struct lcowmig__disk {
	lcowmig__object object; /* its id is the host path */
	lcowmig__node by_slot;
	lcowmig__node by_path; /* in no tree while it is leaving */
	uint32_t slot;
	char *host_path; /* never NULL, "" for an imported disk without one */
	char *imported_path; /* what the envelope called it, once it is repointed; else NULL */
	char *evd_type;  /* never NULL */
	uint32_t type;   /* 0 for an imported disk without one */
	bool read_only;
	bool is_root;      /* part of the virtual machine's document: not attached or detached by reservations */
	bool is_unpatched; /* the host path is the source's */
	lcowmig__tree mounts;
	lcowmig__list reservations;
} lcowmig__disk;

lcowmig__disk *lcowmig__disk_new(lcowmig_context *context, uint32_t slot, const lcowmig_disk_config *config);
void lcowmig__disk_free(lcowmig__disk *disk);
lcowmig__mount *lcowmig__disk_find_mount(const lcowmig__disk *disk, uint64_t partition);
/* A mount that the disk has not. NO_MEMORY. */
lcowmig_status lcowmig__disk_add_mount(lcowmig__disk *disk, const lcowmig__wire_mount *wire, lcowmig_error *error);
/* A further holder of the partition: of its mount, or of a new one. */
lcowmig_status lcowmig__disk_reserve_partition(lcowmig__disk *disk, const lcowmig__wire_mount *wire, lcowmig_error *error);
/* Gives one reference up after the guest, where it had to, has unmounted. Forgets the mount with its last one (imports may count none). */
void lcowmig__disk_release_partition(lcowmig__disk *disk, lcowmig__mount *mount, bool guest_unmounted);
/* For the virtual machine. Borrows from the disk. */
lcowmig__hcs_attachment lcowmig__disk_attachment(const lcowmig__disk *disk);
/* Whether the virtual machine has it: attached by us or with its document. */
bool lcowmig__disk_is_present(const lcowmig__disk *disk);
void lcowmig__disk_config(const lcowmig__disk *disk, lcowmig_disk_config *ret_config);
/* "VirtualDisk" …, "" for 0. */
const char *lcowmig__disk_type_text(uint32_t type);

/* ---- The controller (scsi.c) ---- */

typedef struct lcowmig__scsi_reservation {
	lcowmig__entry entry;
	uint32_t slot;
	bool is_released; /* its reference to the mount has been given up; the disk was not got rid of */
	uint64_t partition;
	lcowmig__disk *disk; /* NULL: the slot holds none (any more) */
	lcowmig__list on_disk;
} lcowmig__scsi_reservation;

struct lcowmig_scsi {
	lcowmig__controller base; /* its entries are the reservations */
	uint32_t n_controllers;
	lcowmig__tree disks;                              /* by slot */
	uint64_t free_luns[LCOWMIG_SCSI_CONTROLLERS_MAX]; /* a bit for each free slot */
	lcowmig__tree paths;
	bool is_alone; /* imported by itself: freed by the host */
};

/* The disk in that slot, which need not exist; NULL: none. */
lcowmig__disk *lcowmig__scsi_disk_in(const lcowmig_scsi *scsi, uint32_t slot);
/* In slot order: NULL starts, NULL ends. */
lcowmig__disk *lcowmig__scsi_next(const lcowmig_scsi *scsi, const lcowmig__disk *disk);
/* Puts a disk into its slot and indexes its path, where it has one and no other disk has it. */
void lcowmig__scsi_occupy(lcowmig_scsi *scsi, lcowmig__disk *disk);
void lcowmig__scsi_index_path(lcowmig_scsi *scsi, lcowmig__disk *disk);
/* Frees the disk and its slot; reservations that still point to it do so no more. */
void lcowmig__scsi_vacate(lcowmig_scsi *scsi, lcowmig__disk *disk);
lcowmig__disk *lcowmig__scsi_find_path(const lcowmig_scsi *scsi, const char *host_path);
static inline lcowmig__scsi_reservation *lcowmig__scsi_find(const lcowmig_scsi *scsi, const lcowmig_guid *id)
{
	return (lcowmig__scsi_reservation *)lcowmig__controller_find(&scsi->base, id);
}
/* NULL, and NOT_FOUND naming the id. */
static inline lcowmig__scsi_reservation *lcowmig__scsi_look_up(const lcowmig_scsi *scsi, const lcowmig_guid *id, lcowmig_error *error)
{
	return (lcowmig__scsi_reservation *)lcowmig__controller_look_up(&scsi->base, id, error);
}
/* The mount it holds; NULL once that is given up, or when an import had none for it. */
lcowmig__mount *lcowmig__scsi_reservation_mount(const lcowmig__scsi_reservation *reservation);
/* `entry` begins a reservation that is in no controller yet. */
void lcowmig__scsi_add_reservation(lcowmig_scsi *scsi, lcowmig__entry *entry, uint32_t slot, uint64_t partition);
void lcowmig__scsi_forget(lcowmig_scsi *scsi, lcowmig__scsi_reservation *reservation);
/* An envelope becomes a controller of its own (scsi_public.c). */
lcowmig_status lcowmig__scsi_import_alone(lcowmig__env *env, const uint8_t *data, size_t size, lcowmig_scsi **ret_scsi,
                                          lcowmig_error *error);

#endif
