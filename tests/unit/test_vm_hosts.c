/* The VM controller with hosts and guests that answer oddly, late, or not at all, and with ends in the middle of things. */
#include "vm_fixture.h"

static void update_is_over(test_done *done, lcowmig_status status, const char *message)
{
	ck_assert_int_eq(done->calls, 1);
	ck_assert_int_eq(done->status, status);
	ck_assert_msg(strstr(done->message, message) != NULL, "%s", done->message);
}

/* ---- Creating ---- */

static lcowmig_status create_without_handle(void *user, lcowmig_call *call, const char *id, const char *document)
{
	(void)user;
	(void)id;
	(void)document;
	lcowmig_call_complete(call, LCOWMIG_OK);
	return LCOWMIG_PENDING;
}

START_TEST(test_vm_create_fails_when_the_host_brings_no_handle)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	host->env.hcs.create = create_without_handle;
	ck_assert_int_eq(create_from(STANDARD, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(error.message, "HCS create of test@vm brought no handle");
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
	test_host_expect_log(host, "");
	host->env.hcs.create = host->config.hcs->create;
	make_created();
}
END_TEST

/* The create has the handle in hand, so terminate leaves it alone: nothing is closed twice, and nobody gets a machine without a handle. */
START_TEST(test_vm_terminate_leaves_the_handle_to_the_create_under_way)
{
	lcowmig_vm_options options = standard_options();
	test_done done = { 0 };
	lcowmig_status status;

	test_host_hold(host, "hcs.properties", true);
	if (_i) {
		make_imported();
		status = test_run(host, lcowmig__vm_create_destination_flow(vm, NULL, NULL), &done, NULL);
	} else {
		status = lcowmig_vm_create(vm, STANDARD, strlen(STANDARD), &options, test_on_done, &done, NULL);
	}
	ck_assert_int_eq(status, LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "hcs.close"), 0);
	test_host_hold(host, "hcs.properties", false);
	test_host_complete(host, "hcs.properties", LCOWMIG_OK, 0, "{}");
	if (_i) {
		update_is_over(&done, LCOWMIG_E_UNAVAILABLE, "became Terminated while create on destination was under way");
		ck_assert_int_eq(test_host_count(host, "hcs.close"), 1);
		ck_assert_ptr_null(host->env.system);
	} else {
		ck_assert_int_eq(done.status, LCOWMIG_OK);
		ck_assert_int_eq(state(), LCOWMIG_VM_CREATED);
		ck_assert_ptr_nonnull(host->env.system);
		ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	}
}
END_TEST

