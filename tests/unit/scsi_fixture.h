/* What test_scsi.c and test_scsi_migrate.c share: a controller with 128 slots on a scripted host. */
#ifndef TEST_SCSI_FIXTURE_H
#define TEST_SCSI_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "host.h"
#include "scsi/scsi_private.h"

#define CONTROLLER_0 "df6d0690-79e5-55b6-a5ec-c1e2f77f580a"
#define SCSI_PATH(lun) "VirtualMachine/Devices/Scsi/" CONTROLLER_0 "/Attachments/" lun
#define HCS_ADD(lun, settings) "hcs.modify {\"ResourcePath\":\"" SCSI_PATH(lun) "\",\"RequestType\":\"Add\",\"Settings\":" settings "}\n"
#define HCS_REMOVE(lun) "hcs.modify {\"ResourcePath\":\"" SCSI_PATH(lun) "\",\"RequestType\":\"Remove\"}\n"
#define GUEST_MODIFY(type, resource, settings)                                                                                             \
	"guest.rpc 0x10100a01 {\"ContainerId\":\"00000000-0000-0000-0000-000000000000\","                                                  \
	"\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"Request\":{\"RequestType\":\"" type "\","                               \
	"\"ResourceType\":\"" resource "\",\"Settings\":{" settings "}}}\n"
#define GUEST_ADD(settings) GUEST_MODIFY("Add", "MappedVirtualDisk", settings)
#define GUEST_REMOVE(settings) GUEST_MODIFY("Remove", "MappedVirtualDisk", settings)
#define GUEST_EJECT(settings) GUEST_MODIFY("Remove", "SCSIDevice", settings)

static test_host *host;
static lcowmig_scsi *scsi;
static lcowmig_error error = LCOWMIG_ERROR_INIT;

static inline void setup(void)
{
	host = test_host_new();
	ck_assert_int_eq(lcowmig__scsi_new(&host->env, 2, &scsi, &error), LCOWMIG_OK);
}

static inline void teardown(void)
{
	lcowmig__scsi_free(scsi);
	test_host_free(host);
}

static inline lcowmig_guid reserve_config(const char *path, uint32_t type, const char *evd_type, uint32_t read_only)
{
	lcowmig_disk_config disk = { sizeof disk, path, evd_type, type, read_only };
	lcowmig_mount_config mount = LCOWMIG_MOUNT_CONFIG_INIT;
	lcowmig_guid id = { { 0 } };

	ck_assert_int_eq(lcowmig_scsi_reserve(scsi, &disk, &mount, &id, &error), LCOWMIG_OK);
	return id;
}

static inline lcowmig_status try_reserve(const char *path, uint64_t partition, lcowmig_guid *ret_id)
{
	lcowmig_disk_config disk = { sizeof disk, path, NULL, LCOWMIG_DISK_VIRTUAL, 0 };
	lcowmig_mount_config mount = LCOWMIG_MOUNT_CONFIG_INIT;

	mount.partition = partition;
	return lcowmig_scsi_reserve(scsi, &disk, &mount, ret_id, &error);
}

static inline lcowmig_guid reserve(const char *path, uint64_t partition)
{
	lcowmig_guid id = { { 0 } };

	ck_assert_msg(try_reserve(path, partition, &id) == LCOWMIG_OK, "%s", error.message);
	return id;
}

static inline void root(const char *path, uint32_t controller, uint32_t lun)
{
	lcowmig_disk_config disk = { sizeof disk, path, NULL, LCOWMIG_DISK_VIRTUAL, 1 };

	ck_assert_int_eq(lcowmig_scsi_reserve_for_rootfs(scsi, controller, lun, &disk, &error), LCOWMIG_OK);
}

static inline lcowmig_status map(const lcowmig_guid *id)
{
	return lcowmig_scsi_map(scsi, id, test_on_done, NULL, &error);
}

static inline lcowmig_status unmap(const lcowmig_guid *id)
{
	return lcowmig_scsi_unmap(scsi, id, test_on_done, NULL, &error);
}

static inline lcowmig__disk *disk_of(const lcowmig_guid *id)
{
	lcowmig__scsi_reservation *reservation = lcowmig__scsi_find(scsi, id);

	ck_assert_ptr_nonnull(reservation);
	ck_assert_ptr_nonnull(reservation->disk);
	return reservation->disk;
}

static inline lcowmig__mount *mount_of(const lcowmig_guid *id)
{
	lcowmig__mount *mount = lcowmig__disk_find_mount(disk_of(id), lcowmig__scsi_find(scsi, id)->partition);

	ck_assert_ptr_nonnull(mount);
	return mount;
}

/* No slot, path or reservation is left. */
static inline void expect_empty(void)
{
	uint32_t slot;

	for (slot = 0; slot < lcowmig_scsi_slots(scsi); slot++)
		ck_assert_ptr_null(lcowmig__scsi_disk_in(scsi, slot));
	ck_assert_uint_eq(scsi->free_luns[0] & scsi->free_luns[1], UINT64_MAX);
	ck_assert_uint_eq(scsi->paths.count, 0);
	ck_assert_uint_eq(scsi->base.entries.count, 0);
	ck_assert_ptr_null(scsi->base.gate.holder);
}

static inline void expect_attachments(const char *expected)
{
	char text[1024];
	size_t size = 0;

	ck_assert_int_eq(lcowmig_scsi_attachments(scsi, text, sizeof text, &size, &error), LCOWMIG_OK);
	ck_assert_str_eq(text, expected);
	ck_assert_uint_eq(size, strlen(expected));
}

static inline int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
