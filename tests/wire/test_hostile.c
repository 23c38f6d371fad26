/*
 * A sandbox that is well-formed and yet impossible is refused with the path of what is wrong. Each case takes the sample, which is
 * sound, and changes one thing.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rewrite.h"
#include "wire/reader.h"

typedef struct hostile_case {
	const char *what;
	void (*change)(wire_sample *sample);
	const char *path;
	lcowmig_status status; /* 0: LCOWMIG_E_INVALID_ARGUMENT */
} hostile_case;

#define CHANGE(name, statement)                                                                                                            \
	static void name(wire_sample *s)                                                                                                   \
	{                                                                                                                                  \
		statement;                                                                                                                 \
	}

static lcowmig__wire_process two_processes[2];
static lcowmig_guid two_guids[2];

static void set_document(wire_sample *s, const char *text)
{
	s->sandbox.vm.hcs_document = (lcowmig__wire_bytes){ (const uint8_t *)text, strlen(text) };
}

static void deep_document(wire_sample *s)
{
	static char text[300];

	memset(text, '[', 100);
	memset(text + 100, ']', 100);
	set_document(s, text);
}

static void extra_exec(wire_sample *s)
{
	two_processes[0] = s->processes[1];
	two_processes[1] = s->processes[1];
	two_processes[1].exec_id = "exec-1";
	s->containers[1].processes = two_processes;
	s->containers[1].n_processes = 2;
}

static void twice_further(wire_sample *s)
{
	two_guids[0] = wire_guid(4);
	two_guids[1] = wire_guid(4);
	s->containers[1].scsi_reservations = two_guids;
	s->containers[1].n_scsi_reservations = 2;
}

