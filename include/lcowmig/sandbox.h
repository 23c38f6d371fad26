/*
 * Sandbox: owns the virtual machine, the pods, and the index from container to pod, so that a host keeps no maps of its own.
 *
 * One sandbox is one virtual machine for its whole life. A host makes one, creates and starts the machine (vm.h) or imports into it
 * (migration.h), makes pods (pod.h) and containers in them (container.h), and passes on what HCS and, without lcowmig_gcs, the guest
 * report.
 */
#ifndef LCOWMIG_SANDBOX_H
#define LCOWMIG_SANDBOX_H

#include "pod.h"
#include "vm.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lcowmig_migration lcowmig_migration; /* migration.h */

/* What a sandbox is made of. The ops are copied; each may be NULL when nothing that needs it is used. */
typedef struct lcowmig_sandbox_config {
	size_t size;
	const char *id; /* sandbox id; NULL for one that will import (the import names it) */
	const lcowmig_hcs_ops *hcs;
	const lcowmig_guest_ops *guest;
	const lcowmig_network_ops *network;
	const lcowmig_stdio_ops *stdio;
	const lcowmig_socket_ops *socket;
	const lcowmig_event_ops *events;
} lcowmig_sandbox_config;

#define LCOWMIG_SANDBOX_CONFIG_INIT                                                                                                        \
	{                                                                                                                                  \
		sizeof(lcowmig_sandbox_config), NULL, NULL, NULL, NULL, NULL, NULL, NULL                                                   \
	}

/* Types of HCS events that the host passes on, numbered as in the HCS_EVENT struct. */
#define LCOWMIG_HCS_EVENT_SYSTEM_EXITED 0x00000001u
#define LCOWMIG_HCS_EVENT_SERVICE_DISCONNECT 0x02000000u
#define LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION 0x80000003u

/*
 * Makes a sandbox without a virtual machine. Free with lcowmig_sandbox_free.
 * Errors: INVALID_ARGUMENT, NOT_SUPPORTED (see the size rule in host.h), NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_sandbox_new(lcowmig_context *context, const lcowmig_sandbox_config *config,
					       lcowmig_sandbox **ret_sandbox, lcowmig_error *error);

/*
 * Frees a sandbox and everything in it. NULL is fine. Refused with FAILED_PRECONDITION, nothing freed, unless the virtual machine is
 * NotCreated, DestinationMigrationImported or Terminated, the migration session Idle, and no operation in flight. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_sandbox_free(lcowmig_sandbox *sandbox, lcowmig_error *error);

/* Passes on an HCS event: type and EventData of HCS_EVENT (`data` NULL or JSON). Any thread, in the order in which HCS told them.
 * Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_sandbox_hcs_event(lcowmig_sandbox *sandbox, uint32_t type, const char *data, lcowmig_error *error);

/* Passes on a container notification of the guest (message 0x30100101) as JSON. For guest ops that are not lcowmig_gcs. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_sandbox_guest_notification(lcowmig_sandbox *sandbox, const char *json, size_t size,
							      lcowmig_error *error);

/* ---- What belongs to it ---- */

/* The sandbox's id; borrowed, "" until an import names it. Since 1.0. */
LCOWMIG_API const char *lcowmig_sandbox_id(lcowmig_sandbox *sandbox);
/* The virtual machine and the migration session; borrowed, they live as long as the sandbox. NULL for NULL. Since 1.0. */
LCOWMIG_API lcowmig_vm *lcowmig_sandbox_vm(lcowmig_sandbox *sandbox);
LCOWMIG_API lcowmig_migration *lcowmig_sandbox_migration(lcowmig_sandbox *sandbox);

/*
 * Finds a container of any pod by its current id. `ret_pod` may be NULL. Borrowed until the container or the pod is deleted. NOT_FOUND;
 * never linear in the number of containers. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_sandbox_find_container(lcowmig_sandbox *sandbox, const char *id, lcowmig_container **ret_container,
							  lcowmig_pod **ret_pod, lcowmig_error *error);
/* Finds a pod by its current id; borrowed until it is deleted. NOT_FOUND. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_sandbox_find_pod(lcowmig_sandbox *sandbox, const char *id, lcowmig_pod **ret_pod, lcowmig_error *error);
/* Fills `pods` with at most `room` pods in the order of their ids and returns how many there are. Since 1.0. */
LCOWMIG_API size_t lcowmig_sandbox_list_pods(lcowmig_sandbox *sandbox, lcowmig_pod **pods, size_t room);

/* ---- Update, as containerd's task service knows it ---- */

/* What a task update asks for. At least one member must be given. */
typedef struct lcowmig_update {
	size_t size;
	const char *resources;       /* an OCI LinuxResources object as JSON */
	const char *cpu_group_id;    /* annotation io.microsoft.virtualmachine.cpugroup.id; the pod's only */
	const char *policy_fragment; /* a signed policy fragment, base64; the pod's only */
	const char *media_type;      /* of the fragment; NULL: the guest's default */
} lcowmig_update;

