/*
 * Every order of calls: the states of the model that can be reached, each with every action that makes sense in it. States are told apart
 * by their key and rebuilt by repeating the calls that led there; a walk goes on for as long as it finds actions that nobody has tried.
 *
 *     MODEL_DEPTH         how many steps from the beginning (default 24)
 *     MODEL_TRANSITIONS   how many transitions at most (default below); 0: all of them
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"
#include "rows.h"

#define DEFAULT_DEPTH 24
#define DEFAULT_TRANSITIONS 150000

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
} space;

static space found;

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
		if (!model_applies(m, &actions[action]))
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
	static unsigned level;
	static uint32_t next;

	for (; level < max_depth; level++, next = 0) {
		for (; next < found.n_states; next++) {
			if (found.states[next].depth == level && found.states[next].next_action < n_actions) {
				*at = next;
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

START_TEST(test_every_order_of_calls)
{
	unsigned max_depth = (unsigned)trace_number("MODEL_DEPTH", DEFAULT_DEPTH);
	uint64_t limit = trace_number("MODEL_TRANSITIONS", DEFAULT_TRANSITIONS);
	static model m;
	size_t n_actions;
	uint32_t at = 0;

	trace_slot(0, "the exploration");
	model_actions(&n_actions);
	table_grow();
	trace_clear(0);
	model_begin(&m, 1);
	visit(model_key(&m), 0, 0, 0);
	do {
		found.walks++;
		if (found.walks > 1) {
			trace_clear(0);
			model_begin(&m, 1);
		}
		replay(&m, at);
		wander(&m, at, max_depth);
		model_end(&m);
	} while (find_open(&at, max_depth, n_actions) && (!limit || found.transitions < limit));
	printf("explored: %zu states, %llu transitions (%llu of them change something), complete to depth %u, deepest %u, %llu sequences\n",
	       found.n_states, (unsigned long long)found.transitions, (unsigned long long)found.changes,
	       complete_depth(max_depth, n_actions), found.deepest, (unsigned long long)found.walks);
	fflush(stdout);
	free(found.states);
	free(found.table);
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
	tcase_add_test(tcase, test_every_order_of_calls);
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
