/* Everything protobuf allows an encoder is understood, and means the same. */
#include <stdio.h>
#include <string.h>

#include "rewrite.h"

static void check_rewritten(wire_rewrite rewrite, const char *what)
{
	wire_sample sample;

	wire_sample_init(&sample);
	for (size_t i = 0; i < LCOWMIG__COUNT(wire_payloads); i++) {
		const wire_payload *payload = &wire_payloads[i];
		lcowmig__buf canonical;
		lcowmig__buf other;

		wire_must_encode(payload, wire_sample_part(&sample, payload), &canonical);
		lcowmig__buf_init(&other, canonical.mem);
		wire_rewrite_envelope(&rewrite, payload->message, canonical.data, canonical.size, &other);
		ck_assert_uint_ge(rewrite.fields, 5);
		wire_must_give(payload, other.data, other.size, &canonical, what);
		lcowmig__buf_done(&other);
		lcowmig__buf_done(&canonical);
	}
}

START_TEST(test_decoding_understands_the_canonical_form)
{
	check_rewritten((wire_rewrite){ 0 }, "canonical");
}
END_TEST

START_TEST(test_decoding_understands_any_order_of_fields_and_map_entries)
{
	check_rewritten((wire_rewrite){ .reversed = true }, "reversed");
}
END_TEST

START_TEST(test_decoding_understands_varints_longer_than_needed)
{
	for (unsigned padding = 1; padding < 10; padding++)
		check_rewritten((wire_rewrite){ .padding = padding }, "padded");
}
END_TEST

START_TEST(test_decoding_skips_unknown_fields_everywhere)
{
	check_rewritten((wire_rewrite){ .unknown = true }, "unknown fields");
}
END_TEST

START_TEST(test_decoding_merges_messages_that_come_in_parts)
{
	check_rewritten((wire_rewrite){ .split = true }, "split");
	check_rewritten((wire_rewrite){ .split = true, .reversed = true }, "split and reversed");
}
END_TEST

START_TEST(test_decoding_takes_the_last_of_repeated_scalars)
{
	check_rewritten((wire_rewrite){ .decoys = true }, "decoys");
}
END_TEST

START_TEST(test_decoding_cuts_numbers_to_the_width_of_their_field)
{
	check_rewritten((wire_rewrite){ .wide = true }, "wide");
}
END_TEST

START_TEST(test_decoding_understands_all_liberties_at_once)
{
	check_rewritten((wire_rewrite){ .reversed = true, .padding = 2, .unknown = true, .split = true, .decoys = true, .wide = true },
			"everything");
}
END_TEST

/* Edits the sample's envelope, which must then still mean the same. */
static void check_edited(const wire_payload *payload, const char *path, const lcowmig__buf *replacement)
{
	wire_sample sample;
	lcowmig__buf canonical;
	lcowmig__buf other;

	wire_sample_init(&sample);
	wire_must_encode(payload, wire_sample_part(&sample, payload), &canonical);
	lcowmig__buf_init(&other, canonical.mem);
	wire_edit(canonical.data, canonical.size, path, replacement, &other);
	wire_must_give(payload, other.data, other.size, &canonical, path);
	lcowmig__buf_done(&other);
	lcowmig__buf_done(&canonical);
}

START_TEST(test_decoding_accepts_defaults_that_were_written)
{
	wire_memory memory;
	lcowmig__buf extra;

	wire_memory_init(&memory);
	lcowmig__buf_init(&extra, &memory.mem);
	wire_put_number(&extra, 3, 0); /* layers_combined of db is false, its retry timeout zero */
	check_edited(&wire_payloads[0], "2/3#1/2/5/2/5/+", &extra);
	lcowmig__buf_clear(&extra);
	wire_put_number(&extra, 1, 0);
	wire_put_number(&extra, 2, 0);
	check_edited(&wire_payloads[0], "2/3#1/2/5/2/4/+", &extra);
	lcowmig__buf_clear(&extra);
	check_edited(&wire_payloads[0], "2/3#1/2/5/2/4", &extra);
	lcowmig__buf_done(&extra);
}
END_TEST

