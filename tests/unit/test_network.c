/* The network controller against the scripted host: setup and teardown. Ids in comments are those of tests/acceptance.tsv. */
#include "network_fixture.h"

/* ---- Construction ---- */

/* NET-01 */
START_TEST(test_network_new_reads_the_capability_and_is_not_configured)
{
	ck_assert(network->namespace_supported);
	host->env.guest_supports_namespaces = false;
	ck_assert(network->namespace_supported);
	assert_state("NotConfigured");
	ck_assert_str_eq(lcowmig_network_namespace_id(network), NAMESPACE);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 0);
	test_host_expect_log(host, "");
}
END_TEST

/* NET-02 */
START_TEST(test_network_new_without_a_guest_takes_namespaces_for_unsupported)
{
	lcowmig_network *other;

	host->env.has_guest = false;
	ck_assert_int_eq(lcowmig__network_new(&host->env, NAMESPACE, false, &other, &error), LCOWMIG_OK);
	ck_assert(!other->namespace_supported);
	lcowmig__network_free(other);
}
END_TEST

/* ---- Setup ---- */

/* NET-03 */
START_TEST(test_network_setup_is_refused_outside_not_configured)
{
	become(_i);
	ck_assert_int_eq(set_up(), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says(lcowmig_network_state_name(network));
	ck_assert_int_eq(network->object.state, _i);
	test_host_expect_log(host, "");
}
END_TEST

/* NET-04 */
START_TEST(test_network_setup_fails_and_leaves_invalid_when_the_namespace_is_empty)
{
	lcowmig__network_free(network);
	ck_assert_int_eq(lcowmig__network_new(&host->env, "", false, &network, &error), LCOWMIG_OK);
	ck_assert_int_eq(set_up(), LCOWMIG_E_INVALID_ARGUMENT);
	assert_state("Invalid");
	test_host_expect_log(host, "");
}
END_TEST

/* NET-08 */
START_TEST(test_network_setup_adds_on_the_host_then_in_the_guest)
{
	const char *log;

	ck_assert_int_eq(set_up(), LCOWMIG_OK);
	assert_state("Configured");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	log = test_host_log(host);
	ck_assert_ptr_nonnull(strstr(log, "network.endpoints " NAMESPACE "\n" HCS_NIC));
	ck_assert_ptr_nonnull(strstr(log, "\"RequestType\":\"Add\",\"Settings\":{\"EndpointId\":\"f7b5d1a0-2f3e-4b6c-8d9e-112233445566\","
					  "\"MacAddress\":\"00-15-5D-01-02-03\"}}\n" GUEST_ADD));
	ck_assert_ptr_nonnull(strstr(log, "\"NamespaceID\":\"" NAMESPACE "\""));
	ck_assert_ptr_nonnull(strstr(log, "\"EncapOverhead\":50"));
	ck_assert_ptr_nonnull(strstr(log, "\"IPConfigs\":[{\"IPAddress\":\"10.244.1.7\",\"PrefixLength\":24}]"));
}
END_TEST

/* NET-09, NET-15 */
START_TEST(test_network_leaves_the_guest_alone_when_it_has_no_namespaces)
{
	network->namespace_supported = false;
	ck_assert_int_eq(set_up(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, HCS_NIC), 1);
	ck_assert_uint_eq(test_host_count(host, "guest.rpc"), 0);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, HCS_NIC), 2);
	ck_assert_uint_eq(test_host_count(host, "guest.rpc"), 0);
	assert_state("TornDown");
}
END_TEST

/* NET-10 */
START_TEST(test_network_setup_tracks_nothing_when_the_host_refuses)
{
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80070057, "bad endpoint");
	ck_assert_int_eq(set_up(), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80070057);
	assert_says("bad endpoint");
	assert_state("Invalid");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 0);
	ck_assert_uint_eq(test_host_count(host, "guest.rpc"), 0);
}
END_TEST

/* NET-20 */
START_TEST(test_network_teardown_removes_both_sides_after_the_guest_refused)
{
	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_FAIL, "no such device");
	ck_assert_int_eq(set_up(), LCOWMIG_E_GUEST_FAILED);
	assert_state("Invalid");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	test_host_clear_log(host);
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, GUEST_REMOVE), 1);
	ck_assert_uint_eq(test_host_count(host, HCS_NIC), 1);
	assert_state("TornDown");
}
END_TEST

