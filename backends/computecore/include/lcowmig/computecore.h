/*
 * HCS on Windows: hcs ops and socket ops made of computecore.dll and Winsock. A library of its own (libclcowmig-computecore); libclcowmig does
 * not know it.
 *
 *     lcowmig_computecore_new(NULL, &core, &error);
 *     lcowmig_computecore_hcs_ops(core, &hcs);                 (both into lcowmig_sandbox_config)
 *     lcowmig_computecore_socket_ops(core, &socket);
 *     lcowmig_sandbox_new(context, &config, &sandbox, &error);
 *     lcowmig_computecore_attach(core, sandbox);               (HCS events go there)
 *     …
 *     lcowmig_sandbox_free(sandbox, &error);
 *     lcowmig_computecore_free(core);
 *
 * computecore.dll is loaded at run time. An entry that this Windows lacks leaves its member of the ops NULL, which the library answers with
 * NOT_SUPPORTED, naming the member. Calls wait on threads of the system's pool, so that no callback blocks and a cancel gets through while a
 * transfer runs. Memory comes from the C library.
 *
 * The DLL must stay loaded while a call is under way. All functions may be called from any thread.
 */
#ifndef LCOWMIG_COMPUTECORE_H
#define LCOWMIG_COMPUTECORE_H

#include <lcowmig/sandbox.h>

#if defined(LCOWMIG_COMPUTECORE_STATIC)
#define LCOWMIG_COMPUTECORE_API
#elif defined(LCOWMIG_COMPUTECORE_BUILDING)
#define LCOWMIG_COMPUTECORE_API __declspec(dllexport)
#else
#define LCOWMIG_COMPUTECORE_API __declspec(dllimport)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Owned by the host; one for each sandbox. */
typedef struct lcowmig_computecore lcowmig_computecore;

/* Waits inside the callback instead of on a thread of the pool. For hosts that give every call a thread of its own. */
#define LCOWMIG_COMPUTECORE_BLOCKING 0x1u

typedef struct lcowmig_computecore_config {
	size_t size;
	const char *library;           /* UTF-8 path of the DLL; NULL: computecore.dll of the system directory */
	uint32_t operation_timeout_ms; /* 0: four minutes. Live migration calls wait for ever: they are ended by cancelling */
	uint32_t flags;                /* LCOWMIG_COMPUTECORE_… */
} lcowmig_computecore_config;

#define LCOWMIG_COMPUTECORE_CONFIG_INIT { sizeof(lcowmig_computecore_config), NULL, 0, 0 }

/*
 * Loads the DLL and starts Winsock. `config` is copied and may be NULL. Free with lcowmig_computecore_free.
 * Errors: INVALID_ARGUMENT, NOT_SUPPORTED (no such DLL, or one without the entries that everything needs), NO_MEMORY. Since 1.0.
 */
LCOWMIG_COMPUTECORE_API lcowmig_status lcowmig_computecore_new(const lcowmig_computecore_config *config, lcowmig_computecore **ret_core,
                                                               lcowmig_error *error);

/*
 * Frees it. NULL is fine. Refused with FAILED_PRECONDITION, nothing freed, while a compute system or socket is open, or a call or an event is
 * under way. Since 1.0.
 */
LCOWMIG_COMPUTECORE_API lcowmig_status lcowmig_computecore_free(lcowmig_computecore *core);

/* Fill in ops that are valid until the core is freed. The results need not be initialised. Since 1.0. */
LCOWMIG_COMPUTECORE_API void lcowmig_computecore_hcs_ops(lcowmig_computecore *core, lcowmig_hcs_ops *ret_ops);
LCOWMIG_COMPUTECORE_API void lcowmig_computecore_socket_ops(lcowmig_computecore *core, lcowmig_socket_ops *ret_ops);

/*
 * Names the sandbox that HCS events are passed to; before a virtual machine is created in it. NULL: to nobody. Does not wait for an event
 * that is being passed on; lcowmig_computecore_free tells whether there is one. Since 1.0.
 */
LCOWMIG_COMPUTECORE_API void lcowmig_computecore_attach(lcowmig_computecore *core, lcowmig_sandbox *sandbox);

#ifdef __cplusplus
}
#endif

#endif
