/* The parts of lib/base other than JSON. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/guid.h"
#include "base/list.h"
#include "base/platform.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/tree.h"

/* An allocator that counts what is out and fails from the chosen allocation on. */
typedef struct counter {
	int out;
	int made;
	int fail_at; /* 0: never */
} counter;

static void *counter_allocate(void *user, size_t size)
{
	counter *c = user;

	if (c->fail_at && ++c->made >= c->fail_at)
		return NULL;
	c->out++;
	return malloc(size);
}

static void counter_release(void *user, void *pointer)
{
	((counter *)user)->out--;
	free(pointer);
}

static counter count;
static const lcowmig__mem mem = { counter_allocate, counter_release, &count };

static void setup(void)
{
	memset(&count, 0, sizeof count);
}

static void teardown(void)
{
	ck_assert_int_eq(count.out, 0);
}

START_TEST(test_alloc_gives_zeroed_memory)
{
	unsigned char *bytes = lcowmig__alloc(&mem, 100);
	unsigned char *none = lcowmig__alloc(&mem, 0);
	int i;

	for (i = 0; i < 100; i++)
		ck_assert_int_eq(bytes[i], 0);
	ck_assert_ptr_nonnull(none);
	lcowmig__free(&mem, bytes);
	lcowmig__free(&mem, none);
	lcowmig__free(&mem, NULL);
}
END_TEST

START_TEST(test_alloc_array_refuses_a_size_that_overflows)
{
	ck_assert_ptr_null(lcowmig__alloc_array(&mem, SIZE_MAX / 2, 3));
	ck_assert_ptr_null(lcowmig__memdup(&mem, "", SIZE_MAX));
}
END_TEST

START_TEST(test_strdup_copies_and_terminates)
{
	char *whole = lcowmig__strdup(&mem, "pod");
	char *part = lcowmig__strndup(&mem, "container", 4);
	char *empty = lcowmig__memdup(&mem, NULL, 0);

	ck_assert_str_eq(whole, "pod");
	ck_assert_str_eq(part, "cont");
	ck_assert_str_eq(empty, "");
	ck_assert_ptr_null(lcowmig__strdup(&mem, NULL));
	lcowmig__free(&mem, whole);
	lcowmig__free(&mem, part);
	lcowmig__free(&mem, empty);
}
END_TEST

START_TEST(test_arena_gives_aligned_zeroed_pieces_of_any_size)
{
	lcowmig__arena arena;
	size_t size;

	lcowmig__arena_init(&arena, &mem, 32);
	for (size = 1; size < 3000; size = size * 2 + 1) {
		char *piece = lcowmig__arena_alloc(&arena, size);
		size_t i;

		ck_assert_uint_eq((uintptr_t)piece % sizeof(uint64_t), 0);
		for (i = 0; i < size; i++)
			ck_assert_int_eq(piece[i], 0);
		memset(piece, 0xff, size);
	}
	ck_assert_int_lt(count.out, 10);
	ck_assert_str_eq(lcowmig__arena_strndup(&arena, "abcdef", 3), "abc");
	ck_assert_ptr_null(lcowmig__arena_alloc(&arena, SIZE_MAX));
	ck_assert_ptr_null(lcowmig__arena_strndup(&arena, "", SIZE_MAX));
	lcowmig__arena_done(&arena);
}
END_TEST

START_TEST(test_arena_serves_as_a_mem_even_after_a_move)
{
	lcowmig__arena first, arena;
	lcowmig__buf buf;

	lcowmig__arena_init(&first, &mem, 0);
	arena = first;
	lcowmig__buf_init(&buf, lcowmig__arena_mem(&arena));
	lcowmig__buf_text(&buf, "kept by the arena");
	ck_assert_str_eq(buf.data, "kept by the arena");
	lcowmig__buf_done(&buf);
	ck_assert_int_eq(count.out, 1);
	lcowmig__arena_done(&arena);
}
END_TEST

START_TEST(test_arena_gives_nothing_when_memory_is_out)
{
	lcowmig__arena arena;

	count.fail_at = 1;
	lcowmig__arena_init(&arena, &mem, 0);
	ck_assert_ptr_null(lcowmig__arena_alloc(&arena, 1));
	ck_assert_ptr_null(lcowmig__arena_strndup(&arena, "x", 1));
	lcowmig__arena_done(&arena);
}
END_TEST

