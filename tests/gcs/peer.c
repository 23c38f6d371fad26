#include "peer.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *peer_allocate(void *user, size_t size)
{
	peer *p = user;

	if (++p->allocations_made == p->fail_at || p->is_out_of_memory)
		return NULL;
	p->allocations_out++;
	return malloc(size);
}

static void peer_release(void *user, void *pointer)
{
	((peer *)user)->allocations_out--;
	free(pointer);
}

static uint64_t peer_now(void *user)
{
	return ((peer *)user)->now;
}

static peer_stream *peer_open(peer *p, uint32_t port, bool is_listener)
{
	peer_stream *stream;

	ck_assert_uint_lt(p->n_handles, PEER_STREAMS);
	stream = &p->handles[p->n_handles++];
	stream->port = port;
	stream->is_listener = is_listener;
	stream->is_open = true;
	return stream;
}

static lcowmig_status peer_listen(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	peer *p = user;

	(void)runtime_id;
	if (p->listen_fails != LCOWMIG_OK) {
		lcowmig_call_set_error(call, 0x80072740, "the address is in use");
		return p->listen_fails;
	}
	if (p->hold_listen) {
		p->listen_call = call;
		return LCOWMIG_PENDING;
	}
	lcowmig_call_set_handle(call, peer_open(p, port, true));
	return LCOWMIG_OK;
}

static lcowmig_status peer_accept(void *user, lcowmig_call *call, uint32_t port)
{
	peer *p = user;

	ck_assert_uint_lt(p->n_accepts, 8);
	p->accepts[p->n_accepts] = call;
	p->accept_ports[p->n_accepts++] = port;
	return LCOWMIG_PENDING;
}

static void peer_answer_inside(peer *p, const uint8_t *bytes)
{
	lcowmig__frame frame = lcowmig__frame_read(bytes);

	peer_answer(p, frame.type, frame.id, PLAIN_ANSWER);
}

static lcowmig_status peer_stream_send(void *user, lcowmig_call *call, void *stream, const uint8_t *bytes, size_t size)
{
	peer *p = user;

	ck_assert(((peer_stream *)stream)->is_open);
	p->sends++;
	if (p->send_fails != LCOWMIG_OK) {
		lcowmig_call_set_error(call, 0x80072746, "connection reset");
		return p->send_fails;
	}
	ck_assert_uint_le(p->sent_size + size, sizeof p->sent);
	memcpy(p->sent + p->sent_size, bytes, size);
	p->sent_size += size;
	if (p->answers_inside_send)
		peer_answer_inside(p, bytes);
	if (!p->hold_sends)
		return LCOWMIG_OK;
	ck_assert_ptr_null(p->send_call);
	p->send_call = call;
	return LCOWMIG_PENDING;
}

/* As a host does: what waits on a listener ends when it is closed. */
static void peer_close(void *user, void *handle)
{
	peer *p = user;
	peer_stream *stream = handle;

	ck_assert_msg(stream->is_open, "a handle was closed twice");
	stream->is_open = false;
	if (p->on_close)
		p->on_close(p, stream);
	if (stream->is_listener && peer_is_accepting(p, stream->port))
		peer_fail_accept(p, stream->port, LCOWMIG_E_CANCELLED);
}

static void peer_notification(void *user, const char *json, size_t size)
{
	peer *p = user;

	ck_assert_uint_eq(strlen(json), size);
	ck_assert_uint_lt(strlen(p->notified) + size + 2, sizeof p->notified);
	strcat(p->notified, json);
	strcat(p->notified, "\n");
	p->notifications++;
}

static void peer_log(void *user, const uint8_t *bytes, size_t size)
{
	peer *p = user;
	size_t length = strlen(p->logged);

	ck_assert_uint_lt(length + size, sizeof p->logged);
	memcpy(p->logged + length, bytes, size);
	p->logged[length + size] = '\0';
}

static void peer_disconnected(void *user, const char *why)
{
	peer *p = user;

	p->disconnects++;
	snprintf(p->disconnect_why, sizeof p->disconnect_why, "%s", why);
}

static void peer_record(void *user, const char *line)
{
	peer *p = user;
	size_t length = strlen(p->recorded);

	snprintf(p->recorded + length, sizeof p->recorded - length, "%s\n", line);
}

peer *peer_prepare(void)
{
	peer *p = calloc(1, sizeof *p);
	lcowmig_gcs_config config = LCOWMIG_GCS_CONFIG_INIT;

	ck_assert_ptr_nonnull(p);
	p->now = 1000 * PEER_SECOND;
	p->streams.size = sizeof p->streams;
	p->streams.user = p;
	p->streams.listen = peer_listen;
	p->streams.accept = peer_accept;
	p->streams.send = peer_stream_send;
	p->streams.close = peer_close;
	p->config = config;
	p->config.streams = &p->streams;
	p->config.user = p;
	p->config.notification = peer_notification;
	p->config.log = peer_log;
	p->config.disconnected = peer_disconnected;
	p->config.record = peer_record;
	return p;
}

