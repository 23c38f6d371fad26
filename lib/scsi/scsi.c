/* The controller: slots, the path index, reservations, and looking at them. */
#include "base/guid.h"
#include "base/text.h"
#include "scsi_private.h"

#include <string.h>

static int compare_path(const void *key, const lcowmig__node *node)
{
	return strcmp(key, LCOWMIG__TREE_ENTRY(node, lcowmig__disk, node)->host_path);
}

static int compare_reservation(const void *key, const lcowmig__node *node)
{
	return lcowmig__guid_compare(key, &LCOWMIG__TREE_ENTRY(node, lcowmig__scsi_reservation, node)->id);
}

lcowmig_status lcowmig__scsi_new(lcowmig__env *env, uint32_t n_controllers, lcowmig_scsi **ret_scsi, lcowmig_error *error)
{
	lcowmig_scsi *scsi;
	uint32_t i;

	if (n_controllers > LCOWMIG_SCSI_CONTROLLERS_MAX)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI: %u controllers, a virtual machine has at most %u",
		                     (unsigned)n_controllers, LCOWMIG_SCSI_CONTROLLERS_MAX);
	scsi = lcowmig__alloc(&env->context->mem, sizeof *scsi);
	if (!scsi)
		return lcowmig__fail_memory(error);
	lcowmig__object_init(&scsi->object, env->context, &lcowmig__scsi_machine, "controller");
	scsi->env = env;
	scsi->n_controllers = n_controllers;
	lcowmig__gate_init(&scsi->gate);
	lcowmig__tree_init(&scsi->paths, compare_path);
	lcowmig__tree_init(&scsi->reservations, compare_reservation);
	for (i = 0; i < n_controllers; i++)
		scsi->free_luns[i] = UINT64_MAX;
	*ret_scsi = scsi;
	return LCOWMIG_OK;
}

void lcowmig__scsi_free(lcowmig_scsi *scsi)
{
	lcowmig__node *node;
	size_t i;

	if (!scsi)
		return;
	while ((node = lcowmig__tree_first(&scsi->reservations)) != NULL)
		lcowmig__scsi_forget(scsi, LCOWMIG__TREE_ENTRY(node, lcowmig__scsi_reservation, node));
	for (i = 0; i < LCOWMIG__COUNT(scsi->slots); i++)
		lcowmig__disk_free(scsi->slots[i]);
	lcowmig__free(&scsi->object.context->mem, scsi);
}

/* ---- Slots ---- */

static bool slot_is_free(const lcowmig_scsi *scsi, uint32_t slot)
{
	return (scsi->free_luns[slot / LCOWMIG_SCSI_LUNS] >> (slot % LCOWMIG_SCSI_LUNS)) & 1;
}

static uint32_t lowest_bit(uint64_t bits)
{
	uint32_t position = 0;
	uint32_t half;

	for (half = 32; half; half /= 2) {
		if (bits & ((UINT64_C(1) << half) - 1))
			continue;
		bits >>= half;
		position += half;
	}
	return position;
}

static lcowmig_status find_free_slot(const lcowmig_scsi *scsi, uint32_t *ret_slot, lcowmig_error *error)
{
	uint32_t i;

	for (i = 0; i < scsi->n_controllers; i++) {
		if (!scsi->free_luns[i])
			continue;
		*ret_slot = i * LCOWMIG_SCSI_LUNS + lowest_bit(scsi->free_luns[i]);
		return LCOWMIG_OK;
	}
	return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "SCSI: all %u slots are taken",
	                     (unsigned)(scsi->n_controllers * LCOWMIG_SCSI_LUNS));
}

void lcowmig__scsi_occupy(lcowmig_scsi *scsi, lcowmig__disk *disk)
{
	scsi->slots[disk->slot] = disk;
	scsi->free_luns[disk->slot / LCOWMIG_SCSI_LUNS] &= ~(UINT64_C(1) << (disk->slot % LCOWMIG_SCSI_LUNS));
	if (disk->host_path[0])
		lcowmig__tree_insert(&scsi->paths, disk->host_path, &disk->node);
}

void lcowmig__scsi_vacate(lcowmig_scsi *scsi, lcowmig__disk *disk)
{
	lcowmig__list *node;

	while ((node = lcowmig__list_pop(&disk->reservations)) != NULL)
		LCOWMIG__LIST_ENTRY(node, lcowmig__scsi_reservation, on_disk)->disk = NULL;
	lcowmig__tree_remove(&scsi->paths, &disk->node);
	scsi->slots[disk->slot] = NULL;
	scsi->free_luns[disk->slot / LCOWMIG_SCSI_LUNS] |= UINT64_C(1) << (disk->slot % LCOWMIG_SCSI_LUNS);
	lcowmig__disk_free(disk);
}

