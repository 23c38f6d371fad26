/*
 * The two-process demo: a pod moves from the process `source` to the process `destination` over TCP.
 *
 *     source                                  destination
 *     HELLO session, sandbox        ----->
 *     ENVELOPE bytes                ----->    import
 *     PLACES what has to be found   ----->    patch, prepare
 *                                   <-----    READY
 *     (second connection: memory)   =====
 *                                   <-----    ARRIVED
 *     TOKEN right, last state       ----->    finalize resume
 *                                   <-----    RUNNING, or GIVEN_BACK right
 *     STOPPED timeline              ----->    timeline and table
 *
 * Whoever has something to say against it sends FAILED with one sentence instead.
 */
#ifndef DEMO_H
#define DEMO_H

#include <cjson/cJSON.h>

#include "host.h"

enum demo_exit {
	DEMO_MIGRATED = 0,
	DEMO_LOST = 1, /* something did not arrive, or nobody has the sandbox */
	DEMO_USAGE = 2,
	DEMO_STAYED = 3 /* not migrated; the sandbox is safe where it is said to be */
};

typedef enum demo_fault {
	DEMO_FAULT_NONE,
	DEMO_FAULT_TRANSFER,
	DEMO_FAULT_BLACKOUT,
	DEMO_FAULT_FINALIZE,
	DEMO_FAULT_GUEST,
	DEMO_FAULT_KILL_SOURCE,
	DEMO_FAULT_KILL_DESTINATION,
	DEMO_FAULT_KILL_HOLDER
} demo_fault;

typedef struct demo_options {
	const char *command;
	const char *address;   /* --listen or --connect */
	const char *directory; /* for disks, bundles and output; NULL: a temporary one */
	const char *specs;     /* where the sample config.json files are */
	const char *report;    /* file that gets the outcome as JSON; NULL: none */
	const char *port_file; /* file that gets the port, once somebody can connect; NULL: none */
	unsigned containers;   /* workload containers */
	unsigned memory_mb;
	unsigned bandwidth_mb; /* a second */
	unsigned wait_seconds; /* for the peer */
	unsigned run_ms;       /* how long the pod runs before it is moved, and after */
	demo_fault fault;
	bool progress;
	bool keep; /* the directory */
	bool verbose;
} demo_options;

/* options.c: false after having said what is wrong. */
bool demo_parse_options(int argc, char **argv, demo_options *ret_options, int *ret_exit);

/* ---- control.c: the connection between the halves ---- */

typedef enum demo_message {
	DEMO_HELLO = 1,
	DEMO_ENVELOPE,
	DEMO_PLACES,
	DEMO_READY,
	DEMO_ARRIVED,
	DEMO_TOKEN,
	DEMO_RUNNING,
	DEMO_GIVEN_BACK,
	DEMO_STOPPED,
	DEMO_FAILED
} demo_message;

#define DEMO_GREETING_SIZE 8
#define DEMO_GREETING_CONTROL "LCOWCTL1"
#define DEMO_GREETING_MEMORY "LCOWMEM1"
#define DEMO_GREETING_QUESTION "LCOWASK1" /* is the one still there that was given the sandbox? Answered with one byte */

typedef struct demo_control demo_control;

/* Sockets; -1 or NULL after a failure, which is described in `reason` of `size` bytes. Greetings are sent and checked here. */
int demo_listen(const char *address, char *reason, size_t size, unsigned *ret_port);
int demo_connect(const char *address, const char *greeting, char *reason, size_t size);
/* Waits for a connection with this greeting; others are hung up on. Gives up when `control` (may be NULL) is lost. */
int demo_accept(mock_loop *loop, int listener, const char *greeting, const demo_control *control, uint64_t timeout, char *reason,
		size_t size);

typedef enum demo_peer { DEMO_PEER_ALIVE, DEMO_PEER_DEAD, DEMO_PEER_UNKNOWN } demo_peer;
/* Asks a destination that has gone silent. Dead is only who is known to be: its port refuses. Waits a few seconds at most. */
demo_peer demo_ask(const char *address, char *reason, size_t size);
/* Answers such questions from the loop, until the watch is freed. */
mock_watch *demo_answer_questions(mock_loop *loop, const int *listener);

/* Takes the descriptor over. */
demo_control *demo_control_new(mock_loop *loop, int fd);
void demo_control_free(demo_control *control);
void demo_control_send(demo_control *control, demo_message type, const void *data, size_t size);
void demo_control_send_json(demo_control *control, demo_message type, cJSON *json); /* frees it */
/* Everything has left this process. */
void demo_control_flush(demo_control *control);
bool demo_control_is_lost(const demo_control *control);
/* The next message, if one is here: its type, and the bytes until the next call. 0: none. */
int demo_control_next(demo_control *control, const uint8_t **ret_data, size_t *ret_size);

/* ---- pod.c: what is inside the sandbox, and where it lies on a host ---- */

typedef struct demo_place {
	char *id;   /* of the container */
	char *spec; /* its config.json */
	char *bundle;
	char *stdout_path;
	char *scratch;
	bool is_sandbox;
} demo_place;

