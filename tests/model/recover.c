/*
 * The orchestrator has been restarted and knows nothing. It asks the sides that it reaches for their states, and brings the sandbox to an
 * end: exactly one side runs it, or none because it was ended on purpose. Only public calls, no token or envelope from before.
 *
 * A side out of reach goes on by itself, and whoever is alone with the other one does there what he may: never more than the right allows.
 * A host that is lost has taken its machine with it. What the other one has is run there, by force when the right was lost too.
 */
#include <stdio.h>

#include "model.h"

static lcowmig_vm_state vm_of(const model *m, bool on_destination)
{
	return lcowmig_vm_get_state(lcowmig_sandbox_vm(model_world_side(m, on_destination)->sandbox));
}

static lcowmig_migration_state state_of(const model *m, bool on_destination)
{
	return lcowmig_migration_get_state(model_world_side(m, on_destination)->m);
}

static bool is_alive(const model *m, bool on_destination)
{
	lcowmig_vm_state state = vm_of(m, on_destination);

	return !m->is_lost[on_destination] && state != LCOWMIG_VM_NOT_CREATED && state != LCOWMIG_VM_TERMINATED &&
	       state != LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED && state != LCOWMIG_VM_INVALID;
}

static bool has_session(const model *m, bool on_destination)
{
	return !m->is_lost[on_destination] && lcowmig_migration_session_id(model_world_side(m, on_destination)->m)[0] != '\0';
}

/* Sessions that follow one another have nothing to do with each other. */
static bool shares_session(const model *m)
{
	return has_session(m, false) && has_session(m, true) &&
	       strcmp(lcowmig_migration_session_id(m->world->source.m), lcowmig_migration_session_id(m->world->destination.m)) == 0;
}

static bool complete_one(const test_side *side)
{
	unsigned op;

	for (op = 0; op < OP_EXIT; op++) {
		if (!test_host_pending(side->host, model_op_name((model_op)op)))
			continue;
		test_host_complete(side->host, model_op_name((model_op)op), LCOWMIG_OK, 0, NULL);
		return true;
	}
	return false;
}

static bool is_busy(const model *m)
{
	model_busy source = model_see_busy(&m->world->source), destination = model_see_busy(&m->world->destination);
	size_t i;

	for (i = 0; i < m->n_steps; i++)
		if (m->pending[i] && !m->done[i].calls)
			return true;
	return reference_is_busy(&source) || reference_is_busy(&destination);
}

void recover_bury_destination(model *m)
{
	const test_side *side = &m->world->destination;
	model_busy busy;
	unsigned i;

	for (i = 0; i < 300; i++) {
		busy = model_see_busy(side);
		if (!complete_one(side) && !reference_is_busy(&busy))
			return;
		test_host_advance(side->host, UINT64_C(5000000000));
	}
	ck_abort_msg("what is in flight on a lost destination does not end");
}

/* No exit is reported here, so stops are slow, but they end. */
void recover_settle(model *m)
{
	unsigned i;

	for (i = 0; i < 300; i++) {
		model_note_run(m);
		if (complete_one(&m->world->source) || complete_one(&m->world->destination))
			continue;
		if (!is_busy(m))
			break;
		test_host_advance(m->world->source.host, UINT64_C(5000000000));
		test_host_advance(m->world->destination.host, UINT64_C(5000000000));
	}
	ck_assert_msg(!is_busy(m), "what is in flight does not end");
	for (i = 0; i < m->n_steps; i++)
		ck_assert_int_eq(m->done[i].calls, m->pending[i] ? 1 : 0);
	invariants_check(m->world);
}

static lcowmig_status try_call(model *m, bool on_destination, model_call call, model_token token)
{
	model_action action = { .call = (uint8_t)call, .on_destination = on_destination, .argument = (uint8_t)token, .op = OP_EXIT };
	test_done *done = &m->done[m->n_steps];
	lcowmig_status status;

	model_sync(m, false);
	model_sync(m, true);
	trace_step(&action);
	trace_note("(from the restart of the orchestrator on)");
	ck_assert_uint_lt(m->n_steps, MODEL_MAX_STEPS);
	status = model_perform(m, &action, done);
	m->pending[m->n_steps++] = status == LCOWMIG_PENDING ? model_pending_as(&action) : 0;
	recover_settle(m);
	return status == LCOWMIG_PENDING ? done->status : status;
}

