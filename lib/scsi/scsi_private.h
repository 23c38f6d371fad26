/* The parts of the SCSI controller: disks in slots, the mounts of their partitions, and the reservations that hold both. */
#ifndef LCOWMIG__SCSI_PRIVATE_H
#define LCOWMIG__SCSI_PRIVATE_H

#include "scsi.h"

#define LCOWMIG__SCSI_SLOTS_MAX (LCOWMIG_SCSI_CONTROLLERS_MAX * LCOWMIG_SCSI_LUNS)
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
	uint32_t controller;
	uint32_t lun;
	uint64_t partition;
	bool read_only;
	bool encrypted;
	bool ensure_filesystem;
	bool block_device;
	char *filesystem; /* never NULL */
	char **options;
	size_t n_options;
	uint32_t ref_count;
	char *guest_path; /* also while it is not mounted there yet */
} lcowmig__mount;

/* `guest_path` NULL: the usual place. NULL when memory is out. The count starts at 1. */
lcowmig__mount *lcowmig__mount_new(lcowmig_context *context, uint32_t controller, uint32_t lun, const lcowmig_mount_config *config,
                                   const char *guest_path);
void lcowmig__mount_free(lcowmig__mount *mount);
/* Whether both say the same but for the partition; options in any order and either case of letters. */
bool lcowmig__mount_is(const lcowmig__mount *mount, const lcowmig_mount_config *config);
/* One more holder: FAILED_PRECONDITION when it is Unmounted, INVALID_ARGUMENT when the config differs. */
lcowmig_status lcowmig__mount_reserve(lcowmig__mount *mount, const lcowmig_mount_config *config, lcowmig_error *error);
void lcowmig__mount_ask_add(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__mount *mount);
void lcowmig__mount_ask_remove(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__mount *mount);
/* Whether giving up one reference needs the guest. */
bool lcowmig__mount_is_last_use(const lcowmig__mount *mount);

/* ---- Disks (disk.c) ---- */

typedef struct lcowmig__disk {
	lcowmig__object object; /* its id is the host path */
	lcowmig__node node;     /* in the controller, by host path; in no tree while it is leaving */
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
/* Whether both say the same but for the path, by which it was found. */
bool lcowmig__disk_is(const lcowmig__disk *disk, const lcowmig_disk_config *config);
lcowmig__mount *lcowmig__disk_find_mount(const lcowmig__disk *disk, uint64_t partition);
/* A further holder of the partition: of its mount, or of a new one. */
lcowmig_status lcowmig__disk_reserve_partition(lcowmig__disk *disk, const lcowmig_mount_config *config, lcowmig_error *error);
/* Gives one reference up after the guest, where it had to, has unmounted. Forgets the mount with its last one (imports may count none). */
void lcowmig__disk_release_partition(lcowmig__disk *disk, lcowmig__mount *mount, bool guest_unmounted);
void lcowmig__disk_ask_attach(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__disk *disk);
void lcowmig__disk_ask_eject(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__disk *disk);
void lcowmig__disk_ask_detach(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__disk *disk);
/* Whether the virtual machine has it: attached by us or with its document. */
bool lcowmig__disk_is_present(const lcowmig__disk *disk);
void lcowmig__disk_config(const lcowmig__disk *disk, lcowmig_disk_config *ret_config);
/* "VirtualDisk" …, "" for 0. */
const char *lcowmig__disk_type_text(uint32_t type);
static inline uint32_t lcowmig__disk_controller(const lcowmig__disk *disk)
{
	return disk->slot / LCOWMIG_SCSI_LUNS;
}
static inline uint32_t lcowmig__disk_lun(const lcowmig__disk *disk)
{
	return disk->slot % LCOWMIG_SCSI_LUNS;
}

/* ---- The controller (scsi.c) ---- */

typedef struct lcowmig__scsi_reservation {
	lcowmig__node node; /* in the controller, by id */
	lcowmig_guid id;
	uint32_t slot;
	bool is_released; /* its reference to the mount has been given up; the disk was not got rid of */
	uint64_t partition;
	lcowmig__disk *disk; /* NULL: the slot holds none (any more) */
	lcowmig__list on_disk;
} lcowmig__scsi_reservation;

struct lcowmig_scsi {
	lcowmig__object object;
	lcowmig__env *env;
	lcowmig__gate gate; /* held by map and unmap across their calls */
	uint32_t n_controllers;
	lcowmig__disk *slots[LCOWMIG__SCSI_SLOTS_MAX];
	uint64_t free_luns[LCOWMIG_SCSI_CONTROLLERS_MAX]; /* a bit for each free slot */
	lcowmig__tree paths;
	lcowmig__tree reservations;
	bool is_alone; /* imported by itself: freed by the host */
};

/* Puts a disk into its slot and indexes its path, where it has one and no other disk has it. */
void lcowmig__scsi_occupy(lcowmig_scsi *scsi, lcowmig__disk *disk);
/* Frees the disk and its slot; reservations that still point to it do so no more. */
void lcowmig__scsi_vacate(lcowmig_scsi *scsi, lcowmig__disk *disk);
lcowmig__disk *lcowmig__scsi_find_path(const lcowmig_scsi *scsi, const char *host_path);
lcowmig__scsi_reservation *lcowmig__scsi_find(const lcowmig_scsi *scsi, const lcowmig_guid *id);
/* NOT_FOUND, naming the id. */
lcowmig_status lcowmig__scsi_look_up(const lcowmig_scsi *scsi, const lcowmig_guid *id, lcowmig__scsi_reservation **ret_reservation,
                                     lcowmig_error *error);
/* The mount it holds; NULL once that is given up, or when an import had none for it. */
lcowmig__mount *lcowmig__scsi_reservation_mount(const lcowmig__scsi_reservation *reservation);
lcowmig__scsi_reservation *lcowmig__scsi_add_reservation(lcowmig_scsi *scsi, const lcowmig_guid *id, uint32_t slot, uint64_t partition);
void lcowmig__scsi_forget(lcowmig_scsi *scsi, lcowmig__scsi_reservation *reservation);
/* An envelope becomes a controller of its own (scsi_public.c). */
lcowmig_status lcowmig__scsi_import_alone(lcowmig__env *env, const uint8_t *data, size_t size, lcowmig_scsi **ret_scsi,
                                          lcowmig_error *error);

#endif
