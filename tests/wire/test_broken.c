/* Bytes that are no envelope: never a crash, never a result, and an error that says where. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rewrite.h"
#include "wire/reader.h"

/* Decodes in memory of exactly this size, so that a sanitizer sees the first byte read too far. */
static lcowmig_status decode_exact(const wire_payload *payload, const void *data, size_t size, lcowmig_error *error)
{
	uint8_t *copy = malloc(size ? size : 1);
	wire_any_struct target;
	lcowmig_status status;
	lcowmig__arena arena;
	wire_memory memory;

	wire_memory_init(&memory);
	memcpy(copy, data, size);
	lcowmig__arena_init(&arena, &memory.mem, 0);
	status = wire_decode(payload, &arena, NULL, copy, size, &target, error);
	lcowmig__arena_done(&arena);
	ck_assert_int_eq(memory.alive, 0);
	free(copy);
	return status;
}

/* Decodes what `rewrite` makes of the sample. Damage that does not apply to the field's type is left out. */
static void check_damaged(wire_rewrite *rewrite, const wire_payload *payload, const lcowmig__buf *sound)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status;
	lcowmig__buf bad;

	lcowmig__buf_init(&bad, sound->mem);
	wire_rewrite_envelope(rewrite, payload->message, sound->data, sound->size, &bad);
	if (!rewrite->is_damaged) {
		lcowmig__buf_done(&bad);
		return;
	}
	status = decode_exact(payload, bad.data, bad.size, &error);
	ck_assert_msg(status != LCOWMIG_OK, "%s: damage %d to field %u (%s) is not noticed", payload->name, (int)rewrite->damage,
		      rewrite->damaged, rewrite->path);
	if (rewrite->damage == WIRE_DAMAGE_TYPE)
		ck_assert_msg(status == LCOWMIG_E_CORRUPT_DATA, "%s: wire type %d of field %u (%s) gives %s (%s)", payload->name,
			      rewrite->with_type, rewrite->damaged, rewrite->path, lcowmig_status_name(status), error.message);
	ck_assert_msg(strncmp(error.message, payload->name, strlen(payload->name)) == 0, "%s", error.message);
	lcowmig__buf_done(&bad);
}

/* How many fields the sample's envelope has, and the envelope. */
static unsigned count_fields(const wire_payload *payload, lcowmig__buf *ret_sound)
{
	wire_rewrite rewrite = { 0 };
	wire_sample sample;
	lcowmig__buf copy;

	wire_sample_init(&sample);
	sample.processes[1].oci_process_spec_json = (lcowmig__wire_bytes){ (const uint8_t *)"{}", 2 };
	wire_must_encode(payload, wire_sample_part(&sample, payload), ret_sound);
	lcowmig__buf_init(&copy, ret_sound->mem);
	wire_rewrite_envelope(&rewrite, payload->message, ret_sound->data, ret_sound->size, &copy);
	lcowmig__buf_done(&copy);
	return rewrite.fields;
}

START_TEST(test_import_refuses_every_other_wire_type_in_every_field)
{
	const wire_payload *payload = &wire_payloads[_i];
	lcowmig__buf sound;
	unsigned fields = count_fields(payload, &sound);

	for (unsigned i = 1; i <= fields; i++) {
		for (int type = 0; type < 8; type++) {
			wire_rewrite rewrite = { .damaged = i, .damage = WIRE_DAMAGE_TYPE, .with_type = type };

			check_damaged(&rewrite, payload, &sound);
		}
	}
	lcowmig__buf_done(&sound);
}
END_TEST

