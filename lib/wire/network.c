/* The network payload. */
#include "network.pb.h"

#include "reader.h"
#include "writer.h"

static const lcowmig__wire_field endpoint_fields[] = {
	{ WIRE_FIELD(network_EndpointBinding, endpoint_id), WIRE_LIMITED(TEXT, lcowmig__wire_endpoint, endpoint_id, id_bytes) },
	{ WIRE_FIELD(network_EndpointBinding, mac_address), WIRE_LIMITED(TEXT, lcowmig__wire_endpoint, mac_address, id_bytes) },
	{ WIRE_FIELD(network_EndpointBinding, endpoint_name), WIRE_LIMITED(TEXT, lcowmig__wire_endpoint, endpoint_name, id_bytes) },
};

static const lcowmig__wire_message endpoint_message = { WIRE_TABLE(endpoint_fields) };

static const lcowmig__wire_field network_fields[] = {
	{ WIRE_FIELD(network_Payload, schema_version), .kind = LCOWMIG__WIRE_VERSION },
	{ WIRE_FIELD(network_Payload, namespace_id), WIRE_LIMITED(TEXT, lcowmig__wire_network, namespace_id, id_bytes) },
	{ WIRE_FIELD(network_Payload, policy_based_routing), WIRE_SCALAR(BOOL, lcowmig__wire_network, policy_based_routing) },
	{ WIRE_FIELD(network_Payload, is_namespace_supported_by_guest), WIRE_SCALAR(BOOL, lcowmig__wire_network, namespace_supported) },
	{ WIRE_FIELD(network_Payload, vm_endpoints), .kind = LCOWMIG__WIRE_MESSAGE, .shape = LCOWMIG__WIRE_MAP,
	  .flags = LCOWMIG__WIRE_REQUIRED | LCOWMIG__WIRE_KEY_NOT_EMPTY,
	  WIRE_ARRAY(lcowmig__wire_network, endpoints, lcowmig__wire_endpoint, endpoints),
	  WIRE_KEY_LIMITED(TEXT, lcowmig__wire_endpoint, nic_id, id_bytes), .message = &endpoint_message },
};

const lcowmig__wire_message lcowmig__wire_network_message = {
	WIRE_PAYLOAD(LCOWMIG__TYPE_URL_NETWORK, "network", lcowmig__wire_network),
	WIRE_TABLE(network_fields),
};

lcowmig_status lcowmig__wire_decode_network(lcowmig__arena *arena, const lcowmig_limits *limits, const uint8_t *data, size_t size,
					    lcowmig__wire_network *ret_network, lcowmig_error *error)
{
	return lcowmig__wire_decode(&lcowmig__wire_network_message, arena, limits, data, size, ret_network, error);
}

lcowmig_status lcowmig__wire_encode_network(lcowmig__buf *buf, const lcowmig__wire_network *network, lcowmig_error *error)
{
	return lcowmig__wire_write(buf, &lcowmig__wire_network_message, network, error);
}
