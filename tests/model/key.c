/*
 * The key of a world: everything that decides what it will answer. States and flags of the session, the machine and what runs in it; the
 * flows in flight, where each of them stands, what it waits for and for how long yet; the host calls that are pending and who waits for
 * them; what the orchestrator has in its hands. Not what only names or counts: ids, ports, clocks, the log.
 */
#include "model.h"

#include "container/container_private.h"
#include "engine/call.h"
#include "engine/operation.h"
#include "pod/private.h"
#include "process/process_private.h"
#include "vm/private.h"

static void mix(uint64_t *key, uint64_t value)
{
	value ^= *key;
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	*key = (value ^ (value >> 31)) + UINT64_C(0x9e3779b97f4a7c15);
}

/* Static texts and classes are told apart by where they lie. */
static void mix_place(uint64_t *key, const void *place)
{
	mix(key, (uint64_t)(uintptr_t)place);
}

/* The beginning of what a call asks for: options of a migration are short, documents all alike. */
static void mix_text(uint64_t *key, const char *text)
{
	unsigned i;

	mix(key, text != NULL);
	for (i = 0; text && text[i] && i < 48; i++)
		mix(key, (unsigned char)text[i]);
}

static uint64_t bits(const bool *flags, size_t count)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < count; i++)
		value |= (uint64_t)flags[i] << i;
	return value;
}

/* ---- Flows ---- */

/* Its place among all deadlines, from 1; 0: it has none. */
static uint64_t rank_of(const lcowmig__flow *flow)
{
	lcowmig__node *node;
	uint64_t rank = 1;

	for (node = lcowmig__tree_first(&flow->context->timers); node; node = lcowmig__tree_next(node), rank++)
		if (node == &flow->rest->deadline.node)
			return rank;
	return 0;
}

static void mix_flow(uint64_t *key, const lcowmig__flow *flow)
{
	mix_place(key, flow->class);
	mix(key, rank_of(flow));
	mix(key, (uint64_t)(unsigned)flow->label << 32 | flow->waiting << 4 | (unsigned)flow->is_shielded << 3 |
			 (unsigned)flow->ended << 2 | (unsigned)flow->started << 1 |
			 (flow->rest->operation && !flow->rest->operation->is_cancelled));
	mix(key, (uint64_t)(uint32_t)flow->interrupt << 32 | (uint32_t)flow->result);
	mix(key, (uint64_t)(uint32_t)flow->failure);
}

/* A flow and those that wait for it. */
static void mix_waiting(uint64_t *key, const lcowmig__flow *flow)
{
	for (; flow; flow = flow->rest->parent)
		mix_flow(key, flow);
	mix(key, 1);
}

static void mix_object(uint64_t *key, const lcowmig__object *object)
{
	lcowmig__list *node;

	mix(key, (uint64_t)object->state);
	for (node = object->flows.next; node != &object->flows; node = node->next)
		mix_waiting(key, LCOWMIG__FLOW_OF(node, on_object));
	mix(key, 2);
}

/* Who is woken in which order. */
static void mix_queue(uint64_t *key, const lcowmig__list *queue)
{
	lcowmig__list *node;

	for (node = queue->next; node != queue; node = node->next)
		mix_waiting(key, LCOWMIG__FLOW_OF(node, queued));
	mix(key, 6);
}

static void mix_signal(uint64_t *key, const lcowmig__signal *signal)
{
	mix(key, signal->is_set);
	mix_queue(key, &signal->queue);
}

/* Deadlines by what is left, in the order in which they come. */
static void mix_timers(uint64_t *key, const test_host *host)
{
	lcowmig__node *node;

	for (node = lcowmig__tree_first(&host->context->timers); node; node = lcowmig__tree_next(node)) {
		lcowmig__timer *timer = LCOWMIG__TREE_ENTRY(node, lcowmig__timer, node);

		mix(key, timer->when - host->p->now);
		mix(key, (uint64_t)(uintptr_t)timer->fire);
	}
	mix(key, 3);
}

static void mix_pending(uint64_t *key, const test_host *host)
{
	lcowmig__list *node;

	for (node = host->p->pending.next; node != &host->p->pending; node = node->next) {
		test_call *call = LCOWMIG__LIST_ENTRY(node, test_call, node);

		mix_place(key, call->operation);
		mix_text(key, call->specific);
		mix_waiting(key, call->call->flow);
		mix_text(key, call->call->text[0]);
		mix(key, call->closes != NULL);
	}
	mix(key, 4);
}

/* ---- What a sandbox has ---- */

static void mix_process(uint64_t *key, const lcowmig_process *process)
{
	const bool flags[] = { process->is_adopted, process->is_probing, process->probe_wanted,  process->has_answer,   process->is_ending,
			       process->exit_flow,  process->exit_event, process->exited.is_set, process->wait_id != 0, process->retired };

	mix_object(key, &process->object);
	mix(key, bits(flags, LCOWMIG__COUNT(flags)));
}

