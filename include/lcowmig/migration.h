/*
 * Migration: one live-migration session of one sandbox, as source or as destination.
 *
 * A sandbox has one lcowmig_migration for its whole life (lcowmig_sandbox_migration); sessions follow one another on it. Both hosts use the
 * same session id. A migration that succeeds:
 *
 *     source                                              destination
 *     prepare_source(id, options)
 *     export(id), envelope(id)        -- envelope -->     import(id, sandbox id, envelope)
 *                                                         patch(…), once for each container
 *                                                         prepare_destination(id, options)
 *     register_socket(id, …)          == transport ==     register_socket(id, …)
 *     transfer(id)                                        transfer(id)              (each side in either order with register_socket)
 *     … TransferCompleted …                               … TransferCompleted …
 *     release(id)                     -- token -->        finalize(id, RESUME, token)
 *     finalize(id, STOP)                                  cleanup(id)
 *     cleanup(id)
 *
 * Going back instead: cancel(id), then finalize(id, RESUME) on the source, finalize(id, STOP) on the destination, cleanup(id) on both. When
 * the source has released its right, the destination gives it back: release(id) there, finalize(id, RESUME, that token) on the source.
 *
 * The right to run the sandbox exists once. It is born with the source. Until the transfer has completed nothing can take it away;
 * afterwards release() gives it away as a token, and whoever has given it away cannot resume. A destination without the right can only be
 * stopped.
 *
 * The same mistakes are answered alike by every call: a session id that is NULL, empty or not the active session's is
 * INVALID_ARGUMENT; a call that the session's state does not allow, or one that needs a session when there is none, is FAILED_PRECONDITION.
 * Arguments are judged first, then the id, then the state. Calls that ask for what is so already (a second cancel, cleanup or transfer)
 * succeed and change nothing.
 *
 * All functions may be called from any thread, also from callbacks; those that may pend follow context.h (`done` and `user`).
 * Queries, subscribe and cancel answer at once while anything else runs.
 */
#ifndef LCOWMIG_MIGRATION_H
#define LCOWMIG_MIGRATION_H

#include "sandbox.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to its sandbox; lives as long as that. */
typedef struct lcowmig_migration lcowmig_migration;

typedef enum lcowmig_origin {
	LCOWMIG_ORIGIN_UNSPECIFIED = 0,
	LCOWMIG_ORIGIN_SOURCE = 1,
	LCOWMIG_ORIGIN_DESTINATION = 2,
	LCOWMIG_ORIGIN_FORCE_INT = 0x7fffffff
} lcowmig_origin;

typedef enum lcowmig_finalize_action {
	LCOWMIG_FINALIZE_STOP = 1,
	LCOWMIG_FINALIZE_RESUME = 2,
	LCOWMIG_FINALIZE_ACTION_FORCE_INT = 0x7fffffff
} lcowmig_finalize_action;

/* Bits for lcowmig_migration_options.present: which of the optional members are given (an explicit zero is sent). */
#define LCOWMIG_OPTION_SKIP_THROTTLING 0x0001u
#define LCOWMIG_OPTION_THROTTLING_SCALE 0x0002u
#define LCOWMIG_OPTION_MINIMUM_THROTTLE_PERCENTAGE 0x0004u
#define LCOWMIG_OPTION_TARGET_BROWNOUT_PASSES 0x0008u
#define LCOWMIG_OPTION_STARTING_BROWNOUT_PASS 0x0010u
#define LCOWMIG_OPTION_MAXIMUM_BROWNOUT_PASSES 0x0020u
#define LCOWMIG_OPTION_TARGET_BLACKOUT_TIME 0x0040u
#define LCOWMIG_OPTION_BLACKOUT_TIME_THRESHOLD 0x0080u
#define LCOWMIG_OPTION_THROTTLE_WORKER_COUNT 0x0100u

#define LCOWMIG_OPTION_THROTTLE_GROUP 0x0200u    /* the group itself, even when none of its members is given */
#define LCOWMIG_OPTION_COMPRESSION_GROUP 0x0400u /* likewise */

