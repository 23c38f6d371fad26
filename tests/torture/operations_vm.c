/* A virtual machine's life, in a sandbox of its own on the source's host. */
#include "steps.h"

static const char document[] =
	"{\"Owner\":\"test\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"ShouldTerminateOnLastHandleClosed\":true,\"VirtualMachine\":{"
	"\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"C:\\\\vmlinux\",\"KernelCmdLine\":\"panic=-1 -- -e 1 /bin/vsockexec -r "
	"-e 109 /bin/gcs\"}},\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":1024},\"Processor\":{\"Count\":2}},\"Devices\":{\"Scsi\":{"
	"\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\",\"Path\":\"C:\\\\rootfs.vhd\","
	"\"ReadOnly\":true}}}}}}}";

static lcowmig_vm *vm_of(torture *t)
{
	return lcowmig_sandbox_vm(t->sandbox);
}

static lcowmig_status make_sandbox(torture *t)
{
	lcowmig_sandbox_config config = SOURCE_HOST(t)->config;
	lcowmig_status status = torture_guest ? torture_guest->add(SOURCE_HOST(t), &config) : LCOWMIG_OK;

	config.id = "other";
	if (status != LCOWMIG_OK)
		return status;
	status = lcowmig_sandbox_new(SOURCE_HOST(t)->context, &config, &t->sandbox, t->error);
	if (status == LCOWMIG_OK && !torture_guest)
		torture_proxy(SOURCE_HOST(t), t->sandbox);
	if (status != LCOWMIG_OK && torture_guest)
		torture_guest->remove_added(SOURCE_HOST(t));
	return status;
}

static lcowmig_status create(torture *t)
{
	lcowmig_vm_options options = LCOWMIG_VM_OPTIONS_INIT;

	options.architecture = "amd64";
	return torture_settle(
		t, lcowmig_vm_create(vm_of(t), document, sizeof document - 1, &options, test_on_done, torture_done(t), t->error));
}

static lcowmig_status set_policy(torture *t)
{
	lcowmig_vm_policy policy = { sizeof policy, "rego", "cGFja2FnZSBwb2xpY3k=", "cmVmZXJlbmNl", NULL };

	return lcowmig_vm_set_policy(vm_of(t), &policy, t->error);
}

static lcowmig_status start(torture *t)
{
	return torture_settle(t, lcowmig_vm_start(vm_of(t), test_on_done, torture_done(t), t->error));
}

static lcowmig_status update_memory(torture *t)
{
	return torture_settle(t, lcowmig_vm_update_memory(vm_of(t), 2048, test_on_done, torture_done(t), t->error));
}

static lcowmig_status update_cpu(torture *t)
{
	lcowmig_vm_cpu_limits limits = { sizeof limits, 50000, 100, 0, 0, 0 };

	return torture_settle(t, lcowmig_vm_update_cpu(vm_of(t), &limits, test_on_done, torture_done(t), t->error));
}

static lcowmig_status update_cpu_group(torture *t)
{
	return torture_settle(
		t, lcowmig_vm_update_cpu_group(vm_of(t), "a1b2c3d4-0000-4000-8000-0000000000aa", test_on_done, torture_done(t), t->error));
}

static lcowmig_status update_fragment(torture *t)
{
	return torture_settle(t,
			      lcowmig_vm_update_policy_fragment(vm_of(t), "ZnJhZ21lbnQ=", NULL, test_on_done, torture_done(t), t->error));
}

static lcowmig_status execute(torture *t)
{
	static const char *const arguments[] = { "/bin/ls", "-l" };
	lcowmig_vm_exec exec = { .size = sizeof exec, .arguments = arguments, .n_arguments = 2, .stdout_path = "\\\\.\\pipe\\ls" };
	test_host *host = SOURCE_HOST(t);
	lcowmig_status status =
		lcowmig_vm_exec_into_host(vm_of(t), &exec, &t->exit_code, test_on_done, torture_done(t), t->error);
	unsigned i;

	for (i = 0; status == LCOWMIG_PENDING && !t->done.calls && i < 1000; i++) {
		if (torture_guest) {
			torture_guest->exit(host, 0, 3);
			torture_advance(host, UINT64_C(1000000000));
		} else if (test_host_pending(host, "guest.rpc:10100601")) {
			test_host_complete(host, "guest.rpc:10100601", LCOWMIG_OK, 0, "{\"Result\":0,\"ExitCode\":3}");
		} else {
			torture_advance(host, UINT64_C(1000000000));
		}
	}
	status = torture_settle(t, status);
	if (status == LCOWMIG_OK)
		ck_assert_int_eq(t->exit_code, 3);
	return status;
}

