/* The object itself; listening, accepting and negotiating. */
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "suite.h"

/* ---- Making and freeing ---- */

START_TEST(test_new_refuses_configurations_it_cannot_use)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	peer *p = peer_new();
	lcowmig_gcs *gcs = NULL;
	struct {
		lcowmig_gcs_config config;
		uint64_t more;
	} longer;
	lcowmig_gcs_config config = p->config;
	lcowmig_stream_ops streams = p->streams;

	ck_assert_int_eq(lcowmig_gcs_new(NULL, &config, &gcs, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_new(p->context, NULL, &gcs, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_new(p->context, &config, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	config.size = sizeof config - 8;
	ck_assert_int_eq(lcowmig_gcs_new(p->context, &config, &gcs, &error), LCOWMIG_E_INVALID_ARGUMENT);
	config = p->config;
	config.streams = &streams;
	config.flags = 0x80;
	ck_assert_int_eq(lcowmig_gcs_new(p->context, &config, &gcs, &error), LCOWMIG_E_INVALID_ARGUMENT);
	config.flags = 0;
	streams.send = NULL;
	ck_assert_int_eq(lcowmig_gcs_new(p->context, &config, &gcs, &error), LCOWMIG_E_INVALID_ARGUMENT);
	memset(&longer, 0, sizeof longer);
	longer.config = p->config;
	longer.config.size = sizeof longer;
	longer.more = 1;
	ck_assert_int_eq(lcowmig_gcs_new(p->context, &longer.config, &gcs, &error), LCOWMIG_E_NOT_SUPPORTED);
	ck_assert_ptr_null(gcs);
	longer.more = 0;
	ck_assert_int_eq(lcowmig_gcs_new(p->context, &longer.config, &gcs, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_context_free(p->context), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_gcs_free(gcs, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_free(NULL, NULL), LCOWMIG_OK);
	peer_free(p);
}
END_TEST

START_TEST(test_new_needs_all_four_stream_ops)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_gcs *gcs = NULL;
	peer *p = peer_new();
	lcowmig_gcs_config config = p->config;
	lcowmig_stream_ops streams = p->streams;

	config.streams = &streams;
	if (_i == 0)
		streams.listen = NULL;
	else if (_i == 1)
		streams.accept = NULL;
	else if (_i == 2)
		streams.send = NULL;
	else
		streams.close = NULL;
	ck_assert_int_eq(lcowmig_gcs_new(p->context, &config, &gcs, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, "lcowmig_stream_ops: listen, accept, send and close are all needed");
	ck_assert_ptr_null(gcs);
	peer_free(p);
}
END_TEST

START_TEST(test_timeouts_are_those_of_the_configuration)
{
	peer_done done = { 0 };
	peer *p = peer_prepare();

	p->config.request_timeout_ns = 7 * PEER_SECOND;
	p->config.connect_timeout_ns = 3 * PEER_SECOND;
	peer_start(p, NULL);
	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done, NULL);
	peer_advance(p, 3 * PEER_SECOND - 1);
	ck_assert_int_eq(done.calls, 0);
	peer_advance(p, 1);
	peer_expect_done(&done, LCOWMIG_E_TIMED_OUT);
	peer_connect(p, true);
	memset(&done, 0, sizeof done);
	peer_request(p, LCOWMIG_GCS_SHUTDOWN_GRACEFUL, NULL, &done);
	peer_advance(p, 7 * PEER_SECOND - 1);
	ck_assert_int_eq(done.calls, 0);
	peer_advance(p, 1);
	peer_expect_done(&done, LCOWMIG_E_TIMED_OUT);
	peer_free(p);
}
END_TEST

START_TEST(test_free_is_refused_while_anything_is_in_flight)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done, NULL);
	ck_assert_int_eq(lcowmig_gcs_free(p->gcs, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	lcowmig_gcs_close(p->gcs);
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	peer_connect(p, true);
	ck_assert_int_eq(lcowmig_gcs_free(p->gcs, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	lcowmig_gcs_close(p->gcs);
	memset(&done, 0, sizeof done);
	ck_assert_int_eq(lcowmig_gcs_adopt(p->gcs, 7, peer_on_answer, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_gcs_free(p->gcs, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	peer_free(p);
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
}
END_TEST

/* ---- Listening ---- */

START_TEST(test_listen_is_idempotent_for_one_machine_and_refused_for_another)
{
	peer_done done = { 0 };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	peer *p = peer_new();

	p->hold_listen = true;
	ck_assert_int_eq(lcowmig_gcs_listen(p->gcs, "a", LCOWMIG_GCS_LOG_PORT, peer_on_done, &done, NULL), LCOWMIG_PENDING);
	/* A second one waits for the first. */
	ck_assert_int_eq(lcowmig_gcs_listen(p->gcs, "a", LCOWMIG_GCS_LOG_PORT, peer_on_done, &done, NULL), LCOWMIG_PENDING);
	p->hold_listen = false;
	lcowmig_call_set_handle(p->listen_call, NULL); /* a host need not name its listeners */
	lcowmig_call_complete(p->listen_call, LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 2);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_listen(p->gcs, "a", LCOWMIG_GCS_LOG_PORT, NULL, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_listen(p->gcs, "b", LCOWMIG_GCS_LOG_PORT, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "machine a"));
	ck_assert_int_eq(lcowmig_gcs_listen(p->gcs, "a", 2, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	/* NULL is the machine that is not known yet. */
	ck_assert_int_eq(lcowmig_gcs_listen(p->gcs, NULL, LCOWMIG_GCS_ENTROPY_PORT, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_ENTROPY_PORT, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_uint_eq(p->n_handles, 1); /* the entropy port's */
	peer_free(p);
}
END_TEST

START_TEST(test_listen_passes_the_hosts_failure_on_and_can_be_repeated)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	peer *p = peer_new();

	p->listen_fails = LCOWMIG_E_HOST_FAILED;
	ck_assert_int_eq(lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80072740);
	ck_assert_ptr_nonnull(strstr(error.message, "in use"));
	p->listen_fails = LCOWMIG_OK;
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

START_TEST(test_listener_that_is_bound_after_the_close_is_closed)
{
	peer *p = peer_new();
	peer_done done = { 0 };

	p->hold_listen = true;
	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, peer_on_done, &done, NULL);
	lcowmig_gcs_close(p->gcs);
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	p->handles[p->n_handles].is_open = true;
	lcowmig_call_set_handle(p->listen_call, &p->handles[p->n_handles++]);
	lcowmig_call_complete(p->listen_call, LCOWMIG_OK);
	ck_assert(!p->handles[0].is_open);
	peer_free(p);
}
END_TEST

/* ---- Connecting ---- */

START_TEST(test_connect_needs_a_listener)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	peer *p = peer_new();

	ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, true, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "nothing listens"));
	peer_free(p);
}
END_TEST

START_TEST(test_connect_tells_the_capabilities)
{
	lcowmig_gcs_capabilities capabilities = LCOWMIG_GCS_CAPABILITIES_INIT;
	peer *p = peer_new();

	ck_assert_int_eq(lcowmig_gcs_get_capabilities(p->gcs, &capabilities), LCOWMIG_E_FAILED_PRECONDITION);
	peer_connect(p, true);
	ck_assert_int_eq(lcowmig_gcs_get_capabilities(p->gcs, &capabilities), LCOWMIG_OK);
	ck_assert_uint_eq(capabilities.protocol_version, 4);
	ck_assert_uint_eq(capabilities.send_host_create_message, 0);
	ck_assert_uint_eq(capabilities.namespace_add_request, 1);
	ck_assert_uint_eq(capabilities.signal_process, 1);
	ck_assert_uint_eq(capabilities.dump_stacks, 1);
	ck_assert_uint_eq(capabilities.delete_container_state, 1);
	ck_assert_uint_eq(capabilities.schema_major, 2);
	ck_assert_uint_eq(capabilities.schema_minor, 1);
	ck_assert_str_eq(capabilities.runtime_os_type, "linux");
	capabilities.size = 4;
	ck_assert_int_eq(lcowmig_gcs_get_capabilities(p->gcs, &capabilities), LCOWMIG_E_INVALID_ARGUMENT);
	/* Connected already: at once. */
	ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, true, NULL, NULL, NULL), LCOWMIG_OK);
	peer_expect_nothing(p);
	peer_free(p);
}
END_TEST

static void connect_and_answer(peer *p, bool cold, const char *answer, peer_done *done)
{
	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, cold, peer_on_done, done, NULL), LCOWMIG_PENDING);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), answer);
}

START_TEST(test_connect_refuses_versions_and_garbage)
{
	static const struct {
		const char *answer;
		lcowmig_status status;
	} rows[] = {
		{ "{\"Result\":0,\"Version\":3,\"Capabilities\":" LINUX_CAPABILITIES "}", LCOWMIG_E_UNSUPPORTED_VERSION },
		{ "{\"Result\":0,\"Version\":5,\"Capabilities\":" LINUX_CAPABILITIES "}", LCOWMIG_E_UNSUPPORTED_VERSION },
		{ "{\"Result\":0,\"Capabilities\":" LINUX_CAPABILITIES "}", LCOWMIG_E_UNSUPPORTED_VERSION },
		{ "{\"Result\":0,\"Version\":\"4\",\"Capabilities\":" LINUX_CAPABILITIES "}", LCOWMIG_E_UNSUPPORTED_VERSION },
		{ "{\"Result\":0,\"Version\":4}", LCOWMIG_E_CORRUPT_DATA },
		{ "{\"Result\":0,\"Version\":4,\"Capabilities\":{}}", LCOWMIG_E_CORRUPT_DATA },
		{ "{\"Result\":0,\"Version\":4,\"Capabilities\":{\"GuestDefinedCapabilities\":7}}", LCOWMIG_E_CORRUPT_DATA },
		{ "no JSON at all", LCOWMIG_E_CORRUPT_DATA },
		{ "{\"Result\":-1070137076,\"ErrorMessage\":\"no common version\"}", LCOWMIG_E_UNSUPPORTED_VERSION },
		{ "{\"Result\":-2147467263,\"ErrorMessage\":\"not now\"}", LCOWMIG_E_GUEST_FAILED },
	};
	peer_done done = { 0 };
	peer *p = peer_new();

	connect_and_answer(p, true, rows[_i].answer, &done);
	peer_expect_done(&done, rows[_i].status);
	ck_assert(!lcowmig_gcs_is_connected(p->gcs));
	ck_assert(!p->control->is_open);
	ck_assert_int_eq(p->disconnects, 0); /* it never was up */
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

START_TEST(test_connect_accepts_a_guest_that_tells_little)
{
	lcowmig_gcs_capabilities capabilities = LCOWMIG_GCS_CAPABILITIES_INIT;
	peer_done done = { 0 };
	peer *p = peer_new();

	connect_and_answer(p, true, "{\"version\":4,\"capabilities\":{\"GuestDefinedCapabilities\":null}}\n", &done);
	peer_expect_done(&done, LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_get_capabilities(p->gcs, &capabilities), LCOWMIG_OK);
	ck_assert_uint_eq(capabilities.signal_process, 0);
	ck_assert_str_eq(capabilities.runtime_os_type, "windows");
	peer_free(p);
}
END_TEST

#define ASKS_FOR_BOTH                                                                                                                      \
	"{\"Result\":0,\"Version\":4,\"Capabilities\":{\"SendHostCreateMessage\":true,\"SendHostStartMessage\":true,"                      \
	"\"GuestDefinedCapabilities\":{}}}"

START_TEST(test_connect_cold_sends_create_and_start_when_the_guest_asks_for_them)
{
	static peer_frame frame;
	peer_done done = { 0 };
	peer *p = peer_new();

	connect_and_answer(p, true, ASKS_FOR_BOTH, &done);
	ck_assert(peer_take(p, &frame));
	ck_assert_uint_eq(frame.type, LCOWMIG_GCS_CREATE);
	ck_assert_str_eq(frame.payload, "{\"ContainerId\":\"00000000-0000-0000-0000-000000000000\",\"ActivityId\":"
					"\"00000000-0000-0000-0000-000000000000\",\"ContainerConfig\":\"{\\\"SystemType\\\":"
					"\\\"Container\\\",\\\"TimeZoneInformation\\\":null}\"}\n");
	peer_answer(p, frame.type, frame.id, PLAIN_ANSWER);
	ck_assert_int_eq(done.calls, 0);
	ck_assert(!lcowmig_gcs_is_connected(p->gcs));
	ck_assert(peer_take(p, &frame));
	ck_assert_uint_eq(frame.type, LCOWMIG_GCS_START);
	ck_assert_uint_eq(frame.id, 2);
	peer_answer(p, frame.type, frame.id, PLAIN_ANSWER);
	peer_expect_done(&done, LCOWMIG_OK);
	peer_free(p);
}
END_TEST

/* The one it asks for is sent; the other needs it and does not come alone. */
START_TEST(test_connect_cold_sends_no_start_unless_the_guest_asks_for_both)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	connect_and_answer(p, true,
			   _i ? "{\"Result\":0,\"Version\":4,\"Capabilities\":{\"SendHostCreateMessage\":true,"
				"\"GuestDefinedCapabilities\":{}}}"
			      : "{\"Result\":0,\"Version\":4,\"Capabilities\":{\"SendHostStartMessage\":true,"
				"\"GuestDefinedCapabilities\":{}}}",
			   &done);
	if (_i) {
		ck_assert_int_eq(done.calls, 0);
		peer_answer(p, LCOWMIG_GCS_CREATE, peer_expect(p, LCOWMIG_GCS_CREATE), PLAIN_ANSWER);
	}
	peer_expect_done(&done, LCOWMIG_OK);
	peer_expect_nothing(p);
	peer_free(p);
}
END_TEST

START_TEST(test_connect_fails_with_the_guests_refusal_of_create_or_start)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	connect_and_answer(p, true, ASKS_FOR_BOTH, &done);
	if (_i)
		peer_answer(p, LCOWMIG_GCS_CREATE, peer_expect(p, LCOWMIG_GCS_CREATE), PLAIN_ANSWER);
	peer_answer(p, _i ? LCOWMIG_GCS_START : LCOWMIG_GCS_CREATE, peer_expect(p, _i ? LCOWMIG_GCS_START : LCOWMIG_GCS_CREATE),
		    "{\"Result\":-2147467259,\"ErrorMessage\":\"not today\"}");
	peer_expect_done(&done, LCOWMIG_E_GUEST_FAILED);
	ck_assert_str_eq(done.message, _i ? "Start: not today" : "Create: not today");
	ck_assert(!lcowmig_gcs_is_connected(p->gcs));
	ck_assert(!p->control->is_open);
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

/* The highest one counts, wherever it stands; the name of the system is the guest's, and may be as long as it likes. */
START_TEST(test_capabilities_are_read_whatever_their_order_and_length)
{
	lcowmig_gcs_capabilities capabilities = LCOWMIG_GCS_CAPABILITIES_INIT;
	peer_done done = { 0 };
	peer *p = peer_new();

	connect_and_answer(p, true,
			   "{\"Result\":0,\"Version\":4,\"Capabilities\":{\"GuestDefinedCapabilities\":{},"
			   "\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":5},{\"Major\":1,\"Minor\":9},{\"Major\":2,\"Minor\":1},"
			   "{\"Major\":2,\"Minor\":7},{},7,{\"Major\":2,\"Minor\":7}],"
			   "\"RuntimeOsType\":\"LINUX[z]\u00c9 and thirty or so more byte\u00e9\"}}",
			   &done);
	peer_expect_done(&done, LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_get_capabilities(p->gcs, &capabilities), LCOWMIG_OK);
	ck_assert_uint_eq(capabilities.schema_major, 2);
	ck_assert_uint_eq(capabilities.schema_minor, 7);
	ck_assert_str_eq(capabilities.runtime_os_type, "linux[z]\xc3\x89 and thirty or so mor");
	peer_free(p);
}
END_TEST

START_TEST(test_connect_warm_sends_neither_create_nor_start)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	connect_and_answer(p, false, ASKS_FOR_BOTH, &done);
	peer_expect_done(&done, LCOWMIG_OK);
	peer_expect_nothing(p);
	peer_free(p);
}
END_TEST

START_TEST(test_connect_times_out_at_every_step_and_can_be_repeated)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done, NULL);
	if (_i)
		peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	ck_assert_uint_eq(lcowmig_context_deadline(p->context), p->now + 120 * PEER_SECOND);
	peer_advance(p, 119 * PEER_SECOND);
	ck_assert_int_eq(done.calls, 0);
	peer_advance(p, PEER_SECOND);
	peer_expect_done(&done, LCOWMIG_E_TIMED_OUT);
	ck_assert(!lcowmig_gcs_is_connected(p->gcs));
	p->sent_taken = p->sent_size;
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

/* an attempt that failed leaves nothing behind that the next one would need to be given again. */
START_TEST(test_connect_after_a_failed_one_listens_itself)
{
	peer_done done[2] = { { 0 } };
	peer *p = peer_new();

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done[0], NULL);
	peer_advance(p, 120 * PEER_SECOND);
	peer_expect_done(&done[0], LCOWMIG_E_TIMED_OUT);
	if (_i) {
		lcowmig_gcs_close(p->gcs);
		ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, true, NULL, NULL, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	} else {
		ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done[1], NULL), LCOWMIG_PENDING);
		peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
		peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, 0, NEGOTIATE_ANSWER);
		peer_expect_done(&done[1], LCOWMIG_OK);
	}
	peer_free(p);
}
END_TEST

