#define _GNU_SOURCE
#include "bench.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void bench_print(const char *name, unsigned n, double value, const char *unit)
{
	printf("{\"name\":\"%s\",\"n\":%u,\"value\":%.6g,\"unit\":\"%s\"}\n", name, n, value, unit);
}

double bench_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void *bench_allocate(void *user, size_t size)
{
	bench_memory *memory = user;
	void *pointer = malloc(size);

	memory->allocations++;
	memory->now += malloc_usable_size(pointer);
	if (memory->now > memory->peak)
		memory->peak = memory->now;
	return pointer;
}

static void bench_release(void *user, void *pointer)
{
	((bench_memory *)user)->now -= malloc_usable_size(pointer);
	free(pointer);
}

void bench_memory_init(bench_memory *memory)
{
	memset(memory, 0, sizeof *memory);
	memory->mem = (lcowmig__mem){ bench_allocate, bench_release, memory };
}

static const unsigned sizes[] = { 1, 10, 100, 1000 };

/* bench --once PART N: one round of one part, for an instruction counter. */
static int run_once(const char *part, unsigned n)
{
	if (strcmp(part, "wire") == 0)
		bench_wire_once(n);
	else if (strcmp(part, "session") == 0)
		bench_session_once(n);
	else if (strcmp(part, "bridge") == 0)
		bench_bridge_once(n);
	else if (strcmp(part, "document") == 0)
		bench_document_once();
	else
		return 1;
	return 0;
}

/* bench --envelope N: that sandbox's envelope to standard output, for other implementations. */
static int write_envelope(unsigned n)
{
	lcowmig__wire_sandbox sandbox;
	lcowmig__buf envelope;
	lcowmig__arena model;
	bench_memory memory;
	bool is_written;

	bench_memory_init(&memory);
	lcowmig__arena_init(&model, &memory.mem, 0);
	bench_sandbox(&model, n, &sandbox);
	lcowmig__buf_init(&envelope, &memory.mem);
	is_written = lcowmig__wire_encode_sandbox(&envelope, &sandbox, NULL) == LCOWMIG_OK &&
		     fwrite(envelope.data, 1, envelope.size, stdout) == envelope.size;
	lcowmig__buf_done(&envelope);
	lcowmig__arena_done(&model);
	return is_written ? 0 : 1;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 3 && strcmp(argv[1], "--envelope") == 0)
		return write_envelope((unsigned)strtoul(argv[2], NULL, 10));

	if (argc == 4 && strcmp(argv[1], "--once") == 0)
		return run_once(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
	for (i = 0; i < LCOWMIG__COUNT(sizes); i++)
		bench_wire(sizes[i]);
	bench_document();
	for (i = 0; i < LCOWMIG__COUNT(sizes); i++)
		bench_session(sizes[i]);
	bench_bridge();
	return 0;
}
