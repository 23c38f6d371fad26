#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "text.h"

/* The next number of checked text at or after `at`, where there is one; strings are passed over. */
static size_t json_find_number(const char *text, size_t at)
{
	while (text[at] != '-' && !(text[at] >= '0' && text[at] <= '9'))
		at = text[at] == '"' ? lcowmig__json_skip_string(text, at) : at + 1;
	return at;
}

/* Makes the node a raw one unless cJSON would print the very same digits. */
static bool json_keep_number(cJSON *item, const char *digits, size_t length)
{
	char printed[64];
	char *copy;
	size_t printed_length = (size_t)snprintf(printed, sizeof printed, "%1.15g", item->valuedouble);

	if (printed_length == length && memcmp(printed, digits, length) == 0)
		return true;
	copy = cJSON_malloc(length + 1);
	if (!copy)
		return false;
	memcpy(copy, digits, length);
	copy[length] = '\0';
	item->valuestring = copy;
	item->type = (item->type & ~0xFF) | cJSON_Raw;
	return true;
}

/* Walks tree and text in step: both are in document order, so the n-th number node is the n-th number of the text. */
static bool json_keep_numbers(cJSON *item, const char *text, size_t size, size_t *at)
{
	for (; item; item = item->next) {
		if (cJSON_IsNumber(item)) {
			size_t start = json_find_number(text, *at);

			*at = lcowmig__json_skip_number(text, size, start);
			if (!json_keep_number(item, text + start, *at - start))
				return false;
		} else if (!json_keep_numbers(item->child, text, size, at)) {
			return false;
		}
	}
	return true;
}

lcowmig_status lcowmig__json_validate(const char *what, const char *text, size_t size, size_t size_limit, const lcowmig_limits *limits,
				      lcowmig_error *error)
{
	const char *problem = NULL;
	lcowmig_status status;
	size_t at = 0;

	if (size > size_limit)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "%s: %zu bytes of JSON, at most %zu are accepted", what, size,
				     size_limit);
	status = lcowmig__json_check(text, size, limits, &at, &problem);
	if (status)
		return lcowmig__fail(error, status, "%s: the JSON has %s, at byte %zu of %zu", what, problem, at, size);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__json_parse(const char *what, const char *text, size_t size, size_t size_limit,
				   const lcowmig_limits *limits, cJSON **ret_tree, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__json_validate(what, text, size, size_limit, limits, error);
	cJSON *tree;
	size_t at = 0;

	if (status)
		return status;
	tree = cJSON_ParseWithLength(text, size);
	if (!tree)
		return lcowmig__fail_memory(error);
	if (!json_keep_numbers(tree, text, size, &at)) {
		cJSON_Delete(tree);
		return lcowmig__fail_memory(error);
	}
	*ret_tree = tree;
	return LCOWMIG_OK;
}

char *lcowmig__json_print(const lcowmig__mem *mem, const cJSON *tree)
{
	char *printed = tree ? cJSON_PrintUnformatted(tree) : NULL;
	char *copy = lcowmig__strdup(mem, printed);

	cJSON_free(printed);
	return copy;
}

const cJSON *lcowmig__json_get(const cJSON *object, const char *key)
{
	const cJSON *exact = NULL;
	const cJSON *similar = NULL;
	const cJSON *item;

	if (!cJSON_IsObject(object))
		return NULL;
	for (item = object->child; item; item = item->next) {
		if (strcmp(item->string, key) == 0)
			exact = item;
		else if (lcowmig__text_compare_nocase(item->string, key) == 0)
			similar = item;
	}
	return exact ? exact : similar;
}

const char *lcowmig__json_string(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(lcowmig__json_get(object, key));
}

bool lcowmig__json_bool(const cJSON *object, const char *key)
{
	return cJSON_IsTrue(lcowmig__json_get(object, key));
}

/* Sign and magnitude of an integer, whichever node holds it. */
static bool json_integer(const cJSON *item, bool *ret_negative, uint64_t *ret_magnitude)
{
	char digits[LCOWMIG__JSON_NUMBER_MAX + 1];
	const char *text = digits;
	bool negative;
	uint64_t magnitude;
	char *end;

	if (cJSON_IsNumber(item))
		snprintf(digits, sizeof digits, "%.17g", item->valuedouble);
	else if (cJSON_IsRaw(item))
		text = item->valuestring;
	else
		return false;
	negative = text[0] == '-';
	text += negative;
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	magnitude = strtoull(text, &end, 10);
	if (errno || *end)
		return false;
	*ret_negative = negative && magnitude;
	*ret_magnitude = magnitude;
	return true;
}

bool lcowmig__json_int64(const cJSON *object, const char *key, int64_t *ret_value)
{
	bool negative;
	uint64_t magnitude;

	if (!json_integer(lcowmig__json_get(object, key), &negative, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative)
		return false;
	/* One less and back, because the smallest value has no positive counterpart. */
	*ret_value = negative ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
	return true;
}

bool lcowmig__json_uint64(const cJSON *object, const char *key, uint64_t *ret_value)
{
	bool negative;
	uint64_t magnitude;

	if (!json_integer(lcowmig__json_get(object, key), &negative, &magnitude) || negative)
		return false;
	*ret_value = magnitude;
	return true;
}

bool lcowmig__json_uint32(const cJSON *object, const char *key, uint32_t *ret_value)
{
	uint64_t value;

	if (!lcowmig__json_uint64(object, key, &value) || value > UINT32_MAX)
		return false;
	*ret_value = (uint32_t)value;
	return true;
}

bool lcowmig__json_add_item(cJSON *object, const char *key, cJSON *item)
{
	if (object && item && cJSON_AddItemToObject(object, key, item))
		return true;
	cJSON_Delete(item);
	return false;
}

bool lcowmig__json_add_string(cJSON *object, const char *key, const char *value)
{
	if (!object || lcowmig__text_is_empty(value))
		return object != NULL;
	return lcowmig__json_add_item(object, key, cJSON_CreateString(value));
}

bool lcowmig__json_add_bool(cJSON *object, const char *key, bool value)
{
	if (!object || !value)
		return object != NULL;
	return lcowmig__json_add_item(object, key, cJSON_CreateTrue());
}
