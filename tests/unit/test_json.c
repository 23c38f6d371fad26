/* lib/base/json: parsing that loses nothing, lookups, writing, and splicing of text. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

static int failing; /* counts down to the allocation that fails; 0: none does */

static void *test_allocate(void *user, size_t size)
{
	(void)user;
	if (failing && --failing == 0)
		return NULL;
	return malloc(size);
}

static void test_release(void *user, void *pointer)
{
	(void)user;
	free(pointer);
}

static const lcowmig_limits limits = { .size = sizeof limits, .json_depth = 5, .json_values = 100 };

static const lcowmig__mem mem = { test_allocate, test_release, NULL };

static lcowmig_status parse(const char *text, cJSON **ret_tree)
{
	return lcowmig__json_parse("document", text, strlen(text), 1000, &limits, ret_tree, NULL);
}

static cJSON *must_parse(const char *text)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	cJSON *tree = NULL;

	lcowmig__json_parse("document", text, strlen(text), 1000, &limits, &tree, &error);
	ck_assert_msg(tree != NULL, "%s: %s", text, error.message);
	return tree;
}

static const char *const kept[] = {
	"{}",
	"[]",
	"null",
	"true",
	"\"text\"",
	"0",
	"[-0,0,-1,1.5,0.1,100000]",
	"{\"a\":9007199254740993,\"b\":[18446744073709551615,-9223372036854775808],\"c\":1}",
	"[9007199254740991,999999999999999,1000000000000000,123456789012345678901234567890]",
	"[1e3,1E+3,1.0,1.50,1e400,-0.0,0.30000000000000004]",
	"{\"a-1\":\"7\",\"b\":\"\\\"-5\",\"c\":3.14159265358979323846}",
	"{\"a\":1,\"a\":2,\"\":3}",
	"[\"\xE2\x82\xAC\"]",
	"[[[[[]]]]]",
};

START_TEST(test_json_parse_keeps_every_digit)
{
	cJSON *tree = must_parse(kept[_i]);
	char *printed = lcowmig__json_print(&mem, tree);

	ck_assert_str_eq(printed, kept[_i]);
	lcowmig__free(&mem, printed);
	cJSON_Delete(tree);
}
END_TEST

START_TEST(test_json_parse_keeps_plain_numbers_as_numbers)
{
	cJSON *tree = must_parse(" { \"a\" : 12 , \"b\" : 9007199254740993 } ");

	ck_assert(cJSON_IsNumber(lcowmig__json_get(tree, "a")));
	ck_assert(cJSON_IsRaw(lcowmig__json_get(tree, "b")));
	cJSON_Delete(tree);
}
END_TEST

static const struct {
	const char *text;
	lcowmig_status status;
} refused[] = {
	{ "", LCOWMIG_E_CORRUPT_DATA },
	{ "  ", LCOWMIG_E_CORRUPT_DATA },
	{ "{} x", LCOWMIG_E_CORRUPT_DATA },
	{ "{}{}", LCOWMIG_E_CORRUPT_DATA },
	{ "{", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"a\"", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"a\":", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"a\":1", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"a\":1,", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"a\":1,}", LCOWMIG_E_CORRUPT_DATA },
	{ "{a:1}", LCOWMIG_E_CORRUPT_DATA },
	{ "[1,]", LCOWMIG_E_CORRUPT_DATA },
	{ "[1 2]", LCOWMIG_E_CORRUPT_DATA },
	{ "[}", LCOWMIG_E_CORRUPT_DATA },
	{ "tru", LCOWMIG_E_CORRUPT_DATA },
	{ "nulL", LCOWMIG_E_CORRUPT_DATA },
	{ "falsy", LCOWMIG_E_CORRUPT_DATA },
	{ "01", LCOWMIG_E_CORRUPT_DATA },
	{ "+1", LCOWMIG_E_CORRUPT_DATA },
	{ "-", LCOWMIG_E_CORRUPT_DATA },
	{ "1.", LCOWMIG_E_CORRUPT_DATA },
	{ ".5", LCOWMIG_E_CORRUPT_DATA },
	{ "1e", LCOWMIG_E_CORRUPT_DATA },
	{ "1e+", LCOWMIG_E_CORRUPT_DATA },
	{ "NaN", LCOWMIG_E_CORRUPT_DATA },
	{ "\"open", LCOWMIG_E_CORRUPT_DATA },
	{ "\"open\\", LCOWMIG_E_CORRUPT_DATA },
	{ "\"\\x\"", LCOWMIG_E_CORRUPT_DATA },
	{ "\"\\u12\"", LCOWMIG_E_CORRUPT_DATA },
	{ "\"\\u12g4\"", LCOWMIG_E_CORRUPT_DATA },
	{ "\"\\u0000\"", LCOWMIG_E_CORRUPT_DATA },
	{ "\"\\ud800\"", LCOWMIG_E_CORRUPT_DATA },
	{ "\"\\ud800\\u0041\"", LCOWMIG_E_CORRUPT_DATA },
	{ "\"\\ud800x\"", LCOWMIG_E_CORRUPT_DATA },
	{ "\"\\udc00\"", LCOWMIG_E_CORRUPT_DATA },
	{ "\"a\nb\"", LCOWMIG_E_CORRUPT_DATA },
	{ "\"\xC3(\"", LCOWMIG_E_CORRUPT_DATA },
	{ "\xEF\xBB\xBF{}", LCOWMIG_E_CORRUPT_DATA },
	{ "[[[[[[]]]]]]", LCOWMIG_E_LIMIT_EXCEEDED },
	{ "1234567890123456789012345678901234567890123456789012345678901234", LCOWMIG_E_LIMIT_EXCEEDED },
};