/* MigrationInitializeOptions. All zero: the platform's defaults over TCP. Members without their bit are ignored. */
typedef struct lcowmig_migration_options {
	size_t size;
	uint32_t present;
	uint32_t skip_throttling;
	double throttling_scale;
	uint32_t minimum_throttle_percentage; /* 0-100; HCS takes the low 8 bits */
	uint32_t target_brownout_passes;
	uint32_t starting_brownout_pass;
	uint32_t maximum_brownout_passes;
	uint32_t target_blackout_time_ms;
	uint32_t blackout_time_threshold_ms;
	uint32_t throttle_worker_count;
	uint32_t checksum_verification;
	uint32_t perf_tracing_enabled;
	uint32_t cancel_if_blackout_threshold_exceeds;
	uint32_t prepare_memory_transfer_mode;
	uint32_t reserved;
} lcowmig_migration_options;

/* ---- State ---- */

/* Numbers are ABI. The table of what is legal in which state is in docs/states.md. */
typedef enum lcowmig_migration_state {
	LCOWMIG_MIGRATION_IDLE = 0,
	LCOWMIG_MIGRATION_SOURCE_PREPARED = 1,
	LCOWMIG_MIGRATION_SOURCE_EXPORTED = 2,
	LCOWMIG_MIGRATION_DESTINATION_IMPORTED = 3,
	LCOWMIG_MIGRATION_DESTINATION_PREPARED = 4,
	LCOWMIG_MIGRATION_SOCKET_WAITING = 5,
	LCOWMIG_MIGRATION_SOCKET_READY = 6,
	LCOWMIG_MIGRATION_TRANSFERRING = 7,
	LCOWMIG_MIGRATION_TRANSFER_COMPLETED = 8,
	LCOWMIG_MIGRATION_FINALIZED = 9,
	LCOWMIG_MIGRATION_CANCELLED = 10,
	LCOWMIG_MIGRATION_CANCELLING = 11,
	LCOWMIG_MIGRATION_FAILED = 12,
	LCOWMIG_MIGRATION_STATE_FORCE_INT = 0x7fffffff
} lcowmig_migration_state;

/* Returns the state now. Never waits. NULL reads Idle. Since 1.0. */
LCOWMIG_API lcowmig_migration_state lcowmig_migration_get_state(lcowmig_migration *migration);

/* Returns "SocketWaiting" and so on, "Unknown" for other numbers. Static text. Since 1.0. */
LCOWMIG_API const char *lcowmig_migration_state_name(lcowmig_migration_state state);

/* Returns the role of the active session, UNSPECIFIED when there is none. Never waits. Since 1.0. */
LCOWMIG_API lcowmig_origin lcowmig_migration_get_origin(lcowmig_migration *migration);

/* Returns the active session's id, "" when there is none. Borrowed until the session ends. Never waits. Since 1.0. */
LCOWMIG_API const char *lcowmig_migration_session_id(lcowmig_migration *migration);

/* Returns how many imported containers still wait for their first patch. Never waits. Since 1.0. */
LCOWMIG_API size_t lcowmig_migration_pending_count(lcowmig_migration *migration);

/* Returns whether this side has the right to resume the sandbox now. Never waits. Since 1.0. */
LCOWMIG_API bool lcowmig_migration_has_right(lcowmig_migration *migration);

/*
 * Tells why the active session is Failed: fills `error` (may be NULL) and returns its status, LCOWMIG_OK when nothing failed. The reason is
 * kept until the session ends, whatever its state becomes. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_failure(lcowmig_migration *migration, lcowmig_error *error);

/* ---- Source ---- */

/* Gets one reason against a migration, a whole sentence naming the object. Valid during the call. */
typedef void (*lcowmig_reason_fn)(void *user, const char *reason);

