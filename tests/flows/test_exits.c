/*
 * A container's process ends at every moment of a migration: while the source prepares and exports, while it is frozen, in the blackout,
 * between the new connection and its adoption, during a rollback, and told twice. Each container ends in one exit event on the side that
 * has it, with its own exit code, and in no other.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariants.h"
#include "process/process_private.h"
#include "world.h"

#define OK(call) ck_assert_msg((call) == LCOWMIG_OK, "%s: %s", #call, world->error.message)
#define STATE(side, expected) ck_assert_str_eq(lcowmig_migration_state_name(world_state(side)), lcowmig_migration_state_name(expected))
#define WAIT_RPC "guest.rpc:10100601"
#define SECOND UINT64_C(1000000000)
#define CODE 3

static test_world *world;
static test_side *source;
static test_side *destination;

static const struct shape {
	unsigned n_pods, n_containers;
	bool is_slow;
} shapes[] = { { 1, 2, false }, { 2, 2, false }, { 1, 2, true } };
#define N_SHAPES 3

static void begin(int shape)
{
	world = world_new(shapes[shape].n_pods, shapes[shape].n_containers);
	source = &world->source;
	destination = &world->destination;
	if (shapes[shape].is_slow)
		world_set_slow(world);
}

/* ---- Who ends, and when ---- */

static lcowmig_container *find(const test_side *side, const char *id)
{
	const lcowmig__index_entry *entry;
	char here[48];

	snprintf(here, sizeof here, "%s%s", side->prefix, id);
	entry = lcowmig__sandbox_find(side->sandbox, here);
	return entry ? entry->container : NULL;
}

typedef struct moment {
	test_side *side;
	const char *id;
	bool has_come;
} moment;

/* The guest says so as soon as somebody waits for it. */
static void exit_now(void *user)
{
	moment *self = user;
	lcowmig_container *container = find(self->side, self->id);
	lcowmig_process *process = container ? lcowmig__container_init(container) : NULL;

	if (process && test_host_exit_request(self->side->host, process->wait_id, CODE))
		self->has_come = true;
	else
		test_host_at_call(self->side->host, 1, exit_now, self);
}

static unsigned count_exits(const test_side *side, const char *id)
{
	char line[96];

	snprintf(line, sizeof line, "event exit %s%s '' ", side->prefix, id);
	return test_host_count(side->host, line);
}

/* One exit, with this code. */
static void expect_exit(const test_side *side, const char *id, unsigned code)
{
	const char *place;
	char line[96];
	unsigned pid, told;

	ck_assert_msg(count_exits(side, id) == 1, "%s: %s has %u exits", side->name, id, count_exits(side, id));
	snprintf(line, sizeof line, "event exit %s%s '' ", side->prefix, id);
	place = strstr(test_host_log(side->host), line) + strlen(line);
	ck_assert_int_eq(sscanf(place, "%u %u", &pid, &told), 2);
	ck_assert_msg(told == code, "%s: %s exited with %u, expected %u", side->name, id, told, code);
	ck_assert(lcowmig__container_has_ended(find(side, id)));
}

/* Nobody else has ended. */
static void expect_others_run(const test_side *side, const char *id)
{
	unsigned p, c;

	for (p = 0; p < world->n_pods; p++)
		for (c = 0; c < world->n_containers; c++)
			if (strcmp(world_container_id(p, c), id) != 0)
				ck_assert_uint_eq(count_exits(side, world_container_id(p, c)), 0);
}

/* ---- What the guest answers to the probes of the destination ---- */

static void answer_probes(const char *id, bool has_exited)
{
	unsigned p, c;

	for (p = 0; p < world->n_pods; p++) {
		for (c = 0; c < world->n_containers; c++) {
			lcowmig_process *process = lcowmig__container_init(find(destination, world_container_id(p, c)));

			if (has_exited && strcmp(world_container_id(p, c), id) == 0)
				test_host_exit_process(destination->host, lcowmig__process_pid(process), CODE);
		}
	}
	while (test_host_pending(destination->host, WAIT_RPC))
		test_host_complete(destination->host, WAIT_RPC, LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_WAIT_TIMEOUT, NULL);
}

static void roll_back(void)
{
	OK(world_cancel(world, source));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
}

