#include "_cgo_export.h"

#include <string.h>

static uintptr_t handle_of(void *user)
{
	return (uintptr_t)user;
}

/* ---- HCS: every member asks goHCS ---- */

#define NO_TEXT ((char *)"")

static lcowmig_status hcs_create(void *user, lcowmig_call *call, const char *id, const char *document)
{
	(void)id;
	lcowmig_call_set_handle(call, user);
	return goHCS(handle_of(user), call, SHIM_CREATE, (char *)document);
}

#define HCS_REQUEST(name, operation)                                                                            \
	static lcowmig_status name(void *user, lcowmig_call *call, void *system, const char *document)         \
	{                                                                                                       \
		(void)system;                                                                                   \
		return goHCS(handle_of(user), call, operation, (char *)document);                              \
	}
HCS_REQUEST(hcs_modify, SHIM_MODIFY)
HCS_REQUEST(hcs_properties, SHIM_PROPERTIES)
HCS_REQUEST(hcs_initialize_migration, SHIM_INITIALIZE_MIGRATION)
HCS_REQUEST(hcs_transfer, SHIM_TRANSFER)
HCS_REQUEST(hcs_finalize_migration, SHIM_FINALIZE_MIGRATION)
HCS_REQUEST(hcs_cancel_migration, SHIM_CANCEL_MIGRATION)

static lcowmig_status hcs_start(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	(void)system, (void)socket;
	return goHCS(handle_of(user), call, SHIM_START, (char *)options);
}

static lcowmig_status hcs_start_migration(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	(void)system, (void)socket;
	return goHCS(handle_of(user), call, SHIM_START_MIGRATION, (char *)options);
}

static lcowmig_status hcs_terminate(void *user, lcowmig_call *call, void *system)
{
	(void)system;
	return goHCS(handle_of(user), call, SHIM_TERMINATE, NO_TEXT);
}

static lcowmig_status hcs_close(void *user, lcowmig_call *call, void *system)
{
	(void)system;
	return goHCS(handle_of(user), call, SHIM_CLOSE, NO_TEXT);
}

static lcowmig_status hcs_grant_access(void *user, lcowmig_call *call, const char *id, const char *path)
{
	(void)id;
	return goHCS(handle_of(user), call, SHIM_GRANT_ACCESS, (char *)path);
}

/* ---- Guest ---- */

static lcowmig_status guest_prepare(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	(void)user, (void)call, (void)runtime_id, (void)port;
	return LCOWMIG_OK;
}

static lcowmig_status guest_resume(void *user, lcowmig_call *call)
{
	return goGuestConnect(handle_of(user), call);
}

static lcowmig_status guest_connect(void *user, lcowmig_call *call, bool cold)
{
	(void)cold;
	return goGuestConnect(handle_of(user), call);
}

static void guest_close(void *user)
{
	goGuestClose(handle_of(user));
}

static bool guest_is_connected(void *user)
{
	return goGuestIsConnected(handle_of(user));
}

static void guest_set_migrating(void *user, bool migrating)
{
	(void)user, (void)migrating;
}

static lcowmig_status guest_rpc(void *user, lcowmig_call *call, uint32_t message, const char *container_id, const char *document)
{
	(void)container_id;
	return goGuestRequest(handle_of(user), call, message, (char *)document);
}

static lcowmig_status guest_adopt(void *user, lcowmig_call *call, int64_t id)
{
	return goGuestAdopt(handle_of(user), call, id);
}

static uint32_t guest_next_port(void *user)
{
	return goGuestPort(handle_of(user), 0, false);
}

static uint32_t guest_allocate_port(void *user)
{
	return goGuestPort(handle_of(user), 0, true);
}

static void guest_raise_port(void *user, uint32_t next)
{
	goGuestPort(handle_of(user), next, false);
}

static int64_t guest_next_request_id(void *user)
{
	return goGuestRequestID(handle_of(user), 0);
}

static void guest_raise_request_id(void *user, int64_t next)
{
	goGuestRequestID(handle_of(user), next);
}

/* ---- Network, stdio, socket, events: no stdio is relayed, and memory moves without a socket, so a handle is all there is ---- */

static lcowmig_status network_endpoints(void *user, lcowmig_call *call, const char *namespace_id)
{
	return goEndpoints(handle_of(user), call, (char *)namespace_id);
}

static lcowmig_status stdio_open(void *user, lcowmig_call *call, const lcowmig_stdio_config *config)
{
	(void)config;
	lcowmig_call_set_handle(call, user);
	return LCOWMIG_OK;
}

static lcowmig_status stdio_attach(void *user, lcowmig_call *call, void *stdio, const uint32_t ports[3])
{
	(void)user, (void)call, (void)stdio, (void)ports;
	return LCOWMIG_OK;
}

static lcowmig_status socket_adopt(void *user, lcowmig_call *call, const uint8_t *descriptor, size_t size)
{
	(void)descriptor, (void)size;
	lcowmig_call_set_handle(call, user);
	return LCOWMIG_OK;
}

static void close_handle(void *user, void *handle)
{
	(void)user, (void)handle;
}

static void on_event(void *user, const lcowmig_event *event)
{
	goEvent(handle_of(user), lcowmig_event_get_type(event), (char *)lcowmig_event_container_id(event), lcowmig_event_exit_status(event));
}

