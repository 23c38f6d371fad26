/* The migration session: cancels wherever they come, cleanup, and abandoning it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "migration_fixture.h"

/* ---- Cancel ---- */

/* MIG-84, MIG-85, MIG-87 */
START_TEST(test_cancel_after_the_transfer)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	ck_assert(source->m->socket_signal.is_set);
	OK(world_cancel(world, source));
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration {\"Origin\":\"Source\"}"), 1);
	OK(world_cancel(world, source));
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration"), 1);
}
END_TEST

/* MIG-86 */
START_TEST(test_cancel_that_the_host_refuses_fails_the_session_and_can_be_repeated)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	test_host_fail(source->host, "hcs.cancel_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	FAILS(world_cancel(world, source), LCOWMIG_E_HOST_FAILED);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	OK(world_cancel(world, source));
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
}
END_TEST

/* MIG-88, X-50 */
START_TEST(test_cancel_of_an_imported_session_asks_nobody)
{
	OK(world_migrate_until(world, WORLD_PATCHED));
	test_host_clear_log(destination->host);
	OK(world_cancel(world, destination));
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(test_host_count(destination->host, "hcs."), 0);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit d-p0 '' "), 1);
	ck_assert_ptr_nonnull(strstr(test_host_log(destination->host), " 137\n"));
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), 4);
	OK(world_cleanup(world, destination)); /* MIG-97 */
	STATE(destination, LCOWMIG_MIGRATION_IDLE);
}
END_TEST

