/* A guest for many threads: every request succeeds, processes run until they are killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_private.h"

#define CAPABILITIES                                                                                      \
	"{\"SupportedSchemaVersions\":[{\"Major\":2,\"Minor\":1}],\"RuntimeOsType\":\"Linux\","           \
	"\"GuestDefinedCapabilities\":{\"NamespaceAddRequestSupported\":true,"                            \
	"\"SignalProcessSupported\":true,\"DumpStacksSupported\":true,\"DeleteContainerStateSupported\":true}}"

/* Ends the waits of one process, or (0) everything that waits. */
static void end_pending(mt_host *host, uint32_t pid, lcowmig_status status)
{
	struct mt_private *p = host->p;
	pending *ended = NULL, **place, *next;

	pthread_mutex_lock(&p->lock);
	for (place = &p->waits; *place;) {
		pending *one = *place;

		if (pid && one->pid != pid) {
			place = &one->next;
			continue;
		}
		*place = one->next;
		one->next = ended;
		ended = one;
	}
	pthread_mutex_unlock(&p->lock);
	for (; ended; ended = next) {
		static const char answer[] = "{\"Result\":0,\"ExitCode\":137}";

		next = ended->next;
		if (status == LCOWMIG_OK)
			lcowmig_call_set_result(ended->call, answer, sizeof answer - 1);
		mt_add_job(host, ended->call, status);
		free(ended);
	}
}

static lcowmig_status leave_pending(mt_host *host, lcowmig_call *call, int64_t id, uint32_t pid)
{
	struct mt_private *p = host->p;
	pending *added = calloc(1, sizeof *added);

	added->call = call;
	added->id = id;
	added->pid = pid;
	pthread_mutex_lock(&p->lock);
	added->next = p->waits;
	p->waits = added;
	pthread_mutex_unlock(&p->lock);
	return LCOWMIG_PENDING;
}

static lcowmig_status guest_prepare(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	(void)runtime_id;
	(void)port;
	return mt_end(user, call, LCOWMIG_OK);
}

static lcowmig_status guest_entropy(void *user, lcowmig_call *call, const uint8_t *bytes, size_t size)
{
	(void)bytes;
	(void)size;
	return mt_end(user, call, LCOWMIG_OK);
}

static lcowmig_status guest_log(void *user, lcowmig_call *call)
{
	return leave_pending(user, call, 0, UINT32_MAX);
}

static void set_connected(mt_host *host, bool is_connected)
{
	pthread_mutex_lock(&host->p->lock);
	host->p->is_connected = is_connected;
	pthread_mutex_unlock(&host->p->lock);
}

static lcowmig_status guest_connect(void *user, lcowmig_call *call, bool cold)
{
	(void)cold;
	set_connected(user, true);
	return mt_succeed(user, call, CAPABILITIES);
}

static lcowmig_status guest_resume(void *user, lcowmig_call *call)
{
	set_connected(user, true);
	return mt_succeed(user, call, CAPABILITIES);
}

static void guest_close(void *user)
{
	set_connected(user, false);
	end_pending(user, 0, LCOWMIG_E_UNAVAILABLE);
}

static bool guest_is_connected(void *user)
{
	mt_host *host = user;
	bool is_connected;

	pthread_mutex_lock(&host->p->lock);
	is_connected = host->p->is_connected;
	pthread_mutex_unlock(&host->p->lock);
	return is_connected;
}

static void guest_set_migrating(void *user, bool migrating)
{
	(void)user;
	(void)migrating;
}

static uint32_t number_after(const char *document, const char *key)
{
	const char *place = strstr(document, key);

	return place ? (uint32_t)strtoul(place + strlen(key), NULL, 10) : 0;
}

/* A wait may reach the guest after the signal. */
static bool was_killed(mt_host *host, uint32_t pid, bool now)
{
	bool was;

	ck_assert_uint_lt(pid, sizeof host->p->killed);
	pthread_mutex_lock(&host->p->lock);
	was = host->p->killed[pid];
	host->p->killed[pid] = was || now;
	pthread_mutex_unlock(&host->p->lock);
	return was;
}

