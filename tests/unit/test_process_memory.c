/* The process controller against the scripted host: every step of it once memory is out. */
#include "process_fixture.h"

START_TEST(test_process_life_survives_every_failing_allocation)
{
	lcowmig_status (*const steps[])(void) = { create, start };
	unsigned step, nth;

	replace(make("e1"));
	for (step = 0; step < LCOWMIG__COUNT(steps); step++) {
		for (nth = 1; nth < 200; nth++) {
			int before = process->object.state;
			lcowmig_status status;

			test_host_fail_allocation(host, nth, false);
			status = steps[step]();
			test_host_fail_allocation(host, 0, false);
			if (status == LCOWMIG_OK)
				break;
			ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
			if (process->object.state == PROCESS_TERMINATED) {
				/* The guest had been asked already. */
				replace(make("e1"));
				ck_assert_int_eq(create(), LCOWMIG_OK);
				continue;
			}
			ck_assert_int_eq(process->object.state, before);
		}
		ck_assert_uint_lt(nth, 200);
	}
	test_host_advance(host, PROCESS_RETRY_NS); /* a wait that found no memory */
	ck_assert_int_gt(process->wait_id, 0);
	test_host_exit_process(host, process->pid, 0);
	assert_state("Terminated");
}
END_TEST

/* The public function's, which is for processes alone. */
static lcowmig_status patch_n(void)
{
	const lcowmig_process_options given = options(false);
	lcowmig_status status;

	process->is_standalone = true;
	status = lcowmig_process_patch(process, "n", &given, NULL, NULL, &error);
	process->is_standalone = false;
	return status;
}

static lcowmig_status resume_destination(void)
{
	return resume(true);
}

static const lcowmig__wire_process imported_exec = {
	"e1", 101, "C:\\source", { (const uint8_t *)SPEC, sizeof SPEC - 1 }, { 0, 0 }, { 0, 0x40000001u, 0 }, 57
};

START_TEST(test_process_migration_survives_every_failing_allocation)
{
	lcowmig_status (*const steps[])(void) = { patch_n, resume_destination };
	unsigned step, nth;

	if (_i)
		replace(import(&imported_exec));
	else
		become_imported();
	for (step = 0; step < LCOWMIG__COUNT(steps); step++) {
		for (nth = 1; nth < 200; nth++) {
			lcowmig_status status;

			test_host_fail_allocation(host, nth, false);
			status = steps[step]();
			test_host_fail_allocation(host, 0, false);
			if (status == LCOWMIG_OK)
				break;
			ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
			assert_state("DestinationMigrating");
		}
		ck_assert_uint_lt(nth, 200);
	}
	test_host_advance(host, PROCESS_RETRY_NS);
	ck_assert_uint_eq(test_host_count(host, "guest.adopt 57"), 1);
	test_host_exit_process(host, 101, 0);
	assert_state("Terminated");
	ck_assert_int_eq(exits, 1);
}
END_TEST

static lcowmig_status kill_with_signal(void)
{
	return kill_it(true);
}

static lcowmig_status resize_it(void)
{
	return resize();
}

static lcowmig_status close_stdin(void)
{
	return lcowmig_process_close_stdin(process, NULL, NULL, &error);
}

static lcowmig_status wait_for_it(void)
{
	return lcowmig_process_wait(process, NULL, NULL, &error);
}

/* What is asked of a running process and finds no memory has changed nothing, and is done when it is asked again. */
START_TEST(test_process_requests_survive_every_failing_allocation)
{
	lcowmig_status (*const requests[])(void) = { kill_with_signal, resize_it, close_stdin, wait_for_it, delete_it };
	unsigned request, nth;

	ck_assert_int_eq(create_terminal(), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	for (request = 0; request < LCOWMIG__COUNT(requests); request++) {
		if (requests[request] == wait_for_it) {
			test_host_exit_process(host, 101, 0);
			assert_state("Terminated");
		}
		for (nth = 1; nth < 100; nth++) {
			lcowmig_status status;

			test_host_fail_allocation(host, nth, false);
			status = requests[request]();
			test_host_fail_allocation(host, 0, false);
			if (status == LCOWMIG_OK)
				break;
			ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		}
		ck_assert_uint_gt(nth, 1);
		ck_assert_uint_lt(nth, 100);
	}
	ck_assert_uint_ge(test_host_count(host, SIGNAL), 1); /* again when its answer found no memory */
	ck_assert_uint_eq(test_host_count(host, "stdio.close_stdin"), 1);
	ck_assert_int_eq(exits, 1);
}
END_TEST

START_TEST(test_process_import_survives_every_failing_allocation)
{
	lcowmig_process *imported = NULL;
	lcowmig_sandbox *sandbox;
	uint8_t bytes[1024];
	unsigned nth;
	size_t size;

	replace(make("e1"));
	ck_assert_int_eq(create(), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	process->is_standalone = true;
	ck_assert_int_eq(lcowmig_process_save(process, bytes, sizeof bytes, &size, &error), LCOWMIG_OK);
	process->is_standalone = false;
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, &error), LCOWMIG_OK);
	for (nth = 1; nth < 100; nth++) {
		lcowmig_status status;

		test_host_fail_allocation(host, nth, false);
		status = lcowmig_process_import(sandbox, bytes, size, "n", "g1", &imported, &error);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		ck_assert_ptr_null(imported);
	}
	ck_assert_uint_gt(nth, 5);
	ck_assert_uint_lt(nth, 100);
	ck_assert_int_eq(lcowmig_process_abort(imported, &error), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(host, "event exit"), 0); /* its container tells */
	ck_assert_int_eq(lcowmig_process_free(imported, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process memory");
	TCase *tcase = tcase_create("process memory");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_process_life_survives_every_failing_allocation);
	tcase_add_test(tcase, test_process_requests_survive_every_failing_allocation);
	tcase_add_loop_test(tcase, test_process_migration_survives_every_failing_allocation, 0, 2);
	tcase_add_test(tcase, test_process_import_survives_every_failing_allocation);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