/* NET-36 */
START_TEST(test_network_setup_adds_the_endpoint_named_eth0_first)
{
	const char *first, *second;

	test_host_reply(host, "network.endpoints", endpoints(3));
	ck_assert_int_eq(set_up(), LCOWMIG_OK);
	first = strstr(test_host_log(host), "-000000000001\"");
	second = strstr(test_host_log(host), "-000000000000\",\"MacAddress");
	ck_assert(first && second && first < second);
	ck_assert(strstr(test_host_log(host), "-000000000002\"") > second);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 3);
	/* A pod that is not started needs nothing to be forgotten. */
	ck_assert_uint_eq(test_host_count(host, GUEST_REMOVE), 0);
}
END_TEST

START_TEST(test_network_setup_fails_when_the_answer_is_not_what_it_must_be)
{
	test_host_reply(host, "network.endpoints", "{\"not\":\"a list\"}");
	ck_assert_int_eq(set_up(), LCOWMIG_E_CORRUPT_DATA);
	assert_state("Invalid");
}
END_TEST

START_TEST(test_network_setup_waits_its_turn_and_reports_once)
{
	test_done first = { 0 }, second = { 0 };

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_network_setup(network, test_on_done, &first, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_network_teardown(network, test_on_done, &second, &error), LCOWMIG_PENDING);
	test_host_hold(host, "hcs.modify", false);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(first.calls, 1);
	ck_assert_int_eq(first.status, LCOWMIG_OK);
	ck_assert_int_eq(second.calls, 1);
	ck_assert_int_eq(second.status, LCOWMIG_OK);
	assert_state("TornDown");
}
END_TEST

/* a cancelled set-up knows what became of what it had asked for. */
START_TEST(test_network_setup_keeps_count_of_its_nic_when_it_is_cancelled)
{
	test_done done = { 0 };

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_network_setup(network, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 0);
	test_host_hold(host, "hcs.modify", false);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	assert_state("Invalid");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, HCS_NIC), 2);
}
END_TEST

/* ---- Teardown ---- */

/* NET-05, NET-06 */
START_TEST(test_network_teardown_does_nothing_where_nothing_is)
{
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	assert_state("NotConfigured");
	test_host_expect_log(host, "");
	become(NETWORK_TORN_DOWN);
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	assert_state("TornDown");
	test_host_expect_log(host, "");
}
END_TEST

/* NET-07 */
START_TEST(test_network_teardown_forgets_the_nics_of_a_migrating_network)
{
	become(_i);
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	assert_state("TornDown");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 0);
	test_host_expect_log(host, "");
}
END_TEST

/* NET-11 */
START_TEST(test_network_teardown_removes_in_the_guest_then_on_the_host)
{
	const char *log;

	become(NETWORK_CONFIGURED);
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	log = test_host_log(host);
	ck_assert_ptr_eq(strstr(log, GUEST_REMOVE ",\"Settings\":{\"NamespaceID\":\"" NAMESPACE "\",\"ID\":\""), log);
	ck_assert_ptr_nonnull(strstr(log,
				     "\"RequestType\":\"Remove\",\"Settings\":{\"EndpointId\":\"f7b5d1a0-2f3e-4b6c-8d9e-112233445566\","
				     "\"MacAddress\":\"00-15-5D-01-02-03\"}}\n"));
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 1);
}
END_TEST

/* NET-12 */
START_TEST(test_network_teardown_keeps_the_host_nic_when_the_guest_refuses)
{
	become(NETWORK_CONFIGURED);
	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_FAIL, "busy");
	ck_assert_int_eq(tear_down(), LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(error.hresult, LCOWMIG__HR_FAIL);
	assert_says("1 of 1");
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 0);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	assert_state("Invalid");
}
END_TEST

/* NET-13, NET-14 */
START_TEST(test_network_teardown_goes_on_when_the_guest_is_gone)
{
	become(NETWORK_CONFIGURED);
	if (_i)
		host->env.has_guest = false;
	else
		test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_UNAVAILABLE, 0, "bridge closed");
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 1);
	assert_state("TornDown");
}
END_TEST

static const uint32_t gone[] = { LCOWMIG__HR_DOES_NOT_EXIST, LCOWMIG__HR_ALREADY_STOPPED, LCOWMIG__HR_INVALID_STATE,
				 LCOWMIG__HR_INVALID_STATE_OLD, LCOWMIG__HR_INVALID_HANDLE };

/* NET-16 */
START_TEST(test_network_teardown_succeeds_when_the_machine_is_gone)
{
	become(NETWORK_CONFIGURED);
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, gone[_i], "gone");
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	assert_state("TornDown");
}
END_TEST

