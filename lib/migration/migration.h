/*
 * The migration session from the inside. What it drives (virtual machine, pods) belongs to the sandbox.
 *
 * What can be in flight on a session:
 *   - one piece of work (prepare, export, register, finalize) or any number of patches; `quiet` is set while there is neither;
 *   - the background transfer; `background_over` is set while there is none;
 *   - one cancel, and one abandon.
 * Whatever goes on after an await asks lcowmig__session_is_stale first: results never reach a later session.
 */
#ifndef LCOWMIG__MIGRATION_H
#define LCOWMIG__MIGRATION_H

#include "notify.h"
#include "sandbox/sandbox.h"
#include "timeline.h"
#include "token.h"

typedef enum lcowmig__migration_trigger {
	LCOWMIG__MIGRATION_PREPARE_SOURCE,
	LCOWMIG__MIGRATION_EXPORT,
	LCOWMIG__MIGRATION_IMPORT,
	LCOWMIG__MIGRATION_PATCH,
	LCOWMIG__MIGRATION_PREPARE_DESTINATION,
	LCOWMIG__MIGRATION_REGISTER_SOCKET,
	LCOWMIG__MIGRATION_TRANSFER,
	LCOWMIG__MIGRATION_START,    /* the background work has found its socket */
	LCOWMIG__MIGRATION_COMPLETE, /* memory has been moved */
	LCOWMIG__MIGRATION_FAIL,
	LCOWMIG__MIGRATION_RELEASE,
	LCOWMIG__MIGRATION_RESUME,  /* finalize */
	LCOWMIG__MIGRATION_STOP,    /* finalize */
	LCOWMIG__MIGRATION_DISCARD, /* finalize(STOP) of a cancelled destination */
	LCOWMIG__MIGRATION_CANCEL,
	LCOWMIG__MIGRATION_CANCEL_DONE,
	LCOWMIG__MIGRATION_CLEANUP,
	LCOWMIG__MIGRATION_CLEANUP_DISCARDED, /* of a cancelled destination */
	LCOWMIG__MIGRATION_ABANDON,
	LCOWMIG__MIGRATION_N_TRIGGERS
} lcowmig__migration_trigger;

#define LCOWMIG__MIGRATION_N_STATES 13

extern const lcowmig__machine lcowmig__migration_machine;

/* A container of the envelope, by the id that the source gave it. */
typedef struct lcowmig__imported {
	lcowmig__node node;
	lcowmig_container *container;
	char *source_id;
	bool is_patched;
} lcowmig__imported;

struct lcowmig_migration {
	lcowmig__object object;
	lcowmig_sandbox *sandbox;

	char *id; /* of the active session; NULL: none. Set while a source is being prepared, too, when the state still is Idle. */
	lcowmig_origin origin;
	uint64_t generation; /* counts openings and endings of sessions */
	lcowmig_error failure;

	lcowmig__flow *work;
	unsigned patches;
	lcowmig__signal quiet;
	lcowmig__flow *background;
	lcowmig__signal background_over;
	lcowmig__flow *cancel;
	lcowmig__flow *abandon;
	bool cancel_asked;        /* while a source is being prepared */
	bool cancel_acknowledged; /* the host has cancelled something */

	char *envelope; /* source: what was exported */
	size_t envelope_size;
	lcowmig__tree imported; /* destination: lcowmig__imported by source id */
	size_t n_pending;
	size_t n_resumed;

	void *socket;
	lcowmig_call *socket_spare; /* to close it even when memory is out */
	bool socket_taken;          /* registered, or being registered */
	lcowmig__signal socket_signal;

	lcowmig__right right;
	bool transfer_done; /* the host's transfer succeeded, whatever became of the session */
	bool resume_begun;  /* the machine may run here, or does */
	bool is_stopped;    /* a finalize has stopped it */
	bool is_discarded;  /* destination: the imported containers were ended */
	bool was_resumed;   /* Finalized by RESUME */

	lcowmig__notifier notifier;
	lcowmig__timeline timeline;
};

/* ---- session.c: ids, opening and ending, what is in flight. All under the lock. ---- */

static inline bool lcowmig__session_is_source(const lcowmig_migration *m)
{
	return m->origin == LCOWMIG_ORIGIN_SOURCE;
}

/* What the flows of a session begin with. */
typedef struct lcowmig__session_flow {
	lcowmig__flow flow;
	lcowmig_migration *m;
	uint64_t generation; /* of the session that it belongs to */
	const char *span;    /* of the timeline: ends with the flow; NULL: none */
} lcowmig__session_flow;

