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
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
