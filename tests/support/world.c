#include "world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariants.h"

#define SECOND UINT64_C(1000000000)

static const char document[] =
	"{\"Owner\":\"test\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"ShouldTerminateOnLastHandleClosed\":true,\"VirtualMachine\":{"
	"\"StopOnReset\":true,\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"C:\\\\LinuxBoot\\\\vmlinux\",\"KernelCmdLine\":"
	"\"root=/dev/sda "
	"-- -e 1 /bin/vsockexec -r -e 109 /bin/gcs\"}},\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":1024},\"Processor\":{\"Count\":2}},"
	"\"Devices\":{\"Scsi\":{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\",\"Path\":"
	"\"C:\\\\LinuxBoot\\\\rootfs.vhd\",\"ReadOnly\":true}}},\"0110f83b-de10-5172-a266-78bca56bf50a\":{}},\"HvSocket\":{"
	"\"HvSocketConfig\":{}}}}}";

const char *world_pod_id(unsigned pod)
{
	static char text[4][16];
	static unsigned next;
	char *place = text[next++ % 4];

	snprintf(place, sizeof text[0], "p%u", pod);
	return place;
}

const char *world_container_id(unsigned pod, unsigned container)
{
	static char text[4][24];
	static unsigned next;
	char *place = text[next++ % 4];

	if (container)
		snprintf(place, sizeof text[0], "p%u-c%u", pod, container);
	else
		snprintf(place, sizeof text[0], "p%u", pod);
	return place;
}

lcowmig_migration_state world_state(const test_side *side)
{
	return lcowmig_migration_get_state(side->m);
}

/* A side's id for "sb", "p0" … */
static const char *side_id(const test_side *side, const char *base)
{
	static char text[4][48];
	static unsigned next;
	char *place = text[next++ % 4];

	snprintf(place, sizeof text[0], "%s%s", side->prefix, base);
	return place;
}

static test_done *done_reset(void)
{
	static test_done done;

	memset(&done, 0, sizeof done);
	return &done;
}

static void exit_vm(test_side *side)
{
	if (side->vm_exit_is_told)
		return;
	side->vm_exit_is_told = true;
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(side->sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, WORLD_EXITED, NULL), LCOWMIG_OK);
}

lcowmig_status world_settle(test_world *world, test_side *side, lcowmig_status status, test_done *done)
{
	unsigned i;

	world_pump(world);
	if (status != LCOWMIG_PENDING) {
		ck_assert_int_eq(done->calls, 0);
		invariants_check(world);
		return status;
	}
	if (!done->calls && side->waits_for_exit)
		exit_vm(side);
	for (i = 0; i < 1000 && !done->calls; i++) {
		world_pump(world);
		if (!done->calls)
			test_host_advance(side->host, SECOND);
	}
	ck_assert_int_eq(done->calls, 1);
	world->error.status = done->status;
	snprintf(world->error.message, sizeof world->error.message, "%s", done->message);
	invariants_check(world);
	return done->status;
}

/* Everything but requests whose answer is an event of its own: waits for processes, the guest's log. */
static const char *const slow_operations[] = {
	"hcs.create",
	"hcs.start",
	"hcs.terminate",
	"hcs.close",
	"hcs.modify",
	"hcs.properties",
	"hcs.initialize_migration",
	"hcs.start_migration",
	"hcs.transfer",
	"hcs.finalize_migration",
	"hcs.cancel_migration",
	"hcs.grant_access",
	"hcs.resolve_path",
	"guest.prepare",
	"guest.connect",
	"guest.resume",
	"guest.rpc:10100a01",
	"guest.rpc:10100901",
	"network.endpoints",
	"stdio.open",
	"stdio.attach",
	"socket.adopt",
};

static void set_slow(test_host *host)
{
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(slow_operations); i++)
		test_host_hold(host, slow_operations[i], true);
}

void world_set_slow(test_world *world)
{
	world->is_slow = true;
	set_slow(world->source.host);
	set_slow(world->destination.host);
}

static bool pump_host(test_host *host)
{
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(slow_operations); i++) {
		if (test_host_pending(host, slow_operations[i])) {
			test_host_complete(host, slow_operations[i], LCOWMIG_OK, 0, NULL);
			return true;
		}
	}
	return false;
}

bool world_pump_one(test_world *world)
{
	return pump_host(world->source.host) || pump_host(world->destination.host);
}

void world_pump(test_world *world)
{
	while (world->is_slow && world_pump_one(world))
		;
}

/* ---- What runs on the source ---- */

static void must(test_host *host, lcowmig__flow *flow)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	test_done done = { 0 };
	lcowmig_status status = test_run(host, flow, &done, &error);

	ck_assert_msg(status == LCOWMIG_OK, "%s", error.message);
}

