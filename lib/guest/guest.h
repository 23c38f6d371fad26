/*
 * What controllers ask of a guest: one function for each request, and readers for the answers that say something.
 *
 * The request functions are used inside an await, as those of engine/env.h: FLOW_TRY(flow, lcowmig__guest_add_disk(flow, env, &disk)).
 * All arguments are copied into the request before the function returns. The requests that carry resources of the virtual machine go to the
 * null GUID, those of a container to the guest's container id, which after a migration is still the id that the source used.
 *
 * An answer with a non-zero Result ends the await with GUEST_FAILED and its HRESULT in flow->error; no connection ends it with UNAVAILABLE.
 */
#ifndef LCOWMIG__GUEST_H
#define LCOWMIG__GUEST_H

#include "base/json.h"
#include "engine/call.h"
#include "engine/env.h"

/* The timeout of a wait that never times out. */
#define LCOWMIG__GUEST_WAIT_FOREVER 0xffffffffu

/* ---- Disks ---- */

typedef struct lcowmig__guest_disk {
	const char *mount_path;
	uint32_t controller;
	uint32_t lun;
	uint64_t partition;
	bool read_only;
	bool encrypted;
	bool block_device;
	bool ensure_filesystem;
	const char *const *options;
	size_t n_options;
	const char *filesystem;
} lcowmig__guest_disk;

void lcowmig__guest_add_disk(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_disk *disk);
/* With the same description as the add. */
void lcowmig__guest_remove_disk(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_disk *disk);
void lcowmig__guest_remove_scsi_device(lcowmig__flow *flow, const lcowmig__env *env, uint32_t controller, uint32_t lun);

/* ---- A container's root ---- */

typedef struct lcowmig__guest_layers {
	const char *container_id;
	const char *root_path;
	const char *const *layers; /* guest paths, the topmost first */
	size_t n_layers;
	const char *scratch_path;  /* "" or NULL: read-only */
} lcowmig__guest_layers;

void lcowmig__guest_add_layers(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_layers *layers);
void lcowmig__guest_remove_layers(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_layers *layers);

/* ---- Other resources of the virtual machine ---- */

/* `settings` is the adapter's object as JSON text; it is taken, and NULL means that building it ran out of memory. */
void lcowmig__guest_add_network(lcowmig__flow *flow, const lcowmig__env *env, char *settings);
void lcowmig__guest_remove_network(lcowmig__flow *flow, const lcowmig__env *env, const char *namespace_id, const char *nic_id);

typedef struct lcowmig__guest_directory {
	const char *mount_path;
	const char *share_name;
	uint32_t port;
	bool read_only;
} lcowmig__guest_directory;

void lcowmig__guest_add_directory(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_directory *directory);
void lcowmig__guest_remove_directory(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_directory *directory);
void lcowmig__guest_add_vpci(lcowmig__flow *flow, const lcowmig__env *env, const char *vmbus_guid);

typedef struct lcowmig__guest_policy {
	const char *enforcer;
	const char *policy; /* base64, like the other two */
	const char *reference;
	const char *hash_envelope;
} lcowmig__guest_policy;

void lcowmig__guest_add_policy(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_policy *policy);
/* `media_type` may be NULL or "" for the guest's default. */
void lcowmig__guest_add_policy_fragment(lcowmig__flow *flow, const lcowmig__env *env, const char *fragment, const char *media_type);
/* The guest looks at its memory again; after a successful resize of the machine. */
void lcowmig__guest_update_pod_memory(lcowmig__flow *flow, const lcowmig__env *env);

/* ---- Containers ---- */

/* `linux_resources` is an OCI LinuxResources object as JSON text, passed on as it stands. */
void lcowmig__guest_update_constraints(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, const char *linux_resources);

/* `config` is the ContainerConfig document. */
void lcowmig__guest_create(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, const char *config);
void lcowmig__guest_start_container(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id);
void lcowmig__guest_delete_container_state(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id);

/* `type`: "ProcessList" or "Statistics". Answer: lcowmig__guest_reply_properties or …_processes. */
void lcowmig__guest_properties(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, const char *type);
/* Answer: lcowmig__guest_reply_stacks. */
void lcowmig__guest_dump_stacks(lcowmig__flow *flow, const lcowmig__env *env);

/* ---- Processes ---- */

typedef struct lcowmig__guest_process {
	const char *container_id; /* LCOWMIG__NULL_GUID: a process of the utility VM itself */
	uint32_t ports[3];        /* stdin, stdout, stderr; 0: no such stream */
	const char *oci_process;  /* JSON text: an exec in a container; NULL: the init process, or a process of the utility VM */
	/* The rest is for processes of the utility VM. */
	const char *command_line; /* instead of the arguments */
	const char *const *arguments;
	size_t n_arguments;
	const char *working_directory;
	const char *environment; /* JSON object text; NULL: none */
	bool emulate_console;
} lcowmig__guest_process;

/* Answer: lcowmig__guest_reply_process_id. */
void lcowmig__guest_execute_process(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_process *process);
/* Answer: lcowmig__guest_reply_exit_code. Returns the call, so that its request id can be kept (told_request_id); NULL: it was refused. */
lcowmig_call *lcowmig__guest_wait_process(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, uint32_t pid,
                                          uint32_t timeout_ms);
/* Signal 0: without Options, which the guest takes as SIGKILL. */
void lcowmig__guest_signal_process(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, uint32_t pid, uint32_t signal);
void lcowmig__guest_resize_console(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, uint32_t pid, uint16_t width,
                                   uint16_t height);

/*
 * ---- Answers ----
 * They read flow->rest->reply, after the await and before the next one. CORRUPT_DATA when the answer is not what it must be,
 * LIMIT_EXCEEDED, NO_MEMORY; results are untouched then.
 */
lcowmig_status lcowmig__guest_reply_process_id(const lcowmig__flow *flow, uint32_t *ret_pid, lcowmig_error *error);
/* An absent ExitCode is 0, as the guest leaves nothing else out. */
lcowmig_status lcowmig__guest_reply_exit_code(const lcowmig__flow *flow, uint32_t *ret_code, lcowmig_error *error);
/* The inner document of the answer to a property query, "{}" when absent; lcowmig__free. It is valid JSON. */
lcowmig_status lcowmig__guest_reply_properties(const lcowmig__flow *flow, char **ret_json, lcowmig_error *error);
/* The pids of a ProcessList; lcowmig__free. NULL and 0 when there are none. */
lcowmig_status lcowmig__guest_reply_processes(const lcowmig__flow *flow, uint32_t **ret_pids, size_t *ret_count, lcowmig_error *error);
lcowmig_status lcowmig__guest_reply_stacks(const lcowmig__flow *flow, char **ret_text, lcowmig_error *error);

/* What the guest said it can do, from the answer of lcowmig__guest_connect or lcowmig__guest_resume (the Capabilities object). */
typedef struct lcowmig__guest_capabilities {
	bool supports_namespaces;
	bool supports_signals;
	bool supports_dump_stacks;
	bool supports_delete_state;
	bool wants_create_message;
	bool wants_start_message;
} lcowmig__guest_capabilities;

lcowmig_status lcowmig__guest_reply_capabilities(const lcowmig__flow *flow, lcowmig__guest_capabilities *ret_capabilities,
                                                 lcowmig_error *error);

#endif
