/* Disks and network cards that come and go while the machine runs. */
#include "host_internal.h"

#include <stdlib.h>
#include <string.h>

static lcowmig_status modify_disk(hcs_vm *vm, lcowmig_call *call, const struct qemu_place *place, const cJSON *request)
{
	const cJSON *settings = qemu_json_at(request, "Settings");
	struct qemu_disk disk = { place->controller, place->lun, NULL, false };
	qemu_step *step = hcs_step(vm, call);

	if (strcmp(qemu_json_text(request, "RequestType"), "Remove") == 0) {
		qemu_step_addf(step, "device_del", "{\"id\":\"slot%u-%u\"}", (unsigned)place->controller, (unsigned)place->lun);
	} else {
		disk.path = mock_strdup(qemu_json_text(settings, "Path"));
		disk.is_read_only = cJSON_IsTrue(qemu_json_at(settings, "ReadOnly"));
		qemu_machine_plug_disk(vm->machine, &disk, step);
		free(disk.path);
	}
	qemu_step_end(step);
	return LCOWMIG_PENDING;
}

static lcowmig_status modify_nic(hcs_vm *vm, lcowmig_call *call, const struct qemu_place *place, const cJSON *request)
{
	struct qemu_nic *nic = qemu_machine_find_nic(vm->machine, place->nic_id);
	bool is_removal = strcmp(qemu_json_text(request, "RequestType"), "Remove") == 0;
	const char *endpoint_id = qemu_json_text(request, "Settings.EndpointId");
	cJSON *owner = NULL;
	qemu_step *step;

	if (is_removal && (!nic || nic->is_leaving))
		return nic ? LCOWMIG_OK : host_fail(call, HR_NOT_FOUND, "there is no network card %s", place->nic_id);
	if (!is_removal && nic)
		return host_fail(call, HCS_E_EXISTS, "the network card %s exists", place->nic_id);
	if (!is_removal && !network_find_endpoint(vm->host, endpoint_id, &owner))
		return host_fail(call, HR_NOT_FOUND, "there is no endpoint %s", endpoint_id);
	cJSON_Delete(owner);
	if (!is_removal && !qemu_machine_has_nic_place(vm->machine))
		return host_fail(call, HR_FAIL, "the machine has no place for another network card");
	step = hcs_step(vm, call);
	if (is_removal)
		qemu_machine_unplug_nic(vm->machine, nic, step);
	else
		qemu_machine_plug_nic(vm->machine, place->nic_id, qemu_json_text(request, "Settings.MacAddress"), step);
	qemu_step_end(step);
	return LCOWMIG_PENDING;
}

lcowmig_status hcs_modify(void *user, lcowmig_call *call, void *system, const char *text)
{
	hcs_vm *vm = system;
	cJSON *request = cJSON_Parse(text);
	const char *path = qemu_json_text(request, "ResourcePath");
	struct qemu_place place;
	lcowmig_status status;

	(void)user;
	qemu_place_read(&place, path);
	if (vm->machine->pid == 0)
		status = host_fail(call, HCS_E_ALREADY_STOPPED, "%s has stopped", vm->id);
	else if (place.kind == QEMU_PLACE_DISK)
		status = modify_disk(vm, call, &place, request);
	else if (place.kind == QEMU_PLACE_NIC)
		status = modify_nic(vm, call, &place, request);
	else
		status = host_fail(call, HR_NOT_SUPPORTED, "%s cannot be changed here", path);
	cJSON_Delete(request);
	return status;
}

/*
 * HCS's document does not tell of cards that were plugged in at run time, and QEMU's stream only fits a machine that has the same ones. So the
 * compatibility data, which are the host's own affair, carry them.
 */
char *hcs_compatibility(const hcs_vm *vm)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(json, "Nics");
	char *text;
	char *blob;

	cJSON_AddStringToObject(json, "Hypervisor", "QEMU");
	for (unsigned i = 0; i < QEMU_NICS; i++) {
		cJSON *entry;

		if (!vm->machine->nics[i].is_there)
			continue;
		entry = cJSON_CreateObject();
		cJSON_AddNumberToObject(entry, "Place", i);
		cJSON_AddStringToObject(entry, "MacAddress", vm->machine->nics[i].mac);
		cJSON_AddItemToArray(list, entry);
	}
	text = cJSON_PrintUnformatted(json);
	blob = qemu_base64(text, strlen(text));
	cJSON_free(text);
	cJSON_Delete(json);
	return blob;
}

void hcs_drop_stale_nics(hcs_vm *vm)
{
	qemu_step *step = qemu_step_new(vm->machine, NULL, NULL);

	for (unsigned i = 0; i < QEMU_NICS; i++) {
		struct qemu_nic *nic = &vm->machine->nics[i];

		if (nic->is_there && nic->is_stale && !nic->is_leaving)
			qemu_machine_unplug_nic(vm->machine, nic, step);
	}
	qemu_step_end(step);
}
