/* The real bridge with a guest: every frame between them is lost, cut, doubled, delayed, refused or the last one. And every
 * allocation fails. */
#include <check.h>
#include <stdlib.h>

#include "torture.h"

#define KINDS 13

static const torture_kind kinds[KINDS] = {
	TORTURE_FRAME_DROP,    TORTURE_FRAME_CUT,   TORTURE_FRAME_TWICE, TORTURE_FRAME_DELAY,  TORTURE_FRAME_REFUSE,
	TORTURE_FRAME_GARBAGE, TORTURE_FRAME_CLOSE, TORTURE_ALLOCATION,  TORTURE_ALLOCATIONS,
	TORTURE_AWAIT_CANCEL,  TORTURE_AWAIT_INTERRUPT, TORTURE_AWAIT_REFUSE, TORTURE_AWAIT_REFUSE_ALL,
};

static int count(const torture_scenario *scenarios)
{
	int n = 0;

	while (scenarios[n].name)
		n++;
	return n;
}

START_TEST(test_migration_survives_any_frame)
{
	torture_run(&torture_migrations[_i / KINDS], kinds[_i % KINDS], _i);
}
END_TEST

START_TEST(test_operation_survives_any_frame)
{
	torture_run(&torture_operations[_i / KINDS], kinds[_i % KINDS], KINDS * count(torture_migrations) + _i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("torture");
	TCase *tests = tcase_create("guest");
	SRunner *runner;
	int failed;

	torture_begin_program();
	torture_count_slots(KINDS * (count(torture_migrations) + count(torture_operations)));
	tcase_set_timeout(tests, 3600);
	tcase_add_loop_test(tests, test_migration_survives_any_frame, 0, KINDS * count(torture_migrations));
	tcase_add_loop_test(tests, test_operation_survives_any_frame, 0, KINDS * count(torture_operations));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	torture_end_program();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
