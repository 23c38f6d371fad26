/*
 * The table-driven encoder. The first walk only counts, so that the place for the result can be made at its exact size. The second one writes,
 * from the last byte to the first: what is nested has been written when its size is to be written before it, so sizes are kept nowhere.
 *
 * Field numbers and wire types are nanopb's, from proto/. Its encoder is not used: it sizes what is nested once for each level above it, and
 * an export is in the blackout (docs/performance.md compares both).
 */
#include "writer.h"

#include <pb.h>
#include <string.h>

#include "base/compiler.h"
#include "google/protobuf/any.pb.h"
#include "lcowmig/guid.h"
#include "scsi.pb.h"

#define WRITER_KEY_TAG lcowmig__scsi_Payload_DisksEntry_key_tag
#define WRITER_VALUE_TAG lcowmig__scsi_Payload_DisksEntry_value_tag
#define WRITER_SCHEMA_VERSION 1u
#define WRITER_GUID_SIZE (LCOWMIG_GUID_TEXT_SIZE - 1u)

/* ---- What both walks ask ---- */

static uint64_t writer_load(lcowmig__wire_kind kind, const void *member)
{
	switch (kind) {
	case LCOWMIG__WIRE_VERSION:
		return WRITER_SCHEMA_VERSION;
	case LCOWMIG__WIRE_BOOL:
		return *(const bool *)member;
	case LCOWMIG__WIRE_UINT32:
		return *(const uint32_t *)member;
	case LCOWMIG__WIRE_INT32: /* negative numbers are sign-extended to 64 bits on the wire */
		return (uint64_t)(int64_t) * (const int32_t *)member;
	case LCOWMIG__WIRE_INT64:
		return (uint64_t) * (const int64_t *)member;
	default:
		return *(const uint64_t *)member;
	}
}

static lcowmig__wire_bytes writer_load_text(const void *member)
{
	const char *text = *(const char *const *)member;

	return (lcowmig__wire_bytes){ (const uint8_t *)text, text ? strlen(text) : 0 };
}

static bool writer_has(const lcowmig__wire_field *field, const void *source)
{
	return (field->flags & LCOWMIG__WIRE_ALWAYS) || *(const bool *)((const char *)source + field->presence);
}

static const char *writer_array(const lcowmig__wire_field *field, const void *source, size_t *ret_count)
{
	const char *array;

	memcpy(&array, (const char *)source + field->offset, sizeof array);
	memcpy(ret_count, (const char *)source + field->presence, sizeof *ret_count);
	return array;
}

/* ---- Counting ---- */

static size_t count_message(const lcowmig__wire_message *message, const void *source);

static size_t count_varint(uint64_t number)
{
	size_t size = 1;

	for (; number >= 0x80; number >>= 7)
		size++;
	return size;
}

static size_t count_number(uint32_t tag, uint64_t number)
{
	return count_varint((uint64_t)tag << 3) + count_varint(number);
}

static size_t count_bytes(uint32_t tag, size_t size)
{
	return count_number(tag, size) + size;
}

/* An Any around a payload, without the tag and size that it has when it is nested itself. */
static size_t count_any(const lcowmig__wire_message *message, const void *source)
{
	return count_bytes(lcowmig__google_Any_type_url_tag, message->type_url_size) +
	       count_bytes(lcowmig__google_Any_value_tag, count_message(message, source));
}

static size_t count_nested(const lcowmig__wire_field *field, uint32_t tag, const void *source)
{
	return count_bytes(tag, field->kind == LCOWMIG__WIRE_ENVELOPE ? count_any(field->message, source) :
									count_message(field->message, source));
}

