/*
 * Every struct that crosses the boundary is offered too short, exact, longer with nothing in the surplus, and longer with something in it:
 * INVALID_ARGUMENT, judged by its contents, judged by its contents, NOT_SUPPORTED. One that has grown since version 1.0 is offered as it was then,
 * too. Those that the library hands to the host say their size; those it fills in are in test_results.c. With the argument --list it prints
 * the names: sized-structs finds out which one of the headers is missing.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define ROOM 1024

static test_world *world;
static lcowmig_error error;

static lcowmig_context *context(void)
{
	return world->source.host->context;
}

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

/* A container and a virtual machine on which nothing has happened yet, in a sandbox of their own. */
static lcowmig_sandbox *fresh(void)
{
	lcowmig_sandbox *sandbox = NULL;
	lcowmig_sandbox_config config = world->source.host->config;

	config.id = "fresh";
	ck_assert_int_eq(lcowmig_sandbox_new(context(), &config, &sandbox, NULL), LCOWMIG_OK);
	return sandbox;
}

/* ---- structs that the library takes ---- */

static lcowmig_status take_platform(void *given)
{
	lcowmig_context *made = NULL;
	lcowmig_status status = lcowmig_context_new(given, NULL, &made, &error);

	lcowmig_context_free(made);
	return status;
}

static lcowmig_status take_limits(void *given)
{
	lcowmig_context *made = NULL;
	lcowmig_status status = lcowmig_context_new(NULL, given, &made, &error);

	lcowmig_context_free(made);
	return status;
}

static lcowmig_status take_config(void *given)
{
	lcowmig_sandbox *made = NULL;
	lcowmig_status status = lcowmig_sandbox_new(context(), given, &made, &error);

	lcowmig_sandbox_free(made, NULL);
	return status;
}

#define TAKE_OPS(member)                                                           \
	static lcowmig_status take_##member(void *given)                           \
	{                                                                          \
		lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;       \
                                                                                   \
		config.id = "s";                                                   \
		config.member = given;                                             \
		return take_config(&config);                                       \
	}
TAKE_OPS(hcs)
TAKE_OPS(guest)
TAKE_OPS(network)
TAKE_OPS(stdio)
TAKE_OPS(socket)
TAKE_OPS(events)

static lcowmig_status take_gcs_config(void *given)
{
	lcowmig_gcs *made = NULL;
	lcowmig_status status = lcowmig_gcs_new(context(), given, &made, &error);

	lcowmig_gcs_free(made, NULL);
	return status;
}

static lcowmig_status take_streams(void *given)
{
	lcowmig_gcs_config config = LCOWMIG_GCS_CONFIG_INIT;

	config.streams = given;
	return take_gcs_config(&config);
}

static lcowmig_status take_vm_options(void *given)
{
	static const char document[] = "{\"Owner\":\"t\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"VirtualMachine\":{}}";
	lcowmig_sandbox *sandbox = fresh();
	test_done done = { 0 };
	lcowmig_status status = lcowmig_vm_create(lcowmig_sandbox_vm(sandbox), document, strlen(document), given, test_on_done, &done, &error);

	if (status == LCOWMIG_OK)
		lcowmig_vm_terminate(lcowmig_sandbox_vm(sandbox), test_on_done, &done, NULL);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_OK);
	return status;
}

static lcowmig_status take_vm_policy(void *given)
{
	return lcowmig_vm_set_policy(vm(), given, &error);
}

static lcowmig_status take_cpu_limits(void *given)
{
	return lcowmig_vm_update_cpu(vm(), given, test_on_done, NULL, &error);
}

static lcowmig_status take_exec(void *given)
{
	int32_t code = 0;

	return lcowmig_vm_exec_into_host(vm(), given, &code, test_on_done, NULL, &error);
}

static lcowmig_status take_update(void *given)
{
	return lcowmig_sandbox_update(world->source.sandbox, "nobody", given, test_on_done, NULL, &error);
}

