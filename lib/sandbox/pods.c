/* Making and deleting pods and their containers: what involves the sandbox's maps. */
#include <string.h>

#include "base/text.h"
#include "sandbox.h"

static lcowmig_status check_id(const lcowmig_sandbox *sandbox, const char *what, const char *id, lcowmig_error *error)
{
	uint32_t limit = sandbox->object.context->limits.id_bytes;
	size_t size = id ? strlen(id) : 0;

	if (!size || !lcowmig__utf8_is_valid(id, size))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s is empty or not UTF-8", what);
	if (size > limit)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "%s has %zu bytes, at most %u are accepted", what, size,
				     (unsigned)limit);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__sandbox_check_no_session(const lcowmig_sandbox *sandbox, const char *what, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__migration_check_idle(sandbox->migration, error);

	if (status == LCOWMIG_OK)
		return LCOWMIG_OK;
	return lcowmig__wrap(error, status, "sandbox %s: %s needs to be without a migration session", sandbox->object.id, what);
}

/* ---- Pods ---- */

static lcowmig_status pod_begin(lcowmig_sandbox *sandbox, const char *id, const char *namespace_id, lcowmig_pod **ret_pod,
				lcowmig_error *error)
{
	const lcowmig_limits *limits = &sandbox->object.context->limits;
	lcowmig_status status = lcowmig__sandbox_check_running(sandbox, "a new pod", error);
	lcowmig_pod *pod = NULL;

	if (status == LCOWMIG_OK)
		status = lcowmig__sandbox_check_new_pod(sandbox, id, error);
	if (status == LCOWMIG_OK && sandbox->pods.count >= limits->pods)
		status = lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "sandbox %s has %zu pods, no more are possible",
				       sandbox->object.id, sandbox->pods.count);
	if (status == LCOWMIG_OK)
		status = lcowmig__pod_new(&sandbox->env, lcowmig__vm_for_containers(sandbox->vm), id, namespace_id,
					  lcowmig__vm_policy_based_routing(sandbox->vm), &pod, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__sandbox_add_pod(sandbox, pod, error);
	if (status != LCOWMIG_OK) {
		lcowmig__pod_free(pod);
		return status;
	}
	*ret_pod = pod;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_pod_new(lcowmig_sandbox *sandbox, const char *id, const char *namespace_id, lcowmig_pod **ret_pod,
			       lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(sandbox, ret_pod, "pod: the sandbox, or the place for the result,", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = check_id(sandbox, "the pod's id", id, error);
	if (status == LCOWMIG_OK && !lcowmig__text_is_empty(namespace_id))
		status = check_id(sandbox, "the network namespace's id", namespace_id, error);
	if (status == LCOWMIG_OK)
		status = pod_begin(sandbox, id, namespace_id, ret_pod, error);
	return lcowmig__leave_object(sandbox, &pump, status);
}

static lcowmig_status pod_check_delete(const lcowmig_sandbox *sandbox, const lcowmig_pod *pod, lcowmig_error *error)
{
	const char *id = lcowmig__pod_id(pod);
	lcowmig_status status = lcowmig__sandbox_check_no_session(sandbox, "the deletion of a pod", error);

	if (status == LCOWMIG_OK)
		status = lcowmig__object_check_idle(&pod->object, error);
	if (status != LCOWMIG_OK)
		return status;
	if (lcowmig__pod_count(pod))
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "pod %s still has %zu containers; expected them to be deleted first", id, lcowmig__pod_count(pod));
	if (pod->has_interfaces && sandbox->env.system)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "pod %s still has its network; expected it to be torn down first", id);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_pod_delete(lcowmig_pod *pod, lcowmig_error *error)
{
	lcowmig_sandbox *sandbox = pod ? pod->owner : NULL;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!sandbox)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "pod: it is NULL, or in no sandbox");
	lcowmig__enter(sandbox->object.context, &pump);
	status = pod_check_delete(sandbox, pod, error);
	if (status == LCOWMIG_OK)
		lcowmig__sandbox_remove_pod(sandbox, pod);
	return lcowmig__leave_object(sandbox, &pump, status);
}

/* ---- Containers ---- */

static lcowmig_status container_begin(lcowmig_sandbox *sandbox, lcowmig_pod *pod, const char *id, lcowmig_container **ret_container,
				      lcowmig_error *error)
{
	const lcowmig_limits *limits = &sandbox->object.context->limits;
	lcowmig_container *container = NULL;
	lcowmig_status status = lcowmig__sandbox_check_running(sandbox, "a new container", error);

	if (status == LCOWMIG_OK)
		status = lcowmig__sandbox_check_new_id(sandbox, id, error);
	if (status == LCOWMIG_OK && sandbox->containers.count >= limits->containers)
		status = lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "sandbox %s has %zu containers, no more are possible",
				       sandbox->object.id, sandbox->containers.count);
	if (status == LCOWMIG_OK)
		status = lcowmig__pod_new_container(pod, id, &container, error);
	if (status != LCOWMIG_OK)
		return status;
	status = lcowmig__sandbox_add_container(sandbox, pod, container, error);
	if (status != LCOWMIG_OK) {
		lcowmig__pod_drop_container(pod, container);
		return status;
	}
	*ret_container = container;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_pod_new_container(lcowmig_pod *pod, const char *id, lcowmig_container **ret_container, lcowmig_error *error)
{
	lcowmig_sandbox *sandbox = pod ? pod->owner : NULL;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!sandbox || !ret_container)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "pod: it, or the place for the container, is NULL, or it is in no sandbox");
	lcowmig__enter(sandbox->object.context, &pump);
	status = check_id(sandbox, "the container's id", id, error);
	if (status == LCOWMIG_OK)
		status = container_begin(sandbox, pod, id, ret_container, error);
	return lcowmig__leave_object(sandbox, &pump, status);
}

/* Deleting the init process is what gives everything back; one that has none was never created, or has given it back. */
static lcowmig_status container_check_free(const lcowmig_container *container, lcowmig_error *error)
{
	if (lcowmig__container_init(container))
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "container %s still has its init process; expected that to be deleted first",
				     lcowmig__container_id(container));
	return lcowmig__container_check_idle(container, error);
}

static lcowmig_status container_remove(lcowmig_sandbox *sandbox, lcowmig_pod *pod, const char *id, lcowmig_error *error)
{
	lcowmig_container *container = lcowmig__pod_look_up(pod, id, error);
	lcowmig_status status;

	if (!container)
		return LCOWMIG_E_NOT_FOUND;
	status = lcowmig__sandbox_check_no_session(sandbox, "the deletion of a container", error);
	if (status == LCOWMIG_OK)
		status = container_check_free(container, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__sandbox_remove_container(sandbox, id);
	lcowmig__pod_drop_container(pod, container);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_pod_delete_container(lcowmig_pod *pod, const char *id, lcowmig_error *error)
{
	lcowmig_sandbox *sandbox = pod ? pod->owner : NULL;
	lcowmig__pump pump;

	if (!sandbox || !id)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "pod: it, or the container's id, is NULL, or it is in no sandbox");
	lcowmig__enter(sandbox->object.context, &pump);
	return lcowmig__leave_object(sandbox, &pump, container_remove(sandbox, pod, id, error));
}
