/* The engine: flows, host calls, gates, signals, deadlines, operations, events, and the structs of the boundary. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/abi.h"
#include "engine/call.h"
#include "engine/event.h"
#include "host.h"

static test_host *host;

static void setup(void)
{
	host = test_host_new();
}

static void teardown(void)
{
	test_host_free(host);
}

/* A flow that does one of several small things; what it saw is written down outside it. */
typedef struct record {
	lcowmig_status results[8];
	int steps;
	int released;
	void *handle;
	char reply[64];
	int64_t told_id;
} record;

struct walk {
	lcowmig__flow flow;
	record *seen;
	int until;           /* how many awaits */
	bool goes_on;        /* past failures */
	lcowmig__gate *gate;
	lcowmig__signal *signal;
	uint64_t deadline;
	int children;
	bool shields;
};

static void walk_release(lcowmig__flow *flow)
{
	((struct walk *)flow)->seen->released++;
}

static char *text(const char *value)
{
	return lcowmig__strdup(&host->context->mem, value);
}

static void walk_step(lcowmig__flow *flow)
{
	struct walk *self = (struct walk *)flow;

	FLOW_BEGIN(flow);
	if (self->deadline)
		lcowmig__flow_set_deadline(flow, self->deadline);
	while (self->seen->steps < self->until) {
		FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, &host->env, text("{}")));
		self->seen->results[self->seen->steps++] = flow->result;
		if (flow->result != LCOWMIG_OK && !self->goes_on)
			FLOW_RETURN(flow, flow->result);
	}
	FLOW_END(flow);
}

static const lcowmig__flow_class walk_class = { "walk", walk_step, walk_release, false };

static struct walk *walk_new_of(const lcowmig__flow_class *class, record *seen, int until)
{
	struct walk *walk = lcowmig__flow_new(sizeof *walk, class, host->context, NULL, NULL);

	if (!walk)
		return NULL;
	walk->seen = seen;
	walk->until = until;
	return walk;
}

static struct walk *walk_new(record *seen, int until)
{
	return walk_new_of(&walk_class, seen, until);
}

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
	reply = lcowmig__flow_take_reply(flow);
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

/* ---- Events ---- */

static char order[256];
static int depth;

static void on_event(void *user, const lcowmig_event *event)
{
	(void)user;
	ck_assert_int_eq(depth, 0);
	depth++;
	snprintf(order + strlen(order), sizeof order - strlen(order), "%s ", lcowmig_event_container_id(event));
	if (strcmp(lcowmig_event_container_id(event), "a") == 0) {
		/* An event sent from inside a callback comes after it, not in it. */
		lcowmig_event *later = lcowmig__event_new(&host->env, LCOWMIG_EVENT_TASK_START, "later", NULL, NULL);

		test_enter(host);
		lcowmig__event_send(later);
		test_leave(host);
		ck_assert_ptr_null(strstr(order, "later"));
	}
	depth--;
}

static void send_event(const char *container_id)
{
	lcowmig__event_send(lcowmig__event_new(&host->env, LCOWMIG_EVENT_TASK_EXIT, container_id, "e", NULL));
}

START_TEST(test_events_come_in_order_and_one_at_a_time)
{
	order[0] = '\0';
	host->env.events.event = on_event;
	test_enter(host);
	send_event("a");
	send_event("b");
	send_event("c");
	ck_assert_str_eq(order, "");
	test_leave(host);
	ck_assert_str_eq(order, "a b c later ");
}
END_TEST

static void ender_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	(void)error;
	ck_assert_int_eq(status, LCOWMIG_OK);
	strcat(order, user);
}

static void ender_step(lcowmig__flow *flow)
{
	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__hcs_modify(flow, &host->env, text("{}")));
	send_event("before");
	FLOW_END(flow);
}

static const lcowmig__flow_class ender_class = { "ender", ender_step, walk_release, false };

