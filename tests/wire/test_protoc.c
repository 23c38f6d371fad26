/*
 * protoc as a second opinion: it reads what we write and writes the same back, and of other ways to say the same it thinks what we think.
 * Needs protoc; the build defines WIRE_PROTOC when there is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pb_decode.h>

#include "rewrite.h"

#ifdef WIRE_PROTOC

static const char *const protoc_messages[] = {
	"hcsshim.controller.migration.save.v1.Payload", "hcsshim.controller.vm.save.v1.Payload",
	"hcsshim.controller.pod.save.v1.Payload",       "hcsshim.controller.linuxcontainer.save.v1.Payload",
	"hcsshim.controller.process.save.v1.Payload",   "hcsshim.controller.network.save.v1.Payload",
	"hcsshim.controller.scsi.save.v1.Payload",
};
static const char *const protoc_files[] = { "migration", "vm", "pod", "linuxcontainer", "process", "network", "scsi" };

static uint8_t protoc_output[1 << 16];

/* Sends the message to protoc as bytes, from there back to it as text, and gives what it makes of that. */
static size_t protoc_say_again(size_t payload, const void *data, size_t size)
{
	char name[64];
	char command[2048];
	FILE *file;
	size_t length;

	snprintf(name, sizeof name, "wire-protoc-%s.in", wire_payloads[payload].name);
	file = fopen(name, "wb");
	ck_assert(file != NULL);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	fclose(file);
	snprintf(command, sizeof command,
		 "'%s' -I '%s' --decode=%s %s.proto < %s > %s.text && "
		 "'%s' -I '%s' --encode=%s --deterministic_output %s.proto < %s.text > %s.out",
		 WIRE_PROTOC, WIRE_PROTO, protoc_messages[payload], protoc_files[payload], name, name, WIRE_PROTOC, WIRE_PROTO,
		 protoc_messages[payload], protoc_files[payload], name, name);
	ck_assert_msg(system(command) == 0, "protoc does not understand %s", wire_payloads[payload].name);
	snprintf(command, sizeof command, "%s.out", name);
	file = fopen(command, "rb");
	ck_assert(file != NULL);
	length = fread(protoc_output, 1, sizeof protoc_output, file);
	fclose(file);
	remove(command);
	snprintf(command, sizeof command, "%s.text", name);
	remove(command);
	remove(name);
	return length;
}

/* The payload inside an envelope: the last field 2. */
static const uint8_t *payload_value(const lcowmig__buf *envelope, size_t *ret_size)
{
	const uint8_t *end = (const uint8_t *)envelope->data + envelope->size;
	pb_istream_t stream = pb_istream_from_buffer((const uint8_t *)envelope->data, envelope->size);
	const uint8_t *value = NULL;

	while (stream.bytes_left) {
		pb_wire_type_t type;
		uint64_t length;
		uint32_t tag;
		bool is_end;

		ck_assert(pb_decode_tag(&stream, &type, &tag, &is_end) && type == PB_WT_STRING && pb_decode_varint(&stream, &length));
		if (tag == 2) {
			value = end - stream.bytes_left;
			*ret_size = (size_t)length;
		}
		ck_assert(pb_read(&stream, NULL, (size_t)length));
	}
	ck_assert(value != NULL);
	return value;
}

static void check_protoc(size_t payload, const void *source)
{
	const uint8_t *value;
	lcowmig__buf buf;
	size_t length;
	size_t size;

	wire_must_encode(&wire_payloads[payload], source, &buf);
	value = payload_value(&buf, &size);
	length = protoc_say_again(payload, value, size);
	ck_assert_msg(length == size && memcmp(value, protoc_output, size) == 0, "protoc writes %s otherwise", wire_payloads[payload].name);
	lcowmig__buf_done(&buf);
}

START_TEST(test_protoc_writes_what_we_write)
{
	wire_sample sample;

	wire_sample_init(&sample);
	check_protoc((size_t)_i, wire_sample_part(&sample, &wire_payloads[_i]));
}
END_TEST

static uint32_t random_seed;

static uint32_t random_next(void)
{
	random_seed = random_seed * 1664525u + 1013904223u;
	return random_seed >> 8;
}

static uint64_t random_number(void)
{
	uint64_t number = (uint64_t)random_next() << 40 ^ (uint64_t)random_next() << 20 ^ random_next();

	return random_next() % 4 ? number >> random_next() % 64 : 0;
}

static const char *random_text(void)
{
	static const char *const texts[] = {
		"", "a", "C:\\x\\y", "\xc3\xa4\xe2\x82\xac", "\"quoted\"\n", "0123456789012345678901234567890123456789"
	};

	return texts[random_next() % LCOWMIG__COUNT(texts)];
}

