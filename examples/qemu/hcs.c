/* The compute system: create, start, ask, terminate, close. */
#include "host_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void hcs_event(hcs_vm *vm, uint32_t type, const char *data)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	if (lcowmig_sandbox_hcs_event(vm->host->sandbox, type, data, &error) != LCOWMIG_OK)
		fprintf(stderr, "%s: the event %s was refused: %s\n", vm->host->name, data, error.message);
}

/* ---- Steps that end a call ---- */

static void hcs_step_done(void *user, const cJSON *answer, const char *error)
{
	lcowmig_call *call = user;

	(void)answer;
	if (error)
		host_complete_failed(call, HR_FAIL, "QEMU: %s", error);
	else
		lcowmig_call_complete(call, LCOWMIG_OK);
}

qemu_step *hcs_step(hcs_vm *vm, lcowmig_call *call)
{
	return qemu_step_new(vm->machine, hcs_step_done, call);
}

/* ---- Create ---- */

/* Posted, because whoever closes a machine may be called by its own monitor. */
static void hcs_vm_free(void *user)
{
	hcs_vm *vm = user;

	if (vm->host->vm == vm)
		vm->host->vm = NULL;
	qemu_machine_free(vm->machine);
	mock_timer_free(vm->stuck);
	free(vm->id);
	free(vm->runtime_id);
	free(vm);
}

static void hcs_machine_ended(void *user, int status)
{
	hcs_vm *vm = user;
	bool is_orderly = vm->end_was_asked || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
	char data[96];

	vm->is_running = false;
	qemu_mux_disconnect(vm->host->mux);
	hcs_machine_lost(vm);
	snprintf(data, sizeof data, "{\"Status\":%d,\"ExitType\":\"%s\"}", is_orderly ? 0 : (int)0xC0370106u,
		 is_orderly ? "GracefulExit" : "UnexpectedExit");
	hcs_event(vm, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, data);
}

struct hcs_creation {
	hcs_vm *vm;
	lcowmig_call *call;
};

/* The first command has been answered: there is a machine behind the monitor. */
static void hcs_created(void *user, const cJSON *answer, const char *error)
{
	struct hcs_creation *creation = user;
	hcs_vm *vm = creation->vm;
	lcowmig_call *call = creation->call;

	(void)answer;
	free(creation);
	if (error) {
		host_complete_failed(call, HR_FAIL, "QEMU did not start: %s", error);
		vm->end_was_asked = true;
		vm->host->vm = NULL; /* the process is seen to its end, and then nobody asks for it */
		mock_loop_post(vm->host->loop, hcs_vm_free, vm);
		return;
	}
	lcowmig_call_set_handle(call, vm);
	lcowmig_call_complete(call, LCOWMIG_OK);
}

static char *hcs_random_guid(void)
{
	char *text = mock_alloc(40);
	int fd = open("/proc/sys/kernel/random/uuid", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, 36) != 36)
		abort();
	close(fd);
	return text;
}

static lcowmig_status hcs_create(void *user, lcowmig_call *call, const char *id, const char *text)
{
	qemu_host *host = user;
	struct qemu_machine_config config = { .loop = host->loop,
					      .id = id,
					      .console = host->console,
					      .use_kvm = host->config.use_kvm,
					      .event = hcs_machine_event,
					      .ended = hcs_machine_ended,
					      .packet = wire_packet };
	struct qemu_document *document = mock_alloc(sizeof *document);
	struct hcs_creation *creation;
	char reason[256] = "";
	hcs_vm *vm = NULL;

	if (host->vm)
		snprintf(reason, sizeof reason, "the compute system %s exists", host->vm->id);
	else if (qemu_document_read(document, text, reason, sizeof reason)) {
		vm = mock_alloc(sizeof *vm);
		vm->host = host;
		vm->is_destination = document->is_destination;
		config.user = vm;
		config.document = document;
		vm->machine = qemu_machine_new(&config, reason, sizeof reason);
	}
	qemu_document_done(document);
	free(document);
	if (!vm || !vm->machine) {
		free(vm);
		return host_fail(call, HCS_E_INVALID_JSON, "%s", reason);
	}
	vm->id = mock_strdup(id);
	vm->stuck = mock_timer_new(host->loop, hcs_cancel_is_stuck, vm);
	vm->runtime_id = hcs_random_guid();
	host->vm = vm;
	memset(&host->figures, 0, sizeof host->figures);
	creation = mock_alloc(sizeof *creation);
	creation->vm = vm;
	creation->call = call;
	qmp_command(vm->machine->monitor, "query-status", NULL, hcs_created, creation);
	return LCOWMIG_PENDING;
}

