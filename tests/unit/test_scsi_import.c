/* Imported SCSI controllers whose envelopes say odd things, and repointing their disks to the last corner. */
#include "scsi_fixture.h"

#include "wire/wire.h"

/* The controller under test becomes what the wire struct says. */
static lcowmig_status import(const lcowmig__wire_scsi *wire)
{
	lcowmig_scsi *imported = NULL;
	lcowmig_status status = lcowmig__scsi_import(&host->env, wire, &imported, &error);

	lcowmig__scsi_free(scsi);
	scsi = imported;
	return status;
}

static void resume(void)
{
	ck_assert_int_eq(lcowmig_scsi_resume(scsi, &error), LCOWMIG_OK);
}

static lcowmig_guid id_of(uint8_t number)
{
	return (lcowmig_guid){ { number } };
}

/* ---- Importing ---- */

START_TEST(test_import_refuses_two_disks_in_one_slot)
{
	lcowmig__wire_disk disks[2] = { { .slot = 3, .host_path = "a" }, { .slot = 3, .host_path = "b" } };
	lcowmig__wire_scsi wire = { .num_controllers = 1, .disks = disks, .n_disks = 2 };

	ck_assert_int_eq(import(&wire), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, "scsi.disks[3]: the slot does not exist or is there twice");
	ck_assert_ptr_null(scsi);
}
END_TEST

/* A mount that nobody holds by its count, and a disk without a path, unwind like any other; the failure leaves the path unindexed. */
START_TEST(test_imported_disk_without_path_and_count_unmaps_after_a_failure)
{
	lcowmig__wire_mount mount = { .partition = 2, .guest_path = "/run/mounts/scsi/0_0_2" };
	lcowmig__wire_disk disk = { .slot = 0, .mounts = &mount, .n_mounts = 1 };
	lcowmig__wire_reservation reservation = { { { 1 } }, 0, 2 };
	lcowmig__wire_scsi wire = { .num_controllers = 2, .disks = &disk, .n_disks = 1, .reservations = &reservation, .n_reservations = 1 };

	ck_assert_int_eq(import(&wire), LCOWMIG_OK);
	resume();
	ck_assert_uint_eq(mount_of(&reservation.id)->wire.ref_count, 0);
	test_host_fail(host, "guest.rpc", 2, LCOWMIG_E_GUEST_FAILED, 1, "busy");
	ck_assert_int_eq(unmap(&reservation.id), LCOWMIG_E_GUEST_FAILED);
	ck_assert_ptr_nonnull(strstr(error.message, "(Attached): removing it from the guest"));
	test_host_expect_log(host, GUEST_REMOVE("\"MountPath\":\"/run/mounts/scsi/0_0_2\",\"Partition\":2") GUEST_EJECT(""));
	ck_assert_int_eq(disk_of(&reservation.id)->object.state, DISK_ATTACHED);
	ck_assert_uint_eq(scsi->paths.count, 0);
	ck_assert_int_eq(unmap(&reservation.id), LCOWMIG_OK);
	test_host_expect_log(host, GUEST_EJECT("") HCS_REMOVE("0"));
	expect_empty();
}
END_TEST

