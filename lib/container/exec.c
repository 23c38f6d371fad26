/* A container's processes: further ones come in, all are signalled, each is deleted. */
#include <string.h>

#include "container_private.h"

/* ---- New ones ---- */

lcowmig_status lcowmig__container_new_process(lcowmig_container *container, const char *exec_id, lcowmig_process **ret_process,
					      lcowmig_error *error)
{
	lcowmig_status status = lcowmig__container_check_id(container->env, "exec", exec_id, error);

	if (status == LCOWMIG_OK)
		status = lcowmig__object_check(&container->object, CONTAINER_NEW_PROCESS, error);
	if (status != LCOWMIG_OK)
		return status;
	if (lcowmig__tree_find(&container->processes, exec_id))
		return lcowmig__fail(error, LCOWMIG_E_ALREADY_EXISTS, "container %s has a process %s already; expected a new exec id",
				     container->id, exec_id);
	status = lcowmig__container_make_process(container, exec_id, ret_process, error);
	if (status == LCOWMIG_OK)
		lcowmig__object_fire(&container->object, CONTAINER_NEW_PROCESS);
	return status;
}

struct container_exec {
	lcowmig__container_flow base;
	const char *exec_id;
	lcowmig_process_options options;
	lcowmig_process *process;
	lcowmig_process **ret_process;
};

static void exec_create(struct container_exec *self)
{
	lcowmig__flow_child(&self->base.flow, lcowmig__process_create_flow(self->process, &self->options, NULL));
}

static void exec_step(lcowmig__flow *flow)
{
	struct container_exec *self = (struct container_exec *)flow;
	lcowmig_container *container = self->base.container;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &container->gate));
	FLOW_CHECK(flow, lcowmig__container_new_process(container, self->exec_id, &self->process, flow->error));
	FLOW_AWAIT(flow, exec_create(self));
	if (flow->result == LCOWMIG_OK) {
		if (self->ret_process)
			*self->ret_process = self->process;
	} else if (lcowmig__process_check_idle(self->process, NULL) == LCOWMIG_OK) {
		lcowmig__container_drop_process(container, self->process);
	}
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class exec_class = { .name = "exec", .step = exec_step };

lcowmig__flow *lcowmig__container_exec_flow(lcowmig_container *container, const char *exec_id, const lcowmig_process_options *options,
					    lcowmig_process **ret_process, lcowmig_error *error)
{
	struct container_exec *self = lcowmig__container_flow_new(container, sizeof *self, &exec_class, error);
	lcowmig__flow *flow;

	if (!self)
		return NULL;
	flow = &self->base.flow;
	self->options = *options;
	lcowmig__container_keep_stdio(flow, &self->options);
	self->options.process_spec = lcowmig__flow_text(flow, options->process_spec);
	self->exec_id = lcowmig__flow_text(flow, exec_id);
	self->ret_process = ret_process;
	return lcowmig__flow_made(flow, true, error);
}

/* ---- Kill ---- */

struct container_kill {
	lcowmig__container_flow base;
	const char *exec_id;
	uint32_t signal; /* as the guest takes it, once it was checked */
	bool all;
};

static lcowmig_status kill_check(struct container_kill *self, lcowmig_error *error)
{
	lcowmig_container *container = self->base.container;
	lcowmig_status status;

	if (self->all && self->exec_id[0])
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "container %s is %s; a kill of all processes cannot name exec %s", container->id,
				     lcowmig__object_state_name(&container->object), self->exec_id);
	status = lcowmig__object_check(&container->object, CONTAINER_KILL, error);
	if (status != LCOWMIG_OK || lcowmig__container_has_ended(container))
		return status;
	return lcowmig__process_check_signal(container->env, self->signal, &self->signal, error);
}

static void kill_execs(struct container_kill *self)
{
	lcowmig_container *container = self->base.container;
	lcowmig__node *node;

	for (node = lcowmig__tree_first(&container->processes); node; node = lcowmig__tree_next(node)) {
		lcowmig_process *process = lcowmig__process_of_node(node);

		if (process != container->init)
			lcowmig__flow_child(&self->base.flow, lcowmig__process_kill_flow(process, self->signal, NULL));
	}
}

static void kill_step(lcowmig__flow *flow)
{
	struct container_kill *self = (struct container_kill *)flow;
	lcowmig_container *container = self->base.container;
	lcowmig_process *process;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &container->gate));
	FLOW_CHECK(flow, kill_check(self, flow->error));
	if (lcowmig__container_has_ended(container))
		FLOW_RETURN(flow, LCOWMIG_OK);
	if (!self->exec_id[0]) {
		FLOW_AWAIT(flow, kill_execs(self));
		if (flow->result != LCOWMIG_OK)
			lcowmig__log(flow->context, LCOWMIG_LOG_WARNING, "container %s: an exec was not signalled: %s", container->id,
				     flow->error->message);
	}
	FLOW_CHECK(flow, lcowmig__container_get_process(container, self->exec_id, &process, flow->error));
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__process_kill_flow(process, self->signal, NULL)));
	FLOW_END(flow);
}

