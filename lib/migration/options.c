/* The public options as those of the HCS documents. */
#include "engine/abi.h"
#include "migration.h"

#define THROTTLE_BITS                                                                                                                      \
	(LCOWMIG_OPTION_THROTTLE_GROUP | LCOWMIG_OPTION_SKIP_THROTTLING | LCOWMIG_OPTION_THROTTLING_SCALE |                                \
	 LCOWMIG_OPTION_MINIMUM_THROTTLE_PERCENTAGE | LCOWMIG_OPTION_TARGET_BROWNOUT_PASSES | LCOWMIG_OPTION_STARTING_BROWNOUT_PASS |      \
	 LCOWMIG_OPTION_MAXIMUM_BROWNOUT_PASSES | LCOWMIG_OPTION_TARGET_BLACKOUT_TIME | LCOWMIG_OPTION_BLACKOUT_TIME_THRESHOLD)
#define COMPRESSION_BITS (LCOWMIG_OPTION_COMPRESSION_GROUP | LCOWMIG_OPTION_THROTTLE_WORKER_COUNT)

static lcowmig__optional_u32 optional_u32(const lcowmig_migration_options *given, uint32_t bit, uint32_t value)
{
	lcowmig__optional_u32 optional = { (given->present & bit) != 0, value };

	return optional;
}

static void convert_throttle(const lcowmig_migration_options *given, lcowmig__throttle_params *throttle)
{
	throttle->skip_throttling.is_set = (given->present & LCOWMIG_OPTION_SKIP_THROTTLING) != 0;
	throttle->skip_throttling.value = given->skip_throttling != 0;
	throttle->throttling_scale.is_set = (given->present & LCOWMIG_OPTION_THROTTLING_SCALE) != 0;
	throttle->throttling_scale.value = given->throttling_scale;
	throttle->minimum_throttle_percentage =
		optional_u32(given, LCOWMIG_OPTION_MINIMUM_THROTTLE_PERCENTAGE, given->minimum_throttle_percentage);
	throttle->target_brownout_passes = optional_u32(given, LCOWMIG_OPTION_TARGET_BROWNOUT_PASSES, given->target_brownout_passes);
	throttle->starting_brownout_pass_for_throttling =
		optional_u32(given, LCOWMIG_OPTION_STARTING_BROWNOUT_PASS, given->starting_brownout_pass);
	throttle->maximum_brownout_passes = optional_u32(given, LCOWMIG_OPTION_MAXIMUM_BROWNOUT_PASSES, given->maximum_brownout_passes);
	throttle->target_blackout_ms = optional_u32(given, LCOWMIG_OPTION_TARGET_BLACKOUT_TIME, given->target_blackout_time_ms);
	throttle->blackout_cancel_threshold_ms =
		optional_u32(given, LCOWMIG_OPTION_BLACKOUT_TIME_THRESHOLD, given->blackout_time_threshold_ms);
}

lcowmig_status lcowmig__migration_convert_options(const lcowmig_migration_options *given, bool *ret_has_options,
						  lcowmig__migration_options *ret_options, lcowmig_error *error)
{
	lcowmig__migration_options options = { 0 };
	lcowmig_migration_options own;
	lcowmig_status status;

	*ret_has_options = given != NULL;
	if (!given)
		return LCOWMIG_OK;
	status = LCOWMIG__COPY_SIZED("lcowmig_migration_options", &own, given, reserved, error);
	if (status != LCOWMIG_OK)
		return status;
	if (own.present & ~(THROTTLE_BITS | COMPRESSION_BITS) || own.reserved)
		return lcowmig__fail(error, LCOWMIG_E_NOT_SUPPORTED,
				     "lcowmig_migration_options: unknown bits in present, or reserved is not zero");
	options.memory_transport = LCOWMIG__TRANSPORT_TCP;
	options.has_throttle = (own.present & THROTTLE_BITS) != 0;
	convert_throttle(&own, &options.throttle);
	options.has_compression = (own.present & COMPRESSION_BITS) != 0;
	options.compression_workers = optional_u32(&own, LCOWMIG_OPTION_THROTTLE_WORKER_COUNT, own.throttle_worker_count);
	options.checksum_verification = own.checksum_verification != 0;
	options.perf_tracing_enabled = own.perf_tracing_enabled != 0;
	options.cancel_if_blackout_threshold_exceeds = own.cancel_if_blackout_threshold_exceeds != 0;
	options.prepare_memory_transfer_mode = own.prepare_memory_transfer_mode != 0;
	status = lcowmig__migration_options_check(&options, error);
	if (status == LCOWMIG_OK)
		*ret_options = options;
	return status;
}
