/* The migration session: what subscribers hear when memory, time or room is short, and where its time went. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migration_fixture.h"

typedef struct heard {
	unsigned count, ends, missed;
	uint32_t sequence, message_id;
	lcowmig_phase phase;
	bool has_blackout;
	uint64_t blackout_ms;
	int64_t blackout_stop;
} heard;

/* What the callback does when it is called for the first time. */
static void (*inside)(void);

static void hear(void *user, const lcowmig_notification *n)
{
	void (*act)(void) = inside;
	heard *h = user;

	if (!n) {
		h->ends++;
		return;
	}
	h->count++;
	h->missed += lcowmig_notification_missed(n);
	h->sequence = lcowmig_notification_sequence(n);
	h->message_id = lcowmig_notification_message_id(n);
	h->phase = lcowmig_notification_phase(n);
	h->has_blackout = lcowmig_notification_has_blackout(n);
	h->blackout_ms = lcowmig_notification_blackout_ms(n);
	h->blackout_stop = lcowmig_notification_blackout_stop(n);
	inside = NULL;
	if (act)
		act();
}

static lcowmig_subscription *listen(uint32_t flags, heard *h)
{
	lcowmig_subscription *subscription = NULL;

	memset(h, 0, sizeof *h);
	OK(lcowmig_migration_subscribe(source->m, WORLD_SESSION, flags, hear, h, &subscription, &world->error));
	return subscription;
}

static void tell(const char *json)
{
	OK(lcowmig_sandbox_hcs_event(source->sandbox, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION, json, &world->error));
}

/* ---- What an event has ---- */

/* MIG-113: a step counts in the sequence and keeps the id of the event before it. */
START_TEST(test_notification_has_its_place_in_the_sequence)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_prepare_source(world));
	subscription = listen(LCOWMIG_SUBSCRIBE_STEPS, &h);
	world_tell(source, "SetupDone", NULL);
	ck_assert_uint_eq(h.sequence, 1);
	ck_assert_uint_eq(h.message_id, 1);
	OK(world_export(world));
	ck_assert_uint_eq(h.sequence, 2);
	ck_assert_uint_eq(h.message_id, 1);
	ck_assert(!h.has_blackout);
	ck_assert_uint_eq(h.blackout_ms, 0);
	ck_assert_int_eq(h.blackout_stop, 0);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

static uint64_t blackout_time(void)
{
	uint64_t blackout = 12345;

	OK(lcowmig_migration_blackout(source->m, &blackout, NULL, &world->error));
	return blackout;
}

/* a destination hears of the blackout only when it is over. */
START_TEST(test_notification_brings_the_blackout_that_is_over)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_prepare_source(world));
	subscription = listen(0, &h);
	tell("{\"Event\":\"BlackoutExited\",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":250,"
	     "\"BlackoutStopTimestamp\":\"2024-07-03T09:46:41.5Z\"}}");
	ck_assert_int_eq(h.phase, LCOWMIG_PHASE_BLACKOUT_EXITED);
	ck_assert(h.has_blackout);
	ck_assert_uint_eq(h.blackout_ms, 250);
	ck_assert_int_eq(h.blackout_stop, INT64_C(1720000001500000000));
	ck_assert_uint_eq(blackout_time(), 250000000);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* One that was seen to begin is measured here; one of which nothing is known is none; one that is longer than the clock is not believed. */
START_TEST(test_blackout_is_measured_by_what_was_seen)
{
	static const char *const too_long[] = { "2000", "18446744073709", "18446744073710", "18446744073709551615" };
	char json[160];

	OK(world_prepare_source(world));
	if (_i == 0) {
		tell("{\"Event\":\"BlackoutStarted\"}");
		test_host_advance(source->host, 700);
		tell("{\"Event\":\"BlackoutExited\",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":250}}");
		test_host_advance(source->host, 5000);
		ck_assert_uint_eq(blackout_time(), 700);
	} else if (_i == 1) {
		tell("{\"Event\":\"BlackoutExited\"}");
		FAILS(lcowmig_migration_blackout(source->m, NULL, NULL, &world->error), LCOWMIG_E_NOT_FOUND);
	} else {
		snprintf(json, sizeof json, "{\"Event\":\"BlackoutExited\",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":%s}}",
			 too_long[_i - 2]);
		tell(json);
		ck_assert_uint_eq(blackout_time(), 0);
	}
	OK(lcowmig_migration_cancel(source->m, WORLD_SESSION, NULL, NULL, &world->error));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* What the session adds to the blackout: nothing before the transfer has returned, nothing when it returned after it. */
START_TEST(test_blackout_and_transfer_end_in_any_order)
{
	uint64_t blackout = 0, control_plane = 12345;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	tell("{\"Event\":\"BlackoutStarted\"}");
	test_host_advance(source->host, 100);
	OK(lcowmig_migration_blackout(source->m, &blackout, &control_plane, &world->error));
	ck_assert_uint_eq(blackout, 100);
	ck_assert_uint_eq(control_plane, 0); /* memory is still being moved */
	tell("{\"Event\":\"BlackoutExited\"}");
	test_host_advance(source->host, 50);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	OK(lcowmig_migration_blackout(source->m, NULL, &control_plane, &world->error));
	ck_assert_uint_eq(control_plane, 0);
	ck_assert_uint_eq(blackout_time(), 100);
}
END_TEST

START_TEST(test_timeline_that_is_full_takes_no_blackout)
{
	size_t i;

	OK(world_prepare_source(world));
	for (i = 0; i < LCOWMIG__TIMELINE_MAX; i++)
		lcowmig__timeline_mark(&source->m->timeline, LCOWMIG__SPAN_CANCEL);
	tell("{\"Event\":\"BlackoutExited\",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":250}}");
	FAILS(lcowmig_migration_blackout(source->m, NULL, NULL, &world->error), LCOWMIG_E_NOT_FOUND);
	ck_assert_uint_eq(lcowmig_migration_timeline_count(source->m), LCOWMIG__TIMELINE_MAX);
}
END_TEST

