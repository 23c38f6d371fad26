/* The pod's network: the network controller does the work, the pod puts its name into what goes wrong. */
#include "private.h"

struct pod_network {
	lcowmig__flow flow;
	lcowmig_pod *pod;
	bool sets_up;
};

static void pod_network_start(struct pod_network *self)
{
	lcowmig_network *network = self->pod->network;

	if (network)
		lcowmig__flow_child(&self->flow, self->sets_up ? lcowmig__network_setup_flow(network, NULL)
							       : lcowmig__network_teardown_flow(network, NULL));
}

static void pod_network_step(lcowmig__flow *flow)
{
	struct pod_network *self = (struct pod_network *)flow;
	lcowmig_pod *pod = self->pod;

	FLOW_BEGIN(flow);
	if (self->sets_up)
		pod->has_interfaces = pod->network != NULL; /* some of them, even when it fails half-way */
	FLOW_AWAIT(flow, pod_network_start(self));
	if (flow->result != LCOWMIG_OK)
		FLOW_RETURN(flow, lcowmig__wrap(flow->error, flow->result, "pod %s", pod->id));
	if (!self->sets_up)
		pod->has_interfaces = false;
	FLOW_END(flow);
}

static const lcowmig__flow_class setup_class = { "network setup", pod_network_step, NULL, false };
static const lcowmig__flow_class teardown_class = { "network teardown", pod_network_step, NULL, false };

static lcowmig__flow *pod_network_flow(lcowmig_pod *pod, bool sets_up, lcowmig_error *error)
{
	struct pod_network *self =
		lcowmig__flow_new(sizeof *self, sets_up ? &setup_class : &teardown_class, pod->object.context, &pod->object, error);

	if (!self)
		return NULL;
	self->pod = pod;
	self->sets_up = sets_up;
	return &self->flow;
}

lcowmig__flow *lcowmig__pod_setup_flow(lcowmig_pod *pod, lcowmig_error *error)
{
	return pod_network_flow(pod, true, error);
}

lcowmig__flow *lcowmig__pod_teardown_flow(lcowmig_pod *pod, lcowmig_error *error)
{
	return pod_network_flow(pod, false, error);
}
