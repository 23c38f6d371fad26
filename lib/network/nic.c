/*
 * Single NICs, and what is known of today's guests about them:
 *
 *   - Add records the NIC and then moves and configures every recorded NIC of the namespace. In a pod that is running, one that has been
 *     moved already makes the Add fail. So before each Add to a running pod the guest must forget all it has recorded.
 *   - Adding an id that is recorded already fails. So an Add whose outcome is unknown is followed by a Remove before the next try.
 *   - Remove only forgets the record, the interface stays as it is; an id or namespace that is not recorded is a success.
 *   - The NIC must be on the host's side before the guest is told.
 *
 * When HCS gives up on a change, nobody knows whether it was made. The next Add first removes the NIC from the host, where it may be
 * missing.
 */
#include "base/guid.h"
#include "guest/guest.h"
#include "hcs/documents.h"
#include "network_private.h"

#include <string.h>

static int nic_compare_endpoint(const void *key, const lcowmig__node *node)
{
	return strcmp(key, LCOWMIG__TREE_ENTRY(node, lcowmig__nic, node)->endpoint_id);
}

static int nic_compare_id(const void *key, const lcowmig__node *node)
{
	return strcmp(key, LCOWMIG__TREE_ENTRY(node, lcowmig__nic, node)->nic_id);
}

lcowmig_network *lcowmig__network_alloc(lcowmig__env *env, const char *namespace_id, lcowmig_error *error)
{
	const lcowmig__mem *mem = &env->context->mem;
	lcowmig_network *network = lcowmig__alloc(mem, sizeof *network);

	if (network)
		network->namespace_id = lcowmig__strdup(mem, namespace_id ? namespace_id : "");
	if (!network || !network->namespace_id) {
		lcowmig__free(mem, network);
		lcowmig__fail_memory(error);
		return NULL;
	}
	lcowmig__object_init(&network->object, env->context, &lcowmig__network_machine, network->namespace_id);
	lcowmig__gate_init(&network->gate);
	lcowmig__tree_init(&network->own, nic_compare_endpoint);
	lcowmig__tree_init(&network->inherited, nic_compare_id);
	network->env = env;
	return network;
}

static const char *nic_text(char **place, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = *place;

	memcpy(copy, text, size);
	*place += size;
	return copy;
}

lcowmig__nic *lcowmig__nic_new(lcowmig_network *network, const char *nic_id, const char *endpoint_id, const char *mac_address,
			       const char *endpoint_name, lcowmig_error *error)
{
	char random_id[LCOWMIG_GUID_TEXT_SIZE];
	lcowmig_guid guid;
	lcowmig__nic *nic;
	char *place;

	if (!nic_id) {
		if (lcowmig__random_guid(network->env->context, &guid, error) != LCOWMIG_OK)
			return NULL;
		lcowmig_guid_format(&guid, random_id);
		nic_id = random_id;
	}
	nic = lcowmig__alloc(&network->env->context->mem,
			     sizeof *nic + strlen(nic_id) + strlen(endpoint_id) + strlen(mac_address) + strlen(endpoint_name) + 4);
	if (!nic) {
		lcowmig__fail_memory(error);
		return NULL;
	}
	place = (char *)(nic + 1);
	nic->nic_id = nic_text(&place, nic_id);
	nic->endpoint_id = nic_text(&place, endpoint_id);
	nic->mac_address = nic_text(&place, mac_address);
	nic->endpoint_name = nic_text(&place, endpoint_name);
	return nic;
}

void lcowmig__nic_drop(lcowmig_network *network, lcowmig__tree *map, lcowmig__nic *nic)
{
	lcowmig__tree_remove(map, &nic->node);
	lcowmig__free(&network->env->context->mem, nic);
}

void lcowmig__nics_drop(lcowmig_network *network)
{
	lcowmig__tree *const maps[] = { &network->own, &network->inherited };
	lcowmig__node *node, *following;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(maps); i++)
		LCOWMIG__TREE_EACH(node, following, maps[i])
	lcowmig__nic_drop(network, maps[i], LCOWMIG__TREE_ENTRY(node, lcowmig__nic, node));
}

/* ---- The host's side ---- */

/* The host gave up waiting: HCS may still have done it. */
static bool nic_outcome_is_open(lcowmig_status status)
{
	return status == LCOWMIG_E_CANCELLED || status == LCOWMIG_E_TIMED_OUT;
}

