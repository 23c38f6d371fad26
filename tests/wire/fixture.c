#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/table.h"

static void *memory_allocate(void *user, size_t size)
{
	wire_memory *memory = user;
	void *piece = ++memory->made == memory->fail_at ? NULL : malloc(size ? size : 1);

	if (!piece)
		return NULL;
	if (size > memory->largest)
		memory->largest = size;
	memory->alive++;
	return piece;
}

static void memory_release(void *user, void *pointer)
{
	wire_memory *memory = user;

	if (!pointer)
		return;
	memory->alive--;
	free(pointer);
}

void wire_memory_init(wire_memory *memory)
{
	memset(memory, 0, sizeof *memory);
	memory->mem.allocate = memory_allocate;
	memory->mem.release = memory_release;
	memory->mem.user = memory;
}

lcowmig_guid wire_guid(unsigned number)
{
	lcowmig_guid guid = { { 0x6d, 0x1f, 0x00, 0x2c, 0x5a, 0x77, 0x4e, 0x10, 0xb3, 0x0a, 0xc4, 0x00, 0x00, 0x00, 0x00, 0x00 } };

	guid.bytes[15] = (uint8_t)number;
	return guid;
}

static void sample_scsi(wire_sample *s)
{
	lcowmig__wire_scsi *scsi = &s->sandbox.vm.scsi;

	s->options[0] = "ro";
	s->options[1] = "noatime";
	s->mounts[0] = (lcowmig__wire_mount){ .partition = 0, .read_only = true, .options = s->options, .n_options = 2, .ref_count = 2,
		                              .filesystem = "ext4", .guest_path = "/run/mounts/scsi/0_1_0" };
	s->mounts[1] = (lcowmig__wire_mount){ .partition = 1, .read_only = true, .ref_count = 1, .guest_path = "/run/mounts/scsi/0_2_1" };
	s->mounts[2] = (lcowmig__wire_mount){ .partition = 3, .read_only = true, .ref_count = 1 };
	s->mounts[3] = (lcowmig__wire_mount){ .encrypted = true, .ensure_filesystem = true, .filesystem = "xfs", .ref_count = 1,
		                              .guest_path = "/run/mounts/scsi/0_3_0" };
	s->mounts[4] = (lcowmig__wire_mount){ .block_device = true, .ref_count = 1, .guest_path = "/run/mounts/scsi/1_0_0" };
	s->mounts[5] = (lcowmig__wire_mount){ .ref_count = 1, .guest_path = "/run/mounts/scsi/3_63_0" };
	s->disks[0] = (lcowmig__wire_disk){ .slot = 0, .host_path = "C:\\boot\\rootfs.vhd", .read_only = true, .type = "VirtualDisk" };
	s->disks[1] = (lcowmig__wire_disk){ .slot = 1, .host_path = "C:\\layers\\base.vhd", .read_only = true, .type = "VirtualDisk",
		                            .mounts = &s->mounts[0], .n_mounts = 1 };
	s->disks[2] = (lcowmig__wire_disk){ .slot = 2, .host_path = "C:\\layers\\merged.vhd", .read_only = true, .type = "VirtualDisk",
		                            .mounts = &s->mounts[1], .n_mounts = 2 };
	s->disks[3] = (lcowmig__wire_disk){ .slot = 3, .host_path = "C:\\scratch\\web\\sandbox.vhdx", .type = "VirtualDisk",
		                            .mounts = &s->mounts[3], .n_mounts = 1 };
	s->disks[4] = (lcowmig__wire_disk){ .slot = 64, .host_path = "\\\\.\\PHYSICALDRIVE3", .type = "PassThru",
		                            .mounts = &s->mounts[4], .n_mounts = 1 };
	s->disks[5] = (lcowmig__wire_disk){ .slot = 255, .host_path = "evd://space/db", .type = "ExtensibleVirtualDisk",
		                            .evd_type = "space", .mounts = &s->mounts[5], .n_mounts = 1 };
	s->reservations[0] = (lcowmig__wire_reservation){ wire_guid(1), 1, 0 };
	s->reservations[1] = (lcowmig__wire_reservation){ wire_guid(2), 2, 1 };
	s->reservations[2] = (lcowmig__wire_reservation){ wire_guid(3), 3, 0 };
	s->reservations[3] = (lcowmig__wire_reservation){ wire_guid(4), 64, 0 };
	s->reservations[4] = (lcowmig__wire_reservation){ wire_guid(5), 1, 0 };
	s->reservations[5] = (lcowmig__wire_reservation){ wire_guid(6), 255, 0 };
	s->reservations[6] = (lcowmig__wire_reservation){ wire_guid(7), 2, 3 }; /* reserved, mounted by nobody yet */
	*scsi = (lcowmig__wire_scsi){ 4, s->disks, 6, s->reservations, 7 };
}