static void must(model *m, bool on_destination, model_call call, model_token token)
{
	lcowmig_status status = try_call(m, on_destination, call, token);

	ck_assert_msg(status == LCOWMIG_OK, "after a restart: %s (%s)", lcowmig_status_name(status), m->done[m->n_steps - 1].message);
}

/* ---- Who shall run it ---- */

typedef enum winner { WINNER_SOURCE, WINNER_DESTINATION, WINNER_NONE } winner;

static bool is_decided(const model *m, bool on_destination)
{
	lcowmig_migration_state state = state_of(m, on_destination);

	return state == LCOWMIG_MIGRATION_TRANSFER_COMPLETED || state == LCOWMIG_MIGRATION_CANCELLED || state == LCOWMIG_MIGRATION_FAILED;
}

static bool runs(const model *m, bool on_destination)
{
	return !m->is_lost[on_destination] &&
	       (vm_of(m, on_destination) == LCOWMIG_VM_MIGRATION_FINALIZED || vm_of(m, on_destination) == LCOWMIG_VM_RUNNING);
}

static void resume(model *m, bool on_destination, model_token token)
{
	if (vm_of(m, on_destination) == LCOWMIG_VM_RUNNING && !has_session(m, on_destination))
		return;
	must(m, on_destination, CALL_RESUME, token);
}

/* The other side gives the right back, or gives again what it gave before. */
static bool fetch_right(model *m, bool for_destination)
{
	bool from = !for_destination;

	if (!shares_session(m) || try_call(m, from, CALL_RELEASE, TOKEN_NONE) != LCOWMIG_OK)
		return false;
	model_sync(m, for_destination);
	return try_call(m, for_destination, CALL_RESUME, TOKEN_NEWEST) == LCOWMIG_OK;
}

static bool may_decide(const model *m, bool on_destination)
{
	return is_alive(m, on_destination) && has_session(m, on_destination) && is_decided(m, on_destination);
}

/* The other side is gone and has taken the right with it: somebody has to say so. */
static bool may_force(model *m, bool on_destination)
{
	if (!may_decide(m, on_destination) || shares_session(m))
		return false;
	if (on_destination ? !m->is_lost[0] || !m->world->destination.m->transfer_done : m->destination_ran)
		return false;
	ck_assert_msg(on_destination || m->ended_on_purpose[1] || !(m->destination_sessions >> m->source.session & 1),
		      "the right is lost, though nobody ended the destination");
	m->n_forced++;
	m->world->is_forced = true;
	return true;
}

static winner let_run(model *m)
{
	unsigned s;

	for (s = 0; s < 2; s++) {
		if (!runs(m, s != 0))
			continue;
		if (!has_session(m, s != 0) && vm_of(m, s != 0) != LCOWMIG_VM_RUNNING)
			continue; /* an abandon that could not go on: only terminating is left */
		resume(m, s != 0, TOKEN_NONE);
		return s ? WINNER_DESTINATION : WINNER_SOURCE;
	}
	for (s = 0; s < 2; s++)
		if (may_decide(m, s != 0) && lcowmig_migration_has_right(model_world_side(m, s != 0)->m) &&
		    try_call(m, s != 0, CALL_RESUME, TOKEN_NONE) == LCOWMIG_OK)
			return s ? WINNER_DESTINATION : WINNER_SOURCE;
	for (s = 0; s < 2; s++)
		if (may_decide(m, s != 0) && fetch_right(m, s != 0))
			return s ? WINNER_DESTINATION : WINNER_SOURCE;
	for (s = 0; s < 2; s++)
		if (may_force(m, s != 0) && try_call(m, s != 0, CALL_RESUME, TOKEN_FORCE) == LCOWMIG_OK)
			return s ? WINNER_DESTINATION : WINNER_SOURCE;
	return WINNER_NONE;
}

static void stop_rest(model *m, winner who)
{
	unsigned s;

	for (s = 0; s < 2; s++) {
		bool won = who == (s ? WINNER_DESTINATION : WINNER_SOURCE);

		if (m->is_lost[s])
			continue;
		if (!won && has_session(m, s != 0)) {
			model_world_side(m, s != 0)->was_abandoned = true;
			/* Finalized and running it can only be where somebody used force; it is terminated below. */
			if (state_of(m, s != 0) != LCOWMIG_MIGRATION_FINALIZED)
				must(m, s != 0, CALL_STOP, TOKEN_NONE);
		}
		if (has_session(m, s != 0))
			must(m, s != 0, CALL_CLEANUP, TOKEN_NONE);
		ck_assert_int_eq(state_of(m, s != 0), LCOWMIG_MIGRATION_IDLE);
		if (!won) {
			model_world_side(m, s != 0)->was_abandoned = true;
			must(m, s != 0, CALL_TERMINATE, TOKEN_NONE);
			ck_assert_msg(vm_of(m, s != 0) == LCOWMIG_VM_TERMINATED || vm_of(m, s != 0) == LCOWMIG_VM_NOT_CREATED,
				      "the loser's machine is %s", lcowmig_vm_state_name(vm_of(m, s != 0)));
		} else {
			ck_assert_int_eq(vm_of(m, s != 0), LCOWMIG_VM_RUNNING);
		}
	}
}