static lcowmig_status dump_stacks(torture *t)
{
	return torture_settle(t, lcowmig_vm_dump_stacks(vm_of(t), test_on_done, torture_done(t), t->error));
}

static lcowmig_status stats(torture *t)
{
	static const char answer[] = "{\"Statistics\":{\"Processor\":{\"TotalRuntime100ns\":1234567}},\"Memory\":{}}";

	if (!t->is_done[0])
		test_host_reply(SOURCE_HOST(t), "hcs.properties", answer);
	t->is_done[0] = true;
	t->vm_stats.size = sizeof t->vm_stats;
	return torture_settle(t, lcowmig_vm_get_stats(vm_of(t), &t->vm_stats, test_on_done, torture_done(t), t->error));
}

static lcowmig_status compatibility(torture *t)
{
	return torture_settle(t, lcowmig_vm_query_compatibility(vm_of(t), test_on_done, torture_done(t), t->error));
}

static lcowmig_status terminate(torture *t)
{
	lcowmig_status status = lcowmig_vm_terminate(vm_of(t), test_on_done, torture_done(t), t->error);

	if (status == LCOWMIG_PENDING && !t->done.calls)
		OK(lcowmig_sandbox_hcs_event(t->sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, WORLD_EXITED, t->error));
	return torture_settle(t, status);
}

static lcowmig_status wait(torture *t)
{
	return torture_settle(t, lcowmig_vm_wait(vm_of(t), test_on_done, torture_done(t), t->error));
}

static lcowmig_status free_sandbox(torture *t)
{
	const lcowmig__env *env = lcowmig__sandbox_env(t->sandbox);
	lcowmig_status status = lcowmig_sandbox_free(t->sandbox, t->error);

	if (status == LCOWMIG_OK) {
		torture_forget(env);
		t->sandbox = NULL;
	}
	if (status == LCOWMIG_OK && torture_guest)
		torture_guest->remove_added(SOURCE_HOST(t));
	return status;
}

/* ---- A task update of the pod: all that a machine can be given ---- */

static lcowmig_status update_pod(torture *t)
{
	lcowmig_update update = LCOWMIG_UPDATE_INIT;

	update.resources = "{\"memory\":{\"limit\":2147483648},\"cpu\":{\"quota\":50000,\"shares\":100}}";
	update.cpu_group_id = "a1b2c3d4-0000-4000-8000-0000000000aa";
	update.policy_fragment = "ZnJhZ21lbnQ=";
	return torture_settle(t, lcowmig_sandbox_update(t->world->source.sandbox, "p0", &update, test_on_done, torture_done(t), t->error));
}

const torture_step torture_update_steps[] = {
	{ "update pod", update_pod },
	{ NULL, NULL },
};

bool torture_vm_undo(torture *t)
{
	lcowmig_status status = LCOWMIG_E_HOST_FAILED;
	unsigned i;

	for (i = 0; t->sandbox && i < 5 && status != LCOWMIG_OK; i++)
		status = terminate(t);
	ck_assert_msg(!t->sandbox || status == LCOWMIG_OK, "terminate: %s", t->error->message);
	torture_release(SOURCE_HOST(t));
	steps_let_pass(t, 20);
	if (t->sandbox)
		OK(free_sandbox(t));
	t->is_done[0] = true; /* its answer may still be there: it does no harm once, more would be taken for others */
	return true;
}

void torture_vm_end(torture *t)
{
	torture_vm_undo(t);
}

const torture_step torture_vm_steps[] = {
	{ "new sandbox", make_sandbox },
	{ "create", create },
	{ "set policy", set_policy },
	{ "start", start },
	{ "update memory", update_memory },
	{ "update cpu", update_cpu },
	{ "update cpu group", update_cpu_group },
	{ "update fragment", update_fragment },
	{ "exec into host", execute },
	{ "dump stacks", dump_stacks },
	{ "stats", stats },
	{ "compatibility", compatibility },
	{ "terminate", terminate },
	{ "wait", wait },
	{ "free sandbox", free_sandbox },
	{ NULL, NULL },
};
