/* The controller: reservations, and the flows that map and unmap them. */
#include "private.h"

#include <string.h>

#include "base/guid.h"
#include "engine/abi.h"
#include "guest/guest.h"
#include "hcs/documents.h"

#define PLAN9_PORT 564

static int compare_path(const void *key, const lcowmig__node *node)
{
	return strcmp(key, LCOWMIG__TREE_ENTRY(node, plan9_share, by_path)->host_path);
}

static int compare_reservation(const void *key, const lcowmig__node *node)
{
	return lcowmig__guid_compare(key, &LCOWMIG__TREE_ENTRY(node, plan9_reservation, by_id)->id);
}

lcowmig_status lcowmig__plan9_new(lcowmig__env *env, bool no_writable_shares, lcowmig_plan9 **ret_plan9, lcowmig_error *error)
{
	lcowmig_plan9 *plan9 = lcowmig__alloc(&env->context->mem, sizeof *plan9);

	if (!plan9)
		return lcowmig__fail_memory(error);
	lcowmig__object_init(&plan9->object, env->context, &lcowmig__plan9_machine, "");
	plan9->env = env;
	plan9->no_writable_shares = no_writable_shares;
	lcowmig__gate_init(&plan9->gate);
	lcowmig__tree_init(&plan9->shares, compare_path);
	lcowmig__tree_init(&plan9->reservations, compare_reservation);
	*ret_plan9 = plan9;
	return LCOWMIG_OK;
}

static void reservation_forget(lcowmig_plan9 *plan9, plan9_reservation *reservation)
{
	plan9_share *share = reservation->share;

	lcowmig__tree_remove(&plan9->reservations, &reservation->by_id);
	lcowmig__free(&plan9->env->context->mem, reservation);
	if (--share->holders == 0)
		lcowmig__plan9_share_free(plan9, share);
}

void lcowmig__plan9_free(lcowmig_plan9 *plan9)
{
	lcowmig__node *node, *following;

	if (!plan9)
		return;
	LCOWMIG__TREE_EACH (node, following, &plan9->reservations)
		reservation_forget(plan9, LCOWMIG__TREE_ENTRY(node, plan9_reservation, by_id));
	lcowmig__free(&plan9->env->context->mem, plan9);
}

static plan9_reservation *reservation_find(const lcowmig_plan9 *plan9, const lcowmig_guid *id)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&plan9->reservations, id), plan9_reservation, by_id);
}

static lcowmig_status share_config_check(const lcowmig_plan9 *plan9, const lcowmig_share_config *config, lcowmig_error *error)
{
	size_t i;

	if (!config->host_path || !config->host_path[0])
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "Plan9 share: the host path is empty, expected a directory");
	for (i = 0; i < config->n_allowed_names; i++)
		if (!config->allowed_names || !config->allowed_names[i])
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "Plan9 share %s: allowed name %zu is missing", config->host_path, i);
	if (plan9->no_writable_shares && !config->read_only)
		return lcowmig__fail(error, LCOWMIG_E_DENIED, "Plan9 share %s is writable, and this machine allows read-only shares only",
		                     config->host_path);
	return LCOWMIG_OK;
}

/* One more user for a share that exists. */
static lcowmig_status share_join(plan9_share *share, const lcowmig_share_config *config, bool mount_read_only, lcowmig_error *error)
{
	lcowmig_status status;

	if (!lcowmig__plan9_share_matches(share, config) || (share->has_mount && share->mount_read_only != mount_read_only))
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "Plan9 share %s of %s exists with another configuration", share->name,
		                     share->host_path);
	status = lcowmig__object_check(&share->object, SHARE_RESERVE_MOUNT, error);
	if (status == LCOWMIG_OK && share->has_mount)
		status = lcowmig__object_check(&share->mount, MOUNT_RESERVE, error);
	return status;
}

lcowmig_status lcowmig__plan9_reserve(lcowmig_plan9 *plan9, const lcowmig_share_config *given, bool mount_read_only,
                                      lcowmig_guid *ret_reservation, lcowmig_error *error)
{
	lcowmig_context *context = plan9->env->context;
	plan9_reservation *reservation;
	lcowmig_share_config config;
	plan9_share *share;
	lcowmig_status status;

	status = LCOWMIG__COPY_SIZED("lcowmig_share_config", &config, given, restrict_access, error);
	if (status == LCOWMIG_OK)
		status = share_config_check(plan9, &config, error);
	if (status != LCOWMIG_OK)
		return status;
	share = LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&plan9->shares, config.host_path), plan9_share, by_path);
	if (share)
		status = share_join(share, &config, mount_read_only, error);
	if (status != LCOWMIG_OK)
		return status;
	reservation = lcowmig__alloc(&context->mem, sizeof *reservation);
	if (!reservation)
		return lcowmig__fail_memory(error);
	status = lcowmig__random_guid(context, &reservation->id, error);
	if (status == LCOWMIG_OK && !share)
		status = lcowmig__plan9_share_new(plan9, &config, mount_read_only, &share, error);
	if (status != LCOWMIG_OK) {
		lcowmig__free(&context->mem, reservation);
		return status;
	}
	if (share->has_mount)
		lcowmig__object_fire(&share->mount, MOUNT_RESERVE);
	else
		share->mount.state = MOUNT_RESERVED; /* a new mount of this share */
	share->has_mount = true;
	share->mount_read_only = mount_read_only;
	share->users++;
	share->holders++;
	reservation->share = share;
	lcowmig__tree_insert(&plan9->reservations, &reservation->id, &reservation->by_id);
	*ret_reservation = reservation->id;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__plan9_capture(const lcowmig_plan9 *plan9, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check_idle(&plan9->object, error);

	if (status != LCOWMIG_OK)
		return status;
	if (plan9->shares.count || plan9->reservations.count)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
		                     "Plan9 controller: %zu shares and %zu reservations exist; a machine that migrates has none",
		                     plan9->shares.count, plan9->reservations.count);
	return LCOWMIG_OK;
}

