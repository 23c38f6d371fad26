/* The VM payload. */
#include "vm.pb.h"

#include "base/json.h"
#include "reader.h"
#include "writer.h"

/* These are members of the VM itself. */
static const lcowmig__wire_field options_fields[] = {
	{ WIRE_FIELD(vm_SandboxOptions, no_writable_file_shares), WIRE_SCALAR(BOOL, lcowmig__wire_vm, no_writable_file_shares) },
	{ WIRE_FIELD(vm_SandboxOptions, enable_scratch_encryption), WIRE_SCALAR(BOOL, lcowmig__wire_vm, enable_scratch_encryption) },
	{ WIRE_FIELD(vm_SandboxOptions, policy_based_routing), WIRE_SCALAR(BOOL, lcowmig__wire_vm, policy_based_routing) },
	{ WIRE_FIELD(vm_SandboxOptions, architecture), WIRE_LIMITED(TEXT, lcowmig__wire_vm, architecture, id_bytes) },
	{ WIRE_FIELD(vm_SandboxOptions, fully_physically_backed), WIRE_SCALAR(BOOL, lcowmig__wire_vm, fully_physically_backed) },
};

static const lcowmig__wire_message options_message = { WIRE_TABLE(options_fields) };

static const lcowmig__wire_field vm_fields[] = {
	{ WIRE_FIELD(vm_Payload, schema_version), .kind = LCOWMIG__WIRE_VERSION },
	{ WIRE_FIELD(vm_Payload, vm_id), WIRE_LIMITED(TEXT, lcowmig__wire_vm, vm_id, id_bytes) },
	{ WIRE_FIELD(vm_Payload, sandbox_options), .kind = LCOWMIG__WIRE_MESSAGE, .offset = 0,
	  .presence = offsetof(lcowmig__wire_vm, has_options), .message = &options_message },
	{ WIRE_FIELD(vm_Payload, scsi), WIRE_SCALAR(ENVELOPE, lcowmig__wire_vm, scsi), .presence = offsetof(lcowmig__wire_vm, has_scsi),
	  .message = &lcowmig__wire_scsi_message },
	{ WIRE_FIELD(vm_Payload, gcs_next_port), WIRE_SCALAR(UINT32, lcowmig__wire_vm, gcs_next_port) },
	{ WIRE_FIELD(vm_Payload, compat_info), WIRE_LIMITED(BYTES, lcowmig__wire_vm, compat_info, compat_bytes) },
	{ WIRE_FIELD(vm_Payload, hcs_document), WIRE_LIMITED(BYTES, lcowmig__wire_vm, hcs_document, document_bytes) },
	{ WIRE_FIELD(vm_Payload, bridge_next_id), WIRE_SCALAR(INT64, lcowmig__wire_vm, bridge_next_id) },
};

/* Spelled as usual, it needs no tree; in other cases of letters it is looked for as HCS does. */
static lcowmig_status vm_find_section(const lcowmig__wire_reader *reader, const char *text, size_t size, bool *ret_has_section)
{
	lcowmig__json_span span;
	lcowmig_status status;
	cJSON *tree = NULL;

	if (lcowmig__json_find(text, size, "VirtualMachine", &span)) {
		*ret_has_section = span.is_object;
		return LCOWMIG_OK;
	}
	status = lcowmig__json_parse("HCS document", text, size, reader->limits.document_bytes, &reader->limits, &tree, reader->error);
	if (status == LCOWMIG_OK)
		*ret_has_section = cJSON_IsObject(lcowmig__json_get(tree, "VirtualMachine"));
	cJSON_Delete(tree);
	return status;
}

/* A VM alone may have a document without a VM section: creating it is what fails then. In a sandbox that is known too late. */
static lcowmig_status vm_check_document(const lcowmig__wire_reader *reader, const lcowmig__wire_vm *vm, const lcowmig__wire_place *place)
{
	const lcowmig__wire_bytes *document = &vm->hcs_document;
	lcowmig_status status = lcowmig__wire_check_json(reader, place, "hcs_document", "HCS document", document);
	bool has_section;

	if (status != LCOWMIG_OK || !document->size || !reader->strict)
		return status;
	status = vm_find_section(reader, (const char *)document->data, document->size, &has_section);
	if (status != LCOWMIG_OK)
		return lcowmig__wire_fail_inner(reader, place, "hcs_document", status);
	if (!has_section)
		return lcowmig__wire_invalid(reader, place, "hcs_document", "has no VirtualMachine object");
	return LCOWMIG_OK;
}

static lcowmig_status vm_check(const lcowmig__wire_reader *reader, const void *target, const lcowmig__wire_place *place)
{
	const lcowmig__wire_vm *vm = target;

	lcowmig_status status = LCOWMIG_OK;

	if (vm->bridge_next_id < 0)
		status = lcowmig__wire_invalid(reader, place, "bridge_next_id", "is negative");
	status = lcowmig__wire_tolerate(reader, status);
	return status == LCOWMIG_OK ? vm_check_document(reader, vm, place) : status;
}

const lcowmig__wire_message lcowmig__wire_vm_message = {
	WIRE_PAYLOAD(LCOWMIG__TYPE_URL_VM, "vm", lcowmig__wire_vm),
	WIRE_TABLE(vm_fields),
	.check = vm_check,
};

lcowmig_status lcowmig__wire_decode_vm(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
				       lcowmig__wire_vm *ret_vm, lcowmig_error *error)
{
	return lcowmig__wire_decode(&lcowmig__wire_vm_message, arena, limits, data, size, ret_vm, error);
}

lcowmig_status lcowmig__wire_encode_vm(lcowmig__buf *buf, const lcowmig__wire_vm *vm, lcowmig_error *error)
{
	return lcowmig__wire_write(buf, &lcowmig__wire_vm_message, vm, error);
}
