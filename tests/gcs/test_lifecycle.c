/* Closing, counters, the entropy and log streams, and what callers may get wrong. */
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "suite.h"

START_TEST(test_close_ends_everything_exactly_once)
{
	peer_done requests[3] = { { 0 } };
	peer_done adopted = { 0 };
	peer_done log = { 0 };
	peer *p = peer_new();
	size_t i;

	peer_connect(p, true);
	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_LOG_PORT, NULL, NULL, NULL);
	lcowmig_gcs_read_log(p->gcs, peer_on_done, &log, NULL);
	p->hold_sends = true;
	for (i = 0; i < 3; i++)
		peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, &requests[i]);
	lcowmig_gcs_adopt(p->gcs, 77, peer_on_answer, &adopted, NULL);
	lcowmig_gcs_close(p->gcs);
	lcowmig_gcs_close(p->gcs);
	for (i = 0; i < 3; i++) {
		peer_expect_done(&requests[i], LCOWMIG_E_UNAVAILABLE);
		ck_assert_ptr_nonnull(strstr(requests[i].message, "closed"));
	}
	peer_expect_done(&adopted, LCOWMIG_E_UNAVAILABLE);
	peer_expect_done(&log, LCOWMIG_E_UNAVAILABLE);
	ck_assert(!p->control->is_open);
	ck_assert_int_eq(p->disconnects, 0);
	ck_assert_uint_eq(p->sends, 2); /* the first is still with the host; the others never went */
	/* Not freed while the host has bytes of ours. */
	ck_assert_int_eq(lcowmig_gcs_free(p->gcs, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	peer_complete_send(p, _i ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(requests[i].calls, 1);
	ck_assert_int_eq(peer_send(p, 0x20100601, 1, PLAIN_ANSWER), LCOWMIG_E_UNAVAILABLE);
	peer_free(p);
}
END_TEST

START_TEST(test_counters_go_on_after_a_close)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done);
	ck_assert_uint_eq(lcowmig_gcs_allocate_port(p->gcs), 0x40000001);
	lcowmig_gcs_close(p->gcs);
	p->sent_taken = p->sent_size;
	peer_connect(p, true);
	ck_assert_int_eq(lcowmig_gcs_next_request_id(p->gcs), 3);
	ck_assert_uint_eq(lcowmig_gcs_next_port(p->gcs), 0x40000002);
	peer_free(p);
}
END_TEST

/* ---- Counters ---- */

START_TEST(test_counters_are_raised_and_never_lowered)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	ck_assert_int_eq(lcowmig_gcs_next_request_id(p->gcs), 0);
	ck_assert_uint_eq(lcowmig_gcs_next_port(p->gcs), 0x40000001);
	lcowmig_gcs_raise_request_id(p->gcs, 12);
	lcowmig_gcs_raise_request_id(p->gcs, 12);
	lcowmig_gcs_raise_request_id(p->gcs, 3);
	lcowmig_gcs_raise_request_id(p->gcs, -1);
	lcowmig_gcs_raise_port(p->gcs, 0x40000010);
	lcowmig_gcs_raise_port(p->gcs, 5);
	ck_assert_int_eq(lcowmig_gcs_next_request_id(p->gcs), 12);
	ck_assert_uint_eq(lcowmig_gcs_allocate_port(p->gcs), 0x40000010);
	ck_assert_uint_eq(lcowmig_gcs_allocate_port(p->gcs), 0x40000011);
	lcowmig_gcs_raise_port(p->gcs, UINT32_MAX);
	ck_assert_uint_eq(lcowmig_gcs_allocate_port(p->gcs), 0);
	peer_connect(p, true);
	ck_assert_int_eq(lcowmig_gcs_next_request_id(p->gcs), 13);
	/* A foreign envelope may have told anything. */
	lcowmig_gcs_raise_request_id(p->gcs, INT64_MAX);
	ck_assert_int_eq(lcowmig_gcs_request(p->gcs, LCOWMIG_GCS_START, "c1", NULL, 0, peer_on_answer, &done, NULL),
			 LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_int_eq(done.calls, 0);
	peer_free(p);
}
END_TEST

/* ---- Entropy and log ---- */

