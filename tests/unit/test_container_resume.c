/* The container controller against the scripted host: resuming after the migration, or being aborted. */
#include "container_migrate_fixture.h"

static void announce(void)
{
	ck_assert_int_eq(lcowmig_container_announce(container, &error), LCOWMIG_OK);
}

static void become_resumed(void)
{
	become_patched();
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	test_host_clear_log(host);
}

/* ---- Resume ---- */

/* LC-105, LC-106, X-42 */
START_TEST(test_container_resume_by_state)
{
	bool is_refused = _i == CONTAINER_NOT_CREATED || _i == CONTAINER_CREATED;

	become(_i);
	ck_assert_int_eq(resume(true), is_refused ? LCOWMIG_E_FAILED_PRECONDITION : LCOWMIG_OK);
	ck_assert_int_eq(container->object.state, _i);
	test_host_expect_log(host, "");
}
END_TEST

/* LC-103, X-63 */
START_TEST(test_container_resume_fails_before_init_is_touched_without_a_guest)
{
	become_patched();
	host->env.has_guest = false;
	ck_assert_int_eq(resume(true), LCOWMIG_E_UNAVAILABLE);
	assert_state("DestinationMigrating");
	test_host_expect_log(host, "");
	host->env.has_guest = true;
	test_host_fail_allocation(host, 40, false);
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	test_host_fail_allocation(host, 0, false);
	assert_state("Running");
}
END_TEST

/* LC-104, LC-113 */
START_TEST(test_container_resume_on_the_source_opens_and_announces_nothing)
{
	become(CONTAINER_SOURCE_MIGRATING);
	ck_assert_int_eq(resume(false), LCOWMIG_OK);
	assert_state("Running");
	test_host_expect_log(host, "stdio.attach 0 1073741825 0\n");
	announce();
	test_host_expect_log(host, "");
	test_host_exit_process(host, 101, 1);
	assert_logged("event exit c1 '' 101 1\n");
}
END_TEST

/* a container that exited while frozen does not block a rollback, nor is its exit lost. */
START_TEST(test_container_exit_while_frozen_is_told_and_resume_does_nothing)
{
	become(CONTAINER_SOURCE_MIGRATING);
	test_host_exit_process(host, 101, 4);
	assert_state("Stopped");
	assert_logged("event exit c1 '' 101 4\n");
	ck_assert(container->terminated.is_set);
	test_host_clear_log(host);
	ck_assert_int_eq(resume(false), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
}
END_TEST

/* LC-113, LC-115, X-34 */
START_TEST(test_container_resume_on_the_destination_is_announced_late)
{
	become_patched();
	ck_assert_int_eq(lcowmig_container_adopt(container, &error), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.adopt "), 1);
	test_host_clear_log(host);
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	assert_state("Running");
	ck_assert_ptr_eq(strstr(test_host_log(host), "guest.open_container c1\nstdio.attach 0 1073741825 0\n" WAIT), test_host_log(host));
	ck_assert_uint_eq(test_host_count(host, "event"), 0);
	test_host_clear_log(host);
	announce();
	announce();
	test_host_expect_log(host, "event create n1 '' 101\n");
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	test_host_expect_log(host, "");
	test_host_exit_process(host, 101, 2);
	test_host_expect_log(host, "stdio.drain\nstdio.close\nguest.close_container c1\nevent exit n1 '' 101 2\n");
	ck_assert(container->terminated.is_set);
}
END_TEST

/* What the announcement says is what the patch said. */
static char announced[256];

static void on_event(void *user, const lcowmig_event *event)
{
	if (lcowmig_event_get_type(event) == LCOWMIG_EVENT_TASK_CREATE)
		snprintf(announced, sizeof announced, "%s %s '%s' '%s' '%s' %d", lcowmig_event_container_id(event),
			 lcowmig_event_bundle(event), lcowmig_event_stdin(event), lcowmig_event_stdout(event), lcowmig_event_stderr(event),
			 lcowmig_event_terminal(event));
}

/* LC-113 */
/* An announcement that comes too early is none; the one that is due is not lost by it. */
START_TEST(test_container_announcement_before_the_resume_says_nothing)
{
	become_patched();
	announce();
	test_host_expect_log(host, "");
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "event"), 0);
	announce();
	ck_assert_uint_eq(test_host_count(host, "event create n1 '' 101"), 1);
}
END_TEST

START_TEST(test_container_announcement_carries_bundle_and_stdio)
{
	host->env.events.event = on_event;
	become_patched();
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	announce();
	ck_assert_str_eq(announced, "n1 D:\\bundle '' 'newout' '' 0");
}
END_TEST

