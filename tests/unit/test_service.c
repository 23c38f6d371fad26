/* The Migration service: requests and responses as bytes, on the two sides of a world. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "service_fixture.h"

/* The value of the first length-delimited field of `data`: of a PrepareAndExportSandboxResponse, the envelope. */
static const uint8_t *first_field(const uint8_t *data, size_t *size)
{
	unsigned shift = 0;
	size_t length = 0;

	ck_assert_uint_eq(*data++, 1 << 3 | 2);
	do {
		length |= (size_t)(*data & 0x7f) << shift;
		shift += 7;
	} while (*data++ & 0x80);
	*size = length;
	return data;
}

static void export_and_import(void)
{
	const uint8_t *envelope;
	message *m;
	size_t size;

	OK(call(source, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	envelope = first_field(answer.data, &size);
	m = request(WORLD_SESSION);
	put_bytes(m, 2, "d-sb", 4);
	put_bytes(m, 3, envelope, size);
	OK(call(destination, "ImportSandbox", m));
	ck_assert_str_eq(lcowmig_sandbox_id(world->destination.sandbox), "d-sb");
}

static void connect_and_transfer(lcowmig_service *service)
{
	message *m = request(WORLD_SESSION);

	put_bytes(m, 2, "socket", 6);
	OK(call(service, "CreateDuplicateSocket", m));
	OK(call(service, "TransferSandbox", request(WORLD_SESSION)));
}

static lcowmig_status finalize(lcowmig_service *service, unsigned action)
{
	message *m = request(WORLD_SESSION);

	put_number(m, 2, action);
	return call(service, "FinalizeSandbox", m);
}

/* SVC-33, MIG-05 as the orchestrator sees it: the whole way. */
START_TEST(test_service_moves_a_sandbox)
{
	export_and_import();
	OK(world_patch_all(world));
	OK(call(destination, "PrepareSandbox", request(WORLD_SESSION)));
	connect_and_transfer(source);
	connect_and_transfer(destination);
	ck_assert_int_eq(world_state(&world->destination), LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	world->is_forced = true; /* the messages know no token */
	OK(finalize(destination, LCOWMIG_FINALIZE_RESUME));
	ck_assert_int_eq(world_finalize(world, &world->source, LCOWMIG_FINALIZE_STOP), LCOWMIG_OK);
	OK(call(source, "Cleanup", request(WORLD_SESSION)));
	OK(call(destination, "Cleanup", request(WORLD_SESSION)));
	ck_assert_int_eq(world_state(&world->destination), LCOWMIG_MIGRATION_IDLE);
}
END_TEST

START_TEST(test_service_exports_again_after_a_lost_answer)
{
	uint8_t first[sizeof answer.data];
	size_t size;

	OK(call(source, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	size = answer.size;
	memcpy(first, answer.data, size);
	OK(call(source, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	ck_assert_uint_eq(answer.size, size);
	ck_assert_mem_eq(answer.data, first, size);
	ck_assert_int_eq(call(source, "PrepareAndExportSandbox", request("another")), LCOWMIG_E_FAILED_PRECONDITION);
	OK(call(source, "Cancel", request(WORLD_SESSION)));
	OK(finalize(source, LCOWMIG_FINALIZE_RESUME));
	OK(call(source, "Cleanup", request(WORLD_SESSION)));
}
END_TEST

/* SVC-33 */
START_TEST(test_service_adopts_the_sandbox_id_only_when_it_imports)
{
	message *m = request(WORLD_SESSION);

	put_bytes(m, 2, "d-sb", 4);
	put_bytes(m, 3, "\x0a\x01x", 3);
	ck_assert_int_ne(call(destination, "ImportSandbox", m), LCOWMIG_OK);
	ck_assert_str_eq(lcowmig_sandbox_id(world->destination.sandbox), "");
}
END_TEST

START_TEST(test_service_without_force_needs_the_right)
{
	lcowmig_service *strict;

	export_and_import();
	OK(world_patch_all(world));
	OK(call(destination, "PrepareSandbox", request(WORLD_SESSION)));
	connect_and_transfer(source);
	connect_and_transfer(destination);
	ck_assert_int_eq(lcowmig_service_new(world->destination.sandbox, LCOWMIG_SERVICE_NEEDS_RIGHT, NULL, &strict, NULL), LCOWMIG_OK);
	ck_assert_int_eq(finalize(strict, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(answer.code, LCOWMIG_RPC_FAILED_PRECONDITION);
	ck_assert_int_eq(lcowmig_service_free(strict), LCOWMIG_OK);
}
END_TEST

/* MIG-65, MIG-70 */
START_TEST(test_service_refuses_what_is_no_action)
{
	static const uint64_t actions[] = { 0, 3, UINT32_MAX, UINT64_MAX, (UINT64_C(1) << 32) + 1 };

	export_and_import();
	ck_assert_int_eq(finalize(source, 0), LCOWMIG_E_INVALID_ARGUMENT);
	{
		message *m = request(WORLD_SESSION);

		put_number(m, 2, actions[_i]);
		ck_assert_int_eq(call(source, "FinalizeSandbox", m), LCOWMIG_E_INVALID_ARGUMENT);
		ck_assert_int_eq(answer.code, LCOWMIG_RPC_INVALID_ARGUMENT);
	}
}
END_TEST

/* OPT-02, OPT-03, OPT-04 as bytes */
START_TEST(test_service_converts_options)
{
	static message options, params, compression;
	double scale = 1.5;
	message *m;

	options.size = params.size = compression.size = 0;
	put_number(&params, 1, 0);
	put_varint(&params, 2 << 3 | 1);
	memcpy(params.data + params.size, &scale, 8);
	params.size += 8;
	put_number(&params, 3, 10);
	put_number(&params, 8, 3000);
	put_number(&params, 99, 7); /* unknown: skipped */
	put_number(&compression, 1, 4);
	put_number(&options, 1, 1);
	put_message(&options, 2, &params);
	put_message(&options, 3, &compression);
	put_number(&options, 4, 1);
	m = request(WORLD_SESSION);
	put_message(m, 2, &options);
	test_host_clear_log(world->source.host);
	OK(call(source, "PrepareAndExportSandbox", m));
	ck_assert_ptr_nonnull(strstr(test_host_log(world->source.host),
	                             "{\"Origin\":\"Source\",\"MemoryTransport\":\"TCP\",\"MemoryTransferThrottleParams\":{\"SkipThrottling\":false,"
	                             "\"ThrottlingScale\":1.5,\"MinimumThrottlePercentage\":10,"
	                             "\"BlackoutTimeThresholdForCancellingMigration\":3000},\"CompressionSettings\":{\"ThrottleWorkerCount\":4},"
	                             "\"ChecksumVerification\":true}"));
}
END_TEST

/* OPT-05: what does not fit is refused, not cut. */
START_TEST(test_service_refuses_options_that_do_not_fit)
{
	static message options, params;
	message *m;

	options.size = params.size = 0;
	put_number(&params, 3, 300);
	put_number(&options, 1, _i == 0 ? 1 : 0);
	if (_i == 0)
		put_message(&options, 2, &params);
	m = request(WORLD_SESSION);
	put_message(m, 2, &options);
	ck_assert_int_eq(call(source, "PrepareAndExportSandbox", m), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(answer.text, _i == 0 ? "minimum_throttle_percentage is 300" : "memory_transport is 0"));
	ck_assert_int_eq(world_state(&world->source), LCOWMIG_MIGRATION_IDLE);
}
END_TEST

START_TEST(test_service_refuses_garbage)
{
	static const struct {
		const char *bytes;
		size_t size;
	} rows[] = {
		{ "\x0a", 1 },         /* a length is missing */
		{ "\x0a\x05" "ab", 4 }, /* too short */
		{ "\x08\x01", 2 },     /* the session id as a number */
		{ "\x0a\x02\xff\xfe", 4 }, /* no UTF-8 */
		{ "\x0a\x01\x00", 3 }, /* NUL */
		{ "\x0b\x0c", 2 },     /* a group */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
	};

	ck_assert_int_eq(lcowmig_service_call(source, "Cancel", (const uint8_t *)rows[_i].bytes, rows[_i].size, on_reply, &answer, NULL), LCOWMIG_OK);
	ck_assert_int_eq(answer.status, LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(answer.code, LCOWMIG_RPC_UNKNOWN);
}
END_TEST

START_TEST(test_service_knows_its_methods)
{
	message *m = request(WORLD_SESSION);

	ck_assert_int_eq(call(source, "Teleport", m), LCOWMIG_E_NOT_SUPPORTED);
	ck_assert_int_eq(answer.code, LCOWMIG_RPC_UNIMPLEMENTED);
	ck_assert_int_eq(call(source, "Notifications", m), LCOWMIG_E_NOT_SUPPORTED);
	ck_assert_int_eq(lcowmig_service_call(NULL, "Cancel", NULL, 0, on_reply, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_service_call(source, "Cancel", NULL, 1, on_reply, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_service_call(source, "Cancel", NULL, 0, NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

static unsigned n_items, n_ends;
static uint8_t item_data[256];
static size_t item_size;

static void on_item(void *user, const uint8_t *item, size_t size)
{
	(void)user;
	if (!item) {
		n_ends++;
		return;
	}
	n_items++;
	ck_assert_uint_le(size, sizeof item_data);
	memcpy(item_data, item, size);
	item_size = size;
}

/* MIG-101, MIG-103, MIG-115 as bytes */
START_TEST(test_service_streams_notifications)
{
	lcowmig_service_stream *stream = NULL, *second = NULL;
	message *m;

	n_items = n_ends = 0;
	m = request(WORLD_SESSION);
	ck_assert_int_eq(lcowmig_service_notifications(source, m->data, m->size, on_item, NULL, &stream, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_null(stream);
	OK(call(source, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	m = request(WORLD_SESSION);
	ck_assert_int_eq(lcowmig_service_notifications(source, m->data, m->size, on_item, NULL, &stream, NULL), LCOWMIG_OK);
	world_tell(&world->source, "SetupDone", "Success");
	ck_assert_uint_eq(n_items, 1);
	/* message_id 1; notification {origin 1, phase 1, state 1}; then the two times */
	ck_assert_uint_gt(item_size, 10);
	ck_assert_mem_eq(item_data, "\x08\x01\x12\x06\x08\x01\x10\x01\x18\x01\x1a", 11);
	world_tell(&world->source, "BlackoutStarted", NULL);
	ck_assert_mem_eq(item_data, "\x08\x02\x12\x06\x08\x01\x10\x03\x18\x01", 10);
	m = request(WORLD_SESSION);
	ck_assert_int_eq(lcowmig_service_notifications(source, m->data, m->size, on_item, NULL, &second, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(n_items, 3); /* the latest, at once */
	ck_assert_int_eq(lcowmig_service_free(source), LCOWMIG_E_FAILED_PRECONDITION);
	lcowmig_service_stream_close(second);
	OK(call(source, "Cancel", request(WORLD_SESSION)));
	OK(finalize(source, LCOWMIG_FINALIZE_RESUME));
	OK(call(source, "Cleanup", request(WORLD_SESSION)));
	ck_assert_uint_eq(n_ends, 1);
}
END_TEST

START_TEST(test_service_maps_every_status)
{
	ck_assert_int_eq(lcowmig_status_rpc_code(LCOWMIG_OK), 0);
	ck_assert_int_eq(lcowmig_status_rpc_code(LCOWMIG_E_INVALID_ARGUMENT), 3);
	ck_assert_int_eq(lcowmig_status_rpc_code(LCOWMIG_E_UNSUPPORTED_VERSION), 3);
	ck_assert_int_eq(lcowmig_status_rpc_code(LCOWMIG_E_NOT_FOUND), 5);
	ck_assert_int_eq(lcowmig_status_rpc_code(LCOWMIG_E_ALREADY_EXISTS), 6);
	ck_assert_int_eq(lcowmig_status_rpc_code(LCOWMIG_E_FAILED_PRECONDITION), 9);
	ck_assert_int_eq(lcowmig_status_rpc_code(LCOWMIG_E_NOT_SUPPORTED), 12);
	ck_assert_int_eq(lcowmig_status_rpc_code(LCOWMIG_E_HOST_FAILED), 2);
	ck_assert_int_eq(lcowmig_status_rpc_code(LCOWMIG_E_CORRUPT_DATA), 2);
}
END_TEST

START_TEST(test_service_survives_every_allocation_failure)
{
	test_host *host = world->source.host;
	unsigned refused = 0;
	unsigned n;

	for (n = 1; n <= 100; n++) {
		const message *m = request(WORLD_SESSION);
		lcowmig_status status;

		test_host_fail_allocation(host, n, false);
		status = lcowmig_service_call(source, "PrepareAndExportSandbox", m->data, m->size, on_reply, &answer, NULL);
		test_host_fail_allocation(host, 0, false);
		if (status == LCOWMIG_OK)
			status = answer.status;
		ck_assert_msg(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY, "%u: %s", n, answer.text);
		refused += status != LCOWMIG_OK;
		if (status == LCOWMIG_OK)
			ck_assert_int_eq(world_abandon(world, &world->source), LCOWMIG_OK);
	}
	ck_assert_uint_gt(refused, 10);
	ck_assert_uint_lt(refused, 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("service");
	TCase *tcase = tcase_create("service");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_service_moves_a_sandbox);
	tcase_add_test(tcase, test_service_exports_again_after_a_lost_answer);
	tcase_add_test(tcase, test_service_adopts_the_sandbox_id_only_when_it_imports);
	tcase_add_test(tcase, test_service_without_force_needs_the_right);
	tcase_add_loop_test(tcase, test_service_refuses_what_is_no_action, 0, 5);
	tcase_add_test(tcase, test_service_converts_options);
	tcase_add_loop_test(tcase, test_service_refuses_options_that_do_not_fit, 0, 2);
	tcase_add_loop_test(tcase, test_service_refuses_garbage, 0, 7);
	tcase_add_test(tcase, test_service_knows_its_methods);
	tcase_add_test(tcase, test_service_streams_notifications);
	tcase_add_test(tcase, test_service_maps_every_status);
	tcase_add_test(tcase, test_service_survives_every_allocation_failure);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