static void make_container(test_side *side, lcowmig_pod *pod, unsigned p, unsigned c)
{
	char spec[512], source[64], layers[128];
	const char *mount_options[1] = { layers };
	lcowmig_rootfs_mount rootfs = { "lcow-layer", source, "", mount_options, 1 };
	lcowmig_container_options options = { .size = sizeof options };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_container *container;

	snprintf(
		spec, sizeof spec,
		"{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"/bin/app\"],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},\"linux\":{},"
		"\"annotations\":{\"io.kubernetes.cri.container-type\":\"%s\",\"io.kubernetes.cri.sandbox-id\":\"%s\"}}",
		c ? "container" : "sandbox", world_pod_id(p));
	snprintf(source, sizeof source, "C:\\source\\%s", world_container_id(p, c));
	snprintf(layers, sizeof layers, "parentLayerPaths=[\"C:\\\\source\\\\base\"]");
	options.oci_spec = spec;
	options.oci_spec_size = strlen(spec);
	options.rootfs = &rootfs;
	options.n_rootfs = 1;
	options.bundle = "C:\\bundle";
	options.stdout_path = "\\\\.\\pipe\\out";
	ck_assert_msg(lcowmig_pod_new_container(pod, world_container_id(p, c), &container, &error) == LCOWMIG_OK, "%s", error.message);
	test_enter(side->host);
	test_leave(side->host);
	must(side->host, lcowmig__container_create_flow(container, &options, &error));
	must(side->host, lcowmig__container_start_flow(container, &error));
}

static void make_pod(test_side *side, unsigned p, unsigned n_containers)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	test_done *done = done_reset();
	lcowmig_status status;
	lcowmig_pod *pod;
	unsigned c;

	ck_assert_msg(lcowmig_pod_new(side->sandbox, world_pod_id(p), "a1b2c3d4-0000-4000-8000-000000000001", &pod, &error) == LCOWMIG_OK,
		      "%s", error.message);
	status = lcowmig_pod_setup_network(pod, test_on_done, done, &error);
	ck_assert_msg(status == LCOWMIG_OK, "%s", error.message);
	for (c = 0; c < n_containers; c++)
		make_container(side, pod, p, c);
}

static void make_vm(test_side *side)
{
	lcowmig_vm_options options = { .size = sizeof options, .architecture = "amd64" };
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	must(side->host, lcowmig__vm_create_flow(side->sandbox->vm, document, strlen(document), &options, &error));
	must(side->host, lcowmig__vm_start_flow(side->sandbox->vm, &error));
}

static void make_side(test_side *side, const char *name, const char *prefix, const char *id)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	memset(side, 0, sizeof *side);
	side->name = name;
	snprintf(side->prefix, sizeof side->prefix, "%s", prefix);
	side->host = test_host_new();
	side->host->config.id = id;
	ck_assert_msg(lcowmig_sandbox_new(side->host->context, &side->host->config, &side->sandbox, &error) == LCOWMIG_OK, "%s",
		      error.message);
	side->m = side->sandbox->migration;
	side->waits_for_exit = true;
}

test_world *world_new(unsigned n_pods, unsigned n_containers)
{
	test_world *world = calloc(1, sizeof *world);
	unsigned i;

	ck_assert_ptr_nonnull(world);
	world->error.size = sizeof world->error;
	world->n_pods = n_pods;
	world->n_containers = n_containers;
	make_side(&world->source, "source", "", "sb");
	make_side(&world->destination, "destination", "d-", NULL);
	make_vm(&world->source);
	for (i = 0; i < n_pods; i++)
		make_pod(&world->source, i, n_containers);
	invariants_check(world);
	return world;
}

/* ---- The end ---- */

/* A host that has failures in store gets to them. */
static void terminate(test_world *world, test_side *side)
{
	lcowmig_status status = LCOWMIG_E_HOST_FAILED;
	unsigned i;

	for (i = 0; i < 5 && status != LCOWMIG_OK; i++) {
		test_done *done = done_reset();

		status = world_settle(world, side, lcowmig_vm_terminate(side->sandbox->vm, test_on_done, done, &world->error), done);
	}
	ck_assert_msg(status == LCOWMIG_OK, "%s: %s", side->name, world->error.message);
}

static void free_side(test_world *world, test_side *side)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status;

	if (lcowmig_migration_session_id(side->m)[0])
		world_abandon(world, side);
	ck_assert_int_eq(world_state(side), LCOWMIG_MIGRATION_IDLE);
	side->waits_for_exit = true;
	terminate(world, side);
	invariants_check_end(world, side);
	status = lcowmig_sandbox_free(side->sandbox, &error);
	ck_assert_msg(status == LCOWMIG_OK, "%s: %s", side->name, error.message);
	side->sandbox = NULL;
}