static lcowmig_status take_container_options(void *given)
{
	lcowmig_container *made = NULL;
	lcowmig_pod *pod = NULL;
	lcowmig_status status;

	lcowmig_sandbox_list_pods(world->source.sandbox, &pod, 1);
	ck_assert_int_eq(lcowmig_pod_new_container(pod, "extra", &made, NULL), LCOWMIG_OK);
	status = lcowmig_container_create(made, given, test_on_done, NULL, &error);
	ck_assert_int_eq(lcowmig_pod_delete_container(pod, "extra", NULL), LCOWMIG_OK);
	return status;
}

static lcowmig_status take_process_options(void *given)
{
	return lcowmig_container_exec(container(), "e", given, NULL, test_on_done, NULL, &error);
}

static lcowmig_scsi *scsi(void)
{
	lcowmig_scsi *found = NULL;

	ck_assert_int_eq(lcowmig_vm_scsi(vm(), &found, NULL), LCOWMIG_OK);
	return found;
}

static lcowmig_status take_disk(void *given)
{
	lcowmig_mount_config mount = { sizeof(mount), 0, NULL, 0, NULL, 0, 0, 0, 0 };
	lcowmig_guid id;

	return lcowmig_scsi_reserve(scsi(), given, &mount, &id, &error);
}

static lcowmig_status take_mount(void *given)
{
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_guid id;

	disk.host_path = "C:\\some.vhdx";
	return lcowmig_scsi_reserve(scsi(), &disk, given, &id, &error);
}

static lcowmig_status take_share(void *given)
{
	lcowmig_sandbox *sandbox = fresh();
	lcowmig_plan9 *plan9 = NULL;
	lcowmig_guid id;
	lcowmig_status status;

	ck_assert_int_eq(lcowmig_vm_plan9(lcowmig_sandbox_vm(sandbox), &plan9, NULL), LCOWMIG_OK);
	status = lcowmig_plan9_reserve(plan9, given, 0, &id, &error);
	lcowmig_sandbox_free(sandbox, NULL);
	return status;
}

static lcowmig_status take_migration_options(void *given)
{
	lcowmig_status status = lcowmig_migration_prepare_source(world->source.m, WORLD_SESSION, given, test_on_done, NULL, &error);

	if (status == LCOWMIG_OK)
		ck_assert_int_eq(lcowmig_migration_abandon(world->source.m, WORLD_SESSION, test_on_done, NULL, NULL), LCOWMIG_OK);
	return status;
}

static lcowmig_status take_import(void *given)
{
	return lcowmig_migration_import(world->destination.m, given, &error);
}

static lcowmig_status take_patch(void *given)
{
	return lcowmig_migration_patch(world->destination.m, given, test_on_done, NULL, &error);
}

static lcowmig_status take_transfer(void *given)
{
	return lcowmig_migration_transfer(world->source.m, "nobody's", given, &error);
}

static lcowmig_status take_finalize(void *given)
{
	return lcowmig_migration_finalize(world->source.m, "nobody's", given, test_on_done, NULL, &error);
}

typedef struct taken {
	const char *name;
	size_t size;  /* today's */
	size_t first; /* what version 1.0 had, which is the least */
	lcowmig_status (*take)(void *given);
} taken;

