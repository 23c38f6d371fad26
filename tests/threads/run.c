/* What runs on the hosts: a machine with a pod, and its migration. */
#include <stdio.h>
#include <string.h>

#include "host_private.h"

static const char document[] =
	"{\"Owner\":\"test\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"ShouldTerminateOnLastHandleClosed\":true,\"VirtualMachine\":{"
	"\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"C:\\\\vmlinux\",\"KernelCmdLine\":\"panic=-1 -- -e 1 /bin/vsockexec -r "
	"-e 109 /bin/gcs\"}},\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":1024},\"Processor\":{\"Count\":2}},\"Devices\":{\"Scsi\":{"
	"\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{}}}}}";

static void make_container(mt_host *host, lcowmig_pod *pod, const char *id, bool is_sandbox)
{
	lcowmig_container_options options = LCOWMIG_CONTAINER_OPTIONS_INIT;
	lcowmig_rootfs_mount rootfs = { "lcow-layer", NULL, "", NULL, 1 };
	char spec[512], scratch[64];
	static const char *const layers[] = { "parentLayerPaths=[\"C:\\\\base\"]" };
	lcowmig_container *container;
	waiter w;

	waiter_init(&w);
	snprintf(spec, sizeof spec,
	         "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"/bin/app\"],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},\"linux\":{},"
	         "\"annotations\":{\"io.kubernetes.cri.container-type\":\"%s\",\"io.kubernetes.cri.sandbox-id\":\"pod\"}}",
	         is_sandbox ? "sandbox" : "container");
	snprintf(scratch, sizeof scratch, "C:\\%s", id);
	rootfs.source = scratch;
	rootfs.options = layers;
	options.oci_spec = spec;
	options.oci_spec_size = strlen(spec);
	options.rootfs = &rootfs;
	options.n_rootfs = 1;
	options.bundle = "C:\\bundle";
	options.stdout_path = "out";
	OK(lcowmig_pod_new_container(pod, id, &container, NULL));
	OK(waiter_wait(&w, lcowmig_container_create(container, &options, waiter_on_done, &w, NULL)));
	OK(waiter_wait(&w, lcowmig_container_start(container, waiter_on_done, &w, NULL)));
	waiter_done(&w);
}

void mt_boot(mt_host *host, unsigned n_containers)
{
	lcowmig_vm_options options = LCOWMIG_VM_OPTIONS_INIT;
	lcowmig_pod *pod;
	char id[16];
	unsigned i;
	waiter w;

	waiter_init(&w);
	options.architecture = "amd64";
	OK(waiter_wait(&w, lcowmig_vm_create(host->vm, document, sizeof document - 1, &options, waiter_on_done, &w, NULL)));
	OK(waiter_wait(&w, lcowmig_vm_start(host->vm, waiter_on_done, &w, NULL)));
	OK(lcowmig_pod_new(host->sandbox, "pod", "a1b2c3d4-0000-4000-8000-000000000001", &pod, NULL));
	OK(waiter_wait(&w, lcowmig_pod_setup_network(pod, waiter_on_done, &w, NULL)));
	make_container(host, pod, "pod", true);
	for (i = 1; i < n_containers; i++) {
		snprintf(id, sizeof id, "c%u", i);
		make_container(host, pod, id, false);
	}
	waiter_done(&w);
}

static void import(mt_host *source, mt_host *destination)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;

	options.session_id = SESSION;
	options.sandbox_id = "destination";
	OK(lcowmig_migration_envelope(source->m, SESSION, &options.envelope, &options.envelope_size, NULL));
	OK(lcowmig_migration_import(destination->m, &options, NULL));
}

