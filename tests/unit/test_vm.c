/* The VM controller, alone with a scripted host: creating it, starting it, and its end. */
#include "vm_fixture.h"

/* ---- Creating and starting ---- */

/* VM-01 */
START_TEST(test_vm_is_not_created_at_first_and_terminates_without_a_call)
{
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
	test_host_expect_log(host, "");
}
END_TEST

/* VM-02 */
START_TEST(test_vm_is_created_once)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_created();
	ck_assert_int_eq(state(), LCOWMIG_VM_CREATED);
	test_host_expect_log(host, "hcs.create test@vm " STANDARD "\nhcs.properties {}\n");
	ck_assert_str_eq(lcowmig_vm_id(vm), "test@vm");
	ck_assert_str_eq(lcowmig_vm_runtime_id(vm), "b1c2d3e4-0000-4000-8000-00000000cafe");
	ck_assert_int_eq(create_from(STANDARD, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "is Created; create needs NotCreated"));
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_vm_create_refuses_a_bad_document_before_asking_the_host)
{
	ck_assert_int_eq(lcowmig_vm_create(vm, NULL, 0, NULL, NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(create_from("{]", NULL), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(create_from("{}", NULL), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_vm_create_leaves_nothing_behind_when_it_fails_and_can_be_repeated)
{
	test_host_fail(host, "hcs.create", 1, LCOWMIG_E_HOST_FAILED, 0x8037010E, "no");
	ck_assert_int_eq(create_from(STANDARD, NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
	test_host_fail(host, "hcs.properties", 1, LCOWMIG_E_HOST_FAILED, 0x80370118, "no answer");
	ck_assert_int_eq(create_from(STANDARD, NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(test_host_count(host, "hcs.close"), 1);
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
	ck_assert_ptr_null(host->env.system);
	make_created();
}
END_TEST

START_TEST(test_vm_create_does_without_a_runtime_id_when_the_host_has_none)
{
	test_host_remove(host, "hcs.properties");
	make_created();
	ck_assert_str_eq(lcowmig_vm_runtime_id(vm), "");
}
END_TEST

/* A handle that does not close is kept for terminate. */
START_TEST(test_vm_create_ends_invalid_when_its_clean_up_fails)
{
	test_host_fail(host, "hcs.properties", 1, LCOWMIG_E_HOST_FAILED, 0x80370118, "no answer");
	test_host_fail(host, "hcs.close", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "stuck");
	ck_assert_int_eq(create_from(STANDARD, NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_INVALID);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
}
END_TEST

START_TEST(test_vm_create_closes_a_handle_that_comes_after_it_was_cancelled)
{
	test_done done = { 0 };
	lcowmig_vm_options options = standard_options();

	test_host_hold(host, "hcs.create", true);
	ck_assert_int_eq(lcowmig_vm_create(vm, STANDARD, strlen(STANDARD), &options, test_on_done, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
	test_host_complete(host, "hcs.create", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(test_host_count(host, "hcs.close"), 1);
}
END_TEST

/* VM-05 */
START_TEST(test_vm_start_listens_before_the_host_starts)
{
	make_created();
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	test_host_expect_log(host, "guest.prepare 1\nguest.prepare 109\nguest.prepare 1073741824\nhcs.start\nguest.log\nguest.entropy 512\n"
				   "guest.connect cold\n");
	ck_assert(host->env.has_guest && host->env.guest_supports_signals && host->env.guest_supports_namespaces);
	ck_assert_int_ne(lcowmig_vm_start_time(vm), 0);
}
END_TEST

/* VM-03 */
START_TEST(test_vm_start_is_a_no_op_when_running_and_refused_elsewhere)
{
	if (_i == LCOWMIG_VM_CREATED)
		return;
	make(_i);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, NULL, NULL),
			 _i == LCOWMIG_VM_RUNNING ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), _i);
	test_host_expect_log(host, "");
}
END_TEST

static const char *const start_calls[] = { "guest.prepare", "hcs.start", "guest.entropy", "guest.connect" };

/* VM-04 */
START_TEST(test_vm_start_leaves_invalid_when_a_step_fails_and_terminate_leads_on)
{
	test_done done = { 0 };

	make_created();
	test_host_fail(host, start_calls[_i], 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "no");
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, NULL, NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_INVALID);
	ck_assert(!host->env.has_guest);
	if (lcowmig_vm_terminate(vm, test_on_done, &done, NULL) == LCOWMIG_PENDING)
		exits();
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
}
END_TEST

START_TEST(test_vm_start_gives_up_when_the_guest_does_not_connect_in_two_minutes)
{
	test_done done = { 0 };

	make_created();
	test_host_hold(host, "guest.connect", true);
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, &done, NULL), LCOWMIG_PENDING);
	test_host_advance(host, SECONDS(119));
	ck_assert_int_eq(done.calls, 0);
	test_host_advance(host, SECONDS(1));
	ck_assert_int_eq(done.status, LCOWMIG_E_TIMED_OUT);
	ck_assert_int_eq(state(), LCOWMIG_VM_INVALID);
}
END_TEST

START_TEST(test_vm_start_seeds_nobody_when_the_host_has_no_entropy)
{
	test_host_remove(host, "guest.entropy");
	make_running();
	ck_assert_int_eq(test_host_count(host, "guest.prepare 1\n"), 0);
}
END_TEST

START_TEST(test_vm_start_gives_a_confidential_guest_its_policy)
{
	lcowmig_vm_policy policy = { sizeof policy, "rego", "cGFja2FnZQ==", NULL, NULL };

	ck_assert_int_eq(lcowmig_vm_set_policy(vm, &policy, NULL), LCOWMIG_OK);
	make_running();
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "\"ResourceType\":\"SecurityPolicy\",\"Settings\":{\"EnforcerType\":\"rego\""));
	ck_assert_int_eq(lcowmig_vm_set_policy(vm, NULL, NULL), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

START_TEST(test_vm_start_ends_when_the_machine_exits_meanwhile)
{
	test_done done = { 0 };

	make_created();
	test_host_hold(host, "guest.connect", true);
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, &done, NULL), LCOWMIG_PENDING);
	exits();
	ck_assert_int_eq(done.status, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_int_eq(ended_calls, 1);
}
END_TEST

/* ---- The end ---- */

/* VM-06 */
START_TEST(test_vm_terminate_asks_no_host_to_end_what_never_started)
{
	static const int never_started[] = { LCOWMIG_VM_CREATED, LCOWMIG_VM_DESTINATION_MIGRATION_CREATED,
					     LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED };

	make(never_started[_i]);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	test_host_expect_log(host, "guest.set_migrating false\nguest.close\nhcs.close\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_int_eq(ended_calls, 1);
}
END_TEST

/* */
START_TEST(test_vm_terminate_waits_for_the_exit)
{
	test_done done = { 0 };

	make_running();
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, &done, NULL), LCOWMIG_PENDING);
	test_host_expect_log(host, "guest.set_migrating false\nhcs.terminate\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
	exits();
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	test_host_expect_log(host, "guest.close\nhcs.close\n");
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_vm_terminate_closes_a_machine_whose_exit_is_never_reported)
{
	test_done done = { 0 };

	make_running();
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, &done, NULL), LCOWMIG_PENDING);
	test_host_advance(host, SECONDS(29));
	ck_assert_int_eq(done.calls, 0);
	test_host_advance(host, SECONDS(1));
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(test_host_count(host, "hcs.close"), 1);
}
END_TEST

START_TEST(test_vm_terminate_counts_a_machine_that_is_gone_as_ended)
{
	make_running();
	test_host_fail(host, "hcs.terminate", 1, LCOWMIG_E_HOST_FAILED, 0xC0370110, "already stopped");
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
}
END_TEST

START_TEST(test_vm_terminate_changes_nothing_when_the_host_refuses)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_running();
	test_host_fail(host, "hcs.terminate", 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "access denied");
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80070005);
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
	ck_assert_int_eq(ended_calls, 0);
}
END_TEST

/* VM-07 */
START_TEST(test_vm_terminate_leaves_invalid_when_the_handle_does_not_close_and_can_be_repeated)
{
	make_created();
	test_host_fail(host, "hcs.close", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "stuck");
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_INVALID);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_int_eq(ended_calls, 1);
}
END_TEST

