/*
 * The frame of a host on Windows: computecore.dll, Hyper-V sockets and the guest bridge, put together into a sandbox. It says which of them this
 * machine has, then takes everything down again; a shim goes on from `sandbox` with lcowmig_vm_create.
 */
#include <lcowmig/computecore.h>
#include <lcowmig/lcowmig.h>
#include <stdio.h>

#include "hvsocket.h"

#define CONTROL_PORT 0x40000000u

typedef struct host {
	lcowmig_context *context;
	lcowmig_computecore *core; /* NULL: this Windows has no HCS */
	hvsocket *sockets;
	lcowmig_gcs *gcs;
	lcowmig_sandbox *sandbox;
} host;

static int host_fail(const char *what, const lcowmig_error *error)
{
	fprintf(stderr, "windows-host: %s: %s\n", what, error->message);
	return 1;
}

/* Asks for a listener of a made-up machine: on a host with Hyper-V it is bound, elsewhere the address family is unknown. */
static void host_try_sockets(host *self)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status = lcowmig_gcs_listen(self->gcs, "8f4f4c1e-0000-4000-8000-000000000001", CONTROL_PORT, NULL, NULL, &error);

	printf("Hyper-V sockets: %s\n", status == LCOWMIG_OK ? "there" : error.message);
}

static int host_build(host *self)
{
	lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;
	lcowmig_gcs_config bridge = LCOWMIG_GCS_CONFIG_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_stream_ops streams;
	lcowmig_guest_ops guest;
	lcowmig_hcs_ops hcs;
	lcowmig_socket_ops socket;

	if (lcowmig_context_new(NULL, NULL, &self->context, &error) != LCOWMIG_OK)
		return host_fail("context", &error);
	if (lcowmig_computecore_new(NULL, &self->core, &error) != LCOWMIG_OK)
		printf("computecore: %s\n", error.message);
	else
		printf("computecore: there\n");
	if (hvsocket_new(HVSOCKET_HYPERV, &self->sockets) != LCOWMIG_OK)
		return host_fail("sockets", &error);
	hvsocket_stream_ops(self->sockets, &streams);
	bridge.streams = &streams;
	if (lcowmig_gcs_new(self->context, &bridge, &self->gcs, &error) != LCOWMIG_OK)
		return host_fail("bridge", &error);
	hvsocket_attach(self->sockets, self->gcs);
	lcowmig_gcs_guest_ops(self->gcs, &guest);

	config.id = "windows-host";
	config.guest = &guest;
	if (self->core) {
		lcowmig_computecore_hcs_ops(self->core, &hcs);
		lcowmig_computecore_socket_ops(self->core, &socket);
		config.hcs = &hcs;
		config.socket = &socket;
	}
	if (lcowmig_sandbox_new(self->context, &config, &self->sandbox, &error) != LCOWMIG_OK)
		return host_fail("sandbox", &error);
	if (self->core)
		lcowmig_computecore_attach(self->core, self->sandbox);
	return 0;
}

static int host_tear_down(host *self)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	if (self->core)
		lcowmig_computecore_attach(self->core, NULL);
	if (lcowmig_sandbox_free(self->sandbox, &error) != LCOWMIG_OK)
		return host_fail("sandbox", &error);
	if (self->gcs)
		lcowmig_gcs_close(self->gcs);
	hvsocket_free(self->sockets);
	if (lcowmig_gcs_free(self->gcs, &error) != LCOWMIG_OK)
		return host_fail("bridge", &error);
	lcowmig_computecore_free(self->core);
	return lcowmig_context_free(self->context) == LCOWMIG_OK ? 0 : 1;
}

int main(void)
{
	host self = { 0 };
	int result = host_build(&self);

	if (result == 0)
		host_try_sockets(&self);
	result |= host_tear_down(&self);
	if (result == 0)
		printf("windows-host: ok\n");
	return result;
}
