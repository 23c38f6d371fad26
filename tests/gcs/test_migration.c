/* Around a migration: parking, swapping the transport, adopted waits and kept answers. */
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "suite.h"

static void lose(peer *p)
{
	ck_assert_int_eq(lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_E_HOST_FAILED), LCOWMIG_OK);
}

/* A source whose guest is gone for the moment, with one wait outstanding. */
static peer *parked_new(peer_done *wait)
{
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, wait);
	p->sent_taken = p->sent_size;
	lcowmig_gcs_set_migrating(p->gcs, true);
	lose(p);
	return p;
}

/* ---- Parking ---- */

START_TEST(test_loss_while_migrating_parks_what_is_outstanding)
{
	peer_done wait = { 0 };
	peer_done adopted = { 0 };
	peer_done next = { 0 };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	peer *p = parked_new(&wait);

	ck_assert_int_eq(wait.calls, 0);
	ck_assert(!lcowmig_gcs_is_connected(p->gcs));
	ck_assert(!p->control->is_open);
	ck_assert_int_eq(p->disconnects, 0);
	/* Sends fail alone. */
	ck_assert_int_eq(lcowmig_gcs_request(p->gcs, LCOWMIG_GCS_START, "c", NULL, 0, NULL, NULL, &error), LCOWMIG_E_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(error.message, "Parked"));
	ck_assert_int_eq(lcowmig_gcs_connect(p->gcs, false, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_gcs_adopt(p->gcs, 1, peer_on_answer, &adopted, NULL), LCOWMIG_PENDING);
	peer_resume(p);
	lcowmig_gcs_set_migrating(p->gcs, false);
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 1, "{\"Result\":0,\"ExitCode\":3}");
	peer_expect_done(&wait, LCOWMIG_OK);
	peer_expect_done(&adopted, LCOWMIG_OK);
	ck_assert_str_eq(wait.answer, "{\"Result\":0,\"ExitCode\":3}");
	ck_assert_str_eq(adopted.answer, "{\"Result\":0,\"ExitCode\":3}");
	/* The renegotiation took an id like any request. */
	peer_request(p, LCOWMIG_GCS_START, NULL, &next);
	ck_assert_uint_eq(peer_expect(p, LCOWMIG_GCS_START), 3);
	peer_answer(p, LCOWMIG_GCS_START, 3, PLAIN_ANSWER);
	peer_expect_done(&next, LCOWMIG_OK);
	peer_done_clear(&wait);
	peer_done_clear(&adopted);
	peer_done_clear(&next);
	peer_free(p);
}
END_TEST

START_TEST(test_protocol_error_while_migrating_parks_too)
{
	peer_done wait = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, &wait);
	p->sent_taken = p->sent_size;
	lcowmig_gcs_set_migrating(p->gcs, true);
	peer_send(p, 0x70000000, 0, "");
	ck_assert_int_eq(wait.calls, 0);
	peer_resume(p);
	ck_assert(lcowmig_gcs_is_connected(p->gcs));
	peer_free(p);
}
END_TEST