CHANGE(no_wait_id, s->processes[1].wait_call_id = 0)
CHANGE(negative_wait_id, s->processes[1].wait_call_id = -4)
CHANGE(same_wait_id, s->processes[1].wait_call_id = 899)
CHANGE(wait_id_at_floor, s->processes[2].wait_call_id = 900)
CHANGE(negative_floor, s->sandbox.vm.bridge_next_id = -1)
CHANGE(same_port, s->processes[2].ports[1] = 0x40000002)
CHANGE(same_port_inside, s->processes[1].ports[2] = 0x40000001)
CHANGE(port_at_floor, s->processes[2].ports[1] = 0x40000010)
CHANGE(control_port, s->processes[1].ports[0] = 0x40000000)
CHANGE(log_port, s->processes[1].ports[1] = 109)
CHANGE(entropy_port, s->processes[1].ports[2] = 1)
CHANGE(no_pid, s->processes[0].pid = 0)
CHANGE(negative_pid, s->processes[0].pid = -1)
CHANGE(no_init, s->containers[0].n_processes = 0)
CHANGE(only_exec, s->processes[0].exec_id = "exec-1")
CHANGE(negative_seconds, s->containers[1].io_retry_timeout.seconds = -1)
CHANGE(negative_nanos, s->processes[1].io_retry_timeout.nanos = -1)
CHANGE(many_nanos, s->containers[1].io_retry_timeout.nanos = 1000000000)
CHANGE(many_seconds, s->processes[1].io_retry_timeout.seconds = 9223372037)
CHANGE(too_many_nanos, s->processes[1].io_retry_timeout = ((lcowmig__wire_duration){ 9223372036, 854775808 }))
CHANGE(bad_spec, s->processes[1].oci_process_spec_json = ((lcowmig__wire_bytes){ (const uint8_t *)"{", 1 }))
CHANGE(spec_no_object, s->processes[1].oci_process_spec_json = ((lcowmig__wire_bytes){ (const uint8_t *)"[]", 2 }))
CHANGE(no_pod_id, s->pods[0].pod_id = "")
CHANGE(no_guest_pod_id, s->pods[1].gcs_pod_id = "")
CHANGE(same_pod_id, s->pods[1].pod_id = "pod-a")
CHANGE(same_guest_pod_id, s->pods[1].gcs_pod_id = "pod-a")
CHANGE(no_network, s->pods[1].has_network = false)
CHANGE(same_nic, s->endpoints[2].nic_id = s->endpoints[0].nic_id)
CHANGE(same_nic_in_pod, s->endpoints[1].nic_id = s->endpoints[0].nic_id)
CHANGE(no_nic_id, s->endpoints[1].nic_id = "")
CHANGE(no_container_id, s->containers[1].container_id = "")
CHANGE(no_guest_container_id, s->containers[1].gcs_container_id = "")
CHANGE(same_container_in_pod, s->containers[1].container_id = "pod-a")
CHANGE(same_container, s->containers[2].container_id = "web")
CHANGE(same_guest_container, s->containers[2].gcs_container_id = "web-guest")
CHANGE(null_layer, memset(&s->layers[1].reservation_id, 0, 16))
CHANGE(null_scratch, memset(&s->containers[1].scratch.reservation_id, 0, 16))
CHANGE(null_further, memset(&s->further[0], 0, 16))
CHANGE(foreign_layer, s->layers[1].reservation_id = wire_guid(99))
CHANGE(foreign_scratch, s->containers[1].scratch.reservation_id = wire_guid(99))
CHANGE(foreign_further, s->further[0] = wire_guid(99))
CHANGE(shared_layer, s->layers[2].reservation_id = wire_guid(1))
CHANGE(shared_scratch, s->containers[2].scratch.reservation_id = wire_guid(3))
CHANGE(layer_elsewhere, s->layers[1].guest_path = "/run/mounts/scsi/0_2_10")
CHANGE(scratch_elsewhere, s->containers[1].scratch.guest_path = "/run/mounts/scsi/0_3_0more")
CHANGE(layer_nowhere, s->layers[0].guest_path = "")
CHANGE(layer_not_mounted, s->mounts[1].guest_path = "")
CHANGE(no_scsi, s->sandbox.vm.has_scsi = false)
CHANGE(no_scsi_but_scratch, s->sandbox.vm.has_scsi = false; s->containers[1].n_ro_layers = s->containers[1].n_scsi_reservations = 0)
CHANGE(no_scsi_but_further, s->sandbox.vm.has_scsi = false; s->containers[1].n_ro_layers = 0; s->containers[1].has_scratch = false)
CHANGE(document_no_json, set_document(s, "VirtualMachine"))
CHANGE(document_no_object, set_document(s, "[{\"VirtualMachine\":{}}]"))
CHANGE(document_no_vm, set_document(s, "{\"Container\":{}}"))
CHANGE(document_vm_no_object, set_document(s, "{\"VirtualMachine\":[]}"))
CHANGE(document_and_more, set_document(s, "{\"VirtualMachine\":{}} x"))
CHANGE(many_controllers, s->sandbox.vm.scsi.num_controllers = 5)
CHANGE(most_controllers, s->sandbox.vm.scsi.num_controllers = UINT32_MAX)
CHANGE(few_controllers, s->sandbox.vm.scsi.num_controllers = 3)
CHANGE(slot_outside, s->disks[5].slot = 256)
CHANGE(slot_far_outside, s->disks[5].slot = UINT32_MAX)
CHANGE(same_slot, s->disks[3].slot = 2)
CHANGE(reservation_outside, s->reservations[2].slot = 256)
CHANGE(reservation_no_disk, s->reservations[2].slot = 4)
CHANGE(reservation_root_disk, s->reservations[2].slot = 0)
CHANGE(reservation_no_mount, s->reservations[1].partition = 2)
CHANGE(reservation_no_mount_64, s->reservations[1].partition = (UINT64_C(1) << 32) + 1)
CHANGE(reservation_null, memset(&s->reservations[0].id, 0, 16))
CHANGE(reservation_twice, s->reservations[1].id = s->reservations[0].id)
CHANGE(partition_outside, s->mounts[2].partition = 256)
CHANGE(partition_twice, s->mounts[2].partition = 1)
CHANGE(count_0, s->mounts[1].ref_count = 0)
CHANGE(count_above, s->mounts[1].ref_count = 2)
CHANGE(count_below, s->mounts[0].ref_count = 1)
CHANGE(count_far_above, s->mounts[0].ref_count = UINT32_MAX)
CHANGE(mount_nobody_holds, s->sandbox.vm.scsi.n_reservations = 6)
CHANGE(type_unknown, s->disks[3].type = "virtualdisk")
CHANGE(type_empty, s->disks[0].type = "")
CHANGE(path_empty, s->disks[0].host_path = "")
CHANGE(path_twice, s->disks[2].host_path = "C:\\layers\\base.vhd")
CHANGE(guest_path_twice, s->mounts[4].guest_path = "/run/mounts/scsi/3_63_0")

#define INIT "sandbox.pods[0].containers[1].processes[\"\"]"
#define INIT_A "sandbox.pods[0].containers[0].processes[\"\"]"
#define INIT_B "sandbox.pods[1].containers[0].processes[\"\"]"
#define WEB "sandbox.pods[0].containers[1]"
#define SCSI "sandbox.vm.scsi"
#define RESERVATION(number) SCSI ".reservations[\"6d1f002c-5a77-4e10-b30a-c4000000000" number "\"]"

