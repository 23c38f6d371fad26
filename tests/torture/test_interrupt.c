/* Every flow is cancelled at every await, and meets every other operation at every host call. */
#include <check.h>
#include <stdlib.h>

#include "torture.h"

#define FIRST TORTURE_AWAIT_CANCEL
#define KINDS ((int)TORTURE_OVERLAP_INSIDE + 1 - (int)FIRST)

static int count(const torture_scenario *scenarios)
{
	int n = 0;

	while (scenarios[n].name)
		n++;
	return n;
}

START_TEST(test_migration_survives_any_interruption)
{
	torture_run(&torture_migrations[_i / KINDS], (torture_kind)((int)FIRST + _i % KINDS), _i);
}
END_TEST

START_TEST(test_operation_survives_any_interruption)
{
	torture_run(&torture_operations[_i / KINDS], (torture_kind)((int)FIRST + _i % KINDS), KINDS * count(torture_migrations) + _i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("torture");
	TCase *tests = tcase_create("interrupt");
	SRunner *runner;
	int failed;

	torture_begin_program();
	torture_count_slots(KINDS * (count(torture_migrations) + count(torture_operations)));
	tcase_set_timeout(tests, 3600);
	tcase_add_loop_test(tests, test_migration_survives_any_interruption, 0, KINDS * count(torture_migrations));
	tcase_add_loop_test(tests, test_operation_survives_any_interruption, 0, KINDS * count(torture_operations));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	torture_end_program();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
