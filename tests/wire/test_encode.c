/* The canonical form: what is written, in what order, what is left out, and in how many allocations. */
#include <stdio.h>
#include <string.h>

#include "rewrite.h"

static void check_bytes(const lcowmig__buf *buf, const char *type_url, const void *value, size_t size)
{
	lcowmig__buf expected;

	lcowmig__buf_init(&expected, buf->mem);
	wire_put_text(&expected, 1, type_url);
	wire_put_bytes(&expected, 2, value, size);
	ck_assert_uint_eq(buf->size, expected.size);
	ck_assert_mem_eq(buf->data, expected.data, expected.size);
	lcowmig__buf_done(&expected);
}

START_TEST(test_encoding_omits_defaults_but_not_durations)
{
	static const char nothing[] = "\x08\x01\x32\x00";   /* process: version, io_retry_timeout */
	static const char container[] = "\x08\x01\x22\x00"; /* container: version, io_retry_timeout */
	static const char network[] = "\x08\x01";
	static const char with_layers[] = "\x08\x01\x22\x00\x2a\x00"; /* and empty layers, which are not no layers */
	lcowmig__wire_container a_container = { 0 };
	lcowmig__wire_process process = { 0 };
	lcowmig__wire_network a_network = { 0 };
	lcowmig__buf buf;

	wire_must_encode(&wire_payloads[4], &process, &buf);
	check_bytes(&buf, LCOWMIG__TYPE_URL_PROCESS, nothing, sizeof nothing - 1);
	lcowmig__buf_done(&buf);
	wire_must_encode(&wire_payloads[3], &a_container, &buf);
	check_bytes(&buf, LCOWMIG__TYPE_URL_CONTAINER, container, sizeof container - 1);
	lcowmig__buf_done(&buf);
	a_container.has_layers = true;
	wire_must_encode(&wire_payloads[3], &a_container, &buf);
	check_bytes(&buf, LCOWMIG__TYPE_URL_CONTAINER, with_layers, sizeof with_layers - 1);
	lcowmig__buf_done(&buf);
	wire_must_encode(&wire_payloads[5], &a_network, &buf);
	check_bytes(&buf, LCOWMIG__TYPE_URL_NETWORK, network, sizeof network - 1);
	lcowmig__buf_done(&buf);
}
END_TEST

START_TEST(test_encoding_writes_the_configs_of_disks_and_mounts_even_when_empty)
{
	/* num_controllers 1; disks { 0: config {} mounts { 0: config {} } } */
	static const char expected[] = "\x08\x01\x10\x01\x1a\x0e\x08\x00\x12\x0a\x0a\x00\x12\x06\x08\x00\x12\x02\x0a\x00";
	lcowmig__wire_mount mount = { 0 };
	lcowmig__wire_disk disk = { .mounts = &mount, .n_mounts = 1 };
	lcowmig__wire_scsi scsi = { .num_controllers = 1, .disks = &disk, .n_disks = 1 };
	lcowmig__buf buf;

	wire_must_encode(&wire_payloads[6], &scsi, &buf);
	check_bytes(&buf, LCOWMIG__TYPE_URL_SCSI, expected, sizeof expected - 1);
	lcowmig__buf_done(&buf);
}
END_TEST

/* POD-10 */
START_TEST(test_encoding_a_pod_without_network_and_containers_has_no_such_fields)
{
	static const char expected[] = "\x08\x01\x12\x01p\x1a\x01g";
	lcowmig__wire_pod pod = { .pod_id = "p", .gcs_pod_id = "g" };
	lcowmig__buf buf;

	wire_must_encode(&wire_payloads[2], &pod, &buf);
	check_bytes(&buf, LCOWMIG__TYPE_URL_POD, expected, sizeof expected - 1);
	wire_must_refuse(&wire_payloads[2], NULL, buf.data, buf.size, LCOWMIG_E_INVALID_ARGUMENT, "pod.network"); /* POD-33 */
	lcowmig__buf_done(&buf);
}
END_TEST

