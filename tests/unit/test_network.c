/* The network controller against the scripted host. Ids in comments are those of tests/acceptance.tsv. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "network/network_private.h"

#define NAMESPACE "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10"
#define OTHER_NAMESPACE "5c8ef18c-0000-4c5b-9b0a-0d7b7a1f2a10"
#define GUEST_ADD                                                                                                                          \
	"guest.rpc 0x10100a01 {\"ContainerId\":\"00000000-0000-0000-0000-000000000000\",\"ActivityId\":"                                   \
	"\"00000000-0000-0000-0000-000000000000\",\"Request\":{\"RequestType\":\"Add\",\"ResourceType\":\"Network\""
#define GUEST_REMOVE                                                                                                                       \
	"guest.rpc 0x10100a01 {\"ContainerId\":\"00000000-0000-0000-0000-000000000000\",\"ActivityId\":"                                   \
	"\"00000000-0000-0000-0000-000000000000\",\"Request\":{\"RequestType\":\"Remove\",\"ResourceType\":\"Network\""
#define HCS_NIC "hcs.modify {\"ResourcePath\":\"VirtualMachine/Devices/NetworkAdapters/"

static test_host *host;
static lcowmig_network *network;
static lcowmig_error error = LCOWMIG_ERROR_INIT;

static void setup(void)
{
	host = test_host_new();
	ck_assert_int_eq(lcowmig__network_new(&host->env, NAMESPACE, false, &network, &error), LCOWMIG_OK);
}

static void teardown(void)
{
	lcowmig__network_free(network);
	network = NULL;
	test_host_free(host);
}

/* ---- What the tests do again and again ---- */

static lcowmig_status set_up(void)
{
	return lcowmig_network_setup(network, NULL, NULL, &error);
}

static lcowmig_status tear_down(void)
{
	return lcowmig_network_teardown(network, NULL, NULL, &error);
}

static lcowmig_status reset(void)
{
	return lcowmig_network_reset(network, NULL, NULL, &error);
}

static size_t save(uint8_t *bytes, size_t capacity)
{
	size_t size = 0;

	ck_assert_int_eq(lcowmig_network_save(network, bytes, capacity, &size, &error), LCOWMIG_OK);
	return size;
}

static lcowmig_status import(const uint8_t *bytes, size_t size, lcowmig_network **ret_network)
{
	lcowmig__wire_network wire;
	lcowmig__arena arena;
	lcowmig_status status;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	status = lcowmig__wire_decode_network(&arena, &host->context->limits, bytes, size, &wire, &error);
	test_enter(host);
	if (status == LCOWMIG_OK)
		status = lcowmig__network_import(&host->env, &wire, ret_network, &error);
	test_leave(host);
	lcowmig__arena_done(&arena);
	return status;
}

static char *endpoints(unsigned count)
{
	static char json[4096];
	size_t used = (size_t)snprintf(json, sizeof json, "[");
	unsigned i;

	for (i = 0; i < count; i++)
		used += (size_t)snprintf(
			json + used, sizeof json - used,
			"%s{\"ID\":\"f7b5d1a0-2f3e-4b6c-8d9e-00000000000%u\",\"Name\":\"%s%u\",\"MacAddress\":\"00-15-5D-01-02-0%u\","
			"\"HostComputeNamespace\":\"" NAMESPACE "\"}",
			i ? "," : "", i, i == 1 ? "pod_eth0" : "net", i == 1 ? 0 : i, i);
	snprintf(json + used, sizeof json - used, "]");
	if (count > 1) /* the name has to end in eth0 */
		memcpy(strstr(json, "pod_eth00"), "podx_eth0", 9);
	return json;
}

/* A network that has come from another machine, with the NICs of `count` endpoints. */
static void become_imported(unsigned count)
{
	uint8_t bytes[4096];
	lcowmig_network *imported;
	size_t size;

	test_host_reply(host, "network.endpoints", endpoints(count));
	ck_assert_int_eq(set_up(), LCOWMIG_OK);
	size = save(bytes, sizeof bytes);
	ck_assert_int_eq(import(bytes, size, &imported), LCOWMIG_OK);
	lcowmig__network_free(network);
	network = imported;
	test_host_clear_log(host);
}

static void become_resumed(unsigned count)
{
	become_imported(count);
	ck_assert_int_eq(lcowmig_network_patch(network, OTHER_NAMESPACE, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_network_resume(network, &error), LCOWMIG_OK);
}

/* A network in every state, without a call that would change anything in it. */
static void become(int state)
{
	switch (state) {
	case NETWORK_CONFIGURED:
		ck_assert_int_eq(set_up(), LCOWMIG_OK);
		break;
	case NETWORK_INVALID:
		test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, LCOWMIG__HR_FAIL, "no");
		ck_assert_int_eq(set_up(), LCOWMIG_E_HOST_FAILED);
		break;
	case NETWORK_TORN_DOWN:
		ck_assert_int_eq(set_up(), LCOWMIG_OK);
		ck_assert_int_eq(tear_down(), LCOWMIG_OK);
		break;
	case NETWORK_DESTINATION_MIGRATING:
		become_imported(1);
		break;
	case NETWORK_SOURCE_MIGRATING: {
		uint8_t bytes[4096];

		ck_assert_int_eq(set_up(), LCOWMIG_OK);
		save(bytes, sizeof bytes);
		break;
	}
	default:
		break;
	}
	ck_assert_int_eq(network->object.state, state);
	test_host_clear_log(host);
}

#define assert_state(name) ck_assert_str_eq(lcowmig_network_state_name(network), name)
#define assert_says(text) ck_assert_msg(strstr(error.message, text) != NULL, "\"%s\" does not say %s", error.message, text)

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
	snprintf(old_nic, sizeof old_nic, "%s", LCOWMIG__TREE_ENTRY(lcowmig__tree_first(&network->inherited), lcowmig__nic, node)->nic_id);
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
	ck_assert_str_eq(LCOWMIG__TREE_ENTRY(lcowmig__tree_first(&network->own), lcowmig__nic, node)->endpoint_id,
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

static void add_setup_tests(TCase *tcase)
{
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
}

static void add_teardown_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_network_teardown_does_nothing_where_nothing_is);
	tcase_add_loop_test(tcase, test_network_teardown_forgets_the_nics_of_a_migrating_network, NETWORK_DESTINATION_MIGRATING,
			    NETWORK_STATES);
	tcase_add_test(tcase, test_network_teardown_removes_in_the_guest_then_on_the_host);
	tcase_add_test(tcase, test_network_teardown_keeps_the_host_nic_when_the_guest_refuses);
	tcase_add_loop_test(tcase, test_network_teardown_goes_on_when_the_guest_is_gone, 0, 2);
	tcase_add_loop_test(tcase, test_network_teardown_succeeds_when_the_machine_is_gone, 0, (int)LCOWMIG__COUNT(gone));
	tcase_add_test(tcase, test_network_teardown_attempts_all_and_may_be_repeated);
	tcase_add_test(tcase, test_network_teardown_keeps_what_the_host_does_not_give_up);
}

static void add_migration_tests(TCase *tcase)
{
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
}

int main(void)
{
	Suite *suite = suite_create("network");
	TCase *tcase = tcase_create("network");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	add_setup_tests(tcase);
	add_teardown_tests(tcase);
	add_migration_tests(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
