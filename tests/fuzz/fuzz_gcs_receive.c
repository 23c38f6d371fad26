/*
 * The bridge's receive side. The input is a script: a byte for what happens next, then what that needs. Most steps feed bytes, raw or as a
 * frame with a sound header; the others make what they meet there (requests, adopted waits, a migration, a swap, time).
 * Whatever comes, each request ends exactly once, and everything can be closed and freed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lcowmig/lcowmig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUESTS_MAX 64
#define STREAMS_MAX 64

typedef struct fuzz {
	lcowmig_context *context;
	lcowmig_gcs *gcs;
	uint64_t now;
	lcowmig_call *accept;
	lcowmig_call *send;
	bool holds_sends;
	char streams[STREAMS_MAX]; /* their addresses are the handles; 1: open */
	size_t n_streams;
	void *control;
	int pending;
	const uint8_t *data;
	size_t size;
} fuzz;

#define REQUIRE(condition)                                                                                                                 \
	do {                                                                                                                               \
		if (!(condition))                                                                                                          \
			abort();                                                                                                           \
	} while (0)

static uint64_t fuzz_now(void *user)
{
	return ((fuzz *)user)->now;
}

static lcowmig_status fuzz_listen(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	(void)user;
	(void)call;
	(void)runtime_id;
	(void)port;
	return LCOWMIG_OK;
}

static lcowmig_status fuzz_accept(void *user, lcowmig_call *call, uint32_t port)
{
	fuzz *f = user;

	(void)port;
	if (f->accept)
		return LCOWMIG_E_HOST_FAILED;
	f->accept = call;
	return LCOWMIG_PENDING;
}

static lcowmig_status fuzz_send(void *user, lcowmig_call *call, void *stream, const uint8_t *bytes, size_t size)
{
	fuzz *f = user;

	REQUIRE(*(char *)stream == 1);
	REQUIRE(size >= 16 && (bytes[4] | bytes[5] << 8) == (int)(size & 0xffff));
	if (!f->holds_sends || f->send)
		return LCOWMIG_OK;
	f->send = call;
	return LCOWMIG_PENDING;
}

static void fuzz_close(void *user, void *handle)
{
	(void)user;
	REQUIRE(*(char *)handle == 1);
	*(char *)handle = 0;
}

static void fuzz_notification(void *user, const char *json, size_t size)
{
	(void)user;
	REQUIRE(strlen(json) == size);
}

static void fuzz_record(void *user, const char *line)
{
	(void)user;
	REQUIRE(strlen(line) > 0);
}

static void fuzz_answer(void *user, lcowmig_status status, const char *answer, size_t size, const lcowmig_error *error)
{
	fuzz *f = user;

	REQUIRE(f->pending > 0);
	f->pending--;
	REQUIRE(status != LCOWMIG_PENDING && (status == LCOWMIG_OK) == (error->status == LCOWMIG_OK));
	REQUIRE(!answer || strlen(answer) == size);
	REQUIRE(status != LCOWMIG_OK || answer);
}

static uint8_t take(fuzz *f)
{
	if (!f->size)
		return 0;
	f->size--;
	return *f->data++;
}

static void fuzz_dial(fuzz *f)
{
	lcowmig_call *call = f->accept;

	if (!call || f->n_streams == STREAMS_MAX)
		return;
	f->accept = NULL;
	f->control = &f->streams[f->n_streams++];
	*(char *)f->control = 1;
	lcowmig_call_set_handle(call, f->control);
	lcowmig_call_complete(call, LCOWMIG_OK);
}

static void fuzz_complete_send(fuzz *f, lcowmig_status status)
{
	lcowmig_call *call = f->send;

	f->send = NULL;
	if (call)
		lcowmig_call_complete(call, status);
}

/* From a block of exactly that size, so that reading beyond it shows. */
static void fuzz_feed(fuzz *f, const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	REQUIRE(copy);
	memcpy(copy, bytes, size);
	if (f->control)
		lcowmig_gcs_receive(f->gcs, f->control, copy, size);
	free(copy);
}

static void fuzz_feed_raw(fuzz *f, size_t size)
{
	if (size > f->size)
		size = f->size;
	fuzz_feed(f, f->data, size);
	f->data += size;
	f->size -= size;
}

static void fuzz_feed_frame(fuzz *f, size_t size)
{
	static const uint8_t types[][4] = {
		{ 0x01, 0x0b, 0x10, 0x20 },
		{ 0x01, 0x01, 0x10, 0x30 },
		{ 0x01, 0x02, 0x10, 0x20 },
		{ 0x01, 0x06, 0x10, 0x20 },
	};
	uint8_t frame[16 + 512] = { 0 };
	uint8_t kind = take(f);

	if (size > f->size)
		size = f->size;
	memcpy(frame, types[kind & 3], 4);
	frame[4] = (uint8_t)(16 + size);
	frame[5] = (uint8_t)((16 + size) >> 8);
	frame[8] = kind >> 2;
	memcpy(frame + 16, f->data, size);
	f->data += size;
	f->size -= size;
	fuzz_feed(f, frame, 16 + size);
}

