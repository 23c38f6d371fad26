/* A share as an object: making it, comparing it, freeing it. */
#include "private.h"

#include <stdio.h>

#include "base/text.h"

void lcowmig__plan9_share_free(lcowmig_plan9 *plan9, plan9_share *share)
{
	const lcowmig__mem *mem = &plan9->env->context->mem;
	size_t i;

	if (!share)
		return;
	lcowmig__tree_remove(&plan9->shares, &share->by_path);
	for (i = 0; share->allowed_names && i < share->n_allowed_names; i++)
		lcowmig__free(mem, share->allowed_names[i]);
	lcowmig__free(mem, share->allowed_names);
	lcowmig__free(mem, share->host_path);
	lcowmig__free(mem, share);
}

static bool share_copy_names(const lcowmig__mem *mem, plan9_share *share, const lcowmig_share_config *config)
{
	size_t i;

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

lcowmig_status lcowmig__plan9_share_new(lcowmig_plan9 *plan9, const lcowmig_share_config *config, bool mount_read_only,
                                        plan9_share **ret_share, lcowmig_error *error)
{
	lcowmig_context *context = plan9->env->context;
	plan9_share *share = lcowmig__alloc(&context->mem, sizeof *share);

	if (!share)
		return lcowmig__fail_memory(error);
	share->host_path = lcowmig__strdup(&context->mem, config->host_path);
	if (!share->host_path || !share_copy_names(&context->mem, share, config)) {
		lcowmig__plan9_share_free(plan9, share);
		return lcowmig__fail_memory(error);
	}
	snprintf(share->name, sizeof share->name, "%llu", (unsigned long long)plan9->next_name++);
	snprintf(share->guest_path, sizeof share->guest_path, "/run/mounts/plan9/%s", share->name);
	share->read_only = config->read_only;
	share->restrict_access = config->restrict_access;
	share->mount_read_only = mount_read_only;
	lcowmig__object_init(&share->object, context, &lcowmig__plan9_share_machine, share->name);
	lcowmig__object_init(&share->mount, context, &lcowmig__plan9_mount_machine, share->name);
	lcowmig__tree_insert(&plan9->shares, share->host_path, &share->by_path);
	*ret_share = share;
	return LCOWMIG_OK;
}

bool lcowmig__plan9_share_matches(const plan9_share *share, const lcowmig_share_config *config)
{
	size_t i, j;

	if (share->read_only != !!config->read_only || share->restrict_access != !!config->restrict_access ||
	    share->n_allowed_names != config->n_allowed_names)
		return false;
	/* Each name must stand equally often in both; the lists are a handful of file names. */
	for (i = 0; i < config->n_allowed_names; i++) {
		size_t here = 0, there = 0;

		for (j = 0; j < config->n_allowed_names; j++) {
			here += lcowmig__text_compare_nocase(config->allowed_names[i], share->allowed_names[j]) == 0;
			there += lcowmig__text_compare_nocase(config->allowed_names[i], config->allowed_names[j]) == 0;
		}
		if (here != there)
			return false;
	}
	return true;
}
