/*
 * One flow, run again and again, each time with another thing going wrong. A scenario is a list of steps between two hosts (world.h); a
 * plan says which call, allocation or answer goes wrong and how. A step that fails is repeated; what cannot be repeated is undone and begun
 * anew, or wound down.
 *
 * After every step the invariants hold; at the end both sandboxes and contexts are freed, with nothing leaked, no host handle open and
 * every `done` called once.
 *
 * Environment: TORTURE_FULL=1 takes every point instead of a sample; TORTURE_POINTS=n sets the size of the sample;
 * TORTURE_AT=scenario:kind:side:n runs that one point only, saying what it does. A point that fails is named that way on stderr.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include "world.h"

typedef enum torture_kind {
	TORTURE_NONE,
	/* Memory of the context, and of cJSON: one allocation fails; or all from there on, until the step has ended. */
	TORTURE_ALLOCATION,
	TORTURE_ALLOCATIONS,
	TORTURE_JSON,
	TORTURE_JSON_ALL,
	/* One host call. */
	TORTURE_ERROR,            /* fails at once */
	TORTURE_EFFECT_ERROR,     /* takes effect, and fails all the same */
	TORTURE_LATE_ERROR,       /* fails later */
	TORTURE_LATE,             /* succeeds later */
	TORTURE_INSIDE,           /* is completed before the callback returns */
	TORTURE_INSIDE_THREAD,    /* the same, by another thread */
	TORTURE_THREAD,           /* succeeds later, on another thread */
	TORTURE_CANCEL_SUCCESS,   /* the operation is cancelled meanwhile; the call succeeds all the same */
	TORTURE_CANCEL_ERROR,     /* and fails */
	TORTURE_NEVER,            /* is not answered until every deadline has passed and the operation was cancelled; then it succeeds */
	TORTURE_NEVER_ERROR,      /* then it fails */
	TORTURE_MISSING,          /* the nth member of the vtables is not there until a step has failed */
	TORTURE_REORDER,          /* every call ends later, and not in the order in which they came; n is the seed */
	/* Before an await begins: the operation is cancelled; or the flow itself is interrupted, as by its deadline. */
	TORTURE_AWAIT_CANCEL,
	TORTURE_AWAIT_INTERRUPT,
	TORTURE_AWAIT_REFUSE,     /* whatever is started in it fails at once, without having been asked for */
	TORTURE_AWAIT_REFUSE_ALL, /* and in all from there on, until the step has ended */
	/* While one host call is pending another operation comes, on the same objects (intruders.c). */
	TORTURE_OVERLAP,              /* and takes its course */
	TORTURE_OVERLAP_CANCEL,       /* is cancelled */
	TORTURE_OVERLAP_CANCEL_FIRST, /* the one before it is cancelled */
	TORTURE_OVERLAP_DEATH,        /* the machine ends */
	TORTURE_OVERLAP_INSIDE,       /* it comes from inside the host's callback */
	/* One frame between bridge and guest, in either direction (the real bridge and a guest that speaks to it). */
	TORTURE_FRAME_DROP,
	TORTURE_FRAME_CUT,        /* the transport breaks in its middle */
	TORTURE_FRAME_TWICE,
	TORTURE_FRAME_DELAY,      /* comes after every timeout */
	TORTURE_FRAME_REFUSE,     /* the request fails in the guest */
	TORTURE_FRAME_GARBAGE,
	TORTURE_FRAME_CLOSE,      /* the transport ends in its place */
	TORTURE_KINDS
} torture_kind;

typedef struct torture {
	test_world *world;
	test_side *side; /* the one that is tormented */
	const struct torture_scenario *scenario;
	/* What single steps keep for later ones. */
	lcowmig_sandbox *sandbox; /* of its own, on the source's host */
	lcowmig_pod *pod;
	lcowmig_container *container;
	lcowmig_process *process;
	lcowmig_scsi *scsi;
	lcowmig_plan9 *plan9;
	lcowmig_vpci *vpci;
	lcowmig_network *network;
	lcowmig_guid ids[4];
	lcowmig_guid shared[2];
	unsigned disks; /* on the machine at the beginning */
	lcowmig_pids *pids;
	lcowmig_stats *stats;
	lcowmig_exit exit;
	int32_t exit_code;
	lcowmig_vm_stats vm_stats;
	uint8_t envelope[8192];
	size_t envelope_size;
	bool is_done[4];
	test_done done;
	lcowmig_error *error;
} torture;

/* Operations that may come between. */
typedef enum torture_group {
	TORTURE_VM = 1,
	TORTURE_SESSION = 2,
	TORTURE_POD = 4,
	TORTURE_CONTAINER = 8, /* and its processes */
	TORTURE_DEVICES = 16,
	TORTURE_ALONE = 32     /* on controllers without a pod */
} torture_group;

typedef struct torture_step {
	const char *name;
	lcowmig_status (*run)(torture *t);
} torture_step;