static const hostile_case cases[] = {
	{ "no wait id", no_wait_id, INIT ".wait_call_id", 0 },
	{ "a negative wait id", negative_wait_id, INIT ".wait_call_id", 0 },
	{ "a wait id shared", same_wait_id, INIT_B ".wait_call_id", 0 },
	{ "a wait id not given out", wait_id_at_floor, INIT_B ".wait_call_id", 0 },
	{ "a negative request floor", negative_floor, "sandbox.vm.bridge_next_id", 0 },
	{ "a port shared", same_port, INIT_B ".stdout_port", 0 },
	{ "a port shared in one process", same_port_inside, INIT ".stderr_port", 0 },
	{ "a port not given out", port_at_floor, INIT_B ".stdout_port", 0 },
	{ "the control port", control_port, INIT ".stdin_port", 0 },
	{ "the log port", log_port, INIT ".stdout_port", 0 },
	{ "the entropy port", entropy_port, INIT ".stderr_port", 0 },
	{ "no pid", no_pid, INIT_A ".pid", 0 },
	{ "a negative pid", negative_pid, INIT_A ".pid", 0 },
	{ "no init process", no_init, "sandbox.pods[0].containers[0].processes", 0 },
	{ "only an exec", only_exec, "sandbox.pods[0].containers[0].processes", 0 },
	{ "an exec", extra_exec, WEB ".processes[\"exec-1\"]", 0 },
	{ "negative seconds", negative_seconds, WEB ".io_retry_timeout", 0 },
	{ "negative nanoseconds", negative_nanos, INIT ".io_retry_timeout", 0 },
	{ "a second of nanoseconds", many_nanos, WEB ".io_retry_timeout", 0 },
	{ "more seconds than fit", many_seconds, INIT ".io_retry_timeout", 0 },
	{ "a nanosecond more than fits", too_many_nanos, INIT ".io_retry_timeout", 0 },
	{ "a process spec that is no JSON", bad_spec, INIT ".oci_process_spec_json", LCOWMIG_E_CORRUPT_DATA },
	{ "a process spec that is no object", spec_no_object, INIT ".oci_process_spec_json", 0 },
	{ "an empty pod id", no_pod_id, "sandbox.pods[0].pod_id", 0 },
	{ "an empty guest pod id", no_guest_pod_id, "sandbox.pods[1].gcs_pod_id", 0 },
	{ "a pod twice", same_pod_id, "sandbox.pods[\"pod-a\"]", 0 },
	{ "a guest pod id twice", same_guest_pod_id, "sandbox.pods[1].gcs_pod_id", 0 },
	{ "no network", no_network, "sandbox.pods[1].network", 0 }, /* POD-33 */
	{ "a NIC in two pods", same_nic, "sandbox.pods[1].network.vm_endpoints", 0 },
	{ "a NIC twice", same_nic_in_pod, "sandbox.pods[0].network.vm_endpoints[\"0a8f33d2-2f3f-4c0d-9b57-3a51c5a0a001\"]", 0 },
	{ "an empty NIC id", no_nic_id, "sandbox.pods[0].network.vm_endpoints.key", 0 }, /* NET-26 */
	{ "an empty container id", no_container_id, WEB ".container_id", 0 },
	{ "an empty guest container id", no_guest_container_id, WEB ".gcs_container_id", 0 },
	{ "a container twice", same_container_in_pod, "sandbox.pods[0].containers[\"pod-a\"]", 0 },
	{ "a container in two pods", same_container, "sandbox.pods[1].containers[0].container_id", 0 },
	{ "a guest container id twice", same_guest_container, "sandbox.pods[1].containers[0].gcs_container_id", 0 },
	{ "a layer of the null reservation", null_layer, WEB ".layers.ro_layers[1].reservation_id", 0 },
	{ "a scratch of the null reservation", null_scratch, WEB ".layers.scratch.reservation_id", 0 },
	{ "a disk of the null reservation", null_further, WEB ".scsi_reservation_ids[0]", 0 },
	{ "a layer nobody reserved", foreign_layer, WEB ".layers.ro_layers[1].reservation_id", 0 },
	{ "a scratch nobody reserved", foreign_scratch, WEB ".layers.scratch.reservation_id", 0 },
	{ "a disk nobody reserved", foreign_further, WEB ".scsi_reservation_ids[0]", 0 },
	{ "a layer reservation shared", shared_layer, "sandbox.pods[1].containers[0].layers.ro_layers[0].reservation_id", 0 },
	{ "a scratch reservation shared", shared_scratch, "sandbox.pods[1].containers[0].layers.scratch.reservation_id", 0 },
	{ "a disk reservation twice", twice_further, WEB ".scsi_reservation_ids[1]", 0 },
	{ "a layer that lies elsewhere", layer_elsewhere, WEB ".layers.ro_layers[1].guest_path", 0 },
	{ "a scratch that lies elsewhere", scratch_elsewhere, WEB ".layers.scratch.guest_path", 0 },
	{ "a layer without a path", layer_nowhere, WEB ".layers.ro_layers[0].guest_path", 0 },
	{ "a layer that is not mounted", layer_not_mounted, WEB ".layers.ro_layers[1].guest_path", 0 },
	{ "layers without disks", no_scsi, SCSI, 0 },
	{ "a scratch without disks", no_scsi_but_scratch, SCSI, 0 },
	{ "further disks without disks", no_scsi_but_further, SCSI, 0 },
	{ "a document that is no JSON", document_no_json, "sandbox.vm.hcs_document", LCOWMIG_E_CORRUPT_DATA },
	{ "a document that is no object", document_no_object, "sandbox.vm.hcs_document", 0 },
	{ "a document without a VM", document_no_vm, "sandbox.vm.hcs_document", 0 },
	{ "a document whose VM is no object", document_vm_no_object, "sandbox.vm.hcs_document", 0 },
	{ "a document with something behind it", document_and_more, "sandbox.vm.hcs_document", LCOWMIG_E_CORRUPT_DATA },
	{ "a document too deep", deep_document, "sandbox.vm.hcs_document", LCOWMIG_E_LIMIT_EXCEEDED },
	{ "five controllers", many_controllers, SCSI ".num_controllers", 0 },
	{ "four thousand million controllers", most_controllers, SCSI ".num_controllers", 0 },
	{ "a controller too few", few_controllers, SCSI ".disks[255]", 0 },
	{ "a disk behind the last slot", slot_outside, SCSI ".disks[256]", 0 }, /* SCSI-58 */
	{ "a disk far behind the last slot", slot_far_outside, SCSI ".disks[4294967295]", 0 },
	{ "two disks in a slot", same_slot, SCSI ".disks[2]", 0 },
	{ "a reservation behind the last slot", reservation_outside, RESERVATION("3") ".slot", 0 },
	{ "a reservation of an empty slot", reservation_no_disk, RESERVATION("3") ".slot", 0 },
	{ "a reservation of a disk without mounts", reservation_root_disk, RESERVATION("3") ".partition", 0 },
	{ "a reservation of a partition without mount", reservation_no_mount, RESERVATION("2") ".partition", 0 },
	{ "a reservation of a partition beyond 32 bits", reservation_no_mount_64, RESERVATION("2") ".partition", 0 },
	{ "the null reservation", reservation_null, SCSI ".reservations[\"00000000-0000-0000-0000-000000000000\"]", 0 },
	{ "a reservation twice", reservation_twice, RESERVATION("1"), 0 },
	{ "a partition no disk has", partition_outside, SCSI ".disks[2].mounts[256]", 0 },
	{ "a partition twice", partition_twice, SCSI ".disks[2].mounts[1]", 0 },
	{ "a mount nobody holds", count_0, SCSI ".disks[2].mounts[1].ref_count", 0 },
	{ "a count above the reservations", count_above, SCSI ".disks[2].mounts[1].ref_count", 0 },
	{ "a count below the reservations", count_below, SCSI ".disks[1].mounts[0].ref_count", 0 },
	{ "a count far above the reservations", count_far_above, SCSI ".disks[1].mounts[0].ref_count", 0 },
	{ "a mount without a reservation", mount_nobody_holds, SCSI ".disks[2].mounts[3].ref_count", 0 },
	{ "a disk type that is none", type_unknown, SCSI ".disks[3].config.type", 0 },
	{ "a disk without a type", type_empty, SCSI ".disks[0].config.type", 0 },
	{ "a disk without a path", path_empty, SCSI ".disks[0].config.host_path", 0 },
	{ "two disks with one path", path_twice, SCSI ".disks[2].config.host_path", 0 },
	{ "two mounts with one path", guest_path_twice, SCSI ".disks[255].mounts[0].guest_path", 0 },
};

