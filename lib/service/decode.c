/*
 * Requests, by tables of their fields. Field numbers are those of the generated header; unknown fields are skipped, repeated scalars: the last
 * wins.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "messages.h"
#include "migration_service.pb.h"
#include "wire/cursor.h"

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

/* ---- What the messages consist of ---- */

typedef enum row_kind {
	ROW_TEXT,    /* UTF-8, into lcowmig__wire_bytes */
	ROW_BYTES,   /* likewise */
	ROW_FLAG,    /* into uint32_t: 0 or 1 */
	ROW_PERCENT, /* into uint32_t: at most 100 */
	ROW_NUMBER,  /* into uint32_t */
	ROW_COUNT,   /* the same with an error of its own */
	ROW_WIDE,    /* into uint64_t */
	ROW_SCALE,   /* a double, finite */
	ROW_MESSAGE
} row_kind;

struct message_table;

/* Everything goes into the request, whatever message it is in. */
typedef struct field_row {
	uint32_t tag;
	row_kind kind;
	const char *name; /* for errors */
	size_t offset;
	uint32_t bit; /* of options.present */
	const struct message_table *message;
} field_row;

typedef struct message_table {
	const char *name; /* for errors */
	const field_row *rows;
	size_t n_rows;
	lcowmig_status (*check)(lcowmig__service_request *request, lcowmig_error *error); /* after each occurrence; may be NULL */
	bool is_request; /* errors in it say so */
} message_table;

static const field_row throttle_rows[] = {
	{ lcowmig__service_MemoryTransferThrottleParams_skip_throttling_tag, ROW_FLAG, "skip_throttling",
	  offsetof(lcowmig__service_request, options.skip_throttling), LCOWMIG_OPTION_SKIP_THROTTLING, NULL },
	{ lcowmig__service_MemoryTransferThrottleParams_throttling_scale_tag, ROW_SCALE, "throttling_scale",
	  offsetof(lcowmig__service_request, options.throttling_scale), LCOWMIG_OPTION_THROTTLING_SCALE, NULL },
	{ lcowmig__service_MemoryTransferThrottleParams_minimum_throttle_percentage_tag, ROW_PERCENT, "minimum_throttle_percentage",
	  offsetof(lcowmig__service_request, options.minimum_throttle_percentage), LCOWMIG_OPTION_MINIMUM_THROTTLE_PERCENTAGE, NULL },
	{ lcowmig__service_MemoryTransferThrottleParams_target_number_of_brownout_transfer_passes_tag, ROW_NUMBER,
	  "target_number_of_brownout_transfer_passes", offsetof(lcowmig__service_request, options.target_brownout_passes),
	  LCOWMIG_OPTION_TARGET_BROWNOUT_PASSES, NULL },
	{ lcowmig__service_MemoryTransferThrottleParams_starting_brownout_pass_number_for_throttling_tag, ROW_NUMBER,
	  "starting_brownout_pass_number_for_throttling", offsetof(lcowmig__service_request, options.starting_brownout_pass),
	  LCOWMIG_OPTION_STARTING_BROWNOUT_PASS, NULL },
	{ lcowmig__service_MemoryTransferThrottleParams_maximum_number_of_brownout_transfer_passes_tag, ROW_NUMBER,
	  "maximum_number_of_brownout_transfer_passes", offsetof(lcowmig__service_request, options.maximum_brownout_passes),
	  LCOWMIG_OPTION_MAXIMUM_BROWNOUT_PASSES, NULL },
	{ lcowmig__service_MemoryTransferThrottleParams_target_blackout_transfer_time_tag, ROW_NUMBER, "target_blackout_transfer_time",
	  offsetof(lcowmig__service_request, options.target_blackout_time_ms), LCOWMIG_OPTION_TARGET_BLACKOUT_TIME, NULL },
	{ lcowmig__service_MemoryTransferThrottleParams_blackout_time_threshold_for_cancelling_migration_tag, ROW_NUMBER,
	  "blackout_time_threshold_for_cancelling_migration", offsetof(lcowmig__service_request, options.blackout_time_threshold_ms),
	  LCOWMIG_OPTION_BLACKOUT_TIME_THRESHOLD, NULL },
};

