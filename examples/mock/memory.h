/*
 * Guest memory: pages, which of them were ever written, and which since the last time somebody asked. Whoever writes takes the address
 * from mock_memory_edit, which marks the pages; so a page that is forgotten in a transfer shows in the checksum.
 */
#ifndef MOCK_MEMORY_H
#define MOCK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOCK_PAGE_SIZE 4096u

typedef struct mock_memory mock_memory;

mock_memory *mock_memory_new(uint64_t size_mb);
void mock_memory_free(mock_memory *memory);

uint64_t mock_memory_size(const mock_memory *memory);
uint32_t mock_memory_pages(const mock_memory *memory);

/* Ends the program when the range is not inside: only a defect of the mock can ask for that. */
const void *mock_memory_view(const mock_memory *memory, uint64_t offset, size_t size);
void *mock_memory_edit(mock_memory *memory, uint64_t offset, size_t size);

/* Marks every page that was ever written as dirty: the first pass sends all of them. */
void mock_memory_mark_all(mock_memory *memory);
uint32_t mock_memory_n_dirty(const mock_memory *memory);
/* Takes the first dirty page at or after `from`, and clears its mark. False when there is none. */
bool mock_memory_take_dirty(mock_memory *memory, uint32_t from, uint32_t *ret_page);
/* A page that has come over the wire; false when there is no such page. */
bool mock_memory_receive(mock_memory *memory, uint32_t page, const void *bytes);

/* Over all pages that are not zero, with their numbers. */
uint64_t mock_memory_checksum(const mock_memory *memory);

#endif
