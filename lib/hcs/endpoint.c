#include "endpoint.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

#define ENDPOINTS "network endpoints"

typedef struct endpoint_reader {
	lcowmig__arena *arena;
	const lcowmig_limits *limits;
	lcowmig_error *error;
} endpoint_reader;

static lcowmig_status endpoint_text(endpoint_reader *reader, const cJSON *object, const char *name, const char **ret_text)
{
	const char *value = lcowmig__json_string(object, name);
	size_t length = value ? strlen(value) : 0;

	if (length > reader->limits->id_bytes)
		return lcowmig__fail(reader->error, LCOWMIG_E_LIMIT_EXCEEDED, ENDPOINTS ": %s is longer than %u bytes", name,
				     (unsigned)reader->limits->id_bytes);
	*ret_text = lcowmig__arena_strndup(reader->arena, value ? value : "", length);
	return *ret_text ? LCOWMIG_OK : lcowmig__fail_memory(reader->error);
}

/* A number up to `highest`; 0 when absent. */
static lcowmig_status endpoint_number(endpoint_reader *reader, const cJSON *object, const char *name, uint32_t highest,
				      uint32_t *ret_number)
{
	const cJSON *item = lcowmig__json_get(object, name);

	if (!item || cJSON_IsNull(item))
		return LCOWMIG_OK;
	if (!lcowmig__json_uint32(object, name, ret_number) || *ret_number > highest)
		return lcowmig__fail(reader->error, LCOWMIG_E_CORRUPT_DATA, ENDPOINTS ": %s is not a number from 0 to %u", name,
				     (unsigned)highest);
	return LCOWMIG_OK;
}

/* The objects of an array member, and how many they are. */
static lcowmig_status endpoint_array(endpoint_reader *reader, const cJSON *object, const char *name, const cJSON **ret_first,
				     size_t *ret_count)
{
	const cJSON *list = lcowmig__json_get(object, name);
	const cJSON *item;

	*ret_first = NULL;
	*ret_count = 0;
	if (!list || cJSON_IsNull(list))
		return LCOWMIG_OK;
	if (!cJSON_IsArray(list))
		return lcowmig__fail(reader->error, LCOWMIG_E_CORRUPT_DATA, ENDPOINTS ": %s is not an array", name);
	for (item = list->child; item; item = item->next) {
		if (!cJSON_IsObject(item))
			return lcowmig__fail(reader->error, LCOWMIG_E_CORRUPT_DATA, ENDPOINTS ": %s holds something that is no object",
					     name);
		++*ret_count;
	}
	*ret_first = list->child;
	return LCOWMIG_OK;
}

static lcowmig_status endpoint_read_addresses(endpoint_reader *reader, const cJSON *object, lcowmig__endpoint *endpoint)
{
	const cJSON *item;
	lcowmig_status status;
	size_t i;

	status = endpoint_array(reader, object, "IpConfigurations", &item, &endpoint->n_ip_configs);
	if (status)
		return status;
	endpoint->ip_configs = lcowmig__arena_alloc(reader->arena, endpoint->n_ip_configs * sizeof *endpoint->ip_configs);
	if (!endpoint->ip_configs)
		return lcowmig__fail_memory(reader->error);
	for (i = 0; status == LCOWMIG_OK && item; i++, item = item->next) {
		status = endpoint_text(reader, item, "IpAddress", &endpoint->ip_configs[i].address);
		if (status == LCOWMIG_OK)
			status = endpoint_number(reader, item, "PrefixLength", UINT8_MAX, &endpoint->ip_configs[i].prefix_length);
	}
	return status;
}

static lcowmig_status endpoint_read_routes(endpoint_reader *reader, const cJSON *object, lcowmig__endpoint *endpoint)
{
	const cJSON *item;
	lcowmig_status status;
	size_t i;

	status = endpoint_array(reader, object, "Routes", &item, &endpoint->n_routes);
	if (status)
		return status;
	endpoint->routes = lcowmig__arena_alloc(reader->arena, endpoint->n_routes * sizeof *endpoint->routes);
	if (!endpoint->routes)
		return lcowmig__fail_memory(reader->error);
	for (i = 0; status == LCOWMIG_OK && item; i++, item = item->next) {
		lcowmig__route *route = &endpoint->routes[i];

		status = endpoint_text(reader, item, "NextHop", &route->next_hop);
		if (status == LCOWMIG_OK)
			status = endpoint_text(reader, item, "DestinationPrefix", &route->destination_prefix);
		if (status == LCOWMIG_OK)
			status = endpoint_number(reader, item, "Metric", UINT16_MAX, &route->metric);
	}
	return status;
}

