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
	lcowmig__process_flow base;
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
	lcowmig__process_tell_exit(process, event);
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
		lcowmig__flow *flow = LCOWMIG__FLOW_OF(node, on_object);

		lcowmig__list_remove(&flow->rest->on_object);
		((lcowmig__process_flow *)flow)->process = NULL;
		if (flow->class != &exit_class)
			lcowmig__flow_interrupt(flow, LCOWMIG_E_CANCELLED, "lost its process");
	}
}

lcowmig_status lcowmig__process_prepare_exit(lcowmig_process *process, lcowmig_error *error)
{
	struct process_exit *self;

	if (!process->exit_flow) {
		self = lcowmig__process_flow_new(process, sizeof *self, &exit_class, error);
		if (!self)
			return LCOWMIG_E_NO_MEMORY;
		self->env = process->env;
		process->exit_flow = &self->base.flow;
	}
	if (!process->exit_event &&
	    !lcowmig__process_event_new(process, LCOWMIG_EVENT_TASK_EXIT, process->container_id, &process->exit_event))
		return lcowmig__fail_memory(error);
	return LCOWMIG_OK;
}

static void exit_begin(lcowmig_process *process)
{
	lcowmig__flow *flow = process->exit_flow;

	process->exit_flow = NULL;
	process->is_ending = true;
	lcowmig__flow_background(flow);
}

static void exit_note(lcowmig_process *process, uint32_t exit_status)
{
	process->has_answer = true;
	process->exit_status = exit_status;
	process->exited_at = lcowmig__wall_clock(process->env->context);
}

/* The first answer counts. */
static void exit_answered(lcowmig_process *process, uint32_t exit_status)
{
	if (process->has_answer)
		return;
	exit_note(process, exit_status);
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
	exit_note(process, exit_status);
	lcowmig__process_io_close(process);
	lcowmig__signal_set(&process->exited);
}

/* ---- Asking: the watch and the probe ---- */

struct process_watch {
	lcowmig__process_flow base;
	lcowmig__process_question question;
	bool was_sent;
	lcowmig__signal never; /* to wait for its deadline */
};

static bool watch_is_due(const struct process_watch *self)
{
	lcowmig_process *process = self->base.process;

	if (!process || self->question != PROCESS_PROBES)
		return process != NULL;
	if (process->object.state == PROCESS_SOURCE_MIGRATING)
		process->probe_wanted = true; /* nobody may be asked now; after a rollback */
	return process->object.state == PROCESS_RUNNING && !process->has_answer;
}

static void watch_told_id(lcowmig_call *call, int64_t id)
{
	((lcowmig_process *)call->told_to)->wait_id = id;
}

static void watch_adopt(struct process_watch *self)
{
	lcowmig_process *process = self->base.process;
	lcowmig__flow *flow = &self->base.flow;

	if (process->env->has_guest || process->object.state == PROCESS_DESTINATION_MIGRATING)
		lcowmig__guest_adopt(flow, process->env, process->wait_id);
	else /* Asked again after the guest had gone: only an imported process may wait for a connection that is yet to come. */
		lcowmig__call_refuse(flow, LCOWMIG_E_UNAVAILABLE, "guest adopt wait", "there is no guest connection");
}

static void watch_wait(struct process_watch *self, uint32_t timeout_ms)
{
	lcowmig_process *process = self->base.process;
	lcowmig_call *call;

	call = lcowmig__guest_wait_process(&self->base.flow, process->env, process->gcs_container_id, process->pid, timeout_ms);
	if (!call || self->question == PROCESS_PROBES)
		return;
	call->told_request_id = watch_told_id;
	call->told_to = process;
}

static void watch_ask(struct process_watch *self)
{
	if (self->question == PROCESS_ADOPTS)
		watch_adopt(self);
	else
		watch_wait(self, self->question == PROCESS_PROBES ? PROCESS_PROBE_MS : LCOWMIG__GUEST_WAIT_FOREVER);
	self->was_sent = self->base.flow.waiting > 0;
}

/*
 * Only two answers to a probe mean an exit; the guest's timeout and everything else leave the word to the watch. Says whether to ask again:
 * silence means nothing, and what the watch waits for may have been said on the source already.
 */
static bool watch_probed(lcowmig_process *process, lcowmig_status status, uint32_t hresult, uint32_t exit_status)
{
	if (status == LCOWMIG_OK || (status == LCOWMIG_E_GUEST_FAILED && hresult == LCOWMIG__HR_ELEMENT_NOT_FOUND))
		exit_answered(process, exit_status);
	return status == LCOWMIG_E_TIMED_OUT || status == LCOWMIG_E_NO_MEMORY;
}

/* Says whether to ask again. */
static bool watch_answered(struct process_watch *self)
{
	lcowmig_process *process = self->base.process;
	lcowmig__flow *flow = &self->base.flow;
	uint32_t exit_status = LCOWMIG_EXIT_UNKNOWN;
	lcowmig_status status = flow->result;

	if (status == LCOWMIG_OK)
		status = lcowmig__guest_reply_exit_code(flow, &exit_status, NULL);
	if (self->question == PROCESS_PROBES)
		return watch_probed(process, status, flow->error->hresult, exit_status);
	if (status == LCOWMIG_E_NO_MEMORY) {
		/* An answer that has come and could not be stored will not come again under its id. */
		if (self->was_sent)
			self->question = PROCESS_WAITS;
		return true;
	}
	if (status == LCOWMIG_E_UNAVAILABLE && process->object.state == PROCESS_DESTINATION_MIGRATING)
		process->is_adopted = false; /* that connection came to nothing: the next one adopts again */
	else
		exit_answered(process, exit_status);
	return false;
}

static void watch_step(lcowmig__flow *flow)
{
	struct process_watch *self = (struct process_watch *)flow;

	FLOW_BEGIN(flow);
	while (watch_is_due(self)) {
		if (self->question == PROCESS_PROBES)
			lcowmig__flow_set_deadline(flow, PROCESS_PROBE_NS);
		FLOW_AWAIT(flow, watch_ask(self));
		if (!self->base.process || !watch_answered(self))
			break;
		lcowmig__flow_set_deadline(flow, PROCESS_RETRY_NS);
		FLOW_AWAIT(flow, lcowmig__signal_wait(flow, &self->never));
		lcowmig__flow_clear_deadline(flow);
	}
	if (self->base.process && self->question == PROCESS_PROBES)
		self->base.process->is_probing = false;
	FLOW_END(flow);
}

static const lcowmig__flow_class watch_class = { .name = "exit watch", .step = watch_step, .is_watch = true };

lcowmig__flow *lcowmig__process_watch_flow(lcowmig_process *process, lcowmig__process_question question, lcowmig_error *error)
{
	struct process_watch *self = lcowmig__process_flow_new(process, sizeof *self, &watch_class, error);

	if (!self)
		return NULL;
	self->question = question;
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
	probe = lcowmig__process_watch_flow(process, PROCESS_PROBES, NULL);
	if (probe)
		lcowmig__process_settle(process, probe);
	else
		lcowmig__log(process->env->context, LCOWMIG_LOG_WARNING, "process %s: no memory to ask whether it has exited",
			     process->name);
}
