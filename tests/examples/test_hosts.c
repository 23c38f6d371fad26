/* Two mock hosts in one program: what the examples do not show when all goes well. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

#define NAMESPACE "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10"
#define MACHINE(devices)                                                                                                                   \
	"{\"Owner\":\"t\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"            \
	"\"KernelFilePath\":\"vmlinux\",\"KernelCmdLine\":\"quiet -- -e 1 /bin/vsockexec -r -e 109 /bin/gcs\"}},"                          \
	"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":16},\"Processor\":{\"Count\":1}},\"Devices\":{\"Scsi\":{"                           \
	"\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\",\"Path\":\"root.vhd\"}}}}" devices     \
	"}}}"

static const char specification[] =
	"{\"ociVersion\":\"1.1.0\",\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"/bin/counter\",\"--every-ms\",\"5\"],\"cwd\":\"/"
	"\"},"
	"\"root\":{\"path\":\"rootfs\"},\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]},"
	"\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\",\"io.kubernetes.cri.sandbox-id\":\"c\"},"
	"\"windows\":{\"network\":{\"networkNamespace\":\"" NAMESPACE "\"}}}";

struct end {
	bool is_over;
	lcowmig_status status;
	lcowmig_error error;
};

static mock_loop *loop;
static mock_host *a, *b;
static lcowmig_migration *out, *in;
static lcowmig_container *container;
static lcowmig_phase_state last_state; /* of the latest notification of a failure on A */

static void done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	struct end *end = user;

	end->status = status;
	end->error = *error;
	end->is_over = true;
}

static lcowmig_status finish(lcowmig_status status, struct end *end)
{
	if (status != LCOWMIG_PENDING)
		return status;
	ck_assert(mock_loop_run(loop, &end->is_over, 30 * MOCK_SECOND));
	return end->status;
}