/* ---- What happened to the orchestrator ---- */

static void cancel_undecided(model *m, bool on_destination)
{
	lcowmig_migration_state state = state_of(m, on_destination);

	if (m->is_lost[on_destination] || state == LCOWMIG_MIGRATION_IDLE || state == LCOWMIG_MIGRATION_FINALIZED ||
	    is_decided(m, on_destination))
		return;
	must(m, on_destination, CALL_CANCEL, TOKEN_NONE);
	ck_assert_int_eq(state_of(m, on_destination), LCOWMIG_MIGRATION_CANCELLED);
}

/* Whoever has the right can use it, and nobody else may run. */
static void act_alone(model *m, bool on_destination)
{
	const model_side *side = on_destination ? &m->destination : &m->source;
	lcowmig_status status;

	if (m->is_lost[on_destination])
		return;
	cancel_undecided(m, on_destination);
	if (runs(m, on_destination)) {
		if (has_session(m, on_destination) || vm_of(m, on_destination) == LCOWMIG_VM_RUNNING)
			resume(m, on_destination, TOKEN_NONE);
		return;
	}
	if (!may_decide(m, on_destination))
		return;
	model_sync(m, on_destination);
	status = try_call(m, on_destination, CALL_RESUME, TOKEN_NONE);
	if (lcowmig_migration_has_right(model_world_side(m, on_destination)->m))
		ck_assert_msg(status == LCOWMIG_OK || side->stopped || side->discarded || side->doomed, "alone with the right: %s (%s)",
			      lcowmig_status_name(status), m->done[m->n_steps - 1].message);
	else
		ck_assert_msg(status != LCOWMIG_OK, "the sandbox was resumed without the right");
}

static void lose(model *m, bool on_destination)
{
	const model_action action = { .call = CALL_LOSE, .on_destination = on_destination, .op = OP_EXIT };

	model_apply(m, &action);
}

static void finish(model *m)
{
	bool had_ended = m->ended_on_purpose[0];
	winner who;
	unsigned s;

	for (s = 0; s < 2; s++)
		cancel_undecided(m, s != 0);
	who = let_run(m);
	/* Before its transfer has completed there is nothing on a destination that could run. */
	if (m->is_lost[0])
		had_ended = m->ended_on_purpose[1] || !m->world->destination.m->transfer_done;
	ck_assert_msg(who != WINNER_NONE || had_ended || (m->ended_on_purpose[1] && m->destination_ran),
		      "the sandbox is lost: source %s, destination %s", lcowmig_vm_state_name(vm_of(m, false)),
		      lcowmig_vm_state_name(vm_of(m, true)));
	stop_rest(m, who);
}

bool recover_applies(const model *m, model_probe probe)
{
	return probe == PROBE_RESTART || (!m->is_lost[0] && !m->is_lost[1]);
}

void recover(model *m, model_probe probe)
{
	static const char *const names[N_PROBES] = {
		[PROBE_RESTART] = "(settling after the last step)",
		[PROBE_SOURCE_AWAY] = "(nobody reaches the source)",
		[PROBE_DESTINATION_AWAY] = "(nobody reaches the destination)",
		[PROBE_APART] = "(the sides are apart)",
		[PROBE_SOURCE_LOST] = "(the source is lost)",
		[PROBE_DESTINATION_LOST] = "(the destination is lost)",
	};

	trace_note(names[probe]);
	if (probe == PROBE_SOURCE_LOST || probe == PROBE_DESTINATION_LOST)
		lose(m, probe == PROBE_DESTINATION_LOST);
	recover_settle(m);
	if (probe == PROBE_SOURCE_AWAY || probe == PROBE_APART)
		act_alone(m, true);
	if (probe == PROBE_DESTINATION_AWAY || probe == PROBE_APART)
		act_alone(m, false);
	finish(m);
}
