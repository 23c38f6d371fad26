/*
 * The bridge: requests and their answers, small ones and large ones (a request carries a document of up to a megabyte; a guest's frame has
 * at most 64 KiB), and the same bytes one at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "gcs/frame.h"
#include "lcowmig/lcowmig.h"

#define SECONDS 0.2
#define MEGABYTE ((size_t)1 << 20)
#define ANSWER_LARGE 60000u
#define BASE "{\"Result\":0,\"ActivityId\":\"00000000-0000-0000-0000-000000000000\""
#define NEGOTIATED                                                                                            \
	BASE ",\"Version\":4,\"Capabilities\":{\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":1}],"       \
	     "\"RuntimeOsType\":\"Linux\",\"GuestDefinedCapabilities\":{\"NamespaceAddRequestSupported\":true}}}"

typedef struct bridge {
	bench_memory memory;
	lcowmig_context *context;
	lcowmig_gcs *gcs;
	char stream;
	lcowmig__frame sent; /* the latest */
	size_t sent_bytes;
	unsigned long answers;
} bridge;

static void bridge_must(lcowmig_status status, const char *what)
{
	if (status == LCOWMIG_OK)
		return;
	fprintf(stderr, "bench: bridge: %s: %s\n", what, lcowmig_status_name(status));
	exit(1);
}

static lcowmig_status bridge_listen(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	(void)user;
	(void)call;
	(void)runtime_id;
	(void)port;
	return LCOWMIG_OK;
}

static lcowmig_status bridge_accept(void *user, lcowmig_call *call, uint32_t port)
{
	(void)port;
	lcowmig_call_set_handle(call, &((bridge *)user)->stream);
	return LCOWMIG_OK;
}

static lcowmig_status bridge_send(void *user, lcowmig_call *call, void *stream, const uint8_t *bytes, size_t size)
{
	bridge *b = user;

	(void)call;
	(void)stream;
	b->sent = lcowmig__frame_read(bytes);
	b->sent_bytes += size;
	return LCOWMIG_OK;
}

static void bridge_close(void *user, void *closed)
{
	(void)user;
	(void)closed;
}

static void bridge_on_answer(void *user, lcowmig_status status, const char *answer, size_t size, const lcowmig_error *error)
{
	(void)answer;
	(void)size;
	(void)error;
	bridge_must(status, "answer");
	((bridge *)user)->answers++;
}

/* Answers the latest request; feeds at most `step` bytes at a time. Returns the frame's size. */
static size_t bridge_answer(bridge *b, const char *json, size_t size, size_t step)
{
	static uint8_t bytes[LCOWMIG_GCS_FRAME_MAX];
	lcowmig__frame frame = { (b->sent.type & ~LCOWMIG__FRAME_KIND) | LCOWMIG__FRAME_RESPONSE, (uint32_t)size + LCOWMIG__FRAME_HEADER,
				 b->sent.id };
	size_t at;

	lcowmig__frame_write(bytes, &frame);
	memcpy(bytes + LCOWMIG__FRAME_HEADER, json, size);
	for (at = 0; at < frame.size; at += step)
		bridge_must(lcowmig_gcs_receive(b->gcs, &b->stream, bytes + at, frame.size - at < step ? frame.size - at : step), "receive");
	return frame.size;
}

static void bridge_init(bridge *b)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	lcowmig_gcs_config config = LCOWMIG_GCS_CONFIG_INIT;
	lcowmig_stream_ops streams = { .size = sizeof streams, .user = b, .listen = bridge_listen, .accept = bridge_accept,
				       .send = bridge_send, .close = bridge_close };

	memset(b, 0, sizeof *b);
	bench_memory_init(&b->memory);
	platform.user = &b->memory;
	platform.allocate = b->memory.mem.allocate;
	platform.release = b->memory.mem.release;
	config.streams = &streams;
	config.user = b;
	bridge_must(lcowmig_context_new(&platform, NULL, &b->context, NULL), "context");
	bridge_must(lcowmig_gcs_new(b->context, &config, &b->gcs, NULL), "bridge");
	bridge_must(lcowmig_gcs_listen(b->gcs, "runtime", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL), "listen");
	if (lcowmig_gcs_connect(b->gcs, false, NULL, NULL, NULL) == LCOWMIG_PENDING)
		bridge_answer(b, NEGOTIATED, sizeof NEGOTIATED - 1, LCOWMIG_GCS_FRAME_MAX);
}

