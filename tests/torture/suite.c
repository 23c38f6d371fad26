/* What the torture programs have in common: each of their kinds of fault, at every point of every migration and of every operation. */
#include <check.h>
#include <stdlib.h>

#include "torture.h"

static const torture_kind *kinds;
static int n_kinds;

static int count(const torture_scenario *scenarios)
{
	int n = 0;

	while (scenarios[n].name)
		n++;
	return n;
}

START_TEST(test_migration_survives_a_fault_at_every_point)
{
	torture_run(&torture_migrations[_i / n_kinds], kinds[_i % n_kinds], _i);
}
END_TEST

START_TEST(test_operation_survives_a_fault_at_every_point)
{
	torture_run(&torture_operations[_i / n_kinds], kinds[_i % n_kinds], n_kinds * count(torture_migrations) + _i);
}
END_TEST

int torture_main(const char *name, const torture_kind *all, int n_all)
{
	Suite *suite = suite_create("torture");
	TCase *tests = tcase_create(name);
	SRunner *runner;
	int failed;

	kinds = all;
	n_kinds = n_all;
	torture_begin_program();
	torture_count_slots(n_kinds * (count(torture_migrations) + count(torture_operations)));
	tcase_set_timeout(tests, 3600);
	tcase_add_loop_test(tests, test_migration_survives_a_fault_at_every_point, 0, n_kinds * count(torture_migrations));
	tcase_add_loop_test(tests, test_operation_survives_a_fault_at_every_point, 0, n_kinds * count(torture_operations));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	torture_end_program();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
