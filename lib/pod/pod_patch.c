/*
 * Patching one imported container: its pod finds it, checks what only the pod can see, and at the moment of the change re-keys itself. For
 * the sandbox container the pod takes over the new id, and the network the new namespace. All or nothing.
 */
#include "private.h"

struct pod_patch {
	lcowmig__flow flow;
	lcowmig_container *container; /* NULL: there is none of that id */
	lcowmig__flow *child;         /* until it is started */
	lcowmig__container_commit commit;
	void *user;
	const char *source_id;
	const char *new_id;
	const char *namespace_id;
	const char *container_type;
	char *pod_id; /* becomes the pod's; until then ours */
};

static void pod_patch_release(lcowmig__flow *flow)
{
	struct pod_patch *self = (struct pod_patch *)flow;

	lcowmig__flow_discard(self->child);
	lcowmig__free(&flow->context->mem, self->pod_id);
}

static lcowmig_pod *patch_pod(const struct pod_patch *self)
{
	return (lcowmig_pod *)self->flow.object;
}

static bool patch_is_sandbox(const struct pod_patch *self)
{
	return self->container == patch_pod(self)->sandbox_container;
}

bool lcowmig__pod_is_sandbox_container(const lcowmig_pod *pod, const char *source_container_id)
{
	return pod->sandbox_container && lcowmig__pod_find(pod, source_container_id) == pod->sandbox_container;
}

static lcowmig_status patch_check(const struct pod_patch *self, lcowmig_error *error)
{
	const lcowmig_pod *pod = patch_pod(self);
	const char *type = patch_is_sandbox(self) ? "sandbox" : "container";
	const lcowmig_container *other;
	lcowmig_status status;

	if (!self->new_id[0])
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "pod %s: the patch of container %s gives it no id", pod->id,
				     self->source_id);
	status = lcowmig__object_check(&pod->object, LCOWMIG__POD_PATCH, error);
	if (status != LCOWMIG_OK)
		return status;
	if (!self->container)
		return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "pod %s has no container %s to patch", pod->id, self->source_id);
	other = lcowmig__pod_find(pod, self->new_id);
	if (other && other != self->container)
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "pod %s: container %s cannot become %s, which exists", pod->id,
				     self->source_id, self->new_id);
	if (self->container_type && strcmp(self->container_type, type) != 0)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "pod %s: container %s was saved as a %s, the patch says it is a %.64s", pod->id, self->source_id,
				     type, self->container_type);
	if (patch_is_sandbox(self) && lcowmig__text_is_empty(self->namespace_id))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "pod %s: the patch of its sandbox container %s names no network namespace", pod->id, self->source_id);
	return LCOWMIG_OK;
}

/* The sandbox first: it may refuse. The network last: it can only run out of memory, and then the sandbox goes back, which cannot fail. */
static lcowmig_status patch_commit_around(struct pod_patch *self, const char *new_id, lcowmig_error *error)
{
	lcowmig_pod *pod = patch_pod(self);
	lcowmig_status status = LCOWMIG_OK;

	if (self->commit)
		status = self->commit(self->user, self->container, new_id, error);
	if (status != LCOWMIG_OK || !patch_is_sandbox(self))
		return status;
	status = lcowmig__network_patch(pod->network, self->namespace_id, error);
	if (status != LCOWMIG_OK && self->commit)
		self->commit(self->user, self->container, lcowmig__container_id(self->container), NULL);
	return status;
}

static lcowmig_status patch_commit(void *user, lcowmig_container *container, const char *new_id, lcowmig_error *error)
{
	struct pod_patch *self = user;
	lcowmig_pod *pod = patch_pod(self);
	lcowmig_status status = patch_check(self, error);
	lcowmig__node *node;

	if (status == LCOWMIG_OK)
		status = patch_commit_around(self, new_id, error);
	if (status != LCOWMIG_OK)
		return status;
	node = lcowmig__container_node(container);
	lcowmig__tree_remove(&pod->containers, node);
	lcowmig__tree_insert(&pod->containers, new_id, node);
	if (patch_is_sandbox(self)) {
		lcowmig__free(lcowmig__pod_mem(pod), pod->id);
		pod->id = self->pod_id;
		pod->object.id = pod->id;
		self->pod_id = NULL;
	}
	lcowmig__object_fire(&pod->object, LCOWMIG__POD_PATCH);
	return LCOWMIG_OK;
}

static lcowmig__flow *patch_take_child(struct pod_patch *self)
{
	lcowmig__flow *child = self->child;

	self->child = NULL;
	return child;
}

static void pod_patch_step(lcowmig__flow *flow)
{
	struct pod_patch *self = (struct pod_patch *)flow;

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, patch_check(self, flow->error));
	FLOW_TRY(flow, lcowmig__flow_child(flow, patch_take_child(self)));
	FLOW_END(flow);
}

static const lcowmig__work_class pod_patch_class = { { "patch", pod_patch_step, pod_patch_release, false },
						     sizeof(struct pod_patch),
						     "the pod" };

lcowmig__flow *lcowmig__pod_patch_flow(lcowmig_pod *pod, const lcowmig_patch *patch, lcowmig__container_commit commit, void *user,
				       lcowmig_error *error)
{
	struct pod_patch *self = lcowmig__work_new(pod, error, &pod_patch_class);
	lcowmig__flow *flow;

	if (!self)
		return NULL;
	flow = &self->flow;
	self->commit = commit;
	self->user = user;
	self->source_id = lcowmig__flow_text(flow, patch->source_container_id);
	self->new_id = lcowmig__flow_text(flow, patch->container_id ? patch->container_id : "");
	self->namespace_id = lcowmig__flow_text(flow, patch->namespace_id);
	self->container_type = lcowmig__flow_text(flow, patch->container_type);
	self->pod_id = lcowmig__strdup(lcowmig__pod_mem(pod), patch->container_id ? patch->container_id : "");
	self->container = lcowmig__pod_find(pod, patch->source_container_id);
	if (self->container)
		self->child = lcowmig__container_patch_flow(self->container, patch, patch_commit, self, error);
	return lcowmig__flow_made(flow, self->pod_id && (self->child || !self->container), error);
}
