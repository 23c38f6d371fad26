/* The process controller against the scripted host. Ids in comments are those of tests/acceptance.tsv. */
#include "process_fixture.h"

static lcowmig_status open_nothing(void *user, lcowmig_call *call, const lcowmig_stdio_config *config)
{
	return LCOWMIG_OK;
}

/* ---- New, create ---- */

/* PROC-01, PROC-22, PROC-27 */
START_TEST(test_process_new_is_not_created)
{
	lcowmig_exit given = LCOWMIG_EXIT_INIT;

	assert_state("NotCreated");
	ck_assert_int_eq(lcowmig_process_get_status(process), LCOWMIG_PROCESS_UNKNOWN);
	ck_assert_str_eq(lcowmig_process_container_id(process), "c1");
	ck_assert_str_eq(lcowmig_process_exec_id(process), "");
	ck_assert_str_eq(lcowmig_process_bundle(process), "");
	ck_assert_str_eq(lcowmig_process_stdout(process), "");
	ck_assert_uint_eq(lcowmig_process_pid(process), 0);
	ck_assert_int_eq(lcowmig_process_get_exit(process, &given, &error), LCOWMIG_OK);
	ck_assert_uint_eq(given.exit_status, 255);
	ck_assert(!process->exited.is_set);
}
END_TEST

