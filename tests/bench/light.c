#define _GNU_SOURCE
#include "light.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE "{\"Result\":0,\"ActivityId\":\"00000000-0000-0000-0000-000000000000\""
#define CAPABILITIES                                                                                                          \
	"{\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":1}],\"RuntimeOsType\":\"Linux\",\"GuestDefinedCapabilities\":{" \
	"\"NamespaceAddRequestSupported\":true,\"SignalProcessSupported\":true,\"DumpStacksSupported\":true,"                 \
	"\"DeleteContainerStateSupported\":true}}"
#define ENDPOINTS                                                                                                           \
	"[{\"ID\":\"f7b5d1a0-2f3e-4b6c-8d9e-112233445566\",\"Name\":\"pod1_eth0\",\"HostComputeNamespace\":"                \
	"\"0c7a0b1e-7e6b-4c39-a2a1-6b2f4b9f0d11\",\"IpConfigurations\":[{\"IpAddress\":\"10.244.1.7\",\"PrefixLength\":24}]," \
	"\"MacAddress\":\"00-15-5D-01-02-03\"}]"
#define PROPERTIES "{\"Id\":\"bench@vm\",\"RuntimeId\":\"b1c2d3e4-0000-4000-8000-00000000cafe\"}"
#define COMPATIBILITY "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"Y29tcGF0\"}}}}"
#define EXITED "{\"Status\":0,\"ExitType\":\"GracefulExit\"}"

static char handle; /* every handle of this host's */

static void light_die(const char *what, const lcowmig_error *error)
{
	fprintf(stderr, "bench: %s: %s\n", what, error ? error->message : "failed");
	exit(1);
}

void light_on_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	light_done *done = user;

	done->calls++;
	done->status = status;
	snprintf(done->message, sizeof done->message, "%s", error->message);
}

/* ---- What the host does ---- */

static lcowmig_status light_give(light_host *host, lcowmig_call *call, const char *result)
{
	host->calls++;
	return result ? lcowmig_call_set_result(call, result, strlen(result)) : LCOWMIG_OK;
}

static lcowmig_status light_hold(light_host *host, lcowmig_call *call, const char *answer)
{
	host->calls++;
	if (host->n_held == host->held_capacity) {
		host->held_capacity = host->held_capacity ? 2 * host->held_capacity : 256;
		host->held = realloc(host->held, host->held_capacity * sizeof *host->held);
		if (!host->held)
			light_die("memory", NULL);
	}
	host->held[host->n_held++] = (light_call){ call, answer };
	return LCOWMIG_PENDING;
}

static lcowmig_status light_guest(light_host *host, lcowmig_call *call, const char *answer)
{
	return host->holds ? light_hold(host, call, answer) : light_give(host, call, answer);
}

static lcowmig_status light_open(light_host *host, lcowmig_call *call)
{
	lcowmig_call_set_handle(call, &handle);
	return light_give(host, call, NULL);
}

void light_host_round_trip(light_host *host)
{
	light_call *calls = host->held;
	size_t n = host->n_held;
	size_t i;

	host->held = NULL;
	host->n_held = host->held_capacity = 0;
	host->now += 1000000;
	lcowmig_context_advance(host->context, host->now);
	for (i = 0; i < n; i++) {
		if (!calls[i].answer) {
			light_hold(host, calls[i].call, NULL);
			continue;
		}
		lcowmig_call_set_result(calls[i].call, calls[i].answer, strlen(calls[i].answer));
		lcowmig_call_complete(calls[i].call, LCOWMIG_OK);
	}
	free(calls);
}

/* ---- HCS ---- */

static lcowmig_status hcs_create(void *user, lcowmig_call *call, const char *id, const char *document)
{
	(void)id;
	(void)document;
	return light_open(user, call);
}

static lcowmig_status hcs_start(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	(void)system;
	(void)options;
	(void)socket;
	return light_give(user, call, NULL);
}

static lcowmig_status hcs_plain(void *user, lcowmig_call *call, void *system)
{
	(void)system;
	return light_give(user, call, NULL);
}

