/* The container controller against the scripted host: saving it, importing it, and the check before. */
#include "container_migrate_fixture.h"

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

int main(void)
{
	Suite *suite = suite_create("container save");
	TCase *tcase = tcase_create("container save");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_container_save_is_refused_unless_it_runs, 0, CONTAINER_STATES);
	tcase_add_test(tcase, test_container_save_is_refused_with_execs_shares_devices_or_an_exiting_process);
	tcase_add_test(tcase, test_container_save_names_the_operation_in_flight);
	tcase_add_test(tcase, test_container_check_reports_every_reason_and_changes_nothing);
	tcase_add_test(tcase, test_container_save_and_import_reproduce_everything);
	tcase_add_test(tcase, test_container_import_works_without_layers);
	tcase_add_test(tcase, test_container_import_refuses_what_is_no_container_envelope);
	tcase_add_test(tcase, test_container_import_survives_every_failing_allocation);
	tcase_add_test(tcase, test_container_can_migrate_alone);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
