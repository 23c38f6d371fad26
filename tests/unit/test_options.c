/* The public migration options, and what of them reaches the HCS document. The documents themselves are tested in test_hcs_answers.c. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "migration/migration.h"

static lcowmig_status convert(const lcowmig_migration_options *given, bool *ret_has, lcowmig__migration_options *ret_options)
{
	const lcowmig__migration_options *options;
	lcowmig_status status = lcowmig__migration_convert_options(given, ret_options, &options, NULL);

	*ret_has = options != NULL;
	return status;
}

static char *document_of(const lcowmig_migration_options *given)
{
	static char text[1024];
	test_host *host = test_host_new();
	lcowmig__migration_options options;
	bool has_options;
	char *document;

	ck_assert_int_eq(convert(given, &has_options, &options), LCOWMIG_OK);
	document = lcowmig__hcs_initialize_options(&host->context->mem, LCOWMIG__ORIGIN_SOURCE, has_options ? &options : NULL, NULL, 0);
	ck_assert_ptr_nonnull(document);
	strncpy(text, document, sizeof text - 1);
	lcowmig__free(&host->context->mem, document);
	test_host_free(host);
	return text;
}

/* OPT-01, OPT-03 */
START_TEST(test_options_absent_convert_to_absent)
{
	lcowmig_migration_options given = { .size = sizeof given };
	lcowmig__migration_options options;
	bool has_options = true;

	ck_assert_int_eq(convert(NULL, &has_options, &options), LCOWMIG_OK);
	ck_assert(!has_options);
	ck_assert_str_eq(document_of(NULL), "{\"Origin\":\"Source\"}");
	ck_assert_int_eq(convert(&given, &has_options, &options), LCOWMIG_OK);
	ck_assert(has_options && !options.has_throttle && !options.has_compression);
	ck_assert_str_eq(document_of(&given), "{\"Origin\":\"Source\",\"MemoryTransport\":\"TCP\"}");
}
END_TEST

/* OPT-03: a group that is given empty stays a group. */
START_TEST(test_options_groups_can_be_empty)
{
	lcowmig_migration_options given = { .size = sizeof given };

	given.present = LCOWMIG_OPTION_THROTTLE_GROUP | LCOWMIG_OPTION_COMPRESSION_GROUP;
	ck_assert_str_eq(document_of(&given), "{\"Origin\":\"Source\",\"MemoryTransport\":\"TCP\",\"MemoryTransferThrottleParams\":{},"
					      "\"CompressionSettings\":{}}");
}
END_TEST

/* OPT-04, OPT-05: field by field; what is not present is not sent, an explicit zero is. */
START_TEST(test_options_convert_field_by_field)
{
	lcowmig_migration_options given = { .size = sizeof given };
	lcowmig__migration_options options;
	bool has_options;

	given.present = 0x1ff;
	given.skip_throttling = 1;
	given.throttling_scale = 1.5;
	given.minimum_throttle_percentage = 300;
	given.target_brownout_passes = 2;
	given.starting_brownout_pass = 0;
	given.maximum_brownout_passes = 4;
	given.target_blackout_time_ms = 5;
	given.blackout_time_threshold_ms = 6;
	given.throttle_worker_count = 7;
	given.checksum_verification = 1;
	given.perf_tracing_enabled = 1;
	given.cancel_if_blackout_threshold_exceeds = 1;
	given.prepare_memory_transfer_mode = 1;
	ck_assert_int_eq(convert(&given, &has_options, &options), LCOWMIG_OK);
	ck_assert(options.throttle.skip_throttling.is_set && options.throttle.skip_throttling.value);
	ck_assert(options.throttle.throttling_scale.is_set && options.throttle.throttling_scale.value > 1.4);
	ck_assert_uint_eq(options.throttle.minimum_throttle_percentage.value, 300);
	ck_assert_uint_eq(options.throttle.target_brownout_passes.value, 2);
	ck_assert(options.throttle.starting_brownout_pass_for_throttling.is_set);
	ck_assert_uint_eq(options.throttle.maximum_brownout_passes.value, 4);
	ck_assert_uint_eq(options.throttle.target_blackout_ms.value, 5);
	ck_assert_uint_eq(options.throttle.blackout_cancel_threshold_ms.value, 6);
	ck_assert(options.compression_workers.is_set && options.compression_workers.value == 7);
	ck_assert(options.checksum_verification && options.perf_tracing_enabled && options.cancel_if_blackout_threshold_exceeds &&
		  options.prepare_memory_transfer_mode);
	ck_assert_ptr_nonnull(strstr(document_of(&given), "\"MinimumThrottlePercentage\":44"));
	given.present = LCOWMIG_OPTION_TARGET_BROWNOUT_PASSES;
	ck_assert_int_eq(convert(&given, &has_options, &options), LCOWMIG_OK);
	ck_assert(options.has_throttle && !options.has_compression && !options.throttle.skip_throttling.is_set);
}
END_TEST

/* OPT-02: the transport is TCP; what cannot be sent is refused before anything happens. */
START_TEST(test_options_refuse_what_cannot_be_sent)
{
	struct longer {
		lcowmig_migration_options options;
		uint64_t more;
	} longer = { .options = { .size = sizeof longer } };
	lcowmig_migration_options given = { .size = sizeof given };
	lcowmig__migration_options options;
	bool has_options;

	given.present = LCOWMIG_OPTION_THROTTLING_SCALE;
	given.throttling_scale = NAN;
	ck_assert_int_eq(convert(&given, &has_options, &options), LCOWMIG_E_INVALID_ARGUMENT);
	given.present = 0x800;
	ck_assert_int_eq(convert(&given, &has_options, &options), LCOWMIG_E_NOT_SUPPORTED);
	given.present = 0;
	given.reserved = 1;
	ck_assert_int_eq(convert(&given, &has_options, &options), LCOWMIG_E_NOT_SUPPORTED);
	given.reserved = 0;
	given.size = 8;
	ck_assert_int_eq(convert(&given, &has_options, &options), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(convert(&longer.options, &has_options, &options), LCOWMIG_OK);
	longer.more = 1;
	ck_assert_int_eq(convert(&longer.options, &has_options, &options), LCOWMIG_E_NOT_SUPPORTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *options = tcase_create("migration options");
	SRunner *runner;
	int failed;

	tcase_add_test(options, test_options_absent_convert_to_absent);
	tcase_add_test(options, test_options_groups_can_be_empty);
	tcase_add_test(options, test_options_convert_field_by_field);
	tcase_add_test(options, test_options_refuse_what_cannot_be_sent);
	suite_add_tcase(suite, options);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
