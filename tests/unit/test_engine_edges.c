/* The engine's corners: contexts that may not go yet, limits, logging, states, and structs of the boundary. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/abi.h"
#include "engine/call.h"
#include "engine/event.h"
#include "engine/operation.h"
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

/* ---- Contexts ---- */

START_TEST(test_context_new_refuses_a_platform_it_cannot_read)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	lcowmig_limits limits = { sizeof limits };
	lcowmig_context *context = NULL;

	platform.size = sizeof(size_t);
	ck_assert_int_eq(lcowmig_context_new(&platform, NULL, &context, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "lcowmig_platform: size is"));
	limits.size = sizeof(size_t);
	ck_assert_int_eq(lcowmig_context_new(NULL, &limits, &context, &error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "lcowmig_limits: size is"));
	ck_assert_ptr_null(context);
}
END_TEST

/* Each limit may be lowered and not be raised, and the sentence names it. */
START_TEST(test_limits_can_only_be_lowered)
{
	static const struct {
		size_t offset;
		const char *name;
		uint32_t standard;
	} rows[] = {
#define ROW(member, value) { offsetof(lcowmig_limits, member), #member, value }
		ROW(envelope_bytes, LCOWMIG_LIMIT_ENVELOPE_BYTES), ROW(document_bytes, LCOWMIG_LIMIT_DOCUMENT_BYTES),
		ROW(json_depth, LCOWMIG_LIMIT_JSON_DEPTH),	   ROW(pods, LCOWMIG_LIMIT_PODS),
		ROW(containers, LCOWMIG_LIMIT_CONTAINERS),	   ROW(endpoints, LCOWMIG_LIMIT_ENDPOINTS),
		ROW(layers, LCOWMIG_LIMIT_LAYERS),		   ROW(reservations, LCOWMIG_LIMIT_RESERVATIONS),
		ROW(mount_options, LCOWMIG_LIMIT_MOUNT_OPTIONS),   ROW(id_bytes, LCOWMIG_LIMIT_ID_BYTES),
		ROW(path_bytes, LCOWMIG_LIMIT_PATH_BYTES),	   ROW(compat_bytes, LCOWMIG_LIMIT_COMPAT_BYTES),
		ROW(json_values, LCOWMIG_LIMIT_JSON_VALUES),
#undef ROW
	};
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(rows); i++) {
		lcowmig_error error = LCOWMIG_ERROR_INIT;
		lcowmig_limits limits = { sizeof limits };
		lcowmig_context *context = NULL;
		uint32_t *limit = (uint32_t *)((char *)&limits + rows[i].offset);
		char expected[96];

		*limit = rows[i].standard + 1;
		snprintf(expected, sizeof expected, "lcowmig_limits: %s is %lu, at most %lu", rows[i].name, (unsigned long)*limit,
			 (unsigned long)rows[i].standard);
		ck_assert_int_eq(lcowmig_context_new(NULL, &limits, &context, &error), LCOWMIG_E_INVALID_ARGUMENT);
		ck_assert_str_eq(error.message, expected);
		*limit = rows[i].standard - 1;
		ck_assert_int_eq(lcowmig_context_new(NULL, &limits, &context, &error), LCOWMIG_OK);
		ck_assert_uint_eq(*(uint32_t *)((char *)&context->limits + rows[i].offset), rows[i].standard - 1);
		ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_OK);
	}
}
END_TEST

static void nothing_fires(lcowmig__timer *timer)
{
	(void)timer;
}

static void nothing_is_delivered(lcowmig__delivery *delivery)
{
	(void)delivery;
}

/* Whatever hangs below it, one thing alone is enough. */
START_TEST(test_context_is_not_freed_while_anything_hangs_below_it)
{
	lcowmig_context *context = NULL;
	lcowmig__timer timer = { 0 };
	lcowmig__delivery delivery = { 0 };
	lcowmig__operation operation = { 0 };

	ck_assert_int_eq(lcowmig_context_new(NULL, NULL, &context, NULL), LCOWMIG_OK);
	context->calls = 1;
	ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_E_FAILED_PRECONDITION);
	context->calls = 0;
	lcowmig__timer_set(context, &timer, UINT64_MAX, nothing_fires);
	ck_assert_uint_eq(lcowmig_context_deadline(context), UINT64_MAX - 1);
	ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_E_FAILED_PRECONDITION);
	lcowmig__timer_clear(context, &timer);
	lcowmig__list_append(&context->operations, &operation.in_context);
	ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_E_FAILED_PRECONDITION);
	lcowmig__list_remove(&operation.in_context);
	delivery.run = nothing_is_delivered;
	lcowmig__list_init(&delivery.node);
	lcowmig__deliver(context, &delivery);
	ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_E_FAILED_PRECONDITION);
	lcowmig__list_remove(&delivery.node);
	ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_OK);
}
END_TEST

static char logged[128];

