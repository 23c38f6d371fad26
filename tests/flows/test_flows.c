/* Every flow of a migration from beginning to end, for none, one and several pods, with hosts that answer at once and hosts that do not. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariants.h"
#include "world.h"

static test_world *world;
static test_side *source;
static test_side *destination;

/* Number of pods, containers of each, and whether host calls end later. */
static const struct shape {
	unsigned n_pods, n_containers;
	bool is_slow;
} shapes[] = { { 0, 0, false }, { 1, 1, false }, { 1, 3, false }, { 2, 2, false }, { 1, 3, true }, { 2, 2, true } };
#define N_SHAPES 6

static void begin(int shape)
{
	world = world_new(shapes[shape].n_pods, shapes[shape].n_containers);
	source = &world->source;
	destination = &world->destination;
	if (shapes[shape].is_slow)
		world_set_slow(world);
}

static unsigned n_tasks(void)
{
	return world->n_pods * world->n_containers;
}

#define OK(call) ck_assert_msg((call) == LCOWMIG_OK, "%s: %s", #call, world->error.message)
#define STATE(side, expected) ck_assert_str_eq(lcowmig_migration_state_name(world_state(side)), lcowmig_migration_state_name(expected))
#define VM(side, expected) ck_assert_str_eq(lcowmig__vm_state_name((side)->sandbox->vm), expected)

/* 11.1, 11.2 */
START_TEST(test_migration_succeeds)
{
	begin(_i);
	OK(world_migrate_until(world, WORLD_CLEAN));
	VM(source, "Terminated");
	VM(destination, "Running");
	ck_assert_uint_eq(test_host_count(source->host, "event exit"), n_tasks());
	ck_assert_uint_eq(test_host_count(destination->host, "event create"), n_tasks());
	ck_assert_uint_eq(test_host_count(destination->host, "event start"), 0);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), 0);
	ck_assert_uint_eq(test_host_count(source->host, "socket.close"), 1);
	ck_assert_uint_eq(test_host_count(destination->host, "socket.close"), 1);
	world_free(world);
}
END_TEST

/* 11.0: the source may be stopped before the destination runs, once it has released its right. */
START_TEST(test_migration_succeeds_when_the_source_stops_first)
{
	begin(_i);
	OK(world_migrate_until(world, WORLD_RELEASED));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
	OK(world_cleanup(world, source));
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, destination));
	VM(destination, "Running");
	world_free(world);
}
END_TEST

/* A source that was stopped too early can still give its right away. */
START_TEST(test_release_after_the_source_has_stopped)
{
	begin(_i);
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
	OK(world_release(world, source));
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME));
	VM(destination, "Running");
	world_free(world);
}
END_TEST

/* the guest's first words may be answers to waits that the source sent; they are adopted before the connection is made. */
START_TEST(test_wait_ids_are_adopted_before_the_connection)
{
	const char *log, *adopt, *connect;

	begin(_i);
	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_clear_log(destination->host);
	OK(world_step(world, WORLD_RESUMED));
	log = test_host_log(destination->host);
	connect = strstr(log, "guest.connect warm");
	ck_assert_ptr_nonnull(connect);
	ck_assert_uint_eq(test_host_count(destination->host, "guest.adopt"), n_tasks());
	for (adopt = strstr(log, "guest.adopt"); adopt; adopt = strstr(adopt + 1, "guest.adopt"))
		ck_assert(adopt < connect);
	world_free(world);
}
END_TEST

static const char *const guest_operations[] = { "guest.connect", "guest.rpc:10100a01" };

static unsigned pending_in_guest(void)
{
	return test_host_pending(destination->host, guest_operations[0]) + test_host_pending(destination->host, guest_operations[1]);
}

/* Answers what the guest has before it at this moment, and nothing that comes of it. */
static void answer_once(void)
{
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(guest_operations); i++) {
		unsigned n = test_host_pending(destination->host, guest_operations[i]);

		while (n--)
			test_host_complete(destination->host, guest_operations[i], LCOWMIG_OK, 0, NULL);
	}
}

