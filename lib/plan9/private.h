/* What the files of this folder share. */
#ifndef LCOWMIG__PLAN9_PRIVATE_H
#define LCOWMIG__PLAN9_PRIVATE_H

#include "plan9.h"

typedef enum share_state { SHARE_RESERVED, SHARE_ADDED, SHARE_INVALID, SHARE_REMOVED, SHARE_STATES } share_state;
typedef enum share_trigger { SHARE_ADD, SHARE_ADD_FAILED, SHARE_REMOVE, SHARE_RESERVE_MOUNT, SHARE_MOUNT, SHARE_TRIGGERS } share_trigger;

typedef enum share_mount_state { MOUNT_RESERVED, MOUNT_MOUNTED, MOUNT_INVALID, MOUNT_UNMOUNTED, MOUNT_STATES } share_mount_state;
typedef enum share_mount_trigger { MOUNT_RESERVE, MOUNT_MOUNT, MOUNT_MOUNT_FAILED, MOUNT_RELEASE, MOUNT_UNMOUNT, MOUNT_TRIGGERS } share_mount_trigger;

/* The controller's own machine: it is always open; the object counts what is in flight. */
extern const lcowmig__machine lcowmig__plan9_machine;

#define PLAN9_NAME_SIZE 24
#define PLAN9_PATH_SIZE 48

/* A share and its one mount, which exists while it has users. */
typedef struct plan9_share {
	lcowmig__object object;
	lcowmig__object mount;
	lcowmig__node by_path;
	char name[PLAN9_NAME_SIZE];
	char guest_path[PLAN9_PATH_SIZE];
	bool mount_read_only;
	bool has_mount;
	unsigned users;   /* of the mount */
	unsigned holders; /* reservations that point here, those included that have left the mount but could not remove the share */
	char *host_path;
	char **allowed_names;
	size_t n_allowed_names;
	bool read_only;
	bool restrict_access;
} plan9_share;

typedef struct plan9_reservation {
	lcowmig__node by_id;
	lcowmig_guid id;
	plan9_share *share;
	bool has_left; /* it no longer uses the mount */
} plan9_reservation;

struct lcowmig_plan9 {
	lcowmig__object object;
	lcowmig__env *env;
	lcowmig__gate gate; /* held across host and guest calls */
	bool no_writable_shares;
	uint64_t next_name; /* never used twice */
	lcowmig__tree shares;       /* by host path */
	lcowmig__tree reservations; /* by id */
};

lcowmig_status lcowmig__plan9_share_new(lcowmig_plan9 *plan9, const lcowmig_share_config *config, bool mount_read_only, plan9_share **ret_share,
                               lcowmig_error *error);
void lcowmig__plan9_share_free(lcowmig_plan9 *plan9, plan9_share *share);
bool lcowmig__plan9_share_matches(const plan9_share *share, const lcowmig_share_config *config);

#endif