static void bridge_done(bridge *b)
{
	lcowmig_gcs_close(b->gcs);
	bridge_must(lcowmig_gcs_free(b->gcs, NULL), "free");
	bridge_must(lcowmig_context_free(b->context), "context");
}

/* {"…","Pad":"xxx…"} of `size` bytes. */
static char *bridge_document(const char *head, size_t size)
{
	char *text = malloc(size + 1);
	size_t used;

	if (!text)
		exit(1);
	used = (size_t)snprintf(text, size + 1, "%s,\"Pad\":\"", head);
	memset(text + used, 'x', size - used);
	memcpy(text + size - 2, "\"}", 3);
	return text;
}

/* One request and its answer. Returns the bytes that went both ways. */
static BENCH_PART size_t bridge_exchange(bridge *b, const char *request, const char *answer, size_t answer_size, size_t step)
{
	size_t sent = b->sent_bytes;

	if (lcowmig_gcs_request(b->gcs, LCOWMIG_GCS_MODIFY_SETTINGS, "c1", request, 0, bridge_on_answer, b, NULL) != LCOWMIG_PENDING)
		bridge_must(LCOWMIG_E_HOST_FAILED, "request");
	return bridge_answer(b, answer, answer_size, step) + b->sent_bytes - sent;
}

static void bridge_measure(const char *name, size_t request_size, size_t answer_size, size_t step)
{
	char *request = bridge_document("{\"ContainerId\":\"c1\",\"ActivityId\":\"00000000-0000-0000-0000-000000000000\"", request_size);
	char *answer = bridge_document(BASE, answer_size);
	double start, seconds, bytes = 0;
	char title[128];
	bridge b;

	bridge_init(&b);
	start = bench_seconds();
	do {
		bytes += (double)bridge_exchange(&b, request, answer, answer_size, step);
		seconds = bench_seconds() - start;
	} while (seconds < SECONDS);
	snprintf(title, sizeof title, "bridge, %s: frames", name);
	bench_print(title, (unsigned)request_size, 2.0 * (double)b.answers / seconds, "frames/s");
	snprintf(title, sizeof title, "bridge, %s: bytes", name);
	bench_print(title, (unsigned)request_size, bytes / seconds / 1e6, "MB/s");
	bridge_done(&b);
	free(request);
	free(answer);
}

void bench_bridge(void)
{
	bridge_measure("small requests", 200, 120, LCOWMIG_GCS_FRAME_MAX);
	bridge_measure("1 MB documents", MEGABYTE, ANSWER_LARGE, LCOWMIG_GCS_FRAME_MAX);
	bridge_measure("large answers", 200, ANSWER_LARGE, LCOWMIG_GCS_FRAME_MAX);
	bridge_measure("large answers, a byte at a time", 200, ANSWER_LARGE, 1);
	bridge_measure("small answers, a byte at a time", 200, 120, 1);
}

void bench_bridge_once(unsigned n)
{
	char *request = bridge_document("{\"ContainerId\":\"c1\",\"ActivityId\":\"00000000-0000-0000-0000-000000000000\"", 200);
	char *answer = bridge_document(BASE, 120);
	bridge b;

	bridge_init(&b);
	while (n--)
		bridge_exchange(&b, request, answer, 120, LCOWMIG_GCS_FRAME_MAX);
	bridge_done(&b);
	free(request);
	free(answer);
}