/* The answer that gets a connection going. */
static void fuzz_negotiate(fuzz *f)
{
	static const char answer[] = "{\"Result\":0,\"Version\":4,\"Capabilities\":{\"GuestDefinedCapabilities\":{}}}";
	uint8_t frame[16 + sizeof answer] = { 0x01, 0x0b, 0x10, 0x20, 16 + sizeof answer - 1 };
	int64_t id = lcowmig_gcs_next_request_id(f->gcs) - 1;

	frame[8] = (uint8_t)id;
	frame[9] = (uint8_t)(id >> 8);
	memcpy(frame + 16, answer, sizeof answer - 1);
	fuzz_feed(f, frame, 16 + sizeof answer - 1);
}

static void fuzz_request(fuzz *f, uint8_t kind)
{
	static const uint32_t messages[] = { LCOWMIG_GCS_START, LCOWMIG_GCS_WAIT_FOR_PROCESS };

	if (f->pending >= REQUESTS_MAX)
		return;
	f->pending++;
	if (kind & 1) {
		if (lcowmig_gcs_request(f->gcs, messages[kind >> 1 & 1], "c1", NULL, 0, fuzz_answer, f, NULL) != LCOWMIG_PENDING)
			f->pending--;
	} else if (lcowmig_gcs_adopt(f->gcs, kind >> 1, fuzz_answer, f, NULL) != LCOWMIG_PENDING) {
		f->pending--;
	}
}

static void fuzz_step(fuzz *f)
{
	uint8_t step = take(f);

	switch (step % 16) {
	case 0:
	case 1:
	case 2:
		fuzz_feed_raw(f, step);
		break;
	case 3:
	case 4:
	case 5:
		fuzz_feed_frame(f, step);
		break;
	case 6:
		fuzz_request(f, take(f));
		break;
	case 7:
		lcowmig_gcs_listen(f->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
		lcowmig_gcs_connect(f->gcs, step & 16, NULL, NULL, NULL);
		fuzz_dial(f);
		fuzz_negotiate(f);
		break;
	case 8:
		lcowmig_gcs_listen(f->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
		lcowmig_gcs_resume(f->gcs, NULL, NULL, NULL);
		fuzz_dial(f);
		fuzz_negotiate(f);
		break;
	case 9:
		lcowmig_gcs_set_migrating(f->gcs, step & 16);
		break;
	case 10:
		if (f->control)
			lcowmig_gcs_receive_end(f->gcs, f->control, step & 16 ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED);
		break;
	case 11:
		f->now += (uint64_t)take(f) * 10000000000u;
		lcowmig_context_advance(f->context, f->now);
		break;
	case 12:
		lcowmig_gcs_open_container(f->gcs, step & 16 ? "c1" : "c2");
		break;
	case 13:
		f->holds_sends = step & 16;
		fuzz_complete_send(f, step & 32 ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED);
		break;
	case 14:
		lcowmig_gcs_settle(f->gcs);
		break;
	default:
		if (step & 16)
			lcowmig_gcs_close(f->gcs);
		else
			lcowmig_gcs_cancel(f->gcs, fuzz_answer, f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	lcowmig_gcs_config config = LCOWMIG_GCS_CONFIG_INIT;
	lcowmig_stream_ops streams = { sizeof streams, NULL, fuzz_listen, fuzz_accept, fuzz_send, fuzz_close };
	fuzz f;

	memset(&f, 0, sizeof f);
	f.data = data;
	f.size = size;
	platform.user = &f;
	platform.now = fuzz_now;
	streams.user = &f;
	config.streams = &streams;
	config.user = &f;
	config.notification = fuzz_notification;
	config.record = fuzz_record;
	config.flags = take(&f) & LCOWMIG_GCS_RECORD_SECRETS;
	REQUIRE(lcowmig_context_new(&platform, NULL, &f.context, NULL) == LCOWMIG_OK);
	REQUIRE(lcowmig_gcs_new(f.context, &config, &f.gcs, NULL) == LCOWMIG_OK);
	while (f.size)
		fuzz_step(&f);
	lcowmig_gcs_close(f.gcs);
	fuzz_complete_send(&f, LCOWMIG_E_HOST_FAILED);
	if (f.accept)
		lcowmig_call_complete(f.accept, LCOWMIG_E_CANCELLED);
	REQUIRE(f.pending == 0);
	REQUIRE(memchr(f.streams, 1, sizeof f.streams) == NULL);
	REQUIRE(lcowmig_gcs_free(f.gcs, NULL) == LCOWMIG_OK);
	REQUIRE(lcowmig_context_free(f.context) == LCOWMIG_OK);
	return 0;
}