static lcowmig_status hcs_text(void *user, lcowmig_call *call, void *system, const char *text)
{
	(void)system;
	(void)text;
	return light_give(user, call, NULL);
}

static lcowmig_status hcs_properties(void *user, lcowmig_call *call, void *system, const char *query)
{
	(void)system;
	return light_give(user, call, strstr(query, "CompatibilityInfo") ? COMPATIBILITY : PROPERTIES);
}

static lcowmig_status hcs_grant_access(void *user, lcowmig_call *call, const char *id, const char *path)
{
	(void)id;
	(void)path;
	return light_give(user, call, NULL);
}

/* ---- The guest ---- */

static lcowmig_status guest_prepare(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	(void)runtime_id;
	(void)port;
	return light_give(user, call, NULL);
}

static lcowmig_status guest_connect(void *user, lcowmig_call *call, bool cold)
{
	(void)cold;
	((light_host *)user)->is_connected = true;
	return light_guest(user, call, CAPABILITIES);
}

static lcowmig_status guest_resume(void *user, lcowmig_call *call)
{
	return guest_connect(user, call, false);
}

static void guest_close(void *user)
{
	((light_host *)user)->is_connected = false;
}

static bool guest_is_connected(void *user)
{
	return ((light_host *)user)->is_connected;
}

static void guest_set_migrating(void *user, bool migrating)
{
	(void)user;
	(void)migrating;
}

static lcowmig_status guest_rpc(void *user, lcowmig_call *call, uint32_t message, const char *container_id, const char *document)
{
	light_host *host = user;

	(void)container_id;
	lcowmig_call_set_request_id(call, host->next_id++);
	if (message == LCOWMIG_GCS_WAIT_FOR_PROCESS)
		return light_hold(host, call, NULL);
	(void)document;
	return light_guest(host, call, message == LCOWMIG_GCS_GET_PROPERTIES ? BASE ",\"Properties\":\"{}\"}" : BASE "}");
}

static lcowmig_status guest_adopt(void *user, lcowmig_call *call, int64_t id)
{
	(void)id;
	return light_hold(user, call, NULL);
}

static uint32_t guest_next_port(void *user)
{
	return ((light_host *)user)->next_port;
}

static int64_t guest_next_request_id(void *user)
{
	return ((light_host *)user)->next_id;
}

static uint32_t guest_allocate_port(void *user)
{
	return ((light_host *)user)->next_port++;
}

static void guest_raise_port(void *user, uint32_t next)
{
	light_host *host = user;

	host->next_port = next > host->next_port ? next : host->next_port;
}

static void guest_raise_request_id(void *user, int64_t next)
{
	light_host *host = user;

	host->next_id = next > host->next_id ? next : host->next_id;
}

/* ---- The rest ---- */

static lcowmig_status network_endpoints(void *user, lcowmig_call *call, const char *namespace_id)
{
	(void)namespace_id;
	return light_give(user, call, ENDPOINTS);
}

static lcowmig_status stdio_open(void *user, lcowmig_call *call, const lcowmig_stdio_config *config)
{
	(void)config;
	return light_open(user, call);
}

static lcowmig_status stdio_attach(void *user, lcowmig_call *call, void *stdio, const uint32_t ports[3])
{
	(void)stdio;
	(void)ports;
	return light_give(user, call, NULL);
}

static void light_close(void *user, void *closed)
{
	(void)user;
	(void)closed;
}

static lcowmig_status socket_adopt(void *user, lcowmig_call *call, const uint8_t *descriptor, size_t size)
{
	(void)descriptor;
	(void)size;
	return light_open(user, call);
}

static void on_event(void *user, const lcowmig_event *event)
{
	(void)user;
	(void)event;
}

static lcowmig_status hcs_with_socket(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	return hcs_start(user, call, system, options, socket);
}