/* It ended before the freeze: the export names it, nothing is frozen; once it is deleted, the rest can go. */
static void go_on_without(const char *id)
{
	test_done done = { 0 };

	ck_assert_ptr_nonnull(strstr(world->error.message, id));
	ck_assert(!lcowmig__pod_is_migrating(lcowmig__sandbox_next_pod(source->sandbox, NULL)));
	expect_exit(source, id, CODE);
	if (world_state(source) != LCOWMIG_MIGRATION_IDLE)
		roll_back();
	OK(world_settle(world, source, lcowmig_container_delete(find(source, id), NULL, NULL, test_on_done, &done, &world->error), &done));
	OK(lcowmig_pod_delete_container(lcowmig__sandbox_next_pod(source->sandbox, NULL), id, &world->error));
	OK(world_prepare_source(world));
	OK(world_export(world));
	roll_back();
}

/* While the nth host call of the source is made, from its preparation to its end. */
static bool exit_at_call_of_the_source(int shape, const char *id, unsigned nth)
{
	moment when;
	lcowmig_status status;

	begin(shape);
	when = (moment){ source, id, false };
	test_host_hold(destination->host, WAIT_RPC, true);
	test_host_at_call(source->host, nth, exit_now, &when);
	status = world_migrate_until(world, WORLD_EXPORTED);
	if (status != LCOWMIG_OK) {
		ck_assert(when.has_come);
		go_on_without(id);
	} else {
		OK(world_step(world, WORLD_IMPORTED));
		OK(world_step(world, WORLD_PATCHED));
		OK(world_step(world, WORLD_READY));
		OK(world_step(world, WORLD_CONNECTED));
		OK(world_step(world, WORLD_TRANSFERRED));
		OK(world_step(world, WORLD_RELEASED));
		OK(world_step(world, WORLD_RESUMED));
		answer_probes(id, when.has_come);
		if (when.has_come) {
			expect_exit(source, id, CODE);
			expect_exit(destination, id, CODE);
		}
		expect_others_run(destination, id);
		test_host_at_call(source->host, 0, NULL, NULL);
		OK(world_step(world, WORLD_STOPPED));
		OK(world_step(world, WORLD_CLEAN));
	}
	test_host_at_call(source->host, 0, NULL, NULL);
	world_free(world);
	return when.has_come;
}

START_TEST(test_exit_at_every_call_of_the_source)
{
	const char *id = _i % 2 ? "p0-c1" : "p0";
	unsigned nth = 1;

	while (exit_at_call_of_the_source(_i / 2, id, nth))
		nth++;
	ck_assert_uint_gt(nth, 5);
}
END_TEST

/* Between the steps, when nothing is in flight. */
START_TEST(test_exit_between_the_steps_of_the_source)
{
	world_point point = (world_point)(_i / N_SHAPES);
	moment when;

	begin(_i % N_SHAPES);
	test_host_hold(destination->host, WAIT_RPC, true);
	OK(world_migrate_until(world, point));
	when = (moment){ source, "p0-c1", false };
	exit_now(&when);
	ck_assert(when.has_come);
	expect_exit(source, "p0-c1", CODE);
	expect_others_run(source, "p0-c1");
	if (point == WORLD_PREPARED) {
		ck_assert_int_eq(world_export(world), LCOWMIG_E_FAILED_PRECONDITION);
		STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
		go_on_without("p0-c1");
	} else {
		for (point = (world_point)(point + 1); point <= WORLD_RESUMED; point = (world_point)(point + 1))
			OK(world_step(world, point));
		answer_probes("p0-c1", true);
		expect_exit(destination, "p0-c1", CODE);
		expect_others_run(destination, "p0-c1");
		OK(world_step(world, WORLD_STOPPED));
		expect_exit(source, "p0-c1", CODE);
	}
	world_free(world);
}
END_TEST

/* While the nth call of the destination's resume is made, or as soon after as the wait is adopted: that is before the connection, during
 * it, and after. */
