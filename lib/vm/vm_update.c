/*
 * Changing the running machine. HCS first; then the kept document gets the same value, so that a migration carries the machine as it is now
 * . One change at a time: each builds on the document that the one before it left.
 */
#include "private.h"

#include "guest/guest.h"

typedef enum vm_update_kind { UPDATE_MEMORY, UPDATE_CPU, UPDATE_CPU_GROUP } vm_update_kind;

struct vm_update {
	lcowmig__flow flow;
	lcowmig_vm *vm;
	vm_update_kind kind;
	uint64_t size_mb;
	lcowmig__hcs_cpu_limits limits;
	char *group;
	char *text; /* the document after the change */
	size_t size;
	lcowmig_status status;
};

static void vm_update_release(lcowmig__flow *flow)
{
	struct vm_update *self = (struct vm_update *)flow;

	lcowmig__free(lcowmig__vm_mem(self->vm), self->group);
	lcowmig__free(lcowmig__vm_mem(self->vm), self->text);
}

static char *vm_update_request(const struct vm_update *self)
{
	const lcowmig__mem *mem = lcowmig__vm_mem(self->vm);

	if (self->kind == UPDATE_MEMORY)
		return lcowmig__hcs_memory(mem, self->size_mb);
	if (self->kind == UPDATE_CPU)
		return lcowmig__hcs_cpu_limits_request(mem, &self->limits);
	return lcowmig__hcs_cpu_group(mem, self->group);
}

/* The document as it will be, made before HCS is asked: afterwards nothing can fail. */
static lcowmig_status vm_update_prepare(struct vm_update *self, lcowmig_error *error)
{
	const lcowmig_vm *vm = self->vm;
	const lcowmig__mem *mem = lcowmig__vm_mem(vm);
	lcowmig_status status = lcowmig__object_check(&vm->object, LCOWMIG__VM_OPERATE, error);

	if (status != LCOWMIG_OK)
		return status;
	if (self->kind == UPDATE_MEMORY)
		return lcowmig__hcs_document_set_memory(mem, vm->document, vm->document_size, self->size_mb, &self->text, &self->size,
							error);
	if (self->kind == UPDATE_CPU)
		return lcowmig__hcs_document_set_cpu_limits(mem, vm->document, vm->document_size, &self->limits, &self->text, &self->size,
							    error);
	return lcowmig__hcs_document_set_cpu_group(mem, vm->document, vm->document_size, self->group, &self->text, &self->size, error);
}

static void vm_update_step(lcowmig__flow *flow)
{
	struct vm_update *self = (struct vm_update *)flow;
	lcowmig_vm *vm = self->vm;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &vm->gate));
	lcowmig__flow_shield(flow, true); /* HCS does not take a change back, so its answer is waited for */
	self->status = vm_update_prepare(self, flow->error);
	if (self->status == LCOWMIG_OK) {
		FLOW_AWAIT(flow, lcowmig__hcs_modify(flow, vm->env, vm_update_request(self)));
		self->status = flow->result;
	}
	if (self->status == LCOWMIG_OK) {
		lcowmig__vm_set_document(vm, self->text, self->size);
		self->text = NULL;
		lcowmig__vm_note(vm, LCOWMIG__VM_OPERATE);
		if (self->kind == UPDATE_MEMORY) {
			FLOW_AWAIT(flow, lcowmig__guest_update_pod_memory(flow, vm->env));
			self->status = flow->result;
		}
	}
	lcowmig__gate_leave(flow, &vm->gate);
	FLOW_RETURN(flow, self->status);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_update_class = { "update", vm_update_step, vm_update_release, false };

static struct vm_update *vm_update_new(lcowmig_vm *vm, vm_update_kind kind, lcowmig_error *error)
{
	struct vm_update *self = lcowmig__vm_flow(vm, sizeof *self, &vm_update_class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	self->kind = kind;
	return self;
}

lcowmig__flow *lcowmig__vm_update_memory_flow(lcowmig_vm *vm, uint64_t size_mb, lcowmig_error *error)
{
	struct vm_update *self = vm_update_new(vm, UPDATE_MEMORY, error);

	if (!self)
		return NULL;
	self->size_mb = size_mb + size_mb % 2; /* HCS takes even sizes only */
	return &self->flow;
}

lcowmig__flow *lcowmig__vm_update_cpu_flow(lcowmig_vm *vm, const lcowmig__hcs_cpu_limits *limits, lcowmig_error *error)
{
	struct vm_update *self = vm_update_new(vm, UPDATE_CPU, error);

	if (!self)
		return NULL;
	self->limits = *limits;
	return &self->flow;
}

lcowmig__flow *lcowmig__vm_update_cpu_group_flow(lcowmig_vm *vm, const char *id, lcowmig_error *error)
{
	struct vm_update *self = vm_update_new(vm, UPDATE_CPU_GROUP, error);

	if (!self)
		return NULL;
	self->group = lcowmig__strdup(lcowmig__vm_mem(vm), id);
	if (self->group)
		return &self->flow;
	lcowmig__flow_discard(&self->flow);
	lcowmig__fail_memory(error);
	return NULL;
}

/* ---- A fragment of the security policy ---- */

struct vm_fragment {
	lcowmig__flow flow;
	lcowmig_vm *vm;
	char *fragment;
	char *media_type;
};

static void vm_fragment_release(lcowmig__flow *flow)
{
	struct vm_fragment *self = (struct vm_fragment *)flow;

	lcowmig__free(lcowmig__vm_mem(self->vm), self->fragment);
	lcowmig__free(lcowmig__vm_mem(self->vm), self->media_type);
}

static void vm_fragment_step(lcowmig__flow *flow)
{
	struct vm_fragment *self = (struct vm_fragment *)flow;
	lcowmig_vm *vm = self->vm;
	lcowmig_status status;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &vm->gate));
	status = lcowmig__object_check(&vm->object, LCOWMIG__VM_OPERATE, flow->error);
	if (status != LCOWMIG_OK) {
		lcowmig__gate_leave(flow, &vm->gate);
		FLOW_RETURN(flow, status);
	}
	lcowmig__flow_shield(flow, true);
	FLOW_AWAIT(flow, lcowmig__guest_add_policy_fragment(flow, vm->env, self->fragment, self->media_type));
	lcowmig__gate_leave(flow, &vm->gate);
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_fragment_class = { "update of the policy", vm_fragment_step, vm_fragment_release, false };

lcowmig__flow *lcowmig__vm_update_fragment_flow(lcowmig_vm *vm, const char *fragment, const char *media_type, lcowmig_error *error)
{
	struct vm_fragment *self = lcowmig__vm_flow(vm, sizeof *self, &vm_fragment_class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	self->fragment = lcowmig__strdup(lcowmig__vm_mem(vm), fragment);
	self->media_type = lcowmig__strdup(lcowmig__vm_mem(vm), media_type ? media_type : "");
	if (self->fragment && self->media_type)
		return &self->flow;
	lcowmig__flow_discard(&self->flow);
	lcowmig__fail_memory(error);
	return NULL;
}
