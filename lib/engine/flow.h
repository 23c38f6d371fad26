/*
 * Flows: conversations of several host calls that read top to bottom. A flow is a stackless coroutine whose locals are a struct.
 *
 *     struct disk_attach {
 *             lcowmig__flow flow;             (first member)
 *             struct lcowmig__disk *disk;
 *     };
 *
 *     static void disk_attach_step(lcowmig__flow *flow)
 *     {
 *             struct disk_attach *self = (struct disk_attach *)flow;
 *
 *             FLOW_BEGIN(flow);
 *             FLOW_TRY(flow, lcowmig__hcs_modify(flow, self->disk->env, disk_document(self->disk)));
 *             lcowmig__object_fire(&self->disk->object, DISK_ATTACH);
 *             FLOW_END(flow);
 *     }
 *
 * Rules: locals of the step function never survive an await; one await per line (labels are line numbers); no await inside a switch; the
 * release function must cope with the flow ending at every await. A step runs with the context's lock held and never blocks.
 *
 * Awaiting: whatever was started inside the await expression (host calls, child flows, gates, signals: any number) is waited for. Then
 * flow->result is LCOWMIG_OK or the first failure among them, and flow->error its detail; a host call's answer is in flow->rest->reply. A
 * flow that has to clean up after a failure sets flow->failure to it, to end with: then flow->error stays as it is, whatever the awaits
 * bring.
 *
 * Interruption: a cancelled or timed-out flow sees its await end with that status. Host calls it waited for are abandoned (their late
 * results are discarded properly); child flows are interrupted too and waited for. It is delivered once, so what the flow awaits for
 * cleaning up works normally.
 */
#ifndef LCOWMIG__FLOW_H
#define LCOWMIG__FLOW_H

#include "base/arena.h"
#include "base/buf.h"
#include "state.h"
#include "timer.h"

typedef struct lcowmig__flow lcowmig__flow;
typedef struct lcowmig__operation lcowmig__operation;

typedef struct lcowmig__flow_class {
	const char *name;                    /* as in "container c1 has <name> in flight" */
	void (*step)(lcowmig__flow *flow);
	void (*release)(lcowmig__flow *flow); /* frees what the struct owns, after the end; may be NULL */
	bool is_watch;                       /* a background wait: no operation that a freeze has to wait for */
} lcowmig__flow_class;

/* What of a flow only the engine and what can be awaited look at. Kept apart: what embeds a flow stays near, and so in short code. */
typedef struct lcowmig__flow_rest {
	lcowmig__flow *flow;
	const char *interrupt_why;
	lcowmig__flow *parent;
	lcowmig__operation *operation; /* the public call that waits for it */
	lcowmig__list ready;
	lcowmig__list on_object;
	lcowmig__list in_parent;
	lcowmig__list children;
	lcowmig__list calls;
	lcowmig__list queued;          /* in a gate's or a signal's queue */
	struct lcowmig__gate *gates;   /* that it holds: few */
	bool has_trigger;              /* to be checked when the await is over */
	int trigger;
	lcowmig__timer deadline;
	lcowmig__buf reply;            /* result bytes of the last host call */
	lcowmig__arena arena;          /* what lives as long as the flow */
	lcowmig_error error;
} lcowmig__flow_rest;

struct lcowmig__flow {
	const lcowmig__flow_class *class;
	lcowmig_context *context;
	lcowmig__object *object;
	lcowmig_error *error;          /* in the rest */
	lcowmig__flow_rest *rest;
	void *handle;                  /* handle that the last host call opened; the flow takes it over */
	int label;                     /* where its step goes on; negative: only when the await has not failed */
	unsigned waiting;              /* awaited things not finished yet */
	lcowmig_status result;         /* of the last await; at the end: of the flow */
	lcowmig_status failure;        /* the flow's own: flow->error belongs to it; LCOWMIG_OK: none */
	lcowmig_status interrupt;      /* to be delivered at the next await; LCOWMIG_OK: none */
	bool ended;
	bool started;
	bool on_heap;                  /* freed by the engine after its end */
	bool lacks_memory;             /* for a copy of what the caller passed */
	bool is_shielded;              /* interrupts wait until it is lifted */
};

