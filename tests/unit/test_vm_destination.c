/* The VM controller as a destination: import, create, patch and start; and both roads without memory. */
#include "vm_fixture.h"

/* ---- Destination ---- */

/* VM-18, X-10 */
START_TEST(test_vm_import_refuses_what_is_wrong_and_changes_nothing)
{
	lcowmig__wire_vm wire = standard_wire();

	wire.hcs_document.data = (const uint8_t *)"{\"a\":";
	wire.hcs_document.size = 5;
	ck_assert_int_eq(import(&wire, NULL), LCOWMIG_E_CORRUPT_DATA);
	wire = standard_wire();
	wire_disks[0].type = "Floppy";
	ck_assert_int_ne(import(&wire, NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
	ck_assert_ptr_null(vm->config.document);
	ck_assert_ptr_null(vm->scsi);
	make_imported();
	wire = standard_wire();
	ck_assert_int_eq(import(&wire, NULL), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* VM-18: envelope absent, of a foreign type, of another version, not decodable. */
START_TEST(test_vm_import_of_bytes_is_judged_before_the_controller)
{
	lcowmig__wire_vm wire;
	lcowmig__arena arena;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	ck_assert_int_eq(lcowmig__wire_decode_vm(&arena, NULL, NULL, 0, &wire, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__wire_decode_vm(&arena, NULL, (const uint8_t *)"\x0a\x01x", 3, &wire, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__wire_decode_vm(&arena, NULL, (const uint8_t *)"\xff\xff", 2, &wire, NULL), LCOWMIG_E_CORRUPT_DATA);
	lcowmig__arena_done(&arena);
}
END_TEST

/* VM-19 */
START_TEST(test_vm_import_restores_the_options)
{
	const lcowmig__container_vm *for_containers;
	lcowmig_vm_stats stats = { .size = sizeof stats };
	const char *architecture;
	lcowmig_scsi *scsi;

	make_destination_finalized();
	ck_assert_int_eq(lcowmig_vm_architecture(vm, &architecture, NULL), LCOWMIG_OK);
	ck_assert_str_eq(architecture, "amd64");
	for_containers = lcowmig__vm_for_containers(vm);
	ck_assert(for_containers->scratch_encryption(for_containers->user));
	ck_assert_int_eq(for_containers->scsi(for_containers->user, &scsi, NULL), LCOWMIG_OK);
	ck_assert(lcowmig__vm_policy_based_routing(vm));
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, NULL), NULL), LCOWMIG_OK);
	test_host_reply(host, "hcs.properties", "{}");
	test_host_reply(host, "hcs.properties", "{\"Memory\":{\"VirtualMachineMemory\":{\"AssignedMemory\":2}}}");
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(stats.working_set_bytes, 8192);
}
END_TEST

/* VM-20 */
START_TEST(test_vm_create_on_destination_needs_a_document)
{
	lcowmig__wire_vm wire = standard_wire();

	wire.hcs_document.size = 0;
	ck_assert_int_eq(import(&wire, NULL), LCOWMIG_OK);
	ck_assert_int_eq(create_destination(NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED);
	ck_assert_int_eq(test_host_count(host, "hcs.create"), 0);
}
END_TEST

/* VM-21, VM-22, X-06, X-07 */
START_TEST(test_vm_create_on_destination_stamps_a_copy)
{
	lcowmig__repoint repoint = { NULL, 0, "D:\\here.vhd", false, false, 0 };

	make_imported();
	ck_assert_int_eq(lcowmig__scsi_repoint(vm->scsi, &repoint, 1, NULL), LCOWMIG_OK);
	test_host_fail(host, "hcs.create", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(create_destination(NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(vm->config.document, STANDARD);
	test_host_clear_log(host);
	ck_assert_int_eq(create_destination(NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_CREATED);
	ck_assert_int_eq(test_host_count(host, "hcs.create test@vm "), 1);
	ck_assert_str_eq(lcowmig_vm_id(vm), "test@vm");
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "\"MigrationOptions\":{\"Origin\":\"Destination\",\"MemoryTransport\":\"TCP\","
							  "\"CompatibilityData\":{\"Data\":\"Y29tcGF0\"}}"));
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "D:\\\\here.vhd"));
	ck_assert_ptr_null(strstr(test_host_log(host), "C:\\\\rootfs.vhd"));
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "\\\\\\\\.\\\\PHYSICALDRIVE1"));
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "9007199254740993"));
	ck_assert_str_eq(vm->config.document, STANDARD);
}
END_TEST

