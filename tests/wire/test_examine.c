/* All that is wrong with an envelope, each mistake once; and the same verdict as decoding gives, whatever the bytes. */
#include <stdio.h>
#include <string.h>

#include "rewrite.h"

typedef struct found {
	size_t count;
	char sentences[24][LCOWMIG_ERROR_MESSAGE_SIZE];
} found;

static void found_add(void *user, lcowmig_status status, const char *sentence)
{
	found *all = user;

	ck_assert_int_ne(status, LCOWMIG_OK);
	if (all->count < LCOWMIG__COUNT(all->sentences))
		snprintf(all->sentences[all->count], sizeof all->sentences[0], "%s", sentence);
	all->count++;
}

static size_t examine(const wire_payload *payload, const void *data, size_t size, found *all, lcowmig_error *error)
{
	wire_memory memory;
	size_t count = 0;

	wire_memory_init(&memory);
	all->count = 0;
	lcowmig__wire_examine(&memory.mem, NULL, payload->message->type_url, data, size, found_add, all, &count, error);
	ck_assert_uint_eq(count, all->count);
	ck_assert_int_eq(memory.alive, 0);
	return count;
}

/* Exactly these paths, in this order, end with NULL. */
static void must_find(const wire_payload *payload, const lcowmig__buf *buf, const char *const *paths)
{
	static found all;
	size_t i;

	examine(payload, buf->data, buf->size, &all, NULL);
	for (i = 0; paths[i]; i++) {
		size_t length = strlen(paths[i]);

		ck_assert_msg(i < all.count, "%s is not reported", paths[i]);
		ck_assert_msg(strncmp(all.sentences[i], paths[i], length) == 0 && all.sentences[i][length] == ':', "expected %s, got: %s",
		              paths[i], all.sentences[i]);
	}
	ck_assert_msg(all.count == i, "reported too: %s", all.sentences[i]);
}

static void must_find_in_sample(const wire_sample *sample, const char *const *paths)
{
	lcowmig__buf buf;

	wire_must_encode(&wire_payloads[0], &sample->sandbox, &buf);
	must_find(&wire_payloads[0], &buf, paths);
	lcowmig__buf_done(&buf);
}

#define WEB "sandbox.pods[0].containers[1]"
#define SCSI "sandbox.vm.scsi"

START_TEST(test_examining_finds_nothing_in_what_is_sound)
{
	static const char *const nothing[] = { NULL };
	wire_sample sample;
	lcowmig__buf buf;

	wire_sample_init(&sample);
	wire_must_encode(&wire_payloads[_i], wire_sample_part(&sample, &wire_payloads[_i]), &buf);
	must_find(&wire_payloads[_i], &buf, nothing);
	lcowmig__buf_done(&buf);
}
END_TEST

START_TEST(test_examining_finds_every_mistake_of_every_payload)
{
	static const char *const paths[] = {
		"sandbox.pods[0].containers[0].processes[\"\"].pid", "sandbox.pods[0].containers[0].processes[\"\"].wait_call_id",
		WEB ".io_retry_timeout", WEB ".layers.ro_layers[1].reservation_id", WEB ".layers.scratch.reservation_id",
		WEB ".scsi_reservation_ids[0]", WEB ".gcs_container_id", "sandbox.pods[0].gcs_pod_id", "sandbox.pods[1].network",
		/* The virtual machine comes last: more of its envelope might have followed behind the pods. */
		SCSI ".disks[0].config.type", SCSI ".disks[0].config.host_path", SCSI ".disks[2].mounts[1].ref_count",
		SCSI ".disks[2].mounts[256]", SCSI ".disks[256]", "sandbox.vm.bridge_next_id", "sandbox.vm.hcs_document", NULL,
	};
	wire_sample sample;

	wire_sample_init(&sample);
	sample.disks[0].type = "";
	sample.disks[0].host_path = "";
	sample.mounts[1].ref_count = 0;
	sample.mounts[2].partition = 256;
	sample.disks[5].slot = 256;
	sample.sandbox.vm.bridge_next_id = -1;
	sample.sandbox.vm.hcs_document = (lcowmig__wire_bytes){ (const uint8_t *)"[]", 2 };
	sample.processes[0].pid = 0;
	sample.processes[0].wait_call_id = 0;
	sample.containers[1].io_retry_timeout.seconds = -1;
	memset(&sample.layers[1].reservation_id, 0, 16);
	memset(&sample.containers[1].scratch.reservation_id, 0, 16);
	memset(&sample.further[0], 0, 16);
	sample.containers[1].gcs_container_id = "";
	sample.pods[0].gcs_pod_id = "";
	sample.pods[1].has_network = false;
	must_find_in_sample(&sample, paths);
}
END_TEST

