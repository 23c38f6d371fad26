/* What this library uses of computecore.dll, as the HCS documentation declares it. Everything is loaded at run time. */
#ifndef LCOWMIG__COMPUTECORE_DLL_H
#define LCOWMIG__COMPUTECORE_DLL_H

#include <stdint.h>
/* before windows.h, which would bring the old Winsock */
#include <winsock2.h>

#include <windows.h>

typedef void *hcs_operation;
typedef void *hcs_system;

typedef struct hcs_event {
	uint32_t type;
	PCWSTR data; /* may be NULL */
} hcs_event;

typedef void(CALLBACK *hcs_event_fn)(const hcs_event *event, void *context);
typedef HRESULT(WINAPI *hcs_system_fn)(hcs_system system, hcs_operation operation, PCWSTR text);

#define HCS_RESOURCE_TYPE_SOCKET 4
#define HCS_EVENT_OPTION_LIVE_MIGRATION 4
#define HCS_LIVE_MIGRATION_SOCKET L"hcs:/VirtualMachine/LiveMigrationSocket"
#define HCS_OPERATION_PENDING ((HRESULT)0xC0370103)
#define HCS_OPERATION_TIMED_OUT ((HRESULT)0x80370118)

typedef struct lcowmig__computecore_dll {
	HMODULE module;
	hcs_operation(WINAPI *create_operation)(void *context, void *callback);
	void(WINAPI *close_operation)(hcs_operation operation);
	HRESULT(WINAPI *add_resource)(hcs_operation operation, uint32_t type, PCWSTR uri, HANDLE handle);
	HRESULT(WINAPI *wait_result)(hcs_operation operation, DWORD milliseconds, PWSTR *result);
	HRESULT(WINAPI *get_result)(hcs_operation operation, PWSTR *result);
	HRESULT(WINAPI *cancel_operation)(hcs_operation operation);
	HRESULT(WINAPI *create_system)(PCWSTR id, PCWSTR document, hcs_operation operation, void *security, hcs_system *system);
	void(WINAPI *close_system)(hcs_system system);
	HRESULT(WINAPI *set_callback)(hcs_system system, uint32_t options, void *context, hcs_event_fn callback);
	HRESULT(WINAPI *modify)(hcs_system system, hcs_operation operation, PCWSTR request, HANDLE identity);
	hcs_system_fn start, terminate, properties, initialize_migration, start_migration, transfer, finalize_migration, cancel_migration;
	HRESULT(WINAPI *grant_access)(PCWSTR id, PCWSTR path);
} lcowmig__computecore_dll;

/* Loads `path`, or the system's own. Returns NULL, or what is missing. */
const char *lcowmig__computecore_load(const wchar_t *path, lcowmig__computecore_dll *ret_dll);

#endif
