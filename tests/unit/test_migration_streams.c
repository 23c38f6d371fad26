/* The migration session: what its subscribers hear, and the timeline. What becomes of a single notification: test_migration_notify.c. */
#include <check.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "migration_fixture.h"

/* ---- Notifications ---- */

typedef struct heard {
	unsigned count;
	unsigned ends;
	uint32_t ids[256];
	uint32_t missed;
	lcowmig_phase phase;
	lcowmig_phase_state state;
	lcowmig_step step;
	uint32_t number, total;
	lcowmig_origin origin;
	int64_t start, update;
	char text[128];
	unsigned reenter; /* events to tell from inside the next callback */
	test_side *side;
} heard;

static void hear(void *user, const lcowmig_notification *n)
{
	heard *h = user;
	unsigned i, reenter = h->reenter;

	if (!n) {
		h->ends++;
		return;
	}
	ck_assert_uint_lt(h->count, LCOWMIG__COUNT(h->ids));
	h->ids[h->count++] = lcowmig_notification_message_id(n);
	h->missed += lcowmig_notification_missed(n);
	h->phase = lcowmig_notification_phase(n);
	h->state = lcowmig_notification_state(n);
	h->step = lcowmig_notification_step(n);
	h->number = lcowmig_notification_number(n);
	h->total = lcowmig_notification_total(n);
	h->origin = lcowmig_notification_origin(n);
	h->start = lcowmig_notification_start_time(n);
	h->update = lcowmig_notification_update_time(n);
	snprintf(h->text, sizeof h->text, "%s", lcowmig_notification_text(n));
	h->reenter = 0;
	for (i = 0; i < reenter; i++)
		world_tell(h->side, "TransferInProgress", NULL);
	if (reenter)
		world_tell(h->side, "MigrationFailed", "GuestInitiatedCancellation");
}

static lcowmig_subscription *listen(test_side *side, uint32_t flags, heard *h)
{
	lcowmig_subscription *subscription = NULL;

	memset(h, 0, sizeof *h);
	h->side = side;
	OK(lcowmig_migration_subscribe(side->m, WORLD_SESSION, flags, hear, h, &subscription, &world->error));
	return subscription;
}

/* MIG-101, MIG-102, MIG-103, MIG-112, MIG-113, X-33 */
START_TEST(test_subscribers_hear_the_platforms_events)
{
	lcowmig_subscription *a, *b;
	heard ha, hb;

	world_tell(source, "SetupDone", NULL); /* of no session: dropped */
	OK(world_prepare_source(world));
	a = listen(source, 0, &ha);
	b = listen(source, 0, &hb);
	ck_assert_uint_eq(ha.count, 0);
	test_host_advance(source->host, 500);
	world_tell(source, "SetupDone", NULL);
	ck_assert_uint_eq(ha.count, 1);
	ck_assert_uint_eq(ha.ids[0], 1);
	ck_assert_int_eq(ha.phase, LCOWMIG_PHASE_SETUP_DONE);
	ck_assert_int_eq(ha.state, LCOWMIG_PHASE_STATE_SUCCESS);
	ck_assert_int_eq(ha.origin, LCOWMIG_ORIGIN_SOURCE);
	ck_assert_int_eq(ha.update - ha.start, 500);
	world_tell(source, "TransferInProgress", NULL);
	ck_assert_uint_eq(ha.ids[1], 2);
	ck_assert_uint_eq(hb.count, 2);
	ck_assert_mem_eq(ha.ids, hb.ids, 2 * sizeof ha.ids[0]);
	lcowmig_migration_unsubscribe(a);
	lcowmig_migration_unsubscribe(b);
}
END_TEST

/* MIG-104 */
START_TEST(test_late_subscriber_hears_the_latest_event_at_once)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_prepare_source(world));
	world_tell(source, "SetupDone", NULL);
	world_tell(source, "BlackoutStarted", NULL);
	subscription = listen(source, 0, &h);
	ck_assert_uint_eq(h.count, 1);
	ck_assert_uint_eq(h.ids[0], 2);
	ck_assert_int_eq(h.phase, LCOWMIG_PHASE_BLACKOUT_STARTED);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* MIG-105, MIG-106, MIG-107, MIG-110, MIG-111, MIG-114, MIG-115 */