/* ---- Mapping and unmapping ---- */

typedef struct plan9_flow {
	lcowmig__flow flow;
	lcowmig_plan9 *plan9;
	lcowmig_guid id;
	char **ret_path;
	plan9_reservation *reservation; /* while the gate is held */
} plan9_flow;

static lcowmig_status reservation_look_up(plan9_flow *self)
{
	char text[LCOWMIG_GUID_TEXT_SIZE];

	self->reservation = reservation_find(self->plan9, &self->id);
	if (self->reservation)
		return LCOWMIG_OK;
	lcowmig_guid_format(&self->id, text);
	return lcowmig__fail(&self->flow.error, LCOWMIG_E_NOT_FOUND, "Plan9 reservation %s does not exist", text);
}

static char *share_add_document(const lcowmig__mem *mem, const plan9_share *share)
{
	lcowmig__hcs_plan9_share document = {
		.name = share->name,
		.path = share->host_path,
		.read_only = share->read_only,
		.restrict_files = share->restrict_access,
		.allowed_files = (const char *const *)share->allowed_names,
		.n_allowed_files = share->n_allowed_names,
	};

	return lcowmig__hcs_plan9_add(mem, &document);
}

static lcowmig__guest_directory share_directory(const plan9_share *share)
{
	return (lcowmig__guest_directory){ share->guest_path, share->name, PLAN9_PORT, share->mount_read_only };
}

static void share_guest_add(lcowmig__flow *flow, const lcowmig__env *env, const plan9_share *share)
{
	lcowmig__guest_directory directory = share_directory(share);

	lcowmig__guest_add_directory(flow, env, &directory);
}

static void share_guest_remove(lcowmig__flow *flow, const lcowmig__env *env, const plan9_share *share)
{
	lcowmig__guest_directory directory = share_directory(share);

	lcowmig__guest_remove_directory(flow, env, &directory);
}

static void plan9_map_step(lcowmig__flow *flow)
{
	plan9_flow *self = (plan9_flow *)flow;
	lcowmig__env *env = self->plan9->env;
	plan9_share *share = self->reservation ? self->reservation->share : NULL;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &self->plan9->gate));
	flow->result = reservation_look_up(self);
	if (flow->result != LCOWMIG_OK)
		goto leave;
	share = self->reservation->share;
	flow->result = lcowmig__object_check(&share->object, SHARE_ADD, &flow->error);
	if (flow->result == LCOWMIG_OK)
		flow->result = lcowmig__object_check(&share->mount, MOUNT_MOUNT, &flow->error);
	if (flow->result != LCOWMIG_OK)
		goto leave;
	if (share->object.state == SHARE_RESERVED) {
		FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, env, share_add_document(&flow->context->mem, share)));
		lcowmig__object_fire(&share->object, flow->result == LCOWMIG_OK ? SHARE_ADD : SHARE_ADD_FAILED);
		if (flow->result != LCOWMIG_OK)
			goto leave;
	}
	if (share->mount.state == MOUNT_RESERVED) {
		FLOW_AWAIT(flow, share_guest_add(flow, env, share));
		lcowmig__object_fire(&share->mount, flow->result == LCOWMIG_OK ? MOUNT_MOUNT : MOUNT_MOUNT_FAILED);
		if (flow->result != LCOWMIG_OK)
			goto leave;
	}
	if (self->ret_path) {
		*self->ret_path = lcowmig__strdup(&flow->context->mem, share->guest_path);
		if (!*self->ret_path)
			flow->result = lcowmig__fail_memory(&flow->error);
	}
leave:
	lcowmig__gate_leave(flow, &self->plan9->gate);
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__wrap(&flow->error, flow->result, "Plan9 map"));
	FLOW_END(flow);
}

static const lcowmig__flow_class plan9_map_class = { .name = "Plan9 map", .step = plan9_map_step, .is_shielded = true };

/* One user less; a mount without users is gone. */
static void share_release_mount(plan9_share *share)
{
	lcowmig__object_fire(&share->mount, share->users > 1 ? MOUNT_RELEASE : MOUNT_UNMOUNT);
	share->users--;
	share->has_mount = share->users > 0;
}