/* Terminated meanwhile, and then its handle does not close: the state stays, and the next terminate closes it. */
START_TEST(test_vm_terminated_while_it_was_created_keeps_a_handle_that_does_not_close)
{
	test_done done = { 0 };

	make_imported();
	test_host_hold(host, "hcs.properties", true);
	ck_assert_int_eq(test_run(host, lcowmig__vm_create_destination_flow(vm, NULL, NULL), &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	test_host_fail(host, "hcs.close", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "stuck");
	test_host_complete(host, "hcs.properties", LCOWMIG_OK, 0, "{}");
	ck_assert_int_eq(done.status, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_ptr_nonnull(host->env.system);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_ptr_null(host->env.system);
}
END_TEST

START_TEST(test_vm_that_exits_while_it_is_created_is_none)
{
	lcowmig_vm_options options = standard_options();
	test_done done = { 0 };

	test_host_hold(host, "hcs.properties", true);
	ck_assert_int_eq(lcowmig_vm_create(vm, STANDARD, strlen(STANDARD), &options, test_on_done, &done, NULL), LCOWMIG_PENDING);
	exit_with("garbage");
	test_host_hold(host, "hcs.properties", false);
	test_host_complete(host, "hcs.properties", LCOWMIG_OK, 0, "{}");
	update_is_over(&done, LCOWMIG_E_UNAVAILABLE, "virtual machine test@vm ended while it was created");
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
	ck_assert_int_eq(test_host_count(host, "hcs.close"), 1);
	ck_assert_int_eq(ended_calls, 0);
	make_created();
}
END_TEST

START_TEST(test_vm_create_on_destination_without_any_scsi_keeps_the_document)
{
	static const char document[] = NO_SCSI;
	lcowmig__wire_vm wire = standard_wire();

	wire.scsi.num_controllers = 0;
	wire.scsi.n_disks = 0;
	wire.hcs_document.data = (const uint8_t *)document;
	wire.hcs_document.size = strlen(document);
	ck_assert_int_eq(import(&wire, NULL), LCOWMIG_OK);
	ck_assert_int_eq(create_destination(NULL), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "hcs.create test@vm {\"VirtualMachine\":{\"Chipset\""));
	ck_assert_ptr_null(strstr(test_host_log(host), "\"Devices\""));
}
END_TEST

START_TEST(test_vm_scsi_takes_each_type_of_disk_from_the_document)
{
	static const char document[] =
		"{\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{\"KernelCmdLine\":\"" CMDLINE "\"}},\"Devices\":{\"Scsi\":"
		"{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\",\"Path\":\"a\"},"
		"\"1\":{\"Type\":\"PassThru\",\"Path\":\"b\"},"
		"\"2\":{\"Type\":\"ExtensibleVirtualDisk\",\"Path\":\"c\",\"ExtensibleVirtualDiskType\":\"space\"}}}}}}}";
	static const uint32_t types[] = { LCOWMIG_DISK_VIRTUAL, LCOWMIG_DISK_PASS_THROUGH, LCOWMIG_DISK_EXTENSIBLE };
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_scsi *scsi = NULL;
	uint32_t slot;

	ck_assert_int_eq(create_from(document, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_scsi(vm, &scsi, NULL), LCOWMIG_OK);
	for (slot = 0; slot < LCOWMIG__COUNT(types); slot++) {
		ck_assert_int_eq(lcowmig_scsi_disk(scsi, slot, &disk, NULL), LCOWMIG_OK);
		ck_assert_uint_eq(disk.type, types[slot]);
	}
	ck_assert_str_eq(disk.evd_type, "space");
}
END_TEST

/* The clean-up is waited for, and cancelling does not hurry it. */
START_TEST(test_vm_create_that_failed_ends_when_its_handle_is_closed)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	test_done done = { 0 };

	test_host_fail(host, "hcs.properties", 1, LCOWMIG_E_HOST_FAILED, 0x80370118, "no answer");
	test_host_hold(host, "hcs.close", true);
	ck_assert_int_eq(lcowmig_vm_create(vm, STANDARD, strlen(STANDARD), NULL, test_on_done, &done, &error), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 0);
	test_host_hold(host, "hcs.close", false);
	test_host_complete(host, "hcs.close", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_ptr_null(host->env.system);
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
}
END_TEST

/* ---- Starting and resuming ---- */

static lcowmig_status random_none(void *user, void *bytes, size_t size)
{
	(void)user;
	(void)bytes;
	(void)size;
	return LCOWMIG_E_HOST_FAILED;
}

START_TEST(test_vm_start_fails_when_the_platform_has_no_random_bytes)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_created();
	test_host_clear_log(host);
	host->context->platform.random = random_none;
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, NULL, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(error.message, "the platform gave no random bytes for the guest");
	test_host_expect_log(host, "");
	ck_assert_int_eq(state(), LCOWMIG_VM_INVALID);
}
END_TEST

static void connects_while_it_is_closed(void *user)
{
	test_host_complete(user, "guest.connect", LCOWMIG_OK, 0, NULL);
	host->config.guest->close(user);
}

/* The guest's answer arrives in the moment after the machine has ended; the connection is not taken for one. */
START_TEST(test_vm_start_does_not_connect_to_a_machine_that_has_ended)
{
	test_done done = { 0 };

	make_created();
	test_host_hold(host, "guest.connect", true);
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, &done, NULL), LCOWMIG_PENDING);
	host->env.guest.close = connects_while_it_is_closed;
	exits();
	update_is_over(&done, LCOWMIG_E_UNAVAILABLE, "virtual machine test@vm has ended");
	ck_assert(!host->env.has_guest);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_ptr_null(host->env.system);
}
END_TEST

