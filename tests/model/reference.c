/*
 * The reference: what each call must answer and leave behind, written from what migration.h promises and not from lib/. While something is
 * in flight on a side the answer depends on how far that has come; then only the refusals are exact, and the rest is a set.
 */
#include "model.h"

#define BIT(state) (1u << (unsigned)(state))

uint32_t reference_bit(lcowmig_status status)
{
	return status > 0 ? UINT32_C(1) << 31 : UINT32_C(1) << -(int)status;
}

bool reference_is_busy(const model_busy *busy)
{
	return busy->work || busy->patches || busy->background || busy->cancel || busy->abandon || busy->machine;
}

static bool is_in(const model_side *side, uint32_t states)
{
	return (BIT(side->state) & states) != 0;
}

#define DECIDABLE (BIT(LCOWMIG_MIGRATION_TRANSFER_COMPLETED) | BIT(LCOWMIG_MIGRATION_CANCELLED) | BIT(LCOWMIG_MIGRATION_FAILED))
#define FINALIZED BIT(LCOWMIG_MIGRATION_FINALIZED)
#define REFUSED LCOWMIG_E_FAILED_PRECONDITION

static bool holds_right(const model_side *side)
{
	return (side->epoch % 2 == 0) == side->is_source;
}

static bool has_machine(const model_side *side)
{
	return side->vm != LCOWMIG_VM_NOT_CREATED && side->vm != LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED && side->vm != LCOWMIG_VM_TERMINATED;
}

/* ---- Who may call what ---- */

static lcowmig_status allow(bool is_allowed)
{
	return is_allowed ? LCOWMIG_OK : REFUSED;
}

static lcowmig_status gate_register(const model_side *side, const model_busy *busy)
{
	if (side->has_socket)
		return LCOWMIG_E_ALREADY_EXISTS;
	return allow(is_in(side, BIT(LCOWMIG_MIGRATION_SOURCE_EXPORTED) | BIT(LCOWMIG_MIGRATION_DESTINATION_PREPARED) |
					 BIT(LCOWMIG_MIGRATION_SOCKET_WAITING)) &&
		     !busy->work && !busy->patches);
}

static lcowmig_status gate_release(const model_side *side, const model_busy *busy)
{
	bool gave_it = side->released && side->released == side->epoch;

	if (!is_in(side, DECIDABLE | FINALIZED) || busy->work || busy->patches || side->resuming || side->resumed)
		return REFUSED;
	if (side->is_source)
		return allow(side->moved && (gave_it || (holds_right(side) && !side->epoch)));
	return LCOWMIG_OK;
}

static lcowmig_status gate_token(const model *m, const model_side *side, model_token which)
{
	const model_message *token = model_find_token(m, !side->is_source, which);

	if (which == TOKEN_FORCE)
		return LCOWMIG_OK;
	if (which == TOKEN_NONE)
		return allow(holds_right(side));
	if (which == TOKEN_CORRUPT)
		return LCOWMIG_E_CORRUPT_DATA;
	if (token->session != side->session || token->from_source == side->is_source)
		return LCOWMIG_E_INVALID_ARGUMENT;
	return allow(token->epoch >= side->epoch);
}

static lcowmig_status gate_resume(const model *m, const model_side *side, const model_busy *busy, model_token which)
{
	if (!is_in(side, DECIDABLE | FINALIZED) || busy->work || busy->patches)
		return REFUSED;
	if (is_in(side, FINALIZED) && side->resumed)
		return LCOWMIG_OK;
	if (side->stopped || side->discarded || !has_machine(side) || side->vm == LCOWMIG_VM_INVALID)
		return REFUSED;
	if (gate_token(m, side, which) != LCOWMIG_OK)
		return gate_token(m, side, which);
	/* The right alone is not enough: the memory must be here. */
	return allow(side->is_source || side->moved || side->resuming || which == TOKEN_FORCE);
}

static lcowmig_status gate_cleanup(const model_side *side, const model_busy *busy)
{
	bool may = side->state == LCOWMIG_MIGRATION_IDLE || is_in(side, FINALIZED) ||
		   (!side->is_source && side->state == LCOWMIG_MIGRATION_CANCELLED);

	return allow(may && !busy->work && !busy->patches);
}

/* What the library itself says against a migration: it is asked, because containers and disks are not the reference's business. */
static bool is_fit(const model *m, const model_action *action)
{
	return lcowmig_migration_check(model_world_side(m, action->on_destination)->m, NULL, NULL, NULL) == LCOWMIG_OK;
}

