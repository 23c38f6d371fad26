/*
 * SCSI: every disk on the virtual machine's buses, and where the guest has its partitions mounted.
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

#ifdef __cplusplus
}
#endif

#endif
