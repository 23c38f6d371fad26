/* Every host call of every flow goes wrong, in every way in which a host may answer. */
#include <check.h>
#include <stdlib.h>

#include "torture.h"

#define FIRST TORTURE_ERROR
#define KINDS ((int)TORTURE_REORDER + 1 - (int)FIRST)

static int count(const torture_scenario *scenarios)
{
	int n = 0;

	while (scenarios[n].name)
		n++;
	return n;
}

START_TEST(test_migration_survives_any_host_call)
{
	torture_run(&torture_migrations[_i / KINDS], (torture_kind)((int)FIRST + _i % KINDS), _i);
}
END_TEST

START_TEST(test_operation_survives_any_host_call)
{
	torture_run(&torture_operations[_i / KINDS], (torture_kind)((int)FIRST + _i % KINDS), KINDS * count(torture_migrations) + _i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("torture");
	TCase *tests = tcase_create("host");
	SRunner *runner;
	int failed;

	torture_begin_program();
	torture_count_slots(KINDS * (count(torture_migrations) + count(torture_operations)));
	tcase_set_timeout(tests, 3600);
	tcase_add_loop_test(tests, test_migration_survives_any_host_call, 0, KINDS * count(torture_migrations));
	tcase_add_loop_test(tests, test_operation_survives_any_host_call, 0, KINDS * count(torture_operations));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	torture_end_program();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
