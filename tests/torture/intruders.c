/* Operations that come while another one is under way, on whatever the scenario works with. */
#include <check.h>
#include <string.h>

#include "container/container.h"
#include "host_private.h"
#include "torture.h"

#define DONE test_on_done, done, NULL

static torture_intrusion now;

static lcowmig_sandbox *sandbox_of(const torture *t)
{
	return t->sandbox ? t->sandbox : t->side->sandbox;
}

static lcowmig_vm *vm_of(const torture *t)
{
	return lcowmig_sandbox_vm(sandbox_of(t));
}

static lcowmig_migration *session_of(const torture *t)
{
	return lcowmig_sandbox_migration(sandbox_of(t));
}

static lcowmig_pod *pod_of(const torture *t)
{
	lcowmig_pod *pod = t->pod;

	if (!pod)
		lcowmig_sandbox_list_pods(sandbox_of(t), &pod, 1);
	return pod;
}

static lcowmig_container *container_of(const torture *t)
{
	lcowmig_container *container = t->container;
	lcowmig_pod *pod = pod_of(t);

	if (!container && pod)
		lcowmig_pod_list_containers(pod, &container, 1);
	return container;
}

static lcowmig_process *process_of(const torture *t)
{
	lcowmig_process *process = t->process;
	lcowmig_container *container = container_of(t);

	if (!process && container)
		lcowmig_container_list_processes(container, &process, 1);
	return process;
}

#define INTRUDER(name, type, object_of, call)                                   \
	static lcowmig_status name(torture *t, test_done *done)                 \
	{                                                                       \
		type *object = object_of(t);                                    \
                                                                                \
		return object ? (call) : LCOWMIG_E_NOT_FOUND;                   \
	}

/* ---- The machine ---- */

static const lcowmig_vm_cpu_limits cpu_limits = { sizeof cpu_limits, 50000, 100, 0, 0, 0 };

#define VM(name, call) INTRUDER(name, lcowmig_vm, vm_of, call)
VM(vm_start, lcowmig_vm_start(object, DONE))
VM(vm_terminate, lcowmig_vm_terminate(object, DONE))
VM(vm_wait, lcowmig_vm_wait(object, DONE))
VM(vm_memory, lcowmig_vm_update_memory(object, 4096, DONE))
VM(vm_cpu, lcowmig_vm_update_cpu(object, &cpu_limits, DONE))
VM(vm_fragment, lcowmig_vm_update_policy_fragment(object, "ZnJhZ21lbnQ=", NULL, DONE))
VM(vm_stacks, lcowmig_vm_dump_stacks(object, DONE))

static lcowmig_status vm_create(torture *t, test_done *done)
{
	static const char document[] = "{\"VirtualMachine\":{}}";
	lcowmig_vm_options options = LCOWMIG_VM_OPTIONS_INIT;

	return lcowmig_vm_create(vm_of(t), document, sizeof document - 1, &options, DONE);
}

static lcowmig_status vm_stats(torture *t, test_done *done)
{
	now.vm_stats.size = sizeof now.vm_stats;
	return lcowmig_vm_get_stats(vm_of(t), &now.vm_stats, DONE);
}

static lcowmig_status vm_exec(torture *t, test_done *done)
{
	static const char *const arguments[] = { "/bin/ls" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 1, .stdout_path = "ls" };

	return lcowmig_vm_exec_into_host(vm_of(t), &exec, &now.exit_code, DONE);
}

static lcowmig_status sandbox_update(torture *t, test_done *done)
{
	lcowmig_update update = LCOWMIG_UPDATE_INIT;
	lcowmig_pod *pod = pod_of(t);

	update.resources = "{\"memory\":{\"limit\":2147483648},\"cpu\":{\"quota\":50000,\"shares\":100}}";
	update.cpu_group_id = "a1b2c3d4-0000-4000-8000-0000000000aa";
	update.policy_fragment = "ZnJhZ21lbnQ=";
	return pod ? lcowmig_sandbox_update(sandbox_of(t), lcowmig_pod_id(pod), &update, DONE) : LCOWMIG_E_NOT_FOUND;
}

/* ---- The session ---- */

static lcowmig_status finalize(torture *t, test_done *done, lcowmig_finalize_action action)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;

	options.action = (uint32_t)action;
	return lcowmig_migration_finalize(session_of(t), WORLD_SESSION, &options, DONE);
}

static lcowmig_status m_resume(torture *t, test_done *done)
{
	return finalize(t, done, LCOWMIG_FINALIZE_RESUME);
}

