/* Saving, importing and resuming. */
#include <string.h>

#include "base/guid.h"
#include "base/text.h"
#include "scsi_private.h"

/* ---- Saving ---- */

static lcowmig_status capture_mount(const lcowmig__mount *mount, lcowmig__arena *arena, lcowmig__wire_mount *wire, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&mount->object, MOUNT_SAVE, error);
	size_t i;

	if (status != LCOWMIG_OK)
		return status;
	wire->partition = mount->partition;
	wire->read_only = mount->read_only;
	wire->encrypted = mount->encrypted;
	wire->ensure_filesystem = mount->ensure_filesystem;
	wire->block_device = mount->block_device;
	wire->filesystem = mount->filesystem;
	wire->ref_count = mount->ref_count;
	wire->guest_path = mount->object.state == MOUNT_MOUNTED ? mount->guest_path : "";
	wire->n_options = mount->n_options;
	wire->options = lcowmig__arena_alloc(arena, mount->n_options * sizeof *wire->options);
	if (!wire->options)
		return lcowmig__fail_memory(error);
	for (i = 0; i < mount->n_options; i++)
		wire->options[i] = mount->options[i];
	return LCOWMIG_OK;
}

/*
 * The payload does not say whether a disk is attached; the importer takes one whose mounts are all Reserved for one that is not. So a disk
 * that is attached and has no others would be lost on the way.
 */
static lcowmig_status check_not_between(const lcowmig__disk *disk, lcowmig_error *error)
{
	lcowmig__node *node, *following;

	if (disk->is_root || disk->object.state != DISK_ATTACHED)
		return LCOWMIG_OK;
	LCOWMIG__TREE_EACH (node, following, &disk->mounts)
		if (LCOWMIG__TREE_ENTRY(node, lcowmig__mount, node)->object.state == MOUNT_MOUNTED)
			return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
	                     "SCSI disk %.200s is Attached with none of its reservations mapped; expected them mapped or unmapped",
	                     disk->host_path);
}

static lcowmig_status capture_disk(const lcowmig__disk *disk, lcowmig__arena *arena, lcowmig__wire_disk *wire, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&disk->object, DISK_SAVE, error);
	lcowmig__node *node, *following;

	if (status == LCOWMIG_OK)
		status = check_not_between(disk, error);
	if (status != LCOWMIG_OK)
		return status;
	wire->slot = disk->slot;
	wire->host_path = disk->host_path;
	wire->read_only = disk->read_only;
	wire->type = lcowmig__disk_type_text(disk->type);
	wire->evd_type = disk->evd_type;
	wire->mounts = lcowmig__arena_alloc(arena, disk->mounts.count * sizeof *wire->mounts);
	if (!wire->mounts)
		return lcowmig__fail_memory(error);
	LCOWMIG__TREE_EACH (node, following, &disk->mounts) {
		status = capture_mount(LCOWMIG__TREE_ENTRY(node, lcowmig__mount, node), arena, &wire->mounts[wire->n_mounts++], error);
		if (status != LCOWMIG_OK)
			return status;
	}
	return LCOWMIG_OK;
}

static lcowmig_status capture_reservation(const lcowmig__scsi_reservation *reservation, lcowmig__wire_reservation *wire,
                                          lcowmig_error *error)
{
	char id[LCOWMIG_GUID_TEXT_SIZE];

	if (reservation->is_released) {
		lcowmig_guid_format(&reservation->id, id);
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
		                     "SCSI: reservation %s is half unmapped; expected the unmap to be repeated", id);
	}
	wire->id = reservation->id;
	wire->slot = reservation->slot;
	wire->partition = reservation->partition;
	return LCOWMIG_OK;
}

