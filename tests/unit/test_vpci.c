/* The vPCI controller (VPCI-01 to VPCI-27). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "host.h"
#include "vpci/vpci_private.h"

static test_host *host;
static lcowmig_vpci *vpci;
static lcowmig_error error = LCOWMIG_ERROR_INIT;

static void setup(void)
{
	host = test_host_new();
	ck_assert_int_eq(lcowmig__vpci_new(&host->env, &vpci, &error), LCOWMIG_OK);
}

static void teardown(void)
{
	lcowmig__vpci_free(vpci);
	test_host_free(host);
}

static lcowmig_guid reserve(const char *instance_id, uint16_t function)
{
	lcowmig_guid id = { { 0 } };

	ck_assert_int_eq(lcowmig_vpci_reserve(vpci, instance_id, function, &id, &error), LCOWMIG_OK);
	return id;
}

static lcowmig_status add(const lcowmig_guid *id)
{
	return lcowmig_vpci_add(vpci, id, test_on_done, NULL, &error);
}

static lcowmig_status take(const lcowmig_guid *id)
{
	return lcowmig_vpci_remove(vpci, id, test_on_done, NULL, &error);
}

static lcowmig__device *device_of(const lcowmig_guid *id)
{
	lcowmig__device *device = lcowmig__vpci_look_up(vpci, id, &error);

	ck_assert_ptr_nonnull(device);
	return device;
}

static bool same(const lcowmig_guid *a, const lcowmig_guid *b)
{
	return lcowmig__guid_compare(a, b) == 0;
}

/* VPCI-25 */
static void expect_empty(void)
{
	ck_assert_uint_eq(vpci->base.entries.count + vpci->by_identity.count, 0);
	ck_assert_ptr_null(vpci->base.gate.holder);
	ck_assert_int_eq(lcowmig_vpci_save(vpci, &error), LCOWMIG_OK);
}

/* The whole log of an add: VPCI-23, VPCI-24. */
static void expect_add_log(const lcowmig_guid *id, const char *instance_id, const char *function)
{
	char text[LCOWMIG_GUID_TEXT_SIZE];
	char expected[1024];

	lcowmig_guid_format(id, text);
	snprintf(expected, sizeof expected,
	         "hcs.modify {\"ResourcePath\":\"VirtualMachine/Devices/VirtualPci/%s\",\"RequestType\":\"Add\",\"Settings\":{\"Functions\":[{"
	         "\"DeviceInstancePath\":\"%s\"%s}],\"PropagateNumaAffinity\":true}}\n"
	         "guest.rpc 0x10100a01 {\"ContainerId\":\"00000000-0000-0000-0000-000000000000\","
	         "\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"Request\":{\"RequestType\":\"Add\","
	         "\"ResourceType\":\"VPCIDevice\",\"Settings\":{\"VMBusGUID\":\"%s\"}}}\n",
	         text, instance_id, function, text);
	test_host_expect_log(host, expected);
}

static void expect_remove_log(const lcowmig_guid *id)
{
	char text[LCOWMIG_GUID_TEXT_SIZE];
	char expected[256];

	lcowmig_guid_format(id, text);
	snprintf(expected, sizeof expected,
	         "hcs.modify {\"ResourcePath\":\"VirtualMachine/Devices/VirtualPci/%s\",\"RequestType\":\"Remove\"}\n", text);
	test_host_expect_log(host, expected);
}