static lcowmig_status gate_wrong_session(const model_side *side)
{
	return side->session ? LCOWMIG_E_INVALID_ARGUMENT : LCOWMIG_OK;
}

#define MAY_TRANSFER                                                                                                                       \
	(BIT(LCOWMIG_MIGRATION_SOURCE_EXPORTED) | BIT(LCOWMIG_MIGRATION_DESTINATION_PREPARED) | BIT(LCOWMIG_MIGRATION_SOCKET_READY) |      \
	 BIT(LCOWMIG_MIGRATION_SOCKET_WAITING) | BIT(LCOWMIG_MIGRATION_TRANSFERRING) | BIT(LCOWMIG_MIGRATION_TRANSFER_COMPLETED))

lcowmig_status reference_gate(const model *m, const model_side *side, const model_busy *busy, const model_action *action)
{
	bool is_quiet = !busy->work && !busy->patches;

	if (action->call == CALL_WRONG_SESSION)
		return gate_wrong_session(side);
	if (busy->abandon && action->call < CALL_TERMINATE)
		return REFUSED;
	switch (action->call) {
	case CALL_PREPARE_SOURCE:
		return allow(side->state == LCOWMIG_MIGRATION_IDLE && !side->session && is_quiet && side->vm == LCOWMIG_VM_RUNNING &&
			     is_fit(m, action));
	case CALL_EXPORT:
		if (side->state == LCOWMIG_MIGRATION_SOURCE_EXPORTED)
			return allow(is_quiet);
		return allow(side->state == LCOWMIG_MIGRATION_SOURCE_PREPARED && is_quiet && is_fit(m, action));
	case CALL_IMPORT:
		return allow(side->state == LCOWMIG_MIGRATION_IDLE && !side->session && side->vm == LCOWMIG_VM_NOT_CREATED);
	case CALL_PATCH:
		if (side->state == LCOWMIG_MIGRATION_DESTINATION_IMPORTED && !busy->work && action->argument >= m->world->n_containers &&
		    side->vm == LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED)
			return LCOWMIG_E_NOT_FOUND;
		return allow(side->state == LCOWMIG_MIGRATION_DESTINATION_IMPORTED && !busy->work &&
			     side->vm == LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED);
	case CALL_PREPARE_DESTINATION:
		return allow(side->state == LCOWMIG_MIGRATION_DESTINATION_IMPORTED && is_quiet && !model_pending(m, side));
	case CALL_REGISTER:
		return gate_register(side, busy);
	case CALL_TRANSFER:
		return allow(is_in(side, MAY_TRANSFER));
	case CALL_RELEASE:
		return gate_release(side, busy);
	case CALL_RESUME:
		return gate_resume(m, side, busy, (model_token)action->argument);
	case CALL_STOP:
		return allow(is_in(side, DECIDABLE | FINALIZED) && is_quiet && !(is_in(side, FINALIZED) && side->resumed));
	case CALL_CANCEL:
		return allow(!(busy->finalize && is_in(side, DECIDABLE)));
	case CALL_CLEANUP:
		return gate_cleanup(side, busy);
	default:
		return LCOWMIG_OK;
	}
}

/* ---- Which host calls it makes ---- */

#define START(side) ((side)->is_source ? OP_START_SOURCE : OP_START_DESTINATION)

static bool stop_asks_nothing(const model_side *side)
{
	return is_in(side, FINALIZED) || side->vm == LCOWMIG_VM_TERMINATED ||
	       (!side->is_source && side->state == LCOWMIG_MIGRATION_CANCELLED && !side->resuming);
}

/* The platform's migration is open there. */
static bool is_migrating(const model_side *side)
{
	return has_machine(side) && side->vm != LCOWMIG_VM_RUNNING && side->vm != LCOWMIG_VM_CREATED && side->vm != LCOWMIG_VM_INVALID &&
	       side->vm != LCOWMIG_VM_MIGRATION_FINALIZED;
}

/* The machine was started, so its end is an event. */
static bool will_exit(const model_side *side)
{
	return has_machine(side) && side->vm != LCOWMIG_VM_DESTINATION_MIGRATION_CREATED &&
	       side->vm != LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED;
}

