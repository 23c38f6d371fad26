/* The SCSI payload. */
#include "scsi.pb.h"

#include <inttypes.h>
#include <string.h>

#include "base/compiler.h"
#include "base/guid.h"
#include "reader.h"
#include "writer.h"

/* Linux gives a disk 256 minor numbers, the whole disk included. */
#define SCSI_PARTITION_MAX 255u

/* The two configs are members of what they configure. */
static const lcowmig__wire_field mount_config_fields[] = {
	{ WIRE_FIELD(scsi_MountConfig, read_only), WIRE_SCALAR(BOOL, lcowmig__wire_mount, read_only) },
	{ WIRE_FIELD(scsi_MountConfig, encrypted), WIRE_SCALAR(BOOL, lcowmig__wire_mount, encrypted) },
	{ WIRE_FIELD(scsi_MountConfig, options), .kind = LCOWMIG__WIRE_TEXT, .shape = LCOWMIG__WIRE_MANY,
	  WIRE_ARRAY(lcowmig__wire_mount, options, const char *, mount_options), .size_limit = offsetof(lcowmig_limits, path_bytes) },
	{ WIRE_FIELD(scsi_MountConfig, ensure_filesystem), WIRE_SCALAR(BOOL, lcowmig__wire_mount, ensure_filesystem) },
	{ WIRE_FIELD(scsi_MountConfig, filesystem), WIRE_LIMITED(TEXT, lcowmig__wire_mount, filesystem, id_bytes) },
	{ WIRE_FIELD(scsi_MountConfig, block_dev), WIRE_SCALAR(BOOL, lcowmig__wire_mount, block_device) },
};

static const lcowmig__wire_message mount_config_message = { WIRE_TABLE(mount_config_fields) };

static const lcowmig__wire_field mount_fields[] = {
	{ WIRE_FIELD(scsi_MountState, config), .kind = LCOWMIG__WIRE_MESSAGE, .offset = 0, .flags = LCOWMIG__WIRE_ALWAYS,
	  .message = &mount_config_message },
	{ WIRE_FIELD(scsi_MountState, ref_count), WIRE_SCALAR(UINT32, lcowmig__wire_mount, ref_count) },
	{ WIRE_FIELD(scsi_MountState, guest_path), WIRE_LIMITED(TEXT, lcowmig__wire_mount, guest_path, path_bytes) },
};

static const lcowmig__wire_field disk_config_fields[] = {
	{ WIRE_FIELD(scsi_DiskConfig, host_path), WIRE_LIMITED(TEXT, lcowmig__wire_disk, host_path, path_bytes) },
	{ WIRE_FIELD(scsi_DiskConfig, read_only), WIRE_SCALAR(BOOL, lcowmig__wire_disk, read_only) },
	{ WIRE_FIELD(scsi_DiskConfig, type), WIRE_LIMITED(TEXT, lcowmig__wire_disk, type, id_bytes) },
	{ WIRE_FIELD(scsi_DiskConfig, evd_type), WIRE_LIMITED(TEXT, lcowmig__wire_disk, evd_type, id_bytes) },
};

static const lcowmig__wire_message disk_config_message = { WIRE_TABLE(disk_config_fields) };

static lcowmig_status scsi_check_mount(const lcowmig__wire_reader *reader, const void *target, const lcowmig__wire_place *place);
static lcowmig_status scsi_check_disk(const lcowmig__wire_reader *reader, const void *target, const lcowmig__wire_place *place);

static const lcowmig__wire_message mount_message = { WIRE_TABLE(mount_fields), .check = scsi_check_mount };

static const lcowmig__wire_field disk_fields[] = {
	{ WIRE_FIELD(scsi_DiskState, config), .kind = LCOWMIG__WIRE_MESSAGE, .offset = 0, .flags = LCOWMIG__WIRE_ALWAYS,
	  .message = &disk_config_message },
	{ WIRE_FIELD(scsi_DiskState, mounts), .kind = LCOWMIG__WIRE_MESSAGE, .shape = LCOWMIG__WIRE_MAP,
	  .flags = LCOWMIG__WIRE_SKIP_NO_VALUE, WIRE_ARRAY(lcowmig__wire_disk, mounts, lcowmig__wire_mount, reservations),
	  .total = LCOWMIG__WIRE_TOTAL_MOUNTS, WIRE_KEY(UINT64, lcowmig__wire_mount, partition), .message = &mount_message },
};

static const lcowmig__wire_message disk_message = { WIRE_TABLE(disk_fields), .check = scsi_check_disk };

static const lcowmig__wire_field reservation_fields[] = {
	{ WIRE_FIELD(scsi_Reservation, slot), WIRE_SCALAR(UINT32, lcowmig__wire_reservation, slot) },
	{ WIRE_FIELD(scsi_Reservation, partition), WIRE_SCALAR(UINT64, lcowmig__wire_reservation, partition) },
};

static const lcowmig__wire_message reservation_message = { WIRE_TABLE(reservation_fields) };

static const lcowmig__wire_field scsi_fields[] = {
	{ WIRE_FIELD(scsi_Payload, schema_version), .kind = LCOWMIG__WIRE_VERSION },
	{ WIRE_FIELD(scsi_Payload, num_controllers), WIRE_SCALAR(UINT32, lcowmig__wire_scsi, num_controllers) },
	{ WIRE_FIELD(scsi_Payload, disks), .kind = LCOWMIG__WIRE_MESSAGE, .shape = LCOWMIG__WIRE_MAP,
	  WIRE_ARRAY(lcowmig__wire_scsi, disks, lcowmig__wire_disk, reservations), WIRE_KEY(UINT32, lcowmig__wire_disk, slot),
	  .message = &disk_message },
	{ WIRE_FIELD(scsi_Payload, reservations), .kind = LCOWMIG__WIRE_MESSAGE, .shape = LCOWMIG__WIRE_MAP,
	  WIRE_ARRAY(lcowmig__wire_scsi, reservations, lcowmig__wire_reservation, reservations),
	  WIRE_KEY(GUID, lcowmig__wire_reservation, id), .message = &reservation_message },
};