START_TEST(test_giving_up_the_migration_while_parked_disconnects)
{
	peer_done wait = { 0 };
	peer *p = parked_new(&wait);

	if (_i == 0) {
		lcowmig_gcs_set_migrating(p->gcs, false);
		ck_assert_int_eq(p->disconnects, 1);
	} else {
		lcowmig_gcs_close(p->gcs);
		ck_assert_int_eq(p->disconnects, 0);
	}
	peer_expect_done(&wait, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(lcowmig_gcs_resume(p->gcs, NULL, NULL, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	peer_connect(p, false);
	peer_free(p);
}
END_TEST

/* no deadline runs through a blackout. */
START_TEST(test_deadlines_stand_still_while_migrating)
{
	peer_done before = { 0 };
	peer_done during = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_MODIFY_SETTINGS, NULL, &before);
	peer_advance(p, 100 * PEER_SECOND);
	lcowmig_gcs_set_migrating(p->gcs, true);
	lcowmig_gcs_set_migrating(p->gcs, true);
	peer_request(p, LCOWMIG_GCS_MODIFY_SETTINGS, NULL, &during);
	p->sent_taken = p->sent_size;
	ck_assert_uint_eq(lcowmig_context_deadline(p->context), LCOWMIG_NO_DEADLINE);
	lose(p);
	peer_advance(p, 10000 * PEER_SECOND);
	peer_resume(p);
	ck_assert_int_eq(before.calls + during.calls, 0);
	lcowmig_gcs_set_migrating(p->gcs, false);
	peer_advance(p, 200 * PEER_SECOND - 1);
	ck_assert_int_eq(before.calls, 0);
	peer_advance(p, 1);
	peer_expect_done(&before, LCOWMIG_E_TIMED_OUT);
	peer_advance(p, 100 * PEER_SECOND);
	peer_expect_done(&during, LCOWMIG_E_TIMED_OUT);
	peer_free(p);
}
END_TEST

/* ---- Swapping ---- */

/* The clock passed the deadline, but nobody has said so yet: after the migration it is due at once, not never. */
START_TEST(test_deadline_that_is_overdue_when_the_migration_begins_is_due_when_it_ends)
{
	peer_done done = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_START, NULL, &done);
	p->now += 1000 * PEER_SECOND;
	lcowmig_gcs_set_migrating(p->gcs, true);
	peer_advance(p, 1000 * PEER_SECOND);
	ck_assert_int_eq(done.calls, 0);
	lcowmig_gcs_set_migrating(p->gcs, false);
	peer_advance(p, 1);
	peer_expect_done(&done, LCOWMIG_E_TIMED_OUT);
	peer_free(p);
}
END_TEST

START_TEST(test_resume_is_for_migrating_connections_only)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	peer *p = peer_new();

	ck_assert_int_eq(lcowmig_gcs_resume(p->gcs, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	lcowmig_gcs_set_migrating(p->gcs, true);
	ck_assert_int_eq(lcowmig_gcs_resume(p->gcs, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	lcowmig_gcs_set_migrating(p->gcs, false);
	peer_connect(p, true);
	ck_assert_int_eq(lcowmig_gcs_resume(p->gcs, NULL, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "not migrating"));
	peer_free(p);
}
END_TEST

/* The new transport comes when it is no longer wanted: it is closed. */
START_TEST(test_resume_whose_migration_ends_meanwhile_closes_the_new_transport)
{
	peer_done done = { 0 };
	peer_done wait = { 0 };
	peer *p = parked_new(&wait);

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_resume(p->gcs, peer_on_done, &done, NULL);
	lcowmig_gcs_set_migrating(p->gcs, false);
	peer_expect_done(&wait, LCOWMIG_E_UNAVAILABLE);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_expect_done(&done, LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert(!p->control->is_open);
	peer_expect_nothing(p);
	peer_free(p);
}
END_TEST

/* Half a frame of the old transport is not glued to what the new one brings: at every byte, and with the old one alive or lost. */
START_TEST(test_swap_discards_a_half_received_frame_at_every_byte)
{
	unsigned char bytes[256];
	size_t size = peer_frame_make(bytes, 0x20100601, 1, "{\"Result\":0,\"ExitCode\":137}");
	size_t cut;

	for (cut = 0; cut <= size; cut++) {
		peer_done wait = { 0 };
		peer *p = peer_new();
		peer_stream *old;

		peer_connect(p, true);
		peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, &wait);
		p->sent_taken = p->sent_size;
		lcowmig_gcs_set_migrating(p->gcs, true);
		lcowmig_gcs_receive(p->gcs, p->control, bytes, cut);
		ck_assert_int_eq(wait.calls, cut == size);
		old = p->control;
		if (_i)
			lose(p);
		peer_resume(p);
		ck_assert(!old->is_open);
		ck_assert_int_eq(lcowmig_gcs_receive(p->gcs, old, bytes + cut, size - cut), LCOWMIG_E_UNAVAILABLE);
		ck_assert_int_eq(wait.calls, cut == size);
		lcowmig_gcs_receive(p->gcs, p->control, bytes, size);
		peer_expect_done(&wait, LCOWMIG_OK);
		ck_assert(lcowmig_gcs_is_connected(p->gcs));
		peer_done_clear(&wait);
		peer_free(p);
	}
}
END_TEST

/*
 * A request caught half written fails alone, or lives on when the host says that all of it had been written; nothing of it reaches the new
 * transport.
 */
START_TEST(test_swap_discards_half_written_sends)
{
	peer_done written = { 0 };
	peer_done caught = { 0 };
	peer_done queued = { 0 };
	bool was_written = _i == 1;
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, &written);
	p->hold_sends = true;
	peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, &caught);
	peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, &queued);
	lcowmig_gcs_set_migrating(p->gcs, true);
	lose(p);
	p->sent_taken = p->sent_size;
	peer_expect_done(&queued, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(caught.calls, 0);
	if (_i < 2)
		peer_complete_send(p, was_written ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(caught.calls, _i == 0);
	p->hold_sends = false;
	peer_resume(p); /* also while the host has not given the old write back */
	if (_i == 2)
		peer_complete_send(p, LCOWMIG_E_HOST_FAILED);
	lcowmig_gcs_set_migrating(p->gcs, false);
	peer_expect_nothing(p);
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 1, PLAIN_ANSWER);
	peer_expect_done(&written, LCOWMIG_OK);
	if (was_written)
		peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 2, PLAIN_ANSWER);
	peer_expect_done(&caught, was_written ? LCOWMIG_OK : LCOWMIG_E_UNAVAILABLE);
	ck_assert(lcowmig_gcs_is_connected(p->gcs));
	peer_done_clear(&written);
	peer_done_clear(&caught);
	peer_free(p);
}
END_TEST

START_TEST(test_failed_send_while_migrating_parks_and_fails_that_request_alone)
{
	peer_done wait = { 0 };
	peer_done failed = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, &wait);
	lcowmig_gcs_set_migrating(p->gcs, true);
	p->send_fails = LCOWMIG_E_HOST_FAILED;
	peer_request(p, LCOWMIG_GCS_START, NULL, &failed);
	peer_expect_done(&failed, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(wait.calls, 0);
	ck_assert_int_eq(lcowmig_gcs_next_request_id(p->gcs), 3); /* used up all the same */
	p->send_fails = LCOWMIG_OK;
	p->sent_taken = p->sent_size;
	peer_resume(p);
	peer_free(p);
	peer_expect_done(&wait, LCOWMIG_E_UNAVAILABLE);
}
END_TEST

START_TEST(test_resume_that_fails_stays_parked_and_can_be_repeated)
{
	peer_done wait = { 0 };
	peer_done done = { 0 };
	peer *p = parked_new(&wait);

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_resume(p->gcs, peer_on_done, &done, NULL);
	switch (_i) {
	case 0:
		peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
		lose(p);
		peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
		break;
	case 1:
		peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
		peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), "{\"Version\":3}");
		peer_expect_done(&done, LCOWMIG_E_UNSUPPORTED_VERSION);
		break;
	case 2:
		peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
		peer_advance(p, 120 * PEER_SECOND);
		peer_expect_done(&done, LCOWMIG_E_TIMED_OUT);
		break;
	default:
		peer_advance(p, 120 * PEER_SECOND);
		peer_expect_done(&done, LCOWMIG_E_TIMED_OUT);
	}
	ck_assert_int_eq(wait.calls, 0);
	p->sent_taken = p->sent_size;
	peer_resume(p);
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 1, PLAIN_ANSWER);
	peer_expect_done(&wait, LCOWMIG_OK);
	peer_done_clear(&wait);
	peer_free(p);
}
END_TEST

