/* A task's Update: to its container, or, for a pod's id, to the virtual machine. */
#include "base/json.h"
#include "engine/abi.h"
#include "sandbox.h"

#include <string.h>

#define MIB (UINT64_C(1) << 20)

/* What the machine is asked for; zero: left as it is. */
struct sandbox_update {
	lcowmig__flow flow;
	const char *id;
	const char *fragment;
	const char *media_type;
	const char *cpu_group_id;
	uint64_t memory_mb;
	lcowmig__hcs_cpu_limits cpu;
};

static void sandbox_update_step(lcowmig__flow *flow)
{
	struct sandbox_update *self = (struct sandbox_update *)flow;
	lcowmig_vm *vm = ((lcowmig_sandbox *)flow->object)->vm;

	FLOW_BEGIN(flow);
	if (self->fragment) {
		FLOW_TRY_OR(flow, lcowmig__flow_child(flow, lcowmig__vm_update_fragment_flow(vm, self->fragment, self->media_type, NULL)),
			    failed);
	}
	if (self->memory_mb) {
		FLOW_TRY_OR(flow, lcowmig__flow_child(flow, lcowmig__vm_update_memory_flow(vm, self->memory_mb, NULL)), failed);
	}
	if (self->cpu.limit || self->cpu.weight) {
		FLOW_TRY_OR(flow, lcowmig__flow_child(flow, lcowmig__vm_update_cpu_flow(vm, &self->cpu, NULL)), failed);
	}
	if (self->cpu_group_id) {
		FLOW_TRY_OR(flow, lcowmig__flow_child(flow, lcowmig__vm_update_cpu_group_flow(vm, self->cpu_group_id, NULL)), failed);
	}
	FLOW_RETURN(flow, LCOWMIG_OK);
failed:
	FLOW_RETURN(flow, lcowmig__wrap(flow->error, flow->result, "update of pod %s", self->id));
	FLOW_END(flow);
}

static const lcowmig__flow_class sandbox_update_class = { .name = "update", .step = sandbox_update_step };

/* Reads what of the resources a machine has: memory and processors. */
static lcowmig_status update_read(struct sandbox_update *self, const char *id, const char *resources, lcowmig_error *error)
{
	const lcowmig_limits *limits = &self->flow.context->limits;
	const cJSON *memory, *cpu;
	int64_t quota = 0;
	uint64_t value = 0;
	cJSON *tree;
	lcowmig_status status;

	status = lcowmig__json_parse("resources", resources, strlen(resources), limits->document_bytes, limits, &tree, error);
	if (status != LCOWMIG_OK)
		return status;
	memory = lcowmig__json_get(tree, "memory");
	cpu = lcowmig__json_get(tree, "cpu");
	if (lcowmig__json_uint64(memory, "limit", &value))
		self->memory_mb = value / MIB;
	if (lcowmig__json_int64(cpu, "quota", &quota) && quota > 0)
		self->cpu.limit = (uint64_t)quota;
	if (lcowmig__json_uint64(cpu, "shares", &value))
		self->cpu.weight = value;
	cJSON_Delete(tree);
	if (!self->memory_mb && !self->cpu.limit && !self->cpu.weight)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "update of pod %s: resources that a virtual machine does not have, expected memory.limit "
				     "(at least 1 MiB), cpu.quota or cpu.shares",
				     id);
	return LCOWMIG_OK;
}

static lcowmig_status update_vm(lcowmig_sandbox *sandbox, const char *id, const lcowmig_update *update, lcowmig__flow **ret_flow,
                                lcowmig_error *error)
{
	struct sandbox_update *self =
		lcowmig__flow_new(sizeof *self, &sandbox_update_class, sandbox->env.context, &sandbox->object, error);
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__flow *flow;

	if (!self)
		return LCOWMIG_E_NO_MEMORY;
	flow = &self->flow;
	self->id = lcowmig__flow_text(flow, id);
	self->fragment = lcowmig__flow_text(flow, update->policy_fragment);
	self->media_type = lcowmig__flow_text(flow, update->media_type);
	self->cpu_group_id = lcowmig__flow_text(flow, update->cpu_group_id);
	if (update->resources)
		status = update_read(self, id, update->resources, error);
	if (status == LCOWMIG_OK)
		*ret_flow = lcowmig__flow_made(flow, true, error);
	else
		lcowmig__flow_discard(flow);
	return status;
}

static lcowmig_status update_container(lcowmig_sandbox *sandbox, const char *id, const lcowmig_update *update, lcowmig__flow **ret_flow,
                                       lcowmig_error *error)
{
	const lcowmig__index_entry *entry = lcowmig__sandbox_find(sandbox, id);

	if (!entry)
		return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "update: sandbox %s has no container or pod %s", sandbox->object.id, id);
	if (!update->resources || update->cpu_group_id || update->policy_fragment)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "update of container %s: CPU groups and policy fragments are for pods, a container takes resources",
				     id);
	*ret_flow = lcowmig__container_update_flow(entry->container, update->resources, error);
	return LCOWMIG_OK;
}

static lcowmig_status update_begin(lcowmig_sandbox *sandbox, const char *id, const lcowmig_update *update, lcowmig__flow **ret_flow,
                                   lcowmig_error *error)
{
	lcowmig_status status;

	if (!update->resources && !update->cpu_group_id && !update->policy_fragment)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "update of %s: nothing is asked for, expected resources", id);
	status = lcowmig__sandbox_check_task(sandbox, LCOWMIG_TASK_UPDATE, error);
	if (status != LCOWMIG_OK)
		return status;
	return lcowmig__sandbox_find_pod(sandbox, id) ? update_vm(sandbox, id, update, ret_flow, error)
	                                              : update_container(sandbox, id, update, ret_flow, error);
}

lcowmig_status lcowmig_sandbox_update(lcowmig_sandbox *sandbox, const char *id, const lcowmig_update *given, lcowmig_done_fn done,
				      void *user, lcowmig_error *error)
{
	lcowmig__flow *flow = NULL;
	lcowmig_update update;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(sandbox, id, "update: sandbox or id", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = LCOWMIG__COPY_SIZED("lcowmig_update", &update, given, media_type, error);
	if (status == LCOWMIG_OK)
		status = update_begin(sandbox, id, &update, &flow, error);
	return lcowmig__leave_flow(sandbox, &pump, status, flow, done, user, error);
}
