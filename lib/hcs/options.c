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

static bool options_add_u32(cJSON *object, const char *key, lcowmig__optional_u32 number)
{
	return !number.is_set || lcowmig__json_add_item(object, key, cJSON_CreateNumber(number.value));
}

static bool options_add_throttle(cJSON *document, const lcowmig__throttle_params *throttle)
{
	cJSON *group = cJSON_AddObjectToObject(document, "MemoryTransferThrottleParams");
	lcowmig__optional_u32 percentage = throttle->minimum_throttle_percentage;

	if (!group)
		return false;
	percentage.value &= 0xff;
	if (throttle->skip_throttling.is_set &&
	    !lcowmig__json_add_item(group, "SkipThrottling", cJSON_CreateBool(throttle->skip_throttling.value)))
		return false;
	if (throttle->throttling_scale.is_set &&
	    !lcowmig__json_add_item(group, "ThrottlingScale", cJSON_CreateNumber(throttle->throttling_scale.value)))
		return false;
	return options_add_u32(group, "MinimumThrottlePercentage", percentage) &&
	       options_add_u32(group, "TargetNumberOfBrownoutTransferPasses", throttle->target_brownout_passes) &&
	       options_add_u32(group, "StartingBrownoutPassNumberForThrottling", throttle->starting_brownout_pass_for_throttling) &&
	       options_add_u32(group, "MaximumNumberOfBrownoutTransferPasses", throttle->maximum_brownout_passes) &&
	       options_add_u32(group, "TargetBlackoutTransferTime", throttle->target_blackout_ms) &&
	       options_add_u32(group, "BlackoutTimeThresholdForCancellingMigration", throttle->blackout_cancel_threshold_ms);
}

static bool options_fill(cJSON *document, const lcowmig__migration_options *options)
{
	cJSON *group;

	if (!lcowmig__json_add_string(document, "MemoryTransport", "TCP"))
		return false;
	if (options->has_throttle && !options_add_throttle(document, &options->throttle))
		return false;
	if (options->has_compression) {
		group = cJSON_AddObjectToObject(document, "CompressionSettings");
		if (!group || !options_add_u32(group, "ThrottleWorkerCount", options->compression_workers))
			return false;
	}
	return lcowmig__json_add_bool(document, "ChecksumVerification", options->checksum_verification) &&
	       lcowmig__json_add_bool(document, "PerfTracingEnabled", options->perf_tracing_enabled) &&
	       lcowmig__json_add_bool(document, "CancelIfBlackoutThresholdExceeds", options->cancel_if_blackout_threshold_exceeds) &&
	       lcowmig__json_add_bool(document, "PrepareMemoryTransferMode", options->prepare_memory_transfer_mode);
}

static bool options_add_compat(cJSON *document, const lcowmig__mem *mem, const uint8_t *compat, size_t size)
{
	cJSON *group = cJSON_AddObjectToObject(document, "CompatibilityData");
	lcowmig__buf text;
	bool ok;

	lcowmig__buf_init(&text, mem);
	lcowmig__base64_encode(&text, compat, size);
	ok = group && !text.failed && lcowmig__json_add_string(group, "Data", text.data);
	lcowmig__buf_done(&text);
	return ok;
}

/* Prints and frees; NULL unless `ok`. */
static char *options_print(const lcowmig__mem *mem, cJSON *document, bool ok)
{
	char *text = ok ? lcowmig__json_print(mem, document) : NULL;

	cJSON_Delete(document);
	return text;
}

char *lcowmig__hcs_initialize_options(const lcowmig__mem *mem, lcowmig__origin origin, const lcowmig__migration_options *options,
				      const uint8_t *compat, size_t compat_size)
{
	cJSON *document = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(document, "Origin", origin_text(origin)) && (!options || options_fill(document, options)) &&
		  (!compat_size || options_add_compat(document, mem, compat, compat_size));

	return options_print(mem, document, ok);
}

char *lcowmig__hcs_start_options(const lcowmig__mem *mem, lcowmig__origin origin, uint32_t session_number)
{
	cJSON *document = cJSON_CreateObject();
	cJSON *start = document;
	cJSON *network;

	if (origin == LCOWMIG__ORIGIN_DESTINATION && document)
		start = cJSON_AddObjectToObject(document, "DestinationMigrationOptions");
	network = start ? cJSON_AddObjectToObject(start, "NetworkSettings") : NULL;
	return options_print(mem, document, lcowmig__json_add_uint64(network, "SessionId", session_number));
}

char *lcowmig__hcs_transfer_options(const lcowmig__mem *mem, lcowmig__origin origin)
{
	cJSON *document = cJSON_CreateObject();

	return options_print(mem, document, lcowmig__json_add_string(document, "Origin", origin_text(origin)));
}

char *lcowmig__hcs_cancel_options(const lcowmig__mem *mem, lcowmig__origin origin)
{
	return lcowmig__hcs_transfer_options(mem, origin);
}

char *lcowmig__hcs_finalize_options(const lcowmig__mem *mem, lcowmig__origin origin, bool resume)
{
	cJSON *document = cJSON_CreateObject();

	return options_print(mem, document,
			     lcowmig__json_add_string(document, "Origin", origin_text(origin)) &&
				     lcowmig__json_add_string(document, "FinalizedOperation", resume ? "Resume" : "Stop"));
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