void world_free(test_world *world)
{
	free_side(world, &world->source);
	free_side(world, &world->destination);
	invariants_check_exits(world);
	test_host_free(world->source.host);
	test_host_free(world->destination.host);
	free(world->envelope);
	free(world);
}

void world_new_destination(test_world *world)
{
	char prefix[sizeof world->destination.prefix];

	snprintf(prefix, sizeof prefix, "%s", world->destination.prefix);
	free_side(world, &world->destination);
	test_host_free(world->destination.host);
	make_side(&world->destination, "destination", prefix, NULL);
	world->token_size = 0;
	if (world->is_slow)
		set_slow(world->destination.host);
}

void world_turn(test_world *world)
{
	char prefix[sizeof world->destination.prefix];

	free_side(world, &world->source);
	test_host_free(world->source.host);
	world->source = world->destination;
	world->source.name = "source";
	snprintf(prefix, sizeof prefix, "d-%.12s", world->source.prefix);
	make_side(&world->destination, "destination", prefix, NULL);
	world->token_size = 0;
	if (world->is_slow)
		set_slow(world->destination.host);
}

/* ---- The steps ---- */

lcowmig_status world_prepare_source(test_world *world)
{
	test_side *side = &world->source;
	test_done *done = done_reset();

	return world_settle(world, side, lcowmig_migration_prepare_source(side->m, WORLD_SESSION, NULL, test_on_done, done, &world->error),
			    done);
}

lcowmig_status world_export(test_world *world)
{
	test_side *side = &world->source;
	test_done *done = done_reset();
	lcowmig_status status =
		world_settle(world, side, lcowmig_migration_export(side->m, WORLD_SESSION, test_on_done, done, &world->error), done);
	size_t size;

	if (status != LCOWMIG_OK)
		return status;
	free(world->envelope);
	ck_assert_int_eq(lcowmig_migration_copy_envelope(side->m, WORLD_SESSION, NULL, 0, &world->envelope_size, NULL), LCOWMIG_OK);
	world->envelope = malloc(world->envelope_size);
	ck_assert_ptr_nonnull(world->envelope);
	ck_assert_int_eq(lcowmig_migration_copy_envelope(side->m, WORLD_SESSION, world->envelope, world->envelope_size, &size, NULL),
			 LCOWMIG_OK);
	return status;
}

lcowmig_status world_import(test_world *world)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;
	lcowmig_status status;

	options.session_id = WORLD_SESSION;
	options.sandbox_id = side_id(&world->destination, "sb");
	options.envelope = world->envelope;
	options.envelope_size = world->envelope_size;
	status = lcowmig_migration_import(world->destination.m, &options, &world->error);
	invariants_check(world);
	return status;
}

lcowmig_status world_patch(test_world *world, const char *source_id)
{
	char id[64], source[128], layers[128];
	const char *mount_options[1] = { layers };
	lcowmig_rootfs_mount rootfs = { "lcow-layer", source, "", mount_options, 1 };
	lcowmig_patch patch = { .size = sizeof patch };
	test_side *side = &world->destination;
	test_done *done = done_reset();

	snprintf(id, sizeof id, "%s%s", side->prefix, source_id);
	snprintf(source, sizeof source, "C:\\destination\\%s", id);
	snprintf(layers, sizeof layers, "parentLayerPaths=[\"C:\\\\destination\\\\base\"]");
	patch.source_container_id = side_id(&world->source, source_id);
	patch.container_id = id;
	patch.rootfs = &rootfs;
	patch.n_rootfs = 1;
	patch.bundle = "C:\\bundle-d";
	patch.stdout_path = "\\\\.\\pipe\\out-d";
	patch.namespace_id = strchr(source_id, '-') ? NULL : "a1b2c3d4-0000-4000-8000-000000000002";
	return world_settle(world, side, lcowmig_migration_patch(side->m, &patch, test_on_done, done, &world->error), done);
}

lcowmig_status world_patch_all(test_world *world)
{
	lcowmig_status status = LCOWMIG_OK;
	unsigned p, c;

	for (p = 0; p < world->n_pods; p++)
		for (c = world->n_containers; c-- > 0 && status == LCOWMIG_OK;)
			status = world_patch(world, world_container_id(p, c));
	return status;
}

lcowmig_status world_prepare_destination(test_world *world)
{
	test_side *side = &world->destination;
	test_done *done = done_reset();

	return world_settle(world, side,
			    lcowmig_migration_prepare_destination(side->m, WORLD_SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED, test_on_done,
								  done, &world->error),
			    done);
}

