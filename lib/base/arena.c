#include "arena.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "heap.h"

#define ARENA_DEFAULT_BLOCK 1024

typedef union arena_word {
	void *pointer;
	uint64_t number;
	double real;
} arena_word;

struct lcowmig__arena_block {
	struct lcowmig__arena_block *next;
	arena_word data[];
};

static void *arena_allocate(void *user, size_t size)
{
	return lcowmig__arena_alloc(user, size);
}

static void arena_release(void *user, void *pointer)
{
	(void)user;
	(void)pointer;
}

void lcowmig__arena_init(lcowmig__arena *arena, const lcowmig__mem *mem, size_t hint)
{
	memset(arena, 0, sizeof *arena);
	arena->mem = mem;
	arena->capacity = hint ? hint : ARENA_DEFAULT_BLOCK;
	arena->is_hinted = hint != 0;
	arena->used = arena->capacity; /* full, so that the first piece makes the first block */
	arena->self.allocate = arena_allocate;
	arena->self.release = arena_release;
	arena->self.user = arena;
}

void lcowmig__arena_done(lcowmig__arena *arena)
{
	struct lcowmig__arena_block *block = arena->blocks;

	while (block) {
		struct lcowmig__arena_block *next = block->next;

		lcowmig__free(arena->mem, block);
		block = next;
	}
	lcowmig__arena_init(arena, arena->mem, 0);
}

void *lcowmig__arena_alloc(lcowmig__arena *arena, size_t size)
{
	struct lcowmig__arena_block *block = arena->blocks;
	size_t capacity = arena->capacity;
	void *piece;

	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + sizeof(arena_word) - 1) & ~(sizeof(arena_word) - 1);
	if (size > arena->capacity - arena->used || !block) {
		if (block)
			capacity = arena->is_hinted ? arena->total / 2 : capacity * 2;
		if (block && capacity < ARENA_DEFAULT_BLOCK)
			capacity = ARENA_DEFAULT_BLOCK;
		if (capacity < size)
			capacity = size;
		block = arena->mem->allocate(arena->mem->user, offsetof(struct lcowmig__arena_block, data) + capacity);
		if (!block)
			return NULL;
		block->next = arena->blocks;
		arena->blocks = block;
		arena->capacity = capacity;
		arena->total += capacity;
		arena->used = 0;
	}
	piece = (char *)block->data + arena->used;
	arena->used += size;
	return memset(piece, 0, size);
}

char *lcowmig__arena_strndup(lcowmig__arena *arena, const char *text, size_t size)
{
	char *copy;

	if (arena->texts)
		return lcowmig__texts_add(arena->texts, text, size);
	if (size == SIZE_MAX)
		return NULL;
	copy = lcowmig__arena_alloc(arena, size + 1);
	if (copy && size)
		memcpy(copy, text, size);
	return copy;
}

const lcowmig__mem *lcowmig__arena_mem(lcowmig__arena *arena)
{
	arena->self.user = arena; /* the arena may have been moved since it was initialised */
	return &arena->self;
}
