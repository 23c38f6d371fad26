/* The VM controller: the operations of a running machine, and its table. */
#include "vm_fixture.h"

#include "network/network.h"

/* ---- Operations of a running machine ---- */

/* VM-09 */
START_TEST(test_vm_operations_need_a_running_machine)
{
	lcowmig_status expected = _i == LCOWMIG_VM_RUNNING ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION;
	lcowmig_vm_cpu_limits limits = { .size = sizeof limits, .limit = 50000 };
	lcowmig_vm_stats stats = { .size = sizeof stats };
	const char *arguments[] = { "ls" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1 };
	int32_t code;

	make(_i);
	test_host_reply(host, "guest.rpc:10100601", "{\"Result\":0,\"ExitCode\":0}");
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 2048, test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_update_cpu(vm, &limits, test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_update_cpu_group(vm, "7e2a3e3c-0bb0-4d8a-9d1b-6f0c7b1f2a33", test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_update_policy_fragment(vm, "0oRYc6E=", NULL, test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_dump_stacks(vm, test_on_done, NULL, NULL), expected);
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, NULL, NULL), expected);
	if (expected != LCOWMIG_OK)
		test_host_expect_log(host, "");
}
END_TEST

/* */
START_TEST(test_vm_update_reaches_host_guest_and_document)
{
	lcowmig_vm_cpu_limits limits = { .size = sizeof limits, .limit = 50000, .weight = 500 };
	char expected[] = STANDARD;

	make_running();
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 2047, test_on_done, NULL, NULL), LCOWMIG_OK);
	test_host_expect_log(host, "hcs.modify {\"ResourcePath\":\"VirtualMachine/ComputeTopology/Memory/SizeInMB\",\"Settings\":2048}\n"
				   "guest.rpc 0x10100a01 {\"ContainerId\":\"00000000-0000-0000-0000-000000000000\",\"ActivityId\":"
				   "\"00000000-0000-0000-0000-000000000000\",\"Request\":{\"RequestType\":\"Update\",\"ResourceType\":"
				   "\"PodCgroupMemoryLimit\"}}\n");
	memcpy(strstr(expected, "1024"), "2048", 4);
	ck_assert_str_eq(vm->config.document, expected); /* and not a byte besides */
	ck_assert_int_eq(lcowmig_vm_update_cpu(vm, &limits, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(vm->config.document, "\"Limit\":50000"));
	ck_assert_int_eq(lcowmig_vm_update_cpu_group(vm, "7e2a3e3c-0bb0-4d8a-9d1b-6f0c7b1f2a33", test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(vm->config.document, "7e2a3e3c-0bb0-4d8a-9d1b-6f0c7b1f2a33"));
	ck_assert_ptr_nonnull(strstr(vm->config.document, "9007199254740993"));
}
END_TEST

START_TEST(test_vm_update_changes_no_document_when_the_host_refuses)
{
	make_running();
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80070057, "too much");
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 4096, test_on_done, NULL, NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(vm->config.document, STANDARD);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 0, test_on_done, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_vm_update_cpu_group(vm, "", test_on_done, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

START_TEST(test_vm_updates_go_one_after_the_other)
{
	test_done done[2] = { { 0 } };

	make_running();
	test_host_hold(host, "hcs.modify", true);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 2048, test_on_done, &done[0], NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_vm_update_memory(vm, 512, test_on_done, &done[1], NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_host_count(host, "hcs.modify"), 1);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[0].calls, 1);
	test_host_complete(host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[1].status, LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(vm->config.document, "\"SizeInMB\":512"));
}
END_TEST

/* VM-10 */
START_TEST(test_vm_exec_refuses_a_terminal_with_stderr_in_every_state)
{
	const char *arguments[] = { "sh" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1, .terminal = 1, .stderr_path = "e" };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	int32_t code = 9;

	make(_i);
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, NULL, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "terminal"));
	ck_assert_int_eq(code, 9);
}
END_TEST

