/*
 * HCS events. HCS is given a number, not a pointer: an event that comes after its system was closed finds no one under it. The table is the one
 * piece of this library that all cores of a process share; it is short (a process has as many systems as it runs virtual machines).
 */
#include "core.h"

#include <stdlib.h>

static SRWLOCK table_lock = SRWLOCK_INIT;
static lcowmig__computecore_system *table;
static uintptr_t table_last_number;

void lcowmig__computecore_register(lcowmig__computecore_system *system)
{
	AcquireSRWLockExclusive(&table_lock);
	system->number = ++table_last_number;
	system->next = table;
	table = system;
	ReleaseSRWLockExclusive(&table_lock);
}

void lcowmig__computecore_unregister(lcowmig__computecore_system *system)
{
	lcowmig__computecore_system **place;

	AcquireSRWLockExclusive(&table_lock);
	for (place = &table; *place; place = &(*place)->next) {
		if (*place == system) {
			*place = system->next;
			break;
		}
	}
	ReleaseSRWLockExclusive(&table_lock);
}

/* The core behind a number, kept from being freed by its count. */
static lcowmig_computecore *table_take(uintptr_t number)
{
	lcowmig_computecore *core = NULL;
	lcowmig__computecore_system *system;

	AcquireSRWLockShared(&table_lock);
	for (system = table; system; system = system->next) {
		if (system->number == number) {
			core = system->core;
			InterlockedIncrement(&core->busy);
			break;
		}
	}
	ReleaseSRWLockShared(&table_lock);
	return core;
}

void CALLBACK lcowmig__computecore_event(const hcs_event *event, void *context)
{
	lcowmig_computecore *core = table_take((uintptr_t)context);
	lcowmig_sandbox *sandbox;
	char *data;

	if (!core)
		return;
	sandbox = core->sandbox;
	data = event->data ? lcowmig__computecore_utf8(event->data) : NULL;
	if (sandbox)
		lcowmig_sandbox_hcs_event(sandbox, event->type, data, NULL);
	free(data);
	InterlockedDecrement(&core->busy);
}