/* Defaults are omitted. */
static size_t count_one(const lcowmig__wire_field *field, const void *source)
{
	const void *member = (const char *)source + field->offset;
	uint64_t number;
	size_t size;

	switch (field->kind) {
	case LCOWMIG__WIRE_TEXT:
		size = writer_load_text(member).size;
		return size ? count_bytes(field->tag, size) : 0;
	case LCOWMIG__WIRE_BYTES:
		size = ((const lcowmig__wire_bytes *)member)->size;
		return size ? count_bytes(field->tag, size) : 0;
	case LCOWMIG__WIRE_GUID:
		return count_bytes(field->tag, WRITER_GUID_SIZE);
	case LCOWMIG__WIRE_MESSAGE:
	case LCOWMIG__WIRE_ENVELOPE:
		return writer_has(field, source) ? count_nested(field, field->tag, member) : 0;
	default:
		number = writer_load(field->kind, member);
		return number ? count_number(field->tag, number) : 0;
	}
}

/* Map entries are written whole, default keys and empty values included, as every protobuf encoder does. */
static size_t count_entry(const lcowmig__wire_field *field, const void *element)
{
	const void *key = (const char *)element + field->key_offset;
	size_t size = count_nested(field, WRITER_VALUE_TAG, element);

	if (field->key_kind == LCOWMIG__WIRE_TEXT)
		size += count_bytes(WRITER_KEY_TAG, writer_load_text(key).size);
	else if (field->key_kind == LCOWMIG__WIRE_GUID)
		size += count_bytes(WRITER_KEY_TAG, WRITER_GUID_SIZE);
	else
		size += count_number(WRITER_KEY_TAG, writer_load(field->key_kind, key));
	return count_bytes(field->tag, size);
}

static size_t count_many(const lcowmig__wire_field *field, const void *source)
{
	size_t count, size = 0;
	const char *array = writer_array(field, source, &count);

	for (; count; count--, array += field->element_size) {
		if (field->shape == LCOWMIG__WIRE_MAP)
			size += count_entry(field, array);
		else if (field->kind == LCOWMIG__WIRE_TEXT)
			size += count_bytes(field->tag, writer_load_text(array).size);
		else if (field->kind == LCOWMIG__WIRE_GUID)
			size += count_bytes(field->tag, WRITER_GUID_SIZE);
		else
			size += count_nested(field, field->tag, array);
	}
	return size;
}

static size_t count_message(const lcowmig__wire_message *message, const void *source)
{
	size_t size = 0;

	for (size_t i = 0; i < message->n_fields; i++) {
		const lcowmig__wire_field *field = &message->fields[i];

		size += field->shape == LCOWMIG__WIRE_ONE ? count_one(field, source) : count_many(field, source);
	}
	return size;
}

/* ---- Writing: each of these puts something before `at` and returns where it begins ---- */

static uint8_t *put_message(uint8_t *at, const lcowmig__wire_message *message, const void *source);

static uint8_t *put_varint(uint8_t *at, uint64_t number)
{
	uint8_t *place;

	if (number < 0x80) {
		*--at = (uint8_t)number;
		return at;
	}
	place = at -= count_varint(number);
	for (; number >= 0x80; number >>= 7)
		*place++ = (uint8_t)(number | 0x80);
	*place = (uint8_t)number;
	return at;
}

static uint8_t *put_tag(uint8_t *at, pb_wire_type_t type, uint32_t tag)
{
	return put_varint(at, (uint64_t)tag << 3 | (unsigned)type);
}

static uint8_t *put_number(uint8_t *at, uint32_t tag, uint64_t number)
{
	return put_tag(put_varint(at, number), PB_WT_VARINT, tag);
}

/* What has been written between `at` and `end` becomes a field. */
static uint8_t *put_size(uint8_t *at, const uint8_t *end, uint32_t tag)
{
	return put_tag(put_varint(at, (size_t)(end - at)), PB_WT_STRING, tag);
}

static uint8_t *put_bytes(uint8_t *at, uint32_t tag, lcowmig__wire_bytes bytes)
{
	uint8_t *place = at - bytes.size;

	if (bytes.size)
		memcpy(place, bytes.data, bytes.size);
	return put_size(place, at, tag);
}

static uint8_t *put_guid(uint8_t *at, uint32_t tag, const lcowmig_guid *guid)
{
	char text[LCOWMIG_GUID_TEXT_SIZE];
	uint8_t *place = at - WRITER_GUID_SIZE;

	lcowmig_guid_format(guid, text);
	memcpy(place, text, WRITER_GUID_SIZE);
	return put_size(place, at, tag);
}

