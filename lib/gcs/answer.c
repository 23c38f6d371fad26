/* The JSON of answers, and answers that nobody waits for yet. */
#include "gcs.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

/* "container \"c1\" not found (uvm.go:214 GetCreatedContainer)": the guest's own words and where it said them. */
static void outcome_read_message(lcowmig__outcome *outcome, const cJSON *tree)
{
	const cJSON *record = cJSON_GetArrayItem(lcowmig__json_get(tree, "ErrorRecords"), 0);
	const char *message = lcowmig__json_string(tree, "ErrorMessage");
	const char *file = lcowmig__json_string(record, "FileName");
	const char *function = lcowmig__json_string(record, "FunctionName");
	char place[96] = "";
	uint32_t line = UINT32_MAX;

	if (lcowmig__text_is_empty(message))
		message = lcowmig__json_string(record, "Message");
	if (lcowmig__text_is_empty(message))
		message = "the guest refused and gave no reason";
	if (!lcowmig__text_is_empty(file) && lcowmig__json_uint32(record, "Line", &line) && line != UINT32_MAX)
		snprintf(place, sizeof place, " (%s:%lu%s%s)", file, (unsigned long)line, function ? " " : "", function ? function : "");
	snprintf(outcome->message, sizeof outcome->message, "%s%s", message, strlen(place) + 1 < sizeof place ? place : "");
	lcowmig__text_trim(outcome->message, sizeof outcome->message);
}

static void outcome_read(lcowmig__outcome *outcome, const cJSON *tree)
{
	const cJSON *result = lcowmig__json_get(tree, "Result");
	int64_t value = 0;

	if (!cJSON_IsObject(tree) ||
	    (result && !cJSON_IsNull(result) && (!lcowmig__json_int64(tree, "Result", &value) || value < INT32_MIN || value > INT32_MAX))) {
		lcowmig__outcome_fail(outcome, LCOWMIG_E_CORRUPT_DATA, 0, "the guest's answer is no object with a 32-bit Result");
		return;
	}
	if (!value)
		return;
	outcome->status = LCOWMIG_E_GUEST_FAILED;
	outcome->hresult = (uint32_t)(int32_t)value;
	outcome_read_message(outcome, tree);
}

/* A plain zero, as a guest writes it. Answers that succeed need no memory then: none is lost that changed something in the guest. */
static bool answer_is_success(const char *text, size_t size)
{
	lcowmig__json_span span;

	return lcowmig__json_find(text, size, "Result", &span) && span.value_end - span.value_start == 1 && text[span.value_start] == '0';
}

void lcowmig__answer_read(const lcowmig_gcs *gcs, const char *text, size_t size, lcowmig__outcome *ret_outcome)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	cJSON *tree = NULL;

	memset(ret_outcome, 0, sizeof *ret_outcome);
	ret_outcome->status =
		lcowmig__json_validate("the guest's answer", text, size, LCOWMIG_GCS_FRAME_MAX, &gcs->context->limits, &error);
	if (ret_outcome->status == LCOWMIG_OK && !answer_is_success(text, size))
		ret_outcome->status = lcowmig__json_parse("the guest's answer", text, size, LCOWMIG_GCS_FRAME_MAX, &gcs->context->limits,
							  &tree, &error);
	if (ret_outcome->status != LCOWMIG_OK) {
		lcowmig__gcs_copy(ret_outcome->message, sizeof ret_outcome->message, error.message);
		return;
	}
	ret_outcome->answer = text;
	ret_outcome->size = size;
	if (tree)
		outcome_read(ret_outcome, tree);
	cJSON_Delete(tree);
}

/* ---- Capabilities ---- */

static void read_schema(const cJSON *capabilities, lcowmig_gcs_capabilities *ret)
{
	const cJSON *version;

	cJSON_ArrayForEach(version, lcowmig__json_get(capabilities, "SupportedSchemaVersions"))
	{
		uint32_t major = 0;
		uint32_t minor = 0;

		lcowmig__json_uint32(version, "Major", &major);
		lcowmig__json_uint32(version, "Minor", &minor);
		if (major < ret->schema_major || (major == ret->schema_major && minor < ret->schema_minor))
			continue;
		ret->schema_major = major;
		ret->schema_minor = minor;
	}
}

