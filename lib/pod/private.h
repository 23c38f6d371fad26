/* What the files of the pod controller share. */
#ifndef LCOWMIG__POD_PRIVATE_H
#define LCOWMIG__POD_PRIVATE_H

#include <string.h>

#include "base/text.h"
#include "engine/controller.h"
#include "pod.h"

typedef enum lcowmig__pod_state { LCOWMIG__POD_LIVE, LCOWMIG__POD_MIGRATING } lcowmig__pod_state;

typedef enum lcowmig__pod_trigger {
	LCOWMIG__POD_NEW_CONTAINER,
	LCOWMIG__POD_SAVE,
	LCOWMIG__POD_IMPORT,
	LCOWMIG__POD_PATCH,
	LCOWMIG__POD_RESUME,
	LCOWMIG__POD_ABORT
} lcowmig__pod_trigger;

extern const lcowmig__machine lcowmig__pod_machine;

static inline const lcowmig__mem *lcowmig__pod_mem(const lcowmig_pod *pod)
{
	return &pod->object.context->mem;
}

/* `status` of something that a pod's flow did; a failure says which pod. */
lcowmig_status lcowmig__pod_result(lcowmig__flow *flow, lcowmig_status status);
/* A pod without network and containers. */
lcowmig_status lcowmig__pod_make(lcowmig__env *env, const lcowmig__container_vm *vm, const char *id, const char *guest_id,
				 lcowmig_pod **ret_pod, lcowmig_error *error);

#endif
