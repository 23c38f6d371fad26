/*
 * The guest bridge: a client of the LCOW guest connection, over byte streams that the host moves. Usable with a sandbox (as its guest
 * ops) and without one (by a shim that migrates nothing).
 *
 * The guest agent dials, the host listens: for every vsock port the host accepts one stream, hands its bytes to lcowmig_gcs_receive() and
 * writes what the library gives to `send`. The library frames, negotiates, numbers and matches requests, waits for answers with deadlines,
 * and survives the change of the transport during a migration. It never touches a socket.
 *
 *     lcowmig_gcs_new(context, &config, &gcs, NULL);
 *     lcowmig_gcs_listen(gcs, runtime_id, LCOWMIG_GCS_CONTROL_PORT, …);     (before the machine runs)
 *     lcowmig_gcs_connect(gcs, true, …);                                    (accepts and negotiates)
 *     lcowmig_gcs_request(gcs, LCOWMIG_GCS_GET_PROPERTIES, "c1", "{\"Query\":\"\"}", 0, on_answer, user, NULL);
 *     …
 *     lcowmig_gcs_close(gcs);
 *     lcowmig_gcs_free(gcs, NULL);
 *
 * With a sandbox: lcowmig_gcs_guest_ops(gcs, &ops), and &ops into lcowmig_sandbox_config. Bridge and sandbox belong to one context.
 *
 * A connection is Disconnected, Negotiating, Connected or Parked. Losing the transport disconnects: every outstanding request ends with
 * UNAVAILABLE. While migrating (lcowmig_gcs_set_migrating) it parks instead: requests that were written wait for the transport that
 * lcowmig_gcs_resume() brings, and only those caught in being sent fail. Request deadlines stand still while migrating.
 *
 * What a guest sends that nobody expects is never a reason to drop the connection: late, second and unknown answers and notifications are
 * logged. Around a migration they may belong to something that is about to be reopened, so they are kept (at most 1024 answers and 1024
 * notifications) from a warm connect, a resume or the start of a migration until lcowmig_gcs_settle(), or until the connect timeout has
 * passed since the last of these. Only bytes that cannot be framed end a transport: a size outside 16 … 65536 or an unknown kind.
 */
#ifndef LCOWMIG_GCS_H
#define LCOWMIG_GCS_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Owned by the host, made in a context, freed with lcowmig_gcs_free. */
typedef struct lcowmig_gcs lcowmig_gcs;

/*
 * The byte streams, all four needed. Callbacks with an lcowmig_call follow call.h. Handles are the host's, anything but NULL; each that was
 * attached to a successful call is closed exactly once. When the library closes a handle, a call that still waits on it (accept on a
 * listener, send on a stream) must be completed soon, with an error unless it had succeeded.
 */
typedef struct lcowmig_stream_ops {
	size_t size;
	void *user;
	/* Listens on vsock `port` of the machine `runtime_id` (GUID text, "" when unknown); completes when bound. Says OK when it listens
	 * there already. May attach a handle, which is then closed when one connection was accepted or none is wanted any more. */
	lcowmig_status (*listen)(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port);
	/* Accepts one connection on `port`; attach the stream. Its bytes may be fed as soon as the host has it, even before the call is
	 * completed (up to 1 MiB is kept for it). */
	lcowmig_status (*accept)(void *user, lcowmig_call *call, uint32_t port);
	/* Writes all `size` bytes; completes when they are taken. Back-pressure: the next send of a stream comes after that. A failure
	 * loses the stream. `bytes` live as long as the call. */
	lcowmig_status (*send)(void *user, lcowmig_call *call, void *stream, const uint8_t *bytes, size_t size);
	/* Closes a stream or a listener. Returns at once. May come while another thread is inside send or accept for it. Bytes of the
	 * stream that are fed later are ignored. */
	void (*close)(void *user, void *handle);
} lcowmig_stream_ops;

/* Writes the recording with process environments and policies in clear text. For test benches. */
#define LCOWMIG_GCS_RECORD_SECRETS 0x1u

/* How a bridge behaves. Copied. Every member but `streams` may be zero. Callbacks come with no lock held unless it is said otherwise. */
typedef struct lcowmig_gcs_config {
	size_t size;
	const lcowmig_stream_ops *streams; /* copied */
	void *user;                        /* passed to the callbacks below */
	/* A container notification (message 0x30100101), its JSON NUL-terminated and valid during the call. Not called while a sandbox is
	 * attached, which then gets it. In order with the events of the context. */
	void (*notification)(void *user, const char *json, size_t size);
	/* Bytes of the guest's log stream, as they came, on the thread that fed them. */
	void (*log)(void *user, const uint8_t *bytes, size_t size);
	/* A negotiated connection was lost without lcowmig_gcs_close and without being parked. In order with the events of the context. */
	void (*disconnected)(void *user, const char *why);
	/* One line of text for each frame: "> WaitForProcess id=57 size=183 {}" is ours, "<" the guest's, "=" a change of connection.
	 * Environments and policies in it are replaced by "***". An internal lock is held: must not call back, should not block. */
	void (*record)(void *user, const char *line);
	uint64_t request_timeout_ns; /* 0: five minutes */
	uint64_t connect_timeout_ns; /* of connect, resume and entropy; 0: two minutes */
	uint32_t queue_bytes;        /* of requests that `send` has not taken; 0: 16 MiB. One request always fits */
	uint32_t flags;              /* LCOWMIG_GCS_… */
} lcowmig_gcs_config;

