/*
 * Every order of calls: all states of the model that can be reached in so many steps, each with every action that makes sense in it, and
 * from each what an orchestrator does that was restarted, has lost contact with one side, or hears that one side is gone for good.
 *
 * The two sides hardly know of each other, so the states of both together are as many as the products of each. That is why there are
 * several explorations: each side alone, in every way and as far as it goes; both with hosts that do what they are asked; and both in every
 * way, from the beginning and from each point of a migration.
 *
 *     MODEL_DEPTH     how many steps from where it begins, instead of each exploration's own
 *     MODEL_ONLY      the number of the one exploration to run
 *     MODEL_STATES    how many states there is room for (default 2 million)
 *     MODEL_MERGES    of so many ways that lead to a state which is known already, one is tried (default 50)
 *     MODEL_WORKERS   how many processes share the work (default 2)
 */
#define _DEFAULT_SOURCE /* setenv, clock_gettime */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rows.h"
#include "space.h"

static const exploration explorations[] = {
	{ "the source alone", FROM_THE_BEGINNING, true, false, true, 9, 1 },
	{ "the source alone, two sessions", FROM_THE_BEGINNING, true, false, false, 40, 2 },
	{ "the destination alone, imported", WORLD_EXPORTED, false, true, true, 12, 1 },
	{ "the destination alone, transferred", WORLD_TRANSFERRED, false, true, true, 20, 1 },
	{ "both, willing hosts", FROM_THE_BEGINNING, true, true, false, 10, 2 },
	{ "both, from the beginning", FROM_THE_BEGINNING, true, true, true, 9, 2 },
	{ "both, patched", WORLD_PATCHED, true, true, true, 4, 2 },
	{ "both, connected", WORLD_CONNECTED, true, true, true, 4, 2 },
	{ "both, transferred", WORLD_TRANSFERRED, true, true, true, 4, 2 },
	{ "both, released", WORLD_RELEASED, true, true, true, 4, 2 },
	{ "both, resumed", WORLD_RESUMED, true, true, true, 4, 2 },
};
#define N_EXPLORATIONS (sizeof explorations / sizeof explorations[0])

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* whatever the order. */
START_TEST(test_every_order_of_calls)
{
	exploration what = explorations[_i];
	space_report report;
	double start = now();
	unsigned d;

	if (trace_number("MODEL_ONLY", (uint64_t)_i) != (uint64_t)_i)
		return;
	what.depth = (unsigned)trace_number("MODEL_DEPTH", what.depth);
	space_explore(&what, (unsigned)_i * 4, &report);
	printf("%-35s %7zu states, %8zu transitions (%7zu to another state), %s %2u, %7zu recoveries, %5zu merges tried, %5.1f s\n",
	       what.name, report.states, report.transitions, report.changes, report.is_all ? "all of it, depth" : "complete to depth",
	       report.depth, report.probes, report.merges_tried, now() - start);
	printf("   ");
	for (d = 0; d <= report.depth; d++)
		printf(" %zu", report.layers[d]);
	printf("\n");
	fflush(stdout);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explore");
	TCase *tcase = tcase_create("explore");
	SRunner *runner;
	int failed;

	rows_begin();
	trace_begin();
	setenv("TEST_HOST_QUIET", "1", 0);
	tcase_set_timeout(tcase, 0);
	tcase_add_loop_test(tcase, test_every_order_of_calls, 0, N_EXPLORATIONS);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	if (failed)
		trace_print();
	rows_print(false);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