static void mix_container(uint64_t *key, const lcowmig_container *c)
{
	const bool flags[] = { c->guest_knows,  c->guest_is_open, c->exit_flow,   c->exit_event,
			       c->is_announced, c->exit_is_due,   c->has_scratch, c->layers_combined };

	mix_object(key, &c->object);
	mix(key, bits(flags, LCOWMIG__COUNT(flags)));
	mix(key, c->first_ro_layer << 8 | c->n_ro_layers);
	if (c->init)
		mix_process(key, c->init);
}

static void mix_contents(uint64_t *key, const lcowmig_sandbox *sandbox)
{
	const lcowmig_pod *pod;
	lcowmig_container *container;

	for (pod = lcowmig__sandbox_next_pod(sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(sandbox, pod)) {
		mix_object(key, &pod->object);
		mix(key, (uint64_t)pod->has_interfaces << 1 | (uint64_t)(pod->sandbox_container != NULL));
		mix_place(key, lcowmig_network_state_name(pod->network));
		for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
			mix_container(key, container);
	}
	mix(key, 5);
}

static void mix_session(uint64_t *key, const lcowmig_migration *m)
{
	const bool flags[] = { m->background,   m->cancel,       m->abandon,      m->cancel_asked,     m->cancel_acknowledged,
			       m->socket_taken, m->socket,       m->socket_spare, m->transfer_done,    m->resume_begun,
			       m->is_stopped,   m->is_discarded, m->was_resumed,  m->envelope != NULL, m->id };

	mix_object(key, &m->object);
	mix_place(key, m->work ? m->work->class : NULL);
	mix_signal(key, &m->quiet);
	mix_signal(key, &m->background_over);
	mix_signal(key, &m->socket_signal);
	mix(key, (uint64_t)m->patches << 32 | m->n_pending << 16 | m->n_resumed);
	mix(key, bits(flags, LCOWMIG__COUNT(flags)));
	mix(key, m->id ? (uint64_t)m->right.epoch << 32 | m->right.released : 0);
}

static void mix_machine(uint64_t *key, const test_side *side)
{
	const lcowmig_vm *vm = side->sandbox->vm;
	const lcowmig__env *env = &side->sandbox->env;
	const bool flags[] = { vm->was_started,
			       vm->stop_accepted,
			       vm->has_exited,
			       vm->told,
			       vm->is_ending,
			       vm->is_closing,
			       vm->is_log_rearmed,
			       vm->origin == LCOWMIG__ORIGIN_SOURCE,
			       env->system,
			       env->has_guest,
			       vm->config.document,
			       side->vm_exit_is_told,
			       side->host->p->is_connected,
			       side->host->p->is_migrating };

	mix_object(key, &vm->object);
	mix(key, bits(flags, LCOWMIG__COUNT(flags)));
	mix_signal(key, &vm->exited);
	mix_signal(key, &vm->ended);
	mix_signal(key, &vm->log_done);
	mix_signal(key, &vm->end_over);
	mix(key, vm->gate.holder != NULL);
	mix_queue(key, &vm->gate.queue);
	mix(key, (uint64_t)vm->stops_asked << 48 | (uint64_t)vm->logs << 32 | (uint64_t)vm->execs << 16);
	mix(key, (uint64_t)(uint32_t)vm->end_status);
}

static void mix_side(uint64_t *key, const model *m, bool is_destination)
{
	const test_side *side = model_world_side(m, is_destination);
	size_t i;

	mix(key, m->is_lost[is_destination]);
	if (m->is_lost[is_destination])
		return;
	mix_session(key, side->m);
	mix_machine(key, side);
	mix_contents(key, side->sandbox);
	mix_pending(key, side->host);
	mix_timers(key, side->host);
	mix(key, (uint64_t)m->ended_on_purpose[is_destination] << 1 | side->was_abandoned);
	for (i = 0; i < m->n_steps; i++)
		if (m->pending[i] && (m->pending[i] & 1) == is_destination && !m->done[i].calls)
			mix(key, m->pending[i]);
	mix(key, is_destination ? m->destination.session << 8 | m->destination.patched : m->source.session);
}

uint64_t model_key(const model *m)
{
	uint64_t key = UINT64_C(0xcbf29ce484222325);
	unsigned s;
	size_t i;

	mix_side(&key, m, false);
	mix_side(&key, m, true);
	mix(&key, (uint64_t)m->token_sessions << 48 | (uint64_t)m->destination_sessions << 32 | m->n_sessions << 16 |
			  m->n_destinations << 2 | (unsigned)m->destination_ran << 1 | m->knows_force);
	mix(&key, (uint64_t)m->last_session << 32 | m->last_epoch);
	for (s = 1; s <= m->n_sessions; s++)
		mix(&key, m->envelopes[s].bytes != NULL);
	for (i = 0; i < m->n_tokens; i++)
		mix(&key, (uint64_t)m->tokens[i].session << 33 | (uint64_t)m->tokens[i].epoch << 1 | m->tokens[i].from_source);
	return key;
}
