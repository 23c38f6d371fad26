/* A task's Update: to a container, or, for a pod's id, to the virtual machine. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static test_world *world;
static test_host *host;
static lcowmig_sandbox *sandbox;

static void setup(void)
{
	world = world_new(1, 2);
	host = world->source.host;
	sandbox = world->source.sandbox;
	test_host_clear_log(host);
}

static void teardown(void)
{
	world_free(world);
}

static lcowmig_status update(const char *id, const char *resources, const char *cpu_group, const char *fragment)
{
	lcowmig_update wanted = LCOWMIG_UPDATE_INIT;

	wanted.resources = resources;
	wanted.cpu_group_id = cpu_group;
	wanted.policy_fragment = fragment;
	lcowmig__error_init(&world->error);
	return lcowmig_sandbox_update(sandbox, id, &wanted, NULL, NULL, &world->error);
}

#define SAYS(text) ck_assert_msg(strstr(world->error.message, text) != NULL, "\"%s\" lacks \"%s\"", world->error.message, text)
#define LOGGED(text) ck_assert_msg(strstr(test_host_log(host), text) != NULL, "\"%s\" lacks \"%s\"", test_host_log(host), text)

/* SVC-06 */
START_TEST(test_update_of_nothing_is_refused)
{
	ck_assert_int_eq(update("p0", NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(update("p0-c1", NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(update("nobody", "{}", NULL, NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_sandbox_update(NULL, "p0", NULL, NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_sandbox_update(sandbox, "p0", NULL, NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(test_host_log(host), "");
}
END_TEST

/* SVC-07 */
START_TEST(test_update_of_a_pod_passes_the_fragment_unchanged)
{
	ck_assert_int_eq(update("p0", NULL, NULL, "0oRYc6E="), LCOWMIG_OK);
	LOGGED("\"SecurityPolicyFragment\"");
	LOGGED("\"Fragment\":\"0oRYc6E=\"");
}
END_TEST

/* SVC-08 */
START_TEST(test_update_of_a_pod_gives_memory_in_mib)
{
	ck_assert_int_eq(update("p0", "{\"memory\":{\"limit\":2147483648}}", NULL, NULL), LCOWMIG_OK);
	LOGGED("hcs.modify {\"ResourcePath\":\"VirtualMachine/ComputeTopology/Memory/SizeInMB\",\"Settings\":2048}");
	LOGGED("\"PodCgroupMemoryLimit\"");
}
END_TEST

/* SVC-09 */
START_TEST(test_update_of_a_pod_gives_limit_and_weight)
{
	ck_assert_int_eq(update("p0", "{\"cpu\":{\"quota\":50000,\"shares\":500}}", NULL, NULL), LCOWMIG_OK);
	LOGGED("Processor/Limits\",\"Settings\":{\"Limit\":50000,\"Weight\":500}");
}
END_TEST

/* SVC-10 */
START_TEST(test_update_of_a_pod_passes_the_cpu_group)
{
	ck_assert_int_eq(update("p0", NULL, "7e2a3e3c-0bb0-4d8a-9d1b-6f0c7b1f2a33", NULL), LCOWMIG_OK);
	LOGGED("Processor/CpuGroup\",\"Settings\":{\"Id\":\"7e2a3e3c-0bb0-4d8a-9d1b-6f0c7b1f2a33\"}");
}
END_TEST

/* SVC-11 */
START_TEST(test_update_of_a_pod_keeps_the_cause)
{
	static const char *const resources[] = { NULL, "{\"memory\":{\"limit\":2147483648}}", "{\"cpu\":{\"shares\":500}}", NULL };

	test_host_fail(host, _i ? "hcs.modify" : "guest.rpc", 1, LCOWMIG_E_HOST_FAILED, 0x8007000E, "no room");
	ck_assert_int_eq(update("p0", resources[_i], _i == 3 ? "7e2a3e3c-0bb0-4d8a-9d1b-6f0c7b1f2a33" : NULL, _i == 0 ? "0oRYc6E=" : NULL),
	                 LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(world->error.hresult, 0x8007000E);
	SAYS("p0");
	SAYS("no room");
}
END_TEST

/* SVC-12 */
START_TEST(test_update_of_a_pod_refuses_what_a_machine_has_not)
{
	ck_assert_int_eq(update("p0", "{\"pids\":{\"limit\":5}}", NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	SAYS("memory.limit");
	ck_assert_int_eq(update("p0", "[", NULL, NULL), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_str_eq(test_host_log(host), "");
}
END_TEST

START_TEST(test_update_of_a_container_reaches_the_guest)
{
	ck_assert_int_eq(update("p0-c1", "{\"memory\":{\"limit\":268435456}}", NULL, NULL), LCOWMIG_OK);
	LOGGED("\"ContainerConstraints\"");
	ck_assert_int_eq(update("p0-c1", "{}", "7e2a3e3c-0bb0-4d8a-9d1b-6f0c7b1f2a33", NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* SVC-01: also for both kinds while the machine is migrating. */
START_TEST(test_update_is_refused_while_migrating)
{
	ck_assert_int_eq(world_prepare_source(world), LCOWMIG_OK);
	ck_assert_int_eq(update("p0", "{\"cpu\":{\"shares\":500}}", NULL, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(update("p0-c1", "{}", NULL, NULL), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* SVC-13 */
START_TEST(test_pids_of_a_forgotten_container_are_not_found)
{
	static const struct {
		uint32_t hresult;
		lcowmig_status status;
	} rows[] = {
		{ 0xC037010E, LCOWMIG_E_NOT_FOUND },
		{ 0x80070490, LCOWMIG_E_NOT_FOUND },
		{ 0x80004005, LCOWMIG_E_GUEST_FAILED },
	};
	lcowmig_container *container;
	lcowmig_pids *pids = NULL;

	ck_assert_int_eq(lcowmig_sandbox_find_container(sandbox, "p0-c1", &container, NULL, NULL), LCOWMIG_OK);
	test_host_fail(host, "guest.rpc", 1, LCOWMIG_E_GUEST_FAILED, rows[_i].hresult, "what container?");
	ck_assert_int_eq(lcowmig_container_pids(container, &pids, NULL, NULL, &world->error), rows[_i].status);
	ck_assert_uint_eq(world->error.hresult, rows[_i].hresult);
	ck_assert_ptr_null(pids);
}
END_TEST

START_TEST(test_update_survives_every_allocation_failure)
{
	unsigned n;

	for (n = 1; n < 200; n++) {
		lcowmig_status status;

		test_host_fail_allocation(host, n, false);
		status = update("p0", "{\"memory\":{\"limit\":2147483648},\"cpu\":{\"quota\":1,\"shares\":2}}", "7e2a3e3c-0bb0-4d8a-9d1b-6f0c7b1f2a33", "Zg==");
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
	}
	ck_assert_uint_gt(n, 10);
	ck_assert_uint_lt(n, 200);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("update");
	TCase *tcase = tcase_create("update");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_update_of_nothing_is_refused);
	tcase_add_test(tcase, test_update_of_a_pod_passes_the_fragment_unchanged);
	tcase_add_test(tcase, test_update_of_a_pod_gives_memory_in_mib);
	tcase_add_test(tcase, test_update_of_a_pod_gives_limit_and_weight);
	tcase_add_test(tcase, test_update_of_a_pod_passes_the_cpu_group);
	tcase_add_loop_test(tcase, test_update_of_a_pod_keeps_the_cause, 0, 4);
	tcase_add_test(tcase, test_update_of_a_pod_refuses_what_a_machine_has_not);
	tcase_add_test(tcase, test_update_of_a_container_reaches_the_guest);
	tcase_add_test(tcase, test_update_is_refused_while_migrating);
	tcase_add_loop_test(tcase, test_pids_of_a_forgotten_container_are_not_found, 0, 3);
	tcase_add_test(tcase, test_update_survives_every_allocation_failure);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
