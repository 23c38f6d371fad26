/* Execs into the virtual machine whose answer comes when memory is out. */
#include "vm_fixture.h"

#define EXECUTE "guest.rpc 0x10100501"
#define SIGNAL "guest.rpc 0x10100701"

static lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = (const char *[]){ "sleep" }, .n_arguments = 1 };

static int32_t code;
static test_done done;

static lcowmig_status run_without_memory(unsigned nth)
{
	lcowmig_status status;

	code = 9;
	memset(&done, 0, sizeof done);
	test_host_clear_log(host);
	test_host_fail_allocation(host, nth, false);
	status = lcowmig_vm_exec_into_host(vm, &exec, &code, test_on_done, &done, NULL);
	test_host_fail_allocation(host, 0, false);
	return status;
}

/*
 * Whichever allocation fails: the process that the guest made is known, and killed. The one exception is the host's own copy of the
 * answer, which it attaches to the call.
 */
START_TEST(test_vm_exec_knows_its_process_when_memory_is_out)
{
	unsigned left_behind = 0;
	lcowmig_status status;
	unsigned executed = 0;
	unsigned killed = 0;
	unsigned nth;

	make_running();
	for (nth = 1; nth < 100; nth++) {
		status = run_without_memory(nth);
		executed += test_host_count(host, EXECUTE);
		if (status == LCOWMIG_PENDING)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		killed += test_host_count(host, EXECUTE) && test_host_count(host, SIGNAL);
		left_behind += test_host_count(host, EXECUTE) && !test_host_count(host, SIGNAL);
	}
	ck_assert_uint_gt(killed, 0);
	ck_assert_uint_eq(left_behind, 1);
	test_host_exit_process(host, 100 + executed, 0);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vm_exec_memory");
	TCase *tcase = tcase_create("vm_exec_memory");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_vm_exec_knows_its_process_when_memory_is_out);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
