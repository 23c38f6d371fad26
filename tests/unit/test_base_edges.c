/* lib/base at its edges: sizes that overflow, texts that fill their place, JSON that is nearly right. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/tree.h"
#include "lcowmig/lcowmig.h"

static bool is_out_of_memory;

static void *test_allocate(void *user, size_t size)
{
	(void)user;
	return is_out_of_memory ? NULL : malloc(size);
}

static void test_release(void *user, void *pointer)
{
	(void)user;
	free(pointer);
}

static const lcowmig__mem mem = { test_allocate, test_release, NULL };

static void setup(void)
{
	is_out_of_memory = false;
}

START_TEST(test_version_is_that_of_the_header)
{
	ck_assert_str_eq(lcowmig_version(), LCOWMIG_VERSION_STRING);
}
END_TEST

START_TEST(test_status_that_is_none_has_a_name_all_the_same)
{
	ck_assert_str_eq(lcowmig_status_name(LCOWMIG_STATUS_FORCE_INT), "UNKNOWN");
	ck_assert_str_eq(lcowmig_status_text(LCOWMIG_STATUS_FORCE_INT), lcowmig_status_text((lcowmig_status)77));
}
END_TEST

/* ---- Memory and buffers ---- */

START_TEST(test_array_whose_size_overflows_is_not_made)
{
	void *array = lcowmig__alloc_array(&mem, 7, 0);

	ck_assert_ptr_null(lcowmig__alloc_array(&mem, SIZE_MAX / 2 + 1, 2));
	ck_assert_ptr_null(lcowmig__alloc_array(&mem, 2, SIZE_MAX / 2 + 1));
	lcowmig__free(&mem, array);
}
END_TEST

START_TEST(test_buffer_that_failed_gives_nothing_and_can_be_used_again)
{
	lcowmig__buf buf;
	char *text;

	lcowmig__buf_init(&buf, &mem);
	lcowmig__buf_text(&buf, "kept");
	is_out_of_memory = true;
	lcowmig__buf_printf(&buf, "%0200d", 1);
	is_out_of_memory = false;
	ck_assert(buf.failed);
	ck_assert_ptr_null(lcowmig__buf_take(&buf));
	lcowmig__buf_text(&buf, "again");
	text = lcowmig__buf_take(&buf);
	ck_assert_str_eq(text, "again");
	lcowmig__free(&mem, text);
}
END_TEST

/* Which the C library of Windows converts somehow. */
#if !defined(_WIN32)
START_TEST(test_buffer_fails_when_its_text_cannot_be_converted)
{
	lcowmig__buf buf;

	lcowmig__buf_init(&buf, &mem);
	lcowmig__buf_printf(&buf, "%lc", (wint_t)0x7fffffff);
	ck_assert(buf.failed);
	lcowmig__buf_done(&buf);
}
END_TEST
#endif

START_TEST(test_base64_refuses_what_cannot_be_encoded_or_decoded)
{
	static const char *const bad[] = { "QUJ~", "QUJ{", "QUJ`", "QUJ@", "QUJ[", "QUJ:", "QUJ." };
	lcowmig__buf buf;
	size_t i;

	lcowmig__buf_init(&buf, &mem);
	lcowmig__base64_encode(&buf, (const uint8_t *)"", SIZE_MAX); /* refused before a byte is read */
	ck_assert(buf.failed);
	lcowmig__buf_clear(&buf);
	for (i = 0; i < LCOWMIG__COUNT(bad); i++)
		ck_assert_msg(!lcowmig__base64_decode(&buf, bad[i], 4), "%s", bad[i]);
	lcowmig__buf_done(&buf);
}
END_TEST

/* ---- Errors ---- */

