/* Requests to the guest: containers and their processes. */
#include "base/guid.h"
#include "base/text.h"
#include "request.h"

#define ANSWER_ROOM 255

/* Adds a document as a string; takes `document`. */
static bool add_document(cJSON *object, const char *key, cJSON *document, bool is_complete)
{
	char *text = is_complete ? cJSON_PrintUnformatted(document) : NULL;
	bool ok = text && lcowmig__json_add_item(object, key, cJSON_CreateString(text));

	cJSON_free(text);
	cJSON_Delete(document);
	return ok;
}

/* A request of which nothing but the container matters. */
static void plain_request(lcowmig__flow *flow, const lcowmig__env *env, uint32_t message, const char *container_id)
{
	cJSON *request = lcowmig__guest_request(container_id);

	lcowmig__guest_send(flow, env, message, container_id, request, request != NULL);
}

/* ---- Containers ---- */

void lcowmig__guest_create(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, const char *config)
{
	cJSON *request = lcowmig__guest_request(container_id);
	bool ok = lcowmig__json_add_string(request, "ContainerConfig", config);

	lcowmig__guest_send(flow, env, LCOWMIG_GCS_CREATE, container_id, request, ok);
}

void lcowmig__guest_create_container(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_container *container)
{
	cJSON *request = lcowmig__guest_request(container->container_id);
	cJSON *config = cJSON_CreateObject();
	bool ok = lcowmig__json_add_raw(config, "SchemaVersion", "{\"Major\":2,\"Minor\":1}") &&
	          lcowmig__json_add_string(config, "OciBundlePath", container->bundle_path) &&
	          lcowmig__json_add_raw(config, "OciSpecification", container->spec) &&
	          lcowmig__json_add_string(config, "ScratchDirPath", container->scratch_path);

	ok = add_document(request, "ContainerConfig", config, ok);
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_CREATE, container->container_id, request, ok);
}

void lcowmig__guest_start_container(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id)
{
	plain_request(flow, env, LCOWMIG_GCS_START, container_id);
}

void lcowmig__guest_delete_container_state(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id)
{
	plain_request(flow, env, LCOWMIG_GCS_DELETE_CONTAINER_STATE, container_id);
}

void lcowmig__guest_properties(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, const char *type)
{
	cJSON *request = lcowmig__guest_request(container_id);
	cJSON *query = cJSON_CreateObject();
	bool ok = lcowmig__guest_add_strings(query, "PropertyTypes", &type, 1);

	ok = add_document(request, "Query", query, ok);
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_GET_PROPERTIES, container_id, request, ok);
}

void lcowmig__guest_dump_stacks(lcowmig__flow *flow, const lcowmig__env *env)
{
	plain_request(flow, env, LCOWMIG_GCS_DUMP_STACKS, LCOWMIG__NULL_GUID);
}

/* ---- Processes ---- */

static bool add_vm_process(cJSON *parameters, const lcowmig__guest_process *process)
{
	bool ok;

	if (!lcowmig__text_is_empty(process->command_line))
		ok = lcowmig__json_add_string(parameters, "CommandLine", process->command_line);
	else
		ok = lcowmig__guest_add_strings(parameters, "CommandArgs", process->arguments, process->n_arguments);
	return ok && lcowmig__json_add_string(parameters, "WorkingDirectory", process->working_directory) &&
	       lcowmig__json_add_raw(parameters, "Environment", process->environment) &&
	       lcowmig__json_add_bool(parameters, "EmulateConsole", process->emulate_console);
}

static bool add_ports(cJSON *settings, const uint32_t ports[3])
{
	cJSON *relay = cJSON_CreateObject();
	bool ok = lcowmig__json_add_uint64(relay, "StdIn", ports[0]) && lcowmig__json_add_uint64(relay, "StdOut", ports[1]) &&
	          lcowmig__json_add_uint64(relay, "StdErr", ports[2]);

	/* The object is sent even when it is empty. */
	return lcowmig__json_add_item(settings, "VsockStdioRelaySettings", relay) && ok;
}

void lcowmig__guest_execute_process(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_process *process)
{
	cJSON *request = lcowmig__guest_request(process->container_id);
	cJSON *settings = cJSON_CreateObject();
	cJSON *parameters = cJSON_CreateObject();
	bool ok = add_vm_process(parameters, process) && lcowmig__json_add_bool(parameters, "CreateStdInPipe", process->ports[0] != 0) &&
	          lcowmig__json_add_bool(parameters, "CreateStdOutPipe", process->ports[1] != 0) &&
	          lcowmig__json_add_bool(parameters, "CreateStdErrPipe", process->ports[2] != 0) &&
	          lcowmig__json_add_raw(parameters, "OciProcess", process->oci_process);

	/* Room for the answer: a process whose id does not arrive for lack of memory would run on unknown. */
	ok = lcowmig__buf_reserve(&flow->rest->reply, ANSWER_ROOM) && ok;
	ok = add_document(settings, "ProcessParameters", parameters, ok);
	ok = add_ports(settings, process->ports) && ok;
	ok = lcowmig__json_add_item(request, "Settings", settings) && ok;
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_EXECUTE_PROCESS, process->container_id, request, ok);
}

/* A request about one process; numbers that existing hosts write even when they are zero. */
static cJSON *process_request(const char *container_id, uint32_t pid)
{
	cJSON *request = lcowmig__guest_request(container_id);

	if (lcowmig__json_add_item(request, "ProcessId", cJSON_CreateNumber(pid)))
		return request;
	cJSON_Delete(request);
	return NULL;
}

lcowmig_call *lcowmig__guest_wait_process(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, uint32_t pid,
                                          uint32_t timeout_ms)
{
	cJSON *request = process_request(container_id, pid);
	bool ok = lcowmig__json_add_item(request, "TimeoutInMs", cJSON_CreateNumber(timeout_ms));

	return lcowmig__guest_send(flow, env, LCOWMIG_GCS_WAIT_FOR_PROCESS, container_id, request, ok);
}

void lcowmig__guest_signal_process(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, uint32_t pid, uint32_t signal)
{
	cJSON *request = process_request(container_id, pid);
	bool ok = request != NULL;

	if (signal) {
		cJSON *options = cJSON_CreateObject();

		ok = lcowmig__json_add_uint64(options, "Signal", signal);
		ok = lcowmig__json_add_item(request, "Options", options) && ok;
	}
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_SIGNAL_PROCESS, container_id, request, ok);
}

void lcowmig__guest_resize_console(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, uint32_t pid, uint16_t width,
                                   uint16_t height)
{
	cJSON *request = process_request(container_id, pid);
	bool ok = lcowmig__json_add_item(request, "Height", cJSON_CreateNumber(height)) &&
	          lcowmig__json_add_item(request, "Width", cJSON_CreateNumber(width));

	lcowmig__guest_send(flow, env, LCOWMIG_GCS_RESIZE_CONSOLE, container_id, request, ok);
}
