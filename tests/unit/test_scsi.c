/* The SCSI controller: slots, disks, reservations (SCSI-01 to SCSI-51, SCSI-69 to SCSI-77, with test_scsi_map.c). */
#include "scsi_fixture.h"

/* ---- Reserving ---- */

/* SCSI-01, SCSI-02, SCSI-03, SCSI-69 */
START_TEST(test_reserve_gives_distinct_ids_for_one_partition)
{
	lcowmig_guid a = reserve("a.vhd", 0);
	lcowmig_guid b = reserve("a.vhd", 0);

	ck_assert(!lcowmig__guid_is_null(&a));
	ck_assert_int_ne(lcowmig__guid_compare(&a, &b), 0);
	ck_assert_uint_eq(mount_of(&a)->wire.ref_count, 2);
	ck_assert_int_eq(mount_of(&a)->object.state, MOUNT_RESERVED);
	ck_assert_ptr_eq(mount_of(&a), mount_of(&b)); /* SCSI-43 */
	test_host_expect_log(host, "");
}
END_TEST

/* SCSI-04, SCSI-06, SCSI-27, SCSI-31 */
START_TEST(test_reserve_takes_the_lowest_free_slot_and_shares_it_by_path)
{
	lcowmig_guid a = reserve("a.vhd", 1);
	lcowmig_guid a2 = reserve("a.vhd", 2);
	lcowmig_guid b = reserve("b.vhd", 0);
	lcowmig_guid c = reserve("c.vhd", 0);

	ck_assert_uint_eq(disk_of(&a)->slot, 0);
	ck_assert_ptr_eq(disk_of(&a2), disk_of(&a));
	ck_assert_uint_eq(disk_of(&b)->slot, 1);
	ck_assert_uint_eq(disk_of(&c)->slot, 2);
	ck_assert_int_eq(disk_of(&a)->object.state, DISK_RESERVED);
	ck_assert_str_eq(disk_of(&a)->host_path, "a.vhd");
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	b = reserve("d.vhd", 0);
	ck_assert_uint_eq(disk_of(&b)->slot, 1);
}
END_TEST

/* SCSI-05, SCSI-32 */
START_TEST(test_reserve_refuses_a_path_with_another_disk_config)
{
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_mount_config mount = LCOWMIG_MOUNT_CONFIG_INIT;
	lcowmig_guid id;

	reserve_config("evd://x", LCOWMIG_DISK_EXTENSIBLE, "p1", 1);
	disk.host_path = "evd://x";
	disk.type = LCOWMIG_DISK_EXTENSIBLE;
	disk.evd_type = "p1";
	disk.read_only = 0;
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	disk.read_only = 1;
	disk.evd_type = "p2";
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	disk.evd_type = NULL;
	disk.type = LCOWMIG_DISK_VIRTUAL;
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	disk.type = LCOWMIG_DISK_EXTENSIBLE;
	disk.evd_type = "p1";
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_OK);
}
END_TEST

/* SCSI-44, SCSI-70, SCSI-78 */
START_TEST(test_reserve_refuses_a_partition_with_another_mount_config)
{
	static const char *const options[] = { "RW", "noatime", "rw" };
	static const char *const same[] = { "noatime", "rw", "Rw" };
	static const char *const fewer[] = { "noatime", "rw" };
	static const char *const other[] = { "noatime", "noatime", "rw" };
	static const struct {
		const char *const *options;
		size_t n_options;
		const char *filesystem;
		uint32_t read_only, encrypted, ensure, block;
		lcowmig_status status;
	} cases[] = {
		{ same, 3, "ext4", 0, 0, 1, 0, LCOWMIG_OK },
		{ options, 3, "ext4", 0, 0, 1, 0, LCOWMIG_OK },
		{ fewer, 2, "ext4", 0, 0, 1, 0, LCOWMIG_E_INVALID_ARGUMENT },
		{ other, 3, "ext4", 0, 0, 1, 0, LCOWMIG_E_INVALID_ARGUMENT },
		{ NULL, 0, "ext4", 0, 0, 1, 0, LCOWMIG_E_INVALID_ARGUMENT },
		{ options, 3, "xfs", 0, 0, 1, 0, LCOWMIG_E_INVALID_ARGUMENT },
		{ options, 3, NULL, 0, 0, 1, 0, LCOWMIG_E_INVALID_ARGUMENT },
		{ options, 3, "ext4", 1, 0, 1, 0, LCOWMIG_E_INVALID_ARGUMENT },
		{ options, 3, "ext4", 0, 1, 1, 0, LCOWMIG_E_INVALID_ARGUMENT },
		{ options, 3, "ext4", 0, 0, 0, 0, LCOWMIG_E_INVALID_ARGUMENT },
		{ options, 3, "ext4", 0, 0, 1, 1, LCOWMIG_E_INVALID_ARGUMENT },
	};
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_mount_config mount = { sizeof mount, 3, options, 3, "ext4", 0, 0, 1, 0 };
	lcowmig_guid id;
	size_t i;

	disk.host_path = "a.vhd";
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_OK);
	for (i = 0; i < LCOWMIG__COUNT(cases); i++) {
		lcowmig_mount_config again = { sizeof again,        3,
					       cases[i].options,    cases[i].n_options,
					       cases[i].filesystem, cases[i].read_only,
					       cases[i].encrypted,  cases[i].ensure,
					       cases[i].block };

		ck_assert_msg(lcowmig_scsi_reserve(scsi, &disk, &again, &id, &error) == cases[i].status, "case %zu", i);
	}
}
END_TEST