/*
 * Asks whether the sandbox could be exported now, and changes nothing. `report` (may be NULL) is called once for each reason against it,
 * all of them, before this returns and without any lock. Legal at any time.
 * Returns LCOWMIG_OK when there is none, FAILED_PRECONDITION with the first ones in `error`, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_check(lcowmig_migration *migration, lcowmig_reason_fn report, void *user,
						   lcowmig_error *error);

/*
 * Opens a session as source: SourcePrepared. Checks everything that lcowmig_migration_check checks first, then has the platform initialise
 * the migration. `session_id` and `options` (NULL: platform defaults) are copied. Legal when Idle.
 * A failure leaves the session Idle and may be repeated. Errors: INVALID_ARGUMENT, FAILED_PRECONDITION (not Idle, or reasons against it),
 * HOST_FAILED, CANCELLED (ask for the state: a session that was cancelled meanwhile is Cancelled and needs its finalize), NO_MEMORY. Since
 * 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_prepare_source(lcowmig_migration *migration, const char *session_id,
                                                            const lcowmig_migration_options *options, lcowmig_done_fn done, void *user,
                                                            lcowmig_error *error);

/*
 * Captures the whole sandbox and freezes it: SourceExported. Either everything is frozen or, when anything fails, nothing, and the session
 * is SourcePrepared as before. The containers go on running; what is frozen is what the host may do to them. Repeating it while
 * SourceExported succeeds at once and keeps the bytes. Legal in SourcePrepared and SourceExported.
 * Errors: FAILED_PRECONDITION (state, reasons against it, an operation in flight, which is named), HOST_FAILED, CANCELLED, NO_MEMORY. Since
 * 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_export(lcowmig_migration *migration, const char *session_id, lcowmig_done_fn done, void *user,
                                                    lcowmig_error *error);

/*
 * Gives the exported envelope: a google.protobuf.Any in its encoded form. Borrowed until the session ends. Legal from SourceExported on,
 * for as long as the session lasts. Errors: INVALID_ARGUMENT, FAILED_PRECONDITION (nothing was exported). Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_envelope(lcowmig_migration *migration, const char *session_id, const uint8_t **ret_data,
                                                      size_t *ret_size, lcowmig_error *error);

/*
 * Copies the envelope into `buffer` of `size` bytes. `ret_size` gets its size, also when the buffer is too small (INVALID_ARGUMENT) and
 * when it is NULL with size 0, which only asks. Otherwise as lcowmig_migration_envelope. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_copy_envelope(lcowmig_migration *migration, const char *session_id, uint8_t *buffer,
							   size_t size, size_t *ret_size, lcowmig_error *error);

/* ---- Destination ---- */

/* What an envelope asks of this host. */
typedef enum lcowmig_import_item {
	LCOWMIG_IMPORT_HOST_PATH = 1,           /* a host path or pipe in the document, or a disk's path */
	LCOWMIG_IMPORT_KERNEL_COMMAND_LINE = 2, /* the whole line */
	LCOWMIG_IMPORT_DEVICE = 3,              /* the name of an element below Devices: "Scsi", "HvSocket", … */
	LCOWMIG_IMPORT_FORCE_INT = 0x7fffffff
} lcowmig_import_item;

/*
 * Judges one item before anything is created: LCOWMIG_OK to allow it; anything else refuses the import with DENIED, naming the item.
 * `where` is its place ("VirtualMachine/Chipset/LinuxKernelDirect/KernelFilePath", "disk in slot 3"). The texts are valid during the call.
 * Runs on the importing thread, without any lock.
 */
typedef lcowmig_status (*lcowmig_import_policy_fn)(void *user, lcowmig_import_item item, const char *where, const char *text);

/* A part of something that lies in several places. */
typedef struct lcowmig_piece {
	const uint8_t *data;
	size_t size; /* 0: nothing is here, and `data` may be NULL */
} lcowmig_piece;

typedef struct lcowmig_import_options {
	size_t size;
	const char *session_id;
	const char *sandbox_id;  /* names the virtual machine here ("<sandbox id>@vm"); must be the sandbox's own when that has one */
	const uint8_t *envelope; /* the encoded google.protobuf.Any */
	size_t envelope_size;
	/* NULL: devices other than those of an LCOW sandbox are refused; paths and command line are allowed. */
	lcowmig_import_policy_fn policy;
	void *policy_user;
	const lcowmig_piece *pieces; /* the envelope as it lies in a host's receive buffers, in order; instead of `envelope` */
	size_t n_pieces;
} lcowmig_import_options;

#define LCOWMIG_IMPORT_OPTIONS_INIT { sizeof(lcowmig_import_options), NULL, NULL, NULL, 0, NULL, NULL, NULL, 0 }

