/*
 * All memory of the library comes through here, from the allocator that the context was given.
 * Memory from lcowmig__alloc is zeroed. Freeing NULL does nothing.
 */
#ifndef LCOWMIG__ALLOC_H
#define LCOWMIG__ALLOC_H

#include <stddef.h>

typedef struct lcowmig__mem {
	void *(*allocate)(void *user, size_t size);
	void (*release)(void *user, void *pointer);
	void *user;
	/* Counts `data` (with the NUL behind it) as allocated once more and returns it, where that can be done; else NULL. May be NULL. */
	void *(*share)(void *user, const void *data, size_t size);
} lcowmig__mem;

void *lcowmig__alloc(const lcowmig__mem *mem, size_t size);
/* count * size, NULL when that overflows. */
void *lcowmig__alloc_array(const lcowmig__mem *mem, size_t count, size_t size);
void lcowmig__free(const lcowmig__mem *mem, void *pointer);
/* A NUL-terminated copy, which must not be written to: it may be the original. lcowmig__strdup(NULL) is NULL. */
char *lcowmig__strdup(const lcowmig__mem *mem, const char *text);
char *lcowmig__strndup(const lcowmig__mem *mem, const char *text, size_t size);
/* The same of `size` bytes and a NUL behind them; never NULL for size 0 unless memory is out. */
void *lcowmig__memdup(const lcowmig__mem *mem, const void *data, size_t size);

#endif
