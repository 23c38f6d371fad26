/*
 * Container: one Linux container: its disks, its processes, its life.
 */
#ifndef LCOWMIG_CONTAINER_H
#define LCOWMIG_CONTAINER_H

#include "event.h"
#include "process.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to its pod. */
typedef struct lcowmig_container lcowmig_container;

/* A rootfs mount of a task create request. */
typedef struct lcowmig_rootfs_mount {
	const char *type;           /* "lcow-layer" or "lcow-partitioned-layer" */
	const char *source;
	const char *target;         /* NULL or "" */
	const char *const *options; /* n_options texts */
	size_t n_options;
} lcowmig_rootfs_mount;

/* What containerd's task create request and its bundle say. */
typedef struct lcowmig_container_options {
	size_t size;
	const char *oci_spec;               /* the bundle's config.json */
	size_t oci_spec_size;               /* bytes */
	const lcowmig_rootfs_mount *rootfs; /* NULL: layers from the spec's windows.layerFolders */
	size_t n_rootfs;
	const char *bundle;
	const char *stdin_path;
	const char *stdout_path;
	const char *stderr_path;
	uint64_t io_retry_timeout_ns; /* 0: a broken upstream is re-dialled for ever */
	uint32_t terminal;
	uint32_t reserved;
} lcowmig_container_options;

/* A further disk to repoint, by what the source calls it. */
typedef struct lcowmig_disk_patch {
	const char *source_path; /* host path on the source, as exported */
	const char *path;        /* host path here */
} lcowmig_disk_patch;

/* The destination's side of one imported container: containerd's task create request with its source-container annotation. */
typedef struct lcowmig_patch {
	size_t size;
	const char *source_container_id; /* annotation io.microsoft.migration.source-container-id */
	const char *container_id;        /* the new, host-facing id; may be the same */
	const lcowmig_rootfs_mount *rootfs; /* new layer paths and scratch; NULL keeps the saved paths (they are shared) */
	size_t n_rootfs;
	const lcowmig_disk_patch *disks; /* other SCSI mounts of the container */
	size_t n_disks;
	const char *bundle;
	const char *stdin_path;
	const char *stdout_path;
	const char *stderr_path;
	const char *namespace_id;   /* the sandbox container's: host network namespace here; NULL otherwise */
	const char *container_type; /* annotation io.kubernetes.cri.container-type, NULL when absent; must agree with the ids */
	uint32_t terminal;
	uint32_t reserved;
} lcowmig_patch;

#ifdef __cplusplus
}
#endif

#endif
