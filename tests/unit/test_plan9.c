/* The Plan9 controller (P9-01 to P9-43). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "host.h"
#include "plan9/plan9_private.h"

#define HCS_SHARE(type, settings) \
	"hcs.modify {\"ResourcePath\":\"VirtualMachine/Devices/Plan9/Shares\",\"RequestType\":\"" type "\",\"Settings\":{" settings "}}\n"
#define HCS_ADD(name, path, flags) \
	HCS_SHARE("Add", "\"Name\":\"" name "\",\"AccessName\":\"" name "\",\"Path\":\"" path "\",\"Port\":564,\"Flags\":" flags)
#define HCS_REMOVE(name) HCS_SHARE("Remove", "\"Name\":\"" name "\",\"AccessName\":\"" name "\",\"Port\":564")
#define GUEST(type, name, more)                                                                                                   \
	"guest.rpc 0x10100a01 {\"ContainerId\":\"00000000-0000-0000-0000-000000000000\","                                         \
	"\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"Request\":{\"RequestType\":\"" type                            \
	"\",\"ResourceType\":\"MappedDirectory\",\"Settings\":{\"MountPath\":\"/run/mounts/plan9/" name                           \
	"\",\"Port\":564,\"ShareName\":\"" name "\"" more "}}}\n"

static test_host *host;
static lcowmig_plan9 *plan9;
static lcowmig_error error = LCOWMIG_ERROR_INIT;

static void setup(void)
{
	host = test_host_new();
	ck_assert_int_eq(lcowmig__plan9_new(&host->env, false, &plan9, &error), LCOWMIG_OK);
}

static void teardown(void)
{
	lcowmig__plan9_free(plan9);
	test_host_free(host);
}

static lcowmig_status try_reserve(const char *path, uint32_t read_only, uint32_t mount_read_only, lcowmig_guid *ret_id)
{
	lcowmig_share_config share = LCOWMIG_SHARE_CONFIG_INIT;

	share.host_path = path;
	share.read_only = read_only;
	return lcowmig_plan9_reserve(plan9, &share, mount_read_only, ret_id, &error);
}

static lcowmig_guid reserve(const char *path)
{
	lcowmig_guid id = { { 0 } };

	ck_assert_msg(try_reserve(path, 0, 0, &id) == LCOWMIG_OK, "%s", error.message);
	return id;
}

static lcowmig_status map(const lcowmig_guid *id)
{
	return lcowmig_plan9_map(plan9, id, test_on_done, NULL, &error);
}

static lcowmig_status unmap(const lcowmig_guid *id)
{
	return lcowmig_plan9_unmap(plan9, id, test_on_done, NULL, &error);
}

static lcowmig__share *share_of(const lcowmig_guid *id)
{
	lcowmig__plan9_reservation *reservation = lcowmig__plan9_look_up(plan9, id, &error);

	ck_assert_ptr_nonnull(reservation);
	ck_assert_ptr_nonnull(reservation->share);
	return reservation->share;
}

static void expect_null(lcowmig_status status, const char *function)
{
	char expected[128];

	snprintf(expected, sizeof expected, "%s: an argument is NULL", function);
	ck_assert_int_eq(status, LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, expected);
}

/* P9-22: empty, and so nothing against a migration. */
static void expect_empty(void)
{
	ck_assert_uint_eq(plan9->shares.count + plan9->base.entries.count + plan9->n_shares, 0);
	ck_assert_ptr_null(plan9->base.gate.holder);
	ck_assert_int_eq(lcowmig_plan9_save(plan9, &error), LCOWMIG_OK);
}

