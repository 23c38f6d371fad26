/*
 * A Linux guest in a few lines, behind the real bridge: it answers every request at once, keeps waits for processes, and dials whenever
 * somebody accepts. Between it and the bridge each frame can meet the armed fault.
 */
#include "guest.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gcs/frame.h"
#include "host_private.h"
#include "torture.h"

#define STREAMS_MAX 256
#define WAITS_MAX 64
#define KEPT_MAX 8
#define GUESTS_MAX 8
#define PAYLOAD_MAX 8192

#define PLAIN "{\"Result\":0,\"ActivityId\":\"00000000-0000-0000-0000-000000000000\"}"
#define CAPABILITIES                                                                                                     \
	"{\"Result\":0,\"Version\":4,\"Capabilities\":{\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":1}],"         \
	"\"RuntimeOsType\":\"Linux\",\"GuestDefinedCapabilities\":{\"NamespaceAddRequestSupported\":true,"               \
	"\"SignalProcessSupported\":true,\"DumpStacksSupported\":true,\"DeleteContainerStateSupported\":true}}}"
#define REFUSAL "{\"Result\":-2147467259,\"ErrorMessage\":\"the guest refuses\"}"
#define TIME_OVER "{\"Result\":-1070137079,\"ErrorMessage\":\"the time is over\"}" /* 0xC0370109 */

typedef struct guest_stream {
	uint32_t port;
	bool is_open;
	bool is_listener;
} guest_stream;

typedef struct guest_wait {
	uint64_t id;
	uint32_t pid;
} guest_wait;

/* A frame on its way to the guest or to the bridge. */
typedef struct guest_frame {
	bool to_guest;
	uint32_t type;
	uint64_t id;
	char payload[PAYLOAD_MAX];
} guest_frame;

typedef struct guest {
	test_host *host;
	lcowmig_gcs *gcs;
	lcowmig_stream_ops streams;
	lcowmig_guest_ops ops;
	guest_stream handles[STREAMS_MAX];
	size_t n_handles;
	guest_stream *control;
	lcowmig_call *log; /* the accept of a guest that logs nothing */
	guest_wait waits[WAITS_MAX];
	size_t n_waits;
	guest_frame kept[KEPT_MAX];
	size_t n_kept;
	uint32_t next_pid;
	bool is_added;
} guest;

static guest *guests[GUESTS_MAX];

/* ---- From the guest to the bridge ---- */

static void feed(guest *g, guest_stream *stream, const unsigned char *bytes, size_t size)
{
	/* From a block of exactly that size, so that reading beyond it shows. */
	unsigned char *copy = malloc(size);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, size);
	lcowmig_gcs_receive(g->gcs, stream, copy, size);
	free(copy);
}

static void hang_up(guest *g, lcowmig_status status)
{
	guest_stream *stream = g->control;

	g->control = NULL;
	if (stream && stream->is_open)
		lcowmig_gcs_receive_end(g->gcs, stream, status);
}

static void deliver(guest *g, uint32_t type, uint64_t id, const char *payload, size_t cut)
{
	unsigned char bytes[LCOWMIG__FRAME_HEADER + PAYLOAD_MAX];
	lcowmig__frame frame = { type, (uint32_t)(LCOWMIG__FRAME_HEADER + strlen(payload)), id };

	if (!g->control)
		return;
	lcowmig__frame_write(bytes, &frame);
	memcpy(bytes + LCOWMIG__FRAME_HEADER, payload, strlen(payload));
	feed(g, g->control, bytes, frame.size - cut * (frame.size / 2));
}

static void keep(guest *g, bool to_guest, uint32_t type, uint64_t id, const char *payload)
{
	guest_frame *kept = &g->kept[g->n_kept++];

	ck_assert_uint_le(g->n_kept, KEPT_MAX);
	kept->to_guest = to_guest;
	kept->type = type;
	kept->id = id;
	snprintf(kept->payload, sizeof kept->payload, "%s", payload);
}

