/*
 * Every struct that the library fills in is asked for too short, exact and longer: refused without a byte being written, filled, filled as far as
 * we know it. It is never written past its size, and keeps the size its caller gave. With the argument --list it prints the names: sized-structs
 * finds out which one of the headers is missing.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../gcs/peer.h"
#include "world.h"

#define ROOM 1024

static test_world *world;
static lcowmig_error error;

static lcowmig_vm *vm(void)
{
	return lcowmig_sandbox_vm(world->source.sandbox);
}

static lcowmig_container *container(void)
{
	lcowmig_pod *pod = NULL;
	lcowmig_container *found = NULL;

	lcowmig_sandbox_list_pods(world->source.sandbox, &pod, 1);
	lcowmig_pod_list_containers(pod, &found, 1);
	return found;
}

/* ---- each in a state in which there is something to tell ---- */

static lcowmig_status fill_stats(void *wanted)
{
	test_host_reply(world->source.host, "hcs.properties", "{\"Statistics\":{\"Processor\":{\"TotalRuntime100ns\":1234567}}}");
	test_host_reply(world->source.host, "hcs.properties", "{\"Memory\":{\"VirtualMachineMemory\":{\"AssignedMemory\":2}}}");
	return lcowmig_vm_get_stats(vm(), wanted, NULL, NULL, &error);
}

static lcowmig_status fill_vm_exit(void *wanted)
{
	world_kill_vm(world, &world->source);
	return lcowmig_vm_exit_status(vm(), wanted, &error);
}

static lcowmig_status fill_sandbox_status(void *wanted)
{
	return lcowmig_sandbox_get_status(world->source.sandbox, wanted, &error);
}

static lcowmig_status fill_timeline(void *wanted)
{
	if (!lcowmig_migration_timeline_count(world->source.m))
		ck_assert_int_eq(world_step(world, WORLD_PREPARED), LCOWMIG_OK);
	return lcowmig_migration_timeline_entry(world->source.m, 0, wanted, &error);
}

static lcowmig_process *init_process(void)
{
	lcowmig_process *process = NULL;

	ck_assert_int_eq(lcowmig_container_get_process(container(), "", &process, NULL), LCOWMIG_OK);
	return process;
}

static lcowmig_status fill_exit(void *wanted)
{
	test_host_exit_process(world->source.host, lcowmig_process_pid(init_process()), 7);
	return lcowmig_process_get_exit(init_process(), wanted, &error);
}

static lcowmig_status fill_exit_of_delete(void *wanted)
{
	test_host_exit_process(world->source.host, lcowmig_process_pid(init_process()), 7);
	return lcowmig_container_delete(container(), NULL, wanted, NULL, NULL, &error);
}

static lcowmig_status fill_disk(void *wanted)
{
	lcowmig_scsi *scsi = NULL;

	ck_assert_int_eq(lcowmig_vm_scsi(vm(), &scsi, NULL), LCOWMIG_OK);
	return lcowmig_scsi_disk(scsi, 0, wanted, &error);
}

static lcowmig_status fill_capabilities(void *wanted)
{
	peer *guest = peer_new();
	lcowmig_status status;

	peer_connect(guest, true);
	status = lcowmig_gcs_get_capabilities(guest->gcs, wanted);
	peer_free(guest);
	return status;
}

typedef struct filled {
	const char *name;
	size_t size;
	size_t first; /* what version 1.0 had */
	lcowmig_status (*fill)(void *wanted);
} filled;

static const filled filled_structs[] = {
	{ "lcowmig_vm_stats", sizeof(lcowmig_vm_stats), sizeof(lcowmig_vm_stats), fill_stats },
	{ "lcowmig_vm_exit", sizeof(lcowmig_vm_exit), sizeof(lcowmig_vm_exit), fill_vm_exit },
	{ "lcowmig_sandbox_status", sizeof(lcowmig_sandbox_status), sizeof(lcowmig_sandbox_status), fill_sandbox_status },
	{ "lcowmig_timeline_entry", sizeof(lcowmig_timeline_entry), sizeof(lcowmig_timeline_entry), fill_timeline },
	{ "lcowmig_exit", sizeof(lcowmig_exit), sizeof(lcowmig_exit), fill_exit },
	{ "lcowmig_exit", sizeof(lcowmig_exit), sizeof(lcowmig_exit), fill_exit_of_delete },
	{ "lcowmig_disk_config", sizeof(lcowmig_disk_config), sizeof(lcowmig_disk_config), fill_disk },
	{ "lcowmig_gcs_capabilities", sizeof(lcowmig_gcs_capabilities), sizeof(lcowmig_gcs_capabilities), fill_capabilities },
};

