/* Deadlines. The host asks for the earliest and tells the time; see lcowmig/context.h. */
#ifndef LCOWMIG__TIMER_H
#define LCOWMIG__TIMER_H

#include "context.h"

typedef struct lcowmig__timer {
	lcowmig__node node;
	uint64_t when;     /* nanoseconds of the platform's clock */
	uint64_t sequence; /* equal deadlines fire in the order in which they were set */
	void (*fire)(struct lcowmig__timer *timer);
} lcowmig__timer;

/* Fires `wait` nanoseconds from now; a wait beyond the clock's range is as long as can be told. Replaces what was set. */
void lcowmig__timer_set(lcowmig_context *context, lcowmig__timer *timer, uint64_t wait, void (*fire)(lcowmig__timer *timer));
/* Harmless when it is not set. */
void lcowmig__timer_clear(lcowmig_context *context, lcowmig__timer *timer);
/* The tree order; for lcowmig_context_new only. */
int lcowmig__timer_compare(const void *key, const lcowmig__node *node);

#endif
