/* The migration session: what callers may give and may not, what is asked of no session, limits and options. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "migration_fixture.h"

static void on_notification(void *user, const lcowmig_notification *notification)
{
	(void)notification;
	++*(unsigned *)user;
}

/* MIG-79: every call judges its pointers before anything else. */
START_TEST(test_session_call_refuses_null_where_something_is_required)
{
	lcowmig_timeline_entry entry = LCOWMIG_TIMELINE_ENTRY_INIT;
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	lcowmig_patch patch = { .size = sizeof patch };
	lcowmig_subscription *subscription = NULL;
	lcowmig_migration *m = source->m;
	lcowmig_error *error = &world->error;
	const uint8_t *data = NULL;
	uint8_t buffer[LCOWMIG_TOKEN_SIZE_MAX];
	size_t size = 7;
	unsigned n = 0;

	FAILS(lcowmig_migration_cancel(NULL, WORLD_SESSION, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_patch(NULL, &patch, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_patch(m, NULL, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_patch_disks(NULL, WORLD_SESSION, NULL, 0, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_patch_disks(m, WORLD_SESSION, NULL, 1, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_prepare_destination(NULL, WORLD_SESSION, NULL, 0, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_prepare_destination(m, WORLD_SESSION, NULL, 2, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_subscribe(NULL, WORLD_SESSION, 0, on_notification, &n, &subscription, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_subscribe(m, WORLD_SESSION, 0, NULL, &n, &subscription, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_subscribe(m, WORLD_SESSION, 0, on_notification, &n, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_failure(NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_finalize(NULL, WORLD_SESSION, &options, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_cleanup(NULL, WORLD_SESSION, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_abandon(NULL, WORLD_SESSION, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_release(NULL, WORLD_SESSION, buffer, 1, &size, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_release(m, WORLD_SESSION, buffer, 1, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_release(m, WORLD_SESSION, NULL, 1, &size, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_register_socket(NULL, WORLD_SESSION, SOCKET, 6, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_register_socket(m, WORLD_SESSION, NULL, 6, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_register_socket(m, WORLD_SESSION, SOCKET, 0, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_export(NULL, WORLD_SESSION, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_envelope(NULL, WORLD_SESSION, &data, &size, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_envelope(m, WORLD_SESSION, NULL, &size, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_envelope(m, WORLD_SESSION, &data, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_copy_envelope(NULL, WORLD_SESSION, buffer, 1, &size, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_copy_envelope(m, WORLD_SESSION, buffer, 1, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_copy_envelope(m, WORLD_SESSION, NULL, 1, &size, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_timeline_entry(NULL, 0, &entry, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_timeline_entry(m, 0, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_blackout(NULL, NULL, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_timeline_json(NULL, NULL, 0, &size, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_timeline_json(m, NULL, 0, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_timeline_json(m, NULL, 1, &size, error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_transfer(NULL, WORLD_SESSION, NULL, error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(data);
	ck_assert_ptr_null(subscription);
	ck_assert_uint_eq(size, 7);
	ck_assert_uint_eq(n, 0);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
}
END_TEST

START_TEST(test_questions_to_no_session_have_answers)
{
	ck_assert_int_eq(lcowmig_migration_get_origin(NULL), LCOWMIG_ORIGIN_UNSPECIFIED);
	ck_assert_str_eq(lcowmig_migration_session_id(NULL), "");
	ck_assert_uint_eq(lcowmig_migration_pending_count(NULL), 0);
	ck_assert(!lcowmig_migration_has_right(NULL));
	ck_assert_uint_eq(lcowmig_migration_timeline_count(NULL), 0);
	OK(lcowmig_migration_failure(source->m, &world->error)); /* there is no session that could have failed */
}
END_TEST

/* A struct of a program that is older than this library, or that forgot its size, is refused before anything happens. */
START_TEST(test_session_call_refuses_structs_of_the_wrong_size)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	lcowmig_transfer_options transfer = LCOWMIG_TRANSFER_OPTIONS_INIT;
	lcowmig_timeline_entry entry = LCOWMIG_TIMELINE_ENTRY_INIT;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	options.size = transfer.size = entry.size = 0;
	FAILS(lcowmig_migration_finalize(source->m, WORLD_SESSION, &options, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_transfer(source->m, WORLD_SESSION, &transfer, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_timeline_entry(source->m, 0, &entry, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	STATE(source, LCOWMIG_MIGRATION_SOCKET_READY);
}
END_TEST

/* ---- Check ---- */

typedef struct reasons {
	unsigned count;
	char text[1024];
} reasons;

static void keep_reason(void *user, const char *reason)
{
	reasons *r = user;

	r->count++;
	snprintf(r->text, sizeof r->text, "%s", reason);
}

/* a socket that could not be adopted, or not be closed again, is a reason as any other. */
START_TEST(test_check_wants_both_socket_ops)
{
	reasons r = { 0 };

	if (_i)
		source->sandbox->env.socket.adopt = NULL;
	else
		source->sandbox->env.socket.close = NULL;
	FAILS(lcowmig_migration_check(source->m, keep_reason, &r, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_uint_eq(r.count, 1);
	ck_assert_ptr_nonnull(strstr(r.text, "no adopt and close"));
}
END_TEST

/* an update of the machine that is under way is named. */
START_TEST(test_check_names_what_is_in_flight_on_the_sandbox)
{
	lcowmig_update update = { .size = sizeof update, .resources = "{\"memory\":{\"limit\":1073741824}}" };
	test_done done = { 0 };
	reasons r = { 0 };

	test_host_hold(source->host, "hcs.modify", true);
	ck_assert_int_eq(lcowmig_sandbox_update(source->sandbox, "p0", &update, test_on_done, &done, &world->error), LCOWMIG_PENDING);
	FAILS(lcowmig_migration_check(source->m, keep_reason, &r, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_uint_ge(r.count, 1);
	ck_assert_ptr_nonnull(strstr(world->error.message, "sandbox sb (there) has update in flight"));
	FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_complete(source->host, "hcs.modify", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	test_host_hold(source->host, "hcs.modify", false);
	OK(world_prepare_source(world));
}
END_TEST

/* Without memory for the reasons, nobody hears half of them. */
START_TEST(test_check_reports_nothing_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	unsigned i, refused = 0;

	source->sandbox->env.hcs.transfer = NULL;
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		reasons r = { 0 };

		test_host_fail_allocation(source->host, i, true);
		status = lcowmig_migration_check(source->m, keep_reason, &r, &world->error);
		test_host_fail_allocation(source->host, 0, false);
		refused += status == LCOWMIG_E_NO_MEMORY;
		ck_assert_uint_eq(r.count, status == LCOWMIG_E_FAILED_PRECONDITION);
	}
	FAILS(status, LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_uint_ge(refused, 1);
}
END_TEST

/* ---- Options ---- */

static lcowmig_migration_options bad_options(void)
{
	lcowmig_migration_options options = { .size = sizeof options };

	options.present = 0x80000000u;
	return options;
}

START_TEST(test_prepare_refuses_options_that_are_not_known_and_can_be_repeated)
{
	lcowmig_migration_options options = bad_options();

	FAILS(lcowmig_migration_prepare_source(source->m, WORLD_SESSION, &options, NULL, NULL, &world->error), LCOWMIG_E_NOT_SUPPORTED);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	ck_assert_str_eq(lcowmig_migration_session_id(source->m), "");
	OK(world_migrate_until(world, WORLD_PATCHED));
	FAILS(lcowmig_migration_prepare_destination(destination->m, WORLD_SESSION, &options, LCOWMIG_PREPARE_PATHS_SHARED, NULL, NULL,
						    &world->error),
	      LCOWMIG_E_NOT_SUPPORTED);
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_IMPORTED);
	options = (lcowmig_migration_options){ .size = sizeof options, .checksum_verification = 1 };
	test_host_clear_log(destination->host);
	OK(lcowmig_migration_prepare_destination(destination->m, WORLD_SESSION, &options, LCOWMIG_PREPARE_PATHS_SHARED, NULL, NULL,
						 &world->error));
	ck_assert_ptr_nonnull(strstr(test_host_log(destination->host), "\"ChecksumVerification\":true"));
}
END_TEST

/* ---- Export and import ---- */

/* An envelope that nobody would import is not made; nothing is frozen, and with more room it is. */
START_TEST(test_export_keeps_the_limit_of_an_envelope)
{
	OK(world_prepare_source(world));
	source->host->context->limits.envelope_bytes = 1000;
	FAILS(world_export(world), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_ptr_nonnull(strstr(world->error.message, "the envelope of sandbox sb has"));
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
	ck_assert(!lcowmig_pod_is_migrating(lcowmig__sandbox_find_pod(source->sandbox, "p0")));
	source->host->context->limits.envelope_bytes = 1u << 20;
	OK(world_export(world));
}
END_TEST

/* whatever allocation fails, nothing is frozen: few pods, many pods, pods of many containers. */
START_TEST(test_export_freezes_nothing_when_memory_is_out)
{
	static const unsigned sizes[][2] = { { 2, 2 }, { 2, 60 }, { 1, 64 } };
	unsigned i, n, refused = 0;

	world_free(world);
	world = world_new(sizes[_i][0], sizes[_i][1]);
	source = &world->source;
	destination = &world->destination;
	OK(world_prepare_source(world));
	n = test_host_allocations(source->host);
	OK(world_export(world));
	n = test_host_allocations(source->host) - n;
	OK(world_abandon(world, source));
	for (i = 1; i <= n; i++) {
		lcowmig_status status;

		OK(world_prepare_source(world));
		test_host_fail_allocation(source->host, i, false);
		status = world_export(world);
		test_host_fail_allocation(source->host, 0, false);
		ck_assert_int_eq(lcowmig_pod_is_migrating(lcowmig__sandbox_find_pod(source->sandbox, "p0")), status == LCOWMIG_OK);
		if (status != LCOWMIG_OK) {
			FAILS(status, LCOWMIG_E_NO_MEMORY);
			STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
			refused++;
		}
		OK(world_abandon(world, source));
	}
	ck_assert_uint_gt(refused, 10);
}
END_TEST

/* an import in large pieces of memory leaves as little behind as one in small ones. */
START_TEST(test_import_leaves_nothing_behind_when_large_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	unsigned i;

	destination->host->context->heap.is_plain = false;
	OK(world_migrate_until(world, WORLD_EXPORTED));
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		STATE(destination, LCOWMIG_MIGRATION_IDLE);
		ck_assert_uint_eq(destination->sandbox->pods.count, 0);
		test_host_fail_allocation(destination->host, i, true);
		status = world_import(world);
		test_host_fail_allocation(destination->host, 0, false);
	}
	OK(status);
	ck_assert_uint_gt(i, 3);
	OK(world_patch_all(world));
}
END_TEST

/* MIG-17: a source is being prepared here, so nothing is imported. */
START_TEST(test_import_is_refused_while_a_source_is_prepared)
{
	lcowmig_import_options options;
	test_done done = { 0 };

	OK(world_migrate_until(world, WORLD_EXPORTED));
	OK(world_abandon(world, source));
	test_host_hold(source->host, "hcs.initialize_migration", true);
	ck_assert_int_eq(lcowmig_migration_prepare_source(source->m, WORLD_SESSION, NULL, test_on_done, &done, &world->error),
			 LCOWMIG_PENDING);
	options = import_options();
	FAILS(lcowmig_migration_import(source->m, &options, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "has prepare source in flight"));
	test_host_complete(source->host, "hcs.initialize_migration", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

/* MIG-22: a sandbox that has its name already is imported under that one. */
START_TEST(test_import_into_a_sandbox_that_is_named)
{
	lcowmig_import_options options;

	OK(world_migrate_until(world, WORLD_EXPORTED));
	ck_assert_int_eq(lcowmig_sandbox_free(destination->sandbox, &world->error), LCOWMIG_OK);
	destination->host->config.id = "d-sb";
	ck_assert_int_eq(lcowmig_sandbox_new(destination->host->context, &destination->host->config, &destination->sandbox, &world->error),
			 LCOWMIG_OK);
	destination->m = lcowmig_sandbox_migration(destination->sandbox);
	options = import_options();
	options.sandbox_id = "other";
	FAILS(lcowmig_migration_import(destination->m, &options, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(world->error.message, "the sandbox is d-sb, not other"));
	ck_assert_str_eq(lcowmig_sandbox_id(destination->sandbox), "d-sb");
	options.sandbox_id = "d-sb";
	OK(lcowmig_migration_import(destination->m, &options, &world->error));
	ck_assert_str_eq(lcowmig_sandbox_id(destination->sandbox), "d-sb");
	STATE(destination, LCOWMIG_MIGRATION_DESTINATION_IMPORTED);
}
END_TEST

typedef struct vetted {
	unsigned paths, lines, devices;
} vetted;

static lcowmig_status count_items(void *user, lcowmig_import_item item, const char *where, const char *text)
{
	vetted *v = user;

	ck_assert(where[0] && text[0]);
	v->paths += item == LCOWMIG_IMPORT_HOST_PATH;
	v->lines += item == LCOWMIG_IMPORT_KERNEL_COMMAND_LINE;
	v->devices += item == LCOWMIG_IMPORT_DEVICE;
	return LCOWMIG_OK;
}

/* what names something on the host is shown, wherever it stands; what is inside the machine, and what is no name, is not. */
START_TEST(test_import_shows_the_policy_every_name_of_the_host)
{
	static const char document[] = "{\"VirtualMachine\":{\"Chipset\":{\"Uefi\":{\"BootThis\":{\"DevicePath\":\"inside\",\"OptionalData\":\"a\","
				       "\"VmbFsRootPath\":\"C:\\\\x\"}}},\"Names\":[\"one\",\"two\"],\"Number\":1,"
				       "\"Devices\":{\"ComPorts\":{\"0\":{\"NamedPipe\":\"\\\\\\\\.\\\\pipe\\\\a\",\"Text\":\"b\"}}}}}";
	lcowmig__wire_sandbox wire = { 0 };
	vetted v = { 0 };

	wire.vm.hcs_document.data = (const uint8_t *)document;
	wire.vm.hcs_document.size = strlen(document);
	OK(lcowmig__import_vet(&source->host->context->limits, &wire, count_items, &v, &world->error));
	ck_assert_uint_eq(v.paths, 2);
	ck_assert_uint_eq(v.lines, 1);
	ck_assert_uint_eq(v.devices, 1);
	wire.vm.hcs_document.size--;
	FAILS(lcowmig__import_vet(&source->host->context->limits, &wire, count_items, &v, &world->error), LCOWMIG_E_CORRUPT_DATA);
}
END_TEST

/* ---- The right to run ---- */

static lcowmig_status finalize_with(test_side *side, uint32_t flags, const uint8_t *token, size_t size)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;

	options.action = LCOWMIG_FINALIZE_RESUME;
	options.flags = flags;
	options.reason = "a test";
	options.token = token;
	options.token_size = size;
	return lcowmig_migration_finalize(side->m, WORLD_SESSION, &options, NULL, NULL, &world->error);
}

/* a token is bytes and their number, or neither. */
START_TEST(test_finalize_wants_a_token_with_its_size)
{
	OK(world_migrate_until(world, WORLD_RELEASED));
	FAILS(finalize_with(destination, 0, world->token, 0), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(finalize_with(destination, 0, NULL, world->token_size), LCOWMIG_E_INVALID_ARGUMENT);
	STATE(destination, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	OK(finalize_with(destination, 0, world->token, world->token_size));
}
END_TEST

/* force is recorded only where it was needed: not with a good token, nor for a side that has the right. */
START_TEST(test_force_leaves_a_record_only_where_it_overrides_something)
{
	char json[16384];
	size_t size;

	OK(world_migrate_until(world, WORLD_RELEASED));
	if (_i == 0) {
		OK(finalize_with(destination, LCOWMIG_FINALIZE_FORCE, world->token, world->token_size));
	} else if (_i == 1) {
		world->is_forced = true;
		world->token[20] ^= 1;
		OK(finalize_with(destination, LCOWMIG_FINALIZE_FORCE, world->token, world->token_size));
	} else {
		OK(world_release(world, destination));
		OK(finalize_with(source, 0, world->token, world->token_size));
		OK(finalize_with(source, LCOWMIG_FINALIZE_FORCE, NULL, 0)); /* again: it runs already */
	}
	OK(lcowmig_migration_timeline_json((_i == 2 ? source : destination)->m, json, sizeof json, &size, &world->error));
	ck_assert_int_eq(strstr(json, "a test") != NULL, _i == 1);
}
END_TEST

START_TEST(test_force_of_a_side_that_has_the_right_leaves_no_record)
{
	char json[16384];
	size_t size;

	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	OK(finalize_raw(source, LCOWMIG_FINALIZE_RESUME, LCOWMIG_FINALIZE_FORCE, "a test"));
	OK(lcowmig_migration_timeline_json(source->m, json, sizeof json, &size, &world->error));
	ck_assert_ptr_null(strstr(json, "a test"));
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
}
END_TEST

/* what could not even begin has decided nothing: no right is taken, nobody is told of force. */
START_TEST(test_finalize_decides_nothing_when_memory_is_out_at_once)
{
	size_t count;
	unsigned i;

	OK(world_migrate_until(world, WORLD_RELEASED));
	count = lcowmig_migration_timeline_count(destination->m);
	for (i = 1; i <= 2; i++) {
		test_host_fail_allocation(destination->host, i, false);
		FAILS(finalize_with(destination, _i ? LCOWMIG_FINALIZE_FORCE : 0, _i ? NULL : world->token, _i ? 0 : world->token_size),
		      LCOWMIG_E_NO_MEMORY);
		test_host_fail_allocation(destination->host, 0, false);
		ck_assert(!lcowmig_migration_has_right(destination->m));
		ck_assert_uint_eq(lcowmig_migration_timeline_count(destination->m), count);
		STATE(destination, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	}
	OK(finalize_with(destination, 0, world->token, world->token_size));
	ck_assert(lcowmig_migration_has_right(destination->m));
}
END_TEST

/* A peer that lies about how often the right went to and fro: the count does not wrap, so that it never gets a second owner. */
START_TEST(test_release_stops_at_the_last_hand_over)
{
	uint8_t digest[32];
	size_t size = 0;

	OK(world_migrate_until(world, WORLD_RELEASED));
	memset(world->token + 8, 0xff, 4);
	lcowmig__sha256(world->token, 108, digest);
	memcpy(world->token + 108, digest, 4);
	OK(lcowmig_migration_cancel(destination->m, WORLD_SESSION, NULL, NULL, &world->error));
	test_host_fail(destination->host, "hcs.finalize_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "not now");
	FAILS(finalize_with(destination, 0, world->token, world->token_size), LCOWMIG_E_HOST_FAILED);
	ck_assert(lcowmig_migration_has_right(destination->m));
	FAILS(lcowmig_migration_release(destination->m, WORLD_SESSION, world->token, sizeof world->token, &size, &world->error),
	      LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_ptr_nonnull(strstr(world->error.message, "too often"));
	ck_assert(lcowmig_migration_has_right(destination->m));
	ck_assert_uint_eq(size, 0);
	world->token_size = 0;
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migration arguments");
	TCase *tcase = tcase_create("arguments");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up_pods, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_session_call_refuses_null_where_something_is_required);
	tcase_add_test(tcase, test_questions_to_no_session_have_answers);
	tcase_add_test(tcase, test_session_call_refuses_structs_of_the_wrong_size);
	tcase_add_loop_test(tcase, test_check_wants_both_socket_ops, 0, 2);
	tcase_add_test(tcase, test_check_names_what_is_in_flight_on_the_sandbox);
	tcase_add_test(tcase, test_check_reports_nothing_when_memory_is_out);
	tcase_add_test(tcase, test_prepare_refuses_options_that_are_not_known_and_can_be_repeated);
	tcase_add_test(tcase, test_export_keeps_the_limit_of_an_envelope);
	tcase_add_loop_test(tcase, test_export_freezes_nothing_when_memory_is_out, 0, 3);
	tcase_add_test(tcase, test_import_leaves_nothing_behind_when_large_memory_is_out);
	tcase_add_test(tcase, test_import_is_refused_while_a_source_is_prepared);
	tcase_add_test(tcase, test_import_into_a_sandbox_that_is_named);
	tcase_add_test(tcase, test_import_shows_the_policy_every_name_of_the_host);
	tcase_add_test(tcase, test_finalize_wants_a_token_with_its_size);
	tcase_add_loop_test(tcase, test_force_leaves_a_record_only_where_it_overrides_something, 0, 3);
	tcase_add_test(tcase, test_force_of_a_side_that_has_the_right_leaves_no_record);
	tcase_add_loop_test(tcase, test_finalize_decides_nothing_when_memory_is_out_at_once, 0, 2);
	tcase_add_test(tcase, test_release_stops_at_the_last_hand_over);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