static bool exit_at_call_of_the_destination(int shape, const char *id, unsigned nth)
{
	moment when;
	bool has_come;

	begin(shape);
	when = (moment){ destination, id, false };
	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_at_call(destination->host, nth, exit_now, &when);
	OK(world_step(world, WORLD_RESUMED));
	has_come = when.has_come;
	if (!has_come)
		exit_now(&when);
	test_host_at_call(destination->host, 0, NULL, NULL);
	expect_exit(destination, id, CODE);
	expect_others_run(destination, id);
	ck_assert_uint_eq(test_host_count(source->host, "event exit"), 0);
	OK(world_step(world, WORLD_STOPPED));
	OK(world_step(world, WORLD_CLEAN));
	world_free(world);
	return has_come;
}

START_TEST(test_exit_at_every_call_of_the_destinations_resume)
{
	const char *id = _i % 2 ? "p0-c1" : "p0";
	unsigned nth = 1;

	while (exit_at_call_of_the_destination(_i / 2, id, nth))
		nth++;
	ck_assert_uint_gt(nth, 5);
}
END_TEST

/* Announced first, ended then. */
START_TEST(test_exit_follows_the_announcement)
{
	const char *log;
	moment when;

	begin(_i);
	when = (moment){ destination, "p0-c1", false };
	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_at_call(destination->host, 1, exit_now, &when);
	OK(world_step(world, WORLD_RESUMED));
	ck_assert(when.has_come);
	log = test_host_log(destination->host);
	ck_assert_ptr_nonnull(strstr(log, "event create d-p0-c1 ''"));
	ck_assert(strstr(log, "event create d-p0-c1 ''") < strstr(log, "event exit d-p0-c1 ''"));
	world_free(world);
}
END_TEST

/* The wait and the probe both answer, in either order; the guest's notification comes too. The first word stands. */
START_TEST(test_exit_that_is_told_twice_counts_once)
{
	static const char notice[] = "{\"ContainerId\":\"p0-c1\",\"Type\":\"ForcedExit\"}";
	lcowmig_process *process;
	int64_t id;

	begin(_i / 2);
	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_hold(destination->host, WAIT_RPC, true);
	OK(world_step(world, WORLD_RESUMED));
	process = lcowmig__container_init(find(destination, "p0-c1"));
	id = process->wait_id;
	OK(lcowmig_sandbox_guest_notification(destination->sandbox, notice, sizeof notice - 1, &world->error));
	if (_i % 2)
		ck_assert(test_host_exit_request(destination->host, id, 8));
	test_host_exit_process(destination->host, lcowmig__process_pid(process), _i % 2 ? 9 : 8);
	if (!(_i % 2))
		ck_assert(test_host_exit_request(destination->host, id, 9));
	OK(lcowmig_sandbox_guest_notification(destination->sandbox, notice, sizeof notice - 1, &world->error));
	expect_exit(destination, "p0-c1", 8);
	expect_others_run(destination, "p0-c1");
	answer_probes("", false);
	world_free(world);
}
END_TEST

/* ---- Rollbacks ---- */

/* The source gets its guest back; the wait is answered at the nth call of that. */
static bool exit_at_call_of_the_rollback(int shape, bool is_lost, unsigned nth)
{
	moment when;
	bool has_come;

	begin(shape);
	when = (moment){ source, "p0-c1", false };
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	if (is_lost)
		test_host_disconnect(source->host);
	test_host_at_call(source->host, nth, exit_now, &when);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	has_come = when.has_come;
	if (!has_come)
		exit_now(&when);
	test_host_at_call(source->host, 0, NULL, NULL);
	expect_exit(source, "p0-c1", CODE);
	expect_others_run(source, "p0-c1");
	OK(world_cleanup(world, source));
	world_free(world);
	return has_come;
}

START_TEST(test_exit_at_every_call_of_a_rollback)
{
	unsigned nth = 1;

	while (exit_at_call_of_the_rollback(_i / 2, _i % 2, nth))
		nth++;
	ck_assert_uint_gt(nth, 2);
}
END_TEST

