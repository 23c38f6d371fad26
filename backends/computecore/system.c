/* The hcs ops: one function for each member, each one HCS call. */
#include "core.h"

#include <stdlib.h>

static lcowmig__computecore_job system_job(void *user, lcowmig_call *call, void *system, const char *text)
{
	lcowmig__computecore_job job = { 0 };

	job.core = user;
	job.call = call;
	job.run = lcowmig__computecore_operate;
	job.system = system;
	job.text = text;
	job.timeout_ms = job.core->timeout_ms;
	return job;
}

static HRESULT create_begin(lcowmig__computecore_job *job, hcs_operation operation, const wchar_t *document)
{
	wchar_t *id = lcowmig__computecore_wide(job->second_text);
	HRESULT result = id ? job->core->dll.create_system(id, document, operation, NULL, &job->system->handle) : E_OUTOFMEMORY;

	free(id);
	return result;
}

/* Closing comes before forgetting the number: HCS may tell of an end until then. */
static void system_drop(lcowmig__computecore_system *system)
{
	lcowmig_computecore *core = system->core;

	if (system->handle)
		core->dll.close_system(system->handle);
	lcowmig__computecore_unregister(system);
	free(system);
	InterlockedDecrement(&core->systems);
}

static lcowmig_status create_run(lcowmig__computecore_job *job)
{
	const lcowmig__computecore_dll *dll = &job->core->dll;
	wchar_t *document = lcowmig__computecore_wide(job->text);
	lcowmig_status status;
	HRESULT result;

	job->system = calloc(1, sizeof(*job->system));
	if (!document || !job->system) {
		free(document);
		free(job->system);
		return LCOWMIG_E_NO_MEMORY;
	}
	job->system->core = job->core;
	InterlockedIncrement(&job->core->systems);
	lcowmig__computecore_register(job->system);
	status = lcowmig__computecore_operate_with(job, document, create_begin);
	free(document);
	if (status == LCOWMIG_OK) {
		result = dll->set_callback(job->system->handle, HCS_EVENT_OPTION_LIVE_MIGRATION, (void *)job->system->number, lcowmig__computecore_event);
		if (SUCCEEDED(result)) {
			lcowmig_call_set_handle(job->call, job->system);
			return LCOWMIG_OK;
		}
		/* A system that nobody would hear of is no use: it goes with its last handle. */
		status = lcowmig__computecore_fail(job->call, result, NULL);
	}
	system_drop(job->system);
	return status;
}

static lcowmig_status system_create(void *user, lcowmig_call *call, const char *id, const char *document)
{
	lcowmig__computecore_job job = system_job(user, call, NULL, document);

	job.run = create_run;
	job.second_text = id;
	return lcowmig__computecore_submit(&job);
}

static lcowmig_status system_start(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	lcowmig__computecore_job job = system_job(user, call, system, options);

	job.function = job.core->dll.start;
	job.socket = socket;
	if (socket)
		job.timeout_ms = INFINITE;
	return lcowmig__computecore_submit(&job);
}

static lcowmig_status system_terminate(void *user, lcowmig_call *call, void *system)
{
	lcowmig__computecore_job job = system_job(user, call, system, "");

	job.function = job.core->dll.terminate;
	job.is_forgotten = 1;
	return lcowmig__computecore_submit(&job);
}

static lcowmig_status close_run(lcowmig__computecore_job *job)
{
	system_drop(job->system);
	return LCOWMIG_OK;
}

static lcowmig_status system_close(void *user, lcowmig_call *call, void *system)
{
	lcowmig__computecore_job job = system_job(user, call, system, NULL);

	job.run = close_run;
	return lcowmig__computecore_submit(&job);
}

static HRESULT modify_begin(lcowmig__computecore_job *job, hcs_operation operation, const wchar_t *request)
{
	return job->core->dll.modify(job->system->handle, operation, request, NULL);
}

static lcowmig_status modify_run(lcowmig__computecore_job *job)
{
	wchar_t *request = lcowmig__computecore_wide(job->text);
	lcowmig_status status = request ? lcowmig__computecore_operate_with(job, request, modify_begin) : LCOWMIG_E_NO_MEMORY;

	free(request);
	return status;
}

