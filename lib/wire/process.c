/* The process payload, and what it shares with others: durations, documents. */
#include "process.pb.h"

#include "base/json.h"
#include "google/protobuf/duration.pb.h"
#include "reader.h"
#include "writer.h"

#define PROCESS_NANOS_MAX INT32_C(999999999)
/* Timeouts are signed 64-bit nanoseconds in the runtimes that write them. */
#define PROCESS_SECONDS_MAX (INT64_MAX / 1000000000)

static const lcowmig__wire_field duration_fields[] = {
	{ WIRE_FIELD(google_Duration, seconds), WIRE_SCALAR(INT64, lcowmig__wire_duration, seconds) },
	{ WIRE_FIELD(google_Duration, nanos), WIRE_SCALAR(INT32, lcowmig__wire_duration, nanos) },
};

const lcowmig__wire_message lcowmig__wire_duration_message = { WIRE_TABLE(duration_fields) };

static const lcowmig__wire_field process_fields[] = {
	{ WIRE_FIELD(process_Payload, schema_version), .kind = LCOWMIG__WIRE_VERSION },
	{ WIRE_FIELD(process_Payload, exec_id), WIRE_LIMITED(TEXT, lcowmig__wire_process, exec_id, id_bytes) },
	{ WIRE_FIELD(process_Payload, pid), WIRE_SCALAR(INT32, lcowmig__wire_process, pid) },
	{ WIRE_FIELD(process_Payload, bundle), WIRE_LIMITED(TEXT, lcowmig__wire_process, bundle, path_bytes) },
	{ WIRE_FIELD(process_Payload, oci_process_spec_json),
	  WIRE_LIMITED(BYTES, lcowmig__wire_process, oci_process_spec_json, document_bytes) },
	{ WIRE_FIELD(process_Payload, io_retry_timeout), WIRE_SCALAR(MESSAGE, lcowmig__wire_process, io_retry_timeout),
	  .flags = LCOWMIG__WIRE_ALWAYS, .message = &lcowmig__wire_duration_message },
	{ WIRE_FIELD(process_Payload, stdin_port), WIRE_SCALAR(UINT32, lcowmig__wire_process, ports[0]) },
	{ WIRE_FIELD(process_Payload, stdout_port), WIRE_SCALAR(UINT32, lcowmig__wire_process, ports[1]) },
	{ WIRE_FIELD(process_Payload, stderr_port), WIRE_SCALAR(UINT32, lcowmig__wire_process, ports[2]) },
	{ WIRE_FIELD(process_Payload, wait_call_id), WIRE_SCALAR(INT64, lcowmig__wire_process, wait_call_id) },
};

lcowmig_status lcowmig__wire_check_duration(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
					    const lcowmig__wire_duration *duration)
{
	if (duration->seconds < 0 || duration->nanos < 0)
		return lcowmig__wire_invalid(reader, place, name, "is negative");
	if (duration->nanos > PROCESS_NANOS_MAX)
		return lcowmig__wire_invalid(reader, place, name, "has %d nanoseconds, a whole second or more",
					  (int)duration->nanos);
	if (duration->seconds > PROCESS_SECONDS_MAX ||
	    (duration->seconds == PROCESS_SECONDS_MAX && duration->nanos > INT64_MAX % 1000000000))
		return lcowmig__wire_invalid(reader, place, name, "is longer than 64-bit nanoseconds can say");
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__wire_check_json(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
					const char *what, const lcowmig__wire_bytes *json)
{
	const char *text = (const char *)json->data;
	lcowmig_status status;

	if (!json->size)
		return LCOWMIG_OK;
	status = lcowmig__json_validate(what, text, json->size, reader->limits.document_bytes, &reader->limits, reader->error);
	if (status != LCOWMIG_OK)
		return lcowmig__wire_fail_inner(reader, place, name, status);
	if (!lcowmig__json_is_object(text, json->size))
		return lcowmig__wire_invalid(reader, place, name, "is not a JSON object");
	return LCOWMIG_OK;
}

static lcowmig_status process_check(const lcowmig__wire_reader *reader, const void *target, const lcowmig__wire_place *place)
{
	const lcowmig__wire_process *process = target;
	lcowmig_status status = lcowmig__wire_check_duration(reader, place, "io_retry_timeout", &process->io_retry_timeout);

	status = lcowmig__wire_tolerate(reader, status);
	if (status == LCOWMIG_OK)
		status = lcowmig__wire_tolerate(reader, lcowmig__wire_check_json(reader, place, "oci_process_spec_json", "OCI process spec",
										 &process->oci_process_spec_json));
	if (status != LCOWMIG_OK || !reader->strict)
		return status;
	if (process->pid <= 0)
		status = lcowmig__wire_invalid(reader, place, "pid", "is %d, a running process has a positive one",
					    (int)process->pid);
	status = lcowmig__wire_tolerate(reader, status);
	if (status == LCOWMIG_OK && process->wait_call_id <= 0)
		return lcowmig__wire_invalid(reader, place, "wait_call_id",
					  "names no guest request, so the process's end would go unnoticed");
	return status;
}

const lcowmig__wire_message lcowmig__wire_process_message = {
	WIRE_PAYLOAD(LCOWMIG__TYPE_URL_PROCESS, "process", lcowmig__wire_process),
	WIRE_TABLE(process_fields),
	.check = process_check,
};

lcowmig_status lcowmig__wire_decode_process(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
					    lcowmig__wire_process *ret_process, lcowmig_error *error)
{
	return lcowmig__wire_decode(&lcowmig__wire_process_message, arena, limits, data, size, ret_process, error);
}

lcowmig_status lcowmig__wire_encode_process(lcowmig__buf *buf, const lcowmig__wire_process *process, lcowmig_error *error)
{
	return lcowmig__wire_write(buf, &lcowmig__wire_process_message, process, error);
}
