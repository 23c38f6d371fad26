/*
 * Pod: containers that share a network, inside the sandbox's virtual machine.
 *
 * A pod has two ids: the one the host knows it by, which a migration may change, and the one the guest knows, which never changes. It is
 * live, or migrating: from an export or import on until its resume. A migrating pod takes no new containers.
 */
#ifndef LCOWMIG_POD_H
#define LCOWMIG_POD_H

#include "container.h"
#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to its sandbox. */
typedef struct lcowmig_pod lcowmig_pod;

/*
 * Makes a pod with a network that is not set up yet. `id` and `namespace_id` (the host network namespace; NULL or "": the pod has no
 * network, and cannot migrate) are copied. The pod is freed by lcowmig_pod_delete or with its sandbox. Legal while the virtual machine is
 * Running. Errors: INVALID_ARGUMENT, FAILED_PRECONDITION, ALREADY_EXISTS, LIMIT_EXCEEDED, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_pod_new(lcowmig_sandbox *sandbox, const char *id, const char *namespace_id, lcowmig_pod **ret_pod,
					   lcowmig_error *error);

/*
 * Gives the virtual machine and the guest a network interface for each endpoint of the namespace. Once; legal on a live pod. A pod without
 * a network: success at once. Callbacks run before it returns; done as everywhere. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_pod_setup_network(lcowmig_pod *pod, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Takes the interfaces back, in the guest and from the virtual machine. What is gone already counts as taken back; what failed can be
 * repeated. Before setup, and again: success. On a migrating pod the interfaces are forgotten without asking anybody. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_pod_teardown_network(lcowmig_pod *pod, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Makes a container that is not created yet. `id` is copied; the container is freed by lcowmig_pod_delete_container or with the pod. Legal
 * on a live pod while the virtual machine is Running; nothing is registered on failure. Errors: INVALID_ARGUMENT, FAILED_PRECONDITION,
 * ALREADY_EXISTS (in this sandbox, also as the id by which the guest knows a migrated container), LIMIT_EXCEEDED, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_pod_new_container(lcowmig_pod *pod, const char *id, lcowmig_container **ret_container,
						     lcowmig_error *error);

/* Finds a container of this pod by its current id; borrowed until it is deleted. NOT_FOUND. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_pod_get_container(lcowmig_pod *pod, const char *id, lcowmig_container **ret_container,
						     lcowmig_error *error);

/*
 * Fills `containers` with at most `room` containers in the order of their ids and returns how many there are. The array is the caller's; a
 * pod NULL has none. Since 1.0.
 */
LCOWMIG_API size_t lcowmig_pod_list_containers(lcowmig_pod *pod, lcowmig_container **containers, size_t room);

/*
 * Forgets a container and frees it. Its resources in guest and host are given back before, by deleting its init process
 * (container.h); a container that never was created needs nothing. Legal while no migration session is active.
 * Errors: NOT_FOUND, FAILED_PRECONDITION (it still has its init process, or an operation in flight; a session is active). Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_pod_delete_container(lcowmig_pod *pod, const char *id, lcowmig_error *error);

/*
 * Forgets a pod and frees it. It must have no containers, and no network that is set up in a running virtual machine. Legal while no
 * migration session is active. Errors: FAILED_PRECONDITION. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_pod_delete(lcowmig_pod *pod, lcowmig_error *error);

/*
 * Sends `signal` to every process of every container of the pod, all at once, as a kill of the sandbox container with "all" means it. Ends
 * when all have answered, with the first failure. Containers that have ended are left alone. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_pod_kill(lcowmig_pod *pod, uint32_t signal, lcowmig_done_fn done, void *user, lcowmig_error *error);

/* The ids; borrowed, the first until a patch of the sandbox container. "" for NULL. Since 1.0. */
LCOWMIG_API const char *lcowmig_pod_id(lcowmig_pod *pod);
LCOWMIG_API const char *lcowmig_pod_guest_id(lcowmig_pod *pod);
/* True between export or import and resume. Since 1.0. */
LCOWMIG_API bool lcowmig_pod_is_migrating(lcowmig_pod *pod);

#ifdef __cplusplus
}
#endif

#endif
