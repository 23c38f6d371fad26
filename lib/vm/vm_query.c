/* Questions that HCS or the guest has to answer: statistics, compatibility, stacks. */
#include "private.h"

#include "guest/guest.h"

/* ---- Statistics ---- */

struct vm_stats {
	lcowmig__flow flow;
	lcowmig_vm *vm;
	lcowmig_vm_stats stats;
	lcowmig_vm_stats *ret_stats;
};

static lcowmig_status stats_parse(const struct vm_stats *self, cJSON **ret_tree, lcowmig_error *error)
{
	const lcowmig_limits *limits = &self->vm->object.context->limits;
	const lcowmig__buf *reply = &self->flow.rest->reply;

	return lcowmig__json_parse("statistics", reply->data ? reply->data : "{}", reply->data ? reply->size : 2, limits->document_bytes,
				   limits, ret_tree, error);
}

static lcowmig_status stats_read_processor(struct vm_stats *self, lcowmig_error *error)
{
	uint64_t runtime = 0;
	cJSON *tree = NULL;
	lcowmig_status status = stats_parse(self, &tree, error);

	if (status != LCOWMIG_OK)
		return status;
	lcowmig__json_uint64(lcowmig__json_get(lcowmig__json_get(tree, "Statistics"), "Processor"), "TotalRuntime100ns", &runtime);
	self->stats.processor_runtime_ns = runtime <= UINT64_MAX / 100 ? runtime * 100 : UINT64_MAX;
	cJSON_Delete(tree);
	return LCOWMIG_OK;
}

#define PAGE_BYTES 4096u

static lcowmig_status stats_read_memory(struct vm_stats *self, lcowmig_error *error)
{
	lcowmig_vm_stats *stats = &self->stats;
	const cJSON *memory;
	const cJSON *vm;
	cJSON *tree = NULL;
	lcowmig_status status = stats_parse(self, &tree, error);

	if (status != LCOWMIG_OK)
		return status;
	memory = lcowmig__json_get(tree, "Memory");
	vm = lcowmig__json_get(memory, "VirtualMachineMemory");
	lcowmig__json_uint32(memory, "VirtualNodeCount", &stats->virtual_node_count);
	lcowmig__json_uint64(vm, "AvailableMemory", &stats->available_memory);
	lcowmig__json_uint64(vm, "ReservedMemory", &stats->reserved_memory);
	lcowmig__json_uint64(vm, "AssignedMemory", &stats->assigned_memory);
	stats->slp_active = lcowmig__json_bool(vm, "SlpActive");
	stats->balancing_enabled = lcowmig__json_bool(vm, "BalancingEnabled");
	stats->dm_operation_in_progress = lcowmig__json_bool(vm, "DmOperationInProgress");
	if (self->vm->fully_physically_backed && stats->assigned_memory <= UINT64_MAX / PAGE_BYTES)
		stats->working_set_bytes = stats->assigned_memory * PAGE_BYTES;
	cJSON_Delete(tree);
	return LCOWMIG_OK;
}

static void vm_query(lcowmig__flow *flow, lcowmig_vm *vm, const char *query)
{
	lcowmig__hcs_properties(flow, vm->env, lcowmig__strdup(lcowmig__vm_mem(vm), query));
}

static void vm_stats_step(lcowmig__flow *flow)
{
	struct vm_stats *self = (struct vm_stats *)flow;
	lcowmig_vm *vm = self->vm;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, vm_query(flow, vm, LCOWMIG__HCS_QUERY_STATISTICS));
	status = stats_read_processor(self, flow->error);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	FLOW_TRY(flow, vm_query(flow, vm, LCOWMIG__HCS_QUERY_MEMORY));
	status = stats_read_memory(self, flow->error);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	self->stats.size = self->ret_stats->size;
	memcpy(self->ret_stats, &self->stats, self->stats.size < sizeof self->stats ? self->stats.size : sizeof self->stats);
	lcowmig__vm_note(vm, LCOWMIG__VM_OPERATE);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_stats_class = { "statistics", vm_stats_step, NULL, true };

lcowmig__flow *lcowmig__vm_stats_flow(lcowmig_vm *vm, lcowmig_vm_stats *ret_stats, lcowmig_error *error)
{
	struct vm_stats *self = lcowmig__vm_flow(vm, sizeof *self, &vm_stats_class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	self->ret_stats = ret_stats;
	return &self->flow;
}

/* ---- Compatibility ---- */

struct vm_question {
	lcowmig__flow flow;
	lcowmig_vm *vm;
};

static void vm_compatibility_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = ((struct vm_question *)flow)->vm;
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	uint8_t *bytes = NULL;
	lcowmig_status status;
	size_t size = 0;

	FLOW_BEGIN(flow);
	status = lcowmig__object_check(&vm->object, LCOWMIG__VM_QUERY_COMPATIBILITY, flow->error);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	FLOW_TRY(flow, vm_query(flow, vm, LCOWMIG__HCS_QUERY_COMPATIBILITY));
	status = lcowmig__hcs_parse_compatibility(mem, &vm->object.context->limits, flow->rest->reply.data, &bytes, &size, flow->error);
	if (status != LCOWMIG_OK)
		FLOW_RETURN(flow, status);
	lcowmig__free(mem, vm->compat);
	vm->compat = bytes;
	vm->compat_size = size;
	lcowmig__vm_note(vm, LCOWMIG__VM_QUERY_COMPATIBILITY);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_compatibility_class = { "query of compatibility", vm_compatibility_step, NULL, true };

static lcowmig__flow *vm_question_flow(lcowmig_vm *vm, const lcowmig__flow_class *class, lcowmig_error *error)
{
	struct vm_question *self = lcowmig__vm_flow(vm, sizeof *self, class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	return &self->flow;
}

lcowmig__flow *lcowmig__vm_compatibility_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return vm_question_flow(vm, &vm_compatibility_class, error);
}

/* ---- Stacks ---- */

static void vm_ask_stacks(lcowmig__flow *flow, lcowmig_vm *vm)
{
	if (vm->env->guest_supports_dump_stacks)
		lcowmig__guest_dump_stacks(flow, vm->env);
}

static void vm_stacks_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = ((struct vm_question *)flow)->vm;
	lcowmig_status status;
	char *text = NULL;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, vm_ask_stacks(flow, vm));
	if (vm->env->guest_supports_dump_stacks) {
		status = lcowmig__guest_reply_stacks(flow, &text, flow->error);
		if (status != LCOWMIG_OK)
			FLOW_RETURN(flow, status);
	}
	lcowmig__free(lcowmig__vm_mem(vm), vm->stacks);
	vm->stacks = text;
	lcowmig__vm_note(vm, LCOWMIG__VM_OPERATE);
	FLOW_END(flow);
}

/* A guest request: a freeze has to wait for it, or refuse. */
static const lcowmig__flow_class vm_stacks_class = { "dump of stacks", vm_stacks_step, NULL, false };

lcowmig__flow *lcowmig__vm_dump_stacks_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return vm_question_flow(vm, &vm_stacks_class, error);
}
