/* Controllers imported alone, by a host that composes them itself. */
#include "steps.h"

#define SANDBOX(t) ((t)->world->source.sandbox)

static lcowmig_status import_network(torture *t)
{
	steps_read_golden(t, "network_pod_a");
	return lcowmig_network_import(SANDBOX(t), t->envelope, t->envelope_size, &t->network, t->error);
}

static lcowmig_status patch_network(torture *t)
{
	return lcowmig_network_patch(t->network, "a1b2c3d4-0000-4000-8000-000000000007", t->error);
}

static lcowmig_status resume_network(torture *t)
{
	return lcowmig_network_resume(t->network, t->error);
}

static lcowmig_status reset_network(torture *t)
{
	return torture_settle(t, lcowmig_network_reset(t->network, test_on_done, torture_done(t), t->error));
}

static lcowmig_status save_network(torture *t)
{
	return lcowmig_network_save(t->network, t->envelope, sizeof t->envelope, &t->envelope_size, t->error);
}

static lcowmig_status teardown_network(torture *t)
{
	return torture_settle(t, lcowmig_network_teardown(t->network, test_on_done, torture_done(t), t->error));
}

static lcowmig_status free_network(torture *t)
{
	lcowmig_status status = lcowmig_network_free(t->network, t->error);

	if (status == LCOWMIG_OK)
		t->network = NULL;
	return status;
}

static lcowmig_status import_process(torture *t)
{
	steps_read_golden(t, "process_web");
	return lcowmig_process_import(SANDBOX(t), t->envelope, t->envelope_size, "c9", "g9", &t->process, t->error);
}

static lcowmig_status patch_process(torture *t)
{
	lcowmig_process_options options = LCOWMIG_PROCESS_OPTIONS_INIT;

	options.bundle = "C:\\bundle";
	options.stdin_path = "in";
	options.stdout_path = "out";
	options.stderr_path = "err";
	return torture_settle(t, lcowmig_process_patch(t->process, "d9", &options, test_on_done, torture_done(t), t->error));
}

static lcowmig_status adopt_process(torture *t)
{
	return lcowmig_process_adopt(t->process, t->error);
}

static lcowmig_status resume_process(torture *t)
{
	return torture_settle(t, lcowmig_process_resume(t->process, true, test_on_done, torture_done(t), t->error));
}

/* Whether asked for under the saved id or under a new one. */
static lcowmig_status end_process(torture *t)
{
	test_host *host = SOURCE_HOST(t);
	unsigned i;

	for (i = 0; i < 2; i++) {
		steps_let_pass(t, 20);
		while (test_host_pending(host, "guest.adopt"))
			test_host_complete(host, "guest.adopt", LCOWMIG_OK, 0, "{\"Result\":0,\"ExitCode\":4}");
		while (test_host_pending(host, "guest.rpc:10100601"))
			test_host_complete(host, "guest.rpc:10100601", LCOWMIG_OK, 0, "{\"Result\":0,\"ExitCode\":4}");
		steps_let_pass(t, 5);
		torture_memory_returns(t);
	}
	return LCOWMIG_OK;
}

static lcowmig_status wait_process(torture *t)
{
	lcowmig_status status;

	end_process(t);
	status = torture_settle(t, lcowmig_process_wait(t->process, test_on_done, torture_done(t), t->error));
	return status;
}

static lcowmig_status free_process(torture *t)
{
	lcowmig_status status = lcowmig_process_free(t->process, t->error);

	if (status == LCOWMIG_OK)
		t->process = NULL;
	return status;
}

static lcowmig_status import_container(torture *t)
{
	steps_read_golden(t, "container_web");
	return lcowmig_container_import(SANDBOX(t), t->envelope, t->envelope_size, "pod-a", &t->container, t->error);
}

static lcowmig_status patch_container(torture *t)
{
	lcowmig_patch patch = LCOWMIG_PATCH_INIT;

	patch.source_container_id = "web";
	patch.container_id = "new-web";
	patch.bundle = "C:\\bundle";
	patch.stdout_path = "out";
	return torture_settle(t, lcowmig_container_patch(t->container, &patch, test_on_done, torture_done(t), t->error));
}

