/* The network controller where a host, a guest or an envelope is odd. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "network/network_private.h"

#define NAMESPACE "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10"
#define OTHER_NAMESPACE "5c8ef18c-0000-4c5b-9b0a-0d7b7a1f2a10"
#define ONE_ENDPOINT "[{\"ID\":\"e1\",\"MacAddress\":\"00-15-5D-01-02-03\"}]"

static test_host *host;
static lcowmig_network *network;
static lcowmig_error error;

static void become(const char *namespace_id)
{
	lcowmig__network_free(network);
	network = NULL;
	ck_assert_int_eq(lcowmig__network_new(&host->env, namespace_id, false, &network, &error), LCOWMIG_OK);
}

static void setup(void)
{
	host = test_host_new();
	lcowmig__error_init(&error);
	become(NAMESPACE);
}

static void teardown(void)
{
	lcowmig__network_free(network);
	network = NULL;
	test_host_free(host);
}

static lcowmig_status set_up(const char *endpoints)
{
	test_host_reply(host, "network.endpoints", endpoints);
	return lcowmig_network_setup(network, NULL, NULL, &error);
}

#define assert_state(name) ck_assert_str_eq(lcowmig_network_state_name(network), name)

/* A network that has come from another machine with the NICs of this one, and was resumed here. */
static void become_resumed(const char *endpoints)
{
	lcowmig__wire_network wire;
	lcowmig__arena arena;
	lcowmig_network *imported = NULL;

	ck_assert_int_eq(set_up(endpoints), LCOWMIG_OK);
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	test_enter(host);
	ck_assert_int_eq(lcowmig__network_capture(network, &arena, &wire, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__network_import(&host->env, &wire, &imported, &error), LCOWMIG_OK);
	test_leave(host);
	lcowmig__arena_done(&arena);
	lcowmig__network_free(network);
	network = imported;
	test_host_clear_log(host);
}

START_TEST(test_network_of_a_guest_without_namespaces_leaves_it_alone)
{
	host->env.guest_supports_namespaces = false;
	become(NAMESPACE);
	ck_assert(!network->namespace_supported);
	ck_assert_int_eq(set_up(ONE_ENDPOINT), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.rpc"), 0);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 1);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
}
END_TEST

START_TEST(test_network_without_a_namespace_is_not_set_up)
{
	become(NULL);
	ck_assert_str_eq(lcowmig_network_namespace_id(network), "");
	ck_assert_int_eq(set_up(ONE_ENDPOINT), LCOWMIG_E_INVALID_ARGUMENT);
	assert_state("Invalid");
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_network_without_endpoints_can_migrate)
{
	become_resumed("[]");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 0);
	ck_assert_int_eq(lcowmig_network_resume(network, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_teardown(network, NULL, NULL, &error), LCOWMIG_OK);
	assert_state("TornDown");
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_network_import_refuses_a_nic_that_is_there_twice)
{
	lcowmig__wire_endpoint twice[] = { { "n1", "e1", "", "" }, { "n1", "e2", "", "" } };
	lcowmig__wire_network wire = { .namespace_id = NAMESPACE, .endpoints = twice, .n_endpoints = 2 };
	lcowmig_network *imported = NULL;

	test_enter(host);
	ck_assert_int_eq(lcowmig__network_import(&host->env, &wire, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, "network " NAMESPACE ": NIC n1 is there twice");
	ck_assert_ptr_null(imported);
	twice[1].nic_id = "n2";
	ck_assert_int_eq(lcowmig__network_import(&host->env, &wire, &imported, &error), LCOWMIG_OK);
	test_leave(host);
	ck_assert_uint_eq(lcowmig_network_nic_count(imported), 2);
	lcowmig__network_free(imported);
}
END_TEST

/* Without a namespace of its own there is nothing to be moved to; what came along leaves the guest and was never on this host. */
START_TEST(test_network_patched_to_no_namespace_keeps_what_it_brought)
{
	become_resumed(ONE_ENDPOINT);
	ck_assert_int_eq(lcowmig_network_patch(network, _i ? "" : NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_resume(network, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_reset(network, NULL, NULL, &error), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	ck_assert_int_eq(lcowmig_network_teardown(network, NULL, NULL, &error), LCOWMIG_OK);
	assert_state("TornDown");
	ck_assert_uint_eq(test_host_count(host, "guest.rpc"), 1);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 0);
}
END_TEST

static lcowmig_status no_random(void *user, void *bytes, size_t size)
{
	(void)user;
	(void)bytes;
	(void)size;
	return LCOWMIG_E_HOST_FAILED;
}

START_TEST(test_network_setup_fails_when_there_are_no_random_bytes_for_a_nic)
{
	host->context->platform.random = no_random;
	ck_assert_int_eq(set_up(ONE_ENDPOINT), LCOWMIG_E_HOST_FAILED);
	ck_assert_ptr_nonnull(strstr(error.message, "no random bytes"));
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 0);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 0);
	assert_state("Invalid");
	ck_assert_int_eq(lcowmig_network_teardown(network, NULL, NULL, &error), LCOWMIG_OK);
	assert_state("TornDown");
}
END_TEST

/* The host gave up waiting: HCS may have added it all the same, so it is counted, and removed. */
START_TEST(test_network_keeps_a_nic_of_which_the_host_does_not_know_whether_it_was_added)
{
	lcowmig_status status = _i ? LCOWMIG_E_TIMED_OUT : LCOWMIG_E_CANCELLED;

	test_host_fail(host, "hcs.modify", 1, status, 0, "gave up");
	ck_assert_int_eq(set_up(ONE_ENDPOINT), status);
	assert_state("Invalid");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_network_teardown(network, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 1);
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "\"RequestType\":\"Remove\""));
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 0);
}
END_TEST