#define LCOWMIG_GCS_CONFIG_INIT { sizeof(lcowmig_gcs_config), NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0 }

/* What the guest said it can do. Booleans are 0 or 1. Set `size` before asking. */
typedef struct lcowmig_gcs_capabilities {
	size_t size;
	uint32_t protocol_version; /* 4 */
	uint32_t send_host_create_message;
	uint32_t send_host_start_message;
	uint32_t hv_socket_config_on_startup;
	uint32_t namespace_add_request;
	uint32_t signal_process;
	uint32_t dump_stacks;
	uint32_t delete_container_state;
	uint32_t schema_major; /* the highest supported schema version; 0 when the guest named none */
	uint32_t schema_minor;
	char runtime_os_type[32]; /* lower case; "windows" when the guest named none */
} lcowmig_gcs_capabilities;

#define LCOWMIG_GCS_CAPABILITIES_INIT { sizeof(lcowmig_gcs_capabilities), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, { 0 } }

/*
 * Reports the end of a request: called exactly once, with no lock held, in order with the events of the context. `answer` is the guest's
 * JSON, NUL-terminated and valid during the call, also when the guest refused (GUEST_FAILED, HRESULT and message in `error`); NULL when
 * there is none. Other statuses: CORRUPT_DATA (the answer is no answer), TIMED_OUT, UNAVAILABLE, CANCELLED, NO_MEMORY.
 */
typedef void (*lcowmig_gcs_answer_fn)(void *user, lcowmig_status status, const char *answer, size_t size, const lcowmig_error *error);

/*
 * Makes a bridge that is Disconnected, with request ids from 0 and ports from LCOWMIG_GCS_FIRST_PORT. Free with lcowmig_gcs_free.
 * Errors: INVALID_ARGUMENT (sizes, missing callbacks, unknown flags), NOT_SUPPORTED (see the size rule in host.h), NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_gcs_new(lcowmig_context *context, const lcowmig_gcs_config *config, lcowmig_gcs **ret_gcs,
                                           lcowmig_error *error);

/*
 * Frees a bridge. NULL is fine. Refused with FAILED_PRECONDITION, nothing freed, unless it is closed, detached from its sandbox and no
 * operation or `send` is in flight. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_gcs_free(lcowmig_gcs *gcs, lcowmig_error *error);

/* Fills in guest ops that work on this bridge; they are valid until it is freed. `ret_ops` need not be initialised. Since 1.0. */
LCOWMIG_API void lcowmig_gcs_guest_ops(lcowmig_gcs *gcs, lcowmig_guest_ops *ret_ops);

/*
 * Feeds bytes that arrived on a stream, in any portions; frames that are whole in `data` are not copied. Callbacks may run before it
 * returns. One thread at a time for one stream. UNAVAILABLE when the bridge does not use the stream (any more); the bytes are ignored
 * then, and nothing is to be done about it. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_gcs_receive(lcowmig_gcs *gcs, void *stream, const void *data, size_t size);

/*
 * Tells that no more bytes will come: `status` is LCOWMIG_OK for an orderly end, or the error. The handle is then closed by the library.
 * Returns as lcowmig_gcs_receive. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_gcs_receive_end(lcowmig_gcs *gcs, void *stream, lcowmig_status status);

/*
 * Operations: OK, an error, or PENDING and then one call of `done` (see lcowmig_done_fn; lcowmig_context_cancel ends them early).
 */

/*
 * Listens on the entropy, log or control port. Nothing happens when it is armed for the same machine. Other errors: INVALID_ARGUMENT (other
 * port), FAILED_PRECONDITION (armed for another machine), the host's. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_gcs_listen(lcowmig_gcs *gcs, const char *runtime_id, uint32_t port, lcowmig_done_fn done, void *user,
                                              lcowmig_error *error);

/* Accepts the entropy connection, sends the bytes (the guest expects 512) and closes it. Needs the port armed. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_gcs_seed_entropy(lcowmig_gcs *gcs, const void *bytes, size_t size, lcowmig_done_fn done, void *user,
                                                    lcowmig_error *error);

/*
 * Accepts the log connection and passes its bytes to the `log` callback; ends when that stream does. Has no deadline: a guest that is
 * silent dials late. A newer connection replaces an older one, whose operation then ends with OK. FAILED_PRECONDITION when the port is not
 * armed, or one still waits for its connection (which then goes on). Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_gcs_read_log(lcowmig_gcs *gcs, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Accepts the control connection and negotiates. `cold`: the guest has just booted (its create and start messages are sent when it asks
 * for them). OK at once when Connected. Needs the control port armed; an attempt after a failed one arms it itself. Other errors:
 * FAILED_PRECONDITION (not armed; Parked: resume it), UNSUPPORTED_VERSION, CORRUPT_DATA, GUEST_FAILED, TIMED_OUT, UNAVAILABLE (closed or
 * lost meanwhile), the host's. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_gcs_connect(lcowmig_gcs *gcs, bool cold, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Accepts a new transport for a connection that is Connected or Parked, drops the old one with whatever was half sent or half received, and
 * negotiates again. Outstanding requests, ids and ports stay. Only while migrating. One that had to wait for another to end, and finds that
 * it succeeded, succeeds with it. Errors as lcowmig_gcs_connect; after one, resume can be repeated. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_gcs_resume(lcowmig_gcs *gcs, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Closes listeners and streams and ends everything outstanding, adopted waits and operations included, with UNAVAILABLE. Counters stay; the
 * bridge can connect again. Repeatable, legal in every state. Since 1.0.
 */
