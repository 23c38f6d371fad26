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
	return strcmp(key, lcowmig__nic_of_node(node)->wire.endpoint_id);
}

static int nic_compare_id(const void *key, const lcowmig__node *node)
{
	return strcmp(key, lcowmig__nic_of_node(node)->wire.nic_id);
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

static void nic_drop(lcowmig_network *network, lcowmig__nic *nic)
{
	lcowmig__tree_remove(nic->map, &nic->node);
	lcowmig__free(&network->object.context->mem, nic);
}

lcowmig_status lcowmig__nic_new(lcowmig_network *network, lcowmig__tree *map, const lcowmig__wire_endpoint *wire, lcowmig__nic **ret_nic,
				lcowmig_error *error)
{
	size_t size = strlen(wire->nic_id) + strlen(wire->endpoint_id) + strlen(wire->mac_address) + strlen(wire->endpoint_name) + 4;
	lcowmig__nic *nic = lcowmig__alloc(&network->object.context->mem, sizeof *nic + size);
	char *place;

	if (!nic)
		return lcowmig__fail_memory(error);
	place = (char *)(nic + 1);
	nic->wire.nic_id = nic_text(&place, wire->nic_id);
	nic->wire.endpoint_id = nic_text(&place, wire->endpoint_id);
	nic->wire.mac_address = nic_text(&place, wire->mac_address);
	nic->wire.endpoint_name = nic_text(&place, wire->endpoint_name);
	nic->map = map;
	if (!lcowmig__tree_insert(map, map == &network->own ? nic->wire.endpoint_id : nic->wire.nic_id, &nic->node)) {
		nic_drop(network, nic);
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "network %s: NIC %s is there twice", network->namespace_id,
				     wire->nic_id);
	}
	*ret_nic = nic;
	return LCOWMIG_OK;
}

void lcowmig__nics_drop(lcowmig_network *network)
{
	const lcowmig__node *node;

	while ((node = lcowmig__tree_first(&network->own)) != NULL || (node = lcowmig__tree_first(&network->inherited)) != NULL)
		nic_drop(network, lcowmig__nic_of_node(node));
}

/* ---- What is done with one ---- */

/* Shielded from the start: what HCS and the guest have been asked for cannot be taken back. */
struct nic_flow {
	lcowmig__flow flow;
	lcowmig_network *network;
	lcowmig__nic *nic;
	/* Of one that comes in. */
	const lcowmig__endpoint *endpoint;
	const char *guest_namespace_id;
	char *settings; /* the guest's description; handed on with the request */
};

static struct nic_flow *nic_flow_new(lcowmig_network *network, lcowmig__nic *nic, const lcowmig__flow_class *class)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	struct nic_flow *self = lcowmig__flow_new(sizeof *self, class, network->object.context, NULL, &error);

	if (!self)
		return NULL;
	lcowmig__flow_shield(&self->flow, true);
	self->network = network;
	self->nic = nic;
	return self;
}

/* The host gave up waiting: HCS may still have done it. */
static bool nic_outcome_is_open(lcowmig_status status)
{
	return status == LCOWMIG_E_CANCELLED || status == LCOWMIG_E_TIMED_OUT;
}

static void nic_ask_host(struct nic_flow *self, bool is_add)
{
	const lcowmig__wire_endpoint *wire = &self->nic->wire;
	lcowmig__flow *flow = &self->flow;

	lcowmig__hcs_modify(flow, self->network->env,
			    (is_add ? lcowmig__hcs_nic_add : lcowmig__hcs_nic_remove)(&flow->context->mem, wire->nic_id, wire->endpoint_id,
										      wire->mac_address));
}

static void nic_ask_guest_remove(struct nic_flow *self)
{
	lcowmig__guest_remove_network(&self->flow, self->network->env, self->network->namespace_id, self->nic->wire.nic_id);
}

/* ---- In ---- */

