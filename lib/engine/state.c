#include "state.h"

#include <stdio.h>
#include <string.h>

#include "flow.h"

void lcowmig__object_init(lcowmig__object *object, lcowmig_context *context, const lcowmig__machine *machine, const char *id)
{
	object->context = context;
	object->machine = machine;
	object->id = id;
	object->state = 0;
	lcowmig__list_init(&object->flows);
}

static const lcowmig__transition *machine_row(const lcowmig__machine *machine, int state, int trigger)
{
	size_t i;

	for (i = 0; i < machine->n_rows; i++)
		if (machine->rows[i].from == state && machine->rows[i].trigger == trigger)
			return &machine->rows[i];
	return NULL;
}

bool lcowmig__machine_allows(const lcowmig__machine *machine, int state, int trigger)
{
	return machine_row(machine, state, trigger) != NULL;
}

const char *lcowmig__object_state_name(const lcowmig__object *object)
{
	return object->machine->states[object->state];
}

/* "Running, SourceMigrating": every state in which the trigger is legal. */
static void machine_list_states(const lcowmig__machine *machine, int trigger, char *text, size_t size)
{
	size_t used = 0;
	size_t i;

	text[0] = '\0';
	for (i = 0; i < machine->n_states && used < size; i++)
		if (lcowmig__machine_allows(machine, (int)i, trigger))
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", machine->states[i]);
}

lcowmig_status lcowmig__object_check(const lcowmig__object *object, int trigger, lcowmig_error *error)
{
	const lcowmig__machine *machine = object->machine;
	char states[256];

	if (lcowmig__machine_allows(machine, object->state, trigger))
		return LCOWMIG_OK;
	machine_list_states(machine, trigger, states, sizeof states);
	return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "%s %s is %s; %s needs %s", machine->kind, object->id ? object->id : "",
	                     lcowmig__object_state_name(object), machine->triggers[trigger], states[0] ? states : "another object");
}

void lcowmig__object_fire(lcowmig__object *object, int trigger)
{
	const lcowmig__machine *machine = object->machine;
	const lcowmig__transition *row = machine_row(machine, object->state, trigger);

	if (!row) {
		lcowmig__log(object->context, LCOWMIG_LOG_ERROR, "library bug: %s %s is %s and has no row for %s", machine->kind,
		             object->id ? object->id : "", lcowmig__object_state_name(object), machine->triggers[trigger]);
		return;
	}
	if (row->to != row->from)
		lcowmig__log(object->context, LCOWMIG_LOG_DEBUG, "%s %s: %s -> %s (%s)", machine->kind, object->id ? object->id : "",
		             machine->states[row->from], machine->states[row->to], machine->triggers[trigger]);
	object->state = row->to;
}

lcowmig_status lcowmig__object_check_idle(const lcowmig__object *object, lcowmig_error *error)
{
	lcowmig__list *node;

	for (node = object->flows.next; node != &object->flows; node = node->next) {
		const lcowmig__flow *flow = LCOWMIG__FLOW_OF(node, on_object);

		if (!flow->class->is_watch)
			return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION, "%s %s (%s) has %s in flight; expected it to be idle",
			                     object->machine->kind, object->id ? object->id : "", lcowmig__object_state_name(object),
			                     flow->class->name);
	}
	return LCOWMIG_OK;
}