static void nic_ask_add(lcowmig__flow *flow, const lcowmig_network *network, const lcowmig__nic *nic)
{
	lcowmig__hcs_modify(flow, network->env,
			    lcowmig__hcs_nic_add(&flow->context->mem, nic->nic_id, nic->endpoint_id, nic->mac_address));
}

static void nic_ask_remove(lcowmig__flow *flow, const lcowmig_network *network, const lcowmig__nic *nic)
{
	lcowmig__hcs_modify(flow, network->env,
			    lcowmig__hcs_nic_remove(&flow->context->mem, nic->nic_id, nic->endpoint_id, nic->mac_address));
}

/* ---- One NIC in ---- */

struct nic_add {
	lcowmig__flow flow;
	lcowmig_network *network;
	lcowmig__nic *nic;
	char *settings; /* the guest's description; handed on with the request */
};

static void nic_tell_guest(struct nic_add *self)
{
	char *settings = self->settings;

	self->settings = NULL;
	self->nic->is_recorded = true; /* from now on it may be, whatever the answer */
	lcowmig__guest_add_network(&self->flow, self->network->env, settings);
}

static void nic_add_step(lcowmig__flow *flow)
{
	struct nic_add *self = (struct nic_add *)flow;
	lcowmig_network *network = self->network;
	lcowmig__nic *nic = self->nic;

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true); /* the host takes nothing back */
	if (nic->is_unsure) {
		FLOW_AWAIT(flow, nic_ask_remove(flow, network, nic));
		if (flow->result != LCOWMIG_OK && !lcowmig__hresult_is_not_found(flow->error->hresult))
			FLOW_RETURN(flow, flow->result);
		nic->on_host = false;
		nic->is_unsure = false;
	}
	if (!nic->on_host) {
		FLOW_AWAIT(flow, nic_ask_add(flow, network, nic));
		nic->is_unsure = nic_outcome_is_open(flow->result);
		nic->on_host = flow->result == LCOWMIG_OK || nic->is_unsure;
		if (!nic->on_host)
			lcowmig__nic_drop(network, &network->own, nic);
		if (flow->result != LCOWMIG_OK)
			FLOW_RETURN(flow, flow->result);
	}
	if (network->namespace_supported && !nic->is_configured) {
		FLOW_TRY(flow, nic_tell_guest(self));
	}
	nic->is_configured = true;
	FLOW_END(flow);
}

static void nic_add_release(lcowmig__flow *flow)
{
	lcowmig__free(&flow->context->mem, ((struct nic_add *)flow)->settings);
}

static const lcowmig__flow_class nic_add_class = {
	.name = "NIC add",
	.step = nic_add_step,
	.release = nic_add_release,
};

/* The NIC that an earlier attempt left for this endpoint, or a new one, tracked. */
static lcowmig__nic *nic_for(lcowmig_network *network, const lcowmig__endpoint *endpoint, lcowmig_error *error)
{
	lcowmig__node *node = lcowmig__tree_find(&network->own, endpoint->id);
	lcowmig__nic *nic = LCOWMIG__TREE_ENTRY(node, lcowmig__nic, node);

	if (nic)
		return nic;
	nic = lcowmig__nic_new(network, NULL, endpoint->id, endpoint->mac_address, endpoint->name, error);
	if (nic)
		lcowmig__tree_insert(&network->own, nic->endpoint_id, &nic->node);
	return nic;
}

lcowmig__flow *lcowmig__nic_add_flow(lcowmig_network *network, const lcowmig__endpoint *endpoint, const char *guest_namespace_id,
				     lcowmig_error *error)
{
	lcowmig_context *context = network->env->context;
	struct nic_add *self = lcowmig__flow_new(sizeof *self, &nic_add_class, context, NULL, error);

	if (!self)
		return NULL;
	lcowmig__flow_shield(&self->flow, true); /* what HCS and the guest have been asked for cannot be taken back */
	self->network = network;
	self->nic = nic_for(network, endpoint, error);
	if (self->nic)
		self->settings = lcowmig__endpoint_adapter(&context->mem, endpoint, guest_namespace_id, self->nic->nic_id,
							   network->policy_based_routing);
	if (self->settings)
		return &self->flow;
	if (self->nic)
		lcowmig__fail_memory(error);
	if (self->nic && !self->nic->on_host)
		lcowmig__nic_drop(network, &network->own, self->nic);
	lcowmig__flow_discard(&self->flow);
	return NULL;
}