START_TEST(test_buf_grows_consumes_and_is_taken)
{
	lcowmig__buf buf;
	char *taken;
	int i;

	lcowmig__buf_init(&buf, &mem);
	for (i = 0; i < 1000; i++)
		lcowmig__buf_printf(&buf, "%d,", i);
	ck_assert(!buf.failed);
	ck_assert_uint_eq(strlen(buf.data), buf.size);
	ck_assert_uint_eq(buf.size, 10 * 2 + 90 * 3 + 900 * 4);
	taken = lcowmig__buf_take(&buf);
	ck_assert_str_eq(taken + strlen(taken) - 4, "999,");
	ck_assert_ptr_null(buf.data);
	lcowmig__free(&mem, taken);
	taken = lcowmig__buf_take(&buf);
	ck_assert_str_eq(taken, "");
	lcowmig__free(&mem, taken);
}
END_TEST

START_TEST(test_buf_failure_is_sticky_until_cleared)
{
	lcowmig__buf buf;

	lcowmig__buf_init(&buf, &mem);
	lcowmig__buf_text(&buf, "kept");
	ck_assert_ptr_null(lcowmig__buf_reserve(&buf, SIZE_MAX - 10));
	ck_assert(buf.failed);
	lcowmig__buf_text(&buf, "dropped");
	lcowmig__buf_printf(&buf, "%d", 1);
	ck_assert_str_eq(buf.data, "kept");
	lcowmig__buf_clear(&buf);
	lcowmig__buf_text(&buf, "again");
	ck_assert_str_eq(buf.data, "again");
	count.fail_at = 1;
	ck_assert_ptr_null(lcowmig__buf_reserve(&buf, 1000));
	ck_assert_ptr_null(lcowmig__buf_take(&buf));
}
END_TEST

START_TEST(test_buf_taken_out_of_memory_is_nothing)
{
	lcowmig__buf buf;

	lcowmig__buf_init(&buf, &mem);
	count.fail_at = 1;
	ck_assert_ptr_null(lcowmig__buf_take(&buf));
	ck_assert(!buf.failed);
}
END_TEST

START_TEST(test_error_carries_status_hresult_and_sentence)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	ck_assert_int_eq(lcowmig__fail(&error, LCOWMIG_E_NOT_FOUND, "pod %s", "p1"), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(error.status, LCOWMIG_E_NOT_FOUND);
	ck_assert_str_eq(error.message, "pod p1");
	lcowmig__fail_hresult(&error, LCOWMIG_E_HOST_FAILED, LCOWMIG__HR_FAIL, "start");
	lcowmig__wrap(&error, LCOWMIG_E_HOST_FAILED, "vm %d", 7);
	ck_assert_str_eq(error.message, "vm 7: start");
	ck_assert_uint_eq(error.hresult, LCOWMIG__HR_FAIL);
	ck_assert_int_eq(lcowmig__fail_memory(&error), LCOWMIG_E_NO_MEMORY);
	ck_assert_int_eq(lcowmig__fail(NULL, LCOWMIG_E_DENIED, "x"), LCOWMIG_E_DENIED);
	ck_assert_int_eq(lcowmig__fail_hresult(NULL, LCOWMIG_E_DENIED, 1, "x"), LCOWMIG_E_DENIED);
	ck_assert_int_eq(lcowmig__wrap(NULL, LCOWMIG_E_DENIED, "x"), LCOWMIG_E_DENIED);
	lcowmig__error_init(&error);
	ck_assert_int_eq(error.status, LCOWMIG_OK);
	ck_assert_str_eq(error.message, "");
}
END_TEST

START_TEST(test_error_never_writes_beyond_the_size_its_owner_has)
{
	lcowmig_error error;

	memset(&error, 'x', sizeof error);
	error.size = offsetof(lcowmig_error, message) + 5;
	lcowmig__fail(&error, LCOWMIG_E_NOT_FOUND, "a long sentence");
	ck_assert_str_eq(error.message, "a lo");
	ck_assert_int_eq(error.message[5], 'x');
	memset(&error, 'x', sizeof error);
	error.size = 0;
	lcowmig__fail(&error, LCOWMIG_E_NOT_FOUND, "nothing");
	ck_assert_int_eq(error.message[0], 'x');
}
END_TEST

