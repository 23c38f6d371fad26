/* Standard base64 with padding, as Go writes []byte. */
#ifndef LCOWMIG__BASE64_H
#define LCOWMIG__BASE64_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

void lcowmig__base64_encode(lcowmig__buf *buf, const uint8_t *data, size_t size);
/* CR and LF inside are skipped; anything else outside the alphabet, or wrong padding, is false. Memory: see buf->failed. */
bool lcowmig__base64_decode(lcowmig__buf *buf, const char *text, size_t size);

#endif