static void keep_log(void *user, lcowmig_log_level level, const char *line)
{
	(void)user;
	snprintf(logged, sizeof logged, "%d %s", (int)level, line);
}

START_TEST(test_log_is_told_what_its_level_lets_through)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	lcowmig_context *context = NULL;

	platform.log = keep_log;
	platform.log_level = LCOWMIG_LOG_WARNING;
	ck_assert_int_eq(lcowmig_context_new(&platform, NULL, &context, NULL), LCOWMIG_OK);
	logged[0] = '\0';
	lcowmig__log(context, LCOWMIG_LOG_INFO, "too much %d", 1);
	ck_assert_str_eq(logged, "");
	lcowmig__log(context, LCOWMIG_LOG_WARNING, "enough %d", 2);
	ck_assert_ptr_nonnull(strstr(logged, "enough 2"));
	ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_OK);
}
END_TEST

static lcowmig_status no_random(void *user, void *bytes, size_t size)
{
	(void)user;
	(void)bytes;
	(void)size;
	return LCOWMIG_E_HOST_FAILED;
}

START_TEST(test_guid_is_not_made_without_random_bytes)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_guid guid = { { 7 } };

	host->context->platform.random = no_random;
	ck_assert_int_eq(lcowmig__random_guid(host->context, &guid, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(error.message, "the platform gave no random bytes for a GUID");
	ck_assert_uint_eq(guid.bytes[0], 7);
}
END_TEST

/* ---- Flows and operations ---- */

static void modify_step(lcowmig__flow *flow)
{
	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__hcs_modify(flow, &host->env, lcowmig__strdup(&flow->context->mem, "{}")));
	FLOW_END(flow);
}

static const lcowmig__flow_class modify_class = { "modify", modify_step, NULL, false };

/* Both the function and the pointer must be those that it was started with. */
START_TEST(test_cancel_ends_nothing_of_another_pointer)
{
	test_done done = { 0 };
	test_done other = { 0 };
	lcowmig__flow *flow = lcowmig__flow_new(sizeof *flow, &modify_class, host->context, NULL, NULL);

	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(test_run(host, flow, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &other), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, NULL, &done), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(done.calls, 0);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

/* Whoever keeps one for longer than it runs may interrupt it too late. */
START_TEST(test_interrupt_of_a_flow_that_has_ended_does_nothing)
{
	lcowmig__flow_rest flow_rest;
	lcowmig__flow flow;
	test_done done = { 0 };

	lcowmig__flow_init(&flow, &modify_class, host->context, NULL, &flow_rest);
	ck_assert_int_eq(test_run(host, &flow, &done, NULL), LCOWMIG_OK);
	test_enter(host);
	lcowmig__flow_interrupt(&flow, LCOWMIG_E_CANCELLED, "was cancelled");
	test_leave(host);
	ck_assert_int_eq(flow.interrupt, LCOWMIG_OK);
	ck_assert_int_eq(flow.result, LCOWMIG_OK);
}
END_TEST

/* Fails, and then waits for something else that fails, too, as cleaning up may. */
static void twice_step(lcowmig__flow *flow)
{
	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, &host->env, lcowmig__strdup(&flow->context->mem, "{}")));
	flow->failure = flow->result;
	FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, &host->env, lcowmig__strdup(&flow->context->mem, "{}")));
	ck_assert_int_eq(flow->result, LCOWMIG_E_DENIED);
	FLOW_RETURN(flow, flow->failure);
	FLOW_END(flow);
}

static const lcowmig__flow_class twice_class = { .name = "twice", .step = twice_step };

START_TEST(test_flow_keeps_its_failure_while_it_cleans_up)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "the first");
	test_host_fail(host, "hcs.modify", 2, LCOWMIG_E_DENIED, 0x80070005, "the second");
	ck_assert_int_eq(test_run(host, lcowmig__flow_new(sizeof(lcowmig__flow), &twice_class, host->context, NULL, NULL), NULL, &error),
			 LCOWMIG_E_HOST_FAILED);
	ck_assert_ptr_nonnull(strstr(error.message, "the first"));
	ck_assert_uint_eq(error.hresult, 0x80004005);
}
END_TEST

/* ---- Events ---- */

START_TEST(test_event_without_texts_has_empty_ones)
{
	lcowmig_event *event = lcowmig__event_new(&host->env, LCOWMIG_EVENT_TASK_EXIT, NULL, NULL, NULL);

	ck_assert_str_eq(lcowmig_event_container_id(event), "");
	ck_assert_str_eq(lcowmig_event_exec_id(event), "");
	ck_assert_str_eq(lcowmig_event_bundle(event), "");
	ck_assert_str_eq(lcowmig_event_stdin(event), "");
	ck_assert_str_eq(lcowmig_event_stdout(event), "");
	ck_assert_str_eq(lcowmig_event_stderr(event), "");
	lcowmig__event_free(event);
}
END_TEST

