/*
 * The guest bridge from the inside. Everything here needs the context's lock.
 *
 *     gcs.c         the object, counters, migrating flag          connection.c  connect, resume: the flows
 *     receive.c     bytes to frames to what they are for          transport.c   install, lose, park, close
 *     request.c     requests, their waiters, their deadlines      streams.c     listening and accepting
 *     document.c    the JSON of requests                          sender.c      writing, one frame at a time
 *     answer.c      the JSON of answers; answers kept             services.c    entropy and log
 *     notice.c      notifications and who expects them            record.c      the text log of frames
 *     api.c         public operations and requests                guest_ops.c   the same as guest ops
 */
#ifndef LCOWMIG__GCS_H
#define LCOWMIG__GCS_H

#include "base/buf.h"
#include "engine/call.h"
#include "engine/flow.h"
#include "engine/state.h"
#include "frame.h"
#include "lcowmig/gcs.h"

#define LCOWMIG__GCS_REQUEST_TIMEOUT UINT64_C(300000000000)
#define LCOWMIG__GCS_SHUTDOWN_TIMEOUT UINT64_C(30000000000)
#define LCOWMIG__GCS_CONNECT_TIMEOUT UINT64_C(120000000000)
#define LCOWMIG__GCS_QUEUE_BYTES (16u << 20)

/* What is kept for those that may yet ask for it. */
#define LCOWMIG__GCS_KEPT 1024u
#define LCOWMIG__GCS_KEPT_BYTES (4u << 20)
/* Bytes fed for streams whose accept is not completed yet. */
#define LCOWMIG__GCS_EARLY_STREAMS 4u
#define LCOWMIG__GCS_EARLY_BYTES (1u << 20)

#define LCOWMIG__NULL_GUID "00000000-0000-0000-0000-000000000000"

enum {
	LCOWMIG__GCS_DISCONNECTED,
	LCOWMIG__GCS_NEGOTIATING,
	LCOWMIG__GCS_CONNECTED,
	LCOWMIG__GCS_PARKED
};

enum {
	LCOWMIG__GCS_ACCEPT,
	LCOWMIG__GCS_NEGOTIATED,
	LCOWMIG__GCS_PARK,
	LCOWMIG__GCS_LOSE
};

/* A handle of the host and what closes it without needing memory. */
typedef struct lcowmig__gcs_handle {
	void *handle;
	lcowmig_call *closer;
} lcowmig__gcs_handle;

/* One of the three ports that the bridge itself listens on. */
typedef struct lcowmig__gcs_port {
	uint32_t number;
	bool is_armed;
	bool is_accepting;
	char *runtime_id; /* that it is, or was last, armed for */
	lcowmig__gcs_handle listener;
	lcowmig__gate gate;
} lcowmig__gcs_port;

/* What was fed for a stream that the library does not have yet. */
typedef struct lcowmig__early {
	void *stream;
	lcowmig__buf bytes;
	bool has_ended;
	lcowmig_status status;
} lcowmig__early;

typedef struct lcowmig__gcs_flow lcowmig__gcs_flow;

struct lcowmig_gcs {
	lcowmig__object object;
	lcowmig_context *context;
	lcowmig_gcs_config config;
	lcowmig_stream_ops streams;
	lcowmig_sandbox *sandbox;
	bool is_migrating;
	bool is_resuming; /* the transport being negotiated replaces one */
	struct lcowmig__disconnect *disconnect; /* set aside while the connection is up, so that its loss is told also without memory */
	bool is_keeping;  /* answers and notifications nobody expects may still be asked for */
	lcowmig__timer keeping;

	int64_t next_id;
	uint32_t next_port;
	bool has_negotiated; /* once; `capabilities` say what */
	lcowmig_gcs_capabilities capabilities;
	char *capabilities_json;