START_TEST(test_json_parse_refuses_what_is_not_json)
{
	cJSON *tree = (cJSON *)1;

	ck_assert_msg(parse(refused[_i].text, &tree) == refused[_i].status, "%s", refused[_i].text);
	ck_assert_ptr_eq(tree, (cJSON *)1);
}
END_TEST

START_TEST(test_json_parse_refuses_every_prefix_of_a_document)
{
	static const char text[] = "{\"a\":[1,-2.5e3,\"x\\u20ac\\ud83d\\ude00\",true,null,{\"b\":{}}]}";
	size_t size;
	cJSON *tree;

	for (size = 0; size < sizeof text - 1; size++)
		ck_assert_int_eq(lcowmig__json_parse("d", text, size, 1000, &limits, &tree, NULL), LCOWMIG_E_CORRUPT_DATA);
	cJSON_Delete(must_parse(text));
}
END_TEST

START_TEST(test_json_parse_refuses_one_value_more_than_the_limit)
{
	lcowmig_limits four = { .size = sizeof four, .json_depth = 5, .json_values = 4 };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	cJSON *tree;

	ck_assert_int_eq(lcowmig__json_parse("d", "{\"a\":[1,2]}", 11, 1000, &four, &tree, NULL), LCOWMIG_OK);
	cJSON_Delete(tree);
	ck_assert_int_eq(lcowmig__json_parse("d", "{\"a\":[1,2,3]}", 13, 1000, &four, &tree, &error), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_str_eq(error.message, "d: the JSON has too many values, at byte 10 of 13");
}
END_TEST

START_TEST(test_json_parse_names_document_and_place_when_it_fails)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	cJSON *tree;

	lcowmig__json_parse("OCI spec", "[1,x]", 5, 1000, &limits, &tree, &error);
	ck_assert_str_eq(error.message, "OCI spec: the JSON has a malformed number, at byte 3 of 5");
	ck_assert_int_eq(lcowmig__json_parse("OCI spec", "[1,2]", 5, 4, &limits, &tree, &error), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_str_eq(error.message, "OCI spec: 5 bytes of JSON, at most 4 are accepted");
	ck_assert_int_eq(lcowmig__json_parse("d", "[1,\0]", 5, 1000, &limits, &tree, NULL), LCOWMIG_E_CORRUPT_DATA);
}
END_TEST

static int cjson_failing;

static void *cjson_allocate(size_t size)
{
	if (cjson_failing && --cjson_failing == 0)
		return NULL;
	return malloc(size);
}

START_TEST(test_json_parse_reports_memory_at_each_allocation)
{
	static const char text[] = "{\"a\":[1,9007199254740993,{\"b\":\"c\"}]}";
	cJSON_Hooks hooks = { cjson_allocate, free };
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	cJSON *tree = NULL;
	int i;

	cJSON_InitHooks(&hooks);
	for (i = 1; status; i++) {
		cjson_failing = i;
		status = parse(text, &tree);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
	}
	ck_assert_int_gt(i, 8);
	cjson_failing = 1;
	ck_assert_ptr_null(lcowmig__json_print(&mem, tree));
	cjson_failing = 0;
	cJSON_Delete(tree);
	cJSON_InitHooks(NULL);
}
END_TEST

START_TEST(test_json_get_prefers_exact_case_and_the_last_duplicate)
{
	cJSON *tree = must_parse("{\"Key\":1,\"KEY\":2,\"key\":3,\"key\":4,\"other\":\"x\",\"OTHER\":\"y\",\"flag\":true,\"no\":null}");
	uint64_t value = 0;

	ck_assert(lcowmig__json_uint64(tree, "key", &value));
	ck_assert_uint_eq(value, 4);
	ck_assert(lcowmig__json_uint64(tree, "Key", &value));
	ck_assert_uint_eq(value, 1);
	ck_assert(lcowmig__json_uint64(tree, "kEY", &value));
	ck_assert_uint_eq(value, 4);
	ck_assert_str_eq(lcowmig__json_string(tree, "Other"), "y");
	ck_assert_ptr_null(lcowmig__json_string(tree, "key"));
	ck_assert_ptr_null(lcowmig__json_string(tree, "no"));
	ck_assert_ptr_null(lcowmig__json_get(tree, "absent"));
	ck_assert_ptr_null(lcowmig__json_get(NULL, "key"));
	ck_assert_ptr_null(lcowmig__json_get(lcowmig__json_get(tree, "key"), "key"));
	ck_assert(lcowmig__json_bool(tree, "flag"));
	ck_assert(!lcowmig__json_bool(tree, "other"));
	ck_assert(!lcowmig__json_bool(tree, "absent"));
	cJSON_Delete(tree);
}
END_TEST

static const struct {
	const char *text;
	bool is_signed, is_unsigned, is_32;
	int64_t s;
	uint64_t u;
} integers[] = {
	{ "0", true, true, true, 0, 0 },
	{ "-0", true, true, true, 0, 0 },
	{ "-1", true, false, false, -1, 0 },
	{ "4294967295", true, true, true, 4294967295, 4294967295u },
	{ "4294967296", true, true, false, 4294967296, 4294967296u },
	{ "9007199254740993", true, true, false, 9007199254740993, 9007199254740993u },
	{ "9223372036854775807", true, true, false, INT64_MAX, INT64_MAX },
	{ "-9223372036854775808", true, false, false, INT64_MIN, 0 },
	{ "9223372036854775808", false, true, false, 0, 9223372036854775808u },
	{ "-9223372036854775809", false, false, false, 0, 0 },
	{ "18446744073709551615", false, true, false, 0, UINT64_MAX },
	{ "18446744073709551616", false, false, false, 0, 0 },
	{ "1.5", false, false, false, 0, 0 },
	{ "1e3", false, false, false, 0, 0 },
	{ "1.0", false, false, false, 0, 0 },
	{ "1e999", false, false, false, 0, 0 },
	{ "\"1\"", false, false, false, 0, 0 },
	{ "null", false, false, false, 0, 0 },
};

START_TEST(test_json_integers_are_exact_or_refused)
{
	int64_t s = 77;
	uint64_t u = 77;
	uint32_t u32 = 77;
	char text[64];
	cJSON *tree;

	snprintf(text, sizeof text, "{\"n\":%s}", integers[_i].text);
	tree = must_parse(text);
	ck_assert_int_eq(lcowmig__json_int64(tree, "n", &s), integers[_i].is_signed);
	ck_assert_int_eq(s, integers[_i].is_signed ? integers[_i].s : 77);
	ck_assert_int_eq(lcowmig__json_uint64(tree, "n", &u), integers[_i].is_unsigned);
	ck_assert_uint_eq(u, integers[_i].is_unsigned ? integers[_i].u : 77);
	ck_assert_int_eq(lcowmig__json_uint32(tree, "n", &u32), integers[_i].is_32);
	ck_assert_uint_eq(u32, integers[_i].is_32 ? integers[_i].u : 77);
	cJSON_Delete(tree);
}
END_TEST

START_TEST(test_json_raw_text_is_an_integer_only_when_it_is_its_digits)
{
	static const char *const others[] = { " 5", "\"5\"", "[5]", "-", "+5", "x" };
	uint64_t value = 77;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(others); i++) {
		cJSON *object = cJSON_CreateObject();

		ck_assert_ptr_nonnull(cJSON_AddRawToObject(object, "n", others[i]));
		ck_assert_msg(!lcowmig__json_uint64(object, "n", &value), "%s", others[i]);
		ck_assert_uint_eq(value, 77);
		cJSON_Delete(object);
	}
}
END_TEST

