/*
 * Mapping and unmapping a reservation.
 *
 *     map:    HCS add share, guest mount       each unless it is there already
 *     unmap:  guest unmount, HCS remove share  each only with the last user, and not again when a repeat finds it done
 *
 * Gate and shield as in scsi/scsi_map.c.
 */
#include "plan9_private.h"

typedef struct plan9_work {
	lcowmig__flow flow;
	lcowmig_plan9 *plan9;
	lcowmig_guid id;
	lcowmig__plan9_reservation *reservation;
	lcowmig__share *share;
	lcowmig_status status;
	char **ret_path;
	char *path; /* ours until it is handed over */
} plan9_work;

static void work_release(lcowmig__flow *flow)
{
	lcowmig__free(&flow->context->mem, ((plan9_work *)flow)->path);
}

/* Keeps the failure of the await that just ended, saying whose it is. */
static void work_failed(plan9_work *self, const char *doing)
{
	self->status = lcowmig__wrap(self->flow.error, self->flow.result, "Plan9 share %s, %.200s (%s): %s", self->share->name,
	                             self->share->host_path, lcowmig__object_state_name(&self->share->object), doing);
}

/* Without memory nothing was asked of anybody, so nothing has failed that could not be asked again. */
static bool work_was_tried(const plan9_work *self)
{
	return self->flow.result != LCOWMIG_E_NO_MEMORY;
}

/* Without a compute system there is nothing left that could be mounted or shared. */
static bool work_has_machine(const plan9_work *self)
{
	return self->plan9->env->system != NULL;
}

/* ---- Map ---- */

static lcowmig_status map_begin(plan9_work *self, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__plan9_look_up(self->plan9, &self->id, &self->reservation, error);
	char id[LCOWMIG_GUID_TEXT_SIZE];

	if (status != LCOWMIG_OK)
		return status;
	self->share = self->reservation->share;
	if (self->reservation->is_released) {
		lcowmig_guid_format(&self->id, id);
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "Plan9: reservation %s is half unmapped; it can only be unmapped", id);
	}
	status = lcowmig__object_check(&self->share->object, SHARE_ADD, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__object_check(&self->share->mount, SHARE_MOUNT_MOUNT, error);
	if (status == LCOWMIG_OK && self->ret_path) {
		self->path = lcowmig__strdup(&self->plan9->object.context->mem, self->share->guest_path);
		if (!self->path)
			status = lcowmig__fail_memory(error);
	}
	return status;
}

static void map_step(lcowmig__flow *flow)
{
	plan9_work *self = (plan9_work *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &self->plan9->gate));
	self->status = map_begin(self, flow->error);
	if (self->status != LCOWMIG_OK)
		goto out;
	lcowmig__flow_shield(flow, true);
	if (self->share->object.state == SHARE_RESERVED) {
		FLOW_AWAIT(flow, lcowmig__share_ask_add(flow, self->plan9->env, self->share));
		if (flow->result != LCOWMIG_OK) {
			if (work_was_tried(self))
				lcowmig__object_fire(&self->share->object, SHARE_ADD_FAILED);
			work_failed(self, "adding it");
			goto out;
		}
	}
	lcowmig__object_fire(&self->share->object, SHARE_ADD);
	if (self->share->mount.state == SHARE_MOUNT_RESERVED) {
		FLOW_AWAIT(flow, lcowmig__share_ask_mount(flow, self->plan9->env, self->share));
		if (flow->result != LCOWMIG_OK) {
			if (work_was_tried(self))
				lcowmig__object_fire(&self->share->mount, SHARE_MOUNT_MOUNT_FAILED);
			work_failed(self, "mounting it in the guest");
			goto out;
		}
	}
	lcowmig__object_fire(&self->share->object, SHARE_MOUNT);
	lcowmig__object_fire(&self->share->mount, SHARE_MOUNT_MOUNT);
	if (self->ret_path) {
		*self->ret_path = self->path;
		self->path = NULL;
	}
out:
	lcowmig__gate_leave(flow, &self->plan9->gate);
	FLOW_RETURN(flow, self->status);
	FLOW_END(flow);
}

/* ---- Unmap ---- */

static bool share_can_go(const plan9_work *self)
{
	return self->share && !self->share->ref_count;
}

static void unmap_step(lcowmig__flow *flow)
{
	plan9_work *self = (plan9_work *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &self->plan9->gate));
	self->status = lcowmig__plan9_look_up(self->plan9, &self->id, &self->reservation, flow->error);
	if (self->status != LCOWMIG_OK)
		goto out;
	lcowmig__flow_shield(flow, true);
	self->share = self->reservation->share;
	if (!self->reservation->is_released) {
		if (lcowmig__share_is_last_use(self->share) && work_has_machine(self)) {
			FLOW_AWAIT(flow, lcowmig__share_ask_unmount(flow, self->plan9->env, self->share));
			if (flow->result != LCOWMIG_OK) {
				work_failed(self, "unmounting it in the guest");
				goto out;
			}
			lcowmig__share_release_mount(self->share, true);
		} else {
			lcowmig__share_release_mount(self->share, false);
		}
		self->reservation->is_released = true;
	}
	if (share_can_go(self) && self->share->object.state == SHARE_ADDED && work_has_machine(self)) {
		/* While it leaves, its path is not found: who reserves it now gets another share. */
		lcowmig__tree_remove(&self->plan9->shares, &self->share->node);
		FLOW_AWAIT(flow, lcowmig__share_ask_remove(flow, self->plan9->env, self->share));
		if (flow->result != LCOWMIG_OK) {
			lcowmig__tree_insert(&self->plan9->shares, self->share->host_path, &self->share->node);
			work_failed(self, "removing it");
			goto out;
		}
	}
	if (share_can_go(self)) {
		lcowmig__object_fire(&self->share->object, SHARE_REMOVE);
		lcowmig__plan9_drop_share(self->plan9, self->share);
	}
	lcowmig__plan9_forget(self->plan9, self->reservation);
out:
	lcowmig__gate_leave(flow, &self->plan9->gate);
	FLOW_RETURN(flow, self->status);
	FLOW_END(flow);
}

/* ---- */

static const lcowmig__flow_class map_class = { "mapping a share", map_step, work_release, false };
static const lcowmig__flow_class unmap_class = { "unmapping a share", unmap_step, work_release, false };

static plan9_work *work_new(const lcowmig__flow_class *class, lcowmig_plan9 *plan9, const lcowmig_guid *id, lcowmig_error *error)
{
	plan9_work *work = lcowmig__flow_new(sizeof *work, class, plan9->object.context, &plan9->object, error);

	if (!work)
		return NULL;
	work->plan9 = plan9;
	work->id = *id;
	return work;
}

lcowmig__flow *lcowmig__plan9_map_flow(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, char **ret_path, lcowmig_error *error)
{
	plan9_work *work = work_new(&map_class, plan9, reservation, error);

	if (!work)
		return NULL;
	work->ret_path = ret_path;
	return &work->flow;
}

lcowmig__flow *lcowmig__plan9_unmap_flow(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_error *error)
{
	plan9_work *work = work_new(&unmap_class, plan9, reservation, error);

	return work ? &work->flow : NULL;
}