static void patch(mt_host *destination, const char *id)
{
	lcowmig_patch patch = LCOWMIG_PATCH_INIT;
	char new_id[32];
	waiter w;

	waiter_init(&w);
	snprintf(new_id, sizeof new_id, "d-%s", id);
	patch.source_container_id = id;
	patch.container_id = new_id;
	patch.bundle = "C:\\bundle";
	patch.stdout_path = "out";
	patch.namespace_id = strcmp(id, "pod") == 0 ? "a1b2c3d4-0000-4000-8000-000000000002" : NULL;
	OK(waiter_wait(&w, lcowmig_migration_patch(destination->m, &patch, waiter_on_done, &w, NULL)));
	waiter_done(&w);
}

/* The requests that wait for the processes may still be on their way to the guest: until then the sandbox cannot migrate. */
static void prepare_source(mt_host *source)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status = LCOWMIG_E_FAILED_PRECONDITION;
	unsigned i;
	waiter w;

	waiter_init(&w);
	for (i = 0; i < 5000 && status == LCOWMIG_E_FAILED_PRECONDITION; i++) {
		status = waiter_wait(&w, lcowmig_migration_prepare_source(source->m, SESSION, NULL, waiter_on_done, &w, &error));
		if (status != LCOWMIG_OK)
			mt_nap(1000000);
	}
	ck_assert_msg(status == LCOWMIG_OK, "%s", error.message);
	waiter_done(&w);
}

void mt_prepare(mt_host *source, mt_host *destination, unsigned n_containers)
{
	static const uint8_t descriptor[] = "socket";
	char id[16];
	unsigned i;
	waiter w;

	waiter_init(&w);
	prepare_source(source);
	OK(waiter_wait(&w, lcowmig_migration_export(source->m, SESSION, waiter_on_done, &w, NULL)));
	import(source, destination);
	for (i = 0; i < n_containers; i++) {
		snprintf(id, sizeof id, i ? "c%u" : "pod", i);
		patch(destination, id);
	}
	OK(waiter_wait(&w, lcowmig_migration_prepare_destination(destination->m, SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED, waiter_on_done,
	                                                         &w, NULL)));
	OK(waiter_wait(&w, lcowmig_migration_register_socket(source->m, SESSION, descriptor, sizeof descriptor, waiter_on_done, &w, NULL)));
	OK(waiter_wait(&w, lcowmig_migration_register_socket(destination->m, SESSION, descriptor, sizeof descriptor, waiter_on_done, &w,
	                                                     NULL)));
	waiter_done(&w);
}

void mt_await_state(mt_host *host, lcowmig_migration_state state)
{
	unsigned i;

	for (i = 0; i < 20000 && lcowmig_migration_get_state(host->m) != state; i++)
		mt_nap(1000000);
	ck_assert_int_eq(lcowmig_migration_get_state(host->m), state);
}

void mt_finish(mt_host *source, mt_host *destination)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	uint8_t token[LCOWMIG_TOKEN_SIZE_MAX];
	waiter w;

	waiter_init(&w);
	OK(lcowmig_migration_transfer(source->m, SESSION, NULL, NULL));
	OK(lcowmig_migration_transfer(destination->m, SESSION, NULL, NULL));
	mt_await_state(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	mt_await_state(destination, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	OK(lcowmig_migration_release(source->m, SESSION, token, sizeof token, &options.token_size, NULL));
	options.token = token;
	options.action = LCOWMIG_FINALIZE_RESUME;
	OK(waiter_wait(&w, lcowmig_migration_finalize(destination->m, SESSION, &options, waiter_on_done, &w, NULL)));
	options.token = NULL;
	options.token_size = 0;
	options.action = LCOWMIG_FINALIZE_STOP;
	OK(waiter_wait(&w, lcowmig_migration_finalize(source->m, SESSION, &options, waiter_on_done, &w, NULL)));
	waiter_done(&w);
}

void mt_clean_up(mt_host *source, mt_host *destination)
{
	OK(lcowmig_migration_cleanup(source->m, SESSION, NULL));
	OK(lcowmig_migration_cleanup(destination->m, SESSION, NULL));
}