static const taken taken_structs[] = {
	{ "lcowmig_platform", sizeof(lcowmig_platform), sizeof(lcowmig_platform), take_platform },
	{ "lcowmig_limits", sizeof(lcowmig_limits), offsetof(lcowmig_limits, json_values), take_limits },
	{ "lcowmig_sandbox_config", sizeof(lcowmig_sandbox_config), sizeof(lcowmig_sandbox_config), take_config },
	{ "lcowmig_hcs_ops", sizeof(lcowmig_hcs_ops), sizeof(lcowmig_hcs_ops), take_hcs },
	{ "lcowmig_guest_ops", sizeof(lcowmig_guest_ops), sizeof(lcowmig_guest_ops), take_guest },
	{ "lcowmig_network_ops", sizeof(lcowmig_network_ops), sizeof(lcowmig_network_ops), take_network },
	{ "lcowmig_stdio_ops", sizeof(lcowmig_stdio_ops), sizeof(lcowmig_stdio_ops), take_stdio },
	{ "lcowmig_socket_ops", sizeof(lcowmig_socket_ops), sizeof(lcowmig_socket_ops), take_socket },
	{ "lcowmig_event_ops", sizeof(lcowmig_event_ops), sizeof(lcowmig_event_ops), take_events },
	{ "lcowmig_gcs_config", sizeof(lcowmig_gcs_config), sizeof(lcowmig_gcs_config), take_gcs_config },
	{ "lcowmig_stream_ops", sizeof(lcowmig_stream_ops), sizeof(lcowmig_stream_ops), take_streams },
	{ "lcowmig_vm_options", sizeof(lcowmig_vm_options), sizeof(lcowmig_vm_options), take_vm_options },
	{ "lcowmig_vm_policy", sizeof(lcowmig_vm_policy), sizeof(lcowmig_vm_policy), take_vm_policy },
	{ "lcowmig_vm_cpu_limits", sizeof(lcowmig_vm_cpu_limits), sizeof(lcowmig_vm_cpu_limits), take_cpu_limits },
	{ "lcowmig_vm_exec", sizeof(lcowmig_vm_exec), sizeof(lcowmig_vm_exec), take_exec },
	{ "lcowmig_update", sizeof(lcowmig_update), sizeof(lcowmig_update), take_update },
	{ "lcowmig_container_options", sizeof(lcowmig_container_options), sizeof(lcowmig_container_options), take_container_options },
	{ "lcowmig_process_options", sizeof(lcowmig_process_options), sizeof(lcowmig_process_options), take_process_options },
	{ "lcowmig_disk_config", sizeof(lcowmig_disk_config), sizeof(lcowmig_disk_config), take_disk },
	{ "lcowmig_mount_config", sizeof(lcowmig_mount_config), sizeof(lcowmig_mount_config), take_mount },
	{ "lcowmig_share_config", sizeof(lcowmig_share_config), sizeof(lcowmig_share_config), take_share },
	{ "lcowmig_migration_options", sizeof(lcowmig_migration_options), sizeof(lcowmig_migration_options), take_migration_options },
	{ "lcowmig_import_options", sizeof(lcowmig_import_options), sizeof(lcowmig_import_options), take_import },
	{ "lcowmig_patch", sizeof(lcowmig_patch), sizeof(lcowmig_patch), take_patch },
	{ "lcowmig_transfer_options", sizeof(lcowmig_transfer_options), sizeof(lcowmig_transfer_options), take_transfer },
	{ "lcowmig_finalize_options", sizeof(lcowmig_finalize_options), sizeof(lcowmig_finalize_options), take_finalize },
};

/* ---- the tests ---- */

static void setup(void)
{
	world = world_new(1, 1);
}

static void teardown(void)
{
	world_free(world);
}

static size_t *given_of(uint8_t *block, size_t size, size_t claimed)
{
	size_t *place = (size_t *)(void *)block;

	(void)size;
	memset(block, 0, ROOM);
	*place = claimed;
	error = (lcowmig_error)LCOWMIG_ERROR_INIT;
	return place;
}

START_TEST(test_struct_that_is_too_short_is_refused)
{
	const taken *one = &taken_structs[_i];
	uint8_t *block = calloc(1, ROOM);

	ck_assert_msg(one->take(given_of(block, one->size, 0)) == LCOWMIG_E_INVALID_ARGUMENT, "%s, size 0: %s", one->name, error.message);
	ck_assert_msg(one->take(given_of(block, one->size, sizeof(size_t))) == LCOWMIG_E_INVALID_ARGUMENT, "%s, size 8: %s", one->name, error.message);
	ck_assert_msg(one->take(given_of(block, one->size, one->first - 1)) == LCOWMIG_E_INVALID_ARGUMENT, "%s, one less: %s", one->name,
	              error.message);
	ck_assert_msg(strstr(error.message, "size is") != NULL, "%s: %s", one->name, error.message);
	free(block);
}
END_TEST