START_TEST(test_examining_finds_every_contradiction_between_sound_payloads)
{
	static const char *const paths[] = {
		"sandbox.pods[1].gcs_pod_id", "sandbox.pods[1].network.vm_endpoints", "sandbox.pods[1].containers[0].gcs_container_id",
		"sandbox.pods[0].containers[1].processes[\"\"].stdin_port", "sandbox.pods[1].containers[0].processes[\"\"].wait_call_id",
		SCSI ".disks[2].config.host_path", SCSI ".reservations[\"6d1f002c-5a77-4e10-b30a-c40000000002\"].partition",
		SCSI ".disks[2].mounts[1].ref_count", WEB ".layers.scratch.reservation_id", WEB ".scsi_reservation_ids[0]", NULL,
	};
	wire_sample sample;

	wire_sample_init(&sample);
	sample.pods[1].gcs_pod_id = sample.pods[0].gcs_pod_id;
	sample.endpoints[2].nic_id = sample.endpoints[0].nic_id;
	sample.containers[2].gcs_container_id = sample.containers[1].gcs_container_id;
	sample.processes[1].ports[0] = 109;
	sample.processes[2].wait_call_id = 900;
	sample.disks[2].host_path = "C:\\layers\\base.vhd";
	sample.reservations[1].partition = 2; /* the mount loses its holder, the layer its disk: the first two are told */
	sample.containers[1].scratch.reservation_id = wire_guid(99);
	sample.further[0] = wire_guid(98);
	must_find_in_sample(&sample, paths);
}
END_TEST

/* Bytes that make no sense end what they are in, and nothing beside it. */
START_TEST(test_examining_goes_on_behind_payloads_that_cannot_be_read)
{
	static const char *const versions[] = { "sandbox.pods[0].schema_version", "sandbox.pods[1].schema_version",
		                                "sandbox.vm.schema_version", NULL };
	static const char *const cuts[] = { "sandbox.pods[0].containers[0]", "sandbox.pods[1].network.schema_version", "sandbox.vm.scsi", NULL };
	static const char *const steps[2][3] = { { "2/2/2/1", "2/3#0/2/1", "2/3#1/2/1" },
		                                 { "2/2/2/4/2", "2/3#0/2/5#0/2", "2/3#1/2/4/2/1" } };
	wire_sample sample;
	lcowmig__buf bufs[4];
	lcowmig__buf replacement;

	wire_sample_init(&sample);
	for (int which = 0; which < 2; which++) {
		wire_must_encode(&wire_payloads[0], &sample.sandbox, &bufs[0]);
		for (int i = 0; i < 3; i++) {
			lcowmig__buf_init(&replacement, bufs[0].mem);
			if (which == 0 || i == 2)
				wire_put_number(&replacement, 1, 2);
			else
				wire_put_bytes(&replacement, 2, "\x08\x01\xff", 3); /* a payload that ends in a tag */
			lcowmig__buf_init(&bufs[i + 1], bufs[0].mem);
			wire_edit(bufs[i].data, bufs[i].size, steps[which][i], &replacement, &bufs[i + 1]);
			lcowmig__buf_done(&replacement);
		}
		must_find(&wire_payloads[0], &bufs[3], which == 0 ? versions : cuts);
		for (int i = 0; i < 4; i++)
			lcowmig__buf_done(&bufs[i]);
	}
}
END_TEST

