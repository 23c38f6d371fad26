/*
 * Container: one Linux container: its disks, its processes, its life. What containerd calls a task.
 *
 * A pod makes and frees its containers (pod.h). In between, a host passes on what containerd asks for: create, start, exec, kill, delete
 * …, and gets task events back. Migration of a whole sandbox needs none of the functions in the last part; they are for hosts that compose
 * the controllers themselves.
 *
 * States: NotCreated, Created, Running, Stopped and Invalid (both final), DestinationMigrating (imported), SourceMigrating (saved).
 * docs/states.md has the table. While migrating only questions and waiting are allowed.
 *
 * Any thread may call any function; operations on one container run one after the other. `done`, `user` and `error` as in context.h: a
 * function that takes them may return LCOWMIG_PENDING, and callbacks may run before it returns. Everything passed in is copied; what a
 * `ret_` parameter points to must live until the operation has ended, and is untouched unless it succeeded.
 */
#ifndef LCOWMIG_CONTAINER_H
#define LCOWMIG_CONTAINER_H

#include "event.h"
#include "process.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to its pod, or to the caller of lcowmig_container_import. */
typedef struct lcowmig_container lcowmig_container;

/* Results of queries; the caller's, to be freed with their _free. */
typedef struct lcowmig_pids lcowmig_pids;
typedef struct lcowmig_stats lcowmig_stats;

