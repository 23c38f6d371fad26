/* The Linux container controller from the inside. Conventions as in scsi/scsi.h. */
#ifndef LCOWMIG__CONTAINER_H
#define LCOWMIG__CONTAINER_H

#include "engine/env.h"
#include "lcowmig/container.h"
#include "lcowmig/plan9.h"
#include "lcowmig/vpci.h"
#include "process/process.h"
#include "scsi/scsi.h"

extern const lcowmig__machine lcowmig__container_machine;

/* What a container needs of its virtual machine. Plan9 and vPCI are made on first use, so they are asked for (VM controller). */
typedef struct lcowmig__container_vm {
	void *user;
	lcowmig_status (*scsi)(void *user, lcowmig_scsi **ret_scsi, lcowmig_error *error);
	lcowmig_status (*plan9)(void *user, struct lcowmig_plan9 **ret_plan9, lcowmig_error *error);
	lcowmig_status (*vpci)(void *user, struct lcowmig_vpci **ret_vpci, lcowmig_error *error);
	bool (*scratch_encryption)(void *user);
} lcowmig__container_vm;

/*
 * The ids are copied, `vm` is borrowed from the sandbox.
 * INVALID_ARGUMENT (empty id), LIMIT_EXCEEDED, NO_MEMORY.
 */
lcowmig_status lcowmig__container_new(lcowmig__env *env, const lcowmig__container_vm *vm, const char *guest_pod_id, const char *id,
				      lcowmig_container **ret_container, lcowmig_error *error);
/* Nothing but watches may be in flight (lcowmig__container_check_idle). Gives nothing back to host or guest. */
void lcowmig__container_free(lcowmig_container *container);

/* Public operations as flows; see lcowmig/container.h for their behaviour. */
lcowmig__flow *lcowmig__container_create_flow(lcowmig_container *container, const lcowmig_container_options *options, lcowmig_error *error);
lcowmig__flow *lcowmig__container_start_flow(lcowmig_container *container, lcowmig_error *error);
lcowmig__flow *lcowmig__container_kill_flow(lcowmig_container *container, const char *exec_id, uint32_t signal, bool all,
					    lcowmig_error *error);
lcowmig__flow *lcowmig__container_delete_flow(lcowmig_container *container, const char *exec_id, lcowmig_exit *ret_exit,
					      lcowmig_error *error);
lcowmig__flow *lcowmig__container_wait_flow(lcowmig_container *container, lcowmig_error *error);
lcowmig__flow *lcowmig__container_update_flow(lcowmig_container *container, const char *resources, lcowmig_error *error);
lcowmig__flow *lcowmig__container_pids_flow(lcowmig_container *container, lcowmig_pids **ret_pids, lcowmig_error *error);
lcowmig__flow *lcowmig__container_stats_flow(lcowmig_container *container, lcowmig_stats **ret_stats, lcowmig_error *error);
lcowmig__flow *lcowmig__container_exec_flow(lcowmig_container *container, const char *exec_id, const lcowmig_process_options *options,
					    lcowmig_process **ret_process, lcowmig_error *error);
lcowmig_status lcowmig__container_new_process(lcowmig_container *container, const char *exec_id, lcowmig_process **ret_process,
					      lcowmig_error *error);

lcowmig_status lcowmig__container_capture(lcowmig_container *container, lcowmig__arena *arena, lcowmig__wire_container *ret_wire,
					  lcowmig_error *error);
void lcowmig__container_freeze(lcowmig_container *container);
lcowmig_status lcowmig__container_import(lcowmig__env *env, const lcowmig__container_vm *vm, const char *guest_pod_id,
					 const lcowmig__wire_container *wire, lcowmig_container **ret_container, lcowmig_error *error);
/*
 * Patch. The flow resolves paths, checks layers, opens stdio, repoints all disks and adopts the new id: all or nothing. `commit`
 * (may be NULL) is called under the lock right before the change; it may still refuse, and must do its own change when it succeeds (the pod
 * re-keys itself).
 */
typedef lcowmig_status (*lcowmig__container_commit)(void *user, lcowmig_container *container, const char *new_id, lcowmig_error *error);
lcowmig__flow *lcowmig__container_patch_flow(lcowmig_container *container, const lcowmig_patch *patch, lcowmig__container_commit commit,
					     void *user, lcowmig_error *error);
/* Adopts the wait ids of its processes. */
lcowmig_status lcowmig__container_adopt(lcowmig_container *container, lcowmig_error *error);
/*
 * Destination: opens the container in the guest, resumes the init process; Running; TASK_CREATE is kept back until
 * lcowmig__container_announce. Source: resumes its processes. Running, Stopped, Invalid: no-op.
 */
lcowmig__flow *lcowmig__container_resume_flow(lcowmig_container *container, bool is_destination, lcowmig_error *error);
/* Sends the TASK_CREATE that resume kept back, and from then on exits; exits that came earlier follow it. */
void lcowmig__container_announce(lcowmig_container *container);
/*
 * Imported and never resumed: Stopped, TASK_EXIT with 137; its reservations are forgotten, not given back. Resumed but not announced yet:
 * announced. Other containers: nothing. Cannot fail.
 */
void lcowmig__container_abort(lcowmig_container *container);
void lcowmig__container_hint_exit(lcowmig_container *container);

/* FAILED_PRECONDITION naming an operation in flight on the container or one of its processes: it must not be freed then. */
lcowmig_status lcowmig__container_check_idle(const lcowmig_container *container, lcowmig_error *error);
/* Reasons against a migration, one after the other, each a sentence with the container's name. Nothing is changed. */
void lcowmig__container_check(const lcowmig_container *container, void (*report)(void *user, const char *reason), void *user);

const char *lcowmig__container_id(const lcowmig_container *container);
const char *lcowmig__container_guest_id(const lcowmig_container *container);
bool lcowmig__container_has_ended(const lcowmig_container *container);
lcowmig_process *lcowmig__container_init(const lcowmig_container *container); /* NULL when there is none */

/* The node of the owning pod's map, keyed by the current id. */
lcowmig__node *lcowmig__container_node(lcowmig_container *container);
lcowmig_container *lcowmig__container_of_node(lcowmig__node *node);

#endif
