/*
 * The demo: a pod with containers that count, in a Linux machine that moves between two hosts, A and B. Both hosts live in this program, each with a
 * context, a directory and a QEMU process of its own; a TCP connection between the two carries memory.
 */
#ifndef QEMU_DEMO_H
#define QEMU_DEMO_H

#include <stdio.h>

#include "qemu_host.h"

#define DEMO_COUNTERS 3u
#define DEMO_PLACES (DEMO_COUNTERS + 1u) /* and the sandbox container, the first */

/* Where in a migration something is to go wrong. In the order in which they come. */
typedef enum demo_point {
	POINT_NONE,
	POINT_PREPARED,    /* the source is prepared */
	POINT_EXPORTED,
	POINT_IMPORTED,
	POINT_PATCHED,
	POINT_READY,       /* the destination is prepared */
	POINT_SETUP,       /* from here to MOVED: told by QEMU */
	POINT_TRANSFER,
	POINT_BLACKOUT,
	POINT_SWITCHOVER,
	POINT_MOVED,
	POINT_COMPLETED,   /* both sides know that it has moved */
	POINT_RELEASED,    /* the source has given the right away, the destination has not been told */
	POINT_RESUMED,     /* the destination runs, the source has not been told to stop */
	POINT_COUNT
} demo_point;

typedef enum demo_fault {
	FAULT_NONE,
	FAULT_CANCEL,           /* the source's user changes his mind */
	FAULT_KILL_SOURCE,      /* kill -9 of the QEMU process */
	FAULT_KILL_DESTINATION
} demo_fault;

typedef struct demo_options {
	const char *guest;     /* directory with kernel, initrd and layers (make-guest) */
	const char *directory; /* for everything that the demo makes */
	unsigned hops;         /* how often the machine moves */
	demo_fault fault;
	demo_point point;
	unsigned soak;         /* so many migrations, each with a fault of its own */
	unsigned memory_mb;
	unsigned run_ms;       /* between migrations */
	unsigned seed;
	bool use_kvm;
	bool is_verbose;
	const char *json;      /* file that gets figures */
} demo_options;

/* ---- options.c ---- */
bool demo_parse_options(int argc, char **argv, demo_options *ret_options, int *ret_exit);
const char *demo_point_name(demo_point point);
const char *demo_fault_name(demo_fault fault);

/* ---- site.c: what a host has on disk ---- */

typedef struct demo_place {
	char id[40];
	char layer[512];   /* empty: the sandbox container, which needs only the base */
	char base[512];
	char scratch[512];
	char log[512];     /* its stdout */
	char bundle[512];
	char *spec;
} demo_place;

typedef struct demo_site {
	char name[8];
	char directory[400];
	char console[512];
	char namespace_id[40];
	char pod_id[40];
	char *endpoints;
	demo_place places[DEMO_PLACES];
} demo_site;

/*
 * Makes both hosts' directories anew. Both have everything under paths of their own, which are links to the same files, as if the storage were
 * shared. `round` makes names unique after a loss.
 */
bool demo_make_sites(const demo_options *options, unsigned round, demo_site sites[2]);
void demo_free_sites(demo_site sites[2]);
/* Gives the pod and its containers the names that they have on this site from hop `hop` on. */
void demo_name_site(demo_site *site, unsigned hop);
char *demo_document(const demo_options *options); /* allocated */
void demo_rootfs(const demo_place *place, char options[2][1200], const char *ret_list[2], lcowmig_rootfs_mount *ret_mount);

/* ---- wait.c ---- */

typedef struct demo_end {
	bool is_over;
	lcowmig_status status;
	lcowmig_error error;
} demo_end;

void demo_done(void *user, lcowmig_status status, const lcowmig_error *error);
/* Runs the loop until an operation that returned `status` has ended. */
lcowmig_status demo_await(mock_loop *loop, demo_end *end, lcowmig_status status);

/* ---- world.c: the running sandbox ---- */

