/* The migration transport: a descriptor is the bytes of an int, as a Windows host would give a WSAPROTOCOL_INFOW. */
#include "host_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct mock_socket {
	mock_host *host;
	int fd;
};

int mock_socket_fd(const void *socket)
{
	return ((const struct mock_socket *)socket)->fd;
}

static void socket_serve_adopt(mock_call *job)
{
	struct mock_socket *made;
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	int fd;

	memcpy(&fd, job->data, sizeof fd);
	if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0) {
		lcowmig_call_set_error(job->call, 0, strerror(errno));
		lcowmig_call_complete(job->call, LCOWMIG_E_FAILED_PRECONDITION);
		return;
	}
	made = mock_alloc(sizeof *made);
	made->host = job->owner;
	made->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* the giver keeps its own */
	lcowmig_call_set_handle(job->call, made);
	lcowmig_call_complete(job->call, LCOWMIG_OK);
}

static lcowmig_status socket_adopt(void *user, lcowmig_call *call, const uint8_t *descriptor, size_t size)
{
	mock_host *host = user;

	return mock_call_later(host->loop,
			       &(mock_call){ .owner = host, .call = call, .serve = socket_serve_adopt, .data = descriptor, .size = size });
}

static void socket_serve_close(mock_call *job)
{
	struct mock_socket *socket = job->object;

	close(socket->fd);
	free(socket);
}

static void socket_close(void *user, void *socket)
{
	mock_host *host = user;

	mock_call_soon(host->loop, &(mock_call){ .owner = host, .serve = socket_serve_close, .object = socket });
}

void mock_socket_fill_ops(mock_host *host, lcowmig_socket_ops *ret_ops)
{
	*ret_ops = (lcowmig_socket_ops){ sizeof *ret_ops, host, socket_adopt, socket_close, sizeof(int) };
}
