/* The container controller against the scripted host: patches, each whole or not at all. */
#include "container_migrate_fixture.h"

/* ---- Patching ---- */

#define OLD_PATHS "C:\\l2\\layer.vhd C:\\l1\\layer.vhd C:\\scratch\\sandbox.vhdx C:\\data.vhdx "
#define NEW_PATHS "D:\\n2\\layer.vhd D:\\n1\\layer.vhd D:\\new\\sandbox.vhdx D:\\data.vhdx "

/* ---- Patch ---- */

/* LC-98 */
START_TEST(test_container_patch_is_refused_unless_imported)
{
	become(_i);
	commits = 0;
	ck_assert_int_eq(patch(), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says(lcowmig_container_state_name(container));
	ck_assert_int_eq(commits, 0);
	test_host_expect_log(host, "");
}
END_TEST

/* LC-102, LC-59, X-20, X-22 */
START_TEST(test_container_patch_repoints_disks_and_adopts_name_and_stdio)
{
	become_ready();
	ck_assert_str_eq(disk_paths(), OLD_PATHS);
	ck_assert_int_eq(patch(), LCOWMIG_OK);
	assert_state("DestinationMigrating");
	ck_assert_str_eq(disk_paths(), NEW_PATHS);
	ck_assert_str_eq(lcowmig_container_id(container), "n1");
	ck_assert_str_eq(lcowmig_container_guest_id(container), "c1");
	ck_assert_str_eq(lcowmig_process_container_id(container->init), "n1");
	ck_assert_str_eq(lcowmig_process_bundle(container->init), "D:\\bundle");
	ck_assert_str_eq(lcowmig_process_stdout(container->init), "newout");
	ck_assert_int_eq(commits, 1);
	test_host_expect_log(
		host, "hcs.resolve_path D:\\n2\\layer.vhd\nhcs.resolve_path D:\\n1\\layer.vhd\nhcs.resolve_path D:\\new\\sandbox.vhdx\n"
		      "hcs.resolve_path D:\\data.vhdx\nstdio.open n1 '' '' 'newout' ''\n");
}
END_TEST

/* LC-117, X-20: again, by the same source names, under another id; the first stdio is closed. */
START_TEST(test_container_patch_can_be_repeated)
{
	lcowmig_patch given = patch_options();
	const lcowmig_disk_patch other = { "C:\\data.vhdx", "E:\\data.vhdx" };

	become_patched();
	given.container_id = "m1";
	given.disks = &other;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_OK);
	ck_assert_str_eq(disk_paths(), "D:\\n2\\layer.vhd D:\\n1\\layer.vhd D:\\new\\sandbox.vhdx E:\\data.vhdx ");
	ck_assert_str_eq(lcowmig_container_id(container), "m1");
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
}
END_TEST

/* Without a new rootfs the paths are shared and stay. */
START_TEST(test_container_patch_keeps_paths_it_is_not_given)
{
	lcowmig_patch given = patch_options();

	become_ready();
	given.rootfs = NULL;
	given.n_disks = 0;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_OK);
	ck_assert_str_eq(disk_paths(), OLD_PATHS);
	ck_assert_str_eq(lcowmig_container_id(container), "n1");
}
END_TEST

static void assert_unpatched(void)
{
	assert_state("DestinationMigrating");
	ck_assert_str_eq(disk_paths(), OLD_PATHS);
	ck_assert_str_eq(lcowmig_container_id(container), "c1");
	ck_assert_str_eq(lcowmig_process_container_id(container->init), "c1");
	ck_assert_str_eq(lcowmig_process_stdout(container->init), "");
	ck_assert_uint_eq(test_host_count(host, "stdio.open"), test_host_count(host, "stdio.close"));
}

