/* The sandbox from the inside: VM, pods, index. */
#ifndef LCOWMIG__SANDBOX_H
#define LCOWMIG__SANDBOX_H

#include "engine/env.h"
#include "lcowmig/migration.h"
#include "lcowmig/sandbox.h"
#include "pod/pod.h"
#include "vm/vm.h"

struct lcowmig_sandbox {
	lcowmig__object object; /* of a machine with one state: counts what is in flight on the sandbox itself, has the name for errors */
	lcowmig__env env;
	char *id; /* NULL until it is named */
	lcowmig_vm *vm;
	lcowmig__tree pods;       /* by current pod id */
	lcowmig__tree containers; /* by current container id: the index, lcowmig__index_entry */
	lcowmig__tree guest_ids;  /* the same entries by the id that the guest knows, which never changes */
	lcowmig_migration *migration;
	unsigned host_calls; /* not completed; they refer to env */
	bool guest_attached;
};

/* One entry of the index. */
typedef struct lcowmig__index_entry {
	lcowmig__node node;
	lcowmig__node guest_node;
	lcowmig_container *container; /* its id is the key */
	lcowmig_pod *pod;
} lcowmig__index_entry;

extern const lcowmig__machine lcowmig__sandbox_machine;

/* By the guest's id. */
lcowmig__index_entry *lcowmig__sandbox_find_guest(const lcowmig_sandbox *sandbox, const char *guest_container_id);
void lcowmig__sandbox_init_maps(lcowmig_sandbox *sandbox);
/* Adds a new container of `pod` to the index: ALREADY_EXISTS (also for the id that the guest knows another one by), NO_MEMORY. */
lcowmig_status lcowmig__sandbox_add_container(lcowmig_sandbox *sandbox, lcowmig_pod *pod, lcowmig_container *container,
					      lcowmig_error *error);
/* ALREADY_EXISTS when there is one of that id. */
lcowmig_status lcowmig__sandbox_check_new_pod(const lcowmig_sandbox *sandbox, const char *pod_id, lcowmig_error *error);
/* It must be there. */
void lcowmig__sandbox_remove_container(lcowmig_sandbox *sandbox, const char *container_id);
/* ALREADY_EXISTS when the id is taken as a host's or a guest's one. */
lcowmig_status lcowmig__sandbox_check_new_id(const lcowmig_sandbox *sandbox, const char *container_id, lcowmig_error *error);

lcowmig__env *lcowmig__sandbox_env(lcowmig_sandbox *sandbox);
lcowmig__index_entry *lcowmig__sandbox_find(const lcowmig_sandbox *sandbox, const char *container_id);
lcowmig_pod *lcowmig__sandbox_find_pod(const lcowmig_sandbox *sandbox, const char *pod_id);
/* Pods in id order: NULL starts, NULL ends. */
lcowmig_pod *lcowmig__sandbox_next_pod(const lcowmig_sandbox *sandbox, const lcowmig_pod *pod);
/* Adds an imported pod and its containers to the maps, all or nothing (ALREADY_EXISTS, NO_MEMORY). Takes the pod on success. */
lcowmig_status lcowmig__sandbox_add_pod(lcowmig_sandbox *sandbox, lcowmig_pod *pod, lcowmig_error *error);
/* Removes the pod and its index entries and frees it: undoes an import. */
void lcowmig__sandbox_remove_pod(lcowmig_sandbox *sandbox, lcowmig_pod *pod);
/* Patches a container, re-keying pod map and index: lcowmig__pod_patch_flow with the sandbox's commit. */
lcowmig__flow *lcowmig__sandbox_patch_flow(lcowmig_sandbox *sandbox, const lcowmig_patch *patch, lcowmig_error *error);
/* FAILED_PRECONDITION while there is a session, or anything left of one. `what` needs that; it is for the error. */
lcowmig_status lcowmig__sandbox_check_no_session(const lcowmig_sandbox *sandbox, const char *what, lcowmig_error *error);
/* The same unless the machine is exactly Running. */
lcowmig_status lcowmig__sandbox_check_running(const lcowmig_sandbox *sandbox, const char *what, lcowmig_error *error);
/* lcowmig_sandbox_check_task for who has the lock. */
lcowmig_status lcowmig__sandbox_check_task(const lcowmig_sandbox *sandbox, lcowmig_task_call call, lcowmig_error *error);
/* Stops every imported, never resumed container. Cannot fail. */
void lcowmig__sandbox_abort(lcowmig_sandbox *sandbox);

/* The session, made and freed with the sandbox; implemented by lib/migration. */
lcowmig_status lcowmig__migration_new(lcowmig_sandbox *sandbox, lcowmig_migration **ret_migration, lcowmig_error *error);
void lcowmig__migration_free(lcowmig_migration *migration);
/* That there is no session, nor anything left of one. */
lcowmig_status lcowmig__migration_check_idle(const lcowmig_migration *migration, lcowmig_error *error);
/* The machine has ended: whatever state the session is in. */
void lcowmig__migration_vm_ended(lcowmig_migration *migration);
void lcowmig__migration_hcs_event(lcowmig_migration *migration, const char *data);

#endif
