/* The container controller against the scripted host: its processes, kill, delete, giving everything back; and without memory. */
#include "container_fixture.h"

/* ---- Processes ---- */

/* LC-13, LC-14, LC-15, LC-16 */
START_TEST(test_container_keeps_its_processes_by_exec_id)
{
	lcowmig_process *first = NULL, *second = NULL, *found = NULL, *list[4];

	become(CONTAINER_RUNNING);
	ck_assert_uint_eq(lcowmig_container_list_processes(container, list, 4), 0);
	ck_assert_int_eq(lcowmig_container_new_process(container, "e2", &second, &error), LCOWMIG_OK);
	first = exec("e1");
	ck_assert_int_eq(lcowmig_container_new_process(container, "e1", &found, &error), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(lcowmig_container_new_process(container, "", &found, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(found);
	ck_assert_int_eq(lcowmig_container_get_process(container, "e2", &found, &error), LCOWMIG_OK);
	ck_assert_ptr_eq(found, second);
	ck_assert_int_eq(lcowmig_container_get_process(container, NULL, &found, &error), LCOWMIG_OK);
	ck_assert_ptr_eq(found, container->init);
	ck_assert_int_eq(lcowmig_container_get_process(container, "e3", &found, &error), LCOWMIG_E_NOT_FOUND);
	ck_assert_uint_eq(lcowmig_container_list_processes(container, NULL, 4), 2);
	ck_assert_uint_eq(lcowmig_container_list_processes(container, list, 1), 2);
	ck_assert_uint_eq(lcowmig_container_list_processes(container, list, 4), 2);
	ck_assert_ptr_eq(list[0], first);
	ck_assert_ptr_eq(list[1], second);
}
END_TEST

START_TEST(test_container_exec_leaves_no_trace_when_it_fails)
{
	lcowmig_process_options given = LCOWMIG_PROCESS_OPTIONS_INIT;
	lcowmig_process *process = NULL;

	become(CONTAINER_RUNNING);
	given.process_spec = "{}";
	test_host_fail(host, "stdio.open", 1, LCOWMIG_E_HOST_FAILED, 2, "no pipe");
	ck_assert_int_eq(lcowmig_container_exec(container, "e1", &given, &process, NULL, NULL, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_ptr_null(process);
	ck_assert_uint_eq(container->processes.count, 1);
	ck_assert_int_eq(lcowmig_container_exec(container, "e1", &given, &process, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_ptr_nonnull(process);
}
END_TEST

/* LC-17, LC-18, LC-21 */
START_TEST(test_container_kill_checks_its_arguments)
{
	become(CONTAINER_RUNNING);
	ck_assert_int_eq(kill_it("e1", 9, true), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(kill_it("", 77, false), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("77");
	ck_assert_int_eq(kill_it("e1", 9, false), LCOWMIG_E_NOT_FOUND);
	test_host_expect_log(host, "");
}
END_TEST

/* LC-19, LC-20, LC-22, LC-23 */
START_TEST(test_container_kill_by_state)
{
	bool is_refused = _i == CONTAINER_NOT_CREATED || _i == CONTAINER_SOURCE_MIGRATING || _i == CONTAINER_DESTINATION_MIGRATING;

	become(_i);
	if (_i == CONTAINER_STOPPED || _i == CONTAINER_INVALID)
		host->env.has_guest = false;
	ck_assert_int_eq(kill_it("", 9, false), is_refused ? LCOWMIG_E_FAILED_PRECONDITION : LCOWMIG_OK);
	ck_assert_int_eq(container->object.state, _i);
	ck_assert_uint_eq(test_host_count(host, SIGNAL), _i == CONTAINER_RUNNING);
}
END_TEST

/* LC-24, LC-25, SVC-17 */
START_TEST(test_container_kill_reaches_all_or_one)
{
	lcowmig_process *first, *second;

	become(CONTAINER_RUNNING);
	first = exec("e1");
	second = exec("e2");
	ck_assert_int_eq(lcowmig_process_start(first, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_process_start(second, NULL, NULL, &error), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(kill_it("e1", 15, false), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, SIGNAL), 1);
	assert_logged("\"ProcessId\":102");
	test_host_clear_log(host);
	/* One that cannot be reached does not keep the signal from the others. */
	test_host_fail(host, "guest.rpc:10100701", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(kill_it("", 15, _i), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, SIGNAL), 3);
	ASSERT_ORDER("\"ProcessId\":102", "\"ProcessId\":103", "\"ProcessId\":101");
}
END_TEST

/* LC-26, LC-27 */
START_TEST(test_container_delete_is_refused_while_it_cannot_be)
{
	become(_i);
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says(lcowmig_container_state_name(container));
	test_host_expect_log(host, "");
}
END_TEST

/* LC-28, LC-29 */
START_TEST(test_container_delete_keeps_a_process_that_was_never_created)
{
	lcowmig_process *process;

	become(CONTAINER_RUNNING);
	ck_assert_int_eq(delete ("e1", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_container_new_process(container, "e1", &process, &error), LCOWMIG_OK);
	ck_assert_int_eq(delete ("e1", NULL), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("NotCreated");
	ck_assert_uint_eq(container->processes.count, 2);
}
END_TEST

/* SVC-16 */
START_TEST(test_container_delete_of_an_exec_says_how_it_ended)
{
	lcowmig_exit ended = LCOWMIG_EXIT_INIT;
	lcowmig_process *process;

	become(CONTAINER_RUNNING);
	process = exec("e1");
	ck_assert_int_eq(lcowmig_process_start(process, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(delete ("e1", &ended), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_exit_process(host, 102, 4);
	test_host_clear_log(host);
	ck_assert_int_eq(delete ("e1", &ended), LCOWMIG_OK);
	ck_assert_uint_eq(ended.pid, 102);
	ck_assert_uint_eq(ended.exit_status, 4);
	ck_assert_int_ne(ended.exited_at, 0);
	test_host_expect_log(host, "event delete c1 e1 102 4\n");
	ck_assert_int_eq(delete ("e1", NULL), LCOWMIG_E_NOT_FOUND);
	assert_state("Running");
}
END_TEST

START_TEST(test_container_delete_of_init_waits_for_the_end_with_a_bound)
{
	test_done done = { 0 };

	become(CONTAINER_RUNNING);
	ck_assert_int_eq(lcowmig_container_delete(container, "", NULL, test_on_done, &done, &error), LCOWMIG_PENDING);
	test_host_advance(host, CONTAINER_DELETE_WAIT_NS);
	ck_assert_int_eq(done.status, LCOWMIG_E_TIMED_OUT);
	assert_state("Running");
	ck_assert_int_eq(lcowmig_container_delete(container, "", NULL, test_on_done, &done, &error), LCOWMIG_PENDING);
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(done.calls, 2);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_uint_eq(disks_left(), 0);
}
END_TEST

START_TEST(test_container_delete_of_a_container_never_started)
{
	lcowmig_exit ended = LCOWMIG_EXIT_INIT;

	become(CONTAINER_CREATED);
	ck_assert_int_eq(delete ("", &ended), LCOWMIG_OK);
	ck_assert_uint_eq(ended.exit_status, 0);
	ck_assert(container->terminated.is_set);
	ck_assert_uint_eq(disks_left(), 0);
	ck_assert_int_eq(start(), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("deleted");
}
END_TEST

/* ---- Release ---- */

#define EVERYTHING                                                                                                                         \
	SPEC_WITH(",\"mounts\":[{\"type\":\"virtual-disk\",\"source\":\"C:\\\\d.vhdx\",\"destination\":\"/d\"},"                           \
		  "{\"type\":\"bind\",\"source\":\"C:\\\\dir\",\"destination\":\"/b\"}],"                                                  \
		  "\"windows\":{\"devices\":[{\"id\":\"PCIP\\\\A\",\"idType\":\"gpu\"}]}")

static void become_stopped_with_everything(void)
{
	ck_assert_int_eq(create_with(EVERYTHING, "parentLayerPaths=[\"C:\\\\l2\",\"C:\\\\l1\"]"), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	test_host_exit_process(host, lcowmig_process_pid(container->init), 0);
	test_host_clear_log(host);
}

/* LC-30, LC-35, LC-40 */
START_TEST(test_container_release_gives_back_in_order)
{
	become_stopped_with_everything();
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
	ASSERT_ORDER(MODIFY("Remove",
			    "CombinedLayers") ",\"Settings\":{\"ContainerID\":\"c1\",\"ContainerRootPath\":\"/run/gcs/pods/p1/c1/rootfs\","
					      "\"Layers\":[{\"Path\":\"/run/mounts/scsi/0_0_0\"},{\"Path\":\"/run/mounts/scsi/0_1_0\"}],"
					      "\"ScratchPath\":\"/run/mounts/scsi/0_2_0/scratch/p1/c1\"}",
		     DELETE_STATE, "\"MountPath\":\"/run/mounts/scsi/0_2_0\"", "\"MountPath\":\"/run/mounts/scsi/0_0_0\"",
		     "\"MountPath\":\"/run/mounts/scsi/0_1_0\"", "\"MountPath\":\"/run/mounts/scsi/0_3_0\"",
		     MODIFY("Remove", "MappedDirectory"), "VirtualMachine/Devices/VirtualPci/", "event delete c1 '' 101 0\n");
	ck_assert(!container->layers_combined && !container->has_scratch);
	ck_assert_uint_eq(disks_left(), 0);
	ck_assert_int_eq(lcowmig__plan9_capture(plan9, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__vpci_capture(vpci, &error), LCOWMIG_OK);
}
END_TEST

/* LC-31, LC-32, LC-33, LC-40, X-61: what was given back is forgotten at once. */
START_TEST(test_container_release_twice_does_nothing_more)
{
	become_stopped_with_everything();
	ck_assert_int_eq(test_run(host, lcowmig__container_release_flow(container, &error), NULL, &error), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(test_run(host, lcowmig__container_release_flow(container, &error), NULL, &error), LCOWMIG_OK);
	test_host_expect_log(host, "");
	replace(make("c2"));
	ck_assert_int_eq(test_run(host, lcowmig__container_release_flow(container, &error), NULL, &error), LCOWMIG_OK);
	test_host_expect_log(host, "");
	/* Layers that were never combined. */
	ck_assert_int_eq(create(), LCOWMIG_OK);
	container->layers_combined = false;
	test_host_clear_log(host);
	ck_assert_int_eq(test_run(host, lcowmig__container_release_flow(container, &error), NULL, &error), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, MODIFY("Remove", "CombinedLayers")), 0);
	ck_assert_uint_eq(disks_left(), 0);
}
END_TEST

START_TEST(test_container_release_deletes_no_guest_state_where_it_cannot)
{
	host->env.guest_supports_delete_state = false;
	become_stopped_with_everything();
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, DELETE_STATE), 0);
}
END_TEST

/* LC-36, LC-37, LC-38, LC-41, LC-34: fail the 1st, 2nd, 3rd … call; the rest is kept, in order, and given back by the next try. */
START_TEST(test_container_release_goes_on_where_it_failed)
{
	static const char *const operations[] = { "guest.rpc", "hcs.modify" };
	unsigned operation, nth;

	for (operation = 0; operation < LCOWMIG__COUNT(operations); operation++) {
		for (nth = 1; nth < 40; nth++) {
			lcowmig_status status;

			teardown();
			setup();
			become_stopped_with_everything();
			test_host_fail(host, operations[operation], nth, LCOWMIG_E_HOST_FAILED, 0x80070005, "scripted");
			status = delete ("", NULL);
			if (status == LCOWMIG_OK)
				break;
			ck_assert_int_eq(status, LCOWMIG_E_HOST_FAILED);
			assert_says("scripted");
			ck_assert_ptr_nonnull(container->init);
			ck_assert_uint_eq(test_host_count(host, "event delete"), 0);
			if (container->has_scratch)
				ck_assert_uint_eq(container->first_ro_layer, 0);
			if (container->first_ro_layer < container->n_ro_layers)
				ck_assert_uint_eq(container->disks.first, 0);
			if (container->disks.first < container->disks.count)
				ck_assert_uint_eq(container->shares.first, 0);
			if (container->shares.first < container->shares.count)
				ck_assert_uint_eq(container->devices.first, 0);
			test_host_clear_log(host);
			ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
			ck_assert_uint_eq(disks_left(), 0);
			ck_assert_int_eq(lcowmig__plan9_capture(plan9, &error), LCOWMIG_OK);
			ck_assert_int_eq(lcowmig__vpci_capture(vpci, &error), LCOWMIG_OK);
		}
		ck_assert_uint_gt(nth, 3);
		ck_assert_uint_lt(nth, 40);
	}
}
END_TEST

static const struct {
	lcowmig_status status;
	uint32_t hresult;
} gone[] = {
	{ LCOWMIG_E_UNAVAILABLE, 0 },
	{ LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_DOES_NOT_EXIST },
	{ LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_ALREADY_STOPPED },
	{ LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_INVALID_STATE },
	{ LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_INVALID_HANDLE },
};

/* LC-34, LC-42 */
START_TEST(test_container_release_tolerates_what_is_gone)
{
	unsigned nth;

	become_stopped_with_everything();
	for (nth = 1; nth <= 2; nth++)
		test_host_fail(host, "guest.rpc", nth, gone[_i].status, gone[_i].hresult, "gone");
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, DELETE_STATE), 1);
	ck_assert(!container->guest_knows);
	ck_assert_uint_eq(disks_left(), 0);
}
END_TEST

/* nothing is left that could be asked. */
START_TEST(test_container_release_succeeds_when_everything_is_gone)
{
	become_stopped_with_everything();
	host->env.has_guest = false;
	host->env.system = NULL;
	vm_is_gone = _i;
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
	host->env.system = NULL;
	ck_assert_uint_eq(test_host_count(host, "guest.rpc"), 0);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 0);
}
END_TEST

/* ---- Memory, arguments ---- */

START_TEST(test_container_create_survives_every_failing_allocation)
{
	unsigned nth;

	for (nth = 1; nth < 2000; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = create_with(EVERYTHING, "parentLayerPaths=[\"C:\\\\l1\"]");
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		if (container->object.state == CONTAINER_NOT_CREATED)
			continue;
		assert_state("Invalid");
		ck_assert(container->terminated.is_set);
		ck_assert_uint_eq(disks_left(), 0);
		ck_assert_int_eq(lcowmig__plan9_capture(plan9, &error), LCOWMIG_OK);
		ck_assert_int_eq(lcowmig__vpci_capture(vpci, &error), LCOWMIG_OK);
		replace(make("c1"));
	}
	ck_assert_uint_lt(nth, 2000);
	assert_state("Created");
}
END_TEST

START_TEST(test_container_life_survives_every_failing_allocation)
{
	unsigned nth;

	become(CONTAINER_CREATED);
	for (nth = 1; nth < 300; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = start();
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		if (container->object.state == CONTAINER_INVALID) {
			start_over();
			become(CONTAINER_CREATED);
		}
	}
	test_host_advance(host, UINT64_C(100000000));
	test_host_exit_process(host, lcowmig_process_pid(container->init), 0);
	assert_state("Stopped");
	for (nth = 1; nth < 300; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = delete ("", NULL);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
	ck_assert_uint_lt(nth, 300);
	ck_assert_uint_eq(disks_left(), 0);
	ck_assert_uint_eq(test_host_count(host, "event delete"), 1);
}
END_TEST

START_TEST(test_container_create_can_be_cancelled_and_unwinds)
{
	lcowmig_container_options given = LCOWMIG_CONTAINER_OPTIONS_INIT;
	const char *const options[] = { "parentLayerPaths=[]" };
	const lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\scratch", NULL, options, 1 };
	test_done done = { 0 };

	given.oci_spec = SPEC;
	given.oci_spec_size = strlen(SPEC);
	given.rootfs = &rootfs;
	given.n_rootfs = 1;
	test_host_hold(host, "hcs.grant_access", true);
	ck_assert_int_eq(lcowmig_container_create(container, &given, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	assert_state("Invalid");
	ck_assert_uint_eq(disks_left(), 0);
	test_host_complete(host, "hcs.grant_access", LCOWMIG_OK, 0, NULL);
}
END_TEST

START_TEST(test_container_refuses_null)
{
	lcowmig_container_options given = LCOWMIG_CONTAINER_OPTIONS_INIT;
	lcowmig_process_options exec_given = LCOWMIG_PROCESS_OPTIONS_INIT;
	lcowmig_patch patch = LCOWMIG_PATCH_INIT;
	lcowmig_container *imported = NULL;
	lcowmig_exit no_size = { 0 };

	ck_assert_int_eq(lcowmig_container_create(NULL, &given, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_create(container, NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	given.size = 1;
	ck_assert_int_eq(lcowmig_container_create(container, &given, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_start(NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_kill(NULL, "", 9, false, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_delete(NULL, "", NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_delete(container, "", &no_size, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_wait(NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_update(container, NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_pids(container, NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_stats(container, NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_new_process(container, "e", NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_get_process(container, "e", NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_uint_eq(lcowmig_container_list_processes(NULL, NULL, 0), 0);
	ck_assert_int_eq(lcowmig_container_exec(NULL, "e", &exec_given, NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_exec(container, "e", NULL, NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_update(NULL, "{}", NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("container is NULL");
	ck_assert_int_eq(lcowmig_container_save(container, NULL, 0, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("ret_size is NULL");
	ck_assert_int_eq(lcowmig_container_patch(NULL, &patch, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_patch(container, NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_adopt(NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_resume(NULL, true, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_announce(NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_abort(NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_import(NULL, NULL, 0, "p1", &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(lcowmig_container_id(NULL), "");
	ck_assert_str_eq(lcowmig_container_guest_id(NULL), "");
	ck_assert_str_eq(lcowmig_container_state_name(NULL), "");
	ck_assert_uint_eq(lcowmig_pids_count(NULL), 0);
	ck_assert_uint_eq(lcowmig_pids_get(NULL, 0), 0);
	ck_assert_ptr_null(lcowmig_pids_exec_id(NULL, 0));
	ck_assert_str_eq(lcowmig_stats_json(NULL), "");
	ck_assert_int_eq(lcowmig_container_free(container, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_container_free(NULL, &error), LCOWMIG_OK);
	lcowmig_pids_free(NULL);
	lcowmig_stats_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("container end");
	TCase *tcase = tcase_create("container end");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_container_keeps_its_processes_by_exec_id);
	tcase_add_test(tcase, test_container_exec_leaves_no_trace_when_it_fails);
	tcase_add_test(tcase, test_container_kill_checks_its_arguments);
	tcase_add_loop_test(tcase, test_container_kill_by_state, 0, CONTAINER_STATES);
	tcase_add_loop_test(tcase, test_container_kill_reaches_all_or_one, 0, 2);
	tcase_add_loop_test(tcase, test_container_delete_is_refused_while_it_cannot_be, CONTAINER_NOT_CREATED, CONTAINER_CREATED);
	tcase_add_loop_test(tcase, test_container_delete_is_refused_while_it_cannot_be, CONTAINER_DESTINATION_MIGRATING, CONTAINER_STATES);
	tcase_add_test(tcase, test_container_delete_keeps_a_process_that_was_never_created);
	tcase_add_test(tcase, test_container_delete_of_an_exec_says_how_it_ended);
	tcase_add_test(tcase, test_container_delete_of_init_waits_for_the_end_with_a_bound);
	tcase_add_test(tcase, test_container_delete_of_a_container_never_started);
	tcase_add_test(tcase, test_container_release_gives_back_in_order);
	tcase_add_test(tcase, test_container_release_twice_does_nothing_more);
	tcase_add_test(tcase, test_container_release_deletes_no_guest_state_where_it_cannot);
	tcase_add_test(tcase, test_container_release_goes_on_where_it_failed);
	tcase_add_loop_test(tcase, test_container_release_tolerates_what_is_gone, 0, (int)LCOWMIG__COUNT(gone));
	tcase_add_loop_test(tcase, test_container_release_succeeds_when_everything_is_gone, 0, 2);
	tcase_add_test(tcase, test_container_create_survives_every_failing_allocation);
	tcase_add_test(tcase, test_container_life_survives_every_failing_allocation);
	tcase_add_test(tcase, test_container_create_can_be_cancelled_and_unwinds);
	tcase_add_test(tcase, test_container_refuses_null);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
