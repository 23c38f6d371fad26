/*
 * The table-driven encoder. The same walk is done twice: the first time only to count, which notes the size of each nested message in
 * the order in which they begin; the second time to write, which takes the sizes from there. So nothing is measured twice.
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

typedef struct writer {
	uint8_t *at; /* NULL: it only counts */
	size_t written;
	lcowmig__buf sizes; /* size_t each, one for each nested message */
	size_t next;        /* the next of them */
} writer;

typedef struct writer_mark {
	size_t slot;
	size_t start;
} writer_mark;

static void writer_message(writer *out, const lcowmig__wire_message *message, const void *source);

static void writer_varint(writer *out, uint64_t number)
{
	uint8_t bytes[10];
	size_t size = 0;

	for (; number >= 0x80; number >>= 7)
		bytes[size++] = (uint8_t)(number | 0x80);
	bytes[size++] = (uint8_t)number;
	out->written += size;
	if (!out->at)
		return;
	memcpy(out->at, bytes, size);
	out->at += size;
}

static void writer_tag(writer *out, pb_wire_type_t type, uint32_t tag)
{
	writer_varint(out, (uint64_t)tag << 3 | (unsigned)type);
}

/* Begins a nested message; writer_close ends it. */
static writer_mark writer_open(writer *out, uint32_t tag)
{
	writer_mark mark = { out->next++, 0 };
	size_t size = 0;

	writer_tag(out, PB_WT_STRING, tag);
	if (!out->at) {
		lcowmig__buf_append(&out->sizes, &size, sizeof size);
	} else {
		memcpy(&size, out->sizes.data + mark.slot * sizeof size, sizeof size);
		writer_varint(out, size);
	}
	mark.start = out->written;
	return mark;
}

static void writer_close(writer *out, writer_mark mark)
{
	size_t size = out->written - mark.start;

	if (out->at)
		return;
	if (!out->sizes.failed)
		memcpy(out->sizes.data + mark.slot * sizeof size, &size, sizeof size);
	writer_varint(out, size);
}

static void writer_number(writer *out, uint32_t tag, uint64_t number)
{
	writer_tag(out, PB_WT_VARINT, tag);
	writer_varint(out, number);
}

static void writer_bytes(writer *out, uint32_t tag, const void *data, size_t size)
{
	writer_tag(out, PB_WT_STRING, tag);
	writer_varint(out, size);
	out->written += size;
	if (!out->at || !size)
		return;
	memcpy(out->at, data, size);
	out->at += size;
}

static void writer_text(writer *out, uint32_t tag, const char *text)
{
	writer_bytes(out, tag, text, text ? strlen(text) : 0);
}

static void writer_guid(writer *out, uint32_t tag, const lcowmig_guid *guid)
{
	char text[LCOWMIG_GUID_TEXT_SIZE];

	if (out->at) /* to count them, it is enough that they are all of one size */
		lcowmig_guid_format(guid, text);
	writer_bytes(out, tag, text, sizeof text - 1);
}

/* An Any around a payload, without the tag and size that it has when it is nested itself. */
static void writer_any(writer *out, const lcowmig__wire_message *message, const void *source)
{
	writer_mark mark;

	writer_text(out, lcowmig__google_Any_type_url_tag, message->type_url);
	mark = writer_open(out, lcowmig__google_Any_value_tag);
	writer_message(out, message, source);
	writer_close(out, mark);
}

static void writer_nested(writer *out, const lcowmig__wire_field *field, uint32_t tag, const void *source)
{
	writer_mark mark = writer_open(out, tag);

	if (field->kind == LCOWMIG__WIRE_ENVELOPE)
		writer_any(out, field->message, source);
	else
		writer_message(out, field->message, source);
	writer_close(out, mark);
}

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

/* Defaults are omitted. */
static void writer_one(writer *out, const lcowmig__wire_field *field, const void *source)
{
	const void *member = (const char *)source + field->offset;
	const lcowmig__wire_bytes *bytes = member;
	const char *text;
	uint64_t number;

	switch (field->kind) {
	case LCOWMIG__WIRE_TEXT:
		text = *(const char *const *)member;
		if (text && text[0])
			writer_text(out, field->tag, text);
		break;
	case LCOWMIG__WIRE_BYTES:
		if (bytes->size)
			writer_bytes(out, field->tag, bytes->data, bytes->size);
		break;
	case LCOWMIG__WIRE_GUID:
		writer_guid(out, field->tag, member);
		break;
	case LCOWMIG__WIRE_MESSAGE:
	case LCOWMIG__WIRE_ENVELOPE:
		if ((field->flags & LCOWMIG__WIRE_ALWAYS) || *(const bool *)((const char *)source + field->presence))
			writer_nested(out, field, field->tag, member);
		break;
	default:
		number = writer_load(field->kind, member);
		if (number)
			writer_number(out, field->tag, number);
		break;
	}
}

/* Map entries are written whole, default keys and empty values included, as every protobuf encoder does. */
static void writer_entry(writer *out, const lcowmig__wire_field *field, const void *element)
{
	const void *key = (const char *)element + field->key_offset;
	writer_mark mark = writer_open(out, field->tag);

	if (field->key_kind == LCOWMIG__WIRE_TEXT)
		writer_text(out, WRITER_KEY_TAG, *(const char *const *)key);
	else if (field->key_kind == LCOWMIG__WIRE_GUID)
		writer_guid(out, WRITER_KEY_TAG, key);
	else
		writer_number(out, WRITER_KEY_TAG, writer_load(field->key_kind, key));
	writer_nested(out, field, WRITER_VALUE_TAG, element);
	writer_close(out, mark);
}

static void writer_many(writer *out, const lcowmig__wire_field *field, const void *source)
{
	const char *array;
	size_t count;

	memcpy(&array, (const char *)source + field->offset, sizeof array);
	memcpy(&count, (const char *)source + field->presence, sizeof count);
	for (size_t i = 0; i < count; i++) {
		const void *element = array + i * field->element_size;

		if (field->shape == LCOWMIG__WIRE_MAP)
			writer_entry(out, field, element);
		else if (field->kind == LCOWMIG__WIRE_TEXT)
			writer_text(out, field->tag, *(const char *const *)element);
		else if (field->kind == LCOWMIG__WIRE_GUID)
			writer_guid(out, field->tag, element);
		else
			writer_nested(out, field, field->tag, element);
	}
}

static void writer_message(writer *out, const lcowmig__wire_message *message, const void *source)
{
	for (size_t i = 0; i < message->n_fields; i++) {
		const lcowmig__wire_field *field = &message->fields[i];

		if (field->shape == LCOWMIG__WIRE_ONE)
			writer_one(out, field, source);
		else
			writer_many(out, field, source);
	}
}

lcowmig_status lcowmig__wire_write(lcowmig__buf *buf, const lcowmig__wire_message *message, const void *source, lcowmig_error *error)
{
	writer out = { .at = NULL };
	size_t size;
	void *place;

	lcowmig__buf_init(&out.sizes, buf->mem);
	writer_any(&out, message, source);
	size = out.written;
	place = out.sizes.failed ? NULL : lcowmig__buf_reserve(buf, size);
	if (place) {
		out.at = place;
		out.written = out.next = 0;
		writer_any(&out, message, source);
		buf->size += size;
		buf->data[buf->size] = '\0';
	} else {
		buf->failed = true;
	}
	lcowmig__buf_done(&out.sizes);
	return buf->failed ? lcowmig__fail_memory(error) : LCOWMIG_OK;
}
