#define _GNU_SOURCE
#include "bench.h"

#include <check.h>
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
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
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

/* The scripted host asserts with check, which wants to be inside a test. */
START_TEST(run_resume)
{
	bench_resume(sizes[_i]);
}
END_TEST

static int run_on_check(void)
{
	Suite *suite = suite_create("bench");
	TCase *resume = tcase_create("resume");
	SRunner *runner;
	int failed;

	tcase_set_timeout(resume, 0);
	tcase_add_loop_test(resume, run_resume, 0, (int)LCOWMIG__COUNT(sizes));
	suite_add_tcase(suite, resume);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}

int main(void)
{
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(sizes); i++)
		bench_wire(sizes[i]);
	bench_document();
	return run_on_check() ? 1 : 0;
}
