/* The maps of a sandbox: pods by id, containers by the host's id and by the guest's. */
#include <string.h>

#include "sandbox.h"

static int pod_compare(const void *key, const lcowmig__node *node)
{
	return strcmp(key, lcowmig__pod_id(LCOWMIG__TREE_ENTRY(node, const lcowmig_pod, node)));
}

static int container_compare(const void *key, const lcowmig__node *node)
{
	return strcmp(key, lcowmig__container_id(LCOWMIG__TREE_ENTRY(node, const lcowmig__index_entry, node)->container));
}

static int guest_compare(const void *key, const lcowmig__node *node)
{
	return strcmp(key, lcowmig__container_guest_id(LCOWMIG__TREE_ENTRY(node, const lcowmig__index_entry, guest_node)->container));
}

void lcowmig__sandbox_init_maps(lcowmig_sandbox *sandbox)
{
	lcowmig__tree_init(&sandbox->pods, pod_compare);
	lcowmig__tree_init(&sandbox->containers, container_compare);
	lcowmig__tree_init(&sandbox->guest_ids, guest_compare);
}

lcowmig__index_entry *lcowmig__sandbox_find(const lcowmig_sandbox *sandbox, const char *container_id)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&sandbox->containers, container_id), lcowmig__index_entry, node);
}

lcowmig__index_entry *lcowmig__sandbox_find_guest(const lcowmig_sandbox *sandbox, const char *guest_container_id)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&sandbox->guest_ids, guest_container_id), lcowmig__index_entry, guest_node);
}

lcowmig_pod *lcowmig__sandbox_find_pod(const lcowmig_sandbox *sandbox, const char *pod_id)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&sandbox->pods, pod_id), lcowmig_pod, node);
}

lcowmig_pod *lcowmig__sandbox_next_pod(const lcowmig_sandbox *sandbox, const lcowmig_pod *pod)
{
	return LCOWMIG__TREE_ENTRY(pod ? lcowmig__tree_next(&pod->node) : lcowmig__tree_first(&sandbox->pods), lcowmig_pod, node);
}

lcowmig_status lcowmig__sandbox_check_new_id(const lcowmig_sandbox *sandbox, const char *container_id, lcowmig_error *error)
{
	const lcowmig__index_entry *entry = lcowmig__sandbox_find(sandbox, container_id);

	if (entry)
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "sandbox %s has a container %s already, in pod %s",
				     sandbox->object.id, container_id, lcowmig__pod_id(entry->pod));
	entry = lcowmig__sandbox_find_guest(sandbox, container_id);
	if (entry)
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "sandbox %s: the guest knows container %s as %s",
				     sandbox->object.id, lcowmig__container_id(entry->container), container_id);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__sandbox_add_container(lcowmig_sandbox *sandbox, lcowmig_pod *pod, lcowmig_container *container,
					      lcowmig_error *error)
{
	const char *id = lcowmig__container_id(container);
	const char *guest_id = lcowmig__container_guest_id(container);
	lcowmig__index_entry *entry;

	if (lcowmig__sandbox_find(sandbox, id))
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "sandbox %s has a container %s already", sandbox->object.id, id);
	if (lcowmig__sandbox_find_guest(sandbox, guest_id))
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "sandbox %s: container %s and another one are %s to the guest",
				     sandbox->object.id, id, guest_id);
	entry = lcowmig__alloc(&sandbox->object.context->mem, sizeof *entry);
	if (!entry)
		return lcowmig__fail_memory(error);
	entry->container = container;
	entry->pod = pod;
	lcowmig__tree_insert(&sandbox->containers, id, &entry->node);
	lcowmig__tree_insert(&sandbox->guest_ids, guest_id, &entry->guest_node);
	return LCOWMIG_OK;
}

void lcowmig__sandbox_remove_container(lcowmig_sandbox *sandbox, const char *container_id)
{
	lcowmig__index_entry *entry = lcowmig__sandbox_find(sandbox, container_id);

	lcowmig__tree_remove(&sandbox->containers, &entry->node);
	lcowmig__tree_remove(&sandbox->guest_ids, &entry->guest_node);
	lcowmig__free(&sandbox->object.context->mem, entry);
}

lcowmig_status lcowmig__sandbox_check_new_pod(const lcowmig_sandbox *sandbox, const char *pod_id, lcowmig_error *error)
{
	if (!lcowmig__sandbox_find_pod(sandbox, pod_id))
		return LCOWMIG_OK;
	return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "sandbox %s has a pod %s already", sandbox->object.id, pod_id);
}

lcowmig_status lcowmig__sandbox_add_pod(lcowmig_sandbox *sandbox, lcowmig_pod *pod, lcowmig_error *error)
{
	lcowmig_container *container;
	lcowmig_container *added;
	lcowmig_status status = lcowmig__sandbox_check_new_pod(sandbox, pod->id, error);

	if (status != LCOWMIG_OK)
		return status;
	for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container)) {
		status = lcowmig__sandbox_add_container(sandbox, pod, container, error);
		if (status != LCOWMIG_OK)
			break;
	}
	if (status != LCOWMIG_OK) {
		for (added = lcowmig__pod_next(pod, NULL); added != container; added = lcowmig__pod_next(pod, added))
			lcowmig__sandbox_remove_container(sandbox, lcowmig__container_id(added));
		return status;
	}
	lcowmig__tree_insert(&sandbox->pods, lcowmig__pod_id(pod), &pod->node);
	pod->owner = sandbox;
	return LCOWMIG_OK;
}

void lcowmig__sandbox_remove_pod(lcowmig_sandbox *sandbox, lcowmig_pod *pod)
{
	lcowmig_container *container;

	for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
		lcowmig__sandbox_remove_container(sandbox, lcowmig__container_id(container));
	lcowmig__tree_remove(&sandbox->pods, &pod->node);
	lcowmig__pod_free(pod);
}
