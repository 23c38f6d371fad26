/* The engine: operations, cancelling, deadlines, children, gates and signals. */
#include "engine_fixture.h"

/* ---- Operations ---- */

START_TEST(test_operation_returns_its_result_when_it_ends_at_once)
{
	record seen = { { 0 } };
	test_done done = { 0 };

	ck_assert_int_eq(test_run(host, &walk_new(&seen, 3)->flow, &done, NULL), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 0);
	ck_assert_int_eq(seen.steps, 3);
	ck_assert_int_eq(seen.released, 1);
	test_host_expect_log(host, "hcs.modify {}\nhcs.modify {}\nhcs.modify {}\n");
}
END_TEST

START_TEST(test_operation_returns_the_error_when_it_fails_at_once)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	record seen = { { 0 } };
	test_done done = { 0 };

	test_host_fail(host, "hcs.modify", 2, LCOWMIG_E_HOST_FAILED, 0xC037010E, "gone");
	ck_assert_int_eq(test_run(host, &walk_new(&seen, 3)->flow, &done, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0xC037010E);
	ck_assert_str_eq(error.message, "HCS modify: gone");
	ck_assert_int_eq(done.calls, 0);
	ck_assert_int_eq(seen.steps, 2);
}
END_TEST

START_TEST(test_operation_is_done_exactly_once_when_it_pends)
{
	record seen = { { 0 } };
	test_done done = { 0 };
	int i;

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(test_run(host, &walk_new(&seen, 3)->flow, &done, NULL), LCOWMIG_PENDING);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(done.calls, 0);
		test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	}
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_str_eq(done.message, "");
	test_host_advance(host, 1);
	ck_assert_int_eq(done.calls, 1);
}
END_TEST

START_TEST(test_operation_reports_the_cause_when_a_pending_call_fails)
{
	record seen = { { 0 } };
	test_done done = { 0 };

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(test_run(host, &walk_new(&seen, 1)->flow, &done, NULL), LCOWMIG_PENDING);
	test_host_complete(host, "hcs.modify", LCOWMIG_E_HOST_FAILED, 0x80370105, NULL);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(done.hresult, 0x80370105);
}
END_TEST

START_TEST(test_operation_fails_and_releases_the_flow_when_memory_is_out_anywhere)
{
	unsigned nth;

	for (nth = 1;; nth++) {
		lcowmig_error error = LCOWMIG_ERROR_INIT;
		record seen = { { 0 } };
		lcowmig_status status;
		struct walk *walk;

		test_host_fail_allocation(host, nth, false);
		walk = walk_new(&seen, 2);
		status = test_run(host, walk ? &walk->flow : NULL, NULL, &error);
		test_host_fail_allocation(host, 0, false);
		ck_assert_int_eq(seen.released, walk ? 1 : 0);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
	ck_assert_uint_ge(nth, 5);
}
END_TEST

/* ---- Cancelling ---- */

START_TEST(test_cancel_ends_the_operation_when_a_call_is_pending)
{
	record seen = { { 0 } };
	test_done done = { 0 };

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(test_run(host, &walk_new(&seen, _i + 1)->flow, &done, NULL), LCOWMIG_PENDING);
	while (seen.steps < _i)
		test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_str_eq(done.message, "walk was cancelled");
	ck_assert_int_eq(seen.released, 1);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_E_NOT_FOUND);
	/* The host still has to complete the call; its result is dropped. */
	ck_assert_int_eq(lcowmig_context_free(host->context), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, "{}");
	ck_assert_int_eq(done.calls, 1);
}
END_TEST

