/* What the files of the pod controller share. */
#ifndef LCOWMIG__POD_PRIVATE_H
#define LCOWMIG__POD_PRIVATE_H

#include <string.h>

#include "base/text.h"
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

struct lcowmig_pod {
	lcowmig__object object;
	lcowmig__node node; /* of the sandbox's map */
	lcowmig__env *env;
	const lcowmig__container_vm *vm;
	void *owner; /* the sandbox */
	char *id;
	char *guest_id;
	lcowmig_network *network;             /* NULL: it has none */
	bool has_interfaces;                  /* set up and not torn down */
	lcowmig__tree containers;             /* by current id */
	lcowmig_container *sandbox_container; /* while imported: the one whose saved id was the pod's */
};

extern const lcowmig__machine lcowmig__pod_machine;

static inline const lcowmig__mem *lcowmig__pod_mem(const lcowmig_pod *pod)
{
	return &pod->object.context->mem;
}

/* A pod without network and containers. */
lcowmig_status lcowmig__pod_make(lcowmig__env *env, const lcowmig__container_vm *vm, const char *id, const char *guest_id,
				 lcowmig_pod **ret_pod, lcowmig_error *error);
lcowmig__flow *lcowmig__pod_setup_flow(lcowmig_pod *pod, lcowmig_error *error);
lcowmig__flow *lcowmig__pod_teardown_flow(lcowmig_pod *pod, lcowmig_error *error);
lcowmig__flow *lcowmig__pod_kill_flow(lcowmig_pod *pod, uint32_t signal, lcowmig_error *error);

#endif
