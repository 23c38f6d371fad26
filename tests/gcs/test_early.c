/* Bytes, and ends, that come before their stream is known; and those that come at the worst moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "suite.h"

static void begin_connect(peer *p, peer_done *done)
{
	ck_assert_int_eq(lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, true, peer_on_done, done, NULL), LCOWMIG_PENDING);
}

/* A host may still feed streams that were closed long ago: the ones that came last are kept. */
START_TEST(test_early_bytes_are_kept_for_the_streams_that_came_last)
{
	unsigned char bytes[256];
	size_t size = peer_frame_make(bytes, LCOWMIG_GCS_NOTIFICATION, 0, "{\"ContainerId\":\"c1\"}");
	char others[3 * LCOWMIG__GCS_EARLY_STREAMS];
	peer_done done = { 0 };
	peer *p = peer_new();
	peer_stream *stream = &p->handles[1];
	size_t i;

	begin_connect(p, &done);
	for (i = 0; i < sizeof others; i++) {
		if (i == sizeof others - LCOWMIG__GCS_EARLY_STREAMS + 1)
			ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, bytes, size), LCOWMIG_OK);
		ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, &others[i], "stale", 5), LCOWMIG_OK);
	}
	ck_assert_ptr_eq(peer_dial(p, LCOWMIG_GCS_CONTROL_PORT), stream);
	peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
	peer_expect_done(&done, LCOWMIG_OK);
	ck_assert_str_eq(p->notified, "{\"ContainerId\":\"c1\"}\n");
	peer_free(p);
}
END_TEST

/* The limit is a MiB; a stream of which something is missing is of no use. */
START_TEST(test_early_bytes_beyond_their_limit_fail_the_connection)
{
	static unsigned char bytes[1 << 16];
	peer_done done = { 0 };
	peer *p = peer_new();
	peer_stream *stream = &p->handles[1];
	size_t given;
	size_t size;

	memset(bytes, ' ', sizeof bytes);
	for (given = LCOWMIG__FRAME_HEADER; given < sizeof bytes; given += 1)
		bytes[given] = given % 2 ? ' ' : '\n';
	begin_connect(p, &done);
	size = LCOWMIG_GCS_FRAME_MAX;
	memcpy(bytes, "\x01\x01\x10\x30\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", LCOWMIG__FRAME_HEADER);
	for (given = 0; given < LCOWMIG__GCS_EARLY_BYTES; given += size)
		ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, bytes, size), LCOWMIG_OK);
	if (_i) {
		ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, bytes, 1), LCOWMIG_OK);
		/* Nothing that comes after it is taken for what was missing. */
		ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, bytes, size), LCOWMIG_OK);
		ck_assert_int_eq(lcowmig_gcs_receive_end(p->gcs, stream, LCOWMIG_OK), LCOWMIG_OK);
	}
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	if (_i) {
		peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
		ck_assert(!stream->is_open);
		ck_assert_ptr_nonnull(strstr(p->recorded, lcowmig_status_text(LCOWMIG_E_LIMIT_EXCEEDED)));
	} else {
		peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
		peer_expect_done(&done, LCOWMIG_OK);
	}
	peer_free(p);
}
END_TEST

START_TEST(test_early_bytes_without_memory_fail_the_connection)
{
	peer_done done = { 0 };
	peer *p = peer_new();
	peer_stream *stream = &p->handles[1];

	begin_connect(p, &done);
	p->is_out_of_memory = true;
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, "\x01\x01\x10\x30", 4), LCOWMIG_OK);
	p->is_out_of_memory = false;
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, "\x20\x00\x00\x00", 4), LCOWMIG_OK);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	ck_assert(!stream->is_open);
	ck_assert_ptr_nonnull(strstr(p->recorded, lcowmig_status_text(LCOWMIG_E_NO_MEMORY)));
	p->sent_taken = p->sent_size;
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

