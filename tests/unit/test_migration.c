/* The migration session: its ids and states, and the source up to the export. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "migration_fixture.h"

/* ---- Construction and numbers ---- */

/* MIG-01 */
START_TEST(test_session_is_idle_when_new)
{
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	ck_assert(!source->m->socket_signal.is_set);
	ck_assert_str_eq(lcowmig_migration_session_id(source->m), "");
	ck_assert_int_eq(lcowmig_migration_get_origin(source->m), LCOWMIG_ORIGIN_UNSPECIFIED);
	ck_assert(!lcowmig_migration_has_right(source->m));
	ck_assert_int_eq(lcowmig_migration_get_state(NULL), LCOWMIG_MIGRATION_IDLE);
}
END_TEST

/* MIG-02, MIG-03, MIG-04 */
START_TEST(test_session_number_is_a_hash_of_the_id)
{
	ck_assert_uint_eq(lcowmig__session_number("5f0b1190-63be-4e0c-b974-bd0f55675a42"), 640281193u);
	ck_assert_uint_eq(lcowmig__session_number("5F0B1190-63BE-4E0C-B974-BD0F55675A42"), 640281193u);
	ck_assert_uint_eq(lcowmig__session_number("session-1"), 2215213096u);
	ck_assert_uint_eq(lcowmig__session_number("Session-1"), lcowmig__session_number("Session-1"));
	ck_assert_uint_ne(lcowmig__session_number("Session-1"), lcowmig__session_number("session-1"));
}
END_TEST

START_TEST(test_state_names_are_complete)
{
	int i;

	for (i = 0; i < LCOWMIG__MIGRATION_N_STATES; i++)
		ck_assert_str_ne(lcowmig_migration_state_name((lcowmig_migration_state)i), "Unknown");
	ck_assert_str_eq(lcowmig_migration_state_name((lcowmig_migration_state)LCOWMIG__MIGRATION_N_STATES), "Unknown");
	ck_assert_str_eq(lcowmig_migration_state_name((lcowmig_migration_state)-1), "Unknown");
}
END_TEST

/* every state can be left. */
START_TEST(test_every_state_can_be_abandoned)
{
	int i;

	for (i = 0; i < LCOWMIG__MIGRATION_N_STATES; i++)
		ck_assert(lcowmig__machine_allows(&lcowmig__migration_machine, i, LCOWMIG__MIGRATION_ABANDON));
}
END_TEST

/* ---- Ids (X-13) ---- */

static lcowmig_status call_with_id(int call, const char *id, lcowmig_error *error)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	lcowmig_migration *m = source->m;
	const uint8_t *data;
	uint8_t buffer[LCOWMIG_TOKEN_SIZE_MAX];
	size_t size;

	options.action = LCOWMIG_FINALIZE_STOP;
	switch (call) {
	case 0:
		return lcowmig_migration_export(m, id, NULL, NULL, error);
	case 1:
		return lcowmig_migration_envelope(m, id, &data, &size, error);
	case 2:
		return lcowmig_migration_copy_envelope(m, id, buffer, 1, &size, error);
	case 3:
		return lcowmig_migration_prepare_destination(m, id, NULL, 0, NULL, NULL, error);
	case 4:
		return lcowmig_migration_register_socket(m, id, SOCKET, 6, NULL, NULL, error);
	case 5:
		return lcowmig_migration_transfer(m, id, NULL, error);
	case 6:
		return lcowmig_migration_release(m, id, buffer, sizeof buffer, &size, error);
	case 7:
		return lcowmig_migration_finalize(m, id, &options, NULL, NULL, error);
	case 8:
		return lcowmig_migration_cancel(m, id, NULL, NULL, error);
	case 9:
		return lcowmig_migration_cleanup(m, id, error);
	default:
		return lcowmig_migration_abandon(m, id, NULL, NULL, error);
	}
}

#define N_CALLS_WITH_ID 11

