#include "notify.h"

#include <string.h>

struct lcowmig_subscription {
	lcowmig__list in_notifier; /* unlinked once the session has ended */
	lcowmig_context *context;
	uint32_t flags;
	lcowmig_notification_fn notify;
	void *user;
	lcowmig__list waiting;
	size_t n_waiting;
	uint32_t missed;               /* since the last one that was queued */
	lcowmig_notification *reserve; /* for an event that must not be lost */
	lcowmig_notification *end;     /* for the end of the session */
	bool is_running;               /* its callback is; there is one delivery at a time */
	bool is_gone;                  /* unsubscribed meanwhile, or told the end */
};

void lcowmig__notifier_init(lcowmig__notifier *notifier, lcowmig_context *context)
{
	notifier->context = context;
	notifier->is_open = false;
	notifier->latest = NULL;
	notifier->latest_event = NULL;
	notifier->spare = NULL;
	lcowmig__list_init(&notifier->subscriptions);
}

bool lcowmig__notifier_open(lcowmig__notifier *notifier)
{
	notifier->spare = lcowmig__alloc(&notifier->context->mem, sizeof *notifier->spare);
	if (!notifier->spare)
		return false;
	notifier->is_open = true;
	notifier->start_time = lcowmig__wall_clock(notifier->context);
	notifier->message_id = 0;
	notifier->sequence = 0;
	return true;
}

/* Drops one reference and leaves NULL behind. */
static void notice_drop(lcowmig_context *context, lcowmig__notice **place)
{
	lcowmig__notice *notice = *place;

	*place = NULL;
	if (notice && --notice->references == 0)
		lcowmig__free(&context->mem, notice);
}

static void notice_keep(lcowmig_context *context, lcowmig__notice **place, lcowmig__notice *notice)
{
	notice->references++;
	notice_drop(context, place);
	*place = notice;
}

static void notification_free(lcowmig_notification *notification)
{
	if (!notification)
		return;
	notice_drop(notification->context, &notification->notice);
	lcowmig__free(&notification->context->mem, notification);
}

static void subscription_free(lcowmig_subscription *subscription)
{
	lcowmig_context *context = subscription->context;

	notification_free(subscription->reserve);
	notification_free(subscription->end);
	context->dependents--;
	lcowmig__free(&context->mem, subscription);
}

/* Runs without the lock, as deliveries do. */
static void notification_deliver(lcowmig__delivery *delivery)
{
	lcowmig_notification *notification = LCOWMIG__CONTAINER_OF(delivery, lcowmig_notification, delivery);
	lcowmig_context *context = notification->context;
	lcowmig_subscription *subscription;

	lcowmig__lock_take(&context->lock);
	subscription = notification->subscription;
	if (subscription) {
		lcowmig__list_remove(&notification->in_subscription);
		subscription->n_waiting--;
		subscription->is_running = true;
		subscription->is_gone = !notification->notice; /* the end is the last */
		lcowmig__lock_drop(&context->lock);
		subscription->notify(subscription->user, notification->notice ? notification : NULL);
		lcowmig__lock_take(&context->lock);
		subscription->is_running = false;
		if (subscription->is_gone)
			subscription_free(subscription);
	}
	notification_free(notification);
	lcowmig__lock_drop(&context->lock);
}

static lcowmig_notification *notification_new(lcowmig_subscription *subscription)
{
	lcowmig_context *context = subscription->context;
	lcowmig_notification *notification = lcowmig__alloc(&context->mem, sizeof *notification);

	if (!notification)
		return NULL;
	notification->delivery.run = notification_deliver;
	notification->context = context;
	notification->subscription = subscription;
	lcowmig__list_init(&notification->delivery.node);
	lcowmig__list_init(&notification->in_subscription);
	return notification;
}

static bool notice_says_end(const lcowmig__notice *notice)
{
	return notice->phase == LCOWMIG_PHASE_DONE || notice->phase == LCOWMIG_PHASE_RECOVERY_DONE || notice->phase == LCOWMIG_PHASE_FAILED;
}

static void subscription_queue(lcowmig_subscription *subscription, lcowmig_notification *notification, lcowmig__notice *notice)
{
	if (notice)
		notice_keep(subscription->context, &notification->notice, notice);
	notification->missed = subscription->missed;
	subscription->missed = 0;
	lcowmig__list_append(&subscription->waiting, &notification->in_subscription);
	subscription->n_waiting++;
	lcowmig__deliver(subscription->context, &notification->delivery);
}

/* No room or no memory: progress is merged into what waits already, unless that says the end. */
static void subscription_merge(lcowmig_subscription *subscription, lcowmig__notice *notice)
{
	lcowmig__list *last = subscription->waiting.previous;
	lcowmig_notification *waiting = LCOWMIG__LIST_ENTRY(last, lcowmig_notification, in_subscription);

	if (last == &subscription->waiting || notice_says_end(waiting->notice)) {
		subscription->missed++;
		return;
	}
	notice_keep(subscription->context, &waiting->notice, notice);
	waiting->missed++;
}