/* `is_own` false: the child of an operation, not one of its own. */
void *lcowmig__session_flow_new(lcowmig_migration *m, size_t size, const lcowmig__flow_class *class, bool is_own, lcowmig_error *error);
/* Whether its session is over. */
bool lcowmig__session_is_stale(const lcowmig__flow *flow);
/* The release function of a flow with nothing of its own: it is no longer at work, and its span is over. */
void lcowmig__session_flow_release(lcowmig__flow *flow);
/* Makes the flow the piece of work that is in flight. */
void lcowmig__session_begin_work(lcowmig_migration *m, lcowmig__flow *flow);

/* A public call's id as such: INVALID_ARGUMENT or LIMIT_EXCEEDED. */
lcowmig_status lcowmig__session_check_id(const lcowmig_migration *m, const char *what, const char *id, lcowmig_error *error);
/* The same and that it is the active session's (while there is one), and that nobody is abandoning it. */
lcowmig_status lcowmig__session_check(const lcowmig_migration *m, const char *session_id, lcowmig_error *error);
/* FAILED_PRECONDITION naming it when a piece of work or a patch is in flight. */
lcowmig_status lcowmig__session_check_quiet(const lcowmig_migration *m, lcowmig_error *error);
/* The active session's id, a trigger of the present state, and nothing in flight. */
lcowmig_status lcowmig__session_check_call(const lcowmig_migration *m, const char *session_id, int trigger, lcowmig_error *error);
/* Where something imported may be patched. */
lcowmig_status lcowmig__session_check_patch(const lcowmig_migration *m, lcowmig_error *error);
/* FAILED_PRECONDITION: "migration session <id> (<state>)<why>". */
lcowmig_status lcowmig__session_refuse(const lcowmig_migration *m, const char *why, lcowmig_error *error);

/* Starts a session; the state stays Idle until the caller fires its trigger. */
lcowmig_status lcowmig__session_open(lcowmig_migration *m, const char *id, lcowmig_origin origin, lcowmig_error *error);
/* Forgets everything about the session, interrupts its background work and ends its subscriptions. The state must be Idle. */
void lcowmig__session_close(lcowmig_migration *m);

/* Closes the transport, if there is one; a second one is not accepted. */
void lcowmig__session_drop_socket(lcowmig_migration *m);
/* After a change of `work` or `patches`. */
void lcowmig__session_update_quiet(lcowmig_migration *m);
void lcowmig__session_interrupt_work(lcowmig_migration *m, lcowmig_status status, const char *why);

/* Fires FAIL and keeps the reason. Returns `status`. */
lcowmig_status lcowmig__session_note_failure(lcowmig_migration *m, lcowmig_status status, const lcowmig_error *error);
/* The same, and tells subscribers. Not for what was cancelled: then the cancel decides. */
void lcowmig__session_fail(lcowmig_migration *m, lcowmig_status status, const lcowmig_error *error);
/* A step of the session's own. `text` may be NULL. */
void lcowmig__session_step(lcowmig_migration *m, lcowmig_step step, size_t number, size_t total, const char *text);
/* Destination: ends what was imported and never resumed. Repeatable, cannot fail. */
void lcowmig__session_discard(lcowmig_migration *m);
/* Discards when the session is a cancelled destination that can never resume; `background_ends`: the background work is in its last step.
 */
void lcowmig__session_settle(lcowmig_migration *m, bool background_ends);

/* Copies `data` out as the public functions promise: `ret_size` is told even when the buffer is too small. */
lcowmig_status lcowmig__session_copy_out(const char *what, const void *data, size_t data_size, void *buffer, size_t size, size_t *ret_size,
					 lcowmig_error *error);

/* ---- what else the files share ---- */

/* check.c: FAILED_PRECONDITION with the first reasons when there are any. */
lcowmig_status lcowmig__migration_check_reasons(const lcowmig_migration *m, lcowmig_error *error);

/* options.c: `ret_options` is where it put them, `room`; NULL when none are given. */
lcowmig_status lcowmig__migration_convert_options(const lcowmig_migration_options *given, lcowmig__migration_options *room,
						  const lcowmig__migration_options **ret_options, lcowmig_error *error);

/* policy.c: vets a decoded envelope; calls back, so without the lock. */
lcowmig_status lcowmig__import_vet(const lcowmig_limits *limits, const lcowmig__wire_sandbox *wire, lcowmig_import_policy_fn policy,
				   void *user, lcowmig_error *error);

/* finalize.c: whether a decision is being carried out. */
bool lcowmig__session_is_finalizing(const lcowmig_migration *m);

/* resume.c, stop.c: the two ways to finalize, whatever the session's state. */
lcowmig__flow *lcowmig__session_resume_flow(lcowmig_migration *m, lcowmig_error *error);
lcowmig__flow *lcowmig__session_stop_flow(lcowmig_migration *m, lcowmig_error *error);

/* cancel.c: whether the host's answer to a cancel means that there is nothing left to cancel. */
bool lcowmig__cancel_was_pointless(lcowmig_status status, uint32_t hresult);

#endif
