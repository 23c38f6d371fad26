#include "standin.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __declspec(dllexport)
#define OPERATION_MAGIC 0x4f50u
#define SYSTEM_MAGIC 0x5359u
#define CANCELLED_BY_CALL ((HRESULT)0x80370119)

typedef struct operation {
	unsigned magic;
	HRESULT result;        /* of the wait */
	const wchar_t *document;
	HANDLE blocks_on;      /* the transfer's event */
	BOOL is_started;
	uint32_t resource_type;
	HANDLE resource;
} operation;

typedef struct hcs_event {
	uint32_t type;
	PCWSTR data;
} hcs_event;

typedef struct compute_system {
	unsigned magic;
	BOOL is_closed;
} compute_system;

typedef void(CALLBACK *event_fn)(const hcs_event *event, void *context);

static SRWLOCK lock = SRWLOCK_INIT;
static char lines[16384];
static int complaints, open_operations, open_systems;
static char fail_name[64];
static HRESULT fail_result;
static BOOL fail_at_wait;
static const wchar_t *fail_document;
static const wchar_t *properties_answer = L"{}";
static event_fn event_callback;
static void *event_context;
static compute_system systems[8];
static unsigned systems_used;
static HANDLE transfer_cancelled;

static void say(const char *format, ...)
{
	size_t length;
	va_list list;

	AcquireSRWLockExclusive(&lock);
	length = strlen(lines);
	va_start(list, format);
	vsnprintf(lines + length, sizeof(lines) - length - 1, format, list);
	va_end(list);
	strcat(lines, "\n");
	ReleaseSRWLockExclusive(&lock);
}

static void complain(const char *what)
{
	complaints++;
	say("BROKEN RULE: %s", what);
}

static PWSTR result_text(const wchar_t *text)
{
	size_t size = (wcslen(text) + 1) * sizeof(*text);
	PWSTR copy = LocalAlloc(LMEM_FIXED, size);

	memcpy(copy, text, size);
	return copy;
}

/* What every call on an operation begins with: its result now, and its fate when it is waited for. */
static HRESULT begin(const char *name, operation *it, compute_system *system, BOOL needs_system)
{
	if (!it || it->magic != OPERATION_MAGIC)
		complain("no operation");
	else if (it->is_started)
		complain("an operation is used twice");
	if (needs_system && (!system || system->magic != SYSTEM_MAGIC || system->is_closed))
		complain("no open compute system");
	if (it)
		it->is_started = TRUE;
	if (strcmp(name, fail_name) == 0) {
		if (!fail_at_wait) {
			if (it)
				it->document = fail_document;
			return fail_result;
		}
		if (it) {
			it->result = fail_result;
			it->document = fail_document;
		}
	}
	return S_OK;
}

EXPORT void *WINAPI HcsCreateOperation(void *context, void *callback)
{
	operation *it = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*it));

	if (context || callback)
		complain("operations have no callback");
	it->magic = OPERATION_MAGIC;
	InterlockedIncrement((volatile LONG *)&open_operations);
	return it;
}

EXPORT void WINAPI HcsCloseOperation(void *it)
{
	operation *closed = it;

	if (closed->magic != OPERATION_MAGIC)
		complain("an operation is closed twice");
	closed->magic = 0;
	InterlockedDecrement((volatile LONG *)&open_operations);
	HeapFree(GetProcessHeap(), 0, closed);
}

EXPORT HRESULT WINAPI HcsAddResourceToOperation(void *it, uint32_t type, PCWSTR uri, HANDLE handle)
{
	operation *to = it;

	if (to->magic != OPERATION_MAGIC || to->is_started)
		complain("resources come before the call");
	to->resource_type = type;
	to->resource = handle;
	say("resource %u %ls %u", type, uri, (unsigned)(uintptr_t)handle);
	return S_OK;
}

EXPORT HRESULT WINAPI HcsWaitForOperationResult(void *it, DWORD milliseconds, PWSTR *result)
{
	operation *waited = it;

	if (waited->magic != OPERATION_MAGIC || !waited->is_started)
		complain("waiting for an operation that was not started");
	if (waited->blocks_on) {
		if (milliseconds != INFINITE)
			complain("a live migration call waits with a deadline");
		WaitForSingleObject(waited->blocks_on, INFINITE);
		waited->result = CANCELLED_BY_CALL;
	}
	say("wait %s", milliseconds == INFINITE ? "for ever" : "with a deadline");
	*result = waited->document ? result_text(waited->document) : NULL;
	return waited->result;
}

EXPORT HRESULT WINAPI HcsGetOperationResult(void *it, PWSTR *result)
{
	operation *asked = it;

	say("error document");
	*result = asked->document ? result_text(asked->document) : NULL;
	return S_OK;
}

EXPORT HRESULT WINAPI HcsCancelOperation(void *it)
{
	(void)it;
	say("HcsCancelOperation");
	return S_OK;
}

