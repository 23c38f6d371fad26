/* Every limit: what is just within it is read, what is just above it is refused with its name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rewrite.h"

typedef struct limit_case {
	const char *what;
	size_t payload;
	size_t limit;   /* offset in lcowmig_limits */
	uint32_t value; /* what the sample needs */
	const char *path;
} limit_case;

#define LIMIT(member) offsetof(lcowmig_limits, member)
#define WEB "sandbox.pods[0].containers[1]"

static const limit_case cases[] = {
	{ "bytes of the VM's document", 1, LIMIT(document_bytes), 61, "vm.hcs_document" },
	{ "bytes of a process spec", 4, LIMIT(document_bytes), 9, "process.oci_process_spec_json" },
	{ "depth of the VM's document", 1, LIMIT(json_depth), 3, "vm.hcs_document" },
	{ "depth of a process spec", 4, LIMIT(json_depth), 2, "process.oci_process_spec_json" },
	{ "pods", 0, LIMIT(pods), 2, "sandbox.pods" },
	{ "containers of all pods", 0, LIMIT(containers), 3, "sandbox.pods[1].containers" },
	{ "containers of a pod", 2, LIMIT(containers), 2, "pod.containers" },
	{ "endpoints", 5, LIMIT(endpoints), 2, "network.vm_endpoints" },
	{ "endpoints of each pod", 0, LIMIT(endpoints), 2, "sandbox.pods[0].network.vm_endpoints" },
	{ "layers", 3, LIMIT(layers), 2, "container.layers.ro_layers" },
	{ "reservations", 6, LIMIT(reservations), 7, "scsi.reservations" },
	{ "mount options", 6, LIMIT(mount_options), 2, "scsi.disks[1].mounts[0].config.options" },
	{ "bytes of a NIC id", 5, LIMIT(id_bytes), 36, "network.vm_endpoints.key" },
	{ "bytes of a container id", 3, LIMIT(id_bytes), 9, "container.gcs_container_id" },
	{ "bytes of a path", 3, LIMIT(path_bytes), 46, "container.layers.scratch.guest_path" },
	{ "bytes of a bundle", 4, LIMIT(path_bytes), 14, "process.bundle" },
	{ "compatibility bytes", 1, LIMIT(compat_bytes), 5, "vm.compat_info" },
};

START_TEST(test_limits_accept_what_is_just_within_and_refuse_what_is_just_above)
{
	const limit_case *one = &cases[_i];
	const wire_payload *payload = &wire_payloads[one->payload];
	lcowmig_limits limits = { .size = sizeof limits };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	uint32_t value = one->value;
	wire_any_struct target;
	lcowmig_status status;
	lcowmig__arena arena;
	wire_memory memory;
	wire_sample sample;
	lcowmig__buf buf;

	wire_sample_init(&sample);
	sample.processes[1].oci_process_spec_json = (lcowmig__wire_bytes){ (const uint8_t *)"{\"a\":[1]}", 9 };
	wire_must_encode(payload, wire_sample_part(&sample, payload), &buf);
	memcpy((char *)&limits + one->limit, &value, sizeof value);
	wire_memory_init(&memory);
	lcowmig__arena_init(&arena, &memory.mem, 0);
	status = wire_decode(payload, &arena, &limits, buf.data, buf.size, &target, &error);
	ck_assert_msg(status == LCOWMIG_OK, "%s, limit %u: %s", one->what, (unsigned)value, error.message);
	lcowmig__arena_done(&arena);
	value--;
	memcpy((char *)&limits + one->limit, &value, sizeof value);
	wire_must_refuse(payload, &limits, buf.data, buf.size, LCOWMIG_E_LIMIT_EXCEEDED, one->path);
	lcowmig__buf_done(&buf);
}
END_TEST

START_TEST(test_limits_hold_for_the_envelope_as_a_whole)
{
	lcowmig_limits limits = { .size = sizeof limits };
	wire_any_struct target;
	lcowmig__arena arena;
	wire_memory memory;
	wire_sample sample;
	lcowmig__buf buf;

	wire_sample_init(&sample);
	wire_memory_init(&memory);
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &buf);
	limits.envelope_bytes = (uint32_t)buf.size;
	lcowmig__arena_init(&arena, &memory.mem, 0);
	ck_assert_int_eq(wire_decode(&wire_payloads[0], &arena, &limits, buf.data, buf.size, &target, NULL), LCOWMIG_OK);
	lcowmig__arena_done(&arena);
	limits.envelope_bytes--;
	wire_must_refuse(&wire_payloads[0], &limits, buf.data, buf.size, LCOWMIG_E_LIMIT_EXCEEDED, "sandbox");
	lcowmig__buf_done(&buf);
}
END_TEST

/* Mounts have no limit of their own: each needs a reservation, so there cannot be more of them, on all disks together. */
START_TEST(test_limits_bound_the_mounts_of_all_disks_by_the_reservations)
{
	lcowmig_limits limits = { .size = sizeof limits };
	wire_sample sample;
	lcowmig__buf buf;

	wire_sample_init(&sample);
	sample.sandbox.vm.scsi.n_reservations = 0;
	sample.sandbox.vm.scsi.disks++; /* all but the root disk: five */
	sample.sandbox.vm.scsi.n_disks--;
	limits.reservations = 5; /* six mounts on them */
	wire_must_encode(&wire_payloads[6], &sample.sandbox.vm.scsi, &buf);
	wire_must_refuse(&wire_payloads[6], &limits, buf.data, buf.size, LCOWMIG_E_LIMIT_EXCEEDED, "scsi.disks[255].mounts");
	lcowmig__buf_done(&buf);
}
END_TEST

