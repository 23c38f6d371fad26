/* What the SCSI controller refuses: arguments, limits, and a platform or a host that fails it. Nothing is recorded then. */
#include "scsi_fixture.h"

/* ---- Arguments ---- */

static void expect_null(lcowmig_status status, const char *function)
{
	char expected[128];

	snprintf(expected, sizeof expected, "%s: an argument is NULL", function);
	ck_assert_int_eq(status, LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, expected);
}

START_TEST(test_public_functions_name_themselves_when_they_get_null)
{
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_mount_config mount = LCOWMIG_MOUNT_CONFIG_INIT;
	lcowmig_scsi *imported = NULL;
	lcowmig_sandbox *sandbox;
	lcowmig_guid id = { { 1 } };
	size_t size = 0;

	disk.host_path = "a.vhd";
	expect_null(lcowmig_scsi_reserve_for_rootfs(NULL, 0, 0, &disk, &error), "lcowmig_scsi_reserve_for_rootfs");
	expect_null(lcowmig_scsi_reserve(NULL, &disk, &mount, &id, &error), "lcowmig_scsi_reserve");
	expect_null(lcowmig_scsi_reserve(scsi, &disk, &mount, NULL, &error), "lcowmig_scsi_reserve");
	expect_null(lcowmig_scsi_map(NULL, &id, NULL, NULL, &error), "lcowmig_scsi_map");
	expect_null(lcowmig_scsi_map(scsi, NULL, NULL, NULL, &error), "lcowmig_scsi_map");
	expect_null(lcowmig_scsi_unmap(NULL, &id, NULL, NULL, &error), "lcowmig_scsi_unmap");
	expect_null(lcowmig_scsi_unmap(scsi, NULL, NULL, NULL, &error), "lcowmig_scsi_unmap");
	expect_null(lcowmig_scsi_guest_path(NULL, &id, NULL, 0, &size, &error), "lcowmig_scsi_guest_path");
	expect_null(lcowmig_scsi_guest_path(scsi, NULL, NULL, 0, &size, &error), "lcowmig_scsi_guest_path");
	expect_null(lcowmig_scsi_disk(NULL, 0, &disk, &error), "lcowmig_scsi_disk");
	expect_null(lcowmig_scsi_disk(scsi, 0, NULL, &error), "lcowmig_scsi_disk");
	expect_null(lcowmig_scsi_attachments(NULL, NULL, 0, &size, &error), "lcowmig_scsi_attachments");
	expect_null(lcowmig_scsi_save(NULL, NULL, 0, &size, &error), "lcowmig_scsi_save");
	expect_null(lcowmig_scsi_save(scsi, NULL, 0, NULL, &error), "lcowmig_scsi_save");
	expect_null(lcowmig_scsi_import(NULL, NULL, 0, &imported, &error), "lcowmig_scsi_import");
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, &error), LCOWMIG_OK);
	expect_null(lcowmig_scsi_import(sandbox, NULL, 0, NULL, &error), "lcowmig_scsi_import");
	ck_assert_int_eq(lcowmig_scsi_import(sandbox, NULL, 0, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(imported);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_OK);
	expect_null(lcowmig_scsi_update_disk_host_path(NULL, &id, "b", &error), "lcowmig_scsi_update_disk_host_path");
	expect_null(lcowmig_scsi_update_disk_host_path(scsi, NULL, "b", &error), "lcowmig_scsi_update_disk_host_path");
	expect_null(lcowmig_scsi_update_disk_host_path(scsi, &id, NULL, &error), "lcowmig_scsi_update_disk_host_path");
	expect_null(lcowmig_scsi_resume(NULL, &error), "lcowmig_scsi_resume");
	ck_assert(!lcowmig_scsi_is_migrating(NULL));
	expect_empty();
}
END_TEST