#define LCOWMIG_UPDATE_INIT                                                                                                                \
	{                                                                                                                                  \
		sizeof(lcowmig_update), NULL, NULL, NULL, NULL                                                                             \
	}

/*
 * Serves a task update. For a container `id` the resources go to the container. A pod's id means the virtual machine: a policy fragment to
 * the guest, memory.limit (bytes) as the machine's memory in MiB, cpu.quota and cpu.shares as its limit and weight, the CPU group; in this
 * order, ending with the first that fails. Copied. May return PENDING. Legal while the virtual machine is Running. Errors: INVALID_ARGUMENT
 * (nothing given; resources that the machine has no use for; a pod's member for a container), CORRUPT_DATA (resources are no JSON object),
 * NOT_FOUND, FAILED_PRECONDITION, those of host and guest with the id in the sentence. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_sandbox_update(lcowmig_sandbox *sandbox, const char *id, const lcowmig_update *update,
						  lcowmig_done_fn done, void *user, lcowmig_error *error);

/* ---- What is allowed now ---- */

/* The calls of containerd's task service. */
typedef enum lcowmig_task_call {
	LCOWMIG_TASK_STATE = 1,
	LCOWMIG_TASK_CREATE = 2, /* also the create that patches an imported container */
	LCOWMIG_TASK_START = 3,
	LCOWMIG_TASK_DELETE = 4,
	LCOWMIG_TASK_PIDS = 5,
	LCOWMIG_TASK_PAUSE = 6,
	LCOWMIG_TASK_RESUME = 7,
	LCOWMIG_TASK_CHECKPOINT = 8,
	LCOWMIG_TASK_KILL = 9,
	LCOWMIG_TASK_EXEC = 10,
	LCOWMIG_TASK_RESIZE_PTY = 11,
	LCOWMIG_TASK_CLOSE_IO = 12,
	LCOWMIG_TASK_UPDATE = 13,
	LCOWMIG_TASK_STATS = 14,
	LCOWMIG_TASK_WAIT = 15,
	LCOWMIG_TASK_CONNECT = 16,
	LCOWMIG_TASK_SHUTDOWN = 17,
	LCOWMIG_TASK_FORCE_INT = 0x7fffffff
} lcowmig_task_call;

/* The calls of its sandbox service, and the shim's diagnostic ones. */
typedef enum lcowmig_sandbox_call {
	LCOWMIG_SANDBOX_CREATE = 1,
	LCOWMIG_SANDBOX_START = 2,
	LCOWMIG_SANDBOX_PLATFORM = 3,
	LCOWMIG_SANDBOX_STOP = 4,
	LCOWMIG_SANDBOX_WAIT = 5,
	LCOWMIG_SANDBOX_STATUS = 6,
	LCOWMIG_SANDBOX_PING = 7,
	LCOWMIG_SANDBOX_SHUTDOWN = 8,
	LCOWMIG_SANDBOX_METRICS = 9,
	LCOWMIG_SANDBOX_DIAG_EXEC_IN_HOST = 10,
	LCOWMIG_SANDBOX_DIAG_TASKS = 11,
	LCOWMIG_SANDBOX_DIAG_SHARE = 12,
	LCOWMIG_SANDBOX_DIAG_STACKS = 13,
	LCOWMIG_SANDBOX_DIAG_PID = 14,
	LCOWMIG_SANDBOX_CALL_FORCE_INT = 0x7fffffff
} lcowmig_sandbox_call;

/*
 * Asks whether a task call may be served now; a shim asks before it does anything else. OK, FAILED_PRECONDITION (it needs a running virtual
 * machine, or no migration session), NOT_SUPPORTED (pause, resume, checkpoint: never), INVALID_ARGUMENT (no such call). The operations
 * behind the calls refuse by themselves what their own state forbids; this adds what only the sandbox as a whole knows. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_sandbox_check_task(lcowmig_sandbox *sandbox, lcowmig_task_call call, lcowmig_error *error);

/*
 * The same for a sandbox call. `sandbox_id` is the one of the request: another sandbox's is INVALID_ARGUMENT. The diagnostic calls have
 * none: pass NULL. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_sandbox_check_call(lcowmig_sandbox *sandbox, lcowmig_sandbox_call call, const char *sandbox_id,
						      lcowmig_error *error);

/* What containerd wants to hear about a sandbox. */
typedef struct lcowmig_sandbox_status {
	size_t size;
	int64_t created_at; /* nanoseconds since 1970 UTC, 0: does not apply */
	int64_t exited_at;
	uint32_t ready; /* 1: the machine runs. A machine that is being migrated away counts as running until it ends. */
	uint32_t reserved;
} lcowmig_sandbox_status;

/* Fills in the status; `ret_status` has its size set. Answers in every state. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_sandbox_get_status(lcowmig_sandbox *sandbox, lcowmig_sandbox_status *ret_status, lcowmig_error *error);

#ifdef __cplusplus
}
#endif

#endif
