/* Processes of the mock guest, as the bridge asks for them. */
#include "guest_internal.h"

#include <stdio.h>
#include <string.h>

/* The container and process a request names, or a failure answered and false. */
static bool process_of_request(mock_guest *guest, const struct guest_request *request, uint64_t *ret_container, uint64_t *ret_process)
{
	const cJSON *pid = cJSON_GetObjectItem(request->json, "ProcessId");

	*ret_container = guest_find(guest, request->container_id);
	if (!*ret_container) {
		guest_fail(guest, request, GUEST_E_NO_CONTAINER, "container not found");
		return false;
	}
	*ret_process = cJSON_IsNumber(pid) ? guest_find_process(guest, *ret_container, (uint32_t)pid->valuedouble) : 0;
	if (!*ret_process)
		guest_fail(guest, request, GUEST_E_NOT_FOUND, "process not found");
	return *ret_process != 0;
}

static uint32_t process_port(const cJSON *settings, const char *name)
{
	const cJSON *port = cJSON_GetObjectItem(cJSON_GetObjectItem(settings, "VsockStdioRelaySettings"), name);

	return cJSON_IsNumber(port) ? (uint32_t)port->valuedouble : 0;
}

static uint64_t process_make(mock_guest *guest, uint64_t container, const cJSON *settings, const cJSON *parameters)
{
	static const char *const ports[3] = { "StdIn", "StdOut", "StdErr" };
	static const char *const pipes[3] = { "CreateStdInPipe", "CreateStdOutPipe", "CreateStdErrPipe" };
	uint64_t process = mock_image_alloc(guest->memory, sizeof(struct guest_process));
	struct guest_process *record;

	if (!process)
		return 0;
	record = MOCK_EDIT(guest->memory, struct guest_process, process);
	record->container = container;
	record->pid = guest_edit_root(guest)->next_pid++;
	record->slot = UINT32_MAX;
	for (int i = 0; i < 3; i++) {
		if (!cJSON_IsTrue(cJSON_GetObjectItem(parameters, pipes[i])))
			continue;
		record->streams[i] = mock_image_alloc(guest->memory, sizeof(struct guest_stream));
		if (record->streams[i])
			MOCK_EDIT(guest->memory, struct guest_stream, record->streams[i])->port = process_port(settings, ports[i]);
	}
	return process;
}

static void process_forget(mock_guest *guest, uint64_t process)
{
	struct guest_process record = *MOCK_VIEW(guest->memory, struct guest_process, process);

	guest_stdio_release(guest, process);
	for (int i = 0; i < 3; i++)
		mock_image_free(guest->memory, record.streams[i]);
	mock_image_free(guest->memory, process);
}

/* The machine itself as a container: processes that belong to none run there. It is made when the first of them comes. */
static uint64_t process_machine(mock_guest *guest)
{
	uint64_t machine = guest_find(guest, GUEST_NULL_ID);
	struct guest_container *record;

	if (machine || (machine = mock_image_alloc(guest->memory, sizeof *record)) == 0)
		return machine;
	record = MOCK_EDIT(guest->memory, struct guest_container, machine);
	record->id = mock_image_text(guest->memory, GUEST_NULL_ID);
	record->state = GUEST_RUNNING;
	record->next = guest_root(guest)->containers;
	guest_edit_root(guest)->containers = machine;
	return machine;
}

/* An exec brings its own words: those of its OCI process, or of a process of the machine. */
static void process_arguments(const mock_guest *guest, uint64_t container, const cJSON *parameters, char *text, size_t size)
{
	const cJSON *oci = cJSON_GetObjectItem(parameters, "OciProcess");
	const char *line = cJSON_GetStringValue(cJSON_GetObjectItem(parameters, "CommandLine"));
	const cJSON *words = oci ? cJSON_GetObjectItem(oci, "args") : cJSON_GetObjectItem(parameters, "CommandArgs");
	const cJSON *word;
	size_t used = 0;

	if (line && *line) {
		snprintf(text, size, "%s", line);
		return;
	}
	if (!words) {
		snprintf(text, size, "%s", guest_text(guest, MOCK_VIEW(guest->memory, struct guest_container, container)->arguments));
		return;
	}
	text[0] = '\0';
	cJSON_ArrayForEach(word, words) {
		const char *value = cJSON_GetStringValue(word);

		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", value ? value : "");
		if (used >= size)
			return;
	}
}

