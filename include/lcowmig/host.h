/*
 * What a host gives to a sandbox: the callbacks through which the library reaches the hypervisor, the guest, the network and stdio.
 *
 * Every struct starts with its size and a user pointer and only ever grows at its end. They are copied when the sandbox is made. A member
 * that is NULL means "not supported": an operation that needs it fails with NOT_SUPPORTED, naming the member; members marked optional have
 * a documented meaning when absent. Callbacks with an lcowmig_call follow the rules of call.h: OK, PENDING or an error, may block, may
 * complete from any thread. The others must return at once and must not fail. No lock is held; callbacks may call back into the library.
 */
#ifndef LCOWMIG_HOST_H
#define LCOWMIG_HOST_H

#include "call.h"
#include "context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lcowmig_sandbox lcowmig_sandbox;
typedef struct lcowmig_event lcowmig_event;

/*
 * The compute system: one member for each computecore.dll entry the library needs. Documents are the exact JSON that HCS takes.
 * `system` is the handle that create attached with lcowmig_call_set_handle; it stays the host's, and is closed exactly once.
 * Report failures with the HRESULT attached: several are treated specially (docs/errors.md).
 */
typedef struct lcowmig_hcs_ops {
	size_t size;
	void *user;
	/* HcsCreateComputeSystem. Attach the handle. `id` is "<sandbox id>@vm". From success on, events are reported with
	 * lcowmig_sandbox_hcs_event. A host that fails after creating must undo it. */
	lcowmig_status (*create)(void *user, lcowmig_call *call, const char *id, const char *document);
	/* HcsStartComputeSystem. `options` is "" or the destination's start document; `socket` is the adopted migration transport (resource
	 * hcs:/VirtualMachine/LiveMigrationSocket) or NULL on a cold start. */
	lcowmig_status (*start)(void *user, lcowmig_call *call, void *system, const char *options, void *socket);
	/* HcsTerminateComputeSystem. Success once the request was accepted; the end is reported by the exit event. */
	lcowmig_status (*terminate)(void *user, lcowmig_call *call, void *system);
	/* HcsCloseComputeSystem. After success the handle is not used again; after a failure it may be closed again. */
	lcowmig_status (*close)(void *user, lcowmig_call *call, void *system);
	/* HcsModifyComputeSystem with a ModifySettingRequest. */
	lcowmig_status (*modify)(void *user, lcowmig_call *call, void *system, const char *request);
	/* HcsGetComputeSystemProperties. Attach the answer's JSON. */
	lcowmig_status (*properties)(void *user, lcowmig_call *call, void *system, const char *query);
	/* HcsInitializeLiveMigrationOnSource. */
	lcowmig_status (*initialize_migration)(void *user, lcowmig_call *call, void *system, const char *options);
	/* HcsStartLiveMigrationOnSource with the adopted socket. */
	lcowmig_status (*start_migration)(void *user, lcowmig_call *call, void *system, const char *options, void *socket);
	/* HcsStartLiveMigrationTransfer: completes when memory has been moved. cancel_migration must get through meanwhile. */
	lcowmig_status (*transfer)(void *user, lcowmig_call *call, void *system, const char *options);
	/* HcsFinalizeLiveMigration. */
	lcowmig_status (*finalize_migration)(void *user, lcowmig_call *call, void *system, const char *options);
	/* HcsCancelLiveMigration. HRESULT 0x80370105 means there was nothing to cancel. */
	lcowmig_status (*cancel_migration)(void *user, lcowmig_call *call, void *system, const char *options);
	/* HcsGrantVmAccess: lets the virtual machine `id` open `path`. */
	lcowmig_status (*grant_access)(void *user, lcowmig_call *call, const char *id, const char *path);
	/* Optional. Attaches the canonical, symlink-free UTF-8 form of `path` as the result: the key under which disks are shared. No
	 * result is HOST_FAILED for whoever asked. Absent: paths are used as given. */
	lcowmig_status (*resolve_path)(void *user, lcowmig_call *call, const char *path);
	/* Optional. Attaches "file" or "directory" as the result: what a bind mount's source is. Absent: every source is a directory. A
	 * path that does not exist is NOT_FOUND. */
	lcowmig_status (*path_type)(void *user, lcowmig_call *call, const char *path);
} lcowmig_hcs_ops;

