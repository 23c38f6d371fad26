/*
 * How a process ends, and how that is noticed:
 *
 *     watch ---- the guest's answer to the endless wait (own or adopted) ----+
 *     probe ---- the guest's answer to a wait of 50 ms, after a resume ------+--> exit: drain, Terminated, close, signal, owner, event
 *
 * Whichever answers first counts, the other is ignored. An answer that comes before the process is Running is kept until it is. Everything
 * that the exit needs was made before, so none is lost for want of memory.
 */
#include "guest/guest.h"
#include "process_private.h"

/* ---- The exit ---- */

struct process_exit {
	lcowmig__process_watch base;
	const lcowmig__env *env;
	void *handle; /* taken over from the process */
	lcowmig_call *closer;
};

static void exit_take_io(struct process_exit *self)
{
	lcowmig__process_io *io = &self->base.process->io;

	self->handle = io->handle;
	self->closer = io->closer;
	io->handle = NULL;
	io->closer = NULL;
}

static void exit_announce(lcowmig_process *process)
{
	lcowmig_event *event = process->exit_event;

	lcowmig__signal_set(&process->exited);
	if (process->owner.exited)
		process->owner.exited(process->owner.user, process);
	if (!event)
		return;
	process->exit_event = NULL;
	event->pid = process->pid;
	event->exit_status = process->exit_status;
	event->exited_at = process->exited_at;
	lcowmig__event_send(event);
}

static void exit_step(lcowmig__flow *flow)
{
	struct process_exit *self = (struct process_exit *)flow;
	lcowmig_process *process = self->base.process;

	FLOW_BEGIN(flow);
	FLOW_AWAIT(flow, lcowmig__gate_enter(flow, &process->io_gate));
	exit_take_io(self);
	lcowmig__process_io_leave(flow, process);
	lcowmig__flow_set_deadline(flow, PROCESS_DRAIN_NS);
	FLOW_AWAIT(flow, lcowmig__stdio_drain(flow, self->env, self->handle));
	lcowmig__flow_clear_deadline(flow);
	lcowmig__flow_shield(flow, true);
	if (process)
		lcowmig__object_fire(&process->object, PROCESS_EXIT);
	FLOW_AWAIT(flow, lcowmig__await_stdio_close(flow, self->closer, self->handle));
	if (process)
		exit_announce(process);
	FLOW_END(flow);
}

static const lcowmig__flow_class exit_class = { .name = "exit", .step = exit_step, .is_watch = true };

/*
 * An exit has taken the stdio handle over and goes on alone until that is closed: only operations keep it waiting before, and a process
 * with one in flight is not freed. Everything else ends at once, and leaves the queues that are about to vanish.
 */
void lcowmig__process_orphan_watches(lcowmig_process *process)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH(node, following, &process->object.flows)
	{
		lcowmig__flow *flow = LCOWMIG__LIST_ENTRY(node, lcowmig__flow, on_object);

		lcowmig__list_remove(&flow->on_object);
		((lcowmig__process_watch *)flow)->process = NULL;
		if (flow->class != &exit_class)
			lcowmig__flow_interrupt(flow, LCOWMIG_E_CANCELLED, "lost its process");
	}
}

lcowmig_status lcowmig__process_prepare_exit(lcowmig_process *process, lcowmig_error *error)
{
	struct process_exit *self;

	if (!process->exit_flow) {
		self = lcowmig__process_watch_new(process, sizeof *self, &exit_class, error);
		if (!self)
			return LCOWMIG_E_NO_MEMORY;
		self->env = process->env;
		process->exit_flow = &self->base.flow;
	}
	if (process->exec_id[0] && !process->exit_event)
		process->exit_event =
			lcowmig__event_new(process->env, LCOWMIG_EVENT_TASK_EXIT, process->container_id, process->exec_id, error);
	return !process->exec_id[0] || process->exit_event ? LCOWMIG_OK : LCOWMIG_E_NO_MEMORY;
}