LCOWMIG_API void lcowmig_gcs_close(lcowmig_gcs *gcs);

/* True while a negotiated transport is up. Since 1.0. */
LCOWMIG_API bool lcowmig_gcs_is_connected(lcowmig_gcs *gcs);

/* Fills in what the last successful negotiation said. FAILED_PRECONDITION before the first one. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_gcs_get_capabilities(lcowmig_gcs *gcs, lcowmig_gcs_capabilities *ret_capabilities);

/*
 * While true, losing the transport parks the connection, and request deadlines stand still. Setting it to false while Parked gives the
 * connection up: everything outstanding ends with UNAVAILABLE. Since 1.0.
 */
LCOWMIG_API void lcowmig_gcs_set_migrating(lcowmig_gcs *gcs, bool migrating);

/*
 * The reopening that followed a warm connect or a resume is complete: notifications kept for containers that nobody opened are delivered,
 * kept answers are dropped. Happens by itself when the connect timeout has passed. Since 1.0.
 */
LCOWMIG_API void lcowmig_gcs_settle(lcowmig_gcs *gcs);

/*
 * Sends one request. `document` is a JSON object, NULL for an empty one; ContainerId (from `container_id`) and ActivityId are added when
 * it has none, a trace context when the platform gives one, and nothing else in it is changed. `timeout_ns` 0: what suits the message
 * (none for WaitForProcess, 30 s for the shutdowns, else request_timeout_ns); LCOWMIG_NO_DEADLINE: none.
 * Returns PENDING, and then calls `answer` (may be NULL) exactly once, maybe before it returns; or an error, and never calls it:
 * INVALID_ARGUMENT (not a request's type word; Negotiate), CORRUPT_DATA or LIMIT_EXCEEDED (the document; the queue is full), UNAVAILABLE
 * (not Connected), NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_gcs_request(lcowmig_gcs *gcs, uint32_t message, const char *container_id, const char *document,
                                               uint64_t timeout_ns, lcowmig_gcs_answer_fn answer, void *user, lcowmig_error *error);

/*
 * Waits for the answer to a request that another connection sent under `id` (> 0). Legal in every state, also before connect. When `id` is
 * outstanding here already, both get the answer. Returns as lcowmig_gcs_request. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_gcs_adopt(lcowmig_gcs *gcs, int64_t id, lcowmig_gcs_answer_fn answer, void *user, lcowmig_error *error);

/*
 * Ends every request and adopted wait with this pair of function and pointer with CANCELLED. The guest is not told; its answer is dropped
 * when it comes. NOT_FOUND when there was none. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_gcs_cancel(lcowmig_gcs *gcs, lcowmig_gcs_answer_fn answer, void *user);

/* The stdio port and the request id that will be handed out next. Since 1.0. */
LCOWMIG_API uint32_t lcowmig_gcs_next_port(lcowmig_gcs *gcs);
LCOWMIG_API int64_t lcowmig_gcs_next_request_id(lcowmig_gcs *gcs);

/* Takes one stdio port; 0 when all are used up. Since 1.0. */
LCOWMIG_API uint32_t lcowmig_gcs_allocate_port(lcowmig_gcs *gcs);

/* Raise the allocators so that `next` comes next; never lower them. Since 1.0. */
LCOWMIG_API void lcowmig_gcs_raise_port(lcowmig_gcs *gcs, uint32_t next);
LCOWMIG_API void lcowmig_gcs_raise_request_id(lcowmig_gcs *gcs, int64_t next);

/*
 * A container's notification is expected from now on: one that was kept is delivered. Call it before Create, or when the container is
 * reopened after a migration. Repeatable. close_container ends that. Since 1.0.
 */
LCOWMIG_API void lcowmig_gcs_open_container(lcowmig_gcs *gcs, const char *container_id);
LCOWMIG_API void lcowmig_gcs_close_container(lcowmig_gcs *gcs, const char *container_id);

#ifdef __cplusplus
}
#endif

#endif