START_TEST(test_struct_that_is_longer_is_judged_by_its_surplus)
{
	const taken *one = &taken_structs[_i];
	uint8_t *block = calloc(1, ROOM);
	lcowmig_status exact, longer;

	exact = one->take(given_of(block, one->size, one->size));
	ck_assert_msg(!strstr(error.message, "size is"), "%s: %s", one->name, error.message);
	longer = one->take(given_of(block, one->size, one->first));
	ck_assert_msg(exact == longer, "%s: %d exact, %d as in 1.0: %s", one->name, exact, longer, error.message);
	longer = one->take(given_of(block, one->size, one->size + 64));
	ck_assert_msg(exact == longer, "%s: %d exact, %d longer: %s", one->name, exact, longer, error.message);
	given_of(block, one->size, one->size + 64);
	block[one->size + 63] = 1;
	ck_assert_msg(one->take(block) == LCOWMIG_E_NOT_SUPPORTED, "%s: %s", one->name, error.message);
	ck_assert_msg(strstr(error.message, "does not know") != NULL, "%s: %s", one->name, error.message);
	free(block);
}
END_TEST

/* ---- structs that the library hands to the host ---- */

static lcowmig_stdio_config told;
static bool has_texts;

static lcowmig_status note_config(void *user, lcowmig_call *call, const lcowmig_stdio_config *config)
{
	told = *config;
	has_texts = config->container_id && config->exec_id && config->stdin_path && config->stdout_path && config->stderr_path;
	return LCOWMIG_E_HOST_FAILED;
}

/* Its size is what a host compiled against other headers goes by: an older one reads the beginning, a newer one reads no further than this. */
START_TEST(test_stdio_config_says_its_size_when_it_is_handed_to_the_host)
{
	static const char document[] = "{\"Owner\":\"t\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"VirtualMachine\":{}}";
	static const char *const arguments[] = { "ps" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1, .stdout_path = "out" };
	test_host *host = test_host_new();
	lcowmig_sandbox_config config = host->config;
	lcowmig_stdio_ops ops = *config.stdio;
	lcowmig_sandbox *sandbox = NULL;
	int32_t code = 0;

	ops.open = note_config;
	config.id = "told";
	config.stdio = &ops;
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &config, &sandbox, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_create(lcowmig_sandbox_vm(sandbox), document, strlen(document), NULL, NULL, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_start(lcowmig_sandbox_vm(sandbox), NULL, NULL, &error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_vm_exec_into_host(lcowmig_sandbox_vm(sandbox), &exec, &code, NULL, NULL, &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(told.size, sizeof(lcowmig_stdio_config));
	ck_assert_uint_ge(told.size, offsetof(lcowmig_stdio_config, reserved) + sizeof told.reserved);
	ck_assert_uint_eq(told.reserved, 0);
	ck_assert(has_texts);
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, WORLD_EXITED, NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_free(sandbox, &error), LCOWMIG_OK);
	test_host_free(host);
}
END_TEST

/* One name a line, for sized-structs. */
static int list(void)
{
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(taken_structs); i++)
		puts(taken_structs[i].name);
	puts("lcowmig_stdio_config");
	return 0;
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("structs");
	TCase *tests = tcase_create("structs");
	SRunner *runner;
	int failed;

	if (argc > 1 && strcmp(argv[1], "--list") == 0)
		return list();
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, test_struct_that_is_too_short_is_refused, 0, (int)LCOWMIG__COUNT(taken_structs));
	tcase_add_loop_test(tests, test_struct_that_is_longer_is_judged_by_its_surplus, 0, (int)LCOWMIG__COUNT(taken_structs));
	tcase_add_test(tests, test_stdio_config_says_its_size_when_it_is_handed_to_the_host);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
