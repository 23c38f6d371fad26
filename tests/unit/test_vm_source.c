/* The VM controller as a source: initialize, save and check, start, transfer. */
#include "vm_fixture.h"

/* ---- Source ---- */

/* VM-11 */
START_TEST(test_vm_initialize_needs_running)
{
	make(_i);
	test_host_clear_log(host);
	ck_assert_int_eq(run(lcowmig__vm_initialize_source_flow(vm, NULL, NULL), NULL),
			 _i == LCOWMIG_VM_RUNNING ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), _i == LCOWMIG_VM_RUNNING ? LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED : _i);
	ck_assert_int_eq(test_host_count(host, "hcs.initialize_migration {\"Origin\":\"Source\"}\n"), _i == LCOWMIG_VM_RUNNING);
}
END_TEST

/* VM-11 */
START_TEST(test_vm_initialize_failing_leaves_it_running)
{
	make_running();
	test_host_fail(host, "hcs.initialize_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80370105, "no");
	ck_assert_int_eq(run(lcowmig__vm_initialize_source_flow(vm, NULL, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
	ck_assert_int_eq(run(lcowmig__vm_initialize_source_flow(vm, NULL, NULL), NULL), LCOWMIG_OK);
}
END_TEST

/* */
START_TEST(test_vm_initialize_waits_for_an_update_in_progress)
{
	test_done update = { 0 };
	test_done initialize = { 0 };

	make_running();
	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 2048, test_on_done, &update, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_run(host, lcowmig__vm_initialize_source_flow(vm, NULL, NULL), &initialize, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_host_count(host, "hcs.initialize_migration"), 0);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(update.status, LCOWMIG_OK);
	ck_assert_int_eq(initialize.status, LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED);
}
END_TEST

/* VM-13 */
START_TEST(test_vm_save_is_legal_once_initialized)
{
	make(_i);
	ck_assert_int_eq(save_and_forget(NULL), _i == LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), _i);
}
END_TEST

/* VM-12, VM-14, X-02, X-05 */
START_TEST(test_vm_save_carries_everything_and_gives_equal_bytes_each_time)
{
	lcowmig__buf bytes[2];
	lcowmig__wire_vm wire;
	lcowmig__arena arena;
	size_t i;

	make_initialized();
	ck_assert_ptr_null(vm->scsi); /* no disk was ever asked for */
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	for (i = 0; i < 2; i++) {
		lcowmig__buf_init(&bytes[i], &host->context->mem);
		ck_assert_int_eq(save(&arena, &wire, NULL), LCOWMIG_OK);
		ck_assert_int_eq(lcowmig__wire_encode_vm(&bytes[i], &wire, NULL), LCOWMIG_OK);
		test_enter(host);
		lcowmig__vm_freeze(vm);
		test_leave(host);
		ck_assert_int_eq(state(), LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED);
	}
	ck_assert_uint_eq(bytes[0].size, bytes[1].size);
	ck_assert_int_eq(memcmp(bytes[0].data, bytes[1].data, bytes[0].size), 0);
	ck_assert_str_eq(wire.vm_id, "test@vm");
	ck_assert(wire.has_options && wire.no_writable_file_shares && wire.policy_based_routing && wire.fully_physically_backed);
	ck_assert_str_eq(wire.architecture, "amd64");
	ck_assert_int_eq(memcmp(wire.compat_info.data, "compat", 6), 0);
	ck_assert_uint_eq(wire.hcs_document.size, strlen(STANDARD));
	ck_assert_int_eq(memcmp(wire.hcs_document.data, STANDARD, strlen(STANDARD)), 0);
	ck_assert(wire.has_scsi);
	ck_assert_uint_eq(wire.scsi.num_controllers, 2);
	ck_assert_uint_eq(wire.scsi.n_disks, 1);
	ck_assert_uint_eq(wire.gcs_next_port, 0x40000001);
	ck_assert_int_eq(wire.bridge_next_id, 1);
	ck_assert(lcowmig__scsi_is_migrating(vm->scsi));
	lcowmig__buf_done(&bytes[0]);
	lcowmig__buf_done(&bytes[1]);
	lcowmig__arena_done(&arena);
}
END_TEST

/* VM-14 */
START_TEST(test_vm_save_has_no_floors_without_a_connection)
{
	lcowmig__wire_vm wire;
	lcowmig__arena arena;

	make_initialized();
	host->env.has_guest = false;
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	ck_assert_int_eq(save(&arena, &wire, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(wire.gcs_next_port, 0);
	ck_assert_int_eq(wire.bridge_next_id, 0);
	lcowmig__arena_done(&arena);
}
END_TEST

static void collect_reason(void *user, const char *reason)
{
	snprintf((char *)user + strlen(user), 1000, "%s\n", reason);
}

/* VM-15, X-01, X-03 */
START_TEST(test_vm_save_refuses_shares_and_devices_and_freezes_nothing)
{
	lcowmig_share_config share = { .size = sizeof share, .host_path = "C:\\share", .read_only = 1 };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_plan9 *plan9;
	lcowmig_vpci *vpci;
	char reasons[4000] = "";
	lcowmig_guid guid;

	make_initialized();
	test_enter(host);
	if (_i == 0) {
		ck_assert_int_eq(lcowmig__vm_plan9(vm, &plan9, NULL), LCOWMIG_OK);
		ck_assert_int_eq(lcowmig__plan9_reserve(plan9, &share, true, &guid, NULL), LCOWMIG_OK);
	} else {
		ck_assert_int_eq(lcowmig__vm_vpci(vm, &vpci, NULL), LCOWMIG_OK);
		ck_assert_int_eq(lcowmig__vpci_reserve(vpci, "PCIP\\VEN_10DE", 0, &guid, NULL), LCOWMIG_OK);
	}
	lcowmig__vm_check(vm, collect_reason, reasons);
	test_leave(host);
	ck_assert_str_ne(reasons, "");
	ck_assert_int_eq(save_and_forget(&error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert(!vm->scsi || !lcowmig__scsi_is_migrating(vm->scsi));
	ck_assert_int_eq(state(), LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED);
}
END_TEST

/* VM-11, X-03: all reasons in one answer, which prepare source asks for before the machine's initialize. */
START_TEST(test_vm_check_names_every_reason)
{
	const char *arguments[] = { "sleep" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1 };
	lcowmig_vm_options options = standard_options();
	char reasons[4000] = "";
	test_done done = { 0 };
	int32_t code;

	options.confidential = 1;
	ck_assert_int_eq(lcowmig_vm_create(vm, DOCUMENT("quiet", ",\"Plan9\":{}"), strlen(DOCUMENT("quiet", ",\"Plan9\":{}")), &options,
					   test_on_done, NULL, NULL),
			 LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, &done, NULL), LCOWMIG_PENDING);
	test_enter(host);
	lcowmig__vm_check(vm, collect_reason, reasons);
	test_leave(host);
	ck_assert_ptr_nonnull(strstr(reasons, "/bin/vsockexec -r -e 109"));
	ck_assert_ptr_nonnull(strstr(reasons, "confidential"));
	ck_assert_ptr_nonnull(strstr(reasons, "Plan9"));
	ck_assert_ptr_nonnull(strstr(reasons, "exec into the virtual machine"));
	test_host_exit_process(host, 101, 0);
}
END_TEST

START_TEST(test_vm_check_has_no_reason_against_a_plain_machine)
{
	char reasons[4000] = "";

	make_running();
	test_enter(host);
	lcowmig__vm_check(vm, collect_reason, reasons);
	test_leave(host);
	ck_assert_str_eq(reasons, "");
}
END_TEST

/* */
START_TEST(test_vm_save_refuses_while_an_exec_is_in_progress)
{
	const char *arguments[] = { "sleep" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1 };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	test_done done = { 0 };
	int32_t code;

	make_running();
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(run(lcowmig__vm_initialize_source_flow(vm, NULL, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(save_and_forget(&error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "exec into the virtual machine"));
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(save_and_forget(NULL), LCOWMIG_OK);
}
END_TEST

/* VM-16 */
START_TEST(test_vm_start_source_sets_migrating_before_the_host_is_asked)
{
	make_initialized();
	test_host_clear_log(host);
	test_host_fail(host, "hcs.start_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(run(lcowmig__vm_start_source_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	test_host_expect_log(host, "guest.set_migrating true\nhcs.start_migration {\"NetworkSettings\":{\"SessionId\":7}}\n"
				   "guest.set_migrating false\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED);
	ck_assert_int_eq(run(lcowmig__vm_start_source_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_SOURCE_MIGRATION_STARTED);
}
END_TEST

/* VM-17 */
START_TEST(test_vm_transfer_needs_a_started_side)
{
	bool legal = _i == LCOWMIG_VM_SOURCE_MIGRATION_STARTED || _i == LCOWMIG_VM_DESTINATION_MIGRATION_STARTED;
	bool is_source = _i == LCOWMIG_VM_SOURCE_MIGRATION_STARTED;

	make(_i);
	test_host_clear_log(host);
	ck_assert_int_eq(run(lcowmig__vm_transfer_flow(vm, NULL), NULL), legal ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), legal ? LCOWMIG_VM_MIGRATION_TRANSFER_COMPLETED : _i);
	if (legal)
		test_host_expect_log(host,
				     is_source ? "hcs.transfer {\"Origin\":\"Source\"}\n" : "hcs.transfer {\"Origin\":\"Destination\"}\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vm source");
	TCase *tcase = tcase_create("vm source");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_vm_initialize_needs_running, 0, N_STATES);
	tcase_add_test(tcase, test_vm_initialize_failing_leaves_it_running);
	tcase_add_test(tcase, test_vm_initialize_waits_for_an_update_in_progress);
	tcase_add_loop_test(tcase, test_vm_save_is_legal_once_initialized, 0, N_STATES);
	tcase_add_test(tcase, test_vm_save_carries_everything_and_gives_equal_bytes_each_time);
	tcase_add_test(tcase, test_vm_save_has_no_floors_without_a_connection);
	tcase_add_loop_test(tcase, test_vm_save_refuses_shares_and_devices_and_freezes_nothing, 0, 2);
	tcase_add_test(tcase, test_vm_check_names_every_reason);
	tcase_add_test(tcase, test_vm_check_has_no_reason_against_a_plain_machine);
	tcase_add_test(tcase, test_vm_save_refuses_while_an_exec_is_in_progress);
	tcase_add_test(tcase, test_vm_start_source_sets_migrating_before_the_host_is_asked);
	tcase_add_loop_test(tcase, test_vm_transfer_needs_a_started_side, 0, N_STATES);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