	/* The transport. */
	lcowmig__gcs_handle stream;
	uint64_t transport;       /* counts transports: who waited across a swap sees it */
	uint8_t *partial;         /* LCOWMIG_GCS_FRAME_MAX bytes: a frame of which only a part has come */
	size_t partial_size;
	lcowmig__flow *sender;    /* of this transport; NULL: nothing to send */
	lcowmig__list queue;      /* requests to be sent */
	size_t queue_bytes;

	lcowmig__tree requests;   /* by id */
	lcowmig__tree kept_answers; /* by id */
	lcowmig__list kept_order;   /* the same, oldest first */
	size_t kept_bytes;
	lcowmig__list notices;    /* kept notifications, oldest first */
	size_t n_notices;
	lcowmig__tree containers; /* opened ones, by id */

	lcowmig__gcs_port ports[3];
	lcowmig__gate establishing;
	lcowmig__gcs_flow *log; /* the latest log flow, NULL when none runs */
	unsigned accepting;
	lcowmig__early early[LCOWMIG__GCS_EARLY_STREAMS]; /* oldest first; there from the start, so that no first bytes are lost */
	size_t n_early;
};

/* ---- request.c ---- */

/* How a request ended. `answer` is the guest's JSON, NULL when there is none. */
typedef struct lcowmig__outcome {
	lcowmig_status status;
	uint32_t hresult;
	char message[256];
	const char *answer;
	size_t size;
} lcowmig__outcome;

/* Without an answer. */
void lcowmig__outcome_fail(lcowmig__outcome *outcome, lcowmig_status status, uint32_t hresult, const char *why);

/* The one who waits outside the library. */
typedef struct lcowmig__answer {
	lcowmig__delivery delivery;
	lcowmig_context *context;
	lcowmig_gcs_answer_fn function;
	void *user;
	lcowmig_status status;
	lcowmig_error error;
	char *text;
	size_t size;
} lcowmig__answer;

/* One who waits for a request: a call of the guest ops or a caller of the public functions. */
typedef struct lcowmig__waiter {
	lcowmig__list node;
	lcowmig_call *call;
	lcowmig__answer *answer;
} lcowmig__waiter;

typedef struct lcowmig__request {
	lcowmig__node node;
	lcowmig_gcs *gcs;
	int64_t id;
	uint32_t type;       /* 0: adopted, and any message may answer it */
	bool is_handshake;   /* lives and dies with its transport */
	bool is_queued;
	uint8_t *frame;      /* until it is handed to the host */
	size_t frame_size;
	lcowmig__list queued;
	lcowmig__list flows; /* that await it, by their `queued` */
	lcowmig__list waiters;
	lcowmig__timer deadline;
	uint64_t remaining;  /* of the deadline while migrating; 0: it has none */
} lcowmig__request;

int lcowmig__request_compare(const void *key, const lcowmig__node *node);
lcowmig__request *lcowmig__request_find(const lcowmig_gcs *gcs, int64_t id);
/*
 * Makes and queues a request. `timeout_ns` 0: none. UNAVAILABLE unless the connection is up (a handshake needs a transport only). The caller
 * adds who waits.
 */
lcowmig_status lcowmig__request_send(lcowmig_gcs *gcs, uint32_t type, bool is_handshake, const char *container_id, const char *document,
                                     uint64_t timeout_ns, lcowmig__request **ret_request, lcowmig_error *error);
