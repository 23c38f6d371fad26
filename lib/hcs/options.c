#include "options.h"

#include <math.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/sha256.h"
#include "lcowmig/guid.h"

static const char *origin_text(lcowmig__origin origin)
{
	return origin == LCOWMIG__ORIGIN_DESTINATION ? "Destination" : "Source";
}

lcowmig_status lcowmig__migration_options_check(const lcowmig__migration_options *options, lcowmig_error *error)
{
	if (!options)
		return LCOWMIG_OK;
	if (options->memory_transport != LCOWMIG__TRANSPORT_TCP)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "migration options: memory transport %u, only TCP (1) is known",
				     (unsigned)options->memory_transport);
	if (options->has_throttle && options->throttle.throttling_scale.is_set && !isfinite(options->throttle.throttling_scale.value))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "migration options: the throttling scale is not a finite number");
	return LCOWMIG_OK;
}

static void options_write_u32(lcowmig__buf *document, const char *form, lcowmig__optional_u32 number)
{
	if (number.is_set)
		lcowmig__json_write(document, form, number.value);
}

/* As cJSON prints it, which finds the shortest digits. */
static char *options_print_number(const lcowmig__mem *mem, double value)
{
	cJSON *number = cJSON_CreateNumber(value);
	char *text = lcowmig__json_print(mem, number);

	cJSON_Delete(number);
	return text;
}

static void options_write_throttle(lcowmig__buf *document, const lcowmig__throttle_params *throttle)
{
	lcowmig__optional_u32 percentage = throttle->minimum_throttle_percentage;

	percentage.value &= 0xff;
	lcowmig__json_write(document, "MemoryTransferThrottleParams:{");
	if (throttle->skip_throttling.is_set)
		lcowmig__json_write(document, "SkipThrottling:j", throttle->skip_throttling.value ? "true" : "false");
	if (throttle->throttling_scale.is_set)
		lcowmig__json_write(document, "ThrottlingScale:d",
				    options_print_number(document->mem, throttle->throttling_scale.value));
	options_write_u32(document, "MinimumThrottlePercentage:U", percentage);
	options_write_u32(document, "TargetNumberOfBrownoutTransferPasses:U", throttle->target_brownout_passes);
	options_write_u32(document, "StartingBrownoutPassNumberForThrottling:U", throttle->starting_brownout_pass_for_throttling);
	options_write_u32(document, "MaximumNumberOfBrownoutTransferPasses:U", throttle->maximum_brownout_passes);
	options_write_u32(document, "TargetBlackoutTransferTime:U", throttle->target_blackout_ms);
	options_write_u32(document, "BlackoutTimeThresholdForCancellingMigration:U", throttle->blackout_cancel_threshold_ms);
	lcowmig__buf_text(document, "}");
}

static void options_write(lcowmig__buf *document, const lcowmig__migration_options *options)
{
	lcowmig__json_write(document, "MemoryTransport:s", "TCP");
	if (options->has_throttle)
		options_write_throttle(document, &options->throttle);
	if (options->has_compression) {
		lcowmig__json_write(document, "CompressionSettings:{");
		options_write_u32(document, "ThrottleWorkerCount:U", options->compression_workers);
		lcowmig__buf_text(document, "}");
	}
	lcowmig__json_write(document,
			    "ChecksumVerification:b PerfTracingEnabled:b CancelIfBlackoutThresholdExceeds:b PrepareMemoryTransferMode:b",
			    options->checksum_verification, options->perf_tracing_enabled, options->cancel_if_blackout_threshold_exceeds,
			    options->prepare_memory_transfer_mode);
}

char *lcowmig__hcs_initialize_options(const lcowmig__mem *mem, lcowmig__origin origin, const lcowmig__migration_options *options,
				      const uint8_t *compat, size_t compat_size)
{
	lcowmig__buf document, text;

	lcowmig__buf_init(&document, mem);
	lcowmig__json_write(&document, "{Origin:s", origin_text(origin));
	if (options)
		options_write(&document, options);
	if (compat_size) {
		lcowmig__buf_init(&text, mem);
		lcowmig__base64_encode(&text, compat, compat_size);
		lcowmig__json_write(&document, "CompatibilityData:{Data:t}", lcowmig__buf_take(&text));
	}
	lcowmig__buf_text(&document, "}");
	return lcowmig__buf_take(&document);
}

char *lcowmig__hcs_start_options(const lcowmig__mem *mem, lcowmig__origin origin, uint32_t session_number)
{
	return lcowmig__json_text(mem,
				  origin == LCOWMIG__ORIGIN_DESTINATION ?
					  "{DestinationMigrationOptions:{NetworkSettings:{SessionId:u}}}" :
					  "{NetworkSettings:{SessionId:u}}",
				  session_number);
}

char *lcowmig__hcs_transfer_options(const lcowmig__mem *mem, lcowmig__origin origin)
{
	return lcowmig__json_text(mem, "{Origin:s}", origin_text(origin));
}

char *lcowmig__hcs_cancel_options(const lcowmig__mem *mem, lcowmig__origin origin)
{
	return lcowmig__hcs_transfer_options(mem, origin);
}

char *lcowmig__hcs_finalize_options(const lcowmig__mem *mem, lcowmig__origin origin, bool resume)
{
	return lcowmig__json_text(mem, "{Origin:s FinalizedOperation:s}", origin_text(origin), resume ? "Resume" : "Stop");
}

void lcowmig__session_digest(const char *session_id, uint8_t ret_digest[32])
{
	char canonical[LCOWMIG_GUID_TEXT_SIZE];
	lcowmig_guid guid;

	if (lcowmig_guid_parse(session_id, &guid) == LCOWMIG_OK) {
		lcowmig_guid_format(&guid, canonical);
		session_id = canonical;
	}
	lcowmig__sha256(session_id, strlen(session_id), ret_digest);
}

uint32_t lcowmig__session_number(const char *session_id)
{
	uint8_t digest[32];

	lcowmig__session_digest(session_id, digest);
	return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
}