START_TEST(test_error_cuts_a_long_sentence_at_a_whole_character)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	char text[2 * LCOWMIG_ERROR_MESSAGE_SIZE + 1] = "";
	int i;

	for (i = 0; i < LCOWMIG_ERROR_MESSAGE_SIZE; i++)
		strcat(text, "\xC3\xA4");
	for (i = 0; i < 2; i++) {
		lcowmig__fail(&error, LCOWMIG_E_NOT_FOUND, "%s%s", i ? "x" : "", text);
		ck_assert(lcowmig__utf8_is_valid(error.message, strlen(error.message)));
		ck_assert_uint_ge(strlen(error.message), LCOWMIG_ERROR_MESSAGE_SIZE - 4);
	}
}
END_TEST

START_TEST(test_status_has_a_name_and_a_text_for_each_number)
{
	int status;

	for (status = LCOWMIG_PENDING; status >= LCOWMIG_E_LIMIT_EXCEEDED; status--) {
		ck_assert_str_ne(lcowmig_status_name((lcowmig_status)status), "UNKNOWN");
		ck_assert_uint_gt(strlen(lcowmig_status_text((lcowmig_status)status)), 5);
	}
	ck_assert_str_eq(lcowmig_status_name(LCOWMIG_E_NOT_FOUND), "E_NOT_FOUND");
	ck_assert_str_eq(lcowmig_status_name((lcowmig_status)-99), "UNKNOWN");
	ck_assert_uint_gt(strlen(lcowmig_status_text((lcowmig_status)-99)), 5);
}
END_TEST

START_TEST(test_hresult_classes)
{
	ck_assert(lcowmig__hresult_is_vm_gone(LCOWMIG__HR_DOES_NOT_EXIST));
	ck_assert(lcowmig__hresult_is_vm_gone(LCOWMIG__HR_INVALID_HANDLE));
	ck_assert(lcowmig__hresult_is_vm_gone(LCOWMIG__HR_ELEMENT_NOT_FOUND));
	ck_assert(!lcowmig__hresult_is_vm_gone(LCOWMIG__HR_ACCESS_DENIED));
	ck_assert(lcowmig__hresult_is_already_stopped(LCOWMIG__HR_ALREADY_STOPPED));
	ck_assert(lcowmig__hresult_is_already_stopped(LCOWMIG__HR_PROCESS_ALREADY_STOPPED));
	ck_assert(!lcowmig__hresult_is_already_stopped(LCOWMIG__HR_FAIL));
	ck_assert(lcowmig__hresult_is_not_found(LCOWMIG__HR_DOES_NOT_EXIST));
	ck_assert(lcowmig__hresult_is_not_found(LCOWMIG__HR_ELEMENT_NOT_FOUND));
	ck_assert(!lcowmig__hresult_is_not_found(LCOWMIG__HR_INVALID_STATE));
	ck_assert(lcowmig__is_gone(LCOWMIG_E_UNAVAILABLE, 0));
	ck_assert(lcowmig__is_gone(LCOWMIG_E_HOST_FAILED, LCOWMIG__HR_ALREADY_STOPPED));
	ck_assert(!lcowmig__is_gone(LCOWMIG_E_GUEST_FAILED, LCOWMIG__HR_FAIL));
}
END_TEST