EXPORT HRESULT WINAPI HcsCreateComputeSystem(PCWSTR id, PCWSTR document, void *it, void *security, void **system)
{
	HRESULT result = begin("HcsCreateComputeSystem", it, NULL, FALSE);

	say("HcsCreateComputeSystem %ls %ls", id, document);
	if (security)
		complain("a security descriptor");
	if (SUCCEEDED(result)) {
		compute_system *made = &systems[systems_used++ % 8];

		made->magic = SYSTEM_MAGIC;
		made->is_closed = FALSE;
		*system = made;
		InterlockedIncrement((volatile LONG *)&open_systems);
	}
	return result;
}

EXPORT void WINAPI HcsCloseComputeSystem(void *system)
{
	compute_system *closed = system;

	say("HcsCloseComputeSystem");
	if (!closed || closed->magic != SYSTEM_MAGIC || closed->is_closed)
		complain("a system is closed twice");
	else
		closed->is_closed = TRUE;
	InterlockedDecrement((volatile LONG *)&open_systems);
}

EXPORT HRESULT WINAPI HcsSetComputeSystemCallback(void *system, uint32_t options, void *context, event_fn callback)
{
	say("HcsSetComputeSystemCallback %u", options);
	if (((compute_system *)system)->is_closed)
		complain("a callback for a closed system");
	if (strcmp(fail_name, "HcsSetComputeSystemCallback") == 0)
		return fail_result;
	event_callback = callback;
	event_context = context;
	return S_OK;
}

#define SYSTEM_CALL(name)                                                                  \
	EXPORT HRESULT WINAPI name(void *system, void *it, PCWSTR text)                    \
	{                                                                                  \
		HRESULT result = begin(#name, it, system, TRUE);                           \
                                                                                           \
		if (!text)                                                                 \
			complain(#name " without a text");                                 \
		say("%s %ls", #name, text ? text : L"NULL");                               \
		return result;                                                             \
	}

SYSTEM_CALL(HcsStartComputeSystem)
SYSTEM_CALL(HcsInitializeLiveMigrationOnSource)
SYSTEM_CALL(HcsStartLiveMigrationOnSource)
SYSTEM_CALL(HcsFinalizeLiveMigration)

/* Only accepts: the end comes as an event. */
EXPORT HRESULT WINAPI HcsTerminateComputeSystem(void *system, void *it, PCWSTR text)
{
	HRESULT result = begin("HcsTerminateComputeSystem", it, system, TRUE);

	say("HcsTerminateComputeSystem %ls", text);
	return FAILED(result) ? result : (HRESULT)0xC0370103;
}

EXPORT HRESULT WINAPI HcsStartLiveMigrationTransfer(void *system, void *it, PCWSTR text)
{
	HRESULT result = begin("HcsStartLiveMigrationTransfer", it, system, TRUE);

	if (!transfer_cancelled)
		transfer_cancelled = CreateEventW(NULL, TRUE, FALSE, NULL);
	ResetEvent(transfer_cancelled);
	((operation *)it)->blocks_on = transfer_cancelled;
	say("HcsStartLiveMigrationTransfer %ls", text);
	return result;
}

EXPORT HRESULT WINAPI HcsCancelLiveMigration(void *system, void *it, PCWSTR text)
{
	HRESULT result = begin("HcsCancelLiveMigration", it, system, TRUE);

	say("HcsCancelLiveMigration %ls", text);
	if (transfer_cancelled)
		SetEvent(transfer_cancelled);
	return result;
}

EXPORT HRESULT WINAPI HcsModifyComputeSystem(void *system, void *it, PCWSTR request, HANDLE identity)
{
	HRESULT result = begin("HcsModifyComputeSystem", it, system, TRUE);

	if (identity)
		complain("an identity");
	say("HcsModifyComputeSystem %ls", request);
	return result;
}

EXPORT HRESULT WINAPI HcsGetComputeSystemProperties(void *system, void *it, PCWSTR query)
{
	HRESULT result = begin("HcsGetComputeSystemProperties", it, system, TRUE);

	say("HcsGetComputeSystemProperties %ls", query);
	if (SUCCEEDED(result))
		((operation *)it)->document = properties_answer;
	return result;
}

EXPORT HRESULT WINAPI HcsGrantVmAccess(PCWSTR id, PCWSTR path)
{
	say("HcsGrantVmAccess %ls %ls", id, path);
	return strcmp(fail_name, "HcsGrantVmAccess") == 0 ? fail_result : S_OK;
}

EXPORT const char *standin_log(void)
{
	return lines;
}

EXPORT int standin_reset(void)
{
	if (open_operations)
		complain("operations are left open");
	if (open_systems)
		complain("systems are left open");
	lines[0] = fail_name[0] = '\0';
	properties_answer = L"{}";
	return complaints;
}

EXPORT void standin_refuse(const char *name, HRESULT result, BOOL at_wait, const wchar_t *document)
{
	snprintf(fail_name, sizeof(fail_name), "%s", name);
	fail_result = result;
	fail_at_wait = at_wait;
	fail_document = document;
}

EXPORT void standin_answer(const wchar_t *document)
{
	properties_answer = document;
}

EXPORT void standin_event(unsigned type, const wchar_t *data)
{
	hcs_event event = { type, data };

	event_callback(&event, event_context);
}
