/* The process controller from the inside. Conventions as in scsi/scsi.h. */
#ifndef LCOWMIG__PROCESS_H
#define LCOWMIG__PROCESS_H

#include "engine/env.h"
#include "engine/event.h"
#include "lcowmig/process.h"
#include "wire/wire.h"

extern const lcowmig__machine lcowmig__process_machine;

/*
 * Whom a process tells of its exit: its container. `exited` runs under the lock after state, stdio close and exited signal are done
 * (PROC-47); for an init process it is what makes the container end. An exec's process sends its own TASK_EXIT.
 */
typedef struct lcowmig__process_owner {
	void (*exited)(void *user, lcowmig_process *process);
	void *user;
} lcowmig__process_owner;

/* The ids are copied. `exec_id` "" is init. */
lcowmig_status lcowmig__process_new(lcowmig__env *env, const char *container_id, const char *gcs_container_id, const char *exec_id,
				    uint64_t io_retry_timeout_ns, const lcowmig__process_owner *owner, lcowmig_process **ret_process,
				    lcowmig_error *error);
/* Interrupts its watches; nothing else may be in flight. NULL is fine. */
void lcowmig__process_free(lcowmig_process *process);

/* Opens stdio; config (bundle, stdio paths, terminal, for an exec the OCI process JSON) is copied: lcowmig_process_options in
 * lcowmig/process.h. */
lcowmig__flow *lcowmig__process_create_flow(lcowmig_process *process, const lcowmig_process_options *options, lcowmig_error *error);
/* Allocates ports, attaches stdio, executes, starts the exit watch. */
lcowmig__flow *lcowmig__process_start_flow(lcowmig_process *process, lcowmig_error *error);
/* `signal` 0: plain kill. */
lcowmig__flow *lcowmig__process_kill_flow(lcowmig_process *process, uint32_t signal, lcowmig_error *error);
lcowmig__flow *lcowmig__process_delete_flow(lcowmig_process *process, lcowmig_error *error);
lcowmig__flow *lcowmig__process_resize_flow(lcowmig_process *process, uint16_t width, uint16_t height, lcowmig_error *error);
lcowmig__flow *lcowmig__process_close_stdin_flow(lcowmig_process *process, lcowmig_error *error);
lcowmig__flow *lcowmig__process_wait_flow(lcowmig_process *process, lcowmig_error *error);

/* FAILED_PRECONDITION also when the wait's request id is not known yet. */
lcowmig_status lcowmig__process_capture(const lcowmig_process *process, lcowmig__wire_process *ret_wire, lcowmig_error *error);
void lcowmig__process_freeze(lcowmig_process *process);
lcowmig_status lcowmig__process_import(lcowmig__env *env, const lcowmig__wire_process *wire, const char *container_id,
				       const char *gcs_container_id, const lcowmig__process_owner *owner, lcowmig_process **ret_process,
				       lcowmig_error *error);

/*
 * Patch in two halves: the flow opens the new stdio and keeps it aside; commit, which cannot fail, adopts identity and stdio
 * (closing what an earlier patch had opened); rollback drops what was kept aside. For a process imported alone the flow commits.
 */
lcowmig__flow *lcowmig__process_patch_flow(lcowmig_process *process, const char *container_id, const lcowmig_process_options *options,
					   lcowmig_error *error);
void lcowmig__process_patch_commit(lcowmig_process *process);
void lcowmig__process_patch_rollback(lcowmig_process *process);

/* Adopts the saved wait id on the guest connection, before it is made. Once; later calls do nothing. INVALID_ARGUMENT for wait id 0.
 */
lcowmig_status lcowmig__process_adopt(lcowmig_process *process, lcowmig_error *error);
/*
 * Back to Running. Destination: re-attaches stdio on the saved ports (adopting if that was not done), starts the exit watch and, in the
 * background, the exit probe. Source: re-attaches what was lost; the wait is still outstanding and stays with the watch it has, and a
 * probe makes sure of it when the connection had to be made anew. Terminated and Running: no-op.
 */
lcowmig__flow *lcowmig__process_resume_flow(lcowmig_process *process, bool is_destination, lcowmig_error *error);
/* Imported and never resumed -> Terminated, 137. Cannot fail. Other states: nothing. */
void lcowmig__process_abort(lcowmig_process *process);
/* The guest says that the container has exited: make sure that the wait's answer was not lost (probe in the background). */
void lcowmig__process_hint_exit(lcowmig_process *process);

/* INVALID_ARGUMENT unless the guest takes the signal. `ret_signal` is what to send: 0 to a guest that knows only a plain kill. */
lcowmig_status lcowmig__process_check_signal(const lcowmig__env *env, uint32_t signal, uint32_t *ret_signal, lcowmig_error *error);

const char *lcowmig__process_exec_id(const lcowmig_process *process);
uint32_t lcowmig__process_pid(const lcowmig_process *process);
bool lcowmig__process_is_created(const lcowmig_process *process); /* state Created */
/* FAILED_PRECONDITION naming the operation when one is in flight: it must not be freed then. */
lcowmig_status lcowmig__process_check_idle(const lcowmig_process *process, lcowmig_error *error);
/* How the process ended, for its event or its caller. */
void lcowmig__process_tell_exit(const lcowmig_process *process, lcowmig_event *event);
lcowmig_status lcowmig__process_check_exit(const lcowmig_exit *exit, lcowmig_error *error); /* INVALID_ARGUMENT: its size */
void lcowmig__process_fill_exit(const lcowmig_process *process, lcowmig_exit *ret_exit);
/* Pid, bundle and stdio of a process that was created or imported, for TASK_CREATE. False when memory is out. */
bool lcowmig__process_tell_io(const lcowmig_process *process, lcowmig_event *event);

/* A time as an envelope says it, and back. */
lcowmig__wire_duration lcowmig__process_duration(uint64_t nanoseconds);
uint64_t lcowmig__process_nanoseconds(const lcowmig__wire_duration *duration);

/* The node of the container's map, keyed by the exec id. */
lcowmig__node *lcowmig__process_node(lcowmig_process *process);
lcowmig_process *lcowmig__process_of_node(const lcowmig__node *node);

#endif
