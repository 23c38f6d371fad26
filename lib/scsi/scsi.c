/* The controller: slots, the path index, reservations, and looking at them. */
#include "base/text.h"
#include "scsi_private.h"

#include <string.h>

static int compare_slot(const void *key, const lcowmig__node *node)
{
	const uint32_t *slot = key;
	uint32_t other = LCOWMIG__TREE_ENTRY(node, lcowmig__disk, by_slot)->slot;

	return (*slot > other) - (*slot < other);
}

static int compare_path(const void *key, const lcowmig__node *node)
{
	return strcmp(key, LCOWMIG__TREE_ENTRY(node, lcowmig__disk, by_path)->host_path);
}

lcowmig_status lcowmig__scsi_new(lcowmig__env *env, uint32_t n_controllers, lcowmig_scsi **ret_scsi, lcowmig_error *error)
{
	lcowmig_scsi *scsi;
	uint32_t i;

	if (n_controllers > LCOWMIG_SCSI_CONTROLLERS_MAX)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI: %u controllers, a virtual machine has at most %u",
		                     (unsigned)n_controllers, LCOWMIG_SCSI_CONTROLLERS_MAX);
	scsi = lcowmig__controller_new(env, sizeof *scsi, &lcowmig__scsi_machine, "reservation", error);
	if (!scsi)
		return LCOWMIG_E_NO_MEMORY;
	scsi->n_controllers = n_controllers;
	lcowmig__tree_init(&scsi->disks, compare_slot);
	lcowmig__tree_init(&scsi->paths, compare_path);
	for (i = 0; i < n_controllers; i++)
		scsi->free_luns[i] = UINT64_MAX;
	*ret_scsi = scsi;
	return LCOWMIG_OK;
}

void lcowmig__scsi_free(lcowmig_scsi *scsi)
{
	lcowmig__disk *disk;
	lcowmig__node *node;

	if (!scsi)
		return;
	while ((disk = lcowmig__scsi_next(scsi, NULL)) != NULL)
		lcowmig__scsi_vacate(scsi, disk);
	while ((node = lcowmig__tree_first(&scsi->base.entries)) != NULL)
		lcowmig__controller_forget(&scsi->base, LCOWMIG__TREE_ENTRY(node, lcowmig__entry, node));
	lcowmig__free(&scsi->base.object.context->mem, scsi);
}

/* ---- Slots ---- */

lcowmig__disk *lcowmig__scsi_disk_in(const lcowmig_scsi *scsi, uint32_t slot)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&scsi->disks, &slot), lcowmig__disk, by_slot);
}

lcowmig__disk *lcowmig__scsi_next(const lcowmig_scsi *scsi, const lcowmig__disk *disk)
{
	return LCOWMIG__TREE_ENTRY(disk ? lcowmig__tree_next(&disk->by_slot) : lcowmig__tree_first(&scsi->disks), lcowmig__disk, by_slot);
}

static lcowmig_status find_free_slot(const lcowmig_scsi *scsi, uint32_t *ret_slot, lcowmig_error *error)
{
	uint32_t i, lun;

	for (i = 0; i < scsi->n_controllers; i++) {
		if (!scsi->free_luns[i])
			continue;
		for (lun = 0; !(scsi->free_luns[i] >> lun & 1); lun++)
			;
		*ret_slot = i * LCOWMIG_SCSI_LUNS + lun;
		return LCOWMIG_OK;
	}
	return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "SCSI: all %u slots are taken",
	                     (unsigned)(scsi->n_controllers * LCOWMIG_SCSI_LUNS));
}

void lcowmig__scsi_occupy(lcowmig_scsi *scsi, lcowmig__disk *disk)
{
	lcowmig__tree_insert(&scsi->disks, &disk->slot, &disk->by_slot);
	scsi->free_luns[disk->slot / LCOWMIG_SCSI_LUNS] &= ~(UINT64_C(1) << (disk->slot % LCOWMIG_SCSI_LUNS));
	lcowmig__scsi_index_path(scsi, disk);
}

void lcowmig__scsi_index_path(lcowmig_scsi *scsi, lcowmig__disk *disk)
{
	if (disk->host_path[0])
		lcowmig__tree_insert(&scsi->paths, disk->host_path, &disk->by_path);
}

void lcowmig__scsi_vacate(lcowmig_scsi *scsi, lcowmig__disk *disk)
{
	lcowmig__list *node;

	while ((node = lcowmig__list_pop(&disk->reservations)) != NULL)
		LCOWMIG__LIST_ENTRY(node, lcowmig__scsi_reservation, on_disk)->disk = NULL;
	lcowmig__tree_remove(&scsi->paths, &disk->by_path);
	lcowmig__tree_remove(&scsi->disks, &disk->by_slot);
	scsi->free_luns[disk->slot / LCOWMIG_SCSI_LUNS] |= UINT64_C(1) << (disk->slot % LCOWMIG_SCSI_LUNS);
	lcowmig__disk_free(disk);
}

