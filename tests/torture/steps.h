/* What the files with scenarios share. */
#ifndef TORTURE_STEPS_H
#define TORTURE_STEPS_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "host_private.h"
#include "torture.h"

#define SOURCE_HOST(t) ((t)->world->source.host)
#define SOURCE_VM(t) lcowmig_sandbox_vm((t)->world->source.sandbox)

/* The machine that the scenario works on can still be worked with. */
bool steps_vm_runs(lcowmig_sandbox *sandbox);
/* Lets time pass on the source, so that what the background retries is done. */
void steps_let_pass(torture *t, unsigned seconds);
/* The process exits in the guest, if somebody waits for that. */
void steps_exit(torture *t, uint32_t pid, uint32_t status);
/* The disks on a sandbox's machine. */
unsigned steps_count_disks(torture *t, lcowmig_sandbox *sandbox);
/* Reads a golden envelope into t->envelope. */
void steps_read_golden(torture *t, const char *name);

extern const torture_step torture_vm_steps[];
extern const torture_step torture_update_steps[];
extern const torture_step torture_container_steps[];
extern const torture_step torture_network_steps[];
extern const torture_step torture_scsi_steps[];
extern const torture_step torture_plan9_steps[];
extern const torture_step torture_vpci_steps[];
extern const torture_step torture_import_steps[];
bool torture_vm_undo(torture *t);
bool torture_container_undo(torture *t);
bool torture_network_undo(torture *t);
bool torture_scsi_undo(torture *t);
bool torture_plan9_undo(torture *t);
bool torture_vpci_undo(torture *t);
void torture_vm_end(torture *t);
void torture_import_end(torture *t);

#define OK(call) ck_assert_msg((call) == LCOWMIG_OK, "%s: %s", #call, t->error->message)

#endif
