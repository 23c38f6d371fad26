/* The Windows host's byte streams, over TCP: a guest of this file dials, the bridge of the library negotiates and asks it something. */
#include <winsock2.h>

#include <windows.h>

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "hvsocket.h"

#define CONTROL_PORT 0x40000000u
#define NEGOTIATE_RESPONSE 0x20100b01u

static const char negotiated[] =
	"{\"Result\":0,\"Version\":4,\"Capabilities\":{\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":1}],\"RuntimeOsType\":\"Linux\","
	"\"GuestDefinedCapabilities\":{\"SignalProcessSupported\":true}}}";

typedef struct outcome {
	HANDLE ended;
	lcowmig_status status;
	char answer[256];
} outcome;

static void on_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	outcome *result = user;

	result->status = status;
	snprintf(result->answer, sizeof(result->answer), "%s", error->message);
	SetEvent(result->ended);
}

static void on_answer(void *user, lcowmig_status status, const char *answer, size_t size, const lcowmig_error *error)
{
	outcome *result = user;

	(void)size;
	(void)error;
	result->status = status;
	snprintf(result->answer, sizeof(result->answer), "%s", answer ? answer : "");
	SetEvent(result->ended);
}

static BOOL guest_receive(SOCKET stream, char *bytes, int size)
{
	while (size > 0) {
		int got = recv(stream, bytes, size, 0);

		if (got <= 0)
			return FALSE;
		bytes += got;
		size -= got;
	}
	return TRUE;
}

/* Answers every request: the first is the negotiation. Header and payload are two writes, as the real guest's are. */
static DWORD WINAPI guest_thread(void *argument)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(20000) };
	SOCKET stream = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	uint32_t words[4];
	char payload[4096];

	(void)argument;
	if (connect(stream, (struct sockaddr *)&address, sizeof(address)) != 0)
		return 1;
	while (guest_receive(stream, (char *)words, sizeof(words)) && words[1] >= 16 && words[1] - 16 < sizeof(payload) &&
	       guest_receive(stream, payload, (int)words[1] - 16)) {
		const char *answer = (words[0] | 0x30000000u) == (NEGOTIATE_RESPONSE | 0x10000000u) ? negotiated : "{\"Result\":0,\"Properties\":\"{}\"}";

		words[0] = (words[0] & 0x0fffffffu) | 0x20000000u;
		words[1] = 16 + (uint32_t)strlen(answer);
		send(stream, (const char *)words, sizeof(words), 0);
		send(stream, answer, (int)strlen(answer), 0);
	}
	closesocket(stream);
	return 0;
}

static void wait_for(outcome *result)
{
	ck_assert_uint_eq(WaitForSingleObject(result->ended, 10000), WAIT_OBJECT_0);
	ResetEvent(result->ended);
}