START_TEST(test_cancel_is_delivered_once_when_the_flow_goes_on_cleaning_up)
{
	record seen = { { 0 } };
	test_done done = { 0 };
	struct walk *walk = walk_new(&seen, 3);

	walk->goes_on = true;
	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(test_run(host, &walk->flow, &done, NULL), LCOWMIG_PENDING);
	lcowmig_context_cancel(host->context, test_on_done, &done);
	lcowmig_context_cancel(host->context, test_on_done, &done);
	ck_assert_int_eq(done.calls, 0);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL); /* the abandoned one */
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(seen.results[0], LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(seen.results[1], LCOWMIG_OK);
	ck_assert_int_eq(seen.results[2], LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

START_TEST(test_cancel_answers_not_found_when_nothing_was_started_with_the_pair)
{
	record seen = { { 0 } };
	test_done done = { 0 };
	test_done other = { 0 };

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(test_run(host, &walk_new(&seen, 1)->flow, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &other), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_context_cancel(NULL, test_on_done, &other), LCOWMIG_E_INVALID_ARGUMENT);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

static void shielded_step(lcowmig__flow *flow)
{
	struct walk *self = (struct walk *)flow;

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true);
	FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, &host->env, text("{}")));
	self->seen->results[self->seen->steps++] = flow->result;
	FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, &host->env, text("{}")));
	self->seen->results[self->seen->steps++] = flow->result;
	lcowmig__flow_shield(flow, false);
	FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, &host->env, text("{}")));
	self->seen->results[self->seen->steps++] = flow->result;
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class shielded_class = { "shielded walk", shielded_step, walk_release, false };

START_TEST(test_cancel_waits_for_the_end_of_a_shield)
{
	record seen = { { 0 } };
	test_done done = { 0 };

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(test_run(host, &walk_new_of(&shielded_class, &seen, 0)->flow, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 0);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 0);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(seen.results[0], LCOWMIG_OK);
	ck_assert_int_eq(seen.results[1], LCOWMIG_OK);
	ck_assert_int_eq(seen.results[2], LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_uint_eq(test_host_pending(host, "hcs.modify"), 0);
}
END_TEST

static lcowmig_status cancel_from_modify(void *user, lcowmig_call *call, void *system, const char *request)
{
	(void)call;
	(void)system;
	(void)request;
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, user), LCOWMIG_OK);
	ck_assert(lcowmig_call_is_abandoned(call));
	return LCOWMIG_OK;
}

