/* An envelope as one JSON object. Names are those of the wire schema; documents and specs are shown parsed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/guid.h"
#include "base/json.h"
#include "tool.h"

static cJSON *json_guid(const lcowmig_guid *guid)
{
	char text[LCOWMIG_GUID_TEXT_SIZE];

	lcowmig_guid_format(guid, text);
	return cJSON_CreateString(text);
}

/* JSON bytes as JSON where they are valid, else as the text they are. */
static cJSON *json_document(lcowmig__wire_bytes bytes)
{
	cJSON *tree;

	if (lcowmig__json_parse("document", (const char *)bytes.data, bytes.size, LCOWMIG_LIMIT_DOCUMENT_BYTES, NULL, &tree, NULL) == LCOWMIG_OK)
		return tree;
	return cJSON_CreateString((const char *)bytes.data);
}

static cJSON *json_base64(lcowmig__wire_bytes bytes)
{
	lcowmig__buf text;
	cJSON *node;

	lcowmig__buf_init(&text, &tool_mem);
	lcowmig__base64_encode(&text, bytes.data, bytes.size);
	node = text.failed ? NULL : cJSON_CreateString(text.data ? text.data : "");
	lcowmig__buf_done(&text);
	return node;
}

/* 0 is left out. cJSON's own numbers lose digits beyond the fifteenth. */
static void add_integer(cJSON *object, const char *key, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%" PRId64, value);
	if (value)
		cJSON_AddRawToObject(object, key, digits);
}

static void add_duration(cJSON *object, const char *key, lcowmig__wire_duration duration)
{
	if (duration.seconds || duration.nanos)
		cJSON_AddNumberToObject(object, key, (double)duration.seconds + duration.nanos / 1e9);
}

static cJSON *json_process(const lcowmig__wire_process *process)
{
	static const char *const port_names[3] = { "stdin_port", "stdout_port", "stderr_port" };
	cJSON *object = cJSON_CreateObject();
	size_t i;

	cJSON_AddStringToObject(object, "exec_id", process->exec_id);
	cJSON_AddNumberToObject(object, "pid", process->pid);
	lcowmig__json_add_string(object, "bundle", process->bundle);
	if (process->oci_process_spec_json.size)
		cJSON_AddItemToObject(object, "oci_process_spec", json_document(process->oci_process_spec_json));
	add_duration(object, "io_retry_timeout_seconds", process->io_retry_timeout);
	for (i = 0; i < LCOWMIG__COUNT(port_names); i++)
		add_integer(object, port_names[i], process->ports[i]);
	add_integer(object, "wait_call_id", process->wait_call_id);
	return object;
}

static cJSON *json_layer(const lcowmig__wire_layer *layer)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddItemToObject(object, "reservation_id", json_guid(&layer->reservation_id));
	lcowmig__json_add_string(object, "guest_path", layer->guest_path);
	return object;
}

static cJSON *json_layers(const lcowmig__wire_container *container)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *layers = cJSON_AddArrayToObject(object, "ro_layers");
	size_t i;

	for (i = 0; i < container->n_ro_layers; i++)
		cJSON_AddItemToArray(layers, json_layer(&container->ro_layers[i]));
	if (container->has_scratch)
		cJSON_AddItemToObject(object, "scratch", json_layer(&container->scratch));
	cJSON_AddBoolToObject(object, "layers_combined", container->layers_combined);
	lcowmig__json_add_string(object, "rootfs_path", container->rootfs_path);
	return object;
}

