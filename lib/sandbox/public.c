/* Public questions to a sandbox. */
#include "sandbox.h"

const char *lcowmig_sandbox_id(lcowmig_sandbox *sandbox)
{
	lcowmig__pump pump;
	const char *id;

	if (!sandbox)
		return "";
	lcowmig__enter(sandbox->object.context, &pump);
	id = sandbox->id ? sandbox->id : "";
	lcowmig__leave(sandbox->object.context, &pump);
	return id;
}

lcowmig_vm *lcowmig_sandbox_vm(lcowmig_sandbox *sandbox)
{
	return sandbox ? sandbox->vm : NULL;
}

lcowmig_migration *lcowmig_sandbox_migration(lcowmig_sandbox *sandbox)
{
	return sandbox ? sandbox->migration : NULL;
}

lcowmig__env *lcowmig__sandbox_env(lcowmig_sandbox *sandbox)
{
	return &sandbox->env;
}

lcowmig_status lcowmig_sandbox_find_container(lcowmig_sandbox *sandbox, const char *id, lcowmig_container **ret_container,
					      lcowmig_pod **ret_pod, lcowmig_error *error)
{
	const lcowmig__index_entry *entry;
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(sandbox, ret_container ? id : NULL, "sandbox: it, the container's id, or the place for the result",
				   &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	entry = lcowmig__sandbox_find(sandbox, id);
	if (entry) {
		*ret_container = entry->container;
		if (ret_pod)
			*ret_pod = entry->pod;
	} else {
		status = lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "sandbox %s has no container %s", sandbox->object.id, id);
	}
	return lcowmig__leave_object(sandbox, &pump, status);
}

lcowmig_status lcowmig_sandbox_find_pod(lcowmig_sandbox *sandbox, const char *id, lcowmig_pod **ret_pod, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__pump pump;
	lcowmig_pod *pod;

	if (!lcowmig__enter_object(sandbox, ret_pod ? id : NULL, "sandbox: it, the pod's id, or the place for the result", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	pod = lcowmig__sandbox_find_pod(sandbox, id);
	if (pod)
		*ret_pod = pod;
	else
		status = lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "sandbox %s has no pod %s", sandbox->object.id, id);
	return lcowmig__leave_object(sandbox, &pump, status);
}

size_t lcowmig_sandbox_list_pods(lcowmig_sandbox *sandbox, lcowmig_pod **pods, size_t room)
{
	lcowmig__pump pump;
	lcowmig_pod *pod;
	size_t count = 0;

	if (!sandbox)
		return 0;
	lcowmig__enter(sandbox->object.context, &pump);
	for (pod = lcowmig__sandbox_next_pod(sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(sandbox, pod), count++)
		if (pods && count < room)
			pods[count] = pod;
	lcowmig__leave(sandbox->object.context, &pump);
	return count;
}
