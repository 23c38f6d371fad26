/* The public functions of the pod controller that need no sandbox; the others are in sandbox/pods.c. */
#include "private.h"

lcowmig_status lcowmig_pod_get_container(lcowmig_pod *pod, const char *id, lcowmig_container **ret_container, lcowmig_error *error)
{
	lcowmig_container *container;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(pod, ret_container ? id : NULL, "pod: it, the container's id, or the place for the result", &pump,
				   error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	container = lcowmig__pod_look_up(pod, id, error);
	if (container)
		*ret_container = container;
	return lcowmig__leave_object(pod, &pump, container ? LCOWMIG_OK : LCOWMIG_E_NOT_FOUND);
}

size_t lcowmig_pod_list_containers(lcowmig_pod *pod, lcowmig_container **containers, size_t room)
{
	lcowmig_container *container;
	lcowmig__pump pump;
	size_t count = 0;

	if (!pod)
		return 0;
	lcowmig__enter(pod->object.context, &pump);
	for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container), count++)
		if (containers && count < room)
			containers[count] = container;
	lcowmig__leave(pod->object.context, &pump);
	return count;
}

const char *lcowmig_pod_id(lcowmig_pod *pod)
{
	lcowmig__pump pump;
	const char *id;

	if (!pod)
		return "";
	lcowmig__enter(pod->object.context, &pump);
	id = pod->id;
	lcowmig__leave(pod->object.context, &pump);
	return id;
}

const char *lcowmig_pod_guest_id(lcowmig_pod *pod)
{
	return pod ? pod->guest_id : ""; /* never changes */
}

bool lcowmig_pod_is_migrating(lcowmig_pod *pod)
{
	lcowmig__pump pump;
	bool is_migrating;

	if (!pod)
		return false;
	lcowmig__enter(pod->object.context, &pump);
	is_migrating = lcowmig__pod_is_migrating(pod);
	lcowmig__leave(pod->object.context, &pump);
	return is_migrating;
}