/* SVC-30 */
START_TEST(test_vm_exec_relays_waits_and_reports_the_exit_code)
{
	const char *arguments[] = { "ls", "-l" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 2, .stdout_path = "out" };
	test_done done = { 0 };
	int32_t code = 9;

	make_running();
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_host_count(host, "stdio.open test@vm '' '' 'out' ''"), 1);
	ck_assert_int_eq(test_host_count(host, "stdio.attach 0 1073741825 0"), 1);
	test_host_exit_process(host, 101, 3);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(code, 3);
	ck_assert_int_eq(test_host_count(host, "stdio.close"), 1);
	test_host_fail(host, "guest.rpc:10100501", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no such file");
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, &done, NULL), LCOWMIG_E_GUEST_FAILED);
	ck_assert_int_eq(code, -1);
}
END_TEST

START_TEST(test_vm_exec_is_killed_when_it_is_cancelled)
{
	const char *arguments[] = { "sleep" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1 };
	test_done done = { 0 };
	int32_t code = 9;

	make_running();
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, &done, NULL), LCOWMIG_PENDING);
	lcowmig_context_cancel(host->context, test_on_done, &done);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(test_host_count(host, "guest.rpc 0x10100701"), 1);
	ck_assert_int_eq(code, -1);
	test_host_exit_process(host, 101, 137);
}
END_TEST

