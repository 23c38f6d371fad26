/*
 * A scripted guest and the host that moves its bytes: a bridge in a context with a fake clock and a counting allocator, four stream
 * callbacks that a test steers, and the frames the bridge has sent. The body of a test plays the guest.
 */
#ifndef TEST_PEER_H
#define TEST_PEER_H

#include <check.h>

#include "gcs/gcs.h"
#include "lcowmig/lcowmig.h"

#define PEER_STREAMS 64
#define PEER_SECOND UINT64_C(1000000000)

#define NEGOTIATE_REQUEST                                                                                                        \
	"{\"ContainerId\":\"\",\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"MinimumVersion\":4,\"MaximumVersion\":4}\n"
#define LINUX_CAPABILITIES                                                                                                       \
	"{\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":1}],\"RuntimeOsType\":\"Linux\",\"GuestDefinedCapabilities\":{"         \
	"\"NamespaceAddRequestSupported\":true,\"SignalProcessSupported\":true,\"DumpStacksSupported\":true,"                         \
	"\"DeleteContainerStateSupported\":true}}"
#define NEGOTIATE_ANSWER                                                                                                         \
	"{\"Result\":0,\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"Version\":4,\"Capabilities\":" LINUX_CAPABILITIES "}"
#define PLAIN_ANSWER "{\"Result\":0,\"ActivityId\":\"00000000-0000-0000-0000-000000000000\"}"

typedef struct peer_stream {
	uint32_t port;
	bool is_listener;
	bool is_open;
} peer_stream;

/* How an operation ended. */
typedef struct peer_done {
	int calls;
	lcowmig_status status;
	uint32_t hresult;
	char message[LCOWMIG_ERROR_MESSAGE_SIZE];
	char *answer; /* NULL: none */
} peer_done;

/* A frame that the bridge sent. */
typedef struct peer_frame {
	uint32_t type;
	uint64_t id;
	uint32_t size;
	char payload[4096];
} peer_frame;

typedef struct peer {
	lcowmig_context *context;
	lcowmig_gcs *gcs;
	lcowmig_gcs_config config;
	lcowmig_stream_ops streams;
	uint64_t now;
	long allocations_out;
	long allocations_made;
	long fail_at; /* this allocation fails; 0: none */
	bool is_out_of_memory;

	peer_stream handles[PEER_STREAMS];
	size_t n_handles;
	peer_stream *control; /* the latest control stream */
	lcowmig_call *accepts[8];
	uint32_t accept_ports[8];
	size_t n_accepts;
	bool hold_listen;
	lcowmig_call *listen_call;
	lcowmig_status listen_fails;
	bool hold_sends;
	lcowmig_call *send_call;
	lcowmig_status send_fails; /* the next ones */
	bool answers_inside_send;  /* a plain success, before send returns */
	void (*on_close)(struct peer *p, peer_stream *stream); /* inside the host's close */

	unsigned char sent[1 << 20];
	size_t sent_size;
	size_t sent_taken;
	unsigned sends;

	char notified[8192]; /* the notifications, one line each */
	int notifications;
	char logged[4096];
	char recorded[65536];
	int disconnects;
	char disconnect_why[256];
} peer;

peer *peer_new(void);
/* The same with a changed configuration or platform: call between peer_prepare and peer_start. */
peer *peer_prepare(void);
void peer_start(peer *p, const lcowmig_platform *platform);
/* Closes and frees everything; asserts that every handle was closed once, and that no memory is out. */
void peer_free(peer *p);

void peer_advance(peer *p, uint64_t nanoseconds);
/* cJSON's nth allocation from now on fails, once; 0: none does. Returns how many were made since the last call. */
long peer_fail_json(long nth);
/* The guest dials a port: the accept that waits for it succeeds. Asserts that there is one. */
peer_stream *peer_dial(peer *p, uint32_t port);
/* The accept that waits on a port fails. */
void peer_fail_accept(peer *p, uint32_t port, lcowmig_status status);
bool peer_is_accepting(const peer *p, uint32_t port);
/* Completes the send that the host holds back. */
void peer_complete_send(peer *p, lcowmig_status status);

/* The next frame that the bridge has sent; false when there is none. The frame must be whole. */
bool peer_take(peer *p, peer_frame *ret_frame);
/* Asserts that the next frame is this request, and gives its id. */
uint64_t peer_expect(peer *p, uint32_t type);
void peer_expect_nothing(peer *p);

/* Makes a frame; returns its size. */
size_t peer_frame_make(unsigned char *bytes, uint32_t type, uint64_t id, const char *payload);
/* The guest sends a frame on the control stream. */
lcowmig_status peer_send(peer *p, uint32_t type, uint64_t id, const char *payload);
/* The guest answers request `type` `id`. */
void peer_answer(peer *p, uint32_t type, uint64_t id, const char *payload);
void peer_notify(peer *p, const char *container_id);

void peer_on_done(void *user, lcowmig_status status, const lcowmig_error *error);
void peer_on_answer(void *user, lcowmig_status status, const char *answer, size_t size, const lcowmig_error *error);
void peer_done_clear(peer_done *done);
/* Asserts that it ended exactly once, with this status. */
void peer_expect_done(const peer_done *done, lcowmig_status status);

/* Listens, connects, negotiates. */
void peer_connect(peer *p, bool cold);
/* Listens and resumes on a new transport, negotiating. */
void peer_resume(peer *p);
/* Requests, asserting that it was accepted. */
void peer_request(peer *p, uint32_t message, const char *document, peer_done *done);

#endif
