/*
 * Task events, as containerd publishes them. Opaque so that they can grow; the getters return zero or "" for what an event does not have.
 * Everything a getter returns lives as long as the event, that is during the callback.
 */
#ifndef LCOWMIG_EVENT_H
#define LCOWMIG_EVENT_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum lcowmig_event_type {
	LCOWMIG_EVENT_TASK_CREATE = 1,       /* /tasks/create: bundle, stdio, pid */
	LCOWMIG_EVENT_TASK_START = 2,        /* /tasks/start: pid */
	LCOWMIG_EVENT_TASK_EXIT = 3,         /* /tasks/exit: exec id, pid, exit status, exit time */
	LCOWMIG_EVENT_TASK_DELETE = 4,       /* /tasks/delete: exec id, pid, exit status, exit time */
	LCOWMIG_EVENT_TASK_EXEC_ADDED = 5,   /* /tasks/exec-added: exec id */
	LCOWMIG_EVENT_TASK_EXEC_STARTED = 6, /* /tasks/exec-started: exec id, pid */
	LCOWMIG_EVENT_FORCE_INT = 0x7fffffff
} lcowmig_event_type;

LCOWMIG_API lcowmig_event_type lcowmig_event_get_type(const lcowmig_event *event);
LCOWMIG_API const char *lcowmig_event_container_id(const lcowmig_event *event);
LCOWMIG_API const char *lcowmig_event_exec_id(const lcowmig_event *event);
LCOWMIG_API uint32_t lcowmig_event_pid(const lcowmig_event *event);
/* LCOWMIG_EXIT_UNKNOWN (all ones) when the guest could not tell. */
LCOWMIG_API uint32_t lcowmig_event_exit_status(const lcowmig_event *event);
/* Nanoseconds since 1970 UTC. */
LCOWMIG_API int64_t lcowmig_event_exited_at(const lcowmig_event *event);
LCOWMIG_API const char *lcowmig_event_bundle(const lcowmig_event *event);
LCOWMIG_API const char *lcowmig_event_stdin(const lcowmig_event *event);
LCOWMIG_API const char *lcowmig_event_stdout(const lcowmig_event *event);
LCOWMIG_API const char *lcowmig_event_stderr(const lcowmig_event *event);
LCOWMIG_API bool lcowmig_event_terminal(const lcowmig_event *event);

#define LCOWMIG_EXIT_UNKNOWN 0xffffffffu /* the guest has lost the exit status */
#define LCOWMIG_EXIT_ABORTED 137u        /* imported and never resumed */

#ifdef __cplusplus
}
#endif

#endif
