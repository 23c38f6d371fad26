/* The sandbox: its pods and containers, the index over them, and the events it passes on. */
#include "sandbox_fixture.h"

/* ---- Pods, containers, the index ---- */

START_TEST(test_sandbox_makes_pods_while_running_and_finds_them)
{
	lcowmig_pod *b = NULL, *a = NULL, *found = NULL;
	lcowmig_pod *list[2];

	ck_assert_int_eq(lcowmig_pod_new(sandbox, "a", "ns", &a, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	make_running();
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "b", "ns", &b, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "a", "ns", &a, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "a", "ns", &found, NULL), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "", "ns", &found, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "\xff", "ns", &found, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox, "b", &found, NULL), LCOWMIG_OK);
	ck_assert_ptr_eq(found, b);
	ck_assert_uint_eq(lcowmig_sandbox_list_pods(sandbox, list, 2), 2);
	ck_assert(list[0] == a && list[1] == b);
	ck_assert_int_eq(lcowmig_pod_delete(b, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox, "b", &found, NULL), LCOWMIG_E_NOT_FOUND);
}
END_TEST

START_TEST(test_sandbox_keeps_container_ids_unique_over_all_pods)
{
	lcowmig_container *container = NULL;
	lcowmig_pod *a, *b, *found;

	make_running();
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "a", "ns", &a, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "b", "ns", &b, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new_container(a, "c", &container, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_new_container(b, "c", &container, NULL), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_uint_eq(lcowmig_pod_list_containers(b, NULL, 0), 0);
	ck_assert_int_eq(find("c", &found), LCOWMIG_OK);
	ck_assert_ptr_eq(found, a);
	ck_assert_int_eq(lcowmig_pod_delete(a, NULL), LCOWMIG_E_FAILED_PRECONDITION); /* it has a container */
	ck_assert_int_eq(lcowmig_pod_delete_container(a, "x", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_pod_delete_container(a, "c", NULL), LCOWMIG_OK);
	ck_assert_int_eq(find("c", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_pod_new_container(b, "c", &container, NULL), LCOWMIG_OK);
}
END_TEST

START_TEST(test_sandbox_registers_nothing_when_memory_is_out)
{
	lcowmig_container *container = NULL;
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	lcowmig_scsi *scsi;
	lcowmig_pod *pod = NULL;
	unsigned nth;

	make_running();
	ck_assert_int_eq(lcowmig_vm_scsi(vm, &scsi, NULL), LCOWMIG_OK);
	for (nth = 1; status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = lcowmig_pod_new(sandbox, "a", "ns", &pod, NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert_uint_eq(lcowmig_sandbox_list_pods(sandbox, NULL, 0), status == LCOWMIG_OK);
	}
	for (nth = 1, status = LCOWMIG_E_NO_MEMORY; status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = lcowmig_pod_new_container(pod, "c", &container, NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert_uint_eq(lcowmig_pod_list_containers(pod, NULL, 0), status == LCOWMIG_OK);
		ck_assert_int_eq(find("c", NULL), status == LCOWMIG_OK ? LCOWMIG_OK : LCOWMIG_E_NOT_FOUND);
	}
}
END_TEST

START_TEST(test_sandbox_deletes_a_pod_once_its_network_is_down)
{
	lcowmig_pod *pod;

	make_running();
	ck_assert_int_eq(lcowmig_pod_new(sandbox, "a", "ns", &pod, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_setup_network(pod, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_delete(pod, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	if (_i == 0)
		ck_assert_int_eq(lcowmig_pod_teardown_network(pod, test_on_done, NULL, NULL), LCOWMIG_OK);
	else
		terminate(); /* then there is nothing left to tear down */
	ck_assert_int_eq(lcowmig_pod_delete(pod, NULL), LCOWMIG_OK);
}
END_TEST

/* */
START_TEST(test_sandbox_adds_an_imported_pod_whole_or_not_at_all)
{
	lcowmig__wire_pod wire;
	lcowmig_pod *pod;

	make_imported();
	wire = wire_pod("p1", "x", "x"); /* the pod is there */
	ck_assert_int_eq(add_pod(&wire), LCOWMIG_E_ALREADY_EXISTS);
	wire = wire_pod("p3", "p1-w", "p3-w"); /* its second container is there */
	ck_assert_int_eq(add_pod(&wire), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(find("p3", NULL), LCOWMIG_E_NOT_FOUND);
	wire = wire_pod("p3", "p3-w", "p1-w"); /* the guest has one of that id */
	ck_assert_int_eq(add_pod(&wire), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(find("p3", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(find("p3-w", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(find("p1-w", &pod), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "p1");
	test_enter(host);
	lcowmig__sandbox_remove_pod(sandbox, pod);
	test_leave(host);
	ck_assert_int_eq(find("p1-w", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(find("p2-w", NULL), LCOWMIG_OK);
}
END_TEST

/* */
START_TEST(test_sandbox_patch_rekeys_pod_and_containers)
{
	lcowmig_pod *pod = NULL;

	make_imported();
	ck_assert_int_eq(patch("p1", "n1", NULL), LCOWMIG_OK); /* the sandbox container: the pod gets its id */
	ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox, "p1", &pod, NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox, "n1", &pod, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "n1");
	ck_assert_int_eq(find("p1", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(find("n1", &pod), LCOWMIG_OK);
	ck_assert_int_eq(find("p1-w", &pod), LCOWMIG_OK); /* its other container goes with it */
	ck_assert_str_eq(lcowmig_pod_id(pod), "n1");
	ck_assert_int_eq(patch("p1-w", "w1", NULL), LCOWMIG_OK);
	ck_assert_int_eq(find("w1", &pod), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "n1");
	ck_assert_int_eq(patch("n1", "n1", NULL), LCOWMIG_OK); /* again, under the name it has now */
	ck_assert_int_eq(find("n1", NULL), LCOWMIG_OK);
}
END_TEST

/* */
START_TEST(test_sandbox_patch_refuses_ids_that_are_taken_anywhere)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_pod *pod;

	make_imported();
	ck_assert_int_eq(patch("nobody", "x", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(patch("p1-w", "p2-w", &error), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_ptr_nonnull(strstr(error.message, "pod p2"));
	ck_assert_int_eq(patch("p1", "p2", NULL), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(find("p1", &pod), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "p1");
	ck_assert_int_eq(find("p1-w", NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "stdio.open"), test_host_count(host, "stdio.close"));
}
END_TEST

/* A pod may come without a sandbox container of its name; another pod cannot take that name all the same. */
START_TEST(test_sandbox_patch_refuses_the_id_of_a_pod_without_sandbox_container)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__wire_pod first, second;
	lcowmig_pod *pod;

	import_vm();
	first = wire_pod("p1", "p1-w", "p1-w");
	second = wire_pod("p2", "p2-w", "p2-w");
	second.containers++;
	second.n_containers = 1;
	ck_assert_int_eq(add_pod(&first), LCOWMIG_OK);
	ck_assert_int_eq(add_pod(&second), LCOWMIG_OK);
	ck_assert_int_eq(patch("p1", "p2", &error), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_ptr_nonnull(strstr(error.message, "pod p1 cannot become p2, which is another pod"));
	ck_assert_int_eq(find("p1", &pod), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "p1");
	ck_assert_int_eq(patch("p1-w", "p2", NULL), LCOWMIG_OK); /* no pod changes its name with that one */
}
END_TEST

START_TEST(test_sandbox_patch_is_all_or_nothing_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	lcowmig_pod *pod;
	unsigned nth;

	make_imported();
	for (nth = 1; status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = patch("p1", "n1", NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
		ck_assert_int_eq(find(status == LCOWMIG_OK ? "n1" : "p1", &pod), LCOWMIG_OK);
		ck_assert_str_eq(lcowmig_pod_id(pod), status == LCOWMIG_OK ? "n1" : "p1");
		ck_assert_int_eq(lcowmig_sandbox_find_pod(sandbox, lcowmig_pod_id(pod), &pod, NULL), LCOWMIG_OK);
	}
}
END_TEST

/* A container may not take a name that the guest gives to another one. */
START_TEST(test_sandbox_refuses_a_new_container_under_a_guests_id)
{
	lcowmig_container *container = NULL;
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_imported();
	ck_assert_int_eq(patch("p1-w", "w1", NULL), LCOWMIG_OK);
	test_enter(host);
	ck_assert_int_eq(lcowmig__sandbox_check_new_id(sandbox, "p1-w", &error), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(lcowmig__sandbox_check_new_id(sandbox, "fresh", NULL), LCOWMIG_OK);
	test_leave(host);
	ck_assert_ptr_nonnull(strstr(error.message, "the guest knows container w1 as p1-w"));
	ck_assert_ptr_null(container);
}
END_TEST

/* ---- Events ---- */

START_TEST(test_sandbox_passes_hcs_events_on)
{
	lcowmig_vm_exit status = { .size = sizeof status };

	ck_assert_int_eq(lcowmig_sandbox_hcs_event(NULL, 1, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	make_running();
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(sandbox, 0x2, "{}", NULL), LCOWMIG_OK); /* a crash has begun: of no use */
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(sandbox, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION, "{broken", NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_get_state(vm), LCOWMIG_VM_RUNNING);
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(sandbox, LCOWMIG_HCS_EVENT_SERVICE_DISCONNECT, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_get_state(vm), LCOWMIG_VM_TERMINATED);
	ck_assert_int_eq(lcowmig_vm_exit_status(vm, &status, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(status.hresult, 0xC0370106);
	ck_assert_uint_eq(status.unexpected, 1);
}
END_TEST

static lcowmig_status notify(const char *json)
{
	return lcowmig_sandbox_guest_notification(sandbox, json, strlen(json), NULL);
}

/* late and unknown messages are never fatal. */
START_TEST(test_sandbox_takes_guest_notifications_by_the_guests_id)
{
	make_imported();
	ck_assert_int_eq(patch("p1-w", "w1", NULL), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(notify("{\"ContainerId\":\"p1-w\",\"Type\":\"ForcedExit\"}"), LCOWMIG_OK);
	ck_assert_int_eq(notify("{\"ContainerId\":\"w1\"}"), LCOWMIG_OK);
	ck_assert_int_eq(notify("{}"), LCOWMIG_OK);
	ck_assert_int_eq(notify("{\"ContainerId\":"), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(lcowmig_sandbox_guest_notification(sandbox, NULL, 0, NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* whatever ends the machine ends what was imported into it. */
START_TEST(test_sandbox_stops_imported_containers_when_its_machine_ends)
{
	lcowmig_container *container;
	lcowmig_exit exit = { .size = sizeof exit };
	lcowmig_pod *pod;

	make_imported();
	ck_assert_int_eq(patch("p1", "n1", NULL), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "event exit"), 4);
	ck_assert_int_eq(test_host_count(host, "event exit n1 '' 101 137"), 1);
	ck_assert_int_eq(lcowmig_sandbox_find_container(sandbox, "p2-w", &container, &pod, NULL), LCOWMIG_OK);
	ck_assert(!lcowmig_pod_is_migrating(pod));
	ck_assert_int_eq(lcowmig_pod_delete_container(pod, "p2-w", NULL), LCOWMIG_E_FAILED_PRECONDITION); /* its init process first */
	ck_assert_int_eq(lcowmig_container_delete(container, NULL, &exit, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(exit.exit_status, 137);
	ck_assert_int_eq(lcowmig_pod_delete_container(pod, "p2-w", NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_find_container(sandbox, "p2", &container, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_container_delete(container, NULL, &exit, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_delete_container(pod, "p2", NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_teardown_network(pod, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_pod_delete(pod, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "guest.rpc"), 0);
	ck_assert_int_eq(test_host_count(host, "hcs.modify"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox pods");
	TCase *tcase = tcase_create("sandbox pods");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_sandbox_makes_pods_while_running_and_finds_them);
	tcase_add_test(tcase, test_sandbox_keeps_container_ids_unique_over_all_pods);
	tcase_add_test(tcase, test_sandbox_registers_nothing_when_memory_is_out);
	tcase_add_loop_test(tcase, test_sandbox_deletes_a_pod_once_its_network_is_down, 0, 2);
	tcase_add_test(tcase, test_sandbox_adds_an_imported_pod_whole_or_not_at_all);
	tcase_add_test(tcase, test_sandbox_patch_rekeys_pod_and_containers);
	tcase_add_test(tcase, test_sandbox_patch_refuses_ids_that_are_taken_anywhere);
	tcase_add_test(tcase, test_sandbox_patch_refuses_the_id_of_a_pod_without_sandbox_container);
	tcase_add_test(tcase, test_sandbox_patch_is_all_or_nothing_when_memory_is_out);
	tcase_add_test(tcase, test_sandbox_refuses_a_new_container_under_a_guests_id);
	tcase_add_test(tcase, test_sandbox_passes_hcs_events_on);
	tcase_add_test(tcase, test_sandbox_takes_guest_notifications_by_the_guests_id);
	tcase_add_test(tcase, test_sandbox_stops_imported_containers_when_its_machine_ends);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
