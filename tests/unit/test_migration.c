/* The migration session: every call in every state, cancels and failures wherever they come, the right to run, notifications, the timeline.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "invariants.h"
#include "migration_fixture.h"

/* ---- Construction and numbers ---- */

/* MIG-01 */
START_TEST(test_session_is_idle_when_new)
{
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	ck_assert(!source->m->socket_signal.is_set);
	ck_assert_str_eq(lcowmig_migration_session_id(source->m), "");
	ck_assert_int_eq(lcowmig_migration_get_origin(source->m), LCOWMIG_ORIGIN_UNSPECIFIED);
	ck_assert(!lcowmig_migration_has_right(source->m));
	ck_assert_int_eq(lcowmig_migration_get_state(NULL), LCOWMIG_MIGRATION_IDLE);
}
END_TEST

/* MIG-02, MIG-03, MIG-04 */
START_TEST(test_session_number_is_a_hash_of_the_id)
{
	ck_assert_uint_eq(lcowmig__session_number("5f0b1190-63be-4e0c-b974-bd0f55675a42"), 640281193u);
	ck_assert_uint_eq(lcowmig__session_number("5F0B1190-63BE-4E0C-B974-BD0F55675A42"), 640281193u);
	ck_assert_uint_eq(lcowmig__session_number("session-1"), 2215213096u);
	ck_assert_uint_eq(lcowmig__session_number("Session-1"), lcowmig__session_number("Session-1"));
	ck_assert_uint_ne(lcowmig__session_number("Session-1"), lcowmig__session_number("session-1"));
}
END_TEST

START_TEST(test_state_names_are_complete)
{
	int i;

	for (i = 0; i < LCOWMIG__MIGRATION_N_STATES; i++)
		ck_assert_str_ne(lcowmig_migration_state_name((lcowmig_migration_state)i), "Unknown");
	ck_assert_str_eq(lcowmig_migration_state_name((lcowmig_migration_state)LCOWMIG__MIGRATION_N_STATES), "Unknown");
	ck_assert_str_eq(lcowmig_migration_state_name((lcowmig_migration_state)-1), "Unknown");
}
END_TEST

/* every state can be left. */
START_TEST(test_every_state_can_be_abandoned)
{
	int i;

	for (i = 0; i < LCOWMIG__MIGRATION_N_STATES; i++)
		ck_assert(lcowmig__machine_allows(&lcowmig__migration_machine, i, LCOWMIG__MIGRATION_ABANDON));
}
END_TEST

/* ---- Ids (X-13) ---- */

static lcowmig_status call_with_id(int call, const char *id, lcowmig_error *error)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	lcowmig_migration *m = source->m;
	const uint8_t *data;
	uint8_t buffer[LCOWMIG_TOKEN_SIZE_MAX];
	size_t size;

	options.action = LCOWMIG_FINALIZE_STOP;
	switch (call) {
	case 0:
		return lcowmig_migration_export(m, id, NULL, NULL, error);
	case 1:
		return lcowmig_migration_envelope(m, id, &data, &size, error);
	case 2:
		return lcowmig_migration_copy_envelope(m, id, buffer, 1, &size, error);
	case 3:
		return lcowmig_migration_prepare_destination(m, id, NULL, 0, NULL, NULL, error);
	case 4:
		return lcowmig_migration_register_socket(m, id, SOCKET, 6, NULL, NULL, error);
	case 5:
		return lcowmig_migration_transfer(m, id, NULL, error);
	case 6:
		return lcowmig_migration_release(m, id, buffer, sizeof buffer, &size, error);
	case 7:
		return lcowmig_migration_finalize(m, id, &options, NULL, NULL, error);
	case 8:
		return lcowmig_migration_cancel(m, id, NULL, NULL, error);
	case 9:
		return lcowmig_migration_cleanup(m, id, error);
	default:
		return lcowmig_migration_abandon(m, id, NULL, NULL, error);
	}
}
#define N_CALLS_WITH_ID 11