START_TEST(test_protoc_writes_random_processes_as_we_do)
{
	lcowmig__wire_process process = { 0 };

	random_seed = (uint32_t)_i + 1;
	process.exec_id = random_text();
	process.pid = (int32_t)(uint32_t)random_number();
	process.bundle = random_text();
	process.io_retry_timeout.seconds = (int64_t)random_number();
	process.io_retry_timeout.nanos = (int32_t)(uint32_t)random_number();
	for (size_t i = 0; i < 3; i++)
		process.ports[i] = (uint32_t)random_number();
	process.wait_call_id = (int64_t)random_number();
	check_protoc(4, &process);
}
END_TEST

START_TEST(test_protoc_writes_random_disks_as_we_do)
{
	const char *options[3];
	lcowmig__wire_mount mounts[4];
	lcowmig__wire_disk disks[3];
	lcowmig__wire_reservation reservations[3];
	lcowmig__wire_scsi scsi = { 0, disks, 1 + (size_t)_i % 3, reservations, (size_t)_i % 4 };

	random_seed = (uint32_t)_i + 77;
	for (size_t i = 0; i < 3; i++)
		options[i] = random_text();
	for (size_t i = 0; i < 4; i++)
		mounts[i] = (lcowmig__wire_mount){ i * (UINT64_C(1) << 40),   random_next() & 1, random_next() & 1, options,
						   random_next() % 4,         random_next() & 1, random_text(),     random_next() & 1,
						   (uint32_t)random_number(), random_text() };
	for (size_t i = 0; i < 3; i++) {
		disks[i] = (lcowmig__wire_disk){ (uint32_t)i * 100, random_text(), random_next() & 1, random_text(),
						 random_text(),     mounts,        random_next() % 5 };
		reservations[i] = (lcowmig__wire_reservation){ wire_guid((unsigned)i), (uint32_t)random_number(), random_number() };
	}
	scsi.num_controllers = (uint32_t)random_number();
	check_protoc(6, &scsi);
}
END_TEST

/* Payloads without others inside, which protoc would not look into. */
static void check_agreement(size_t payload, const void *source, wire_rewrite rewrite)
{
	lcowmig__buf canonical;
	lcowmig__buf other;
	const uint8_t *expected;
	const uint8_t *value;
	size_t length;
	size_t size;

	wire_must_encode(&wire_payloads[payload], source, &canonical);
	lcowmig__buf_init(&other, canonical.mem);
	wire_rewrite_envelope(&rewrite, wire_payloads[payload].message, canonical.data, canonical.size, &other);
	wire_must_give(&wire_payloads[payload], other.data, other.size, &canonical, "rewritten");
	value = payload_value(&other, &size);
	length = protoc_say_again(payload, value, size);
	expected = payload_value(&canonical, &size);
	ck_assert_msg(length == size && memcmp(expected, protoc_output, size) == 0, "protoc understands %s otherwise",
		      wire_payloads[payload].name);
	lcowmig__buf_done(&other);
	lcowmig__buf_done(&canonical);
}

static void check_agreements(wire_rewrite rewrite)
{
	wire_sample sample;

	wire_sample_init(&sample);
	sample.sandbox.vm.has_scsi = false;
	sample.containers[1].n_processes = 0;
	check_agreement(1, &sample.sandbox.vm, rewrite);
	check_agreement(3, &sample.containers[1], rewrite);
	check_agreement(4, &sample.processes[1], rewrite);
	check_agreement(5, &sample.pods[0].network, rewrite);
	check_agreement(6, &sample.sandbox.vm.scsi, rewrite);
}

START_TEST(test_protoc_agrees_what_split_messages_mean)
{
	check_agreements((wire_rewrite){ .split = true });
}
END_TEST

START_TEST(test_protoc_agrees_what_numbers_too_wide_mean)
{
	check_agreements((wire_rewrite){ .wide = true });
}
END_TEST

START_TEST(test_protoc_agrees_what_the_last_of_several_scalars_means)
{
	check_agreements((wire_rewrite){ .decoys = true });
}
END_TEST

START_TEST(test_protoc_agrees_what_other_orders_and_longer_varints_mean)
{
	check_agreements((wire_rewrite){ .reversed = true, .padding = 2 });
}
END_TEST

#else

START_TEST(test_there_is_no_protoc_here)
{
}
END_TEST

#endif

int main(void)
{
	Suite *suite = suite_create("wire protoc");
	TCase *tcase = tcase_create("protoc");

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120);
#ifdef WIRE_PROTOC
	tcase_add_loop_test(tcase, test_protoc_writes_what_we_write, 0, 7);
	tcase_add_loop_test(tcase, test_protoc_writes_random_processes_as_we_do, 0, 12);
	tcase_add_loop_test(tcase, test_protoc_writes_random_disks_as_we_do, 0, 12);
	tcase_add_test(tcase, test_protoc_agrees_what_split_messages_mean);
	tcase_add_test(tcase, test_protoc_agrees_what_numbers_too_wide_mean);
	tcase_add_test(tcase, test_protoc_agrees_what_the_last_of_several_scalars_means);
	tcase_add_test(tcase, test_protoc_agrees_what_other_orders_and_longer_varints_mean);
#else
	tcase_add_test(tcase, test_there_is_no_protoc_here);
#endif
	return wire_main(suite);
}
