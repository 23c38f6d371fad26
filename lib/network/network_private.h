/* What the files of the network controller share. */
#ifndef LCOWMIG__NETWORK_PRIVATE_H
#define LCOWMIG__NETWORK_PRIVATE_H

#include "engine/controller.h"
#include "hcs/endpoint.h"
#include "network.h"

enum network_state {
	NETWORK_NOT_CONFIGURED,
	NETWORK_CONFIGURED,
	NETWORK_INVALID,
	NETWORK_TORN_DOWN,
	NETWORK_DESTINATION_MIGRATING,
	NETWORK_SOURCE_MIGRATING,
	NETWORK_STATES
};

enum network_trigger {
	NETWORK_SETUP,
	NETWORK_SETUP_FAILED,
	NETWORK_TEARDOWN,
	NETWORK_TEARDOWN_FAILED,
	NETWORK_SAVE,
	NETWORK_IMPORT,
	NETWORK_PATCH,
	NETWORK_RESUME,
	NETWORK_RESET,
	NETWORK_TRIGGERS
};

/* One virtual NIC: an endpoint on the host's side, an interface in the guest. The texts lie behind the struct. */
typedef struct lcowmig__nic {
	lcowmig__node node;
	lcowmig__tree *map; /* the one of the network's two that has it */
	lcowmig__wire_endpoint wire; /* what of it travels */
	bool on_host;       /* HCS has it, or may have it */
	bool is_unsure;     /* only may: HCS gave up on adding or on removing it */
	bool is_recorded;   /* the guest keeps a record of it, or may */
	bool is_configured; /* the guest has given it its addresses */
	bool is_listed;     /* the namespace has its endpoint; only during a look */
} lcowmig__nic;

struct lcowmig_network {
	lcowmig__object object;
	lcowmig__env *env;
	lcowmig__gate gate;          /* one operation at a time */
	char *namespace_id;          /* as the guest knows it; never changes */
	char *migrated_namespace_id; /* the destination's, until a reset has succeeded; NULL: none */
	bool policy_based_routing;
	bool namespace_supported;
	bool is_standalone;      /* imported by the host alone */
	lcowmig__tree own;       /* NICs added here, by endpoint id: ours on both sides */
	lcowmig__tree inherited; /* NICs of the imported state, by NIC id: ours in the guest only */
};

static inline lcowmig__nic *lcowmig__nic_of_node(const lcowmig__node *node)
{
	return LCOWMIG__TREE_ENTRY(node, lcowmig__nic, node);
}

/* A NIC with copies of the texts in `map`; INVALID_ARGUMENT when the map has it already. */
lcowmig_status lcowmig__nic_new(lcowmig_network *network, lcowmig__tree *map, const lcowmig__wire_endpoint *wire, lcowmig__nic **ret_nic,
				lcowmig_error *error);
void lcowmig__nics_drop(lcowmig_network *network);

/*
 * Brings one endpoint in: host first, then the guest. It goes on from where an earlier attempt for the same endpoint stood. After a failure
 * on the host's side there is no trace, unless HCS gave up and may have added it; then, and after one on the guest's side, the NIC stays
 * tracked. Both arguments are borrowed.
 */
lcowmig__flow *lcowmig__nic_add_flow(lcowmig_network *network, const lcowmig__endpoint *endpoint, const char *guest_namespace_id);
/* Takes one NIC away: guest first, then the host; untracked on success. */
lcowmig__flow *lcowmig__nic_remove_flow(lcowmig_network *network, lcowmig__nic *nic);
/* Makes the guest forget what it has recorded of NICs, all at once. Inherited ones are untracked. Used inside an await. */
void lcowmig__nics_forget(lcowmig__flow *flow, lcowmig_network *network);

/* Asks for the endpoints of a namespace and adds them one after the other. `is_reset`: into a guest whose pod is running. */
lcowmig__flow *lcowmig__endpoints_add_flow(lcowmig_network *network, const char *namespace_id, bool is_reset);

/* NotConfigured. NULL with an error. */
lcowmig_network *lcowmig__network_alloc(lcowmig__env *env, const char *namespace_id, lcowmig_error *error);

#endif
