/* A network's life without migration: setting up, tearing down, questions. */
#include "network_private.h"

lcowmig_status lcowmig__network_new(lcowmig__env *env, const char *namespace_id, bool policy_based_routing, lcowmig_network **ret_network,
				    lcowmig_error *error)
{
	lcowmig_network *network = lcowmig__network_alloc(env, namespace_id, error);

	if (!network)
		return LCOWMIG_E_NO_MEMORY;
	network->policy_based_routing = policy_based_routing;
	network->namespace_supported = env->has_guest && env->guest_supports_namespaces;
	*ret_network = network;
	return LCOWMIG_OK;
}

void lcowmig__network_free(lcowmig_network *network)
{
	const lcowmig__mem *mem;

	if (!network)
		return;
	mem = &network->object.context->mem;
	lcowmig__nics_drop(network);
	lcowmig__free(mem, network->namespace_id);
	lcowmig__free(mem, network->migrated_namespace_id);
	lcowmig__free(mem, network);
}

/* ---- The endpoints of a namespace ---- */

struct endpoints_add {
	lcowmig__flow flow;
	lcowmig_network *network;
	const char *namespace_id; /* on the host; the network's */
	bool is_reset;
	lcowmig__endpoint *endpoints;
	size_t count;
	size_t next;
};

/* The rest of an earlier attempt goes: what is not among the endpoints. */
static void endpoints_remove_unlisted(struct endpoints_add *self)
{
	lcowmig_network *network = self->network;
	lcowmig__node *node;
	size_t i;

	for (i = 0; i < self->count; i++) {
		node = lcowmig__tree_find(&network->own, self->endpoints[i].id);
		if (node)
			lcowmig__nic_of_node(node)->is_listed = true;
	}
	for (node = lcowmig__tree_first(&network->own); node; node = lcowmig__tree_next(node)) {
		lcowmig__nic *nic = lcowmig__nic_of_node(node);

		if (!nic->is_listed)
			lcowmig__flow_child(&self->flow, lcowmig__nic_remove_flow(network, nic));
		nic->is_listed = false;
	}
}

static lcowmig__flow *endpoints_next(struct endpoints_add *self)
{
	const lcowmig__endpoint *endpoint = &self->endpoints[self->next++];
	bool has_own_name = !self->is_reset && endpoint->namespace_id[0];

	return lcowmig__nic_add_flow(self->network, endpoint, has_own_name ? endpoint->namespace_id : self->network->namespace_id);
}

static void endpoints_add_step(lcowmig__flow *flow)
{
	struct endpoints_add *self = (struct endpoints_add *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__network_endpoints(flow, self->network->env, self->namespace_id));
	FLOW_CHECK(flow, lcowmig__endpoints_parse(&flow->rest->arena, &flow->context->limits, flow->rest->reply.data, &self->endpoints, &self->count,
						  flow->error));
	FLOW_TRY(flow, endpoints_remove_unlisted(self));
	while (self->next < self->count) {
		if (self->is_reset)
			FLOW_TRY(flow, lcowmig__nics_forget(flow, self->network));
		FLOW_TRY(flow, lcowmig__flow_child(flow, endpoints_next(self)));
	}
	FLOW_END(flow);
}

static const lcowmig__flow_class endpoints_add_class = { .name = "endpoints add", .step = endpoints_add_step };

lcowmig__flow *lcowmig__endpoints_add_flow(lcowmig_network *network, const char *namespace_id, bool is_reset)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	struct endpoints_add *self = lcowmig__flow_new(sizeof *self, &endpoints_add_class, network->object.context, NULL, &error);

	if (!self)
		return NULL;
	self->network = network;
	self->namespace_id = namespace_id;
	self->is_reset = is_reset;
	return &self->flow;
}

/* ---- Setup ---- */

/* Out of memory before anything was done is no reason to give the network up. */
static lcowmig_status setup_failed(lcowmig_network *network, lcowmig_status status, lcowmig_error *error)
{
	if (status != LCOWMIG_E_NO_MEMORY || network->own.count)
		lcowmig__object_fire(&network->object, NETWORK_SETUP_FAILED);
	return lcowmig__wrap(error, status, "network %s could not be set up and is %s", network->namespace_id,
			     lcowmig__object_state_name(&network->object));
}