START_TEST(test_entropy_is_sent_and_its_stream_closed)
{
	uint8_t bytes[512];
	peer_done done = { 0 };
	peer_stream *stream;
	peer *p = peer_new();

	memset(bytes, 0x5a, sizeof bytes);
	ck_assert_int_eq(lcowmig_gcs_seed_entropy(p->gcs, bytes, 0, NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_seed_entropy(p->gcs, bytes, 512, NULL, NULL, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_ENTROPY_PORT, NULL, NULL, NULL);
	ck_assert_int_eq(lcowmig_gcs_seed_entropy(p->gcs, bytes, 512, peer_on_done, &done, NULL), LCOWMIG_PENDING);
	p->send_fails = _i ? LCOWMIG_E_HOST_FAILED : LCOWMIG_OK;
	stream = peer_dial(p, LCOWMIG_GCS_ENTROPY_PORT);
	peer_expect_done(&done, p->send_fails);
	ck_assert(!stream->is_open);
	ck_assert_uint_eq(p->sent_size, _i ? 0 : 512);
	if (!_i)
		ck_assert_mem_eq(p->sent, bytes, 512);
	peer_free(p);
}
END_TEST

START_TEST(test_entropy_times_out_when_the_guest_does_not_dial)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_ENTROPY_PORT, NULL, NULL, NULL);
	lcowmig_gcs_seed_entropy(p->gcs, "x", 1, peer_on_done, &done, NULL);
	peer_advance(p, 120 * PEER_SECOND);
	peer_expect_done(&done, LCOWMIG_E_TIMED_OUT);
	peer_free(p);
}
END_TEST

/* the log has no deadline and nothing waits for it. */
START_TEST(test_log_is_passed_on_until_it_ends)
{
	peer_done done = { 0 };
	peer_stream *stream;
	peer *p = peer_new();

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_LOG_PORT, NULL, NULL, NULL);
	ck_assert_int_eq(lcowmig_gcs_read_log(p->gcs, peer_on_done, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_gcs_read_log(p->gcs, NULL, NULL, NULL), LCOWMIG_E_FAILED_PRECONDITION); /* one accept at a time */
	peer_connect(p, true);
	peer_advance(p, 1000000 * PEER_SECOND);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, &p->handles[p->n_handles], "early ", 6), LCOWMIG_OK);
	stream = peer_dial(p, LCOWMIG_GCS_LOG_PORT);
	ck_assert_str_eq(p->logged, "early ");
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, "line\n", 5), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, "", 0), LCOWMIG_OK);
	ck_assert_str_eq(p->logged, "early line\n");
	ck_assert_int_eq(done.calls, 0);
	ck_assert_int_eq(lcowmig_gcs_receive_end(p->gcs, stream, LCOWMIG_OK), LCOWMIG_OK);
	peer_expect_done(&done, LCOWMIG_OK);
	ck_assert(!stream->is_open);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, "x", 1), LCOWMIG_E_UNAVAILABLE);
	ck_assert(lcowmig_gcs_is_connected(p->gcs));
	peer_free(p);
}
END_TEST

START_TEST(test_newer_log_connection_replaces_an_older_one)
{
	peer_done done[2] = { { 0 } };
	peer_stream *stream[2];
	peer *p = peer_new();
	int i;

	for (i = 0; i < 2; i++) {
		lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_LOG_PORT, NULL, NULL, NULL);
		ck_assert_int_eq(lcowmig_gcs_read_log(p->gcs, peer_on_done, &done[i], NULL), LCOWMIG_PENDING);
		stream[i] = peer_dial(p, LCOWMIG_GCS_LOG_PORT);
	}
	peer_expect_done(&done[0], LCOWMIG_OK);
	ck_assert(!stream[0]->is_open);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream[0], "old", 3), LCOWMIG_E_UNAVAILABLE);
	lcowmig_gcs_receive(p->gcs, stream[1], "new", 3);
	ck_assert_str_eq(p->logged, "new");
	lcowmig_gcs_close(p->gcs);
	peer_expect_done(&done[1], LCOWMIG_E_UNAVAILABLE);
	peer_free(p);
}
END_TEST