START_TEST(test_import_refuses_what_later_steps_would_stumble_over)
{
	const hostile_case *one = &cases[_i];
	wire_sample sample;

	wire_sample_init(&sample);
	one->change(&sample);
	wire_must_refuse_sample(&sample, one->status ? one->status : LCOWMIG_E_INVALID_ARGUMENT, one->path);
}
END_TEST

/* What the structs cannot say, said in bytes: `path` is where in the sample's envelope, then what is put there. */
typedef struct edit_case {
	const char *what;
	const char *edit;
	uint32_t tag;     /* 0: nothing is put there */
	const char *text; /* NULL: the number */
	size_t size;
	uint64_t number;
	const char *path;
	lcowmig_status status;
} edit_case;

#define TEXT(text) (text), sizeof(text) - 1, 0
#define NUMBER(number) NULL, 0, (number)
#define NOTHING 0, NULL, 0, 0
#define FOREIGN "type.googleapis.com/hcsshim.controller.vm.save.v1.Payload"
#define BAD LCOWMIG_E_INVALID_ARGUMENT
#define BROKEN LCOWMIG_E_CORRUPT_DATA
#define VERSION LCOWMIG_E_UNSUPPORTED_VERSION

static const edit_case edits[] = {
	{ "no type URL", "1", NOTHING, "sandbox.type_url", BAD },
	{ "a foreign type URL", "1", 1, TEXT(LCOWMIG__TYPE_URL_VM), "sandbox.type_url", BAD },
	{ "a type URL cut short", "1", 1, TEXT("type.microsoft.com/hcsshim.controller.migration.save.v1.Payloa"), "sandbox.type_url", BAD },
	{ "a foreign prefix", "2/2/1", 1, TEXT(FOREIGN), "sandbox.vm.type_url", BAD },
	{ "no type URL of the SCSI part", "2/2/2/4/1", NOTHING, "sandbox.vm.scsi.type_url", BAD },
	{ "a pod in a VM's place", "2/2/1", 1, TEXT(LCOWMIG__TYPE_URL_POD), "sandbox.vm.type_url", BAD },
	{ "a foreign pod", "2/3#1/1", 1, TEXT("x"), "sandbox.pods[1].type_url", BAD },
	{ "a foreign network", "2/3/2/4/1", 1, TEXT("x"), "sandbox.pods[0].network.type_url", BAD },
	{ "a foreign container", "2/3/2/5#1/1", 1, TEXT("x"), WEB ".type_url", BAD },
	{ "a foreign process", "2/3/2/5#1/2/7/2/1", 1, TEXT("x"), INIT ".type_url", BAD },
	{ "no VM", "2/2", NOTHING, "sandbox.vm", BAD },
	{ "no version", "2/1", NOTHING, "sandbox.schema_version", VERSION },
	{ "version 2", "2/1", 1, NUMBER(2), "sandbox.schema_version", VERSION },
	{ "nothing in the envelope", "2", NOTHING, "sandbox.schema_version", VERSION },
	{ "version 2 of the VM", "2/2/2/1", 1, NUMBER(2), "sandbox.vm.schema_version", VERSION },
	{ "version 0 of the SCSI part", "2/2/2/4/2/1", 1, NUMBER(0), "sandbox.vm.scsi.schema_version", VERSION },
	{ "a huge version of a pod", "2/3#1/2/1", 1, NUMBER(UINT32_MAX), "sandbox.pods[1].schema_version", VERSION },
	{ "no version of a network", "2/3#1/2/4/2/1", NOTHING, "sandbox.pods[1].network.schema_version", VERSION },
	{ "version 3 of a container", "2/3/2/5/2/1", 1, NUMBER(3), "sandbox.pods[0].containers[0].schema_version", VERSION },
	{ "version 4 of a process", "2/3/2/5#1/2/7/2/2/1", 1, NUMBER(4), INIT ".schema_version", VERSION },
	{ "a process under another key", "2/3/2/5#1/2/7/1", 1, TEXT("other"), WEB ".processes[\"other\"]", BAD },
	{ "a process map without a process", "2/3/2/5#1/2/7/2", NOTHING, INIT ".type_url", BAD },
	{ "a reservation key that is no GUID", "2/2/2/4/2/4/1", 1, TEXT("{6d1f002c-5a77-4e10-b30a-c40000000001"), SCSI ".reservations.key",
	  BAD },
	{ "a reservation without a key", "2/2/2/4/2/4/1", NOTHING, SCSI ".reservations.key", BAD },
	{ "a layer's id that is no GUID", "2/3/2/5#1/2/5/1/1", 1, TEXT("x"), WEB ".layers.ro_layers[0].reservation_id", BAD },
	{ "a layer without an id", "2/3/2/5#1/2/5/1/1", NOTHING, WEB ".layers.ro_layers[0].reservation_id", BAD },
	{ "a scratch's id that is no GUID", "2/3/2/5#1/2/5/2/1", 1, TEXT("6d1f002c-5a77-4e10-b30a-c4000000000\0"),
	  WEB ".layers.scratch.reservation_id", BAD },
	{ "a further disk's id that is no GUID", "2/3/2/5#1/2/6", 6, TEXT("6d1f002c-5a77-4e10-b30a-c4000000000g"),
	  WEB ".scsi_reservation_ids[0]", BAD }, /* LC-94, LC-107 */
	{ "a NIC without content", "2/3/2/4/2/5/2", NOTHING,
	  "sandbox.pods[0].network.vm_endpoints[\"0a8f33d2-2f3f-4c0d-9b57-3a51c5a0a001\"]", BAD },
	{ "a NIC without a key", "2/3/2/4/2/5/1", NOTHING, "sandbox.pods[0].network.vm_endpoints.key", BAD },
	{ "a mount without content", "2/2/2/4/2/3#1/2/2/2", NOTHING, SCSI ".disks[1].mounts[0].ref_count", BAD },
	{ "a disk without content", "2/2/2/4/2/3/2", NOTHING, SCSI ".disks[0].config.type", BAD },
	{ "a mount without config is sound, a count of 0 is not", "2/2/2/4/2/3#1/2/2/2/2", NOTHING, SCSI ".disks[1].mounts[0].ref_count",
	  BAD },
	{ "invalid UTF-8 in a pod id", "2/3/2/2", 2, TEXT("pod\xff"), "sandbox.pods[0].pod_id", BROKEN },
	{ "a surrogate in a path", "2/3/2/5#1/2/7/2/2/4", 4, TEXT("C:\\\xed\xa0\x80"), INIT ".bundle", BROKEN },
	{ "an overlong form in a NIC id", "2/3/2/4/2/5/1", 1, TEXT("\xc0\xaf"), "sandbox.pods[0].network.vm_endpoints.key", BROKEN },
	{ "a NUL in a container id", "2/3/2/5#1/2/2", 2, TEXT("we\0b"), WEB ".container_id", BROKEN },
	{ "a NUL in a disk's path", "2/2/2/4/2/3/2/1/1", 1, TEXT("C:\\boot\\rootfs.vhd\0.txt"), SCSI ".disks[0].config.host_path", BROKEN },
	{ "invalid UTF-8 in a mount option", "2/2/2/4/2/3#1/2/2/2/1/3#1", 3, TEXT("\x80"), SCSI ".disks[1].mounts[0].config.options[1]",
	  BROKEN },
	{ "bytes that are no VM", "2/2/2", 2, TEXT("\x17\x01"), "sandbox.vm.vm_id", BROKEN },
	{ "bytes that are no duration", "2/3/2/5#1/2/4", 4, TEXT("\x08"), WEB ".io_retry_timeout.seconds", BROKEN },
	{ "a NUL document", "2/2/2/7", 7, TEXT("{\"VirtualMachine\":{}}\0"), "sandbox.vm.hcs_document", BROKEN },
	{ "something behind the envelope", "+", 3, TEXT(""), NULL, LCOWMIG_OK },
};