/* at most four, the connection's included, however many pods there are and however many containers they have. */
START_TEST(test_resume_takes_a_constant_number_of_round_trips)
{
	static const unsigned pods[] = { 1, 1, 2, 4 }, containers[] = { 1, 12, 2, 8 };
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	unsigned n_rounds = 0;
	test_done done = { 0 };

	world = world_new(pods[_i], containers[_i]);
	source = &world->source;
	destination = &world->destination;
	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_hold(destination->host, guest_operations[0], true);
	test_host_hold(destination->host, guest_operations[1], true);
	options.action = LCOWMIG_FINALIZE_RESUME;
	options.token = world->token;
	options.token_size = world->token_size;
	ck_assert_int_eq(lcowmig_migration_finalize(destination->m, WORLD_SESSION, &options, test_on_done, &done, &world->error),
			 LCOWMIG_PENDING);
	for (; !done.calls && pending_in_guest(); n_rounds++)
		answer_once();
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_uint_le(n_rounds, 4);
	test_host_hold(destination->host, guest_operations[0], false);
	test_host_hold(destination->host, guest_operations[1], false);
	world_free(world);
}
END_TEST

/* a task is announced only when its pod is complete, its new interface included. */
START_TEST(test_tasks_are_announced_when_their_pod_is_complete)
{
	const char *log, *first;

	begin(2);
	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_clear_log(destination->host);
	OK(world_step(world, WORLD_RESUMED));
	log = test_host_log(destination->host);
	first = strstr(log, "event create");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first, "stdio.attach"));
	ck_assert_ptr_null(strstr(first, "guest.rpc 0x10100a01"));
	world_free(world);
}
END_TEST

static void roll_back(void)
{
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	STATE(source, LCOWMIG_MIGRATION_FINALIZED);
	OK(world_cleanup(world, source));
	VM(source, "Running");
	ck_assert_uint_eq(test_host_count(source->host, "event exit"), 0);
	ck_assert_uint_eq(test_host_count(source->host, "event create"), n_tasks());
}

/* The envelope with the next request id of another one: proving that the guest is there takes a request. */
static void with_request_id(int64_t next_id, lcowmig__buf *ret_envelope, int64_t *ret_next_id)
{
	const lcowmig_limits *limits = &source->host->context->limits;
	lcowmig__wire_sandbox wire;
	lcowmig__arena arena;

	lcowmig__arena_init(&arena, &source->host->context->mem, 0);
	lcowmig__buf_init(ret_envelope, &source->host->context->mem);
	OK(lcowmig__wire_decode_sandbox(&arena, limits, world->envelope, world->envelope_size, &wire, &world->error));
	*ret_next_id = wire.vm.bridge_next_id;
	if (next_id)
		wire.vm.bridge_next_id = next_id;
	OK(lcowmig__wire_encode_sandbox(ret_envelope, &wire, &world->error));
	lcowmig__arena_done(&arena);
}

/* a source that was rolled back is as it was: the next export gives the same bytes. */
static void expect_same_export(void)
{
	int64_t next_id, later_id;
	lcowmig__buf first, second;

	with_request_id(0, &first, &next_id);
	ck_assert_mem_eq(first.data, world->envelope, world->envelope_size);
	OK(world_prepare_source(world));
	OK(world_export(world));
	with_request_id(next_id, &second, &later_id);
	ck_assert_int_ge(later_id, next_id);
	ck_assert_int_le(later_id, next_id + 1 + n_tasks()); /* and one more for each probe */
	ck_assert_uint_eq(first.size, second.size);
	ck_assert_mem_eq(first.data, second.data, first.size);
	lcowmig__buf_done(&first);
	lcowmig__buf_done(&second);
}

/* 11.3: nothing was visible, and nothing is left. */
START_TEST(test_rollback_before_the_blackout)
{
	begin(_i);
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	world->is_slow = false; /* the transfer is the one call that stays */
	if (world_state(source) == LCOWMIG_MIGRATION_TRANSFERRING) {
		OK(world_cancel(world, source));
		test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0x80004005, NULL);
		STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	}
	world->is_slow = shapes[_i].is_slow;
	ck_assert_uint_eq(test_host_count(source->host, "guest.resume"), 0);
	roll_back();
	ck_assert_uint_eq(test_host_count(source->host, "guest.resume"), 0);
	world_new_destination(world);
	test_host_hold(source->host, "hcs.transfer", shapes[_i].is_slow);
	expect_same_export();
	world_free(world);
}
END_TEST

/* 11.4: the guest dials again, and the transport is swapped under the live connection. */
START_TEST(test_rollback_after_the_blackout)
{
	begin(_i);
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	test_host_disconnect(source->host);
	roll_back();
	ck_assert_uint_eq(test_host_count(source->host, "guest.resume"), 1);
	world_new_destination(world);
	expect_same_export();
	OK(world_import(world));
	OK(world_patch_all(world));
	world_free(world);
}
END_TEST