/* VM-07 in every state that has a handle: Invalid, also when it does not close again, until it does. */
START_TEST(test_vm_handle_that_does_not_close_leaves_invalid_from_every_state)
{
	test_done done = { 0 };
	lcowmig_status status;
	unsigned i;

	make(_i);
	if (!host->env.system || _i == LCOWMIG_VM_TERMINATED)
		return;
	for (i = 1; i <= 2; i++)
		test_host_fail(host, "hcs.close", i, LCOWMIG_E_HOST_FAILED, 0x80004005, "stuck");
	for (i = 0; i < 3; i++) {
		memset(&done, 0, sizeof done);
		status = lcowmig_vm_terminate(vm, test_on_done, &done, NULL);
		if (status == LCOWMIG_PENDING) {
			test_host_advance(host, SECONDS(30)); /* its exit is not reported */
			ck_assert_int_eq(done.calls, 1);
			status = done.status;
		}
		ck_assert_int_eq(status, i < 2 ? LCOWMIG_E_HOST_FAILED : LCOWMIG_OK);
		ck_assert_int_eq(state(), i < 2 ? LCOWMIG_VM_INVALID : LCOWMIG_VM_TERMINATED);
	}
	ck_assert_int_eq(ended_calls, 1);
}
END_TEST

/* A destination that was created, could not be asked for its id, and does not close. */
START_TEST(test_vm_create_on_destination_keeps_a_handle_that_does_not_close)
{
	make_imported();
	test_host_fail(host, "hcs.properties", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no properties");
	test_host_fail(host, "hcs.close", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "stuck");
	ck_assert_int_eq(create_destination(NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_INVALID);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_ptr_null(host->env.system);
}
END_TEST

START_TEST(test_vm_terminate_twice_at_once_ends_it_once)
{
	test_done done[2] = { { 0 } };

	make_running();
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, &done[0], NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, &done[1], NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done[0]), LCOWMIG_OK); /* it cannot be */
	ck_assert_int_eq(done[0].calls, 0);
	exits();
	ck_assert_int_eq(done[0].calls + done[1].calls, 2);
	ck_assert_int_eq(done[0].status, LCOWMIG_OK);
	ck_assert_int_eq(done[1].status, LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "hcs.terminate"), 1);
	ck_assert_int_eq(test_host_count(host, "hcs.close"), 1);
}
END_TEST

