/* A sandbox with everything in it, memory that can run out, and shorthands that fail the test by themselves. */
#ifndef WIRE_FIXTURE_H
#define WIRE_FIXTURE_H

#include <check.h>

#include "wire/wire.h"

/* Memory for tests: counts what is alive; allocation number `fail_at` (from 1) fails, 0: none. */
typedef struct wire_memory {
	lcowmig__mem mem;
	long alive;
	unsigned long made;
	unsigned long fail_at;
	size_t largest;
} wire_memory;

void wire_memory_init(wire_memory *memory);

/*
 * Two pods: "pod-a" with a sandbox container without layers and "web" with two read-only layers, a scratch and a further disk; "pod-b"
 * with "db", which shares a layer disk with "web". All parts may be changed; each call gives an equal one.
 */
typedef struct wire_sample {
	lcowmig__wire_sandbox sandbox;
	lcowmig__wire_pod pods[2];
	lcowmig__wire_container containers[3]; /* pod-a, web; db */
	lcowmig__wire_process processes[3];
	lcowmig__wire_layer layers[3]; /* two of web, one of db */
	lcowmig_guid further[1];
	lcowmig__wire_endpoint endpoints[3]; /* two of pod-a, one of pod-b */
	lcowmig__wire_disk disks[6];
	lcowmig__wire_mount mounts[6];
	const char *options[2];
	lcowmig__wire_reservation reservations[7];
} wire_sample;

void wire_sample_init(wire_sample *sample);
/* The sandbox with nothing but a VM. */
void wire_sample_minimal(lcowmig__wire_sandbox *sandbox);
lcowmig_guid wire_guid(unsigned number);

/* Any of the seven payloads, by its table. */
typedef struct wire_payload {
	const char *name;
	const struct lcowmig__wire_message *message;
	size_t size; /* of the struct */
	bool strict; /* decoded as a sandbox is */
} wire_payload;

extern const wire_payload wire_payloads[7]; /* sandbox, vm, pod, container, process, network, scsi */
lcowmig_status wire_decode(const wire_payload *payload, lcowmig__arena *arena, const lcowmig_limits *limits, const void *data, size_t size,
			   void *ret_target, lcowmig_error *error);
lcowmig_status wire_encode(const wire_payload *payload, lcowmig__buf *buf, const void *source, lcowmig_error *error);
/* The part of the sample that `payload` describes. */
const void *wire_sample_part(const wire_sample *sample, const wire_payload *payload);

/* A struct large enough for each payload. */
typedef union wire_any_struct {
	lcowmig__wire_sandbox sandbox;
	lcowmig__wire_vm vm;
	lcowmig__wire_pod pod;
	lcowmig__wire_container container;
	lcowmig__wire_process process;
	lcowmig__wire_network network;
	lcowmig__wire_scsi scsi;
} wire_any_struct;

/* Encodes, or fails the test. The buffer is initialised here. */
void wire_must_encode(const wire_payload *payload, const void *source, lcowmig__buf *ret_buf);
/* Decodes `data` and encodes the result: that must give `expected`. */
void wire_must_give(const wire_payload *payload, const void *data, size_t size, const lcowmig__buf *expected, const char *what);
/* Decoding must fail with this status and a sentence that starts with `path` and a colon. The limits may be NULL. */
void wire_must_refuse(const wire_payload *payload, const lcowmig_limits *limits, const void *data, size_t size, lcowmig_status status,
		      const char *path);
/* The same for the sandbox of a sample. */
void wire_must_refuse_sample(const wire_sample *sample, lcowmig_status status, const char *path);

/* Runs a suite and returns what main returns. */
int wire_main(Suite *suite);

#endif