/* A NIC that an attempt brought in is not forgotten by the next one for lack of memory. */
START_TEST(test_network_reset_without_memory_keeps_the_nic_that_is_on_the_host)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	unsigned nth;

	become_resumed(ONE_ENDPOINT);
	ck_assert_int_eq(lcowmig_network_patch(network, OTHER_NAMESPACE, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_resume(network, &error), LCOWMIG_OK);
	test_host_reply(host, "network.endpoints", ONE_ENDPOINT);
	test_host_fail(host, "guest.rpc", 2, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(lcowmig_network_reset(network, NULL, NULL, &error), LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(network->own.count, 1);
	test_host_clear_log(host);
	for (nth = 1; status != LCOWMIG_OK; nth++) {
		ck_assert_uint_lt(nth, 100);
		test_host_reply(host, "network.endpoints", ONE_ENDPOINT);
		test_host_fail_allocation(host, nth, false);
		status = lcowmig_network_reset(network, NULL, NULL, &error);
		test_host_fail_allocation(host, 0, false);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
		ck_assert_uint_eq(network->own.count, 1);
	}
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 0); /* it is there */
	ck_assert_int_eq(lcowmig_network_teardown(network, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 1);
}
END_TEST

static lcowmig_status (*const operations[])(lcowmig_network *network, lcowmig_done_fn done, void *user, lcowmig_error *error) = {
	lcowmig_network_setup,
	lcowmig_network_teardown,
	lcowmig_network_reset,
};

/* One at a time: who waits its turn and is cancelled there has done nothing. */
START_TEST(test_network_operation_cancelled_in_the_queue_leaves_the_other_alone)
{
	test_done first = { 0 };
	test_done second = { 0 };

	test_host_hold(host, "network.endpoints", true);
	ck_assert_int_eq(lcowmig_network_setup(network, test_on_done, &first, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(operations[_i](network, test_on_done, &second, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &second), LCOWMIG_OK);
	ck_assert_int_eq(second.calls, 1);
	ck_assert_int_eq(second.status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(first.calls, 0);
	test_host_complete(host, "network.endpoints", LCOWMIG_OK, 0, ONE_ENDPOINT);
	ck_assert_int_eq(first.calls, 1);
	ck_assert_int_eq(first.status, LCOWMIG_OK);
	assert_state("Configured");
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
}
END_TEST

/* And who is not cancelled finds the state that the first one left. */
START_TEST(test_network_operation_in_the_queue_follows_the_other)
{
	static const lcowmig_status statuses[] = { LCOWMIG_E_FAILED_PRECONDITION, LCOWMIG_OK, LCOWMIG_OK };
	static const char *const states[] = { "Configured", "TornDown", "Configured" };
	test_done first = { 0 };
	test_done second = { 0 };

	test_host_hold(host, "network.endpoints", true);
	ck_assert_int_eq(lcowmig_network_setup(network, test_on_done, &first, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(operations[_i](network, test_on_done, &second, &error), LCOWMIG_PENDING);
	test_host_complete(host, "network.endpoints", LCOWMIG_OK, 0, ONE_ENDPOINT);
	ck_assert_int_eq(first.status, LCOWMIG_OK);
	ck_assert_int_eq(second.calls, 1);
	ck_assert_int_eq(second.status, statuses[_i]);
	assert_state(states[_i]);
}
END_TEST

/* The NIC of an endpoint that is gone stays ours until the host and the guest have let it go. */
START_TEST(test_network_reset_that_cannot_remove_an_old_nic_can_be_repeated)
{
	become_resumed(ONE_ENDPOINT);
	ck_assert_int_eq(lcowmig_network_patch(network, OTHER_NAMESPACE, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_resume(network, &error), LCOWMIG_OK);
	test_host_reply(host, "network.endpoints", ONE_ENDPOINT);
	test_host_fail(host, "guest.rpc", 2, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(lcowmig_network_reset(network, NULL, NULL, &error), LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(network->own.count, 1);
	test_host_reply(host, "network.endpoints", "[]");
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(lcowmig_network_reset(network, NULL, NULL, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_ptr_nonnull(strstr(error.message, "could not be moved to namespace " OTHER_NAMESPACE));
	ck_assert_uint_eq(network->own.count, 1);
	test_host_reply(host, "network.endpoints", "[]");
	ck_assert_int_eq(lcowmig_network_reset(network, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 0);
}
END_TEST

START_TEST(test_network_refuses_places_that_are_null)
{
	uint8_t bytes[1024];
	lcowmig_sandbox *sandbox = NULL;
	lcowmig_network *imported = NULL;
	size_t size = 0;

	ck_assert_int_eq(set_up(ONE_ENDPOINT), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_save(network, bytes, sizeof bytes, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_state("Configured");
	ck_assert_int_eq(lcowmig_network_save(network, bytes, sizeof bytes, &size, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_import(sandbox, bytes, size, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_network_import(NULL, bytes, size, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(imported);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("network_edges");
	TCase *tcase = tcase_create("network_edges");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_network_of_a_guest_without_namespaces_leaves_it_alone);
	tcase_add_test(tcase, test_network_without_a_namespace_is_not_set_up);
	tcase_add_test(tcase, test_network_without_endpoints_can_migrate);
	tcase_add_test(tcase, test_network_import_refuses_a_nic_that_is_there_twice);
	tcase_add_loop_test(tcase, test_network_patched_to_no_namespace_keeps_what_it_brought, 0, 2);
	tcase_add_test(tcase, test_network_setup_fails_when_there_are_no_random_bytes_for_a_nic);
	tcase_add_loop_test(tcase, test_network_keeps_a_nic_of_which_the_host_does_not_know_whether_it_was_added, 0, 2);
	tcase_add_test(tcase, test_network_reset_without_memory_keeps_the_nic_that_is_on_the_host);
	tcase_add_loop_test(tcase, test_network_operation_cancelled_in_the_queue_leaves_the_other_alone, 0, 3);
	tcase_add_loop_test(tcase, test_network_operation_in_the_queue_follows_the_other, 0, 3);
	tcase_add_test(tcase, test_network_reset_that_cannot_remove_an_old_nic_can_be_repeated);
	tcase_add_test(tcase, test_network_refuses_places_that_are_null);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
