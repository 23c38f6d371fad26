/* Everything that is wrong with an envelope: the decoder and its checks, made to go on after each problem. */
#include <string.h>

#include "base/compiler.h"
#include "reader.h"

static const lcowmig__wire_message *const examine_payloads[] = {
	&lcowmig__wire_sandbox_message, &lcowmig__wire_vm_message,      &lcowmig__wire_pod_message,  &lcowmig__wire_container_message,
	&lcowmig__wire_process_message, &lcowmig__wire_network_message, &lcowmig__wire_scsi_message,
};

typedef union examine_target {
	lcowmig__wire_sandbox sandbox;
	lcowmig__wire_vm vm;
	lcowmig__wire_pod pod;
	lcowmig__wire_container container;
	lcowmig__wire_process process;
	lcowmig__wire_network network;
	lcowmig__wire_scsi scsi;
} examine_target;

lcowmig_status lcowmig__wire_tolerate(const lcowmig__wire_reader *reader, lcowmig_status status)
{
	lcowmig__wire_problems *problems = reader->problems;

	if (status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY || !problems || problems->count == LCOWMIG__WIRE_PROBLEMS_MAX)
		return status;
	if (!problems->count) {
		problems->first = status;
		problems->first_error = *reader->error;
	}
	problems->count++;
	if (problems->report)
		problems->report(problems->user, status, reader->error->message);
	return problems->count < LCOWMIG__WIRE_PROBLEMS_MAX ? LCOWMIG_OK : status;
}

static lcowmig_status examine_read(const lcowmig__wire_message *message, lcowmig__arena *arena, const lcowmig_limits *limits,
				   const uint8_t *data, size_t size, lcowmig__wire_problems *problems, lcowmig_error *error)
{
	bool is_sandbox = message == &lcowmig__wire_sandbox_message;
	lcowmig__wire_reader reader;
	examine_target target;
	lcowmig_status status;

	memset(&target, 0, sizeof target);
	status = lcowmig__wire_reader_init(&reader, arena, limits, is_sandbox, error);
	if (status != LCOWMIG_OK)
		return status;
	reader.problems = problems;
	status = lcowmig__wire_tolerate(&reader, lcowmig__wire_read(&reader, message, data, size, &target));
	if (status == LCOWMIG_OK && is_sandbox && !problems->count)
		status = lcowmig__wire_tolerate(&reader, lcowmig__wire_validate(&reader, &target.sandbox));
	return status;
}

lcowmig_status lcowmig__wire_examine(const lcowmig__mem *mem, const lcowmig_limits *limits, const char *type_url, const uint8_t *data,
				     size_t size, lcowmig__wire_report report, void *user, size_t *ret_count, lcowmig_error *error)
{
	lcowmig__wire_problems problems = { .report = report, .user = user };
	lcowmig_error own = LCOWMIG_ERROR_INIT;
	lcowmig__arena arena;
	lcowmig_status status;
	size_t i = 0;

	while (i < LCOWMIG__COUNT(examine_payloads) && strcmp(examine_payloads[i]->type_url, type_url) != 0)
		i++;
	if (i == LCOWMIG__COUNT(examine_payloads))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "there is no payload %s", type_url);
	lcowmig__arena_init(&arena, mem, size);
	status = examine_read(examine_payloads[i], &arena, limits, data, size, &problems, &own);
	lcowmig__arena_done(&arena);
	if (problems.count && status != LCOWMIG_E_NO_MEMORY) {
		status = problems.first;
		own = problems.first_error;
	}
	if (status != LCOWMIG_OK)
		lcowmig__error_copy(error, &own);
	*ret_count = problems.count;
	return status;
}
