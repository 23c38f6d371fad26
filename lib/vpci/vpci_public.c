/* The public functions: arguments and the lock. */
#include "engine/abi.h"
#include "vpci_private.h"

lcowmig_status lcowmig_vpci_reserve(lcowmig_vpci *vpci, const char *instance_id, uint16_t function, lcowmig_guid *ret_device,
                                    lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(vpci, ret_device, "lcowmig_vpci_reserve: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(vpci, &pump, lcowmig__vpci_reserve(vpci, instance_id, function, ret_device, error));
}

lcowmig_status lcowmig_vpci_add(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(vpci, device, "lcowmig_vpci_add: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(vpci, &pump, LCOWMIG_OK, lcowmig__vpci_add_flow(vpci, device, error), done, user, error);
}

lcowmig_status lcowmig_vpci_remove(lcowmig_vpci *vpci, const lcowmig_guid *device, lcowmig_done_fn done, void *user, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(vpci, device, "lcowmig_vpci_remove: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(vpci, &pump, LCOWMIG_OK, lcowmig__vpci_remove_flow(vpci, device, error), done, user, error);
}

lcowmig_status lcowmig_vpci_save(lcowmig_vpci *vpci, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(vpci, vpci, "lcowmig_vpci_save: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(vpci, &pump, lcowmig__vpci_capture(vpci, error));
}