static lcowmig_status capture_all(const lcowmig_scsi *scsi, lcowmig__arena *arena, lcowmig__wire_scsi *wire, lcowmig_error *error)
{
	size_t n_slots = (size_t)scsi->n_controllers * LCOWMIG_SCSI_LUNS;
	lcowmig__node *node, *following;
	lcowmig_status status;
	size_t slot;

	for (slot = 0; slot < n_slots; slot++) {
		if (!scsi->slots[slot])
			continue;
		status = capture_disk(scsi->slots[slot], arena, &wire->disks[wire->n_disks++], error);
		if (status != LCOWMIG_OK)
			return status;
	}
	/* Ids sort as bytes in the same order as their texts. */
	LCOWMIG__TREE_EACH (node, following, &scsi->reservations) {
		status = capture_reservation(LCOWMIG__TREE_ENTRY(node, lcowmig__scsi_reservation, node),
		                             &wire->reservations[wire->n_reservations++], error);
		if (status != LCOWMIG_OK)
			return status;
	}
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__scsi_capture(lcowmig_scsi *scsi, lcowmig__arena *arena, lcowmig__wire_scsi *ret_scsi, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check_idle(&scsi->object, error); /* legal in both states */
	lcowmig__wire_scsi wire = { 0 };

	if (status != LCOWMIG_OK)
		return status;
	wire.num_controllers = scsi->n_controllers;
	wire.disks = lcowmig__arena_alloc(arena, ((size_t)scsi->n_controllers * LCOWMIG_SCSI_LUNS + 1) * sizeof *wire.disks);
	wire.reservations = lcowmig__arena_alloc(arena, (scsi->reservations.count + 1) * sizeof *wire.reservations);
	if (!wire.disks || !wire.reservations)
		return lcowmig__fail_memory(error);
	status = capture_all(scsi, arena, &wire, error);
	if (status == LCOWMIG_OK)
		*ret_scsi = wire;
	return status;
}

void lcowmig__scsi_freeze(lcowmig_scsi *scsi)
{
	lcowmig__object_fire(&scsi->object, SCSI_SAVE);
}

void lcowmig__scsi_thaw(lcowmig_scsi *scsi)
{
	lcowmig__object_fire(&scsi->object, SCSI_RESUME);
}

/* ---- Importing ---- */

static lcowmig_status import_mount(lcowmig__disk *disk, const lcowmig__wire_mount *wire, lcowmig_error *error)
{
	lcowmig_mount_config config = {
		.size = sizeof config,
		.partition = wire->partition,
		.options = wire->options,
		.n_options = wire->n_options,
		.filesystem = wire->filesystem,
		.read_only = wire->read_only,
		.encrypted = wire->encrypted,
		.ensure_filesystem = wire->ensure_filesystem,
		.block_device = wire->block_device,
	};
	bool is_mounted = !lcowmig__text_is_empty(wire->guest_path);
	lcowmig__mount *mount = lcowmig__mount_new(disk->object.context, lcowmig__disk_controller(disk), lcowmig__disk_lun(disk), &config,
	                                           is_mounted ? wire->guest_path : NULL);

	if (!mount)
		return lcowmig__fail_memory(error);
	mount->ref_count = wire->ref_count;
	if (is_mounted)
		lcowmig__object_fire(&mount->object, MOUNT_MOUNT);
	lcowmig__tree_insert(&disk->mounts, &mount->partition, &mount->node);
	return LCOWMIG_OK;
}

/* Unless all that is known of it are mounts that never happened, a disk is on the virtual machine. */
static bool wire_disk_is_attached(const lcowmig__wire_disk *wire)
{
	size_t i;

	for (i = 0; i < wire->n_mounts; i++)
		if (!lcowmig__text_is_empty(wire->mounts[i].guest_path))
			return true;
	return wire->n_mounts == 0;
}

static bool disk_type_number(const char *text, uint32_t *ret_type)
{
	uint32_t type = lcowmig__text_is_empty(text) ? 0 : LCOWMIG_DISK_VIRTUAL;

	while (type <= LCOWMIG_DISK_EXTENSIBLE && strcmp(lcowmig__disk_type_text(type), text ? text : "") != 0)
		type++;
	*ret_type = type;
	return type <= LCOWMIG_DISK_EXTENSIBLE;
}

static lcowmig_status import_disk(lcowmig_scsi *scsi, const lcowmig__wire_disk *wire, lcowmig_error *error)
{
	lcowmig_disk_config config = { sizeof config, wire->host_path, wire->evd_type, 0, wire->read_only };
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__disk *disk;
	size_t i;

	if (wire->slot >= scsi->n_controllers * LCOWMIG_SCSI_LUNS || scsi->slots[wire->slot])
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "scsi.disks[%u]: the slot does not exist or is there twice",
		                     (unsigned)wire->slot);
	if (!disk_type_number(wire->type, &config.type))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "scsi.disks[%u].config.type: \"%.64s\" is no disk type",
		                     (unsigned)wire->slot, wire->type);
	if (!lcowmig__text_is_empty(wire->host_path) && lcowmig__scsi_find_path(scsi, wire->host_path))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "scsi.disks[%u].config.host_path: is that of another disk too",
		                     (unsigned)wire->slot);
	disk = lcowmig__disk_new(scsi->object.context, wire->slot, &config);
	if (!disk)
		return lcowmig__fail_memory(error);
	disk->is_unpatched = true;
	if (wire_disk_is_attached(wire))
		lcowmig__object_fire(&disk->object, DISK_ATTACH);
	lcowmig__scsi_occupy(scsi, disk);
	for (i = 0; i < wire->n_mounts && status == LCOWMIG_OK; i++)
		status = import_mount(disk, &wire->mounts[i], error);
	return status;
}

