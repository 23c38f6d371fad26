/* From a file to a decoded envelope. */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/limits.h"

typedef struct tool_kind_row {
	const char *name;
	const char *type_url;
} tool_kind_row;

static const tool_kind_row kinds[TOOL_KINDS] = {
	[TOOL_SANDBOX] = { "sandbox", LCOWMIG__TYPE_URL_MIGRATION },
	[TOOL_VM] = { "vm", LCOWMIG__TYPE_URL_VM },
	[TOOL_POD] = { "pod", LCOWMIG__TYPE_URL_POD },
	[TOOL_CONTAINER] = { "container", LCOWMIG__TYPE_URL_CONTAINER },
	[TOOL_PROCESS] = { "process", LCOWMIG__TYPE_URL_PROCESS },
	[TOOL_NETWORK] = { "network", LCOWMIG__TYPE_URL_NETWORK },
	[TOOL_SCSI] = { "scsi", LCOWMIG__TYPE_URL_SCSI },
};

const char *tool_kind_name(tool_kind kind)
{
	return kinds[kind].name;
}

static void *tool_allocate(void *user, size_t size)
{
	(void)user;
	return malloc(size);
}

static void tool_release(void *user, void *pointer)
{
	(void)user;
	free(pointer);
}

const lcowmig__mem tool_mem = { tool_allocate, tool_release, NULL };

int tool_read_file(const char *file, lcowmig__buf *content)
{
	bool is_stdin = strcmp(file, "-") == 0;
	FILE *in = is_stdin ? stdin : fopen(file, "rb");
	char piece[65536];
	size_t got;
	int result = 0;

	lcowmig__buf_init(content, &tool_mem);
	if (!in) {
		fprintf(stderr, "lcowmig: %s: %s\n", file, strerror(errno));
		return 2;
	}
	while ((got = fread(piece, 1, sizeof piece, in)) > 0 && !content->failed && content->size <= LCOWMIG_LIMIT_ENVELOPE_BYTES)
		lcowmig__buf_append(content, piece, got);
	if (ferror(in) || content->failed) {
		fprintf(stderr, "lcowmig: %s: %s\n", file, content->failed ? "out of memory" : strerror(errno));
		result = 2;
	}
	if (!is_stdin)
		fclose(in);
	return result;
}

static lcowmig_status envelope_decode(tool_envelope *envelope, tool_kind kind, const uint8_t *data, size_t size, lcowmig_error *error)
{
	lcowmig__arena *arena = &envelope->arena;
	lcowmig_limits limits;

	lcowmig__limits_resolve(NULL, &limits, NULL);
	envelope->kind = kind;
	switch (kind) {
	case TOOL_VM:
		return lcowmig__wire_decode_vm(arena, &limits, data, size, &envelope->as.vm, error);
	case TOOL_POD:
		return lcowmig__wire_decode_pod(arena, &limits, data, size, &envelope->as.pod, error);
	case TOOL_CONTAINER:
		return lcowmig__wire_decode_container(arena, &limits, data, size, &envelope->as.container, error);
	case TOOL_PROCESS:
		return lcowmig__wire_decode_process(arena, &limits, data, size, &envelope->as.process, error);
	case TOOL_NETWORK:
		return lcowmig__wire_decode_network(arena, &limits, data, size, &envelope->as.network, error);
	case TOOL_SCSI:
		return lcowmig__wire_decode_scsi(arena, &limits, data, size, &envelope->as.scsi, error);
	case TOOL_SANDBOX:
	case TOOL_KINDS:
		break;
	}
	envelope->kind = TOOL_SANDBOX;
	return lcowmig__wire_decode_sandbox(arena, &limits, data, size, &envelope->as.sandbox, error);
}

/* The kind whose type URL stands in the first 128 bytes, TOOL_KINDS when none does: then it is a bare payload, or nothing of ours. */
static tool_kind envelope_kind(const uint8_t *data, size_t size)
{
	size_t window = size < 128 ? size : 128;
	int kind;

	for (kind = 0; kind < TOOL_KINDS; kind++) {
		size_t length = strlen(kinds[kind].type_url);
		size_t i;

		for (i = 0; i + length <= window; i++)
			if (memcmp(data + i, kinds[kind].type_url, length) == 0)
				return (tool_kind)kind;
	}
	return TOOL_KINDS;
}

static void append_varint(lcowmig__buf *buf, size_t value)
{
	while (value >= 0x80) {
		unsigned char byte = (unsigned char)(value | 0x80);

		lcowmig__buf_append(buf, &byte, 1);
		value >>= 7;
	}
	lcowmig__buf_append(buf, &(unsigned char){ (unsigned char)value }, 1);
}

/* A bare payload: wrapped as each kind in turn, the first that is valid wins. */
static lcowmig_status envelope_decode_bare(tool_envelope *envelope, const uint8_t *data, size_t size, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_E_CORRUPT_DATA;
	int kind;

	for (kind = 0; kind < TOOL_KINDS && status != LCOWMIG_OK; kind++) {
		lcowmig__buf any;

		lcowmig__buf_init(&any, &tool_mem);
		lcowmig__buf_append(&any, "\x0a", 1); /* Any.type_url */
		append_varint(&any, strlen(kinds[kind].type_url));
		lcowmig__buf_text(&any, kinds[kind].type_url);
		lcowmig__buf_append(&any, "\x12", 1); /* Any.value */
		append_varint(&any, size);
		lcowmig__buf_append(&any, data, size);
		status = any.failed ? LCOWMIG_E_NO_MEMORY
		                    : envelope_decode(envelope, (tool_kind)kind, (const uint8_t *)any.data, any.size, error);
		lcowmig__buf_done(&any);
	}
	if (status != LCOWMIG_OK)
		return lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "file: neither an envelope nor a payload of libclcowmig, expected google.protobuf.Any");
	return status;
}

int tool_envelope_load(const char *file, tool_envelope *envelope, lcowmig_error *error)
{
	lcowmig__buf content;
	lcowmig_status status;
	tool_kind kind;
	int result;

	memset(envelope, 0, sizeof *envelope);
	lcowmig__arena_init(&envelope->arena, &tool_mem, 0);
	result = tool_read_file(file, &content);
	if (result == 0) {
		const uint8_t *data = (const uint8_t *)content.data;

		envelope->size = content.size;
		kind = content.size ? envelope_kind(data, content.size) : TOOL_SANDBOX;
		status = kind == TOOL_KINDS ? envelope_decode_bare(envelope, data, content.size, error)
		                            : envelope_decode(envelope, kind, data, content.size, error);
		result = status == LCOWMIG_OK ? 0 : 1;
	}
	lcowmig__buf_done(&content);
	return result;
}

void tool_envelope_done(tool_envelope *envelope)
{
	lcowmig__arena_done(&envelope->arena);
}
