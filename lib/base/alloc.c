#include "alloc.h"

#include <stdint.h>
#include <string.h>

void *lcowmig__alloc(const lcowmig__mem *mem, size_t size)
{
	void *pointer = mem->allocate(mem->user, size ? size : 1);

	if (pointer)
		memset(pointer, 0, size ? size : 1);
	return pointer;
}

void *lcowmig__alloc_array(const lcowmig__mem *mem, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return NULL;
	return lcowmig__alloc(mem, count * size);
}

void lcowmig__free(const lcowmig__mem *mem, void *pointer)
{
	if (pointer)
		mem->release(mem->user, pointer);
}

char *lcowmig__strdup(const lcowmig__mem *mem, const char *text)
{
	return text ? lcowmig__strndup(mem, text, strlen(text)) : NULL;
}

char *lcowmig__strndup(const lcowmig__mem *mem, const char *text, size_t size)
{
	return lcowmig__memdup(mem, text, size);
}

void *lcowmig__memdup(const lcowmig__mem *mem, const void *data, size_t size)
{
	char *copy = mem->share ? mem->share(mem->user, data, size) : NULL;

	if (copy || size == SIZE_MAX)
		return copy;
	copy = mem->allocate(mem->user, size + 1);
	if (!copy)
		return NULL;
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}
