/* A process's stdio on the host: opened by Create or Patch, closed once. */
#include <string.h>

#include "base/text.h"
#include "process_private.h"

bool lcowmig__process_io_init(lcowmig__process_io *io, lcowmig__env *env, const lcowmig_process_options *options)
{
	const char *const paths[3] = { options->stdin_path, options->stdout_path, options->stderr_path };
	const lcowmig__mem *mem = &env->context->mem;
	bool is_complete;
	size_t i;

	io->terminal = options->terminal != 0;
	io->closer = lcowmig__call_spare(env);
	io->bundle = lcowmig__strdup(mem, options->bundle ? options->bundle : "");
	is_complete = io->closer && io->bundle;
	for (i = 0; i < LCOWMIG__COUNT(paths); i++) {
		io->paths[i] = lcowmig__strdup(mem, paths[i] ? paths[i] : "");
		is_complete = is_complete && io->paths[i];
	}
	return is_complete;
}

/* Uses up the handle and what closes it. */
static void io_post_close(lcowmig__process_io *io)
{
	if (io->handle)
		lcowmig__post_stdio_close(io->closer, io->handle);
	else
		lcowmig__call_spare_free(io->closer);
	io->handle = NULL;
	io->closer = NULL;
}

void lcowmig__process_io_done(lcowmig__process_io *io, lcowmig__env *env)
{
	const lcowmig__mem *mem = &env->context->mem;
	size_t i;

	io_post_close(io);
	lcowmig__free(mem, io->bundle);
	io->bundle = NULL;
	for (i = 0; i < LCOWMIG__COUNT(io->paths); i++) {
		lcowmig__free(mem, io->paths[i]);
		io->paths[i] = NULL;
	}
}

lcowmig_status lcowmig__process_io_check(const lcowmig_process *process, const lcowmig__process_io *io, lcowmig_error *error)
{
	const lcowmig_limits *limits = &process->env->context->limits;
	size_t size = strlen(io->bundle);

	if (io->terminal && io->paths[2][0])
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "process %s is %s; with a terminal there is no stderr, expected an empty path for it", process->name,
				     lcowmig__object_state_name(&process->object));
	/* What no envelope may carry would stand in the way of a migration later. */
	if (size > limits->path_bytes)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "process %s: its bundle path is longer than %lu bytes", process->name,
				     (unsigned long)limits->path_bytes);
	if (!lcowmig__utf8_is_valid(io->bundle, size))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "process %s: its bundle path is not valid UTF-8", process->name);
	return LCOWMIG_OK;
}

void lcowmig__process_io_open(lcowmig__flow *flow, const lcowmig_process *process, const char *container_id, const lcowmig__process_io *io)
{
	const lcowmig_stdio_config config = {
		.size = sizeof config,
		.container_id = container_id,
		.exec_id = process->exec_id,
		.stdin_path = io->paths[0],
		.stdout_path = io->paths[1],
		.stderr_path = io->paths[2],
		.retry_timeout_ns = process->io_retry_timeout_ns,
		.terminal = io->terminal,
	};

	lcowmig__stdio_open(flow, process->env, &config);
}

void lcowmig__process_io_close(lcowmig_process *process)
{
	lcowmig__process_io *io = &process->io;

	if (!io->handle || !process->io_gate.holder || process->retired) {
		io_post_close(io);
		return;
	}
	process->retired = io->handle;
	process->retired_closer = io->closer;
	io->handle = NULL;
	io->closer = NULL;
}

void lcowmig__process_io_close_retired(lcowmig_process *process)
{
	if (process->retired)
		lcowmig__post_stdio_close(process->retired_closer, process->retired);
	process->retired = NULL;
	process->retired_closer = NULL;
}

void lcowmig__process_io_leave(lcowmig__flow *flow, lcowmig_process *process)
{
	lcowmig__gate_leave(flow, &process->io_gate);
	if (!process->io_gate.holder)
		lcowmig__process_io_close_retired(process);
}