/* What the guest answered into the connection that was lost never arrives: it is asked again, whether or not it tells of it (0, 1). */
START_TEST(test_exit_whose_answer_was_lost_with_the_connection)
{
	static const char notice[] = "{\"ContainerId\":\"p0\",\"Type\":\"ForcedExit\"}";

	begin(_i / 2);
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	test_host_disconnect(source->host);
	test_host_reply(source->host, WAIT_RPC, "{\"Result\":0,\"ExitCode\":3}"); /* to the first that asks */
	if (_i % 2)
		OK(lcowmig_sandbox_guest_notification(source->sandbox, notice, sizeof notice - 1, &world->error));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	expect_exit(source, "p0", CODE);
	expect_others_run(source, "p0");
	OK(world_cleanup(world, source));
	world_free(world);
}
END_TEST

/* A guest that is slow to come back after the blackout is asked until it answers: its exit may have been told on the source. */
START_TEST(test_exit_is_asked_for_until_the_guest_answers)
{
	unsigned i;

	begin(_i);
	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_hold(destination->host, WAIT_RPC, true);
	OK(world_step(world, WORLD_RESUMED));
	for (i = 0; i < 10; i++)
		test_host_advance(destination->host, SECOND);
	ck_assert_uint_eq(count_exits(destination, "p0-c1"), 0);
	/* The answers to those that were given up come first, and change nothing. */
	while (count_exits(destination, "p0-c1") == 0)
		test_host_exit_process(destination->host, lcowmig__process_pid(lcowmig__container_init(find(destination, "p0-c1"))), CODE);
	expect_exit(destination, "p0-c1", CODE);
	answer_probes("", false);
	expect_others_run(destination, "p0-c1");
	world_free(world);
}
END_TEST

/* Memory is out at the nth allocation from the moment when the guest answers: the wait (1) or the probe (0). */
static bool exit_without_memory(bool is_adopted, unsigned nth)
{
	lcowmig_process *process;
	unsigned before, i;
	bool was_met;

	begin(0);
	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_hold(destination->host, WAIT_RPC, true);
	OK(world_step(world, WORLD_RESUMED));
	process = lcowmig__container_init(find(destination, "p0-c1"));
	before = test_host_allocations(destination->host);
	test_host_fail_allocation(destination->host, nth, false);
	if (is_adopted)
		ck_assert(test_host_exit_request(destination->host, process->wait_id, CODE));
	else
		answer_probes("p0-c1", true);
	was_met = test_host_allocations(destination->host) - before >= nth;
	test_host_fail_allocation(destination->host, 0, false);
	for (i = 0; i < 10 && count_exits(destination, "p0-c1") == 0; i++) {
		test_host_advance(destination->host, SECOND);
		if (count_exits(destination, "p0-c1") == 0 && test_host_pending(destination->host, WAIT_RPC))
			answer_probes("p0-c1", true);
	}
	expect_exit(destination, "p0-c1", CODE);
	if (test_host_pending(destination->host, WAIT_RPC))
		answer_probes("", false);
	expect_others_run(destination, "p0-c1");
	world_free(world);
	return was_met;
}

START_TEST(test_exit_is_not_lost_when_memory_is_out)
{
	unsigned nth = 1;

	while (exit_without_memory(_i, nth))
		nth++;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exits");
	TCase *exits = tcase_create("exits");
	SRunner *runner;
	int failed;

	tcase_set_timeout(exits, 120);
	tcase_add_loop_test(exits, test_exit_at_every_call_of_the_source, 0, 2 * N_SHAPES);
	tcase_add_loop_test(exits, test_exit_between_the_steps_of_the_source, 0, WORLD_RESUMED * N_SHAPES);
	tcase_add_loop_test(exits, test_exit_at_every_call_of_the_destinations_resume, 0, 2 * N_SHAPES);
	tcase_add_loop_test(exits, test_exit_follows_the_announcement, 0, N_SHAPES);
	tcase_add_loop_test(exits, test_exit_that_is_told_twice_counts_once, 0, 2 * N_SHAPES);
	tcase_add_loop_test(exits, test_exit_at_every_call_of_a_rollback, 0, 2 * N_SHAPES);
	tcase_add_loop_test(exits, test_exit_whose_answer_was_lost_with_the_connection, 0, 2 * N_SHAPES);
	tcase_add_loop_test(exits, test_exit_is_asked_for_until_the_guest_answers, 0, N_SHAPES);
	tcase_add_loop_test(exits, test_exit_is_not_lost_when_memory_is_out, 0, 2);
	suite_add_tcase(suite, exits);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