/* exits that come before the announcement follow it. */
START_TEST(test_container_exit_before_the_announcement_follows_it)
{
	become_resumed();
	test_host_exit_process(host, 101, 2);
	assert_state("Stopped");
	ck_assert_uint_eq(test_host_count(host, "event"), 0);
	test_host_clear_log(host);
	announce();
	test_host_expect_log(host, "event create n1 '' 101\nevent exit n1 '' 101 2\n");
	announce();
	test_host_expect_log(host, "");
}
END_TEST

/* the exit that nobody saw: Running first, Stopped then, both told in order. */
START_TEST(test_container_exit_during_the_blackout_is_told_after_the_announcement)
{
	become_patched();
	if (_i == 0) {
		test_host_reply(host, "guest.rpc:10100601", "{\"Result\":0,\"ExitCode\":137}");
	} else {
		ck_assert_int_eq(lcowmig_container_adopt(container, &error), LCOWMIG_OK);
		test_host_exit_process(host, 101, 137);
		if (_i == 2)
			host->env.stdio.drain = NULL;
		assert_state("DestinationMigrating");
	}
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	assert_state("Stopped");
	ck_assert_uint_eq(test_host_count(host, "event"), 0);
	test_host_clear_log(host);
	announce();
	test_host_expect_log(host, "event create n1 '' 101\nevent exit n1 '' 101 137\n");
	ck_assert(container->terminated.is_set);
}
END_TEST

/* the opened container and the adopted wait of a failed attempt serve the next one. */
START_TEST(test_container_resume_may_be_repeated)
{
	become_patched();
	test_host_fail(host, "stdio.attach", 1, LCOWMIG_E_HOST_FAILED, 10048, "port in use");
	ck_assert_int_eq(resume(true), LCOWMIG_E_HOST_FAILED);
	assert_state("DestinationMigrating");
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.open_container"), 1);
	ck_assert_uint_eq(test_host_count(host, "guest.adopt"), 1);
	announce();
	ck_assert_uint_eq(test_host_count(host, "event create"), 1);
}
END_TEST