START_TEST(test_cancel_works_when_called_from_inside_the_callback)
{
	record seen = { { 0 } };
	test_done done = { 0 };

	host->env.hcs.modify = cancel_from_modify;
	host->env.hcs.user = &done;
	/* The operation has ended before its public function returns: the return value says so, not done. */
	ck_assert_int_eq(test_run(host, &walk_new(&seen, 1)->flow, &done, NULL), LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(done.calls, 0);
	ck_assert_int_eq(seen.steps, 1);
}
END_TEST

/* ---- Deadlines ---- */

START_TEST(test_deadline_ends_an_await_when_its_time_is_over)
{
	record seen = { { 0 } };
	test_done done = { 0 };
	struct walk *walk = walk_new(&seen, 2);

	walk->deadline = 1000;
	walk->goes_on = true;
	test_host_hold(host, "hcs.modify", true);
	ck_assert_uint_eq(lcowmig_context_deadline(host->context), LCOWMIG_NO_DEADLINE);
	ck_assert_int_eq(test_run(host, &walk->flow, &done, NULL), LCOWMIG_PENDING);
	ck_assert_uint_eq(lcowmig_context_deadline(host->context), UINT64_C(1000001000));
	ck_assert_int_eq(lcowmig_context_free(host->context), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_advance(host, 999);
	ck_assert_int_eq(seen.steps, 0);
	test_host_advance(host, 1);
	ck_assert_int_eq(seen.steps, 1);
	ck_assert_int_eq(seen.results[0], LCOWMIG_E_TIMED_OUT);
	ck_assert_uint_eq(lcowmig_context_deadline(host->context), LCOWMIG_NO_DEADLINE);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

START_TEST(test_deadline_is_gone_when_the_flow_ended_in_time)
{
	record seen = { { 0 } };
	struct walk *walk = walk_new(&seen, 1);

	walk->deadline = UINT64_MAX;
	ck_assert_int_eq(test_run(host, &walk->flow, NULL, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(lcowmig_context_deadline(host->context), LCOWMIG_NO_DEADLINE);
	test_host_advance(host, 1000);
}
END_TEST

START_TEST(test_deadlines_fire_in_order_when_several_are_due)
{
	record seen[3] = { { { 0 } } };
	test_done done[3] = { { 0 } };
	static const uint64_t times[3] = { 30, 10, 20 };
	int i;

	test_host_hold(host, "hcs.modify", true);
	for (i = 0; i < 3; i++) {
		struct walk *walk = walk_new(&seen[i], 1);

		walk->deadline = times[i];
		ck_assert_int_eq(test_run(host, &walk->flow, &done[i], NULL), LCOWMIG_PENDING);
	}
	ck_assert_uint_eq(lcowmig_context_deadline(host->context), UINT64_C(1000000010));
	test_host_advance(host, 20);
	ck_assert_int_eq(done[0].calls, 0);
	ck_assert_int_eq(done[1].status, LCOWMIG_E_TIMED_OUT);
	ck_assert_int_eq(done[2].status, LCOWMIG_E_TIMED_OUT);
	test_host_advance(host, 10);
	ck_assert_int_eq(done[0].status, LCOWMIG_E_TIMED_OUT);
}
END_TEST

/* ---- Children ---- */

static void parent_step(lcowmig__flow *flow)
{
	struct walk *self = (struct walk *)flow;
	int i;

	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, {
		for (i = 0; i < self->children; i++) {
			struct walk *child = walk_new(&self->seen[i + 1], self->until);

			lcowmig__flow_child(flow, child ? &child->flow : NULL);
		}
	});
	self->seen->results[0] = flow->result;
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class parent_class = { "parent", parent_step, walk_release, false };

static struct walk *parent_new(record *seen, int children, int until)
{
	struct walk *parent = walk_new_of(&parent_class, seen, until);

	if (parent)
		parent->children = children;
	return parent;
}

START_TEST(test_children_run_in_parallel)
{
	record seen[4] = { { { 0 } } };
	test_done done = { 0 };

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(test_run(host, &parent_new(seen, 3, 2)->flow, &done, NULL), LCOWMIG_PENDING);
	ck_assert_uint_eq(test_host_pending(host, "hcs.modify"), 3);
	test_host_hold(host, "hcs.modify", false);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 0);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(seen[1].steps + seen[2].steps + seen[3].steps, 6);
}
END_TEST

START_TEST(test_parent_gets_the_first_failure_after_all_children_ended)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	record seen[4] = { { { 0 } } };

	test_host_fail(host, "hcs.modify", 2, LCOWMIG_E_HOST_FAILED, 7, "second");
	test_host_fail(host, "hcs.modify", 3, LCOWMIG_E_DENIED, 8, "third");
	ck_assert_int_eq(test_run(host, &parent_new(seen, 3, 1)->flow, NULL, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(error.message, "HCS modify: second");
	ck_assert_int_eq(seen[1].results[0], LCOWMIG_OK);
	ck_assert_int_eq(seen[3].results[0], LCOWMIG_E_DENIED);
	ck_assert_int_eq(seen[1].released + seen[2].released + seen[3].released, 3);
}
END_TEST

START_TEST(test_cancel_reaches_the_children_and_waits_for_them)
{
	record seen[3] = { { { 0 } } };
	test_done done = { 0 };

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(test_run(host, &parent_new(seen, 2, 1)->flow, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_str_eq(done.message, "parent was cancelled");
	ck_assert_int_eq(seen[1].results[0], LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(seen[2].results[0], LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(seen[0].released + seen[1].released + seen[2].released, 3);
}
END_TEST

START_TEST(test_children_fail_cleanly_when_memory_is_out_anywhere)
{
	unsigned nth;

	for (nth = 1;; nth++) {
		record seen[4] = { { { 0 } } };
		lcowmig_status status;
		struct walk *parent;

		test_host_fail_allocation(host, nth, false);
		parent = parent_new(seen, 3, 1);
		status = test_run(host, parent ? &parent->flow : NULL, NULL, NULL);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
	ck_assert_uint_gt(nth, 8);
}
END_TEST

/* ---- Gates and signals ---- */

static void gated_step(lcowmig__flow *flow)
{
	struct walk *self = (struct walk *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, self->gate));
	FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, &host->env, text("{}")));
	self->seen->results[self->seen->steps++] = flow->result;
	lcowmig__gate_leave(flow, self->gate);
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class gated_class = { "gated walk", gated_step, walk_release, false };

START_TEST(test_gate_lets_one_in_at_a_time_first_come_first_served)
{
	record seen[3] = { { { 0 } } };
	test_done done[3] = { { 0 } };
	lcowmig__gate gate;
	int i;

	lcowmig__gate_init(&gate);
	test_host_hold(host, "hcs.modify", true);
	for (i = 0; i < 3; i++) {
		struct walk *walk = walk_new_of(&gated_class, &seen[i], 1);

		walk->gate = &gate;
		ck_assert_int_eq(test_run(host, &walk->flow, &done[i], NULL), LCOWMIG_PENDING);
	}
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(test_host_pending(host, "hcs.modify"), 1);
		test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
		ck_assert_int_eq(done[i].calls, 1);
	}
	ck_assert_ptr_null(gate.holder);
}
END_TEST

static lcowmig__gate first_gate, second_gate, other_gate;

/* Leaves the first gate while it is in the second, and none that it is not in. */
static void twice_gated_step(lcowmig__flow *flow)
{
	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &first_gate));
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &second_gate));
	lcowmig__gate_leave(flow, &other_gate);
	lcowmig__gate_leave(flow, &first_gate);
	FLOW_TRY(flow, lcowmig__hcs_modify(flow, &host->env, text("{}")));
	FLOW_END(flow);
}

static const lcowmig__flow_class twice_gated_class = { "twice gated walk", twice_gated_step, walk_release, false };

START_TEST(test_gates_are_left_one_by_one_or_all_when_the_flow_ends)
{
	record seen[2] = { { { 0 } } };
	test_done done[2] = { { 0 } };
	struct walk *other = walk_new_of(&gated_class, &seen[0], 1);

	lcowmig__gate_init(&first_gate);
	lcowmig__gate_init(&second_gate);
	lcowmig__gate_init(&other_gate);
	test_host_hold(host, "hcs.modify", true);
	other->gate = &other_gate;
	ck_assert_int_eq(test_run(host, &other->flow, &done[0], NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_run(host, &walk_new_of(&twice_gated_class, &seen[1], 1)->flow, &done[1], NULL), LCOWMIG_PENDING);
	ck_assert_ptr_eq(other_gate.holder, &other->flow);
	ck_assert_ptr_null(first_gate.holder);
	ck_assert_ptr_nonnull(second_gate.holder);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[1].status, LCOWMIG_OK);
	ck_assert_ptr_null(second_gate.holder);
	ck_assert_ptr_null(other_gate.holder);
}
END_TEST

START_TEST(test_gate_is_not_entered_when_the_waiting_flow_is_cancelled)
{
	record seen[3] = { { { 0 } } };
	test_done done[3] = { { 0 } };
	lcowmig__gate gate;
	int i;

	lcowmig__gate_init(&gate);
	test_host_hold(host, "hcs.modify", true);
	for (i = 0; i < 3; i++) {
		struct walk *walk = walk_new_of(&gated_class, &seen[i], 1);

		walk->gate = &gate;
		ck_assert_int_eq(test_run(host, &walk->flow, &done[i], NULL), LCOWMIG_PENDING);
	}
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done[1]), LCOWMIG_OK);
	ck_assert_int_eq(done[1].status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done[0]), LCOWMIG_OK);
	ck_assert_int_eq(done[0].status, LCOWMIG_E_CANCELLED);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[2].status, LCOWMIG_OK);
	ck_assert_ptr_null(gate.holder);
}
END_TEST