/* A reservation of a partition that the disk has no mount for holds the disk, and nothing else. */
START_TEST(test_imported_reservation_without_a_mount_can_only_be_unmapped)
{
	lcowmig__wire_disk disk = { .slot = 0, .host_path = "a.vhd", .type = "VirtualDisk" };
	lcowmig__wire_reservation reservation = { { { 1 } }, 0, 7 };
	lcowmig__wire_scsi wire = { .num_controllers = 2, .disks = &disk, .n_disks = 1, .reservations = &reservation, .n_reservations = 1 };

	ck_assert_int_eq(import(&wire), LCOWMIG_OK);
	resume();
	ck_assert_int_eq(map(&reservation.id), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "has no disk or no mount; it can only be unmapped"));
	ck_assert_int_eq(lcowmig_scsi_guest_path(scsi, &reservation.id, NULL, 0, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(unmap(&reservation.id), LCOWMIG_OK);
	test_host_expect_log(host, GUEST_EJECT("") HCS_REMOVE("0"));
	expect_empty();
}
END_TEST

static void count_disk(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	(void)slot;
	(void)disk;
	++*(unsigned *)user;
}

/* The source never attached it, so over here there is no path to be wrong. */
START_TEST(test_reserved_disk_is_not_asked_to_be_patched)
{
	lcowmig__wire_mount mount = { .ref_count = 1, .guest_path = "" };
	lcowmig__wire_disk disk = { .slot = 0, .host_path = "a.vhd", .type = "VirtualDisk", .mounts = &mount, .n_mounts = 1 };
	lcowmig__wire_reservation reservation = { { { 1 } }, 0, 0 };
	lcowmig__wire_scsi wire = { .num_controllers = 1, .disks = &disk, .n_disks = 1, .reservations = &reservation, .n_reservations = 1 };
	unsigned count = 0;

	ck_assert_int_eq(import(&wire), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__scsi_disk_in(scsi, 0)->object.state, DISK_RESERVED);
	lcowmig__scsi_each_unpatched(scsi, count_disk, &count);
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(test_controller_imported_alone_is_not_freed_under_a_map)
{
	static uint8_t bytes[4096];
	lcowmig_guid id = reserve("a.vhd", 0);
	lcowmig_scsi *alone = NULL;
	test_done done = { 0 };
	size_t size = 0;

	ck_assert_int_eq(lcowmig_scsi_save(scsi, bytes, sizeof bytes, &size, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__scsi_import_alone(&host->env, bytes, size, &alone, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_resume(alone, &error), LCOWMIG_OK);
	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_scsi_map(alone, &id, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_scsi_free(alone, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "mapping a disk in flight"));
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_free(alone, &error), LCOWMIG_OK);
}
END_TEST

/* ---- Saving ---- */

/* One partition is mapped, so the disk would do; the other one's mount failed and is still held. */
START_TEST(test_save_refuses_a_failed_mount_beside_a_mapped_one)
{
	static uint8_t bytes[4096];
	lcowmig_guid good = reserve("a.vhd", 1);
	lcowmig_guid bad = reserve("a.vhd", 2);
	size_t size = 0;

	ck_assert_int_eq(map(&good), LCOWMIG_OK);
	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 1, "no");
	ck_assert_int_eq(map(&bad), LCOWMIG_E_GUEST_FAILED);
	ck_assert_int_eq(lcowmig_scsi_save(scsi, bytes, sizeof bytes, &size, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_str_eq(error.message, "SCSI mount /run/mounts/scsi/0_0_2 is Unmounted; saving needs Reserved, Mounted");
	ck_assert(!lcowmig_scsi_is_migrating(scsi));
	ck_assert_int_eq(unmap(&bad), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_save(scsi, bytes, sizeof bytes, &size, &error), LCOWMIG_OK);
}
END_TEST

START_TEST(test_save_refuses_an_attached_disk_with_reserved_mounts_only)
{
	lcowmig_guid id = reserve("a.vhd", 1);
	size_t size = 0;

	reserve("a.vhd", 2);
	reserve("a.vhd", 3);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_save(scsi, NULL, 0, &size, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "a.vhd is Attached with none of its reservations mapped"));
}
END_TEST

/* Attached and with nothing on it any more: its unmap failed in the guest. */
START_TEST(test_save_refuses_an_attached_disk_without_mounts)
{
	lcowmig_guid id = reserve("a.vhd", 0);
	size_t size = 0;

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	test_host_fail(host, "guest.rpc", 2, LCOWMIG_E_GUEST_FAILED, 1, "busy");
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_GUEST_FAILED);
	ck_assert_int_eq(lcowmig_scsi_save(scsi, NULL, 0, &size, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "a.vhd is Attached with none of its reservations mapped"));
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_save(scsi, NULL, 0, &size, &error), LCOWMIG_OK);
}
END_TEST

#define MANY 200

/* So many mounts and options that each kind of list needs memory of its own. */
START_TEST(test_capture_of_many_mounts_fails_cleanly_when_memory_is_out)
{
	static const char *const options[20] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
		                                 "k", "l", "m", "n", "o", "p", "q", "r", "s", "t" };
	lcowmig_disk_config disk = { sizeof disk, "a.vhd", NULL, LCOWMIG_DISK_VIRTUAL, 0 };
	lcowmig_mount_config mount = { sizeof mount, 0, options, 20, NULL, 0, 0, 0, 0 };
	lcowmig__wire_scsi wire = { 0 };
	lcowmig__arena arena;
	lcowmig_status status;
	lcowmig_guid id;
	unsigned nth;

	for (; mount.partition < MANY; mount.partition++)
		ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_OK);
	for (nth = 1;; nth++) {
		lcowmig__arena_init(&arena, &host->context->mem, 0);
		test_host_fail_allocation(host, nth, false);
		status = lcowmig__scsi_capture(scsi, &arena, &wire, &error);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		ck_assert_ptr_null(wire.disks);
		lcowmig__arena_done(&arena);
	}
	ck_assert_uint_gt(nth, 3);
	ck_assert_uint_eq(wire.n_disks, 1);
	ck_assert_uint_eq(wire.disks[0].n_mounts, MANY);
	ck_assert_str_eq(wire.disks[0].mounts[MANY - 1].options[19], "t");
	lcowmig__arena_done(&arena);
}
END_TEST

