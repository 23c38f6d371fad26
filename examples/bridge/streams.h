/*
 * Byte streams for the guest bridge: the four callbacks that lcowmig_gcs needs, over the vsock of a machine. This is the whole of what a host
 * has to write to use the bridge; on Windows the same four stand on AF_HYPERV sockets (examples/windows-host/hvsocket.c).
 */
#ifndef BRIDGE_STREAMS_H
#define BRIDGE_STREAMS_H

#include "vsock.h"

typedef struct streams streams;

streams *streams_new(mock_vsock *vsock);
/* After the bridge is freed: by then every handle has been closed. */
void streams_free(streams *self);
/* The bridge is made from the callbacks, and the callbacks feed the bridge: one of the two has to be told about the other afterwards. */
void streams_fill_ops(streams *self, lcowmig_stream_ops *ret_ops);
void streams_set_bridge(streams *self, lcowmig_gcs *gcs);

#endif
