/* The sandbox: its life, its maps, what it passes on, and which calls it lets through. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "sandbox/sandbox.h"

#define DOCUMENT                                                                                                                           \
	"{\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{\"KernelCmdLine\":\"-- /bin/vsockexec -r -e 109 "                        \
	"/bin/gcs\"}},\"Devices\":"                                                                                                        \
	"{\"Scsi\":{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\",\"Path\":\"C:\\\\r.vhd\","  \
	"\"ReadOnly\":true}}}}}}}"
#define SESSION "3f9b6e1c-9f55-4d6d-8b3b-2a9f4f0d6c77"

static test_host *host;
static lcowmig_sandbox *sandbox;
static lcowmig_vm *vm;

static void setup(void)
{
	host = test_host_new();
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, NULL), LCOWMIG_OK);
	vm = lcowmig_sandbox_vm(sandbox);
}

static void exits(void)
{
	ck_assert_int_eq(
		lcowmig_sandbox_hcs_event(sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, "{\"Status\":0,\"ExitType\":\"GracefulExit\"}", NULL),
		LCOWMIG_OK);
}

static void terminate(void)
{
	test_done done = { 0 };

	if (lcowmig_vm_terminate(vm, test_on_done, &done, NULL) == LCOWMIG_PENDING) {
		exits();
		ck_assert_int_eq(done.calls, 1);
	}
}

static void teardown(void)
{
	test_done done = { 0 };

	test_host_fail_allocation(host, 0, false);
	if (sandbox) {
		terminate();
		if (lcowmig_migration_session_id(lcowmig_sandbox_migration(sandbox))[0])
			lcowmig_migration_abandon(lcowmig_sandbox_migration(sandbox), SESSION, test_on_done, &done, NULL);
		test_host_advance(host, UINT64_C(120000000000));
		ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_OK);
	}
	test_host_free(host);
}

static void make_created(void)
{
	ck_assert_int_eq(lcowmig_vm_create(vm, DOCUMENT, strlen(DOCUMENT), NULL, test_on_done, NULL, NULL), LCOWMIG_OK);
}

static void make_running(void)
{
	make_created();
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
}

static lcowmig__wire_process processes[4];
static lcowmig__wire_container containers[4];

/* A pod with a sandbox container of its name and a workload container "<name>-w". */
static lcowmig__wire_pod wire_pod(const char *id, const char *workload, const char *guest_workload)
{
	size_t i = strcmp(id, "p1") == 0 ? 0 : 2;
	lcowmig__wire_pod wire = { 0 };

	processes[i] = (lcowmig__wire_process){ .exec_id = "", .pid = (int32_t)(101 + i), .bundle = "", .wait_call_id = (int64_t)(5 + i) };
	processes[i + 1] =
		(lcowmig__wire_process){ .exec_id = "", .pid = (int32_t)(102 + i), .bundle = "", .wait_call_id = (int64_t)(6 + i) };
	containers[i] = (lcowmig__wire_container){
		.container_id = id, .gcs_container_id = id, .rootfs_path = "", .processes = &processes[i], .n_processes = 1
	};
	containers[i + 1] = (lcowmig__wire_container){ .container_id = workload,
						       .gcs_container_id = guest_workload,
						       .rootfs_path = "",
						       .processes = &processes[i + 1],
						       .n_processes = 1 };
	wire.pod_id = id;
	wire.gcs_pod_id = id;
	wire.has_network = true;
	wire.network.namespace_id = "ns-source";
	wire.containers = &containers[i];
	wire.n_containers = 2;
	return wire;
}

static lcowmig_status add_pod(const lcowmig__wire_pod *wire)
{
	lcowmig_pod *pod = NULL;
	lcowmig_status status;

	test_enter(host);
	status = lcowmig__pod_import(&sandbox->env, lcowmig__vm_for_containers(vm), wire, &pod, NULL);
	if (status == LCOWMIG_OK)
		status = lcowmig__sandbox_add_pod(sandbox, pod, NULL);
	if (status != LCOWMIG_OK)
		lcowmig__pod_free(pod);
	test_leave(host);
	return status;
}

static void import_vm(void)
{
	lcowmig__wire_vm wire = { 0 };

	wire.vm_id = "source@vm";
	wire.architecture = "amd64";
	wire.compat_info.data = (const uint8_t *)"compat";
	wire.compat_info.size = 6;
	wire.hcs_document.data = (const uint8_t *)DOCUMENT;
	wire.hcs_document.size = strlen(DOCUMENT);
	test_enter(host);
	ck_assert_int_eq(lcowmig__vm_import(vm, &wire, NULL), LCOWMIG_OK);
	test_leave(host);
}

