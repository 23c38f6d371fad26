/*
 * The model at random: long sequences of any actions, with a seed for each that repeats it. Wherever one gets that its process has not seen
 * before, one of the things that may have happened to the orchestrator is tried, and the walk goes on as if it had not.
 *
 *     MODEL_SEED      of the first sequence (default 1); each next one has the next seed
 *     MODEL_LENGTH    steps of a sequence (default 64)
 *     MODEL_STEPS     of all sequences together (default below)
 *     MODEL_WORKERS   how many processes share the work (default 2)
 *     MODEL_ARENA     0: with the C library's memory, for sanitizers; then something is tried only at the end of each sequence
 */
#define _DEFAULT_SOURCE /* setenv */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "rows.h"
#include "workers.h"

#define DEFAULT_LENGTH 64
#ifndef DEFAULT_STEPS
#define DEFAULT_STEPS 10000000
#endif

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* How likely an action is, of 48: what goes forward often, what ends everything seldom. */
static unsigned weigh(const model_action *action)
{
	switch (action->call) {
	case CALL_LOSE:
	case CALL_MACHINE_EXIT:
	case CALL_TERMINATE:
	case CALL_ABANDON:
		return 1;
	case CALL_PROCESS_EXIT:
	case CALL_FORGET:
	case CALL_TIME:
		return 3;
	case CALL_RESUME:
		return action->argument == TOKEN_FORCE ? 2 : 12;
	case CALL_CANCEL:
	case CALL_STOP:
		return 5;
	case CALL_COMPLETE:
		return 48;
	case CALL_PREPARE_SOURCE:
	case CALL_EXPORT:
	case CALL_IMPORT:
	case CALL_PATCH:
	case CALL_PREPARE_DESTINATION:
	case CALL_REGISTER:
	case CALL_TRANSFER:
		return action->outcome == OUTCOME_OK ? 48 : 8;
	default:
		return 16;
	}
}

/* A refusal is soon tried; most steps should lead somewhere. */
static bool is_refused(const model *m, const model_action *action)
{
	const model_side *side = action->on_destination ? &m->destination : &m->source;
	model_busy busy = model_see_busy(model_world_side(m, action->on_destination));

	return reference_gate(m, side, &busy, action) != LCOWMIG_OK;
}

static const model_action *choose(const model *m, uint64_t *random)
{
	size_t n_actions, i;
	const model_action *actions = model_actions(&n_actions);

	for (i = 0; i < 10000; i++) {
		const model_action *action = &actions[next_random(random) % n_actions];

		if (next_random(random) % 48 < weigh(action) && model_applies(m, action) &&
		    (next_random(random) % 6 == 0 || !is_refused(m, action)))
			return action;
	}
	ck_abort_msg("there is nothing left to do");
	return NULL;
}

/* ---- Walking ---- */

#define SEEN_SIZE ((size_t)1 << 21)

static model m;
static arena_copy *here, *beginnings[2]; /* NULL: without the arena */
static uint64_t *seen;                   /* keys, as far as there is room */

typedef struct tally {
	uint64_t steps, walks, probes;
} tally;
static tally *tallies; /* of the workers */

static void begin(uint64_t seed)
{
	unsigned which = (unsigned)(seed % 2);

	trace_clear(seed);
	if (beginnings[which]) {
		arena_restore(beginnings[which], &m);
		return;
	}
	if (here)
		arena_use(true);
	model_begin(&m, 1 + which);
	if (here) {
		beginnings[which] = arena_copy_new();
		arena_save(beginnings[which], &m);
	}
}

static model_probe choose_probe(uint64_t *random)
{
	model_probe probe = (model_probe)(next_random(random) % N_PROBES);

	return recover_applies(&m, probe) ? probe : PROBE_RESTART;
}

/* What is chosen must not depend on what others have seen: a seed is to repeat its walk. */
static void probe_what_is_new(uint64_t seed, unsigned step, tally *t)
{
	uint64_t random = seed * 1000 + step;
	uint64_t key = model_key(&m);

	if (!here || seen[key % SEEN_SIZE] == key)
		return;
	seen[key % SEEN_SIZE] = key;
	arena_save(here, &m);
	model_end(&m, choose_probe(&random));
	arena_restore(here, &m);
	t->probes++;
}

static void walk(uint64_t seed, unsigned depth, tally *t)
{
	uint64_t random = seed * UINT64_C(0x2545f4914f6cdd1d);
	unsigned i;

	begin(seed);
	m.knows_force = next_random(&random) % 8 == 0;
	for (i = 0; i < depth; i++) {
		model_apply(&m, choose(&m, &random));
		probe_what_is_new(seed, i, t);
	}
	model_end(&m, choose_probe(&random));
	t->steps += depth;
	t->walks++;
	t->probes++;
}

static void walk_some(unsigned worker, void *user)
{
	uint64_t seed = trace_number("MODEL_SEED", 1), limit = trace_number("MODEL_STEPS", DEFAULT_STEPS);
	unsigned n_workers = workers_count();
	unsigned depth = *(const unsigned *)user;
	tally *t = &tallies[worker];
	uint64_t i;

	for (i = worker; i * depth < limit; i += n_workers)
		walk(seed + i, depth, t);
}

/* */
START_TEST(test_any_order_of_calls_at_random)
{
	unsigned depth = (unsigned)trace_number("MODEL_LENGTH", DEFAULT_LENGTH);
	tally all = { 0 };
	unsigned w;

	if (depth > MODEL_MAX_STEPS / 2)
		depth = MODEL_MAX_STEPS / 2;
	trace_slot(0, "the walk");
	tallies = rows_shared_memory(WORKERS_MAX * sizeof *tallies);
	seen = rows_shared_memory(SEEN_SIZE * sizeof *seen);
	ck_assert(tallies && seen);
	if (trace_number("MODEL_ARENA", 1))
		here = arena_copy_new();
	workers_run(0, "the walk", walk_some, &depth);
	if (here)
		arena_use(false);
	for (w = 0; w < WORKERS_MAX; w++) {
		all.steps += tallies[w].steps;
		all.walks += tallies[w].walks;
		all.probes += tallies[w].probes;
	}
	printf("walked: %llu steps in %llu sequences of %u from seed %llu, %llu recoveries\n", (unsigned long long)all.steps,
	       (unsigned long long)all.walks, depth, (unsigned long long)trace_number("MODEL_SEED", 1), (unsigned long long)all.probes);
	fflush(stdout);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("walk");
	TCase *tcase = tcase_create("walk");
	SRunner *runner;
	int failed;

	rows_begin();
	trace_begin();
	setenv("TEST_HOST_QUIET", "1", 0);
	tcase_set_timeout(tcase, 0);
	tcase_add_test(tcase, test_any_order_of_calls_at_random);
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
