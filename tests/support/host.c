/* The scripted host's life: context, clock, memory, and running what a test wants run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_private.h"

/* ---- The platform ---- */

static void *platform_allocate(void *user, size_t size)
{
	struct test_host_private *p = ((test_host *)user)->p;
	void *memory;

	p->allocations++;
	if (p->fail_in && size >= p->fail_size && --p->fail_in == 0) {
		p->fail_in = p->fail_forever ? 1 : 0;
		return NULL;
	}
	memory = malloc(size);
	ck_assert_ptr_nonnull(memory);
	p->live++;
	return memory;
}

static void platform_release(void *user, void *pointer)
{
	((test_host *)user)->p->live--;
	free(pointer);
}

static uint64_t platform_now(void *user)
{
	return ((test_host *)user)->p->now;
}

/* A day in 2024 plus the fake clock. */
static int64_t platform_wall_clock(void *user)
{
	return INT64_C(1720000000000000000) + (int64_t)((test_host *)user)->p->now;
}

/* The same bytes in every run (splitmix64), so that whole logs can be compared. */
static lcowmig_status platform_random(void *user, void *bytes, size_t size)
{
	struct test_host_private *p = ((test_host *)user)->p;
	unsigned char *place = bytes;
	size_t i;

	for (i = 0; i < size; i++) {
		uint64_t z = p->random += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		place[i] = (unsigned char)(z >> 40);
	}
	return LCOWMIG_OK;
}

static void platform_log(void *user, lcowmig_log_level level, const char *message)
{
	(void)user;
	if (getenv("TEST_HOST_LOG"))
		fprintf(stderr, "[%d] %s\n", (int)level, message);
	ck_assert_msg(strncmp(message, "library bug", strlen("library bug")) != 0, "%s", message);
}

/* ---- Life ---- */

static void host_init_env(test_host *host)
{
	struct test_host_private *p = host->p;
	lcowmig__env *env = &host->env;

	p->system = test_handle_open(host, "system");
	p->system->may_stay = true;
	snprintf(p->vm_id, sizeof p->vm_id, "vm@test");
	snprintf(p->runtime_id, sizeof p->runtime_id, "b1c2d3e4-0000-4000-8000-00000000cafe");
	env->context = host->context;
	env->hcs = p->hcs;
	env->guest = p->guest;
	env->network = p->network;
	env->stdio = p->stdio;
	env->socket = p->socket;
	env->events = p->events;
	env->system = p->system;
	env->vm_id = p->vm_id;
	env->runtime_id = p->runtime_id;
	env->has_guest = true;
	env->guest_supports_namespaces = true;
	env->guest_supports_signals = true;
	env->guest_supports_dump_stacks = true;
	env->guest_supports_delete_state = true;
}

static void host_init_config(test_host *host)
{
	host->config.size = sizeof host->config;
	host->config.id = "test";
	host->config.hcs = &host->p->hcs;
	host->config.guest = &host->p->guest;
	host->config.network = &host->p->network;
	host->config.stdio = &host->p->stdio;
	host->config.socket = &host->p->socket;
	host->config.events = &host->p->events;
}

test_host *test_host_new(void)
{
	test_host *host = calloc(1, sizeof *host);
	struct test_host_private *p = calloc(1, sizeof *p);
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;

	ck_assert(host && p);
	host->p = p;
	p->now = UINT64_C(1000000000);
	p->next_pid = 101;
	p->next_port = LCOWMIG_GCS_FIRST_PORT;
	p->next_request_id = 1;
	p->is_connected = true;
	lcowmig__list_init(&p->failures);
	lcowmig__list_init(&p->replies);
	lcowmig__list_init(&p->holds);
	lcowmig__list_init(&p->pending);
	lcowmig__list_init(&p->handles);
	lcowmig__list_init(&p->waits);
	platform.user = host;
	platform.allocate = platform_allocate;
	platform.release = platform_release;
	platform.now = platform_now;
	platform.wall_clock = platform_wall_clock;
	platform.random = platform_random;
	platform.log = platform_log;
	platform.log_level = getenv("TEST_HOST_QUIET") ? LCOWMIG_LOG_ERROR : LCOWMIG_LOG_DEBUG;
	ck_assert_int_eq(lcowmig_context_new(&platform, NULL, &host->context, NULL), LCOWMIG_OK);
	/* Every allocation is the host's own, so that each can fail; or imports put their pieces into chunks, as they do elsewhere. */
	host->context->heap.is_plain = getenv("TEST_HOST_CHUNKS") == NULL;
	test_guest_ops_init(host);
	test_host_ops_init(host);
	host_init_env(host);
	host_init_config(host);
	return host;
}

void test_host_free(test_host *host)
{
	struct test_host_private *p = host->p;

	test_host_fail_allocation(host, 0, false);
	test_script_settle_abandoned(host);
	if (!lcowmig__list_is_empty(&p->pending))
		ck_abort_msg("a %s call is still pending", LCOWMIG__LIST_ENTRY(p->pending.next, test_call, node)->operation);
	ck_assert_msg(lcowmig_context_free(host->context) == LCOWMIG_OK, "the context is not idle: something was not freed");
	ck_assert_msg(p->live == 0, "%u allocations were not released", p->live);
	test_script_done(host);
	free(p);
	free(host);
}