void guest_execute(mock_guest *guest, const struct guest_request *request)
{
	const cJSON *settings = cJSON_GetObjectItem(request->json, "Settings");
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(settings, "ProcessParameters"));
	bool is_machine = strcmp(request->container_id, GUEST_NULL_ID) == 0;
	uint64_t container = is_machine ? process_machine(guest) : guest_find(guest, request->container_id);
	cJSON *parameters = text ? cJSON_Parse(text) : NULL;
	const cJSON *oci = cJSON_GetObjectItem(parameters, "OciProcess");
	uint64_t process = 0;
	char arguments[1024];
	cJSON *fields;

	if (!container) {
		guest_fail(guest, request, GUEST_E_NO_CONTAINER, "container not found");
	} else if (!cJSON_IsObject(parameters)) {
		guest_fail(guest, request, GUEST_E_INVALID_JSON, "the process parameters are no JSON object");
	} else if (!is_machine && !oci == (MOCK_VIEW(guest->memory, struct guest_container, container)->init != 0)) {
		guest_fail(guest, request, GUEST_E_INVALID_STATE,
			   oci ? "the container is not running" : "the init process is started already");
	} else if ((process = process_make(guest, container, settings, parameters)) == 0) {
		guest_fail(guest, request, GUEST_E_FAIL, "the guest is out of memory");
	} else if (!guest_stdio_connect(guest, process)) {
		process_forget(guest, process);
		guest_fail(guest, request, GUEST_E_FAIL, "a stdio port does not answer");
	} else {
		struct guest_container *record = MOCK_EDIT(guest->memory, struct guest_container, container);
		struct guest_process *made = MOCK_EDIT(guest->memory, struct guest_process, process);

		if (oci || is_machine) {
			made->next = record->processes;
			record->processes = process;
		} else {
			made->is_init = 1;
			record->init = process;
			record->state = GUEST_RUNNING;
		}
		process_arguments(guest, container, parameters, arguments, sizeof arguments);
		guest_plan_workload(guest, process, arguments);
		fields = cJSON_CreateObject();
		cJSON_AddNumberToObject(fields, "ProcessId", made->pid);
		guest_reply(guest, request, fields);
	}
	cJSON_Delete(parameters);
}

void guest_wait(mock_guest *guest, const struct guest_request *request)
{
	const cJSON *timeout = cJSON_GetObjectItem(request->json, "TimeoutInMs");
	double milliseconds = cJSON_IsNumber(timeout) ? timeout->valuedouble : 0;
	uint64_t container, process, waiter;
	struct guest_waiter *record;

	if (!process_of_request(guest, request, &container, &process))
		return;
	waiter = mock_image_alloc(guest->memory, sizeof *record);
	if (!waiter) {
		guest_fail(guest, request, GUEST_E_FAIL, "the guest is out of memory");
		return;
	}
	record = MOCK_EDIT(guest->memory, struct guest_waiter, waiter);
	record->id = request->id;
	record->type = request->type;
	record->activity = mock_image_text(guest->memory, request->activity);
	record->deadline = milliseconds >= 4294967295.0 ? GUEST_NEVER : guest_root(guest)->clock + (uint64_t)milliseconds * MOCK_MS;
	record->next = MOCK_VIEW(guest->memory, struct guest_process, process)->waiters;
	MOCK_EDIT(guest->memory, struct guest_process, process)->waiters = waiter;
	if (MOCK_VIEW(guest->memory, struct guest_process, process)->has_exited)
		guest_reap(guest);
}

void guest_signal(mock_guest *guest, const struct guest_request *request)
{
	const cJSON *number = cJSON_GetObjectItem(cJSON_GetObjectItem(request->json, "Options"), "Signal");
	int signal = cJSON_IsNumber(number) && number->valueint != 0 ? number->valueint : 9;
	uint64_t container, process;

	if (!process_of_request(guest, request, &container, &process))
		return;
	if (MOCK_VIEW(guest->memory, struct guest_process, process)->has_exited) {
		guest_fail(guest, request, GUEST_E_STOPPED, "the process has exited");
		return;
	}
	if (signal == 9 || signal == 15) {
		if (MOCK_VIEW(guest->memory, struct guest_process, process)->is_init)
			MOCK_EDIT(guest->memory, struct guest_container, container)->stop =
				signal == 9 ? GUEST_STOP_FORCED : GUEST_STOP_GRACEFUL;
		guest_end_process(guest, process, 128u + (uint32_t)signal);
	}
	guest_reply(guest, request, NULL);
}

void guest_resize(mock_guest *guest, const struct guest_request *request)
{
	uint64_t container, process;

	if (process_of_request(guest, request, &container, &process))
		guest_reply(guest, request, NULL);
}
