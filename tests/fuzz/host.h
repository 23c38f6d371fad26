/* A host for fuzzing: every call succeeds at once, with nothing kept but what must be closed; waits end when the machine does. */
#ifndef FUZZ_HOST_H
#define FUZZ_HOST_H

#include <stdint.h>
#include <stdlib.h>

#include "lcowmig/lcowmig.h"

#define FUZZ_SESSION "5f0b1190-63be-4e0c-b974-bd0f55675a42"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)               \
	do {                             \
		if (!(condition))        \
			abort();         \
	} while (0)

typedef struct fuzz_host {
	lcowmig_context *context;
	lcowmig_sandbox *sandbox;
	lcowmig_vm *vm;
	lcowmig_migration *m;
	/* What the host and the guest answer instead of the usual; NUL-terminated. */
	const char *endpoints;
	const char *answer;
	const char *properties;
	uint64_t now;
	int64_t next_id;
	lcowmig_call *waits[64];
	size_t n_waits;
	unsigned open; /* handles */
	unsigned pending; /* operations */
	unsigned subscriptions;
	bool is_connected;
	bool has_exited;
} fuzz_host;

/* `id` NULL: an empty sandbox, to import into. */
void fuzz_host_new(fuzz_host *host, const char *id);
/* Winds down whatever state things are in; everything is freed, nothing is open. */
void fuzz_host_free(fuzz_host *host);
/* A running machine with a pod "pod" whose network is not set up. */
void fuzz_host_boot(fuzz_host *host);

/* For operations: counts those under way. */
void fuzz_on_done(void *user, lcowmig_status status, const lcowmig_error *error);
lcowmig_status fuzz_begun(fuzz_host *host, lcowmig_status status);

/* A NUL-terminated copy in a block of exactly that size; the caller's. */
char *fuzz_text(const uint8_t *data, size_t size);

#endif