/* The fault that this frame meets. */
static torture_kind next_frame(const guest *g)
{
	torture_plan *plan = &torture_armed;

	if (g->host != plan->host)
		return TORTURE_NONE;
	plan->calls++;
	if (!torture_is_about_frames(plan->kind) || plan->calls != plan->nth)
		return TORTURE_NONE;
	plan->was_met = true;
	return plan->kind;
}

static void answer(guest *g, uint32_t type, uint64_t id, const char *payload)
{
	switch (next_frame(g)) {
	case TORTURE_FRAME_DROP:
		return;
	case TORTURE_FRAME_CUT:
		deliver(g, type, id, payload, 1);
		hang_up(g, LCOWMIG_E_HOST_FAILED);
		return;
	case TORTURE_FRAME_TWICE:
		deliver(g, type, id, payload, 0);
		break;
	case TORTURE_FRAME_DELAY:
		keep(g, false, type, id, payload);
		return;
	case TORTURE_FRAME_REFUSE:
		payload = REFUSAL;
		break;
	case TORTURE_FRAME_GARBAGE:
		payload = "{\"Result\":[}";
		break;
	case TORTURE_FRAME_CLOSE:
		hang_up(g, LCOWMIG_OK);
		return;
	default:
		break;
	}
	deliver(g, type, id, payload, 0);
}

/* ---- In the guest ---- */

static uint32_t number_after(const char *document, const char *key)
{
	const char *place = strstr(document, key);

	return place ? (uint32_t)strtoul(place + strlen(key), NULL, 10) : 0;
}

static void serve_wait(guest *g, uint32_t type, uint64_t id, const char *document)
{
	if (!strstr(document, "\"TimeoutInMs\":4294967295")) {
		answer(g, type, id, TIME_OVER);
		return;
	}
	ck_assert_uint_lt(g->n_waits, WAITS_MAX);
	g->waits[g->n_waits++] = (guest_wait){ id, number_after(document, "\"ProcessId\":") };
}

static void serve(guest *g, uint32_t type, uint64_t id, const char *document)
{
	uint32_t answers = (type & ~LCOWMIG__FRAME_KIND) | LCOWMIG__FRAME_RESPONSE;
	char text[128];

	switch (type) {
	case LCOWMIG_GCS_NEGOTIATE_PROTOCOL:
		answer(g, answers, id, CAPABILITIES);
		break;
	case LCOWMIG_GCS_WAIT_FOR_PROCESS:
		serve_wait(g, answers, id, document);
		break;
	case LCOWMIG_GCS_EXECUTE_PROCESS:
		snprintf(text, sizeof text, "{\"Result\":0,\"ProcessId\":%u}", g->next_pid++);
		answer(g, answers, id, text);
		break;
	case LCOWMIG_GCS_GET_PROPERTIES:
		answer(g, answers, id,
		       "{\"Result\":0,\"Properties\":\"{\\\"ProcessList\\\":[{\\\"ProcessId\\\":101}],\\\"Metrics\\\":{}}\"}");
		break;
	case LCOWMIG_GCS_DUMP_STACKS:
		answer(g, answers, id, "{\"Result\":0,\"GuestStacks\":\"goroutine 1\"}");
		break;
	default:
		answer(g, answers, id, PLAIN);
	}
}

/* ---- From the bridge to the guest ---- */

