/* Containers of the mock guest: create, ask, end, forget. */
#include "guest_internal.h"

#include <stdio.h>
#include <string.h>

static const struct guest_container *container_view(const mock_guest *guest, uint64_t offset)
{
	return MOCK_VIEW(guest->memory, struct guest_container, offset);
}

static const struct guest_process *process_view(const mock_guest *guest, uint64_t offset)
{
	return MOCK_VIEW(guest->memory, struct guest_process, offset);
}

uint64_t guest_find(const mock_guest *guest, const char *id)
{
	uint64_t at = guest_root(guest)->containers;

	while (at && strcmp(guest_text(guest, container_view(guest, at)->id), id) != 0)
		at = container_view(guest, at)->next;
	return at;
}

uint64_t guest_find_process(const mock_guest *guest, uint64_t container, uint32_t pid)
{
	uint64_t at = container_view(guest, container)->init;

	if (at && process_view(guest, at)->pid == pid)
		return at;
	at = container_view(guest, container)->processes;
	while (at && process_view(guest, at)->pid != pid)
		at = process_view(guest, at)->next;
	return at;
}

/* The words of a JSON array as one text. */
static void container_join(const cJSON *words, char *text, size_t size)
{
	const cJSON *word;
	size_t used = 0;

	text[0] = '\0';
	cJSON_ArrayForEach(word, words) {
		const char *value = cJSON_GetStringValue(word);
		int length = snprintf(text + used, size - used, "%s%s", used ? " " : "", value ? value : "");

		if (length < 0 || (size_t)length >= size - used)
			return;
		used += (size_t)length;
	}
}

/* NULL when the document will do. */
static const char *container_check(const cJSON *config)
{
	const cJSON *version = cJSON_GetObjectItem(config, "SchemaVersion");
	const cJSON *major = cJSON_GetObjectItem(version, "Major");
	const cJSON *minor = cJSON_GetObjectItem(version, "Minor");
	const cJSON *spec = cJSON_GetObjectItem(config, "OciSpecification");

	if (!cJSON_IsNumber(major) || !cJSON_IsNumber(minor) || major->valueint < 2 || (major->valueint == 2 && minor->valueint < 1))
		return "the schema version must be 2.1 or later";
	if (!cJSON_GetStringValue(cJSON_GetObjectItem(config, "OciBundlePath")))
		return "the bundle path is missing";
	if (!cJSON_IsObject(cJSON_GetObjectItem(spec, "linux")) || !cJSON_IsObject(cJSON_GetObjectItem(spec, "process")) ||
	    !cJSON_IsObject(cJSON_GetObjectItem(spec, "root")))
		return "the specification needs linux, process and root";
	return NULL;
}

/* The overlay must be there before the container. */
static bool container_has_root(const mock_guest *guest, const char *path)
{
	uint64_t at = guest_root(guest)->mounts;

	while (at && strcmp(guest_text(guest, MOCK_VIEW(guest->memory, struct guest_mount, at)->path), path) != 0)
		at = MOCK_VIEW(guest->memory, struct guest_mount, at)->next;
	return at != 0;
}

void guest_create(mock_guest *guest, const struct guest_request *request)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(request->json, "ContainerConfig"));
	cJSON *config = text ? cJSON_Parse(text) : NULL;
	const cJSON *spec = cJSON_GetObjectItem(config, "OciSpecification");
	const cJSON *process = cJSON_GetObjectItem(spec, "process");
	const char *root = cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(spec, "root"), "path"));
	const char *problem = config ? container_check(config) : "the container document is no JSON";
	uint64_t container, *end;
	struct guest_container *record;
	char arguments[1024];
	cJSON *fields;

	if (problem) {
		guest_fail(guest, request, GUEST_E_INVALID_JSON, problem);
	} else if (guest_find(guest, request->container_id)) {
		guest_fail(guest, request, GUEST_E_EXISTS, "the container exists");
	} else if (!root || !container_has_root(guest, root)) {
		guest_fail(guest, request, GUEST_E_FAIL, "nothing is mounted at the container's root");
	} else if ((container = mock_image_alloc(guest->memory, sizeof *record)) == 0) {
		guest_fail(guest, request, GUEST_E_FAIL, "the guest is out of memory");
	} else {
		container_join(cJSON_GetObjectItem(process, "args"), arguments, sizeof arguments);
		record = MOCK_EDIT(guest->memory, struct guest_container, container);
		record->id = mock_image_text(guest->memory, request->container_id);
		record->activity = mock_image_text(guest->memory, request->activity);
		record->rootfs = mock_image_text(guest->memory, root);
		record->arguments = mock_image_text(guest->memory, arguments);
		record->terminal = cJSON_IsTrue(cJSON_GetObjectItem(process, "terminal"));
		record->state = GUEST_CREATED;
		for (end = &guest_edit_root(guest)->containers; *end; end = &MOCK_EDIT(guest->memory, struct guest_container, *end)->next)
			continue;
		*end = container;
		guest_log(guest, "created container", request->container_id);
		fields = cJSON_CreateObject();
		cJSON_AddNumberToObject(fields, "SelectedProtocolVersion", 0);
		guest_reply(guest, request, fields);
	}
	cJSON_Delete(config);
}