static void subscription_tell(lcowmig_subscription *subscription, lcowmig__notice *notice)
{
	bool says_end = notice_says_end(notice);
	lcowmig_notification *notification = NULL;

	if (notice->step != LCOWMIG_STEP_NONE && !(subscription->flags & LCOWMIG_SUBSCRIBE_STEPS))
		return;
	if (says_end || subscription->n_waiting < LCOWMIG_NOTIFICATION_QUEUE)
		notification = notification_new(subscription);
	if (!notification && says_end) {
		notification = subscription->reserve;
		subscription->reserve = NULL;
	}
	if (notification)
		subscription_queue(subscription, notification, notice);
	else
		subscription_merge(subscription, notice);
}

static lcowmig__notice *notifier_copy(lcowmig__notifier *notifier, const lcowmig__notice *notice)
{
	size_t size = offsetof(lcowmig__notice, text) + strlen(notice->text) + 1; /* most say little */
	lcowmig__notice *copy = lcowmig__alloc(&notifier->context->mem, size);

	if (!copy && notice_says_end(notice)) {
		copy = notifier->spare;
		notifier->spare = NULL;
	}
	if (!copy)
		return NULL;
	memcpy(copy, notice, size);
	if (notice->step == LCOWMIG_STEP_NONE)
		notifier->message_id++;
	copy->references = 0;
	copy->message_id = notifier->message_id;
	copy->sequence = ++notifier->sequence;
	copy->start_time = notifier->start_time;
	copy->update_time = lcowmig__wall_clock(notifier->context);
	return copy;
}

bool lcowmig__notifier_tell(lcowmig__notifier *notifier, const lcowmig__notice *notice)
{
	lcowmig__list *node, *following;
	lcowmig__notice *copy;

	if (!notifier->is_open)
		return false;
	copy = notifier_copy(notifier, notice);
	if (!copy)
		return false;
	notice_keep(notifier->context, &notifier->latest, copy);
	if (copy->step == LCOWMIG_STEP_NONE)
		notice_keep(notifier->context, &notifier->latest_event, copy);
	LCOWMIG__LIST_EACH(node, following, &notifier->subscriptions)
	subscription_tell(LCOWMIG__LIST_ENTRY(node, lcowmig_subscription, in_notifier), copy);
	return true;
}

void lcowmig__notifier_close(lcowmig__notifier *notifier)
{
	lcowmig__list *node;

	notifier->is_open = false;
	while ((node = lcowmig__list_pop(&notifier->subscriptions)) != NULL) {
		lcowmig_subscription *subscription = LCOWMIG__LIST_ENTRY(node, lcowmig_subscription, in_notifier);
		lcowmig_notification *end = subscription->end;

		subscription->end = NULL;
		subscription_queue(subscription, end, NULL);
	}
	notice_drop(notifier->context, &notifier->latest);
	notice_drop(notifier->context, &notifier->latest_event);
	lcowmig__free(&notifier->context->mem, notifier->spare);
	notifier->spare = NULL;
}

lcowmig_status lcowmig__notifier_subscribe(lcowmig__notifier *notifier, uint32_t flags, lcowmig_notification_fn notify, void *user,
					   lcowmig_subscription **ret_subscription, lcowmig_error *error)
{
	lcowmig_context *context = notifier->context;
	lcowmig__notice *latest = flags & LCOWMIG_SUBSCRIBE_STEPS ? notifier->latest : notifier->latest_event;
	lcowmig_subscription *subscription = lcowmig__alloc(&context->mem, sizeof *subscription);
	lcowmig_notification *first = NULL;

	if (!subscription)
		return lcowmig__fail_memory(error);
	context->dependents++;
	subscription->context = context;
	subscription->flags = flags;
	subscription->notify = notify;
	subscription->user = user;
	lcowmig__list_init(&subscription->waiting);
	lcowmig__list_init(&subscription->in_notifier);
	subscription->reserve = notification_new(subscription);
	subscription->end = notification_new(subscription);
	if (latest)
		first = notification_new(subscription);
	if (!subscription->reserve || !subscription->end || (latest && !first)) {
		notification_free(first);
		subscription_free(subscription);
		return lcowmig__fail_memory(error);
	}
	lcowmig__list_append(&notifier->subscriptions, &subscription->in_notifier);
	if (first)
		subscription_queue(subscription, first, latest);
	*ret_subscription = subscription;
	return LCOWMIG_OK;
}

void lcowmig_migration_unsubscribe(lcowmig_subscription *subscription)
{
	lcowmig_context *context;
	lcowmig__list *node;

	if (!subscription)
		return;
	context = subscription->context;
	lcowmig__lock_take(&context->lock);
	lcowmig__list_remove(&subscription->in_notifier);
	/* What waits stays in the context's queue and finds nobody. */
	while ((node = lcowmig__list_pop(&subscription->waiting)) != NULL)
		LCOWMIG__LIST_ENTRY(node, lcowmig_notification, in_subscription)->subscription = NULL;
	subscription->is_gone = true;
	if (!subscription->is_running)
		subscription_free(subscription);
	lcowmig__lock_drop(&context->lock);
}