START_TEST(test_decoding_gathers_a_list_that_comes_in_many_parts)
{
	lcowmig__wire_layer layers[7];
	lcowmig__wire_container container = { .ro_layers = layers, .has_layers = true };
	lcowmig__buf canonical;
	lcowmig__buf other;
	lcowmig__buf part;

	for (unsigned i = 0; i < LCOWMIG__COUNT(layers); i++)
		layers[i] = (lcowmig__wire_layer){ wire_guid(i + 1), "/layer" };
	container.n_ro_layers = 1;
	wire_must_encode(&wire_payloads[3], &container, &other);
	for (container.n_ro_layers = 2; container.n_ro_layers <= LCOWMIG__COUNT(layers); container.n_ro_layers++) {
		lcowmig__wire_layer *last = &layers[container.n_ro_layers - 1];
		char id[LCOWMIG_GUID_TEXT_SIZE];
		lcowmig__buf layer, list, longer;

		lcowmig_guid_format(&last->reservation_id, id);
		lcowmig__buf_init(&layer, other.mem);
		lcowmig__buf_init(&list, other.mem);
		lcowmig__buf_init(&part, other.mem);
		lcowmig__buf_init(&longer, other.mem);
		wire_put_text(&layer, 1, id);
		wire_put_text(&layer, 2, last->guest_path);
		wire_put_bytes(&list, 1, layer.data, layer.size);
		wire_put_bytes(&part, 5, list.data, list.size);
		wire_edit(other.data, other.size, "2/+", &part, &longer);
		wire_must_encode(&wire_payloads[3], &container, &canonical);
		wire_must_give(&wire_payloads[3], longer.data, longer.size, &canonical, "in many parts");
		lcowmig__buf_done(&canonical);
		lcowmig__buf_done(&other);
		lcowmig__buf_done(&layer);
		lcowmig__buf_done(&list);
		lcowmig__buf_done(&part);
		other = longer;
	}
	lcowmig__buf_done(&other);
}
END_TEST

START_TEST(test_decoding_takes_bytes_that_come_again_empty_for_none)
{
	lcowmig__wire_vm vm = { .compat_info = { (const uint8_t *)"compat", 6 } };
	lcowmig__buf canonical;
	lcowmig__buf other;
	lcowmig__buf empty;
	lcowmig__buf full;

	wire_must_encode(&wire_payloads[1], &vm, &full);
	vm.compat_info.size = 0;
	wire_must_encode(&wire_payloads[1], &vm, &canonical);
	lcowmig__buf_init(&empty, full.mem);
	lcowmig__buf_init(&other, full.mem);
	wire_put_bytes(&empty, 6, "", 0);
	wire_edit(full.data, full.size, "2/+", &empty, &other);
	wire_must_give(&wire_payloads[1], other.data, other.size, &canonical, "emptied");
	lcowmig__buf_done(&other);
	lcowmig__buf_done(&empty);
	lcowmig__buf_done(&canonical);
	lcowmig__buf_done(&full);
}
END_TEST

START_TEST(test_decoding_accepts_upper_case_reservation_ids)
{
	wire_memory memory;
	lcowmig__buf key;

	wire_memory_init(&memory);
	lcowmig__buf_init(&key, &memory.mem);
	wire_put_text(&key, 1, "6D1F002C-5A77-4E10-B30A-C40000000001");
	check_edited(&wire_payloads[6], "2/4#0/1", &key);
	check_edited(&wire_payloads[0], "2/2/2/4/2/4#0/1", &key);
	lcowmig__buf_done(&key);
}
END_TEST

START_TEST(test_decoding_takes_a_reservation_without_content_for_slot_0)
{
	lcowmig__wire_reservation reservation = { wire_guid(9), 0, 0 };
	lcowmig__wire_scsi scsi = { .num_controllers = 1, .reservations = &reservation, .n_reservations = 1 };
	lcowmig__buf canonical;
	lcowmig__buf nothing;
	lcowmig__buf other;

	wire_must_encode(&wire_payloads[6], &scsi, &canonical);
	lcowmig__buf_init(&nothing, canonical.mem);
	lcowmig__buf_init(&other, canonical.mem);
	wire_edit(canonical.data, canonical.size, "2/4/2", &nothing, &other);
	wire_must_give(&wire_payloads[6], other.data, other.size, &canonical, "no content");
	lcowmig__buf_done(&other);
	lcowmig__buf_done(&canonical);
}
END_TEST

