/* Bytes to frames: every split, every bad size, and what a frame may hold. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "peer.h"
#include "suite.h"

#define BIG_NUMBER "9007199254740993" /* no double holds it */

/* The examples of the protocol, byte for byte. */
START_TEST(test_negotiate_frame_is_the_protocols_example_byte_for_byte)
{
	static const unsigned char header[] = { 0x01, 0x0b, 0x10, 0x10, 0x7d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	unsigned char answer[512];
	peer *p = peer_new();

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, true, NULL, NULL, NULL);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	ck_assert_uint_eq(p->sent_size, 125);
	ck_assert_mem_eq(p->sent, header, sizeof header);
	ck_assert_mem_eq(p->sent + 16, NEGOTIATE_REQUEST, 109);
	ck_assert_uint_eq(peer_frame_make(answer, 0x20100b01, 0, NEGOTIATE_ANSWER), 342);
	ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, p->control, answer, 342), LCOWMIG_OK);
	ck_assert(lcowmig_gcs_is_connected(p->gcs));
	peer_free(p);
}
END_TEST

START_TEST(test_wait_probe_frame_is_the_protocols_example_byte_for_byte)
{
	static const unsigned char header[] = { 0x01, 0x06, 0x10, 0x10, 0xb7, 0, 0, 0, 0x39, 0, 0, 0, 0, 0, 0, 0 };
	static const char document[] = "{\"ContainerId\":\"9f3b1c0d2e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d\","
				       "\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"ProcessId\":57,\"TimeoutInMs\":50}";
	peer_done done = { 0 };
	peer *p = peer_new();

	peer_connect(p, false);
	lcowmig_gcs_raise_request_id(p->gcs, 57);
	peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, document, &done);
	ck_assert_uint_eq(p->sent_size - p->sent_taken, 183);
	ck_assert_mem_eq(p->sent + p->sent_taken, header, sizeof header);
	ck_assert_mem_eq(p->sent + p->sent_taken + 16, document, sizeof document - 1);
	ck_assert_int_eq(p->sent[p->sent_size - 1], '\n');
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 57, "{\"Result\":0,\"ExitCode\":137}");
	peer_expect_done(&done, LCOWMIG_OK);
	ck_assert_str_eq(done.answer, "{\"Result\":0,\"ExitCode\":137}");
	peer_done_clear(&done);
	peer_free(p);
}
END_TEST

/* ---- A whole conversation, split ---- */

#define CONVERSATION_REQUESTS 3

typedef struct conversation {
	peer *p;
	peer_done done[CONVERSATION_REQUESTS];
	unsigned char bytes[4096];
	size_t size;
} conversation;

static void conversation_add(conversation *c, uint32_t type, uint64_t id, const char *payload)
{
	c->size += peer_frame_make(c->bytes + c->size, type, id, payload);
}

/* A connected bridge with three requests outstanding, and all that the guest will say to that. */
static conversation *conversation_new(void)
{
	conversation *c = calloc(1, sizeof *c);
	size_t i;

	c->p = peer_new();
	peer_connect(c->p, true);
	for (i = 0; i < CONVERSATION_REQUESTS; i++)
		peer_request(c->p, LCOWMIG_GCS_GET_PROPERTIES, NULL, &c->done[i]);
	conversation_add(c, LCOWMIG_GCS_NOTIFICATION, 0, "{\"ContainerId\":\"c1\"}");
	conversation_add(c, 0x20100901, 3, "{\"Result\":0,\"Properties\":\"{}\"}\n");
	conversation_add(c, 0x20100901, 99, PLAIN_ANSWER); /* nobody waits for it */
	conversation_add(c, 0x20100901, 1, "{\"Result\":-1070137074,\"ErrorMessage\":\"container \\\"c1\\\" not found\"}");
	conversation_add(c, 0x20100901, 3, PLAIN_ANSWER); /* again */
	conversation_add(c, 0x30100201, 0, "?");          /* no notification that we know */
	conversation_add(c, 0x20100901, 2, "");           /* framed, but no JSON */
	conversation_add(c, LCOWMIG_GCS_NOTIFICATION, 0, "{\"ContainerId\":\"c2\"}");
	return c;
}

/* Hands out a copy of exactly this part, so that reading beyond it shows. */
static void conversation_feed(conversation *c, size_t from, size_t to)
{
	unsigned char *part = malloc(to - from + 1);

	memcpy(part, c->bytes + from, to - from);
	ck_assert_int_eq(lcowmig_gcs_receive(c->p->gcs, c->p->control, part, to - from), LCOWMIG_OK);
	free(part);
}

