/* Running out of memory: the library's own, and cJSON's. Whatever happens, nothing leaks, is lost or ends twice. */
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "suite.h"

/* Connect, a request, an answer, a notification, close: with the nth allocation failing, until one is not reached any more. */
START_TEST(test_any_allocation_may_fail)
{
	long made = 0;
	long n;

	for (n = 1; made >= n - 1; n++) {
		peer_done connect = { 0 };
		peer_done request = { 0 };
		peer *p = peer_new();
		static peer_frame frame;
		lcowmig_status status;

		p->allocations_made = 0;
		p->fail_at = n;
		lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
		status = lcowmig_gcs_connect(p->gcs, false, peer_on_done, &connect, NULL);
		if (peer_is_accepting(p, LCOWMIG_GCS_CONTROL_PORT))
			peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
		if (peer_take(p, &frame))
			peer_answer(p, frame.type, frame.id, NEGOTIATE_ANSWER);
		ck_assert_int_eq(connect.calls, status == LCOWMIG_PENDING);
		if (connect.calls)
			ck_assert_int_eq(lcowmig_gcs_is_connected(p->gcs), connect.status == LCOWMIG_OK);
		status = lcowmig_gcs_request(p->gcs, LCOWMIG_GCS_START, "c1", NULL, 0, peer_on_answer, &request, NULL);
		if (p->control && p->control->is_open) {
			peer_notify(p, "c1");
			lcowmig_gcs_open_container(p->gcs, "c1");
			peer_send(p, 0x20100201, 99, PLAIN_ANSWER);
		}
		if (status == LCOWMIG_PENDING && peer_take(p, &frame))
			peer_answer(p, frame.type, frame.id, PLAIN_ANSWER);
		if (status == LCOWMIG_PENDING) {
			ck_assert_int_eq(request.calls, 1);
			ck_assert(request.status == LCOWMIG_OK ? request.answer != NULL : request.status == LCOWMIG_E_NO_MEMORY);
		}
		made = p->allocations_made;
		peer_free(p);
		ck_assert_int_le(request.calls, 1);
		peer_done_clear(&request);
	}
	ck_assert_int_gt(made, 40);
}
END_TEST

/* The entropy and log streams likewise, the log's first bytes coming early. What was logged is whole or not there. */
START_TEST(test_any_allocation_of_the_streams_may_fail)
{
	long made = 0;
	long n;

	for (n = 1; made >= n - 1; n++) {
		peer_done entropy = { 0 };
		peer_done log = { 0 };
		peer *p = peer_new();
		lcowmig_status status[2];

		p->allocations_made = 0;
		p->fail_at = n;
		lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_ENTROPY_PORT, NULL, NULL, NULL);
		lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_LOG_PORT, NULL, NULL, NULL);
		status[0] = lcowmig_gcs_seed_entropy(p->gcs, "seed", 4, peer_on_done, &entropy, NULL);
		if (peer_is_accepting(p, LCOWMIG_GCS_ENTROPY_PORT))
			peer_dial(p, LCOWMIG_GCS_ENTROPY_PORT);
		status[1] = lcowmig_gcs_read_log(p->gcs, peer_on_done, &log, NULL);
		lcowmig_gcs_receive(p->gcs, &p->handles[p->n_handles], "early", 5);
		if (peer_is_accepting(p, LCOWMIG_GCS_LOG_PORT)) {
			peer_stream *stream = peer_dial(p, LCOWMIG_GCS_LOG_PORT);

			ck_assert_int_eq(stream->is_open, !log.calls);
			lcowmig_gcs_receive_end(p->gcs, stream, LCOWMIG_OK);
			ck_assert_int_eq(log.calls, 1);
			ck_assert(log.status == LCOWMIG_OK || log.status == LCOWMIG_E_NO_MEMORY);
		}
		if (status[0] == LCOWMIG_PENDING) {
			ck_assert_int_eq(entropy.calls, 1);
			ck_assert_int_eq(p->sent_size, entropy.status == LCOWMIG_OK ? 4 : 0);
		}
		ck_assert_int_eq(log.calls, status[1] == LCOWMIG_PENDING);
		ck_assert(!p->logged[0] || strcmp(p->logged, "early") == 0);
		made = p->allocations_made;
		peer_free(p);
	}
	ck_assert_int_gt(made, 25);
}
END_TEST

START_TEST(test_bridge_is_not_made_without_memory)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_gcs *gcs = NULL;
	peer *p = peer_new();

	p->allocations_made = 0;
	p->fail_at = 1 + _i; /* the object, its room for a frame in pieces */
	ck_assert_int_eq(lcowmig_gcs_new(p->context, &p->config, &gcs, &error), LCOWMIG_E_NO_MEMORY);
	ck_assert_ptr_null(gcs);
	p->fail_at = 0;
	ck_assert_int_eq(lcowmig_gcs_new(p->context, &p->config, &gcs, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_gcs_free(gcs, &error), LCOWMIG_OK);
	peer_free(p);
}
END_TEST

/* Who learns of a loss acts on it; what it takes to tell is set aside when the connection comes up. */
START_TEST(test_loss_is_told_also_without_memory)
{
	peer_done done = { 0 };
	peer *p = peer_new();
	int i;

	for (i = 1; i <= 2; i++) {
		p->is_out_of_memory = false;
		p->sent_taken = p->sent_size;
		peer_connect(p, true);
		memset(&done, 0, sizeof done);
		peer_request(p, LCOWMIG_GCS_WAIT_FOR_PROCESS, NULL, &done);
		p->is_out_of_memory = true;
		lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_OK);
		ck_assert_int_eq(p->disconnects, i);
		ck_assert_str_eq(p->disconnect_why, "the guest connection was lost: the guest ended it");
		peer_expect_done(&done, LCOWMIG_E_UNAVAILABLE);
	}
	peer_free(p);
}
END_TEST