/* Numbers where texts belong and the other way round. */
START_TEST(test_import_refuses_numbers_for_texts_and_texts_for_numbers)
{
	static const struct {
		const char *edit;
		uint32_t tag;
		bool is_number;
		const char *path;
	} rows[] = {
		{ "1", 1, true, "sandbox.type_url" },
		{ "2", 2, true, "sandbox.value" },
		{ "2/1", 1, false, "sandbox.schema_version" },
		{ "2/2", 2, true, "sandbox.vm" },
		{ "2/3", 3, true, "sandbox.pods" },
		{ "2/2/2/2", 2, true, "sandbox.vm.vm_id" },
		{ "2/2/2/3", 3, true, "sandbox.vm.sandbox_options" },
		{ "2/2/2/3/1", 1, false, "sandbox.vm.sandbox_options.no_writable_file_shares" },
		{ "2/2/2/4", 4, true, "sandbox.vm.scsi" },
		{ "2/2/2/5", 5, false, "sandbox.vm.gcs_next_port" },
		{ "2/2/2/6", 6, true, "sandbox.vm.compat_info" },
		{ "2/2/2/7", 7, true, "sandbox.vm.hcs_document" },
		{ "2/2/2/8", 8, false, "sandbox.vm.bridge_next_id" },
		{ "2/2/2/4/2/2", 2, false, "sandbox.vm.scsi.num_controllers" },
		{ "2/2/2/4/2/3", 3, true, "sandbox.vm.scsi.disks" },
		{ "2/2/2/4/2/3/1", 1, false, "sandbox.vm.scsi.disks.key" },
		{ "2/2/2/4/2/3/2", 2, true, "sandbox.vm.scsi.disks.value" },
		{ "2/2/2/4/2/3#1/2/2/1", 1, false, "sandbox.vm.scsi.disks[1].mounts.key" },
		{ "2/2/2/4/2/3#1/2/2/2/1/3", 3, true, "sandbox.vm.scsi.disks[1].mounts[0].config.options" },
		{ "2/2/2/4/2/4/1", 1, true, "sandbox.vm.scsi.reservations.key" },
		{ "2/3/2/5#1/2/4/1", 1, false, "sandbox.pods[0].containers[1].io_retry_timeout.seconds" },
		{ "2/3/2/5#1/2/6", 6, true, "sandbox.pods[0].containers[1].scsi_reservation_ids" },
		{ "2/3/2/5#1/2/7/1", 1, true, "sandbox.pods[0].containers[1].processes.key" },
		{ "2/3/2/5#1/2/7/2/2/3", 3, false, "sandbox.pods[0].containers[1].processes[\"\"].pid" },
		{ "2/3/2/5#1/2/7/2/2/10", 10, false, "sandbox.pods[0].containers[1].processes[\"\"].wait_call_id" },
	};
	wire_sample sample;
	lcowmig__buf sound;

	wire_sample_init(&sample);
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &sound);
	for (size_t i = 0; i < LCOWMIG__COUNT(rows); i++) {
		lcowmig__buf replacement;
		lcowmig__buf bad;

		lcowmig__buf_init(&replacement, sound.mem);
		lcowmig__buf_init(&bad, sound.mem);
		if (rows[i].is_number)
			wire_put_number(&replacement, rows[i].tag, 1);
		else
			wire_put_text(&replacement, rows[i].tag, "1");
		wire_edit(sound.data, sound.size, rows[i].edit, &replacement, &bad);
		wire_must_refuse(&wire_payloads[0], NULL, bad.data, bad.size, LCOWMIG_E_CORRUPT_DATA, rows[i].path);
		lcowmig__buf_done(&replacement);
		lcowmig__buf_done(&bad);
	}
	lcowmig__buf_done(&sound);
}
END_TEST

START_TEST(test_import_notices_every_field_cut_short_overlong_or_led_by_nonsense)
{
	static const wire_damage damages[] = { WIRE_DAMAGE_LENGTH, WIRE_DAMAGE_TAG_0, WIRE_DAMAGE_VARINT, WIRE_DAMAGE_ENDLESS };
	const wire_payload *payload = &wire_payloads[_i];
	lcowmig__buf sound;
	unsigned fields = count_fields(payload, &sound);

	for (unsigned i = 1; i <= fields; i++) {
		for (size_t k = 0; k < LCOWMIG__COUNT(damages); k++) {
			wire_rewrite rewrite = { .damaged = i, .damage = damages[k] };

			check_damaged(&rewrite, payload, &sound);
		}
	}
	lcowmig__buf_done(&sound);
}
END_TEST

