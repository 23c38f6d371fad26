/* The main function of a test program with one list of tests. */
#ifndef TEST_SUITE_H
#define TEST_SUITE_H

#include <check.h>
#include <stdlib.h>

#define SUITE_RUN(name, add)                                 \
	int main(void)                                       \
	{                                                    \
		Suite *suite = suite_create(name);           \
		TCase *tests = tcase_create(name);           \
		SRunner *runner;                             \
		int failed;                                  \
                                                             \
		tcase_set_timeout(tests, 60);                \
		add(tests);                                  \
		suite_add_tcase(suite, tests);               \
		runner = srunner_create(suite);              \
		srunner_run_all(runner, CK_ENV);             \
		failed = srunner_ntests_failed(runner);      \
		srunner_free(runner);                        \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS; \
	}

#endif
