/* The engine: host calls, and the handles and answers they bring. */
#include "engine_fixture.h"

/* ---- Calls ---- */

static lcowmig_status complete_inside(void *user, lcowmig_call *call, void *system, const char *request)
{
	(void)system;
	(void)request;
	lcowmig_call_set_result(call, "inside", 6);
	lcowmig_call_complete(call, *(lcowmig_status *)user);
	return LCOWMIG_PENDING;
}

START_TEST(test_call_counts_when_it_completes_inside_the_callback)
{
	static const lcowmig_status statuses[] = { LCOWMIG_OK, LCOWMIG_E_DENIED };
	lcowmig_status status = statuses[_i];
	record seen = { { 0 } };
	test_done done = { 0 };

	host->env.hcs.modify = complete_inside;
	host->env.hcs.user = &status;
	ck_assert_int_eq(test_run(host, &walk_new(&seen, 2)->flow, &done, NULL), status);
	ck_assert_int_eq(done.calls, 0);
	ck_assert_int_eq(seen.steps, status ? 1 : 2);
}
END_TEST

static lcowmig_status answer_nonsense(void *user, lcowmig_call *call, void *system, const char *request)
{
	(void)call;
	(void)system;
	(void)request;
	return *(lcowmig_status *)user;
}

START_TEST(test_call_fails_when_the_host_returns_a_status_that_does_not_exist)
{
	lcowmig_status status = (lcowmig_status)77;
	record seen = { { 0 } };

	host->env.hcs.modify = answer_nonsense;
	host->env.hcs.user = &status;
	ck_assert_int_eq(test_run(host, &walk_new(&seen, 1)->flow, NULL, NULL), LCOWMIG_E_HOST_FAILED);
}
END_TEST

static void opener_step(lcowmig__flow *flow)
{
	struct walk *self = (struct walk *)flow;
	lcowmig_stdio_config config = { .size = sizeof config, .container_id = "c1", .stdout_path = "\\\\.\\pipe\\out" };

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__stdio_open(flow, &host->env, &config));
	self->seen->handle = lcowmig__flow_take_handle(flow);
	ck_assert_ptr_null(flow->handle);
	FLOW_END(flow);
}

static const lcowmig__flow_class opener_class = { "opener", opener_step, walk_release, false };

START_TEST(test_call_hands_its_handle_over)
{
	record seen = { { 0 } };
	lcowmig_call *spare;

	ck_assert_int_eq(test_run(host, &walk_new_of(&opener_class, &seen, 0)->flow, NULL, NULL), LCOWMIG_OK);
	ck_assert_ptr_nonnull(seen.handle);
	spare = lcowmig__call_spare(&host->env);
	test_enter(host);
	test_host_fail_allocation(host, 1, true); /* closing needs no memory */
	lcowmig__post_stdio_close(spare, seen.handle);
	test_leave(host);
	test_host_expect_log(host, "stdio.open c1 '' '' '\\\\.\\pipe\\out' ''\nstdio.close\n");
	lcowmig__call_spare_free(NULL);
	test_host_fail_allocation(host, 0, false);
	lcowmig__call_spare_free(lcowmig__call_spare(&host->env));
}
END_TEST

START_TEST(test_late_handle_is_closed_when_the_call_was_abandoned)
{
	record seen = { { 0 } };
	test_done done = { 0 };

	test_host_hold(host, "stdio.open", true);
	ck_assert_int_eq(test_run(host, &walk_new_of(&opener_class, &seen, 0)->flow, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 0);
	test_host_complete(host, "stdio.open", LCOWMIG_OK, 0, NULL);
	ck_assert_uint_eq(test_host_count(host, "stdio.close"), 1);
}
END_TEST

static void creator_step(lcowmig__flow *flow)
{
	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__hcs_create(flow, &host->env, "test@vm", text("{}")));
	FLOW_END(flow);
}

static const lcowmig__flow_class creator_class = { "creator", creator_step, walk_release, false };

