/* The calls of the host's vtables: members that a host lacks, arguments that are absent, and what a host may do wrong. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/call.h"
#include "host.h"

static test_host *host;
static lcowmig_error error;

static void setup(void)
{
	host = test_host_new();
	lcowmig__error_init(&error);
}

static void teardown(void)
{
	test_host_free(host);
}

/* A flow of one await. */
struct ask {
	lcowmig__flow flow;
	void (*call)(lcowmig__flow *flow, const lcowmig__env *env);
};

static void ask_step(lcowmig__flow *flow)
{
	FLOW_BEGIN(flow);
	FLOW_TRY(flow, ((struct ask *)flow)->call(flow, &host->env));
	FLOW_END(flow);
}

static const lcowmig__flow_class ask_class = { "ask", ask_step, NULL, false };

static lcowmig_status ask(void (*call)(lcowmig__flow *flow, const lcowmig__env *env), test_done *done)
{
	struct ask *self = lcowmig__flow_new(sizeof *self, &ask_class, host->context, NULL, &error);

	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	self->call = call;
	return test_run(host, &self->flow, done, &error);
}

static char *text(const char *value)
{
	return lcowmig__strdup(&host->context->mem, value);
}

/* ---- Calls, each with arguments that are worth a call ---- */

static uint32_t ports[3];
static int64_t request_id;
static bool connected;

static void create_system(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__hcs_create(flow, env, "vm", text("{}"));
}

static void modify(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__hcs_modify(flow, env, text("{}"));
}

static void grant(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__hcs_grant_access(flow, env, "C:\\d.vhdx");
}

static void list_endpoints(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__network_endpoints(flow, env, "ns");
}

static void open_stdio(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig_stdio_config config = { .size = sizeof config };

	lcowmig__stdio_open(flow, env, &config);
}

static void attach_stderr(lcowmig__flow *flow, const lcowmig__env *env)
{
	static const uint32_t only_stderr[3] = { 0, 0, 9 };

	lcowmig__stdio_attach(flow, env, NULL, only_stderr);
}

static void attach_nothing(lcowmig__flow *flow, const lcowmig__env *env)
{
	static const uint32_t none[3] = { 0, 0, 0 };

	lcowmig__stdio_attach(flow, env, NULL, none);
}

static void close_stdin(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__stdio_close_stdin(flow, env, NULL);
}

static void adopt_socket(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__socket_adopt(flow, env, (const uint8_t *)"fd", 2);
}

static void prepare(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_prepare(flow, env, LCOWMIG_GCS_CONTROL_PORT);
}

static void connect_guest(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_connect(flow, env, true);
}

static void request(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_rpc(flow, env, LCOWMIG_GCS_START, "c1", text("{}"));
}

static void shut_down(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_rpc(flow, env, LCOWMIG_GCS_SHUTDOWN_GRACEFUL, "c1", text("{}"));
}

static void adopt(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_adopt(flow, env, 7);
}

static void allocate_ports(lcowmig__flow *flow, const lcowmig__env *env)
{
	static const bool wanted[3] = { false, true, true };

	lcowmig__guest_allocate_ports(flow, env, wanted, ports);
}

static void set_migrating(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_set_migrating(flow, env, true);
}

static void raise_floors(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_raise_floors(flow, env, 0x40000009, 9);
}

static void raise_no_floors(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_raise_floors(flow, env, 0, 0);
}

static void read_floors(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_read_floors(flow, env, &ports[0], &request_id);
}

static void ask_connected(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_is_connected(flow, env, &connected);
}

static void open_container(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_open_container(flow, env, "c1");
}

static void close_container(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_close_container(flow, env, "c1");
}

/* ---- Members that are missing ---- */

