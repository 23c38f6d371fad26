/* The SCSI controller: what is mapped and unmapped, one after the other and at the same time. */
#include "scsi_fixture.h"

/* ---- Mapping ---- */

/* SCSI-09, SCSI-12, SCSI-29, SCSI-33, SCSI-35, SCSI-42, SCSI-47, SCSI-71 */
START_TEST(test_map_attaches_and_mounts_once)
{
	lcowmig_guid id = reserve_config("evd://x", LCOWMIG_DISK_EXTENSIBLE, "p1", 1);
	lcowmig_guid second;
	char path[64];
	size_t size;

	ck_assert_int_eq(lcowmig_scsi_guest_path(scsi, &id, path, sizeof path, &size, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	test_host_expect_log(host,
			     HCS_ADD("0", "{\"Type\":\"ExtensibleVirtualDisk\",\"Path\":\"evd://x\",\"ReadOnly\":true,"
					  "\"ExtensibleVirtualDiskType\":\"p1\"}") GUEST_ADD("\"MountPath\":\"/run/mounts/scsi/0_0_0\""));
	ck_assert_int_eq(lcowmig_scsi_guest_path(scsi, &id, path, sizeof path, &size, &error), LCOWMIG_OK);
	ck_assert_str_eq(path, "/run/mounts/scsi/0_0_0");
	ck_assert_uint_eq(size, strlen(path));
	ck_assert_int_eq(lcowmig_scsi_guest_path(scsi, &id, path, size, &size, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_scsi_guest_path(scsi, &id, NULL, 0, &size, &error), LCOWMIG_OK);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert_int_eq(disk_of(&id)->object.state, DISK_ATTACHED);
	ck_assert_int_eq(mount_of(&id)->object.state, MOUNT_MOUNTED);
	second = reserve_config("evd://x", LCOWMIG_DISK_EXTENSIBLE, "p1", 1); /* SCSI-70: also when Mounted */
	ck_assert_int_eq(map(&second), LCOWMIG_OK);
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_map_gives_the_path_to_its_caller)
{
	lcowmig_guid id = reserve("a.vhd", 7);
	char *path = NULL;

	ck_assert_int_eq(test_run(host, lcowmig__scsi_map_flow(scsi, &id, &path, &error), NULL, &error), LCOWMIG_OK);
	ck_assert_str_eq(path, "/run/mounts/scsi/0_0_7");
	lcowmig__free(&host->context->mem, path);
}
END_TEST

/* SCSI-10, SCSI-15 */
START_TEST(test_map_and_unmap_refuse_an_unknown_reservation)
{
	lcowmig_guid id = { { 1 } };

	ck_assert_int_eq(map(&id), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_scsi_guest_path(scsi, &id, NULL, 0, NULL, &error), LCOWMIG_E_NOT_FOUND);
	test_host_expect_log(host, "");
}
END_TEST

/* SCSI-11, SCSI-26, SCSI-34, SCSI-36, SCSI-41, SCSI-45, SCSI-46, SCSI-48 */
START_TEST(test_map_reports_a_failed_attach_and_unmap_frees_the_slot)
{
	lcowmig_guid id = reserve("a.vhd", 0);
	lcowmig_guid other;

	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "no");
	ck_assert_int_eq(map(&id), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80070005);
	ck_assert_int_eq(disk_of(&id)->object.state, DISK_DETACHED);
	ck_assert(!lcowmig__machine_allows(&lcowmig__disk_machine, DISK_DETACHED, DISK_MOUNT_PARTITION));
	ck_assert(!lcowmig__machine_allows(&lcowmig__disk_machine, DISK_RESERVED, DISK_MOUNT_PARTITION));
	test_host_clear_log(host);
	ck_assert_int_eq(map(&id), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(try_reserve("a.vhd", 0, &other), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, "");
	other = reserve("b.vhd", 0);
	ck_assert_uint_eq(disk_of(&other)->slot, 0);
	ck_assert_int_eq(map(&other), LCOWMIG_OK);
}
END_TEST

/* SCSI-13, SCSI-72, SCSI-73, X-60 */
START_TEST(test_map_reports_a_failed_mount_and_unmap_unwinds_it)
{
	lcowmig_guid id = reserve("a.vhd", 0);
	lcowmig_guid second = reserve("a.vhd", 0);
	lcowmig_guid third;

	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no such device");
	ck_assert_int_eq(map(&id), LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80004005);
	ck_assert_int_eq(mount_of(&id)->object.state, MOUNT_UNMOUNTED);
	ck_assert_int_eq(disk_of(&id)->object.state, DISK_ATTACHED);
	ck_assert_int_eq(map(&id), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(map(&second), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(try_reserve("a.vhd", 0, &third), LCOWMIG_E_FAILED_PRECONDITION); /* SCSI-70 */
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert_int_eq(unmap(&second), LCOWMIG_OK);
	test_host_expect_log(host, GUEST_EJECT("") HCS_REMOVE("0"));
	expect_empty();
}
END_TEST

/* */
START_TEST(test_failed_attach_unwinds_with_several_holders)
{
	lcowmig_guid ids[3];
	int i;

	for (i = 0; i < 3; i++)
		ids[i] = reserve("a.vhd", (uint64_t)(i / 2));
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 1, "no");
	ck_assert_int_eq(map(&ids[0]), LCOWMIG_E_HOST_FAILED);
	test_host_clear_log(host);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(unmap(&ids[i]), LCOWMIG_OK);
	test_host_expect_log(host, "");
	expect_empty();
}
END_TEST

/* SCSI-74, X-60, X-61 */
START_TEST(test_unmap_of_what_was_never_mapped_frees_the_slot)
{
	lcowmig_guid a = reserve("a.vhd", 0);
	lcowmig_guid b = reserve("a.vhd", 0);

	ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	ck_assert_int_eq(mount_of(&b)->object.state, MOUNT_RESERVED);
	ck_assert_int_eq(unmap(&a), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	test_host_expect_log(host, "");
	expect_empty();
}
END_TEST

/* SCSI-14, SCSI-16, SCSI-20, SCSI-30, SCSI-37, SCSI-49, SCSI-50 */
START_TEST(test_unmap_unmounts_ejects_and_detaches_in_this_order)
{
	lcowmig_guid id = reserve("a.vhd", 0);

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, GUEST_REMOVE("\"MountPath\":\"/run/mounts/scsi/0_0_0\"") GUEST_EJECT("") HCS_REMOVE("0"));
	expect_empty();
	id = reserve("a.vhd", 0);
	ck_assert_uint_eq(disk_of(&id)->slot, 0);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	id = reserve("b.vhd", 0);
	ck_assert_uint_eq(disk_of(&id)->slot, 0);
}
END_TEST

/* SCSI-18, SCSI-77 */
START_TEST(test_unmap_reports_a_failed_unmount_and_can_be_repeated)
{
	lcowmig_guid id = reserve("a.vhd", 0);

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "busy");
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80004005);
	ck_assert_int_eq(mount_of(&id)->object.state, MOUNT_MOUNTED);
	ck_assert_uint_eq(mount_of(&id)->wire.ref_count, 1);
	ck_assert_int_eq(map(&id), LCOWMIG_OK); /* still mounted */
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	expect_empty();
}
END_TEST

/* SCSI-39, SCSI-51 */
START_TEST(test_unmap_reports_a_failed_eject_and_does_not_repeat_the_unmount)
{
	lcowmig_guid id = reserve("a.vhd", 0);

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	test_host_fail(host, "guest.rpc", 2, LCOWMIG_E_GUEST_FAILED, 0x80004005, "busy");
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_GUEST_FAILED);
	ck_assert_int_eq(disk_of(&id)->object.state, DISK_ATTACHED);
	ck_assert_int_eq(map(&id), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, GUEST_EJECT("") HCS_REMOVE("0"));
	expect_empty();
}
END_TEST

/* SCSI-17, SCSI-21, SCSI-38 */
START_TEST(test_unmap_reports_a_failed_removal_and_repeats_only_that)
{
	lcowmig_guid id = reserve("a.vhd", 0);
	lcowmig_guid other;

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80370110, "busy");
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80370110);
	ck_assert_int_eq(disk_of(&id)->object.state, DISK_EJECTED);
	ck_assert_int_eq(try_reserve("a.vhd", 0, &other), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, HCS_REMOVE("0"));
	expect_empty();
}
END_TEST

