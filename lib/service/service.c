/* The service: each method is one or two operations of the session. It works through the public API, holding no lock across a callback. */
#include "lcowmig/service.h"

#include <string.h>

#include "engine/context.h"
#include "engine/env.h"
#include "messages.h"

#define STANDARD_REASON "driven through the Migration service, whose messages carry no token"

struct lcowmig_service {
	lcowmig_sandbox *sandbox;
	lcowmig_migration *migration;
	lcowmig_context *context;
	uint32_t flags;
	unsigned open; /* calls not answered, streams not ended; under the context's lock */
	char *reason;
};

struct lcowmig_service_stream {
	lcowmig_service *service;
	lcowmig_subscription *subscription;
	lcowmig_item_fn item;
	void *user;
};

/* A unary call until it is answered. */
typedef struct service_call {
	lcowmig_service *service;
	lcowmig_reply_fn reply;
	void *user;
	char *session_id;
} service_call;

lcowmig_rpc_code lcowmig_status_rpc_code(lcowmig_status status)
{
	switch (status) {
	case LCOWMIG_OK:
		return LCOWMIG_RPC_OK;
	case LCOWMIG_E_INVALID_ARGUMENT:
	case LCOWMIG_E_UNSUPPORTED_VERSION:
	case LCOWMIG_E_LIMIT_EXCEEDED:
		return LCOWMIG_RPC_INVALID_ARGUMENT;
	case LCOWMIG_E_NOT_FOUND:
		return LCOWMIG_RPC_NOT_FOUND;
	case LCOWMIG_E_ALREADY_EXISTS:
		return LCOWMIG_RPC_ALREADY_EXISTS;
	case LCOWMIG_E_FAILED_PRECONDITION:
		return LCOWMIG_RPC_FAILED_PRECONDITION;
	case LCOWMIG_E_NOT_SUPPORTED:
		return LCOWMIG_RPC_UNIMPLEMENTED;
	default:
		return LCOWMIG_RPC_UNKNOWN;
	}
}

static void service_count(lcowmig_service *service, int change)
{
	lcowmig__pump pump;

	lcowmig__enter(service->context, &pump);
	service->open += (unsigned)change;
	lcowmig__leave(service->context, &pump);
}

lcowmig_status lcowmig_service_new(lcowmig_sandbox *sandbox, uint32_t flags, const char *reason, lcowmig_service **ret_service,
                                   lcowmig_error *error)
{
	lcowmig_service *service;
	lcowmig_context *context;

	if (!sandbox || !ret_service || (flags & ~(LCOWMIG_SERVICE_NEEDS_RIGHT | LCOWMIG_SERVICE_PATHS_SHARED)))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "service: sandbox or ret_service is NULL, or a flag is unknown");
	context = lcowmig__sandbox_env(sandbox)->context;
	service = lcowmig__alloc(&context->mem, sizeof *service);
	if (!service)
		return lcowmig__fail_memory(error);
	service->sandbox = sandbox;
	service->migration = lcowmig_sandbox_migration(sandbox);
	service->context = context;
	service->flags = flags;
	service->reason = lcowmig__strdup(&context->mem, reason ? reason : STANDARD_REASON);
	if (!service->reason) {
		lcowmig__free(&context->mem, service);
		return lcowmig__fail_memory(error);
	}
	*ret_service = service;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_service_free(lcowmig_service *service)
{
	lcowmig__pump pump;
	lcowmig__mem mem;
	bool busy;

	if (!service)
		return LCOWMIG_OK;
	lcowmig__enter(service->context, &pump);
	busy = service->open != 0;
	lcowmig__leave(service->context, &pump);
	if (busy)
		return LCOWMIG_E_FAILED_PRECONDITION;
	mem = service->context->mem;
	lcowmig__free(&mem, service->reason);
	lcowmig__free(&mem, service);
	return LCOWMIG_OK;
}

/* ---- Unary calls ---- */

/* Answers and frees the call. `response` may be NULL for an empty message. */
static void call_reply(service_call *call, lcowmig_status status, const lcowmig__buf *response, const lcowmig_error *error)
{
	lcowmig_service *service = call->service;
	lcowmig__mem mem = service->context->mem;
	const uint8_t *data = response && status == LCOWMIG_OK ? (const uint8_t *)response->data : NULL;

	call->reply(call->user, status, lcowmig_status_rpc_code(status), data, data ? response->size : 0, error);
	lcowmig__free(&mem, call->session_id);
	lcowmig__free(&mem, call);
	service_count(service, -1);
}

/* The last operation of a call: its result is the answer. */
static void call_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	call_reply(user, status, NULL, error);
}

/* An operation that may have ended at once. */
static void call_finish(service_call *call, lcowmig_status status, const lcowmig_error *error)
{
	if (status != LCOWMIG_PENDING)
		call_reply(call, status, NULL, error);
}

