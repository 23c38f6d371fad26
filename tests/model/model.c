/* The world of the model: one step at a time, each compared with the reference. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>

#include "container/container.h"
#include "vm/private.h"

test_side *model_world_side(const model *m, bool is_destination)
{
	return is_destination ? &m->world->destination : &m->world->source;
}

const char *model_session_id(unsigned number)
{
	static char text[4][48];
	static unsigned next;
	char *place = text[next++ % 4];

	snprintf(place, sizeof text[0], "5f0b1190-63be-4e0c-b974-%012u", number);
	return place;
}

unsigned model_find_envelope(const model *m, unsigned argument)
{
	unsigned number = m->n_sessions;

	for (; number > 0; number--)
		if (m->envelopes[number].bytes && argument-- == 0)
			return number;
	return 0;
}

unsigned model_pending(const model *m, const model_side *side)
{
	unsigned pending = 0;
	unsigned c;

	for (c = 0; side->session && !side->is_source && c < m->world->n_containers; c++)
		pending += !(side->patched >> c & 1);
	return pending;
}

const model_message *model_find_token(const model *m, bool for_destination, model_token which)
{
	unsigned session = for_destination ? m->destination.session : m->source.session;
	const model_message *found = NULL;
	size_t i;

	for (i = 0; i < m->n_tokens; i++) {
		const model_message *token = &m->tokens[i];
		bool is_for_us = token->from_source == for_destination;
		bool is_ours = token->session == session;

		if (which == TOKEN_OWN ? !is_for_us && is_ours : which == TOKEN_OTHER_SESSION ? is_for_us && !is_ours : is_for_us && is_ours) {
			found = token;
			if (which == TOKEN_OLDEST)
				break;
		}
	}
	return which == TOKEN_NONE || which == TOKEN_FORCE ? NULL : found;
}

/* ---- What a side is doing ---- */

static bool works_on(const lcowmig_migration *m, const char *name)
{
	return m->work && strcmp(m->work->class->name, name) == 0;
}

model_busy model_see_busy(const test_side *side)
{
	const lcowmig_migration *m = side->m;
	const lcowmig_vm *vm = side->sandbox->vm;
	model_busy busy = { 0 };

	busy.work = m->work != NULL;
	busy.finalize = works_on(m, "finalize");
	busy.prepare = works_on(m, "prepare source");
	busy.patches = m->patches > 0;
	busy.waits = m->background && m->object.state == LCOWMIG_MIGRATION_SOCKET_WAITING;
	busy.background = m->background && !busy.waits;
	busy.cancel = m->cancel != NULL;
	busy.abandon = m->abandon != NULL;
	busy.machine = vm->is_ending || vm->is_closing || lcowmig__object_check_idle(&vm->object, NULL) != LCOWMIG_OK;
	return busy;
}

/* Takes over what the library says, after a step whose outcome the reference does not foresee. */
static void sync_side(const model *m, const test_side *from, model_side *side)
{
	const lcowmig_migration *session = from->m;
	unsigned number = side->session;
	unsigned c;

	memset(side, 0, sizeof *side);
	side->is_source = from == &m->world->source;
	side->state = lcowmig_migration_get_state(from->m);
	side->vm = lcowmig_vm_get_state(lcowmig_sandbox_vm(from->sandbox));
	if (!session->id)
		return;
	side->session = number ? number : m->n_sessions;
	side->has_socket = session->socket_taken;
	side->moved = session->transfer_done;
	side->resuming = session->resume_begun;
	side->resumed = session->was_resumed;
	side->stopped = session->is_stopped;
	side->doomed = from->sandbox->vm->stop_accepted;
	side->discarded = session->is_discarded;
	side->epoch = session->right.epoch;
	side->released = session->right.released;
	for (c = 0; c < m->world->n_containers && !side->is_source; c++) {
		lcowmig__node *node = lcowmig__tree_find(&session->imported, world_container_id(0, c));

		if (node && LCOWMIG__TREE_ENTRY(node, lcowmig__imported, node)->is_patched)
			side->patched |= 1u << c;
	}
}

void model_sync(model *m, bool is_destination)
{
	model_side *side = is_destination ? &m->destination : &m->source;

	sync_side(m, model_world_side(m, is_destination), side);
}

