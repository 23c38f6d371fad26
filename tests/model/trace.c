/* What a test has done so far, in memory that outlives it: a failure prints the whole sequence. */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"
#include "rows.h"

#define SLOTS 16

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
	current = &traces[slot % SLOTS];
	snprintf(current->what, sizeof current->what, "%s", what);
}

void trace_clear(uint64_t seed)
{
	current->seed = seed;
	current->count = 0;
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

void trace_print(void)
{
	size_t t, i;

	for (t = 0; t < SLOTS; t++) {
		char text[128];

		if (!traces[t].what[0] || !traces[t].count)
			continue;
		printf("the last sequence of %s (seed %llu, %zu steps):\n", traces[t].what, (unsigned long long)traces[t].seed,
		       traces[t].count);
		for (i = 0; i < traces[t].count; i++) {
			model_describe(&traces[t].actions[i], text, sizeof text);
			printf("  %3zu %s\n", i + 1, text);
		}
		if (traces[t].note[0])
			printf("  then: %s\n", traces[t].note);
	}
}

uint64_t trace_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && text[0] ? strtoull(text, NULL, 10) : otherwise;
}