/* The right comes back from the destination, and everything is as before. */
START_TEST(test_rollback_after_the_right_was_released)
{
	begin(_i);
	OK(world_migrate_until(world, WORLD_RELEASED));
	OK(world_release(world, destination));
	test_host_disconnect(source->host);
	roll_back();
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
	OK(world_cleanup(world, destination));
	world_new_destination(world);
	expect_same_export();
	world_free(world);
}
END_TEST

/* 11.5, 11.6: both sides are cancelled at every point; the source goes back, the destination ends. */
START_TEST(test_cancel_at_every_step)
{
	world_point point = (world_point)(_i / 4);
	bool destination_first = _i & 1;
	bool invalid_state = _i & 2;
	test_side *order[2];
	size_t i;

	begin(3);
	order[0] = destination_first ? destination : source;
	order[1] = destination_first ? source : destination;
	OK(world_migrate_until(world, point));
	for (i = 0; i < 2; i++) {
		if (!lcowmig_migration_session_id(order[i]->m)[0])
			continue;
		if (invalid_state)
			test_host_fail(order[i]->host, "hcs.cancel_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80370105, "nothing to cancel");
		OK(world_cancel(world, order[i]));
		STATE(order[i], LCOWMIG_MIGRATION_CANCELLED);
	}
	if (world_state(destination) == LCOWMIG_MIGRATION_CANCELLED) {
		if (point == WORLD_RELEASED)
			OK(world_release(world, destination));
		OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
		OK(world_cleanup(world, destination));
		ck_assert_uint_eq(test_host_count(destination->host, "event exit"), n_tasks());
	}
	roll_back();
	ck_assert_uint_eq(test_host_count(destination->host, "event create"), 0);
	world_free(world);
}
END_TEST

/* 11.5: stop from each state in which it is possible. */
START_TEST(test_discard_of_the_destination)
{
	begin(3);
	if (_i == 0) {
		OK(world_migrate_until(world, WORLD_CONNECTED));
		test_host_fail(destination->host, "hcs.transfer", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "broken");
		ck_assert_int_ne(world_transfer(world, destination), LCOWMIG_OK);
	} else {
		OK(world_migrate_until(world, _i == 1 ? WORLD_TRANSFERRED : WORLD_RELEASED));
	}
	if (_i == 3) {
		test_host_fail(destination->host, "guest.connect", 1, LCOWMIG_E_UNAVAILABLE, 0, "no guest");
		ck_assert_int_ne(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_OK);
	}
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
	VM(destination, "Terminated");
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), n_tasks());
	ck_assert_ptr_nonnull(strstr(test_host_log(destination->host), " 137\n"));
	if (world->token_size)
		OK(world_release(world, destination));
	OK(world_cleanup(world, destination));
	if (world_state(source) != LCOWMIG_MIGRATION_TRANSFER_COMPLETED)
		OK(world_cancel(world, source));
	roll_back();
	world_free(world);
}
END_TEST

