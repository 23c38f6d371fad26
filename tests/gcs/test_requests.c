/* Requests: ids, documents, deadlines, back-pressure, answers nobody waits for, the recording. */
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "suite.h"

static lcowmig_status try_request(peer *p, uint32_t message, const char *document, lcowmig_error *error)
{
	return lcowmig_gcs_request(p->gcs, message, "c1", document, 0, NULL, NULL, error);
}

START_TEST(test_every_message_of_the_lcow_path_is_sent_and_answered)
{
	static const uint32_t messages[] = {
		LCOWMIG_GCS_CREATE,          LCOWMIG_GCS_START,           LCOWMIG_GCS_SHUTDOWN_GRACEFUL,
		LCOWMIG_GCS_SHUTDOWN_FORCED, LCOWMIG_GCS_EXECUTE_PROCESS, LCOWMIG_GCS_WAIT_FOR_PROCESS,
		LCOWMIG_GCS_SIGNAL_PROCESS,  LCOWMIG_GCS_RESIZE_CONSOLE,  LCOWMIG_GCS_GET_PROPERTIES,
		LCOWMIG_GCS_MODIFY_SETTINGS, LCOWMIG_GCS_DUMP_STACKS,     LCOWMIG_GCS_DELETE_CONTAINER_STATE,
	};
	peer *p = peer_new();
	size_t i;

	peer_connect(p, true);
	for (i = 0; i < sizeof messages / sizeof messages[0]; i++) {
		peer_done done = { 0 };
		uint64_t id;

		peer_request(p, messages[i], NULL, &done);
		id = peer_expect(p, messages[i]);
		ck_assert_uint_eq(id, i + 1);
		peer_answer(p, messages[i], id, PLAIN_ANSWER);
		peer_expect_done(&done, LCOWMIG_OK);
		ck_assert_str_eq(done.answer, PLAIN_ANSWER);
		peer_done_clear(&done);
	}
	peer_free(p);
}
END_TEST