typedef struct torture_scenario {
	const char *name;
	unsigned n_pods, n_containers;
	bool has_destination;      /* both hosts take part */
	const torture_step *steps; /* up to one without a name */
	/* Makes it possible to begin anew after a step that cannot be repeated. False: it can only be wound down. NULL: always. */
	bool (*undo)(torture *t);
	void (*end)(torture *t);   /* frees what the steps made; may be NULL */
	bool needs_script;         /* its guest is the scripted one */
	unsigned intruders;        /* what may come between: groups of torture_group */
} torture_scenario;

/* Every scenario, up to one without a name. */
extern const torture_scenario torture_migrations[];
extern const torture_scenario torture_operations[];

/* Runs a scenario without a fault and then with the fault of `kind` at its points, first on the source and then on the destination. */
void torture_run(const torture_scenario *scenario, torture_kind kind, int slot);
/* Around all tests of a program: where those were that failed. Each test has a slot, counted in advance. */
void torture_begin_program(void);
void torture_count_slots(int count);
void torture_end_program(void);

/* A whole program: each of the kinds, at every point of everything. */
int torture_main(const char *name, const torture_kind *kinds, int n_kinds);

/* For steps: how an operation on the source's sandbox ended that was begun with torture_done. */
test_done *torture_done(torture *t);
lcowmig_status torture_settle(torture *t, lcowmig_status status);
/* No machine ends unless a step stops it. */
void torture_expect_no_exit(torture *t);
/* The guest is out of reach, or nobody waits for what it says: what was done there cannot be undone. */
bool torture_has_lost_guest(const torture *t);
/* From now on there is memory, if it was running out. */
void torture_memory_returns(torture *t);

/* ---- Between the files ---- */

/* The fault that is armed. */
typedef struct torture_plan {
	torture_kind kind;
	unsigned nth;
	unsigned calls;     /* host calls so far */
	unsigned awaits;    /* of operations, so far */
	unsigned refusable; /* of those, and of the transfer */
	unsigned intruder;  /* which one comes with the nth call */
	bool is_due;        /* that call was made */
	bool is_over;       /* the step has failed: nothing more goes wrong */
	bool was_met;
	unsigned last;      /* the number of allocations of `host` by which the failing one was made */
	test_host *host;    /* the side that is tormented */
	uint64_t step_ns;   /* since the step began */
	uint64_t waited_ns; /* since the call was kept */
} torture_plan;

extern torture_plan torture_armed;

/* proxy.c: puts itself between a sandbox and the scripted host. Only a proxied sandbox meets faults of host calls. */
void torture_proxy(test_host *host, lcowmig_sandbox *sandbox);
/* Ends what is kept back; true when there was something. */
bool torture_release(test_host *host);
/* Takes the place of test_host_advance in world.c: lets the armed fault take its course. */
void torture_advance(test_host *host, uint64_t nanoseconds);
void torture_proxy_reset(void);
/* Members that are missing: how many there are; the nth goes from every proxied sandbox, and comes back. */
void torture_forget(const lcowmig__env *env); /* its sandbox has been freed */
unsigned torture_count_members(void);
void torture_remove_member(unsigned nth);
void torture_restore_member(void);

/* A guest behind the real bridge, in place of the scripted host's guest ops; NULL in programs without one. */
typedef struct torture_guest_ops {
	/* Another bridge, for another sandbox on the same host. */
	lcowmig_status (*add)(test_host *host, lcowmig_sandbox_config *config);
	void (*remove_added)(test_host *host);
	/* Ends the waits for a process; 0: all. */
	void (*exit)(test_host *host, uint32_t pid, uint32_t status);
	void (*disconnect)(test_host *host);
	bool (*is_connected)(test_host *host);
	/* Frames that are kept back; delivers them. */
	bool (*has_kept)(test_host *host);
	void (*release)(test_host *host);
} torture_guest_ops;

extern const torture_guest_ops *const torture_guest;

bool torture_is_about_frames(torture_kind kind);
void torture_cancel_operations(test_host *host);

/* await.c, in the program that has it. */
bool torture_is_about_awaits(torture_kind kind);

/* intruders.c: the operation that comes between. */
typedef struct torture_intrusion {
	const char *name;
	bool has_begun;
	bool asks_only;
	bool ends_vm;
	lcowmig_status status; /* what its function returned */
	test_done done;
	unsigned fed;
	/* What it gives back. */
	lcowmig_process *process;
	lcowmig_pids *pids;
	lcowmig_stats *stats;
	lcowmig_exit exit;
	lcowmig_vm_stats vm_stats;
	int32_t exit_code;
	uint8_t bytes[8192];
} torture_intrusion;

bool torture_is_overlap(torture_kind kind);
unsigned torture_count_intruders(unsigned groups);
void torture_intrude(torture *t);
const torture_intrusion *torture_intruder(void);
bool torture_is_intruder(const void *user);
void torture_feed_intruder(torture *t);
void torture_end_intruder(torture *t);
void torture_reset_intruder(void);
/* The run in progress; NULL: none. */
torture *torture_now(void);

/* json.c: cJSON's memory. */
void torture_json_install(void);
void torture_json_fail(unsigned nth, bool forever);
unsigned torture_json_allocations(void);
unsigned torture_json_live(void);

#endif
