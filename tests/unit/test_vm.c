/* The VM controller, alone with a scripted host. Its refusals and lying hosts: test_vm_refusals.c, test_vm_hosts.c. */
#include "vm_fixture.h"

#include "network/network.h"

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

/* ---- Operations of a running machine ---- */

/* VM-09 */
START_TEST(test_vm_operations_need_a_running_machine)
{
	lcowmig_status expected = _i == LCOWMIG_VM_RUNNING ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION;
	lcowmig_vm_cpu_limits limits = { .size = sizeof limits, .limit = 50000 };
	lcowmig_vm_stats stats = { .size = sizeof stats };
	const char *arguments[] = { "ls" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1 };
	int32_t code;

	make(_i);
	test_host_reply(host, "guest.rpc:10100601", "{\"Result\":0,\"ExitCode\":0}");
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 2048, test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_update_cpu(vm, &limits, test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_update_cpu_group(vm, "7e2a3e3c-0bb0-4d8a-9d1b-6f0c7b1f2a33", test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_update_policy_fragment(vm, "0oRYc6E=", NULL, test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_dump_stacks(vm, test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, NULL, NULL), expected);
	if (expected != LCOWMIG_OK)
		test_host_expect_log(host, "");
}
END_TEST

/* */
START_TEST(test_vm_update_reaches_host_guest_and_document)
{
	lcowmig_vm_cpu_limits limits = { .size = sizeof limits, .limit = 50000, .weight = 500 };
	char expected[] = STANDARD;

	make_running();
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 2047, test_on_done, NULL, NULL), LCOWMIG_OK);
	test_host_expect_log(host, "hcs.modify {\"ResourcePath\":\"VirtualMachine/ComputeTopology/Memory/SizeInMB\",\"Settings\":2048}\n"
				   "guest.rpc 0x10100a01 {\"ContainerId\":\"00000000-0000-0000-0000-000000000000\",\"ActivityId\":"
				   "\"00000000-0000-0000-0000-000000000000\",\"Request\":{\"RequestType\":\"Update\",\"ResourceType\":"
				   "\"PodCgroupMemoryLimit\"}}\n");
	memcpy(strstr(expected, "1024"), "2048", 4);
	ck_assert_str_eq(vm->document, expected); /* and not a byte besides */
	ck_assert_int_eq(lcowmig_vm_update_cpu(vm, &limits, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(vm->document, "\"Limit\":50000"));
	ck_assert_int_eq(lcowmig_vm_update_cpu_group(vm, "7e2a3e3c-0bb0-4d8a-9d1b-6f0c7b1f2a33", test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(vm->document, "7e2a3e3c-0bb0-4d8a-9d1b-6f0c7b1f2a33"));
	ck_assert_ptr_nonnull(strstr(vm->document, "9007199254740993"));
}
END_TEST

START_TEST(test_vm_update_changes_no_document_when_the_host_refuses)
{
	make_running();
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80070057, "too much");
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 4096, test_on_done, NULL, NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(vm->document, STANDARD);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 0, test_on_done, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_vm_update_cpu_group(vm, "", test_on_done, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

START_TEST(test_vm_updates_go_one_after_the_other)
{
	test_done done[2] = { { 0 } };

	make_running();
	test_host_hold(host, "hcs.modify", true);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 2048, test_on_done, &done[0], NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 512, test_on_done, &done[1], NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_host_count(host, "hcs.modify"), 1);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[0].calls, 1);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[1].status, LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(vm->document, "\"SizeInMB\":512"));
}
END_TEST

/* VM-10 */
START_TEST(test_vm_exec_refuses_a_terminal_with_stderr_in_every_state)
{
	const char *arguments[] = { "sh" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1, .terminal = 1, .stderr_path = "e" };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	int32_t code = 9;

	make(_i);
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "terminal"));
	ck_assert_int_eq(code, 9);
}
END_TEST

/* SVC-30 */
START_TEST(test_vm_exec_relays_waits_and_reports_the_exit_code)
{
	const char *arguments[] = { "ls", "-l" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 2, .stdout_path = "out" };
	test_done done = { 0 };
	int32_t code = 9;

	make_running();
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_host_count(host, "stdio.open test@vm '' '' 'out' ''"), 1);
	ck_assert_int_eq(test_host_count(host, "stdio.attach 0 1073741825 0"), 1);
	test_host_exit_process(host, 101, 3);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(code, 3);
	ck_assert_int_eq(test_host_count(host, "stdio.close"), 1);
	test_host_fail(host, "guest.rpc:10100501", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no such file");
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, &done, NULL), LCOWMIG_E_GUEST_FAILED);
	ck_assert_int_eq(code, -1);
}
END_TEST

START_TEST(test_vm_exec_is_killed_when_it_is_cancelled)
{
	const char *arguments[] = { "sleep" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1 };
	test_done done = { 0 };
	int32_t code = 9;

	make_running();
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, &done, NULL), LCOWMIG_PENDING);
	lcowmig_context_cancel(host->context, test_on_done, &done);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(test_host_count(host, "guest.rpc 0x10100701"), 1);
	ck_assert_int_eq(code, -1);
	test_host_exit_process(host, 101, 137);
}
END_TEST