START_TEST(test_import_refuses_an_envelope_cut_at_any_byte)
{
	const wire_payload *payload = &wire_payloads[_i];
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__buf sound;

	count_fields(payload, &sound);
	ck_assert_int_eq(decode_exact(payload, sound.data, sound.size, &error), LCOWMIG_OK);
	for (size_t size = 0; size < sound.size; size++)
		ck_assert_msg(decode_exact(payload, sound.data, size, &error) != LCOWMIG_OK, "%s cut to %zu bytes", payload->name, size);
	lcowmig__buf_done(&sound);
}
END_TEST

/* Cut inside, the lengths around mended: what remains may be sound, but must be judged without harm. */
START_TEST(test_import_survives_every_field_cut_in_place)
{
	const wire_payload *payload = &wire_payloads[_i];
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__buf sound;
	unsigned fields = count_fields(payload, &sound);

	for (unsigned i = 1; i <= fields; i++) {
		wire_rewrite rewrite = { .damaged = i, .damage = WIRE_DAMAGE_CUT };
		lcowmig__buf bad;

		lcowmig__buf_init(&bad, sound.mem);
		wire_rewrite_envelope(&rewrite, payload->message, sound.data, sound.size, &bad);
		decode_exact(payload, bad.data, bad.size, &error);
		lcowmig__buf_done(&bad);
	}
	lcowmig__buf_done(&sound);
}
END_TEST

START_TEST(test_import_survives_flipped_bits_and_overwritten_bytes)
{
	const wire_payload *payload = &wire_payloads[_i];
	static const uint8_t values[] = { 0x00, 0xff };
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig__buf sound;

	count_fields(payload, &sound);
	for (size_t at = 0; at < sound.size; at++) {
		char before = sound.data[at];

		for (int bit = 0; bit < 8; bit += 3) {
			sound.data[at] = (char)(before ^ 1 << bit);
			decode_exact(payload, sound.data, sound.size, &error);
		}
		for (size_t k = 0; k < sizeof values; k++) {
			sound.data[at] = (char)values[k];
			decode_exact(payload, sound.data, sound.size, &error);
		}
		sound.data[at] = before;
	}
	lcowmig__buf_done(&sound);
}
END_TEST

/* Deep nesting needs groups or recursion over unknown messages; neither is followed. */
START_TEST(test_import_refuses_groups_however_deep)
{
	static const uint8_t kinds[] = { 0x9b, 0x9c }; /* start and end of group 19 */
	char bomb[20000];

	for (size_t i = 0; i < sizeof kinds; i++) {
		for (size_t at = 0; at < sizeof bomb; at += 2) {
			bomb[at] = (char)kinds[i];
			bomb[at + 1] = 0x01;
		}
		for (size_t k = 0; k < LCOWMIG__COUNT(wire_payloads); k++) {
			lcowmig__buf buf;
			wire_memory memory;

			wire_must_refuse(&wire_payloads[k], NULL, bomb, sizeof bomb, LCOWMIG_E_CORRUPT_DATA, wire_payloads[k].name);
			wire_memory_init(&memory);
			lcowmig__buf_init(&buf, &memory.mem);
			wire_put_text(&buf, 1, wire_payloads[k].message->type_url);
			wire_put_bytes(&buf, 2, bomb, sizeof bomb);
			wire_must_refuse(&wire_payloads[k], NULL, buf.data, buf.size, LCOWMIG_E_CORRUPT_DATA, wire_payloads[k].name);
			lcowmig__buf_done(&buf);
		}
	}
}
END_TEST

START_TEST(test_import_skips_unknown_messages_without_descending)
{
	wire_sample sample;
	lcowmig__buf nested[2];
	lcowmig__buf sound;
	lcowmig__buf more;

	wire_sample_init(&sample);
	wire_must_encode(&wire_payloads[0], &sample.sandbox, &sound);
	lcowmig__buf_init(&nested[0], sound.mem);
	lcowmig__buf_init(&nested[1], sound.mem);
	lcowmig__buf_init(&more, sound.mem);
	for (unsigned i = 0; i < 3000; i++) {
		lcowmig__buf_clear(&nested[(i + 1) % 2]);
		wire_put_bytes(&nested[(i + 1) % 2], 30, nested[i % 2].data ? nested[i % 2].data : "", nested[i % 2].size);
	}
	wire_edit(sound.data, sound.size, "2/2/2/+", &nested[0], &more);
	wire_must_give(&wire_payloads[0], more.data, more.size, &sound, "deep unknown messages");
	lcowmig__buf_done(&nested[0]);
	lcowmig__buf_done(&nested[1]);
	lcowmig__buf_done(&sound);
	lcowmig__buf_done(&more);
}
END_TEST

