/* The migration session: the transport, and the transfer over it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "migration_fixture.h"

/* ---- The transport ---- */

static lcowmig_status register_bytes(size_t size)
{
	return lcowmig_migration_register_socket(source->m, WORLD_SESSION, SOCKET, size, NULL, NULL, &world->error);
}

/* MIG-40, MIG-44: the native structure's size is the host's to say. */
START_TEST(test_register_refuses_a_short_descriptor_first_of_all)
{
	source->sandbox->env.socket.descriptor_size = 6;
	FAILS(register_bytes(5), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_register_socket(source->m, WORLD_SESSION, NULL, 6, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	OK(world_migrate_until(world, WORLD_EXPORTED));
	FAILS(lcowmig_migration_register_socket(source->m, "another", SOCKET, 5, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(world->error.message, "5 bytes"));
	OK(register_bytes(6));
}
END_TEST

/* MIG-42, MIG-43, MIG-45, MIG-47 */
START_TEST(test_register_keeps_one_socket)
{
	OK(world_prepare_source(world));
	FAILS(register_bytes(6), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert(!source->m->socket_signal.is_set);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
	OK(world_export(world));
	OK(world_register(world, source));
	STATE(source, LCOWMIG_MIGRATION_SOCKET_READY);
	ck_assert(source->m->socket_signal.is_set);
	ck_assert_ptr_nonnull(source->m->socket);
	FAILS(world_register(world, source), LCOWMIG_E_ALREADY_EXISTS);
	STATE(source, LCOWMIG_MIGRATION_SOCKET_READY);
}
END_TEST

/* MIG-46 */
START_TEST(test_register_fails_the_session_when_the_socket_is_not_connected)
{
	OK(world_migrate_until(world, WORLD_EXPORTED));
	test_host_fail(source->host, "socket.adopt", 1, LCOWMIG_E_FAILED_PRECONDITION, 0, "not connected");
	FAILS(world_register(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	ck_assert(source->m->socket_signal.is_set);
	ck_assert_ptr_null(source->m->socket);
}
END_TEST

START_TEST(test_register_can_be_repeated_when_memory_is_out)
{
	unsigned i;
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		test_host_fail_allocation(source->host, i, false);
		status = world_register(world, source);
		test_host_fail_allocation(source->host, 0, false);
	}
	OK(status);
	ck_assert_uint_gt(i, 3);
	STATE(source, LCOWMIG_MIGRATION_SOCKET_READY);
}
END_TEST

/* ---- Transfer ---- */

/* MIG-49, MIG-51: in either order with the socket. */
START_TEST(test_transfer_returns_at_once_and_waits_for_the_socket)
{
	OK(world_migrate_until(world, WORLD_READY));
	OK(world_transfer(world, source));
	STATE(source, LCOWMIG_MIGRATION_SOCKET_WAITING);
	OK(world_transfer(world, source));
	STATE(source, LCOWMIG_MIGRATION_SOCKET_WAITING);
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_register(world, source));
	STATE(source, LCOWMIG_MIGRATION_TRANSFERRING);
	OK(world_transfer(world, source));
	STATE(source, LCOWMIG_MIGRATION_TRANSFERRING);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	OK(world_transfer(world, source));
	ck_assert_uint_eq(test_host_count(source->host, "hcs.transfer"), 1);
}
END_TEST

/* MIG-52, MIG-55 */
START_TEST(test_transfer_starts_and_moves)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_clear_log(source->host);
	test_host_clear_log(destination->host);
	OK(world_transfer(world, source));
	STATE(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	test_host_expect_log(source->host, "guest.set_migrating true\n"
					   "hcs.start_migration {\"NetworkSettings\":{\"SessionId\":640281193}} with socket\n"
					   "hcs.transfer {\"Origin\":\"Source\"}\n");
	OK(world_transfer(world, destination));
	STATE(destination, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	test_host_expect_log(destination->host,
			     "guest.prepare 1073741824\n"
			     "hcs.start {\"DestinationMigrationOptions\":{\"NetworkSettings\":{\"SessionId\":640281193}}} with socket\n"
			     "hcs.transfer {\"Origin\":\"Destination\"}\n");
}
END_TEST

/* MIG-53, MIG-61 */
START_TEST(test_transfer_fails_when_the_socket_does_not_come)
{
	lcowmig_transfer_options options = LCOWMIG_TRANSFER_OPTIONS_INIT;

	OK(world_migrate_until(world, WORLD_READY));
	options.socket_timeout_ns = _i ? -1 : 5;
	OK(lcowmig_migration_transfer(source->m, WORLD_SESSION, &options, &world->error));
	test_host_advance(source->host, _i ? LCOWMIG_SOCKET_TIMEOUT_NS - 1 : 4);
	STATE(source, LCOWMIG_MIGRATION_SOCKET_WAITING);
	test_host_advance(source->host, 1);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	FAILS(lcowmig_migration_failure(source->m, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* MIG-54, MIG-92, X-30, X-32 */
START_TEST(test_transfer_that_succeeds_after_a_cancel_ends_cancelled)
{
	test_done done = { 0 };

	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	test_host_hold(source->host, "hcs.cancel_migration", true);
	OK(world_transfer(world, source));
	ck_assert_int_eq(lcowmig_migration_cancel(source->m, WORLD_SESSION, test_on_done, &done, &world->error), LCOWMIG_PENDING);
	STATE(source, LCOWMIG_MIGRATION_CANCELLING);
	OK(world_cancel(world, source)); /* a second one does not wait for the first */
	FAILS(world_cleanup(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(world_finalize(world, source, LCOWMIG_FINALIZE_STOP), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_CANCELLING);
	test_host_hold(source->host, "hcs.cancel_migration", false);
	test_host_complete(source->host, "hcs.cancel_migration", LCOWMIG_OK, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

/* MIG-57, MIG-58 */
START_TEST(test_transfer_reports_which_call_failed)
{
	const char *operation = _i ? "hcs.transfer" : "hcs.start_migration";

	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_fail(source->host, operation, 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "broken");
	FAILS(world_transfer(world, source), LCOWMIG_E_HOST_FAILED);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	ck_assert_uint_eq(world->error.hresult, 0x80004005);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.transfer"), (unsigned)_i);
}
END_TEST

/* MIG-56, MIG-64: an origin that is neither cannot occur; and the background work belongs to the session, not to the caller. */
START_TEST(test_transfer_is_not_an_operation_of_its_caller)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	ck_assert_int_eq(lcowmig_context_cancel(source->host->context, NULL, NULL), LCOWMIG_E_NOT_FOUND);
	STATE(source, LCOWMIG_MIGRATION_TRANSFERRING);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
}
END_TEST

/* */
START_TEST(test_transfer_fails_at_its_deadline)
{
	lcowmig_transfer_options options = LCOWMIG_TRANSFER_OPTIONS_INIT;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, _i ? "hcs.transfer" : "hcs.start_migration", true);
	options.deadline_ns = 1000;
	OK(lcowmig_migration_transfer(source->m, WORLD_SESSION, &options, &world->error));
	test_host_advance(source->host, 999);
	STATE(source, LCOWMIG_MIGRATION_TRANSFERRING);
	test_host_advance(source->host, 1);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	FAILS(lcowmig_migration_failure(source->m, &world->error), LCOWMIG_E_TIMED_OUT);
	if (!_i)
		test_host_complete(source->host, "hcs.start_migration", LCOWMIG_OK, 0, NULL);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration"), 1); /* the host is told to stop */
	if (_i)
		test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0, NULL);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* 11.10: nothing waits for a socket on behalf of a machine that has ended. */
START_TEST(test_transfer_fails_at_once_when_the_machine_ends)
{
	OK(world_migrate_until(world, WORLD_READY));
	if (_i) {
		OK(world_register(world, source));
		test_host_hold(source->host, "hcs.transfer", true);
	}
	OK(world_transfer(world, source));
	world_kill_vm(world, source);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	if (_i)
		test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0, NULL);
	FAILS(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
	OK(world_cleanup(world, source));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migration transfer");
	TCase *plain = tcase_create("session without pods");
	TCase *pods = tcase_create("session with pods");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(plain, set_up_empty, tear_down);
	tcase_set_timeout(plain, 60);
	tcase_add_checked_fixture(pods, set_up_pods, tear_down);
	tcase_set_timeout(pods, 60);
	tcase_add_test(plain, test_register_refuses_a_short_descriptor_first_of_all);
	tcase_add_test(plain, test_register_keeps_one_socket);
	tcase_add_test(plain, test_register_fails_the_session_when_the_socket_is_not_connected);
	tcase_add_test(plain, test_register_can_be_repeated_when_memory_is_out);
	tcase_add_test(plain, test_transfer_returns_at_once_and_waits_for_the_socket);
	tcase_add_test(plain, test_transfer_starts_and_moves);
	tcase_add_loop_test(plain, test_transfer_fails_when_the_socket_does_not_come, 0, 2);
	tcase_add_test(plain, test_transfer_that_succeeds_after_a_cancel_ends_cancelled);
	tcase_add_loop_test(plain, test_transfer_reports_which_call_failed, 0, 2);
	tcase_add_test(plain, test_transfer_is_not_an_operation_of_its_caller);
	tcase_add_loop_test(plain, test_transfer_fails_at_its_deadline, 0, 2);
	tcase_add_loop_test(pods, test_transfer_fails_at_once_when_the_machine_ends, 0, 2);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, pods);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
