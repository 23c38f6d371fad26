/*
 * Service: the `Migration` ttrpc service as containerd's tooling drives it, without its transport.
 *
 * A shim with any ttrpc stack passes a method's name and its request bytes in, and gets the response bytes, or a status code, out. The
 * messages are those of proto/migration_service.proto. Everything runs on the sandbox's session (lcowmig/migration.h), which remains usable
 * beside it.
 *
 * The messages know no token. A FinalizeSandbox(RESUME) on a destination therefore resumes by force, with the reason that the service was
 * made with; that leaves a record in log, timeline and notifications. A service made with LCOWMIG_SERVICE_NEEDS_RIGHT refuses instead.
 */
#ifndef LCOWMIG_SERVICE_H
#define LCOWMIG_SERVICE_H

#include "migration.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to the host; freed before its sandbox. */
typedef struct lcowmig_service lcowmig_service;

/* Codes that ttrpc answers with; those of gRPC. */
typedef enum lcowmig_rpc_code {
	LCOWMIG_RPC_OK = 0,
	LCOWMIG_RPC_UNKNOWN = 2,
	LCOWMIG_RPC_INVALID_ARGUMENT = 3,
	LCOWMIG_RPC_NOT_FOUND = 5,
	LCOWMIG_RPC_ALREADY_EXISTS = 6,
	LCOWMIG_RPC_FAILED_PRECONDITION = 9,
	LCOWMIG_RPC_UNIMPLEMENTED = 12,
	LCOWMIG_RPC_FORCE_INT = 0x7fffffff
} lcowmig_rpc_code;

/* Returns the code under which a status is reported to the orchestrator. Thread-safe. Since 1.0. */
LCOWMIG_API lcowmig_rpc_code lcowmig_status_rpc_code(lcowmig_status status);

#define LCOWMIG_SERVICE_NEEDS_RIGHT 0x1u  /* a destination resumes only with the right to run, never by force */
#define LCOWMIG_SERVICE_PATHS_SHARED 0x2u /* PrepareSandbox takes disks that no patch repointed as meant to keep the source's path */

/*
 * Makes the service of a sandbox. `reason` is what a forced resume is recorded with; copied, NULL for a standard text.
 * Errors: INVALID_ARGUMENT, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_service_new(lcowmig_sandbox *sandbox, uint32_t flags, const char *reason, lcowmig_service **ret_service,
                                               lcowmig_error *error);

/* Frees it. NULL is fine. FAILED_PRECONDITION while a call is not answered or a stream is open. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_service_free(lcowmig_service *service);

/*
 * Answers a call, exactly once. On LCOWMIG_OK `response` (borrowed during the call) holds the encoded response message, which may be empty.
 * Else the call failed with `code` and the sentence in `error`. Runs without any lock, on whichever thread is inside the library, possibly
 * before lcowmig_service_call returns.
 */
typedef void (*lcowmig_reply_fn)(void *user, lcowmig_status status, lcowmig_rpc_code code, const uint8_t *response, size_t size,
                                 const lcowmig_error *error);

/*
 * Serves one unary method: "PrepareAndExportSandbox", "ImportSandbox", "PrepareSandbox", "TransferSandbox", "FinalizeSandbox",
 * "CreateDuplicateSocket", "Cancel", "Cleanup". The request is copied as far as it is needed. Every outcome, also of a malformed request or
 * an unknown method (UNIMPLEMENTED), is told to `reply`. Values that do not fit (a percentage of 300) are refused. Any thread.
 * Errors: INVALID_ARGUMENT (service, method or reply NULL) and NO_MEMORY; then `reply` is not called. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_service_call(lcowmig_service *service, const char *method, const uint8_t *request, size_t size,
                                                lcowmig_reply_fn reply, void *user, lcowmig_error *error);

/* An open Notifications stream. */
typedef struct lcowmig_service_stream lcowmig_service_stream;

/* Gets one encoded NotificationsResponse, borrowed during the call. NULL, once and last: the session has ended, the stream with it. */
typedef void (*lcowmig_item_fn)(void *user, const uint8_t *item, size_t size);

/*
 * Serves the Notifications method: `item` is called for each event of the active session, the latest so far first. Session steps of the
 * library's own are not part of this service. The stream is freed by lcowmig_service_stream_close, or by the library after the last item.
 * Errors: those of lcowmig_migration_subscribe, CORRUPT_DATA. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_service_notifications(lcowmig_service *service, const uint8_t *request, size_t size,
							 lcowmig_item_fn item, void *user, lcowmig_service_stream **ret_stream,
							 lcowmig_error *error);

/* Ends a stream from the client's side; nothing more is told. Not legal after the last item. NULL is fine. Since 1.0. */
LCOWMIG_API void lcowmig_service_stream_close(lcowmig_service_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