lcowmig__disk *lcowmig__scsi_find_path(const lcowmig_scsi *scsi, const char *host_path)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&scsi->paths, host_path), lcowmig__disk, node);
}

/* ---- Reservations ---- */

lcowmig__scsi_reservation *lcowmig__scsi_find(const lcowmig_scsi *scsi, const lcowmig_guid *id)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&scsi->reservations, id), lcowmig__scsi_reservation, node);
}

lcowmig_status lcowmig__scsi_look_up(const lcowmig_scsi *scsi, const lcowmig_guid *id, lcowmig__scsi_reservation **ret_reservation,
                                     lcowmig_error *error)
{
	char text[LCOWMIG_GUID_TEXT_SIZE];

	*ret_reservation = lcowmig__scsi_find(scsi, id);
	if (*ret_reservation)
		return LCOWMIG_OK;
	lcowmig_guid_format(id, text);
	return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "SCSI: reservation %s not found", text);
}

lcowmig__mount *lcowmig__scsi_reservation_mount(const lcowmig__scsi_reservation *reservation)
{
	if (!reservation->disk || reservation->is_released)
		return NULL;
	return lcowmig__disk_find_mount(reservation->disk, reservation->partition);
}

lcowmig__scsi_reservation *lcowmig__scsi_add_reservation(lcowmig_scsi *scsi, const lcowmig_guid *id, uint32_t slot, uint64_t partition)
{
	lcowmig__scsi_reservation *reservation = lcowmig__alloc(&scsi->object.context->mem, sizeof *reservation);

	if (!reservation)
		return NULL;
	reservation->id = *id;
	reservation->slot = slot;
	reservation->partition = partition;
	reservation->disk = scsi->slots[slot];
	lcowmig__list_init(&reservation->on_disk);
	if (reservation->disk)
		lcowmig__list_append(&reservation->disk->reservations, &reservation->on_disk);
	lcowmig__tree_insert(&scsi->reservations, &reservation->id, &reservation->node);
	return reservation;
}

void lcowmig__scsi_forget(lcowmig_scsi *scsi, lcowmig__scsi_reservation *reservation)
{
	lcowmig__tree_remove(&scsi->reservations, &reservation->node);
	lcowmig__list_remove(&reservation->on_disk);
	lcowmig__free(&scsi->object.context->mem, reservation);
}

static lcowmig_status check_disk(const lcowmig_limits *limits, const lcowmig_disk_config *disk, lcowmig_error *error)
{
	bool has_provider = !lcowmig__text_is_empty(disk->evd_type);

	if (lcowmig__text_is_empty(disk->host_path) || !lcowmig__text_is_fine(disk->host_path, limits->path_bytes))
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

static lcowmig_status check_mount(const lcowmig_limits *limits, const lcowmig_mount_config *mount, lcowmig_error *error)
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
	lcowmig_status status = lcowmig__object_check(&scsi->object, SCSI_RESERVE_FOR_ROOTFS, error);
	lcowmig__disk *disk;

	if (status == LCOWMIG_OK)
		status = check_disk(&scsi->object.context->limits, config, error);
	if (status != LCOWMIG_OK)
		return status;
	if (controller >= scsi->n_controllers || lun >= LCOWMIG_SCSI_LUNS)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI: slot %u:%u does not exist, there are %u controllers of %u",
		                     (unsigned)controller, (unsigned)lun, (unsigned)scsi->n_controllers, LCOWMIG_SCSI_LUNS);
	if (!slot_is_free(scsi, slot))
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "SCSI: slot %u:%u is occupied by %.200s", (unsigned)controller,
		                     (unsigned)lun, scsi->slots[slot]->host_path);
	if (lcowmig__scsi_find_path(scsi, config->host_path))
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "SCSI: %.200s has a slot already", config->host_path);
	disk = lcowmig__disk_new(scsi->object.context, slot, config);
	if (!disk)
		return lcowmig__fail_memory(error);
	disk->is_root = true;
	lcowmig__scsi_occupy(scsi, disk);
	return LCOWMIG_OK;
}

/* The disk of that path, or a new one in the lowest free slot, which is not in the slot yet. */
static lcowmig_status disk_for(lcowmig_scsi *scsi, const lcowmig_disk_config *config, lcowmig__disk **ret_disk, bool *ret_is_new,
                               lcowmig_error *error)
{
	lcowmig__disk *disk = lcowmig__scsi_find_path(scsi, config->host_path);
	lcowmig_status status;
	uint32_t slot = 0;

	*ret_is_new = !disk;
	*ret_disk = disk;
	if (disk && !lcowmig__disk_is(disk, config))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "SCSI disk %.200s (%s) was reserved with another configuration",
		                     disk->host_path, lcowmig__object_state_name(&disk->object));
	if (disk)
		return LCOWMIG_OK;
	status = find_free_slot(scsi, &slot, error);
	if (status != LCOWMIG_OK)
		return status;
	*ret_disk = lcowmig__disk_new(scsi->object.context, slot, config);
	return *ret_disk ? LCOWMIG_OK : lcowmig__fail_memory(error);
}