static lcowmig_status endpoint_read_policies(endpoint_reader *reader, const cJSON *object, lcowmig__endpoint *endpoint)
{
	const cJSON *item;
	lcowmig_status status;
	size_t count;

	status = endpoint_array(reader, object, "Policies", &item, &count);
	for (; status == LCOWMIG_OK && item; item = item->next) {
		if (!lcowmig__text_equal(lcowmig__json_string(item, "Type"), "EncapOverhead"))
			continue;
		endpoint->encap_overhead = 0;
		status = endpoint_number(reader, lcowmig__json_get(item, "Settings"), "Overhead", UINT16_MAX, &endpoint->encap_overhead);
	}
	return status;
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
static lcowmig_status endpoint_join(endpoint_reader *reader, const cJSON *dns, const char *first, const char *name, const char **ret_text)
{
	const cJSON *list = lcowmig__json_get(dns, name);
	const cJSON *item = cJSON_IsArray(list) ? list->child : NULL;
	lcowmig__buf buf;

	lcowmig__buf_init(&buf, lcowmig__arena_mem(reader->arena));
	if (!lcowmig__text_is_empty(first))
		endpoint_append_name(&buf, first);
	for (; item; item = item->next) {
		if (!cJSON_IsString(item))
			return lcowmig__fail(reader->error, LCOWMIG_E_CORRUPT_DATA, ENDPOINTS ": Dns.%s holds something that is no text",
					     name);
		endpoint_append_name(&buf, item->valuestring);
	}
	*ret_text = lcowmig__buf_take(&buf);
	return *ret_text ? LCOWMIG_OK : lcowmig__fail_memory(reader->error);
}

static lcowmig_status endpoint_read(endpoint_reader *reader, const cJSON *object, lcowmig__endpoint *endpoint)
{
	const cJSON *dns = lcowmig__json_get(object, "Dns");
	lcowmig_status status;

	if (!cJSON_IsObject(object))
		return lcowmig__fail(reader->error, LCOWMIG_E_CORRUPT_DATA, ENDPOINTS ": the array holds something that is no object");
	status = endpoint_text(reader, object, "ID", &endpoint->id);
	if (status == LCOWMIG_OK && !endpoint->id[0])
		status = lcowmig__fail(reader->error, LCOWMIG_E_CORRUPT_DATA, ENDPOINTS ": an endpoint has no ID");
	if (status == LCOWMIG_OK)
		status = endpoint_text(reader, object, "Name", &endpoint->name);
	if (status == LCOWMIG_OK)
		status = endpoint_text(reader, object, "HostComputeNamespace", &endpoint->namespace_id);
	if (status == LCOWMIG_OK)
		status = endpoint_text(reader, object, "MacAddress", &endpoint->mac_address);
	if (status == LCOWMIG_OK)
		status = endpoint_join(reader, dns, lcowmig__json_string(dns, "Domain"), "Search", &endpoint->dns_suffix);
	if (status == LCOWMIG_OK)
		status = endpoint_join(reader, dns, NULL, "ServerList", &endpoint->dns_server_list);
	if (status == LCOWMIG_OK)
		status = endpoint_read_policies(reader, object, endpoint);
	if (status == LCOWMIG_OK)
		status = endpoint_read_addresses(reader, object, endpoint);
	if (status == LCOWMIG_OK)
		status = endpoint_read_routes(reader, object, endpoint);
	return status;
}

static bool endpoint_is_first(const cJSON *object)
{
	const char *name = lcowmig__json_string(object, "Name");

	return name && lcowmig__text_ends_with(name, "eth0");
}

static lcowmig_status endpoints_read(endpoint_reader *reader, const cJSON *list, lcowmig__endpoint **ret_endpoints, size_t *ret_count)
{
	lcowmig__endpoint *endpoints;
	const cJSON *item;
	size_t count = 0;
	size_t i = 0;
	int pass;

	for (item = list->child; item; item = item->next)
		count++;
	if (count > reader->limits->endpoints)
		return lcowmig__fail(reader->error, LCOWMIG_E_LIMIT_EXCEEDED, ENDPOINTS ": %zu of them, at most %u are accepted", count,
				     (unsigned)reader->limits->endpoints);
	endpoints = lcowmig__arena_alloc(reader->arena, count * sizeof *endpoints);
	if (!endpoints)
		return lcowmig__fail_memory(reader->error);
	for (pass = 0; pass < 2; pass++) {
		for (item = list->child; item; item = item->next) {
			lcowmig_status status;

			if (endpoint_is_first(item) != (pass == 0))
				continue;
			status = endpoint_read(reader, item, &endpoints[i++]);
			if (status)
				return status;
		}
	}
	*ret_endpoints = endpoints;
	*ret_count = count;
	return LCOWMIG_OK;
}

lcowmig_status lcowmig__endpoints_parse(lcowmig__arena *arena, const lcowmig_limits *limits, const char *json,
					lcowmig__endpoint **ret_endpoints, size_t *ret_count, lcowmig_error *error)
{
	endpoint_reader reader = { arena, limits, error };
	lcowmig_status status;
	cJSON *list = NULL;

	if (lcowmig__text_is_empty(json))
		json = "[]";
	status = lcowmig__json_parse(ENDPOINTS, json, strlen(json), limits->document_bytes, limits, &list, error);
	if (status)
		return status;
	if (cJSON_IsArray(list))
		status = endpoints_read(&reader, list, ret_endpoints, ret_count);
	else
		status = lcowmig__fail(error, LCOWMIG_E_CORRUPT_DATA, ENDPOINTS ": the JSON is not an array");
	cJSON_Delete(list);
	return status;
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
