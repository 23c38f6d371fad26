/* Flows on one host. */
#include <stdio.h>

#include "steps.h"

bool steps_vm_runs(lcowmig_sandbox *sandbox)
{
	return lcowmig_vm_get_state(lcowmig_sandbox_vm(sandbox)) == LCOWMIG_VM_RUNNING;
}

void steps_let_pass(torture *t, unsigned seconds)
{
	while (seconds--)
		torture_advance(SOURCE_HOST(t), UINT64_C(1000000000));
}

static bool somebody_waits(test_host *host, uint32_t pid)
{
	lcowmig__list *node, *following;

	LCOWMIG__LIST_EACH (node, following, &host->p->pending) {
		const test_call *call = LCOWMIG__LIST_ENTRY(node, test_call, node);

		if (strcmp(call->specific, "guest.rpc:10100601") == 0 && call->pid == pid)
			return true;
	}
	return false;
}

/* A wait that ran out of memory is asked again after a while; memory is there again in the end. */
void steps_exit(torture *t, uint32_t pid, uint32_t status)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		steps_let_pass(t, 20);
		if (pid && torture_guest)
			torture_guest->exit(SOURCE_HOST(t), pid, status);
		else if (pid && somebody_waits(SOURCE_HOST(t), pid))
			test_host_exit_process(SOURCE_HOST(t), pid, status);
		steps_let_pass(t, 5);
		torture_memory_returns(t);
	}
}

unsigned steps_count_disks(torture *t, lcowmig_sandbox *sandbox)
{
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	unsigned count = 0;
	lcowmig_scsi *scsi;
	uint32_t slot;

	OK(lcowmig_vm_scsi(lcowmig_sandbox_vm(sandbox), &scsi, t->error));
	for (slot = 0; slot < lcowmig_scsi_slots(scsi); slot++)
		count += lcowmig_scsi_disk(scsi, slot, &disk, NULL) == LCOWMIG_OK;
	return count;
}

void steps_read_golden(torture *t, const char *name)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s.bin", TORTURE_GOLDEN, name);
	file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s is not there", path);
	t->envelope_size = fread(t->envelope, 1, sizeof t->envelope, file);
	ck_assert_uint_lt(t->envelope_size, sizeof t->envelope);
	fclose(file);
}

const torture_scenario torture_operations[] = {
	{ "machine", 0, 0, false, torture_vm_steps, torture_vm_undo, torture_vm_end, false, TORTURE_VM },
	{ "update", 1, 0, false, torture_update_steps, NULL, NULL, false, TORTURE_VM },
	{ "container", 1, 0, false, torture_container_steps, torture_container_undo, NULL, false,
	  TORTURE_CONTAINER | TORTURE_POD | TORTURE_VM },
	{ "network", 0, 0, false, torture_network_steps, torture_network_undo, NULL, false, TORTURE_POD },
	{ "scsi", 0, 0, false, torture_scsi_steps, torture_scsi_undo, NULL, false, TORTURE_DEVICES },
	{ "plan9", 0, 0, false, torture_plan9_steps, torture_plan9_undo, NULL, false, TORTURE_DEVICES },
	{ "vpci", 0, 0, false, torture_vpci_steps, torture_vpci_undo, NULL, false, TORTURE_DEVICES },
	{ "import-alone", 0, 0, false, torture_import_steps, NULL, torture_import_end, true,
	  TORTURE_CONTAINER | TORTURE_ALONE | TORTURE_DEVICES },
	{ NULL, 0, 0, false, NULL, NULL, NULL, false, 0 },
};
