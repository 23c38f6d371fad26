/* What the programs about the network controller share: one network on a scripted host, and roads into its states. */
#ifndef TEST_NETWORK_FIXTURE_H
#define TEST_NETWORK_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "network/network_private.h"

#define NAMESPACE "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10"

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

static inline void setup(void)
{
	host = test_host_new();
	ck_assert_int_eq(lcowmig__network_new(&host->env, NAMESPACE, false, &network, &error), LCOWMIG_OK);
}

static inline void teardown(void)
{
	lcowmig__network_free(network);
	network = NULL;
	test_host_free(host);
}

static inline lcowmig_status set_up(void)
{
	return lcowmig_network_setup(network, NULL, NULL, &error);
}

static inline lcowmig_status tear_down(void)
{
	return lcowmig_network_teardown(network, NULL, NULL, &error);
}

static inline size_t save(uint8_t *bytes, size_t capacity)
{
	size_t size = 0;

	ck_assert_int_eq(lcowmig_network_save(network, bytes, capacity, &size, &error), LCOWMIG_OK);
	return size;
}

static inline lcowmig_status import(const uint8_t *bytes, size_t size, lcowmig_network **ret_network)
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

static inline char *endpoints(unsigned count)
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
static inline void become_imported(unsigned count)
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

/* A network in every state, without a call that would change anything in it. */
static inline void become(int state)
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

#endif