static lcowmig_status read_capabilities(const cJSON *tree, lcowmig_gcs_capabilities *ret, lcowmig_error *error)
{
	const cJSON *capabilities = lcowmig__json_get(tree, "Capabilities");
	const cJSON *guest = lcowmig__json_get(capabilities, "GuestDefinedCapabilities");
	const char *os = lcowmig__json_string(capabilities, "RuntimeOsType");
	char *c;

	if (!lcowmig__json_uint32(tree, "Version", &ret->protocol_version) || ret->protocol_version != 4)
		return lcowmig__fail(error, LCOWMIG_E_UNSUPPORTED_VERSION, "the guest speaks protocol version %lu; expected 4",
				     (unsigned long)ret->protocol_version);
	if (!cJSON_IsObject(guest) && !cJSON_IsNull(guest))
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA,
				     "the guest's answer to NegotiateProtocol has no Capabilities.GuestDefinedCapabilities");
	ret->send_host_create_message = lcowmig__json_bool(capabilities, "SendHostCreateMessage");
	ret->send_host_start_message = lcowmig__json_bool(capabilities, "SendHostStartMessage");
	ret->hv_socket_config_on_startup = lcowmig__json_bool(capabilities, "HvSocketConfigOnStartup");
	ret->namespace_add_request = lcowmig__json_bool(guest, "NamespaceAddRequestSupported");
	ret->signal_process = lcowmig__json_bool(guest, "SignalProcessSupported");
	ret->dump_stacks = lcowmig__json_bool(guest, "DumpStacksSupported");
	ret->delete_container_state = lcowmig__json_bool(guest, "DeleteContainerStateSupported");
	read_schema(capabilities, ret);
	lcowmig__gcs_copy(ret->runtime_os_type, sizeof ret->runtime_os_type, lcowmig__text_is_empty(os) ? "windows" : os);
	for (c = ret->runtime_os_type; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__answer_capabilities(const lcowmig_gcs *gcs, const char *text, size_t size,
					    lcowmig_gcs_capabilities *ret_capabilities, char **ret_json, lcowmig_error *error)
{
	lcowmig_gcs_capabilities capabilities = LCOWMIG_GCS_CAPABILITIES_INIT;
	cJSON *tree = NULL;
	char *json = NULL;
	lcowmig_status status;

	status = lcowmig__json_parse("the guest's answer to NegotiateProtocol", text, size, LCOWMIG_GCS_FRAME_MAX,
				     &gcs->context->limits, &tree, error);
	if (status != LCOWMIG_OK)
		return status;
	status = read_capabilities(tree, &capabilities, error);
	if (status == LCOWMIG_OK) {
		json = lcowmig__json_print(&gcs->context->mem, lcowmig__json_get(tree, "Capabilities"));
		if (!json)
			status = lcowmig__fail_memory(error);
	}
	cJSON_Delete(tree);
	if (status != LCOWMIG_OK)
		return status;
	*ret_capabilities = capabilities;
	*ret_json = json;
	return LCOWMIG_OK;
}

/* ---- Kept answers ---- */

typedef struct kept_answer {
	lcowmig__node node;
	lcowmig__list order;
	int64_t id;
	size_t size;
	char *text;
} kept_answer;

int lcowmig__kept_compare(const void *key, const lcowmig__node *node)
{
	int64_t id = *(const int64_t *)key;
	int64_t other = LCOWMIG__TREE_ENTRY(node, kept_answer, node)->id;

	return (id > other) - (id < other);
}

static void kept_free(lcowmig_gcs *gcs, kept_answer *kept)
{
	lcowmig__tree_remove(&gcs->kept_answers, &kept->node);
	lcowmig__list_remove(&kept->order);
	gcs->kept_bytes -= kept->size;
	lcowmig__free(&gcs->context->mem, kept->text);
	lcowmig__free(&gcs->context->mem, kept);
}

/* A new entry, its text copied; NULL when memory is out. */
static kept_answer *kept_new(lcowmig_gcs *gcs, int64_t id, const char *text, size_t size)
{
	kept_answer *kept = lcowmig__alloc(&gcs->context->mem, sizeof *kept);

	if (!kept)
		return NULL;
	kept->id = id;
	kept->size = size;
	kept->text = lcowmig__memdup(&gcs->context->mem, text, size);
	if (!kept->text) {
		lcowmig__free(&gcs->context->mem, kept);
		return NULL;
	}
	lcowmig__list_append(&gcs->kept_order, &kept->order);
	lcowmig__tree_insert(&gcs->kept_answers, &id, &kept->node);
	gcs->kept_bytes += size;
	return kept;
}

void lcowmig__answer_keep(lcowmig_gcs *gcs, const lcowmig__frame *frame, const char *text)
{
	size_t size = frame->size - LCOWMIG__FRAME_HEADER;
	int64_t id = frame->id <= INT64_MAX ? (int64_t)frame->id : -1;
	bool is_kept = false;

	if (gcs->is_keeping && id > 0 && !lcowmig__tree_find(&gcs->kept_answers, &id)) {
		while (gcs->kept_answers.count >= LCOWMIG__GCS_KEPT || gcs->kept_bytes + size > LCOWMIG__GCS_KEPT_BYTES) {
			kept_answer *oldest = LCOWMIG__LIST_ENTRY(gcs->kept_order.next, kept_answer, order);

			lcowmig__log(gcs->context, LCOWMIG_LOG_WARNING, "guest connection: dropped the kept answer to id %lld: too many",
				     (long long)oldest->id);
			kept_free(gcs, oldest);
		}
		is_kept = kept_new(gcs, id, text, size) != NULL;
	}
	lcowmig__log(gcs->context, is_kept ? LCOWMIG_LOG_DEBUG : LCOWMIG_LOG_WARNING,
		     "guest connection: %s an answer (%s, id %llu, %lu bytes) that nobody waits for", is_kept ? "kept" : "dropped",
		     lcowmig__frame_name(frame->type), (unsigned long long)frame->id, (unsigned long)frame->size);
}

void lcowmig__answer_recall(lcowmig__request *request)
{
	lcowmig_gcs *gcs = request->gcs;
	kept_answer *kept = LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&gcs->kept_answers, &request->id), kept_answer, node);
	lcowmig__outcome outcome;

	if (!kept)
		return;
	lcowmig__answer_read(gcs, kept->text, kept->size, &outcome);
	lcowmig__request_finish(request, &outcome);
	kept_free(gcs, kept);
}

void lcowmig__answers_drop(lcowmig_gcs *gcs)
{
	while (!lcowmig__list_is_empty(&gcs->kept_order))
		kept_free(gcs, LCOWMIG__LIST_ENTRY(gcs->kept_order.next, kept_answer, order));
}