/* NET-17, NET-18, NET-21 */
START_TEST(test_network_teardown_attempts_all_and_may_be_repeated)
{
	test_host_reply(host, "network.endpoints", endpoints(3));
	ck_assert_int_eq(set_up(), LCOWMIG_OK);
	test_host_clear_log(host);
	test_host_fail(host, "guest.rpc", 2, LCOWMIG_E_GUEST_FAILED, 0x80004005, "stuck");
	ck_assert_int_eq(tear_down(), LCOWMIG_E_GUEST_FAILED);
	assert_says("1 of 3");
	assert_says("stuck");
	ck_assert_uint_eq(test_host_count(host, GUEST_REMOVE), 3);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 2);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	assert_state("Invalid");
	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "stuck");
	ck_assert_int_eq(tear_down(), LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	assert_state("Invalid");
	test_host_clear_log(host);
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, GUEST_REMOVE), 1);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 0);
	assert_state("TornDown");
}
END_TEST

/* NET-19 */
START_TEST(test_network_teardown_keeps_what_the_host_does_not_give_up)
{
	become(NETWORK_CONFIGURED);
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "access denied");
	ck_assert_int_eq(tear_down(), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80070005);
	assert_state("Invalid");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
}
END_TEST

/* ---- Memory ---- */

START_TEST(test_network_setup_survives_every_failing_allocation)
{
	unsigned nth;

	for (nth = 1; nth < 200; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = set_up();
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		if (network->object.state == NETWORK_INVALID) {
			ck_assert_int_eq(tear_down(), LCOWMIG_OK);
			teardown();
			setup();
		} else {
			assert_state("NotConfigured");
		}
	}
	ck_assert_uint_lt(nth, 200);
	assert_state("Configured");
}
END_TEST

START_TEST(test_network_refuses_null)
{
	size_t size;

	ck_assert_int_eq(lcowmig_network_setup(NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_network_teardown(NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_network_reset(NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_network_resume(NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_network_patch(NULL, "n", &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_network_save(NULL, NULL, 0, &size, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_network_import(NULL, NULL, 0, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_network_free(NULL, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_network_state_name(NULL), "");
	ck_assert_str_eq(lcowmig_network_namespace_id(NULL), "");
	ck_assert_uint_eq(lcowmig_network_nic_count(NULL), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("network");
	TCase *tcase = tcase_create("network");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_network_new_reads_the_capability_and_is_not_configured);
	tcase_add_test(tcase, test_network_new_without_a_guest_takes_namespaces_for_unsupported);
	tcase_add_loop_test(tcase, test_network_setup_is_refused_outside_not_configured, NETWORK_CONFIGURED, NETWORK_STATES);
	tcase_add_test(tcase, test_network_setup_fails_and_leaves_invalid_when_the_namespace_is_empty);
	tcase_add_test(tcase, test_network_setup_adds_on_the_host_then_in_the_guest);
	tcase_add_test(tcase, test_network_leaves_the_guest_alone_when_it_has_no_namespaces);
	tcase_add_test(tcase, test_network_setup_tracks_nothing_when_the_host_refuses);
	tcase_add_test(tcase, test_network_teardown_removes_both_sides_after_the_guest_refused);
	tcase_add_test(tcase, test_network_setup_adds_the_endpoint_named_eth0_first);
	tcase_add_test(tcase, test_network_setup_fails_when_the_answer_is_not_what_it_must_be);
	tcase_add_test(tcase, test_network_setup_waits_its_turn_and_reports_once);
	tcase_add_test(tcase, test_network_setup_keeps_count_of_its_nic_when_it_is_cancelled);
	tcase_add_test(tcase, test_network_setup_survives_every_failing_allocation);
	tcase_add_test(tcase, test_network_refuses_null);
	tcase_add_test(tcase, test_network_teardown_does_nothing_where_nothing_is);
	tcase_add_loop_test(tcase, test_network_teardown_forgets_the_nics_of_a_migrating_network, NETWORK_DESTINATION_MIGRATING,
			    NETWORK_STATES);
	tcase_add_test(tcase, test_network_teardown_removes_in_the_guest_then_on_the_host);
	tcase_add_test(tcase, test_network_teardown_keeps_the_host_nic_when_the_guest_refuses);
	tcase_add_loop_test(tcase, test_network_teardown_goes_on_when_the_guest_is_gone, 0, 2);
	tcase_add_loop_test(tcase, test_network_teardown_succeeds_when_the_machine_is_gone, 0, (int)LCOWMIG__COUNT(gone));
	tcase_add_test(tcase, test_network_teardown_attempts_all_and_may_be_repeated);
	tcase_add_test(tcase, test_network_teardown_keeps_what_the_host_does_not_give_up);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