static uint32_t ops_of_resume(const model_side *side)
{
	uint32_t ops = 0;

	if (is_in(side, FINALIZED) || side->doomed)
		return 0;
	if (side->vm != LCOWMIG_VM_RUNNING && side->vm != LCOWMIG_VM_MIGRATION_FINALIZED)
		ops |= BIT(OP_FINALIZE);
	if (!side->is_source && side->vm != LCOWMIG_VM_RUNNING)
		ops |= BIT(OP_CONNECT);
	return ops;
}

static bool abandon_resumes(const model_side *side)
{
	return !side->stopped && !side->doomed && (side->resuming || (side->is_source && holds_right(side)));
}

static uint32_t ops_of_abandon(const model_side *side)
{
	bool is_over = !side->session || is_in(side, FINALIZED) || side->state == LCOWMIG_MIGRATION_IDLE;
	uint32_t ops = 0;

	if (is_over || !has_machine(side))
		return 0;
	if (!side->resuming && !side->stopped &&
	    (side->vm == LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED || side->vm == LCOWMIG_VM_SOURCE_MIGRATION_STARTED ||
	     side->vm == LCOWMIG_VM_DESTINATION_MIGRATION_STARTED))
		ops |= BIT(OP_CANCEL);
	if (abandon_resumes(side))
		return ops | ops_of_resume(side);
	if (side->is_source && is_migrating(side))
		return ops | (side->doomed ? 0 : BIT(OP_FINALIZE)) | BIT(OP_EXIT);
	return will_exit(side) ? ops | BIT(OP_TERMINATE) | BIT(OP_EXIT) : ops;
}

static uint32_t ops_of_stop(const model_side *side)
{
	if (stop_asks_nothing(side))
		return 0;
	if (!will_exit(side))
		return is_migrating(side) && !side->doomed ? BIT(OP_FINALIZE) : 0;
	return BIT(OP_EXIT) | (!is_migrating(side) ? BIT(OP_TERMINATE) : side->doomed ? 0 : BIT(OP_FINALIZE));
}

static uint32_t ops_of_transfer(const model_side *side)
{
	return BIT(START(side)) | BIT(OP_MOVE);
}

uint32_t reference_ops(const model_side *side, const model_action *action)
{
	switch (action->call) {
	case CALL_PREPARE_SOURCE:
		return BIT(OP_INITIALIZE);
	case CALL_EXPORT:
		return side->state == LCOWMIG_MIGRATION_SOURCE_PREPARED ? BIT(OP_PROPERTIES) : 0;
	case CALL_PATCH:
		return BIT(OP_RESOLVE) | BIT(OP_STDIO);
	case CALL_PREPARE_DESTINATION:
		if (side->vm == LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED)
			return BIT(OP_CREATE) | BIT(OP_GRANT);
		return side->vm == LCOWMIG_VM_DESTINATION_MIGRATION_CREATED ? BIT(OP_GRANT) : 0;
	case CALL_REGISTER:
		return BIT(OP_ADOPT) | (side->state == LCOWMIG_MIGRATION_SOCKET_WAITING ? ops_of_transfer(side) : 0);
	case CALL_TRANSFER:
		return side->state == LCOWMIG_MIGRATION_SOCKET_READY ? ops_of_transfer(side) : 0;
	case CALL_RESUME:
		return ops_of_resume(side);
	case CALL_STOP:
		return ops_of_stop(side);
	case CALL_CANCEL:
		if (!side->session || is_in(side, FINALIZED) || side->state == LCOWMIG_MIGRATION_CANCELLED || !has_machine(side))
			return 0;
		return BIT(OP_CANCEL);
	case CALL_ABANDON:
		return ops_of_abandon(side);
	case CALL_TERMINATE:
		return will_exit(side) ? BIT(OP_TERMINATE) | BIT(OP_EXIT) : 0;
	default:
		return 0;
	}
}

/* ---- What it leaves behind ---- */

static bool fails_at(const model_action *action, model_op op)
{
	return action->outcome == OUTCOME_FAIL && action->op == op;
}

static void close_session(model_side *side)
{
	model_side closed = { .is_source = side->is_source, .vm = side->vm, .state = LCOWMIG_MIGRATION_IDLE };

	*side = closed;
}

static void settle_cancelled(model_side *side)
{
	if (!side->is_source && side->state == LCOWMIG_MIGRATION_CANCELLED && !side->moved && !side->resuming)
		side->discarded = true;
}