static lcowmig_status m_stop(torture *t, test_done *done)
{
	return finalize(t, done, LCOWMIG_FINALIZE_STOP);
}

#define SESSION(name, call) INTRUDER(name, lcowmig_migration, session_of, call)
SESSION(m_prepare, lcowmig_migration_prepare_source(object, WORLD_SESSION, NULL, DONE))
SESSION(m_export, lcowmig_migration_export(object, WORLD_SESSION, DONE))
SESSION(m_prepare_destination,
        lcowmig_migration_prepare_destination(object, WORLD_SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED, DONE))
SESSION(m_socket, lcowmig_migration_register_socket(object, WORLD_SESSION, (const uint8_t *)"socket", 6, DONE))
SESSION(m_cancel, lcowmig_migration_cancel(object, WORLD_SESSION, DONE))
SESSION(m_abandon, lcowmig_migration_abandon(object, WORLD_SESSION, DONE))

static lcowmig_status m_transfer(torture *t, test_done *done)
{
	(void)done;
	return lcowmig_migration_transfer(session_of(t), WORLD_SESSION, NULL, NULL);
}

static lcowmig_status m_cleanup(torture *t, test_done *done)
{
	(void)done;
	return lcowmig_migration_cleanup(session_of(t), WORLD_SESSION, NULL);
}

/* ---- Pods, containers, processes ---- */

#define POD(name, call) INTRUDER(name, lcowmig_pod, pod_of, call)
POD(pod_kill, lcowmig_pod_kill(object, 15, DONE))
POD(pod_setup, lcowmig_pod_setup_network(object, DONE))
POD(pod_teardown, lcowmig_pod_teardown_network(object, DONE))
POD(pod_delete, lcowmig_pod_delete(object, NULL))

#define CONTAINER(name, call) INTRUDER(name, lcowmig_container, container_of, call)
CONTAINER(c_start, lcowmig_container_start(object, DONE))
CONTAINER(c_kill, lcowmig_container_kill(object, NULL, 9, false, DONE))
CONTAINER(c_kill_all, lcowmig_container_kill(object, NULL, 9, true, DONE))
CONTAINER(c_update, lcowmig_container_update(object, "{\"memory\":{\"limit\":100000000}}", DONE))
CONTAINER(c_wait, lcowmig_container_wait(object, DONE))
CONTAINER(c_abort, lcowmig_container_abort(object, NULL))

static lcowmig_status c_create(torture *t, test_done *done)
{
	static const char spec[] =
		"{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/app\"],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},\"linux\":{}}";
	static const char *const layers[] = { "parentLayerPaths=[\"C:\\\\l1\"]" };
	static const lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\scratch", "", layers, 1 };
	lcowmig_container_options options = LCOWMIG_CONTAINER_OPTIONS_INIT;
	lcowmig_container *container = container_of(t);

	options.oci_spec = spec;
	options.oci_spec_size = sizeof spec - 1;
	options.rootfs = &rootfs;
	options.n_rootfs = 1;
	options.bundle = "C:\\bundle";
	return container ? lcowmig_container_create(container, &options, DONE) : LCOWMIG_E_NOT_FOUND;
}

static lcowmig_status delete_process(torture *t, const char *exec_id, test_done *done)
{
	lcowmig_exit init = LCOWMIG_EXIT_INIT;
	lcowmig_container *container = container_of(t);

	now.exit = init;
	return container ? lcowmig_container_delete(container, exec_id, &now.exit, DONE) : LCOWMIG_E_NOT_FOUND;
}

static lcowmig_status c_delete(torture *t, test_done *done)
{
	return delete_process(t, NULL, done);
}

static lcowmig_status c_delete_exec(torture *t, test_done *done)
{
	return delete_process(t, "e1", done);
}

static lcowmig_status c_exec(torture *t, test_done *done)
{
	lcowmig_process_options options = LCOWMIG_PROCESS_OPTIONS_INIT;
	lcowmig_container *container = container_of(t);

	options.process_spec = "{\"args\":[\"/bin/sh\"],\"cwd\":\"/\"}";
	options.stdout_path = "out";
	return container ? lcowmig_container_exec(container, "e2", &options, &now.process, DONE) : LCOWMIG_E_NOT_FOUND;
}

CONTAINER(c_pids, lcowmig_container_pids(object, &now.pids, DONE))
CONTAINER(c_stats, lcowmig_container_stats(object, &now.stats, DONE))