/* Everything in the configurations that is wrong, one at a time, and what the message says. */
START_TEST(test_reserve_refuses_each_wrong_part_of_a_config)
{
	static const char *const bad_option[] = { "ro", "\xff" };
	static const struct {
		lcowmig_disk_config disk;
		lcowmig_mount_config mount;
		const char *message;
	} cases[] = {
		{ { sizeof(lcowmig_disk_config), "", NULL, 1, 0 }, LCOWMIG_MOUNT_CONFIG_INIT, "the host path is empty" },
		{ { sizeof(lcowmig_disk_config), "0123456789abcdef", NULL, 1, 0 }, LCOWMIG_MOUNT_CONFIG_INIT, "the host path is empty" },
		{ { sizeof(lcowmig_disk_config), "a.vhd", NULL, 0, 0 }, LCOWMIG_MOUNT_CONFIG_INIT, "a.vhd: 0 is no disk type" },
		{ { sizeof(lcowmig_disk_config), "a.vhd", NULL, 4, 0 }, LCOWMIG_MOUNT_CONFIG_INIT, "a.vhd: 4 is no disk type" },
		{ { sizeof(lcowmig_disk_config), "a.vhd", "p", 1, 0 }, LCOWMIG_MOUNT_CONFIG_INIT, "only an extensible disk has a provider" },
		{ { sizeof(lcowmig_disk_config), "a.vhd", "012345678", 3, 0 }, LCOWMIG_MOUNT_CONFIG_INIT, "the provider is too long" },
		{ { sizeof(lcowmig_disk_config), "a.vhd", "\xc0", 3, 0 }, LCOWMIG_MOUNT_CONFIG_INIT, "the provider is too long or not UTF-8" },
		{ { sizeof(lcowmig_disk_config), "a.vhd", NULL, 1, 0 },
		  { sizeof(lcowmig_mount_config), 0, bad_option, 2, NULL, 0, 0, 0, 0 },
		  "mount option 1 is NULL, too long or not UTF-8" },
		{ { sizeof(lcowmig_disk_config), "a.vhd", NULL, 1, 0 },
		  { sizeof(lcowmig_mount_config), 0, NULL, 1, NULL, 0, 0, 0, 0 },
		  "the mount options are NULL" },
		{ { sizeof(lcowmig_disk_config), "a.vhd", NULL, 1, 0 },
		  { sizeof(lcowmig_mount_config), 0, NULL, 0, "\xed\xa0\x80", 0, 0, 0, 0 },
		  "the filesystem's name is too long or not UTF-8" },
		{ { sizeof(lcowmig_disk_config), "a.vhd", NULL, 1, 0 },
		  { sizeof(lcowmig_mount_config), 256, NULL, 0, NULL, 0, 0, 0, 0 },
		  "partition numbers end at 255" },
	};
	lcowmig_guid id = { { 9 } };
	size_t i;

	host->context->limits.path_bytes = 15;
	host->context->limits.id_bytes = 8;
	for (i = 0; i < LCOWMIG__COUNT(cases); i++) {
		ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &cases[i].disk, &cases[i].mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "case %zu: %s", i, error.message);
	}
	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(scsi, 0, 0, &cases[2].disk, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(scsi, 0, 0, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "lcowmig_disk_config"));
	ck_assert_uint_eq(id.bytes[0], 9);
	expect_empty();
}
END_TEST

START_TEST(test_reserve_refuses_a_root_disk_whose_path_has_a_slot_already)
{
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;

	reserve("a.vhd", 0);
	disk.host_path = "a.vhd";
	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(scsi, 1, 0, &disk, &error), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_str_eq(error.message, "SCSI: a.vhd has a slot already");
	ck_assert_ptr_null(lcowmig__scsi_disk_in(scsi, 64));
}
END_TEST

/* ---- Limits and randomness ---- */

