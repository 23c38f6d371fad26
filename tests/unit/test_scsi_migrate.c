/* Saving, importing, patching and resuming the SCSI controller (SCSI-52 to SCSI-68, SCSI-79 to SCSI-83). */
#include "scsi_fixture.h"

#include "wire/wire.h"

static uint8_t bytes[65536];
static size_t n_bytes;

static lcowmig_status save(void)
{
	return lcowmig_scsi_save(scsi, bytes, sizeof bytes, &n_bytes, &error);
}

static lcowmig_scsi *import(void)
{
	lcowmig_scsi *imported = NULL;
	lcowmig_status status = lcowmig__scsi_import_alone(&host->env, bytes, n_bytes, &imported, &error);

	ck_assert_msg(status == LCOWMIG_OK, "%s", error.message);
	return imported;
}

/* The controller under test becomes the imported one. */
static void move(void)
{
	lcowmig_scsi *imported;

	ck_assert_msg(save() == LCOWMIG_OK, "%s", error.message);
	imported = import();
	lcowmig__scsi_free(scsi);
	scsi = imported;
	/* Freed by the fixture as if it belonged to a machine. */
	scsi->is_alone = false;
	host->context->dependents--;
}

static void expect_same_when_saved_again(void)
{
	static uint8_t again[sizeof bytes];
	size_t size = 0;

	ck_assert_int_eq(lcowmig_scsi_save(scsi, again, sizeof again, &size, &error), LCOWMIG_OK);
	ck_assert_uint_eq(size, n_bytes);
	ck_assert_mem_eq(again, bytes, size);
}