/* One of a pod refuses; one of its own is frozen. */
static lcowmig_status c_save(torture *t, test_done *done)
{
	size_t size;

	(void)done;
	return t->container ? lcowmig_container_save(t->container, now.bytes, sizeof now.bytes, &size, NULL) : LCOWMIG_E_NOT_FOUND;
}

static lcowmig_status c_resume(torture *t, test_done *done)
{
	return t->container ? lcowmig_container_resume(t->container, true, DONE) : LCOWMIG_E_NOT_FOUND;
}

static lcowmig_status c_patch(torture *t, test_done *done)
{
	lcowmig_patch patch = LCOWMIG_PATCH_INIT;

	patch.source_container_id = "web";
	patch.container_id = "new-web";
	patch.bundle = "C:\\bundle";
	patch.stdout_path = "out";
	return t->container ? lcowmig_container_patch(t->container, &patch, DONE) : LCOWMIG_E_NOT_FOUND;
}

#define PROCESS(name, call) INTRUDER(name, lcowmig_process, process_of, call)
PROCESS(p_start, lcowmig_process_start(object, DONE))
PROCESS(p_kill, lcowmig_process_kill(object, 9, DONE))
PROCESS(p_resize, lcowmig_process_resize(object, 100, 40, DONE))
PROCESS(p_close_stdin, lcowmig_process_close_stdin(object, DONE))
PROCESS(p_wait, lcowmig_process_wait(object, DONE))
PROCESS(p_resume, lcowmig_process_resume(object, true, DONE))
PROCESS(p_abort, lcowmig_process_abort(object, NULL))

static lcowmig_status p_patch(torture *t, test_done *done)
{
	lcowmig_process_options options = LCOWMIG_PROCESS_OPTIONS_INIT;

	options.bundle = "C:\\bundle";
	options.stdout_path = "out";
	return t->process ? lcowmig_process_patch(t->process, "d9", &options, DONE) : LCOWMIG_E_NOT_FOUND;
}

static lcowmig_status p_create(torture *t, test_done *done)
{
	lcowmig_process_options options = LCOWMIG_PROCESS_OPTIONS_INIT;
	lcowmig_process *process = process_of(t);

	options.process_spec = "{\"args\":[\"/bin/sh\"],\"cwd\":\"/\"}";
	options.stdout_path = "out";
	return process ? lcowmig_process_create(process, &options, DONE) : LCOWMIG_E_NOT_FOUND;
}

/* ---- Devices and networks ---- */

static lcowmig_scsi *scsi_of(const torture *t)
{
	return t->scsi;
}

static lcowmig_plan9 *plan9_of(const torture *t)
{
	return t->plan9;
}

static lcowmig_vpci *vpci_of(const torture *t)
{
	return t->vpci;
}

static lcowmig_network *network_of(const torture *t)
{
	return t->network;
}

static lcowmig_status scsi_save(torture *t, test_done *done)
{
	size_t size;

	(void)done;
	return t->scsi ? lcowmig_scsi_save(t->scsi, now.bytes, sizeof now.bytes, &size, NULL) : LCOWMIG_E_NOT_FOUND;
}

static lcowmig_status n_save(torture *t, test_done *done)
{
	size_t size;

	(void)done;
	return t->network ? lcowmig_network_save(t->network, now.bytes, sizeof now.bytes, &size, NULL) : LCOWMIG_E_NOT_FOUND;
}

INTRUDER(scsi_map, lcowmig_scsi, scsi_of, lcowmig_scsi_map(object, &t->ids[0], DONE))
INTRUDER(scsi_unmap, lcowmig_scsi, scsi_of, lcowmig_scsi_unmap(object, &t->ids[0], DONE))
INTRUDER(plan9_map, lcowmig_plan9, plan9_of, lcowmig_plan9_map(object, &t->ids[0], DONE))
INTRUDER(plan9_unmap, lcowmig_plan9, plan9_of, lcowmig_plan9_unmap(object, &t->ids[0], DONE))
INTRUDER(plan9_save, lcowmig_plan9, plan9_of, lcowmig_plan9_save(object, NULL))
INTRUDER(vpci_add, lcowmig_vpci, vpci_of, lcowmig_vpci_add(object, &t->ids[0], DONE))
INTRUDER(vpci_remove, lcowmig_vpci, vpci_of, lcowmig_vpci_remove(object, &t->ids[0], DONE))
INTRUDER(vpci_save, lcowmig_vpci, vpci_of, lcowmig_vpci_save(object, NULL))
INTRUDER(n_setup, lcowmig_network, network_of, lcowmig_network_setup(object, DONE))
INTRUDER(n_teardown, lcowmig_network, network_of, lcowmig_network_teardown(object, DONE))
INTRUDER(n_reset, lcowmig_network, network_of, lcowmig_network_reset(object, DONE))