static void waiter_step(lcowmig__flow *flow)
{
	struct walk *self = (struct walk *)flow;

	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, lcowmig__signal_wait(flow, self->signal));
	self->seen->results[self->seen->steps++] = flow->result;
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class waiter_class = { "waiter", waiter_step, walk_release, false };

START_TEST(test_signal_wakes_all_waiters_and_later_ones_pass)
{
	record seen[3] = { { { 0 } } };
	test_done done[3] = { { 0 } };
	lcowmig__signal signal;
	int i;

	lcowmig__signal_init(&signal);
	for (i = 0; i < 2; i++) {
		struct walk *walk = walk_new_of(&waiter_class, &seen[i], 1);

		walk->signal = &signal;
		ck_assert_int_eq(test_run(host, &walk->flow, &done[i], NULL), LCOWMIG_PENDING);
	}
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done[0]), LCOWMIG_OK);
	test_enter(host);
	lcowmig__signal_set(&signal);
	lcowmig__signal_set(&signal);
	test_leave(host);
	ck_assert_int_eq(done[0].status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(done[1].status, LCOWMIG_OK);
	for (i = 2; i < 3; i++) {
		struct walk *walk = walk_new_of(&waiter_class, &seen[i], 1);

		walk->signal = &signal;
		ck_assert_int_eq(test_run(host, &walk->flow, &done[i], NULL), LCOWMIG_OK);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine");
	TCase *tcase = tcase_create("engine");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_operation_returns_its_result_when_it_ends_at_once);
	tcase_add_test(tcase, test_operation_returns_the_error_when_it_fails_at_once);
	tcase_add_test(tcase, test_operation_is_done_exactly_once_when_it_pends);
	tcase_add_test(tcase, test_operation_reports_the_cause_when_a_pending_call_fails);
	tcase_add_test(tcase, test_operation_fails_and_releases_the_flow_when_memory_is_out_anywhere);
	tcase_add_loop_test(tcase, test_cancel_ends_the_operation_when_a_call_is_pending, 0, 4);
	tcase_add_test(tcase, test_cancel_is_delivered_once_when_the_flow_goes_on_cleaning_up);
	tcase_add_test(tcase, test_cancel_answers_not_found_when_nothing_was_started_with_the_pair);
	tcase_add_test(tcase, test_cancel_waits_for_the_end_of_a_shield);
	tcase_add_test(tcase, test_cancel_works_when_called_from_inside_the_callback);
	tcase_add_test(tcase, test_deadline_ends_an_await_when_its_time_is_over);
	tcase_add_test(tcase, test_deadline_is_gone_when_the_flow_ended_in_time);
	tcase_add_test(tcase, test_deadlines_fire_in_order_when_several_are_due);
	tcase_add_test(tcase, test_children_run_in_parallel);
	tcase_add_test(tcase, test_parent_gets_the_first_failure_after_all_children_ended);
	tcase_add_test(tcase, test_cancel_reaches_the_children_and_waits_for_them);
	tcase_add_test(tcase, test_children_fail_cleanly_when_memory_is_out_anywhere);
	tcase_add_test(tcase, test_gate_lets_one_in_at_a_time_first_come_first_served);
	tcase_add_test(tcase, test_gates_are_left_one_by_one_or_all_when_the_flow_ends);
	tcase_add_test(tcase, test_gate_is_not_entered_when_the_waiting_flow_is_cancelled);
	tcase_add_test(tcase, test_signal_wakes_all_waiters_and_later_ones_pass);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
