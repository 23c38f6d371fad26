/* A container's further mounts: disks go to the SCSI bus, host directories and files become Plan9 shares, all else is the guest's business.
 */
#include <string.h>

#include "container_private.h"
#include "hcs/documents.h"

struct mounts_flow {
	lcowmig__container_part part;
	lcowmig_scsi *scsi;
	lcowmig_plan9 *plan9;
	size_t next;
	const char *path; /* canonical path of a disk */
	char *guest_path; /* as mapped */
	bool is_file;     /* the share is of a single file */
};

static lcowmig__oci_mount *mounts_current(const struct mounts_flow *self)
{
	return &self->part.plan->mounts[self->next];
}

static bool mounts_is_disk(const struct mounts_flow *self)
{
	return mounts_current(self)->kind == LCOWMIG__MOUNT_DISK;
}

/* Where the current mount's reservation is kept. */
static lcowmig__guids *mounts_list(const struct mounts_flow *self)
{
	lcowmig_container *container = self->part.plan->container;

	return mounts_is_disk(self) ? &container->disks : &container->shares;
}

static lcowmig_status mounts_prepare(struct mounts_flow *self)
{
	const lcowmig__container_plan *plan = self->part.plan;
	lcowmig_container *container = plan->container;
	size_t n_disks = 0;
	size_t n_shares = 0;
	size_t i;

	for (i = 0; i < plan->n_mounts; i++) {
		n_disks += plan->mounts[i].kind == LCOWMIG__MOUNT_DISK;
		n_shares += plan->mounts[i].kind == LCOWMIG__MOUNT_SHARE;
	}
	if (!lcowmig__guids_reserve(container, &container->disks, n_disks) ||
	    !lcowmig__guids_reserve(container, &container->shares, n_shares))
		return lcowmig__fail_memory(self->part.base.flow.error);
	return LCOWMIG_OK;
}

static uint32_t mounts_disk_type(const lcowmig__oci_mount *mount)
{
	if (strcmp(mount->disk_type, LCOWMIG__DISK_PASS_THRU) == 0)
		return LCOWMIG_DISK_PASS_THROUGH;
	return strcmp(mount->disk_type, LCOWMIG__DISK_EXTENSIBLE) == 0 ? LCOWMIG_DISK_EXTENSIBLE : LCOWMIG_DISK_VIRTUAL;
}

/* A provider of extensible disks opens them itself. */
static bool mounts_needs_grant(const struct mounts_flow *self)
{
	return mounts_is_disk(self) && mounts_disk_type(mounts_current(self)) != LCOWMIG_DISK_EXTENSIBLE;
}

/* The host knows where a disk is, and what a share is of. */
static void mounts_ask(struct mounts_flow *self)
{
	const lcowmig__env *env = self->part.plan->container->env;
	const char *path = mounts_current(self)->host_path;

	if (mounts_is_disk(self))
		lcowmig__hcs_resolve_path(&self->part.base.flow, env, path);
	else
		lcowmig__hcs_path_type(&self->part.base.flow, env, path);
}

static lcowmig_status mounts_answered(struct mounts_flow *self)
{
	lcowmig__flow *flow = &self->part.base.flow;

	self->is_file = false;
	if (mounts_is_disk(self))
		return lcowmig__container_take_path(flow, self->part.plan->arena, &self->path);
	self->is_file = flow->rest->reply.size == 4 && memcmp(flow->rest->reply.data, "file", 4) == 0;
	return LCOWMIG_OK;
}

static lcowmig_status mounts_reserve_disk(struct mounts_flow *self, lcowmig_guid *ret_reservation, lcowmig_error *error)
{
	const lcowmig__container_vm *vm = self->part.plan->container->vm;
	const lcowmig__oci_mount *mount = mounts_current(self);
	const lcowmig_disk_config disk = {
		.size = sizeof disk,
		.host_path = self->path,
		.evd_type = mount->evd_type,
		.type = mounts_disk_type(mount),
		.read_only = mount->read_only,
	};
	const lcowmig_mount_config config = {
		.size = sizeof config,
		.options = mount->options,
		.n_options = mount->n_options,
		.read_only = mount->read_only,
		.block_device = mount->block_device,
	};
	lcowmig_status status = vm->scsi(vm->user, &self->scsi, error);

	return status == LCOWMIG_OK ? lcowmig__scsi_reserve(self->scsi, &disk, &config, ret_reservation, error) : status;
}