START_TEST(test_encoding_takes_null_texts_for_empty_ones)
{
	lcowmig__wire_vm with_null = { .has_options = true };
	lcowmig__wire_vm with_empty = { .has_options = true, .vm_id = "", .architecture = "" };
	lcowmig__buf a;
	lcowmig__buf b;

	wire_must_encode(&wire_payloads[1], &with_null, &a);
	wire_must_encode(&wire_payloads[1], &with_empty, &b);
	ck_assert_uint_eq(a.size, b.size);
	ck_assert_mem_eq(a.data, b.data, a.size);
	lcowmig__buf_done(&a);
	lcowmig__buf_done(&b);
}
END_TEST

/* X-02, LC-114, MIG-12 */
START_TEST(test_encoding_the_same_state_gives_the_same_bytes)
{
	for (size_t i = 0; i < LCOWMIG__COUNT(wire_payloads); i++) {
		wire_sample samples[2];
		lcowmig__buf a;
		lcowmig__buf b;

		wire_sample_init(&samples[0]);
		wire_sample_init(&samples[1]);
		wire_must_encode(&wire_payloads[i], wire_sample_part(&samples[0], &wire_payloads[i]), &a);
		wire_must_encode(&wire_payloads[i], wire_sample_part(&samples[1], &wire_payloads[i]), &b);
		ck_assert_uint_eq(a.size, b.size);
		ck_assert_mem_eq(a.data, b.data, a.size);
		/* Save, import, save: the identity. PROC-40, NET-28, POD-18, SCSI-64, SCSI-82 */
		wire_must_give(&wire_payloads[i], a.data, a.size, &b, "round trip");
		lcowmig__buf_done(&a);
		lcowmig__buf_done(&b);
	}
}
END_TEST