/* LC-99, X-21 */
START_TEST(test_container_patch_checks_layers_before_anything_changes)
{
	const char *const one_layer[] = { "parentLayerPaths=[\"D:\\\\n2\"]" };
	const char *const partitioned[] = { "scratch=D:\\s.vhdx", "parent-partitioned-layers=[{\"Path\":\"D:\\\\a\",\"Partition\":1},"
								  "{\"Path\":\"D:\\\\b\",\"Partition\":0}]" };
	const lcowmig_rootfs_mount wrong[] = {
		{ "lcow-layer", "D:\\new", NULL, one_layer, 1 },
		{ "bind", "D:\\new", NULL, NULL, 0 },
		{ "lcow-partitioned-layer", "D:\\new", NULL, partitioned, 2 },
	};
	lcowmig_patch given = patch_options();
	size_t i;

	become_ready();
	for (i = 0; i < LCOWMIG__COUNT(wrong); i++) {
		given.rootfs = &wrong[i];
		ck_assert_int_eq(patch_with(&given), LCOWMIG_E_INVALID_ARGUMENT);
		assert_unpatched();
	}
	given = patch_options();
	container->vm = NULL;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("SCSI");
	container->vm = &vm;
	vm_is_gone = true;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_E_UNAVAILABLE);
	vm_is_gone = false;
	given.container_id = "";
	ck_assert_int_eq(patch_with(&given), LCOWMIG_E_INVALID_ARGUMENT);
	assert_unpatched();
	ck_assert_int_eq(commits, 0);
	ck_assert_int_eq(patch(), LCOWMIG_OK);
}
END_TEST

/* Disks alone, and layers for a container that has none: what it has not is not looked for. */
START_TEST(test_container_patch_repoints_only_what_there_is)
{
	lcowmig__wire_process init = { "", 101, "b", { NULL, 0 }, { 0, 0 }, { 0, 0, 0 }, 5 };
	lcowmig__wire_container wire = { .container_id = "c1", .gcs_container_id = "g1", .processes = &init, .n_processes = 1 };
	const char *const no_parents[] = { "parentLayerPaths=[]" };
	const lcowmig_rootfs_mount no_layers = { "lcow-layer", "D:\\new", NULL, no_parents, 1 };
	lcowmig_patch given = patch_options();
	lcowmig_container *imported;
	lcowmig_guid disk;

	become_ready();
	given.rootfs = NULL;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_OK);
	ck_assert_str_eq(disk_paths(), "C:\\l2\\layer.vhd C:\\l1\\layer.vhd C:\\scratch\\sandbox.vhdx D:\\data.vhdx ");
	disk = container->disks.items[0];
	wire.has_layers = _i;
	wire.rootfs_path = "/r";
	wire.scsi_reservations = &disk;
	wire.n_scsi_reservations = 1;
	test_enter(host);
	ck_assert_int_eq(lcowmig__container_import(&host->env, &vm, "p1", &wire, &imported, &error), LCOWMIG_OK);
	test_leave(host);
	replace(imported);
	given = patch_options();
	given.rootfs = &no_layers;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_container_id(container), "n1");
}
END_TEST

/* An envelope that speaks of disks its SCSI controller does not have; a patch that says nothing of what it should. */
START_TEST(test_container_patch_refuses_what_does_not_fit)
{
	const char *const no_scratch[] = { "parent-partitioned-layers=[{\"Path\":\"D:\\\\a\"},{\"Path\":\"D:\\\\b\"}]" };
	const lcowmig_rootfs_mount without_scratch = { "lcow-partitioned-layer", NULL, NULL, no_scratch, 1 };
	const lcowmig_disk_patch no_source = { NULL, "D:\\data.vhdx" };
	const lcowmig_disk_patch no_path = { "C:\\data.vhdx", NULL };
	lcowmig_patch given = patch_options();

	become_ready();
	given.rootfs = &without_scratch;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("container c1 was saved with a scratch disk, the patch names none");
	given = patch_options();
	given.disks = &no_source;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_E_NOT_FOUND);
	given.disks = &no_path;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_E_INVALID_ARGUMENT);
	assert_says("no path for its disk C:\\data.vhdx");
	given = patch_options();
	given.container_id = NULL;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_E_INVALID_ARGUMENT);
	assert_unpatched();
	memset(container->ro_layers[1].reservation.bytes, 0xee, sizeof container->ro_layers[1].reservation.bytes);
	given = patch_options();
	ck_assert_int_eq(patch_with(&given), LCOWMIG_E_NOT_FOUND);
	assert_unpatched();
	ck_assert_int_eq(commits, 0);
}
END_TEST

