/* The public functions: arguments, the lock, and the copying in and out. */
#include "engine/abi.h"
#include "plan9_private.h"

lcowmig_status lcowmig_plan9_reserve(lcowmig_plan9 *plan9, const lcowmig_share_config *share, uint32_t mount_read_only,
                                     lcowmig_guid *ret_reservation, lcowmig_error *error)
{
	lcowmig_share_config own;
	lcowmig_status status;
	lcowmig__pump pump;

	if (!lcowmig__enter_object(plan9, ret_reservation, "lcowmig_plan9_reserve: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	status = LCOWMIG__COPY_SIZED("lcowmig_share_config", &own, share, restrict_access, error);
	if (status == LCOWMIG_OK)
		status = lcowmig__plan9_reserve(plan9, &own, mount_read_only != 0, ret_reservation, error);
	return lcowmig__leave_object(plan9, &pump, status);
}

static lcowmig_status guest_path_locked(const lcowmig_plan9 *plan9, const lcowmig_guid *id, char *buffer, size_t capacity,
					size_t *ret_size, lcowmig_error *error)
{
	const lcowmig__plan9_reservation *reservation = lcowmig__plan9_look_up(plan9, id, error);

	if (!reservation)
		return LCOWMIG_E_NOT_FOUND;
	if (reservation->is_released || reservation->share->mount.state != SHARE_MOUNT_MOUNTED)
		return lcowmig__controller_fail(&plan9->base, id, LCOWMIG_E_FAILED_PRECONDITION,
						"is not mapped; its guest path needs it mapped", error);
	return lcowmig__copy_text_out("lcowmig_plan9_guest_path", reservation->share->guest_path, buffer, capacity, ret_size, error);
}

lcowmig_status lcowmig_plan9_guest_path(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, char *buffer, size_t capacity,
                                        size_t *ret_size, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(plan9, reservation, "lcowmig_plan9_guest_path: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(plan9, &pump, guest_path_locked(plan9, reservation, buffer, capacity, ret_size, error));
}

lcowmig_status lcowmig_plan9_save(lcowmig_plan9 *plan9, lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(plan9, plan9, "lcowmig_plan9_save: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_object(plan9, &pump, lcowmig__plan9_capture(plan9, error));
}