START_TEST(test_request_refuses_what_is_no_request)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	peer *p = peer_new();

	ck_assert_int_eq(try_request(p, LCOWMIG_GCS_START, NULL, &error), LCOWMIG_E_UNAVAILABLE); /* */
	ck_assert_ptr_nonnull(strstr(error.message, "Disconnected"));
	peer_connect(p, true);
	ck_assert_int_eq(try_request(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(try_request(p, LCOWMIG_GCS_NOTIFICATION, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(try_request(p, 0x20100101, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(try_request(p, LCOWMIG_GCS_START, "", &error), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(try_request(p, LCOWMIG_GCS_START, "{\"a\":}", &error), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(try_request(p, LCOWMIG_GCS_START, "{\"a\":\"\xc3\"}", &error), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(try_request(p, LCOWMIG_GCS_START, "{} {}", &error), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(try_request(p, LCOWMIG_GCS_START, "[1]", &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_request(p->gcs, LCOWMIG_GCS_START, "\xff", NULL, 0, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_adopt(p->gcs, 0, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_gcs_adopt(p->gcs, -1, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	peer_expect_nothing(p);
	ck_assert_int_eq(lcowmig_gcs_next_request_id(p->gcs), 1);
	peer_free(p);
}
END_TEST

#define BASE(id) "\"ContainerId\":" id ",\"ActivityId\":\"00000000-0000-0000-0000-000000000000\""

START_TEST(test_request_adds_only_what_the_document_lacks)
{
	static const struct {
		const char *container;
		const char *document;
		const char *sent;
	} rows[] = {
		{ "c1", NULL, "{" BASE("\"c1\"") "}\n" },
		{ NULL, "{}", "{" BASE("\"00000000-0000-0000-0000-000000000000\"") "}\n" },
		{ "a\"\\b", " { } \n", "{" BASE("\"a\\\"\\\\b\"") "}\n" },
		{ "c1", " {\"Query\" : \"\"}\r\n", "{" BASE("\"c1\"") ",\"Query\" : \"\"}\n" },
		{ "c1", "{\"ContainerId\":\"c2\"}", "{\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"ContainerId\":\"c2\"}\n" },
		{ "c1", "{\"ContainerId\":\"\",\"ActivityId\":\"x\",\"n\":1e400}",
		  "{\"ContainerId\":\"\",\"ActivityId\":\"x\",\"n\":1e400}\n" },
		{ "c1", "{\"a\":{\"ContainerId\":1}}", "{" BASE("\"c1\"") ",\"a\":{\"ContainerId\":1}}\n" },
	};
	static peer_frame frame;
	peer *p = peer_new();

	peer_connect(p, true);
	ck_assert_int_eq(
		lcowmig_gcs_request(p->gcs, LCOWMIG_GCS_GET_PROPERTIES, rows[_i].container, rows[_i].document, 0, NULL, NULL, NULL),
		LCOWMIG_PENDING);
	ck_assert(peer_take(p, &frame));
	ck_assert_str_eq(frame.payload, rows[_i].sent);
	peer_free(p);
}
END_TEST

static const char *given_parent;
static const char *given_state;

static void give_trace(void *user, char *parent, size_t parent_size, char *state, size_t state_size)
{
	peer *p = user;

	ck_assert_uint_ge(parent_size, 56);
	ck_assert_uint_ge(state_size, 513);
	if (given_parent) {
		strcpy(parent, given_parent);
		strcpy(state, given_state);
		return;
	}
	strcpy(parent, p->disconnects == -1 ? "with \"quotes\"" : "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
	if (p->disconnects == 7)
		strcpy(state, "vendor=1");
}

#define TRACE "\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\""

START_TEST(test_trace_context_goes_along_when_the_platform_gives_one)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	static peer_frame frame;
	peer *p = peer_prepare();

	platform.trace = give_trace;
	peer_start(p, &platform);
	peer_connect(p, true);
	try_request(p, LCOWMIG_GCS_START, NULL, NULL);
	ck_assert(peer_take(p, &frame));
	ck_assert_str_eq(frame.payload, "{" BASE("\"c1\"") ",\"otsc\":{" TRACE "}}\n");
	p->disconnects = 7;
	try_request(p, LCOWMIG_GCS_START, "{\"a\":1}", NULL);
	ck_assert(peer_take(p, &frame));
	ck_assert_str_eq(frame.payload, "{" BASE("\"c1\"") ",\"a\":1,\"otsc\":{" TRACE ",\"tracestate\":\"vendor=1\"}}\n");
	try_request(p, LCOWMIG_GCS_START, "{\"otsc\":{}}", NULL);
	ck_assert(peer_take(p, &frame));
	ck_assert_str_eq(frame.payload, "{" BASE("\"c1\"") ",\"otsc\":{}}\n");
	p->disconnects = -1;
	try_request(p, LCOWMIG_GCS_START, NULL, NULL);
	ck_assert(peer_take(p, &frame));
	ck_assert_str_eq(frame.payload, "{" BASE("\"c1\"") "}\n");
	peer_free(p);
}
END_TEST

/* What is no header value would be no JSON either. */
START_TEST(test_trace_context_that_is_none_is_left_out)
{
	static const char *const rows[][2] = {
		{ "", "vendor=1" },   { "tab\there", "" }, { "\x7f", "" },         { "back\\slash", "" }, { "\"", "" },
		{ "\xc3\xa9", "" }, { "00-1-2-01", "\"" }, { "00-1-2-01", "a\nb" },
	};
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	static peer_frame frame;
	peer *p = peer_prepare();

	platform.trace = give_trace;
	peer_start(p, &platform);
	given_parent = rows[_i][0];
	given_state = rows[_i][1];
	peer_connect(p, true);
	try_request(p, LCOWMIG_GCS_START, NULL, NULL);
	given_parent = given_state = NULL;
	ck_assert(peer_take(p, &frame));
	ck_assert_str_eq(frame.payload, "{" BASE("\"c1\"") "}\n");
	peer_free(p);
}
END_TEST

START_TEST(test_request_that_is_too_large_is_refused)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	peer_done done = { 0 };
	peer *p = peer_new();
	char *document = malloc(LCOWMIG_LIMIT_DOCUMENT_BYTES + 2);

	memset(document, ' ', LCOWMIG_LIMIT_DOCUMENT_BYTES + 1);
	memcpy(document, "{}", 2);
	document[LCOWMIG_LIMIT_DOCUMENT_BYTES + 1] = '\0';
	peer_connect(p, true);
	ck_assert_int_eq(lcowmig_gcs_request(p->gcs, LCOWMIG_GCS_START, "c1", document, 0, peer_on_answer, &done, &error),
			 LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_str_eq(error.message, "guest request: the document has 4194305 bytes, at most 4194304 are accepted");
	peer_expect_nothing(p);
	ck_assert_int_eq(lcowmig_gcs_next_request_id(p->gcs), 1);
	document[LCOWMIG_LIMIT_DOCUMENT_BYTES] = '\0';
	peer_request(p, LCOWMIG_GCS_START, document, &done);
	peer_answer(p, LCOWMIG_GCS_START, peer_expect(p, LCOWMIG_GCS_START), PLAIN_ANSWER);
	peer_expect_done(&done, LCOWMIG_OK);
	peer_done_clear(&done);
	free(document);
	peer_free(p);
}
END_TEST

/* Almost for ever is not at once. */
START_TEST(test_request_with_a_deadline_beyond_the_clock_waits)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	ck_assert_int_eq(lcowmig_gcs_request(p->gcs, LCOWMIG_GCS_START, "c1", NULL, UINT64_MAX - 1, peer_on_answer, &done, NULL),
			 LCOWMIG_PENDING);
	ck_assert_uint_eq(lcowmig_context_deadline(p->context), UINT64_MAX - 1);
	peer_advance(p, 1000000 * PEER_SECOND);
	ck_assert_int_eq(done.calls, 0);
	lcowmig_gcs_set_migrating(p->gcs, true);
	lcowmig_gcs_set_migrating(p->gcs, false);
	peer_advance(p, 1000000 * PEER_SECOND);
	ck_assert_int_eq(done.calls, 0);
	peer_answer(p, LCOWMIG_GCS_START, peer_expect(p, LCOWMIG_GCS_START), PLAIN_ANSWER);
	peer_expect_done(&done, LCOWMIG_OK);
	peer_done_clear(&done);
	peer_free(p);
}
END_TEST

static void other_answer(void *user, lcowmig_status status, const char *answer, size_t size, const lcowmig_error *error)
{
	peer_on_answer(user, status, answer, size, error);
}

/* Both function and pointer must be the waiter's: of several who wait for one answer, only those are ended. */
START_TEST(test_cancel_leaves_the_others_who_wait_for_the_same_answer)
{
	peer_done done[3] = { { 0 } };
	peer *p = peer_new();

	peer_connect(p, true);
	lcowmig_gcs_adopt(p->gcs, 9, peer_on_answer, &done[0], NULL);
	lcowmig_gcs_adopt(p->gcs, 9, other_answer, &done[1], NULL);
	lcowmig_gcs_adopt(p->gcs, 9, peer_on_answer, &done[2], NULL);
	ck_assert_int_eq(lcowmig_gcs_cancel(p->gcs, peer_on_answer, &done[1]), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_gcs_cancel(p->gcs, peer_on_answer, &done[2]), LCOWMIG_OK);
	peer_expect_done(&done[2], LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(done[0].calls + done[1].calls, 0);
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 9, "{\"Result\":0,\"ExitCode\":3}");
	peer_expect_done(&done[0], LCOWMIG_OK);
	peer_expect_done(&done[1], LCOWMIG_OK);
	ck_assert_str_eq(done[1].answer, "{\"Result\":0,\"ExitCode\":3}");
	ck_assert_int_eq(done[2].calls, 1);
	peer_done_clear(&done[0]);
	peer_done_clear(&done[1]);
	peer_free(p);
}
END_TEST

/* ---- Matching ---- */

START_TEST(test_answers_are_matched_in_any_order)
{
	peer_done done[3] = { { 0 } };
	peer *p = peer_new();
	int i;

	peer_connect(p, true);
	for (i = 0; i < 3; i++)
		peer_request(p, LCOWMIG_GCS_GET_PROPERTIES, NULL, &done[i]);
	peer_answer(p, LCOWMIG_GCS_GET_PROPERTIES, 3, "{\"Result\":0,\"n\":3}");
	peer_answer(p, LCOWMIG_GCS_GET_PROPERTIES, 1, "{\"Result\":0,\"n\":1}");
	peer_answer(p, LCOWMIG_GCS_GET_PROPERTIES, 2, "{\"Result\":0,\"n\":2}");
	for (i = 0; i < 3; i++) {
		peer_expect_done(&done[i], LCOWMIG_OK);
		ck_assert_int_eq(done[i].answer[16], '1' + i);
		peer_done_clear(&done[i]);
	}
	peer_free(p);
}
END_TEST

/* late, second, unknown and mismatched answers are dropped, never a reason to drop the bridge. */
START_TEST(test_answers_nobody_waits_for_are_harmless)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done);
	peer_answer(p, LCOWMIG_GCS_START, 2, PLAIN_ANSWER);                  /* never asked */
	peer_answer(p, LCOWMIG_GCS_START, UINT64_MAX, PLAIN_ANSWER);         /* no id of ours */
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 1, PLAIN_ANSWER);       /* another question's */
	peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, 0, NEGOTIATE_ANSWER); /* again */
	peer_send(p, 0x30100201, 0, "{}");
	peer_send(p, LCOWMIG_GCS_NOTIFICATION, 0, "{}");
	peer_send(p, LCOWMIG_GCS_NOTIFICATION, 0, "garbage");
	ck_assert_int_eq(done.calls, 0);
	peer_answer(p, LCOWMIG_GCS_START, 1, PLAIN_ANSWER);
	peer_answer(p, LCOWMIG_GCS_START, 1, PLAIN_ANSWER);
	peer_expect_done(&done, LCOWMIG_OK);
	ck_assert(lcowmig_gcs_is_connected(p->gcs));
	ck_assert_int_eq(p->notifications, 0);
	peer_done_clear(&done);
	peer_free(p);
}
END_TEST

START_TEST(test_answer_may_come_before_send_returns)
{
	peer_done done[20] = { { 0 } };
	peer *p = peer_new();
	int i;

	peer_connect(p, true);
	p->answers_inside_send = true;
	p->hold_sends = _i == 1;
	for (i = 0; i < 20; i++) {
		peer_request(p, LCOWMIG_GCS_START, NULL, &done[i]);
		if (p->hold_sends)
			peer_complete_send(p, LCOWMIG_OK);
	}
	for (i = 0; i < 20; i++) {
		peer_expect_done(&done[i], LCOWMIG_OK);
		peer_done_clear(&done[i]);
	}
	peer_free(p);
}
END_TEST

START_TEST(test_loss_fails_everything_outstanding)
{
	peer_done done[2] = { { 0 } };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, &done[0]);
	lcowmig_gcs_adopt(p->gcs, 50, peer_on_answer, &done[1], NULL);
	if (_i)
		p->send_fails = LCOWMIG_E_HOST_FAILED;
	else
		lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_E_HOST_FAILED);
	if (_i) {
		peer_done last = { 0 };

		peer_request(p, LCOWMIG_GCS_START, NULL, &last);
		peer_expect_done(&last, LCOWMIG_E_UNAVAILABLE);
		ck_assert_uint_eq(last.hresult, 0x80072746);
		p->send_fails = LCOWMIG_OK;
	}
	peer_expect_done(&done[0], LCOWMIG_E_UNAVAILABLE);
	peer_expect_done(&done[1], LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(p->disconnects, 1);
	ck_assert_ptr_nonnull(strstr(p->disconnect_why, "lost"));
	ck_assert(!p->control->is_open);
	p->sent_taken = p->sent_size;
	peer_connect(p, true);
	peer_free(p);
}
END_TEST

/* ---- Deadlines ---- */

START_TEST(test_request_times_out_alone_and_its_late_answer_is_dropped)
{
	peer_done request = { 0 };
	peer_done wait = { 0 };
	peer_done shutdown = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_MODIFY_SETTINGS, NULL, &request);
	peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, &wait);
	peer_request(p, LCOWMIG_GCS_SHUTDOWN_GRACEFUL, NULL, &shutdown);
	peer_advance(p, 30 * PEER_SECOND);
	peer_expect_done(&shutdown, LCOWMIG_E_TIMED_OUT);
	ck_assert_uint_eq(lcowmig_context_deadline(p->context), p->now + 270 * PEER_SECOND);
	peer_advance(p, 270 * PEER_SECOND - 1);
	ck_assert_int_eq(request.calls, 0);
	peer_advance(p, 1);
	peer_expect_done(&request, LCOWMIG_E_TIMED_OUT);
	peer_answer(p, LCOWMIG_GCS_MODIFY_SETTINGS, 1, PLAIN_ANSWER);
	ck_assert_int_eq(request.calls, 1);
	ck_assert_int_eq(wait.calls, 0);
	peer_advance(p, 1000000 * PEER_SECOND);
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 2, PLAIN_ANSWER);
	peer_expect_done(&wait, LCOWMIG_OK);
	peer_done_clear(&wait);
	peer_free(p);
}
END_TEST

START_TEST(test_request_has_the_deadline_it_asks_for)
{
	peer_done done[2] = { { 0 } };
	peer *p = peer_new();

	peer_connect(p, true);
	lcowmig_gcs_request(p->gcs, LCOWMIG_GCS_WAIT_FOR_PROCESS, "c", NULL, PEER_SECOND, peer_on_answer, &done[0], NULL);
	lcowmig_gcs_request(p->gcs, LCOWMIG_GCS_START, "c", NULL, LCOWMIG_NO_DEADLINE, peer_on_answer, &done[1], NULL);
	peer_advance(p, PEER_SECOND);
	peer_expect_done(&done[0], LCOWMIG_E_TIMED_OUT);
	peer_advance(p, 1000000 * PEER_SECOND);
	ck_assert_int_eq(done[1].calls, 0);
	peer_free(p);
	peer_expect_done(&done[1], LCOWMIG_E_UNAVAILABLE);
}
END_TEST

START_TEST(test_cancel_ends_a_request_and_its_answer_is_dropped)
{
	peer_done done[2] = { { 0 } };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done[0]);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done[1]);
	ck_assert_int_eq(lcowmig_gcs_cancel(p->gcs, peer_on_answer, &done[0]), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_cancel(p->gcs, peer_on_answer, &done[0]), LCOWMIG_E_NOT_FOUND);
	peer_expect_done(&done[0], LCOWMIG_E_CANCELLED);
	peer_answer(p, LCOWMIG_GCS_START, 1, PLAIN_ANSWER);
	peer_answer(p, LCOWMIG_GCS_START, 2, PLAIN_ANSWER);
	ck_assert_int_eq(done[0].calls, 1);
	peer_expect_done(&done[1], LCOWMIG_OK);
	peer_done_clear(&done[1]);
	peer_free(p);
}
END_TEST

/* ---- Back-pressure ---- */

START_TEST(test_one_frame_at_a_time_is_with_the_host_in_the_order_of_the_ids)
{
	peer_done done[5] = { { 0 } };
	peer *p = peer_new();
	int i;

	peer_connect(p, true);
	p->hold_sends = true;
	for (i = 0; i < 5; i++)
		peer_request(p, LCOWMIG_GCS_START, NULL, &done[i]);
	ck_assert_int_eq(lcowmig_gcs_next_request_id(p->gcs), 6);
	/* What was given up before it was sent is not sent; its id is used up all the same. */
	lcowmig_gcs_cancel(p->gcs, peer_on_answer, &done[2]);
	for (i = 0; i < 5; i++) {
		if (i == 2)
			continue;
		ck_assert_uint_eq(peer_expect(p, LCOWMIG_GCS_START), (uint64_t)i + 1);
		peer_expect_nothing(p);
		peer_complete_send(p, LCOWMIG_OK);
	}
	/* An answer to what was not sent yet cannot be one. */
	peer_request(p, LCOWMIG_GCS_START, NULL, &done[2]);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done[2]);
	peer_answer(p, LCOWMIG_GCS_START, 7, PLAIN_ANSWER);
	ck_assert_int_eq(done[2].calls, 1);
	peer_complete_send(p, LCOWMIG_OK);
	peer_free(p);
}
END_TEST

START_TEST(test_queue_is_bounded_and_one_request_always_fits)
{
	char document[1024];
	peer_done done[4] = { { 0 } };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	peer *p = peer_prepare();

	p->config.queue_bytes = 2000;
	peer_start(p, NULL);
	memset(document, ' ', sizeof document);
	document[0] = '{';
	memcpy(document + sizeof document - 2, "}", 2);
	peer_connect(p, true);
	p->hold_sends = true;
	peer_request(p, LCOWMIG_GCS_START, document, &done[0]); /* with the host */
	peer_request(p, LCOWMIG_GCS_START, document, &done[1]);
	peer_request(p, LCOWMIG_GCS_START, "{}", &done[2]);
	ck_assert_int_eq(try_request(p, LCOWMIG_GCS_START, "{}", &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_gcs_next_request_id(p->gcs), 5);
	while (try_request(p, LCOWMIG_GCS_START, document, &error) == LCOWMIG_PENDING)
		;
	ck_assert_int_eq(error.status, LCOWMIG_E_LIMIT_EXCEEDED);
	peer_complete_send(p, LCOWMIG_OK);
	peer_complete_send(p, LCOWMIG_OK);
	peer_free(p);
}
END_TEST

START_TEST(test_request_timed_out_while_queued_is_not_sent)
{
	peer_done done[2] = { { 0 } };
	peer *p = peer_new();

	peer_connect(p, true);
	p->hold_sends = true;
	peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, &done[0]);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done[1]);
	peer_advance(p, 300 * PEER_SECOND);
	peer_expect_done(&done[1], LCOWMIG_E_TIMED_OUT);
	peer_complete_send(p, LCOWMIG_OK);
	ck_assert_uint_eq(peer_expect(p, LCOWMIG_GCS_WAIT_FOR_PROCESS), 1);
	peer_expect_nothing(p);
	peer_free(p);
}
END_TEST

/* ---- The recording ---- */

#define SECRETS                                                                                                                            \
	"{\"Settings\":{\"ProcessParameters\":\"{\\\"Environment\\\":{\\\"A\\\":\\\"hush\\\"},\\\"OciProcess\\\":{\\\"args\\\":"           \
	"[\\\"/bin/sh\\\"],\\\"env\\\":[\\\"TOKEN=hush\\\"]}}\"},\"EncodedSecurityPolicy\":\"hush\",\"Annotations\":"                      \
	"{\"io.microsoft.virtualmachine.lcow.securitypolicy\":\"hush\",\"plain\":\"seen\"},\"Big\":9007199254740993}"

START_TEST(test_recording_shows_frames_and_masks_secrets)
{
	peer *p = peer_new();

	peer_connect(p, true);
	p->recorded[0] = '\0';
	try_request(p, LCOWMIG_GCS_EXECUTE_PROCESS, SECRETS, NULL);
	peer_answer(p, LCOWMIG_GCS_EXECUTE_PROCESS, 1, "{\"Result\":0,\"ProcessId\":57}");
	peer_send(p, 0x20100501, 1, "\x01garbage");
	lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(p->recorded, "> ExecuteProcess id=1 size="));
	ck_assert_ptr_nonnull(strstr(p->recorded, "< ExecuteProcess id=1 size=43 {\"Result\":0,\"ProcessId\":57}\n"));
	ck_assert_ptr_nonnull(strstr(p->recorded, "< ExecuteProcess id=1 size=24 (no JSON)\n"));
	ck_assert_ptr_nonnull(strstr(p->recorded, "= the guest connection was lost: the guest ended it\n"));
	ck_assert_msg(!strstr(p->recorded, "hush"), "%s", p->recorded);
	ck_assert_ptr_nonnull(strstr(p->recorded, "TOKEN=***"));
	ck_assert_ptr_nonnull(strstr(p->recorded, "/bin/sh"));
	ck_assert_ptr_nonnull(strstr(p->recorded, "\"plain\":\"seen\""));
	ck_assert_ptr_nonnull(strstr(p->recorded, "9007199254740993"));
	peer_free(p);
}
END_TEST

