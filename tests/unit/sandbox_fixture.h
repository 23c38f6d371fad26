/* What the programs about the sandbox share: one on a scripted host, its machine in some state, pods that were imported. */
#ifndef TEST_SANDBOX_FIXTURE_H
#define TEST_SANDBOX_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "sandbox/sandbox.h"

#define DOCUMENT                                                                                                                           \
	"{\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{\"KernelCmdLine\":\"-- /bin/vsockexec -r -e 109 "                        \
	"/bin/gcs\"}},\"Devices\":"                                                                                                        \
	"{\"Scsi\":{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\",\"Path\":\"C:\\\\r.vhd\","  \
	"\"ReadOnly\":true}}}}}}}"

#define SESSION "3f9b6e1c-9f55-4d6d-8b3b-2a9f4f0d6c77"

static test_host *host;
static lcowmig_sandbox *sandbox;
static lcowmig_vm *vm;

static inline void setup(void)
{
	host = test_host_new();
	ck_assert_int_eq(lcowmig_sandbox_new(host->context, &host->config, &sandbox, NULL), LCOWMIG_OK);
	vm = lcowmig_sandbox_vm(sandbox);
}

static inline void exits(void)
{
	ck_assert_int_eq(
		lcowmig_sandbox_hcs_event(sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, "{\"Status\":0,\"ExitType\":\"GracefulExit\"}", NULL),
		LCOWMIG_OK);
}

static inline void terminate(void)
{
	test_done done = { 0 };

	if (lcowmig_vm_terminate(vm, test_on_done, &done, NULL) == LCOWMIG_PENDING) {
		exits();
		ck_assert_int_eq(done.calls, 1);
	}
}

static inline void teardown(void)
{
	test_done done = { 0 };

	test_host_fail_allocation(host, 0, false);
	if (sandbox) {
		terminate();
		if (lcowmig_migration_session_id(lcowmig_sandbox_migration(sandbox))[0])
			lcowmig_migration_abandon(lcowmig_sandbox_migration(sandbox), SESSION, test_on_done, &done, NULL);
		test_host_advance(host, UINT64_C(120000000000));
		ck_assert_int_eq(lcowmig_sandbox_free(sandbox, NULL), LCOWMIG_OK);
	}
	test_host_free(host);
}

static inline void make_created(void)
{
	ck_assert_int_eq(lcowmig_vm_create(vm, DOCUMENT, strlen(DOCUMENT), NULL, test_on_done, NULL, NULL), LCOWMIG_OK);
}

static inline void make_running(void)
{
	make_created();
	ck_assert_int_eq(lcowmig_vm_start(vm, test_on_done, NULL, NULL), LCOWMIG_OK);
}

static lcowmig__wire_process processes[4];
static lcowmig__wire_container containers[4];

/* A pod with a sandbox container of its name and a workload container "<name>-w". */
static inline lcowmig__wire_pod wire_pod(const char *id, const char *workload, const char *guest_workload)
{
	size_t i = strcmp(id, "p1") == 0 ? 0 : 2;
	lcowmig__wire_pod wire = { 0 };

	processes[i] = (lcowmig__wire_process){ .exec_id = "", .pid = (int32_t)(101 + i), .bundle = "", .wait_call_id = (int64_t)(5 + i) };
	processes[i + 1] =
		(lcowmig__wire_process){ .exec_id = "", .pid = (int32_t)(102 + i), .bundle = "", .wait_call_id = (int64_t)(6 + i) };
	containers[i] = (lcowmig__wire_container){
		.container_id = id, .gcs_container_id = id, .rootfs_path = "", .processes = &processes[i], .n_processes = 1
	};
	containers[i + 1] = (lcowmig__wire_container){ .container_id = workload,
						       .gcs_container_id = guest_workload,
						       .rootfs_path = "",
						       .processes = &processes[i + 1],
						       .n_processes = 1 };
	wire.pod_id = id;
	wire.gcs_pod_id = id;
	wire.has_network = true;
	wire.network.namespace_id = "ns-source";
	wire.containers = &containers[i];
	wire.n_containers = 2;
	return wire;
}

static inline lcowmig_status add_pod(const lcowmig__wire_pod *wire)
{
	lcowmig_pod *pod = NULL;
	lcowmig_status status;

	test_enter(host);
	status = lcowmig__pod_import(&sandbox->env, lcowmig__vm_for_containers(vm), wire, &pod, NULL);
	if (status == LCOWMIG_OK)
		status = lcowmig__sandbox_add_pod(sandbox, pod, NULL);
	if (status != LCOWMIG_OK)
		lcowmig__pod_free(pod);
	test_leave(host);
	return status;
}

static inline void import_vm(void)
{
	lcowmig__wire_vm wire = { 0 };

	wire.vm_id = "source@vm";
	wire.architecture = "amd64";
	wire.compat_info.data = (const uint8_t *)"compat";
	wire.compat_info.size = 6;
	wire.hcs_document.data = (const uint8_t *)DOCUMENT;
	wire.hcs_document.size = strlen(DOCUMENT);
	test_enter(host);
	ck_assert_int_eq(lcowmig__vm_import(vm, &wire, NULL), LCOWMIG_OK);
	test_leave(host);
}

/* Pods p1 and p2, imported and not resumed. */
static inline void make_imported(void)
{
	lcowmig__wire_pod p1 = wire_pod("p1", "p1-w", "p1-w");
	lcowmig__wire_pod p2 = wire_pod("p2", "p2-w", "p2-w");

	import_vm();
	ck_assert_int_eq(add_pod(&p1), LCOWMIG_OK);
	ck_assert_int_eq(add_pod(&p2), LCOWMIG_OK);
}

static inline lcowmig_status patch(const char *source, const char *id, lcowmig_error *error)
{
	lcowmig_patch request = { .size = sizeof request, .source_container_id = source, .container_id = id, .bundle = "b" };

	request.namespace_id = "ns-here";
	return test_run(host, lcowmig__sandbox_patch_flow(sandbox, &request, NULL), NULL, error);
}

static inline lcowmig_status find(const char *id, lcowmig_pod **ret_pod)
{
	lcowmig_container *container = NULL;
	lcowmig_status status = lcowmig_sandbox_find_container(sandbox, id, &container, ret_pod, NULL);

	if (status == LCOWMIG_OK)
		ck_assert_str_eq(lcowmig_container_id(container), id);
	return status;
}

#endif