/* P9-01, P9-02, P9-27, P9-35, P9-38, P9-39 */
START_TEST(test_reserve_shares_one_share_by_path)
{
	lcowmig_guid a = reserve("C:\\a");
	lcowmig_guid b;

	ck_assert_uint_eq(plan9->shares.count, 1);
	ck_assert_uint_eq(plan9->base.entries.count, 1);
	ck_assert_int_eq(share_of(&a)->object.state, SHARE_RESERVED);
	ck_assert_int_eq(share_of(&a)->mount.state, SHARE_MOUNT_RESERVED);
	ck_assert_str_eq(share_of(&a)->name, "0");
	ck_assert_str_eq(share_of(&a)->host_path, "C:\\a");
	ck_assert_str_eq(share_of(&a)->guest_path, "/run/mounts/plan9/0");
	b = reserve("C:\\a");
	ck_assert_int_ne(lcowmig__guid_compare(&a, &b), 0);
	ck_assert_ptr_eq(share_of(&a), share_of(&b));
	ck_assert_uint_eq(share_of(&a)->ref_count, 2);
	ck_assert_uint_eq(plan9->shares.count, 1);
	ck_assert_int_eq(try_reserve("C:\\a", 0, 1, &b), LCOWMIG_E_INVALID_ARGUMENT); /* P9-35, P9-39: another mount config */
	ck_assert_uint_eq(share_of(&a)->ref_count, 2);
	test_host_expect_log(host, "");
}
END_TEST

/* P9-03, P9-07 */
START_TEST(test_reserve_names_shares_by_counting)
{
	lcowmig_guid a = reserve("C:\\a");
	lcowmig_guid b = reserve("C:\\b");

	ck_assert_uint_eq(plan9->shares.count, 2);
	ck_assert_uint_eq(plan9->next_name, 2);
	ck_assert_str_eq(share_of(&b)->name, "1");
	ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	a = reserve("C:\\a");
	ck_assert_str_eq(share_of(&a)->name, "2"); /* never again */
}
END_TEST

/* P9-04 */
START_TEST(test_reserve_refuses_a_path_with_another_config)
{
	static const char *const names[] = { "x", "Y" };
	static const char *const same[] = { "y", "X" };
	static const char *const other[] = { "x", "x" };
	lcowmig_share_config share = { sizeof share, "C:\\a", names, 2, 1, 1 };
	lcowmig_guid id;

	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_OK);
	share.allowed_names = same;
	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_OK);
	share.allowed_names = other;
	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	share.allowed_names = names;
	share.n_allowed_names = 1;
	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	share.n_allowed_names = 2;
	share.restrict_access = 0;
	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	share.restrict_access = 1;
	share.read_only = 0;
	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_uint_eq(plan9->base.entries.count, 2);
}
END_TEST

/* P9-05, P9-06, P9-26 */
START_TEST(test_reserve_denies_writable_shares_where_they_are_forbidden)
{
	lcowmig_guid id;

	plan9->no_writable_shares = true;
	ck_assert_int_eq(try_reserve("C:\\a", 0, 0, &id), LCOWMIG_E_DENIED);
	ck_assert_ptr_nonnull(strstr(error.message, "operation denied"));
	expect_empty();
	ck_assert_int_eq(try_reserve("C:\\a", 1, 0, &id), LCOWMIG_OK);
}
END_TEST

START_TEST(test_reserve_checks_its_arguments_and_records_nothing_on_failure)
{
	static const char *const names[] = { "x", NULL };
	lcowmig_share_config share = LCOWMIG_SHARE_CONFIG_INIT;
	lcowmig_status status;
	lcowmig_guid id;
	unsigned nth;

	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	share.host_path = "C:\\a";
	share.n_allowed_names = 2;
	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	share.allowed_names = names;
	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	share.n_allowed_names = 1000;
	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_E_LIMIT_EXCEEDED);
	share.n_allowed_names = 1;
	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, NULL, 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "lcowmig_share_config"));
	expect_empty();
	for (nth = 1;; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = lcowmig_plan9_reserve(plan9, &share, 0, &id, &error);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		expect_empty();
		ck_assert_uint_eq(plan9->next_name, 0);
	}
	ck_assert_uint_gt(nth, 6);
}
END_TEST