static cJSON *json_container(const lcowmig__wire_container *container)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *list;
	size_t i;

	cJSON_AddStringToObject(object, "container_id", container->container_id);
	cJSON_AddStringToObject(object, "gcs_container_id", container->gcs_container_id);
	add_duration(object, "io_retry_timeout_seconds", container->io_retry_timeout);
	if (container->has_layers)
		cJSON_AddItemToObject(object, "layers", json_layers(container));
	if (container->n_scsi_reservations) {
		list = cJSON_AddArrayToObject(object, "scsi_reservation_ids");
		for (i = 0; i < container->n_scsi_reservations; i++)
			cJSON_AddItemToArray(list, json_guid(&container->scsi_reservations[i]));
	}
	list = cJSON_AddArrayToObject(object, "processes");
	for (i = 0; i < container->n_processes; i++)
		cJSON_AddItemToArray(list, json_process(&container->processes[i]));
	return object;
}

static cJSON *json_network(const lcowmig__wire_network *network)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *endpoints;
	size_t i;

	cJSON_AddStringToObject(object, "namespace_id", network->namespace_id);
	cJSON_AddBoolToObject(object, "policy_based_routing", network->policy_based_routing);
	cJSON_AddBoolToObject(object, "is_namespace_supported_by_guest", network->namespace_supported);
	endpoints = cJSON_AddObjectToObject(object, "vm_endpoints");
	for (i = 0; i < network->n_endpoints; i++) {
		const lcowmig__wire_endpoint *endpoint = &network->endpoints[i];
		cJSON *item = cJSON_AddObjectToObject(endpoints, endpoint->nic_id);

		lcowmig__json_add_string(item, "endpoint_id", endpoint->endpoint_id);
		lcowmig__json_add_string(item, "mac_address", endpoint->mac_address);
		lcowmig__json_add_string(item, "endpoint_name", endpoint->endpoint_name);
	}
	return object;
}

static cJSON *json_pod(const lcowmig__wire_pod *pod)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *containers;
	size_t i;

	cJSON_AddStringToObject(object, "pod_id", pod->pod_id);
	cJSON_AddStringToObject(object, "gcs_pod_id", pod->gcs_pod_id);
	if (pod->has_network)
		cJSON_AddItemToObject(object, "network", json_network(&pod->network));
	containers = cJSON_AddObjectToObject(object, "containers");
	for (i = 0; i < pod->n_containers; i++)
		cJSON_AddItemToObject(containers, pod->containers[i].container_id, json_container(&pod->containers[i]));
	return object;
}

static cJSON *json_mount(const lcowmig__wire_mount *mount)
{
	cJSON *object = cJSON_CreateObject();
	size_t i;

	lcowmig__json_add_bool(object, "read_only", mount->read_only);
	lcowmig__json_add_bool(object, "encrypted", mount->encrypted);
	if (mount->n_options) {
		cJSON *options = cJSON_AddArrayToObject(object, "options");

		for (i = 0; i < mount->n_options; i++)
			cJSON_AddItemToArray(options, cJSON_CreateString(mount->options[i]));
	}
	lcowmig__json_add_bool(object, "ensure_filesystem", mount->ensure_filesystem);
	lcowmig__json_add_string(object, "filesystem", mount->filesystem);
	lcowmig__json_add_bool(object, "block_dev", mount->block_device);
	cJSON_AddNumberToObject(object, "ref_count", mount->ref_count);
	lcowmig__json_add_string(object, "guest_path", mount->guest_path);
	return object;
}

static cJSON *json_disk(const lcowmig__wire_disk *disk)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *mounts;
	size_t i;

	cJSON_AddStringToObject(object, "host_path", disk->host_path);
	cJSON_AddBoolToObject(object, "read_only", disk->read_only);
	lcowmig__json_add_string(object, "type", disk->type);
	lcowmig__json_add_string(object, "evd_type", disk->evd_type);
	mounts = cJSON_AddObjectToObject(object, "mounts");
	for (i = 0; i < disk->n_mounts; i++) {
		char key[24];

		snprintf(key, sizeof key, "%llu", (unsigned long long)disk->mounts[i].partition);
		cJSON_AddItemToObject(mounts, key, json_mount(&disk->mounts[i]));
	}
	return object;
}