START_TEST(test_import_refuses_bytes_that_contradict_themselves)
{
	const edit_case *one = &edits[_i];
	lcowmig__buf replacement;
	wire_sample sample;
	lcowmig__buf sound;
	lcowmig__buf bad;

	wire_sample_init(&sample);
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &sound);
	lcowmig__buf_init(&replacement, sound.mem);
	lcowmig__buf_init(&bad, sound.mem);
	if (one->text)
		wire_put_bytes(&replacement, one->tag, one->text, one->size);
	else if (one->tag)
		wire_put_number(&replacement, one->tag, one->number);
	wire_edit(sound.data, sound.size, one->edit, &replacement, &bad);
	if (one->status == LCOWMIG_OK)
		wire_must_give(&wire_payloads[0], bad.data, bad.size, &sound, one->what);
	else
		wire_must_refuse(&wire_payloads[0], NULL, bad.data, bad.size, one->status, one->path);
	lcowmig__buf_done(&replacement);
	lcowmig__buf_done(&sound);
	lcowmig__buf_done(&bad);
}
END_TEST

/* What every import answers alike: PROC-32, LC-93, LC-95, POD-15, NET-26, VM-18, SCSI-58, MIG-15, MIG-16 */
START_TEST(test_every_import_refuses_absent_foreign_undecodable_and_newer_envelopes)
{
	const wire_payload *payload = &wire_payloads[_i];
	lcowmig__buf replacement;
	wire_sample sample;
	lcowmig__buf sound;
	lcowmig__buf bad;
	char path[64];

	wire_sample_init(&sample);
	wire_must_encode(payload, wire_sample_part(&sample, payload), &sound);
	lcowmig__buf_init(&replacement, sound.mem);
	lcowmig__buf_init(&bad, sound.mem);
	wire_must_refuse(payload, NULL, NULL, 0, LCOWMIG_E_INVALID_ARGUMENT, payload->name);
	wire_must_refuse(payload, NULL, NULL, 5, LCOWMIG_E_INVALID_ARGUMENT, payload->name);
	wire_must_refuse(payload, NULL, "", 0, LCOWMIG_E_INVALID_ARGUMENT, payload->name);
	wire_must_refuse(payload, NULL, "\xff", 1, LCOWMIG_E_CORRUPT_DATA, payload->name);
	snprintf(path, sizeof path, "%s.type_url", payload->name);
	wire_put_text(&replacement, 1, "type.microsoft.com/other");
	wire_edit(sound.data, sound.size, "1", &replacement, &bad);
	wire_must_refuse(payload, NULL, bad.data, bad.size, LCOWMIG_E_INVALID_ARGUMENT, path);
	lcowmig__buf_clear(&replacement);
	lcowmig__buf_clear(&bad);
	wire_put_text(&replacement, 2, "\x0a\xff");
	wire_edit(sound.data, sound.size, "2", &replacement, &bad);
	snprintf(path, sizeof path, "%s.schema_version", payload->name);
	wire_must_refuse(payload, NULL, bad.data, bad.size, LCOWMIG_E_CORRUPT_DATA, path);
	lcowmig__buf_clear(&replacement);
	lcowmig__buf_clear(&bad);
	wire_put_number(&replacement, 1, 2);
	wire_edit(sound.data, sound.size, "2/1", &replacement, &bad);
	wire_must_refuse(payload, NULL, bad.data, bad.size, LCOWMIG_E_UNSUPPORTED_VERSION, path);
	lcowmig__buf_done(&replacement);
	lcowmig__buf_done(&sound);
	lcowmig__buf_done(&bad);
}
END_TEST