/* A document inside a document inside a document …, or one that is none after all. */
START_TEST(test_recording_masks_documents_that_it_cannot_look_into)
{
	static const char *const documents[] = {
		"{\"ContainerConfig\":\" \\n{\\\"env\\\":[\\\"TOKEN=hush\\\"]}\"}",
		"{\"ContainerConfig\":\"{\\\"env\\\":[\\\"TOKEN=hush\\\"]\"}",
		"{\"ContainerConfig\":\"{\\\"env\\\":[\\\"TOKEN=hush\\\"]} and more\"}",
		"{\"A\":\"[\\\"[\\\\\\\"[\\\\\\\\\\\\\\\"{env: hush}\\\\\\\\\\\\\\\"]\\\\\\\"]\\\"]\"}",
	};
	peer *p = peer_new();

	peer_connect(p, true);
	p->recorded[0] = '\0';
	try_request(p, LCOWMIG_GCS_EXECUTE_PROCESS, documents[_i], NULL);
	ck_assert_ptr_nonnull(strstr(p->recorded, "> ExecuteProcess id=1 "));
	ck_assert_msg(!strstr(p->recorded, "hush"), "%s", p->recorded);
	ck_assert_ptr_nonnull(strstr(p->recorded, "***"));
	lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_OK);
	peer_free(p);
}
END_TEST

