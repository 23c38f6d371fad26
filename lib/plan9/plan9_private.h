/* The parts of the Plan9 controller: shares by host path, the one mount each has, and the reservations that hold both. */
#ifndef LCOWMIG__PLAN9_PRIVATE_H
#define LCOWMIG__PLAN9_PRIVATE_H

#include "base/text_list.h"
#include "engine/controller.h"
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
	char name[24];
	char *host_path;
	lcowmig__text_list allowed_names;
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
/* Gives one reference up after the guest, where it had to, has unmounted. */
void lcowmig__share_release_mount(lcowmig__share *share, bool guest_unmounted);

/* ---- The controller (plan9.c) ---- */

typedef struct lcowmig__plan9_reservation {
	lcowmig__entry entry;
	lcowmig__share *share; /* NULL: gone before it, which is released then */
	lcowmig__list on_share;
	bool is_released; /* its reference to the mount has been given up; the share was not got rid of */
} lcowmig__plan9_reservation;

struct lcowmig_plan9 {
	lcowmig__controller base; /* its entries are the reservations */
	bool no_writable_shares;
	uint64_t next_name;
	size_t n_shares; /* leaving ones included */
	lcowmig__tree shares;
};

/* NULL, and NOT_FOUND naming the id. */
static inline lcowmig__plan9_reservation *lcowmig__plan9_look_up(const lcowmig_plan9 *plan9, const lcowmig_guid *id, lcowmig_error *error)
{
	return (lcowmig__plan9_reservation *)lcowmig__controller_look_up(&plan9->base, id, error);
}
void lcowmig__plan9_forget(lcowmig_plan9 *plan9, lcowmig__plan9_reservation *reservation);
/* Frees the share; reservations that still point to it do so no more. */
void lcowmig__plan9_drop_share(lcowmig_plan9 *plan9, lcowmig__share *share);

#endif