/* Pods p1 and p2, imported and not resumed. */
static void make_imported(void)
{
	lcowmig__wire_pod p1 = wire_pod("p1", "p1-w", "p1-w");
	lcowmig__wire_pod p2 = wire_pod("p2", "p2-w", "p2-w");

	import_vm();
	ck_assert_int_eq(add_pod(&p1), LCOWMIG_OK);
	ck_assert_int_eq(add_pod(&p2), LCOWMIG_OK);
}

static lcowmig_status patch(const char *source, const char *id, lcowmig_error *error)
{
	lcowmig_patch request = { .size = sizeof request, .source_container_id = source, .container_id = id, .bundle = "b" };

	request.namespace_id = "ns-here";
	return test_run(host, lcowmig__sandbox_patch_flow(sandbox, &request, NULL), NULL, error);
}

static lcowmig_status find(const char *id, lcowmig_pod **ret_pod)
{
	lcowmig_container *container = NULL;
	lcowmig_status status = lcowmig_sandbox_find_container(sandbox, id, &container, ret_pod, NULL);

	if (status == LCOWMIG_OK)
		ck_assert_str_eq(lcowmig_container_id(container), id);
	return status;
}

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

/* ---- Pods, containers, the index ---- */

START_TEST(test_sandbox_makes_pods_while_running_and_finds_them)
{
	lcowmig_pod *b = NULL, *a = NULL, *found = NULL;
	lcowmig_pod *list[2];

	ck_assert_int_eq(lcowmig_pod_new(sandbox, "a", "ns", &a, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	make_running();
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "b", "ns", &b, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "a", "ns", &a, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "a", "ns", &found, NULL), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "", "ns", &found, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "\xff", "ns", &found, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox, "b", &found, NULL), LCOWMIG_OK);
	ck_assert_ptr_eq(found, b);
	ck_assert_uint_eq(lcowmig_sandbox_list_pods(sandbox, list, 2), 2);
	ck_assert(list[0] == a && list[1] == b);
	ck_assert_int_eq(lcowmig_pod_delete(b, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox, "b", &found, NULL), LCOWMIG_E_NOT_FOUND);
}
END_TEST