START_TEST(test_done_comes_in_order_with_the_events)
{
	static char mark[] = "done ";
	record seen = { { 0 } };
	lcowmig__pump pump;

	order[0] = '\0';
	host->env.events.event = on_event;
	test_host_hold(host, "hcs.modify", true);
	lcowmig__enter(host->context, &pump);
	ck_assert_int_eq(lcowmig__leave_with(host->context, &pump, LCOWMIG_OK, &walk_new_of(&ender_class, &seen, 0)->flow, ender_done, mark, NULL),
	                 LCOWMIG_PENDING);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_str_eq(order, "before done ");
}
END_TEST

START_TEST(test_event_getters_give_what_was_put_in)
{
	static const char *const paths[3] = { "in", NULL, "err" };
	lcowmig_event *event = lcowmig__event_new(&host->env, LCOWMIG_EVENT_TASK_CREATE, "c1", NULL, NULL);

	ck_assert(lcowmig__event_set_io(event, "bundle", paths, true));
	ck_assert_int_eq(lcowmig_event_get_type(event), LCOWMIG_EVENT_TASK_CREATE);
	ck_assert_str_eq(lcowmig_event_container_id(event), "c1");
	ck_assert_str_eq(lcowmig_event_exec_id(event), "");
	ck_assert_str_eq(lcowmig_event_bundle(event), "bundle");
	ck_assert_str_eq(lcowmig_event_stdin(event), "in");
	ck_assert_str_eq(lcowmig_event_stdout(event), "");
	ck_assert_str_eq(lcowmig_event_stderr(event), "err");
	ck_assert(lcowmig_event_terminal(event));
	ck_assert_uint_eq(lcowmig_event_pid(event), 0);
	ck_assert_uint_eq(lcowmig_event_exit_status(event), 0);
	ck_assert_int_eq(lcowmig_event_exited_at(event), 0);
	lcowmig__event_free(event);
	lcowmig__event_free(NULL);
	lcowmig__event_send(NULL);
}
END_TEST

START_TEST(test_event_leaks_nothing_when_memory_is_out)
{
	static const char *const paths[3] = { "in", "out", "err" };
	unsigned nth;

	for (nth = 1;; nth++) {
		lcowmig_event *event;
		bool ok;

		test_host_fail_allocation(host, nth, false);
		event = lcowmig__event_new(&host->env, LCOWMIG_EVENT_TASK_CREATE, "c1", "e1", NULL);
		ok = event && lcowmig__event_set_io(event, "bundle", paths, false);
		test_host_fail_allocation(host, 0, false);
		lcowmig__event_free(event);
		if (ok)
			break;
	}
	ck_assert_uint_eq(nth, 9);
}
END_TEST

/* ---- Objects ---- */

static const char *const lamp_states[] = { "Off", "On", "Broken" };
static const char *const lamp_triggers[] = { "press", "drop", "polish" };
static const lcowmig__transition lamp_rows[] = { { 0, 0, 1 }, { 1, 0, 0 }, { 1, 1, 2 }, { 0, 1, 2 } };
static const lcowmig__machine lamp = { "lamp", lamp_states, 3, lamp_triggers, 3, lamp_rows, 4 };

