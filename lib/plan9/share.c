/* A shared directory, and where the guest has it. */
#include <inttypes.h>
#include <stdio.h>

#include "hcs/guest_paths.h"
#include "plan9_private.h"

lcowmig__share *lcowmig__share_new(lcowmig_context *context, uint64_t number, const lcowmig_share_config *config)
{
	const lcowmig__mem *mem = &context->mem;
	lcowmig__share *share = lcowmig__alloc(mem, sizeof *share);
	bool has_names;

	if (!share)
		return NULL;
	snprintf(share->name, sizeof share->name, "%" PRIu64, number);
	share->read_only = config->read_only != 0;
	share->restrict_access = config->restrict_access != 0;
	share->host_path = lcowmig__strdup(mem, config->host_path);
	share->guest_path = lcowmig__path_plan9_mount(mem, share->name);
	has_names = lcowmig__text_list_copy(&share->allowed_names, mem, config->allowed_names, config->n_allowed_names);
	lcowmig__object_init(&share->object, context, &lcowmig__plan9_share_machine, share->host_path);
	lcowmig__object_init(&share->mount, context, &lcowmig__plan9_mount_machine, share->guest_path);
	lcowmig__list_init(&share->reservations);
	if (has_names && share->host_path && share->guest_path)
		return share;
	lcowmig__share_free(share);
	return NULL;
}

void lcowmig__share_free(lcowmig__share *share)
{
	const lcowmig__mem *mem = &share->object.context->mem;

	lcowmig__text_list_done(&share->allowed_names, mem);
	lcowmig__free(mem, share->host_path);
	lcowmig__free(mem, share->guest_path);
	lcowmig__free(mem, share);
}

bool lcowmig__share_is(const lcowmig__share *share, const lcowmig_share_config *config)
{
	return share->read_only == (config->read_only != 0) && share->restrict_access == (config->restrict_access != 0) &&
	       lcowmig__text_list_is(&share->allowed_names, config->allowed_names, config->n_allowed_names);
}

lcowmig_status lcowmig__share_reserve_mount(lcowmig__share *share, bool read_only, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&share->object, SHARE_RESERVE_MOUNT, error);

	if (status != LCOWMIG_OK)
		return status;
	if (!share->ref_count) {
		lcowmig__object_init(&share->mount, share->object.context, &lcowmig__plan9_mount_machine, share->guest_path);
		share->mount_read_only = read_only;
		share->ref_count = 1;
		return LCOWMIG_OK;
	}
	status = lcowmig__object_check(&share->mount, SHARE_MOUNT_RESERVE, error);
	if (status != LCOWMIG_OK)
		return status;
	if (share->mount_read_only != read_only)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "Plan9 mount %s (%s) was reserved %s", share->guest_path,
		                     lcowmig__object_state_name(&share->mount), share->mount_read_only ? "read-only" : "writable");
	lcowmig__object_fire(&share->mount, SHARE_MOUNT_RESERVE);
	share->ref_count++;
	return LCOWMIG_OK;
}

void lcowmig__share_release_mount(lcowmig__share *share, bool guest_unmounted)
{
	share->ref_count--;
	if (!share->ref_count)
		lcowmig__object_fire(&share->mount, SHARE_MOUNT_UNMOUNT);
	else
		lcowmig__object_fire(&share->mount, guest_unmounted ? SHARE_MOUNT_UNMOUNT_RESERVED_AGAIN : SHARE_MOUNT_RELEASE);
	lcowmig__object_fire(&share->object, SHARE_UNMOUNT);
}
