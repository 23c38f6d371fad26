/*
 * The context: allocator, clock, log and lock shared by everything made from it, and the engine that drives the library.
 *
 * The library has no thread of its own. Work happens inside the functions you call, on the thread that calls them: public operations,
 * lcowmig_call_complete(), lcowmig_gcs_receive() and lcowmig_context_advance(). All public functions may be called from any thread, also
 * from inside callbacks, unless they say otherwise. No lock is held while a callback runs.
 *
 * Time is pulled. A host's loop looks like this, with any event mechanism or none:
 *
 *     for (;;) {
 *             uint64_t deadline = lcowmig_context_deadline(context);
 *             wait_for_io_or(deadline);              (feeds bytes, completes calls)
 *             lcowmig_context_advance(context, monotonic_nanoseconds());
 *     }
 */
#ifndef LCOWMIG_CONTEXT_H
#define LCOWMIG_CONTEXT_H

#include "limits.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Owned by the host. Outlives everything made from it. */
typedef struct lcowmig_context lcowmig_context;

/* The deadline of a context that waits for no time at all. */
#define LCOWMIG_NO_DEADLINE UINT64_MAX

typedef enum lcowmig_log_level {
	LCOWMIG_LOG_ERROR = 0,   /* something is lost or inconsistent; always also reported as a status where a call can */
	LCOWMIG_LOG_WARNING = 1, /* odd but handled: late answers, peers that break the protocol */
	LCOWMIG_LOG_INFO = 2,    /* one line for each step of a migration */
	LCOWMIG_LOG_DEBUG = 3,   /* every state transition and every host call */
	LCOWMIG_LOG_FORCE_INT = 0x7fffffff
} lcowmig_log_level;

/*
 * What the library needs from its environment. Every member may be NULL and then has the default named beside it. Callbacks may be
 * called from any thread that is inside the library, several at once.
 */
typedef struct lcowmig_platform {
	size_t size; /* sizeof(lcowmig_platform) */
	void *user;  /* passed to every callback below */
	/* Returns `size` (> 0) bytes aligned for any type, or NULL. Default: malloc. Given together with release or not at all. */
	void *(*allocate)(void *user, size_t size);
	/* Takes back what allocate gave; never NULL. Default: free. */
	void (*release)(void *user, void *pointer);
	/* Nanoseconds of a clock that never goes back; any origin. Default: the system's monotonic clock. */
	uint64_t (*now)(void *user);
	/* Nanoseconds since 1970-01-01 UTC, for the times in events. Default: the system's clock. */
	int64_t (*wall_clock)(void *user);
	/* Fills `size` bytes with unpredictable ones; LCOWMIG_OK or an error. Default: the system's generator. */
	lcowmig_status (*random)(void *user, void *bytes, size_t size);
	/* One line of text without newline, valid during the call. May be called while an internal lock is held: it must not call back
	 * into the library and should not block. Default: nothing is logged. */
	void (*log)(void *user, lcowmig_log_level level, const char *message);
	/* Debug lines are built only up to this level (an lcowmig_log_level). */
	uint32_t log_level;
	uint32_t reserved; /* zero */
	/* Fills in the W3C trace context for a request that is about to go to the guest: at most `traceparent_size` and `tracestate_size`
	 * bytes including NUL; leave the texts empty for none. Same rules as log. Default: no trace context. */
	void (*trace)(void *user, char *traceparent, size_t traceparent_size, char *tracestate, size_t tracestate_size);
} lcowmig_platform;

#define LCOWMIG_PLATFORM_INIT { sizeof(lcowmig_platform), NULL, NULL, NULL, NULL, NULL, NULL, NULL, LCOWMIG_LOG_INFO, 0, NULL }

/*
 * Reports the end of an operation that returned LCOWMIG_PENDING. Called exactly once, with no lock held, in order with the events of the
 * context, from whichever thread is inside the library. `error` is valid during the call and never NULL; its message is empty on success.
 */
typedef void (*lcowmig_done_fn)(void *user, lcowmig_status status, const lcowmig_error *error);

/*
 * Makes a context. `platform` and `limits` are copied and may be NULL for all defaults. Free with lcowmig_context_free.
 * Errors: INVALID_ARGUMENT (a struct's size is wrong, allocate without release, a limit above its default), NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_context_new(const lcowmig_platform *platform, const lcowmig_limits *limits,
					       lcowmig_context **ret_context, lcowmig_error *error);

/*
 * Frees a context. NULL is fine. Refused with FAILED_PRECONDITION, nothing freed, while anything made from it exists, a host call is not
 * completed, or any thread is inside the library (so never from a callback). Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_context_free(lcowmig_context *context);

/*
 * Returns when the library next wants lcowmig_context_advance, in the nanoseconds of the platform's clock, or LCOWMIG_NO_DEADLINE. The
 * value may change with every other call into the library. Any thread, never blocks. Since 1.0.
 */
LCOWMIG_API uint64_t lcowmig_context_deadline(lcowmig_context *context);

/*
 * Tells the time: everything whose deadline is at or before `now` times out. Callbacks may run before it returns. Calling early or twice
 * is harmless. Since 1.0.
 */
LCOWMIG_API void lcowmig_context_advance(lcowmig_context *context, uint64_t now);

/*
 * Cancels every pending operation that was started with this `done` and `user` pair. Each still ends exactly once: with CANCELLED, or with
 * its own result where it had ended or may not be abandoned any more. Returns NOT_FOUND when there was none. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_context_cancel(lcowmig_context *context, lcowmig_done_fn done, void *user);

#ifdef __cplusplus
}
#endif

#endif
