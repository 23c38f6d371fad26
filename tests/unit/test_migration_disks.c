/* Repointing the disks that no container's patch speaks for. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define BOOT_DISK "C:\\LinuxBoot\\rootfs.vhd"

static test_world *world;
static lcowmig_migration *m;

static void setup(void)
{
	world = world_new(1, 2);
	m = world->destination.m;
	ck_assert_int_eq(world_migrate_until(world, WORLD_PATCHED), LCOWMIG_OK);
}

static void teardown(void)
{
	world_free(world);
}

static lcowmig_status patch_disk(const char *source_path, const char *path)
{
	lcowmig_disk_patch disk = { source_path, path };

	return lcowmig_migration_patch_disks(m, WORLD_SESSION, &disk, 1, &world->error);
}

static lcowmig_status prepare(uint32_t flags)
{
	return lcowmig_migration_prepare_destination(m, WORLD_SESSION, NULL, flags, NULL, NULL, &world->error);
}

/* without the flag, every disk must have a path of its own here. */
START_TEST(test_the_boot_disk_can_be_repointed)
{
	ck_assert_int_eq(prepare(0), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "rootfs.vhd"));
	ck_assert_int_eq(patch_disk(BOOT_DISK, "D:\\boot\\rootfs.vhd"), LCOWMIG_OK);
	ck_assert_int_eq(prepare(0), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(test_host_log(world->destination.host), "\"Path\":\"D:\\\\boot\\\\rootfs.vhd\""));
	ck_assert_ptr_nonnull(strstr(test_host_log(world->destination.host), "hcs.grant_access"));
}
END_TEST

START_TEST(test_repointing_again_replaces)
{
	ck_assert_int_eq(patch_disk(BOOT_DISK, "D:\\one.vhd"), LCOWMIG_OK);
	ck_assert_int_eq(patch_disk(BOOT_DISK, "D:\\two.vhd"), LCOWMIG_OK);
	ck_assert_int_eq(prepare(0), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(test_host_log(world->destination.host), "D:\\\\two.vhd"));
	ck_assert_ptr_null(strstr(test_host_log(world->destination.host), "\"Path\":\"D:\\\\one.vhd\""));
}
END_TEST

