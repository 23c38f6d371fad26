/* Disks, mounts, reservations and their users must tell the same story. */
#include <string.h>

#include "base/guid.h"
#include "reader.h"

#define DISKS_SLOTS (LCOWMIG_SCSI_CONTROLLERS_MAX * LCOWMIG_SCSI_LUNS)

typedef struct disks_view {
	const lcowmig__wire_reader *reader;
	const lcowmig__wire_sandbox *sandbox;
	const lcowmig__wire_scsi *scsi;
	const lcowmig__wire_disk *by_slot[DISKS_SLOTS];
	size_t first_mount[DISKS_SLOTS]; /* of the disk in that slot, in `holders` */
	uint32_t *holders;               /* of each mount: its reservations */
	bool *is_used;                   /* of each reservation: some container has it */
	lcowmig__wire_place root;
	lcowmig__wire_place vm;
	lcowmig__wire_place place; /* sandbox.vm.scsi */
} disks_view;

/* A host path, or a guest path, and whose it is. */
typedef struct disks_path {
	const char *path;
	const lcowmig__wire_disk *disk;
	const lcowmig__wire_mount *mount;
} disks_path;

static int disks_order(const void *a, const void *b, const void *context)
{
	(void)context;
	return strcmp(((const disks_path *)a)->path, ((const disks_path *)b)->path);
}

/* The path is that of the one before, too. */
static lcowmig_status disks_refuse_path(const disks_view *view, const disks_path *path)
{
	lcowmig__wire_place disk = { &view->place, "disks", NULL, path->disk->slot };
	lcowmig__wire_place mount = { &disk, "mounts", NULL, path->mount ? path->mount->partition : 0 };

	return lcowmig__wire_invalid(view->reader, path->mount ? &mount : &disk, path->mount ? "guest_path" : "config.host_path",
				     "is that of slot %u too", (unsigned)path[-1].disk->slot);
}

/* Two disks with one path could not be told apart by the path index, two mounts with one path not in the guest. */
static lcowmig_status disks_unique(const disks_view *view, disks_path *paths, size_t count, lcowmig__arena *scratch)
{
	lcowmig_status status = LCOWMIG_OK;

	if (!lcowmig__wire_sort(scratch, paths, count, sizeof *paths, disks_order, NULL))
		return lcowmig__fail_memory(view->reader->error);
	for (size_t i = 1; status == LCOWMIG_OK && i < count; i++)
		if (strcmp(paths[i - 1].path, paths[i].path) == 0)
			status = lcowmig__wire_tolerate(view->reader, disks_refuse_path(view, &paths[i]));
	return status;
}

static lcowmig_status disks_check_paths(const disks_view *view, size_t n_mounts, lcowmig__arena *scratch)
{
	const lcowmig__wire_scsi *scsi = view->scsi;
	size_t room = n_mounts > scsi->n_disks ? n_mounts : scsi->n_disks;
	disks_path *paths = lcowmig__arena_alloc(scratch, room * sizeof *paths);
	lcowmig_status status;
	size_t count = 0;

	if (!paths)
		return lcowmig__fail_memory(view->reader->error);
	for (size_t i = 0; i < scsi->n_disks; i++)
		paths[count++] = (disks_path){ scsi->disks[i].host_path, &scsi->disks[i], NULL };
	status = disks_unique(view, paths, count, scratch);
	if (status != LCOWMIG_OK)
		return status;
	count = 0;
	for (size_t i = 0; i < scsi->n_disks; i++) {
		for (size_t k = 0; k < scsi->disks[i].n_mounts; k++) {
			const lcowmig__wire_mount *mount = &scsi->disks[i].mounts[k];

			if (mount->guest_path[0])
				paths[count++] = (disks_path){ mount->guest_path, &scsi->disks[i], mount };
		}
	}
	return disks_unique(view, paths, count, scratch);
}

