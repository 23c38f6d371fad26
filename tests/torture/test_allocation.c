/* Every allocation of every flow fails: once, and from then on; the context's memory and cJSON's. */
#include <check.h>
#include <stdlib.h>

#include "torture.h"

#define KINDS 4

static const torture_kind kinds[KINDS] = { TORTURE_ALLOCATION, TORTURE_ALLOCATIONS, TORTURE_JSON, TORTURE_JSON_ALL };

static int count(const torture_scenario *scenarios)
{
	int n = 0;

	while (scenarios[n].name)
		n++;
	return n;
}

START_TEST(test_migration_survives_any_failing_allocation)
{
	torture_run(&torture_migrations[_i / KINDS], kinds[_i % KINDS], _i);
}
END_TEST

START_TEST(test_operation_survives_any_failing_allocation)
{
	torture_run(&torture_operations[_i / KINDS], kinds[_i % KINDS], KINDS * count(torture_migrations) + _i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("torture");
	TCase *tests = tcase_create("allocation");
	SRunner *runner;
	int failed;

	torture_begin_program();
	torture_count_slots(KINDS * (count(torture_migrations) + count(torture_operations)));
	tcase_set_timeout(tests, 3600);
	tcase_add_loop_test(tests, test_migration_survives_any_failing_allocation, 0, KINDS * count(torture_migrations));
	tcase_add_loop_test(tests, test_operation_survives_any_failing_allocation, 0, KINDS * count(torture_operations));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	torture_end_program();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
