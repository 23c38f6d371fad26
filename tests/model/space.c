#include "space.h"

#include <stdio.h>

#include "arena.h"
#include "rows.h"
#include "workers.h"

#define MAX_DEPTH 63
#define MERGES_MAX 20000 /* of each worker, to be tried */

typedef struct state {
	uint64_t key;
	uint64_t answers; /* what every action was answered, and where it led; 0: not tried */
	uint32_t parent;
	uint16_t action;
	uint16_t depth;
} state;

/* Found by a worker: a state that the layers so far do not have, or another way to one that they do. */
typedef struct finding {
	uint64_t key;
	uint32_t parent;
	uint16_t action;
} finding;

typedef struct worker {
	size_t transitions, changes, probes, merges_tried;
	size_t n_findings, n_merges;
	unsigned merge_in; /* so many until the next one is kept */
} worker;

/* In memory that the processes share. */
static struct space {
	state *states;
	uint32_t *table; /* by key: number + 1 */
	worker *workers;
	finding *findings, *merges; /* a part for each worker */
} space;

static size_t max_states, table_size;
static size_t n_states;
static unsigned n_workers;
static unsigned merge_each;
static const exploration *current;

static model m;
static arena_copy *at_the_beginning, *here;

/* ---- The table ---- */

static uint32_t *find_place(uint64_t key)
{
	size_t at = (size_t)(key & (table_size - 1));

	while (space.table[at] && space.states[space.table[at] - 1].key != key)
		at = (at + 1) & (table_size - 1);
	return &space.table[at];
}

static bool add_state(uint64_t key, uint32_t parent, unsigned action, unsigned depth)
{
	uint32_t *place = find_place(key);
	state *s = &space.states[n_states];

	if (*place)
		return false;
	ck_assert_msg(n_states < max_states, "more than %zu states: set MODEL_STATES", max_states);
	s->key = key;
	s->parent = parent;
	s->action = (uint16_t)action;
	s->depth = (uint16_t)depth;
	*place = (uint32_t)++n_states;
	return true;
}

/* ---- Being somewhere ---- */

static bool has_action(const model_action *action)
{
	if (action->on_destination ? !current->has_destination : !current->has_source)
		return false;
	return current->has_failures || action->outcome == OUTCOME_OK;
}

/* The ordinary migration up to a point. */
static void advance(world_point to)
{
	static const struct {
		world_point point;
		model_action action;
	} steps[] = {
		{ WORLD_PREPARED, { CALL_PREPARE_SOURCE, 0, 0, OUTCOME_OK, OP_EXIT } },
		{ WORLD_EXPORTED, { CALL_EXPORT, 0, 0, OUTCOME_OK, OP_EXIT } },
		{ WORLD_IMPORTED, { CALL_IMPORT, 1, 0, OUTCOME_OK, OP_EXIT } },
		{ WORLD_PATCHED, { CALL_PATCH, 1, 0, OUTCOME_OK, OP_EXIT } },
		{ WORLD_READY, { CALL_PREPARE_DESTINATION, 1, 0, OUTCOME_OK, OP_EXIT } },
		{ WORLD_CONNECTED, { CALL_REGISTER, 0, 0, OUTCOME_OK, OP_EXIT } },
		{ WORLD_CONNECTED, { CALL_REGISTER, 1, 0, OUTCOME_OK, OP_EXIT } },
		{ WORLD_TRANSFERRED, { CALL_TRANSFER, 0, 0, OUTCOME_OK, OP_EXIT } },
		{ WORLD_TRANSFERRED, { CALL_TRANSFER, 1, 0, OUTCOME_OK, OP_EXIT } },
		{ WORLD_RELEASED, { CALL_RELEASE, 0, 0, OUTCOME_OK, OP_EXIT } },
		{ WORLD_RESUMED, { CALL_RESUME, 1, TOKEN_NEWEST, OUTCOME_OK, OP_EXIT } },
	};
	size_t i;

	for (i = 0; to != FROM_THE_BEGINNING && i < sizeof steps / sizeof steps[0]; i++)
		if (steps[i].point <= to)
			model_apply(&m, &steps[i].action);
}

static void begin(void)
{
	trace_clear(0);
	arena_use(true);
	model_begin(&m, 1);
	m.max_sessions = current->max_sessions;
	m.max_destinations = current->max_sessions;
	advance(current->from);
	at_the_beginning = arena_copy_new();
	here = arena_copy_new();
	arena_save(at_the_beginning, &m);
}