/* a resume that was given up and the one that repeats it need one transport between them. */
START_TEST(test_resumes_at_the_same_time_share_one_transport)
{
	peer_done wait = { 0 };
	peer_done done[2] = { { 0 } };
	peer *p = parked_new(&wait);
	int i;

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	for (i = 0; i < 2; i++)
		lcowmig_gcs_resume(p->gcs, peer_on_done, &done[i], NULL);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
	peer_expect_done(&done[0], LCOWMIG_OK);
	peer_expect_done(&done[1], LCOWMIG_OK);
	ck_assert(lcowmig_gcs_is_connected(p->gcs));
	peer_free(p);
}
END_TEST

START_TEST(test_requests_wait_for_the_renegotiation)
{
	peer_done wait = { 0 };
	peer_done done = { 0 };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	peer *p = parked_new(&wait);

	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_resume(p->gcs, peer_on_done, &done, NULL);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	ck_assert_int_eq(lcowmig_gcs_request(p->gcs, LCOWMIG_GCS_START, "c", NULL, 0, NULL, NULL, &error), LCOWMIG_E_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(error.message, "Negotiating"));
	/* Answers to what is outstanding are taken even before. */
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 1, PLAIN_ANSWER);
	peer_expect_done(&wait, LCOWMIG_OK);
	peer_done_clear(&wait);
	peer_free(p);
	peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
}
END_TEST