static lcowmig_status adopt_container(torture *t)
{
	return lcowmig_container_adopt(t->container, t->error);
}

static lcowmig_status resume_container(torture *t)
{
	return torture_settle(t, lcowmig_container_resume(t->container, true, test_on_done, torture_done(t), t->error));
}

static lcowmig_status announce_container(torture *t)
{
	return lcowmig_container_announce(t->container, t->error);
}

static lcowmig_status save_container(torture *t)
{
	if (strcmp(lcowmig_container_state_name(t->container), "Stopped") == 0)
		return LCOWMIG_OK;
	return lcowmig_container_save(t->container, t->envelope, sizeof t->envelope, &t->envelope_size, t->error);
}

static lcowmig_status resume_saved(torture *t)
{
	return torture_settle(t, lcowmig_container_resume(t->container, false, test_on_done, torture_done(t), t->error));
}

static lcowmig_status wait_container(torture *t)
{
	end_process(t);
	return torture_settle(t, lcowmig_container_wait(t->container, test_on_done, torture_done(t), t->error));
}

static lcowmig_status free_container(torture *t)
{
	lcowmig_status status = lcowmig_container_free(t->container, t->error);

	if (status == LCOWMIG_OK)
		t->container = NULL;
	return status;
}

static lcowmig_status import_scsi(torture *t)
{
	steps_read_golden(t, "scsi");
	return lcowmig_scsi_import(SANDBOX(t), t->envelope, t->envelope_size, &t->scsi, t->error);
}

static lcowmig_status repoint_disk(torture *t)
{
	lcowmig_guid id;

	OK(lcowmig_guid_parse("6d1f002c-5a77-4e10-b30a-c40000000003", &id));
	return lcowmig_scsi_update_disk_host_path(t->scsi, &id, "D:\\elsewhere.vhdx", t->error);
}

static lcowmig_status resume_scsi(torture *t)
{
	return lcowmig_scsi_resume(t->scsi, t->error);
}

static lcowmig_status save_scsi(torture *t)
{
	return lcowmig_scsi_save(t->scsi, t->envelope, sizeof t->envelope, &t->envelope_size, t->error);
}

static lcowmig_status free_scsi(torture *t)
{
	lcowmig_status status = lcowmig_scsi_free(t->scsi, t->error);

	if (status == LCOWMIG_OK)
		t->scsi = NULL;
	return status;
}

/* Whatever the steps have left. */
void torture_import_end(torture *t)
{
	end_process(t);
	OK(free_network(t));
	OK(t->process ? lcowmig_process_abort(t->process, t->error) : LCOWMIG_OK);
	OK(t->container ? lcowmig_container_abort(t->container, t->error) : LCOWMIG_OK);
	steps_let_pass(t, 20);
	OK(free_process(t));
	OK(free_container(t));
	OK(free_scsi(t));
}

const torture_step torture_import_steps[] = {
	{ "import network", import_network },
	{ "patch network", patch_network },
	{ "resume network", resume_network },
	{ "reset network", reset_network },
	{ "save network", save_network },
	{ "resume saved network", resume_network },
	{ "tear network down", teardown_network },
	{ "free network", free_network },
	{ "import process", import_process },
	{ "patch process", patch_process },
	{ "adopt process", adopt_process },
	{ "resume process", resume_process },
	{ "wait for process", wait_process },
	{ "free process", free_process },
	{ "import container", import_container },
	{ "patch container", patch_container },
	{ "adopt container", adopt_container },
	{ "resume container", resume_container },
	{ "announce container", announce_container },
	{ "save container", save_container },
	{ "resume saved container", resume_saved },
	{ "wait for container", wait_container },
	{ "free container", free_container },
	{ "import scsi", import_scsi },
	{ "repoint disk", repoint_disk },
	{ "resume scsi", resume_scsi },
	{ "save scsi", save_scsi },
	{ "resume saved scsi", resume_scsi },
	{ "free scsi", free_scsi },
	{ NULL, NULL },
};