/* ---- States ---- */

#define LONG_NAME "AStateWhoseNameIsSixtyFourCharactersLongSoThatFiveOfThemAreTooMany"

static const char *const long_states[] = { LONG_NAME "1", LONG_NAME "2", LONG_NAME "3", LONG_NAME "4", LONG_NAME "5", "Last" };
static const char *const long_triggers[] = { "Push" };
static const lcowmig__transition long_rows[] = { { 0, 0, 5 }, { 1, 0, 5 }, { 2, 0, 5 }, { 3, 0, 5 }, { 4, 0, 5 } };
static const lcowmig__machine long_machine = { .kind = "thing",
					       .states = long_states,
					       .n_states = LCOWMIG__COUNT(long_states),
					       .triggers = long_triggers,
					       .n_triggers = LCOWMIG__COUNT(long_triggers),
					       .rows = long_rows,
					       .n_rows = LCOWMIG__COUNT(long_rows) };

/* More states than the sentence has room for are cut, not written behind it; and an object need not have a name. */
START_TEST(test_object_check_cuts_a_list_of_states_that_is_too_long)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__object object;

	lcowmig__object_init(&object, host->context, &long_machine, _i ? "name" : NULL);
	object.state = 5;
	ck_assert_int_eq(lcowmig__object_check(&object, 0, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_eq(strstr(error.message, _i ? "thing name is Last; Push needs " : "thing  is Last; Push needs "), error.message);
	ck_assert_ptr_nonnull(strstr(error.message, LONG_NAME "1, " LONG_NAME "2"));
	ck_assert_ptr_null(strstr(error.message, LONG_NAME "5"));
}
END_TEST

START_TEST(test_object_without_a_name_moves_and_is_busy)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__object object;
	lcowmig__flow *flow = lcowmig__flow_new(sizeof *flow, &modify_class, host->context, &object, NULL);

	lcowmig__object_init(&object, host->context, &long_machine, NULL);
	lcowmig__object_fire(&object, 0);
	ck_assert_int_eq(object.state, 5);
	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(test_run(host, flow, NULL, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig__object_check_idle(&object, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_str_eq(error.message, "thing  (Last) has modify in flight; expected it to be idle");
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(lcowmig__object_check_idle(&object, &error), LCOWMIG_OK);
}
END_TEST

/* A bug of ours must not move anything, and must not pass unseen. */
START_TEST(test_object_without_a_row_stays_where_it_is_and_that_is_logged)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	lcowmig_context *context = NULL;
	lcowmig__object object;

	platform.log = keep_log;
	ck_assert_int_eq(lcowmig_context_new(&platform, NULL, &context, NULL), LCOWMIG_OK);
	lcowmig__object_init(&object, context, &long_machine, _i ? "name" : NULL);
	object.state = 5;
	lcowmig__object_fire(&object, 0);
	ck_assert_int_eq(object.state, 5);
	ck_assert_ptr_nonnull(strstr(logged, _i ? "library bug: thing name is Last and has no row for Push"
						: "library bug: thing  is Last and has no row for Push"));
	ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_OK);
}
END_TEST

/* ---- Structs of the boundary ---- */

START_TEST(test_copy_out_of_nothing_writes_nothing)
{
	uint8_t buffer[4] = { 9, 9, 9, 9 };
	lcowmig__buf empty;
	size_t size = 77;

	lcowmig__buf_init(&empty, &host->context->mem);
	ck_assert_int_eq(lcowmig__copy_out("thing", empty.data, empty.size, buffer, 0, &size, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(size, 0);
	ck_assert_uint_eq(buffer[0], 9);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine_edges");
	TCase *tcase = tcase_create("engine_edges");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_context_new_refuses_a_platform_it_cannot_read);
	tcase_add_test(tcase, test_limits_can_only_be_lowered);
	tcase_add_test(tcase, test_context_is_not_freed_while_anything_hangs_below_it);
	tcase_add_test(tcase, test_log_is_told_what_its_level_lets_through);
	tcase_add_test(tcase, test_guid_is_not_made_without_random_bytes);
	tcase_add_test(tcase, test_cancel_ends_nothing_of_another_pointer);
	tcase_add_test(tcase, test_interrupt_of_a_flow_that_has_ended_does_nothing);
	tcase_add_test(tcase, test_flow_keeps_its_failure_while_it_cleans_up);
	tcase_add_test(tcase, test_event_without_texts_has_empty_ones);
	tcase_add_loop_test(tcase, test_object_check_cuts_a_list_of_states_that_is_too_long, 0, 2);
	tcase_add_test(tcase, test_object_without_a_name_moves_and_is_busy);
	tcase_add_loop_test(tcase, test_object_without_a_row_stays_where_it_is_and_that_is_logged, 0, 2);
	tcase_add_test(tcase, test_copy_out_of_nothing_writes_nothing);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
