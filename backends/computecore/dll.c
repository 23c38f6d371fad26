#include "dll.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct dll_entry {
	const char *name;
	size_t place;
	bool is_needed; /* without it there is no use in the rest */
} dll_entry;

#define PLACE(member) offsetof(lcowmig__computecore_dll, member)

static const dll_entry entries[] = {
	{ "HcsCreateOperation", PLACE(create_operation), true },
	{ "HcsCloseOperation", PLACE(close_operation), true },
	{ "HcsWaitForOperationResult", PLACE(wait_result), true },
	{ "HcsCreateComputeSystem", PLACE(create_system), true },
	{ "HcsCloseComputeSystem", PLACE(close_system), true },
	{ "HcsSetComputeSystemCallback", PLACE(set_callback), true },
	{ "HcsGetOperationResult", PLACE(get_result), false },
	{ "HcsCancelOperation", PLACE(cancel_operation), false },
	{ "HcsAddResourceToOperation", PLACE(add_resource), false },
	{ "HcsStartComputeSystem", PLACE(start), false },
	{ "HcsTerminateComputeSystem", PLACE(terminate), false },
	{ "HcsModifyComputeSystem", PLACE(modify), false },
	{ "HcsGetComputeSystemProperties", PLACE(properties), false },
	{ "HcsInitializeLiveMigrationOnSource", PLACE(initialize_migration), false },
	{ "HcsStartLiveMigrationOnSource", PLACE(start_migration), false },
	{ "HcsStartLiveMigrationTransfer", PLACE(transfer), false },
	{ "HcsFinalizeLiveMigration", PLACE(finalize_migration), false },
	{ "HcsCancelLiveMigration", PLACE(cancel_migration), false },
	{ "HcsGrantVmAccess", PLACE(grant_access), false },
};

const char *lcowmig__computecore_load(const wchar_t *path, lcowmig__computecore_dll *ret_dll)
{
	lcowmig__computecore_dll dll = { 0 };
	size_t i;

	dll.module = path ? LoadLibraryW(path) : LoadLibraryExW(L"computecore.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
	if (!dll.module)
		return "computecore.dll";
	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		FARPROC found = GetProcAddress(dll.module, entries[i].name);

		if (!found && entries[i].is_needed) {
			FreeLibrary(dll.module);
			return entries[i].name;
		}
		/* C has no conversion between pointers to functions of different types that says what is meant. */
		memcpy((char *)&dll + entries[i].place, &found, sizeof(found));
	}
	*ret_dll = dll;
	return NULL;
}