START_TEST(test_what_cannot_be_repointed_changes_nothing)
{
	lcowmig_disk_patch both[2] = { { BOOT_DISK, "D:\\boot.vhd" }, { "C:\\nowhere.vhd", "D:\\x.vhd" } };

	ck_assert_int_eq(lcowmig_migration_patch_disks(m, WORLD_SESSION, both, 2, &world->error), LCOWMIG_E_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(world->error.message, "C:\\nowhere.vhd"));
	both[1] = (lcowmig_disk_patch){ BOOT_DISK, "D:\\other.vhd" };
	ck_assert_int_eq(lcowmig_migration_patch_disks(m, WORLD_SESSION, both, 2, &world->error), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(patch_disk(BOOT_DISK, ""), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(patch_disk(NULL, "D:\\x.vhd"), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_migration_patch_disks(m, "another", both, 1, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_migration_patch_disks(NULL, WORLD_SESSION, both, 1, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(prepare(0), LCOWMIG_E_FAILED_PRECONDITION); /* the boot disk is still the source's */
	ck_assert_int_eq(prepare(LCOWMIG_PREPARE_PATHS_SHARED), LCOWMIG_OK);
	ck_assert_int_eq(patch_disk(BOOT_DISK, "D:\\late.vhd"), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

START_TEST(test_repointing_survives_every_allocation_failure)
{
	unsigned n;

	for (n = 1; n < 50; n++) {
		lcowmig_status status;

		test_host_fail_allocation(world->destination.host, n, false);
		status = patch_disk(BOOT_DISK, "D:\\boot.vhd");
		test_host_fail_allocation(world->destination.host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
	ck_assert_uint_gt(n, 2);
	ck_assert_uint_lt(n, 50);
}
END_TEST

/* None is no change, and legal where one is. */
START_TEST(test_repointing_no_disk_changes_nothing)
{
	lcowmig_disk_patch two[2] = { { "C:\\nowhere.vhd", "D:\\a.vhd" }, { BOOT_DISK, "D:\\b.vhd" } };

	ck_assert_int_eq(lcowmig_migration_patch_disks(m, WORLD_SESSION, NULL, 0, &world->error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_migration_patch_disks(m, WORLD_SESSION, two, 2, &world->error), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(prepare(0), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "1 disks still have the source's path"));
}
END_TEST

/* An envelope without disks, and a document without controllers for them: there is nothing to repoint, nor to migrate. */
START_TEST(test_disks_of_a_machine_without_controllers_are_refused)
{
	static const char document[] = "{\"VirtualMachine\":{\"Devices\":{\"HvSocket\":{}}}}";
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;
	test_side *side = &world->destination;
	lcowmig__wire_sandbox wire;
	lcowmig__arena arena;
	lcowmig__buf buf;

	ck_assert_int_eq(world_abandon(world, side), LCOWMIG_OK);
	world_new_destination(world);
	m = side->m;
	lcowmig__arena_init(&arena, &side->host->context->mem, 0);
	lcowmig__buf_init(&buf, &side->host->context->mem);
	ck_assert_int_eq(lcowmig__wire_decode_sandbox(&arena, &side->host->context->limits, world->envelope, world->envelope_size, &wire,
	                                              &world->error),
	                 LCOWMIG_OK);
	wire.vm.has_scsi = false;
	wire.vm.hcs_document.data = (const uint8_t *)document;
	wire.vm.hcs_document.size = strlen(document);
	wire.n_pods = 0;
	ck_assert_int_eq(lcowmig__wire_encode_sandbox(&buf, &wire, &world->error), LCOWMIG_OK);
	options.session_id = WORLD_SESSION;
	options.sandbox_id = "d-sb";
	options.envelope = (const uint8_t *)buf.data;
	options.envelope_size = buf.size;
	ck_assert_msg(lcowmig_migration_import(m, &options, &world->error) == LCOWMIG_OK, "%s", world->error.message);
	ck_assert_int_eq(patch_disk(BOOT_DISK, "D:\\x.vhd"), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "no document with SCSI controllers"));
	ck_assert_int_eq(prepare(0), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "no document with SCSI controllers"));
	lcowmig__buf_done(&buf);
	lcowmig__arena_done(&arena);
}
END_TEST

/* However many are missing, the error names as many as it has room for, and their number. */
START_TEST(test_what_is_missing_is_named_as_far_as_there_is_room)
{
	lcowmig_patch patch = { .size = sizeof patch, .namespace_id = "a1b2c3d4-0000-4000-8000-000000000002" };
	unsigned p, c;

	world_free(world);
	world = world_new(4, WORLD_MAX_CONTAINERS / 4);
	m = world->destination.m;
	ck_assert_int_eq(world_migrate_until(world, WORLD_IMPORTED), LCOWMIG_OK);
	ck_assert_int_eq(prepare(0), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "64 containers are not patched yet: p0, p0-c1, p0-c10"));
	ck_assert_int_eq(world_patch(world, "p0"), LCOWMIG_OK);
	ck_assert_int_eq(prepare(0), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "63 containers are not patched yet: p0-c1, p0-c10"));
	for (p = 0; p < 4; p++) {
		for (c = WORLD_MAX_CONTAINERS / 4; c-- > 0;) {
			patch.source_container_id = patch.container_id = world_container_id(p, c);
			ck_assert_int_eq(lcowmig_migration_patch(m, &patch, NULL, NULL, &world->error), LCOWMIG_OK);
		}
	}
	ck_assert_int_eq(prepare(0), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "64 disks still have the source's path"));
	ck_assert_ptr_nonnull(strstr(world->error.message, "rootfs.vhd (slot 0), C:\\source\\"));
	ck_assert_int_eq(prepare(LCOWMIG_PREPARE_PATHS_SHARED), LCOWMIG_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migration disks");
	TCase *tcase = tcase_create("disks");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_the_boot_disk_can_be_repointed);
	tcase_add_test(tcase, test_repointing_again_replaces);
	tcase_add_test(tcase, test_what_cannot_be_repointed_changes_nothing);
	tcase_add_test(tcase, test_repointing_survives_every_allocation_failure);
	tcase_add_test(tcase, test_repointing_no_disk_changes_nothing);
	tcase_add_test(tcase, test_disks_of_a_machine_without_controllers_are_refused);
	tcase_add_test(tcase, test_what_is_missing_is_named_as_far_as_there_is_room);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