/* 11.10: the machine dies on either side at every point; nothing stays frozen, every task ends, the session can be left. */
START_TEST(test_machine_dies_at_every_step)
{
	world_point point = (world_point)(_i / 2);
	lcowmig_finalize_action end = LCOWMIG_FINALIZE_STOP;
	test_side *side, *other;

	begin(3);
	side = _i % 2 ? destination : source;
	other = _i % 2 ? source : destination;
	OK(world_migrate_until(world, point));
	if (!side->sandbox->env.system) {
		world_free(world); /* there is no machine yet, or no more */
		return;
	}
	world_kill_vm(world, side);
	VM(side, "Terminated");
	ck_assert_uint_eq(test_host_count(side->host, "event exit"), n_tasks());
	if (world_state(side) == LCOWMIG_MIGRATION_FINALIZED)
		end = LCOWMIG_FINALIZE_RESUME; /* it had been decided, and stays so */
	else
		ck_assert_int_eq(world_finalize(world, side, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_cancel(world, side));
	OK(world_finalize(world, side, end));
	OK(world_cleanup(world, side));
	if (lcowmig_migration_session_id(other->m)[0])
		OK(world_abandon(world, other));
	world_free(world);
}
END_TEST

static unsigned n_failed_events;
static unsigned n_guest_initiated;

static void count_failures(void *user, const lcowmig_notification *notification)
{
	(void)user;
	if (!notification || lcowmig_notification_phase(notification) != LCOWMIG_PHASE_FAILED)
		return;
	n_failed_events++;
	n_guest_initiated += lcowmig_notification_state(notification) == LCOWMIG_PHASE_STATE_GUEST_INITIATED_CANCELLATION;
}

/* 11.11: the platform says why, the transfer fails, the machine exits. */
START_TEST(test_guest_shuts_down_during_the_transfer)
{
	lcowmig_subscription *subscription;

	begin(2);
	OK(world_migrate_until(world, WORLD_CONNECTED));
	n_failed_events = 0;
	n_guest_initiated = 0;
	OK(lcowmig_migration_subscribe(source->m, WORLD_SESSION, 0, count_failures, NULL, &subscription, &world->error));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	world_tell(source, "MigrationFailed", "GuestInitiatedCancellation");
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0xC0370106, NULL);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	world_kill_vm(world, source);
	ck_assert_uint_eq(n_failed_events, 2);
	ck_assert_uint_eq(n_guest_initiated, 1);
	ck_assert_uint_eq(test_host_count(source->host, "event exit"), n_tasks());
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
	OK(world_cleanup(world, source));
	OK(world_cancel(world, destination));
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
	OK(world_cleanup(world, destination));
	world_free(world);
}
END_TEST

/* 11.11, X-42: a container that exits on a frozen source is told at once, and does not block the rollback. */
START_TEST(test_container_exits_on_a_frozen_source)
{
	const lcowmig__index_entry *entry;

	begin(2);
	OK(world_migrate_until(world, _i ? WORLD_TRANSFERRED : WORLD_EXPORTED));
	entry = lcowmig__sandbox_find(source->sandbox, "p0-c1");
	test_host_exit_process(source->host, lcowmig__process_pid(lcowmig__container_init(entry->container)), 3);
	ck_assert_uint_eq(test_host_count(source->host, "event exit p0-c1 '' "), 1);
	if (!_i)
		OK(world_cancel(world, source));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
	ck_assert(lcowmig__container_has_ended(entry->container));
	world_free(world);
}
END_TEST

/* 11.11: one that exits between export and resume is announced on the destination, and then its exit. */
START_TEST(test_container_exits_before_the_destination_resumes)
{
	const char *create, *exit;

	begin(1);
	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_reply(destination->host, "guest.adopt",
			"{\"Result\":0,\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"ExitCode\":7}");
	OK(world_step(world, WORLD_RESUMED));
	create = strstr(test_host_log(destination->host), "event create d-p0 ''");
	exit = strstr(test_host_log(destination->host), "event exit d-p0 '' ");
	ck_assert_ptr_nonnull(create);
	ck_assert_ptr_nonnull(exit);
	ck_assert(create < exit);
	ck_assert_ptr_nonnull(strstr(exit, " 7\n"));
	world_free(world);
}
END_TEST

/* onward, as often as one likes; what arrives can leave again. */
START_TEST(test_migration_goes_on_and_on)
{
	unsigned leg;

	begin(_i);
	for (leg = 0; leg < 3; leg++) {
		OK(world_migrate_until(world, WORLD_CLEAN));
		VM(destination, "Running");
		ck_assert_uint_eq(test_host_count(destination->host, "event create"), n_tasks());
		world_turn(world);
	}
	world_free(world);
}
END_TEST

/* Sessions one after the other on one source: failed, rolled back, and then it works. */
START_TEST(test_sessions_follow_one_another)
{
	unsigned i;

	begin(_i);
	for (i = 0; i < 3; i++) {
		OK(world_migrate_until(world, i == 0 ? WORLD_IMPORTED : i == 1 ? WORLD_CONNECTED : WORLD_TRANSFERRED));
		if (i < 2)
			OK(world_cancel(world, source));
		roll_back();
		world_new_destination(world);
	}
	OK(world_migrate_until(world, WORLD_CLEAN));
	VM(destination, "Running");
	world_free(world);
}
END_TEST

