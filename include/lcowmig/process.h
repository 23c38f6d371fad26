/*
 * Process: one init or exec process of a container: stdio, start, signals, exit. What containerd calls a task (init) or an exec.
 *
 * A container makes and frees its processes (container.h). Its init process is created, started, migrated and deleted with it; the
 * functions here that do so are for execs, and those that save, patch and resume for processes imported alone (lcowmig_process_import). A
 * process handle lives until the container, or the exec, was deleted.
 *
 * States: NotCreated, Created (stdio is open), Running, Terminated, DestinationMigrating (imported), SourceMigrating (saved).
 * docs/states.md has the table. While migrating only questions, waiting and closing stdin are allowed.
 *
 * Any thread may call any function; operations on one process run one after the other. `done`, `user` and `error` as in context.h: a
 * function that takes them may return LCOWMIG_PENDING, and callbacks may run before it returns. Everything passed in is copied.
 */
#ifndef LCOWMIG_PROCESS_H
#define LCOWMIG_PROCESS_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to its container, or to the caller of lcowmig_process_import. */
typedef struct lcowmig_process lcowmig_process;

typedef struct lcowmig_process_options {
	size_t size;
	const char *bundle;     /* host bundle path; reported back, not opened */
	const char *stdin_path; /* stdio as containerd names it; NULL or "": stream not used */
	const char *stdout_path;
	const char *stderr_path;  /* not together with terminal */
	const char *process_spec; /* an exec's OCI process object as JSON; NULL for init */
	uint32_t terminal;
	uint32_t reserved;
} lcowmig_process_options;

#define LCOWMIG_PROCESS_OPTIONS_INIT { sizeof(lcowmig_process_options), NULL, NULL, NULL, NULL, NULL, 0, 0 }

/* A containerd task status: migrating processes and those not created are UNKNOWN. */
typedef enum lcowmig_process_status {
	LCOWMIG_PROCESS_UNKNOWN = 0,
	LCOWMIG_PROCESS_CREATED = 1,
	LCOWMIG_PROCESS_RUNNING = 2,
	LCOWMIG_PROCESS_STOPPED = 3,
	LCOWMIG_PROCESS_FORCE_INT = 0x7fffffff
} lcowmig_process_status;

/* How a process ended. */
typedef struct lcowmig_exit {
	size_t size;
	int64_t exited_at; /* nanoseconds since 1970 UTC */
	uint32_t pid;
	uint32_t exit_status; /* LCOWMIG_EXIT_UNKNOWN when the guest could not tell */
} lcowmig_exit;

#define LCOWMIG_EXIT_INIT { sizeof(lcowmig_exit), 0, 0, 0 }

/*
 * Opens an exec's stdio and keeps its options: Created, event TASK_EXEC_ADDED. Legal in NotCreated; after a failure it may be repeated.
 * Errors: FAILED_PRECONDITION (state; stderr together with a terminal; an init process, which its container creates), INVALID_ARGUMENT or
 * CORRUPT_DATA (process_spec), NO_MEMORY, and what stdio open says. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_process_create(lcowmig_process *process, const lcowmig_process_options *options, lcowmig_done_fn done,
						  void *user, lcowmig_error *error);

/*
 * Runs an exec in the guest: takes a port for each stream, listens, executes, and from then on waits for the exit in the background.
 * Running, event TASK_EXEC_STARTED; lcowmig_process_pid gives the pid. Legal in Created. A failure leaves Terminated with exit status 1
 * (out of memory before the guest was asked: Created, to be repeated). When the process exits: its output is delivered (at most a second),
 * Terminated, stdio closed, waits end, event TASK_EXIT.
 * Errors: FAILED_PRECONDITION, UNAVAILABLE, GUEST_FAILED, NO_MEMORY, and what stdio attach says. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_process_start(lcowmig_process *process, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Sends `signal`, or kills when it is 0. Before the start it terminates the process with exit status 1; in Terminated it does nothing. A
 * process that exits at the same moment counts as killed.
 * Errors: FAILED_PRECONDITION (migrating), INVALID_ARGUMENT (the guest has no such signal), NOT_FOUND (not delivered), UNAVAILABLE,
 * GUEST_FAILED. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_process_kill(lcowmig_process *process, uint32_t signal, lcowmig_done_fn done, void *user,
						lcowmig_error *error);

/* Resizes the console, in characters. Errors: FAILED_PRECONDITION (not Running, no terminal), UNAVAILABLE, GUEST_FAILED. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_process_resize(lcowmig_process *process, uint16_t width, uint16_t height, lcowmig_done_fn done,
						  void *user, lcowmig_error *error);

/* Closes the upstream stdin (containerd's CloseIO). Legal in every state, without effect where no stdio is open; repeatable. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_process_close_stdin(lcowmig_process *process, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Ends when the process has exited, at once if it has already; lcowmig_process_get_exit then says how. Legal in every state; any number
 * may wait, and a wait does not stand in the way of a migration. lcowmig_context_cancel gives up waiting: CANCELLED. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_process_wait(lcowmig_process *process, lcowmig_done_fn done, void *user, lcowmig_error *error);

/* Says in which containerd status the process is. Since 1.0. */
LCOWMIG_API lcowmig_process_status lcowmig_process_get_status(const lcowmig_process *process);

