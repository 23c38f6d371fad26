/* The life of the mock compute system: create, start, ask, terminate, close. */
#include "hcs_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lcowmig_status hcs_later(mock_hcs *hcs, lcowmig_call *call, void (*serve)(mock_call *job), void *object, const void *data, const char *text)
{
	return mock_call_later(hcs->host->loop,
			       &(mock_call){ .owner = hcs, .call = call, .serve = serve, .object = object, .data = data, .text = text });
}

static void hcs_free_vm(hcs_vm *vm)
{
	mock_transfer_free(vm->transfer);
	mock_guest_free(vm->guest);
	mock_memory_free(vm->memory);
	mock_loop_forget(vm->hcs->host->loop, vm);
	for (unsigned i = 0; i < HCS_CONTROLLERS * HCS_LUNS; i++)
		free(vm->disks[i / HCS_LUNS][i % HCS_LUNS].path);
	while (vm->nics) {
		hcs_nic *nic = vm->nics;

		vm->nics = nic->next;
		free(nic->id);
		free(nic->endpoint_id);
		free(nic->mac);
		free(nic);
	}
	if (vm->hcs->vm == vm)
		vm->hcs->vm = NULL;
	free(vm->id);
	free(vm);
}

static void hcs_guest_off(void *user)
{
	hcs_vm *vm = user;

	hcs_tell_guest_cancelled(vm);
	hcs_drop_transfer(vm, HCS_E_INVALID_STATE, "the guest has shut down");
	hcs_off(vm, "GracefulExit");
}

static void hcs_serve_create(mock_call *job)
{
	mock_hcs *hcs = job->owner;
	hcs_reason reason = { { 0 } };
	cJSON *document = hcs_parse(job->text, &reason);
	hcs_vm *vm;

	if (hcs->vm) {
		mock_call_fail(job->call, HCS_E_EXISTS, "the compute system %s exists", hcs->vm->id);
		cJSON_Delete(document);
		return;
	}
	vm = mock_alloc(sizeof *vm);
	vm->hcs = hcs;
	vm->id = mock_strdup(job->data);
	vm->finalize_refusals = hcs->host->config.faults.refuse_finalize;
	if (!document || !hcs_read_document(vm, document, &reason)) {
		mock_call_fail(job->call, HCS_E_INVALID_JSON, "%s", reason.text);
		hcs_free_vm(vm);
	} else if ((vm->memory = mock_memory_new(vm->memory_mb)) == NULL) {
		mock_call_fail(job->call, 0x8007000Eu, "there is no memory for a machine of %llu MB", (unsigned long long)vm->memory_mb);
		hcs_free_vm(vm);
	} else {
		vm->guest = mock_guest_new(hcs->host->loop, vm->memory, hcs->host->vsock, hcs_guest_off, vm);
		mock_guest_set_faults(vm->guest, &hcs->host->config.faults.guest);
		hcs->vm = vm;
		lcowmig_call_set_handle(job->call, vm);
		lcowmig_call_complete(job->call, LCOWMIG_OK);
	}
	cJSON_Delete(document);
}

static lcowmig_status hcs_create(void *user, lcowmig_call *call, const char *id, const char *document)
{
	return hcs_later(user, call, hcs_serve_create, NULL, id, document);
}

static void hcs_serve_start(mock_call *job)
{
	hcs_vm *vm = job->object;

	if (vm->state != HCS_CREATED) {
		mock_call_fail(job->call, HCS_E_INVALID_STATE, "the compute system %s has been started before", vm->id);
	} else if (vm->is_destination || job->data) {
		hcs_serve_start_incoming(job);
	} else {
		vm->state = HCS_RUNNING;
		mock_guest_boot(vm->guest, vm->hcs->host->config.fill_percent);
		lcowmig_call_complete(job->call, LCOWMIG_OK);
	}
}

static lcowmig_status hcs_start(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	return hcs_later(user, call, hcs_serve_start, system, socket, options);
}

void hcs_off(hcs_vm *vm, const char *exit_type)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	char data[80];

	if (vm->state == HCS_OFF)
		return;
	vm->state = HCS_OFF;
	mock_guest_hold(vm->guest);
	mock_vsock_reset(vm->hcs->host->vsock);
	snprintf(data, sizeof data, "{\"Status\":0,\"ExitType\":\"%s\"}", exit_type);
	lcowmig_sandbox_hcs_event(vm->hcs->host->sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, data, &error);
}

