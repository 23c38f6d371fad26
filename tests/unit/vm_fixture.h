/* What the suites of the VM controller share: the controller alone with a scripted host, and roads into each of its states. */
#ifndef TEST_VM_FIXTURE_H
#define TEST_VM_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hcs/documents.h"
#include "host.h"
#include "vm/private.h"

#define CMDLINE "panic=-1 quiet -- -e 1 /bin/vsockexec -r -e 109 /bin/gcs -v4"
#define DOCUMENT(cmdline, devices)                                                                                                         \
	"{\"Owner\":\"test\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"VirtualMachine\":{\"StopOnReset\":true,\"Chipset\":"            \
	"{\"LinuxKernelDirect\":{\"KernelFilePath\":\"C:\\\\vmlinux\",\"KernelCmdLine\":\"" cmdline "\"}},\"ComputeTopology\":"            \
	"{\"Memory\":{\"SizeInMB\":1024},\"Processor\":{\"Count\":2}},\"Devices\":{\"Scsi\":"                                              \
	"{\"0110f83b-de10-5172-a266-78bca56bf50a\":{},\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":"                   \
	"{\"Type\":\"VirtualDisk\",\"Path\":\"C:\\\\rootfs.vhd\",\"ReadOnly\":true}}}}" devices "}},\"Huge\":9007199254740993}"
#define STANDARD DOCUMENT(CMDLINE, "")
#define NO_SCSI "{\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{\"KernelCmdLine\":\"" CMDLINE "\"}}}}"
#define SECONDS(n) ((n)*UINT64_C(1000000000))

static test_host *host;
static lcowmig_vm *vm;
static int ended_calls;
static void *transport;

static inline void on_ended(void *user)
{
	(void)user;
	ended_calls++;
}

static inline const char *name_of_sandbox(void *user)
{
	return user;
}

static inline void vm_new(void)
{
	lcowmig__vm_owner owner = { on_ended, (void *)(uintptr_t) "test", name_of_sandbox };

	ended_calls = 0;
	ck_assert_int_eq(lcowmig__vm_new(&host->env, &owner, &vm, NULL), LCOWMIG_OK);
}

static inline void setup(void)
{
	host = test_host_new();
	host->env.system = NULL;
	host->env.vm_id = NULL;
	host->env.runtime_id = NULL;
	host->env.has_guest = false;
	host->env.guest_supports_dump_stacks = false;
	transport = NULL;
	vm_new();
}

static inline int state(void)
{
	return (int)lcowmig_vm_get_state(vm);
}

static inline void exit_with(const char *data)
{
	test_enter(host);
	lcowmig__vm_hcs_exited(vm, data);
	test_leave(host);
}

static inline void exits(void)
{
	exit_with("{\"Status\":0,\"ExitType\":\"GracefulExit\"}");
}

/* Ends whatever the test left. */
static inline void settle(void)
{
	test_done done = { 0 };

	test_host_fail_allocation(host, 0, false);
	if (state() == LCOWMIG_VM_NOT_CREATED || state() == LCOWMIG_VM_TERMINATED)
		return;
	if (lcowmig_vm_terminate(vm, test_on_done, &done, NULL) == LCOWMIG_PENDING) {
		exits();
		test_host_advance(host, SECONDS(61));
		ck_assert_int_eq(done.calls, 1);
	}
}

static inline void teardown(void)
{
	settle();
	ck_assert_ptr_null(host->env.system);
	lcowmig__vm_free(vm);
	test_host_free(host);
}

static inline lcowmig_status run(lcowmig__flow *flow, lcowmig_error *error)
{
	return test_run(host, flow, NULL, error);
}

static inline lcowmig_vm_options standard_options(void)
{
	lcowmig_vm_options options = LCOWMIG_VM_OPTIONS_INIT;

	options.architecture = "amd64";
	options.no_writable_file_shares = 1;
	options.policy_based_routing = 1;
	options.fully_physically_backed = 1;
	return options;
}

static inline lcowmig_status create_from(const char *document, lcowmig_error *error)
{
	lcowmig_vm_options options = standard_options();

	return lcowmig_vm_create(vm, document, strlen(document), &options, test_on_done, NULL, error);
}

static inline void make_created(void)
{
	ck_assert_int_eq(create_from(STANDARD, NULL), LCOWMIG_OK);
}

static inline void make_running(void)
{
	make_created();
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
}

static inline void make_initialized(void)
{
	make_running();
	ck_assert_int_eq(run(lcowmig__vm_initialize_source_flow(vm, NULL, NULL), NULL), LCOWMIG_OK);
}

static inline void make_source_started(void)
{
	make_initialized();
	ck_assert_int_eq(run(lcowmig__vm_start_source_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_OK);
}

static inline void make_source_finalized(void)
{
	make_source_started();
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, true, NULL), NULL), LCOWMIG_OK);
}

