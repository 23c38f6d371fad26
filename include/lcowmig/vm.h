/*
 * VM: the life of one utility virtual machine on the host, and the guest connection to it.
 *
 * A sandbox has one machine for its whole life (lcowmig_sandbox_vm); it is made and freed with the sandbox. Cold start:
 *
 *     lcowmig_vm_create(vm, document, size, &options, done, user, &error);    NotCreated -> Created
 *     lcowmig_vm_start(vm, done, user, &error);                               Created -> Running
 *     …
 *     lcowmig_vm_terminate(vm, done, user, &error);                           any -> Terminated
 *
 * The states with Migration in their name belong to the migration session (migration.h); while the machine is in one of them the operations
 * here, except terminate, wait and the questions, are refused with FAILED_PRECONDITION.
 *
 * The HCS document that the machine was created from is kept, byte by byte; what an update changes at run time is written into it, so that
 * a migration carries the machine as it is now.
 */
#ifndef LCOWMIG_VM_H
#define LCOWMIG_VM_H

#include "host.h"
#include "plan9.h"
#include "scsi.h"
#include "vpci.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to its sandbox. */
typedef struct lcowmig_vm lcowmig_vm;

typedef enum lcowmig_vm_state {
	LCOWMIG_VM_NOT_CREATED = 0,
	LCOWMIG_VM_CREATED = 1,
	LCOWMIG_VM_RUNNING = 2,
	LCOWMIG_VM_TERMINATED = 3, /* the end; every handle is closed or being closed */
	LCOWMIG_VM_INVALID = 4,    /* start or close failed; terminate is what is left */
	LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED = 5,
	LCOWMIG_VM_SOURCE_MIGRATION_STARTED = 6,
	LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED = 7,
	LCOWMIG_VM_DESTINATION_MIGRATION_CREATED = 8,
	LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED = 9,
	LCOWMIG_VM_DESTINATION_MIGRATION_STARTED = 10,
	LCOWMIG_VM_MIGRATION_TRANSFER_COMPLETED = 11,
	LCOWMIG_VM_MIGRATION_FINALIZED = 12,
	LCOWMIG_VM_STATE_FORCE_INT = 0x7fffffff
} lcowmig_vm_state;

/* What of the sandbox's options migrates with it. */
typedef struct lcowmig_vm_options {
	size_t size;
	const char *architecture; /* "amd64" */
	uint32_t no_writable_file_shares;
	uint32_t enable_scratch_encryption;
	uint32_t policy_based_routing;
	uint32_t fully_physically_backed;
	uint32_t confidential; /* a confidential sandbox runs, but refuses to migrate */
	uint32_t reserved;
} lcowmig_vm_options;

#define LCOWMIG_VM_OPTIONS_INIT                                                                                                            \
	{                                                                                                                                  \
		sizeof(lcowmig_vm_options), NULL, 0, 0, 0, 0, 0, 0                                                                         \
	}

/* The security policy of a confidential sandbox, injected at the end of start; base64 texts. */
typedef struct lcowmig_vm_policy {
	size_t size;
	const char *enforcer; /* "rego" … */
	const char *policy;
	const char *reference;     /* NULL or "": none */
	const char *hash_envelope; /* NULL or "": none */
} lcowmig_vm_policy;

/* Limits of the machine's processors. A member that is 0 is left as it is. */
typedef struct lcowmig_vm_cpu_limits {
	size_t size;
	uint64_t limit; /* in 1/100000 of a processor, as HCS counts */
	uint64_t weight;
	uint64_t reservation;
	uint32_t maximum_frequency_mhz; /* of the running machine only: the document, and so a migration, has no place for it */
	uint32_t reserved;
} lcowmig_vm_cpu_limits;

/* A diagnostic process in the utility VM itself, outside every container. */
typedef struct lcowmig_vm_exec {
	size_t size;
	const char *const *arguments; /* n_arguments texts, at least one */
	size_t n_arguments;
	const char *working_directory; /* NULL: "/" */
	const char *stdin_path;        /* stdio as containerd names it; NULL or "": stream not used */
	const char *stdout_path;
	const char *stderr_path; /* not together with terminal */
	uint32_t terminal;
	uint32_t reserved;
} lcowmig_vm_exec;