/* X-13, MIG-79, MIG-80: an empty id is wrong everywhere, also when idle. */
START_TEST(test_empty_id_is_invalid_in_every_call)
{
	lcowmig_subscription *subscription;

	FAILS(call_with_id(_i, "", &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(call_with_id(_i, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(call_with_id(_i, "\xff", &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	OK(world_prepare_source(world));
	FAILS(call_with_id(_i, "", &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_subscribe(source->m, "", 0, (lcowmig_notification_fn)abort, NULL, &subscription, &world->error),
	      LCOWMIG_E_INVALID_ARGUMENT);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
}
END_TEST

/* X-13, MIG-09, MIG-39, MIG-41, MIG-48, MIG-79, MIG-83, MIG-94 */
START_TEST(test_foreign_id_is_invalid_in_every_call)
{
	OK(world_prepare_source(world));
	FAILS(call_with_id(_i, "another", &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
}
END_TEST

/* MIG-50, MIG-80, MIG-89, MIG-93: what needs a session is refused when idle, what ends one has nothing to do. */
START_TEST(test_idle_refuses_what_needs_a_session)
{
	bool ends_one = _i >= 8;

	FAILS(call_with_id(_i, "any", &world->error), ends_one ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
}
END_TEST

START_TEST(test_overlong_id_passes_a_limit)
{
	char *id = malloc(LCOWMIG_LIMIT_ID_BYTES + 2);

	memset(id, 'x', LCOWMIG_LIMIT_ID_BYTES + 1);
	id[LCOWMIG_LIMIT_ID_BYTES + 1] = '\0';
	FAILS(lcowmig_migration_prepare_source(source->m, id, NULL, NULL, NULL, &world->error), LCOWMIG_E_LIMIT_EXCEEDED);
	free(id);
}
END_TEST

/* ---- Check and prepare source ---- */

static void count_reason(void *user, const char *reason)
{
	ck_assert(reason[0] != '\0');
	++*(unsigned *)user;
}

/* */
START_TEST(test_check_reports_all_reasons_and_changes_nothing)
{
	unsigned count = 0;

	OK(lcowmig_migration_check(source->m, count_reason, &count, &world->error));
	ck_assert_uint_eq(count, 0);
	source->sandbox->env.hcs.initialize_migration = NULL;
	source->sandbox->env.hcs.transfer = NULL;
	FAILS(lcowmig_migration_check(source->m, count_reason, &count, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_uint_eq(count, 2);
	ck_assert_ptr_nonnull(strstr(world->error.message, "2 reasons"));
	ck_assert_ptr_nonnull(strstr(world->error.message, "no initialize_migration"));
	ck_assert_ptr_nonnull(strstr(world->error.message, "no transfer"));
	FAILS(lcowmig_migration_check(destination->m, NULL, NULL, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(lcowmig_migration_check(NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
}
END_TEST

/* MIG-05 */
START_TEST(test_prepare_source_refuses_missing_arguments)
{
	FAILS(lcowmig_migration_prepare_source(NULL, "s", NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_prepare_source(source->m, NULL, NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
}
END_TEST

/* MIG-06 */
START_TEST(test_prepare_source_refuses_a_second_session)
{
	OK(world_prepare_source(world));
	test_host_clear_log(source->host);
	FAILS(lcowmig_migration_prepare_source(source->m, "other", NULL, NULL, NULL, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_expect_log(source->host, "");
	ck_assert_str_eq(lcowmig_migration_session_id(source->m), WORLD_SESSION);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
}
END_TEST

/* MIG-07 */
START_TEST(test_prepare_source_stays_idle_when_the_host_fails)
{
	test_host_fail(source->host, "hcs.initialize_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "no");
	FAILS(world_prepare_source(world), LCOWMIG_E_HOST_FAILED);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	ck_assert_str_eq(lcowmig_migration_session_id(source->m), "");
	OK(world_prepare_source(world));
}
END_TEST

/* MIG-08 */
START_TEST(test_prepare_source_records_the_session)
{
	test_host_clear_log(source->host);
	OK(world_prepare_source(world));
	test_host_expect_log(source->host, "hcs.initialize_migration {\"Origin\":\"Source\"}\n");
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
	ck_assert_str_eq(lcowmig_migration_session_id(source->m), WORLD_SESSION);
	ck_assert_int_eq(lcowmig_migration_get_origin(source->m), LCOWMIG_ORIGIN_SOURCE);
	ck_assert(lcowmig_migration_has_right(source->m));
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED);
}
END_TEST

/* every reason in one answer, and the host is not bothered. */
START_TEST(test_prepare_source_is_refused_with_all_reasons)
{
	source->sandbox->env.hcs.cancel_migration = NULL;
	test_host_clear_log(source->host);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "cancel_migration"));
	test_host_expect_log(source->host, "");
	source->sandbox->env.hcs.cancel_migration = source->host->config.hcs->cancel_migration;
}
END_TEST

/* ---- Export ---- */

/* MIG-10 */
START_TEST(test_export_is_refused_before_prepare)
{
	FAILS(world_export(world), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_migrate_until(world, WORLD_CONNECTED));
	FAILS(world_export(world), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* MIG-11, X-01 */
START_TEST(test_export_changes_nothing_when_the_machine_cannot_be_saved)
{
	const uint8_t *data;
	size_t size;

	OK(world_prepare_source(world));
	test_host_fail(source->host, "hcs.properties", 1, LCOWMIG_E_HOST_FAILED, 0, "no");
	FAILS(world_export(world), LCOWMIG_E_HOST_FAILED);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
	FAILS(lcowmig_migration_envelope(source->m, WORLD_SESSION, &data, &size, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_export(world));
}
END_TEST

/* MIG-12 */
START_TEST(test_export_encodes_the_session_without_pods)
{
	lcowmig__wire_sandbox wire;
	lcowmig__arena arena;
	size_t size;
	uint8_t small[4];

	OK(world_migrate_until(world, WORLD_EXPORTED));
	STATE(source, LCOWMIG_MIGRATION_SOURCE_EXPORTED);
	lcowmig__arena_init(&arena, &source->host->context->mem, 0);
	OK(lcowmig__wire_decode_sandbox(&arena, &source->host->context->limits, world->envelope, world->envelope_size, &wire,
					&world->error));
	ck_assert_str_eq(wire.vm.vm_id, "sb@vm");
	ck_assert_uint_eq(wire.n_pods, 0);
	ck_assert_uint_eq(wire.vm.compat_info.size, 6);
	lcowmig__arena_done(&arena);
	FAILS(lcowmig_migration_copy_envelope(source->m, WORLD_SESSION, small, sizeof small, &size, &world->error),
	      LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_uint_eq(size, world->envelope_size);
}
END_TEST

/* MIG-13, X-01: a pod that cannot be saved leaves nothing frozen, the machine's disks included. */
START_TEST(test_export_freezes_nothing_when_a_pod_cannot_be_saved)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_container *container;
	lcowmig_scsi *scsi;
	lcowmig_pod *pod;

	OK(world_prepare_source(world));
	pod = lcowmig__sandbox_find_pod(source->sandbox, "p1");
	container = lcowmig__pod_find(pod, "p1-c1");
	test_host_exit_process(source->host, lcowmig__process_pid(lcowmig__container_init(container)), 3);
	FAILS(world_export(world), LCOWMIG_E_FAILED_PRECONDITION);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
	ck_assert_int_eq(lcowmig__vm_scsi(source->sandbox->vm, &scsi, &error), LCOWMIG_OK);
	ck_assert(!lcowmig__scsi_is_migrating(scsi));
	ck_assert(!lcowmig__pod_is_migrating(pod));
	ck_assert(!lcowmig__pod_is_migrating(lcowmig__sandbox_find_pod(source->sandbox, "p0")));
}
END_TEST

/* what is in flight is named; once it is over, nothing stands against the migration. */
START_TEST(test_operation_in_flight_refuses_the_migration_by_name)
{
	test_done done = { 0 };

	test_host_hold(source->host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_vm_update_memory(source->sandbox->vm, 2048, test_on_done, &done, &world->error), LCOWMIG_PENDING);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "in flight"));
	test_host_hold(source->host, "hcs.modify", false);
	test_host_complete(source->host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	OK(world_migrate_until(world, WORLD_EXPORTED));
}
END_TEST

/* MIG-14, X-02 */
START_TEST(test_export_gives_the_same_bytes_when_repeated)
{
	uint8_t *first;
	size_t size;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	first = world->envelope;
	size = world->envelope_size;
	world->envelope = NULL;
	test_host_clear_log(source->host);
	OK(world_export(world));
	test_host_expect_log(source->host, "");
	ck_assert_uint_eq(size, world->envelope_size);
	ck_assert_mem_eq(first, world->envelope, size);
	free(first);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_EXPORTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migration");
	TCase *plain = tcase_create("session without pods");
	TCase *pods = tcase_create("session with pods");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(plain, set_up_empty, tear_down);
	tcase_set_timeout(plain, 60);
	tcase_add_checked_fixture(pods, set_up_pods, tear_down);
	tcase_set_timeout(pods, 60);
	tcase_add_test(plain, test_session_is_idle_when_new);
	tcase_add_test(plain, test_session_number_is_a_hash_of_the_id);
	tcase_add_test(plain, test_state_names_are_complete);
	tcase_add_test(plain, test_every_state_can_be_abandoned);
	tcase_add_loop_test(plain, test_empty_id_is_invalid_in_every_call, 0, N_CALLS_WITH_ID);
	tcase_add_loop_test(plain, test_foreign_id_is_invalid_in_every_call, 0, N_CALLS_WITH_ID);
	tcase_add_loop_test(plain, test_idle_refuses_what_needs_a_session, 0, N_CALLS_WITH_ID);
	tcase_add_test(plain, test_overlong_id_passes_a_limit);
	tcase_add_test(plain, test_check_reports_all_reasons_and_changes_nothing);
	tcase_add_test(plain, test_prepare_source_refuses_missing_arguments);
	tcase_add_test(plain, test_prepare_source_refuses_a_second_session);
	tcase_add_test(plain, test_prepare_source_stays_idle_when_the_host_fails);
	tcase_add_test(plain, test_prepare_source_records_the_session);
	tcase_add_test(plain, test_prepare_source_is_refused_with_all_reasons);
	tcase_add_test(plain, test_export_is_refused_before_prepare);
	tcase_add_test(plain, test_export_changes_nothing_when_the_machine_cannot_be_saved);
	tcase_add_test(plain, test_export_encodes_the_session_without_pods);
	tcase_add_test(pods, test_export_freezes_nothing_when_a_pod_cannot_be_saved);
	tcase_add_test(pods, test_operation_in_flight_refuses_the_migration_by_name);
	tcase_add_test(pods, test_export_gives_the_same_bytes_when_repeated);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, pods);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
