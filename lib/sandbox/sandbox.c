/* A sandbox's life: made from the host's callbacks, freed when everything in it rests. */
#include <string.h>

#include "sandbox.h"

#include "base/text.h"
#include "engine/abi.h"
#include "lcowmig/event.h"

/* Copies each vtable that is given; the last named member is the last of 1.0. */
static lcowmig_status copy_ops(lcowmig__env *env, const lcowmig_sandbox_config *config, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;

	if (config->hcs)
		status = LCOWMIG__COPY_SIZED("lcowmig_hcs_ops", &env->hcs, config->hcs, path_type, error);
	if (status == LCOWMIG_OK && config->guest)
		status = LCOWMIG__COPY_SIZED("lcowmig_guest_ops", &env->guest, config->guest, close_container, error);
	if (status == LCOWMIG_OK && config->network)
		status = LCOWMIG__COPY_SIZED("lcowmig_network_ops", &env->network, config->network, endpoints, error);
	if (status == LCOWMIG_OK && config->stdio)
		status = LCOWMIG__COPY_SIZED("lcowmig_stdio_ops", &env->stdio, config->stdio, close, error);
	if (status == LCOWMIG_OK && config->socket)
		status = LCOWMIG__COPY_SIZED("lcowmig_socket_ops", &env->socket, config->socket, descriptor_size, error);
	if (status == LCOWMIG_OK && config->events)
		status = LCOWMIG__COPY_SIZED("lcowmig_event_ops", &env->events, config->events, event, error);
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

/* Frees a sandbox at any point of its making. Needs the lock: parts of it may have something left to close. */
static void sandbox_drop(lcowmig_sandbox *sandbox)
{
	while (sandbox->pods.count)
		lcowmig__sandbox_remove_pod(sandbox, lcowmig__sandbox_next_pod(sandbox, NULL));
	lcowmig__migration_free(sandbox->migration);
	lcowmig__vm_free(sandbox->vm);
	sandbox->migration = NULL;
	sandbox->vm = NULL;
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
		lcowmig__free(&context->mem, sandbox->id);
		lcowmig__free(&context->mem, sandbox);
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
	if (status == LCOWMIG_OK && config.id &&
	    (strlen(config.id) > context->limits.id_bytes || !lcowmig__utf8_is_valid(config.id, strlen(config.id))))
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
		lcowmig__free(&context->mem, sandbox->id);
		lcowmig__free(&context->mem, sandbox);
	}
	lcowmig__leave(context, &pump);
	if (status != LCOWMIG_OK && sandbox->guest_attached)
		sandbox->env.guest.attach(sandbox->env.guest.user, sandbox);
	return status;
}
