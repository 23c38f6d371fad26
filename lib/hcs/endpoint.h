/* HCN endpoints, and the adapter description that the guest makes of one. */
#ifndef LCOWMIG__ENDPOINT_H
#define LCOWMIG__ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "lcowmig/limits.h"

typedef struct lcowmig__ip_config {
	const char *address;
	uint32_t prefix_length;
} lcowmig__ip_config;

typedef struct lcowmig__route {
	const char *next_hop;
	const char *destination_prefix;
	uint32_t metric;
} lcowmig__route;

/* Texts are never NULL. */
typedef struct lcowmig__endpoint {
	const char *id;
	const char *name;
	const char *namespace_id;
	const char *mac_address;
	const char *dns_suffix;      /* domain and search list, lower case, joined by commas */
	const char *dns_server_list; /* likewise */
	uint32_t encap_overhead;
	lcowmig__ip_config *ip_configs;
	size_t n_ip_configs;
	lcowmig__route *routes;
	size_t n_routes;
} lcowmig__endpoint;

/*
 * Reads what the host's endpoints callback answered: a JSON array of HostComputeEndpoint objects (NULL and "": none). Those whose name ends
 * in "eth0" come first, else the order is kept: the first one added becomes the pod's eth0. CORRUPT_DATA, LIMIT_EXCEEDED, NO_MEMORY.
 */
lcowmig_status lcowmig__endpoints_parse(lcowmig__arena *arena, const lcowmig_limits *limits, const char *json,
					lcowmig__endpoint **ret_endpoints, size_t *ret_count, lcowmig_error *error);

/*
 * The settings of the guest's Network request: text in memory of `mem` (lcowmig__free), NULL when memory is out. `namespace_id` is the one
 * the guest knows.
 */
char *lcowmig__endpoint_adapter(const lcowmig__mem *mem, const lcowmig__endpoint *endpoint, const char *namespace_id, const char *nic_id,
				bool policy_based_routing);

#endif
