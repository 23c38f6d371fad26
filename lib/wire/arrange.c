/* Arrays whose elements have a key: in order of the keys, none of them twice. */
#include <string.h>

#include "base/guid.h"
#include "reader.h"

static int arrange_order(const void *a, const void *b, const void *context)
{
	const lcowmig__wire_field *field = context;
	const void *left = (const char *)a + field->key_offset;
	const void *right = (const char *)b + field->key_offset;
	uint64_t numbers[2];

	switch (field->key_kind) {
	case LCOWMIG__WIRE_TEXT:
		return strcmp(*(const char *const *)left, *(const char *const *)right);
	case LCOWMIG__WIRE_GUID:
		return lcowmig__guid_compare(left, right);
	case LCOWMIG__WIRE_UINT32:
		numbers[0] = *(const uint32_t *)left;
		numbers[1] = *(const uint32_t *)right;
		break;
	default:
		numbers[0] = *(const uint64_t *)left;
		numbers[1] = *(const uint64_t *)right;
		break;
	}
	return (numbers[0] > numbers[1]) - (numbers[0] < numbers[1]);
}

static lcowmig_status arrange_twice(const lcowmig__wire_reader *reader, const lcowmig__wire_field *field, const void *element,
				    const lcowmig__wire_place *place)
{
	lcowmig__wire_place inner = { place, field->name, NULL, LCOWMIG__WIRE_NO_INDEX };
	const void *key = (const char *)element + field->key_offset;
	char guid[LCOWMIG_GUID_TEXT_SIZE];

	switch (field->key_kind) {
	case LCOWMIG__WIRE_TEXT:
		inner.key = *(const char *const *)key;
		break;
	case LCOWMIG__WIRE_GUID:
		lcowmig_guid_format(key, guid);
		inner.key = guid;
		break;
	case LCOWMIG__WIRE_UINT32:
		inner.index = *(const uint32_t *)key;
		break;
	default:
		inner.index = *(const uint64_t *)key;
		break;
	}
	return lcowmig__wire_invalid(reader, &inner, NULL, "occurs more than once");
}

/* Elements that have been reported for what they are may all lack a key. */
static bool arrange_is_twice(const lcowmig__wire_reader *reader, const lcowmig__wire_field *field, const void *element)
{
	const char *const *key = (const void *)((const char *)element + field->key_offset);

	if (reader->problems && (field->flags & LCOWMIG__WIRE_SORTED) && !(*key)[0])
		return false;
	return arrange_order((const char *)element - field->element_size, element, field) == 0;
}

static lcowmig_status arrange_field(const lcowmig__wire_reader *reader, const lcowmig__wire_field *field, const void *target,
				    const lcowmig__wire_place *place)
{
	lcowmig_status status = LCOWMIG_OK;
	size_t count;
	char *array;

	memcpy(&array, (const char *)target + field->offset, sizeof array);
	memcpy(&count, (const char *)target + field->presence, sizeof count);
	if (!lcowmig__wire_sort(reader->arena, array, count, field->element_size, arrange_order, field))
		return lcowmig__fail_memory(reader->error);
	for (size_t i = 1; status == LCOWMIG_OK && i < count; i++) {
		const char *element = array + i * field->element_size;

		if (arrange_is_twice(reader, field, element))
			status = lcowmig__wire_tolerate(reader, arrange_twice(reader, field, element, place));
	}
	return status;
}

lcowmig_status lcowmig__wire_arrange(const lcowmig__wire_reader *reader, const lcowmig__wire_message *message, const void *target,
				     const lcowmig__wire_place *place)
{
	lcowmig_status status = LCOWMIG_OK;

	for (size_t i = 0; status == LCOWMIG_OK && i < message->n_fields; i++) {
		const lcowmig__wire_field *field = &message->fields[i];

		if (field->shape == LCOWMIG__WIRE_MAP || (field->flags & LCOWMIG__WIRE_SORTED))
			status = arrange_field(reader, field, target, place);
	}
	return status;
}
