/*
 * A host that costs next to nothing, so that what is measured is the library: every call ends at once, except the guest's while they are
 * held. Then light_host_round_trip() answers, in order, everything that was there when it began, which is one millisecond of the guest's.
 */
#ifndef BENCH_LIGHT_H
#define BENCH_LIGHT_H

#include "bench.h"
#include "lcowmig/lcowmig.h"

typedef struct light_call {
	lcowmig_call *call;
	const char *answer; /* NULL: it waits for a process's end */
} light_call;

typedef struct light_host {
	bench_memory memory;
	uint64_t now;
	lcowmig_context *context;
	lcowmig_sandbox *sandbox;
	lcowmig_migration *migration;
	lcowmig_hcs_ops hcs;
	lcowmig_guest_ops guest;
	lcowmig_network_ops network;
	lcowmig_stdio_ops stdio;
	lcowmig_socket_ops socket;
	lcowmig_event_ops events;
	bool holds;
	light_call *held;
	size_t n_held;
	size_t held_capacity;
	int64_t next_id;
	uint32_t next_port;
	bool is_connected;
	unsigned long calls;
} light_host;

/* A context and an empty sandbox. */
light_host *light_host_new(void);
/* Ends the machine, answers every wait, frees everything; stops the program when something is left. */
void light_host_free(light_host *host);
void light_host_round_trip(light_host *host);

typedef struct light_done {
	int calls;
	lcowmig_status status;
	char message[LCOWMIG_ERROR_MESSAGE_SIZE];
} light_done;
void light_on_done(void *user, lcowmig_status status, const lcowmig_error *error);

#endif
