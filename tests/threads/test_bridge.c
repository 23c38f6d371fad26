/* The bridge between threads: one reads for the guest, several request, and the transport is swapped under them. Meant for ThreadSanitizer. */
#define _POSIX_C_SOURCE 200809L

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gcs/frame.h"
#include "lcowmig/lcowmig.h"

#define OK(call) ck_assert_msg((call) == LCOWMIG_OK, "%s", #call)
#define REQUESTERS 4
#define REQUESTS 150
#define FRAMES_MAX 1024
#define STREAMS_MAX 64
#define SWAPS 8

typedef struct frame {
	int stream; /* that the answer goes to */
	uint32_t type;
	uint64_t id;
} frame;

/* The guest's side: what was sent to it, in order. */
typedef struct guest {
	lcowmig_context *context;
	lcowmig_gcs *gcs;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	frame frames[FRAMES_MAX];
	size_t first, count;
	char streams[STREAMS_MAX]; /* their addresses are the handles */
	int current;               /* index of the newest stream, -1: none */
	bool hangs_up;             /* the reader is to end the current stream */
	bool ends;
} guest;

static lcowmig_status on_listen(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	(void)user;
	(void)call;
	(void)runtime_id;
	(void)port;
	return LCOWMIG_OK;
}

static lcowmig_status on_accept(void *user, lcowmig_call *call, uint32_t port)
{
	guest *g = user;

	(void)port;
	pthread_mutex_lock(&g->lock);
	ck_assert_int_lt(g->current + 1, STREAMS_MAX);
	lcowmig_call_set_handle(call, &g->streams[++g->current]);
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
	return LCOWMIG_OK;
}

static lcowmig_status on_send(void *user, lcowmig_call *call, void *stream, const uint8_t *bytes, size_t size)
{
	guest *g = user;
	lcowmig__frame header = lcowmig__frame_read(bytes);

	(void)call;
	(void)stream;
	ck_assert_uint_eq(header.size, size);
	pthread_mutex_lock(&g->lock);
	ck_assert_uint_lt(g->count, FRAMES_MAX);
	g->frames[(g->first + g->count++) % FRAMES_MAX] = (frame){ 0, header.type, header.id };
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
	return LCOWMIG_OK;
}

static void on_close(void *user, void *handle)
{
	(void)user;
	(void)handle;
}

static void answer(guest *g, const frame *taken)
{
	static const char negotiated[] = "{\"Result\":0,\"Version\":4,\"Capabilities\":{\"RuntimeOsType\":\"Linux\",\"GuestDefinedCapabilities\":{}}}";
	static const char plain[] = "{\"Result\":0}";
	bool is_first = taken->type == LCOWMIG_GCS_NEGOTIATE_PROTOCOL;
	const char *payload = is_first ? negotiated : plain;
	unsigned char bytes[256];
	lcowmig__frame header = { (taken->type & ~LCOWMIG__FRAME_KIND) | LCOWMIG__FRAME_RESPONSE,
		                  (uint32_t)(LCOWMIG__FRAME_HEADER + strlen(payload)), taken->id };

	lcowmig__frame_write(bytes, &header);
	memcpy(bytes + LCOWMIG__FRAME_HEADER, payload, strlen(payload));
	/* In two portions, the way sockets have it. */
	lcowmig_gcs_receive(g->gcs, &g->streams[taken->stream], bytes, 20);
	lcowmig_gcs_receive(g->gcs, &g->streams[taken->stream], bytes + 20, header.size - 20);
}

/* With the lock: ends the stream. What the guest has been asked it answers on the next one. */
static void hang_up(guest *g)
{
	int old = g->current;

	g->hangs_up = false;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
	lcowmig_gcs_receive_end(g->gcs, &g->streams[old], LCOWMIG_E_HOST_FAILED);
	pthread_mutex_lock(&g->lock);
	while (g->current == old && !g->ends)
		pthread_cond_wait(&g->changed, &g->lock);
}

