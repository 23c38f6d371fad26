/*
 * Mapping and unmapping a reservation.
 *
 *     map:    HCS add disk, guest mount           each unless it is there already
 *     unmap:  guest unmount, guest eject, HCS remove    each only with the last user, and not again when a repeat finds it done
 *
 * The gate is held throughout, so disks and mounts cannot be torn down by anybody else meanwhile; they can be reserved. The calls are
 * shielded: whoever gives up waiting, the outcome is known.
 */
#include "scsi_private.h"

typedef struct scsi_work {
	lcowmig__entry_work base;
	lcowmig__scsi_reservation *reservation;
	lcowmig__disk *disk;
	lcowmig__mount *mount;
} scsi_work;

/* ---- Asking ---- */

static void ask_attach(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__disk *disk)
{
	lcowmig__hcs_attachment attachment = lcowmig__disk_attachment(disk);

	lcowmig__hcs_modify(flow, env, lcowmig__hcs_scsi_add(&env->context->mem, &attachment));
}

static void ask_mount(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__mount *mount)
{
	lcowmig__guest_disk disk = lcowmig__mount_describe(mount);

	lcowmig__guest_add_disk(flow, env, &disk);
}

/* Without a compute system there is nothing left that could be mounted or attached. */
static void ask_unmount(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__mount *mount)
{
	lcowmig__guest_disk disk = lcowmig__mount_describe(mount);

	if (env->system)
		lcowmig__guest_remove_disk(flow, env, &disk);
}

static void ask_eject(lcowmig__flow *flow, const lcowmig__env *env, uint32_t slot)
{
	if (env->system)
		lcowmig__guest_remove_scsi_device(flow, env, slot / LCOWMIG_SCSI_LUNS, slot % LCOWMIG_SCSI_LUNS);
}

static void ask_detach(lcowmig__flow *flow, const lcowmig__env *env, uint32_t slot)
{
	if (env->system)
		lcowmig__hcs_modify(flow, env,
				    lcowmig__hcs_scsi_remove(&env->context->mem, slot / LCOWMIG_SCSI_LUNS, slot % LCOWMIG_SCSI_LUNS));
}

/* How the await that just ended went; a failure says whose it is. */
static lcowmig_status work_result(const scsi_work *self, const char *doing)
{
	const lcowmig__flow *flow = &self->base.flow;

	if (flow->result == LCOWMIG_OK)
		return LCOWMIG_OK;
	return lcowmig__wrap(flow->error, flow->result, "SCSI disk %.200s at %u:%u (%s): %s", self->disk->host_path,
	                     (unsigned)(self->disk->slot / LCOWMIG_SCSI_LUNS), (unsigned)(self->disk->slot % LCOWMIG_SCSI_LUNS),
	                     lcowmig__object_state_name(&self->disk->object), doing);
}

static lcowmig_status work_begin(scsi_work *self, int trigger)
{
	lcowmig_scsi *scsi = (lcowmig_scsi *)self->base.flow.object;
	lcowmig_error *error = self->base.flow.error;
	lcowmig_status status = lcowmig__object_check(&scsi->base.object, trigger, error);

	if (status != LCOWMIG_OK)
		return status;
	self->reservation = lcowmig__scsi_look_up(scsi, &self->base.id, error);
	if (!self->reservation)
		return LCOWMIG_E_NOT_FOUND;
	self->disk = self->reservation->disk;
	self->mount = lcowmig__scsi_reservation_mount(self->reservation);
	return LCOWMIG_OK;
}

/* ---- Map ---- */

static lcowmig_status map_begin(scsi_work *self)
{
	lcowmig_error *error = self->base.flow.error;
	lcowmig_status status = work_begin(self, SCSI_MAP);

	if (status != LCOWMIG_OK)
		return status;
	if (!self->mount)
		return lcowmig__entry_work_refuse(&self->base, self->reservation->is_released
								       ? "is half unmapped; it can only be unmapped"
								       : "has no disk or no mount; it can only be unmapped");
	status = lcowmig__object_check(&self->disk->object, DISK_ATTACH, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__object_check(&self->mount->object, MOUNT_MOUNT, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__entry_work_prepare(&self->base, self->mount->wire.guest_path);
	return status;
}

static void map_step(lcowmig__flow *flow)
{
	scsi_work *self = (scsi_work *)flow;
	lcowmig_scsi *scsi = (lcowmig_scsi *)flow->object;
	lcowmig__disk *disk = self->disk;
	lcowmig__mount *mount = self->mount;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &scsi->base.gate));
	FLOW_CHECK(flow, map_begin(self));
	disk = self->disk;
	mount = self->mount;
	lcowmig__flow_shield(flow, true);
	if (disk->object.state == DISK_RESERVED && !disk->is_root) {
		FLOW_AWAIT(flow, ask_attach(flow, scsi->base.env, disk));
		lcowmig__entry_work_fire_failed(&self->base, &disk->object, DISK_ATTACH_FAILED);
		FLOW_CHECK(flow, work_result(self, "attaching it"));
	}
	lcowmig__object_fire(&disk->object, DISK_ATTACH);
	if (mount->object.state == MOUNT_RESERVED) {
		FLOW_AWAIT(flow, ask_mount(flow, scsi->base.env, mount));
		lcowmig__entry_work_fire_failed(&self->base, &mount->object, MOUNT_MOUNT_FAILED);
		FLOW_CHECK(flow, work_result(self, "mounting it in the guest"));
	}
	lcowmig__object_fire(&disk->object, DISK_MOUNT_PARTITION);
	lcowmig__object_fire(&mount->object, MOUNT_MOUNT);
	lcowmig__entry_work_give(&self->base);
	FLOW_END(flow);
}

