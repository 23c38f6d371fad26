/* A container when memory is out: wherever that is, nothing is lost and the request can be repeated. */
#include "container_fixture.h"

#define MAX_ALLOCATIONS 2000
/* The blocks in which copies are kept are at least so large, and what is in them starts at multiples of the other. */
#define BLOCK 1024
#define PIECE 8

#define NO_PARENTS "parentLayerPaths=[]"
#define EVERYTHING                                                                                                                         \
	SPEC_WITH(",\"mounts\":[{\"type\":\"virtual-disk\",\"source\":\"C:\\\\d.vhdx\",\"destination\":\"/d\"},"                           \
		  "{\"type\":\"bind\",\"source\":\"C:\\\\dir\\\\file\",\"destination\":\"/b\"}],"                                            \
		  "\"windows\":{\"devices\":[{\"id\":\"PCIP\\\\A\",\"idType\":\"gpu\"}]}")

static lcowmig_status path_is_file(void *user, lcowmig_call *call, const char *path)
{
	lcowmig_call_set_result(call, "file", 4);
	return LCOWMIG_OK;
}

/* Calls `request` with the first, second … allocation of so many bytes failing until it succeeds; `check` looks at what is left of each. */
static void fail_each_large_allocation(size_t size, lcowmig_status (*request)(void), void (*check)(void))
{
	unsigned nth;

	for (nth = 1; nth < MAX_ALLOCATIONS; nth++) {
		lcowmig_status status;

		test_host_fail_large_allocation(host, size, nth);
		status = request();
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
		check();
	}
	ck_assert_uint_gt(nth, 1);
	ck_assert_uint_lt(nth, MAX_ALLOCATIONS);
}

static void fail_each_allocation(lcowmig_status (*request)(void), void (*check)(void))
{
	fail_each_large_allocation(0, request, check);
}

static void has_no_disks_left(void *user, uint32_t slot, const lcowmig_disk_config *disk)
{
	ck_abort_msg("%s was left attached", disk->host_path);
}