static lcowmig_status reserve_on(lcowmig_scsi *scsi, lcowmig__disk *disk, bool is_new, const lcowmig_mount_config *mount,
                                 const lcowmig_guid *id, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__disk_reserve_partition(disk, mount, error);
	lcowmig__scsi_reservation *reservation;

	if (status != LCOWMIG_OK) {
		if (is_new)
			lcowmig__disk_free(disk);
		return status;
	}
	if (is_new)
		lcowmig__scsi_occupy(scsi, disk);
	reservation = lcowmig__scsi_add_reservation(scsi, id, disk->slot, mount->partition);
	if (reservation)
		return LCOWMIG_OK;
	if (is_new)
		lcowmig__scsi_vacate(scsi, disk);
	else
		lcowmig__disk_release_partition(disk, lcowmig__disk_find_mount(disk, mount->partition), false);
	return lcowmig__fail_memory(error);
}

lcowmig_status lcowmig__scsi_reserve(lcowmig_scsi *scsi, const lcowmig_disk_config *disk_config, const lcowmig_mount_config *mount,
                                     lcowmig_guid *ret_reservation, lcowmig_error *error)
{
	const lcowmig_limits *limits = &scsi->object.context->limits;
	lcowmig_status status = lcowmig__object_check(&scsi->object, SCSI_RESERVE, error);
	lcowmig__disk *disk = NULL;
	bool is_new = false;
	lcowmig_guid id;

	if (status == LCOWMIG_OK)
		status = check_disk(limits, disk_config, error);
	if (status == LCOWMIG_OK)
		status = check_mount(limits, mount, error);
	if (status == LCOWMIG_OK && scsi->reservations.count >= limits->reservations)
		status = lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "SCSI: there are %u reservations already",
				       (unsigned)limits->reservations);
	if (status == LCOWMIG_OK)
		status = lcowmig__random_guid(scsi->object.context, &id, error);
	if (status == LCOWMIG_OK && lcowmig__scsi_find(scsi, &id))
		status = lcowmig__fail(error, LCOWMIG_E_HOST_FAILED, "SCSI: the platform's random bytes repeat themselves");
	if (status == LCOWMIG_OK)
		status = disk_for(scsi, disk_config, &disk, &is_new, error);
	if (status == LCOWMIG_OK)
		status = reserve_on(scsi, disk, is_new, mount, &id, error);
	if (status == LCOWMIG_OK)
		*ret_reservation = id;
	return status;
}

/* ---- Questions ---- */

bool lcowmig__scsi_has_reservation(const lcowmig_scsi *scsi, const lcowmig_guid *reservation)
{
	return lcowmig__scsi_find(scsi, reservation) != NULL;
}

bool lcowmig__scsi_is_migrating(const lcowmig_scsi *scsi)
{
	return scsi->object.state == SCSI_MIGRATING;
}

uint32_t lcowmig__scsi_controllers(const lcowmig_scsi *scsi)
{
	return scsi->n_controllers;
}

static void each_disk(const lcowmig_scsi *scsi, bool (*wanted)(const lcowmig__disk *disk),
                      void (*visit)(void *user, uint32_t slot, const lcowmig_disk_config *disk), void *user)
{
	lcowmig_disk_config config;
	uint32_t slot;

	for (slot = 0; slot < scsi->n_controllers * LCOWMIG_SCSI_LUNS; slot++) {
		if (!scsi->slots[slot] || !wanted(scsi->slots[slot]))
			continue;
		lcowmig__disk_config(scsi->slots[slot], &config);
		visit(user, slot, &config);
	}
}

void lcowmig__scsi_each_disk(const lcowmig_scsi *scsi, void (*visit)(void *user, uint32_t slot, const lcowmig_disk_config *disk),
			     void *user)
{
	each_disk(scsi, lcowmig__disk_is_present, visit, user);
}

static bool disk_is_unpatched(const lcowmig__disk *disk)
{
	return disk->is_unpatched && lcowmig__disk_is_present(disk);
}

void lcowmig__scsi_each_unpatched(const lcowmig_scsi *scsi, void (*visit)(void *user, uint32_t slot, const lcowmig_disk_config *disk),
                                  void *user)
{
	each_disk(scsi, disk_is_unpatched, visit, user);
}
