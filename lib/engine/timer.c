#include "timer.h"

int lcowmig__timer_compare(const void *key, const lcowmig__node *node)
{
	const lcowmig__timer *a = key;
	const lcowmig__timer *b = LCOWMIG__TREE_ENTRY(node, lcowmig__timer, node);

	if (a->when != b->when)
		return a->when < b->when ? -1 : 1;
	return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

void lcowmig__timer_set(lcowmig_context *context, lcowmig__timer *timer, uint64_t wait, void (*fire)(lcowmig__timer *timer))
{
	uint64_t now = lcowmig__now(context);

	lcowmig__timer_clear(context, timer);
	timer->when = wait < UINT64_MAX - now ? now + wait : UINT64_MAX - 1; /* the last one means that there is none */
	timer->sequence = context->timer_sequence++;
	timer->fire = fire;
	lcowmig__tree_insert(&context->timers, timer, &timer->node);
}

void lcowmig__timer_clear(lcowmig_context *context, lcowmig__timer *timer)
{
	lcowmig__tree_remove(&context->timers, &timer->node);
}

uint64_t lcowmig_context_deadline(lcowmig_context *context)
{
	const lcowmig__timer *first;
	uint64_t deadline;

	if (!context)
		return LCOWMIG_NO_DEADLINE;
	lcowmig__lock_take(&context->lock);
	first = LCOWMIG__TREE_ENTRY(lcowmig__tree_first(&context->timers), lcowmig__timer, node);
	deadline = first ? first->when : LCOWMIG_NO_DEADLINE;
	lcowmig__lock_drop(&context->lock);
	return deadline;
}

void lcowmig_context_advance(lcowmig_context *context, uint64_t now)
{
	lcowmig__pump pump;

	if (!context)
		return;
	lcowmig__enter(context, &pump);
	for (;;) {
		lcowmig__timer *first = LCOWMIG__TREE_ENTRY(lcowmig__tree_first(&context->timers), lcowmig__timer, node);

		if (!first || first->when > now)
			break;
		lcowmig__timer_clear(context, first);
		first->fire(first);
		lcowmig__run(context, &pump);
	}
	lcowmig__leave(context, &pump);
}
