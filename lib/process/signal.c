/* What is done to a running process: signals, its console, the end of its input. */
#include "guest/guest.h"
#include "process_private.h"

/* Linux's own numbers: every one from 1 to here is a signal. */
#define SIGNAL_LAST 31u
#define SIGNAL_KILL 9u
#define SIGNAL_TERM 15u

lcowmig_status lcowmig__process_check_signal(const lcowmig__env *env, uint32_t signal, uint32_t *ret_signal, lcowmig_error *error)
{
	if (!signal || signal > SIGNAL_LAST)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "signal %lu is no Linux signal, expected 1 to %u",
				     (unsigned long)signal, SIGNAL_LAST);
	if (!env->guest_supports_signals && signal != SIGNAL_KILL && signal != SIGNAL_TERM)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "signal %lu: this guest takes no signals, expected TERM (15) or KILL (9)", (unsigned long)signal);
	*ret_signal = env->guest_supports_signals ? signal : 0;
	return LCOWMIG_OK;
}

/* ---- Kill ---- */

struct process_kill {
	lcowmig__process_flow base;
	uint32_t signal; /* 0: plain kill */
};

/* A process that has exited meanwhile is as dead as was asked for; one that the guest does not know got nothing. */
static lcowmig_status kill_answered(struct process_kill *self)
{
	lcowmig__flow *flow = &self->base.flow;

	if (flow->result == LCOWMIG_OK)
		return LCOWMIG_OK;
	if (flow->error->hresult == LCOWMIG__HR_ELEMENT_NOT_FOUND)
		return lcowmig__wrap(flow->error, LCOWMIG_E_NOT_FOUND, "process %s: the signal was not delivered",
				     self->base.process->name);
	if (lcowmig__hresult_is_already_stopped(flow->error->hresult))
		return LCOWMIG_OK;
	return lcowmig__wrap(flow->error, flow->result, "process %s could not be signalled", self->base.process->name);
}

static void kill_step(lcowmig__flow *flow)
{
	struct process_kill *self = (struct process_kill *)flow;
	lcowmig_process *process = self->base.process;
	int state;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &process->gate, PROCESS_KILL));
	state = process->object.state;
	lcowmig__object_fire(&process->object, PROCESS_KILL);
	if (state == PROCESS_NOT_CREATED || state == PROCESS_CREATED)
		lcowmig__process_end_now(process, PROCESS_EXIT_STATUS_NOT_STARTED);
	if (state != PROCESS_RUNNING || process->has_answer)
		FLOW_RETURN(flow, LCOWMIG_OK);
	FLOW_AWAIT(flow, lcowmig__guest_signal_process(flow, process->env, process->gcs_container_id, process->pid, self->signal));
	FLOW_RETURN(flow, kill_answered(self));
	FLOW_END(flow);
}

static const lcowmig__flow_class kill_class = { .name = "kill", .step = kill_step };

lcowmig__flow *lcowmig__process_kill_flow(lcowmig_process *process, uint32_t signal, lcowmig_error *error)
{
	struct process_kill *self = lcowmig__process_flow_new(process, sizeof *self, &kill_class, error);

	if (!self)
		return NULL;
	self->signal = signal;
	return &self->base.flow;
}

/* ---- Console ---- */

struct process_resize {
	lcowmig__process_flow base;
	uint16_t width;
	uint16_t height;
};

static void resize_step(lcowmig__flow *flow)
{
	struct process_resize *self = (struct process_resize *)flow;
	lcowmig_process *process = self->base.process;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter_for(flow, &process->gate, PROCESS_RESIZE));
	if (!process->io.terminal)
		FLOW_RETURN(flow, lcowmig__fail(flow->error, LCOWMIG_E_FAILED_PRECONDITION,
						"process %s is Running and has no terminal; ResizeConsole needs one", process->name));
	FLOW_TRY(flow,
		 lcowmig__guest_resize_console(flow, process->env, process->gcs_container_id, process->pid, self->width, self->height));
	FLOW_END(flow);
}

static const lcowmig__flow_class resize_class = { .name = "resize", .step = resize_step };

lcowmig__flow *lcowmig__process_resize_flow(lcowmig_process *process, uint16_t width, uint16_t height, lcowmig_error *error)
{
	struct process_resize *self = lcowmig__process_flow_new(process, sizeof *self, &resize_class, error);

	if (!self)
		return NULL;
	self->width = width;
	self->height = height;
	return &self->base.flow;
}

/* ---- Input ---- */

static void close_stdin_step(lcowmig__flow *flow)
{
	lcowmig_process *process = ((lcowmig__process_flow *)flow)->process;

	FLOW_BEGIN(flow);
	FLOW_TRY(flow, lcowmig__gate_enter(flow, &process->io_gate));
	if (process->io.handle)
		FLOW_AWAIT(flow, lcowmig__stdio_close_stdin(flow, process->env, process->io.handle));
	lcowmig__process_io_leave(flow, process);
	FLOW_RETURN(flow, flow->result);
	FLOW_END(flow);
}

static const lcowmig__flow_class close_stdin_class = { .name = "close stdin", .step = close_stdin_step };

lcowmig__flow *lcowmig__process_close_stdin_flow(lcowmig_process *process, lcowmig_error *error)
{
	return lcowmig__process_flow_new(process, sizeof(lcowmig__process_flow), &close_stdin_class, error);
}