static const message_table throttle_table = { "MemoryTransferThrottleParams", throttle_rows, LCOWMIG__COUNT(throttle_rows), NULL, false };

static const field_row compression_rows[] = {
	{ lcowmig__service_CompressionSettings_throttle_worker_count_tag, ROW_COUNT, "throttle_worker_count",
	  offsetof(lcowmig__service_request, options.throttle_worker_count), LCOWMIG_OPTION_THROTTLE_WORKER_COUNT, NULL },
};

static const message_table compression_table = { "CompressionSettings", compression_rows, LCOWMIG__COUNT(compression_rows), NULL, false };

#define OPTIONS "InitializeOptions"

static const field_row options_rows[] = {
	{ lcowmig__service_InitializeOptions_memory_transport_tag, ROW_WIDE, OPTIONS, offsetof(lcowmig__service_request, transport), 0, NULL },
	{ lcowmig__service_InitializeOptions_memory_transfer_throttle_params_tag, ROW_MESSAGE, OPTIONS, 0, LCOWMIG_OPTION_THROTTLE_GROUP,
	  &throttle_table },
	{ lcowmig__service_InitializeOptions_compression_settings_tag, ROW_MESSAGE, OPTIONS, 0, LCOWMIG_OPTION_COMPRESSION_GROUP,
	  &compression_table },
	{ lcowmig__service_InitializeOptions_checksum_verification_tag, ROW_FLAG, OPTIONS,
	  offsetof(lcowmig__service_request, options.checksum_verification), 0, NULL },
	{ lcowmig__service_InitializeOptions_perf_tracing_enabled_tag, ROW_FLAG, OPTIONS,
	  offsetof(lcowmig__service_request, options.perf_tracing_enabled), 0, NULL },
	{ lcowmig__service_InitializeOptions_cancel_if_blackout_threshold_exceeds_tag, ROW_FLAG, OPTIONS,
	  offsetof(lcowmig__service_request, options.cancel_if_blackout_threshold_exceeds), 0, NULL },
	{ lcowmig__service_InitializeOptions_prepare_memory_transfer_mode_tag, ROW_FLAG, OPTIONS,
	  offsetof(lcowmig__service_request, options.prepare_memory_transfer_mode), 0, NULL },
};

static lcowmig_status check_options(lcowmig__service_request *request, lcowmig_error *error)
{
	uint64_t transport = request->transport;

	request->has_options = true;
	request->options.size = sizeof request->options;
	request->transport = 0; /* each occurrence says its own */
	if (transport == lcowmig__service_MemoryTransport_MEMORY_TRANSPORT_TCP)
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "memory_transport is %llu, expected 1 (TCP)", (unsigned long long)transport);
}

static const message_table options_table = { OPTIONS, options_rows, LCOWMIG__COUNT(options_rows), check_options, false };

static const field_row duration_rows[] = {
	{ 1, ROW_WIDE, "timeout", offsetof(lcowmig__service_request, seconds), 0, NULL },
	{ 2, ROW_WIDE, "timeout", offsetof(lcowmig__service_request, nanos), 0, NULL },
};

#define NANOSECONDS 1000000000

