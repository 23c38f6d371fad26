/* The process controller against the scripted host: create, start, kill, console. Ids in comments are those of tests/acceptance.tsv. */
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
	ck_assert_uint_eq(process->exit_status, 7);
	ck_assert_int_ne(process->exited_at, 0);
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
	ck_assert_uint_eq(process->exit_status, 1);
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
		ck_assert_uint_eq(process->exit_status, 1);
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
	uint32_t sent = 1;

	ck_assert_int_eq(lcowmig_process_kill(process, 32, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__process_check_signal(&host->env, 0, &sent, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("signal 0 is no Linux signal");
	host->env.guest_supports_signals = false;
	ck_assert_int_eq(lcowmig__process_check_signal(&host->env, 15, &sent, &error), LCOWMIG_OK);
	ck_assert_uint_eq(sent, 0);
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

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tcase = tcase_create("process");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
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
	tcase_add_loop_test(tcase, test_process_kill_before_the_start_terminates, PROCESS_NOT_CREATED, PROCESS_RUNNING);
	tcase_add_loop_test(tcase, test_process_kill_before_the_start_terminates, PROCESS_TERMINATED, PROCESS_TERMINATED + 1);
	tcase_add_loop_test(tcase, test_process_kill_says_what_became_of_the_signal, 0, 2 * (int)LCOWMIG__COUNT(kill_answers));
	tcase_add_test(tcase, test_process_kill_checks_the_signal);
	tcase_add_loop_test(tcase, test_process_resize_is_refused_unless_running, 0, PROCESS_STATES);
	tcase_add_test(tcase, test_process_resize_forwards_the_size_of_a_terminal);
	tcase_add_loop_test(tcase, test_process_close_stdin_closes_what_is_open, 0, PROCESS_STATES);
	tcase_add_test(tcase, test_process_can_be_driven_through_the_public_functions);
	tcase_add_test(tcase, test_process_create_fails_when_the_host_attaches_no_handle);
	tcase_add_test(tcase, test_process_refuses_null);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