static void plan9_unmap_step(lcowmig__flow *flow)
{
	plan9_flow *self = (plan9_flow *)flow;
	lcowmig__env *env = self->plan9->env;
	plan9_share *share = self->reservation ? self->reservation->share : NULL;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &self->plan9->gate));
	flow->result = reservation_look_up(self);
	if (flow->result != LCOWMIG_OK)
		goto leave;
	share = self->reservation->share;
	if (!self->reservation->has_left) {
		if (share->users == 1 && share->mount.state == MOUNT_MOUNTED) {
			FLOW_AWAIT(flow, share_guest_remove(flow, env, share));
			if (flow->result != LCOWMIG_OK)
				goto leave;
		}
		share_release_mount(share);
		self->reservation->has_left = true;
	}
	if (!share->has_mount) {
		if (share->object.state == SHARE_ADDED) {
			FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, env, lcowmig__hcs_plan9_remove(&flow->context->mem, share->name)));
			if (flow->result != LCOWMIG_OK)
				goto leave;
		}
		lcowmig__object_fire(&share->object, SHARE_REMOVE);
		lcowmig__tree_remove(&self->plan9->shares, &share->by_path);
	}
	reservation_forget(self->plan9, self->reservation);
	self->reservation = NULL;
leave:
	lcowmig__gate_leave(flow, &self->plan9->gate);
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__wrap(&flow->error, flow->result, "Plan9 unmap"));
	FLOW_END(flow);
}

static const lcowmig__flow_class plan9_unmap_class = { .name = "Plan9 unmap", .step = plan9_unmap_step, .is_shielded = true };

static lcowmig__flow *plan9_flow_new(lcowmig_plan9 *plan9, const lcowmig__flow_class *class, const lcowmig_guid *id, char **ret_path,
                                     lcowmig_error *error)
{
	plan9_flow *self = lcowmig__flow_new(sizeof *self, class, plan9->env->context, &plan9->object, error);

	if (!self)
		return NULL;
	self->plan9 = plan9;
	self->id = *id;
	self->ret_path = ret_path;
	return &self->flow;
}

lcowmig__flow *lcowmig__plan9_map_flow(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, char **ret_path, lcowmig_error *error)
{
	return plan9_flow_new(plan9, &plan9_map_class, reservation, ret_path, error);
}

lcowmig__flow *lcowmig__plan9_unmap_flow(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_error *error)
{
	return plan9_flow_new(plan9, &plan9_unmap_class, reservation, NULL, error);
}

/* ---- Public ---- */

lcowmig_status lcowmig_plan9_reserve(lcowmig_plan9 *plan9, const lcowmig_share_config *share, bool mount_read_only,
                                     lcowmig_guid *ret_reservation, lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig_status status;

	if (!plan9 || !share || !ret_reservation)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "Plan9 reserve: plan9, share or ret_reservation is NULL");
	lcowmig__enter(plan9->env->context, &pump);
	status = lcowmig__plan9_reserve(plan9, share, mount_read_only, ret_reservation, error);
	lcowmig__leave(plan9->env->context, &pump);
	return status;
}

static lcowmig_status plan9_run(lcowmig_plan9 *plan9, const lcowmig__flow_class *class, const lcowmig_guid *reservation,
                                lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig__flow *flow;

	if (!plan9 || !reservation)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s: plan9 or reservation is NULL", class->name);
	lcowmig__enter(plan9->env->context, &pump);
	flow = plan9_flow_new(plan9, class, reservation, NULL, error);
	return lcowmig__leave_with(plan9->env->context, &pump, flow ? LCOWMIG_OK : LCOWMIG_E_NO_MEMORY, flow, done, user, error);
}

lcowmig_status lcowmig_plan9_map(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                 lcowmig_error *error)
{
	return plan9_run(plan9, &plan9_map_class, reservation, done, user, error);
}

lcowmig_status lcowmig_plan9_unmap(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                   lcowmig_error *error)
{
	return plan9_run(plan9, &plan9_unmap_class, reservation, done, user, error);
}

const char *lcowmig_plan9_guest_path(lcowmig_plan9 *plan9, const lcowmig_guid *reservation)
{
	const plan9_reservation *found;
	lcowmig__pump pump;

	if (!plan9 || !reservation)
		return NULL;
	lcowmig__enter(plan9->env->context, &pump);
	found = reservation_find(plan9, reservation);
	lcowmig__leave(plan9->env->context, &pump);
	return found ? found->share->guest_path : NULL;
}

lcowmig_status lcowmig_plan9_save(lcowmig_plan9 *plan9, lcowmig_error *error)
{
	lcowmig__pump pump;
	lcowmig_status status;

	if (!plan9)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "Plan9 save: plan9 is NULL");
	lcowmig__enter(plan9->env->context, &pump);
	status = lcowmig__plan9_capture(plan9, error);
	lcowmig__leave(plan9->env->context, &pump);
	return status;
}
