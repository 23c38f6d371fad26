/* The messages of the Migration service, from bytes and to bytes. */
#ifndef LCOWMIG__SERVICE_MESSAGES_H
#define LCOWMIG__SERVICE_MESSAGES_H

#include "base/buf.h"
#include "lcowmig/migration.h"
#include "wire/wire.h"

/* The union of all requests: the fields a method does not have stay zero. */
typedef struct lcowmig__service_request {
	lcowmig__wire_bytes session_id;
	lcowmig__wire_bytes sandbox_id;
	lcowmig__wire_bytes config;        /* ImportSandbox: the encoded google.protobuf.Any */
	lcowmig__wire_bytes protocol_info; /* CreateDuplicateSocket */
	bool has_options;
	lcowmig_migration_options options;
	int64_t timeout_ns; /* 0: absent; clamped to what fits */
	uint64_t action;
	uint64_t transport, seconds, nanos; /* while decoding */
} lcowmig__service_request;

typedef enum lcowmig__service_method {
	LCOWMIG__METHOD_PREPARE_AND_EXPORT,
	LCOWMIG__METHOD_IMPORT,
	LCOWMIG__METHOD_PREPARE,
	LCOWMIG__METHOD_TRANSFER,
	LCOWMIG__METHOD_FINALIZE,
	LCOWMIG__METHOD_NOTIFICATIONS,
	LCOWMIG__METHOD_SOCKET,
	LCOWMIG__METHOD_CANCEL,
	LCOWMIG__METHOD_CLEANUP,
	LCOWMIG__METHODS
} lcowmig__service_method;

/* LCOWMIG__METHODS for a name that is none. */
lcowmig__service_method lcowmig__service_method_of(const char *name);

/* The texts borrow from `data`. CORRUPT_DATA for undecodable bytes, INVALID_ARGUMENT for values that do not fit. */
lcowmig_status lcowmig__service_decode(lcowmig__service_method method, const uint8_t *data, size_t size,
				       lcowmig__service_request *ret_request, lcowmig_error *error);

/* Appends a PrepareAndExportSandboxResponse around an envelope. */
void lcowmig__service_encode_export(lcowmig__buf *buf, const uint8_t *envelope, size_t size);
/* Appends a NotificationsResponse. */
void lcowmig__service_encode_notification(lcowmig__buf *buf, const lcowmig_notification *notification);

#endif