/* The host refuses to listen again: that is what the connect fails with, and the next one tries anew. */
START_TEST(test_connect_after_a_failed_one_fails_when_it_cannot_listen)
{
	peer_done done[2] = { { 0 } };
	peer *p = peer_new();
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done[0], NULL);
	peer_fail_accept(p, LCOWMIG_GCS_CONTROL_PORT, LCOWMIG_E_HOST_FAILED);
	peer_expect_done(&done[0], LCOWMIG_E_HOST_FAILED);
	p->listen_fails = LCOWMIG_E_HOST_FAILED;
	ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done[1], &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80072740);
	ck_assert_uint_eq(p->n_accepts, 0);
	p->listen_fails = LCOWMIG_OK;
	ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done[1], NULL), LCOWMIG_PENDING);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
	peer_expect_done(&done[1], LCOWMIG_OK);
	peer_free(p);
}
END_TEST

/* Who cancels while another one is at it loses its turn only. */
START_TEST(test_connect_cancelled_in_the_queue_leaves_the_others_alone)
{
	peer_done done[3] = { { 0 } };
	peer *p = peer_new();
	int i;

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done[i], NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(p->context, peer_on_done, &done[1]), LCOWMIG_OK);
	peer_expect_done(&done[1], LCOWMIG_E_CANCELLED);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
	peer_expect_done(&done[0], LCOWMIG_OK);
	peer_expect_done(&done[2], LCOWMIG_OK);
	peer_free(p);
}
END_TEST

