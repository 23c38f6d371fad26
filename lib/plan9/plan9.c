/* The controller: shares by path, reservations, and the question whether it is empty. */
#include "base/text.h"
#include "plan9_private.h"

#include <string.h>

static int compare_share(const void *key, const lcowmig__node *node)
{
	return strcmp(key, LCOWMIG__TREE_ENTRY(node, lcowmig__share, node)->host_path);
}

lcowmig_status lcowmig__plan9_new(lcowmig__env *env, bool no_writable_shares, lcowmig_plan9 **ret_plan9, lcowmig_error *error)
{
	lcowmig_plan9 *plan9 = lcowmig__controller_new(env, sizeof *plan9, &lcowmig__plan9_machine, "reservation", error);

	if (!plan9)
		return LCOWMIG_E_NO_MEMORY;
	plan9->no_writable_shares = no_writable_shares;
	lcowmig__tree_init(&plan9->shares, compare_share);
	*ret_plan9 = plan9;
	return LCOWMIG_OK;
}

void lcowmig__plan9_free(lcowmig_plan9 *plan9)
{
	lcowmig__node *node;

	if (!plan9)
		return;
	while ((node = lcowmig__tree_first(&plan9->base.entries)) != NULL) {
		lcowmig__plan9_reservation *reservation = LCOWMIG__TREE_ENTRY(node, lcowmig__plan9_reservation, entry.node);

		/* Every share has a reservation, those that are leaving too. */
		if (reservation->share)
			lcowmig__plan9_drop_share(plan9, reservation->share);
		lcowmig__plan9_forget(plan9, reservation);
	}
	lcowmig__free(&plan9->base.object.context->mem, plan9);
}

void lcowmig__plan9_forget(lcowmig_plan9 *plan9, lcowmig__plan9_reservation *reservation)
{
	lcowmig__list_remove(&reservation->on_share);
	lcowmig__controller_forget(&plan9->base, &reservation->entry);
}

void lcowmig__plan9_drop_share(lcowmig_plan9 *plan9, lcowmig__share *share)
{
	lcowmig__list *node;

	while ((node = lcowmig__list_pop(&share->reservations)) != NULL)
		LCOWMIG__LIST_ENTRY(node, lcowmig__plan9_reservation, on_share)->share = NULL;
	lcowmig__tree_remove(&plan9->shares, &share->node);
	plan9->n_shares--;
	lcowmig__share_free(share);
}

/* ---- Reserving ---- */

static lcowmig_status check_share(const lcowmig_plan9 *plan9, const lcowmig_share_config *share, lcowmig_error *error)
{
	const lcowmig_limits *limits = &plan9->base.object.context->limits;
	size_t i;

	if (!lcowmig__text_is_given(share->host_path, limits->path_bytes))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "Plan9: the host path is empty, too long or not UTF-8");
	if (share->n_allowed_names > limits->mount_options)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "Plan9 share %.200s: %zu allowed names, at most %u are accepted",
		                     share->host_path, share->n_allowed_names, (unsigned)limits->mount_options);
	if (share->n_allowed_names && !share->allowed_names)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "Plan9 share %.200s: the allowed names are NULL", share->host_path);
	for (i = 0; i < share->n_allowed_names; i++)
		if (!lcowmig__text_is_given(share->allowed_names[i], limits->path_bytes))
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
			                     "Plan9 share %.200s: allowed name %zu is empty, too long or not UTF-8", share->host_path, i);
	if (!share->read_only && plan9->no_writable_shares)
		return lcowmig__fail(error, LCOWMIG_E_DENIED, "Plan9 share %.200s: operation denied, writable shares are forbidden",
		                     share->host_path);
	return LCOWMIG_OK;
}

/* The share of that path, or a new one, which is in no controller and has no references yet. */
static lcowmig_status share_for(const lcowmig_plan9 *plan9, const lcowmig_share_config *config, lcowmig__share **ret_share,
				lcowmig_error *error)
{
	lcowmig__share *share = LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&plan9->shares, config->host_path), lcowmig__share, node);

	if (share && !lcowmig__share_is(share, config))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "Plan9 share %.200s (%s) was reserved with another configuration",
		                     share->host_path, lcowmig__object_state_name(&share->object));
	if (!share)
		share = lcowmig__share_new(plan9->base.object.context, plan9->next_name, config);
	*ret_share = share;
	return share ? LCOWMIG_OK : lcowmig__fail_memory(error);
}

static void record(lcowmig_plan9 *plan9, lcowmig__share *share, lcowmig__plan9_reservation *reservation)
{
	if (!share->node.height) {
		lcowmig__tree_insert(&plan9->shares, share->host_path, &share->node);
		plan9->n_shares++;
		plan9->next_name++;
	}
	reservation->share = share;
	lcowmig__list_append(&share->reservations, &reservation->on_share);
	lcowmig__controller_add(&plan9->base, &reservation->entry);
}

lcowmig_status lcowmig__plan9_reserve(lcowmig_plan9 *plan9, const lcowmig_share_config *config, bool mount_read_only,
                                      lcowmig_guid *ret_reservation, lcowmig_error *error)
{
	lcowmig__entry *entry = NULL;
	lcowmig__share *share = NULL;
	lcowmig_status status = check_share(plan9, config, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__controller_draw(&plan9->base, sizeof(lcowmig__plan9_reservation), &entry, error);
	if (status == LCOWMIG_OK)
		status = share_for(plan9, config, &share, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__share_reserve_mount(share, mount_read_only, error);
	if (status == LCOWMIG_OK) {
		record(plan9, share, (lcowmig__plan9_reservation *)entry);
		*ret_reservation = entry->id;
	} else {
		/* A new share refuses nothing, so there is none. */
		lcowmig__free(&plan9->base.object.context->mem, entry);
	}
	return status;
}

lcowmig_status lcowmig__plan9_capture(const lcowmig_plan9 *plan9, lcowmig_error *error)
{
	if (!plan9->base.entries.count) /* and every share has one */
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
	                     "Plan9 controller has %zu shares and %zu reservations; migrating needs it empty", plan9->n_shares,
	                     plan9->base.entries.count);
}