static void setup(void)
{
	world = world_new(1, 1);
}

static void teardown(void)
{
	world_free(world);
}

/* A struct that claims this size, with every byte behind its beginning marked. */
static void *wanted_of(uint8_t *block, size_t claimed)
{
	memset(block, 0x5a, ROOM);
	memcpy(block, &claimed, sizeof claimed);
	error = (lcowmig_error)LCOWMIG_ERROR_INIT;
	return block;
}

static size_t first_written(const uint8_t *block, size_t from)
{
	while (from < ROOM && block[from] == 0x5a)
		from++;
	return from;
}

START_TEST(test_result_that_is_too_short_is_refused_and_not_written)
{
	const filled *one = &filled_structs[_i];
	const size_t sizes[] = { 0, sizeof(size_t), one->first - 1 };
	uint8_t *block = calloc(1, ROOM);
	size_t i;

	/* Each time in a world of its own, so that nothing but the size stands in the way. */
	for (i = 0; i < LCOWMIG__COUNT(sizes); i++) {
		if (i > 0) {
			teardown();
			setup();
		}
		ck_assert_msg(one->fill(wanted_of(block, sizes[i])) == LCOWMIG_E_INVALID_ARGUMENT, "%s, size %zu: %s", one->name, sizes[i],
		              error.message);
		ck_assert_msg(first_written(block, sizeof(size_t)) == ROOM, "%s, size %zu: byte %zu was written", one->name, sizes[i],
		              first_written(block, sizeof(size_t)));
	}
	free(block);
}
END_TEST

START_TEST(test_result_is_filled_up_to_its_size)
{
	const filled *one = &filled_structs[_i / 2];
	size_t claimed = one->size + (_i % 2 ? 64 : 0);
	uint8_t *block = calloc(1, ROOM);
	size_t i, kept;

	ck_assert_msg(one->fill(wanted_of(block, claimed)) == LCOWMIG_OK, "%s: %s", one->name, error.message);
	ck_assert_msg(first_written(block, sizeof(size_t)) < one->size, "%s: nothing was written", one->name);
	/* What we do not know is left alone or zero. */
	for (i = one->size; i < claimed; i++)
		ck_assert_msg(block[i] == 0x5a || block[i] == 0, "%s: byte %zu was written", one->name, i);
	ck_assert_msg(first_written(block, claimed) == ROOM, "%s: byte %zu was written", one->name, first_written(block, claimed));
	memcpy(&kept, block, sizeof kept);
	ck_assert_uint_eq(kept, claimed);
	free(block);
}
END_TEST

/* An error of an older caller is cut, not overrun; a caller with none is fine. */
START_TEST(test_error_of_any_size_is_filled_as_far_as_it_goes)
{
	static const size_t sizes[] = { offsetof(lcowmig_error, message) + 8, sizeof(lcowmig_error), sizeof(lcowmig_error) + 64 };
	uint8_t *block = calloc(1, ROOM);
	lcowmig_error *given = (lcowmig_error *)(void *)block;

	wanted_of(block, sizes[_i]);
	ck_assert_int_eq(lcowmig_context_new(NULL, NULL, NULL, given), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(given->status, LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(memchr(given->message, 0, sizes[_i] - offsetof(lcowmig_error, message)));
	ck_assert_msg(first_written(block, sizes[_i]) == ROOM, "byte %zu was written", first_written(block, sizes[_i]));
	ck_assert_uint_eq(given->size, sizes[_i]);
	ck_assert_int_eq(lcowmig_context_new(NULL, NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	free(block);
}
END_TEST

static int list(void)
{
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(filled_structs); i++)
		puts(filled_structs[i].name);
	puts("lcowmig_error");
	return 0;
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("results");
	TCase *tests = tcase_create("results");
	SRunner *runner;
	int failed;

	if (argc > 1 && strcmp(argv[1], "--list") == 0)
		return list();
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, test_result_that_is_too_short_is_refused_and_not_written, 0, (int)LCOWMIG__COUNT(filled_structs));
	tcase_add_loop_test(tests, test_result_is_filled_up_to_its_size, 0, 2 * (int)LCOWMIG__COUNT(filled_structs));
	tcase_add_loop_test(tests, test_error_of_any_size_is_filled_as_far_as_it_goes, 0, 3);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
