/*
 * The table-driven decoder. Each payload is gone through twice: once over its top level for the schema version, so that another version
 * is reported as such and not by what it changed; then in earnest. Sub-messages are read onto the same struct however often they come,
 * which is protobuf's merging. Calls nest as deep as the tables do, never as deep as the input pretends to.
 *
 * A reader with `problems` reports what is wrong and goes on with the next field: of an element, whatever the reason, and of a message while
 * its fields can still be told apart.
 */
#include "reader.h"

#include <string.h>

#include "engine/limits.h"
#include "google/protobuf/any.pb.h"
#include "scsi.pb.h"
#include "value.h"

/* Every map's entries are numbered alike. */
#define READER_KEY_TAG lcowmig__scsi_Payload_DisksEntry_key_tag
#define READER_VALUE_TAG lcowmig__scsi_Payload_DisksEntry_value_tag
#define READER_SCHEMA_VERSION 1u

typedef struct reader_any {
	lcowmig__wire_bytes type_url;
	lcowmig__wire_bytes value;
} reader_any;

typedef struct reader_entry {
	uint64_t number;
	const char *text;
	lcowmig_guid guid;
	char guid_text[LCOWMIG_GUID_TEXT_SIZE];
	bool has_value;
} reader_entry;

static lcowmig_status reader_message(lcowmig__wire_reader *reader, const lcowmig__wire_message *message, void *target,
				     lcowmig__wire_bytes bytes, const lcowmig__wire_place *place);

/* A field was refused. The message it is in cannot be judged any more, but its other fields can. */
static lcowmig_status reader_note(const lcowmig__wire_reader *reader, lcowmig_status status)
{
	if (!reader->problems || reader->problems->is_full)
		return status;
	reader->problems->is_spoiled = true;
	return lcowmig__wire_tolerate(reader, status);
}

/* Around the reading of an element or payload: what is wrong in it is no fault of what contains it. */
static bool reader_enter(const lcowmig__wire_reader *reader)
{
	bool outer = reader->problems && reader->problems->is_spoiled;

	if (reader->problems)
		reader->problems->is_spoiled = false;
	return outer;
}

static lcowmig_status reader_leave(const lcowmig__wire_reader *reader, bool outer, lcowmig_status status)
{
	if (!reader->problems)
		return status;
	reader->problems->is_spoiled = outer;
	reader->problems->is_full = false;
	return lcowmig__wire_tolerate(reader, status);
}

static void *reader_member(void *target, size_t offset)
{
	return (char *)target + offset;
}

/* The value of a singular field, or of one element, that is not a number. */
static lcowmig_status reader_value(lcowmig__wire_reader *reader, const lcowmig__wire_field *field, void *member, lcowmig__wire_bytes bytes,
				   const lcowmig__wire_place *place)
{
	lcowmig__wire_place inner = { place, field->name, NULL, LCOWMIG__WIRE_NO_INDEX };

	switch (field->kind) {
	case LCOWMIG__WIRE_TEXT:
		return lcowmig__wire_take_text(reader, place, field->name, field->size_limit, bytes, member);
	case LCOWMIG__WIRE_BYTES:
		return lcowmig__wire_take_bytes(reader, place, field, bytes, member);
	case LCOWMIG__WIRE_GUID:
		return lcowmig__wire_take_guid(reader, place, field->name, bytes, member);
	default:
		return reader_message(reader, field->message, member, bytes, &inner);
	}
}

/* Texts are never NULL, also where no field comes. */
static void reader_prepare(const lcowmig__wire_message *message, void *target)
{
	for (size_t i = 0; i < message->n_fields; i++) {
		const lcowmig__wire_field *field = &message->fields[i];
		void *member = reader_member(target, field->offset);

		if (field->shape != LCOWMIG__WIRE_ONE)
			continue;
		if (field->kind == LCOWMIG__WIRE_TEXT)
			*(const char **)member = "";
		else if (field->kind == LCOWMIG__WIRE_MESSAGE || field->kind == LCOWMIG__WIRE_ENVELOPE)
			reader_prepare(field->message, member);
	}
}