static void conversation_check(conversation *c)
{
	size_t i;

	peer_expect_done(&c->done[0], LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(c->done[0].hresult, 0xC037010E);
	ck_assert_ptr_nonnull(strstr(c->done[0].message, "container \"c1\" not found"));
	peer_expect_done(&c->done[1], LCOWMIG_E_CORRUPT_DATA);
	peer_expect_done(&c->done[2], LCOWMIG_OK);
	ck_assert_str_eq(c->done[2].answer, "{\"Result\":0,\"Properties\":\"{}\"}\n");
	ck_assert_str_eq(c->p->notified, "{\"ContainerId\":\"c1\"}\n{\"ContainerId\":\"c2\"}\n");
	ck_assert(lcowmig_gcs_is_connected(c->p->gcs));
	peer_free(c->p);
	for (i = 0; i < CONVERSATION_REQUESTS; i++)
		peer_done_clear(&c->done[i]);
	free(c);
}

START_TEST(test_conversation_is_understood_when_split_at_any_byte)
{
	size_t split = 0;
	size_t size = 1;

	for (; split < size; split++) {
		conversation *c = conversation_new();

		size = c->size;
		conversation_feed(c, 0, split);
		conversation_feed(c, split, size);
		conversation_check(c);
	}
}
END_TEST

START_TEST(test_conversation_is_understood_in_portions_of_any_size)
{
	static const size_t portions[] = { 1, 2, 3, 7, 15, 16, 17, 31, 64, 333 };
	conversation *c = conversation_new();
	size_t at;

	for (at = 0; at < c->size; at += portions[_i])
		conversation_feed(c, at, at + portions[_i] < c->size ? at + portions[_i] : c->size);
	conversation_check(c);
}
END_TEST

/* ---- Sizes and kinds ---- */

static void send_header(peer *p, uint32_t type, uint32_t size, uint64_t id)
{
	unsigned char bytes[LCOWMIG__FRAME_HEADER];
	lcowmig__frame frame;

	frame.type = type;
	frame.size = size;
	frame.id = id;
	lcowmig__frame_write(bytes, &frame);
	lcowmig_gcs_receive(p->gcs, p->control, bytes, 9); /* in two pieces */
	lcowmig_gcs_receive(p->gcs, p->control, bytes + 9, sizeof bytes - 9);
}

START_TEST(test_frame_of_impossible_size_loses_the_connection)
{
	static const uint32_t sizes[] = { 0, 1, 15, 65537, 0x80000000u, 0xffffffffu };
	peer_done done = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done);
	send_header(p, 0x20100201, sizes[_i], 1);
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(done.message, "expected 16 to 65536"));
	ck_assert(!lcowmig_gcs_is_connected(p->gcs));
	ck_assert(!p->control->is_open);
	ck_assert_int_eq(p->disconnects, 1);
	ck_assert_int_eq(peer_send(p, 0x20100201, 1, PLAIN_ANSWER), LCOWMIG_E_UNAVAILABLE);
	peer_free(p);
}
END_TEST

START_TEST(test_frame_of_unknown_kind_loses_the_connection)
{
	static const uint32_t types[] = { 0, 0x00100101, 0x10100901, 0x40100101, 0xf0100101 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_send(p, types[_i], 0, PLAIN_ANSWER);
	ck_assert(!lcowmig_gcs_is_connected(p->gcs));
	ck_assert_int_eq(p->disconnects, 1);
	peer_free(p);
}
END_TEST

START_TEST(test_largest_frame_arrives_whole_whatever_the_portions)
{
	static const size_t portions[] = { 1, 4095, 40000, LCOWMIG_GCS_FRAME_MAX };
	size_t length = LCOWMIG_GCS_FRAME_MAX - LCOWMIG__FRAME_HEADER;
	char *payload = malloc(length + 1);
	unsigned char *bytes = malloc(LCOWMIG_GCS_FRAME_MAX);
	peer_done done = { 0 };
	peer *p = peer_new();
	size_t portion = portions[_i];
	size_t at;

	memset(payload, 'x', length);
	payload[length] = '\0';
	memcpy(payload, "{\"Result\":0,\"GuestStacks\":\"", 27);
	memcpy(payload + length - 2, "\"}", 2);
	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_DUMP_STACKS, NULL, &done);
	ck_assert_uint_eq(peer_frame_make(bytes, 0x20100c01, 1, payload), LCOWMIG_GCS_FRAME_MAX);
	for (at = 0; at < LCOWMIG_GCS_FRAME_MAX; at += portion)
		lcowmig_gcs_receive(p->gcs, p->control, bytes + at,
				    at + portion < LCOWMIG_GCS_FRAME_MAX ? portion : LCOWMIG_GCS_FRAME_MAX - at);
	peer_expect_done(&done, LCOWMIG_OK);
	ck_assert_str_eq(done.answer, payload);
	peer_done_clear(&done);
	peer_free(p);
	free(bytes);
	free(payload);
}
END_TEST