void peer_start(peer *p, const lcowmig_platform *given)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;

	if (given)
		platform = *given;
	platform.user = p;
	platform.allocate = peer_allocate;
	platform.release = peer_release;
	platform.now = peer_now;
	ck_assert_int_eq(lcowmig_context_new(&platform, NULL, &p->context, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_new(p->context, &p->config, &p->gcs, NULL), LCOWMIG_OK);
}

peer *peer_new(void)
{
	peer *p = peer_prepare();

	peer_start(p, NULL);
	return p;
}

void peer_free(peer *p)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	size_t i;

	p->fail_at = 0;
	p->is_out_of_memory = false;
	p->on_close = NULL;
	lcowmig_gcs_close(p->gcs);
	if (p->send_call)
		peer_complete_send(p, LCOWMIG_E_HOST_FAILED);
	ck_assert_msg(lcowmig_gcs_free(p->gcs, &error) == LCOWMIG_OK, "%s", error.message);
	while (p->n_accepts)
		peer_fail_accept(p, p->accept_ports[0], LCOWMIG_E_CANCELLED);
	for (i = 0; i < p->n_handles; i++)
		ck_assert_msg(!p->handles[i].is_open, "handle %zu (port %lu) was not closed", i, (unsigned long)p->handles[i].port);
	ck_assert_uint_eq(lcowmig_context_deadline(p->context), LCOWMIG_NO_DEADLINE);
	ck_assert_int_eq(lcowmig_context_free(p->context), LCOWMIG_OK);
	ck_assert_int_eq(p->allocations_out, 0);
	free(p);
}

void peer_advance(peer *p, uint64_t nanoseconds)
{
	p->now += nanoseconds;
	lcowmig_context_advance(p->context, p->now);
}

/* ---- cJSON's memory: its hooks are the process's ---- */

static long json_made;
static long json_fail_at;

static void *json_allocate(size_t size)
{
	return ++json_made == json_fail_at ? NULL : malloc(size);
}

long peer_fail_json(long nth)
{
	cJSON_Hooks hooks = { json_allocate, free };
	long made = json_made;

	cJSON_InitHooks(nth ? &hooks : NULL);
	json_made = 0;
	json_fail_at = nth;
	return made;
}

/* ---- Streams ---- */

static lcowmig_call *peer_take_accept(peer *p, uint32_t port)
{
	lcowmig_call *call;
	size_t i;

	for (i = 0; i < p->n_accepts && p->accept_ports[i] != port; i++)
		;
	ck_assert_msg(i < p->n_accepts, "nothing accepts on port %lu", (unsigned long)port);
	call = p->accepts[i];
	p->n_accepts--;
	for (; i < p->n_accepts; i++) {
		p->accepts[i] = p->accepts[i + 1];
		p->accept_ports[i] = p->accept_ports[i + 1];
	}
	return call;
}

bool peer_is_accepting(const peer *p, uint32_t port)
{
	size_t i;

	for (i = 0; i < p->n_accepts; i++)
		if (p->accept_ports[i] == port)
			return true;
	return false;
}

peer_stream *peer_dial(peer *p, uint32_t port)
{
	lcowmig_call *call = peer_take_accept(p, port);
	peer_stream *stream = peer_open(p, port, false);

	if (port == LCOWMIG_GCS_CONTROL_PORT)
		p->control = stream;
	lcowmig_call_set_handle(call, stream);
	lcowmig_call_complete(call, LCOWMIG_OK);
	return stream;
}

void peer_fail_accept(peer *p, uint32_t port, lcowmig_status status)
{
	lcowmig_call *call = peer_take_accept(p, port);

	lcowmig_call_set_error(call, 0x80072745, "the accept was given up");
	lcowmig_call_complete(call, status);
}

void peer_complete_send(peer *p, lcowmig_status status)
{
	lcowmig_call *call = p->send_call;

	ck_assert_ptr_nonnull(call);
	p->send_call = NULL;
	if (status != LCOWMIG_OK)
		lcowmig_call_set_error(call, 0x80072746, "connection reset");
	lcowmig_call_complete(call, status);
}