static void exit_begin(lcowmig_process *process)
{
	lcowmig__flow *flow = process->exit_flow;

	process->exit_flow = NULL;
	process->is_ending = true;
	lcowmig__flow_background(flow);
}

/* The first answer counts. */
static void exit_answered(lcowmig_process *process, uint32_t exit_status)
{
	if (process->has_answer)
		return;
	process->has_answer = true;
	process->exit_status = exit_status;
	process->exited_at = lcowmig__wall_clock(process->env->context);
	if (process->object.state == PROCESS_RUNNING || process->object.state == PROCESS_SOURCE_MIGRATING)
		exit_begin(process);
}

void lcowmig__process_settle(lcowmig_process *process, lcowmig__flow *probe)
{
	if (process->has_answer) {
		lcowmig__flow_discard(probe);
		if (!process->is_ending)
			exit_begin(process);
	} else {
		process->is_probing = true;
		lcowmig__flow_background(probe);
	}
}

void lcowmig__process_end_now(lcowmig_process *process, uint32_t exit_status)
{
	process->has_answer = true;
	process->exit_status = exit_status;
	process->exited_at = lcowmig__wall_clock(process->env->context);
	lcowmig__process_io_close(process);
	lcowmig__signal_set(&process->exited);
}

/* ---- The watch ---- */

struct process_wait {
	lcowmig__process_watch base;
	bool adopts;
	bool was_sent;
	lcowmig__signal never; /* to wait for its deadline */
};

static void wait_told_id(lcowmig_call *call, int64_t id)
{
	((lcowmig_process *)call->told_to)->wait_id = id;
}

static void wait_send(struct process_wait *self)
{
	lcowmig_process *process = self->base.process;
	lcowmig__flow *flow = &self->base.flow;
	lcowmig_call *call;

	if (self->adopts && !process->env->has_guest && process->object.state != PROCESS_DESTINATION_MIGRATING) {
		/* Asked again after the guest had gone: only an imported process may wait for a connection that is yet to come. */
		lcowmig__call_refuse(flow, LCOWMIG_E_UNAVAILABLE, "guest adopt wait", "there is no guest connection");
	} else if (self->adopts) {
		lcowmig__guest_adopt(flow, process->env, process->wait_id);
	} else {
		call = lcowmig__guest_wait_process(flow, process->env, process->gcs_container_id, process->pid,
						   LCOWMIG__GUEST_WAIT_FOREVER);
		if (call) {
			call->told_request_id = wait_told_id;
			call->told_to = process;
		}
	}
	self->was_sent = flow->waiting > 0;
}

/* Says whether to ask again. */
static bool wait_answered(struct process_wait *self)
{
	lcowmig_process *process = self->base.process;
	lcowmig__flow *flow = &self->base.flow;
	uint32_t exit_status = LCOWMIG_EXIT_UNKNOWN;
	lcowmig_status status = flow->result;

	if (status == LCOWMIG_OK)
		status = lcowmig__guest_reply_exit_code(flow, &exit_status, NULL);
	if (status == LCOWMIG_E_NO_MEMORY) {
		/* An answer that has come and could not be stored will not come again under its id. */
		self->adopts = self->adopts && !self->was_sent;
		return true;
	}
	if (status == LCOWMIG_E_UNAVAILABLE && process->object.state == PROCESS_DESTINATION_MIGRATING) {
		process->is_adopted = false; /* that connection came to nothing: the next one adopts again */
		return false;
	}
	exit_answered(process, exit_status);
	return false;
}

static void wait_step(lcowmig__flow *flow)
{
	struct process_wait *self = (struct process_wait *)flow;

	FLOW_BEGIN(flow);
	while (self->base.process) {
		FLOW_AWAIT(flow, wait_send(self));
		if (!self->base.process || !wait_answered(self))
			break;
		lcowmig__flow_set_deadline(flow, PROCESS_RETRY_NS);
		FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &self->never));
		lcowmig__flow_clear_deadline(flow);
	}
	FLOW_END(flow);
}

