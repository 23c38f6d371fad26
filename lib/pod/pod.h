/* The pod controller from the inside. Conventions as in scsi/scsi.h. */
#ifndef LCOWMIG__POD_H
#define LCOWMIG__POD_H

#include "container/container.h"
#include "engine/env.h"
#include "lcowmig/pod.h"
#include "network/network.h"

struct lcowmig_pod {
	lcowmig__object object; /* its id is the pod's, which a patch changes */
	lcowmig__node node;     /* of the sandbox's map */
	lcowmig__env *env;
	const lcowmig__container_vm *vm;
	lcowmig_sandbox *owner; /* NULL: in none */
	char *id;
	char *guest_id;
	lcowmig_network *network;             /* NULL: it has none */
	bool has_interfaces;                  /* set up and not torn down */
	lcowmig__tree containers;             /* by current id */
	lcowmig_container *sandbox_container; /* while imported: the one whose saved id was the pod's */
};

lcowmig_status lcowmig__pod_new(lcowmig__env *env, const lcowmig__container_vm *vm, const char *id, const char *namespace_id,
				bool policy_based_routing, lcowmig_pod **ret_pod, lcowmig_error *error);
void lcowmig__pod_free(lcowmig_pod *pod);
lcowmig_status lcowmig__pod_new_container(lcowmig_pod *pod, const char *id, lcowmig_container **ret_container, lcowmig_error *error);
void lcowmig__pod_drop_container(lcowmig_pod *pod, lcowmig_container *container);
lcowmig_container *lcowmig__pod_find(const lcowmig_pod *pod, const char *container_id);
/* The same; without one `error` tells NOT_FOUND. */
lcowmig_container *lcowmig__pod_look_up(const lcowmig_pod *pod, const char *container_id, lcowmig_error *error);
static inline const char *lcowmig__pod_id(const lcowmig_pod *pod)
{
	return pod->id;
}
static inline size_t lcowmig__pod_count(const lcowmig_pod *pod)
{
	return pod->containers.count;
}
/* Containers in id order: NULL starts, NULL ends. */
lcowmig_container *lcowmig__pod_next(const lcowmig_pod *pod, const lcowmig_container *container);
bool lcowmig__pod_is_migrating(const lcowmig_pod *pod);

lcowmig_status lcowmig__pod_capture(lcowmig_pod *pod, lcowmig__arena *arena, lcowmig__wire_pod *ret_wire, lcowmig_error *error);
void lcowmig__pod_freeze(lcowmig_pod *pod);
lcowmig_status lcowmig__pod_import(lcowmig__env *env, const lcowmig__container_vm *vm, const lcowmig__wire_pod *wire, lcowmig_pod **ret_pod,
				   lcowmig_error *error);
/*
 * Patches one container, and for the sandbox container (as saved: X-21) the pod id and the network. `commit` is called under the lock right
 * before the change, so that the sandbox can re-key its maps or refuse.
 */
lcowmig__flow *lcowmig__pod_patch_flow(lcowmig_pod *pod, const lcowmig_patch *patch, lcowmig__container_commit commit, void *user,
				       lcowmig_error *error);
bool lcowmig__pod_is_sandbox_container(const lcowmig_pod *pod, const char *source_container_id);
lcowmig_status lcowmig__pod_adopt(lcowmig_pod *pod, lcowmig_error *error);
/*
 * All containers at once, the network meanwhile (resume, and on the destination reset); then the pod is live and, on the destination, its
 * containers are announced. A failure leaves it migrating; repeating goes on with what is left.
 */
lcowmig__flow *lcowmig__pod_resume_flow(lcowmig_pod *pod, bool is_destination, lcowmig_error *error);
void lcowmig__pod_abort(
	lcowmig_pod *pod); /* containers stopped with 137, no longer migrating, network torn down by dropping its bindings */
void lcowmig__pod_check(const lcowmig_pod *pod, void (*report)(void *user, const char *reason), void *user);

#endif
