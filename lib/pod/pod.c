/* The pod controller: its ids, its containers. */
#include "private.h"

static int container_compare(const void *key, const lcowmig__node *node)
{
	return strcmp(key, lcowmig__container_id(lcowmig__container_of_node((lcowmig__node *)(uintptr_t)node)));
}

lcowmig_status lcowmig__pod_make(lcowmig__env *env, const lcowmig__container_vm *vm, const char *id, const char *guest_id,
				 lcowmig_pod **ret_pod, lcowmig_error *error)
{
	const lcowmig__mem *mem = &env->context->mem;
	lcowmig_pod *pod = lcowmig__alloc(mem, sizeof *pod);

	if (!pod)
		return lcowmig__fail_memory(error);
	lcowmig__object_init(&pod->object, env->context, &lcowmig__pod_machine, NULL);
	lcowmig__tree_init(&pod->containers, container_compare);
	pod->env = env;
	pod->vm = vm;
	pod->id = lcowmig__strdup(mem, id);
	pod->guest_id = lcowmig__strdup(mem, guest_id);
	pod->object.id = pod->id;
	if (!pod->id || !pod->guest_id) {
		lcowmig__pod_free(pod);
		return lcowmig__fail_memory(error);
	}
	*ret_pod = pod;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__pod_new(lcowmig__env *env, const lcowmig__container_vm *vm, const char *id, const char *namespace_id,
				bool policy_based_routing, lcowmig_pod **ret_pod, lcowmig_error *error)
{
	lcowmig_pod *pod = NULL;
	lcowmig_status status = lcowmig__pod_make(env, vm, id, id, &pod, error);

	if (status == LCOWMIG_OK && !lcowmig__text_is_empty(namespace_id))
		status = lcowmig__network_new(env, namespace_id, policy_based_routing, &pod->network, error);
	if (status != LCOWMIG_OK) {
		lcowmig__pod_free(pod);
		return status;
	}
	*ret_pod = pod;
	return LCOWMIG_OK;
}

void lcowmig__pod_free(lcowmig_pod *pod)
{
	const lcowmig__mem *mem;

	if (!pod)
		return;
	mem = lcowmig__pod_mem(pod);
	while (pod->containers.count)
		lcowmig__pod_drop_container(pod, lcowmig__pod_next(pod, NULL));
	lcowmig__network_free(pod->network);
	lcowmig__free(mem, pod->id);
	lcowmig__free(mem, pod->guest_id);
	lcowmig__free(mem, pod);
}

lcowmig_status lcowmig__pod_new_container(lcowmig_pod *pod, const char *id, lcowmig_container **ret_container, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&pod->object, LCOWMIG__POD_NEW_CONTAINER, error);
	lcowmig_container *container;
	lcowmig_scsi *scsi;

	if (status == LCOWMIG_OK && lcowmig__pod_find(pod, id))
		status = lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "pod %s has a container %s already", pod->id, id);
	if (status == LCOWMIG_OK)
		status = pod->vm->scsi(pod->vm->user, &scsi, error); /* without disks there can be no container */
	if (status == LCOWMIG_OK)
		status = lcowmig__container_new(pod->env, pod->vm, pod->guest_id, id, &container, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__tree_insert(&pod->containers, id, lcowmig__container_node(container));
	lcowmig__object_fire(&pod->object, LCOWMIG__POD_NEW_CONTAINER);
	*ret_container = container;
	return LCOWMIG_OK;
}

void lcowmig__pod_drop_container(lcowmig_pod *pod, lcowmig_container *container)
{
	lcowmig__tree_remove(&pod->containers, lcowmig__container_node(container));
	if (pod->sandbox_container == container)
		pod->sandbox_container = NULL;
	lcowmig__container_free(container);
}

lcowmig_container *lcowmig__pod_find(const lcowmig_pod *pod, const char *container_id)
{
	lcowmig__node *node = lcowmig__tree_find(&pod->containers, container_id);

	return node ? lcowmig__container_of_node(node) : NULL;
}

lcowmig_container *lcowmig__pod_look_up(const lcowmig_pod *pod, const char *container_id, lcowmig_error *error)
{
	lcowmig_container *container = lcowmig__pod_find(pod, container_id);

	if (!container)
		lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "pod %s has no container %s", pod->id, container_id);
	return container;
}

lcowmig_container *lcowmig__pod_next(const lcowmig_pod *pod, const lcowmig_container *container)
{
	lcowmig__node *node;

	if (container)
		node = lcowmig__tree_next(lcowmig__container_node((lcowmig_container *)(uintptr_t)container));
	else
		node = lcowmig__tree_first(&pod->containers);
	return node ? lcowmig__container_of_node(node) : NULL;
}

bool lcowmig__pod_is_migrating(const lcowmig_pod *pod)
{
	return pod->object.state == LCOWMIG__POD_MIGRATING;
}

lcowmig_status lcowmig__pod_result(lcowmig__flow *flow, lcowmig_status status)
{
	return status == LCOWMIG_OK ? LCOWMIG_OK : lcowmig__wrap(flow->error, status, "pod %s", flow->object->id);
}
