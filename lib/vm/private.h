/* What the files of the VM controller share. */
#ifndef LCOWMIG__VM_PRIVATE_H
#define LCOWMIG__VM_PRIVATE_H

#include <string.h>

#include "base/text.h"
#include "vm.h"

typedef enum lcowmig__vm_trigger {
	LCOWMIG__VM_CREATE,
	LCOWMIG__VM_START,
	LCOWMIG__VM_START_FAILED,
	LCOWMIG__VM_OPERATE, /* updates, execs and questions that need a running machine */
	LCOWMIG__VM_QUERY_COMPATIBILITY,
	LCOWMIG__VM_INITIALIZE_SOURCE,
	LCOWMIG__VM_SAVE,
	LCOWMIG__VM_START_SOURCE,
	LCOWMIG__VM_IMPORT,
	LCOWMIG__VM_CREATE_DESTINATION,
	LCOWMIG__VM_PATCH,
	LCOWMIG__VM_START_DESTINATION,
	LCOWMIG__VM_TRANSFER,
	LCOWMIG__VM_FINALIZE_STOP,
	LCOWMIG__VM_FINALIZE_RESUME,
	LCOWMIG__VM_RESUME,
	LCOWMIG__VM_CANCEL,
	LCOWMIG__VM_TERMINATE,
	LCOWMIG__VM_CLOSE_FAILED,
	LCOWMIG__VM_EXITED
} lcowmig__vm_trigger;

#define LCOWMIG__PORT_ENTROPY 1u
#define LCOWMIG__PORT_LOG 109u
#define LCOWMIG__PORT_CONTROL 0x40000000u

#define LCOWMIG__SECOND UINT64_C(1000000000)
#define LCOWMIG__VM_CONNECT_TIME (120 * LCOWMIG__SECOND)
#define LCOWMIG__VM_EXIT_TIME (30 * LCOWMIG__SECOND)

/* What the machine was created or imported with. */
typedef struct lcowmig__vm_config {
	char *document; /* what the machine is now, without any migration's stamps; NULL: none */
	size_t document_size;
	lcowmig__hcs_facts facts; /* of the document */
	char *architecture;
	bool has_options;
	bool no_writable_file_shares;
	bool enable_scratch_encryption;
	bool policy_based_routing;
	bool fully_physically_backed;
	bool confidential;
} lcowmig__vm_config;

struct lcowmig_vm {
	lcowmig__object object; /* first: lcowmig__vm_of */
	lcowmig__env *env;
	lcowmig__vm_owner owner;
	lcowmig__container_vm for_containers;
	lcowmig__gate gate; /* one change of a living machine at a time; ending and cancelling do not queue */

	lcowmig__vm_config config;
	char *policy; /* enforcer, policy, reference and hash envelope, one behind the other; NULL: none */

	lcowmig_scsi *scsi;
	lcowmig_plan9 *plan9;
	lcowmig_vpci *vpci;

	uint8_t *compat; /* collected here or imported */
	size_t compat_size;
	uint32_t next_port; /* floors, collected here or imported; 0: none */
	int64_t next_request_id;

	unsigned execs; /* diagnostic processes in progress */
	char *stacks;   /* of the last dump */

	lcowmig__origin origin; /* its side of the migration that it is in, or was last */
	bool is_creating;   /* a create has the handle in hand: nobody else closes it */
	bool was_started;   /* HCS was asked to run it, so it will report an exit */
	unsigned stops_asked; /* of HCS, by a finalize that has no answer yet */
	bool stop_accepted; /* HCS has finalized with Stop: what is left is to end it */
	bool has_exited;    /* HCS has reported the exit */
	bool told;          /* the owner knows that it has ended */
	lcowmig__hcs_exit exit;
	int64_t started_at;
	int64_t exited_at;
	lcowmig__signal exited;
	lcowmig__signal ended; /* Terminated */
	unsigned logs;         /* log streams being read */
	lcowmig__signal log_done;
	bool is_log_rearmed; /* by a resume, and not ended since */