static lcowmig_status check_duration(lcowmig__service_request *request, lcowmig_error *error)
{
	int64_t seconds = (int64_t)request->seconds;
	int64_t nanos = (int32_t)request->nanos;

	request->seconds = 0;
	request->nanos = 0;
	if (nanos <= -NANOSECONDS || nanos >= NANOSECONDS || (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "timeout: not a duration");
	if (seconds > INT64_MAX / NANOSECONDS - 1)
		request->timeout_ns = INT64_MAX;
	else if (seconds < 0 || nanos < 0)
		request->timeout_ns = 0;
	else
		request->timeout_ns = seconds * NANOSECONDS + nanos;
	return LCOWMIG_OK;
}

static const message_table duration_table = { "timeout", duration_rows, LCOWMIG__COUNT(duration_rows), check_duration, false };

/* The session id is the first field of every request, and for some the only one. */
static const field_row prepare_rows[] = {
	{ lcowmig__service_PrepareSandboxRequest_session_id_tag, ROW_TEXT, "session_id", offsetof(lcowmig__service_request, session_id), 0,
	  NULL },
	{ lcowmig__service_PrepareSandboxRequest_init_options_tag, ROW_MESSAGE, "init_options", 0, 0, &options_table },
};

static const field_row import_rows[] = {
	{ lcowmig__service_ImportSandboxRequest_session_id_tag, ROW_TEXT, "session_id", offsetof(lcowmig__service_request, session_id), 0,
	  NULL },
	{ lcowmig__service_ImportSandboxRequest_sandbox_id_tag, ROW_TEXT, "sandbox_id", offsetof(lcowmig__service_request, sandbox_id), 0,
	  NULL },
	{ lcowmig__service_ImportSandboxRequest_config_tag, ROW_BYTES, "config", offsetof(lcowmig__service_request, config), 0, NULL },
};

static const field_row transfer_rows[] = {
	{ lcowmig__service_TransferSandboxRequest_session_id_tag, ROW_TEXT, "session_id", offsetof(lcowmig__service_request, session_id), 0,
	  NULL },
	{ lcowmig__service_TransferSandboxRequest_timeout_tag, ROW_MESSAGE, "timeout", 0, 0, &duration_table },
};

static const field_row finalize_rows[] = {
	{ lcowmig__service_FinalizeSandboxRequest_session_id_tag, ROW_TEXT, "session_id", offsetof(lcowmig__service_request, session_id), 0,
	  NULL },
	{ lcowmig__service_FinalizeSandboxRequest_action_tag, ROW_WIDE, "action", offsetof(lcowmig__service_request, action), 0, NULL },
};

static const field_row socket_rows[] = {
	{ lcowmig__service_CreateDuplicateSocketRequest_session_id_tag, ROW_TEXT, "session_id",
	  offsetof(lcowmig__service_request, session_id), 0, NULL },
	{ lcowmig__service_CreateDuplicateSocketRequest_protocol_info_tag, ROW_BYTES, "protocol_info",
	  offsetof(lcowmig__service_request, protocol_info), 0, NULL },
};

static const message_table requests[] = {
	[LCOWMIG__METHOD_PREPARE_AND_EXPORT] = { "PrepareAndExportSandbox", prepare_rows, LCOWMIG__COUNT(prepare_rows), NULL, true },
	[LCOWMIG__METHOD_IMPORT] = { "ImportSandbox", import_rows, LCOWMIG__COUNT(import_rows), NULL, true },
	[LCOWMIG__METHOD_PREPARE] = { "PrepareSandbox", prepare_rows, LCOWMIG__COUNT(prepare_rows), NULL, true },
	[LCOWMIG__METHOD_TRANSFER] = { "TransferSandbox", transfer_rows, LCOWMIG__COUNT(transfer_rows), NULL, true },
	[LCOWMIG__METHOD_FINALIZE] = { "FinalizeSandbox", finalize_rows, LCOWMIG__COUNT(finalize_rows), NULL, true },
	[LCOWMIG__METHOD_NOTIFICATIONS] = { "Notifications", prepare_rows, 1, NULL, true },
	[LCOWMIG__METHOD_SOCKET] = { "CreateDuplicateSocket", socket_rows, LCOWMIG__COUNT(socket_rows), NULL, true },
	[LCOWMIG__METHOD_CANCEL] = { "Cancel", prepare_rows, 1, NULL, true },
	[LCOWMIG__METHOD_CLEANUP] = { "Cleanup", prepare_rows, 1, NULL, true },
};
_Static_assert(LCOWMIG__COUNT(requests) == LCOWMIG__METHODS, "every method has a request");

lcowmig__service_method lcowmig__service_method_of(const char *name)
{
	int method;

	for (method = 0; method < LCOWMIG__METHODS; method++)
		if (strcmp(requests[method].name, name) == 0)
			break;
	return (lcowmig__service_method)method;
}

/* ---- Reading them ---- */

static lcowmig_status decode_message(const message_table *message, lcowmig__wire_bytes bytes, lcowmig__service_request *request,
				     lcowmig_error *error);

static pb_wire_type_t row_type(const field_row *row)
{
	switch (row->kind) {
	case ROW_TEXT:
	case ROW_BYTES:
	case ROW_MESSAGE:
		return PB_WT_STRING;
	case ROW_SCALE:
		return PB_WT_64BIT;
	default:
		return PB_WT_VARINT;
	}
}

static lcowmig_status decode_number(const field_row *row, uint64_t value, uint32_t *ret_number, lcowmig_error *error)
{
	uint64_t maximum = row->kind == ROW_PERCENT ? 100 : UINT32_MAX;

	if (row->kind == ROW_FLAG)
		value = value != 0;
	if (value > maximum)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s is %llu, expected at most %lu", row->name,
		                     (unsigned long long)value, (unsigned long)maximum);
	*ret_number = (uint32_t)value;
	return LCOWMIG_OK;
}