/* Message ids of the guest bridge, as they stand in a request's type word (kind 1, version 1). */
#define LCOWMIG_GCS_CREATE 0x10100101u
#define LCOWMIG_GCS_START 0x10100201u
#define LCOWMIG_GCS_SHUTDOWN_GRACEFUL 0x10100301u
#define LCOWMIG_GCS_SHUTDOWN_FORCED 0x10100401u
#define LCOWMIG_GCS_EXECUTE_PROCESS 0x10100501u
#define LCOWMIG_GCS_WAIT_FOR_PROCESS 0x10100601u
#define LCOWMIG_GCS_SIGNAL_PROCESS 0x10100701u
#define LCOWMIG_GCS_RESIZE_CONSOLE 0x10100801u
#define LCOWMIG_GCS_GET_PROPERTIES 0x10100901u
#define LCOWMIG_GCS_MODIFY_SETTINGS 0x10100a01u
#define LCOWMIG_GCS_NEGOTIATE_PROTOCOL 0x10100b01u
#define LCOWMIG_GCS_DUMP_STACKS 0x10100c01u
#define LCOWMIG_GCS_DELETE_CONTAINER_STATE 0x10100d01u
#define LCOWMIG_GCS_NOTIFICATION 0x30100101u

/*
 * The guest connection. A shim that has a bridge of its own implements these; one that has none takes them from lcowmig_gcs_guest_ops().
 * Losing the connection completes every outstanding call with UNAVAILABLE, except while migrating, when outstanding calls wait for the
 * connection to come back.
 */
typedef struct lcowmig_guest_ops {
	size_t size;
	void *user;
	/* Optional. Whom to tell about notifications: called when the sandbox is made, and with NULL when it is freed. When something was
	 * reported at that very moment, freeing is refused after all, and the sandbox attached again. */
	void (*attach)(void *user, lcowmig_sandbox *sandbox);
	/* Binds a listener for the virtual machine's vsock `port` (entropy 1, log 109, control 0x40000000). `runtime_id` is the GUID text
	 * of the machine, "" when the host has none. Idempotent while armed. Complete when bound, not when accepted. */
	lcowmig_status (*prepare)(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port);
	/* Optional. Sends `bytes` to the guest's entropy connection and closes it. Absent: the guest is not seeded. */
	lcowmig_status (*entropy)(void *user, lcowmig_call *call, const uint8_t *bytes, size_t size);
	/* Optional. Accepts the guest's log connection and reads it; completes when that stream has ended. */
	lcowmig_status (*log)(void *user, lcowmig_call *call);
	/* Accepts the control connection and negotiates. Attach the Capabilities object of the guest's answer. `cold`: the guest has just
	 * booted (create and start messages are sent when it asks for them). Succeeds at once when connected. */
	lcowmig_status (*connect)(void *user, lcowmig_call *call, bool cold);
	/* Accepts a new transport for the live connection, swaps it in and negotiates again. Only while migrating. Attach as connect. */
	lcowmig_status (*resume)(void *user, lcowmig_call *call);
	/* Drops listeners and connection; outstanding calls end with UNAVAILABLE. Repeatable. */
	void (*close)(void *user);
	/* True while a negotiated transport is up. */
	bool (*is_connected)(void *user);
	/* While true, losing the transport parks outstanding calls instead of failing them. */
	void (*set_migrating)(void *user, bool migrating);
	/* Sends one request and attaches the answer's JSON. `document` is the whole request object, ContainerId and ActivityId included.
	 * The id it is sent under is told with lcowmig_call_set_request_id. An answer with a non-zero Result is GUEST_FAILED with that
	 * HRESULT and the guest's message attached, and the answer attached as well. */
	lcowmig_status (*rpc)(void *user, lcowmig_call *call, uint32_t message, const char *container_id, const char *document);
	/* Waits for the answer to a request that another connection sent under `id`. Legal before connect. When `id` is outstanding here
	 * already, both calls get the answer. */
	lcowmig_status (*adopt)(void *user, lcowmig_call *call, int64_t id);
	/* The next stdio port and the next request id to be handed out; 0 when there is no connection object yet. */
	uint32_t (*next_port)(void *user);
	int64_t (*next_request_id)(void *user);
	/* Take one port. */
	uint32_t (*allocate_port)(void *user);
	/* Raise the allocators; never lower them. */
	void (*raise_port)(void *user, uint32_t next);
	void (*raise_request_id)(void *user, int64_t next);
	/* Optional. A container's exit notification is (not) expected from now on. For bridges that drop unexpected ones. */
	void (*open_container)(void *user, const char *container_id);
	void (*close_container)(void *user, const char *container_id);
} lcowmig_guest_ops;

