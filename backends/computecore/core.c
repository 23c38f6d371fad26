/* Making and freeing a core. */
#include "core.h"

#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_TIMEOUT_MS (4u * 60u * 1000u)

static lcowmig_status core_error(lcowmig_error *error, lcowmig_status status, const char *format, const char *what)
{
	if (error) {
		error->status = status;
		error->hresult = 0;
		snprintf(error->message, sizeof(error->message), format, what);
	}
	return status;
}

static lcowmig_status core_load(lcowmig_computecore *core, const char *library, lcowmig_error *error)
{
	wchar_t *path = library ? lcowmig__computecore_wide(library) : NULL;
	const char *missing;
	WSADATA winsock;

	if (library && !path)
		return core_error(error, LCOWMIG_E_NO_MEMORY, "computecore: %s", "out of memory");
	missing = lcowmig__computecore_load(path, &core->dll);
	free(path);
	if (missing)
		return core_error(error, LCOWMIG_E_NOT_SUPPORTED, "computecore: this Windows has no %s", missing);
	if (WSAStartup(0x0202, &winsock) != 0) {
		FreeLibrary(core->dll.module);
		return core_error(error, LCOWMIG_E_NOT_SUPPORTED, "computecore: %s does not start", "Winsock 2.2");
	}
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_computecore_new(const lcowmig_computecore_config *config, lcowmig_computecore **ret_core, lcowmig_error *error)
{
	lcowmig_computecore_config given = LCOWMIG_COMPUTECORE_CONFIG_INIT;
	lcowmig_computecore *core;
	lcowmig_status status;

	if (!ret_core)
		return core_error(error, LCOWMIG_E_INVALID_ARGUMENT, "computecore: %s is NULL", "ret_core");
	if (config && config->size != sizeof(*config))
		return core_error(error, LCOWMIG_E_INVALID_ARGUMENT, "computecore: %s has a size this version does not know", "the configuration");
	if (config)
		given = *config;
	if (given.flags & ~LCOWMIG_COMPUTECORE_BLOCKING)
		return core_error(error, LCOWMIG_E_INVALID_ARGUMENT, "computecore: %s are unknown", "flags");
	core = calloc(1, sizeof(*core));
	if (!core)
		return core_error(error, LCOWMIG_E_NO_MEMORY, "computecore: %s", "out of memory");
	core->flags = given.flags;
	core->timeout_ms = given.operation_timeout_ms ? given.operation_timeout_ms : DEFAULT_TIMEOUT_MS;
	status = core_load(core, given.library, error);
	if (status != LCOWMIG_OK) {
		free(core);
		return status;
	}
	*ret_core = core;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig_computecore_free(lcowmig_computecore *core)
{
	if (!core)
		return LCOWMIG_OK;
	if (core->busy || core->systems)
		return LCOWMIG_E_FAILED_PRECONDITION;
	WSACleanup();
	FreeLibrary(core->dll.module);
	free(core);
	return LCOWMIG_OK;
}

void lcowmig_computecore_attach(lcowmig_computecore *core, lcowmig_sandbox *sandbox)
{
	InterlockedExchangePointer((void *volatile *)&core->sandbox, sandbox);
}
