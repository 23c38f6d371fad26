/*
 * Many small pieces that live and die together, in few allocations. Nothing is freed singly. Memory is zeroed and aligned for pointers, 64-bit
 * numbers and what consists of them.
 * Also a mem: lcowmig__arena_mem() lets code written for lcowmig__alloc/lcowmig__free run on an arena (its frees do nothing).
 */
#ifndef LCOWMIG__ARENA_H
#define LCOWMIG__ARENA_H

#include <stdbool.h>

#include "alloc.h"

struct lcowmig__texts;

typedef struct lcowmig__arena {
	const lcowmig__mem *mem;
	struct lcowmig__arena_block *blocks;
	size_t used;     /* in the newest block */
	size_t capacity; /* of the newest block */
	size_t total;    /* of all blocks */
	bool is_hinted;
	struct lcowmig__texts *texts; /* where lcowmig__arena_strndup puts its copies; NULL: in the arena */
	lcowmig__mem self;
} lcowmig__arena;

/*
 * `hint` sizes the first block, and each later one is half of what there is by then; 0: a small default, and later blocks double.
 * Allocates nothing yet.
 */
void lcowmig__arena_init(lcowmig__arena *arena, const lcowmig__mem *mem, size_t hint);
void lcowmig__arena_done(lcowmig__arena *arena);
void *lcowmig__arena_alloc(lcowmig__arena *arena, size_t size);
char *lcowmig__arena_strndup(lcowmig__arena *arena, const char *text, size_t size);
const lcowmig__mem *lcowmig__arena_mem(lcowmig__arena *arena);

#endif