lcowmig_status world_register(test_world *world, test_side *side)
{
	test_done *done = done_reset();

	return world_settle(
		world, side,
		lcowmig_migration_register_socket(side->m, WORLD_SESSION, (const uint8_t *)"socket", 6, test_on_done, done, &world->error),
		done);
}

lcowmig_status world_transfer(test_world *world, test_side *side)
{
	lcowmig_status status = lcowmig_migration_transfer(side->m, WORLD_SESSION, NULL, &world->error);

	world_pump(world);
	invariants_check(world);
	if (status == LCOWMIG_OK && world_state(side) == LCOWMIG_MIGRATION_FAILED)
		return lcowmig_migration_failure(side->m, &world->error);
	return status;
}

lcowmig_status world_release(test_world *world, test_side *side)
{
	lcowmig_status status =
		lcowmig_migration_release(side->m, WORLD_SESSION, world->token, sizeof world->token, &world->token_size, &world->error);

	if (status != LCOWMIG_OK)
		world->token_size = 0;
	invariants_check(world);
	return status;
}

lcowmig_status world_finalize(test_world *world, test_side *side, lcowmig_finalize_action action)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	test_done *done = done_reset();
	lcowmig_status status;

	options.action = action;
	if (action == LCOWMIG_FINALIZE_RESUME && world->token_size && !lcowmig_migration_has_right(side->m)) {
		options.token = world->token;
		options.token_size = world->token_size;
	}
	side->waits_for_exit = action == LCOWMIG_FINALIZE_STOP;
	status = lcowmig_migration_finalize(side->m, WORLD_SESSION, &options, test_on_done, done, &world->error);
	status = world_settle(world, side, status, done);
	side->waits_for_exit = false;
	return status;
}

lcowmig_status world_cancel(test_world *world, test_side *side)
{
	test_done *done = done_reset();

	return world_settle(world, side, lcowmig_migration_cancel(side->m, WORLD_SESSION, test_on_done, done, &world->error), done);
}

lcowmig_status world_cleanup(test_world *world, test_side *side)
{
	lcowmig_status status = lcowmig_migration_cleanup(side->m, WORLD_SESSION, &world->error);

	invariants_check(world);
	return status;
}

lcowmig_status world_abandon(test_world *world, test_side *side)
{
	test_done *done = done_reset();
	lcowmig_status status;

	side->waits_for_exit = !lcowmig_migration_has_right(side->m);
	side->was_abandoned = true;
	status = lcowmig_migration_abandon(side->m, lcowmig_migration_session_id(side->m), test_on_done, done, &world->error);
	return world_settle(world, side, status, done);
}

void world_kill_vm(test_world *world, test_side *side)
{
	exit_vm(side);
	invariants_check(world);
}

void world_tell(test_side *side, const char *event, const char *result)
{
	char data[256];

	snprintf(data, sizeof data, "{\"Event\":\"%s\"%s%s%s}", event, result ? ",\"Result\":\"" : "", result ? result : "",
		 result ? "\"" : "");
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(side->sandbox, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION, data, NULL), LCOWMIG_OK);
}

static lcowmig_status both(test_world *world, lcowmig_status (*step)(test_world *world, test_side *side))
{
	lcowmig_status status = step(world, &world->source);

	return status == LCOWMIG_OK ? step(world, &world->destination) : status;
}

lcowmig_status world_step(test_world *world, world_point point)
{
	switch (point) {
	case WORLD_PREPARED:
		return world_prepare_source(world);
	case WORLD_EXPORTED:
		return world_export(world);
	case WORLD_IMPORTED:
		return world_import(world);
	case WORLD_PATCHED:
		return world_patch_all(world);
	case WORLD_READY:
		return world_prepare_destination(world);
	case WORLD_CONNECTED:
		return both(world, world_register);
	case WORLD_TRANSFERRED:
		return both(world, world_transfer);
	case WORLD_RELEASED:
		return world_release(world, &world->source);
	case WORLD_RESUMED:
		return world_finalize(world, &world->destination, LCOWMIG_FINALIZE_RESUME);
	case WORLD_STOPPED:
		return world_finalize(world, &world->source, LCOWMIG_FINALIZE_STOP);
	default:
		return both(world, world_cleanup);
	}
}

lcowmig_status world_migrate_until(test_world *world, world_point last)
{
	lcowmig_status status = LCOWMIG_OK;
	int point;

	for (point = WORLD_PREPARED; point <= (int)last && status == LCOWMIG_OK; point++)
		status = world_step(world, (world_point)point);
	return status;
}