static void sample_vm(wire_sample *s)
{
	static const uint8_t compat[] = { 0x00, 0x01, 0xfe, 0xff, 'x' };
	static const char document[] = "{\"SchemaVersion\":{\"Major\":2},\"VirtualMachine\":{\"Chipset\":{}}}";
	lcowmig__wire_vm *vm = &s->sandbox.vm;

	vm->vm_id = "vm-source@vm";
	vm->has_options = true;
	vm->no_writable_file_shares = true;
	vm->policy_based_routing = true;
	vm->architecture = "amd64";
	vm->fully_physically_backed = true;
	vm->has_scsi = true;
	vm->gcs_next_port = 0x40000010;
	vm->compat_info = (lcowmig__wire_bytes){ compat, sizeof compat };
	vm->hcs_document = (lcowmig__wire_bytes){ (const uint8_t *)document, sizeof document - 1 };
	vm->bridge_next_id = 900;
	sample_scsi(s);
}

static void sample_containers(wire_sample *s)
{
	s->processes[0] = (lcowmig__wire_process){ .exec_id = "", .pid = 101, .bundle = "C:\\bundles\\pod-a", .wait_call_id = 11 };
	s->processes[1] = (lcowmig__wire_process){ .exec_id = "", .pid = 202, .bundle = "C:\\bundles\\web",
		                                   .io_retry_timeout = { 30, 500000000 },
		                                   .ports = { 0x40000001, 0x40000002, 0x40000003 }, .wait_call_id = 12 };
	s->processes[2] = (lcowmig__wire_process){ .exec_id = "", .pid = 303, .bundle = "C:\\bundles\\db", .ports = { 0, 0x40000004, 0 },
		                                   .wait_call_id = 899 };
	s->layers[0] = (lcowmig__wire_layer){ wire_guid(1), "/run/mounts/scsi/0_1_0" };
	s->layers[1] = (lcowmig__wire_layer){ wire_guid(2), "/run/mounts/scsi/0_2_1" };
	s->layers[2] = (lcowmig__wire_layer){ wire_guid(5), "/run/mounts/scsi/0_1_0" };
	s->further[0] = wire_guid(4);
	s->containers[0] = (lcowmig__wire_container){ .container_id = "pod-a", .gcs_container_id = "pod-a", .processes = &s->processes[0],
		                                      .n_processes = 1 };
	s->containers[1] = (lcowmig__wire_container){
		.container_id = "web", .gcs_container_id = "web-guest", .io_retry_timeout = { 30, 500000000 }, .has_layers = true,
		.ro_layers = &s->layers[0], .n_ro_layers = 2, .has_scratch = true,
		.scratch = { wire_guid(3), "/run/mounts/scsi/0_3_0/scratch/pod-a/web-guest" }, .layers_combined = true,
		.rootfs_path = "/run/gcs/pods/pod-a/web-guest/rootfs", .scsi_reservations = s->further, .n_scsi_reservations = 1,
		.processes = &s->processes[1], .n_processes = 1,
	};
	s->containers[2] = (lcowmig__wire_container){
		.container_id = "db", .gcs_container_id = "db", .has_layers = true, .ro_layers = &s->layers[2], .n_ro_layers = 1,
		.has_scratch = true, .scratch = { wire_guid(6), "/run/mounts/scsi/3_63_0" },
		.rootfs_path = "/run/gcs/pods/pod-b/db/rootfs", .processes = &s->processes[2], .n_processes = 1,
	};
}