static void exits_while_the_port_is_raised(void *user, uint32_t port)
{
	lcowmig__pump pump;

	(void)user;
	(void)port;
	lcowmig__enter(host->context, &pump);
	lcowmig__vm_hcs_exited(vm, "{\"Status\":0,\"ExitType\":\"GracefulExit\"}");
	lcowmig__leave(host->context, &pump);
}

START_TEST(test_vm_resume_fails_when_the_machine_ends_at_the_last_step)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_destination_finalized();
	host->env.guest.raise_port = exits_while_the_port_is_raised;
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, NULL), &error), LCOWMIG_E_UNAVAILABLE);
	ck_assert_str_eq(error.message, "virtual machine test@vm became Terminated while resume was under way");
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_int_eq(ended_calls, 1);
	ck_assert_ptr_null(host->env.system);
}
END_TEST

/* ---- Ending ---- */

/* HCS says that it is at it; the exit is what counts. */
START_TEST(test_vm_terminate_that_is_pending_in_the_host_waits_for_the_exit)
{
	test_done done = { 0 };

	make_running();
	test_host_fail(host, "hcs.terminate", 1, LCOWMIG_E_HOST_FAILED, LCOWMIG__HR_OPERATION_PENDING, "pending");
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
	exits();
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
}
END_TEST

START_TEST(test_vm_handle_that_is_still_open_is_named_when_the_sandbox_goes)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_running();
	test_host_fail(host, "hcs.close", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "stuck");
	exits();
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert(!lcowmig__vm_is_free_to_go(vm, &error));
	ck_assert_str_eq(error.message,
	                 "virtual machine test@vm is Terminated and its handle is still open; expected it to be terminated first");
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert(lcowmig__vm_is_free_to_go(vm, &error));
}
END_TEST

/* The rest of an end that nobody asked for, closed by terminate; a second one has nothing to do. */
START_TEST(test_vm_terminate_waits_for_the_rest_to_close)
{
	test_done done = { 0 };

	make_running();
	test_host_fail(host, "hcs.close", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "stuck");
	exits();
	test_host_hold(host, "hcs.close", true);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &done), LCOWMIG_OK);
	ck_assert_int_eq(done.calls, 0);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK); /* nobody closes it twice */
	ck_assert_uint_eq(test_host_pending(host, "hcs.close"), 1);
	test_host_complete(host, "hcs.close", LCOWMIG_E_HOST_FAILED, 0x80004005, "still stuck");
	update_is_over(&done, LCOWMIG_E_HOST_FAILED, "HCS close");
	ck_assert_ptr_nonnull(host->env.system);
	test_host_hold(host, "hcs.close", false);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_ptr_null(host->env.system);
}
END_TEST

/* The handle is about to be closed once there is memory for it; terminate does not do it a second time. */
START_TEST(test_vm_terminate_leaves_the_handle_to_the_end_under_way)
{
	make_running();
	test_host_fail_allocation(host, 1, true);
	exits();
	test_host_fail_allocation(host, 0, false);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_ptr_nonnull(host->env.system);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "hcs.close"), 0);
	test_host_advance(host, SECONDS(1));
	ck_assert_int_eq(test_host_count(host, "hcs.close"), 1);
	ck_assert_ptr_null(host->env.system);
}
END_TEST

/* ---- Operations ---- */