START_TEST(test_import_survives_random_bytes)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	uint32_t seed = 1;
	uint8_t noise[64];

	for (unsigned round = 0; round < 5000; round++) {
		for (size_t i = 0; i < sizeof noise; i++) {
			seed = seed * 1664525u + 1013904223u;
			noise[i] = (uint8_t)(seed >> 24);
		}
		ck_assert(decode_exact(&wire_payloads[round % 7], noise, round % sizeof noise, &error) != LCOWMIG_OK);
	}
}
END_TEST

/* Fails each allocation in turn: the error says so, nothing leaks, and the result is left alone. Gives how many there were. */
static unsigned long check_out_of_memory(const wire_payload *payload, const lcowmig__buf *envelope)
{
	unsigned long fail_at = 0;
	lcowmig_status status;

	do {
		lcowmig_error error = LCOWMIG_ERROR_INIT;
		wire_any_struct target;
		wire_any_struct before;
		lcowmig__arena arena;
		wire_memory memory;

		wire_memory_init(&memory);
		memory.fail_at = ++fail_at;
		memset(&target, 0x5a, sizeof target);
		memcpy(&before, &target, sizeof before);
		lcowmig__arena_init(&arena, &memory.mem, 16);
		status = wire_decode(payload, &arena, NULL, envelope->data, envelope->size, &target, &error);
		if (status != LCOWMIG_OK) {
			ck_assert_int_eq(status, LCOWMIG_E_NO_MEMORY);
			ck_assert_int_eq(error.status, LCOWMIG_E_NO_MEMORY);
			ck_assert(memcmp(&target, &before, sizeof before) == 0);
		}
		lcowmig__arena_done(&arena);
		ck_assert_int_eq(memory.alive, 0);
	} while (status != LCOWMIG_OK);
	return fail_at - 1;
}

START_TEST(test_import_out_of_memory_changes_nothing)
{
	const wire_payload *payload = &wire_payloads[_i];
	wire_rewrite rewrite = { .reversed = true }; /* so that sorting needs memory too */
	lcowmig__buf sound;
	lcowmig__buf swapped;

	count_fields(payload, &sound);
	lcowmig__buf_init(&swapped, sound.mem);
	wire_rewrite_envelope(&rewrite, payload->message, sound.data, sound.size, &swapped);
	ck_assert_uint_ge(check_out_of_memory(payload, &swapped), 1);
	lcowmig__buf_done(&sound);
	lcowmig__buf_done(&swapped);
}
END_TEST

/* The same of the cross checks alone. Their scratch memory is in proportion to the reader's arena, so an empty one makes it grow in many blocks. */
static unsigned long check_out_of_memory_in_the_cross_checks(const lcowmig__buf *envelope)
{
	lcowmig__wire_sandbox sandbox;
	lcowmig__arena decoded, empty, scratch;
	wire_memory plenty, memory;
	lcowmig__wire_reader reader;
	unsigned long fail_at = 0;
	lcowmig_status status;

	wire_memory_init(&plenty);
	lcowmig__arena_init(&decoded, &plenty.mem, 0);
	ck_assert_int_eq(wire_decode(&wire_payloads[0], &decoded, NULL, envelope->data, envelope->size, &sandbox, NULL), LCOWMIG_OK);
	do {
		lcowmig_error error = LCOWMIG_ERROR_INIT;

		wire_memory_init(&memory);
		memory.fail_at = ++fail_at;
		lcowmig__arena_init(&empty, &memory.mem, 0);
		ck_assert_int_eq(lcowmig__wire_reader_init(&reader, &empty, NULL, true, &error), LCOWMIG_OK);
		status = lcowmig__wire_validate(&reader, &sandbox);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
		ck_assert_int_eq(error.status, status);
		ck_assert_int_eq(memory.alive, 0);
	} while (status != LCOWMIG_OK);
	/* The disks' first piece, which is small and seldom the one that needs a block. */
	memory.fail_at = memory.made + 1;
	reader.error = NULL;
	lcowmig__arena_init(&scratch, &memory.mem, 0);
	ck_assert_int_eq(lcowmig__wire_validate_disks(&reader, &sandbox, &scratch), LCOWMIG_E_NO_MEMORY);
	ck_assert_int_eq(memory.alive, 1); /* the second piece's block */
	lcowmig__arena_done(&scratch);
	lcowmig__arena_done(&decoded);
	return fail_at - 1;
}