static lcowmig_status decode_row(const field_row *row, const message_field *field, lcowmig__service_request *request,
				 lcowmig_error *error)
{
	void *member = (char *)request + row->offset;

	if (row->kind == ROW_COUNT && (field->type != PB_WT_VARINT || field->number > UINT32_MAX))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s does not fit 32 bits", row->name);
	if (field->type != row_type(row))
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "%s: field %u has wire type %d", row->name, (unsigned)field->tag,
				     (int)field->type);
	request->options.present |= row->bit;
	switch (row->kind) {
	case ROW_TEXT:
		if (!lcowmig__utf8_is_valid((const char *)field->bytes.data, field->bytes.size))
			return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "%s is not a text of UTF-8", row->name);
		*(lcowmig__wire_bytes *)member = field->bytes;
		return LCOWMIG_OK;
	case ROW_BYTES:
		*(lcowmig__wire_bytes *)member = field->bytes;
		return LCOWMIG_OK;
	case ROW_WIDE:
		*(uint64_t *)member = field->number;
		return LCOWMIG_OK;
	case ROW_SCALE:
		memcpy(member, &field->number, sizeof field->number);
		if (isfinite(*(const double *)member))
			return LCOWMIG_OK;
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s is not a finite number", row->name);
	case ROW_MESSAGE:
		return decode_message(row->message, field->bytes, request, error);
	default:
		return decode_number(row, field->number, member, error);
	}
}

static lcowmig_status decode_message(const message_table *message, lcowmig__wire_bytes bytes, lcowmig__service_request *request,
				     lcowmig_error *error)
{
	lcowmig__wire_cursor cursor;
	lcowmig__wire_step step;
	message_field field;
	size_t i;

	lcowmig__wire_cursor_open(&cursor, bytes);
	while ((step = field_next(&cursor, &field)) == LCOWMIG__WIRE_STEP_FIELD) {
		lcowmig_status status = LCOWMIG_OK;

		for (i = 0; i < message->n_rows && status == LCOWMIG_OK; i++)
			if (message->rows[i].tag == field.tag)
				status = decode_row(&message->rows[i], &field, request, error);
		if (status != LCOWMIG_OK)
			return message->is_request ? lcowmig__wrap(error, status, "%s request", message->name) : status;
	}
	if (step != LCOWMIG__WIRE_STEP_END)
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "%s: undecodable: %s", message->name,
				     lcowmig__wire_cursor_error(&cursor));
	return message->check ? message->check(request, error) : LCOWMIG_OK;
}

lcowmig_status lcowmig__service_decode(lcowmig__service_method method, const uint8_t *data, size_t size,
				       lcowmig__service_request *ret_request, lcowmig_error *error)
{
	lcowmig__service_request request = { 0 };
	lcowmig_status status = decode_message(&requests[method], (lcowmig__wire_bytes){ data, size }, &request, error);

	if (status == LCOWMIG_OK)
		*ret_request = request;
	return status;
}