/* The flow whose `member` of the rest is the list's node. */
#define LCOWMIG__FLOW_OF(node, member) (LCOWMIG__LIST_ENTRY((node), lcowmig__flow_rest, member)->flow)

/* Makes an embedded flow usable (also again, after it ended). `object` may be NULL. `rest` lives as long as the flow. */
void lcowmig__flow_init(lcowmig__flow *flow, const lcowmig__flow_class *class, lcowmig_context *context, lcowmig__object *object,
                        lcowmig__flow_rest *rest);
/* A zeroed struct of `size` bytes that begins with a flow; NULL and an error when memory is out. */
void *lcowmig__flow_new(size_t size, const lcowmig__flow_class *class, lcowmig_context *context, lcowmig__object *object,
                        lcowmig_error *error);
/*
 * Pieces that live as long as the flow, for what a caller passed: zeroed room, a copy of a text (of NULL: NULL), of `size` bytes and a NUL.
 * NULL when memory is out, which lcowmig__flow_made tells.
 */
void *lcowmig__flow_alloc(lcowmig__flow *flow, size_t size);
char *lcowmig__flow_text(lcowmig__flow *flow, const char *text);
char *lcowmig__flow_bytes(lcowmig__flow *flow, const char *bytes, size_t size);
/*
 * The last word of a function that makes a heap flow: the flow. Or NULL, the flow discarded and `error` told that memory is out, when a
 * piece could not be made or `is_complete` is false.
 */
lcowmig__flow *lcowmig__flow_made(lcowmig__flow *flow, bool is_complete, lcowmig_error *error);
/* Frees a heap flow that was never started (release runs). */
void lcowmig__flow_discard(lcowmig__flow *flow);
/* Starts a child inside the parent's await. A NULL child counts as a failure for memory. Children run in parallel. */
void lcowmig__flow_child(lcowmig__flow *parent, lcowmig__flow *child);
/* Starts a flow that nobody waits for (parent, operation: none). */
void lcowmig__flow_background(lcowmig__flow *flow);
/* Ends what the flow waits for with `status` (CANCELLED, TIMED_OUT, UNAVAILABLE …); see above. `why` is static: "was cancelled". */
void lcowmig__flow_interrupt(lcowmig__flow *flow, lcowmig_status status, const char *why);
/*
 * While a flow is shielded, what it waits for is not abandoned: an interrupt is kept and delivered at the first await after the shield was
 * lifted. For host and guest calls whose outcome must be known, because they change what the controller counts.
 */
void lcowmig__flow_shield(lcowmig__flow *flow, bool is_shielded);
/* From now on, an await that is not over in `nanoseconds` ends with TIMED_OUT. Replaces an earlier deadline. */
void lcowmig__flow_set_deadline(lcowmig__flow *flow, uint64_t nanoseconds);
void lcowmig__flow_clear_deadline(lcowmig__flow *flow);
void *lcowmig__flow_take_handle(lcowmig__flow *flow);

/* For the engine's own files and for what can be awaited. */
void lcowmig__flow_step(lcowmig__flow *flow);
bool lcowmig__flow_await_begin(lcowmig__flow *flow, int label);
void lcowmig__flow_await_failed(lcowmig__flow *flow, lcowmig_status status, const lcowmig_error *error);
void lcowmig__flow_await_over(lcowmig__flow *flow); /* one awaited thing is finished */
void lcowmig__flow_finish(lcowmig__flow *flow, lcowmig_status status);

#define FLOW_BEGIN(flow)         \
	switch ((flow)->label) { \
	default:

/* The end of a flow that succeeded. */
#define FLOW_END(flow)                            \
	}                                         \
	lcowmig__flow_finish((flow), LCOWMIG_OK); \
	return

#define FLOW_RETURN(flow, status)                       \
	do {                                            \
		lcowmig__flow_finish((flow), (status)); \
		return;                                 \
	} while (0)

/* Ends the flow when `status`, of a check that told flow->error why, is a failure. */
#define FLOW_CHECK(flow, status)                           \
	do {                                               \
		const lcowmig_status check_ = (status);    \
		if (check_ != LCOWMIG_OK)                  \
			FLOW_RETURN((flow), check_);       \
	} while (0)