START_TEST(test_json_adds_and_omits_what_is_empty)
{
	cJSON *object = cJSON_CreateObject();
	char *text;

	ck_assert(lcowmig__json_add_string(object, "s", "x\"y"));
	ck_assert(lcowmig__json_add_string(object, "s0", ""));
	ck_assert(lcowmig__json_add_string(object, "s1", NULL));
	ck_assert(lcowmig__json_add_bool(object, "b", true));
	ck_assert(lcowmig__json_add_bool(object, "b0", false));
	ck_assert(lcowmig__json_add_item(object, "o", cJSON_CreateObject()));
	ck_assert(!lcowmig__json_add_item(object, "n", NULL));
	text = lcowmig__json_print(&mem, object);
	ck_assert_str_eq(text, "{\"s\":\"x\\\"y\",\"b\":true,\"o\":{}}");
	lcowmig__free(&mem, text);
	cJSON_Delete(object);
}
END_TEST

START_TEST(test_json_adding_to_nothing_says_so)
{
	ck_assert(!lcowmig__json_add_string(NULL, "k", ""));
	ck_assert(!lcowmig__json_add_bool(NULL, "k", true));
	ck_assert(!lcowmig__json_add_item(NULL, "k", cJSON_CreateTrue()));
	ck_assert_ptr_null(lcowmig__json_print(&mem, NULL));
}
END_TEST