	bool is_ending; /* one flow ends the machine, others join it */
	lcowmig__signal end_over;
	lcowmig_status end_status;
	lcowmig_error end_error;
	bool is_closing;
	lcowmig__flow closing; /* after an exit that nobody asked for; needs no memory to start */
	lcowmig__flow_rest closing_rest;
	lcowmig__signal never;
};

extern const lcowmig__machine lcowmig__vm_machine;

static inline const lcowmig__mem *lcowmig__vm_mem(const lcowmig_vm *vm)
{
	return &vm->object.context->mem;
}

/* A flow on the machine; NULL and an error when memory is out. */
void *lcowmig__vm_flow(lcowmig_vm *vm, size_t size, const lcowmig__flow_class *class, lcowmig_error *error);
/* The same for one with nothing of its own. */
lcowmig__flow *lcowmig__vm_plain_flow(lcowmig_vm *vm, const lcowmig__flow_class *class, lcowmig_error *error);

/* The machine of such a flow. */
static inline lcowmig_vm *lcowmig__vm_of(const lcowmig__flow *flow)
{
	return LCOWMIG__CONTAINER_OF(flow->object, lcowmig_vm, object);
}

/* Checks a trigger in the middle of a flow, after an await in which the state may have changed: UNAVAILABLE when the machine has ended. */
lcowmig_status lcowmig__vm_recheck(const lcowmig_vm *vm, int trigger, lcowmig_error *error);
/* The same, and fires it. */
lcowmig_status lcowmig__vm_advance(lcowmig_vm *vm, int trigger, lcowmig_error *error);
/* Fires a trigger that leaves the state, when an operation has succeeded; nothing when the state has moved on meanwhile. */
void lcowmig__vm_note(lcowmig_vm *vm, int trigger);
void lcowmig__vm_config_done(const lcowmig__mem *mem, lcowmig__vm_config *config);
/* Inside an await: asks HCS for properties. */
void lcowmig__vm_query(lcowmig__flow *flow, const char *query);

/* As many SCSI controllers as the document's highest one asks for. */
uint32_t lcowmig__vm_document_controllers(const lcowmig_vm *vm);
/* A SCSI controller with the document's disks, for a machine that has none yet. */
lcowmig_status lcowmig__vm_build_scsi(const lcowmig_vm *vm, lcowmig_scsi **ret_scsi, lcowmig_error *error);

/* vm_create.c: closes the handle of a machine that did not come to life. Shielded. */
lcowmig__flow *lcowmig__vm_close_handle_flow(lcowmig_vm *vm, lcowmig_error *error);
/* vm_start.c: reads the guest's log in the background; `prepares`: arms the listener first. Never fails. */
void lcowmig__vm_watch_log(lcowmig_vm *vm, bool prepares);
/* Takes over what the guest's negotiation told; for the flow whose await ended with it. */
lcowmig_status lcowmig__vm_connected(lcowmig__flow *flow);
/* vm_end.c: `trigger` is TERMINATE or FINALIZE_STOP, after which the machine is expected to end by itself. */
lcowmig__flow *lcowmig__vm_end_flow(lcowmig_vm *vm, int trigger, lcowmig_error *error);
/* vm_query.c */
lcowmig__flow *lcowmig__vm_compatibility_flow(lcowmig_vm *vm, lcowmig_error *error);

/* The public operations that no other controller needs (vm_query.c, vm_exec.c, vm_end.c). All but wait are made in Running only. */
lcowmig__flow *lcowmig__vm_wait_flow(lcowmig_vm *vm, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_dump_stacks_flow(lcowmig_vm *vm, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_stats_flow(lcowmig_vm *vm, lcowmig_vm_stats *ret_stats, lcowmig_error *error);
lcowmig__flow *lcowmig__vm_exec_flow(lcowmig_vm *vm, const lcowmig_vm_exec *exec, int32_t *ret_exit_code, lcowmig_error *error);

#endif
