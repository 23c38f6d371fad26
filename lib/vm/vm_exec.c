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
	lcowmig_vm *vm;
	char **arguments;
	size_t n_arguments;
	char *texts[4]; /* working directory, stdin, stdout, stderr */
	bool terminal;
	void *stdio; /* closed by the spare */
	lcowmig_call *spare;
	uint32_t ports[3];
	uint32_t pid;
	int32_t exit_code;
	int32_t *ret_exit_code;
	lcowmig_status status;
	lcowmig_error why;
};

static void vm_exec_release(lcowmig__flow *flow)
{
	struct vm_exec *self = (struct vm_exec *)flow;
	const lcowmig__mem *mem = lcowmig__vm_mem(self->vm);
	size_t i;

	for (i = 0; i < self->n_arguments; i++)
		lcowmig__free(mem, self->arguments[i]);
	lcowmig__free(mem, self->arguments);
	for (i = 0; i < LCOWMIG__COUNT(self->texts); i++)
		lcowmig__free(mem, self->texts[i]);
	lcowmig__call_spare_free(self->spare);
}

static bool exec_has_stream(const struct vm_exec *self, size_t stream)
{
	return self->texts[1 + stream][0] != '\0';
}

static bool exec_has_stdio(const struct vm_exec *self)
{
	return exec_has_stream(self, 0) || exec_has_stream(self, 1) || exec_has_stream(self, 2);
}

static void exec_open(struct vm_exec *self)
{
	lcowmig_stdio_config config = { .size = sizeof config };

	if (!exec_has_stdio(self))
		return;
	config.container_id = self->vm->env->vm_id;
	config.exec_id = "";
	config.stdin_path = self->texts[1];
	config.stdout_path = self->texts[2];
	config.stderr_path = self->texts[3];
	config.terminal = self->terminal;
	lcowmig__stdio_open(&self->flow, self->vm->env, &config);
}

static void exec_allocate(struct vm_exec *self)
{
	bool wanted[3] = { exec_has_stream(self, 0), exec_has_stream(self, 1), exec_has_stream(self, 2) };

	if (exec_has_stdio(self))
		lcowmig__guest_allocate_ports(&self->flow, self->vm->env, wanted, self->ports);
}

static void exec_attach(struct vm_exec *self)
{
	if (self->stdio)
		lcowmig__stdio_attach(&self->flow, self->vm->env, self->stdio, self->ports);
}

static void exec_execute(struct vm_exec *self)
{
	lcowmig__guest_process process = { .container_id = LCOWMIG__NULL_GUID };

	memcpy(process.ports, self->ports, sizeof process.ports);
	process.arguments = (const char *const *)self->arguments;
	process.n_arguments = self->n_arguments;
	process.working_directory = self->texts[0];
	process.emulate_console = self->terminal;
	lcowmig__guest_execute_process(&self->flow, self->vm->env, &process);
}

static void exec_finish(struct vm_exec *self, lcowmig_status status)
{
	self->vm->execs--;
	if (self->stdio) {
		lcowmig__post_stdio_close(self->spare, self->stdio);
		self->spare = NULL;
	}
	*self->ret_exit_code = status == LCOWMIG_OK ? self->exit_code : -1;
	lcowmig__vm_finish(&self->flow, status, &self->why);
}

static void exec_keep_failure(struct vm_exec *self)
{
	self->status = self->flow.result;
	lcowmig__error_copy(&self->why, self->flow.error);
}

static void exec_read_exit(struct vm_exec *self)
{
	uint32_t code = 0;

	exec_keep_failure(self);
	if (self->status == LCOWMIG_OK)
		self->status = lcowmig__guest_reply_exit_code(&self->flow, &code, &self->why);
	self->exit_code = (int32_t)code;
}

static void vm_exec_step(lcowmig__flow *flow)
{
	struct vm_exec *self = (struct vm_exec *)flow;
	lcowmig__env *env = self->vm->env;

	FLOW_BEGIN(flow);
	self->vm->execs++;
	FLOW_TRY_OR(flow, exec_open(self), failed);
	self->stdio = lcowmig__flow_take_handle(flow);
	FLOW_TRY_OR(flow, exec_allocate(self), failed);
	FLOW_TRY_OR(flow, exec_attach(self), failed);
	FLOW_TRY_OR(flow, exec_execute(self), failed);
	self->status = lcowmig__guest_reply_process_id(flow, &self->pid, &self->why);
	if (self->status == LCOWMIG_OK) {
		FLOW_AWAIT(flow, lcowmig__guest_wait_process(flow, env, LCOWMIG__NULL_GUID, self->pid, LCOWMIG__GUEST_WAIT_FOREVER));
		exec_read_exit(self);
		lcowmig__flow_set_deadline(flow, self->status == LCOWMIG_OK ? DRAIN_TIME : KILL_TIME);
		if (self->status == LCOWMIG_OK)
			FLOW_AWAIT(flow, lcowmig__stdio_drain(flow, env, self->stdio));
		else /* nobody will wait for it any more */
			FLOW_AWAIT(flow, lcowmig__guest_signal_process(flow, env, LCOWMIG__NULL_GUID, self->pid, 0));
	}
	exec_finish(self, self->status);
	return;
failed:
	exec_keep_failure(self);
	exec_finish(self, self->status);
	return;
	FLOW_END(flow);
}

static const lcowmig__flow_class vm_exec_class = { "exec into the virtual machine", vm_exec_step, vm_exec_release, false };

static bool exec_copy(struct vm_exec *self, const lcowmig_vm_exec *exec)
{
	const char *const texts[4] = { exec->working_directory ? exec->working_directory : "/", exec->stdin_path, exec->stdout_path,
				       exec->stderr_path };
	const lcowmig__mem *mem = lcowmig__vm_mem(self->vm);
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(texts); i++) {
		self->texts[i] = lcowmig__strdup(mem, texts[i] ? texts[i] : "");
		if (!self->texts[i])
			return false;
	}
	self->arguments = lcowmig__alloc_array(mem, exec->n_arguments, sizeof *self->arguments);
	if (!self->arguments)
		return false;
	for (; self->n_arguments < exec->n_arguments; self->n_arguments++) {
		self->arguments[self->n_arguments] = lcowmig__strdup(mem, exec->arguments[self->n_arguments]);
		if (!self->arguments[self->n_arguments])
			return false;
	}
	self->spare = lcowmig__call_spare(self->vm->env);
	return self->spare != NULL;
}

lcowmig__flow *lcowmig__vm_exec_flow(lcowmig_vm *vm, const lcowmig_vm_exec *exec, int32_t *ret_exit_code, lcowmig_error *error)
{
	struct vm_exec *self = lcowmig__vm_flow(vm, sizeof *self, &vm_exec_class, error);

	if (!self)
		return NULL;
	self->vm = vm;
	self->ret_exit_code = ret_exit_code;
	self->terminal = exec->terminal != 0;
	lcowmig__error_init(&self->why);
	if (exec_copy(self, exec))
		return &self->flow;
	lcowmig__flow_discard(&self->flow);
	lcowmig__fail_memory(error);
	return NULL;
}
