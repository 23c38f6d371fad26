/* From a file to a decoded envelope. */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/limits.h"
#include "wire/cursor.h"

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

/* The kind that the envelope names; TOOL_KINDS when it names none, because it is a bare payload, or nothing of ours. */
static tool_kind envelope_kind(const uint8_t *data, size_t size)
{
	lcowmig__wire_bytes bytes = { data, size }, value;
	lcowmig__wire_cursor cursor;
	pb_wire_type_t type;
	uint32_t tag;
	int kind;

	lcowmig__wire_cursor_open(&cursor, bytes);
	while (lcowmig__wire_cursor_next(&cursor, &tag, &type) == LCOWMIG__WIRE_STEP_FIELD) {
		if (tag != 1 || type != PB_WT_STRING) {
			if (!lcowmig__wire_cursor_skip(&cursor, type))
				break;
			continue;
		}
		if (!lcowmig__wire_cursor_bytes(&cursor, &value))
			break;
		for (kind = 0; kind < TOOL_KINDS; kind++) {
			if (value.size == strlen(kinds[kind].type_url) && memcmp(value.data, kinds[kind].type_url, value.size) == 0)
				return (tool_kind)kind;
		}
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

static bool envelope_wrap(lcowmig__buf *any, tool_kind kind, const lcowmig__buf *payload)
{
	lcowmig__buf_init(any, &tool_mem);
	lcowmig__buf_append(any, "\x0a", 1); /* Any.type_url */
	append_varint(any, strlen(kinds[kind].type_url));
	lcowmig__buf_text(any, kinds[kind].type_url);
	lcowmig__buf_append(any, "\x12", 1); /* Any.value */
	append_varint(any, payload->size);
	lcowmig__buf_append(any, payload->data, payload->size);
	return !any->failed;
}

/* How many problems there are; SIZE_MAX when memory is out. */
static size_t envelope_problems(tool_kind kind, const lcowmig__buf *any, lcowmig__wire_report report)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	size_t count = 0;

	if (lcowmig__wire_examine(&tool_mem, NULL, kinds[kind].type_url, (const uint8_t *)any->data, any->size, report, NULL, &count, &error) ==
	    LCOWMIG_E_NO_MEMORY)
		return SIZE_MAX;
	return count;
}

/*
 * A bare payload is taken for what it makes most sense as: the kind with the fewest problems, the first of these. Payloads begin with their
 * version; anything else is not taken for one.
 */
static bool envelope_guess(const lcowmig__buf *payload, tool_kind *ret_kind, lcowmig__buf *ret_any)
{
	size_t fewest = SIZE_MAX;
	int kind;

	if (!payload->size || payload->data[0] != 0x08)
		return false;
	for (kind = 0; kind < TOOL_KINDS && fewest; kind++) {
		lcowmig__buf any;
		size_t count = envelope_wrap(&any, (tool_kind)kind, payload) ? envelope_problems((tool_kind)kind, &any, NULL) : SIZE_MAX;

		lcowmig__buf_done(&any);
		if (count >= fewest)
			continue;
		fewest = count;
		*ret_kind = (tool_kind)kind;
	}
	return fewest != SIZE_MAX && envelope_wrap(ret_any, *ret_kind, payload);
}

/* Reads FILE as an Any of a known kind. 0; 1 when it is no such thing; 2 when it cannot be read. */
static int envelope_read(const char *file, tool_kind *ret_kind, lcowmig__buf *ret_any, size_t *ret_size, lcowmig_error *error)
{
	lcowmig__buf content;
	bool is_known;
	int result = tool_read_file(file, &content);

	lcowmig__buf_init(ret_any, &tool_mem);
	if (result) {
		lcowmig__buf_done(&content);
		return result;
	}
	*ret_size = content.size;
	*ret_kind = content.size ? envelope_kind((const uint8_t *)content.data, content.size) : TOOL_SANDBOX;
	if (*ret_kind != TOOL_KINDS) {
		*ret_any = content;
		return 0;
	}
	is_known = envelope_guess(&content, ret_kind, ret_any);
	lcowmig__buf_done(&content);
	if (is_known)
		return 0;
	lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, "file: neither an envelope nor a payload of libclcowmig, expected google.protobuf.Any");
	return 1;
}

int tool_envelope_load(const char *file, tool_envelope *envelope, lcowmig_error *error)
{
	lcowmig__buf any;
	tool_kind kind;
	int result;

	memset(envelope, 0, sizeof *envelope);
	lcowmig__arena_init(&envelope->arena, &tool_mem, 0);
	result = envelope_read(file, &kind, &any, &envelope->size, error);
	if (result == 0 && envelope_decode(envelope, kind, (const uint8_t *)any.data, any.size, error) != LCOWMIG_OK)
		result = 1;
	lcowmig__buf_done(&any);
	return result;
}

static void validate_print(void *user, lcowmig_status status, const char *sentence)
{
	(void)user;
	(void)status;
	printf("%s\n", sentence);
}

int tool_validate(const char *file)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	size_t size, count;
	lcowmig__buf any;
	tool_kind kind;
	int result = envelope_read(file, &kind, &any, &size, &error);

	if (result == 1)
		printf("%s\n", error.message);
	if (result == 0) {
		count = envelope_problems(kind, &any, validate_print);
		if (count == LCOWMIG__WIRE_PROBLEMS_MAX)
			printf("%s: more problems than are counted\n", tool_kind_name(kind));
		result = count != 0;
		if (count == SIZE_MAX) {
			fprintf(stderr, "lcowmig: %s: out of memory\n", file);
			result = 2;
		}
	}
	lcowmig__buf_done(&any);
	return result;
}

void tool_envelope_done(tool_envelope *envelope)
{
	lcowmig__arena_done(&envelope->arena);
}
