/* Reading the guest's answers. They come from another machine: nothing in them is taken for granted. */
#include <string.h>

#include "base/text.h"
#include "guest.h"

static lcowmig_status reply_parse(const lcowmig__flow *flow, const char *what, cJSON **ret_tree, lcowmig_error *error)
{
	const lcowmig_limits *limits = &flow->context->limits;
	lcowmig_status status;
	cJSON *tree = NULL;

	if (!flow->rest->reply.size)
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "%s: the answer is empty", what);
	status = lcowmig__json_parse(what, flow->rest->reply.data, flow->rest->reply.size, limits->document_bytes, limits, &tree, error);
	if (status != LCOWMIG_OK)
		return status;
	if (!cJSON_IsObject(tree)) {
		cJSON_Delete(tree);
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "%s: the answer is not an object", what);
	}
	*ret_tree = tree;
	return LCOWMIG_OK;
}

/* A 32-bit number as everybody writes it, read without memory: an id that is lost would leave its process behind. */
static bool reply_plain_number(const char *text, size_t size, const char *key, uint32_t *ret_number)
{
	lcowmig__json_span span;
	uint64_t number = 0;
	size_t at;

	if (!lcowmig__json_find(text, size, key, &span) || span.value_end - span.value_start > 10)
		return false;
	for (at = span.value_start; at < span.value_end; at++) {
		if (text[at] < '0' || text[at] > '9')
			return false;
		number = number * 10 + (uint64_t)(text[at] - '0');
	}
	if (number > UINT32_MAX)
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

/* A 32-bit number; one that is absent is zero where `may_be_absent`. */
static lcowmig_status reply_number(const lcowmig__flow *flow, const char *what, const char *key, bool may_be_absent, uint32_t *ret_number,
                                   lcowmig_error *error)
{
	const lcowmig_limits *limits = &flow->context->limits;
	const lcowmig__buf *reply = &flow->rest->reply;
	lcowmig_status status;
	uint32_t number = 0;
	cJSON *tree = NULL;

	if (reply->size && lcowmig__json_validate(what, reply->data, reply->size, limits->document_bytes, limits, NULL) == LCOWMIG_OK &&
	    reply_plain_number(reply->data, reply->size, key, ret_number))
		return LCOWMIG_OK;
	status = reply_parse(flow, what, &tree, error);
	if (status != LCOWMIG_OK)
		return status;
	if (!lcowmig__json_uint32(tree, key, &number) && !(may_be_absent && !lcowmig__json_get(tree, key)))
		status = lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "%s: the answer has no %s of 32 bits", what, key);
	else
		*ret_number = number;
	cJSON_Delete(tree);
	return status;
}

lcowmig_status lcowmig__guest_reply_process_id(const lcowmig__flow *flow, uint32_t *ret_pid, lcowmig_error *error)
{
	return reply_number(flow, "guest execute process", "ProcessId", false, ret_pid, error);
}

lcowmig_status lcowmig__guest_reply_exit_code(const lcowmig__flow *flow, uint32_t *ret_code, lcowmig_error *error)
{
	return reply_number(flow, "guest wait for process", "ExitCode", true, ret_code, error);
}

/* A copy of a string member, `standard` when it is absent. */
static lcowmig_status reply_text(const lcowmig__flow *flow, const char *what, const char *key, const char *standard, char **ret_text,
                                 lcowmig_error *error)
{
	const cJSON *member;
	lcowmig_status status;
	cJSON *tree = NULL;
	char *text;

	status = reply_parse(flow, what, &tree, error);
	if (status != LCOWMIG_OK)
		return status;
	member = lcowmig__json_get(tree, key);
	if (member && !cJSON_IsString(member) && !cJSON_IsNull(member)) {
		cJSON_Delete(tree);
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "%s: %s is not a string", what, key);
	}
	text = cJSON_GetStringValue(member);
	text = lcowmig__strdup(&flow->context->mem, lcowmig__text_is_empty(text) ? standard : text);
	cJSON_Delete(tree);
	if (!text)
		return lcowmig__fail_memory(error);
	*ret_text = text;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__guest_reply_stacks(const lcowmig__flow *flow, char **ret_text, lcowmig_error *error)
{
	return reply_text(flow, "guest dump stacks", "GuestStacks", "", ret_text, error);
}