/* "Running" and so on; static text. Since 1.0. */
LCOWMIG_API const char *lcowmig_process_state_name(const lcowmig_process *process);

/*
 * Fills in pid, exit status and exit time. Before the exit the status is 255 and the time 0. `ret_exit` must be initialised with
 * LCOWMIG_EXIT_INIT. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_process_get_exit(const lcowmig_process *process, lcowmig_exit *ret_exit, lcowmig_error *error);

/* The pid in the guest, 0 before the start. Since 1.0. */
LCOWMIG_API uint32_t lcowmig_process_pid(const lcowmig_process *process);

/* Texts of a process; "" for what it does not have. Borrowed until it is patched or freed. Since 1.0. */
LCOWMIG_API const char *lcowmig_process_container_id(const lcowmig_process *process);
LCOWMIG_API const char *lcowmig_process_exec_id(const lcowmig_process *process);
LCOWMIG_API const char *lcowmig_process_bundle(const lcowmig_process *process);
LCOWMIG_API const char *lcowmig_process_stdin(const lcowmig_process *process);
LCOWMIG_API const char *lcowmig_process_stdout(const lcowmig_process *process);
LCOWMIG_API const char *lcowmig_process_stderr(const lcowmig_process *process);
LCOWMIG_API bool lcowmig_process_terminal(const lcowmig_process *process);

/*
 * Gives a Running or SourceMigrating process as an envelope (type hcsshim.controller.process.save.v1.Payload). `buffer` NULL: only sets
 * `ret_size`. With a buffer the process is frozen: SourceMigrating. That is for processes imported alone; a container freezes its own.
 * Errors: FAILED_PRECONDITION (state, an operation is in flight, it is exiting, its wait has no id yet), INVALID_ARGUMENT (`capacity` is
 * too small), NO_MEMORY; nothing is frozen then. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_process_save(lcowmig_process *process, uint8_t *buffer, size_t capacity, size_t *ret_size,
						lcowmig_error *error);

/*
 * Makes a process of an envelope: DestinationMigrating. `container_id` is the host's, `guest_container_id` the guest's name of its
 * container. It uses the callbacks of `sandbox`, which must outlive it. Free it with lcowmig_process_free.
 * Errors: INVALID_ARGUMENT (no envelope, another type), UNSUPPORTED_VERSION, CORRUPT_DATA, LIMIT_EXCEEDED, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_process_import(lcowmig_sandbox *sandbox, const uint8_t *data, size_t size, const char *container_id,
						  const char *guest_container_id, lcowmig_process **ret_process, lcowmig_error *error);

/*
 * Gives an imported process its name and its stdio on this host. All or nothing; may be repeated, and then the stdio of the earlier patch
 * is closed. Legal in DestinationMigrating.
 * Errors: INVALID_ARGUMENT (no options, an empty id), FAILED_PRECONDITION (state; stderr together with a terminal), NO_MEMORY, and what
 * stdio open says. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_process_patch(lcowmig_process *process, const char *container_id, const lcowmig_process_options *options,
						 lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Takes over the request that waits for the exit of an imported process, before the guest connection is made, so that an answer that comes
 * with the first bytes finds its waiter. Once; later calls do nothing.
 * Errors: INVALID_ARGUMENT (none was saved), NOT_SUPPORTED (the guest ops have no adopt), NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_process_adopt(lcowmig_process *process, lcowmig_error *error);

/*
 * Ends migrating: Running. Destination: listens on the saved ports again, waits for the exit under the saved request id, and asks once in
 * the background whether it has happened already. Source: re-attaches what was lost; its own wait goes on. In Running and Terminated it
 * does nothing. A failure changes nothing and may be followed by another try.
 * Errors: FAILED_PRECONDITION (state, not patched), those of lcowmig_process_adopt, and what stdio attach says. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_process_resume(lcowmig_process *process, bool is_destination, lcowmig_done_fn done, void *user,
						  lcowmig_error *error);

/* Gives an imported process up: Terminated with exit status 137 (LCOWMIG_EXIT_ABORTED), waits end. In other states nothing happens.
 * Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_process_abort(lcowmig_process *process, lcowmig_error *error);

/* Frees a process imported alone. NULL is fine. FAILED_PRECONDITION while an operation is in flight, or when it is a container's.
 * Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_process_free(lcowmig_process *process, lcowmig_error *error);

#ifdef __cplusplus
}
#endif

#endif
