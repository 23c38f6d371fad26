/* The migration session: import, patch, and the preparation of the destination. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "migration_fixture.h"

/* ---- Import ---- */

static lcowmig_status import(const lcowmig_import_options *options)
{
	return lcowmig_migration_import(destination->m, options, &world->error);
}

static void expect_nothing_imported(void)
{
	STATE(destination, LCOWMIG_MIGRATION_IDLE);
	ck_assert_uint_eq(destination->sandbox->pods.count, 0);
	ck_assert_uint_eq(destination->sandbox->containers.count, 0);
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_NOT_CREATED);
	ck_assert_ptr_null(destination->sandbox->id);
	ck_assert_uint_eq(destination->m->imported.count, 0);
}

/* MIG-15 */
START_TEST(test_import_refuses_missing_arguments)
{
	static const uint8_t foreign[] = { 0x0a, 3, 'a', '/', 'b' };
	lcowmig_import_options options;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	FAILS(lcowmig_migration_import(NULL, &options, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(import(NULL), LCOWMIG_E_INVALID_ARGUMENT);
	options = import_options();
	options.session_id = "";
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	options = import_options();
	options.sandbox_id = NULL;
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	options = import_options();
	options.envelope = NULL;
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	options = import_options();
	options.envelope_size = 0;
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	options = import_options();
	options.envelope = foreign;
	options.envelope_size = sizeof foreign;
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	expect_nothing_imported();
}
END_TEST

/* MIG-16 */
START_TEST(test_import_refuses_bytes_that_do_not_decode)
{
	lcowmig_import_options options;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	options = import_options();
	options.envelope_size = world->envelope_size - 1;
	FAILS(import(&options), LCOWMIG_E_CORRUPT_DATA);
	expect_nothing_imported();
	OK(world_import(world));
}
END_TEST

/* MIG-17, MIG-18 */
START_TEST(test_import_refuses_a_second_session)
{
	lcowmig_import_options options;

	OK(world_migrate_until(world, WORLD_IMPORTED));
	FAILS(world_import(world), LCOWMIG_E_FAILED_PRECONDITION);
	options = import_options();
	options.session_id = "other";
	FAILS(import(&options), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(lcowmig_migration_import(source->m, &options, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_IMPORTED);
}
END_TEST

/* MIG-19 */
START_TEST(test_import_needs_a_machine_that_was_not_created)
{
	lcowmig_import_options options;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	OK(world_cancel(world, source));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
	options = import_options();
	options.sandbox_id = "sb";
	FAILS(lcowmig_migration_import(source->m, &options, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	options.sandbox_id = "other";
	FAILS(lcowmig_migration_import(source->m, &options, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* MIG-20, MIG-22, X-10: whatever allocation fails, an import leaves nothing behind and can be repeated. */
START_TEST(test_import_leaves_nothing_behind_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	unsigned i;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		test_host_fail_allocation(destination->host, i, false);
		status = world_import(world);
		test_host_fail_allocation(destination->host, 0, false);
		if (status == LCOWMIG_E_NO_MEMORY)
			expect_nothing_imported();
	}
	OK(status);
	ck_assert_uint_gt(i, 10);
}
END_TEST

/* MIG-21 */
START_TEST(test_import_records_a_session_without_pods)
{
	OK(world_migrate_until(world, WORLD_IMPORTED));
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_IMPORTED);
	ck_assert_str_eq(lcowmig_migration_session_id(destination->m), WORLD_SESSION);
	ck_assert_str_eq(destination->sandbox->id, "d-sb");
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED);
	ck_assert_int_eq(lcowmig_migration_get_origin(destination->m), LCOWMIG_ORIGIN_DESTINATION);
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 0);
	ck_assert(!lcowmig_migration_has_right(destination->m));
}
END_TEST

/* MIG-23 */
START_TEST(test_import_refuses_a_container_that_is_in_two_pods)
{
	lcowmig_import_options options;
	lcowmig__wire_sandbox wire;
	lcowmig__arena arena;
	lcowmig__buf buf;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	lcowmig__arena_init(&arena, &source->host->context->mem, 0);
	lcowmig__buf_init(&buf, &source->host->context->mem);
	OK(lcowmig__wire_decode_sandbox(&arena, &source->host->context->limits, world->envelope, world->envelope_size, &wire,
					&world->error));
	wire.pods[1].containers[1].container_id = wire.pods[0].containers[1].container_id;
	OK(lcowmig__wire_encode_sandbox(&buf, &wire, &world->error));
	options = import_options();
	options.envelope = (const uint8_t *)buf.data;
	options.envelope_size = buf.size;
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	expect_nothing_imported();
	lcowmig__buf_done(&buf);
	lcowmig__arena_done(&arena);
}
END_TEST

/* MIG-24 */
START_TEST(test_import_fills_the_maps_and_the_pending_set)
{
	OK(world_migrate_until(world, WORLD_IMPORTED));
	ck_assert_uint_eq(destination->sandbox->pods.count, 2);
	ck_assert_uint_eq(destination->sandbox->containers.count, 4);
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 4);
	ck_assert_ptr_nonnull(lcowmig__sandbox_find(destination->sandbox, "p1-c1"));
}
END_TEST

static lcowmig_status deny(void *user, lcowmig_import_item item, const char *where, const char *text)
{
	unsigned *countdown = user;

	ck_assert(where[0] && text);
	ck_assert_int_ge(item, LCOWMIG_IMPORT_HOST_PATH);
	return --*countdown ? LCOWMIG_OK : LCOWMIG_E_DENIED;
}

/* every item is shown, and each refusal leaves nothing behind. */
START_TEST(test_import_asks_the_policy_before_anything_is_created)
{
	lcowmig_import_options options;
	unsigned n_items = 1000;
	unsigned countdown;
	unsigned i;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	options = import_options();
	options.policy = deny;
	for (i = 1; i < n_items; i++) {
		lcowmig_status status;

		countdown = i;
		options.policy_user = &countdown;
		status = import(&options);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_DENIED);
		expect_nothing_imported();
	}
	/* Kernel path and command line, Scsi and HvSocket, and the disks: root, one base layer, four scratches. */
	ck_assert_uint_eq(i - 1, 4 + 1 + 1 + 4);
}
END_TEST

START_TEST(test_import_refuses_unusual_devices_by_default)
{
	static const char document[] = "{\"VirtualMachine\":{\"Devices\":{\"Scsi\":{},\"VirtualPMem\":{}}}}";
	lcowmig__wire_sandbox wire = { 0 };

	wire.vm.hcs_document.data = (const uint8_t *)document;
	wire.vm.hcs_document.size = strlen(document);
	FAILS(lcowmig__import_vet(&source->host->context->limits, &wire, NULL, NULL, &world->error), LCOWMIG_E_DENIED);
	ck_assert_ptr_nonnull(strstr(world->error.message, "VirtualPMem"));
}
END_TEST

/* ---- Patch and prepare destination ---- */

/* MIG-25 */
START_TEST(test_patch_refuses_missing_arguments)
{
	lcowmig_patch patch = { .size = sizeof patch, .source_container_id = "p0", .container_id = "" };

	OK(world_migrate_until(world, WORLD_IMPORTED));
	FAILS(lcowmig_migration_patch(destination->m, NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_patch(destination->m, &patch, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	patch.container_id = "d-p0";
	patch.source_container_id = NULL;
	FAILS(lcowmig_migration_patch(destination->m, &patch, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	patch.size = 4;
	FAILS(lcowmig_migration_patch(destination->m, &patch, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* MIG-26 */
START_TEST(test_patch_needs_an_imported_session)
{
	FAILS(world_patch(world, "p0"), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_migrate_until(world, WORLD_READY));
	FAILS(world_patch(world, "p0"), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* MIG-27, MIG-28, MIG-29, MIG-33 */
START_TEST(test_patch_that_is_refused_changes_nothing)
{
	lcowmig_patch patch = {
		.size = sizeof patch, .source_container_id = "p0-c1", .container_id = "d-p0-c1", .container_type = "sandbox"
	};

	OK(world_migrate_until(world, WORLD_IMPORTED));
	FAILS(world_patch(world, "nobody"), LCOWMIG_E_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(world->error.message, "not pending"));
	FAILS(lcowmig_migration_patch(destination->m, &patch, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 4);
	ck_assert_ptr_nonnull(lcowmig__sandbox_find(destination->sandbox, "p0-c1"));
	test_host_fail(destination->host, "stdio.open", 1, LCOWMIG_E_HOST_FAILED, 0, "no pipe");
	FAILS(world_patch(world, "p0-c1"), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 4);
	ck_assert_ptr_null(lcowmig__sandbox_find(destination->sandbox, "d-p0-c1"));
	OK(world_patch(world, "p0-c1"));
}
END_TEST

/* MIG-30: without SCSI nothing can be patched, and the pod is as it was. */
START_TEST(test_patch_needs_the_disks)
{
	lcowmig_patch patch = { .size = sizeof patch, .source_container_id = "p0-c1", .container_id = "d-p0-c1" };
	lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\x", "", NULL, 0 };

	OK(world_migrate_until(world, WORLD_IMPORTED));
	patch.rootfs = &rootfs;
	patch.n_rootfs = 1;
	ck_assert_int_ne(lcowmig_migration_patch(destination->m, &patch, NULL, NULL, &world->error), LCOWMIG_OK);
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 4);
	ck_assert_ptr_nonnull(lcowmig__sandbox_find(destination->sandbox, "p0-c1"));
}
END_TEST

/* MIG-31, MIG-32 */
START_TEST(test_patch_re_keys_containers_and_their_pod)
{
	OK(world_migrate_until(world, WORLD_IMPORTED));
	OK(world_patch(world, "p0-c1"));
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 3);
	ck_assert_ptr_null(lcowmig__sandbox_find(destination->sandbox, "p0-c1"));
	ck_assert_ptr_eq(lcowmig__sandbox_find(destination->sandbox, "d-p0-c1")->pod,
			 lcowmig__sandbox_find_pod(destination->sandbox, "p0"));
	OK(world_patch(world, "p0"));
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 2);
	ck_assert_ptr_null(lcowmig__sandbox_find_pod(destination->sandbox, "p0"));
	ck_assert_ptr_eq(lcowmig__sandbox_find(destination->sandbox, "d-p0-c1")->pod,
			 lcowmig__sandbox_find_pod(destination->sandbox, "d-p0"));
}
END_TEST

/* a second patch replaces the first, by the id the container came with. */
START_TEST(test_patch_again_replaces_the_first)
{
	OK(world_migrate_until(world, WORLD_IMPORTED));
	OK(world_patch(world, "p0"));
	OK(world_patch(world, "p0"));
	OK(world_patch(world, "p0-c1"));
	OK(world_patch(world, "p0-c1"));
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 2);
	ck_assert_uint_eq(test_host_count(destination->host, "stdio.close"), 2);
}
END_TEST

/* MIG-34 */
START_TEST(test_prepare_destination_needs_an_imported_session)
{
	FAILS(world_prepare_destination(world), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_migrate_until(world, WORLD_READY));
	FAILS(world_prepare_destination(world), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(lcowmig_migration_prepare_destination(destination->m, WORLD_SESSION, NULL, 8, NULL, NULL, &world->error),
	      LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* MIG-35 */
START_TEST(test_prepare_destination_names_what_is_pending)
{
	OK(world_migrate_until(world, WORLD_IMPORTED));
	OK(world_patch(world, "p0"));
	FAILS(world_prepare_destination(world), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "p0-c1, p1, p1-c1"));
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_IMPORTED);
}
END_TEST

/* a disk that still has the source's path is forgotten, or shared and the host says so. */
START_TEST(test_prepare_destination_names_disks_that_nobody_patched)
{
	OK(world_migrate_until(world, WORLD_PATCHED));
	FAILS(lcowmig_migration_prepare_destination(destination->m, WORLD_SESSION, NULL, 0, NULL, NULL, &world->error),
	      LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "rootfs.vhd"));
	ck_assert_ptr_null(strstr(world->error.message, "C:\\source"));
	OK(world_prepare_destination(world));
}
END_TEST

/* MIG-36 */
START_TEST(test_prepare_destination_can_be_repeated_when_the_machine_is_not_created)
{
	OK(world_migrate_until(world, WORLD_PATCHED));
	test_host_fail(destination->host, "hcs.create", 1, LCOWMIG_E_HOST_FAILED, 0, "no");
	FAILS(world_prepare_destination(world), LCOWMIG_E_HOST_FAILED);
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_IMPORTED);
	OK(world_prepare_destination(world));
}
END_TEST

/* MIG-37 */
START_TEST(test_prepare_destination_creates_the_machine)
{
	OK(world_migrate_until(world, WORLD_PATCHED));
	OK(world_prepare_destination(world));
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_PREPARED);
	ck_assert_str_eq(lcowmig_vm_id(destination->sandbox->vm), "d-sb@vm");
	ck_assert_uint_eq(test_host_count(destination->host, "hcs.create d-sb@vm {"), 1);
	ck_assert_ptr_nonnull(strstr(test_host_log(destination->host), "\"MigrationOptions\":{\"Origin\":\"Destination\""));
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED);
}
END_TEST

/* MIG-38 */
START_TEST(test_prepare_destination_fails_the_session_when_a_disk_is_denied)
{
	OK(world_migrate_until(world, WORLD_PATCHED));
	test_host_fail(destination->host, "hcs.grant_access", 1, LCOWMIG_E_DENIED, 0x80070005, "no");
	ck_assert_int_ne(world_prepare_destination(world), LCOWMIG_OK);
	STATE(destination, LCOWMIG_MIGRATION_FAILED);
	ck_assert_int_ne(lcowmig_migration_failure(destination->m, &world->error), LCOWMIG_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migration import");
	TCase *plain = tcase_create("session without pods");
	TCase *pods = tcase_create("session with pods");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(plain, set_up_empty, tear_down);
	tcase_set_timeout(plain, 60);
	tcase_add_checked_fixture(pods, set_up_pods, tear_down);
	tcase_set_timeout(pods, 60);
	tcase_add_test(plain, test_import_refuses_missing_arguments);
	tcase_add_test(plain, test_import_refuses_bytes_that_do_not_decode);
	tcase_add_test(plain, test_import_refuses_a_second_session);
	tcase_add_test(plain, test_import_needs_a_machine_that_was_not_created);
	tcase_add_test(pods, test_import_leaves_nothing_behind_when_memory_is_out);
	tcase_add_test(plain, test_import_records_a_session_without_pods);
	tcase_add_test(pods, test_import_refuses_a_container_that_is_in_two_pods);
	tcase_add_test(pods, test_import_fills_the_maps_and_the_pending_set);
	tcase_add_test(pods, test_import_asks_the_policy_before_anything_is_created);
	tcase_add_test(plain, test_import_refuses_unusual_devices_by_default);
	tcase_add_test(pods, test_patch_refuses_missing_arguments);
	tcase_add_test(pods, test_patch_needs_an_imported_session);
	tcase_add_test(pods, test_patch_that_is_refused_changes_nothing);
	tcase_add_test(pods, test_patch_needs_the_disks);
	tcase_add_test(pods, test_patch_re_keys_containers_and_their_pod);
	tcase_add_test(pods, test_patch_again_replaces_the_first);
	tcase_add_test(pods, test_prepare_destination_needs_an_imported_session);
	tcase_add_test(pods, test_prepare_destination_names_what_is_pending);
	tcase_add_test(pods, test_prepare_destination_names_disks_that_nobody_patched);
	tcase_add_test(plain, test_prepare_destination_can_be_repeated_when_the_machine_is_not_created);
	tcase_add_test(pods, test_prepare_destination_creates_the_machine);
	tcase_add_test(plain, test_prepare_destination_fails_the_session_when_a_disk_is_denied);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, pods);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
