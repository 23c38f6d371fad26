/*
 * The saved state as plain structs, and its envelopes (google.protobuf.Any around version 1 payloads).
 *
 * Decoding fills these structs from hostile bytes and checks everything that can be checked without a controller; strings and arrays
 * live in the arena given. Encoding reads structs that borrow from live controllers. Strings are never NULL after decoding ("" when
 * absent) and may be NULL for "" when encoding. Arrays keyed by a map are sorted by key, without duplicates, both ways.
 */
#ifndef LCOWMIG__WIRE_H
#define LCOWMIG__WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "lcowmig/guid.h"
#include "lcowmig/limits.h"

#define LCOWMIG__TYPE_URL_PREFIX "type.microsoft.com/hcsshim.controller."
#define LCOWMIG__TYPE_URL_MIGRATION LCOWMIG__TYPE_URL_PREFIX "migration.save.v1.Payload"
#define LCOWMIG__TYPE_URL_VM LCOWMIG__TYPE_URL_PREFIX "vm.save.v1.Payload"
#define LCOWMIG__TYPE_URL_POD LCOWMIG__TYPE_URL_PREFIX "pod.save.v1.Payload"
#define LCOWMIG__TYPE_URL_CONTAINER LCOWMIG__TYPE_URL_PREFIX "linuxcontainer.save.v1.Payload"
#define LCOWMIG__TYPE_URL_PROCESS LCOWMIG__TYPE_URL_PREFIX "process.save.v1.Payload"
#define LCOWMIG__TYPE_URL_NETWORK LCOWMIG__TYPE_URL_PREFIX "network.save.v1.Payload"
#define LCOWMIG__TYPE_URL_SCSI LCOWMIG__TYPE_URL_PREFIX "scsi.save.v1.Payload"

typedef struct lcowmig__wire_bytes {
	const uint8_t *data;
	size_t size;
} lcowmig__wire_bytes;

/* google.protobuf.Duration; not negative, nanos below 10^9. */
typedef struct lcowmig__wire_duration {
	int64_t seconds;
	int32_t nanos;
} lcowmig__wire_duration;

typedef struct lcowmig__wire_process {
	const char *exec_id; /* "" for init */
	int32_t pid;
	const char *bundle;
	lcowmig__wire_bytes oci_process_spec_json; /* size 0 for init */
	lcowmig__wire_duration io_retry_timeout;
	uint32_t ports[3]; /* stdin, stdout, stderr; 0: stream not used */
	int64_t wait_call_id;
} lcowmig__wire_process;

typedef struct lcowmig__wire_layer {
	lcowmig_guid reservation_id;
	const char *guest_path;
} lcowmig__wire_layer;

typedef struct lcowmig__wire_container {
	const char *container_id;
	const char *gcs_container_id;
	lcowmig__wire_duration io_retry_timeout;
	bool has_layers;
	lcowmig__wire_layer *ro_layers; /* stack order */
	size_t n_ro_layers;
	bool has_scratch;
	lcowmig__wire_layer scratch;
	bool layers_combined;
	const char *rootfs_path;
	lcowmig_guid *scsi_reservations; /* further disk mounts, in order */
	size_t n_scsi_reservations;
	lcowmig__wire_process *processes; /* exactly one, the init process, after decoding a sandbox */
	size_t n_processes;
} lcowmig__wire_container;

typedef struct lcowmig__wire_endpoint {
	const char *nic_id; /* map key */
	const char *endpoint_id;
	const char *mac_address;
	const char *endpoint_name;
} lcowmig__wire_endpoint;

typedef struct lcowmig__wire_network {
	const char *namespace_id;
	bool policy_based_routing;
	bool namespace_supported;
	lcowmig__wire_endpoint *endpoints;
	size_t n_endpoints;
} lcowmig__wire_network;

typedef struct lcowmig__wire_pod {
	const char *pod_id;
	const char *gcs_pod_id;
	bool has_network;
	lcowmig__wire_network network;
	lcowmig__wire_container *containers; /* sorted by container id */
	size_t n_containers;
} lcowmig__wire_pod;

typedef struct lcowmig__wire_mount {
	uint64_t partition; /* map key; 0 is the whole disk */
	bool read_only;
	bool encrypted;
	const char **options;
	size_t n_options;
	bool ensure_filesystem;
	const char *filesystem;
	bool block_device;
	uint32_t ref_count;
	const char *guest_path; /* "" while reserved */
} lcowmig__wire_mount;

typedef struct lcowmig__wire_disk {
	uint32_t slot; /* map key */
	const char *host_path;
	bool read_only;
	const char *type; /* "VirtualDisk", "PassThru", "ExtensibleVirtualDisk" */
	const char *evd_type;
	lcowmig__wire_mount *mounts; /* sorted by partition */
	size_t n_mounts;
} lcowmig__wire_disk;

typedef struct lcowmig__wire_reservation {
	lcowmig_guid id; /* map key */
	uint32_t slot;
	uint64_t partition;
} lcowmig__wire_reservation;

