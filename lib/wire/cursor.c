#include "cursor.h"

void lcowmig__wire_cursor_open(lcowmig__wire_cursor *cursor, lcowmig__wire_bytes bytes)
{
	static const uint8_t nothing[1];

	cursor->at = bytes.size ? bytes.data : nothing;
	cursor->end = cursor->at + bytes.size;
	cursor->error = NULL;
}

/* Moves past what a nanopb function took from `stream`, which began at the cursor. */
static bool cursor_advance(lcowmig__wire_cursor *cursor, const pb_istream_t *stream, bool is_good)
{
	cursor->at = cursor->end - stream->bytes_left;
	if (!is_good)
		cursor->error = PB_GET_ERROR(stream);
	return is_good;
}

static bool cursor_fail(lcowmig__wire_cursor *cursor, const char *error)
{
	cursor->error = error;
	return false;
}

lcowmig__wire_step lcowmig__wire_cursor_next(lcowmig__wire_cursor *cursor, uint32_t *ret_tag, pb_wire_type_t *ret_type)
{
	size_t left = (size_t)(cursor->end - cursor->at);

	if (!left)
		return LCOWMIG__WIRE_STEP_END;
	if (*cursor->at < 0x80) { /* nearly always */
		*ret_tag = *cursor->at >> 3;
		*ret_type = (pb_wire_type_t)(*cursor->at++ & 7);
	} else {
		pb_istream_t stream = pb_istream_from_buffer(cursor->at, left);
		bool is_end;

		if (!cursor_advance(cursor, &stream, pb_decode_tag(&stream, ret_type, ret_tag, &is_end)))
			return LCOWMIG__WIRE_STEP_BROKEN;
	}
	if (*ret_tag)
		return LCOWMIG__WIRE_STEP_FIELD;
	cursor->error = "field number 0";
	return LCOWMIG__WIRE_STEP_BROKEN;
}

bool lcowmig__wire_cursor_varint(lcowmig__wire_cursor *cursor, uint64_t *ret_value)
{
	size_t left = (size_t)(cursor->end - cursor->at);
	pb_istream_t stream;

	if (left && cursor->at[0] < 0x80) {
		*ret_value = *cursor->at++;
		return true;
	}
	if (left > 1 && cursor->at[1] < 0x80) { /* what is longer than 127 bytes, mostly */
		*ret_value = (cursor->at[0] & 0x7Fu) | (uint64_t)cursor->at[1] << 7;
		cursor->at += 2;
		return true;
	}
	stream = pb_istream_from_buffer(cursor->at, left);
	return cursor_advance(cursor, &stream, pb_decode_varint(&stream, ret_value));
}

bool lcowmig__wire_cursor_bytes(lcowmig__wire_cursor *cursor, lcowmig__wire_bytes *ret_bytes)
{
	uint64_t size;

	if (!lcowmig__wire_cursor_varint(cursor, &size))
		return false;
	if (size > (uint64_t)(cursor->end - cursor->at))
		return cursor_fail(cursor, "longer than what contains it");
	ret_bytes->data = cursor->at;
	ret_bytes->size = (size_t)size;
	cursor->at += ret_bytes->size;
	return true;
}

bool lcowmig__wire_cursor_skip(lcowmig__wire_cursor *cursor, pb_wire_type_t type)
{
	lcowmig__wire_bytes bytes;
	pb_istream_t stream;
	uint64_t value;

	switch (type) {
	case PB_WT_VARINT:
		return lcowmig__wire_cursor_varint(cursor, &value);
	case PB_WT_STRING:
		return lcowmig__wire_cursor_bytes(cursor, &bytes);
	default:
		stream = pb_istream_from_buffer(cursor->at, (size_t)(cursor->end - cursor->at));
		return cursor_advance(cursor, &stream, pb_skip_field(&stream, type));
	}
}

const char *lcowmig__wire_cursor_error(const lcowmig__wire_cursor *cursor)
{
	return cursor->error;
}
