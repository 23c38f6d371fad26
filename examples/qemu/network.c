/* Host Compute Network and the migration's transport: which endpoints a namespace has, and sockets made of descriptors. */
#include "host_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static host_namespace *network_find(qemu_host *host, const char *id)
{
	host_namespace *entry = host->namespaces;

	while (entry && strcasecmp(entry->id, id) != 0)
		entry = entry->next;
	return entry;
}

void qemu_host_set_endpoints(qemu_host *host, const char *namespace_id, const char *endpoints)
{
	host_namespace *entry = network_find(host, namespace_id);

	if (!entry) {
		entry = mock_alloc(sizeof *entry);
		entry->id = mock_strdup(namespace_id);
		entry->next = host->namespaces;
		host->namespaces = entry;
	}
	free(entry->endpoints);
	entry->endpoints = mock_strdup(endpoints);
}

const cJSON *network_find_endpoint(qemu_host *host, const char *id, cJSON **ret_owner)
{
	for (const host_namespace *entry = host->namespaces; entry; entry = entry->next) {
		cJSON *list = cJSON_Parse(entry->endpoints);
		const cJSON *endpoint;

		cJSON_ArrayForEach(endpoint, list)
		{
			if (strcasecmp(qemu_json_text(endpoint, "ID"), id) == 0) {
				*ret_owner = list;
				return endpoint;
			}
		}
		cJSON_Delete(list);
	}
	return NULL;
}

static lcowmig_status network_endpoints(void *user, lcowmig_call *call, const char *namespace_id)
{
	const host_namespace *entry = network_find(user, namespace_id);

	if (!entry)
		return host_fail(call, 0x803B0016u, "there is no network namespace %s", namespace_id);
	lcowmig_call_set_result(call, entry->endpoints, strlen(entry->endpoints));
	return LCOWMIG_OK;
}

void network_free(qemu_host *host)
{
	while (host->namespaces) {
		host_namespace *entry = host->namespaces;

		host->namespaces = entry->next;
		free(entry->id);
		free(entry->endpoints);
		free(entry);
	}
}

void network_fill_ops(qemu_host *host, lcowmig_network_ops *ret_ops)
{
	*ret_ops = (lcowmig_network_ops){ sizeof *ret_ops, host, network_endpoints };
}

/* ---- Sockets: a descriptor is the bytes of an int, as a Windows host would give a WSAPROTOCOL_INFOW. ---- */

int socket_fd(const void *socket)
{
	return *(const int *)socket;
}

static lcowmig_status socket_adopt(void *user, lcowmig_call *call, const uint8_t *descriptor, size_t size)
{
	struct sockaddr_storage peer;
	socklen_t peer_size = sizeof peer;
	int *adopted;
	int fd;

	(void)user;
	(void)size;
	memcpy(&fd, descriptor, sizeof fd);
	if (getpeername(fd, (struct sockaddr *)&peer, &peer_size) != 0) {
		lcowmig_call_set_error(call, 0, strerror(errno));
		return LCOWMIG_E_FAILED_PRECONDITION;
	}
	adopted = mock_alloc(sizeof *adopted);
	*adopted = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* the giver keeps its own */
	lcowmig_call_set_handle(call, adopted);
	return LCOWMIG_OK;
}

void socket_let_go(void *socket)
{
	int *adopted = socket;

	if (*adopted >= 0)
		close(*adopted);
	*adopted = -1;
}

static void socket_close(void *user, void *socket)
{
	(void)user;
	socket_let_go(socket);
	free(socket);
}

void socket_fill_ops(qemu_host *host, lcowmig_socket_ops *ret_ops)
{
	*ret_ops = (lcowmig_socket_ops){ .size = sizeof *ret_ops, .user = host, .adopt = socket_adopt, .close = socket_close,
		                         .descriptor_size = sizeof(int) };
}