START_TEST(test_encoding_appends_in_one_reservation)
{
	wire_sample sample;
	wire_memory memory;
	lcowmig__buf once;
	lcowmig__buf buf;

	wire_sample_init(&sample);
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &once);
	wire_memory_init(&memory);
	lcowmig__buf_init(&buf, &memory.mem);
	lcowmig__buf_text(&buf, "before");
	ck_assert_int_eq(lcowmig__wire_encode_sandbox(&buf, &sample.sandbox, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(buf.size, 6 + once.size);
	ck_assert_mem_eq(buf.data, "before", 6);
	ck_assert_mem_eq(buf.data + 6, once.data, once.size);
	ck_assert_int_eq(buf.data[buf.size], '\0');
	ck_assert_int_eq(memory.alive, 1);
	lcowmig__buf_done(&once);
	lcowmig__buf_done(&buf);
}
END_TEST

START_TEST(test_encoding_out_of_memory_says_so_and_leaves_the_content)
{
	unsigned long fail_at = 2;
	lcowmig_status status;
	wire_sample sample;

	wire_sample_init(&sample);
	do {
		lcowmig_error error = LCOWMIG_ERROR_INIT;
		wire_memory memory;
		lcowmig__buf buf;

		wire_memory_init(&memory);
		lcowmig__buf_init(&buf, &memory.mem);
		lcowmig__buf_text(&buf, "before");
		memory.fail_at = fail_at++;
		status = lcowmig__wire_encode_sandbox(&buf, &sample.sandbox, &error);
		if (status != LCOWMIG_OK) {
			ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
			ck_assert_int_eq(error.status, LCOWMIG_E_NO_MEMORY);
			ck_assert(buf.failed);
			ck_assert_uint_eq(buf.size, 6);
		}
		lcowmig__buf_done(&buf);
		ck_assert_int_eq(memory.alive, 0);
	} while (status != LCOWMIG_OK);
	ck_assert_uint_ge(fail_at, 4);
}
END_TEST

START_TEST(test_encoding_allocates_nothing_where_there_is_room)
{
	wire_sample sample;
	wire_memory memory;
	unsigned long made;
	lcowmig__buf buf;

	wire_sample_init(&sample);
	wire_memory_init(&memory);
	lcowmig__buf_init(&buf, &memory.mem);
	ck_assert_int_eq(lcowmig__wire_encode_sandbox(&buf, &sample.sandbox, NULL), LCOWMIG_OK);
	lcowmig__buf_clear(&buf);
	made = memory.made;
	ck_assert_int_eq(lcowmig__wire_encode_sandbox(&buf, &sample.sandbox, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(memory.made, made);
	lcowmig__buf_done(&buf);
}
END_TEST

/* A buffer that failed before stays failed. */
START_TEST(test_encoding_into_a_failed_buffer_fails)
{
	lcowmig__wire_process process = { 0 };
	wire_memory memory;
	lcowmig__buf buf;

	wire_memory_init(&memory);
	lcowmig__buf_init(&buf, &memory.mem);
	buf.failed = true;
	ck_assert_int_eq(lcowmig__wire_encode_process(&buf, &process, NULL), LCOWMIG_E_NO_MEMORY);
	ck_assert_int_eq(memory.alive, 0);
}
END_TEST

static void check_process(const lcowmig__wire_process *process)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__wire_process got;
	lcowmig__arena arena;
	wire_memory memory;
	lcowmig_status status;
	lcowmig__buf buf;

	wire_memory_init(&memory);
	wire_must_encode(&wire_payloads[4], process, &buf);
	lcowmig__arena_init(&arena, &memory.mem, 0);
	status = lcowmig__wire_decode_process(&arena, NULL, (const uint8_t *)buf.data, buf.size, &got, &error);
	ck_assert_msg(status == LCOWMIG_OK, "%s", error.message);
	ck_assert_int_eq(got.pid, process->pid);
	ck_assert_uint_eq(got.ports[0], process->ports[0]);
	ck_assert(got.wait_call_id == process->wait_call_id);
	ck_assert(got.io_retry_timeout.seconds == process->io_retry_timeout.seconds);
	ck_assert_int_eq(got.io_retry_timeout.nanos, process->io_retry_timeout.nanos);
	ck_assert_str_eq(got.exec_id, "");
	ck_assert_str_eq(got.bundle, "");
	lcowmig__arena_done(&arena);
	lcowmig__buf_done(&buf);
}

/* PROC-33 */
START_TEST(test_numbers_survive_at_both_ends_of_their_range)
{
	check_process(&(lcowmig__wire_process){
		.pid = INT32_MAX, .ports = { UINT32_MAX }, .wait_call_id = INT64_MAX, .io_retry_timeout = { 9223372036, 854775807 } });
	check_process(&(lcowmig__wire_process){ .pid = INT32_MIN, .wait_call_id = INT64_MIN, .io_retry_timeout = { 0, 999999999 } });
	check_process(&(lcowmig__wire_process){ .pid = -1, .wait_call_id = -1 });
}
END_TEST

/* LC-96, LC-97, SCSI-55: each member by itself, so that no two can be swapped unnoticed. */
START_TEST(test_decoding_fills_each_member)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	const lcowmig__wire_container *web;
	const lcowmig__wire_disk *disk;
	lcowmig__wire_sandbox got;
	lcowmig__arena arena;
	wire_memory memory;
	wire_sample sample;
	lcowmig__buf buf;

	wire_sample_init(&sample);
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &buf);
	wire_memory_init(&memory);
	lcowmig__arena_init(&arena, &memory.mem, 0);
	ck_assert_int_eq(lcowmig__wire_decode_sandbox(&arena, NULL, (const uint8_t *)buf.data, buf.size, &got, &error), LCOWMIG_OK);
	ck_assert_str_eq(got.vm.vm_id, "vm-source@vm");
	ck_assert(got.vm.has_options && got.vm.no_writable_file_shares && !got.vm.enable_scratch_encryption);
	ck_assert(got.vm.policy_based_routing && got.vm.fully_physically_backed);
	ck_assert_str_eq(got.vm.architecture, "amd64");
	ck_assert_uint_eq(got.vm.gcs_next_port, 0x40000010);
	ck_assert(got.vm.bridge_next_id == 900);
	ck_assert_uint_eq(got.vm.compat_info.size, 5);
	ck_assert_uint_eq(got.n_pods, 2);
	ck_assert_str_eq(got.pods[1].gcs_pod_id, "guest-pod-b");
	ck_assert(got.pods[0].has_network && got.pods[0].network.policy_based_routing && got.pods[0].network.namespace_supported);
	ck_assert_str_eq(got.pods[0].network.endpoints[0].endpoint_id, "ep-1");
	ck_assert_str_eq(got.pods[0].network.endpoints[0].mac_address, "00-15-5D-00-00-01");
	ck_assert_str_eq(got.pods[0].network.endpoints[0].endpoint_name, "cbr_eth0");
	web = &got.pods[0].containers[1];
	ck_assert_str_eq(web->container_id, "web");
	ck_assert_str_eq(web->gcs_container_id, "web-guest");
	ck_assert(web->has_layers && web->has_scratch && web->layers_combined);
	ck_assert_uint_eq(web->n_ro_layers, 2);
	ck_assert_mem_eq(&web->ro_layers[1].reservation_id, &sample.layers[1].reservation_id, 16);
	ck_assert_str_eq(web->ro_layers[1].guest_path, "/run/mounts/scsi/0_2_1");
	ck_assert_str_eq(web->rootfs_path, "/run/gcs/pods/pod-a/web-guest/rootfs");
	ck_assert_mem_eq(&web->scsi_reservations[0], &sample.further[0], 16);
	ck_assert_uint_eq(web->processes[0].ports[2], 0x40000003);
	ck_assert_str_eq(web->processes[0].bundle, "C:\\bundles\\web");
	ck_assert(!got.pods[0].containers[0].has_layers);
	disk = &got.vm.scsi.disks[1];
	ck_assert_uint_eq(disk->slot, 1);
	ck_assert(disk->read_only && disk->mounts[0].read_only && !disk->mounts[0].encrypted);
	ck_assert_str_eq(disk->mounts[0].options[1], "noatime");
	ck_assert_str_eq(disk->mounts[0].filesystem, "ext4");
	ck_assert_uint_eq(disk->mounts[0].ref_count, 2);
	ck_assert_str_eq(got.vm.scsi.disks[5].evd_type, "space");
	ck_assert(got.vm.scsi.disks[4].mounts[0].block_device && got.vm.scsi.disks[3].mounts[0].ensure_filesystem);
	lcowmig__arena_done(&arena);
	lcowmig__buf_done(&buf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire encode");
	TCase *tcase = tcase_create("encode");

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_encoding_omits_defaults_but_not_durations);
	tcase_add_test(tcase, test_encoding_writes_the_configs_of_disks_and_mounts_even_when_empty);
	tcase_add_test(tcase, test_encoding_a_pod_without_network_and_containers_has_no_such_fields);
	tcase_add_test(tcase, test_encoding_takes_null_texts_for_empty_ones);
	tcase_add_test(tcase, test_encoding_the_same_state_gives_the_same_bytes);
	tcase_add_test(tcase, test_encoding_appends_in_one_reservation);
	tcase_add_test(tcase, test_encoding_out_of_memory_says_so_and_leaves_the_content);
	tcase_add_test(tcase, test_encoding_allocates_nothing_where_there_is_room);
	tcase_add_test(tcase, test_encoding_into_a_failed_buffer_fails);
	tcase_add_test(tcase, test_numbers_survive_at_both_ends_of_their_range);
	tcase_add_test(tcase, test_decoding_fills_each_member);
	return wire_main(suite);
}
