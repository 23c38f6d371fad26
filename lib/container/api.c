/* The container for the host: arguments checked, the lock taken, flows started. */
#include "container_private.h"
#include "engine/abi.h"

/* Every call needs the container, most nothing more, some one more argument. */
static bool api_check(const lcowmig_container *container, const char *what, const void *argument, const char *name, lcowmig_error *error)
{
	if (container && argument)
		return true;
	lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "container %s: %s is NULL", what, container ? name : "container");
	return false;
}

static bool api_enter_with(const lcowmig_container *container, const char *what, const void *argument, const char *name,
			   lcowmig__pump *pump, lcowmig_error *error)
{
	if (!api_check(container, what, argument, name, error))
		return false;
	lcowmig__enter(container->env->context, pump);
	return true;
}

/* What a pod does for its containers, together with its network and the index. */
static lcowmig_status api_check_standalone(const lcowmig_container *container, const char *what, lcowmig_error *error)
{
	if (!container->is_standalone)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "container %s belongs to its pod; %s needs one imported alone",
				     container->id, what);
	return LCOWMIG_OK;
}

/* ---- Life ---- */

static lcowmig_status api_check_rootfs(const lcowmig_rootfs_mount *mounts, size_t count, lcowmig_error *error)
{
	size_t i;

	for (i = 0; mounts && i < count; i++)
		if (!mounts[i].options && mounts[i].n_options)
			return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "rootfs mount %zu: its options are NULL", i);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_container_create(lcowmig_container *container, const lcowmig_container_options *options, lcowmig_done_fn done,
					void *user, lcowmig_error *error)
{
	lcowmig_container_options own;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(container, container, "container create: container", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = LCOWMIG__COPY_SIZED("lcowmig_container_options", &own, options, reserved, error);
	if (status == LCOWMIG_OK)
		status = api_check_rootfs(own.rootfs, own.n_rootfs, error);
	if (status == LCOWMIG_OK)
		flow = lcowmig__container_create_flow(container, &own, error);
	return lcowmig__leave_flow(container, &pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_container_start(lcowmig_container *container, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(container, container, "container start: container", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(container, &pump, LCOWMIG_OK, lcowmig__container_start_flow(container, error), done, user, error);
}

lcowmig_status lcowmig_container_kill(lcowmig_container *container, const char *exec_id, uint32_t signal, bool all, lcowmig_done_fn done,
				      void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(container, container, "container kill: container", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(container, &pump, LCOWMIG_OK, lcowmig__container_kill_flow(container, exec_id, signal, all, error), done,
				   user, error);
}

lcowmig_status lcowmig_container_delete(lcowmig_container *container, const char *exec_id, lcowmig_exit *ret_exit, lcowmig_done_fn done,
					void *user, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__flow *flow = NULL;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(container, container, "container delete: container", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	if (ret_exit)
		status = lcowmig__process_check_exit(ret_exit, error);
	if (status == LCOWMIG_OK)
		flow = lcowmig__container_delete_flow(container, exec_id, ret_exit, error);
	return lcowmig__leave_flow(container, &pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_container_wait(lcowmig_container *container, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(container, container, "container wait: container", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(container, &pump, LCOWMIG_OK, lcowmig__container_wait_flow(container, error), done, user, error);
}

lcowmig_status lcowmig_container_update(lcowmig_container *container, const char *resources, lcowmig_done_fn done, void *user,
					lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!api_enter_with(container, "update", resources, "resources", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(container, &pump, LCOWMIG_OK, lcowmig__container_update_flow(container, resources, error), done, user,
				   error);
}

lcowmig_status lcowmig_container_pids(lcowmig_container *container, lcowmig_pids **ret_pids, lcowmig_done_fn done, void *user,
				      lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!api_enter_with(container, "pids", ret_pids, "ret_pids", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(container, &pump, LCOWMIG_OK, lcowmig__container_pids_flow(container, ret_pids, error), done, user,
				   error);
}

lcowmig_status lcowmig_container_stats(lcowmig_container *container, lcowmig_stats **ret_stats, lcowmig_done_fn done, void *user,
				       lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!api_enter_with(container, "stats", ret_stats, "ret_stats", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(container, &pump, LCOWMIG_OK, lcowmig__container_stats_flow(container, ret_stats, error), done, user,
				   error);
}

/* ---- Processes ---- */

lcowmig_status lcowmig_container_exec(lcowmig_container *container, const char *exec_id, const lcowmig_process_options *options,
				      lcowmig_process **ret_process, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig_process_options own;
	lcowmig__flow *flow = NULL;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(container, container, "container exec: container", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = LCOWMIG__COPY_SIZED("lcowmig_process_options", &own, options, reserved, error);
	if (status == LCOWMIG_OK)
		flow = lcowmig__container_exec_flow(container, exec_id, &own, ret_process, error);
	return lcowmig__leave_flow(container, &pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_container_new_process(lcowmig_container *container, const char *exec_id, lcowmig_process **ret_process,
					     lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!api_enter_with(container, "new process", ret_process, "ret_process", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(container, &pump, lcowmig__container_new_process(container, exec_id, ret_process, error));
}

lcowmig_status lcowmig_container_get_process(lcowmig_container *container, const char *exec_id, lcowmig_process **ret_process,
					     lcowmig_error *error)
{
	lcowmig_status status;

	if (!api_check(container, "get process", ret_process, "ret_process", error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	lcowmig__lock_take(&container->env->context->lock);
	status = lcowmig__container_get_process(container, exec_id ? exec_id : "", ret_process, error);
	lcowmig__lock_drop(&container->env->context->lock);
	return status;
}

size_t lcowmig_container_list_processes(lcowmig_container *container, lcowmig_process **processes, size_t room)
{
	lcowmig__node *node;
	size_t count = 0;

	if (!container)
		return 0;
	lcowmig__lock_take(&container->env->context->lock);
	for (node = lcowmig__tree_first(&container->processes); node; node = lcowmig__tree_next(node)) {
		lcowmig_process *process = lcowmig__process_of_node(node);

		if (process == container->init)
			continue;
		if (processes && count < room)
			processes[count] = process;
		count++;
	}
	lcowmig__lock_drop(&container->env->context->lock);
	return count;
}

/* ---- Migration ---- */

lcowmig_status lcowmig_container_save(lcowmig_container *container, uint8_t *buffer, size_t capacity, size_t *ret_size,
				      lcowmig_error *error)
{
	lcowmig__wire_container wire;
	lcowmig_status status;
	lcowmig__arena arena;
	lcowmig__buf bytes;
	lcowmig__pump pump;

	if (!api_enter_with(container, "save", ret_size, "ret_size", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	lcowmig__arena_init(&arena, &container->env->context->mem, 0);
	lcowmig__buf_init(&bytes, &container->env->context->mem);
	status = lcowmig__container_capture(container, &arena, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__wire_encode_container(&bytes, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__copy_out("container save", bytes.data, bytes.size, buffer, capacity, ret_size, error);
	if (status == LCOWMIG_OK && buffer)
		lcowmig__container_freeze(container);
	lcowmig__buf_done(&bytes);
	lcowmig__arena_done(&arena);
	return lcowmig__leave_object(container, &pump, status);
}

lcowmig_status lcowmig_container_import(lcowmig_sandbox *sandbox, const uint8_t *data, size_t size, const char *guest_pod_id,
					lcowmig_container **ret_container, lcowmig_error *error)
{
	lcowmig__env *env = sandbox ? lcowmig__sandbox_env(sandbox) : NULL;
	lcowmig__wire_container wire;
	lcowmig_container *container;
	lcowmig__arena arena;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!env || !guest_pod_id || !ret_container)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "container import: sandbox, guest_pod_id or ret_container is NULL");
	lcowmig__arena_init(&arena, &env->context->mem, 0);
	lcowmig__enter(env->context, &pump);
	status = lcowmig__wire_decode_container(&arena, &env->context->limits, data, size, &wire, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__container_import(env, NULL, guest_pod_id, &wire, &container, error);
	if (status == LCOWMIG_OK) {
		container->is_standalone = true;
		env->context->dependents++;
		*ret_container = container;
	}
	lcowmig__leave(env->context, &pump);
	lcowmig__arena_done(&arena);
	return status;
}

lcowmig_status lcowmig_container_patch(lcowmig_container *container, const lcowmig_patch *patch, lcowmig_done_fn done, void *user,
				       lcowmig_error *error)
{
	lcowmig__flow *flow = NULL;
	lcowmig_status status;
	lcowmig__pump pump;
	lcowmig_patch own;

	if (!lcowmig__enter_object(container, container, "container patch: container", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = LCOWMIG__COPY_SIZED("lcowmig_patch", &own, patch, reserved, error);
	if (status == LCOWMIG_OK)
		status = api_check_rootfs(own.rootfs, own.n_rootfs, error);
	if (status == LCOWMIG_OK)
		status = api_check_standalone(container, "Patch", error);
	if (status == LCOWMIG_OK)
		flow = lcowmig__container_patch_flow(container, &own, NULL, NULL, error);
	return lcowmig__leave_flow(container, &pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_container_adopt(lcowmig_container *container, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(container, container, "container adopt: container", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(container, &pump, lcowmig__container_adopt(container, error));
}

lcowmig_status lcowmig_container_resume(lcowmig_container *container, bool is_destination, lcowmig_done_fn done, void *user,
					lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(container, container, "container resume: container", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(container, &pump, LCOWMIG_OK, lcowmig__container_resume_flow(container, is_destination, error), done,
				   user, error);
}

lcowmig_status lcowmig_container_announce(lcowmig_container *container, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(container, container, "container announce: container", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	lcowmig__container_announce(container);
	return lcowmig__leave_object(container, &pump, LCOWMIG_OK);
}

lcowmig_status lcowmig_container_abort(lcowmig_container *container, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(container, container, "container abort: container", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = api_check_standalone(container, "AbortMigrated", error);
	if (status == LCOWMIG_OK)
		lcowmig__container_abort(container);
	return lcowmig__leave_object(container, &pump, status);
}

lcowmig_status lcowmig_container_free(lcowmig_container *container, lcowmig_error *error)
{
	lcowmig_context *context;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!container)
		return LCOWMIG_OK;
	context = container->env->context;
	lcowmig__enter(context, &pump);
	status = api_check_standalone(container, "freeing", error);
	if (status == LCOWMIG_OK)
		status = lcowmig__container_check_idle(container, error);
	if (status == LCOWMIG_OK) {
		lcowmig__container_free(container);
		context->dependents--;
	}
	lcowmig__leave(context, &pump);
	return status;
}

/* ---- Questions ---- */

const char *lcowmig_container_id(const lcowmig_container *container)
{
	const char *id;

	if (!container)
		return "";
	lcowmig__lock_take(&container->env->context->lock);
	id = container->id;
	lcowmig__lock_drop(&container->env->context->lock);
	return id;
}

const char *lcowmig_container_guest_id(const lcowmig_container *container)
{
	return container ? container->gcs_id : "";
}

const char *lcowmig_container_state_name(const lcowmig_container *container)
{
	const char *name;

	if (!container)
		return "";
	lcowmig__lock_take(&container->env->context->lock);
	name = lcowmig__object_state_name(&container->object);
	lcowmig__lock_drop(&container->env->context->lock);
	return name;
}
