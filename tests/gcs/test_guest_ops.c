/* The bridge as guest ops, called the way controllers call them: from flows. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "engine/env.h"
#include "peer.h"
#include "suite.h"

/* A flow that makes one guest call and keeps what it brought. */
typedef struct guest_flow {
	lcowmig__flow flow;
	const lcowmig__env *env;
	char operation; /* (p)repare, (e)ntropy, (l)og, (c)onnect, (r)esume, (q) rpc, (a)dopt */
	uint32_t message;
	const char *document;
	int64_t id;
	int64_t *ret_id;
	char **ret_reply;
} guest_flow;

typedef struct fixture {
	peer *p;
	lcowmig__env env;
	char runtime_id[8];
} fixture;

/* What a guest call came to. */
typedef struct outcome {
	peer_done done;
	int64_t id;
	char *reply;
} outcome;

static void tell_id(lcowmig_call *call, int64_t id)
{
	*(int64_t *)call->told_to = id;
}

static void guest_call(guest_flow *self)
{
	lcowmig__flow *flow = &self->flow;
	lcowmig_call *call;

	switch (self->operation) {
	case 'p':
		lcowmig__guest_prepare(flow, self->env, (uint32_t)self->id);
		break;
	case 'e':
		lcowmig__guest_entropy(flow, self->env, (const uint8_t *)"seed", 4);
		break;
	case 'l':
		lcowmig__guest_log(flow, self->env);
		break;
	case 'c':
		lcowmig__guest_connect(flow, self->env, true);
		break;
	case 'r':
		lcowmig__guest_resume(flow, self->env);
		break;
	case 'a':
		lcowmig__guest_adopt(flow, self->env, self->id);
		break;
	default:
		call = lcowmig__guest_rpc(flow, self->env, self->message, "c1", lcowmig__strdup(&flow->context->mem, self->document));
		if (call) {
			call->told_request_id = tell_id;
			call->told_to = self->ret_id;
		}
	}
}

static void guest_step(lcowmig__flow *flow)
{
	guest_flow *self = (guest_flow *)flow;

	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, guest_call(self));
	*self->ret_reply = flow->rest->reply.data ? lcowmig__buf_take(&flow->rest->reply) : NULL;
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class guest_class = { .name = "guest call", .step = guest_step };

static lcowmig_status run(fixture *f, char operation, int64_t id, uint32_t message, const char *document, outcome *ret)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__pump pump;
	guest_flow *self;

	lcowmig__enter(f->p->context, &pump);
	self = lcowmig__flow_new(sizeof *self, &guest_class, f->p->context, NULL, &error);
	if (!self)
		status = LCOWMIG_E_NO_MEMORY;
	else {
		self->env = &f->env;
		self->operation = operation;
		self->id = id;
		self->message = message;
		self->document = document;
		self->ret_id = &ret->id;
		self->ret_reply = &ret->reply;
	}
	status = lcowmig__leave_with(f->p->context, &pump, status, self ? &self->flow : NULL, peer_on_done, &ret->done, &error);
	if (status != LCOWMIG_PENDING)
		peer_on_done(&ret->done, status, &error);
	return status;
}

static void outcome_clear(fixture *f, outcome *o)
{
	if (o->reply) {
		f->p->allocations_out--;
		free(o->reply);
	}
	memset(o, 0, sizeof *o);
}

static fixture *fixture_new(void)
{
	fixture *f = calloc(1, sizeof *f);

	f->p = peer_new();
	f->env.context = f->p->context;
	strcpy(f->runtime_id, "runtime");
	f->env.runtime_id = f->runtime_id;
	f->env.has_guest = true;
	lcowmig_gcs_guest_ops(f->p->gcs, &f->env.guest);
	return f;
}

static void fixture_free(fixture *f)
{
	peer_free(f->p);
	free(f);
}