START_TEST(test_public_functions_name_themselves_when_they_get_null)
{
	lcowmig_share_config share = LCOWMIG_SHARE_CONFIG_INIT;
	lcowmig_guid id = { { 1 } };

	expect_null(lcowmig_plan9_reserve(NULL, &share, 0, &id, &error), "lcowmig_plan9_reserve");
	expect_null(lcowmig_plan9_reserve(plan9, &share, 0, NULL, &error), "lcowmig_plan9_reserve");
	expect_null(lcowmig_plan9_map(NULL, &id, NULL, NULL, &error), "lcowmig_plan9_map");
	expect_null(lcowmig_plan9_map(plan9, NULL, NULL, NULL, &error), "lcowmig_plan9_map");
	expect_null(lcowmig_plan9_unmap(NULL, &id, NULL, NULL, &error), "lcowmig_plan9_unmap");
	expect_null(lcowmig_plan9_unmap(plan9, NULL, NULL, NULL, &error), "lcowmig_plan9_unmap");
	expect_null(lcowmig_plan9_guest_path(NULL, &id, NULL, 0, NULL, &error), "lcowmig_plan9_guest_path");
	expect_null(lcowmig_plan9_guest_path(plan9, NULL, NULL, 0, NULL, &error), "lcowmig_plan9_guest_path");
	expect_null(lcowmig_plan9_save(NULL, &error), "lcowmig_plan9_save");
}
END_TEST

START_TEST(test_reserve_refuses_paths_and_names_that_are_none)
{
	static const char *const bad_paths[] = { NULL, "", "C:\\0123456789", "\xff" };
	static const char *const names[] = { "a", "0123456789abc" };
	lcowmig_share_config share = LCOWMIG_SHARE_CONFIG_INIT;
	lcowmig_guid id = { { 9 } };
	size_t i;

	host->context->limits.path_bytes = 12;
	for (i = 0; i < LCOWMIG__COUNT(bad_paths); i++) {
		share.host_path = bad_paths[i];
		ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
		ck_assert_str_eq(error.message, "Plan9: the host path is empty, too long or not UTF-8");
	}
	share.host_path = "C:\\a";
	share.allowed_names = names;
	share.n_allowed_names = 2;
	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, "Plan9 share C:\\a: allowed name 1 is empty, too long or not UTF-8");
	ck_assert_uint_eq(id.bytes[0], 9);
	expect_empty();
}
END_TEST

START_TEST(test_reserve_refuses_more_reservations_than_the_limit)
{
	lcowmig_guid first, second;

	host->context->limits.reservations = 1;
	first = reserve("C:\\a");
	ck_assert_int_eq(try_reserve("C:\\b", 0, 0, &second), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_str_eq(error.message, "Plan9: there are 1 reservations already");
	ck_assert_uint_eq(plan9->n_shares, 1);
	ck_assert_int_eq(unmap(&first), LCOWMIG_OK);
	ck_assert_int_eq(try_reserve("C:\\b", 0, 0, &second), LCOWMIG_OK);
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

	host->context->platform.random = random_none;
	ck_assert_int_eq(try_reserve("C:\\a", 0, 0, &id), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(id.bytes[0], 9);
	expect_empty();
	host->context->platform.random = random_same;
	reserve("C:\\a");
	ck_assert_int_eq(try_reserve("C:\\b", 0, 0, &id), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(error.message, "Plan9: the platform's random bytes repeat themselves");
	ck_assert_uint_eq(plan9->n_shares, 1);
	ck_assert_uint_eq(plan9->next_name, 1);
}
END_TEST

START_TEST(test_reserve_says_how_the_mount_was_reserved)
{
	lcowmig_guid id;

	ck_assert_int_eq(try_reserve("C:\\a", 0, 1, &id), LCOWMIG_OK);
	ck_assert_int_eq(try_reserve("C:\\a", 0, 0, &id), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, "Plan9 mount /run/mounts/plan9/0 (Reserved) was reserved read-only");
	ck_assert_int_eq(try_reserve("C:\\b", 0, 0, &id), LCOWMIG_OK);
	ck_assert_int_eq(try_reserve("C:\\b", 0, 1, &id), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, "Plan9 mount /run/mounts/plan9/1 (Reserved) was reserved writable");
}
END_TEST

START_TEST(test_guest_path_is_had_piece_by_piece_and_only_while_mapped)
{
	lcowmig_guid id = reserve("C:\\a");
	char buffer[64] = "";
	size_t size = 0;

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_plan9_guest_path(plan9, &id, NULL, 0, &size, &error), LCOWMIG_OK);
	ck_assert_uint_eq(size, strlen("/run/mounts/plan9/0"));
	ck_assert_int_eq(lcowmig_plan9_guest_path(plan9, &id, buffer, size + 1, NULL, &error), LCOWMIG_OK);
	ck_assert_str_eq(buffer, "/run/mounts/plan9/0");
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 1, "busy");
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(error.message, "Plan9 share 0, C:\\a (Added): removing it: HCS modify: busy");
	ck_assert_int_eq(lcowmig_plan9_guest_path(plan9, &id, buffer, sizeof buffer, &size, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "is not mapped"));
	ck_assert_int_eq(map(&id), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "is half unmapped; it can only be unmapped"));
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	expect_empty();
}
END_TEST

