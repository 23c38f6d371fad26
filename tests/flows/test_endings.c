/*
 * What is left when one side ends, whatever ended it and whenever: a stop, a cancel, an abandoned session, a machine that died. Nothing
 * stays frozen, waits end, killing does nothing, and everything can be deleted although neither guest nor machine is there.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "invariants.h"
#include "world.h"

#define OK(call) ck_assert_msg((call) == LCOWMIG_OK, "%s: %s", #call, world->error.message)
#define STATE(side, expected) ck_assert_str_eq(lcowmig_migration_state_name(world_state(side)), lcowmig_migration_state_name(expected))
#define VM(side, expected) ck_assert_str_eq(lcowmig__vm_state_name((side)->sandbox->vm), expected)
#define SECOND UINT64_C(1000000000)
#define MAX_TASKS 8

static test_world *world;
static test_side *source;
static test_side *destination;
static test_done waits[MAX_TASKS];
static unsigned n_waits;

static const struct shape {
	unsigned n_pods, n_containers;
	bool is_slow;
} shapes[] = { { 1, 2, false }, { 2, 2, false }, { 2, 2, true } };
#define N_SHAPES 3

static void begin(int shape)
{
	world = world_new(shapes[shape].n_pods, shapes[shape].n_containers);
	source = &world->source;
	destination = &world->destination;
	if (shapes[shape].is_slow)
		world_set_slow(world);
}

/* Somebody waits for every container of a side. */
static void wait_for_all(test_side *side)
{
	lcowmig_container *container;
	lcowmig_pod *pod;

	memset(waits, 0, sizeof waits);
	n_waits = 0;
	for (pod = lcowmig__sandbox_next_pod(side->sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(side->sandbox, pod))
		for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
			ck_assert_int_eq(lcowmig_container_wait(container, test_on_done, &waits[n_waits++], &world->error),
					 LCOWMIG_PENDING);
}

static void expect_waits_over(void)
{
	unsigned i;

	for (i = 0; i < n_waits; i++) {
		ck_assert_int_eq(waits[i].calls, 1);
		ck_assert_int_eq(waits[i].status, LCOWMIG_OK);
	}
}

static void delete_container(test_side *side, lcowmig_pod *pod, lcowmig_container *container)
{
	char id[64];
	test_done done = { 0 };
	lcowmig_exit exit = LCOWMIG_EXIT_INIT;
	lcowmig_status status;

	strcpy(id, lcowmig__container_id(container));
	status = lcowmig_container_kill(container, NULL, 9, false, test_on_done, &done, &world->error);
	OK(world_settle(world, side, status, &done));
	memset(&done, 0, sizeof done);
	status = lcowmig_container_delete(container, NULL, &exit, test_on_done, &done, &world->error);
	OK(world_settle(world, side, status, &done));
	OK(lcowmig_pod_delete_container(pod, id, &world->error));
	ck_assert_ptr_null(lcowmig__sandbox_find(side->sandbox, id));
}

/* Kills, deletes and forgets everything; the host and the guest are not bothered. */
static void delete_all(test_side *side)
{
	lcowmig_container *container;
	test_done done;
	lcowmig_pod *pod;

	test_host_clear_log(side->host);
	while ((pod = lcowmig__sandbox_next_pod(side->sandbox, NULL)) != NULL) {
		ck_assert(!lcowmig__pod_is_migrating(pod));
		while ((container = lcowmig__pod_next(pod, NULL)) != NULL)
			delete_container(side, pod, container);
		memset(&done, 0, sizeof done);
		OK(world_settle(world, side, lcowmig_pod_teardown_network(pod, test_on_done, &done, &world->error), &done));
		OK(lcowmig_pod_delete(pod, &world->error));
	}
	ck_assert_msg(test_host_count(side->host, "guest.rpc") + test_host_count(side->host, "hcs.") == 0, "%s: asked\n%s", side->name,
		      test_host_log(side->host));
	ck_assert_uint_eq(side->sandbox->containers.count, 0);
}

static void free_without_exits(void)
{
	world->n_pods = 0; /* they were counted above */
	world_free(world);
}

typedef enum ending { BY_STOP, BY_CANCEL, BY_ABANDON, BY_DEATH, N_ENDINGS } ending;

static bool end_destination(ending how)
{
	lcowmig_migration_state state = world_state(destination);

	if (how == BY_STOP) {
		if (state != LCOWMIG_MIGRATION_TRANSFER_COMPLETED)
			return false;
		OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
	} else if (how == BY_CANCEL) {
		OK(world_cancel(world, destination));
		if (world->token_size)
			OK(world_release(world, destination)); /* the right goes back first */
		OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
	} else if (how == BY_ABANDON) {
		OK(world_abandon(world, destination));
	} else {
		if (!destination->sandbox->env.system)
			return false;
		world_kill_vm(world, destination);
	}
	return true;
}

/* from import to the released right, some containers patched and some not. */
START_TEST(test_a_destination_that_ends_leaves_containers_that_can_be_deleted)
{
	world_point point = (world_point)(WORLD_IMPORTED + _i / N_ENDINGS % (WORLD_RELEASED - WORLD_IMPORTED + 1));
	ending how = (ending)(_i % N_ENDINGS);
	unsigned n_tasks;

	begin(_i / N_ENDINGS / (WORLD_RELEASED - WORLD_IMPORTED + 1));
	n_tasks = world->n_pods * world->n_containers;
	OK(world_migrate_until(world, point));
	if (point == WORLD_IMPORTED)
		OK(world_patch(world, "p0-c1")); /* one of them only */
	wait_for_all(destination);
	if (!end_destination(how)) {
		world_free(world);
		return;
	}
	expect_waits_over();
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), n_tasks);
	ck_assert_uint_eq(test_host_count(destination->host, "event create"), 0);
	if (lcowmig_migration_session_id(destination->m)[0]) {
		if (how == BY_DEATH)
			OK(world_cancel(world, destination));
		if (how == BY_DEATH)
			OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
		OK(world_cleanup(world, destination));
	}
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), n_tasks);
	delete_all(destination);
	free_without_exits();
}
END_TEST