static void go_to(uint32_t number)
{
	const model_action *actions;
	uint16_t path[MAX_DEPTH];
	size_t count = 0, n_actions;
	uint32_t at;

	actions = model_actions(&n_actions);
	for (at = number; space.states[at].depth > 0; at = space.states[at].parent)
		path[count++] = space.states[at].action;
	arena_restore(at_the_beginning, &m);
	while (count > 0)
		model_apply(&m, &actions[path[--count]]);
	ck_assert_msg(model_key(&m) == space.states[number].key, "the same calls lead to another state");
}

/* ---- A state's worth of work ---- */

static uint64_t mix(uint64_t sum, uint64_t value)
{
	value ^= sum;
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static void note_finding(unsigned w, uint64_t key, uint32_t parent, unsigned action)
{
	worker *me = &space.workers[w];
	finding *f;

	if (*find_place(key)) {
		if (space.states[*find_place(key) - 1].key == space.states[parent].key || me->n_merges == MERGES_MAX || me->merge_in-- > 1)
			return;
		me->merge_in = merge_each;
		f = &space.merges[w * MERGES_MAX + me->n_merges++];
	} else {
		ck_assert_uint_lt(me->n_findings, max_states);
		f = &space.findings[w * max_states + me->n_findings++];
	}
	f->key = key;
	f->parent = parent;
	f->action = (uint16_t)action;
}

/* Each action from here, which is kept in `here`. Returns what came of them; `visit` gets each new key. */
static uint64_t try_all(void (*visit)(void *user, unsigned action, uint64_t key), void *user)
{
	size_t n_actions, i;
	const model_action *actions = model_actions(&n_actions);
	uint64_t answers = 1;

	for (i = 0; i < n_actions; i++) {
		uint64_t key;

		if (!has_action(&actions[i]) || !model_applies(&m, &actions[i]))
			continue;
		model_apply(&m, &actions[i]);
		key = model_key(&m);
		visit(user, (unsigned)i, key);
		answers = mix(mix(answers, i << 32 | (uint32_t)m.last_status), key);
		arena_restore(here, &m);
	}
	return answers;
}

typedef struct place {
	unsigned worker;
	uint32_t number;
} place;

static void visit_action(void *user, unsigned action, uint64_t key)
{
	const place *from = user;
	worker *me = &space.workers[from->worker];

	me->transitions++;
	me->changes += key != space.states[from->number].key;
	note_finding(from->worker, key, from->number, action);
}

static void probe_all(worker *me)
{
	int probe;

	for (probe = 0; probe < N_PROBES; probe++) {
		if (!recover_applies(&m, (model_probe)probe))
			continue;
		model_end(&m, (model_probe)probe);
		me->probes++;
		arena_restore(here, &m);
	}
}

typedef struct layer {
	size_t first, end;
	bool is_last;
} layer;

static void work_on_layer(unsigned w, void *user)
{
	const layer *l = user;
	place from = { .worker = w };
	size_t i;

	for (i = l->first + w; i < l->end; i += n_workers) {
		from.number = (uint32_t)i;
		go_to((uint32_t)i);
		arena_save(here, &m);
		if (!l->is_last)
			space.states[i].answers = try_all(visit_action, &from);
		probe_all(&space.workers[w]);
	}
}

/* ---- Whether a key says enough ---- */

static struct answer {
	unsigned action;
	uint64_t key;
} kept_answers[512];
static size_t n_kept_answers;

static void visit_keep(void *user, unsigned action, uint64_t key)
{
	(void)user;
	ck_assert_uint_lt(n_kept_answers, sizeof kept_answers / sizeof kept_answers[0]);
	kept_answers[n_kept_answers].action = action;
	kept_answers[n_kept_answers++].key = key;
}

static void visit_compare(void *user, unsigned action, uint64_t key)
{
	size_t n_actions;
	const model_action *actions = model_actions(&n_actions);
	size_t *at = user;
	char text[128];

	model_describe(&actions[action], text, sizeof text);
	ck_assert_msg(*at < n_kept_answers && kept_answers[*at].action == action, "on another way to the same key this can be done: %s",
		      text);
	ck_assert_msg(kept_answers[*at].key == key, "on another way to the same key this leads elsewhere: %s", text);
	++*at;
}

static void visit_nothing(void *user, unsigned action, uint64_t key)
{
	(void)user;
	(void)action;
	(void)key;
}

static void explain_merge(uint32_t number)
{

	n_kept_answers = 0;
	go_to(number);
	trace_print_current("the way that was kept");
	arena_save(here, &m);
	try_all(visit_keep, NULL);
}

static void try_merges(unsigned w, void *user)
{
	size_t n_actions, i;
	const model_action *actions = model_actions(&n_actions);

	(void)user;
	for (i = 0; i < space.workers[w].n_merges; i++) {
		const finding *f = &space.merges[w * MERGES_MAX + i];
		uint32_t number = *find_place(f->key) - 1;
		size_t at = 0;

		if (!space.states[number].answers)
			continue;
		go_to(f->parent);
		model_apply(&m, &actions[f->action]);
		arena_save(here, &m);
		space.workers[w].merges_tried++;
		if (try_all(visit_nothing, NULL) == space.states[number].answers)
			continue;
		explain_merge(number);
		go_to(f->parent);
		model_apply(&m, &actions[f->action]);
		arena_save(here, &m);
		try_all(visit_compare, &at);
		ck_assert_msg(at == n_kept_answers, "on another way to the same key less can be done");
		ck_abort_msg("on another way to the same key something is answered with another status");
	}
}

/* ---- All of it ---- */

static void take_findings(unsigned depth)
{
	unsigned w;
	size_t i;

	for (w = 0; w < n_workers; w++) {
		const finding *f = &space.findings[w * max_states];

		for (i = 0; i < space.workers[w].n_findings; i++)
			add_state(f[i].key, f[i].parent, f[i].action, depth);
		space.workers[w].n_findings = 0;
	}
}

static void make_space(void)
{
	max_states = (size_t)trace_number("MODEL_STATES", 2000000);
	n_workers = workers_count();
	merge_each = (unsigned)trace_number("MODEL_MERGES", 50);
	for (table_size = 1024; table_size < max_states * 2;)
		table_size *= 2;
	if (!space.states) {
		space.states = rows_shared_memory(max_states * sizeof *space.states);
		space.table = rows_shared_memory(table_size * sizeof *space.table);
		space.workers = rows_shared_memory(WORKERS_MAX * sizeof *space.workers);
		space.findings = rows_shared_memory(n_workers * max_states * sizeof *space.findings);
		space.merges = rows_shared_memory((size_t)n_workers * MERGES_MAX * sizeof *space.merges);
	}
	ck_assert(space.states && space.table && space.workers && space.findings && space.merges);
	memset(space.table, 0, table_size * sizeof *space.table);
	memset(space.workers, 0, WORKERS_MAX * sizeof *space.workers);
	n_states = 0;
}

static void report(space_report *ret_report)
{
	unsigned w;

	ret_report->states = n_states;
	for (w = 0; w < n_workers; w++) {
		ret_report->transitions += space.workers[w].transitions;
		ret_report->changes += space.workers[w].changes;
		ret_report->probes += space.workers[w].probes;
		ret_report->merges_tried += space.workers[w].merges_tried;
	}
}

void space_explore(const exploration *what, unsigned slot, space_report *ret_report)
{
	layer l = { 0 };
	unsigned depth;

	ck_assert_uint_le(what->depth, MAX_DEPTH);
	memset(ret_report, 0, sizeof *ret_report);
	current = what;
	make_space();
	trace_slot(slot, what->name);
	begin();
	add_state(model_key(&m), 0, 0, 0);
	for (depth = 0; l.first < n_states; depth++) {
		l.end = n_states;
		l.is_last = depth == what->depth;
		ret_report->layers[depth] = l.end - l.first;
		ret_report->depth = depth;
		workers_run(slot, what->name, work_on_layer, &l);
		if (l.is_last)
			break;
		take_findings(depth + 1);
		l.first = l.end;
	}
	ret_report->is_all = !l.is_last;
	workers_run(slot, what->name, try_merges, NULL);
	report(ret_report);
	arena_restore(at_the_beginning, &m);
	model_end(&m, PROBE_RESTART);
	arena_copy_free(at_the_beginning);
	arena_copy_free(here);
	arena_use(false);
	trace_clear(0);
}
