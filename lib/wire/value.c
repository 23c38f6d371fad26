#include "value.h"

#include <string.h>

#include "base/text.h"

uint32_t lcowmig__wire_limit(const lcowmig__wire_reader *reader, size_t offset)
{
	uint32_t limit;

	memcpy(&limit, (const char *)&reader->limits + offset, sizeof limit);
	return limit;
}

lcowmig_status lcowmig__wire_broken(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
				    const lcowmig__wire_cursor *cursor)
{
	return lcowmig__wire_fail(reader, place, name, LCOWMIG_E_CORRUPT_DATA, "undecodable bytes (%s)",
				  lcowmig__wire_cursor_error(cursor));
}

pb_wire_type_t lcowmig__wire_type(const lcowmig__wire_field *field)
{
	if (field->shape == LCOWMIG__WIRE_MAP)
		return PB_WT_STRING;
	switch (field->kind) {
	case LCOWMIG__WIRE_VERSION:
	case LCOWMIG__WIRE_BOOL:
	case LCOWMIG__WIRE_UINT32:
	case LCOWMIG__WIRE_INT32:
	case LCOWMIG__WIRE_UINT64:
	case LCOWMIG__WIRE_INT64:
		return PB_WT_VARINT;
	default:
		return PB_WT_STRING;
	}
}

lcowmig_status lcowmig__wire_check_type(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
					pb_wire_type_t type, pb_wire_type_t expected)
{
	if (type == expected)
		return LCOWMIG_OK;
	return lcowmig__wire_fail(reader, place, name, LCOWMIG_E_CORRUPT_DATA, "has wire type %d where %d is expected", (int)type,
				  (int)expected);
}

/* What containers and pods are called here and by the guest is mostly the same, and stands side by side. */
static bool value_is_repeated(const lcowmig__wire_reader *reader, lcowmig__wire_bytes bytes)
{
	const lcowmig__wire_bytes *last = &reader->last_text;

	return last->size == bytes.size && memcmp(last->data, bytes.data, bytes.size) == 0;
}

lcowmig_status lcowmig__wire_take_text(lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
				       size_t size_limit, lcowmig__wire_bytes bytes, const char **ret_text)
{
	uint32_t limit = lcowmig__wire_limit(reader, size_limit);
	const char *text = (const char *)bytes.data;

	if (bytes.size > limit)
		return lcowmig__wire_fail(reader, place, name, LCOWMIG_E_LIMIT_EXCEEDED, "%zu bytes, at most %u are accepted", bytes.size,
					  (unsigned)limit);
	if (!bytes.size) {
		*ret_text = "";
		return LCOWMIG_OK;
	}
	if (value_is_repeated(reader, bytes)) {
		*ret_text = (const char *)reader->last_text.data;
		return LCOWMIG_OK;
	}
	if (!lcowmig__utf8_is_valid(text, bytes.size))
		return lcowmig__wire_fail(reader, place, name, LCOWMIG_E_CORRUPT_DATA, "is not valid UTF-8 or contains a NUL");
	text = lcowmig__arena_strndup(reader->arena, text, bytes.size);
	if (!text)
		return lcowmig__fail_memory(reader->error);
	reader->last_text = (lcowmig__wire_bytes){ (const uint8_t *)text, bytes.size };
	*ret_text = text;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__wire_take_bytes(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place,
					const lcowmig__wire_field *field, lcowmig__wire_bytes bytes, lcowmig__wire_bytes *ret_bytes)
{
	uint32_t limit = lcowmig__wire_limit(reader, field->size_limit);
	const char *copy = NULL;

	if (bytes.size > limit)
		return lcowmig__wire_fail(reader, place, field->name, LCOWMIG_E_LIMIT_EXCEEDED, "%zu bytes, at most %u are accepted",
					  bytes.size, (unsigned)limit);
	if (bytes.size) {
		copy = lcowmig__arena_strndup(reader->arena, (const char *)bytes.data, bytes.size);
		if (!copy)
			return lcowmig__fail_memory(reader->error);
	}
	ret_bytes->data = (const uint8_t *)copy;
	ret_bytes->size = bytes.size;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__wire_take_guid(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
				       lcowmig__wire_bytes bytes, lcowmig_guid *ret_guid)
{
	char text[LCOWMIG_GUID_TEXT_SIZE] = "";

	if (bytes.size == sizeof text - 1)
		memcpy(text, bytes.data, bytes.size);
	if (lcowmig_guid_parse(text, ret_guid) != LCOWMIG_OK)
		return lcowmig__wire_invalid(reader, place, name, "is not a GUID");
	return LCOWMIG_OK;
}

void lcowmig__wire_take_number(const lcowmig__wire_field *field, void *member, uint64_t number)
{
	switch (field->kind) {
	case LCOWMIG__WIRE_BOOL:
		*(bool *)member = number != 0;
		break;
	case LCOWMIG__WIRE_UINT32:
		*(uint32_t *)member = (uint32_t)number;
		break;
	case LCOWMIG__WIRE_INT32:
		*(int32_t *)member = (int32_t)(uint32_t)number;
		break;
	case LCOWMIG__WIRE_UINT64:
		*(uint64_t *)member = number;
		break;
	case LCOWMIG__WIRE_INT64:
		*(int64_t *)member = (int64_t)number;
		break;
	default: /* the version, which was looked at before */
		break;
	}
}
