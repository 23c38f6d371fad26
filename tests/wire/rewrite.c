#include "rewrite.h"

#include <pb_decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One field as it stands in a message. */
typedef struct record {
	uint32_t tag;
	pb_wire_type_t type;
	uint64_t number;
	const uint8_t *data;
	size_t size;
} record;

#define RECORDS_MAX 64

static size_t records_read(const void *data, size_t size, record *records)
{
	pb_istream_t stream = pb_istream_from_buffer(data, size);
	const uint8_t *end = (const uint8_t *)data + size;
	size_t count = 0;

	while (stream.bytes_left) {
		record *r = &records[count++];
		bool is_end;

		ck_assert(count <= RECORDS_MAX);
		ck_assert(pb_decode_tag(&stream, &r->type, &r->tag, &is_end));
		if (r->type == PB_WT_VARINT) {
			ck_assert(pb_decode_varint(&stream, &r->number));
			continue;
		}
		ck_assert_int_eq(r->type, PB_WT_STRING);
		ck_assert(pb_decode_varint(&stream, &r->number));
		r->size = (size_t)r->number;
		r->data = end - stream.bytes_left;
		ck_assert(pb_read(&stream, NULL, r->size));
	}
	return count;
}

void wire_put_varint(lcowmig__buf *out, uint64_t number, unsigned padding)
{
	uint8_t bytes[16];
	size_t count = 0;

	do {
		bytes[count++] = (uint8_t)(0x80 | (number & 0x7f));
		number >>= 7;
	} while (number);
	while (padding-- && count < 10)
		bytes[count++] = 0x80;
	bytes[count - 1] &= 0x7f;
	lcowmig__buf_append(out, bytes, count);
}

static void put_tag(lcowmig__buf *out, uint32_t tag, int type, unsigned padding)
{
	wire_put_varint(out, (uint64_t)tag << 3 | (unsigned)type, padding > 3 ? 3 : padding);
}

void wire_put_number(lcowmig__buf *out, uint32_t tag, uint64_t number)
{
	put_tag(out, tag, PB_WT_VARINT, 0);
	wire_put_varint(out, number, 0);
}

void wire_put_bytes(lcowmig__buf *out, uint32_t tag, const void *data, size_t size)
{
	put_tag(out, tag, PB_WT_STRING, 0);
	wire_put_varint(out, size, 0);
	lcowmig__buf_append(out, data, size);
}

void wire_put_text(lcowmig__buf *out, uint32_t tag, const char *text)
{
	wire_put_bytes(out, tag, text, strlen(text));
}

static void rewrite_message(wire_rewrite *rw, const lcowmig__wire_message *message, const void *data, size_t size, const char *path,
			    lcowmig__buf *out);

static void put_value_of_type(lcowmig__buf *out, int type)
{
	switch (type) {
	case PB_WT_VARINT:
		wire_put_varint(out, 1, 0);
		break;
	case PB_WT_64BIT:
		lcowmig__buf_append(out, "12345678", 8);
		break;
	case PB_WT_32BIT:
		lcowmig__buf_append(out, "1234", 4);
		break;
	case PB_WT_STRING:
		lcowmig__buf_append(out, "\0", 1);
		break;
	default: /* a group, or a type that does not exist */
		break;
	}
}

static void put_unknown(const wire_rewrite *rw, lcowmig__buf *out)
{
	put_tag(out, 19, PB_WT_VARINT, rw->padding);
	wire_put_varint(out, UINT64_MAX, 0);
	put_tag(out, 1000, PB_WT_64BIT, rw->padding);
	put_value_of_type(out, PB_WT_64BIT);
	put_tag(out, 536870911, PB_WT_32BIT, rw->padding);
	put_value_of_type(out, PB_WT_32BIT);
	put_tag(out, 77, PB_WT_STRING, rw->padding);
	wire_put_varint(out, 3, rw->padding);
	lcowmig__buf_append(out, "\xff\0\x0b", 3);
}

/* Counts the field and, if its turn has come, damages it. True: it has been written. */
static bool put_damaged(wire_rewrite *rw, const record *r, const char *path, const char *name, lcowmig__buf *out)
{
	size_t before = out->size;

	if (++rw->fields != rw->damaged)
		return false;
	snprintf(rw->path, sizeof rw->path, "%s.%s", path, name);
	rw->is_damaged = !(rw->damage == WIRE_DAMAGE_TYPE && rw->with_type == (int)r->type) &&
			 !(rw->damage == WIRE_DAMAGE_LENGTH && r->type != PB_WT_STRING);
	if (!rw->is_damaged)
		return false;
	switch (rw->damage) {
	case WIRE_DAMAGE_TYPE:
		put_tag(out, r->tag, rw->with_type, 0);
		put_value_of_type(out, rw->with_type);
		return true;
	case WIRE_DAMAGE_CUT:
		if (r->type == PB_WT_VARINT)
			wire_put_number(out, r->tag, r->number);
		else
			wire_put_bytes(out, r->tag, r->data, r->size);
		ck_assert(out->size - before >= 2);
		out->size--;
		return true;
	case WIRE_DAMAGE_LENGTH:
		put_tag(out, r->tag, PB_WT_STRING, 0);
		wire_put_varint(out, r->size + 10000, 0);
		lcowmig__buf_append(out, r->data, r->size);
		return true;
	case WIRE_DAMAGE_TAG_0:
		put_tag(out, 0, PB_WT_VARINT, 0);
		wire_put_varint(out, 1, 0);
		return false;
	case WIRE_DAMAGE_VARINT:
		put_tag(out, 99, PB_WT_VARINT, 0);
		lcowmig__buf_append(out, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12);
		return false;
	case WIRE_DAMAGE_ENDLESS:
		put_tag(out, r->tag, (int)r->type, 0);
		lcowmig__buf_append(out, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12);
		return true;
	case WIRE_DAMAGE_NONE:
		break;
	}
	return false;
}

