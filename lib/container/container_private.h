/* What the files of the container controller share. */
#ifndef LCOWMIG__CONTAINER_PRIVATE_H
#define LCOWMIG__CONTAINER_PRIVATE_H

#include "base/arena.h"
#include "base/json.h"
#include "container.h"
#include "engine/event.h"
#include "hcs/oci.h"
#include "plan9/plan9.h"
#include "vpci/vpci.h"

enum container_state {
	CONTAINER_NOT_CREATED,
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_STOPPED,
	CONTAINER_INVALID,
	CONTAINER_DESTINATION_MIGRATING,
	CONTAINER_SOURCE_MIGRATING,
	CONTAINER_STATES
};

enum container_trigger {
	CONTAINER_CREATE,
	CONTAINER_CREATE_FAILED,
	CONTAINER_START,
	CONTAINER_START_FAILED,
	CONTAINER_EXIT,
	CONTAINER_UPDATE,
	CONTAINER_NEW_PROCESS,
	CONTAINER_PIDS,
	CONTAINER_STATS,
	CONTAINER_KILL,
	CONTAINER_DELETE,
	CONTAINER_SAVE,
	CONTAINER_IMPORT,
	CONTAINER_PATCH,
	CONTAINER_RESUME,
	CONTAINER_ABORT,
	CONTAINER_TRIGGERS
};

/* How long a delete of the init process waits for the container to end. */
#define CONTAINER_DELETE_WAIT_NS UINT64_C(30000000000)

/* A disk of the root file system. */
typedef struct lcowmig__layer {
	lcowmig_guid reservation;
	char *guest_path; /* NULL until it is mapped */
} lcowmig__layer;

/* Reservations in the order in which they are given back; those before `first` were. */
typedef struct lcowmig__guids {
	lcowmig_guid *items;
	size_t first;
	size_t count;
} lcowmig__guids;

/* The most used come first: what is near is reached with shorter code. */
struct lcowmig_container {
	lcowmig__object object;
	lcowmig__env *env;
	const lcowmig__container_vm *vm; /* NULL: imported alone, so it is never created here */
	char *id;                        /* the host's name for it; a patch changes it */
	char *gcs_id;                    /* the guest's; never changes */
	char *guest_pod_id;
	lcowmig_process *init;
	lcowmig__tree processes; /* by exec id */

	bool is_standalone;
	bool guest_knows;   /* the guest has, or may have, state of this container */
	bool guest_is_open; /* its exit notification is expected */
	/* An imported container is announced late; what happened until then waits. */
	bool is_announced;
	bool exit_is_due;
	/* The root file system. */
	bool has_layers;
	bool has_scratch;
	bool layers_combined;
	lcowmig__layer *ro_layers; /* the topmost first; those before first_ro_layer were given back */
	size_t first_ro_layer;
	size_t n_ro_layers;
	lcowmig__layer scratch;
	char *rootfs_path;

	/* Further mounts and devices. */
	lcowmig__guids disks;
	lcowmig__guids shares;
	lcowmig__guids devices;

	uint64_t io_retry_timeout_ns;
	lcowmig_event *create_event;
	/* The end: made ahead, so that it needs no memory. */
	lcowmig_event *exit_event;
	lcowmig__flow *exit_flow; /* NULL once it is under way */
	lcowmig__signal terminated;

	lcowmig__gate gate; /* one operation at a time */
	lcowmig__node node; /* of the pod's map, by id */
};

/* Every flow of a container begins like this, so that a container that is freed can let go of those in its background. */
typedef struct lcowmig__container_flow {
	lcowmig__flow flow;
	lcowmig_container *container; /* NULL: it has been freed */
} lcowmig__container_flow;

void *lcowmig__container_flow_new(lcowmig_container *container, size_t size, const lcowmig__flow_class *class, lcowmig_error *error);
lcowmig_container *lcowmig__container_alloc(lcowmig__env *env, const lcowmig__container_vm *vm, const char *guest_pod_id, const char *id,
					    const char *gcs_id, lcowmig_error *error);
