#include <winsock2.h>

#include <windows.h>

#include "hvsocket.h"

#include <lcowmig/guid.h>
#include <stdlib.h>
#include <string.h>

#define AF_HYPERV_FAMILY 34
#define HV_PROTOCOL_RAW 1
#define BACKLOG 16
#define RECEIVE_SIZE 65536
#define LOOPBACK_BASE 20000u
#define LOOPBACK_MASK 0xfffu

/* A listener or a stream: what the bridge has as a handle. Lives until the last thread that works for it lets go. */
typedef struct hv_socket {
	hvsocket *owner;
	SOCKET socket;
	uint32_t port;
	BOOL is_listener;
	LONG references;
	struct hv_socket *next; /* all that the bridge has not closed */
} hv_socket;

typedef struct hv_accept {
	hv_socket *listener;
	lcowmig_call *call;
} hv_accept;

struct hvsocket {
	enum hvsocket_kind kind;
	lcowmig_gcs *gcs;
	SRWLOCK lock;
	CONDITION_VARIABLE idle;
	LONG threads;
	hv_socket *open;
};

lcowmig_status hvsocket_address(const char *runtime_id, uint32_t port, uint8_t ret_address[HVSOCKET_ADDRESS_SIZE])
{
	/* The service is named by the port: <port>-facb-11e6-bd58-64006a7986d3, as Windows stores a GUID. */
	static const uint8_t service[12] = { 0xcb, 0xfa, 0xe6, 0x11, 0xbd, 0x58, 0x64, 0x00, 0x6a, 0x79, 0x86, 0xd3 };
	static const uint8_t order[8] = { 3, 2, 1, 0, 5, 4, 7, 6 };
	lcowmig_guid machine;
	size_t i;

	if (lcowmig_guid_parse(runtime_id, &machine) != LCOWMIG_OK)
		return LCOWMIG_E_INVALID_ARGUMENT;
	memset(ret_address, 0, HVSOCKET_ADDRESS_SIZE);
	ret_address[0] = AF_HYPERV_FAMILY;
	for (i = 0; i < 16; i++)
		ret_address[4 + i] = machine.bytes[i < 8 ? order[i] : i];
	for (i = 0; i < 4; i++)
		ret_address[20 + i] = (uint8_t)(port >> (8 * i));
	memcpy(ret_address + 24, service, sizeof(service));
	return LCOWMIG_OK;
}

/* ---- lifetime ---- */

static hv_socket *socket_adopt(hvsocket *owner, SOCKET made, uint32_t port, BOOL is_listener)
{
	hv_socket *it = calloc(1, sizeof(*it));

	if (!it) {
		closesocket(made);
		return NULL;
	}
	it->owner = owner;
	it->socket = made;
	it->port = port;
	it->is_listener = is_listener;
	it->references = 1;
	AcquireSRWLockExclusive(&owner->lock);
	it->next = owner->open;
	owner->open = it;
	ReleaseSRWLockExclusive(&owner->lock);
	return it;
}

static void socket_release(hv_socket *it)
{
	if (InterlockedDecrement(&it->references) == 0) {
		closesocket(it->socket);
		free(it);
	}
}

/* Takes it off the list; false when somebody did so before. */
static BOOL socket_unlink(hvsocket *owner, hv_socket *it)
{
	hv_socket **place;
	BOOL found = FALSE;

	AcquireSRWLockExclusive(&owner->lock);
	for (place = &owner->open; *place && !found; place = found ? place : &(*place)->next) {
		if (*place == it) {
			*place = it->next;
			found = TRUE;
		}
	}
	ReleaseSRWLockExclusive(&owner->lock);
	return found;
}

/* Wakes whoever waits on it. The descriptor itself is closed with the last reference, so no thread meets a reused one. */
static void socket_interrupt(hv_socket *it)
{
	if (it->is_listener) {
		SOCKET listener = (SOCKET)InterlockedExchangePointer((void *volatile *)&it->socket, (void *)INVALID_SOCKET);

		closesocket(listener);
	} else {
		shutdown(it->socket, SD_BOTH);
	}
}