START_TEST(test_sandbox_keeps_container_ids_unique_over_all_pods)
{
	lcowmig_container *container = NULL;
	lcowmig_pod *a, *b, *found;

	make_running();
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "a", "ns", &a, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "b", "ns", &b, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new_container(a, "c", &container, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new_container(b, "c", &container, NULL), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_uint_eq(lcowmig_pod_list_containers(b, NULL, 0), 0);
	ck_assert_int_eq(find("c", &found), LCOWMIG_OK);
	ck_assert_ptr_eq(found, a);
	ck_assert_int_eq(lcowmig_pod_delete(a, NULL), LCOWMIG_E_FAILED_PRECONDITION); /* it has a container */
	ck_assert_int_eq(lcowmig_pod_delete_container(a, "x", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_pod_delete_container(a, "c", NULL), LCOWMIG_OK);
	ck_assert_int_eq(find("c", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_pod_new_container(b, "c", &container, NULL), LCOWMIG_OK);
}
END_TEST

START_TEST(test_sandbox_registers_nothing_when_memory_is_out)
{
	lcowmig_container *container = NULL;
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	lcowmig_scsi *scsi;
	lcowmig_pod *pod = NULL;
	unsigned nth;

	make_running();
	ck_assert_int_eq(lcowmig_vm_scsi(vm, &scsi, NULL), LCOWMIG_OK);
	for (nth = 1; status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = lcowmig_pod_new(sandbox, "a", "ns", &pod, NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert_uint_eq(lcowmig_sandbox_list_pods(sandbox, NULL, 0), status == LCOWMIG_OK);
	}
	for (nth = 1, status = LCOWMIG_E_NO_MEMORY; status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = lcowmig_pod_new_container(pod, "c", &container, NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert_uint_eq(lcowmig_pod_list_containers(pod, NULL, 0), status == LCOWMIG_OK);
		ck_assert_int_eq(find("c", NULL), status == LCOWMIG_OK ? LCOWMIG_OK : LCOWMIG_E_NOT_FOUND);
	}
}
END_TEST

START_TEST(test_sandbox_deletes_a_pod_once_its_network_is_down)
{
	lcowmig_pod *pod;

	make_running();
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "a", "ns", &pod, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_setup_network(pod, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_delete(pod, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	if (_i == 0)
		ck_assert_int_eq(lcowmig_pod_teardown_network(pod, test_on_done, NULL, NULL), LCOWMIG_OK);
	else
		terminate(); /* then there is nothing left to tear down */
	ck_assert_int_eq(lcowmig_pod_delete(pod, NULL), LCOWMIG_OK);
}
END_TEST

/* */
START_TEST(test_sandbox_adds_an_imported_pod_whole_or_not_at_all)
{
	lcowmig__wire_pod wire;
	lcowmig_pod *pod;

	make_imported();
	wire = wire_pod("p1", "x", "x"); /* the pod is there */
	ck_assert_int_eq(add_pod(&wire), LCOWMIG_E_ALREADY_EXISTS);
	wire = wire_pod("p3", "p1-w", "p3-w"); /* its second container is there */
	ck_assert_int_eq(add_pod(&wire), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(find("p3", NULL), LCOWMIG_E_NOT_FOUND);
	wire = wire_pod("p3", "p3-w", "p1-w"); /* the guest has one of that id */
	ck_assert_int_eq(add_pod(&wire), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(find("p3", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(find("p3-w", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(find("p1-w", &pod), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "p1");
	test_enter(host);
	lcowmig__sandbox_remove_pod(sandbox, pod);
	test_leave(host);
	ck_assert_int_eq(find("p1-w", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(find("p2-w", NULL), LCOWMIG_OK);
}
END_TEST

/* */
START_TEST(test_sandbox_patch_rekeys_pod_and_containers)
{
	lcowmig_pod *pod = NULL;

	make_imported();
	ck_assert_int_eq(patch("p1", "n1", NULL), LCOWMIG_OK); /* the sandbox container: the pod gets its id */
	ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox, "p1", &pod, NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox, "n1", &pod, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "n1");
	ck_assert_int_eq(find("p1", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(find("n1", &pod), LCOWMIG_OK);
	ck_assert_int_eq(find("p1-w", &pod), LCOWMIG_OK); /* its other container goes with it */
	ck_assert_str_eq(lcowmig_pod_id(pod), "n1");
	ck_assert_int_eq(patch("p1-w", "w1", NULL), LCOWMIG_OK);
	ck_assert_int_eq(find("w1", &pod), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "n1");
	ck_assert_int_eq(patch("n1", "n1", NULL), LCOWMIG_OK); /* again, under the name it has now */
	ck_assert_int_eq(find("n1", NULL), LCOWMIG_OK);
}
END_TEST

/* */
START_TEST(test_sandbox_patch_refuses_ids_that_are_taken_anywhere)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_pod *pod;

	make_imported();
	ck_assert_int_eq(patch("nobody", "x", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(patch("p1-w", "p2-w", &error), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_ptr_nonnull(strstr(error.message, "pod p2"));
	ck_assert_int_eq(patch("p1", "p2", NULL), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(find("p1", &pod), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "p1");
	ck_assert_int_eq(find("p1-w", NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "stdio.open"), test_host_count(host, "stdio.close"));
}
END_TEST

/* A pod may come without a sandbox container of its name; another pod cannot take that name all the same. */
START_TEST(test_sandbox_patch_refuses_the_id_of_a_pod_without_sandbox_container)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__wire_pod first, second;
	lcowmig_pod *pod;

	import_vm();
	first = wire_pod("p1", "p1-w", "p1-w");
	second = wire_pod("p2", "p2-w", "p2-w");
	second.containers++;
	second.n_containers = 1;
	ck_assert_int_eq(add_pod(&first), LCOWMIG_OK);
	ck_assert_int_eq(add_pod(&second), LCOWMIG_OK);
	ck_assert_int_eq(patch("p1", "p2", &error), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_ptr_nonnull(strstr(error.message, "pod p1 cannot become p2, which is another pod"));
	ck_assert_int_eq(find("p1", &pod), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "p1");
	ck_assert_int_eq(patch("p1-w", "p2", NULL), LCOWMIG_OK); /* no pod changes its name with that one */
}
END_TEST

START_TEST(test_sandbox_patch_is_all_or_nothing_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	lcowmig_pod *pod;
	unsigned nth;

	make_imported();
	for (nth = 1; status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = patch("p1", "n1", NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
		ck_assert_int_eq(find(status == LCOWMIG_OK ? "n1" : "p1", &pod), LCOWMIG_OK);
		ck_assert_str_eq(lcowmig_pod_id(pod), status == LCOWMIG_OK ? "n1" : "p1");
		ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox, lcowmig_pod_id(pod), &pod, NULL), LCOWMIG_OK);
	}
}
END_TEST

/* A container may not take a name that the guest gives to another one. */
START_TEST(test_sandbox_refuses_a_new_container_under_a_guests_id)
{
	lcowmig_container *container = NULL;
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_imported();
	ck_assert_int_eq(patch("p1-w", "w1", NULL), LCOWMIG_OK);
	test_enter(host);
	ck_assert_int_eq(lcowmig__sandbox_check_new_id(sandbox, "p1-w", &error), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(lcowmig__sandbox_check_new_id(sandbox, "fresh", NULL), LCOWMIG_OK);
	test_leave(host);
	ck_assert_ptr_nonnull(strstr(error.message, "the guest knows container w1 as p1-w"));
	ck_assert_ptr_null(container);
}
END_TEST

/* ---- Events ---- */

START_TEST(test_sandbox_passes_hcs_events_on)
{
	lcowmig_vm_exit status = { .size = sizeof status };

	ck_assert_int_eq(lcowmig_sandbox_hcs_event(NULL, 1, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	make_running();
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(sandbox, 0x2, "{}", NULL), LCOWMIG_OK); /* a crash has begun: of no use */
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(sandbox, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION, "{broken", NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_get_state(vm), LCOWMIG_VM_RUNNING);
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(sandbox, LCOWMIG_HCS_EVENT_SERVICE_DISCONNECT, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_get_state(vm), LCOWMIG_VM_TERMINATED);
	ck_assert_int_eq(lcowmig_vm_exit_status(vm, &status, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(status.hresult, 0xC0370106);
	ck_assert_uint_eq(status.unexpected, 1);
}
END_TEST

static lcowmig_status notify(const char *json)
{
	return lcowmig_sandbox_guest_notification(sandbox, json, strlen(json), NULL);
}

/* late and unknown messages are never fatal. */
START_TEST(test_sandbox_takes_guest_notifications_by_the_guests_id)
{
	make_imported();
	ck_assert_int_eq(patch("p1-w", "w1", NULL), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(notify("{\"ContainerId\":\"p1-w\",\"Type\":\"ForcedExit\"}"), LCOWMIG_OK);
	ck_assert_int_eq(notify("{\"ContainerId\":\"w1\"}"), LCOWMIG_OK);
	ck_assert_int_eq(notify("{}"), LCOWMIG_OK);
	ck_assert_int_eq(notify("{\"ContainerId\":"), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(lcowmig_sandbox_guest_notification(sandbox, NULL, 0, NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* whatever ends the machine ends what was imported into it. */
START_TEST(test_sandbox_stops_imported_containers_when_its_machine_ends)
{
	lcowmig_container *container;
	lcowmig_exit exit = { .size = sizeof exit };
	lcowmig_pod *pod;

	make_imported();
	ck_assert_int_eq(patch("p1", "n1", NULL), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "event exit"), 4);
	ck_assert_int_eq(test_host_count(host, "event exit n1 '' 101 137"), 1);
	ck_assert_int_eq(lcowmig_sandbox_find_container(sandbox, "p2-w", &container, &pod, NULL), LCOWMIG_OK);
	ck_assert(!lcowmig_pod_is_migrating(pod));
	ck_assert_int_eq(lcowmig_pod_delete_container(pod, "p2-w", NULL), LCOWMIG_E_FAILED_PRECONDITION); /* its init process first */
	ck_assert_int_eq(lcowmig_container_delete(container, NULL, &exit, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(exit.exit_status, 137);
	ck_assert_int_eq(lcowmig_pod_delete_container(pod, "p2-w", NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_find_container(sandbox, "p2", &container, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_delete(container, NULL, &exit, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_delete_container(pod, "p2", NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_teardown_network(pod, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_delete(pod, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "guest.rpc"), 0);
	ck_assert_int_eq(test_host_count(host, "hcs.modify"), 0);
}
END_TEST

static TCase *case_new(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_life_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "life and calls");

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
}

static void add_content_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "pods, containers, events");

	tcase_add_test(tcase, test_sandbox_makes_pods_while_running_and_finds_them);
	tcase_add_test(tcase, test_sandbox_keeps_container_ids_unique_over_all_pods);
	tcase_add_test(tcase, test_sandbox_registers_nothing_when_memory_is_out);
	tcase_add_loop_test(tcase, test_sandbox_deletes_a_pod_once_its_network_is_down, 0, 2);
	tcase_add_test(tcase, test_sandbox_adds_an_imported_pod_whole_or_not_at_all);
	tcase_add_test(tcase, test_sandbox_patch_rekeys_pod_and_containers);
	tcase_add_test(tcase, test_sandbox_patch_refuses_ids_that_are_taken_anywhere);
	tcase_add_test(tcase, test_sandbox_patch_refuses_the_id_of_a_pod_without_sandbox_container);
	tcase_add_test(tcase, test_sandbox_patch_is_all_or_nothing_when_memory_is_out);
	tcase_add_test(tcase, test_sandbox_refuses_a_new_container_under_a_guests_id);
	tcase_add_test(tcase, test_sandbox_passes_hcs_events_on);
	tcase_add_test(tcase, test_sandbox_takes_guest_notifications_by_the_guests_id);
	tcase_add_test(tcase, test_sandbox_stops_imported_containers_when_its_machine_ends);
}

int main(void)
{
	Suite *suite = suite_create("sandbox");
	SRunner *runner;
	int failed;

	add_life_tests(suite);
	add_content_tests(suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
