/* A shared directory, and where the guest has it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "guest/guest.h"
#include "hcs/documents.h"
#include "hcs/guest_paths.h"
#include "plan9_private.h"

static bool share_copy_names(lcowmig__share *share, const lcowmig__mem *mem, const lcowmig_share_config *config)
{
	size_t i;

	if (!config->n_allowed_names)
		return true;
	share->allowed_names = lcowmig__alloc_array(mem, config->n_allowed_names, sizeof *share->allowed_names);
	if (!share->allowed_names)
		return false;
	share->n_allowed_names = config->n_allowed_names;
	for (i = 0; i < config->n_allowed_names; i++) {
		share->allowed_names[i] = lcowmig__strdup(mem, config->allowed_names[i]);
		if (!share->allowed_names[i])
			return false;
	}
	return true;
}

lcowmig__share *lcowmig__share_new(lcowmig_context *context, uint64_t number, const lcowmig_share_config *config)
{
	const lcowmig__mem *mem = &context->mem;
	lcowmig__share *share = lcowmig__alloc(mem, sizeof *share);
	char name[24];

	if (!share)
		return NULL;
	snprintf(name, sizeof name, "%" PRIu64, number);
	share->read_only = config->read_only != 0;
	share->restrict_access = config->restrict_access != 0;
	share->name = lcowmig__strdup(mem, name);
	share->host_path = lcowmig__strdup(mem, config->host_path);
	share->guest_path = lcowmig__path_plan9_mount(mem, name);
	lcowmig__object_init(&share->object, context, &lcowmig__plan9_share_machine, share->host_path);
	lcowmig__object_init(&share->mount, context, &lcowmig__plan9_mount_machine, share->guest_path);
	lcowmig__list_init(&share->reservations);
	if (share_copy_names(share, mem, config) && share->name && share->host_path && share->guest_path)
		return share;
	lcowmig__share_free(share);
	return NULL;
}

void lcowmig__share_free(lcowmig__share *share)
{
	const lcowmig__mem *mem;
	size_t i;

	if (!share)
		return;
	mem = &share->object.context->mem;
	for (i = 0; i < share->n_allowed_names; i++)
		lcowmig__free(mem, share->allowed_names[i]);
	lcowmig__free(mem, share->allowed_names);
	lcowmig__free(mem, share->name);
	lcowmig__free(mem, share->host_path);
	lcowmig__free(mem, share->guest_path);
	lcowmig__free(mem, share);
}

static size_t count_name(const char *const *names, size_t n_names, const char *name)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < n_names; i++)
		count += lcowmig__text_compare_nocase(names[i], name) == 0;
	return count;
}

bool lcowmig__share_is(const lcowmig__share *share, const lcowmig_share_config *config)
{
	const char *const *own = (const char *const *)share->allowed_names;
	size_t i;

	if (share->read_only != (config->read_only != 0) || share->restrict_access != (config->restrict_access != 0) ||
	    share->n_allowed_names != config->n_allowed_names)
		return false;
	for (i = 0; i < share->n_allowed_names; i++)
		if (count_name(own, share->n_allowed_names, own[i]) != count_name(config->allowed_names, config->n_allowed_names, own[i]))
			return false;
	return true;
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

bool lcowmig__share_is_last_use(const lcowmig__share *share)
{
	return share->mount.state == SHARE_MOUNT_MOUNTED && share->ref_count == 1;
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

void lcowmig__share_ask_add(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__share *share)
{
	lcowmig__hcs_plan9_share description = {
		.name = share->name,
		.path = share->host_path,
		.read_only = share->read_only,
		.restrict_files = share->restrict_access,
		.allowed_files = (const char *const *)share->allowed_names,
		.n_allowed_files = share->n_allowed_names,
	};

	lcowmig__hcs_modify(flow, env, lcowmig__hcs_plan9_add(&env->context->mem, &description));
}

void lcowmig__share_ask_remove(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__share *share)
{
	lcowmig__hcs_modify(flow, env, lcowmig__hcs_plan9_remove(&env->context->mem, share->name));
}

static lcowmig__guest_directory share_directory(const lcowmig__share *share)
{
	return (lcowmig__guest_directory){ share->guest_path, share->name, LCOWMIG__PLAN9_PORT, share->mount_read_only };
}

void lcowmig__share_ask_mount(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__share *share)
{
	lcowmig__guest_directory directory = share_directory(share);

	lcowmig__guest_add_directory(flow, env, &directory);
}

void lcowmig__share_ask_unmount(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__share *share)
{
	lcowmig__guest_directory directory = share_directory(share);

	lcowmig__guest_remove_directory(flow, env, &directory);
}