START_TEST(test_vm_stats_bear_any_numbers)
{
	lcowmig_vm_stats stats = { .size = sizeof stats };

	make_running();
	test_host_reply(host, "hcs.properties", "{\"Statistics\":{\"Processor\":{\"TotalRuntime100ns\":18446744073709551615}}}");
	test_host_reply(host, "hcs.properties", "{\"Memory\":{\"VirtualMachineMemory\":{\"AssignedMemory\":18446744073709551615}}}");
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(stats.processor_runtime_ns, UINT64_MAX);
	ck_assert_uint_eq(stats.assigned_memory, UINT64_MAX);
	ck_assert_uint_eq(stats.working_set_bytes, 0);
}
END_TEST

static lcowmig_status say_nothing(void *user, lcowmig_call *call, void *system, const char *query)
{
	(void)user;
	(void)call;
	(void)system;
	(void)query;
	return LCOWMIG_OK;
}

START_TEST(test_vm_stats_are_zero_when_the_host_says_nothing)
{
	lcowmig_vm_stats stats = { .size = sizeof stats };

	make_running();
	stats.available_memory = 7;
	host->env.hcs.properties = say_nothing;
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(stats.available_memory, 0);
	ck_assert_uint_eq(stats.size, sizeof stats);
}
END_TEST

/* The caller's struct is filled at the end or not at all. */
START_TEST(test_vm_stats_are_untouched_when_memory_or_sense_is_missing)
{
	lcowmig_vm_stats stats = { .size = sizeof stats, .available_memory = 7 };

	make_running();
	test_host_fail_allocation(host, 1, false);
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), LCOWMIG_E_NO_MEMORY);
	test_host_fail_allocation(host, 0, false);
	test_host_reply(host, "hcs.properties", "{]");
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), LCOWMIG_E_CORRUPT_DATA);
	test_host_reply(host, "hcs.properties", "{}");
	test_host_reply(host, "hcs.properties", "{]");
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_uint_eq(stats.available_memory, 7);
}
END_TEST

static lcowmig_status begin_cpu(test_done *done)
{
	lcowmig_vm_cpu_limits limits = { .size = sizeof limits, .limit = 5000 };

	return lcowmig_vm_update_cpu(vm, &limits, test_on_done, done, NULL);
}

static lcowmig_status begin_fragment(test_done *done)
{
	return lcowmig_vm_update_policy_fragment(vm, "ZnJhZ21lbnQ=", NULL, test_on_done, done, NULL);
}

static lcowmig_status begin_initialize(test_done *done)
{
	return test_run(host, lcowmig__vm_initialize_source_flow(vm, NULL, NULL), done, NULL);
}

static lcowmig_status begin_start(test_done *done)
{
	return lcowmig_vm_start(vm, test_on_done, done, NULL);
}

static lcowmig_status begin_create(test_done *done)
{
	return lcowmig_vm_create(vm, STANDARD, strlen(STANDARD), NULL, test_on_done, done, NULL);
}