START_TEST(test_guid_survives_text_in_either_case)
{
	lcowmig_guid guid, again;
	char text[LCOWMIG_GUID_TEXT_SIZE];

	ck_assert_int_eq(lcowmig_guid_parse("DF6D0690-79E5-55B6-A5EC-C1E2F77F580A", &guid), LCOWMIG_OK);
	lcowmig_guid_format(&guid, text);
	ck_assert_str_eq(text, "df6d0690-79e5-55b6-a5ec-c1e2f77f580a");
	ck_assert_int_eq(lcowmig_guid_parse(text, &again), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__guid_compare(&guid, &again), 0);
	again.bytes[15]++;
	ck_assert_int_lt(lcowmig__guid_compare(&guid, &again), 0);
	ck_assert(!lcowmig__guid_is_null(&guid));
	ck_assert_int_eq(lcowmig_guid_parse(LCOWMIG__NULL_GUID, &guid), LCOWMIG_OK);
	ck_assert(lcowmig__guid_is_null(&guid));
	memset(guid.bytes, 0xff, sizeof guid.bytes);
	lcowmig__guid_from_random(&guid);
	lcowmig_guid_format(&guid, text);
	ck_assert_str_eq(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}
END_TEST

START_TEST(test_guid_refuses_other_texts_and_leaves_the_result)
{
	static const char *const bad[] = { NULL,
					   "",
					   "df6d0690",
					   "{df6d0690-79e5-55b6-a5ec-c1e2f77f580a}",
					   "df6d0690-79e5-55b6-a5ec-c1e2f77f580",
					   "df6d0690-79e5-55b6-a5ec-c1e2f77f580ab",
					   "df6d0690079e5-55b6-a5ec-c1e2f77f580a",
					   "gf6d0690-79e5-55b6-a5ec-c1e2f77f580a" };
	lcowmig_guid guid = { { 9 } };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(bad); i++)
		ck_assert_int_eq(lcowmig_guid_parse(bad[i], &guid), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(guid.bytes[0], 9);
}
END_TEST

START_TEST(test_list_appends_removes_and_pops_in_order)
{
	lcowmig__list list, nodes[3];
	lcowmig__list *node, *following;
	int i = 0;

	lcowmig__list_init(&list);
	ck_assert(lcowmig__list_is_empty(&list));
	ck_assert_ptr_null(lcowmig__list_pop(&list));
	for (i = 0; i < 3; i++)
		lcowmig__list_append(&list, &nodes[i]);
	lcowmig__list_remove(&nodes[1]);
	lcowmig__list_remove(&nodes[1]);
	i = 0;
	LCOWMIG__LIST_EACH(node, following, &list)
	{
		ck_assert_ptr_eq(node, &nodes[i]);
		lcowmig__list_remove(node);
		i += 2;
	}
	ck_assert_int_eq(i, 4);
	lcowmig__list_append(&list, &nodes[2]);
	ck_assert_ptr_eq(lcowmig__list_pop(&list), &nodes[2]);
	ck_assert(lcowmig__list_is_empty(&list));
}
END_TEST

typedef struct item {
	int key;
	lcowmig__node node;
} item;

static int item_compare(const void *key, const lcowmig__node *node)
{
	int other = LCOWMIG__TREE_ENTRY(node, item, node)->key;

	return (*(const int *)key > other) - (*(const int *)key < other);
}

/* Height of the subtree; checks order, parents and AVL balance on the way. */
static int tree_check(const lcowmig__node *node, const lcowmig__node *parent, int low, int high)
{
	int key, left, right;

	if (!node)
		return 0;
	key = LCOWMIG__TREE_ENTRY(node, item, node)->key;
	ck_assert_int_gt(key, low);
	ck_assert_int_lt(key, high);
	ck_assert_ptr_eq(node->parent, parent);
	left = tree_check(node->child[0], node, low, key);
	right = tree_check(node->child[1], node, key, high);
	ck_assert_int_le(abs(left - right), 1);
	ck_assert_int_eq(node->height, (left > right ? left : right) + 1);
	return node->height;
}

#define KEYS 200

static void tree_compare_with_model(const lcowmig__tree *tree, item *items, const bool *present)
{
	lcowmig__node *node = lcowmig__tree_first(tree);
	size_t expected = 0;
	int i;

	tree_check(tree->root, NULL, -1, KEYS);
	for (i = 0; i < KEYS; i++) {
		ck_assert_ptr_eq(lcowmig__tree_find(tree, &i), present[i] ? &items[i].node : NULL);
		if (!present[i])
			continue;
		ck_assert_ptr_eq(node, &items[i].node);
		node = lcowmig__tree_next(node);
		expected++;
	}
	ck_assert_ptr_null(node);
	ck_assert_uint_eq(tree->count, expected);
}

START_TEST(test_tree_behaves_as_a_model_under_random_inserts_and_removes)
{
	static item items[KEYS];
	bool present[KEYS] = { false };
	uint32_t random = 12345u + (uint32_t)_i;
	lcowmig__tree tree;
	int step;

	memset(items, 0, sizeof items);
	lcowmig__tree_init(&tree, item_compare);
	for (step = 0; step < 3000; step++) {
		int key;

		random = random * 1664525u + 1013904223u;
		key = (int)(random >> 16) % KEYS;
		items[key].key = key;
		/* Phases that mostly fill alternate with phases that mostly drain. */
		if ((random >> 8) % 10 < (step / 500 % 2 ? 2u : 8u)) {
			if (!present[key])
				ck_assert(lcowmig__tree_insert(&tree, &key, &items[key].node));
			else
				ck_assert(!lcowmig__tree_insert(&tree, &key, &(item){ .key = key }.node));
			present[key] = true;
		} else {
			lcowmig__tree_remove(&tree, &items[key].node);
			present[key] = false;
		}
		if (step % 10 == 0)
			tree_compare_with_model(&tree, items, present);
	}
	tree_compare_with_model(&tree, items, present);
}
END_TEST

START_TEST(test_tree_walk_survives_removing_the_current_node)
{
	item items[20] = { { 0 } };
	lcowmig__node *node, *following;
	lcowmig__tree tree;
	int i;

	lcowmig__tree_init(&tree, item_compare);
	ck_assert_ptr_null(LCOWMIG__TREE_ENTRY(lcowmig__tree_first(&tree), item, node));
	for (i = 0; i < 20; i++) {
		items[i].key = i;
		lcowmig__tree_insert(&tree, &i, &items[i].node);
	}
	i = 0;
	LCOWMIG__TREE_EACH(node, following, &tree)
	{
		ck_assert_ptr_eq(node, &items[i++].node);
		lcowmig__tree_remove(&tree, node);
	}
	ck_assert_int_eq(i, 20);
	ck_assert_uint_eq(tree.count, 0);
}
END_TEST

START_TEST(test_text_utf8_accepts_what_unicode_allows_only)
{
	static const char *const good[] = {
		"", "plain", "\xC3\xA4", "\xE2\x82\xAC", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"
	};
	static const char *const bad[] = { "\x80",
					   "\xC0\x80",
					   "\xC1\xBF",
					   "\xC3",
					   "\xC3(",
					   "\xE0\x9F\xBF",
					   "\xE2\x82",
					   "\xE2\x82(",
					   "\xED\xA0\x80",
					   "\xF0\x8F\xBF\xBF",
					   "\xF4\x90\x80\x80",
					   "\xF5\x80\x80\x80",
					   "\xF0\x90\x80(",
					   "\xFF" };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(good); i++)
		ck_assert_msg(lcowmig__utf8_is_valid(good[i], strlen(good[i])), "good %zu", i);
	for (i = 0; i < LCOWMIG__COUNT(bad); i++)
		ck_assert_msg(!lcowmig__utf8_is_valid(bad[i], strlen(bad[i])), "bad %zu", i);
	ck_assert(!lcowmig__utf8_is_valid("a\0b", 3));
}
END_TEST