/* LC-100, X-20, X-22 */
START_TEST(test_container_patch_changes_nothing_when_a_disk_cannot_be_repointed)
{
	const lcowmig_disk_patch unknown = { "C:\\none.vhdx", "D:\\none.vhdx" };
	const lcowmig_disk_patch taken = { "C:\\data.vhdx", "D:\\n1\\layer.vhd" };
	lcowmig_patch given = patch_options();

	become_ready();
	given.disks = &unknown;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_E_NOT_FOUND);
	assert_says("none.vhdx");
	assert_unpatched();
	given.disks = &taken;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_E_ALREADY_EXISTS);
	assert_unpatched();
	ck_assert_int_eq(commits, 0);
	ck_assert_int_eq(patch(), LCOWMIG_OK);
}
END_TEST

/* LC-100, LC-117, X-20: each host call fails in turn. */
START_TEST(test_container_patch_changes_nothing_when_the_host_fails)
{
	static const char *const operations[] = { "hcs.resolve_path", "hcs.resolve_path", "hcs.resolve_path", "hcs.resolve_path",
						  "stdio.open" };

	become_ready();
	test_host_fail(host, operations[_i], _i < 4 ? (unsigned)_i + 1 : 1, LCOWMIG_E_HOST_FAILED, 0x80070003, "scripted cause");
	ck_assert_int_eq(patch(), LCOWMIG_E_HOST_FAILED);
	assert_says("scripted cause");
	ck_assert_uint_eq(error.hresult, 0x80070003);
	ck_assert_str_eq(disk_paths(), OLD_PATHS);
	ck_assert_str_eq(lcowmig_container_id(container), "c1");
	ck_assert_int_eq(commits, 0);
	ck_assert_int_eq(patch(), LCOWMIG_OK);
	ck_assert_str_eq(disk_paths(), NEW_PATHS);
}
END_TEST

static void count_disk(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	(void)slot;
	(void)disk;
	++*(unsigned *)user;
}

static unsigned count_unpatched(void)
{
	unsigned count = 0;

	lcowmig__scsi_each_unpatched(scsi, count_disk, &count);
	return count;
}

/* what the pod refuses is undone; its disks still have the source's paths, and are known to. */
START_TEST(test_container_patch_is_undone_when_the_commit_refuses)
{
	unsigned unpatched;

	become_ready();
	commit_says = LCOWMIG_E_ALREADY_EXISTS;
	unpatched = count_unpatched();
	ck_assert_uint_gt(unpatched, 0);
	ck_assert_int_eq(patch(), LCOWMIG_E_ALREADY_EXISTS);
	assert_says("the pod says no");
	assert_unpatched();
	ck_assert_uint_eq(count_unpatched(), unpatched);
	commit_says = LCOWMIG_OK;
	ck_assert_int_eq(patch(), LCOWMIG_OK);
	ck_assert_str_eq(disk_paths(), NEW_PATHS);
}
END_TEST

/* LC-101 */
START_TEST(test_container_patch_needs_the_init_process_and_no_other)
{
	lcowmig__wire_process processes[2] = { { "", 101, "b", { NULL, 0 }, { 0, 0 }, { 0, 0, 0 }, 5 },
					       { "e1", 102, "b", { (const uint8_t *)"{}", 2 }, { 0, 0 }, { 0, 0, 0 }, 6 } };
	lcowmig__wire_container wire = { .container_id = "c1", .gcs_container_id = "g1", .processes = processes };
	lcowmig_patch given = patch_options();
	lcowmig_container *imported;

	given.n_disks = 0;
	given.rootfs = NULL;
	for (wire.n_processes = 0; wire.n_processes <= 2; wire.n_processes += 2) {
		test_enter(host);
		ck_assert_int_eq(lcowmig__container_import(&host->env, &vm, "p1", &wire, &imported, &error), LCOWMIG_OK);
		test_leave(host);
		replace(imported);
		ck_assert_int_eq(patch_with(&given), LCOWMIG_E_FAILED_PRECONDITION);
		ck_assert_str_eq(lcowmig_container_id(container), "c1");
	}
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_container_patch_survives_every_failing_allocation)
{
	unsigned nth;

	become_ready();
	for (nth = 1; nth < 300; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = patch();
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		assert_unpatched();
	}
	ck_assert_uint_lt(nth, 300);
	ck_assert_str_eq(disk_paths(), NEW_PATHS);
}
END_TEST

