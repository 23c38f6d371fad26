/* What a test has done so far, in memory that outlives it: a failure prints the whole sequence. */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"
#include "rows.h"

#define SLOTS 64

typedef struct trace {
	char what[64];
	uint64_t seed;
	size_t count;
	model_action actions[MODEL_MAX_STEPS];
	char note[256];
} trace;

static trace *traces;
static trace *current;

void trace_begin(void)
{
	traces = rows_shared_memory(SLOTS * sizeof *traces);
	if (!traces)
		abort();
	current = traces;
}

void trace_slot(unsigned slot, const char *what)
{
	trace *was = current;

	current = &traces[slot % SLOTS];
	if (was != current) /* what led here goes on there */
		*current = *was;
	snprintf(current->what, sizeof current->what, "%s", what);
}

void trace_clear(uint64_t seed)
{
	current->seed = seed;
	current->count = 0;
	current->note[0] = '\0';
}

size_t trace_count(void)
{
	return current ? current->count : 0;
}

void trace_rewind(size_t count)
{
	if (!current)
		return;
	current->count = count;
	current->note[0] = '\0';
}

void trace_step(const model_action *action)
{
	if (current->count < MODEL_MAX_STEPS)
		current->actions[current->count++] = *action;
}

void trace_note(const char *note)
{
	snprintf(current->note, sizeof current->note, "%s", note);
}

static void print_one(const trace *t, const char *what)
{
	char text[128];
	size_t i;

	printf("the last sequence of %s (seed %llu, %zu steps):\n", what, (unsigned long long)t->seed, t->count);
	for (i = 0; i < t->count; i++) {
		model_describe(&t->actions[i], text, sizeof text);
		printf("  %3zu %s\n", i + 1, text);
	}
	if (t->note[0])
		printf("  then: %s\n", t->note);
}

void trace_print(void)
{
	size_t t;

	for (t = 0; t < SLOTS; t++)
		if (traces[t].what[0] && traces[t].count)
			print_one(&traces[t], traces[t].what);
}

void trace_print_current(const char *what)
{
	print_one(current, what);
	fflush(stdout);
}

uint64_t trace_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && text[0] ? strtoull(text, NULL, 10) : otherwise;
}