/* The transfer in the background has its socket. */
static void do_transfer(model_side *side, const model_action *action)
{
	side->state = LCOWMIG_MIGRATION_FAILED;
	if (fails_at(action, START(side)) || side->vm == LCOWMIG_VM_TERMINATED)
		return;
	side->vm = side->is_source ? LCOWMIG_VM_SOURCE_MIGRATION_STARTED : LCOWMIG_VM_DESTINATION_MIGRATION_STARTED;
	if (fails_at(action, OP_MOVE))
		return;
	side->vm = LCOWMIG_VM_MIGRATION_TRANSFER_COMPLETED;
	side->state = LCOWMIG_MIGRATION_TRANSFER_COMPLETED;
	side->moved = true;
}

static lcowmig_status do_prepare_destination(model_side *side, const model_action *action)
{
	if (side->vm == LCOWMIG_VM_TERMINATED)
		return REFUSED;
	if (fails_at(action, OP_CREATE))
		return LCOWMIG_E_HOST_FAILED;
	side->vm = LCOWMIG_VM_DESTINATION_MIGRATION_CREATED;
	if (fails_at(action, OP_GRANT)) {
		side->state = LCOWMIG_MIGRATION_FAILED;
		return LCOWMIG_E_HOST_FAILED;
	}
	side->vm = LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED;
	side->state = LCOWMIG_MIGRATION_DESTINATION_PREPARED;
	return LCOWMIG_OK;
}

static lcowmig_status do_register(model_side *side, const model_action *action)
{
	bool is_waited_for = side->state == LCOWMIG_MIGRATION_SOCKET_WAITING;

	if (fails_at(action, OP_ADOPT)) {
		side->state = LCOWMIG_MIGRATION_FAILED;
		return LCOWMIG_E_HOST_FAILED;
	}
	side->has_socket = true;
	side->state = LCOWMIG_MIGRATION_SOCKET_READY;
	if (is_waited_for)
		do_transfer(side, action);
	return LCOWMIG_OK;
}

static void do_release(model_side *side)
{
	if (side->released && side->released == side->epoch)
		return;
	side->epoch += holds_right(side) ? 1 : 2;
	side->released = side->epoch;
}

static lcowmig_status resume_machine(model_side *side, const model_action *action)
{
	if (side->vm != LCOWMIG_VM_RUNNING && side->vm != LCOWMIG_VM_MIGRATION_FINALIZED) {
		if (side->doomed)
			return REFUSED;
		if (fails_at(action, OP_FINALIZE)) {
			side->resuming = false;
			return LCOWMIG_E_HOST_FAILED;
		}
		side->vm = LCOWMIG_VM_MIGRATION_FINALIZED;
	}
	side->resuming = true;
	if (fails_at(action, OP_CONNECT))
		return LCOWMIG_E_HOST_FAILED;
	side->vm = LCOWMIG_VM_RUNNING;
	return LCOWMIG_OK;
}

static lcowmig_status do_resume(const model *m, model_side *side, const model_action *action)
{
	const model_message *token = model_find_token(m, !side->is_source, (model_token)action->argument);
	lcowmig_status status;

	if (is_in(side, FINALIZED))
		return LCOWMIG_OK;
	if (token && action->argument != TOKEN_FORCE && token->epoch > side->epoch)
		side->epoch = token->epoch;
	status = resume_machine(side, action);
	if (status != LCOWMIG_OK)
		return status;
	side->resumed = true;
	side->state = LCOWMIG_MIGRATION_FINALIZED;
	return LCOWMIG_OK;
}

static lcowmig_status do_stop(model_side *side, const model_action *action)
{
	if (is_in(side, FINALIZED))
		return LCOWMIG_OK;
	if (fails_at(action, OP_FINALIZE) || fails_at(action, OP_TERMINATE))
		return LCOWMIG_E_HOST_FAILED;
	side->stopped = true;
	side->discarded = side->discarded || !side->is_source;
	if (!side->is_source && side->state == LCOWMIG_MIGRATION_CANCELLED && !side->resuming)
		return LCOWMIG_OK;
	side->resuming = false;
	side->vm = LCOWMIG_VM_TERMINATED;
	side->state = LCOWMIG_MIGRATION_FINALIZED;
	return LCOWMIG_OK;
}

static lcowmig_status do_cancel(model_side *side, const model_action *action)
{
	if (!side->session || is_in(side, FINALIZED) || side->state == LCOWMIG_MIGRATION_CANCELLED)
		return LCOWMIG_OK;
	if (has_machine(side) && fails_at(action, OP_CANCEL)) {
		side->state = LCOWMIG_MIGRATION_FAILED;
		return LCOWMIG_E_HOST_FAILED;
	}
	side->state = LCOWMIG_MIGRATION_CANCELLED;
	settle_cancelled(side);
	return LCOWMIG_OK;
}

