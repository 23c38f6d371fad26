/* The bridge as a sandbox's guest ops: the operations of api.c, ending in the engine's calls. */
#include "gcs.h"

#include <string.h>

#include "base/text.h"

/* What a call's function returns: PENDING, or the failure, which the call is told. */
static lcowmig_status ops_result(lcowmig_call *call, lcowmig_status status, const lcowmig_error *error)
{
	if (status != LCOWMIG_PENDING) {
		lcowmig_call_set_error(call, error->hresult, error->message);
		lcowmig__text_trim(call->message, sizeof call->message);
	}
	return status;
}

/* A call's context is locked with ours: it must be the same. */
static bool ops_enter(lcowmig_gcs *gcs, const lcowmig_call *call, lcowmig__pump *pump, lcowmig_error *error)
{
	if (call->context != gcs->context) {
		lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "the guest bridge belongs to another context than the sandbox");
		return false;
	}
	lcowmig__enter(gcs->context, pump);
	return true;
}

/* Lets an operation run; it completes the call. */
static lcowmig_status ops_start(lcowmig_gcs *gcs, lcowmig_call *call, lcowmig__gcs_maker *make, const void *data, size_t number)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__flow *flow = NULL;
	lcowmig__pump pump;

	if (ops_enter(gcs, call, &pump, &error)) {
		flow = make(gcs, data, number, &error);
		if (flow) {
			((lcowmig__gcs_flow *)flow)->call = call;
			lcowmig__flow_background(flow);
		}
		lcowmig__leave(gcs->context, &pump);
	}
	return ops_result(call, flow ? LCOWMIG_PENDING : (lcowmig_status)error.status, &error);
}

static void ops_attach(void *user, lcowmig_sandbox *sandbox)
{
	lcowmig_gcs *gcs = user;
	lcowmig__pump pump;

	lcowmig__enter(gcs->context, &pump);
	gcs->sandbox = sandbox;
	lcowmig__leave(gcs->context, &pump);
}

static lcowmig_status ops_prepare(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	return ops_start(user, call, lcowmig__listen_flow, runtime_id, port);
}

static lcowmig_status ops_entropy(void *user, lcowmig_call *call, const uint8_t *bytes, size_t size)
{
	return ops_start(user, call, lcowmig__entropy_flow, bytes, size);
}

static lcowmig_status ops_log(void *user, lcowmig_call *call)
{
	return ops_start(user, call, lcowmig__log_flow, NULL, 0);
}

static lcowmig_status ops_connect(void *user, lcowmig_call *call, bool cold)
{
	return ops_start(user, call, lcowmig__connect_flow, NULL, cold);
}

static lcowmig_status ops_resume(void *user, lcowmig_call *call)
{
	return ops_start(user, call, lcowmig__resume_flow, NULL, 0);
}

static lcowmig_status ops_rpc(void *user, lcowmig_call *call, uint32_t message, const char *container_id, const char *document)
{
	lcowmig_gcs *gcs = user;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!ops_enter(gcs, call, &pump, &error))
		return ops_result(call, LCOWMIG_E_INVALID_ARGUMENT, &error);
	status = lcowmig__gcs_start_request(gcs, message, container_id, document, lcowmig__message_timeout(gcs, message),
					    lcowmig__waiter_new(gcs, call, NULL, NULL), &error);
	return ops_result(call, lcowmig__leave_object(gcs, &pump, status), &error);
}

static lcowmig_status ops_adopt(void *user, lcowmig_call *call, int64_t id)
{
	lcowmig_gcs *gcs = user;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!ops_enter(gcs, call, &pump, &error))
		return ops_result(call, LCOWMIG_E_INVALID_ARGUMENT, &error);
	status = lcowmig__gcs_start_adopt(gcs, id, lcowmig__waiter_new(gcs, call, NULL, NULL), &error);
	return ops_result(call, lcowmig__leave_object(gcs, &pump, status), &error);
}

static void ops_close(void *user)
{
	lcowmig_gcs_close(user);
}

static bool ops_is_connected(void *user)
{
	return lcowmig_gcs_is_connected(user);
}

static void ops_set_migrating(void *user, bool migrating)
{
	lcowmig_gcs_set_migrating(user, migrating);
}

static uint32_t ops_next_port(void *user)
{
	return lcowmig_gcs_next_port(user);
}

static int64_t ops_next_request_id(void *user)
{
	return lcowmig_gcs_next_request_id(user);
}

static uint32_t ops_allocate_port(void *user)
{
	return lcowmig_gcs_allocate_port(user);
}

static void ops_raise_port(void *user, uint32_t next)
{
	lcowmig_gcs_raise_port(user, next);
}

static void ops_raise_request_id(void *user, int64_t next)
{
	lcowmig_gcs_raise_request_id(user, next);
}

static void ops_open_container(void *user, const char *container_id)
{
	lcowmig_gcs_open_container(user, container_id);
}

static void ops_close_container(void *user, const char *container_id)
{
	lcowmig_gcs_close_container(user, container_id);
}

void lcowmig_gcs_guest_ops(lcowmig_gcs *gcs, lcowmig_guest_ops *ret_ops)
{
	static const lcowmig_guest_ops ops = {
		.size = sizeof(lcowmig_guest_ops),
		.attach = ops_attach,
		.prepare = ops_prepare,
		.entropy = ops_entropy,
		.log = ops_log,
		.connect = ops_connect,
		.resume = ops_resume,
		.close = ops_close,
		.is_connected = ops_is_connected,
		.set_migrating = ops_set_migrating,
		.rpc = ops_rpc,
		.adopt = ops_adopt,
		.next_port = ops_next_port,
		.next_request_id = ops_next_request_id,
		.allocate_port = ops_allocate_port,
		.raise_port = ops_raise_port,
		.raise_request_id = ops_raise_request_id,
		.open_container = ops_open_container,
		.close_container = ops_close_container,
	};

	*ret_ops = ops;
	ret_ops->user = gcs;
}