START_TEST(test_listen_cancelled_in_the_queue_leaves_the_others_alone)
{
	peer_done done[3] = { { 0 } };
	peer *p = peer_new();
	int i;

	p->hold_listen = true;
	for (i = 0; i < 3; i++)
		lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_LOG_PORT, peer_on_done, &done[i], NULL);
	lcowmig_context_cancel(p->context, peer_on_done, &done[1]);
	peer_expect_done(&done[1], LCOWMIG_E_CANCELLED);
	lcowmig_call_complete(p->listen_call, LCOWMIG_OK);
	peer_expect_done(&done[0], LCOWMIG_OK);
	peer_expect_done(&done[2], LCOWMIG_OK);
	peer_free(p);
}
END_TEST

/* Nobody need be told. */
START_TEST(test_loss_without_a_callback_ends_what_is_outstanding)
{
	peer_done done = { 0 };
	peer *p = peer_prepare();

	p->config.disconnected = NULL;
	peer_start(p, NULL);
	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done);
	lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_OK);
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(p->disconnects, 0);
	p->sent_taken = p->sent_size;
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

START_TEST(test_connects_at_the_same_time_share_one_connection)
{
	peer_done done[3] = { { 0 } };
	peer *p = peer_new();
	size_t i;

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done[i], NULL), LCOWMIG_PENDING);
	/* One of those that wait may give up. */
	ck_assert_int_eq(lcowmig_context_cancel(p->context, peer_on_done, &done[1]), LCOWMIG_OK);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
	peer_expect_done(&done[0], LCOWMIG_OK);
	peer_expect_done(&done[1], LCOWMIG_E_CANCELLED);
	peer_expect_done(&done[2], LCOWMIG_OK);
	peer_expect_nothing(p);
	peer_free(p);
}
END_TEST