/* ---- Adopted waits ---- */

/* the saved ids are adopted before the first byte is read, and none of them is given to a request of ours. */
START_TEST(test_waits_adopted_before_connect_get_the_answers_to_the_source)
{
	peer_done adopted[3] = { { 0 } };
	peer_done connect = { 0 };
	peer_done own = { 0 };
	peer *p = peer_new();
	int i;

	for (i = 0; i < 3; i++)
		ck_assert_int_eq(lcowmig_gcs_adopt(p->gcs, i + 1, peer_on_answer, &adopted[i], NULL), LCOWMIG_PENDING);
	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, false, peer_on_done, &connect, NULL);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	ck_assert_uint_eq(peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), 0);
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 2, "{\"Result\":0,\"ExitCode\":9}");
	peer_expect_done(&adopted[1], LCOWMIG_OK);
	peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, 0, NEGOTIATE_ANSWER);
	peer_expect_done(&connect, LCOWMIG_OK);
	peer_request(p, LCOWMIG_GCS_START, NULL, &own);
	ck_assert_uint_eq(peer_expect(p, LCOWMIG_GCS_START), 2); /* 1 is adopted, 2 is free again */
	peer_request(p, LCOWMIG_GCS_START, NULL, &own);
	ck_assert_uint_eq(peer_expect(p, LCOWMIG_GCS_START), 4);
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 3, PLAIN_ANSWER);
	peer_expect_done(&adopted[2], LCOWMIG_OK);
	ck_assert_int_eq(adopted[0].calls, 0);
	for (i = 1; i < 3; i++)
		peer_done_clear(&adopted[i]);
	peer_free(p);
	peer_expect_done(&adopted[0], LCOWMIG_E_UNAVAILABLE);
}
END_TEST

/* a connect that fails leaves adopted waits for the next one. */
START_TEST(test_adopted_waits_survive_a_connect_that_failed)
{
	peer_done adopted = { 0 };
	peer_done connect = { 0 };
	peer *p = peer_new();

	lcowmig_gcs_adopt(p->gcs, 1, peer_on_answer, &adopted, NULL);
	lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
	lcowmig_gcs_connect(p->gcs, false, peer_on_done, &connect, NULL);
	peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
	lose(p);
	peer_expect_done(&connect, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(adopted.calls, 0);
	p->sent_taken = p->sent_size;
	peer_connect(p, false); /* under id 2: 1 is adopted */
	ck_assert_int_eq(lcowmig_gcs_next_request_id(p->gcs), 3);
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 1, PLAIN_ANSWER);
	peer_expect_done(&adopted, LCOWMIG_OK);
	peer_done_clear(&adopted);
	peer_free(p);
}
END_TEST

START_TEST(test_answer_that_comes_before_its_id_is_adopted_is_kept)
{
	peer_done adopted[2] = { { 0 } };
	peer *p = peer_new();

	peer_connect(p, false);
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 41, "{\"Result\":0,\"ExitCode\":1}");
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 41, "{\"Result\":0,\"ExitCode\":2}"); /* the first counts */
	lcowmig_gcs_adopt(p->gcs, 41, peer_on_answer, &adopted[0], NULL);
	peer_expect_done(&adopted[0], LCOWMIG_OK);
	ck_assert_str_eq(adopted[0].answer, "{\"Result\":0,\"ExitCode\":1}");
	/* Settled: what is left is dropped, and what comes is not kept any more. */
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 42, PLAIN_ANSWER);
	if (_i)
		peer_advance(p, 120 * PEER_SECOND);
	else
		lcowmig_gcs_settle(p->gcs);
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 43, PLAIN_ANSWER);
	lcowmig_gcs_adopt(p->gcs, 42, peer_on_answer, &adopted[1], NULL);
	lcowmig_gcs_adopt(p->gcs, 43, peer_on_answer, &adopted[1], NULL);
	ck_assert_int_eq(adopted[1].calls, 0);
	peer_done_clear(&adopted[0]);
	peer_free(p);
	ck_assert_int_eq(adopted[1].calls, 2);
}
END_TEST