START_TEST(test_recording_shows_everything_when_asked)
{
	peer *p = peer_prepare();

	p->config.flags = LCOWMIG_GCS_RECORD_SECRETS;
	peer_start(p, NULL);
	peer_connect(p, true);
	ck_assert_str_eq(p->recorded, "= transport\n> NegotiateProtocol id=0 size=125 {\"ContainerId\":\"\",\"ActivityId\":"
				      "\"00000000-0000-0000-0000-000000000000\",\"MinimumVersion\":4,\"MaximumVersion\":4}\n"
				      "< NegotiateProtocol id=0 size=342 " NEGOTIATE_ANSWER "\n= negotiated version 4\n");
	p->recorded[0] = '\0';
	try_request(p, LCOWMIG_GCS_EXECUTE_PROCESS, SECRETS, NULL);
	ck_assert_ptr_nonnull(strstr(p->recorded, "hush"));
	p->recorded[0] = '\0';
	peer_send(p, 0x20100501, 9, "\x01\xff\n.\n");
	ck_assert_str_eq(p->recorded, "< ExecuteProcess id=9 size=21 \\x01\\xff\\x0a.\n");
	p->recorded[0] = '\0';
	peer_send(p, 0x20100501, 9, "\xc3\xa9\x7f");
	ck_assert_str_eq(p->recorded, "< ExecuteProcess id=9 size=19 \xc3\xa9\\x7f\n");
	peer_free(p);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_every_message_of_the_lcow_path_is_sent_and_answered);
	tcase_add_test(tests, test_request_refuses_what_is_no_request);
	tcase_add_loop_test(tests, test_request_adds_only_what_the_document_lacks, 0, 7);
	tcase_add_test(tests, test_trace_context_goes_along_when_the_platform_gives_one);
	tcase_add_loop_test(tests, test_trace_context_that_is_none_is_left_out, 0, 8);
	tcase_add_test(tests, test_request_that_is_too_large_is_refused);
	tcase_add_test(tests, test_request_with_a_deadline_beyond_the_clock_waits);
	tcase_add_test(tests, test_cancel_leaves_the_others_who_wait_for_the_same_answer);
	tcase_add_test(tests, test_answers_are_matched_in_any_order);
	tcase_add_test(tests, test_answers_nobody_waits_for_are_harmless);
	tcase_add_loop_test(tests, test_answer_may_come_before_send_returns, 0, 2);
	tcase_add_loop_test(tests, test_loss_fails_everything_outstanding, 0, 2);
	tcase_add_test(tests, test_request_times_out_alone_and_its_late_answer_is_dropped);
	tcase_add_test(tests, test_request_has_the_deadline_it_asks_for);
	tcase_add_test(tests, test_cancel_ends_a_request_and_its_answer_is_dropped);
	tcase_add_test(tests, test_one_frame_at_a_time_is_with_the_host_in_the_order_of_the_ids);
	tcase_add_test(tests, test_queue_is_bounded_and_one_request_always_fits);
	tcase_add_test(tests, test_request_timed_out_while_queued_is_not_sent);
	tcase_add_test(tests, test_recording_shows_frames_and_masks_secrets);
	tcase_add_loop_test(tests, test_recording_masks_documents_that_it_cannot_look_into, 0, 4);
	tcase_add_test(tests, test_recording_shows_everything_when_asked);
}

SUITE_RUN("gcs_requests", add_tests)
