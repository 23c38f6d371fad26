/* The JSON of requests: checked, completed, and otherwise sent byte for byte as it was given. */
#include "gcs.h"

#include <string.h>

#include "base/json.h"
#include "base/json_text.h"
#include "base/text.h"

static lcowmig_status document_check(const lcowmig_gcs *gcs, const char *document, size_t size, lcowmig_error *error)
{
	const lcowmig_limits *limits = &gcs->context->limits;
	const char *problem = NULL;
	lcowmig_status status;
	size_t at = 0;

	if (size > limits->document_bytes)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "guest request: the document has %lu bytes, at most %lu are accepted",
				     (unsigned long)size, (unsigned long)limits->document_bytes);
	status = lcowmig__json_check(document, size, limits, &at, &problem);
	if (status != LCOWMIG_OK)
		return lcowmig__fail(error, status, "guest request: the JSON has %s, at byte %lu", problem, (unsigned long)at);
	if (!lcowmig__json_is_object(document, size))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "guest request: the document is no JSON object");
	return LCOWMIG_OK;
}

static bool document_has(const char *document, size_t size, const char *key)
{
	lcowmig__json_span span;

	return lcowmig__json_find(document, size, key, &span);
}

/* Only the characters that header values are made of; anything else would need escaping and is no trace context. */
static bool trace_is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e || *text == '"' || *text == '\\')
			return false;
	return true;
}

static void document_put_trace(lcowmig_gcs *gcs, lcowmig__buf *buf)
{
	const lcowmig_platform *platform = &gcs->context->platform;
	char parent[64] = "";
	char state[520] = "";

	if (!platform->trace)
		return;
	platform->trace(platform->user, parent, sizeof parent, state, sizeof state);
	parent[sizeof parent - 1] = '\0';
	state[sizeof state - 1] = '\0';
	if (!parent[0] || !trace_is_plain(parent) || !trace_is_plain(state))
		return;
	lcowmig__json_write(buf, "otsc:{traceparent:s tracestate:s}", parent, state);
}

lcowmig_status lcowmig__document_frame(lcowmig_gcs *gcs, uint32_t message, const char *container_id, const char *document,
				       lcowmig__buf *ret_frame, lcowmig_error *error)
{
	static const uint8_t header[LCOWMIG__FRAME_HEADER] = { 0 };
	const char *id = container_id ? container_id : LCOWMIG__NULL_GUID;
	const char *text = document ? document : "{}";
	size_t size = strlen(text);
	lcowmig_status status = document_check(gcs, text, size, error);
	bool needs_container, needs_activity;
	size_t start;

	if (status != LCOWMIG_OK)
		return status;
	needs_container = !document_has(text, size, "ContainerId");
	needs_activity = !document_has(text, size, "ActivityId");
	if (needs_container && !lcowmig__utf8_is_valid(id, strlen(id)))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "guest request: the container id is not valid UTF-8");
	while (text[size - 1] != '}')
		size--;
	start = lcowmig__json_skip_space(text, size, 0) + 1;
	lcowmig__buf_reserve(ret_frame, size + 256);
	lcowmig__buf_append(ret_frame, header, sizeof header);
	lcowmig__buf_text(ret_frame, "{");
	/* The members that every request has, in front of those given. */
	if (needs_container)
		lcowmig__json_write(ret_frame, "ContainerId:S", id);
	if (needs_activity)
		lcowmig__json_write(ret_frame, "ActivityId:s", LCOWMIG__NULL_GUID);
	if (lcowmig__json_skip_space(text, size, start) != size - 1) {
		if (needs_container || needs_activity)
			lcowmig__buf_text(ret_frame, ",");
		lcowmig__buf_append(ret_frame, text + start, size - 1 - start);
	}
	if (message != LCOWMIG_GCS_NEGOTIATE_PROTOCOL && !document_has(text, size, "otsc"))
		document_put_trace(gcs, ret_frame);
	lcowmig__buf_text(ret_frame, "}\n");
	return ret_frame->failed ? lcowmig__fail_memory(error) : LCOWMIG_OK;
}