/* ---- Repointing ---- */

/* a.vhd in 0 (two reservations), one without a path in 1, root.vhd in 2 */
static void import_three(void)
{
	lcowmig__wire_mount mount = { .ref_count = 2, .guest_path = "/m" };
	lcowmig__wire_disk disks[3] = { { .slot = 0, .host_path = "a.vhd", .type = "VirtualDisk", .mounts = &mount, .n_mounts = 1 },
		                        { .slot = 1 },
		                        { .slot = 2, .host_path = "root.vhd", .type = "VirtualDisk", .read_only = true } };
	lcowmig__wire_reservation reservations[3] = { { { { 1 } }, 0, 0 }, { { { 2 } }, 0, 0 }, { { { 3 } }, 9, 0 } };
	lcowmig__wire_scsi wire = { .num_controllers = 1, .disks = disks, .n_disks = 3, .reservations = reservations, .n_reservations = 3 };

	ck_assert_int_eq(import(&wire), LCOWMIG_OK);
}

START_TEST(test_repoint_takes_the_same_word_twice)
{
	lcowmig_guid ids[2] = { id_of(1), id_of(2) };
	lcowmig__repoint items[2] = { { .reservation = &ids[0], .host_path = "b.vhd" }, { .reservation = &ids[1], .host_path = "b.vhd" } };

	import_three();
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 2, &error), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig__scsi_disk_in(scsi, 0)->host_path, "b.vhd");
	ck_assert_str_eq(lcowmig__scsi_imported_path(scsi, &ids[1]), "a.vhd");
	ck_assert_ptr_eq(lcowmig__scsi_find_path(scsi, "b.vhd"), lcowmig__scsi_disk_in(scsi, 0));
}
END_TEST

/* The last item cannot be; the disk that had no path is without one again, and the one named twice is back where it was. */
START_TEST(test_repoint_undoes_a_disk_without_path_and_one_named_twice)
{
	lcowmig_guid ids[2] = { id_of(1), id_of(2) };
	lcowmig__repoint items[4] = { { .reservation = &ids[0], .host_path = "b.vhd" },
		                      { .reservation = &ids[1], .host_path = "b.vhd" },
		                      { .slot = 1, .host_path = "c.vhd" },
		                      { .slot = 1, .host_path = "root.vhd" } };
	uint32_t slot = 99;

	import_three();
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 4, &error), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_ptr_nonnull(strstr(error.message, "the new path root.vhd is another disk's, or the disk was given two"));
	ck_assert_str_eq(lcowmig__scsi_disk_in(scsi, 0)->host_path, "a.vhd");
	ck_assert_str_eq(lcowmig__scsi_disk_in(scsi, 1)->host_path, "");
	ck_assert_uint_eq(scsi->paths.count, 2);
	ck_assert_ptr_eq(lcowmig__scsi_find_path(scsi, "a.vhd"), lcowmig__scsi_disk_in(scsi, 0));
	ck_assert(lcowmig__scsi_find_imported(scsi, "a.vhd", &slot));
	ck_assert_uint_eq(slot, 0);
	items[3].host_path = "c.vhd";
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 4, &error), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig__scsi_disk_in(scsi, 1)->host_path, "c.vhd");
}
END_TEST

START_TEST(test_repoint_refuses_paths_that_are_none_and_says_what_the_disk_is)
{
	lcowmig_guid id = id_of(1);
	lcowmig__repoint item = { .reservation = &id, .host_path = "" };
	lcowmig__repoint root_item = { .slot = 2, .host_path = "b.vhd", .check = true, .read_only = false };

	import_three();
	host->context->limits.path_bytes = 8;
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, &item, 1, &error), LCOWMIG_E_INVALID_ARGUMENT);
	item.host_path = "123456789";
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, &item, 1, &error), LCOWMIG_E_INVALID_ARGUMENT);
	item.host_path = "\xff.vhd";
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, &item, 1, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, "SCSI disk a.vhd: the new path is empty, too long or not UTF-8");
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, &root_item, 1, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, "SCSI disk root.vhd is read-only, expected writable");
	ck_assert(lcowmig__scsi_disk_in(scsi, 0)->is_unpatched && lcowmig__scsi_disk_in(scsi, 2)->is_unpatched);
}
END_TEST

