#include "endpoint.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

#define ENDPOINTS "network endpoints"

/* After the first failure, which `status` keeps, what is read is empty. */
typedef struct endpoint_reader {
	lcowmig__arena *arena;
	const lcowmig_limits *limits;
	lcowmig_status status;
	lcowmig_error *error;
} endpoint_reader;

static void endpoint_corrupt(endpoint_reader *reader, const char *name, const char *problem)
{
	reader->status = lcowmig__fail(reader->error, LCOWMIG_E_CORRUPT_DATA, ENDPOINTS ": %s%s", name, problem);
}

/* Passes on memory that was asked for. */
static void *endpoint_memory(endpoint_reader *reader, void *memory)
{
	if (!memory)
		reader->status = lcowmig__fail_memory(reader->error);
	return memory;
}

static const char *endpoint_text(endpoint_reader *reader, const cJSON *object, const char *name)
{
	const char *value = lcowmig__json_string(object, name);
	size_t length = value ? strlen(value) : 0;

	if (reader->status == LCOWMIG_OK && length > reader->limits->id_bytes)
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_LIMIT_EXCEEDED, ENDPOINTS ": %s is longer than %u bytes", name,
					       (unsigned)reader->limits->id_bytes);
	if (reader->status != LCOWMIG_OK)
		return "";
	return endpoint_memory(reader, lcowmig__arena_strndup(reader->arena, value ? value : "", length));
}

/* A number up to `highest`; 0 when absent. */
static uint32_t endpoint_number(endpoint_reader *reader, const cJSON *object, const char *name, uint32_t highest)
{
	const cJSON *item = lcowmig__json_get(object, name);
	uint32_t number = 0;

	if (reader->status == LCOWMIG_OK && item && !cJSON_IsNull(item) && (!lcowmig__json_uint32(object, name, &number) || number > highest))
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_CORRUPT_DATA, ENDPOINTS ": %s is not a number from 0 to %u", name,
					       (unsigned)highest);
	return number;
}

/* The objects of an array member, how many they are, and memory for as many elements of `size` bytes. */
static void *endpoint_array(endpoint_reader *reader, const cJSON *object, const char *name, size_t size, const cJSON **ret_first,
			    size_t *ret_count)
{
	const cJSON *list = lcowmig__json_get(object, name);
	const cJSON *item;

	*ret_first = NULL;
	if (reader->status != LCOWMIG_OK)
		return NULL;
	if (list && !cJSON_IsNull(list)) {
		if (!cJSON_IsArray(list))
			endpoint_corrupt(reader, name, " is not an array");
		for (item = list->child; item && reader->status == LCOWMIG_OK; item = item->next) {
			if (!cJSON_IsObject(item))
				endpoint_corrupt(reader, name, " holds something that is no object");
			++*ret_count;
		}
		if (reader->status != LCOWMIG_OK)
			return NULL;
		*ret_first = list->child;
	}
	return endpoint_memory(reader, lcowmig__arena_alloc(reader->arena, *ret_count * size));
}

static void endpoint_read_addresses(endpoint_reader *reader, const cJSON *object, lcowmig__endpoint *endpoint)
{
	const cJSON *item;
	lcowmig__ip_config *address =
		endpoint_array(reader, object, "IpConfigurations", sizeof *address, &item, &endpoint->n_ip_configs);

	endpoint->ip_configs = address;
	for (; address && item; item = item->next, address++) {
		address->address = endpoint_text(reader, item, "IpAddress");
		address->prefix_length = endpoint_number(reader, item, "PrefixLength", UINT8_MAX);
	}
}

static void endpoint_read_routes(endpoint_reader *reader, const cJSON *object, lcowmig__endpoint *endpoint)
{
	const cJSON *item;
	lcowmig__route *route = endpoint_array(reader, object, "Routes", sizeof *route, &item, &endpoint->n_routes);

	endpoint->routes = route;
	for (; route && item; item = item->next, route++) {
		route->next_hop = endpoint_text(reader, item, "NextHop");
		route->destination_prefix = endpoint_text(reader, item, "DestinationPrefix");
		route->metric = endpoint_number(reader, item, "Metric", UINT16_MAX);
	}
}

static void endpoint_read_policies(endpoint_reader *reader, const cJSON *object, lcowmig__endpoint *endpoint)
{
	const cJSON *item;
	size_t count = 0;

	endpoint_array(reader, object, "Policies", 0, &item, &count);
	for (; item; item = item->next)
		if (lcowmig__text_equal(lcowmig__json_string(item, "Type"), "EncapOverhead"))
			endpoint->encap_overhead = endpoint_number(reader, lcowmig__json_get(item, "Settings"), "Overhead", UINT16_MAX);
}

static void endpoint_append_name(lcowmig__buf *buf, const char *name)
{
	if (buf->size)
		lcowmig__buf_append(buf, ",", 1);
	for (; *name; name++) {
		char c = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;

		lcowmig__buf_append(buf, &c, 1);
	}
}

