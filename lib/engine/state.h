/*
 * State tables. One `static const` table for each controller: the gate that refuses an operation, the error text, the names, the
 * documentation and the model test all come from it.
 *
 * Objects: what every controller begins with. An object knows its machine, its state, and the flows that work on it.
 */
#ifndef LCOWMIG__STATE_H
#define LCOWMIG__STATE_H

#include "context.h"

typedef struct lcowmig__transition {
	int from;
	int trigger;
	int to;
} lcowmig__transition;

typedef struct lcowmig__machine {
	const char *kind;              /* "container" */
	const char *const *states;     /* names, indexed by state */
	size_t n_states;
	const char *const *triggers;   /* names, indexed by trigger */
	size_t n_triggers;
	const lcowmig__transition *rows;
	size_t n_rows;
} lcowmig__machine;

typedef struct lcowmig__object {
	lcowmig_context *context;
	const lcowmig__machine *machine;
	const char *id;      /* for messages; borrowed from the controller that embeds this */
	int state;
	lcowmig__list flows; /* in flight on this object: operations first refuse a freeze and a free; watches do not */
} lcowmig__object;

void lcowmig__object_init(lcowmig__object *object, lcowmig_context *context, const lcowmig__machine *machine, const char *id);

/* True when the table has a row for the trigger in this state. */
bool lcowmig__machine_allows(const lcowmig__machine *machine, int state, int trigger);

/* FAILED_PRECONDITION, naming the object, its state and the states in which the trigger is legal, unless there is a row. */
lcowmig_status lcowmig__object_check(const lcowmig__object *object, int trigger, lcowmig_error *error);

/* Moves along the row of the trigger and traces it. Without a row it does nothing but log our own bug: no row, no effect. */
void lcowmig__object_fire(lcowmig__object *object, int trigger);

const char *lcowmig__object_state_name(const lcowmig__object *object);

/* FAILED_PRECONDITION naming the operation when one is in flight. Watches (background waits) do not count. */
lcowmig_status lcowmig__object_check_idle(const lcowmig__object *object, lcowmig_error *error);

#endif