static uint8_t *put_any(uint8_t *at, const lcowmig__wire_message *message, const void *source)
{
	lcowmig__wire_bytes type_url = { (const uint8_t *)message->type_url, message->type_url_size };

	at = put_size(put_message(at, message, source), at, lcowmig__google_Any_value_tag);
	return put_bytes(at, lcowmig__google_Any_type_url_tag, type_url);
}

static uint8_t *put_nested(uint8_t *at, const lcowmig__wire_field *field, uint32_t tag, const void *source)
{
	uint8_t *place = field->kind == LCOWMIG__WIRE_ENVELOPE ? put_any(at, field->message, source) : put_message(at, field->message, source);

	return put_size(place, at, tag);
}

static uint8_t *put_one(uint8_t *at, const lcowmig__wire_field *field, const void *source)
{
	const void *member = (const char *)source + field->offset;
	lcowmig__wire_bytes bytes;
	uint64_t number;

	switch (field->kind) {
	case LCOWMIG__WIRE_TEXT:
		bytes = writer_load_text(member);
		return bytes.size ? put_bytes(at, field->tag, bytes) : at;
	case LCOWMIG__WIRE_BYTES:
		bytes = *(const lcowmig__wire_bytes *)member;
		return bytes.size ? put_bytes(at, field->tag, bytes) : at;
	case LCOWMIG__WIRE_GUID:
		return put_guid(at, field->tag, member);
	case LCOWMIG__WIRE_MESSAGE:
	case LCOWMIG__WIRE_ENVELOPE:
		return writer_has(field, source) ? put_nested(at, field, field->tag, member) : at;
	default:
		number = writer_load(field->kind, member);
		return number ? put_number(at, field->tag, number) : at;
	}
}

static uint8_t *put_entry(uint8_t *at, const lcowmig__wire_field *field, const void *element)
{
	const void *key = (const char *)element + field->key_offset;
	uint8_t *place = put_nested(at, field, WRITER_VALUE_TAG, element);

	if (field->key_kind == LCOWMIG__WIRE_TEXT)
		place = put_bytes(place, WRITER_KEY_TAG, writer_load_text(key));
	else if (field->key_kind == LCOWMIG__WIRE_GUID)
		place = put_guid(place, WRITER_KEY_TAG, key);
	else
		place = put_number(place, WRITER_KEY_TAG, writer_load(field->key_kind, key));
	return put_size(place, at, field->tag);
}

static uint8_t *put_many(uint8_t *at, const lcowmig__wire_field *field, const void *source)
{
	size_t count;
	const char *array = writer_array(field, source, &count);

	while (count--) {
		const void *element = array + count * field->element_size;

		if (field->shape == LCOWMIG__WIRE_MAP)
			at = put_entry(at, field, element);
		else if (field->kind == LCOWMIG__WIRE_TEXT)
			at = put_bytes(at, field->tag, writer_load_text(element));
		else if (field->kind == LCOWMIG__WIRE_GUID)
			at = put_guid(at, field->tag, element);
		else
			at = put_nested(at, field, field->tag, element);
	}
	return at;
}

static uint8_t *put_message(uint8_t *at, const lcowmig__wire_message *message, const void *source)
{
	for (size_t i = message->n_fields; i > 0; i--) {
		const lcowmig__wire_field *field = &message->fields[i - 1];

		at = field->shape == LCOWMIG__WIRE_ONE ? put_one(at, field, source) : put_many(at, field, source);
	}
	return at;
}

lcowmig_status lcowmig__wire_write(lcowmig__buf *buf, const lcowmig__wire_message *message, const void *source, lcowmig_error *error)
{
	size_t size = count_any(message, source);
	uint8_t *place = lcowmig__buf_reserve(buf, size);

	if (!place)
		return lcowmig__fail_memory(error);
	put_any(place + size, message, source);
	buf->size += size;
	buf->data[buf->size] = '\0';
	return LCOWMIG_OK;
}