/* How often a field comes in what is left of a message, as far as that is well-formed, but no more than `limit`. */
static size_t reader_count(lcowmig__wire_cursor cursor, uint32_t wanted, size_t limit)
{
	pb_wire_type_t type;
	size_t count = 0;
	uint32_t tag;

	while (count < limit && lcowmig__wire_cursor_next(&cursor, &tag, &type) == LCOWMIG__WIRE_STEP_FIELD &&
	       lcowmig__wire_cursor_skip(&cursor, type))
		count += tag == wanted;
	return count;
}

/* Makes room for one more element at least. What an array has room for stands before its first element. */
static lcowmig_status reader_grow(const lcowmig__wire_reader *reader, const lcowmig__wire_field *field, void *place_of_array, size_t count,
				  const lcowmig__wire_cursor *cursor, size_t limit)
{
	uint64_t *array, *grown, capacity;

	memcpy(&array, place_of_array, sizeof array);
	if (array && count < array[-1])
		return LCOWMIG_OK;
	capacity = count + 1 + reader_count(*cursor, field->tag, limit);
	if (capacity < 2 * count)
		capacity = 2 * count; /* it comes in many parts */
	grown = lcowmig__arena_alloc(reader->arena, sizeof *grown + (size_t)capacity * field->element_size);
	if (!grown)
		return lcowmig__fail_memory(reader->error);
	*grown++ = capacity;
	if (count)
		memcpy(grown, array, count * field->element_size);
	memcpy(place_of_array, &grown, sizeof grown);
	return LCOWMIG_OK;
}

/* Appends a zeroed element. `cursor` is behind the field that holds it. */
static lcowmig_status reader_push(lcowmig__wire_reader *reader, const lcowmig__wire_field *field, void *target,
				  const lcowmig__wire_cursor *cursor, const lcowmig__wire_place *place, void **ret_element)
{
	void *place_of_array = reader_member(target, field->offset);
	size_t *count = reader_member(target, field->presence);
	uint32_t limit = lcowmig__wire_limit(reader, field->count_limit);
	size_t counted = field->total ? reader->totals[field->total] : *count;
	lcowmig_status status;
	char *array;

	if (counted >= limit) {
		if (reader->problems)
			reader->problems->is_full = true;
		return lcowmig__wire_fail(reader, place, field->name, LCOWMIG_E_LIMIT_EXCEEDED, "more than %u elements%s", (unsigned)limit,
					  field->total ? " in the whole envelope" : "");
	}
	status = reader_grow(reader, field, place_of_array, *count, cursor, limit - counted - 1);
	if (status != LCOWMIG_OK)
		return status;
	memcpy(&array, place_of_array, sizeof array);
	*ret_element = array + *count * field->element_size;
	if (field->message)
		reader_prepare(field->message, *ret_element);
	++*count;
	reader->totals[field->total]++;
	return LCOWMIG_OK;
}

/* A payload or an element has been read whole. */
static lcowmig_status reader_complete(const lcowmig__wire_reader *reader, const lcowmig__wire_message *message, const void *target,
				      const lcowmig__wire_place *place)
{
	lcowmig_status status = lcowmig__wire_arrange(reader, message, target, place);

	if (reader->problems && reader->problems->is_spoiled)
		return status;
	return status == LCOWMIG_OK && message->check ? message->check(reader, target, place) : status;
}

