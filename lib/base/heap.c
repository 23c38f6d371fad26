#include "heap.h"

#include <string.h>

/* What pieces are aligned for: the library has nothing stricter, and a max_align_t would cost twice the room between them. */
typedef union heap_word {
	void *pointer;
	void (*function)(void);
	uint64_t number;
	double real;
} heap_word;

/* Under AddressSanitizer every piece has a poisoned zone before it, and is poisoned when it is freed. */
#if defined(__SANITIZE_ADDRESS__)
#define HEAP_HAS_ZONES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEAP_HAS_ZONES 1
#endif
#endif

#if defined(HEAP_HAS_ZONES)
#include <sanitizer/asan_interface.h>
#define HEAP_ZONE (4 * sizeof(heap_word))
#else
#define HEAP_ZONE 0u
#endif

/* Larger pieces than this part of a chunk come from the host, so that little is left over at a chunk's end. */
#define HEAP_LARGE_PART 6
/* Texts are about half of an envelope; what is more comes in smaller blocks. */
#define TEXTS_FIRST_PART 2
#define TEXTS_NEXT_PART 8
#define TEXTS_BLOCK_MIN 256u

struct lcowmig__heap_chunk {
	lcowmig__node node; /* by address */
	size_t capacity;
	size_t used;
	size_t last; /* where the latest piece begins; equal to used when that has been freed */
	size_t live; /* pieces */
	bool has_texts;
	struct lcowmig__heap_chunk *previous; /* of the same texts */
	heap_word data[];
};

static char *chunk_data(struct lcowmig__heap_chunk *chunk)
{
	return (char *)chunk->data;
}

static int chunk_compare(const void *key, const lcowmig__node *node)
{
	const struct lcowmig__heap_chunk *chunk = LCOWMIG__TREE_ENTRY(node, const struct lcowmig__heap_chunk, node);
	uintptr_t begin = (uintptr_t)chunk->data;
	uintptr_t place = (uintptr_t)key;

	return place < begin ? -1 : place - begin >= chunk->capacity;
}

static size_t piece_size(size_t size)
{
	return (size + HEAP_ZONE + sizeof(heap_word) - 1) & ~(sizeof(heap_word) - 1);
}

#if defined(HEAP_HAS_ZONES)
static void *piece_open(char *piece, size_t size)
{
	ASAN_UNPOISON_MEMORY_REGION(piece, sizeof size);
	memcpy(piece, &size, sizeof size);
	ASAN_POISON_MEMORY_REGION(piece, HEAP_ZONE);
	ASAN_UNPOISON_MEMORY_REGION(piece + HEAP_ZONE, size);
	return piece + HEAP_ZONE;
}

/* Also stops the program when it is freed already. */
static char *piece_close(char *pointer)
{
	char *piece = pointer - HEAP_ZONE;
	volatile char alive = *pointer;
	size_t size;

	(void)alive;
	ASAN_UNPOISON_MEMORY_REGION(piece, sizeof size);
	memcpy(&size, piece, sizeof size);
	ASAN_POISON_MEMORY_REGION(piece, HEAP_ZONE + size);
	return piece;
}

static void chunk_hide(struct lcowmig__heap_chunk *chunk, bool is_hidden)
{
	if (is_hidden)
		ASAN_POISON_MEMORY_REGION(chunk->data, chunk->capacity);
	else
		ASAN_UNPOISON_MEMORY_REGION(chunk->data, chunk->capacity);
}
#else
static void *piece_open(char *piece, size_t size)
{
	(void)size;
	return piece;
}

static char *piece_close(char *pointer)
{
	return pointer;
}

static void chunk_hide(struct lcowmig__heap_chunk *chunk, bool is_hidden)
{
	(void)chunk;
	(void)is_hidden;
}
#endif

static struct lcowmig__heap_chunk *chunk_new(lcowmig__heap *heap, size_t capacity)
{
	size_t size = offsetof(struct lcowmig__heap_chunk, data) + capacity;
	struct lcowmig__heap_chunk *chunk = size > capacity ? heap->host.allocate(heap->host.user, size) : NULL;