START_TEST(test_bridge_negotiates_and_asks_over_the_streams)
{
	lcowmig_gcs_config config = LCOWMIG_GCS_CONFIG_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	outcome result = { CreateEventW(NULL, TRUE, FALSE, NULL), LCOWMIG_OK, "" };
	lcowmig_stream_ops streams;
	lcowmig_context *context;
	lcowmig_status status;
	hvsocket *sockets;
	lcowmig_gcs *gcs;
	HANDLE guest;

	ck_assert_int_eq(lcowmig_context_new(NULL, NULL, &context, NULL), LCOWMIG_OK);
	ck_assert_int_eq(hvsocket_new(HVSOCKET_LOOPBACK, &sockets), LCOWMIG_OK);
	hvsocket_stream_ops(sockets, &streams);
	config.streams = &streams;
	ck_assert_msg(lcowmig_gcs_new(context, &config, &gcs, &error) == LCOWMIG_OK, "%s", error.message);
	hvsocket_attach(sockets, gcs);

	ck_assert_msg(lcowmig_gcs_listen(gcs, "", CONTROL_PORT, on_done, &result, &error) == LCOWMIG_OK, "%s", error.message);
	ck_assert_int_eq(lcowmig_gcs_listen(gcs, "", CONTROL_PORT, on_done, &result, &error), LCOWMIG_OK);
	guest = CreateThread(NULL, 0, guest_thread, NULL, 0, NULL);
	status = lcowmig_gcs_connect(gcs, true, on_done, &result, &error);
	if (status == LCOWMIG_PENDING)
		wait_for(&result);
	ck_assert_msg(lcowmig_gcs_is_connected(gcs), "%s", result.answer);

	ck_assert_int_eq(lcowmig_gcs_request(gcs, LCOWMIG_GCS_GET_PROPERTIES, "c1", "{\"Query\":\"\"}", 0, on_answer, &result, &error), LCOWMIG_PENDING);
	wait_for(&result);
	ck_assert_int_eq(result.status, LCOWMIG_OK);
	ck_assert_str_eq(result.answer, "{\"Result\":0,\"Properties\":\"{}\"}");

	lcowmig_gcs_close(gcs);
	ck_assert_uint_eq(WaitForSingleObject(guest, 10000), WAIT_OBJECT_0);
	CloseHandle(guest);
	hvsocket_free(sockets);
	ck_assert_msg(lcowmig_gcs_free(gcs, &error) == LCOWMIG_OK, "%s", error.message);
	ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_OK);
	CloseHandle(result.ended);
}
END_TEST

START_TEST(test_closing_ends_an_accept_that_waits)
{
	lcowmig_gcs_config config = LCOWMIG_GCS_CONFIG_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	outcome result = { CreateEventW(NULL, TRUE, FALSE, NULL), LCOWMIG_OK, "" };
	lcowmig_stream_ops streams;
	lcowmig_context *context;
	hvsocket *sockets;
	lcowmig_gcs *gcs;

	ck_assert_int_eq(lcowmig_context_new(NULL, NULL, &context, NULL), LCOWMIG_OK);
	ck_assert_int_eq(hvsocket_new(HVSOCKET_LOOPBACK, &sockets), LCOWMIG_OK);
	hvsocket_stream_ops(sockets, &streams);
	config.streams = &streams;
	ck_assert_int_eq(lcowmig_gcs_new(context, &config, &gcs, &error), LCOWMIG_OK);
	hvsocket_attach(sockets, gcs);
	ck_assert_msg(lcowmig_gcs_listen(gcs, "", CONTROL_PORT, on_done, &result, &error) == LCOWMIG_OK, "%s", error.message);
	ck_assert_int_eq(lcowmig_gcs_connect(gcs, true, on_done, &result, &error), LCOWMIG_PENDING);
	Sleep(20);
	lcowmig_gcs_close(gcs);
	wait_for(&result);
	ck_assert_int_eq(result.status, LCOWMIG_E_UNAVAILABLE);
	hvsocket_free(sockets);
	ck_assert_msg(lcowmig_gcs_free(gcs, &error) == LCOWMIG_OK, "%s", error.message);
	ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_OK);
	CloseHandle(result.ended);
}
END_TEST

START_TEST(test_address_is_laid_out_as_windows_has_it)
{
	static const uint8_t expected[HVSOCKET_ADDRESS_SIZE] = { 34,   0,    0,    0,    0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
		                                                 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x6d, 0x00, 0x00, 0x00,
		                                                 0xcb, 0xfa, 0xe6, 0x11, 0xbd, 0x58, 0x64, 0x00, 0x6a, 0x79, 0x86, 0xd3 };
	uint8_t address[HVSOCKET_ADDRESS_SIZE];

	ck_assert_int_eq(hvsocket_address("00112233-4455-6677-8899-aabbccddeeff", 109, address), LCOWMIG_OK);
	ck_assert_mem_eq(address, expected, sizeof(expected));
	ck_assert_int_eq(hvsocket_address("s1@vm", 109, address), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hvsocket");
	TCase *tests = tcase_create("hvsocket");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, test_address_is_laid_out_as_windows_has_it);
	tcase_add_test(tests, test_bridge_negotiates_and_asks_over_the_streams);
	tcase_add_test(tests, test_closing_ends_an_accept_that_waits);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
