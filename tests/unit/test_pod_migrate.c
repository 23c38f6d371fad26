/* The pod controller on the destination: patch, resume, abort. */
#include "pod_fixture.h"

/* ---- Patch ---- */

/* POD-23 */
START_TEST(test_pod_patch_needs_a_new_id)
{
	make_imported(1);
	ck_assert_int_eq(patch("p1", "", NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(patch("p1", NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	test_host_expect_log(host, "");
}
END_TEST

/* POD-24, POD-25 */
START_TEST(test_pod_patch_refuses_unknown_and_taken_ids)
{
	make_imported(2);
	ck_assert_int_eq(patch("p9", "new", NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(patch("p1-b", "p1", NULL), LCOWMIG_E_ALREADY_EXISTS);
	test_host_expect_log(host, "");
}
END_TEST

/* POD-26, X-20 */
START_TEST(test_pod_patch_fails_with_its_container_and_can_be_repeated)
{
	make_imported(2);
	test_host_fail(host, "stdio.open", 1, LCOWMIG_E_HOST_FAILED, 0x80070002, "no pipe");
	ck_assert_int_eq(patch("p1", "new", NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_str_eq(lcowmig_pod_id(pod), "p1");
	ck_assert_ptr_nonnull(lcowmig__pod_find(pod, "p1"));
	ck_assert_ptr_null(lcowmig__pod_find(pod, "new"));
	ck_assert_int_eq(patch("p1", "new", NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "new");
}
END_TEST

/* POD-27 */
START_TEST(test_pod_patch_of_a_workload_container_leaves_the_pod_id)
{
	lcowmig_container *container;

	make_imported(2);
	container = lcowmig__pod_find(pod, "p1-b");
	ck_assert_int_eq(patch("p1-b", "w2", NULL), LCOWMIG_OK);
	ck_assert_ptr_null(lcowmig__pod_find(pod, "p1-b"));
	ck_assert_ptr_eq(lcowmig__pod_find(pod, "w2"), container);
	ck_assert_str_eq(lcowmig_pod_id(pod), "p1");
	ck_assert_str_eq(lcowmig_container_guest_id(container), "p1-b");
}
END_TEST

/* POD-28, X-21 */
START_TEST(test_pod_patch_of_the_sandbox_container_renames_the_pod)
{
	make_imported(2);
	ck_assert(lcowmig__pod_is_sandbox_container(pod, "p1"));
	ck_assert(!lcowmig__pod_is_sandbox_container(pod, "p1-b"));
	ck_assert_int_eq(patch("p1", "p2", NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(pod), "p2");
	ck_assert_str_eq(lcowmig_pod_guest_id(pod), "guest-p1");
	ck_assert_ptr_nonnull(lcowmig__pod_find(pod, "p2"));
	ck_assert_ptr_null(lcowmig__pod_find(pod, "p1"));
	ck_assert(lcowmig__pod_is_sandbox_container(pod, "p2"));
	/* Again, and by now it has another name. */
	{
		lcowmig_patch request = patch_of("p2", "p3");

		request.namespace_id = "ns-third";
		ck_assert_int_eq(test_run(host, lcowmig__pod_patch_flow(pod, &request, NULL, NULL, NULL), NULL, NULL), LCOWMIG_OK);
	}
	ck_assert_str_eq(lcowmig_pod_id(pod), "p3");
	ck_assert_int_eq(patch("p1-b", "p1-b", NULL), LCOWMIG_OK);
	ck_assert_int_eq(resume(true, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "network.endpoints ns-third"), 1);
	end_containers(2);
}
END_TEST

/* POD-29, X-20 */
START_TEST(test_pod_patch_of_the_sandbox_container_needs_a_namespace)
{
	lcowmig_patch request = patch_of("p1", "p2");

	make_imported(1);
	request.namespace_id = "";
	ck_assert_int_eq(test_run(host, lcowmig__pod_patch_flow(pod, &request, NULL, NULL, NULL), NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	test_host_expect_log(host, "");
}
END_TEST

START_TEST(test_pod_patch_refuses_a_container_type_that_contradicts_the_save)
{
	lcowmig_patch request = patch_of("p1", "p2");

	make_imported(1);
	request.container_type = "container";
	ck_assert_int_eq(test_run(host, lcowmig__pod_patch_flow(pod, &request, NULL, NULL, NULL), NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	request.container_type = "sandbox";
	ck_assert_int_eq(test_run(host, lcowmig__pod_patch_flow(pod, &request, NULL, NULL, NULL), NULL, NULL), LCOWMIG_OK);
}
END_TEST

/* POD-30 */
START_TEST(test_pod_patch_is_refused_on_a_live_pod)
{
	make_live(1);
	ck_assert_int_eq(patch("p1", "", NULL), LCOWMIG_E_INVALID_ARGUMENT); /* the request comes first */
	ck_assert_int_eq(patch("p1", "p2", NULL), LCOWMIG_E_FAILED_PRECONDITION);
	end_containers(1);
}
END_TEST

struct commits {
	int calls;
	lcowmig_status answer;
	char ids[100];
};

static lcowmig_status on_commit(void *user, lcowmig_container *container, const char *new_id, lcowmig_error *error)
{
	struct commits *commits = user;

	ck_assert_ptr_nonnull(container);
	commits->calls++;
	strcat(strcat(commits->ids, new_id), " ");
	if (commits->answer != LCOWMIG_OK)
		return lcowmig__fail(error, commits->answer, "the sandbox has one");
	return LCOWMIG_OK;
}

/* the sandbox has the last word, and what it took over it gives back when the network has no memory. */
START_TEST(test_pod_patch_changes_nothing_when_its_sandbox_refuses)
{
	struct commits commits = { 0, LCOWMIG_E_ALREADY_EXISTS, "" };
	lcowmig_patch request = patch_of("p1", "p2");

	make_imported(1);
	ck_assert_int_eq(test_run(host, lcowmig__pod_patch_flow(pod, &request, on_commit, &commits, NULL), NULL, NULL),
			 LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(commits.calls, 1);
	ck_assert_str_eq(lcowmig_pod_id(pod), "p1");
	ck_assert_ptr_nonnull(lcowmig__pod_find(pod, "p1"));
	ck_assert_int_eq(test_host_count(host, "stdio.open"), test_host_count(host, "stdio.close"));
}
END_TEST

START_TEST(test_pod_patch_is_all_or_nothing_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	lcowmig_patch request = patch_of("p1", "p2");
	struct commits commits;
	bool went_back = false;
	unsigned nth;

	make_imported(1);
	for (nth = 1; status != LCOWMIG_OK; nth++) {
		memset(&commits, 0, sizeof commits);
		test_host_fail_allocation(host, nth, false);
		status = test_run(host, lcowmig__pod_patch_flow(pod, &request, on_commit, &commits, NULL), NULL, NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
		ck_assert_str_eq(lcowmig_pod_id(pod), status == LCOWMIG_OK ? "p2" : "p1");
		ck_assert_ptr_nonnull(lcowmig__pod_find(pod, lcowmig_pod_id(pod)));
		went_back = went_back || strcmp(commits.ids, "p2 p1 ") == 0;
	}
	ck_assert(went_back);
}
END_TEST

/* The same without a sandbox above it. */
START_TEST(test_pod_patch_alone_is_all_or_nothing_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	unsigned nth;

	make_imported(1);
	for (nth = 1; status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = patch("p1", "p2", NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
		ck_assert_str_eq(lcowmig_pod_id(pod), status == LCOWMIG_OK ? "p2" : "p1");
	}
}
END_TEST

/* A container type is copied like the rest. */
START_TEST(test_pod_patch_with_a_type_is_all_or_nothing_when_memory_is_out)
{
	lcowmig_patch request = patch_of("p1", "p2");
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	unsigned nth;

	make_imported(1);
	request.container_type = "sandbox";
	for (nth = 1; status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = test_run(host, lcowmig__pod_patch_flow(pod, &request, NULL, NULL, NULL), NULL, NULL);
		test_host_fail_allocation(host, 0, false);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
		ck_assert_str_eq(lcowmig_pod_id(pod), status == LCOWMIG_OK ? "p2" : "p1");
	}
}
END_TEST

/* two patches that want the same id, both found free when they began. */
START_TEST(test_pod_patches_in_flight_cannot_take_the_same_id)
{
	lcowmig_patch first = patch_of("p1", "same"), second = patch_of("p1-b", "same");
	test_done done[2] = { { 0 }, { 0 } };

	make_imported(2);
	test_host_hold(host, "stdio.open", true);
	ck_assert_int_eq(test_run(host, lcowmig__pod_patch_flow(pod, &first, NULL, NULL, NULL), &done[0], NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_run(host, lcowmig__pod_patch_flow(pod, &second, NULL, NULL, NULL), &done[1], NULL), LCOWMIG_PENDING);
	test_host_hold(host, "stdio.open", false);
	while (test_host_pending(host, "stdio.open"))
		test_host_complete(host, "stdio.open", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done[0].status, LCOWMIG_OK);
	ck_assert_int_eq(done[1].status, LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_str_eq(lcowmig_pod_id(pod), "same");
	ck_assert_ptr_nonnull(lcowmig__pod_find(pod, "p1-b"));
	ck_assert_int_eq(test_host_count(host, "stdio.open"), 1 + test_host_count(host, "stdio.close"));
	ck_assert_int_eq(patch("p1-b", "other", NULL), LCOWMIG_OK);
}
END_TEST

/* The sandbox container may be deleted before the pod came back as a whole: its place is not a dangling one. */
START_TEST(test_pod_forgets_its_sandbox_container_when_that_is_deleted)
{
	make_imported(2);
	ck_assert(lcowmig__pod_is_sandbox_container(pod, "p1"));
	test_enter(host);
	lcowmig__pod_drop_container(pod, lcowmig__pod_find(pod, "p1-b"));
	ck_assert(lcowmig__pod_is_sandbox_container(pod, "p1"));
	lcowmig__pod_drop_container(pod, lcowmig__pod_find(pod, "p1"));
	test_leave(host);
	ck_assert(!lcowmig__pod_is_sandbox_container(pod, "p1"));
	ck_assert_uint_eq(lcowmig__pod_count(pod), 0);
}
END_TEST

/* ---- Resume ---- */

/* POD-19, X-34, X-40 */
START_TEST(test_pod_resume_on_destination_ends_live_and_then_announces)
{
	const char *last_guest, *announcement;

	make_imported(3);
	ck_assert_int_eq(patch("p1", "p2", NULL), LCOWMIG_OK);
	ck_assert_int_eq(patch("p1-b", "p2-b", NULL), LCOWMIG_OK);
	ck_assert_int_eq(patch("p1-c", "p2-c", NULL), LCOWMIG_OK);
	test_host_clear_log(host);
	scsi_asked = 0;
	ck_assert_int_eq(resume(true, NULL), LCOWMIG_OK);
	ck_assert(!lcowmig_pod_is_migrating(pod));
	ck_assert(!lcowmig__network_is_migrating(pod->network));
	ck_assert_uint_ge(scsi_asked, 1);
	ck_assert_int_eq(test_host_count(host, "network.endpoints ns-here"), 1);
	ck_assert_int_eq(test_host_count(host, "event create"), 3);
	announcement = strstr(test_host_log(host), "event create");
	last_guest = strstr(test_host_log(host), "\"ResourceType\":\"Network\"");
	while (last_guest && strstr(last_guest + 1, "\"ResourceType\":\"Network\""))
		last_guest = strstr(last_guest + 1, "\"ResourceType\":\"Network\"");
	ck_assert_ptr_nonnull(last_guest);
	ck_assert(announcement > last_guest);
	end_containers(3);
	ck_assert_int_eq(test_host_count(host, "event exit"), 3);
}
END_TEST

/* nobody waits for a neighbour. */
START_TEST(test_pod_resume_reattaches_all_containers_at_once)
{
	test_done done = { 0 };

	make_imported(4);
	patch_all();
	test_host_hold(host, "network.endpoints", true);
	test_host_clear_log(host);
	ck_assert_int_eq(test_run(host, lcowmig__pod_resume_flow(pod, true, NULL), &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_host_count(host, "guest.open_container"), 4);
	ck_assert_int_eq(test_host_count(host, "guest.adopt"), 4);
	ck_assert_int_eq(test_host_pending(host, "network.endpoints"), 1);
	ck_assert_int_eq(test_host_count(host, "event"), 0);
	test_host_hold(host, "network.endpoints", false);
	test_host_complete(host, "network.endpoints", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "event create"), 4);
	end_containers(4);
}
END_TEST

/* POD-20, X-40 */
START_TEST(test_pod_resume_on_source_leaves_the_network_alone)
{
	make_live(2);
	freeze();
	test_host_clear_log(host);
	ck_assert_int_eq(resume(false, NULL), LCOWMIG_OK);
	ck_assert(!lcowmig_pod_is_migrating(pod));
	ck_assert_int_eq(test_host_count(host, "network.endpoints"), 0);
	ck_assert_int_eq(test_host_count(host, "hcs.modify"), 0);
	ck_assert_int_eq(test_host_count(host, "event"), 0);
	end_containers(2);
}
END_TEST

/* POD-21 */
START_TEST(test_pod_resume_failing_leaves_it_migrating_and_can_be_repeated)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_imported(2);
	patch_all();
	scsi_fails = true;
	test_host_clear_log(host);
	ck_assert_int_eq(resume(true, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "pod p1: "));
	ck_assert(lcowmig_pod_is_migrating(pod));
	test_host_expect_log(host, "");
	scsi_fails = false;
	test_host_fail(host, "network.endpoints", 1, LCOWMIG_E_HOST_FAILED, 0x80070002, "no such namespace");
	ck_assert_int_eq(resume(true, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert(lcowmig_pod_is_migrating(pod));
	ck_assert_int_eq(test_host_count(host, "event"), 0);
	ck_assert_int_eq(test_host_count(host, "guest.open_container"), 2);
	ck_assert_int_eq(resume(true, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "guest.open_container"), 2); /* what was done stays done */
	ck_assert_int_eq(test_host_count(host, "event create"), 2);
	end_containers(2);
}
END_TEST

/* A network that was torn down in between is not brought back half. */
START_TEST(test_pod_resume_needs_its_network)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_imported(1);
	patch_all();
	test_host_fail(host, "network.endpoints", 1, LCOWMIG_E_HOST_FAILED, 0x80070002, "no such namespace");
	ck_assert_int_eq(resume(true, NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(lcowmig_pod_teardown_network(pod, NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(resume(true, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_msg(strstr(error.message, "pod p1: network") != NULL, "%s", error.message);
	ck_assert(lcowmig_pod_is_migrating(pod));
	test_enter(host);
	lcowmig__pod_abort(pod);
	test_leave(host);
	ck_assert(!lcowmig_pod_is_migrating(pod));
}
END_TEST

/* POD-22, X-42 */
START_TEST(test_pod_resume_on_a_live_pod_is_a_no_op)
{
	make_live(1);
	ck_assert_int_eq(resume(true, NULL), LCOWMIG_OK);
	ck_assert_int_eq(resume(false, NULL), LCOWMIG_OK);
	test_host_expect_log(host, "");
	end_containers(1);
}
END_TEST

/* a container that exited while frozen blocks nothing. */
START_TEST(test_pod_resume_on_source_passes_over_a_container_that_ended)
{
	make_live(2);
	freeze();
	test_host_exit_process(host, 101, 0);
	ck_assert_int_eq(resume(false, NULL), LCOWMIG_OK);
	ck_assert(!lcowmig_pod_is_migrating(pod));
	test_host_exit_process(host, 102, 0);
}
END_TEST

/* */
START_TEST(test_pod_adopts_every_wait_ahead_of_the_connection)
{
	make_imported(3);
	patch_all();
	test_host_clear_log(host);
	test_enter(host);
	ck_assert_int_eq(lcowmig__pod_adopt(pod, NULL), LCOWMIG_OK);
	test_leave(host);
	ck_assert_int_eq(test_host_count(host, "guest.adopt"), 3);
	ck_assert_int_eq(resume(true, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "guest.adopt"), 3);
	end_containers(3);
}
END_TEST

/* POD-32 */
START_TEST(test_pod_makes_containers_with_the_guest_id_after_a_migration)
{
	lcowmig_container *container;

	make_live(1);
	ck_assert_int_eq(new_container("p1-z", &container, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_guest_id(pod), "guest-p1");
	ck_assert_uint_eq(lcowmig__pod_count(pod), 2);
	end_containers(1);
}
END_TEST

/* ---- Abort ---- */

/* POD-34, X-50 */
START_TEST(test_pod_abort_stops_every_container_and_needs_no_memory)
{
	lcowmig_container *container;

	make_imported(3);
	ck_assert_int_eq(patch("p1", "p2", NULL), LCOWMIG_OK);
	test_host_clear_log(host);
	test_host_fail_allocation(host, 1, true);
	test_enter(host);
	lcowmig__pod_abort(pod);
	lcowmig__pod_abort(pod);
	test_leave(host);
	test_host_fail_allocation(host, 0, false);
	ck_assert(!lcowmig_pod_is_migrating(pod));
	for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
		ck_assert(lcowmig__container_has_ended(container));
	ck_assert_int_eq(test_host_count(host, "event exit p2 '' 101 137"), 1);
	ck_assert_int_eq(test_host_count(host, "event exit p1-b '' 102 137"), 1);
	ck_assert_int_eq(test_host_count(host, "event exit p1-c '' 103 137"), 1);
	ck_assert_int_eq(test_host_count(host, "event"), 3);
	ck_assert_int_eq(lcowmig_pod_teardown_network(pod, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "hcs."), 0);
	ck_assert_int_eq(test_host_count(host, "guest.rpc"), 0);
}
END_TEST

/* POD-34 */
START_TEST(test_pod_abort_leaves_a_live_pod_alone)
{
	make_live(1);
	test_enter(host);
	lcowmig__pod_abort(pod);
	test_leave(host);
	ck_assert(!lcowmig__container_has_ended(lcowmig__pod_find(pod, "p1")));
	test_host_expect_log(host, "");
	end_containers(1);
}
END_TEST

/* one that had reattached is announced, so that its exit has something to refer to. */
START_TEST(test_pod_abort_in_the_middle_of_a_resume_loses_no_exit)
{
	make_imported(2);
	patch_all();
	test_host_fail(host, "network.endpoints", 1, LCOWMIG_E_HOST_FAILED, 0, "gone");
	ck_assert_int_eq(resume(true, NULL), LCOWMIG_E_HOST_FAILED);
	test_host_clear_log(host);
	test_enter(host);
	lcowmig__pod_abort(pod);
	test_leave(host);
	end_containers(2);
	ck_assert_int_eq(test_host_count(host, "event create"), 2);
	ck_assert_int_eq(test_host_count(host, "event exit"), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pod migrate");
	TCase *tcase = tcase_create("pod migrate");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_pod_patch_needs_a_new_id);
	tcase_add_test(tcase, test_pod_patch_refuses_unknown_and_taken_ids);
	tcase_add_test(tcase, test_pod_patch_fails_with_its_container_and_can_be_repeated);
	tcase_add_test(tcase, test_pod_patch_of_a_workload_container_leaves_the_pod_id);
	tcase_add_test(tcase, test_pod_patch_of_the_sandbox_container_renames_the_pod);
	tcase_add_test(tcase, test_pod_patch_of_the_sandbox_container_needs_a_namespace);
	tcase_add_test(tcase, test_pod_patch_refuses_a_container_type_that_contradicts_the_save);
	tcase_add_test(tcase, test_pod_patch_is_refused_on_a_live_pod);
	tcase_add_test(tcase, test_pod_patch_changes_nothing_when_its_sandbox_refuses);
	tcase_add_test(tcase, test_pod_patch_is_all_or_nothing_when_memory_is_out);
	tcase_add_test(tcase, test_pod_patch_alone_is_all_or_nothing_when_memory_is_out);
	tcase_add_test(tcase, test_pod_patch_with_a_type_is_all_or_nothing_when_memory_is_out);
	tcase_add_test(tcase, test_pod_patches_in_flight_cannot_take_the_same_id);
	tcase_add_test(tcase, test_pod_forgets_its_sandbox_container_when_that_is_deleted);
	tcase_add_test(tcase, test_pod_resume_on_destination_ends_live_and_then_announces);
	tcase_add_test(tcase, test_pod_resume_reattaches_all_containers_at_once);
	tcase_add_test(tcase, test_pod_resume_on_source_leaves_the_network_alone);
	tcase_add_test(tcase, test_pod_resume_failing_leaves_it_migrating_and_can_be_repeated);
	tcase_add_test(tcase, test_pod_resume_needs_its_network);
	tcase_add_test(tcase, test_pod_resume_on_a_live_pod_is_a_no_op);
	tcase_add_test(tcase, test_pod_resume_on_source_passes_over_a_container_that_ended);
	tcase_add_test(tcase, test_pod_adopts_every_wait_ahead_of_the_connection);
	tcase_add_test(tcase, test_pod_makes_containers_with_the_guest_id_after_a_migration);
	tcase_add_test(tcase, test_pod_abort_stops_every_container_and_needs_no_memory);
	tcase_add_test(tcase, test_pod_abort_leaves_a_live_pod_alone);
	tcase_add_test(tcase, test_pod_abort_in_the_middle_of_a_resume_loses_no_exit);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