/* SCSI-19, SCSI-40, SCSI-76 */
START_TEST(test_unmap_leaves_what_others_hold)
{
	lcowmig_guid a = reserve("a.vhd", 0);
	lcowmig_guid b = reserve("a.vhd", 0);
	lcowmig_guid c = reserve("a.vhd", 2);

	ck_assert_int_eq(map(&a), LCOWMIG_OK);
	ck_assert_int_eq(map(&b), LCOWMIG_OK);
	ck_assert_int_eq(map(&c), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert_int_eq(mount_of(&b)->object.state, MOUNT_MOUNTED);
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	test_host_expect_log(host, GUEST_REMOVE("\"MountPath\":\"/run/mounts/scsi/0_0_0\""));
	ck_assert_int_eq(disk_of(&c)->object.state, DISK_ATTACHED);
	ck_assert_int_eq(unmap(&c), LCOWMIG_OK);
	test_host_expect_log(host,
			     GUEST_REMOVE("\"MountPath\":\"/run/mounts/scsi/0_0_2\",\"Partition\":2") GUEST_EJECT("") HCS_REMOVE("0"));
	expect_empty();
	a = reserve("a.vhd", 0);
}
END_TEST

/* SCSI-75 */
START_TEST(test_tables_refuse_what_has_no_row)
{
	ck_assert(!lcowmig__machine_allows(&lcowmig__mount_machine, MOUNT_UNMOUNTED, MOUNT_UNMOUNT));
	ck_assert(!lcowmig__machine_allows(&lcowmig__mount_machine, MOUNT_UNMOUNTED, MOUNT_MOUNT));
	ck_assert(!lcowmig__machine_allows(&lcowmig__mount_machine, MOUNT_UNMOUNTED, MOUNT_RESERVE));
	ck_assert(!lcowmig__machine_allows(&lcowmig__disk_machine, DISK_EJECTED, DISK_RESERVE_PARTITION));
	ck_assert(!lcowmig__machine_allows(&lcowmig__disk_machine, DISK_EJECTED, DISK_ATTACH));
}
END_TEST

/* ---- At the same time ---- */

START_TEST(test_maps_of_one_disk_attach_it_once_when_they_run_together)
{
	lcowmig_guid a = reserve("a.vhd", 0);
	lcowmig_guid b = reserve("a.vhd", 0);
	test_done done[2] = { { 0 } };

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_scsi_map(scsi, &a, test_on_done, &done[0], &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_scsi_map(scsi, &b, test_on_done, &done[1], &error), LCOWMIG_PENDING);
	ck_assert_uint_eq(test_host_pending(host, "hcs.modify"), 1);
	ck_assert_uint_eq(lcowmig_scsi_slots(scsi), 128); /* readers do not wait */
	expect_attachments("{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{},\"0110f83b-de10-5172-a266-78bca56bf50a\":{}}");
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[0].calls + done[1].calls, 2);
	ck_assert_int_eq(done[1].status, LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.rpc"), 1);
}
END_TEST

START_TEST(test_cancel_does_not_abandon_a_map_that_has_begun)
{
	lcowmig_guid id = reserve("a.vhd", 0);
	test_done done = { 0 };

	test_host_hold(host, _i ? "guest.rpc" : "hcs.modify", true);
	ck_assert_int_eq(lcowmig_scsi_map(scsi, &id, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 0);
	test_host_complete(host, _i ? "guest.rpc" : "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(mount_of(&id)->object.state, MOUNT_MOUNTED);
	test_host_hold(host, _i ? "guest.rpc" : "hcs.modify", false);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	expect_empty();
}
END_TEST

START_TEST(test_cancel_ends_a_map_that_waits_its_turn)
{
	lcowmig_guid a = reserve("a.vhd", 0);
	lcowmig_guid b = reserve("b.vhd", 0);
	test_done done[2] = { { 0 } };

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_scsi_map(scsi, &a, test_on_done, &done[0], &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_scsi_map(scsi, &b, test_on_done, &done[1], &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done[1]), LCOWMIG_OK);
	ck_assert_int_eq(done[1].status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(disk_of(&b)->object.state, DISK_RESERVED);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[0].status, LCOWMIG_OK);
}
END_TEST

START_TEST(test_unmap_that_waits_its_turn_can_be_cancelled_and_repeated)
{
	lcowmig_guid a = reserve("a.vhd", 0);
	lcowmig_guid b = reserve("b.vhd", 0);
	test_done done[3] = { { 0 } };

	ck_assert_int_eq(map(&b), LCOWMIG_OK);
	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_scsi_map(scsi, &a, test_on_done, &done[0], &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_scsi_unmap(scsi, &b, test_on_done, &done[1], &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_scsi_unmap(scsi, &b, test_on_done, &done[2], &error), LCOWMIG_PENDING);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done[1]), LCOWMIG_OK);
	ck_assert_int_eq(done[1].status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(mount_of(&b)->object.state, MOUNT_MOUNTED);
	test_host_expect_log(host, "");
	test_host_hold(host, "hcs.modify", false);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[0].status, LCOWMIG_OK);
	ck_assert_int_eq(done[2].status, LCOWMIG_OK);
	ck_assert_ptr_null(lcowmig__scsi_disk_in(scsi, 1));
	ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	expect_empty();
}
END_TEST

START_TEST(test_mount_that_is_reserved_while_it_goes_is_mounted_again)
{
	lcowmig_guid a = reserve("a.vhd", 0);
	lcowmig_guid b;
	test_done done = { 0 };

	ck_assert_int_eq(map(&a), LCOWMIG_OK);
	test_host_hold(host, "guest.rpc", true);
	ck_assert_int_eq(lcowmig_scsi_unmap(scsi, &a, test_on_done, &done, &error), LCOWMIG_PENDING);
	b = reserve("a.vhd", 0);
	test_host_hold(host, "guest.rpc", false);
	test_host_clear_log(host);
	test_host_complete(host, "guest.rpc", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(mount_of(&b)->object.state, MOUNT_RESERVED);
	ck_assert_int_eq(disk_of(&b)->object.state, DISK_ATTACHED);
	test_host_expect_log(host, "");
	ck_assert_int_eq(map(&b), LCOWMIG_OK);
	test_host_expect_log(host, GUEST_ADD("\"MountPath\":\"/run/mounts/scsi/0_0_0\""));
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	expect_empty();
}
END_TEST

START_TEST(test_disk_that_is_reserved_while_it_goes_gets_another_slot)
{
	lcowmig_guid a = reserve("a.vhd", 0);
	lcowmig_guid b;
	test_done done = { 0 };

	ck_assert_int_eq(map(&a), LCOWMIG_OK);
	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_scsi_unmap(scsi, &a, test_on_done, &done, &error), LCOWMIG_PENDING);
	b = reserve("a.vhd", 0);
	ck_assert_uint_eq(disk_of(&b)->slot, 1);
	test_host_complete(host, "hcs.modify", _i ? LCOWMIG_E_HOST_FAILED : LCOWMIG_OK, 1, NULL);
	ck_assert_int_eq(done.status, _i ? LCOWMIG_E_HOST_FAILED : LCOWMIG_OK);
	test_host_hold(host, "hcs.modify", false);
	if (_i)
		ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	ck_assert_ptr_null(lcowmig__scsi_disk_in(scsi, 0));
	ck_assert_int_eq(map(&b), LCOWMIG_OK);
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	expect_empty();
}
END_TEST

/* a reservation whose unmap failed does not cling to a slot that others have emptied since. */
START_TEST(test_half_unmapped_reservation_outlives_its_disk)
{
	lcowmig_guid a = reserve("a.vhd", 0);
	lcowmig_guid b, c;

	ck_assert_int_eq(map(&a), LCOWMIG_OK);
	test_host_fail(host, "guest.rpc", 2, LCOWMIG_E_GUEST_FAILED, 1, "busy");
	ck_assert_int_eq(unmap(&a), LCOWMIG_E_GUEST_FAILED);
	b = reserve("a.vhd", 0); /* the disk is still attached */
	ck_assert_int_eq(map(&b), LCOWMIG_OK);
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	ck_assert_ptr_null(lcowmig__scsi_disk_in(scsi, 0));
	c = reserve("c.vhd", 0);
	ck_assert_int_eq(map(&c), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert_int_eq(disk_of(&c)->object.state, DISK_ATTACHED);
	ck_assert_int_eq(unmap(&c), LCOWMIG_OK);
	expect_empty();
}
END_TEST

START_TEST(test_unmap_asks_nobody_when_there_is_no_machine_any_more)
{
	lcowmig_guid id = reserve("a.vhd", 0);

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	host->env.system = NULL;
	host->env.has_guest = false;
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, "");
	expect_empty();
}
END_TEST

/* Running out of memory at any point of map or unmap changes nothing that a repeat does not mend. */
START_TEST(test_map_and_unmap_can_be_repeated_when_memory_was_out_anywhere)
{
	lcowmig_guid id = reserve("a.vhd", 0);
	unsigned nth;

	for (nth = 1; nth < 100; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = map(&id);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
	ck_assert_int_eq(mount_of(&id)->object.state, MOUNT_MOUNTED);
	for (nth = 1; nth < 100; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = unmap(&id);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
	expect_empty();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scsi map");
	TCase *tcase = tcase_create("scsi map");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_map_attaches_and_mounts_once);
	tcase_add_test(tcase, test_map_gives_the_path_to_its_caller);
	tcase_add_test(tcase, test_map_and_unmap_refuse_an_unknown_reservation);
	tcase_add_test(tcase, test_map_reports_a_failed_attach_and_unmap_frees_the_slot);
	tcase_add_test(tcase, test_map_reports_a_failed_mount_and_unmap_unwinds_it);
	tcase_add_test(tcase, test_failed_attach_unwinds_with_several_holders);
	tcase_add_test(tcase, test_unmap_of_what_was_never_mapped_frees_the_slot);
	tcase_add_test(tcase, test_unmap_unmounts_ejects_and_detaches_in_this_order);
	tcase_add_test(tcase, test_unmap_reports_a_failed_unmount_and_can_be_repeated);
	tcase_add_test(tcase, test_unmap_reports_a_failed_eject_and_does_not_repeat_the_unmount);
	tcase_add_test(tcase, test_unmap_reports_a_failed_removal_and_repeats_only_that);
	tcase_add_test(tcase, test_unmap_leaves_what_others_hold);
	tcase_add_test(tcase, test_tables_refuse_what_has_no_row);
	tcase_add_test(tcase, test_maps_of_one_disk_attach_it_once_when_they_run_together);
	tcase_add_loop_test(tcase, test_cancel_does_not_abandon_a_map_that_has_begun, 0, 2);
	tcase_add_test(tcase, test_cancel_ends_a_map_that_waits_its_turn);
	tcase_add_test(tcase, test_unmap_that_waits_its_turn_can_be_cancelled_and_repeated);
	tcase_add_test(tcase, test_mount_that_is_reserved_while_it_goes_is_mounted_again);
	tcase_add_loop_test(tcase, test_disk_that_is_reserved_while_it_goes_gets_another_slot, 0, 2);
	tcase_add_test(tcase, test_half_unmapped_reservation_outlives_its_disk);
	tcase_add_test(tcase, test_unmap_asks_nobody_when_there_is_no_machine_any_more);
	tcase_add_test(tcase, test_map_and_unmap_can_be_repeated_when_memory_was_out_anywhere);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
