/* Guest memory; see memory.h. */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

enum { PAGE_WRITTEN = 1, PAGE_DIRTY = 2 };

struct mock_memory {
	uint8_t *bytes;
	uint8_t *marks; /* one for each page */
	uint32_t n_pages;
	uint32_t n_dirty;
};

mock_memory *mock_memory_new(uint64_t size_mb)
{
	mock_memory *memory = mock_alloc(sizeof *memory);

	memory->n_pages = (uint32_t)(size_mb * 1024 * 1024 / MOCK_PAGE_SIZE);
	memory->bytes = calloc(memory->n_pages, MOCK_PAGE_SIZE);
	memory->marks = calloc(memory->n_pages, 1);
	if (!memory->bytes || !memory->marks) {
		mock_memory_free(memory);
		return NULL;
	}
	return memory;
}

void mock_memory_free(mock_memory *memory)
{
	if (!memory)
		return;
	free(memory->bytes);
	free(memory->marks);
	free(memory);
}

uint64_t mock_memory_size(const mock_memory *memory)
{
	return (uint64_t)memory->n_pages * MOCK_PAGE_SIZE;
}

uint32_t mock_memory_pages(const mock_memory *memory)
{
	return memory->n_pages;
}

const void *mock_memory_view(const mock_memory *memory, uint64_t offset, size_t size)
{
	if (offset > mock_memory_size(memory) || size > mock_memory_size(memory) - offset) {
		fprintf(stderr, "mock: guest memory has no bytes %llu to %llu\n", (unsigned long long)offset,
			(unsigned long long)(offset + size));
		abort();
	}
	return memory->bytes + offset;
}

static void memory_mark(mock_memory *memory, uint32_t page)
{
	if (!(memory->marks[page] & PAGE_DIRTY))
		memory->n_dirty++;
	memory->marks[page] |= PAGE_WRITTEN | PAGE_DIRTY;
}

void *mock_memory_edit(mock_memory *memory, uint64_t offset, size_t size)
{
	mock_memory_view(memory, offset, size);
	for (uint64_t page = offset / MOCK_PAGE_SIZE; size > 0 && page <= (offset + size - 1) / MOCK_PAGE_SIZE; page++)
		memory_mark(memory, (uint32_t)page);
	return memory->bytes + offset;
}

void mock_memory_mark_all(mock_memory *memory)
{
	for (uint32_t page = 0; page < memory->n_pages; page++) {
		if (memory->marks[page] & PAGE_WRITTEN)
			memory_mark(memory, page);
	}
}

uint32_t mock_memory_n_dirty(const mock_memory *memory)
{
	return memory->n_dirty;
}

bool mock_memory_take_dirty(mock_memory *memory, uint32_t from, uint32_t *ret_page)
{
	for (uint32_t page = from; page < memory->n_pages && memory->n_dirty > 0; page++) {
		if (memory->marks[page] & PAGE_DIRTY) {
			memory->marks[page] &= (uint8_t)~PAGE_DIRTY;
			memory->n_dirty--;
			*ret_page = page;
			return true;
		}
	}
	return false;
}

bool mock_memory_receive(mock_memory *memory, uint32_t page, const void *bytes)
{
	if (page >= memory->n_pages)
		return false;
	memory->marks[page] |= PAGE_WRITTEN;
	memcpy(memory->bytes + (uint64_t)page * MOCK_PAGE_SIZE, bytes, MOCK_PAGE_SIZE);
	return true;
}

/* Four sums side by side: it runs in the blackout, so it should not wait for its own multiplications. */
static uint64_t memory_sum_page(const uint8_t *bytes, uint32_t page)
{
	uint64_t sums[4] = { page, 1, 2, 3 };

	for (size_t i = 0; i < MOCK_PAGE_SIZE; i += 32) {
		for (unsigned lane = 0; lane < 4; lane++) {
			uint64_t word;

			memcpy(&word, bytes + i + 8 * lane, sizeof word);
			sums[lane] = (sums[lane] ^ word) * UINT64_C(0x9e3779b97f4a7c15);
			sums[lane] ^= sums[lane] >> 29;
		}
	}
	return (sums[0] * 3 + sums[1]) * 5 + (sums[2] * 7 + sums[3]);
}

uint64_t mock_memory_checksum(const mock_memory *memory)
{
	static const uint8_t zero[MOCK_PAGE_SIZE];
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (uint32_t page = 0; page < memory->n_pages; page++) {
		const uint8_t *bytes = memory->bytes + (uint64_t)page * MOCK_PAGE_SIZE;

		if ((memory->marks[page] & PAGE_WRITTEN) && memcmp(bytes, zero, sizeof zero) != 0)
			sum = (sum ^ memory_sum_page(bytes, page)) * UINT64_C(0x100000001b3);
	}
	return sum;
}
