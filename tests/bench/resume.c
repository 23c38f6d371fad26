/*
 * A destination's finalize(RESUME) against a simulated guest that answers every request after 1 ms and holds an exit probe for 50 ms. Time is
 * simulated, so the figures are exact: they count sequential round trips, not instructions.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "host.h"

#define ANSWER_NS UINT64_C(1000000)
#define SESSION "bench"

static void must(lcowmig_status status, const lcowmig_error *error)
{
	if (status == LCOWMIG_OK)
		return;
	fprintf(stderr, "bench: %s: %s\n", lcowmig_status_name(status), error->message);
	exit(1);
}

static void patch_all(lcowmig_migration *migration, const lcowmig__wire_pod *pod, lcowmig_error *error)
{
	size_t i;

	for (i = 0; i < pod->n_containers; i++) {
		lcowmig_patch patch = { sizeof patch };

		patch.source_container_id = patch.container_id = pod->containers[i].container_id;
		patch.bundle = "C:\\bundle";
		patch.stdout_path = "\\\\.\\pipe\\out";
		patch.stderr_path = "\\\\.\\pipe\\err";
		patch.namespace_id = i + 1 == pod->n_containers ? "0c7a0b1e-7e6b-4c39-a2a1-6b2f4b9f0d11" : NULL;
		must(lcowmig_migration_patch(migration, &patch, NULL, NULL, error), error);
	}
}

/* Everything up to the finalize, on a host that answers at once. */
static void receive(test_host *host, lcowmig_sandbox *sandbox, const lcowmig__wire_sandbox *wire)
{
	lcowmig_migration *migration = lcowmig_sandbox_migration(sandbox);
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__buf envelope;

	lcowmig__buf_init(&envelope, &host->context->mem);
	must(lcowmig__wire_encode_sandbox(&envelope, wire, &error), &error);
	options.session_id = SESSION;
	options.sandbox_id = "bench";
	options.envelope = (const uint8_t *)envelope.data;
	options.envelope_size = envelope.size;
	must(lcowmig_migration_import(migration, &options, &error), &error);
	lcowmig__buf_done(&envelope);
	patch_all(migration, &wire->pods[0], &error);
	must(lcowmig_migration_prepare_destination(migration, SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED, NULL, NULL, &error), &error);
	must(lcowmig_migration_register_socket(migration, SESSION, (const uint8_t *)"socket", 6, NULL, NULL, &error), &error);
	must(lcowmig_migration_transfer(migration, SESSION, NULL, &error), &error);
}

/* The requests that the guest answers after 1 ms; a wait stays outstanding. */
static const char *const held[] = { "guest.connect", "guest.rpc:10100a01", "guest.rpc:10100901", "guest.rpc:10100101" };

/* One millisecond passes: the guest answers what was there when it began. Returns how many answers that were. */
static unsigned round_trip(test_host *host)
{
	unsigned waiting[LCOWMIG__COUNT(held)];
	unsigned answered = 0;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(held); i++)
		waiting[i] = test_host_pending(host, held[i]);
	test_host_advance(host, ANSWER_NS);
	for (i = 0; i < LCOWMIG__COUNT(held); i++)
		for (; waiting[i]; waiting[i]--, answered++)
			test_host_complete(host, held[i], LCOWMIG_OK, 0,
			                   i ? NULL : "{\"RuntimeOsType\":\"Linux\",\"GuestDefinedCapabilities\":{\"NamespaceAddRequestSupported\":true,"
			                              "\"SignalProcessSupported\":true,\"DeleteContainerStateSupported\":true}}");
	return answered;
}

void bench_resume(unsigned n)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	test_host *host = test_host_new();
	lcowmig_sandbox *sandbox = NULL;
	lcowmig__wire_sandbox wire;
	lcowmig__arena model;
	unsigned rounds = 0;
	test_done done = { 0 };
	lcowmig_status status;
	double start;
	size_t i;

	lcowmig__arena_init(&model, &host->context->mem, 0);
	bench_sandbox(&model, n, &wire);
	host->config.id = NULL;
	must(lcowmig_sandbox_new(host->context, &host->config, &sandbox, &error), &error);
	receive(host, sandbox, &wire);
	for (i = 0; i < LCOWMIG__COUNT(held); i++)
		test_host_hold(host, held[i], true);
	options.action = LCOWMIG_FINALIZE_RESUME;
	options.flags = LCOWMIG_FINALIZE_FORCE;
	options.reason = "bench";
	start = bench_seconds();
	status = lcowmig_migration_finalize(lcowmig_sandbox_migration(sandbox), SESSION, &options, test_on_done, &done, &error);
	while (status == LCOWMIG_PENDING && !done.calls && rounds < 10000) {
		round_trip(host);
		rounds++;
	}
	if (!done.calls || done.status != LCOWMIG_OK) {
		fprintf(stderr, "bench: resume of %u containers: %s %s\n", n, lcowmig_status_name(done.calls ? done.status : status),
		        done.calls ? done.message : error.message);
		exit(1);
	}
	bench_print("resume, sequential round trips", n, rounds, "round trips");
	bench_print("resume, simulated time", n, rounds * (double)ANSWER_NS / 1e6, "ms");
	bench_print("resume, processor time", n, (bench_seconds() - start) * 1e3, "ms");
	lcowmig__arena_done(&model);
	/* The host is left to the end of the program: this measures, it does not test. */
}
