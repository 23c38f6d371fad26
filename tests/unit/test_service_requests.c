/* The Migration service: requests that other clients may send, streams that end early, and memory that is out. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "service_fixture.h"

/* ---- Arguments ---- */

static void on_nothing(void *user, const uint8_t *item, size_t size)
{
	(void)user;
	(void)item;
	(void)size;
	ck_abort_msg("nothing was to be told");
}

START_TEST(test_service_refuses_missing_arguments)
{
	lcowmig_service_stream *stream = NULL;
	lcowmig_service *service = NULL;
	const message *m = request(WORLD_SESSION);

	ck_assert_int_eq(lcowmig_service_new(NULL, 0, NULL, &service, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_service_new(world->source.sandbox, 0, NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_service_new(world->source.sandbox, 0x80u, NULL, &service, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_ptr_null(service);
	ck_assert_int_eq(lcowmig_service_free(NULL), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_service_call(source, NULL, m->data, m->size, on_reply, &answer, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_service_notifications(NULL, m->data, m->size, on_nothing, NULL, &stream, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_service_notifications(source, m->data, m->size, NULL, NULL, &stream, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_service_notifications(source, m->data, m->size, on_nothing, NULL, NULL, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_service_notifications(source, NULL, 1, on_nothing, NULL, &stream, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_service_notifications(source, NULL, 0, on_nothing, NULL, &stream, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_service_notifications(source, (const uint8_t *)"\x0a", 1, on_nothing, NULL, &stream, NULL),
	                 LCOWMIG_E_CORRUPT_DATA);
	ck_assert_ptr_null(stream);
	lcowmig_service_stream_close(NULL);
	/* A request without bytes is one without a session id. */
	ck_assert_int_eq(lcowmig_service_call(source, "Cancel", NULL, 0, on_reply, &answer, NULL), LCOWMIG_OK);
	ck_assert_int_eq(answer.status, LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* ---- Unknown fields, foreign types ---- */

/* A newer client's fields are passed over, in messages and in groups of options. */
START_TEST(test_service_passes_unknown_fields_over)
{
	static message options, compression, duration;
	static message m;

	options.size = compression.size = duration.size = 0;
	put_number(&compression, 7, 1);
	put_number(&compression, 1, 4);
	put_number(&options, 1, 1);
	put_number(&options, 5, 1);
	put_number(&options, 6, 1);
	put_number(&options, 7, 1);
	put_number(&options, 8, 1);
	put_message(&options, 3, &compression);
	m = *request(WORLD_SESSION);
	put_message(&m, 2, &options);
	put_number(&m, 9, 1);
	test_host_clear_log(world->source.host);
	OK(call(source, "PrepareAndExportSandbox", &m));
	ck_assert_ptr_nonnull(strstr(test_host_log(world->source.host),
	                             "\"CompressionSettings\":{\"ThrottleWorkerCount\":4},\"PerfTracingEnabled\":true,"
	                             "\"CancelIfBlackoutThresholdExceeds\":true,\"PrepareMemoryTransferMode\":true}"));
	m = *request(WORLD_SESSION);
	put_bytes(&m, 2, "socket", 6);
	put_number(&m, 3, 1);
	OK(call(source, "CreateDuplicateSocket", &m));
	put_number(&duration, 1, 5);
	put_number(&duration, 3, 5);
	m = *request(WORLD_SESSION);
	put_message(&m, 2, &duration);
	put_number(&m, 3, 1);
	OK(call(source, "TransferSandbox", &m));
	m = *request(WORLD_SESSION);
	put_number(&m, 2, 1);
	OK(call(source, "Cancel", &m));
	m = *request(WORLD_SESSION);
	put_number(&m, 2, LCOWMIG_FINALIZE_RESUME);
	put_number(&m, 3, 1);
	OK(call(source, "FinalizeSandbox", &m));
	OK(call(source, "Cleanup", request(WORLD_SESSION)));
	m = *request(WORLD_SESSION);
	put_bytes(&m, 2, "d-sb", 4);
	put_number(&m, 9, 1);
	ck_assert_int_eq(call(destination, "ImportSandbox", &m), LCOWMIG_E_INVALID_ARGUMENT); /* for want of an envelope */
	ck_assert_ptr_nonnull(strstr(answer.text, "the envelope is absent"));
}
END_TEST

/* Each known field with another wire type than it has. */
START_TEST(test_service_refuses_fields_of_another_type)
{
	static const struct {
		const char *method;
		unsigned tag; /* 0: an option */
		unsigned option;
	} rows[] = {
		{ "ImportSandbox", 2, 0 },         { "ImportSandbox", 3, 0 },       { "TransferSandbox", 2, 0 },
		{ "CreateDuplicateSocket", 2, 0 }, { "PrepareSandbox", 2, 0 },      { "FinalizeSandbox", 2, 1 },
		{ "PrepareSandbox", 0, 1 },        { "PrepareSandbox", 0, 2 },      { "PrepareSandbox", 0, 3 },
		{ "PrepareSandbox", 0, 4 },        { "PrepareSandbox", 0, 5 },      { "PrepareSandbox", 0, 6 },
		{ "PrepareSandbox", 0, 7 },
	};
	static message options, m;

	options.size = 0;
	m = *request(WORLD_SESSION);
	if (!rows[_i].tag) {
		if (rows[_i].option == 2 || rows[_i].option == 3)
			put_number(&options, rows[_i].option, 1);
		else
			put_bytes(&options, rows[_i].option, "x", 1);
		put_message(&m, 2, &options);
	} else if (rows[_i].option) {
		put_bytes(&m, rows[_i].tag, "x", 1);
	} else {
		put_number(&m, rows[_i].tag, 1);
	}
	ck_assert_int_eq(call(destination, rows[_i].method, &m), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_ptr_nonnull(strstr(answer.text, "has wire type"));
	ck_assert_ptr_nonnull(strstr(answer.text, rows[_i].method));
	ck_assert_int_eq(world_state(&world->destination), LCOWMIG_MIGRATION_IDLE);
}
END_TEST

/* OPT-05: values that do not fit, and groups that do not decode. */
START_TEST(test_service_refuses_groups_of_options_that_are_no_good)
{
	static const struct {
		const char *text;
		lcowmig_status status;
	} expected[] = {
		{ "throttling_scale: field 2 has wire type 0", LCOWMIG_E_CORRUPT_DATA },
		{ "throttling_scale is not a finite number", LCOWMIG_E_INVALID_ARGUMENT },
		{ "throttling_scale is not a finite number", LCOWMIG_E_INVALID_ARGUMENT },
		{ "skip_throttling: field 1 has wire type 2", LCOWMIG_E_CORRUPT_DATA },
		{ "target_number_of_brownout_transfer_passes is 4294967296", LCOWMIG_E_INVALID_ARGUMENT },
		{ "throttle_worker_count does not fit 32 bits", LCOWMIG_E_INVALID_ARGUMENT },
		{ "throttle_worker_count does not fit 32 bits", LCOWMIG_E_INVALID_ARGUMENT },
		{ "MemoryTransferThrottleParams: undecodable", LCOWMIG_E_CORRUPT_DATA },
		{ "CompressionSettings: undecodable", LCOWMIG_E_CORRUPT_DATA },
		{ "InitializeOptions: undecodable", LCOWMIG_E_CORRUPT_DATA },
		{ "MemoryTransferThrottleParams: undecodable", LCOWMIG_E_CORRUPT_DATA },
	};
	static message options, group, m;
	double scale = _i == 1 ? INFINITY : NAN;
	bool is_compression = _i == 5 || _i == 6 || _i == 8;

	options.size = group.size = 0;
	switch (_i) {
	case 0:
		put_number(&group, 2, 1);
		break;
	case 1:
	case 2:
		put_varint(&group, 2 << 3 | 1);
		memcpy(group.data + group.size, &scale, 8);
		group.size += 8;
		break;
	case 3:
		put_bytes(&group, 1, "x", 1);
		break;
	case 4:
		put_number(&group, 4, UINT64_C(1) << 32);
		break;
	case 5:
		put_number(&group, 1, UINT64_C(1) << 32);
		break;
	case 6:
		put_bytes(&group, 1, "x", 1);
		break;
	case 10: /* a fixed64 of fewer bytes */
		put_varint(&group, 2 << 3 | 1);
		put_varint(&group, 7);
		break;
	default:
		group.data[group.size++] = 0xff;
		break;
	}
	put_number(&options, 1, 1);
	if (_i == 9)
		options.data[options.size++] = 0xff;
	else
		put_message(&options, is_compression ? 3 : 2, &group);
	m = *request(WORLD_SESSION);
	put_message(&m, 2, &options);
	ck_assert_int_eq(call(source, "PrepareAndExportSandbox", &m), expected[_i].status);
	ck_assert_msg(strstr(answer.text, expected[_i].text) != NULL, "%s", answer.text);
	ck_assert_int_eq(world_state(&world->source), LCOWMIG_MIGRATION_IDLE);
}
END_TEST

/* ---- Durations ---- */

static lcowmig_status transfer_within(int64_t seconds, int64_t nanos)
{
	static message duration, m;

	duration.size = 0;
	put_number(&duration, 1, (uint64_t)seconds);
	put_number(&duration, 2, (uint64_t)nanos);
	m = *request(WORLD_SESSION);
	put_message(&m, 2, &duration);
	return call(source, "TransferSandbox", &m);
}

START_TEST(test_service_refuses_what_is_no_duration)
{
	static const int64_t rows[][2] = { { 0, 1000000000 }, { 0, -1000000000 }, { 1, -1 }, { -1, 1 } };
	static message duration, m;

	OK(call(source, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	if (_i < 4) {
		ck_assert_int_eq(transfer_within(rows[_i][0], rows[_i][1]), LCOWMIG_E_INVALID_ARGUMENT);
		ck_assert_ptr_nonnull(strstr(answer.text, "not a duration"));
	} else {
		duration.size = 0;
		if (_i == 4)
			put_bytes(&duration, 1, "x", 1);
		else
			duration.data[duration.size++] = 0xff;
		m = *request(WORLD_SESSION);
		put_message(&m, 2, &duration);
		ck_assert_int_eq(call(source, "TransferSandbox", &m), LCOWMIG_E_CORRUPT_DATA);
		ck_assert_ptr_nonnull(strstr(answer.text, "timeout: "));
	}
	ck_assert_int_eq(world_state(&world->source), LCOWMIG_MIGRATION_SOURCE_EXPORTED);
}
END_TEST

/* MIG-50: how long the transfer waits for its socket; what is not positive means the default of ten minutes. */
START_TEST(test_service_waits_as_long_as_it_is_told)
{
	static const struct {
		int64_t seconds, nanos;
		uint64_t waits_s; /* 0: for ever, as far as anybody can tell */
	} rows[] = { { 2, 500000000, 3 }, { 0, 500000000, 1 }, { -5, -1, 600 }, { 0, -1, 600 }, { -5, 0, 600 }, { INT64_MAX, 0, 0 } };
	test_host *host = world->source.host;

	OK(call(source, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	OK(transfer_within(rows[_i].seconds, rows[_i].nanos));
	if (rows[_i].waits_s > 1)
		test_host_advance(host, (rows[_i].waits_s - 1) * UINT64_C(1000000000));
	ck_assert_int_eq(world_state(&world->source), LCOWMIG_MIGRATION_SOCKET_WAITING);
	test_host_advance(host, (rows[_i].waits_s ? 1 : 86400) * UINT64_C(1000000000));
	ck_assert_int_eq(world_state(&world->source), rows[_i].waits_s ? LCOWMIG_MIGRATION_FAILED : LCOWMIG_MIGRATION_SOCKET_WAITING);
	if (!rows[_i].waits_s)
		OK(call(source, "Cancel", request(WORLD_SESSION)));
}
END_TEST

/* ---- Operations that take their time ---- */

/* Each method that may pend answers once, when its operation has ended. */
START_TEST(test_service_answers_when_the_operation_has_ended)
{
	static const struct {
		const char *method, *operation;
	} rows[] = {
		{ "PrepareAndExportSandbox", "hcs.initialize_migration" },
		{ "PrepareAndExportSandbox", "hcs.properties" },
		{ "CreateDuplicateSocket", "socket.adopt" },
		{ "Cancel", "hcs.cancel_migration" },
	};
	test_host *host = world->source.host;
	unsigned count;
	static message m;
	bool fails = _i & 1;

	if (_i / 2 >= 2)
		OK(call(source, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	m = *request(WORLD_SESSION);
	if (_i / 2 == 2)
		put_bytes(&m, 2, "socket", 6);
	test_host_hold(host, rows[_i / 2].operation, true);
	count = answer.count;
	ck_assert_int_eq(lcowmig_service_call(source, rows[_i / 2].method, m.data, m.size, on_reply, &answer, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(answer.count, count);
	ck_assert_int_eq(lcowmig_service_free(source), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_hold(host, rows[_i / 2].operation, false);
	test_host_complete(host, rows[_i / 2].operation, fails ? LCOWMIG_E_HOST_FAILED : LCOWMIG_OK, 0, NULL);
	ck_assert_uint_eq(answer.count, count + 1);
	ck_assert_int_eq(answer.status, fails ? LCOWMIG_E_HOST_FAILED : LCOWMIG_OK);
	ck_assert_int_eq(answer.code, fails ? LCOWMIG_RPC_UNKNOWN : LCOWMIG_RPC_OK);
	ck_assert_int_eq(answer.size > 0, _i / 2 < 2 && !fails); /* only an export answers with bytes */
}
END_TEST

/* The source has the right, so its resume needs no force. */
START_TEST(test_service_forces_nothing_that_has_the_right)
{
	char json[8192];
	size_t size;

	OK(call(source, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	OK(call(source, "Cancel", request(WORLD_SESSION)));
	{
		static message m;

		m = *request(WORLD_SESSION);
		put_number(&m, 2, LCOWMIG_FINALIZE_RESUME);
		OK(call(source, "FinalizeSandbox", &m));
	}
	ck_assert_int_eq(lcowmig_migration_timeline_json(world->source.m, json, sizeof json, &size, NULL), LCOWMIG_OK);
	ck_assert_ptr_null(strstr(json, "forced"));
}
END_TEST

/* A destination that was given the right in another way needs no force either. */
START_TEST(test_service_forces_no_destination_that_has_the_right)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	static message m;
	char json[8192];
	size_t size;

	ck_assert_int_eq(world_migrate_until(world, WORLD_RELEASED), LCOWMIG_OK);
	options.action = LCOWMIG_FINALIZE_RESUME;
	options.token = world->token;
	options.token_size = world->token_size;
	test_host_fail(world->destination.host, "hcs.finalize_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "not now");
	ck_assert_int_eq(lcowmig_migration_finalize(world->destination.m, WORLD_SESSION, &options, NULL, NULL, NULL), LCOWMIG_E_HOST_FAILED);
	m = *request(WORLD_SESSION);
	put_number(&m, 2, LCOWMIG_FINALIZE_RESUME);
	OK(call(destination, "FinalizeSandbox", &m));
	ck_assert_int_eq(lcowmig_migration_timeline_json(world->destination.m, json, sizeof json, &size, NULL), LCOWMIG_OK);
	ck_assert_ptr_null(strstr(json, "forced"));
}
END_TEST

/* ---- Streams ---- */

static struct {
	unsigned count, ends;
	uint8_t data[256];
	size_t size;
} heard;

static void on_item(void *user, const uint8_t *item, size_t size)
{
	(void)user;
	if (!item) {
		heard.ends++;
		return;
	}
	heard.count++;
	ck_assert_uint_le(size, sizeof heard.data);
	memcpy(heard.data, item, size);
	heard.size = size;
}

static lcowmig_service_stream *open_stream(void)
{
	lcowmig_service_stream *stream = NULL;
	const message *m = request(WORLD_SESSION);

	memset(&heard, 0, sizeof heard);
	ck_assert_int_eq(lcowmig_service_notifications(source, m->data, m->size, on_item, NULL, &stream, NULL), LCOWMIG_OK);
	ck_assert_ptr_nonnull(stream);
	return stream;
}

static bool item_has(const void *bytes, size_t size)
{
	size_t i;

	for (i = 0; i + size <= heard.size; i++)
		if (memcmp(heard.data + i, bytes, size) == 0)
			return true;
	return false;
}

/* MIG-113 as bytes: how long the blackout was and when it ended, also before 1970. */
START_TEST(test_service_streams_the_blackout)
{
	lcowmig_service_stream *stream;

	OK(call(source, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	stream = open_stream();
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(world->source.sandbox, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION,
	                                           "{\"Event\":\"BlackoutExited\",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":300,"
	                                           "\"BlackoutStopTimestamp\":\"1970-01-01T00:00:02.5Z\"}}",
	                                           NULL),
	                 LCOWMIG_OK);
	/* 300 as a varint; a timestamp of 2 s and 500,000,000 ns */
	ck_assert(item_has("\x08\xac\x02\x12\x08\x08\x02\x10\x80\xca\xb5\xee\x01", 13));
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(world->source.sandbox, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION,
	                                           "{\"Event\":\"BlackoutExited\",\"AdditionalDetails\":{"
	                                           "\"BlackoutStopTimestamp\":\"1969-12-31T23:59:58.5Z\"}}",
	                                           NULL),
	                 LCOWMIG_OK);
	/* -2 s and 500,000,000 ns: nanos are never negative */
	ck_assert(item_has("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x80\xca\xb5\xee\x01", 17));
	lcowmig_service_stream_close(stream);
}
END_TEST

/* A stream that is closed is told nothing more, not even the end, and the service can go. */
START_TEST(test_service_stream_that_is_closed_hears_nothing)
{
	lcowmig_service_stream *stream;

	OK(call(source, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	stream = open_stream();
	ck_assert_int_eq(lcowmig_service_free(source), LCOWMIG_E_FAILED_PRECONDITION);
	lcowmig_service_stream_close(stream);
	world_tell(&world->source, "SetupDone", NULL);
	OK(call(source, "Cancel", request(WORLD_SESSION)));
	ck_assert_uint_eq(heard.count + heard.ends, 0);
}
END_TEST

/* An event for whose bytes there is no memory is lost, and the stream goes on. */
START_TEST(test_service_stream_goes_on_when_memory_is_out)
{
	lcowmig_service_stream *stream;
	unsigned i, lost = 0;

	OK(call(source, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	stream = open_stream();
	for (i = 1; i < 30; i++) {
		unsigned before = heard.count;

		test_host_fail_allocation(world->source.host, i, false);
		world_tell(&world->source, "TransferInProgress", NULL);
		test_host_fail_allocation(world->source.host, 0, false);
		lost += heard.count == before;
	}
	ck_assert_uint_gt(lost, 2);
	i = heard.count;
	world_tell(&world->source, "TransferInProgress", NULL);
	ck_assert_uint_eq(heard.count, i + 1);
	lcowmig_service_stream_close(stream);
	ck_assert_uint_eq(heard.ends, 0);
}
END_TEST

START_TEST(test_service_and_its_streams_leave_nothing_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	lcowmig_service_stream *stream = NULL;
	lcowmig_service *service = NULL;
	const message *m;
	unsigned i;

	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		ck_assert_ptr_null(service);
		test_host_fail_allocation(world->source.host, i, false);
		status = lcowmig_service_new(world->source.sandbox, 0, NULL, &service, NULL);
		test_host_fail_allocation(world->source.host, 0, false);
	}
	ck_assert_int_eq(status, LCOWMIG_OK);
	ck_assert_uint_eq(i, 4);
	OK(call(service, "PrepareAndExportSandbox", request(WORLD_SESSION)));
	status = LCOWMIG_E_NO_MEMORY;
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		m = request(WORLD_SESSION);
		ck_assert_ptr_null(stream);
		test_host_fail_allocation(world->source.host, i, false);
		status = lcowmig_service_notifications(service, m->data, m->size, on_item, NULL, &stream, NULL);
		test_host_fail_allocation(world->source.host, 0, false);
	}
	ck_assert_int_eq(status, LCOWMIG_OK);
	ck_assert_uint_gt(i, 4);
	lcowmig_service_stream_close(stream);
	ck_assert_int_eq(lcowmig_service_free(service), LCOWMIG_OK);
}
END_TEST

/* The other methods that copy something. */
START_TEST(test_service_import_leaves_nothing_when_memory_is_out)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	static message m;
	unsigned i;

	ck_assert_int_eq(world_migrate_until(world, WORLD_EXPORTED), LCOWMIG_OK);
	m = *request(WORLD_SESSION);
	put_bytes(&m, 2, "d-sb", 4);
	put_bytes(&m, 3, world->envelope, world->envelope_size);
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		test_host_fail_allocation(world->destination.host, i, false);
		status = lcowmig_service_call(destination, "ImportSandbox", m.data, m.size, on_reply, &answer, NULL);
		test_host_fail_allocation(world->destination.host, 0, false);
		if (status == LCOWMIG_OK)
			status = answer.status;
		ck_assert_int_eq(world_state(&world->destination),
		                 status == LCOWMIG_OK ? LCOWMIG_MIGRATION_DESTINATION_IMPORTED : LCOWMIG_MIGRATION_IDLE);
	}
	OK(status);
	ck_assert_uint_gt(i, 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("service requests");
	TCase *tcase = tcase_create("requests");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_service_refuses_missing_arguments);
	tcase_add_test(tcase, test_service_passes_unknown_fields_over);
	tcase_add_loop_test(tcase, test_service_refuses_fields_of_another_type, 0, 13);
	tcase_add_loop_test(tcase, test_service_refuses_groups_of_options_that_are_no_good, 0, 11);
	tcase_add_loop_test(tcase, test_service_refuses_what_is_no_duration, 0, 6);
	tcase_add_loop_test(tcase, test_service_waits_as_long_as_it_is_told, 0, 6);
	tcase_add_loop_test(tcase, test_service_answers_when_the_operation_has_ended, 0, 8);
	tcase_add_test(tcase, test_service_forces_nothing_that_has_the_right);
	tcase_add_test(tcase, test_service_forces_no_destination_that_has_the_right);
	tcase_add_test(tcase, test_service_streams_the_blackout);
	tcase_add_test(tcase, test_service_stream_that_is_closed_hears_nothing);
	tcase_add_test(tcase, test_service_stream_goes_on_when_memory_is_out);
	tcase_add_test(tcase, test_service_and_its_streams_leave_nothing_when_memory_is_out);
	tcase_add_test(tcase, test_service_import_leaves_nothing_when_memory_is_out);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
