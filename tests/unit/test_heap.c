/* The context's memory: pieces in chunks while it is open. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

typedef struct counter {
	long out;
	unsigned made;
	unsigned fail_at; /* this allocation and all after it; 0: none */
} counter;

static counter count;
static lcowmig__heap heap;
static lcowmig__mem mem;

static void *counter_allocate(void *user, size_t size)
{
	counter *c = user;

	c->made++;
	if (c->fail_at && c->made >= c->fail_at)
		return NULL;
	c->out++;
	return malloc(size);
}

static void counter_release(void *user, void *pointer)
{
	((counter *)user)->out--;
	free(pointer);
}

static void setup(void)
{
	lcowmig__mem host = { counter_allocate, counter_release, &count };

	memset(&count, 0, sizeof count);
	lcowmig__heap_init(&heap, &host);
	mem = lcowmig__heap_mem(&heap);
}

static void teardown(void)
{
	lcowmig__heap_done(&heap);
	ck_assert_int_eq(count.out, 0);
}

START_TEST(test_heap_is_the_hosts_allocator_while_closed)
{
	void *pointer = lcowmig__alloc(&mem, 100);

	ck_assert_uint_eq(count.made, 1);
	lcowmig__free(&mem, pointer);
	ck_assert_int_eq(count.out, 0);
}
END_TEST

/* Every piece keeps its bytes, is aligned, and 1000 of 40 bytes take few chunks. */
START_TEST(test_heap_puts_pieces_into_chunks_while_open)
{
	unsigned char *pieces[1000];
	size_t i, k;

	lcowmig__heap_open(&heap, 16384, SIZE_MAX);
	for (i = 0; i < 1000; i++) {
		pieces[i] = lcowmig__alloc(&mem, 40);
		ck_assert_uint_eq((uintptr_t)pieces[i] % sizeof(uint64_t), 0);
		memset(pieces[i], (int)(i & 0xFF), 40);
	}
	lcowmig__heap_close(&heap);
	ck_assert_uint_le(count.made, 8);
	for (i = 0; i < 1000; i++) {
		for (k = 0; k < 40; k++)
			ck_assert_uint_eq(pieces[i][k], i & 0xFF);
		lcowmig__free(&mem, pieces[i]);
	}
	ck_assert_int_eq(count.out, 0);
}
END_TEST

/* In any order, mixed with memory made before and after; each chunk goes with its last piece. */
START_TEST(test_heap_frees_pieces_in_any_order)
{
	void *before = lcowmig__alloc(&mem, 64), *after;
	char *pieces[300];
	size_t i;

	lcowmig__heap_open(&heap, 1024, SIZE_MAX);
	for (i = 0; i < 300; i++)
		pieces[i] = lcowmig__strdup(&mem, "a piece of text");
	lcowmig__heap_close(&heap);
	after = lcowmig__alloc(&mem, 64);
	for (i = 0; i < 300; i++)
		lcowmig__free(&mem, pieces[i * 7 % 300]);
	ck_assert_int_eq(count.out, 2);
	lcowmig__free(&mem, after);
	lcowmig__free(&mem, before);
}
END_TEST

START_TEST(test_heap_gives_a_chunk_back_when_its_pieces_are_gone_before_the_close)
{
	void *a, *b;

	lcowmig__heap_open(&heap, 1024, SIZE_MAX);
	a = lcowmig__alloc(&mem, 10);
	b = lcowmig__alloc(&mem, 10);
	lcowmig__free(&mem, a);
	lcowmig__free(&mem, b);
	a = lcowmig__alloc(&mem, 10);
	ck_assert_uint_eq(count.made, 1);
	lcowmig__free(&mem, a);
	lcowmig__heap_close(&heap);
	ck_assert_int_eq(count.out, 0);
}
END_TEST

/* What is freed at once takes no room. */
START_TEST(test_heap_uses_the_room_of_the_latest_piece_again)
{
	void *kept;
	size_t i;

	lcowmig__heap_open(&heap, 1024, SIZE_MAX);
	kept = lcowmig__alloc(&mem, 16);
	for (i = 0; i < 1000; i++)
		lcowmig__free(&mem, lcowmig__alloc(&mem, 100));
	ck_assert_uint_eq(count.made, 1);
	lcowmig__free(&mem, kept);
	lcowmig__heap_close(&heap);
}
END_TEST