/* What the library says in public must be what the reference says. */
static void compare_side(const model *m, const test_side *world_side, const model_side *side)
{
	lcowmig_migration_state state = lcowmig_migration_get_state(world_side->m);
	lcowmig_vm_state vm = lcowmig_vm_get_state(lcowmig_sandbox_vm(world_side->sandbox));
	bool holds = side->session && (side->epoch % 2 == 0) == side->is_source;
	lcowmig_origin origin = !side->session ? LCOWMIG_ORIGIN_UNSPECIFIED :
				side->is_source ? LCOWMIG_ORIGIN_SOURCE :
						  LCOWMIG_ORIGIN_DESTINATION;

	ck_assert_msg(state == side->state, "%s: the session is %s, the reference says %s", world_side->name,
		      lcowmig_migration_state_name(state), lcowmig_migration_state_name(side->state));
	ck_assert_msg(vm == side->vm, "%s: the machine is %s, the reference says %s", world_side->name, lcowmig_vm_state_name(vm),
		      lcowmig_vm_state_name(side->vm));
	ck_assert_str_eq(lcowmig_migration_session_id(world_side->m), side->session ? model_session_id(side->session) : "");
	ck_assert_int_eq(lcowmig_migration_get_origin(world_side->m), origin);
	ck_assert_msg(lcowmig_migration_has_right(world_side->m) == holds, "%s: the reference says that it has %sthe right",
		      world_side->name, holds ? "" : "not ");
	ck_assert_uint_eq(lcowmig_migration_pending_count(world_side->m), model_pending(m, side));
}

/* ---- Life ---- */

void model_begin(model *m, unsigned n_containers)
{
	memset(m, 0, sizeof *m);
	m->world = world_new(1, n_containers);
	m->source.is_source = true;
	m->source.vm = LCOWMIG_VM_RUNNING;
	m->n_destinations = 1;
	m->max_sessions = MODEL_MAX_SESSIONS;
	m->max_destinations = 2;
}

void model_end(model *m, model_probe probe)
{
	unsigned i;

	recover(m, probe);
	m->world->is_forced = m->n_forced > 0;
	world_free(m->world);
	for (i = 0; i <= MODEL_MAX_SESSIONS; i++)
		free(m->envelopes[i].bytes);
}

/* The log is asked for exits only, and would grow for ever. */
static void prune_log(test_host *host)
{
	const char *line = test_host_log(host);
	char kept[2048];
	size_t used = 0;

	for (; *line; line = strchr(line, '\n') + 1) {
		size_t size = (size_t)(strchr(line, '\n') + 1 - line);

		if (strncmp(line, "event exit", 10) != 0)
			continue;
		ck_assert_uint_lt(used + size, sizeof kept);
		memcpy(kept + used, line, size);
		used += size;
	}
	test_host_clear_log(host);
	if (used) {
		kept[used - 1] = '\0';
		test_log(host, "%s", kept);
	}
}

void model_prune(model *m)
{
	prune_log(m->world->source.host);
	prune_log(m->world->destination.host);
}

static void keep_envelope(model *m)
{
	const test_side *side = &m->world->source;
	model_envelope *envelope = &m->envelopes[m->source.session];
	const uint8_t *bytes;
	size_t size;

	if (m->source.state != LCOWMIG_MIGRATION_SOURCE_EXPORTED || envelope->bytes || side->m->abandon || m->is_lost[0])
		return;
	ck_assert_int_eq(lcowmig_migration_envelope(side->m, model_session_id(m->source.session), &bytes, &size, NULL), LCOWMIG_OK);
	envelope->bytes = malloc(size);
	ck_assert_ptr_nonnull(envelope->bytes);
	memcpy(envelope->bytes, bytes, size);
	envelope->size = size;
}

/* What ends a side because somebody wants it to, or because its machine does. */
static bool ends_side(const model *m, const model_action *action, const model_side *side)
{
	switch (action->call) {
	case CALL_NEW_DESTINATION:
	case CALL_MACHINE_EXIT:
	case CALL_LOSE:
		return true;
	case CALL_TERMINATE:
		return side->vm != LCOWMIG_VM_NOT_CREATED;
	case CALL_STOP:
		return true;
	case CALL_ABANDON:
		return side->session != 0;
	case CALL_CLEANUP:
		return action->on_destination && m->destination.state == LCOWMIG_MIGRATION_CANCELLED;
	default:
		return false;
	}
}

static void note_purpose(model *m, const model_action *action, lcowmig_status gate)
{
	const model_side *side = action->on_destination ? &m->destination : &m->source;
	test_side *world_side = model_world_side(m, action->on_destination);

	if (gate != LCOWMIG_OK)
		return;
	if (action->call == CALL_RELEASE && !m->is_lost[0] && !m->is_lost[1] && m->destination.session != m->source.session)
		world_side->was_abandoned = true; /* given to nobody */
	if (!ends_side(m, action, side))
		return;
	world_side->was_abandoned = true;
	if (action->call == CALL_NEW_DESTINATION && !lcowmig_migration_has_right(m->world->source.m))
		m->world->source.was_abandoned = true;
	m->ended_on_purpose[action->on_destination] = true;
}

/* Nothing but the exit of a machine that is being ended is still to come. */
static void deliver_exit(const model *m, const model_action *action, const test_done *done)
{
	test_side *side = model_world_side(m, action->on_destination);
	unsigned i;

	if (!done->calls && side->sandbox->env.system && !side->vm_exit_is_told)
		world_kill_vm(m->world, side);
	for (i = 0; i < 100 && !done->calls; i++)
		test_host_advance(side->host, UINT64_C(1000000000));
}