static void light_ops(light_host *host)
{
	host->hcs = (lcowmig_hcs_ops){ .size = sizeof host->hcs, .user = host, .create = hcs_create, .start = hcs_start,
				       .terminate = hcs_plain, .close = hcs_plain, .modify = hcs_text, .properties = hcs_properties,
				       .initialize_migration = hcs_text, .start_migration = hcs_with_socket, .transfer = hcs_text,
				       .finalize_migration = hcs_text, .cancel_migration = hcs_text, .grant_access = hcs_grant_access };
	host->guest = (lcowmig_guest_ops){ .size = sizeof host->guest, .user = host, .prepare = guest_prepare, .connect = guest_connect,
					   .resume = guest_resume, .close = guest_close, .is_connected = guest_is_connected,
					   .set_migrating = guest_set_migrating, .rpc = guest_rpc, .adopt = guest_adopt,
					   .next_port = guest_next_port, .next_request_id = guest_next_request_id,
					   .allocate_port = guest_allocate_port, .raise_port = guest_raise_port,
					   .raise_request_id = guest_raise_request_id };
	host->network = (lcowmig_network_ops){ .size = sizeof host->network, .user = host, .endpoints = network_endpoints };
	host->stdio = (lcowmig_stdio_ops){ .size = sizeof host->stdio, .user = host, .open = stdio_open, .attach = stdio_attach,
					   .close_stdin = light_close, .close = light_close };
	host->socket = (lcowmig_socket_ops){ .size = sizeof host->socket, .user = host, .adopt = socket_adopt, .close = light_close };
	host->events = (lcowmig_event_ops){ .size = sizeof host->events, .user = host, .event = on_event };
}

static uint64_t light_now(void *user)
{
	return LCOWMIG__CONTAINER_OF(user, light_host, memory)->now;
}

light_host *light_host_new(void)
{
	light_host *host = calloc(1, sizeof *host);
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	lcowmig_sandbox_config config = { sizeof config };
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	if (!host)
		light_die("memory", NULL);
	bench_memory_init(&host->memory);
	host->now = 1;
	host->next_id = 1;
	host->next_port = LCOWMIG_GCS_FIRST_PORT;
	light_ops(host);
	platform.user = &host->memory;
	platform.allocate = host->memory.mem.allocate;
	platform.release = host->memory.mem.release;
	platform.now = light_now;
	if (lcowmig_context_new(&platform, NULL, &host->context, &error) != LCOWMIG_OK)
		light_die("context", &error);
	config.hcs = &host->hcs;
	config.guest = &host->guest;
	config.network = &host->network;
	config.stdio = &host->stdio;
	config.socket = &host->socket;
	config.events = &host->events;
	if (lcowmig_sandbox_new(host->context, &config, &host->sandbox, &error) != LCOWMIG_OK)
		light_die("sandbox", &error);
	host->migration = lcowmig_sandbox_migration(host->sandbox);
	return host;
}

/* The machine has gone: what waited for the guest ends. */
static void light_lose_guest(light_host *host)
{
	size_t i;

	for (i = 0; i < host->n_held; i++)
		lcowmig_call_complete(host->held[i].call, LCOWMIG_E_UNAVAILABLE);
	host->n_held = 0;
}

void light_host_free(light_host *host)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	light_done done = { 0 };
	unsigned i;

	if (lcowmig_migration_session_id(host->migration)[0])
		lcowmig_migration_abandon(host->migration, lcowmig_migration_session_id(host->migration), light_on_done, &done, &error);
	lcowmig_sandbox_hcs_event(host->sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, EXITED, NULL);
	for (i = 0; i < 4; i++) {
		light_lose_guest(host);
		host->now += UINT64_C(60000000000);
		lcowmig_context_advance(host->context, host->now);
	}
	lcowmig_vm_terminate(lcowmig_sandbox_vm(host->sandbox), light_on_done, &done, &error);
	light_lose_guest(host);
	if (lcowmig_sandbox_free(host->sandbox, &error) != LCOWMIG_OK)
		light_die("sandbox", &error);
	if (lcowmig_context_free(host->context) != LCOWMIG_OK || host->memory.now)
		light_die("something was not freed", NULL);
	free(host->held);
	free(host);
}
