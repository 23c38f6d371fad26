/* Requests to the guest: containers and their processes. */
#include "base/guid.h"
#include "base/text.h"
#include "request.h"

#define ANSWER_ROOM 255

/* ---- Containers ---- */

void lcowmig__guest_create(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, const char *config)
{
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_CREATE, container_id, "ContainerConfig:s", config);
}

void lcowmig__guest_start_container(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id)
{
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_START, container_id, "");
}

void lcowmig__guest_delete_container_state(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id)
{
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_DELETE_CONTAINER_STATE, container_id, "");
}

void lcowmig__guest_properties(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, const char *type)
{
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_GET_PROPERTIES, container_id, "Query:t",
	                    lcowmig__json_text(&env->context->mem, "{PropertyTypes:a}", &type, (size_t)1));
}

void lcowmig__guest_dump_stacks(lcowmig__flow *flow, const lcowmig__env *env)
{
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_DUMP_STACKS, LCOWMIG__NULL_GUID, "");
}

/* ---- Processes ---- */

void lcowmig__guest_execute_process(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_process *process)
{
	const uint32_t *ports = process->ports;
	size_t n_arguments = lcowmig__text_is_empty(process->command_line) ? process->n_arguments : 0;
	char *parameters = lcowmig__json_text(&env->context->mem,
	                                      "{CommandLine:s CommandArgs:a WorkingDirectory:s Environment:j EmulateConsole:b "
	                                      "CreateStdInPipe:b CreateStdOutPipe:b CreateStdErrPipe:b OciProcess:j}",
	                                      process->command_line, process->arguments, n_arguments, process->working_directory,
	                                      process->environment, process->emulate_console, ports[0] != 0, ports[1] != 0, ports[2] != 0,
	                                      process->oci_process);

	/* Room for the answer: a process whose id does not arrive for lack of memory would run on unknown. */
	if (!lcowmig__buf_reserve(&flow->rest->reply, ANSWER_ROOM)) {
		lcowmig__free(&env->context->mem, parameters);
		parameters = NULL;
	}
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_EXECUTE_PROCESS, process->container_id,
	                    "Settings:{ProcessParameters:t VsockStdioRelaySettings:{StdIn:u StdOut:u StdErr:u}}", parameters, ports[0],
	                    ports[1], ports[2]);
}

/* ---- About one process; existing hosts write its id and the like even when they are zero ---- */

lcowmig_call *lcowmig__guest_wait_process(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, uint32_t pid,
                                          uint32_t timeout_ms)
{
	return lcowmig__guest_send(flow, env, LCOWMIG_GCS_WAIT_FOR_PROCESS, container_id, "ProcessId:U TimeoutInMs:U", pid, timeout_ms);
}

void lcowmig__guest_signal_process(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, uint32_t pid, uint32_t signal)
{
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_SIGNAL_PROCESS, container_id, signal ? "ProcessId:U Options:{Signal:u}" : "ProcessId:U",
	                    pid, signal);
}

void lcowmig__guest_resize_console(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, uint32_t pid, uint16_t width,
                                   uint16_t height)
{
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_RESIZE_CONSOLE, container_id, "ProcessId:U Height:U Width:U", pid, (uint32_t)height,
	                    (uint32_t)width);
}