/* a source whose machine ends while everything is frozen, or that is stopped. */
START_TEST(test_a_source_that_ends_leaves_containers_that_can_be_deleted)
{
	world_point point = (world_point)(_i / 2 % WORLD_RESUMED);
	unsigned n_tasks;

	begin(_i / 2 / WORLD_RESUMED);
	n_tasks = world->n_pods * world->n_containers;
	OK(world_migrate_until(world, point));
	wait_for_all(source);
	if (_i % 2) {
		world_kill_vm(world, source);
	} else {
		if (world_state(source) != LCOWMIG_MIGRATION_TRANSFER_COMPLETED)
			OK(world_cancel(world, source));
		OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
	}
	VM(source, "Terminated");
	expect_waits_over();
	ck_assert_uint_eq(test_host_count(source->host, "event exit"), n_tasks);
	if (world_state(source) != LCOWMIG_MIGRATION_FINALIZED) {
		OK(world_cancel(world, source));
		OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
	}
	OK(world_cleanup(world, source));
	delete_all(source);
	free_without_exits();
}
END_TEST

/*
 * a machine whose exit is not reported is waited for with a bound, then terminated, waited for again, and closed. A host that does
 * not terminate it either makes the stop fail; it is not Terminated then, cannot resume any more, and the stop can be repeated.
 */
