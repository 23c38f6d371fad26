/* The guest's end of the bridge: frames, dispatch, answers. */
#include "guest_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BRIDGE_PORT 0x40000000u
#define BRIDGE_HEADER 16u
#define BRIDGE_RESPONSE 0x20000000u
#define BRIDGE_KIND 0xF0000000u

static void bridge_put32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t bridge_get32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void guest_send(mock_guest *guest, uint32_t type, uint64_t id, const cJSON *json)
{
	char *text = cJSON_PrintUnformatted(json);
	uint8_t header[BRIDGE_HEADER];

	if (text && guest->control) {
		bridge_put32(header, type);
		bridge_put32(header + 4, (uint32_t)(BRIDGE_HEADER + strlen(text)));
		bridge_put32(header + 8, (uint32_t)id);
		bridge_put32(header + 12, (uint32_t)(id >> 32));
		/* Two writes, as the real guest does. Without a connection the answer is lost, as there. */
		if (mock_end_write(guest->control, header, sizeof header))
			mock_end_write(guest->control, text, strlen(text));
	}
	cJSON_free(text);
}

static cJSON *bridge_answer(const char *activity, uint32_t hresult)
{
	cJSON *answer = cJSON_CreateObject();

	cJSON_AddNumberToObject(answer, "Result", (int32_t)hresult);
	if (activity && *activity)
		cJSON_AddStringToObject(answer, "ActivityId", activity);
	return answer;
}

void guest_reply(mock_guest *guest, const struct guest_request *request, cJSON *fields)
{
	cJSON *answer = bridge_answer(request->activity, 0);

	while (fields && fields->child) {
		cJSON *field = cJSON_DetachItemViaPointer(fields, fields->child);

		cJSON_AddItemToObject(answer, field->string, field);
	}
	cJSON_Delete(fields);
	guest_send(guest, BRIDGE_RESPONSE | (request->type & ~BRIDGE_KIND), request->id, answer);
	cJSON_Delete(answer);
}

void guest_fail(mock_guest *guest, const struct guest_request *request, uint32_t hresult, const char *message)
{
	cJSON *answer = bridge_answer(request->activity, hresult);
	cJSON *record = cJSON_CreateObject();

	cJSON_AddStringToObject(answer, "ErrorMessage", message);
	cJSON_AddNumberToObject(record, "Result", (int32_t)hresult);
	cJSON_AddStringToObject(record, "Message", message);
	cJSON_AddStringToObject(record, "ModuleName", "gcs");
	cJSON_AddStringToObject(record, "FileName", "mock");
	cJSON_AddNumberToObject(record, "Line", 4294967295.0);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(answer, "ErrorRecords"), record);
	guest_send(guest, BRIDGE_RESPONSE | (request->type & ~BRIDGE_KIND), request->id, answer);
	cJSON_Delete(answer);
}

void guest_answer_wait(mock_guest *guest, uint64_t waiter, uint32_t hresult, uint32_t exit_code)
{
	const struct guest_waiter *record = MOCK_VIEW(guest->memory, struct guest_waiter, waiter);
	struct guest_request request = { record->id, record->type, NULL, NULL, guest_text(guest, record->activity) };
	cJSON *fields;

	if (hresult) {
		guest_fail(guest, &request, hresult,
			   hresult == GUEST_E_TIMEOUT ? "timeout waiting for the process" : "the process is gone");
		return;
	}
	fields = cJSON_CreateObject();
	cJSON_AddNumberToObject(fields, "ExitCode", exit_code);
	guest_reply(guest, &request, fields);
}

void guest_notify(mock_guest *guest, const char *json)
{
	cJSON *root;
	uint64_t entry, *end;

	if (guest->control) {
		root = cJSON_Parse(json);
		guest_send(guest, LCOWMIG_GCS_NOTIFICATION, 0, root);
		cJSON_Delete(root);
		return;
	}
	entry = mock_image_alloc(guest->memory, sizeof(struct guest_notification));
	if (!entry)
		return;
	MOCK_EDIT(guest->memory, struct guest_notification, entry)->json = mock_image_text(guest->memory, json);
	for (end = &guest_edit_root(guest)->notifications; *end; end = &MOCK_EDIT(guest->memory, struct guest_notification, *end)->next)
		continue;
	*end = entry;
}

static void bridge_send_queued(mock_guest *guest)
{
	while (guest_root(guest)->notifications) {
		uint64_t entry = guest_root(guest)->notifications;
		struct guest_notification record = *MOCK_VIEW(guest->memory, struct guest_notification, entry);

		guest_notify(guest, guest_text(guest, record.json));
		guest_edit_root(guest)->notifications = record.next;
		mock_image_free(guest->memory, record.json);
		mock_image_free(guest->memory, entry);
	}
}

static void bridge_negotiate(mock_guest *guest, const struct guest_request *request)
{
	const cJSON *minimum = cJSON_GetObjectItem(request->json, "MinimumVersion");
	const cJSON *maximum = cJSON_GetObjectItem(request->json, "MaximumVersion");
	cJSON *fields;

	if (guest->faults.drop_negotiate > 0) {
		guest->faults.drop_negotiate--;
		guest_bridge_drop(guest);
		return;
	}
	if (!cJSON_IsNumber(maximum) || maximum->valuedouble < 4 || (cJSON_IsNumber(minimum) && minimum->valuedouble > 4)) {
		guest_fail(guest, request, GUEST_E_VERSION, "no common protocol version");
		return;
	}
	fields = cJSON_Parse(
		"{\"Version\":4,\"Capabilities\":{\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":1}],\"RuntimeOsType\":\"Linux\","
		"\"GuestDefinedCapabilities\":{\"NamespaceAddRequestSupported\":true,\"SignalProcessSupported\":true,"
		"\"DumpStacksSupported\":true,\"DeleteContainerStateSupported\":true}}}");
	guest->is_negotiated = true;
	guest_reply(guest, request, fields);
}