typedef struct lcowmig_vm_stats {
	size_t size;
	uint64_t processor_runtime_ns;
	uint64_t working_set_bytes; /* 0 unless the machine is fully physically backed: then all assigned memory */
	uint64_t available_memory;  /* pages of 4 KiB, as HCS reports them */
	uint64_t reserved_memory;
	uint64_t assigned_memory;
	uint32_t virtual_node_count;
	uint32_t slp_active;
	uint32_t balancing_enabled;
	uint32_t dm_operation_in_progress;
} lcowmig_vm_stats;

/* How the machine ended. All zero for one that was never created. */
typedef struct lcowmig_vm_exit {
	size_t size;
	int64_t started_at; /* nanoseconds since 1970 UTC, 0: it never ran here */
	int64_t exited_at;
	uint32_t hresult;    /* what HCS gave as the status, 0: none */
	uint32_t unexpected; /* 1: neither asked for nor a shutdown by the guest */
} lcowmig_vm_exit;

/*
 * Creates the compute system "<sandbox id>@vm" from an HCS document (schema 2, JSON text of `size` bytes, copied) and asks for its runtime
 * id. `options` may be NULL for all zero; copied. Legal in NotCreated; on failure the state is unchanged, nothing is left behind, and it
 * may be repeated. Callbacks run before it returns. Returns OK, PENDING (then `done` reports the end), INVALID_ARGUMENT,
 * FAILED_PRECONDITION (state, or the sandbox has no id), CORRUPT_DATA, LIMIT_EXCEEDED, NO_MEMORY or what the host answered. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vm_create(lcowmig_vm *vm, const char *document, size_t size, const lcowmig_vm_options *options,
					     lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Boots the machine: listeners for entropy, log and control connection, HCS start, entropy, and the control connection within two minutes.
 * The guest's log is read in the background from then on. Legal in Created; in Running it succeeds at once. Any failure after that check,
 * cancelling included, leaves Invalid, from which terminate leads on. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vm_start(lcowmig_vm *vm, lcowmig_done_fn done, void *user, lcowmig_error *error);

/* Says what policy start is to give to the guest (copied; NULL: none). Legal in NotCreated and Created. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_vm_set_policy(lcowmig_vm *vm, const lcowmig_vm_policy *policy, lcowmig_error *error);

/*
 * Ends the machine in whatever state it is: HCS terminate unless it was never started, at most 30 seconds of waiting for its exit, then the
 * guest connection and the handle are closed. Everything frozen below it thaws, imported containers stop with status 137. Legal in every
 * state; Terminated and NotCreated: success at once. While another call is ending the machine, this one ends with it. It cannot be
 * cancelled. When closing the handle fails the state is Invalid and the call may be repeated; when HCS refuses to terminate the state is
 * unchanged. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vm_terminate(lcowmig_vm *vm, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Waits until the machine has ended and its log has been read to the end. Legal in every state but NotCreated; may be cancelled with
 * lcowmig_context_cancel. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vm_wait(lcowmig_vm *vm, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Changes the running machine. All are legal in Running only, one after the other; each ends when the host, and for memory also the guest,
 * has answered. The size of the memory is rounded up to an even number of MiB. `fragment` is base64; `media_type` NULL: the guest's
 * default. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vm_update_memory(lcowmig_vm *vm, uint64_t size_mb, lcowmig_done_fn done, void *user,
						    lcowmig_error *error);
LCOWMIG_API lcowmig_status lcowmig_vm_update_cpu(lcowmig_vm *vm, const lcowmig_vm_cpu_limits *limits, lcowmig_done_fn done, void *user,
						 lcowmig_error *error);
LCOWMIG_API lcowmig_status lcowmig_vm_update_cpu_group(lcowmig_vm *vm, const char *group_id, lcowmig_done_fn done, void *user,
						       lcowmig_error *error);
LCOWMIG_API lcowmig_status lcowmig_vm_update_policy_fragment(lcowmig_vm *vm, const char *fragment, const char *media_type,
							     lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Runs a process in the utility VM and waits for its end. `exec` is copied. `ret_exit_code` must live until the end; it gets -1 when the
 * call fails after it was accepted. Terminal together with a stderr path is FAILED_PRECONDITION in every state; otherwise Running is
 * needed. A machine with such a process refuses to be exported. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vm_exec_into_host(lcowmig_vm *vm, const lcowmig_vm_exec *exec, int32_t *ret_exit_code,
						     lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Asks the guest for the stacks of its own threads. Running only. The text is then had from lcowmig_vm_stacks; it is "" when the guest
 * cannot. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vm_dump_stacks(lcowmig_vm *vm, lcowmig_done_fn done, void *user, lcowmig_error *error);
/* The text of the last dump; borrowed until the next one ends. Never NULL. Since 1.0. */
LCOWMIG_API const char *lcowmig_vm_stacks(lcowmig_vm *vm);

