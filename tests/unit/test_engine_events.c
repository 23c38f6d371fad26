/* The engine: events, objects, the context, and the structs of the boundary. Its corners: test_engine_edges.c. */
#include "engine_fixture.h"

#include "engine/abi.h"
#include "engine/event.h"

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
	ck_assert_int_eq(
		lcowmig__leave_with(host->context, &pump, LCOWMIG_OK, &walk_new_of(&ender_class, &seen, 0)->flow, ender_done, mark, NULL),
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

int main(void)
{
	Suite *suite = suite_create("engine events");
	TCase *tcase = tcase_create("engine events");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
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
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
