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
	mem = &network->env->context->mem;
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
	lcowmig__arena arena;
	lcowmig__endpoint *endpoints;
	size_t count;
	size_t next;
};

/* Marks what is listed, so that the rest of an earlier attempt can go. */
static void endpoints_mark(struct endpoints_add *self)
{
	lcowmig__tree *own = &self->network->own;
	lcowmig__node *node;
	size_t i;

	for (node = lcowmig__tree_first(own); node; node = lcowmig__tree_next(node))
		LCOWMIG__TREE_ENTRY(node, lcowmig__nic, node)->is_listed = false;
	for (i = 0; i < self->count; i++) {
		node = lcowmig__tree_find(own, self->endpoints[i].id);
		if (node)
			LCOWMIG__TREE_ENTRY(node, lcowmig__nic, node)->is_listed = true;
	}
}

static void endpoints_remove_unlisted(struct endpoints_add *self)
{
	lcowmig_network *network = self->network;
	lcowmig__node *node;

	for (node = lcowmig__tree_first(&network->own); node; node = lcowmig__tree_next(node)) {
		lcowmig__nic *nic = LCOWMIG__TREE_ENTRY(node, lcowmig__nic, node);

		if (!nic->is_listed)
			lcowmig__flow_child(&self->flow, lcowmig__nic_remove_flow(network, &network->own, nic, NULL));
	}
}

static lcowmig_status endpoints_read(struct endpoints_add *self)
{
	lcowmig__flow *flow = &self->flow;
	lcowmig_status status;

	status = lcowmig__endpoints_parse(&self->arena, &flow->context->limits, flow->rest->reply.data, &self->endpoints, &self->count,
					  flow->error);
	if (status == LCOWMIG_OK)
		endpoints_mark(self);
	return status;
}

static void endpoints_next(struct endpoints_add *self)
{
	const lcowmig__endpoint *endpoint = &self->endpoints[self->next++];
	bool has_own_name = !self->is_reset && endpoint->namespace_id[0];
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__flow *child;

	child = lcowmig__nic_add_flow(self->network, endpoint, has_own_name ? endpoint->namespace_id : self->network->namespace_id, &error);
	if (child)
		lcowmig__flow_child(&self->flow, child);
	else
		lcowmig__flow_await_failed(&self->flow, error.status, &error);
}

static void endpoints_add_step(lcowmig__flow *flow)
{
	struct endpoints_add *self = (struct endpoints_add *)flow;
	lcowmig_network *network = self->network;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__network_endpoints(flow, network->env, self->namespace_id));
	status = endpoints_read(self);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	FLOW_TRY(flow, endpoints_remove_unlisted(self));
	while (self->next < self->count) {
		if (self->is_reset)
			FLOW_TRY(flow, lcowmig__nics_forget(flow, network));
		FLOW_TRY(flow, endpoints_next(self));
	}
	FLOW_END(flow);
}

static void endpoints_add_release(lcowmig__flow *flow)
{
	lcowmig__arena_done(&((struct endpoints_add *)flow)->arena);
}

static const lcowmig__flow_class endpoints_add_class = { .name = "endpoints add",
							 .step = endpoints_add_step,
							 .release = endpoints_add_release };

lcowmig__flow *lcowmig__endpoints_add_flow(lcowmig_network *network, const char *namespace_id, bool is_reset, lcowmig_error *error)
{
	lcowmig_context *context = network->env->context;
	struct endpoints_add *self = lcowmig__flow_new(sizeof *self, &endpoints_add_class, context, NULL, error);

	if (!self)
		return NULL;
	lcowmig__arena_init(&self->arena, &context->mem, 0);
	self->network = network;
	self->namespace_id = namespace_id;
	self->is_reset = is_reset;
	return &self->flow;
}

/* ---- Setup ---- */

struct network_flow {
	lcowmig__flow flow;
	lcowmig_network *network;
	size_t attempted;
};

static void *network_flow_new(lcowmig_network *network, const lcowmig__flow_class *class, lcowmig_error *error)
{
	struct network_flow *self = lcowmig__flow_new(sizeof *self, class, network->env->context, &network->object, error);

	if (self)
		self->network = network;
	return self;
}

/* Out of memory before anything was done is no reason to give the network up. */
static lcowmig_status setup_failed(struct network_flow *self, lcowmig_status status)
{
	lcowmig_network *network = self->network;

	if (status != LCOWMIG_E_NO_MEMORY || network->own.count)
		lcowmig__object_fire(&network->object, NETWORK_SETUP_FAILED);
	return lcowmig__wrap(self->flow.error, status, "network %s could not be set up and is %s", network->namespace_id,
			     lcowmig__object_state_name(&network->object));
}