/* Many reservations, in numbers that make each of the cross checks the one that needs another block. */
START_TEST(test_import_out_of_memory_in_the_cross_checks_says_so)
{
	static lcowmig__wire_reservation reservations[2500];
	static lcowmig__wire_container containers[40];
	static lcowmig__wire_process processes[40];
	static char ids[40][8];
	wire_sample sample;
	lcowmig__buf buf;

	for (size_t count = 1500; count < 2500; count += 16) {
		bool has_containers = count >= 2000;

		wire_sample_init(&sample);
		sample.disks[0].host_path = "z";
		for (size_t i = 0; i < count; i++) {
			reservations[i] = (lcowmig__wire_reservation){ wire_guid(0), 1, 0 };
			reservations[i].id.bytes[14] = (uint8_t)(i >> 8);
			reservations[i].id.bytes[15] = (uint8_t)i;
		}
		sample.mounts[0].ref_count = (uint32_t)count;
		sample.sandbox.vm.scsi = (lcowmig__wire_scsi){ 4, sample.disks, 2, reservations, count };
		sample.pods[0].containers = containers;
		sample.pods[0].n_containers = has_containers ? (count - 2000) / 16 : 0;
		for (size_t i = 0; i < 40; i++) {
			snprintf(ids[i], sizeof ids[i], "c%02u", (unsigned)i);
			processes[i] = (lcowmig__wire_process){ .pid = 1,
								.wait_call_id = 40 - (int64_t)i,
								.ports = { 0x40000009 - (uint32_t)(i % 8) } };
			if (i >= 8)
				processes[i].ports[0] = 0;
			containers[i] = (lcowmig__wire_container){
				.container_id = ids[i], .gcs_container_id = ids[39 - i], .processes = &processes[i], .n_processes = 1
			};
		}
		sample.sandbox.n_pods = 1;
		wire_must_encode(&wire_payloads[0], &sample.sandbox, &buf);
		ck_assert_uint_ge(check_out_of_memory_in_the_cross_checks(&buf), 2);
		lcowmig__buf_done(&buf);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire broken");
	TCase *tcase = tcase_create("broken");
	int payloads = (int)LCOWMIG__COUNT(wire_payloads);

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_import_refuses_every_other_wire_type_in_every_field, 0, payloads);
	tcase_add_test(tcase, test_import_refuses_numbers_for_texts_and_texts_for_numbers);
	tcase_add_loop_test(tcase, test_import_notices_every_field_cut_short_overlong_or_led_by_nonsense, 0, payloads);
	tcase_add_loop_test(tcase, test_import_refuses_an_envelope_cut_at_any_byte, 0, payloads);
	tcase_add_loop_test(tcase, test_import_survives_every_field_cut_in_place, 0, payloads);
	tcase_add_loop_test(tcase, test_import_survives_flipped_bits_and_overwritten_bytes, 0, payloads);
	tcase_add_test(tcase, test_import_refuses_groups_however_deep);
	tcase_add_test(tcase, test_import_skips_unknown_messages_without_descending);
	tcase_add_test(tcase, test_import_survives_random_bytes);
	tcase_add_loop_test(tcase, test_import_out_of_memory_changes_nothing, 0, payloads);
	tcase_add_test(tcase, test_import_out_of_memory_in_the_cross_checks_says_so);
	return wire_main(suite);
}