static const lcowmig__flow_class wait_class = { .name = "exit watch", .step = wait_step, .is_watch = true };

lcowmig__flow *lcowmig__process_watch_flow(lcowmig_process *process, bool adopts, lcowmig_error *error)
{
	struct process_wait *self = lcowmig__process_watch_new(process, sizeof *self, &wait_class, error);

	if (!self)
		return NULL;
	self->adopts = adopts;
	lcowmig__signal_init(&self->never);
	return &self->base.flow;
}

/* ---- The probe ---- */

struct process_probe {
	lcowmig__process_watch base;
	lcowmig__signal never; /* to wait for its deadline */
};

/*
 * Only two answers mean an exit; the guest's timeout and everything else leave the word to the watch. Says whether to ask again: silence
 * means nothing, and what the watch waits for may have been said on the source already.
 */
static bool probe_answered(lcowmig_process *process, const lcowmig__flow *flow)
{
	lcowmig_status status = flow->result;
	uint32_t exit_status;

	if (status == LCOWMIG_OK)
		status = lcowmig__guest_reply_exit_code(flow, &exit_status, NULL);
	if (status == LCOWMIG_OK)
		exit_answered(process, exit_status);
	else if (status == LCOWMIG_E_GUEST_FAILED && flow->error->hresult == LCOWMIG__HR_ELEMENT_NOT_FOUND)
		exit_answered(process, LCOWMIG_EXIT_UNKNOWN);
	return status == LCOWMIG_E_TIMED_OUT || status == LCOWMIG_E_NO_MEMORY;
}

static bool probe_is_due(lcowmig_process *process)
{
	if (process && process->object.state == PROCESS_SOURCE_MIGRATING)
		process->probe_wanted = true; /* nobody may be asked now; after a rollback */
	return process && process->object.state == PROCESS_RUNNING && !process->has_answer;
}

static void probe_step(lcowmig__flow *flow)
{
	struct process_probe *self = (struct process_probe *)flow;
	lcowmig_process *process = self->base.process;

	FLOW_BEGIN(flow);
	while (probe_is_due(process)) {
		lcowmig__flow_set_deadline(flow, PROCESS_PROBE_NS);
		FLOW_AWAIT(flow,
			   lcowmig__guest_wait_process(flow, process->env, process->gcs_container_id, process->pid, PROCESS_PROBE_MS));
		if (!process || !probe_answered(process, flow))
			break;
		lcowmig__flow_set_deadline(flow, PROCESS_RETRY_NS);
		FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &self->never));
		lcowmig__flow_clear_deadline(flow);
	}
	if (process)
		process->is_probing = false;
	FLOW_END(flow);
}

static const lcowmig__flow_class probe_class = { .name = "exit probe", .step = probe_step, .is_watch = true };

lcowmig__flow *lcowmig__process_probe_flow(lcowmig_process *process, lcowmig_error *error)
{
	struct process_probe *self = lcowmig__process_watch_new(process, sizeof *self, &probe_class, error);

	if (!self)
		return NULL;
	lcowmig__signal_init(&self->never);
	return &self->base.flow;
}

void lcowmig__process_hint_exit(lcowmig_process *process)
{
	lcowmig__flow *probe;

	if (process->object.state == PROCESS_DESTINATION_MIGRATING || process->object.state == PROCESS_SOURCE_MIGRATING)
		process->probe_wanted = true;
	if (process->object.state != PROCESS_RUNNING || process->has_answer || process->is_probing)
		return;
	probe = lcowmig__process_probe_flow(process, NULL);
	if (probe)
		lcowmig__process_settle(process, probe);
	else
		lcowmig__log(process->env->context, LCOWMIG_LOG_WARNING, "process %s: no memory to ask whether it has exited",
			     process->name);
}