/*
 * Opens a session as destination and builds pods and containers, frozen, from an envelope: DestinationImported. All or nothing: a refusal
 * says which field, and leaves sandbox and session as they were. Everything is copied. Legal when Idle with a virtual machine that is
 * NotCreated. Errors: INVALID_ARGUMENT, FAILED_PRECONDITION, ALREADY_EXISTS (a pod or container of that id is here), CORRUPT_DATA,
 * UNSUPPORTED_VERSION, LIMIT_EXCEEDED, DENIED, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_import(lcowmig_migration *migration, const lcowmig_import_options *options,
						    lcowmig_error *error);

/*
 * Gives one imported container its place on this host: ids, disks, stdio, for the sandbox container also pod id and namespace. All or
 * nothing. Patching a container again, under the source id it came with, replaces what the first patch gave. Containers in any order,
 * several at a time. Copied. Legal in DestinationImported.
 * Errors: INVALID_ARGUMENT, NOT_FOUND (no such container in the envelope), ALREADY_EXISTS (an id or a path is taken), FAILED_PRECONDITION,
 * HOST_FAILED, CANCELLED, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_patch(lcowmig_migration *migration, const lcowmig_patch *patch, lcowmig_done_fn done,
						   void *user, lcowmig_error *error);

/*
 * Gives disks that no container's patch speaks for their paths on this host, the machine's own boot disk above all: each by what the source
 * calls it. All or nothing; again replaces. Copied. Calls nobody. Legal in DestinationImported.
 * Errors: INVALID_ARGUMENT, FAILED_PRECONDITION, NOT_FOUND (no such disk in the envelope), ALREADY_EXISTS (a path is another disk's),
 * NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_patch_disks(lcowmig_migration *migration, const char *session_id,
							 const lcowmig_disk_patch *disks, size_t n_disks, lcowmig_error *error);

/* Flags of lcowmig_migration_prepare_destination. */
#define LCOWMIG_PREPARE_PATHS_SHARED 0x1u /* disks that no patch has repointed are meant to keep the source's path */

/*
 * Creates the virtual machine that will receive and lets it open its disks: DestinationPrepared. Legal in DestinationImported once every
 * container is patched and, unless LCOWMIG_PREPARE_PATHS_SHARED says otherwise, every disk repointed. `options` as for prepare_source. A
 * failure to create leaves the session as it was; a failure to grant access to a disk makes it Failed. Errors: INVALID_ARGUMENT,
 * FAILED_PRECONDITION (state; containers not patched or disks not repointed, which are listed), HOST_FAILED, CANCELLED, NO_MEMORY. Since
 * 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_prepare_destination(lcowmig_migration *migration, const char *session_id,
                                                                 const lcowmig_migration_options *options, uint32_t flags,
                                                                 lcowmig_done_fn done, void *user, lcowmig_error *error);

/* ---- Both: the transfer ---- */

/*
 * Takes the transport: a descriptor of a connected socket, duplicated for this process (on Windows the bytes of a WSAPROTOCOL_INFOW).
 * SocketReady. Copied. Legal in SourceExported, DestinationPrepared and SocketWaiting, once.
 * A descriptor that the host refuses makes the session Failed; running out of memory or being cancelled changes nothing. Errors:
 * INVALID_ARGUMENT (too short, which is judged first), ALREADY_EXISTS, FAILED_PRECONDITION (state; not connected), HOST_FAILED, CANCELLED,
 * NOT_SUPPORTED, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_register_socket(lcowmig_migration *migration, const char *session_id,
							     const uint8_t *descriptor, size_t size, lcowmig_done_fn done, void *user,
							     lcowmig_error *error);

#define LCOWMIG_SOCKET_TIMEOUT_NS (600ull * 1000000000ull) /* how long a transfer waits for its socket by default */

typedef struct lcowmig_transfer_options {
	size_t size;
	int64_t socket_timeout_ns; /* how long to wait for the socket; 0 or less: LCOWMIG_SOCKET_TIMEOUT_NS */
	uint64_t deadline_ns;      /* how long start and transfer may take together; 0: as long as they like */
} lcowmig_transfer_options;

#define LCOWMIG_TRANSFER_OPTIONS_INIT { sizeof(lcowmig_transfer_options), 0, 0 }

/*
 * Starts the transfer in the background: SocketWaiting, or SocketReady when the socket is here. The rest is told by the state and by
 * notifications: Transferring, then TransferCompleted or Failed. `options` may be NULL. Called again it succeeds and changes nothing.
 * Legal in SourceExported, DestinationPrepared, SocketReady, and as a repetition in SocketWaiting, Transferring and TransferCompleted.
 * The host's start and transfer callbacks run on the thread that makes the transport available, this one or that of
 * register_socket: a host whose callbacks block gives that call a thread of its own.
 * Errors: INVALID_ARGUMENT, FAILED_PRECONDITION, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_transfer(lcowmig_migration *migration, const char *session_id,
                                                      const lcowmig_transfer_options *options, lcowmig_error *error);

/* ---- Both: the end ---- */

#define LCOWMIG_TOKEN_SIZE_MAX 256u /* no token is longer */

