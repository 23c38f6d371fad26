/* The lcowmig tool: what its files share. */
#ifndef LCOWMIG_TOOL_H
#define LCOWMIG_TOOL_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "wire/wire.h"

typedef enum tool_kind { TOOL_SANDBOX, TOOL_VM, TOOL_POD, TOOL_CONTAINER, TOOL_PROCESS, TOOL_NETWORK, TOOL_SCSI, TOOL_KINDS } tool_kind;

/* A decoded file. */
typedef struct tool_envelope {
	tool_kind kind;
	lcowmig__arena arena;
	size_t size; /* of the file */
	union {
		lcowmig__wire_sandbox sandbox;
		lcowmig__wire_vm vm;
		lcowmig__wire_pod pod;
		lcowmig__wire_container container;
		lcowmig__wire_process process;
		lcowmig__wire_network network;
		lcowmig__wire_scsi scsi;
	} as;
} tool_envelope;

const char *tool_kind_name(tool_kind kind);
extern const lcowmig__mem tool_mem;

/*
 * Reads FILE ("-": standard input) and decodes it: a google.protobuf.Any of any of the kinds, or a bare payload. Returns 0; 1 when the content is
 * not valid (`error` says where); 2 when the file cannot be read (reported on standard error already).
 */
int tool_envelope_load(const char *file, tool_envelope *envelope, lcowmig_error *error);
void tool_envelope_done(tool_envelope *envelope);

/* Prints what is wrong with FILE, a line for each problem. Returns 0 when it is sound; 1; 2 when it cannot be read. */
int tool_validate(const char *file);

void tool_print_tree(FILE *out, const tool_envelope *envelope);
/* Everything as one JSON object; NULL when memory is out. */
cJSON *tool_json(const tool_envelope *envelope);
/* Prints what differs; returns the number of differences. */
size_t tool_diff(FILE *out, const cJSON *a, const cJSON *b);

/* Reads a whole file ("-": standard input) into `content`, which is initialised here. 0, or 2 when it cannot be read (reported already). */
int tool_read_file(const char *file, lcowmig__buf *content);

cJSON *tool_trace_new(void);
/* Adds a session's timeline (the JSON of lcowmig_migration_timeline_json) as track `track`, called `name`. */
lcowmig_status tool_trace_add(cJSON *trace, unsigned track, const char *name, const char *text, size_t size, lcowmig_error *error);

#endif