START_TEST(test_a_newer_version_is_named_even_when_the_rest_makes_no_sense)
{
	static const char newer[] = "\x12\x02\xff\xff\x08\x02"; /* field 2 that could be no id of a pod, version 2 behind it */
	lcowmig__buf buf;
	wire_memory memory;

	wire_memory_init(&memory);
	lcowmig__buf_init(&buf, &memory.mem);
	wire_put_text(&buf, 1, LCOWMIG__TYPE_URL_POD);
	wire_put_bytes(&buf, 2, newer, sizeof newer - 1);
	wire_must_refuse(&wire_payloads[2], NULL, buf.data, buf.size, LCOWMIG_E_UNSUPPORTED_VERSION, "pod.schema_version");
	lcowmig__buf_done(&buf);
	ck_assert_int_eq(memory.alive, 0);
}
END_TEST

START_TEST(test_import_accepts_a_vm_without_scsi_when_no_container_uses_disks)
{
	lcowmig__wire_sandbox minimal;
	wire_sample sample;
	lcowmig__buf buf;

	wire_sample_minimal(&minimal);
	wire_must_encode(&wire_payloads[0], &minimal, &buf);
	wire_must_give(&wire_payloads[0], buf.data, buf.size, &buf, "minimal");
	lcowmig__buf_done(&buf);
	wire_sample_init(&sample);
	sample.sandbox.vm.has_scsi = false;
	sample.sandbox.n_pods = 1;
	sample.pods[0].n_containers = 1;
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &buf);
	wire_must_give(&wire_payloads[0], buf.data, buf.size, &buf, "no disks");
	lcowmig__buf_done(&buf);
}
END_TEST