typedef struct lcowmig__wire_scsi {
	uint32_t num_controllers;
	lcowmig__wire_disk *disks; /* sorted by slot */
	size_t n_disks;
	lcowmig__wire_reservation *reservations; /* sorted by id text */
	size_t n_reservations;
} lcowmig__wire_scsi;

typedef struct lcowmig__wire_vm {
	const char *vm_id;
	bool has_options;
	bool no_writable_file_shares;
	bool enable_scratch_encryption;
	bool policy_based_routing;
	const char *architecture;
	bool fully_physically_backed;
	bool has_scsi;
	lcowmig__wire_scsi scsi;
	uint32_t gcs_next_port;
	lcowmig__wire_bytes compat_info;
	lcowmig__wire_bytes hcs_document;
	int64_t bridge_next_id;
} lcowmig__wire_vm;

typedef struct lcowmig__wire_sandbox {
	lcowmig__wire_vm vm;
	lcowmig__wire_pod *pods; /* sorted by pod id */
	size_t n_pods;
} lcowmig__wire_sandbox;

/*
 * Decoding an envelope. `arena` receives everything; on failure its content is meaningless and the struct untouched. The error's
 * sentence starts with the path of the field ("sandbox.pods[0].containers[2].layers.scratch.reservation_id: …").
 * Class: absent (NULL or empty) envelope, foreign type URL and bad values INVALID_ARGUMENT, undecodable bytes CORRUPT_DATA, other
 * schema version UNSUPPORTED_VERSION, over a limit LIMIT_EXCEEDED.
 * The sandbox form also checks what one payload cannot see: reservations that nobody has, ids and ports used twice, floors.
 */
lcowmig_status lcowmig__wire_decode_sandbox(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
                                            lcowmig__wire_sandbox *ret_sandbox, lcowmig_error *error);
lcowmig_status lcowmig__wire_decode_vm(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
                                       lcowmig__wire_vm *ret_vm, lcowmig_error *error);
lcowmig_status lcowmig__wire_decode_pod(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
                                        lcowmig__wire_pod *ret_pod, lcowmig_error *error);
lcowmig_status lcowmig__wire_decode_container(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
                                              lcowmig__wire_container *ret_container, lcowmig_error *error);
lcowmig_status lcowmig__wire_decode_process(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
                                            lcowmig__wire_process *ret_process, lcowmig_error *error);
lcowmig_status lcowmig__wire_decode_network(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
                                            lcowmig__wire_network *ret_network, lcowmig_error *error);
lcowmig_status lcowmig__wire_decode_scsi(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
                                         lcowmig__wire_scsi *ret_scsi, lcowmig_error *error);

/*
 * Examining an envelope for everything that is wrong with it, where decoding stops at the first: `report` gets each problem, a sentence as
 * above, and `ret_count` how many there were. What holds a problem itself is not judged as a whole, so that one mistake is told once; what
 * only shows in the whole sandbox is looked for when each of its payloads is sound. Stops after LCOWMIG__WIRE_PROBLEMS_MAX of them.
 * `type_url` chooses the payload. Returns the class of the first problem, with its sentence; INVALID_ARGUMENT also for an unknown
 * type URL; NO_MEMORY.
 */
#define LCOWMIG__WIRE_PROBLEMS_MAX 1000u

typedef void (*lcowmig__wire_report)(void *user, lcowmig_status status, const char *sentence);

lcowmig_status lcowmig__wire_examine(const lcowmig__mem *mem, const lcowmig_limits *limits, const char *type_url, const uint8_t *data,
                                     size_t size, lcowmig__wire_report report, void *user, size_t *ret_count, lcowmig_error *error);

/*
 * Encoding: appends the whole envelope to `buf` in one reservation of the exact size. The same struct always gives the same bytes.
 * Fails only for memory (buf->failed is then set as well).
 */
lcowmig_status lcowmig__wire_encode_sandbox(lcowmig__buf *buf, const lcowmig__wire_sandbox *sandbox, lcowmig_error *error);
lcowmig_status lcowmig__wire_encode_vm(lcowmig__buf *buf, const lcowmig__wire_vm *vm, lcowmig_error *error);
lcowmig_status lcowmig__wire_encode_pod(lcowmig__buf *buf, const lcowmig__wire_pod *pod, lcowmig_error *error);
lcowmig_status lcowmig__wire_encode_container(lcowmig__buf *buf, const lcowmig__wire_container *container, lcowmig_error *error);
lcowmig_status lcowmig__wire_encode_process(lcowmig__buf *buf, const lcowmig__wire_process *process, lcowmig_error *error);
lcowmig_status lcowmig__wire_encode_network(lcowmig__buf *buf, const lcowmig__wire_network *network, lcowmig_error *error);
lcowmig_status lcowmig__wire_encode_scsi(lcowmig__buf *buf, const lcowmig__wire_scsi *scsi, lcowmig_error *error);

#endif