/* X-13, MIG-79, MIG-80: an empty id is wrong everywhere, also when idle. */
START_TEST(test_empty_id_is_invalid_in_every_call)
{
	lcowmig_subscription *subscription;

	FAILS(call_with_id(_i, "", &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(call_with_id(_i, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(call_with_id(_i, "\xff", &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	OK(world_prepare_source(world));
	FAILS(call_with_id(_i, "", &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_subscribe(source->m, "", 0, (lcowmig_notification_fn)abort, NULL, &subscription, &world->error),
	      LCOWMIG_E_INVALID_ARGUMENT);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
}
END_TEST

/* X-13, MIG-09, MIG-39, MIG-41, MIG-48, MIG-79, MIG-83, MIG-94 */
START_TEST(test_foreign_id_is_invalid_in_every_call)
{
	OK(world_prepare_source(world));
	FAILS(call_with_id(_i, "another", &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
}
END_TEST

/* MIG-50, MIG-80, MIG-89, MIG-93: what needs a session is refused when idle, what ends one has nothing to do. */
START_TEST(test_idle_refuses_what_needs_a_session)
{
	bool ends_one = _i >= 8;

	FAILS(call_with_id(_i, "any", &world->error), ends_one ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
}
END_TEST

START_TEST(test_overlong_id_passes_a_limit)
{
	char *id = malloc(LCOWMIG_LIMIT_ID_BYTES + 2);

	memset(id, 'x', LCOWMIG_LIMIT_ID_BYTES + 1);
	id[LCOWMIG_LIMIT_ID_BYTES + 1] = '\0';
	FAILS(lcowmig_migration_prepare_source(source->m, id, NULL, NULL, NULL, &world->error), LCOWMIG_E_LIMIT_EXCEEDED);
	free(id);
}
END_TEST

/* ---- Check and prepare source ---- */

static void count_reason(void *user, const char *reason)
{
	ck_assert(reason[0] != '\0');
	++*(unsigned *)user;
}

/* */
START_TEST(test_check_reports_all_reasons_and_changes_nothing)
{
	unsigned count = 0;

	OK(lcowmig_migration_check(source->m, count_reason, &count, &world->error));
	ck_assert_uint_eq(count, 0);
	source->sandbox->env.hcs.initialize_migration = NULL;
	source->sandbox->env.hcs.transfer = NULL;
	FAILS(lcowmig_migration_check(source->m, count_reason, &count, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_uint_eq(count, 2);
	ck_assert_ptr_nonnull(strstr(world->error.message, "2 reasons"));
	ck_assert_ptr_nonnull(strstr(world->error.message, "no initialize_migration"));
	ck_assert_ptr_nonnull(strstr(world->error.message, "no transfer"));
	FAILS(lcowmig_migration_check(destination->m, NULL, NULL, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(lcowmig_migration_check(NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
}
END_TEST

/* MIG-05 */
START_TEST(test_prepare_source_refuses_missing_arguments)
{
	FAILS(lcowmig_migration_prepare_source(NULL, "s", NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_prepare_source(source->m, NULL, NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
}
END_TEST

/* MIG-06 */
START_TEST(test_prepare_source_refuses_a_second_session)
{
	OK(world_prepare_source(world));
	test_host_clear_log(source->host);
	FAILS(lcowmig_migration_prepare_source(source->m, "other", NULL, NULL, NULL, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_expect_log(source->host, "");
	ck_assert_str_eq(lcowmig_migration_session_id(source->m), WORLD_SESSION);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
}
END_TEST

/* MIG-07 */
START_TEST(test_prepare_source_stays_idle_when_the_host_fails)
{
	test_host_fail(source->host, "hcs.initialize_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "no");
	FAILS(world_prepare_source(world), LCOWMIG_E_HOST_FAILED);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	ck_assert_str_eq(lcowmig_migration_session_id(source->m), "");
	OK(world_prepare_source(world));
}
END_TEST

/* MIG-08 */
START_TEST(test_prepare_source_records_the_session)
{
	test_host_clear_log(source->host);
	OK(world_prepare_source(world));
	test_host_expect_log(source->host, "hcs.initialize_migration {\"Origin\":\"Source\"}\n");
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
	ck_assert_str_eq(lcowmig_migration_session_id(source->m), WORLD_SESSION);
	ck_assert_int_eq(lcowmig_migration_get_origin(source->m), LCOWMIG_ORIGIN_SOURCE);
	ck_assert(lcowmig_migration_has_right(source->m));
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED);
}
END_TEST

/* every reason in one answer, and the host is not bothered. */
START_TEST(test_prepare_source_is_refused_with_all_reasons)
{
	source->sandbox->env.hcs.cancel_migration = NULL;
	test_host_clear_log(source->host);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "cancel_migration"));
	test_host_expect_log(source->host, "");
	source->sandbox->env.hcs.cancel_migration = source->host->config.hcs->cancel_migration;
}
END_TEST

/* ---- Export ---- */

/* MIG-10 */
START_TEST(test_export_is_refused_before_prepare)
{
	FAILS(world_export(world), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_migrate_until(world, WORLD_CONNECTED));
	FAILS(world_export(world), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* MIG-11, X-01 */
START_TEST(test_export_changes_nothing_when_the_machine_cannot_be_saved)
{
	const uint8_t *data;
	size_t size;

	OK(world_prepare_source(world));
	test_host_fail(source->host, "hcs.properties", 1, LCOWMIG_E_HOST_FAILED, 0, "no");
	FAILS(world_export(world), LCOWMIG_E_HOST_FAILED);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
	FAILS(lcowmig_migration_envelope(source->m, WORLD_SESSION, &data, &size, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_export(world));
}
END_TEST

/* MIG-12 */
START_TEST(test_export_encodes_the_session_without_pods)
{
	lcowmig__wire_sandbox wire;
	lcowmig__arena arena;
	size_t size;
	uint8_t small[4];

	OK(world_migrate_until(world, WORLD_EXPORTED));
	STATE(source, LCOWMIG_MIGRATION_SOURCE_EXPORTED);
	lcowmig__arena_init(&arena, &source->host->context->mem, 0);
	OK(lcowmig__wire_decode_sandbox(&arena, &source->host->context->limits, world->envelope, world->envelope_size, &wire,
					&world->error));
	ck_assert_str_eq(wire.vm.vm_id, "sb@vm");
	ck_assert_uint_eq(wire.n_pods, 0);
	ck_assert_uint_eq(wire.vm.compat_info.size, 6);
	lcowmig__arena_done(&arena);
	FAILS(lcowmig_migration_copy_envelope(source->m, WORLD_SESSION, small, sizeof small, &size, &world->error),
	      LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_uint_eq(size, world->envelope_size);
}
END_TEST

/* MIG-13, X-01: a pod that cannot be saved leaves nothing frozen, the machine's disks included. */
START_TEST(test_export_freezes_nothing_when_a_pod_cannot_be_saved)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_container *container;
	lcowmig_scsi *scsi;
	lcowmig_pod *pod;

	OK(world_prepare_source(world));
	pod = lcowmig__sandbox_find_pod(source->sandbox, "p1");
	container = lcowmig__pod_find(pod, "p1-c1");
	test_host_exit_process(source->host, lcowmig__process_pid(lcowmig__container_init(container)), 3);
	FAILS(world_export(world), LCOWMIG_E_FAILED_PRECONDITION);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
	ck_assert_int_eq(lcowmig__vm_scsi(source->sandbox->vm, &scsi, &error), LCOWMIG_OK);
	ck_assert(!lcowmig__scsi_is_migrating(scsi));
	ck_assert(!lcowmig__pod_is_migrating(pod));
	ck_assert(!lcowmig__pod_is_migrating(lcowmig__sandbox_find_pod(source->sandbox, "p0")));
}
END_TEST

/* what is in flight is named; once it is over, nothing stands against the migration. */
START_TEST(test_operation_in_flight_refuses_the_migration_by_name)
{
	test_done done = { 0 };

	test_host_hold(source->host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_vm_update_memory(source->sandbox->vm, 2048, test_on_done, &done, &world->error), LCOWMIG_PENDING);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "in flight"));
	test_host_hold(source->host, "hcs.modify", false);
	test_host_complete(source->host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	OK(world_migrate_until(world, WORLD_EXPORTED));
}
END_TEST

/* MIG-14, X-02 */
START_TEST(test_export_gives_the_same_bytes_when_repeated)
{
	uint8_t *first;
	size_t size;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	first = world->envelope;
	size = world->envelope_size;
	world->envelope = NULL;
	test_host_clear_log(source->host);
	OK(world_export(world));
	test_host_expect_log(source->host, "");
	ck_assert_uint_eq(size, world->envelope_size);
	ck_assert_mem_eq(first, world->envelope, size);
	free(first);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_EXPORTED);
}
END_TEST

/* ---- Import ---- */

static lcowmig_status import(const lcowmig_import_options *options)
{
	return lcowmig_migration_import(destination->m, options, &world->error);
}

static void expect_nothing_imported(void)
{
	STATE(destination, LCOWMIG_MIGRATION_IDLE);
	ck_assert_uint_eq(destination->sandbox->pods.count, 0);
	ck_assert_uint_eq(destination->sandbox->containers.count, 0);
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_NOT_CREATED);
	ck_assert_ptr_null(destination->sandbox->id);
	ck_assert_uint_eq(destination->m->imported.count, 0);
}

/* MIG-15 */
START_TEST(test_import_refuses_missing_arguments)
{
	static const uint8_t foreign[] = { 0x0a, 3, 'a', '/', 'b' };
	lcowmig_import_options options;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	FAILS(lcowmig_migration_import(NULL, &options, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(import(NULL), LCOWMIG_E_INVALID_ARGUMENT);
	options = import_options();
	options.session_id = "";
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	options = import_options();
	options.sandbox_id = NULL;
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	options = import_options();
	options.envelope = NULL;
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	options = import_options();
	options.envelope_size = 0;
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	options = import_options();
	options.envelope = foreign;
	options.envelope_size = sizeof foreign;
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	expect_nothing_imported();
}
END_TEST

/* MIG-16 */
START_TEST(test_import_refuses_bytes_that_do_not_decode)
{
	lcowmig_import_options options;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	options = import_options();
	options.envelope_size = world->envelope_size - 1;
	FAILS(import(&options), LCOWMIG_E_CORRUPT_DATA);
	expect_nothing_imported();
	OK(world_import(world));
}
END_TEST

/* MIG-17, MIG-18 */
START_TEST(test_import_refuses_a_second_session)
{
	lcowmig_import_options options;

	OK(world_migrate_until(world, WORLD_IMPORTED));
	FAILS(world_import(world), LCOWMIG_E_FAILED_PRECONDITION);
	options = import_options();
	options.session_id = "other";
	FAILS(import(&options), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(lcowmig_migration_import(source->m, &options, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_IMPORTED);
}
END_TEST

/* MIG-19 */
START_TEST(test_import_needs_a_machine_that_was_not_created)
{
	lcowmig_import_options options;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	OK(world_cancel(world, source));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
	options = import_options();
	options.sandbox_id = "sb";
	FAILS(lcowmig_migration_import(source->m, &options, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	options.sandbox_id = "other";
	FAILS(lcowmig_migration_import(source->m, &options, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* MIG-20, MIG-22, X-10: whatever allocation fails, an import leaves nothing behind and can be repeated. */
START_TEST(test_import_leaves_nothing_behind_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	unsigned i;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		test_host_fail_allocation(destination->host, i, false);
		status = world_import(world);
		test_host_fail_allocation(destination->host, 0, false);
		if (status == LCOWMIG_E_NO_MEMORY)
			expect_nothing_imported();
	}
	OK(status);
	ck_assert_uint_gt(i, 10);
}
END_TEST

/* MIG-21 */
START_TEST(test_import_records_a_session_without_pods)
{
	OK(world_migrate_until(world, WORLD_IMPORTED));
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_IMPORTED);
	ck_assert_str_eq(lcowmig_migration_session_id(destination->m), WORLD_SESSION);
	ck_assert_str_eq(destination->sandbox->id, "d-sb");
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED);
	ck_assert_int_eq(lcowmig_migration_get_origin(destination->m), LCOWMIG_ORIGIN_DESTINATION);
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 0);
	ck_assert(!lcowmig_migration_has_right(destination->m));
}
END_TEST

/* MIG-23 */
START_TEST(test_import_refuses_a_container_that_is_in_two_pods)
{
	lcowmig_import_options options;
	lcowmig__wire_sandbox wire;
	lcowmig__arena arena;
	lcowmig__buf buf;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	lcowmig__arena_init(&arena, &source->host->context->mem, 0);
	lcowmig__buf_init(&buf, &source->host->context->mem);
	OK(lcowmig__wire_decode_sandbox(&arena, &source->host->context->limits, world->envelope, world->envelope_size, &wire,
					&world->error));
	wire.pods[1].containers[1].container_id = wire.pods[0].containers[1].container_id;
	OK(lcowmig__wire_encode_sandbox(&buf, &wire, &world->error));
	options = import_options();
	options.envelope = (const uint8_t *)buf.data;
	options.envelope_size = buf.size;
	FAILS(import(&options), LCOWMIG_E_INVALID_ARGUMENT);
	expect_nothing_imported();
	lcowmig__buf_done(&buf);
	lcowmig__arena_done(&arena);
}
END_TEST

/* MIG-24 */
START_TEST(test_import_fills_the_maps_and_the_pending_set)
{
	OK(world_migrate_until(world, WORLD_IMPORTED));
	ck_assert_uint_eq(destination->sandbox->pods.count, 2);
	ck_assert_uint_eq(destination->sandbox->containers.count, 4);
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 4);
	ck_assert_ptr_nonnull(lcowmig__sandbox_find(destination->sandbox, "p1-c1"));
}
END_TEST

static lcowmig_status deny(void *user, lcowmig_import_item item, const char *where, const char *text)
{
	unsigned *countdown = user;

	ck_assert(where[0] && text);
	ck_assert_int_ge(item, LCOWMIG_IMPORT_HOST_PATH);
	return --*countdown ? LCOWMIG_OK : LCOWMIG_E_DENIED;
}

/* every item is shown, and each refusal leaves nothing behind. */
START_TEST(test_import_asks_the_policy_before_anything_is_created)
{
	lcowmig_import_options options;
	unsigned n_items = 1000;
	unsigned countdown;
	unsigned i;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	options = import_options();
	options.policy = deny;
	for (i = 1; i < n_items; i++) {
		lcowmig_status status;

		countdown = i;
		options.policy_user = &countdown;
		status = import(&options);
		if (status == LCOWMIG_OK)
			break;
		ck_assert_int_eq(status, LCOWMIG_E_DENIED);
		expect_nothing_imported();
	}
	/* Kernel path and command line, Scsi and HvSocket, and the disks: root, one base layer, four scratches. */
	ck_assert_uint_eq(i - 1, 4 + 1 + 1 + 4);
}
END_TEST

START_TEST(test_import_refuses_unusual_devices_by_default)
{
	static const char document[] = "{\"VirtualMachine\":{\"Devices\":{\"Scsi\":{},\"VirtualPMem\":{}}}}";
	lcowmig__wire_sandbox wire = { 0 };

	wire.vm.hcs_document.data = (const uint8_t *)document;
	wire.vm.hcs_document.size = strlen(document);
	FAILS(lcowmig__import_vet(&source->host->context->limits, &wire, NULL, NULL, &world->error), LCOWMIG_E_DENIED);
	ck_assert_ptr_nonnull(strstr(world->error.message, "VirtualPMem"));
}
END_TEST

/* ---- Patch and prepare destination ---- */

/* MIG-25 */
START_TEST(test_patch_refuses_missing_arguments)
{
	lcowmig_patch patch = { .size = sizeof patch, .source_container_id = "p0", .container_id = "" };

	OK(world_migrate_until(world, WORLD_IMPORTED));
	FAILS(lcowmig_migration_patch(destination->m, NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_patch(destination->m, &patch, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	patch.container_id = "d-p0";
	patch.source_container_id = NULL;
	FAILS(lcowmig_migration_patch(destination->m, &patch, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	patch.size = 4;
	FAILS(lcowmig_migration_patch(destination->m, &patch, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* MIG-26 */
START_TEST(test_patch_needs_an_imported_session)
{
	FAILS(world_patch(world, "p0"), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_migrate_until(world, WORLD_READY));
	FAILS(world_patch(world, "p0"), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* MIG-27, MIG-28, MIG-29, MIG-33 */
START_TEST(test_patch_that_is_refused_changes_nothing)
{
	lcowmig_patch patch = {
		.size = sizeof patch, .source_container_id = "p0-c1", .container_id = "d-p0-c1", .container_type = "sandbox"
	};

	OK(world_migrate_until(world, WORLD_IMPORTED));
	FAILS(world_patch(world, "nobody"), LCOWMIG_E_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(world->error.message, "not pending"));
	FAILS(lcowmig_migration_patch(destination->m, &patch, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 4);
	ck_assert_ptr_nonnull(lcowmig__sandbox_find(destination->sandbox, "p0-c1"));
	test_host_fail(destination->host, "stdio.open", 1, LCOWMIG_E_HOST_FAILED, 0, "no pipe");
	FAILS(world_patch(world, "p0-c1"), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 4);
	ck_assert_ptr_null(lcowmig__sandbox_find(destination->sandbox, "d-p0-c1"));
	OK(world_patch(world, "p0-c1"));
}
END_TEST

/* MIG-30: without SCSI nothing can be patched, and the pod is as it was. */
START_TEST(test_patch_needs_the_disks)
{
	lcowmig_patch patch = { .size = sizeof patch, .source_container_id = "p0-c1", .container_id = "d-p0-c1" };
	lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\x", "", NULL, 0 };

	OK(world_migrate_until(world, WORLD_IMPORTED));
	patch.rootfs = &rootfs;
	patch.n_rootfs = 1;
	ck_assert_int_ne(lcowmig_migration_patch(destination->m, &patch, NULL, NULL, &world->error), LCOWMIG_OK);
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 4);
	ck_assert_ptr_nonnull(lcowmig__sandbox_find(destination->sandbox, "p0-c1"));
}
END_TEST

/* MIG-31, MIG-32 */
START_TEST(test_patch_re_keys_containers_and_their_pod)
{
	OK(world_migrate_until(world, WORLD_IMPORTED));
	OK(world_patch(world, "p0-c1"));
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 3);
	ck_assert_ptr_null(lcowmig__sandbox_find(destination->sandbox, "p0-c1"));
	ck_assert_ptr_eq(lcowmig__sandbox_find(destination->sandbox, "d-p0-c1")->pod,
			 lcowmig__sandbox_find_pod(destination->sandbox, "p0"));
	OK(world_patch(world, "p0"));
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 2);
	ck_assert_ptr_null(lcowmig__sandbox_find_pod(destination->sandbox, "p0"));
	ck_assert_ptr_eq(lcowmig__sandbox_find(destination->sandbox, "d-p0-c1")->pod,
			 lcowmig__sandbox_find_pod(destination->sandbox, "d-p0"));
}
END_TEST

/* a second patch replaces the first, by the id the container came with. */
START_TEST(test_patch_again_replaces_the_first)
{
	OK(world_migrate_until(world, WORLD_IMPORTED));
	OK(world_patch(world, "p0"));
	OK(world_patch(world, "p0"));
	OK(world_patch(world, "p0-c1"));
	OK(world_patch(world, "p0-c1"));
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 2);
	ck_assert_uint_eq(test_host_count(destination->host, "stdio.close"), 2);
}
END_TEST

/* MIG-34 */
START_TEST(test_prepare_destination_needs_an_imported_session)
{
	FAILS(world_prepare_destination(world), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_migrate_until(world, WORLD_READY));
	FAILS(world_prepare_destination(world), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(lcowmig_migration_prepare_destination(destination->m, WORLD_SESSION, NULL, 8, NULL, NULL, &world->error),
	      LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* MIG-35 */
START_TEST(test_prepare_destination_names_what_is_pending)
{
	OK(world_migrate_until(world, WORLD_IMPORTED));
	OK(world_patch(world, "p0"));
	FAILS(world_prepare_destination(world), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "p0-c1, p1, p1-c1"));
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_IMPORTED);
}
END_TEST

/* a disk that still has the source's path is forgotten, or shared and the host says so. */
START_TEST(test_prepare_destination_names_disks_that_nobody_patched)
{
	OK(world_migrate_until(world, WORLD_PATCHED));
	FAILS(lcowmig_migration_prepare_destination(destination->m, WORLD_SESSION, NULL, 0, NULL, NULL, &world->error),
	      LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "rootfs.vhd"));
	ck_assert_ptr_null(strstr(world->error.message, "C:\\source"));
	OK(world_prepare_destination(world));
}
END_TEST

/* MIG-36 */
START_TEST(test_prepare_destination_can_be_repeated_when_the_machine_is_not_created)
{
	OK(world_migrate_until(world, WORLD_PATCHED));
	test_host_fail(destination->host, "hcs.create", 1, LCOWMIG_E_HOST_FAILED, 0, "no");
	FAILS(world_prepare_destination(world), LCOWMIG_E_HOST_FAILED);
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_IMPORTED);
	OK(world_prepare_destination(world));
}
END_TEST

/* MIG-37 */
START_TEST(test_prepare_destination_creates_the_machine)
{
	OK(world_migrate_until(world, WORLD_PATCHED));
	OK(world_prepare_destination(world));
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_PREPARED);
	ck_assert_str_eq(lcowmig_vm_id(destination->sandbox->vm), "d-sb@vm");
	ck_assert_uint_eq(test_host_count(destination->host, "hcs.create d-sb@vm {"), 1);
	ck_assert_ptr_nonnull(strstr(test_host_log(destination->host), "\"MigrationOptions\":{\"Origin\":\"Destination\""));
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED);
}
END_TEST

/* MIG-38 */
START_TEST(test_prepare_destination_fails_the_session_when_a_disk_is_denied)
{
	OK(world_migrate_until(world, WORLD_PATCHED));
	test_host_fail(destination->host, "hcs.grant_access", 1, LCOWMIG_E_DENIED, 0x80070005, "no");
	ck_assert_int_ne(world_prepare_destination(world), LCOWMIG_OK);
	STATE(destination, LCOWMIG_MIGRATION_FAILED);
	ck_assert_int_ne(lcowmig_migration_failure(destination->m, &world->error), LCOWMIG_OK);
}
END_TEST

/* ---- The transport ---- */

static lcowmig_status register_bytes(size_t size)
{
	return lcowmig_migration_register_socket(source->m, WORLD_SESSION, SOCKET, size, NULL, NULL, &world->error);
}

/* MIG-40, MIG-44: the native structure's size is the host's to say. */
START_TEST(test_register_refuses_a_short_descriptor_first_of_all)
{
	source->sandbox->env.socket.descriptor_size = 6;
	FAILS(register_bytes(5), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_register_socket(source->m, WORLD_SESSION, NULL, 6, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	OK(world_migrate_until(world, WORLD_EXPORTED));
	FAILS(lcowmig_migration_register_socket(source->m, "another", SOCKET, 5, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(world->error.message, "5 bytes"));
	OK(register_bytes(6));
}
END_TEST

/* MIG-42, MIG-43, MIG-45, MIG-47 */
START_TEST(test_register_keeps_one_socket)
{
	OK(world_prepare_source(world));
	FAILS(register_bytes(6), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert(!source->m->socket_signal.is_set);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
	OK(world_export(world));
	OK(world_register(world, source));
	STATE(source, LCOWMIG_MIGRATION_SOCKET_READY);
	ck_assert(source->m->socket_signal.is_set);
	ck_assert_ptr_nonnull(source->m->socket);
	FAILS(world_register(world, source), LCOWMIG_E_ALREADY_EXISTS);
	STATE(source, LCOWMIG_MIGRATION_SOCKET_READY);
}
END_TEST

/* MIG-46 */
START_TEST(test_register_fails_the_session_when_the_socket_is_not_connected)
{
	OK(world_migrate_until(world, WORLD_EXPORTED));
	test_host_fail(source->host, "socket.adopt", 1, LCOWMIG_E_FAILED_PRECONDITION, 0, "not connected");
	FAILS(world_register(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	ck_assert(source->m->socket_signal.is_set);
	ck_assert_ptr_null(source->m->socket);
}
END_TEST

START_TEST(test_register_can_be_repeated_when_memory_is_out)
{
	unsigned i;
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		test_host_fail_allocation(source->host, i, false);
		status = world_register(world, source);
		test_host_fail_allocation(source->host, 0, false);
	}
	OK(status);
	ck_assert_uint_gt(i, 3);
	STATE(source, LCOWMIG_MIGRATION_SOCKET_READY);
}
END_TEST

/* ---- Transfer ---- */

/* MIG-49, MIG-51: in either order with the socket. */
START_TEST(test_transfer_returns_at_once_and_waits_for_the_socket)
{
	OK(world_migrate_until(world, WORLD_READY));
	OK(world_transfer(world, source));
	STATE(source, LCOWMIG_MIGRATION_SOCKET_WAITING);
	OK(world_transfer(world, source));
	STATE(source, LCOWMIG_MIGRATION_SOCKET_WAITING);
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_register(world, source));
	STATE(source, LCOWMIG_MIGRATION_TRANSFERRING);
	OK(world_transfer(world, source));
	STATE(source, LCOWMIG_MIGRATION_TRANSFERRING);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	OK(world_transfer(world, source));
	ck_assert_uint_eq(test_host_count(source->host, "hcs.transfer"), 1);
}
END_TEST

/* MIG-52, MIG-55 */
START_TEST(test_transfer_starts_and_moves)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_clear_log(source->host);
	test_host_clear_log(destination->host);
	OK(world_transfer(world, source));
	STATE(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	test_host_expect_log(source->host, "guest.set_migrating true\n"
					   "hcs.start_migration {\"NetworkSettings\":{\"SessionId\":640281193}} with socket\n"
					   "hcs.transfer {\"Origin\":\"Source\"}\n");
	OK(world_transfer(world, destination));
	STATE(destination, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	test_host_expect_log(destination->host,
			     "guest.prepare 1073741824\n"
			     "hcs.start {\"DestinationMigrationOptions\":{\"NetworkSettings\":{\"SessionId\":640281193}}} with socket\n"
			     "hcs.transfer {\"Origin\":\"Destination\"}\n");
}
END_TEST

/* MIG-53, MIG-61 */
START_TEST(test_transfer_fails_when_the_socket_does_not_come)
{
	lcowmig_transfer_options options = LCOWMIG_TRANSFER_OPTIONS_INIT;

	OK(world_migrate_until(world, WORLD_READY));
	options.socket_timeout_ns = _i ? -1 : 5;
	OK(lcowmig_migration_transfer(source->m, WORLD_SESSION, &options, &world->error));
	test_host_advance(source->host, _i ? LCOWMIG_SOCKET_TIMEOUT_NS - 1 : 4);
	STATE(source, LCOWMIG_MIGRATION_SOCKET_WAITING);
	test_host_advance(source->host, 1);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	FAILS(lcowmig_migration_failure(source->m, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* MIG-54, MIG-92, X-30, X-32 */
START_TEST(test_transfer_that_succeeds_after_a_cancel_ends_cancelled)
{
	test_done done = { 0 };

	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	test_host_hold(source->host, "hcs.cancel_migration", true);
	OK(world_transfer(world, source));
	ck_assert_int_eq(lcowmig_migration_cancel(source->m, WORLD_SESSION, test_on_done, &done, &world->error), LCOWMIG_PENDING);
	STATE(source, LCOWMIG_MIGRATION_CANCELLING);
	OK(world_cancel(world, source)); /* a second one does not wait for the first */
	FAILS(world_cleanup(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(world_finalize(world, source, LCOWMIG_FINALIZE_STOP), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_CANCELLING);
	test_host_hold(source->host, "hcs.cancel_migration", false);
	test_host_complete(source->host, "hcs.cancel_migration", LCOWMIG_OK, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

/* MIG-57, MIG-58 */
START_TEST(test_transfer_reports_which_call_failed)
{
	const char *operation = _i ? "hcs.transfer" : "hcs.start_migration";

	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_fail(source->host, operation, 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "broken");
	FAILS(world_transfer(world, source), LCOWMIG_E_HOST_FAILED);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	ck_assert_uint_eq(world->error.hresult, 0x80004005);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.transfer"), (unsigned)_i);
}
END_TEST

/* MIG-56, MIG-64: an origin that is neither cannot occur; and the background work belongs to the session, not to the caller. */
START_TEST(test_transfer_is_not_an_operation_of_its_caller)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	ck_assert_int_eq(lcowmig_context_cancel(source->host->context, NULL, NULL), LCOWMIG_E_NOT_FOUND);
	STATE(source, LCOWMIG_MIGRATION_TRANSFERRING);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
}
END_TEST

/* */
START_TEST(test_transfer_fails_at_its_deadline)
{
	lcowmig_transfer_options options = LCOWMIG_TRANSFER_OPTIONS_INIT;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, _i ? "hcs.transfer" : "hcs.start_migration", true);
	options.deadline_ns = 1000;
	OK(lcowmig_migration_transfer(source->m, WORLD_SESSION, &options, &world->error));
	test_host_advance(source->host, 999);
	STATE(source, LCOWMIG_MIGRATION_TRANSFERRING);
	test_host_advance(source->host, 1);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	FAILS(lcowmig_migration_failure(source->m, &world->error), LCOWMIG_E_TIMED_OUT);
	if (!_i)
		test_host_complete(source->host, "hcs.start_migration", LCOWMIG_OK, 0, NULL);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration"), 1); /* the host is told to stop */
	if (_i)
		test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0, NULL);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* 11.10: nothing waits for a socket on behalf of a machine that has ended. */
START_TEST(test_transfer_fails_at_once_when_the_machine_ends)
{
	OK(world_migrate_until(world, WORLD_READY));
	if (_i) {
		OK(world_register(world, source));
		test_host_hold(source->host, "hcs.transfer", true);
	}
	OK(world_transfer(world, source));
	world_kill_vm(world, source);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	if (_i)
		test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0, NULL);
	FAILS(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
	OK(world_cleanup(world, source));
}
END_TEST

/* ---- Finalize ---- */

/* MIG-65, MIG-70 */
START_TEST(test_finalize_refuses_bad_arguments)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	FAILS(finalize_raw(source, 0, 0, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(finalize_raw(source, 3, 0, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(finalize_raw(source, LCOWMIG_FINALIZE_RESUME, 2, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(finalize_raw(source, LCOWMIG_FINALIZE_RESUME, LCOWMIG_FINALIZE_FORCE, ""), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_finalize(source->m, WORLD_SESSION, NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	STATE(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
}
END_TEST

/* MIG-66, X-43 */
START_TEST(test_finalize_again_is_a_no_op_for_the_same_action_only)
{
	OK(world_migrate_until(world, WORLD_STOPPED));
	test_host_clear_log(source->host);
	test_host_clear_log(destination->host);
	OK(finalize_raw(source, LCOWMIG_FINALIZE_STOP, 0, NULL));
	OK(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, 0, NULL));
	FAILS(finalize_raw(source, LCOWMIG_FINALIZE_RESUME, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(finalize_raw(destination, LCOWMIG_FINALIZE_STOP, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_expect_log(source->host, "");
	test_host_expect_log(destination->host, "");
}
END_TEST

/* MIG-67, X-50 */
START_TEST(test_finalize_stop_of_a_cancelled_destination_asks_nobody)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	OK(world_cancel(world, destination));
	test_host_clear_log(destination->host);
	OK(finalize_raw(destination, LCOWMIG_FINALIZE_STOP, 0, NULL));
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(test_host_count(destination->host, "hcs."), 0);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), 4);
	FAILS(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, LCOWMIG_FINALIZE_FORCE, "test"), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_cleanup(world, destination));
}
END_TEST

/* MIG-68, 11.7 */
START_TEST(test_finalize_resumes_a_cancelled_destination_that_holds_the_machine)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	OK(world_cancel(world, destination));
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	FAILS(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_release(world, source));
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME));
	STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_RUNNING);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
}
END_TEST

/* MIG-69 */
START_TEST(test_finalize_is_refused_while_transferring)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	FAILS(world_finalize(world, source, LCOWMIG_FINALIZE_STOP), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
}
END_TEST

/* MIG-71, MIG-74, MIG-82 and 11.9: whatever call of a resume fails, repeating it goes on from there. */
START_TEST(test_finalize_resume_is_repeated_from_where_it_stood)
{
	static const char *const operations[] = { "hcs.finalize_migration", "guest.connect", "stdio.attach", "network.endpoints",
						  "hcs.modify" };

	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_fail(destination->host, operations[_i], 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "broken");
	ck_assert_int_ne(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_OK);
	STATE(destination, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME));
	STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_uint_eq(test_host_count(destination->host, "event create"), 4);
	ck_assert_uint_eq(test_host_count(destination->host, "hcs.finalize_migration"), _i == 0 ? 2 : 1); /* MIG-76 */
}
END_TEST

/* X-43, MIG-75: and it can be turned into a stop instead. */
START_TEST(test_finalize_resume_that_failed_can_be_turned_into_a_stop)
{
	static const char *const operations[] = { "hcs.finalize_migration", "guest.connect", "stdio.attach", "network.endpoints",
						  "hcs.modify" };

	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_fail(destination->host, operations[_i], 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "broken");
	ck_assert_int_ne(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_OK);
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
	STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_TERMINATED);
	ck_assert_uint_eq(test_host_count(destination->host, "hcs.finalize_migration"), _i == 0 ? 2 : 1);
	FAILS(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_cleanup(world, destination));
}
END_TEST

/* MIG-72 */
START_TEST(test_finalize_resume_of_the_source_keeps_its_connection)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	test_host_clear_log(source->host);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	STATE(source, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_RUNNING);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.finalize_migration {\"Origin\":\"Source\",\"FinalizedOperation\":\"Resume\"}"),
			  1);
	ck_assert_uint_eq(test_host_count(source->host, "guest.connect"), 0);
	ck_assert_uint_eq(test_host_count(source->host, "event create"), 0);
}
END_TEST

/* MIG-73 */
START_TEST(test_finalize_stop_ends_either_side)
{
	test_side *side = _i ? destination : source;

	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	OK(world_finalize(world, side, LCOWMIG_FINALIZE_STOP));
	STATE(side, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_int_eq(vm_state(side), LCOWMIG_VM_TERMINATED);
	ck_assert_uint_eq(test_host_count(side->host, "guest.resume"), 0);
	ck_assert_uint_eq(test_host_count(side->host, "event exit"), 4);
}
END_TEST

/* MIG-77, MIG-78 */
START_TEST(test_finalize_of_a_machine_that_has_ended)
{
	test_side *side = _i ? destination : source;

	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	world_kill_vm(world, side);
	test_host_clear_log(side->host);
	FAILS(finalize_raw(side, LCOWMIG_FINALIZE_RESUME, LCOWMIG_FINALIZE_FORCE, "test"), LCOWMIG_E_FAILED_PRECONDITION);
	STATE(side, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	OK(world_finalize(world, side, LCOWMIG_FINALIZE_STOP));
	STATE(side, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_uint_eq(test_host_count(side->host, "hcs."), 0);
}
END_TEST

/* MIG-81 */
START_TEST(test_finalize_leaves_failed_and_cancelled_sources_either_way)
{
	bool is_failed = _i & 1;
	bool resume = _i & 2;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	if (is_failed) {
		test_host_fail(source->host, "hcs.transfer", 1, LCOWMIG_E_HOST_FAILED, 0, "broken");
		ck_assert_int_ne(world_transfer(world, source), LCOWMIG_OK);
	} else {
		OK(world_cancel(world, source));
	}
	STATE(source, is_failed ? LCOWMIG_MIGRATION_FAILED : LCOWMIG_MIGRATION_CANCELLED);
	FAILS(world_cleanup(world, source), LCOWMIG_E_FAILED_PRECONDITION); /* MIG-99 */
	OK(world_finalize(world, source, resume ? LCOWMIG_FINALIZE_RESUME : LCOWMIG_FINALIZE_STOP));
	STATE(source, LCOWMIG_MIGRATION_FINALIZED);
	OK(world_cleanup(world, source));
	ck_assert_int_eq(vm_state(source), resume ? LCOWMIG_VM_RUNNING : LCOWMIG_VM_TERMINATED);
}
END_TEST

/* a finalize in flight stands; whoever asks is told at once. */
START_TEST(test_finalize_in_flight_refuses_a_cancel_and_answers_questions)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	test_done done = { 0 };

	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	test_host_hold(source->host, "hcs.finalize_migration", true);
	options.action = LCOWMIG_FINALIZE_RESUME;
	ck_assert_int_eq(lcowmig_migration_finalize(source->m, WORLD_SESSION, &options, test_on_done, &done, &world->error),
			 LCOWMIG_PENDING);
	STATE(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	FAILS(world_cancel(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(world_release(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(finalize_raw(source, LCOWMIG_FINALIZE_STOP, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "finalize in flight"));
	test_host_hold(source->host, "hcs.finalize_migration", false);
	test_host_complete(source->host, "hcs.finalize_migration", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	STATE(source, LCOWMIG_MIGRATION_FINALIZED);
}
END_TEST

/* ---- The right to run ---- */

/* */
START_TEST(test_release_needs_a_completed_transfer_and_can_be_repeated)
{
	uint8_t again[LCOWMIG_TOKEN_SIZE_MAX];
	size_t size;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	FAILS(world_release(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_transfer(world, source));
	OK(lcowmig_migration_release(source->m, WORLD_SESSION, NULL, 0, &size, &world->error));
	ck_assert_uint_eq(size, LCOWMIG__TOKEN_SIZE);
	ck_assert(lcowmig_migration_has_right(source->m)); /* asking gives nothing away */
	FAILS(lcowmig_migration_release(source->m, WORLD_SESSION, again, 4, &size, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert(lcowmig_migration_has_right(source->m));
	OK(world_transfer(world, destination));
	OK(world_release(world, source));
	ck_assert(!lcowmig_migration_has_right(source->m));
	OK(lcowmig_migration_release(source->m, WORLD_SESSION, again, sizeof again, &size, &world->error));
	ck_assert_uint_eq(size, world->token_size);
	ck_assert_mem_eq(again, world->token, size);
	FAILS(finalize_raw(source, LCOWMIG_FINALIZE_RESUME, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* there and back. */
START_TEST(test_release_of_the_destination_gives_the_right_back)
{
	uint8_t first[LCOWMIG_TOKEN_SIZE_MAX];
	size_t first_size;

	OK(world_migrate_until(world, WORLD_RELEASED));
	memcpy(first, world->token, world->token_size);
	first_size = world->token_size;
	OK(world_release(world, destination));
	OK(world_release(world, destination));
	ck_assert(!lcowmig_migration_has_right(destination->m));
	FAILS(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_RUNNING);
	FAILS(world_release(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	/* The first token is stale now. */
	memcpy(world->token, first, first_size);
	world->token_size = first_size;
	FAILS(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "stale"));
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
}
END_TEST

/* also a destination that has stopped says so, and the source gets its right back. */
START_TEST(test_release_of_a_stopped_destination_rescues_the_source)
{
	OK(world_migrate_until(world, WORLD_RELEASED));
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
	OK(world_release(world, destination));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* */
START_TEST(test_force_overrides_the_right_and_leaves_a_record)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	FAILS(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	world->is_forced = true;
	OK(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, LCOWMIG_FINALIZE_FORCE, "the \"other\" side knows no tokens"));
	STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
}
END_TEST

static void make_right(lcowmig__right *right, bool is_source)
{
	lcowmig__right_init(right, is_source, "session-1");
	lcowmig__right_bind(right, "sb@vm", "envelope", 8);
}

/* versioned, and bound to session, machine, envelope and hand-over. */
START_TEST(test_token_is_refused_when_it_belongs_elsewhere)
{
	lcowmig__right source_right, destination_right, other;
	uint8_t token[LCOWMIG__TOKEN_SIZE];
	uint32_t epoch;
	size_t i;

	make_right(&source_right, true);
	make_right(&destination_right, false);
	ck_assert(lcowmig__right_is_held(&source_right) && !lcowmig__right_is_held(&destination_right));
	OK(lcowmig__right_release(&source_right, token, &world->error));
	OK(lcowmig__right_read(&destination_right, token, sizeof token, &epoch, &world->error));
	ck_assert_uint_eq(epoch, 1);
	for (i = 0; i < sizeof token; i++)
		ck_assert_int_eq(lcowmig__right_read(&destination_right, token, i, &epoch, &world->error), LCOWMIG_E_CORRUPT_DATA);
	for (i = 0; i < sizeof token; i++) {
		token[i] ^= 1;
		ck_assert_int_ne(lcowmig__right_read(&destination_right, token, sizeof token, &epoch, &world->error), LCOWMIG_OK);
		token[i] ^= 1;
	}
	token[4] = 2;
	FAILS(lcowmig__right_read(&destination_right, token, sizeof token, &epoch, &world->error), LCOWMIG_E_UNSUPPORTED_VERSION);
	token[4] = 1;
	FAILS(lcowmig__right_read(&source_right, token, sizeof token, &epoch, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	lcowmig__right_init(&other, false, "session-2");
	lcowmig__right_bind(&other, "sb@vm", "envelope", 8);
	FAILS(lcowmig__right_read(&other, token, sizeof token, &epoch, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	lcowmig__right_init(&other, false, "session-1");
	lcowmig__right_bind(&other, "other@vm", "envelope", 8);
	FAILS(lcowmig__right_read(&other, token, sizeof token, &epoch, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	lcowmig__right_bind(&other, "sb@vm", "Envelope", 8);
	FAILS(lcowmig__right_read(&other, token, sizeof token, &epoch, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* at most one of the two sides, or one token on its way, has the right, whatever they do. */
START_TEST(test_right_exists_once)
{
	unsigned script;

	for (script = 0; script < 4096; script++) {
		uint8_t tokens[2][LCOWMIG__TOKEN_SIZE];
		bool has_token[2] = { false, false };
		lcowmig__right rights[2];
		unsigned step;

		make_right(&rights[0], true);
		make_right(&rights[1], false);
		for (step = 0; step < 6; step++) {
			unsigned side = script >> (2 * step) & 1;
			bool takes = script >> (2 * step) & 2;
			uint32_t epoch;

			if (takes && has_token[!side] &&
			    lcowmig__right_read(&rights[side], tokens[!side], LCOWMIG__TOKEN_SIZE, &epoch, NULL) == LCOWMIG_OK)
				lcowmig__right_take(&rights[side], epoch);
			else if (!takes && lcowmig__right_release(&rights[side], tokens[side], NULL) == LCOWMIG_OK)
				has_token[side] = true;
			ck_assert(!lcowmig__right_is_held(&rights[0]) || !lcowmig__right_is_held(&rights[1]));
		}
		/* Never neither: whoever waits for the other's latest token has it then. */
		if (!lcowmig__right_is_held(&rights[0]) && !lcowmig__right_is_held(&rights[1])) {
			uint32_t epoch;

			ck_assert((has_token[1] &&
				   lcowmig__right_read(&rights[0], tokens[1], LCOWMIG__TOKEN_SIZE, &epoch, NULL) == LCOWMIG_OK) ||
				  (has_token[0] &&
				   lcowmig__right_read(&rights[1], tokens[0], LCOWMIG__TOKEN_SIZE, &epoch, NULL) == LCOWMIG_OK));
		}
	}
}
END_TEST

/* ---- Cancel ---- */

/* MIG-84, MIG-85, MIG-87 */
START_TEST(test_cancel_after_the_transfer)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	ck_assert(source->m->socket_signal.is_set);
	OK(world_cancel(world, source));
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration {\"Origin\":\"Source\"}"), 1);
	OK(world_cancel(world, source));
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration"), 1);
}
END_TEST

/* MIG-86 */
START_TEST(test_cancel_that_the_host_refuses_fails_the_session_and_can_be_repeated)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	test_host_fail(source->host, "hcs.cancel_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	FAILS(world_cancel(world, source), LCOWMIG_E_HOST_FAILED);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	OK(world_cancel(world, source));
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
}
END_TEST

/* MIG-88, X-50 */
START_TEST(test_cancel_of_an_imported_session_asks_nobody)
{
	OK(world_migrate_until(world, WORLD_PATCHED));
	test_host_clear_log(destination->host);
	OK(world_cancel(world, destination));
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(test_host_count(destination->host, "hcs."), 0);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit d-p0 '' "), 1);
	ck_assert_ptr_nonnull(strstr(test_host_log(destination->host), " 137\n"));
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), 4);
	OK(world_cleanup(world, destination)); /* MIG-97 */
	STATE(destination, LCOWMIG_MIGRATION_IDLE);
}
END_TEST

/* MIG-90, X-30 */
START_TEST(test_cancel_succeeds_when_there_was_nothing_to_cancel)
{
	OK(world_migrate_until(world, WORLD_EXPORTED));
	test_host_fail(source->host, "hcs.cancel_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80370105, "invalid state");
	OK(world_cancel(world, source));
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	FAILS(world_transfer(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(world_register(world, source), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

static unsigned n_told;
static unsigned n_failed;

static void count_notification(void *user, const lcowmig_notification *notification)
{
	(void)user;
	if (!notification)
		return;
	n_told++;
	n_failed += lcowmig_notification_phase(notification) == LCOWMIG_PHASE_FAILED;
}

static lcowmig_subscription *subscribe(test_side *side, uint32_t flags)
{
	lcowmig_subscription *subscription;

	n_told = 0;
	n_failed = 0;
	OK(lcowmig_migration_subscribe(side->m, WORLD_SESSION, flags, count_notification, NULL, &subscription, &world->error));
	return subscription;
}

/* MIG-91 */
START_TEST(test_cancel_ends_a_waiting_transfer_quietly)
{
	lcowmig_subscription *subscription;

	OK(world_migrate_until(world, WORLD_READY));
	subscription = subscribe(source, 0);
	OK(world_transfer(world, source));
	OK(world_cancel(world, source));
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_ptr_null(source->m->background);
	test_host_advance(source->host, 2 * LCOWMIG_SOCKET_TIMEOUT_NS);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(n_told, 0);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* before, during and after each host call of the transfer. */
START_TEST(test_cancel_is_never_lost)
{
	static const char *const calls[] = { "hcs.start_migration", "hcs.transfer" };
	const char *held = calls[_i & 1];
	bool invalid_state = _i & 2;
	bool succeeds = _i & 4;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, held, true);
	OK(world_transfer(world, source));
	if (invalid_state)
		test_host_fail(source->host, "hcs.cancel_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80370105, "too early");
	OK(world_cancel(world, source));
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	test_host_complete(source->host, held, succeeds ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_ptr_null(source->m->background);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.transfer"), (unsigned)(_i & 1));
	/* What the host did in spite of it is cancelled once more: a start always, a transfer unless the first cancel was accepted. */
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration"), succeeds && (!(_i & 1) || invalid_state) ? 2 : 1);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
}
END_TEST

/* a cancel while the source is being prepared waits for what the host is doing, and undoes it. */
START_TEST(test_cancel_while_the_source_is_prepared)
{
	test_done prepared = { 0 }, cancelled = { 0 };
	bool succeeds = _i;

	test_host_hold(source->host, "hcs.initialize_migration", true);
	ck_assert_int_eq(lcowmig_migration_prepare_source(source->m, WORLD_SESSION, NULL, test_on_done, &prepared, &world->error),
			 LCOWMIG_PENDING);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_migration_cancel(source->m, WORLD_SESSION, test_on_done, &cancelled, &world->error), LCOWMIG_PENDING);
	test_host_complete(source->host, "hcs.initialize_migration", succeeds ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED, 0, NULL);
	test_host_hold(source->host, "hcs.initialize_migration", false);
	ck_assert_int_eq(prepared.calls, 1);
	ck_assert_int_eq(cancelled.calls, 1);
	ck_assert_int_eq(prepared.status, succeeds ? LCOWMIG_E_CANCELLED : LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(cancelled.status, LCOWMIG_OK);
	STATE(source, succeeds ? LCOWMIG_MIGRATION_CANCELLED : LCOWMIG_MIGRATION_IDLE);
	if (succeeds)
		OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
	OK(world_prepare_source(world));
}
END_TEST

/* operations in flight end with CANCELLED and leave nothing half done. */
START_TEST(test_cancel_ends_operations_in_flight)
{
	test_done done = { 0 };
	lcowmig_status status;

	OK(world_prepare_source(world));
	if (_i == 0) {
		test_host_hold(source->host, "hcs.properties", true);
		status = lcowmig_migration_export(source->m, WORLD_SESSION, test_on_done, &done, &world->error);
	} else {
		OK(world_export(world));
		test_host_hold(source->host, "socket.adopt", true);
		status = lcowmig_migration_register_socket(source->m, WORLD_SESSION, SOCKET, 6, test_on_done, &done, &world->error);
	}
	ck_assert_int_eq(status, LCOWMIG_PENDING);
	OK(world_cancel(world, source));
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	test_host_complete(source->host, _i ? "socket.adopt" : "hcs.properties", LCOWMIG_OK, 0, NULL);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* a patch and a prepare in flight give way to a cancel. */
START_TEST(test_cancel_of_a_destination_in_preparation)
{
	test_done done = { 0 };

	OK(world_migrate_until(world, WORLD_PATCHED));
	test_host_hold(destination->host, "hcs.create", true);
	ck_assert_int_eq(lcowmig_migration_prepare_destination(destination->m, WORLD_SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED,
							       test_on_done, &done, &world->error),
			 LCOWMIG_PENDING);
	ck_assert_int_ge(lcowmig_migration_cancel(destination->m, WORLD_SESSION, NULL, NULL, &world->error), LCOWMIG_OK);
	test_host_complete(destination->host, "hcs.create", LCOWMIG_OK, 0, NULL);
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	OK(world_cleanup(world, destination));
}
END_TEST

/* X-50, 11.7: while the cancelled destination's transfer may still succeed, nothing is ended that may be the only one there is. */
START_TEST(test_cancelled_destination_waits_for_its_transfer)
{
	bool succeeds = _i;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	OK(world_transfer(world, source));
	test_host_hold(destination->host, "hcs.transfer", true);
	OK(world_transfer(world, destination));
	OK(world_cancel(world, destination));
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), 0);
	test_host_complete(destination->host, "hcs.transfer", succeeds ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED, 0, NULL);
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), succeeds ? 0 : 4);
	if (succeeds) {
		OK(world_release(world, source));
		OK(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME));
		ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_RUNNING);
	} else {
		OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
		FAILS(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, LCOWMIG_FINALIZE_FORCE, "test"), LCOWMIG_E_FAILED_PRECONDITION);
	}
}
END_TEST

START_TEST(test_cancel_while_finalized_changes_nothing)
{
	OK(world_migrate_until(world, WORLD_STOPPED));
	OK(world_cancel(world, source));
	OK(world_cancel(world, destination));
	STATE(source, LCOWMIG_MIGRATION_FINALIZED);
	STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration"), 0);
}
END_TEST

/* ---- Cleanup and abandon ---- */

/* MIG-95, MIG-96, MIG-98, MIG-100 */
START_TEST(test_cleanup_forgets_everything)
{
	const uint8_t *data;
	size_t size;

	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	FAILS(world_cleanup(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	OK(world_cleanup(world, source));
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	ck_assert_str_eq(lcowmig_migration_session_id(source->m), "");
	ck_assert_uint_eq(test_host_count(source->host, "socket.close"), 1);
	ck_assert_ptr_null(source->m->socket);
	ck_assert(!source->m->socket_signal.is_set);
	FAILS(lcowmig_migration_envelope(source->m, WORLD_SESSION, &data, &size, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_prepare_source(world));
	OK(world_export(world));
}
END_TEST

/* what comes back after its session has ended touches no later one. */
START_TEST(test_late_results_are_dropped)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	OK(world_abandon(world, source));
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_RUNNING);
	OK(world_prepare_source(world));
	OK(world_export(world));
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0x80004005, NULL);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_EXPORTED);
	ck_assert_int_eq(lcowmig_migration_failure(source->m, NULL), LCOWMIG_OK);
}
END_TEST

/* a start that the host answers minutes after its session was abandoned is cancelled there and touches no later session. */
START_TEST(test_late_start_is_dropped)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.start_migration", true);
	OK(world_transfer(world, source));
	ck_assert_int_ne(world_abandon(world, source), LCOWMIG_OK);
	ck_assert_ptr_nonnull(strstr(world->error.message, "could not end the transfer"));
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	test_host_hold(source->host, "hcs.start_migration", false);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "in flight"));
	test_host_complete(source->host, "hcs.start_migration", LCOWMIG_OK, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.transfer"), 0);
	OK(world_prepare_source(world));
}
END_TEST

/* a preparation that the host finishes after its session was abandoned is undone. */
START_TEST(test_late_preparation_is_undone)
{
	test_done done = { 0 };

	test_host_hold(source->host, "hcs.initialize_migration", true);
	ck_assert_int_eq(lcowmig_migration_prepare_source(source->m, WORLD_SESSION, NULL, test_on_done, &done, &world->error),
			 LCOWMIG_PENDING);
	ck_assert_int_ne(world_abandon(world, source), LCOWMIG_OK);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION); /* the host has not answered yet */
	test_host_hold(source->host, "hcs.initialize_migration", false);
	test_host_complete(source->host, "hcs.initialize_migration", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_RUNNING);
	OK(world_prepare_source(world));
}
END_TEST

/* from every point of a migration, on both sides, with the host failing everything or nothing. */
START_TEST(test_abandon_always_ends_idle)
{
	static const char *const operations[] = { "hcs.cancel_migration", "hcs.finalize_migration", "guest.rpc", "hcs.terminate",
						  "hcs.modify" };
	world_point point = (world_point)(_i / 2);
	bool host_fails = _i % 2;
	test_side *sides[2] = { source, destination };
	size_t i, j;

	OK(world_migrate_until(world, point));
	for (i = 0; i < 2; i++) {
		lcowmig_status status;

		for (j = 0; host_fails && j < LCOWMIG__COUNT(operations); j++)
			test_host_fail(sides[i]->host, operations[j], 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
		if (!lcowmig_migration_session_id(sides[i]->m)[0])
			continue;
		status = world_abandon(world, sides[i]);
		ck_assert(host_fails || status == LCOWMIG_OK);
		STATE(sides[i], LCOWMIG_MIGRATION_IDLE);
		ck_assert_ptr_null(sides[i]->m->abandon);
		if (status != LCOWMIG_OK)
			ck_assert_ptr_nonnull(strstr(world->error.message, "was left, but could not"));
	}
}
END_TEST

/* ---- Notifications ---- */

typedef struct heard {
	unsigned count;
	unsigned ends;
	uint32_t ids[256];
	uint32_t missed;
	lcowmig_phase phase;
	lcowmig_phase_state state;
	lcowmig_step step;
	uint32_t number, total;
	lcowmig_origin origin;
	int64_t start, update;
	char text[128];
	unsigned reenter; /* events to tell from inside the next callback */
	test_side *side;
} heard;

static void hear(void *user, const lcowmig_notification *n)
{
	heard *h = user;
	unsigned i, reenter = h->reenter;

	if (!n) {
		h->ends++;
		return;
	}
	ck_assert_uint_lt(h->count, LCOWMIG__COUNT(h->ids));
	h->ids[h->count++] = lcowmig_notification_message_id(n);
	h->missed += lcowmig_notification_missed(n);
	h->phase = lcowmig_notification_phase(n);
	h->state = lcowmig_notification_state(n);
	h->step = lcowmig_notification_step(n);
	h->number = lcowmig_notification_number(n);
	h->total = lcowmig_notification_total(n);
	h->origin = lcowmig_notification_origin(n);
	h->start = lcowmig_notification_start_time(n);
	h->update = lcowmig_notification_update_time(n);
	snprintf(h->text, sizeof h->text, "%s", lcowmig_notification_text(n));
	h->reenter = 0;
	for (i = 0; i < reenter; i++)
		world_tell(h->side, "TransferInProgress", NULL);
	if (reenter)
		world_tell(h->side, "MigrationFailed", "GuestInitiatedCancellation");
}

static lcowmig_subscription *listen(test_side *side, uint32_t flags, heard *h)
{
	lcowmig_subscription *subscription = NULL;

	memset(h, 0, sizeof *h);
	h->side = side;
	OK(lcowmig_migration_subscribe(side->m, WORLD_SESSION, flags, hear, h, &subscription, &world->error));
	return subscription;
}

/* MIG-101, MIG-102, MIG-103, MIG-112, MIG-113, X-33 */
START_TEST(test_subscribers_hear_the_platforms_events)
{
	lcowmig_subscription *a, *b;
	heard ha, hb;

	world_tell(source, "SetupDone", NULL); /* of no session: dropped */
	OK(world_prepare_source(world));
	a = listen(source, 0, &ha);
	b = listen(source, 0, &hb);
	ck_assert_uint_eq(ha.count, 0);
	test_host_advance(source->host, 500);
	world_tell(source, "SetupDone", NULL);
	ck_assert_uint_eq(ha.count, 1);
	ck_assert_uint_eq(ha.ids[0], 1);
	ck_assert_int_eq(ha.phase, LCOWMIG_PHASE_SETUP_DONE);
	ck_assert_int_eq(ha.state, LCOWMIG_PHASE_STATE_SUCCESS);
	ck_assert_int_eq(ha.origin, LCOWMIG_ORIGIN_SOURCE);
	ck_assert_int_eq(ha.update - ha.start, 500);
	world_tell(source, "TransferInProgress", NULL);
	ck_assert_uint_eq(ha.ids[1], 2);
	ck_assert_uint_eq(hb.count, 2);
	ck_assert_mem_eq(ha.ids, hb.ids, 2 * sizeof ha.ids[0]);
	lcowmig_migration_unsubscribe(a);
	lcowmig_migration_unsubscribe(b);
}
END_TEST

/* MIG-104 */
START_TEST(test_late_subscriber_hears_the_latest_event_at_once)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_prepare_source(world));
	world_tell(source, "SetupDone", NULL);
	world_tell(source, "BlackoutStarted", NULL);
	subscription = listen(source, 0, &h);
	ck_assert_uint_eq(h.count, 1);
	ck_assert_uint_eq(h.ids[0], 2);
	ck_assert_int_eq(h.phase, LCOWMIG_PHASE_BLACKOUT_STARTED);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* MIG-105, MIG-106, MIG-107, MIG-110, MIG-111, MIG-114, MIG-115 */
START_TEST(test_streams_end_with_the_session)
{
	lcowmig__notice notice = { 0 };
	lcowmig_subscription *none = NULL;
	heard h;

	FAILS(lcowmig_migration_subscribe(source->m, WORLD_SESSION, 0, hear, &h, &none, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_prepare_source(world));
	FAILS(lcowmig_migration_subscribe(source->m, "another", 0, hear, &h, &none, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_subscribe(source->m, WORLD_SESSION, 2, hear, &h, &none, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(none);
	listen(source, 0, &h); /* freed by the library at its end */
	OK(world_cancel(world, source));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	ck_assert_uint_eq(h.ends, 0);
	OK(world_cleanup(world, source));
	ck_assert_uint_eq(h.ends, 1);
	ck_assert(!lcowmig__notifier_tell(&source->m->notifier, &notice));
	lcowmig__notifier_close(&source->m->notifier);
	FAILS(lcowmig_migration_subscribe(source->m, WORLD_SESSION, 0, hear, &h, &none, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_prepare_source(world));
	world_tell(source, "SetupDone", NULL);
	ck_assert_uint_eq(h.ends, 1);
	ck_assert_uint_eq(h.count, 0); /* the old stream hears nothing of the new session */
}
END_TEST

/* MIG-108 */
START_TEST(test_unsubscribing_ends_one_stream_only)
{
	lcowmig_subscription *a, *b;
	heard ha, hb;

	OK(world_prepare_source(world));
	a = listen(source, 0, &ha);
	b = listen(source, 0, &hb);
	lcowmig_migration_unsubscribe(a);
	world_tell(source, "SetupDone", NULL);
	ck_assert_uint_eq(ha.count, 0);
	ck_assert_uint_eq(ha.ends, 0);
	ck_assert_uint_eq(hb.count, 1);
	lcowmig_migration_unsubscribe(b);
	lcowmig_migration_unsubscribe(NULL);
}
END_TEST

/* MIG-109, X-33: a reader that is slow misses progress, and hears how it ended. */
START_TEST(test_slow_subscriber_misses_progress_but_not_the_end)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_prepare_source(world));
	subscription = listen(source, 0, &h);
	h.reenter = 2 * LCOWMIG_NOTIFICATION_QUEUE;
	world_tell(source, "SetupDone", NULL);
	ck_assert_uint_eq(h.count, 1 + LCOWMIG_NOTIFICATION_QUEUE + 1);
	ck_assert_uint_eq(h.missed, LCOWMIG_NOTIFICATION_QUEUE);
	ck_assert_int_eq(h.phase, LCOWMIG_PHASE_FAILED);
	ck_assert_int_eq(h.state, LCOWMIG_PHASE_STATE_GUEST_INITIATED_CANCELLATION);
	ck_assert_uint_eq(h.ids[h.count - 1], 2 + 2 * LCOWMIG_NOTIFICATION_QUEUE);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* not even for want of memory. */
START_TEST(test_the_end_is_told_without_memory)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_prepare_source(world));
	subscription = listen(source, 0, &h);
	OK(world_cancel(world, source));
	test_enter(source->host);
	{
		lcowmig__notice notice = { .phase = LCOWMIG_PHASE_FAILED };

		test_host_fail_allocation(source->host, 1, true);
		ck_assert(lcowmig__notifier_tell(&source->m->notifier, &notice));
		notice.phase = LCOWMIG_PHASE_TRANSFER_IN_PROGRESS;
		ck_assert(!lcowmig__notifier_tell(&source->m->notifier, &notice));
	}
	test_leave(source->host);
	test_host_fail_allocation(source->host, 0, false);
	ck_assert_uint_eq(h.count, 1);
	ck_assert_int_eq(h.phase, LCOWMIG_PHASE_FAILED);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

static heard *unsubscribing;

static void hear_and_leave(void *user, const lcowmig_notification *n)
{
	lcowmig_subscription **place = user;

	ck_assert_ptr_nonnull(n);
	unsubscribing->count++;
	lcowmig_migration_unsubscribe(*place);
	*place = NULL;
}

START_TEST(test_unsubscribing_inside_the_callback)
{
	lcowmig_subscription *subscription = NULL;
	heard h = { 0 };

	unsubscribing = &h;
	OK(world_prepare_source(world));
	OK(lcowmig_migration_subscribe(source->m, WORLD_SESSION, 0, hear_and_leave, &subscription, &subscription, &world->error));
	world_tell(source, "SetupDone", NULL);
	world_tell(source, "TransferInProgress", NULL);
	ck_assert_uint_eq(h.count, 1);
	ck_assert_ptr_null(subscription);
}
END_TEST

/* MIG-59, MIG-62, MIG-63: after the state has become Failed. */
static void hear_failure(void *user, const lcowmig_notification *n)
{
	heard *h = user;

	if (n && lcowmig_notification_phase(n) == LCOWMIG_PHASE_FAILED)
		ck_assert_int_eq(world_state(h->side), LCOWMIG_MIGRATION_FAILED);
	hear(user, n);
}

START_TEST(test_failure_is_told_after_the_state_has_changed)
{
	test_side *side = _i & 1 ? destination : source;
	lcowmig_subscription *subscription = NULL;
	heard h = { 0 };

	OK(world_migrate_until(world, _i & 2 ? WORLD_READY : WORLD_CONNECTED));
	h.side = side;
	OK(lcowmig_migration_subscribe(side->m, WORLD_SESSION, 0, hear_failure, &h, &subscription, &world->error));
	if (_i & 2) {
		OK(world_transfer(world, side));
		test_host_fail(side->host, "socket.adopt", 1, LCOWMIG_E_FAILED_PRECONDITION, 0, "not connected");
		FAILS(world_register(world, side), LCOWMIG_E_FAILED_PRECONDITION);
	} else {
		test_host_fail(side->host, "hcs.transfer", 1, LCOWMIG_E_HOST_FAILED, 0, "broken");
		ck_assert_int_ne(world_transfer(world, side), LCOWMIG_OK);
	}
	ck_assert_uint_eq(h.count, 1);
	ck_assert_int_eq(h.phase, LCOWMIG_PHASE_FAILED);
	ck_assert_int_eq(h.state, _i & 1 ? LCOWMIG_PHASE_STATE_DESTINATION_FAILED : LCOWMIG_PHASE_STATE_SOURCE_FAILED);
	ck_assert(h.text[0] != '\0');
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* MIG-60 */
START_TEST(test_failure_after_a_cancel_is_swallowed)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	subscription = listen(source, 0, &h);
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	OK(world_cancel(world, source));
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0x80004005, NULL);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(h.count, 0);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

START_TEST(test_steps_are_told_to_who_asks)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	subscription = listen(source, LCOWMIG_SUBSCRIBE_STEPS, &h);
	ck_assert_int_eq(h.step, LCOWMIG_STEP_EXPORTED);
	ck_assert_uint_eq(h.ids[0], 0);
	lcowmig_migration_unsubscribe(subscription);
	OK(world_import(world));
	subscription = listen(destination, LCOWMIG_SUBSCRIBE_STEPS, &h);
	OK(world_patch(world, "p0"));
	ck_assert_int_eq(h.step, LCOWMIG_STEP_PATCHED);
	ck_assert_uint_eq(h.number, 1);
	ck_assert_uint_eq(h.total, 4);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

START_TEST(test_a_notification_that_is_not_json_is_dropped)
{
	lcowmig_subscription *subscription;
	heard h;

	OK(world_prepare_source(world));
	subscription = listen(source, 0, &h);
	OK(lcowmig_sandbox_hcs_event(source->sandbox, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION, "{", &world->error));
	ck_assert_uint_eq(h.count, 0);
	lcowmig_migration_unsubscribe(subscription);
}
END_TEST

/* ---- Timeline ---- */

START_TEST(test_timeline_tells_where_the_time_went)
{
	lcowmig_timeline_entry entry = LCOWMIG_TIMELINE_ENTRY_INIT;
	uint64_t blackout, control_plane;
	char json[4096];
	size_t size, i, count;
	bool has_transfer = false;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	FAILS(lcowmig_migration_blackout(source->m, &blackout, NULL, &world->error), LCOWMIG_E_NOT_FOUND);
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	test_host_advance(source->host, 1000);
	world_tell(source, "BlackoutStarted", NULL);
	test_host_advance(source->host, 300);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	test_host_advance(source->host, 70);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	test_host_advance(source->host, 5000);
	OK(lcowmig_migration_blackout(source->m, &blackout, &control_plane, &world->error));
	ck_assert_uint_eq(blackout, 370);
	ck_assert_uint_eq(control_plane, 70);
	count = lcowmig_migration_timeline_count(source->m);
	for (i = 0; i < count; i++) {
		OK(lcowmig_migration_timeline_entry(source->m, i, &entry, &world->error));
		ck_assert_msg(entry.has_ended, "%s has not ended", entry.name);
		if (strcmp(entry.name, "transfer") == 0) {
			has_transfer = true;
			ck_assert_uint_eq(entry.duration, 1300);
		}
	}
	ck_assert(has_transfer);
	FAILS(lcowmig_migration_timeline_entry(source->m, count, &entry, &world->error), LCOWMIG_E_NOT_FOUND);
	OK(lcowmig_migration_timeline_json(source->m, NULL, 0, &size, &world->error));
	ck_assert_uint_lt(size, sizeof json);
	OK(lcowmig_migration_timeline_json(source->m, json, sizeof json, &size, &world->error));
	ck_assert_uint_eq(strlen(json) + 1, size);
	ck_assert_ptr_nonnull(strstr(json, "{\"name\":\"blackout\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":"));
	ck_assert_ptr_nonnull(strstr(json, "\"dur\":0.370}"));
	FAILS(lcowmig_migration_timeline_json(source->m, json, 3, &size, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	OK(world_cleanup(world, source));
	ck_assert_uint_eq(lcowmig_migration_timeline_count(source->m), count); /* until the next session */
}
END_TEST

START_TEST(test_timeline_has_a_bound)
{
	lcowmig__timeline *timeline = &source->m->timeline;
	size_t i;

	for (i = 0; i < 2 * LCOWMIG__TIMELINE_MAX; i++)
		lcowmig__timeline_mark(timeline, LCOWMIG__SPAN_CANCEL);
	ck_assert_uint_eq(lcowmig_migration_timeline_count(source->m), LCOWMIG__TIMELINE_MAX);
}
END_TEST

START_TEST(test_timeline_json_is_valid_for_any_reason)
{
	char json[1024];
	size_t size;

	lcowmig__timeline_begin(&source->m->timeline, LCOWMIG__SPAN_FORCED, "a \"reason\"\\\n");
	OK(lcowmig_migration_timeline_json(source->m, json, sizeof json, &size, &world->error));
	ck_assert_ptr_nonnull(strstr(json, "\"args\":{\"reason\":\"a \\\"reason\\\"\\\\\\u000a\"}"));
}
END_TEST

static Suite *migration_suite(void)
{
	Suite *suite = suite_create("migration");
	TCase *plain = tcase_create("session without pods");
	TCase *pods = tcase_create("session with pods");

	tcase_add_checked_fixture(plain, set_up_empty, tear_down);
	tcase_add_checked_fixture(pods, set_up_pods, tear_down);
	tcase_set_timeout(plain, 60);
	tcase_set_timeout(pods, 60);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, pods);

	tcase_add_test(plain, test_session_is_idle_when_new);
	tcase_add_test(plain, test_session_number_is_a_hash_of_the_id);
	tcase_add_test(plain, test_state_names_are_complete);
	tcase_add_test(plain, test_every_state_can_be_abandoned);
	tcase_add_loop_test(plain, test_empty_id_is_invalid_in_every_call, 0, N_CALLS_WITH_ID);
	tcase_add_loop_test(plain, test_foreign_id_is_invalid_in_every_call, 0, N_CALLS_WITH_ID);
	tcase_add_loop_test(plain, test_idle_refuses_what_needs_a_session, 0, N_CALLS_WITH_ID);
	tcase_add_test(plain, test_overlong_id_passes_a_limit);
	tcase_add_test(plain, test_check_reports_all_reasons_and_changes_nothing);
	tcase_add_test(plain, test_prepare_source_refuses_missing_arguments);
	tcase_add_test(plain, test_prepare_source_refuses_a_second_session);
	tcase_add_test(plain, test_prepare_source_stays_idle_when_the_host_fails);
	tcase_add_test(plain, test_prepare_source_records_the_session);
	tcase_add_test(plain, test_prepare_source_is_refused_with_all_reasons);
	tcase_add_test(plain, test_export_is_refused_before_prepare);
	tcase_add_test(plain, test_export_changes_nothing_when_the_machine_cannot_be_saved);
	tcase_add_test(plain, test_export_encodes_the_session_without_pods);
	tcase_add_test(pods, test_export_freezes_nothing_when_a_pod_cannot_be_saved);
	tcase_add_test(pods, test_operation_in_flight_refuses_the_migration_by_name);
	tcase_add_test(pods, test_export_gives_the_same_bytes_when_repeated);
	tcase_add_test(plain, test_import_refuses_missing_arguments);
	tcase_add_test(plain, test_import_refuses_bytes_that_do_not_decode);
	tcase_add_test(plain, test_import_refuses_a_second_session);
	tcase_add_test(plain, test_import_needs_a_machine_that_was_not_created);
	tcase_add_test(pods, test_import_leaves_nothing_behind_when_memory_is_out);
	tcase_add_test(plain, test_import_records_a_session_without_pods);
	tcase_add_test(pods, test_import_refuses_a_container_that_is_in_two_pods);
	tcase_add_test(pods, test_import_fills_the_maps_and_the_pending_set);
	tcase_add_test(pods, test_import_asks_the_policy_before_anything_is_created);
	tcase_add_test(plain, test_import_refuses_unusual_devices_by_default);
	tcase_add_test(pods, test_patch_refuses_missing_arguments);
	tcase_add_test(pods, test_patch_needs_an_imported_session);
	tcase_add_test(pods, test_patch_that_is_refused_changes_nothing);
	tcase_add_test(pods, test_patch_needs_the_disks);
	tcase_add_test(pods, test_patch_re_keys_containers_and_their_pod);
	tcase_add_test(pods, test_patch_again_replaces_the_first);
	tcase_add_test(pods, test_prepare_destination_needs_an_imported_session);
	tcase_add_test(pods, test_prepare_destination_names_what_is_pending);
	tcase_add_test(pods, test_prepare_destination_names_disks_that_nobody_patched);
	tcase_add_test(plain, test_prepare_destination_can_be_repeated_when_the_machine_is_not_created);
	tcase_add_test(pods, test_prepare_destination_creates_the_machine);
	tcase_add_test(plain, test_prepare_destination_fails_the_session_when_a_disk_is_denied);
	tcase_add_test(plain, test_register_refuses_a_short_descriptor_first_of_all);
	tcase_add_test(plain, test_register_keeps_one_socket);
	tcase_add_test(plain, test_register_fails_the_session_when_the_socket_is_not_connected);
	tcase_add_test(plain, test_register_can_be_repeated_when_memory_is_out);
	tcase_add_test(plain, test_transfer_returns_at_once_and_waits_for_the_socket);
	tcase_add_test(plain, test_transfer_starts_and_moves);
	tcase_add_loop_test(plain, test_transfer_fails_when_the_socket_does_not_come, 0, 2);
	tcase_add_test(plain, test_transfer_that_succeeds_after_a_cancel_ends_cancelled);
	tcase_add_loop_test(plain, test_transfer_reports_which_call_failed, 0, 2);
	tcase_add_test(plain, test_transfer_is_not_an_operation_of_its_caller);
	tcase_add_loop_test(plain, test_transfer_fails_at_its_deadline, 0, 2);
	tcase_add_loop_test(pods, test_transfer_fails_at_once_when_the_machine_ends, 0, 2);
	tcase_add_test(plain, test_finalize_refuses_bad_arguments);
	tcase_add_test(plain, test_finalize_again_is_a_no_op_for_the_same_action_only);
	tcase_add_test(pods, test_finalize_stop_of_a_cancelled_destination_asks_nobody);
	tcase_add_test(pods, test_finalize_resumes_a_cancelled_destination_that_holds_the_machine);
	tcase_add_test(plain, test_finalize_is_refused_while_transferring);
	tcase_add_loop_test(pods, test_finalize_resume_is_repeated_from_where_it_stood, 0, 5);
	tcase_add_loop_test(pods, test_finalize_resume_that_failed_can_be_turned_into_a_stop, 0, 5);
	tcase_add_test(pods, test_finalize_resume_of_the_source_keeps_its_connection);
	tcase_add_loop_test(pods, test_finalize_stop_ends_either_side, 0, 2);
	tcase_add_loop_test(plain, test_finalize_of_a_machine_that_has_ended, 0, 2);
	tcase_add_loop_test(pods, test_finalize_leaves_failed_and_cancelled_sources_either_way, 0, 4);
	tcase_add_test(plain, test_finalize_in_flight_refuses_a_cancel_and_answers_questions);
	tcase_add_test(plain, test_release_needs_a_completed_transfer_and_can_be_repeated);
	tcase_add_test(pods, test_release_of_the_destination_gives_the_right_back);
	tcase_add_test(pods, test_release_of_a_stopped_destination_rescues_the_source);
	tcase_add_test(pods, test_force_overrides_the_right_and_leaves_a_record);
	tcase_add_test(plain, test_token_is_refused_when_it_belongs_elsewhere);
	tcase_add_test(plain, test_right_exists_once);
	tcase_add_test(plain, test_cancel_after_the_transfer);
	tcase_add_test(plain, test_cancel_that_the_host_refuses_fails_the_session_and_can_be_repeated);
	tcase_add_test(pods, test_cancel_of_an_imported_session_asks_nobody);
	tcase_add_test(plain, test_cancel_succeeds_when_there_was_nothing_to_cancel);
	tcase_add_test(plain, test_cancel_ends_a_waiting_transfer_quietly);
	tcase_add_loop_test(plain, test_cancel_is_never_lost, 0, 8);
	tcase_add_loop_test(plain, test_cancel_while_the_source_is_prepared, 0, 2);
	tcase_add_loop_test(plain, test_cancel_ends_operations_in_flight, 0, 2);
	tcase_add_test(pods, test_cancel_of_a_destination_in_preparation);
	tcase_add_loop_test(pods, test_cancelled_destination_waits_for_its_transfer, 0, 2);
	tcase_add_test(plain, test_cancel_while_finalized_changes_nothing);
	tcase_add_test(plain, test_cleanup_forgets_everything);
	tcase_add_test(plain, test_late_results_are_dropped);
	tcase_add_test(plain, test_late_start_is_dropped);
	tcase_add_test(plain, test_late_preparation_is_undone);
	tcase_add_loop_test(pods, test_abandon_always_ends_idle, 0, 2 * WORLD_CLEAN);
	tcase_add_test(plain, test_subscribers_hear_the_platforms_events);
	tcase_add_test(plain, test_late_subscriber_hears_the_latest_event_at_once);
	tcase_add_test(plain, test_streams_end_with_the_session);
	tcase_add_test(plain, test_unsubscribing_ends_one_stream_only);
	tcase_add_test(plain, test_slow_subscriber_misses_progress_but_not_the_end);
	tcase_add_test(plain, test_the_end_is_told_without_memory);
	tcase_add_test(plain, test_unsubscribing_inside_the_callback);
	tcase_add_loop_test(plain, test_failure_is_told_after_the_state_has_changed, 0, 4);
	tcase_add_test(plain, test_failure_after_a_cancel_is_swallowed);
	tcase_add_test(pods, test_steps_are_told_to_who_asks);
	tcase_add_test(plain, test_a_notification_that_is_not_json_is_dropped);
	tcase_add_test(plain, test_timeline_tells_where_the_time_went);
	tcase_add_test(plain, test_timeline_has_a_bound);
	tcase_add_test(plain, test_timeline_json_is_valid_for_any_reason);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(migration_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