START_TEST(test_heap_leaves_large_pieces_to_the_host)
{
	void *large, *small;

	lcowmig__heap_open(&heap, 1024, SIZE_MAX);
	small = lcowmig__alloc(&mem, 16);
	large = lcowmig__alloc(&mem, 1000);
	ck_assert_uint_eq(count.made, 2);
	lcowmig__free(&mem, large);
	ck_assert_int_eq(count.out, 1);
	lcowmig__free(&mem, small);
	lcowmig__heap_close(&heap);
}
END_TEST

START_TEST(test_heap_returns_null_when_there_is_no_chunk)
{
	void *kept, *piece;
	void *pieces[100];
	size_t n = 0;

	lcowmig__heap_open(&heap, 1024, SIZE_MAX);
	kept = lcowmig__alloc(&mem, 16);
	count.fail_at = 2;
	while (n < 100 && (piece = lcowmig__alloc(&mem, 100)) != NULL)
		pieces[n++] = piece;
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_lt(n, 100);
	count.fail_at = 0;
	pieces[n] = lcowmig__alloc(&mem, 100);
	ck_assert_ptr_nonnull(pieces[n]);
	for (n++; n > 0; n--)
		lcowmig__free(&mem, pieces[n - 1]);
	lcowmig__free(&mem, kept);
	lcowmig__heap_close(&heap);
}
END_TEST

START_TEST(test_heap_may_be_opened_again)
{
	void *pieces[10];
	size_t i;

	for (i = 0; i < 10; i++) {
		lcowmig__heap_open(&heap, 512, SIZE_MAX);
		pieces[i] = lcowmig__alloc(&mem, 32);
		lcowmig__heap_close(&heap);
	}
	ck_assert_int_eq(count.out, 10);
	for (i = 0; i < 10; i++)
		lcowmig__free(&mem, pieces[i]);
}
END_TEST

START_TEST(test_heap_takes_any_chunk_size)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 100 };
	void *piece = NULL;

	lcowmig__heap_open(&heap, sizes[_i], SIZE_MAX);
	piece = lcowmig__alloc(&mem, 1);
	ck_assert_ptr_nonnull(piece);
	lcowmig__heap_close(&heap);
	lcowmig__free(&mem, piece);
}
END_TEST

START_TEST(test_heap_makes_small_chunks_when_more_comes_than_was_expected)
{
	void *pieces[200];
	size_t i;

	lcowmig__heap_open(&heap, 16384, 4096);
	for (i = 0; i < 200; i++) {
		pieces[i] = lcowmig__alloc(&mem, 40);
		memset(pieces[i], 1, 40);
	}
	lcowmig__heap_close(&heap);
	ck_assert_uint_ge(count.made, 3);
	for (i = 0; i < 200; i++)
		lcowmig__free(&mem, pieces[i]);
}
END_TEST

/* However many there are, the text lives until the last of them is freed. */
START_TEST(test_heap_counts_copies_of_a_text_instead_of_making_them)
{
	lcowmig__texts texts;
	char *text, *copies[3];

	lcowmig__texts_init(&texts, &heap, 100);
	lcowmig__texts_add(&texts, "first", 5);
	text = lcowmig__texts_add(&texts, "second", 6);
	ck_assert_str_eq(text, "second");
	copies[0] = lcowmig__strdup(&mem, text);
	copies[1] = lcowmig__strdup(&mem, copies[0]);
	copies[2] = lcowmig__strdup(&mem, text + 3);
	ck_assert_ptr_eq(copies[0], text);
	ck_assert_ptr_eq(copies[1], text);
	ck_assert_ptr_eq(copies[2], text + 3);
	ck_assert_uint_eq(count.made, 1);
	lcowmig__texts_done(&texts);
	lcowmig__free(&mem, copies[1]);
	lcowmig__free(&mem, copies[2]);
	ck_assert_str_eq(copies[0], "second");
	lcowmig__free(&mem, copies[0]);
	ck_assert_int_eq(count.out, 0);
}
END_TEST