static const struct {
	const char *member;
	void (*call)(lcowmig__flow *flow, const lcowmig__env *env);
	const char *message;
} needed[] = {
	{ "hcs.create", create_system, "HCS create: the host's HCS ops have no such member" },
	{ "hcs.modify", modify, "HCS modify: the host's HCS ops have no such member" },
	{ "hcs.grant_access", grant, "grant VM access: the host's HCS ops have no such member" },
	{ "network.endpoints", list_endpoints, "list endpoints: the host's network ops have no such member" },
	{ "stdio.open", open_stdio, "stdio open: the host's stdio ops have no open and close" },
	{ "stdio.close", open_stdio, "stdio open: the host's stdio ops have no open and close" },
	{ "stdio.attach", attach_stderr, "stdio attach: the host's stdio ops have no such member" },
	{ "socket.adopt", adopt_socket, "socket adopt: the host's socket ops have no adopt and close" },
	{ "socket.close", adopt_socket, "socket adopt: the host's socket ops have no adopt and close" },
	{ "guest.prepare", prepare, "guest listen: the host's guest ops have no such member" },
	{ "guest.connect", connect_guest, "guest connect: the host's guest ops have no such member" },
	{ "guest.resume", lcowmig__guest_resume, "guest resume connection: the host's guest ops have no such member" },
	{ "guest.rpc", request, "guest start container: the host's guest ops have no such member" },
	{ "guest.adopt", adopt, "guest adopt wait: the host's guest ops have no such member" },
	{ "guest.allocate_port", allocate_ports, "guest allocate ports: the host's guest ops have no such member" },
};

START_TEST(test_call_is_refused_when_the_host_lacks_what_it_needs)
{
	test_host_remove(host, needed[_i].member);
	ck_assert_int_eq(ask(needed[_i].call, NULL), LCOWMIG_E_NOT_SUPPORTED);
	ck_assert_str_eq(error.message, needed[_i].message);
	test_host_expect_log(host, "");
}
END_TEST

/* What a host may leave out: nothing happens, and that is a success. */
static const struct {
	const char *members[2];
	void (*call)(lcowmig__flow *flow, const lcowmig__env *env);
} optional[] = {
	{ { "guest.log" }, lcowmig__guest_log },
	{ { "guest.close" }, lcowmig__guest_close },
	{ { "guest.set_migrating" }, set_migrating },
	{ { "guest.raise_port", "guest.raise_request_id" }, raise_floors },
	{ { "guest.next_port", "guest.next_request_id" }, read_floors },
	{ { "guest.is_connected" }, ask_connected },
	{ { "guest.open_container" }, open_container },
	{ { "guest.close_container" }, close_container },
	{ { "stdio.close_stdin" }, close_stdin },
};

START_TEST(test_call_does_nothing_when_the_host_may_lack_it)
{
	size_t i;

	ports[0] = 5;
	request_id = 5;
	connected = true;
	for (i = 0; i < LCOWMIG__COUNT(optional[_i].members) && optional[_i].members[i]; i++)
		test_host_remove(host, optional[_i].members[i]);
	ck_assert_int_eq(ask(optional[_i].call, NULL), LCOWMIG_OK);
	test_host_expect_log(host, "");
	if (optional[_i].call == read_floors) {
		ck_assert_uint_eq(ports[0], 0);
		ck_assert_int_eq(request_id, 0);
	}
	if (optional[_i].call == ask_connected)
		ck_assert(!connected);
}
END_TEST

static lcowmig_status create_any(void *user, lcowmig_call *call, const char *id, const char *document)
{
	static int system;

	(void)user;
	(void)id;
	(void)document;
	lcowmig_call_set_handle(call, &system);
	return LCOWMIG_OK;
}

/* It cannot be closed, should it come late; but it is made. */
START_TEST(test_system_is_created_by_a_host_that_cannot_close_it)
{
	test_host_remove(host, "hcs.close");
	host->env.hcs.create = create_any;
	ck_assert_int_eq(ask(create_system, NULL), LCOWMIG_OK);
}
END_TEST

/* ---- Arguments that are absent ---- */

START_TEST(test_texts_that_are_not_known_are_empty)
{
	host->env.vm_id = NULL;
	host->env.runtime_id = NULL;
	ck_assert_int_eq(ask(grant, NULL), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "C:\\d.vhdx"));
	test_host_clear_log(host);
	ck_assert_int_eq(ask(prepare, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "guest.prepare"), 1);
}
END_TEST

static uint32_t attached[3];