/* SVC-24, X-52: from every state. */
START_TEST(test_vm_terminate_is_legal_in_every_state)
{
	test_done done = { 0 };

	make(_i);
	if (lcowmig_vm_terminate(vm, test_on_done, &done, NULL) == LCOWMIG_PENDING) {
		exits();
		ck_assert_int_eq(done.status, LCOWMIG_OK);
	}
	ck_assert_int_eq(state(), _i == LCOWMIG_VM_NOT_CREATED ? LCOWMIG_VM_NOT_CREATED : LCOWMIG_VM_TERMINATED);
	ck_assert_ptr_null(host->env.system);
}
END_TEST

/* VM-08, X-51 */
START_TEST(test_vm_exit_by_itself_terminates_and_closes_everything)
{
	bool has_handle = _i != LCOWMIG_VM_NOT_CREATED && _i != LCOWMIG_VM_TERMINATED && _i != LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED;

	make(_i);
	test_host_clear_log(host);
	exits();
	exits(); /* told twice */
	if (!has_handle) {
		ck_assert_int_eq(state(), _i);
		return;
	}
	test_host_expect_log(host, "guest.close\nhcs.close\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_int_eq(ended_calls, 1);
	ck_assert(!host->env.has_guest);
	ck_assert(!vm->scsi || !lcowmig__scsi_is_migrating(vm->scsi));
}
END_TEST

START_TEST(test_vm_exit_is_wound_down_later_when_memory_is_out)
{
	make_running();
	test_host_fail_allocation(host, 1, true);
	exit_with(NULL);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_int_eq(ended_calls, 1);
	test_host_advance(host, SECONDS(1));
	test_host_fail_allocation(host, 0, false);
	test_host_advance(host, SECONDS(1));
	ck_assert_int_eq(test_host_count(host, "guest.close"), 1);
	ck_assert_int_eq(test_host_count(host, "hcs.close"), 1);
}
END_TEST

START_TEST(test_vm_exit_leaves_a_handle_that_does_not_close_to_terminate)
{
	make_running();
	test_host_fail(host, "hcs.close", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "stuck");
	exits();
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert(!lcowmig__vm_is_free_to_go(vm, NULL));
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert(lcowmig__vm_is_free_to_go(vm, NULL));
}
END_TEST

/* VM-36 */
START_TEST(test_vm_wait_ends_with_the_machine)
{
	test_done done = { 0 };
	test_done cancelled = { 0 };

	ck_assert_int_eq(lcowmig_vm_wait(vm, test_on_done, NULL, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_hold(host, "guest.log", true);
	make_running();
	ck_assert_int_eq(lcowmig_vm_wait(vm, test_on_done, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_vm_wait(vm, test_on_done, &cancelled, NULL), LCOWMIG_PENDING);
	lcowmig_context_cancel(host->context, test_on_done, &cancelled);
	ck_assert_int_eq(cancelled.status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(done.calls, 0);
	exits(); /* closing the guest ends the log stream */
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_wait(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
}
END_TEST

/* VM-36 */
START_TEST(test_vm_wait_returns_at_once_when_nothing_was_created)
{
	make_imported();
	ck_assert_int_eq(lcowmig_vm_wait(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_wait(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	test_host_expect_log(host, "");
}
END_TEST

/* VM-37 */
START_TEST(test_vm_exit_status_is_had_once_it_is_terminated)
{
	lcowmig_vm_exit status = { .size = sizeof status };

	if (_i != LCOWMIG_VM_TERMINATED) {
		make(_i);
		ck_assert_int_eq(lcowmig_vm_exit_status(vm, &status, NULL), LCOWMIG_E_FAILED_PRECONDITION);
		return;
	}
	make_running();
	exit_with("{\"Status\":-1070137082,\"ExitType\":\"UnexpectedExit\"}");
	ck_assert_int_eq(lcowmig_vm_exit_status(vm, &status, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(status.hresult, 0xC0370106);
	ck_assert_uint_eq(status.unexpected, 1);
	ck_assert_int_ne(status.exited_at, 0);
	ck_assert_int_ne(status.started_at, 0);
}
END_TEST

/* VM-37 */
START_TEST(test_vm_exit_status_of_one_never_created_is_empty)
{
	lcowmig_vm_exit status = { .size = sizeof status, .hresult = 5 };

	make_imported();
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_exit_status(vm, &status, NULL), LCOWMIG_OK);
	ck_assert(!status.hresult && !status.unexpected && !status.exited_at && !status.started_at);
}
END_TEST

START_TEST(test_vm_exit_that_cannot_be_read_is_an_exit)
{
	lcowmig_vm_exit status = { .size = sizeof status };

	make_running();
	exit_with("{broken");
	ck_assert_int_eq(lcowmig_vm_exit_status(vm, &status, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(status.unexpected, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vm");
	TCase *tcase = tcase_create("vm");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_vm_is_not_created_at_first_and_terminates_without_a_call);
	tcase_add_test(tcase, test_vm_is_created_once);
	tcase_add_test(tcase, test_vm_create_refuses_a_bad_document_before_asking_the_host);
	tcase_add_test(tcase, test_vm_create_leaves_nothing_behind_when_it_fails_and_can_be_repeated);
	tcase_add_test(tcase, test_vm_create_does_without_a_runtime_id_when_the_host_has_none);
	tcase_add_test(tcase, test_vm_create_ends_invalid_when_its_clean_up_fails);
	tcase_add_test(tcase, test_vm_create_closes_a_handle_that_comes_after_it_was_cancelled);
	tcase_add_test(tcase, test_vm_start_listens_before_the_host_starts);
	tcase_add_loop_test(tcase, test_vm_start_is_a_no_op_when_running_and_refused_elsewhere, 0, N_STATES);
	tcase_add_loop_test(tcase, test_vm_start_leaves_invalid_when_a_step_fails_and_terminate_leads_on, 0, 4);
	tcase_add_test(tcase, test_vm_start_gives_up_when_the_guest_does_not_connect_in_two_minutes);
	tcase_add_test(tcase, test_vm_start_seeds_nobody_when_the_host_has_no_entropy);
	tcase_add_test(tcase, test_vm_start_gives_a_confidential_guest_its_policy);
	tcase_add_test(tcase, test_vm_start_ends_when_the_machine_exits_meanwhile);
	tcase_add_loop_test(tcase, test_vm_terminate_asks_no_host_to_end_what_never_started, 0, 3);
	tcase_add_test(tcase, test_vm_terminate_waits_for_the_exit);
	tcase_add_test(tcase, test_vm_terminate_closes_a_machine_whose_exit_is_never_reported);
	tcase_add_test(tcase, test_vm_terminate_counts_a_machine_that_is_gone_as_ended);
	tcase_add_test(tcase, test_vm_terminate_changes_nothing_when_the_host_refuses);
	tcase_add_test(tcase, test_vm_terminate_leaves_invalid_when_the_handle_does_not_close_and_can_be_repeated);
	tcase_add_loop_test(tcase, test_vm_handle_that_does_not_close_leaves_invalid_from_every_state, 0, N_STATES);
	tcase_add_test(tcase, test_vm_create_on_destination_keeps_a_handle_that_does_not_close);
	tcase_add_test(tcase, test_vm_terminate_twice_at_once_ends_it_once);
	tcase_add_loop_test(tcase, test_vm_terminate_is_legal_in_every_state, 0, N_STATES);
	tcase_add_loop_test(tcase, test_vm_exit_by_itself_terminates_and_closes_everything, 0, N_STATES);
	tcase_add_test(tcase, test_vm_exit_is_wound_down_later_when_memory_is_out);
	tcase_add_test(tcase, test_vm_exit_leaves_a_handle_that_does_not_close_to_terminate);
	tcase_add_test(tcase, test_vm_wait_ends_with_the_machine);
	tcase_add_test(tcase, test_vm_wait_returns_at_once_when_nothing_was_created);
	tcase_add_loop_test(tcase, test_vm_exit_status_is_had_once_it_is_terminated, 0, N_STATES);
	tcase_add_test(tcase, test_vm_exit_status_of_one_never_created_is_empty);
	tcase_add_test(tcase, test_vm_exit_that_cannot_be_read_is_an_exit);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