static void bridge_dump_stacks(mock_guest *guest, const struct guest_request *request)
{
	cJSON *fields = cJSON_CreateObject();

	cJSON_AddStringToObject(fields, "GuestStacks", "task 1 [running]:\n\tmock guest, tick\n");
	guest_reply(guest, request, fields);
}

static const struct bridge_handler {
	uint32_t message;
	void (*serve)(mock_guest *guest, const struct guest_request *request);
} bridge_handlers[] = {
	{ LCOWMIG_GCS_CREATE, guest_create },
	{ LCOWMIG_GCS_START, guest_start },
	{ LCOWMIG_GCS_SHUTDOWN_GRACEFUL, guest_shutdown },
	{ LCOWMIG_GCS_SHUTDOWN_FORCED, guest_shutdown },
	{ LCOWMIG_GCS_EXECUTE_PROCESS, guest_execute },
	{ LCOWMIG_GCS_WAIT_FOR_PROCESS, guest_wait },
	{ LCOWMIG_GCS_SIGNAL_PROCESS, guest_signal },
	{ LCOWMIG_GCS_RESIZE_CONSOLE, guest_resize },
	{ LCOWMIG_GCS_GET_PROPERTIES, guest_get_properties },
	{ LCOWMIG_GCS_MODIFY_SETTINGS, guest_modify },
	{ LCOWMIG_GCS_DUMP_STACKS, bridge_dump_stacks },
	{ LCOWMIG_GCS_DELETE_CONTAINER_STATE, guest_delete_state },
};

static void bridge_serve(mock_guest *guest, uint32_t type, uint64_t id, const uint8_t *payload, size_t size)
{
	cJSON *json = cJSON_ParseWithLength((const char *)payload, size);
	struct guest_request request = { id, type, json, NULL, NULL };

	request.container_id = cJSON_GetStringValue(cJSON_GetObjectItem(json, "ContainerId"));
	request.activity = cJSON_GetStringValue(cJSON_GetObjectItem(json, "ActivityId"));
	if (!request.container_id)
		request.container_id = "";
	if (!cJSON_IsObject(json)) {
		guest_fail(guest, &request, GUEST_E_INVALID_JSON, "the request is no JSON object");
	} else if (!guest->is_negotiated || type == LCOWMIG_GCS_NEGOTIATE_PROTOCOL) {
		if (!guest->is_negotiated && type == LCOWMIG_GCS_NEGOTIATE_PROTOCOL)
			bridge_negotiate(guest, &request);
		else
			guest_fail(guest, &request, GUEST_E_NOT_IMPLEMENTED, "not legal in this state of the connection");
	} else {
		size_t i = 0;

		while (i < sizeof bridge_handlers / sizeof *bridge_handlers && bridge_handlers[i].message != type)
			i++;
		if (i < sizeof bridge_handlers / sizeof *bridge_handlers)
			bridge_handlers[i].serve(guest, &request);
		else
			guest_fail(guest, &request, GUEST_E_NOT_IMPLEMENTED, "unknown message type");
	}
	cJSON_Delete(json);
}

static void bridge_data(void *user, mock_end *end, const uint8_t *bytes, size_t size)
{
	mock_guest *guest = user;
	size_t used = 0;

	if (guest->received_capacity - guest->n_received < size) {
		guest->received_capacity = 2 * (guest->n_received + size);
		guest->received = realloc(guest->received, guest->received_capacity);
	}
	memcpy(guest->received + guest->n_received, bytes, size);
	guest->n_received += size;
	while (guest->control == end && guest->n_received - used >= BRIDGE_HEADER) {
		uint8_t *frame = guest->received + used;
		uint32_t frame_size = bridge_get32(frame + 4);

		if (frame_size < BRIDGE_HEADER) {
			guest_bridge_drop(guest);
			return;
		}
		if (guest->n_received - used < frame_size)
			break;
		used += frame_size;
		bridge_serve(guest, bridge_get32(frame), bridge_get32(frame + 8) | (uint64_t)bridge_get32(frame + 12) << 32,
			     frame + BRIDGE_HEADER, frame_size - BRIDGE_HEADER);
	}
	if (guest->control != end)
		return; /* dropped meanwhile, and the buffer with it */
	memmove(guest->received, guest->received + used, guest->n_received - used);
	guest->n_received -= used;
}

static void bridge_over(void *user, mock_end *end, bool lost)
{
	mock_guest *guest = user;

	(void)lost;
	if (guest->control == end)
		guest_bridge_drop(guest);
}

static const mock_end_ops bridge_ops = { bridge_data, bridge_over };

void guest_bridge_drop(mock_guest *guest)
{
	mock_end *end = guest->control;

	guest->control = NULL;
	guest->is_negotiated = false;
	guest->n_received = 0;
	guest->control_dial = guest_root(guest)->clock + GUEST_REDIAL;
	mock_end_close(end);
}

void guest_bridge_tick(mock_guest *guest)
{
	if (guest->control || guest_root(guest)->clock < guest->control_dial)
		return;
	guest->control = mock_vsock_dial(guest->vsock, BRIDGE_PORT, &bridge_ops, guest);
	guest->control_dial = guest_root(guest)->clock + GUEST_REDIAL;
	guest->n_received = 0;
	if (guest->control)
		bridge_send_queued(guest); /* before anybody asks, as the real guest does */
}
