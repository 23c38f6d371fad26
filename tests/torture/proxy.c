/* Stands between a sandbox and the scripted host: counts the calls, and lets the armed one go wrong. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/call.h"
#include "engine/operation.h"
#include "host_private.h"
#include "sandbox/sandbox.h"
#include "torture.h"

#define SECOND UINT64_C(1000000000)
#define NEVER_NS (650 * SECOND)
#define GIVE_UP_NS (800 * SECOND)
#define PROXIES_MAX 8
#define KEPT_MAX 256
#define FAILS_WITH 0x80004005u

torture_plan torture_armed;

/* One proxied sandbox: the vtables that it had. */
typedef struct proxy {
	test_host *host;
	lcowmig_hcs_ops hcs;
	lcowmig_guest_ops guest;
	lcowmig_network_ops network;
	lcowmig_stdio_ops stdio;
	lcowmig_socket_ops socket;
	lcowmig__env *env;
	void (*taken)(void); /* the member that is missing */
} proxy;

/* A call that ends later. */
typedef struct kept_call {
	const proxy *proxy;
	lcowmig_call *call;
	lcowmig_status status;
	bool is_guest;
} kept_call;

static proxy proxies[PROXIES_MAX];
static size_t n_proxies;
static kept_call kept[KEPT_MAX];
static size_t n_kept;
static const test_member *missing;
static uint32_t shuffle;

void torture_proxy_reset(void)
{
	ck_assert_uint_eq(n_kept, 0);
	n_proxies = 0;
	missing = NULL;
}

/* ---- How calls end ---- */

static void *end_on_thread(void *argument)
{
	kept_call *call = argument;

	lcowmig_call_complete(call->call, call->status);
	return NULL;
}

/* The scripted host knows no threads: this one waits until the other is through. */
static void end_by_thread(kept_call *call)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, end_on_thread, call), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static lcowmig_status keep(const proxy *p, lcowmig_call *call, lcowmig_status status, bool is_guest)
{
	ck_assert_uint_lt(n_kept, KEPT_MAX);
	kept[n_kept++] = (kept_call){ p, call, status, is_guest };
	torture_armed.waited_ns = 0;
	return LCOWMIG_PENDING;
}

static void end_kept(size_t index)
{
	kept_call call = kept[index];

	memmove(&kept[index], &kept[index + 1], (--n_kept - index) * sizeof kept[0]);
	if (torture_armed.kind == TORTURE_THREAD)
		end_by_thread(&call);
	else
		lcowmig_call_complete(call.call, call.status);
}

static size_t n_kept_of(const test_host *host)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < n_kept; i++)
		count += kept[i].proxy->host == host;
	return count;
}

/* One of them: the oldest, or with REORDER any. */
static void release_one(const test_host *host)
{
	size_t choice = 0;
	size_t i;

	if (torture_armed.kind == TORTURE_REORDER) {
		shuffle = shuffle * 1664525u + 1013904223u;
		choice = (shuffle >> 8) % n_kept_of(host);
	}
	for (i = 0; kept[i].proxy->host != host || choice; i++)
		choice -= kept[i].proxy->host == host;
	end_kept(i);
}

/* The operation that is to come while the call is pending. */
static void intrude_when_due(void)
{
	if (torture_armed.is_due && !torture_intruder()->has_begun)
		torture_intrude(torture_now());
}

bool torture_release(test_host *host)
{
	bool did_something = n_kept_of(host) > 0;

	intrude_when_due();
	while (n_kept_of(host))
		release_one(host);
	return did_something;
}

/* Cancels whatever somebody waits for. */
void torture_cancel_operations(test_host *host)
{
	struct {
		lcowmig_done_fn done;
		void *user;
	} pairs[16];
	lcowmig__list *node, *following;
	size_t count = 0;

	LCOWMIG__LIST_EACH (node, following, &host->context->operations) {
		lcowmig__operation *operation = LCOWMIG__LIST_ENTRY(node, lcowmig__operation, in_context);

		if (count == 16)
			break;
		if (torture_is_intruder(operation->user))
			continue;
		pairs[count].done = operation->done;
		pairs[count++].user = operation->user;
	}
	while (count--)
		lcowmig_context_cancel(host->context, pairs[count].done, pairs[count].user);
}

/* A frame that nobody repeats may be waited for without end: the caller gives up in time, later than every deadline. */
static void advance_with_guest(test_host *host, uint64_t nanoseconds)
{
	test_host_advance(host, nanoseconds);
	torture_armed.step_ns += nanoseconds;
	if (torture_armed.step_ns >= NEVER_NS && torture_guest->has_kept(host))
		torture_guest->release(host);
	if (torture_armed.step_ns >= GIVE_UP_NS) {
		torture_armed.step_ns = 0;
		torture_cancel_operations(host);
	}
}

