/*
 * A growing byte buffer. Errors are sticky: append as often as you like, then ask once whether memory ran out.
 * `data` is NUL-terminated whenever it is not NULL, so a buffer of text can be used as a string.
 */
#ifndef LCOWMIG__BUF_H
#define LCOWMIG__BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "alloc.h"
#include "compiler.h"

typedef struct lcowmig__buf {
	const lcowmig__mem *mem;
	char *data;
	size_t size;
	size_t capacity;
	bool failed;
} lcowmig__buf;

void lcowmig__buf_init(lcowmig__buf *buf, const lcowmig__mem *mem);
void lcowmig__buf_done(lcowmig__buf *buf);
/* Forgets the content and the failure, keeps the memory. */
void lcowmig__buf_clear(lcowmig__buf *buf);
void lcowmig__buf_append(lcowmig__buf *buf, const void *data, size_t size);
void lcowmig__buf_text(lcowmig__buf *buf, const char *text);
void lcowmig__buf_printf(lcowmig__buf *buf, const char *format, ...) LCOWMIG__PRINTF(2, 3);
/* Makes room for `size` further bytes and returns where they go (not yet counted), or NULL. */
void *lcowmig__buf_reserve(lcowmig__buf *buf, size_t size);
/* Hands the memory over to the caller (lcowmig__free) and leaves the buffer empty; NULL when the buffer had failed. */
char *lcowmig__buf_take(lcowmig__buf *buf);

#endif
