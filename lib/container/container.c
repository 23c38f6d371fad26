/* A container as an object: making, freeing, starting, waiting, questions. */
#include <string.h>

#include "base/text.h"
#include "container_private.h"
#include "guest/guest.h"

/* ---- Flows of a container ---- */

void *lcowmig__container_flow_new(lcowmig_container *container, size_t size, const lcowmig__flow_class *class, lcowmig_error *error)
{
	lcowmig__container_flow *self = lcowmig__flow_new(size, class, container->env->context, &container->object, error);

	if (self)
		self->container = container;
	return self;
}

/* ---- Making and freeing ---- */

static int process_compare(const void *key, const lcowmig__node *node)
{
	return strcmp(key, lcowmig__process_exec_id(lcowmig__process_of_node(node)));
}

lcowmig_container *lcowmig__container_alloc(lcowmig__env *env, const lcowmig__container_vm *vm, const char *guest_pod_id, const char *id,
					    const char *gcs_id, lcowmig_error *error)
{
	const lcowmig__mem *mem = &env->context->mem;
	lcowmig_container *container = lcowmig__alloc(mem, sizeof *container);

	if (!container) {
		lcowmig__fail_memory(error);
		return NULL;
	}
	container->env = env;
	container->vm = vm;
	container->guest_pod_id = lcowmig__strdup(mem, guest_pod_id);
	container->id = lcowmig__strdup(mem, id);
	container->gcs_id = lcowmig__strdup(mem, gcs_id);
	lcowmig__object_init(&container->object, env->context, &lcowmig__container_machine, container->id);
	lcowmig__gate_init(&container->gate);
	lcowmig__signal_init(&container->terminated);
	lcowmig__tree_init(&container->processes, process_compare);
	if (container->guest_pod_id && container->id && container->gcs_id)
		return container;
	lcowmig__container_free(container);
	lcowmig__fail_memory(error);
	return NULL;
}

lcowmig_status lcowmig__container_check_id(const lcowmig__env *env, const char *what, const char *id, lcowmig_error *error)
{
	size_t size = id ? strlen(id) : 0;

	if (!size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "the %s id is empty", what);
	if (size > env->context->limits.id_bytes)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "the %s id is longer than %lu bytes", what,
				     (unsigned long)env->context->limits.id_bytes);
	if (!lcowmig__utf8_is_valid(id, size))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "the %s id is not valid UTF-8", what);
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__container_new(lcowmig__env *env, const lcowmig__container_vm *vm, const char *guest_pod_id, const char *id,
				      lcowmig_container **ret_container, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__container_check_id(env, "container", id, error);
	lcowmig_container *container;

	if (status != LCOWMIG_OK)
		return status;
	container = lcowmig__container_alloc(env, vm, guest_pod_id, id, id, error);
	if (!container)
		return LCOWMIG_E_NO_MEMORY;
	container->is_announced = true;
	*ret_container = container;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__container_check_init(const lcowmig_container *container, const char *what, lcowmig_error *error)
{
	if (!container->init)
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "container %s has no init process; %s needs one", container->id,
				     what);
	return LCOWMIG_OK;
}

void lcowmig__container_add_process(lcowmig_container *container, lcowmig_process *process)
{
	const char *exec_id = lcowmig__process_exec_id(process);

	lcowmig__tree_insert(&container->processes, exec_id, lcowmig__process_node(process));
	if (!exec_id[0])
		container->init = process;
}

void lcowmig__container_drop_process(lcowmig_container *container, lcowmig_process *process)
{
	lcowmig__tree_remove(&container->processes, lcowmig__process_node(process));
	if (process == container->init)
		container->init = NULL;
	lcowmig__process_free(process);
}

lcowmig_status lcowmig__container_get_process(const lcowmig_container *container, const char *exec_id, lcowmig_process **ret_process,
					      lcowmig_error *error)
{
	const lcowmig__node *node = lcowmig__tree_find(&container->processes, exec_id);

	if (!node)
		return lcowmig__fail(error, LCOWMIG_E_NOT_FOUND, "container %s has no process '%s'", container->id, exec_id);
	*ret_process = lcowmig__process_of_node(node);
	return LCOWMIG_OK;
}

static void orphan_watches(lcowmig_container *container)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH(node, following, &container->object.flows)
	{
		lcowmig__flow *flow = LCOWMIG__FLOW_OF(node, on_object);

		lcowmig__list_remove(&flow->rest->on_object);
		((lcowmig__container_flow *)flow)->container = NULL;
		lcowmig__flow_interrupt(flow, LCOWMIG_E_CANCELLED, "lost its container");
	}
}

void lcowmig__container_free(lcowmig_container *container)
{
	const lcowmig__mem *mem = &container->env->context->mem;
	lcowmig__node *node;
	size_t i;

	orphan_watches(container);
	while ((node = lcowmig__tree_first(&container->processes)) != NULL)
		lcowmig__container_drop_process(container, lcowmig__process_of_node(node));
	lcowmig__flow_discard(container->exit_flow);
	lcowmig__event_free(container->exit_event);
	lcowmig__event_free(container->create_event);
	for (i = 0; i < container->n_ro_layers; i++)
		lcowmig__free(mem, container->ro_layers[i].guest_path);
	lcowmig__free(mem, container->ro_layers);
	lcowmig__free(mem, container->scratch.guest_path);
	lcowmig__free(mem, container->rootfs_path);
	lcowmig__free(mem, container->disks.items);
	lcowmig__free(mem, container->shares.items);
	lcowmig__free(mem, container->devices.items);
	lcowmig__free(mem, container->guest_pod_id);
	lcowmig__free(mem, container->id);
	lcowmig__free(mem, container->gcs_id);
	lcowmig__free(mem, container);
}