/* ---- Writing ---- */

static const char *const words[] = { "a", "", "c\"" };

static char *write_everything(void)
{
	return lcowmig__json_text(
		&mem, "{s:s s0:s s1:s S:S b:b b0:b u:u u0:u U:U n:n n0:n a:a a0:a j:j j0:j d:d d0:d t:t o:{} p:{x:{y:u} z:u} l:[{i:U} {i:U}]}", "x",
		"", (const char *)NULL, "", true, false, UINT32_MAX, (uint32_t)0, (uint32_t)0, UINT64_MAX, (uint64_t)0, words, (size_t)3, words,
		(size_t)0, "[1, 2]", "", lcowmig__strdup(&mem, "{}"), lcowmig__strdup(&mem, ""), lcowmig__strdup(&mem, "{\"k\":1}"), (uint32_t)7,
		(uint32_t)8, (uint32_t)0, (uint32_t)1);
}

START_TEST(test_json_writes_every_kind_and_omits_what_is_empty)
{
	char *text = write_everything();

	ck_assert_str_eq(text, "{\"s\":\"x\",\"S\":\"\",\"b\":true,\"u\":4294967295,\"U\":0,\"n\":18446744073709551615,"
			       "\"a\":[\"a\",\"\",\"c\\\"\"],\"j\":[1, 2],\"d\":{},\"t\":\"{\\\"k\\\":1}\",\"o\":{},"
			       "\"p\":{\"x\":{\"y\":7},\"z\":8},\"l\":[{\"i\":0},{\"i\":1}]}");
	lcowmig__free(&mem, text);
}
END_TEST