/* `first` (may be NULL or "") and the texts of the array `name`, in lower case, joined by commas. */
static const char *endpoint_join(endpoint_reader *reader, const cJSON *dns, const char *first, const char *name)
{
	const cJSON *list = lcowmig__json_get(dns, name);
	const cJSON *item = cJSON_IsArray(list) ? list->child : NULL;
	lcowmig__buf buf;

	if (reader->status != LCOWMIG_OK)
		return "";
	lcowmig__buf_init(&buf, lcowmig__arena_mem(reader->arena));
	if (!lcowmig__text_is_empty(first))
		endpoint_append_name(&buf, first);
	for (; item; item = item->next) {
		if (!cJSON_IsString(item)) {
			reader->status = lcowmig__fail(reader->error, LCOWMIG_E_CORRUPT_DATA,
						       ENDPOINTS ": Dns.%s holds something that is no text", name);
			return "";
		}
		endpoint_append_name(&buf, item->valuestring);
	}
	return endpoint_memory(reader, lcowmig__buf_take(&buf));
}

static void endpoint_read(endpoint_reader *reader, const cJSON *object, lcowmig__endpoint *endpoint)
{
	const cJSON *dns = lcowmig__json_get(object, "Dns");

	if (!cJSON_IsObject(object))
		endpoint_corrupt(reader, "", "the array holds something that is no object");
	endpoint->id = endpoint_text(reader, object, "ID");
	if (reader->status == LCOWMIG_OK && !endpoint->id[0])
		endpoint_corrupt(reader, "", "an endpoint has no ID");
	endpoint->name = endpoint_text(reader, object, "Name");
	endpoint->namespace_id = endpoint_text(reader, object, "HostComputeNamespace");
	endpoint->mac_address = endpoint_text(reader, object, "MacAddress");
	endpoint->dns_suffix = endpoint_join(reader, dns, lcowmig__json_string(dns, "Domain"), "Search");
	endpoint->dns_server_list = endpoint_join(reader, dns, NULL, "ServerList");
	endpoint_read_policies(reader, object, endpoint);
	endpoint_read_addresses(reader, object, endpoint);
	endpoint_read_routes(reader, object, endpoint);
}

static bool endpoint_is_first(const cJSON *object)
{
	const char *name = lcowmig__json_string(object, "Name");

	return name && lcowmig__text_ends_with(name, "eth0");
}

static void endpoints_read(endpoint_reader *reader, const cJSON *list, lcowmig__endpoint **ret_endpoints, size_t *ret_count)
{
	size_t count = (size_t)cJSON_GetArraySize(list);
	lcowmig__endpoint *endpoints;
	const cJSON *item;
	size_t i = 0;
	int pass;

	if (count > reader->limits->endpoints) {
		reader->status = lcowmig__fail(reader->error, LCOWMIG_E_LIMIT_EXCEEDED, ENDPOINTS ": %zu of them, at most %u are accepted",
					       count, (unsigned)reader->limits->endpoints);
		return;
	}
	endpoints = endpoint_memory(reader, lcowmig__arena_alloc(reader->arena, count * sizeof *endpoints));
	for (pass = 0; pass < 2; pass++)
		for (item = list->child; item && reader->status == LCOWMIG_OK; item = item->next)
			if (endpoint_is_first(item) == (pass == 0))
				endpoint_read(reader, item, &endpoints[i++]);
	if (reader->status != LCOWMIG_OK)
		return;
	*ret_endpoints = endpoints;
	*ret_count = count;
}

lcowmig_status lcowmig__endpoints_parse(lcowmig__arena *arena, const lcowmig_limits *limits, const char *json,
					lcowmig__endpoint **ret_endpoints, size_t *ret_count, lcowmig_error *error)
{
	endpoint_reader reader = { arena, limits, LCOWMIG_OK, error };
	cJSON *list = NULL;

	if (lcowmig__text_is_empty(json))
		json = "[]";
	reader.status = lcowmig__json_parse(ENDPOINTS, json, strlen(json), limits->document_bytes, limits, &list, error);
	if (reader.status != LCOWMIG_OK)
		return reader.status;
	if (cJSON_IsArray(list))
		endpoints_read(&reader, list, ret_endpoints, ret_count);
	else
		endpoint_corrupt(&reader, "", "the JSON is not an array");
	cJSON_Delete(list);
	return reader.status;
}

char *lcowmig__endpoint_adapter(const lcowmig__mem *mem, const lcowmig__endpoint *endpoint, const char *namespace_id, const char *nic_id,
				bool policy_based_routing)
{
	lcowmig__buf adapter;
	size_t i;

	lcowmig__buf_init(&adapter, mem);
	lcowmig__json_write(&adapter, "{NamespaceID:s ID:s MacAddress:s DNSSuffix:s DNSServerList:s EncapOverhead:u", namespace_id, nic_id,
			    endpoint->mac_address, endpoint->dns_suffix, endpoint->dns_server_list, endpoint->encap_overhead);
	for (i = 0; i < endpoint->n_ip_configs; i++)
		lcowmig__json_write(&adapter, i ? "{IPAddress:s PrefixLength:u}" : "IPConfigs:[{IPAddress:s PrefixLength:u}",
				    endpoint->ip_configs[i].address, endpoint->ip_configs[i].prefix_length);
	lcowmig__json_write(&adapter, i ? "]" : "");
	for (i = 0; i < endpoint->n_routes; i++)
		lcowmig__json_write(&adapter,
				    i ? "{NextHop:s DestinationPrefix:s Metric:u}" : "Routes:[{NextHop:s DestinationPrefix:s Metric:u}",
				    endpoint->routes[i].next_hop, endpoint->routes[i].destination_prefix, endpoint->routes[i].metric);
	lcowmig__json_write(&adapter, i ? "] PolicyBasedRouting:b}" : "PolicyBasedRouting:b}", policy_based_routing);
	return lcowmig__buf_take(&adapter);
}
