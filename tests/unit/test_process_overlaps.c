/* What overlaps in a process: its exit, what is done to it meanwhile, and what it needs when memory is out. */
#include "process_fixture.h"

/* ---- The host is in the middle of a call ---- */

static void (*act_inside)(void);

static void close_stdin_and_act(void *user, void *stdio)
{
	void (*act)(void) = act_inside;

	act_inside = NULL;
	if (act)
		act();
}

/* `act` runs while the host closes the process's stdin, which keeps the stdio handle in use. */
static void while_stdin_is_closed(void (*act)(void))
{
	host->env.stdio.close_stdin = close_stdin_and_act;
	act_inside = act;
	ck_assert_int_eq(lcowmig_process_close_stdin(process, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert(!act_inside);
}

static test_done inner;

static void exit_and_resume(void)
{
	test_host_exit_process(host, 101, 5);
	assert_state("SourceMigrating");
	ck_assert_int_eq(test_run(host, lcowmig__process_resume_flow(process, false, &error), &inner, &error), LCOWMIG_PENDING);
}

/* The exit comes through before the rollback that waits behind it: there is nothing to resume, and nothing went wrong. */
START_TEST(test_process_resume_accepts_an_exit_that_overtakes_it)
{
	become(PROCESS_SOURCE_MIGRATING);
	inner = (test_done){ 0 };
	host->env.stdio.drain = NULL;
	while_stdin_is_closed(exit_and_resume);
	ck_assert_int_eq(inner.calls, 1);
	ck_assert_int_eq(inner.status, LCOWMIG_OK);
	assert_state("Terminated");
	ck_assert_uint_eq(process->exit_status, 5);
	ck_assert_int_eq(exits, 1);
	test_host_expect_log(host, "stdio.close\n");
}
END_TEST

/* The same with output that is still on its way: the process runs again, until that is through. */
START_TEST(test_process_resume_leaves_a_draining_process_to_its_exit)
{
	become(PROCESS_SOURCE_MIGRATING);
	test_host_hold(host, "stdio.drain", true);
	test_host_exit_process(host, 101, 5);
	ck_assert_int_eq(resume(false), LCOWMIG_OK);
	assert_state("Running");
	ck_assert_int_eq(exits, 0);
	test_host_complete(host, "stdio.drain", LCOWMIG_OK, 0, NULL);
	assert_state("Terminated");
	ck_assert_int_eq(exits, 1);
	test_host_expect_log(host, "stdio.drain\nstdio.close\n");
}
END_TEST

static void resume_inside(void)
{
	ck_assert_int_eq(test_run(host, lcowmig__process_resume_flow(process, false, &error), &inner, &error), LCOWMIG_PENDING);
	if (inner.hresult)
		ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &inner), LCOWMIG_OK);
}

/* While the host is at the handle nobody else may be; a resume waits, and a cancelled one has changed nothing. */
START_TEST(test_process_resume_waits_until_the_stdio_is_free)
{
	become(PROCESS_SOURCE_MIGRATING);
	inner = (test_done){ .hresult = _i != 0 };
	while_stdin_is_closed(resume_inside);
	ck_assert_int_eq(inner.calls, 1);
	ck_assert_int_eq(inner.status, _i ? LCOWMIG_E_CANCELLED : LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "stdio.attach"), _i == 0);
	assert_state(_i ? "SourceMigrating" : "Running");
	ck_assert_int_eq(resume(false), LCOWMIG_OK);
	assert_state("Running");
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(exits, 1);
}
END_TEST

static void patch_twice(void)
{
	ck_assert_int_eq(patch("m"), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 0); /* the host is at it */
	ck_assert_int_eq(patch("o"), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1); /* the one between, which nobody uses */
}

START_TEST(test_process_patches_close_each_stdio_once_while_it_is_in_use)
{
	become_patched();
	while_stdin_is_closed(patch_twice);
	ck_assert_str_eq(lcowmig_process_container_id(process), "o");
	ck_assert_uint_eq(test_host_count(host, "stdio.open"), 2);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 2);
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	assert_state("Running");
}
END_TEST

static void (*close_really)(void *user, void *stdio);

