/* Host Compute Network: which endpoints a namespace has. */
#include "host_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct network_namespace {
	struct network_namespace *next;
	char *id;
	char *endpoints;
};

struct mock_network {
	mock_host *host;
	struct network_namespace *namespaces;
};

static struct network_namespace *network_find(mock_network *network, const char *id)
{
	struct network_namespace *entry = network->namespaces;

	while (entry && strcasecmp(entry->id, id) != 0)
		entry = entry->next;
	return entry;
}

void mock_host_set_endpoints(mock_host *host, const char *namespace_id, const char *endpoints)
{
	struct network_namespace *entry = network_find(host->network, namespace_id);

	if (!entry) {
		entry = mock_alloc(sizeof *entry);
		entry->id = mock_strdup(namespace_id);
		entry->next = host->network->namespaces;
		host->network->namespaces = entry;
	}
	free(entry->endpoints);
	entry->endpoints = mock_strdup(endpoints);
}

static void network_serve_endpoints(mock_call *job)
{
	const struct network_namespace *entry = network_find(job->owner, job->text);

	if (!entry) {
		mock_call_fail(job->call, 0x803B0016u, "there is no network namespace %s", job->text);
		return;
	}
	lcowmig_call_set_result(job->call, entry->endpoints, strlen(entry->endpoints));
	lcowmig_call_complete(job->call, LCOWMIG_OK);
}

static lcowmig_status network_endpoints(void *user, lcowmig_call *call, const char *namespace_id)
{
	mock_network *network = user;

	return mock_call_later(network->host->loop,
			       &(mock_call){ .owner = network, .call = call, .serve = network_serve_endpoints, .text = namespace_id });
}

mock_network *mock_network_new(mock_host *host)
{
	mock_network *network = mock_alloc(sizeof *network);

	network->host = host;
	return network;
}

void mock_network_free(mock_network *network)
{
	while (network && network->namespaces) {
		struct network_namespace *entry = network->namespaces;

		network->namespaces = entry->next;
		free(entry->id);
		free(entry->endpoints);
		free(entry);
	}
	free(network);
}

void mock_network_fill_ops(mock_network *network, lcowmig_network_ops *ret_ops)
{
	*ret_ops = (lcowmig_network_ops){ sizeof *ret_ops, network, network_endpoints };
}