static cJSON *json_scsi(const lcowmig__wire_scsi *scsi)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *list;
	size_t i;

	cJSON_AddNumberToObject(object, "num_controllers", scsi->num_controllers);
	list = cJSON_AddObjectToObject(object, "disks");
	for (i = 0; i < scsi->n_disks; i++) {
		char key[24];

		snprintf(key, sizeof key, "%u:%u", scsi->disks[i].slot / LCOWMIG_SCSI_LUNS, scsi->disks[i].slot % LCOWMIG_SCSI_LUNS);
		cJSON_AddItemToObject(list, key, json_disk(&scsi->disks[i]));
	}
	list = cJSON_AddObjectToObject(object, "reservations");
	for (i = 0; i < scsi->n_reservations; i++) {
		const lcowmig__wire_reservation *reservation = &scsi->reservations[i];
		char key[LCOWMIG_GUID_TEXT_SIZE];
		cJSON *item;

		lcowmig_guid_format(&reservation->id, key);
		item = cJSON_AddObjectToObject(list, key);
		cJSON_AddNumberToObject(item, "slot", reservation->slot);
		cJSON_AddNumberToObject(item, "partition", (double)reservation->partition);
	}
	return object;
}

static cJSON *json_vm(const lcowmig__wire_vm *vm)
{
	cJSON *object = cJSON_CreateObject();

	lcowmig__json_add_string(object, "vm_id", vm->vm_id);
	if (vm->has_options) {
		cJSON *options = cJSON_AddObjectToObject(object, "sandbox_options");

		lcowmig__json_add_string(options, "architecture", vm->architecture);
		lcowmig__json_add_bool(options, "no_writable_file_shares", vm->no_writable_file_shares);
		lcowmig__json_add_bool(options, "enable_scratch_encryption", vm->enable_scratch_encryption);
		lcowmig__json_add_bool(options, "policy_based_routing", vm->policy_based_routing);
		lcowmig__json_add_bool(options, "fully_physically_backed", vm->fully_physically_backed);
	}
	if (vm->has_scsi)
		cJSON_AddItemToObject(object, "scsi", json_scsi(&vm->scsi));
	add_integer(object, "gcs_next_port", vm->gcs_next_port);
	add_integer(object, "bridge_next_id", vm->bridge_next_id);
	if (vm->compat_info.size)
		cJSON_AddItemToObject(object, "compat_info", json_base64(vm->compat_info));
	if (vm->hcs_document.size)
		cJSON_AddItemToObject(object, "hcs_document", json_document(vm->hcs_document));
	return object;
}

static cJSON *json_sandbox(const lcowmig__wire_sandbox *sandbox)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *pods;
	size_t i;

	cJSON_AddItemToObject(object, "vm", json_vm(&sandbox->vm));
	pods = cJSON_AddObjectToObject(object, "pods");
	for (i = 0; i < sandbox->n_pods; i++)
		cJSON_AddItemToObject(pods, sandbox->pods[i].pod_id, json_pod(&sandbox->pods[i]));
	return object;
}

static cJSON *json_content(const tool_envelope *envelope)
{
	switch (envelope->kind) {
	case TOOL_VM:
		return json_vm(&envelope->as.vm);
	case TOOL_POD:
		return json_pod(&envelope->as.pod);
	case TOOL_CONTAINER:
		return json_container(&envelope->as.container);
	case TOOL_PROCESS:
		return json_process(&envelope->as.process);
	case TOOL_NETWORK:
		return json_network(&envelope->as.network);
	case TOOL_SCSI:
		return json_scsi(&envelope->as.scsi);
	case TOOL_SANDBOX:
	case TOOL_KINDS:
		break;
	}
	return json_sandbox(&envelope->as.sandbox);
}

cJSON *tool_json(const tool_envelope *envelope)
{
	cJSON *root = cJSON_CreateObject();

	cJSON_AddStringToObject(root, "kind", tool_kind_name(envelope->kind));
	cJSON_AddItemToObject(root, tool_kind_name(envelope->kind), json_content(envelope));
	return root;
}
