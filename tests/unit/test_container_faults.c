/* A container whose host, guest or machine does what it should not, and what overlaps with that. */
#include "container_fixture.h"

#define ONE_DISK SPEC_WITH(",\"mounts\":[{\"type\":\"virtual-disk\",\"source\":\"C:\\\\d.vhdx\",\"destination\":\"/d\"}]")
#define ONE_SHARE SPEC_WITH(",\"mounts\":[{\"type\":\"bind\",\"source\":\"C:\\\\dir\",\"destination\":\"/d\"}]")
#define ONE_DEVICE SPEC_WITH(",\"windows\":{\"devices\":[{\"id\":\"PCIP\\\\A\",\"idType\":\"gpu\"}]}")

static void has_no_disks_left(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	ck_abort_msg("%s was left attached", disk->host_path);
}

static void assert_nothing_is_held(void)
{
	lcowmig__scsi_each_disk(scsi, has_no_disks_left, NULL);
	ck_assert_int_eq(lcowmig__plan9_capture(plan9, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__vpci_capture(vpci, &error), LCOWMIG_OK);
}

/* ---- Create ---- */

static unsigned good_paths;

static lcowmig_status path_is_nothing(void *user, lcowmig_call *call, const char *path)
{
	if (good_paths) {
		good_paths--;
		lcowmig_call_set_result(call, path, strlen(path));
	}
	return LCOWMIG_OK;
}

/* A host that says it has resolved a path, and says no path: of a layer, the scratch, a further disk. */
START_TEST(test_container_create_needs_the_paths_that_the_host_resolves)
{
	host->env.hcs.resolve_path = path_is_nothing;
	good_paths = (unsigned)_i;
	ck_assert_int_eq(create_with(ONE_DISK, "parentLayerPaths=[\"C:\\\\l1\"]"), LCOWMIG_E_HOST_FAILED);
	assert_says("resolve path: the host gave none");
	assert_says("container c1 could not be created and is Invalid");
	assert_nothing_is_held();
}
END_TEST

static lcowmig_status path_loses_machine(void *user, lcowmig_call *call, const char *path)
{
	vm_is_gone = strstr(path, "d.vhdx") != NULL;
	lcowmig_call_set_result(call, path, strlen(path));
	return LCOWMIG_OK;
}

/* The machine, or a bus of its, goes while the container is being made: what is gone took everything along. */
START_TEST(test_container_create_fails_when_a_controller_goes)
{
	static const char *const specs[] = { ONE_DISK, ONE_SHARE, ONE_DEVICE };

	host->env.hcs.resolve_path = path_loses_machine;
	plan9_is_gone = true;
	vpci_is_gone = true;
	ck_assert_int_eq(create_with(specs[_i], "parentLayerPaths=[]"), LCOWMIG_E_UNAVAILABLE);
	assert_says("gone");
	assert_state("Invalid");
	ck_assert(container->terminated.is_set);
	ck_assert(!container->guest_is_open && !container->guest_knows);
}
END_TEST

static lcowmig_status path_is_a_link(void *user, lcowmig_call *call, const char *path)
{
	lcowmig_call_set_result(call, "link", 4);
	return LCOWMIG_OK;
}

/* Whatever is no file is shared as it is. */
START_TEST(test_container_create_shares_what_is_no_file_whole)
{
	host->env.hcs.path_type = path_is_a_link;
	ck_assert_int_eq(create_with(ONE_SHARE, "parentLayerPaths=[]"), LCOWMIG_OK);
	assert_logged("\"Path\":\"C:\\\\dir\"");
	assert_not_logged("AllowedFiles");
}
END_TEST

START_TEST(test_container_create_checks_the_callers_mounts_and_times)
{
	const char *const with_null[] = { NULL, "parentLayerPaths=[]" };
	const char *const no_scratch[] = { "parent-partitioned-layers=[]" };
	lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\scratch", NULL, NULL, 1 };
	lcowmig_container_options given = LCOWMIG_CONTAINER_OPTIONS_INIT;

	given.oci_spec = SPEC;
	given.oci_spec_size = strlen(SPEC);
	given.rootfs = &rootfs;
	given.n_rootfs = 1;
	ck_assert_int_eq(lcowmig_container_create(container, &given, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("rootfs mount 0: its options are NULL");
	rootfs.n_options = 0;
	ck_assert_int_eq(lcowmig_container_create(container, &given, NULL, NULL, &error), LCOWMIG_OK); /* a scratch disk, and no layers */
	ck_assert_uint_eq(container->n_ro_layers, 0);
	start_over();
	rootfs.options = with_null;
	rootfs.n_options = 2;
	given.io_retry_timeout_ns = UINT64_MAX;
	ck_assert_int_eq(lcowmig_container_create(container, &given, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("io_retry_timeout_ns");
	given.io_retry_timeout_ns = INT64_MAX;
	given.oci_spec = NULL;
	ck_assert_int_eq(lcowmig_container_create(container, &given, NULL, NULL, &error), LCOWMIG_E_CORRUPT_DATA);
	assert_state("NotCreated");
	given.oci_spec = SPEC;
	ck_assert_int_eq(lcowmig_container_create(container, &given, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_uint_eq(container->io_retry_timeout_ns, INT64_MAX);
	start_over();
	rootfs = (lcowmig_rootfs_mount){ "lcow-partitioned-layer", NULL, NULL, no_scratch, 1 };
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_container_create(container, &given, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("container c1: its root file system names no scratch disk");
	test_host_expect_log(host, "");
}
END_TEST

/* ---- Release ---- */

/* What a failed creation could not give back is given back by a delete, which finds no process then. */
START_TEST(test_container_delete_gives_back_what_a_failed_create_could_not)
{
	test_host_fail(host, "guest.rpc:10100101", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no create");
	test_host_fail(host, "guest.rpc:10100d01", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no delete");
	ck_assert_int_eq(create(), LCOWMIG_E_GUEST_FAILED);
	assert_says("no create");
	assert_state("Invalid");
	ck_assert(container->has_scratch);
	ck_assert_int_eq(delete ("e1", NULL), LCOWMIG_E_NOT_FOUND); /* an exec's gives nothing back */
	ck_assert(container->has_scratch);
	test_host_fail(host, "guest.rpc:10100d01", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no delete");
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_E_GUEST_FAILED);
	assert_says("container c1 is Invalid: its state in the guest could not be released");
	ck_assert(container->has_scratch);
	ck_assert_int_eq(delete (NULL, NULL), LCOWMIG_E_NOT_FOUND);
	assert_nothing_is_held();
	assert_state("Invalid");
}
END_TEST

/* A Plan9 server or vPCI bus that is gone has given everything back. */
START_TEST(test_container_delete_asks_nothing_of_controllers_that_are_gone)
{
	ck_assert_int_eq(create_with(_i ? ONE_DEVICE : ONE_SHARE, "parentLayerPaths=[]"), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	test_host_exit_process(host, 101, 0);
	plan9_is_gone = true;
	vpci_is_gone = true;
	test_host_clear_log(host);
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
	assert_not_logged("Plan9");
	assert_not_logged("VirtualPci");
	ck_assert_uint_eq(test_host_count(host, "event delete c1 '' 101 0"), 1);
}
END_TEST

/* An envelope may claim a combined root without a scratch disk. */
START_TEST(test_container_delete_takes_a_root_without_scratch_apart)
{
	lcowmig__wire_process init = { "", 101, "b", { NULL, 0 }, { 0, 0 }, { 0, 0, 0 }, 5 };
	const lcowmig__wire_container wire = { .container_id = "c1",
					       .gcs_container_id = "g1",
					       .has_layers = true,
					       .layers_combined = true,
					       .rootfs_path = "/r",
					       .processes = &init,
					       .n_processes = 1 };
	lcowmig_patch given = LCOWMIG_PATCH_INIT;
	lcowmig_container *imported;

	given.container_id = "n1";
	test_enter(host);
	ck_assert_int_eq(lcowmig__container_import(&host->env, &vm, "p1", &wire, &imported, &error), LCOWMIG_OK);
	test_leave(host);
	replace(imported);
	ck_assert_int_eq(test_run(host, lcowmig__container_patch_flow(container, &given, NULL, NULL, &error), NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_resume(container, true, NULL, NULL, &error), LCOWMIG_OK);
	if (_i) {
		uint8_t bytes[1024];

		(void)save(bytes, sizeof bytes); /* it migrates on as it came */
		ck_assert_int_eq(lcowmig_container_resume(container, false, NULL, NULL, &error), LCOWMIG_OK);
	}
	ck_assert_int_eq(lcowmig_container_announce(container, &error), LCOWMIG_OK);
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
	assert_logged("\"ContainerRootPath\":\"/r\",\"ScratchPath\":\"/scratch/p1/g1\"");
}
END_TEST

/* ---- Processes ---- */

START_TEST(test_container_new_process_refuses_ids_that_could_never_travel)
{
	static char id[LCOWMIG_LIMIT_ID_BYTES + 2];
	lcowmig_process_options given = LCOWMIG_PROCESS_OPTIONS_INIT;
	lcowmig_process *process = NULL;

	become(CONTAINER_RUNNING);
	given.process_spec = "{}";
	memset(id, 'x', sizeof id - 1);
	ck_assert_int_eq(lcowmig_container_new_process(container, NULL, &process, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_exec(container, NULL, &given, NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("the exec id is empty");
	ck_assert_int_eq(lcowmig_container_new_process(container, id, &process, &error), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_int_eq(lcowmig_container_new_process(container, "\xff", &process, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("UTF-8");
	ck_assert_ptr_null(process);
	ck_assert_uint_eq(container->processes.count, 1);
	id[LCOWMIG_LIMIT_ID_BYTES] = '\0';
	ck_assert_int_eq(lcowmig_container_new_process(container, id, &process, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_exec(container, "e1", &given, NULL, NULL, NULL, &error), LCOWMIG_OK); /* nobody wants it */
	ck_assert_uint_eq(container->processes.count, 3);
}
END_TEST

/* Whoever has taken up a process that then could not be created still has it, until it is deleted. */
START_TEST(test_container_exec_keeps_a_process_that_is_in_use_when_it_fails)
{
	lcowmig_process_options given = LCOWMIG_PROCESS_OPTIONS_INIT;
	test_done exec_done = { 0 }, start_done = { 0 }, kill_done = { 0 };
	lcowmig_process *process = NULL, *result = NULL;

	become(CONTAINER_RUNNING);
	given.process_spec = "{}";
	test_host_hold(host, "stdio.open", true);
	ck_assert_int_eq(lcowmig_container_exec(container, "e1", &given, &result, test_on_done, &exec_done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_container_get_process(container, "e1", &process, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_process_start(process, test_on_done, &start_done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_process_kill(process, 9, test_on_done, &kill_done, &error), LCOWMIG_PENDING);
	test_host_complete(host, "stdio.open", LCOWMIG_E_HOST_FAILED, 2, NULL);
	ck_assert_int_eq(exec_done.status, LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(start_done.status, LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(kill_done.status, LCOWMIG_OK);
	ck_assert_ptr_null(result);
	ck_assert_str_eq(lcowmig_process_state_name(process), "Terminated");
	ck_assert_int_eq(delete ("e1", NULL), LCOWMIG_OK);
	ck_assert_uint_eq(container->processes.count, 1);
}
END_TEST

START_TEST(test_container_is_not_idle_while_one_of_its_processes_is_busy)
{
	lcowmig_process *first;
	test_done done = { 0 };

	become(CONTAINER_RUNNING);
	first = exec("e1");
	exec("e2");
	ck_assert_int_eq(lcowmig_process_start(first, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__container_check_idle(container, &error), LCOWMIG_OK);
	test_host_hold(host, "guest.rpc:10100701", true);
	ck_assert_int_eq(lcowmig_process_kill(first, 15, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig__container_check_idle(container, &error), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("c1/e1");
	assert_says("kill");
	test_host_complete(host, "guest.rpc:10100701", LCOWMIG_OK, 0, "{}");
	ck_assert_int_eq(lcowmig__container_check_idle(container, &error), LCOWMIG_OK);
}
END_TEST

/* ---- The end ---- */

START_TEST(test_container_wait_ends_when_the_container_is_freed)
{
	test_done done = { 0 };

	become(CONTAINER_RUNNING);
	ck_assert_int_eq(lcowmig_container_wait(container, test_on_done, &done, &error), LCOWMIG_PENDING);
	replace(make("c2"));
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_ptr_nonnull(strstr(done.message, "lost its container"));
}
END_TEST

static void free_in_close(void *user, const char *container_id)
{
	ck_assert_str_eq(lcowmig_container_state_name(container), "Stopped");
	replace(make("c2"));
}

/* The host frees a container from within the last call that its end makes. */
START_TEST(test_container_may_be_freed_while_its_guest_is_closed)
{
	become(CONTAINER_RUNNING);
	host->env.guest.close_container = free_in_close;
	test_host_exit_process(host, 101, 3);
	ck_assert_str_eq(lcowmig_container_id(container), "c2");
	ck_assert_uint_eq(test_host_count(host, "event exit"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("container_faults");
	TCase *tcase = tcase_create("container_faults");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_container_create_needs_the_paths_that_the_host_resolves, 0, 3);
	tcase_add_loop_test(tcase, test_container_create_fails_when_a_controller_goes, 0, 3);
	tcase_add_test(tcase, test_container_create_shares_what_is_no_file_whole);
	tcase_add_test(tcase, test_container_create_checks_the_callers_mounts_and_times);
	tcase_add_test(tcase, test_container_delete_gives_back_what_a_failed_create_could_not);
	tcase_add_loop_test(tcase, test_container_delete_asks_nothing_of_controllers_that_are_gone, 0, 2);
	tcase_add_loop_test(tcase, test_container_delete_takes_a_root_without_scratch_apart, 0, 2);
	tcase_add_test(tcase, test_container_new_process_refuses_ids_that_could_never_travel);
	tcase_add_test(tcase, test_container_exec_keeps_a_process_that_is_in_use_when_it_fails);
	tcase_add_test(tcase, test_container_is_not_idle_while_one_of_its_processes_is_busy);
	tcase_add_test(tcase, test_container_wait_ends_when_the_container_is_freed);
	tcase_add_test(tcase, test_container_may_be_freed_while_its_guest_is_closed);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
