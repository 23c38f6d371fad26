/*
 * The environment that the controllers of one sandbox share: the host's callbacks, and what is known of the virtual machine and its guest.
 * The sandbox owns it; only the VM controller changes what is below the vtables.
 *
 * The functions make host calls. They are used inside an await: FLOW_TRY(flow, lcowmig__hcs_modify(flow, env, document)).
 * Text parameters marked "taken" belong to the call from then on; a NULL there means that building it ran out of memory. HCS functions fail
 * with UNAVAILABLE when there is no compute system.
 */
#ifndef LCOWMIG__ENV_H
#define LCOWMIG__ENV_H

#include "flow.h"
#include "lcowmig/host.h"

typedef struct lcowmig__env {
	lcowmig_context *context;
	unsigned *calls; /* counts the host calls that are not completed: they refer to this env. NULL: nobody wants to know */
	lcowmig_hcs_ops hcs;
	lcowmig_guest_ops guest;
	lcowmig_network_ops network;
	lcowmig_stdio_ops stdio;
	lcowmig_socket_ops socket;
	lcowmig_event_ops events;

	void *system;        /* HCS handle; NULL: no virtual machine */
	bool system_is_closing; /* the host is closing it: nobody may use it any more */
	char *vm_id;         /* HCS system id, NULL before create */
	char *runtime_id;    /* GUID text, NULL before create */
	bool has_guest;      /* a guest connection was made and not closed */
	bool guest_was_replaced; /* since the last freeze the connection was lost and made anew: answers may have been lost with it */
	/* Guest-defined capabilities, valid with has_guest; an imported network carries its own copy of the first. */
	bool guest_supports_namespaces;
	bool guest_supports_signals;
	bool guest_supports_dump_stacks;
	bool guest_supports_delete_state;
} lcowmig__env;

/* HCS. `document` is taken. Errors of the host: its own class, or HOST_FAILED, with its HRESULT. */
void lcowmig__hcs_create(lcowmig__flow *flow, const lcowmig__env *env, const char *id, char *document); /* handle: the system */
void lcowmig__hcs_start(lcowmig__flow *flow, const lcowmig__env *env, char *options, void *socket);
void lcowmig__hcs_terminate(lcowmig__flow *flow, const lcowmig__env *env);
void lcowmig__hcs_close(lcowmig__flow *flow, lcowmig__env *env); /* success: the env has no system any more */
void lcowmig__hcs_modify(lcowmig__flow *flow, const lcowmig__env *env, char *document);
void lcowmig__hcs_properties(lcowmig__flow *flow, const lcowmig__env *env, char *query); /* reply: JSON */
void lcowmig__hcs_initialize_migration(lcowmig__flow *flow, const lcowmig__env *env, char *options);
void lcowmig__hcs_start_migration(lcowmig__flow *flow, const lcowmig__env *env, char *options, void *socket);
void lcowmig__hcs_transfer(lcowmig__flow *flow, const lcowmig__env *env, char *options);
void lcowmig__hcs_finalize_migration(lcowmig__flow *flow, const lcowmig__env *env, char *options);
void lcowmig__hcs_cancel_migration(lcowmig__flow *flow, const lcowmig__env *env, char *options);
void lcowmig__hcs_grant_access(lcowmig__flow *flow, const lcowmig__env *env, const char *path);
void lcowmig__hcs_resolve_path(lcowmig__flow *flow, const lcowmig__env *env, const char *path); /* reply: the canonical path */
void lcowmig__hcs_path_type(lcowmig__flow *flow, const lcowmig__env *env, const char *path);    /* reply: "file" or "directory" */

/* Network, stdio, socket. */
void lcowmig__network_endpoints(lcowmig__flow *flow, const lcowmig__env *env, const char *namespace_id); /* reply: JSON array */
void lcowmig__stdio_open(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig_stdio_config *config); /* handle; config is copied */
void lcowmig__stdio_attach(lcowmig__flow *flow, const lcowmig__env *env, void *stdio, const uint32_t ports[3]);
void lcowmig__stdio_drain(lcowmig__flow *flow, const lcowmig__env *env, void *stdio); /* success at once when the host has no drain */
void lcowmig__socket_adopt(lcowmig__flow *flow, const lcowmig__env *env, const uint8_t *descriptor, size_t size); /* handle */

/* The guest connection. */
void lcowmig__guest_prepare(lcowmig__flow *flow, const lcowmig__env *env, uint32_t port);
void lcowmig__guest_entropy(lcowmig__flow *flow, const lcowmig__env *env, const uint8_t *bytes, size_t size);
void lcowmig__guest_log(lcowmig__flow *flow, const lcowmig__env *env);
void lcowmig__guest_connect(lcowmig__flow *flow, const lcowmig__env *env, bool cold); /* reply: capabilities */
void lcowmig__guest_resume(lcowmig__flow *flow, const lcowmig__env *env);             /* reply: capabilities */
/* `document` is taken. UNAVAILABLE without a connection. Reply: the answer. Returns the call, NULL when it was refused. */
lcowmig_call *lcowmig__guest_rpc(lcowmig__flow *flow, const lcowmig__env *env, uint32_t message, const char *container_id, char *document);
void lcowmig__guest_adopt(lcowmig__flow *flow, const lcowmig__env *env, int64_t id); /* reply: the answer */

/*
 * Closing what must be closed even when memory is out: make the spare call when the handle is opened, use it up when the handle is closed.
 * The callback runs with the lock dropped, in order with the other calls of this thread, and nothing waits for it.
 */
lcowmig_call *lcowmig__call_spare(const lcowmig__env *env); /* NULL: out of memory; lcowmig__call_spare_free when not used */
void lcowmig__call_spare_free(lcowmig_call *spare);
void lcowmig__post_stdio_close(lcowmig_call *spare, void *stdio);
/* The same inside an await of a flow that is shielded. */
void lcowmig__await_stdio_close(lcowmig__flow *flow, lcowmig_call *spare, void *stdio);
void lcowmig__post_socket_close(lcowmig_call *spare, void *socket);

/* Things the host does at once, as awaits: they fail for memory only. */
void lcowmig__guest_close(lcowmig__flow *flow, const lcowmig__env *env);
void lcowmig__guest_set_migrating(lcowmig__flow *flow, const lcowmig__env *env, bool migrating);
void lcowmig__guest_raise_floors(lcowmig__flow *flow, const lcowmig__env *env, uint32_t port, int64_t request_id); /* 0: leave alone */
void lcowmig__guest_read_floors(lcowmig__flow *flow, const lcowmig__env *env, uint32_t *ret_port, int64_t *ret_request_id);
void lcowmig__guest_allocate_ports(lcowmig__flow *flow, const lcowmig__env *env, const bool wanted[3], uint32_t ret_ports[3]);
void lcowmig__guest_is_connected(lcowmig__flow *flow, const lcowmig__env *env, bool *ret_connected);
void lcowmig__guest_open_container(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id);
void lcowmig__guest_close_container(lcowmig__flow *flow, const lcowmig__env *env, const char *container_id);
void lcowmig__stdio_close_stdin(lcowmig__flow *flow, const lcowmig__env *env, void *stdio);

/* The environment of a sandbox, for objects that a host imports on their own. Implemented by lib/sandbox. */
lcowmig__env *lcowmig__sandbox_env(lcowmig_sandbox *sandbox);

#endif
