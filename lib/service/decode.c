/* Requests. Field numbers are those of the generated header; unknown fields are skipped, repeated scalars: the last wins. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "messages.h"
#include "migration_service.pb.h"
#include "wire/cursor.h"

static const char *const method_names[] = {
	[LCOWMIG__METHOD_PREPARE_AND_EXPORT] = "PrepareAndExportSandbox",
	[LCOWMIG__METHOD_IMPORT] = "ImportSandbox",
	[LCOWMIG__METHOD_PREPARE] = "PrepareSandbox",
	[LCOWMIG__METHOD_TRANSFER] = "TransferSandbox",
	[LCOWMIG__METHOD_FINALIZE] = "FinalizeSandbox",
	[LCOWMIG__METHOD_NOTIFICATIONS] = "Notifications",
	[LCOWMIG__METHOD_SOCKET] = "CreateDuplicateSocket",
	[LCOWMIG__METHOD_CANCEL] = "Cancel",
	[LCOWMIG__METHOD_CLEANUP] = "Cleanup",
};
_Static_assert(LCOWMIG__COUNT(method_names) == LCOWMIG__METHODS, "every method has a name");

lcowmig__service_method lcowmig__service_method_of(const char *name)
{
	int method;

	for (method = 0; method < LCOWMIG__METHODS; method++)
		if (strcmp(method_names[method], name) == 0)
			break;
	return (lcowmig__service_method)method;
}

/* One field of a message, whatever its wire type. */
typedef struct message_field {
	uint32_t tag;
	pb_wire_type_t type;
	uint64_t number; /* varint and fixed64 */
	lcowmig__wire_bytes bytes;
} message_field;

/* Reads the next field with its value; groups are broken. */
static lcowmig__wire_step field_next(lcowmig__wire_cursor *cursor, message_field *ret)
{
	lcowmig__wire_step step = lcowmig__wire_cursor_next(cursor, &ret->tag, &ret->type);
	bool fine = true;

	ret->number = 0;
	ret->bytes = (lcowmig__wire_bytes){ NULL, 0 };
	if (step != LCOWMIG__WIRE_STEP_FIELD)
		return step;
	if (ret->type == PB_WT_VARINT) {
		fine = lcowmig__wire_cursor_varint(cursor, &ret->number);
	} else if (ret->type == PB_WT_STRING) {
		fine = lcowmig__wire_cursor_bytes(cursor, &ret->bytes);
	} else if (ret->type == PB_WT_64BIT && cursor->end - cursor->at >= 8) {
		unsigned i;

		for (i = 0; i < 8; i++)
			ret->number |= (uint64_t)cursor->at[i] << (8 * i);
		cursor->at += 8;
	} else {
		fine = lcowmig__wire_cursor_skip(cursor, ret->type);
	}
	return fine ? LCOWMIG__WIRE_STEP_FIELD : LCOWMIG__WIRE_STEP_BROKEN;
}

static lcowmig_status fail_broken(const lcowmig__wire_cursor *cursor, const char *message, lcowmig_error *error)
{
	return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "%s: undecodable: %s", message, lcowmig__wire_cursor_error(cursor));
}

static lcowmig_status fail_type(const message_field *field, const char *message, lcowmig_error *error)
{
	return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "%s: field %u has wire type %d", message, (unsigned)field->tag,
			     (int)field->type);
}

/* ---- Options ---- */

/* Where an optional number of the throttle group goes. */
typedef struct throttle_row {
	uint32_t tag;
	uint32_t bit;
	size_t offset;
	uint32_t maximum;
	const char *name;
} throttle_row;