static lcowmig_status do_abandon(model_side *side, const model_action *action)
{
	bool is_over = !side->session || is_in(side, FINALIZED) || side->state == LCOWMIG_MIGRATION_IDLE;
	lcowmig_status status = LCOWMIG_OK;

	if (!is_over && fails_at(action, OP_CANCEL))
		status = LCOWMIG_E_HOST_FAILED;
	if (!is_over && side->vm != LCOWMIG_VM_TERMINATED && abandon_resumes(side)) {
		lcowmig_status resumed = resume_machine(side, action);

		status = status == LCOWMIG_OK ? resumed : status;
	} else if (!is_over && (fails_at(action, OP_FINALIZE) || fails_at(action, OP_TERMINATE))) {
		status = LCOWMIG_E_HOST_FAILED;
	} else if (!is_over) {
		side->vm = LCOWMIG_VM_TERMINATED;
	}
	close_session(side);
	return status;
}

/* The machine has ended, asked for or not. */
static void do_machine_end(model_side *side)
{
	if (side->vm == LCOWMIG_VM_NOT_CREATED || side->vm == LCOWMIG_VM_TERMINATED)
		return;
	side->vm = LCOWMIG_VM_TERMINATED;
	if (side->state == LCOWMIG_MIGRATION_SOCKET_WAITING)
		side->state = LCOWMIG_MIGRATION_FAILED;
	if (side->session && !side->is_source)
		side->discarded = true;
}

static lcowmig_status do_call(const model *m, model_side *side, const model_action *action)
{
	switch (action->call) {
	case CALL_PREPARE_SOURCE:
		if (fails_at(action, OP_INITIALIZE))
			return LCOWMIG_E_HOST_FAILED;
		side->session = m->n_sessions;
		side->epoch = side->released = 0;
		side->state = LCOWMIG_MIGRATION_SOURCE_PREPARED;
		side->vm = LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED;
		return LCOWMIG_OK;
	case CALL_EXPORT:
		if (fails_at(action, OP_PROPERTIES))
			return LCOWMIG_E_HOST_FAILED;
		side->state = LCOWMIG_MIGRATION_SOURCE_EXPORTED;
		return LCOWMIG_OK;
	case CALL_IMPORT:
		side->session = model_find_envelope(m, action->argument);
		side->state = LCOWMIG_MIGRATION_DESTINATION_IMPORTED;
		side->vm = LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED;
		return LCOWMIG_OK;
	case CALL_PATCH:
		if (fails_at(action, OP_RESOLVE) || fails_at(action, OP_STDIO))
			return LCOWMIG_E_HOST_FAILED;
		side->patched |= 1u << action->argument;
		return LCOWMIG_OK;
	case CALL_PREPARE_DESTINATION:
		return do_prepare_destination(side, action);
	case CALL_REGISTER:
		return do_register(side, action);
	case CALL_TRANSFER:
		if (is_in(side, BIT(LCOWMIG_MIGRATION_SOURCE_EXPORTED) | BIT(LCOWMIG_MIGRATION_DESTINATION_PREPARED)))
			side->state = LCOWMIG_MIGRATION_SOCKET_WAITING;
		else if (side->state == LCOWMIG_MIGRATION_SOCKET_READY)
			do_transfer(side, action);
		return LCOWMIG_OK;
	case CALL_RELEASE:
		do_release(side);
		return LCOWMIG_OK;
	case CALL_RESUME:
		return do_resume(m, side, action);
	case CALL_STOP:
		return do_stop(side, action);
	case CALL_CANCEL:
		return do_cancel(side, action);
	case CALL_CLEANUP:
		close_session(side);
		return LCOWMIG_OK;
	case CALL_ABANDON:
		return do_abandon(side, action);
	case CALL_TERMINATE:
		if (fails_at(action, OP_TERMINATE))
			return LCOWMIG_E_HOST_FAILED;
		do_machine_end(side);
		return LCOWMIG_OK;
	case CALL_MACHINE_EXIT:
		do_machine_end(side);
		return LCOWMIG_OK;
	case CALL_TIME:
		if (side->state == LCOWMIG_MIGRATION_SOCKET_WAITING)
			side->state = LCOWMIG_MIGRATION_FAILED;
		return LCOWMIG_OK;
	default:
		return LCOWMIG_OK;
	}
}

