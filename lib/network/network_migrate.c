/* A network's way from one host to another: save, import, patch, resume, reset, abort. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/abi.h"
#include "network_private.h"

/* ---- Save ---- */

static int endpoint_compare(const void *a, const void *b)
{
	const lcowmig__wire_endpoint *left = a;
	const lcowmig__wire_endpoint *right = b;

	return strcmp(left->nic_id, right->nic_id);
}

static void capture_map(const lcowmig__tree *map, lcowmig__wire_network *wire)
{
	const lcowmig__node *node;

	for (node = lcowmig__tree_first(map); node; node = lcowmig__tree_next(node))
		wire->endpoints[wire->n_endpoints++] = lcowmig__nic_of_node(node)->wire;
}

lcowmig_status lcowmig__network_capture(lcowmig_network *network, lcowmig__arena *arena, lcowmig__wire_network *ret_wire,
					lcowmig_error *error)
{
	lcowmig__wire_network wire = {
		.namespace_id = network->namespace_id,
		.policy_based_routing = network->policy_based_routing,
		.namespace_supported = network->namespace_supported,
	};
	lcowmig_status status = lcowmig__object_check(&network->object, NETWORK_SAVE, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__object_check_idle(&network->object, error);
	if (status != LCOWMIG_OK)
		return status;
	wire.endpoints = lcowmig__arena_alloc(arena, (network->own.count + network->inherited.count) * sizeof *wire.endpoints);
	if (!wire.endpoints)
		return lcowmig__fail_memory(error);
	capture_map(&network->own, &wire);
	capture_map(&network->inherited, &wire);
	qsort(wire.endpoints, wire.n_endpoints, sizeof *wire.endpoints, endpoint_compare);
	*ret_wire = wire;
	return LCOWMIG_OK;
}

void lcowmig__network_freeze(lcowmig_network *network)
{
	lcowmig__object_fire(&network->object, NETWORK_SAVE);
}

/* ---- Import ---- */

static lcowmig_status import_nic(lcowmig_network *network, const lcowmig__wire_endpoint *endpoint, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__nic *nic;

	if (!endpoint->nic_id[0] || !endpoint->endpoint_id[0])
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "network %s: the binding of NIC '%s' has no %s id",
				     network->namespace_id, endpoint->nic_id, endpoint->nic_id[0] ? "endpoint" : "NIC");
	status = lcowmig__nic_new(network, &network->inherited, endpoint, &nic, error);
	if (status != LCOWMIG_OK)
		return status;
	nic->is_recorded = true;
	nic->is_configured = true;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__network_import(lcowmig__env *env, const lcowmig__wire_network *wire, lcowmig_network **ret_network,
				       lcowmig_error *error)
{
	lcowmig_network *network = lcowmig__network_alloc(env, wire->namespace_id, error);
	lcowmig_status status = LCOWMIG_OK;
	size_t i;

	if (!network)
		return LCOWMIG_E_NO_MEMORY;
	network->policy_based_routing = wire->policy_based_routing;
	network->namespace_supported = wire->namespace_supported;
	for (i = 0; i < wire->n_endpoints && status == LCOWMIG_OK; i++)
		status = import_nic(network, &wire->endpoints[i], error);
	if (status != LCOWMIG_OK) {
		lcowmig__network_free(network);
		return status;
	}
	lcowmig__object_fire(&network->object, NETWORK_IMPORT);
	*ret_network = network;
	return LCOWMIG_OK;
}

/* ---- Patch and resume ---- */

lcowmig_status lcowmig__network_patch(lcowmig_network *network, const char *namespace_id, lcowmig_error *error)
{
	const lcowmig__mem *mem = &network->object.context->mem;
	lcowmig_status status = lcowmig__object_check(&network->object, NETWORK_PATCH, error);
	char *copy;

	if (status != LCOWMIG_OK)
		return status;
	copy = lcowmig__strdup(mem, namespace_id ? namespace_id : "");
	if (!copy)
		return lcowmig__fail_memory(error);
	lcowmig__free(mem, network->migrated_namespace_id);
	network->migrated_namespace_id = copy;
	lcowmig__object_fire(&network->object, NETWORK_PATCH);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__network_resume(lcowmig_network *network, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check(&network->object, NETWORK_RESUME, error);

	if (status == LCOWMIG_OK)
		lcowmig__object_fire(&network->object, NETWORK_RESUME);
	return status;
}

bool lcowmig__network_is_migrating(const lcowmig_network *network)
{
	return network->object.state == NETWORK_SOURCE_MIGRATING || network->object.state == NETWORK_DESTINATION_MIGRATING;
}

void lcowmig__network_abort(lcowmig_network *network)
{
	if (!lcowmig__network_is_migrating(network))
		return;
	lcowmig__nics_drop(network);
	lcowmig__object_fire(&network->object, NETWORK_TEARDOWN);
}

/* ---- Reset ---- */

static lcowmig_status reset_result(const lcowmig__flow *flow)
{
	const lcowmig_network *network = (const lcowmig_network *)flow->object;

	if (flow->result == LCOWMIG_OK)
		return LCOWMIG_OK;
	return lcowmig__wrap(flow->error, flow->result, "network %s could not be moved to namespace %s", network->namespace_id,
			     network->migrated_namespace_id);
}

/*
 * Inherited NICs leave the guest, all at once; then the namespace's endpoints come in. What a failed attempt has brought in is kept and
 * taken into account by the next one.
 */
static void reset_step(lcowmig__flow *flow)
{
	lcowmig_network *network = (lcowmig_network *)flow->object;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &network->gate));
	if (lcowmig__text_is_empty(network->migrated_namespace_id))
		FLOW_RETURN(flow, LCOWMIG_OK);
	FLOW_CHECK(flow, lcowmig__object_check(&network->object, NETWORK_RESET, flow->error));
	FLOW_AWAIT(flow, lcowmig__nics_forget(flow, network));
	FLOW_CHECK(flow, reset_result(flow));
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__endpoints_add_flow(network, network->migrated_namespace_id, true)));
	FLOW_CHECK(flow, reset_result(flow));
	lcowmig__object_fire(&network->object, NETWORK_RESET);
	lcowmig__free(&flow->context->mem, network->migrated_namespace_id);
	network->migrated_namespace_id = NULL;
	FLOW_END(flow);
}