/*
 * Gives the right to run the sandbox away, as a token for the other side. From then on this side cannot resume (except with a newer token
 * from there, or by force). Can be repeated, also after cleanup of the other side, and gives the same bytes. Buffer and size as in
 * lcowmig_migration_copy_envelope; asking for the size gives nothing away.
 * Source: legal once the transfer has completed, until a resume has begun or the destination has given the right back. Destination:
 * legal once the transfer has ended in any way, unless the machine runs there; it says that the machine will not run there in this
 * session. A token knows its session, not its sandbox: once one has been given, no second destination may import in this session; another
 * attempt is another session, with an id of its own.
 * Errors: INVALID_ARGUMENT, FAILED_PRECONDITION. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_release(lcowmig_migration *migration, const char *session_id, uint8_t *buffer, size_t size,
                                                     size_t *ret_size, lcowmig_error *error);

/* Flags of lcowmig_finalize_options. */
#define LCOWMIG_FINALIZE_FORCE 0x1u /* resume without the right; needs a reason */

typedef struct lcowmig_finalize_options {
	size_t size;
	const uint8_t *token; /* from the other side's release; NULL when this side has the right already, and for STOP */
	size_t token_size;
	const char *reason;   /* with LCOWMIG_FINALIZE_FORCE: who says so and why; logged, told to subscribers, in the timeline */
	uint32_t action;      /* lcowmig_finalize_action */
	uint32_t flags;
} lcowmig_finalize_options;

#define LCOWMIG_FINALIZE_OPTIONS_INIT { sizeof(lcowmig_finalize_options), NULL, 0, NULL, 0, 0 }

/*
 * Decides what becomes of the sandbox here: Finalized. RESUME lets the machine run, reconnects to its guest and gives every pod back to the
 * host; STOP ends the machine. Legal in TransferCompleted, Cancelled and Failed; the same action again in Finalized is a no-op. STOP of a
 * cancelled destination ends what was imported and leaves the session Cancelled; it asks nothing of the host. A failure leaves the state,
 * and the call can be repeated: RESUME goes on from where it stood; STOP is possible until the machine has ended. RESUME needs the right
 * (see above), is refused once the machine has been stopped, on a destination whose transfer was cancelled before it completed and, unless
 * forced, on one whose transfer has failed: it gives the right back with release.
 * Errors: INVALID_ARGUMENT (action; another session's token), CORRUPT_DATA or UNSUPPORTED_VERSION (not a token), FAILED_PRECONDITION
 * (state; no right; a stale token), HOST_FAILED, GUEST_FAILED, UNAVAILABLE, TIMED_OUT, CANCELLED, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_finalize(lcowmig_migration *migration, const char *session_id,
                                                      const lcowmig_finalize_options *options, lcowmig_done_fn done, void *user,
                                                      lcowmig_error *error);

/*
 * Cancels the session: Cancelled. Never waits for a transfer that is under way, and is not lost whenever it comes; operations in flight end
 * with CANCELLED, a transfer ends quietly. It succeeds when the session ends cancelled, also when the host had nothing to cancel.
 * A no-op in Idle, Cancelling, Cancelled and Finalized. Refused while a finalize is in flight, whose decision it would contradict.
 * When the host cannot cancel, the session is Failed and cancel may be repeated. What a destination imported and can never resume is
 * ended here: containers stopped with exit status LCOWMIG_EXIT_ABORTED, each with its exit event.
 * Errors: INVALID_ARGUMENT, FAILED_PRECONDITION, HOST_FAILED, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_cancel(lcowmig_migration *migration, const char *session_id, lcowmig_done_fn done, void *user,
                                                    lcowmig_error *error);

/*
 * Ends the session: Idle. Closes the transport and every subscription (which is told), forgets the envelope and the token. It does not
 * touch the virtual machine; imported containers that were never resumed end as in cancel. Results that arrive later are dropped. Legal in
 * Finalized, on a destination also in Cancelled; a no-op in Idle, for any session.
 * Errors: INVALID_ARGUMENT, FAILED_PRECONDITION. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_cleanup(lcowmig_migration *migration, const char *session_id, lcowmig_error *error);

/*
 * Leaves the session, whatever state it is in: Idle, always. Interrupts what is in flight, then does what it can in bounded time: a source
 * that has the right, and a destination that had begun to run, resume; anything else is stopped.
 * LCOWMIG_OK: nothing is left to be done. An error: the session is Idle all the same, and `error` says what could not be undone; the
 * virtual machine can still be terminated. Only INVALID_ARGUMENT, FAILED_PRECONDITION (another abandon is in flight) and NO_MEMORY at the
 * start change nothing. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_abandon(lcowmig_migration *migration, const char *session_id, lcowmig_done_fn done, void *user,
                                                     lcowmig_error *error);

/* ---- Notifications ---- */

