/* What HCS and the guest report, on its way to whom it concerns. */
#include <string.h>

#include "base/json.h"
#include "sandbox.h"

/* The service that held the machine is gone: HCS ends a machine that nobody holds. */
#define DISCONNECT_EXIT "{\"Status\":-1070137082,\"ExitType\":\"UnexpectedExit\"}" /* 0xC0370106, unexpected exit */

lcowmig_status lcowmig_sandbox_hcs_event(lcowmig_sandbox *sandbox, uint32_t type, const char *data, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(sandbox, sandbox, "the sandbox", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	switch (type) {
	case LCOWMIG_HCS_EVENT_SYSTEM_EXITED:
		lcowmig__vm_hcs_exited(sandbox->vm, data);
		break;
	case LCOWMIG_HCS_EVENT_SERVICE_DISCONNECT:
		lcowmig__vm_hcs_exited(sandbox->vm, DISCONNECT_EXIT);
		break;
	case LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION:
		lcowmig__migration_hcs_event(sandbox->migration, data);
		break;
	default:
		lcowmig__log(sandbox->object.context, LCOWMIG_LOG_DEBUG, "sandbox %s: HCS event 0x%08x has no use",
			     sandbox->object.id, (unsigned)type);
		break;
	}
	return lcowmig__leave_object(sandbox, &pump, LCOWMIG_OK);
}

/* The guest says which container has exited; how is told by the wait for its process. One that nobody knows is no reason to stop. */
static void sandbox_notify(lcowmig_sandbox *sandbox, const char *guest_container_id)
{
	const lcowmig__index_entry *entry = guest_container_id ? lcowmig__sandbox_find_guest(sandbox, guest_container_id) : NULL;

	if (entry)
		lcowmig__container_hint_exit(entry->container);
	else
		lcowmig__log(sandbox->object.context, LCOWMIG_LOG_WARNING,
			     "sandbox %s: the guest reports an exit of container %.128s, which is not here", sandbox->object.id,
			     guest_container_id ? guest_container_id : "without id");
}

lcowmig_status lcowmig_sandbox_guest_notification(lcowmig_sandbox *sandbox, const char *json, size_t size, lcowmig_error *error)
{
	const lcowmig_limits *limits;
	lcowmig_status status;
	cJSON *tree = NULL;
	lcowmig__pump pump;

	if (!sandbox || !json)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "guest notification: the sandbox or the JSON is NULL");
	limits = &sandbox->object.context->limits;
	status = lcowmig__json_parse("guest notification", json, size, limits->document_bytes, limits, &tree, error);
	if (status != LCOWMIG_OK)
		return status;
	lcowmig__enter(sandbox->object.context, &pump);
	sandbox_notify(sandbox, lcowmig__json_string(tree, "ContainerId"));
	lcowmig__leave(sandbox->object.context, &pump);
	cJSON_Delete(tree);
	return LCOWMIG_OK;
}