void wire_sample_init(wire_sample *s)
{
	memset(s, 0, sizeof *s);
	sample_vm(s);
	sample_containers(s);
	s->endpoints[0] = (lcowmig__wire_endpoint){ "0a8f33d2-2f3f-4c0d-9b57-3a51c5a0a001", "ep-1", "00-15-5D-00-00-01", "cbr_eth0" };
	s->endpoints[1] = (lcowmig__wire_endpoint){ "0a8f33d2-2f3f-4c0d-9b57-3a51c5a0a002", "ep-2", "", "" };
	s->endpoints[2] = (lcowmig__wire_endpoint){ "0a8f33d2-2f3f-4c0d-9b57-3a51c5a0a003", "ep-3", "00-15-5D-00-00-03", "\xc3\xbc_eth0" };
	s->pods[0] = (lcowmig__wire_pod){ .pod_id = "pod-a", .gcs_pod_id = "pod-a", .has_network = true,
		                          .network = { "ns-a", true, true, &s->endpoints[0], 2 }, .containers = &s->containers[0],
		                          .n_containers = 2 };
	s->pods[1] = (lcowmig__wire_pod){ .pod_id = "pod-b", .gcs_pod_id = "guest-pod-b", .has_network = true,
		                          .network = { "ns-b", false, true, &s->endpoints[2], 1 }, .containers = &s->containers[2],
		                          .n_containers = 1 };
	s->sandbox.pods = s->pods;
	s->sandbox.n_pods = 2;
}

void wire_sample_minimal(lcowmig__wire_sandbox *sandbox)
{
	memset(sandbox, 0, sizeof *sandbox);
	sandbox->vm.vm_id = "vm-source@vm";
}

const wire_payload wire_payloads[7] = {
	{ "sandbox", &lcowmig__wire_sandbox_message, sizeof(lcowmig__wire_sandbox), true },
	{ "vm", &lcowmig__wire_vm_message, sizeof(lcowmig__wire_vm), false },
	{ "pod", &lcowmig__wire_pod_message, sizeof(lcowmig__wire_pod), false },
	{ "container", &lcowmig__wire_container_message, sizeof(lcowmig__wire_container), false },
	{ "process", &lcowmig__wire_process_message, sizeof(lcowmig__wire_process), false },
	{ "network", &lcowmig__wire_network_message, sizeof(lcowmig__wire_network), false },
	{ "scsi", &lcowmig__wire_scsi_message, sizeof(lcowmig__wire_scsi), false },
};

lcowmig_status wire_decode(const wire_payload *payload, lcowmig__arena *arena, const lcowmig_limits *limits, const void *data,
                           size_t size, void *ret_target, lcowmig_error *error)
{
	switch (payload - wire_payloads) {
	case 0:
		return lcowmig__wire_decode_sandbox(arena, limits, data, size, ret_target, error);
	case 1:
		return lcowmig__wire_decode_vm(arena, limits, data, size, ret_target, error);
	case 2:
		return lcowmig__wire_decode_pod(arena, limits, data, size, ret_target, error);
	case 3:
		return lcowmig__wire_decode_container(arena, limits, data, size, ret_target, error);
	case 4:
		return lcowmig__wire_decode_process(arena, limits, data, size, ret_target, error);
	case 5:
		return lcowmig__wire_decode_network(arena, limits, data, size, ret_target, error);
	default:
		return lcowmig__wire_decode_scsi(arena, limits, data, size, ret_target, error);
	}
}

lcowmig_status wire_encode(const wire_payload *payload, lcowmig__buf *buf, const void *source, lcowmig_error *error)
{
	switch (payload - wire_payloads) {
	case 0:
		return lcowmig__wire_encode_sandbox(buf, source, error);
	case 1:
		return lcowmig__wire_encode_vm(buf, source, error);
	case 2:
		return lcowmig__wire_encode_pod(buf, source, error);
	case 3:
		return lcowmig__wire_encode_container(buf, source, error);
	case 4:
		return lcowmig__wire_encode_process(buf, source, error);
	case 5:
		return lcowmig__wire_encode_network(buf, source, error);
	default:
		return lcowmig__wire_encode_scsi(buf, source, error);
	}
}