#define CALL(status, function, ...)                                                                                                        \
	do {                                                                                                                               \
		struct end end = { .error = LCOWMIG_ERROR_INIT };                                                                          \
		lcowmig_status got = finish(function(__VA_ARGS__, done, &end, &end.error), &end);                                          \
		ck_assert_msg(got == (status), "%s: %s, %s", #function, lcowmig_status_name(got), end.error.message);                      \
	} while (0)

static mock_host *make_host(const char *name, const char *sandbox_id, uint64_t bandwidth)
{
	mock_host_config config = { .name = name, .sandbox_id = sandbox_id, .fill_percent = 50, .bandwidth = bandwidth, .quiet = true };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	mock_host *host = mock_host_new(loop, &config, &error);

	ck_assert_msg(host != NULL, "%s", error.message);
	mock_host_set_endpoints(
		host, NAMESPACE,
		"[{\"ID\":\"f7b5d1a0-2f3e-4b6c-8d9e-112233445566\",\"Name\":\"eth0\",\"HostComputeNamespace\":\"" NAMESPACE
		"\",\"MacAddress\":\"00-15-5D-01-02-03\",\"IpConfigurations\":[{\"IpAddress\":\"10.0.0.7\",\"PrefixLength\":24}]}]");
	return host;
}

static void start_pod(mock_host *host)
{
	static const char *const layers[] = { "scratch=scratch.vhdx",
					      "parent-partitioned-layers=[{\"Path\":\"layers.vhd\",\"Partition\":1}]" };
	lcowmig_rootfs_mount rootfs = { .type = "lcow-partitioned-layer", .source = "scratch", .options = layers, .n_options = 2 };
	lcowmig_container_options options = { .size = sizeof options,
					      .oci_spec = specification,
					      .oci_spec_size = strlen(specification),
					      .rootfs = &rootfs,
					      .n_rootfs = 1,
					      .bundle = "bundle" };
	lcowmig_vm *vm = lcowmig_sandbox_vm(mock_host_sandbox(host));
	lcowmig_pod *pod;

	CALL(LCOWMIG_OK, lcowmig_vm_create, vm, MACHINE(""), strlen(MACHINE("")), NULL);
	CALL(LCOWMIG_OK, lcowmig_vm_start, vm);
	ck_assert_int_eq(lcowmig_pod_new(mock_host_sandbox(host), "c", NAMESPACE, &pod, NULL), LCOWMIG_OK);
	CALL(LCOWMIG_OK, lcowmig_pod_setup_network, pod);
	ck_assert_int_eq(lcowmig_pod_new_container(pod, "c", &container, NULL), LCOWMIG_OK);
	CALL(LCOWMIG_OK, lcowmig_container_create, container, &options);
	CALL(LCOWMIG_OK, lcowmig_container_start, container);
}

static void setup(void)
{
	loop = mock_loop_new();
	a = make_host("A", "sandbox", 4 << 20); /* slow enough for something to happen in between */
	b = make_host("B", NULL, 0);
	out = lcowmig_sandbox_migration(mock_host_sandbox(a));
	in = lcowmig_sandbox_migration(mock_host_sandbox(b));
	last_state = LCOWMIG_PHASE_STATE_UNSPECIFIED;
	start_pod(a);
}

static void teardown(void)
{
	mock_host *hosts[2] = { a, b };
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	for (int i = 0; i < 2; i++) {
		CALL(LCOWMIG_OK, lcowmig_vm_terminate, lcowmig_sandbox_vm(mock_host_sandbox(hosts[i])));
		ck_assert_msg(mock_host_free(hosts[i], &error), "%s", error.message);
	}
	mock_loop_free(loop);
}

static void run(unsigned milliseconds)
{
	uint64_t end = mock_now() + milliseconds * MOCK_MS;

	while (mock_now() < end)
		mock_loop_step(loop, MOCK_MS);
}

static uint64_t counter(const mock_host *host)
{
	mock_guest_container view = { 0 };

	if (mock_host_guest(host))
		mock_guest_get_container(mock_host_guest(host), 0, &view);
	return view.counter;
}

static void notified(void *user, const lcowmig_notification *notification)
{
	(void)user;
	if (notification && lcowmig_notification_phase(notification) == LCOWMIG_PHASE_FAILED &&
	    last_state == LCOWMIG_PHASE_STATE_UNSPECIFIED)
		last_state = lcowmig_notification_state(notification);
}

/* Everything up to a transfer that has begun; the sides may disagree about the session's name. */
static void begin(const char *source_session, const char *destination_session)
{
	lcowmig_import_options import = LCOWMIG_IMPORT_OPTIONS_INIT;
	lcowmig_patch patch = {
		.size = sizeof patch, .source_container_id = "c", .container_id = "c", .bundle = "b", .namespace_id = NAMESPACE
	};
	lcowmig_subscription *subscription;
	int sockets[2];

	CALL(LCOWMIG_OK, lcowmig_migration_prepare_source, out, source_session, NULL);
	CALL(LCOWMIG_OK, lcowmig_migration_export, out, source_session);
	ck_assert_int_eq(lcowmig_migration_subscribe(out, source_session, 0, notified, NULL, &subscription, NULL), LCOWMIG_OK);
	import.session_id = destination_session;
	import.sandbox_id = "sandbox";
	ck_assert_int_eq(lcowmig_migration_envelope(out, source_session, &import.envelope, &import.envelope_size, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_migration_import(in, &import, NULL), LCOWMIG_OK);
	CALL(LCOWMIG_OK, lcowmig_migration_patch, in, &patch);
	CALL(LCOWMIG_OK, lcowmig_migration_prepare_destination, in, destination_session, NULL, LCOWMIG_PREPARE_PATHS_SHARED);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	CALL(LCOWMIG_OK, lcowmig_migration_register_socket, out, source_session, (const uint8_t *)&sockets[0], sizeof sockets[0]);
	CALL(LCOWMIG_OK, lcowmig_migration_register_socket, in, destination_session, (const uint8_t *)&sockets[1], sizeof sockets[1]);
	close(sockets[0]);
	close(sockets[1]);
	ck_assert_int_eq(lcowmig_migration_transfer(out, source_session, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_migration_transfer(in, destination_session, NULL, NULL), LCOWMIG_OK);
}

static void await_end(lcowmig_migration *migration)
{
	for (int i = 0; i < 5000; i++) {
		lcowmig_migration_state state = lcowmig_migration_get_state(migration);

		if (state != LCOWMIG_MIGRATION_SOCKET_READY && state != LCOWMIG_MIGRATION_TRANSFERRING)
			return;
		mock_loop_step(loop, MOCK_MS);
	}
	ck_abort_msg("the transfer does not end");
}

static void finalize(lcowmig_migration *migration, const char *session, lcowmig_finalize_action action)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;

	options.action = (uint32_t)action;
	CALL(LCOWMIG_OK, lcowmig_migration_finalize, migration, session, &options);
	ck_assert_int_eq(lcowmig_migration_cleanup(migration, session, NULL), LCOWMIG_OK);
}

static void roll_back(const char *source_session, const char *destination_session)
{
	uint64_t before;

	finalize(out, source_session, LCOWMIG_FINALIZE_RESUME);
	finalize(in, destination_session, LCOWMIG_FINALIZE_STOP);
	before = counter(a);
	run(100);
	ck_assert(mock_host_guest_runs(a));
	ck_assert(!mock_host_guest_runs(b));
	ck_assert_uint_gt(counter(a), before);
}

struct canceller {
	struct end end;
	pthread_t thread;
};

static void *cancel_elsewhere(void *user)
{
	struct canceller *canceller = user;
	lcowmig_status status = lcowmig_migration_cancel(out, "s", done, &canceller->end, &canceller->end.error);

	if (status != LCOWMIG_PENDING)
		done(&canceller->end, status, &canceller->end.error);
	return NULL;
}

START_TEST(test_transfer_ends_on_both_sides_when_another_thread_cancels)
{
	struct canceller canceller = { .end = { .error = LCOWMIG_ERROR_INIT } };

	begin("s", "s");
	run(200);
	ck_assert_int_eq(lcowmig_migration_get_state(out), LCOWMIG_MIGRATION_TRANSFERRING);
	ck_assert_int_eq(pthread_create(&canceller.thread, NULL, cancel_elsewhere, &canceller), 0);
	run(100);
	ck_assert_int_eq(pthread_join(canceller.thread, NULL), 0);
	ck_assert(canceller.end.is_over);
	ck_assert_int_eq(canceller.end.status, LCOWMIG_OK);
	await_end(in);
	ck_assert_int_eq(lcowmig_migration_get_state(out), LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_int_eq(lcowmig_migration_get_state(in), LCOWMIG_MIGRATION_FAILED);
	roll_back("s", "s");
}
END_TEST

START_TEST(test_sessions_with_different_names_do_not_meet)
{
	begin("one", "two");
	await_end(out);
	await_end(in);
	ck_assert_int_eq(lcowmig_migration_get_state(out), LCOWMIG_MIGRATION_FAILED);
	ck_assert_int_eq(lcowmig_migration_get_state(in), LCOWMIG_MIGRATION_FAILED);
	roll_back("one", "two");
}
END_TEST

START_TEST(test_migration_fails_when_the_guest_shuts_down)
{
	begin("s", "s");
	run(200);
	mock_host_shut_guest_down(a);
	await_end(out);
	await_end(in);
	run(50);
	ck_assert_int_eq(last_state, LCOWMIG_PHASE_STATE_GUEST_INITIATED_CANCELLATION);
	ck_assert_int_eq(lcowmig_vm_get_state(lcowmig_sandbox_vm(mock_host_sandbox(a))), LCOWMIG_VM_TERMINATED);
	finalize(out, "s", LCOWMIG_FINALIZE_STOP);
	finalize(in, "s", LCOWMIG_FINALIZE_STOP);
}
END_TEST

START_TEST(test_create_refuses_a_document_with_an_unknown_device)
{
	struct end end = { .error = LCOWMIG_ERROR_INIT };
	static const char document[] = MACHINE(",\"Floppy\":{}");
	mock_host *named = make_host("C", "other", 0);

	ck_assert_int_eq(finish(lcowmig_vm_create(lcowmig_sandbox_vm(mock_host_sandbox(named)), document, strlen(document), NULL, done,
						  &end, &end.error),
				&end),
			 LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(end.error.hresult, 0xC037010Du);
	ck_assert_msg(strstr(end.error.message, "Floppy") != NULL, "%s", end.error.message);
	ck_assert(mock_host_free(named, &end.error));
}
END_TEST

START_TEST(test_exec_reads_its_input_and_gives_it_back)
{
	char input[] = "/tmp/lcowmig-input-XXXXXX", output[] = "/tmp/lcowmig-output-XXXXXX", text[32] = "";
	int from = mkstemp(input), to = mkstemp(output);
	lcowmig_process_options options = { .size = sizeof options,
					    .stdin_path = input,
					    .stdout_path = output,
					    .bundle = "b",
					    .process_spec = "{\"args\":[\"/bin/cat\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}}" };
	lcowmig_exit how = LCOWMIG_EXIT_INIT;
	lcowmig_process *process;

	ck_assert_int_eq(write(from, "there and back\n", 15), 15);
	CALL(LCOWMIG_OK, lcowmig_container_exec, container, "e", &options, &process);
	CALL(LCOWMIG_OK, lcowmig_process_start, process);
	CALL(LCOWMIG_OK, lcowmig_process_wait, process);
	ck_assert_int_eq(lcowmig_process_get_exit(process, &how, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(how.exit_status, 0);
	ck_assert_int_eq(read(to, text, sizeof text - 1), 15);
	ck_assert_str_eq(text, "there and back\n");
	close(from);
	close(to);
	unlink(input);
	unlink(output);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosts");
	TCase *tests = tcase_create("hosts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_transfer_ends_on_both_sides_when_another_thread_cancels);
	tcase_add_test(tests, test_sessions_with_different_names_do_not_meet);
	tcase_add_test(tests, test_migration_fails_when_the_guest_shuts_down);
	tcase_add_test(tests, test_create_refuses_a_document_with_an_unknown_device);
	tcase_add_test(tests, test_exec_reads_its_input_and_gives_it_back);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
