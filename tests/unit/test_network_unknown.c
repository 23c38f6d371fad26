/* NICs of which HCS gave up saying whether they were added or removed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "network/network_private.h"

#define NAMESPACE "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10"
#define OTHER_NAMESPACE "5c8ef18c-0000-4c5b-9b0a-0d7b7a1f2a10"
#define ONE_ENDPOINT "[{\"ID\":\"e1\",\"MacAddress\":\"00-15-5D-01-02-03\"}]"
#define NOT_THERE 0x80070490u

static test_host *host;
static lcowmig_network *network;
static lcowmig_error error;

/* A network without NICs of its own that has come from another machine, was resumed here and is about to be reset. */
static void setup(void)
{
	lcowmig__wire_network wire = { .namespace_id = NAMESPACE, .namespace_supported = true };

	host = test_host_new();
	lcowmig__error_init(&error);
	test_enter(host);
	ck_assert_int_eq(lcowmig__network_import(&host->env, &wire, &network, &error), LCOWMIG_OK);
	test_leave(host);
	ck_assert_int_eq(lcowmig_network_patch(network, OTHER_NAMESPACE, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_resume(network, &error), LCOWMIG_OK);
}

static void teardown(void)
{
	lcowmig__network_free(network);
	network = NULL;
	test_host_free(host);
}

static lcowmig_status reset_to(const char *endpoints)
{
	test_host_clear_log(host);
	test_host_reply(host, "network.endpoints", endpoints);
	return lcowmig_network_reset(network, NULL, NULL, &error);
}

static void fail_hcs(unsigned nth, lcowmig_status status, uint32_t hresult)
{
	test_host_fail(host, "hcs.modify", nth, status, hresult, "no");
}

/* What HCS and the guest were asked for since the log was cleared: "a" and "r" of HCS, "A" and "R" of the guest. All for one NIC. */
static const char *asked(void)
{
	static char letters[64];
	const char *nic_id = NULL;
	const char *line = test_host_log(host);
	size_t count = 0;

	for (; *line; line = strchr(line, '\n') + 1) {
		bool is_guest = strncmp(line, "guest.rpc ", 10) == 0;
		const char *path = "VirtualMachine/Devices/NetworkAdapters/";
		const char *type = strstr(line, "\"RequestType\":\"");
		const char *id = strstr(line, path);

		if (!is_guest && strncmp(line, "hcs.modify ", 11) != 0)
			continue;
		ck_assert_ptr_nonnull(type);
		if (!is_guest) {
			ck_assert_ptr_nonnull(id);
			id += strlen(path);
			nic_id = nic_id ? nic_id : id;
			ck_assert_int_eq(strncmp(id, nic_id, 36), 0);
		}
		ck_assert_uint_lt(count, sizeof letters - 1);
		letters[count++] = (char)(type[15] == 'A' ? is_guest ? 'A' : 'a' : is_guest ? 'R' : 'r');
	}
	letters[count] = 0;
	return letters;
}

/* However it came to be there: it is on both sides exactly once, and leaves both. */
static void expect_moved(void)
{
	ck_assert_str_eq(lcowmig_network_state_name(network), "Configured");
	ck_assert_ptr_null(network->migrated_namespace_id);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_network_teardown(network, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_str_eq(asked(), "Rr");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 0);
}

static const lcowmig_status unknown[] = { LCOWMIG_E_TIMED_OUT, LCOWMIG_E_CANCELLED };

/* It was added: it goes, so that adding it does not find it there. */
START_TEST(test_nic_of_unknown_outcome_is_taken_out_and_added_when_it_is_there)
{
	fail_hcs(1, unknown[_i], 0);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), unknown[_i]);
	ck_assert_str_eq(asked(), "a");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_OK);
	ck_assert_str_eq(asked(), "raA");
	expect_moved();
}
END_TEST

static const uint32_t not_there[] = { NOT_THERE, LCOWMIG__HR_DOES_NOT_EXIST };

START_TEST(test_nic_of_unknown_outcome_is_added_when_it_is_not_there)
{
	fail_hcs(1, LCOWMIG_E_TIMED_OUT, 0);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_E_TIMED_OUT);
	fail_hcs(1, LCOWMIG_E_HOST_FAILED, not_there[_i]);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_OK);
	ck_assert_str_eq(asked(), "raA");
	expect_moved();
}
END_TEST