static void exported(void *user, lcowmig_status status, const lcowmig_error *given)
{
	service_call *call = user;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	const uint8_t *envelope = NULL;
	lcowmig__buf response;
	size_t size = 0;

	lcowmig__error_copy(&error, given);
	lcowmig__buf_init(&response, &call->service->context->mem);
	if (status == LCOWMIG_OK)
		status = lcowmig_migration_envelope(call->service->migration, call->session_id, &envelope, &size, &error);
	if (status == LCOWMIG_OK) {
		lcowmig__service_encode_export(&response, envelope, size);
		if (response.failed)
			status = lcowmig__fail_memory(&error);
	}
	call_reply(call, status, &response, &error);
	lcowmig__buf_done(&response);
}

/* The second half of preparing; PENDING like the functions below. */
static lcowmig_status call_export(service_call *call, lcowmig_error *error)
{
	lcowmig_status status = lcowmig_migration_export(call->service->migration, call->session_id, exported, call, error);

	if (status != LCOWMIG_PENDING)
		exported(call, status, error);
	return LCOWMIG_PENDING;
}

static void prepared(void *user, lcowmig_status status, const lcowmig_error *given)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	lcowmig__error_copy(&error, given);
	call_finish(user, status == LCOWMIG_OK ? call_export(user, &error) : status, &error);
}

/* A repetition after a failed or lost export goes on with the session that is there. */
static bool is_prepared_already(const service_call *call)
{
	lcowmig_migration *migration = call->service->migration;
	lcowmig_migration_state state = lcowmig_migration_get_state(migration);

	return (state == LCOWMIG_MIGRATION_SOURCE_PREPARED || state == LCOWMIG_MIGRATION_SOURCE_EXPORTED) &&
	       strcmp(lcowmig_migration_session_id(migration), call->session_id) == 0;
}

/* The methods: each returns PENDING when the call has been or will be answered, and else what to answer. */

static lcowmig_status serve_prepare_and_export(service_call *call, const lcowmig__service_request *request, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;

	if (!is_prepared_already(call))
		status = lcowmig_migration_prepare_source(call->service->migration, call->session_id,
		                                          request->has_options ? &request->options : NULL, prepared, call, error);
	return status == LCOWMIG_OK ? call_export(call, error) : status;
}

static lcowmig_status serve_import(service_call *call, const lcowmig__service_request *request, lcowmig_error *error)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;
	const lcowmig__mem *mem = &call->service->context->mem;
	char *sandbox_id = lcowmig__strndup(mem, (const char *)request->sandbox_id.data, request->sandbox_id.size);
	lcowmig_status status;

	options.session_id = call->session_id;
	options.sandbox_id = sandbox_id;
	options.envelope = request->config.data;
	options.envelope_size = request->config.size;
	status = sandbox_id ? lcowmig_migration_import(call->service->migration, &options, error) : lcowmig__fail_memory(error);
	lcowmig__free(mem, sandbox_id);
	return status;
}

static lcowmig_status serve_prepare(service_call *call, const lcowmig__service_request *request, lcowmig_error *error)
{
	uint32_t flags = call->service->flags & LCOWMIG_SERVICE_PATHS_SHARED ? LCOWMIG_PREPARE_PATHS_SHARED : 0;

	return lcowmig_migration_prepare_destination(call->service->migration, call->session_id,
						     request->has_options ? &request->options : NULL, flags, call_done, call, error);
}

static lcowmig_status serve_transfer(service_call *call, const lcowmig__service_request *request, lcowmig_error *error)
{
	lcowmig_transfer_options options = LCOWMIG_TRANSFER_OPTIONS_INIT;

	options.socket_timeout_ns = request->timeout_ns;
	return lcowmig_migration_transfer(call->service->migration, call->session_id, &options, error);
}

static lcowmig_status serve_finalize(service_call *call, const lcowmig__service_request *request, lcowmig_error *error)
{
	lcowmig_service *service = call->service;
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;

	options.action = request->action <= LCOWMIG_FINALIZE_RESUME ? (uint32_t)request->action : UINT32_MAX;
	if (options.action == LCOWMIG_FINALIZE_RESUME && !(service->flags & LCOWMIG_SERVICE_NEEDS_RIGHT) &&
	    lcowmig_migration_get_origin(service->migration) == LCOWMIG_ORIGIN_DESTINATION &&
	    !lcowmig_migration_has_right(service->migration)) {
		options.flags = LCOWMIG_FINALIZE_FORCE;
		options.reason = service->reason;
	}
	return lcowmig_migration_finalize(service->migration, call->session_id, &options, call_done, call, error);
}

static lcowmig_status serve_socket(service_call *call, const lcowmig__service_request *request, lcowmig_error *error)
{
	return lcowmig_migration_register_socket(call->service->migration, call->session_id, request->protocol_info.data,
	                                         request->protocol_info.size, call_done, call, error);
}

static lcowmig_status serve_cancel(service_call *call, const lcowmig__service_request *request, lcowmig_error *error)
{
	(void)request;
	return lcowmig_migration_cancel(call->service->migration, call->session_id, call_done, call, error);
}

static lcowmig_status serve_cleanup(service_call *call, const lcowmig__service_request *request, lcowmig_error *error)
{
	(void)request;
	return lcowmig_migration_cleanup(call->service->migration, call->session_id, error);
}