static void setup_step(lcowmig__flow *flow)
{
	lcowmig_network *network = (lcowmig_network *)flow->object;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &network->gate));
	FLOW_CHECK(flow, lcowmig__object_check(&network->object, NETWORK_SETUP, flow->error));
	if (network->namespace_id[0])
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__endpoints_add_flow(network, network->namespace_id, false)));
	else
		flow->result = lcowmig__fail(flow->error, LCOWMIG_E_INVALID_ARGUMENT, "the namespace id is empty");
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, setup_failed(network, flow->result, flow->error));
	lcowmig__object_fire(&network->object, NETWORK_SETUP);
	FLOW_END(flow);
}

static const lcowmig__work_class setup_class = { { .name = "setup", .step = setup_step }, sizeof(lcowmig__flow), "network setup: network" };

lcowmig__flow *lcowmig__network_setup_flow(lcowmig_network *network, lcowmig_error *error)
{
	return lcowmig__work_new(network, error, &setup_class);
}

lcowmig_status lcowmig_network_setup(lcowmig_network *network, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return lcowmig__work_run(network, done, user, error, &setup_class);
}

/* ---- Teardown ---- */

struct teardown {
	lcowmig__flow flow;
	size_t attempted;
};

static void teardown_map(struct teardown *self, const lcowmig__tree *map)
{
	const lcowmig__node *node;

	self->attempted += map->count;
	for (node = lcowmig__tree_first(map); node; node = lcowmig__tree_next(node))
		lcowmig__flow_child(&self->flow,
				    lcowmig__nic_remove_flow((lcowmig_network *)self->flow.object, lcowmig__nic_of_node(node)));
}

static void teardown_all(struct teardown *self)
{
	lcowmig_network *network = (lcowmig_network *)self->flow.object;

	teardown_map(self, &network->own);
	teardown_map(self, &network->inherited);
}

static void teardown_step(lcowmig__flow *flow)
{
	lcowmig_network *network = (lcowmig_network *)flow->object;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &network->gate));
	if (network->object.state != NETWORK_CONFIGURED && network->object.state != NETWORK_INVALID) {
		lcowmig__nics_drop(network);
		lcowmig__object_fire(&network->object, NETWORK_TEARDOWN);
		FLOW_RETURN(flow, LCOWMIG_OK);
	}
	FLOW_AWAIT(flow, teardown_all((struct teardown *)flow));
	lcowmig__object_fire(&network->object, flow->result == LCOWMIG_OK ? NETWORK_TEARDOWN : NETWORK_TEARDOWN_FAILED);
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__wrap(flow->error, flow->result, "network %s is Invalid: %zu of %zu NICs could not be removed",
						network->namespace_id, network->own.count + network->inherited.count,
						((struct teardown *)flow)->attempted));
	FLOW_END(flow);
}

static const lcowmig__work_class teardown_class = { { .name = "teardown", .step = teardown_step },
						    sizeof(struct teardown),
						    "network teardown: network" };

lcowmig__flow *lcowmig__network_teardown_flow(lcowmig_network *network, lcowmig_error *error)
{
	return lcowmig__work_new(network, error, &teardown_class);
}

lcowmig_status lcowmig_network_teardown(lcowmig_network *network, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return lcowmig__work_run(network, done, user, error, &teardown_class);
}

/* ---- For the host ---- */

const char *lcowmig_network_namespace_id(const lcowmig_network *network)
{
	return network ? network->namespace_id : "";
}

const char *lcowmig_network_state_name(const lcowmig_network *network)
{
	const char *name;

	if (!network)
		return "";
	lcowmig__lock_take(&network->object.context->lock);
	name = lcowmig__object_state_name(&network->object);
	lcowmig__lock_drop(&network->object.context->lock);
	return name;
}

size_t lcowmig_network_nic_count(const lcowmig_network *network)
{
	size_t count;

	if (!network)
		return 0;
	lcowmig__lock_take(&network->object.context->lock);
	count = network->own.count + network->inherited.count;
	lcowmig__lock_drop(&network->object.context->lock);
	return count;
}
