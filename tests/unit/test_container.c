/* The container controller against the scripted host: create, start, exit. Ids in comments are those of tests/acceptance.tsv. */
#include "container_fixture.h"

/* ---- State and waiting ---- */

/* LC-01, LC-11 */
START_TEST(test_container_new_is_not_created)
{
	assert_state("NotCreated");
	ck_assert_str_eq(lcowmig_container_id(container), "c1");
	ck_assert_str_eq(lcowmig_container_guest_id(container), "c1");
	ck_assert_uint_eq(container->processes.count, 0);
	ck_assert(!container->terminated.is_set);
	ck_assert_int_eq(lcowmig__container_new(&host->env, &vm, "p1", "", &container, &error), LCOWMIG_E_INVALID_ARGUMENT);
	test_host_expect_log(host, "");
}
END_TEST

/* LC-02, LC-03, LC-04 */
START_TEST(test_container_wait_ends_with_the_container_or_when_it_is_cancelled)
{
	test_done first = { 0 }, second = { 0 }, third = { 0 };

	become(CONTAINER_RUNNING);
	ck_assert_int_eq(lcowmig_container_wait(container, test_on_done, &first, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_container_wait(container, test_on_done, &second, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_container_wait(container, test_on_done, &third, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &third), LCOWMIG_OK);
	ck_assert_int_eq(third.status, LCOWMIG_E_CANCELLED);
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(first.calls, 1);
	ck_assert_int_eq(first.status, LCOWMIG_OK);
	ck_assert_int_eq(second.calls, 1);
	ck_assert_int_eq(third.calls, 1);
	ck_assert_int_eq(lcowmig_container_wait(container, NULL, NULL, &error), LCOWMIG_OK);
}
END_TEST

/* LC-05, LC-06: every state but one refuses. */
START_TEST(test_container_create_and_start_are_refused_in_other_states)
{
	become(_i);
	if (_i != CONTAINER_NOT_CREATED) {
		ck_assert_int_eq(create(), LCOWMIG_E_FAILED_PRECONDITION);
		assert_says(lcowmig_container_state_name(container));
	}
	if (_i != CONTAINER_CREATED)
		ck_assert_int_eq(start(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(container->object.state, _i);
	test_host_expect_log(host, "");
}
END_TEST

/* LC-07, LC-09, LC-10, LC-12 */
START_TEST(test_container_queries_are_refused_unless_running)
{
	lcowmig_process *process = NULL;
	lcowmig_stats *stats = NULL;
	lcowmig_pids *pids = NULL;

	become(_i);
	ck_assert_int_eq(lcowmig_container_update(container, "{}", NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_container_pids(container, &pids, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_container_stats(container, &stats, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_container_new_process(container, "e1", &process, &error), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says(lcowmig_container_state_name(container));
	ck_assert(!process && !stats && !pids);
	test_host_expect_log(host, "");
}
END_TEST

/* LC-08, SVC-18 */
START_TEST(test_container_update_forwards_resources_and_nothing_else)
{
	become(CONTAINER_RUNNING);
	ck_assert_int_eq(lcowmig_container_update(container, "[1]", NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_update(container, "{", NULL, NULL, &error), LCOWMIG_E_CORRUPT_DATA);
	test_host_expect_log(host, "");
	ck_assert_int_eq(lcowmig_container_update(container, "{\"cpu\":{\"shares\":512}}", NULL, NULL, &error), LCOWMIG_OK);
	assert_logged("\"ContainerId\":\"c1\"");
	assert_logged("\"ResourceType\":\"ContainerConstraints\"");
	assert_logged("\"Linux\":{\"cpu\":{\"shares\":512}}");
}
END_TEST

/* SVC-14 */
START_TEST(test_container_pids_names_the_processes_it_knows)
{
	lcowmig_process *process;
	lcowmig_pids *pids = NULL;

	become(CONTAINER_RUNNING);
	process = exec("e1");
	ck_assert_int_eq(lcowmig_process_start(process, NULL, NULL, &error), LCOWMIG_OK);
	test_host_reply(host, "guest.rpc:10100901",
			"{\"Result\":0,\"Properties\":\"{\\\"ProcessList\\\":[{\\\"ProcessId\\\":102},"
			"{\\\"ProcessId\\\":7},{\\\"ProcessId\\\":101}]}\"}");
	ck_assert_int_eq(lcowmig_container_pids(container, &pids, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_uint_eq(lcowmig_pids_count(pids), 3);
	ck_assert_uint_eq(lcowmig_pids_get(pids, 0), 102);
	ck_assert_str_eq(lcowmig_pids_exec_id(pids, 0), "e1");
	ck_assert_uint_eq(lcowmig_pids_get(pids, 1), 7);
	ck_assert_ptr_null(lcowmig_pids_exec_id(pids, 1));
	ck_assert_str_eq(lcowmig_pids_exec_id(pids, 2), "");
	ck_assert_uint_eq(lcowmig_pids_get(pids, 3), 0);
	ck_assert_ptr_null(lcowmig_pids_exec_id(pids, 3));
	lcowmig_pids_free(pids);
	/* A guest that names a process twice is not believed twice. */
	test_host_reply(host, "guest.rpc:10100901",
			"{\"Result\":0,\"Properties\":\"{\\\"ProcessList\\\":[{\\\"ProcessId\\\":102},"
			"{\\\"ProcessId\\\":102}]}\"}");
	ck_assert_int_eq(lcowmig_container_pids(container, &pids, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_uint_eq(lcowmig_pids_count(pids), 2);
	ck_assert_str_eq(lcowmig_pids_exec_id(pids, 0), "e1");
	ck_assert_ptr_null(lcowmig_pids_exec_id(pids, 1));
	lcowmig_pids_free(pids);
}
END_TEST

/* SVC-15 */
START_TEST(test_container_stats_gives_the_metrics_as_the_guest_wrote_them)
{
	lcowmig_stats *stats = NULL;

	become(CONTAINER_RUNNING);
	test_host_reply(host, "guest.rpc:10100901",
			"{\"Result\":0,\"Properties\":\"{\\\"LCOWMetrics\\\":{\\\"memory\\\":{\\\"usage\\\":9007199254740993}}}\"}");
	ck_assert_int_eq(lcowmig_container_stats(container, &stats, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_stats_json(stats), "{\"memory\":{\"usage\":9007199254740993}}");
	lcowmig_stats_free(stats);
	ck_assert_int_eq(lcowmig_container_stats(container, &stats, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_stats_json(stats), "{}");
	lcowmig_stats_free(stats);
}
END_TEST

/* ---- Create ---- */

/* LC-43, LC-44, LC-54, LC-89: the whole sequence, in order, with the documented paths. */
START_TEST(test_container_create_attaches_combines_and_tells_the_guest)
{
	ck_assert_int_eq(create(), LCOWMIG_OK);
	assert_state("Created");
	ASSERT_ORDER("hcs.resolve_path C:\\l2\\layer.vhd\n", "\"Path\":\"C:\\\\l2\\\\layer.vhd\",\"ReadOnly\":true",
		     "\"MountPath\":\"/run/mounts/scsi/0_0_0\",\"ReadOnly\":true,\"Options\":[\"ro\"]",
		     "hcs.resolve_path C:\\l1\\layer.vhd\n", "\"MountPath\":\"/run/mounts/scsi/0_1_0\",\"Lun\":1,\"ReadOnly\":true",
		     "hcs.resolve_path C:\\scratch\\sandbox.vhdx\nhcs.grant_access vm@test C:\\scratch\\sandbox.vhdx\n",
		     "\"Lun\":2,\"EnsureFilesystem\":true,\"Filesystem\":\"ext4\"",
		     MODIFY("Add",
			    "CombinedLayers") ",\"Settings\":{\"ContainerID\":\"c1\",\"ContainerRootPath\":\"/run/gcs/pods/p1/c1/rootfs\","
					      "\"Layers\":[{\"Path\":\"/run/mounts/scsi/0_0_0\"},{\"Path\":\"/run/mounts/scsi/0_1_0\"}],"
					      "\"ScratchPath\":\"/run/mounts/scsi/0_2_0/scratch/p1/c1\"}",
		     "guest.open_container c1\n", GUEST_CREATE, "\\\"OciBundlePath\\\":\\\"/run/gcs/pods/p1/c1\\\"",
		     "stdio.open c1 '' '' 'out' ''\n", "event create c1 '' 0\n");
	assert_logged("\\\"io.kubernetes.cri.sandbox-id\\\":\\\"p1\\\"");
	assert_logged("\\\"path\\\":\\\"/run/gcs/pods/p1/c1/rootfs\\\"");
	assert_logged("\\\"ScratchDirPath\\\":\\\"/run/mounts/scsi/0_2_0/scratch/p1/c1\\\"");
	ck_assert_uint_eq(container->n_ro_layers, 2);
	ck_assert(container->layers_combined && container->has_scratch);
	ck_assert_int_eq(lcowmig_process_get_status(container->init), LCOWMIG_PROCESS_CREATED);
}
END_TEST

/* LC-45 */
START_TEST(test_container_create_encrypts_scratch_when_the_machine_says_so)
{
	scratch_is_encrypted = true;
	ck_assert_int_eq(create(), LCOWMIG_OK);
	assert_logged("\"Encrypted\":true,\"EnsureFilesystem\":true,\"Filesystem\":\"xfs\"");
}
END_TEST

/* LC-116, X-60: what fails, by number of its call; everything is given back, the cause is kept. */
static const struct {
	const char *operation;
	unsigned nth;
	bool leaves_guest_state;
} create_failures[] = {
	{ "hcs.resolve_path", 1, false }, /* LC-46 */
	{ "hcs.resolve_path", 3, false }, /* LC-53 */
	{ "hcs.modify", 1, false },       /* LC-47, LC-48 */
	{ "hcs.modify", 2, false },         { "guest.rpc:10100a01", 1, false },
	{ "guest.rpc:10100a01", 2, false }, { "hcs.grant_access", 1, false },   /* LC-49 */
	{ "hcs.modify", 3, false },                                             /* LC-50, LC-51 */
	{ "guest.rpc:10100a01", 3, false }, { "guest.rpc:10100a01", 4, false }, /* LC-52 */
	{ "guest.rpc:10100101", 1, true },  { "stdio.open", 1, true },
};

START_TEST(test_container_create_gives_everything_back_when_it_fails)
{
	test_host_fail(host, create_failures[_i].operation, create_failures[_i].nth, LCOWMIG_E_HOST_FAILED, 0x80004005, "scripted cause");
	ck_assert_int_eq(create(), LCOWMIG_E_HOST_FAILED);
	assert_says("scripted cause");
	ck_assert_uint_eq(error.hresult, 0x80004005);
	assert_state("Invalid");
	ck_assert(!container->layers_combined && !container->has_scratch);
	ck_assert_uint_eq(disks_left(), 0);
	ck_assert(container->terminated.is_set);
	ck_assert_uint_eq(test_host_count(host, "event"), 0);
	ck_assert_uint_eq(test_host_count(host, DELETE_STATE), create_failures[_i].leaves_guest_state);
	ck_assert_uint_eq(test_host_count(host, "guest.open_container"), test_host_count(host, "guest.close_container"));
	ck_assert(!container->guest_is_open);
	ck_assert_ptr_null(container->init);
}
END_TEST

/* LC-116 */
START_TEST(test_container_create_leaves_not_created_when_the_annotations_are_wrong)
{
	ck_assert_int_eq(create_with("{\"linux\":{},\"annotations\":{\"io.kubernetes.cri.container-type\":\"nonsense\","
				     "\"io.kubernetes.cri.sandbox-id\":\"p\"}}",
				     "parentLayerPaths=[]"),
			 LCOWMIG_E_INVALID_ARGUMENT);
	assert_state("NotCreated");
	ck_assert_int_eq(create_with("{", "parentLayerPaths=[]"), LCOWMIG_E_CORRUPT_DATA);
	assert_state("NotCreated");
	test_host_expect_log(host, "");
	ck_assert_int_eq(create(), LCOWMIG_OK);
}
END_TEST

static const char *const wrong_specs[] = {
	SPEC_WITH(",\"mounts\":[{\"type\":\"extensible-virtual-disk\",\"source\":\"evd://p\",\"destination\":\"/d\"}]"), /* LC-71, LC-75 */
	SPEC_WITH(",\"mounts\":[{\"type\":\"bind\",\"source\":\"hugepages://1G/x\",\"destination\":\"/d\"}]"),           /* LC-65, LC-72 */
	SPEC_WITH(",\"mounts\":[{\"type\":\"bind\",\"source\":\"\",\"destination\":\"/d\"}]"),                           /* LC-64, LC-69 */
	SPEC_WITH(",\"windows\":{\"devices\":[{\"id\":\"x\",\"idType\":\"class\"}]}"),                                   /* LC-77 */
};

START_TEST(test_container_create_refuses_a_wrong_spec_before_it_reserves_anything)
{
	ck_assert_int_eq(create_with(wrong_specs[_i], "parentLayerPaths=[]"), LCOWMIG_E_INVALID_ARGUMENT);
	assert_state("Invalid");
	test_host_expect_log(host, "");
}
END_TEST

/* LC-88: known only when the guest's version is made. */
START_TEST(test_container_create_fails_and_unwinds_without_a_linux_section)
{
	ck_assert_int_eq(create_with("{\"process\":{}}", "parentLayerPaths=[]"), LCOWMIG_E_INVALID_ARGUMENT);
	assert_state("Invalid");
	ck_assert_uint_eq(disks_left(), 0);
}
END_TEST

/* LC-55 */
START_TEST(test_container_create_needs_exactly_one_source_of_layers)
{
	ck_assert_int_eq(create_with(SPEC, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	start_over();
	ck_assert_int_eq(create_with(SPEC_WITH(",\"windows\":{\"layerFolders\":[\"C:\\\\a\",\"C:\\\\b\"]}"), NULL), LCOWMIG_OK);
	assert_logged("hcs.resolve_path C:\\a\\layer.vhd\n");
	assert_logged("hcs.grant_access vm@test C:\\b\\sandbox.vhdx\n");
}
END_TEST

/* LC-56, LC-57, LC-58, LC-59, LC-66, LC-67, LC-70, LC-73 */
START_TEST(test_container_create_attaches_disks_and_passes_the_rest_through)
{
	ck_assert_int_eq(
		create_with(SPEC_WITH(",\"mounts\":[{\"type\":\"virtual-disk\",\"source\":\"C:\\\\d.vhdx\",\"destination\":\"/"
				      "d\",\"options\":[\"RO\",\"rbind\"]},"
				      "{\"type\":\"physical-disk\",\"source\":\"\\\\\\\\.\\\\PHYSICALDRIVE1\",\"destination\":\"blockdev://"
				      "/dev/x\"},"
				      "{\"type\":\"extensible-virtual-disk\",\"source\":\"evd://prov/a/b\",\"destination\":\"/e\"},"
				      "{\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"destination\":\"/t\"},"
				      "{\"type\":\"bind\",\"source\":\"sandbox://x\",\"destination\":\"/s\"}]"),
			    "parentLayerPaths=[]"),
		LCOWMIG_OK);
	ck_assert_uint_eq(container->disks.count, 3);
	assert_logged("\"Type\":\"VirtualDisk\",\"Path\":\"C:\\\\d.vhdx\",\"ReadOnly\":true");
	assert_logged("\"Options\":[\"RO\",\"rbind\"]");
	assert_logged("\"Type\":\"PassThru\",\"Path\":\"\\\\\\\\.\\\\PHYSICALDRIVE1\"");
	assert_logged("\"BlockDev\":true");
	assert_logged("\"Type\":\"ExtensibleVirtualDisk\",\"Path\":\"a/b\",\"ExtensibleVirtualDiskType\":\"prov\"");
	ck_assert_uint_eq(test_host_count(host, "hcs.grant_access"), 3); /* scratch, virtual, physical */
	assert_not_logged("hcs.grant_access vm@test a/b");
	assert_logged("\\\"source\\\":\\\"/run/mounts/scsi/0_1_0\\\",\\\"type\\\":\\\"none\\\"");
	assert_logged("\\\"source\\\":\\\"/run/mounts/scsi/0_2_0\\\",\\\"type\\\":\\\"bind\\\"");
	assert_logged("\\\"source\\\":\\\"sandbox://x\\\"");
	assert_logged("\\\"type\\\":\\\"tmpfs\\\"");
}
END_TEST

#define ONE_DISK(type, source) SPEC_WITH(",\"mounts\":[{\"type\":\"" type "\",\"source\":\"" source "\",\"destination\":\"/d\"}]")

/* LC-60: the calls for the mount are the second ones, after those for scratch. */
static const struct {
	const char *spec;
	const char *operation;
} mount_failures[] = {
	{ ONE_DISK("virtual-disk", "C:\\\\d.vhdx"), "hcs.resolve_path" },
	{ ONE_DISK("extensible-virtual-disk", "evd://p/d"), "hcs.resolve_path" },
	{ ONE_DISK("virtual-disk", "C:\\\\d.vhdx"), "hcs.grant_access" },
	{ ONE_DISK("physical-disk", "C:\\\\d"), "hcs.grant_access" },
	{ ONE_DISK("virtual-disk", "C:\\\\d.vhdx"), "hcs.modify" },
	{ ONE_DISK("bind", "C:\\\\dir"), "hcs.modify" }, /* LC-64 */
};

START_TEST(test_container_create_reports_what_failed_of_a_mount)
{
	test_host_fail(host, mount_failures[_i].operation, 2, LCOWMIG_E_HOST_FAILED, 0x80070002, "scripted cause");
	ck_assert_int_eq(create_with(mount_failures[_i].spec, "parentLayerPaths=[]"), LCOWMIG_E_HOST_FAILED);
	assert_says("scripted cause");
	assert_state("Invalid");
	ck_assert_uint_eq(disks_left(), 0);
	ck_assert_int_eq(lcowmig__plan9_capture(plan9, &error), LCOWMIG_OK);
}
END_TEST

static lcowmig_status path_is_file(void *user, lcowmig_call *call, const char *path)
{
	lcowmig_call_set_result(call, "file", 4);
	return LCOWMIG_OK;
}

static lcowmig_status path_is_missing(void *user, lcowmig_call *call, const char *path)
{
	return LCOWMIG_E_NOT_FOUND;
}

/* LC-61, LC-62, LC-63, LC-64 */
START_TEST(test_container_create_shares_directories_and_single_files)
{
	host->env.hcs.path_type = NULL;
	ck_assert_int_eq(
		create_with(
			SPEC_WITH(",\"mounts\":[{\"type\":\"bind\",\"source\":\"C:\\\\dir\",\"destination\":\"/d\",\"options\":[\"ro\"]}]"),
			"parentLayerPaths=[]"),
		LCOWMIG_OK);
	ck_assert_uint_eq(container->shares.count, 1);
	assert_logged("\"Path\":\"C:\\\\dir\"");
	assert_logged("\"MountPath\":\"/run/mounts/plan9/0\"");
	assert_logged("\"ShareName\":\"0\",\"ReadOnly\":true");
	assert_logged("\\\"source\\\":\\\"/run/mounts/plan9/0\\\"");
	start_over();
	host->env.hcs.path_type = path_is_file;
	ck_assert_int_eq(create_with(ONE_DISK("bind", "C:\\\\dir\\\\file.txt"), "parentLayerPaths=[]"), LCOWMIG_OK);
	assert_logged("\"AllowedFiles\":[\"file.txt\"]");
	assert_logged("/file.txt\\\"");
	start_over();
	host->env.hcs.path_type = path_is_missing;
	ck_assert_int_eq(create_with(ONE_DISK("bind", "C:\\\\none"), "parentLayerPaths=[]"), LCOWMIG_E_NOT_FOUND);
	assert_state("Invalid");
	ck_assert_int_eq(lcowmig__plan9_capture(plan9, &error), LCOWMIG_OK);
}
END_TEST

#define DEVICES ",\"windows\":{\"devices\":[{\"id\":\"PCIP\\\\A/3\",\"idType\":\"gpu\"},{\"id\":\"PCIP\\\\B\",\"idType\":\"vpci\"}]}"

/* LC-76, LC-78, LC-80 */
START_TEST(test_container_create_assigns_devices)
{
	char guid[LCOWMIG_GUID_TEXT_SIZE];

	ck_assert_int_eq(create_with(SPEC_WITH(DEVICES), "parentLayerPaths=[]"), LCOWMIG_OK);
	ck_assert_uint_eq(container->devices.count, 2);
	lcowmig_guid_format(&container->devices.items[0], guid);
	assert_logged("\"DeviceInstancePath\":\"PCIP\\\\A\",\"VirtualFunction\":3");
	assert_logged("\"DeviceInstancePath\":\"PCIP\\\\B\"");
	assert_logged(guid);
	ck_assert_ptr_nonnull(strstr(strstr(test_host_log(host), GUEST_CREATE), guid));
	ck_assert_int_eq(lcowmig__vpci_capture(vpci, &error), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* LC-79, LC-81: the failing one is unwound as well as the one before it. */
START_TEST(test_container_create_unwinds_devices)
{
	test_host_fail(host, "hcs.modify", 3, LCOWMIG_E_HOST_FAILED, 0x80004005, "no device");
	ck_assert_int_eq(create_with(SPEC_WITH(DEVICES), "parentLayerPaths=[]"), LCOWMIG_E_HOST_FAILED);
	assert_says("no device");
	ck_assert_int_eq(lcowmig__vpci_capture(vpci, &error), LCOWMIG_OK);
	ck_assert_uint_eq(container->devices.first, container->devices.count);
}
END_TEST

/* ---- Start, exit ---- */

/* SVC-19 */
START_TEST(test_container_start_runs_the_init_process)
{
	become(CONTAINER_CREATED);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	assert_state("Running");
	ASSERT_ORDER(GUEST_START, EXECUTE, "event start c1 '' 101\n");
	ck_assert_uint_eq(lcowmig_process_pid(container->init), 101);
}
END_TEST

static const char *const start_calls[] = { "guest.rpc:10100201", "stdio.attach", "guest.rpc:10100501" };

START_TEST(test_container_start_leaves_invalid_when_it_fails)
{
	become(CONTAINER_CREATED);
	test_host_fail(host, start_calls[_i], 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "scripted cause");
	ck_assert_int_eq(start(), LCOWMIG_E_GUEST_FAILED);
	assert_says("scripted cause");
	assert_state("Invalid");
	ck_assert(container->terminated.is_set);
	ck_assert_uint_eq(test_host_count(host, "event"), 0);
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
	ck_assert_uint_eq(disks_left(), 0);
}
END_TEST

/* LC-39, LC-115: Stopped, the guest's handle closed, waits ended, then the event; once. */
START_TEST(test_container_exit_is_told_after_everything_else)
{
	become(CONTAINER_RUNNING);
	test_host_exit_process(host, 101, 9);
	test_host_expect_log(host, "stdio.drain\nstdio.close\nguest.close_container c1\nevent exit c1 '' 101 9\n");
	assert_state("Stopped");
	ck_assert(container->terminated.is_set);
}
END_TEST

/* The exit needs no memory: only the closing of the guest's handle does, and a delete makes up for it. */
START_TEST(test_container_exit_comes_through_when_memory_is_out)
{
	become(CONTAINER_RUNNING);
	test_host_hold(host, "stdio.drain", true);
	test_host_exit_process(host, 101, 9);
	test_host_fail_allocation(host, 1, true);
	test_host_complete(host, "stdio.drain", LCOWMIG_OK, 0, NULL);
	assert_state("Stopped");
	ck_assert_uint_eq(test_host_count(host, "event exit c1 '' 101 9"), 1);
	test_host_fail_allocation(host, 0, false);
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.close_container"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("container");
	TCase *tcase = tcase_create("container");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_container_new_is_not_created);
	tcase_add_test(tcase, test_container_wait_ends_with_the_container_or_when_it_is_cancelled);
	tcase_add_loop_test(tcase, test_container_create_and_start_are_refused_in_other_states, 0, CONTAINER_STATES);
	tcase_add_loop_test(tcase, test_container_queries_are_refused_unless_running, CONTAINER_NOT_CREATED, CONTAINER_RUNNING);
	tcase_add_loop_test(tcase, test_container_queries_are_refused_unless_running, CONTAINER_STOPPED, CONTAINER_STATES);
	tcase_add_test(tcase, test_container_update_forwards_resources_and_nothing_else);
	tcase_add_test(tcase, test_container_pids_names_the_processes_it_knows);
	tcase_add_test(tcase, test_container_stats_gives_the_metrics_as_the_guest_wrote_them);
	tcase_add_test(tcase, test_container_create_attaches_combines_and_tells_the_guest);
	tcase_add_test(tcase, test_container_create_encrypts_scratch_when_the_machine_says_so);
	tcase_add_loop_test(tcase, test_container_create_gives_everything_back_when_it_fails, 0, (int)LCOWMIG__COUNT(create_failures));
	tcase_add_test(tcase, test_container_create_leaves_not_created_when_the_annotations_are_wrong);
	tcase_add_loop_test(tcase, test_container_create_refuses_a_wrong_spec_before_it_reserves_anything, 0,
			    (int)LCOWMIG__COUNT(wrong_specs));
	tcase_add_test(tcase, test_container_create_fails_and_unwinds_without_a_linux_section);
	tcase_add_test(tcase, test_container_create_needs_exactly_one_source_of_layers);
	tcase_add_test(tcase, test_container_create_attaches_disks_and_passes_the_rest_through);
	tcase_add_loop_test(tcase, test_container_create_reports_what_failed_of_a_mount, 0, (int)LCOWMIG__COUNT(mount_failures));
	tcase_add_test(tcase, test_container_create_shares_directories_and_single_files);
	tcase_add_test(tcase, test_container_create_assigns_devices);
	tcase_add_test(tcase, test_container_create_unwinds_devices);
	tcase_add_test(tcase, test_container_start_runs_the_init_process);
	tcase_add_loop_test(tcase, test_container_start_leaves_invalid_when_it_fails, 0, (int)LCOWMIG__COUNT(start_calls));
	tcase_add_test(tcase, test_container_exit_is_told_after_everything_else);
	tcase_add_test(tcase, test_container_exit_comes_through_when_memory_is_out);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