/* PROC-02 */
START_TEST(test_process_create_is_refused_outside_not_created)
{
	become(_i);
	ck_assert_int_eq(create(), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says(lcowmig_process_state_name(process));
	ck_assert_int_eq(process->object.state, _i);
	test_host_expect_log(host, "");
}
END_TEST

/* PROC-03 */
START_TEST(test_process_create_refuses_a_terminal_with_stderr)
{
	lcowmig_process_options given = options(true);

	given.stderr_path = "err";
	ck_assert_int_eq(test_run(host, lcowmig__process_create_flow(process, &given, &error), NULL, &error),
			 LCOWMIG_E_FAILED_PRECONDITION);
	assert_state("NotCreated");
	test_host_expect_log(host, "");
}
END_TEST

/* PROC-04, PROC-23 */
START_TEST(test_process_create_opens_stdio_and_keeps_what_it_was_given)
{
	replace(make("e1"));
	ck_assert_int_eq(create(), LCOWMIG_OK);
	test_host_expect_log(host, "stdio.open c1 'e1' 'in' 'out' 'err'\nevent exec-added c1 e1\n");
	assert_state("Created");
	ck_assert_int_eq(lcowmig_process_get_status(process), LCOWMIG_PROCESS_CREATED);
	ck_assert_str_eq(lcowmig_process_bundle(process), "C:\\bundle");
	ck_assert_str_eq(lcowmig_process_stdin(process), "in");
	ck_assert_str_eq(lcowmig_process_stdout(process), "out");
	ck_assert_str_eq(lcowmig_process_stderr(process), "err");
	ck_assert(!lcowmig_process_terminal(process));
	ck_assert_str_eq(process->spec, SPEC);
}
END_TEST

/* what no envelope may carry is refused before it is in the way of a migration. */
START_TEST(test_process_create_refuses_a_bundle_that_could_never_travel)
{
	static char path[LCOWMIG_LIMIT_PATH_BYTES + 2];
	lcowmig_process_options given = options(false);

	memset(path, 'p', sizeof path - 1);
	given.bundle = path;
	ck_assert_int_eq(test_run(host, lcowmig__process_create_flow(process, &given, &error), NULL, &error), LCOWMIG_E_LIMIT_EXCEEDED);
	given.bundle = "C:\\\xff";
	ck_assert_int_eq(test_run(host, lcowmig__process_create_flow(process, &given, &error), NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_state("NotCreated");
}
END_TEST

START_TEST(test_process_create_may_be_repeated_after_a_failure)
{
	test_host_fail(host, "stdio.open", 1, LCOWMIG_E_HOST_FAILED, 2, "no pipe");
	ck_assert_int_eq(create(), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 2);
	assert_state("NotCreated");
	ck_assert_int_eq(create(), LCOWMIG_OK);
	assert_state("Created");
}
END_TEST

START_TEST(test_process_create_needs_a_specification_for_an_exec_and_none_for_init)
{
	lcowmig_process_options given = options(false);

	given.process_spec = SPEC;
	ck_assert_int_eq(test_run(host, lcowmig__process_create_flow(process, &given, &error), NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	replace(make("e1"));
	given.process_spec = NULL;
	ck_assert_int_eq(test_run(host, lcowmig__process_create_flow(process, &given, &error), NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	given.process_spec = "[]";
	ck_assert_int_eq(test_run(host, lcowmig__process_create_flow(process, &given, &error), NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	given.process_spec = "{";
	ck_assert_int_eq(test_run(host, lcowmig__process_create_flow(process, &given, &error), NULL, &error), LCOWMIG_E_CORRUPT_DATA);
	assert_state("NotCreated");
}
END_TEST

/* ---- Start ---- */

/* PROC-05 */
START_TEST(test_process_start_is_refused_outside_created)
{
	uint32_t pid;

	become(_i);
	pid = lcowmig_process_pid(process);
	ck_assert_int_eq(start(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_uint_eq(lcowmig_process_pid(process), pid);
	ck_assert_int_eq(process->object.state, _i);
	test_host_expect_log(host, "");
}
END_TEST

/* PROC-06, PROC-25, PROC-26, PROC-47: listen before execute; terminated, drained and closed before the exit is told. */
START_TEST(test_process_start_runs_until_the_exit)
{
	replace(make("e1"));
	ck_assert_int_eq(create(), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	assert_state("Running");
	ck_assert_int_eq(lcowmig_process_get_status(process), LCOWMIG_PROCESS_RUNNING);
	ck_assert_uint_eq(lcowmig_process_pid(process), 101);
	ck_assert_int_eq(process->wait_id, 2);
	ck_assert_ptr_eq(strstr(test_host_log(host), "guest.allocate_port\nguest.allocate_port\nguest.allocate_port\n"
						     "stdio.attach 1073741825 1073741826 1073741827\n" EXECUTE),
			 test_host_log(host));
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "\"VsockStdioRelaySettings\":{\"StdIn\":1073741825,\"StdOut\":1073741826,"
							  "\"StdErr\":1073741827}"));
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "event exec-started c1 e1 101\n"));
	test_host_clear_log(host);
	test_host_exit_process(host, 101, 7);
	test_host_expect_log(host, "stdio.drain\nstdio.close\nevent exit c1 e1 101 7\n");
	assert_state("Terminated");
	ck_assert_int_eq(lcowmig_process_get_status(process), LCOWMIG_PROCESS_STOPPED);
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 7);
	ck_assert_int_ne(lcowmig__process_exited_at(process), 0);
	ck_assert_str_eq(lcowmig_process_stdout(process), "out");
	ck_assert_int_eq(exits, 1);
}
END_TEST

START_TEST(test_process_start_takes_ports_only_for_the_streams_there_are)
{
	lcowmig_process_options given = LCOWMIG_PROCESS_OPTIONS_INIT;

	given.stdout_path = "out";
	ck_assert_int_eq(test_run(host, lcowmig__process_create_flow(process, &given, &error), NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.allocate_port"), 1);
	ck_assert_uint_eq(test_host_count(host, "stdio.attach 0 1073741825 0"), 1);
	ck_assert_uint_eq(process->ports[0], 0);
	ck_assert_uint_eq(process->ports[1], 1073741825);
	replace(make(""));
	given.stdout_path = "";
	test_host_clear_log(host);
	ck_assert_int_eq(test_run(host, lcowmig__process_create_flow(process, &given, &error), NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.allocate_port"), 0);
	ck_assert_uint_eq(test_host_count(host, "stdio.attach"), 0);
}
END_TEST

/* An init process has no event of its own; its container has. */
START_TEST(test_process_exit_of_an_init_process_is_left_to_its_owner)
{
	become(PROCESS_RUNNING);
	test_host_exit_process(host, 101, 7);
	test_host_expect_log(host, "stdio.drain\nstdio.close\n");
	ck_assert_int_eq(exits, 1);
}
END_TEST

static const char *const start_calls[] = { "stdio.attach", "guest.rpc:10100501" };

/* PROC-07 */
START_TEST(test_process_start_terminates_the_process_when_it_fails)
{
	become(PROCESS_CREATED);
	test_host_fail(host, start_calls[_i], 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no such file");
	ck_assert_int_eq(start(), LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80004005);
	assert_says("no such file");
	assert_state("Terminated");
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 1);
	ck_assert_uint_eq(lcowmig_process_pid(process), 0);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
	ck_assert(process->exited.is_set);
}
END_TEST

static const char *const wrong_pids[] = { "{\"Result\":0,\"ProcessId\":4294967295}", "{\"Result\":0,\"ProcessId\":0}",
					  "{\"Result\":0,\"ProcessId\":\"101\"}", "{\"Result\":0" };

/* Whatever the guest claims: no pid, no running process; it is told why. */
START_TEST(test_process_start_refuses_an_answer_without_a_pid)
{
	become(PROCESS_CREATED);
	test_host_reply(host, "guest.rpc:10100501", wrong_pids[_i]);
	ck_assert_int_eq(start(), LCOWMIG_E_CORRUPT_DATA);
	assert_says("process c1 could not be started and is Terminated");
	assert_state("Terminated");
	ck_assert_uint_eq(lcowmig_process_pid(process), 0);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
	ck_assert_uint_eq(test_host_count(host, WAIT), 0);
}
END_TEST

/* */
START_TEST(test_process_start_is_unavailable_without_a_guest)
{
	become(PROCESS_CREATED);
	host->env.has_guest = false;
	ck_assert_int_eq(start(), LCOWMIG_E_UNAVAILABLE);
	assert_state("Terminated");
}
END_TEST

/* A start that is cancelled while the guest is at it learns what became of it. */
START_TEST(test_process_start_is_not_torn_from_the_guest_when_it_is_cancelled)
{
	test_done done = { 0 };

	become(PROCESS_CREATED);
	test_host_hold(host, "guest.rpc:10100501", true);
	ck_assert_int_eq(test_run(host, lcowmig__process_start_flow(process, &error), &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 0);
	test_host_complete(host, "guest.rpc:10100501", LCOWMIG_OK, 0, "{\"Result\":0,\"ProcessId\":101}");
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	assert_state("Running");
}
END_TEST

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
	ck_assert_uint_eq(lcowmig__process_exit_status(process), LCOWMIG_EXIT_UNKNOWN);
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
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 6);
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

/* ---- Kill ---- */

/* PROC-09, PROC-10, PROC-11 */
START_TEST(test_process_kill_before_the_start_terminates)
{
	become(_i);
	ck_assert_int_eq(kill_it(true), LCOWMIG_OK);
	assert_state("Terminated");
	ck_assert(process->exited.is_set);
	test_host_expect_log(host, _i == PROCESS_CREATED ? "stdio.close\n" : "");
	if (_i != PROCESS_TERMINATED)
		ck_assert_uint_eq(lcowmig__process_exit_status(process), 1);
}
END_TEST

static const struct {
	uint32_t hresult;
	lcowmig_status status;
} kill_answers[] = {
	{ 0, LCOWMIG_OK },
	{ LCOWMIG__HR_ELEMENT_NOT_FOUND, LCOWMIG_E_NOT_FOUND },
	{ LCOWMIG__HR_ALREADY_STOPPED, LCOWMIG_OK },
	{ LCOWMIG__HR_PROCESS_ALREADY_STOPPED, LCOWMIG_OK },
	{ LCOWMIG__HR_FAIL, LCOWMIG_E_GUEST_FAILED },
};

/* PROC-12, PROC-13 */
START_TEST(test_process_kill_says_what_became_of_the_signal)
{
	bool has_signal = _i % 2;
	size_t i = (size_t)_i / 2;

	become(PROCESS_RUNNING);
	if (kill_answers[i].hresult)
		test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, kill_answers[i].hresult, "scripted");
	ck_assert_int_eq(kill_it(has_signal), kill_answers[i].status);
	if (kill_answers[i].status != LCOWMIG_OK)
		ck_assert_uint_eq(error.hresult, kill_answers[i].hresult);
	ck_assert_uint_eq(test_host_count(host, SIGNAL), 1);
	ck_assert_int_eq(strstr(test_host_log(host), "\"Options\":{\"Signal\":15}") != NULL, has_signal);
	assert_state("Running");
}
END_TEST

START_TEST(test_process_kill_checks_the_signal)
{
	bool has_signal = true;

	ck_assert_int_eq(lcowmig_process_kill(process, 32, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__process_check_signal(&host->env, 0, &has_signal, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("signal 0 is no Linux signal");
	host->env.guest_supports_signals = false;
	ck_assert_int_eq(lcowmig__process_check_signal(&host->env, 15, &has_signal, &error), LCOWMIG_OK);
	ck_assert(!has_signal);
	ck_assert_int_eq(lcowmig_process_kill(process, 1, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	become(PROCESS_RUNNING);
	ck_assert_int_eq(lcowmig_process_kill(process, 9, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_ptr_null(strstr(test_host_log(host), "Options"));
	host->env.guest_supports_signals = true;
	ck_assert_int_eq(lcowmig_process_kill(process, 1, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "\"Signal\":1}"));
	ck_assert_int_eq(lcowmig_process_kill(process, 0, NULL, NULL, &error), LCOWMIG_OK);
}
END_TEST

/* ---- Console, stdin ---- */

static lcowmig_status resize(void)
{
	return test_run(host, lcowmig__process_resize_flow(process, 120, 40, &error), NULL, &error);
}

/* PROC-14 */
START_TEST(test_process_resize_is_refused_unless_running)
{
	become(_i);
	ck_assert_int_eq(resize(), LCOWMIG_E_FAILED_PRECONDITION); /* Running: it has no terminal */
	test_host_expect_log(host, "");
}
END_TEST

/* PROC-15, PROC-16 */
START_TEST(test_process_resize_forwards_the_size_of_a_terminal)
{
	become(PROCESS_RUNNING);
	ck_assert_int_eq(resize(), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("terminal");
	replace(make(""));
	ck_assert_int_eq(create_terminal(), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	ck_assert_int_eq(resize(), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "\"Height\":40,\"Width\":120"));
	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no tty");
	ck_assert_int_eq(resize(), LCOWMIG_E_GUEST_FAILED);
	assert_says("no tty");
}
END_TEST

/* PROC-17 */
START_TEST(test_process_close_stdin_closes_what_is_open)
{
	bool is_open = _i == PROCESS_CREATED || _i == PROCESS_RUNNING || _i == PROCESS_SOURCE_MIGRATING;

	become(_i);
	ck_assert_int_eq(lcowmig_process_close_stdin(process, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_process_close_stdin(process, NULL, NULL, &error), LCOWMIG_OK);
	test_host_expect_log(host, is_open ? "stdio.close_stdin\nstdio.close_stdin\n" : "");
	ck_assert_int_eq(process->object.state, _i);
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
	ck_assert_uint_eq(lcowmig__process_exit_status(process), _i == PROCESS_CREATED ? 0 : 3);
	test_host_expect_log(host, _i == PROCESS_CREATED ? "stdio.close\n" : "");
}
END_TEST

/* ---- Save, import ---- */

/* PROC-28 */
START_TEST(test_process_save_is_refused_unless_it_runs)
{
	lcowmig__wire_process wire;
	bool is_allowed = _i == PROCESS_RUNNING || _i == PROCESS_SOURCE_MIGRATING;

	become(_i);
	ck_assert_int_eq(capture(&wire), is_allowed ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(process->object.state, _i);
}
END_TEST

/* PROC-29, PROC-30, PROC-31, X-02 */
START_TEST(test_process_save_gives_what_the_other_side_needs)
{
	lcowmig__wire_process wire;
	uint8_t first[1024], again[1024];
	size_t size, other;

	replace(make("e1"));
	process->io_retry_timeout_ns = UINT64_C(1500000000);
	ck_assert_int_eq(create(), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	ck_assert_int_eq(capture(&wire), LCOWMIG_OK);
	ck_assert_str_eq(wire.exec_id, "e1");
	ck_assert_int_eq(wire.pid, 101);
	ck_assert_str_eq(wire.bundle, "C:\\bundle");
	ck_assert_uint_eq(wire.ports[0], 0x40000001u);
	ck_assert_uint_eq(wire.ports[2], 0x40000003u);
	ck_assert_int_eq(wire.wait_call_id, 2);
	ck_assert_int_eq(wire.io_retry_timeout.seconds, 1);
	ck_assert_int_eq(wire.io_retry_timeout.nanos, 500000000);
	ck_assert_mem_eq(wire.oci_process_spec_json.data, SPEC, strlen(SPEC));
	ck_assert_int_eq(lcowmig_process_save(process, NULL, 0, &size, &error), LCOWMIG_OK);
	assert_state("Running");
	ck_assert_int_eq(lcowmig_process_save(process, first, sizeof first, &size, &error), LCOWMIG_E_FAILED_PRECONDITION);
	process->is_standalone = true;
	ck_assert_int_eq(lcowmig_process_save(process, first, sizeof first, &size, &error), LCOWMIG_OK);
	assert_state("SourceMigrating");
	ck_assert_mem_eq(first + 2, LCOWMIG__TYPE_URL_PROCESS, strlen(LCOWMIG__TYPE_URL_PROCESS));
	ck_assert_int_eq(process->wait_id, 2);
	ck_assert_uint_eq(process->ports[1], 0x40000002u);
	ck_assert_int_eq(lcowmig_process_save(process, again, sizeof again, &other, &error), LCOWMIG_OK);
	assert_state("SourceMigrating");
	ck_assert_uint_eq(size, other);
	ck_assert_mem_eq(first, again, size);
	process->is_standalone = false;
	replace(make(""));
	become(PROCESS_RUNNING);
	ck_assert_int_eq(capture(&wire), LCOWMIG_OK);
	ck_assert_uint_eq(wire.oci_process_spec_json.size, 0);
}
END_TEST

/* */
START_TEST(test_process_save_names_the_operation_in_flight)
{
	lcowmig__wire_process wire;
	test_done done = { 0 };

	become(PROCESS_RUNNING);
	test_host_hold(host, "guest.rpc:10100701", true);
	ck_assert_int_eq(lcowmig_process_kill(process, 15, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(capture(&wire), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("kill");
	test_host_complete(host, "guest.rpc:10100701", LCOWMIG_OK, 0, "{}");
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(capture(&wire), LCOWMIG_OK);
}
END_TEST

START_TEST(test_process_save_needs_the_id_of_the_wait)
{
	lcowmig__wire_process wire;

	become(PROCESS_RUNNING);
	process->wait_id = 0;
	ck_assert_int_eq(capture(&wire), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("no id yet");
}
END_TEST

/* PROC-32, PROC-33, PROC-40, PROC-24 */
START_TEST(test_process_import_reproduces_what_was_saved)
{
	lcowmig_sandbox *sandbox;
	lcowmig_process *imported = NULL;
	uint8_t bytes[1024], copy[1024];
	size_t size, other;

	replace(make("e1"));
	ck_assert_int_eq(create(), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	process->is_standalone = true;
	ck_assert_int_eq(lcowmig_process_save(process, bytes, sizeof bytes, &size, &error), LCOWMIG_OK);
	process->is_standalone = false;
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_process_import(sandbox, NULL, 0, "n", "g1", &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_import(sandbox, bytes, size, NULL, "g1", &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_import(sandbox, bytes, size, "n", NULL, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_import(sandbox, bytes, size, "n", "g1", NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_import(sandbox, bytes, size - 1, "n", "g1", &imported, &error), LCOWMIG_E_CORRUPT_DATA);
	bytes[9]++;
	ck_assert_int_eq(lcowmig_process_import(sandbox, bytes, size, "n", "g1", &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	bytes[9]--;
	ck_assert_ptr_null(imported);
	ck_assert_int_eq(lcowmig_process_import(sandbox, bytes, size, "n", "g1", &imported, &error), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_process_state_name(imported), "DestinationMigrating");
	ck_assert_int_eq(lcowmig_process_get_status(imported), LCOWMIG_PROCESS_UNKNOWN);
	ck_assert_str_eq(lcowmig_process_exec_id(imported), "e1");
	ck_assert_str_eq(lcowmig_process_container_id(imported), "n");
	ck_assert_str_eq(lcowmig_process_bundle(imported), "C:\\bundle");
	ck_assert_str_eq(lcowmig_process_stdin(imported), "");
	ck_assert_uint_eq(lcowmig_process_pid(imported), 101);
	ck_assert_int_eq(imported->wait_id, process->wait_id);
	ck_assert_mem_eq(imported->ports, process->ports, sizeof process->ports);
	ck_assert_str_eq(imported->spec, SPEC);
	ck_assert(!imported->exited.is_set);
	ck_assert_int_eq(lcowmig_process_save(imported, copy, sizeof copy, &other, &error), LCOWMIG_E_FAILED_PRECONDITION);
	/* It is its own master, but in no state to be started. */
	ck_assert_int_eq(lcowmig_process_start(imported, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("DestinationMigrating");
	/* Save, import, save is the identity. */
	ck_assert_int_eq(
		lcowmig_process_patch(imported, "n",
				      &(lcowmig_process_options){ .size = sizeof(lcowmig_process_options), .bundle = "C:\\bundle" }, NULL,
				      NULL, &error),
		LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_process_resume(imported, true, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_process_save(imported, copy, sizeof copy, &other, &error), LCOWMIG_OK);
	ck_assert_uint_eq(other, size);
	ck_assert_mem_eq(copy, bytes, size);
	ck_assert_int_eq(lcowmig_process_free(imported, &error), LCOWMIG_OK);
	test_host_complete(host, "guest.adopt", LCOWMIG_E_UNAVAILABLE, 0, NULL);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_OK);
}
END_TEST

/* ---- Patch ---- */

/* PROC-34, PROC-36 */
START_TEST(test_process_patch_checks_its_arguments)
{
	lcowmig_process_options given = options(true);

	become_imported();
	process->is_standalone = true;
	ck_assert_int_eq(lcowmig_process_patch(process, "n", NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_patch(process, NULL, &given, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("container id");
	process->is_standalone = false;
	ck_assert_int_eq(test_run(host, lcowmig__process_patch_flow(process, "", &given, &error), NULL, &error),
			 LCOWMIG_E_INVALID_ARGUMENT);
	given.stderr_path = "err";
	ck_assert_int_eq(test_run(host, lcowmig__process_patch_flow(process, "n", &given, &error), NULL, &error),
			 LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_str_eq(lcowmig_process_container_id(process), "c1");
	test_host_expect_log(host, "");
}
END_TEST

/* PROC-35 */
START_TEST(test_process_patch_is_refused_unless_imported)
{
	become(_i);
	ck_assert_int_eq(patch("n"), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(process->object.state, _i);
	test_host_expect_log(host, "");
}
END_TEST

/* PROC-37, PROC-46, X-20 */
START_TEST(test_process_patch_adopts_name_and_stdio_or_nothing)
{
	become_imported();
	test_host_fail(host, "stdio.open", 1, LCOWMIG_E_HOST_FAILED, 2, "no pipe");
	ck_assert_int_eq(patch("n"), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(lcowmig_process_container_id(process), "c1");
	ck_assert_str_eq(lcowmig_process_bundle(process), "C:\\source");
	test_host_clear_log(host);
	ck_assert_int_eq(patch("n"), LCOWMIG_OK);
	test_host_expect_log(host, "stdio.open n '' 'in' 'out' 'err'\n");
	assert_state("DestinationMigrating");
	ck_assert_str_eq(lcowmig_process_container_id(process), "n");
	ck_assert_str_eq(lcowmig_process_bundle(process), "C:\\bundle");
	/* Again: the first stdio is closed, not leaked. */
	ck_assert_int_eq(patch("m"), LCOWMIG_OK);
	test_host_expect_log(host, "stdio.open m '' 'in' 'out' 'err'\nstdio.close\n");
	ck_assert_str_eq(lcowmig_process_container_id(process), "m");
}
END_TEST

START_TEST(test_process_patch_can_be_taken_back_before_it_is_committed)
{
	const lcowmig_process_options given = options(false);

	become_imported();
	ck_assert_int_eq(test_run(host, lcowmig__process_patch_flow(process, "n", &given, &error), NULL, &error), LCOWMIG_OK);
	test_enter(host);
	lcowmig__process_patch_rollback(process);
	lcowmig__process_patch_commit(process);
	test_leave(host);
	test_host_expect_log(host, "stdio.open n '' 'in' 'out' 'err'\nstdio.close\n");
	ck_assert_str_eq(lcowmig_process_container_id(process), "c1");
}
END_TEST

/* ---- Resume ---- */

/* PROC-38 */
START_TEST(test_process_resume_is_refused_before_anything_is_touched)
{
	become(_i);
	ck_assert_int_eq(resume(true), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(process->object.state, _i);
	test_host_expect_log(host, "");
}
END_TEST

/* PROC-39, X-42: what runs or has ended is left alone. */
START_TEST(test_process_resume_does_nothing_to_the_running_and_the_dead)
{
	become(_i);
	ck_assert_int_eq(resume(_i % 2), LCOWMIG_OK);
	ck_assert_int_eq(process->object.state, _i);
	test_host_expect_log(host, "");
}
END_TEST

/* PROC-43 */
START_TEST(test_process_resume_needs_a_wait_id)
{
	become_patched();
	process->wait_id = 0;
	ck_assert_int_eq(resume(true), LCOWMIG_E_INVALID_ARGUMENT);
	assert_state("DestinationMigrating");
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_process_resume_needs_a_patch_and_a_guest_that_adopts)
{
	become_imported();
	ck_assert_int_eq(resume(true), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("Patch");
	become_patched();
	test_host_remove(host, "guest.adopt");
	ck_assert_int_eq(resume(true), LCOWMIG_E_NOT_SUPPORTED);
	assert_state("DestinationMigrating");
}
END_TEST

/* adopted before the connection; the saved ports; the probe in the background. */
START_TEST(test_process_resume_on_the_destination_adopts_attaches_and_probes)
{
	become_patched();
	host->env.has_guest = false;
	test_enter(host);
	ck_assert_int_eq(lcowmig__process_adopt(process, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__process_adopt(process, &error), LCOWMIG_OK);
	test_leave(host);
	test_host_expect_log(host, "guest.adopt 57\n");
	host->env.has_guest = true;
	test_host_hold(host, "guest.rpc:10100601", true);
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	assert_state("Running");
	test_host_expect_log(host, "stdio.attach 0 1073741825 1073741826\n" PROBE "\n");
	/* Whatever the guest says later but an exit, the adopted wait counts. */
	test_host_complete(host, "guest.rpc:10100601", LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_WAIT_TIMEOUT, NULL);
	assert_state("Running");
	test_host_exit_process(host, 101, 4);
	assert_state("Terminated");
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 4);
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* PROC-45 */
START_TEST(test_process_resume_learns_of_an_exit_that_nobody_saw)
{
	become_patched();
	test_host_reply(host, "guest.rpc:10100601", "{\"Result\":0,\"ExitCode\":137}");
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	assert_state("Terminated");
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 137);
	ck_assert_int_eq(exits, 1);
	/* The adopted wait answers too: one exit it stays. */
	test_host_complete(host, "guest.adopt", LCOWMIG_OK, 0, "{\"Result\":0,\"ExitCode\":5}");
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 137);
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* */
START_TEST(test_process_resume_learns_that_an_exit_status_is_lost)
{
	become_patched();
	test_host_fail(host, "guest.rpc:10100601", 1, LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_ELEMENT_NOT_FOUND, "no such process");
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	assert_state("Terminated");
	ck_assert_uint_eq(lcowmig__process_exit_status(process), LCOWMIG_EXIT_UNKNOWN);
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* the host gives up waiting for the probe by itself. */
START_TEST(test_process_probe_is_bounded_here)
{
	become_patched();
	test_host_hold(host, "guest.rpc:10100601", true);
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	ck_assert(process->is_probing);
	test_host_clear_log(host);
	test_host_advance(host, PROCESS_PROBE_NS);
	assert_state("Running");
	test_host_complete(host, "guest.rpc:10100601", LCOWMIG_OK, 0, "{\"Result\":0,\"ExitCode\":5}");
	assert_state("Running");
	test_host_expect_log(host, "");
	/* It asks again: what the watch waits for may have been said elsewhere. */
	test_host_advance(host, PROCESS_RETRY_NS);
	ck_assert_uint_eq(test_host_count(host, PROBE), 1);
	test_host_complete(host, "guest.rpc:10100601", LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_WAIT_TIMEOUT, NULL);
	ck_assert(!process->is_probing);
	assert_state("Running");
	test_host_exit_process(host, 101, 6);
	assert_state("Terminated");
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 6);
}
END_TEST

/* an answer that comes before the resume is kept until then. */
START_TEST(test_process_answer_to_an_adopted_wait_is_kept_until_the_resume)
{
	become_patched();
	test_enter(host);
	ck_assert_int_eq(lcowmig__process_adopt(process, &error), LCOWMIG_OK);
	test_leave(host);
	test_host_exit_process(host, 101, 8);
	assert_state("DestinationMigrating");
	ck_assert_int_eq(exits, 0);
	test_host_clear_log(host);
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	test_host_expect_log(host, "stdio.attach 0 1073741825 1073741826\nstdio.drain\nstdio.close\n");
	assert_state("Terminated");
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 8);
	ck_assert_int_eq(exits, 1);
}
END_TEST

/* what a connection that came to nothing had adopted, the next one adopts again. */
START_TEST(test_process_adopts_again_after_a_lost_connection)
{
	become_patched();
	test_enter(host);
	ck_assert_int_eq(lcowmig__process_adopt(process, &error), LCOWMIG_OK);
	test_leave(host);
	test_host_complete(host, "guest.adopt", LCOWMIG_E_UNAVAILABLE, 0, NULL);
	assert_state("DestinationMigrating");
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.adopt 57"), 2);
	assert_state("Running");
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(exits, 1);
}
END_TEST

START_TEST(test_process_resume_may_be_repeated_after_a_failure)
{
	become_patched();
	test_host_fail(host, "stdio.attach", 1, LCOWMIG_E_HOST_FAILED, 10013, "port in use");
	ck_assert_int_eq(resume(true), LCOWMIG_E_HOST_FAILED);
	assert_says("port in use");
	assert_state("DestinationMigrating");
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	assert_state("Running");
	ck_assert_uint_eq(test_host_count(host, "guest.adopt"), 1);
}
END_TEST

/* PROC-44, PROC-08, X-45: no second wait; the one that was there reports the exit, once. */
START_TEST(test_process_resume_on_the_source_keeps_the_wait_it_has)
{
	become(PROCESS_SOURCE_MIGRATING);
	ck_assert_int_eq(resume(false), LCOWMIG_OK);
	assert_state("Running");
	test_host_expect_log(host, "stdio.attach 1073741825 1073741826 1073741827\n");
	test_host_exit_process(host, 101, 2);
	assert_state("Terminated");
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 2);
	ck_assert_int_eq(exits, 1);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
}
END_TEST

/* A process exits while it is frozen: at once reported, and no hindrance to a rollback. */
START_TEST(test_process_exit_while_frozen_is_reported_at_once)
{
	become(PROCESS_SOURCE_MIGRATING);
	test_host_exit_process(host, 101, 2);
	assert_state("Terminated");
	ck_assert_int_eq(exits, 1);
	ck_assert_int_eq(resume(false), LCOWMIG_OK);
	assert_state("Terminated");
}
END_TEST

/* A hint that came while nobody may be asked is followed after a rollback. */
START_TEST(test_process_hint_while_frozen_is_followed_after_the_resume)
{
	become(PROCESS_SOURCE_MIGRATING);
	test_enter(host);
	lcowmig__process_hint_exit(process);
	test_leave(host);
	test_host_expect_log(host, "");
	ck_assert_int_eq(resume(false), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, PROBE), 1);
}
END_TEST

/* ---- Rejected while migrating ---- */

START_TEST(test_process_refuses_changes_while_migrating)
{
	become(_i);
	ck_assert_int_eq(create(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(start(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(kill_it(true), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(resize(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(delete_it(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(process->object.state, _i);
	ck_assert_int_eq(lcowmig_process_get_status(process), LCOWMIG_PROCESS_UNKNOWN);
	test_host_expect_log(host, "");
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
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 137);
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
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 137);
	test_host_complete(host, "guest.adopt", LCOWMIG_OK, 0, "{\"Result\":0,\"ExitCode\":5}");
	ck_assert_uint_eq(lcowmig__process_exit_status(process), 137);
	ck_assert_int_eq(exits, 0);
}
END_TEST

/* ---- Memory ---- */

START_TEST(test_process_life_survives_every_failing_allocation)
{
	lcowmig_status (*const steps[])(void) = { create, start };
	unsigned step, nth;

	replace(make("e1"));
	for (step = 0; step < LCOWMIG__COUNT(steps); step++) {
		for (nth = 1; nth < 200; nth++) {
			int before = process->object.state;
			lcowmig_status status;

			test_host_fail_allocation(host, nth, false);
			status = steps[step]();
			test_host_fail_allocation(host, 0, false);
			if (status == LCOWMIG_OK)
				break;
			ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
			if (process->object.state == PROCESS_TERMINATED) {
				/* The guest had been asked already. */
				replace(make("e1"));
				ck_assert_int_eq(create(), LCOWMIG_OK);
				continue;
			}
			ck_assert_int_eq(process->object.state, before);
		}
		ck_assert_uint_lt(nth, 200);
	}
	test_host_advance(host, PROCESS_RETRY_NS); /* a wait that found no memory */
	ck_assert_int_gt(process->wait_id, 0);
	test_host_exit_process(host, process->pid, 0);
	assert_state("Terminated");
}
END_TEST

/* The public function's, which is for processes alone. */
static lcowmig_status patch_n(void)
{
	const lcowmig_process_options given = options(false);
	lcowmig_status status;

	process->is_standalone = true;
	status = lcowmig_process_patch(process, "n", &given, NULL, NULL, &error);
	process->is_standalone = false;
	return status;
}

static lcowmig_status resume_destination(void)
{
	return resume(true);
}

static const lcowmig__wire_process imported_exec = {
	"e1", 101, "C:\\source", { (const uint8_t *)SPEC, sizeof SPEC - 1 }, { 0, 0 }, { 0, 0x40000001u, 0 }, 57
};

START_TEST(test_process_migration_survives_every_failing_allocation)
{
	lcowmig_status (*const steps[])(void) = { patch_n, resume_destination };
	unsigned step, nth;

	if (_i)
		replace(import(&imported_exec));
	else
		become_imported();
	for (step = 0; step < LCOWMIG__COUNT(steps); step++) {
		for (nth = 1; nth < 200; nth++) {
			lcowmig_status status;

			test_host_fail_allocation(host, nth, false);
			status = steps[step]();
			test_host_fail_allocation(host, 0, false);
			if (status == LCOWMIG_OK)
				break;
			ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
			assert_state("DestinationMigrating");
		}
		ck_assert_uint_lt(nth, 200);
	}
	test_host_advance(host, PROCESS_RETRY_NS);
	ck_assert_uint_eq(test_host_count(host, "guest.adopt 57"), 1);
	test_host_exit_process(host, 101, 0);
	assert_state("Terminated");
	ck_assert_int_eq(exits, 1);
}
END_TEST

static lcowmig_status kill_with_signal(void)
{
	return kill_it(true);
}

static lcowmig_status resize_it(void)
{
	return resize();
}

static lcowmig_status close_stdin(void)
{
	return lcowmig_process_close_stdin(process, NULL, NULL, &error);
}

static lcowmig_status wait_for_it(void)
{
	return lcowmig_process_wait(process, NULL, NULL, &error);
}

/* What is asked of a running process and finds no memory has changed nothing, and is done when it is asked again. */
START_TEST(test_process_requests_survive_every_failing_allocation)
{
	lcowmig_status (*const requests[])(void) = { kill_with_signal, resize_it, close_stdin, wait_for_it, delete_it };
	unsigned request, nth;

	ck_assert_int_eq(create_terminal(), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	for (request = 0; request < LCOWMIG__COUNT(requests); request++) {
		if (requests[request] == wait_for_it) {
			test_host_exit_process(host, 101, 0);
			assert_state("Terminated");
		}
		for (nth = 1; nth < 100; nth++) {
			lcowmig_status status;

			test_host_fail_allocation(host, nth, false);
			status = requests[request]();
			test_host_fail_allocation(host, 0, false);
			if (status == LCOWMIG_OK)
				break;
			ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		}
		ck_assert_uint_gt(nth, 1);
		ck_assert_uint_lt(nth, 100);
	}
	ck_assert_uint_ge(test_host_count(host, SIGNAL), 1); /* again when its answer found no memory */
	ck_assert_uint_eq(test_host_count(host, "stdio.close_stdin"), 1);
	ck_assert_int_eq(exits, 1);
}
END_TEST

START_TEST(test_process_import_survives_every_failing_allocation)
{
	lcowmig_process *imported = NULL;
	lcowmig_sandbox *sandbox;
	uint8_t bytes[1024];
	unsigned nth;
	size_t size;

	replace(make("e1"));
	ck_assert_int_eq(create(), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	process->is_standalone = true;
	ck_assert_int_eq(lcowmig_process_save(process, bytes, sizeof bytes, &size, &error), LCOWMIG_OK);
	process->is_standalone = false;
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, &error), LCOWMIG_OK);
	for (nth = 1; nth < 100; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = lcowmig_process_import(sandbox, bytes, size, "n", "g1", &imported, &error);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		ck_assert_ptr_null(imported);
	}
	ck_assert_uint_gt(nth, 5);
	ck_assert_uint_lt(nth, 100);
	ck_assert_int_eq(lcowmig_process_abort(imported, &error), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "event exit"), 0); /* its container tells */
	ck_assert_int_eq(lcowmig_process_free(imported, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_OK);
}
END_TEST

START_TEST(test_process_can_be_driven_through_the_public_functions)
{
	const lcowmig_process_options given = { sizeof given, "b", "in", "out", NULL, SPEC, 1, 0 };
	test_done done = { 0 };

	replace(make("e1"));
	test_host_hold(host, "stdio.open", true);
	ck_assert_int_eq(lcowmig_process_create(process, &given, test_on_done, &done, &error), LCOWMIG_PENDING);
	test_host_complete(host, "stdio.open", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_process_start(process, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_process_resize(process, 80, 25, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert(lcowmig_process_terminal(process));
	ck_assert_int_eq(lcowmig_process_save(process, NULL, 0, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_import(NULL, NULL, 0, "n", "g", NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* A host that attaches no handle has opened nothing. */
START_TEST(test_process_create_fails_when_the_host_attaches_no_handle)
{
	host->env.stdio.open = open_nothing;
	ck_assert_int_eq(create(), LCOWMIG_E_HOST_FAILED);
	assert_state("NotCreated");
	become_imported();
	ck_assert_int_eq(patch("n"), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(lcowmig_process_container_id(process), "c1");
}
END_TEST

START_TEST(test_process_refuses_null)
{
	lcowmig_process_options given = LCOWMIG_PROCESS_OPTIONS_INIT;
	const char *(*const texts[])(const lcowmig_process *process) = {
		lcowmig_process_state_name, lcowmig_process_container_id, lcowmig_process_exec_id, lcowmig_process_bundle,
		lcowmig_process_stdin,      lcowmig_process_stdout,       lcowmig_process_stderr,
	};
	lcowmig_exit given_exit = { 0 };
	size_t size;

	ck_assert_int_eq(lcowmig_process_create(NULL, &given, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_create(process, NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	given.size = 8;
	ck_assert_int_eq(lcowmig_process_create(process, &given, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_start(NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_kill(NULL, 9, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_resize(NULL, 1, 1, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_close_stdin(NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_wait(NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_save(NULL, NULL, 0, &size, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_patch(NULL, "n", NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_adopt(NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_resume(NULL, true, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_abort(NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_free(NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_process_get_exit(process, &given_exit, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_get_exit(NULL, &given_exit, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_get_exit(process, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_process_get_status(NULL), LCOWMIG_PROCESS_UNKNOWN);
	ck_assert_uint_eq(lcowmig_process_pid(NULL), 0);
	ck_assert(!lcowmig_process_terminal(NULL));
	for (size = 0; size < LCOWMIG__COUNT(texts); size++)
		ck_assert_str_eq(texts[size](NULL), "");
	/* What a container does with its own is not for others to do. */
	ck_assert_int_eq(lcowmig_process_start(process, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_process_resume(process, true, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_process_abort(process, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_process_free(process, &error), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

static void add_life_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_process_new_is_not_created);
	tcase_add_loop_test(tcase, test_process_create_is_refused_outside_not_created, PROCESS_CREATED, PROCESS_STATES);
	tcase_add_test(tcase, test_process_create_refuses_a_terminal_with_stderr);
	tcase_add_test(tcase, test_process_create_opens_stdio_and_keeps_what_it_was_given);
	tcase_add_test(tcase, test_process_create_refuses_a_bundle_that_could_never_travel);
	tcase_add_test(tcase, test_process_create_may_be_repeated_after_a_failure);
	tcase_add_test(tcase, test_process_create_needs_a_specification_for_an_exec_and_none_for_init);
	tcase_add_loop_test(tcase, test_process_start_is_refused_outside_created, PROCESS_NOT_CREATED, PROCESS_CREATED);
	tcase_add_loop_test(tcase, test_process_start_is_refused_outside_created, PROCESS_RUNNING, PROCESS_STATES);
	tcase_add_test(tcase, test_process_start_runs_until_the_exit);
	tcase_add_test(tcase, test_process_start_takes_ports_only_for_the_streams_there_are);
	tcase_add_test(tcase, test_process_exit_of_an_init_process_is_left_to_its_owner);
	tcase_add_loop_test(tcase, test_process_start_terminates_the_process_when_it_fails, 0, (int)LCOWMIG__COUNT(start_calls));
	tcase_add_loop_test(tcase, test_process_start_refuses_an_answer_without_a_pid, 0, (int)LCOWMIG__COUNT(wrong_pids));
	tcase_add_test(tcase, test_process_start_is_unavailable_without_a_guest);
	tcase_add_test(tcase, test_process_start_is_not_torn_from_the_guest_when_it_is_cancelled);
	tcase_add_loop_test(tcase, test_process_exit_status_is_unknown_when_the_guest_cannot_tell, 0, 3);
	tcase_add_test(tcase, test_process_exit_waits_for_the_output_with_a_bound);
	tcase_add_test(tcase, test_process_exit_comes_through_when_memory_is_out);
	tcase_add_loop_test(tcase, test_process_stdio_is_closed_once_when_it_is_freed_while_ending, 0, 2);
	tcase_add_test(tcase, test_process_delete_waits_until_the_exit_is_told);
	tcase_add_test(tcase, test_process_hint_asks_once_whether_it_has_exited);
	tcase_add_loop_test(tcase, test_process_kill_before_the_start_terminates, PROCESS_NOT_CREATED, PROCESS_RUNNING);
	tcase_add_loop_test(tcase, test_process_kill_before_the_start_terminates, PROCESS_TERMINATED, PROCESS_TERMINATED + 1);
	tcase_add_loop_test(tcase, test_process_kill_says_what_became_of_the_signal, 0, 2 * (int)LCOWMIG__COUNT(kill_answers));
	tcase_add_test(tcase, test_process_kill_checks_the_signal);
	tcase_add_loop_test(tcase, test_process_resize_is_refused_unless_running, 0, PROCESS_STATES);
	tcase_add_test(tcase, test_process_resize_forwards_the_size_of_a_terminal);
	tcase_add_loop_test(tcase, test_process_close_stdin_closes_what_is_open, 0, PROCESS_STATES);
	tcase_add_test(tcase, test_process_wait_ends_with_the_process_or_when_it_is_cancelled);
	tcase_add_test(tcase, test_process_wait_ends_when_the_process_is_freed);
	tcase_add_loop_test(tcase, test_process_delete_is_for_those_that_do_not_run, 0, PROCESS_STATES);
	tcase_add_test(tcase, test_process_life_survives_every_failing_allocation);
	tcase_add_test(tcase, test_process_requests_survive_every_failing_allocation);
	tcase_add_test(tcase, test_process_can_be_driven_through_the_public_functions);
	tcase_add_test(tcase, test_process_create_fails_when_the_host_attaches_no_handle);
	tcase_add_test(tcase, test_process_refuses_null);
}

static void add_migration_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, test_process_save_is_refused_unless_it_runs, 0, PROCESS_STATES);
	tcase_add_test(tcase, test_process_save_gives_what_the_other_side_needs);
	tcase_add_test(tcase, test_process_save_names_the_operation_in_flight);
	tcase_add_test(tcase, test_process_save_needs_the_id_of_the_wait);
	tcase_add_test(tcase, test_process_save_is_refused_while_it_is_exiting);
	tcase_add_test(tcase, test_process_import_reproduces_what_was_saved);
	tcase_add_test(tcase, test_process_patch_checks_its_arguments);
	tcase_add_loop_test(tcase, test_process_patch_is_refused_unless_imported, 0, PROCESS_DESTINATION_MIGRATING);
	tcase_add_loop_test(tcase, test_process_patch_is_refused_unless_imported, PROCESS_SOURCE_MIGRATING, PROCESS_STATES);
	tcase_add_test(tcase, test_process_patch_adopts_name_and_stdio_or_nothing);
	tcase_add_test(tcase, test_process_patch_can_be_taken_back_before_it_is_committed);
	tcase_add_loop_test(tcase, test_process_resume_is_refused_before_anything_is_touched, 0, PROCESS_RUNNING);
	tcase_add_loop_test(tcase, test_process_resume_does_nothing_to_the_running_and_the_dead, PROCESS_RUNNING, PROCESS_TERMINATED + 1);
	tcase_add_test(tcase, test_process_resume_needs_a_wait_id);
	tcase_add_test(tcase, test_process_resume_needs_a_patch_and_a_guest_that_adopts);
	tcase_add_test(tcase, test_process_resume_on_the_destination_adopts_attaches_and_probes);
	tcase_add_test(tcase, test_process_resume_learns_of_an_exit_that_nobody_saw);
	tcase_add_test(tcase, test_process_resume_learns_that_an_exit_status_is_lost);
	tcase_add_test(tcase, test_process_probe_is_bounded_here);
	tcase_add_test(tcase, test_process_answer_to_an_adopted_wait_is_kept_until_the_resume);
	tcase_add_test(tcase, test_process_adopts_again_after_a_lost_connection);
	tcase_add_test(tcase, test_process_resume_may_be_repeated_after_a_failure);
	tcase_add_test(tcase, test_process_resume_on_the_source_keeps_the_wait_it_has);
	tcase_add_test(tcase, test_process_exit_while_frozen_is_reported_at_once);
	tcase_add_test(tcase, test_process_hint_while_frozen_is_followed_after_the_resume);
	tcase_add_loop_test(tcase, test_process_refuses_changes_while_migrating, PROCESS_DESTINATION_MIGRATING, PROCESS_STATES);
	tcase_add_loop_test(tcase, test_process_abort_changes_nothing_unless_imported, 0, PROCESS_DESTINATION_MIGRATING);
	tcase_add_loop_test(tcase, test_process_abort_changes_nothing_unless_imported, PROCESS_SOURCE_MIGRATING, PROCESS_STATES);
	tcase_add_loop_test(tcase, test_process_abort_terminates_with_137, 0, 2);
	tcase_add_test(tcase, test_process_abort_during_a_resume_wins);
	tcase_add_loop_test(tcase, test_process_migration_survives_every_failing_allocation, 0, 2);
	tcase_add_test(tcase, test_process_import_survives_every_failing_allocation);
}

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tcase = tcase_create("process");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	add_life_tests(tcase);
	add_migration_tests(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
