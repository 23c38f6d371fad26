/* The guest connection. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_private.h"

#define BASE "{\"Result\":0,\"ActivityId\":\"00000000-0000-0000-0000-000000000000\""
#define CAPABILITIES                                                                                      \
	"{\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":1}],\"RuntimeOsType\":\"Linux\","           \
	"\"GuestDefinedCapabilities\":{\"NamespaceAddRequestSupported\":true,"                            \
	"\"SignalProcessSupported\":true,\"DumpStacksSupported\":true,\"DeleteContainerStateSupported\":true}}"

static struct test_host_private *p_of(void *user)
{
	return ((test_host *)user)->p;
}

static void guest_attach(void *user, lcowmig_sandbox *sandbox)
{
	test_log(user, sandbox ? "guest.attach" : "guest.detach");
	p_of(user)->sandbox = sandbox;
}

static lcowmig_status guest_prepare(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	test_call given = { .operation = "guest.prepare", .call = call };

	ck_assert_ptr_nonnull(runtime_id);
	test_log(user, "guest.prepare %u", port);
	return test_script_run(user, &given);
}

static lcowmig_status guest_entropy(void *user, lcowmig_call *call, const uint8_t *bytes, size_t size)
{
	test_call given = { .operation = "guest.entropy", .call = call };

	ck_assert_ptr_nonnull(bytes);
	test_log(user, "guest.entropy %zu", size);
	return test_script_run(user, &given);
}

static lcowmig_status guest_log(void *user, lcowmig_call *call)
{
	test_call given = { .operation = "guest.log", .call = call };

	test_log(user, "guest.log");
	return test_script_run(user, &given);
}

static lcowmig_status guest_connect(void *user, lcowmig_call *call, bool cold)
{
	test_call given = {
		.operation = "guest.connect", .call = call, .standard = test_format("%s", CAPABILITIES), .is_connection = true
	};

	test_log(user, "guest.connect %s", cold ? "cold" : "warm");
	return test_script_run(user, &given);
}

static lcowmig_status guest_resume(void *user, lcowmig_call *call)
{
	test_call given = { .operation = "guest.resume", .call = call, .standard = test_format("%s", CAPABILITIES), .is_connection = true };

	test_log(user, "guest.resume");
	return test_script_run(user, &given);
}

static void guest_close(void *user)
{
	test_log(user, "guest.close");
	p_of(user)->is_connected = false;
	test_script_lose_guest(user);
}

static bool guest_is_connected(void *user)
{
	return p_of(user)->is_connected;
}

static void guest_set_migrating(void *user, bool migrating)
{
	test_log(user, "guest.set_migrating %s", migrating ? "true" : "false");
	p_of(user)->is_migrating = migrating;
}

static uint32_t number_after(const char *document, const char *key)
{
	const char *place = strstr(document, key);

	return place ? (uint32_t)strtoul(place + strlen(key), NULL, 10) : 0;
}

/* The wait's answer: an endless one stays pending, a bounded one finds the process running. */
static void wait_sent(test_host *host, test_call *given, const char *document)
{
	test_wait *wait = calloc(1, sizeof *wait);

	ck_assert_ptr_nonnull(wait);
	given->pid = number_after(document, "\"ProcessId\":");
	given->standard = test_format(BASE ",\"ExitCode\":0}");
	given->stays = true;
	if (!strstr(document, "\"TimeoutInMs\":4294967295"))
		given->times_out = 0xC0370109u;
	wait->request_id = given->request_id;
	wait->pid = given->pid;
	lcowmig__list_append(&host->p->waits, &wait->node);
}

static char *standard_answer(test_host *host, uint32_t message)
{
	if (message == LCOWMIG_GCS_EXECUTE_PROCESS)
		return test_format(BASE ",\"ProcessId\":%u}", host->p->next_pid++);
	if (message == LCOWMIG_GCS_GET_PROPERTIES)
		return test_format(BASE ",\"Properties\":\"{}\"}");
	if (message == LCOWMIG_GCS_DUMP_STACKS)
		return test_format(BASE ",\"GuestStacks\":\"goroutine 1 [running]:\\n\"}");
	return test_format(BASE "}");
}

static lcowmig_status guest_rpc(void *user, lcowmig_call *call, uint32_t message, const char *container_id, const char *document)
{
	test_host *host = user;
	test_call given = { .operation = "guest.rpc", .call = call };

	ck_assert_ptr_nonnull(container_id);
	test_log(host, "guest.rpc 0x%08x %s", message, document);
	snprintf(given.specific, sizeof given.specific, "guest.rpc:%08x", message);
	given.request_id = host->p->next_request_id++;
	lcowmig_call_set_request_id(call, given.request_id);
	if (message == LCOWMIG_GCS_WAIT_FOR_PROCESS)
		wait_sent(host, &given, document);
	else
		given.standard = standard_answer(host, message);
	if (!host->p->is_connected && !host->p->is_migrating) {
		free(given.standard);
		lcowmig_call_set_error(call, 0, "the connection is gone");
		return LCOWMIG_E_UNAVAILABLE;
	}
	return test_script_run(host, &given);
}

static lcowmig_status guest_adopt(void *user, lcowmig_call *call, int64_t id)
{
	test_call given = { .operation = "guest.adopt", .call = call, .standard = test_format(BASE ",\"ExitCode\":0}"), .request_id = id,
		            .stays = true };

	test_log(user, "guest.adopt %" PRId64, id);
	return test_script_run(user, &given);
}

static uint32_t guest_next_port(void *user)
{
	return p_of(user)->next_port;
}

static int64_t guest_next_request_id(void *user)
{
	return p_of(user)->next_request_id;
}

static uint32_t guest_allocate_port(void *user)
{
	test_log(user, "guest.allocate_port");
	return p_of(user)->next_port++;
}

static void guest_raise_port(void *user, uint32_t next)
{
	test_log(user, "guest.raise_port %u", next);
	if (next > p_of(user)->next_port)
		p_of(user)->next_port = next;
}

static void guest_raise_request_id(void *user, int64_t next)
{
	test_log(user, "guest.raise_request_id %" PRId64, next);
	if (next > p_of(user)->next_request_id)
		p_of(user)->next_request_id = next;
}

static void guest_open_container(void *user, const char *container_id)
{
	test_log(user, "guest.open_container %s", container_id);
}

static void guest_close_container(void *user, const char *container_id)
{
	test_log(user, "guest.close_container %s", container_id);
}

void test_host_disconnect(test_host *host)
{
	host->p->is_connected = false;
	if (!host->p->is_migrating)
		test_script_lose_guest(host);
}

void test_guest_ops_init(test_host *host)
{
	host->p->guest = (lcowmig_guest_ops){
		.size = sizeof host->p->guest,
		.user = host,
		.attach = guest_attach,
		.prepare = guest_prepare,
		.entropy = guest_entropy,
		.log = guest_log,
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
		.open_container = guest_open_container,
		.close_container = guest_close_container,
	};
}