/* ---- Members that a host may lack ---- */

#define MEMBER(vtable, type, member) { #vtable "." #member, offsetof(struct test_host_private, vtable) + offsetof(type, member), \
	                               offsetof(lcowmig__env, vtable) + offsetof(type, member) }

const test_member test_members[] = {
	MEMBER(hcs, lcowmig_hcs_ops, create),
	MEMBER(hcs, lcowmig_hcs_ops, start),
	MEMBER(hcs, lcowmig_hcs_ops, terminate),
	MEMBER(hcs, lcowmig_hcs_ops, close),
	MEMBER(hcs, lcowmig_hcs_ops, modify),
	MEMBER(hcs, lcowmig_hcs_ops, properties),
	MEMBER(hcs, lcowmig_hcs_ops, initialize_migration),
	MEMBER(hcs, lcowmig_hcs_ops, start_migration),
	MEMBER(hcs, lcowmig_hcs_ops, transfer),
	MEMBER(hcs, lcowmig_hcs_ops, finalize_migration),
	MEMBER(hcs, lcowmig_hcs_ops, cancel_migration),
	MEMBER(hcs, lcowmig_hcs_ops, grant_access),
	MEMBER(hcs, lcowmig_hcs_ops, resolve_path),
	MEMBER(guest, lcowmig_guest_ops, attach),
	MEMBER(guest, lcowmig_guest_ops, prepare),
	MEMBER(guest, lcowmig_guest_ops, entropy),
	MEMBER(guest, lcowmig_guest_ops, log),
	MEMBER(guest, lcowmig_guest_ops, connect),
	MEMBER(guest, lcowmig_guest_ops, resume),
	MEMBER(guest, lcowmig_guest_ops, close),
	MEMBER(guest, lcowmig_guest_ops, is_connected),
	MEMBER(guest, lcowmig_guest_ops, set_migrating),
	MEMBER(guest, lcowmig_guest_ops, rpc),
	MEMBER(guest, lcowmig_guest_ops, adopt),
	MEMBER(guest, lcowmig_guest_ops, next_port),
	MEMBER(guest, lcowmig_guest_ops, next_request_id),
	MEMBER(guest, lcowmig_guest_ops, allocate_port),
	MEMBER(guest, lcowmig_guest_ops, raise_port),
	MEMBER(guest, lcowmig_guest_ops, raise_request_id),
	MEMBER(guest, lcowmig_guest_ops, open_container),
	MEMBER(guest, lcowmig_guest_ops, close_container),
	MEMBER(network, lcowmig_network_ops, endpoints),
	MEMBER(stdio, lcowmig_stdio_ops, open),
	MEMBER(stdio, lcowmig_stdio_ops, attach),
	MEMBER(stdio, lcowmig_stdio_ops, drain),
	MEMBER(stdio, lcowmig_stdio_ops, close_stdin),
	MEMBER(stdio, lcowmig_stdio_ops, close),
	MEMBER(socket, lcowmig_socket_ops, adopt),
	MEMBER(socket, lcowmig_socket_ops, close),
	MEMBER(events, lcowmig_event_ops, event),
};

const size_t test_n_members = LCOWMIG__COUNT(test_members);

void test_host_remove(test_host *host, const char *operation)
{
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(test_members); i++) {
		if (strcmp(test_members[i].operation, operation) != 0)
			continue;
		memset((char *)host->p + test_members[i].in_config, 0, sizeof(void (*)(void)));
		memset((char *)&host->env + test_members[i].in_env, 0, sizeof(void (*)(void)));
		return;
	}
	ck_abort_msg("there is no operation %s", operation);
}

/* ---- Time, memory, running ---- */

void test_host_advance(test_host *host, uint64_t nanoseconds)
{
	host->p->now += nanoseconds;
	lcowmig_context_advance(host->context, host->p->now);
}

void test_host_fail_allocation(test_host *host, unsigned nth, bool forever)
{
	host->p->fail_in = nth;
	host->p->fail_forever = forever;
	host->p->fail_size = 0;
}

void test_host_fail_large_allocation(test_host *host, size_t size, unsigned nth)
{
	test_host_fail_allocation(host, nth, false);
	host->p->fail_size = size;
}

unsigned test_host_allocations(test_host *host)
{
	return host->p->allocations;
}

void test_on_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	test_done *done = user;

	ck_assert_ptr_nonnull(error);
	if (!done)
		return;
	done->calls++;
	done->status = status;
	done->hresult = error->hresult;
	snprintf(done->message, sizeof done->message, "%s", error->message);
}

lcowmig_status test_run(test_host *host, lcowmig__flow *flow, test_done *done, lcowmig_error *error)
{
	lcowmig__pump pump;

	lcowmig__enter(host->context, &pump);
	return lcowmig__leave_with(host->context, &pump, flow ? LCOWMIG_OK : LCOWMIG_E_NO_MEMORY, flow, test_on_done, done, error);
}

void test_enter(test_host *host)
{
	lcowmig__enter(host->context, &host->p->pump);
}

void test_leave(test_host *host)
{
	lcowmig__leave(host->context, &host->p->pump);
}