START_TEST(test_container_resume_needs_a_patch)
{
	become_ready();
	ck_assert_int_eq(resume(true), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("Patch comes first");
	assert_says("container c1 could not be resumed and is DestinationMigrating");
	ck_assert_uint_eq(test_host_count(host, "guest.adopt"), 0);
	ck_assert_int_eq(patch(), LCOWMIG_OK);
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	assert_state("Running");
	announce();
	ck_assert_uint_eq(test_host_count(host, "event create n1 '' 101"), 1);
}
END_TEST

static void become_imported_with(lcowmig__wire_process *processes, size_t count)
{
	const lcowmig__wire_container wire = {
		.container_id = "c1", .gcs_container_id = "g1", .processes = processes, .n_processes = count
	};
	lcowmig_container *imported;

	test_enter(host);
	ck_assert_int_eq(lcowmig__container_import(&host->env, &vm, "p1", &wire, &imported, &error), LCOWMIG_OK);
	test_leave(host);
	replace(imported);
}

/* One imported alone is not checked as strictly as a sandbox's. */
START_TEST(test_container_resume_needs_an_init_process)
{
	become_imported_with(NULL, 0);
	ck_assert_int_eq(lcowmig_container_adopt(container, &error), LCOWMIG_OK);
	ck_assert_int_eq(resume(true), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("container c1 has no init process");
	test_enter(host);
	lcowmig__container_hint_exit(container); /* nobody could be asked */
	test_leave(host);
	assert_state("DestinationMigrating");
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_container_adopts_for_each_process_or_says_for_which_not)
{
	lcowmig__wire_process processes[2] = { { "", 101, "b", { NULL, 0 }, { 0, 0 }, { 0, 0, 0 }, 0 },
					       { "e1", 102, "b", { (const uint8_t *)"{}", 2 }, { 0, 0 }, { 0, 0, 0 }, 6 } };

	become(CONTAINER_RUNNING);
	ck_assert_int_eq(lcowmig_container_adopt(container, &error), LCOWMIG_OK); /* nothing to be adopted */
	become_imported_with(processes, 2);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_container_adopt(container, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("process c1 was saved without the id");
	test_host_expect_log(host, "");
}
END_TEST

static void abort_in_open(void *user, const char *container_id)
{
	abort_container();
}

/* The guest's handle is opened all the same; a delete closes it. */
START_TEST(test_container_abort_while_the_guest_is_opened_wins)
{
	become_patched();
	host->env.guest.open_container = abort_in_open;
	ck_assert_int_eq(resume(true), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("container n1 was aborted while it was being resumed");
	assert_state("Stopped");
	ck_assert_uint_eq(test_host_count(host, "event exit n1 '' 101 137"), 1);
	ck_assert_uint_eq(test_host_count(host, "event"), 1);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.close_container"), 1);
}
END_TEST

START_TEST(test_container_resume_survives_every_failing_allocation)
{
	unsigned nth;

	become_patched();
	for (nth = 1; nth < 300; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = resume(true);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		assert_state("DestinationMigrating");
	}
	ck_assert_uint_lt(nth, 300);
	assert_state("Running");
	announce();
	test_host_advance(host, UINT64_C(100000000));
	test_host_exit_process(host, 101, 0);
	ck_assert_uint_eq(test_host_count(host, "event create"), 1);
	ck_assert_uint_eq(test_host_count(host, "event exit"), 1);
}
END_TEST

/* Resources saved on the source are given back on the destination. */
START_TEST(test_container_delete_after_a_migration_gives_everything_back)
{
	become_resumed();
	test_enter(host);
	lcowmig__scsi_thaw(scsi);
	test_leave(host);
	announce();
	test_host_exit_process(host, 101, 0);
	test_host_clear_log(host);
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
	ck_assert_str_eq(disk_paths(), "");
	assert_logged(MODIFY("Remove", "CombinedLayers"));
	assert_logged(DELETE_STATE);
}
END_TEST

START_TEST(test_container_hint_reaches_the_init_process)
{
	become(CONTAINER_RUNNING);
	test_host_reply(host, "guest.rpc:10100601", "{\"Result\":0,\"ExitCode\":3}");
	test_enter(host);
	lcowmig__container_hint_exit(container);
	test_leave(host);
	assert_state("Stopped");
	assert_logged("event exit c1 '' 101 3\n");
}
END_TEST

/* ---- Rejected while migrating ---- */

/* LC-20, LC-27 and section 4.c */
START_TEST(test_container_refuses_changes_while_migrating)
{
	lcowmig_process *process;

	become(_i);
	ck_assert_int_eq(create(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(start(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(kill_it("", 9, true), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_container_get_process(container, "", &process, &error), LCOWMIG_OK);
	ck_assert_uint_eq(lcowmig_container_list_processes(container, NULL, 0), 0);
	ck_assert_str_eq(lcowmig_container_id(container), "c1");
	ck_assert_int_eq(container->object.state, _i);
	test_host_expect_log(host, "");
}
END_TEST

/* ---- Abort ---- */

/* LC-108 */
START_TEST(test_container_abort_changes_nothing_unless_imported)
{
	become(_i);
	abort_container();
	ck_assert_int_eq(container->object.state, _i);
	test_host_expect_log(host, "");
}
END_TEST

/* LC-109, LC-112, X-50: and then killing does nothing, and deleting works without guest and host. */
START_TEST(test_container_abort_ends_an_imported_container)
{
	lcowmig_exit ended = LCOWMIG_EXIT_INIT;
	test_done done = { 0 };

	if (_i)
		become_patched();
	else
		become_ready();
	ck_assert_int_eq(lcowmig_container_wait(container, test_on_done, &done, &error), LCOWMIG_PENDING);
	abort_container();
	assert_state("Stopped");
	test_host_expect_log(host, _i ? "event exit n1 '' 101 137\nstdio.close\n" : "event exit c1 '' 101 137\n");
	ck_assert_int_eq(done.calls, 1);
	ck_assert(container->terminated.is_set);
	abort_container();
	announce();
	ck_assert_int_eq(kill_it("", 9, true), LCOWMIG_OK);
	test_host_expect_log(host, "");
	host->env.has_guest = false;
	vm_is_gone = true;
	ck_assert_int_eq(delete ("", &ended), LCOWMIG_OK);
	ck_assert_uint_eq(ended.exit_status, 137);
	ck_assert_uint_eq(ended.pid, 101);
	test_host_expect_log(host, _i ? "event delete n1 '' 101 137\n" : "event delete c1 '' 101 137\n");
	ck_assert(container->terminated.is_set);
}
END_TEST

/* LC-110 */
START_TEST(test_container_abort_works_without_an_event_sink)
{
	become_ready();
	test_host_remove(host, "events.event");
	abort_container();
	assert_state("Stopped");
	ck_assert(container->terminated.is_set);
}
END_TEST

/* LC-111 */
START_TEST(test_container_abort_without_an_init_process_tells_nothing)
{
	lcowmig__wire_container wire = { .container_id = "c1", .gcs_container_id = "g1" };
	lcowmig_container *imported;

	test_enter(host);
	ck_assert_int_eq(lcowmig__container_import(&host->env, &vm, "p1", &wire, &imported, &error), LCOWMIG_OK);
	test_leave(host);
	replace(imported);
	abort_container();
	assert_state("Stopped");
	test_host_expect_log(host, "");
}
END_TEST

/* in the middle of a resume the abort wins, and nothing that was opened stays open. */
START_TEST(test_container_abort_during_a_resume_wins)
{
	test_done done = { 0 };

	become_patched();
	test_host_hold(host, "stdio.attach", true);
	ck_assert_int_eq(lcowmig_container_resume(container, true, test_on_done, &done, &error), LCOWMIG_PENDING);
	abort_container();
	test_host_complete(host, "stdio.attach", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_E_FAILED_PRECONDITION);
	assert_state("Stopped");
	ck_assert_uint_eq(test_host_count(host, "event"), 1);
	ck_assert_uint_eq(test_host_count(host, "guest.close_container"), 1);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
}
END_TEST

/* A container that was resumed when its pod's resume failed, and whose machine then dies, still has exactly one exit. */
START_TEST(test_container_abort_announces_a_resumed_container)
{
	become_resumed();
	test_host_disconnect(host);
	assert_state("Stopped");
	ck_assert_uint_eq(test_host_count(host, "event"), 0);
	abort_container();
	ck_assert_uint_eq(test_host_count(host, "event create n1 '' 101"), 1);
	ck_assert_uint_eq(test_host_count(host, "event exit n1 '' 101 4294967295"), 1);
}
END_TEST

/* The abort needs no memory. */
START_TEST(test_container_abort_works_when_memory_is_out)
{
	become_patched();
	test_host_fail_allocation(host, 1, true);
	abort_container();
	test_host_fail_allocation(host, 0, false);
	assert_state("Stopped");
	assert_logged("event exit n1 '' 101 137\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("container resume");
	TCase *tcase = tcase_create("container resume");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_container_resume_by_state, 0, CONTAINER_DESTINATION_MIGRATING);
	tcase_add_test(tcase, test_container_resume_fails_before_init_is_touched_without_a_guest);
	tcase_add_test(tcase, test_container_resume_on_the_source_opens_and_announces_nothing);
	tcase_add_test(tcase, test_container_exit_while_frozen_is_told_and_resume_does_nothing);
	tcase_add_test(tcase, test_container_resume_on_the_destination_is_announced_late);
	tcase_add_test(tcase, test_container_announcement_before_the_resume_says_nothing);
	tcase_add_test(tcase, test_container_announcement_carries_bundle_and_stdio);
	tcase_add_test(tcase, test_container_resume_needs_a_patch);
	tcase_add_test(tcase, test_container_resume_needs_an_init_process);
	tcase_add_test(tcase, test_container_adopts_for_each_process_or_says_for_which_not);
	tcase_add_test(tcase, test_container_abort_while_the_guest_is_opened_wins);
	tcase_add_test(tcase, test_container_exit_before_the_announcement_follows_it);
	tcase_add_loop_test(tcase, test_container_exit_during_the_blackout_is_told_after_the_announcement, 0, 3);
	tcase_add_test(tcase, test_container_resume_may_be_repeated);
	tcase_add_test(tcase, test_container_resume_survives_every_failing_allocation);
	tcase_add_test(tcase, test_container_delete_after_a_migration_gives_everything_back);
	tcase_add_test(tcase, test_container_hint_reaches_the_init_process);
	tcase_add_loop_test(tcase, test_container_refuses_changes_while_migrating, CONTAINER_DESTINATION_MIGRATING, CONTAINER_STATES);
	tcase_add_loop_test(tcase, test_container_abort_changes_nothing_unless_imported, 0, CONTAINER_DESTINATION_MIGRATING);
	tcase_add_loop_test(tcase, test_container_abort_changes_nothing_unless_imported, CONTAINER_SOURCE_MIGRATING, CONTAINER_STATES);
	tcase_add_loop_test(tcase, test_container_abort_ends_an_imported_container, 0, 2);
	tcase_add_test(tcase, test_container_abort_works_without_an_event_sink);
	tcase_add_test(tcase, test_container_abort_without_an_init_process_tells_nothing);
	tcase_add_test(tcase, test_container_abort_during_a_resume_wins);
	tcase_add_test(tcase, test_container_abort_announces_a_resumed_container);
	tcase_add_test(tcase, test_container_abort_works_when_memory_is_out);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
