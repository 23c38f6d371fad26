/* The container controller against the scripted host: its way to another machine. Ids in comments are those of tests/acceptance.tsv. */
#include "container_fixture.h"
#include "process/process_private.h"

static void freeze(void)
{
	uint8_t bytes[8192];

	save(bytes, sizeof bytes);
}

static lcowmig_status capture(lcowmig__wire_container *ret_wire)
{
	lcowmig__arena arena;
	lcowmig_status status;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	test_enter(host);
	status = lcowmig__container_capture(container, &arena, ret_wire, &error);
	test_leave(host);
	lcowmig__arena_done(&arena);
	return status;
}

static lcowmig_status resume(bool is_destination)
{
	return lcowmig_container_resume(container, is_destination, NULL, NULL, &error);
}

static void announce(void)
{
	ck_assert_int_eq(lcowmig_container_announce(container, &error), LCOWMIG_OK);
}

static void abort_container(void)
{
	test_enter(host);
	lcowmig__container_abort(container);
	test_leave(host);
}

/* ---- Patching ---- */

static const char *const layer_options[] = { "parentLayerPaths=[\"D:\\\\n2\",\"D:\\\\n1\"]" };
static const lcowmig_rootfs_mount new_rootfs = { "lcow-layer", "D:\\new", NULL, layer_options, 1 };
static const lcowmig_disk_patch new_disk = { "C:\\data.vhdx", "D:\\data.vhdx" };

static lcowmig_patch patch_options(void)
{
	lcowmig_patch patch = LCOWMIG_PATCH_INIT;

	patch.source_container_id = "c1";
	patch.container_id = "n1";
	patch.rootfs = &new_rootfs;
	patch.n_rootfs = 1;
	patch.disks = &new_disk;
	patch.n_disks = 1;
	patch.bundle = "D:\\bundle";
	patch.stdout_path = "newout";
	return patch;
}

static int commits;
static lcowmig_status commit_says;

static lcowmig_status on_commit(void *user, lcowmig_container *committed, const char *new_id, lcowmig_error *ret_error)
{
	ck_assert_ptr_eq(user, &commits);
	ck_assert_ptr_eq(committed, container);
	ck_assert_str_ne(lcowmig__container_id(committed), new_id);
	commits++;
	return commit_says == LCOWMIG_OK ? LCOWMIG_OK : lcowmig__fail(ret_error, commit_says, "the pod says no");
}

static lcowmig_status patch_with(const lcowmig_patch *patch)
{
	return test_run(host, lcowmig__container_patch_flow(container, patch, on_commit, &commits, &error), NULL, &error);
}

static lcowmig_status patch(void)
{
	const lcowmig_patch given = patch_options();

	return patch_with(&given);
}

/* The host paths of all disks, in slot order. */
static char paths[1024];

static void note_path(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	strcat(strcat(paths, disk->host_path), " ");
}

static const char *disk_paths(void)
{
	paths[0] = '\0';
	lcowmig__scsi_each_disk(scsi, note_path, NULL);
	return paths;
}

#define OLD_PATHS "C:\\l2\\layer.vhd C:\\l1\\layer.vhd C:\\scratch\\sandbox.vhdx C:\\data.vhdx "
#define NEW_PATHS "D:\\n2\\layer.vhd D:\\n1\\layer.vhd D:\\new\\sandbox.vhdx D:\\data.vhdx "

static void become_ready(void)
{
	become_imported();
	test_host_clear_log(host);
	commits = 0;
	commit_says = LCOWMIG_OK;
}

static void become_patched(void)
{
	become_ready();
	ck_assert_int_eq(patch(), LCOWMIG_OK);
	test_host_clear_log(host);
}

static void become_resumed(void)
{
	become_patched();
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	test_host_clear_log(host);
}

/* ---- Save ---- */