START_TEST(test_error_message_that_fills_its_place_ends_with_a_whole_character)
{
	char text[2 * LCOWMIG_ERROR_MESSAGE_SIZE];
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	size_t i;

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	lcowmig__fail(&error, LCOWMIG_E_DENIED, "%s", text);
	ck_assert_uint_eq(strlen(error.message), LCOWMIG_ERROR_MESSAGE_SIZE - 1);
	for (i = 0; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	lcowmig__fail(&error, LCOWMIG_E_DENIED, "%s%s", LCOWMIG_ERROR_MESSAGE_SIZE % 2 ? "x" : "", text);
	ck_assert_uint_lt(strlen(error.message), LCOWMIG_ERROR_MESSAGE_SIZE - 1);
	ck_assert_int_eq((unsigned char)error.message[strlen(error.message) - 1], 0xa9);
	/* No UTF-8 at all: nothing before the text is looked at. */
	memset(text, 0xa9, sizeof text - 1);
	lcowmig__fail(&error, LCOWMIG_E_DENIED, "%s", text);
	ck_assert_uint_eq(strlen(error.message), LCOWMIG_ERROR_MESSAGE_SIZE - 1);
}
END_TEST

START_TEST(test_error_is_copied_where_there_is_room)
{
	lcowmig_error source = LCOWMIG_ERROR_INIT;
	lcowmig_error destination = LCOWMIG_ERROR_INIT;

	lcowmig__fail(&source, LCOWMIG_E_DENIED, "no");
	lcowmig__error_copy(NULL, &source);
	lcowmig__error_copy(&source, &source);
	ck_assert_str_eq(source.message, "no");
	destination.size = 0; /* forgotten */
	lcowmig__error_copy(&destination, &source);
	ck_assert_str_eq(destination.message, "");
	destination.size = sizeof destination;
	lcowmig__error_copy(&destination, &source);
	ck_assert_str_eq(destination.message, "no");
	ck_assert_int_eq(destination.status, LCOWMIG_E_DENIED);
}
END_TEST

START_TEST(test_hresults_of_what_has_stopped_already)
{
	ck_assert(lcowmig__hresult_is_already_stopped(LCOWMIG__HR_ALREADY_STOPPED));
	ck_assert(lcowmig__hresult_is_already_stopped(LCOWMIG__HR_PROCESS_ALREADY_STOPPED));
	ck_assert(lcowmig__hresult_is_already_stopped(0x80070490));
	ck_assert(lcowmig__hresult_is_already_stopped(0x490));
	ck_assert(!lcowmig__hresult_is_already_stopped(0x80080490));
	ck_assert(!lcowmig__hresult_is_already_stopped(0));
}
END_TEST

/* ---- JSON ---- */

static const struct {
	const char *text;
	lcowmig_status status;
	const char *value; /* of member "a", decoded */
} texts[] = {
	{ "{\"a\":\"\\u00e9\"}", LCOWMIG_OK, "\xc3\xa9" },
	{ "{\"a\":\"\\u00E9\"}", LCOWMIG_OK, "\xc3\xa9" },
	{ "{\"a\":\"\\uD83D\\uDE00\"}", LCOWMIG_OK, "\xf0\x9f\x98\x80" },
	{ "{\"a\":\"\\uE000\"}", LCOWMIG_OK, "\xee\x80\x80" },
	{ "{\"a\":\"\\u00g0\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":\"\\u00G0\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":\"\\u00:0\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":\"\\u00.0\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":\"\\u00`0\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":\"\\uD83D\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":\"\\uD83Dabcdef\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":\"\\uD83D\\nabcdef\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":\"\\uD83D\\u0041\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":\"\\uD83D\\uE000\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":\"\\uDE00\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":\"\\x\"}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":1e+5}", LCOWMIG_OK, NULL },
	{ "{\"a\":1e-5}", LCOWMIG_OK, NULL },
	{ "{\"a\":1e5}", LCOWMIG_OK, NULL },
	{ "{\"a\":1e}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":1.}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "{\"a\":-}", LCOWMIG_E_CORRUPT_DATA, NULL },
	{ "1", LCOWMIG_OK, NULL },
	{ "12", LCOWMIG_OK, NULL },
};

static lcowmig_status parse(const char *text, size_t size, cJSON **ret_tree)
{
	return lcowmig__json_parse("document", text, size, 1000, NULL, ret_tree, NULL);
}

START_TEST(test_json_is_read_exactly_or_refused)
{
	size_t size = strlen(texts[_i].text);
	char *exact = malloc(size); /* so that reading beyond it shows */
	cJSON *tree = NULL;

	memcpy(exact, texts[_i].text, size);
	ck_assert_msg(parse(exact, size, &tree) == texts[_i].status, "%s", texts[_i].text);
	if (texts[_i].value)
		ck_assert_str_eq(lcowmig__json_string(tree, "a"), texts[_i].value);
	cJSON_Delete(tree);
	free(exact);
}
END_TEST

