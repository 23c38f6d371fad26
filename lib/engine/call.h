/*
 * Host calls from the inside; the rules the host sees are in lcowmig/call.h.
 *
 * A call is queued by a flow and invoked, with the lock dropped, by the thread that runs the flow. It stays until the host has completed
 * it, even when the flow no longer waits (abandoned): then a handle it brings late is closed (`discard`).
 */
#ifndef LCOWMIG__CALL_H
#define LCOWMIG__CALL_H

#include "flow.h"
#include "lcowmig/call.h"

struct lcowmig__env;

typedef enum lcowmig__call_phase {
	LCOWMIG__CALL_QUEUED,
	LCOWMIG__CALL_INVOKING, /* the host's callback is running */
	LCOWMIG__CALL_PENDING,
	LCOWMIG__CALL_COMPLETED /* completed while the callback was still running */
} lcowmig__call_phase;

struct lcowmig_call {
	lcowmig_context *context;
	lcowmig__flow *flow; /* NULL: abandoned */
	lcowmig__list in_flow;
	lcowmig__list outbox;
	lcowmig__call_phase phase;
	const char *what; /* "HCS create", for the error sentence */
	lcowmig_status (*invoke)(lcowmig_call *call);
	void (*discard)(lcowmig_call *call, void *handle); /* turns the call into the one that closes its handle; may be NULL */

	/* Copies results into the flow's struct, under the lock, only while the flow still waits; may be NULL. */
	void (*report)(lcowmig_call *call);

	/* Arguments; which are used depends on the operation. The texts belong to the call. */
	const struct lcowmig__env *env;
	char *text[2];
	uint8_t *bytes;
	size_t size;
	void *handle_argument;
	void *second_handle;
	void *ret[2]; /* where report puts results: members of the flow's struct */
	uint64_t number;
	uint32_t ports[3];
	bool flag;
	void *arguments; /* a block of its own for the rare bigger ones; freed with the call */

	/* What the host attached. */
	lcowmig_status status;
	bool no_memory;
	char *result;
	size_t result_size;
	void *handle;
	uint32_t hresult;
	int64_t request_id;
	void *host_data;
	void (*told_request_id)(lcowmig_call *call, int64_t id); /* under the lock; may be NULL */
	void *told_to;
	char message[256];
};

/*
 * Makes a call and queues it for the flow's current await. `what` is static. Returns NULL when memory is out, which then is the await's
 * result. The caller fills in the arguments before it returns to the engine.
 */
lcowmig_call *lcowmig__call_new(lcowmig__flow *flow, const struct lcowmig__env *env, const char *what,
                                lcowmig_status (*invoke)(lcowmig_call *call));
/* Fails the await without asking the host (an argument could not be built, a member is missing). */
void lcowmig__call_refuse(lcowmig__flow *flow, lcowmig_status status, const char *what, const char *why);
void lcowmig__call_invoke(lcowmig_call *call, lcowmig__pump *pump);
void lcowmig__call_abandon(lcowmig_call *call);

/* The same as the public functions, for guest ops of our own that hold the lock. */
void lcowmig__call_complete(lcowmig_call *call, lcowmig_status status);
void lcowmig__call_tell_request_id(lcowmig_call *call, int64_t id);

#endif
