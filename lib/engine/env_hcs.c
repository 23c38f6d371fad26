/* Calls of the HCS vtable. */
#include "env_call.h"

static const lcowmig_hcs_ops *call_hcs(const lcowmig_call *call)
{
	return &call->env->hcs;
}

static const char hcs_missing[] = "the host's HCS ops have no such member";

/* A call on the compute system. */
static lcowmig_call *hcs_call(lcowmig__flow *flow, const lcowmig__env *env, const char *what, bool has_member,
                              lcowmig_status (*invoke)(lcowmig_call *call))
{
	lcowmig_call *call = NULL;

	if (has_member && (!env->system || env->system_is_closing))
		lcowmig__call_refuse(flow, LCOWMIG_E_UNAVAILABLE, what, "there is no compute system");
	else
		call = lcowmig__env_call(flow, env, what, has_member, hcs_missing, invoke);
	if (call)
		call->handle_argument = env->system;
	return call;
}

/* The same with a document, which is taken. */
static lcowmig_call *hcs_document_call(lcowmig__flow *flow, const lcowmig__env *env, const char *what, bool has_member, char *document,
                                       lcowmig_status (*invoke)(lcowmig_call *call))
{
	lcowmig_call *call = hcs_call(flow, env, what, has_member, invoke);

	lcowmig__env_take_text(env, call, 0, document);
	return call;
}

static lcowmig_status invoke_create(lcowmig_call *call)
{
	return call_hcs(call)->create(call_hcs(call)->user, call, call->text[1], call->text[0]);
}

static lcowmig_status invoke_late_close(lcowmig_call *call)
{
	return call_hcs(call)->close(call_hcs(call)->user, call, call->handle_argument);
}

/* A compute system that nobody waits for any more: close it, which terminates it. */
static void discard_system(lcowmig_call *late, void *system)
{
	lcowmig__env_discard(late, "HCS close", invoke_late_close, system);
}

void lcowmig__hcs_create(lcowmig__flow *flow, const lcowmig__env *env, const char *id, char *document)
{
	lcowmig_call *call = lcowmig__env_call(flow, env, "HCS create", env->hcs.create != NULL, hcs_missing, invoke_create);

	lcowmig__env_take_text(env, call, 0, document);
	lcowmig__env_set_text(call, 1, id);
	if (call)
		call->discard = env->hcs.close ? discard_system : NULL;
}

static lcowmig_status invoke_start(lcowmig_call *call)
{
	return call_hcs(call)->start(call_hcs(call)->user, call, call->handle_argument, call->text[0], call->second_handle);
}

void lcowmig__hcs_start(lcowmig__flow *flow, const lcowmig__env *env, char *options, void *socket)
{
	lcowmig_call *call = hcs_document_call(flow, env, "HCS start", env->hcs.start != NULL, options, invoke_start);

	if (call)
		call->second_handle = socket;
}

static lcowmig_status invoke_terminate(lcowmig_call *call)
{
	return call_hcs(call)->terminate(call_hcs(call)->user, call, call->handle_argument);
}

void lcowmig__hcs_terminate(lcowmig__flow *flow, const lcowmig__env *env)
{
	hcs_call(flow, env, "HCS terminate", env->hcs.terminate != NULL, invoke_terminate);
}

static lcowmig_status invoke_close(lcowmig_call *call)
{
	return call_hcs(call)->close(call_hcs(call)->user, call, call->handle_argument);
}

/* One that failed to close is still there. */
static void report_close(lcowmig_call *call)
{
	lcowmig__env *env = call->ret[0];

	env->system_is_closing = false;
	if (call->status == LCOWMIG_OK)
		env->system = NULL;
}

void lcowmig__hcs_close(lcowmig__flow *flow, lcowmig__env *env)
{
	lcowmig_call *call = hcs_call(flow, env, "HCS close", env->hcs.close != NULL, invoke_close);

	if (!call)
		return;
	call->ret[0] = env;
	call->report = report_close;
	env->system_is_closing = true;
}

static lcowmig_status invoke_modify(lcowmig_call *call)
{
	return call_hcs(call)->modify(call_hcs(call)->user, call, call->handle_argument, call->text[0]);
}

void lcowmig__hcs_modify(lcowmig__flow *flow, const lcowmig__env *env, char *document)
{
	hcs_document_call(flow, env, "HCS modify", env->hcs.modify != NULL, document, invoke_modify);
}

static lcowmig_status invoke_properties(lcowmig_call *call)
{
	return call_hcs(call)->properties(call_hcs(call)->user, call, call->handle_argument, call->text[0]);
}