static lcowmig_status on_send(void *user, lcowmig_call *call, void *stream, const uint8_t *bytes, size_t size)
{
	guest *g = user;
	lcowmig__frame frame = lcowmig__frame_read(bytes);
	size_t payload = size - LCOWMIG__FRAME_HEADER;
	char document[PAYLOAD_MAX];

	ck_assert(((guest_stream *)stream)->is_open);
	if (((guest_stream *)stream)->port != LCOWMIG_GCS_CONTROL_PORT)
		return LCOWMIG_OK;
	ck_assert_uint_eq(frame.size, size);
	ck_assert_uint_lt(payload, sizeof document);
	memcpy(document, bytes + LCOWMIG__FRAME_HEADER, payload);
	document[payload] = '\0';
	if (stream != g->control)
		return LCOWMIG_E_HOST_FAILED;
	switch (next_frame(g)) {
	case TORTURE_FRAME_DROP:
		return LCOWMIG_OK;
	case TORTURE_FRAME_CUT:
		g->control = NULL;
		lcowmig_call_set_error(call, 0x80072746, "connection reset");
		return LCOWMIG_E_HOST_FAILED;
	case TORTURE_FRAME_TWICE:
		serve(g, frame.type, frame.id, document);
		break;
	case TORTURE_FRAME_DELAY:
		keep(g, true, frame.type, frame.id, document);
		return LCOWMIG_OK;
	case TORTURE_FRAME_REFUSE:
	case TORTURE_FRAME_GARBAGE:
		deliver(g, (frame.type & ~LCOWMIG__FRAME_KIND) | LCOWMIG__FRAME_RESPONSE, frame.id,
		        torture_armed.kind == TORTURE_FRAME_REFUSE ? REFUSAL : "\"\xff", 0);
		return LCOWMIG_OK;
	case TORTURE_FRAME_CLOSE:
		hang_up(g, LCOWMIG_OK);
		return LCOWMIG_OK;
	default:
		break;
	}
	serve(g, frame.type, frame.id, document);
	return LCOWMIG_OK;
}

static guest_stream *open_handle(guest *g, uint32_t port, bool is_listener)
{
	guest_stream *stream = &g->handles[g->n_handles++];

	ck_assert_uint_le(g->n_handles, STREAMS_MAX);
	*stream = (guest_stream){ port, true, is_listener };
	return stream;
}

static lcowmig_status on_listen(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	(void)runtime_id;
	lcowmig_call_set_handle(call, open_handle(user, port, true));
	return LCOWMIG_OK;
}

static lcowmig_status on_accept(void *user, lcowmig_call *call, uint32_t port)
{
	guest *g = user;
	guest_stream *stream;

	if (port == LCOWMIG_GCS_LOG_PORT) {
		ck_assert_ptr_null(g->log);
		g->log = call;
		return LCOWMIG_PENDING;
	}
	stream = open_handle(g, port, false);
	if (port == LCOWMIG_GCS_CONTROL_PORT)
		g->control = stream;
	lcowmig_call_set_handle(call, stream);
	return LCOWMIG_OK;
}

static void end_log(guest *g)
{
	lcowmig_call *call = g->log;

	g->log = NULL;
	if (call)
		lcowmig_call_complete(call, LCOWMIG_E_CANCELLED);
}

static void on_close(void *user, void *handle)
{
	guest *g = user;
	guest_stream *stream = handle;

	ck_assert_msg(stream->is_open, "a handle was closed twice");
	stream->is_open = false;
	if (g->control == stream)
		g->control = NULL;
	if (stream->is_listener && stream->port == LCOWMIG_GCS_LOG_PORT)
		end_log(g);
}

/* ---- Life ---- */

static lcowmig_status guest_new(test_host *host, bool is_added, lcowmig_sandbox_config *config)
{
	lcowmig_gcs_config gcs = LCOWMIG_GCS_CONFIG_INIT;
	guest *g = calloc(1, sizeof *g);
	lcowmig_status status;
	size_t i;

	ck_assert_ptr_nonnull(g);
	for (i = 0; i < GUESTS_MAX && guests[i]; i++)
		;
	ck_assert_uint_lt(i, GUESTS_MAX);
	g->host = host;
	g->is_added = is_added;
	g->next_pid = 101;
	g->streams = (lcowmig_stream_ops){ sizeof g->streams, g, on_listen, on_accept, on_send, on_close };
	gcs.streams = &g->streams;
	status = lcowmig_gcs_new(host->context, &gcs, &g->gcs, NULL);
	if (status != LCOWMIG_OK) {
		free(g);
		return status;
	}
	guests[i] = g;
	lcowmig_gcs_guest_ops(g->gcs, &g->ops);
	config->guest = &g->ops;
	return LCOWMIG_OK;
}