/* SCSI-07, SCSI-08 */
START_TEST(test_reserve_fails_when_no_slot_is_free)
{
	lcowmig_scsi *none = NULL;
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_mount_config mount = LCOWMIG_MOUNT_CONFIG_INIT;
	lcowmig_guid id;
	char path[16];
	int i;

	disk.host_path = "x.vhd";
	ck_assert_int_eq(lcowmig__scsi_new(&host->env, 0, &none, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_reserve(none, &disk, &mount, &id, &error), LCOWMIG_E_LIMIT_EXCEEDED);
	lcowmig__scsi_free(none);
	ck_assert_int_eq(lcowmig__scsi_new(&host->env, 1, &none, &error), LCOWMIG_OK);
	disk.host_path = path;
	for (i = 0; i < 64; i++) {
		snprintf(path, sizeof path, "d%d.vhd", i);
		ck_assert_int_eq(lcowmig_scsi_reserve(none, &disk, &mount, &id, &error), LCOWMIG_OK);
	}
	snprintf(path, sizeof path, "last.vhd");
	ck_assert_int_eq(lcowmig_scsi_reserve(none, &disk, &mount, &id, &error), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_int_eq(test_run(host, lcowmig__scsi_unmap_flow(none, &id, &error), NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_reserve(none, &disk, &mount, &id, &error), LCOWMIG_OK);
	ck_assert_uint_eq(lcowmig__scsi_find(none, &id)->slot, 63);
	lcowmig__scsi_free(none);
	ck_assert_int_eq(lcowmig__scsi_new(&host->env, 5, &none, &error), LCOWMIG_E_INVALID_ARGUMENT);
	lcowmig__scsi_free(NULL);
}
END_TEST

/* SCSI-28 */
START_TEST(test_reserve_records_nothing_when_it_fails)
{
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_mount_config mount = LCOWMIG_MOUNT_CONFIG_INIT;
	const char *const options[] = { "ro" };
	lcowmig_guid id = { { 9 } };
	unsigned nth;

	disk.host_path = "a.vhd";
	mount.options = options;
	mount.n_options = 1;
	for (nth = 1;; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		ck_assert_uint_eq(id.bytes[0], 9);
		ck_assert_ptr_null(lcowmig__scsi_disk_in(scsi, 0));
		ck_assert_uint_eq(scsi->paths.count + scsi->base.entries.count, 0);
		ck_assert_uint_eq(scsi->free_luns[0], UINT64_MAX);
	}
	ck_assert_uint_gt(nth, 5);
	/* On a disk that is there already the count goes back. */
	test_host_fail_allocation(host, 1, false);
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_NO_MEMORY);
	ck_assert_uint_eq(mount_of(&id)->wire.ref_count, 1);
}
END_TEST

START_TEST(test_reserve_checks_its_arguments)
{
	static const char *const no_option[] = { NULL };
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_mount_config mount = LCOWMIG_MOUNT_CONFIG_INIT;
	lcowmig_guid id;

	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	disk.host_path = "\xff.vhd";
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	disk.host_path = "a.vhd";
	disk.type = 4;
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	disk.type = LCOWMIG_DISK_VIRTUAL;
	disk.evd_type = "p";
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	disk.evd_type = NULL;
	mount.partition = 256;
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	mount.partition = 0;
	mount.n_options = 1;
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	mount.options = no_option;
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	mount.n_options = 65;
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_LIMIT_EXCEEDED);
	disk.size = 8;
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, NULL, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_scsi_reserve(NULL, &disk, &mount, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_scsi_map(scsi, NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_scsi_unmap(NULL, &id, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* SCSI-22, SCSI-25 */
START_TEST(test_root_disk_appears_in_the_attachments)
{
	root("root.vhd", 0, 5);
	expect_attachments(
		"{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"5\":{\"Type\":\"VirtualDisk\",\"Path\":\"root.vhd\","
		"\"ReadOnly\":true}}},\"0110f83b-de10-5172-a266-78bca56bf50a\":{}}");
}
END_TEST

/* SCSI-23, SCSI-24 */
START_TEST(test_root_disk_is_refused_when_the_slot_is_taken_or_does_not_exist)
{
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;

	disk.host_path = "x.vhd";
	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(scsi, 2, 0, &disk, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(scsi, 0, 64, &disk, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(scsi, 1, 63, &disk, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(scsi, 1, 62, &disk, &error), LCOWMIG_E_ALREADY_EXISTS);
	disk.host_path = "y.vhd";
	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(scsi, 1, 63, &disk, &error), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_ptr_nonnull(strstr(error.message, "x.vhd"));
	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(NULL, 1, 63, &disk, &error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

START_TEST(test_root_disk_can_be_mounted_but_is_never_attached_or_detached)
{
	lcowmig_guid id;

	root("root.vhd", 0, 0);
	id = reserve_config("root.vhd", LCOWMIG_DISK_VIRTUAL, NULL, 1);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, GUEST_ADD("\"MountPath\":\"/run/mounts/scsi/0_0_0\"")
					   GUEST_REMOVE("\"MountPath\":\"/run/mounts/scsi/0_0_0\""));
	ck_assert_ptr_nonnull(lcowmig__scsi_disk_in(scsi, 0));
}
END_TEST

/* ---- Looking ---- */

START_TEST(test_disks_are_seen_slot_by_slot)
{
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;

	root("root.vhd", 0, 0);
	reserve_config("evd://x", LCOWMIG_DISK_EXTENSIBLE, "p1", 1);
	ck_assert_uint_eq(lcowmig_scsi_slots(scsi), 128);
	ck_assert_uint_eq(lcowmig_scsi_slots(NULL), 0);
	ck_assert_int_eq(lcowmig_scsi_disk(scsi, 1, &disk, &error), LCOWMIG_OK);
	ck_assert_str_eq(disk.host_path, "evd://x");
	ck_assert_str_eq(disk.evd_type, "p1");
	ck_assert_uint_eq(disk.type, LCOWMIG_DISK_EXTENSIBLE);
	ck_assert_uint_eq(disk.read_only, 1);
	ck_assert_int_eq(lcowmig_scsi_disk(scsi, 2, &disk, &error), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_scsi_disk(scsi, 128, &disk, &error), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_scsi_disk(NULL, 0, &disk, &error), LCOWMIG_E_INVALID_ARGUMENT);
	disk.size = 0;
	ck_assert_int_eq(lcowmig_scsi_disk(scsi, 1, &disk, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_scsi_free(scsi, &error), LCOWMIG_E_FAILED_PRECONDITION); /* not ours */
	ck_assert_int_eq(lcowmig_scsi_free(NULL, &error), LCOWMIG_OK);
}
END_TEST

/* */
START_TEST(test_attachments_leave_out_what_is_only_reserved)
{
	lcowmig_guid id;

	reserve("a.vhd", 0);
	id = reserve("b.vhd", 0);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	expect_attachments(
		"{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"1\":{\"Type\":\"VirtualDisk\",\"Path\":\"b.vhd\"}}},"
		"\"0110f83b-de10-5172-a266-78bca56bf50a\":{}}");
	ck_assert_int_eq(lcowmig_scsi_attachments(NULL, NULL, 0, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* Every import pays for a controller; for slots only when there are disks in them. */
START_TEST(test_slots_cost_no_room_while_they_are_empty)
{
	ck_assert_uint_lt(sizeof *scsi, LCOWMIG_SCSI_CONTROLLERS_MAX * LCOWMIG_SCSI_LUNS * sizeof(void *) / 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scsi");
	TCase *tcase = tcase_create("scsi");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_reserve_gives_distinct_ids_for_one_partition);
	tcase_add_test(tcase, test_reserve_takes_the_lowest_free_slot_and_shares_it_by_path);
	tcase_add_test(tcase, test_reserve_refuses_a_path_with_another_disk_config);
	tcase_add_test(tcase, test_reserve_refuses_a_partition_with_another_mount_config);
	tcase_add_test(tcase, test_reserve_fails_when_no_slot_is_free);
	tcase_add_test(tcase, test_reserve_records_nothing_when_it_fails);
	tcase_add_test(tcase, test_reserve_checks_its_arguments);
	tcase_add_test(tcase, test_root_disk_appears_in_the_attachments);
	tcase_add_test(tcase, test_root_disk_is_refused_when_the_slot_is_taken_or_does_not_exist);
	tcase_add_test(tcase, test_root_disk_can_be_mounted_but_is_never_attached_or_detached);
	tcase_add_test(tcase, test_disks_are_seen_slot_by_slot);
	tcase_add_test(tcase, test_attachments_leave_out_what_is_only_reserved);
	tcase_add_test(tcase, test_slots_cost_no_room_while_they_are_empty);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