static void expect_gate(const test_side *side, bool is_closed)
{
	static const lcowmig_task_call calls[] = { LCOWMIG_TASK_KILL, LCOWMIG_TASK_STATE, LCOWMIG_TASK_DELETE };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(calls); i++)
		ck_assert_int_eq(lcowmig_sandbox_check_task(side->sandbox, calls[i], NULL),
				 is_closed ? LCOWMIG_E_FAILED_PRECONDITION : LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__migration_check_idle(side->m, NULL) == LCOWMIG_OK, !is_closed);
}

/* SVC-32: from the first step of a session until its cleanup, on either side, whatever becomes of it. */
START_TEST(test_tasks_are_gated_by_the_session)
{
	int point;

	begin(1);
	expect_gate(source, false);
	for (point = WORLD_PREPARED; point < WORLD_CLEAN; point++) {
		OK(world_step(world, (world_point)point));
		expect_gate(source, true);
		expect_gate(destination, point >= WORLD_IMPORTED);
	}
	OK(world_cleanup(world, destination));
	expect_gate(source, true);
	expect_gate(destination, false);
	OK(world_cleanup(world, source));
	expect_gate(source, false);
	world_free(world);
}
END_TEST

START_TEST(test_tasks_are_gated_until_a_rollback_is_cleaned_up)
{
	begin(1);
	OK(world_prepare_source(world));
	OK(world_cancel(world, source));
	expect_gate(source, true);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	expect_gate(source, true);
	OK(world_cleanup(world, source));
	expect_gate(source, false);
	world_free(world);
}
END_TEST

/* SVC-31: what a create that patches answers: the pid that was imported, and no event. */
START_TEST(test_a_patch_tells_nothing_and_knows_the_pid)
{
	const lcowmig__index_entry *there, *here;
	uint32_t pid;

	begin(_i);
	OK(world_migrate_until(world, WORLD_PATCHED));
	ck_assert_uint_eq(test_host_count(destination->host, "event"), 0);
	if (n_tasks()) {
		there = lcowmig__sandbox_find(source->sandbox, "p0");
		here = lcowmig__sandbox_find(destination->sandbox, "d-p0");
		pid = lcowmig__process_pid(lcowmig__container_init(there->container));
		ck_assert_uint_ne(pid, 0);
		ck_assert_uint_eq(lcowmig__process_pid(lcowmig__container_init(here->container)), pid);
	}
	world_free(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("flows");
	TCase *flows = tcase_create("flows");
	SRunner *runner;
	int failed;

	tcase_set_timeout(flows, 120);
	tcase_add_loop_test(flows, test_migration_succeeds, 0, N_SHAPES);
	tcase_add_loop_test(flows, test_migration_succeeds_when_the_source_stops_first, 0, N_SHAPES);
	tcase_add_loop_test(flows, test_release_after_the_source_has_stopped, 0, N_SHAPES);
	tcase_add_loop_test(flows, test_wait_ids_are_adopted_before_the_connection, 0, N_SHAPES);
	tcase_add_loop_test(flows, test_resume_takes_a_constant_number_of_round_trips, 0, 4);
	tcase_add_test(flows, test_tasks_are_announced_when_their_pod_is_complete);
	tcase_add_loop_test(flows, test_rollback_before_the_blackout, 0, N_SHAPES);
	tcase_add_loop_test(flows, test_rollback_after_the_blackout, 0, N_SHAPES);
	tcase_add_loop_test(flows, test_rollback_after_the_right_was_released, 0, N_SHAPES);
	tcase_add_loop_test(flows, test_cancel_at_every_step, 0, 4 * WORLD_RESUMED);
	tcase_add_loop_test(flows, test_discard_of_the_destination, 0, 4);
	tcase_add_loop_test(flows, test_machine_dies_at_every_step, 0, 2 * WORLD_CLEAN);
	tcase_add_test(flows, test_guest_shuts_down_during_the_transfer);
	tcase_add_loop_test(flows, test_container_exits_on_a_frozen_source, 0, 2);
	tcase_add_test(flows, test_container_exits_before_the_destination_resumes);
	tcase_add_loop_test(flows, test_migration_goes_on_and_on, 0, N_SHAPES);
	tcase_add_loop_test(flows, test_sessions_follow_one_another, 0, N_SHAPES);
	tcase_add_test(flows, test_tasks_are_gated_by_the_session);
	tcase_add_test(flows, test_tasks_are_gated_until_a_rollback_is_cleaned_up);
	tcase_add_loop_test(flows, test_a_patch_tells_nothing_and_knows_the_pid, 0, N_SHAPES);
	suite_add_tcase(suite, flows);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
