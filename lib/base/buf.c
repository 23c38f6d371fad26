#include "buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void lcowmig__buf_init(lcowmig__buf *buf, const lcowmig__mem *mem)
{
	memset(buf, 0, sizeof *buf);
	buf->mem = mem;
}

void lcowmig__buf_done(lcowmig__buf *buf)
{
	lcowmig__free(buf->mem, buf->data);
	lcowmig__buf_init(buf, buf->mem);
}

void lcowmig__buf_clear(lcowmig__buf *buf)
{
	buf->size = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

void *lcowmig__buf_reserve(lcowmig__buf *buf, size_t size)
{
	size_t capacity;
	char *data;

	if (buf->failed)
		return NULL;
	if (size >= SIZE_MAX / 2 - buf->size) {
		buf->failed = true;
		return NULL;
	}
	if (buf->capacity - buf->size > size) /* strictly: one byte stays for the NUL */
		return buf->data + buf->size;
	capacity = buf->capacity ? buf->capacity * 2 : 64;
	while (capacity - buf->size <= size)
		capacity *= 2;
	data = buf->mem->allocate(buf->mem->user, capacity);
	if (!data) {
		buf->failed = true;
		return NULL;
	}
	if (buf->size)
		memcpy(data, buf->data, buf->size);
	data[buf->size] = '\0';
	lcowmig__free(buf->mem, buf->data);
	buf->data = data;
	buf->capacity = capacity;
	return data + buf->size;
}

void lcowmig__buf_append(lcowmig__buf *buf, const void *data, size_t size)
{
	void *place = lcowmig__buf_reserve(buf, size);

	if (!place)
		return;
	if (size)
		memcpy(place, data, size);
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void lcowmig__buf_text(lcowmig__buf *buf, const char *text)
{
	lcowmig__buf_append(buf, text, strlen(text));
}

void lcowmig__buf_printf(lcowmig__buf *buf, const char *format, ...)
{
	va_list arguments;
	char *place;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0) {
		buf->failed = true;
		return;
	}
	place = lcowmig__buf_reserve(buf, (size_t)length);
	if (!place)
		return;
	va_start(arguments, format);
	vsnprintf(place, (size_t)length + 1, format, arguments);
	va_end(arguments);
	buf->size += (size_t)length;
}

char *lcowmig__buf_take(lcowmig__buf *buf)
{
	char *data = NULL;

	if (!buf->failed && lcowmig__buf_reserve(buf, 0)) {
		data = buf->data;
		buf->data = NULL;
	}
	lcowmig__buf_done(buf);
	return data;
}