/* A guest that hung up at once: the connect does not wait for its timeout. */
START_TEST(test_early_end_is_known_also_without_memory)
{
	peer_done done = { 0 };
	peer *p = peer_new();
	peer_stream *stream = &p->handles[1];

	begin_connect(p, &done);
	p->is_out_of_memory = true;
	ck_assert_int_eq(lcowmig_gcs_receive_end(p->gcs, stream, LCOWMIG_OK), LCOWMIG_OK);
	p->is_out_of_memory = false;
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	ck_assert(!stream->is_open);
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

/* Garbage, and its end on top: the transport is lost once. */
START_TEST(test_early_garbage_that_has_ended_fails_the_connection_once)
{
	peer_done done = { 0 };
	peer *p = peer_new();
	peer_stream *stream = &p->handles[1];

	begin_connect(p, &done);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, stream, "no frame at all.", 16), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_receive_end(p->gcs, stream, LCOWMIG_OK), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_receive_end(p->gcs, stream, LCOWMIG_E_HOST_FAILED), LCOWMIG_OK);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	ck_assert(!stream->is_open);
	ck_assert_int_eq(p->disconnects, 0);
	peer_expect_nothing(p);
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

/* The answer and a broken frame in one portion: the connection is gone before anybody could use it. */
START_TEST(test_connection_lost_with_its_last_answer_fails_the_connect)
{
	unsigned char bytes[1024];
	peer_done done = { 0 };
	peer *p = peer_new();
	uint64_t id;
	size_t size;

	begin_connect(p, &done);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	id = peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL);
	size = peer_frame_make(bytes, 0x20100b01, id, NEGOTIATE_ANSWER);
	memset(bytes + size, 0xff, LCOWMIG__FRAME_HEADER);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, p->control, bytes, size + LCOWMIG__FRAME_HEADER), LCOWMIG_OK);
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(done.message, "lost as soon as it was negotiated"));
	ck_assert(!lcowmig_gcs_is_connected(p->gcs));
	ck_assert(!p->control->is_open);
	ck_assert_int_eq(p->disconnects, 0); /* nobody had been told that it is up */
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

static void end_control_stream(peer *p, peer_stream *stream)
{
	if (stream->is_listener)
		lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_OK);
}

/* The host closes the used-up listener first, and there hears that the new stream has ended: the request in line is not written any more. */
START_TEST(test_stream_that_ends_before_its_first_write_is_not_written_to)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	begin_connect(p, &done);
	p->on_close = end_control_stream;
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	p->on_close = NULL;
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(done.message, "the guest connection was lost"));
	ck_assert(!p->control->is_open);
	ck_assert_uint_eq(p->sends, 0);
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

/* The guest's log was over before the library knew of it. */
START_TEST(test_log_that_has_ended_early_is_passed_on_whole)
{
	peer_done done = { 0 };
	peer *p = peer_prepare();
	peer_stream *stream = &p->handles[1];

	if (_i)
		p->config.log = NULL;
	peer_start(p, NULL);
	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_LOG_PORT, NULL, NULL, NULL);
	ck_assert_int_eq(lcowmig_gcs_read_log(p->gcs, peer_on_done, &done, NULL), LCOWMIG_PENDING);
	lcowmig_gcs_receive(p->gcs, stream, "all ", 4);
	lcowmig_gcs_receive(p->gcs, stream, "of it", 5);
	lcowmig_gcs_receive_end(p->gcs, stream, LCOWMIG_OK);
	ck_assert_ptr_eq(peer_dial(p, LCOWMIG_GCS_LOG_PORT), stream);
	peer_expect_done(&done, LCOWMIG_OK);
	ck_assert_str_eq(p->logged, _i ? "" : "all of it");
	ck_assert(!stream->is_open);
	peer_free(p);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_early_bytes_are_kept_for_the_streams_that_came_last);
	tcase_add_loop_test(tests, test_early_bytes_beyond_their_limit_fail_the_connection, 0, 2);
	tcase_add_test(tests, test_early_bytes_without_memory_fail_the_connection);
	tcase_add_test(tests, test_early_end_is_known_also_without_memory);
	tcase_add_test(tests, test_early_garbage_that_has_ended_fails_the_connection_once);
	tcase_add_test(tests, test_connection_lost_with_its_last_answer_fails_the_connect);
	tcase_add_test(tests, test_stream_that_ends_before_its_first_write_is_not_written_to);
	tcase_add_loop_test(tests, test_log_that_has_ended_early_is_passed_on_whole, 0, 2);
}

SUITE_RUN("gcs_early", add_tests)