/* a cancelled patch keeps no stdio open. */
START_TEST(test_container_patch_changes_nothing_when_it_is_cancelled)
{
	const lcowmig_patch given = patch_options();
	test_done done = { 0 };

	become_ready();
	test_host_hold(host, "stdio.open", true);
	ck_assert_int_eq(test_run(host, lcowmig__container_patch_flow(container, &given, on_commit, &commits, &error), &done, &error),
			 LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	test_host_hold(host, "stdio.open", false);
	test_host_complete(host, "stdio.open", LCOWMIG_OK, 0, NULL);
	assert_unpatched();
	ck_assert_int_eq(patch(), LCOWMIG_OK);
}
END_TEST

START_TEST(test_container_patches_take_turns)
{
	lcowmig_patch given = patch_options();
	test_done first = { 0 }, second = { 0 };

	become_ready();
	test_host_hold(host, "stdio.open", true);
	ck_assert_int_eq(test_run(host, lcowmig__container_patch_flow(container, &given, on_commit, &commits, &error), &first, &error),
			 LCOWMIG_PENDING);
	given.container_id = "m1";
	ck_assert_int_eq(test_run(host, lcowmig__container_patch_flow(container, &given, on_commit, &commits, &error), &second, &error),
			 LCOWMIG_PENDING);
	ck_assert_uint_eq(test_host_pending(host, "stdio.open"), 1);
	test_host_complete(host, "stdio.open", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(first.status, LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_container_id(container), "n1");
	test_host_complete(host, "stdio.open", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(second.calls, 1);
	ck_assert_int_eq(second.status, LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_container_id(container), "m1");
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
}
END_TEST

START_TEST(test_container_patch_gives_way_to_an_abort)
{
	const lcowmig_patch given = patch_options();
	test_done done = { 0 };

	become_ready();
	test_host_hold(host, "stdio.open", true);
	ck_assert_int_eq(test_run(host, lcowmig__container_patch_flow(container, &given, on_commit, &commits, &error), &done, &error),
			 LCOWMIG_PENDING);
	abort_container();
	test_host_complete(host, "stdio.open", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_E_FAILED_PRECONDITION);
	assert_state("Stopped");
	ck_assert_str_eq(disk_paths(), OLD_PATHS);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
	ck_assert_int_eq(commits, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("container patch");
	TCase *tcase = tcase_create("container patch");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_container_patch_is_refused_unless_imported, 0, CONTAINER_DESTINATION_MIGRATING);
	tcase_add_loop_test(tcase, test_container_patch_is_refused_unless_imported, CONTAINER_SOURCE_MIGRATING, CONTAINER_STATES);
	tcase_add_test(tcase, test_container_patch_repoints_disks_and_adopts_name_and_stdio);
	tcase_add_test(tcase, test_container_patch_can_be_repeated);
	tcase_add_test(tcase, test_container_patch_keeps_paths_it_is_not_given);
	tcase_add_test(tcase, test_container_patch_checks_layers_before_anything_changes);
	tcase_add_loop_test(tcase, test_container_patch_repoints_only_what_there_is, 0, 2);
	tcase_add_test(tcase, test_container_patch_refuses_what_does_not_fit);
	tcase_add_test(tcase, test_container_patch_changes_nothing_when_a_disk_cannot_be_repointed);
	tcase_add_loop_test(tcase, test_container_patch_changes_nothing_when_the_host_fails, 0, 5);
	tcase_add_test(tcase, test_container_patch_is_undone_when_the_commit_refuses);
	tcase_add_test(tcase, test_container_patch_needs_the_init_process_and_no_other);
	tcase_add_test(tcase, test_container_patch_survives_every_failing_allocation);
	tcase_add_test(tcase, test_container_patch_changes_nothing_when_it_is_cancelled);
	tcase_add_test(tcase, test_container_patches_take_turns);
	tcase_add_test(tcase, test_container_patch_gives_way_to_an_abort);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