START_TEST(test_vm_stats_are_read)
{
	lcowmig_vm_stats stats = { .size = sizeof stats };

	make_running();
	test_host_reply(host, "hcs.properties", "{\"Statistics\":{\"Processor\":{\"TotalRuntime100ns\":1234567}}}");
	test_host_reply(host, "hcs.properties",
			"{\"Memory\":{\"VirtualNodeCount\":1,\"VirtualMachineMemory\":{\"AvailableMemory\":7,\"AssignedMemory\":256,"
			"\"BalancingEnabled\":true}}}");
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(stats.processor_runtime_ns, 123456700);
	ck_assert_uint_eq(stats.working_set_bytes, 256 * 4096);
	ck_assert_uint_eq(stats.available_memory, 7);
	ck_assert_uint_eq(stats.virtual_node_count, 1);
	ck_assert_uint_eq(stats.balancing_enabled, 1);
	test_host_fail(host, "hcs.properties", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(lcowmig_vm_get_stats(vm, &stats, test_on_done, NULL, NULL), LCOWMIG_E_HOST_FAILED);
}
END_TEST

START_TEST(test_vm_stacks_are_empty_when_the_guest_cannot)
{
	make_running();
	ck_assert_int_eq(lcowmig_vm_dump_stacks(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_vm_stacks(vm), "goroutine 1 [running]:\n");
	host->env.guest_supports_dump_stacks = false;
	ck_assert_int_eq(lcowmig_vm_dump_stacks(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_vm_stacks(vm), "");
}
END_TEST

START_TEST(test_vm_compatibility_is_had_while_running_and_as_a_source)
{
	bool legal = _i == LCOWMIG_VM_RUNNING || _i == LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED || _i == LCOWMIG_VM_SOURCE_MIGRATION_STARTED;
	size_t size = 0;

	make(_i);
	ck_assert_int_eq(lcowmig_vm_query_compatibility(vm, test_on_done, NULL, NULL), legal ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	if (!legal)
		return;
	ck_assert_int_eq(memcmp(lcowmig_vm_compatibility_info(vm, &size), "compat", 6), 0);
	ck_assert_uint_eq(size, 6);
	test_host_reply(host, "hcs.properties", "{}");
	ck_assert_int_eq(lcowmig_vm_query_compatibility(vm, test_on_done, NULL, NULL), LCOWMIG_E_HOST_FAILED);
}
END_TEST

/* VM-38 */
START_TEST(test_vm_runtime_id_is_told_in_created_and_running_only)
{
	bool told = _i == LCOWMIG_VM_CREATED || _i == LCOWMIG_VM_RUNNING;

	make(_i);
	ck_assert_str_eq(lcowmig_vm_runtime_id(vm), told ? "b1c2d3e4-0000-4000-8000-00000000cafe" : "");
}
END_TEST

static void see_disk(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	snprintf((char *)user + strlen(user), 200, "%u %s %u\n", (unsigned)slot, disk->host_path, (unsigned)disk->read_only);
}

/* VM-39 */
START_TEST(test_vm_scsi_is_built_from_the_document)
{
	lcowmig_scsi *scsi = NULL;
	lcowmig_scsi *again = NULL;
	char disks[400] = "";

	ck_assert_int_eq(lcowmig_vm_scsi(vm, &scsi, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	make_created();
	ck_assert_int_eq(lcowmig_vm_scsi(vm, &scsi, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_scsi(vm, &again, NULL), LCOWMIG_OK);
	ck_assert_ptr_eq(scsi, again);
	ck_assert_uint_eq(lcowmig__scsi_controllers(scsi), 2);
	lcowmig__scsi_each_disk(scsi, see_disk, disks);
	ck_assert_str_eq(disks, "0 C:\\rootfs.vhd 1\n");
}
END_TEST

START_TEST(test_vm_plan9_and_vpci_are_made_once)
{
	lcowmig_plan9 *plan9[2];
	lcowmig_vpci *vpci[2];

	make_running();
	ck_assert_int_eq(lcowmig_vm_plan9(vm, &plan9[0], NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_plan9(vm, &plan9[1], NULL), LCOWMIG_OK);
	ck_assert_ptr_eq(plan9[0], plan9[1]);
	ck_assert_int_eq(lcowmig_vm_vpci(vm, &vpci[0], NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_vpci(vm, &vpci[1], NULL), LCOWMIG_OK);
	ck_assert_ptr_eq(vpci[0], vpci[1]);
}
END_TEST

/* VM-40 */
START_TEST(test_vm_gives_its_routing_option_to_each_network)
{
	lcowmig_network *networks[2];
	size_t i;

	make_running();
	ck_assert(lcowmig__vm_policy_based_routing(vm));
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(lcowmig__network_new(&host->env, "ns", lcowmig__vm_policy_based_routing(vm), &networks[i], NULL),
				 LCOWMIG_OK);
	ck_assert_ptr_ne(networks[0], networks[1]);
	lcowmig__network_free(networks[0]);
	lcowmig__network_free(networks[1]);
}
END_TEST

/* ---- The table ---- */

START_TEST(test_vm_table_has_no_row_twice_and_no_way_out_of_terminated)
{
	const lcowmig__machine *machine = &lcowmig__vm_machine;
	size_t i, j;

	for (i = 0; i < machine->n_rows; i++) {
		for (j = i + 1; j < machine->n_rows; j++)
			ck_assert(machine->rows[i].from != machine->rows[j].from || machine->rows[i].trigger != machine->rows[j].trigger);
		if (machine->rows[i].from == LCOWMIG__VM_TERMINATED)
			ck_assert_int_eq(machine->rows[i].to, LCOWMIG__VM_TERMINATED);
	}
	ck_assert_str_eq(lcowmig_vm_state_name(LCOWMIG_VM_MIGRATION_FINALIZED), "MigrationFinalized");
	ck_assert_str_eq(lcowmig_vm_state_name((lcowmig_vm_state)99), "UNKNOWN");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vm operations");
	TCase *tcase = tcase_create("vm operations");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_vm_operations_need_a_running_machine, 0, N_STATES);
	tcase_add_test(tcase, test_vm_update_reaches_host_guest_and_document);
	tcase_add_test(tcase, test_vm_update_changes_no_document_when_the_host_refuses);
	tcase_add_test(tcase, test_vm_updates_go_one_after_the_other);
	tcase_add_loop_test(tcase, test_vm_exec_refuses_a_terminal_with_stderr_in_every_state, 0, N_STATES);
	tcase_add_test(tcase, test_vm_exec_relays_waits_and_reports_the_exit_code);
	tcase_add_test(tcase, test_vm_exec_is_killed_when_it_is_cancelled);
	tcase_add_test(tcase, test_vm_stats_are_read);
	tcase_add_test(tcase, test_vm_stacks_are_empty_when_the_guest_cannot);
	tcase_add_loop_test(tcase, test_vm_compatibility_is_had_while_running_and_as_a_source, 0, N_STATES);
	tcase_add_loop_test(tcase, test_vm_runtime_id_is_told_in_created_and_running_only, 0, N_STATES);
	tcase_add_test(tcase, test_vm_scsi_is_built_from_the_document);
	tcase_add_test(tcase, test_vm_plan9_and_vpci_are_made_once);
	tcase_add_test(tcase, test_vm_gives_its_routing_option_to_each_network);
	tcase_add_test(tcase, test_vm_table_has_no_row_twice_and_no_way_out_of_terminated);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
