/*
 * The model at random: long sequences of any actions, with a seed for each that repeats it.
 *
 *     MODEL_SEED    of the first sequence (default 1); each next one has the next seed
 *     MODEL_DEPTH   steps of a sequence (default 64)
 *     MODEL_STEPS   of all sequences together (default below)
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"
#include "rows.h"

#define DEFAULT_DEPTH 64
#ifndef DEFAULT_STEPS
#define DEFAULT_STEPS 1000000
#endif

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* How likely an action is: what goes forward often, what ends everything seldom. */
static unsigned weigh(const model_action *action)
{
	switch (action->call) {
	case CALL_MACHINE_EXIT:
	case CALL_TERMINATE:
	case CALL_ABANDON:
	case CALL_PROCESS_EXIT:
	case CALL_TIME:
		return 1;
	case CALL_RESUME:
		return action->argument == TOKEN_FORCE ? 1 : 4;
	case CALL_CANCEL:
	case CALL_STOP:
		return 2;
	case CALL_COMPLETE:
		return 12;
	case CALL_PREPARE_SOURCE:
	case CALL_EXPORT:
	case CALL_IMPORT:
	case CALL_PATCH:
	case CALL_PREPARE_DESTINATION:
	case CALL_REGISTER:
	case CALL_TRANSFER:
		return action->outcome == OUTCOME_OK ? 12 : 3;
	default:
		return 4;
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

		if (next_random(random) % 12 < weigh(action) && model_applies(m, action) &&
		    (next_random(random) % 6 == 0 || !is_refused(m, action)))
			return action;
	}
	ck_abort_msg("there is nothing left to do");
	return NULL;
}

static uint64_t walk(uint64_t seed, unsigned depth)
{
	uint64_t random = seed * UINT64_C(0x2545f4914f6cdd1d);
	static model m;
	unsigned i;

	trace_clear(seed);
	model_begin(&m, 1 + (unsigned)(seed % 2));
	m.knows_force = next_random(&random) % 8 == 0;
	for (i = 0; i < depth; i++)
		model_apply(&m, choose(&m, &random));
	model_end(&m);
	return depth;
}

/* */
START_TEST(test_any_order_of_calls_at_random)
{
	uint64_t seed = trace_number("MODEL_SEED", 1), limit = trace_number("MODEL_STEPS", DEFAULT_STEPS);
	unsigned depth = (unsigned)trace_number("MODEL_DEPTH", DEFAULT_DEPTH);
	uint64_t steps = 0, walks = 0;

	trace_slot(0, "the walk");
	if (depth > MODEL_MAX_STEPS / 2)
		depth = MODEL_MAX_STEPS / 2;
	for (; steps < limit; walks++)
		steps += walk(seed + walks, depth);
	printf("walked: %llu steps in %llu sequences of %u, seeds %llu to %llu\n", (unsigned long long)steps, (unsigned long long)walks, depth,
	       (unsigned long long)seed, (unsigned long long)(seed + walks - 1));
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
