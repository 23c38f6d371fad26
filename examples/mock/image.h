/*
 * A heap inside guest memory. Everything the mock guest knows lies there and refers to each other by offset, so that moving the pages
 * moves the guest. Offset 0 is "none".
 */
#ifndef MOCK_IMAGE_H
#define MOCK_IMAGE_H

#include "memory.h"

/* The guest's first record has a fixed place. */
#define MOCK_IMAGE_ROOT UINT64_C(4096)
#define MOCK_IMAGE_ROOT_SIZE 4096u

/* Makes an empty heap; true of a memory that has one. */
void mock_image_format(mock_memory *memory);
bool mock_image_is_formatted(const mock_memory *memory);

/* Zeroed memory inside the image, or 0 when it is full. */
uint64_t mock_image_alloc(mock_memory *memory, size_t size);
void mock_image_free(mock_memory *memory, uint64_t offset);
/* A copy of a text (NULL counts as ""), or 0. */
uint64_t mock_image_text(mock_memory *memory, const char *text);
/* The text at an offset; "" at 0. */
const char *mock_image_get_text(const mock_memory *memory, uint64_t offset);

#define MOCK_VIEW(memory, type, offset) ((const type *)mock_memory_view((memory), (offset), sizeof(type)))
#define MOCK_EDIT(memory, type, offset) ((type *)mock_memory_edit((memory), (offset), sizeof(type)))

#endif