/* The log is no operation that anybody waits for, but it refers to the bridge. */
START_TEST(test_free_is_refused_while_a_log_waits_for_its_connection)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	peer_done done = { 0 };
	peer *p = peer_new();

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_LOG_PORT, NULL, NULL, NULL);
	ck_assert_int_eq(lcowmig_gcs_read_log(p->gcs, peer_on_done, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_gcs_free(p->gcs, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_str_eq(error.message, "the guest connection has work in flight; expected it to be closed");
	lcowmig_gcs_close(p->gcs);
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	peer_free(p);
}
END_TEST

/* ---- Callers ---- */

static void expect_null_refused(lcowmig_status status, lcowmig_error *error)
{
	ck_assert_int_eq(status, LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error->message, "guest bridge: gcs is NULL");
	lcowmig__error_init(error);
}

START_TEST(test_every_function_takes_a_bridge_that_is_null)
{
	lcowmig_gcs_capabilities capabilities = LCOWMIG_GCS_CAPABILITIES_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	expect_null_refused(lcowmig_gcs_listen(NULL, "", LCOWMIG_GCS_LOG_PORT, NULL, NULL, &error), &error);
	expect_null_refused(lcowmig_gcs_seed_entropy(NULL, "x", 1, NULL, NULL, &error), &error);
	expect_null_refused(lcowmig_gcs_read_log(NULL, NULL, NULL, &error), &error);
	expect_null_refused(lcowmig_gcs_connect(NULL, true, NULL, NULL, &error), &error);
	expect_null_refused(lcowmig_gcs_resume(NULL, NULL, NULL, &error), &error);
	expect_null_refused(lcowmig_gcs_request(NULL, LCOWMIG_GCS_START, "c1", NULL, 0, NULL, NULL, &error), &error);
	expect_null_refused(lcowmig_gcs_adopt(NULL, 7, NULL, NULL, &error), &error);
	ck_assert_int_eq(lcowmig_gcs_cancel(NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_receive(NULL, &error, "x", 1), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_receive_end(NULL, &error, LCOWMIG_OK), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_get_capabilities(NULL, &capabilities), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert(!lcowmig_gcs_is_connected(NULL));
	ck_assert_uint_eq(lcowmig_gcs_next_port(NULL), 0);
	ck_assert_int_eq(lcowmig_gcs_next_request_id(NULL), 0);
	ck_assert_uint_eq(lcowmig_gcs_allocate_port(NULL), 0);
	lcowmig_gcs_raise_port(NULL, 7);
	lcowmig_gcs_raise_request_id(NULL, 7);
	lcowmig_gcs_set_migrating(NULL, true);
	lcowmig_gcs_settle(NULL);
	lcowmig_gcs_open_container(NULL, "c1");
	lcowmig_gcs_close_container(NULL, "c1");
	lcowmig_gcs_close(NULL);
}
END_TEST

START_TEST(test_arguments_that_are_null_change_nothing)
{
	peer *p = peer_new();

	peer_connect(p, true);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, NULL, "x", 1), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, p->control, NULL, 1), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, p->control, NULL, 0), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_receive_end(p->gcs, NULL, LCOWMIG_OK), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_get_capabilities(p->gcs, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_seed_entropy(p->gcs, NULL, 512, NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	lcowmig_gcs_open_container(p->gcs, NULL);
	lcowmig_gcs_close_container(p->gcs, NULL);
	ck_assert(lcowmig_gcs_is_connected(p->gcs));
	peer_free(p);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, test_close_ends_everything_exactly_once, 0, 2);
	tcase_add_test(tests, test_counters_go_on_after_a_close);
	tcase_add_test(tests, test_counters_are_raised_and_never_lowered);
	tcase_add_loop_test(tests, test_entropy_is_sent_and_its_stream_closed, 0, 2);
	tcase_add_test(tests, test_entropy_times_out_when_the_guest_does_not_dial);
	tcase_add_test(tests, test_log_is_passed_on_until_it_ends);
	tcase_add_test(tests, test_newer_log_connection_replaces_an_older_one);
	tcase_add_test(tests, test_every_function_takes_a_bridge_that_is_null);
	tcase_add_test(tests, test_arguments_that_are_null_change_nothing);
	tcase_add_test(tests, test_free_is_refused_while_a_log_waits_for_its_connection);
}

SUITE_RUN("gcs_lifecycle", add_tests)
