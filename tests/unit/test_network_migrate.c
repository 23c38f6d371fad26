/* The network controller against the scripted host: its way to another machine, and the new NICs there. */
#include "network_fixture.h"

#define OTHER_NAMESPACE "5c8ef18c-0000-4c5b-9b0a-0d7b7a1f2a10"

static lcowmig_status reset(void)
{
	return lcowmig_network_reset(network, NULL, NULL, &error);
}

static void become_resumed(unsigned count)
{
	become_imported(count);
	ck_assert_int_eq(lcowmig_network_patch(network, OTHER_NAMESPACE, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_resume(network, &error), LCOWMIG_OK);
}

/* ---- Save and import ---- */

static const int not_savable[] = { NETWORK_NOT_CONFIGURED, NETWORK_INVALID, NETWORK_TORN_DOWN, NETWORK_DESTINATION_MIGRATING };

/* NET-22 */
START_TEST(test_network_save_is_refused_unless_configured)
{
	uint8_t bytes[4096];
	size_t size = 77;

	become(not_savable[_i]);
	ck_assert_int_eq(lcowmig_network_save(network, bytes, sizeof bytes, &size, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_uint_eq(size, 77);
	assert_says(lcowmig_network_state_name(network));
	ck_assert_int_eq(network->object.state, not_savable[_i]);
}
END_TEST

/* NET-23, NET-26: an entry without data cannot come into being, because an import refuses it. */
START_TEST(test_network_import_refuses_a_binding_without_ids)
{
	lcowmig__wire_endpoint binding = { "6a3f6c57-6c0e-4a0e-9c5f-0c2f3b7e9c11", "", "", "" };
	lcowmig__wire_network wire = { .namespace_id = NAMESPACE, .endpoints = &binding, .n_endpoints = 1 };
	lcowmig_network *imported = NULL;

	test_enter(host);
	ck_assert_int_eq(lcowmig__network_import(&host->env, &wire, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	binding.nic_id = "";
	binding.endpoint_id = "e";
	ck_assert_int_eq(lcowmig__network_import(&host->env, &wire, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	test_leave(host);
	ck_assert_ptr_null(imported);
}
END_TEST

/* NET-24, NET-25, NET-27, NET-28, X-02 */
START_TEST(test_network_save_and_import_reproduce_everything)
{
	uint8_t first[4096], again[4096], copy[4096];
	lcowmig__wire_network wire, other;
	lcowmig__arena arena;
	lcowmig_network *imported;
	size_t size, i;

	network->policy_based_routing = true;
	test_host_reply(host, "network.endpoints", endpoints(3));
	ck_assert_int_eq(set_up(), LCOWMIG_OK);
	size = save(NULL, 0);
	assert_state("Configured");
	ck_assert_uint_eq(save(first, sizeof first), size);
	assert_state("SourceMigrating");
	ck_assert_uint_eq(save(again, sizeof again), size);
	assert_state("SourceMigrating");
	ck_assert_mem_eq(first, again, size);
	ck_assert_mem_eq(first + 2, LCOWMIG__TYPE_URL_NETWORK, strlen(LCOWMIG__TYPE_URL_NETWORK));

	ck_assert_int_eq(import(first, size, &imported), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_network_state_name(imported), "DestinationMigrating");
	ck_assert_str_eq(imported->namespace_id, NAMESPACE);
	ck_assert(imported->policy_based_routing && imported->namespace_supported);
	ck_assert_uint_eq(lcowmig_network_nic_count(imported), 3);
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	ck_assert_int_eq(lcowmig__network_capture(network, &arena, &wire, &error), LCOWMIG_OK);
	test_enter(host);
	ck_assert_int_eq(lcowmig__network_resume(imported, &error), LCOWMIG_OK);
	test_leave(host);
	ck_assert_int_eq(lcowmig__network_capture(imported, &arena, &other, &error), LCOWMIG_OK);
	ck_assert_uint_eq(other.n_endpoints, wire.n_endpoints);
	for (i = 0; i < wire.n_endpoints; i++) {
		ck_assert_str_eq(other.endpoints[i].nic_id, wire.endpoints[i].nic_id);
		ck_assert_str_eq(other.endpoints[i].endpoint_id, wire.endpoints[i].endpoint_id);
		ck_assert_str_eq(other.endpoints[i].mac_address, wire.endpoints[i].mac_address);
		ck_assert_str_eq(other.endpoints[i].endpoint_name, wire.endpoints[i].endpoint_name);
	}
	/* Save, import, save is the identity. */
	ck_assert_int_eq(lcowmig_network_save(imported, copy, sizeof copy, &i, &error), LCOWMIG_OK);
	ck_assert_uint_eq(i, size);
	ck_assert_mem_eq(copy, first, size);
	lcowmig__arena_done(&arena);
	lcowmig__network_free(imported);
}
END_TEST

START_TEST(test_network_save_freezes_nothing_when_the_buffer_is_too_small)
{
	uint8_t byte;
	size_t size = 0;

	become(NETWORK_CONFIGURED);
	ck_assert_int_eq(lcowmig_network_save(network, &byte, 1, &size, &error), LCOWMIG_E_INVALID_ARGUMENT);
	assert_state("Configured");
}
END_TEST

/* */
START_TEST(test_network_save_is_refused_while_an_operation_is_in_flight)
{
	uint8_t bytes[4096];
	test_done done = { 0 };
	size_t size;

	become(NETWORK_CONFIGURED);
	test_host_hold(host, "guest.rpc", true);
	ck_assert_int_eq(lcowmig_network_teardown(network, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_network_save(network, bytes, sizeof bytes, &size, &error), LCOWMIG_E_FAILED_PRECONDITION);
	assert_says("teardown");
	assert_state("Configured");
	test_host_hold(host, "guest.rpc", false);
	test_host_complete(host, "guest.rpc", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

/* NET-26 */
START_TEST(test_network_import_refuses_what_is_no_network_envelope)
{
	lcowmig_sandbox *sandbox;
	lcowmig_network *imported = NULL;
	uint8_t bytes[4096];
	size_t size;

	become(NETWORK_CONFIGURED);
	size = save(bytes, sizeof bytes);
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_import(sandbox, NULL, 0, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_network_import(sandbox, bytes, size - 1, &imported, &error), LCOWMIG_E_CORRUPT_DATA);
	bytes[12]++;
	ck_assert_int_eq(lcowmig_network_import(sandbox, bytes, size, &imported, &error), LCOWMIG_E_INVALID_ARGUMENT);
	bytes[12]--;
	ck_assert_ptr_null(imported);
	ck_assert_int_eq(lcowmig_network_import(sandbox, bytes, size, &imported, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_context_free(host->context), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_network_free(imported, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_free(network, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_OK);
}
END_TEST

/* ---- Patch, resume ---- */

/* NET-29, NET-30 */
START_TEST(test_network_patch_records_the_namespace_only_of_an_imported_network)
{
	become(_i);
	if (_i == NETWORK_DESTINATION_MIGRATING) {
		ck_assert_int_eq(lcowmig_network_patch(network, "first", &error), LCOWMIG_OK);
		ck_assert_int_eq(lcowmig_network_patch(network, OTHER_NAMESPACE, &error), LCOWMIG_OK);
		ck_assert_str_eq(network->migrated_namespace_id, OTHER_NAMESPACE);
		ck_assert_str_eq(network->namespace_id, NAMESPACE);
		assert_state("DestinationMigrating");
	} else {
		ck_assert_int_eq(lcowmig_network_patch(network, OTHER_NAMESPACE, &error), LCOWMIG_E_FAILED_PRECONDITION);
		ck_assert_ptr_null(network->migrated_namespace_id);
	}
	test_host_expect_log(host, "");
}
END_TEST

/* NET-31, NET-32, NET-33, X-42 */
START_TEST(test_network_resume_leaves_only_the_migrating_states)
{
	bool is_allowed = _i == NETWORK_CONFIGURED || _i == NETWORK_SOURCE_MIGRATING || _i == NETWORK_DESTINATION_MIGRATING;
	size_t count;

	become(_i);
	count = lcowmig_network_nic_count(network);
	ck_assert_int_eq(lcowmig_network_resume(network, &error), is_allowed ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(network->object.state, is_allowed ? NETWORK_CONFIGURED : _i);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), count);
	test_host_expect_log(host, "");
}
END_TEST

/* */
START_TEST(test_network_abort_tears_down_a_migrating_network_and_no_other)
{
	bool is_migrating = _i == NETWORK_SOURCE_MIGRATING || _i == NETWORK_DESTINATION_MIGRATING;

	become(_i);
	ck_assert_int_eq(lcowmig__network_is_migrating(network), is_migrating);
	test_enter(host);
	lcowmig__network_abort(network);
	test_leave(host);
	ck_assert_int_eq(network->object.state, is_migrating ? NETWORK_TORN_DOWN : _i);
	test_host_expect_log(host, "");
}
END_TEST

/* ---- Reset ---- */

/* NET-34, NET-37 */
START_TEST(test_network_reset_does_nothing_without_a_namespace)
{
	become_imported(1);
	ck_assert_int_eq(lcowmig_network_resume(network, &error), LCOWMIG_OK);
	ck_assert_int_eq(reset(), LCOWMIG_OK);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
	test_host_expect_log(host, "");
}
END_TEST

/* NET-35, NET-37, X-39, X-40: two guest round trips for one NIC */
START_TEST(test_network_reset_replaces_the_nics_under_the_saved_namespace)
{
	char old_nic[64], *new_nic;
	const char *log;

	become_resumed(1);
	snprintf(old_nic, sizeof old_nic, "%s", LCOWMIG__TREE_ENTRY(lcowmig__tree_first(&network->inherited), lcowmig__nic, node)->wire.nic_id);
	ck_assert_int_eq(reset(), LCOWMIG_OK);
	assert_state("Configured");
	log = test_host_log(host);
	ck_assert_ptr_eq(strstr(log, GUEST_REMOVE), log);
	ck_assert_ptr_nonnull(strstr(log, old_nic));
	ck_assert_ptr_nonnull(strstr(log, "\nnetwork.endpoints " OTHER_NAMESPACE "\n" HCS_NIC));
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 1);
	ck_assert_uint_eq(test_host_count(host, GUEST_ADD), 1);
	ck_assert_ptr_nonnull(strstr(strstr(log, GUEST_ADD), "\"NamespaceID\":\"" NAMESPACE "\""));
	new_nic = strstr(log, HCS_NIC) + strlen(HCS_NIC);
	ck_assert_int_ne(strncmp(new_nic, old_nic, strlen(old_nic)), 0);
	ck_assert_uint_eq(network->inherited.count, 0);
	ck_assert_uint_eq(network->own.count, 1);

	test_host_clear_log(host);
	ck_assert_int_eq(reset(), LCOWMIG_OK);
	test_host_expect_log(host, "");
}
END_TEST

/* inherited ones leave at once; before each further Add the record of the configured one is removed. */
START_TEST(test_network_reset_removes_the_record_of_a_configured_nic_before_the_next_add)
{
	unsigned depth = 0, most = 0;
	const char *line;

	become_resumed(3);
	test_host_reply(host, "network.endpoints", endpoints(3));
	ck_assert_int_eq(reset(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, GUEST_ADD), 3);
	ck_assert_uint_eq(test_host_count(host, GUEST_REMOVE), 3 + 2);
	for (line = test_host_log(host); line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, GUEST_ADD, strlen(GUEST_ADD)) == 0)
			depth++;
		else if (depth && strncmp(line, GUEST_REMOVE, strlen(GUEST_REMOVE)) == 0)
			depth--;
		most = depth > most ? depth : most;
	}
	ck_assert_uint_eq(most, 1);
	ck_assert_uint_eq(network->own.count, 3);

	test_host_clear_log(host);
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 3);
	assert_state("TornDown");
}
END_TEST

/* what can go at once does. */
START_TEST(test_network_reset_removes_inherited_nics_in_one_round_trip)
{
	test_done done = { 0 };

	become_resumed(4);
	test_host_hold(host, "guest.rpc", true);
	ck_assert_int_eq(lcowmig_network_reset(network, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_uint_eq(test_host_pending(host, "guest.rpc"), 4);
	test_host_hold(host, "guest.rpc", false);
	while (test_host_pending(host, "guest.rpc"))
		test_host_complete(host, "guest.rpc", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

/* fail the 1st, 2nd, 3rd … call; the next attempt neither leaks a NIC nor removes its own. */
START_TEST(test_network_reset_goes_on_from_any_failure)
{
	static const char *const operations[] = { "guest.rpc", "hcs.modify", "network.endpoints" };
	unsigned operation, nth;

	for (operation = 0; operation < LCOWMIG__COUNT(operations); operation++) {
		for (nth = 1; nth < 20; nth++) {
			lcowmig_status status;

			if (network)
				teardown();
			setup();
			become_resumed(2);
			test_host_reply(host, "network.endpoints", endpoints(2));
			test_host_reply(host, "network.endpoints", endpoints(2));
			test_host_fail(host, operations[operation], nth, LCOWMIG_E_HOST_FAILED, 0x80004005, "scripted");
			status = reset();
			if (status == LCOWMIG_OK)
				break;
			ck_assert_int_eq(status, LCOWMIG_E_HOST_FAILED);
			ck_assert_ptr_nonnull(network->migrated_namespace_id);
			assert_state("Configured");
			ck_assert_int_eq(reset(), LCOWMIG_OK);
			ck_assert_uint_eq(network->inherited.count, 0);
			ck_assert_uint_eq(network->own.count, 2);
			/* Every NIC that the host was given and kept is ours, and is given back. */
			test_host_clear_log(host);
			ck_assert_int_eq(tear_down(), LCOWMIG_OK);
			ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 2);
		}
		ck_assert_uint_gt(nth, 1);
		ck_assert_uint_lt(nth, 20);
	}
}
END_TEST

/* */
START_TEST(test_network_reset_removes_its_own_nic_when_the_endpoint_is_gone_meanwhile)
{
	become_resumed(1);
	test_host_reply(host, "network.endpoints", endpoints(2));
	test_host_fail(host, "guest.rpc", 3, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(reset(), LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(network->own.count, 1);
	test_host_clear_log(host);
	test_host_reply(host, "network.endpoints", endpoints(1));
	ck_assert_int_eq(reset(), LCOWMIG_OK);
	ck_assert_uint_eq(network->own.count, 1);
	ck_assert_str_eq(LCOWMIG__TREE_ENTRY(lcowmig__tree_first(&network->own), lcowmig__nic, node)->wire.endpoint_id,
			 "f7b5d1a0-2f3e-4b6c-8d9e-000000000000");
	ck_assert_uint_eq(test_host_count(host, HCS_NIC), 2);
}
END_TEST

/* */
START_TEST(test_network_reset_is_unavailable_without_a_guest)
{
	become_resumed(1);
	host->env.has_guest = false;
	ck_assert_int_eq(reset(), LCOWMIG_E_UNAVAILABLE);
	assert_state("Configured");
	host->env.has_guest = true;
	ck_assert_int_eq(reset(), LCOWMIG_OK);
}
END_TEST

START_TEST(test_network_reset_needs_a_resume_first)
{
	become_imported(1);
	ck_assert_int_eq(lcowmig_network_patch(network, OTHER_NAMESPACE, &error), LCOWMIG_OK);
	ck_assert_int_eq(reset(), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_network_reset_touches_no_guest_that_has_no_namespaces)
{
	become_resumed(1);
	network->namespace_supported = false;
	ck_assert_int_eq(reset(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.rpc"), 0);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 1);
	ck_assert_uint_eq(lcowmig_network_nic_count(network), 1);
}
END_TEST

/* A second migration, A to B to C: what was added on B is inherited on C. */
START_TEST(test_network_can_migrate_again)
{
	uint8_t bytes[4096];
	lcowmig_network *third;
	size_t size;

	become_resumed(2);
	test_host_reply(host, "network.endpoints", endpoints(2));
	ck_assert_int_eq(reset(), LCOWMIG_OK);
	size = save(bytes, sizeof bytes);
	ck_assert_int_eq(import(bytes, size, &third), LCOWMIG_OK);
	ck_assert_uint_eq(third->inherited.count, 2);
	lcowmig__network_free(third);
}
END_TEST

START_TEST(test_network_migration_survives_every_failing_allocation)
{
	uint8_t bytes[4096];
	unsigned nth;
	size_t size;

	become(NETWORK_CONFIGURED);
	for (nth = 1; nth < 100; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = lcowmig_network_save(network, bytes, sizeof bytes, &size, &error);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		assert_state("Configured");
	}
	for (nth = 1; nth < 100; nth++) {
		lcowmig_network *imported = NULL;
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = import(bytes, size, &imported);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK) {
			lcowmig__network_free(network);
			network = imported;
			break;
		}
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
	ck_assert_int_eq(lcowmig_network_patch(network, OTHER_NAMESPACE, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_resume(network, &error), LCOWMIG_OK);
	for (nth = 1; nth < 200; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = reset();
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
	ck_assert_uint_lt(nth, 200);
	ck_assert_uint_eq(network->own.count, 1);
	ck_assert_uint_eq(network->inherited.count, 0);
	test_host_clear_log(host);
	ck_assert_int_eq(tear_down(), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "hcs.modify"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("network migrate");
	TCase *tcase = tcase_create("network migrate");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_network_save_is_refused_unless_configured, 0, (int)LCOWMIG__COUNT(not_savable));
	tcase_add_test(tcase, test_network_import_refuses_a_binding_without_ids);
	tcase_add_test(tcase, test_network_save_and_import_reproduce_everything);
	tcase_add_test(tcase, test_network_save_freezes_nothing_when_the_buffer_is_too_small);
	tcase_add_test(tcase, test_network_save_is_refused_while_an_operation_is_in_flight);
	tcase_add_test(tcase, test_network_import_refuses_what_is_no_network_envelope);
	tcase_add_loop_test(tcase, test_network_patch_records_the_namespace_only_of_an_imported_network, 0, NETWORK_STATES);
	tcase_add_loop_test(tcase, test_network_resume_leaves_only_the_migrating_states, 0, NETWORK_STATES);
	tcase_add_loop_test(tcase, test_network_abort_tears_down_a_migrating_network_and_no_other, 0, NETWORK_STATES);
	tcase_add_test(tcase, test_network_reset_does_nothing_without_a_namespace);
	tcase_add_test(tcase, test_network_reset_replaces_the_nics_under_the_saved_namespace);
	tcase_add_test(tcase, test_network_reset_removes_the_record_of_a_configured_nic_before_the_next_add);
	tcase_add_test(tcase, test_network_reset_removes_inherited_nics_in_one_round_trip);
	tcase_add_test(tcase, test_network_reset_goes_on_from_any_failure);
	tcase_add_test(tcase, test_network_reset_removes_its_own_nic_when_the_endpoint_is_gone_meanwhile);
	tcase_add_test(tcase, test_network_reset_is_unavailable_without_a_guest);
	tcase_add_test(tcase, test_network_reset_needs_a_resume_first);
	tcase_add_test(tcase, test_network_reset_touches_no_guest_that_has_no_namespaces);
	tcase_add_test(tcase, test_network_can_migrate_again);
	tcase_add_test(tcase, test_network_migration_survives_every_failing_allocation);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