/* ---- All of them ---- */

typedef struct intruder {
	const char *name;
	unsigned group;
	lcowmig_status (*begin)(torture *t, test_done *done);
	bool asks_only; /* the scenario goes on as if it had not been there */
	bool ends_vm;
} intruder;

static const intruder intruders[] = {
	{ "vm-create", TORTURE_VM, vm_create, false, false },
	{ "vm-start", TORTURE_VM, vm_start, false, false },
	{ "vm-terminate", TORTURE_VM, vm_terminate, false, true },
	{ "vm-wait", TORTURE_VM, vm_wait, true, false },
	{ "vm-memory", TORTURE_VM, vm_memory, true, false },
	{ "vm-cpu", TORTURE_VM, vm_cpu, true, false },
	{ "vm-fragment", TORTURE_VM, vm_fragment, true, false },
	{ "vm-stacks", TORTURE_VM, vm_stacks, true, false },
	{ "vm-stats", TORTURE_VM, vm_stats, true, false },
	{ "vm-exec", TORTURE_VM, vm_exec, false, false },
	{ "sandbox-update", TORTURE_VM, sandbox_update, true, false },
	{ "prepare", TORTURE_SESSION, m_prepare, false, false },
	{ "export", TORTURE_SESSION, m_export, false, false },
	{ "prepare-destination", TORTURE_SESSION, m_prepare_destination, false, false },
	{ "socket", TORTURE_SESSION, m_socket, false, false },
	{ "transfer", TORTURE_SESSION, m_transfer, false, false },
	{ "resume", TORTURE_SESSION, m_resume, false, false },
	{ "stop", TORTURE_SESSION, m_stop, false, true },
	{ "cancel", TORTURE_SESSION, m_cancel, false, false },
	{ "abandon", TORTURE_SESSION, m_abandon, false, true },
	{ "cleanup", TORTURE_SESSION, m_cleanup, false, false },
	{ "pod-kill", TORTURE_POD, pod_kill, false, false },
	{ "pod-setup", TORTURE_POD, pod_setup, false, false },
	{ "pod-teardown", TORTURE_POD, pod_teardown, false, false },
	{ "pod-delete", TORTURE_POD, pod_delete, false, false },
	{ "create", TORTURE_CONTAINER, c_create, false, false },
	{ "start", TORTURE_CONTAINER, c_start, false, false },
	{ "kill", TORTURE_CONTAINER, c_kill, false, false },
	{ "kill-all", TORTURE_CONTAINER, c_kill_all, false, false },
	{ "delete", TORTURE_CONTAINER, c_delete, false, false },
	{ "delete-exec", TORTURE_CONTAINER, c_delete_exec, false, false },
	{ "exec", TORTURE_CONTAINER, c_exec, false, false },
	{ "update", TORTURE_CONTAINER, c_update, true, false },
	{ "wait", TORTURE_CONTAINER, c_wait, true, false },
	{ "pids", TORTURE_CONTAINER, c_pids, true, false },
	{ "stats", TORTURE_CONTAINER, c_stats, true, false },
	{ "save", TORTURE_CONTAINER, c_save, false, false },
	{ "resume-container", TORTURE_CONTAINER, c_resume, false, false },
	{ "patch", TORTURE_CONTAINER, c_patch, false, false },
	{ "abort", TORTURE_ALONE, c_abort, false, false },
	{ "create-process", TORTURE_CONTAINER, p_create, false, false },
	{ "start-process", TORTURE_CONTAINER, p_start, false, false },
	{ "kill-process", TORTURE_CONTAINER, p_kill, false, false },
	{ "resize", TORTURE_CONTAINER, p_resize, true, false },
	{ "close-stdin", TORTURE_CONTAINER, p_close_stdin, true, false },
	{ "wait-process", TORTURE_CONTAINER, p_wait, true, false },
	{ "resume-process", TORTURE_ALONE, p_resume, false, false },
	{ "patch-process", TORTURE_ALONE, p_patch, false, false },
	{ "abort-process", TORTURE_ALONE, p_abort, false, false },
	{ "scsi-map", TORTURE_DEVICES, scsi_map, false, false },
	{ "scsi-unmap", TORTURE_DEVICES, scsi_unmap, false, false },
	{ "scsi-save", TORTURE_DEVICES, scsi_save, false, false },
	{ "plan9-map", TORTURE_DEVICES, plan9_map, false, false },
	{ "plan9-unmap", TORTURE_DEVICES, plan9_unmap, false, false },
	{ "plan9-save", TORTURE_DEVICES, plan9_save, true, false },
	{ "vpci-add", TORTURE_DEVICES, vpci_add, false, false },
	{ "vpci-remove", TORTURE_DEVICES, vpci_remove, false, false },
	{ "vpci-save", TORTURE_DEVICES, vpci_save, true, false },
	{ "network-setup", TORTURE_ALONE, n_setup, false, false },
	{ "network-teardown", TORTURE_ALONE, n_teardown, false, false },
	{ "network-reset", TORTURE_ALONE, n_reset, false, false },
	{ "network-save", TORTURE_ALONE, n_save, false, false },
};

