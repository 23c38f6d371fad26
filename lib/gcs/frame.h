/*
 * Frames of the guest bridge: 16 bytes little endian (type, size of the whole, id), then one JSON object.
 * The type word is kind (4 bits), category (8), message (12), version (8).
 */
#ifndef LCOWMIG__FRAME_H
#define LCOWMIG__FRAME_H

#include <stddef.h>
#include <stdint.h>

#define LCOWMIG__FRAME_HEADER 16u

#define LCOWMIG__FRAME_KIND 0xF0000000u
#define LCOWMIG__FRAME_REQUEST 0x10000000u
#define LCOWMIG__FRAME_RESPONSE 0x20000000u
#define LCOWMIG__FRAME_NOTIFICATION 0x30000000u

typedef struct lcowmig__frame {
	uint32_t type;
	uint32_t size; /* header included */
	uint64_t id;
} lcowmig__frame;

void lcowmig__frame_write(uint8_t *bytes, const lcowmig__frame *frame);
lcowmig__frame lcowmig__frame_read(const uint8_t *bytes);
/* "WaitForProcess" for a request, answer or notification; "message" when it has no name here. */
const char *lcowmig__frame_name(uint32_t type);

#endif
