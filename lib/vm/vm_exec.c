/*
 * A diagnostic process in the utility VM itself.
 *
 *     stdio open -> ports -> attach -> execute -> wait -> drain -> stdio close
 *
 * While there is one the machine is not exported: its streams and its exit would be lost.
 */
#include "private.h"

#include "guest/guest.h"

#define DRAIN_TIME LCOWMIG__SECOND
#define KILL_TIME (5 * LCOWMIG__SECOND)

struct vm_exec {
	lcowmig__flow flow;
	lcowmig_stdio_config config;
	lcowmig__guest_process process;
	bool wanted[3]; /* which of the streams */
	bool has_stdio; /* any of them */
	void *stdio;    /* closed by the spare */
	lcowmig_call *spare;
	uint32_t pid;
	uint32_t exit_code;
	int32_t *ret_exit_code;
};

static void exec_open(struct vm_exec *self, const lcowmig__env *env)
{
	if (self->has_stdio)
		lcowmig__stdio_open(&self->flow, env, &self->config);
}

static void exec_allocate(struct vm_exec *self, const lcowmig__env *env)
{
	if (self->has_stdio)
		lcowmig__guest_allocate_ports(&self->flow, env, self->wanted, self->process.ports);
}

static void exec_attach(struct vm_exec *self, const lcowmig__env *env)
{
	if (self->stdio)
		lcowmig__stdio_attach(&self->flow, env, self->stdio, self->process.ports);
}

static lcowmig_status exec_read_exit(struct vm_exec *self)
{
	lcowmig__flow *flow = &self->flow;

	return flow->result == LCOWMIG_OK ? lcowmig__guest_reply_exit_code(flow, &self->exit_code, flow->error) : flow->result;
}

static void vm_exec_step(lcowmig__flow *flow)
{
	struct vm_exec *self = (struct vm_exec *)flow;
	const lcowmig__env *env = lcowmig__vm_of(flow)->env;

	FLOW_BEGIN(flow);
	*self->ret_exit_code = -1;
	FLOW_TRY(flow, exec_open(self, env));
	self->stdio = lcowmig__flow_take_handle(flow);
	FLOW_TRY(flow, exec_allocate(self, env));
	FLOW_TRY(flow, exec_attach(self, env));
	FLOW_TRY(flow, lcowmig__guest_execute_process(flow, env, &self->process));
	FLOW_CHECK(flow, lcowmig__guest_reply_process_id(flow, &self->pid, flow->error));
	FLOW_AWAIT(flow, lcowmig__guest_wait_process(flow, env, LCOWMIG__NULL_GUID, self->pid, LCOWMIG__GUEST_WAIT_FOREVER));
	flow->failure = exec_read_exit(self);
	if (flow->failure == LCOWMIG_OK) {
		lcowmig__flow_set_deadline(flow, DRAIN_TIME);
		FLOW_AWAIT(flow, lcowmig__stdio_drain(flow, env, self->stdio));
		*self->ret_exit_code = (int32_t)self->exit_code;
	} else { /* nobody will wait for it any more */
		lcowmig__flow_set_deadline(flow, KILL_TIME);
		FLOW_AWAIT(flow, lcowmig__guest_signal_process(flow, env, LCOWMIG__NULL_GUID, self->pid, 0));
	}
	FLOW_RETURN(flow, flow->failure);
	FLOW_END(flow);
}

static void vm_exec_release(lcowmig__flow *flow)
{
	struct vm_exec *self = (struct vm_exec *)flow;

	lcowmig__vm_of(flow)->execs--;
	if (self->stdio)
		lcowmig__post_stdio_close(self->spare, self->stdio);
	else
		lcowmig__call_spare_free(self->spare);
}

static const lcowmig__flow_class vm_exec_class = {
	.name = "exec into the virtual machine",
	.step = vm_exec_step,
	.release = vm_exec_release,
};

static const char *exec_path(struct vm_exec *self, size_t stream, const char *path)
{
	self->wanted[stream] = !lcowmig__text_is_empty(path);
	self->has_stdio |= self->wanted[stream];
	return lcowmig__flow_text(&self->flow, path ? path : "");
}

static const char *const *exec_arguments(lcowmig__flow *flow, const lcowmig_vm_exec *exec)
{
	const char **arguments = lcowmig__flow_alloc(flow, exec->n_arguments * sizeof *arguments);
	size_t i;

	for (i = 0; arguments && i < exec->n_arguments; i++)
		arguments[i] = lcowmig__flow_text(flow, exec->arguments[i]);
	return arguments;
}

lcowmig__flow *lcowmig__vm_exec_flow(lcowmig_vm *vm, const lcowmig_vm_exec *exec, int32_t *ret_exit_code, lcowmig_error *error)
{
	struct vm_exec *self = lcowmig__vm_flow(vm, sizeof *self, &vm_exec_class, error);
	lcowmig__flow *flow;

	if (!self)
		return NULL;
	flow = &self->flow;
	vm->execs++; /* until the release */
	self->ret_exit_code = ret_exit_code;
	self->spare = lcowmig__call_spare(vm->env);
	self->config.size = sizeof self->config;
	self->config.container_id = lcowmig__flow_text(flow, vm->env->vm_id);
	self->config.exec_id = "";
	self->config.stdin_path = exec_path(self, 0, exec->stdin_path);
	self->config.stdout_path = exec_path(self, 1, exec->stdout_path);
	self->config.stderr_path = exec_path(self, 2, exec->stderr_path);
	self->config.terminal = exec->terminal != 0;
	self->process.container_id = LCOWMIG__NULL_GUID;
	self->process.arguments = exec_arguments(flow, exec);
	self->process.n_arguments = exec->n_arguments;
	self->process.working_directory = lcowmig__flow_text(flow, exec->working_directory ? exec->working_directory : "/");
	self->process.emulate_console = exec->terminal != 0;
	return lcowmig__flow_made(flow, self->spare != NULL, error);
}