/* A method that is none, or that is a stream. */
static lcowmig_status serve_nothing(service_call *call, const lcowmig__service_request *request, lcowmig_error *error)
{
	(void)call;
	(void)request;
	return lcowmig__fail(error, LCOWMIG_E_NOT_SUPPORTED, "Migration service: not one of its unary methods");
}

static lcowmig_status (*const serve[LCOWMIG__METHODS + 1])(service_call *call, const lcowmig__service_request *request,
                                                           lcowmig_error *error) = {
	[LCOWMIG__METHOD_PREPARE_AND_EXPORT] = serve_prepare_and_export,
	[LCOWMIG__METHOD_IMPORT] = serve_import,
	[LCOWMIG__METHOD_PREPARE] = serve_prepare,
	[LCOWMIG__METHOD_TRANSFER] = serve_transfer,
	[LCOWMIG__METHOD_FINALIZE] = serve_finalize,
	[LCOWMIG__METHOD_NOTIFICATIONS] = serve_nothing,
	[LCOWMIG__METHOD_SOCKET] = serve_socket,
	[LCOWMIG__METHOD_CANCEL] = serve_cancel,
	[LCOWMIG__METHOD_CLEANUP] = serve_cleanup,
	[LCOWMIG__METHODS] = serve_nothing,
};

lcowmig_status lcowmig_service_call(lcowmig_service *service, const char *method, const uint8_t *request, size_t size,
                                    lcowmig_reply_fn reply, void *user, lcowmig_error *error)
{
	lcowmig_error why = LCOWMIG_ERROR_INIT;
	lcowmig__service_request decoded = { 0 };
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__service_method index;
	service_call *call;

	if (!service || !method || !reply || (!request && size))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "service call: service, method, request or reply is NULL");
	call = lcowmig__alloc(&service->context->mem, sizeof *call);
	if (!call)
		return lcowmig__fail_memory(error);
	call->service = service;
	call->reply = reply;
	call->user = user;
	index = lcowmig__service_method_of(method);
	if (index != LCOWMIG__METHODS)
		status = lcowmig__service_decode(index, request, size, &decoded, &why);
	if (status == LCOWMIG_OK) {
		call->session_id = lcowmig__strndup(&service->context->mem, (const char *)decoded.session_id.data, decoded.session_id.size);
		if (!call->session_id) {
			lcowmig__free(&service->context->mem, call);
			return lcowmig__fail_memory(error);
		}
	}
	service_count(service, 1);
	if (status == LCOWMIG_OK)
		status = serve[index](call, &decoded, &why);
	call_finish(call, status, &why);
	return LCOWMIG_OK;
}

/* ---- The stream ---- */

static void stream_free(lcowmig_service_stream *stream)
{
	lcowmig_service *service = stream->service;

	lcowmig__free(&service->context->mem, stream);
	service_count(service, -1);
}

static void stream_notify(void *user, const lcowmig_notification *notification)
{
	lcowmig_service_stream *stream = user;
	lcowmig__buf item;

	if (!notification) {
		stream->item(stream->user, NULL, 0);
		stream_free(stream);
		return;
	}
	lcowmig__buf_init(&item, &stream->service->context->mem);
	lcowmig__service_encode_notification(&item, notification);
	if (item.failed)
		lcowmig__log(stream->service->context, LCOWMIG_LOG_WARNING, "Migration service: a notification is lost: out of memory");
	else
		stream->item(stream->user, (const uint8_t *)item.data, item.size);
	lcowmig__buf_done(&item);
}

lcowmig_status lcowmig_service_notifications(lcowmig_service *service, const uint8_t *request, size_t size, lcowmig_item_fn item,
					     void *user, lcowmig_service_stream **ret_stream, lcowmig_error *error)
{
	lcowmig__service_request decoded;
	lcowmig_service_stream *stream;
	lcowmig_status status;
	char *session_id;

	if (!service || !item || !ret_stream || (!request && size))
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT,
				     "service notifications: service, request, item or ret_stream is NULL");
	status = lcowmig__service_decode(LCOWMIG__METHOD_NOTIFICATIONS, request, size, &decoded, error);
	if (status != LCOWMIG_OK)
		return status;
	stream = lcowmig__alloc(&service->context->mem, sizeof *stream);
	session_id = lcowmig__strndup(&service->context->mem, (const char *)decoded.session_id.data, decoded.session_id.size);
	if (!stream || !session_id) {
		lcowmig__free(&service->context->mem, stream);
		lcowmig__free(&service->context->mem, session_id);
		return lcowmig__fail_memory(error);
	}
	stream->service = service;
	stream->item = item;
	stream->user = user;
	service_count(service, 1);
	*ret_stream = stream;
	status = lcowmig_migration_subscribe(service->migration, session_id, 0, stream_notify, stream, &stream->subscription, error);
	lcowmig__free(&service->context->mem, session_id);
	if (status != LCOWMIG_OK) {
		*ret_stream = NULL;
		stream_free(stream);
	}
	return status;
}

void lcowmig_service_stream_close(lcowmig_service_stream *stream)
{
	if (!stream)
		return;
	lcowmig_migration_unsubscribe(stream->subscription);
	stream_free(stream);
}
