/* Timelines of sessions as one trace for chrome://tracing and Perfetto: a track for each file. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tool.h"

/* The event that names a track. */
static cJSON *trace_name(unsigned track, const char *name)
{
	cJSON *event = cJSON_CreateObject();
	cJSON *arguments;

	cJSON_AddStringToObject(event, "name", "process_name");
	cJSON_AddStringToObject(event, "ph", "M");
	cJSON_AddNumberToObject(event, "pid", track);
	arguments = cJSON_AddObjectToObject(event, "args");
	cJSON_AddStringToObject(arguments, "name", name);
	return event;
}

static lcowmig_status trace_check(const cJSON *event, size_t index, lcowmig_error *error)
{
	static const char *const numbers[] = { "ts", "dur" };
	size_t i;

	if (!lcowmig__json_string(event, "name"))
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "traceEvents[%zu].name: expected a text", index);
	for (i = 0; i < LCOWMIG__COUNT(numbers); i++) {
		const cJSON *number = lcowmig__json_get(event, numbers[i]);

		/* A number that a double cannot hold exactly is kept as its digits. */
		if (!cJSON_IsNumber(number) && !cJSON_IsRaw(number))
			return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "traceEvents[%zu].%s: expected a number of microseconds", index,
			                     numbers[i]);
	}
	return LCOWMIG_OK;
}

lcowmig_status tool_trace_add(cJSON *trace, unsigned track, const char *name, const char *text, size_t size, lcowmig_error *error)
{
	cJSON *events = cJSON_GetObjectItemCaseSensitive(trace, "traceEvents");
	lcowmig_status status;
	const cJSON *given;
	cJSON *tree, *event;
	size_t index = 0;

	status = lcowmig__json_parse("timeline", text, size, LCOWMIG_LIMIT_DOCUMENT_BYTES, NULL, &tree, error);
	if (status != LCOWMIG_OK)
		return status;
	given = lcowmig__json_get(tree, "traceEvents");
	if (!cJSON_IsArray(given))
		status = lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "traceEvents: expected the array of a session's timeline");
	else
		cJSON_AddItemToArray(events, trace_name(track, name));
	while (status == LCOWMIG_OK && (event = cJSON_DetachItemFromArray(cJSON_GetObjectItemCaseSensitive(tree, "traceEvents"), 0)) != NULL) {
		status = trace_check(event, index++, error);
		cJSON_DeleteItemFromObjectCaseSensitive(event, "pid");
		cJSON_AddNumberToObject(event, "pid", track);
		cJSON_AddItemToArray(events, event);
	}
	cJSON_Delete(tree);
	return status;
}

cJSON *tool_trace_new(void)
{
	cJSON *trace = cJSON_CreateObject();

	cJSON_AddStringToObject(trace, "displayTimeUnit", "ms");
	cJSON_AddArrayToObject(trace, "traceEvents");
	return trace;
}