/* ---- Start ---- */

static lcowmig_status hcs_start(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	hcs_vm *vm = system;
	qemu_step *step;

	(void)user;
	(void)options;
	if (vm->is_started)
		return host_fail(call, HCS_E_INVALID_STATE, "%s was started before", vm->id);
	vm->is_started = true;
	qemu_mux_connect(vm->host->mux, vm->machine->mux_fd);
	vm->machine->mux_fd = -1;
	qemu_mux_begin(vm->host->mux);
	if (vm->is_destination)
		return hcs_start_incoming(vm, call, socket);
	step = hcs_step(vm, call);
	qemu_step_add(step, "cont", NULL);
	qemu_step_end(step);
	return LCOWMIG_PENDING;
}

/* ---- Questions ---- */

static lcowmig_status hcs_properties(void *user, lcowmig_call *call, void *system, const char *query)
{
	hcs_vm *vm = system;
	char *text;
	size_t size;

	(void)user;
	if (strstr(query, "CompatibilityInfo")) {
		char *blob = hcs_compatibility(vm);

		size = strlen(blob) + 128;
		text = mock_alloc(size);
		snprintf(text, size, "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"%s\"}}}}", blob);
		free(blob);
	} else if (strcmp(query, "{}") == 0 || !*query) {
		size = strlen(vm->id) + 256;
		text = mock_alloc(size);
		snprintf(text, size,
			 "{\"Id\":\"%s\",\"SystemType\":\"VirtualMachine\",\"RuntimeOsType\":\"Linux\",\"RuntimeId\":\"%s\",\"State\":\"%"
			 "s\"}",
			 vm->id, vm->runtime_id, vm->is_running ? "Running" : "Created");
	} else {
		return host_fail(call, HR_NOT_SUPPORTED, "the query %s is not answered here", query);
	}
	lcowmig_call_set_result(call, text, strlen(text));
	free(text);
	return LCOWMIG_OK;
}

static lcowmig_status hcs_grant_access(void *user, lcowmig_call *call, const char *id, const char *path)
{
	(void)user;
	(void)id;
	if (access(path, R_OK) != 0)
		return host_fail(call, 0x80070005u, "%s cannot be opened: %s", path, strerror(errno));
	return LCOWMIG_OK;
}

static lcowmig_status hcs_path_type(void *user, lcowmig_call *call, const char *path)
{
	struct stat found;
	const char *type;

	(void)user;
	if (stat(path, &found) != 0)
		return LCOWMIG_E_NOT_FOUND;
	type = S_ISDIR(found.st_mode) ? "directory" : "file";
	lcowmig_call_set_result(call, type, strlen(type));
	return LCOWMIG_OK;
}

/* ---- The end ---- */

static lcowmig_status hcs_terminate(void *user, lcowmig_call *call, void *system)
{
	hcs_vm *vm = system;

	(void)user;
	if (vm->machine->pid == 0)
		return host_fail(call, HCS_E_ALREADY_STOPPED, "%s has stopped", vm->id);
	vm->end_was_asked = true;
	qemu_machine_kill(vm->machine);
	return LCOWMIG_OK;
}

static lcowmig_status hcs_close(void *user, lcowmig_call *call, void *system)
{
	hcs_vm *vm = system;

	(void)user;
	(void)call;
	vm->end_was_asked = true;
	if (vm->host->vm == vm)
		vm->host->vm = NULL;
	qemu_mux_disconnect(vm->host->mux);
	hcs_machine_lost(vm);
	mock_loop_post(vm->host->loop, hcs_vm_free, vm);
	return LCOWMIG_OK;
}

void hcs_fill_ops(qemu_host *host, lcowmig_hcs_ops *ret_ops)
{
	*ret_ops = (lcowmig_hcs_ops){ .size = sizeof *ret_ops,
				      .user = host,
				      .create = hcs_create,
				      .start = hcs_start,
				      .terminate = hcs_terminate,
				      .close = hcs_close,
				      .modify = hcs_modify,
				      .properties = hcs_properties,
				      .initialize_migration = hcs_initialize_migration,
				      .start_migration = hcs_start_migration,
				      .transfer = hcs_transfer,
				      .finalize_migration = hcs_finalize_migration,
				      .cancel_migration = hcs_cancel_migration,
				      .grant_access = hcs_grant_access,
				      .path_type = hcs_path_type };
}