static const throttle_row throttle_rows[] = {
	{ lcowmig__service_MemoryTransferThrottleParams_skip_throttling_tag, LCOWMIG_OPTION_SKIP_THROTTLING,
	  offsetof(lcowmig_migration_options, skip_throttling), 1, "skip_throttling" },
	{ lcowmig__service_MemoryTransferThrottleParams_minimum_throttle_percentage_tag, LCOWMIG_OPTION_MINIMUM_THROTTLE_PERCENTAGE,
	  offsetof(lcowmig_migration_options, minimum_throttle_percentage), 100, "minimum_throttle_percentage" },
	{ lcowmig__service_MemoryTransferThrottleParams_target_number_of_brownout_transfer_passes_tag,
	  LCOWMIG_OPTION_TARGET_BROWNOUT_PASSES, offsetof(lcowmig_migration_options, target_brownout_passes), UINT32_MAX,
	  "target_number_of_brownout_transfer_passes" },
	{ lcowmig__service_MemoryTransferThrottleParams_starting_brownout_pass_number_for_throttling_tag,
	  LCOWMIG_OPTION_STARTING_BROWNOUT_PASS, offsetof(lcowmig_migration_options, starting_brownout_pass), UINT32_MAX,
	  "starting_brownout_pass_number_for_throttling" },
	{ lcowmig__service_MemoryTransferThrottleParams_maximum_number_of_brownout_transfer_passes_tag,
	  LCOWMIG_OPTION_MAXIMUM_BROWNOUT_PASSES, offsetof(lcowmig_migration_options, maximum_brownout_passes), UINT32_MAX,
	  "maximum_number_of_brownout_transfer_passes" },
	{ lcowmig__service_MemoryTransferThrottleParams_target_blackout_transfer_time_tag, LCOWMIG_OPTION_TARGET_BLACKOUT_TIME,
	  offsetof(lcowmig_migration_options, target_blackout_time_ms), UINT32_MAX, "target_blackout_transfer_time" },
	{ lcowmig__service_MemoryTransferThrottleParams_blackout_time_threshold_for_cancelling_migration_tag,
	  LCOWMIG_OPTION_BLACKOUT_TIME_THRESHOLD, offsetof(lcowmig_migration_options, blackout_time_threshold_ms), UINT32_MAX,
	  "blackout_time_threshold_for_cancelling_migration" },
};

static lcowmig_status throttle_number(const throttle_row *row, const message_field *field, lcowmig_migration_options *options,
				      lcowmig_error *error)
{
	uint32_t value = (uint32_t)field->number;

	if (field->type != PB_WT_VARINT)
		return fail_type(field, row->name, error);
	if (row->maximum == 1)
		value = field->number != 0;
	else if (field->number > row->maximum)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s is %llu, expected at most %lu", row->name,
		                     (unsigned long long)field->number, (unsigned long)row->maximum);
	memcpy((char *)options + row->offset, &value, sizeof value);
	options->present |= row->bit;
	return LCOWMIG_OK;
}

static lcowmig_status decode_throttle(lcowmig__wire_bytes bytes, lcowmig_migration_options *options, lcowmig_error *error)
{
	lcowmig__wire_cursor cursor;
	lcowmig__wire_step step;
	message_field field;
	size_t i;

	options->present |= LCOWMIG_OPTION_THROTTLE_GROUP;
	lcowmig__wire_cursor_open(&cursor, bytes);
	while ((step = field_next(&cursor, &field)) == LCOWMIG__WIRE_STEP_FIELD) {
		lcowmig_status status = LCOWMIG_OK;

		if (field.tag == lcowmig__service_MemoryTransferThrottleParams_throttling_scale_tag) {
			if (field.type != PB_WT_64BIT)
				return fail_type(&field, "throttling_scale", error);
			memcpy(&options->throttling_scale, &field.number, sizeof options->throttling_scale);
			if (!isfinite(options->throttling_scale))
				return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "throttling_scale is not a finite number");
			options->present |= LCOWMIG_OPTION_THROTTLING_SCALE;
		}
		for (i = 0; i < LCOWMIG__COUNT(throttle_rows) && status == LCOWMIG_OK; i++)
			if (throttle_rows[i].tag == field.tag)
				status = throttle_number(&throttle_rows[i], &field, options, error);
		if (status != LCOWMIG_OK)
			return status;
	}
	return step == LCOWMIG__WIRE_STEP_END ? LCOWMIG_OK : fail_broken(&cursor, "MemoryTransferThrottleParams", error);
}