static const lcowmig__work_class reset_class = { { .name = "reset", .step = reset_step }, sizeof(lcowmig__flow), "network reset: network" };

lcowmig__flow *lcowmig__network_reset_flow(lcowmig_network *network, lcowmig_error *error)
{
	return lcowmig__work_new(network, error, &reset_class);
}

lcowmig_status lcowmig_network_reset(lcowmig_network *network, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return lcowmig__work_run(network, done, user, error, &reset_class);
}

/* ---- For the host ---- */

lcowmig_status lcowmig_network_save(lcowmig_network *network, uint8_t *buffer, size_t capacity, size_t *ret_size, lcowmig_error *error)
{
	lcowmig__wire_network wire;
	lcowmig__arena arena;
	lcowmig__buf bytes;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(network, ret_size, "network save: network or ret_size", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	lcowmig__arena_init(&arena, &network->object.context->mem, 0);
	lcowmig__buf_init(&bytes, &network->object.context->mem);
	status = lcowmig__network_capture(network, &arena, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__wire_encode_network(&bytes, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__copy_out("network save", bytes.data, bytes.size, buffer, capacity, ret_size, error);
	if (status == LCOWMIG_OK && buffer)
		lcowmig__network_freeze(network);
	lcowmig__buf_done(&bytes);
	lcowmig__arena_done(&arena);
	return lcowmig__leave_object(network, &pump, status);
}

lcowmig_status lcowmig_network_import(lcowmig_sandbox *sandbox, const uint8_t *data, size_t size, lcowmig_network **ret_network,
				      lcowmig_error *error)
{
	lcowmig__wire_network wire;
	lcowmig_context *context;
	lcowmig__arena arena;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(sandbox, ret_network, "network import: sandbox or ret_network", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	context = lcowmig__sandbox_env(sandbox)->context;
	lcowmig__arena_init(&arena, &context->mem, 0);
	status = lcowmig__wire_decode_network(&arena, &context->limits, data, size, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__network_import(lcowmig__sandbox_env(sandbox), &wire, ret_network, error);
	if (status == LCOWMIG_OK) {
		(*ret_network)->is_standalone = true;
		context->dependents++;
	}
	lcowmig__arena_done(&arena);
	return lcowmig__leave_object(sandbox, &pump, status);
}

lcowmig_status lcowmig_network_patch(lcowmig_network *network, const char *namespace_id, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(network, network, "network patch: network", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(network, &pump, lcowmig__network_patch(network, namespace_id, error));
}

lcowmig_status lcowmig_network_resume(lcowmig_network *network, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(network, network, "network resume: network", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(network, &pump, lcowmig__network_resume(network, error));
}

lcowmig_status lcowmig_network_free(lcowmig_network *network, lcowmig_error *error)
{
	lcowmig_context *context;
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__pump pump;

	if (!network)
		return LCOWMIG_OK;
	context = network->object.context;
	lcowmig__enter(context, &pump);
	if (!network->is_standalone)
		status = lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "network %s belongs to a pod, which frees it",
				       network->namespace_id);
	else
		status = lcowmig__object_check_idle(&network->object, error);
	if (status == LCOWMIG_OK) {
		lcowmig__network_free(network);
		context->dependents--;
	}
	lcowmig__leave(context, &pump);
	return status;
}