typedef struct demo_side {
	struct demo_world *world;
	demo_site *site;
	qemu_host *host;
	uint64_t datagrams; /* that have come from the pod's network here */
	unsigned exits;     /* exit events */
	bool is_source;     /* of the migration under way */
} demo_side;

typedef struct demo_world {
	mock_loop *loop;
	const demo_options *options;
	FILE *log;           /* the library's lines: stderr, or a file in the demo's directory */
	demo_site sites[2];
	demo_side sides[2];
	unsigned at;         /* where it runs */
	unsigned hop;
	unsigned round;
	demo_fault fault;    /* of the migration under way */
	demo_point point;
	bool has_struck;
	bool runs_twice;     /* both machines have run at the same moment, ever */
	struct demo_migration *migration;
} demo_world;

bool demo_start(demo_world *world);
/* Ends the containers, which print their last counts, and the machine. */
bool demo_stop(demo_world *world);
/* Ends whatever there still is, without asking much. */
void demo_destroy(demo_world *world);
qemu_host *demo_make_host(demo_world *world, unsigned side, const char *sandbox_id);
bool demo_drop_host(demo_world *world, unsigned side);
void demo_run_for(demo_world *world, unsigned ms);
/* True when every counter has printed something new within a few seconds. */
bool demo_is_counting(demo_world *world);

/* ---- migrate.c, recover.c ---- */

typedef enum demo_outcome {
	OUTCOME_MOVED,
	OUTCOME_STAYED, /* it runs where it ran */
	OUTCOME_LOST,   /* the only copy was killed */
	OUTCOME_WRONG   /* a promise was broken; what was said about it is on stderr */
} demo_outcome;

/* A migration's end and, when it moved, its figures. */
typedef struct demo_result {
	demo_outcome outcome;
	uint64_t total;            /* nanoseconds from prepare to cleanup */
	uint64_t blackout_us;      /* from STOP on the source to RESUME on the destination, as QEMU's events say */
	uint64_t qemu_downtime_ms; /* of that, what QEMU counts itself: to the last byte */
	uint64_t control_plane_us; /* of that, what passed after memory had moved: both sides notice, release, finalize, and QEMU's `cont` */
	uint64_t finalize;         /* nanoseconds from finalize to the last container reattached and the network rebuilt; the guest runs */
	uint64_t bytes;
	char timeline[2][2048];    /* for people: the source's and the destination's */
} demo_result;

typedef struct demo_migration {
	demo_world *world;
	demo_side *from;
	demo_side *to;
	lcowmig_migration *source;
	lcowmig_migration *destination;
	char session[40];
	uint8_t token[LCOWMIG_TOKEN_SIZE_MAX];
	size_t token_size;
	demo_end cancel;   /* of a cancel that a fault has begun */
	bool is_cancelling;
	bool is_resumed;   /* the destination runs */
	lcowmig_error why; /* the first thing that went wrong */
} demo_migration;

demo_result demo_migrate(demo_world *world, demo_fault fault, demo_point point);
/* The moment has come at which something may go wrong. False when the driver should give up. */
bool demo_reach(demo_migration *migration, demo_point point);
/* Brings the sandbox back to one of the sides after something went wrong. */
demo_outcome demo_recover(demo_migration *migration);
/* Checks that a migration that seems to have succeeded has. */
demo_outcome demo_confirm(demo_migration *migration);
lcowmig_status demo_finalize(demo_migration *migration, bool on_destination, lcowmig_finalize_action action, lcowmig_error *error);
bool demo_state_is(lcowmig_migration *session, lcowmig_migration_state state);

/* ---- check.c ---- */

/* Every counter's log and the file on its scratch disk: 1, 2, 3 … without gap or repeat. `is_ended`: and both end alike. */
bool demo_check(demo_world *world, bool is_ended);
/* The last number in a log, 0 when there is none; -1 when it does not count one by one. */
long demo_last_count(const char *path, const char *name, bool *ret_has_end);

/* ---- soak.c ---- */
int demo_soak(demo_world *world);

#endif