START_TEST(test_work_that_waits_its_turn_can_be_cancelled_and_repeated)
{
	lcowmig_guid a = reserve("C:\\a");
	lcowmig_guid b = reserve("C:\\b");
	test_done done[3] = { { 0 } };

	ck_assert_int_eq(map(&b), LCOWMIG_OK);
	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_plan9_map(plan9, &a, test_on_done, &done[0], &error), LCOWMIG_PENDING);
	ck_assert_int_eq((_i ? lcowmig_plan9_map : lcowmig_plan9_unmap)(plan9, &b, test_on_done, &done[1], &error), LCOWMIG_PENDING);
	ck_assert_int_eq((_i ? lcowmig_plan9_map : lcowmig_plan9_unmap)(plan9, &b, test_on_done, &done[2], &error), LCOWMIG_PENDING);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done[1]), LCOWMIG_OK);
	ck_assert_int_eq(done[1].status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(share_of(&b)->mount.state, SHARE_MOUNT_MOUNTED);
	test_host_expect_log(host, "");
	test_host_hold(host, "hcs.modify", false);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[0].status, LCOWMIG_OK);
	ck_assert_int_eq(done[2].status, LCOWMIG_OK);
	ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	ck_assert_int_eq(unmap(&b), _i ? LCOWMIG_OK : LCOWMIG_E_NOT_FOUND);
	expect_empty();
}
END_TEST