static void put_length(const wire_rewrite *rw, uint32_t tag, const lcowmig__buf *content, lcowmig__buf *out)
{
	put_tag(out, tag, PB_WT_STRING, rw->padding);
	wire_put_varint(out, content->size, rw->padding > 4 ? 4 : rw->padding);
	if (content->size)
		lcowmig__buf_append(out, content->data, content->size);
}

/* Writes a nested message as one, or as two that together have its fields. The content is what the rewriting made of it. */
static void put_nested(const wire_rewrite *rw, uint32_t tag, bool may_split, const lcowmig__buf *content, lcowmig__buf *out)
{
	pb_istream_t stream = pb_istream_from_buffer((const pb_byte_t *)content->data, content->size);
	lcowmig__buf part;
	bool is_end = false;
	pb_wire_type_t type;
	uint32_t number;
	size_t cut;

	if (!rw->split || !may_split || !content->size) {
		put_length(rw, tag, content, out);
		return;
	}
	ck_assert(pb_decode_tag(&stream, &type, &number, &is_end) && pb_skip_field(&stream, type));
	cut = content->size - stream.bytes_left;
	lcowmig__buf_init(&part, content->mem);
	lcowmig__buf_append(&part, content->data, cut);
	put_length(rw, tag, &part, out);
	lcowmig__buf_clear(&part);
	lcowmig__buf_append(&part, content->data + cut, content->size - cut);
	put_length(rw, tag, &part, out);
	lcowmig__buf_done(&part);
}

static void rewrite_any(wire_rewrite *rw, const lcowmig__wire_message *message, const void *data, size_t size, const char *path,
			lcowmig__buf *out)
{
	static const char *const names[] = { "", "type_url", "value" };
	record records[RECORDS_MAX] = { { 0 } };
	size_t count = records_read(data, size, records);
	lcowmig__buf value;

	for (size_t k = 0; k < count; k++) {
		const record *r = &records[rw->reversed ? count - 1 - k : k];

		if (rw->unknown)
			put_unknown(rw, out);
		if (put_damaged(rw, r, path, names[r->tag], out))
			continue;
		lcowmig__buf_init(&value, out->mem);
		if (rw->decoys) {
			lcowmig__buf_text(&value, "decoy");
			put_length(rw, r->tag, &value, out);
			lcowmig__buf_clear(&value);
		}
		if (r->tag == 2)
			rewrite_message(rw, message, r->data, r->size, path, &value);
		else
			lcowmig__buf_append(&value, r->data, r->size);
		put_length(rw, r->tag, &value, out);
		lcowmig__buf_done(&value);
	}
}

static void rewrite_nested(wire_rewrite *rw, const lcowmig__wire_field *field, uint32_t tag, bool may_split, const record *r,
			   const char *path, lcowmig__buf *out)
{
	lcowmig__buf content;

	lcowmig__buf_init(&content, out->mem);
	if (field->kind == LCOWMIG__WIRE_ENVELOPE)
		rewrite_any(rw, field->message, r->data, r->size, path, &content);
	else
		rewrite_message(rw, field->message, r->data, r->size, path, &content);
	put_nested(rw, tag, may_split, &content, out);
	lcowmig__buf_done(&content);
}

static void put_number(const wire_rewrite *rw, lcowmig__wire_kind kind, uint32_t tag, uint64_t number, lcowmig__buf *out)
{
	if (rw->wide && (kind == LCOWMIG__WIRE_UINT32 || kind == LCOWMIG__WIRE_VERSION))
		number |= UINT64_C(0xabc) << 40;
	put_tag(out, tag, PB_WT_VARINT, rw->padding);
	wire_put_varint(out, number, rw->padding);
}