/* SCSI-62, SCSI-81 */
START_TEST(test_decoding_scsi_alone_takes_missing_configs_for_defaults_and_skips_mounts_without_content)
{
	lcowmig__wire_mount mount = { .partition = 0, .ref_count = 1, .guest_path = "/run/mounts/scsi/0_0_0" };
	lcowmig__wire_disk disk = { .slot = 0, .mounts = &mount, .n_mounts = 1 };
	lcowmig__wire_scsi scsi = { .num_controllers = 1, .disks = &disk, .n_disks = 1 };
	lcowmig__buf nothing;
	lcowmig__buf full;
	lcowmig__buf expected;
	lcowmig__buf other;

	wire_must_encode(&wire_payloads[6], &scsi, &full);
	lcowmig__buf_init(&nothing, full.mem);
	lcowmig__buf_init(&other, full.mem);
	wire_edit(full.data, full.size, "2/3/2/1", &nothing, &other);
	wire_must_give(&wire_payloads[6], other.data, other.size, &full, "disk without config");
	lcowmig__buf_clear(&other);
	wire_edit(full.data, full.size, "2/3/2/2/2/1", &nothing, &other);
	wire_must_give(&wire_payloads[6], other.data, other.size, &full, "mount without config");
	lcowmig__buf_clear(&other);
	wire_edit(full.data, full.size, "2/3/2/2/2", &nothing, &other);
	disk.n_mounts = 0;
	wire_must_encode(&wire_payloads[6], &scsi, &expected);
	wire_must_give(&wire_payloads[6], other.data, other.size, &expected, "mount without content");
	lcowmig__buf_done(&expected);
	lcowmig__buf_done(&other);
	lcowmig__buf_done(&full);
}
END_TEST

/* SCSI-57 and LC-101: what only a later step refuses, a payload alone may carry. */
START_TEST(test_decoding_one_payload_leaves_to_later_steps_what_it_cannot_judge)
{
	lcowmig__wire_reservation reservation = { wire_guid(9), 5, 7 };
	lcowmig__wire_scsi scsi = { .num_controllers = 1, .reservations = &reservation, .n_reservations = 1 };
	lcowmig__wire_process processes[2] = { { .exec_id = "" }, { .exec_id = "exec-1" } };
	lcowmig__wire_container container = { .processes = processes, .n_processes = 2 };
	lcowmig__wire_vm vm = { .hcs_document = { (const uint8_t *)"{}", 2 } };
	lcowmig__buf buf;

	wire_must_encode(&wire_payloads[6], &scsi, &buf);
	wire_must_give(&wire_payloads[6], buf.data, buf.size, &buf, "reservation of an empty slot");
	lcowmig__buf_done(&buf);
	for (size_t i = 0; i < 3; i++) {
		container.n_processes = i;
		wire_must_encode(&wire_payloads[3], &container, &buf);
		wire_must_give(&wire_payloads[3], buf.data, buf.size, &buf, "process counts");
		lcowmig__buf_done(&buf);
	}
	wire_must_encode(&wire_payloads[1], &vm, &buf);
	wire_must_give(&wire_payloads[1], buf.data, buf.size, &buf, "document without a VM");
	lcowmig__buf_done(&buf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire liberties");
	TCase *tcase = tcase_create("liberties");

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_decoding_understands_the_canonical_form);
	tcase_add_test(tcase, test_decoding_understands_any_order_of_fields_and_map_entries);
	tcase_add_test(tcase, test_decoding_understands_varints_longer_than_needed);
	tcase_add_test(tcase, test_decoding_skips_unknown_fields_everywhere);
	tcase_add_test(tcase, test_decoding_merges_messages_that_come_in_parts);
	tcase_add_test(tcase, test_decoding_takes_the_last_of_repeated_scalars);
	tcase_add_test(tcase, test_decoding_cuts_numbers_to_the_width_of_their_field);
	tcase_add_test(tcase, test_decoding_understands_all_liberties_at_once);
	tcase_add_test(tcase, test_decoding_accepts_defaults_that_were_written);
	tcase_add_test(tcase, test_decoding_gathers_a_list_that_comes_in_many_parts);
	tcase_add_test(tcase, test_decoding_takes_bytes_that_come_again_empty_for_none);
	tcase_add_test(tcase, test_decoding_accepts_upper_case_reservation_ids);
	tcase_add_test(tcase, test_decoding_takes_a_reservation_without_content_for_slot_0);
	tcase_add_test(tcase, test_decoding_scsi_alone_takes_missing_configs_for_defaults_and_skips_mounts_without_content);
	tcase_add_test(tcase, test_decoding_one_payload_leaves_to_later_steps_what_it_cannot_judge);
	return wire_main(suite);
}
