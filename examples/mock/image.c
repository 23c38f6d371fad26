/* A heap of power-of-two blocks inside guest memory; see image.h. */
#include "image.h"

#include <string.h>

#define IMAGE_MAGIC UINT64_C(0x316567616d696c63)
#define IMAGE_CLASSES 24u
#define IMAGE_SMALLEST 64u

struct image_header { /* at offset 0 */
	uint64_t magic;
	uint64_t end; /* where the heap grows */
	uint64_t free_blocks[IMAGE_CLASSES];
};

struct image_block {   /* in front of each block */
	uint64_t next; /* free block of the same class */
	uint64_t size_class;
};

void mock_image_format(mock_memory *memory)
{
	struct image_header *header = MOCK_EDIT(memory, struct image_header, 0);

	memset(header, 0, sizeof *header);
	header->magic = IMAGE_MAGIC;
	header->end = MOCK_IMAGE_ROOT + MOCK_IMAGE_ROOT_SIZE;
}

bool mock_image_is_formatted(const mock_memory *memory)
{
	return MOCK_VIEW(memory, struct image_header, 0)->magic == IMAGE_MAGIC;
}

uint64_t mock_image_alloc(mock_memory *memory, size_t size)
{
	struct image_header *header = MOCK_EDIT(memory, struct image_header, 0);
	size_t block_size = IMAGE_SMALLEST;
	uint32_t size_class = 0;
	uint64_t block;

	while (block_size < size + sizeof(struct image_block)) {
		block_size *= 2;
		if (++size_class == IMAGE_CLASSES)
			return 0;
	}
	block = header->free_blocks[size_class];
	if (block) {
		header->free_blocks[size_class] = MOCK_VIEW(memory, struct image_block, block)->next;
	} else {
		if (mock_memory_size(memory) - header->end < block_size)
			return 0;
		block = header->end;
		header->end += block_size;
	}
	*MOCK_EDIT(memory, struct image_block, block) = (struct image_block){ .size_class = size_class };
	memset(mock_memory_edit(memory, block + sizeof(struct image_block), size), 0, size);
	return block + sizeof(struct image_block);
}

void mock_image_free(mock_memory *memory, uint64_t offset)
{
	struct image_header *header = MOCK_EDIT(memory, struct image_header, 0);
	struct image_block *block;

	if (!offset)
		return;
	block = MOCK_EDIT(memory, struct image_block, offset - sizeof *block);
	block->next = header->free_blocks[block->size_class];
	header->free_blocks[block->size_class] = offset - sizeof *block;
}

uint64_t mock_image_text(mock_memory *memory, const char *text)
{
	size_t size = strlen(text ? text : "") + 1;
	uint64_t offset = mock_image_alloc(memory, size);

	if (offset)
		memcpy(mock_memory_edit(memory, offset, size), text ? text : "", size);
	return offset;
}

const char *mock_image_get_text(const mock_memory *memory, uint64_t offset)
{
	return offset ? mock_memory_view(memory, offset, 1) : "";
}