/* VPCI-01, VPCI-02, VPCI-03 */
START_TEST(test_reserve_gives_one_guid_for_each_device)
{
	lcowmig_guid a = reserve("PCIP\\1", 0);
	lcowmig_guid b = reserve("PCIP\\1", 0);
	lcowmig_guid c = reserve("PCIP\\1", 3);

	ck_assert(same(&a, &b));
	ck_assert(!same(&a, &c));
	ck_assert_int_eq(device_of(&a)->object.state, DEVICE_RESERVED);
	ck_assert_uint_eq(vpci->base.entries.count, 2);
	ck_assert_uint_eq(vpci->by_identity.count, 2);
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_reserve_checks_its_arguments_and_records_nothing_on_failure)
{
	lcowmig_guid id;

	ck_assert_int_eq(lcowmig_vpci_reserve(vpci, "", 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_vpci_reserve(vpci, "\xff", 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_vpci_reserve(vpci, NULL, 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	host->context->limits.path_bytes = 3;
	ck_assert_int_eq(lcowmig_vpci_reserve(vpci, "1234", 0, &id, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, "vPCI: the device instance id is empty, too long or not UTF-8");
	expect_empty();
	test_host_fail_allocation(host, 1, false);
	ck_assert_int_eq(lcowmig_vpci_reserve(vpci, "x", 0, &id, &error), LCOWMIG_E_NO_MEMORY);
	test_host_fail_allocation(host, 0, false);
	expect_empty();
	reserve("x", 0);
}
END_TEST

static void expect_null(lcowmig_status status, const char *function)
{
	char expected[128];

	snprintf(expected, sizeof expected, "%s: an argument is NULL", function);
	ck_assert_int_eq(status, LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, expected);
}

START_TEST(test_public_functions_name_themselves_when_they_get_null)
{
	lcowmig_guid id = { { 1 } };

	expect_null(lcowmig_vpci_reserve(NULL, "x", 0, &id, &error), "lcowmig_vpci_reserve");
	expect_null(lcowmig_vpci_reserve(vpci, "x", 0, NULL, &error), "lcowmig_vpci_reserve");
	expect_null(lcowmig_vpci_add(NULL, &id, NULL, NULL, &error), "lcowmig_vpci_add");
	expect_null(lcowmig_vpci_add(vpci, NULL, NULL, NULL, &error), "lcowmig_vpci_add");
	expect_null(lcowmig_vpci_remove(NULL, &id, NULL, NULL, &error), "lcowmig_vpci_remove");
	expect_null(lcowmig_vpci_remove(vpci, NULL, NULL, NULL, &error), "lcowmig_vpci_remove");
	expect_null(lcowmig_vpci_save(NULL, &error), "lcowmig_vpci_save");
	expect_empty();
}
END_TEST

START_TEST(test_reserve_refuses_more_devices_than_the_limit)
{
	lcowmig_guid first, second;

	host->context->limits.reservations = 1;
	first = reserve("x", 0);
	ck_assert_int_eq(lcowmig_vpci_reserve(vpci, "x", 1, &second, &error), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_str_eq(error.message, "vPCI: there are 1 devices already");
	second = reserve("x", 0); /* no further device */
	ck_assert(same(&first, &second));
	ck_assert_int_eq(take(&first), LCOWMIG_OK);
	reserve("x", 1);
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
	ck_assert_int_eq(lcowmig_vpci_reserve(vpci, "x", 0, &id, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(id.bytes[0], 9);
	expect_empty();
	host->context->platform.random = random_same;
	reserve("x", 0);
	ck_assert_int_eq(lcowmig_vpci_reserve(vpci, "y", 0, &id, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(error.message, "vPCI: the platform's random bytes repeat themselves");
	ck_assert_uint_eq(vpci->base.entries.count + vpci->by_identity.count, 2);
}
END_TEST

START_TEST(test_work_that_waits_its_turn_can_be_cancelled_and_repeated)
{
	lcowmig_guid a = reserve("a", 0);
	lcowmig_guid b = reserve("b", 0);
	test_done done[3] = { { 0 } };

	ck_assert_int_eq(add(&b), LCOWMIG_OK);
	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_vpci_add(vpci, &a, test_on_done, &done[0], &error), LCOWMIG_PENDING);
	ck_assert_int_eq((_i ? lcowmig_vpci_add : lcowmig_vpci_remove)(vpci, &b, test_on_done, &done[1], &error), LCOWMIG_PENDING);
	ck_assert_int_eq((_i ? lcowmig_vpci_add : lcowmig_vpci_remove)(vpci, &b, test_on_done, &done[2], &error), LCOWMIG_PENDING);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done[1]), LCOWMIG_OK);
	ck_assert_int_eq(done[1].status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(device_of(&b)->object.state, DEVICE_READY);
	ck_assert_uint_eq(device_of(&b)->ref_count, 1);
	test_host_expect_log(host, "");
	test_host_hold(host, "hcs.modify", false);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[0].status, LCOWMIG_OK);
	ck_assert_int_eq(done[2].status, LCOWMIG_OK);
	if (_i)
		ck_assert_uint_eq(device_of(&b)->ref_count, 2);
	else
		ck_assert_int_eq(take(&b), LCOWMIG_E_NOT_FOUND);
}
END_TEST

/* VPCI-04, VPCI-12, VPCI-22 */
START_TEST(test_add_and_remove_refuse_an_unknown_device)
{
	lcowmig_guid id = { { 1 } };

	ck_assert_int_eq(add(&id), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(take(&id), LCOWMIG_E_NOT_FOUND);
	id = reserve("x", 0);
	ck_assert_int_eq(take(&id), LCOWMIG_OK);
	ck_assert_int_eq(take(&id), LCOWMIG_E_NOT_FOUND);
	test_host_expect_log(host, "");
}
END_TEST

/* VPCI-05, VPCI-06, VPCI-15, VPCI-16, VPCI-23, VPCI-24 */
START_TEST(test_add_assigns_once_and_counts)
{
	lcowmig_guid id = reserve("x", 7);

	ck_assert_int_eq(add(&id), LCOWMIG_OK);
	expect_add_log(&id, "x", ",\"VirtualFunction\":7");
	ck_assert_int_eq(device_of(&id)->object.state, DEVICE_READY);
	ck_assert_uint_eq(device_of(&id)->ref_count, 1);
	ck_assert_int_eq(add(&id), LCOWMIG_OK);
	ck_assert_uint_eq(device_of(&id)->ref_count, 2);
	test_host_expect_log(host, "");
	ck_assert_int_eq(take(&id), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert_int_eq(take(&id), LCOWMIG_OK);
	expect_remove_log(&id);
	expect_empty();
}
END_TEST

/* VPCI-07, VPCI-08, VPCI-14 */
START_TEST(test_failed_assignment_is_reported_and_removed_without_the_host)
{
	lcowmig_guid id = reserve("x", 0);

	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "no");
	ck_assert_int_eq(add(&id), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80070005);
	ck_assert_int_eq(device_of(&id)->object.state, DEVICE_REMOVED);
	ck_assert_uint_eq(device_of(&id)->ref_count, 0);
	ck_assert_uint_eq(test_host_count(host, "guest."), 0);
	test_host_clear_log(host);
	ck_assert_int_eq(add(&id), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(take(&id), LCOWMIG_OK);
	test_host_expect_log(host, "");
	expect_empty();
}
END_TEST

/* VPCI-09, VPCI-10, VPCI-19, VPCI-21 */
START_TEST(test_device_the_guest_does_not_see_can_only_be_removed)
{
	lcowmig_guid id = reserve("x", 0);
	lcowmig_guid again;

	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(add(&id), LCOWMIG_E_GUEST_FAILED);
	ck_assert_int_eq(device_of(&id)->object.state, DEVICE_ASSIGNED_INVALID);
	ck_assert_uint_eq(device_of(&id)->ref_count, 0);
	test_host_clear_log(host);
	ck_assert_int_eq(add(&id), LCOWMIG_E_FAILED_PRECONDITION);
	again = reserve("x", 0);
	ck_assert(same(&again, &id));
	ck_assert_int_eq(take(&id), LCOWMIG_OK);
	expect_remove_log(&id);
	expect_empty();
}
END_TEST

/* VPCI-11, VPCI-13, VPCI-20, X-60 */
START_TEST(test_device_reserved_twice_goes_with_one_removal)
{
	lcowmig_guid id = reserve("x", 0);
	lcowmig_guid again = reserve("x", 0);

	if (_i) {
		ck_assert_int_eq(add(&id), LCOWMIG_OK);
		ck_assert_uint_eq(device_of(&again)->ref_count, 1);
		ck_assert_int_eq(device_of(&again)->object.state, DEVICE_READY);
	}
	ck_assert_int_eq(take(&id), LCOWMIG_OK);
	expect_empty();
	again = reserve("x", 0);
	ck_assert(!same(&again, &id));
}
END_TEST

/* VPCI-17, VPCI-18 */
START_TEST(test_failed_removal_can_be_repeated)
{
	lcowmig_guid id = reserve("x", 0);

	ck_assert_int_eq(add(&id), LCOWMIG_OK);
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 1, "busy");
	test_host_fail(host, "hcs.modify", 2, LCOWMIG_E_HOST_FAILED, 2, "busy");
	ck_assert_int_eq(take(&id), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(device_of(&id)->object.state, DEVICE_ASSIGNED_INVALID);
	ck_assert_uint_eq(device_of(&id)->ref_count, 0);
	ck_assert_int_eq(take(&id), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(device_of(&id)->object.state, DEVICE_ASSIGNED_INVALID);
	test_host_clear_log(host);
	ck_assert_int_eq(take(&id), LCOWMIG_OK);
	expect_remove_log(&id);
	expect_empty();
}
END_TEST

/* VPCI-26, VPCI-27 */
START_TEST(test_save_is_refused_with_the_count_and_changes_nothing)
{
	lcowmig_guid id = reserve("x", 0);

	ck_assert_int_eq(lcowmig_vpci_save(vpci, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_str_eq(error.message, "vPCI controller has 1 devices; migrating needs it empty");
	ck_assert_int_eq(lcowmig_vpci_save(vpci, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(add(&id), LCOWMIG_OK);
}
END_TEST

START_TEST(test_device_that_is_reserved_while_it_goes_gets_another_guid)
{
	lcowmig_guid a = reserve("x", 0);
	lcowmig_guid b;
	test_done done = { 0 };

	ck_assert_int_eq(add(&a), LCOWMIG_OK);
	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_vpci_remove(vpci, &a, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK); /* too late */
	b = reserve("x", 0);
	ck_assert(!same(&a, &b));
	test_host_hold(host, "hcs.modify", false);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(add(&b), LCOWMIG_OK);
	host->env.system = NULL; /* without a machine nobody is asked */
	test_host_clear_log(host);
	ck_assert_int_eq(take(&b), LCOWMIG_OK);
	test_host_expect_log(host, "");
	expect_empty();
}
END_TEST

START_TEST(test_add_and_remove_unwind_when_memory_is_out_anywhere)
{
	unsigned nth;

	for (nth = 1; nth < 200; nth++) {
		lcowmig_guid id = reserve("x", 0);
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = add(&id);
		test_host_fail_allocation(host, 0, false);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
		test_host_fail_allocation(host, nth, false);
		if (take(&id) != LCOWMIG_OK) {
			test_host_fail_allocation(host, 0, false);
			ck_assert_int_eq(take(&id), LCOWMIG_OK);
		}
		test_host_fail_allocation(host, 0, false);
		expect_empty();
		if (status == LCOWMIG_OK)
			break;
	}
	ck_assert_uint_gt(nth, 5);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify {\"ResourcePath\"") % 2, 0); /* each add has its remove */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vpci");
	TCase *tcase = tcase_create("vpci");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_reserve_gives_one_guid_for_each_device);
	tcase_add_test(tcase, test_reserve_checks_its_arguments_and_records_nothing_on_failure);
	tcase_add_test(tcase, test_public_functions_name_themselves_when_they_get_null);
	tcase_add_test(tcase, test_reserve_refuses_more_devices_than_the_limit);
	tcase_add_test(tcase, test_reserve_fails_when_the_platform_has_no_fresh_random_bytes);
	tcase_add_loop_test(tcase, test_work_that_waits_its_turn_can_be_cancelled_and_repeated, 0, 2);
	tcase_add_test(tcase, test_add_and_remove_refuse_an_unknown_device);
	tcase_add_test(tcase, test_add_assigns_once_and_counts);
	tcase_add_test(tcase, test_failed_assignment_is_reported_and_removed_without_the_host);
	tcase_add_test(tcase, test_device_the_guest_does_not_see_can_only_be_removed);
	tcase_add_loop_test(tcase, test_device_reserved_twice_goes_with_one_removal, 0, 2);
	tcase_add_test(tcase, test_failed_removal_can_be_repeated);
	tcase_add_test(tcase, test_save_is_refused_with_the_count_and_changes_nothing);
	tcase_add_test(tcase, test_device_that_is_reserved_while_it_goes_gets_another_guid);
	tcase_add_test(tcase, test_add_and_remove_unwind_when_memory_is_out_anywhere);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