lcowmig__disk *lcowmig__scsi_find_path(const lcowmig_scsi *scsi, const char *host_path)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&scsi->paths, host_path), lcowmig__disk, by_path);
}

/* ---- Reservations ---- */

lcowmig__mount *lcowmig__scsi_reservation_mount(const lcowmig__scsi_reservation *reservation)
{
	if (!reservation->disk || reservation->is_released)
		return NULL;
	return lcowmig__disk_find_mount(reservation->disk, reservation->partition);
}

void lcowmig__scsi_add_reservation(lcowmig_scsi *scsi, lcowmig__entry *entry, uint32_t slot, uint64_t partition)
{
	lcowmig__scsi_reservation *reservation = (lcowmig__scsi_reservation *)entry;

	reservation->slot = slot;
	reservation->partition = partition;
	reservation->disk = lcowmig__scsi_disk_in(scsi, slot);
	lcowmig__list_init(&reservation->on_disk);
	if (reservation->disk)
		lcowmig__list_append(&reservation->disk->reservations, &reservation->on_disk);
	lcowmig__controller_add(&scsi->base, entry);
}

void lcowmig__scsi_forget(lcowmig_scsi *scsi, lcowmig__scsi_reservation *reservation)
{
	lcowmig__list_remove(&reservation->on_disk);
	lcowmig__controller_forget(&scsi->base, &reservation->entry);
}

static lcowmig_status check_disk(const lcowmig_limits *limits, const lcowmig_disk_config *disk, lcowmig_error *error)
{
	bool has_provider = !lcowmig__text_is_empty(disk->evd_type);

	if (!lcowmig__text_is_given(disk->host_path, limits->path_bytes))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI: the host path is empty, too long or not UTF-8");
	if (disk->type < LCOWMIG_DISK_VIRTUAL || disk->type > LCOWMIG_DISK_EXTENSIBLE)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI disk %.200s: %u is no disk type", disk->host_path,
		                     (unsigned)disk->type);
	if (has_provider && disk->type != LCOWMIG_DISK_EXTENSIBLE)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI disk %.200s: only an extensible disk has a provider",
		                     disk->host_path);
	if (!lcowmig__text_is_fine(disk->evd_type, limits->id_bytes))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI disk %.200s: the provider is too long or not UTF-8",
		                     disk->host_path);
	return LCOWMIG_OK;
}

static lcowmig_status check_mount(const lcowmig_limits *limits, const lcowmig__wire_mount *mount, lcowmig_error *error)
{
	size_t i;

	if (mount->partition > LCOWMIG__SCSI_PARTITION_MAX)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI: partition numbers end at %u", LCOWMIG__SCSI_PARTITION_MAX);
	if (mount->n_options > limits->mount_options)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "SCSI: %zu mount options, at most %u are accepted", mount->n_options,
		                     (unsigned)limits->mount_options);
	if (mount->n_options && !mount->options)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI: the mount options are NULL");
	for (i = 0; i < mount->n_options; i++)
		if (!mount->options[i] || !lcowmig__text_is_fine(mount->options[i], limits->path_bytes))
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI: mount option %zu is NULL, too long or not UTF-8", i);
	if (!lcowmig__text_is_fine(mount->filesystem, limits->id_bytes))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI: the filesystem's name is too long or not UTF-8");
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__scsi_reserve_for_rootfs(lcowmig_scsi *scsi, uint32_t controller, uint32_t lun, const lcowmig_disk_config *config,
                                                lcowmig_error *error)
{
	uint32_t slot = controller * LCOWMIG_SCSI_LUNS + lun;
	lcowmig_status status = lcowmig__object_check(&scsi->base.object, SCSI_RESERVE_FOR_ROOTFS, error);
	lcowmig__disk *disk;

	if (status == LCOWMIG_OK)
		status = check_disk(&scsi->base.object.context->limits, config, error);
	if (status != LCOWMIG_OK)
		return status;
	if (controller >= scsi->n_controllers || lun >= LCOWMIG_SCSI_LUNS)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI: slot %u:%u does not exist, there are %u controllers of %u",
		                     (unsigned)controller, (unsigned)lun, (unsigned)scsi->n_controllers, LCOWMIG_SCSI_LUNS);
	disk = lcowmig__scsi_disk_in(scsi, slot);
	if (disk)
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "SCSI: slot %u:%u is occupied by %.200s", (unsigned)controller,
		                     (unsigned)lun, disk->host_path);
	if (lcowmig__scsi_find_path(scsi, config->host_path))
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "SCSI: %.200s has a slot already", config->host_path);
	disk = lcowmig__disk_new(scsi->base.object.context, slot, config);
	if (!disk)
		return lcowmig__fail_memory(error);
	disk->is_root = true;
	lcowmig__scsi_occupy(scsi, disk);
	return LCOWMIG_OK;
}