START_TEST(test_floors_are_not_looked_at_when_the_source_had_no_connection)
{
	wire_sample sample;
	lcowmig__buf buf;

	wire_sample_init(&sample);
	sample.sandbox.vm.gcs_next_port = 0;
	sample.sandbox.vm.bridge_next_id = 0;
	sample.processes[2].wait_call_id = INT64_MAX;
	sample.processes[2].ports[0] = UINT32_MAX;
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &buf);
	wire_must_give(&wire_payloads[0], buf.data, buf.size, &buf, "no floors");
	lcowmig__buf_done(&buf);
}
END_TEST

/* As HCS reads it. */
START_TEST(test_import_finds_the_documents_section_in_any_case_of_letters)
{
	wire_sample sample;
	lcowmig__buf buf;

	wire_sample_init(&sample);
	set_document(&sample, " { \"virtualMachine\" : {} } ");
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &buf);
	wire_must_give(&wire_payloads[0], buf.data, buf.size, &buf, "another case");
	lcowmig__buf_done(&buf);
}
END_TEST

/* A key in a path comes from outside: shortened, and harmless in a log. */
START_TEST(test_paths_show_foreign_keys_shortened_and_without_control_characters)
{
	lcowmig__wire_process processes[2] = { { .exec_id = "" },
					       { .exec_id = "a\n\"b\x7f and then very much more than anybody wants to read" } };
	lcowmig__wire_container container = { .processes = processes, .n_processes = 2 };
	lcowmig__buf buf;

	processes[1].io_retry_timeout.seconds = -1;
	wire_must_encode(&wire_payloads[3], &container, &buf);
	wire_must_refuse(&wire_payloads[3], NULL, buf.data, buf.size, LCOWMIG_E_INVALID_ARGUMENT,
			 "container.processes[\"a??b? and then very much more than anybody wants...\"].io_retry_timeout");
	lcowmig__buf_done(&buf);
}
END_TEST

