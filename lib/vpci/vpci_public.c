/* The public functions: arguments and the lock. */
#include "vpci_private.h"

static lcowmig_status null_argument(const char *function, lcowmig_error *error)
{
	return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "%s: an argument is NULL", function);
}

lcowmig_status lcowmig_vpci_reserve(lcowmig_vpci *vpci, const char *instance_id, uint16_t function, lcowmig_guid *ret_device,
                                    lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!vpci || !instance_id || !ret_device)
		return null_argument("lcowmig_vpci_reserve", error);
	lcowmig__enter(vpci->object.context, &pump);
	status = lcowmig__vpci_reserve(vpci, instance_id, function, ret_device, error);
	lcowmig__leave(vpci->object.context, &pump);
	return status;
}

lcowmig_status lcowmig_vpci_add(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__flow *flow;
	lcowmig__pump pump;

	if (!vpci || !device)
		return null_argument("lcowmig_vpci_add", error);
	lcowmig__enter(vpci->object.context, &pump);
	flow = lcowmig__vpci_add_flow(vpci, device, error);
	if (!flow)
		status = LCOWMIG_E_NO_MEMORY;
	return lcowmig__leave_with(vpci->object.context, &pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_vpci_remove(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig_status status = LCOWMIG_OK;
	lcowmig__flow *flow;
	lcowmig__pump pump;

	if (!vpci || !device)
		return null_argument("lcowmig_vpci_remove", error);
	lcowmig__enter(vpci->object.context, &pump);
	flow = lcowmig__vpci_remove_flow(vpci, device, error);
	if (!flow)
		status = LCOWMIG_E_NO_MEMORY;
	return lcowmig__leave_with(vpci->object.context, &pump, status, flow, done, user, error);
}

lcowmig_status lcowmig_vpci_save(lcowmig_vpci *vpci, lcowmig_error *error)
{
	lcowmig_status status;
	lcowmig__pump pump;

	if (!vpci)
		return null_argument("lcowmig_vpci_save", error);
	lcowmig__enter(vpci->object.context, &pump);
	status = lcowmig__vpci_capture(vpci, error);
	lcowmig__leave(vpci->object.context, &pump);
	return status;
}
