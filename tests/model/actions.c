/* What can happen next: the list of all actions, and which of them make sense in a world. */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static const char *const op_names[N_OPS] = {
	[OP_INITIALIZE] = "hcs.initialize_migration",
	[OP_PROPERTIES] = "hcs.properties",
	[OP_RESOLVE] = "hcs.resolve_path",
	[OP_STDIO] = "stdio.open",
	[OP_CREATE] = "hcs.create",
	[OP_GRANT] = "hcs.grant_access",
	[OP_ADOPT] = "socket.adopt",
	[OP_START_SOURCE] = "hcs.start_migration",
	[OP_START_DESTINATION] = "hcs.start",
	[OP_MOVE] = "hcs.transfer",
	[OP_FINALIZE] = "hcs.finalize_migration",
	[OP_CONNECT] = "guest.connect",
	[OP_CANCEL] = "hcs.cancel_migration",
	[OP_TERMINATE] = "hcs.terminate",
	[OP_EXIT] = "exit event",
};

const char *model_op_name(model_op op)
{
	return op_names[op];
}

static const struct call {
	const char *name;
	unsigned n_arguments;
	uint32_t ops; /* whose outcomes are branches */
} calls[N_CALLS] = {
#define OP(name) (1u << OP_##name)
	[CALL_PREPARE_SOURCE] = { "prepare source", 1, OP(INITIALIZE) },
	[CALL_EXPORT] = { "export", 1, OP(PROPERTIES) },
	[CALL_IMPORT] = { "import", 2, 0 },
	[CALL_PATCH] = { "patch", 3, OP(RESOLVE) | OP(STDIO) },
	[CALL_PREPARE_DESTINATION] = { "prepare destination", 1, OP(CREATE) | OP(GRANT) },
	[CALL_REGISTER] = { "register socket", 1, OP(ADOPT) | OP(START_SOURCE) | OP(START_DESTINATION) | OP(MOVE) },
	[CALL_TRANSFER] = { "transfer", 1, OP(START_SOURCE) | OP(START_DESTINATION) | OP(MOVE) },
	[CALL_RELEASE] = { "release", 1, 0 },
	[CALL_RESUME] = { "finalize with resume", N_TOKENS, OP(FINALIZE) | OP(CONNECT) },
	[CALL_STOP] = { "finalize with stop", 1, OP(FINALIZE) | OP(TERMINATE) | OP(EXIT) },
	[CALL_CANCEL] = { "cancel", 1, OP(CANCEL) },
	[CALL_CLEANUP] = { "cleanup", 1, 0 },
	[CALL_ABANDON] = { "abandon", 1, OP(CANCEL) | OP(FINALIZE) | OP(TERMINATE) | OP(CONNECT) | OP(EXIT) },
	[CALL_WRONG_SESSION] = { "every call with another session's id", 1, 0 },
	[CALL_TERMINATE] = { "terminate the machine", 1, OP(TERMINATE) | OP(EXIT) },
	[CALL_MACHINE_EXIT] = { "the machine exits", 2, 0 },
	[CALL_PROCESS_EXIT] = { "the container's process exits", 1, 0 },
	[CALL_COMPLETE] = { "a pending call ends", N_OPS, 0 },
	[CALL_TIME] = { "time passes", 1, 0 },
	[CALL_NEW_DESTINATION] = { "a new destination", 1, 0 },
	[CALL_LOSE] = { "the host is lost", 1, 0 },
	[CALL_FORGET] = { "the orchestrator forgets everything", 1, 0 },
#undef OP
};

static const char *const token_names[N_TOKENS] = {
	[TOKEN_NONE] = "no token",
	[TOKEN_NEWEST] = "the newest token",
	[TOKEN_OLDEST] = "the oldest token",
	[TOKEN_OTHER_SESSION] = "another session's token",
	[TOKEN_OWN] = "its own token",
	[TOKEN_CORRUPT] = "a damaged token",
	[TOKEN_FORCE] = "force",
};

static const char *const outcome_names[N_OUTCOMES] = { "succeeds", "fails", "stays pending", "has nothing to cancel" };

#define ACTIONS_MAX 400
static model_action actions[ACTIONS_MAX];
static size_t n_actions;

static void add_action(model_call call, bool on_destination, unsigned argument, model_outcome outcome, model_op op)
{
	model_action *action = &actions[n_actions++];

	ck_assert_uint_lt(n_actions, ACTIONS_MAX);
	action->call = (uint8_t)call;
	action->on_destination = on_destination;
	action->argument = (uint8_t)argument;
	action->outcome = (uint8_t)outcome;
	action->op = (uint8_t)op;
}

/* What succeeds comes first, so that an exploration gets far early. */
static void add_call(model_call call, bool on_destination)
{
	unsigned argument, op;

	for (argument = 0; argument < calls[call].n_arguments; argument++)
		add_action(call, on_destination, argument, OUTCOME_OK, OP_EXIT);
	for (argument = 0; call == CALL_COMPLETE && argument < OP_EXIT; argument++)
		add_action(call, on_destination, argument, OUTCOME_FAIL, OP_EXIT);
	for (op = 0; op < N_OPS; op++) {
		if (!(calls[call].ops >> op & 1))
			continue;
		for (argument = 0; argument < (call == CALL_RESUME ? 2u : 1u); argument++) {
			if (op != OP_EXIT)
				add_action(call, on_destination, argument, OUTCOME_FAIL, (model_op)op);
			add_action(call, on_destination, argument, OUTCOME_HOLD, (model_op)op);
			if (op == OP_CANCEL)
				add_action(call, on_destination, argument, OUTCOME_POINTLESS, (model_op)op);
		}
	}
}

