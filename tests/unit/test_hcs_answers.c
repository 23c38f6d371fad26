/* lib/hcs: properties, migration options, and the notifications that HCS gives. */
#include <check.h>
#include <math.h>

#include "hcs/options.h"
#include "hcs_fixture.h"

/* ---- Properties ---- */

START_TEST(test_hcs_compatibility_answer_gives_its_bytes)
{
	static const char answer[] = "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"AQIDBA==\"}}}}";
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	uint8_t *bytes = NULL;
	size_t size = 0;
	int i;

	for (i = 1; status; i++) {
		fail_at = i;
		status = lcowmig__hcs_parse_compatibility(&mem, &limits, answer, &bytes, &size, NULL);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
	}
	fail_at = 0;
	ck_assert_uint_eq(size, 4);
	ck_assert_mem_eq(bytes, "\1\2\3\4", 4);
	lcowmig__free(&mem, bytes);
}
END_TEST

static const struct {
	const char *answer;
	lcowmig_status status;
} bad_answers[] = {
	{ NULL, LCOWMIG_E_HOST_FAILED },
	{ "", LCOWMIG_E_HOST_FAILED },
	{ "{}", LCOWMIG_E_HOST_FAILED },
	{ "{\"PropertyResponses\":{}}", LCOWMIG_E_HOST_FAILED },
	{ "{\"PropertyResponses\":{\"CompatibilityInfo\":{}}}", LCOWMIG_E_HOST_FAILED },
	{ "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":null}}}", LCOWMIG_E_HOST_FAILED },
	{ "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"\"}}}}", LCOWMIG_E_HOST_FAILED },
	{ "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"A\"}}}}", LCOWMIG_E_CORRUPT_DATA },
	{ "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"AAAAAAAAAAAA\"}}}}", LCOWMIG_E_LIMIT_EXCEEDED },
	{ "[]", LCOWMIG_E_CORRUPT_DATA },
	{ "{", LCOWMIG_E_CORRUPT_DATA },
};

START_TEST(test_hcs_compatibility_answer_without_data_is_an_error)
{
	uint8_t *bytes = NULL;
	size_t size = 0;

	ck_assert_int_eq(lcowmig__hcs_parse_compatibility(&mem, &limits, bad_answers[_i].answer, &bytes, &size, NULL),
			 bad_answers[_i].status);
	ck_assert_ptr_null(bytes);
}
END_TEST

START_TEST(test_hcs_runtime_id_is_read_in_canonical_form)
{
	char text[LCOWMIG_GUID_TEXT_SIZE] = "x";

	ck_assert_int_eq(lcowmig__hcs_parse_runtime_id(&limits, "{\"State\":\"Created\"}", text, NULL), LCOWMIG_OK);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(lcowmig__hcs_parse_runtime_id(&limits, "{\"RuntimeId\":\"3F9B6E1C-9F55-4D6D-8B3B-2A9F4F0D6C77\"}", text, NULL),
			 LCOWMIG_OK);
	ck_assert_str_eq(text, "3f9b6e1c-9f55-4d6d-8b3b-2a9f4f0d6c77");
	ck_assert_int_eq(lcowmig__hcs_parse_runtime_id(&limits, "{\"RuntimeId\":\"vm\"}", text, NULL), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(lcowmig__hcs_parse_runtime_id(&limits, "3", text, NULL), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_str_eq(text, "3f9b6e1c-9f55-4d6d-8b3b-2a9f4f0d6c77");
	ck_assert_int_eq(lcowmig__hcs_parse_runtime_id(&limits, NULL, text, NULL), LCOWMIG_OK);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_hcs_exit_event_is_read)
{
	lcowmig__hcs_exit result;

	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "{\"Status\":0,\"ExitType\":\"GracefulExit\"}", &result, NULL), LCOWMIG_OK);
	ck_assert(!result.is_unexpected);
	ck_assert_str_eq(result.type, "GracefulExit");
	ck_assert_uint_eq(result.hresult, 0);
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "{\"Status\":-1070137082,\"ExitType\":\"UnexpectedExit\"}", &result, NULL),
			 LCOWMIG_OK);
	ck_assert(result.is_unexpected);
	ck_assert_uint_eq(result.hresult, LCOWMIG__HR_UNEXPECTED_EXIT);
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "{\"Status\":3224830214}", &result, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(result.hresult, LCOWMIG__HR_UNEXPECTED_EXIT);
	/* What is no HRESULT in either spelling is none. */
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "{\"Status\":4294967296}", &result, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(result.hresult, 0);
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "{\"Status\":-2147483649}", &result, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(result.hresult, 0);
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, NULL, &result, NULL), LCOWMIG_OK);
	ck_assert_str_eq(result.type, "");
	ck_assert_int_eq(lcowmig__hcs_parse_exit(&limits, "garbage", &result, NULL), LCOWMIG_E_CORRUPT_DATA);
}
END_TEST

