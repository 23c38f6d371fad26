/*
 * The two-sided model: a source, a destination, and between them an orchestrator that may do anything. It calls in any order, on either
 * side; each host call it causes succeeds, fails or stays pending; machines die and guests shut down; what one side hands out for the other
 * (envelope, token) comes in time, late, twice or never; the orchestrator forgets what it knew, and a host is lost with all it had.
 *
 * Before each step the reference (reference.c), written from what the header promises, says how the step must end; after it the world is
 * compared with that, and the invariants are checked. From any state an orchestrator that knows nothing but the states of the sides it
 * reaches brings the sandbox to an end in which exactly one side runs it, or none because somebody ended it on purpose (recover.c).
 */
#ifndef TEST_MODEL_H
#define TEST_MODEL_H

#include "host_private.h"
#include "invariants.h"
#include "world.h"

#define MODEL_MAX_STEPS 512
#define MODEL_MAX_TOKENS 16
#define MODEL_MAX_SESSIONS 3

typedef enum model_call {
	CALL_PREPARE_SOURCE,
	CALL_EXPORT,
	CALL_IMPORT,
	CALL_PATCH,
	CALL_PREPARE_DESTINATION,
	CALL_REGISTER,
	CALL_TRANSFER,
	CALL_RELEASE,
	CALL_RESUME, /* finalize; `argument` is a model_token */
	CALL_STOP,   /* finalize */
	CALL_CANCEL,
	CALL_CLEANUP,
	CALL_ABANDON,
	CALL_WRONG_SESSION, /* every call with the id of another session */
	CALL_TERMINATE,
	CALL_MACHINE_EXIT, /* a crash; `argument` 1: a shutdown by the guest */
	CALL_PROCESS_EXIT,
	CALL_COMPLETE, /* a pending host call ends */
	CALL_TIME,     /* longer than any wait of a session */
	CALL_NEW_DESTINATION,
	CALL_LOSE,   /* the host is gone: nobody ever hears of that side again */
	CALL_FORGET, /* the orchestrator is restarted and has none of its tokens any more */
	N_CALLS
} model_call;

/* What finalize with resume is given. */
typedef enum model_token {
	TOKEN_NONE,
	TOKEN_NEWEST, /* for this side and session */
	TOKEN_OLDEST,
	TOKEN_OTHER_SESSION,
	TOKEN_OWN, /* given by this side */
	TOKEN_CORRUPT,
	TOKEN_FORCE, /* none, but the override */
	N_TOKENS
} model_token;

/* Host calls whose outcome is a branch of its own. */
typedef enum model_op {
	OP_INITIALIZE,
	OP_PROPERTIES,
	OP_RESOLVE,
	OP_STDIO,
	OP_CREATE,
	OP_GRANT,
	OP_ADOPT,
	OP_START_SOURCE,
	OP_START_DESTINATION,
	OP_MOVE,
	OP_FINALIZE,
	OP_CONNECT,
	OP_CANCEL,
	OP_TERMINATE,
	OP_EXIT, /* not a call: the exit event that the machine owes */
	N_OPS
} model_op;

typedef enum model_outcome { OUTCOME_OK, OUTCOME_FAIL, OUTCOME_HOLD, OUTCOME_POINTLESS, N_OUTCOMES } model_outcome;

typedef struct model_action {
	uint8_t call;
	uint8_t on_destination;
	uint8_t argument;
	uint8_t outcome;
	uint8_t op; /* that has the outcome */
} model_action;

/* A side as the header describes it. */
typedef struct model_side {
	lcowmig_migration_state state;
	lcowmig_vm_state vm;
	unsigned session; /* number of the active one; 0: none */
	bool is_source;
	bool has_socket;
	bool moved;     /* the transfer has completed */
	bool resuming;  /* the machine may run here */
	bool resumed;   /* finalized with resume */
	bool stopped;   /* finalized with stop */
	bool doomed;    /* the host has accepted a stop, though the machine has not ended yet */
	bool discarded; /* what was imported has ended */
	unsigned patched; /* containers, bits */
	uint32_t epoch, released; /* of the right: even is the source's */
} model_side;

/* What is in flight on a side. */
typedef struct model_busy {
	bool finalize, prepare, work, patches, background, waits, cancel, abandon, machine;
} model_busy;

typedef struct model_message {
	uint8_t bytes[LCOWMIG_TOKEN_SIZE_MAX];
	size_t size;
	unsigned session;
	uint32_t epoch;
	bool from_source;
} model_message;

typedef struct model_envelope {
	uint8_t *bytes; /* NULL: none was exported */
	size_t size;
} model_envelope;