START_TEST(test_a_stop_waits_for_the_exit_with_a_bound)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	bool is_refused = _i / 2;
	test_done done = { 0 };
	test_side *side;
	unsigned i;

	begin(0);
	side = _i % 2 ? destination : source;
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	if (is_refused)
		test_host_fail(side->host, "hcs.terminate", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	options.action = LCOWMIG_FINALIZE_STOP;
	ck_assert_int_eq(lcowmig_migration_finalize(side->m, WORLD_SESSION, &options, test_on_done, &done, &world->error), LCOWMIG_PENDING);
	for (i = 0; i < 120 && !done.calls; i++) {
		ck_assert_str_ne(lcowmig__vm_state_name(side->sandbox->vm), "Terminated");
		test_host_advance(side->host, SECOND);
	}
	ck_assert_int_eq(done.calls, 1);
	ck_assert_uint_eq(test_host_count(side->host, "hcs.terminate"), 1);
	if (is_refused) {
		ck_assert_int_eq(done.status, LCOWMIG_E_HOST_FAILED);
		ck_assert_str_ne(lcowmig__vm_state_name(side->sandbox->vm), "Terminated");
		STATE(side, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
		ck_assert_int_eq(world_finalize(world, side, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
		OK(world_finalize(world, side, LCOWMIG_FINALIZE_STOP));
		ck_assert_uint_eq(test_host_count(side->host, "hcs.finalize_migration"), 1);
	} else {
		ck_assert_int_eq(done.status, LCOWMIG_OK);
		ck_assert_uint_eq(test_host_count(side->host, "hcs.close"), 1);
	}
	VM(side, "Terminated");
	STATE(side, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_uint_eq(test_host_count(side->host, "event exit"), world->n_pods * world->n_containers);
	OK(world_cleanup(world, side));
	world_free(world);
}
END_TEST

/* The platform may tell twice that a machine has exited; both machines may end. */
START_TEST(test_machines_that_end_on_both_sides_and_twice)
{
	test_side *order[2];
	size_t i;

	begin(_i / 2 % N_SHAPES);
	order[0] = _i % 2 ? destination : source;
	order[1] = _i % 2 ? source : destination;
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	for (i = 0; i < 2; i++) {
		world_kill_vm(world, order[i]);
		OK(lcowmig_sandbox_hcs_event(order[i]->sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, WORLD_EXITED, &world->error));
		ck_assert_uint_eq(test_host_count(order[i]->host, "event exit"), world->n_pods * world->n_containers);
		ck_assert_uint_eq(test_host_count(order[i]->host, "hcs.close"), 1);
	}
	for (i = 0; i < 2; i++) {
		OK(world_finalize(world, order[i], LCOWMIG_FINALIZE_STOP));
		OK(world_cleanup(world, order[i]));
		delete_all(order[i]);
	}
	free_without_exits();
}
END_TEST

/* deleted on the frozen source is nothing; after the rollback what ended while frozen can be deleted, and the rest goes on. */
START_TEST(test_what_ended_while_frozen_is_deleted_after_the_rollback)
{
	const lcowmig__index_entry *entry;
	test_done done = { 0 };

	begin(_i);
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	entry = lcowmig__sandbox_find(source->sandbox, "p0-c1");
	test_host_exit_process(source->host, lcowmig__process_pid(lcowmig__container_init(entry->container)), 3);
	ck_assert_int_eq(lcowmig_pod_delete_container(entry->pod, "p0-c1", &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
	OK(world_settle(world, source, lcowmig_container_delete(entry->container, NULL, NULL, test_on_done, &done, &world->error), &done));
	OK(lcowmig_pod_delete_container(entry->pod, "p0-c1", &world->error));
	world_new_destination(world);
	OK(world_prepare_source(world));
	OK(world_export(world));
	OK(world_import(world));
	ck_assert_uint_eq(destination->sandbox->containers.count, world->n_pods * world->n_containers - 1);
	OK(world_abandon(world, destination));
	OK(world_abandon(world, source));
	free_without_exits();
}
END_TEST

/* while it waits for its socket, and while the host takes its time to cancel. */
START_TEST(test_a_session_is_abandoned_while_it_waits)
{
	test_side *side;
	test_done done = { 0 };

	begin(0);
	side = _i % 2 ? destination : source;
	OK(world_migrate_until(world, WORLD_READY));
	OK(world_transfer(world, side));
	STATE(side, LCOWMIG_MIGRATION_SOCKET_WAITING);
	if (_i / 2) {
		test_host_hold(side->host, "hcs.cancel_migration", true);
		ck_assert_int_eq(lcowmig_migration_cancel(side->m, WORLD_SESSION, test_on_done, &done, &world->error), LCOWMIG_PENDING);
		STATE(side, LCOWMIG_MIGRATION_CANCELLING);
		test_host_hold(side->host, "hcs.cancel_migration", false);
	}
	world_abandon(world, side);
	STATE(side, LCOWMIG_MIGRATION_IDLE);
	ck_assert_int_eq(done.calls, _i / 2);
	if (_i / 2)
		test_host_complete(side->host, "hcs.cancel_migration", LCOWMIG_OK, 0, NULL); /* late, and of no consequence */
	STATE(side, LCOWMIG_MIGRATION_IDLE);
	VM(side, _i % 2 ? "Terminated" : "Running");
	world_free(world);
}
END_TEST

/* a destination whose transfer broke gives the right back although it is Failed; the source, which had released it, goes on. */
START_TEST(test_a_failed_destination_gives_the_right_back)
{
	begin(_i);
	OK(world_migrate_until(world, WORLD_CONNECTED));
	OK(world_transfer(world, source));
	OK(world_release(world, source));
	test_host_fail(destination->host, "hcs.transfer", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "broken");
	ck_assert_int_eq(world_transfer(world, destination), LCOWMIG_E_HOST_FAILED);
	STATE(destination, LCOWMIG_MIGRATION_FAILED);
	ck_assert_int_eq(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_INVALID_ARGUMENT); /* its own token */
	ck_assert_int_eq(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION); /* without its memory */
	ck_assert(!lcowmig_migration_has_right(destination->m));
	OK(world_release(world, destination));
	ck_assert_int_eq(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_INVALID_ARGUMENT);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	VM(source, "Running");
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
	OK(world_cleanup(world, source));
	OK(world_cleanup(world, destination));
	world_free(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("endings");
	TCase *endings = tcase_create("endings");
	SRunner *runner;
	int failed;

	tcase_set_timeout(endings, 120);
	tcase_add_loop_test(endings, test_a_destination_that_ends_leaves_containers_that_can_be_deleted, 0,
			    N_SHAPES * N_ENDINGS * (WORLD_RELEASED - WORLD_IMPORTED + 1));
	tcase_add_loop_test(endings, test_a_source_that_ends_leaves_containers_that_can_be_deleted, 0, N_SHAPES * 2 * WORLD_RESUMED);
	tcase_add_loop_test(endings, test_a_stop_waits_for_the_exit_with_a_bound, 0, 4);
	tcase_add_loop_test(endings, test_machines_that_end_on_both_sides_and_twice, 0, 2 * N_SHAPES);
	tcase_add_loop_test(endings, test_what_ended_while_frozen_is_deleted_after_the_rollback, 0, N_SHAPES);
	tcase_add_loop_test(endings, test_a_session_is_abandoned_while_it_waits, 0, 4);
	tcase_add_loop_test(endings, test_a_failed_destination_gives_the_right_back, 0, N_SHAPES);
	suite_add_tcase(suite, endings);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