/* A single file is shared as its directory, in which nothing else can be seen. */
static lcowmig_status mounts_reserve_share(struct mounts_flow *self, lcowmig_guid *ret_reservation, lcowmig_error *error)
{
	const lcowmig__container_vm *vm = self->part.plan->container->vm;
	const lcowmig__oci_mount *mount = mounts_current(self);
	const char *name = lcowmig__oci_base_name(mount->host_path);
	lcowmig_share_config share = { .size = sizeof share, .host_path = mount->host_path, .read_only = mount->read_only };
	lcowmig_status status;

	if (self->is_file) {
		share.host_path = lcowmig__arena_strndup(self->part.plan->arena, mount->host_path, (size_t)(name - mount->host_path));
		if (!share.host_path)
			return lcowmig__fail_memory(error);
		share.allowed_names = &name;
		share.n_allowed_names = 1;
		share.restrict_access = 1;
	}
	status = vm->plan9(vm->user, &self->plan9, error);
	return status == LCOWMIG_OK ? lcowmig__plan9_reserve(self->plan9, &share, mount->read_only, ret_reservation, error) : status;
}

static lcowmig_status mounts_reserve(struct mounts_flow *self, lcowmig_error *error)
{
	lcowmig__guids *list = mounts_list(self);
	lcowmig_guid *reservation = &list->items[list->count];
	lcowmig_status status = mounts_is_disk(self) ? mounts_reserve_disk(self, reservation, error)
						     : mounts_reserve_share(self, reservation, error);

	if (status == LCOWMIG_OK)
		list->count++;
	return status;
}

static void mounts_map(struct mounts_flow *self)
{
	const lcowmig__guids *list = mounts_list(self);
	const lcowmig_guid *reservation = &list->items[list->count - 1];

	lcowmig__flow_child(&self->part.base.flow,
			    mounts_is_disk(self) ? lcowmig__scsi_map_flow(self->scsi, reservation, &self->guest_path, NULL)
						 : lcowmig__plan9_map_flow(self->plan9, reservation, &self->guest_path, NULL));
}

/* Where the spec's mount shall come from. */
static lcowmig_status mounts_keep_guest_path(struct mounts_flow *self)
{
	lcowmig__oci_mount *mount = mounts_current(self);
	const char *name = self->is_file ? lcowmig__oci_base_name(mount->host_path) : "";
	lcowmig__buf path;

	lcowmig__buf_init(&path, lcowmig__arena_mem(self->part.plan->arena));
	lcowmig__buf_printf(&path, "%s%s%s", self->guest_path, name[0] ? "/" : "", name);
	lcowmig__free(&self->part.base.flow.context->mem, self->guest_path);
	self->guest_path = NULL;
	mount->guest_path = lcowmig__buf_take(&path);
	return mount->guest_path ? LCOWMIG_OK : lcowmig__fail_memory(self->part.base.flow.error);
}

static void mounts_step(lcowmig__flow *flow)
{
	struct mounts_flow *self = (struct mounts_flow *)flow;

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, mounts_prepare(self));
	for (; self->next < self->part.plan->n_mounts; self->next++) {
		if (mounts_current(self)->kind == LCOWMIG__MOUNT_GUEST)
			continue;
		FLOW_TRY(flow, mounts_ask(self));
		FLOW_CHECK(flow, mounts_answered(self));
		if (mounts_needs_grant(self))
			FLOW_TRY(flow, lcowmig__hcs_grant_access(flow, self->part.plan->container->env, self->path));
		FLOW_CHECK(flow, mounts_reserve(self, flow->error));
		FLOW_TRY(flow, mounts_map(self));
		FLOW_CHECK(flow, mounts_keep_guest_path(self));
	}
	FLOW_END(flow);
}

static void mounts_release(lcowmig__flow *flow)
{
	lcowmig__free(&flow->context->mem, ((struct mounts_flow *)flow)->guest_path);
}

static const lcowmig__flow_class mounts_class = { .name = "mounts", .step = mounts_step, .release = mounts_release };

lcowmig__flow *lcowmig__container_mounts_flow(lcowmig__container_plan *plan)
{
	return lcowmig__container_part_flow(plan, sizeof(struct mounts_flow), &mounts_class);
}