/* Behind an update, or behind a create: what is cancelled there has done nothing, and what stays has its turn. */
START_TEST(test_vm_operation_that_waits_its_turn_can_be_cancelled)
{
	static const struct {
		lcowmig_status (*begin)(test_done *done);
		lcowmig_status status; /* of the one that stays */
		int state;
	} cases[] = {
		{ begin_cpu, LCOWMIG_OK, LCOWMIG_VM_RUNNING },
		{ begin_fragment, LCOWMIG_OK, LCOWMIG_VM_RUNNING },
		{ begin_initialize, LCOWMIG_OK, LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED },
		{ begin_start, LCOWMIG_OK, LCOWMIG_VM_RUNNING },
		{ begin_create, LCOWMIG_E_FAILED_PRECONDITION, LCOWMIG_VM_CREATED },
	};
	bool is_created = _i < 3;
	const char *operation = is_created ? "hcs.modify" : "hcs.create";
	test_done first = { 0 }, cancelled = { 0 }, stays = { 0 };

	if (is_created)
		make_running();
	test_host_hold(host, operation, true);
	ck_assert_int_eq(is_created ? lcowmig_vm_update_memory(vm, 2048, test_on_done, &first, NULL) : begin_create(&first), LCOWMIG_PENDING);
	test_host_clear_log(host);
	ck_assert_int_eq(cases[_i].begin(&cancelled), LCOWMIG_PENDING);
	ck_assert_int_eq(cases[_i].begin(&stays), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_context_cancel(host->context, test_on_done, &cancelled), LCOWMIG_OK);
	ck_assert_int_eq(cancelled.status, LCOWMIG_E_CANCELLED);
	test_host_expect_log(host, "");
	test_host_hold(host, operation, false);
	test_host_complete(host, operation, LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(first.status, LCOWMIG_OK);
	ck_assert_int_eq(stays.calls, 1);
	ck_assert_int_eq(stays.status, cases[_i].status);
	ck_assert_int_eq(state(), cases[_i].state);
}
END_TEST

/* They wait for an update, and when their turn comes the machine is gone. */
START_TEST(test_vm_updates_are_refused_when_the_machine_ended_before_their_turn)
{
	test_done update = { 0 }, fragment = { 0 }, cpu = { 0 };

	make_running();
	test_host_hold(host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 2048, test_on_done, &update, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(begin_fragment(&fragment), LCOWMIG_PENDING);
	ck_assert_int_eq(begin_cpu(&cpu), LCOWMIG_PENDING);
	exits();
	test_host_complete(host, "hcs.modify", LCOWMIG_E_HOST_FAILED, 0x8037010E, "gone");
	ck_assert_int_eq(update.status, LCOWMIG_E_HOST_FAILED);
	update_is_over(&fragment, LCOWMIG_E_FAILED_PRECONDITION, "virtual machine test@vm is Terminated; this operation needs Running");
	update_is_over(&cpu, LCOWMIG_E_FAILED_PRECONDITION, "virtual machine test@vm is Terminated; this operation needs Running");
	ck_assert_uint_eq(test_host_count(host, "guest.rpc") + test_host_count(host, "hcs.modify"), 1);
}
END_TEST

START_TEST(test_vm_policy_fragment_goes_to_the_guest_and_may_fail_there)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_running();
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_update_policy_fragment(vm, "ZnJhZ21lbnQ=", NULL, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "\"Fragment\":\"ZnJhZ21lbnQ=\""));
	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, 0x80070005, "denied");
	ck_assert_int_eq(lcowmig_vm_update_policy_fragment(vm, "ZnJhZ21lbnQ=", "rego", test_on_done, NULL, &error), LCOWMIG_E_GUEST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80070005);
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
}
END_TEST

/* Whichever stream is asked for, its pipe and its port are there, and no other. */
START_TEST(test_vm_exec_takes_any_one_stream)
{
	static const char *const expected[] = { "stdio.open test@vm '' 'p' '' ''", "stdio.open test@vm '' '' 'p' ''",
		                                "stdio.open test@vm '' '' '' 'p'" };
	const char *arguments[] = { "cat" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1, .working_directory = "/tmp" };
	test_done done = { 0 };
	int32_t code = 9;

	*(_i == 0 ? &exec.stdin_path : _i == 1 ? &exec.stdout_path : &exec.stderr_path) = "p";
	make_running();
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_host_count(host, expected[_i]), 1);
	ck_assert_ptr_nonnull(strstr(test_host_log(host), "/tmp"));
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(code, 0);
	ck_assert_uint_eq(vm->execs, 0);
}
END_TEST

