/* The Linux container payload. */
#include "linuxcontainer.pb.h"

#include "base/guid.h"
#include "reader.h"
#include "writer.h"

static const lcowmig__wire_field layer_fields[] = {
	{ WIRE_FIELD(container_LayerReservation, reservation_id), WIRE_SCALAR(GUID, lcowmig__wire_layer, reservation_id) },
	{ WIRE_FIELD(container_LayerReservation, guest_path), WIRE_LIMITED(TEXT, lcowmig__wire_layer, guest_path, path_bytes) },
};

static const lcowmig__wire_message layer_message = { WIRE_TABLE(layer_fields) };

/* These are members of the container itself. */
static const lcowmig__wire_field layers_fields[] = {
	{ WIRE_FIELD(container_Layers, ro_layers), .kind = LCOWMIG__WIRE_MESSAGE, .shape = LCOWMIG__WIRE_MANY,
	  WIRE_ARRAY(lcowmig__wire_container, ro_layers, lcowmig__wire_layer, layers), .message = &layer_message },
	{ WIRE_FIELD(container_Layers, scratch), WIRE_SCALAR(MESSAGE, lcowmig__wire_container, scratch),
	  .presence = offsetof(lcowmig__wire_container, has_scratch), .message = &layer_message },
	{ WIRE_FIELD(container_Layers, layers_combined), WIRE_SCALAR(BOOL, lcowmig__wire_container, layers_combined) },
	{ WIRE_FIELD(container_Layers, rootfs_path), WIRE_LIMITED(TEXT, lcowmig__wire_container, rootfs_path, path_bytes) },
};

static const lcowmig__wire_message layers_message = { WIRE_TABLE(layers_fields) };

static const lcowmig__wire_field container_fields[] = {
	{ WIRE_FIELD(container_Payload, schema_version), .kind = LCOWMIG__WIRE_VERSION },
	{ WIRE_FIELD(container_Payload, container_id), WIRE_LIMITED(TEXT, lcowmig__wire_container, container_id, id_bytes) },
	{ WIRE_FIELD(container_Payload, gcs_container_id), WIRE_LIMITED(TEXT, lcowmig__wire_container, gcs_container_id, id_bytes) },
	{ WIRE_FIELD(container_Payload, io_retry_timeout), WIRE_SCALAR(MESSAGE, lcowmig__wire_container, io_retry_timeout),
	  .flags = LCOWMIG__WIRE_ALWAYS, .message = &lcowmig__wire_duration_message },
	{ WIRE_FIELD(container_Payload, layers), .kind = LCOWMIG__WIRE_MESSAGE, .offset = 0,
	  .presence = offsetof(lcowmig__wire_container, has_layers), .message = &layers_message },
	{ WIRE_FIELD(container_Payload, scsi_reservation_ids), .kind = LCOWMIG__WIRE_GUID, .shape = LCOWMIG__WIRE_MANY,
	  WIRE_ARRAY(lcowmig__wire_container, scsi_reservations, lcowmig_guid, reservations) },
	{ WIRE_FIELD(container_Payload, processes), .kind = LCOWMIG__WIRE_ENVELOPE, .shape = LCOWMIG__WIRE_MAP,
	  .flags = LCOWMIG__WIRE_KEY_REPEATED, WIRE_ARRAY(lcowmig__wire_container, processes, lcowmig__wire_process, containers),
	  WIRE_KEY_LIMITED(TEXT, lcowmig__wire_process, exec_id, id_bytes), .message = &lcowmig__wire_process_message },
};

static lcowmig_status container_show(const lcowmig__wire_reader *reader, lcowmig__wire_user_visitor visit, const void *context,
				     const lcowmig_guid *id, const char *guest_path, const lcowmig__wire_place *place, const char *name)
{
	lcowmig_status status = visit(context, id, guest_path, place, name);

	return status == LCOWMIG_OK ? status : lcowmig__wire_tolerate(reader, status);
}