static lcowmig_status scsi_check_mount(const lcowmig__wire_reader *reader, const void *target, const lcowmig__wire_place *place)
{
	const lcowmig__wire_mount *mount = target;
	lcowmig_status status = LCOWMIG_OK;

	if (!reader->strict)
		return LCOWMIG_OK;
	if (mount->partition > SCSI_PARTITION_MAX)
		status = lcowmig__wire_tolerate(reader, lcowmig__wire_invalid(reader, place, NULL,
									   "disks have partitions up to %u only", SCSI_PARTITION_MAX));
	if (status == LCOWMIG_OK && !mount->ref_count)
		return lcowmig__wire_invalid(reader, place, "ref_count", "is 0, so nobody holds this mount");
	return status;
}

static lcowmig_status scsi_check_disk(const lcowmig__wire_reader *reader, const void *target, const lcowmig__wire_place *place)
{
	static const char *const types[] = { "VirtualDisk", "PassThru", "ExtensibleVirtualDisk" };
	lcowmig__wire_place config = { place, "config", NULL, LCOWMIG__WIRE_NO_INDEX };
	const lcowmig__wire_disk *disk = target;
	lcowmig_status status = LCOWMIG_OK;
	size_t i = 0;

	if (!reader->strict)
		return LCOWMIG_OK;
	while (i < LCOWMIG__COUNT(types) && strcmp(types[i], disk->type) != 0)
		i++;
	if (i == LCOWMIG__COUNT(types))
		status = lcowmig__wire_tolerate(reader, lcowmig__wire_invalid(reader, &config, "type",
									   "is no disk type (%s, %s or %s)", types[0], types[1], types[2]));
	return status == LCOWMIG_OK ? lcowmig__wire_check_not_empty(reader, &config, "host_path", disk->host_path) : status;
}

static lcowmig_status scsi_check_slot(const lcowmig__wire_reader *reader, const lcowmig__wire_scsi *scsi, uint32_t slot,
				      const lcowmig__wire_place *place, const char *name)
{
	uint32_t slots = scsi->num_controllers * LCOWMIG_SCSI_LUNS;

	if (slot < slots)
		return LCOWMIG_OK;
	return lcowmig__wire_invalid(reader, place, name, "slot %u does not exist, %u controllers have %u slots",
				  (unsigned)slot, (unsigned)scsi->num_controllers, (unsigned)slots);
}

static lcowmig_status scsi_check(const lcowmig__wire_reader *reader, const void *target, const lcowmig__wire_place *place)
{
	lcowmig__wire_place inner = { place, "disks", NULL, LCOWMIG__WIRE_NO_INDEX };
	const lcowmig__wire_scsi *scsi = target;
	lcowmig_status status = LCOWMIG_OK;
	char id[LCOWMIG_GUID_TEXT_SIZE];

	if (scsi->num_controllers > LCOWMIG_SCSI_CONTROLLERS_MAX)
		return lcowmig__wire_invalid(reader, place, "num_controllers",
					  "is %u, a virtual machine has at most %u", (unsigned)scsi->num_controllers,
					  LCOWMIG_SCSI_CONTROLLERS_MAX);
	for (size_t i = 0; status == LCOWMIG_OK && i < scsi->n_disks; i++) {
		inner.index = scsi->disks[i].slot;
		status = lcowmig__wire_tolerate(reader, scsi_check_slot(reader, scsi, scsi->disks[i].slot, &inner, NULL));
	}
	inner.name = "reservations";
	for (size_t i = 0; status == LCOWMIG_OK && i < scsi->n_reservations; i++) {
		const lcowmig__wire_reservation *reservation = &scsi->reservations[i];

		if (reservation->slot < scsi->num_controllers * LCOWMIG_SCSI_LUNS && !lcowmig__guid_is_null(&reservation->id))
			continue;
		lcowmig_guid_format(&reservation->id, id);
		inner.key = id;
		if (lcowmig__guid_is_null(&reservation->id))
			status = lcowmig__wire_invalid(reader, &inner, NULL, "is the null GUID");
		status = lcowmig__wire_tolerate(reader, status);
		if (status == LCOWMIG_OK)
			status = lcowmig__wire_tolerate(reader, scsi_check_slot(reader, scsi, reservation->slot, &inner, "slot"));
	}
	return status;
}

const lcowmig__wire_message lcowmig__wire_scsi_message = {
	WIRE_PAYLOAD(LCOWMIG__TYPE_URL_SCSI, "scsi", lcowmig__wire_scsi),
	WIRE_TABLE(scsi_fields),
	.check = scsi_check,
};

lcowmig_status lcowmig__wire_decode_scsi(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
					 lcowmig__wire_scsi *ret_scsi, lcowmig_error *error)
{
	return lcowmig__wire_decode(&lcowmig__wire_scsi_message, arena, limits, data, size, ret_scsi, error);
}

lcowmig_status lcowmig__wire_encode_scsi(lcowmig__buf *buf, const lcowmig__wire_scsi *scsi, lcowmig_error *error)
{
	return lcowmig__wire_write(buf, &lcowmig__wire_scsi_message, scsi, error);
}
