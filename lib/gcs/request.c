/* The table of outstanding requests, who waits for each, and until when. */
#include "gcs.h"

#include <string.h>

int lcowmig__request_compare(const void *key, const lcowmig__node *node)
{
	int64_t id = *(const int64_t *)key;
	int64_t other = LCOWMIG__TREE_ENTRY(node, lcowmig__request, node)->id;

	return (id > other) - (id < other);
}

lcowmig__request *lcowmig__request_find(const lcowmig_gcs *gcs, int64_t id)
{
	return LCOWMIG__TREE_ENTRY(lcowmig__tree_find(&gcs->requests, &id), lcowmig__request, node);
}

uint64_t lcowmig__message_timeout(const lcowmig_gcs *gcs, uint32_t message)
{
	uint64_t timeout = gcs->config.request_timeout_ns;

	if (message == LCOWMIG_GCS_WAIT_FOR_PROCESS)
		return 0;
	if (message != LCOWMIG_GCS_SHUTDOWN_GRACEFUL && message != LCOWMIG_GCS_SHUTDOWN_FORCED)
		return timeout;
	return timeout < LCOWMIG__GCS_SHUTDOWN_TIMEOUT ? timeout : LCOWMIG__GCS_SHUTDOWN_TIMEOUT;
}

/* ---- Deadlines ---- */

static void request_timed_out(lcowmig__timer *timer)
{
	lcowmig__request_fail(LCOWMIG__CONTAINER_OF(timer, lcowmig__request, deadline), LCOWMIG_E_TIMED_OUT, 0,
			      "the guest did not answer in time");
}

/* Starts the clock, or has it start when the migration is over. */
static void request_set_deadline(lcowmig__request *request)
{
	if (request->remaining && !request->gcs->is_migrating)
		lcowmig__timer_set(request->gcs->context, &request->deadline, request->remaining, request_timed_out);
}

void lcowmig__requests_suspend(lcowmig_gcs *gcs)
{
	uint64_t now = lcowmig__now(gcs->context);
	lcowmig__node *node, *following;

	LCOWMIG__TREE_EACH(node, following, &gcs->requests)
	{
		lcowmig__request *request = LCOWMIG__TREE_ENTRY(node, lcowmig__request, node);

		if (!request->remaining)
			continue;
		request->remaining = request->deadline.when > now ? request->deadline.when - now : 1;
		lcowmig__timer_clear(gcs->context, &request->deadline);
	}
}

void lcowmig__requests_continue(lcowmig_gcs *gcs)
{
	lcowmig__node *node, *following;

	LCOWMIG__TREE_EACH(node, following, &gcs->requests)
	request_set_deadline(LCOWMIG__TREE_ENTRY(node, lcowmig__request, node));
}

/* ---- Making ---- */

static lcowmig__request *request_new(lcowmig_gcs *gcs, uint32_t type)
{
	lcowmig__request *request = lcowmig__alloc(&gcs->context->mem, sizeof *request);

	if (!request)
		return NULL;
	request->gcs = gcs;
	request->type = type;
	lcowmig__list_init(&request->queued);
	lcowmig__list_init(&request->flows);
	lcowmig__list_init(&request->waiters);
	return request;
}

static void request_free(lcowmig__request *request)
{
	const lcowmig__mem *mem = &request->gcs->context->mem;

	lcowmig__free(mem, request->frame);
	lcowmig__free(mem, request);
}

static lcowmig_status request_check(const lcowmig_gcs *gcs, size_t size, lcowmig_error *error)
{
	if (gcs->queue_bytes && gcs->queue_bytes + size > gcs->config.queue_bytes)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED,
				     "the guest connection has %lu bytes waiting to be sent; expected at most %lu with this request",
				     (unsigned long)gcs->queue_bytes, (unsigned long)gcs->config.queue_bytes);
	if (gcs->next_id == INT64_MAX)
		return lcowmig__fail(error, LCOWMIG_E_LIMIT_EXCEEDED, "the guest connection has used up its request ids");
	return LCOWMIG_OK;
}

/* Makes a request around a frame and has it sent; NULL when memory is out. */
static lcowmig__request *request_queue(lcowmig_gcs *gcs, uint32_t type, lcowmig__buf *frame)
{
	lcowmig__request *request = request_new(gcs, type);

	if (!request)
		return NULL;
	request->frame_size = frame->size;
	request->frame = (uint8_t *)lcowmig__buf_take(frame);
	if (lcowmig__sender_queue(request))
		return request;
	request_free(request);
	return NULL;
}