/* Registers an id without sending, or finds it outstanding. */
lcowmig_status lcowmig__request_adopt(lcowmig_gcs *gcs, int64_t id, lcowmig__request **ret_request, lcowmig_error *error);
/* Ends a request and frees it; everybody who waits is told. */
void lcowmig__request_finish(lcowmig__request *request, const lcowmig__outcome *outcome);
void lcowmig__request_fail(lcowmig__request *request, lcowmig_status status, uint32_t hresult, const char *why);
/* The connection is over: everything ends with UNAVAILABLE. */
void lcowmig__requests_fail_all(lcowmig_gcs *gcs, const char *why);
/* Only the transport is: what has not been written ends so, and the handshake. */
void lcowmig__requests_fail_unsent(lcowmig_gcs *gcs, const char *why);
void lcowmig__requests_suspend(lcowmig_gcs *gcs);
void lcowmig__requests_continue(lcowmig_gcs *gcs);
/* False when everybody who waited has given up. */
bool lcowmig__request_is_wanted(lcowmig__request *request);
/* Awaits a request inside a flow. NULL: it could not be made, `error` says why. */
void lcowmig__request_await(lcowmig__flow *flow, lcowmig__request *request, const lcowmig_error *error);
lcowmig__waiter *lcowmig__waiter_new(lcowmig_gcs *gcs, lcowmig_call *call, lcowmig_gcs_answer_fn function, void *user);
void lcowmig__waiter_free(lcowmig_gcs *gcs, lcowmig__waiter *waiter);
void lcowmig__waiter_end(lcowmig_gcs *gcs, lcowmig__waiter *waiter, const lcowmig__outcome *outcome);
uint64_t lcowmig__message_timeout(const lcowmig_gcs *gcs, uint32_t message);

/* ---- document.c, answer.c ---- */

/* Writes a whole frame, its id still open, to `ret_frame` (initialised): checks the document and adds what it lacks. */
lcowmig_status lcowmig__document_frame(lcowmig_gcs *gcs, uint32_t message, const char *container_id, const char *document,
                                       lcowmig__buf *ret_frame, lcowmig_error *error);
/* Reads Result and error records. The outcome borrows the text. */
void lcowmig__answer_read(const lcowmig_gcs *gcs, const char *text, size_t size, lcowmig__outcome *ret_outcome);
/* Reads the answer to NegotiateProtocol; `ret_json` gets the Capabilities object. */
lcowmig_status lcowmig__answer_capabilities(const lcowmig_gcs *gcs, const char *text, size_t size,
                                            lcowmig_gcs_capabilities *ret_capabilities, char **ret_json, lcowmig_error *error);
/* Copies as much as fits, cut at a whole UTF-8 character. */
void lcowmig__gcs_copy(char *ret_text, size_t size, const char *text);
int lcowmig__kept_compare(const void *key, const lcowmig__node *node);
void lcowmig__answer_keep(lcowmig_gcs *gcs, const lcowmig__frame *frame, const char *text);
/* Ends the request with the answer that was kept for its id, if any. */
void lcowmig__answer_recall(lcowmig__request *request);
void lcowmig__answers_drop(lcowmig_gcs *gcs);

/* ---- notice.c ---- */

int lcowmig__opened_compare(const void *key, const lcowmig__node *node);
void lcowmig__notice_receive(lcowmig_gcs *gcs, const lcowmig__frame *frame, const char *text, size_t size);
/* Delivers what need not be kept any longer. */
void lcowmig__notices_release(lcowmig_gcs *gcs);
void lcowmig__notices_drop(lcowmig_gcs *gcs);
void lcowmig__containers_forget(lcowmig_gcs *gcs);
/* From now on unexpected messages are kept; until when, says keep_until_timeout. */
void lcowmig__gcs_keep(lcowmig_gcs *gcs);
void lcowmig__gcs_keep_until_timeout(lcowmig_gcs *gcs);
void lcowmig__gcs_settle(lcowmig_gcs *gcs);

/* ---- transport.c, sender.c, receive.c ---- */

/* Makes an accepted stream the transport (taken). */
void lcowmig__transport_install(lcowmig_gcs *gcs, lcowmig__gcs_handle *stream, bool replaces);
/* The transport is broken: parks or disconnects. */
void lcowmig__transport_lose(lcowmig_gcs *gcs, const char *why);
/* The handshake is over. NO_MEMORY, and nothing changed, when telling of a later loss could fail for memory. */
lcowmig_status lcowmig__transport_negotiated(lcowmig_gcs *gcs, lcowmig_error *error);
void lcowmig__gcs_shut(lcowmig_gcs *gcs);
void lcowmig__gcs_migrate(lcowmig_gcs *gcs, bool migrating);
/* Puts a request into the queue; false when memory is out. */
bool lcowmig__sender_queue(lcowmig__request *request);
bool lcowmig__sender_is(const lcowmig__flow *flow);
void lcowmig__receive_feed(lcowmig_gcs *gcs, const uint8_t *bytes, size_t size);
void lcowmig__receive_ended(lcowmig_gcs *gcs, lcowmig_status status);