/* Merges one more occurrence of an envelope: what it does not mention stays. */
static lcowmig_status reader_any_merge(const lcowmig__wire_reader *reader, lcowmig__wire_bytes bytes, reader_any *any,
				       const lcowmig__wire_place *place)
{
	lcowmig__wire_cursor cursor;
	lcowmig__wire_step step;
	pb_wire_type_t type;
	uint32_t tag;

	lcowmig__wire_cursor_open(&cursor, bytes);
	while ((step = lcowmig__wire_cursor_next(&cursor, &tag, &type)) == LCOWMIG__WIRE_STEP_FIELD) {
		bool is_url = tag == lcowmig__google_Any_type_url_tag;
		lcowmig_status status;

		if (!is_url && tag != lcowmig__google_Any_value_tag) {
			if (!lcowmig__wire_cursor_skip(&cursor, type))
				return lcowmig__wire_broken(reader, place, NULL, &cursor);
			continue;
		}
		status = lcowmig__wire_check_type(reader, place, is_url ? "type_url" : "value", type, PB_WT_STRING);
		if (status != LCOWMIG_OK)
			return status;
		if (!lcowmig__wire_cursor_bytes(&cursor, is_url ? &any->type_url : &any->value))
			return lcowmig__wire_broken(reader, place, is_url ? "type_url" : "value", &cursor);
	}
	return step == LCOWMIG__WIRE_STEP_END ? LCOWMIG_OK : lcowmig__wire_broken(reader, place, NULL, &cursor);
}

/* The version is the first field of every payload's table. */
static lcowmig_status reader_version(const lcowmig__wire_reader *reader, const lcowmig__wire_message *message, lcowmig__wire_bytes bytes,
				     const lcowmig__wire_place *place)
{
	const lcowmig__wire_field *field = &message->fields[0];
	lcowmig__wire_cursor cursor;
	lcowmig__wire_step step;
	pb_wire_type_t type;
	uint64_t version = 0;
	uint32_t tag;

	lcowmig__wire_cursor_open(&cursor, bytes);
	while ((step = lcowmig__wire_cursor_next(&cursor, &tag, &type)) == LCOWMIG__WIRE_STEP_FIELD) {
		if (tag == field->tag) {
			lcowmig_status status = lcowmig__wire_check_type(reader, place, field->name, type, PB_WT_VARINT);

			if (status != LCOWMIG_OK)
				return status;
			if (!lcowmig__wire_cursor_varint(&cursor, &version))
				return lcowmig__wire_broken(reader, place, field->name, &cursor);
		} else if (!lcowmig__wire_cursor_skip(&cursor, type)) {
			return lcowmig__wire_broken(reader, place, tag <= message->n_fields ? message->fields[tag - 1].name : NULL,
						    &cursor);
		}
	}
	if (step != LCOWMIG__WIRE_STEP_END)
		return lcowmig__wire_broken(reader, place, NULL, &cursor);
	if ((uint32_t)version != READER_SCHEMA_VERSION)
		return lcowmig__wire_fail(reader, place, field->name, LCOWMIG_E_UNSUPPORTED_VERSION, "is %u, only %u is understood",
					  (unsigned)(uint32_t)version, READER_SCHEMA_VERSION);
	return LCOWMIG_OK;
}

static lcowmig_status reader_payload(lcowmig__wire_reader *reader, const lcowmig__wire_message *message, void *target,
				     const reader_any *any, const lcowmig__wire_place *place)
{
	lcowmig_status status;

	if (any->type_url.size != message->type_url_size || memcmp(any->type_url.data, message->type_url, any->type_url.size) != 0)
		return lcowmig__wire_invalid(reader, place, "type_url", "is not %s", message->type_url);
	status = reader_version(reader, message, any->value, place);
	if (status == LCOWMIG_OK)
		status = reader_message(reader, message, target, any->value, place);
	if (status == LCOWMIG_OK)
		status = reader_complete(reader, message, target, place);
	return status;
}

