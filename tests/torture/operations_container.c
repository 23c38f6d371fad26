/* A container's life: layers, further disks, shares and devices, execs, its end. And a pod's network. */
#include "container/container.h"
#include "steps.h"

static const char spec[] =
	"{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/app\"],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},\"linux\":{},"
	"\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.sandbox-id\":\"p0\"},"
	"\"mounts\":[{\"type\":\"virtual-disk\",\"source\":\"C:\\\\data.vhdx\",\"destination\":\"/data\"},"
	"{\"type\":\"bind\",\"source\":\"C:\\\\share\",\"destination\":\"/share\",\"options\":[\"ro\"]}],"
	"\"windows\":{\"devices\":[{\"idType\":\"vpci-instance-id\",\"id\":\"PCIP\\\\VEN_1\"}]}}";

/* ---- Container ---- */

static lcowmig_status find_scsi(torture *t)
{
	lcowmig_status status = lcowmig_vm_scsi(SOURCE_VM(t), &t->scsi, t->error);

	if (status == LCOWMIG_OK)
		t->disks = steps_count_disks(t, t->world->source.sandbox);
	return status;
}

static lcowmig_status new_container(torture *t)
{
	OK(lcowmig_sandbox_find_pod(t->world->source.sandbox, "p0", &t->pod, t->error));
	return lcowmig_pod_new_container(t->pod, "x", &t->container, t->error);
}

static lcowmig_status create(torture *t)
{
	static const char *const layers[] = { "parentLayerPaths=[\"C:\\\\l2\",\"C:\\\\l1\"]" };
	static const lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\scratch", "", layers, 1 };
	lcowmig_container_options options = LCOWMIG_CONTAINER_OPTIONS_INIT;

	options.oci_spec = spec;
	options.oci_spec_size = sizeof spec - 1;
	options.rootfs = &rootfs;
	options.n_rootfs = 1;
	options.bundle = "C:\\bundle";
	options.stdin_path = "in";
	options.stdout_path = "out";
	options.stderr_path = "err";
	return torture_settle(t, lcowmig_container_create(t->container, &options, test_on_done, torture_done(t), t->error));
}

static lcowmig_status start(torture *t)
{
	return torture_settle(t, lcowmig_container_start(t->container, test_on_done, torture_done(t), t->error));
}

static lcowmig_status exec(torture *t)
{
	lcowmig_process_options options = LCOWMIG_PROCESS_OPTIONS_INIT;

	options.process_spec = "{\"terminal\":true,\"args\":[\"/bin/sh\"],\"cwd\":\"/\"}";
	options.stdin_path = "in";
	options.stdout_path = "out";
	options.terminal = 1;
	return torture_settle(t,
			      lcowmig_container_exec(t->container, "e1", &options, &t->process, test_on_done, torture_done(t), t->error));
}

static lcowmig_status start_exec(torture *t)
{
	return torture_settle(t, lcowmig_process_start(t->process, test_on_done, torture_done(t), t->error));
}

/* One whose wait was answered with a failure counts as having exited. */
static bool exec_has_ended(torture *t)
{
	return lcowmig_process_get_status(t->process) == LCOWMIG_PROCESS_STOPPED;
}

static lcowmig_status resize_exec(torture *t)
{
	if (exec_has_ended(t))
		return LCOWMIG_OK;
	return torture_settle(t, lcowmig_process_resize(t->process, 80, 25, test_on_done, torture_done(t), t->error));
}

static lcowmig_status close_stdin(torture *t)
{
	return torture_settle(t, lcowmig_process_close_stdin(t->process, test_on_done, torture_done(t), t->error));
}

static lcowmig_status kill_exec(torture *t)
{
	return torture_settle(t, lcowmig_container_kill(t->container, "e1", 9, false, test_on_done, torture_done(t), t->error));
}

static lcowmig_status wait_exec(torture *t)
{
	steps_exit(t, lcowmig_process_pid(t->process), 137);
	return torture_settle(t, lcowmig_process_wait(t->process, test_on_done, torture_done(t), t->error));
}

static lcowmig_status delete_process(torture *t, const char *exec_id)
{
	lcowmig_exit init = LCOWMIG_EXIT_INIT;

	t->exit = init;
	return torture_settle(t, lcowmig_container_delete(t->container, exec_id, &t->exit, test_on_done, torture_done(t), t->error));
}

static lcowmig_status delete_exec(torture *t)
{
	lcowmig_status status = delete_process(t, "e1");

	if (status == LCOWMIG_OK)
		t->process = NULL;
	return status;
}

static bool has_ended(torture *t)
{
	return lcowmig__container_has_ended(t->container);
}

static lcowmig_status update(torture *t)
{
	if (has_ended(t))
		return LCOWMIG_OK;
	return torture_settle(t, lcowmig_container_update(t->container, "{\"memory\":{\"limit\":100000000}}", test_on_done, torture_done(t),
	                                                  t->error));
}

static lcowmig_status pids(torture *t)
{
	lcowmig_status status;

	if (has_ended(t))
		return LCOWMIG_OK;
	if (!t->is_done[0])
		test_host_reply(SOURCE_HOST(t), "guest.rpc:10100901",
				"{\"Result\":0,\"Properties\":\"{\\\"ProcessList\\\":[{\\\"ProcessId\\\":101},{\\\"ProcessId\\\":7}]}\"}");
	t->is_done[0] = true;
	status = torture_settle(t, lcowmig_container_pids(t->container, &t->pids, test_on_done, torture_done(t), t->error));
	if (status != LCOWMIG_OK)
		ck_assert_ptr_null(t->pids);
	lcowmig_pids_free(t->pids);
	t->pids = NULL;
	return status;
}

