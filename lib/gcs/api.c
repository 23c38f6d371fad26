/* The public functions of the bridge that start or change something. */
#include "gcs.h"

#include <string.h>

#include "engine/abi.h"

#define GCS "guest bridge: gcs"

static lcowmig_status api_start(lcowmig_gcs *gcs, lcowmig__gcs_maker *make, const void *data, size_t number, lcowmig_done_fn done, void *user,
				lcowmig_error *error)
{
	lcowmig_error made = LCOWMIG_ERROR_INIT;
	lcowmig__flow *flow;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(gcs, gcs, GCS, &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	flow = make(gcs, data, number, &made);
	if (!flow)
		lcowmig__error_copy(error, &made);
	return lcowmig__leave_with(gcs->context, &pump, flow ? LCOWMIG_OK : (lcowmig_status)made.status, flow, done, user, error);
}

lcowmig_status lcowmig_gcs_listen(lcowmig_gcs *gcs, const char *runtime_id, uint32_t port, lcowmig_done_fn done, void *user,
				  lcowmig_error *error)
{
	return api_start(gcs, lcowmig__listen_flow, runtime_id, port, done, user, error);
}

lcowmig_status lcowmig_gcs_seed_entropy(lcowmig_gcs *gcs, const void *bytes, size_t size, lcowmig_done_fn done, void *user,
					lcowmig_error *error)
{
	return api_start(gcs, lcowmig__entropy_flow, bytes, size, done, user, error);
}

lcowmig_status lcowmig_gcs_read_log(lcowmig_gcs *gcs, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return api_start(gcs, lcowmig__log_flow, NULL, 0, done, user, error);
}

lcowmig_status lcowmig_gcs_connect(lcowmig_gcs *gcs, bool cold, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return api_start(gcs, lcowmig__connect_flow, NULL, cold, done, user, error);
}

lcowmig_status lcowmig_gcs_resume(lcowmig_gcs *gcs, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return api_start(gcs, lcowmig__resume_flow, NULL, 0, done, user, error);
}

void lcowmig_gcs_close(lcowmig_gcs *gcs)
{
	lcowmig__pump pump;

	if (!gcs)
		return;
	lcowmig__enter(gcs->context, &pump);
	lcowmig__gcs_shut(gcs);
	lcowmig__leave(gcs->context, &pump);
}

lcowmig_status lcowmig_gcs_get_capabilities(lcowmig_gcs *gcs, lcowmig_gcs_capabilities *ret_capabilities)
{
	lcowmig_status status = LCOWMIG_E_FAILED_PRECONDITION;
	size_t size;
	lcowmig__pump pump;

	if (!gcs || !ret_capabilities || ret_capabilities->size < sizeof(lcowmig_gcs_capabilities))
		return LCOWMIG_E_INVALID_ARGUMENT;
	size = ret_capabilities->size;
	lcowmig__enter(gcs->context, &pump);
	if (gcs->has_negotiated) {
		status = LCOWMIG_OK;
		memset(ret_capabilities, 0, size);
		*ret_capabilities = gcs->capabilities;
		ret_capabilities->size = size;
	}
	lcowmig__leave(gcs->context, &pump);
	return status;
}

void lcowmig_gcs_set_migrating(lcowmig_gcs *gcs, bool migrating)
{
	lcowmig__pump pump;

	if (!gcs)
		return;
	lcowmig__enter(gcs->context, &pump);
	lcowmig__gcs_migrate(gcs, migrating);
	lcowmig__leave(gcs->context, &pump);
}

void lcowmig_gcs_settle(lcowmig_gcs *gcs)
{
	lcowmig__pump pump;

	if (!gcs)
		return;
	lcowmig__enter(gcs->context, &pump);
	if (!gcs->is_migrating)
		lcowmig__gcs_settle(gcs);
	lcowmig__leave(gcs->context, &pump);
}

/* ---- Requests ---- */

/* The waiter joins a request, or is told of the failure by its caller. */
static lcowmig_status request_join(lcowmig_gcs *gcs, lcowmig__request *request, lcowmig__waiter *waiter, lcowmig_status status)
{
	if (status != LCOWMIG_OK) {
		lcowmig__waiter_free(gcs, waiter);
		return status;
	}
	lcowmig__list_append(&request->waiters, &waiter->node);
	if (waiter->call)
		lcowmig__call_tell_request_id(waiter->call, request->id);
	return LCOWMIG_PENDING;
}

lcowmig_status lcowmig__gcs_start_request(lcowmig_gcs *gcs, uint32_t message, const char *container_id, const char *document,
					  uint64_t timeout_ns, lcowmig__waiter *waiter, lcowmig_error *error)
{
	lcowmig__request *request = NULL;
	lcowmig_status status;

	if ((message & LCOWMIG__FRAME_KIND) != LCOWMIG__FRAME_REQUEST || message == LCOWMIG_GCS_NEGOTIATE_PROTOCOL)
		status = lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				       "guest request: 0x%08lx is not the type of a request that can be sent (negotiating is up to connect)",
				       (unsigned long)message);
	else if (!waiter)
		status = lcowmig__fail_memory(error);
	else
		status = lcowmig__request_send(gcs, message, false, container_id, document, timeout_ns, &request, error);
	return request_join(gcs, request, waiter, status);
}