/* All bytes of the guest come from this thread. */
static void *reader_main(void *argument)
{
	guest *g = argument;

	pthread_mutex_lock(&g->lock);
	for (;;) {
		frame taken;

		while (!g->count && !g->hangs_up && !g->ends)
			pthread_cond_wait(&g->changed, &g->lock);
		if (g->hangs_up) {
			hang_up(g);
			continue;
		}
		if (!g->count)
			break;
		taken = g->frames[g->first];
		g->first = (g->first + 1) % FRAMES_MAX;
		g->count--;
		taken.stream = g->current;
		pthread_mutex_unlock(&g->lock);
		answer(g, &taken);
		pthread_mutex_lock(&g->lock);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

/* ---- The host's side ---- */

typedef struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned calls;
	lcowmig_status status;
} waiter;

static void on_answer(void *user, lcowmig_status status, const char *text, size_t size, const lcowmig_error *error)
{
	waiter *w = user;

	(void)text;
	(void)size;
	(void)error;
	pthread_mutex_lock(&w->lock);
	w->calls++;
	w->status = status;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void on_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	on_answer(user, status, NULL, 0, error);
}

static lcowmig_status await(waiter *w, lcowmig_status status)
{
	pthread_mutex_lock(&w->lock);
	while (status == LCOWMIG_PENDING && !w->calls)
		pthread_cond_wait(&w->changed, &w->lock);
	ck_assert_uint_eq(w->calls, status == LCOWMIG_PENDING);
	if (status == LCOWMIG_PENDING)
		status = w->status;
	w->calls = 0;
	pthread_mutex_unlock(&w->lock);
	return status;
}

typedef struct requester {
	guest *g;
	bool may_lose; /* the transport is swapped meanwhile */
	unsigned succeeded;
} requester;

/* Each request ends once; over a swap it may fail, and only because it was being sent or there was no transport. */
static void *requester_main(void *argument)
{
	requester *self = argument;
	waiter w = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
	unsigned i;

	for (i = 0; i < REQUESTS; i++) {
		lcowmig_status status =
			lcowmig_gcs_request(self->g->gcs, LCOWMIG_GCS_GET_PROPERTIES, "c1", "{\"Query\":\"\"}", 0, on_answer, &w, NULL);

		if (i % 7 == 0)
			lcowmig_gcs_cancel(self->g->gcs, on_answer, &w);
		status = await(&w, status);
		self->succeeded += status == LCOWMIG_OK;
		ck_assert_msg(status == LCOWMIG_OK || status == LCOWMIG_E_CANCELLED || (self->may_lose && status == LCOWMIG_E_UNAVAILABLE), "%s",
		              lcowmig_status_name(status));
		lcowmig_gcs_next_request_id(self->g->gcs);
		lcowmig_gcs_is_connected(self->g->gcs);
		if (status == LCOWMIG_E_UNAVAILABLE)
			nanosleep(&(struct timespec){ 0, 500000 }, NULL);
	}
	return NULL;
}

static void begin(guest *g)
{
	lcowmig_stream_ops streams = { sizeof streams, g, on_listen, on_accept, on_send, on_close };
	lcowmig_gcs_config config = LCOWMIG_GCS_CONFIG_INIT;

	memset(g, 0, sizeof *g);
	g->current = -1;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, NULL);
	config.streams = &streams;
	OK(lcowmig_context_new(NULL, NULL, &g->context, NULL));
	OK(lcowmig_gcs_new(g->context, &config, &g->gcs, NULL));
}

static void finish(guest *g, pthread_t reader)
{
	pthread_mutex_lock(&g->lock);
	g->ends = true;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
	ck_assert_int_eq(pthread_join(reader, NULL), 0);
	lcowmig_gcs_close(g->gcs);
	OK(lcowmig_gcs_free(g->gcs, NULL));
	OK(lcowmig_context_free(g->context));
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
}

/* The guest's end goes, the next transport comes. */
static void swap(guest *g, waiter *w)
{
	lcowmig_gcs_set_migrating(g->gcs, true);
	pthread_mutex_lock(&g->lock);
	g->hangs_up = true;
	pthread_cond_broadcast(&g->changed);
	while (g->hangs_up)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
	OK(lcowmig_gcs_listen(g->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL));
	OK(await(w, lcowmig_gcs_resume(g->gcs, on_done, w, NULL)));
	lcowmig_gcs_set_migrating(g->gcs, false);
	lcowmig_gcs_settle(g->gcs);
}

static void run(bool swaps)
{
	static guest g;
	pthread_t reader, threads[REQUESTERS];
	requester requesters[REQUESTERS];
	waiter w = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
	unsigned i;

	begin(&g);
	ck_assert_int_eq(pthread_create(&reader, NULL, reader_main, &g), 0);
	OK(lcowmig_gcs_listen(g.gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL));
	OK(await(&w, lcowmig_gcs_connect(g.gcs, true, on_done, &w, NULL)));
	for (i = 0; i < REQUESTERS; i++) {
		requesters[i] = (requester){ &g, swaps, 0 };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, requester_main, &requesters[i]), 0);
	}
	for (i = 0; swaps && i < SWAPS; i++)
		swap(&g, &w);
	for (i = 0; i < REQUESTERS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_uint_gt(requesters[i].succeeded, 0);
	}
	finish(&g, reader);
}

START_TEST(test_many_threads_request)
{
	run(false);
}
END_TEST

START_TEST(test_transport_is_swapped_while_many_request)
{
	run(true);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bridge threads");
	TCase *tests = tcase_create("bridge");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, test_many_threads_request);
	tcase_add_test(tests, test_transport_is_swapped_while_many_request);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
