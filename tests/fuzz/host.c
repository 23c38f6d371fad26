#include "host.h"

#include <string.h>

#define CAPABILITIES                                                                                                       \
	"{\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":1}],\"RuntimeOsType\":\"Linux\",\"GuestDefinedCapabilities\":{" \
	"\"NamespaceAddRequestSupported\":true,\"SignalProcessSupported\":true,\"DumpStacksSupported\":true,"              \
	"\"DeleteContainerStateSupported\":true}}"
#define EXITED "{\"Status\":0,\"ExitType\":\"GracefulExit\"}"

static lcowmig_status with_result(lcowmig_call *call, const char *result)
{
	lcowmig_call_set_result(call, result, strlen(result));
	return LCOWMIG_OK;
}

static lcowmig_status opened(fuzz_host *host, lcowmig_call *call)
{
	host->open++;
	lcowmig_call_set_handle(call, host);
	return LCOWMIG_OK;
}

static lcowmig_status hcs_create(void *user, lcowmig_call *call, const char *id, const char *document)
{
	REQUIRE(strlen(id) && strlen(document));
	return opened(user, call);
}

static lcowmig_status hcs_socket(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	(void)call;
	(void)options;
	(void)socket;
	REQUIRE(system == user);
	return LCOWMIG_OK;
}

static lcowmig_status hcs_terminate(void *user, lcowmig_call *call, void *system)
{
	(void)call;
	REQUIRE(system == user);
	return LCOWMIG_OK;
}

static lcowmig_status hcs_close(void *user, lcowmig_call *call, void *system)
{
	(void)call;
	REQUIRE(system == user);
	((fuzz_host *)user)->open--;
	return LCOWMIG_OK;
}

static lcowmig_status hcs_text(void *user, lcowmig_call *call, void *system, const char *text)
{
	(void)call;
	REQUIRE(system == user);
	(void)strlen(text);
	return LCOWMIG_OK;
}

static lcowmig_status hcs_properties(void *user, lcowmig_call *call, void *system, const char *query)
{
	fuzz_host *host = user;

	(void)system;
	if (host->properties)
		return with_result(call, host->properties);
	if (strstr(query, "CompatibilityInfo"))
		return with_result(call, "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"Y29tcGF0\"}}}}");
	return with_result(call, "{\"RuntimeId\":\"b1c2d3e4-0000-4000-8000-00000000cafe\"}");
}

static lcowmig_status hcs_grant(void *user, lcowmig_call *call, const char *id, const char *path)
{
	(void)user;
	(void)call;
	REQUIRE(strlen(id));
	(void)strlen(path);
	return LCOWMIG_OK;
}

static lcowmig_status leave_waiting(fuzz_host *host, lcowmig_call *call)
{
	if (host->n_waits == sizeof host->waits / sizeof host->waits[0])
		return LCOWMIG_E_UNAVAILABLE;
	host->waits[host->n_waits++] = call;
	return LCOWMIG_PENDING;
}

static lcowmig_status guest_prepare(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	(void)user;
	(void)call;
	(void)runtime_id;
	(void)port;
	return LCOWMIG_OK;
}

static lcowmig_status guest_connect(void *user, lcowmig_call *call, bool cold)
{
	(void)cold;
	((fuzz_host *)user)->is_connected = true;
	return with_result(call, CAPABILITIES);
}

static lcowmig_status guest_resume(void *user, lcowmig_call *call)
{
	return guest_connect(user, call, false);
}

static void guest_close(void *user)
{
	fuzz_host *host = user;

	host->is_connected = false;
	while (host->n_waits)
		lcowmig_call_complete(host->waits[--host->n_waits], LCOWMIG_E_UNAVAILABLE);
}

static bool guest_is_connected(void *user)
{
	return ((fuzz_host *)user)->is_connected;
}

static void guest_set_migrating(void *user, bool migrating)
{
	(void)user;
	(void)migrating;
}

static lcowmig_status guest_rpc(void *user, lcowmig_call *call, uint32_t message, const char *container_id, const char *document)
{
	fuzz_host *host = user;

	REQUIRE(strlen(container_id) && strlen(document));
	lcowmig_call_set_request_id(call, host->next_id++);
	if (host->answer)
		return with_result(call, host->answer);
	if (message == LCOWMIG_GCS_WAIT_FOR_PROCESS)
		return leave_waiting(host, call);
	return with_result(call, "{\"Result\":0,\"ProcessId\":7}");
}

static lcowmig_status guest_adopt(void *user, lcowmig_call *call, int64_t id)
{
	REQUIRE(id > 0);
	return leave_waiting(user, call);
}

static uint32_t guest_port(void *user)
{
	(void)user;
	return LCOWMIG_GCS_FIRST_PORT;
}

static int64_t guest_next_id(void *user)
{
	return ((fuzz_host *)user)->next_id;
}

static void guest_raise_port(void *user, uint32_t next)
{
	(void)user;
	(void)next;
}

static void guest_raise_id(void *user, int64_t next)
{
	fuzz_host *host = user;

	if (host->next_id < next)
		host->next_id = next;
}

static lcowmig_status network_endpoints(void *user, lcowmig_call *call, const char *namespace_id)
{
	fuzz_host *host = user;

	(void)namespace_id;
	return host->endpoints ? with_result(call, host->endpoints) : LCOWMIG_OK;
}

static lcowmig_status stdio_open(void *user, lcowmig_call *call, const lcowmig_stdio_config *config)
{
	(void)strlen(config->stdin_path);
	return opened(user, call);
}

static lcowmig_status stdio_attach(void *user, lcowmig_call *call, void *stdio, const uint32_t ports[3])
{
	(void)call;
	(void)ports;
	REQUIRE(stdio == user);
	return LCOWMIG_OK;
}