typedef enum lcowmig_phase {
	LCOWMIG_PHASE_UNSPECIFIED = 0,
	LCOWMIG_PHASE_SETUP_DONE = 1,
	LCOWMIG_PHASE_TRANSFER_IN_PROGRESS = 2,
	LCOWMIG_PHASE_BLACKOUT_STARTED = 3,
	LCOWMIG_PHASE_OFFLINE_DONE = 4,
	LCOWMIG_PHASE_BLACKOUT_EXITED = 5,
	LCOWMIG_PHASE_DONE = 6,
	LCOWMIG_PHASE_RECOVERY_DONE = 7,
	LCOWMIG_PHASE_FAILED = 8,
	LCOWMIG_PHASE_FORCE_INT = 0x7fffffff
} lcowmig_phase;

typedef enum lcowmig_phase_state {
	LCOWMIG_PHASE_STATE_UNSPECIFIED = 0,
	LCOWMIG_PHASE_STATE_SUCCESS = 1,
	LCOWMIG_PHASE_STATE_CANCELLED = 2,
	LCOWMIG_PHASE_STATE_GUEST_INITIATED_CANCELLATION = 3,
	LCOWMIG_PHASE_STATE_SOURCE_FAILED = 4,
	LCOWMIG_PHASE_STATE_DESTINATION_FAILED = 5,
	LCOWMIG_PHASE_STATE_RECOVERY_FAILED = 6,
	LCOWMIG_PHASE_STATE_FORCE_INT = 0x7fffffff
} lcowmig_phase_state;

/* Steps of the session itself, which the platform does not report. */
typedef enum lcowmig_step {
	LCOWMIG_STEP_NONE = 0, /* the platform's own event, or the report that the session failed */
	LCOWMIG_STEP_EXPORTED = 1,
	LCOWMIG_STEP_IMPORTED = 2,
	LCOWMIG_STEP_PATCHED = 3, /* number of total containers */
	LCOWMIG_STEP_TRANSFER_STARTED = 4,
	LCOWMIG_STEP_TRANSFER_COMPLETED = 5,
	LCOWMIG_STEP_RELEASED = 6,
	LCOWMIG_STEP_FORCED = 7,  /* the text is the reason */
	LCOWMIG_STEP_RESUMED = 8, /* number of total containers */
	LCOWMIG_STEP_FINALIZED = 9,
	LCOWMIG_STEP_CANCELLED = 10,
	LCOWMIG_STEP_VM_ENDED = 11,
	LCOWMIG_STEP_FORCE_INT = 0x7fffffff
} lcowmig_step;

/* One event. Opaque so that it can grow; valid during the callback. Getters return zero or "" for what an event does not have. */
typedef struct lcowmig_notification lcowmig_notification;
typedef struct lcowmig_subscription lcowmig_subscription;

/*
 * Tells a subscriber about an event, in order with the other events of the context and without any lock. `notification` NULL, once and
 * last: the session has ended. May call back into the library; should not block.
 */
typedef void (*lcowmig_notification_fn)(void *user, const lcowmig_notification *notification);

#define LCOWMIG_SUBSCRIBE_STEPS 0x1u     /* the session's own steps too */
#define LCOWMIG_NOTIFICATION_QUEUE 64u   /* events kept for a subscriber that does not keep up */

/*
 * Subscribes to the active session. The latest event so far, if any, is told first. A subscriber that does not keep up misses progress,
 * never how it ended: beyond LCOWMIG_NOTIFICATION_QUEUE waiting events a newer one takes the place of the latest, except that phases DONE,
 * RECOVERY_DONE and FAILED are always told. Callbacks may run before this returns; `ret_subscription` is set by then. The subscription is
 * freed by lcowmig_migration_unsubscribe, or by the library once the callback with NULL has returned.
 * Errors: INVALID_ARGUMENT, FAILED_PRECONDITION (no session), NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_subscribe(lcowmig_migration *migration, const char *session_id, uint32_t flags,
                                                       lcowmig_notification_fn notify, void *user, lcowmig_subscription **ret_subscription,
                                                       lcowmig_error *error);

/*
 * Ends a subscription and frees it: nothing more is told, not even the end. A call that another thread is making may still be running.
 * Legal from inside the callback, but not once the callback with NULL has begun: a host that unsubscribes from one thread while another
 * one may end the session orders the two itself. NULL is fine. Since 1.0.
 */
