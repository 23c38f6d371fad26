#include "context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "call.h"
#include "flow.h"
#include "timer.h"
#include "limits.h"

static void *default_allocate(void *user, size_t size)
{
	(void)user;
	return malloc(size);
}

static void default_release(void *user, void *pointer)
{
	(void)user;
	free(pointer);
}

static uint64_t default_now(void *user)
{
	(void)user;
	return lcowmig__platform_now();
}

static int64_t default_wall_clock(void *user)
{
	(void)user;
	return lcowmig__platform_wall_clock();
}

static lcowmig_status default_random(void *user, void *bytes, size_t size)
{
	(void)user;
	return lcowmig__platform_random(bytes, size);
}

static lcowmig_status platform_resolve(const lcowmig_platform *given, lcowmig_platform *platform, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;

	memset(platform, 0, sizeof *platform);
	platform->log_level = LCOWMIG_LOG_INFO;
	if (given)
		status = LCOWMIG__COPY_SIZED("lcowmig_platform", platform, given, trace, error);
	if (status != LCOWMIG_OK)
		return status;
	if (!platform->allocate != !platform->release)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_platform: allocate and release must be given together");
	if (!platform->allocate) {
		platform->allocate = default_allocate;
		platform->release = default_release;
	}
	if (!platform->now)
		platform->now = default_now;
	if (!platform->wall_clock)
		platform->wall_clock = default_wall_clock;
	if (!platform->random)
		platform->random = default_random;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_context_new(const lcowmig_platform *given_platform, const lcowmig_limits *given_limits,
				   lcowmig_context **ret_context, lcowmig_error *error)
{
	lcowmig_platform platform;
	lcowmig_limits limits;
	lcowmig_context *context;
	lcowmig_status status;
	lcowmig__mem mem;

	if (!ret_context)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "context: ret_context is NULL");
	status = platform_resolve(given_platform, &platform, error);
	if (status != LCOWMIG_OK)
		return status;
	status = lcowmig__limits_resolve(given_limits, &limits, error);
	if (status != LCOWMIG_OK)
		return status;
	mem.allocate = platform.allocate;
	mem.release = platform.release;
	mem.user = platform.user;
	context = lcowmig__alloc(&mem, sizeof *context);
	if (!context)
		return lcowmig__fail_memory(error);
	lcowmig__heap_init(&context->heap, &mem);
	context->mem = lcowmig__heap_mem(&context->heap);
	context->platform = platform;
	context->limits = limits;
	lcowmig__lock_init(&context->lock);
	lcowmig__list_init(&context->deliveries);
	lcowmig__list_init(&context->operations);
	lcowmig__tree_init(&context->timers, lcowmig__timer_compare);
	*ret_context = context;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_context_free(lcowmig_context *context)
{
	lcowmig__mem mem;
	bool busy;

	if (!context)
		return LCOWMIG_OK;
	lcowmig__lock_take(&context->lock);
	busy = context->inside || context->calls || context->dependents || context->timers.count ||
	       !lcowmig__list_is_empty(&context->operations) || !lcowmig__list_is_empty(&context->deliveries);
	lcowmig__lock_drop(&context->lock);
	if (busy)
		return LCOWMIG_E_FAILED_PRECONDITION;
	mem = context->heap.host;
	lcowmig__heap_done(&context->heap);
	lcowmig__lock_done(&context->lock);
	lcowmig__free(&mem, context);
	return LCOWMIG_OK;
}

void lcowmig__enter(lcowmig_context *context, lcowmig__pump *pump)
{
	lcowmig__list_init(&pump->ready);
	lcowmig__list_init(&pump->outbox);
	lcowmig__lock_take(&context->lock);
	context->inside++;
	context->pump = pump;
}

/* Runs the oldest delivery unless some thread is at it already (which will then come to ours too). */
static bool run_delivery(lcowmig_context *context, lcowmig__pump *pump)
{
	lcowmig__list *node;
	lcowmig__delivery *delivery;

	if (context->delivering)
		return false;
	node = lcowmig__list_pop(&context->deliveries);
	if (!node)
		return false;
	delivery = LCOWMIG__LIST_ENTRY(node, lcowmig__delivery, node);
	context->delivering = true;
	lcowmig__lock_drop(&context->lock);
	delivery->run(delivery);
	lcowmig__lock_take(&context->lock);
	context->pump = pump;
	context->delivering = false;
	return true;
}

void lcowmig__run(lcowmig_context *context, lcowmig__pump *pump)
{
	for (;;) {
		lcowmig__list *node = lcowmig__list_pop(&pump->ready);

		if (node) {
			lcowmig__flow_step(LCOWMIG__FLOW_OF(node, ready));
			continue;
		}
		if (run_delivery(context, pump))
			continue;
		node = lcowmig__list_pop(&pump->outbox);
		if (!node)
			break;
		lcowmig__call_invoke(LCOWMIG__LIST_ENTRY(node, lcowmig_call, outbox), pump);
	}
}

void lcowmig__leave(lcowmig_context *context, lcowmig__pump *pump)
{
	lcowmig__run(context, pump);
	context->pump = NULL;
	context->inside--;
	lcowmig__lock_drop(&context->lock);
}

void lcowmig__deliver(lcowmig_context *context, lcowmig__delivery *delivery)
{
	lcowmig__list_append(&context->deliveries, &delivery->node);
}

uint64_t lcowmig__now(lcowmig_context *context)
{
	return context->platform.now(context->platform.user);
}

int64_t lcowmig__wall_clock(lcowmig_context *context)
{
	return context->platform.wall_clock(context->platform.user);
}

lcowmig_status lcowmig__random_guid(lcowmig_context *context, lcowmig_guid *ret_guid, lcowmig_error *error)
{
	lcowmig_guid guid;

	if (context->platform.random(context->platform.user, guid.bytes, sizeof guid.bytes) != LCOWMIG_OK)
		return lcowmig__fail(error, LCOWMIG_E_HOST_FAILED, "the platform gave no random bytes for a GUID");
	lcowmig__guid_from_random(&guid);
	*ret_guid = guid;
	return LCOWMIG_OK;
}

void lcowmig__log(lcowmig_context *context, lcowmig_log_level level, const char *format, ...)
{
	char line[LCOWMIG_ERROR_MESSAGE_SIZE];
	va_list arguments;

	if (!context->platform.log || (uint32_t)level > context->platform.log_level)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	context->platform.log(context->platform.user, level, line);
}
