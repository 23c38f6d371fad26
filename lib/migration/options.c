/* The public options as those of the HCS documents. */
#include <stddef.h>
#include <string.h>

#include "engine/abi.h"
#include "migration.h"

#define THROTTLE_BITS                                                                                                                      \
	(LCOWMIG_OPTION_THROTTLE_GROUP | LCOWMIG_OPTION_SKIP_THROTTLING | LCOWMIG_OPTION_THROTTLING_SCALE |                                \
	 LCOWMIG_OPTION_MINIMUM_THROTTLE_PERCENTAGE | LCOWMIG_OPTION_TARGET_BROWNOUT_PASSES | LCOWMIG_OPTION_STARTING_BROWNOUT_PASS |      \
	 LCOWMIG_OPTION_MAXIMUM_BROWNOUT_PASSES | LCOWMIG_OPTION_TARGET_BLACKOUT_TIME | LCOWMIG_OPTION_BLACKOUT_TIME_THRESHOLD)
#define COMPRESSION_BITS (LCOWMIG_OPTION_COMPRESSION_GROUP | LCOWMIG_OPTION_THROTTLE_WORKER_COUNT)

/* An optional number: the bit that says it is there, where it is given, and where it goes. */
static const struct {
	uint32_t bit;
	size_t from;
	size_t to;
} numbers[] = {
#define NUMBER(bit, from, to) { LCOWMIG_OPTION_##bit, offsetof(lcowmig_migration_options, from), offsetof(lcowmig__migration_options, to) }
	NUMBER(MINIMUM_THROTTLE_PERCENTAGE, minimum_throttle_percentage, throttle.minimum_throttle_percentage),
	NUMBER(TARGET_BROWNOUT_PASSES, target_brownout_passes, throttle.target_brownout_passes),
	NUMBER(STARTING_BROWNOUT_PASS, starting_brownout_pass, throttle.starting_brownout_pass_for_throttling),
	NUMBER(MAXIMUM_BROWNOUT_PASSES, maximum_brownout_passes, throttle.maximum_brownout_passes),
	NUMBER(TARGET_BLACKOUT_TIME, target_blackout_time_ms, throttle.target_blackout_ms),
	NUMBER(BLACKOUT_TIME_THRESHOLD, blackout_time_threshold_ms, throttle.blackout_cancel_threshold_ms),
	NUMBER(THROTTLE_WORKER_COUNT, throttle_worker_count, compression_workers),
#undef NUMBER
};

static void convert_numbers(const lcowmig_migration_options *given, lcowmig__migration_options *options)
{
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(numbers); i++) {
		lcowmig__optional_u32 number = { (given->present & numbers[i].bit) != 0, 0 };

		memcpy(&number.value, (const char *)given + numbers[i].from, sizeof number.value);
		memcpy((char *)options + numbers[i].to, &number, sizeof number);
	}
}

lcowmig_status lcowmig__migration_convert_options(const lcowmig_migration_options *given, lcowmig__migration_options *room,
						  const lcowmig__migration_options **ret_options, lcowmig_error *error)
{
	lcowmig__throttle_params *throttle = &room->throttle;
	lcowmig_migration_options own;
	lcowmig_status status;

	*ret_options = NULL;
	if (!given)
		return LCOWMIG_OK;
	status = LCOWMIG__COPY_SIZED("lcowmig_migration_options", &own, given, reserved, error);
	if (status != LCOWMIG_OK)
		return status;
	if (own.present & ~(THROTTLE_BITS | COMPRESSION_BITS) || own.reserved)
		return lcowmig__fail(error, LCOWMIG_E_NOT_SUPPORTED,
				     "lcowmig_migration_options: unknown bits in present, or reserved is not zero");
	room->memory_transport = LCOWMIG__TRANSPORT_TCP;
	room->has_throttle = (own.present & THROTTLE_BITS) != 0;
	throttle->skip_throttling.is_set = (own.present & LCOWMIG_OPTION_SKIP_THROTTLING) != 0;
	throttle->skip_throttling.value = own.skip_throttling != 0;
	throttle->throttling_scale.is_set = (own.present & LCOWMIG_OPTION_THROTTLING_SCALE) != 0;
	throttle->throttling_scale.value = own.throttling_scale;
	room->has_compression = (own.present & COMPRESSION_BITS) != 0;
	convert_numbers(&own, room);
	room->checksum_verification = own.checksum_verification != 0;
	room->perf_tracing_enabled = own.perf_tracing_enabled != 0;
	room->cancel_if_blackout_threshold_exceeds = own.cancel_if_blackout_threshold_exceeds != 0;
	room->prepare_memory_transfer_mode = own.prepare_memory_transfer_mode != 0;
	status = lcowmig__migration_options_check(room, error);
	if (status == LCOWMIG_OK)
		*ret_options = room;
	return status;
}