/* Two bytes of input must not cost much more than they are: empty elements stop at the limit. */
START_TEST(test_limits_bound_the_memory_that_tiny_elements_cost)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	wire_any_struct target;
	lcowmig__arena arena;
	lcowmig__buf value;
	lcowmig__buf bomb;
	wire_memory memory;

	wire_memory_init(&memory);
	lcowmig__buf_init(&value, &memory.mem);
	lcowmig__buf_init(&bomb, &memory.mem);
	wire_put_number(&value, 1, 1);
	wire_put_number(&value, 2, 1);
	for (unsigned i = 0; i < 200000; i++)
		lcowmig__buf_append(&value, "\x1a\x04\x08\x00\x12\x00", 6); /* disks { key: 0 value {} } */
	wire_put_text(&bomb, 1, LCOWMIG__TYPE_URL_SCSI);
	wire_put_bytes(&bomb, 2, value.data, value.size);
	memory.largest = 0;
	lcowmig__arena_init(&arena, &memory.mem, 0);
	ck_assert_int_eq(wire_decode(&wire_payloads[6], &arena, NULL, bomb.data, bomb.size, &target, &error), LCOWMIG_E_LIMIT_EXCEEDED);
	ck_assert_uint_le(memory.largest, 16u << 20);
	lcowmig__arena_done(&arena);
	lcowmig__buf_done(&value);
	lcowmig__buf_done(&bomb);
	ck_assert_int_eq(memory.alive, 0);
}
END_TEST

START_TEST(test_limits_above_the_defaults_are_refused_before_anything_is_read)
{
	lcowmig_limits limits = { .size = sizeof limits };
	wire_any_struct target;
	lcowmig__arena arena;
	wire_memory memory;

	wire_memory_init(&memory);
	limits.pods = LCOWMIG_LIMIT_PODS + 1;
	lcowmig__arena_init(&arena, &memory.mem, 0);
	for (size_t i = 0; i < LCOWMIG__COUNT(wire_payloads); i++)
		ck_assert_int_eq(wire_decode(&wire_payloads[i], &arena, &limits, "", 1, &target, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	lcowmig__arena_done(&arena);
}
END_TEST

/* A pod of as many containers as a caller likes, without layers, with names that sort the other way round than they come. */
static void encode_many(size_t count, bool falling, lcowmig__buf *ret_buf)
{
	lcowmig__wire_container *containers = calloc(count, sizeof *containers);
	lcowmig__wire_process *processes = calloc(count, sizeof *processes);
	char(*names)[16] = calloc(count, sizeof *names);
	lcowmig__wire_sandbox sandbox;
	lcowmig__wire_pod pod = { .pod_id = "p", .gcs_pod_id = "p", .has_network = true, .containers = containers, .n_containers = count };

	wire_sample_minimal(&sandbox);
	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof names[i], "c%08zu", falling ? count - i : i);
		processes[i] = (lcowmig__wire_process){ .pid = 1 + (int32_t)i, .wait_call_id = 1 + (int64_t)i };
		containers[i] = (lcowmig__wire_container){
			.container_id = names[i], .gcs_container_id = names[i], .processes = &processes[i], .n_processes = 1
		};
	}
	sandbox.pods = &pod;
	sandbox.n_pods = 1;
	wire_must_encode(&wire_payloads[0], &sandbox, ret_buf);
	free(names);
	free(processes);
	free(containers);
}

START_TEST(test_import_sorts_the_greatest_number_of_containers)
{
	lcowmig__wire_sandbox sandbox;
	lcowmig__arena arena;
	wire_memory memory;
	lcowmig__buf buf;

	encode_many(LCOWMIG_LIMIT_CONTAINERS, true, &buf);
	wire_memory_init(&memory);
	lcowmig__arena_init(&arena, &memory.mem, 0);
	ck_assert_int_eq(lcowmig__wire_decode_sandbox(&arena, NULL, (const uint8_t *)buf.data, buf.size, &sandbox, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(sandbox.pods[0].n_containers, LCOWMIG_LIMIT_CONTAINERS);
	for (size_t i = 1; i < LCOWMIG_LIMIT_CONTAINERS; i++)
		ck_assert_int_lt(strcmp(sandbox.pods[0].containers[i - 1].container_id, sandbox.pods[0].containers[i].container_id), 0);
	/* The pieces of arenas and buffers double: many containers must not mean many allocations. */
	ck_assert_uint_lt(memory.made, 64);
	lcowmig__arena_done(&arena);
	lcowmig__buf_done(&buf);
	encode_many(LCOWMIG_LIMIT_CONTAINERS + 1, false, &buf);
	wire_must_refuse(&wire_payloads[0], NULL, buf.data, buf.size, LCOWMIG_E_LIMIT_EXCEEDED, "sandbox.pods[0].containers");
	lcowmig__buf_done(&buf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire limits");
	TCase *tcase = tcase_create("limits");

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_limits_accept_what_is_just_within_and_refuse_what_is_just_above, 0, LCOWMIG__COUNT(cases));
	tcase_add_test(tcase, test_limits_hold_for_the_envelope_as_a_whole);
	tcase_add_test(tcase, test_limits_bound_the_mounts_of_all_disks_by_the_reservations);
	tcase_add_test(tcase, test_limits_bound_the_memory_that_tiny_elements_cost);
	tcase_add_test(tcase, test_limits_above_the_defaults_are_refused_before_anything_is_read);
	tcase_add_test(tcase, test_import_sorts_the_greatest_number_of_containers);
	return wire_main(suite);
}