/* Fields of one message, each wrong in its own way: wire type, UTF-8, GUID, length. The id that could not be read is not called empty. */
START_TEST(test_examining_goes_on_behind_fields_that_cannot_be_taken)
{
	static const char *const paths[] = { "container.container_id", "container.gcs_container_id", "container.io_retry_timeout.seconds",
		                             "container.scsi_reservation_ids[0]", "container.scsi_reservation_ids[1]",
		                             "container.processes.key", NULL };
	lcowmig__buf value, any;
	wire_memory memory;

	wire_memory_init(&memory);
	lcowmig__buf_init(&value, &memory.mem);
	lcowmig__buf_init(&any, &memory.mem);
	wire_put_number(&value, 1, 1);
	wire_put_number(&value, 2, 7);
	wire_put_bytes(&value, 3, "\xc0\x80", 2);
	wire_put_bytes(&value, 4, "\x08", 1);
	wire_put_text(&value, 6, "not a GUID");
	wire_put_text(&value, 6, "");
	wire_put_bytes(&value, 7, "\x08\x01", 2);
	wire_put_text(&any, 1, LCOWMIG__TYPE_URL_CONTAINER);
	wire_put_bytes(&any, 2, value.data, value.size);
	must_find(&wire_payloads[3], &any, paths);
	lcowmig__buf_done(&value);
	lcowmig__buf_done(&any);
	ck_assert_int_eq(memory.alive, 0);
}
END_TEST

START_TEST(test_examining_reports_a_limit_once)
{
	static const char *const paths[] = { "network.vm_endpoints", NULL };
	static lcowmig__wire_endpoint endpoints[LCOWMIG_LIMIT_ENDPOINTS + 20];
	static char ids[LCOWMIG_LIMIT_ENDPOINTS + 20][8];
	lcowmig__wire_network network = { .endpoints = endpoints, .n_endpoints = LCOWMIG__COUNT(endpoints) };
	lcowmig__buf buf;

	for (size_t i = 0; i < LCOWMIG__COUNT(endpoints); i++) {
		snprintf(ids[i], sizeof ids[i], "n%zu", i);
		endpoints[i].nic_id = ids[i];
	}
	wire_must_encode(&wire_payloads[5], &network, &buf);
	must_find(&wire_payloads[5], &buf, paths);
	lcowmig__buf_done(&buf);
}
END_TEST

START_TEST(test_examining_stops_when_there_are_too_many_problems)
{
	static lcowmig_guid nulls[LCOWMIG__WIRE_PROBLEMS_MAX + 100];
	static found all;
	lcowmig__wire_container container = { .scsi_reservations = nulls, .n_scsi_reservations = LCOWMIG__COUNT(nulls) };
	lcowmig__buf buf;

	wire_must_encode(&wire_payloads[3], &container, &buf);
	ck_assert_uint_eq(examine(&wire_payloads[3], buf.data, buf.size, &all, NULL), LCOWMIG__WIRE_PROBLEMS_MAX);
	lcowmig__buf_done(&buf);
}
END_TEST

START_TEST(test_examining_out_of_memory_says_so)
{
	lcowmig_status status;
	unsigned long fail_at = 0;
	wire_sample sample;
	lcowmig__buf buf;

	wire_sample_init(&sample);
	sample.processes[0].pid = 0;
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &buf);
	do {
		lcowmig_error error = LCOWMIG_ERROR_INIT;
		wire_memory memory;
		size_t count = 0;

		wire_memory_init(&memory);
		memory.fail_at = ++fail_at;
		status = lcowmig__wire_examine(&memory.mem, NULL, LCOWMIG__TYPE_URL_MIGRATION, (const uint8_t *)buf.data, buf.size, NULL, NULL,
		                               &count, &error);
		ck_assert_int_eq(error.status, status);
		ck_assert_int_eq(memory.alive, 0);
	} while (status == LCOWMIG_E_NO_MEMORY);
	ck_assert_int_eq(status, LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_uint_ge(fail_at, 2);
	lcowmig__buf_done(&buf);
}
END_TEST

