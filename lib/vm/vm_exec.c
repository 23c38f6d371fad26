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
	const char **arguments;
	size_t n_arguments;
	const char *texts[4]; /* working directory, stdin, stdout, stderr */
	bool wanted[3];       /* which of the streams */
	bool has_stdio;       /* any of them */
	bool terminal;
	void *stdio; /* closed by the spare */
	lcowmig_call *spare;
	uint32_t ports[3];
	uint32_t pid;
	uint32_t exit_code;
	int32_t *ret_exit_code;
};

static void exec_open(struct vm_exec *self)
{
	const lcowmig__env *env = lcowmig__vm_of(&self->flow)->env;
	lcowmig_stdio_config config = { .size = sizeof config };

	if (!self->has_stdio)
		return;
	config.container_id = env->vm_id;
	config.exec_id = "";
	config.stdin_path = self->texts[1];
	config.stdout_path = self->texts[2];
	config.stderr_path = self->texts[3];
	config.terminal = self->terminal;
	lcowmig__stdio_open(&self->flow, env, &config);
}

static void exec_allocate(struct vm_exec *self)
{
	if (self->has_stdio)
		lcowmig__guest_allocate_ports(&self->flow, lcowmig__vm_of(&self->flow)->env, self->wanted, self->ports);
}

static void exec_attach(struct vm_exec *self)
{
	if (self->stdio)
		lcowmig__stdio_attach(&self->flow, lcowmig__vm_of(&self->flow)->env, self->stdio, self->ports);
}

static void exec_execute(struct vm_exec *self)
{
	lcowmig__guest_process process = { .container_id = LCOWMIG__NULL_GUID };

	memcpy(process.ports, self->ports, sizeof process.ports);
	process.arguments = self->arguments;
	process.n_arguments = self->n_arguments;
	process.working_directory = self->texts[0];
	process.emulate_console = self->terminal;
	lcowmig__guest_execute_process(&self->flow, lcowmig__vm_of(&self->flow)->env, &process);
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
	FLOW_TRY(flow, exec_open(self));
	self->stdio = lcowmig__flow_take_handle(flow);
	FLOW_TRY(flow, exec_allocate(self));
	FLOW_TRY(flow, exec_attach(self));
	FLOW_TRY(flow, exec_execute(self));
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

static void exec_copy(struct vm_exec *self, const lcowmig_vm_exec *exec)
{
	const char *const texts[4] = { exec->working_directory ? exec->working_directory : "/", exec->stdin_path, exec->stdout_path,
				       exec->stderr_path };
	lcowmig__flow *flow = &self->flow;
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(texts); i++)
		self->texts[i] = lcowmig__flow_text(flow, texts[i] ? texts[i] : "");
	for (i = 0; i < LCOWMIG__COUNT(self->wanted); i++) {
		self->wanted[i] = !lcowmig__text_is_empty(texts[1 + i]);
		self->has_stdio |= self->wanted[i];
	}
	self->arguments = lcowmig__flow_alloc(flow, exec->n_arguments * sizeof *self->arguments);
	for (i = 0; self->arguments && i < exec->n_arguments; i++)
		self->arguments[i] = lcowmig__flow_text(flow, exec->arguments[i]);
	self->n_arguments = exec->n_arguments;
	self->terminal = exec->terminal != 0;
}

lcowmig__flow *lcowmig__vm_exec_flow(lcowmig_vm *vm, const lcowmig_vm_exec *exec, int32_t *ret_exit_code, lcowmig_error *error)
{
	struct vm_exec *self = lcowmig__vm_flow(vm, sizeof *self, &vm_exec_class, error);

	if (!self)
		return NULL;
	vm->execs++; /* until the release */
	self->ret_exit_code = ret_exit_code;
	self->spare = lcowmig__call_spare(vm->env);
	exec_copy(self, exec);
	return lcowmig__flow_made(&self->flow, self->spare != NULL, error);
}