	if (!chunk)
		return NULL;
	memset(chunk, 0, offsetof(struct lcowmig__heap_chunk, data));
	chunk->capacity = capacity;
	chunk_hide(chunk, true);
	lcowmig__tree_insert(&heap->chunks, chunk->data, &chunk->node);
	atomic_fetch_add(&heap->n_chunks, 1);
	return chunk;
}

static void chunk_free(lcowmig__heap *heap, struct lcowmig__heap_chunk *chunk)
{
	lcowmig__tree_remove(&heap->chunks, &chunk->node);
	atomic_fetch_sub(&heap->n_chunks, 1);
	chunk_hide(chunk, false);
	heap->host.release(heap->host.user, chunk);
}

/* A chunk that is no longer filled goes with its last piece; the one before the newest may have been emptied while it was. */
static void heap_retire(lcowmig__heap *heap)
{
	struct lcowmig__heap_chunk *chunk = heap->newest;

	heap->newest = NULL;
	if (chunk && !chunk->live)
		chunk_free(heap, chunk);
}

/* The next chunk: no larger than what is expected, while that can hold any piece. NULL when memory is out. */
static struct lcowmig__heap_chunk *heap_extend(lcowmig__heap *heap)
{
	size_t least = piece_size(heap->chunk_size / HEAP_LARGE_PART);
	size_t capacity = heap->chunk_size < heap->expected ? heap->chunk_size : heap->expected;

	heap->expected -= capacity;
	return chunk_new(heap, capacity < least ? least : capacity);
}

/* NULL when memory is out. */
static void *heap_take_piece(lcowmig__heap *heap, size_t size)
{
	struct lcowmig__heap_chunk *chunk = heap->newest;
	size_t taken = piece_size(size);

	if (!chunk || chunk->capacity - chunk->used < taken) {
		chunk = heap_extend(heap);
		if (!chunk)
			return NULL;
		heap_retire(heap);
		heap->newest = chunk;
	}
	chunk->last = chunk->used;
	chunk->used += taken;
	chunk->live++;
	return piece_open(chunk_data(chunk) + chunk->last, size);
}

static void *heap_allocate(void *user, size_t size)
{
	lcowmig__heap *heap = user;
	void *piece = NULL;
	bool is_small = false;

	if (atomic_load_explicit(&heap->is_open, memory_order_relaxed)) {
		lcowmig__lock_take(&heap->lock);
		is_small = heap->chunk_size && size <= heap->chunk_size / HEAP_LARGE_PART;
		if (is_small)
			piece = heap_take_piece(heap, size);
		lcowmig__lock_drop(&heap->lock);
	}
	return is_small ? piece : heap->host.allocate(heap->host.user, size);
}

static void heap_free_piece(lcowmig__heap *heap, struct lcowmig__heap_chunk *chunk, char *pointer)
{
	size_t place;

	if (!chunk->has_texts) {
		place = (size_t)(piece_close(pointer) - chunk_data(chunk));
		if (place == chunk->last)
			chunk->used = place; /* what is freed at once takes no room */
	}
	if (--chunk->live)
		return;
	chunk->used = chunk->last = 0;
	if (chunk != heap->newest)
		chunk_free(heap, chunk);
}

static struct lcowmig__heap_chunk *heap_find(lcowmig__heap *heap, const void *pointer)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&heap->chunks, pointer), struct lcowmig__heap_chunk, node);
}

/*
 * Whoever frees a piece has seen it made, and so has seen the number of chunks rise: nobody who has a piece reads zero here.
 */
static void heap_release(void *user, void *pointer)
{
	lcowmig__heap *heap = user;
	struct lcowmig__heap_chunk *chunk = NULL;

	if (atomic_load_explicit(&heap->n_chunks, memory_order_relaxed)) {
		lcowmig__lock_take(&heap->lock);
		chunk = heap_find(heap, pointer);
		if (chunk)
			heap_free_piece(heap, chunk, pointer);
		lcowmig__lock_drop(&heap->lock);
	}
	if (!chunk)
		heap->host.release(heap->host.user, pointer);
}

