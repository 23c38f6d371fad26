/* The VM controller from the inside. Conventions as in scsi/scsi.h. */
#ifndef LCOWMIG__VM_H
#define LCOWMIG__VM_H

#include "container/container.h"
#include "engine/env.h"
#include "hcs/documents.h"
#include "hcs/options.h"
#include "lcowmig/vm.h"
#include "plan9/plan9.h"
#include "scsi/scsi.h"
#include "vpci/vpci.h"
#include "wire/wire.h"

typedef enum lcowmig__vm_state {
	LCOWMIG__VM_NOT_CREATED,
	LCOWMIG__VM_CREATED,
	LCOWMIG__VM_RUNNING,
	LCOWMIG__VM_TERMINATED,
	LCOWMIG__VM_INVALID,
	LCOWMIG__VM_SOURCE_INITIALIZED,
	LCOWMIG__VM_SOURCE_STARTED,
	LCOWMIG__VM_DESTINATION_IMPORTED,
	LCOWMIG__VM_DESTINATION_CREATED,
	LCOWMIG__VM_DESTINATION_PATCHED,
	LCOWMIG__VM_DESTINATION_STARTED,
	LCOWMIG__VM_TRANSFER_COMPLETED,
	LCOWMIG__VM_FINALIZED
} lcowmig__vm_state;

/* Told under the lock when the machine has ended, by whatever road. */
typedef struct lcowmig__vm_owner {
	void (*ended)(void *user);
	void *user;
	const char *(*sandbox_id)(void *user); /* NULL until the sandbox is named */
} lcowmig__vm_owner;

lcowmig_status lcowmig__vm_new(lcowmig__env *env, const lcowmig__vm_owner *owner, lcowmig_vm **ret_vm, lcowmig_error *error);
void lcowmig__vm_free(lcowmig_vm *vm);
lcowmig__vm_state lcowmig__vm_get_state(const lcowmig_vm *vm);
const char *lcowmig__vm_state_name(const lcowmig_vm *vm);
/* What containers ask of it; borrowed, lives as long as the VM. */
const lcowmig__container_vm *lcowmig__vm_for_containers(lcowmig_vm *vm);
bool lcowmig__vm_policy_based_routing(const lcowmig_vm *vm);

/* Whether it has ended, is being ended, or the host was asked for a finalize with Stop and has not refused: it shall not run again. */
bool lcowmig__vm_must_stop(const lcowmig_vm *vm);
bool lcowmig__vm_is_free_to_go(const lcowmig_vm *vm, lcowmig_error *error); /* for lcowmig_sandbox_free */
/* The device controllers, made on first use. */
lcowmig_status lcowmig__vm_scsi(lcowmig_vm *vm, lcowmig_scsi **ret_scsi, lcowmig_error *error);
lcowmig_status lcowmig__vm_plan9(lcowmig_vm *vm, lcowmig_plan9 **ret_plan9, lcowmig_error *error);
lcowmig_status lcowmig__vm_vpci(lcowmig_vm *vm, lcowmig_vpci **ret_vpci, lcowmig_error *error);

/* The sandbox must have its id. */
lcowmig__flow *lcowmig__vm_create_flow(lcowmig_vm *vm, const char *document, size_t size, const lcowmig_vm_options *options,
				       lcowmig_error *error);
lcowmig__flow *lcowmig__vm_start_flow(lcowmig_vm *vm, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_terminate_flow(lcowmig_vm *vm, lcowmig_error *error);

/* Changes of the running machine, which its document remembers. `size_mb` is rounded up to an even number. */
lcowmig__flow *lcowmig__vm_update_memory_flow(lcowmig_vm *vm, uint64_t size_mb, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_update_cpu_flow(lcowmig_vm *vm, const lcowmig__hcs_cpu_limits *limits, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_update_cpu_group_flow(lcowmig_vm *vm, const char *id, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_update_fragment_flow(lcowmig_vm *vm, const char *fragment, const char *media_type, lcowmig_error *error);

/* Source. */
void lcowmig__vm_check(const lcowmig_vm *vm, void (*report)(void *user, const char *reason), void *user); /* */
/* `options`, here and below, stay the caller's until the flow has ended; NULL: the platform's defaults. */
/* After a check that brought no reasons. */
lcowmig__flow *lcowmig__vm_initialize_source_flow(lcowmig_vm *vm, const lcowmig__migration_options *options, lcowmig_error *error);
/* Queries the compatibility blob and the allocator floors and keeps them for capture. */
lcowmig__flow *lcowmig__vm_collect_flow(lcowmig_vm *vm, lcowmig_error *error);
/* After collect, in the same step as freeze: SCSI built if it never was, Plan9 and vPCI empty. Nothing changes on failure. */
lcowmig_status lcowmig__vm_capture(lcowmig_vm *vm, lcowmig__arena *arena, lcowmig__wire_vm *ret_wire, lcowmig_error *error);
void lcowmig__vm_freeze(lcowmig_vm *vm);
lcowmig__flow *lcowmig__vm_start_source_flow(lcowmig_vm *vm, void *socket, uint32_t session_number, lcowmig_error *error);

/* Destination. */
lcowmig_status lcowmig__vm_import(lcowmig_vm *vm, const lcowmig__wire_vm *wire, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_create_destination_flow(lcowmig_vm *vm, const lcowmig__migration_options *options, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_patch_flow(lcowmig_vm *vm, lcowmig_error *error); /* grants access to every disk */
lcowmig__flow *lcowmig__vm_start_destination_flow(lcowmig_vm *vm, void *socket, uint32_t session_number, lcowmig_error *error);

/* Both. Which side the machine is on it knows by its initialize or import. */
lcowmig__flow *lcowmig__vm_transfer_flow(lcowmig_vm *vm, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_finalize_flow(lcowmig_vm *vm, bool resume, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_resume_flow(lcowmig_vm *vm, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_cancel_flow(lcowmig_vm *vm, lcowmig_error *error); /* never waits for a transfer; HRESULT in flow->error */

/* HCS reports its exit. */
void lcowmig__vm_hcs_exited(lcowmig_vm *vm, const char *data);

#endif
