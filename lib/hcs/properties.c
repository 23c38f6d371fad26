#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "document_parts.h"
#include "documents.h"

lcowmig_status lcowmig__hcs_parse_object(const char *what, const lcowmig_limits *limits, const char *json, cJSON **ret_tree,
					 lcowmig_error *error)
{
	lcowmig_status status;
	cJSON *tree = NULL;

	if (lcowmig__text_is_empty(json))
		json = "{}";
	status = lcowmig__json_parse(what, json, strlen(json), limits->document_bytes, limits, &tree, error);
	if (status)
		return status;
	if (!cJSON_IsObject(tree)) {
		cJSON_Delete(tree);
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "%s: the JSON is not an object", what);
	}
	*ret_tree = tree;
	return LCOWMIG_OK;
}

static lcowmig_status compatibility_decode(const lcowmig__mem *mem, const lcowmig_limits *limits, const char *data, uint8_t **ret_bytes,
					   size_t *ret_size, lcowmig_error *error)
{
	lcowmig__buf buf;
	size_t size;
	bool ok;

	if (lcowmig__text_is_empty(data))
		return lcowmig__fail(error, LCOWMIG_E_HOST_FAILED, "compatibility query: the answer holds no CompatibilityInfo data");
	lcowmig__buf_init(&buf, mem);
	ok = lcowmig__base64_decode(&buf, data, strlen(data));
	size = buf.size;
	if (!ok || size > limits->compat_bytes) {
		lcowmig__buf_done(&buf);
		if (!ok)
			return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "compatibility query: the data is not base64");
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "compatibility query: %zu bytes of data, at most %u are accepted",
				     size, (unsigned)limits->compat_bytes);
	}
	data = lcowmig__buf_take(&buf);
	if (!data)
		return lcowmig__fail_memory(error);
	*ret_bytes = (uint8_t *)(uintptr_t)data;
	*ret_size = size;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__hcs_parse_compatibility(const lcowmig__mem *mem, const lcowmig_limits *limits, const char *json,
						uint8_t **ret_bytes, size_t *ret_size, lcowmig_error *error)
{
	const cJSON *response;
	lcowmig_status status;
	cJSON *tree = NULL;

	status = lcowmig__hcs_parse_object("compatibility query", limits, json, &tree, error);
	if (status)
		return status;
	response = lcowmig__json_get(lcowmig__json_get(lcowmig__json_get(tree, "PropertyResponses"), "CompatibilityInfo"), "Response");
	status = compatibility_decode(mem, limits, lcowmig__json_string(response, "Data"), ret_bytes, ret_size, error);
	cJSON_Delete(tree);
	return status;
}

lcowmig_status lcowmig__hcs_parse_runtime_id(const lcowmig_limits *limits, const char *json, char ret_text[LCOWMIG_GUID_TEXT_SIZE],
					     lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig_guid guid;
	cJSON *tree = NULL;
	const char *text;

	status = lcowmig__hcs_parse_object("system properties", limits, json, &tree, error);
	if (status)
		return status;
	text = lcowmig__json_string(tree, "RuntimeId");
	if (lcowmig__text_is_empty(text))
		ret_text[0] = '\0';
	else if (lcowmig_guid_parse(text, &guid) == LCOWMIG_OK)
		lcowmig_guid_format(&guid, ret_text);
	else
		status = lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "system properties: RuntimeId \"%.64s\" is not a GUID", text);
	cJSON_Delete(tree);
	return status;
}

lcowmig_status lcowmig__hcs_parse_exit(const lcowmig_limits *limits, const char *json, lcowmig__hcs_exit *ret_exit, lcowmig_error *error)
{
	lcowmig__hcs_exit result = { 0 };
	lcowmig_status status;
	int64_t value = 0;
	cJSON *tree = NULL;
	const char *type;

	status = lcowmig__hcs_parse_object("exit event", limits, json, &tree, error);
	if (status)
		return status;
	/* Written as a signed number by HCS; the unsigned spelling of an HRESULT is as clear. */
	if (lcowmig__json_int64(tree, "Status", &value) && value >= INT32_MIN && value <= (int64_t)UINT32_MAX)
		result.hresult = (uint32_t)value;
	type = lcowmig__json_string(tree, "ExitType");
	if (type) {
		snprintf(result.type, sizeof result.type, "%s", type);
		result.is_unexpected = strcmp(type, "UnexpectedExit") == 0;
	}
	cJSON_Delete(tree);
	*ret_exit = result;
	return LCOWMIG_OK;
}