static lcowmig_status reader_element(lcowmig__wire_reader *reader, const lcowmig__wire_field *field, void *element,
				     lcowmig__wire_bytes bytes, const lcowmig__wire_place *place)
{
	reader_any any = { { NULL, 0 }, { NULL, 0 } };
	lcowmig_status status;

	switch (field->kind) {
	case LCOWMIG__WIRE_TEXT:
		return lcowmig__wire_take_text(reader, place, NULL, field->size_limit, bytes, element);
	case LCOWMIG__WIRE_GUID:
		return lcowmig__wire_take_guid(reader, place, NULL, bytes, element);
	case LCOWMIG__WIRE_ENVELOPE:
		status = reader_any_merge(reader, bytes, &any, place);
		return status == LCOWMIG_OK ? reader_payload(reader, field->message, element, &any, place) : status;
	default:
		status = reader_message(reader, field->message, element, bytes, place);
		return status == LCOWMIG_OK ? reader_complete(reader, field->message, element, place) : status;
	}
}

static lcowmig_status reader_many(lcowmig__wire_reader *reader, const lcowmig__wire_field *field, void *target, lcowmig__wire_bytes bytes,
				  const lcowmig__wire_cursor *cursor, const lcowmig__wire_place *place)
{
	lcowmig__wire_place inner = { place, field->name, NULL, *(const size_t *)reader_member(target, field->presence) };
	void *element = NULL;
	lcowmig_status status = reader_push(reader, field, target, cursor, place, &element);
	bool outer;

	if (status != LCOWMIG_OK)
		return status;
	/* A list of bare values is part of its message, and so are their faults. */
	if (!field->message)
		return reader_element(reader, field, element, bytes, &inner);
	outer = reader_enter(reader);
	return reader_leave(reader, outer, reader_element(reader, field, element, bytes, &inner));
}

static lcowmig_status reader_key(lcowmig__wire_reader *reader, const lcowmig__wire_field *field, lcowmig__wire_cursor *cursor,
				 pb_wire_type_t type, reader_entry *entry, const lcowmig__wire_place *place)
{
	bool is_number = field->key_kind == LCOWMIG__WIRE_UINT32 || field->key_kind == LCOWMIG__WIRE_UINT64;
	lcowmig_status status = lcowmig__wire_check_type(reader, place, "key", type, is_number ? PB_WT_VARINT : PB_WT_STRING);
	lcowmig__wire_bytes bytes;

	if (status != LCOWMIG_OK)
		return status;
	if (is_number) {
		if (!lcowmig__wire_cursor_varint(cursor, &entry->number))
			return lcowmig__wire_broken(reader, place, "key", cursor);
		if (field->key_kind == LCOWMIG__WIRE_UINT32)
			entry->number = (uint32_t)entry->number;
		return LCOWMIG_OK;
	}
	if (!lcowmig__wire_cursor_bytes(cursor, &bytes))
		return lcowmig__wire_broken(reader, place, "key", cursor);
	if (field->key_kind == LCOWMIG__WIRE_TEXT)
		return lcowmig__wire_take_text(reader, place, "key", field->key_size_limit, bytes, &entry->text);
	status = lcowmig__wire_take_guid(reader, place, "key", bytes, &entry->guid);
	if (status == LCOWMIG_OK)
		memcpy(entry->guid_text, bytes.data, bytes.size); /* 36 of them, as it was a GUID */
	return status;
}

/* Finds the key before the value is read, so that errors in the value can name it; the two may come in any order and repeatedly. */
static lcowmig_status reader_entry_key(lcowmig__wire_reader *reader, const lcowmig__wire_field *field, lcowmig__wire_bytes bytes,
				       reader_entry *entry, const lcowmig__wire_place *place)
{
	lcowmig__wire_cursor cursor;
	lcowmig__wire_step step;
	pb_wire_type_t type;
	bool has_key = false;
	uint32_t tag;

	lcowmig__wire_cursor_open(&cursor, bytes);
	while ((step = lcowmig__wire_cursor_next(&cursor, &tag, &type)) == LCOWMIG__WIRE_STEP_FIELD) {
		lcowmig_status status = LCOWMIG_OK;

		if (tag == READER_KEY_TAG) {
			status = reader_key(reader, field, &cursor, type, entry, place);
			has_key = true;
		} else if (!lcowmig__wire_cursor_skip(&cursor, type)) {
			status = lcowmig__wire_broken(reader, place, NULL, &cursor);
		} else if (tag == READER_VALUE_TAG) {
			status = lcowmig__wire_check_type(reader, place, "value", type, PB_WT_STRING);
			entry->has_value = true;
		}
		if (status != LCOWMIG_OK)
			return status;
	}
	if (step != LCOWMIG__WIRE_STEP_END)
		return lcowmig__wire_broken(reader, place, NULL, &cursor);
	if (!has_key && field->key_kind == LCOWMIG__WIRE_GUID)
		return lcowmig__wire_invalid(reader, place, "key", "is not a GUID");
	if ((field->flags & LCOWMIG__WIRE_KEY_NOT_EMPTY) && !entry->text[0])
		return lcowmig__wire_invalid(reader, place, "key", "is empty");
	return LCOWMIG_OK;
}