/* P9-08, P9-12, P9-28, P9-36, P9-37, P9-40 */
START_TEST(test_map_adds_and_mounts_once)
{
	static const char *const names[] = { "x" };
	lcowmig_share_config share = { sizeof share, "C:\\\\a", names, 1, 1, 1 };
	lcowmig_guid a, b;
	char *path = NULL;
	char buffer[64];
	size_t size;

	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 1, &a, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_plan9_reserve(plan9, &share, 1, &b, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_plan9_guest_path(plan9, &a, buffer, sizeof buffer, &size, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(map(&a), LCOWMIG_OK);
	test_host_expect_log(host, HCS_ADD("0", "C:\\\\\\\\a", "133,\"AllowedFiles\":[\"x\"]") GUEST("Add", "0", ",\"ReadOnly\":true"));
	ck_assert_int_eq(map(&a), LCOWMIG_OK);
	ck_assert_int_eq(test_run(host, lcowmig__plan9_map_flow(plan9, &b, &path, &error), NULL, &error), LCOWMIG_OK);
	ck_assert_str_eq(path, "/run/mounts/plan9/0");
	lcowmig__free(&host->context->mem, path);
	test_host_expect_log(host, "");
	ck_assert_int_eq(lcowmig_plan9_guest_path(plan9, &a, buffer, sizeof buffer, &size, &error), LCOWMIG_OK);
	ck_assert_str_eq(buffer, "/run/mounts/plan9/0");
	ck_assert_uint_eq(size, strlen(buffer));
	ck_assert_int_eq(lcowmig_plan9_guest_path(plan9, &a, buffer, size, &size, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(share_of(&a)->object.state, SHARE_ADDED);
	ck_assert_int_eq(share_of(&a)->mount.state, SHARE_MOUNT_MOUNTED);
	ck_assert(!lcowmig__machine_allows(&lcowmig__plan9_share_machine, SHARE_RESERVED, SHARE_MOUNT));
	ck_assert(!lcowmig__machine_allows(&lcowmig__plan9_share_machine, SHARE_INVALID, SHARE_MOUNT));
}
END_TEST

/* P9-09, P9-21, P9-28, P9-35 */
START_TEST(test_map_reports_a_failed_add_and_unmap_clears_all)
{
	lcowmig_guid id = reserve("C:\\a");
	lcowmig_guid other;

	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "no");
	ck_assert_int_eq(map(&id), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80070005);
	ck_assert_uint_eq(test_host_count(host, "guest."), 0);
	ck_assert_int_eq(share_of(&id)->object.state, SHARE_INVALID);
	ck_assert_int_eq(map(&id), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(try_reserve("C:\\a", 0, 0, &other), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, "");
	expect_empty();
}
END_TEST

/* P9-10, P9-11, P9-40 */
START_TEST(test_map_reports_a_failed_mount_and_unmap_removes_the_share)
{
	lcowmig_guid id = reserve("C:\\a");

	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(map(&id), LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80004005);
	ck_assert_int_eq(share_of(&id)->mount.state, SHARE_MOUNT_INVALID);
	ck_assert_int_eq(map(&id), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, HCS_REMOVE("0"));
	expect_empty();
}
END_TEST

/* P9-13, P9-18, P9-30, P9-32, P9-41 */
START_TEST(test_unmap_unmounts_and_removes)
{
	lcowmig_guid id = reserve("C:\\a");
	lcowmig_guid again;

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, GUEST("Remove", "0", "") HCS_REMOVE("0"));
	expect_empty();
	again = reserve("C:\\a");
	ck_assert_int_ne(lcowmig__guid_compare(&id, &again), 0);
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_NOT_FOUND);
	test_host_expect_log(host, "");
	ck_assert_int_eq(share_of(&again)->object.state, SHARE_RESERVED);
}
END_TEST

/* P9-14, P9-41 */
START_TEST(test_unmap_keeps_the_reservation_when_the_guest_fails)
{
	lcowmig_guid id = reserve("C:\\a");

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 1, "busy");
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_GUEST_FAILED);
	ck_assert_int_eq(share_of(&id)->mount.state, SHARE_MOUNT_MOUNTED);
	ck_assert_uint_eq(share_of(&id)->ref_count, 1);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, GUEST("Remove", "0", "") HCS_REMOVE("0"));
	expect_empty();
}
END_TEST

/* P9-15, P9-31, X-60 */
START_TEST(test_unmap_repeats_only_the_removal_when_the_host_failed)
{
	lcowmig_guid id = reserve("C:\\a");
	lcowmig_guid other;

	ck_assert_int_eq(map(&id), LCOWMIG_OK);
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 1, "busy");
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(share_of(&id)->object.state, SHARE_ADDED);
	ck_assert_int_eq(map(&id), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_clear_log(host);
	if (_i) {
		/* Meanwhile somebody uses the share again, to the end. */
		other = reserve("C:\\a");
		ck_assert_int_eq(map(&other), LCOWMIG_OK);
		ck_assert_int_eq(unmap(&other), LCOWMIG_OK);
		test_host_expect_log(host, GUEST("Add", "0", "") GUEST("Remove", "0", "") HCS_REMOVE("0"));
	}
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, _i ? "" : HCS_REMOVE("0"));
	expect_empty();
}
END_TEST