START_TEST(test_heap_copies_what_is_not_the_end_of_a_text)
{
	lcowmig__texts texts;
	char *text, *copy;

	lcowmig__texts_init(&texts, &heap, 100);
	text = lcowmig__texts_add(&texts, "second", 6);
	copy = lcowmig__strndup(&mem, text, 3);
	ck_assert_str_eq(copy, "sec");
	ck_assert_ptr_ne(copy, text);
	lcowmig__free(&mem, copy);
	copy = lcowmig__memdup(&mem, text, 7); /* with its NUL, behind which nothing stands */
	ck_assert_ptr_ne(copy, text);
	ck_assert_str_eq(copy, "second");
	lcowmig__free(&mem, copy);
	copy = lcowmig__memdup(&mem, text, 0);
	ck_assert_str_eq(copy, "");
	lcowmig__texts_done(&texts);
	lcowmig__free(&mem, copy);
}
END_TEST

/* Only what was decoded is never written to again. */
START_TEST(test_heap_copies_texts_that_are_pieces)
{
	char *text, *copy;

	lcowmig__heap_open(&heap, 16384, SIZE_MAX);
	text = lcowmig__strdup(&mem, "text");
	copy = lcowmig__strdup(&mem, text);
	ck_assert_uint_eq(count.made, 1);
	ck_assert_ptr_ne(copy, text);
	text[0] = 'n';
	ck_assert_str_eq(copy, "text");
	lcowmig__free(&mem, text);
	lcowmig__free(&mem, copy);
}
END_TEST

START_TEST(test_heap_is_the_hosts_allocator_when_it_is_plain)
{
	lcowmig__texts texts;
	char *text, *copy;

	heap.is_plain = true;
	lcowmig__heap_open(&heap, 16384, SIZE_MAX);
	copy = lcowmig__alloc(&mem, 100);
	ck_assert_uint_eq(count.made, 1);
	lcowmig__free(&mem, copy);
	ck_assert_int_eq(count.out, 0);
	lcowmig__texts_init(&texts, &heap, 100);
	text = lcowmig__texts_add(&texts, "text", 4);
	copy = lcowmig__strdup(&mem, text);
	ck_assert_ptr_ne(copy, text);
	ck_assert_uint_eq(count.made, 3);
	lcowmig__texts_done(&texts);
	ck_assert_str_eq(copy, "text");
	lcowmig__free(&mem, copy);
}
END_TEST

START_TEST(test_heap_takes_texts_of_any_size)
{
	lcowmig__texts texts;
	char *text[40];
	char line[600];
	size_t i;

	memset(line, 'x', sizeof line);
	lcowmig__texts_init(&texts, &heap, 1000);
	for (i = 0; i < 40; i++) {
		text[i] = lcowmig__texts_add(&texts, line, i * 15);
		ck_assert_ptr_nonnull(text[i]);
	}
	for (i = 0; i < 40; i++)
		ck_assert_uint_eq(strlen(text[i]), i * 15);
	ck_assert_ptr_null(lcowmig__texts_add(&texts, line, SIZE_MAX));
	ck_assert_ptr_null(lcowmig__texts_add(&texts, line, SIZE_MAX - 1));
	count.fail_at = 1;
	ck_assert_ptr_null(lcowmig__texts_add(&texts, line, sizeof line));
	lcowmig__texts_done(&texts);
	ck_assert_int_eq(count.out, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heap");
	TCase *tests = tcase_create("heap");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_heap_is_the_hosts_allocator_while_closed);
	tcase_add_test(tests, test_heap_puts_pieces_into_chunks_while_open);
	tcase_add_test(tests, test_heap_frees_pieces_in_any_order);
	tcase_add_test(tests, test_heap_gives_a_chunk_back_when_its_pieces_are_gone_before_the_close);
	tcase_add_test(tests, test_heap_uses_the_room_of_the_latest_piece_again);
	tcase_add_test(tests, test_heap_leaves_large_pieces_to_the_host);
	tcase_add_test(tests, test_heap_returns_null_when_there_is_no_chunk);
	tcase_add_test(tests, test_heap_may_be_opened_again);
	tcase_add_loop_test(tests, test_heap_takes_any_chunk_size, 0, 6);
	tcase_add_test(tests, test_heap_makes_small_chunks_when_more_comes_than_was_expected);
	tcase_add_test(tests, test_heap_counts_copies_of_a_text_instead_of_making_them);
	tcase_add_test(tests, test_heap_copies_what_is_not_the_end_of_a_text);
	tcase_add_test(tests, test_heap_copies_texts_that_are_pieces);
	tcase_add_test(tests, test_heap_is_the_hosts_allocator_when_it_is_plain);
	tcase_add_test(tests, test_heap_takes_texts_of_any_size);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
