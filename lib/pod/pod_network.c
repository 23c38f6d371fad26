/* The pod's network: the network controller does the work, the pod puts its name into what goes wrong. */
#include "private.h"

static void setup_step(lcowmig__flow *flow)
{
	lcowmig_pod *pod = (lcowmig_pod *)flow->object;

	FLOW_BEGIN(flow);
	if (!pod->network)
		FLOW_RETURN(flow, LCOWMIG_OK);
	pod->has_interfaces = true; /* some of them, even when it fails half-way */
	FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__network_setup_flow(pod->network, NULL)));
	FLOW_RETURN(flow, lcowmig__pod_result(flow, flow->result));
	FLOW_END(flow);
}

static const lcowmig__work_class setup_class = { { "network setup", setup_step, NULL, false }, sizeof(lcowmig__flow), "the pod" };

lcowmig_status lcowmig_pod_setup_network(lcowmig_pod *pod, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return lcowmig__work_run(pod, done, user, error, &setup_class);
}

static void teardown_step(lcowmig__flow *flow)
{
	lcowmig_pod *pod = (lcowmig_pod *)flow->object;

	FLOW_BEGIN(flow);
	if (pod->network) {
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__network_teardown_flow(pod->network, NULL)));
		FLOW_CHECK(flow, lcowmig__pod_result(flow, flow->result));
	}
	pod->has_interfaces = false;
	FLOW_END(flow);
}

static const lcowmig__work_class teardown_class = { { "network teardown", teardown_step, NULL, false }, sizeof(lcowmig__flow), "the pod" };

lcowmig_status lcowmig_pod_teardown_network(lcowmig_pod *pod, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return lcowmig__work_run(pod, done, user, error, &teardown_class);
}
