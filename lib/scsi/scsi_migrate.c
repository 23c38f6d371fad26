/* Saving, importing and resuming. */
#include <string.h>

#include "base/text.h"
#include "scsi_private.h"

/* ---- Saving ---- */

/*
 * The payload does not say whether a disk is attached; the importer takes one whose mounts are all Reserved for one that is not. So a disk
 * that is attached and has no others would be lost on the way.
 */
static lcowmig_status check_not_between(const lcowmig__disk *disk, lcowmig_error *error)
{
	const lcowmig__node *node;

	if (disk->is_root || disk->object.state != DISK_ATTACHED)
		return LCOWMIG_OK;
	for (node = lcowmig__tree_first(&disk->mounts); node; node = lcowmig__tree_next(node))
		if (LCOWMIG__TREE_ENTRY(node, lcowmig__mount, node)->object.state == MOUNT_MOUNTED)
			return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
	                     "SCSI disk %.200s is Attached with none of its reservations mapped; expected them mapped or unmapped",
	                     disk->host_path);
}

static lcowmig_status capture_disk(const lcowmig__disk *disk, lcowmig__arena *arena, lcowmig__wire_disk *wire, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&disk->object, DISK_SAVE, error);
	const lcowmig__node *node;

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
	for (node = lcowmig__tree_first(&disk->mounts); node; node = lcowmig__tree_next(node)) {
		const lcowmig__mount *mount = LCOWMIG__TREE_ENTRY(node, lcowmig__mount, node);

		status = lcowmig__object_check(&mount->object, MOUNT_SAVE, error);
		if (status != LCOWMIG_OK)
			return status;
		wire->mounts[wire->n_mounts] = mount->wire;
		if (mount->object.state != MOUNT_MOUNTED)
			wire->mounts[wire->n_mounts].guest_path = "";
		wire->n_mounts++;
	}
	return LCOWMIG_OK;
}

static lcowmig_status capture_reservation(const lcowmig_scsi *scsi, const lcowmig__scsi_reservation *reservation,
					  lcowmig__wire_reservation *wire, lcowmig_error *error)
{
	if (reservation->is_released)
		return lcowmig__controller_fail(&scsi->base, &reservation->entry.id, LCOWMIG_E_FAILED_PRECONDITION,
						"is half unmapped; expected the unmap to be repeated", error);
	*wire = (lcowmig__wire_reservation){ reservation->entry.id, reservation->slot, reservation->partition };
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__scsi_capture(lcowmig_scsi *scsi, lcowmig__arena *arena, lcowmig__wire_scsi *ret_scsi, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check_idle(&scsi->base.object, error); /* legal in both states */
	lcowmig__wire_scsi wire = { .num_controllers = scsi->n_controllers };
	const lcowmig__disk *disk;
	const lcowmig__node *node;

	if (status != LCOWMIG_OK)
		return status;
	wire.disks = lcowmig__arena_alloc(arena, scsi->disks.count * sizeof *wire.disks);
	wire.reservations = lcowmig__arena_alloc(arena, scsi->base.entries.count * sizeof *wire.reservations);
	if (!wire.disks || !wire.reservations)
		return lcowmig__fail_memory(error);
	for (disk = lcowmig__scsi_next(scsi, NULL); disk && status == LCOWMIG_OK; disk = lcowmig__scsi_next(scsi, disk))
		status = capture_disk(disk, arena, &wire.disks[wire.n_disks++], error);
	/* Ids sort as bytes in the same order as their texts. */
	for (node = lcowmig__tree_first(&scsi->base.entries); node && status == LCOWMIG_OK; node = lcowmig__tree_next(node))
		status = capture_reservation(scsi, LCOWMIG__TREE_ENTRY(node, lcowmig__scsi_reservation, entry.node),
		                             &wire.reservations[wire.n_reservations++], error);
	if (status == LCOWMIG_OK)
		*ret_scsi = wire;
	return status;
}

void lcowmig__scsi_freeze(lcowmig_scsi *scsi)
{
	lcowmig__object_fire(&scsi->base.object, SCSI_SAVE);
}

void lcowmig__scsi_thaw(lcowmig_scsi *scsi)
{
	lcowmig__object_fire(&scsi->base.object, SCSI_RESUME);
}

/* ---- Importing ---- */

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

	if (wire->slot >= scsi->n_controllers * LCOWMIG_SCSI_LUNS || lcowmig__scsi_disk_in(scsi, wire->slot))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "scsi.disks[%u]: the slot does not exist or is there twice",
		                     (unsigned)wire->slot);
	if (!disk_type_number(wire->type, &config.type))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "scsi.disks[%u].config.type: \"%.64s\" is no disk type",
		                     (unsigned)wire->slot, wire->type);
	if (!lcowmig__text_is_empty(wire->host_path) && lcowmig__scsi_find_path(scsi, wire->host_path))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "scsi.disks[%u].config.host_path: is that of another disk too",
		                     (unsigned)wire->slot);
	disk = lcowmig__disk_new(scsi->base.object.context, wire->slot, &config);
	if (!disk)
		return lcowmig__fail_memory(error);
	disk->is_unpatched = true;
	if (wire_disk_is_attached(wire))
		lcowmig__object_fire(&disk->object, DISK_ATTACH);
	lcowmig__scsi_occupy(scsi, disk);
	for (i = 0; i < wire->n_mounts && status == LCOWMIG_OK; i++)
		status = lcowmig__disk_add_mount(disk, &wire->mounts[i], error);
	return status;
}

static lcowmig_status import_reservation(lcowmig_scsi *scsi, const lcowmig__wire_reservation *wire, lcowmig_error *error)
{
	lcowmig__entry *entry;
	char id[LCOWMIG_GUID_TEXT_SIZE];

	if (wire->slot >= scsi->n_controllers * LCOWMIG_SCSI_LUNS || lcowmig__scsi_find(scsi, &wire->id)) {
		lcowmig_guid_format(&wire->id, id);
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "scsi.reservations[%s]: slot %u does not exist, or the id is there twice", id, (unsigned)wire->slot);
	}
	entry = lcowmig__alloc(&scsi->base.object.context->mem, sizeof(lcowmig__scsi_reservation));
	if (!entry)
		return lcowmig__fail_memory(error);
	entry->id = wire->id;
	lcowmig__scsi_add_reservation(scsi, entry, wire->slot, wire->partition);
	return LCOWMIG_OK;
}

static lcowmig_status import_all(lcowmig_scsi *scsi, const lcowmig__wire_scsi *wire, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__disk *disk;
	size_t i;

	for (i = 0; i < wire->n_disks && status == LCOWMIG_OK; i++)
		status = import_disk(scsi, &wire->disks[i], error);
	for (i = 0; i < wire->n_reservations && status == LCOWMIG_OK; i++)
		status = import_reservation(scsi, &wire->reservations[i], error);
	/* A disk that nobody reserved belongs to the virtual machine itself. */
	for (disk = lcowmig__scsi_next(scsi, NULL); disk; disk = lcowmig__scsi_next(scsi, disk))
		disk->is_root = !disk->mounts.count && lcowmig__list_is_empty(&disk->reservations);
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
	lcowmig__object_fire(&scsi->base.object, SCSI_SAVE); /* it begins frozen, as what was saved */
	*ret_scsi = scsi;
	return LCOWMIG_OK;
}