/* Whether both say the same but for the path, by which it was found. */
static bool disk_is(const lcowmig__disk *disk, const lcowmig_disk_config *config)
{
	return disk->type == config->type && disk->read_only == (config->read_only != 0) &&
	       strcmp(disk->evd_type, config->evd_type ? config->evd_type : "") == 0;
}

/* The disk of that path, or a new one for the lowest free slot, which is in no slot yet. */
static lcowmig_status disk_for(lcowmig_scsi *scsi, const lcowmig_disk_config *config, lcowmig__disk **ret_disk, lcowmig_error *error)
{
	lcowmig__disk *disk = lcowmig__scsi_find_path(scsi, config->host_path);
	lcowmig_status status = LCOWMIG_OK;
	uint32_t slot = 0;

	if (disk && !disk_is(disk, config))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI disk %.200s (%s) was reserved with another configuration",
		                     disk->host_path, lcowmig__object_state_name(&disk->object));
	if (!disk)
		status = find_free_slot(scsi, &slot, error);
	if (status != LCOWMIG_OK)
		return status;
	if (!disk)
		disk = lcowmig__disk_new(scsi->base.object.context, slot, config);
	*ret_disk = disk;
	return disk ? LCOWMIG_OK : lcowmig__fail_memory(error);
}

static lcowmig__wire_mount wire_of(const lcowmig_mount_config *config)
{
	return (lcowmig__wire_mount){
		.partition = config->partition,
		.read_only = config->read_only != 0,
		.encrypted = config->encrypted != 0,
		.options = (const char **)(uintptr_t)config->options,
		.n_options = config->n_options,
		.ensure_filesystem = config->ensure_filesystem != 0,
		.filesystem = config->filesystem,
		.block_device = config->block_device != 0,
		.ref_count = 1,
	};
}

lcowmig_status lcowmig__scsi_reserve(lcowmig_scsi *scsi, const lcowmig_disk_config *disk_config, const lcowmig_mount_config *mount_config,
                                     lcowmig_guid *ret_reservation, lcowmig_error *error)
{
	const lcowmig_limits *limits = &scsi->base.object.context->limits;
	lcowmig__wire_mount mount = wire_of(mount_config);
	lcowmig_status status = lcowmig__object_check(&scsi->base.object, SCSI_RESERVE, error);
	lcowmig__entry *entry = NULL;
	lcowmig__disk *disk = NULL;

	if (status == LCOWMIG_OK)
		status = check_disk(limits, disk_config, error);
	if (status == LCOWMIG_OK)
		status = check_mount(limits, &mount, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__controller_draw(&scsi->base, sizeof(lcowmig__scsi_reservation), &entry, error);
	if (status == LCOWMIG_OK)
		status = disk_for(scsi, disk_config, &disk, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__disk_reserve_partition(disk, &mount, error);
	if (status != LCOWMIG_OK) {
		if (disk && !disk->by_slot.height)
			lcowmig__disk_free(disk);
		lcowmig__free(&scsi->base.object.context->mem, entry);
		return status;
	}
	if (!disk->by_slot.height)
		lcowmig__scsi_occupy(scsi, disk);
	lcowmig__scsi_add_reservation(scsi, entry, disk->slot, mount.partition);
	*ret_reservation = entry->id;
	return LCOWMIG_OK;
}

/* ---- Questions ---- */

bool lcowmig__scsi_is_migrating(const lcowmig_scsi *scsi)
{
	return scsi->base.object.state == SCSI_MIGRATING;
}

uint32_t lcowmig__scsi_controllers(const lcowmig_scsi *scsi)
{
	return scsi->n_controllers;
}

static void each_present(const lcowmig_scsi *scsi, bool only_unpatched,
			 void (*visit)(void *user, uint32_t slot, const lcowmig_disk_config *disk), void *user)
{
	const lcowmig__disk *disk;
	lcowmig_disk_config config;

	for (disk = lcowmig__scsi_next(scsi, NULL); disk; disk = lcowmig__scsi_next(scsi, disk)) {
		if (!lcowmig__disk_is_present(disk) || (only_unpatched && !disk->is_unpatched))
			continue;
		lcowmig__disk_config(disk, &config);
		visit(user, disk->slot, &config);
	}
}

void lcowmig__scsi_each_disk(const lcowmig_scsi *scsi, void (*visit)(void *user, uint32_t slot, const lcowmig_disk_config *disk),
			     void *user)
{
	each_present(scsi, false, visit, user);
}

void lcowmig__scsi_each_unpatched(const lcowmig_scsi *scsi, void (*visit)(void *user, uint32_t slot, const lcowmig_disk_config *disk),
                                  void *user)
{
	each_present(scsi, true, visit, user);
}