static const lcowmig__flow_class kill_class = { .name = "kill", .step = kill_step };

lcowmig__flow *lcowmig__container_kill_flow(lcowmig_container *container, const char *exec_id, uint32_t signal, bool all,
					    lcowmig_error *error)
{
	struct container_kill *self = lcowmig__container_flow_new(container, sizeof *self, &kill_class, error);

	if (!self)
		return NULL;
	self->exec_id = lcowmig__flow_text(&self->base.flow, exec_id ? exec_id : "");
	self->signal = signal;
	self->all = all;
	return lcowmig__flow_made(&self->base.flow, true, error);
}

/* ---- Delete ---- */

struct container_delete {
	lcowmig__container_flow base;
	const char *exec_id;
	lcowmig_process *process;
	lcowmig_exit *ret_exit;
	lcowmig_event *deleted; /* TASK_DELETE */
};

/* Before the gate: what ends the container may need it. */
static bool delete_must_wait(const struct container_delete *self)
{
	int state = self->base.container->object.state;

	return !self->exec_id[0] && (state == CONTAINER_RUNNING || state == CONTAINER_STOPPED);
}

static lcowmig_status delete_waited(struct container_delete *self)
{
	const lcowmig_container *container = self->base.container;
	lcowmig__flow *flow = &self->base.flow;

	lcowmig__flow_clear_deadline(flow);
	if (flow->result == LCOWMIG_E_TIMED_OUT)
		return lcowmig__fail(flow->error, LCOWMIG_E_TIMED_OUT,
				     "container %s is %s; DeleteProcess of its init process waited 30 s for its end", container->id,
				     lcowmig__object_state_name(&container->object));
	return flow->result;
}

static void delete_commit(struct container_delete *self)
{
	lcowmig_container *container = self->base.container;

	lcowmig__process_tell_exit(self->process, self->deleted);
	if (self->ret_exit)
		lcowmig__process_fill_exit(self->process, self->ret_exit);
	if (!self->exec_id[0])
		lcowmig__signal_set(&container->terminated); /* of a container that was never started too */
	lcowmig__object_fire(&container->object, CONTAINER_DELETE);
	lcowmig__container_drop_process(container, self->process);
	lcowmig__event_send(self->deleted);
	self->deleted = NULL;
}

static void delete_step(lcowmig__flow *flow)
{
	struct container_delete *self = (struct container_delete *)flow;
	lcowmig_container *container = self->base.container;

	FLOW_BEGIN(flow);
	if (delete_must_wait(self)) {
		lcowmig__flow_set_deadline(flow, CONTAINER_DELETE_WAIT_NS);
		FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &container->terminated));
		FLOW_CHECK(flow, delete_waited(self));
	}
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &container->gate, CONTAINER_DELETE));
	/* What a failed creation could not give back, whether or not it got as far as an init process. */
	if (container->object.state == CONTAINER_INVALID && !self->exec_id[0])
		FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__container_release_flow(container, NULL)));
	FLOW_CHECK(flow, lcowmig__container_get_process(container, self->exec_id, &self->process, flow->error));
	FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__process_delete_flow(self->process, NULL)));
	if (!self->exec_id[0]) {
		FLOW_TRY(flow, lcowmig__flow_child(flow, lcowmig__container_release_flow(container, NULL)));
		FLOW_TRY(flow, lcowmig__container_close_guest(flow, container));
		container->guest_is_open = false;
	}
	FLOW_CHECK(flow, lcowmig__process_check_idle(self->process, flow->error));
	delete_commit(self);
	FLOW_END(flow);
}

static void delete_release(lcowmig__flow *flow)
{
	lcowmig__event_free(((struct container_delete *)flow)->deleted);
}

static const lcowmig__flow_class delete_class = { .name = "delete", .step = delete_step, .release = delete_release };

lcowmig__flow *lcowmig__container_delete_flow(lcowmig_container *container, const char *exec_id, lcowmig_exit *ret_exit,
					      lcowmig_error *error)
{
	struct container_delete *self = lcowmig__container_flow_new(container, sizeof *self, &delete_class, error);

	if (!self)
		return NULL;
	self->exec_id = lcowmig__flow_text(&self->base.flow, exec_id ? exec_id : "");
	self->ret_exit = ret_exit;
	self->deleted = lcowmig__event_new(container->env, LCOWMIG_EVENT_TASK_DELETE, container->id, exec_id, error);
	return lcowmig__flow_made(&self->base.flow, self->deleted != NULL, error);
}