void torture_advance(test_host *host, uint64_t nanoseconds)
{
	torture_kind kind = torture_armed.kind;

	if (torture_is_about_frames(kind)) {
		advance_with_guest(host, nanoseconds);
		return;
	}
	if (host == torture_armed.host)
		intrude_when_due();
	if (!n_kept_of(host)) {
		test_host_advance(host, nanoseconds);
		if (torture_is_overlap(kind))
			torture_feed_intruder(torture_now());
		return;
	}
	if (kind == TORTURE_NEVER || kind == TORTURE_NEVER_ERROR) {
		torture_armed.waited_ns += nanoseconds;
		test_host_advance(host, nanoseconds);
		if (torture_armed.waited_ns < NEVER_NS)
			return;
	}
	if (kind == TORTURE_CANCEL_SUCCESS || kind == TORTURE_CANCEL_ERROR || kind == TORTURE_NEVER || kind == TORTURE_NEVER_ERROR)
		torture_cancel_operations(host);
	torture_release(host);
}

/* ---- The one that goes wrong ---- */

/* Whether this call is to end as the plan says. */
static bool is_the_one(void)
{
	torture_plan *plan = &torture_armed;

	plan->calls++;
	if (plan->kind < TORTURE_ERROR || plan->kind == TORTURE_MISSING || torture_is_about_awaits(plan->kind))
		return false;
	if (plan->kind == TORTURE_REORDER) {
		if (!plan->was_met)
			shuffle = plan->nth;
		plan->was_met = true;
		return true;
	}
	if (plan->calls != plan->nth)
		return false;
	plan->was_met = true;
	plan->is_due = torture_is_overlap(plan->kind);
	return true;
}

/* True when the script is not to be asked. */
static bool goes_wrong_before(const proxy *p, lcowmig_call *call, bool is_guest, lcowmig_status *ret_status)
{
	static const char answer[] =
		"{\"Result\":-2147467259,\"ActivityId\":\"00000000-0000-0000-0000-000000000000\",\"ErrorMessage\":\"no\"}";
	lcowmig_status status = is_guest ? LCOWMIG_E_GUEST_FAILED : LCOWMIG_E_HOST_FAILED;

	switch (torture_armed.kind) {
	case TORTURE_ERROR:
	case TORTURE_LATE_ERROR:
	case TORTURE_CANCEL_ERROR:
	case TORTURE_NEVER_ERROR:
		break;
	default:
		return false;
	}
	lcowmig_call_set_error(call, FAILS_WITH, "the one that fails");
	if (is_guest)
		lcowmig_call_set_result(call, answer, sizeof answer - 1);
	*ret_status = torture_armed.kind == TORTURE_ERROR ? status : keep(p, call, status, is_guest);
	return true;
}

/* A host that opened or closed something in the end has not failed. */
static bool has_handle(const lcowmig_call *call)
{
	return call->handle || strstr(call->what, "close");
}

/* The script has answered. */
static lcowmig_status goes_wrong_after(const proxy *p, lcowmig_call *call, bool is_guest, lcowmig_status status)
{
	kept_call now = { p, call, status, is_guest };

	if (torture_armed.kind == TORTURE_OVERLAP_INSIDE)
		torture_intrude(torture_now());
	if (status == LCOWMIG_PENDING)
		return status;
	switch (torture_armed.kind) {
	case TORTURE_LATE:
	case TORTURE_THREAD:
	case TORTURE_CANCEL_SUCCESS:
	case TORTURE_NEVER:
	case TORTURE_REORDER:
	case TORTURE_OVERLAP:
	case TORTURE_OVERLAP_CANCEL:
	case TORTURE_OVERLAP_CANCEL_FIRST:
	case TORTURE_OVERLAP_DEATH:
	case TORTURE_OVERLAP_INSIDE:
		return keep(p, call, status, is_guest);
	case TORTURE_EFFECT_ERROR:
		if (status != LCOWMIG_OK || has_handle(call))
			return status;
		lcowmig_call_set_error(call, FAILS_WITH, "the one that fails in the end");
		return is_guest ? LCOWMIG_E_GUEST_FAILED : LCOWMIG_E_HOST_FAILED;
	case TORTURE_INSIDE:
		lcowmig_call_complete(call, status);
		return LCOWMIG_PENDING;
	case TORTURE_INSIDE_THREAD:
		end_by_thread(&now);
		return LCOWMIG_PENDING;
	default:
		return status;
	}
}

