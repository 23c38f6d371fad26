/* The migration transport: a socket that another process duplicated for this one with WSADuplicateSocketW. */
#include "core.h"

#include <mswsock.h>
#include <string.h>

/* The descriptor crosses process and language boundaries as bytes; there is nothing between its members. */
_Static_assert(sizeof(WSAPROTOCOL_INFOW) == 628, "WSAPROTOCOL_INFOW has no padding");

#define NOT_CONNECTED 0xffffffffu

static lcowmig_status socket_fail(lcowmig_call *call, lcowmig_status status, const char *message)
{
	lcowmig_call_set_error(call, (uint32_t)HRESULT_FROM_WIN32((DWORD)WSAGetLastError()), message);
	return status;
}

static lcowmig_status socket_adopt(void *user, lcowmig_call *call, const uint8_t *descriptor, size_t size)
{
	lcowmig_computecore *core = user;
	WSAPROTOCOL_INFOW info;
	DWORD seconds = NOT_CONNECTED;
	int length = sizeof(seconds);
	SOCKET made;

	if (size < sizeof(info)) {
		lcowmig_call_set_error(call, 0, "a WSAPROTOCOL_INFOW has 628 bytes");
		return LCOWMIG_E_INVALID_ARGUMENT;
	}
	memcpy(&info, descriptor, sizeof(info));
	made = WSASocketW(info.iAddressFamily, info.iSocketType, info.iProtocol, &info, 0, 0);
	if (made == INVALID_SOCKET)
		return socket_fail(call, LCOWMIG_E_HOST_FAILED, "WSASocketW refused the descriptor");
	if (getsockopt(made, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &length) != 0) {
		lcowmig_status status = socket_fail(call, LCOWMIG_E_HOST_FAILED, "SO_CONNECT_TIME is refused");

		closesocket(made);
		return status;
	}
	if (seconds == NOT_CONNECTED) {
		closesocket(made);
		lcowmig_call_set_error(call, 0, "the socket is not connected");
		return LCOWMIG_E_FAILED_PRECONDITION;
	}
	InterlockedIncrement(&core->systems);
	lcowmig_call_set_handle(call, (void *)made);
	return LCOWMIG_OK;
}

static void socket_close(void *user, void *socket)
{
	lcowmig_computecore *core = user;

	closesocket((SOCKET)socket);
	InterlockedDecrement(&core->systems);
}

void lcowmig_computecore_socket_ops(lcowmig_computecore *core, lcowmig_socket_ops *ret_ops)
{
	lcowmig_socket_ops ops = { sizeof(ops) };

	ops.user = core;
	ops.adopt = socket_adopt;
	ops.close = socket_close;
	ops.descriptor_size = sizeof(WSAPROTOCOL_INFOW);
	*ret_ops = ops;
}
