/*
 * Mapping and unmapping a reservation.
 *
 *     map:    HCS add disk, guest mount           each unless it is there already
 *     unmap:  guest unmount, guest eject, HCS remove    each only with the last user, and not again when a repeat finds it done
 *
 * The gate is held throughout, so disks and mounts cannot be torn down by anybody else meanwhile; they can be reserved. The calls are
 * shielded: whoever gives up waiting, the outcome is known.
 */
#include "guest/guest.h"
#include "scsi_private.h"

typedef struct scsi_work {
	lcowmig__flow flow;
	lcowmig_scsi *scsi;
	lcowmig_guid id;
	lcowmig__scsi_reservation *reservation;
	lcowmig__disk *disk;
	lcowmig__mount *mount;
	lcowmig_status status;
	char **ret_path;
	char *path; /* ours until it is handed over */
} scsi_work;

static void work_release(lcowmig__flow *flow)
{
	lcowmig__free(&flow->context->mem, ((scsi_work *)flow)->path);
}

/* Keeps the failure of the await that just ended, saying whose it is. */
static void work_failed(scsi_work *self, const char *doing)
{
	self->status = lcowmig__wrap(self->flow.error, self->flow.result, "SCSI disk %.200s at %u:%u (%s): %s", self->disk->host_path,
	                             (unsigned)lcowmig__disk_controller(self->disk), (unsigned)lcowmig__disk_lun(self->disk),
	                             lcowmig__object_state_name(&self->disk->object), doing);
}

/* ---- Map ---- */

static lcowmig_status map_begin(scsi_work *self, lcowmig_error *error)
{
	lcowmig_scsi *scsi = self->scsi;
	lcowmig_status status = lcowmig__object_check(&scsi->object, SCSI_MAP, error);
	char id[LCOWMIG_GUID_TEXT_SIZE];

	if (status == LCOWMIG_OK)
		status = lcowmig__scsi_look_up(scsi, &self->id, &self->reservation, error);
	if (status != LCOWMIG_OK)
		return status;
	self->disk = self->reservation->disk;
	self->mount = lcowmig__scsi_reservation_mount(self->reservation);
	if (!self->mount) {
		lcowmig_guid_format(&self->id, id);
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "SCSI: reservation %s %s; it can only be unmapped", id,
		                     self->reservation->is_released ? "is half unmapped" : "has no disk or no mount");
	}
	status = lcowmig__object_check(&self->disk->object, DISK_ATTACH, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__object_check(&self->mount->object, MOUNT_MOUNT, error);
	if (status == LCOWMIG_OK && self->ret_path) {
		self->path = lcowmig__strdup(&scsi->object.context->mem, self->mount->guest_path);
		if (!self->path)
			status = lcowmig__fail_memory(error);
	}
	return status;
}

/* Without memory nothing was asked of anybody, so nothing has failed that could not be asked again. */
static bool work_was_tried(const scsi_work *self)
{
	return self->flow.result != LCOWMIG_E_NO_MEMORY;
}

static void map_step(lcowmig__flow *flow)
{
	scsi_work *self = (scsi_work *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &self->scsi->gate));
	self->status = map_begin(self, flow->error);
	if (self->status != LCOWMIG_OK)
		goto out;
	lcowmig__flow_shield(flow, true);
	if (self->disk->object.state == DISK_RESERVED && !self->disk->is_root) {
		FLOW_AWAIT(flow, lcowmig__disk_ask_attach(flow, self->scsi->env, self->disk));
		if (flow->result != LCOWMIG_OK) {
			if (work_was_tried(self))
				lcowmig__object_fire(&self->disk->object, DISK_ATTACH_FAILED);
			work_failed(self, "attaching it");
			goto out;
		}
	}
	lcowmig__object_fire(&self->disk->object, DISK_ATTACH);
	if (self->mount->object.state == MOUNT_RESERVED) {
		FLOW_AWAIT(flow, lcowmig__mount_ask_add(flow, self->scsi->env, self->mount));
		if (flow->result != LCOWMIG_OK) {
			if (work_was_tried(self))
				lcowmig__object_fire(&self->mount->object, MOUNT_MOUNT_FAILED);
			work_failed(self, "mounting it in the guest");
			goto out;
		}
	}
	lcowmig__object_fire(&self->disk->object, DISK_MOUNT_PARTITION);
	lcowmig__object_fire(&self->mount->object, MOUNT_MOUNT);
	if (self->ret_path) {
		*self->ret_path = self->path;
		self->path = NULL;
	}
out:
	lcowmig__gate_leave(flow, &self->scsi->gate);
	FLOW_RETURN(flow, self->status);
	FLOW_END(flow);
}

