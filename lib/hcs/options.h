/* The documents that steer a live migration, and the notifications HCS sends about it. */
#ifndef LCOWMIG__HCS_OPTIONS_H
#define LCOWMIG__HCS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/error.h"
#include "lcowmig/limits.h"

/* Numbers of these enums are those of the wire (protobuf enums of the migration service). */
typedef enum lcowmig__memory_transport {
	LCOWMIG__TRANSPORT_UNSPECIFIED = 0,
	LCOWMIG__TRANSPORT_TCP = 1,
} lcowmig__memory_transport;

typedef enum lcowmig__origin {
	LCOWMIG__ORIGIN_UNSPECIFIED = 0,
	LCOWMIG__ORIGIN_SOURCE = 1,
	LCOWMIG__ORIGIN_DESTINATION = 2,
} lcowmig__origin;

typedef enum lcowmig__phase {
	LCOWMIG__PHASE_UNSPECIFIED = 0,
	LCOWMIG__PHASE_SETUP_DONE = 1,
	LCOWMIG__PHASE_TRANSFER_IN_PROGRESS = 2,
	LCOWMIG__PHASE_BLACKOUT_STARTED = 3,
	LCOWMIG__PHASE_OFFLINE_DONE = 4,
	LCOWMIG__PHASE_BLACKOUT_EXITED = 5,
	LCOWMIG__PHASE_DONE = 6,
	LCOWMIG__PHASE_RECOVERY_DONE = 7,
	LCOWMIG__PHASE_FAILED = 8,
} lcowmig__phase;

typedef enum lcowmig__phase_state {
	LCOWMIG__PHASE_STATE_UNSPECIFIED = 0,
	LCOWMIG__PHASE_STATE_SUCCESS = 1,
	LCOWMIG__PHASE_STATE_CANCELLED = 2,
	LCOWMIG__PHASE_STATE_GUEST_INITIATED_CANCELLATION = 3,
	LCOWMIG__PHASE_STATE_SOURCE_FAILED = 4,
	LCOWMIG__PHASE_STATE_DESTINATION_FAILED = 5,
	LCOWMIG__PHASE_STATE_RECOVERY_FAILED = 6,
} lcowmig__phase_state;

/* A value that may be absent; an explicit zero is sent. */
typedef struct lcowmig__optional_u32 {
	bool is_set;
	uint32_t value;
} lcowmig__optional_u32;

typedef struct lcowmig__optional_bool {
	bool is_set;
	bool value;
} lcowmig__optional_bool;

typedef struct lcowmig__optional_double {
	bool is_set;
	double value;
} lcowmig__optional_double;

typedef struct lcowmig__throttle_params {
	lcowmig__optional_bool skip_throttling;
	lcowmig__optional_double throttling_scale;
	lcowmig__optional_u32 minimum_throttle_percentage; /* narrowed to 8 bits in the document */
	lcowmig__optional_u32 target_brownout_passes;
	lcowmig__optional_u32 starting_brownout_pass_for_throttling;
	lcowmig__optional_u32 maximum_brownout_passes;
	lcowmig__optional_u32 target_blackout_ms;
	lcowmig__optional_u32 blackout_cancel_threshold_ms;
} lcowmig__throttle_params;

typedef struct lcowmig__migration_options {
	uint32_t memory_transport; /* lcowmig__memory_transport; must be TCP */
	bool has_throttle;         /* the group itself, which may be empty */
	lcowmig__throttle_params throttle;
	bool has_compression;
	lcowmig__optional_u32 compression_workers;
	bool checksum_verification;
	bool perf_tracing_enabled;
	bool cancel_if_blackout_threshold_exceeds;
	bool prepare_memory_transfer_mode;
} lcowmig__migration_options;

/* INVALID_ARGUMENT for a transport other than TCP or a scale that is no finite number; NULL options are fine. */
lcowmig_status lcowmig__migration_options_check(const lcowmig__migration_options *options, lcowmig_error *error);

/*
 * The documents; `origin` is source or destination. Text in memory of `mem` (lcowmig__free), NULL when memory is out. `options` may be
 * NULL (platform defaults), else must have passed the check; `compat_size` 0 leaves the compatibility data out.
 */
char *lcowmig__hcs_initialize_options(const lcowmig__mem *mem, lcowmig__origin origin, const lcowmig__migration_options *options,
				      const uint8_t *compat, size_t compat_size);
/* For the source HcsStartLiveMigrationOnSource, for the destination HcsStartComputeSystem. */
char *lcowmig__hcs_start_options(const lcowmig__mem *mem, lcowmig__origin origin, uint32_t session_number);
/* For HcsStartLiveMigrationTransfer and HcsCancelLiveMigration. */
char *lcowmig__hcs_transfer_options(const lcowmig__mem *mem, lcowmig__origin origin);
char *lcowmig__hcs_cancel_options(const lcowmig__mem *mem, lcowmig__origin origin);
char *lcowmig__hcs_finalize_options(const lcowmig__mem *mem, lcowmig__origin origin, bool resume);

/* The SHA-256 of a session's id. Both sides may spell a GUID in different case: it counts in lower case. */
void lcowmig__session_digest(const char *session_id, uint8_t ret_digest[32]);
/* The number under which both sides' transports meet: its first four bytes. */
uint32_t lcowmig__session_number(const char *session_id);

typedef struct lcowmig__migration_notification {
	lcowmig__origin origin;
	lcowmig__phase phase;
	lcowmig__phase_state state;
	bool has_blackout; /* only with PHASE_BLACKOUT_EXITED */
	uint64_t blackout_duration_ms;
	int64_t blackout_stop_ns; /* since 1970 UTC; 0 when not given */
} lcowmig__migration_notification;

/*
 * Reads the payload of a GroupLiveMigration event; NULL or "" is an event with all fields empty. `fallback` is the origin when none is
 * given. CORRUPT_DATA (drop the event), LIMIT_EXCEEDED or NO_MEMORY.
 */
lcowmig_status lcowmig__hcs_parse_notification(const lcowmig_limits *limits, const char *json, lcowmig__origin fallback,
					       lcowmig__migration_notification *ret_notification, lcowmig_error *error);

/* "2026-08-20T01:05:49.1234567Z" to nanoseconds since 1970 UTC; false when malformed or out of range. Digits past the ninth are cut. */
bool lcowmig__parse_timestamp(const char *text, int64_t *ret_ns);

#endif