START_TEST(test_kept_answers_are_bounded_in_number_and_bytes)
{
	char payload[32768] = "{\"Result\":0,\"a\":\"";
	peer_done adopted[2] = { { 0 } };
	peer *p = peer_new();
	uint64_t id;

	if (_i) {
		memset(payload + strlen(payload), 'x', sizeof payload - 32);
		strcat(payload, "\"}");
	} else {
		strcpy(payload, PLAIN_ANSWER);
	}
	peer_connect(p, false);
	for (id = 1; id <= 3000; id++)
		peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, id, payload);
	ck_assert_uint_le(p->gcs->kept_answers.count, LCOWMIG__GCS_KEPT);
	ck_assert_uint_le(p->gcs->kept_bytes, LCOWMIG__GCS_KEPT_BYTES);
	lcowmig_gcs_adopt(p->gcs, 3000, peer_on_answer, &adopted[0], NULL); /* the newest */
	peer_expect_done(&adopted[0], LCOWMIG_OK);
	lcowmig_gcs_adopt(p->gcs, 1, peer_on_answer, &adopted[1], NULL);
	ck_assert_int_eq(adopted[1].calls, 0);
	peer_done_clear(&adopted[0]);
	peer_free(p);
}
END_TEST

START_TEST(test_cold_connection_keeps_nothing)
{
	peer_done adopted = { 0 };
	peer *p = peer_new();

	peer_connect(p, true);
	peer_answer(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 41, PLAIN_ANSWER);
	ck_assert_uint_eq(p->gcs->kept_answers.count, 0);
	lcowmig_gcs_adopt(p->gcs, 41, peer_on_answer, &adopted, NULL);
	ck_assert_int_eq(adopted.calls, 0);
	peer_notify(p, "never opened");
	ck_assert_int_eq(p->notifications, 1);
	peer_free(p);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_loss_while_migrating_parks_what_is_outstanding);
	tcase_add_test(tests, test_protocol_error_while_migrating_parks_too);
	tcase_add_loop_test(tests, test_giving_up_the_migration_while_parked_disconnects, 0, 2);
	tcase_add_test(tests, test_deadlines_stand_still_while_migrating);
	tcase_add_test(tests, test_deadline_that_is_overdue_when_the_migration_begins_is_due_when_it_ends);
	tcase_add_test(tests, test_resume_is_for_migrating_connections_only);
	tcase_add_test(tests, test_resume_whose_migration_ends_meanwhile_closes_the_new_transport);
	tcase_add_loop_test(tests, test_swap_discards_a_half_received_frame_at_every_byte, 0, 2);
	tcase_add_loop_test(tests, test_swap_discards_half_written_sends, 0, 3);
	tcase_add_test(tests, test_failed_send_while_migrating_parks_and_fails_that_request_alone);
	tcase_add_loop_test(tests, test_resume_that_fails_stays_parked_and_can_be_repeated, 0, 4);
	tcase_add_test(tests, test_resumes_at_the_same_time_share_one_transport);
	tcase_add_test(tests, test_requests_wait_for_the_renegotiation);
	tcase_add_test(tests, test_waits_adopted_before_connect_get_the_answers_to_the_source);
	tcase_add_test(tests, test_adopted_waits_survive_a_connect_that_failed);
	tcase_add_loop_test(tests, test_answer_that_comes_before_its_id_is_adopted_is_kept, 0, 2);
	tcase_add_loop_test(tests, test_kept_answers_are_bounded_in_number_and_bytes, 0, 2);
	tcase_add_test(tests, test_cold_connection_keeps_nothing);
}

SUITE_RUN("gcs_migration", add_tests)
