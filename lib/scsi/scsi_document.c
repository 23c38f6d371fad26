/* The disks as the virtual machine's document names them. */
#include <inttypes.h>
#include <stdio.h>

#include "hcs/document_parts.h"
#include "scsi_private.h"

/* "GUID": {"Attachments": {…}}, or {} for a controller without disks. `disk` moves on from its first one. */
static void write_controller(lcowmig__buf *map, const lcowmig_scsi *scsi, uint32_t controller, const lcowmig__disk **disk)
{
	bool has_disks = false;

	lcowmig__json_write_key(map, lcowmig__hcs_scsi_controller(controller));
	lcowmig__json_write(map, "{");
	for (; *disk && (*disk)->slot / LCOWMIG_SCSI_LUNS == controller; *disk = lcowmig__scsi_next(scsi, *disk)) {
		lcowmig__hcs_attachment attachment = lcowmig__disk_attachment(*disk);
		char lun[12];

		if (!lcowmig__disk_is_present(*disk))
			continue;
		if (!has_disks)
			lcowmig__json_write(map, "Attachments:{");
		has_disks = true;
		snprintf(lun, sizeof lun, "%" PRIu32, attachment.lun);
		lcowmig__json_write_key(map, lun);
		lcowmig__hcs_write_attachment(map, &attachment);
	}
	lcowmig__json_write(map, has_disks ? "}}" : "}");
}

char *lcowmig__scsi_attachments(const lcowmig_scsi *scsi)
{
	const lcowmig__disk *disk = lcowmig__scsi_next(scsi, NULL);
	lcowmig__buf map;
	uint32_t i;

	lcowmig__buf_init(&map, &scsi->base.object.context->mem);
	lcowmig__json_write(&map, "{");
	for (i = 0; i < scsi->n_controllers; i++)
		write_controller(&map, scsi, i, &disk);
	lcowmig__json_write(&map, "}");
	return lcowmig__buf_take(&map);
}