/* ---- Migration options ---- */

/* OPT-01, OPT-03. */
START_TEST(test_options_that_are_absent_stay_absent)
{
	const lcowmig__migration_options plain = { .memory_transport = LCOWMIG__TRANSPORT_TCP };
	const lcowmig__migration_options empty_groups = { .memory_transport = LCOWMIG__TRANSPORT_TCP,
							  .has_throttle = true,
							  .has_compression = true };

	ck_assert_int_eq(lcowmig__migration_options_check(NULL, NULL), LCOWMIG_OK);
	EXPECT_TEXT(lcowmig__hcs_initialize_options(&mem, LCOWMIG__ORIGIN_SOURCE, NULL, NULL, 0), "{\"Origin\":\"Source\"}");
	EXPECT_TEXT(lcowmig__hcs_initialize_options(&mem, LCOWMIG__ORIGIN_SOURCE, &plain, NULL, 0),
		    "{\"Origin\":\"Source\",\"MemoryTransport\":\"TCP\"}");
	EXPECT_TEXT(lcowmig__hcs_initialize_options(&mem, LCOWMIG__ORIGIN_SOURCE, &empty_groups, NULL, 0),
		    "{\"Origin\":\"Source\",\"MemoryTransport\":\"TCP\",\"MemoryTransferThrottleParams\":{},\"CompressionSettings\":{}}");
}
END_TEST