/* INVALID_ARGUMENT for an empty id, LIMIT_EXCEEDED for one that could never be imported. */
lcowmig_status lcowmig__container_check_id(const lcowmig__env *env, const char *what, const char *id, lcowmig_error *error);
/* NOT_FOUND when the container has none of that name. */
lcowmig_status lcowmig__container_get_process(const lcowmig_container *container, const char *exec_id, lcowmig_process **ret_process,
					      lcowmig_error *error);
/* FAILED_PRECONDITION when there is no init process: `what` needs one. */
lcowmig_status lcowmig__container_check_init(const lcowmig_container *container, const char *what, lcowmig_error *error);
/* Makes a process of the container's, and adds it. */
lcowmig_status lcowmig__container_make_process(lcowmig_container *container, const char *exec_id, lcowmig_process **ret_process,
					       lcowmig_error *error);
void lcowmig__container_add_process(lcowmig_container *container, lcowmig_process *process);
void lcowmig__container_drop_process(lcowmig_container *container, lcowmig_process *process);
lcowmig__process_owner lcowmig__container_as_owner(lcowmig_container *container);

/* Room for `count` items in an empty list. False when memory is out. */
bool lcowmig__guids_reserve(const lcowmig_container *container, lcowmig__guids *guids, size_t count);
/* Forgets all host resources without giving them back: they are not ours, or gone. */
void lcowmig__container_drop_resources(lcowmig_container *container);
/* Gives back what there is, in the documented order; goes on from where an earlier try stood. */
lcowmig__flow *lcowmig__container_release_flow(lcowmig_container *container, lcowmig_error *error);
/* Inside an await: tells the guest ops that no exit notification is expected any more. */
void lcowmig__container_close_guest(lcowmig__flow *flow, lcowmig_container *container);

/* end.c */
/* What even an abort of an imported container needs; the rest of its end is prepared by Resume. */
lcowmig_status lcowmig__container_prepare_event(lcowmig_container *container, lcowmig_error *error);
lcowmig_status lcowmig__container_prepare_end(lcowmig_container *container, lcowmig_error *error);
/* The init process has exited: Stopped, and so on. */
void lcowmig__container_begin_end(lcowmig_container *container);

/* create.c, and the parts of it in layers.c, mounts.c and devices.c. */
typedef struct lcowmig__container_plan {
	lcowmig_container *container;
	lcowmig__arena *arena; /* of the flow that creates: for everything below */
	cJSON *spec;
	cJSON *guest_spec;
	lcowmig__oci_layers layers;
	lcowmig__oci_mount *mounts;
	size_t n_mounts;
	lcowmig__oci_device *devices;
	size_t n_devices;
} lcowmig__container_plan;

/* How the flow of each part begins. */
typedef struct lcowmig__container_part {
	lcowmig__container_flow base;
	lcowmig__container_plan *plan;
} lcowmig__container_part;

/* All NULL when memory is out. */
lcowmig__flow *lcowmig__container_part_flow(lcowmig__container_plan *plan, size_t size, const lcowmig__flow_class *class);
lcowmig__flow *lcowmig__container_layers_flow(lcowmig__container_plan *plan);
lcowmig__flow *lcowmig__container_mounts_flow(lcowmig__container_plan *plan);
lcowmig__flow *lcowmig__container_devices_flow(lcowmig__container_plan *plan);

/* Inside an await: the guest takes the combined root file system apart. */
void lcowmig__container_remove_layers(lcowmig__flow *flow, const lcowmig_container *container);

/* Copies of what a caller passed, which live as long as the flow; lcowmig__flow_made tells that memory was out. */
lcowmig_rootfs_mount *lcowmig__container_keep_rootfs(lcowmig__flow *flow, const lcowmig_rootfs_mount *mounts, size_t count);
void lcowmig__container_keep_stdio(lcowmig__flow *flow, lcowmig_process_options *stdio);
/* The path that the host has made canonical, in an arena. HOST_FAILED when it gave none. */
lcowmig_status lcowmig__container_take_path(lcowmig__flow *flow, lcowmig__arena *arena, const char **ret_path);

#endif