/* A rootfs mount of a task create request. */
typedef struct lcowmig_rootfs_mount {
	const char *type; /* "lcow-layer" or "lcow-partitioned-layer" */
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

#define LCOWMIG_CONTAINER_OPTIONS_INIT { sizeof(lcowmig_container_options), NULL, 0, NULL, 0, NULL, NULL, NULL, NULL, 0, 0, 0 }

/* A further disk to repoint, by what the source calls it. */
typedef struct lcowmig_disk_patch {
	const char *source_path; /* host path on the source, as exported */
	const char *path;        /* host path here */
} lcowmig_disk_patch;

/* The destination's side of one imported container: containerd's task create request with its source-container annotation. */
typedef struct lcowmig_patch {
	size_t size;
	const char *source_container_id;    /* annotation io.microsoft.migration.source-container-id */
	const char *container_id;           /* the new, host-facing id; may be the same */
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

#define LCOWMIG_PATCH_INIT { sizeof(lcowmig_patch), NULL, NULL, NULL, 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0 }

/* ---- Life ---- */

/*
 * Attaches and combines the layers, attaches further mounts and devices, creates the container in the guest, and opens the stdio of its
 * init process. Legal in NotCreated. Afterwards Created, event TASK_CREATE. A spec whose text or annotations are wrong leaves NotCreated,
 * as does a lack of memory before anything was attached; any other failure gives everything back and leaves Invalid.
 * Errors: FAILED_PRECONDITION (state; neither or both of rootfs and layer folders; stderr together with a terminal), INVALID_ARGUMENT,
 * CORRUPT_DATA and LIMIT_EXCEEDED (the spec), DENIED (a writable share where none is allowed), UNAVAILABLE, NO_MEMORY, and what host and
 * guest say. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_create(lcowmig_container *container, const lcowmig_container_options *options,
						    lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Runs the init process; from then on its exit ends the container: Stopped, waits end, event TASK_EXIT. Legal in Created. Afterwards
 * Running, event TASK_START, which has the pid, as has the init process (lcowmig_container_get_process with ""). A failure leaves Invalid.
 * Errors: FAILED_PRECONDITION, UNAVAILABLE, GUEST_FAILED, NO_MEMORY, and what stdio attach says. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_start(lcowmig_container *container, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Sends `signal` to the process `exec_id` (NULL or "": the init process, and, as far as they can be reached, all execs). `all` may not be
 * combined with an exec id. Does nothing once the container has ended.
 * Errors: FAILED_PRECONDITION (NotCreated, migrating, `all` with an exec id), INVALID_ARGUMENT (no such signal), NOT_FOUND (no such
 * process, or it got nothing), UNAVAILABLE, GUEST_FAILED. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_kill(lcowmig_container *container, const char *exec_id, uint32_t signal, bool all,
						  lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Deletes a process that has exited or was never started, and its handle; event TASK_DELETE. For the init process (NULL or "") it first
 * waits up to 30 s for the container's end, and gives back what the container holds in guest and host; a failure there keeps the process,
 * and the next call goes on from where this one stood. A guest or virtual machine that is gone counts as having given everything back.
 * `ret_exit` (may be NULL; LCOWMIG_EXIT_INIT) says how it ended.
 * Errors: FAILED_PRECONDITION (NotCreated, migrating, the process is running or was never created), NOT_FOUND, TIMED_OUT, NO_MEMORY, and
 * what host and guest say. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_delete(lcowmig_container *container, const char *exec_id, lcowmig_exit *ret_exit,
						    lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Ends when the container has ended, at once if it has already. Legal in every state; any number may wait, and a wait does not stand in
 * the way of a migration. lcowmig_context_cancel gives up waiting: CANCELLED. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_wait(lcowmig_container *container, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Changes the limits: `resources` is an OCI LinuxResources object as JSON. Legal in Running.
 * Errors: FAILED_PRECONDITION, INVALID_ARGUMENT or CORRUPT_DATA (`resources`), UNAVAILABLE, GUEST_FAILED. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_update(lcowmig_container *container, const char *resources, lcowmig_done_fn done, void *user,
						    lcowmig_error *error);

/* Asks the guest which processes run in the container. Legal in Running. Errors: FAILED_PRECONDITION, UNAVAILABLE, GUEST_FAILED. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_pids(lcowmig_container *container, lcowmig_pids **ret_pids, lcowmig_done_fn done, void *user,
						  lcowmig_error *error);
LCOWMIG_API size_t lcowmig_pids_count(const lcowmig_pids *pids);
/* The pid at `index`, in the guest's order; 0 beyond the last. Since 1.0. */
LCOWMIG_API uint32_t lcowmig_pids_get(const lcowmig_pids *pids, size_t index);
/* The exec id of that process, "" for init; NULL when it was not started from here. Lives as long as `pids`. Since 1.0. */
LCOWMIG_API const char *lcowmig_pids_exec_id(const lcowmig_pids *pids, size_t index);
LCOWMIG_API void lcowmig_pids_free(lcowmig_pids *pids);

/* Asks the guest for the container's cgroup metrics. Legal in Running. Errors: FAILED_PRECONDITION, UNAVAILABLE, GUEST_FAILED. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_stats(lcowmig_container *container, lcowmig_stats **ret_stats, lcowmig_done_fn done,
						   void *user, lcowmig_error *error);
/* The metrics as the guest wrote them: containerd's cgroup v1 metrics object as JSON. Lives as long as `stats`. Since 1.0. */
LCOWMIG_API const char *lcowmig_stats_json(const lcowmig_stats *stats);
LCOWMIG_API void lcowmig_stats_free(lcowmig_stats *stats);

/* ---- Processes ---- */

/*
 * Makes an exec and opens its stdio: lcowmig_container_new_process and lcowmig_process_create in one, without a trace when it fails. Event
 * TASK_EXEC_ADDED. Start it with lcowmig_process_start. `ret_process` may be NULL.
 * Errors: FAILED_PRECONDITION (not Running), ALREADY_EXISTS, and those of lcowmig_process_create. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_exec(lcowmig_container *container, const char *exec_id, const lcowmig_process_options *options,
						  lcowmig_process **ret_process, lcowmig_done_fn done, void *user, lcowmig_error *error);

/* Makes an exec that is not created yet. Legal in Running. Errors: FAILED_PRECONDITION, INVALID_ARGUMENT, ALREADY_EXISTS, NO_MEMORY.
 * Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_container_new_process(lcowmig_container *container, const char *exec_id, lcowmig_process **ret_process,
							 lcowmig_error *error);

/* Finds a process; NULL or "" is the init process. Borrowed until it is deleted. Errors: NOT_FOUND. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_container_get_process(lcowmig_container *container, const char *exec_id, lcowmig_process **ret_process,
							 lcowmig_error *error);

/*
 * Fills `processes` (may be NULL) with at most `room` execs in the order of their ids and returns how many there are. The init process is
 * not among them. Since 1.0.
 */
LCOWMIG_API size_t lcowmig_container_list_processes(lcowmig_container *container, lcowmig_process **processes, size_t room);

/* The host's id; borrowed until a patch. Since 1.0. */
LCOWMIG_API const char *lcowmig_container_id(const lcowmig_container *container);
/* The guest's id, which never changes. Since 1.0. */
LCOWMIG_API const char *lcowmig_container_guest_id(const lcowmig_container *container);
/* "Running" and so on; static text. Since 1.0. */
LCOWMIG_API const char *lcowmig_container_state_name(const lcowmig_container *container);

/* ---- Migration of a container alone ---- */

/*
 * Gives a Running or SourceMigrating container as an envelope (type hcsshim.controller.linuxcontainer.save.v1.Payload) and freezes it with
 * its init process: SourceMigrating. `buffer` NULL: only sets `ret_size`, and freezes nothing. Repeated, it gives the same bytes.
 * Errors: FAILED_PRECONDITION (state; execs, Plan9 shares or vPCI devices; an operation is in flight; the init process is exiting or its
 * wait has no id yet), INVALID_ARGUMENT (`capacity` is too small), NO_MEMORY; nothing is frozen then. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_save(lcowmig_container *container, uint8_t *buffer, size_t capacity, size_t *ret_size,
						  lcowmig_error *error);

/*
 * Makes a container of an envelope: DestinationMigrating. It uses the callbacks of `sandbox`, which must outlive it, but not its virtual
 * machine: its disks are not given back by a delete. Free it with lcowmig_container_free.
 * Errors: INVALID_ARGUMENT (no envelope, another type, bad ids), UNSUPPORTED_VERSION, CORRUPT_DATA, LIMIT_EXCEEDED, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_import(lcowmig_sandbox *sandbox, const uint8_t *data, size_t size, const char *guest_pod_id,
						    lcowmig_container **ret_container, lcowmig_error *error);

/*
 * Gives a container imported alone its stdio and its name on this host; all or nothing, repeatable. Containers of a pod are patched by the
 * migration session (migration.h), which knows their disks. Legal in DestinationMigrating.
 * Errors: FAILED_PRECONDITION, INVALID_ARGUMENT, NOT_FOUND, NO_MEMORY, and what stdio open says. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_patch(lcowmig_container *container, const lcowmig_patch *patch, lcowmig_done_fn done,
						   void *user, lcowmig_error *error);

/* lcowmig_process_adopt for its processes. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_container_adopt(lcowmig_container *container, lcowmig_error *error);

/*
 * Ends migrating: Running. Destination: its exit is expected from the guest, its init process is resumed; TASK_CREATE, and an exit, are
 * kept back until lcowmig_container_announce. Source: its processes are resumed. In Running, Stopped and Invalid it does nothing. A
 * failure leaves it migrating; the next try goes on from there.
 * Errors: FAILED_PRECONDITION, UNAVAILABLE (no guest), NO_MEMORY, and those of lcowmig_process_resume. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_resume(lcowmig_container *container, bool is_destination, lcowmig_done_fn done, void *user,
						    lcowmig_error *error);

/* Sends the events that a resume on the destination has kept back, and from now on those that come. Repeatable. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_container_announce(lcowmig_container *container, lcowmig_error *error);

/*
 * Gives up a container imported alone: Stopped, waits end, event TASK_EXIT with exit status 137; killing it does nothing and deleting it
 * succeeds. In other states nothing happens. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_container_abort(lcowmig_container *container, lcowmig_error *error);

/* Frees a container imported alone. NULL is fine. FAILED_PRECONDITION while an operation is in flight, or when it is a pod's. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_container_free(lcowmig_container *container, lcowmig_error *error);

#ifdef __cplusplus
}
#endif

#endif
