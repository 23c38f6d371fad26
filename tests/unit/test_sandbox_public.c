/* The sandbox's public functions: what they refuse, its limits, and what it says of a machine that migrates. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migration_fixture.h"

static lcowmig_sandbox *sandbox(void)
{
	return source->sandbox;
}

static lcowmig_pod *pod_named(const char *id)
{
	lcowmig_pod *pod = NULL;

	ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox(), id, &pod, NULL), LCOWMIG_OK);
	return pod;
}

/* ---- Arguments ---- */

START_TEST(test_sandbox_call_refuses_null_where_something_is_required)
{
	lcowmig_sandbox_status status = { .size = sizeof status };
	lcowmig_update update = LCOWMIG_UPDATE_INIT;
	lcowmig_error *error = &world->error;
	lcowmig_container *container = NULL;
	lcowmig_sandbox *made = NULL;
	lcowmig_pod *pod = NULL;

	FAILS(lcowmig_sandbox_new(NULL, &source->host->config, &made, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_new(source->host->context, &source->host->config, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_check_task(NULL, LCOWMIG_TASK_KILL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_check_task(sandbox(), (lcowmig_task_call)0, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_check_call(NULL, LCOWMIG_SANDBOX_WAIT, "sb", error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_check_call(sandbox(), (lcowmig_sandbox_call)99, "sb", error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_get_status(NULL, &status, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_get_status(sandbox(), NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_hcs_event(NULL, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, "{}", error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_guest_notification(NULL, "{}", 2, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_guest_notification(sandbox(), NULL, 2, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_find_container(NULL, "p0", &container, &pod, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_find_container(sandbox(), NULL, &container, &pod, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_find_container(sandbox(), "p0", NULL, &pod, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_find_pod(NULL, "p0", &pod, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_find_pod(sandbox(), NULL, &pod, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_find_pod(sandbox(), "p0", NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_sandbox_update(sandbox(), NULL, &update, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_new(NULL, "p9", NULL, &pod, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_new(sandbox(), "p9", NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_new(sandbox(), NULL, NULL, &pod, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_delete(NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_new_container(NULL, "c9", &container, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_new_container(pod_named("p0"), "c9", NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_new_container(pod_named("p0"), NULL, &container, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_delete_container(NULL, "p0", error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_delete_container(pod_named("p0"), NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(made);
	ck_assert_ptr_null(container);
	ck_assert_ptr_null(pod);
}
END_TEST

START_TEST(test_questions_to_no_sandbox_have_answers)
{
	lcowmig_pod *pods[2] = { NULL, NULL };

	ck_assert_str_eq(lcowmig_sandbox_id(NULL), "");
	ck_assert_ptr_null(lcowmig_sandbox_vm(NULL));
	ck_assert_ptr_null(lcowmig_sandbox_migration(NULL));
	ck_assert_uint_eq(lcowmig_sandbox_list_pods(NULL, pods, 2), 0);
	ck_assert_uint_eq(lcowmig_sandbox_list_pods(sandbox(), pods, 1), 2);
	ck_assert_str_eq(lcowmig_pod_id(pods[0]), "p0");
	ck_assert_ptr_null(pods[1]);
	ck_assert_uint_eq(lcowmig_sandbox_list_pods(sandbox(), NULL, 2), 2);
}
END_TEST

/* ---- New ---- */

/* A host that has a part of the callbacks gets a sandbox that says what is missing when it is needed. */
START_TEST(test_sandbox_is_made_without_callbacks)
{
	lcowmig_sandbox_config config = { .size = sizeof config };
	lcowmig_sandbox *bare = NULL;

	OK(lcowmig_sandbox_new(source->host->context, &config, &bare, &world->error));
	FAILS(lcowmig_migration_check(lcowmig_sandbox_migration(bare), NULL, NULL, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "sandbox (unnamed) cannot migrate"));
	ck_assert_ptr_nonnull(strstr(world->error.message, "no initialize_migration"));
	FAILS(lcowmig_sandbox_check_task(bare, LCOWMIG_TASK_START, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "sandbox (unnamed): Start needs a virtual machine that is Running"));
	FAILS(lcowmig_sandbox_check_call(bare, LCOWMIG_SANDBOX_STATUS, "sb", &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(world->error.message, "for sandbox \"sb\", this one is \"(unnamed)\""));
	OK(lcowmig_sandbox_free(bare, &world->error));
}
END_TEST

START_TEST(test_sandbox_refuses_a_name_that_is_no_good)
{
	lcowmig_sandbox_config config = { .size = sizeof config };
	lcowmig_sandbox *made = NULL;
	char text[4096];

	memset(text, 'x', sizeof text);
	text[source->host->context->limits.id_bytes + 1] = '\0';
	config.id = _i == 0 ? "" : _i == 1 ? "\xff\xfe" : text;
	FAILS(lcowmig_sandbox_new(source->host->context, &config, &made, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(made);
	text[source->host->context->limits.id_bytes] = '\0';
	config.id = text;
	OK(lcowmig_sandbox_new(source->host->context, &config, &made, &world->error));
	ck_assert_str_eq(lcowmig_sandbox_id(made), text);
	OK(lcowmig_sandbox_free(made, &world->error));
}
END_TEST

/* The first table that is no good decides; nothing is made. */
START_TEST(test_sandbox_refuses_tables_of_an_older_library)
{
	lcowmig_sandbox_config config = source->host->config;
	lcowmig_hcs_ops hcs = *source->host->config.hcs;
	lcowmig_sandbox *made = NULL;

	hcs.size = 8;
	config.id = "other";
	config.hcs = &hcs;
	FAILS(lcowmig_sandbox_new(source->host->context, &config, &made, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(world->error.message, "lcowmig_hcs_ops"));
	ck_assert_ptr_null(made);
}
END_TEST

/* ---- The end ---- */

/* neither while a session lives nor while something of the sandbox is in flight. */
START_TEST(test_sandbox_free_names_what_is_in_the_way)
{
	lcowmig_update update = LCOWMIG_UPDATE_INIT;
	test_done done = { 0 };

	if (_i) {
		OK(world_prepare_source(world));
		FAILS(lcowmig_sandbox_free(sandbox(), &world->error), LCOWMIG_E_FAILED_PRECONDITION);
		ck_assert_ptr_nonnull(strstr(world->error.message, "sandbox sb: freeing it needs to be without a migration session: "));
		ck_assert_ptr_nonnull(strstr(world->error.message, WORLD_SESSION " is SourcePrepared; expected Idle"));
		return;
	}
	update.resources = "{\"memory\":{\"limit\":1073741824}}";
	test_host_hold(source->host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_sandbox_update(sandbox(), "p0", &update, test_on_done, &done, &world->error), LCOWMIG_PENDING);
	FAILS(lcowmig_sandbox_free(sandbox(), &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "has update in flight"));
	test_host_hold(source->host, "hcs.modify", false);
	test_host_complete(source->host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

/* ---- Status ---- */

/* SVC-25: the machine that moves is the running one until it has ended here; one that arrives is not before it runs. */
START_TEST(test_sandbox_status_follows_the_migration)
{
	lcowmig_sandbox_status here = { .size = sizeof here }, there = { .size = sizeof there };
	int point;

	for (point = WORLD_PREPARED; point <= (int)WORLD_STOPPED; point++) {
		OK(world_step(world, (world_point)point));
		OK(lcowmig_sandbox_get_status(source->sandbox, &here, &world->error));
		OK(lcowmig_sandbox_get_status(destination->sandbox, &there, &world->error));
		ck_assert_int_eq(here.ready, point < (int)WORLD_TRANSFERRED);
		ck_assert_int_eq(there.ready, point >= (int)WORLD_RESUMED);
		ck_assert_int_eq(here.exited_at != 0, point >= (int)WORLD_STOPPED);
	}
}
END_TEST

START_TEST(test_sandbox_status_of_a_machine_that_was_started_for_a_transfer)
{
	lcowmig_sandbox_status here = { .size = sizeof here };

	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_SOURCE_MIGRATION_STARTED);
	OK(lcowmig_sandbox_get_status(source->sandbox, &here, &world->error));
	ck_assert(here.ready);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
}
END_TEST

/* A machine that never ran has no time of its own. */
START_TEST(test_sandbox_status_of_a_machine_that_never_ran)
{
	lcowmig_sandbox_status there = { .size = sizeof there };

	OK(world_migrate_until(world, WORLD_IMPORTED));
	OK(world_abandon(world, destination));
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_TERMINATED);
	OK(lcowmig_sandbox_get_status(destination->sandbox, &there, &world->error));
	ck_assert(!there.ready && !there.created_at && !there.exited_at);
}
END_TEST

/* ---- Pods and containers ---- */

START_TEST(test_pod_and_container_ids_have_a_limit)
{
	size_t limit = source->host->context->limits.id_bytes;
	lcowmig_container *container = NULL;
	lcowmig_pod *pod = NULL;
	char text[4096];

	memset(text, 'x', sizeof text);
	text[limit + 1] = '\0';
	FAILS(lcowmig_pod_new(sandbox(), text, NULL, &pod, &world->error), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_ptr_nonnull(strstr(world->error.message, "the pod's id has"));
	FAILS(lcowmig_pod_new(sandbox(), "p9", text, &pod, &world->error), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_ptr_nonnull(strstr(world->error.message, "the network namespace's id has"));
	FAILS(lcowmig_pod_new(sandbox(), "\xff", NULL, &pod, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_pod_new_container(pod_named("p0"), text, &container, &world->error), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_ptr_null(pod);
	ck_assert_ptr_null(container);
}
END_TEST

START_TEST(test_sandbox_has_as_many_pods_and_containers_as_the_context_allows)
{
	lcowmig_limits *limits = &source->host->context->limits;
	lcowmig_container *container = NULL;
	lcowmig_pod *pod = NULL;

	limits->pods = 2;
	limits->containers = 4;
	FAILS(lcowmig_pod_new(sandbox(), "p2", NULL, &pod, &world->error), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_ptr_nonnull(strstr(world->error.message, "sandbox sb has 2 pods"));
	FAILS(lcowmig_pod_new_container(pod_named("p0"), "c9", &container, &world->error), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_ptr_nonnull(strstr(world->error.message, "sandbox sb has 4 containers"));
	limits->pods = 3;
	limits->containers = 5;
	OK(lcowmig_pod_new(sandbox(), "p2", NULL, &pod, &world->error));
	OK(lcowmig_pod_new_container(pod, "c9", &container, &world->error));
	FAILS(lcowmig_pod_delete(pod, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "pod p2 still has 1 containers"));
	OK(lcowmig_pod_delete_container(pod, "c9", &world->error));
	OK(lcowmig_pod_delete(pod, &world->error));
}
END_TEST

/* SVC-32: what a session has looked at stays. */
START_TEST(test_session_keeps_pods_and_containers_as_they_are)
{
	lcowmig_container *container = NULL;
	lcowmig_pod *pod = NULL;

	OK(world_prepare_source(world));
	FAILS(lcowmig_pod_new(sandbox(), "p9", NULL, &pod, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(lcowmig_pod_new_container(pod_named("p0"), "c9", &container, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(lcowmig_pod_delete(pod_named("p0"), &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "the deletion of a pod needs to be without a migration session"));
	FAILS(lcowmig_pod_delete_container(pod_named("p0"), "p0-c1", &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(lcowmig_pod_delete_container(pod_named("p0"), "nobody", &world->error), LCOWMIG_E_NOT_FOUND);
	OK(world_abandon(world, source));
	FAILS(lcowmig_pod_delete_container(pod_named("p0"), "p0-c1", &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "still has its init process"));
}
END_TEST

START_TEST(test_pod_that_is_busy_is_not_deleted)
{
	lcowmig_pod *pod = NULL;
	test_done done = { 0 };

	OK(lcowmig_pod_new(sandbox(), "p2", "a1b2c3d4-0000-4000-8000-000000000001", &pod, &world->error));
	test_host_hold(source->host, "network.endpoints", true);
	ck_assert_int_eq(lcowmig_pod_setup_network(pod, test_on_done, &done, &world->error), LCOWMIG_PENDING);
	FAILS(lcowmig_pod_delete(pod, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "pod p2 (live) has network setup in flight"));
	FAILS(lcowmig_migration_check(source->m, NULL, NULL, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "pod p2 (live) has network setup in flight"));
	test_host_hold(source->host, "network.endpoints", false);
	test_host_complete(source->host, "network.endpoints", LCOWMIG_OK, 0, "[]");
	ck_assert_int_eq(done.calls, 1);
}
END_TEST

/* ---- Update ---- */

static lcowmig_status update(const char *id, const char *resources, const char *group, const char *fragment)
{
	lcowmig_update wanted = LCOWMIG_UPDATE_INIT;

	wanted.resources = resources;
	wanted.cpu_group_id = group;
	wanted.policy_fragment = fragment;
	return lcowmig_sandbox_update(sandbox(), id, &wanted, NULL, NULL, &world->error);
}

/* SVC-06: groups and fragments are the machine's; a quota that is no limit asks for none. */
START_TEST(test_update_takes_what_fits_its_object)
{
	FAILS(update("p0-c1", "{}", "group", NULL), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(update("p0-c1", "{}", NULL, "fragment"), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(update("p0-c1", NULL, "group", NULL), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(update("p0", "{\"cpu\":{\"quota\":-1}}", NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(update("p0", "{\"cpu\":{\"quota\":0}}", NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(world->error.message, "expected memory.limit"));
	test_host_clear_log(source->host);
	OK(update("p0", "{\"cpu\":{\"quota\":-1,\"shares\":500}}", NULL, NULL));
	ck_assert_ptr_nonnull(strstr(test_host_log(source->host), "\"Weight\":500"));
	ck_assert_ptr_null(strstr(test_host_log(source->host), "\"Limit\""));
}
END_TEST

START_TEST(test_update_of_either_leaves_nothing_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	char fragment[3000], group[3000];
	unsigned i;

	/* So large that each copy needs memory of its own. */
	memset(fragment, 'A', sizeof fragment);
	memset(group, 'B', sizeof group);
	fragment[sizeof fragment - 1] = group[sizeof group - 1] = '\0';
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		test_host_clear_log(source->host);
		test_host_fail_allocation(source->host, i, false);
		status = _i ? update("p0-c1", "{\"cpu\":{\"shares\":5}}", NULL, NULL) : update("p0", NULL, group, fragment);
		test_host_fail_allocation(source->host, 0, false);
	}
	OK(status);
	ck_assert_uint_gt(i, 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox, public");
	TCase *tcase = tcase_create("sandbox, public");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up_pods, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_sandbox_call_refuses_null_where_something_is_required);
	tcase_add_test(tcase, test_questions_to_no_sandbox_have_answers);
	tcase_add_test(tcase, test_sandbox_is_made_without_callbacks);
	tcase_add_loop_test(tcase, test_sandbox_refuses_a_name_that_is_no_good, 0, 3);
	tcase_add_test(tcase, test_sandbox_refuses_tables_of_an_older_library);
	tcase_add_loop_test(tcase, test_sandbox_free_names_what_is_in_the_way, 0, 2);
	tcase_add_test(tcase, test_sandbox_status_follows_the_migration);
	tcase_add_test(tcase, test_sandbox_status_of_a_machine_that_was_started_for_a_transfer);
	tcase_add_test(tcase, test_sandbox_status_of_a_machine_that_never_ran);
	tcase_add_test(tcase, test_pod_and_container_ids_have_a_limit);
	tcase_add_test(tcase, test_sandbox_has_as_many_pods_and_containers_as_the_context_allows);
	tcase_add_test(tcase, test_session_keeps_pods_and_containers_as_they_are);
	tcase_add_test(tcase, test_pod_that_is_busy_is_not_deleted);
	tcase_add_test(tcase, test_update_takes_what_fits_its_object);
	tcase_add_loop_test(tcase, test_update_of_either_leaves_nothing_when_memory_is_out, 0, 2);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
