/* A sandbox's life: made from the host's callbacks, freed when everything in it rests. */
#include <string.h>

#include "sandbox.h"

#include "base/text.h"
#include "engine/abi.h"
#include "lcowmig/event.h"

/* The vtables: where each is in a configuration and in the environment, and what version 1.0 had of it. */
static const struct ops {
	const char *name;
	size_t given;
	size_t own;
	size_t size;
	size_t first_size;
} sandbox_ops[] = {
#define OPS(type, member, last)                                                                                                      \
	{                                                                                                                            \
		#type, offsetof(lcowmig_sandbox_config, member), offsetof(lcowmig__env, member), sizeof(type),                       \
			LCOWMIG__SIZE_THROUGH(type, last)                                                                            \
	}
	OPS(lcowmig_hcs_ops, hcs, path_type),
	OPS(lcowmig_guest_ops, guest, close_container),
	OPS(lcowmig_network_ops, network, endpoints),
	OPS(lcowmig_stdio_ops, stdio, close),
	OPS(lcowmig_socket_ops, socket, descriptor_size),
	OPS(lcowmig_event_ops, events, event),
#undef OPS
};

static lcowmig_status copy_ops(lcowmig__env *env, const lcowmig_sandbox_config *config, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(sandbox_ops) && status == LCOWMIG_OK; i++) {
		const struct ops *ops = &sandbox_ops[i];
		const void *given;

		memcpy(&given, (const char *)config + ops->given, sizeof given);
		if (given)
			status = lcowmig__copy_sized(ops->name, (char *)env + ops->own, ops->size, given, ops->first_size, error);
	}
	return status;
}

/* The machine has ended. The session hears of it while the pods still are what they were; then what was imported and never ran is stopped.
 */
static void sandbox_vm_ended(void *user)
{
	lcowmig_sandbox *sandbox = user;

	lcowmig__migration_vm_ended(sandbox->migration);
	lcowmig__sandbox_abort(sandbox);
}

static const char *sandbox_id(void *user)
{
	return ((const lcowmig_sandbox *)user)->id;
}