static lcowmig_status import_reservation(lcowmig_scsi *scsi, const lcowmig__wire_reservation *wire, lcowmig_error *error)
{
	char id[LCOWMIG_GUID_TEXT_SIZE];

	if (wire->slot >= scsi->n_controllers * LCOWMIG_SCSI_LUNS || lcowmig__scsi_find(scsi, &wire->id)) {
		lcowmig_guid_format(&wire->id, id);
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "scsi.reservations[%s]: slot %u does not exist, or the id is there twice", id, (unsigned)wire->slot);
	}
	if (!lcowmig__scsi_add_reservation(scsi, &wire->id, wire->slot, wire->partition))
		return lcowmig__fail_memory(error);
	return LCOWMIG_OK;
}

static lcowmig_status import_all(lcowmig_scsi *scsi, const lcowmig__wire_scsi *wire, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	size_t i;

	for (i = 0; i < wire->n_disks && status == LCOWMIG_OK; i++)
		status = import_disk(scsi, &wire->disks[i], error);
	for (i = 0; i < wire->n_reservations && status == LCOWMIG_OK; i++)
		status = import_reservation(scsi, &wire->reservations[i], error);
	/* A disk that nobody reserved belongs to the virtual machine itself. */
	for (i = 0; i < LCOWMIG__COUNT(scsi->slots) && status == LCOWMIG_OK; i++)
		if (scsi->slots[i])
			scsi->slots[i]->is_root = !scsi->slots[i]->mounts.count && lcowmig__list_is_empty(&scsi->slots[i]->reservations);
	return status;
}

lcowmig_status lcowmig__scsi_import(lcowmig__env *env, const lcowmig__wire_scsi *wire, lcowmig_scsi **ret_scsi, lcowmig_error *error)
{
	lcowmig_scsi *scsi = NULL;
	lcowmig_status status = lcowmig__scsi_new(env, wire->num_controllers, &scsi, error);

	if (status == LCOWMIG_OK)
		status = import_all(scsi, wire, error);
	if (status != LCOWMIG_OK) {
		lcowmig__scsi_free(scsi);
		return status;
	}
	lcowmig__object_fire(&scsi->object, SCSI_SAVE); /* it begins frozen, as what was saved */
	*ret_scsi = scsi;
	return LCOWMIG_OK;
}