#define PROXY(is_guest, asked)                                                             \
	proxy *p = user;                                                                   \
	lcowmig_status status;                                                             \
	bool is_it = is_the_one();                                                         \
                                                                                           \
	if (is_it && goes_wrong_before(p, call, is_guest, &status))                        \
		return status;                                                             \
	status = (asked);                                                                  \
	return is_it ? goes_wrong_after(p, call, is_guest, status) : status

/* ---- The vtables ---- */

static lcowmig_status hcs_create(void *user, lcowmig_call *call, const char *id, const char *document)
{
	PROXY(false, p->hcs.create(p->host, call, id, document));
}

static lcowmig_status hcs_start(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	PROXY(false, p->hcs.start(p->host, call, system, options, socket));
}

static lcowmig_status hcs_terminate(void *user, lcowmig_call *call, void *system)
{
	PROXY(false, p->hcs.terminate(p->host, call, system));
}

static lcowmig_status hcs_close(void *user, lcowmig_call *call, void *system)
{
	PROXY(false, p->hcs.close(p->host, call, system));
}

#define HCS_WITH_TEXT(member)                                                                                  \
	static lcowmig_status hcs_##member(void *user, lcowmig_call *call, void *system, const char *document) \
	{                                                                                                      \
		PROXY(false, p->hcs.member(p->host, call, system, document));                                  \
	}
HCS_WITH_TEXT(modify)
HCS_WITH_TEXT(properties)
HCS_WITH_TEXT(initialize_migration)
HCS_WITH_TEXT(transfer)
HCS_WITH_TEXT(finalize_migration)
HCS_WITH_TEXT(cancel_migration)

static lcowmig_status hcs_start_migration(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	PROXY(false, p->hcs.start_migration(p->host, call, system, options, socket));
}

static lcowmig_status hcs_grant_access(void *user, lcowmig_call *call, const char *id, const char *path)
{
	PROXY(false, p->hcs.grant_access(p->host, call, id, path));
}

static lcowmig_status hcs_resolve_path(void *user, lcowmig_call *call, const char *path)
{
	PROXY(false, p->hcs.resolve_path(p->host, call, path));
}

static lcowmig_status guest_prepare(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	PROXY(false, p->guest.prepare(p->host, call, runtime_id, port));
}

static lcowmig_status guest_entropy(void *user, lcowmig_call *call, const uint8_t *bytes, size_t size)
{
	PROXY(false, p->guest.entropy(p->host, call, bytes, size));
}

static lcowmig_status guest_log(void *user, lcowmig_call *call)
{
	PROXY(false, p->guest.log(p->host, call));
}

static lcowmig_status guest_connect(void *user, lcowmig_call *call, bool cold)
{
	PROXY(true, p->guest.connect(p->host, call, cold));
}

static lcowmig_status guest_resume(void *user, lcowmig_call *call)
{
	PROXY(true, p->guest.resume(p->host, call));
}

static lcowmig_status guest_rpc(void *user, lcowmig_call *call, uint32_t message, const char *container_id, const char *document)
{
	PROXY(true, p->guest.rpc(p->host, call, message, container_id, document));
}

static lcowmig_status guest_adopt(void *user, lcowmig_call *call, int64_t id)
{
	PROXY(true, p->guest.adopt(p->host, call, id));
}

/* A connection that goes takes its calls along. */
static void guest_close(void *user)
{
	proxy *p = user;
	size_t i;

	p->guest.close(p->host);
	for (i = 0; i < n_kept;) {
		if (kept[i].proxy != p || !kept[i].is_guest) {
			i++;
			continue;
		}
		kept[i].status = LCOWMIG_E_UNAVAILABLE;
		end_kept(i);
		i = 0;
	}
}

static lcowmig_status network_endpoints(void *user, lcowmig_call *call, const char *namespace_id)
{
	PROXY(false, p->network.endpoints(p->host, call, namespace_id));
}

static lcowmig_status stdio_open(void *user, lcowmig_call *call, const lcowmig_stdio_config *config)
{
	PROXY(false, p->stdio.open(p->host, call, config));
}

static lcowmig_status stdio_attach(void *user, lcowmig_call *call, void *stdio, const uint32_t ports[3])
{
	PROXY(false, p->stdio.attach(p->host, call, stdio, ports));
}

static lcowmig_status stdio_drain(void *user, lcowmig_call *call, void *stdio)
{
	PROXY(false, p->stdio.drain(p->host, call, stdio));
}

static lcowmig_status socket_adopt(void *user, lcowmig_call *call, const uint8_t *descriptor, size_t size)
{
	PROXY(false, p->socket.adopt(p->host, call, descriptor, size));
}

