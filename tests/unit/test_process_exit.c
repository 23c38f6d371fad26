/* The process controller against the scripted host: its exit, waiting for it, delete and abort. */
#include "process_fixture.h"

/* ---- Exit ---- */

/* PROC-48, X-62 */
START_TEST(test_process_exit_status_is_unknown_when_the_guest_cannot_tell)
{
	static const struct {
		lcowmig_status status;
		uint32_t hresult;
	} answers[] = { { LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_ELEMENT_NOT_FOUND },
			{ LCOWMIG_E_UNAVAILABLE, 0 },
			{ LCOWMIG_E_HOST_FAILED, 1 } };

	become(PROCESS_RUNNING);
	test_host_complete(host, "guest.rpc:10100601", answers[_i].status, answers[_i].hresult, NULL);
	assert_state("Terminated");
	ck_assert_uint_eq(process->exit_status, LCOWMIG_EXIT_UNKNOWN);
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* The output has a second to get upstream. */
START_TEST(test_process_exit_waits_for_the_output_with_a_bound)
{
	become(PROCESS_RUNNING);
	test_host_hold(host, "stdio.drain", true);
	test_host_exit_process(host, 101, 0);
	assert_state("Running");
	test_host_advance(host, UINT64_C(999000000));
	assert_state("Running");
	test_host_advance(host, UINT64_C(2000000));
	assert_state("Terminated");
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* it could not be followed on the other side. */
START_TEST(test_process_save_is_refused_while_it_is_exiting)
{
	lcowmig__wire_process wire;

	become(PROCESS_RUNNING);
	test_host_hold(host, "stdio.drain", true);
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(capture(&wire), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("exiting");
	test_host_complete(host, "stdio.drain", LCOWMIG_OK, 0, NULL);
	assert_state("Terminated");
}
END_TEST

START_TEST(test_process_exit_comes_through_when_memory_is_out)
{
	replace(make("e1"));
	ck_assert_int_eq(create(), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	test_host_clear_log(host);
	test_host_fail_allocation(host, 1, true);
	test_host_exit_process(host, 101, 7);
	assert_state("Running"); /* the answer found no memory: it is asked for again */
	test_host_advance(host, PROCESS_RETRY_NS);
	assert_state("Running");
	test_host_fail_allocation(host, 0, false);
	test_host_advance(host, PROCESS_RETRY_NS);
	ck_assert_uint_eq(test_host_count(host, WAIT), 1);
	test_host_exit_process(host, 101, 7);
	assert_state("Terminated");
	ck_assert_uint_eq(test_host_count(host, "event exit c1 e1 101 7"), 1);
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* Whoever frees a process that is ending does not cut its output off, and its stdio is closed once. */
START_TEST(test_process_stdio_is_closed_once_when_it_is_freed_while_ending)
{
	become(PROCESS_RUNNING);
	test_host_hold(host, "stdio.drain", true);
	test_host_exit_process(host, 101, 0);
	replace(NULL);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 0);
	if (_i)
		test_host_advance(host, PROCESS_DRAIN_NS);
	test_host_complete(host, "stdio.drain", LCOWMIG_OK, 0, NULL);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
	ck_assert_int_eq(exits, 0);
}
END_TEST

/* A delete that comes while the exit is under way waits for it. */
START_TEST(test_process_delete_waits_until_the_exit_is_told)
{
	test_done done = { 0 };

	become(PROCESS_RUNNING);
	test_host_hold(host, "stdio.drain", true);
	test_host_exit_process(host, 101, 6);
	ck_assert_int_eq(delete_it(), LCOWMIG_E_FAILED_PRECONDITION); /* it runs until its output is through */
	ck_assert_int_eq(lcowmig_process_wait(process, test_on_done, &done, &error), LCOWMIG_PENDING);
	test_host_complete(host, "stdio.drain", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(delete_it(), LCOWMIG_OK);
	ck_assert_uint_eq(process->exit_status, 6);
}
END_TEST

START_TEST(test_process_hint_asks_once_whether_it_has_exited)
{
	become(PROCESS_RUNNING);
	test_host_hold(host, "guest.rpc:10100601", true);
	test_enter(host);
	lcowmig__process_hint_exit(process);
	lcowmig__process_hint_exit(process);
	test_leave(host);
	ck_assert_uint_eq(test_host_count(host, PROBE), 1);
	test_host_hold(host, "guest.rpc:10100601", false);
	test_host_complete(host, "guest.rpc:10100601", LCOWMIG_E_UNAVAILABLE, 0, NULL); /* the watch's, the older one */
	test_host_complete(host, "guest.rpc:10100601", LCOWMIG_OK, 0, "{\"Result\":0,\"ExitCode\":9}");
	assert_state("Terminated");
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* ---- Wait, delete ---- */

/* PROC-18 */
START_TEST(test_process_wait_ends_with_the_process_or_when_it_is_cancelled)
{
	test_done first = { 0 }, second = { 0 }, third = { 0 };
	lcowmig__wire_process wire;

	become(PROCESS_RUNNING);
	ck_assert_int_eq(lcowmig_process_wait(process, test_on_done, &first, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_process_wait(process, test_on_done, &second, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_process_wait(process, test_on_done, &third, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(capture(&wire), LCOWMIG_OK); /* who waits does not stand in the way */
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &third), LCOWMIG_OK);
	ck_assert_int_eq(third.status, LCOWMIG_E_CANCELLED);
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(first.calls, 1);
	ck_assert_int_eq(first.status, LCOWMIG_OK);
	ck_assert_int_eq(second.calls, 1);
	ck_assert_int_eq(third.calls, 1);
	ck_assert_int_eq(lcowmig_process_wait(process, NULL, NULL, &error), LCOWMIG_OK);
}
END_TEST

START_TEST(test_process_wait_ends_when_the_process_is_freed)
{
	test_done done = { 0 };

	become(PROCESS_RUNNING);
	ck_assert_int_eq(lcowmig_process_wait(process, test_on_done, &done, &error), LCOWMIG_PENDING);
	replace(NULL);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
}
END_TEST

/* PROC-19, PROC-20, PROC-21 */
START_TEST(test_process_delete_is_for_those_that_do_not_run)
{
	bool is_allowed = _i == PROCESS_CREATED || _i == PROCESS_TERMINATED;

	become(_i);
	ck_assert_int_eq(delete_it(), is_allowed ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	if (!is_allowed) {
		ck_assert_int_eq(process->object.state, _i);
		return;
	}
	assert_state("Terminated");
	ck_assert(process->exited.is_set);
	ck_assert_uint_eq(process->exit_status, _i == PROCESS_CREATED ? 0 : 3);
	test_host_expect_log(host, _i == PROCESS_CREATED ? "stdio.close\n" : "");
}
END_TEST

/* ---- Abort ---- */

/* PROC-41 */
START_TEST(test_process_abort_changes_nothing_unless_imported)
{
	become(_i);
	abort_process();
	ck_assert_int_eq(process->object.state, _i);
	test_host_expect_log(host, "");
}
END_TEST

/* PROC-42, X-50 */
START_TEST(test_process_abort_terminates_with_137)
{
	test_done done = { 0 };

	if (_i)
		become_patched();
	else
		become_imported();
	ck_assert_int_eq(lcowmig_process_wait(process, test_on_done, &done, &error), LCOWMIG_PENDING);
	abort_process();
	assert_state("Terminated");
	ck_assert_uint_eq(process->exit_status, 137);
	ck_assert_int_eq(done.calls, 1);
	test_host_expect_log(host, _i ? "stdio.close\n" : "");
	abort_process();
	ck_assert_int_eq(kill_it(true), LCOWMIG_OK);
	ck_assert_int_eq(delete_it(), LCOWMIG_OK);
}
END_TEST

/* An abort does not close stdio under the host's feet, nor is it undone by what it interrupts. */
START_TEST(test_process_abort_during_a_resume_wins)
{
	test_done done = { 0 };

	become_patched();
	test_host_hold(host, "stdio.attach", true);
	ck_assert_int_eq(test_run(host, lcowmig__process_resume_flow(process, true, &error), &done, &error), LCOWMIG_PENDING);
	abort_process();
	assert_state("Terminated");
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 0);
	test_host_complete(host, "stdio.attach", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
	assert_state("Terminated");
	ck_assert_uint_eq(process->exit_status, 137);
	test_host_complete(host, "guest.adopt", LCOWMIG_OK, 0, "{\"Result\":0,\"ExitCode\":5}");
	ck_assert_uint_eq(process->exit_status, 137);
	ck_assert_int_eq(exits, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process exit");
	TCase *tcase = tcase_create("process exit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_process_exit_status_is_unknown_when_the_guest_cannot_tell, 0, 3);
	tcase_add_test(tcase, test_process_exit_waits_for_the_output_with_a_bound);
	tcase_add_test(tcase, test_process_exit_comes_through_when_memory_is_out);
	tcase_add_loop_test(tcase, test_process_stdio_is_closed_once_when_it_is_freed_while_ending, 0, 2);
	tcase_add_test(tcase, test_process_delete_waits_until_the_exit_is_told);
	tcase_add_test(tcase, test_process_hint_asks_once_whether_it_has_exited);
	tcase_add_test(tcase, test_process_wait_ends_with_the_process_or_when_it_is_cancelled);
	tcase_add_test(tcase, test_process_wait_ends_when_the_process_is_freed);
	tcase_add_loop_test(tcase, test_process_delete_is_for_those_that_do_not_run, 0, PROCESS_STATES);
	tcase_add_test(tcase, test_process_save_is_refused_while_it_is_exiting);
	tcase_add_loop_test(tcase, test_process_abort_changes_nothing_unless_imported, 0, PROCESS_DESTINATION_MIGRATING);
	tcase_add_loop_test(tcase, test_process_abort_changes_nothing_unless_imported, PROCESS_SOURCE_MIGRATING, PROCESS_STATES);
	tcase_add_loop_test(tcase, test_process_abort_terminates_with_137, 0, 2);
	tcase_add_test(tcase, test_process_abort_during_a_resume_wins);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