static void stdio_close_stdin(void *user, void *stdio)
{
	REQUIRE(stdio == user);
}

static void handle_close(void *user, void *handle)
{
	REQUIRE(handle == user);
	((fuzz_host *)user)->open--;
}

static lcowmig_status socket_adopt(void *user, lcowmig_call *call, const uint8_t *descriptor, size_t size)
{
	(void)descriptor;
	REQUIRE(size);
	return opened(user, call);
}

static void on_event(void *user, const lcowmig_event *event)
{
	(void)user;
	REQUIRE(strlen(lcowmig_event_container_id(event)));
}

static uint64_t clock_now(void *user)
{
	return ((fuzz_host *)user)->now;
}

/* ---- Life ---- */

void fuzz_host_new(fuzz_host *host, const char *id)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;
	lcowmig_hcs_ops hcs = { sizeof hcs, host, hcs_create, hcs_socket, hcs_terminate, hcs_close, hcs_text, hcs_properties, hcs_text,
		                hcs_socket, hcs_text, hcs_text, hcs_text, hcs_grant, NULL, NULL };
	lcowmig_guest_ops guest = { .size = sizeof guest, .user = host, .prepare = guest_prepare, .connect = guest_connect,
		                    .resume = guest_resume, .close = guest_close, .is_connected = guest_is_connected,
		                    .set_migrating = guest_set_migrating, .rpc = guest_rpc, .adopt = guest_adopt, .next_port = guest_port,
		                    .next_request_id = guest_next_id, .allocate_port = guest_port, .raise_port = guest_raise_port,
		                    .raise_request_id = guest_raise_id };
	lcowmig_network_ops network = { sizeof network, host, network_endpoints };
	lcowmig_stdio_ops stdio = { sizeof stdio, host, stdio_open, stdio_attach, NULL, stdio_close_stdin, handle_close };
	lcowmig_socket_ops socket = { sizeof socket, host, socket_adopt, handle_close, 0 };
	lcowmig_event_ops events = { sizeof events, host, on_event };

	memset(host, 0, sizeof *host);
	host->next_id = 1;
	platform.user = host;
	platform.now = clock_now;
	REQUIRE(lcowmig_context_new(&platform, NULL, &host->context, NULL) == LCOWMIG_OK);
	config.id = id;
	config.hcs = &hcs;
	config.guest = &guest;
	config.network = &network;
	config.stdio = &stdio;
	config.socket = &socket;
	config.events = &events;
	REQUIRE(lcowmig_sandbox_new(host->context, &config, &host->sandbox, NULL) == LCOWMIG_OK);
	host->vm = lcowmig_sandbox_vm(host->sandbox);
	host->m = lcowmig_sandbox_migration(host->sandbox);
}

void fuzz_on_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	fuzz_host *host = user;

	REQUIRE(status != LCOWMIG_PENDING && (status == LCOWMIG_OK) == (error->status == LCOWMIG_OK));
	REQUIRE(host->pending-- > 0);
}

lcowmig_status fuzz_begun(fuzz_host *host, lcowmig_status status)
{
	host->pending += status == LCOWMIG_PENDING; /* it never ends before it has been begun: see fuzz_on_done */
	return status;
}

static void pass_time(fuzz_host *host)
{
	unsigned i;

	for (i = 0; i < 40 && host->pending; i++) {
		host->now += UINT64_C(30000000000);
		lcowmig_context_advance(host->context, host->now);
	}
}

static void tell_exit(fuzz_host *host)
{
	if (!host->has_exited)
		lcowmig_sandbox_hcs_event(host->sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, EXITED, NULL);
	host->has_exited = true;
}

void fuzz_host_free(fuzz_host *host)
{
	host->answer = host->properties = host->endpoints = NULL;
	if (lcowmig_migration_session_id(host->m)[0])
		fuzz_begun(host, lcowmig_migration_abandon(host->m, lcowmig_migration_session_id(host->m), fuzz_on_done, host, NULL));
	tell_exit(host);
	pass_time(host);
	fuzz_begun(host, lcowmig_vm_terminate(host->vm, fuzz_on_done, host, NULL));
	tell_exit(host);
	pass_time(host);
	host->now += UINT64_C(30000000000);
	lcowmig_context_advance(host->context, host->now);
	guest_close(host);
	REQUIRE(host->pending == 0);
	REQUIRE(lcowmig_sandbox_free(host->sandbox, NULL) == LCOWMIG_OK);
	REQUIRE(host->open == 0);
	REQUIRE(lcowmig_context_free(host->context) == LCOWMIG_OK);
}

static const char document[] =
	"{\"Owner\":\"test\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"
	"\"KernelFilePath\":\"C:\\\\vmlinux\",\"KernelCmdLine\":\"panic=-1 -- -e 1 /bin/vsockexec -r -e 109 /bin/gcs\"}},"
	"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":1024},\"Processor\":{\"Count\":2}},\"Devices\":{\"Scsi\":{"
	"\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{}}}}}";

void fuzz_host_boot(fuzz_host *host)
{
	lcowmig_pod *pod;

	REQUIRE(lcowmig_vm_create(host->vm, document, sizeof document - 1, NULL, NULL, NULL, NULL) == LCOWMIG_OK);
	REQUIRE(lcowmig_vm_start(host->vm, NULL, NULL, NULL) == LCOWMIG_OK);
	REQUIRE(lcowmig_pod_new(host->sandbox, "pod", "a1b2c3d4-0000-4000-8000-000000000001", &pod, NULL) == LCOWMIG_OK);
}

char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	REQUIRE(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}