static void expect_migrating(const lcowmig_guid *id)
{
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_guid unknown = { { 7 } };
	lcowmig_guid other;

	disk.host_path = "new.vhd";
	ck_assert(lcowmig_scsi_is_migrating(scsi));
	ck_assert_int_eq(try_reserve("new.vhd", 0, &other), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "Migrating"));
	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(scsi, 1, 1, &disk, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(map(id), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(map(&unknown), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "Migrating"));
	ck_assert_int_eq(unmap(id), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(unmap(&unknown), LCOWMIG_E_FAILED_PRECONDITION);
}

/* SCSI-52, SCSI-53, SCSI-68, X-42 */
START_TEST(test_frozen_controller_refuses_changes_until_it_is_resumed)
{
	lcowmig_guid id = reserve("a.vhd", 0);

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	if (_i)
		move();
	else
		ck_assert_int_eq(save(), LCOWMIG_OK);
	test_host_clear_log(host);
	expect_migrating(&id);
	ck_assert_int_eq(lcowmig_scsi_resume(scsi, &error), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert(!lcowmig_scsi_is_migrating(scsi));
	reserve("new.vhd", 0);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	/* SCSI-67 asks for a refusal here; X-42 makes every resume repeatable. */
	ck_assert_int_eq(lcowmig_scsi_resume(scsi, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_resume(NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert(!lcowmig_scsi_is_migrating(NULL));
}
END_TEST

/* SCSI-54, SCSI-57, SCSI-63 */
START_TEST(test_imported_disk_takes_a_new_host_path)
{
	lcowmig_guid id = reserve("a.vhd", 0);
	lcowmig_guid unknown = { { 7 } };
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;

	ck_assert_int_eq(lcowmig_scsi_update_disk_host_path(scsi, &id, "b.vhd", &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	move();
	ck_assert_mem_eq(bytes + 2, LCOWMIG__TYPE_URL_SCSI, strlen(LCOWMIG__TYPE_URL_SCSI));
	expect_attachments("{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\",\"Path\":\"a.vhd\"}}},"
	                   "\"0110f83b-de10-5172-a266-78bca56bf50a\":{}}");
	ck_assert_int_eq(lcowmig_scsi_update_disk_host_path(scsi, &unknown, "b.vhd", &error), LCOWMIG_E_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(error.message, "not found"));
	ck_assert_int_eq(lcowmig_scsi_update_disk_host_path(scsi, &id, "a.vhd", &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_update_disk_host_path(scsi, &id, "b.vhd", &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_disk(scsi, 0, &disk, &error), LCOWMIG_OK);
	ck_assert_str_eq(disk.host_path, "b.vhd");
	ck_assert_int_eq(lcowmig_scsi_update_disk_host_path(scsi, &id, "", &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_scsi_update_disk_host_path(scsi, &id, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_scsi_resume(scsi, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_update_disk_host_path(scsi, &id, "c.vhd", &error), LCOWMIG_E_FAILED_PRECONDITION);
	/* The new path is the one that is shared from now on. */
	unknown = reserve("b.vhd", 0);
	ck_assert_ptr_eq(disk_of(&unknown), disk_of(&id));
}
END_TEST

/* SCSI-55 */
START_TEST(test_empty_controller_round_trips)
{
	move();
	expect_attachments("{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{},\"0110f83b-de10-5172-a266-78bca56bf50a\":{}}");
	expect_same_when_saved_again();
	expect_empty();
}
END_TEST

/* SCSI-56 */
START_TEST(test_root_disk_round_trips_and_stays_the_machines_own)
{
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_guid id;

	root("root.vhd", 0, 0);
	ck_assert_int_eq(lcowmig_scsi_disk(scsi, 0, &disk, &error), LCOWMIG_OK);
	move();
	ck_assert_int_eq(lcowmig_scsi_disk(scsi, 0, &disk, &error), LCOWMIG_OK);
	ck_assert_str_eq(disk.host_path, "root.vhd");
	ck_assert_int_eq(lcowmig_scsi_resume(scsi, &error), LCOWMIG_OK);
	id = reserve_config("root.vhd", LCOWMIG_DISK_VIRTUAL, NULL, 1);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	ck_assert_ptr_nonnull(lcowmig__scsi_disk_in(scsi, 0));
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 0);
}
END_TEST

/* SCSI-61, SCSI-64, SCSI-80, SCSI-82, SCSI-83 */
START_TEST(test_imported_mounts_keep_path_count_and_config)
{
	static const char *const options[] = { "ro", "noatime" };
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_mount_config mount = { sizeof mount, 2, options, 2, "ext4", 1, 1, 1, 0 };
	lcowmig_guid a, b, c;

	disk.host_path = "a.vhd";
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &a, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &b, &error), LCOWMIG_OK);
	mount.partition = 3;
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &c, &error), LCOWMIG_OK); /* never mapped */
	ck_assert_int_eq(map(&a), LCOWMIG_OK);
	move();
	expect_same_when_saved_again();
	ck_assert_int_eq(disk_of(&a)->object.state, DISK_ATTACHED);
	ck_assert_int_eq(mount_of(&a)->object.state, MOUNT_MOUNTED);
	ck_assert_str_eq(mount_of(&a)->wire.guest_path, "/run/mounts/scsi/0_0_2");
	ck_assert_int_eq(mount_of(&c)->object.state, MOUNT_RESERVED);
	ck_assert_uint_eq(mount_of(&a)->wire.ref_count, 2);
	ck_assert_int_eq(lcowmig_scsi_resume(scsi, &error), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	test_host_expect_log(host, GUEST_REMOVE("\"MountPath\":\"/run/mounts/scsi/0_0_2\",\"Partition\":2,\"ReadOnly\":true,\"Encrypted\":true,"
	                                        "\"Options\":[\"ro\",\"noatime\"],\"EnsureFilesystem\":true,\"Filesystem\":\"ext4\""));
	ck_assert_int_eq(map(&c), LCOWMIG_OK);
	ck_assert_int_eq(unmap(&c), LCOWMIG_OK);
	expect_empty();
}
END_TEST

/* SCSI-60, X-05: what was only reserved is not attached by moving. */
START_TEST(test_reserved_disk_stays_reserved_when_it_moves)
{
	lcowmig_guid id = reserve("a.vhd", 0);

	move();
	expect_same_when_saved_again();
	ck_assert_int_eq(disk_of(&id)->object.state, DISK_RESERVED);
	expect_attachments("{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{},\"0110f83b-de10-5172-a266-78bca56bf50a\":{}}");
	ck_assert_int_eq(lcowmig_scsi_resume(scsi, &error), LCOWMIG_OK);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 1);
}
END_TEST

/* ---- Saving ---- */

/* SCSI-59, SCSI-65 */
START_TEST(test_save_refuses_a_disk_whose_attach_failed)
{
	lcowmig_guid id = reserve("a.vhd", 0);

	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 1, "no");
	ck_assert_int_eq(map(&id), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(save(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "a.vhd is Detached"));
	ck_assert(!lcowmig_scsi_is_migrating(scsi));
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	ck_assert_int_eq(save(), LCOWMIG_OK); /* nothing is left that blocks it */
}
END_TEST

/* SCSI-79 */
START_TEST(test_save_refuses_a_mount_that_failed)
{
	lcowmig_guid id = reserve("a.vhd", 0);

	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 1, "no");
	ck_assert_int_eq(map(&id), LCOWMIG_E_GUEST_FAILED);
	ck_assert_int_eq(save(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert(!lcowmig_scsi_is_migrating(scsi));
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	ck_assert_int_eq(save(), LCOWMIG_OK);
}
END_TEST

START_TEST(test_save_refuses_what_is_half_unmapped)
{
	lcowmig_guid id = reserve("a.vhd", 0);
	lcowmig_guid other = reserve("a.vhd", 1);

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	/* Attached, but with reserved mounts only: the payload could not say so. */
	ck_assert_int_eq(save(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "Attached"));
	ck_assert_int_eq(map(&other), LCOWMIG_OK);
	test_host_fail(host, "guest.rpc", 2, LCOWMIG_E_GUEST_FAILED, 1, "busy");
	ck_assert_int_eq(unmap(&other), LCOWMIG_E_GUEST_FAILED);
	id = reserve("a.vhd", 0);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	ck_assert_int_eq(save(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "half unmapped"));
	ck_assert_int_eq(unmap(&other), LCOWMIG_OK);
	ck_assert_int_eq(save(), LCOWMIG_OK);
}
END_TEST

/* */
START_TEST(test_save_refuses_while_a_map_is_in_flight)
{
	lcowmig_guid id = reserve("a.vhd", 0);
	test_done done = { 0 };

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_scsi_map(scsi, &id, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(save(), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "mapping a disk"));
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(save(), LCOWMIG_OK);
}
END_TEST

/* SCSI-66, X-02 */
START_TEST(test_save_gives_the_size_first_and_the_same_bytes_again)
{
	lcowmig_guid id = reserve("a.vhd", 0);
	size_t size = 0;

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_save(scsi, NULL, 0, &size, &error), LCOWMIG_OK);
	ck_assert_uint_gt(size, 0);
	ck_assert(!lcowmig_scsi_is_migrating(scsi));
	ck_assert_int_eq(lcowmig_scsi_save(scsi, bytes, size - 1, &size, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert(!lcowmig_scsi_is_migrating(scsi));
	ck_assert_int_eq(lcowmig_scsi_save(scsi, bytes, size, &n_bytes, &error), LCOWMIG_OK);
	ck_assert_uint_eq(n_bytes, size);
	expect_same_when_saved_again();
	ck_assert_int_eq(lcowmig_scsi_save(scsi, NULL, 0, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

START_TEST(test_save_and_import_change_nothing_when_memory_is_out)
{
	static const char *const options[] = { "ro" };
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_mount_config mount = LCOWMIG_MOUNT_CONFIG_INIT;
	lcowmig_scsi *imported = NULL;
	lcowmig_status status;
	lcowmig_guid id;
	unsigned nth;

	disk.host_path = "a.vhd";
	mount.options = options;
	mount.n_options = 1;
	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_OK);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	for (nth = 1;; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = save();
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		ck_assert(!lcowmig_scsi_is_migrating(scsi));
	}
	for (nth = 1;; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = lcowmig__scsi_import_alone(&host->env, bytes, n_bytes, &imported, &error);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		ck_assert_ptr_null(imported);
	}
	ck_assert_int_eq(lcowmig_context_free(host->context), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_scsi_free(imported, &error), LCOWMIG_OK);
}
END_TEST

/* ---- Importing ---- */

static lcowmig_status import_wire(const lcowmig__wire_scsi *wire)
{
	lcowmig_scsi *imported = NULL;
	lcowmig_status status = lcowmig__scsi_import(&host->env, wire, &imported, &error);

	lcowmig__scsi_free(scsi);
	scsi = imported;
	return status;
}

/* SCSI-57: a reservation of an empty slot */
START_TEST(test_import_accepts_a_reservation_without_a_disk)
{
	lcowmig__wire_reservation reservation = { { { 1, 2, 3 } }, 5, 1 };
	lcowmig__wire_scsi wire = { .num_controllers = 2, .reservations = &reservation, .n_reservations = 1 };

	ck_assert_int_eq(import_wire(&wire), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_scsi_update_disk_host_path(scsi, &reservation.id, "b.vhd", &error), LCOWMIG_E_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(error.message, "disk for reservation"));
	ck_assert_int_eq(save(), LCOWMIG_OK);
	move();
	expect_same_when_saved_again();
	ck_assert_int_eq(lcowmig_scsi_resume(scsi, &error), LCOWMIG_OK);
	ck_assert_int_eq(map(&reservation.id), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(unmap(&reservation.id), LCOWMIG_OK);
	expect_empty();
}
END_TEST

/* SCSI-62, SCSI-81 */
START_TEST(test_import_tolerates_disks_and_mounts_without_config)
{
	lcowmig__wire_mount mount = { .partition = 0, .guest_path = "/run/mounts/scsi/0_0_0" };
	lcowmig__wire_disk disks[2] = { { .slot = 0, .mounts = &mount, .n_mounts = 1 }, { .slot = 1 } };
	lcowmig__wire_scsi wire = { .num_controllers = 1, .disks = disks, .n_disks = 2 };

	ck_assert_int_eq(import_wire(&wire), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__scsi_disk_in(scsi, 0)->object.state, DISK_ATTACHED);
	ck_assert_str_eq(lcowmig__scsi_disk_in(scsi, 0)->host_path, "");
	ck_assert_int_eq(lcowmig__scsi_disk_in(scsi, 1)->object.state, DISK_ATTACHED);
	ck_assert_int_eq(lcowmig__disk_find_mount(lcowmig__scsi_disk_in(scsi, 0), 0)->object.state, MOUNT_MOUNTED);
	ck_assert_str_eq(lcowmig__disk_find_mount(lcowmig__scsi_disk_in(scsi, 0), 0)->wire.guest_path, "/run/mounts/scsi/0_0_0");
	ck_assert_int_eq(save(), LCOWMIG_OK);
}
END_TEST

/* SCSI-58 */
START_TEST(test_import_refuses_bad_envelopes)
{
	lcowmig_scsi *imported = NULL;
	lcowmig__wire_network network = { .namespace_id = "ns" };
	lcowmig__buf buf;

	ck_assert_int_eq(lcowmig__scsi_import_alone(&host->env, NULL, 0, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__scsi_import_alone(&host->env, (const uint8_t *)"\xff\xff\xff", 3, &imported, &error),
	                 LCOWMIG_E_CORRUPT_DATA);
	lcowmig__buf_init(&buf, &host->context->mem);
	ck_assert_int_eq(lcowmig__wire_encode_network(&buf, &network, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__scsi_import_alone(&host->env, (const uint8_t *)buf.data, buf.size, &imported, &error),
	                 LCOWMIG_E_INVALID_ARGUMENT);
	lcowmig__buf_done(&buf);
	ck_assert_int_eq(save(), LCOWMIG_OK);
	bytes[2 + strlen(LCOWMIG__TYPE_URL_SCSI) + 3] = 2; /* behind the tags of value and schema_version */
	ck_assert_int_eq(lcowmig__scsi_import_alone(&host->env, bytes, n_bytes, &imported, &error), LCOWMIG_E_UNSUPPORTED_VERSION);
	ck_assert_ptr_null(imported);
	ck_assert_int_eq(lcowmig_scsi_import(NULL, bytes, 1, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* SCSI-58, X-11 */
START_TEST(test_import_refuses_values_that_cannot_be)
{
	lcowmig__wire_reservation reservations[2] = { { { { 1 } }, 0, 0 }, { { { 1 } }, 0, 0 } };
	lcowmig__wire_disk disks[2] = { { .slot = 64, .host_path = "a" }, { .slot = 1, .host_path = "a" } };
	lcowmig__wire_scsi wire = { .num_controllers = 1, .disks = disks, .n_disks = 1 };

	ck_assert_int_eq(import_wire(&wire), LCOWMIG_E_INVALID_ARGUMENT);
	disks[0].slot = 0;
	wire.n_disks = 2;
	ck_assert_int_eq(import_wire(&wire), LCOWMIG_E_INVALID_ARGUMENT); /* one path, two disks */
	wire.n_disks = 1;
	disks[0].type = "Floppy";
	ck_assert_int_eq(import_wire(&wire), LCOWMIG_E_INVALID_ARGUMENT);
	wire.n_disks = 0;
	wire.reservations = reservations;
	wire.n_reservations = 2;
	ck_assert_int_eq(import_wire(&wire), LCOWMIG_E_INVALID_ARGUMENT); /* one id twice */
	reservations[0].slot = 64;
	ck_assert_int_eq(import_wire(&wire), LCOWMIG_E_INVALID_ARGUMENT);
	wire.num_controllers = 5;
	ck_assert_int_eq(import_wire(&wire), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(scsi);
}
END_TEST

/* ---- Patching ---- */

static void move_two(lcowmig_guid ids[2])
{
	ids[0] = reserve("a.vhd", 0);
	ids[1] = reserve_config("b.vhd", LCOWMIG_DISK_VIRTUAL, NULL, 1);
	ck_assert_int_eq(map(&ids[0]), LCOWMIG_OK);
	ck_assert_int_eq(map(&ids[1]), LCOWMIG_OK);
	move();
}

/* */
START_TEST(test_repoint_is_all_or_nothing)
{
	lcowmig_guid ids[2];
	lcowmig__repoint items[3];

	move_two(ids);
	memset(items, 0, sizeof items);
	items[0].reservation = &ids[0];
	items[0].host_path = "b.vhd"; /* they take each other's path */
	items[1].reservation = &ids[1];
	items[1].host_path = "a.vhd";
	items[2].slot = 9;
	items[2].host_path = "c.vhd";
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 3, &error), LCOWMIG_E_NOT_FOUND);
	items[2].slot = 999;
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 3, &error), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 1, &error), LCOWMIG_E_ALREADY_EXISTS); /* b.vhd stays where it is */
	items[2].slot = 0;
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 3, &error), LCOWMIG_E_ALREADY_EXISTS); /* two paths for one disk */
	ck_assert_str_eq(disk_of(&ids[0])->host_path, "a.vhd");
	ck_assert_str_eq(disk_of(&ids[1])->host_path, "b.vhd");
	ck_assert_ptr_eq(lcowmig__scsi_find_path(scsi, "a.vhd"), disk_of(&ids[0]));
	ck_assert_ptr_eq(lcowmig__scsi_find_path(scsi, "b.vhd"), disk_of(&ids[1]));
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 0, &error), LCOWMIG_OK);
}
END_TEST

static void name_disk(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	snprintf((char *)user + strlen(user), 32, "%u:%s ", slot, disk->host_path);
}

/* */
START_TEST(test_unpatched_disks_are_those_nobody_named)
{
	char names[128] = "";
	lcowmig_guid ids[2];
	lcowmig__repoint items[2];

	root("root.vhd", 1, 0);
	move_two(ids);
	memset(items, 0, sizeof items);
	lcowmig__scsi_each_unpatched(scsi, name_disk, names);
	ck_assert_str_eq(names, "0:a.vhd 1:b.vhd 64:root.vhd ");
	items[0].reservation = &ids[0];
	items[0].host_path = "b.vhd";
	items[1].reservation = &ids[1];
	items[1].host_path = "a.vhd";
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 2, &error), LCOWMIG_OK);
	ck_assert_ptr_eq(lcowmig__scsi_find_path(scsi, "a.vhd"), disk_of(&ids[1]));
	ck_assert_ptr_eq(lcowmig__scsi_find_path(scsi, "b.vhd"), disk_of(&ids[0]));
	items[0] = (lcowmig__repoint){ .slot = 64, .host_path = "root.vhd" }; /* the same path, said to be right here */
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, items, 1, &error), LCOWMIG_OK);
	names[0] = '\0';
	lcowmig__scsi_each_unpatched(scsi, name_disk, names);
	ck_assert_str_eq(names, "");
	lcowmig__scsi_each_disk(scsi, name_disk, names);
	ck_assert_str_eq(names, "0:b.vhd 1:a.vhd 64:root.vhd ");
	ck_assert_uint_eq(lcowmig__scsi_controllers(scsi), 2);
	ck_assert(lcowmig__scsi_find(scsi, &ids[0]) != NULL);
}
END_TEST

/* */
START_TEST(test_repoint_checks_partition_and_read_only)
{
	lcowmig_guid ids[2];
	lcowmig__repoint item = { .host_path = "c.vhd", .check = true, .read_only = true, .partition = 0 };

	move_two(ids);
	item.reservation = &ids[0];
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, &item, 1, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "writable"));
	item.reservation = &ids[1];
	item.partition = 1;
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, &item, 1, &error), LCOWMIG_E_INVALID_ARGUMENT);
	item.partition = 0;
	ck_assert_int_eq(lcowmig__scsi_repoint(scsi, &item, 1, &error), LCOWMIG_OK);
	ck_assert_str_eq(disk_of(&ids[1])->host_path, "c.vhd");
}
END_TEST

START_TEST(test_repoint_changes_nothing_when_memory_is_out)
{
	lcowmig_guid ids[2];
	lcowmig__repoint items[2];
	lcowmig_status status;
	unsigned nth;

	move_two(ids);
	memset(items, 0, sizeof items);
	items[0].reservation = &ids[0];
	items[0].host_path = "c.vhd";
	items[1].reservation = &ids[1];
	items[1].host_path = "d.vhd";
	for (nth = 1;; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = lcowmig__scsi_repoint(scsi, items, 2, &error);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		ck_assert_str_eq(disk_of(&ids[0])->host_path, "a.vhd");
	}
	ck_assert_uint_eq(nth, 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scsi migration");
	TCase *tcase = tcase_create("migration");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_frozen_controller_refuses_changes_until_it_is_resumed, 0, 2);
	tcase_add_test(tcase, test_imported_disk_takes_a_new_host_path);
	tcase_add_test(tcase, test_empty_controller_round_trips);
	tcase_add_test(tcase, test_root_disk_round_trips_and_stays_the_machines_own);
	tcase_add_test(tcase, test_imported_mounts_keep_path_count_and_config);
	tcase_add_test(tcase, test_reserved_disk_stays_reserved_when_it_moves);
	tcase_add_test(tcase, test_save_refuses_a_disk_whose_attach_failed);
	tcase_add_test(tcase, test_save_refuses_a_mount_that_failed);
	tcase_add_test(tcase, test_save_refuses_what_is_half_unmapped);
	tcase_add_test(tcase, test_save_refuses_while_a_map_is_in_flight);
	tcase_add_test(tcase, test_save_gives_the_size_first_and_the_same_bytes_again);
	tcase_add_test(tcase, test_save_and_import_change_nothing_when_memory_is_out);
	tcase_add_test(tcase, test_import_accepts_a_reservation_without_a_disk);
	tcase_add_test(tcase, test_import_tolerates_disks_and_mounts_without_config);
	tcase_add_test(tcase, test_import_refuses_bad_envelopes);
	tcase_add_test(tcase, test_import_refuses_values_that_cannot_be);
	tcase_add_test(tcase, test_repoint_is_all_or_nothing);
	tcase_add_test(tcase, test_unpatched_disks_are_those_nobody_named);
	tcase_add_test(tcase, test_repoint_checks_partition_and_read_only);
	tcase_add_test(tcase, test_repoint_changes_nothing_when_memory_is_out);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
