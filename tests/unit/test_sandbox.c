/* The sandbox: its life, and which calls it lets through. */
#include "sandbox_fixture.h"

/* ---- Life ---- */

START_TEST(test_sandbox_is_made_of_the_hosts_callbacks_and_freed)
{
	test_host_expect_log(host, "guest.attach\n");
	ck_assert_str_eq(lcowmig_sandbox_id(sandbox), "test");
	ck_assert_ptr_nonnull(vm);
	ck_assert_ptr_nonnull(lcowmig_sandbox_migration(sandbox));
	ck_assert_uint_eq(lcowmig_sandbox_list_pods(sandbox, NULL, 0), 0);
	ck_assert_int_eq(lcowmig_context_free(host->context), LCOWMIG_E_FAILED_PRECONDITION); /* it has a dependent */
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_OK);
	test_host_expect_log(host, "guest.detach\n");
	ck_assert_int_eq(lcowmig_sandbox_free(NULL, NULL), LCOWMIG_OK);
	sandbox = NULL;
}
END_TEST

START_TEST(test_sandbox_new_judges_every_struct_by_its_size)
{
	lcowmig_sandbox_config config = host->config;
	lcowmig_sandbox *other = NULL;
	struct {
		lcowmig_event_ops ops;
		void *more;
	} longer = { { sizeof longer, NULL, NULL }, NULL };
	lcowmig_stdio_ops stdio = *host->config.stdio;

	config.size = sizeof config - 1;
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &config, &other, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	config = host->config;
	stdio.size = sizeof stdio - sizeof(void *);
	config.stdio = &stdio;
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &config, &other, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	config = host->config;
	config.guest = NULL;
	config.events = &longer.ops;
	longer.more = &longer;
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &config, &other, NULL), LCOWMIG_E_NOT_SUPPORTED);
	longer.more = NULL;
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &config, &other, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_free(other, NULL), LCOWMIG_OK);
	config.id = "";
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &config, &other, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, NULL, &other, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_sandbox_new(NULL, &config, &other, NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

START_TEST(test_sandbox_new_leaves_nothing_when_memory_is_out)
{
	lcowmig_sandbox_config config = host->config;
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	lcowmig_sandbox *other = NULL;
	unsigned nth;

	config.guest = NULL;
	for (nth = 1; status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = lcowmig_sandbox_new(host->context, &config, &other, NULL);
		ck_assert(status == LCOWMIG_OK || (status == LCOWMIG_E_NO_MEMORY && !other));
	}
	test_host_fail_allocation(host, 0, false);
	ck_assert_int_eq(lcowmig_sandbox_free(other, NULL), LCOWMIG_OK);
}
END_TEST

START_TEST(test_sandbox_free_is_refused_while_anything_lives)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	test_done done = { 0 };

	make_running();
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "Running"));
	test_host_hold(host, "hcs.close", true);
	exits();
	ck_assert_int_eq(lcowmig_vm_get_state(vm), LCOWMIG_VM_TERMINATED);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_E_FAILED_PRECONDITION); /* its handle is still being closed */
	test_host_hold(host, "hcs.close", false);
	test_host_complete(host, "hcs.close", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 0);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_OK);
	sandbox = NULL;
}
END_TEST

/* A call that the library gave up refers to the host's callbacks all the same. */
START_TEST(test_sandbox_free_waits_for_calls_that_were_given_up)
{
	test_done done = { 0 };

	test_host_hold(host, "hcs.create", true);
	ck_assert_int_eq(lcowmig_vm_create(vm, DOCUMENT, strlen(DOCUMENT), NULL, test_on_done, &done, NULL), LCOWMIG_PENDING);
	lcowmig_context_cancel(host->context, test_on_done, &done);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_complete(host, "hcs.create", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_OK);
	sandbox = NULL;
}
END_TEST

static int attached;

