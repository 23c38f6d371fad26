/* What the programs about OCI specs share: an arena, and how a result is compared while memory fails. */
#ifndef TEST_OCI_FIXTURE_H
#define TEST_OCI_FIXTURE_H

#include <stddef.h>

#include "documents_fixture.h"
#include "hcs/endpoint.h"
#include "hcs/guest_paths.h"
#include "hcs/oci.h"
#include "hcs/oci_parts.h"

static lcowmig__arena arena;
static lcowmig_error error;

static inline void setup(void)
{
	set_up_documents();
	limits.id_bytes = 48;
	limits.mount_options = 3;
	limits.layers = 3;
	limits.endpoints = 3;
	lcowmig__arena_init(&arena, &mem, 64);
	lcowmig__error_init(&error);
}

static inline void teardown(void)
{
	lcowmig__arena_done(&arena);
	tear_down_documents();
}

static inline cJSON *parse(const char *text)
{
	cJSON *spec = NULL;

	lcowmig__oci_parse(&limits, text, strlen(text), &spec, &error);
	ck_assert_msg(spec != NULL, "%s: %s", text, error.message);
	return spec;
}

static inline void expect_json(const cJSON *tree, const char *expected)
{
	char *text = lcowmig__json_print(&mem, tree);

	ck_assert_str_eq(text, expected);
	lcowmig__free(&mem, text);
}

/* Repeats `call`, which yields a status, with each allocation failing until it succeeds. */
#define EXPECT_MEMORY_SAFE(call)                                                                                                           \
	do {                                                                                                                               \
		lcowmig_status safe_status = LCOWMIG_E_NO_MEMORY;                                                                          \
		int safe_i;                                                                                                                \
		for (safe_i = 1; safe_status; safe_i++) {                                                                                  \
			fail_at = safe_i;                                                                                                  \
			safe_status = (call);                                                                                              \
			ck_assert(safe_status == LCOWMIG_OK || safe_status == LCOWMIG_E_NO_MEMORY);                                        \
		}                                                                                                                          \
		fail_at = 0;                                                                                                               \
	} while (0)

/* The same with little room in the arena, until it is enough: so that each piece from it is missing once. */
#define EXPECT_ROOM_SAFE(call)                                                                                                             \
	do {                                                                                                                               \
		lcowmig_status room_status = LCOWMIG_E_NO_MEMORY;                                                                          \
		size_t room = 0;                                                                                                           \
		for (; room_status; room += sizeof(max_align_t)) {                                                                         \
			lcowmig__arena_done(&arena);                                                                                       \
			ck_assert_ptr_nonnull(lcowmig__arena_alloc(&arena, 1));                                                            \
			arena.used = arena.capacity - room;                                                                                \
			has_no_blocks = true;                                                                                              \
			room_status = (call);                                                                                              \
			has_no_blocks = false;                                                                                             \
			ck_assert(room_status == LCOWMIG_OK || room_status == LCOWMIG_E_NO_MEMORY);                                        \
		}                                                                                                                          \
		ck_assert_uint_gt(room, 2 * sizeof(max_align_t));                                                                          \
	} while (0)

/* The same for what gives a text. */
#define EXPECT_TEXT(expression, expected)                                                                                                  \
	do {                                                                                                                               \
		int text_i;                                                                                                                \
		char *text_got = NULL;                                                                                                     \
		for (text_i = 1; !text_got; text_i++) {                                                                                    \
			ck_assert_int_lt(text_i, 300);                                                                                     \
			fail_at = text_i;                                                                                                  \
			text_got = (expression);                                                                                           \
		}                                                                                                                          \
		fail_at = 0;                                                                                                               \
		ck_assert_str_eq(text_got, expected);                                                                                      \
		lcowmig__free(&mem, text_got);                                                                                             \
	} while (0)

#endif
