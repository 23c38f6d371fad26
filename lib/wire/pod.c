/* The pod payload. */
#include "pod.pb.h"

#include "reader.h"
#include "writer.h"

static const lcowmig__wire_field pod_fields[] = {
	{ WIRE_FIELD(pod_Payload, schema_version), .kind = LCOWMIG__WIRE_VERSION },
	{ WIRE_FIELD(pod_Payload, pod_id), WIRE_LIMITED(TEXT, lcowmig__wire_pod, pod_id, id_bytes) },
	{ WIRE_FIELD(pod_Payload, gcs_pod_id), WIRE_LIMITED(TEXT, lcowmig__wire_pod, gcs_pod_id, id_bytes) },
	{ WIRE_FIELD(pod_Payload, network), WIRE_SCALAR(ENVELOPE, lcowmig__wire_pod, network), .flags = LCOWMIG__WIRE_REQUIRED,
	  .presence = offsetof(lcowmig__wire_pod, has_network), .message = &lcowmig__wire_network_message },
	{ WIRE_FIELD(pod_Payload, containers), .kind = LCOWMIG__WIRE_ENVELOPE, .shape = LCOWMIG__WIRE_MANY, .flags = LCOWMIG__WIRE_SORTED,
	  WIRE_ARRAY(lcowmig__wire_pod, containers, lcowmig__wire_container, containers), .total = LCOWMIG__WIRE_TOTAL_CONTAINERS,
	  WIRE_KEY(TEXT, lcowmig__wire_container, container_id), .message = &lcowmig__wire_container_message },
};

lcowmig_status lcowmig__wire_check_not_empty(const lcowmig__wire_reader *reader, const lcowmig__wire_place *place, const char *name,
					     const char *text)
{
	if (text[0])
		return LCOWMIG_OK;
	return lcowmig__wire_invalid(reader, place, name, "is empty");
}

static lcowmig_status pod_check(const lcowmig__wire_reader *reader, const void *target, const lcowmig__wire_place *place)
{
	const lcowmig__wire_pod *pod = target;
	lcowmig_status status;

	if (!reader->strict)
		return LCOWMIG_OK;
	status = lcowmig__wire_tolerate(reader, lcowmig__wire_check_not_empty(reader, place, "pod_id", pod->pod_id));
	if (status == LCOWMIG_OK)
		status = lcowmig__wire_check_not_empty(reader, place, "gcs_pod_id", pod->gcs_pod_id);
	return status;
}

const lcowmig__wire_message lcowmig__wire_pod_message = {
	WIRE_PAYLOAD(LCOWMIG__TYPE_URL_POD, "pod", lcowmig__wire_pod),
	WIRE_TABLE(pod_fields),
	.check = pod_check,
};

lcowmig_status lcowmig__wire_decode_pod(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
					lcowmig__wire_pod *ret_pod, lcowmig_error *error)
{
	return lcowmig__wire_decode(&lcowmig__wire_pod_message, arena, limits, data, size, ret_pod, error);
}

lcowmig_status lcowmig__wire_encode_pod(lcowmig__buf *buf, const lcowmig__wire_pod *pod, lcowmig_error *error)
{
	return lcowmig__wire_write(buf, &lcowmig__wire_pod_message, pod, error);
}