/* While the sandbox is detached, a thread that had seen it attached is still telling it something. */
static void attach_while_busy(void *user, lcowmig_sandbox *self)
{
	static test_done done;

	(void)user;
	attached += self ? 1 : -1;
	if (!self && attached == 0 && vm) {
		test_host_hold(host, "hcs.create", true);
		ck_assert_int_eq(lcowmig_vm_create(vm, DOCUMENT, strlen(DOCUMENT), NULL, test_on_done, &done, NULL), LCOWMIG_PENDING);
	}
}

START_TEST(test_sandbox_free_is_refused_when_something_begins_while_it_is_detached)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_guest_ops guest = *host->config.guest;

	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_OK);
	attached = 0;
	guest.attach = attach_while_busy;
	host->config.guest = &guest;
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, NULL), LCOWMIG_OK);
	vm = lcowmig_sandbox_vm(sandbox);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(attached, 1); /* it goes on being told */
	ck_assert_ptr_nonnull(strstr(error.message, "create"));
	test_host_complete(host, "hcs.create", LCOWMIG_E_HOST_FAILED, 0x80070005, NULL);
	vm = NULL; /* nothing begins the next time */
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_OK);
	ck_assert_int_eq(attached, 0);
	sandbox = NULL;
}
END_TEST

START_TEST(test_sandbox_free_takes_imported_pods_along)
{
	make_imported();
	ck_assert_int_eq(patch("p1", "n1", NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "stdio.open"), test_host_count(host, "stdio.close"));
	sandbox = NULL;
}
END_TEST

