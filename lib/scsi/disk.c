/* A disk in its slot. */
#include <string.h>

#include "base/text.h"
#include "scsi_private.h"

static int disk_compare_mount(const void *key, const lcowmig__node *node)
{
	const uint64_t *partition = key;
	const lcowmig__mount *mount = LCOWMIG__TREE_ENTRY(node, lcowmig__mount, node);

	return (*partition > mount->wire.partition) - (*partition < mount->wire.partition);
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
	const lcowmig__mem *mem = &disk->object.context->mem;
	lcowmig__node *node;

	while ((node = lcowmig__tree_first(&disk->mounts)) != NULL) {
		lcowmig__tree_remove(&disk->mounts, node);
		lcowmig__mount_free(LCOWMIG__TREE_ENTRY(node, lcowmig__mount, node));
	}
	lcowmig__free(mem, disk->host_path);
	lcowmig__free(mem, disk->imported_path);
	lcowmig__free(mem, disk->evd_type);
	lcowmig__free(mem, disk);
}

lcowmig__mount *lcowmig__disk_find_mount(const lcowmig__disk *disk, uint64_t partition)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&disk->mounts, &partition), lcowmig__mount, node);
}

lcowmig_status lcowmig__disk_add_mount(lcowmig__disk *disk, const lcowmig__wire_mount *wire, lcowmig_error *error)
{
	lcowmig__mount *mount = lcowmig__mount_new(disk->object.context, disk->slot, wire);

	if (!mount)
		return lcowmig__fail_memory(error);
	lcowmig__tree_insert(&disk->mounts, &mount->wire.partition, &mount->node);
	if (!lcowmig__text_is_empty(wire->guest_path))
		lcowmig__object_fire(&mount->object, MOUNT_MOUNT);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__disk_reserve_partition(lcowmig__disk *disk, const lcowmig__wire_mount *wire, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&disk->object, DISK_RESERVE_PARTITION, error);
	lcowmig__mount *mount;

	if (status != LCOWMIG_OK)
		return status;
	mount = lcowmig__disk_find_mount(disk, wire->partition);
	if (mount)
		return lcowmig__mount_reserve(mount, wire, error);
	status = lcowmig__disk_add_mount(disk, wire, error);
	if (status == LCOWMIG_OK)
		lcowmig__object_fire(&disk->object, DISK_RESERVE_PARTITION);
	return status;
}

void lcowmig__disk_release_partition(lcowmig__disk *disk, lcowmig__mount *mount, bool guest_unmounted)
{
	uint32_t left = mount->wire.ref_count ? mount->wire.ref_count - 1 : 0;

	if (!guest_unmounted)
		lcowmig__object_fire(&mount->object, MOUNT_RELEASE);
	else
		lcowmig__object_fire(&mount->object, left ? MOUNT_UNMOUNT_RESERVED_AGAIN : MOUNT_UNMOUNT);
	lcowmig__object_fire(&disk->object, DISK_UNMOUNT_PARTITION);
	mount->wire.ref_count = left;
	if (left)
		return;
	lcowmig__tree_remove(&disk->mounts, &mount->node);
	lcowmig__mount_free(mount);
}

lcowmig__hcs_attachment lcowmig__disk_attachment(const lcowmig__disk *disk)
{
	return (lcowmig__hcs_attachment){
		.controller = disk->slot / LCOWMIG_SCSI_LUNS,
		.lun = disk->slot % LCOWMIG_SCSI_LUNS,
		.path = disk->host_path,
		.type = lcowmig__disk_type_text(disk->type),
		.read_only = disk->read_only,
		.evd_type = disk->evd_type,
	};
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
