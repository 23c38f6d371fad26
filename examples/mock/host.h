/*
 * A mock host: everything a program gives to the library to run one sandbox on a hypervisor, in one object. It makes a context, a guest
 * bridge and a sandbox whose compute system, guest, network, stdio and sockets are the mock's:
 *
 *     mock_loop *loop = mock_loop_new();
 *     mock_host *host = mock_host_new(loop, &config);
 *     lcowmig_sandbox *sandbox = mock_host_sandbox(host);
 *     lcowmig_vm_create(lcowmig_sandbox_vm(sandbox), document, …);
 *     …
 *     mock_host_free(host);
 *     mock_loop_free(loop);
 *
 * Two hosts in one program may share a loop: connect them by a socketpair and a sandbox migrates from one to the other.
 */
#ifndef MOCK_HOST_H
#define MOCK_HOST_H

#include "guest.h"
#include "loop.h"
#include "transfer.h"

typedef struct mock_host mock_host;

/* What is to go wrong; zero: nothing. */
typedef struct mock_faults {
	uint32_t break_in_pass;     /* the memory connection breaks in this pass */
	uint32_t break_in_blackout; /* it breaks while the guest stands still */
	uint32_t refuse_finalize;   /* this many finalize-resume calls fail */
	mock_guest_faults guest;    /* of a guest that resumes here */
} mock_faults;

typedef struct mock_host_config {
	const char *name;       /* of this host, for the log */
	const char *sandbox_id; /* NULL: the import names it */
	uint32_t fill_percent;  /* of the guest's memory at a cold start */
	uint64_t bandwidth;     /* of a memory transfer, bytes a second; 0: as fast as it goes */
	uint32_t log_level;     /* an lcowmig_log_level; lines up to it go to stderr */
	bool quiet;             /* no lines at all */
	mock_faults faults;
	void *user;
	void (*event)(void *user, const lcowmig_event *event);                /* NULL: dropped */
	void (*progress)(void *user, const mock_transfer_progress *progress); /* NULL: nobody asks */
	void (*guest_log)(void *user, const uint8_t *bytes, size_t size);     /* NULL: dropped */
} mock_host_config;

/* NULL when the library refuses; `error` says why. The config is copied. */
mock_host *mock_host_new(mock_loop *loop, const mock_host_config *config, lcowmig_error *error);
/* The sandbox must be in a state in which it can be freed; else the host stays and the library's reason is in `error`. */
bool mock_host_free(mock_host *host, lcowmig_error *error);

lcowmig_context *mock_host_context(mock_host *host);
lcowmig_sandbox *mock_host_sandbox(mock_host *host);

/* The guest that lives here; NULL when there is no machine. */
const mock_guest *mock_host_guest(const mock_host *host);
/* True while the guest's processors run here. */
bool mock_host_guest_runs(const mock_host *host);
/* Checks nothing but that: the guest shuts its machine down by itself. */
void mock_host_shut_guest_down(mock_host *host);

/* The disk in a slot, NULL when there is none. */
const char *mock_host_disk(const mock_host *host, uint32_t controller, uint32_t lun);
/* The virtual NIC number `index` of the machine. */
bool mock_host_nic(const mock_host *host, uint32_t index, const char **ret_id, const char **ret_endpoint_id, const char **ret_mac);

/* The endpoints of a network namespace on this host: a JSON array of HostComputeEndpoint. Replaces what was said before. */
void mock_host_set_endpoints(mock_host *host, const char *namespace_id, const char *endpoints);

/* How much of a container's stdout has been passed on so far; and how much another host has: what was said before is not passed on again.
 */
uint64_t mock_host_stdout_bytes(const mock_host *host, const char *container_id);
void mock_host_skip_stdout(mock_host *host, const char *container_id, uint64_t bytes);

#endif