/* The NIC that an earlier attempt left for the endpoint, or a new one with an id of its own. */
static lcowmig_status nic_for(struct nic_flow *self)
{
	const lcowmig__endpoint *endpoint = self->endpoint;
	lcowmig_network *network = self->network;
	char id[LCOWMIG_GUID_TEXT_SIZE];
	lcowmig__wire_endpoint wire = { id, endpoint->id, endpoint->mac_address, endpoint->name };
	lcowmig_status status;
	lcowmig_guid guid;

	self->nic = lcowmig__nic_of_node(lcowmig__tree_find(&network->own, endpoint->id));
	if (self->nic)
		return LCOWMIG_OK;
	status = lcowmig__random_guid(network->object.context, &guid, self->flow.error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig_guid_format(&guid, id);
	return lcowmig__nic_new(network, &network->own, &wire, &self->nic, self->flow.error);
}

static lcowmig_status nic_add_begin(struct nic_flow *self)
{
	lcowmig_network *network = self->network;
	lcowmig_status status = nic_for(self);

	if (status != LCOWMIG_OK)
		return status;
	self->settings = lcowmig__endpoint_adapter(&network->object.context->mem, self->endpoint, self->guest_namespace_id,
						   self->nic->wire.nic_id, network->policy_based_routing);
	if (self->settings)
		return LCOWMIG_OK;
	if (!self->nic->on_host)
		nic_drop(network, self->nic);
	return lcowmig__fail_memory(self->flow.error);
}

static void nic_tell_guest(struct nic_flow *self)
{
	char *settings = self->settings;

	self->settings = NULL;
	self->nic->is_recorded = true; /* from now on it may be, whatever the answer */
	lcowmig__guest_add_network(&self->flow, self->network->env, settings);
}

static void nic_add_step(lcowmig__flow *flow)
{
	struct nic_flow *self = (struct nic_flow *)flow;
	lcowmig_network *network = self->network;
	lcowmig__nic *nic = self->nic;

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, nic_add_begin(self));
	nic = self->nic;
	if (nic->is_unsure) {
		FLOW_AWAIT(flow, nic_ask_host(self, false));
		if (flow->result != LCOWMIG_OK && !lcowmig__hresult_is_not_found(flow->error->hresult))
			FLOW_RETURN(flow, flow->result);
		nic->on_host = false;
		nic->is_unsure = false;
	}
	if (!nic->on_host) {
		FLOW_AWAIT(flow, nic_ask_host(self, true));
		nic->is_unsure = nic_outcome_is_open(flow->result);
		nic->on_host = flow->result == LCOWMIG_OK || nic->is_unsure;
		if (!nic->on_host)
			nic_drop(network, nic);
		FLOW_CHECK(flow, flow->result);
	}
	if (network->namespace_supported && !nic->is_configured)
		FLOW_TRY(flow, nic_tell_guest(self));
	nic->is_configured = true;
	FLOW_END(flow);
}

static void nic_add_release(lcowmig__flow *flow)
{
	lcowmig__free(&flow->context->mem, ((struct nic_flow *)flow)->settings);
}

static const lcowmig__flow_class nic_add_class = { .name = "NIC add", .step = nic_add_step, .release = nic_add_release };

lcowmig__flow *lcowmig__nic_add_flow(lcowmig_network *network, const lcowmig__endpoint *endpoint, const char *guest_namespace_id)
{
	struct nic_flow *self = nic_flow_new(network, NULL, &nic_add_class);

	if (!self)
		return NULL;
	self->endpoint = endpoint;
	self->guest_namespace_id = guest_namespace_id;
	return &self->flow;
}

/* ---- Out ---- */

static void nic_remove_step(lcowmig__flow *flow)
{
	struct nic_flow *self = (struct nic_flow *)flow;
	lcowmig__nic *nic = self->nic;

	FLOW_BEGIN(flow);
	if (self->network->namespace_supported) {
		FLOW_AWAIT(flow, nic_ask_guest_remove(self));
		if (flow->result != LCOWMIG_E_UNAVAILABLE)
			FLOW_CHECK(flow, flow->result);
		nic->is_recorded = false;
		nic->is_configured = false;
	}
	if (nic->on_host) {
		FLOW_AWAIT(flow, nic_ask_host(self, false));
		nic->is_unsure = nic->is_unsure || nic_outcome_is_open(flow->result);
		if (flow->result != LCOWMIG_OK && !lcowmig__is_gone(flow->result, flow->error->hresult))
			FLOW_RETURN(flow, flow->result);
	}
	nic_drop(self->network, nic);
	FLOW_END(flow);
}

static const lcowmig__flow_class nic_remove_class = { .name = "NIC remove", .step = nic_remove_step };

lcowmig__flow *lcowmig__nic_remove_flow(lcowmig_network *network, lcowmig__nic *nic)
{
	struct nic_flow *self = nic_flow_new(network, nic, &nic_remove_class);

	return self ? &self->flow : NULL;
}

/* ---- Records in the guest ---- */

static void nic_forget_step(lcowmig__flow *flow)
{
	struct nic_flow *self = (struct nic_flow *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, nic_ask_guest_remove(self));
	self->nic->is_recorded = false;
	if (self->nic->map == &self->network->inherited)
		nic_drop(self->network, self->nic);
	FLOW_END(flow);
}

static const lcowmig__flow_class nic_forget_class = { .name = "NIC forget", .step = nic_forget_step };

static void nic_forget(lcowmig__flow *flow, lcowmig_network *network, lcowmig__nic *nic)
{
	struct nic_flow *self = nic_flow_new(network, nic, &nic_forget_class);

	lcowmig__flow_child(flow, self ? &self->flow : NULL);
}

void lcowmig__nics_forget(lcowmig__flow *flow, lcowmig_network *network)
{
	lcowmig__node *node, *following;

	LCOWMIG__TREE_EACH (node, following, &network->inherited) {
		if (network->namespace_supported)
			nic_forget(flow, network, lcowmig__nic_of_node(node));
		else
			nic_drop(network, lcowmig__nic_of_node(node));
	}
	for (node = lcowmig__tree_first(&network->own); node; node = lcowmig__tree_next(node))
		if (lcowmig__nic_of_node(node)->is_recorded)
			nic_forget(flow, network, lcowmig__nic_of_node(node));
}