START_TEST(test_examining_refuses_limits_above_the_defaults)
{
	lcowmig_limits limits = { .size = sizeof limits, .pods = LCOWMIG_LIMIT_PODS + 1 };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	wire_memory memory;
	size_t count = 7;

	wire_memory_init(&memory);
	ck_assert_int_eq(lcowmig__wire_examine(&memory.mem, &limits, LCOWMIG__TYPE_URL_MIGRATION, (const uint8_t *)"x", 1, NULL, NULL, &count,
	                                       &error),
	                 LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(error.status, LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_str_eq(error.message, "lcowmig_limits: pods is 1025, at most 1024");
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(memory.made, 0);
}
END_TEST

START_TEST(test_examining_refuses_a_payload_it_does_not_know)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	wire_memory memory;
	size_t count = 7;

	wire_memory_init(&memory);
	ck_assert_int_eq(lcowmig__wire_examine(&memory.mem, NULL, "type.microsoft.com/other", (const uint8_t *)"x", 1, NULL, NULL, &count, &error),
	                 LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_uint_eq(count, 7);
}
END_TEST

/* Decoding and examining agree about any bytes: the one refuses what the other finds something in, for the reason that it finds first. */
static void must_agree(const wire_payload *payload, const void *data, size_t size)
{
	static found all;
	lcowmig_error refusal = LCOWMIG_ERROR_INIT;
	wire_any_struct target;
	lcowmig__arena arena;
	wire_memory memory;
	lcowmig_status status;

	wire_memory_init(&memory);
	lcowmig__arena_init(&arena, &memory.mem, 0);
	status = wire_decode(payload, &arena, NULL, data, size, &target, &refusal);
	lcowmig__arena_done(&arena);
	examine(payload, data, size, &all, NULL);
	ck_assert_uint_eq(all.count > 0, status != LCOWMIG_OK);
	if (all.count)
		ck_assert_str_eq(all.sentences[0], refusal.message);
}

START_TEST(test_examining_agrees_with_decoding_about_damaged_bytes)
{
	wire_sample sample;
	lcowmig__buf sound;
	lcowmig__buf broken;

	wire_sample_init(&sample);
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &sound);
	lcowmig__buf_init(&broken, sound.mem);
	lcowmig__buf_append(&broken, sound.data, sound.size);
	for (size_t i = 0; i < sound.size; i++) {
		static const uint8_t flips[] = { 0x01, 0x04, 0x80, 0xff };

		for (size_t k = 0; k < LCOWMIG__COUNT(flips); k++) {
			broken.data[i] = (char)(sound.data[i] ^ flips[k]);
			must_agree(&wire_payloads[0], broken.data, broken.size);
		}
		broken.data[i] = sound.data[i];
	}
	for (size_t size = 1; size < sound.size; size += 7)
		must_agree(&wire_payloads[0], sound.data, size);
	lcowmig__buf_done(&sound);
	lcowmig__buf_done(&broken);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire examine");
	TCase *tcase = tcase_create("examine");

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_examining_finds_nothing_in_what_is_sound, 0, LCOWMIG__COUNT(wire_payloads));
	tcase_add_test(tcase, test_examining_finds_every_mistake_of_every_payload);
	tcase_add_test(tcase, test_examining_finds_every_contradiction_between_sound_payloads);
	tcase_add_test(tcase, test_examining_goes_on_behind_payloads_that_cannot_be_read);
	tcase_add_test(tcase, test_examining_goes_on_behind_fields_that_cannot_be_taken);
	tcase_add_test(tcase, test_examining_reports_a_limit_once);
	tcase_add_test(tcase, test_examining_stops_when_there_are_too_many_problems);
	tcase_add_test(tcase, test_examining_out_of_memory_says_so);
	tcase_add_test(tcase, test_examining_refuses_limits_above_the_defaults);
	tcase_add_test(tcase, test_examining_refuses_a_payload_it_does_not_know);
	tcase_add_test(tcase, test_examining_agrees_with_decoding_about_damaged_bytes);
	return wire_main(suite);
}
