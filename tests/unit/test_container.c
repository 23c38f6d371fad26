/* The container controller against the scripted host: its life without migration. Ids in comments are those of tests/acceptance.tsv. */
#include "container_fixture.h"

/* The disks and mounts that are left; 0 once everything was given back. */
static unsigned n_disks;

static void count_disk(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	n_disks++;
}

static unsigned disks_left(void)
{
	n_disks = 0;
	lcowmig__scsi_each_disk(scsi, count_disk, NULL);
	return n_disks;
}

/* Checks the order in which texts appear in the log. */
static void assert_order(const char *const *texts, size_t count)
{
	const char *place = test_host_log(host);
	size_t i;

	for (i = 0; i < count; i++) {
		place = strstr(place, texts[i]);
		ck_assert_msg(place != NULL, "%s is missing or too early in\n%s", texts[i], test_host_log(host));
		place++;
	}
}

#define ASSERT_ORDER(...)                                                                                                                  \
	do {                                                                                                                               \
		const char *const texts_[] = { __VA_ARGS__ };                                                                              \
		assert_order(texts_, LCOWMIG__COUNT(texts_));                                                                              \
	} while (0)

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
	ck_assert_int_eq(ends, 1);
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
	ck_assert_int_eq(ends, 1);
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
	ck_assert_int_eq(ends, 1);
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
	ck_assert_int_eq(ends, 0); /* it never began */
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
		ck_assert_int_eq(ends, 1);
		ck_assert_uint_eq(disks_left(), 0);
		ck_assert_int_eq(lcowmig__plan9_capture(plan9, &error), LCOWMIG_OK);
		ck_assert_int_eq(lcowmig__vpci_capture(vpci, &error), LCOWMIG_OK);
		ends = 0;
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

static void add_tests(TCase *tcase)
{
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
}

int main(void)
{
	Suite *suite = suite_create("container");
	TCase *tcase = tcase_create("container");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	add_tests(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