static void check_done(const model *m)
{
	size_t i;

	for (i = 0; i < m->n_steps; i++)
		ck_assert_msg(m->done[i].calls <= (m->pending[i] ? 1 : 0), "done of step %zu was called %d times", i + 1, m->done[i].calls);
}

static void check_status(const model_action *action, const model_expected *expected, lcowmig_status status, const test_done *done)
{
	if (expected->is_exact)
		ck_assert_msg(status == expected->status, "the call ends with %s (%s), the reference says %s", lcowmig_status_name(status),
			      done->message, lcowmig_status_name(expected->status));
	else
		ck_assert_msg((reference_bit(status) & expected->statuses) != 0,
			      "the call ends with %s (%s), which the reference rules out", lcowmig_status_name(status), done->message);
	if (action->outcome == OUTCOME_HOLD && action->call != CALL_TRANSFER && action->call != CALL_REGISTER &&
	    expected->statuses & reference_bit(LCOWMIG_PENDING) && reference_ops(&expected->side, action) && !expected->is_exact)
		ck_assert_msg(status == LCOWMIG_PENDING || done->calls || status != LCOWMIG_OK || action->call == CALL_CANCEL,
			      "the call should be pending");
}

static void check_sides(model *m, const model_action *action, const model_expected *expected, const model_busy *was_busy)
{
	model_side *side = action->on_destination ? &m->destination : &m->source;
	model_side *other = action->on_destination ? &m->source : &m->destination;
	const test_side *world_side = model_world_side(m, action->on_destination);
	const test_side *other_side = model_world_side(m, !action->on_destination);
	lcowmig_migration_state state = lcowmig_migration_get_state(world_side->m);

	if (expected->is_exact) {
		*side = expected->side;
		compare_side(m, world_side, side);
	} else {
		ck_assert_msg(reference_may_move(was_busy, action, side->state, state), "%s: the session went from %s to %s",
			      world_side->name, lcowmig_migration_state_name(side->state), lcowmig_migration_state_name(state));
		sync_side(m, world_side, side);
	}
	compare_side(m, other_side, other);
}

void model_note_run(model *m)
{
	lcowmig_vm_state state = lcowmig_vm_get_state(lcowmig_sandbox_vm(m->world->destination.sandbox));

	m->destination_ran =
		m->destination_ran || (!m->is_lost[1] && (state == LCOWMIG_VM_RUNNING || state == LCOWMIG_VM_MIGRATION_FINALIZED));
}

void model_apply(model *m, const model_action *action)
{
	model_side *side = action->on_destination ? &m->destination : &m->source;
	test_done *done = &m->done[m->n_steps];
	model_busy busy = model_see_busy(model_world_side(m, action->on_destination));
	model_expected expected;
	lcowmig_status status;
	bool had_ended;

	trace_step(action);
	ck_assert_uint_lt(m->n_steps, MODEL_MAX_STEPS);
	if (action->call == CALL_PREPARE_SOURCE && reference_gate(m, side, &busy, action) == LCOWMIG_OK)
		m->n_sessions++;
	reference_expect(m, side, &busy, action, &expected);
	had_ended = m->ended_on_purpose[action->on_destination];
	note_purpose(m, action, reference_gate(m, side, &busy, action));
	status = model_perform(m, action, done);
	m->pending[m->n_steps++] = status == LCOWMIG_PENDING ? model_pending_as(action) : 0;
	if (status == LCOWMIG_PENDING && expected.is_exact)
		deliver_exit(m, action, done);
	if (done->calls)
		status = done->status;
	m->last_status = status;
	check_status(action, &expected, status, done);
	if (action->call == CALL_PREPARE_SOURCE && expected.is_exact && status == LCOWMIG_E_HOST_FAILED)
		m->n_sessions--; /* there was none */
	if (action->call == CALL_NEW_DESTINATION)
		model_sync(m, true);
	else
		check_sides(m, action, &expected, &busy);
	keep_envelope(m);
	if (action->call == CALL_ABANDON && expected.is_exact && side->vm == LCOWMIG_VM_RUNNING) { /* it runs on */
		m->ended_on_purpose[action->on_destination] = had_ended;
		model_world_side(m, action->on_destination)->was_abandoned = had_ended;
	}
	if (m->destination.session)
		m->destination_sessions |= 1u << m->destination.session;
	model_note_run(m);
	if (action->call == CALL_RESUME && action->argument == TOKEN_FORCE && (status == LCOWMIG_OK || status == LCOWMIG_PENDING))
		m->n_forced++;
	m->world->is_forced = m->n_forced > 0;
	invariants_check(m->world);
	check_done(m);
	model_prune(m);
}