/* ---- streams.c ---- */

/* Accepts one connection as a child flow. The stream is the parent's. */
lcowmig__flow *lcowmig__accept_flow(lcowmig_gcs *gcs, uint32_t port, lcowmig__gcs_handle *ret_stream);
/* Closes what the handle holds; harmless when it holds nothing. */
void lcowmig__gcs_handle_close(lcowmig__gcs_handle *handle);
void lcowmig__gcs_port_disarm(lcowmig__gcs_port *port);
/* The next accept needs a new listen. */
void lcowmig__gcs_port_forget(lcowmig_gcs *gcs, lcowmig__gcs_port *port);
/* Writes bytes, which are taken unless it returns false (memory is out, and the await fails with that). */
bool lcowmig__send_call(lcowmig__flow *flow, lcowmig_gcs *gcs, void *stream, uint8_t *bytes, size_t size);
void lcowmig__early_add(lcowmig_gcs *gcs, void *stream, const void *bytes, size_t size);
void lcowmig__early_end(lcowmig_gcs *gcs, void *stream, lcowmig_status status);
/* Takes what came early for a stream: bytes into `ret_bytes` (initialised); whether it has ended. */
bool lcowmig__early_take(lcowmig_gcs *gcs, void *stream, lcowmig__buf *ret_bytes, lcowmig_status *ret_status);
void lcowmig__early_drop(lcowmig_gcs *gcs);

/* ---- Operations: connection.c, streams.c, services.c ---- */

/* The beginning of every operation's struct. The guest op that it carries out is completed when it ends. */
struct lcowmig__gcs_flow {
	lcowmig__flow flow;
	lcowmig_gcs *gcs;
	lcowmig_call *call; /* NULL: a public operation */
	lcowmig__gcs_handle stream;
	char *reply; /* attached to the call; taken */
};

void *lcowmig__gcs_flow_new(lcowmig_gcs *gcs, size_t size, const lcowmig__flow_class *class, lcowmig_error *error);
void lcowmig__gcs_flow_release(lcowmig__flow *flow);

/* All are made alike, so that public operations and guest ops begin them alike. NULL: `error` says why. */
typedef lcowmig__flow *lcowmig__gcs_maker(lcowmig_gcs *gcs, const void *data, size_t number, lcowmig_error *error);

lcowmig__gcs_maker lcowmig__listen_flow;  /* the runtime id, the port */
lcowmig__gcs_maker lcowmig__entropy_flow; /* the bytes, how many */
lcowmig__gcs_maker lcowmig__log_flow;     /* neither */
lcowmig__gcs_maker lcowmig__connect_flow; /* NULL, whether cold */
lcowmig__gcs_maker lcowmig__resume_flow;  /* neither */
bool lcowmig__log_is_stream(const lcowmig_gcs *gcs, const void *stream);
void lcowmig__log_ended(lcowmig_gcs *gcs);

/* ---- api.c ---- */

/* PENDING: the waiter will be told. It is taken in every case; NULL counts as no memory. `timeout_ns` 0: none. */
lcowmig_status lcowmig__gcs_start_request(lcowmig_gcs *gcs, uint32_t message, const char *container_id, const char *document,
                                          uint64_t timeout_ns, lcowmig__waiter *waiter, lcowmig_error *error);
lcowmig_status lcowmig__gcs_start_adopt(lcowmig_gcs *gcs, int64_t id, lcowmig__waiter *waiter, lcowmig_error *error);

/* ---- record.c ---- */

void lcowmig__record_frame(lcowmig_gcs *gcs, char direction, const lcowmig__frame *frame, const char *text, size_t size);
void lcowmig__record_change(lcowmig_gcs *gcs, const char *what);

#endif