bool peer_take(peer *p, peer_frame *ret_frame)
{
	const unsigned char *bytes = p->sent + p->sent_taken;
	size_t left = p->sent_size - p->sent_taken;
	lcowmig__frame frame;
	size_t payload;

	if (!left)
		return false;
	ck_assert_uint_ge(left, LCOWMIG__FRAME_HEADER);
	frame = lcowmig__frame_read(bytes);
	ck_assert_uint_ge(frame.size, LCOWMIG__FRAME_HEADER);
	ck_assert_uint_le(frame.size, left);
	payload = frame.size - LCOWMIG__FRAME_HEADER;
	ck_assert_uint_lt(payload, sizeof ret_frame->payload);
	ret_frame->type = frame.type;
	ret_frame->id = frame.id;
	ret_frame->size = frame.size;
	memcpy(ret_frame->payload, bytes + LCOWMIG__FRAME_HEADER, payload);
	ret_frame->payload[payload] = '\0';
	p->sent_taken += frame.size;
	return true;
}

uint64_t peer_expect(peer *p, uint32_t type)
{
	static peer_frame frame;

	ck_assert_msg(peer_take(p, &frame), "the bridge sent nothing, expected 0x%08lx", (unsigned long)type);
	ck_assert_uint_eq(frame.type, type);
	return frame.id;
}

void peer_expect_nothing(peer *p)
{
	ck_assert_uint_eq(p->sent_size, p->sent_taken);
}

size_t peer_frame_make(unsigned char *bytes, uint32_t type, uint64_t id, const char *payload)
{
	lcowmig__frame frame;

	frame.type = type;
	frame.size = (uint32_t)(LCOWMIG__FRAME_HEADER + strlen(payload));
	frame.id = id;
	lcowmig__frame_write(bytes, &frame);
	memcpy(bytes + LCOWMIG__FRAME_HEADER, payload, strlen(payload));
	return frame.size;
}

/* From a block of exactly the frame's size, so that reading beyond it shows. */
lcowmig_status peer_send(peer *p, uint32_t type, uint64_t id, const char *payload)
{
	unsigned char *bytes = malloc(LCOWMIG__FRAME_HEADER + strlen(payload));
	size_t size = peer_frame_make(bytes, type, id, payload);
	lcowmig_status status = lcowmig_gcs_receive(p->gcs, p->control, bytes, size);

	free(bytes);
	return status;
}

void peer_answer(peer *p, uint32_t type, uint64_t id, const char *payload)
{
	ck_assert_int_eq(peer_send(p, (type & 0x0fffffffu) | 0x20000000u, id, payload), LCOWMIG_OK);
}

void peer_notify(peer *p, const char *container_id)
{
	char json[512];

	snprintf(json, sizeof json,
		 "{\"ContainerId\":\"%s\",\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"Type\":\"ForcedExit\","
		 "\"Operation\":\"None\",\"Result\":0}",
		 container_id);
	peer_send(p, LCOWMIG_GCS_NOTIFICATION, 0, json);
}

void peer_on_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	peer_done *done = user;

	done->calls++;
	done->status = status;
	done->hresult = error->hresult;
	strcpy(done->message, error->message);
}

void peer_on_answer(void *user, lcowmig_status status, const char *answer, size_t size, const lcowmig_error *error)
{
	peer_done *done = user;

	peer_on_done(user, status, error);
	free(done->answer);
	done->answer = NULL;
	if (!answer)
		return;
	ck_assert_uint_eq(strlen(answer), size);
	done->answer = malloc(size + 1);
	memcpy(done->answer, answer, size + 1);
}

void peer_done_clear(peer_done *done)
{
	free(done->answer);
	memset(done, 0, sizeof *done);
}

void peer_expect_done(const peer_done *done, lcowmig_status status)
{
	ck_assert_int_eq(done->calls, 1);
	ck_assert_msg(done->status == status, "ended with %s (%s), expected %s", lcowmig_status_name(done->status), done->message,
		      lcowmig_status_name(status));
}

void peer_connect(peer *p, bool cold)
{
	peer_done done = { 0 };

	ck_assert_int_eq(lcowmig_gcs_listen(p->gcs, "runtime", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, cold, peer_on_done, &done, NULL), LCOWMIG_PENDING);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
	peer_expect_done(&done, LCOWMIG_OK);
}

void peer_resume(peer *p)
{
	peer_done done = { 0 };

	ck_assert_int_eq(lcowmig_gcs_listen(p->gcs, "runtime", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_resume(p->gcs, peer_on_done, &done, NULL), LCOWMIG_PENDING);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
	peer_expect_done(&done, LCOWMIG_OK);
}

void peer_request(peer *p, uint32_t message, const char *document, peer_done *done)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	ck_assert_msg(lcowmig_gcs_request(p->gcs, message, "c1", document, 0, peer_on_answer, done, &error) == LCOWMIG_PENDING, "%s",
		      error.message);
}
