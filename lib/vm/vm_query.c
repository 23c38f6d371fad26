/* Questions that HCS or the guest has to answer: statistics, compatibility, stacks. */
#include "private.h"

#include "guest/guest.h"

/* ---- Statistics ---- */

struct vm_stats {
	lcowmig__flow flow;
	lcowmig_vm_stats stats;
	lcowmig_vm_stats *ret_stats;
};

#define PAGE_BYTES 4096u

/* Takes what an answer has: the processors' part, or the memory's. */
static lcowmig_status stats_read(struct vm_stats *self)
{
	const lcowmig_limits *limits = &self->flow.context->limits;
	const lcowmig__buf *reply = &self->flow.rest->reply;
	lcowmig_vm_stats *stats = &self->stats;
	const cJSON *memory, *vm;
	uint64_t runtime;
	cJSON *tree;
	lcowmig_status status = lcowmig__json_parse("statistics", reply->data ? reply->data : "{}", reply->data ? reply->size : 2,
						    limits->document_bytes, limits, &tree, self->flow.error);

	if (status != LCOWMIG_OK)
		return status;
	if (lcowmig__json_uint64(lcowmig__json_get(lcowmig__json_get(tree, "Statistics"), "Processor"), "TotalRuntime100ns", &runtime))
		stats->processor_runtime_ns = runtime <= UINT64_MAX / 100 ? runtime * 100 : UINT64_MAX;
	memory = lcowmig__json_get(tree, "Memory");
	vm = lcowmig__json_get(memory, "VirtualMachineMemory");
	lcowmig__json_uint32(memory, "VirtualNodeCount", &stats->virtual_node_count);
	lcowmig__json_uint64(vm, "AvailableMemory", &stats->available_memory);
	lcowmig__json_uint64(vm, "ReservedMemory", &stats->reserved_memory);
	lcowmig__json_uint64(vm, "AssignedMemory", &stats->assigned_memory);
	stats->slp_active = lcowmig__json_bool(vm, "SlpActive");
	stats->balancing_enabled = lcowmig__json_bool(vm, "BalancingEnabled");
	stats->dm_operation_in_progress = lcowmig__json_bool(vm, "DmOperationInProgress");
	if (lcowmig__vm_of(&self->flow)->config.fully_physically_backed && stats->assigned_memory <= UINT64_MAX / PAGE_BYTES)
		stats->working_set_bytes = stats->assigned_memory * PAGE_BYTES;
	cJSON_Delete(tree);
	return LCOWMIG_OK;
}

void lcowmig__vm_query(lcowmig__flow *flow, const char *query)
{
	lcowmig__hcs_properties(flow, lcowmig__vm_of(flow)->env, lcowmig__strdup(&flow->context->mem, query));
}

static void vm_stats_step(lcowmig__flow *flow)
{
	struct vm_stats *self = (struct vm_stats *)flow;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__vm_query(flow, LCOWMIG__HCS_QUERY_STATISTICS));
	FLOW_CHECK(flow, stats_read(self));
	FLOW_TRY(flow, lcowmig__vm_query(flow, LCOWMIG__HCS_QUERY_MEMORY));
	FLOW_CHECK(flow, stats_read(self));
	self->stats.size = self->ret_stats->size;
	memcpy(self->ret_stats, &self->stats, self->stats.size < sizeof self->stats ? self->stats.size : sizeof self->stats);
	lcowmig__vm_note(lcowmig__vm_of(flow), LCOWMIG__VM_OPERATE);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_stats_class = { .name = "statistics", .step = vm_stats_step, .is_watch = true };

lcowmig__flow *lcowmig__vm_stats_flow(lcowmig_vm *vm, lcowmig_vm_stats *ret_stats, lcowmig_error *error)
{
	struct vm_stats *self = lcowmig__vm_flow(vm, sizeof *self, &vm_stats_class, error);

	if (!self)
		return NULL;
	self->ret_stats = ret_stats;
	return &self->flow;
}

/* ---- Compatibility ---- */

static lcowmig_status compatibility_read(lcowmig_vm *vm, lcowmig__flow *flow)
{
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	uint8_t *bytes;
	size_t size;
	lcowmig_status status = lcowmig__hcs_parse_compatibility(mem, &flow->context->limits, flow->rest->reply.data, &bytes, &size, flow->error);

	if (status != LCOWMIG_OK)
		return status;
	lcowmig__free(mem, vm->compat);
	vm->compat = bytes;
	vm->compat_size = size;
	return LCOWMIG_OK;
}

static void vm_compatibility_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, lcowmig__object_check(&vm->object, LCOWMIG__VM_QUERY_COMPATIBILITY, flow->error));
	FLOW_TRY(flow, lcowmig__vm_query(flow, LCOWMIG__HCS_QUERY_COMPATIBILITY));
	FLOW_CHECK(flow, compatibility_read(vm, flow));
	lcowmig__vm_note(vm, LCOWMIG__VM_QUERY_COMPATIBILITY);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_compatibility_class = { .name = "query of compatibility",
							    .step = vm_compatibility_step,
							    .is_watch = true };

lcowmig__flow *lcowmig__vm_compatibility_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return lcowmig__vm_plain_flow(vm, &vm_compatibility_class, error);
}

/* ---- Stacks ---- */

static void vm_ask_stacks(lcowmig__flow *flow, const lcowmig__env *env)
{
	if (env->guest_supports_dump_stacks)
		lcowmig__guest_dump_stacks(flow, env);
}

static void vm_stacks_step(lcowmig__flow *flow)
{
	lcowmig_vm *vm = lcowmig__vm_of(flow);
	char *text = NULL;

	FLOW_BEGIN(flow);
	FLOW_CHECK(flow, lcowmig__object_check(&vm->object, LCOWMIG__VM_OPERATE, flow->error));
	FLOW_TRY(flow, vm_ask_stacks(flow, vm->env));
	if (vm->env->guest_supports_dump_stacks)
		FLOW_CHECK(flow, lcowmig__guest_reply_stacks(flow, &text, flow->error));
	lcowmig__free(lcowmig__vm_mem(vm), vm->stacks);
	vm->stacks = text;
	lcowmig__vm_note(vm, LCOWMIG__VM_OPERATE);
	FLOW_END(flow);
}

/* A guest request: a freeze has to wait for it, or refuse. */
static const lcowmig__flow_class vm_stacks_class = { .name = "dump of stacks", .step = vm_stacks_step };

lcowmig__flow *lcowmig__vm_dump_stacks_flow(lcowmig_vm *vm, lcowmig_error *error)
{
	return lcowmig__vm_plain_flow(vm, &vm_stacks_class, error);
}