START_TEST(test_object_moves_along_its_rows_and_refuses_the_rest)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__object object;

	lcowmig__object_init(&object, host->context, &lamp, "l1");
	ck_assert_int_eq(lcowmig__object_check(&object, 0, &error), LCOWMIG_OK);
	lcowmig__object_fire(&object, 0);
	ck_assert_str_eq(lcowmig__object_state_name(&object), "On");
	lcowmig__object_fire(&object, 1);
	ck_assert_int_eq(lcowmig__object_check(&object, 0, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_str_eq(error.message, "lamp l1 is Broken; press needs Off, On");
	ck_assert_int_eq(lcowmig__object_check(&object, 2, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_str_eq(error.message, "lamp l1 is Broken; polish needs another object");
}
END_TEST

static void object_step(lcowmig__flow *flow)
{
	walk_step(flow);
}

static const lcowmig__flow_class object_class = { "a repair", object_step, walk_release, false };
static const lcowmig__flow_class watch_class = { "a watch", object_step, walk_release, true };

START_TEST(test_object_is_busy_while_a_flow_works_on_it_unless_it_is_a_watch)
{
	const lcowmig__flow_class *class = _i ? &watch_class : &object_class;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	record seen = { { 0 } };
	test_done done = { 0 };
	lcowmig__object object;
	struct walk *walk;

	lcowmig__object_init(&object, host->context, &lamp, "l1");
	walk = lcowmig__flow_new(sizeof *walk, class, host->context, &object, NULL);
	walk->seen = &seen;
	walk->until = 1;
	ck_assert_int_eq(lcowmig__object_check_idle(&object, &error), LCOWMIG_OK);
	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(test_run(host, &walk->flow, &done, NULL), LCOWMIG_PENDING);
	if (_i)
		ck_assert_int_eq(lcowmig__object_check_idle(&object, &error), LCOWMIG_OK);
	else {
		ck_assert_int_eq(lcowmig__object_check_idle(&object, &error), LCOWMIG_E_FAILED_PRECONDITION);
		ck_assert_str_eq(error.message, "lamp l1 (Off) has a repair in flight; expected it to be idle");
	}
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(lcowmig__object_check_idle(&object, &error), LCOWMIG_OK);
}
END_TEST

/* ---- The context and the boundary ---- */

static lcowmig_status free_from_modify(void *user, lcowmig_call *call, void *system, const char *request)
{
	(void)user;
	(void)call;
	(void)system;
	(void)request;
	ck_assert_int_eq(lcowmig_context_free(host->context), LCOWMIG_E_FAILED_PRECONDITION);
	return LCOWMIG_OK;
}

START_TEST(test_context_is_not_freed_from_a_callback_or_with_dependents)
{
	record seen = { { 0 } };

	host->env.hcs.modify = free_from_modify;
	ck_assert_int_eq(test_run(host, &walk_new(&seen, 1)->flow, NULL, NULL), LCOWMIG_OK);
	host->context->dependents++;
	ck_assert_int_eq(lcowmig_context_free(host->context), LCOWMIG_E_FAILED_PRECONDITION);
	host->context->dependents--;
	ck_assert_int_eq(lcowmig_context_free(NULL), LCOWMIG_OK);
	ck_assert_uint_eq(lcowmig_context_deadline(NULL), LCOWMIG_NO_DEADLINE);
	lcowmig_context_advance(NULL, 1);
}
END_TEST

static void *no_memory(void *user, size_t size)
{
	(void)user;
	(void)size;
	return NULL;
}

static void no_release(void *user, void *pointer)
{
	(void)user;
	(void)pointer;
}

START_TEST(test_context_new_refuses_what_is_wrong)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	lcowmig_limits limits = { sizeof limits };
	lcowmig_context *context = NULL;

	ck_assert_int_eq(lcowmig_context_new(NULL, NULL, NULL, &error), LCOWMIG_E_INVALID_ARGUMENT);
	platform.allocate = no_memory;
	ck_assert_int_eq(lcowmig_context_new(&platform, NULL, &context, &error), LCOWMIG_E_INVALID_ARGUMENT);
	platform.release = no_release;
	ck_assert_int_eq(lcowmig_context_new(&platform, NULL, &context, &error), LCOWMIG_E_NO_MEMORY);
	limits.pods = LCOWMIG_LIMIT_PODS + 1;
	ck_assert_int_eq(lcowmig_context_new(NULL, &limits, &context, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "pods"));
	ck_assert_ptr_null(context);
}
END_TEST

START_TEST(test_limits_keep_their_defaults_when_zero)
{
	lcowmig_limits limits = { sizeof limits };
	lcowmig_context *context = NULL;

	limits.containers = 7;
	ck_assert_int_eq(lcowmig_context_new(NULL, &limits, &context, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(context->limits.containers, 7);
	ck_assert_uint_eq(context->limits.pods, LCOWMIG_LIMIT_PODS);
	ck_assert_uint_eq(context->limits.compat_bytes, LCOWMIG_LIMIT_COMPAT_BYTES);
	ck_assert_uint_eq(context->limits.json_values, LCOWMIG_LIMIT_JSON_VALUES);
	ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_OK);
}
END_TEST

typedef struct sized {
	size_t size;
	uint32_t first;
	uint32_t second; /* "came later" */
} sized;

typedef struct longer {
	sized known;
	uint64_t unknown;
} longer;

START_TEST(test_sized_struct_is_judged_by_its_size)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	sized own = { 0, 9, 9 };
	sized given = { 0, 1, 2 };
	longer more = { { sizeof more, 1, 2 }, 0 };

	/* too short for version 1.0 */
	given.size = offsetof(sized, first);
	ck_assert_int_eq(LCOWMIG__COPY_SIZED("sized", &own, &given, first, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_uint_eq(own.first, 9);
	ck_assert_int_eq(LCOWMIG__COPY_SIZED("sized", &own, (const sized *)NULL, first, &error), LCOWMIG_E_INVALID_ARGUMENT);
	/* what 1.0 had: the rest reads as zero */
	given.size = offsetof(sized, second);
	ck_assert_int_eq(LCOWMIG__COPY_SIZED("sized", &own, &given, first, &error), LCOWMIG_OK);
	ck_assert_uint_eq(own.first, 1);
	ck_assert_uint_eq(own.second, 0);
	ck_assert_uint_eq(own.size, sizeof own);
	/* exact */
	given.size = sizeof given;
	ck_assert_int_eq(LCOWMIG__COPY_SIZED("sized", &own, &given, first, &error), LCOWMIG_OK);
	ck_assert_uint_eq(own.second, 2);
	/* longer: only when the surplus is zero */
	ck_assert_int_eq(LCOWMIG__COPY_SIZED("sized", &own, &more, first, &error), LCOWMIG_OK);
	ck_assert_uint_eq(own.second, 2);
	more.unknown = 1;
	ck_assert_int_eq(LCOWMIG__COPY_SIZED("sized", &own, &more, first, &error), LCOWMIG_E_NOT_SUPPORTED);
}
END_TEST

/* ---- */

static TCase *case_new(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_flow_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "flows");

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
	tcase_add_test(tcase, test_gate_is_not_entered_when_the_waiting_flow_is_cancelled);
	tcase_add_test(tcase, test_signal_wakes_all_waiters_and_later_ones_pass);
}

static void add_call_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "calls");

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
}

static void add_other_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "events, objects, boundary");

	tcase_add_test(tcase, test_events_come_in_order_and_one_at_a_time);
	tcase_add_test(tcase, test_done_comes_in_order_with_the_events);
	tcase_add_test(tcase, test_event_getters_give_what_was_put_in);
	tcase_add_test(tcase, test_event_leaks_nothing_when_memory_is_out);
	tcase_add_test(tcase, test_object_moves_along_its_rows_and_refuses_the_rest);
	tcase_add_loop_test(tcase, test_object_is_busy_while_a_flow_works_on_it_unless_it_is_a_watch, 0, 2);
	tcase_add_test(tcase, test_context_is_not_freed_from_a_callback_or_with_dependents);
	tcase_add_test(tcase, test_context_new_refuses_what_is_wrong);
	tcase_add_test(tcase, test_limits_keep_their_defaults_when_zero);
	tcase_add_test(tcase, test_sized_struct_is_judged_by_its_size);
}

int main(void)
{
	Suite *suite = suite_create("engine");
	SRunner *runner;
	int failed;

	add_flow_tests(suite);
	add_call_tests(suite);
	add_other_tests(suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
