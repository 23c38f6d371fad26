/* The disks as the virtual machine's document names them. */
#include <inttypes.h>
#include <stdio.h>

#include "hcs/document_parts.h"
#include "scsi_private.h"

static bool add_attachment(cJSON *attachments, const lcowmig__disk *disk)
{
	lcowmig__hcs_attachment attachment = lcowmig__disk_attachment(disk);
	char lun[12];

	snprintf(lun, sizeof lun, "%" PRIu32, attachment.lun);
	return lcowmig__hcs_fill_attachment(cJSON_AddObjectToObject(attachments, lun), &attachment);
}

/* {"Attachments": {…}}, or {} for a controller without disks. `disk` moves on from its first one. */
static bool add_controller(cJSON *map, const lcowmig_scsi *scsi, uint32_t controller, const lcowmig__disk **disk)
{
	cJSON *object = cJSON_AddObjectToObject(map, lcowmig__hcs_scsi_controller(controller));
	cJSON *attachments = NULL;

	for (; *disk && (*disk)->slot / LCOWMIG_SCSI_LUNS == controller; *disk = lcowmig__scsi_next(scsi, *disk)) {
		if (!lcowmig__disk_is_present(*disk))
			continue;
		if (!attachments)
			attachments = cJSON_AddObjectToObject(object, "Attachments");
		if (!add_attachment(attachments, *disk))
			return false;
	}
	return object != NULL;
}

char *lcowmig__scsi_attachments(const lcowmig_scsi *scsi)
{
	cJSON *map = cJSON_CreateObject();
	const lcowmig__disk *disk = lcowmig__scsi_next(scsi, NULL);
	char *text = NULL;
	uint32_t i = 0;

	while (i < scsi->n_controllers && add_controller(map, scsi, i, &disk))
		i++;
	if (i == scsi->n_controllers)
		text = lcowmig__json_print(&scsi->base.object.context->mem, map);
	cJSON_Delete(map);
	return text;
}
