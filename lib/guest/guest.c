/* Requests to the guest: resources of the virtual machine. The keys stand in the order in which existing hosts write them. */
#include "guest.h"

#include "base/guid.h"
#include "base/text.h"
#include "request.h"

/* ---- The frame ---- */

static void guest_begin(lcowmig__buf *buf, const lcowmig__env *env, const char *container_id)
{
	lcowmig__buf_init(buf, &env->context->mem);
	/* The container id is never left out, not even when empty. */
	lcowmig__json_write(buf, "{ContainerId:S ActivityId:s", container_id, LCOWMIG__NULL_GUID);
}

static lcowmig_call *guest_end(lcowmig__buf *buf, lcowmig__flow *flow, const lcowmig__env *env, uint32_t message, const char *container_id)
{
	lcowmig__buf_append(buf, "}", 1);
	return lcowmig__guest_rpc(flow, env, message, container_id, lcowmig__buf_take(buf));
}

lcowmig_call *lcowmig__guest_send(lcowmig__flow *flow, const lcowmig__env *env, uint32_t message, const char *container_id, const char *form,
                                  ...)
{
	va_list arguments;
	lcowmig__buf buf;

	guest_begin(&buf, env, container_id);
	va_start(arguments, form);
	lcowmig__json_vwrite(&buf, form, &arguments);
	va_end(arguments);
	return guest_end(&buf, flow, env, message, container_id);
}

/* A ModifySettings request; `settings` is the form of its settings. */
static void guest_modify(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, const char *type, const char *resource,
                         const char *settings, ...)
{
	va_list arguments;
	lcowmig__buf buf;

	guest_begin(&buf, env, container_id);
	lcowmig__json_write(&buf, "Request:{RequestType:s ResourceType:s", type, resource);
	va_start(arguments, settings);
	lcowmig__json_vwrite(&buf, settings, &arguments);
	va_end(arguments);
	lcowmig__buf_append(&buf, "}", 1);
	guest_end(&buf, flow, env, LCOWMIG_GCS_MODIFY_SETTINGS, container_id);
}

/* ---- Disks ---- */

static void disk_request(lcowmig__flow *flow, const lcowmig__env *env, const char *type, const lcowmig__guest_disk *disk)
{
	guest_modify(flow, env, LCOWMIG__NULL_GUID, type, "MappedVirtualDisk",
	             "Settings:{MountPath:s Lun:u Controller:u Partition:n ReadOnly:b Encrypted:b Options:a BlockDev:b EnsureFilesystem:b "
	             "Filesystem:s}",
	             disk->mount_path, disk->lun, disk->controller, disk->partition, disk->read_only, disk->encrypted, disk->options,
	             disk->n_options, disk->block_device, disk->ensure_filesystem, disk->filesystem);
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
	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Remove", "SCSIDevice", "Settings:{Controller:u Lun:u}", controller, lun);
}

/* ---- A container's root ---- */

/* The list of layers, "" when there are none. */
static char *layers_text(const lcowmig__mem *mem, const lcowmig__guest_layers *layers)
{
	lcowmig__buf buf;
	size_t i;

	lcowmig__buf_init(&buf, mem);
	for (i = 0; i < layers->n_layers; i++)
		lcowmig__json_write(&buf, i ? "{Path:s}" : "[{Path:s}", layers->layers[i]);
	if (i)
		lcowmig__buf_append(&buf, "]", 1);
	return lcowmig__buf_take(&buf);
}

static void layers_request(lcowmig__flow *flow, const lcowmig__env *env, const char *type, const lcowmig__guest_layers *layers)
{
	guest_modify(flow, env, LCOWMIG__NULL_GUID, type, "CombinedLayers",
	             "Settings:{ContainerID:s ContainerRootPath:s Layers:d ScratchPath:s}", layers->container_id, layers->root_path,
	             layers_text(&env->context->mem, layers), layers->scratch_path);
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
	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Add", "Network", "Settings:d", settings);
}

void lcowmig__guest_remove_network(lcowmig__flow *flow, const lcowmig__env *env, const char *namespace_id, const char *nic_id)
{
	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Remove", "Network", "Settings:{NamespaceID:s ID:s}", namespace_id, nic_id);
}

/* ---- Directories, devices, policy, memory ---- */

static void directory_request(lcowmig__flow *flow, const lcowmig__env *env, const char *type, const lcowmig__guest_directory *directory)
{
	guest_modify(flow, env, LCOWMIG__NULL_GUID, type, "MappedDirectory", "Settings:{MountPath:s Port:u ShareName:s ReadOnly:b}",
	             directory->mount_path, directory->port, directory->share_name, directory->read_only);
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
	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Add", "VPCIDevice", "Settings:{VMBusGUID:s}", vmbus_guid);
}

void lcowmig__guest_add_policy(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__guest_policy *policy)
{
	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Add", "SecurityPolicy",
	             "Settings:{EnforcerType:s EncodedSecurityPolicy:s EncodedUVMReference:s EncodedUVMHashEnvelopeReference:s}",
	             policy->enforcer, policy->policy, policy->reference, policy->hash_envelope);
}

void lcowmig__guest_add_policy_fragment(lcowmig__flow *flow, const lcowmig__env *env, const char *fragment, const char *media_type)
{
	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Add", "SecurityPolicyFragment", "Settings:{Fragment:s MediaType:s}", fragment,
	             media_type);
}

void lcowmig__guest_update_pod_memory(lcowmig__flow *flow, const lcowmig__env *env)
{
	guest_modify(flow, env, LCOWMIG__NULL_GUID, "Update", "PodCgroupMemoryLimit", "");
}

void lcowmig__guest_update_constraints(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id, const char *linux_resources)
{
	guest_modify(flow, env, container_id, "Update", "ContainerConstraints", "Settings:{Windows:{} Linux:j}",
	             lcowmig__text_is_empty(linux_resources) ? "{}" : linux_resources);
}