static BOOL thread_begin(hvsocket *owner, LPTHREAD_START_ROUTINE run, void *argument)
{
	HANDLE thread;

	AcquireSRWLockExclusive(&owner->lock);
	owner->threads++;
	ReleaseSRWLockExclusive(&owner->lock);
	thread = CreateThread(NULL, 0, run, argument, 0, NULL);
	if (thread) {
		CloseHandle(thread);
		return TRUE;
	}
	AcquireSRWLockExclusive(&owner->lock);
	owner->threads--;
	ReleaseSRWLockExclusive(&owner->lock);
	return FALSE;
}

static void thread_end(hvsocket *owner)
{
	AcquireSRWLockExclusive(&owner->lock);
	if (--owner->threads == 0)
		WakeAllConditionVariable(&owner->idle);
	ReleaseSRWLockExclusive(&owner->lock);
}

static lcowmig_status socket_fail(lcowmig_call *call, const char *message)
{
	lcowmig_call_set_error(call, (uint32_t)HRESULT_FROM_WIN32((DWORD)WSAGetLastError()), message);
	return LCOWMIG_E_HOST_FAILED;
}

/* ---- the stream ops ---- */

static int listen_bind(hvsocket *sockets, SOCKET made, const char *runtime_id, uint32_t port)
{
	uint8_t address[HVSOCKET_ADDRESS_SIZE];
	struct sockaddr_in loopback = { 0 };

	if (sockets->kind == HVSOCKET_LOOPBACK) {
		loopback.sin_family = AF_INET;
		loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		loopback.sin_port = htons((u_short)(LOOPBACK_BASE + (port & LOOPBACK_MASK)));
		return bind(made, (const struct sockaddr *)&loopback, sizeof(loopback));
	}
	if (hvsocket_address(runtime_id, port, address) != LCOWMIG_OK) {
		WSASetLastError(WSAEINVAL);
		return SOCKET_ERROR;
	}
	return bind(made, (const struct sockaddr *)(const void *)address, sizeof(address));
}

static hv_socket *listener_take(hvsocket *sockets, uint32_t port)
{
	hv_socket *it;

	AcquireSRWLockExclusive(&sockets->lock);
	for (it = sockets->open; it; it = it->next)
		if (it->is_listener && it->port == port) {
			InterlockedIncrement(&it->references);
			break;
		}
	ReleaseSRWLockExclusive(&sockets->lock);
	return it;
}

static lcowmig_status hv_listen(void *user, lcowmig_call *call, const char *runtime_id, uint32_t port)
{
	hvsocket *sockets = user;
	hv_socket *listener = listener_take(sockets, port);
	SOCKET made;

	if (listener) {
		socket_release(listener);
		return LCOWMIG_OK;
	}
	made = sockets->kind == HVSOCKET_LOOPBACK ? socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
	                                          : socket(AF_HYPERV_FAMILY, SOCK_STREAM, HV_PROTOCOL_RAW);
	if (made == INVALID_SOCKET)
		return socket_fail(call, "this Windows has no Hyper-V sockets");
	if (listen_bind(sockets, made, runtime_id, port) != 0 || listen(made, BACKLOG) != 0) {
		lcowmig_status status = socket_fail(call, "the port cannot be listened at");

		closesocket(made);
		return status;
	}
	listener = socket_adopt(sockets, made, port, TRUE);
	if (!listener)
		return LCOWMIG_E_NO_MEMORY;
	lcowmig_call_set_handle(call, listener);
	return LCOWMIG_OK;
}

/* Feeds the bridge until the stream ends. */
static DWORD WINAPI stream_thread(void *argument)
{
	hv_socket *stream = argument;
	hvsocket *owner = stream->owner;
	char *buffer = malloc(RECEIVE_SIZE);
	int size = buffer ? 0 : SOCKET_ERROR;

	while (buffer && (size = recv(stream->socket, buffer, RECEIVE_SIZE, 0)) > 0)
		lcowmig_gcs_receive(owner->gcs, stream, buffer, (size_t)size);
	lcowmig_gcs_receive_end(owner->gcs, stream, size == 0 ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED);
	free(buffer);
	socket_release(stream);
	thread_end(owner);
	return 0;
}

