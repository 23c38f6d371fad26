/* Container notifications: kept, delivered, never lost. */
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "suite.h"

/* The guest sends what it had queued as soon as it has connected, before it answers the negotiation. */
START_TEST(test_notification_before_the_negotiation_is_kept_until_its_container_is_opened)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	lcowmig_gcs_open_container(p->gcs, "opened");
	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, false, peer_on_done, &done, NULL);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_notify(p, "opened");
	peer_notify(p, "later");
	peer_notify(p, "never");
	ck_assert_int_eq(p->notifications, 0);
	peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
	ck_assert_int_eq(p->notifications, 1);
	ck_assert_ptr_nonnull(strstr(p->notified, "\"opened\""));
	lcowmig_gcs_open_container(p->gcs, "later");
	lcowmig_gcs_open_container(p->gcs, "later");
	ck_assert_int_eq(p->notifications, 2);
	ck_assert_ptr_nonnull(strstr(p->notified, "\"later\""));
	lcowmig_gcs_close_container(p->gcs, "later");
	lcowmig_gcs_close_container(p->gcs, "later");
	peer_notify(p, "later"); /* of a container that is closed: for nobody, also not for the next one of that id */
	lcowmig_gcs_open_container(p->gcs, "later");
	ck_assert_int_eq(p->notifications, 2);
	lcowmig_gcs_close_container(p->gcs, "later");
	/* Whoever the others were for: exits are never lost. */
	if (_i)
		peer_advance(p, 120 * PEER_SECOND);
	else
		lcowmig_gcs_settle(p->gcs);
	ck_assert_int_eq(p->notifications, 3);
	peer_notify(p, "anybody");
	ck_assert_int_eq(p->notifications, 4);
	peer_free(p);
}
END_TEST

START_TEST(test_notification_while_migrating_reaches_opened_containers_at_once)
{
	peer *p = peer_new();

	peer_connect(p, true);
	lcowmig_gcs_open_container(p->gcs, "c1");
	lcowmig_gcs_set_migrating(p->gcs, true);
	lcowmig_gcs_settle(p->gcs); /* not now */
	peer_notify(p, "c1");
	peer_notify(p, "c2");
	ck_assert_int_eq(p->notifications, 1);
	/* The connection is lost for good: what was kept is delivered. */
	lcowmig_gcs_set_migrating(p->gcs, false);
	lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(p->notifications, 2);
	ck_assert_int_eq(p->disconnects, 1);
	peer_free(p);
}
END_TEST

START_TEST(test_kept_notifications_are_bounded_and_the_oldest_is_delivered)
{
	char id[16];
	peer *p = peer_new();
	unsigned i;

	peer_connect(p, false);
	for (i = 0; i < LCOWMIG__GCS_KEPT + 2; i++) {
		snprintf(id, sizeof id, "c%u", i);
		peer_notify(p, id);
	}
	ck_assert_int_eq(p->notifications, 2);
	ck_assert_ptr_nonnull(strstr(p->notified, "\"c0\""));
	ck_assert_ptr_nonnull(strstr(p->notified, "\"c1\""));
	peer_free(p);
}
END_TEST

/* While nothing is kept, whether a container is open makes no difference: its notification is delivered. */
START_TEST(test_container_closed_while_nothing_is_kept_is_forgotten)
{
	peer *p = peer_new();

	peer_connect(p, true);
	lcowmig_gcs_open_container(p->gcs, "c1");
	lcowmig_gcs_close_container(p->gcs, "c1");
	ck_assert_uint_eq(p->gcs->containers.count, 0);
	lcowmig_gcs_close_container(p->gcs, "c1");
	peer_notify(p, "c1");
	ck_assert_int_eq(p->notifications, 1);
	peer_free(p);
}
END_TEST

/* Closing a container drops what was kept for it, and for nobody else. */
START_TEST(test_closing_a_container_drops_its_own_notification_only)
{
	peer *p = peer_new();

	peer_connect(p, false);
	peer_notify(p, "c1");
	peer_notify(p, "c2");
	peer_notify(p, "c1");
	lcowmig_gcs_close_container(p->gcs, "c1");
	ck_assert_int_eq(p->notifications, 0);
	lcowmig_gcs_settle(p->gcs);
	ck_assert_int_eq(p->notifications, 1);
	ck_assert_ptr_nonnull(strstr(p->notified, "\"c2\""));
	peer_free(p);
}
END_TEST

static char last_log[512];

static void keep_log(void *user, lcowmig_log_level level, const char *line)
{
	(void)user;
	if (level <= LCOWMIG_LOG_WARNING)
		snprintf(last_log, sizeof last_log, "%s", line);
}

START_TEST(test_notification_that_nobody_takes_is_logged)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	peer *p = peer_prepare();

	platform.log = keep_log;
	p->config.notification = NULL;
	peer_start(p, &platform);
	peer_connect(p, true);
	peer_notify(p, "c1");
	ck_assert_str_eq(last_log, "guest connection: nobody takes the notification of container c1");
	ck_assert(lcowmig_gcs_is_connected(p->gcs));
	peer_free(p);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, test_notification_before_the_negotiation_is_kept_until_its_container_is_opened, 0, 2);
	tcase_add_test(tests, test_notification_while_migrating_reaches_opened_containers_at_once);
	tcase_add_test(tests, test_kept_notifications_are_bounded_and_the_oldest_is_delivered);
	tcase_add_test(tests, test_container_closed_while_nothing_is_kept_is_forgotten);
	tcase_add_test(tests, test_closing_a_container_drops_its_own_notification_only);
	tcase_add_test(tests, test_notification_that_nobody_takes_is_logged);
}

SUITE_RUN("gcs_notices", add_tests)
