/* The sandbox that is measured: n containers on a shared layer and a shared scratch, as a host with few disks has them. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define LAYER_SLOT 1u
#define SCRATCH_SLOT 2u

static const char document[] =
	"{\"Owner\":\"bench\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"ShouldTerminateOnLastHandleClosed\":true,\"VirtualMachine\":{"
	"\"StopOnReset\":true,\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"C:\\\\LinuxBoot\\\\vmlinux\",\"KernelCmdLine\":\"root=/dev/sda "
	"-- -e 1 /bin/vsockexec -r -e 109 /bin/gcs\"}},\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":1024},\"Processor\":{\"Count\":2}},"
	"\"Devices\":{\"Scsi\":{\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\",\"Path\":"
	"\"C:\\\\LinuxBoot\\\\rootfs.vhd\",\"ReadOnly\":true}}}},\"HvSocket\":{\"HvSocketConfig\":{}}}}}";

static const char *text(lcowmig__arena *arena, const char *format, unsigned a)
{
	char line[256];
	int size = snprintf(line, sizeof line, format, a);

	return lcowmig__arena_strndup(arena, line, (size_t)size);
}

static lcowmig_guid reservation_id(unsigned container, unsigned which)
{
	lcowmig_guid guid = { { 0 } };

	guid.bytes[0] = (uint8_t)(container >> 8); /* rises with the container, so that the list is sorted */
	guid.bytes[1] = (uint8_t)container;
	guid.bytes[2] = (uint8_t)which;
	guid.bytes[15] = 1;
	return guid;
}

static void fill_disk(lcowmig__wire_disk *disk, lcowmig__wire_mount *mount, uint32_t slot, const char *path, bool read_only, unsigned users)
{
	disk->slot = slot;
	disk->host_path = path;
	disk->read_only = read_only;
	disk->type = "VirtualDisk";
	if (!users)
		return;
	disk->mounts = mount;
	disk->n_mounts = 1;
	mount->read_only = read_only;
	mount->ref_count = users;
	mount->guest_path = slot == LAYER_SLOT ? "/run/mounts/scsi/0_1_0" : "/run/mounts/scsi/0_2_0";
	mount->ensure_filesystem = !read_only;
	mount->filesystem = read_only ? "" : "ext4";
}

/* The last one in the order of ids is the sandbox container: its id is the pod's. */
static void fill_container(lcowmig__arena *arena, unsigned i, bool is_sandbox, lcowmig__wire_container *container)
{
	lcowmig__wire_process *process = lcowmig__arena_alloc(arena, sizeof *process);
	lcowmig__wire_layer *layer = lcowmig__arena_alloc(arena, sizeof *layer);

	container->container_id = is_sandbox ? "p1" : text(arena, "9f3b1c0d2e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f809%08x", i);
	container->gcs_container_id = container->container_id;
	container->io_retry_timeout.seconds = 10;
	container->has_layers = container->has_scratch = container->layers_combined = true;
	layer->reservation_id = reservation_id(i, 0);
	layer->guest_path = "/run/mounts/scsi/0_1_0";
	container->ro_layers = layer;
	container->n_ro_layers = 1;
	container->scratch.reservation_id = reservation_id(i, 1);
	container->scratch.guest_path =
		text(arena, "/run/mounts/scsi/0_2_0/scratch/p1/9f3b1c0d2e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f809%08x", i);
	container->rootfs_path = text(arena, "/run/gcs/pods/p1/9f3b1c0d2e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f809%08x/rootfs", i);
	process->exec_id = "";
	process->pid = (int32_t)(100 + i);
	process->bundle = text(arena, "C:\\ProgramData\\containerd\\state\\io.containerd.runtime.v2.task\\k8s.io\\9f3b1c0d2e4f5a6b7c8d9e0f%08x", i);
	process->ports[1] = LCOWMIG_GCS_FIRST_PORT + 2 * i;
	process->ports[2] = LCOWMIG_GCS_FIRST_PORT + 2 * i + 1;
	process->wait_call_id = (int64_t)i + 10;
	container->processes = process;
	container->n_processes = 1;
}

void bench_sandbox(lcowmig__arena *arena, unsigned n, lcowmig__wire_sandbox *ret_sandbox)
{
	lcowmig__wire_pod *pod = lcowmig__arena_alloc(arena, sizeof *pod);
	lcowmig__wire_vm *vm = &ret_sandbox->vm;
	lcowmig__wire_disk *disks = lcowmig__arena_alloc(arena, 3 * sizeof *disks);
	lcowmig__wire_mount *mounts = lcowmig__arena_alloc(arena, 3 * sizeof *mounts);
	unsigned i;

	memset(ret_sandbox, 0, sizeof *ret_sandbox);
	vm->vm_id = "bench@vm";
	vm->has_options = vm->has_scsi = true;
	vm->architecture = "amd64";
	vm->gcs_next_port = LCOWMIG_GCS_FIRST_PORT + 2 * n;
	vm->bridge_next_id = (int64_t)n + 10;
	vm->compat_info = (lcowmig__wire_bytes){ (const uint8_t *)"compat", 6 };
	vm->hcs_document = (lcowmig__wire_bytes){ (const uint8_t *)document, sizeof document - 1 };
	vm->scsi.num_controllers = 4;
	fill_disk(&disks[0], &mounts[0], 0, "C:\\LinuxBoot\\rootfs.vhd", true, 0);
	fill_disk(&disks[1], &mounts[1], LAYER_SLOT, "C:\\snap\\12\\layer.vhd", true, n);
	fill_disk(&disks[2], &mounts[2], SCRATCH_SLOT, "C:\\snap\\40\\sandbox.vhdx", false, n);
	vm->scsi.disks = disks;
	vm->scsi.n_disks = 3;
	vm->scsi.reservations = lcowmig__arena_alloc(arena, 2 * n * sizeof *vm->scsi.reservations);
	vm->scsi.n_reservations = 2 * n;
	pod->pod_id = pod->gcs_pod_id = "p1";
	pod->has_network = true;
	pod->network.namespace_id = "4b7de07b-9d2c-4b5b-9b0a-0d7b7a1f2a10";
	pod->network.namespace_supported = true;
	pod->network.endpoints = lcowmig__arena_alloc(arena, sizeof *pod->network.endpoints);
	pod->network.n_endpoints = 1;
	pod->network.endpoints[0] = (lcowmig__wire_endpoint){ "6a3f6c57-6c0e-4a0e-9c5f-0c2f3b7e9c11", "f7b5d1a0-2f3e-4b6c-8d9e-112233445566",
		                                              "00-15-5D-01-02-03", "pod_eth0" };
	pod->containers = lcowmig__arena_alloc(arena, n * sizeof *pod->containers);
	pod->n_containers = n;
	for (i = 0; i < n; i++) {
		fill_container(arena, i, i + 1 == n, &pod->containers[i]);
		vm->scsi.reservations[2 * i] = (lcowmig__wire_reservation){ reservation_id(i, 0), LAYER_SLOT, 0 };
		vm->scsi.reservations[2 * i + 1] = (lcowmig__wire_reservation){ reservation_id(i, 1), SCRATCH_SLOT, 0 };
	}
	ret_sandbox->pods = pod;
	ret_sandbox->n_pods = 1;
}