#define LOOSE                                                                                                                              \
	(reference_bit(LCOWMIG_OK) | reference_bit(LCOWMIG_PENDING) | reference_bit(LCOWMIG_E_HOST_FAILED) |                               \
	 reference_bit(LCOWMIG_E_CANCELLED) | reference_bit(LCOWMIG_E_UNAVAILABLE) | reference_bit(LCOWMIG_E_TIMED_OUT))

void reference_expect(const model *m, const model_side *side, const model_busy *busy, const model_action *action, model_expected *ret)
{
	lcowmig_status gate = reference_gate(m, side, busy, action);

	memset(ret, 0, sizeof *ret);
	ret->side = *side;
	if (gate != LCOWMIG_OK) {
		ret->is_exact = !reference_is_busy(busy);
		ret->status = gate;
		ret->statuses = reference_bit(gate);
		return;
	}
	ret->is_exact = !reference_is_busy(busy) && action->outcome != OUTCOME_HOLD;
	ret->statuses = LOOSE | (action->call == CALL_RESUME && side->doomed ? reference_bit(REFUSED) : 0);
	if (!ret->is_exact)
		return;
	ret->status = do_call(m, &ret->side, action);
}

/* ---- What may move a session while something is in flight ---- */

#define TRIGGER(name) (UINT32_C(1) << LCOWMIG__MIGRATION_##name)

static uint32_t triggers_of_call(const model_action *action)
{
	switch (action->call) {
	case CALL_PREPARE_SOURCE:
		return TRIGGER(PREPARE_SOURCE);
	case CALL_EXPORT:
		return TRIGGER(EXPORT);
	case CALL_PATCH:
		return TRIGGER(PATCH);
	case CALL_PREPARE_DESTINATION:
		return TRIGGER(PREPARE_DESTINATION) | TRIGGER(FAIL);
	case CALL_REGISTER:
		return TRIGGER(REGISTER_SOCKET) | TRIGGER(FAIL) | TRIGGER(START) | TRIGGER(COMPLETE);
	case CALL_TRANSFER:
		return TRIGGER(TRANSFER) | TRIGGER(FAIL) | TRIGGER(START) | TRIGGER(COMPLETE);
	case CALL_RESUME:
		return TRIGGER(RESUME);
	case CALL_STOP:
		return TRIGGER(STOP) | TRIGGER(DISCARD);
	case CALL_CANCEL:
		return TRIGGER(CANCEL) | TRIGGER(CANCEL_DONE) | TRIGGER(FAIL);
	case CALL_CLEANUP:
		return TRIGGER(CLEANUP) | TRIGGER(CLEANUP_DISCARDED);
	case CALL_ABANDON:
		return TRIGGER(ABANDON);
	case CALL_TERMINATE:
	case CALL_MACHINE_EXIT:
	case CALL_TIME:
		return TRIGGER(FAIL);
	default:
		return 0;
	}
}

static uint32_t triggers_of_busy(const model_busy *busy)
{
	uint32_t triggers = 0;

	if (busy->finalize)
		triggers |= TRIGGER(RESUME) | TRIGGER(STOP);
	else if (busy->work)
		triggers |= TRIGGER(PREPARE_SOURCE) | TRIGGER(EXPORT) | TRIGGER(PREPARE_DESTINATION) | TRIGGER(REGISTER_SOCKET) | TRIGGER(FAIL);
	if (busy->background || busy->waits)
		triggers |= TRIGGER(START) | TRIGGER(COMPLETE) | TRIGGER(FAIL);
	if (busy->cancel)
		triggers |= TRIGGER(CANCEL) | TRIGGER(CANCEL_DONE) | TRIGGER(FAIL);
	if (busy->abandon)
		triggers |= TRIGGER(ABANDON);
	return triggers;
}

bool reference_may_move(const model_busy *busy, const model_action *action, lcowmig_migration_state from, lcowmig_migration_state to)
{
	const lcowmig__machine *machine = &lcowmig__migration_machine;
	uint32_t triggers = triggers_of_busy(busy) | triggers_of_call(action);
	uint32_t reached = BIT(from), before;
	size_t i;

	do {
		before = reached;
		for (i = 0; i < machine->n_rows; i++)
			if (reached & BIT(machine->rows[i].from) && triggers >> machine->rows[i].trigger & 1)
				reached |= BIT(machine->rows[i].to);
	} while (reached != before);
	return (reached & BIT(to)) != 0;
}
