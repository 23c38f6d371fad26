/* Steps through the fields of one encoded message. Nothing is copied: what a cursor yields points into the bytes it walks. */
#ifndef LCOWMIG__WIRE_CURSOR_H
#define LCOWMIG__WIRE_CURSOR_H

#include <pb_decode.h>
#include <stdbool.h>

#include "wire.h"

typedef struct lcowmig__wire_cursor {
	const uint8_t *at;
	const uint8_t *end;
	const char *error;
} lcowmig__wire_cursor;

typedef enum lcowmig__wire_step {
	LCOWMIG__WIRE_STEP_FIELD, /* a tag was read; its value is next and must be taken or skipped */
	LCOWMIG__WIRE_STEP_END,
	LCOWMIG__WIRE_STEP_BROKEN
} lcowmig__wire_step;

void lcowmig__wire_cursor_open(lcowmig__wire_cursor *cursor, lcowmig__wire_bytes bytes);
lcowmig__wire_step lcowmig__wire_cursor_next(lcowmig__wire_cursor *cursor, uint32_t *ret_tag, pb_wire_type_t *ret_type);
bool lcowmig__wire_cursor_varint(lcowmig__wire_cursor *cursor, uint64_t *ret_value);
bool lcowmig__wire_cursor_bytes(lcowmig__wire_cursor *cursor, lcowmig__wire_bytes *ret_bytes);
/* False also for groups: proto3 writes none, and they would be the only thing that nests. */
bool lcowmig__wire_cursor_skip(lcowmig__wire_cursor *cursor, pb_wire_type_t type);
/* What went wrong, in a few static words. */
const char *lcowmig__wire_cursor_error(const lcowmig__wire_cursor *cursor);

#endif