/* NotCreated as if nothing had been asked, or Invalid with everything given back. */
static void check_create(void)
{
	ck_assert_ptr_null(container->init);
	ck_assert_uint_eq(container->processes.count, 0);
	ck_assert(!container->guest_is_open);
	lcowmig__scsi_each_disk(scsi, has_no_disks_left, NULL);
	ck_assert_int_eq(lcowmig__plan9_capture(plan9, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig__vpci_capture(vpci, &error), LCOWMIG_OK);
	if (container->object.state == CONTAINER_NOT_CREATED) {
		ck_assert(!container->terminated.is_set);
		ck_assert(!container->has_layers);
		return;
	}
	assert_state("Invalid");
	ck_assert(container->terminated.is_set);
}

static void check_create_and_start_over(void)
{
	check_create();
	replace(make("c1"));
}

static lcowmig_status create_without_parents(void)
{
	return create_with(SPEC, NO_PARENTS);
}

/* Nothing is left of a creation that failed after its init process was made, even where it may be repeated. */
START_TEST(test_container_create_without_parent_layers_leaves_no_process_behind)
{
	host->env.guest_supports_delete_state = _i;
	fail_each_allocation(create_without_parents, check_create_and_start_over);
	assert_state("Created");
	ck_assert_uint_eq(container->processes.count, 1);
	ck_assert_int_eq(start(), LCOWMIG_OK);
}
END_TEST

/* ---- Copies ---- */

static char text[3 * BLOCK];
static size_t text_length;

static const char *text_of(size_t length)
{
	memset(text, 't', length);
	text[length] = '\0';
	return text;
}

static lcowmig_status made(lcowmig__flow *flow)
{
	if (!flow)
		return (lcowmig_status)error.status;
	lcowmig__flow_discard(flow);
	return LCOWMIG_OK;
}

static lcowmig_status make_create(void)
{
	const char *const options[] = { "parentLayerPaths=[]", NULL, "other" };
	const lcowmig_rootfs_mount rootfs[] = { { "lcow-layer", "C:\\scratch", NULL, options, 3 }, { "bind", "C:\\b", "/", NULL, 0 } };
	lcowmig_container_options given = LCOWMIG_CONTAINER_OPTIONS_INIT;

	given.bundle = text_of(text_length);
	given.stdin_path = "in";
	given.stdout_path = "out";
	given.stderr_path = "err";
	given.oci_spec = SPEC;
	given.oci_spec_size = strlen(SPEC);
	given.rootfs = rootfs;
	given.n_rootfs = 2;
	return made(lcowmig__container_create_flow(container, &given, &error));
}

static lcowmig_status make_exec(void)
{
	lcowmig_process_options given = LCOWMIG_PROCESS_OPTIONS_INIT;

	given.bundle = text_of(text_length);
	given.stdin_path = "in";
	given.stdout_path = "out";
	given.stderr_path = "err";
	given.process_spec = "{}";
	return made(lcowmig__container_exec_flow(container, "e1", &given, NULL, &error));
}

static lcowmig_status make_patch(void)
{
	const char *const options[] = { "parentLayerPaths=[]" };
	const lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\scratch", NULL, options, 1 };
	const lcowmig_disk_patch disks[] = { { "C:\\a", "D:\\a" }, { "C:\\b", "D:\\b" } };
	lcowmig_patch given = LCOWMIG_PATCH_INIT;

	given.container_id = "n1";
	given.bundle = text_of(text_length);
	given.stdout_path = "out";
	given.rootfs = &rootfs;
	given.n_rootfs = 1;
	given.disks = disks;
	given.n_disks = 2;
	return made(lcowmig__container_patch_flow(container, &given, NULL, NULL, &error));
}

static void check_unchanged(void)
{
	assert_state("NotCreated");
	ck_assert_int_eq(error.status, LCOWMIG_E_NO_MEMORY);
}

static lcowmig_status (*const makers[])(void) = { make_create, make_exec, make_patch };

/* Wherever the block ends in which the caller's texts are kept. */
START_TEST(test_container_requests_are_copied_whole_or_refused)
{
	for (text_length = 0; text_length < 2 * BLOCK; text_length += PIECE)
		fail_each_allocation(makers[_i], check_unchanged);
	test_host_expect_log(host, "");
}
END_TEST

/* ---- The whole of it ---- */

/* Leaves the second block, twice as large, to what follows. */
static const char *first_block(void)
{
	static char filler[BLOCK];

	return memset(filler, 'f', sizeof filler - PIECE);
}

static lcowmig_status create_padded(void)
{
	const char *const options[] = { "parentLayerPaths=[\"C:\\\\l1\"]" };
	const lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\scratch", NULL, options, 1 };
	lcowmig_container_options given = LCOWMIG_CONTAINER_OPTIONS_INIT;

	given.oci_spec = EVERYTHING;
	given.oci_spec_size = strlen(EVERYTHING);
	given.rootfs = &rootfs;
	given.n_rootfs = 1;
	given.bundle = first_block();
	given.stdin_path = text_of(text_length);
	return lcowmig_container_create(container, &given, NULL, NULL, &error);
}

/* What is kept of the host's and the guest's answers comes behind the caller's texts. */
START_TEST(test_container_create_gives_everything_back_wherever_memory_ends)
{
	host->env.hcs.path_type = path_is_file;
	text_length = BLOCK / 2 + (size_t)_i * PIECE;
	fail_each_large_allocation(_i ? BLOCK : 0, create_padded, check_create_and_start_over);
	assert_state("Created");
}
END_TEST

static lcowmig_status patch_padded(void)
{
	const char *const options[] = { "parentLayerPaths=[\"D:\\\\n2\",\"D:\\\\n1\"]" };
	const lcowmig_rootfs_mount rootfs = { "lcow-layer", "D:\\new", NULL, options, 1 };
	const lcowmig_disk_patch disk = { "C:\\data.vhdx", "D:\\data.vhdx" };
	lcowmig_patch given = LCOWMIG_PATCH_INIT;

	given.container_id = "n1";
	given.bundle = first_block();
	given.stdin_path = text_of(text_length);
	given.rootfs = &rootfs;
	given.n_rootfs = 1;
	given.disks = &disk;
	given.n_disks = 1;
	return test_run(host, lcowmig__container_patch_flow(container, &given, NULL, NULL, &error), NULL, &error);
}

static void check_unpatched(void)
{
	assert_state("DestinationMigrating");
	ck_assert_str_eq(lcowmig_container_id(container), "c1");
	ck_assert_uint_eq(test_host_count(host, "stdio.open"), test_host_count(host, "stdio.close"));
}

START_TEST(test_container_patch_changes_nothing_wherever_memory_ends)
{
	become_imported();
	test_host_clear_log(host);
	text_length = (size_t)_i * PIECE;
	fail_each_large_allocation(_i ? BLOCK : 0, patch_padded, check_unpatched);
	ck_assert_str_eq(lcowmig_container_id(container), "n1");
}
END_TEST

/* ---- Questions ---- */

static lcowmig_status ask_pids(void)
{
	lcowmig_pids *pids = NULL;
	lcowmig_status status;

	test_host_reply(host, "guest.rpc:10100901", "{\"Result\":0,\"Properties\":\"{\\\"ProcessList\\\":[{\\\"ProcessId\\\":101}]}\"}");
	status = lcowmig_container_pids(container, &pids, NULL, NULL, &error);
	ck_assert_int_eq(pids != NULL, status == LCOWMIG_OK);
	if (pids)
		ck_assert_str_eq(lcowmig_pids_exec_id(pids, 0), "");
	lcowmig_pids_free(pids);
	return status;
}

static lcowmig_status ask_stats(void)
{
	lcowmig_stats *stats = NULL;
	lcowmig_status status = lcowmig_container_stats(container, &stats, NULL, NULL, &error);

	ck_assert_int_eq(stats != NULL, status == LCOWMIG_OK);
	lcowmig_stats_free(stats);
	return status;
}

static lcowmig_status update_it(void)
{
	return lcowmig_container_update(container, "{\"cpu\":{\"shares\":512}}", NULL, NULL, &error);
}

static lcowmig_status kill_all(void)
{
	return kill_it("", 9, true);
}

static lcowmig_status exec_it(void)
{
	lcowmig_process_options given = LCOWMIG_PROCESS_OPTIONS_INIT;
	lcowmig_process *process = NULL;

	given.process_spec = "{}";
	return lcowmig_container_exec(container, "e1", &given, &process, NULL, NULL, &error);
}

static lcowmig_status save_it(void)
{
	uint8_t bytes[8192];
	size_t size = 0;
	lcowmig_status status = lcowmig_container_save(container, bytes, sizeof bytes, &size, &error);

	ck_assert_int_eq(size != 0, status == LCOWMIG_OK);
	return status;
}

static void check_running(void)
{
	assert_state("Running");
	ck_assert_str_eq(lcowmig_process_state_name(container->init), "Running");
	ck_assert_uint_eq(container->processes.count, 1);
}

static lcowmig_status (*const questions[])(void) = { ask_pids, ask_stats, update_it, kill_all, exec_it, save_it };

START_TEST(test_container_questions_survive_every_failing_allocation)
{
	become(CONTAINER_RUNNING);
	fail_each_allocation(questions[_i], check_running);
}
END_TEST

/* ---- Delete ---- */

static void become_invalid_with_leftovers(void)
{
	test_host_fail(host, "guest.rpc:10100101", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no create");
	test_host_fail(host, "guest.rpc:10100d01", 1, LCOWMIG_E_GUEST_FAILED, 0x80004005, "no delete");
	ck_assert_int_eq(create(), LCOWMIG_E_GUEST_FAILED);
}

/* Each try is a new container's, so that every allocation of a whole delete fails once; the one after it makes up for what is missing. */
START_TEST(test_container_delete_is_made_up_for_by_the_next)
{
	lcowmig_status ended = _i ? LCOWMIG_E_NOT_FOUND : LCOWMIG_OK; /* the failed creation has no process left to be deleted */
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	unsigned nth;

	for (nth = 1; nth < MAX_ALLOCATIONS && status == LCOWMIG_E_NO_MEMORY; nth++) {
		start_over();
		if (_i)
			become_invalid_with_leftovers();
		else
			become(CONTAINER_CREATED);
		test_host_clear_log(host);
		test_host_fail_allocation(host, nth, false);
		status = delete ("", NULL);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_E_NO_MEMORY)
			ck_assert_int_eq(delete ("", NULL), ended);
		ck_assert(!container->guest_is_open && !container->guest_knows);
		ck_assert_uint_eq(test_host_count(host, "guest.close_container"), _i == 0);
		ck_assert_uint_eq(test_host_count(host, "event delete"), _i == 0);
		lcowmig__scsi_each_disk(scsi, has_no_disks_left, NULL);
	}
	ck_assert_int_eq(status, ended);
	ck_assert_uint_gt(nth, 10);
}
END_TEST

/* ---- Trees of JSON, which have an allocator of their own ---- */

static unsigned fail_json_in;

static void *json_allocate(size_t size)
{
	return fail_json_in && --fail_json_in == 0 ? NULL : malloc(size);
}

START_TEST(test_container_create_survives_every_json_value_without_memory)
{
	cJSON_Hooks hooks = { json_allocate, free };
	unsigned nth;

	cJSON_InitHooks(&hooks);
	for (nth = 1; nth < MAX_ALLOCATIONS; nth++) {
		lcowmig_status status;

		fail_json_in = nth;
		status = create_with(EVERYTHING, "parentLayerPaths=[\"C:\\\\l1\"]");
		fail_json_in = 0;
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_ne(status, LCOWMIG_PENDING);
		check_create_and_start_over();
	}
	cJSON_InitHooks(NULL);
	ck_assert_uint_gt(nth, 10);
	ck_assert_uint_lt(nth, MAX_ALLOCATIONS);
	assert_state("Created");
}
END_TEST

/* More layers than the first block has room for. */
START_TEST(test_container_save_of_many_layers_survives_every_failing_allocation)
{
	char options[64 * 8] = "parentLayerPaths=[";
	unsigned i;

	for (i = 0; i < 60; i++)
		snprintf(options + strlen(options), sizeof options - strlen(options), "%s\"L%02u\"", i ? "," : "", i);
	strcat(options, "]");
	ck_assert_int_eq(create_with(SPEC, options), LCOWMIG_OK);
	ck_assert_int_eq(start(), LCOWMIG_OK);
	fail_each_allocation(save_it, check_running);
	assert_state("SourceMigrating");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("container_memory");
	TCase *tcase = tcase_create("container_memory");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_container_create_without_parent_layers_leaves_no_process_behind, 0, 2);
	tcase_add_loop_test(tcase, test_container_requests_are_copied_whole_or_refused, 0, (int)LCOWMIG__COUNT(makers));
	tcase_add_loop_test(tcase, test_container_create_gives_everything_back_wherever_memory_ends, 0, BLOCK / PIECE);
	tcase_add_loop_test(tcase, test_container_patch_changes_nothing_wherever_memory_ends, 0, BLOCK / PIECE);
	tcase_add_loop_test(tcase, test_container_questions_survive_every_failing_allocation, 0, (int)LCOWMIG__COUNT(questions));
	tcase_add_loop_test(tcase, test_container_delete_is_made_up_for_by_the_next, 0, 2);
	tcase_add_test(tcase, test_container_create_survives_every_json_value_without_memory);
	tcase_add_test(tcase, test_container_save_of_many_layers_survives_every_failing_allocation);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