static void guest_free(size_t index)
{
	guest *g = guests[index];
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	size_t i;

	lcowmig_gcs_close(g->gcs);
	end_log(g);
	ck_assert_msg(lcowmig_gcs_free(g->gcs, &error) == LCOWMIG_OK, "%s", error.message);
	for (i = 0; i < g->n_handles; i++)
		ck_assert_msg(!g->handles[i].is_open, "a handle of port %u was not closed", g->handles[i].port);
	guests[index] = NULL;
	free(g);
}

static void free_guests(test_host *host, bool added_only)
{
	size_t i;

	for (i = 0; i < GUESTS_MAX; i++)
		if (guests[i] && guests[i]->host == host && (guests[i]->is_added || !added_only))
			guest_free(i);
}

test_host *guest_host_new(void)
{
	test_host *host = test_host_new();

	ck_assert_int_eq(guest_new(host, false, &host->config), LCOWMIG_OK);
	return host;
}

void guest_host_free(test_host *host)
{
	test_host_fail_allocation(host, 0, false);
	free_guests(host, false);
	test_host_free(host);
}

/* ---- What the scenarios do with it ---- */

static lcowmig_status ops_add(test_host *host, lcowmig_sandbox_config *config)
{
	return guest_new(host, true, config);
}

static void ops_remove_added(test_host *host)
{
	free_guests(host, true);
}

static void exit_of(guest *g, uint32_t pid, uint32_t status)
{
	char text[64];
	size_t i;

	snprintf(text, sizeof text, "{\"Result\":0,\"ExitCode\":%u}", status);
	for (i = 0; i < g->n_waits;) {
		guest_wait wait = g->waits[i];

		if (pid && wait.pid != pid) {
			i++;
			continue;
		}
		memmove(&g->waits[i], &g->waits[i + 1], (--g->n_waits - i) * sizeof g->waits[0]);
		answer(g, (LCOWMIG_GCS_WAIT_FOR_PROCESS & ~LCOWMIG__FRAME_KIND) | LCOWMIG__FRAME_RESPONSE, wait.id, text);
	}
}

static void ops_exit(test_host *host, uint32_t pid, uint32_t status)
{
	size_t i;

	for (i = 0; i < GUESTS_MAX; i++)
		if (guests[i] && guests[i]->host == host)
			exit_of(guests[i], pid, status);
}

static void ops_disconnect(test_host *host)
{
	size_t i;

	for (i = 0; i < GUESTS_MAX; i++)
		if (guests[i] && guests[i]->host == host)
			hang_up(guests[i], LCOWMIG_E_HOST_FAILED);
}

static bool ops_is_connected(test_host *host)
{
	size_t i;

	for (i = 0; i < GUESTS_MAX; i++)
		if (guests[i] && guests[i]->host == host && !lcowmig_gcs_is_connected(guests[i]->gcs))
			return false;
	return true;
}

static bool ops_has_kept(test_host *host)
{
	size_t i;

	for (i = 0; i < GUESTS_MAX; i++)
		if (guests[i] && guests[i]->host == host && guests[i]->n_kept)
			return true;
	return false;
}

static void ops_release(test_host *host)
{
	size_t i;

	for (i = 0; i < GUESTS_MAX; i++) {
		guest *g = guests[i];

		while (g && g->host == host && g->n_kept) {
			guest_frame *kept = &g->kept[--g->n_kept];

			if (kept->to_guest)
				serve(g, kept->type, kept->id, kept->payload);
			else
				deliver(g, kept->type, kept->id, kept->payload, 0);
		}
	}
}

static const torture_guest_ops ops = { ops_add, ops_remove_added, ops_exit, ops_disconnect, ops_is_connected, ops_has_kept, ops_release };

const torture_guest_ops *const torture_guest = &ops;
