/* The public functions: arguments, the lock, and the copying in and out. */
#include <string.h>

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

lcowmig_status lcowmig_plan9_map(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                 lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(plan9, reservation, "lcowmig_plan9_map: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(plan9, &pump, LCOWMIG_OK, lcowmig__plan9_map_flow(plan9, reservation, NULL, error), done, user, error);
}

lcowmig_status lcowmig_plan9_unmap(lcowmig_plan9 *plan9, const lcowmig_guid *reservation, lcowmig_done_fn done, void *user,
                                   lcowmig_error *error)
{
	lcowmig__pump pump;

	if (!lcowmig__enter_object(plan9, reservation, "lcowmig_plan9_unmap: an argument", &pump, error))
		return LCOWMIG_E_INVALID_ARGUMENT;
	return lcowmig__leave_flow(plan9, &pump, LCOWMIG_OK, lcowmig__plan9_unmap_flow(plan9, reservation, error), done, user, error);
}

static lcowmig_status guest_path_locked(lcowmig_plan9 *plan9, const lcowmig_guid *id, char *buffer, size_t capacity, size_t *ret_size,
                                        lcowmig_error *error)
{
	lcowmig__plan9_reservation *reservation = NULL;
	lcowmig_status status = lcowmig__plan9_look_up(plan9, id, &reservation, error);
	char text[LCOWMIG_GUID_TEXT_SIZE];
	size_t size;

	if (status != LCOWMIG_OK)
		return status;
	if (reservation->is_released || reservation->share->mount.state != SHARE_MOUNT_MOUNTED) {
		lcowmig_guid_format(id, text);
		return lcowmig__fail(error, LCOWMIG_E_FAILED_PRECONDITION,
				     "Plan9: reservation %s is not mapped; its guest path needs it mapped", text);
	}
	size = strlen(reservation->share->guest_path);
	if (buffer && capacity <= size)
		return lcowmig__fail(error, LCOWMIG_E_INVALID_ARGUMENT, "lcowmig_plan9_guest_path: the buffer has %zu bytes, expected %zu",
		                     capacity, size + 1);
	if (buffer)
		memcpy(buffer, reservation->share->guest_path, size + 1);
	if (ret_size)
		*ret_size = size;
	return LCOWMIG_OK;
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