/* MIG-90, X-30 */
START_TEST(test_cancel_succeeds_when_there_was_nothing_to_cancel)
{
	OK(world_migrate_until(world, WORLD_EXPORTED));
	test_host_fail(source->host, "hcs.cancel_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80370105, "invalid state");
	OK(world_cancel(world, source));
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	FAILS(world_transfer(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(world_register(world, source), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

static unsigned n_told;
static unsigned n_failed;

static void count_notification(void *user, const lcowmig_notification *notification)
{
	(void)user;
	if (!notification)
		return;
	n_told++;
	n_failed += lcowmig_notification_phase(notification) == LCOWMIG_PHASE_FAILED;
}

static lcowmig_subscription *subscribe(test_side *side, uint32_t flags)
{
	lcowmig_subscription *subscription;

	n_told = 0;
	n_failed = 0;
	OK(lcowmig_migration_subscribe(side->m, WORLD_SESSION, flags, count_notification, NULL, &subscription, &world->error));
	return subscription;
}

/* MIG-91 */
START_TEST(test_cancel_ends_a_waiting_transfer_quietly)
{
	lcowmig_subscription *subscription;

	OK(world_migrate_until(world, WORLD_READY));
	subscription = subscribe(source, 0);
	OK(world_transfer(world, source));
	OK(world_cancel(world, source));
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_ptr_null(source->m->background);
	test_host_advance(source->host, 2 * LCOWMIG_SOCKET_TIMEOUT_NS);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(n_told, 0);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* before, during and after each host call of the transfer. */
START_TEST(test_cancel_is_never_lost)
{
	static const char *const calls[] = { "hcs.start_migration", "hcs.transfer" };
	const char *held = calls[_i & 1];
	bool invalid_state = _i & 2;
	bool succeeds = _i & 4;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, held, true);
	OK(world_transfer(world, source));
	if (invalid_state)
		test_host_fail(source->host, "hcs.cancel_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80370105, "too early");
	OK(world_cancel(world, source));
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	test_host_complete(source->host, held, succeeds ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_ptr_null(source->m->background);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.transfer"), (unsigned)(_i & 1));
	/* What the host did in spite of it is cancelled once more: a start always, a transfer unless the first cancel was accepted. */
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration"), succeeds && (!(_i & 1) || invalid_state) ? 2 : 1);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
}
END_TEST

/* a cancel while the source is being prepared waits for what the host is doing, and undoes it. */
START_TEST(test_cancel_while_the_source_is_prepared)
{
	test_done prepared = { 0 }, cancelled = { 0 };
	bool succeeds = _i;

	test_host_hold(source->host, "hcs.initialize_migration", true);
	ck_assert_int_eq(lcowmig_migration_prepare_source(source->m, WORLD_SESSION, NULL, test_on_done, &prepared, &world->error),
			 LCOWMIG_PENDING);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_migration_cancel(source->m, WORLD_SESSION, test_on_done, &cancelled, &world->error), LCOWMIG_PENDING);
	test_host_complete(source->host, "hcs.initialize_migration", succeeds ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED, 0, NULL);
	test_host_hold(source->host, "hcs.initialize_migration", false);
	ck_assert_int_eq(prepared.calls, 1);
	ck_assert_int_eq(cancelled.calls, 1);
	ck_assert_int_eq(prepared.status, succeeds ? LCOWMIG_E_CANCELLED : LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(cancelled.status, LCOWMIG_OK);
	STATE(source, succeeds ? LCOWMIG_MIGRATION_CANCELLED : LCOWMIG_MIGRATION_IDLE);
	if (succeeds)
		OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
	OK(world_prepare_source(world));
}
END_TEST

/* operations in flight end with CANCELLED and leave nothing half done. */
START_TEST(test_cancel_ends_operations_in_flight)
{
	test_done done = { 0 };
	lcowmig_status status;

	OK(world_prepare_source(world));
	if (_i == 0) {
		test_host_hold(source->host, "hcs.properties", true);
		status = lcowmig_migration_export(source->m, WORLD_SESSION, test_on_done, &done, &world->error);
	} else {
		OK(world_export(world));
		test_host_hold(source->host, "socket.adopt", true);
		status = lcowmig_migration_register_socket(source->m, WORLD_SESSION, SOCKET, 6, test_on_done, &done, &world->error);
	}
	ck_assert_int_eq(status, LCOWMIG_PENDING);
	OK(world_cancel(world, source));
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	test_host_complete(source->host, _i ? "socket.adopt" : "hcs.properties", LCOWMIG_OK, 0, NULL);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* a patch and a prepare in flight give way to a cancel. */
START_TEST(test_cancel_of_a_destination_in_preparation)
{
	test_done done = { 0 };

	OK(world_migrate_until(world, WORLD_PATCHED));
	test_host_hold(destination->host, "hcs.create", true);
	ck_assert_int_eq(lcowmig_migration_prepare_destination(destination->m, WORLD_SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED,
							       test_on_done, &done, &world->error),
			 LCOWMIG_PENDING);
	ck_assert_int_ge(lcowmig_migration_cancel(destination->m, WORLD_SESSION, NULL, NULL, &world->error), LCOWMIG_OK);
	test_host_complete(destination->host, "hcs.create", LCOWMIG_OK, 0, NULL);
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	OK(world_cleanup(world, destination));
}
END_TEST

/* X-50, 11.7: while the cancelled destination's transfer may still succeed, nothing is ended that may be the only one there is. */
START_TEST(test_cancelled_destination_waits_for_its_transfer)
{
	bool succeeds = _i;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	OK(world_transfer(world, source));
	test_host_hold(destination->host, "hcs.transfer", true);
	OK(world_transfer(world, destination));
	OK(world_cancel(world, destination));
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), 0);
	test_host_complete(destination->host, "hcs.transfer", succeeds ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED, 0, NULL);
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), succeeds ? 0 : 4);
	if (succeeds) {
		OK(world_release(world, source));
		OK(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME));
		ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_RUNNING);
	} else {
		OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
		FAILS(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, LCOWMIG_FINALIZE_FORCE, "test"), LCOWMIG_E_FAILED_PRECONDITION);
	}
}
END_TEST

START_TEST(test_cancel_while_finalized_changes_nothing)
{
	OK(world_migrate_until(world, WORLD_STOPPED));
	OK(world_cancel(world, source));
	OK(world_cancel(world, destination));
	STATE(source, LCOWMIG_MIGRATION_FINALIZED);
	STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration"), 0);
}
END_TEST

/* ---- Cleanup and abandon ---- */

/* MIG-95, MIG-96, MIG-98, MIG-100 */
START_TEST(test_cleanup_forgets_everything)
{
	const uint8_t *data;
	size_t size;

	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	FAILS(world_cleanup(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	ck_assert_str_eq(lcowmig_migration_session_id(source->m), "");
	ck_assert_uint_eq(test_host_count(source->host, "socket.close"), 1);
	ck_assert_ptr_null(source->m->socket);
	ck_assert(!source->m->socket_signal.is_set);
	FAILS(lcowmig_migration_envelope(source->m, WORLD_SESSION, &data, &size, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_prepare_source(world));
	OK(world_export(world));
}
END_TEST

/* what comes back after its session has ended touches no later one. */
START_TEST(test_late_results_are_dropped)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	OK(world_abandon(world, source));
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_RUNNING);
	OK(world_prepare_source(world));
	OK(world_export(world));
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0x80004005, NULL);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_EXPORTED);
	ck_assert_int_eq(lcowmig_migration_failure(source->m, NULL), LCOWMIG_OK);
}
END_TEST