/* ---- for Go ---- */

lcowmig_error shim_error(void)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	return error;
}

lcowmig_status shim_sandbox_new(lcowmig_context *context, uintptr_t handle, const char *id, lcowmig_sandbox **ret_sandbox, lcowmig_error *error)
{
	void *user = (void *)handle;
	lcowmig_hcs_ops hcs = {
		.size = sizeof hcs,
		.user = user,
		.create = hcs_create,
		.start = hcs_start,
		.terminate = hcs_terminate,
		.close = hcs_close,
		.modify = hcs_modify,
		.properties = hcs_properties,
		.initialize_migration = hcs_initialize_migration,
		.start_migration = hcs_start_migration,
		.transfer = hcs_transfer,
		.finalize_migration = hcs_finalize_migration,
		.cancel_migration = hcs_cancel_migration,
		.grant_access = hcs_grant_access,
	};
	lcowmig_guest_ops guest = {
		.size = sizeof guest,
		.user = user,
		.prepare = guest_prepare,
		.connect = guest_connect,
		.resume = guest_resume,
		.close = guest_close,
		.is_connected = guest_is_connected,
		.set_migrating = guest_set_migrating,
		.rpc = guest_rpc,
		.adopt = guest_adopt,
		.next_port = guest_next_port,
		.next_request_id = guest_next_request_id,
		.allocate_port = guest_allocate_port,
		.raise_port = guest_raise_port,
		.raise_request_id = guest_raise_request_id,
	};
	lcowmig_network_ops network = { sizeof network, user, network_endpoints };
	lcowmig_stdio_ops stdio = { sizeof stdio, user, stdio_open, stdio_attach, NULL, close_handle, close_handle };
	lcowmig_socket_ops socket = { sizeof socket, user, socket_adopt, close_handle, 0 };
	lcowmig_event_ops events = { sizeof events, user, on_event };
	lcowmig_sandbox_config config = { sizeof config, id, &hcs, &guest, &network, &stdio, &socket, &events };

	return lcowmig_sandbox_new(context, &config, ret_sandbox, error);
}

void shim_tell_exit(lcowmig_sandbox *sandbox)
{
	lcowmig_sandbox_hcs_event(sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, "{\"Status\":0,\"ExitType\":\"GracefulExit\"}", NULL);
}

lcowmig_status shim_run(lcowmig_pod *pod, const char *id, const char *specification, const char *scratch, const char *layers,
                        lcowmig_error *error)
{
	const char *texts[] = { scratch, layers };
	lcowmig_rootfs_mount rootfs = { .type = "lcow-partitioned-layer", .source = "scratch", .options = texts, .n_options = 2 };
	lcowmig_container_options options = LCOWMIG_CONTAINER_OPTIONS_INIT;
	lcowmig_container *container = NULL;
	lcowmig_status status;

	options.oci_spec = specification;
	options.oci_spec_size = strlen(specification);
	options.rootfs = &rootfs;
	options.n_rootfs = 1;
	options.bundle = "bundle";
	status = lcowmig_pod_new_container(pod, id, &container, error);
	if (status == LCOWMIG_OK)
		status = lcowmig_container_create(container, &options, NULL, NULL, error);
	return status == LCOWMIG_OK ? lcowmig_container_start(container, NULL, NULL, error) : status;
}

lcowmig_status shim_import(lcowmig_migration *migration, const char *session, const char *id, const void *envelope, size_t size,
                           lcowmig_error *error)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;

	options.session_id = session;
	options.sandbox_id = id;
	options.envelope = envelope;
	options.envelope_size = size;
	return lcowmig_migration_import(migration, &options, error);
}

lcowmig_status shim_patch(lcowmig_migration *migration, const char *source_id, const char *id, const char *namespace_id, const char *scratch,
                          const char *layers, lcowmig_error *error)
{
	const char *texts[] = { scratch, layers };
	lcowmig_rootfs_mount rootfs = { .type = "lcow-partitioned-layer", .source = "scratch", .options = texts, .n_options = 2 };
	lcowmig_patch patch = LCOWMIG_PATCH_INIT;

	patch.source_container_id = source_id;
	patch.container_id = id;
	patch.rootfs = &rootfs;
	patch.n_rootfs = 1;
	patch.bundle = "bundle";
	patch.namespace_id = namespace_id;
	return lcowmig_migration_patch(migration, &patch, NULL, NULL, error);
}

lcowmig_status shim_finalize(lcowmig_migration *migration, const char *session, lcowmig_finalize_action action, const void *token, size_t size,
                             lcowmig_error *error)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	lcowmig_status status;

	options.action = (uint32_t)action;
	options.token = token;
	options.token_size = size;
	status = lcowmig_migration_finalize(migration, session, &options, NULL, NULL, error);
	return status == LCOWMIG_OK ? lcowmig_migration_cleanup(migration, session, error) : status;
}

lcowmig_status shim_disk(lcowmig_scsi *scsi, uint32_t slot, const char **ret_path, bool *ret_read_only)
{
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_status status = lcowmig_scsi_disk(scsi, slot, &disk, NULL);

	*ret_path = disk.host_path;
	*ret_read_only = disk.read_only != 0;
	return status;
}