/* OPT-02. */
START_TEST(test_options_with_another_transport_or_a_scale_that_is_no_number_are_refused)
{
	lcowmig__migration_options options = { .memory_transport = LCOWMIG__TRANSPORT_UNSPECIFIED };

	ck_assert_int_eq(lcowmig__migration_options_check(&options, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	options.memory_transport = 2;
	ck_assert_int_eq(lcowmig__migration_options_check(&options, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	options.memory_transport = LCOWMIG__TRANSPORT_TCP;
	ck_assert_int_eq(lcowmig__migration_options_check(&options, NULL), LCOWMIG_OK);
	options.throttle.throttling_scale.is_set = true;
	options.throttle.throttling_scale.value = NAN;
	ck_assert_int_eq(lcowmig__migration_options_check(&options, NULL), LCOWMIG_OK);
	options.has_throttle = true;
	ck_assert_int_eq(lcowmig__migration_options_check(&options, NULL), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* OPT-04, OPT-05. */
START_TEST(test_options_convert_field_by_field_and_keep_presence)
{
	lcowmig__migration_options options = {
		.memory_transport = LCOWMIG__TRANSPORT_TCP,
		.has_throttle = true,
		.throttle = {
			.skip_throttling = { true, false },
			.throttling_scale = { true, 1.5 },
			.minimum_throttle_percentage = { true, 10 },
			.target_brownout_passes = { true, 5 },
			.starting_brownout_pass_for_throttling = { true, 2 },
			.maximum_brownout_passes = { true, 10 },
			.target_blackout_ms = { true, 500 },
			.blackout_cancel_threshold_ms = { true, 3000 },
		},
		.has_compression = true,
		.compression_workers = { true, 4 },
		.checksum_verification = true,
		.perf_tracing_enabled = true,
		.cancel_if_blackout_threshold_exceeds = true,
		.prepare_memory_transfer_mode = true,
	};

	EXPECT_TEXT(lcowmig__hcs_initialize_options(&mem, LCOWMIG__ORIGIN_DESTINATION, &options, (const uint8_t *)"\1\2\3\4", 4),
		    "{\"Origin\":\"Destination\",\"MemoryTransport\":\"TCP\",\"MemoryTransferThrottleParams\":{\"SkipThrottling\":false,"
		    "\"ThrottlingScale\":1.5,\"MinimumThrottlePercentage\":10,\"TargetNumberOfBrownoutTransferPasses\":5,"
		    "\"StartingBrownoutPassNumberForThrottling\":2,\"MaximumNumberOfBrownoutTransferPasses\":10,"
		    "\"TargetBlackoutTransferTime\":500,\"BlackoutTimeThresholdForCancellingMigration\":3000},\"CompressionSettings\":{"
		    "\"ThrottleWorkerCount\":4},\"ChecksumVerification\":true,\"PerfTracingEnabled\":true,"
		    "\"CancelIfBlackoutThresholdExceeds\":true,\"PrepareMemoryTransferMode\":true,\"CompatibilityData\":{\"Data\":"
		    "\"AQIDBA==\"}}");
	options = (lcowmig__migration_options){
		.memory_transport = LCOWMIG__TRANSPORT_TCP,
		.has_throttle = true,
		.throttle = { .skip_throttling = { true, true },
			      .throttling_scale = { true, 0 },
			      .minimum_throttle_percentage = { true, 300 },
			      .target_blackout_ms = { true, 0 } },
		.has_compression = true,
		.compression_workers = { true, 0 },
	};
	EXPECT_TEXT(lcowmig__hcs_initialize_options(&mem, LCOWMIG__ORIGIN_SOURCE, &options, NULL, 0),
		    "{\"Origin\":\"Source\",\"MemoryTransport\":\"TCP\",\"MemoryTransferThrottleParams\":{\"SkipThrottling\":true,"
		    "\"ThrottlingScale\":0,\"MinimumThrottlePercentage\":44,\"TargetBlackoutTransferTime\":0},\"CompressionSettings\":{"
		    "\"ThrottleWorkerCount\":0}}");
}
END_TEST

START_TEST(test_options_of_the_later_steps)
{
	EXPECT_TEXT(lcowmig__hcs_start_options(&mem, LCOWMIG__ORIGIN_SOURCE, 640281193), "{\"NetworkSettings\":{\"SessionId\":640281193}}");
	EXPECT_TEXT(lcowmig__hcs_start_options(&mem, LCOWMIG__ORIGIN_SOURCE, 0), "{\"NetworkSettings\":{}}");
	EXPECT_TEXT(lcowmig__hcs_start_options(&mem, LCOWMIG__ORIGIN_DESTINATION, UINT32_MAX),
		    "{\"DestinationMigrationOptions\":{\"NetworkSettings\":{\"SessionId\":4294967295}}}");
	EXPECT_TEXT(lcowmig__hcs_transfer_options(&mem, LCOWMIG__ORIGIN_SOURCE), "{\"Origin\":\"Source\"}");
	EXPECT_TEXT(lcowmig__hcs_cancel_options(&mem, LCOWMIG__ORIGIN_DESTINATION), "{\"Origin\":\"Destination\"}");
	EXPECT_TEXT(lcowmig__hcs_finalize_options(&mem, LCOWMIG__ORIGIN_DESTINATION, true),
		    "{\"Origin\":\"Destination\",\"FinalizedOperation\":\"Resume\"}");
	EXPECT_TEXT(lcowmig__hcs_finalize_options(&mem, LCOWMIG__ORIGIN_SOURCE, false),
		    "{\"Origin\":\"Source\",\"FinalizedOperation\":\"Stop\"}");
}
END_TEST

START_TEST(test_session_number_is_the_same_for_both_cases_of_a_guid)
{
	ck_assert_uint_eq(lcowmig__session_number("5f0b1190-63be-4e0c-b974-bd0f55675a42"), 640281193);
	ck_assert_uint_eq(lcowmig__session_number("5F0B1190-63BE-4E0C-B974-BD0F55675A42"), 640281193);
	ck_assert_uint_eq(lcowmig__session_number("session-1"), 2215213096u);
	ck_assert_uint_ne(lcowmig__session_number("{5f0b1190-63be-4e0c-b974-bd0f55675a42}"), 640281193);
}
END_TEST

/* ---- Notifications ---- */

static lcowmig__migration_notification notify(const char *json, lcowmig__origin fallback)
{
	lcowmig__migration_notification notification;

	ck_assert_int_eq(lcowmig__hcs_parse_notification(&limits, json, fallback, &notification, NULL), LCOWMIG_OK);
	return notification;
}

/* OPT-06, OPT-11. */
START_TEST(test_notification_origin_takes_the_fallback_only_when_empty)
{
	ck_assert_int_eq(notify("{\"Origin\":\"Source\"}", LCOWMIG__ORIGIN_DESTINATION).origin, LCOWMIG__ORIGIN_SOURCE);
	ck_assert_int_eq(notify("{\"Origin\":\"Destination\"}", LCOWMIG__ORIGIN_SOURCE).origin, LCOWMIG__ORIGIN_DESTINATION);
	ck_assert_int_eq(notify("{\"Origin\":\"\"}", LCOWMIG__ORIGIN_DESTINATION).origin, LCOWMIG__ORIGIN_DESTINATION);
	ck_assert_int_eq(notify("{\"Origin\":null}", LCOWMIG__ORIGIN_SOURCE).origin, LCOWMIG__ORIGIN_SOURCE);
	ck_assert_int_eq(notify("{}", LCOWMIG__ORIGIN_UNSPECIFIED).origin, LCOWMIG__ORIGIN_UNSPECIFIED);
	ck_assert_int_eq(notify("{\"Origin\":\"Elsewhere\"}", LCOWMIG__ORIGIN_SOURCE).origin, LCOWMIG__ORIGIN_UNSPECIFIED);
	ck_assert_int_eq(notify(NULL, LCOWMIG__ORIGIN_SOURCE).origin, LCOWMIG__ORIGIN_SOURCE);
}
END_TEST

static const struct {
	const char *text;
	lcowmig__phase phase;
	lcowmig__phase_state state; /* without a result */
} events[] = {
	{ "SetupDone", LCOWMIG__PHASE_SETUP_DONE, LCOWMIG__PHASE_STATE_SUCCESS },
	{ "TransferInProgress", LCOWMIG__PHASE_TRANSFER_IN_PROGRESS, LCOWMIG__PHASE_STATE_SUCCESS },
	{ "BlackoutStarted", LCOWMIG__PHASE_BLACKOUT_STARTED, LCOWMIG__PHASE_STATE_SUCCESS },
	{ "OfflineDone", LCOWMIG__PHASE_OFFLINE_DONE, LCOWMIG__PHASE_STATE_SUCCESS },
	{ "BlackoutExited", LCOWMIG__PHASE_BLACKOUT_EXITED, LCOWMIG__PHASE_STATE_SUCCESS },
	{ "MigrationDone", LCOWMIG__PHASE_DONE, LCOWMIG__PHASE_STATE_UNSPECIFIED },
	{ "MigrationRecoveryDone", LCOWMIG__PHASE_RECOVERY_DONE, LCOWMIG__PHASE_STATE_UNSPECIFIED },
	{ "MigrationFailed", LCOWMIG__PHASE_FAILED, LCOWMIG__PHASE_STATE_UNSPECIFIED },
	{ "Unknown", LCOWMIG__PHASE_UNSPECIFIED, LCOWMIG__PHASE_STATE_UNSPECIFIED },
	{ "SomethingNew", LCOWMIG__PHASE_UNSPECIFIED, LCOWMIG__PHASE_STATE_UNSPECIFIED },
	{ "", LCOWMIG__PHASE_UNSPECIFIED, LCOWMIG__PHASE_STATE_UNSPECIFIED },
};

/* OPT-07, OPT-10, OPT-11. */
START_TEST(test_notification_event_gives_the_phase_and_its_default_state)
{
	static const char *const results[] = { "", ",\"Result\":\"\"", ",\"Result\":\"Invalid\"", ",\"Result\":null" };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(results); i++) {
		lcowmig__migration_notification notification;
		char json[128];

		snprintf(json, sizeof json, "{\"Event\":\"%s\"%s}", events[_i].text, results[i]);
		notification = notify(json, LCOWMIG__ORIGIN_SOURCE);
		ck_assert_int_eq(notification.phase, events[_i].phase);
		ck_assert_int_eq(notification.state, events[_i].state);
	}
}
END_TEST

/* OPT-08, OPT-09. */
START_TEST(test_notification_result_wins_over_the_phase)
{
	static const char *const results[] = { "SomethingNew",           "Success",
					       "MigrationCancelled",     "GuestInitiatedCancellation",
					       "SourceMigrationFailed",  "DestinationMigrationFailed",
					       "MigrationRecoveryFailed" };
	unsigned i;

	for (i = 0; i < LCOWMIG__COUNT(results); i++) {
		char json[128];

		snprintf(json, sizeof json, "{\"Event\":\"SetupDone\",\"Result\":\"%s\"}", results[i]);
		ck_assert_uint_eq(notify(json, LCOWMIG__ORIGIN_SOURCE).state, i);
	}
	ck_assert_int_eq(notify("{\"Event\":\"MigrationFailed\",\"Result\":\"Success\"}", LCOWMIG__ORIGIN_SOURCE).state,
			 LCOWMIG__PHASE_STATE_SUCCESS);
}
END_TEST

/* OPT-12. */
START_TEST(test_notification_carries_blackout_details)
{
	lcowmig__migration_notification notification =
		notify("{\"Origin\":\"Destination\",\"Event\":\"BlackoutExited\",\"Result\":\"Success\",\"AdditionalDetails\":{"
		       "\"BlackoutDurationMilliseconds\":412,\"BlackoutStopTimestamp\":\"2026-08-20T01:05:49.1234567Z\"}}",
		       LCOWMIG__ORIGIN_SOURCE);

	ck_assert_int_eq(notification.origin, LCOWMIG__ORIGIN_DESTINATION);
	ck_assert(notification.has_blackout);
	ck_assert_uint_eq(notification.blackout_duration_ms, 412);
	ck_assert_int_eq(notification.blackout_stop_ns, INT64_C(1787187949123456700));
}
END_TEST

START_TEST(test_notification_takes_null_details_for_absent_ones)
{
	lcowmig__migration_notification notification =
		notify("{\"Event\":\"BlackoutExited\",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":null,"
		       "\"BlackoutStopTimestamp\":null}}",
		       LCOWMIG__ORIGIN_SOURCE);

	ck_assert(notification.has_blackout);
	ck_assert_uint_eq(notification.blackout_duration_ms, 0);
	ck_assert_int_eq(notification.blackout_stop_ns, 0);
	notification = notify("{\"Event\":\"BlackoutExited\",\"AdditionalDetails\":{}}", LCOWMIG__ORIGIN_SOURCE);
	ck_assert(notification.has_blackout);
}
END_TEST

/* OPT-13. */
START_TEST(test_notification_drops_only_the_details_when_they_are_wrong)
{
	static const char *const details[] = { "",
					       ",\"AdditionalDetails\":null",
					       ",\"AdditionalDetails\":7",
					       ",\"AdditionalDetails\":\"x\"",
					       ",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":-1}",
					       ",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":\"1\"}",
					       ",\"AdditionalDetails\":{\"BlackoutStopTimestamp\":\"yesterday\"}",
					       ",\"AdditionalDetails\":{\"BlackoutStopTimestamp\":5}" };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(details); i++) {
		lcowmig__migration_notification notification;
		char json[256];

		snprintf(json, sizeof json, "{\"Event\":\"BlackoutExited\"%s}", details[i]);
		notification = notify(json, LCOWMIG__ORIGIN_SOURCE);
		ck_assert_int_eq(notification.phase, LCOWMIG__PHASE_BLACKOUT_EXITED);
		ck_assert_int_eq(notification.state, LCOWMIG__PHASE_STATE_SUCCESS);
		ck_assert(!notification.has_blackout);
		ck_assert_uint_eq(notification.blackout_duration_ms, 0);
	}
}
END_TEST

/* OPT-14. */
START_TEST(test_notification_ignores_details_of_other_events)
{
	ck_assert(!notify("{\"Event\":\"SetupDone\",\"AdditionalDetails\":{\"BlackoutDurationMilliseconds\":412}}", LCOWMIG__ORIGIN_SOURCE)
			   .has_blackout);
	ck_assert_int_eq(notify("{\"Event\":\"SetupDone\",\"AdditionalDetails\":7}", LCOWMIG__ORIGIN_SOURCE).phase,
			 LCOWMIG__PHASE_SETUP_DONE);
}
END_TEST

START_TEST(test_notification_that_cannot_be_read_is_refused)
{
	static const char *const bad[] = { "nothing", "[]", "{\"Event\":5}", "{\"Origin\":{}}", "{\"Result\":true}" };
	lcowmig__migration_notification notification;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(bad); i++)
		ck_assert_int_eq(lcowmig__hcs_parse_notification(&limits, bad[i], LCOWMIG__ORIGIN_SOURCE, &notification, NULL),
				 LCOWMIG_E_CORRUPT_DATA);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	int64_t ns;
} timestamps[] = {
	{ "1970-01-01T00:00:00Z", true, 0 },
	{ "1970-01-01T00:00:00.000000001Z", true, 1 },
	{ "1969-12-31T23:59:59.5Z", true, -500000000 },
	{ "1970-01-01T02:30:00+02:30", true, 0 },
	{ "1969-12-31T23:00:00-01:00", true, 0 },
	{ "2000-02-29T12:34:56Z", true, INT64_C(951827696000000000) },
	{ "2100-03-01T00:00:00Z", true, INT64_C(4107542400000000000) },
	{ "1904-02-29T00:00:00Z", true, INT64_C(-2077747200000000000) },
	{ "2026-08-20T01:05:49.1234567890123Z", true, INT64_C(1787187949123456789) },
	{ "2262-04-11T00:00:00Z", true, INT64_C(9223286400000000000) },
	{ "1970-01-01T00:00:00.5+00:00", true, 500000000 },
	{ "2001-01/01T00:00:00Z", false, 0 },
	{ "2001-01-01Tx0:00:00Z", false, 0 },
	{ "2001-01-01T00.00:00Z", false, 0 },
	{ "2001-01-01T00:x0:00Z", false, 0 },
	{ "2001-01-01T00:00.00Z", false, 0 },
	{ "2001-01-01T00:00:x0Z", false, 0 },
	{ "2001-01-01T00:00:00.-1Z", false, 0 },
	{ "2001-01-01T00:00:00+x1:00", false, 0 },
	{ "2001-01-01T00:00:00+01:x0", false, 0 },
	{ "2263-01-01T00:00:00Z", false, 0 },
	{ "1600-01-01T00:00:00Z", false, 0 },
	{ "0000-01-01T00:00:00Z", false, 0 },
	{ "2001-02-29T00:00:00Z", false, 0 },
	{ "1900-02-29T00:00:00Z", false, 0 },
	{ "2001-13-01T00:00:00Z", false, 0 },
	{ "2001-00-01T00:00:00Z", false, 0 },
	{ "2001-04-31T00:00:00Z", false, 0 },
	{ "2001-01-00T00:00:00Z", false, 0 },
	{ "2001-01-01T24:00:00Z", false, 0 },
	{ "2001-01-01T00:60:00Z", false, 0 },
	{ "2001-01-01T00:00:60Z", false, 0 },
	{ "2001-01-01T00:00:00", false, 0 },
	{ "2001-01-01 00:00:00Z", false, 0 },
	{ "2001-01-01T00:00:00.Z", false, 0 },
	{ "2001-01-01T00:00:00,5Z", false, 0 },
	{ "2001-01-01T00:00:00Zx", false, 0 },
	{ "2001-01-01T00:00:00+24:00", false, 0 },
	{ "2001-01-01T00:00:00+01:60", false, 0 },
	{ "2001-01-01T00:00:00+0100", false, 0 },
	{ "01-01-01T00:00:00Z", false, 0 },
	{ "2001/01/01T00:00:00Z", false, 0 },
	{ "", false, 0 },
};

START_TEST(test_timestamp_is_read_exactly_or_refused)
{
	int64_t ns = 77;

	ck_assert_msg(lcowmig__parse_timestamp(timestamps[_i].text, &ns) == timestamps[_i].ok, "%s", timestamps[_i].text);
	ck_assert_int_eq(ns, timestamps[_i].ok ? timestamps[_i].ns : 77);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hcs answers");
	TCase *tcase = tcase_create("hcs answers");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_options_that_are_absent_stay_absent);
	tcase_add_test(tcase, test_options_with_another_transport_or_a_scale_that_is_no_number_are_refused);
	tcase_add_test(tcase, test_options_convert_field_by_field_and_keep_presence);
	tcase_add_test(tcase, test_options_of_the_later_steps);
	tcase_add_test(tcase, test_session_number_is_the_same_for_both_cases_of_a_guid);
	tcase_add_test(tcase, test_notification_origin_takes_the_fallback_only_when_empty);
	tcase_add_loop_test(tcase, test_notification_event_gives_the_phase_and_its_default_state, 0, LCOWMIG__COUNT(events));
	tcase_add_test(tcase, test_notification_result_wins_over_the_phase);
	tcase_add_test(tcase, test_notification_carries_blackout_details);
	tcase_add_test(tcase, test_notification_takes_null_details_for_absent_ones);
	tcase_add_test(tcase, test_notification_drops_only_the_details_when_they_are_wrong);
	tcase_add_test(tcase, test_notification_ignores_details_of_other_events);
	tcase_add_test(tcase, test_notification_that_cannot_be_read_is_refused);
	tcase_add_loop_test(tcase, test_timestamp_is_read_exactly_or_refused, 0, LCOWMIG__COUNT(timestamps));
	tcase_add_test(tcase, test_hcs_compatibility_answer_gives_its_bytes);
	tcase_add_loop_test(tcase, test_hcs_compatibility_answer_without_data_is_an_error, 0, LCOWMIG__COUNT(bad_answers));
	tcase_add_test(tcase, test_hcs_runtime_id_is_read_in_canonical_form);
	tcase_add_test(tcase, test_hcs_exit_event_is_read);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
