/*
 * The bridge's byte streams over Hyper-V sockets: lcowmig_stream_ops whose ports are the vsock ports of a utility virtual machine.
 *
 *     hvsocket_new(HVSOCKET_HYPERV, &sockets);
 *     hvsocket_stream_ops(sockets, &streams);          (into lcowmig_gcs_config)
 *     lcowmig_gcs_new(context, &config, &gcs, NULL);
 *     hvsocket_attach(sockets, gcs);
 *     …
 *     lcowmig_gcs_close(gcs);
 *     hvsocket_free(sockets);                           (waits for its threads; from then on nothing is fed)
 *     lcowmig_gcs_free(gcs, NULL);
 *
 * What has been tried: everything in here over TCP on the loopback interface, and the bytes of the address. AF_HYPERV itself needs Windows with
 * Hyper-V, which no test of this project has; Wine answers it with WSAEAFNOSUPPORT.
 */
#ifndef HVSOCKET_H
#define HVSOCKET_H

#include <lcowmig/gcs.h>

typedef struct hvsocket hvsocket;

/* SOCKADDR_HV: family 34, a reserved word, the machine's and the service's GUID in the memory layout of Windows. */
#define HVSOCKET_ADDRESS_SIZE 36

enum hvsocket_kind {
	HVSOCKET_HYPERV,
	HVSOCKET_LOOPBACK /* 127.0.0.1, port 20000 + the lowest twelve bits of the vsock port: for trying it without Hyper-V */
};

/* Starts Winsock. */
lcowmig_status hvsocket_new(enum hvsocket_kind kind, hvsocket **ret_sockets);
/* Closes listeners, ends streams, waits for the threads. */
void hvsocket_free(hvsocket *sockets);
void hvsocket_stream_ops(hvsocket *sockets, lcowmig_stream_ops *ret_ops);
/* Who is fed. Before the first accept. */
void hvsocket_attach(hvsocket *sockets, lcowmig_gcs *gcs);

/* The address that the host listens at for `port` of the machine with this runtime id. INVALID_ARGUMENT when that is no GUID. */
lcowmig_status hvsocket_address(const char *runtime_id, uint32_t port, uint8_t ret_address[HVSOCKET_ADDRESS_SIZE]);

#endif