/* a start that the host answers minutes after its session was abandoned is cancelled there and touches no later session. */
START_TEST(test_late_start_is_dropped)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.start_migration", true);
	OK(world_transfer(world, source));
	ck_assert_int_ne(world_abandon(world, source), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(world->error.message, "could not end the transfer"));
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	test_host_hold(source->host, "hcs.start_migration", false);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "in flight"));
	test_host_complete(source->host, "hcs.start_migration", LCOWMIG_OK, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.transfer"), 0);
	OK(world_prepare_source(world));
}
END_TEST

/* a preparation that the host finishes after its session was abandoned is undone. */
START_TEST(test_late_preparation_is_undone)
{
	test_done done = { 0 };

	test_host_hold(source->host, "hcs.initialize_migration", true);
	ck_assert_int_eq(lcowmig_migration_prepare_source(source->m, WORLD_SESSION, NULL, test_on_done, &done, &world->error),
			 LCOWMIG_PENDING);
	ck_assert_int_ne(world_abandon(world, source), LCOWMIG_OK);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION); /* the host has not answered yet */
	test_host_hold(source->host, "hcs.initialize_migration", false);
	test_host_complete(source->host, "hcs.initialize_migration", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_RUNNING);
	OK(world_prepare_source(world));
}
END_TEST

/* from every point of a migration, on both sides, with the host failing everything or nothing. */
START_TEST(test_abandon_always_ends_idle)
{
	static const char *const operations[] = { "hcs.cancel_migration", "hcs.finalize_migration", "guest.rpc", "hcs.terminate",
						  "hcs.modify" };
	world_point point = (world_point)(_i / 2);
	bool host_fails = _i % 2;
	test_side *sides[2] = { source, destination };
	size_t i, j;

	OK(world_migrate_until(world, point));
	for (i = 0; i < 2; i++) {
		lcowmig_status status;

		for (j = 0; host_fails && j < LCOWMIG__COUNT(operations); j++)
			test_host_fail(sides[i]->host, operations[j], 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
		if (!lcowmig_migration_session_id(sides[i]->m)[0])
			continue;
		status = world_abandon(world, sides[i]);
		ck_assert(host_fails || status == LCOWMIG_OK);
		STATE(sides[i], LCOWMIG_MIGRATION_IDLE);
		ck_assert_ptr_null(sides[i]->m->abandon);
		if (status != LCOWMIG_OK)
			ck_assert_ptr_nonnull(strstr(world->error.message, "was left, but could not"));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migration cancel");
	TCase *plain = tcase_create("session without pods");
	TCase *pods = tcase_create("session with pods");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(plain, set_up_empty, tear_down);
	tcase_set_timeout(plain, 60);
	tcase_add_checked_fixture(pods, set_up_pods, tear_down);
	tcase_set_timeout(pods, 60);
	tcase_add_test(plain, test_cancel_after_the_transfer);
	tcase_add_test(plain, test_cancel_that_the_host_refuses_fails_the_session_and_can_be_repeated);
	tcase_add_test(pods, test_cancel_of_an_imported_session_asks_nobody);
	tcase_add_test(plain, test_cancel_succeeds_when_there_was_nothing_to_cancel);
	tcase_add_test(plain, test_cancel_ends_a_waiting_transfer_quietly);
	tcase_add_loop_test(plain, test_cancel_is_never_lost, 0, 8);
	tcase_add_loop_test(plain, test_cancel_while_the_source_is_prepared, 0, 2);
	tcase_add_loop_test(plain, test_cancel_ends_operations_in_flight, 0, 2);
	tcase_add_test(pods, test_cancel_of_a_destination_in_preparation);
	tcase_add_loop_test(pods, test_cancelled_destination_waits_for_its_transfer, 0, 2);
	tcase_add_test(plain, test_cancel_while_finalized_changes_nothing);
	tcase_add_test(plain, test_cleanup_forgets_everything);
	tcase_add_test(plain, test_late_results_are_dropped);
	tcase_add_test(plain, test_late_start_is_dropped);
	tcase_add_test(plain, test_late_preparation_is_undone);
	tcase_add_loop_test(pods, test_abandon_always_ends_idle, 0, 2 * WORLD_CLEAN);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, pods);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
