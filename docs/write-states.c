/* Writes docs/states.md from the state tables of the library. */
#include <stdio.h>

#include "engine/state.h"

/* X(machine): every table, in the order of the rings. A sandbox has one state and no table. */
#define MACHINES(X)             \
	X(scsi)                 \
	X(disk)                 \
	X(mount)                \
	X(plan9)                \
	X(plan9_share)          \
	X(plan9_mount)          \
	X(vpci)                 \
	X(vpci_device)          \
	X(network)              \
	X(process)              \
	X(container)            \
	X(pod)                  \
	X(vm)                   \
	X(migration)

#define DECLARE(name) extern const lcowmig__machine lcowmig__##name##_machine;
MACHINES(DECLARE)

static void write_machine(const lcowmig__machine *machine)
{
	size_t i;

	printf("## %s\n\n| state | trigger | next state |\n|---|---|---|\n", machine->kind);
	for (i = 0; i < machine->n_rows; i++) {
		const lcowmig__transition *row = &machine->rows[i];

		printf("| %s | %s | %s |\n", machine->states[row->from], machine->triggers[row->trigger],
		       row->to == row->from ? "same" : machine->states[row->to]);
	}
	printf("\n");
}

int main(void)
{
	printf("# State tables\n\n"
	       "Written by the build from the tables that the library runs on. A trigger without a row is refused in that state with\n"
	       "`FAILED_PRECONDITION`, naming the object, its state and the states in which it is legal.\n\n");
#define WRITE(name) write_machine(&lcowmig__##name##_machine);
	MACHINES(WRITE)
	return 0;
}