/* P9-16, P9-33, P9-42 */
START_TEST(test_unmap_leaves_what_others_hold)
{
	lcowmig_guid a = reserve("C:\\a");
	lcowmig_guid b = reserve("C:\\a");

	ck_assert_int_eq(map(&a), LCOWMIG_OK);
	ck_assert_int_eq(map(&b), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert_int_eq(share_of(&b)->object.state, SHARE_ADDED);
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	test_host_expect_log(host, GUEST("Remove", "0", "") HCS_REMOVE("0"));
	expect_empty();
}
END_TEST

/* P9-17, P9-29, P9-43 */
START_TEST(test_unmap_of_what_was_never_mapped_asks_nobody)
{
	lcowmig_guid a = reserve("C:\\a");
	lcowmig_guid b = reserve("C:\\a");

	ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	ck_assert_int_eq(share_of(&b)->object.state, SHARE_RESERVED);
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	test_host_expect_log(host, "");
	expect_empty();
}
END_TEST

/* P9-19, P9-33, P9-34, X-60 */
START_TEST(test_failed_add_unwinds_with_two_reservations)
{
	lcowmig_guid a = reserve("C:\\a");
	lcowmig_guid b = reserve("C:\\a");

	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 1, "no");
	ck_assert_int_eq(map(&a), LCOWMIG_E_HOST_FAILED);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	ck_assert_int_eq(share_of(&b)->object.state, SHARE_INVALID);
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	test_host_expect_log(host, "");
	expect_empty();
}
END_TEST

/* P9-20, X-60 */
START_TEST(test_failed_mount_unwinds_with_two_reservations)
{
	lcowmig_guid a = reserve("C:\\a");
	lcowmig_guid b = reserve("C:\\a");
	lcowmig_guid c;

	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 1, "no");
	ck_assert_int_eq(map(&a), LCOWMIG_E_GUEST_FAILED);
	ck_assert_int_eq(try_reserve("C:\\a", 0, 0, &c), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&a), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	test_host_expect_log(host, HCS_REMOVE("0"));
	expect_empty();
}
END_TEST