static const lcowmig__work_class map_class = {
	{ "mapping a disk", map_step, lcowmig__entry_work_release, false }, sizeof(scsi_work), "lcowmig_scsi_map: an argument"
};

lcowmig__flow *lcowmig__scsi_map_flow(lcowmig_scsi *scsi, const lcowmig_guid *reservation, char **ret_path, lcowmig_error *error)
{
	return lcowmig__entry_work_new(scsi, reservation, ret_path, error, &map_class);
}

lcowmig_status lcowmig_scsi_map(lcowmig_scsi *scsi, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return lcowmig__entry_work_run(scsi, reservation, done, user, error, &map_class);
}

/* ---- Unmap ---- */

static bool disk_can_go(const lcowmig__disk *disk)
{
	return disk && !disk->is_root && disk->mounts.count == 0;
}

/* A disk that did not leave is found by its path again. */
static lcowmig_status leave_result(scsi_work *self, const char *doing)
{
	if (self->base.flow.result != LCOWMIG_OK)
		lcowmig__scsi_index_path((lcowmig_scsi *)self->base.flow.object, self->disk);
	return work_result(self, doing);
}

static void unmap_step(lcowmig__flow *flow)
{
	scsi_work *self = (scsi_work *)flow;
	lcowmig_scsi *scsi = (lcowmig_scsi *)flow->object;
	lcowmig__disk *disk = self->disk;
	lcowmig__mount *mount = self->mount;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &scsi->base.gate));
	FLOW_CHECK(flow, work_begin(self, SCSI_UNMAP));
	disk = self->disk;
	mount = self->mount;
	lcowmig__flow_shield(flow, true);
	if (mount && lcowmig__mount_is_last_use(mount)) {
		FLOW_AWAIT(flow, ask_unmount(flow, scsi->base.env, mount));
		FLOW_CHECK(flow, work_result(self, "unmounting it in the guest"));
		lcowmig__disk_release_partition(disk, mount, true);
	} else if (mount) {
		lcowmig__disk_release_partition(disk, mount, false);
	}
	self->reservation->is_released = true;
	if (disk_can_go(disk)) {
		/* While a disk leaves, its path is not found: who reserves it now gets another slot. */
		lcowmig__tree_remove(&scsi->paths, &disk->by_path);
		if (disk->object.state == DISK_ATTACHED) {
			FLOW_AWAIT(flow, ask_eject(flow, scsi->base.env, disk->slot));
			FLOW_CHECK(flow, leave_result(self, "removing it from the guest"));
			lcowmig__object_fire(&disk->object, DISK_EJECT);
		}
		if (disk->object.state == DISK_EJECTED) {
			FLOW_AWAIT(flow, ask_detach(flow, scsi->base.env, disk->slot));
			FLOW_CHECK(flow, leave_result(self, "detaching it"));
		}
		lcowmig__object_fire(&disk->object, DISK_DETACH);
		lcowmig__scsi_vacate(scsi, disk);
	}
	lcowmig__scsi_forget(scsi, self->reservation);
	FLOW_END(flow);
}

static const lcowmig__work_class unmap_class = { { "unmapping a disk", unmap_step, NULL, false },
						 sizeof(scsi_work),
						 "lcowmig_scsi_unmap: an argument" };

lcowmig__flow *lcowmig__scsi_unmap_flow(lcowmig_scsi *scsi, const lcowmig_guid *reservation, lcowmig_error *error)
{
	return lcowmig__entry_work_new(scsi, reservation, NULL, error, &unmap_class);
}

lcowmig_status lcowmig_scsi_unmap(lcowmig_scsi *scsi, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                  lcowmig_error *error)
{
	return lcowmig__entry_work_run(scsi, reservation, done, user, error, &unmap_class);
}