/* What returns at once is passed on. */
#define AT_ONCE(vtable, member, parameters, arguments)        \
	static void vtable##_##member parameters              \
	{                                                     \
		((proxy *)user)->vtable.member arguments;     \
	}
#define HOST (((proxy *)user)->host)
AT_ONCE(guest, attach, (void *user, lcowmig_sandbox *sandbox), (HOST, sandbox))
AT_ONCE(guest, set_migrating, (void *user, bool migrating), (HOST, migrating))
AT_ONCE(guest, raise_port, (void *user, uint32_t next), (HOST, next))
AT_ONCE(guest, raise_request_id, (void *user, int64_t next), (HOST, next))
AT_ONCE(guest, open_container, (void *user, const char *container_id), (HOST, container_id))
AT_ONCE(guest, close_container, (void *user, const char *container_id), (HOST, container_id))
AT_ONCE(stdio, close_stdin, (void *user, void *stdio), (HOST, stdio))
AT_ONCE(stdio, close, (void *user, void *stdio), (HOST, stdio))
AT_ONCE(socket, close, (void *user, void *socket), (HOST, socket))

static bool guest_is_connected(void *user)
{
	return ((proxy *)user)->guest.is_connected(HOST);
}

static uint32_t guest_next_port(void *user)
{
	return ((proxy *)user)->guest.next_port(HOST);
}

static int64_t guest_next_request_id(void *user)
{
	return ((proxy *)user)->guest.next_request_id(HOST);
}

static uint32_t guest_allocate_port(void *user)
{
	return ((proxy *)user)->guest.allocate_port(HOST);
}

static void wrap_hcs(proxy *p, lcowmig_hcs_ops *ops)
{
	p->hcs = *ops;
	*ops = (lcowmig_hcs_ops){
		.size = sizeof *ops,
		.user = p,
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
		.resolve_path = hcs_resolve_path,
	};
}

static void wrap_guest(proxy *p, lcowmig_guest_ops *ops)
{
	p->guest = *ops;
	*ops = (lcowmig_guest_ops){
		.size = sizeof *ops,
		.user = p,
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

/* ---- Members that are missing ---- */

/* Without events there is nothing to check, and what is open already was not opened on a host that cannot close it. */
static bool may_be_missing(const test_member *member)
{
	static const char *const always[] = { "events.event", "guest.attach", "guest.close", "stdio.close", "socket.close" };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(always); i++) {
		if (strcmp(member->operation, always[i]) == 0)
			return false;
	}
	return true;
}

unsigned torture_count_members(void)
{
	unsigned count = 0;
	size_t i;

	for (i = 0; i < test_n_members; i++)
		count += may_be_missing(&test_members[i]);
	return count;
}

static void take_member(proxy *p)
{
	char *place = (char *)p->env + missing->in_env;

	memcpy(&p->taken, place, sizeof p->taken);
	memset(place, 0, sizeof p->taken);
}

void torture_remove_member(unsigned nth)
{
	size_t i;

	for (i = 0; nth; i++)
		nth -= may_be_missing(&test_members[i]);
	missing = &test_members[i - 1];
	for (i = 0; i < n_proxies; i++)
		take_member(&proxies[i]);
	torture_armed.was_met = true;
}

void torture_restore_member(void)
{
	size_t i;

	for (i = 0; missing && i < n_proxies; i++) {
		if (proxies[i].env)
			memcpy((char *)proxies[i].env + missing->in_env, &proxies[i].taken, sizeof proxies[i].taken);
	}
	missing = NULL;
}

void torture_forget(const lcowmig__env *env)
{
	size_t i;

	for (i = 0; i < n_proxies; i++) {
		if (proxies[i].env == env)
			proxies[i].env = NULL;
	}
}

/* ---- Between the sandbox and its host ---- */

void torture_proxy(test_host *host, lcowmig_sandbox *sandbox)
{
	lcowmig__env *env = lcowmig__sandbox_env(sandbox);
	proxy *p = &proxies[n_proxies++];

	ck_assert_uint_le(n_proxies, PROXIES_MAX);
	p->host = host;
	wrap_hcs(p, &env->hcs);
	wrap_guest(p, &env->guest);
	p->network = env->network;
	env->network = (lcowmig_network_ops){ sizeof env->network, p, network_endpoints };
	p->stdio = env->stdio;
	env->stdio = (lcowmig_stdio_ops){ sizeof env->stdio, p, stdio_open, stdio_attach, stdio_drain, stdio_close_stdin, stdio_close };
	p->socket = env->socket;
	env->socket = (lcowmig_socket_ops){ sizeof env->socket, p, socket_adopt, socket_close, env->socket.descriptor_size };
	p->env = env;
	if (missing)
		take_member(p);
}
