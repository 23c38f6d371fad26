/* A mock host from the inside: one part for each group of host callbacks. */
#ifndef MOCK_HOST_INTERNAL_H
#define MOCK_HOST_INTERNAL_H

#include <cjson/cJSON.h>

#include "host.h"

typedef struct mock_hcs mock_hcs;
typedef struct mock_bridge mock_bridge;
typedef struct mock_stdio mock_stdio;
typedef struct mock_network mock_network;

struct mock_host {
	mock_loop *loop;
	mock_host_config config;
	char *name;
	mock_vsock *vsock;
	mock_hcs *hcs;
	mock_bridge *bridge;
	mock_stdio *stdio;
	mock_network *network;
	lcowmig_context *context;
	lcowmig_gcs *gcs;
	lcowmig_sandbox *sandbox;
};

mock_hcs *mock_hcs_new(mock_host *host);
void mock_hcs_free(mock_hcs *hcs);
void mock_hcs_fill_ops(mock_hcs *hcs, lcowmig_hcs_ops *ret_ops);

mock_bridge *mock_bridge_new(mock_host *host);
void mock_bridge_free(mock_bridge *bridge);
void mock_bridge_fill_ops(mock_bridge *bridge, lcowmig_stream_ops *ret_ops);

mock_stdio *mock_stdio_new(mock_host *host);
void mock_stdio_free(mock_stdio *stdio);
void mock_stdio_fill_ops(mock_stdio *stdio, lcowmig_stdio_ops *ret_ops);

mock_network *mock_network_new(mock_host *host);
void mock_network_free(mock_network *network);
void mock_network_fill_ops(mock_network *network, lcowmig_network_ops *ret_ops);

void mock_socket_fill_ops(mock_host *host, lcowmig_socket_ops *ret_ops);
/* The descriptor behind an adopted socket. */
int mock_socket_fd(const void *socket);

/* A host call on its way to the loop's thread. The arguments live as long as the call, so they are kept as they came. */
typedef struct mock_call {
	void *owner;
	lcowmig_call *call;
	void (*serve)(struct mock_call *job);
	void *object;
	const void *data;
	size_t size;
	const char *text;
	uint32_t number;
} mock_call;

/* Always PENDING: the callback itself does nothing but ask the loop. */
lcowmig_status mock_call_later(mock_loop *loop, const mock_call *job);
/* A void callback on its way to the loop. */
void mock_call_soon(mock_loop *loop, const mock_call *job);
void mock_call_fail(lcowmig_call *call, uint32_t hresult, const char *format, ...);

#endif
