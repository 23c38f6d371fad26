/* The pod controller: containers, network, save, import, kill. */
#include "pod_fixture.h"

/* ---- What tests are made of ---- */

static lcowmig_status delete_container(const char *id)
{
	lcowmig_container *container;

	test_enter(host);
	container = lcowmig__pod_look_up(pod, id, NULL);
	if (container)
		lcowmig__pod_drop_container(pod, container);
	test_leave(host);
	return container ? LCOWMIG_OK : LCOWMIG_E_NOT_FOUND;
}

static void make_new(const char *namespace_id)
{
	ck_assert_int_eq(lcowmig__pod_new(&host->env, &for_containers, "p1", namespace_id, true, &pod, NULL), LCOWMIG_OK);
}

/* ---- Containers and network ---- */

/* POD-01 */
START_TEST(test_pod_is_new_with_both_ids_and_no_containers)
{
	make_new("ns");
	ck_assert_str_eq(lcowmig_pod_id(pod), "p1");
	ck_assert_str_eq(lcowmig_pod_guest_id(pod), "p1");
	ck_assert_uint_eq(lcowmig_pod_list_containers(pod, NULL, 0), 0);
	ck_assert_ptr_nonnull(pod->network);
	ck_assert_str_eq(lcowmig_network_namespace_id(pod->network), "ns");
	ck_assert(!lcowmig_pod_is_migrating(pod));
}
END_TEST

