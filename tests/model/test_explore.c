/*
 * Every order of calls: the states of the model that can be reached, each with every action that makes sense in it. States are told apart
 * by their key and rebuilt by repeating the calls that led there; a walk goes on for as long as it finds actions that nobody has tried.
 *
 * The two sides hardly know of each other, so the states of both together are as many as the products of each. That is why there are
 * several explorations: each side alone, in every way and as far as it goes; both with hosts that do what they are asked; and both in every
 * way from each point of a migration.
 *
 *     MODEL_DEPTH         how many steps from where it begins, instead of each exploration's own
 *     MODEL_TRANSITIONS   how many transitions at most in each (default below); 0: all of them
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "rows.h"

#define DEFAULT_TRANSITIONS 60000

typedef struct state {
	uint64_t key;
	uint32_t parent;
	uint16_t parent_action;
	uint16_t depth;
	uint16_t next_action; /* the first that nobody has tried */
} state;

typedef struct space {
	state *states;
	size_t n_states, room;
	uint32_t *table; /* by key: number + 1 */
	size_t table_size;
	uint64_t transitions, changes, walks;
	unsigned deepest;
	unsigned level; /* of the search for states with something left to try */
	uint32_t next;
} space;

static space found;

/* Which actions an exploration has, where it begins, and how far it goes. */
typedef struct exploration {
	const char *name;
	world_point from; /* the steps of a migration before */
	bool has_source, has_destination;
	bool has_failures; /* host calls that fail or stay pending */
	unsigned depth;
	unsigned max_sessions;
} exploration;

#define FROM_THE_BEGINNING WORLD_POINTS
static const exploration explorations[] = {
	{ "the source alone", FROM_THE_BEGINNING, true, false, true, 40, 1 },
	{ "the source alone, two sessions", FROM_THE_BEGINNING, true, false, false, 40, 2 },
	{ "the destination alone, imported", WORLD_EXPORTED, false, true, true, 40, 1 },
	{ "the destination alone, transferred", WORLD_TRANSFERRED, false, true, true, 40, 1 },
	{ "both, willing hosts", FROM_THE_BEGINNING, true, true, false, 40, 2 },
	{ "both, from the beginning", FROM_THE_BEGINNING, true, true, true, 5, 2 },
	{ "both, patched", WORLD_PATCHED, true, true, true, 4, 2 },
	{ "both, connected", WORLD_CONNECTED, true, true, true, 4, 2 },
	{ "both, transferred", WORLD_TRANSFERRED, true, true, true, 4, 2 },
	{ "both, released", WORLD_RELEASED, true, true, true, 4, 2 },
	{ "both, resumed", WORLD_RESUMED, true, true, true, 4, 2 },
};
#define N_EXPLORATIONS (sizeof explorations / sizeof explorations[0])

static const exploration *current;

static bool has_action(const model_action *action)
{
	if (action->on_destination ? !current->has_destination : !current->has_source)
		return false;
	return current->has_failures || action->outcome == OUTCOME_OK;
}

/* The ordinary migration up to a point. */
static void advance(model *m, world_point to)
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
			model_apply(m, &steps[i].action);
}

static void begin(model *m)
{
	trace_clear(0);
	model_begin(m, 1);
	m->max_sessions = current->max_sessions;
	m->max_destinations = current->max_sessions;
	advance(m, current->from);
}

static void table_put(uint32_t number)
{
	size_t at = (size_t)(found.states[number].key & (found.table_size - 1));

	while (found.table[at])
		at = (at + 1) & (found.table_size - 1);
	found.table[at] = number + 1;
}

static void table_grow(void)
{
	size_t i;

	free(found.table);
	found.table_size = found.table_size ? found.table_size * 2 : 1 << 16;
	found.table = calloc(found.table_size, sizeof *found.table);
	ck_assert_ptr_nonnull(found.table);
	for (i = 0; i < found.n_states; i++)
		table_put((uint32_t)i);
}

/* The number of the state with this key, which is new or perhaps nearer than it was known to be. */
static uint32_t visit(uint64_t key, uint32_t parent, unsigned action, unsigned depth)
{
	size_t at = (size_t)(key & (found.table_size - 1));
	state *s;

	for (; found.table_size && found.table[at]; at = (at + 1) & (found.table_size - 1)) {
		s = &found.states[found.table[at] - 1];
		if (s->key != key)
			continue;
		if (depth < s->depth) {
			s->depth = (uint16_t)depth;
			s->parent = parent;
			s->parent_action = (uint16_t)action;
		}
		return found.table[at] - 1;
	}
	if (found.n_states == found.room) {
		found.room = found.room ? found.room * 2 : 1 << 12;
		found.states = realloc(found.states, found.room * sizeof *found.states);
		ck_assert_ptr_nonnull(found.states);
	}
	s = &found.states[found.n_states++];
	s->key = key;
	s->parent = parent;
	s->parent_action = (uint16_t)action;
	s->depth = (uint16_t)depth;
	s->next_action = 0;
	if (depth > found.deepest)
		found.deepest = depth;
	if (found.n_states * 2 > found.table_size)
		table_grow();
	else
		table_put((uint32_t)found.n_states - 1);
	return (uint32_t)found.n_states - 1;
}

