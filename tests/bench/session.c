/*
 * The session as a host sees it: import, patch, resume and export of n containers on a host that costs next to nothing. The guest answers
 * every request after 1 ms and holds waits, in simulated time: how many round trips there are is exact.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "light.h"

#define SESSION "bench"
#define SECONDS 0.2

static void must(lcowmig_status status, const lcowmig_error *error)
{
	if (status == LCOWMIG_OK)
		return;
	fprintf(stderr, "bench: %s: %s\n", lcowmig_status_name(status), error->message);
	exit(1);
}

typedef struct session_input {
	bench_memory memory;
	lcowmig__arena model;
	lcowmig__wire_sandbox wire;
	lcowmig__buf envelope;
} session_input;

static void session_input_init(session_input *input, unsigned n)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	bench_memory_init(&input->memory);
	lcowmig__arena_init(&input->model, &input->memory.mem, 0);
	bench_sandbox(&input->model, n, &input->wire);
	lcowmig__buf_init(&input->envelope, &input->memory.mem);
	must(lcowmig__wire_encode_sandbox(&input->envelope, &input->wire, &error), &error);
}

static void session_input_done(session_input *input)
{
	lcowmig__buf_done(&input->envelope);
	lcowmig__arena_done(&input->model);
}

static BENCH_PART double session_import(light_host *host, const session_input *input)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	double start;

	options.session_id = SESSION;
	options.sandbox_id = "bench";
	options.envelope = (const uint8_t *)input->envelope.data;
	options.envelope_size = input->envelope.size;
	start = bench_seconds();
	must(lcowmig_migration_import(host->migration, &options, &error), &error);
	return bench_seconds() - start;
}

static BENCH_PART double session_patch(light_host *host, const session_input *input)
{
	const lcowmig__wire_pod *pod = &input->wire.pods[0];
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	double start = bench_seconds();
	size_t i;

	for (i = 0; i < pod->n_containers; i++) {
		lcowmig_patch patch = { sizeof patch };

		patch.source_container_id = patch.container_id = pod->containers[i].container_id;
		patch.bundle = "C:\\bundle";
		patch.stdout_path = "\\\\.\\pipe\\out";
		patch.stderr_path = "\\\\.\\pipe\\err";
		patch.namespace_id = i + 1 == pod->n_containers ? "0c7a0b1e-7e6b-4c39-a2a1-6b2f4b9f0d11" : NULL;
		must(lcowmig_migration_patch(host->migration, &patch, NULL, NULL, &error), &error);
	}
	return bench_seconds() - start;
}

static void session_transfer(light_host *host)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	must(lcowmig_migration_prepare_destination(host->migration, SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED, NULL, NULL, &error), &error);
	must(lcowmig_migration_register_socket(host->migration, SESSION, (const uint8_t *)"socket", 6, NULL, NULL, &error), &error);
	must(lcowmig_migration_transfer(host->migration, SESSION, NULL, &error), &error);
}

/* Gives the seconds of processor time. */
static BENCH_PART double session_resume(light_host *host, unsigned *ret_round_trips)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	light_done done = { 0 };
	lcowmig_status status;
	unsigned rounds = 0;
	double start;

	host->holds = true;
	options.action = LCOWMIG_FINALIZE_RESUME;
	options.flags = LCOWMIG_FINALIZE_FORCE;
	options.reason = "bench";
	start = bench_seconds();
	status = lcowmig_migration_finalize(host->migration, SESSION, &options, light_on_done, &done, &error);
	for (; status == LCOWMIG_PENDING && !done.calls && rounds < 1000; rounds++)
		light_host_round_trip(host);
	start = bench_seconds() - start;
	host->holds = false;
	if (!done.calls || done.status != LCOWMIG_OK) {
		fprintf(stderr, "bench: resume: %s\n", done.calls ? done.message : error.message);
		exit(1);
	}
	must(lcowmig_migration_cleanup(host->migration, SESSION, &error), &error);
	*ret_round_trips = rounds;
	return start;
}

/* Of a sandbox that runs. It runs on afterwards. */
static BENCH_PART double session_export(light_host *host, unsigned long *ret_allocations, size_t *ret_peak)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	light_done done = { 0 };
	double start;

	must(lcowmig_migration_prepare_source(host->migration, SESSION, NULL, NULL, NULL, &error), &error);
	host->memory.allocations = 0;
	host->memory.peak = *ret_peak = host->memory.now;
	start = bench_seconds();
	must(lcowmig_migration_export(host->migration, SESSION, NULL, NULL, &error), &error);
	start = bench_seconds() - start;
	*ret_allocations = host->memory.allocations;
	*ret_peak = host->memory.peak - *ret_peak;
	if (lcowmig_migration_abandon(host->migration, SESSION, light_on_done, &done, &error) == LCOWMIG_PENDING && !done.calls) {
		fprintf(stderr, "bench: the export cannot be taken back\n");
		exit(1);
	}
	return start;
}

typedef struct session_figures {
	double import;
	double patch;
	double resume;
	double export;
	unsigned rounds;
} session_figures;

/* A whole life: imported, patched, resumed, exported. Returns the time of the slowest part for the caller to go on or stop. */
static void session_life(const session_input *input, unsigned n, session_figures *figures, bool prints)
{
	light_host *host = light_host_new();
	size_t before = host->memory.now, peak = 0;
	unsigned long allocations = 0;

	host->memory.allocations = 0;
	host->memory.peak = before;
	figures->import += session_import(host, input);
	if (prints) {
		bench_print("import allocations", n, (double)host->memory.allocations, "allocations");
		bench_print("import peak heap per input byte", n, (double)(host->memory.peak - before) / (double)input->envelope.size, "bytes");
		bench_print("import live heap per container", n, (double)(host->memory.now - before) / n, "bytes");
	}
	figures->patch += session_patch(host, input);
	session_transfer(host);
	figures->resume += session_resume(host, &figures->rounds);
	if (prints)
		bench_print("running heap per container", n, (double)(host->memory.now - before) / n, "bytes");
	figures->export += session_export(host, &allocations, &peak);
	if (prints) {
		bench_print("export allocations", n, (double)allocations, "allocations");
		bench_print("export peak heap per output byte", n, (double)peak / (double)input->envelope.size, "bytes");
	}
	light_host_free(host);
}

void bench_session(unsigned n)
{
	session_figures figures = { 0 };
	double start = bench_seconds();
	session_input input;
	unsigned rounds = 0;
	double each;

	session_input_init(&input, n);
	do {
		session_life(&input, n, &figures, rounds == 0);
		rounds++;
	} while (bench_seconds() - start < SECONDS);
	each = 1e6 / (double)rounds / n;
	bench_print("import per container", n, figures.import * each, "us");
	bench_print("patch per container", n, figures.patch * each, "us");
	bench_print("resume per container", n, figures.resume * each, "us");
	bench_print("resume, sequential round trips", n, figures.rounds, "round trips");
	bench_print("export per container", n, figures.export * each, "us");
	session_input_done(&input);
}

void bench_session_once(unsigned n)
{
	session_figures figures = { 0 };
	session_input input;

	session_input_init(&input, n);
	session_life(&input, n, &figures, false);
	session_input_done(&input);
}