/* POD-02 */
START_TEST(test_pod_sets_its_network_up_and_tears_it_down)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_new("ns");
	ck_assert_int_eq(lcowmig_pod_setup_network(pod, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "network.endpoints ns"), 1);
	ck_assert(pod->has_interfaces);
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "denied");
	ck_assert_int_eq(lcowmig_pod_teardown_network(pod, test_on_done, NULL, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80070005);
	ck_assert_ptr_nonnull(strstr(error.message, "pod p1: "));
	ck_assert(pod->has_interfaces);
	ck_assert_int_eq(lcowmig_pod_teardown_network(pod, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert(!pod->has_interfaces);
	ck_assert_int_eq(lcowmig_pod_teardown_network(pod, test_on_done, NULL, NULL), LCOWMIG_OK);
}
END_TEST

/* POD-02 */
START_TEST(test_pod_network_setup_passes_its_failure_on)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_new("ns");
	test_host_fail(host, "network.endpoints", 1, LCOWMIG_E_HOST_FAILED, 0x80070002, "no such namespace");
	ck_assert_int_eq(lcowmig_pod_setup_network(pod, test_on_done, NULL, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80070002);
	ck_assert_ptr_nonnull(strstr(error.message, "pod p1: "));
}
END_TEST

/* POD-03, POD-04, POD-06, POD-07 */
START_TEST(test_pod_finds_and_lists_its_containers)
{
	lcowmig_container *b = NULL, *a = NULL, *found = NULL;
	lcowmig_container *list[3] = { NULL, NULL, NULL };

	make_new("ns");
	ck_assert_int_eq(new_container("b", &b, NULL), LCOWMIG_OK);
	ck_assert_int_eq(new_container("a", &a, NULL), LCOWMIG_OK);
	ck_assert_int_eq(new_container("a", &found, NULL), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(lcowmig_pod_get_container(pod, "b", &found, NULL), LCOWMIG_OK);
	ck_assert_ptr_eq(found, b);
	ck_assert_int_eq(lcowmig_pod_get_container(pod, "c", &found, NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_uint_eq(lcowmig_pod_list_containers(pod, list, 1), 2);
	ck_assert_ptr_eq(list[0], a);
	ck_assert_ptr_null(list[1]);
	ck_assert_uint_eq(lcowmig_pod_list_containers(pod, list, 3), 2);
	ck_assert_ptr_eq(list[1], b);
	list[0] = NULL; /* the list is the caller's own */
	ck_assert_uint_eq(lcowmig_pod_list_containers(pod, NULL, 0), 2);
}
END_TEST

START_TEST(test_pod_registers_nothing_when_a_container_cannot_be_made)
{
	lcowmig_container *container = NULL;

	make_new("ns");
	scsi_fails = true;
	ck_assert_int_eq(new_container("a", &container, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	scsi_fails = false;
	test_host_fail_allocation(host, 1, false);
	ck_assert_int_eq(new_container("a", &container, NULL), LCOWMIG_E_NO_MEMORY);
	ck_assert_ptr_null(container);
	ck_assert_uint_eq(lcowmig_pod_list_containers(pod, NULL, 0), 0);
}
END_TEST

/* POD-08, POD-09 */
START_TEST(test_pod_deletes_a_container_once_and_takes_the_id_again)
{
	lcowmig_container *first, *second;

	make_new("ns");
	ck_assert_int_eq(new_container("a", &first, NULL), LCOWMIG_OK);
	ck_assert_int_eq(delete_container("b"), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(delete_container("a"), LCOWMIG_OK);
	ck_assert_int_eq(delete_container("a"), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(lcowmig_pod_get_container(pod, "a", &second, NULL), LCOWMIG_E_NOT_FOUND);
	ck_assert_int_eq(new_container("a", &second, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig__container_id(second), "a");
}
END_TEST

/* ---- Save ---- */

/* POD-10 */
START_TEST(test_pod_saves_without_network_and_containers)
{
	static const char type_url[] = LCOWMIG__TYPE_URL_POD;
	lcowmig__wire_pod wire;
	lcowmig__arena arena;
	lcowmig__buf bytes;

	make_new(NULL);
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	lcowmig__buf_init(&bytes, &host->context->mem);
	ck_assert_int_eq(capture(&wire, &arena, NULL), LCOWMIG_OK);
	ck_assert(!wire.has_network);
	ck_assert_uint_eq(wire.n_containers, 0);
	ck_assert_int_eq(lcowmig__wire_encode_pod(&bytes, &wire, NULL), LCOWMIG_OK);
	ck_assert_int_eq(memcmp(bytes.data + 2, type_url, strlen(type_url)), 0);
	lcowmig__buf_done(&bytes);
	lcowmig__arena_done(&arena);
}
END_TEST

/* The pod itself can do without a network on the way out and back; it is the other side that takes none. */
START_TEST(test_pod_without_network_is_saved_and_comes_back)
{
	lcowmig__wire_pod wire;
	lcowmig__arena arena;
	lcowmig_pod *imported = NULL;

	make_new(NULL);
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	ck_assert_int_eq(capture(&wire, &arena, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__pod_import(&host->env, &for_containers, &wire, &imported, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(imported);
	lcowmig__arena_done(&arena);
	test_enter(host);
	lcowmig__pod_freeze(pod);
	test_leave(host);
	ck_assert(lcowmig_pod_is_migrating(pod));
	test_host_clear_log(host);
	if (_i < 2) {
		ck_assert_int_eq(resume(_i == 1, NULL), LCOWMIG_OK);
	} else {
		test_enter(host);
		lcowmig__pod_abort(pod);
		test_leave(host);
	}
	ck_assert(!lcowmig_pod_is_migrating(pod));
	test_host_expect_log(host, "");
}
END_TEST

/* */
START_TEST(test_pod_is_not_saved_while_something_is_in_flight)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	test_done done = { 0 };
	lcowmig__wire_pod wire;
	lcowmig__arena arena;

	make_live(2);
	test_host_hold(host, "guest.rpc", true);
	ck_assert_int_eq(lcowmig_pod_kill(pod, 9, test_on_done, &done, NULL), LCOWMIG_PENDING);
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	ck_assert_int_eq(capture(&wire, &arena, &error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "pod p1 (live) has kill in flight"));
	lcowmig__arena_done(&arena);
	test_host_hold(host, "guest.rpc", false);
	while (!done.calls)
		test_host_complete(host, "guest.rpc", LCOWMIG_OK, 0, NULL);
	ck_assert(!lcowmig_pod_is_migrating(pod));
	end_containers(2);
}
END_TEST

/* POD-11, POD-31 */
START_TEST(test_pod_saves_its_network_and_its_containers_in_the_order_of_their_ids)
{
	lcowmig__wire_pod wire;
	lcowmig__arena arena;
	size_t i;

	make_live(3);
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	ck_assert_int_eq(capture(&wire, &arena, NULL), LCOWMIG_OK);
	ck_assert_str_eq(wire.pod_id, "p1");
	ck_assert_str_eq(wire.gcs_pod_id, "guest-p1");
	ck_assert(wire.has_network);
	ck_assert_str_eq(wire.network.namespace_id, "ns-source"); /* the guest's */
	ck_assert_uint_eq(wire.network.n_endpoints, 1);
	ck_assert_uint_eq(wire.n_containers, 3);
	for (i = 1; i < 3; i++)
		ck_assert_int_lt(strcmp(wire.containers[i - 1].container_id, wire.containers[i].container_id), 0);
	ck_assert(!lcowmig_pod_is_migrating(pod)); /* capturing alone freezes nothing */
	lcowmig__arena_done(&arena);
	end_containers(3);
}
END_TEST

/* POD-12 */
START_TEST(test_pod_save_fails_with_its_network)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_new("ns"); /* never set up */
	ck_assert_int_eq(capture_and_forget(&error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "pod p1: "));
	ck_assert(!lcowmig_pod_is_migrating(pod));
}
END_TEST

/* POD-13, X-01 */
START_TEST(test_pod_save_fails_with_a_container_that_does_not_run)
{
	lcowmig_container *container;
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_live(1);
	ck_assert_int_eq(new_container("p1-z", &container, NULL), LCOWMIG_OK);
	ck_assert_int_eq(capture_and_forget(&error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(error.message, "p1-z"));
	ck_assert(!lcowmig_pod_is_migrating(pod));
	ck_assert(!lcowmig__network_is_migrating(pod->network));
	end_containers(1);
}
END_TEST

/* POD-05, POD-14 */
START_TEST(test_pod_takes_no_new_container_once_saved)
{
	lcowmig_container *container = NULL;
	unsigned asked;

	make_live(1);
	freeze();
	ck_assert(lcowmig_pod_is_migrating(pod));
	asked = scsi_asked;
	ck_assert_int_eq(new_container("p1-z", &container, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_uint_eq(scsi_asked, asked);
	ck_assert_uint_eq(lcowmig_pod_list_containers(pod, NULL, 0), 1);
	freeze(); /* and again, with the same result */
	end_containers(1);
}
END_TEST

static void collect_reason(void *user, const char *reason)
{
	snprintf((char *)user + strlen(user), 1000, "%s\n", reason);
}

/* */
START_TEST(test_pod_check_names_every_reason)
{
	lcowmig_container *container;
	char reasons[4000] = "";

	make_new(NULL);
	ck_assert_int_eq(new_container("a", &container, NULL), LCOWMIG_OK);
	ck_assert_int_eq(new_container("b", &container, NULL), LCOWMIG_OK);
	test_enter(host);
	lcowmig__pod_check(pod, collect_reason, reasons);
	test_leave(host);
	ck_assert_ptr_nonnull(strstr(reasons, "has no network"));
	ck_assert_ptr_nonnull(strstr(reasons, "container a"));
	ck_assert_ptr_nonnull(strstr(reasons, "container b"));
}
END_TEST

START_TEST(test_pod_check_has_no_reason_against_a_live_pod)
{
	char reasons[4000] = "";

	make_live(2);
	test_enter(host);
	lcowmig__pod_check(pod, collect_reason, reasons);
	test_leave(host);
	ck_assert_str_eq(reasons, "");
	end_containers(2);
}
END_TEST

/* ---- Import ---- */

/* POD-15: what is wrong with the bytes. */
START_TEST(test_pod_import_of_bytes_is_judged_before_the_controller)
{
	lcowmig__wire_pod wire;
	lcowmig__arena arena;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	ck_assert_int_eq(lcowmig__wire_decode_pod(&arena, NULL, NULL, 0, &wire, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__wire_decode_pod(&arena, NULL, (const uint8_t *)"\x0a\x01x", 3, &wire, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig__wire_decode_pod(&arena, NULL, (const uint8_t *)"\xff\xff", 2, &wire, NULL), LCOWMIG_E_CORRUPT_DATA);
	lcowmig__arena_done(&arena);
}
END_TEST

/* POD-15, POD-33 */
START_TEST(test_pod_import_leaves_nothing_when_a_part_is_bad)
{
	lcowmig__wire_pod wire = wire_pod(2);

	wire.has_network = false;
	ck_assert_int_eq(lcowmig__pod_import(&host->env, &for_containers, &wire, &pod, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	wire = wire_pod(2);
	wire_endpoint.nic_id = "";
	ck_assert_int_eq(lcowmig__pod_import(&host->env, &for_containers, &wire, &pod, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	wire = wire_pod(2);
	wire_containers[1].container_id = "p1";
	ck_assert_int_eq(lcowmig__pod_import(&host->env, &for_containers, &wire, &pod, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(pod);
}
END_TEST

/* POD-16, POD-17 */
START_TEST(test_pod_import_restores_ids_network_and_containers)
{
	lcowmig_container *container;

	make_imported(3);
	ck_assert_str_eq(lcowmig_pod_id(pod), "p1");
	ck_assert_str_eq(lcowmig_pod_guest_id(pod), "guest-p1");
	ck_assert(lcowmig_pod_is_migrating(pod));
	ck_assert(lcowmig__network_is_migrating(pod->network));
	ck_assert_uint_eq(lcowmig__pod_count(pod), 3);
	ck_assert_int_eq(lcowmig_pod_get_container(pod, "p1-c", &container, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_container_id(container), "p1-c");
	test_host_expect_log(host, "");
}
END_TEST

/* POD-18 */
START_TEST(test_pod_saved_and_imported_is_the_same_pod)
{
	lcowmig_pod *copy = NULL;
	lcowmig__wire_pod wire, decoded;
	lcowmig__arena arena;
	lcowmig__buf bytes;

	make_live(2);
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	lcowmig__buf_init(&bytes, &host->context->mem);
	ck_assert_int_eq(capture(&wire, &arena, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__wire_encode_pod(&bytes, &wire, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__wire_decode_pod(&arena, NULL, (const uint8_t *)bytes.data, bytes.size, &decoded, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__pod_import(&host->env, &for_containers, &decoded, &copy, NULL), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_pod_id(copy), "p1");
	ck_assert_str_eq(lcowmig_pod_guest_id(copy), "guest-p1");
	ck_assert_ptr_nonnull(copy->network);
	ck_assert_uint_eq(lcowmig__pod_count(copy), 2);
	test_enter(host);
	lcowmig__pod_free(copy);
	test_leave(host);
	lcowmig__buf_done(&bytes);
	lcowmig__arena_done(&arena);
	end_containers(2);
}
END_TEST

START_TEST(test_pod_import_leaves_nothing_when_memory_is_out)
{
	lcowmig__wire_pod wire = wire_pod(2);
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	unsigned nth;

	for (nth = 1; status != LCOWMIG_OK; nth++) {
		test_host_fail_allocation(host, nth, false);
		status = lcowmig__pod_import(&host->env, &for_containers, &wire, &pod, NULL);
		ck_assert(status == LCOWMIG_OK || (status == LCOWMIG_E_NO_MEMORY && !pod));
	}
	test_host_fail_allocation(host, 0, false);
}
END_TEST

/* ---- Kill ---- */

START_TEST(test_pod_kill_reaches_every_container_at_once)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make_live(3);
	ck_assert_int_eq(lcowmig_pod_kill(pod, 9, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "guest.rpc 0x10100701"), 3);
	test_host_fail(host, "guest.rpc:10100701", 2, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(lcowmig_pod_kill(pod, 9, test_on_done, NULL, &error), LCOWMIG_E_GUEST_FAILED);
	ck_assert_ptr_nonnull(strstr(error.message, "pod p1: "));
	ck_assert_int_eq(test_host_count(host, "guest.rpc 0x10100701"), 6);
	end_containers(3);
}
END_TEST

START_TEST(test_pod_table_has_no_row_twice)
{
	const lcowmig__machine *machine = &lcowmig__pod_machine;
	size_t i, j;

	for (i = 0; i < machine->n_rows; i++)
		for (j = i + 1; j < machine->n_rows; j++)
			ck_assert(machine->rows[i].from != machine->rows[j].from || machine->rows[i].trigger != machine->rows[j].trigger);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pod");
	TCase *tcase = tcase_create("pod");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_pod_is_new_with_both_ids_and_no_containers);
	tcase_add_test(tcase, test_pod_sets_its_network_up_and_tears_it_down);
	tcase_add_test(tcase, test_pod_network_setup_passes_its_failure_on);
	tcase_add_test(tcase, test_pod_finds_and_lists_its_containers);
	tcase_add_test(tcase, test_pod_registers_nothing_when_a_container_cannot_be_made);
	tcase_add_test(tcase, test_pod_deletes_a_container_once_and_takes_the_id_again);
	tcase_add_test(tcase, test_pod_saves_without_network_and_containers);
	tcase_add_loop_test(tcase, test_pod_without_network_is_saved_and_comes_back, 0, 3);
	tcase_add_test(tcase, test_pod_is_not_saved_while_something_is_in_flight);
	tcase_add_test(tcase, test_pod_saves_its_network_and_its_containers_in_the_order_of_their_ids);
	tcase_add_test(tcase, test_pod_save_fails_with_its_network);
	tcase_add_test(tcase, test_pod_save_fails_with_a_container_that_does_not_run);
	tcase_add_test(tcase, test_pod_takes_no_new_container_once_saved);
	tcase_add_test(tcase, test_pod_check_names_every_reason);
	tcase_add_test(tcase, test_pod_check_has_no_reason_against_a_live_pod);
	tcase_add_test(tcase, test_pod_kill_reaches_every_container_at_once);
	tcase_add_test(tcase, test_pod_table_has_no_row_twice);
	tcase_add_test(tcase, test_pod_import_of_bytes_is_judged_before_the_controller);
	tcase_add_test(tcase, test_pod_import_leaves_nothing_when_a_part_is_bad);
	tcase_add_test(tcase, test_pod_import_restores_ids_network_and_containers);
	tcase_add_test(tcase, test_pod_saved_and_imported_is_the_same_pod);
	tcase_add_test(tcase, test_pod_import_leaves_nothing_when_memory_is_out);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
