/*
 * Telling subscribers what happens in a session. Each event is one shared record; each subscriber has a bounded queue of deliveries
 * that refer to it, which run with the other events of the context. Everything here needs the lock.
 */
#ifndef LCOWMIG__NOTIFY_H
#define LCOWMIG__NOTIFY_H

#include "engine/context.h"
#include "lcowmig/migration.h"

/* What happened. The first members are counted by the notifier. */
typedef struct lcowmig__notice {
	unsigned references;
	uint32_t message_id;
	uint32_t sequence;
	int64_t start_time;
	int64_t update_time;
	lcowmig_origin origin;
	lcowmig_phase phase;
	lcowmig_phase_state state;
	lcowmig_step step;
	uint32_t number;
	uint32_t total;
	bool has_blackout;
	uint64_t blackout_ms;
	int64_t blackout_stop;
	char text[LCOWMIG_ERROR_MESSAGE_SIZE];
} lcowmig__notice;

/* One event on its way to one subscriber. */
struct lcowmig_notification {
	lcowmig__delivery delivery;
	lcowmig__list in_subscription; /* while it waits */
	lcowmig_context *context;
	lcowmig_subscription *subscription; /* NULL: nobody wants it any more */
	lcowmig__notice *notice;            /* NULL: the end of the session */
	uint32_t missed;
};

typedef struct lcowmig__notifier {
	lcowmig_context *context;
	bool is_open;
	int64_t start_time;
	uint32_t message_id;
	uint32_t sequence;
	lcowmig__list subscriptions;
	lcowmig__notice *latest;       /* of all */
	lcowmig__notice *latest_event; /* of those that are no steps */
	lcowmig__notice *spare;        /* so that how it ended is told without memory */
} lcowmig__notifier;

void lcowmig__notifier_init(lcowmig__notifier *notifier, lcowmig_context *context);
/* Starts a session. False when memory is out. */
bool lcowmig__notifier_open(lcowmig__notifier *notifier);
/* Ends every subscription, which is told. Repeatable. */
void lcowmig__notifier_close(lcowmig__notifier *notifier);
/* Tells everybody; false when the notifier is closed or memory is out. What says how a migration ended is never lost once the notifier is
 * open. */
bool lcowmig__notifier_tell(lcowmig__notifier *notifier, const lcowmig__notice *notice);

lcowmig_status lcowmig__notifier_subscribe(lcowmig__notifier *notifier, uint32_t flags, lcowmig_notification_fn notify, void *user,
					   lcowmig_subscription **ret_subscription, lcowmig_error *error);

#endif
