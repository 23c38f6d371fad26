/* The golden envelopes, which protoc made, byte for byte in both directions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#ifndef WIRE_GOLDEN
#error WIRE_GOLDEN is the folder of the golden envelopes
#endif

static uint8_t golden_data[1 << 16];

static size_t golden_read(const char *name)
{
	char path[1024];
	size_t size;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s.bin", WIRE_GOLDEN, name);
	file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "cannot open %s", path);
	size = fread(golden_data, 1, sizeof golden_data, file);
	fclose(file);
	ck_assert_uint_gt(size, 0);
	ck_assert_uint_lt(size, sizeof golden_data);
	return size;
}

static void check_golden(const char *name, const wire_payload *payload, const void *source)
{
	size_t size = golden_read(name);
	lcowmig__buf buf;

	wire_must_encode(payload, source, &buf);
	ck_assert_msg(buf.size == size && memcmp(buf.data, golden_data, size) == 0, "encoding does not give %s.bin", name);
	wire_must_give(payload, golden_data, size, &buf, name);
	lcowmig__buf_done(&buf);
}

START_TEST(test_the_sample_is_the_golden_envelope_in_both_directions)
{
	wire_sample sample;

	wire_sample_init(&sample);
	check_golden("sandbox", &wire_payloads[0], &sample.sandbox);
	check_golden("vm", &wire_payloads[1], &sample.sandbox.vm);
	check_golden("pod_a", &wire_payloads[2], &sample.pods[0]);
	check_golden("pod_b", &wire_payloads[2], &sample.pods[1]);
	check_golden("container_pod_a", &wire_payloads[3], &sample.containers[0]);
	check_golden("container_web", &wire_payloads[3], &sample.containers[1]);
	check_golden("container_db", &wire_payloads[3], &sample.containers[2]);
	check_golden("process_pod_a", &wire_payloads[4], &sample.processes[0]);
	check_golden("process_web", &wire_payloads[4], &sample.processes[1]);
	check_golden("process_db", &wire_payloads[4], &sample.processes[2]);
	check_golden("network_pod_a", &wire_payloads[5], &sample.pods[0].network);
	check_golden("network_pod_b", &wire_payloads[5], &sample.pods[1].network);
	check_golden("scsi", &wire_payloads[6], &sample.sandbox.vm.scsi);
}
END_TEST

START_TEST(test_the_minimal_sandbox_is_the_golden_envelope)
{
	lcowmig__wire_sandbox minimal;

	wire_sample_minimal(&minimal);
	check_golden("sandbox_minimal", &wire_payloads[0], &minimal);
	check_golden("vm_minimal", &wire_payloads[1], &minimal.vm);
}
END_TEST

/* PROC-29 */
START_TEST(test_an_exec_is_the_golden_envelope)
{
	static const char spec[] = "{\"args\":[\"sh\"],\"cwd\":\"/\"}";
	lcowmig__wire_process process = {
		.exec_id = "exec-1", .pid = INT32_MIN, .bundle = "C:\\bundles\\\xc3\xbc" "ber",
		.oci_process_spec_json = { (const uint8_t *)spec, sizeof spec - 1 }, .io_retry_timeout = { 9223372036, 854775807 },
		.ports = { UINT32_MAX, 0, 0 }, .wait_call_id = INT64_MIN,
	};

	check_golden("process_exec", &wire_payloads[4], &process);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire golden");
	TCase *tcase = tcase_create("golden");

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_the_sample_is_the_golden_envelope_in_both_directions);
	tcase_add_test(tcase, test_the_minimal_sandbox_is_the_golden_envelope);
	tcase_add_test(tcase, test_an_exec_is_the_golden_envelope);
	return wire_main(suite);
}