static lcowmig_status decode_compression(lcowmig__wire_bytes bytes, lcowmig_migration_options *options, lcowmig_error *error)
{
	lcowmig__wire_cursor cursor;
	lcowmig__wire_step step;
	message_field field;

	options->present |= LCOWMIG_OPTION_COMPRESSION_GROUP;
	lcowmig__wire_cursor_open(&cursor, bytes);
	while ((step = field_next(&cursor, &field)) == LCOWMIG__WIRE_STEP_FIELD) {
		if (field.tag != lcowmig__service_CompressionSettings_throttle_worker_count_tag)
			continue;
		if (field.type != PB_WT_VARINT || field.number > UINT32_MAX)
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "throttle_worker_count does not fit 32 bits");
		options->throttle_worker_count = (uint32_t)field.number;
		options->present |= LCOWMIG_OPTION_THROTTLE_WORKER_COUNT;
	}
	return step == LCOWMIG__WIRE_STEP_END ? LCOWMIG_OK : fail_broken(&cursor, "CompressionSettings", error);
}

static lcowmig_status decode_flag(const message_field *field, uint32_t *ret_flag, lcowmig_error *error)
{
	if (field->type != PB_WT_VARINT)
		return fail_type(field, "InitializeOptions", error);
	*ret_flag = field->number != 0;
	return LCOWMIG_OK;
}

static lcowmig_status decode_option(const message_field *field, lcowmig_migration_options *options, uint64_t *transport,
				    lcowmig_error *error)
{
	switch (field->tag) {
	case lcowmig__service_InitializeOptions_memory_transport_tag:
		*transport = field->number;
		return field->type == PB_WT_VARINT ? LCOWMIG_OK : fail_type(field, "InitializeOptions", error);
	case lcowmig__service_InitializeOptions_memory_transfer_throttle_params_tag:
		return field->type == PB_WT_STRING ? decode_throttle(field->bytes, options, error)
						   : fail_type(field, "InitializeOptions", error);
	case lcowmig__service_InitializeOptions_compression_settings_tag:
		return field->type == PB_WT_STRING ? decode_compression(field->bytes, options, error)
						   : fail_type(field, "InitializeOptions", error);
	case lcowmig__service_InitializeOptions_checksum_verification_tag:
		return decode_flag(field, &options->checksum_verification, error);
	case lcowmig__service_InitializeOptions_perf_tracing_enabled_tag:
		return decode_flag(field, &options->perf_tracing_enabled, error);
	case lcowmig__service_InitializeOptions_cancel_if_blackout_threshold_exceeds_tag:
		return decode_flag(field, &options->cancel_if_blackout_threshold_exceeds, error);
	case lcowmig__service_InitializeOptions_prepare_memory_transfer_mode_tag:
		return decode_flag(field, &options->prepare_memory_transfer_mode, error);
	default:
		return LCOWMIG_OK;
	}
}

static lcowmig_status decode_options(lcowmig__wire_bytes bytes, lcowmig_migration_options *options, lcowmig_error *error)
{
	uint64_t transport = lcowmig__service_MemoryTransport_MEMORY_TRANSPORT_UNSPECIFIED;
	lcowmig__wire_cursor cursor;
	lcowmig__wire_step step;
	message_field field;

	options->size = sizeof *options;
	lcowmig__wire_cursor_open(&cursor, bytes);
	while ((step = field_next(&cursor, &field)) == LCOWMIG__WIRE_STEP_FIELD) {
		lcowmig_status status = decode_option(&field, options, &transport, error);

		if (status != LCOWMIG_OK)
			return status;
	}
	if (step != LCOWMIG__WIRE_STEP_END)
		return fail_broken(&cursor, "InitializeOptions", error);
	if (transport != lcowmig__service_MemoryTransport_MEMORY_TRANSPORT_TCP)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "memory_transport is %llu, expected 1 (TCP)",
				     (unsigned long long)transport);
	return LCOWMIG_OK;
}

/* ---- Requests ---- */

#define NANOSECONDS 1000000000