static const lcowmig__wire_mount *disks_find_mount(const lcowmig__wire_disk *disk, uint64_t partition)
{
	size_t low = 0;
	size_t high = disk->n_mounts;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (disk->mounts[middle].partition == partition)
			return &disk->mounts[middle];
		if (disk->mounts[middle].partition < partition)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const lcowmig__wire_reservation *disks_find_reservation(const lcowmig__wire_scsi *scsi, const lcowmig_guid *id)
{
	size_t low = 0;
	size_t high = scsi->n_reservations;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = lcowmig__guid_compare(id, &scsi->reservations[middle].id);

		if (!order)
			return &scsi->reservations[middle];
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static lcowmig_status disks_check_reservation(const disks_view *view, const lcowmig__wire_reservation *reservation)
{
	const lcowmig__wire_disk *disk = view->by_slot[reservation->slot];
	char id[LCOWMIG_GUID_TEXT_SIZE];
	lcowmig__wire_place place = { &view->place, "reservations", id, LCOWMIG__WIRE_NO_INDEX };
	const lcowmig__wire_mount *mount;

	lcowmig_guid_format(&reservation->id, id);
	if (!disk)
		return lcowmig__wire_invalid(view->reader, &place, "slot", "no disk is in slot %u",
					  (unsigned)reservation->slot);
	mount = disks_find_mount(disk, reservation->partition);
	if (!mount)
		return lcowmig__wire_invalid(view->reader, &place, "partition",
					  "the disk in slot %u has no mount of partition %llu", (unsigned)reservation->slot,
					  (unsigned long long)reservation->partition);
	view->holders[view->first_mount[disk->slot] + (size_t)(mount - disk->mounts)]++;
	return LCOWMIG_OK;
}

static lcowmig_status disks_check_counts(const disks_view *view)
{
	const lcowmig__wire_scsi *scsi = view->scsi;
	lcowmig_status status = LCOWMIG_OK;

	for (size_t i = 0; i < scsi->n_disks; i++) {
		const lcowmig__wire_disk *disk = &scsi->disks[i];
		lcowmig__wire_place disk_place = { &view->place, "disks", NULL, disk->slot };

		for (size_t k = 0; status == LCOWMIG_OK && k < disk->n_mounts; k++) {
			lcowmig__wire_place mount_place = { &disk_place, "mounts", NULL, disk->mounts[k].partition };
			uint32_t holders = view->holders[view->first_mount[disk->slot] + k];

			if (disk->mounts[k].ref_count != holders)
				status = lcowmig__wire_invalid(view->reader, &mount_place, "ref_count",
							    "is %u, but %u reservations hold the mount",
							    (unsigned)disk->mounts[k].ref_count, (unsigned)holders);
			status = lcowmig__wire_tolerate(view->reader, status);
		}
	}
	return status;
}

/* A layer lies where its disk is mounted, or below. */
static bool disks_is_below(const char *path, const char *mount_path)
{
	size_t length = strlen(mount_path);

	return length && strncmp(path, mount_path, length) == 0 && (!path[length] || path[length] == '/');
}

static lcowmig_status disks_check_user(const void *context, const lcowmig_guid *id, const char *guest_path,
				       const lcowmig__wire_place *place, const char *name)
{
	const disks_view *view = context;
	const lcowmig__wire_reservation *reservation = disks_find_reservation(view->scsi, id);
	const lcowmig__wire_mount *mount;
	bool *is_used;

	if (!reservation)
		return lcowmig__wire_invalid(view->reader, place, name, "no reservation has this id");
	is_used = &view->is_used[reservation - view->scsi->reservations];
	if (*is_used)
		return lcowmig__wire_invalid(view->reader, place, name,
					  "the reservation has another user already");
	*is_used = true;
	/* No mount: the reservation has been reported. */
	mount = view->by_slot[reservation->slot] ? disks_find_mount(view->by_slot[reservation->slot], reservation->partition) : NULL;
	if (mount && guest_path && !disks_is_below(guest_path, mount->guest_path))
		return lcowmig__wire_invalid(view->reader, place, "guest_path",
					  "does not lie where slot %u, partition %llu is mounted", (unsigned)reservation->slot,
					  (unsigned long long)reservation->partition);
	return LCOWMIG_OK;
}

static lcowmig_status disks_check_container(const disks_view *view, const lcowmig__wire_container *container,
					    const lcowmig__wire_place *place)
{
	if (!view->sandbox->vm.has_scsi && (container->n_ro_layers || container->has_scratch || container->n_scsi_reservations))
		return lcowmig__wire_invalid(view->reader, &view->place, NULL, "is missing, but a container uses disks");
	return lcowmig__wire_each_user(view->reader, container, place, disks_check_user, view);
}

static lcowmig_status disks_check_containers(const disks_view *view)
{
	const lcowmig__wire_sandbox *sandbox = view->sandbox;
	lcowmig_status status = LCOWMIG_OK;

	for (size_t p = 0; p < sandbox->n_pods; p++) {
		lcowmig__wire_place pod = { &view->root, "pods", NULL, p };

		for (size_t c = 0; status == LCOWMIG_OK && c < sandbox->pods[p].n_containers; c++) {
			lcowmig__wire_place container = { &pod, "containers", NULL, c };

			status = disks_check_container(view, &sandbox->pods[p].containers[c], &container);
		}
	}
	return status;
}

/* Fills the indexes; the slots have been found to exist. */
static lcowmig_status disks_index(disks_view *view, lcowmig__arena *scratch, size_t *ret_n_mounts)
{
	const lcowmig__wire_scsi *scsi = view->scsi;
	size_t n_mounts = 0;

	for (size_t i = 0; i < scsi->n_disks; i++) {
		view->by_slot[scsi->disks[i].slot] = &scsi->disks[i];
		view->first_mount[scsi->disks[i].slot] = n_mounts;
		n_mounts += scsi->disks[i].n_mounts;
	}
	view->holders = lcowmig__arena_alloc(scratch, n_mounts * sizeof *view->holders);
	view->is_used = lcowmig__arena_alloc(scratch, scsi->n_reservations * sizeof *view->is_used);
	if (!view->holders || !view->is_used)
		return lcowmig__fail_memory(view->reader->error);
	*ret_n_mounts = n_mounts;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__wire_validate_disks(const lcowmig__wire_reader *reader, const lcowmig__wire_sandbox *sandbox,
					    lcowmig__arena *scratch)
{
	disks_view view = { .reader = reader, .sandbox = sandbox, .scsi = &sandbox->vm.scsi };
	size_t n_mounts = 0;
	lcowmig_status status;

	view.root = (lcowmig__wire_place){ NULL, "sandbox", NULL, LCOWMIG__WIRE_NO_INDEX };
	view.vm = (lcowmig__wire_place){ &view.root, "vm", NULL, LCOWMIG__WIRE_NO_INDEX };
	view.place = (lcowmig__wire_place){ &view.vm, "scsi", NULL, LCOWMIG__WIRE_NO_INDEX };
	status = disks_index(&view, scratch, &n_mounts);
	if (status == LCOWMIG_OK)
		status = disks_check_paths(&view, n_mounts, scratch);
	for (size_t i = 0; status == LCOWMIG_OK && i < view.scsi->n_reservations; i++)
		status = lcowmig__wire_tolerate(reader, disks_check_reservation(&view, &view.scsi->reservations[i]));
	if (status == LCOWMIG_OK)
		status = disks_check_counts(&view);
	if (status == LCOWMIG_OK)
		status = disks_check_containers(&view);
	return status;
}