void lcowmig__hcs_properties(lcowmig__flow *flow, const lcowmig__env *env, char *query)
{
	hcs_document_call(flow, env, "HCS properties", env->hcs.properties != NULL, query, invoke_properties);
}

static lcowmig_status invoke_initialize_migration(lcowmig_call *call)
{
	return call_hcs(call)->initialize_migration(call_hcs(call)->user, call, call->handle_argument, call->text[0]);
}

void lcowmig__hcs_initialize_migration(lcowmig__flow *flow, const lcowmig__env *env, char *options)
{
	hcs_document_call(flow, env, "HCS initialize live migration on source", env->hcs.initialize_migration != NULL, options,
	         invoke_initialize_migration);
}

static lcowmig_status invoke_start_migration(lcowmig_call *call)
{
	return call_hcs(call)->start_migration(call_hcs(call)->user, call, call->handle_argument, call->text[0], call->second_handle);
}

void lcowmig__hcs_start_migration(lcowmig__flow *flow, const lcowmig__env *env, char *options, void *socket)
{
	lcowmig_call *call = hcs_document_call(flow, env, "HCS start live migration on source", env->hcs.start_migration != NULL, options,
				      invoke_start_migration);

	if (call)
		call->second_handle = socket;
}

static lcowmig_status invoke_transfer(lcowmig_call *call)
{
	return call_hcs(call)->transfer(call_hcs(call)->user, call, call->handle_argument, call->text[0]);
}

void lcowmig__hcs_transfer(lcowmig__flow *flow, const lcowmig__env *env, char *options)
{
	hcs_document_call(flow, env, "HCS start live migration transfer", env->hcs.transfer != NULL, options, invoke_transfer);
}

static lcowmig_status invoke_finalize_migration(lcowmig_call *call)
{
	return call_hcs(call)->finalize_migration(call_hcs(call)->user, call, call->handle_argument, call->text[0]);
}

void lcowmig__hcs_finalize_migration(lcowmig__flow *flow, const lcowmig__env *env, char *options)
{
	hcs_document_call(flow, env, "HCS finalize live migration", env->hcs.finalize_migration != NULL, options, invoke_finalize_migration);
}

static lcowmig_status invoke_cancel_migration(lcowmig_call *call)
{
	return call_hcs(call)->cancel_migration(call_hcs(call)->user, call, call->handle_argument, call->text[0]);
}

void lcowmig__hcs_cancel_migration(lcowmig__flow *flow, const lcowmig__env *env, char *options)
{
	hcs_document_call(flow, env, "HCS cancel live migration", env->hcs.cancel_migration != NULL, options, invoke_cancel_migration);
}

static lcowmig_status invoke_grant_access(lcowmig_call *call)
{
	return call_hcs(call)->grant_access(call_hcs(call)->user, call, call->text[1], call->text[0]);
}

void lcowmig__hcs_grant_access(lcowmig__flow *flow, const lcowmig__env *env, const char *path)
{
	lcowmig_call *call = hcs_call(flow, env, "grant VM access", env->hcs.grant_access != NULL, invoke_grant_access);

	lcowmig__env_set_text(call, 0, path);
	lcowmig__env_set_text(call, 1, env->vm_id);
}

static lcowmig_status invoke_resolve_path(lcowmig_call *call)
{
	if (!call_hcs(call)->resolve_path) {
		lcowmig_call_set_result(call, call->text[0], strlen(call->text[0]));
		return LCOWMIG_OK;
	}
	return call_hcs(call)->resolve_path(call_hcs(call)->user, call, call->text[0]);
}

/* Paths can be resolved without a compute system: the destination's patch comes before its create. */
void lcowmig__hcs_resolve_path(lcowmig__flow *flow, const lcowmig__env *env, const char *path)
{
	lcowmig__env_set_text(lcowmig__call_new(flow, env, "resolve path", invoke_resolve_path), 0, path);
}

static lcowmig_status invoke_path_type(lcowmig_call *call)
{
	static const char directory[] = "directory";

	if (!call_hcs(call)->path_type) {
		lcowmig_call_set_result(call, directory, sizeof directory - 1);
		return LCOWMIG_OK;
	}
	return call_hcs(call)->path_type(call_hcs(call)->user, call, call->text[0]);
}

void lcowmig__hcs_path_type(lcowmig__flow *flow, const lcowmig__env *env, const char *path)
{
	lcowmig__env_set_text(lcowmig__call_new(flow, env, "path type", invoke_path_type), 0, path);
}
