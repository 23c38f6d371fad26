/* The pod's public functions: what they refuse, and pods without a network. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "migration_fixture.h"

static lcowmig_pod *pod_named(const char *id)
{
	lcowmig_pod *pod = NULL;

	ck_assert_int_eq(lcowmig_sandbox_find_pod(source->sandbox, id, &pod, NULL), LCOWMIG_OK);
	return pod;
}

START_TEST(test_pod_call_refuses_null_where_something_is_required)
{
	lcowmig_container *container = NULL;

	FAILS(lcowmig_pod_setup_network(NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_teardown_network(NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_kill(NULL, 9, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_get_container(NULL, "p0", &container, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_get_container(pod_named("p0"), NULL, &container, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_get_container(pod_named("p0"), "p0", NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(container);
	ck_assert_uint_eq(lcowmig_pod_list_containers(NULL, &container, 1), 0);
	ck_assert_str_eq(lcowmig_pod_id(NULL), "");
	ck_assert_str_eq(lcowmig_pod_guest_id(NULL), "");
	ck_assert(!lcowmig_pod_is_migrating(NULL));
}
END_TEST

/* A pod without a namespace has nothing to set up or to tear down, and can go at once. */
START_TEST(test_pod_without_network_sets_nothing_up)
{
	lcowmig_pod *pod = NULL;

	OK(lcowmig_pod_new(source->sandbox, "p9", NULL, &pod, &world->error));
	test_host_clear_log(source->host);
	OK(lcowmig_pod_kill(pod, 9, NULL, NULL, &world->error)); /* there is nobody in it */
	OK(lcowmig_pod_setup_network(pod, NULL, NULL, &world->error));
	OK(lcowmig_pod_teardown_network(pod, NULL, NULL, &world->error));
	test_host_expect_log(source->host, "");
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "pod p9 has no network"));
	OK(lcowmig_pod_delete(pod, &world->error));
	OK(world_prepare_source(world));
}
END_TEST

/* Every operation of a pod says so when memory is out, and can be repeated; half a network has to be torn down before. */
START_TEST(test_pod_operation_leaves_nothing_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	lcowmig_pod *pod = pod_named("p0");
	unsigned i;

	if (_i)
		OK(lcowmig_pod_new(source->sandbox, "p9", "a1b2c3d4-0000-4000-8000-000000000001", &pod, &world->error));
	if (_i == 2)
		OK(lcowmig_pod_setup_network(pod, NULL, NULL, &world->error));
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		test_host_fail_allocation(source->host, i, false);
		if (_i == 0)
			status = lcowmig_pod_kill(pod, 9, NULL, NULL, &world->error);
		else if (_i == 1)
			status = lcowmig_pod_setup_network(pod, NULL, NULL, &world->error);
		else
			status = lcowmig_pod_teardown_network(pod, NULL, NULL, &world->error);
		test_host_fail_allocation(source->host, 0, false);
		if (_i == 1 && status != LCOWMIG_OK) {
			OK(lcowmig_pod_teardown_network(pod, NULL, NULL, &world->error));
			OK(lcowmig_pod_delete(pod, &world->error));
			OK(lcowmig_pod_new(source->sandbox, "p9", "a1b2c3d4-0000-4000-8000-000000000001", &pod, &world->error));
		}
	}
	OK(status);
	ck_assert_uint_ge(i, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pod, public");
	TCase *tcase = tcase_create("pod, public");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up_pods, tear_down);
	tcase_add_test(tcase, test_pod_call_refuses_null_where_something_is_required);
	tcase_add_test(tcase, test_pod_without_network_sets_nothing_up);
	tcase_add_loop_test(tcase, test_pod_operation_leaves_nothing_when_memory_is_out, 0, 3);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