void lcowmig__sandbox_abort(lcowmig_sandbox *sandbox)
{
	lcowmig_pod *pod;

	for (pod = lcowmig__sandbox_next_pod(sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(sandbox, pod))
		lcowmig__pod_abort(pod);
}

/* Frees what is in a sandbox, at any point of its making. Needs the lock: parts of it may have something left to close. */
static void sandbox_drop(lcowmig_sandbox *sandbox)
{
	while (sandbox->pods.count)
		lcowmig__sandbox_remove_pod(sandbox, lcowmig__sandbox_next_pod(sandbox, NULL));
	lcowmig__migration_free(sandbox->migration);
	lcowmig__vm_free(sandbox->vm);
}

/* The rest, once nothing refers to the env any more. */
static void sandbox_release(lcowmig_sandbox *sandbox)
{
	const lcowmig__mem *mem = &sandbox->object.context->mem;

	lcowmig__free(mem, sandbox->id);
	lcowmig__free(mem, sandbox);
}

static lcowmig_status sandbox_fill(lcowmig_sandbox *sandbox, const lcowmig_sandbox_config *config, lcowmig_error *error)
{
	lcowmig_context *context = sandbox->object.context;
	lcowmig__vm_owner owner = { sandbox_vm_ended, sandbox, sandbox_id };
	lcowmig_status status;

	if (config->id) {
		sandbox->id = lcowmig__strdup(&context->mem, config->id);
		if (!sandbox->id)
			return lcowmig__fail_memory(error);
		sandbox->object.id = sandbox->id;
	}
	status = lcowmig__vm_new(&sandbox->env, &owner, &sandbox->vm, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__migration_new(sandbox, &sandbox->migration, error);
	return status;
}

/* Makes the sandbox inside the lock; what failed is gone again. */
static lcowmig_status sandbox_make(lcowmig_context *context, const lcowmig_sandbox_config *config, const lcowmig__env *env,
				   lcowmig_sandbox **ret_sandbox, lcowmig_error *error)
{
	lcowmig_sandbox *sandbox = lcowmig__alloc(&context->mem, sizeof *sandbox);
	lcowmig_status status;

	if (!sandbox)
		return lcowmig__fail_memory(error);
	lcowmig__object_init(&sandbox->object, context, &lcowmig__sandbox_machine, "(unnamed)");
	lcowmig__sandbox_init_maps(sandbox);
	sandbox->env = *env;
	sandbox->env.context = context;
	sandbox->env.calls = &sandbox->host_calls;
	status = sandbox_fill(sandbox, config, error);
	if (status != LCOWMIG_OK) {
		sandbox_drop(sandbox);
		sandbox_release(sandbox);
		return status;
	}
	context->dependents++;
	*ret_sandbox = sandbox;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_sandbox_new(lcowmig_context *context, const lcowmig_sandbox_config *given, lcowmig_sandbox **ret_sandbox,
				   lcowmig_error *error)
{
	lcowmig_sandbox_config config = { .size = sizeof config };
	lcowmig_sandbox *sandbox = NULL;
	lcowmig__env env = { 0 };
	lcowmig_status status;
	lcowmig__pump pump;

	if (!context || !ret_sandbox)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "sandbox: the context, or the place for the result, is NULL");
	status = LCOWMIG__COPY_SIZED("lcowmig_sandbox_config", &config, given, events, error);
	if (status == LCOWMIG_OK)
		status = copy_ops(&env, &config, error);
	if (status == LCOWMIG_OK && config.id && !config.id[0])
		status = lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_sandbox_config: the id is empty; expected one, or NULL");
	if (status == LCOWMIG_OK && !lcowmig__text_is_fine(config.id, context->limits.id_bytes))
		status = lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_sandbox_config: the id is too long or not UTF-8");
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__enter(context, &pump);
	status = sandbox_make(context, &config, &env, &sandbox, error);
	lcowmig__leave(context, &pump);
	if (status != LCOWMIG_OK)
		return status;
	if (env.guest.attach) {
		sandbox->guest_attached = true;
		env.guest.attach(env.guest.user, sandbox);
	}
	*ret_sandbox = sandbox;
	return LCOWMIG_OK;
}

static lcowmig_status sandbox_check_free(const lcowmig_sandbox *sandbox, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check_idle(&sandbox->object, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__sandbox_check_no_session(sandbox, "freeing it", error);
	if (status != LCOWMIG_OK)
		return status;
	if (!lcowmig__vm_is_free_to_go(sandbox->vm, error))
		return LCOWMIG_E_FAILED_PRECONDITION;
	if (sandbox->host_calls)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "sandbox %s: the host has not completed %u of its calls",
				     sandbox->object.id, sandbox->host_calls);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_sandbox_free(lcowmig_sandbox *sandbox, lcowmig_error *error)
{
	lcowmig_context *context;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!sandbox)
		return LCOWMIG_OK;
	context = sandbox->object.context;
	lcowmig__enter(context, &pump);
	status = sandbox_check_free(sandbox, error);
	lcowmig__leave(context, &pump);
	if (status != LCOWMIG_OK)
		return status;
	if (sandbox->guest_attached)
		sandbox->env.guest.attach(sandbox->env.guest.user, NULL);
	lcowmig__enter(context, &pump);
	status = sandbox_check_free(sandbox, error); /* again: until it was detached, the guest may have reported something */
	if (status == LCOWMIG_OK) {
		sandbox_drop(sandbox);
		lcowmig__run(context, &pump); /* closes what was still open, which needs the env */
		context->dependents--;
		sandbox_release(sandbox);
	}
	lcowmig__leave(context, &pump);
	if (status != LCOWMIG_OK && sandbox->guest_attached)
		sandbox->env.guest.attach(sandbox->env.guest.user, sandbox);
	return status;
}
