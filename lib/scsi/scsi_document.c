/* The disks as the virtual machine's document names them. */
#include "hcs/documents.h"
#include "scsi_private.h"

static bool add_attachment(cJSON *attachments, const lcowmig__disk *disk)
{
	cJSON *attachment = cJSON_CreateObject();
	char lun[4] = { 0 };
	uint32_t number = lcowmig__disk_lun(disk);

	lun[0] = (char)('0' + (number >= 10 ? number / 10 : number));
	if (number >= 10)
		lun[1] = (char)('0' + number % 10);
	if (lcowmig__json_add_string(attachment, "Type", lcowmig__disk_type_text(disk->type)) &&
	    lcowmig__json_add_string(attachment, "Path", disk->host_path) &&
	    lcowmig__json_add_bool(attachment, "ReadOnly", disk->read_only) &&
	    lcowmig__json_add_string(attachment, "ExtensibleVirtualDiskType", disk->evd_type))
		return lcowmig__json_add_item(attachments, lun, attachment);
	cJSON_Delete(attachment);
	return false;
}

/* {"Attachments": {…}}, or {} for a controller without disks. */
static cJSON *controller_object(const lcowmig_scsi *scsi, uint32_t controller)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *attachments = cJSON_CreateObject();
	bool ok = object && attachments;
	uint32_t lun;

	for (lun = 0; lun < LCOWMIG_SCSI_LUNS && ok; lun++) {
		const lcowmig__disk *disk = scsi->slots[controller * LCOWMIG_SCSI_LUNS + lun];

		if (disk && lcowmig__disk_is_present(disk))
			ok = add_attachment(attachments, disk);
	}
	if (ok && attachments->child)
		ok = lcowmig__json_add_item(object, "Attachments", attachments);
	else
		cJSON_Delete(attachments);
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}

char *lcowmig__scsi_attachments(const lcowmig_scsi *scsi)
{
	cJSON *map = cJSON_CreateObject();
	char *text = NULL;
	uint32_t i = 0;

	while (i < scsi->n_controllers && lcowmig__json_add_item(map, lcowmig__hcs_scsi_controller(i), controller_object(scsi, i)))
		i++;
	if (i == scsi->n_controllers)
		text = lcowmig__json_print(&scsi->object.context->mem, map);
	cJSON_Delete(map);
	return text;
}