/* LC-90 */
START_TEST(test_container_save_is_refused_unless_it_runs)
{
	bool is_allowed = _i == CONTAINER_RUNNING || _i == CONTAINER_SOURCE_MIGRATING;
	uint8_t bytes[8192];
	size_t size = 5;

	become(_i);
	ck_assert_int_eq(lcowmig_container_save(container, bytes, sizeof bytes, &size, &error),
			 is_allowed ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	if (is_allowed) {
		assert_state("SourceMigrating");
		return;
	}
	ck_assert_uint_eq(size, 5);
	ck_assert_int_eq(container->object.state, _i);
	assert_says(lcowmig_container_state_name(container));
}
END_TEST

/* LC-91, LC-92, X-01: what refuses a save freezes nothing, at any depth. */
START_TEST(test_container_save_is_refused_with_execs_shares_devices_or_an_exiting_process)
{
	lcowmig__wire_container wire;
	lcowmig_process *process;

	become(CONTAINER_RUNNING);
	ck_assert_int_eq(lcowmig_container_new_process(container, "e1", &process, &error), LCOWMIG_OK);
	ck_assert_int_eq(capture(&wire), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("1 execs");
	ck_assert_int_eq(lcowmig_process_kill(process, 0, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(delete ("e1", NULL), LCOWMIG_OK);
	ck_assert_int_eq(capture(&wire), LCOWMIG_OK);
	container->shares.count = 1;
	ck_assert_int_eq(capture(&wire), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("Plan9");
	container->shares.count = 0;
	container->devices.count = 1;
	ck_assert_int_eq(capture(&wire), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("vPCI");
	container->devices.count = 0;
	test_host_hold(host, "stdio.drain", true);
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(capture(&wire), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("exiting");
	assert_state("Running");
	ck_assert_str_eq(lcowmig_process_state_name(container->init), "Running");
	test_host_complete(host, "stdio.drain", LCOWMIG_OK, 0, NULL);
}
END_TEST

/* */
START_TEST(test_container_save_names_the_operation_in_flight)
{
	lcowmig__wire_container wire;
	test_done done = { 0 };

	become(CONTAINER_RUNNING);
	test_host_hold(host, "guest.rpc:10100a01", true);
	ck_assert_int_eq(lcowmig_container_update(container, "{}", test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(capture(&wire), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("update");
	test_host_hold(host, "guest.rpc:10100a01", false);
	test_host_complete(host, "guest.rpc:10100a01", LCOWMIG_OK, 0, "{}");
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	freeze();
	/* None can start after the freeze either. */
	ck_assert_int_eq(lcowmig_container_update(container, "{}", NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

static char reasons[2048];

static void on_reason(void *user, const char *reason)
{
	strcat(strcat(reasons, reason), "\n");
}

/* all of them in one answer. */
START_TEST(test_container_check_reports_every_reason_and_changes_nothing)
{
	lcowmig_process *process;

	become(CONTAINER_RUNNING);
	reasons[0] = '\0';
	lcowmig__container_check(container, on_reason, NULL);
	ck_assert_str_eq(reasons, "");
	ck_assert_int_eq(lcowmig_container_new_process(container, "e1", &process, &error), LCOWMIG_OK);
	container->shares.count = 1;
	container->init->wait_id = 0;
	lcowmig__container_check(container, on_reason, NULL);
	ck_assert_ptr_nonnull(strstr(reasons, "execs"));
	ck_assert_ptr_nonnull(strstr(reasons, "Plan9"));
	ck_assert_ptr_nonnull(strstr(reasons, "no id yet"));
	container->shares.count = 0;
	assert_state("Running");
	test_host_exit_process(host, 101, 0);
	reasons[0] = '\0';
	lcowmig__container_check(container, on_reason, NULL);
	ck_assert_ptr_nonnull(strstr(reasons, "Stopped"));
	ck_assert_int_eq(delete ("", NULL), LCOWMIG_OK);
	reasons[0] = '\0';
	lcowmig__container_check(container, on_reason, NULL);
	ck_assert_ptr_nonnull(strstr(reasons, "no init process; Save needs one"));
}
END_TEST

/* LC-96, LC-107, LC-114, X-02: save, import, save is the identity. */
START_TEST(test_container_save_and_import_reproduce_everything)
{
	uint8_t first[8192], again[8192], copy[8192];
	lcowmig_container *imported;
	size_t size, i;

	container->io_retry_timeout_ns = 0;
	ck_assert_int_eq(create_with(SPEC_WITH_DISK, "parentLayerPaths=[\"C:\\\\l2\",\"C:\\\\l1\"]"), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	container->io_retry_timeout_ns = UINT64_C(2500000000);
	size = save(NULL, 0);
	assert_state("Running");
	ck_assert_uint_eq(save(first, sizeof first), size);
	assert_state("SourceMigrating");
	ck_assert_str_eq(lcowmig_process_state_name(container->init), "SourceMigrating");
	ck_assert_uint_eq(save(again, sizeof again), size);
	ck_assert_mem_eq(first, again, size);
	ck_assert_mem_eq(first + 2, LCOWMIG__TYPE_URL_CONTAINER, strlen(LCOWMIG__TYPE_URL_CONTAINER));

	ck_assert_int_eq(import(first, size, &imported), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_container_state_name(imported), "DestinationMigrating");
	ck_assert_str_eq(lcowmig_container_id(imported), "c1");
	ck_assert_str_eq(lcowmig_container_guest_id(imported), "c1");
	ck_assert_uint_eq(imported->io_retry_timeout_ns, UINT64_C(2500000000));
	ck_assert_uint_eq(imported->n_ro_layers, 2);
	for (i = 0; i < 2; i++) {
		ck_assert_mem_eq(&imported->ro_layers[i].reservation, &container->ro_layers[i].reservation, sizeof(lcowmig_guid));
		ck_assert_str_eq(imported->ro_layers[i].guest_path, container->ro_layers[i].guest_path);
	}
	ck_assert_mem_eq(&imported->scratch.reservation, &container->scratch.reservation, sizeof(lcowmig_guid));
	ck_assert_str_eq(imported->scratch.guest_path, container->scratch.guest_path);
	ck_assert(imported->layers_combined && imported->has_scratch);
	ck_assert_str_eq(imported->rootfs_path, container->rootfs_path);
	ck_assert_uint_eq(imported->disks.count, 1);
	ck_assert_mem_eq(imported->disks.items, container->disks.items, sizeof(lcowmig_guid));
	ck_assert_ptr_nonnull(imported->init);
	ck_assert_uint_eq(lcowmig_process_pid(imported->init), 101);
	ck_assert(!imported->terminated.is_set);
	replace(imported);
	become_destination_scsi();
	ck_assert_int_eq(
		test_run(host,
			 lcowmig__process_patch_flow(container->init, "c1", &(lcowmig_process_options){ .bundle = "C:\\bundle" }, &error),
			 NULL, &error),
		LCOWMIG_OK);
	test_enter(host);
	lcowmig__process_patch_commit(container->init);
	test_leave(host);
	ck_assert_int_eq(resume(true), LCOWMIG_OK);
	ck_assert_uint_eq(save(copy, sizeof copy), size);
	ck_assert_mem_eq(copy, first, size);
}
END_TEST

/* LC-97 */
START_TEST(test_container_import_works_without_layers)
{
	lcowmig__wire_process init = { "", 101, "b", { NULL, 0 }, { 0, 0 }, { 0, 0, 0 }, 5 };
	lcowmig__wire_container wire = { .container_id = "c1", .gcs_container_id = "g1", .processes = &init, .n_processes = 1 };
	lcowmig_patch given = patch_options();
	lcowmig_container *imported;

	test_enter(host);
	ck_assert_int_eq(lcowmig__container_import(&host->env, &vm, "p1", &wire, &imported, &error), LCOWMIG_OK);
	test_leave(host);
	replace(imported);
	ck_assert(!container->has_layers);
	given.n_disks = 0;
	commit_says = LCOWMIG_OK;
	ck_assert_int_eq(patch_with(&given), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_container_id(container), "n1");
}
END_TEST

/* LC-93, LC-94, LC-95 */
START_TEST(test_container_import_refuses_what_is_no_container_envelope)
{
	lcowmig__wire_process init = { "", -1, "b", { NULL, 0 }, { 0, 0 }, { 0, 0, 0 }, 5 };
	lcowmig__wire_container wire = { .container_id = "c1", .gcs_container_id = "g1", .processes = &init, .n_processes = 1 };
	lcowmig_container *imported = NULL;
	lcowmig_sandbox *sandbox;
	uint8_t bytes[8192];
	size_t size;

	become(CONTAINER_RUNNING);
	size = save(bytes, sizeof bytes);
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_import(sandbox, NULL, 0, "p1", &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_import(sandbox, bytes, size, NULL, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_import(sandbox, bytes, size, "p1", NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_container_import(sandbox, bytes, size - 3, "p1", &imported, &error), LCOWMIG_E_CORRUPT_DATA);
	bytes[9]++;
	ck_assert_int_eq(lcowmig_container_import(sandbox, bytes, size, "p1", &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	bytes[9]--;
	test_enter(host);
	ck_assert_int_eq(lcowmig__container_import(&host->env, &vm, "p1", &wire, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	wire.container_id = "";
	ck_assert_int_eq(lcowmig__container_import(&host->env, &vm, "p1", &wire, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	test_leave(host);
	ck_assert_ptr_null(imported);
	ck_assert_int_eq(lcowmig_container_import(sandbox, bytes, size, "p1", &imported, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_abort(imported, &error), LCOWMIG_OK);
	assert_logged("event exit c1 '' 101 137\n");
	ck_assert_int_eq(lcowmig_container_free(imported, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_OK);
}
END_TEST

START_TEST(test_container_import_survives_every_failing_allocation)
{
	lcowmig_container *imported = NULL;
	lcowmig_sandbox *sandbox;
	uint8_t bytes[8192];
	unsigned nth;
	size_t size;

	ck_assert_int_eq(create_with(SPEC_WITH_DISK, "parentLayerPaths=[\"C:\\\\l1\"]"), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	for (nth = 1; nth < 100; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = lcowmig_container_save(container, bytes, sizeof bytes, &size, &error);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		assert_state("Running");
	}
	ck_assert_uint_lt(nth, 100);
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, &error), LCOWMIG_OK);
	for (nth = 1; nth < 200; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = lcowmig_container_import(sandbox, bytes, size, "p1", &imported, &error);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		ck_assert_ptr_null(imported);
	}
	ck_assert_uint_gt(nth, 10);
	ck_assert_uint_lt(nth, 200);
	ck_assert_int_eq(lcowmig_container_free(imported, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_OK);
}
END_TEST

/* A container imported alone goes all the way through the public functions. */
START_TEST(test_container_can_migrate_alone)
{
	lcowmig_patch given = LCOWMIG_PATCH_INIT;
	lcowmig_container *imported = NULL;
	lcowmig_sandbox *sandbox;
	uint8_t bytes[8192];
	size_t size;

	become(CONTAINER_RUNNING);
	size = save(bytes, sizeof bytes);
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_import(sandbox, bytes, size, "p1", &imported, &error), LCOWMIG_OK);
	given.container_id = "n1";
	ck_assert_int_eq(lcowmig_container_patch(container, &given, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_container_patch(imported, &given, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_adopt(imported, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_resume(imported, true, NULL, NULL, &error),
			 LCOWMIG_E_UNAVAILABLE); /* this sandbox has no guest */
	ck_assert_int_eq(lcowmig_container_abort(imported, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_delete(imported, NULL, NULL, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_free(imported, &error), LCOWMIG_OK);
	test_host_complete(host, "guest.adopt", LCOWMIG_E_UNAVAILABLE, 0, NULL);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_OK);
	ck_assert_int_eq(resume(false), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_abort(container, &error), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

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
	ck_assert_int_eq(ends, 1);
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
	ck_assert_int_eq(ends, 1);
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
	ck_assert_int_eq(ends, 1);
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
	ck_assert_int_eq(ends, 0);
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
	ck_assert_int_eq(ends, 1);
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
	ck_assert_int_eq(ends, 1);
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

static void add_save_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, test_container_save_is_refused_unless_it_runs, 0, CONTAINER_STATES);
	tcase_add_test(tcase, test_container_save_is_refused_with_execs_shares_devices_or_an_exiting_process);
	tcase_add_test(tcase, test_container_save_names_the_operation_in_flight);
	tcase_add_test(tcase, test_container_check_reports_every_reason_and_changes_nothing);
	tcase_add_test(tcase, test_container_save_and_import_reproduce_everything);
	tcase_add_test(tcase, test_container_import_works_without_layers);
	tcase_add_test(tcase, test_container_import_refuses_what_is_no_container_envelope);
	tcase_add_test(tcase, test_container_import_survives_every_failing_allocation);
	tcase_add_test(tcase, test_container_can_migrate_alone);
}

static void add_patch_tests(TCase *tcase)
{
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
}

static void add_resume_tests(TCase *tcase)
{
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
}

static void add_abort_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, test_container_abort_changes_nothing_unless_imported, 0, CONTAINER_DESTINATION_MIGRATING);
	tcase_add_loop_test(tcase, test_container_abort_changes_nothing_unless_imported, CONTAINER_SOURCE_MIGRATING, CONTAINER_STATES);
	tcase_add_loop_test(tcase, test_container_abort_ends_an_imported_container, 0, 2);
	tcase_add_test(tcase, test_container_abort_works_without_an_event_sink);
	tcase_add_test(tcase, test_container_abort_without_an_init_process_tells_nothing);
	tcase_add_test(tcase, test_container_abort_during_a_resume_wins);
	tcase_add_test(tcase, test_container_abort_announces_a_resumed_container);
	tcase_add_test(tcase, test_container_abort_works_when_memory_is_out);
}

int main(void)
{
	Suite *suite = suite_create("container_migrate");
	TCase *tcase = tcase_create("container_migrate");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	add_save_tests(tcase);
	add_patch_tests(tcase);
	add_resume_tests(tcase);
	add_abort_tests(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