START_TEST(test_reserve_refuses_more_reservations_than_the_limit)
{
	lcowmig_guid first, second;

	host->context->limits.reservations = 1;
	first = reserve("a.vhd", 0);
	ck_assert_int_eq(try_reserve("b.vhd", 0, &second), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_str_eq(error.message, "SCSI: there are 1 reservations already");
	ck_assert_ptr_null(lcowmig__scsi_disk_in(scsi, 1));
	ck_assert_int_eq(unmap(&first), LCOWMIG_OK);
	ck_assert_int_eq(try_reserve("b.vhd", 0, &second), LCOWMIG_OK);
}
END_TEST

static lcowmig_status random_same(void *user, void *bytes, size_t size)
{
	(void)user;
	memset(bytes, 7, size);
	return LCOWMIG_OK;
}

static lcowmig_status random_none(void *user, void *bytes, size_t size)
{
	(void)user;
	(void)bytes;
	(void)size;
	return LCOWMIG_E_HOST_FAILED;
}

START_TEST(test_reserve_fails_when_the_platform_has_no_fresh_random_bytes)
{
	lcowmig_guid id = { { 9 } };
	lcowmig_guid first;

	host->context->platform.random = random_none;
	ck_assert_int_eq(try_reserve("a.vhd", 0, &id), LCOWMIG_E_HOST_FAILED);
	ck_assert_ptr_nonnull(strstr(error.message, "no random bytes"));
	ck_assert_uint_eq(id.bytes[0], 9);
	expect_empty();
	host->context->platform.random = random_same;
	first = reserve("a.vhd", 0);
	ck_assert_int_eq(try_reserve("b.vhd", 0, &id), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(error.message, "SCSI: the platform's random bytes repeat themselves");
	ck_assert_ptr_null(lcowmig__scsi_disk_in(scsi, 1));
	ck_assert_int_eq(unmap(&first), LCOWMIG_OK);
	expect_empty();
}
END_TEST

/* ---- Looking ---- */

/* Every piece of memory on the way can be the one that there is no memory for. */
START_TEST(test_attachments_are_whole_or_an_error_when_memory_is_out)
{
	lcowmig_disk_config disk = { sizeof disk, "evd://root", "p1", LCOWMIG_DISK_EXTENSIBLE, 1 };
	lcowmig_status status;
	size_t size = 0;
	unsigned nth;

	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(scsi, 1, 12, &disk, &error), LCOWMIG_OK);
	for (nth = 1;; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = lcowmig_scsi_attachments(scsi, NULL, 0, &size, &error);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		ck_assert_uint_eq(size, 0);
	}
	test_host_fail_allocation(host, 0, false);
	ck_assert_uint_gt(nth, 2);
	ck_assert_int_eq(lcowmig_scsi_attachments(scsi, NULL, 0, NULL, &error), LCOWMIG_OK);
	expect_attachments("{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{},\"0110f83b-de10-5172-a266-78bca56bf50a\":{\"Attachments\":{\"12\":{"
	                   "\"Type\":\"ExtensibleVirtualDisk\",\"Path\":\"evd://root\",\"ReadOnly\":true,\"ExtensibleVirtualDiskType\":\"p1\"}}}}");
}
END_TEST

/* The host still has a disk that only the guest has let go of. */
START_TEST(test_attachments_name_a_disk_that_did_not_detach)
{
	lcowmig_guid id = reserve("a.vhd", 0);

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 1, "busy");
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(error.message, "SCSI disk a.vhd at 0:0 (Ejected): detaching it: HCS modify: busy");
	expect_attachments("{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\",\"Path\":\"a.vhd\"}}},"
	                   "\"0110f83b-de10-5172-a266-78bca56bf50a\":{}}");
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	expect_attachments("{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{},\"0110f83b-de10-5172-a266-78bca56bf50a\":{}}");
}
END_TEST

START_TEST(test_guest_path_of_a_half_unmapped_reservation_is_refused)
{
	lcowmig_guid id = reserve("a.vhd", 0);
	lcowmig_guid other = reserve("a.vhd", 1);
	size_t size = 77;

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_guest_path(scsi, &id, NULL, 0, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(unmap(&other), LCOWMIG_OK);
	test_host_fail(host, "guest.rpc", 2, LCOWMIG_E_GUEST_FAILED, 1, "busy");
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_GUEST_FAILED);
	ck_assert_int_eq(lcowmig_scsi_guest_path(scsi, &id, NULL, 0, &size, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "is not mapped"));
	ck_assert_int_eq(map(&id), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "is half unmapped; it can only be unmapped"));
	ck_assert_uint_eq(size, 77);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	expect_empty();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scsi refusals");
	TCase *tcase = tcase_create("refusals");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_public_functions_name_themselves_when_they_get_null);
	tcase_add_test(tcase, test_reserve_refuses_each_wrong_part_of_a_config);
	tcase_add_test(tcase, test_reserve_refuses_a_root_disk_whose_path_has_a_slot_already);
	tcase_add_test(tcase, test_reserve_refuses_more_reservations_than_the_limit);
	tcase_add_test(tcase, test_reserve_fails_when_the_platform_has_no_fresh_random_bytes);
	tcase_add_test(tcase, test_attachments_are_whole_or_an_error_when_memory_is_out);
	tcase_add_test(tcase, test_attachments_name_a_disk_that_did_not_detach);
	tcase_add_test(tcase, test_guest_path_of_a_half_unmapped_reservation_is_refused);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