START_TEST(test_json_writes_strings_as_cjson_does)
{
	char all[256];
	cJSON *string;
	char *expected, *text;
	size_t i;

	for (i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	string = cJSON_CreateString(all);
	expected = lcowmig__json_print(&mem, string);
	text = lcowmig__json_text(&mem, "{k:s}", all);
	ck_assert_int_eq(strncmp(text, "{\"k\":", 5), 0);
	ck_assert_uint_eq(strlen(text), strlen(expected) + 6);
	ck_assert_int_eq(strncmp(text + 5, expected, strlen(expected)), 0);
	lcowmig__free(&mem, text);
	lcowmig__free(&mem, expected);
	cJSON_Delete(string);
}
END_TEST

START_TEST(test_json_is_written_in_parts)
{
	lcowmig__buf buf;

	lcowmig__buf_init(&buf, &mem);
	lcowmig__json_write(&buf, "{a:u b:{", (uint32_t)1);
	lcowmig__json_write_key(&buf, "0:0");
	lcowmig__json_write(&buf, "{c:s}", "x{");
	lcowmig__json_write_key(&buf, "0:1");
	lcowmig__json_write(&buf, "[ {d:u} {d:u} ]", (uint32_t)2, (uint32_t)3);
	lcowmig__json_write(&buf, "} e:b}", true);
	ck_assert_str_eq(buf.data, "{\"a\":1,\"b\":{\"0:0\":{\"c\":\"x{\"},\"0:1\":[{\"d\":2},{\"d\":3}]},\"e\":true}");
	lcowmig__buf_done(&buf);
}
END_TEST

START_TEST(test_json_that_was_not_built_is_not_written)
{
	ck_assert_ptr_null(lcowmig__json_text(&mem, "{a:d b:d}", (char *)NULL, lcowmig__strdup(&mem, "{}")));
	ck_assert_ptr_null(lcowmig__json_text(&mem, "{a:t b:t}", lcowmig__strdup(&mem, "x"), (char *)NULL));
}
END_TEST

START_TEST(test_json_is_written_whole_or_not_when_memory_is_out)
{
	int nth;
	char *text;

	for (nth = 4;; nth++) { /* after the three arguments that are taken */
		failing = nth;
		text = write_everything();
		if (failing)
			break;
		ck_assert_ptr_null(text);
	}
	failing = 0;
	ck_assert_int_gt(nth, 4);
	lcowmig__free(&mem, text);
}
END_TEST

static const struct {
	const char *text;
	const char *path;
	const char *expected; /* the value; NULL: not found */
	bool is_object, is_empty;
} places[] = {
	{ "{\"a\":1}", "a", "1", false, false },
	{ " {\n \"a\" : { \"b\" : [ ] } }", "a/b", "[ ]", false, true },
	{ "{\"a\":{ \"b\":{ } } }", "a/b", "{ }", true, true },
	{ "{\"a\":{\"b\":{\"c\":\"}\\\"{\"}},\"d\":2}", "a/b", "{\"c\":\"}\\\"{\"}", true, false },
	{ "{\"a\":{\"b\":1},\"a\":{\"b\":2}}", "a/b", "2", false, false },
	{ "{\"x\":\"\\\\\",\"a\":true}", "a", "true", false, false },
	{ "{\"\\u0061\\/\":null}", "a", NULL, false, false },
	{ "{\"\\u0061\":null}", "a", "null", false, false },
	{ "{\"\\u00e4\\u20ac\\ud83d\\ude00\\n\":5}", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\n", "5", false, false },
	{ "{\"A\":1}", "a", NULL, false, false },
	{ "{\"ab\":1}", "a", NULL, false, false },
	{ "{\"a\":1}", "ab", NULL, false, false },
	{ "{\"a\":1}", "a/b", NULL, false, false },
	{ "[1]", "a", NULL, false, false },
	{ "{\"a\":\"{\"}", "a/b", NULL, false, false },
	{ " 42", "", "42", false, false },
	{ "\n{ }\n", "", "{ }", true, true },
};

START_TEST(test_json_find_gives_the_place_of_a_value)
{
	const char *text = places[_i].text;
	lcowmig__json_span span;
	bool found = lcowmig__json_find(text, strlen(text), places[_i].path, &span);

	ck_assert_int_eq(found, places[_i].expected != NULL);
	if (!found)
		return;
	ck_assert_uint_eq(span.value_end - span.value_start, strlen(places[_i].expected));
	ck_assert_mem_eq(text + span.value_start, places[_i].expected, strlen(places[_i].expected));
	ck_assert_int_eq(span.is_object, places[_i].is_object);
	ck_assert_int_eq(span.is_empty, places[_i].is_empty);
	ck_assert_int_eq(text[span.member_start], places[_i].path[0] ? '"' : places[_i].expected[0]);
}
END_TEST

static const struct {
	const char *text;
	const char *path;
	const char *value;
	const char *expected; /* NULL: NOT_FOUND */
} splices[] = {
	{ "{\"a\": 1 ,\"b\":2}", "a", "{}", "{\"a\": {} ,\"b\":2}" },
	{ "{}", "a", "1", "{\"a\":1}" },
	{ " { } ", "a", "1", " {\"a\":1 } " },
	{ "{\"a\":1}", "b", "2", "{\"a\":1,\"b\":2}" },
	{ "{\n  \"a\": 1\n}\n", "b", "2", "{\n  \"a\": 1,\"b\":2\n}\n" },
	{ "{\"a\":{\"b\":{\"c\":9007199254740993}},\"z\":1e3}", "a/b/d", "[1]",
	  "{\"a\":{\"b\":{\"c\":9007199254740993,\"d\":[1]}},\"z\":1e3}" },
	{ "{\"a\":{\"b\":{\"c\":1}}}", "a/b/c", "2", "{\"a\":{\"b\":{\"c\":2}}}" },
	{ "{\"a\":{}}", "a/q\"\\\t", "2", "{\"a\":{\"q\\\"\\\\\\t\":2}}" },
	{ "{\"a\":{}}", "b/c", "2", NULL },
	{ "{\"a\":1}", "a/b", "2", NULL },
	{ "[]", "a", "2", NULL },
};

START_TEST(test_json_splice_changes_one_value_and_no_other_byte)
{
	const char *text = splices[_i].text;
	char *spliced = NULL;
	size_t size = 0;
	lcowmig_status status = lcowmig__json_splice(&mem, text, strlen(text), splices[_i].path, splices[_i].value, &spliced, &size);

	ck_assert_int_eq(status, splices[_i].expected ? LCOWMIG_OK : LCOWMIG_E_NOT_FOUND);
	if (!splices[_i].expected)
		return;
	ck_assert_str_eq(spliced, splices[_i].expected);
	ck_assert_uint_eq(size, strlen(spliced));
	lcowmig__free(&mem, spliced);
}
END_TEST

START_TEST(test_json_is_object_looks_behind_white_space)
{
	ck_assert(lcowmig__json_is_object("{}", 2));
	ck_assert(lcowmig__json_is_object(" \n\t\r{}", 6));
	ck_assert(!lcowmig__json_is_object(" [{}]", 5));
	ck_assert(!lcowmig__json_is_object("\"{\"", 3));
	ck_assert(!lcowmig__json_is_object("0", 1));
}
END_TEST

START_TEST(test_json_splice_leaves_its_results_when_memory_is_out)
{
	char *spliced = NULL;
	size_t size = 5;

	failing = 1;
	ck_assert_int_eq(lcowmig__json_splice(&mem, "{}", 2, "a", "1", &spliced, &size), LCOWMIG_E_NO_MEMORY);
	ck_assert_ptr_null(spliced);
	ck_assert_uint_eq(size, 5);
	failing = 0;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, test_json_parse_keeps_every_digit, 0, LCOWMIG__COUNT(kept));
	tcase_add_test(tests, test_json_parse_keeps_plain_numbers_as_numbers);
	tcase_add_loop_test(tests, test_json_parse_refuses_what_is_not_json, 0, LCOWMIG__COUNT(refused));
	tcase_add_test(tests, test_json_parse_refuses_every_prefix_of_a_document);
	tcase_add_test(tests, test_json_parse_refuses_one_value_more_than_the_limit);
	tcase_add_test(tests, test_json_parse_names_document_and_place_when_it_fails);
	tcase_add_test(tests, test_json_parse_reports_memory_at_each_allocation);
	tcase_add_test(tests, test_json_get_prefers_exact_case_and_the_last_duplicate);
	tcase_add_loop_test(tests, test_json_integers_are_exact_or_refused, 0, LCOWMIG__COUNT(integers));
	tcase_add_test(tests, test_json_raw_text_is_an_integer_only_when_it_is_its_digits);
	tcase_add_test(tests, test_json_adds_and_omits_what_is_empty);
	tcase_add_test(tests, test_json_adding_to_nothing_says_so);
	tcase_add_test(tests, test_json_writes_every_kind_and_omits_what_is_empty);
	tcase_add_test(tests, test_json_writes_strings_as_cjson_does);
	tcase_add_test(tests, test_json_is_written_in_parts);
	tcase_add_test(tests, test_json_that_was_not_built_is_not_written);
	tcase_add_test(tests, test_json_is_written_whole_or_not_when_memory_is_out);
	tcase_add_loop_test(tests, test_json_find_gives_the_place_of_a_value, 0, LCOWMIG__COUNT(places));
	tcase_add_loop_test(tests, test_json_splice_changes_one_value_and_no_other_byte, 0, LCOWMIG__COUNT(splices));
	tcase_add_test(tests, test_json_is_object_looks_behind_white_space);
	tcase_add_test(tests, test_json_splice_leaves_its_results_when_memory_is_out);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