lcowmig_status lcowmig__wire_each_user(const lcowmig__wire_reader *reader, const lcowmig__wire_container *container,
				       const lcowmig__wire_place *place, lcowmig__wire_user_visitor visit, const void *context)
{
	lcowmig__wire_place layers = { place, "layers", NULL, LCOWMIG__WIRE_NO_INDEX };
	lcowmig__wire_place ro_layer = { &layers, "ro_layers", NULL, 0 };
	lcowmig__wire_place scratch = { &layers, "scratch", NULL, LCOWMIG__WIRE_NO_INDEX };
	lcowmig__wire_place further = { place, "scsi_reservation_ids", NULL, 0 };
	const lcowmig__wire_layer *layer = container->ro_layers;
	lcowmig_status status = LCOWMIG_OK;

	for (; status == LCOWMIG_OK && ro_layer.index < container->n_ro_layers; ro_layer.index++, layer++)
		status = container_show(reader, visit, context, &layer->reservation_id, layer->guest_path, &ro_layer, "reservation_id");
	layer = &container->scratch;
	if (status == LCOWMIG_OK && container->has_scratch)
		status = container_show(reader, visit, context, &layer->reservation_id, layer->guest_path, &scratch, "reservation_id");
	for (; status == LCOWMIG_OK && further.index < container->n_scsi_reservations; further.index++)
		status = container_show(reader, visit, context, &container->scsi_reservations[further.index], NULL, &further, NULL);
	return status;
}

static lcowmig_status container_check_user(const void *reader, const lcowmig_guid *id, const char *guest_path,
					   const lcowmig__wire_place *place, const char *name)
{
	(void)guest_path;
	if (lcowmig__guid_is_null(id))
		return lcowmig__wire_invalid(reader, place, name, "is missing or the null GUID");
	return LCOWMIG_OK;
}

static lcowmig_status container_check_processes(const lcowmig__wire_reader *reader, const lcowmig__wire_container *container,
						const lcowmig__wire_place *place)
{
	lcowmig__wire_place extra = { place, "processes", NULL, LCOWMIG__WIRE_NO_INDEX };
	lcowmig_status status = LCOWMIG_OK;

	/* Sorted by exec id, so init is the first if it is there at all. */
	if (!container->n_processes || container->processes[0].exec_id[0])
		status = lcowmig__wire_tolerate(reader, lcowmig__wire_invalid(reader, place, "processes",
									   "there is no init process"));
	for (size_t i = 0; status == LCOWMIG_OK && i < container->n_processes; i++) {
		if (!container->processes[i].exec_id[0])
			continue;
		extra.key = container->processes[i].exec_id;
		status = lcowmig__wire_tolerate(reader, lcowmig__wire_invalid(reader, &extra, NULL,
									   "only the init process can migrate"));
	}
	return status;
}

static lcowmig_status container_check(const lcowmig__wire_reader *reader, const void *target, const lcowmig__wire_place *place)
{
	const lcowmig__wire_container *container = target;
	lcowmig_status status = lcowmig__wire_check_duration(reader, place, "io_retry_timeout", &container->io_retry_timeout);

	status = lcowmig__wire_tolerate(reader, status);
	if (status == LCOWMIG_OK)
		status = lcowmig__wire_each_user(reader, container, place, container_check_user, reader);
	if (status != LCOWMIG_OK || !reader->strict)
		return status;
	status = lcowmig__wire_tolerate(reader, lcowmig__wire_check_not_empty(reader, place, "container_id", container->container_id));
	if (status == LCOWMIG_OK)
		status = lcowmig__wire_tolerate(
			reader, lcowmig__wire_check_not_empty(reader, place, "gcs_container_id", container->gcs_container_id));
	if (status == LCOWMIG_OK)
		status = container_check_processes(reader, container, place);
	return status;
}

const lcowmig__wire_message lcowmig__wire_container_message = {
	WIRE_PAYLOAD(LCOWMIG__TYPE_URL_CONTAINER, "container", lcowmig__wire_container),
	WIRE_TABLE(container_fields),
	.check = container_check,
};

lcowmig_status lcowmig__wire_decode_container(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
					      lcowmig__wire_container *ret_container, lcowmig_error *error)
{
	return lcowmig__wire_decode(&lcowmig__wire_container_message, arena, limits, data, size, ret_container, error);
}

lcowmig_status lcowmig__wire_encode_container(lcowmig__buf *buf, const lcowmig__wire_container *container, lcowmig_error *error)
{
	return lcowmig__wire_write(buf, &lcowmig__wire_container_message, container, error);
}
