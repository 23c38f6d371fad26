/* Where a mistake is: paths like sandbox.pods[0].containers[2].layers.scratch. */
#include "reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PLACE_KEY_SHOWN 48u

static void place_put(char *path, size_t *used, const char *format, ...) LCOWMIG__PRINTF(3, 4);
static void place_put(char *path, size_t *used, const char *format, ...)
{
	size_t room = LCOWMIG__WIRE_PATH_SIZE - *used;
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	length = (size_t)vsnprintf(path + *used, room, format, arguments);
	va_end(arguments);
	*used += length < room ? length : room - 1;
}

/* Foreign text: cut short, and nothing that could disturb a log line or end the quotes. */
static void place_put_key(char *path, size_t *used, const char *key)
{
	char shown[PLACE_KEY_SHOWN + 1];
	size_t length = 0;

	for (; length < PLACE_KEY_SHOWN && key[length]; length++)
		shown[length] = key[length] < ' ' || key[length] > '~' || key[length] == '"' ? '?' : key[length];
	shown[length] = '\0';
	place_put(path, used, "[\"%s%s\"]", shown, key[length] ? "..." : "");
}

/* Recursive over our own tables' depth, which is fixed. */
static void place_print(const lcowmig__wire_place *place, char *path, size_t *used)
{
	if (place->above) {
		place_print(place->above, path, used);
		place_put(path, used, ".");
	}
	place_put(path, used, "%s", place->name);
	if (place->key)
		place_put_key(path, used, place->key);
	else if (place->index != LCOWMIG__WIRE_NO_INDEX)
		place_put(path, used, "[%" PRIu64 "]", place->index);
}

void lcowmig__wire_path(const lcowmig__wire_place *place, const char *name, char ret_path[LCOWMIG__WIRE_PATH_SIZE])
{
	size_t used = 0;

	place_print(place, ret_path, &used);
	if (name)
		place_put(ret_path, &used, ".%s", name);
}

static lcowmig_status place_fail(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
				 lcowmig_status status, const char *format, va_list arguments)
{
	char sentence[LCOWMIG_ERROR_MESSAGE_SIZE];
	char path[LCOWMIG__WIRE_PATH_SIZE];

	if (!reader->error)
		return status;
	lcowmig__wire_path(place, name, path);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	return lcowmig__fail(reader->error, status, "%s: %s", path, sentence);
}

lcowmig_status lcowmig__wire_fail(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
				  lcowmig_status status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	status = place_fail(reader, place, name, status, format, arguments);
	va_end(arguments);
	return status;
}

lcowmig_status lcowmig__wire_invalid(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
				     const char *format, ...)
{
	lcowmig_status status;
	va_list arguments;

	va_start(arguments, format);
	status = place_fail(reader, place, name, LCOWMIG_E_INVALID_ARGUMENT, format, arguments);
	va_end(arguments);
	return status;
}

lcowmig_status lcowmig__wire_fail_inner(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
					lcowmig_status status)
{
	char path[LCOWMIG__WIRE_PATH_SIZE];

	if (!reader->error)
		return status;
	lcowmig__wire_path(place, name, path);
	return lcowmig__wrap(reader->error, status, "%s", path);
}