START_TEST(test_vm_stats_are_read)
{
	lcowmig_vm_stats stats = { .size = sizeof stats };

	make_running();
	test_host_reply(host, "hcs.properties", "{\"Statistics\":{\"Processor\":{\"TotalRuntime100ns\":1234567}}}");
	test_host_reply(host, "hcs.properties",
			"{\"Memory\":{\"VirtualNodeCount\":1,\"VirtualMachineMemory\":{\"AvailableMemory\":7,\"AssignedMemory\":256,"
			"\"BalancingEnabled\":true}}}");
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(stats.processor_runtime_ns, 123456700);
	ck_assert_uint_eq(stats.working_set_bytes, 256 * 4096);
	ck_assert_uint_eq(stats.available_memory, 7);
	ck_assert_uint_eq(stats.virtual_node_count, 1);
	ck_assert_uint_eq(stats.balancing_enabled, 1);
	test_host_fail(host, "hcs.properties", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), LCOWMIG_E_HOST_FAILED);
}
END_TEST

START_TEST(test_vm_stacks_are_empty_when_the_guest_cannot)
{
	make_running();
	ck_assert_int_eq(lcowmig_vm_dump_stacks(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_vm_stacks(vm), "goroutine 1 [running]:\n");
	host->env.guest_supports_dump_stacks = false;
	ck_assert_int_eq(lcowmig_vm_dump_stacks(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_vm_stacks(vm), "");
}
END_TEST

START_TEST(test_vm_compatibility_is_had_while_running_and_as_a_source)
{
	bool legal = _i == LCOWMIG_VM_RUNNING || _i == LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED || _i == LCOWMIG_VM_SOURCE_MIGRATION_STARTED;
	size_t size = 0;

	make(_i);
	ck_assert_int_eq(lcowmig_vm_query_compatibility(vm, test_on_done, NULL, NULL), legal ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	if (!legal)
		return;
	ck_assert_int_eq(memcmp(lcowmig_vm_compatibility_info(vm, &size), "compat", 6), 0);
	ck_assert_uint_eq(size, 6);
	test_host_reply(host, "hcs.properties", "{}");
	ck_assert_int_eq(lcowmig_vm_query_compatibility(vm, test_on_done, NULL, NULL), LCOWMIG_E_HOST_FAILED);
}
END_TEST

/* VM-38 */
START_TEST(test_vm_runtime_id_is_told_in_created_and_running_only)
{
	bool told = _i == LCOWMIG_VM_CREATED || _i == LCOWMIG_VM_RUNNING;

	make(_i);
	ck_assert_str_eq(lcowmig_vm_runtime_id(vm), told ? "b1c2d3e4-0000-4000-8000-00000000cafe" : "");
}
END_TEST

static void see_disk(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	snprintf((char *)user + strlen(user), 200, "%u %s %u\n", (unsigned)slot, disk->host_path, (unsigned)disk->read_only);
}

/* VM-39 */
START_TEST(test_vm_scsi_is_built_from_the_document)
{
	lcowmig_scsi *scsi = NULL;
	lcowmig_scsi *again = NULL;
	char disks[400] = "";

	ck_assert_int_eq(lcowmig_vm_scsi(vm, &scsi, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	make_created();
	ck_assert_int_eq(lcowmig_vm_scsi(vm, &scsi, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_scsi(vm, &again, NULL), LCOWMIG_OK);
	ck_assert_ptr_eq(scsi, again);
	ck_assert_uint_eq(lcowmig__scsi_controllers(scsi), 2);
	lcowmig__scsi_each_disk(scsi, see_disk, disks);
	ck_assert_str_eq(disks, "0 C:\\rootfs.vhd 1\n");
}
END_TEST

START_TEST(test_vm_plan9_and_vpci_are_made_once)
{
	lcowmig_plan9 *plan9[2];
	lcowmig_vpci *vpci[2];

	make_running();
	ck_assert_int_eq(lcowmig_vm_plan9(vm, &plan9[0], NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_plan9(vm, &plan9[1], NULL), LCOWMIG_OK);
	ck_assert_ptr_eq(plan9[0], plan9[1]);
	ck_assert_int_eq(lcowmig_vm_vpci(vm, &vpci[0], NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_vpci(vm, &vpci[1], NULL), LCOWMIG_OK);
	ck_assert_ptr_eq(vpci[0], vpci[1]);
}
END_TEST

/* VM-40 */
START_TEST(test_vm_gives_its_routing_option_to_each_network)
{
	lcowmig_network *networks[2];
	size_t i;

	make_running();
	ck_assert(lcowmig__vm_policy_based_routing(vm));
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(lcowmig__network_new(&host->env, "ns", lcowmig__vm_policy_based_routing(vm), &networks[i], NULL),
				 LCOWMIG_OK);
	ck_assert_ptr_ne(networks[0], networks[1]);
	lcowmig__network_free(networks[0]);
	lcowmig__network_free(networks[1]);
}
END_TEST

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
START_TEST(test_vm_initialize_needs_the_log_relay_in_the_command_line)
{
	ck_assert_int_eq(create_from(DOCUMENT("quiet -- /bin/vsockexec -e 109 /bin/gcs", ""), NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(run(lcowmig__vm_initialize_source_flow(vm, NULL, NULL), NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
	ck_assert_int_eq(test_host_count(host, "hcs.initialize_migration"), 0);
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

static lcowmig_status save(lcowmig__arena *arena, lcowmig__wire_vm *wire, lcowmig_error *error)
{
	lcowmig_status status = run(lcowmig__vm_collect_flow(vm, NULL), error);

	if (status != LCOWMIG_OK)
		return status;
	test_enter(host);
	status = lcowmig__vm_capture(vm, arena, wire, error);
	test_leave(host);
	return status;
}

static lcowmig_status save_and_forget(lcowmig_error *error)
{
	lcowmig__wire_vm wire;
	lcowmig__arena arena;
	lcowmig_status status;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	status = save(&arena, &wire, error);
	lcowmig__arena_done(&arena);
	return status;
}

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

/* all reasons in one answer. */
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
	ck_assert_int_eq(run(lcowmig__vm_transfer_flow(vm, is_source, NULL), NULL), legal ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), legal ? LCOWMIG_VM_MIGRATION_TRANSFER_COMPLETED : _i);
	if (legal)
		test_host_expect_log(host,
				     is_source ? "hcs.transfer {\"Origin\":\"Source\"}\n" : "hcs.transfer {\"Origin\":\"Destination\"}\n");
}
END_TEST

/* ---- Destination ---- */

/* VM-18, X-10 */
START_TEST(test_vm_import_refuses_what_is_wrong_and_changes_nothing)
{
	lcowmig__wire_vm wire = standard_wire();

	wire.hcs_document.data = (const uint8_t *)"{\"a\":";
	wire.hcs_document.size = 5;
	ck_assert_int_eq(import(&wire, NULL), LCOWMIG_E_CORRUPT_DATA);
	wire = standard_wire();
	wire_disks[0].type = "Floppy";
	ck_assert_int_ne(import(&wire, NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
	ck_assert_ptr_null(vm->document);
	ck_assert_ptr_null(vm->scsi);
	make_imported();
	wire = standard_wire();
	ck_assert_int_eq(import(&wire, NULL), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* VM-18: envelope absent, of a foreign type, of another version, not decodable. */
START_TEST(test_vm_import_of_bytes_is_judged_before_the_controller)
{
	lcowmig__wire_vm wire;
	lcowmig__arena arena;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	ck_assert_int_eq(lcowmig__wire_decode_vm(&arena, NULL, NULL, 0, &wire, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__wire_decode_vm(&arena, NULL, (const uint8_t *)"\x0a\x01x", 3, &wire, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__wire_decode_vm(&arena, NULL, (const uint8_t *)"\xff\xff", 2, &wire, NULL), LCOWMIG_E_CORRUPT_DATA);
	lcowmig__arena_done(&arena);
}
END_TEST

/* VM-19 */
START_TEST(test_vm_import_restores_the_options)
{
	const lcowmig__container_vm *for_containers;
	lcowmig_vm_stats stats = { .size = sizeof stats };
	const char *architecture;
	lcowmig_scsi *scsi;

	make_destination_finalized();
	ck_assert_int_eq(lcowmig_vm_architecture(vm, &architecture, NULL), LCOWMIG_OK);
	ck_assert_str_eq(architecture, "amd64");
	for_containers = lcowmig__vm_for_containers(vm);
	ck_assert(for_containers->scratch_encryption(for_containers->user));
	ck_assert_int_eq(for_containers->scsi(for_containers->user, &scsi, NULL), LCOWMIG_OK);
	ck_assert(lcowmig__vm_policy_based_routing(vm));
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, false, NULL), NULL), LCOWMIG_OK);
	test_host_reply(host, "hcs.properties", "{}");
	test_host_reply(host, "hcs.properties", "{\"Memory\":{\"VirtualMachineMemory\":{\"AssignedMemory\":2}}}");
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(stats.working_set_bytes, 8192);
}
END_TEST

/* VM-20 */
START_TEST(test_vm_create_on_destination_needs_a_document_and_sound_options)
{
	lcowmig__migration_options options = { .memory_transport = LCOWMIG__TRANSPORT_UNSPECIFIED };
	lcowmig__wire_vm wire = standard_wire();

	wire.hcs_document.size = 0;
	ck_assert_int_eq(import(&wire, NULL), LCOWMIG_OK);
	ck_assert_int_eq(create_destination(NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED);
	settle();
	lcowmig__vm_free(vm);
	vm_new();
	make_imported();
	ck_assert_int_eq(run(lcowmig__vm_create_destination_flow(vm, "dest@vm", &options, NULL), NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(test_host_count(host, "hcs.create"), 0);
}
END_TEST

/* VM-21, VM-22, X-06, X-07 */
START_TEST(test_vm_create_on_destination_stamps_a_copy)
{
	lcowmig__repoint repoint = { NULL, 0, "D:\\here.vhd", false, false, 0 };

	make_imported();
	ck_assert_int_eq(lcowmig__scsi_repoint(vm->scsi, &repoint, 1, NULL), LCOWMIG_OK);
	test_host_fail(host, "hcs.create", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(create_destination(NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(vm->document, STANDARD);
	test_host_clear_log(host);
	ck_assert_int_eq(create_destination(NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_CREATED);
	ck_assert_int_eq(test_host_count(host, "hcs.create dest@vm "), 1);
	ck_assert_str_eq(lcowmig_vm_id(vm), "dest@vm");
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "\"MigrationOptions\":{\"Origin\":\"Destination\",\"MemoryTransport\":\"TCP\","
							  "\"CompatibilityData\":{\"Data\":\"Y29tcGF0\"}}"));
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "D:\\\\here.vhd"));
	ck_assert_ptr_null(strstr(test_host_log(host), "C:\\\\rootfs.vhd"));
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "\\\\\\\\.\\\\PHYSICALDRIVE1"));
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "9007199254740993"));
	ck_assert_str_eq(vm->document, STANDARD);
}
END_TEST

/* VM-23 */
START_TEST(test_vm_patch_grants_access_to_every_file)
{
	make_destination_created();
	test_host_clear_log(host);
	test_host_fail(host, "hcs.grant_access", 2, LCOWMIG_E_HOST_FAILED, 0x80070005, "denied");
	ck_assert_int_eq(run(lcowmig__vm_patch_flow(vm, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_CREATED);
	test_host_clear_log(host);
	ck_assert_int_eq(run(lcowmig__vm_patch_flow(vm, NULL), NULL), LCOWMIG_OK);
	test_host_expect_log(host, "hcs.grant_access dest@vm C:\\rootfs.vhd\nhcs.grant_access dest@vm \\\\.\\PHYSICALDRIVE1\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED);
}
END_TEST

/* VM-23 */
START_TEST(test_vm_patch_is_legal_once_created_on_the_destination)
{
	make(_i);
	ck_assert_int_eq(run(lcowmig__vm_patch_flow(vm, NULL), NULL),
			 _i == LCOWMIG_VM_DESTINATION_MIGRATION_CREATED ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* VM-23 */
START_TEST(test_vm_patch_needs_scsi)
{
	lcowmig__wire_vm wire = standard_wire();

	wire.has_scsi = false;
	wire.hcs_document.data = (const uint8_t *)NO_SCSI;
	wire.hcs_document.size = strlen(NO_SCSI);
	ck_assert_int_eq(import(&wire, NULL), LCOWMIG_OK);
	ck_assert_int_eq(create_destination(NULL), LCOWMIG_OK);
	ck_assert_int_eq(run(lcowmig__vm_patch_flow(vm, NULL), NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* VM-24 */
START_TEST(test_vm_start_on_destination_listens_first)
{
	make(_i);
	test_host_clear_log(host);
	if (_i != LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED) {
		ck_assert_int_eq(run(lcowmig__vm_start_destination_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_E_FAILED_PRECONDITION);
		test_host_expect_log(host, "");
		return;
	}
	test_host_fail(host, "hcs.start", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(run(lcowmig__vm_start_destination_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED);
	test_host_clear_log(host);
	ck_assert_int_eq(run(lcowmig__vm_start_destination_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_OK);
	test_host_expect_log(
		host, "guest.prepare 1073741824\nhcs.start {\"DestinationMigrationOptions\":{\"NetworkSettings\":{\"SessionId\":7}}}\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_STARTED);
}
END_TEST

/* ---- Finalize ---- */

static bool may_finalize(int from)
{
	return from == LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED || from == LCOWMIG_VM_SOURCE_MIGRATION_STARTED ||
	       from == LCOWMIG_VM_DESTINATION_MIGRATION_CREATED || from == LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED ||
	       from == LCOWMIG_VM_DESTINATION_MIGRATION_STARTED || from == LCOWMIG_VM_MIGRATION_TRANSFER_COMPLETED;
}

/* VM-25 */
START_TEST(test_vm_stop_on_source_thaws_clears_migrating_and_waits_for_the_exit)
{
	test_done done = { 0 };

	make_initialized();
	ck_assert_int_eq(save_and_forget(NULL), LCOWMIG_OK);
	test_enter(host);
	lcowmig__vm_freeze(vm);
	test_leave(host);
	ck_assert_int_eq(run(lcowmig__vm_start_source_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(run(lcowmig__vm_transfer_flow(vm, true, NULL), NULL), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(test_run(host, lcowmig__vm_finalize_flow(vm, true, false, NULL), &done, NULL), LCOWMIG_PENDING);
	ck_assert(!lcowmig__scsi_is_migrating(vm->scsi));
	exits();
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	test_host_expect_log(host, "hcs.finalize_migration {\"Origin\":\"Source\",\"FinalizedOperation\":\"Stop\"}\n"
				   "guest.set_migrating false\nguest.close\nhcs.close\n");
	ck_assert_int_eq(ended_calls, 1);
}
END_TEST

/* VM-26, VM-27, and the states of both. */
START_TEST(test_vm_finalize_is_legal_while_migrating)
{
	bool is_source = _i == LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED || _i == LCOWMIG_VM_SOURCE_MIGRATION_STARTED;
	test_done done = { 0 };
	lcowmig_status status;

	make(_i);
	status = test_run(host, lcowmig__vm_finalize_flow(vm, is_source, false, NULL), &done, NULL);
	if (!may_finalize(_i)) {
		ck_assert_int_eq(status, LCOWMIG_E_FAILED_PRECONDITION);
		ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, is_source, true, NULL), NULL), LCOWMIG_E_FAILED_PRECONDITION);
		ck_assert_int_eq(state(), _i);
		return;
	}
	if (status == LCOWMIG_PENDING) {
		exits();
		status = done.status;
	}
	ck_assert_int_eq(status, LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_int_eq(ended_calls, 1);
}
END_TEST

/* */
START_TEST(test_vm_stop_terminates_a_machine_that_does_not_end)
{
	test_done done = { 0 };

	make_transferred();
	ck_assert_int_eq(test_run(host, lcowmig__vm_finalize_flow(vm, false, false, NULL), &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_host_count(host, "hcs.terminate"), 0);
	test_host_advance(host, SECONDS(30));
	ck_assert_int_eq(test_host_count(host, "hcs.terminate"), 1);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_TRANSFER_COMPLETED);
	exits();
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
}
END_TEST

/* */
START_TEST(test_vm_stop_goes_on_from_where_it_stood_and_rules_out_a_resume)
{
	test_done done = { 0 };

	make_transferred();
	test_host_fail(host, "hcs.terminate", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(test_run(host, lcowmig__vm_finalize_flow(vm, false, false, NULL), &done, NULL), LCOWMIG_PENDING);
	test_host_advance(host, SECONDS(30));
	ck_assert_int_eq(done.status, LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, false, true, NULL), NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(test_run(host, lcowmig__vm_finalize_flow(vm, false, false, NULL), &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_host_count(host, "hcs.finalize_migration"), 1);
	exits();
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

/* VM-27: from wherever a migration stood when it was given up. */
START_TEST(test_vm_finalize_with_resume_from_every_migrating_state)
{
	bool is_source = _i == LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED || _i == LCOWMIG_VM_SOURCE_MIGRATION_STARTED;

	if (!may_finalize(_i))
		return;
	make(_i);
	test_host_fail(host, "hcs.finalize_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, is_source, true, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), _i);
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, is_source, true, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_FINALIZED);
}
END_TEST

/* VM-27 */
START_TEST(test_vm_finalize_with_resume_happens_once_and_can_be_repeated_after_a_failure)
{
	make_transferred();
	test_host_fail(host, "hcs.finalize_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, false, true, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_TRANSFER_COMPLETED);
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, false, true, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_FINALIZED);
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, false, true, NULL), NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, false, false, NULL), NULL), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* ---- Resume ---- */

/* VM-28, X-42 */
START_TEST(test_vm_resume_is_a_no_op_when_running_and_refused_elsewhere)
{
	if (_i == LCOWMIG_VM_MIGRATION_FINALIZED)
		return;
	make(_i);
	test_host_clear_log(host);
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, true, NULL), NULL),
			 _i == LCOWMIG_VM_RUNNING ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), _i);
	test_host_expect_log(host, "");
}
END_TEST

/* VM-29, X-44: any answer of the guest will do, an error too. */
START_TEST(test_vm_resume_on_source_keeps_a_live_connection_once_it_is_proven)
{
	make_source_finalized();
	test_host_clear_log(host);
	if (_i == 1)
		test_host_fail(host, "guest.rpc:10100901", 1, LCOWMIG_E_GUEST_FAILED, 0x80070057, "null GUID");
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, true, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "guest.rpc 0x10100901"), 1);
	ck_assert_int_eq(test_host_count(host, "guest.prepare"), 0);
	ck_assert_int_eq(test_host_count(host, "guest.resume"), 0);
	ck_assert_int_eq(test_host_count(host, "guest.raise"), 0);
	ck_assert_int_eq(test_host_count(host, "guest.set_migrating false"), 1);
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
}
END_TEST

/* */
START_TEST(test_vm_resume_on_source_rebuilds_a_connection_that_does_not_answer)
{
	test_done done = { 0 };

	make_source_finalized();
	test_host_clear_log(host);
	test_host_hold(host, "guest.rpc:10100901", true);
	ck_assert_int_eq(test_run(host, lcowmig__vm_resume_flow(vm, true, NULL), &done, NULL), LCOWMIG_PENDING);
	test_host_advance(host, SECONDS(10));
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "guest.resume"), 1);
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
	test_host_complete(host, "guest.rpc:10100901", LCOWMIG_OK, 0, NULL);
}
END_TEST

/* VM-30, VM-32 */
START_TEST(test_vm_resume_on_source_swaps_the_transport_after_a_blackout)
{
	make_source_finalized();
	test_host_disconnect(host);
	test_host_clear_log(host);
	test_host_hold(host, "guest.log", true); /* nobody waits for it */
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, true, NULL), NULL), LCOWMIG_OK);
	test_host_expect_log(host, "guest.prepare 1073741824\nguest.resume\nguest.prepare 109\nguest.set_migrating false\nguest.log\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
}
END_TEST

/* VM-31, VM-32, X-39 */
START_TEST(test_vm_resume_on_destination_connects_warm_and_raises_the_floors)
{
	make_destination_finalized();
	ck_assert(lcowmig__scsi_is_migrating(vm->scsi));
	test_host_clear_log(host);
	test_host_hold(host, "guest.prepare", true); /* of the log: nobody waits for it */
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, false, NULL), NULL), LCOWMIG_OK);
	test_host_expect_log(host, "guest.connect warm\nguest.prepare 109\nguest.set_migrating false\nguest.raise_port 1073741833\n"
				   "guest.raise_request_id 77\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
	ck_assert(!lcowmig__scsi_is_migrating(vm->scsi));
	ck_assert(host->env.has_guest);
	ck_assert_int_ne(lcowmig_vm_start_time(vm), 0);
	test_host_complete(host, "guest.prepare", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(test_host_count(host, "guest.log"), 1);
}
END_TEST

/* VM-33 */
START_TEST(test_vm_resume_failing_leaves_finalized_and_can_be_repeated)
{
	test_done done = { 0 };

	make_destination_finalized();
	test_host_hold(host, "guest.log", true);
	test_host_fail(host, "guest.connect", 1, LCOWMIG_E_HOST_FAILED, 0, "no");
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, false, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_FINALIZED);
	ck_assert(lcowmig__scsi_is_migrating(vm->scsi));
	test_host_hold(host, "guest.connect", true);
	ck_assert_int_eq(test_run(host, lcowmig__vm_resume_flow(vm, false, NULL), &done, NULL), LCOWMIG_PENDING);
	test_host_advance(host, SECONDS(120));
	ck_assert_int_eq(done.status, LCOWMIG_E_TIMED_OUT);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_FINALIZED);
	test_host_complete(host, "guest.connect", LCOWMIG_E_HOST_FAILED, 0, NULL);
	test_host_hold(host, "guest.connect", false);
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, false, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "guest.log"), 1); /* armed once */
	ck_assert_int_eq(test_host_count(host, "guest.raise_request_id 77"), 1);
}
END_TEST

START_TEST(test_vm_resume_ends_when_the_machine_exits_meanwhile)
{
	test_done done = { 0 };

	make_destination_finalized();
	test_host_hold(host, "guest.connect", true);
	ck_assert_int_eq(test_run(host, lcowmig__vm_resume_flow(vm, false, NULL), &done, NULL), LCOWMIG_PENDING);
	exits();
	ck_assert_int_eq(done.status, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert(!host->env.has_guest);
}
END_TEST

/* A to B, and on from B: the document has no trace of the first migration. */
START_TEST(test_vm_migrates_on_with_the_document_it_came_with)
{
	lcowmig__wire_vm wire;
	lcowmig__arena arena;

	make_destination_finalized();
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, false, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(run(lcowmig__vm_initialize_source_flow(vm, NULL, NULL), NULL), LCOWMIG_OK);
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	ck_assert_int_eq(save(&arena, &wire, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(wire.hcs_document.size, strlen(STANDARD));
	ck_assert_int_eq(memcmp(wire.hcs_document.data, STANDARD, strlen(STANDARD)), 0);
	ck_assert_uint_eq(wire.scsi.n_disks, 3);
	ck_assert_str_eq(wire.vm_id, "dest@vm");
	lcowmig__arena_done(&arena);
}
END_TEST

/* ---- Cancel ---- */

/* VM-34, VM-35: what can be told to cancel has a handle, and so a stream of events. */
START_TEST(test_vm_cancel_needs_a_handle_and_changes_no_state)
{
	bool legal = _i != LCOWMIG_VM_NOT_CREATED && _i != LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED && _i != LCOWMIG_VM_TERMINATED;
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make(_i);
	test_host_clear_log(host);
	if (legal)
		test_host_fail(host, "hcs.cancel_migration", 2, LCOWMIG_E_HOST_FAILED, 0x80370105, "invalid state");
	ck_assert_int_eq(run(lcowmig__vm_cancel_flow(vm, true, NULL), NULL), legal ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), _i);
	test_host_expect_log(host, legal ? "hcs.cancel_migration {\"Origin\":\"Source\"}\n" : "");
	if (!legal)
		return;
	ck_assert_int_eq(run(lcowmig__vm_cancel_flow(vm, true, NULL), &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80370105);
}
END_TEST

/* VM-34, X-30 */
START_TEST(test_vm_cancel_does_not_wait_for_a_transfer)
{
	test_done transfer = { 0 };

	make_source_started();
	test_host_hold(host, "hcs.transfer", true);
	ck_assert_int_eq(test_run(host, lcowmig__vm_transfer_flow(vm, true, NULL), &transfer, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(run(lcowmig__vm_cancel_flow(vm, true, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(transfer.calls, 0);
	test_host_complete(host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0x800704C7, NULL);
	ck_assert_int_eq(transfer.status, LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_SOURCE_MIGRATION_STARTED);
}
END_TEST

/* terminate gets through a transfer that hangs. */
START_TEST(test_vm_terminate_does_not_wait_for_a_transfer)
{
	test_done transfer = { 0 };
	test_done terminate = { 0 };

	make_source_started();
	test_host_hold(host, "hcs.transfer", true);
	ck_assert_int_eq(test_run(host, lcowmig__vm_transfer_flow(vm, true, NULL), &transfer, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, &terminate, NULL), LCOWMIG_PENDING);
	exits();
	ck_assert_int_eq(terminate.status, LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	test_host_complete(host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(transfer.status, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
}
END_TEST

/* ---- Memory ---- */

static void walk_through(lcowmig_status *worst)
{
	static const char document[] = STANDARD;
	lcowmig_vm_options options = standard_options();
	test_done done = { 0 };

	*worst = lcowmig_vm_create(vm, document, strlen(document), &options, test_on_done, NULL, NULL);
	if (*worst == LCOWMIG_OK)
		*worst = lcowmig_vm_start(vm, test_on_done, NULL, NULL);
	if (*worst == LCOWMIG_OK)
		*worst = lcowmig_vm_update_memory(vm, 2048, test_on_done, NULL, NULL);
	if (*worst == LCOWMIG_OK)
		*worst = run(lcowmig__vm_initialize_source_flow(vm, NULL, NULL), NULL);
	if (*worst == LCOWMIG_OK)
		*worst = save_and_forget(NULL);
	if (*worst == LCOWMIG_OK)
		*worst = run(lcowmig__vm_start_source_flow(vm, NULL, 7, NULL), NULL);
	if (*worst == LCOWMIG_OK)
		*worst = run(lcowmig__vm_finalize_flow(vm, true, true, NULL), NULL);
	if (*worst == LCOWMIG_OK)
		*worst = run(lcowmig__vm_resume_flow(vm, true, NULL), NULL);
	if (*worst != LCOWMIG_OK)
		return;
	*worst = lcowmig_vm_terminate(vm, test_on_done, &done, NULL);
	if (*worst == LCOWMIG_PENDING) {
		exits();
		*worst = done.status;
	}
}

/* Any allocation may fail: the failure says so, and the machine can be terminated all the same. */
START_TEST(test_vm_survives_running_out_of_memory_anywhere)
{
	lcowmig_status worst = LCOWMIG_E_NO_MEMORY;
	unsigned nth;

	for (nth = 1; nth < 2000 && worst != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		walk_through(&worst);
		test_host_fail_allocation(host, 0, false);
		ck_assert_msg(worst == LCOWMIG_OK || worst == LCOWMIG_E_NO_MEMORY, "allocation %u: %s", nth, lcowmig_status_name(worst));
		settle();
		ck_assert_ptr_null(host->env.system);
		lcowmig__vm_free(vm);
		vm_new();
	}
	ck_assert_int_eq(worst, LCOWMIG_OK);
}
END_TEST

START_TEST(test_vm_destination_survives_running_out_of_memory_anywhere)
{
	lcowmig_status worst = LCOWMIG_E_NO_MEMORY;
	unsigned nth;

	for (nth = 1; nth < 2000 && worst != LCOWMIG_OK; nth++) {
		lcowmig__wire_vm wire = standard_wire();

		test_host_fail_allocation(host, nth, false);
		worst = import(&wire, NULL);
		if (worst == LCOWMIG_OK)
			worst = create_destination(NULL);
		if (worst == LCOWMIG_OK)
			worst = run(lcowmig__vm_patch_flow(vm, NULL), NULL);
		if (worst == LCOWMIG_OK)
			worst = run(lcowmig__vm_start_destination_flow(vm, NULL, 7, NULL), NULL);
		if (worst == LCOWMIG_OK)
			worst = run(lcowmig__vm_transfer_flow(vm, false, NULL), NULL);
		if (worst == LCOWMIG_OK)
			worst = run(lcowmig__vm_finalize_flow(vm, false, true, NULL), NULL);
		if (worst == LCOWMIG_OK)
			worst = run(lcowmig__vm_resume_flow(vm, false, NULL), NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert_msg(worst == LCOWMIG_OK || worst == LCOWMIG_E_NO_MEMORY, "allocation %u: %s", nth, lcowmig_status_name(worst));
		settle();
		lcowmig__vm_free(vm);
		vm_new();
	}
	ck_assert_int_eq(worst, LCOWMIG_OK);
}
END_TEST

/* ---- The table ---- */

START_TEST(test_vm_table_has_no_row_twice_and_no_way_out_of_terminated)
{
	const lcowmig__machine *machine = &lcowmig__vm_machine;
	size_t i, j;

	for (i = 0; i < machine->n_rows; i++) {
		for (j = i + 1; j < machine->n_rows; j++)
			ck_assert(machine->rows[i].from != machine->rows[j].from || machine->rows[i].trigger != machine->rows[j].trigger);
		if (machine->rows[i].from == LCOWMIG__VM_TERMINATED)
			ck_assert_int_eq(machine->rows[i].to, LCOWMIG__VM_TERMINATED);
	}
	ck_assert_str_eq(lcowmig_vm_state_name(LCOWMIG_VM_MIGRATION_FINALIZED), "MigrationFinalized");
	ck_assert_str_eq(lcowmig_vm_state_name((lcowmig_vm_state)99), "UNKNOWN");
}
END_TEST

static TCase *case_new(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_life_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "life");

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
}

static void add_operation_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "operations");

	tcase_add_loop_test(tcase, test_vm_operations_need_a_running_machine, 0, N_STATES);
	tcase_add_test(tcase, test_vm_update_reaches_host_guest_and_document);
	tcase_add_test(tcase, test_vm_update_changes_no_document_when_the_host_refuses);
	tcase_add_test(tcase, test_vm_updates_go_one_after_the_other);
	tcase_add_loop_test(tcase, test_vm_exec_refuses_a_terminal_with_stderr_in_every_state, 0, N_STATES);
	tcase_add_test(tcase, test_vm_exec_relays_waits_and_reports_the_exit_code);
	tcase_add_test(tcase, test_vm_exec_is_killed_when_it_is_cancelled);
	tcase_add_test(tcase, test_vm_stats_are_read);
	tcase_add_test(tcase, test_vm_stacks_are_empty_when_the_guest_cannot);
	tcase_add_loop_test(tcase, test_vm_compatibility_is_had_while_running_and_as_a_source, 0, N_STATES);
	tcase_add_loop_test(tcase, test_vm_runtime_id_is_told_in_created_and_running_only, 0, N_STATES);
	tcase_add_test(tcase, test_vm_scsi_is_built_from_the_document);
	tcase_add_test(tcase, test_vm_plan9_and_vpci_are_made_once);
	tcase_add_test(tcase, test_vm_gives_its_routing_option_to_each_network);
}

static void add_source_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "source");

	tcase_add_loop_test(tcase, test_vm_initialize_needs_running, 0, N_STATES);
	tcase_add_test(tcase, test_vm_initialize_needs_the_log_relay_in_the_command_line);
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
}

static void add_destination_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "destination");

	tcase_add_test(tcase, test_vm_import_refuses_what_is_wrong_and_changes_nothing);
	tcase_add_test(tcase, test_vm_import_of_bytes_is_judged_before_the_controller);
	tcase_add_test(tcase, test_vm_import_restores_the_options);
	tcase_add_test(tcase, test_vm_create_on_destination_needs_a_document_and_sound_options);
	tcase_add_test(tcase, test_vm_create_on_destination_stamps_a_copy);
	tcase_add_test(tcase, test_vm_patch_grants_access_to_every_file);
	tcase_add_loop_test(tcase, test_vm_patch_is_legal_once_created_on_the_destination, 0, N_STATES);
	tcase_add_test(tcase, test_vm_patch_needs_scsi);
	tcase_add_loop_test(tcase, test_vm_start_on_destination_listens_first, 0, N_STATES);
}

static void add_finalize_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "finalize, resume, cancel");

	tcase_add_test(tcase, test_vm_stop_on_source_thaws_clears_migrating_and_waits_for_the_exit);
	tcase_add_loop_test(tcase, test_vm_finalize_is_legal_while_migrating, 0, N_STATES);
	tcase_add_loop_test(tcase, test_vm_finalize_with_resume_from_every_migrating_state, 0, N_STATES);
	tcase_add_test(tcase, test_vm_stop_terminates_a_machine_that_does_not_end);
	tcase_add_test(tcase, test_vm_stop_goes_on_from_where_it_stood_and_rules_out_a_resume);
	tcase_add_test(tcase, test_vm_finalize_with_resume_happens_once_and_can_be_repeated_after_a_failure);
	tcase_add_loop_test(tcase, test_vm_resume_is_a_no_op_when_running_and_refused_elsewhere, 0, N_STATES);
	tcase_add_loop_test(tcase, test_vm_resume_on_source_keeps_a_live_connection_once_it_is_proven, 0, 2);
	tcase_add_test(tcase, test_vm_resume_on_source_rebuilds_a_connection_that_does_not_answer);
	tcase_add_test(tcase, test_vm_resume_on_source_swaps_the_transport_after_a_blackout);
	tcase_add_test(tcase, test_vm_resume_on_destination_connects_warm_and_raises_the_floors);
	tcase_add_test(tcase, test_vm_resume_failing_leaves_finalized_and_can_be_repeated);
	tcase_add_test(tcase, test_vm_resume_ends_when_the_machine_exits_meanwhile);
	tcase_add_test(tcase, test_vm_migrates_on_with_the_document_it_came_with);
	tcase_add_loop_test(tcase, test_vm_cancel_needs_a_handle_and_changes_no_state, 0, N_STATES);
	tcase_add_test(tcase, test_vm_cancel_does_not_wait_for_a_transfer);
	tcase_add_test(tcase, test_vm_terminate_does_not_wait_for_a_transfer);
	tcase_add_test(tcase, test_vm_survives_running_out_of_memory_anywhere);
	tcase_add_test(tcase, test_vm_destination_survives_running_out_of_memory_anywhere);
	tcase_add_test(tcase, test_vm_table_has_no_row_twice_and_no_way_out_of_terminated);
}

int main(void)
{
	Suite *suite = suite_create("vm");
	SRunner *runner;
	int failed;

	add_life_tests(suite);
	add_operation_tests(suite);
	add_source_tests(suite);
	add_destination_tests(suite);
	add_finalize_tests(suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