/* The entry itself was found well-formed when its key was looked for; only its values can still be wrong. */
static lcowmig_status reader_entry_value(lcowmig__wire_reader *reader, const lcowmig__wire_field *field, lcowmig__wire_bytes bytes,
					 void *element, const lcowmig__wire_place *place)
{
	reader_any any = { { NULL, 0 }, { NULL, 0 } };
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__wire_cursor cursor;
	pb_wire_type_t type;
	uint32_t tag;

	lcowmig__wire_cursor_open(&cursor, bytes);
	while (status == LCOWMIG_OK && lcowmig__wire_cursor_next(&cursor, &tag, &type) == LCOWMIG__WIRE_STEP_FIELD) {
		lcowmig__wire_bytes value = { NULL, 0 };

		if (tag != READER_VALUE_TAG) {
			lcowmig__wire_cursor_skip(&cursor, type);
			continue;
		}
		lcowmig__wire_cursor_bytes(&cursor, &value);
		if (field->kind == LCOWMIG__WIRE_ENVELOPE)
			status = reader_any_merge(reader, value, &any, place);
		else
			status = reader_message(reader, field->message, element, value, place);
	}
	if (status != LCOWMIG_OK)
		return status;
	if (field->kind == LCOWMIG__WIRE_ENVELOPE)
		return reader_payload(reader, field->message, element, &any, place);
	return reader_complete(reader, field->message, element, place);
}

static void reader_set_key(const lcowmig__wire_field *field, void *element, const reader_entry *entry)
{
	void *key = reader_member(element, field->key_offset);

	switch (field->key_kind) {
	case LCOWMIG__WIRE_TEXT:
		*(const char **)key = entry->text;
		break;
	case LCOWMIG__WIRE_GUID:
		*(lcowmig_guid *)key = entry->guid;
		break;
	case LCOWMIG__WIRE_UINT32:
		*(uint32_t *)key = (uint32_t)entry->number;
		break;
	default:
		*(uint64_t *)key = entry->number;
		break;
	}
}

static lcowmig_status reader_map(lcowmig__wire_reader *reader, const lcowmig__wire_field *field, void *target, lcowmig__wire_bytes bytes,
				 const lcowmig__wire_cursor *cursor, const lcowmig__wire_place *place)
{
	lcowmig__wire_place inner = { place, field->name, NULL, LCOWMIG__WIRE_NO_INDEX };
	reader_entry entry = { .text = "" };
	void *element = NULL;
	lcowmig_status status = reader_entry_key(reader, field, bytes, &entry, &inner);
	bool outer;

	if (status != LCOWMIG_OK)
		return status;
	inner.index = entry.number;
	if (field->key_kind == LCOWMIG__WIRE_TEXT)
		inner.key = entry.text;
	else if (field->key_kind == LCOWMIG__WIRE_GUID)
		inner.key = entry.guid_text;
	if (!entry.has_value && (field->flags & LCOWMIG__WIRE_REQUIRED))
		return lcowmig__wire_invalid(reader, &inner, NULL, "has no content");
	if (!entry.has_value && (field->flags & LCOWMIG__WIRE_SKIP_NO_VALUE) && !reader->strict)
		return LCOWMIG_OK;
	status = reader_push(reader, field, target, cursor, place, &element);
	if (status != LCOWMIG_OK)
		return status;
	if (!(field->flags & LCOWMIG__WIRE_KEY_REPEATED))
		reader_set_key(field, element, &entry);
	outer = reader_enter(reader);
	status = reader_entry_value(reader, field, bytes, element, &inner);
	if (status == LCOWMIG_OK && (field->flags & LCOWMIG__WIRE_KEY_REPEATED) &&
	    strcmp(entry.text, *(const char **)reader_member(element, field->key_offset)) != 0)
		status = lcowmig__wire_invalid(reader, &inner, NULL, "the id inside is not the map's key");
	if (status != LCOWMIG_OK)
		reader_set_key(field, element, &entry); /* whatever it is, it has this place */
	return reader_leave(reader, outer, status);
}