START_TEST(test_streams_end_with_the_session)
{
	lcowmig__notice notice = { 0 };
	lcowmig_subscription *none = NULL;
	heard h;

	FAILS(lcowmig_migration_subscribe(source->m, WORLD_SESSION, 0, hear, &h, &none, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_prepare_source(world));
	FAILS(lcowmig_migration_subscribe(source->m, "another", 0, hear, &h, &none, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_subscribe(source->m, WORLD_SESSION, 2, hear, &h, &none, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(none);
	listen(source, 0, &h); /* freed by the library at its end */
	OK(world_cancel(world, source));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	ck_assert_uint_eq(h.ends, 0);
	OK(world_cleanup(world, source));
	ck_assert_uint_eq(h.ends, 1);
	ck_assert(!lcowmig__notifier_tell(&source->m->notifier, &notice));
	lcowmig__notifier_close(&source->m->notifier);
	FAILS(lcowmig_migration_subscribe(source->m, WORLD_SESSION, 0, hear, &h, &none, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_prepare_source(world));
	world_tell(source, "SetupDone", NULL);
	ck_assert_uint_eq(h.ends, 1);
	ck_assert_uint_eq(h.count, 0); /* the old stream hears nothing of the new session */
}
END_TEST

/* MIG-108 */
START_TEST(test_unsubscribing_ends_one_stream_only)
{
	lcowmig_subscription *a, *b;
	heard ha, hb;

	OK(world_prepare_source(world));
	a = listen(source, 0, &ha);
	b = listen(source, 0, &hb);
	lcowmig_migration_unsubscribe(a);
	world_tell(source, "SetupDone", NULL);
	ck_assert_uint_eq(ha.count, 0);
	ck_assert_uint_eq(ha.ends, 0);
	ck_assert_uint_eq(hb.count, 1);
	lcowmig_migration_unsubscribe(b);
	lcowmig_migration_unsubscribe(NULL);
}
END_TEST

/* MIG-109, X-33: a reader that is slow misses progress, and hears how it ended. */
START_TEST(test_slow_subscriber_misses_progress_but_not_the_end)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_prepare_source(world));
	subscription = listen(source, 0, &h);
	h.reenter = 2 * LCOWMIG_NOTIFICATION_QUEUE;
	world_tell(source, "SetupDone", NULL);
	ck_assert_uint_eq(h.count, 1 + LCOWMIG_NOTIFICATION_QUEUE + 1);
	ck_assert_uint_eq(h.missed, LCOWMIG_NOTIFICATION_QUEUE);
	ck_assert_int_eq(h.phase, LCOWMIG_PHASE_FAILED);
	ck_assert_int_eq(h.state, LCOWMIG_PHASE_STATE_GUEST_INITIATED_CANCELLATION);
	ck_assert_uint_eq(h.ids[h.count - 1], 2 + 2 * LCOWMIG_NOTIFICATION_QUEUE);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* not even for want of memory. */
START_TEST(test_the_end_is_told_without_memory)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_prepare_source(world));
	subscription = listen(source, 0, &h);
	OK(world_cancel(world, source));
	test_enter(source->host);
	{
		lcowmig__notice notice = { .phase = LCOWMIG_PHASE_FAILED };

		test_host_fail_allocation(source->host, 1, true);
		ck_assert(lcowmig__notifier_tell(&source->m->notifier, &notice));
		notice.phase = LCOWMIG_PHASE_TRANSFER_IN_PROGRESS;
		ck_assert(!lcowmig__notifier_tell(&source->m->notifier, &notice));
	}
	test_leave(source->host);
	test_host_fail_allocation(source->host, 0, false);
	ck_assert_uint_eq(h.count, 1);
	ck_assert_int_eq(h.phase, LCOWMIG_PHASE_FAILED);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

static heard *unsubscribing;

static void hear_and_leave(void *user, const lcowmig_notification *n)
{
	lcowmig_subscription **place = user;

	ck_assert_ptr_nonnull(n);
	unsubscribing->count++;
	lcowmig_migration_unsubscribe(*place);
	*place = NULL;
}

START_TEST(test_unsubscribing_inside_the_callback)
{
	lcowmig_subscription *subscription = NULL;
	heard h = { 0 };

	unsubscribing = &h;
	OK(world_prepare_source(world));
	OK(lcowmig_migration_subscribe(source->m, WORLD_SESSION, 0, hear_and_leave, &subscription, &subscription, &world->error));
	world_tell(source, "SetupDone", NULL);
	world_tell(source, "TransferInProgress", NULL);
	ck_assert_uint_eq(h.count, 1);
	ck_assert_ptr_null(subscription);
}
END_TEST

/* MIG-59, MIG-62, MIG-63: after the state has become Failed. */
static void hear_failure(void *user, const lcowmig_notification *n)
{
	heard *h = user;

	if (n && lcowmig_notification_phase(n) == LCOWMIG_PHASE_FAILED)
		ck_assert_int_eq(world_state(h->side), LCOWMIG_MIGRATION_FAILED);
	hear(user, n);
}

START_TEST(test_failure_is_told_after_the_state_has_changed)
{
	test_side *side = _i & 1 ? destination : source;
	lcowmig_subscription *subscription = NULL;
	heard h = { 0 };

	OK(world_migrate_until(world, _i & 2 ? WORLD_READY : WORLD_CONNECTED));
	h.side = side;
	OK(lcowmig_migration_subscribe(side->m, WORLD_SESSION, 0, hear_failure, &h, &subscription, &world->error));
	if (_i & 2) {
		OK(world_transfer(world, side));
		test_host_fail(side->host, "socket.adopt", 1, LCOWMIG_E_FAILED_PRECONDITION, 0, "not connected");
		FAILS(world_register(world, side), LCOWMIG_E_FAILED_PRECONDITION);
	} else {
		test_host_fail(side->host, "hcs.transfer", 1, LCOWMIG_E_HOST_FAILED, 0, "broken");
		ck_assert_int_ne(world_transfer(world, side), LCOWMIG_OK);
	}
	ck_assert_uint_eq(h.count, 1);
	ck_assert_int_eq(h.phase, LCOWMIG_PHASE_FAILED);
	ck_assert_int_eq(h.state, _i & 1 ? LCOWMIG_PHASE_STATE_DESTINATION_FAILED : LCOWMIG_PHASE_STATE_SOURCE_FAILED);
	ck_assert(h.text[0] != '\0');
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* MIG-60 */
START_TEST(test_failure_after_a_cancel_is_swallowed)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	subscription = listen(source, 0, &h);
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	OK(world_cancel(world, source));
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0x80004005, NULL);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(h.count, 0);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

START_TEST(test_steps_are_told_to_who_asks)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	subscription = listen(source, LCOWMIG_SUBSCRIBE_STEPS, &h);
	ck_assert_int_eq(h.step, LCOWMIG_STEP_EXPORTED);
	ck_assert_uint_eq(h.ids[0], 0);
	lcowmig_migration_unsubscribe(subscription);
	OK(world_import(world));
	subscription = listen(destination, LCOWMIG_SUBSCRIBE_STEPS, &h);
	OK(world_patch(world, "p0"));
	ck_assert_int_eq(h.step, LCOWMIG_STEP_PATCHED);
	ck_assert_uint_eq(h.number, 1);
	ck_assert_uint_eq(h.total, 4);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

START_TEST(test_a_notification_that_is_not_json_is_dropped)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_prepare_source(world));
	subscription = listen(source, 0, &h);
	OK(lcowmig_sandbox_hcs_event(source->sandbox, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION, "{", &world->error));
	ck_assert_uint_eq(h.count, 0);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* ---- Timeline ---- */

START_TEST(test_timeline_tells_where_the_time_went)
{
	lcowmig_timeline_entry entry = LCOWMIG_TIMELINE_ENTRY_INIT;
	uint64_t blackout, control_plane;
	char json[4096];
	size_t size, i, count;
	bool has_transfer = false;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	FAILS(lcowmig_migration_blackout(source->m, &blackout, NULL, &world->error), LCOWMIG_E_NOT_FOUND);
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	test_host_advance(source->host, 1000);
	world_tell(source, "BlackoutStarted", NULL);
	test_host_advance(source->host, 300);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	test_host_advance(source->host, 70);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	test_host_advance(source->host, 5000);
	OK(lcowmig_migration_blackout(source->m, &blackout, &control_plane, &world->error));
	ck_assert_uint_eq(blackout, 370);
	ck_assert_uint_eq(control_plane, 70);
	count = lcowmig_migration_timeline_count(source->m);
	for (i = 0; i < count; i++) {
		OK(lcowmig_migration_timeline_entry(source->m, i, &entry, &world->error));
		ck_assert_msg(entry.has_ended, "%s has not ended", entry.name);
		if (strcmp(entry.name, "transfer") == 0) {
			has_transfer = true;
			ck_assert_uint_eq(entry.duration, 1300);
		}
	}
	ck_assert(has_transfer);
	FAILS(lcowmig_migration_timeline_entry(source->m, count, &entry, &world->error), LCOWMIG_E_NOT_FOUND);
	OK(lcowmig_migration_timeline_json(source->m, NULL, 0, &size, &world->error));
	ck_assert_uint_lt(size, sizeof json);
	OK(lcowmig_migration_timeline_json(source->m, json, sizeof json, &size, &world->error));
	ck_assert_uint_eq(strlen(json) + 1, size);
	ck_assert_ptr_nonnull(strstr(json, "{\"name\":\"blackout\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":"));
	ck_assert_ptr_nonnull(strstr(json, "\"dur\":0.370}"));
	FAILS(lcowmig_migration_timeline_json(source->m, json, 3, &size, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	OK(world_cleanup(world, source));
	ck_assert_uint_eq(lcowmig_migration_timeline_count(source->m), count); /* until the next session */
}
END_TEST

START_TEST(test_timeline_has_a_bound)
{
	lcowmig__timeline *timeline = &source->m->timeline;
	size_t i;

	for (i = 0; i < 2 * LCOWMIG__TIMELINE_MAX; i++)
		lcowmig__timeline_mark(timeline, LCOWMIG__SPAN_CANCEL);
	ck_assert_uint_eq(lcowmig_migration_timeline_count(source->m), LCOWMIG__TIMELINE_MAX);
}
END_TEST

START_TEST(test_timeline_json_is_valid_for_any_reason)
{
	char json[1024];
	size_t size;

	lcowmig__timeline_begin(&source->m->timeline, LCOWMIG__SPAN_FORCED, "a \"reason\"\\\n");
	OK(lcowmig_migration_timeline_json(source->m, json, sizeof json, &size, &world->error));
	ck_assert_ptr_nonnull(strstr(json, "\"args\":{\"reason\":\"a \\\"reason\\\"\\\\\\n\"}"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migration streams");
	TCase *plain = tcase_create("session without pods");
	TCase *pods = tcase_create("session with pods");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(plain, set_up_empty, tear_down);
	tcase_set_timeout(plain, 60);
	tcase_add_checked_fixture(pods, set_up_pods, tear_down);
	tcase_set_timeout(pods, 60);
	tcase_add_test(plain, test_subscribers_hear_the_platforms_events);
	tcase_add_test(plain, test_late_subscriber_hears_the_latest_event_at_once);
	tcase_add_test(plain, test_streams_end_with_the_session);
	tcase_add_test(plain, test_unsubscribing_ends_one_stream_only);
	tcase_add_test(plain, test_slow_subscriber_misses_progress_but_not_the_end);
	tcase_add_test(plain, test_the_end_is_told_without_memory);
	tcase_add_test(plain, test_unsubscribing_inside_the_callback);
	tcase_add_loop_test(plain, test_failure_is_told_after_the_state_has_changed, 0, 4);
	tcase_add_test(plain, test_failure_after_a_cancel_is_swallowed);
	tcase_add_test(pods, test_steps_are_told_to_who_asks);
	tcase_add_test(plain, test_a_notification_that_is_not_json_is_dropped);
	tcase_add_test(plain, test_timeline_tells_where_the_time_went);
	tcase_add_test(plain, test_timeline_has_a_bound);
	tcase_add_test(plain, test_timeline_json_is_valid_for_any_reason);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, pods);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
