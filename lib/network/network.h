/* The network controller from the inside. Conventions as in scsi/scsi.h. */
#ifndef LCOWMIG__NETWORK_H
#define LCOWMIG__NETWORK_H

#include "engine/env.h"
#include "lcowmig/network.h"
#include "wire/wire.h"

extern const lcowmig__machine lcowmig__network_machine;

/* Reads the guest's namespace capability once (absent guest: unsupported). */
lcowmig_status lcowmig__network_new(lcowmig__env *env, const char *namespace_id, bool policy_based_routing, lcowmig_network **ret_network,
				    lcowmig_error *error);
void lcowmig__network_free(lcowmig_network *network);
lcowmig__flow *lcowmig__network_setup_flow(lcowmig_network *network, lcowmig_error *error);
lcowmig__flow *lcowmig__network_teardown_flow(lcowmig_network *network, lcowmig_error *error);

lcowmig_status lcowmig__network_capture(lcowmig_network *network, lcowmig__arena *arena, lcowmig__wire_network *ret_wire,
					lcowmig_error *error);
void lcowmig__network_freeze(lcowmig_network *network);
lcowmig_status lcowmig__network_import(lcowmig__env *env, const lcowmig__wire_network *wire, lcowmig_network **ret_network,
				       lcowmig_error *error);
lcowmig_status lcowmig__network_patch(lcowmig_network *network, const char *namespace_id, lcowmig_error *error);
/* Both migrating states -> Configured; Configured: no-op. Acts at once: no call to anybody. */
lcowmig_status lcowmig__network_resume(lcowmig_network *network, lcowmig_error *error);
/*
 * Destination, after resume: inherited NICs leave the guest (all at once), the destination's endpoints come in. Idempotent and repeatable
 * from any point: NICs carried over and NICs added here are kept apart; with several NICs the record of a configured one is removed
 * in the guest before the next is added.
 */
lcowmig__flow *lcowmig__network_reset_flow(lcowmig_network *network, lcowmig_error *error);
bool lcowmig__network_is_migrating(const lcowmig_network *network);
/* The discard: a migrating network drops its bindings and is torn down, without a call to anybody. Other states: nothing. Cannot
 * fail. */
void lcowmig__network_abort(lcowmig_network *network);

#endif