const void *wire_sample_part(const wire_sample *sample, const wire_payload *payload)
{
	switch (payload - wire_payloads) {
	case 0:
		return &sample->sandbox;
	case 1:
		return &sample->sandbox.vm;
	case 2:
		return &sample->pods[0];
	case 3:
		return &sample->containers[1];
	case 4:
		return &sample->processes[1];
	case 5:
		return &sample->pods[0].network;
	default:
		return &sample->sandbox.vm.scsi;
	}
}

static wire_memory plain_memory;

static const lcowmig__mem *plain_mem(void)
{
	if (!plain_memory.mem.allocate)
		wire_memory_init(&plain_memory);
	return &plain_memory.mem;
}

void wire_must_encode(const wire_payload *payload, const void *source, lcowmig__buf *ret_buf)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status;

	lcowmig__buf_init(ret_buf, plain_mem());
	status = wire_encode(payload, ret_buf, source, &error);
	ck_assert_msg(status == LCOWMIG_OK, "encoding %s: %s", payload->name, error.message);
}

void wire_must_give(const wire_payload *payload, const void *data, size_t size, const lcowmig__buf *expected, const char *what)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	wire_any_struct target;
	lcowmig_status status;
	lcowmig__arena arena;
	lcowmig__buf again;

	lcowmig__arena_init(&arena, plain_mem(), 0);
	status = wire_decode(payload, &arena, NULL, data, size, &target, &error);
	ck_assert_msg(status == LCOWMIG_OK, "%s: %s is refused: %s", what, payload->name, error.message);
	wire_must_encode(payload, &target, &again);
	ck_assert_msg(again.size == expected->size && memcmp(again.data, expected->data, again.size) == 0,
	              "%s: %s does not mean the same (%zu and %zu bytes)", what, payload->name, again.size, expected->size);
	lcowmig__buf_done(&again);
	lcowmig__arena_done(&arena);
}

/* Whoever looks for all problems finds this one first. Limits are resolved before anything is looked at, and no problem of the bytes. */
static void must_examine_alike(const wire_payload *payload, const lcowmig_limits *limits, const void *data, size_t size,
                               lcowmig_status status, const char *sentence)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	size_t count = 0;
	lcowmig_status got =
		lcowmig__wire_examine(plain_mem(), limits, payload->message->type_url, data, size, NULL, NULL, &count, &error);

	ck_assert_msg(got == status && count >= 1, "examining gives %s and %zu problems", lcowmig_status_name(got), count);
	ck_assert_str_eq(error.message, sentence);
}

void wire_must_refuse(const wire_payload *payload, const lcowmig_limits *limits, const void *data, size_t size, lcowmig_status status,
                      const char *path)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	wire_any_struct target;
	wire_any_struct before;
	lcowmig_status got;
	lcowmig__arena arena;
	size_t length = strlen(path);

	memset(&target, 0x5a, sizeof target);
	memcpy(&before, &target, sizeof before);
	lcowmig__arena_init(&arena, plain_mem(), 0);
	got = wire_decode(payload, &arena, limits, data, size, &target, &error);
	ck_assert_msg(got == status, "%s: %s gives %s (%s), expected %s", payload->name, path, lcowmig_status_name(got), error.message,
	              lcowmig_status_name(status));
	ck_assert_msg(error.status == (int32_t)status, "%s: %s: the error says class %d", payload->name, path, (int)error.status);
	ck_assert_msg(strncmp(error.message, path, length) == 0 && error.message[length] == ':', "%s: expected the path %s, got: %s",
	              payload->name, path, error.message);
	ck_assert_msg(memcmp(&target, &before, sizeof before) == 0, "%s: %s: the result was touched", payload->name, path);
	ck_assert_msg(wire_decode(payload, &arena, limits, data, size, &target, NULL) == status, "without an error to fill");
	lcowmig__arena_done(&arena);
	must_examine_alike(payload, limits, data, size, status, error.message);
}

void wire_must_refuse_sample(const wire_sample *sample, lcowmig_status status, const char *path)
{
	lcowmig__buf buf;

	wire_must_encode(&wire_payloads[0], &sample->sandbox, &buf);
	wire_must_refuse(&wire_payloads[0], NULL, buf.data, buf.size, status, path);
	lcowmig__buf_done(&buf);
}

int wire_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