/*
 * Waits for everything that `start` starts; look at flow->result then.
 *
 * `start` is left out when an interrupt was kept for this await. That side cannot be taken in a background flow, which nobody interrupts,
 * nor under a shield. Elsewhere only a shield lifted before or another flow of the same run leads to it: the lock is free only while every
 * flow waits, so an interrupt from outside ends the await under way. (scripts/coverage lists the others as not reached.)
 */
#define FLOW_AWAIT(flow, start)                                  \
	do {                                                     \
		if (lcowmig__flow_await_begin((flow), __LINE__)) \
			start;                                   \
		return;                                          \
	case __LINE__:;                                          \
	} while (0)

/* The same, ending the flow with the failure when there is one. */
#define FLOW_TRY(flow, start)                                     \
	do {                                                      \
		if (lcowmig__flow_await_begin((flow), -__LINE__)) \
			start;                                    \
		return;                                           \
	case -__LINE__:;                                          \
	} while (0)

/* The same, going to a clean-up label. */
#define FLOW_TRY_OR(flow, start, label_)          \
	do {                                      \
		FLOW_AWAIT(flow, start);          \
		if ((flow)->result != LCOWMIG_OK) \
			goto label_;              \
	} while (0)

/*
 * Gates: an object's mutual exclusion across awaits, first come first served. What a flow holds when it ends is left then; it may leave
 * earlier.
 */
typedef struct lcowmig__gate {
	lcowmig__flow *holder;
	struct lcowmig__gate *next_held; /* in the holder's gates */
	lcowmig__list queue;
} lcowmig__gate;

void lcowmig__gate_init(lcowmig__gate *gate);
void lcowmig__gate_enter(lcowmig__flow *flow, lcowmig__gate *gate); /* inside an await; result OK: entered */
/* The same for an operation of the flow's object: once it is inside, the object's state must allow `trigger`, else FAILED_PRECONDITION. */
void lcowmig__gate_enter_for(lcowmig__flow *flow, lcowmig__gate *gate, int trigger);
void lcowmig__gate_leave(lcowmig__flow *flow, lcowmig__gate *gate); /* harmless for a flow that is not the holder */
void lcowmig__gate_leave_all(lcowmig__flow *flow);

/* Signals: one-shot, any number of waiters. */
typedef struct lcowmig__signal {
	bool is_set;
	lcowmig__list queue;
} lcowmig__signal;

void lcowmig__signal_init(lcowmig__signal *signal);
void lcowmig__signal_wait(lcowmig__flow *flow, lcowmig__signal *signal); /* inside an await */
void lcowmig__signal_set(lcowmig__signal *signal);                       /* repeatable */
void lcowmig__signal_reset(lcowmig__signal *signal);                     /* re-arms it; only when nobody waits */

/*
 * Public operations. The pattern of every public function that may pend:
 *
 *     lcowmig__pump pump;
 *     lcowmig__flow *flow = NULL;
 *     lcowmig_status status;
 *
 *     lcowmig__enter(context, &pump);
 *     status = thing_begin(thing, …, &flow, error);     (checks, allocates, makes the flow)
 *     return lcowmig__leave_with(context, &pump, status, flow, done, user, error);
 *
 * leave_with starts the flow, runs, and returns its result when it ended meanwhile, else PENDING; then `done` reports the end once.
 */
lcowmig_status lcowmig__leave_with(lcowmig_context *context, lcowmig__pump *pump, lcowmig_status status, lcowmig__flow *flow,
                                   lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * The same in short for public functions on an object: `handle` is what begins with its lcowmig__object.
 *
 * enter_object takes the lock; false, and INVALID_ARGUMENT "<what> is NULL" in `error`, when `handle` or `argument` is NULL. leave_object
 * passes `status` on. leave_flow is leave_with where a flow was asked for: NULL in spite of LCOWMIG_OK is NO_MEMORY, of which `error` tells
 * already.
 */
bool lcowmig__enter_object(const void *handle, const void *argument, const char *what, lcowmig__pump *pump, lcowmig_error *error);
lcowmig_status lcowmig__leave_object(const void *handle, lcowmig__pump *pump, lcowmig_status status);
lcowmig_status lcowmig__leave_flow(const void *handle, lcowmig__pump *pump, lcowmig_status status, lcowmig__flow *flow,
                                   lcowmig_done_fn done, void *user, lcowmig_error *error);

#endif