START_TEST(test_json_with_an_escaped_nul_is_refused)
{
	static const char text[] = "{\"a\":\"\\\0\"}";
	cJSON *tree = NULL;

	ck_assert_int_eq(parse(text, sizeof text - 1, &tree), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_ptr_null(tree);
}
END_TEST

/* Nodes that no text makes. */
START_TEST(test_json_number_that_is_none_is_not_read)
{
	cJSON *object = cJSON_CreateObject();
	int64_t value = 77;
	uint32_t small = 77;

	cJSON_AddItemToObject(object, "raw", cJSON_CreateRaw("true"));
	cJSON_AddItemToObject(object, "brace", cJSON_CreateRaw("-{}"));
	cJSON_AddNumberToObject(object, "infinite", HUGE_VAL);
	cJSON_AddNumberToObject(object, "negative", -HUGE_VAL);
	ck_assert(!lcowmig__json_int64(object, "raw", &value));
	ck_assert(!lcowmig__json_int64(object, "brace", &value));
	ck_assert(!lcowmig__json_int64(object, "infinite", &value));
	ck_assert(!lcowmig__json_uint32(object, "negative", &small));
	ck_assert_int_eq(value, 77);
	ck_assert_uint_eq(small, 77);
	cJSON_Delete(object);
}
END_TEST

static const struct {
	const char *text;
	const char *path;
	const char *value; /* NULL: not there */
} members[] = {
	{ "", "a", NULL },
	{ " \t\r\n", "a", NULL },
	{ "[]", "a", NULL },
	{ "\t{\r\n\"a\" :\t7\r,\n\"b\": 8}\n", "a", "7" },
	{ "{\"a\":7}", "a", "7" },
	{ "{\"a\":{\"b\":[1,{\"c\":\"}\"}]}}", "a/b", "[1,{\"c\":\"}\"}]" },
	{ "{\"\\uD83D\\uDE00\":1,\"\\u00e9\":2}", "\xc3\xa9", "2" },
	{ "{\"\\uE000\":1,\"\\n\":2}", "\xee\x80\x80", "1" },
	{ "7", "", "7" },
};

START_TEST(test_json_member_is_found_where_it_stands)
{
	lcowmig__json_span span;
	bool found = lcowmig__json_find(members[_i].text, strlen(members[_i].text), members[_i].path, &span);

	ck_assert_int_eq(found, members[_i].value != NULL);
	if (!found)
		return;
	ck_assert_uint_eq(span.value_end - span.value_start, strlen(members[_i].value));
	ck_assert_mem_eq(members[_i].text + span.value_start, members[_i].value, strlen(members[_i].value));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base_edges");
	TCase *tcase = tcase_create("base_edges");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_version_is_that_of_the_header);
	tcase_add_test(tcase, test_status_that_is_none_has_a_name_all_the_same);
	tcase_add_test(tcase, test_array_whose_size_overflows_is_not_made);
	tcase_add_test(tcase, test_buffer_that_failed_gives_nothing_and_can_be_used_again);
#if !defined(_WIN32)
	tcase_add_test(tcase, test_buffer_fails_when_its_text_cannot_be_converted);
#endif
	tcase_add_test(tcase, test_base64_refuses_what_cannot_be_encoded_or_decoded);
	tcase_add_test(tcase, test_error_message_that_fills_its_place_ends_with_a_whole_character);
	tcase_add_test(tcase, test_error_is_copied_where_there_is_room);
	tcase_add_test(tcase, test_hresults_of_what_has_stopped_already);
	tcase_add_loop_test(tcase, test_json_is_read_exactly_or_refused, 0, (int)LCOWMIG__COUNT(texts));
	tcase_add_test(tcase, test_json_with_an_escaped_nul_is_refused);
	tcase_add_test(tcase, test_json_number_that_is_none_is_not_read);
	tcase_add_loop_test(tcase, test_json_member_is_found_where_it_stands, 0, (int)LCOWMIG__COUNT(members));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