/* Host Compute Network. */
typedef struct lcowmig_network_ops {
	size_t size;
	void *user;
	/* Attaches a JSON array of the HostComputeEndpoint objects of a namespace, in the order in which the namespace lists them. */
	lcowmig_status (*endpoints)(void *user, lcowmig_call *call, const char *namespace_id);
} lcowmig_network_ops;

/* Where a process's stdio goes on the host, as containerd names it. Strings may be "" for a stream that is not used. */
typedef struct lcowmig_stdio_config {
	size_t size;
	const char *container_id;
	const char *exec_id; /* "" for init */
	const char *stdin_path;
	const char *stdout_path;
	const char *stderr_path;
	uint64_t retry_timeout_ns; /* how long a broken upstream is re-dialled; 0: for ever */
	uint32_t terminal;         /* 0 or 1 */
	uint32_t reserved;
} lcowmig_stdio_config;

/* Stdio relays. The bytes never pass through the library. */
typedef struct lcowmig_stdio_ops {
	size_t size;
	void *user;
	/* Opens the upstream ends (named pipes, logging binary). Attach a handle. `config` lives as long as the call. */
	lcowmig_status (*open)(void *user, lcowmig_call *call, const lcowmig_stdio_config *config);
	/* Listens on the vsock ports of stdin, stdout, stderr (0: not used) and relays whatever connects, a newer connection replacing an
	 * older one. Complete when bound. Attaching again with the same ports re-arms only what was lost. */
	lcowmig_status (*attach)(void *user, lcowmig_call *call, void *stdio, const uint32_t ports[3]);
	/* Optional. The process has ended: completes when all its output has been delivered upstream. */
	lcowmig_status (*drain)(void *user, lcowmig_call *call, void *stdio);
	/* Closes the upstream stdin. Repeatable. */
	void (*close_stdin)(void *user, void *stdio);
	/* Closes everything the handle stands for; called exactly once. */
	void (*close)(void *user, void *stdio);
} lcowmig_stdio_ops;

/* The migration transport. */
typedef struct lcowmig_socket_ops {
	size_t size;
	void *user;
	/* Makes a socket of a descriptor (on Windows the bytes of a WSAPROTOCOL_INFOW) and checks that it is connected. Attach a handle.
	 * Not connected: FAILED_PRECONDITION. The descriptor lives as long as the call. */
	lcowmig_status (*adopt)(void *user, lcowmig_call *call, const uint8_t *descriptor, size_t size);
	/* Closes it; called exactly once. */
	void (*close)(void *user, void *socket);
	/* Smallest descriptor that makes sense; 0: any. Shorter ones are refused before anything else. */
	size_t descriptor_size;
} lcowmig_socket_ops;

/* Where task events go. */
typedef struct lcowmig_event_ops {
	size_t size;
	void *user;
	/* One event at a time for a context, in order. `event` is valid during the call. May call back into the library; should not
	 * block. */
	void (*event)(void *user, const lcowmig_event *event);
} lcowmig_event_ops;

#ifdef __cplusplus
}
#endif

#endif
