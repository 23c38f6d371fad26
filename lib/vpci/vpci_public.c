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

lcowmig_status lcowmig_vpci_save(lcowmig_vpci *vpci, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(vpci, vpci, "lcowmig_vpci_save: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(vpci, &pump, lcowmig__vpci_capture(vpci, error));
}