/* ---- What a frame may hold ---- */

START_TEST(test_answer_that_is_no_answer_fails_its_request_alone)
{
	static const char *const payloads[] = {
		"",
		"{",
		"[]",
		"null",
		"1",
		"{} x",
		"{\"Result\":1.5}",
		"{\"Result\":\"0\"}",
		"{\"Result\":4294967296}",
		"{\"Result\":2147483648}",
		"{\"Result\":0,\"s\":\"\xff\"}",
		"{\"Result\":0,\"s\":\"\\ud800\"}",
		"{\"Result\":0,\"s\":\"\\u0000\"}",
	};
	peer_done done = { 0 };
	peer_done next = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done);
	peer_answer(p, LCOWMIG_GCS_START, 1, payloads[_i]);
	peer_expect_done(&done, LCOWMIG_E_CORRUPT_DATA);
	ck_assert_ptr_null(done.answer);
	ck_assert(lcowmig_gcs_is_connected(p->gcs));
	peer_request(p, LCOWMIG_GCS_START, NULL, &next);
	peer_answer(p, LCOWMIG_GCS_START, 2, "{\"Result\":null,\"ActivityId\":null}");
	peer_expect_done(&next, LCOWMIG_OK);
	peer_done_clear(&next);
	peer_free(p);
}
END_TEST

START_TEST(test_answer_nested_too_deeply_is_refused)
{
	char payload[512] = "{\"Result\":0,\"a\":";
	peer_done done = { 0 };
	peer *p = peer_new();

	memset(payload + strlen(payload), '[', 100);
	memset(payload + strlen(payload), ']', 100);
	strcat(payload, "}");
	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done);
	peer_answer(p, LCOWMIG_GCS_START, 1, payload);
	peer_expect_done(&done, LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert(lcowmig_gcs_is_connected(p->gcs));
	peer_free(p);
}
END_TEST

START_TEST(test_integers_beyond_doubles_pass_both_ways_unchanged)
{
	static peer_frame frame;
	peer_done done = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_MODIFY_SETTINGS, "{\"Limit\":" BIG_NUMBER ", \"x\" : 1.50}", &done);
	ck_assert(peer_take(p, &frame));
	ck_assert_str_eq(frame.payload, "{\"ContainerId\":\"c1\",\"ActivityId\":\"00000000-0000-0000-0000-000000000000\","
					"\"Limit\":" BIG_NUMBER ", \"x\" : 1.50}\n");
	peer_answer(p, LCOWMIG_GCS_MODIFY_SETTINGS, 1, "{\"Result\":0,\"Used\":" BIG_NUMBER "}");
	peer_expect_done(&done, LCOWMIG_OK);
	ck_assert_str_eq(done.answer, "{\"Result\":0,\"Used\":" BIG_NUMBER "}");
	peer_done_clear(&done);
	peer_free(p);
}
END_TEST