static void close_and_act(void *user, void *stdio)
{
	assert_state("Terminated");
	ck_assert_int_eq(exits, 0);
	act_inside();
	close_really(user, stdio);
}

static void delete_inside(void)
{
	ck_assert_int_eq(test_run(host, lcowmig__process_delete_flow(process, &error), &inner, &error), LCOWMIG_PENDING);
	if (inner.hresult)
		ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &inner), LCOWMIG_OK);
}

/* Terminated comes before the exit is told; a delete waits for the latter. */
START_TEST(test_process_delete_waits_for_the_close_of_its_stdio)
{
	become(PROCESS_RUNNING);
	inner = (test_done){ .hresult = _i != 0 };
	act_inside = delete_inside;
	close_really = host->env.stdio.close;
	host->env.stdio.close = close_and_act;
	test_host_exit_process(host, 101, 6);
	ck_assert_int_eq(inner.calls, 1);
	ck_assert_int_eq(inner.status, _i ? LCOWMIG_E_CANCELLED : LCOWMIG_OK);
	ck_assert_int_eq(exits, 1);
	ck_assert_int_eq(delete_it(), LCOWMIG_OK);
	ck_assert_uint_eq(process->exit_status, 6);
}
END_TEST

static void close_again(void)
{
	ck_assert_int_eq(lcowmig_process_close_stdin(process, test_on_done, &inner, &error), LCOWMIG_PENDING);
	if (inner.hresult)
		ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &inner), LCOWMIG_OK);
}