/* Takes the value of a field that the table knows. The payload of a single envelope is only gathered, because more may follow. */
static lcowmig_status reader_field(lcowmig__wire_reader *reader, const lcowmig__wire_field *field, void *target,
				   lcowmig__wire_cursor *cursor, reader_any *single, const lcowmig__wire_place *place)
{
	lcowmig__wire_place inner = { place, field->name, NULL, LCOWMIG__WIRE_NO_INDEX };
	void *member = reader_member(target, field->offset);
	lcowmig__wire_bytes bytes;
	uint64_t number;

	if (lcowmig__wire_type(field) == PB_WT_VARINT) {
		if (!lcowmig__wire_cursor_varint(cursor, &number))
			return lcowmig__wire_broken(reader, place, field->name, cursor);
		lcowmig__wire_take_number(field, member, number);
		return LCOWMIG_OK;
	}
	if (!lcowmig__wire_cursor_bytes(cursor, &bytes))
		return lcowmig__wire_broken(reader, place, field->name, cursor);
	if (field->shape == LCOWMIG__WIRE_MANY)
		return reader_many(reader, field, target, bytes, cursor, place);
	if (field->shape == LCOWMIG__WIRE_MAP)
		return reader_map(reader, field, target, bytes, cursor, place);
	if ((field->kind == LCOWMIG__WIRE_MESSAGE || field->kind == LCOWMIG__WIRE_ENVELOPE) && !(field->flags & LCOWMIG__WIRE_ALWAYS))
		*(bool *)reader_member(target, field->presence) = true;
	if (field->kind == LCOWMIG__WIRE_ENVELOPE)
		return reader_any_merge(reader, bytes, single, &inner);
	return reader_value(reader, field, member, bytes, place);
}

/* The one single envelope that a payload may contain, now that all of it has been gathered. */
static lcowmig_status reader_single(lcowmig__wire_reader *reader, const lcowmig__wire_field *field, void *target, bool is_present,
				    const reader_any *any, const lcowmig__wire_place *place)
{
	lcowmig__wire_place inner = { place, field->name, NULL, LCOWMIG__WIRE_NO_INDEX };

	if (is_present) {
		bool outer = reader_enter(reader);

		return reader_leave(reader, outer,
				    reader_payload(reader, field->message, reader_member(target, field->offset), any, &inner));
	}
	if (field->flags & LCOWMIG__WIRE_REQUIRED)
		return lcowmig__wire_tolerate(
			reader, lcowmig__wire_invalid(reader, &inner, NULL, "is missing"));
	return LCOWMIG_OK;
}

static const lcowmig__wire_field *reader_find_single(const lcowmig__wire_message *message)
{
	for (size_t i = 0; i < message->n_fields; i++) {
		const lcowmig__wire_field *field = &message->fields[i];

		if (field->kind == LCOWMIG__WIRE_ENVELOPE && field->shape == LCOWMIG__WIRE_ONE)
			return field;
	}
	return NULL;
}

