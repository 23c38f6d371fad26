/* What of a pod travels, and what becomes of one that will not be resumed. */
#include "private.h"

#include <stdio.h>

/* ---- The check that can be asked for at any time ---- */

static void check_network(const lcowmig_pod *pod, void (*report)(void *user, const char *reason), void *user)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__wire_network wire;
	lcowmig__arena arena;
	lcowmig_status status;

	if (!pod->network) {
		lcowmig__fail(&error, LCOWMIG_E_FAILED_PRECONDITION, "pod %s has no network; a pod without one cannot be imported",
			      pod->id);
		report(user, error.message);
		return;
	}
	lcowmig__arena_init(&arena, lcowmig__pod_mem(pod), 0);
	status = lcowmig__network_capture(pod->network, &arena, &wire, &error);
	lcowmig__arena_done(&arena);
	if (status != LCOWMIG_OK && status != LCOWMIG_E_NO_MEMORY) {
		lcowmig__wrap(&error, status, "pod %s", pod->id);
		report(user, error.message);
	}
}

void lcowmig__pod_check(const lcowmig_pod *pod, void (*report)(void *user, const char *reason), void *user)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	const lcowmig_container *container;

	if (lcowmig__object_check_idle(&pod->object, &error) != LCOWMIG_OK)
		report(user, error.message);
	check_network(pod, report, user);
	for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
		lcowmig__container_check(container, report, user);
}

/* ---- Save ---- */

static lcowmig_status capture_containers(lcowmig_pod *pod, lcowmig__arena *arena, lcowmig__wire_pod *wire, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig_container *container;

	if (!pod->containers.count)
		return LCOWMIG_OK;
	wire->containers = lcowmig__arena_alloc(arena, pod->containers.count * sizeof *wire->containers);
	if (!wire->containers)
		return lcowmig__fail_memory(error);
	for (container = lcowmig__pod_next(pod, NULL); container && status == LCOWMIG_OK; container = lcowmig__pod_next(pod, container))
		status = lcowmig__container_capture(container, arena, &wire->containers[wire->n_containers++], error);
	return status;
}

lcowmig_status lcowmig__pod_capture(lcowmig_pod *pod, lcowmig__arena *arena, lcowmig__wire_pod *ret_wire, lcowmig_error *error)
{
	lcowmig__wire_pod wire = { 0 };
	lcowmig_status status = lcowmig__object_check_idle(&pod->object, error);

	if (status == LCOWMIG_OK)
		status = capture_containers(pod, arena, &wire, error);
	if (status == LCOWMIG_OK && pod->network)
		status = lcowmig__network_capture(pod->network, arena, &wire.network, error);
	if (status != LCOWMIG_OK)
		return lcowmig__wrap(error, status, "pod %s", pod->id);
	wire.pod_id = pod->id;
	wire.gcs_pod_id = pod->guest_id;
	wire.has_network = pod->network != NULL;
	*ret_wire = wire;
	return LCOWMIG_OK;
}

void lcowmig__pod_freeze(lcowmig_pod *pod)
{
	lcowmig_container *container;

	for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
		lcowmig__container_freeze(container);
	if (pod->network)
		lcowmig__network_freeze(pod->network);
	lcowmig__object_fire(&pod->object, LCOWMIG__POD_SAVE);
}

/* ---- Import ---- */

static lcowmig_status import_containers(lcowmig_pod *pod, const lcowmig__wire_pod *wire, lcowmig_error *error)
{
	size_t i;

	for (i = 0; i < wire->n_containers; i++) {
		const lcowmig__wire_container *saved = &wire->containers[i];
		lcowmig_container *container = NULL;
		lcowmig_status status = lcowmig__container_import(pod->env, pod->vm, pod->guest_id, saved, &container, error);

		if (status != LCOWMIG_OK)
			return status;
		if (!lcowmig__tree_insert(&pod->containers, saved->container_id, lcowmig__container_node(container))) {
			lcowmig__container_free(container);
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "pod %s: container %s is there twice", wire->pod_id,
					     saved->container_id);
		}
		if (strcmp(saved->container_id, wire->pod_id) == 0)
			pod->sandbox_container = container;
	}
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__pod_import(lcowmig__env *env, const lcowmig__container_vm *vm, const lcowmig__wire_pod *wire, lcowmig_pod **ret_pod,
				   lcowmig_error *error)
{
	lcowmig_pod *pod = NULL;
	lcowmig_status status;

	if (!wire->has_network)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "pod %s: it was saved without a network", wire->pod_id);
	status = lcowmig__pod_make(env, vm, wire->pod_id, wire->gcs_pod_id, &pod, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__network_import(env, &wire->network, &pod->network, error);
	if (status == LCOWMIG_OK)
		status = import_containers(pod, wire, error);
	if (status != LCOWMIG_OK) {
		lcowmig__pod_free(pod);
		return status;
	}
	pod->has_interfaces = true;
	lcowmig__object_fire(&pod->object, LCOWMIG__POD_IMPORT);
	*ret_pod = pod;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__pod_adopt(lcowmig_pod *pod, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig_container *container;

	for (container = lcowmig__pod_next(pod, NULL); container && status == LCOWMIG_OK; container = lcowmig__pod_next(pod, container))
		status = lcowmig__container_adopt(container, error);
	return status;
}

/* ---- Abort ---- */

void lcowmig__pod_abort(lcowmig_pod *pod)
{
	lcowmig_container *container;

	if (!lcowmig__pod_is_migrating(pod))
		return;
	for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
		lcowmig__container_abort(container);
	if (pod->network)
		lcowmig__network_abort(pod->network);
	pod->has_interfaces = false;
	pod->sandbox_container = NULL;
	lcowmig__object_fire(&pod->object, LCOWMIG__POD_ABORT);
}