/* What a later refusal takes back was never patched: it is still missing, and still found by its old name. */
START_TEST(test_repoint_that_is_not_kept_leaves_every_disk_unpatched)
{
	lcowmig_guid ids[2] = { id_of(1), id_of(2) };
	lcowmig__repoint items[3] = { { .reservation = &ids[0], .host_path = "b.vhd" },
		                      { .reservation = &ids[1], .host_path = "b.vhd" },
		                      { .slot = 2, .host_path = "c.vhd" } };
	lcowmig__repoint root_stays = { .slot = 2, .host_path = "root.vhd" };
	lcowmig__repoint_change *change = NULL;
	unsigned count = 0;

	import_three();
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, &root_stays, 1, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__scsi_repoint_begin(scsi, items, 3, &change, &error), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig__scsi_disk_in(scsi, 0)->host_path, "b.vhd");
	test_host_fail_allocation(host, 1, true);
	lcowmig__scsi_repoint_end(scsi, change, false);
	test_host_fail_allocation(host, 0, false);
	ck_assert_str_eq(lcowmig__scsi_disk_in(scsi, 0)->host_path, "a.vhd");
	ck_assert_str_eq(lcowmig__scsi_disk_in(scsi, 2)->host_path, "root.vhd");
	ck_assert_ptr_eq(lcowmig__scsi_find_path(scsi, "a.vhd"), lcowmig__scsi_disk_in(scsi, 0));
	ck_assert_ptr_null(lcowmig__scsi_find_path(scsi, "b.vhd"));
	lcowmig__scsi_each_unpatched(scsi, count_disk, &count);
	ck_assert_uint_eq(count, 2); /* a.vhd and the one without a path; root.vhd was said to be right */
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 3, &error), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig__scsi_imported_path(scsi, &ids[0]), "a.vhd");
}
END_TEST

START_TEST(test_disk_is_found_by_what_the_source_called_it)
{
	lcowmig_guid known = id_of(1);
	lcowmig_guid empty = id_of(3);
	lcowmig_guid unknown = id_of(4);
	lcowmig__repoint items[2] = { { .slot = 0, .host_path = "root.vhd" }, { .slot = 2, .host_path = "b.vhd" } };
	uint32_t slot = 99;

	import_three();
	ck_assert_str_eq(lcowmig__scsi_imported_path(scsi, &known), "a.vhd");
	ck_assert_ptr_null(lcowmig__scsi_imported_path(scsi, &empty));
	ck_assert_ptr_null(lcowmig__scsi_imported_path(scsi, &unknown));
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 2, &error), LCOWMIG_OK);
	/* "root.vhd" is now the path of another disk over here; asked for is the source's. */
	ck_assert(lcowmig__scsi_find_imported(scsi, "root.vhd", &slot));
	ck_assert_uint_eq(slot, 2);
	ck_assert(lcowmig__scsi_find_imported(scsi, "a.vhd", &slot));
	ck_assert_uint_eq(slot, 0);
	ck_assert(!lcowmig__scsi_find_imported(scsi, "b.vhd", &slot));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scsi import");
	TCase *tcase = tcase_create("import");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_import_refuses_two_disks_in_one_slot);
	tcase_add_test(tcase, test_imported_disk_without_path_and_count_unmaps_after_a_failure);
	tcase_add_test(tcase, test_imported_reservation_without_a_mount_can_only_be_unmapped);
	tcase_add_test(tcase, test_reserved_disk_is_not_asked_to_be_patched);
	tcase_add_test(tcase, test_controller_imported_alone_is_not_freed_under_a_map);
	tcase_add_test(tcase, test_save_refuses_a_failed_mount_beside_a_mapped_one);
	tcase_add_test(tcase, test_save_refuses_an_attached_disk_with_reserved_mounts_only);
	tcase_add_test(tcase, test_save_refuses_an_attached_disk_without_mounts);
	tcase_add_test(tcase, test_capture_of_many_mounts_fails_cleanly_when_memory_is_out);
	tcase_add_test(tcase, test_repoint_takes_the_same_word_twice);
	tcase_add_test(tcase, test_repoint_undoes_a_disk_without_path_and_one_named_twice);
	tcase_add_test(tcase, test_repoint_refuses_paths_that_are_none_and_says_what_the_disk_is);
	tcase_add_test(tcase, test_repoint_that_is_not_kept_leaves_every_disk_unpatched);
	tcase_add_test(tcase, test_disk_is_found_by_what_the_source_called_it);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