static lcowmig__wire_disk wire_disks[3];
static inline lcowmig__wire_vm standard_wire(void)
{
	static const char document[] = STANDARD;
	lcowmig__wire_vm wire = { 0 };

	memset(wire_disks, 0, sizeof wire_disks);
	wire_disks[0] =
		(lcowmig__wire_disk){ .slot = 0, .host_path = "C:\\rootfs.vhd", .read_only = true, .type = "VirtualDisk", .evd_type = "" };
	wire_disks[1] = (lcowmig__wire_disk){ .slot = 1, .host_path = "\\\\.\\PHYSICALDRIVE1", .type = "PassThru", .evd_type = "" };
	wire_disks[2] = (lcowmig__wire_disk){ .slot = 66, .host_path = "evd://7", .type = "ExtensibleVirtualDisk", .evd_type = "space" };
	wire.vm_id = "source@vm";
	wire.has_options = true;
	wire.enable_scratch_encryption = true;
	wire.policy_based_routing = true;
	wire.fully_physically_backed = true;
	wire.architecture = "amd64";
	wire.has_scsi = true;
	wire.scsi.num_controllers = 2;
	wire.scsi.disks = wire_disks;
	wire.scsi.n_disks = 3;
	wire.gcs_next_port = 0x40000009;
	wire.bridge_next_id = 77;
	wire.compat_info.data = (const uint8_t *)"compat";
	wire.compat_info.size = 6;
	wire.hcs_document.data = (const uint8_t *)document;
	wire.hcs_document.size = strlen(document);
	return wire;
}

static inline lcowmig_status import(const lcowmig__wire_vm *wire, lcowmig_error *error)
{
	lcowmig_status status;

	test_enter(host);
	status = lcowmig__vm_import(vm, wire, error);
	test_leave(host);
	return status;
}

static inline void make_imported(void)
{
	lcowmig__wire_vm wire = standard_wire();

	ck_assert_int_eq(import(&wire, NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED);
}

static inline lcowmig_status create_destination(lcowmig_error *error)
{
	lcowmig__migration_options options = { .memory_transport = LCOWMIG__TRANSPORT_TCP };

	return run(lcowmig__vm_create_destination_flow(vm, &options, NULL), error);
}

static inline void make_destination_created(void)
{
	make_imported();
	ck_assert_int_eq(create_destination(NULL), LCOWMIG_OK);
}

static inline void make_destination_patched(void)
{
	make_destination_created();
	ck_assert_int_eq(run(lcowmig__vm_patch_flow(vm, NULL), NULL), LCOWMIG_OK);
}

static inline void make_destination_started(void)
{
	make_destination_patched();
	ck_assert_int_eq(run(lcowmig__vm_start_destination_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_OK);
}

static inline void make_transferred(void)
{
	make_destination_started();
	ck_assert_int_eq(run(lcowmig__vm_transfer_flow(vm, NULL), NULL), LCOWMIG_OK);
}

static inline void make_destination_finalized(void)
{
	make_transferred();
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, true, NULL), NULL), LCOWMIG_OK);
}

/* Every state that a test can be put into. */
static void (*const makers[])(void) = {
	[LCOWMIG_VM_NOT_CREATED] = NULL,
	[LCOWMIG_VM_CREATED] = make_created,
	[LCOWMIG_VM_RUNNING] = make_running,
	[LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED] = make_initialized,
	[LCOWMIG_VM_SOURCE_MIGRATION_STARTED] = make_source_started,
	[LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED] = make_imported,
	[LCOWMIG_VM_DESTINATION_MIGRATION_CREATED] = make_destination_created,
	[LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED] = make_destination_patched,
	[LCOWMIG_VM_DESTINATION_MIGRATION_STARTED] = make_destination_started,
	[LCOWMIG_VM_MIGRATION_TRANSFER_COMPLETED] = make_transferred,
	[LCOWMIG_VM_MIGRATION_FINALIZED] = make_destination_finalized,
};
#define N_STATES 13

static inline void make_invalid(void)
{
	make_created();
	test_host_fail(host, "hcs.start", 1, LCOWMIG_E_HOST_FAILED, 0x80070005, "no");
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, NULL, NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_INVALID);
}

static inline void make_terminated(void)
{
	make_running();
	exits();
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
}

static inline void make(int wanted)
{
	if (wanted == LCOWMIG_VM_INVALID)
		make_invalid();
	else if (wanted == LCOWMIG_VM_TERMINATED)
		make_terminated();
	else if (makers[wanted])
		makers[wanted]();
	ck_assert_int_eq(state(), wanted);
}

static inline lcowmig_status save(lcowmig__arena *arena, lcowmig__wire_vm *wire, lcowmig_error *error)
{
	lcowmig_status status = run(lcowmig__vm_collect_flow(vm, NULL), error);

	if (status != LCOWMIG_OK)
		return status;
	test_enter(host);
	status = lcowmig__vm_capture(vm, arena, wire, error);
	test_leave(host);
	return status;
}

static inline lcowmig_status save_and_forget(lcowmig_error *error)
{
	lcowmig__wire_vm wire;
	lcowmig__arena arena;
	lcowmig_status status;

	lcowmig__arena_init(&arena, &host->context->mem, 0);
	status = save(&arena, &wire, error);
	lcowmig__arena_done(&arena);
	return status;
}

#endif