/* A part of a text may be wanted: only what ends as a copy of it would is shared. */
static bool texts_has(const struct lcowmig__heap_chunk *chunk, const char *data, size_t size)
{
	size_t place = (size_t)(data - (const char *)chunk->data);

	return chunk->has_texts && size < chunk->used - place && !data[size];
}

static void *heap_share(void *user, const void *data, size_t size)
{
	lcowmig__heap *heap = user;
	struct lcowmig__heap_chunk *chunk;

	if (heap->is_plain || !atomic_load_explicit(&heap->n_chunks, memory_order_relaxed))
		return NULL;
	lcowmig__lock_take(&heap->lock);
	chunk = heap_find(heap, data);
	if (chunk && texts_has(chunk, data, size))
		chunk->live++;
	else
		chunk = NULL;
	lcowmig__lock_drop(&heap->lock);
	return chunk ? (void *)(uintptr_t)data : NULL;
}

static struct lcowmig__heap_chunk *texts_block(lcowmig__texts *texts, size_t size)
{
	size_t capacity = texts->expected / (texts->newest ? TEXTS_NEXT_PART : TEXTS_FIRST_PART);
	lcowmig__heap *heap = texts->heap;
	struct lcowmig__heap_chunk *block;

	if (capacity < TEXTS_BLOCK_MIN)
		capacity = TEXTS_BLOCK_MIN;
	lcowmig__lock_take(&heap->lock);
	block = chunk_new(heap, capacity < size ? size : capacity);
	lcowmig__lock_drop(&heap->lock);
	if (!block)
		return NULL;
	chunk_hide(block, false);
	block->has_texts = true;
	block->live = 1; /* until lcowmig__texts_done */
	block->previous = texts->newest;
	texts->newest = block;
	return block;
}

void lcowmig__texts_init(lcowmig__texts *texts, lcowmig__heap *heap, size_t expected)
{
	texts->heap = heap;
	texts->newest = NULL;
	texts->expected = expected;
}

void *lcowmig__texts_add(lcowmig__texts *texts, const void *data, size_t size)
{
	struct lcowmig__heap_chunk *block = texts->newest;
	char *text;

	if (size == SIZE_MAX)
		return NULL;
	if (!block || block->capacity - block->used <= size)
		block = texts_block(texts, size + 1);
	if (!block)
		return NULL;
	text = chunk_data(block) + block->used;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	block->used += size + 1;
	return text;
}

void lcowmig__texts_done(lcowmig__texts *texts)
{
	while (texts->newest) {
		struct lcowmig__heap_chunk *block = texts->newest;

		texts->newest = block->previous;
		heap_release(texts->heap, block->data);
	}
}

void lcowmig__heap_init(lcowmig__heap *heap, const lcowmig__mem *host)
{
	memset(heap, 0, sizeof *heap);
	heap->host = *host;
	lcowmig__lock_init(&heap->lock);
	lcowmig__tree_init(&heap->chunks, chunk_compare);
	atomic_init(&heap->is_open, false);
	atomic_init(&heap->n_chunks, 0);
}

void lcowmig__heap_done(lcowmig__heap *heap)
{
	lcowmig__heap_close(heap);
	lcowmig__lock_done(&heap->lock);
}

lcowmig__mem lcowmig__heap_mem(lcowmig__heap *heap)
{
	return (lcowmig__mem){ heap_allocate, heap_release, heap, heap_share };
}

void lcowmig__heap_open(lcowmig__heap *heap, size_t chunk_size, size_t expected)
{
	lcowmig__lock_take(&heap->lock);
	heap->chunk_size = chunk_size & ~(sizeof(heap_word) - 1);
	heap->expected = expected;
	atomic_store(&heap->is_open, !heap->is_plain);
	lcowmig__lock_drop(&heap->lock);
}

void lcowmig__heap_close(lcowmig__heap *heap)
{
	lcowmig__lock_take(&heap->lock);
	atomic_store(&heap->is_open, false);
	heap->chunk_size = 0;
	heap_retire(heap);
	lcowmig__lock_drop(&heap->lock);
}