START_TEST(test_connection_accepted_after_the_cancel_is_closed)
{
	peer_done done = { 0 };
	lcowmig_call *call;
	peer *p = peer_new();

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done, NULL);
	call = p->accepts[0];
	p->n_accepts = 0; /* this host's accept has just succeeded when the listener is closed */
	ck_assert_int_eq(lcowmig_context_cancel(p->context, peer_on_done, &done), LCOWMIG_OK);
	peer_expect_done(&done, LCOWMIG_E_CANCELLED);
	p->handles[p->n_handles].is_open = true;
	lcowmig_call_set_handle(call, &p->handles[p->n_handles++]);
	lcowmig_call_complete(call, LCOWMIG_OK);
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

START_TEST(test_accept_failure_is_passed_on)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done, NULL);
	if (_i) {
		lcowmig_call *call = p->accepts[0];

		p->n_accepts = 0;
		lcowmig_call_complete(call, LCOWMIG_OK); /* but without a stream */
	} else {
		peer_fail_accept(p, LCOWMIG_GCS_CONTROL_PORT, LCOWMIG_E_HOST_FAILED);
	}
	peer_expect_done(&done, LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(done.hresult, _i ? 0 : 0x80072745);
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

/* A host reads a stream as soon as it has it, and may feed bytes before its accept is completed. */
START_TEST(test_bytes_fed_before_the_accept_is_completed_are_not_lost)
{
	unsigned char bytes[256];
	size_t size = peer_frame_make(bytes, LCOWMIG_GCS_NOTIFICATION, 0, "{\"ContainerId\":\"c1\"}");
	peer_done done = { 0 };
	peer *p = peer_new();
	peer_stream *stream = &p->handles[1]; /* the one that dialling will open */
	int other;

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, bytes, 5), LCOWMIG_E_UNAVAILABLE); /* no accept waits */
	lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done, NULL);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, &other, "stale", 5), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, bytes, 5), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, bytes + 5, size - 5 - 1), LCOWMIG_OK);
	if (_i)
		ck_assert_int_eq(lcowmig_gcs_receive_end(p->gcs, stream, LCOWMIG_OK), LCOWMIG_OK);
	ck_assert_ptr_eq(peer_dial(p, LCOWMIG_GCS_CONTROL_PORT), stream);
	if (_i) {
		peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
		ck_assert(!stream->is_open);
	} else {
		lcowmig_gcs_receive(p->gcs, stream, bytes + size - 1, 1);
		peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
		peer_expect_done(&done, LCOWMIG_OK);
		ck_assert_str_eq(p->notified, "{\"ContainerId\":\"c1\"}\n");
	}
	peer_free(p);
}
END_TEST