START_TEST(test_nic_of_unknown_outcome_stays_so_when_the_next_add_is_unknown_too)
{
	fail_hcs(1, unknown[_i], 0);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), unknown[_i]);
	fail_hcs(2, unknown[_i], 0);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), unknown[_i]);
	ck_assert_str_eq(asked(), "ra");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_OK);
	ck_assert_str_eq(asked(), "raA");
	expect_moved();
}
END_TEST

/* Nor is it taken for added when it could not be taken out, for whatever reason. */
START_TEST(test_nic_of_unknown_outcome_stays_so_when_it_cannot_be_taken_out)
{
	static const lcowmig_status statuses[] = { LCOWMIG_E_TIMED_OUT, LCOWMIG_E_CANCELLED, LCOWMIG_E_HOST_FAILED };

	fail_hcs(1, LCOWMIG_E_TIMED_OUT, 0);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_E_TIMED_OUT);
	fail_hcs(1, statuses[_i], LCOWMIG__HR_ACCESS_DENIED);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), statuses[_i]);
	ck_assert_str_eq(asked(), "r");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_OK);
	ck_assert_str_eq(asked(), "raA");
	expect_moved();
}
END_TEST

START_TEST(test_nic_of_unknown_outcome_is_forgotten_when_it_was_taken_out_and_is_refused)
{
	fail_hcs(1, LCOWMIG_E_TIMED_OUT, 0);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_E_TIMED_OUT);
	fail_hcs(2, LCOWMIG_E_HOST_FAILED, LCOWMIG__HR_FAIL);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 0);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_OK);
	ck_assert_str_eq(asked(), "aA");
	expect_moved();
}
END_TEST

START_TEST(test_nic_of_unknown_outcome_goes_with_its_network)
{
	fail_hcs(1, LCOWMIG_E_TIMED_OUT, 0);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_E_TIMED_OUT);
	test_host_clear_log(host);
	if (_i)
		fail_hcs(1, LCOWMIG_E_HOST_FAILED, not_there[_i - 1]);
	ck_assert_int_eq(lcowmig_network_teardown(network, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_str_eq(asked(), "Rr");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 0);
}
END_TEST

/* The endpoint is gone meanwhile, HCS gives up on removing its NIC, and the endpoint is there again. */
START_TEST(test_nic_of_unknown_removal_is_taken_out_and_added_when_its_endpoint_is_back)
{
	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_FAIL, "no");
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_E_GUEST_FAILED);
	fail_hcs(1, unknown[_i], 0);
	ck_assert_int_eq(reset_to("[]"), unknown[_i]);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	fail_hcs(1, LCOWMIG_E_HOST_FAILED, NOT_THERE);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_OK);
	ck_assert_str_eq(asked(), "raA");
	expect_moved();
}
END_TEST

/* Whoever cancels the reset does not make the outcome unknown: HCS says in the end that it is there, and it is not added again. */
START_TEST(test_nic_added_after_its_reset_was_cancelled_is_not_added_again)
{
	test_done done = { 0 };

	test_host_hold(host, "hcs.modify", true);
	test_host_reply(host, "network.endpoints", ONE_ENDPOINT);
	ck_assert_int_eq(lcowmig_network_reset(network, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 0);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	test_host_hold(host, "hcs.modify", false);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(reset_to(ONE_ENDPOINT), LCOWMIG_OK);
	ck_assert_ptr_null(strpbrk(asked(), "ar"));
	expect_moved();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("network_unknown");
	TCase *tcase = tcase_create("network_unknown");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_nic_of_unknown_outcome_is_taken_out_and_added_when_it_is_there, 0, 2);
	tcase_add_loop_test(tcase, test_nic_of_unknown_outcome_is_added_when_it_is_not_there, 0, 2);
	tcase_add_loop_test(tcase, test_nic_of_unknown_outcome_stays_so_when_the_next_add_is_unknown_too, 0, 2);
	tcase_add_loop_test(tcase, test_nic_of_unknown_outcome_stays_so_when_it_cannot_be_taken_out, 0, 3);
	tcase_add_test(tcase, test_nic_of_unknown_outcome_is_forgotten_when_it_was_taken_out_and_is_refused);
	tcase_add_loop_test(tcase, test_nic_of_unknown_outcome_goes_with_its_network, 0, 3);
	tcase_add_loop_test(tcase, test_nic_of_unknown_removal_is_taken_out_and_added_when_its_endpoint_is_back, 0, 2);
	tcase_add_test(tcase, test_nic_added_after_its_reset_was_cancelled_is_not_added_again);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