/* The next free id. One that was adopted is passed over: its answer belongs to somebody else. */
static int64_t request_take_id(lcowmig_gcs *gcs)
{
	while (lcowmig__request_find(gcs, gcs->next_id))
		gcs->next_id++;
	return gcs->next_id++;
}

lcowmig_status lcowmig__request_send(lcowmig_gcs *gcs, uint32_t type, bool is_handshake, const char *container_id, const char *document,
				     uint64_t timeout_ns, lcowmig__request **ret_request, lcowmig_error *error)
{
	lcowmig__request *request = NULL;
	lcowmig_status status;
	lcowmig__frame header;
	lcowmig__buf frame;

	if (is_handshake ? !gcs->stream.handle : gcs->object.state != LCOWMIG__GCS_CONNECTED)
		return lcowmig__fail(error, LCOWMIG_E_UNAVAILABLE, "the guest connection is %s; expected it to be Connected",
				     lcowmig__object_state_name(&gcs->object));
	lcowmig__buf_init(&frame, &gcs->context->mem);
	status = lcowmig__document_frame(gcs, type, container_id, document, &frame, error);
	if (status == LCOWMIG_OK)
		status = request_check(gcs, frame.size, error);
	if (status == LCOWMIG_OK) {
		request = request_queue(gcs, type, &frame);
		status = request ? LCOWMIG_OK : lcowmig__fail_memory(error);
	}
	lcowmig__buf_done(&frame);
	if (status != LCOWMIG_OK)
		return status;
	request->id = request_take_id(gcs);
	request->is_handshake = is_handshake;
	request->remaining = timeout_ns;
	header.type = type;
	header.size = (uint32_t)request->frame_size;
	header.id = (uint64_t)request->id;
	lcowmig__frame_write(request->frame, &header);
	lcowmig__tree_insert(&gcs->requests, &request->id, &request->node);
	request_set_deadline(request);
	*ret_request = request;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__request_adopt(lcowmig_gcs *gcs, int64_t id, lcowmig__request **ret_request, lcowmig_error *error)
{
	lcowmig__request *request;

	if (id <= 0)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "guest bridge: request id %lld cannot be adopted; expected one above 0", (long long)id);
	request = lcowmig__request_find(gcs, id);
	if (!request) {
		request = request_new(gcs, 0);
		if (!request)
			return lcowmig__fail_memory(error);
		request->id = id;
		lcowmig__tree_insert(&gcs->requests, &id, &request->node);
	}
	*ret_request = request;
	return LCOWMIG_OK;
}

/* ---- Waiting ---- */

static void answer_deliver(lcowmig__delivery *delivery)
{
	lcowmig__answer *answer = LCOWMIG__CONTAINER_OF(delivery, lcowmig__answer, delivery);
	lcowmig__mem mem = answer->context->mem;

	if (answer->function)
		answer->function(answer->user, answer->status, answer->text, answer->size, &answer->error);
	lcowmig__free(&mem, answer->text);
	lcowmig__free(&mem, answer);
}

lcowmig__waiter *lcowmig__waiter_new(lcowmig_gcs *gcs, lcowmig_call *call, lcowmig_gcs_answer_fn function, void *user)
{
	const lcowmig__mem *mem = &gcs->context->mem;
	lcowmig__waiter *waiter = lcowmig__alloc(mem, sizeof *waiter);

	if (!waiter)
		return NULL;
	lcowmig__list_init(&waiter->node);
	waiter->call = call;
	if (call)
		return waiter;
	waiter->answer = lcowmig__alloc(mem, sizeof *waiter->answer);
	if (!waiter->answer) {
		lcowmig__free(mem, waiter);
		return NULL;
	}
	waiter->answer->delivery.run = answer_deliver;
	lcowmig__list_init(&waiter->answer->delivery.node);
	waiter->answer->context = gcs->context;
	waiter->answer->function = function;
	waiter->answer->user = user;
	lcowmig__error_init(&waiter->answer->error);
	return waiter;
}

void lcowmig__waiter_free(lcowmig_gcs *gcs, lcowmig__waiter *waiter)
{
	if (!waiter)
		return;
	lcowmig__free(&gcs->context->mem, waiter->answer);
	lcowmig__free(&gcs->context->mem, waiter);
}

static void answer_end(lcowmig__answer *answer, const lcowmig__outcome *outcome)
{
	answer->status = outcome->status;
	if (outcome->answer) {
		answer->text = lcowmig__strndup(&answer->context->mem, outcome->answer, outcome->size);
		answer->size = answer->text ? outcome->size : 0;
		if (!answer->text)
			answer->status = lcowmig__fail_memory(&answer->error);
	}
	if (answer->status != LCOWMIG_OK && answer->status == outcome->status)
		lcowmig__fail_hresult(&answer->error, outcome->status, outcome->hresult, "%s", outcome->message);
	lcowmig__deliver(answer->context, &answer->delivery);
}