START_TEST(test_late_system_is_closed_when_closing_takes_its_time)
{
	record seen = { { 0 } };
	test_done done = { 0 };

	test_host_hold(host, "hcs.create", true);
	test_host_hold(host, "hcs.close", true);
	ck_assert_int_eq(test_run(host, &walk_new_of(&creator_class, &seen, 0)->flow, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	test_host_complete(host, "hcs.create", LCOWMIG_OK, 0, NULL);
	ck_assert_uint_eq(test_host_pending(host, "hcs.close"), 1);
	ck_assert_int_eq(lcowmig_context_free(host->context), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_complete(host, "hcs.close", LCOWMIG_OK, 0, NULL);
}
END_TEST

static lcowmig_status create_without_memory(void *user, lcowmig_call *call, const char *id, const char *document)
{
	(void)id;
	(void)document;
	test_host_fail_allocation(host, 1, false);
	ck_assert_int_eq(lcowmig_call_set_result(call, "x", 1), LCOWMIG_E_NO_MEMORY);
	lcowmig_call_set_handle(call, user);
	return LCOWMIG_OK;
}

static unsigned closes;

static lcowmig_status count_close(void *user, lcowmig_call *call, void *system)
{
	(void)call;
	ck_assert_ptr_eq(system, user);
	closes++;
	return LCOWMIG_OK;
}

START_TEST(test_handle_is_closed_when_the_call_fails_for_its_result)
{
	record seen = { { 0 } };
	int system;

	closes = 0;
	host->env.hcs.create = create_without_memory;
	host->env.hcs.close = count_close;
	host->env.hcs.user = &system;
	ck_assert_int_eq(test_run(host, &walk_new_of(&creator_class, &seen, 0)->flow, NULL, NULL), LCOWMIG_E_NO_MEMORY);
	ck_assert_uint_eq(closes, 1);
}
END_TEST

static void asker_step(lcowmig__flow *flow)
{
	struct walk *self = (struct walk *)flow;
	char *reply;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__hcs_properties(flow, &host->env, text("{}")));
	reply = flow->rest->reply.data ? lcowmig__buf_take(&flow->rest->reply) : NULL;
	if (!reply)
		FLOW_RETURN(flow, LCOWMIG_E_NO_MEMORY);
	snprintf(self->seen->reply, sizeof self->seen->reply, "%s", reply);
	lcowmig__free(&flow->context->mem, reply);
	FLOW_END(flow);
}

static const lcowmig__flow_class asker_class = { "asker", asker_step, walk_release, false };

START_TEST(test_call_brings_its_reply_or_fails_when_memory_is_out)
{
	unsigned nth;

	for (nth = 1;; nth++) {
		record seen = { { 0 } };
		lcowmig_status status;
		struct walk *walk;

		test_host_reply(host, "hcs.properties", "{\"RuntimeId\":1}");
		test_host_fail_allocation(host, nth, false);
		walk = walk_new_of(&asker_class, &seen, 0);
		status = test_run(host, walk ? &walk->flow : NULL, NULL, NULL);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK) {
			ck_assert_str_eq(seen.reply, "{\"RuntimeId\":1}");
			break;
		}
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
	ck_assert_uint_ge(nth, 6);
}
END_TEST

START_TEST(test_call_is_refused_when_the_host_lacks_the_member)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	record seen = { { 0 } };

	test_host_remove(host, "hcs.modify");
	ck_assert_int_eq(test_run(host, &walk_new(&seen, 1)->flow, NULL, &error), LCOWMIG_E_NOT_SUPPORTED);
	ck_assert_ptr_nonnull(strstr(error.message, "HCS modify"));
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_call_is_refused_when_there_is_no_system)
{
	record seen = { { 0 } };

	host->env.system = NULL;
	ck_assert_int_eq(test_run(host, &walk_new(&seen, 1)->flow, NULL, NULL), LCOWMIG_E_UNAVAILABLE);
}
END_TEST

static void requester_step(lcowmig__flow *flow)
{
	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__guest_rpc(flow, &host->env, LCOWMIG_GCS_START, "c1", text("{}")));
	FLOW_END(flow);
}

static const lcowmig__flow_class requester_class = { "requester", requester_step, walk_release, false };

/* */
START_TEST(test_guest_call_is_unavailable_when_there_is_no_connection)
{
	record seen = { { 0 } };

	host->env.has_guest = false;
	ck_assert_int_eq(test_run(host, &walk_new_of(&requester_class, &seen, 0)->flow, NULL, NULL), LCOWMIG_E_UNAVAILABLE);
	test_host_expect_log(host, "");
}
END_TEST

static void note_id(lcowmig_call *call, int64_t id)
{
	*(int64_t *)call->told_to = id;
}

static void told_step(lcowmig__flow *flow)
{
	struct walk *self = (struct walk *)flow;
	lcowmig_call *call;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, {
		call = lcowmig__guest_rpc(flow, &host->env, LCOWMIG_GCS_START, "c1", text("{}"));
		if (call) {
			call->told_request_id = note_id;
			call->told_to = &self->seen->told_id;
		}
	});
	FLOW_END(flow);
}

static const lcowmig__flow_class told_class = { "told", told_step, walk_release, false };

START_TEST(test_request_id_is_told_as_soon_as_there_is_one)
{
	record seen = { { 0 } };
	test_done done = { 0 };

	test_host_hold(host, "guest.rpc", true);
	ck_assert_int_eq(test_run(host, &walk_new_of(&told_class, &seen, 0)->flow, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(seen.told_id, 1);
	test_host_disconnect(host);
	ck_assert_int_eq(done.status, LCOWMIG_E_UNAVAILABLE);
}
END_TEST

START_TEST(test_call_functions_accept_null)
{
	lcowmig_call_complete(NULL, LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_call_set_result(NULL, NULL, 0), LCOWMIG_E_INVALID_ARGUMENT);
	lcowmig_call_set_handle(NULL, NULL);
	lcowmig_call_set_error(NULL, 0, NULL);
	lcowmig_call_set_request_id(NULL, 1);
	ck_assert(lcowmig_call_is_abandoned(NULL));
	lcowmig_call_set_host_data(NULL, NULL);
	ck_assert_ptr_null(lcowmig_call_host_data(NULL));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine calls");
	TCase *tcase = tcase_create("engine calls");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_call_counts_when_it_completes_inside_the_callback, 0, 2);
	tcase_add_test(tcase, test_call_fails_when_the_host_returns_a_status_that_does_not_exist);
	tcase_add_test(tcase, test_call_hands_its_handle_over);
	tcase_add_test(tcase, test_late_handle_is_closed_when_the_call_was_abandoned);
	tcase_add_test(tcase, test_late_system_is_closed_when_closing_takes_its_time);
	tcase_add_test(tcase, test_handle_is_closed_when_the_call_fails_for_its_result);
	tcase_add_test(tcase, test_call_brings_its_reply_or_fails_when_memory_is_out);
	tcase_add_test(tcase, test_call_is_refused_when_the_host_lacks_the_member);
	tcase_add_test(tcase, test_call_is_refused_when_there_is_no_system);
	tcase_add_test(tcase, test_guest_call_is_unavailable_when_there_is_no_connection);
	tcase_add_test(tcase, test_request_id_is_told_as_soon_as_there_is_one);
	tcase_add_test(tcase, test_call_functions_accept_null);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