static void setup_step(lcowmig__flow *flow)
{
	struct network_flow *self = (struct network_flow *)flow;
	lcowmig_network *network = self->network;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &network->gate));
	status = lcowmig__object_check(&network->object, NETWORK_SETUP, flow->error);
	if (status != LCOWMIG_OK)
		goto out;
	if (!network->namespace_id[0]) {
		status = lcowmig__fail(flow->error, LCOWMIG_E_INVALID_ARGUMENT, "the namespace id is empty");
		status = setup_failed(self, status);
		goto out;
	}
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__endpoints_add_flow(network, network->namespace_id, false, NULL)));
	status = flow->result;
	if (status == LCOWMIG_OK)
		lcowmig__object_fire(&network->object, NETWORK_SETUP);
	else
		status = setup_failed(self, status);
out:
	lcowmig__gate_leave(flow, &network->gate);
	FLOW_RETURN(flow, status);
	FLOW_END(flow);
}

static const lcowmig__flow_class setup_class = { .name = "setup", .step = setup_step };

lcowmig__flow *lcowmig__network_setup_flow(lcowmig_network *network, lcowmig_error *error)
{
	return network_flow_new(network, &setup_class, error);
}

/* ---- Teardown ---- */

static void teardown_all(struct network_flow *self)
{
	lcowmig_network *network = self->network;
	lcowmig__tree *const maps[] = { &network->own, &network->inherited };
	lcowmig__node *node;
	size_t i;

	self->attempted = network->own.count + network->inherited.count;
	for (i = 0; i < LCOWMIG__COUNT(maps); i++)
		for (node = lcowmig__tree_first(maps[i]); node; node = lcowmig__tree_next(node))
			lcowmig__flow_child(&self->flow, lcowmig__nic_remove_flow(network, maps[i],
										  LCOWMIG__TREE_ENTRY(node, lcowmig__nic, node), NULL));
}

static bool teardown_is_silent(const lcowmig_network *network)
{
	return network->object.state != NETWORK_CONFIGURED && network->object.state != NETWORK_INVALID;
}

static void teardown_step(lcowmig__flow *flow)
{
	struct network_flow *self = (struct network_flow *)flow;
	lcowmig_network *network = self->network;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &network->gate));
	if (teardown_is_silent(network)) {
		lcowmig__nics_drop(network);
		lcowmig__object_fire(&network->object, NETWORK_TEARDOWN);
		lcowmig__gate_leave(flow, &network->gate);
		FLOW_RETURN(flow, LCOWMIG_OK);
	}
	FLOW_AWAIT(flow, teardown_all(self));
	lcowmig__object_fire(&network->object, flow->result == LCOWMIG_OK ? NETWORK_TEARDOWN : NETWORK_TEARDOWN_FAILED);
	lcowmig__gate_leave(flow, &network->gate);
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__wrap(flow->error, flow->result, "network %s is Invalid: %zu of %zu NICs could not be removed",
						network->namespace_id, network->own.count + network->inherited.count, self->attempted));
	FLOW_END(flow);
}

static const lcowmig__flow_class teardown_class = { .name = "teardown", .step = teardown_step };

lcowmig__flow *lcowmig__network_teardown_flow(lcowmig_network *network, lcowmig_error *error)
{
	return network_flow_new(network, &teardown_class, error);
}

/* ---- For the host ---- */

lcowmig_status lcowmig_network_setup(lcowmig_network *network, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(network, network, "network setup: network", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(network, &pump, LCOWMIG_OK, lcowmig__network_setup_flow(network, error), done, user, error);
}

lcowmig_status lcowmig_network_teardown(lcowmig_network *network, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(network, network, "network teardown: network", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(network, &pump, LCOWMIG_OK, lcowmig__network_teardown_flow(network, error), done, user, error);
}

const char *lcowmig_network_namespace_id(const lcowmig_network *network)
{
	return network ? network->namespace_id : "";
}

const char *lcowmig_network_state_name(const lcowmig_network *network)
{
	const char *name;

	if (!network)
		return "";
	lcowmig__lock_take(&network->env->context->lock);
	name = lcowmig__object_state_name(&network->object);
	lcowmig__lock_drop(&network->env->context->lock);
	return name;
}

size_t lcowmig_network_nic_count(const lcowmig_network *network)
{
	size_t count;

	if (!network)
		return 0;
	lcowmig__lock_take(&network->env->context->lock);
	count = network->own.count + network->inherited.count;
	lcowmig__lock_drop(&network->env->context->lock);
	return count;
}
