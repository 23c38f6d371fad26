/* The controller: shares by path, reservations, and the question whether it is empty. */
#include "base/guid.h"
#include "base/text.h"
#include "plan9_private.h"

#include <string.h>

static int compare_share(const void *key, const lcowmig__node *node)
{
	return strcmp(key, LCOWMIG__TREE_ENTRY(node, lcowmig__share, node)->host_path);
}

static int compare_reservation(const void *key, const lcowmig__node *node)
{
	return lcowmig__guid_compare(key, &LCOWMIG__TREE_ENTRY(node, lcowmig__plan9_reservation, node)->id);
}

lcowmig_status lcowmig__plan9_new(lcowmig__env *env, bool no_writable_shares, lcowmig_plan9 **ret_plan9, lcowmig_error *error)
{
	lcowmig_plan9 *plan9 = lcowmig__alloc(&env->context->mem, sizeof *plan9);

	if (!plan9)
		return lcowmig__fail_memory(error);
	lcowmig__object_init(&plan9->object, env->context, &lcowmig__plan9_machine, "controller");
	plan9->env = env;
	plan9->no_writable_shares = no_writable_shares;
	lcowmig__gate_init(&plan9->gate);
	lcowmig__tree_init(&plan9->shares, compare_share);
	lcowmig__tree_init(&plan9->reservations, compare_reservation);
	*ret_plan9 = plan9;
	return LCOWMIG_OK;
}

void lcowmig__plan9_free(lcowmig_plan9 *plan9)
{
	lcowmig__node *node;

	if (!plan9)
		return;
	while ((node = lcowmig__tree_first(&plan9->reservations)) != NULL) {
		lcowmig__plan9_reservation *reservation = LCOWMIG__TREE_ENTRY(node, lcowmig__plan9_reservation, node);

		/* Every share has a reservation, those that are leaving too. */
		if (reservation->share)
			lcowmig__plan9_drop_share(plan9, reservation->share);
		lcowmig__plan9_forget(plan9, reservation);
	}
	lcowmig__free(&plan9->object.context->mem, plan9);
}

lcowmig_status lcowmig__plan9_look_up(const lcowmig_plan9 *plan9, const lcowmig_guid *id, lcowmig__plan9_reservation **ret_reservation,
                                      lcowmig_error *error)
{
	char text[LCOWMIG_GUID_TEXT_SIZE];

	*ret_reservation = LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&plan9->reservations, id), lcowmig__plan9_reservation, node);
	if (*ret_reservation)
		return LCOWMIG_OK;
	lcowmig_guid_format(id, text);
	return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "Plan9: reservation %s not found", text);
}

void lcowmig__plan9_forget(lcowmig_plan9 *plan9, lcowmig__plan9_reservation *reservation)
{
	lcowmig__tree_remove(&plan9->reservations, &reservation->node);
	lcowmig__list_remove(&reservation->on_share);
	lcowmig__free(&plan9->object.context->mem, reservation);
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

static bool text_is_path(const char *text, uint32_t limit)
{
	return !lcowmig__text_is_empty(text) && lcowmig__text_is_fine(text, limit);
}

static lcowmig_status check_share(const lcowmig_plan9 *plan9, const lcowmig_share_config *share, lcowmig_error *error)
{
	const lcowmig_limits *limits = &plan9->object.context->limits;
	size_t i;

	if (!text_is_path(share->host_path, limits->path_bytes))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "Plan9: the host path is empty, too long or not UTF-8");
	if (share->n_allowed_names > limits->mount_options)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "Plan9 share %.200s: %zu allowed names, at most %u are accepted",
		                     share->host_path, share->n_allowed_names, (unsigned)limits->mount_options);
	if (share->n_allowed_names && !share->allowed_names)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "Plan9 share %.200s: the allowed names are NULL", share->host_path);
	for (i = 0; i < share->n_allowed_names; i++)
		if (!text_is_path(share->allowed_names[i], limits->path_bytes))
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
			                     "Plan9 share %.200s: allowed name %zu is empty, too long or not UTF-8", share->host_path, i);
	if (!share->read_only && plan9->no_writable_shares)
		return lcowmig__fail(error, LCOWMIG_E_DENIED, "Plan9 share %.200s: operation denied, writable shares are forbidden",
		                     share->host_path);
	if (plan9->reservations.count >= limits->reservations)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "Plan9: there are %u reservations already",
				     (unsigned)limits->reservations);
	return LCOWMIG_OK;
}

/* The share of that path, or a new one that is not in the controller yet. */
static lcowmig_status share_for(const lcowmig_plan9 *plan9, const lcowmig_share_config *config, lcowmig__share **ret_share,
				bool *ret_is_new, lcowmig_error *error)
{
	lcowmig__share *share = LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&plan9->shares, config->host_path), lcowmig__share, node);

	*ret_is_new = !share;
	if (share && !lcowmig__share_is(share, config))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "Plan9 share %.200s (%s) was reserved with another configuration",
		                     share->host_path, lcowmig__object_state_name(&share->object));
	if (!share)
		share = lcowmig__share_new(plan9->object.context, plan9->next_name, config);
	if (!share)
		return lcowmig__fail_memory(error);
	*ret_share = share;
	return LCOWMIG_OK;
}

static void record(lcowmig_plan9 *plan9, lcowmig__share *share, bool is_new, lcowmig__plan9_reservation *reservation)
{
	if (is_new) {
		lcowmig__tree_insert(&plan9->shares, share->host_path, &share->node);
		plan9->n_shares++;
		plan9->next_name++;
	}
	reservation->share = share;
	lcowmig__list_append(&share->reservations, &reservation->on_share);
	lcowmig__tree_insert(&plan9->reservations, &reservation->id, &reservation->node);
}

lcowmig_status lcowmig__plan9_reserve(lcowmig_plan9 *plan9, const lcowmig_share_config *config, bool mount_read_only,
                                      lcowmig_guid *ret_reservation, lcowmig_error *error)
{
	const lcowmig__mem *mem = &plan9->object.context->mem;
	lcowmig__plan9_reservation *reservation;
	lcowmig__share *share = NULL;
	bool is_new = false;
	lcowmig_status status = check_share(plan9, config, error);

	if (status != LCOWMIG_OK)
		return status;
	reservation = lcowmig__alloc(mem, sizeof *reservation);
	if (!reservation)
		return lcowmig__fail_memory(error);
	status = lcowmig__random_guid(plan9->object.context, &reservation->id, error);
	if (status == LCOWMIG_OK && lcowmig__tree_find(&plan9->reservations, &reservation->id))
		status = lcowmig__fail(error, LCOWMIG_E_HOST_FAILED, "Plan9: the platform's random bytes repeat themselves");
	if (status == LCOWMIG_OK)
		status = share_for(plan9, config, &share, &is_new, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__share_reserve_mount(share, mount_read_only, error);
	if (status == LCOWMIG_OK) {
		record(plan9, share, is_new, reservation);
		*ret_reservation = reservation->id;
		return LCOWMIG_OK;
	}
	if (is_new)
		lcowmig__share_free(share);
	lcowmig__free(mem, reservation);
	return status;
}

lcowmig_status lcowmig__plan9_capture(const lcowmig_plan9 *plan9, lcowmig_error *error)
{
	if (!plan9->reservations.count) /* and every share has one */
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
	                     "Plan9 controller has %zu shares and %zu reservations; migrating needs it empty", plan9->n_shares,
	                     plan9->reservations.count);
}