START_TEST(test_connection_lost_while_negotiating_fails_the_connect)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done, NULL);
	switch (_i) {
	case 0: /* before the answer */
		peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
		ck_assert_int_eq(lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_OK), LCOWMIG_OK);
		break;
	case 1: /* the request cannot be written */
		p->send_fails = LCOWMIG_E_HOST_FAILED;
		peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
		p->send_fails = LCOWMIG_OK;
		break;
	default: /* while it is being written */
		p->hold_sends = true;
		peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
		ck_assert_int_eq(lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_E_HOST_FAILED), LCOWMIG_OK);
		peer_complete_send(p, LCOWMIG_E_HOST_FAILED);
		p->hold_sends = false;
	}
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_OK), LCOWMIG_E_UNAVAILABLE);
	p->sent_taken = p->sent_size;
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_new_refuses_configurations_it_cannot_use);
	tcase_add_loop_test(tests, test_new_needs_all_four_stream_ops, 0, 4);
	tcase_add_test(tests, test_timeouts_are_those_of_the_configuration);
	tcase_add_test(tests, test_free_is_refused_while_anything_is_in_flight);
	tcase_add_test(tests, test_listen_is_idempotent_for_one_machine_and_refused_for_another);
	tcase_add_test(tests, test_listen_passes_the_hosts_failure_on_and_can_be_repeated);
	tcase_add_test(tests, test_listener_that_is_bound_after_the_close_is_closed);
	tcase_add_test(tests, test_connect_needs_a_listener);
	tcase_add_test(tests, test_connect_tells_the_capabilities);
	tcase_add_loop_test(tests, test_connect_refuses_versions_and_garbage, 0, 10);
	tcase_add_test(tests, test_connect_accepts_a_guest_that_tells_little);
	tcase_add_test(tests, test_connect_cold_sends_create_and_start_when_the_guest_asks_for_them);
	tcase_add_loop_test(tests, test_connect_cold_sends_no_start_unless_the_guest_asks_for_both, 0, 2);
	tcase_add_loop_test(tests, test_connect_fails_with_the_guests_refusal_of_create_or_start, 0, 2);
	tcase_add_test(tests, test_capabilities_are_read_whatever_their_order_and_length);
	tcase_add_test(tests, test_connect_warm_sends_neither_create_nor_start);
	tcase_add_loop_test(tests, test_connect_times_out_at_every_step_and_can_be_repeated, 0, 2);
	tcase_add_loop_test(tests, test_connect_after_a_failed_one_listens_itself, 0, 2);
	tcase_add_test(tests, test_connect_after_a_failed_one_fails_when_it_cannot_listen);
	tcase_add_test(tests, test_connect_cancelled_in_the_queue_leaves_the_others_alone);
	tcase_add_test(tests, test_listen_cancelled_in_the_queue_leaves_the_others_alone);
	tcase_add_test(tests, test_loss_without_a_callback_ends_what_is_outstanding);
	tcase_add_test(tests, test_connects_at_the_same_time_share_one_connection);
	tcase_add_test(tests, test_connection_accepted_after_the_cancel_is_closed);
	tcase_add_loop_test(tests, test_accept_failure_is_passed_on, 0, 2);
	tcase_add_loop_test(tests, test_bytes_fed_before_the_accept_is_completed_are_not_lost, 0, 2);
	tcase_add_loop_test(tests, test_connection_lost_while_negotiating_fails_the_connect, 0, 3);
}

SUITE_RUN("gcs_connection", add_tests)