void lcowmig__waiter_end(lcowmig_gcs *gcs, lcowmig__waiter *waiter, const lcowmig__outcome *outcome)
{
	lcowmig_call *call = waiter->call;

	lcowmig__list_remove(&waiter->node);
	if (call) {
		if (outcome->answer)
			lcowmig_call_set_result(call, outcome->answer, outcome->size);
		if (outcome->status != LCOWMIG_OK)
			lcowmig_call_set_error(call, outcome->hresult, outcome->message);
		lcowmig__call_complete(call, outcome->status);
	} else {
		answer_end(waiter->answer, outcome);
	}
	lcowmig__free(&gcs->context->mem, waiter);
}

void lcowmig__request_await(lcowmig__flow *flow, lcowmig__request *request, const lcowmig_error *error)
{
	if (!request) {
		lcowmig__flow_await_failed(flow, error->status, error);
		return;
	}
	flow->waiting++;
	lcowmig__list_append(&request->flows, &flow->rest->queued);
}

static void flow_end(lcowmig__flow *flow, const lcowmig__request *request, const lcowmig__outcome *outcome)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status = outcome->status;

	if (outcome->answer)
		lcowmig__buf_append(&flow->rest->reply, outcome->answer, outcome->size);
	if (flow->rest->reply.failed)
		lcowmig__flow_await_failed(flow, lcowmig__fail_memory(&error), &error);
	if (status != LCOWMIG_OK) {
		lcowmig__fail_hresult(&error, status, outcome->hresult, "%s: %s", lcowmig__frame_name(request->type), outcome->message);
		lcowmig__flow_await_failed(flow, status, &error);
	}
	lcowmig__flow_await_over(flow);
}

bool lcowmig__request_is_wanted(lcowmig__request *request)
{
	lcowmig__list *node, *following;

	if (!lcowmig__list_is_empty(&request->flows))
		return true;
	LCOWMIG__LIST_EACH(node, following, &request->waiters)
	{
		const lcowmig__waiter *waiter = LCOWMIG__LIST_ENTRY(node, lcowmig__waiter, node);

		if (!waiter->call || waiter->call->flow)
			return true;
	}
	return false;
}

/* ---- Ending ---- */

void lcowmig__request_finish(lcowmig__request *request, const lcowmig__outcome *outcome)
{
	lcowmig_gcs *gcs = request->gcs;
	lcowmig__list *node;

	lcowmig__tree_remove(&gcs->requests, &request->node);
	lcowmig__timer_clear(gcs->context, &request->deadline);
	if (request->is_queued) {
		lcowmig__list_remove(&request->queued);
		gcs->queue_bytes -= request->frame_size;
	}
	while ((node = lcowmig__list_pop(&request->flows)) != NULL)
		flow_end(LCOWMIG__FLOW_OF(node, queued), request, outcome);
	while (!lcowmig__list_is_empty(&request->waiters))
		lcowmig__waiter_end(gcs, LCOWMIG__LIST_ENTRY(request->waiters.next, lcowmig__waiter, node), outcome);
	request_free(request);
}

void lcowmig__outcome_fail(lcowmig__outcome *outcome, lcowmig_status status, uint32_t hresult, const char *why)
{
	outcome->status = status;
	outcome->hresult = hresult;
	lcowmig__gcs_copy(outcome->message, sizeof outcome->message, why);
	outcome->answer = NULL;
	outcome->size = 0;
}

void lcowmig__request_fail(lcowmig__request *request, lcowmig_status status, uint32_t hresult, const char *why)
{
	lcowmig__outcome outcome;

	lcowmig__outcome_fail(&outcome, status, hresult, why);
	lcowmig__request_finish(request, &outcome);
}

void lcowmig__requests_fail_all(lcowmig_gcs *gcs, const char *why)
{
	lcowmig__node *node, *following;

	LCOWMIG__TREE_EACH(node, following, &gcs->requests)
	lcowmig__request_fail(LCOWMIG__TREE_ENTRY(node, lcowmig__request, node), LCOWMIG_E_UNAVAILABLE, 0, why);
}

void lcowmig__requests_fail_unsent(lcowmig_gcs *gcs, const char *why)
{
	lcowmig__node *node, *following;

	LCOWMIG__TREE_EACH(node, following, &gcs->requests)
	{
		lcowmig__request *request = LCOWMIG__TREE_ENTRY(node, lcowmig__request, node);

		if (request->is_handshake || request->is_queued)
			lcowmig__request_fail(request, LCOWMIG_E_UNAVAILABLE, 0, why);
	}
}
