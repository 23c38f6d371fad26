/*
 * Sandbox: owns the virtual machine, the pods, and the index from container to pod, so that a host keeps no maps of its own.
 */
#ifndef LCOWMIG_SANDBOX_H
#define LCOWMIG_SANDBOX_H

#include "pod.h"
#include "vm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a sandbox is made of. The ops are copied; each may be NULL when nothing that needs it is used. */
typedef struct lcowmig_sandbox_config {
	size_t size;
	const char *id; /* sandbox id; NULL for one that will import (the import names it) */
	const lcowmig_hcs_ops *hcs;
	const lcowmig_guest_ops *guest;
	const lcowmig_network_ops *network;
	const lcowmig_stdio_ops *stdio;
	const lcowmig_socket_ops *socket;
	const lcowmig_event_ops *events;
} lcowmig_sandbox_config;

#define LCOWMIG_SANDBOX_CONFIG_INIT { sizeof(lcowmig_sandbox_config), NULL, NULL, NULL, NULL, NULL, NULL, NULL }

/* Types of HCS events that the host passes on, numbered as in the HCS_EVENT struct. */
#define LCOWMIG_HCS_EVENT_SYSTEM_EXITED 0x00000001u
#define LCOWMIG_HCS_EVENT_SERVICE_DISCONNECT 0x02000000u
#define LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION 0x80000003u

/*
 * Makes a sandbox without a virtual machine. Free with lcowmig_sandbox_free.
 * Errors: INVALID_ARGUMENT, NOT_SUPPORTED (see the size rule in host.h), NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_sandbox_new(lcowmig_context *context, const lcowmig_sandbox_config *config, lcowmig_sandbox **ret_sandbox,
                                               lcowmig_error *error);

/*
 * Frees a sandbox and everything in it. NULL is fine. Refused with FAILED_PRECONDITION, nothing freed, unless the virtual machine is NotCreated,
 * DestinationMigrationImported or Terminated, the migration session Idle, and no operation in flight. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_sandbox_free(lcowmig_sandbox *sandbox, lcowmig_error *error);

/* Passes on an HCS event: type and EventData of HCS_EVENT (`data` NULL or JSON). Any thread, in the order in which HCS told them. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_sandbox_hcs_event(lcowmig_sandbox *sandbox, uint32_t type, const char *data, lcowmig_error *error);

/* Passes on a container notification of the guest (message 0x30100101) as JSON. For guest ops that are not lcowmig_gcs. Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_sandbox_guest_notification(lcowmig_sandbox *sandbox, const char *json, size_t size, lcowmig_error *error);

#ifdef __cplusplus
}
#endif

#endif