/* ---- One NIC out ---- */

struct nic_remove {
	lcowmig__flow flow;
	lcowmig_network *network;
	lcowmig__tree *map;
	lcowmig__nic *nic;
};

static void nic_remove_step(lcowmig__flow *flow)
{
	struct nic_remove *self = (struct nic_remove *)flow;
	lcowmig_network *network = self->network;
	lcowmig__nic *nic = self->nic;

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true); /* the host takes nothing back */
	if (network->namespace_supported) {
		FLOW_AWAIT(flow, lcowmig__guest_remove_network(flow, network->env, network->namespace_id, nic->nic_id));
		if (flow->result != LCOWMIG_OK && flow->result != LCOWMIG_E_UNAVAILABLE)
			FLOW_RETURN(flow, flow->result);
		nic->is_recorded = false;
		nic->is_configured = false;
	}
	if (nic->on_host) {
		FLOW_AWAIT(flow, nic_ask_remove(flow, network, nic));
		nic->is_unsure = nic->is_unsure || nic_outcome_is_open(flow->result);
		if (flow->result != LCOWMIG_OK && !lcowmig__is_gone(flow->result, flow->error->hresult))
			FLOW_RETURN(flow, flow->result);
	}
	lcowmig__nic_drop(network, self->map, nic);
	FLOW_END(flow);
}

static const lcowmig__flow_class nic_remove_class = { .name = "NIC remove", .step = nic_remove_step };

lcowmig__flow *lcowmig__nic_remove_flow(lcowmig_network *network, lcowmig__tree *map, lcowmig__nic *nic, lcowmig_error *error)
{
	struct nic_remove *self = lcowmig__flow_new(sizeof *self, &nic_remove_class, network->env->context, NULL, error);

	if (!self)
		return NULL;
	lcowmig__flow_shield(&self->flow, true);
	self->network = network;
	self->map = map;
	self->nic = nic;
	return &self->flow;
}

/* ---- Records in the guest ---- */

struct nic_forget {
	lcowmig__flow flow;
	lcowmig_network *network;
	lcowmig__nic *nic;
	bool is_inherited;
};

static void nic_forget_step(lcowmig__flow *flow)
{
	struct nic_forget *self = (struct nic_forget *)flow;
	lcowmig_network *network = self->network;

	FLOW_BEGIN(flow);
	lcowmig__flow_shield(flow, true); /* the host takes nothing back */
	FLOW_TRY(flow, lcowmig__guest_remove_network(flow, network->env, network->namespace_id, self->nic->nic_id));
	self->nic->is_recorded = false;
	if (self->is_inherited)
		lcowmig__nic_drop(network, &network->inherited, self->nic);
	FLOW_END(flow);
}

static const lcowmig__flow_class nic_forget_class = { .name = "NIC forget", .step = nic_forget_step };

static void nic_forget(lcowmig__flow *flow, lcowmig_network *network, lcowmig__nic *nic, bool is_inherited)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	struct nic_forget *self = lcowmig__flow_new(sizeof *self, &nic_forget_class, flow->context, NULL, &error);

	if (self) {
		lcowmig__flow_shield(&self->flow, true);
		self->network = network;
		self->nic = nic;
		self->is_inherited = is_inherited;
	}
	lcowmig__flow_child(flow, self ? &self->flow : NULL);
}

void lcowmig__nics_forget(lcowmig__flow *flow, lcowmig_network *network)
{
	lcowmig__node *node, *following;

	LCOWMIG__TREE_EACH(node, following, &network->inherited)
	{
		lcowmig__nic *nic = LCOWMIG__TREE_ENTRY(node, lcowmig__nic, node);

		if (network->namespace_supported)
			nic_forget(flow, network, nic, true);
		else
			lcowmig__nic_drop(network, &network->inherited, nic);
	}
	LCOWMIG__TREE_EACH(node, following, &network->own)
	{
		lcowmig__nic *nic = LCOWMIG__TREE_ENTRY(node, lcowmig__nic, node);

		if (nic->is_recorded)
			nic_forget(flow, network, nic, false);
	}
}