static void hcs_terminated(void *user)
{
	hcs_vm *vm = user;

	hcs_drop_transfer(vm, HCS_E_INVALID_STATE, "the compute system was terminated");
	hcs_off(vm, "ForcedExit");
}

static void hcs_serve_terminate(mock_call *job)
{
	hcs_vm *vm = job->object;

	if (vm->state == HCS_OFF) {
		mock_call_fail(job->call, 0xC0370110u, "the compute system %s has stopped", vm->id);
		return;
	}
	mock_loop_post(vm->hcs->host->loop, hcs_terminated, vm); /* accepted now, done later */
	lcowmig_call_complete(job->call, LCOWMIG_OK);
}

static lcowmig_status hcs_terminate(void *user, lcowmig_call *call, void *system)
{
	return hcs_later(user, call, hcs_serve_terminate, system, NULL, NULL);
}

static void hcs_serve_close(mock_call *job)
{
	hcs_vm *vm = job->object;

	hcs_drop_transfer(vm, HCS_E_INVALID_STATE, "the compute system was closed");
	if (vm->state != HCS_OFF) /* its last handle: it goes with it */
		mock_vsock_reset(vm->hcs->host->vsock);
	hcs_free_vm(vm);
	lcowmig_call_complete(job->call, LCOWMIG_OK);
}

static lcowmig_status hcs_close(void *user, lcowmig_call *call, void *system)
{
	return hcs_later(user, call, hcs_serve_close, system, NULL, NULL);
}

static lcowmig_status hcs_modify(void *user, lcowmig_call *call, void *system, const char *request)
{
	return hcs_later(user, call, hcs_serve_modify, system, NULL, request);
}

static void hcs_answer(lcowmig_call *call, cJSON *answer)
{
	char *text = cJSON_PrintUnformatted(answer);

	lcowmig_call_set_result(call, text, strlen(text));
	cJSON_free(text);
	cJSON_Delete(answer);
	lcowmig_call_complete(call, LCOWMIG_OK);
}

static void hcs_answer_basic(lcowmig_call *call, const hcs_vm *vm)
{
	static const char *const states[] = { "Created", "Running", "Paused", "Created", "Stopped" };
	cJSON *answer = cJSON_CreateObject();

	cJSON_AddStringToObject(answer, "Id", vm->id);
	cJSON_AddStringToObject(answer, "SystemType", "VirtualMachine");
	cJSON_AddStringToObject(answer, "RuntimeOsType", "Linux");
	cJSON_AddStringToObject(answer, "RuntimeId", "3f9b6e1c-9f55-4d6d-8b3b-2a9f4f0d6c77");
	cJSON_AddStringToObject(answer, "State", states[vm->state]);
	hcs_answer(call, answer);
}

static void hcs_answer_memory(lcowmig_call *call, const hcs_vm *vm)
{
	cJSON *answer = cJSON_CreateObject();
	cJSON *memory = cJSON_AddObjectToObject(answer, "Memory");
	cJSON *statistics = cJSON_AddObjectToObject(answer, "Statistics");

	cJSON_AddNumberToObject(memory, "AssignedMemory", (double)vm->memory_mb * 256);
	cJSON_AddNumberToObject(memory, "AvailableMemory", (double)vm->memory_mb * 128);
	cJSON_AddNumberToObject(memory, "VirtualNodeCount", 1);
	cJSON_AddNumberToObject(cJSON_AddObjectToObject(statistics, "Processor"), "TotalRuntime100ns", 10000);
	hcs_answer(call, answer);
}

static void hcs_serve_properties(mock_call *job)
{
	const hcs_vm *vm = job->object;
	hcs_reason reason;
	cJSON *query = hcs_parse(job->text, &reason);
	cJSON *answer;
	char *data;

	if (!query) {
		mock_call_fail(job->call, HCS_E_INVALID_JSON, "%s", reason.text);
	} else if (cJSON_HasObjectItem(cJSON_GetObjectItem(query, "Queries"), "CompatibilityInfo")) {
		answer = cJSON_CreateObject();
		data = hcs_compatibility(vm);
		cJSON_AddStringToObject(
			cJSON_AddObjectToObject(
				cJSON_AddObjectToObject(cJSON_AddObjectToObject(answer, "PropertyResponses"), "CompatibilityInfo"),
				"Response"),
			"Data", data);
		free(data);
		hcs_answer(job->call, answer);
	} else if (cJSON_HasObjectItem(query, "PropertyTypes")) {
		hcs_answer_memory(job->call, vm);
	} else if (!query->child) {
		hcs_answer_basic(job->call, vm);
	} else {
		mock_call_fail(job->call, HCS_E_INVALID_JSON, "the query asks for %s, which is unknown", query->child->string);
	}
	cJSON_Delete(query);
}