/* SVC-20 */
START_TEST(test_sandbox_creates_its_machine_once_under_its_own_name)
{
	test_host_fail(host, "hcs.create", 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "no");
	ck_assert_int_eq(lcowmig_vm_create(vm, DOCUMENT, strlen(DOCUMENT), NULL, test_on_done, NULL, NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(lcowmig_vm_id(vm), "");
	ck_assert_int_eq(lcowmig_vm_create(vm, NULL, 0, NULL, test_on_done, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	make_created();
	ck_assert_str_eq(lcowmig_vm_id(vm), "test@vm");
	ck_assert_int_eq(lcowmig_vm_create(vm, DOCUMENT, strlen(DOCUMENT), NULL, test_on_done, NULL, NULL), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

START_TEST(test_sandbox_without_an_id_creates_no_machine)
{
	lcowmig_sandbox_config config = host->config;
	lcowmig_sandbox *other = NULL;

	config.id = NULL;
	config.guest = NULL;
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &config, &other, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_sandbox_id(other), "");
	ck_assert_int_eq(lcowmig_vm_create(lcowmig_sandbox_vm(other), DOCUMENT, strlen(DOCUMENT), NULL, test_on_done, NULL, NULL),
			 LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_sandbox_free(other, NULL), LCOWMIG_OK);
}
END_TEST

/* ---- Calls ---- */

static const lcowmig_task_call needs_running[] = {
	LCOWMIG_TASK_CREATE,     LCOWMIG_TASK_START,    LCOWMIG_TASK_PIDS,   LCOWMIG_TASK_EXEC,
	LCOWMIG_TASK_RESIZE_PTY, LCOWMIG_TASK_CLOSE_IO, LCOWMIG_TASK_UPDATE, LCOWMIG_TASK_STATS
};

static const lcowmig_task_call needs_idle[] = { LCOWMIG_TASK_STATE, LCOWMIG_TASK_DELETE, LCOWMIG_TASK_KILL };
static const lcowmig_task_call always[] = { LCOWMIG_TASK_WAIT, LCOWMIG_TASK_CONNECT, LCOWMIG_TASK_SHUTDOWN };

static void expect_tasks(const lcowmig_task_call *calls, size_t count, lcowmig_status expected)
{
	size_t i;

	for (i = 0; i < count; i++)
		ck_assert_msg(lcowmig_sandbox_check_task(sandbox, calls[i], NULL) == expected, "task call %d in %s", (int)calls[i],
			      lcowmig_vm_state_name(lcowmig_vm_get_state(vm)));
}

/* SVC-01, SVC-03 */
START_TEST(test_sandbox_lets_task_calls_through_by_the_state_of_its_machine)
{
	expect_tasks(needs_running, LCOWMIG__COUNT(needs_running), LCOWMIG_E_FAILED_PRECONDITION);
	expect_tasks(needs_idle, LCOWMIG__COUNT(needs_idle), LCOWMIG_OK);
	expect_tasks(always, LCOWMIG__COUNT(always), LCOWMIG_OK);
	make_running();
	expect_tasks(needs_running, LCOWMIG__COUNT(needs_running), LCOWMIG_OK);
	terminate();
	expect_tasks(needs_running, LCOWMIG__COUNT(needs_running), LCOWMIG_E_FAILED_PRECONDITION);
	expect_tasks(needs_idle, LCOWMIG__COUNT(needs_idle), LCOWMIG_OK);
}
END_TEST

/* SVC-31: the create that patches. */
START_TEST(test_sandbox_lets_creates_through_once_imported)
{
	import_vm();
	ck_assert_int_eq(lcowmig_sandbox_check_task(sandbox, LCOWMIG_TASK_CREATE, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_check_task(sandbox, LCOWMIG_TASK_START, NULL), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* SVC-04, SVC-05, SVC-27 */
START_TEST(test_sandbox_offers_no_pause_resume_checkpoint_and_ping)
{
	make_running();
	ck_assert_int_eq(lcowmig_sandbox_check_task(sandbox, LCOWMIG_TASK_PAUSE, NULL), LCOWMIG_E_NOT_SUPPORTED);
	ck_assert_int_eq(lcowmig_sandbox_check_task(sandbox, LCOWMIG_TASK_RESUME, NULL), LCOWMIG_E_NOT_SUPPORTED);
	ck_assert_int_eq(lcowmig_sandbox_check_task(sandbox, LCOWMIG_TASK_CHECKPOINT, NULL), LCOWMIG_E_NOT_SUPPORTED);
	ck_assert_int_eq(lcowmig_sandbox_check_task(sandbox, LCOWMIG_TASK_SHUTDOWN, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_PING, "test", NULL), LCOWMIG_E_NOT_SUPPORTED);
	ck_assert_int_eq(lcowmig_sandbox_check_task(sandbox, (lcowmig_task_call)0, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_sandbox_check_task(sandbox, (lcowmig_task_call)99, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, (lcowmig_sandbox_call)99, "test", NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* SVC-32 */
START_TEST(test_sandbox_refuses_state_delete_and_kill_while_a_session_lives)
{
	lcowmig_migration *migration = lcowmig_sandbox_migration(sandbox);
	lcowmig_pod *pod = NULL;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_pod *other;

	make_running();
	ck_assert_int_eq(lcowmig_migration_prepare_source(migration, SESSION, NULL, test_on_done, NULL, &error), LCOWMIG_OK);
	expect_tasks(needs_idle, LCOWMIG__COUNT(needs_idle), LCOWMIG_E_FAILED_PRECONDITION);
	expect_tasks(needs_running, LCOWMIG__COUNT(needs_running), LCOWMIG_E_FAILED_PRECONDITION);
	expect_tasks(always, LCOWMIG__COUNT(always), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "p1", "ns", &pod, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_migration_abandon(migration, SESSION, test_on_done, NULL, NULL), LCOWMIG_OK);
	expect_tasks(needs_idle, LCOWMIG__COUNT(needs_idle), LCOWMIG_OK);
	expect_tasks(needs_running, LCOWMIG__COUNT(needs_running), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "p1", NULL, &other, NULL), LCOWMIG_OK);
}
END_TEST

/* SVC-02 */
START_TEST(test_sandbox_does_not_find_what_is_not_registered)
{
	lcowmig_pod *pod;

	make_running();
	ck_assert_int_eq(find("c1", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox, "p1", &pod, NULL), LCOWMIG_E_NOT_FOUND);
}
END_TEST

/* SVC-21, SVC-22, SVC-23, SVC-24, SVC-28, SVC-29, SVC-30 */
START_TEST(test_sandbox_lets_sandbox_calls_through_for_its_own_id)
{
	int call;

	for (call = LCOWMIG_SANDBOX_CREATE; call <= LCOWMIG_SANDBOX_METRICS; call++) {
		ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, (lcowmig_sandbox_call)call, "other", NULL),
				 LCOWMIG_E_INVALID_ARGUMENT);
		ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, (lcowmig_sandbox_call)call, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	}
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_CREATE, "test", NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_START, "test", NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_PLATFORM, "test", NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_STOP, "test", NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_METRICS, "test", NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_DIAG_EXEC_IN_HOST, NULL, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_DIAG_PID, NULL, NULL), LCOWMIG_OK);
	make_running();
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_CREATE, "test", NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_START, "test", NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_PLATFORM, "test", NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_METRICS, "test", NULL), LCOWMIG_OK);
	for (call = LCOWMIG_SANDBOX_DIAG_EXEC_IN_HOST; call <= LCOWMIG_SANDBOX_DIAG_PID; call++)
		ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, (lcowmig_sandbox_call)call, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_check_call(sandbox, LCOWMIG_SANDBOX_DIAG_TASKS, "other", NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* SVC-25, SVC-26 */
START_TEST(test_sandbox_tells_its_status)
{
	lcowmig_sandbox_status status = { .size = sizeof status };

	ck_assert_int_eq(lcowmig_sandbox_get_status(sandbox, &status, NULL), LCOWMIG_OK);
	ck_assert(!status.ready && !status.created_at && !status.exited_at);
	make_running();
	ck_assert_int_eq(lcowmig_sandbox_get_status(sandbox, &status, NULL), LCOWMIG_OK);
	ck_assert(status.ready && status.created_at == lcowmig_vm_start_time(vm) && !status.exited_at);
	exits();
	ck_assert_int_eq(lcowmig_sandbox_get_status(sandbox, &status, NULL), LCOWMIG_OK);
	ck_assert(!status.ready && status.created_at && status.exited_at);
	status.size = 3;
	ck_assert_int_eq(lcowmig_sandbox_get_status(sandbox, &status, NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tcase = tcase_create("sandbox");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_sandbox_is_made_of_the_hosts_callbacks_and_freed);
	tcase_add_test(tcase, test_sandbox_new_judges_every_struct_by_its_size);
	tcase_add_test(tcase, test_sandbox_new_leaves_nothing_when_memory_is_out);
	tcase_add_test(tcase, test_sandbox_free_is_refused_while_anything_lives);
	tcase_add_test(tcase, test_sandbox_free_waits_for_calls_that_were_given_up);
	tcase_add_test(tcase, test_sandbox_free_is_refused_when_something_begins_while_it_is_detached);
	tcase_add_test(tcase, test_sandbox_free_takes_imported_pods_along);
	tcase_add_test(tcase, test_sandbox_creates_its_machine_once_under_its_own_name);
	tcase_add_test(tcase, test_sandbox_without_an_id_creates_no_machine);
	tcase_add_test(tcase, test_sandbox_lets_task_calls_through_by_the_state_of_its_machine);
	tcase_add_test(tcase, test_sandbox_lets_creates_through_once_imported);
	tcase_add_test(tcase, test_sandbox_offers_no_pause_resume_checkpoint_and_ping);
	tcase_add_test(tcase, test_sandbox_refuses_state_delete_and_kill_while_a_session_lives);
	tcase_add_test(tcase, test_sandbox_does_not_find_what_is_not_registered);
	tcase_add_test(tcase, test_sandbox_lets_sandbox_calls_through_for_its_own_id);
	tcase_add_test(tcase, test_sandbox_tells_its_status);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