const model_action *model_actions(size_t *ret_count)
{
	int call;

	if (!n_actions) {
		for (call = 0; call < N_CALLS; call++) {
			add_call((model_call)call, false);
			add_call((model_call)call, true);
		}
	}
	*ret_count = n_actions;
	return actions;
}

void model_describe(const model_action *action, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%s: %s", action->on_destination ? "destination" : "source", calls[action->call].name);

	if (action->call == CALL_RESUME)
		used += (size_t)snprintf(text + used, size - used, " (%s)", token_names[action->argument]);
	else if (action->call == CALL_COMPLETE)
		used += (size_t)snprintf(text + used, size - used, " (%s %s)", op_names[action->argument], outcome_names[action->outcome]);
	else if (calls[action->call].n_arguments > 1)
		used += (size_t)snprintf(text + used, size - used, " (%u)", action->argument);
	if (action->outcome != OUTCOME_OK && action->call != CALL_COMPLETE)
		snprintf(text + used, size - used, ", %s %s", op_names[action->op], outcome_names[action->outcome]);
}

/* ---- Which of them make sense ---- */

static bool token_applies(const model *m, const model_action *action)
{
	model_token which = (model_token)action->argument;

	if (which == TOKEN_FORCE)
		return m->knows_force;
	if (which == TOKEN_NONE)
		return true;
	if (which == TOKEN_OLDEST)
		return model_find_token(m, action->on_destination, TOKEN_OLDEST) !=
		       model_find_token(m, action->on_destination, TOKEN_NEWEST);
	return model_find_token(m, action->on_destination, which) != NULL;
}

static bool process_can_exit(const test_side *side)
{
	return test_host_pending(side->host, "guest.rpc:10100601") > 0 || test_host_pending(side->host, "guest.adopt") > 0;
}

static bool new_destination_applies(const model *m)
{
	model_busy busy = model_see_busy(&m->world->destination);

	if (m->is_lost[1])
		return m->n_destinations < m->max_destinations;
	return m->n_destinations < m->max_destinations && m->destination.state == LCOWMIG_MIGRATION_IDLE && !m->destination.session &&
	       !reference_is_busy(&busy) && m->destination.vm != LCOWMIG_VM_NOT_CREATED && m->destination.vm != LCOWMIG_VM_RUNNING;
}

/* A second destination belongs to another session, once a token has been given. */
static bool import_applies(const model *m, unsigned argument)
{
	unsigned session = model_find_envelope(m, argument);

	if (m->token_sessions & m->destination_sessions & 1u << session && (m->is_lost[1] || !m->destination.session))
		return false;
	return session != 0;
}

static bool call_applies(const model *m, const model_action *action, const model_side *side, const test_side *world_side)
{
	switch (action->call) {
	case CALL_PREPARE_SOURCE: /* the destination becomes a source in another world */
		return action->on_destination ? side->vm != LCOWMIG_VM_RUNNING || side->session : m->n_sessions < m->max_sessions;
	case CALL_IMPORT:
		return import_applies(m, action->argument);
	case CALL_PATCH:
		return action->argument <= m->world->n_containers && (!action->on_destination || m->destination.session);
	case CALL_RESUME:
		return token_applies(m, action);
	case CALL_WRONG_SESSION:
		return side->session != 0;
	case CALL_MACHINE_EXIT:
		return world_side->sandbox->env.system && !world_side->vm_exit_is_told;
	case CALL_PROCESS_EXIT:
		return process_can_exit(world_side);
	case CALL_COMPLETE:
		return action->argument != OP_EXIT && test_host_pending(world_side->host, op_names[action->argument]) > 0;
	case CALL_NEW_DESTINATION:
		return action->on_destination && new_destination_applies(m);
	case CALL_LOSE: /* nobody asks what becomes of a sandbox that has no host left */
		return !m->is_lost[0] && !m->is_lost[1];
	case CALL_FORGET:
		return !action->on_destination && (m->n_tokens || model_find_envelope(m, 0));
	default:
		return true;
	}
}

uint16_t model_pending_as(const model_action *action)
{
	return (uint16_t)(1u << 15 | (unsigned)action->argument << 8 | (unsigned)action->call << 1 | action->on_destination);
}

#define CROWD 2

bool model_is_crowded(const model *m, const model_action *action)
{
	uint16_t as = model_pending_as(action);
	unsigned count = 0;
	size_t i;

	for (i = 0; i < m->n_steps; i++)
		count += m->pending[i] == as && !m->done[i].calls;
	return count >= CROWD;
}

bool model_applies(const model *m, const model_action *action)
{
	const test_side *world_side = model_world_side(m, action->on_destination);
	const model_side *side = action->on_destination ? &m->destination : &m->source;
	model_busy busy;

	if (m->is_lost[action->on_destination] && action->call != CALL_NEW_DESTINATION && action->call != CALL_FORGET)
		return false;
	if (!call_applies(m, action, side, world_side) || model_is_crowded(m, action))
		return false;
	if (action->outcome == OUTCOME_HOLD && action->op != OP_EXIT && test_host_pending(world_side->host, op_names[action->op]) >= CROWD)
		return false;
	if (action->outcome == OUTCOME_OK || action->call == CALL_COMPLETE)
		return true;
	busy = model_see_busy(world_side);
	return reference_gate(m, side, &busy, action) == LCOWMIG_OK && reference_ops(side, action) >> action->op & 1;
}