typedef struct demo_pod {
	char *directory;
	char *layers; /* one disk, two partitions, shared by all containers */
	char namespace_id[LCOWMIG_GUID_TEXT_SIZE];
	char *endpoints;
	demo_place *places; /* the sandbox container first */
	unsigned n_places;
} demo_pod;

/* What the machine boots from. Every host has it there, so it is the one disk that keeps its path. */
#define DEMO_BOOT_DISK "/opt/lcow/rootfs.vhd"

/* Makes directories and disks for a pod of 1 + n containers whose ids have the given suffix. NULL after having said why. */
demo_pod *demo_pod_new(const demo_options *options, const char *half, unsigned n_workloads);
void demo_pod_free(demo_pod *pod, bool keep);
/* The compute system's document, to be freed. */
char *demo_pod_document(unsigned memory_mb);
/* The rootfs mount of a container; `ret_options` holds two texts that must be freed. */
void demo_pod_rootfs(const demo_pod *pod, const demo_place *place, char *ret_options[2], lcowmig_rootfs_mount *ret_mount);

/* ---- half.c: what both halves do ---- */

typedef struct demo_wait {
	bool is_over;
	lcowmig_status status;
	lcowmig_error error;
} demo_wait;

typedef struct demo_step {
	char name[48];
	int64_t at; /* nanoseconds since 1970 UTC */
} demo_step;

typedef struct demo_half {
	const demo_options *options;
	const char *name; /* "source" or "destination" */
	mock_loop *loop;
	mock_host *host;
	lcowmig_sandbox *sandbox;
	lcowmig_migration *migration;
	demo_control *control;
	demo_pod *pod;
	char session[LCOWMIG_GUID_TEXT_SIZE];
	demo_step *steps;
	size_t n_steps;
	cJSON *exits; /* task exits that were announced here */
} demo_half;

/* Says one line: "source: …". */
void demo_say(const demo_half *half, const char *format, ...);
bool demo_half_init(demo_half *half, const demo_options *options, const char *name, const char *sandbox_id, const mock_faults *faults);
/* Ends the machine if there is one, and frees everything. */
void demo_half_done(demo_half *half);
/* Calls that may pend: lcowmig_…(…, demo_done, demo_begin(&wait), &wait.error), then demo_end with what was returned. */
void demo_done(void *user, lcowmig_status status, const lcowmig_error *error);
demo_wait *demo_begin(demo_wait *wait);
/* Runs the loop until it is over. True on success; else `wait->error` says what. */
bool demo_end(demo_half *half, demo_wait *wait, lcowmig_status status);
void demo_run(demo_half *half, unsigned milliseconds);
/* Waits for a message; other than the wanted one, or none: 0 and a sentence in `reason`. DEMO_FAILED counts as one. */
int demo_expect(demo_half *half, int wanted, int or_else, uint64_t timeout, cJSON **ret_json, char *reason, size_t size);
void demo_fail_peer(demo_half *half, const char *reason);
/* Subscribes to the session's steps and phases. */
void demo_watch_session(demo_half *half);
/* Runs until the transfer has ended on this side; true when it completed. The reason of a failure is in `reason`. */
bool demo_await_transfer(demo_half *half, char *reason, size_t size);
bool demo_finalize(demo_half *half, lcowmig_finalize_action action, const char *token, const char *force, char *reason, size_t size);
/* Bytes as text and back; to be freed. */
char *demo_to_hex(const uint8_t *bytes, size_t size);
uint8_t *demo_from_hex(const char *text, size_t *ret_size);
/* The right to run the sandbox in hex, to be freed; NULL when it cannot be given away. */
char *demo_release(demo_half *half, char *reason, size_t size);
/* The sandbox runs here: its counters rise. Writes the report. */
bool demo_prove_alive(demo_half *half);

/* manage.c: a container can be ended and deleted here. No session may be active. */
bool demo_prove_manageable(demo_half *half);

/* source.c, destination.c, run.c; the exit code. */
int demo_source(const demo_options *options);
int demo_destination(const demo_options *options);
int demo_both(const demo_options *options, const char *program);

/* ---- report.c ---- */

/* What can be seen of the sandbox here: containers, disks, NICs. */
cJSON *demo_describe(const demo_half *half);
cJSON *demo_timeline(const demo_half *half);
void demo_print_timeline(const char *name, const cJSON *timeline);
/* The table of what was sent and what arrived; returns how much is missing. */
unsigned demo_print_arrival(const demo_half *half, const cJSON *before, const cJSON *after);
void demo_write_report(const demo_half *half, bool runs, unsigned n_lost, const cJSON *state);
void demo_show_progress(demo_half *half, const mock_transfer_progress *progress);
/* "counter 1 … counter n" without gap or repeat, over the files in order; the last number, or 0 with a reason. */
unsigned long demo_check_output(const char *const *paths, size_t n_paths, unsigned long first, char *reason, size_t size);

#endif
