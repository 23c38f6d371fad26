/* Ending the sandbox here, on whichever side and from wherever an earlier attempt stopped. */
#include "migration.h"

typedef enum stop_way {
	STOP_NOTHING_LEFT,
	STOP_FINALIZE, /* the platform's migration is open: it ends with the machine */
	STOP_TERMINATE
} stop_way;

static stop_way stop_find_way(const lcowmig_migration *m)
{
	switch (lcowmig__vm_get_state(m->sandbox->vm)) {
	case LCOWMIG__VM_TERMINATED:
		return STOP_NOTHING_LEFT;
	case LCOWMIG__VM_SOURCE_INITIALIZED:
	case LCOWMIG__VM_SOURCE_STARTED:
	case LCOWMIG__VM_DESTINATION_CREATED:
	case LCOWMIG__VM_DESTINATION_PATCHED:
	case LCOWMIG__VM_DESTINATION_STARTED:
	case LCOWMIG__VM_TRANSFER_COMPLETED:
		return STOP_FINALIZE;
	default:
		return STOP_TERMINATE;
	}
}

static void stop_done(lcowmig_migration *m)
{
	m->is_stopped = true;
	m->resume_begun = false;
	if (!lcowmig__session_is_source(m))
		lcowmig__session_discard(m);
}

static void stop_step(lcowmig__flow *flow)
{
	lcowmig_migration *m = ((lcowmig__session_flow *)flow)->m;
	lcowmig_vm *vm = m->sandbox->vm;

	FLOW_BEGIN(flow);
	if (stop_find_way(m) == STOP_FINALIZE)
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_finalize_flow(vm, false, NULL)));
	else if (stop_find_way(m) == STOP_TERMINATE)
		FLOW_AWAIT(flow, lcowmig__flow_child(flow, lcowmig__vm_terminate_flow(vm, NULL)));
	/* A machine that ended by itself meanwhile is stopped, whatever the host said to us. */
	if (stop_find_way(m) != STOP_NOTHING_LEFT)
		FLOW_CHECK(flow, flow->result);
	stop_done(m);
	FLOW_END(flow);
}

static const lcowmig__flow_class stop_class = { .name = "stop", .step = stop_step };

lcowmig__flow *lcowmig__session_stop_flow(lcowmig_migration *m, lcowmig_error *error)
{
	return lcowmig__session_flow_new(m, sizeof(lcowmig__session_flow), &stop_class, false, error);
}
