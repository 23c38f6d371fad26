/* What the programs about documents share: memory that can be made to fail, and small limits. */
#ifndef TEST_DOCUMENTS_FIXTURE_H
#define TEST_DOCUMENTS_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "hcs/documents.h"

/* One counter for the library's allocations and for cJSON's, so that each can be made to fail. */
static int fail_at; /* counts down; 0: never */
static int out;

static inline void *count_malloc(size_t size)
{
	void *pointer;

	if (fail_at && --fail_at == 0)
		return NULL;
	pointer = malloc(size);
	out += pointer != NULL;
	return pointer;
}

static inline void count_free(void *pointer)
{
	out -= pointer != NULL;
	free(pointer);
}

static bool has_no_blocks; /* for the arena; cJSON's memory is not meant */

static inline void *mem_allocate(void *user, size_t size)
{
	(void)user;
	return has_no_blocks ? NULL : count_malloc(size);
}

static inline void mem_release(void *user, void *pointer)
{
	(void)user;
	count_free(pointer);
}

static const lcowmig__mem mem = { mem_allocate, mem_release, NULL };
static lcowmig_limits limits;

static inline void set_up_documents(void)
{
	cJSON_Hooks hooks = { count_malloc, count_free };

	cJSON_InitHooks(&hooks);
	fail_at = 0;
	out = 0;
	memset(&limits, 0, sizeof limits);
	limits.document_bytes = LCOWMIG_LIMIT_DOCUMENT_BYTES;
	limits.json_depth = LCOWMIG_LIMIT_JSON_DEPTH;
	limits.json_values = LCOWMIG_LIMIT_JSON_VALUES;
	limits.path_bytes = 64;
}

static inline void tear_down_documents(void)
{
	ck_assert_int_eq(out, 0);
	cJSON_InitHooks(NULL);
}

#endif