/* Eight bytes are looked at together: every place in and around them, at every alignment. */
START_TEST(test_text_utf8_finds_what_is_wrong_wherever_it_stands)
{
	char text[40];
	size_t start, at;

	for (start = 0; start < 8; start++) {
		for (at = start; at < sizeof text; at++) {
			memset(text, '\x01', sizeof text);
			ck_assert(lcowmig__utf8_is_valid(text + start, sizeof text - start));
			text[at] = '\0';
			ck_assert_msg(!lcowmig__utf8_is_valid(text + start, sizeof text - start), "NUL at %zu from %zu", at, start);
			text[at] = '\x80';
			ck_assert_msg(!lcowmig__utf8_is_valid(text + start, sizeof text - start), "80 at %zu from %zu", at, start);
			text[at] = '\x7f';
			ck_assert_msg(lcowmig__utf8_is_valid(text + start, sizeof text - start), "7F at %zu from %zu", at, start);
			if (at + 3 > sizeof text)
				continue;
			memcpy(text + at, "\xE2\x82\xAC", 3);
			ck_assert_msg(lcowmig__utf8_is_valid(text + start, sizeof text - start), "euro at %zu from %zu", at, start);
			ck_assert_msg(!lcowmig__utf8_is_valid(text + start, at + 2 - start), "half a euro at %zu from %zu", at, start);
		}
	}
}
END_TEST