static void rewrite_entry(wire_rewrite *rw, const lcowmig__wire_field *field, const record *entry, const char *path, lcowmig__buf *out)
{
	record records[RECORDS_MAX] = { { 0 } };
	size_t count = records_read(entry->data, entry->size, records);
	lcowmig__buf content;

	lcowmig__buf_init(&content, out->mem);
	for (size_t k = 0; k < count; k++) {
		const record *r = &records[rw->reversed ? count - 1 - k : k];

		if (rw->unknown)
			put_unknown(rw, &content);
		if (put_damaged(rw, r, path, r->tag == 1 ? "key" : "value", &content))
			continue;
		if (r->tag == 2) {
			rewrite_nested(rw, field, 2, true, r, path, &content);
		} else if (r->type == PB_WT_VARINT) {
			if (rw->decoys)
				put_number(rw, field->key_kind, 1, r->number + 1, &content);
			put_number(rw, field->key_kind, 1, r->number, &content);
		} else {
			if (rw->decoys)
				wire_put_text(&content, 1, "6d1f002c-5a77-4e10-b30a-c400000000ee");
			wire_put_bytes(&content, 1, r->data, r->size);
		}
	}
	put_length(rw, entry->tag, &content, out);
	lcowmig__buf_done(&content);
}

static void rewrite_record(wire_rewrite *rw, const lcowmig__wire_field *field, const record *r, const char *path, lcowmig__buf *out)
{
	char inner[200];
	lcowmig__buf copy;

	snprintf(inner, sizeof inner, "%s.%s", path, field->name);
	if (rw->unknown)
		put_unknown(rw, out);
	if (put_damaged(rw, r, path, field->name, out))
		return;
	if (r->type == PB_WT_VARINT) {
		if (rw->decoys)
			put_number(rw, field->kind, r->tag, r->number + 6, out);
		put_number(rw, field->kind, r->tag, r->number, out);
	} else if (field->shape == LCOWMIG__WIRE_MAP) {
		rewrite_entry(rw, field, r, inner, out);
	} else if (field->kind == LCOWMIG__WIRE_MESSAGE || field->kind == LCOWMIG__WIRE_ENVELOPE) {
		rewrite_nested(rw, field, r->tag, field->shape == LCOWMIG__WIRE_ONE, r, inner, out);
	} else {
		if (rw->decoys && field->shape == LCOWMIG__WIRE_ONE)
			wire_put_text(out, r->tag, "6d1f002c-5a77-4e10-b30a-c400000000ee");
		lcowmig__buf_init(&copy, out->mem);
		lcowmig__buf_append(&copy, r->data, r->size);
		put_length(rw, r->tag, &copy, out);
		lcowmig__buf_done(&copy);
	}
}

static void rewrite_message(wire_rewrite *rw, const lcowmig__wire_message *message, const void *data, size_t size, const char *path,
			    lcowmig__buf *out)
{
	record *records = calloc(RECORDS_MAX, sizeof *records);
	size_t count = records_read(data, size, records);

	for (size_t step = 0; step < message->n_fields; step++) {
		const lcowmig__wire_field *field = &message->fields[rw->reversed ? message->n_fields - 1 - step : step];
		bool backwards = rw->reversed && field->shape == LCOWMIG__WIRE_MAP;

		for (size_t k = 0; k < count; k++) {
			const record *r = &records[backwards ? count - 1 - k : k];

			if (r->tag == field->tag)
				rewrite_record(rw, field, r, path, out);
		}
	}
	free(records);
}

void wire_rewrite_envelope(wire_rewrite *rewrite, const lcowmig__wire_message *message, const void *data, size_t size, lcowmig__buf *out)
{
	rewrite->fields = 0;
	rewrite->is_damaged = false;
	rewrite_any(rewrite, message, data, size, "", out);
}

void wire_edit(const void *data, size_t size, const char *path, const lcowmig__buf *replacement, lcowmig__buf *out)
{
	record *records = calloc(RECORDS_MAX, sizeof *records);
	size_t count = records_read(data, size, records);
	char *rest = NULL;
	unsigned long tag = strtoul(path, &rest, 10);
	unsigned long occurrence = *rest == '#' ? strtoul(rest + 1, &rest, 10) : 0;
	bool is_done = false;

	for (size_t i = 0; i < count; i++) {
		const record *r = &records[i];

		if (*path != '+' && r->tag == tag && !occurrence--) {
			is_done = true;
			if (*rest == '/') {
				lcowmig__buf inner;

				lcowmig__buf_init(&inner, out->mem);
				wire_edit(r->data, r->size, rest + 1, replacement, &inner);
				wire_put_bytes(out, r->tag, inner.data ? inner.data : "", inner.size);
				lcowmig__buf_done(&inner);
			} else if (replacement->size) {
				lcowmig__buf_append(out, replacement->data, replacement->size);
			}
		} else if (r->type == PB_WT_VARINT) {
			wire_put_number(out, r->tag, r->number);
		} else {
			wire_put_bytes(out, r->tag, r->data, r->size);
		}
	}
	if (*path == '+') {
		lcowmig__buf_append(out, replacement->data, replacement->size);
		is_done = true;
	}
	free(records);
	ck_assert_msg(is_done, "there is nothing at %s", path);
}
