/* What the programs about the documents of HCS share: how a text is compared while memory fails. */
#ifndef TEST_HCS_FIXTURE_H
#define TEST_HCS_FIXTURE_H

#include "documents_fixture.h"

static inline void setup(void)
{
	set_up_documents();
	limits.compat_bytes = 8;
}

static inline void teardown(void)
{
	tear_down_documents();
}

/* Compares a builder's text, and sees it give NULL, leaking nothing, for each allocation that fails. */
#define EXPECT_TEXT(expression, expected)                                                                                                  \
	do {                                                                                                                               \
		int expect_i = 1;                                                                                                          \
		char *expect_text;                                                                                                         \
		for (;; expect_i++) {                                                                                                      \
			fail_at = expect_i;                                                                                                \
			expect_text = (expression);                                                                                        \
			if (fail_at)                                                                                                       \
				break;                                                                                                     \
			ck_assert_msg(!expect_text, "%s", expected);                                                                       \
			ck_assert_int_eq(out, 0);                                                                                          \
		}                                                                                                                          \
		fail_at = 0;                                                                                                               \
		ck_assert_str_eq(expect_text, expected);                                                                                   \
		lcowmig__free(&mem, expect_text);                                                                                          \
	} while (0)

#endif