START_TEST(test_process_stdin_is_closed_by_one_at_a_time)
{
	become(PROCESS_RUNNING);
	inner = (test_done){ .hresult = _i != 0 };
	while_stdin_is_closed(close_again);
	ck_assert_int_eq(inner.calls, 1);
	ck_assert_int_eq(inner.status, _i ? LCOWMIG_E_CANCELLED : LCOWMIG_OK);
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* Whatever is asked of a process that is busy waits for its turn, and is judged by what the process is then. */
START_TEST(test_process_operations_take_turns)
{
	test_done kill_done = { 0 }, resize_done = { 0 }, delete_done = { 0 };

	ck_assert_int_eq(create_terminal(), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	test_host_hold(host, "guest.rpc:10100701", true);
	ck_assert_int_eq(lcowmig_process_kill(process, 9, test_on_done, &kill_done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_process_resize(process, 80, 25, test_on_done, &resize_done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(test_run(host, lcowmig__process_delete_flow(process, &error), &delete_done, &error), LCOWMIG_PENDING);
	ck_assert_ptr_null(strstr(test_host_log(host), "\"Width\":80"));
	if (_i)
		test_host_exit_process(host, 101, 9);
	test_host_complete(host, "guest.rpc:10100701", LCOWMIG_OK, 0, "{}");
	ck_assert_int_eq(kill_done.status, LCOWMIG_OK);
	ck_assert_int_eq(resize_done.calls, 1);
	ck_assert_int_eq(resize_done.status, _i ? LCOWMIG_E_FAILED_PRECONDITION : LCOWMIG_OK);
	ck_assert_int_eq(delete_done.calls, 1);
	ck_assert_int_eq(delete_done.status, _i ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	assert_state(_i ? "Terminated" : "Running");
}
END_TEST

/* ---- Exits ---- */

/* A process whose output is on its way is as dead as was asked for. */
START_TEST(test_process_kill_asks_nothing_of_a_process_that_is_exiting)
{
	become(PROCESS_RUNNING);
	test_host_hold(host, "stdio.drain", true);
	test_host_exit_process(host, 101, 3);
	ck_assert_int_eq(kill_it(true), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, SIGNAL), 0);
	test_host_complete(host, "stdio.drain", LCOWMIG_OK, 0, NULL);
	assert_state("Terminated");
	ck_assert_uint_eq(process->exit_status, 3);
}
END_TEST

static void hint(void)
{
	test_enter(host);
	lcowmig__process_hint_exit(process);
	test_leave(host);
}

START_TEST(test_process_hint_asks_nothing_when_the_exit_is_known)
{
	become(PROCESS_RUNNING);
	test_host_hold(host, "stdio.drain", true);
	test_host_exit_process(host, 101, 3);
	hint();
	ck_assert_uint_eq(test_host_count(host, PROBE), 0);
	test_host_complete(host, "stdio.drain", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* A hint that finds no memory is only said; the next one is followed, and the watch is there all the time. */
START_TEST(test_process_hint_without_memory_loses_no_exit)
{
	become(PROCESS_RUNNING);
	test_host_fail_allocation(host, 1, false);
	hint();
	ck_assert(!process->is_probing);
	test_host_expect_log(host, "");
	if (_i) {
		test_host_reply(host, "guest.rpc:10100601", "{\"Result\":0,\"ExitCode\":9}");
		hint();
	} else {
		test_host_exit_process(host, 101, 9);
	}
	assert_state("Terminated");
	ck_assert_uint_eq(process->exit_status, 9);
	ck_assert_int_eq(exits, 1);
}
END_TEST

static void become_probing_again(void)
{
	become_patched();
	test_host_hold(host, "guest.rpc:10100601", true);
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	test_host_advance(host, PROCESS_PROBE_NS);
	test_host_complete(host, "guest.rpc:10100601", LCOWMIG_E_UNAVAILABLE, 0, NULL); /* too late */
	ck_assert(process->is_probing);
	test_host_clear_log(host);
}

/* The probe is about to be repeated, and may not: the process is frozen. A rollback makes up for it. */
START_TEST(test_process_probe_stops_at_a_freeze_and_goes_on_after_a_rollback)
{
	become_probing_again();
	freeze();
	test_host_advance(host, PROCESS_RETRY_NS);
	ck_assert(!process->is_probing);
	test_host_expect_log(host, "");
	test_host_hold(host, "guest.rpc:10100601", false);
	test_host_reply(host, "guest.rpc:10100601", "{\"Result\":0,\"ExitCode\":11}");
	ck_assert_int_eq(resume(false), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, PROBE), 1);
	assert_state("Terminated");
	ck_assert_uint_eq(process->exit_status, 11);
	ck_assert_int_eq(exits, 1);
}
END_TEST

START_TEST(test_process_probe_stops_when_the_watch_has_answered)
{
	become_probing_again();
	test_host_hold(host, "stdio.drain", true);
	test_host_exit_process(host, 101, 4);
	test_host_advance(host, PROCESS_RETRY_NS);
	ck_assert(!process->is_probing);
	ck_assert_uint_eq(test_host_count(host, PROBE), 0);
	test_host_complete(host, "stdio.drain", LCOWMIG_OK, 0, NULL);
	ck_assert_uint_eq(process->exit_status, 4);
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* Whoever frees a process takes its probe along, whether that waits for the guest or for its next try. */
START_TEST(test_process_probe_ends_when_the_process_is_freed)
{
	become_probing_again();
	if (_i)
		test_host_advance(host, PROCESS_RETRY_NS);
	replace(NULL);
	test_host_clear_log(host);
	test_host_advance(host, PROCESS_PROBE_NS + PROCESS_RETRY_NS);
	test_host_expect_log(host, "");
	if (_i)
		test_host_complete(host, "guest.rpc:10100601", LCOWMIG_OK, 0, "{\"Result\":0,\"ExitCode\":1}");
	test_host_complete(host, "guest.adopt", LCOWMIG_E_UNAVAILABLE, 0, NULL);
	ck_assert_int_eq(exits, 0);
}
END_TEST

/* The same for a watch that waits for memory. */
START_TEST(test_process_watch_ends_when_the_process_is_freed_before_it_asks_again)
{
	become(PROCESS_RUNNING);
	test_host_fail_allocation(host, 1, true);
	test_host_exit_process(host, 101, 7);
	test_host_fail_allocation(host, 0, false);
	assert_state("Running");
	replace(NULL);
	test_host_clear_log(host);
	test_host_advance(host, PROCESS_RETRY_NS);
	test_host_expect_log(host, "");
	ck_assert_int_eq(exits, 0);
}
END_TEST

/* The connection over which it was adopted goes while its stdio is attached, and memory with it: it waits for the next resume. */
START_TEST(test_process_resume_fails_without_memory_to_adopt_again)
{
	test_done done = { 0 };

	become_patched();
	test_host_hold(host, "stdio.attach", true);
	ck_assert_int_eq(test_run(host, lcowmig__process_resume_flow(process, true, &error), &done, &error), LCOWMIG_PENDING);
	test_host_complete(host, "guest.adopt", LCOWMIG_E_UNAVAILABLE, 0, NULL);
	test_host_fail_allocation(host, 1, true);
	test_host_complete(host, "stdio.attach", LCOWMIG_OK, 0, NULL);
	test_host_fail_allocation(host, 0, false);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_NO_MEMORY);
	assert_state("DestinationMigrating");
	test_host_hold(host, "stdio.attach", false);
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.adopt 57"), 2);
	test_host_exit_process(host, 101, 2);
	assert_state("Terminated");
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* A wait that could not be adopted for want of memory is asked for again, but not of a guest that has gone meanwhile. */
START_TEST(test_process_watch_does_not_adopt_without_a_guest_once_it_runs)
{
	bool has_failed = false;
	unsigned nth;

	for (nth = 1; nth < 10 && !has_failed; nth++) {
		become_patched();
		test_enter(host);
		test_host_fail_allocation(host, nth, false);
		if (lcowmig__process_adopt(process, &error) != LCOWMIG_OK) {
			test_leave(host);
			continue;
		}
		test_leave(host);
		has_failed = test_host_count(host, "guest.adopt") == 0;
		test_host_fail_allocation(host, 0, false);
	}
	ck_assert(has_failed);
	test_host_hold(host, "guest.rpc:10100601", true);
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	assert_state("Running");
	host->env.has_guest = _i;
	test_host_advance(host, PROCESS_RETRY_NS);
	ck_assert_uint_eq(test_host_count(host, "guest.adopt"), (unsigned)_i);
	assert_state(_i ? "Running" : "Terminated");
	if (_i)
		test_host_exit_process(host, 101, 0);
	else
		ck_assert_uint_eq(process->exit_status, LCOWMIG_EXIT_UNKNOWN);
	assert_state("Terminated");
	ck_assert_int_eq(exits, 1);
	/* Who else was asked comes too late. */
	test_host_complete(host, _i ? "guest.adopt" : "guest.rpc:10100601", LCOWMIG_E_UNAVAILABLE, 0, NULL);
	ck_assert_int_eq(exits, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process_overlaps");
	TCase *tcase = tcase_create("process_overlaps");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_process_resume_accepts_an_exit_that_overtakes_it);
	tcase_add_test(tcase, test_process_resume_leaves_a_draining_process_to_its_exit);
	tcase_add_loop_test(tcase, test_process_resume_waits_until_the_stdio_is_free, 0, 2);
	tcase_add_test(tcase, test_process_patches_close_each_stdio_once_while_it_is_in_use);
	tcase_add_loop_test(tcase, test_process_delete_waits_for_the_close_of_its_stdio, 0, 2);
	tcase_add_loop_test(tcase, test_process_stdin_is_closed_by_one_at_a_time, 0, 2);
	tcase_add_loop_test(tcase, test_process_operations_take_turns, 0, 2);
	tcase_add_test(tcase, test_process_kill_asks_nothing_of_a_process_that_is_exiting);
	tcase_add_test(tcase, test_process_hint_asks_nothing_when_the_exit_is_known);
	tcase_add_loop_test(tcase, test_process_hint_without_memory_loses_no_exit, 0, 2);
	tcase_add_test(tcase, test_process_probe_stops_at_a_freeze_and_goes_on_after_a_rollback);
	tcase_add_test(tcase, test_process_probe_stops_when_the_watch_has_answered);
	tcase_add_loop_test(tcase, test_process_probe_ends_when_the_process_is_freed, 0, 2);
	tcase_add_test(tcase, test_process_watch_ends_when_the_process_is_freed_before_it_asks_again);
	tcase_add_test(tcase, test_process_resume_fails_without_memory_to_adopt_again);
	tcase_add_loop_test(tcase, test_process_watch_does_not_adopt_without_a_guest_once_it_runs, 0, 2);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
