#include "heap.h"

#include <string.h>

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
#define HEAP_ZONE (2 * sizeof(max_align_t))
#else
#define HEAP_ZONE 0u
#endif

/* Larger pieces than this part of a chunk come from the host, so that little is left over at a chunk's end. */
#define HEAP_LARGE_PART 8

struct lcowmig__heap_chunk {
	lcowmig__node node; /* by address */
	size_t capacity;
	size_t used;
	size_t last; /* where the latest piece begins; equal to used when that has been freed */
	size_t live; /* pieces */
	max_align_t data[];
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
	return (size + HEAP_ZONE + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
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

static struct lcowmig__heap_chunk *chunk_new(lcowmig__heap *heap)
{
	size_t size = offsetof(struct lcowmig__heap_chunk, data) + heap->chunk_size;
	struct lcowmig__heap_chunk *chunk = heap->host.allocate(heap->host.user, size);

	if (!chunk)
		return NULL;
	memset(chunk, 0, offsetof(struct lcowmig__heap_chunk, data));
	chunk->capacity = heap->chunk_size;
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

/* NULL when memory is out. */
static void *heap_take_piece(lcowmig__heap *heap, size_t size)
{
	struct lcowmig__heap_chunk *chunk = heap->newest;
	size_t taken = piece_size(size);

	if (!chunk || chunk->capacity - chunk->used < taken) {
		chunk = chunk_new(heap);
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
	size_t place = (size_t)(piece_close(pointer) - chunk_data(chunk));

	chunk->live--;
	if (place == chunk->last)
		chunk->used = place; /* what is freed at once takes no room */
	if (chunk->live)
		return;
	chunk->used = chunk->last = 0;
	if (chunk != heap->newest)
		chunk_free(heap, chunk);
}

/*
 * Whoever frees a piece has seen it made, and so has seen the number of chunks rise: nobody who has a piece reads zero here.
 */
static void heap_release(void *user, void *pointer)
{
	lcowmig__heap *heap = user;
	lcowmig__node *node = NULL;

	if (atomic_load_explicit(&heap->n_chunks, memory_order_relaxed)) {
		lcowmig__lock_take(&heap->lock);
		node = lcowmig__tree_find(&heap->chunks, pointer);
		if (node)
			heap_free_piece(heap, LCOWMIG__TREE_ENTRY(node, struct lcowmig__heap_chunk, node), pointer);
		lcowmig__lock_drop(&heap->lock);
	}
	if (!node)
		heap->host.release(heap->host.user, pointer);
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
	return (lcowmig__mem){ heap_allocate, heap_release, heap };
}

void lcowmig__heap_open(lcowmig__heap *heap, size_t chunk_size)
{
	lcowmig__lock_take(&heap->lock);
	heap->chunk_size = chunk_size & ~(sizeof(max_align_t) - 1);
	atomic_store(&heap->is_open, true);
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