static void replay(model *m, uint32_t to)
{
	const model_action *actions;
	uint16_t path[MODEL_MAX_STEPS];
	size_t count = 0, n_actions;
	uint32_t at;

	actions = model_actions(&n_actions);
	for (at = to; found.states[at].depth > 0; at = found.states[at].parent)
		path[count++] = found.states[at].parent_action;
	ck_assert_uint_le(count, found.states[to].depth); /* a shorter way to one of them may have been found since */
	while (count > 0)
		model_apply(m, &actions[path[--count]]);
	ck_assert_msg(model_key(m) == found.states[to].key, "the same calls lead to another state");
}

/* Tries what nobody has tried, and goes where that leads. */
static void wander(model *m, uint32_t at, unsigned max_depth)
{
	size_t n_actions;
	const model_action *actions = model_actions(&n_actions);

	while (found.states[at].depth < max_depth && m->n_steps < MODEL_MAX_STEPS / 2) {
		uint32_t before = at;
		unsigned action = found.states[at].next_action++;

		if (action >= n_actions) {
			found.states[at].next_action = (uint16_t)n_actions;
			return;
		}
		if (!has_action(&actions[action]) || !model_applies(m, &actions[action]))
			continue;
		model_apply(m, &actions[action]);
		at = visit(model_key(m), before, action, found.states[before].depth + 1u);
		found.transitions++;
		found.changes += at != before;
	}
}

/* The nearest state that has something left to try; the search goes round, level by level. */
static bool find_open(uint32_t *at, unsigned max_depth, size_t n_actions)
{
	for (; found.level < max_depth; found.level++, found.next = 0) {
		for (; found.next < found.n_states; found.next++) {
			if (found.states[found.next].depth == found.level && found.states[found.next].next_action < n_actions) {
				*at = found.next;
				return true;
			}
		}
	}
	return false;
}

/* Up to this depth every action of every state was tried. */
static unsigned complete_depth(unsigned max_depth, size_t n_actions)
{
	unsigned depth = max_depth;
	size_t i;

	for (i = 0; i < found.n_states; i++)
		if (found.states[i].depth < depth && found.states[i].next_action < n_actions)
			depth = found.states[i].depth;
	return depth;
}

/* whatever the order. */
START_TEST(test_every_order_of_calls)
{
	uint64_t limit = trace_number("MODEL_TRANSITIONS", DEFAULT_TRANSITIONS);
	unsigned max_depth, complete;
	static model m;
	size_t n_actions;
	uint32_t at = 0;

	current = &explorations[_i];
	max_depth = (unsigned)trace_number("MODEL_DEPTH", current->depth);
	memset(&found, 0, sizeof found);
	trace_slot((unsigned)_i, current->name);
	model_actions(&n_actions);
	table_grow();
	do {
		begin(&m);
		if (!found.n_states)
			visit(model_key(&m), 0, 0, 0);
		replay(&m, at);
		wander(&m, at, max_depth);
		model_end(&m);
		found.walks++;
	} while (find_open(&at, max_depth, n_actions) && (!limit || found.transitions < limit));
	complete = complete_depth(max_depth, n_actions);
	printf("%-36s %7zu states, %8llu transitions (%7llu to another state), depth %2u, %s %u, %6llu sequences\n", current->name,
	       found.n_states, (unsigned long long)found.transitions, (unsigned long long)found.changes, found.deepest,
	       complete > found.deepest ? "all of it, the limit was" : "complete to", complete, (unsigned long long)found.walks);
	fflush(stdout);
	free(found.states);
	free(found.table);
	memset(&found, 0, sizeof found);
	trace_clear(0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explore");
	TCase *tcase = tcase_create("explore");
	SRunner *runner;
	int failed;

	rows_begin();
	trace_begin();
	tcase_set_timeout(tcase, 0);
	tcase_add_loop_test(tcase, test_every_order_of_calls, 0, N_EXPLORATIONS);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	if (failed)
		trace_print();
	rows_print(false);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
