/* Requests to the guest: resources of the virtual machine. The keys stand in the order in which existing hosts write them. */
#include "guest.h"

#include "base/guid.h"
#include "request.h"

/* ---- The frame ---- */

cJSON *lcowmig__guest_request(const char *container_id)
{
	cJSON *request = cJSON_CreateObject();

	/* The container id is never left out, not even when empty. */
	if (lcowmig__json_add_item(request, "ContainerId", cJSON_CreateString(container_id)) &&
	    lcowmig__json_add_string(request, "ActivityId", LCOWMIG__NULL_GUID))
		return request;
	cJSON_Delete(request);
	return NULL;
}

lcowmig_call *lcowmig__guest_send(lcowmig__flow *flow, const lcowmig__env *env, uint32_t message, const char *container_id, cJSON *request,
                                  bool is_complete)
{
	char *document = is_complete ? lcowmig__json_print(&env->context->mem, request) : NULL;

	cJSON_Delete(request);
	return lcowmig__guest_rpc(flow, env, message, container_id, document);
}

/* A ModifySettings request; `settings` is taken. */
static void guest_modify(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, const char *type, const char *resource,
                         cJSON *settings, bool is_complete)
{
	cJSON *message = lcowmig__guest_request(container_id);
	cJSON *request = cJSON_CreateObject();

	is_complete = lcowmig__json_add_string(request, "RequestType", type) &&
		      lcowmig__json_add_string(request, "ResourceType", resource) && is_complete;
	is_complete = lcowmig__json_add_item(request, "Settings", settings) && is_complete;
	is_complete = lcowmig__json_add_item(message, "Request", request) && is_complete;
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_MODIFY_SETTINGS, container_id, message, is_complete);
}

/* An array of strings; left out when empty. */
bool lcowmig__guest_add_strings(cJSON *object, const char *key, const char *const *texts, size_t n_texts)
{
	cJSON *array;
	size_t i;

	if (!n_texts)
		return object != NULL;
	array = cJSON_CreateArray();
	for (i = 0; i < n_texts; i++) {
		cJSON *item = cJSON_CreateString(texts[i]);

		if (!cJSON_AddItemToArray(array, item)) { /* also when either is NULL */
			cJSON_Delete(item);
			cJSON_Delete(array);
			return false;
		}
	}
	return lcowmig__json_add_item(object, key, array);
}

/* ---- Disks ---- */

static void disk_request(lcowmig__flow *flow, const lcowmig__env *env, const char *type, const lcowmig__guest_disk *disk)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(settings, "MountPath", disk->mount_path) &&
		  lcowmig__json_add_uint64(settings, "Lun", disk->lun) &&
		  lcowmig__json_add_uint64(settings, "Controller", disk->controller) &&
		  lcowmig__json_add_uint64(settings, "Partition", disk->partition) &&
		  lcowmig__json_add_bool(settings, "ReadOnly", disk->read_only) &&
		  lcowmig__json_add_bool(settings, "Encrypted", disk->encrypted) &&
		  lcowmig__guest_add_strings(settings, "Options", disk->options, disk->n_options) &&
		  lcowmig__json_add_bool(settings, "BlockDev", disk->block_device) &&
		  lcowmig__json_add_bool(settings, "EnsureFilesystem", disk->ensure_filesystem) &&
		  lcowmig__json_add_string(settings, "Filesystem", disk->filesystem);

	guest_modify(flow, env, LCOWMIG__NULL_GUID, type, "MappedVirtualDisk", settings, ok);
}

void lcowmig__guest_add_disk(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_disk *disk)
{
	disk_request(flow, env, "Add", disk);
}

void lcowmig__guest_remove_disk(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_disk *disk)
{
	disk_request(flow, env, "Remove", disk);
}

void lcowmig__guest_remove_scsi_device(lcowmig__flow *flow, const lcowmig__env *env, uint32_t controller, uint32_t lun)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_uint64(settings, "Controller", controller) && lcowmig__json_add_uint64(settings, "Lun", lun);

	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Remove", "SCSIDevice", settings, ok);
}

/* ---- A container's root ---- */

static bool add_layers(cJSON *settings, const lcowmig__guest_layers *layers)
{
	cJSON *array = cJSON_CreateArray();
	bool ok = array != NULL;
	size_t i;

	for (i = 0; i < layers->n_layers && ok; i++) {
		cJSON *layer = cJSON_CreateObject();

		ok = lcowmig__json_add_string(layer, "Path", layers->layers[i]);
		cJSON_AddItemToArray(array, layer); /* goes with the array when it is not complete */
	}
	if (ok && layers->n_layers)
		return lcowmig__json_add_item(settings, "Layers", array);
	cJSON_Delete(array);
	return ok;
}

