/*
 * The memory of a context: the host's allocator, and while it is open, few large chunks of it for many small pieces.
 *
 * An import opens it, makes thousands of pieces that live as long as the sandbox, and closes it. Nobody needs to know: a piece is freed like
 * any other memory, in any order, from any thread. A chunk counts its live pieces and goes back to the host with the last of them. A
 * pointer is known as a piece by its address, so neither pieces nor other memory carry a header.
 *
 * Texts are chunks of another kind: what was decoded, packed, never written again. A copy of such a text (lcowmig__strdup and its like) is
 * the text itself and counts as one more piece: nobody who copies or frees it needs to know that either.
 */
#ifndef LCOWMIG__HEAP_H
#define LCOWMIG__HEAP_H

#include <stdatomic.h>

#include "alloc.h"
#include "platform.h"
#include "tree.h"

struct lcowmig__heap_chunk;

typedef struct lcowmig__heap {
	lcowmig__mem host;
	lcowmig__lock lock; /* for what follows; nothing else is taken under it */
	lcowmig__tree chunks;
	struct lcowmig__heap_chunk *newest; /* pieces come from here; NULL: none yet */
	size_t chunk_size;
	size_t expected; /* of what is yet to come */
	bool is_plain; /* never open, no text shared: for tests that let each allocation fail, or watch each free */
	atomic_bool is_open;
	atomic_size_t n_chunks;
} lcowmig__heap;

/* `heap` must stay where it is. */
void lcowmig__heap_init(lcowmig__heap *heap, const lcowmig__mem *host);
/* Everything has been freed. */
void lcowmig__heap_done(lcowmig__heap *heap);
lcowmig__mem lcowmig__heap_mem(lcowmig__heap *heap);
/*
 * From now on small pieces come from chunks of `chunk_size` bytes; what goes beyond the `expected` bytes, from smaller ones. Allocates nothing
 * yet.
 */
void lcowmig__heap_open(lcowmig__heap *heap, size_t chunk_size, size_t expected);
/* From now on memory comes from the host again. */
void lcowmig__heap_close(lcowmig__heap *heap);

typedef struct lcowmig__texts {
	lcowmig__heap *heap;
	struct lcowmig__heap_chunk *newest;
	size_t expected;
} lcowmig__texts;

/* For texts out of `expected` bytes. Allocates nothing yet. */
void lcowmig__texts_init(lcowmig__texts *texts, lcowmig__heap *heap, size_t expected);
/* A copy with a NUL behind it, which lives until lcowmig__texts_done and as long as there is a copy of it. NULL when memory is out. */
void *lcowmig__texts_add(lcowmig__texts *texts, const void *data, size_t size);
void lcowmig__texts_done(lcowmig__texts *texts);

#endif
