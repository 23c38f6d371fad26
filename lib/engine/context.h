/*
 * The context, and how threads go in and out of it.
 *
 * One lock guards everything that hangs below a context. A public function enters, changes state, starts flows, and leaves; leaving runs
 * what became ready. Host callbacks, events and done callbacks run from there with the lock dropped. What one thread caused sits in that
 * thread's pump (a struct on its stack), so a callback that blocks holds up only the thread whose work it is.
 *
 * The lock is dropped only when no flow is ready: whoever gets it finds every flow waiting. The controllers build on that. An interrupt from
 * outside always meets a wait, which then does not succeed any more; and what one completion sets off is through before the next one counts.
 */
#ifndef LCOWMIG__CONTEXT_H
#define LCOWMIG__CONTEXT_H

#include "base/alloc.h"
#include "base/error.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/guid.h"
#include "base/platform.h"
#include "base/tree.h"
#include "lcowmig/context.h"
#include "lcowmig/guid.h"

/* What the thread that is inside has yet to do. */
typedef struct lcowmig__pump {
	lcowmig__list ready;  /* flows whose step is to run */
	lcowmig__list outbox; /* calls whose callback is to run */
} lcowmig__pump;

/* Something to be delivered in order: an event or a done callback. `run` is called with the lock dropped and disposes of the delivery. */
typedef struct lcowmig__delivery {
	lcowmig__list node;
	void (*run)(struct lcowmig__delivery *delivery);
} lcowmig__delivery;

struct lcowmig_context {
	lcowmig__mem mem;   /* everything's but the context's own */
	lcowmig__heap heap; /* behind it */
	lcowmig_platform platform;
	lcowmig_limits limits;
	lcowmig__lock lock;
	lcowmig__pump *pump; /* of the thread that holds the lock */
	unsigned inside;     /* threads (and nested entries) between enter and leave */
	lcowmig__list deliveries;
	bool delivering; /* some thread is running them */
	lcowmig__tree timers;
	uint64_t timer_sequence;
	lcowmig__list operations; /* public operations that returned PENDING */
	unsigned calls;           /* host calls that are not completed */
	unsigned dependents;      /* sandboxes, bridges and stand-alone objects */
};

void lcowmig__enter(lcowmig_context *context, lcowmig__pump *pump);
/* Runs what became ready until nothing is left for this thread, then drops the lock. */
void lcowmig__leave(lcowmig_context *context, lcowmig__pump *pump);
/* The same without dropping the lock at the end. */
void lcowmig__run(lcowmig_context *context, lcowmig__pump *pump);

/* Queues a delivery; it runs after everything queued before it. */
void lcowmig__deliver(lcowmig_context *context, lcowmig__delivery *delivery);

uint64_t lcowmig__now(lcowmig_context *context);
int64_t lcowmig__wall_clock(lcowmig_context *context);
lcowmig_status lcowmig__random_guid(lcowmig_context *context, lcowmig_guid *ret_guid, lcowmig_error *error);
void lcowmig__log(lcowmig_context *context, lcowmig_log_level level, const char *format, ...) LCOWMIG__PRINTF(3, 4);

#endif