static lcowmig_status note_attach(void *user, lcowmig_call *call, void *stdio, const uint32_t given[3])
{
	(void)user;
	(void)call;
	(void)stdio;
	memcpy(attached, given, sizeof attached);
	return LCOWMIG_OK;
}

START_TEST(test_zero_raises_no_floor_and_no_port_attaches_nothing)
{
	host->env.stdio.attach = note_attach;
	ck_assert_int_eq(ask(raise_no_floors, NULL), LCOWMIG_OK);
	ck_assert_int_eq(ask(attach_nothing, NULL), LCOWMIG_OK);
	test_host_expect_log(host, "");
	ck_assert_int_eq(ask(attach_stderr, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(attached[0] + attached[1], 0);
	ck_assert_uint_eq(attached[2], 9);
}
END_TEST

/* Only the message's name is not known here; it is sent all the same. */
START_TEST(test_request_of_another_kind_is_named_a_guest_request)
{
	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(ask(shut_down, NULL), LCOWMIG_E_GUEST_FAILED);
	ck_assert_str_eq(error.message, "guest request: no");
}
END_TEST

static void (*const with_memory[])(lcowmig__flow *flow, const lcowmig__env *env) = {
	create_system, grant, list_endpoints, open_stdio, adopt_socket, prepare, request, allocate_ports, set_migrating, raise_floors,
	read_floors,   ask_connected, open_container, close_stdin, adopt, attach_stderr,
};

/* One await that fails before the host is asked; a call more would show in the log. */
START_TEST(test_call_is_not_made_when_memory_is_out)
{
	unsigned nth;

	for (nth = 2; nth <= 3; nth++) { /* the first is the flow itself */
		lcowmig_status status;

		test_host_fail_allocation(host, nth, true);
		status = ask(with_memory[_i], NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		test_host_expect_log(host, "");
	}
}
END_TEST

/* ---- What a host may do wrong ---- */

static lcowmig_call *kept_call;
static int made;

static lcowmig_status modify_keeps(void *user, lcowmig_call *call, void *system, const char *document)
{
	(void)user;
	(void)system;
	(void)document;
	kept_call = call;
	made++;
	return LCOWMIG_PENDING;
}

static lcowmig_status modify_completes_twice(void *user, lcowmig_call *call, void *system, const char *document)
{
	(void)user;
	(void)system;
	(void)document;
	lcowmig_call_complete(call, LCOWMIG_OK);
	lcowmig_call_complete(call, LCOWMIG_E_DENIED);
	return LCOWMIG_PENDING;
}

START_TEST(test_call_completed_twice_inside_its_callback_ends_as_the_first_time)
{
	test_done done = { 0 };

	host->env.hcs.modify = modify_completes_twice;
	ck_assert_int_eq(ask(modify, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 0);
}
END_TEST

START_TEST(test_call_completed_with_no_status_fails)
{
	test_done done = { 0 };

	host->env.hcs.modify = modify_keeps;
	ck_assert_int_eq(ask(modify, &done), LCOWMIG_PENDING);
	lcowmig_call_complete(kept_call, _i ? LCOWMIG_PENDING : (lcowmig_status)77);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_HOST_FAILED);
}
END_TEST

/* There is nothing it could be closed with, and nobody who knows what it is. */
START_TEST(test_handle_of_a_call_that_opens_nothing_is_left_alone)
{
	test_done done = { 0 };
	int handle;

	host->env.hcs.modify = modify_keeps;
	ck_assert_int_eq(ask(modify, &done), LCOWMIG_PENDING);
	if (_i) {
		ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
		ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
		ck_assert(lcowmig_call_is_abandoned(kept_call));
	}
	lcowmig_call_set_handle(kept_call, &handle);
	lcowmig_call_complete(kept_call, LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 1);
}
END_TEST

static lcowmig_status rpc_keeps(void *user, lcowmig_call *call, uint32_t message, const char *container_id, const char *document)
{
	(void)user;
	(void)message;
	(void)container_id;
	(void)document;
	kept_call = call;
	return LCOWMIG_PENDING;
}

static int told;

static void count_told(lcowmig_call *call, int64_t id)
{
	(void)call;
	(void)id;
	told++;
}

static void request_told(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_rpc(flow, env, LCOWMIG_GCS_START, "c1", text("{}"))->told_request_id = count_told;
}

/* Whoever waited is gone, and so is where the id would be written. */
START_TEST(test_request_id_of_an_abandoned_call_is_told_to_nobody)
{
	test_done done = { 0 };

	told = 0;
	host->env.guest.rpc = rpc_keeps;
	ck_assert_int_eq(ask(request_told, &done), LCOWMIG_PENDING);
	lcowmig_call_set_request_id(kept_call, 4);
	ck_assert_int_eq(told, 1);
	lcowmig_context_cancel(host->context, test_on_done, &done);
	lcowmig_call_set_request_id(kept_call, 5);
	ck_assert_int_eq(told, 1);
	lcowmig_call_complete(kept_call, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(done.calls, 1);
}
END_TEST

START_TEST(test_call_keeps_the_hosts_data_and_refuses_a_result_without_bytes)
{
	test_done done = { 0 };
	int data;

	host->env.hcs.modify = modify_keeps;
	ck_assert_int_eq(ask(modify, &done), LCOWMIG_PENDING);
	ck_assert_ptr_null(lcowmig_call_host_data(kept_call));
	lcowmig_call_set_host_data(kept_call, &data);
	ck_assert_ptr_eq(lcowmig_call_host_data(kept_call), &data);
	ck_assert_int_eq(lcowmig_call_set_result(kept_call, NULL, 3), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_call_set_result(kept_call, NULL, 0), LCOWMIG_OK);
	lcowmig_call_set_error(kept_call, 1, NULL);
	lcowmig_call_complete(kept_call, LCOWMIG_OK);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

/* ---- Several calls of one await ---- */

static test_done *cancelled;

static lcowmig_status modify_cancels(void *user, lcowmig_call *call, void *system, const char *document)
{
	(void)user;
	(void)call;
	(void)system;
	(void)document;
	made++;
	lcowmig_context_cancel(host->context, test_on_done, cancelled);
	return LCOWMIG_OK;
}

static void modify_thrice(lcowmig__flow *flow, const lcowmig__env *env)
{
	modify(flow, env);
	modify(flow, env);
	modify(flow, env);
}

/* The first call's callback cancels: the others have not reached the host, and do not any more. */
START_TEST(test_calls_in_line_are_not_made_when_their_flow_is_cancelled)
{
	test_done done = { 0 };

	made = 0;
	cancelled = &done;
	host->env.hcs.modify = modify_cancels;
	ck_assert_int_eq(ask(modify_thrice, &done), LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(made, 1);
	ck_assert_uint_eq(host->context->calls, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("env");
	TCase *tcase = tcase_create("env");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_call_is_refused_when_the_host_lacks_what_it_needs, 0, (int)LCOWMIG__COUNT(needed));
	tcase_add_loop_test(tcase, test_call_does_nothing_when_the_host_may_lack_it, 0, (int)LCOWMIG__COUNT(optional));
	tcase_add_test(tcase, test_system_is_created_by_a_host_that_cannot_close_it);
	tcase_add_test(tcase, test_texts_that_are_not_known_are_empty);
	tcase_add_test(tcase, test_zero_raises_no_floor_and_no_port_attaches_nothing);
	tcase_add_test(tcase, test_request_of_another_kind_is_named_a_guest_request);
	tcase_add_loop_test(tcase, test_call_is_not_made_when_memory_is_out, 0, (int)LCOWMIG__COUNT(with_memory));
	tcase_add_test(tcase, test_call_completed_twice_inside_its_callback_ends_as_the_first_time);
	tcase_add_loop_test(tcase, test_call_completed_with_no_status_fails, 0, 2);
	tcase_add_loop_test(tcase, test_handle_of_a_call_that_opens_nothing_is_left_alone, 0, 2);
	tcase_add_test(tcase, test_request_id_of_an_abandoned_call_is_told_to_nobody);
	tcase_add_test(tcase, test_call_keeps_the_hosts_data_and_refuses_a_result_without_bytes);
	tcase_add_test(tcase, test_calls_in_line_are_not_made_when_their_flow_is_cancelled);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