/* Asks HCS for statistics. Running only. `ret_stats` has its size set, must live until the end, and is filled on success. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_vm_get_stats(lcowmig_vm *vm, lcowmig_vm_stats *ret_stats, lcowmig_done_fn done, void *user,
						lcowmig_error *error);

/*
 * Asks HCS for the opaque description that a destination's host is compared with. Legal in Running and both states of a source. Then
 * lcowmig_vm_compatibility_info gives the bytes, borrowed until the next query ends (an export queries as well). Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vm_query_compatibility(lcowmig_vm *vm, lcowmig_done_fn done, void *user, lcowmig_error *error);
LCOWMIG_API const uint8_t *lcowmig_vm_compatibility_info(lcowmig_vm *vm, size_t *ret_size);

/* Questions, answered at once in every state. Since 1.0. */
LCOWMIG_API lcowmig_vm_state lcowmig_vm_get_state(lcowmig_vm *vm);
/* The name of a state ("Running"), or "UNKNOWN". Static text. */
LCOWMIG_API const char *lcowmig_vm_state_name(lcowmig_vm_state state);
/* The HCS id, "" before create. Borrowed until the machine is created. */
LCOWMIG_API const char *lcowmig_vm_id(lcowmig_vm *vm);
/* GUID text in Created and Running, else "". Borrowed until the state changes. */
LCOWMIG_API const char *lcowmig_vm_runtime_id(lcowmig_vm *vm);
/* Nanoseconds since 1970 UTC at which the machine began to run here; 0 unless Running or Terminated. */
LCOWMIG_API int64_t lcowmig_vm_start_time(lcowmig_vm *vm);
/* The architecture of the options, "" when unknown. Borrowed until create or import. FAILED_PRECONDITION in NotCreated. */
LCOWMIG_API lcowmig_status lcowmig_vm_architecture(lcowmig_vm *vm, const char **ret_architecture, lcowmig_error *error);
/* FAILED_PRECONDITION unless Terminated. `ret_exit` has its size set. */
LCOWMIG_API lcowmig_status lcowmig_vm_exit_status(lcowmig_vm *vm, lcowmig_vm_exit *ret_exit, lcowmig_error *error);

/*
 * The machine's device controllers, borrowed; they live as long as the sandbox. Each is made when it is first asked for: SCSI from the
 * document, all of whose disks it knows then. FAILED_PRECONDITION when there is no document with a SCSI section. Using Plan9 or vPCI rules
 * out a migration. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_vm_scsi(lcowmig_vm *vm, lcowmig_scsi **ret_scsi, lcowmig_error *error);
LCOWMIG_API lcowmig_status lcowmig_vm_plan9(lcowmig_vm *vm, lcowmig_plan9 **ret_plan9, lcowmig_error *error);
LCOWMIG_API lcowmig_status lcowmig_vm_vpci(lcowmig_vm *vm, lcowmig_vpci **ret_vpci, lcowmig_error *error);

#ifdef __cplusplus
}
#endif

#endif
