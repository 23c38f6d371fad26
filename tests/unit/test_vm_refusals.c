/* What the VM controller refuses: arguments and states; and the questions it answers in each state. */
#include "vm_fixture.h"

static lcowmig_error error = LCOWMIG_ERROR_INIT;

static void expect_refusal(lcowmig_status status, const char *message)
{
	ck_assert_int_eq(status, LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_msg(strstr(error.message, message) != NULL, "%s", error.message);
	error.message[0] = '\0';
}

/* ---- NULL ---- */

START_TEST(test_vm_functions_refuse_a_machine_that_is_null)
{
	static const char none[] = "the virtual machine is NULL";
	lcowmig_vm_cpu_limits limits = { .size = sizeof limits };
	lcowmig_vm_stats stats = { .size = sizeof stats };
	lcowmig_vm_exec exec = { .size = sizeof exec };
	int32_t code = 9;

	expect_refusal(lcowmig_vm_create(NULL, STANDARD, 1, NULL, NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_start(NULL, NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_terminate(NULL, NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_wait(NULL, NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_set_policy(NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_update_memory(NULL, 1024, NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_update_cpu(NULL, &limits, NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_update_cpu_group(NULL, "g", NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_update_policy_fragment(NULL, "f", NULL, NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_exec_into_host(NULL, &exec, &code, NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_dump_stacks(NULL, NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_get_stats(NULL, &stats, NULL, NULL, &error), none);
	expect_refusal(lcowmig_vm_query_compatibility(NULL, NULL, NULL, &error), none);
	ck_assert_int_eq(code, 9);
}
END_TEST

START_TEST(test_vm_questions_to_null_are_answered_with_nothing)
{
	size_t size = 7;

	ck_assert_int_eq(lcowmig_vm_get_state(NULL), LCOWMIG_VM_NOT_CREATED);
	ck_assert_str_eq(lcowmig_vm_id(NULL), "");
	ck_assert_str_eq(lcowmig_vm_runtime_id(NULL), "");
	ck_assert_int_eq(lcowmig_vm_start_time(NULL), 0);
	ck_assert_str_eq(lcowmig_vm_stacks(NULL), "");
	ck_assert_ptr_null(lcowmig_vm_compatibility_info(NULL, &size));
	ck_assert_uint_eq(size, 7);
	ck_assert_str_eq(lcowmig_vm_state_name((lcowmig_vm_state)13), "UNKNOWN");
}
END_TEST

START_TEST(test_vm_questions_need_a_place_for_the_answer)
{
	static const char none[] = "virtual machine: it, or the place for the result, is NULL or has no size";
	lcowmig_vm_exit result = { .size = sizeof result };
	const char *architecture = NULL;
	lcowmig_plan9 *plan9 = NULL;
	lcowmig_scsi *scsi = NULL;
	lcowmig_vpci *vpci = NULL;

	expect_refusal(lcowmig_vm_architecture(NULL, &architecture, &error), none);
	expect_refusal(lcowmig_vm_architecture(vm, NULL, &error), none);
	expect_refusal(lcowmig_vm_exit_status(NULL, &result, &error), none);
	expect_refusal(lcowmig_vm_exit_status(vm, NULL, &error), none);
	result.size = sizeof result - 5;
	expect_refusal(lcowmig_vm_exit_status(vm, &result, &error), none);
	expect_refusal(lcowmig_vm_scsi(NULL, &scsi, &error), none);
	expect_refusal(lcowmig_vm_scsi(vm, NULL, &error), none);
	expect_refusal(lcowmig_vm_plan9(NULL, &plan9, &error), none);
	expect_refusal(lcowmig_vm_plan9(vm, NULL, &error), none);
	expect_refusal(lcowmig_vm_vpci(NULL, &vpci, &error), none);
	expect_refusal(lcowmig_vm_vpci(vm, NULL, &error), none);
	ck_assert(!architecture && !scsi && !plan9 && !vpci);
}
END_TEST

/* ---- Other arguments ---- */

START_TEST(test_vm_create_refuses_what_it_cannot_read_and_does_without_options)
{
	lcowmig_vm_options options = standard_options();
	const char *architecture = NULL;

	options.reserved = 1;
	expect_refusal(lcowmig_vm_create(vm, STANDARD, strlen(STANDARD), &options, NULL, NULL, &error), "reserved is not zero");
	options.size = 8;
	expect_refusal(lcowmig_vm_create(vm, STANDARD, strlen(STANDARD), &options, NULL, NULL, &error), "lcowmig_vm_options");
	expect_refusal(lcowmig_vm_create(vm, STANDARD, 0, NULL, NULL, NULL, &error), "the HCS document is missing");
	expect_refusal(lcowmig_vm_create(vm, NULL, 5, NULL, NULL, NULL, &error), "the HCS document is missing");
	test_host_expect_log(host, "");
	ck_assert_int_eq(lcowmig_vm_create(vm, STANDARD, strlen(STANDARD), NULL, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_architecture(vm, &architecture, &error), LCOWMIG_OK);
	ck_assert_str_eq(architecture, "");
	ck_assert(!vm->config.no_writable_file_shares && !vm->config.confidential);
}
END_TEST

START_TEST(test_vm_create_needs_a_sandbox_with_an_id)
{
	vm->owner.user = NULL;
	ck_assert_int_eq(create_from(STANDARD, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "the sandbox has no id"));
	ck_assert_int_eq(state(), LCOWMIG_VM_NOT_CREATED);
}
END_TEST

START_TEST(test_vm_set_policy_takes_a_whole_one_or_none)
{
	lcowmig_vm_policy policy = { .size = sizeof policy, .enforcer = "rego" };

	expect_refusal(lcowmig_vm_set_policy(vm, &policy, &error), "enforcer or policy is missing");
	policy.policy = "cG9saWN5";
	policy.enforcer = NULL;
	expect_refusal(lcowmig_vm_set_policy(vm, &policy, &error), "enforcer or policy is missing");
	policy.size = 8;
	expect_refusal(lcowmig_vm_set_policy(vm, &policy, &error), "lcowmig_vm_policy");
	policy.size = sizeof policy;
	policy.enforcer = "rego";
	ck_assert_int_eq(lcowmig_vm_set_policy(vm, &policy, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_set_policy(vm, NULL, &error), LCOWMIG_OK);
	make_running();
	ck_assert_ptr_null(strstr(test_host_log(host), "SecurityPolicy"));
	ck_assert_int_eq(lcowmig_vm_set_policy(vm, &policy, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_str_eq(error.message, "virtual machine test@vm is Running; a policy needs NotCreated, Created");
}
END_TEST

START_TEST(test_vm_updates_refuse_what_is_none)
{
	lcowmig_vm_cpu_limits limits = { .size = sizeof limits, .reserved = 1 };
	lcowmig_vm_stats stats = { .size = 8 };

	make_running();
	test_host_clear_log(host);
	expect_refusal(lcowmig_vm_update_memory(vm, 0, NULL, NULL, &error), "a memory of 0 MiB is none");
	expect_refusal(lcowmig_vm_update_memory(vm, UINT64_C(1) << 32, NULL, NULL, &error), "a memory of 4294967296 MiB is none");
	expect_refusal(lcowmig_vm_update_cpu(vm, &limits, NULL, NULL, &error), "lcowmig_vm_cpu_limits: reserved is not zero");
	expect_refusal(lcowmig_vm_update_cpu(vm, NULL, NULL, NULL, &error), "lcowmig_vm_cpu_limits");
	expect_refusal(lcowmig_vm_update_cpu_group(vm, "", NULL, NULL, &error), "the id of the CPU group is empty");
	expect_refusal(lcowmig_vm_update_policy_fragment(vm, "", NULL, NULL, NULL, &error), "the policy fragment is empty");
	expect_refusal(lcowmig_vm_update_policy_fragment(vm, NULL, NULL, NULL, NULL, &error), "the policy fragment is empty");
	expect_refusal(lcowmig_vm_get_stats(vm, NULL, NULL, NULL, &error), "lcowmig_vm_stats: it is NULL or its size is not set");
	expect_refusal(lcowmig_vm_get_stats(vm, &stats, NULL, NULL, &error), "lcowmig_vm_stats: it is NULL or its size is not set");
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_vm_exec_refuses_what_cannot_be_run)
{
	const char *arguments[] = { "a", NULL };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 2 };
	int32_t code = 9;

	make_running();
	test_host_clear_log(host);
	expect_refusal(lcowmig_vm_exec_into_host(vm, &exec, NULL, NULL, NULL, &error), "ret_exit_code is NULL");
	expect_refusal(lcowmig_vm_exec_into_host(vm, NULL, &code, NULL, NULL, &error), "lcowmig_vm_exec");
	expect_refusal(lcowmig_vm_exec_into_host(vm, &exec, &code, NULL, NULL, &error), "argument 1 is NULL");
	exec.n_arguments = 0;
	expect_refusal(lcowmig_vm_exec_into_host(vm, &exec, &code, NULL, NULL, &error), "there are no arguments");
	exec.n_arguments = 1;
	exec.reserved = 1;
	expect_refusal(lcowmig_vm_exec_into_host(vm, &exec, &code, NULL, NULL, &error), "or reserved is not zero");
	exec.reserved = 0;
	exec.arguments = NULL;
	expect_refusal(lcowmig_vm_exec_into_host(vm, &exec, &code, NULL, NULL, &error), "there are no arguments");
	ck_assert_int_eq(code, 9);
	test_host_expect_log(host, "");
	/* A terminal alone is fine. */
	exec.arguments = arguments;
	exec.terminal = 1;
	ck_assert_int_eq(lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, NULL, &error), LCOWMIG_PENDING);
	test_host_exit_process(host, 101, 0);
}
END_TEST

/* ---- Questions in each state ---- */

START_TEST(test_vm_answers_what_is_known_in_each_state)
{
	bool is_alive = _i == LCOWMIG_VM_CREATED || _i == LCOWMIG_VM_RUNNING;
	bool has_time = _i == LCOWMIG_VM_RUNNING || _i == LCOWMIG_VM_TERMINATED;
	bool has_id = _i != LCOWMIG_VM_NOT_CREATED && _i != LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED;

	make(_i);
	ck_assert_int_eq(lcowmig_vm_runtime_id(vm)[0] != '\0', is_alive);
	ck_assert_int_eq(lcowmig_vm_start_time(vm) != 0, has_time);
	ck_assert_int_eq(lcowmig_vm_id(vm)[0] != '\0', has_id);
	ck_assert_str_eq(lcowmig_vm_stacks(vm), "");
	(void)lcowmig_vm_compatibility_info(vm, NULL);
}
END_TEST

START_TEST(test_vm_capture_needs_a_machine_that_was_initialized)
{
	lcowmig__wire_vm wire = { 0 };
	lcowmig__arena arena;

	make_running();
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	ck_assert_int_eq(lcowmig__vm_capture(vm, &arena, &wire, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "is Running; save needs SourceMigrationInitialized"));
	ck_assert_ptr_null(wire.vm_id);
	lcowmig__arena_done(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vm refusals");
	TCase *tcase = tcase_create("refusals");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_vm_functions_refuse_a_machine_that_is_null);
	tcase_add_test(tcase, test_vm_questions_to_null_are_answered_with_nothing);
	tcase_add_test(tcase, test_vm_questions_need_a_place_for_the_answer);
	tcase_add_test(tcase, test_vm_create_refuses_what_it_cannot_read_and_does_without_options);
	tcase_add_test(tcase, test_vm_create_needs_a_sandbox_with_an_id);
	tcase_add_test(tcase, test_vm_set_policy_takes_a_whole_one_or_none);
	tcase_add_test(tcase, test_vm_updates_refuse_what_is_none);
	tcase_add_test(tcase, test_vm_exec_refuses_what_cannot_be_run);
	tcase_add_loop_test(tcase, test_vm_answers_what_is_known_in_each_state, 0, N_STATES);
	tcase_add_test(tcase, test_vm_capture_needs_a_machine_that_was_initialized);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
