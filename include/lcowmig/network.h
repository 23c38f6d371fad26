/*
 * Network: the endpoints of one host namespace, wired into the virtual machine and its guest for a pod.
 *
 * A pod makes, sets up, migrates and frees its own network (pod.h); a host that lets it do so needs none of the functions that change
 * something here. They are for hosts that compose the controllers themselves. Any thread may call any of them; one operation runs at a
 * time, later ones wait for their turn.
 *
 * States: NotConfigured, Configured, Invalid (a set-up or tear-down failed; tear-down may be repeated), TornDown, DestinationMigrating
 * (imported), SourceMigrating (saved). docs/states.md has the table.
 */
#ifndef LCOWMIG_NETWORK_H
#define LCOWMIG_NETWORK_H

#include "guid.h"
#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to its pod, or to the caller of lcowmig_network_import. */
typedef struct lcowmig_network lcowmig_network;

/*
 * Brings the namespace's endpoints in, those whose name ends in "eth0" first: for each a virtual NIC with a new id on the host, then, if
 * the guest knows namespaces, an interface in the guest. Legal in NotConfigured. Afterwards Configured, after a failure Invalid, with what
 * had been added still there for a tear-down. `error` and `done` as in context.h; callbacks may run before this returns.
 * Errors: FAILED_PRECONDITION (state), INVALID_ARGUMENT (the namespace id is empty), NO_MEMORY, and what the host and the guest say. Since
 * 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_network_setup(lcowmig_network *network, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Takes every NIC away, in the guest first, then on the host. Legal in every state. A guest or virtual machine that is gone counts as
 * done. In NotConfigured and TornDown it does nothing; a migrating network only forgets its NICs, which is how an imported one is
 * discarded. If a NIC cannot be removed the others still are; that one stays for the next try, and the network is Invalid.
 * Errors: the first failure among the NICs, with their number. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_network_teardown(lcowmig_network *network, lcowmig_done_fn done, void *user, lcowmig_error *error);

/*
 * Saves the network as an envelope (type hcsshim.controller.network.save.v1.Payload) and freezes it: SourceMigrating. Legal in Configured
 * and SourceMigrating, where it gives the same bytes again. `buffer` NULL: only sets `ret_size`, and freezes nothing.
 * Errors: FAILED_PRECONDITION (state, or an operation is in flight), INVALID_ARGUMENT (`capacity` is too small), NO_MEMORY; nothing is
 * frozen then. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_network_save(lcowmig_network *network, uint8_t *buffer, size_t capacity, size_t *ret_size,
						lcowmig_error *error);

/*
 * Makes a network of an envelope: DestinationMigrating, with the saved namespace id, NICs and guest capability. It uses the callbacks of
 * `sandbox`, which must outlive it. Free it with lcowmig_network_free.
 * Errors: INVALID_ARGUMENT (no envelope, another type, a binding without ids), UNSUPPORTED_VERSION, CORRUPT_DATA, LIMIT_EXCEEDED,
 * NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_network_import(lcowmig_sandbox *sandbox, const uint8_t *data, size_t size, lcowmig_network **ret_network,
						  lcowmig_error *error);

/*
 * Says which namespace of this host takes the place of the source's. Copied; "" or NULL means none. Legal in DestinationMigrating; may be
 * repeated.
 * Errors: FAILED_PRECONDITION, NO_MEMORY. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_network_patch(lcowmig_network *network, const char *namespace_id, lcowmig_error *error);

/* Ends migrating: Configured, NICs as they are. Legal in both migrating states and, without effect, in Configured. Calls nobody. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_network_resume(lcowmig_network *network, lcowmig_error *error);

/*
 * After a resume on the destination: the NICs of the source leave the guest, the endpoints of the namespace that lcowmig_network_patch
 * named come in under new NIC ids; the guest goes on to know the namespace by its saved id. Does nothing when no namespace was named, and
 * when it was done already. After a failure it goes on from where it stood when it is called again. Legal in Configured.
 * Errors: FAILED_PRECONDITION (state), NO_MEMORY, UNAVAILABLE (no guest), and what the host and the guest say. Since 1.0.
 */
LCOWMIG_API lcowmig_status lcowmig_network_reset(lcowmig_network *network, lcowmig_done_fn done, void *user, lcowmig_error *error);

/* Frees an imported network; no NIC is touched. NULL is fine. FAILED_PRECONDITION while an operation is in flight or when it is a pod's.
 * Since 1.0. */
LCOWMIG_API lcowmig_status lcowmig_network_free(lcowmig_network *network, lcowmig_error *error);

/* The namespace as the guest knows it; it survives migration unchanged. Lives as long as the network. Since 1.0. */
LCOWMIG_API const char *lcowmig_network_namespace_id(const lcowmig_network *network);

/* "Configured" and so on; static text. Since 1.0. */
LCOWMIG_API const char *lcowmig_network_state_name(const lcowmig_network *network);

/* How many NICs it has. Since 1.0. */
LCOWMIG_API size_t lcowmig_network_nic_count(const lcowmig_network *network);

#ifdef __cplusplus
}
#endif

#endif