#define N_INTRUDERS (sizeof intruders / sizeof intruders[0])

static const intruder *find(unsigned groups, unsigned index)
{
	size_t i;

	for (i = 0; i < N_INTRUDERS; i++) {
		if ((intruders[i].group & groups) && index-- == 0)
			return &intruders[i];
	}
	return NULL;
}

unsigned torture_count_intruders(unsigned groups)
{
	unsigned count = 0;

	while (find(groups, count))
		count++;
	return count;
}

/* The machine exits by itself. */
static void end_machine(torture *t)
{
	lcowmig_vm_state state = lcowmig_vm_get_state(vm_of(t));

	if (state == LCOWMIG_VM_NOT_CREATED || state == LCOWMIG_VM_TERMINATED || t->side->vm_exit_is_told)
		return;
	if (!t->sandbox)
		t->side->vm_exit_is_told = true;
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(sandbox_of(t), LCOWMIG_HCS_EVENT_SYSTEM_EXITED, WORLD_EXITED, NULL), LCOWMIG_OK);
}

void torture_intrude(torture *t)
{
	const intruder *found = find(t->scenario->intruders, torture_armed.intruder);
	torture_kind kind = torture_armed.kind;

	memset(&now, 0, sizeof now);
	now.has_begun = true;
	now.asks_only = found->asks_only;
	now.ends_vm = found->ends_vm;
	now.name = found->name;
	if (strcmp(found->name, "abandon") == 0)
		t->side->was_abandoned = true;
	now.status = found->begin(t, &now.done);
	if (kind == TORTURE_OVERLAP_CANCEL && now.status == LCOWMIG_PENDING)
		lcowmig_context_cancel(torture_armed.host->context, test_on_done, &now.done);
	if (kind == TORTURE_OVERLAP_CANCEL_FIRST)
		torture_cancel_operations(torture_armed.host);
	if (kind == TORTURE_OVERLAP_DEATH)
		end_machine(t);
}

const torture_intrusion *torture_intruder(void)
{
	return &now;
}

bool torture_is_intruder(const void *user)
{
	return user == &now.done;
}

static bool intruder_waits(void)
{
	return now.status == LCOWMIG_PENDING && !now.done.calls;
}

/* Its machine ends, as soon as it was asked to. */
void torture_feed_intruder(torture *t)
{
	if (now.has_begun && now.ends_vm && intruder_waits() && ++now.fed >= 3)
		end_machine(t);
}

/* By the end of the step it has ended too; what waits for somebody else's end gives up. */
void torture_end_intruder(torture *t)
{
	unsigned i;

	for (i = 0; i < 60 && intruder_waits(); i++)
		torture_advance(torture_armed.host, UINT64_C(1000000000));
	if (intruder_waits())
		lcowmig_context_cancel(torture_armed.host->context, test_on_done, &now.done);
	for (i = 0; i < 700 && intruder_waits(); i++)
		torture_advance(torture_armed.host, UINT64_C(1000000000));
	ck_assert_msg(now.done.calls == (now.status == LCOWMIG_PENDING), "%s: done was called %d times", now.name, now.done.calls);
	lcowmig_pids_free(now.pids);
	lcowmig_stats_free(now.stats);
	now.pids = NULL;
	now.stats = NULL;
	(void)t;
}

void torture_reset_intruder(void)
{
	memset(&now, 0, sizeof now);
}