/* What nobody waits for would run on in the guest, and its exit would be lost when the machine moves. */
START_TEST(test_vm_exec_is_killed_when_it_cannot_be_waited_for)
{
	const char *arguments[] = { "sleep" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1 };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	int32_t code = 9;

	make_running();
	test_host_fail(host, "guest.rpc:10100601", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "cannot wait");
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, NULL, &error), LCOWMIG_E_GUEST_FAILED);
	ck_assert_ptr_nonnull(strstr(error.message, "cannot wait"));
	ck_assert_int_eq(test_host_count(host, "guest.rpc 0x10100701"), 1);
	ck_assert_int_eq(code, -1);
	ck_assert_uint_eq(vm->execs, 0);
}
END_TEST

/* Each allocation of an exec in turn: no process is left, no stream stays open, and the machine may be saved. */
START_TEST(test_vm_exec_leaves_nothing_behind_when_memory_is_out)
{
	const char *arguments[] = { "true", "1" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 2, .stdout_path = "out" };
	lcowmig_status status;
	test_done done;
	unsigned nth;
	int32_t code;

	make_running();
	for (nth = 1; nth < 100; nth++) {
		done.calls = 0;
		code = 9;
		test_host_fail_allocation(host, nth, false);
		status = lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, &done, NULL);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_PENDING)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		ck_assert(code == 9 || code == -1);
		ck_assert_uint_eq(vm->execs, 0);
		ck_assert_uint_eq(test_host_count(host, "stdio.open"), test_host_count(host, "stdio.close"));
	}
	ck_assert_uint_gt(nth, 10);
	test_host_exit_process(host, 100 + test_host_count(host, "guest.rpc 0x10100501"), 0);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vm hosts");
	TCase *tcase = tcase_create("hosts");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_vm_create_fails_when_the_host_brings_no_handle);
	tcase_add_loop_test(tcase, test_vm_terminate_leaves_the_handle_to_the_create_under_way, 0, 2);
	tcase_add_test(tcase, test_vm_terminated_while_it_was_created_keeps_a_handle_that_does_not_close);
	tcase_add_test(tcase, test_vm_that_exits_while_it_is_created_is_none);
	tcase_add_test(tcase, test_vm_create_that_failed_ends_when_its_handle_is_closed);
	tcase_add_test(tcase, test_vm_create_on_destination_without_any_scsi_keeps_the_document);
	tcase_add_test(tcase, test_vm_scsi_takes_each_type_of_disk_from_the_document);
	tcase_add_test(tcase, test_vm_start_fails_when_the_platform_has_no_random_bytes);
	tcase_add_test(tcase, test_vm_start_does_not_connect_to_a_machine_that_has_ended);
	tcase_add_test(tcase, test_vm_resume_fails_when_the_machine_ends_at_the_last_step);
	tcase_add_test(tcase, test_vm_terminate_that_is_pending_in_the_host_waits_for_the_exit);
	tcase_add_test(tcase, test_vm_handle_that_is_still_open_is_named_when_the_sandbox_goes);
	tcase_add_test(tcase, test_vm_terminate_waits_for_the_rest_to_close);
	tcase_add_test(tcase, test_vm_terminate_leaves_the_handle_to_the_end_under_way);
	tcase_add_test(tcase, test_vm_stats_bear_any_numbers);
	tcase_add_test(tcase, test_vm_stats_are_zero_when_the_host_says_nothing);
	tcase_add_test(tcase, test_vm_stats_are_untouched_when_memory_or_sense_is_missing);
	tcase_add_loop_test(tcase, test_vm_operation_that_waits_its_turn_can_be_cancelled, 0, 5);
	tcase_add_test(tcase, test_vm_updates_are_refused_when_the_machine_ended_before_their_turn);
	tcase_add_test(tcase, test_vm_policy_fragment_goes_to_the_guest_and_may_fail_there);
	tcase_add_loop_test(tcase, test_vm_exec_takes_any_one_stream, 0, 3);
	tcase_add_test(tcase, test_vm_exec_is_killed_when_it_cannot_be_waited_for);
	tcase_add_test(tcase, test_vm_exec_leaves_nothing_behind_when_memory_is_out);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