static void layers_request(lcowmig__flow *flow, const lcowmig__env *env, const char *type, const lcowmig__guest_layers *layers)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(settings, "ContainerID", layers->container_id) &&
	          lcowmig__json_add_string(settings, "ContainerRootPath", layers->root_path) && add_layers(settings, layers) &&
	          lcowmig__json_add_string(settings, "ScratchPath", layers->scratch_path);

	guest_modify(flow, env, LCOWMIG__NULL_GUID, type, "CombinedLayers", settings, ok);
}

void lcowmig__guest_add_layers(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_layers *layers)
{
	layers_request(flow, env, "Add", layers);
}

void lcowmig__guest_remove_layers(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_layers *layers)
{
	layers_request(flow, env, "Remove", layers);
}

/* ---- Network ---- */

void lcowmig__guest_add_network(lcowmig__flow *flow, const lcowmig__env *env, char *settings)
{
	cJSON *raw = settings ? cJSON_CreateRaw(settings) : NULL;

	lcowmig__free(&env->context->mem, settings);
	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Add", "Network", raw, raw != NULL);
}

void lcowmig__guest_remove_network(lcowmig__flow *flow, const lcowmig__env *env, const char *namespace_id, const char *nic_id)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(settings, "NamespaceID", namespace_id) && lcowmig__json_add_string(settings, "ID", nic_id);

	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Remove", "Network", settings, ok);
}

/* ---- Directories, devices, policy, memory ---- */

static void directory_request(lcowmig__flow *flow, const lcowmig__env *env, const char *type, const lcowmig__guest_directory *directory)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(settings, "MountPath", directory->mount_path) &&
	          lcowmig__json_add_uint64(settings, "Port", directory->port) &&
	          lcowmig__json_add_string(settings, "ShareName", directory->share_name) &&
	          lcowmig__json_add_bool(settings, "ReadOnly", directory->read_only);

	guest_modify(flow, env, LCOWMIG__NULL_GUID, type, "MappedDirectory", settings, ok);
}

void lcowmig__guest_add_directory(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_directory *directory)
{
	directory_request(flow, env, "Add", directory);
}

void lcowmig__guest_remove_directory(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_directory *directory)
{
	directory_request(flow, env, "Remove", directory);
}

void lcowmig__guest_add_vpci(lcowmig__flow *flow, const lcowmig__env *env, const char *vmbus_guid)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(settings, "VMBusGUID", vmbus_guid);

	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Add", "VPCIDevice", settings, ok);
}

void lcowmig__guest_add_policy(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_policy *policy)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(settings, "EnforcerType", policy->enforcer) &&
	          lcowmig__json_add_string(settings, "EncodedSecurityPolicy", policy->policy) &&
	          lcowmig__json_add_string(settings, "EncodedUVMReference", policy->reference) &&
	          lcowmig__json_add_string(settings, "EncodedUVMHashEnvelopeReference", policy->hash_envelope);

	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Add", "SecurityPolicy", settings, ok);
}

void lcowmig__guest_add_policy_fragment(lcowmig__flow *flow, const lcowmig__env *env, const char *fragment, const char *media_type)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(settings, "Fragment", fragment) && lcowmig__json_add_string(settings, "MediaType", media_type);

	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Add", "SecurityPolicyFragment", settings, ok);
}

/* The one resource without settings. */
void lcowmig__guest_update_pod_memory(lcowmig__flow *flow, const lcowmig__env *env)
{
	cJSON *message = lcowmig__guest_request(LCOWMIG__NULL_GUID);
	cJSON *request = cJSON_CreateObject();
	bool ok = lcowmig__json_add_string(request, "RequestType", "Update") &&
	          lcowmig__json_add_string(request, "ResourceType", "PodCgroupMemoryLimit");

	ok = lcowmig__json_add_item(message, "Request", request) && ok;
	lcowmig__guest_send(flow, env, LCOWMIG_GCS_MODIFY_SETTINGS, LCOWMIG__NULL_GUID, message, ok);
}

void lcowmig__guest_update_constraints(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, const char *linux_resources)
{
	cJSON *settings = cJSON_CreateObject();
	bool ok = lcowmig__json_add_item(settings, "Windows", cJSON_CreateObject()) &&
	          lcowmig__json_add_raw(settings, "Linux", linux_resources && linux_resources[0] ? linux_resources : "{}");

	guest_modify(flow, env, container_id, "Update", "ContainerConstraints", settings, ok);
}
