/* The parts of the Plan9 controller: shares by host path, the one mount each has, and the reservations that hold both. */
#ifndef LCOWMIG__PLAN9_PRIVATE_H
#define LCOWMIG__PLAN9_PRIVATE_H

#include "plan9.h"

/* ---- State tables (state.c) ---- */

typedef enum lcowmig__plan9_trigger { PLAN9_RESERVE, PLAN9_MAP, PLAN9_UNMAP, PLAN9_SAVE, PLAN9_TRIGGERS } lcowmig__plan9_trigger;

typedef enum lcowmig__share_state { SHARE_RESERVED, SHARE_ADDED, SHARE_INVALID, SHARE_REMOVED, SHARE_STATES } lcowmig__share_state;
typedef enum lcowmig__share_trigger {
	SHARE_RESERVE_MOUNT,
	SHARE_ADD,
	SHARE_ADD_FAILED,
	SHARE_MOUNT,
	SHARE_UNMOUNT,
	SHARE_REMOVE,
	SHARE_TRIGGERS
} lcowmig__share_trigger;

typedef enum lcowmig__share_mount_state {
	SHARE_MOUNT_RESERVED,
	SHARE_MOUNT_MOUNTED,
	SHARE_MOUNT_INVALID,
	SHARE_MOUNT_UNMOUNTED,
	SHARE_MOUNT_STATES
} lcowmig__share_mount_state;
typedef enum lcowmig__share_mount_trigger {
	SHARE_MOUNT_RESERVE,
	SHARE_MOUNT_MOUNT,
	SHARE_MOUNT_MOUNT_FAILED,
	SHARE_MOUNT_RELEASE,
	SHARE_MOUNT_UNMOUNT,
	SHARE_MOUNT_UNMOUNT_RESERVED_AGAIN,
	SHARE_MOUNT_TRIGGERS
} lcowmig__share_mount_trigger;

extern const lcowmig__machine lcowmig__plan9_machine;

/* ---- Shares (share.c) ---- */

typedef struct lcowmig__share {
	lcowmig__object object; /* its id is the host path */
	lcowmig__node node;     /* in the controller, by host path; in no tree while it is leaving */
	char *name;
	char *host_path;
	char **allowed_names;
	size_t n_allowed_names;
	bool read_only;
	bool restrict_access;
	lcowmig__list reservations;
	/* The mount. Without references there is none. */
	lcowmig__object mount; /* its id is the guest path */
	char *guest_path;
	bool mount_read_only;
	uint32_t ref_count;
} lcowmig__share;

lcowmig__share *lcowmig__share_new(lcowmig_context *context, uint64_t number, const lcowmig_share_config *config);
void lcowmig__share_free(lcowmig__share *share);
/* Whether both say the same but for the path, by which it was found; names in any order and either case of letters. */
bool lcowmig__share_is(const lcowmig__share *share, const lcowmig_share_config *config);
/* A further holder of the mount, or the first of a new one. */
lcowmig_status lcowmig__share_reserve_mount(lcowmig__share *share, bool read_only, lcowmig_error *error);
/* Whether giving up one reference needs the guest. */
bool lcowmig__share_is_last_use(const lcowmig__share *share);
/* Gives one reference up after the guest, where it had to, has unmounted. */
void lcowmig__share_release_mount(lcowmig__share *share, bool guest_unmounted);
void lcowmig__share_ask_add(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__share *share);
void lcowmig__share_ask_remove(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__share *share);
void lcowmig__share_ask_mount(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__share *share);
void lcowmig__share_ask_unmount(lcowmig__flow *flow, const lcowmig__env *env, const lcowmig__share *share);

/* ---- The controller (plan9.c) ---- */

typedef struct lcowmig__plan9_reservation {
	lcowmig__node node; /* in the controller, by id */
	lcowmig_guid id;
	lcowmig__share *share; /* NULL: gone before it, which is released then */
	lcowmig__list on_share;
	bool is_released; /* its reference to the mount has been given up; the share was not got rid of */
} lcowmig__plan9_reservation;

struct lcowmig_plan9 {
	lcowmig__object object;
	lcowmig__env *env;
	lcowmig__gate gate; /* held by map and unmap across their calls */
	bool no_writable_shares;
	uint64_t next_name;
	size_t n_shares; /* leaving ones included */
	lcowmig__tree shares;
	lcowmig__tree reservations;
};

lcowmig_status lcowmig__plan9_look_up(const lcowmig_plan9 *plan9, const lcowmig_guid *id, lcowmig__plan9_reservation **ret_reservation,
                                      lcowmig_error *error);
void lcowmig__plan9_forget(lcowmig_plan9 *plan9, lcowmig__plan9_reservation *reservation);
/* Frees the share; reservations that still point to it do so no more. */
void lcowmig__plan9_drop_share(lcowmig_plan9 *plan9, lcowmig__share *share);

#endif