static lcowmig_status guest_wait(mt_host *host, lcowmig_call *call, int64_t id, const char *document)
{
	uint32_t pid = number_after(document, "\"ProcessId\":");

	if (was_killed(host, pid, false))
		return mt_succeed(host, call, "{\"Result\":0,\"ExitCode\":137}");
	if (strstr(document, "\"TimeoutInMs\":4294967295")) {
		leave_pending(host, call, id, pid);
		if (was_killed(host, pid, false)) /* in between */
			end_pending(host, pid, LCOWMIG_OK);
		return LCOWMIG_PENDING;
	}
	lcowmig_call_set_error(call, 0xC0370109u, "the time is over");
	return mt_end(host, call, LCOWMIG_E_GUEST_FAILED);
}

static lcowmig_status guest_rpc(void *user, lcowmig_call *call, uint32_t message, const char *container_id, const char *document)
{
	mt_host *host = user;
	struct mt_private *p = host->p;
	char text[64];
	uint32_t pid;
	int64_t id;

	(void)container_id;
	pthread_mutex_lock(&p->lock);
	id = p->next_id++;
	pid = message == LCOWMIG_GCS_EXECUTE_PROCESS ? p->next_pid++ : 0;
	pthread_mutex_unlock(&p->lock);
	lcowmig_call_set_request_id(call, id);
	switch (message) {
	case LCOWMIG_GCS_WAIT_FOR_PROCESS:
		return guest_wait(host, call, id, document);
	case LCOWMIG_GCS_EXECUTE_PROCESS:
		snprintf(text, sizeof text, "{\"Result\":0,\"ProcessId\":%u}", pid);
		return mt_succeed(host, call, text);
	case LCOWMIG_GCS_SIGNAL_PROCESS:
		pid = number_after(document, "\"ProcessId\":");
		was_killed(host, pid, true);
		end_pending(host, pid, LCOWMIG_OK);
		return mt_succeed(host, call, "{\"Result\":0}");
	case LCOWMIG_GCS_GET_PROPERTIES:
		return mt_succeed(host, call, "{\"Result\":0,\"Properties\":\"{\\\"ProcessList\\\":[],\\\"Metrics\\\":{}}\"}");
	default:
		return mt_succeed(host, call, "{\"Result\":0}");
	}
}

static lcowmig_status guest_adopt(void *user, lcowmig_call *call, int64_t id)
{
	return leave_pending(user, call, id, UINT32_MAX);
}

static int64_t guest_number(mt_host *host, int which, int64_t take)
{
	int64_t number;

	pthread_mutex_lock(&host->p->lock);
	number = which ? host->p->next_id : host->p->next_port;
	if (!which)
		host->p->next_port += (uint32_t)take;
	pthread_mutex_unlock(&host->p->lock);
	return number;
}

static uint32_t guest_next_port(void *user)
{
	return (uint32_t)guest_number(user, 0, 0);
}

static int64_t guest_next_request_id(void *user)
{
	return guest_number(user, 1, 0);
}

static uint32_t guest_allocate_port(void *user)
{
	return (uint32_t)guest_number(user, 0, 1);
}

static void guest_raise_port(void *user, uint32_t next)
{
	mt_host *host = user;

	pthread_mutex_lock(&host->p->lock);
	if (host->p->next_port < next)
		host->p->next_port = next;
	pthread_mutex_unlock(&host->p->lock);
}

static void guest_raise_request_id(void *user, int64_t next)
{
	mt_host *host = user;

	pthread_mutex_lock(&host->p->lock);
	if (host->p->next_id < next)
		host->p->next_id = next;
	pthread_mutex_unlock(&host->p->lock);
}

void mt_guest_ops(mt_host *host, lcowmig_guest_ops *guest)
{
	*guest = (lcowmig_guest_ops){
		.size = sizeof *guest,
		.user = host,
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
	};
}