/* The guest's words are kept, wherever it put them, cut at a whole character. */
START_TEST(test_error_records_become_a_guest_error_with_its_message)
{
	static const struct {
		const char *payload;
		const char *message;
	} rows[] = {
		{ "{\"Result\":-1070137074,\"ErrorMessage\":\"gone\",\"ErrorRecords\":[{\"Result\":-1070137074,\"Message\":\"gone\","
		  "\"StackTrace\":\"a\\nb\",\"ModuleName\":\"gcs\",\"FileName\":\"uvm.go\",\"Line\":214,\"FunctionName\":\"Get\"}]}",
		  "gone (uvm.go:214 Get)" },
		{ "{\"Result\":-1070137074,\"ErrorRecords\":[{\"Message\":\"told in the "
		  "record\",\"FileName\":\"x.go\",\"Line\":4294967295}]}",
		  "told in the record" },
		{ "{\"Result\":-1070137074,\"ErrorMessage\":\"gone\",\"ErrorRecords\":[{\"FileName\":\"uvm.go\",\"Line\":7}]}",
		  "gone (uvm.go:7)" },
		{ "{\"Result\":-1070137074,\"ErrorMessage\":\"gone\",\"ErrorRecords\":[{\"FileName\":\"uvm.go\"}]}", "gone" },
		{ "{\"Result\":-1070137074,\"ErrorMessage\":\"gone\",\"ErrorRecords\":[{\"FileName\":\"\",\"Line\":7}]}", "gone" },
		/* A place that does not fit is left out, not cut. */
		{ "{\"Result\":-1070137074,\"ErrorMessage\":\"gone\",\"ErrorRecords\":[{\"Line\":7,\"FileName\":"
		  "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.go\"}]}",
		  "gone" },
		{ "{\"Result\":-1070137074}", "no reason" },
		{ "{\"Result\":-1070137074,\"ErrorRecords\":{},\"ErrorMessage\":7}", "no reason" },
		{ "{\"result\":-1070137074,\"errormessage\":\"any case\"}", "any case" },
	};
	peer_done done = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done);
	peer_answer(p, LCOWMIG_GCS_START, 1, rows[_i].payload);
	peer_expect_done(&done, LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(done.hresult, 0xC037010E);
	ck_assert_msg(strlen(done.message) >= strlen(rows[_i].message) &&
			      strcmp(done.message + strlen(done.message) - strlen(rows[_i].message), rows[_i].message) == 0,
		      "%s", done.message);
	ck_assert_str_eq(done.answer, rows[_i].payload);
	peer_done_clear(&done);
	peer_free(p);
}
END_TEST

START_TEST(test_long_guest_message_is_cut_at_a_whole_character)
{
	char payload[2048] = "{\"Result\":-2147467259,\"ErrorMessage\":\"";
	peer_done done = { 0 };
	peer *p = peer_new();
	int i;

	if (_i)
		strcat(payload, "x");
	for (i = 0; i < 300; i++)
		strcat(payload, "\xc3\xa9");
	strcat(payload, "\"}");
	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done);
	peer_answer(p, LCOWMIG_GCS_START, 1, payload);
	peer_expect_done(&done, LCOWMIG_E_GUEST_FAILED);
	ck_assert_int_eq((unsigned char)done.message[strlen(done.message) - 1], 0xa9);
	peer_done_clear(&done);
	peer_free(p);
}
END_TEST

/* Whatever the bytes: what is left ends with a whole character, and nothing before the text is looked at. */
START_TEST(test_trim_takes_any_bytes)
{
	static const struct {
		const char *text;
		const char *trimmed;
	} rows[] = {
		{ "abc", "abc" },                 /* not full */
		{ "abcd", "abcd" },               /* full, and nothing to cut */
		{ "ab\xc3\xa9", "ab" },           /* full: whether it was whole cannot be told */
		{ "abc\xc3", "abc" },             /* the first half */
		{ "\xa9\xa9\xa9\xa9", "\xa9\xa9\xa9\xa9" }, /* no UTF-8 at all */
		{ "a\xa9\xa9\xa9", "a\xa9\xa9\xa9" },
		{ "\xc3\xa9\xa9\xa9", "" },
	};
	char text[5];

	snprintf(text, sizeof text, "%s", rows[_i].text);
	lcowmig__text_trim(text, sizeof text);
	ck_assert_str_eq(text, rows[_i].trimmed);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_negotiate_frame_is_the_protocols_example_byte_for_byte);
	tcase_add_test(tests, test_wait_probe_frame_is_the_protocols_example_byte_for_byte);
	tcase_add_test(tests, test_conversation_is_understood_when_split_at_any_byte);
	tcase_add_loop_test(tests, test_conversation_is_understood_in_portions_of_any_size, 0, 10);
	tcase_add_loop_test(tests, test_frame_of_impossible_size_loses_the_connection, 0, 6);
	tcase_add_loop_test(tests, test_frame_of_unknown_kind_loses_the_connection, 0, 5);
	tcase_add_loop_test(tests, test_largest_frame_arrives_whole_whatever_the_portions, 0, 4);
	tcase_add_loop_test(tests, test_answer_that_is_no_answer_fails_its_request_alone, 0, 13);
	tcase_add_test(tests, test_answer_nested_too_deeply_is_refused);
	tcase_add_test(tests, test_integers_beyond_doubles_pass_both_ways_unchanged);
	tcase_add_loop_test(tests, test_error_records_become_a_guest_error_with_its_message, 0, 9);
	tcase_add_loop_test(tests, test_long_guest_message_is_cut_at_a_whole_character, 0, 2);
	tcase_add_loop_test(tests, test_trim_takes_any_bytes, 0, 7);
}

SUITE_RUN("gcs_framing", add_tests)