/* P9-23, P9-24 */
START_TEST(test_save_is_refused_with_the_counts_and_changes_nothing)
{
	lcowmig_guid id = reserve("C:\\a");

	ck_assert_int_eq(lcowmig_plan9_save(plan9, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_str_eq(error.message, "Plan9 controller has 1 shares and 1 reservations; migrating needs it empty");
	ck_assert_int_eq(lcowmig_plan9_save(plan9, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(map(&id), LCOWMIG_OK);
}
END_TEST

/* P9-25 */
START_TEST(test_map_and_unmap_refuse_an_unknown_reservation)
{
	lcowmig_guid id = { { 1 } };

	ck_assert_int_eq(map(&id), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(unmap(&id), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_plan9_guest_path(plan9, &id, NULL, 0, NULL, &error), LCOWMIG_E_NOT_FOUND);
}
END_TEST

/* P9-36, P9-39, P9-43: what has no row */
START_TEST(test_tables_refuse_what_has_no_row)
{
	ck_assert(!lcowmig__machine_allows(&lcowmig__plan9_share_machine, SHARE_REMOVED, SHARE_ADD));
	ck_assert(!lcowmig__machine_allows(&lcowmig__plan9_share_machine, SHARE_INVALID, SHARE_ADD));
	ck_assert(!lcowmig__machine_allows(&lcowmig__plan9_mount_machine, SHARE_MOUNT_UNMOUNTED, SHARE_MOUNT_RESERVE));
	ck_assert(!lcowmig__machine_allows(&lcowmig__plan9_mount_machine, SHARE_MOUNT_UNMOUNTED, SHARE_MOUNT_UNMOUNT));
	ck_assert(!lcowmig__machine_allows(&lcowmig__plan9_mount_machine, SHARE_MOUNT_INVALID, SHARE_MOUNT_MOUNT));
}
END_TEST

START_TEST(test_share_that_is_reserved_while_it_goes_starts_anew)
{
	lcowmig_guid a = reserve("C:\\a");
	lcowmig_guid b;
	test_done done = { 0 };
	const char *operation = _i ? "hcs.modify" : "guest.rpc";

	ck_assert_int_eq(map(&a), LCOWMIG_OK);
	test_host_hold(host, operation, true);
	ck_assert_int_eq(lcowmig_plan9_unmap(plan9, &a, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_plan9_save(plan9, &error), LCOWMIG_E_FAILED_PRECONDITION);
	b = reserve("C:\\a");
	test_host_hold(host, operation, false);
	test_host_complete(host, operation, LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_str_eq(share_of(&b)->name, _i ? "1" : "0");
	ck_assert_int_eq(map(&b), LCOWMIG_OK);
	ck_assert_int_eq(unmap(&b), LCOWMIG_OK);
	expect_empty();
}
END_TEST

START_TEST(test_cancel_does_not_abandon_a_map_that_has_begun)
{
	lcowmig_guid id = reserve("C:\\a");
	test_done done = { 0 };

	test_host_hold(host, "guest.rpc", true);
	ck_assert_int_eq(lcowmig_plan9_map(plan9, &id, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	test_host_complete(host, "guest.rpc", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	host->env.system = NULL; /* without a machine nobody is asked */
	test_host_clear_log(host);
	ck_assert_int_eq(unmap(&id), LCOWMIG_OK);
	test_host_expect_log(host, "");
	expect_empty();
}
END_TEST

START_TEST(test_map_and_unmap_can_be_repeated_when_memory_was_out_anywhere)
{
	lcowmig_guid id = reserve("C:\\a");
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	unsigned nth;

	for (nth = 1; nth < 200 && status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = map(&id);
		test_host_fail_allocation(host, 0, false);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
	}
	ck_assert_int_eq(share_of(&id)->mount.state, SHARE_MOUNT_MOUNTED);
	status = LCOWMIG_E_NO_MEMORY;
	for (nth = 1; nth < 200 && status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = unmap(&id);
		test_host_fail_allocation(host, 0, false);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
	}
	expect_empty();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan9");
	TCase *tcase = tcase_create("plan9");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_reserve_shares_one_share_by_path);
	tcase_add_test(tcase, test_reserve_names_shares_by_counting);
	tcase_add_test(tcase, test_reserve_refuses_a_path_with_another_config);
	tcase_add_test(tcase, test_reserve_denies_writable_shares_where_they_are_forbidden);
	tcase_add_test(tcase, test_reserve_checks_its_arguments_and_records_nothing_on_failure);
	tcase_add_test(tcase, test_public_functions_name_themselves_when_they_get_null);
	tcase_add_test(tcase, test_reserve_refuses_paths_and_names_that_are_none);
	tcase_add_test(tcase, test_reserve_refuses_more_reservations_than_the_limit);
	tcase_add_test(tcase, test_reserve_fails_when_the_platform_has_no_fresh_random_bytes);
	tcase_add_test(tcase, test_reserve_says_how_the_mount_was_reserved);
	tcase_add_test(tcase, test_guest_path_is_had_piece_by_piece_and_only_while_mapped);
	tcase_add_loop_test(tcase, test_work_that_waits_its_turn_can_be_cancelled_and_repeated, 0, 2);
	tcase_add_test(tcase, test_map_adds_and_mounts_once);
	tcase_add_test(tcase, test_map_reports_a_failed_add_and_unmap_clears_all);
	tcase_add_test(tcase, test_map_reports_a_failed_mount_and_unmap_removes_the_share);
	tcase_add_test(tcase, test_unmap_unmounts_and_removes);
	tcase_add_test(tcase, test_unmap_keeps_the_reservation_when_the_guest_fails);
	tcase_add_loop_test(tcase, test_unmap_repeats_only_the_removal_when_the_host_failed, 0, 2);
	tcase_add_test(tcase, test_unmap_leaves_what_others_hold);
	tcase_add_test(tcase, test_unmap_of_what_was_never_mapped_asks_nobody);
	tcase_add_test(tcase, test_failed_add_unwinds_with_two_reservations);
	tcase_add_test(tcase, test_failed_mount_unwinds_with_two_reservations);
	tcase_add_test(tcase, test_save_is_refused_with_the_counts_and_changes_nothing);
	tcase_add_test(tcase, test_map_and_unmap_refuse_an_unknown_reservation);
	tcase_add_test(tcase, test_tables_refuse_what_has_no_row);
	tcase_add_loop_test(tcase, test_share_that_is_reserved_while_it_goes_starts_anew, 0, 2);
	tcase_add_test(tcase, test_cancel_does_not_abandon_a_map_that_has_begun);
	tcase_add_test(tcase, test_map_and_unmap_can_be_repeated_when_memory_was_out_anywhere);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