static lcowmig_status hcs_properties(void *user, lcowmig_call *call, void *system, const char *query)
{
	return hcs_later(user, call, hcs_serve_properties, system, NULL, query);
}

static void hcs_serve_grant(mock_call *job)
{
	mock_hcs *hcs = job->owner;
	hcs_grant *grant;

	if (!hcs_is_granted(hcs, job->data, job->text)) {
		grant = mock_alloc(sizeof *grant);
		grant->id = mock_strdup(job->data);
		grant->path = mock_strdup(job->text);
		grant->next = hcs->grants;
		hcs->grants = grant;
	}
	lcowmig_call_complete(job->call, LCOWMIG_OK);
}

static lcowmig_status hcs_grant_access(void *user, lcowmig_call *call, const char *id, const char *path)
{
	return hcs_later(user, call, hcs_serve_grant, NULL, id, path);
}

static void hcs_serve_resolve(mock_call *job)
{
	char *path = realpath(job->text, NULL);
	const char *answer = path ? path : job->text; /* a disk that is only a name is as good as any */

	lcowmig_call_set_result(job->call, answer, strlen(answer));
	free(path);
	lcowmig_call_complete(job->call, LCOWMIG_OK);
}

static lcowmig_status hcs_resolve_path(void *user, lcowmig_call *call, const char *path)
{
	return hcs_later(user, call, hcs_serve_resolve, NULL, NULL, path);
}

mock_hcs *mock_hcs_new(mock_host *host)
{
	mock_hcs *hcs = mock_alloc(sizeof *hcs);

	hcs->host = host;
	return hcs;
}

void mock_hcs_free(mock_hcs *hcs)
{
	if (!hcs)
		return;
	if (hcs->vm)
		hcs_free_vm(hcs->vm);
	while (hcs->grants) {
		hcs_grant *grant = hcs->grants;

		hcs->grants = grant->next;
		free(grant->id);
		free(grant->path);
		free(grant);
	}
	free(hcs);
}

void mock_hcs_fill_ops(mock_hcs *hcs, lcowmig_hcs_ops *ret_ops)
{
	*ret_ops = (lcowmig_hcs_ops){ .size = sizeof *ret_ops,
				      .user = hcs,
				      .create = hcs_create,
				      .start = hcs_start,
				      .terminate = hcs_terminate,
				      .close = hcs_close,
				      .modify = hcs_modify,
				      .properties = hcs_properties,
				      .grant_access = hcs_grant_access,
				      .resolve_path = hcs_resolve_path };
	hcs_migrate_fill_ops(ret_ops);
}

const mock_guest *mock_host_guest(const mock_host *host)
{
	return host->hcs->vm ? host->hcs->vm->guest : NULL;
}

bool mock_host_guest_runs(const mock_host *host)
{
	return host->hcs->vm && mock_guest_is_running(host->hcs->vm->guest);
}

void mock_host_shut_guest_down(mock_host *host)
{
	if (host->hcs->vm)
		mock_guest_shut_down(host->hcs->vm->guest);
}

const char *mock_host_disk(const mock_host *host, uint32_t controller, uint32_t lun)
{
	return host->hcs->vm && controller < HCS_CONTROLLERS && lun < HCS_LUNS ? host->hcs->vm->disks[controller][lun].path : NULL;
}

bool mock_host_nic(const mock_host *host, uint32_t index, const char **ret_id, const char **ret_endpoint_id, const char **ret_mac)
{
	const hcs_nic *nic = host->hcs->vm ? host->hcs->vm->nics : NULL;

	while (nic && index-- > 0)
		nic = nic->next;
	if (!nic)
		return false;
	*ret_id = nic->id;
	*ret_endpoint_id = nic->endpoint_id;
	*ret_mac = nic->mac;
	return true;
}
