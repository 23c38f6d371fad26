/*
 * Changing the running machine. HCS first; then the kept document gets the same value, so that a migration carries the machine as it is now
 * . A fragment of the security policy goes to the guest alone. One change at a time: each builds on the document that the one before
 * it left.
 */
#include "private.h"

#include "guest/guest.h"

typedef enum vm_update_kind { UPDATE_MEMORY, UPDATE_CPU, UPDATE_CPU_GROUP, UPDATE_POLICY } vm_update_kind;

struct vm_update {
	lcowmig__flow flow;
	vm_update_kind kind;
	uint64_t size_mb;
	lcowmig__hcs_cpu_limits limits;
	const char *group;
	const char *fragment;
	const char *media_type;
	char *text; /* the document after the change */
	size_t size;
};

static void vm_update_release(lcowmig__flow *flow)
{
	lcowmig__free(&flow->context->mem, ((struct vm_update *)flow)->text);
}

/* The document as it will be, made before HCS is asked: afterwards nothing can fail. */
static lcowmig_status vm_update_prepare(struct vm_update *self)
{
	const lcowmig_vm *vm = lcowmig__vm_of(&self->flow);
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	const char *document = vm->config.document;
	size_t size = vm->config.document_size;
	lcowmig_error *error = self->flow.error;
	lcowmig_status status = lcowmig__object_check(&vm->object, LCOWMIG__VM_OPERATE, error);

	if (status != LCOWMIG_OK)
		return status;
	switch (self->kind) {
	case UPDATE_MEMORY:
		return lcowmig__hcs_document_set_memory(mem, document, size, self->size_mb, &self->text, &self->size, error);
	case UPDATE_CPU:
		return lcowmig__hcs_document_set_cpu_limits(mem, document, size, &self->limits, &self->text, &self->size, error);
	case UPDATE_CPU_GROUP:
		return lcowmig__hcs_document_set_cpu_group(mem, document, size, self->group, &self->text, &self->size, error);
	default:
		return LCOWMIG_OK; /* the guest's affair */
	}
}

static void vm_update_ask(struct vm_update *self)
{
	lcowmig__flow *flow = &self->flow;
	const lcowmig__env *env = lcowmig__vm_of(flow)->env;
	const lcowmig__mem *mem = &flow->context->mem;

	switch (self->kind) {
	case UPDATE_MEMORY:
		lcowmig__hcs_modify(flow, env, lcowmig__hcs_memory(mem, self->size_mb));
		break;
	case UPDATE_CPU:
		lcowmig__hcs_modify(flow, env, lcowmig__hcs_cpu_limits_request(mem, &self->limits));
		break;
	case UPDATE_CPU_GROUP:
		lcowmig__hcs_modify(flow, env, lcowmig__hcs_cpu_group(mem, self->group));
		break;
	default:
		lcowmig__guest_add_policy_fragment(flow, env, self->fragment, self->media_type);
	}
}

static void vm_update_commit(struct vm_update *self, lcowmig_vm *vm)
{
	if (self->text) {
		lcowmig__free(lcowmig__vm_mem(vm), vm->config.document);
		vm->config.document = self->text;
		vm->config.document_size = self->size;
		self->text = NULL;
	}
	lcowmig__vm_note(vm, LCOWMIG__VM_OPERATE);
}

static void vm_update_step(lcowmig__flow *flow)
{
	struct vm_update *self = (struct vm_update *)flow;
	lcowmig_vm *vm = lcowmig__vm_of(flow);

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &vm->gate));
	lcowmig__flow_shield(flow, true); /* HCS does not take a change back, so its answer is waited for */
	FLOW_CHECK(flow, vm_update_prepare(self));
	FLOW_TRY(flow, vm_update_ask(self));
	vm_update_commit(self, vm);
	if (self->kind == UPDATE_MEMORY)
		FLOW_TRY(flow, lcowmig__guest_update_pod_memory(flow, vm->env));
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_update_class = { .name = "update", .step = vm_update_step, .release = vm_update_release };
static const lcowmig__flow_class vm_fragment_class = { .name = "update of the policy", .step = vm_update_step };

lcowmig__flow *lcowmig__vm_update_memory_flow(lcowmig_vm *vm, uint64_t size_mb, lcowmig_error *error)
{
	struct vm_update *self = lcowmig__vm_flow(vm, sizeof *self, &vm_update_class, error);

	if (!self)
		return NULL;
	self->kind = UPDATE_MEMORY;
	self->size_mb = size_mb + size_mb % 2; /* HCS takes even sizes only */
	return &self->flow;
}

lcowmig__flow *lcowmig__vm_update_cpu_flow(lcowmig_vm *vm, const lcowmig__hcs_cpu_limits *limits, lcowmig_error *error)
{
	struct vm_update *self = lcowmig__vm_flow(vm, sizeof *self, &vm_update_class, error);

	if (!self)
		return NULL;
	self->kind = UPDATE_CPU;
	self->limits = *limits;
	return &self->flow;
}

lcowmig__flow *lcowmig__vm_update_cpu_group_flow(lcowmig_vm *vm, const char *id, lcowmig_error *error)
{
	struct vm_update *self = lcowmig__vm_flow(vm, sizeof *self, &vm_update_class, error);

	if (!self)
		return NULL;
	self->kind = UPDATE_CPU_GROUP;
	self->group = lcowmig__flow_text(&self->flow, id);
	return lcowmig__flow_made(&self->flow, true, error);
}

lcowmig__flow *lcowmig__vm_update_fragment_flow(lcowmig_vm *vm, const char *fragment, const char *media_type, lcowmig_error *error)
{
	struct vm_update *self = lcowmig__vm_flow(vm, sizeof *self, &vm_fragment_class, error);

	if (!self)
		return NULL;
	self->kind = UPDATE_POLICY;
	self->fragment = lcowmig__flow_text(&self->flow, fragment);
	self->media_type = lcowmig__flow_text(&self->flow, media_type);
	return lcowmig__flow_made(&self->flow, true, error);
}
