/*
 * A host whose hypervisor is QEMU: everything a program gives to the library to run one sandbox, in one object. HCS's calls become QMP
 * commands, QEMU's events become HCS's, the guest is reached through mux.h, stdio goes to files, and network cards are wired to wire.h.
 */
#ifndef QEMU_HOST_H
#define QEMU_HOST_H

#include <stdio.h>

#include <lcowmig/lcowmig.h>

#include "loop.h"

typedef struct qemu_host qemu_host;

/* Points of a migration at which somebody may want to interfere; all are told from the loop. */
typedef enum qemu_phase {
	QEMU_PHASE_SETUP,     /* the memory connection is up */
	QEMU_PHASE_TRANSFER,  /* the first pass over memory has begun */
	QEMU_PHASE_BLACKOUT,  /* the source's guest stands still, nothing is decided yet */
	QEMU_PHASE_SWITCHOVER, /* the last of it is on its way: from here on the source does not know how it ends */
	QEMU_PHASE_MOVED,     /* all of it has arrived (destination), or been sent (source) */
	QEMU_PHASE_RUNS       /* the processors run, from now or again: never on two hosts */
} qemu_phase;

/* The figures of a migration as QEMU counts them. */
typedef struct qemu_figures {
	int64_t stopped_at;   /* microseconds since 1970 UTC; 0: not yet */
	int64_t moved_at;     /* the whole of it was sent, or had arrived */
	int64_t resumed_at;
	uint64_t downtime_ms; /* what the source's QEMU says: from stop to the last byte */
	uint64_t total_ms;
	uint64_t bytes;
} qemu_figures;

typedef struct qemu_host_config {
	const char *name;       /* of this host, for the log */
	const char *sandbox_id; /* NULL: the import names it */
	const char *console;    /* file that gets what the guest's kernel prints; with ".qemu" added, what QEMU does */
	bool use_kvm;
	uint32_t log_level;     /* an lcowmig_log_level */
	FILE *log;              /* gets the library's lines; borrowed */
	void *user;
	void (*event)(void *user, const lcowmig_event *event);               /* each of these may be NULL */
	void (*phase)(void *user, qemu_phase phase);
	void (*guest_log)(void *user, const uint8_t *bytes, size_t size);
	void (*datagram)(void *user, const uint8_t *bytes, size_t size);     /* that a container has sent to its gateway */
} qemu_host_config;

/* NULL when the library refuses; `error` says why. Config and its texts are copied. */
qemu_host *qemu_host_new(mock_loop *loop, const qemu_host_config *config, lcowmig_error *error);
/* The sandbox must be in a state in which it can be freed; else the host stays and the library's reason is in `error`. */
bool qemu_host_free(qemu_host *host, lcowmig_error *error);

lcowmig_context *qemu_host_context(qemu_host *host);
lcowmig_sandbox *qemu_host_sandbox(qemu_host *host);

/*
 * Where the source is, for its destination: QEMU does not tell a destination when its source stopped, as Hyper-V does. NULL: unknown. The
 * other host must outlive this one or be replaced here.
 */
void qemu_host_set_peer(qemu_host *host, const qemu_host *peer);
const qemu_figures *qemu_host_figures(const qemu_host *host);

/* True while a QEMU process is there; and while its processors run. False for NULL. */
bool qemu_host_has_machine(const qemu_host *host);
bool qemu_host_runs(const qemu_host *host);
/* kill -9. */
void qemu_host_kill(qemu_host *host);

/* The endpoints of a network namespace on this host: a JSON array of HostComputeEndpoint, copied. */
void qemu_host_set_endpoints(qemu_host *host, const char *namespace_id, const char *endpoints);

#endif