START_TEST(test_text_compares_as_promised)
{
	ck_assert(lcowmig__text_starts_with("hugepages://2M", "hugepages://"));
	ck_assert(!lcowmig__text_starts_with("huge", "hugepages://"));
	ck_assert(lcowmig__text_ends_with("disk.vhdx", ".vhdx"));
	ck_assert(!lcowmig__text_ends_with("vhdx", ".vhdx"));
	ck_assert_int_eq(lcowmig__text_compare_nocase("ETH0", "eth0"), 0);
	ck_assert_int_lt(lcowmig__text_compare_nocase("a", "B"), 0);
	ck_assert_int_lt(lcowmig__text_compare_nocase("a", "ab"), 0);
	ck_assert_int_gt(lcowmig__text_compare_nocase("\xC3\x84", "z"), 0);
	ck_assert(lcowmig__text_equal(NULL, NULL));
	ck_assert(!lcowmig__text_equal(NULL, ""));
	ck_assert(!lcowmig__text_equal("", NULL));
	ck_assert(lcowmig__text_equal("a", "a"));
	ck_assert(!lcowmig__text_equal("a", "A"));
	ck_assert(lcowmig__text_is_empty(NULL) && lcowmig__text_is_empty("") && !lcowmig__text_is_empty("x"));
}
END_TEST

START_TEST(test_text_is_fine_within_its_limit_and_valid)
{
	ck_assert(lcowmig__text_is_fine(NULL, 0));
	ck_assert(lcowmig__text_is_fine("four", 4));
	ck_assert(!lcowmig__text_is_fine("four", 3));
	ck_assert(!lcowmig__text_is_fine("fo\xFFr", 4));
}
END_TEST