static lcowmig_status decode_duration(lcowmig__wire_bytes bytes, int64_t *nanoseconds, lcowmig_error *error)
{
	int64_t seconds = 0, nanos = 0;
	lcowmig__wire_cursor cursor;
	lcowmig__wire_step step;
	message_field field;

	lcowmig__wire_cursor_open(&cursor, bytes);
	while ((step = field_next(&cursor, &field)) == LCOWMIG__WIRE_STEP_FIELD) {
		if (field.tag <= 2 && field.type != PB_WT_VARINT)
			return fail_type(&field, "timeout", error);
		if (field.tag == 1)
			seconds = (int64_t)field.number;
		else if (field.tag == 2)
			nanos = (int32_t)field.number;
	}
	if (step != LCOWMIG__WIRE_STEP_END)
		return fail_broken(&cursor, "timeout", error);
	if (nanos <= -NANOSECONDS || nanos >= NANOSECONDS || (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "timeout: not a duration");
	if (seconds > INT64_MAX / NANOSECONDS - 1)
		*nanoseconds = INT64_MAX;
	else if (seconds < 0 || nanos < 0)
		*nanoseconds = 0;
	else
		*nanoseconds = seconds * NANOSECONDS + nanos;
	return LCOWMIG_OK;
}

static lcowmig_status decode_text(const message_field *field, const char *name, lcowmig__wire_bytes *ret_text, lcowmig_error *error)
{
	if (field->type != PB_WT_STRING)
		return fail_type(field, name, error);
	if (!lcowmig__utf8_is_valid((const char *)field->bytes.data, field->bytes.size))
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "%s is not a text of UTF-8", name);
	*ret_text = field->bytes;
	return LCOWMIG_OK;
}

static lcowmig_status decode_bytes(const message_field *field, const char *name, lcowmig__wire_bytes *ret_bytes, lcowmig_error *error)
{
	if (field->type != PB_WT_STRING)
		return fail_type(field, name, error);
	*ret_bytes = field->bytes;
	return LCOWMIG_OK;
}

/* Fields beyond the session id, by method. */
static lcowmig_status decode_field(lcowmig__service_method method, const message_field *field, lcowmig__service_request *request,
				   lcowmig_error *error)
{
	bool is_second = field->tag == 2;

	if (field->tag == 1)
		return decode_text(field, "session_id", &request->session_id, error);
	switch (method) {
	case LCOWMIG__METHOD_PREPARE_AND_EXPORT:
	case LCOWMIG__METHOD_PREPARE:
		if (!is_second)
			break;
		if (field->type != PB_WT_STRING)
			return fail_type(field, "init_options", error);
		request->has_options = true;
		return decode_options(field->bytes, &request->options, error);
	case LCOWMIG__METHOD_IMPORT:
		if (is_second)
			return decode_text(field, "sandbox_id", &request->sandbox_id, error);
		return field->tag == lcowmig__service_ImportSandboxRequest_config_tag
			       ? decode_bytes(field, "config", &request->config, error)
			       : LCOWMIG_OK;
	case LCOWMIG__METHOD_TRANSFER:
		if (!is_second)
			break;
		return field->type == PB_WT_STRING ? decode_duration(field->bytes, &request->timeout_ns, error)
						   : fail_type(field, "timeout", error);
	case LCOWMIG__METHOD_FINALIZE:
		if (!is_second)
			break;
		request->action = field->number;
		return field->type == PB_WT_VARINT ? LCOWMIG_OK : fail_type(field, "action", error);
	case LCOWMIG__METHOD_SOCKET:
		return is_second ? decode_bytes(field, "protocol_info", &request->protocol_info, error) : LCOWMIG_OK;
	default:
		break;
	}
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__service_decode(lcowmig__service_method method, const uint8_t *data, size_t size,
				       lcowmig__service_request *ret_request, lcowmig_error *error)
{
	lcowmig__service_request request = { 0 };
	lcowmig__wire_cursor cursor;
	lcowmig__wire_step step;
	message_field field;

	lcowmig__wire_cursor_open(&cursor, (lcowmig__wire_bytes){ data, size });
	while ((step = field_next(&cursor, &field)) == LCOWMIG__WIRE_STEP_FIELD) {
		lcowmig_status status = decode_field(method, &field, &request, error);

		if (status != LCOWMIG_OK)
			return lcowmig__wrap(error, status, "%s request", method_names[method]);
	}
	if (step != LCOWMIG__WIRE_STEP_END)
		return fail_broken(&cursor, method_names[method], error);
	*ret_request = request;
	return LCOWMIG_OK;
}