void guest_start(mock_guest *guest, const struct guest_request *request)
{
	if (!guest_find(guest, request->container_id))
		guest_fail(guest, request, GUEST_E_NO_CONTAINER, "container not found");
	else
		guest_reply(guest, request, NULL);
}

static void container_free_process(mock_guest *guest, uint64_t process)
{
	struct guest_process record = *process_view(guest, process);

	guest_stdio_release(guest, process);
	while (record.waiters) {
		struct guest_waiter waiter = *MOCK_VIEW(guest->memory, struct guest_waiter, record.waiters);

		guest_answer_wait(guest, record.waiters, GUEST_E_NOT_FOUND, 0);
		mock_image_free(guest->memory, waiter.activity);
		mock_image_free(guest->memory, record.waiters);
		record.waiters = waiter.next;
	}
	for (int i = 0; i < 3; i++)
		mock_image_free(guest->memory, record.streams[i]);
	mock_image_free(guest->memory, record.text);
	mock_image_free(guest->memory, record.pages);
	mock_image_free(guest->memory, process);
}

void guest_delete_state(mock_guest *guest, const struct guest_request *request)
{
	uint64_t *at = &guest_edit_root(guest)->containers;
	uint64_t container = guest_find(guest, request->container_id);
	struct guest_container record;

	if (!container) {
		guest_fail(guest, request, GUEST_E_NO_CONTAINER, "container not found");
		return;
	}
	record = *container_view(guest, container);
	while (*at != container)
		at = &MOCK_EDIT(guest->memory, struct guest_container, *at)->next;
	*at = record.next;
	if (record.init)
		container_free_process(guest, record.init);
	while (record.processes) {
		uint64_t next = process_view(guest, record.processes)->next;

		container_free_process(guest, record.processes);
		record.processes = next;
	}
	mock_image_free(guest->memory, record.id);
	mock_image_free(guest->memory, record.activity);
	mock_image_free(guest->memory, record.rootfs);
	mock_image_free(guest->memory, record.arguments);
	mock_image_free(guest->memory, container);
	guest_log(guest, "deleted container", request->container_id);
	guest_reply(guest, request, NULL);
}

void guest_shutdown(mock_guest *guest, const struct guest_request *request)
{
	uint64_t container;

	if (strcmp(request->container_id, GUEST_NULL_ID) == 0) {
		mock_guest_shut_down(guest); /* no answer */
		return;
	}
	container = guest_find(guest, request->container_id);
	if (!container) {
		guest_fail(guest, request, GUEST_E_NO_CONTAINER, "container not found");
		return;
	}
	if (container_view(guest, container)->init)
		guest_end_process(guest, container_view(guest, container)->init, request->type == LCOWMIG_GCS_SHUTDOWN_FORCED ? 137 : 143);
	guest_reply(guest, request, NULL);
}

void guest_get_properties(mock_guest *guest, const struct guest_request *request)
{
	const char *query = cJSON_GetStringValue(cJSON_GetObjectItem(request->json, "Query"));
	uint64_t container = guest_find(guest, request->container_id);
	cJSON *properties, *list, *fields, *metrics;
	uint64_t process;
	char *text;
	int n = 0;

	if (!container) {
		guest_fail(guest, request, GUEST_E_NO_CONTAINER, "container not found");
		return;
	}
	properties = cJSON_CreateObject();
	list = cJSON_CreateArray();
	for (process = container_view(guest, container)->init; process; n++) {
		cJSON *entry = cJSON_CreateObject();

		cJSON_AddNumberToObject(entry, "ProcessId", process_view(guest, process)->pid);
		cJSON_AddItemToArray(list, entry);
		process = process == container_view(guest, container)->init ? container_view(guest, container)->processes
									    : process_view(guest, process)->next;
	}
	if (query && strstr(query, "Statistics")) {
		metrics = cJSON_AddObjectToObject(properties, "LCOWMetrics");
		cJSON_AddNumberToObject(cJSON_AddObjectToObject(metrics, "pids"), "current", n);
		cJSON_AddNumberToObject(cJSON_AddObjectToObject(cJSON_AddObjectToObject(metrics, "memory"), "usage"), "usage", 4096.0 * n);
	}
	if (query && strstr(query, "ProcessList"))
		cJSON_AddItemToObject(properties, "ProcessList", list);
	else
		cJSON_Delete(list);
	text = cJSON_PrintUnformatted(properties);
	fields = cJSON_CreateObject();
	cJSON_AddStringToObject(fields, "Properties", text);
	cJSON_free(text);
	cJSON_Delete(properties);
	guest_reply(guest, request, fields);
}

