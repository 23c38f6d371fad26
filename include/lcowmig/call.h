/*
 * Host calls: how the library asks the host for something that takes time.
 *
 * A host callback with an lcowmig_call parameter returns
 *   - LCOWMIG_OK: done; whatever result was attached to the call is taken;
 *   - an error status: failed; whatever HRESULT and message were attached are taken;
 *   - LCOWMIG_PENDING: under way; the host calls lcowmig_call_complete() exactly once, later, from any thread. It may already have done so
 *     when it returns LCOWMIG_PENDING.
 * A callback may also simply block. It then blocks only the thread that made the call into the library.
 *
 * The call belongs to the host from the moment the callback is entered until it has returned another status than PENDING or
 * lcowmig_call_complete() was called; after that it must not be touched. The other arguments of a callback live as long as the
 * call does.
 */
#ifndef LCOWMIG_CALL_H
#define LCOWMIG_CALL_H

#include <stdbool.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lcowmig_call lcowmig_call;

/* Ends a pending call. `status` is LCOWMIG_OK or an error. The library may run callbacks before this returns. Since 1.0. */
LCOWMIG_API void lcowmig_call_complete(lcowmig_call *call, lcowmig_status status);

/*
 * Attaches result bytes (usually JSON) to the call. Copied; replaces an earlier result. On NO_MEMORY the call fails with NO_MEMORY
 * whatever it is completed with, so the return value may be ignored. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_call_set_result(lcowmig_call *call, const void *data, size_t size);

/* Attaches the handle that the call was to open (compute system, stdio, socket). Since 1.0. */
LCOWMIG_API void lcowmig_call_set_handle(lcowmig_call *call, void *handle);

/* Attaches why it failed. `hresult` 0: none. `message` is one sentence without the operation's name, copied, may be NULL. Since 1.0. */
LCOWMIG_API void lcowmig_call_set_error(lcowmig_call *call, uint32_t hresult, const char *message);

/* Tells the bridge request id that a guest request was given, as soon as it has one. Guest ops only; see lcowmig_guest_ops. Since 1.0. */
LCOWMIG_API void lcowmig_call_set_request_id(lcowmig_call *call, int64_t id);

/*
 * True when nobody waits for the result any more (deadline passed, operation cancelled). The call must still be completed; a host that can
 * stop early may use this to do so. Any thread. Since 1.0.
 */
LCOWMIG_API bool lcowmig_call_is_abandoned(lcowmig_call *call);

/* A place for the host's own pointer, NULL at first. Since 1.0. */
LCOWMIG_API void lcowmig_call_set_host_data(lcowmig_call *call, void *data);
LCOWMIG_API void *lcowmig_call_host_data(const lcowmig_call *call);

#ifdef __cplusplus
}
#endif

#endif
