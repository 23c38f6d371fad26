/*
 * The state tables. Each is sound in itself; the gate answers every state with every trigger as the table says; and each row is taken by
 * some test of a controller or of the model: the unit suites and a walk run here once more, with their rows counted.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "rows.h"

/* ---- The gate ---- */

static char last_message[512];

static void keep_message(void *user, lcowmig_log_level level, const char *message)
{
	(void)user;
	(void)level;
	snprintf(last_message, sizeof last_message, "%s", message);
}

static void *plain_allocate(void *user, size_t size)
{
	(void)user;
	return malloc(size);
}

static void plain_release(void *user, void *pointer)
{
	(void)user;
	free(pointer);
}

static lcowmig_context *make_context(void)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	lcowmig_context *context;

	platform.allocate = plain_allocate;
	platform.release = plain_release;
	platform.log = keep_message;
	platform.log_level = LCOWMIG_LOG_DEBUG;
	ck_assert_int_eq(lcowmig_context_new(&platform, NULL, &context, NULL), LCOWMIG_OK);
	return context;
}

static const lcowmig__transition *find_row(const lcowmig__machine *machine, int state, int trigger)
{
	const lcowmig__transition *found = NULL;
	size_t i;

	for (i = 0; i < machine->n_rows; i++) {
		if (machine->rows[i].from != state || machine->rows[i].trigger != trigger)
			continue;
		ck_assert_msg(!found, "%s: two rows for %s in %s", machine->kind, machine->triggers[trigger], machine->states[state]);
		found = &machine->rows[i];
	}
	return found;
}

static void check_refusal(const lcowmig__machine *machine, const lcowmig__object *object, int trigger, const lcowmig_error *error)
{
	int state;

	ck_assert_ptr_nonnull(strstr(error->message, machine->kind));
	ck_assert_ptr_nonnull(strstr(error->message, "object-1"));
	ck_assert_ptr_nonnull(strstr(error->message, machine->states[object->state]));
	for (state = 0; state < (int)machine->n_states; state++)
		if (find_row(machine, state, trigger) && strlen(error->message) < 200)
			ck_assert_msg(strstr(error->message, machine->states[state]) != NULL, "%s is not in \"%s\"", machine->states[state],
				      error->message);
}

static void try_pair(const lcowmig__machine *machine, lcowmig_context *context, int state, int trigger)
{
	const lcowmig__transition *row = find_row(machine, state, trigger);
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__object object;
	lcowmig_status status;
	lcowmig__pump pump;

	lcowmig__object_init(&object, context, machine, "object-1");
	object.state = state;
	last_message[0] = '\0';
	ck_assert_int_eq(lcowmig__machine_allows(machine, state, trigger), row != NULL);
	status = lcowmig__object_check(&object, trigger, &error);
	ck_assert_int_eq(status, row ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(object.state, state);
	if (!row)
		check_refusal(machine, &object, trigger, &error);
	lcowmig__enter(context, &pump);
	lcowmig__object_fire(&object, trigger);
	lcowmig__leave(context, &pump);
	ck_assert_int_eq(object.state, row ? row->to : state);
	ck_assert_int_eq(strncmp(last_message, "library bug", 11) == 0, !row);
}

START_TEST(test_gate_answers_as_the_table_says_for_every_state_and_trigger)
{
	const lcowmig__machine *machine = rows_get((size_t)_i)->machine;
	lcowmig_context *context = make_context();
	int state, trigger;

	for (state = 0; state < (int)machine->n_states; state++)
		for (trigger = 0; trigger < (int)machine->n_triggers; trigger++)
			try_pair(machine, context, state, trigger);
	ck_assert_int_eq(lcowmig_context_free(context), LCOWMIG_OK);
}
END_TEST

/* ---- The table itself ---- */

static void check_names(const char *const *names, size_t count, const char *kind)
{
	size_t i, j;

	for (i = 0; i < count; i++) {
		ck_assert_msg(names[i] && names[i][0], "%s: name %zu is missing", kind, i);
		for (j = 0; j < i; j++)
			ck_assert_msg(strcmp(names[i], names[j]) != 0, "%s: %s is there twice", kind, names[i]);
	}
}

START_TEST(test_table_is_sound)
{
	const lcowmig__machine *machine = rows_get((size_t)_i)->machine;
	bool is_reached[32] = { true }, is_used[64] = { false }, again = true;
	size_t i;

	ck_assert_uint_le(machine->n_states, 32);
	ck_assert_uint_le(machine->n_triggers, 64);
	check_names(machine->states, machine->n_states, machine->kind);
	check_names(machine->triggers, machine->n_triggers, machine->kind);
	for (i = 0; i < machine->n_rows; i++) {
		ck_assert_int_lt(machine->rows[i].from, (int)machine->n_states);
		ck_assert_int_lt(machine->rows[i].to, (int)machine->n_states);
		ck_assert_int_lt(machine->rows[i].trigger, (int)machine->n_triggers);
		is_used[machine->rows[i].trigger] = true;
	}
	while (again) {
		again = false;
		for (i = 0; i < machine->n_rows; i++) {
			if (!is_reached[machine->rows[i].from] || is_reached[machine->rows[i].to])
				continue;
			is_reached[machine->rows[i].to] = true;
			again = true;
		}
	}
	for (i = 0; i < machine->n_states; i++)
		ck_assert_msg(is_reached[i], "%s: nothing leads to %s", machine->kind, machine->states[i]);
	for (i = 0; i < machine->n_triggers; i++)
		ck_assert_msg(is_used[i], "%s: no row for %s", machine->kind, machine->triggers[i]);
}
END_TEST

/* ---- The rows ---- */

/* UNIT_SUITES(X) comes from the build: X(suite) for each of the unit suites with controllers, whose main functions it has named so. */

#define DECLARE(name) int unit_main_##name(void);
UNIT_SUITES(DECLARE)
int unit_main_walk(void);

static int run_units(void)
{
	int failed = unit_main_walk();

#define RUN(name) failed |= unit_main_##name();
	UNIT_SUITES(RUN)
	return failed;
}

static int check_rows(void)
{
	const rows_table *table;
	int failed = 0;
	size_t t, i;

	for (t = 0; (table = rows_get(t)) != NULL; t++) {
		for (i = 0; i < table->machine->n_rows; i++) {
			const lcowmig__transition *row = &table->machine->rows[i];

			if (table->taken[i])
				continue;
			printf("%s: the row for %s in %s is never taken\n", table->machine->kind, table->machine->triggers[row->trigger],
			       table->machine->states[row->from]);
			failed = 1;
		}
	}
	return failed;
}

static int run_tables(void)
{
	Suite *suite = suite_create("tables");
	TCase *tcase = tcase_create("tables");
	SRunner *runner;
	int count = 0;
	int failed;

	while (rows_get((size_t)count))
		count++;
	tcase_add_loop_test(tcase, test_table_is_sound, 0, count);
	tcase_add_loop_test(tcase, test_gate_answers_as_the_table_says_for_every_state_and_trigger, 0, count);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}

int main(void)
{
	int failed;

	rows_begin();
	failed = run_tables();
	rows_forget(); /* firing everything everywhere proves nothing about the controllers */
	failed |= run_units();
	rows_print(true);
	failed |= check_rows();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
