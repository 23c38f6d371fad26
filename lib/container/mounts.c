/* A container's further mounts: disks go to the SCSI bus, host directories and files become Plan9 shares, all else is the guest's business.
 */
#include <string.h>

#include "container_private.h"
#include "hcs/documents.h"

struct mounts_flow {
	lcowmig__container_flow base;
	lcowmig__container_plan *plan;
	lcowmig_scsi *scsi;
	lcowmig_plan9 *plan9;
	size_t next;
	const char *path; /* canonical path of a disk */
	char *guest_path; /* as mapped */
	bool is_file;     /* the share is of a single file */
};

static lcowmig__oci_mount *mounts_current(const struct mounts_flow *self)
{
	return &self->plan->mounts[self->next];
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
	return mounts_disk_type(mounts_current(self)) != LCOWMIG_DISK_EXTENSIBLE;
}

static lcowmig_status mounts_reserve_disk(struct mounts_flow *self)
{
	lcowmig_container *container = self->base.container;
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
	lcowmig_error *error = self->base.flow.error;
	lcowmig_status status = container->vm->scsi(container->vm->user, &self->scsi, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__scsi_reserve(self->scsi, &disk, &config, &container->disks.items[container->disks.count], error);
	if (status == LCOWMIG_OK)
		container->disks.count++;
	return status;
}

static void mounts_map_disk(struct mounts_flow *self)
{
	const lcowmig__guids *disks = &self->base.container->disks;

	lcowmig__flow_child(&self->base.flow, lcowmig__scsi_map_flow(self->scsi, &disks->items[disks->count - 1], &self->guest_path, NULL));
}

/* A single file is shared as its directory, in which nothing else can be seen. */
static lcowmig_status mounts_reserve_share(struct mounts_flow *self)
{
	lcowmig_container *container = self->base.container;
	const lcowmig__oci_mount *mount = mounts_current(self);
	const char *name = lcowmig__oci_base_name(mount->host_path);
	lcowmig_share_config share = { .size = sizeof share, .host_path = mount->host_path, .read_only = mount->read_only };
	lcowmig_error *error = self->base.flow.error;
	lcowmig_status status;
	char *directory;

	if (self->is_file) {
		directory = lcowmig__arena_strndup(&self->plan->arena, mount->host_path, (size_t)(name - mount->host_path));
		if (!directory)
			return lcowmig__fail_memory(error);
		share.host_path = directory;
		share.allowed_names = &name;
		share.n_allowed_names = 1;
		share.restrict_access = 1;
	}
	status = container->vm->plan9(container->vm->user, &self->plan9, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__plan9_reserve(self->plan9, &share, mount->read_only, &container->shares.items[container->shares.count],
						error);
	if (status == LCOWMIG_OK)
		container->shares.count++;
	return status;
}

static void mounts_map_share(struct mounts_flow *self)
{
	const lcowmig__guids *shares = &self->base.container->shares;

	lcowmig__flow_child(&self->base.flow,
			    lcowmig__plan9_map_flow(self->plan9, &shares->items[shares->count - 1], &self->guest_path, NULL));
}

/* Where the spec's mount shall come from. */
static lcowmig_status mounts_keep_guest_path(struct mounts_flow *self)
{
	lcowmig__oci_mount *mount = mounts_current(self);
	const char *name = self->is_file ? lcowmig__oci_base_name(mount->host_path) : "";
	size_t length = strlen(self->guest_path);
	size_t name_length = strlen(name);
	char *path = lcowmig__arena_alloc(&self->plan->arena, length + name_length + 2);

	if (!path)
		return lcowmig__fail_memory(self->base.flow.error);
	memcpy(path, self->guest_path, length);
	if (name_length) {
		path[length++] = '/';
		memcpy(path + length, name, name_length);
	}
	mount->guest_path = path;
	lcowmig__free(&self->base.flow.context->mem, self->guest_path);
	self->guest_path = NULL;
	return LCOWMIG_OK;
}

static bool mounts_reply_is(const lcowmig__flow *flow, const char *text)
{
	return flow->reply.size == strlen(text) && memcmp(flow->reply.data, text, flow->reply.size) == 0;
}

static lcowmig_status mounts_prepare(struct mounts_flow *self)
{
	lcowmig_container *container = self->base.container;
	const lcowmig__mem *mem = &container->env->context->mem;
	size_t n_disks = 0;
	size_t n_shares = 0;
	size_t i;

	for (i = 0; i < self->plan->n_mounts; i++) {
		n_disks += self->plan->mounts[i].kind == LCOWMIG__MOUNT_DISK;
		n_shares += self->plan->mounts[i].kind == LCOWMIG__MOUNT_SHARE;
	}
	if (!lcowmig__guids_reserve(mem, &container->disks, n_disks) || !lcowmig__guids_reserve(mem, &container->shares, n_shares))
		return lcowmig__fail_memory(self->base.flow.error);
	return LCOWMIG_OK;
}

static void mounts_step(lcowmig__flow *flow)
{
	struct mounts_flow *self = (struct mounts_flow *)flow;
	const lcowmig__env *env = self->base.container->env;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	status = mounts_prepare(self);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	for (; self->next < self->plan->n_mounts; self->next++) {
		self->is_file = false;
		if (mounts_current(self)->kind == LCOWMIG__MOUNT_GUEST)
			continue;
		if (mounts_current(self)->kind == LCOWMIG__MOUNT_DISK) {
			FLOW_TRY(flow, lcowmig__hcs_resolve_path(flow, env, mounts_current(self)->host_path));
			status = lcowmig__container_take_path(flow, &self->plan->arena, &self->path);
			if (status != LCOWMIG_OK)
				FLOW_RETURN(flow, status);
			if (mounts_needs_grant(self))
				FLOW_TRY(flow, lcowmig__hcs_grant_access(flow, env, self->path));
			status = mounts_reserve_disk(self);
			if (status != LCOWMIG_OK)
				FLOW_RETURN(flow, status);
			FLOW_TRY(flow, mounts_map_disk(self));
		} else {
			FLOW_TRY(flow, lcowmig__hcs_path_type(flow, env, mounts_current(self)->host_path));
			self->is_file = mounts_reply_is(flow, "file");
			status = mounts_reserve_share(self);
			if (status != LCOWMIG_OK)
				FLOW_RETURN(flow, status);
			FLOW_TRY(flow, mounts_map_share(self));
		}
		status = mounts_keep_guest_path(self);
		if (status != LCOWMIG_OK)
			FLOW_RETURN(flow, status);
	}
	FLOW_END(flow);
}

static void mounts_release(lcowmig__flow *flow)
{
	lcowmig__free(&flow->context->mem, ((struct mounts_flow *)flow)->guest_path);
}

static const lcowmig__flow_class mounts_class = { .name = "mounts", .step = mounts_step, .release = mounts_release };

lcowmig__flow *lcowmig__container_mounts_flow(lcowmig__container_plan *plan, lcowmig_error *error)
{
	struct mounts_flow *self = lcowmig__container_flow_new(plan->container, sizeof *self, &mounts_class, false, error);

	if (!self)
		return NULL;
	self->plan = plan;
	return &self->base.flow;
}
