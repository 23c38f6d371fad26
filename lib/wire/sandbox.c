/* The migration payload: one sandbox. */
#include "migration.pb.h"

#include "reader.h"
#include "writer.h"

static const lcowmig__wire_field sandbox_fields[] = {
	{ WIRE_FIELD(migration_Payload, schema_version), .kind = LCOWMIG__WIRE_VERSION },
	{ WIRE_FIELD(migration_Payload, vm), WIRE_SCALAR(ENVELOPE, lcowmig__wire_sandbox, vm),
	  .flags = LCOWMIG__WIRE_ALWAYS | LCOWMIG__WIRE_REQUIRED, .message = &lcowmig__wire_vm_message },
	{ WIRE_FIELD(migration_Payload, pods), .kind = LCOWMIG__WIRE_ENVELOPE, .shape = LCOWMIG__WIRE_MANY, .flags = LCOWMIG__WIRE_SORTED,
	  WIRE_ARRAY(lcowmig__wire_sandbox, pods, lcowmig__wire_pod, pods), WIRE_KEY(TEXT, lcowmig__wire_pod, pod_id),
	  .message = &lcowmig__wire_pod_message },
};

const lcowmig__wire_message lcowmig__wire_sandbox_message = {
	WIRE_PAYLOAD(LCOWMIG__TYPE_URL_MIGRATION, "sandbox", lcowmig__wire_sandbox),
	WIRE_TABLE(sandbox_fields),
};

lcowmig_status lcowmig__wire_validate(const lcowmig__wire_reader *reader, const lcowmig__wire_sandbox *sandbox)
{
	lcowmig__arena scratch;
	lcowmig_status status;

	lcowmig__arena_init(&scratch, reader->arena->mem, reader->arena->total / 2); /* in proportion to what there is to check */
	status = lcowmig__wire_validate_ids(reader, sandbox, &scratch);
	if (status == LCOWMIG_OK)
		status = lcowmig__wire_validate_disks(reader, sandbox, &scratch);
	lcowmig__arena_done(&scratch);
	return status;
}

lcowmig_status lcowmig__wire_decode_sandbox(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
					    lcowmig__wire_sandbox *ret_sandbox, lcowmig_error *error)
{
	lcowmig__wire_sandbox sandbox = { 0 };
	lcowmig__wire_reader reader;
	lcowmig_status status = lcowmig__wire_reader_init(&reader, arena, limits, true, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__wire_read(&reader, &lcowmig__wire_sandbox_message, data, size, &sandbox);
	if (status == LCOWMIG_OK)
		status = lcowmig__wire_validate(&reader, &sandbox);
	if (status == LCOWMIG_OK)
		*ret_sandbox = sandbox;
	return status;
}

lcowmig_status lcowmig__wire_encode_sandbox(lcowmig__buf *buf, const lcowmig__wire_sandbox *sandbox, lcowmig_error *error)
{
	return lcowmig__wire_write(buf, &lcowmig__wire_sandbox_message, sandbox, error);
}
