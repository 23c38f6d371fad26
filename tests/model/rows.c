#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

/* X(machine): every table, in the order of the rings, but those with one state, which can neither refuse nor lead anywhere. */
#define MACHINES(X)    \
	X(scsi)        \
	X(disk)        \
	X(mount)       \
	X(plan9_share) \
	X(plan9_mount) \
	X(vpci_device) \
	X(network)     \
	X(process)     \
	X(container)   \
	X(pod)         \
	X(vm)          \
	X(migration)

#define DECLARE(name) extern const lcowmig__machine lcowmig__##name##_machine;
MACHINES(DECLARE)

#define ADDRESS(name) &lcowmig__##name##_machine,
static const lcowmig__machine *const machines[] = { MACHINES(ADDRESS) };
#define N_MACHINES (sizeof machines / sizeof machines[0])

static rows_table *tables;

void *rows_shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void rows_begin(void)
{
	size_t i;

	if (tables)
		return;
	tables = rows_shared_memory(N_MACHINES * sizeof *tables);
	if (!tables)
		abort();
	for (i = 0; i < N_MACHINES; i++) {
		tables[i].machine = machines[i];
		if (machines[i]->n_rows > ROWS_MAX)
			abort();
	}
}

void rows_forget(void)
{
	size_t i;

	for (i = 0; i < N_MACHINES; i++) {
		memset(tables[i].taken, 0, sizeof tables[i].taken);
		tables[i].refused = 0;
	}
}

const rows_table *rows_get(size_t index)
{
	return index < N_MACHINES ? &tables[index] : NULL;
}

static rows_table *find_table(const lcowmig__machine *machine)
{
	size_t i;

	for (i = 0; tables && i < N_MACHINES; i++)
		if (tables[i].machine == machine)
			return &tables[i];
	return NULL;
}

static void count(const lcowmig__object *object, int trigger, bool was_fired)
{
	rows_table *table = find_table(object->machine);
	size_t i;

	for (i = 0; table && i < table->machine->n_rows; i++) {
		const lcowmig__transition *row = &table->machine->rows[i];

		if (row->from == object->state && row->trigger == trigger && (was_fired || row->to == row->from))
			table->taken[i]++;
	}
}

void __real_lcowmig__object_fire(lcowmig__object *object, int trigger);
void __wrap_lcowmig__object_fire(lcowmig__object *object, int trigger);
lcowmig_status __real_lcowmig__object_check(const lcowmig__object *object, int trigger, lcowmig_error *error);
lcowmig_status __wrap_lcowmig__object_check(const lcowmig__object *object, int trigger, lcowmig_error *error);
void __wrap__mark_point(const char *file, int line);

void __wrap_lcowmig__object_fire(lcowmig__object *object, int trigger)
{
	count(object, trigger, true);
	__real_lcowmig__object_fire(object, trigger);
}

lcowmig_status __wrap_lcowmig__object_check(const lcowmig__object *object, int trigger, lcowmig_error *error)
{
	lcowmig_status status = __real_lcowmig__object_check(object, trigger, error);
	rows_table *table = find_table(object->machine);

	if (status == LCOWMIG_OK)
		count(object, trigger, false);
	else if (table)
		table->refused++;
	return status;
}

/* Where a test is matters only to a debugger, and check writes every single assertion to a file. */
void __wrap__mark_point(const char *file, int line)
{
	(void)file;
	(void)line;
}

size_t rows_print(bool names_rows)
{
	size_t all_missing = 0, all_rows = 0;
	size_t t, i;

	for (t = 0; t < N_MACHINES; t++) {
		const lcowmig__machine *machine = tables[t].machine;
		size_t missing = 0;

		for (i = 0; i < machine->n_rows; i++)
			missing += !tables[t].taken[i];
		printf("table %-18s %3zu of %3zu rows taken, %zu states, %zu triggers, %lu refusals\n", machine->kind, machine->n_rows - missing,
		       machine->n_rows, machine->n_states, machine->n_triggers, tables[t].refused);
		for (i = 0; names_rows && i < machine->n_rows; i++)
			if (!tables[t].taken[i])
				printf("  never taken: %s, %s -> %s\n", machine->states[machine->rows[i].from],
				       machine->triggers[machine->rows[i].trigger], machine->states[machine->rows[i].to]);
		all_missing += missing;
		all_rows += machine->n_rows;
	}
	printf("tables: %zu of %zu rows taken\n", all_rows - all_missing, all_rows);
	return all_missing;
}