void guest_end_process(mock_guest *guest, uint64_t process, uint32_t exit_code)
{
	struct guest_process *record = MOCK_EDIT(guest->memory, struct guest_process, process);

	if (record->has_exited)
		return;
	record->has_exited = 1;
	record->exit_code = exit_code;
	record->due = guest_root(guest)->clock;
	for (int i = 1; i < 3; i++) {
		if (record->streams[i])
			MOCK_EDIT(guest->memory, struct guest_stream, record->streams[i])->is_shut = 1;
	}
	if (record->is_init)
		MOCK_EDIT(guest->memory, struct guest_container, record->container)->state = GUEST_EXITED;
}

/*
 * Serves what can be served of a process's waits; true when the process is over and somebody has been told. Runs at every tick, so it
 * looks first and writes only what changes: a look must not make pages dirty.
 */
static bool container_reap_process(mock_guest *guest, uint64_t process)
{
	const struct guest_process *record = process_view(guest, process);
	uint64_t clock = guest_root(guest)->clock;
	/* The exit is told when all output has been passed on, or nobody has taken it for two seconds. */
	bool is_over = record->has_exited && (guest_stdio_is_flushed(guest, process) || clock > record->due + 2 * MOCK_SECOND);
	uint64_t previous = 0, waiter, next;

	for (waiter = record->waiters; waiter; waiter = next) {
		struct guest_waiter entry = *MOCK_VIEW(guest->memory, struct guest_waiter, waiter);

		next = entry.next;
		if (!is_over && clock < entry.deadline) {
			previous = waiter;
			continue;
		}
		guest_answer_wait(guest, waiter, is_over ? 0 : GUEST_E_TIMEOUT, record->exit_code);
		if (is_over)
			MOCK_EDIT(guest->memory, struct guest_process, process)->was_waited_for = 1;
		if (previous)
			MOCK_EDIT(guest->memory, struct guest_waiter, previous)->next = next;
		else
			MOCK_EDIT(guest->memory, struct guest_process, process)->waiters = next;
		mock_image_free(guest->memory, entry.activity);
		mock_image_free(guest->memory, waiter);
	}
	return is_over && record->was_waited_for;
}

static void container_tell_exit(mock_guest *guest, uint64_t container)
{
	static const char *const types[] = { "UnexpectedExit", "GracefulExit", "ForcedExit" };
	struct guest_container *record = MOCK_EDIT(guest->memory, struct guest_container, container);
	cJSON *json = cJSON_CreateObject();
	char *text;

	record->is_notified = 1;
	cJSON_AddStringToObject(json, "ContainerId", guest_text(guest, record->id));
	cJSON_AddStringToObject(json, "ActivityId", guest_text(guest, record->activity));
	cJSON_AddStringToObject(json, "Type", types[record->stop]);
	cJSON_AddStringToObject(json, "Operation", "None");
	cJSON_AddNumberToObject(json, "Result", 0);
	text = cJSON_PrintUnformatted(json);
	guest_notify(guest, text);
	cJSON_free(text);
	cJSON_Delete(json);
	guest_log(guest, "container has exited:", guest_text(guest, record->id));
}

void guest_reap(mock_guest *guest)
{
	for (uint64_t container = guest_root(guest)->containers; container; container = container_view(guest, container)->next) {
		const struct guest_container *record = container_view(guest, container);
		uint64_t previous = 0, process, next;

		if (record->init && container_reap_process(guest, record->init) && !record->is_notified)
			container_tell_exit(guest, container);
		for (process = record->processes; process; process = next) {
			next = process_view(guest, process)->next;
			if (!container_reap_process(guest, process)) {
				previous = process;
				continue;
			}
			if (previous) /* an exec is forgotten with its first answer */
				MOCK_EDIT(guest->memory, struct guest_process, previous)->next = next;
			else
				MOCK_EDIT(guest->memory, struct guest_container, container)->processes = next;
			container_free_process(guest, process);
		}
	}
}
