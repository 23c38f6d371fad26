/* A disk in its slot. */
#include <string.h>

#include "base/text.h"
#include "guest/guest.h"
#include "hcs/documents.h"
#include "scsi_private.h"

static int disk_compare_mount(const void *key, const lcowmig__node *node)
{
	const uint64_t *partition = key;
	const lcowmig__mount *mount = LCOWMIG__TREE_ENTRY(node, lcowmig__mount, node);

	return (*partition > mount->partition) - (*partition < mount->partition);
}

lcowmig__disk *lcowmig__disk_new(lcowmig_context *context, uint32_t slot, const lcowmig_disk_config *config)
{
	const lcowmig__mem *mem = &context->mem;
	lcowmig__disk *disk = lcowmig__alloc(mem, sizeof *disk);

	if (!disk)
		return NULL;
	disk->slot = slot;
	disk->type = config->type;
	disk->read_only = config->read_only != 0;
	disk->host_path = lcowmig__strdup(mem, config->host_path ? config->host_path : "");
	disk->evd_type = lcowmig__strdup(mem, config->evd_type ? config->evd_type : "");
	lcowmig__object_init(&disk->object, context, &lcowmig__disk_machine, disk->host_path);
	lcowmig__tree_init(&disk->mounts, disk_compare_mount);
	lcowmig__list_init(&disk->reservations);
	if (disk->host_path && disk->evd_type)
		return disk;
	lcowmig__disk_free(disk);
	return NULL;
}

void lcowmig__disk_free(lcowmig__disk *disk)
{
	const lcowmig__mem *mem;
	lcowmig__node *node;

	if (!disk)
		return;
	mem = &disk->object.context->mem;
	while ((node = lcowmig__tree_first(&disk->mounts)) != NULL) {
		lcowmig__tree_remove(&disk->mounts, node);
		lcowmig__mount_free(LCOWMIG__TREE_ENTRY(node, lcowmig__mount, node));
	}
	lcowmig__free(mem, disk->host_path);
	lcowmig__free(mem, disk->imported_path);
	lcowmig__free(mem, disk->evd_type);
	lcowmig__free(mem, disk);
}

bool lcowmig__disk_is(const lcowmig__disk *disk, const lcowmig_disk_config *config)
{
	return disk->type == config->type && disk->read_only == (config->read_only != 0) &&
	       strcmp(disk->evd_type, config->evd_type ? config->evd_type : "") == 0;
}

lcowmig__mount *lcowmig__disk_find_mount(const lcowmig__disk *disk, uint64_t partition)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&disk->mounts, &partition), lcowmig__mount, node);
}

lcowmig_status lcowmig__disk_reserve_partition(lcowmig__disk *disk, const lcowmig_mount_config *config, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&disk->object, DISK_RESERVE_PARTITION, error);
	lcowmig__mount *mount;

	if (status != LCOWMIG_OK)
		return status;
	mount = lcowmig__disk_find_mount(disk, config->partition);
	if (mount)
		return lcowmig__mount_reserve(mount, config, error);
	mount = lcowmig__mount_new(disk->object.context, lcowmig__disk_controller(disk), lcowmig__disk_lun(disk), config, NULL);
	if (!mount)
		return lcowmig__fail_memory(error);
	lcowmig__tree_insert(&disk->mounts, &mount->partition, &mount->node);
	lcowmig__object_fire(&disk->object, DISK_RESERVE_PARTITION);
	return LCOWMIG_OK;
}

void lcowmig__disk_release_partition(lcowmig__disk *disk, lcowmig__mount *mount, bool guest_unmounted)
{
	uint32_t left = mount->ref_count ? mount->ref_count - 1 : 0;

	if (!guest_unmounted)
		lcowmig__object_fire(&mount->object, MOUNT_RELEASE);
	else
		lcowmig__object_fire(&mount->object, left ? MOUNT_UNMOUNT_RESERVED_AGAIN : MOUNT_UNMOUNT);
	lcowmig__object_fire(&disk->object, DISK_UNMOUNT_PARTITION);
	mount->ref_count = left;
	if (left)
		return;
	lcowmig__tree_remove(&disk->mounts, &mount->node);
	lcowmig__mount_free(mount);
}

void lcowmig__disk_ask_attach(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__disk *disk)
{
	lcowmig__hcs_attachment attachment = {
		.controller = lcowmig__disk_controller(disk),
		.lun = lcowmig__disk_lun(disk),
		.path = disk->host_path,
		.type = lcowmig__disk_type_text(disk->type),
		.read_only = disk->read_only,
		.evd_type = disk->evd_type,
	};

	lcowmig__hcs_modify(flow, env, lcowmig__hcs_scsi_add(&env->context->mem, &attachment));
}

void lcowmig__disk_ask_eject(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__disk *disk)
{
	lcowmig__guest_remove_scsi_device(flow, env, lcowmig__disk_controller(disk), lcowmig__disk_lun(disk));
}

void lcowmig__disk_ask_detach(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__disk *disk)
{
	lcowmig__hcs_modify(flow, env,
	                    lcowmig__hcs_scsi_remove(&env->context->mem, lcowmig__disk_controller(disk), lcowmig__disk_lun(disk)));
}

bool lcowmig__disk_is_present(const lcowmig__disk *disk)
{
	return disk->is_root || disk->object.state == DISK_ATTACHED || disk->object.state == DISK_EJECTED;
}

void lcowmig__disk_config(const lcowmig__disk *disk, lcowmig_disk_config *ret_config)
{
	*ret_config = (lcowmig_disk_config){
		.size = sizeof *ret_config,
		.host_path = disk->host_path,
		.evd_type = disk->evd_type,
		.type = disk->type,
		.read_only = disk->read_only,
	};
}

const char *lcowmig__disk_type_text(uint32_t type)
{
	static const char *const texts[] = { "", LCOWMIG__DISK_VIRTUAL, LCOWMIG__DISK_PASS_THRU, LCOWMIG__DISK_EXTENSIBLE };

	return texts[type];
}