/* The inner document as text and as a tree; both are the caller's. */
static lcowmig_status reply_properties(const lcowmig__flow *flow, char **ret_json, cJSON **ret_tree, lcowmig_error *error)
{
	const lcowmig_limits *limits = &flow->context->limits;
	lcowmig_status status;
	char *json = NULL;

	status = reply_text(flow, "guest properties", "Properties", "{}", &json, error);
	if (status != LCOWMIG_OK)
		return status;
	status = lcowmig__json_parse("guest properties", json, strlen(json), limits->document_bytes, limits, ret_tree, error);
	if (status == LCOWMIG_OK)
		*ret_json = json;
	else
		lcowmig__free(&flow->context->mem, json);
	return status;
}

lcowmig_status lcowmig__guest_reply_properties(const lcowmig__flow *flow, char **ret_json, lcowmig_error *error)
{
	cJSON *tree = NULL;
	lcowmig_status status = reply_properties(flow, ret_json, &tree, error);

	cJSON_Delete(tree);
	return status;
}

static lcowmig_status read_pids(const cJSON *list, uint32_t *pids, size_t *ret_count, lcowmig_error *error)
{
	const cJSON *item;
	size_t count = 0;

	for (item = list->child; item; item = item->next)
		if (!lcowmig__json_uint32(item, "ProcessId", &pids[count++]))
			return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "guest properties: ProcessList[%zu] has no ProcessId",
					     count - 1);
	*ret_count = count;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__guest_reply_processes(const lcowmig__flow *flow, uint32_t **ret_pids, size_t *ret_count, lcowmig_error *error)
{
	const lcowmig__mem *mem = &flow->context->mem;
	lcowmig_status status;
	uint32_t *pids = NULL;
	size_t count = 0;
	const cJSON *list;
	cJSON *tree = NULL;
	char *json = NULL;
	int size;

	status = reply_properties(flow, &json, &tree, error);
	lcowmig__free(mem, json);
	if (status != LCOWMIG_OK)
		return status;
	list = lcowmig__json_get(tree, "ProcessList");
	size = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
	if (size) {
		pids = lcowmig__alloc_array(mem, (size_t)size, sizeof *pids);
		status = pids ? read_pids(list, pids, &count, error) : lcowmig__fail_memory(error);
	}
	cJSON_Delete(tree);
	if (status != LCOWMIG_OK) {
		lcowmig__free(mem, pids);
		return status;
	}
	*ret_pids = pids;
	*ret_count = count;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__guest_reply_capabilities(const lcowmig__flow *flow, lcowmig__guest_capabilities *ret_capabilities,
                                                 lcowmig_error *error)
{
	lcowmig__guest_capabilities capabilities = { 0 };
	const cJSON *defined;
	lcowmig_status status;
	cJSON *tree = NULL;

	status = reply_parse(flow, "guest capabilities", &tree, error);
	if (status != LCOWMIG_OK)
		return status;
	defined = lcowmig__json_get(tree, "GuestDefinedCapabilities");
	capabilities.supports_namespaces = lcowmig__json_bool(defined, "NamespaceAddRequestSupported");
	capabilities.supports_signals = lcowmig__json_bool(defined, "SignalProcessSupported");
	capabilities.supports_dump_stacks = lcowmig__json_bool(defined, "DumpStacksSupported");
	capabilities.supports_delete_state = lcowmig__json_bool(defined, "DeleteContainerStateSupported");
	capabilities.wants_create_message = lcowmig__json_bool(tree, "SendHostCreateMessage");
	capabilities.wants_start_message = lcowmig__json_bool(tree, "SendHostStartMessage");
	cJSON_Delete(tree);
	*ret_capabilities = capabilities;
	return LCOWMIG_OK;
}