/* ---- The init process as seen from here ---- */

static void container_process_exited(void *user, lcowmig_process *process)
{
	lcowmig_container *container = user;

	/* It closes its stdio first, which takes a host call: the start or resume that made it run is through by now. */
	if (process == container->init)
		lcowmig__container_begin_end(container);
}

lcowmig__process_owner lcowmig__container_as_owner(lcowmig_container *container)
{
	return (lcowmig__process_owner){ container_process_exited, container };
}

lcowmig_status lcowmig__container_make_process(lcowmig_container *container, const char *exec_id, lcowmig_process **ret_process,
					       lcowmig_error *error)
{
	lcowmig__process_owner owner = lcowmig__container_as_owner(container);
	lcowmig_status status = lcowmig__process_new(container->env, container->id, container->gcs_id, exec_id,
						     container->io_retry_timeout_ns, &owner, ret_process, error);

	if (status == LCOWMIG_OK)
		lcowmig__container_add_process(container, *ret_process);
	return status;
}

/* ---- Start ---- */

struct container_start {
	lcowmig__container_flow base;
	lcowmig_event *started; /* TASK_START */
};

static void start_commit(struct container_start *self)
{
	lcowmig_container *container = self->base.container;

	lcowmig__object_fire(&container->object, CONTAINER_START);
	self->started->pid = lcowmig__process_pid(container->init);
	lcowmig__event_send(self->started);
	self->started = NULL;
}

/* The init process says whether anything was done that makes the container unusable. */
static lcowmig_status start_failed(struct container_start *self)
{
	lcowmig_container *container = self->base.container;
	lcowmig_status status = self->base.flow.result;

	if (status != LCOWMIG_E_NO_MEMORY || !lcowmig__process_is_created(container->init)) {
		lcowmig__object_fire(&container->object, CONTAINER_START_FAILED);
		lcowmig__signal_set(&container->terminated);
	}
	return lcowmig__wrap(self->base.flow.error, status, "container %s could not be started and is %s", container->id,
			     lcowmig__object_state_name(&container->object));
}

static void start_step(lcowmig__flow *flow)
{
	struct container_start *self = (struct container_start *)flow;
	lcowmig_container *container = self->base.container;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &container->gate, CONTAINER_START));
	if (!container->init)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_FAILED_PRECONDITION,
						"container %s is Created and its init process was deleted; Start needs one",
						container->id));
	lcowmig__flow_shield(flow, true);
	FLOW_TRY_OR(flow, lcowmig__guest_start_container(flow, container->env, container->gcs_id), failed);
	FLOW_TRY_OR(flow, lcowmig__flow_child(flow, lcowmig__process_start_flow(container->init, NULL)), failed);
	start_commit(self);
	FLOW_RETURN(flow, LCOWMIG_OK);
failed:
	FLOW_RETURN(flow, start_failed(self));
	FLOW_END(flow);
}

static void start_release(lcowmig__flow *flow)
{
	lcowmig__event_free(((struct container_start *)flow)->started);
}

static const lcowmig__flow_class start_class = { .name = "start", .step = start_step, .release = start_release };

lcowmig__flow *lcowmig__container_start_flow(lcowmig_container *container, lcowmig_error *error)
{
	struct container_start *self = lcowmig__container_flow_new(container, sizeof *self, &start_class, error);

	if (!self)
		return NULL;
	self->started = lcowmig__event_new(container->env, LCOWMIG_EVENT_TASK_START, container->id, "", error);
	return lcowmig__flow_made(&self->base.flow, self->started != NULL, error);
}

/* ---- Waiting ---- */

static void wait_step(lcowmig__flow *flow)
{
	lcowmig_container *container = ((lcowmig__container_flow *)flow)->container;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__signal_wait(flow, &container->terminated));
	FLOW_END(flow);
}

static const lcowmig__flow_class wait_class = { .name = "wait", .step = wait_step, .is_watch = true };

lcowmig__flow *lcowmig__container_wait_flow(lcowmig_container *container, lcowmig_error *error)
{
	return lcowmig__container_flow_new(container, sizeof(lcowmig__container_flow), &wait_class, error);
}

/* ---- Questions ---- */

const char *lcowmig__container_id(const lcowmig_container *container)
{
	return container->id;
}

const char *lcowmig__container_guest_id(const lcowmig_container *container)
{
	return container->gcs_id;
}

bool lcowmig__container_has_ended(const lcowmig_container *container)
{
	return container->object.state == CONTAINER_STOPPED || container->object.state == CONTAINER_INVALID;
}

lcowmig_process *lcowmig__container_init(const lcowmig_container *container)
{
	return container->init;
}

lcowmig__node *lcowmig__container_node(lcowmig_container *container)
{
	return &container->node;
}

lcowmig_container *lcowmig__container_of_node(lcowmig__node *node)
{
	return LCOWMIG__TREE_ENTRY(node, lcowmig_container, node);
}

lcowmig_status lcowmig__container_check_idle(const lcowmig_container *container, lcowmig_error *error)
{
	lcowmig_status status = lcowmig__object_check_idle(&container->object, error);
	lcowmig__node *node;

	for (node = lcowmig__tree_first(&container->processes); node && status == LCOWMIG_OK; node = lcowmig__tree_next(node))
		status = lcowmig__process_check_idle(lcowmig__process_of_node(node), error);
	return status;
}