typedef struct model {
	test_world *world;
	model_side source, destination;
	unsigned n_sessions;
	unsigned max_sessions, max_destinations;
	unsigned n_destinations;
	model_envelope envelopes[MODEL_MAX_SESSIONS + 1];
	model_message tokens[MODEL_MAX_TOKENS];
	size_t n_tokens;
	unsigned last_session; /* of the last word, which the world knows */
	uint32_t last_epoch;
	bool is_lost[2];          /* by side: the host is gone, and its machine with it */
	bool ended_on_purpose[2]; /* by side: stopped, abandoned, discarded, exited or lost */
	unsigned destination_sessions; /* that a destination took part in, bits */
	unsigned token_sessions;       /* in which a token was given, which a restart can ask for; bits */
	bool destination_ran;
	bool knows_force; /* the override may be used */
	unsigned n_forced;
	lcowmig_status last_status; /* how the last step ended */
	size_t n_steps;
	test_done done[MODEL_MAX_STEPS]; /* what a copy keeps only in part comes last */
	uint16_t pending[MODEL_MAX_STEPS]; /* by step: 0, or model_pending_as for a call that returned PENDING */
} model;

/* What may have happened to the orchestrator at any time. */
typedef enum model_probe {
	PROBE_RESTART,          /* it asks both sides for their states */
	PROBE_SOURCE_AWAY,      /* the same, but at first nobody reaches the source */
	PROBE_DESTINATION_AWAY,
	PROBE_APART,            /* one for each side that knows nothing of the other; then contact comes back */
	PROBE_SOURCE_LOST,      /* for good: an operator says so, and may override the right */
	PROBE_DESTINATION_LOST,
	N_PROBES
} model_probe;

/* How a step must end. */
typedef struct model_expected {
	bool is_exact;
	lcowmig_status status;
	model_side side;   /* afterwards, when it is exact */
	uint32_t statuses; /* otherwise: bits */
} model_expected;

/* ---- reference.c ---- */

bool reference_is_busy(const model_busy *busy);
/* Whether the header allows the call: LCOWMIG_OK or the status that refuses it. */
lcowmig_status reference_gate(const model *m, const model_side *side, const model_busy *busy, const model_action *action);
/* The host calls (bits) that an allowed call makes when nothing is in flight. */
uint32_t reference_ops(const model_side *side, const model_action *action);
void reference_expect(const model *m, const model_side *side, const model_busy *busy, const model_action *action, model_expected *ret);
/* Whether a step may move a busy session so. */
bool reference_may_move(const model_busy *busy, const model_action *action, lcowmig_migration_state from, lcowmig_migration_state to);
uint32_t reference_bit(lcowmig_status status);

/* ---- model.c ---- */

void model_begin(model *m, unsigned n_containers);
/* Recovers, and checks that everything has ended. */
void model_end(model *m, model_probe probe);
test_side *model_world_side(const model *m, bool is_destination);
bool model_applies(const model *m, const model_action *action);
void model_apply(model *m, const model_action *action);
/* Two worlds with the same key answer every sequence alike. */
uint64_t model_key(const model *m);
model_busy model_see_busy(const test_side *side);
const char *model_session_id(unsigned number);
const char *model_op_name(model_op op);
/* The number of the session whose envelope an import is given: the newest one, or (1) the one before. 0: there is none. */
unsigned model_find_envelope(const model *m, unsigned argument);
unsigned model_pending(const model *m, const model_side *side);
uint16_t model_pending_as(const model_action *action);
/* Whether so many of these calls wait for their end already that another one would show nothing new. */
bool model_is_crowded(const model *m, const model_action *action);
/* Makes the call and nothing else. */
lcowmig_status model_perform(model *m, const model_action *action, test_done *done);
void model_prune(model *m);
/* Remembers that the destination's machine was let run. */
void model_note_run(model *m);
const model_message *model_find_token(const model *m, bool for_destination, model_token which);
/* The whole list, in a fixed order. */
const model_action *model_actions(size_t *ret_count);
void model_describe(const model_action *action, char *text, size_t size);

/* The reference takes over what a side's library says. */
void model_sync(model *m, bool is_destination);

/* ---- recover.c ---- */

bool recover_applies(const model *m, model_probe probe);
/* Brings the sandbox to its end from here, as one that knows nothing would. */
void recover(model *m, model_probe probe);
/* Lets everything that is pending end. */
void recover_settle(model *m);
/* The same on a destination that was lost, so that it can be taken down. */
void recover_bury_destination(model *m);

/* ---- trace.c: the sequence that a test is at, for when it fails ---- */

void trace_begin(void);
void trace_slot(unsigned slot, const char *what);
void trace_clear(uint64_t seed);
size_t trace_count(void);
void trace_rewind(size_t count);
void trace_step(const model_action *action);
void trace_note(const char *note);
void trace_print(void);
void trace_print_current(const char *what);
uint64_t trace_number(const char *name, uint64_t otherwise);

#endif