LCOWMIG_API void lcowmig_migration_unsubscribe(lcowmig_subscription *subscription);

/* From 1, one more for each event that is not a step; a step has the id of the event before it. The same for all subscribers. Since 1.0. */
LCOWMIG_API uint32_t lcowmig_notification_message_id(const lcowmig_notification *notification);
/* From 1, one more for each event, steps included. Since 1.0. */
LCOWMIG_API uint32_t lcowmig_notification_sequence(const lcowmig_notification *notification);
LCOWMIG_API lcowmig_origin lcowmig_notification_origin(const lcowmig_notification *notification);
LCOWMIG_API lcowmig_phase lcowmig_notification_phase(const lcowmig_notification *notification);
LCOWMIG_API lcowmig_phase_state lcowmig_notification_state(const lcowmig_notification *notification);
LCOWMIG_API lcowmig_step lcowmig_notification_step(const lcowmig_notification *notification);
/* Of steps that count: how many of how many. */
LCOWMIG_API uint32_t lcowmig_notification_number(const lcowmig_notification *notification);
LCOWMIG_API uint32_t lcowmig_notification_total(const lcowmig_notification *notification);
/* Whether a blackout has ended and its figures are known (phase BLACKOUT_EXITED): milliseconds, and nanoseconds since 1970 UTC. */
LCOWMIG_API bool lcowmig_notification_has_blackout(const lcowmig_notification *notification);
LCOWMIG_API uint64_t lcowmig_notification_blackout_ms(const lcowmig_notification *notification);
LCOWMIG_API int64_t lcowmig_notification_blackout_stop(const lcowmig_notification *notification);
/* When the session began and when this happened: nanoseconds since 1970 UTC. */
LCOWMIG_API int64_t lcowmig_notification_start_time(const lcowmig_notification *notification);
LCOWMIG_API int64_t lcowmig_notification_update_time(const lcowmig_notification *notification);
/* Events that this subscriber has missed right before this one. Valid during the callback only. */
LCOWMIG_API uint32_t lcowmig_notification_missed(const lcowmig_notification *notification);
/* The reason of a forced resume; why the session failed. */
LCOWMIG_API const char *lcowmig_notification_text(const lcowmig_notification *notification);

/* ---- Timeline ---- */

/* Where the time of a session went. Times are nanoseconds of the platform's clock. */
typedef struct lcowmig_timeline_entry {
	size_t size;
	const char *name;     /* "transfer", "blackout", … Static text. */
	uint64_t start;
	uint64_t duration;    /* so far, when it has not ended */
	uint32_t has_ended;
	uint32_t reserved;
} lcowmig_timeline_entry;

#define LCOWMIG_TIMELINE_ENTRY_INIT { sizeof(lcowmig_timeline_entry), NULL, 0, 0, 0, 0 }

/* Returns how many entries the active session has, or the last one when there is none. Since 1.0. */
LCOWMIG_API size_t lcowmig_migration_timeline_count(lcowmig_migration *migration);

/* Fills in entry `index`, in the order in which they were noted. NOT_FOUND beyond the last. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_migration_timeline_entry(lcowmig_migration *migration, size_t index, lcowmig_timeline_entry *ret_entry,
                                                            lcowmig_error *error);

/*
 * Tells how long the guest stood still, as this side saw it, and how much of that passed after memory had been moved: orchestration,
 * finalize and reconnecting. Either pointer may be NULL. NOT_FOUND when there was no blackout. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_blackout(lcowmig_migration *migration, uint64_t *ret_nanoseconds, uint64_t *ret_control_plane,
                                                      lcowmig_error *error);

/*
 * Writes the timeline as JSON for chrome://tracing and Perfetto, NUL-terminated. Buffer and size as in lcowmig_migration_copy_envelope, the
 * NUL included. Errors: INVALID_ARGUMENT, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_migration_timeline_json(lcowmig_migration *migration, char *buffer, size_t size, size_t *ret_size,
                                                           lcowmig_error *error);

#ifdef __cplusplus
}
#endif

#endif