/* Either the connect fails, and can be repeated, or the connection is one whose loss will be told. */
START_TEST(test_connection_tells_its_loss_whichever_allocation_of_its_negotiation_failed)
{
	long made = 0;
	long n;

	for (n = 1; made >= n - 1; n++) {
		peer_done done = { 0 };
		peer *p = peer_prepare();
		uint64_t id;

		p->config.record = NULL;
		peer_start(p, NULL);
		lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
		lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done, NULL);
		peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
		id = peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL);
		p->allocations_made = 0;
		p->fail_at = n;
		peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, id, NEGOTIATE_ANSWER);
		made = p->allocations_made;
		p->fail_at = 0;
		peer_expect_done(&done, made >= n ? LCOWMIG_E_NO_MEMORY : LCOWMIG_OK);
		ck_assert_int_eq(lcowmig_gcs_is_connected(p->gcs), done.status == LCOWMIG_OK);
		ck_assert_int_eq(p->disconnects, 0);
		if (done.status != LCOWMIG_OK)
			peer_connect(p, true);
		p->is_out_of_memory = true;
		lcowmig_gcs_receive_end(p->gcs, p->control, LCOWMIG_OK);
		ck_assert_int_eq(p->disconnects, 1);
		peer_free(p);
	}
	ck_assert_int_ge(made, 3);
}
END_TEST

/* ---- cJSON's memory ---- */

static const char nested_document[] =
	"{\"Settings\":{\"ProcessParameters\":\"{\\\"Environment\\\":{\\\"A\\\":\\\"hush\\\"},\\\"Big\\\":9007199254740993}\"}}";

/* A request whose recording is masked: it is sent or refused as a whole, and what is recorded never shows a secret. */
START_TEST(test_request_survives_any_failing_allocation_of_json)
{
	long made = 0;
	long n;

	for (n = 1; made >= n - 1; n++) {
		lcowmig_error error = LCOWMIG_ERROR_INIT;
		peer_done done = { 0 };
		peer *p = peer_new();
		lcowmig_status status;

		peer_connect(p, true);
		p->recorded[0] = '\0';
		peer_fail_json(n);
		status = lcowmig_gcs_request(p->gcs, LCOWMIG_GCS_EXECUTE_PROCESS, "c1", nested_document, 0, peer_on_answer, &done, &error);
		if (status == LCOWMIG_PENDING)
			peer_answer(p, LCOWMIG_GCS_EXECUTE_PROCESS, peer_expect(p, LCOWMIG_GCS_EXECUTE_PROCESS),
				    "{\"Result\":0,\"ProcessId\":57}");
		made = peer_fail_json(0);
		ck_assert_msg(!strstr(p->recorded, "hush"), "%s", p->recorded);
		if (status == LCOWMIG_PENDING) {
			ck_assert_int_eq(done.calls, 1);
			ck_assert(done.status == LCOWMIG_OK || done.status == LCOWMIG_E_NO_MEMORY);
			ck_assert_ptr_nonnull(strstr(p->recorded, "> ExecuteProcess id=1 size="));
		} else {
			ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
			peer_expect_nothing(p);
			ck_assert_int_eq(lcowmig_gcs_next_request_id(p->gcs), 1);
		}
		ck_assert(lcowmig_gcs_is_connected(p->gcs));
		peer_done_clear(&done);
		peer_free(p);
	}
	ck_assert_int_gt(made, 20);
}
END_TEST

START_TEST(test_negotiation_survives_any_failing_allocation_of_json)
{
	long made = 0;
	long n;

	for (n = 1; made >= n - 1; n++) {
		peer_done done = { 0 };
		peer *p = peer_prepare();
		uint64_t id;

		p->config.record = NULL;
		peer_start(p, NULL);
		lcowmig_gcs_listen(p->gcs, "", LCOWMIG_GCS_CONTROL_PORT, NULL, NULL, NULL);
		lcowmig_gcs_connect(p->gcs, true, peer_on_done, &done, NULL);
		peer_dial(p, LCOWMIG_GCS_CONTROL_PORT);
		id = peer_expect(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL);
		peer_fail_json(n);
		peer_answer(p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, id, NEGOTIATE_ANSWER);
		made = peer_fail_json(0);
		peer_expect_done(&done, made >= n ? LCOWMIG_E_NO_MEMORY : LCOWMIG_OK);
		ck_assert_int_eq(lcowmig_gcs_is_connected(p->gcs), done.status == LCOWMIG_OK);
		if (done.status != LCOWMIG_OK)
			peer_connect(p, true);
		peer_free(p);
	}
	ck_assert_int_gt(made, 20);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_any_allocation_may_fail);
	tcase_add_test(tests, test_any_allocation_of_the_streams_may_fail);
	tcase_add_loop_test(tests, test_bridge_is_not_made_without_memory, 0, 2);
	tcase_add_test(tests, test_loss_is_told_also_without_memory);
	tcase_add_test(tests, test_connection_tells_its_loss_whichever_allocation_of_its_negotiation_failed);
	tcase_add_test(tests, test_request_survives_any_failing_allocation_of_json);
	tcase_add_test(tests, test_negotiation_survives_any_failing_allocation_of_json);
}

SUITE_RUN("gcs_memory", add_tests)