static void fixture_connect(fixture *f)
{
	outcome prepared = { { 0 } };
	outcome connected = { { 0 } };

	ck_assert_int_eq(run(f, 'p', LCOWMIG_GCS_CONTROL_PORT, 0, NULL, &prepared), LCOWMIG_OK);
	ck_assert_int_eq(run(f, 'c', 0, 0, NULL, &connected), LCOWMIG_PENDING);
	peer_dial(f->p, LCOWMIG_GCS_CONTROL_PORT);
	peer_answer(f->p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(f->p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
	peer_expect_done(&connected.done, LCOWMIG_OK);
	ck_assert_str_eq(connected.reply, LINUX_CAPABILITIES);
	outcome_clear(f, &connected);
}

START_TEST(test_connect_attaches_the_capabilities_each_time)
{
	fixture *f = fixture_new();
	outcome again = { { 0 } };

	fixture_connect(f);
	ck_assert(f->env.guest.is_connected(f->env.guest.user));
	ck_assert_int_eq(run(f, 'c', 0, 0, NULL, &again), LCOWMIG_OK);
	ck_assert_str_eq(again.reply, LINUX_CAPABILITIES);
	outcome_clear(f, &again);
	fixture_free(f);
}
END_TEST

START_TEST(test_rpc_tells_its_id_and_attaches_the_answer)
{
	static peer_frame frame;
	fixture *f = fixture_new();
	outcome o = { { 0 } };

	fixture_connect(f);
	ck_assert_int_eq(run(f, 'q', 0, LCOWMIG_GCS_EXECUTE_PROCESS, "{\"ContainerId\":\"c1\",\"ActivityId\":\"x\"}", &o), LCOWMIG_PENDING);
	ck_assert_int_eq(o.id, 1);
	ck_assert(peer_take(f->p, &frame));
	ck_assert_str_eq(frame.payload, "{\"ContainerId\":\"c1\",\"ActivityId\":\"x\"}\n");
	peer_answer(f->p, LCOWMIG_GCS_EXECUTE_PROCESS, 1, "{\"Result\":0,\"ProcessId\":57}");
	peer_expect_done(&o.done, LCOWMIG_OK);
	ck_assert_str_eq(o.reply, "{\"Result\":0,\"ProcessId\":57}");
	outcome_clear(f, &o);
	/* A refusal comes with HRESULT, message, and the answer. */
	run(f, 'q', 0, LCOWMIG_GCS_SIGNAL_PROCESS, "{}", &o);
	peer_answer(f->p, LCOWMIG_GCS_SIGNAL_PROCESS, 2, "{\"Result\":-2147023728,\"ErrorMessage\":\"no process 57\"}");
	peer_expect_done(&o.done, LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(o.done.hresult, 0x80070490);
	ck_assert_ptr_nonnull(strstr(o.done.message, "no process 57"));
	ck_assert_ptr_nonnull(strstr(o.reply, "no process 57"));
	outcome_clear(f, &o);
	fixture_free(f);
}
END_TEST

/* */
START_TEST(test_rpc_without_a_connection_is_unavailable)
{
	fixture *f = fixture_new();
	outcome o = { { 0 } };

	ck_assert_int_eq(run(f, 'q', 0, LCOWMIG_GCS_START, "{}", &o), LCOWMIG_E_UNAVAILABLE);
	outcome_clear(f, &o);
	ck_assert_int_eq(run(f, 'r', 0, 0, NULL, &o), LCOWMIG_E_FAILED_PRECONDITION);
	outcome_clear(f, &o);
	ck_assert_int_eq(run(f, 'c', 0, 0, NULL, &o), LCOWMIG_E_FAILED_PRECONDITION);
	outcome_clear(f, &o);
	ck_assert_int_eq(run(f, 'a', 0, 0, NULL, &o), LCOWMIG_E_INVALID_ARGUMENT);
	outcome_clear(f, &o);
	ck_assert_int_eq(run(f, 'p', 17, 0, NULL, &o), LCOWMIG_E_INVALID_ARGUMENT);
	outcome_clear(f, &o);
	fixture_free(f);
}
END_TEST

START_TEST(test_call_that_its_flow_gave_up_is_completed_once_and_quietly)
{
	fixture *f = fixture_new();
	outcome sent = { { 0 } };
	outcome queued = { { 0 } };

	fixture_connect(f);
	f->p->hold_sends = true;
	run(f, 'q', 0, LCOWMIG_GCS_START, "{}", &sent);
	run(f, 'q', 0, LCOWMIG_GCS_START, "{}", &queued);
	lcowmig_context_cancel(f->p->context, peer_on_done, &sent.done);
	lcowmig_context_cancel(f->p->context, peer_on_done, &queued.done);
	peer_expect_done(&sent.done, LCOWMIG_E_CANCELLED);
	peer_expect_done(&queued.done, LCOWMIG_E_CANCELLED);
	peer_complete_send(f->p, LCOWMIG_OK);
	ck_assert_uint_eq(peer_expect(f->p, LCOWMIG_GCS_START), 1);
	peer_expect_nothing(f->p); /* nobody waited for the second */
	peer_answer(f->p, LCOWMIG_GCS_START, 1, PLAIN_ANSWER);
	ck_assert_int_eq(sent.done.calls, 1);
	fixture_free(f);
}
END_TEST

START_TEST(test_adopt_of_an_outstanding_id_gives_both_the_answer)
{
	fixture *f = fixture_new();
	outcome o[3] = { { { 0 } } };
	int i;

	fixture_connect(f);
	run(f, 'q', 0, LCOWMIG_GCS_WAIT_FOR_PROCESS, "{}", &o[0]);
	run(f, 'a', 1, 0, NULL, &o[1]);
	run(f, 'a', 1, 0, NULL, &o[2]);
	peer_answer(f->p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 1, "{\"Result\":0,\"ExitCode\":5}");
	for (i = 0; i < 3; i++) {
		peer_expect_done(&o[i].done, LCOWMIG_OK);
		ck_assert_str_eq(o[i].reply, "{\"Result\":0,\"ExitCode\":5}");
		outcome_clear(f, &o[i]);
	}
	fixture_free(f);
}
END_TEST

START_TEST(test_migration_through_the_ops)
{
	fixture *f = fixture_new();
	const lcowmig_guest_ops *ops = &f->env.guest;
	outcome wait = { { 0 } };
	outcome resume = { { 0 } };
	outcome o = { { 0 } };

	fixture_connect(f);
	run(f, 'q', 0, LCOWMIG_GCS_WAIT_FOR_PROCESS, "{}", &wait);
	peer_expect(f->p, LCOWMIG_GCS_WAIT_FOR_PROCESS);
	ck_assert_int_eq(ops->next_request_id(ops->user), 2);
	ck_assert_uint_eq(ops->next_port(ops->user), 0x40000001);
	ops->set_migrating(ops->user, true);
	lcowmig_gcs_receive_end(f->p->gcs, f->p->control, LCOWMIG_OK);
	ck_assert(!ops->is_connected(ops->user));
	run(f, 'p', LCOWMIG_GCS_CONTROL_PORT, 0, NULL, &o);
	ck_assert_int_eq(run(f, 'r', 0, 0, NULL, &resume), LCOWMIG_PENDING);
	peer_dial(f->p, LCOWMIG_GCS_CONTROL_PORT);
	peer_answer(f->p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, peer_expect(f->p, LCOWMIG_GCS_NEGOTIATE_PROTOCOL), NEGOTIATE_ANSWER);
	peer_expect_done(&resume.done, LCOWMIG_OK);
	ck_assert_str_eq(resume.reply, LINUX_CAPABILITIES);
	ops->set_migrating(ops->user, false);
	ops->raise_port(ops->user, 0x40000007);
	ops->raise_request_id(ops->user, 70);
	ops->open_container(ops->user, "c1");
	ck_assert_uint_eq(ops->allocate_port(ops->user), 0x40000007);
	ck_assert_int_eq(ops->next_request_id(ops->user), 70);
	peer_notify(f->p, "c1");
	ck_assert_int_eq(f->p->notifications, 1);
	ops->close_container(ops->user, "c1");
	ops->close(ops->user);
	peer_expect_done(&wait.done, LCOWMIG_E_UNAVAILABLE);
	outcome_clear(f, &resume);
	fixture_free(f);
}
END_TEST

START_TEST(test_boot_streams_through_the_ops)
{
	fixture *f = fixture_new();
	outcome entropy = { { 0 } };
	outcome log = { { 0 } };
	outcome o = { { 0 } };
	peer_stream *stream;

	run(f, 'p', LCOWMIG_GCS_ENTROPY_PORT, 0, NULL, &o);
	run(f, 'p', LCOWMIG_GCS_LOG_PORT, 0, NULL, &o);
	ck_assert_int_eq(run(f, 'e', 0, 0, NULL, &entropy), LCOWMIG_PENDING);
	ck_assert_int_eq(run(f, 'l', 0, 0, NULL, &log), LCOWMIG_PENDING);
	peer_dial(f->p, LCOWMIG_GCS_ENTROPY_PORT);
	peer_expect_done(&entropy.done, LCOWMIG_OK);
	ck_assert_mem_eq(f->p->sent, "seed", 4);
	f->p->sent_taken = f->p->sent_size;
	stream = peer_dial(f->p, LCOWMIG_GCS_LOG_PORT);
	fixture_connect(f);
	lcowmig_gcs_receive(f->p->gcs, stream, "hello", 5);
	ck_assert_str_eq(f->p->logged, "hello");
	lcowmig_gcs_receive_end(f->p->gcs, stream, LCOWMIG_E_HOST_FAILED);
	peer_expect_done(&log.done, LCOWMIG_OK);
	fixture_free(f);
}
END_TEST

START_TEST(test_notifications_go_to_the_attached_sandbox)
{
	lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	fixture *f = fixture_new();
	lcowmig_sandbox *sandbox = NULL;

	config.id = "sandbox";
	config.guest = &f->env.guest;
	ck_assert_msg(lcowmig_sandbox_new(f->p->context, &config, &sandbox, &error) == LCOWMIG_OK, "%s", error.message);
	fixture_connect(f);
	peer_notify(f->p, "c1"); /* which is no container of the sandbox's: logged, not fatal */
	ck_assert_int_eq(f->p->notifications, 0);
	ck_assert(lcowmig_gcs_is_connected(f->p->gcs));
	lcowmig_gcs_close(f->p->gcs);
	ck_assert_int_eq(lcowmig_gcs_free(f->p->gcs, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_OK);
	f->p->sent_taken = f->p->sent_size;
	fixture_connect(f);
	peer_notify(f->p, "c1");
	ck_assert_int_eq(f->p->notifications, 1);
	fixture_free(f);
}
END_TEST

/* ---- What another thread may do while a notification is handed over ---- */

static long json_made;
static long json_pause_at; /* the notification is being read, with no lock held: this is where another thread may come */
static lcowmig_sandbox *json_sandbox;
static lcowmig_status json_freed;
static lcowmig_error json_error = LCOWMIG_ERROR_INIT;

static void *json_allocate(size_t size)
{
	if (++json_made == json_pause_at)
		json_freed = lcowmig_sandbox_free(json_sandbox, &json_error);
	return malloc(size);
}

START_TEST(test_sandbox_is_not_freed_while_it_is_told_of_a_notification)
{
	static const char notification[] = "{\"ContainerId\":\"c1\"}";
	cJSON_Hooks hooks = { json_allocate, free };
	lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;
	fixture *f = fixture_new();
	lcowmig_sandbox *sandbox = NULL;
	long total;
	long own;

	config.id = "sandbox";
	config.guest = &f->env.guest;
	ck_assert_int_eq(lcowmig_sandbox_new(f->p->context, &config, &sandbox, NULL), LCOWMIG_OK);
	fixture_connect(f);
	cJSON_InitHooks(&hooks);
	json_made = json_pause_at = 0;
	ck_assert_int_eq(lcowmig_sandbox_guest_notification(sandbox, notification, strlen(notification), NULL), LCOWMIG_OK);
	own = json_made;
	json_made = 0;
	peer_send(f->p, LCOWMIG_GCS_NOTIFICATION, 0, notification);
	total = json_made;
	ck_assert_int_gt(total, own);
	json_made = 0;
	json_pause_at = total - own + 1;
	json_sandbox = sandbox;
	peer_send(f->p, LCOWMIG_GCS_NOTIFICATION, 0, notification);
	cJSON_InitHooks(NULL);
	ck_assert_int_eq(json_freed, LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_str_eq(json_error.message, "sandbox sandbox: the host has not completed 1 of its calls");
	ck_assert_int_eq(f->p->notifications, 0);
	lcowmig_gcs_close(f->p->gcs);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_OK);
	fixture_free(f);
}
END_TEST

/* What came while it was attached, and cannot be told for lack of memory, is logged; the connection goes on. */
START_TEST(test_notification_that_the_sandbox_cannot_read_is_logged)
{
	static const char notification[] = "{\"ContainerId\":\"c1\"}";
	lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;
	lcowmig_sandbox *sandbox = NULL;
	fixture *f = fixture_new();
	long n;

	config.id = "sandbox";
	config.guest = &f->env.guest;
	ck_assert_int_eq(lcowmig_sandbox_new(f->p->context, &config, &sandbox, NULL), LCOWMIG_OK);
	fixture_connect(f);
	for (n = 1; n == 1 || peer_fail_json(0) >= n - 1; n++) {
		peer_fail_json(n);
		peer_send(f->p, LCOWMIG_GCS_NOTIFICATION, 0, notification);
		ck_assert(lcowmig_gcs_is_connected(f->p->gcs));
	}
	lcowmig_gcs_close(f->p->gcs);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_OK);
	fixture_free(f);
}
END_TEST

/* The public functions know nothing of the calls that wait beside theirs. */
START_TEST(test_cancel_does_not_touch_the_waits_of_a_sandbox)
{
	fixture *f = fixture_new();
	outcome o = { { 0 } };

	fixture_connect(f);
	run(f, 'q', 0, LCOWMIG_GCS_WAIT_FOR_PROCESS, "{}", &o);
	ck_assert_int_eq(lcowmig_gcs_cancel(f->p->gcs, NULL, NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(o.done.calls, 0);
	peer_answer(f->p, LCOWMIG_GCS_WAIT_FOR_PROCESS, 1, PLAIN_ANSWER);
	peer_expect_done(&o.done, LCOWMIG_OK);
	outcome_clear(f, &o);
	fixture_free(f);
}
END_TEST

/* A whole life with the nth allocation failing: everything ends once, and a second try succeeds. */
START_TEST(test_any_allocation_may_fail_and_the_next_try_succeeds)
{
	static peer_frame frame;
	long made = 0;
	long n;

	/* Until one is not reached any more: a run that fails early makes fewer than one that does not. */
	for (n = 1; made >= n - 1; n++) {
		fixture *f = fixture_new();
		outcome o[4] = { { { 0 } } };
		int i;

		f->p->allocations_made = 0;
		f->p->fail_at = n;
		run(f, 'p', LCOWMIG_GCS_CONTROL_PORT, 0, NULL, &o[0]);
		run(f, 'a', 40, 0, NULL, &o[3]);
		run(f, 'c', 0, 0, NULL, &o[1]);
		if (peer_is_accepting(f->p, LCOWMIG_GCS_CONTROL_PORT))
			peer_dial(f->p, LCOWMIG_GCS_CONTROL_PORT);
		if (peer_take(f->p, &frame))
			peer_answer(f->p, frame.type, frame.id, NEGOTIATE_ANSWER);
		run(f, 'q', 0, LCOWMIG_GCS_START, "{}", &o[2]);
		if (peer_take(f->p, &frame))
			peer_answer(f->p, frame.type, frame.id, PLAIN_ANSWER);
		made = f->p->allocations_made;
		f->p->fail_at = 0;
		for (i = 0; i < 3; i++)
			ck_assert_int_eq(o[i].done.calls, 1);
		if (!lcowmig_gcs_is_connected(f->p->gcs))
			fixture_connect(f);
		lcowmig_gcs_close(f->p->gcs);
		ck_assert_int_eq(o[3].done.calls, 1);
		for (i = 0; i < 4; i++)
			outcome_clear(f, &o[i]);
		fixture_free(f);
	}
	ck_assert_int_gt(made, 40);
}
END_TEST

/* Calls and bridge are guarded by one lock, which is their context's. */
START_TEST(test_ops_refuse_the_calls_of_another_context)
{
	static const char operations[] = "pelcrqa";
	fixture *own = fixture_new();
	fixture *other = fixture_new();
	outcome o = { { 0 } };

	lcowmig_gcs_guest_ops(other->p->gcs, &own->env.guest);
	ck_assert_int_eq(run(own, operations[_i], 1, LCOWMIG_GCS_START, "{}", &o), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(o.done.message, "the guest bridge belongs to another context than the sandbox"));
	outcome_clear(own, &o);
	lcowmig_gcs_guest_ops(own->p->gcs, &own->env.guest);
	fixture_connect(own);
	fixture_connect(other);
	fixture_free(other);
	fixture_free(own);
}
END_TEST

/* The next one that waits for the port is served, as if nobody had been before it. */
START_TEST(test_streams_that_fail_leave_their_ports_usable)
{
	fixture *f = fixture_new();
	outcome o[2] = { { { 0 } } };
	int i;

	run(f, 'p', _i ? LCOWMIG_GCS_LOG_PORT : LCOWMIG_GCS_ENTROPY_PORT, 0, NULL, &o[0]);
	outcome_clear(f, &o[0]);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(run(f, _i ? 'l' : 'e', 0, 0, NULL, &o[i]), LCOWMIG_PENDING);
		if (i == 0)
			peer_fail_accept(f->p, _i ? LCOWMIG_GCS_LOG_PORT : LCOWMIG_GCS_ENTROPY_PORT, LCOWMIG_E_HOST_FAILED);
	}
	peer_expect_done(&o[0].done, LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(o[0].done.hresult, 0x80072745);
	ck_assert_int_eq(o[1].done.calls, 0);
	peer_dial(f->p, _i ? LCOWMIG_GCS_LOG_PORT : LCOWMIG_GCS_ENTROPY_PORT);
	ck_assert_int_eq(o[1].done.calls, !_i);
	outcome_clear(f, &o[0]);
	fixture_free(f);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, test_connect_attaches_the_capabilities_each_time);
	tcase_add_test(tests, test_rpc_tells_its_id_and_attaches_the_answer);
	tcase_add_test(tests, test_rpc_without_a_connection_is_unavailable);
	tcase_add_test(tests, test_call_that_its_flow_gave_up_is_completed_once_and_quietly);
	tcase_add_test(tests, test_adopt_of_an_outstanding_id_gives_both_the_answer);
	tcase_add_test(tests, test_migration_through_the_ops);
	tcase_add_test(tests, test_boot_streams_through_the_ops);
	tcase_add_test(tests, test_notifications_go_to_the_attached_sandbox);
	tcase_add_test(tests, test_any_allocation_may_fail_and_the_next_try_succeeds);
	tcase_add_test(tests, test_sandbox_is_not_freed_while_it_is_told_of_a_notification);
	tcase_add_test(tests, test_notification_that_the_sandbox_cannot_read_is_logged);
	tcase_add_test(tests, test_cancel_does_not_touch_the_waits_of_a_sandbox);
	tcase_add_loop_test(tests, test_ops_refuse_the_calls_of_another_context, 0, 7);
	tcase_add_loop_test(tests, test_streams_that_fail_leave_their_ports_usable, 0, 2);
}

SUITE_RUN("gcs_guest_ops", add_tests)