/* ---- Unmap ---- */

static lcowmig_status unmap_begin(scsi_work *self, lcowmig_error *error)
{
	lcowmig_scsi *scsi = self->scsi;
	lcowmig_status status = lcowmig__object_check(&scsi->object, SCSI_UNMAP, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__scsi_look_up(scsi, &self->id, &self->reservation, error);
	if (status != LCOWMIG_OK)
		return status;
	self->disk = self->reservation->disk;
	self->mount = lcowmig__scsi_reservation_mount(self->reservation);
	return LCOWMIG_OK;
}

/* Without a compute system there is nothing left that could be mounted or attached. */
static bool work_has_machine(const scsi_work *self)
{
	return self->scsi->env->system != NULL;
}

static bool disk_can_go(const lcowmig__disk *disk)
{
	return disk && !disk->is_root && disk->mounts.count == 0;
}

/* The await that just ended left the disk where it is: its path is found again. */
static void disk_stays(scsi_work *self, const char *doing)
{
	if (self->disk->host_path[0])
		lcowmig__tree_insert(&self->scsi->paths, self->disk->host_path, &self->disk->node);
	work_failed(self, doing);
}

static void unmap_step(lcowmig__flow *flow)
{
	scsi_work *self = (scsi_work *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &self->scsi->gate));
	self->status = unmap_begin(self, flow->error);
	if (self->status != LCOWMIG_OK)
		goto out;
	lcowmig__flow_shield(flow, true);
	if (self->mount && lcowmig__mount_is_last_use(self->mount)) {
		FLOW_AWAIT(flow, work_has_machine(self) ? lcowmig__mount_ask_remove(flow, self->scsi->env, self->mount) : (void)0);
		if (flow->result != LCOWMIG_OK) {
			work_failed(self, "unmounting it in the guest");
			goto out;
		}
		lcowmig__disk_release_partition(self->disk, self->mount, true);
	} else if (self->mount) {
		lcowmig__disk_release_partition(self->disk, self->mount, false);
	}
	self->reservation->is_released = true;
	if (!disk_can_go(self->disk))
		goto forget;
	/* While a disk leaves, its path is not found: who reserves it now gets another slot. */
	lcowmig__tree_remove(&self->scsi->paths, &self->disk->node);
	if (self->disk->object.state == DISK_ATTACHED) {
		FLOW_AWAIT(flow, work_has_machine(self) ? lcowmig__disk_ask_eject(flow, self->scsi->env, self->disk) : (void)0);
		if (flow->result != LCOWMIG_OK) {
			disk_stays(self, "removing it from the guest");
			goto out;
		}
		lcowmig__object_fire(&self->disk->object, DISK_EJECT);
	}
	if (self->disk->object.state == DISK_EJECTED) {
		FLOW_AWAIT(flow, work_has_machine(self) ? lcowmig__disk_ask_detach(flow, self->scsi->env, self->disk) : (void)0);
		if (flow->result != LCOWMIG_OK) {
			disk_stays(self, "detaching it");
			goto out;
		}
	}
	lcowmig__object_fire(&self->disk->object, DISK_DETACH);
	lcowmig__scsi_vacate(self->scsi, self->disk);
forget:
	lcowmig__scsi_forget(self->scsi, self->reservation);
out:
	lcowmig__gate_leave(flow, &self->scsi->gate);
	FLOW_RETURN(flow, self->status);
	FLOW_END(flow);
}

/* ---- */

static const lcowmig__flow_class map_class = { "mapping a disk", map_step, work_release, false };
static const lcowmig__flow_class unmap_class = { "unmapping a disk", unmap_step, work_release, false };

static scsi_work *work_new(const lcowmig__flow_class *class, lcowmig_scsi *scsi, const lcowmig_guid *id, lcowmig_error *error)
{
	scsi_work *work = lcowmig__flow_new(sizeof *work, class, scsi->object.context, &scsi->object, error);

	if (!work)
		return NULL;
	work->scsi = scsi;
	work->id = *id;
	return work;
}

lcowmig__flow *lcowmig__scsi_map_flow(lcowmig_scsi *scsi, const lcowmig_guid *reservation, char **ret_path, lcowmig_error *error)
{
	scsi_work *work = work_new(&map_class, scsi, reservation, error);

	if (!work)
		return NULL;
	work->ret_path = ret_path;
	return &work->flow;
}

lcowmig__flow *lcowmig__scsi_unmap_flow(lcowmig_scsi *scsi, const lcowmig_guid *reservation, lcowmig_error *error)
{
	scsi_work *work = work_new(&unmap_class, scsi, reservation, error);

	return work ? &work->flow : NULL;
}
