/*
 * A migration in which one thing goes wrong: the 1st, 2nd, 3rd … host call of a side, or its 1st, 2nd, 3rd … allocation. The step that
 * meets it is repeated; a session that is Failed is rolled back and the migration tried again. The invariants hold all the way, and it ends
 * well.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariants.h"
#include "world.h"

#define OK(call) ck_assert_msg((call) == LCOWMIG_OK, "%s: %s", #call, world->error.message)

/* Both sides leave their session; the source runs on, and a new destination is there. */
static void start_again(test_world *world)
{
	if (world_state(&world->source) != LCOWMIG_MIGRATION_IDLE) {
		if (world_state(&world->source) != LCOWMIG_MIGRATION_TRANSFER_COMPLETED)
			OK(world_cancel(world, &world->source));
		OK(world_finalize(world, &world->source, LCOWMIG_FINALIZE_RESUME));
		OK(world_cleanup(world, &world->source));
	}
	world_new_destination(world);
}

/* The steps that need both sides are done side by side; the one that is done already is left alone when the step is repeated. */
static lcowmig_status step_again(test_world *world, world_point point)
{
	lcowmig_status status = LCOWMIG_OK;

	if (point == WORLD_CONNECTED) {
		if (!world->source.m->socket)
			status = world_register(world, &world->source);
		if (status == LCOWMIG_OK && !world->destination.m->socket)
			status = world_register(world, &world->destination);
		return status;
	}
	if (point == WORLD_CLEAN && world_state(&world->source) == LCOWMIG_MIGRATION_IDLE)
		return world_cleanup(world, &world->destination);
	return world_step(world, point);
}

/* Runs the migration to its end. */
static void run_with_fault(test_world *world)
{
	bool had_fault = false;
	int point = WORLD_PREPARED;

	while (point <= WORLD_CLEAN) {
		lcowmig_status status = step_again(world, (world_point)point);

		/* Time passes between the steps: what runs in the background and met the fault tries again. */
		test_host_advance(world->source.host, 1000000000);
		test_host_advance(world->destination.host, 1000000000);
		world_pump(world);
		if (status == LCOWMIG_OK) {
			point++;
			continue;
		}
		ck_assert_msg(!had_fault || point <= WORLD_TRANSFERRED, "step %d fails again: %s", point, world->error.message);
		had_fault = true;
		status = step_again(world, (world_point)point);
		if (status == LCOWMIG_OK) {
			point++;
			continue;
		}
		ck_assert_msg(world_state(&world->source) == LCOWMIG_MIGRATION_FAILED ||
				      world_state(&world->destination) == LCOWMIG_MIGRATION_FAILED,
			      "step %d cannot be repeated: %s", point, world->error.message);
		start_again(world);
		point = WORLD_PREPARED;
	}
	ck_assert_str_eq(lcowmig__vm_state_name(world->destination.sandbox->vm), "Running");
	ck_assert_str_eq(lcowmig__vm_state_name(world->source.sandbox->vm), "Terminated");
}

static void check_calls(bool on_destination, unsigned n_pods, unsigned n_containers, bool is_slow)
{
	unsigned nth;
	bool was_met = true;

	for (nth = 1; was_met; nth++) {
		test_world *world = world_new(n_pods, n_containers);
		test_side *side = on_destination ? &world->destination : &world->source;
		test_host *host = side->host;

		if (is_slow)
			world_set_slow(world);
		test_host_fail(host, "*", nth, LCOWMIG_E_HOST_FAILED, 0x80004005, "the one that fails");
		run_with_fault(world);
		was_met = nth < 400 && (side->host != host || test_host_count(host, "") >= nth);
		world_free(world);
	}
	ck_assert_uint_gt(nth, 10);
}

static const struct shape {
	unsigned n_pods, n_containers;
	bool is_slow;
} shapes[] = { { 0, 0, false }, { 1, 2, false }, { 2, 2, false }, { 1, 2, true } };
#define N_SHAPES 4

/* 11.9 and "a migration that can go wrong anywhere": every host call of either side. */
START_TEST(test_migration_survives_any_failing_host_call)
{
	const struct shape *shape = &shapes[_i / 2];

	check_calls(_i % 2, shape->n_pods, shape->n_containers, shape->is_slow);
}
END_TEST

/* Running out of memory anywhere changes nothing, or fails the session in a way that can be undone. */
START_TEST(test_migration_survives_any_failing_allocation)
{
	const struct shape *shape = &shapes[_i / 2];
	bool was_met = true;
	unsigned nth;

	for (nth = 1; was_met; nth++) {
		test_world *world = world_new(shape->n_pods, shape->n_containers);
		test_side *side = _i % 2 ? &world->destination : &world->source;
		test_host *host = side->host;
		unsigned before = test_host_allocations(host);

		if (shape->is_slow)
			world_set_slow(world);
		if (getenv("TEST_HOST_LOG"))
			fprintf(stderr, "=== allocation %u\n", nth);
		test_host_fail_allocation(host, nth, false);
		run_with_fault(world);
		was_met = side->host != host || test_host_allocations(host) - before >= nth;
		if (side->host == host)
			test_host_fail_allocation(host, 0, false);
		world_free(world);
	}
	ck_assert_uint_gt(nth, 50);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("faults");
	TCase *faults = tcase_create("faults");
	SRunner *runner;
	int failed;

	tcase_set_timeout(faults, 300);
	tcase_add_loop_test(faults, test_migration_survives_any_failing_host_call, 0, 2 * N_SHAPES);
	tcase_add_loop_test(faults, test_migration_survives_any_failing_allocation, 0, 2 * N_SHAPES);
	suite_add_tcase(suite, faults);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