/* One connection; its reader starts before the bridge knows it, which the bridge allows for. */
static lcowmig_status accept_one(hv_socket *listener, lcowmig_call *call)
{
	SOCKET made = accept(listener->socket, NULL, NULL);
	hv_socket *stream;

	if (made == INVALID_SOCKET)
		return socket_fail(call, "the listener was closed");
	stream = socket_adopt(listener->owner, made, listener->port, FALSE);
	if (!stream)
		return LCOWMIG_E_NO_MEMORY;
	InterlockedIncrement(&stream->references);
	if (!thread_begin(listener->owner, stream_thread, stream)) {
		socket_release(stream);
		if (socket_unlink(listener->owner, stream))
			socket_release(stream);
		return LCOWMIG_E_NO_MEMORY;
	}
	lcowmig_call_set_handle(call, stream);
	return LCOWMIG_OK;
}

static DWORD WINAPI accept_thread(void *argument)
{
	hv_accept *wish = argument;
	hv_socket *listener = wish->listener;
	hvsocket *owner = listener->owner;
	lcowmig_call *call = wish->call;
	lcowmig_status status = accept_one(listener, call);

	free(wish);
	lcowmig_call_complete(call, status);
	socket_release(listener);
	thread_end(owner);
	return 0;
}

static lcowmig_status hv_accept_on(void *user, lcowmig_call *call, uint32_t port)
{
	hvsocket *sockets = user;
	hv_socket *listener = listener_take(sockets, port);
	hv_accept *wish = malloc(sizeof(*wish));

	if (listener && wish) {
		wish->listener = listener;
		wish->call = call;
		if (thread_begin(sockets, accept_thread, wish))
			return LCOWMIG_PENDING;
	}
	free(wish);
	if (!listener)
		return LCOWMIG_E_FAILED_PRECONDITION;
	socket_release(listener);
	return LCOWMIG_E_NO_MEMORY;
}

/* Blocks the calling thread while the guest does not read, which the bridge allows; closing the stream ends that. */
static lcowmig_status hv_send(void *user, lcowmig_call *call, void *handle, const uint8_t *bytes, size_t size)
{
	hv_socket *stream = handle;
	lcowmig_status status = LCOWMIG_OK;

	(void)user;
	InterlockedIncrement(&stream->references);
	while (size > 0 && status == LCOWMIG_OK) {
		int sent = send(stream->socket, (const char *)bytes, size > RECEIVE_SIZE ? RECEIVE_SIZE : (int)size, 0);

		if (sent <= 0) {
			status = socket_fail(call, "the stream is broken");
		} else {
			bytes += sent;
			size -= (size_t)sent;
		}
	}
	socket_release(stream);
	return status;
}

static void hv_close(void *user, void *handle)
{
	hv_socket *it = handle;

	if (!socket_unlink(user, it))
		return;
	socket_interrupt(it);
	socket_release(it);
}

/* ---- the whole ---- */

lcowmig_status hvsocket_new(enum hvsocket_kind kind, hvsocket **ret_sockets)
{
	hvsocket *sockets = calloc(1, sizeof(*sockets));
	WSADATA winsock;

	if (!sockets)
		return LCOWMIG_E_NO_MEMORY;
	if (WSAStartup(0x0202, &winsock) != 0) {
		free(sockets);
		return LCOWMIG_E_NOT_SUPPORTED;
	}
	sockets->kind = kind;
	InitializeSRWLock(&sockets->lock);
	InitializeConditionVariable(&sockets->idle);
	*ret_sockets = sockets;
	return LCOWMIG_OK;
}

void hvsocket_free(hvsocket *sockets)
{
	if (!sockets)
		return;
	while (sockets->open)
		hv_close(sockets, sockets->open);
	AcquireSRWLockExclusive(&sockets->lock);
	while (sockets->threads > 0)
		SleepConditionVariableSRW(&sockets->idle, &sockets->lock, INFINITE, 0);
	ReleaseSRWLockExclusive(&sockets->lock);
	WSACleanup();
	free(sockets);
}

void hvsocket_stream_ops(hvsocket *sockets, lcowmig_stream_ops *ret_ops)
{
	lcowmig_stream_ops ops = { sizeof(ops), sockets, hv_listen, hv_accept_on, hv_send, hv_close };

	*ret_ops = ops;
}

void hvsocket_attach(hvsocket *sockets, lcowmig_gcs *gcs)
{
	sockets->gcs = gcs;
}
