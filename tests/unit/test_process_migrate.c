/* The process controller against the scripted host: its way to another machine. */
#include "process_fixture.h"

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
	ck_assert_uint_eq(process->exit_status, 4);
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
	ck_assert_uint_eq(process->exit_status, 137);
	ck_assert_int_eq(exits, 1);
	/* The adopted wait answers too: one exit it stays. */
	test_host_complete(host, "guest.adopt", LCOWMIG_OK, 0, "{\"Result\":0,\"ExitCode\":5}");
	ck_assert_uint_eq(process->exit_status, 137);
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
	ck_assert_uint_eq(process->exit_status, LCOWMIG_EXIT_UNKNOWN);
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
	ck_assert_uint_eq(process->exit_status, 6);
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
	ck_assert_uint_eq(process->exit_status, 8);
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
	ck_assert_uint_eq(process->exit_status, 2);
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

int main(void)
{
	Suite *suite = suite_create("process migrate");
	TCase *tcase = tcase_create("process migrate");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_process_save_is_refused_unless_it_runs, 0, PROCESS_STATES);
	tcase_add_test(tcase, test_process_save_gives_what_the_other_side_needs);
	tcase_add_test(tcase, test_process_save_names_the_operation_in_flight);
	tcase_add_test(tcase, test_process_save_needs_the_id_of_the_wait);
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
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