START_TEST(test_timeline_json_is_whole_or_refused_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	char json[4096] = "untouched";
	size_t size = 7;
	unsigned i;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		ck_assert_str_eq(json, "untouched");
		ck_assert_uint_eq(size, 7);
		test_host_fail_allocation(source->host, i, false);
		status = lcowmig_migration_timeline_json(source->m, json, sizeof json, &size, &world->error);
		test_host_fail_allocation(source->host, 0, false);
	}
	OK(status);
	ck_assert_uint_gt(i, 2);
	ck_assert_uint_eq(strlen(json) + 1, size);
}
END_TEST

/* ---- Short of memory or room ---- */

START_TEST(test_subscribing_leaves_nothing_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	lcowmig_subscription *subscription = NULL;
	heard h = { 0 };
	unsigned i;

	OK(world_prepare_source(world));
	world_tell(source, "SetupDone", NULL); /* there is an event to tell at once */
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		ck_assert_ptr_null(subscription);
		ck_assert_uint_eq(h.count, 0);
		test_host_fail_allocation(source->host, i, false);
		status = lcowmig_migration_subscribe(source->m, WORLD_SESSION, 0, hear, &h, &subscription, &world->error);
		test_host_fail_allocation(source->host, 0, false);
	}
	OK(status);
	ck_assert_uint_eq(i, 6); /* four allocations, each refused once */
	ck_assert_uint_eq(h.count, 1);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* an event for which there was no memory is counted in the next one. */
START_TEST(test_event_without_memory_is_missed_and_counted)
{
	lcowmig_subscription *subscription;
	unsigned i;
	heard h;

	OK(world_prepare_source(world));
	subscription = listen(0, &h);
	for (i = 1; i < 50 && !h.missed; i++) {
		heard before = h;

		test_host_fail_allocation(source->host, i, false);
		world_tell(source, "TransferInProgress", NULL);
		test_host_fail_allocation(source->host, 0, false);
		if (h.count != before.count)
			continue;
		world_tell(source, "BlackoutStarted", NULL);
		ck_assert_uint_eq(h.count, before.count + 1);
	}
	ck_assert_uint_eq(h.missed, 1);
	ck_assert_int_eq(h.phase, LCOWMIG_PHASE_BLACKOUT_STARTED);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

static const char *ending;

static void fill_the_queue(void)
{
	unsigned i;

	for (i = 0; i < LCOWMIG_NOTIFICATION_QUEUE; i++)
		world_tell(source, "TransferInProgress", NULL);
	world_tell(source, ending, NULL);
	world_tell(source, "TransferInProgress", NULL);
	world_tell(source, "TransferInProgress", NULL);
}

/* how it ended stays told, whatever comes behind it when there is no room. */
START_TEST(test_progress_never_takes_the_place_of_an_end)
{
	static const char *const endings[] = { "MigrationDone", "MigrationRecoveryDone", "MigrationFailed" };
	static const lcowmig_phase phases[] = { LCOWMIG_PHASE_DONE, LCOWMIG_PHASE_RECOVERY_DONE, LCOWMIG_PHASE_FAILED };
	lcowmig_subscription *subscription;
	heard h;

	OK(world_prepare_source(world));
	subscription = listen(0, &h);
	ending = endings[_i];
	inside = fill_the_queue;
	world_tell(source, "SetupDone", NULL);
	ck_assert_int_eq(h.phase, phases[_i]);
	ck_assert_uint_eq(h.count, 1 + LCOWMIG_NOTIFICATION_QUEUE + 1);
	ck_assert_uint_eq(h.missed, 0);
	world_tell(source, "TransferInProgress", NULL);
	ck_assert_uint_eq(h.missed, 2);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

static lcowmig_subscription *other;

static void leave_the_other(void)
{
	world_tell(source, "TransferInProgress", NULL);
	lcowmig_migration_unsubscribe(other);
	other = NULL;
}

/* Nothing is told to who has left, though it was on its way. */
START_TEST(test_what_waits_for_a_subscriber_that_leaves_is_dropped)
{
	lcowmig_subscription *subscription;
	heard first, second;

	OK(world_prepare_source(world));
	subscription = listen(0, &first);
	other = listen(0, &second);
	inside = leave_the_other;
	world_tell(source, "SetupDone", NULL);
	ck_assert_uint_eq(first.count, 2);
	ck_assert_uint_eq(second.count, 0);
	ck_assert_uint_eq(second.ends, 0);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migration notifications");
	TCase *tcase = tcase_create("notifications");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up_pods, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_notification_has_its_place_in_the_sequence);
	tcase_add_test(tcase, test_notification_brings_the_blackout_that_is_over);
	tcase_add_loop_test(tcase, test_blackout_is_measured_by_what_was_seen, 0, 6);
	tcase_add_test(tcase, test_blackout_and_transfer_end_in_any_order);
	tcase_add_test(tcase, test_timeline_that_is_full_takes_no_blackout);
	tcase_add_test(tcase, test_timeline_json_is_whole_or_refused_when_memory_is_out);
	tcase_add_test(tcase, test_subscribing_leaves_nothing_when_memory_is_out);
	tcase_add_test(tcase, test_event_without_memory_is_missed_and_counted);
	tcase_add_loop_test(tcase, test_progress_never_takes_the_place_of_an_end, 0, 3);
	tcase_add_test(tcase, test_what_waits_for_a_subscriber_that_leaves_is_dropped);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