static void sha256_expect(const void *data, size_t size, const char *expected)
{
	uint8_t digest[32];
	char text[65];
	int i;

	lcowmig__sha256(data, size, digest);
	for (i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	ck_assert_str_eq(text, expected);
}

START_TEST(test_sha256_gives_the_published_digests)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static char million[1000000];

	memset(million, 'a', sizeof million);
	sha256_expect(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_expect("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_expect(two_blocks, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	sha256_expect(million, sizeof million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	sha256_expect(million, 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
	sha256_expect(million, 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}
END_TEST

START_TEST(test_base64_encodes_and_decodes_every_length)
{
	static const char *const texts[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(texts); i++) {
		lcowmig__buf text, bytes;

		lcowmig__buf_init(&text, &mem);
		lcowmig__buf_init(&bytes, &mem);
		lcowmig__base64_encode(&text, (const uint8_t *)"foobar", i);
		ck_assert_str_eq(text.data ? text.data : "", texts[i]);
		ck_assert(lcowmig__base64_decode(&bytes, texts[i], strlen(texts[i])));
		ck_assert_uint_eq(bytes.size, i);
		ck_assert_mem_eq(bytes.data ? bytes.data : "", "foobar", i);
		lcowmig__buf_done(&text);
		lcowmig__buf_done(&bytes);
	}
}
END_TEST

START_TEST(test_base64_decodes_all_byte_values_and_skips_line_ends)
{
	uint8_t all[256];
	lcowmig__buf text, bytes;
	int i;

	for (i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	lcowmig__buf_init(&text, &mem);
	lcowmig__buf_init(&bytes, &mem);
	lcowmig__base64_encode(&text, all, sizeof all);
	lcowmig__buf_text(&text, "\r\n");
	ck_assert(lcowmig__base64_decode(&bytes, text.data, text.size));
	ck_assert_uint_eq(bytes.size, sizeof all);
	ck_assert_mem_eq(bytes.data, all, sizeof all);
	lcowmig__buf_clear(&bytes);
	ck_assert(lcowmig__base64_decode(&bytes, "Z\ng=\r\n=", 7));
	ck_assert_uint_eq(bytes.size, 1);
	lcowmig__buf_done(&text);
	lcowmig__buf_done(&bytes);
}
END_TEST

START_TEST(test_base64_refuses_what_is_not_base64)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "=", "Z===", "Zg==Zg==", "Zm9v=", "Zm8=x", "Zm 9v", "Zm9-", "Zg=x" };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(bad); i++) {
		lcowmig__buf bytes;

		lcowmig__buf_init(&bytes, &mem);
		ck_assert_msg(!lcowmig__base64_decode(&bytes, bad[i], strlen(bad[i])), "%s", bad[i]);
		lcowmig__buf_done(&bytes);
	}
}
END_TEST

#if defined(__linux__)
static size_t entropy_left; /* the next bytes fail */

int __real_getentropy(void *buffer, size_t length);
int __wrap_getentropy(void *buffer, size_t length);
int __wrap_getentropy(void *buffer, size_t length)
{
	if (length > entropy_left)
		return -1;
	entropy_left -= length;
	return __real_getentropy(buffer, length);
}
#define ENTROPY_LASTS(size) (entropy_left = (size))
#else
#define ENTROPY_LASTS(size) ((void)(size))
#endif

START_TEST(test_random_fills_any_size)
{
	static const uint8_t nothing[32];
	uint8_t bytes[1000 + 1] = { 0 };

	ENTROPY_LASTS(1000);
	ck_assert_int_eq(lcowmig__platform_random(bytes, 1000), LCOWMIG_OK);
	for (size_t at = 0; at + sizeof nothing <= 1000; at += sizeof nothing)
		ck_assert_msg(memcmp(bytes + at, nothing, sizeof nothing) != 0, "nothing at %zu", at);
	ck_assert_uint_eq(bytes[1000], 0);
	ck_assert_int_eq(lcowmig__platform_random(bytes, 0), LCOWMIG_OK);
}
END_TEST

#if defined(__linux__)
START_TEST(test_random_fails_when_the_host_has_no_more)
{
	uint8_t bytes[1000];

	ENTROPY_LASTS(999);
	ck_assert_int_eq(lcowmig__platform_random(bytes, sizeof bytes), LCOWMIG_E_HOST_FAILED);
	ENTROPY_LASTS(0);
	ck_assert_int_eq(lcowmig__platform_random(bytes, 1), LCOWMIG_E_HOST_FAILED);
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("base");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_alloc_gives_zeroed_memory);
	tcase_add_test(tests, test_alloc_array_refuses_a_size_that_overflows);
	tcase_add_test(tests, test_strdup_copies_and_terminates);
	tcase_add_test(tests, test_arena_gives_aligned_zeroed_pieces_of_any_size);
	tcase_add_test(tests, test_arena_serves_as_a_mem_even_after_a_move);
	tcase_add_test(tests, test_arena_gives_nothing_when_memory_is_out);
	tcase_add_test(tests, test_buf_grows_consumes_and_is_taken);
	tcase_add_test(tests, test_buf_failure_is_sticky_until_cleared);
	tcase_add_test(tests, test_buf_taken_out_of_memory_is_nothing);
	tcase_add_test(tests, test_error_carries_status_hresult_and_sentence);
	tcase_add_test(tests, test_error_never_writes_beyond_the_size_its_owner_has);
	tcase_add_test(tests, test_error_cuts_a_long_sentence_at_a_whole_character);
	tcase_add_test(tests, test_status_has_a_name_and_a_text_for_each_number);
	tcase_add_test(tests, test_hresult_classes);
	tcase_add_test(tests, test_guid_survives_text_in_either_case);
	tcase_add_test(tests, test_guid_refuses_other_texts_and_leaves_the_result);
	tcase_add_test(tests, test_list_appends_removes_and_pops_in_order);
	tcase_add_loop_test(tests, test_tree_behaves_as_a_model_under_random_inserts_and_removes, 0, 10);
	tcase_add_test(tests, test_tree_walk_survives_removing_the_current_node);
	tcase_add_test(tests, test_text_utf8_accepts_what_unicode_allows_only);
	tcase_add_test(tests, test_text_utf8_finds_what_is_wrong_wherever_it_stands);
	tcase_add_test(tests, test_text_compares_as_promised);
	tcase_add_test(tests, test_text_is_fine_within_its_limit_and_valid);
	tcase_add_test(tests, test_sha256_gives_the_published_digests);
	tcase_add_test(tests, test_base64_encodes_and_decodes_every_length);
	tcase_add_test(tests, test_base64_decodes_all_byte_values_and_skips_line_ends);
	tcase_add_test(tests, test_base64_refuses_what_is_not_base64);
	tcase_add_test(tests, test_random_fills_any_size);
#if defined(__linux__)
	tcase_add_test(tests, test_random_fails_when_the_host_has_no_more);
#endif
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
