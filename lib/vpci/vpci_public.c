/* The public functions: arguments and the lock. */
#include "engine/abi.h"
#include "vpci_private.h"

/* Starts a flow that was made under the lock, or reports why there is none. */
static lcowmig_status run(lcowmig_vpci *vpci, lcowmig__pump *pump, lcowmig__flow *flow, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	return lcowmig__leave_with(vpci->object.context, pump, flow ? LCOWMIG_OK : LCOWMIG_E_NO_MEMORY, flow, done, user, error);
}

lcowmig_status lcowmig_vpci_reserve(lcowmig_vpci *vpci, const char *instance_id, uint16_t function, lcowmig_guid *ret_device,
                                    lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!vpci || !ret_device)
		return lcowmig__fail_null("lcowmig_vpci_reserve", error);
	lcowmig__enter(vpci->object.context, &pump);
	status = lcowmig__vpci_reserve(vpci, instance_id, function, ret_device, error);
	lcowmig__leave(vpci->object.context, &pump);
	return status;
}

lcowmig_status lcowmig_vpci_add(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vpci || !device)
		return lcowmig__fail_null("lcowmig_vpci_add", error);
	lcowmig__enter(vpci->object.context, &pump);
	return run(vpci, &pump, lcowmig__vpci_add_flow(vpci, device, error), done, user, error);
}

lcowmig_status lcowmig_vpci_remove(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!vpci || !device)
		return lcowmig__fail_null("lcowmig_vpci_remove", error);
	lcowmig__enter(vpci->object.context, &pump);
	return run(vpci, &pump, lcowmig__vpci_remove_flow(vpci, device, error), done, user, error);
}

lcowmig_status lcowmig_vpci_save(lcowmig_vpci *vpci, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!vpci)
		return lcowmig__fail_null("lcowmig_vpci_save", error);
	lcowmig__enter(vpci->object.context, &pump);
	status = lcowmig__vpci_capture(vpci, error);
	lcowmig__leave(vpci->object.context, &pump);
	return status;
}
