/*
 * What the files of the process controller share.
 *
 * Two gates order what happens: `gate` lets operations in one after the other; `io_gate` is held by whoever uses the stdio handle, so that
 * nobody closes it under a host callback.
 */
#ifndef LCOWMIG__PROCESS_PRIVATE_H
#define LCOWMIG__PROCESS_PRIVATE_H

#include "process.h"

enum process_state {
	PROCESS_NOT_CREATED,
	PROCESS_CREATED,
	PROCESS_RUNNING,
	PROCESS_TERMINATED,
	PROCESS_DESTINATION_MIGRATING,
	PROCESS_SOURCE_MIGRATING,
	PROCESS_STATES
};

enum process_trigger {
	PROCESS_CREATE,
	PROCESS_START,
	PROCESS_START_FAILED,
	PROCESS_EXIT,
	PROCESS_KILL,
	PROCESS_RESIZE,
	PROCESS_DELETE,
	PROCESS_SAVE,
	PROCESS_IMPORT,
	PROCESS_PATCH,
	PROCESS_RESUME,
	PROCESS_ABORT,
	PROCESS_TRIGGERS
};

#define PROCESS_EXIT_STATUS_INITIAL 255u
#define PROCESS_EXIT_STATUS_NOT_STARTED 1u
#define PROCESS_EXIT_STATUS_DELETED 0u
/* How long the output may take to get upstream after the exit. */
#define PROCESS_DRAIN_NS UINT64_C(1000000000)
/* What the guest waits before it says that a process is still there, and what we wait for it to say so. */
#define PROCESS_PROBE_MS 50u
#define PROCESS_PROBE_NS UINT64_C(2000000000)
/* After running out of memory. */
#define PROCESS_RETRY_NS UINT64_C(100000000)

/* Stdio as it was asked for, and as it is open. */
typedef struct lcowmig__process_io {
	void *handle;         /* NULL: not open */
	lcowmig_call *closer; /* there whenever the handle is */
	char *bundle;
	char *paths[3]; /* stdin, stdout, stderr; never NULL once it is open */
	bool terminal;
} lcowmig__process_io;

/* What a patch has prepared and commit takes over. */
typedef struct lcowmig__process_patch {
	char *container_id;
	char *name;
	lcowmig_event *exit_event;
	lcowmig__process_io io;
} lcowmig__process_patch;

/* The most used come first: what is near is reached with shorter code. */
struct lcowmig_process {
	lcowmig__object object;
	lcowmig__env *env;
	char *name; /* "c1" or "c1/exec1", for messages */
	char *container_id;
	char *gcs_container_id; /* in the guest; never changes */
	char *exec_id;
	lcowmig__process_io io;
	uint32_t pid;

	/* How it ended. The status is known before the state says so: output is delivered first. */
	uint32_t exit_status;
	int64_t exited_at;
	lcowmig_event *exit_event; /* an exec's TASK_EXIT, made ahead */
	lcowmig__flow *exit_flow;  /* made ahead, NULL once it is under way */
	bool has_answer;           /* status and time are those of the exit */
	bool is_ending;            /* the exit flow is under way */

	bool is_standalone;
	bool is_adopted; /* a watch waits for the saved id */
	bool is_probing;
	bool probe_wanted; /* a hint came while nobody may be asked */
	int64_t wait_id;   /* 0: not known (yet) */
	uint32_t ports[3];
	char *spec; /* an exec's OCI process; NULL for init */
	size_t spec_size;
	uint64_t io_retry_timeout_ns;
	lcowmig__process_patch *patch; /* kept aside until it is committed; NULL: none */
	void *retired;                 /* a handle to be closed when whoever uses it is through; NULL: none */
	lcowmig_call *retired_closer;

	lcowmig__node node; /* of the container's map, by exec id */
	lcowmig__gate gate;
	lcowmig__gate io_gate;
	lcowmig__signal exited;
	lcowmig__process_owner owner;
};

/* Every flow of a process begins like this, so that a process that is freed can let go of those in its background. */
typedef struct lcowmig__process_flow {
	lcowmig__flow flow;
	lcowmig_process *process; /* NULL: it has been freed */
} lcowmig__process_flow;

void *lcowmig__process_flow_new(lcowmig_process *process, size_t size, const lcowmig__flow_class *class, lcowmig_error *error);
/* An exec's event: true and NULL for an init process, of which its container tells. False when memory is out. */
bool lcowmig__process_event_new(const lcowmig_process *process, lcowmig_event_type type, const char *container_id,
				lcowmig_event **ret_event);
lcowmig_process *lcowmig__process_alloc(lcowmig__env *env, const char *container_id, const char *gcs_container_id, const char *exec_id,
					lcowmig_error *error);
/* "c1" or "c1/exec1"; NULL when memory is out. */
char *lcowmig__process_make_name(const lcowmig__mem *mem, const char *container_id, const char *exec_id);

/* stdio.c */
/* Copies bundle, paths and flag, and makes the call that will close it. False when memory is out; lcowmig__process_io_done in any case. */
bool lcowmig__process_io_init(lcowmig__process_io *io, lcowmig__env *env, const lcowmig_process_options *options);
/* What is open is closed, everything is freed. */
void lcowmig__process_io_done(lcowmig__process_io *io, lcowmig__env *env);
/* FAILED_PRECONDITION for a terminal together with stderr; INVALID_ARGUMENT or LIMIT_EXCEEDED for a bundle path that could never travel. */
lcowmig_status lcowmig__process_io_check(const lcowmig_process *process, const lcowmig__process_io *io, lcowmig_error *error);
/* Inside an await; the handle is the flow's then. */
void lcowmig__process_io_open(lcowmig__flow *flow, const lcowmig_process *process, const char *container_id, const lcowmig__process_io *io);
/* Closes the handle now, or when whoever uses it is through. */
void lcowmig__process_io_close(lcowmig_process *process);
/* What could not be closed then. */
void lcowmig__process_io_close_retired(lcowmig_process *process);
/* Leaves the io gate, and closes what became unused meanwhile. */
void lcowmig__process_io_leave(lcowmig__flow *flow, lcowmig_process *process);

/* exit.c */
/* What must be there before a process can run: its exit needs no memory. */
lcowmig_status lcowmig__process_prepare_exit(lcowmig_process *process, lcowmig_error *error);
/* How the guest is asked for the exit: by an endless wait, by the saved one, or whether it has happened already. */
typedef enum lcowmig__process_question {
	PROCESS_WAITS,
	PROCESS_ADOPTS,
	PROCESS_PROBES
} lcowmig__process_question;

/* A watch for a process about to run, started with lcowmig__flow_background, or a probe for lcowmig__process_settle. */
lcowmig__flow *lcowmig__process_watch_flow(lcowmig_process *process, lcowmig__process_question question, lcowmig_error *error);
/* From Running: announces an exit that is known already; else starts the probe, which it takes. */
void lcowmig__process_settle(lcowmig_process *process, lcowmig__flow *probe);
/* Lets go of the background flows of a process that is about to be freed. */
void lcowmig__process_orphan_watches(lcowmig_process *process);
/* Terminated without a guest's word: the state has moved already. Closes stdio, sets the signal. */
void lcowmig__process_end_now(lcowmig_process *process, uint32_t exit_status);

#endif
