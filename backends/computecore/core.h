/* What the files of this library share. */
#ifndef LCOWMIG__COMPUTECORE_CORE_H
#define LCOWMIG__COMPUTECORE_CORE_H

#include "dll.h"
#include "lcowmig/computecore.h"

struct lcowmig_computecore {
	lcowmig__computecore_dll dll;
	uint32_t timeout_ms;
	uint32_t flags;
	lcowmig_sandbox *volatile sandbox; /* who is told about events */
	volatile LONG busy;    /* jobs and events under way */
	volatile LONG systems; /* and sockets: handles that the library has not closed */
};

/* A compute system: the handle that the library sees. */
typedef struct lcowmig__computecore_system {
	lcowmig_computecore *core;
	hcs_system handle;
	uintptr_t number; /* what HCS is told as context of events: never reused, so a late event finds nobody */
	struct lcowmig__computecore_system *next;
} lcowmig__computecore_system;

/* One host call on its way. Texts and handles live as long as the call. */
typedef struct lcowmig__computecore_job {
	lcowmig_computecore *core;
	lcowmig_call *call;
	lcowmig_status (*run)(struct lcowmig__computecore_job *job);
	hcs_system_fn function; /* of an operation on a system */
	lcowmig__computecore_system *system;
	const char *text;
	const char *second_text;
	HANDLE socket;
	DWORD timeout_ms;
	uint32_t is_forgotten; /* accepted is success; nothing waits for the end */
	uint32_t wants_result;
} lcowmig__computecore_job;

/* Runs a copy of the job on a thread of the pool: PENDING; or here. */
lcowmig_status lcowmig__computecore_submit(const lcowmig__computecore_job *job);

/* Takes one HCS operation from its making to its end: `job->run` of everything that is one. */
lcowmig_status lcowmig__computecore_operate(lcowmig__computecore_job *job);
/* The same around any function that starts it. */
lcowmig_status lcowmig__computecore_operate_with(lcowmig__computecore_job *job, const wchar_t *text,
                                                 HRESULT (*begin)(lcowmig__computecore_job *job, hcs_operation operation, const wchar_t *text));

/* Attaches a failure to the call, with the sentence of HCS's error document if there is one; returns its status. */
lcowmig_status lcowmig__computecore_fail(lcowmig_call *call, HRESULT result, const wchar_t *document);

/* Who is told about events. Registered before HCS knows the number; dropped after the handle is closed. */
void lcowmig__computecore_register(lcowmig__computecore_system *system);
void lcowmig__computecore_unregister(lcowmig__computecore_system *system);
void CALLBACK lcowmig__computecore_event(const hcs_event *event, void *context);

/* Text on both sides; from malloc, NULL when memory is out. NULL reads as "". */
wchar_t *lcowmig__computecore_wide(const char *text);
char *lcowmig__computecore_utf8(const wchar_t *text);

lcowmig_status lcowmig__computecore_resolve_path(void *user, lcowmig_call *call, const char *path);
lcowmig_status lcowmig__computecore_path_type(void *user, lcowmig_call *call, const char *path);

#endif
