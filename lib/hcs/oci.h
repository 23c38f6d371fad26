/*
 * OCI runtime specifications: what a container's config.json says, and the version of it that goes to the guest.
 *
 * A spec is a cJSON tree that has passed lcowmig__oci_parse. Like the guest's decoder, lookups of members do not mind the case of letters
 * (annotation names do); sections that we read or change are there at most once, so nobody can hide a second one from us.
 * Results in an arena are copies: they survive changes to the spec.
 */
#ifndef LCOWMIG__OCI_H
#define LCOWMIG__OCI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "lcowmig/container.h"
#include "lcowmig/limits.h"

#define LCOWMIG__ANNOTATION_MIGRATION_SUPPORT "io.microsoft.migration.support-enabled"
#define LCOWMIG__ANNOTATION_SOURCE_CONTAINER "io.microsoft.migration.source-container-id"
#define LCOWMIG__ANNOTATION_CONTAINER_TYPE "io.kubernetes.cri.container-type"
#define LCOWMIG__ANNOTATION_SANDBOX_ID "io.kubernetes.cri.sandbox-id"
#define LCOWMIG__ANNOTATION_PRIVILEGED "io.microsoft.virtualmachine.lcow.privileged"
#define LCOWMIG__ANNOTATION_POLICY_BASED_ROUTING "io.microsoft.virtualmachine.lcow.network.policybasedrouting"

/* CORRUPT_DATA, LIMIT_EXCEEDED, NO_MEMORY. cJSON_Delete frees the spec. */
lcowmig_status lcowmig__oci_parse(const lcowmig_limits *limits, const char *text, size_t size, cJSON **ret_spec, lcowmig_error *error);

/* NULL when absent or not a string. */
const char *lcowmig__oci_annotation(const cJSON *spec, const char *name);
/* "true" in any case of letters. */
bool lcowmig__oci_annotation_is_true(const cJSON *spec, const char *name);

typedef enum lcowmig__oci_kind {
	LCOWMIG__OCI_PLAIN, /* neither annotation: no pod's container */
	LCOWMIG__OCI_SANDBOX,
	LCOWMIG__OCI_WORKLOAD,
} lcowmig__oci_kind;

/*
 * From the container-type and sandbox-id annotations, which come together or not at all (INVALID_ARGUMENT). The id is borrowed, "" when
 * plain.
 */
lcowmig_status lcowmig__oci_identify(const cJSON *spec, lcowmig__oci_kind *ret_kind, const char **ret_sandbox_id, lcowmig_error *error);

/* ---- The version for the guest ---- */

/*
 * A copy without what the guest must not or cannot act on: hooks, cgroup path, device rules, pids, block IO, huge page limits, network
 * class, all of the Windows section but namespace and devices, and seccomp if the container is privileged. root.path becomes
 * `rootfs_path`, a sandbox-id annotation `guest_pod_id`. INVALID_ARGUMENT for a spec without linux or process section; NO_MEMORY.
 */
lcowmig_status lcowmig__oci_sanitise(const cJSON *spec, const char *rootfs_path, const char *guest_pod_id, cJSON **ret_spec,
				     lcowmig_error *error);
/* Sets the sandbox-id annotation where there is one; no annotation, no map and a NULL spec are fine. False when memory is out. */
bool lcowmig__oci_set_sandbox_id(cJSON *spec, const char *guest_pod_id);
/* The ContainerConfig document around a spec; "" or NULL leaves the scratch path out. lcowmig__free; NULL when memory is out. */
char *lcowmig__oci_guest_document(const lcowmig__mem *mem, const cJSON *spec, const char *bundle_path, const char *scratch_path);

/* ---- Mounts ---- */

typedef enum lcowmig__mount_kind {
	LCOWMIG__MOUNT_GUEST, /* the guest's own business: passed on as it stands */
	LCOWMIG__MOUNT_DISK,
	LCOWMIG__MOUNT_SHARE, /* bind of a host directory or file */
} lcowmig__mount_kind;

typedef struct lcowmig__oci_mount {
	lcowmig__mount_kind kind;
	const char *source; /* as in the spec */
	const char *destination;
	const char *type;
	bool read_only;
	const char *const *options;
	size_t n_options;
	/* Of a disk: */
	const char *host_path; /* an extensible disk's is the part behind the provider; of a share: the source */
	const char *disk_type; /* LCOWMIG__DISK_… */
	const char *evd_type;  /* "" unless extensible */
	bool block_device;     /* the raw device is wanted, not its file system */
	/* For lcowmig__oci_rewrite_mounts: where it is in the guest. NULL, as it is found, leaves the mount alone. */
	const char *guest_path;
} lcowmig__oci_mount;

/* All mounts in order, each checked before the first is acted upon. INVALID_ARGUMENT, LIMIT_EXCEEDED, NO_MEMORY. */
lcowmig_status lcowmig__oci_mounts(lcowmig__arena *arena, const lcowmig_limits *limits, const cJSON *spec, lcowmig__oci_mount **ret_mounts,
				   size_t *ret_count, lcowmig_error *error);
/* Puts the guest paths into the spec (or a copy of it) the mounts came from. False when memory is out. */
bool lcowmig__oci_rewrite_mounts(cJSON *spec, const lcowmig__oci_mount *mounts, size_t count);

/* The last component of a host path, which may use either separator; "" when it ends in one. Points into `path`. */
const char *lcowmig__oci_base_name(const char *path);

/* ---- Devices ---- */

typedef struct lcowmig__oci_device {
	const char *instance_path;
	uint16_t virtual_function;
	/* For lcowmig__oci_rewrite_devices; NULL, as it is found, leaves the device alone. */
	const char *vmbus_guid;
} lcowmig__oci_device;

/* windows.devices in order. INVALID_ARGUMENT for a type other than vpci-instance-id, vpci and gpu, or no id; NO_MEMORY. */
lcowmig_status lcowmig__oci_devices(lcowmig__arena *arena, const lcowmig_limits *limits, const cJSON *spec,
				    lcowmig__oci_device **ret_devices, size_t *ret_count, lcowmig_error *error);
bool lcowmig__oci_rewrite_devices(cJSON *spec, const lcowmig__oci_device *devices, size_t count);

/* ---- Layers ---- */

typedef struct lcowmig__oci_layer {
	const char *path;
	uint64_t partition; /* 0: the whole disk */
} lcowmig__oci_layer;

typedef struct lcowmig__oci_layers {
	lcowmig__oci_layer *layers; /* read-only ones, the topmost first */
	size_t count;
	const char *scratch; /* "" when the mount names none */
} lcowmig__oci_layers;

/*
 * From exactly one source: one rootfs mount, or the spec's windows.layerFolders. `spec` may be NULL, which leaves the first. Neither or
 * both are FAILED_PRECONDITION; INVALID_ARGUMENT, LIMIT_EXCEEDED, NO_MEMORY.
 */
lcowmig_status lcowmig__oci_layers_read(lcowmig__arena *arena, const lcowmig_limits *limits, const lcowmig_rootfs_mount *mounts,
					size_t n_mounts, const cJSON *spec, lcowmig__oci_layers *ret_layers, lcowmig_error *error);

#endif