static lcowmig_status reader_message(lcowmig__wire_reader *reader, const lcowmig__wire_message *message, void *target,
				     lcowmig__wire_bytes bytes, const lcowmig__wire_place *place)
{
	const lcowmig__wire_field *single = reader_find_single(message);
	reader_any any = { { NULL, 0 }, { NULL, 0 } };
	bool single_is_present = false;
	bool single_is_broken = false;
	lcowmig__wire_cursor cursor;
	lcowmig__wire_step step;
	pb_wire_type_t type;
	uint32_t tag;

	lcowmig__wire_cursor_open(&cursor, bytes);
	while ((step = lcowmig__wire_cursor_next(&cursor, &tag, &type)) == LCOWMIG__WIRE_STEP_FIELD) {
		const lcowmig__wire_field *field;
		lcowmig_status status;

		if (tag > message->n_fields) {
			if (!lcowmig__wire_cursor_skip(&cursor, type))
				return lcowmig__wire_broken(reader, place, NULL, &cursor);
			continue;
		}
		field = &message->fields[tag - 1];
		status = lcowmig__wire_check_type(reader, place, field->name, type, lcowmig__wire_type(field));
		if (status == LCOWMIG_OK)
			status = reader_field(reader, field, target, &cursor, &any, place);
		else if (!lcowmig__wire_cursor_skip(&cursor, type))
			return status;
		if (status != LCOWMIG_OK) {
			single_is_broken |= field == single;
			status = cursor.error ? status : reader_note(reader, status);
		}
		if (status != LCOWMIG_OK)
			return status;
		single_is_present |= field == single;
	}
	if (step != LCOWMIG__WIRE_STEP_END)
		return lcowmig__wire_broken(reader, place, NULL, &cursor);
	return single && !single_is_broken ? reader_single(reader, single, target, single_is_present, &any, place) : LCOWMIG_OK;
}

lcowmig_status lcowmig__wire_reader_init(lcowmig__wire_reader *reader, lcowmig__arena *arena, const lcowmig_limits *given, bool strict,
					 lcowmig_error *error)
{
	memset(reader, 0, sizeof *reader);
	reader->arena = arena;
	reader->strict = strict;
	reader->error = error;
	return lcowmig__limits_resolve(given, &reader->limits, error);
}

lcowmig_status lcowmig__wire_read(lcowmig__wire_reader *reader, const lcowmig__wire_message *message, const uint8_t *data, size_t size,
				  void *target)
{
	lcowmig__wire_place root = { NULL, message->name, NULL, LCOWMIG__WIRE_NO_INDEX };
	reader_any any = { { NULL, 0 }, { NULL, 0 } };
	lcowmig__wire_bytes bytes = { data, size };
	lcowmig_status status;

	if (!data || !size)
		return lcowmig__wire_invalid(reader, &root, NULL, "there is no envelope");
	if (size > reader->limits.envelope_bytes)
		return lcowmig__wire_fail(reader, &root, NULL, LCOWMIG_E_LIMIT_EXCEEDED, "%zu bytes, at most %u are accepted", size,
					  (unsigned)reader->limits.envelope_bytes);
	reader_prepare(message, target);
	status = reader_any_merge(reader, bytes, &any, &root);
	return status == LCOWMIG_OK ? reader_payload(reader, message, target, &any, &root) : status;
}

lcowmig_status lcowmig__wire_decode(const lcowmig__wire_message *message, lcowmig__arena *arena, const lcowmig_limits *limits,
				    const uint8_t *data, size_t size, void *ret_payload, lcowmig_error *error)
{
	lcowmig__wire_reader reader;
	lcowmig_status status = lcowmig__wire_reader_init(&reader, arena, limits, false, error);
	void *payload;

	if (status != LCOWMIG_OK)
		return status;
	payload = lcowmig__arena_alloc(arena, message->struct_size);
	if (!payload)
		return lcowmig__fail_memory(error);
	status = lcowmig__wire_read(&reader, message, data, size, payload);
	if (status == LCOWMIG_OK)
		memcpy(ret_payload, payload, message->struct_size);
	return status;
}