static lcowmig_status stats(torture *t)
{
	lcowmig_status status;

	if (has_ended(t))
		return LCOWMIG_OK;
	if (!t->is_done[1])
		test_host_reply(SOURCE_HOST(t), "guest.rpc:10100901",
				"{\"Result\":0,\"Properties\":\"{\\\"Metrics\\\":{\\\"cpu\\\":{}}}\"}");
	t->is_done[1] = true;
	status = torture_settle(t, lcowmig_container_stats(t->container, &t->stats, test_on_done, torture_done(t), t->error));
	if (status != LCOWMIG_OK)
		ck_assert_ptr_null(t->stats);
	lcowmig_stats_free(t->stats);
	t->stats = NULL;
	return status;
}

static lcowmig_status kill_all(torture *t)
{
	return torture_settle(t, lcowmig_container_kill(t->container, NULL, 15, true, test_on_done, torture_done(t), t->error));
}

static void exit_init(torture *t)
{
	lcowmig_process *init;

	if (lcowmig_container_get_process(t->container, NULL, &init, NULL) == LCOWMIG_OK)
		steps_exit(t, lcowmig_process_pid(init), 0);
}

static lcowmig_status wait_container(torture *t)
{
	exit_init(t);
	return torture_settle(t, lcowmig_container_wait(t->container, test_on_done, torture_done(t), t->error));
}

static lcowmig_status delete_init(torture *t)
{
	return delete_process(t, NULL);
}

/* The machine has nothing of the container left. */
static void expect_nothing_left(torture *t)
{
	lcowmig_plan9 *plan9;
	lcowmig_vpci *vpci;

	if (!steps_vm_runs(t->world->source.sandbox) || torture_has_lost_guest(t))
		return;
	ck_assert_uint_eq(steps_count_disks(t, t->world->source.sandbox), t->disks);
	OK(lcowmig_vm_plan9(SOURCE_VM(t), &plan9, t->error));
	OK(lcowmig_plan9_save(plan9, t->error));
	OK(lcowmig_vm_vpci(SOURCE_VM(t), &vpci, t->error));
	OK(lcowmig_vpci_save(vpci, t->error));
}

static lcowmig_status delete_container(torture *t)
{
	lcowmig_status status = lcowmig_pod_delete_container(t->pod, "x", t->error);

	if (status != LCOWMIG_OK)
		return status;
	t->container = NULL;
	expect_nothing_left(t);
	return status;
}

bool torture_container_undo(torture *t)
{
	lcowmig_status status = LCOWMIG_OK;
	unsigned i;

	if (torture_has_lost_guest(t))
		return false;
	if (t->process && lcowmig_container_get_process(t->container, "e1", &t->process, NULL) == LCOWMIG_OK) {
		steps_exit(t, lcowmig_process_pid(t->process), 0);
		for (i = 0, status = LCOWMIG_PENDING; i < 5 && status != LCOWMIG_OK; i++)
			status = delete_process(t, "e1");
		ck_assert_msg(status == LCOWMIG_OK, "deleting the exec: %s", t->error->message);
	}
	t->process = NULL;
	for (i = 0; i < 5 && t->container; i++) {
		exit_init(t);
		status = delete_process(t, NULL);
		if (status != LCOWMIG_E_NOT_FOUND && status != LCOWMIG_OK &&
		    strcmp(lcowmig_container_state_name(t->container), "NotCreated") != 0)
			continue;
		status = delete_container(t);
	}
	ck_assert_msg(status == LCOWMIG_OK && !t->container, "undo: %s", t->error->message);
	return steps_vm_runs(t->world->source.sandbox);
}

const torture_step torture_container_steps[] = {
	{ "find SCSI", find_scsi },
	{ "new container", new_container },
	{ "create", create },
	{ "start", start },
	{ "exec", exec },
	{ "start exec", start_exec },
	{ "resize exec", resize_exec },
	{ "close stdin", close_stdin },
	{ "kill exec", kill_exec },
	{ "wait for exec", wait_exec },
	{ "delete exec", delete_exec },
	{ "update", update },
	{ "pids", pids },
	{ "stats", stats },
	{ "kill", kill_all },
	{ "wait", wait_container },
	{ "delete", delete_init },
	{ "delete container", delete_container },
	{ NULL, NULL },
};

/* ---- Network ---- */

static lcowmig_status new_pod(torture *t)
{
	return lcowmig_pod_new(t->world->source.sandbox, "px", "a1b2c3d4-0000-4000-8000-000000000009", &t->pod, t->error);
}

static lcowmig_status setup_network(torture *t)
{
	return torture_settle(t, lcowmig_pod_setup_network(t->pod, test_on_done, torture_done(t), t->error));
}

static lcowmig_status teardown_network(torture *t)
{
	return torture_settle(t, lcowmig_pod_teardown_network(t->pod, test_on_done, torture_done(t), t->error));
}

static lcowmig_status delete_pod(torture *t)
{
	lcowmig_status status = lcowmig_pod_delete(t->pod, t->error);

	if (status == LCOWMIG_OK)
		t->pod = NULL;
	return status;
}

bool torture_network_undo(torture *t)
{
	lcowmig_status status = LCOWMIG_E_HOST_FAILED;
	unsigned i;

	if (torture_has_lost_guest(t))
		return false;
	for (i = 0; t->pod && i < 5 && status != LCOWMIG_OK; i++)
		status = teardown_network(t);
	if (t->pod) {
		ck_assert_msg(status == LCOWMIG_OK, "tear-down: %s", t->error->message);
		OK(delete_pod(t));
	}
	return true;
}

const torture_step torture_network_steps[] = {
	{ "new pod", new_pod },
	{ "set up", setup_network },
	{ "tear down", teardown_network },
	{ "delete pod", delete_pod },
	{ NULL, NULL },
};
