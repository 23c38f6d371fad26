/* The pod controller, with real containers and a real network below it, and a scripted host. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "pod/private.h"

#define MAX_CONTAINERS 4

static test_host *host;
static lcowmig_scsi *scsi;
static unsigned scsi_asked;
static bool scsi_fails;
static lcowmig__container_vm for_containers;
static lcowmig_pod *pod;

static lcowmig_status give_scsi(void *user, lcowmig_scsi **ret_scsi, lcowmig_error *error)
{
	(void)user;
	scsi_asked++;
	if (scsi_fails)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "there are no disks");
	*ret_scsi = scsi;
	return LCOWMIG_OK;
}

static void setup(void)
{
	host = test_host_new();
	ck_assert_int_eq(lcowmig__scsi_new(&host->env, 1, &scsi, NULL), LCOWMIG_OK);
	scsi_asked = 0;
	scsi_fails = false;
	for_containers.scsi = give_scsi;
	pod = NULL;
}

static void teardown(void)
{
	test_host_fail_allocation(host, 0, false);
	test_enter(host);
	lcowmig__pod_free(pod);
	lcowmig__scsi_free(scsi);
	test_leave(host);
	test_host_free(host);
}

/* ---- What tests are made of ---- */

static lcowmig__wire_process wire_processes[MAX_CONTAINERS];
static lcowmig__wire_container wire_containers[MAX_CONTAINERS];
static lcowmig__wire_endpoint wire_endpoint;

/* A saved pod "p1" with `count` containers p1, p1-b, p1-c …; the first is the sandbox container. */
static lcowmig__wire_pod wire_pod(size_t count)
{
	static const char *const ids[MAX_CONTAINERS] = { "p1", "p1-b", "p1-c", "p1-d" };
	lcowmig__wire_pod wire = { 0 };
	size_t i;

	for (i = 0; i < count; i++) {
		wire_processes[i] =
			(lcowmig__wire_process){ .exec_id = "", .pid = (int32_t)(101 + i), .bundle = "", .wait_call_id = (int64_t)(5 + i) };
		wire_containers[i] = (lcowmig__wire_container){ .container_id = ids[i],
								.gcs_container_id = ids[i],
								.rootfs_path = "",
								.processes = &wire_processes[i],
								.n_processes = 1 };
	}
	wire_endpoint = (lcowmig__wire_endpoint){ "6a3f6c57-6c0e-4a0e-9c5f-0c2f3b7e9c11", "e1", "00-15-5D-01-02-03", "source_eth0" };
	wire.pod_id = "p1";
	wire.gcs_pod_id = "guest-p1";
	wire.has_network = true;
	wire.network.namespace_id = "ns-source";
	wire.network.namespace_supported = true;
	wire.network.endpoints = &wire_endpoint;
	wire.network.n_endpoints = 1;
	wire.containers = wire_containers;
	wire.n_containers = count;
	return wire;
}

static void make_imported(size_t count)
{
	lcowmig__wire_pod wire = wire_pod(count);

	ck_assert_int_eq(lcowmig__pod_import(&host->env, &for_containers, &wire, &pod, NULL), LCOWMIG_OK);
}

static lcowmig_patch patch_of(const char *source, const char *id)
{
	lcowmig_patch patch = { .size = sizeof patch, .source_container_id = source, .container_id = id };

	patch.bundle = "bundle";
	patch.stdout_path = "out";
	patch.namespace_id = strcmp(source, "p1") == 0 ? "ns-here" : NULL;
	return patch;
}

static lcowmig_status patch(const char *source, const char *id, lcowmig_error *error)
{
	lcowmig_patch request = patch_of(source, id);

	return test_run(host, lcowmig__pod_patch_flow(pod, &request, NULL, NULL, NULL), NULL, error);
}

/* Every container, each to the id it has already. */
static void patch_all(void)
{
	lcowmig_container *list[MAX_CONTAINERS];
	size_t count = lcowmig_pod_list_containers(pod, list, MAX_CONTAINERS);
	size_t i;

	for (i = 0; i < count; i++)
		ck_assert_int_eq(patch(lcowmig_container_id(list[i]), lcowmig_container_id(list[i]), NULL), LCOWMIG_OK);
}

static lcowmig_status resume(bool is_destination, lcowmig_error *error)
{
	return test_run(host, lcowmig__pod_resume_flow(pod, is_destination, NULL), NULL, error);
}