lcowmig_status lcowmig__gcs_start_adopt(lcowmig_gcs *gcs, int64_t id, lcowmig__waiter *waiter, lcowmig_error *error)
{
	lcowmig__request *request = NULL;
	lcowmig_status status =
		waiter ? lcowmig__request_adopt(gcs, id, &request, error) : lcowmig__fail_memory(error);

	status = request_join(gcs, request, waiter, status);
	if (status == LCOWMIG_PENDING)
		lcowmig__answer_recall(request);
	return status;
}

lcowmig_status lcowmig_gcs_request(lcowmig_gcs *gcs, uint32_t message, const char *container_id, const char *document, uint64_t timeout_ns,
				   lcowmig_gcs_answer_fn answer, void *user, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(gcs, gcs, GCS, &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	if (!timeout_ns)
		timeout_ns = lcowmig__message_timeout(gcs, message);
	else if (timeout_ns == LCOWMIG_NO_DEADLINE)
		timeout_ns = 0;
	status = lcowmig__gcs_start_request(gcs, message, container_id, document, timeout_ns,
					    lcowmig__waiter_new(gcs, NULL, answer, user), error);
	return lcowmig__leave_object(gcs, &pump, status);
}

lcowmig_status lcowmig_gcs_adopt(lcowmig_gcs *gcs, int64_t id, lcowmig_gcs_answer_fn answer, void *user, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(gcs, gcs, GCS, &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = lcowmig__gcs_start_adopt(gcs, id, lcowmig__waiter_new(gcs, NULL, answer, user), error);
	return lcowmig__leave_object(gcs, &pump, status);
}

/* Whether anybody was found. */
static bool request_cancel(lcowmig__request *request, lcowmig_gcs_answer_fn answer, const void *user, const lcowmig__outcome *outcome)
{
	lcowmig__list *node, *following;
	bool found = false;

	LCOWMIG__LIST_EACH(node, following, &request->waiters)
	{
		lcowmig__waiter *waiter = LCOWMIG__LIST_ENTRY(node, lcowmig__waiter, node);

		if (!waiter->answer || waiter->answer->function != answer || waiter->answer->user != user)
			continue;
		found = true;
		lcowmig__waiter_end(request->gcs, waiter, outcome);
	}
	return found;
}

lcowmig_status lcowmig_gcs_cancel(lcowmig_gcs *gcs, lcowmig_gcs_answer_fn answer, void *user)
{
	lcowmig_status status = LCOWMIG_E_NOT_FOUND;
	lcowmig__node *node, *following;
	lcowmig__outcome outcome;
	lcowmig__pump pump;

	if (!gcs)
		return LCOWMIG_E_INVALID_ARGUMENT;
	lcowmig__outcome_fail(&outcome, LCOWMIG_E_CANCELLED, 0, "the request was cancelled");
	lcowmig__enter(gcs->context, &pump);
	LCOWMIG__TREE_EACH(node, following, &gcs->requests)
	if (request_cancel(LCOWMIG__TREE_ENTRY(node, lcowmig__request, node), answer, user, &outcome))
		status = LCOWMIG_OK;
	lcowmig__leave(gcs->context, &pump);
	return status;
}

/* ---- What can be asked at once, and the counters ---- */

typedef struct api_view {
	bool is_connected;
	uint32_t next_port;
	int64_t next_id;
} api_view;

/* All zero for NULL. */
static api_view api_look(lcowmig_gcs *gcs)
{
	api_view view = { false, 0, 0 };
	lcowmig__pump pump;

	if (!gcs)
		return view;
	lcowmig__enter(gcs->context, &pump);
	view.is_connected = gcs->object.state == LCOWMIG__GCS_CONNECTED;
	view.next_port = gcs->next_port;
	view.next_id = gcs->next_id;
	lcowmig__leave(gcs->context, &pump);
	return view;
}

bool lcowmig_gcs_is_connected(lcowmig_gcs *gcs)
{
	return api_look(gcs).is_connected;
}

uint32_t lcowmig_gcs_next_port(lcowmig_gcs *gcs)
{
	return api_look(gcs).next_port;
}

int64_t lcowmig_gcs_next_request_id(lcowmig_gcs *gcs)
{
	return api_look(gcs).next_id;
}

uint32_t lcowmig_gcs_allocate_port(lcowmig_gcs *gcs)
{
	lcowmig__pump pump;
	uint32_t port = 0;

	if (!gcs)
		return 0;
	lcowmig__enter(gcs->context, &pump);
	if (gcs->next_port != UINT32_MAX) /* which is VMADDR_PORT_ANY */
		port = gcs->next_port++;
	lcowmig__leave(gcs->context, &pump);
	return port;
}

/* Zero raises nothing. */
static void api_raise(lcowmig_gcs *gcs, uint32_t next_port, int64_t next_id)
{
	lcowmig__pump pump;

	if (!gcs)
		return;
	lcowmig__enter(gcs->context, &pump);
	if (next_port > gcs->next_port)
		gcs->next_port = next_port;
	if (next_id > gcs->next_id)
		gcs->next_id = next_id;
	lcowmig__leave(gcs->context, &pump);
}

void lcowmig_gcs_raise_port(lcowmig_gcs *gcs, uint32_t next)
{
	api_raise(gcs, next, 0);
}

void lcowmig_gcs_raise_request_id(lcowmig_gcs *gcs, int64_t next)
{
	api_raise(gcs, 0, next);
}
