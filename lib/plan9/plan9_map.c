/*
 * Mapping and unmapping a reservation.
 *
 *     map:    HCS add share, guest mount       each unless it is there already
 *     unmap:  guest unmount, HCS remove share  each only with the last user, and not again when a repeat finds it done
 *
 * Gate and shield as in scsi/scsi_map.c.
 */
#include "guest/guest.h"
#include "hcs/documents.h"
#include "plan9_private.h"

typedef struct plan9_work {
	lcowmig__entry_work base;
	lcowmig__plan9_reservation *reservation;
	lcowmig__share *share;
} plan9_work;

/* ---- Asking ---- */

static void ask_add(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__share *share)
{
	lcowmig__hcs_plan9_share description = {
		.name = share->name,
		.path = share->host_path,
		.read_only = share->read_only,
		.restrict_files = share->restrict_access,
		.allowed_files = share->allowed_names.texts,
		.n_allowed_files = share->allowed_names.count,
	};

	lcowmig__hcs_modify(flow, env, lcowmig__hcs_plan9_add(&env->context->mem, &description));
}

static void ask_mount(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__share *share, bool is_mounted)
{
	lcowmig__guest_directory directory = { share->guest_path, share->name, LCOWMIG__PLAN9_PORT, share->mount_read_only };

	(is_mounted ? lcowmig__guest_add_directory : lcowmig__guest_remove_directory)(flow, env, &directory);
}

/* How the await that just ended went; a failure says whose it is. */
static lcowmig_status work_result(const plan9_work *self, const char *doing)
{
	const lcowmig__flow *flow = &self->base.flow;

	if (flow->result == LCOWMIG_OK)
		return LCOWMIG_OK;
	return lcowmig__wrap(flow->error, flow->result, "Plan9 share %s, %.200s (%s): %s", self->share->name, self->share->host_path,
	                     lcowmig__object_state_name(&self->share->object), doing);
}

static lcowmig_status work_begin(plan9_work *self)
{
	self->reservation = lcowmig__plan9_look_up((lcowmig_plan9 *)self->base.flow.object, &self->base.id, self->base.flow.error);
	if (!self->reservation)
		return LCOWMIG_E_NOT_FOUND;
	self->share = self->reservation->share;
	return LCOWMIG_OK;
}

/* ---- Map ---- */

static lcowmig_status map_begin(plan9_work *self)
{
	lcowmig_error *error = self->base.flow.error;
	lcowmig_status status = work_begin(self);

	if (status != LCOWMIG_OK)
		return status;
	if (self->reservation->is_released)
		return lcowmig__entry_work_refuse(&self->base, "is half unmapped; it can only be unmapped");
	status = lcowmig__object_check(&self->share->object, SHARE_ADD, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__object_check(&self->share->mount, SHARE_MOUNT_MOUNT, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__entry_work_prepare(&self->base, self->share->guest_path);
	return status;
}

static void map_step(lcowmig__flow *flow)
{
	plan9_work *self = (plan9_work *)flow;
	lcowmig_plan9 *plan9 = (lcowmig_plan9 *)flow->object;
	lcowmig__share *share = self->share;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &plan9->base.gate));
	FLOW_CHECK(flow, map_begin(self));
	share = self->share;
	lcowmig__flow_shield(flow, true);
	if (share->object.state == SHARE_RESERVED) {
		FLOW_AWAIT(flow, ask_add(flow, plan9->base.env, share));
		lcowmig__entry_work_fire_failed(&self->base, &share->object, SHARE_ADD_FAILED);
		FLOW_CHECK(flow, work_result(self, "adding it"));
	}
	lcowmig__object_fire(&share->object, SHARE_ADD);
	if (share->mount.state == SHARE_MOUNT_RESERVED) {
		FLOW_AWAIT(flow, ask_mount(flow, plan9->base.env, share, true));
		lcowmig__entry_work_fire_failed(&self->base, &share->mount, SHARE_MOUNT_MOUNT_FAILED);
		FLOW_CHECK(flow, work_result(self, "mounting it in the guest"));
	}
	lcowmig__object_fire(&share->object, SHARE_MOUNT);
	lcowmig__object_fire(&share->mount, SHARE_MOUNT_MOUNT);
	lcowmig__entry_work_give(&self->base);
	FLOW_END(flow);
}

static const lcowmig__work_class map_class = {
	{ "mapping a share", map_step, lcowmig__entry_work_release, false }, sizeof(plan9_work), "lcowmig_plan9_map: an argument"
};

lcowmig__flow *lcowmig__plan9_map_flow(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, char **ret_path, lcowmig_error *error)
{
	return lcowmig__entry_work_new(plan9, reservation, ret_path, error, &map_class);
}

lcowmig_status lcowmig_plan9_map(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                 lcowmig_error *error)
{
	return lcowmig__entry_work_run(plan9, reservation, done, user, error, &map_class);
}

/* ---- Unmap ---- */

/* Whether the guest has to give up the mount. Without a compute system there is nothing left that could be mounted or shared. */
static bool unmap_needs_guest(const lcowmig_plan9 *plan9, const lcowmig__share *share)
{
	return share->mount.state == SHARE_MOUNT_MOUNTED && share->ref_count == 1 && plan9->base.env->system;
}

static bool share_can_go(const lcowmig__share *share)
{
	return share && !share->ref_count;
}

static void unmap_step(lcowmig__flow *flow)
{
	plan9_work *self = (plan9_work *)flow;
	lcowmig_plan9 *plan9 = (lcowmig_plan9 *)flow->object;
	lcowmig__share *share = self->share;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &plan9->base.gate));
	FLOW_CHECK(flow, work_begin(self));
	share = self->share;
	lcowmig__flow_shield(flow, true);
	if (!self->reservation->is_released) {
		if (unmap_needs_guest(plan9, share)) {
			FLOW_AWAIT(flow, ask_mount(flow, plan9->base.env, share, false));
			FLOW_CHECK(flow, work_result(self, "unmounting it in the guest"));
			lcowmig__share_release_mount(share, true);
		} else {
			lcowmig__share_release_mount(share, false);
		}
		self->reservation->is_released = true;
	}
	if (share_can_go(share) && share->object.state == SHARE_ADDED && plan9->base.env->system) {
		/* While it leaves, its path is not found: who reserves it now gets another share. */
		lcowmig__tree_remove(&plan9->shares, &share->node);
		FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, plan9->base.env,
						     lcowmig__hcs_plan9_remove(&flow->context->mem, share->name)));
		if (flow->result != LCOWMIG_OK)
			lcowmig__tree_insert(&plan9->shares, share->host_path, &share->node);
		FLOW_CHECK(flow, work_result(self, "removing it"));
	}
	if (share_can_go(share)) {
		lcowmig__object_fire(&share->object, SHARE_REMOVE);
		lcowmig__plan9_drop_share(plan9, share);
	}
	lcowmig__plan9_forget(plan9, self->reservation);
	FLOW_END(flow);
}

static const lcowmig__work_class unmap_class = { { "unmapping a share", unmap_step, NULL, false },
						 sizeof(plan9_work),
						 "lcowmig_plan9_unmap: an argument" };

lcowmig__flow *lcowmig__plan9_unmap_flow(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_error *error)
{
	return lcowmig__entry_work_new(plan9, reservation, NULL, error, &unmap_class);
}

lcowmig_status lcowmig_plan9_unmap(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                   lcowmig_error *error)
{
	return lcowmig__entry_work_run(plan9, reservation, done, user, error, &unmap_class);
}