/* A live pod with running containers, as after a migration to here. */
static void make_live(size_t count)
{
	make_imported(count);
	patch_all();
	ck_assert_int_eq(resume(true, NULL), LCOWMIG_OK);
	test_host_clear_log(host);
}

static void end_containers(size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		test_host_exit_process(host, (uint32_t)(101 + i), 0);
}

static lcowmig_status capture(lcowmig__wire_pod *wire, lcowmig__arena *arena, lcowmig_error *error)
{
	lcowmig_status status;

	test_enter(host);
	status = lcowmig__pod_capture(pod, arena, wire, error);
	test_leave(host);
	return status;
}

static lcowmig_status capture_and_forget(lcowmig_error *error)
{
	lcowmig__wire_pod wire;
	lcowmig__arena arena;
	lcowmig_status status;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	status = capture(&wire, &arena, error);
	lcowmig__arena_done(&arena);
	return status;
}

static void freeze(void)
{
	ck_assert_int_eq(capture_and_forget(NULL), LCOWMIG_OK);
	test_enter(host);
	lcowmig__pod_freeze(pod);
	test_leave(host);
}

static lcowmig_status new_container(const char *id, lcowmig_container **ret_container, lcowmig_error *error)
{
	lcowmig_status status;

	test_enter(host);
	status = lcowmig__pod_new_container(pod, id, ret_container, error);
	test_leave(host);
	return status;
}

static lcowmig_status delete_container(const char *id)
{
	lcowmig_status status;

	test_enter(host);
	status = lcowmig__pod_delete_container(pod, id, NULL);
	test_leave(host);
	return status;
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
	ck_assert_ptr_nonnull(lcowmig__pod_network(pod));
	ck_assert_str_eq(lcowmig_network_namespace_id(lcowmig__pod_network(pod)), "ns");
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
	ck_assert(lcowmig__pod_has_interfaces(pod));
	test_host_fail(host, "hcs.modify", 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "denied");
	ck_assert_int_eq(lcowmig_pod_teardown_network(pod, test_on_done, NULL, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80070005);
	ck_assert_ptr_nonnull(strstr(error.message, "pod p1: "));
	ck_assert(lcowmig__pod_has_interfaces(pod));
	ck_assert_int_eq(lcowmig_pod_teardown_network(pod, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert(!lcowmig__pod_has_interfaces(pod));
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
	ck_assert_int_eq(test_run(host, lcowmig__pod_kill_flow(pod, 9, NULL), &done, NULL), LCOWMIG_PENDING);
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
	ck_assert(!lcowmig__network_is_migrating(lcowmig__pod_network(pod)));
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
	ck_assert(lcowmig__network_is_migrating(lcowmig__pod_network(pod)));
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
	ck_assert_ptr_nonnull(lcowmig__pod_network(copy));
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
	ck_assert_int_eq(lcowmig__pod_delete_container(pod, "p1-b", NULL), LCOWMIG_OK);
	ck_assert(lcowmig__pod_is_sandbox_container(pod, "p1"));
	ck_assert_int_eq(lcowmig__pod_delete_container(pod, "p1", NULL), LCOWMIG_OK);
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
	ck_assert(!lcowmig__network_is_migrating(lcowmig__pod_network(pod)));
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
	ck_assert_int_eq(test_run(host, lcowmig__pod_teardown_flow(pod, NULL), NULL, &error), LCOWMIG_OK);
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
	ck_assert_str_eq(lcowmig__pod_guest_id(pod), "guest-p1");
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

static TCase *case_new(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_life_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "life and save");

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
}

static void add_migration_tests(Suite *suite)
{
	TCase *tcase = case_new(suite, "import, patch, resume, abort");

	tcase_add_test(tcase, test_pod_import_of_bytes_is_judged_before_the_controller);
	tcase_add_test(tcase, test_pod_import_leaves_nothing_when_a_part_is_bad);
	tcase_add_test(tcase, test_pod_import_restores_ids_network_and_containers);
	tcase_add_test(tcase, test_pod_saved_and_imported_is_the_same_pod);
	tcase_add_test(tcase, test_pod_import_leaves_nothing_when_memory_is_out);
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
}

int main(void)
{
	Suite *suite = suite_create("pod");
	SRunner *runner;
	int failed;

	add_life_tests(suite);
	add_migration_tests(suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