START_TEST(test_paths_that_are_absurdly_long_are_cut_short)
{
	lcowmig__wire_place places[40];
	char path[LCOWMIG__WIRE_PATH_SIZE + 1];

	memset(path, '!', sizeof path);
	for (size_t i = 0; i < LCOWMIG__COUNT(places); i++)
		places[i] = (lcowmig__wire_place){ i ? &places[i - 1] : NULL, "ten.bytes", NULL, LCOWMIG__WIRE_NO_INDEX };
	lcowmig__wire_path(&places[30], NULL, path);
	ck_assert_uint_eq(strlen(path), 31 * 10 - 1);
	lcowmig__wire_path(&places[39], "name", path);
	ck_assert_uint_eq(strlen(path), LCOWMIG__WIRE_PATH_SIZE - 1);
	ck_assert_int_eq(strncmp(path, "ten.bytes.ten.bytes.", 20), 0);
	ck_assert_int_eq(path[LCOWMIG__WIRE_PATH_SIZE], '!');
}
END_TEST

static int cjson_left;

static void *cjson_allocate(size_t size)
{
	return cjson_left-- > 0 ? malloc(size) : NULL;
}

START_TEST(test_import_out_of_memory_for_the_documents_tree_says_so)
{
	cJSON_Hooks hooks = { cjson_allocate, free };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__wire_sandbox target;
	lcowmig__arena arena;
	wire_memory memory;
	wire_sample sample;
	lcowmig__buf buf;

	wire_sample_init(&sample);
	set_document(&sample, "{\"virtualMachine\":{}}");
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &buf);
	wire_memory_init(&memory);
	cJSON_InitHooks(&hooks);
	for (int left = 0; left < 3; left++) { /* two nodes and a name */
		cjson_left = left;
		lcowmig__arena_init(&arena, &memory.mem, 0);
		ck_assert_int_eq(wire_decode(&wire_payloads[0], &arena, NULL, buf.data, buf.size, &target, &error), LCOWMIG_E_NO_MEMORY);
		ck_assert_int_eq(error.status, LCOWMIG_E_NO_MEMORY);
		ck_assert_msg(strstr(error.message, "sandbox.vm.hcs_document") != NULL, "%s", error.message);
		lcowmig__arena_done(&arena);
	}
	cJSON_InitHooks(NULL);
	ck_assert_int_eq(memory.alive, 0);
	lcowmig__buf_done(&buf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire hostile");
	TCase *tcase = tcase_create("hostile");

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, test_import_refuses_what_later_steps_would_stumble_over, 0, LCOWMIG__COUNT(cases));
	tcase_add_loop_test(tcase, test_import_refuses_bytes_that_contradict_themselves, 0, LCOWMIG__COUNT(edits));
	tcase_add_loop_test(tcase, test_every_import_refuses_absent_foreign_undecodable_and_newer_envelopes, 0,
			    LCOWMIG__COUNT(wire_payloads));
	tcase_add_test(tcase, test_a_newer_version_is_named_even_when_the_rest_makes_no_sense);
	tcase_add_test(tcase, test_import_accepts_a_vm_without_scsi_when_no_container_uses_disks);
	tcase_add_test(tcase, test_floors_are_not_looked_at_when_the_source_had_no_connection);
	tcase_add_test(tcase, test_import_finds_the_documents_section_in_any_case_of_letters);
	tcase_add_test(tcase, test_paths_show_foreign_keys_shortened_and_without_control_characters);
	tcase_add_test(tcase, test_paths_that_are_absurdly_long_are_cut_short);
	tcase_add_test(tcase, test_import_out_of_memory_for_the_documents_tree_says_so);
	return wire_main(suite);
}
