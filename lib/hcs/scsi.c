#include "base/text.h"
#include "documents.h"

/* Name-based GUIDs of the digits 0 to 3, fixed by HCS's users and the guest alike. */
static const char *const controllers[LCOWMIG_SCSI_CONTROLLERS_MAX] = {
	"df6d0690-79e5-55b6-a5ec-c1e2f77f580a",
	"0110f83b-de10-5172-a266-78bca56bf50a",
	"b5d2d8d4-3a75-51bf-945b-3444dc6b8579",
	"305891a9-b251-5dfe-91a2-c25d9212275b",
};

const char *lcowmig__hcs_scsi_controller(uint32_t index)
{
	return index < LCOWMIG_SCSI_CONTROLLERS_MAX ? controllers[index] : NULL;
}

bool lcowmig__hcs_scsi_controller_index(const char *guid, uint32_t *ret_index)
{
	uint32_t i;

	for (i = 0; i < LCOWMIG_SCSI_CONTROLLERS_MAX; i++) {
		if (lcowmig__text_compare_nocase(guid, controllers[i]) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

bool lcowmig__hcs_disk_type_is_known(const char *type)
{
	return lcowmig__text_equal(type, LCOWMIG__DISK_VIRTUAL) || lcowmig__text_equal(type, LCOWMIG__DISK_PASS_THRU) ||
	       lcowmig__text_equal(type, LCOWMIG__DISK_EXTENSIBLE);
}
