/* Patching an imported container: the sandbox finds its pod, and at the moment of the change re-keys its maps. */
#include "sandbox.h"

struct sandbox_patch {
	lcowmig__flow flow;
	lcowmig__flow *child; /* until it is started; NULL: there is no such container */
	const char *source_id;
};

static void sandbox_patch_release(lcowmig__flow *flow)
{
	lcowmig__flow_discard(((struct sandbox_patch *)flow)->child);
}

/* The whole sandbox has to agree with the new id: no container of any pod, no guest id of another one, for a pod's sandbox container no
 * pod. */
static lcowmig_status patch_check(const lcowmig_sandbox *sandbox, const lcowmig__index_entry *entry, bool renames_pod, const char *new_id,
				  lcowmig_error *error)
{
	const lcowmig__index_entry *other = lcowmig__sandbox_find(sandbox, new_id);
	const lcowmig_pod *pod = lcowmig__sandbox_find_pod(sandbox, new_id);

	if (other && other != entry)
		return lcowmig__fail(
			error, LCOWMIG_E_ALREADY_EXISTS, "sandbox %s: container %s cannot become %s, which is in pod %s already",
			sandbox->object.id, lcowmig__container_id(entry->container), new_id, lcowmig__pod_id(other->pod));
	if (renames_pod && pod && pod != entry->pod)
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "sandbox %s: pod %s cannot become %s, which is another pod",
				     sandbox->object.id, lcowmig__pod_id(entry->pod), new_id);
	return LCOWMIG_OK;
}

/* The container and its pod still have their old ids here; they take the new ones right after. */
static lcowmig_status patch_commit(void *user, lcowmig_container *container, const char *new_id, lcowmig_error *error)
{
	lcowmig_sandbox *sandbox = user;
	lcowmig__index_entry *entry = lcowmig__sandbox_find_guest(sandbox, lcowmig__container_guest_id(container));
	bool renames_pod = lcowmig__pod_is_sandbox_container(entry->pod, lcowmig__container_id(container));
	lcowmig_status status = patch_check(sandbox, entry, renames_pod, new_id, error);

	if (status != LCOWMIG_OK)
		return status;
	lcowmig__tree_remove(&sandbox->containers, &entry->node);
	lcowmig__tree_insert(&sandbox->containers, new_id, &entry->node);
	if (renames_pod) {
		lcowmig__tree_remove(&sandbox->pods, &entry->pod->node);
		lcowmig__tree_insert(&sandbox->pods, new_id, &entry->pod->node);
	}
	return LCOWMIG_OK;
}

static lcowmig__flow *patch_take_child(struct sandbox_patch *self)
{
	lcowmig__flow *child = self->child;

	self->child = NULL;
	return child;
}

static void sandbox_patch_step(lcowmig__flow *flow)
{
	struct sandbox_patch *self = (struct sandbox_patch *)flow;

	FLOW_BEGIN(flow);
	if (!self->child)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_NOT_FOUND, "sandbox %s has no container %s to patch",
						flow->object->id, self->source_id));
	FLOW_TRY(flow, lcowmig__flow_child(flow, patch_take_child(self)));
	FLOW_END(flow);
}

static const lcowmig__flow_class sandbox_patch_class = { "patch", sandbox_patch_step, sandbox_patch_release, false };

lcowmig__flow *lcowmig__sandbox_patch_flow(lcowmig_sandbox *sandbox, const lcowmig_patch *patch, lcowmig_error *error)
{
	const lcowmig__index_entry *entry = lcowmig__sandbox_find(sandbox, patch->source_container_id);
	struct sandbox_patch *self =
		lcowmig__flow_new(sizeof *self, &sandbox_patch_class, sandbox->object.context, &sandbox->object, error);

	if (!self)
		return NULL;
	self->source_id = lcowmig__flow_text(&self->flow, patch->source_container_id);
	if (entry)
		self->child = lcowmig__pod_patch_flow(entry->pod, patch, patch_commit, sandbox, error);
	return lcowmig__flow_made(&self->flow, self->child || !entry, error);
}
