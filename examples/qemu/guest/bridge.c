/* The bridge: one stream to the host that carries framed requests, answers and notifications. The guest dials, and dials again when it is lost. */
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE 16u
#define REDIAL_MS 100
#define AGAIN_MS 5
#define AGAIN_FOR_MS 5000
#define KIND_RESPONSE 0x20000000u
#define NOTIFICATION 0x30100101u

static struct {
	struct stream *stream;
	bool is_open;
	bool is_negotiated;
	struct text in;
	struct timer redial;
	struct timer again;
	struct request *retried;
	struct text notifications; /* frames that wait for a connection */
} bridge;

static void put_u32(uint8_t *bytes, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u32(const char *bytes)
{
	const uint8_t *at = (const uint8_t *)bytes;

	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void bridge_frame(struct text *out, uint32_t type, uint64_t id, const struct text *json)
{
	uint8_t header[HEADER_SIZE];

	put_u32(header, type);
	put_u32(header + 4, (uint32_t)(HEADER_SIZE + json->size));
	put_u32(header + 8, (uint32_t)id);
	put_u32(header + 12, (uint32_t)(id >> 32));
	text_add(out, header, sizeof header);
	text_add(out, json->bytes, json->size);
}

/* An answer to a request of an earlier connection goes out on the one that is there now; without one it is lost. */
void bridge_respond(uint32_t type, uint64_t id, uint32_t hresult, const char *message, const char *fields)
{
	struct text json = { 0 };
	struct text frame = { 0 };

	text_printf(&json, "{\"Result\":%d,\"ActivityId\":\"" NULL_GUID "\"", (int)hresult);
	if (hresult != 0) {
		text_printf(&json, ",\"ErrorMessage\":");
		text_quote(&json, message);
		text_printf(&json, ",\"ErrorRecords\":[{\"Result\":%d,\"Message\":", (int)hresult);
		text_quote(&json, message);
		text_printf(&json, ",\"ModuleName\":\"gcs\",\"FileName\":\"\",\"Line\":4294967295}]");
	}
	text_printf(&json, "%s%s}", fields && *fields ? "," : "", fields ? fields : "");
	bridge_frame(&frame, KIND_RESPONSE | (type & 0x0fffffffu), id, &json);
	if (bridge.stream && bridge.is_open)
		stream_send(bridge.stream, frame.bytes, frame.size);
	text_done(&json);
	text_done(&frame);
}

/* A notification that finds no connection waits for the next one. */
void bridge_notify(const char *container_id, const char *type)
{
	struct text json = { 0 };

	text_printf(&json, "{\"ContainerId\":");
	text_quote(&json, container_id);
	text_printf(&json, ",\"ActivityId\":\"" NULL_GUID "\",\"Type\":\"%s\",\"Operation\":\"None\",\"Result\":0}", type);
	bridge_frame(&bridge.notifications, NOTIFICATION, 0, &json);
	text_done(&json);
	if (bridge.stream && bridge.is_open) {
		stream_send(bridge.stream, bridge.notifications.bytes, bridge.notifications.size);
		text_done(&bridge.notifications);
	}
}

uint32_t request_fail(struct request *request, uint32_t hresult, const char *format, ...)
{
	char message[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	text_done(&request->error);
	text_printf(&request->error, "%s", message);
	return hresult;
}

static uint32_t bridge_negotiate(struct request *request, struct text *fields)
{
	if (json_number(request->json, "MinimumVersion") > 4 || json_number(request->json, "MaximumVersion") < 4)
		return request_fail(request, 0xC037010Cu, "only version 4 is spoken here");
	bridge.is_negotiated = true;
	text_printf(fields, "\"Version\":4,\"Capabilities\":{\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":1}],\"RuntimeOsType\":\"Linux\","
	                    "\"GuestDefinedCapabilities\":{\"NamespaceAddRequestSupported\":true,\"SignalProcessSupported\":true,"
	                    "\"DumpStacksSupported\":true,\"DeleteContainerStateSupported\":true}}");
	return 0;
}

static uint32_t bridge_modify(struct request *request)
{
	const struct json *modify = json_get(request->json, "Request");
	const struct json *settings = json_get(modify, "Settings");
	const char *resource = json_text(modify, "ResourceType");
	const char *what = json_text(modify, "RequestType");

	if (!*what)
		what = "Add";
	if (strcmp(resource, "PodCgroupMemoryLimit") == 0 || strcmp(resource, "ContainerConstraints") == 0)
		return 0; /* there are no cgroups here */
	if (!settings)
		return request_fail(request, HR_INVALID_JSON, "the request for %s has no settings", resource);
	if (strcmp(resource, "MappedVirtualDisk") == 0 || strcmp(resource, "SCSIDevice") == 0)
		return disk_modify(request, resource, what, settings);
	if (strcmp(resource, "CombinedLayers") == 0)
		return layers_modify(request, what, settings);
	if (strcmp(resource, "Network") == 0)
		return network_modify(request, what, settings);
	return request_fail(request, HR_FAIL, "resources of type %s are unknown here", resource);
}

static uint32_t bridge_dispatch(struct request *request, struct text *fields)
{
	if (!bridge.is_negotiated && request->type != 0x10100b01u)
		return request_fail(request, HR_NOT_IMPLEMENTED, "nothing was negotiated on this connection");
	switch (request->type) {
	case 0x10100b01u:
		if (bridge.is_negotiated)
			return request_fail(request, HR_NOT_IMPLEMENTED, "this connection is negotiated already");
		return bridge_negotiate(request, fields);
	case 0x10100101u:
		return container_create(request);
	case 0x10100201u:
		return 0;
	case 0x10100301u:
	case 0x10100401u:
		return container_shutdown(request, request->type == 0x10100401u);
	case 0x10100501u:
		return process_execute(request, fields);
	case 0x10100601u:
		return process_wait(request);
	case 0x10100701u:
		return process_signal(request);
	case 0x10100801u:
		return 0;
	case 0x10100901u:
		return container_properties(request, fields);
	case 0x10100a01u:
		return bridge_modify(request);
	case 0x10100c01u:
		text_printf(fields, "\"GuestStacks\":\"one loop, no threads\"");
		return 0;
	case 0x10100d01u:
		return container_delete(request);
	default:
		return request_fail(request, HR_NOT_IMPLEMENTED, "message %08x is unknown here", (unsigned)request->type);
	}
}

static void request_free(struct request *request)
{
	json_free(request->json);
	text_done(&request->error);
	free(request);
}

/* Serves it, for the first time or again. */
static void bridge_serve(struct request *request)
{
	struct text fields = { 0 };
	uint32_t result = bridge_dispatch(request, &fields);

	if (result == SERVED_AGAIN && loop_now() >= request->deadline)
		result = HR_FAIL;
	if (result == SERVED_AGAIN) {
		request->next = bridge.retried;
		bridge.retried = request;
		loop_set(&bridge.again, loop_now() + AGAIN_MS);
	} else {
		if (result != SERVED_LATER)
			bridge_respond(request->type, request->id, result, request->error.bytes ? request->error.bytes : "it failed", fields.bytes);
		if (result > SERVED_AGAIN)
			log_line("request %08x failed: %s", (unsigned)request->type, request->error.bytes ? request->error.bytes : "");
		request_free(request);
	}
	text_done(&fields);
}

static void bridge_try_again(void *user)
{
	struct request *list = bridge.retried;

	(void)user;
	bridge.retried = NULL;
	while (list) {
		struct request *request = list;

		list = request->next;
		bridge_serve(request);
	}
}

static void bridge_take(uint32_t type, uint64_t id, const char *json, size_t size)
{
	struct request *request = guest_alloc(sizeof *request);

	request->type = type;
	request->id = id;
	request->deadline = loop_now() + AGAIN_FOR_MS;
	request->json = json_parse(json, size);
	if (!request->json) {
		bridge_respond(type, id, HR_INVALID_JSON, "that is not JSON", NULL);
		request_free(request);
		return;
	}
	request->container_id = json_text(request->json, "ContainerId");
	bridge_serve(request);
}

static void bridge_data(void *user, const uint8_t *bytes, size_t size)
{
	struct text in;
	size_t at = 0;

	(void)user;
	text_add(&bridge.in, bytes, size);
	in = bridge.in; /* a request may end the connection, and with it the buffer */
	memset(&bridge.in, 0, sizeof bridge.in);
	while (in.size - at >= HEADER_SIZE) {
		uint32_t whole = get_u32(in.bytes + at + 4);

		if (whole < HEADER_SIZE || in.size - at < whole)
			break;
		bridge_take(get_u32(in.bytes + at), get_u32(in.bytes + at + 8) | (uint64_t)get_u32(in.bytes + at + 12) << 32,
		            in.bytes + at + HEADER_SIZE, whole - HEADER_SIZE);
		at += whole;
	}
	text_add(&bridge.in, in.bytes + at, in.size - at);
	text_done(&in);
}

static void bridge_open(void *user)
{
	(void)user;
	bridge.is_open = true;
	if (bridge.notifications.size > 0) {
		stream_send(bridge.stream, bridge.notifications.bytes, bridge.notifications.size);
		text_done(&bridge.notifications);
	}
}

static void bridge_over(void *user, enum stream_end how)
{
	(void)user;
	(void)how;
	stream_close(bridge.stream);
	bridge.stream = NULL;
	bridge.is_open = false;
	text_done(&bridge.in);
	loop_set(&bridge.redial, loop_now() + REDIAL_MS);
}

static void bridge_dial(void *user)
{
	static const struct stream_ops ops = { bridge_open, bridge_data, bridge_over };

	(void)user;
	bridge.is_negotiated = false;
	bridge.stream = mux_dial(PORT_BRIDGE, &ops, NULL);
	if (!bridge.stream)
		loop_set(&bridge.redial, loop_now() + REDIAL_MS);
}

void bridge_start(void)
{
	bridge.redial.fn = bridge_dial;
	bridge.again.fn = bridge_try_again;
	bridge_dial(NULL);
}