static lcowmig_status system_modify(void *user, lcowmig_call *call, void *system, const char *request)
{
	lcowmig__computecore_job job = system_job(user, call, system, request);

	job.run = modify_run;
	return lcowmig__computecore_submit(&job);
}

static lcowmig_status system_properties(void *user, lcowmig_call *call, void *system, const char *query)
{
	lcowmig__computecore_job job = system_job(user, call, system, query);

	job.function = job.core->dll.properties;
	job.wants_result = 1;
	return lcowmig__computecore_submit(&job);
}

/* Live migration calls have no deadline of their own: cancelling ends them. */
static lcowmig_status system_migrate(void *user, lcowmig_call *call, void *system, const char *options, hcs_system_fn function, void *socket)
{
	lcowmig__computecore_job job = system_job(user, call, system, options);

	job.function = function;
	job.socket = socket;
	job.timeout_ms = INFINITE;
	return lcowmig__computecore_submit(&job);
}

static lcowmig_status system_initialize_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	return system_migrate(user, call, system, options, ((lcowmig_computecore *)user)->dll.initialize_migration, NULL);
}

static lcowmig_status system_start_migration(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	return system_migrate(user, call, system, options, ((lcowmig_computecore *)user)->dll.start_migration, socket);
}

static lcowmig_status system_transfer(void *user, lcowmig_call *call, void *system, const char *options)
{
	return system_migrate(user, call, system, options, ((lcowmig_computecore *)user)->dll.transfer, NULL);
}

static lcowmig_status system_finalize_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	return system_migrate(user, call, system, options, ((lcowmig_computecore *)user)->dll.finalize_migration, NULL);
}

static lcowmig_status system_cancel_migration(void *user, lcowmig_call *call, void *system, const char *options)
{
	return system_migrate(user, call, system, options, ((lcowmig_computecore *)user)->dll.cancel_migration, NULL);
}

static lcowmig_status grant_run(lcowmig__computecore_job *job)
{
	wchar_t *id = lcowmig__computecore_wide(job->text);
	wchar_t *path = lcowmig__computecore_wide(job->second_text);
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;

	if (id && path) {
		HRESULT result = job->core->dll.grant_access(id, path);

		status = SUCCEEDED(result) ? LCOWMIG_OK : lcowmig__computecore_fail(job->call, result, NULL);
	}
	free(id);
	free(path);
	return status;
}

static lcowmig_status system_grant_access(void *user, lcowmig_call *call, const char *id, const char *path)
{
	lcowmig__computecore_job job = system_job(user, call, NULL, id);

	job.run = grant_run;
	job.second_text = path;
	return lcowmig__computecore_submit(&job);
}

/* A member is there when this Windows has what is behind it. */
void lcowmig_computecore_hcs_ops(lcowmig_computecore *core, lcowmig_hcs_ops *ret_ops)
{
	const lcowmig__computecore_dll *dll = &core->dll;
	lcowmig_hcs_ops ops = { sizeof(ops) };

	ops.user = core;
	ops.create = system_create;
	ops.start = dll->start ? system_start : NULL;
	ops.terminate = dll->terminate ? system_terminate : NULL;
	ops.close = system_close;
	ops.modify = dll->modify ? system_modify : NULL;
	ops.properties = dll->properties ? system_properties : NULL;
	ops.initialize_migration = dll->initialize_migration ? system_initialize_migration : NULL;
	ops.start_migration = dll->start_migration && dll->add_resource ? system_start_migration : NULL;
	ops.transfer = dll->transfer ? system_transfer : NULL;
	ops.finalize_migration = dll->finalize_migration ? system_finalize_migration : NULL;
	ops.cancel_migration = dll->cancel_migration ? system_cancel_migration : NULL;
	ops.grant_access = dll->grant_access ? system_grant_access : NULL;
	ops.resolve_path = lcowmig__computecore_resolve_path;
	ops.path_type = lcowmig__computecore_path_type;
	*ret_ops = ops;
}