/* VM-23 */
START_TEST(test_vm_patch_grants_access_to_every_file)
{
	make_destination_created();
	test_host_clear_log(host);
	test_host_fail(host, "hcs.grant_access", 2, LCOWMIG_E_HOST_FAILED, 0x80070005, "denied");
	ck_assert_int_eq(run(lcowmig__vm_patch_flow(vm, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_CREATED);
	test_host_clear_log(host);
	ck_assert_int_eq(run(lcowmig__vm_patch_flow(vm, NULL), NULL), LCOWMIG_OK);
	test_host_expect_log(host, "hcs.grant_access test@vm C:\\rootfs.vhd\nhcs.grant_access test@vm \\\\.\\PHYSICALDRIVE1\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED);
}
END_TEST

/* VM-23 */
START_TEST(test_vm_patch_is_legal_once_created_on_the_destination)
{
	make(_i);
	ck_assert_int_eq(run(lcowmig__vm_patch_flow(vm, NULL), NULL),
			 _i == LCOWMIG_VM_DESTINATION_MIGRATION_CREATED ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* VM-23 */
START_TEST(test_vm_patch_needs_scsi)
{
	lcowmig__wire_vm wire = standard_wire();

	wire.has_scsi = false;
	wire.hcs_document.data = (const uint8_t *)NO_SCSI;
	wire.hcs_document.size = strlen(NO_SCSI);
	ck_assert_int_eq(import(&wire, NULL), LCOWMIG_OK);
	ck_assert_int_eq(create_destination(NULL), LCOWMIG_OK);
	ck_assert_int_eq(run(lcowmig__vm_patch_flow(vm, NULL), NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* VM-24 */
START_TEST(test_vm_start_on_destination_listens_first)
{
	make(_i);
	test_host_clear_log(host);
	if (_i != LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED) {
		ck_assert_int_eq(run(lcowmig__vm_start_destination_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_E_FAILED_PRECONDITION);
		test_host_expect_log(host, "");
		return;
	}
	test_host_fail(host, "hcs.start", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(run(lcowmig__vm_start_destination_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED);
	test_host_clear_log(host);
	ck_assert_int_eq(run(lcowmig__vm_start_destination_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_OK);
	test_host_expect_log(
		host, "guest.prepare 1073741824\nhcs.start {\"DestinationMigrationOptions\":{\"NetworkSettings\":{\"SessionId\":7}}}\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_STARTED);
}
END_TEST

/* ---- Memory ---- */

static void walk_through(lcowmig_status *worst)
{
	static const char document[] = STANDARD;
	lcowmig_vm_options options = standard_options();
	test_done done = { 0 };

	*worst = lcowmig_vm_create(vm, document, strlen(document), &options, test_on_done, NULL, NULL);
	if (*worst == LCOWMIG_OK)
		*worst = lcowmig_vm_start(vm, test_on_done, NULL, NULL);
	if (*worst == LCOWMIG_OK)
		*worst = lcowmig_vm_update_memory(vm, 2048, test_on_done, NULL, NULL);
	if (*worst == LCOWMIG_OK)
		*worst = run(lcowmig__vm_initialize_source_flow(vm, NULL, NULL), NULL);
	if (*worst == LCOWMIG_OK)
		*worst = save_and_forget(NULL);
	if (*worst == LCOWMIG_OK)
		*worst = run(lcowmig__vm_start_source_flow(vm, NULL, 7, NULL), NULL);
	if (*worst == LCOWMIG_OK)
		*worst = run(lcowmig__vm_finalize_flow(vm, true, NULL), NULL);
	if (*worst == LCOWMIG_OK)
		*worst = run(lcowmig__vm_resume_flow(vm, NULL), NULL);
	if (*worst != LCOWMIG_OK)
		return;
	*worst = lcowmig_vm_terminate(vm, test_on_done, &done, NULL);
	if (*worst == LCOWMIG_PENDING) {
		exits();
		*worst = done.status;
	}
}

/* Any allocation may fail: the failure says so, and the machine can be terminated all the same. */
START_TEST(test_vm_survives_running_out_of_memory_anywhere)
{
	lcowmig_status worst = LCOWMIG_E_NO_MEMORY;
	unsigned nth;

	for (nth = 1; nth < 2000 && worst != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		walk_through(&worst);
		test_host_fail_allocation(host, 0, false);
		ck_assert_msg(worst == LCOWMIG_OK || worst == LCOWMIG_E_NO_MEMORY, "allocation %u: %s", nth, lcowmig_status_name(worst));
		settle();
		ck_assert_ptr_null(host->env.system);
		lcowmig__vm_free(vm);
		vm_new();
	}
	ck_assert_int_eq(worst, LCOWMIG_OK);
}
END_TEST

START_TEST(test_vm_destination_survives_running_out_of_memory_anywhere)
{
	lcowmig_status worst = LCOWMIG_E_NO_MEMORY;
	unsigned nth;

	for (nth = 1; nth < 2000 && worst != LCOWMIG_OK; nth++) {
		lcowmig__wire_vm wire = standard_wire();

		test_host_fail_allocation(host, nth, false);
		worst = import(&wire, NULL);
		if (worst == LCOWMIG_OK)
			worst = create_destination(NULL);
		if (worst == LCOWMIG_OK)
			worst = run(lcowmig__vm_patch_flow(vm, NULL), NULL);
		if (worst == LCOWMIG_OK)
			worst = run(lcowmig__vm_start_destination_flow(vm, NULL, 7, NULL), NULL);
		if (worst == LCOWMIG_OK)
			worst = run(lcowmig__vm_transfer_flow(vm, NULL), NULL);
		if (worst == LCOWMIG_OK)
			worst = run(lcowmig__vm_finalize_flow(vm, true, NULL), NULL);
		if (worst == LCOWMIG_OK)
			worst = run(lcowmig__vm_resume_flow(vm, NULL), NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert_msg(worst == LCOWMIG_OK || worst == LCOWMIG_E_NO_MEMORY, "allocation %u: %s", nth, lcowmig_status_name(worst));
		settle();
		lcowmig__vm_free(vm);
		vm_new();
	}
	ck_assert_int_eq(worst, LCOWMIG_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vm destination");
	TCase *tcase = tcase_create("vm destination");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_vm_import_refuses_what_is_wrong_and_changes_nothing);
	tcase_add_test(tcase, test_vm_import_of_bytes_is_judged_before_the_controller);
	tcase_add_test(tcase, test_vm_import_restores_the_options);
	tcase_add_test(tcase, test_vm_create_on_destination_needs_a_document);
	tcase_add_test(tcase, test_vm_create_on_destination_stamps_a_copy);
	tcase_add_test(tcase, test_vm_patch_grants_access_to_every_file);
	tcase_add_loop_test(tcase, test_vm_patch_is_legal_once_created_on_the_destination, 0, N_STATES);
	tcase_add_test(tcase, test_vm_patch_needs_scsi);
	tcase_add_loop_test(tcase, test_vm_start_on_destination_listens_first, 0, N_STATES);
	tcase_add_test(tcase, test_vm_survives_running_out_of_memory_anywhere);
	tcase_add_test(tcase, test_vm_destination_survives_running_out_of_memory_anywhere);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
