/* Import as a host calls it: limits of the context, envelopes in pieces, and how much memory it takes at most. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lcowmig/lcowmig.h"
#include "rewrite.h"
#include "world.h"

/* All that is allocated, by the library and by cJSON, in bytes. */
typedef struct counted {
	size_t now;
	size_t peak;
	unsigned long made;
} counted;

static counted heap;

static void *heap_allocate(size_t size)
{
	size_t *piece = malloc(size + 16);

	ck_assert_ptr_nonnull(piece);
	*piece = size;
	heap.made++;
	heap.now += size;
	if (heap.now > heap.peak)
		heap.peak = heap.now;
	return (char *)piece + 16;
}

static void heap_release(void *pointer)
{
	size_t *piece;

	if (!pointer)
		return;
	piece = (void *)((char *)pointer - 16);
	heap.now -= *piece;
	free(piece);
}

static void *platform_allocate(void *user, size_t size)
{
	return heap_allocate(size);
}

static void platform_release(void *user, void *pointer)
{
	heap_release(pointer);
}

typedef struct destination {
	lcowmig_context *context;
	lcowmig_sandbox *sandbox;
	lcowmig_migration *migration;
	lcowmig_error error;
	size_t before; /* bytes in use without an import */
} destination;

static void destination_init(destination *here, const lcowmig_limits *limits)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;
	cJSON_Hooks hooks = { heap_allocate, heap_release };

	cJSON_InitHooks(&hooks);
	memset(&heap, 0, sizeof heap);
	*here = (destination){ .error = LCOWMIG_ERROR_INIT };
	platform.allocate = platform_allocate;
	platform.release = platform_release;
	ck_assert_int_eq(lcowmig_context_new(&platform, limits, &here->context, &here->error), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_sandbox_new(here->context, &config, &here->sandbox, &here->error), LCOWMIG_OK);
	here->migration = lcowmig_sandbox_migration(here->sandbox);
	here->before = heap.now;
	heap.peak = heap.now;
}

static void ignore(void *user, lcowmig_status status, const lcowmig_error *error)
{
}

static void destination_done(destination *here)
{
	lcowmig_finalize_options stop = LCOWMIG_FINALIZE_OPTIONS_INIT;

	stop.action = LCOWMIG_FINALIZE_STOP;
	if (lcowmig_migration_get_state(here->migration) != LCOWMIG_MIGRATION_IDLE) {
		ck_assert_int_eq(lcowmig_migration_cancel(here->migration, "s", ignore, NULL, &here->error), LCOWMIG_OK);
		ck_assert_int_eq(lcowmig_migration_finalize(here->migration, "s", &stop, ignore, NULL, &here->error), LCOWMIG_OK);
		ck_assert_int_eq(lcowmig_migration_cleanup(here->migration, "s", &here->error), LCOWMIG_OK);
	}
	ck_assert_msg(lcowmig_sandbox_free(here->sandbox, &here->error) == LCOWMIG_OK, "%s", here->error.message);
	ck_assert_int_eq(lcowmig_context_free(here->context), LCOWMIG_OK);
	ck_assert_uint_eq(heap.now, 0);
	cJSON_InitHooks(NULL);
}

static lcowmig_status import_whole(destination *here, const lcowmig__buf *envelope)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;

	options.session_id = "s";
	options.sandbox_id = "sb";
	options.envelope = (const uint8_t *)envelope->data;
	options.envelope_size = envelope->size;
	return lcowmig_migration_import(here->migration, &options, &here->error);
}

static lcowmig_status import_pieces(destination *here, const lcowmig_piece *pieces, size_t n_pieces)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;

	options.session_id = "s";
	options.sandbox_id = "sb";
	options.pieces = pieces;
	options.n_pieces = n_pieces;
	return lcowmig_migration_import(here->migration, &options, &here->error);
}

static void sample_envelope(lcowmig__buf *ret_buf)
{
	wire_sample sample;

	wire_sample_init(&sample);
	wire_must_encode(&wire_payloads[0], &sample.sandbox, ret_buf);
}

START_TEST(test_import_takes_an_envelope_cut_at_any_byte)
{
	destination here;
	lcowmig__buf envelope;

	sample_envelope(&envelope);
	for (size_t cut = 0; cut <= envelope.size; cut += cut < 64 ? 1 : 61) {
		/* Each piece of its own, so that reading beyond one is noticed. */
		uint8_t *first = malloc(cut ? cut : 1);
		uint8_t *second = malloc(envelope.size - cut + 1);
		lcowmig_piece pieces[] = { { first, cut }, { NULL, 0 }, { second, envelope.size - cut } };

		memcpy(first, envelope.data, cut);
		memcpy(second, envelope.data + cut, envelope.size - cut);
		destination_init(&here, NULL);
		ck_assert_msg(import_pieces(&here, pieces, LCOWMIG__COUNT(pieces)) == LCOWMIG_OK, "cut at %zu: %s", cut, here.error.message);
		ck_assert_uint_eq(lcowmig_migration_pending_count(here.migration), 3);
		free(first);
		free(second);
		destination_done(&here);
	}
	lcowmig__buf_done(&envelope);
}
END_TEST

START_TEST(test_import_takes_an_envelope_in_single_bytes)
{
	lcowmig_piece *pieces;
	destination here;
	lcowmig__buf envelope;

	sample_envelope(&envelope);
	pieces = calloc(envelope.size, sizeof *pieces);
	for (size_t i = 0; i < envelope.size; i++)
		pieces[i] = (lcowmig_piece){ (const uint8_t *)envelope.data + i, 1 };
	destination_init(&here, NULL);
	ck_assert_int_eq(import_pieces(&here, pieces, envelope.size - 1), LCOWMIG_E_CORRUPT_DATA);
	ck_assert_int_eq(lcowmig_migration_get_state(here.migration), LCOWMIG_MIGRATION_IDLE);
	ck_assert_int_eq(import_pieces(&here, pieces, envelope.size), LCOWMIG_OK);
	destination_done(&here);
	free(pieces);
	lcowmig__buf_done(&envelope);
}
END_TEST

START_TEST(test_import_refuses_pieces_that_make_no_envelope)
{
	static const lcowmig_piece absent[] = { { (const uint8_t *)"x", 1 }, { NULL, 1 } };
	static const lcowmig_piece empty[] = { { NULL, 0 }, { (const uint8_t *)"x", 0 } };
	static const lcowmig_piece huge[] = { { (const uint8_t *)"x", 1 }, { (const uint8_t *)"x", SIZE_MAX } };
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;
	destination here;
	unsigned long made;

	destination_init(&here, NULL);
	made = heap.made;
	ck_assert_int_eq(import_pieces(&here, NULL, 1), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(import_pieces(&here, absent, 2), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(import_pieces(&here, empty, 2), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(import_pieces(&here, empty, 0), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(import_pieces(&here, huge, 2), LCOWMIG_E_LIMIT_EXCEEDED);
	options.session_id = "s";
	options.sandbox_id = "sb";
	options.envelope = (const uint8_t *)"x";
	options.envelope_size = 1;
	options.pieces = empty;
	options.n_pieces = 1;
	ck_assert_int_eq(lcowmig_migration_import(here.migration, &options, &here.error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_uint_eq(heap.made, made);
	destination_done(&here);
}
END_TEST

/* Each limit of a context, with what the sample needs. */
typedef struct limit_row {
	size_t offset;
	uint32_t needed;
	const char *path; /* of what is refused with one less */
} limit_row;

#define LIMIT(member) offsetof(lcowmig_limits, member)

static const limit_row limit_rows[] = {
	{ LIMIT(envelope_bytes), 0, "sandbox" }, /* 0: its size */
	{ LIMIT(document_bytes), 61, "sandbox.vm.hcs_document" },
	{ LIMIT(json_depth), 3, "sandbox.vm.hcs_document" },
	{ LIMIT(pods), 2, "sandbox.pods" },
	{ LIMIT(containers), 3, "sandbox.pods[1].containers" },
	{ LIMIT(endpoints), 2, "sandbox.pods[0].network.vm_endpoints" },
	{ LIMIT(layers), 2, "sandbox.pods[0].containers[1].layers.ro_layers" },
	{ LIMIT(reservations), 7, "sandbox.vm.scsi.reservations" },
	{ LIMIT(mount_options), 2, "sandbox.vm.scsi.disks[1].mounts[0].config.options" },
	{ LIMIT(id_bytes), 36, "sandbox.pods[0].network.vm_endpoints.key" },
	{ LIMIT(path_bytes), 46, "sandbox.pods[0].containers[1].layers.scratch.guest_path" },
	{ LIMIT(compat_bytes), 5, "sandbox.vm.compat_info" },
	{ LIMIT(json_values), 5, "sandbox.vm.hcs_document" },
};

START_TEST(test_import_obeys_the_limits_of_its_context)
{
	const limit_row *row = &limit_rows[_i];
	lcowmig_limits limits = { .size = sizeof limits };
	size_t length = strlen(row->path);
	destination here;
	lcowmig__buf envelope;
	lcowmig_piece halves[2];
	uint32_t value;

	sample_envelope(&envelope);
	halves[0] = (lcowmig_piece){ (const uint8_t *)envelope.data, envelope.size / 2 };
	halves[1] = (lcowmig_piece){ (const uint8_t *)envelope.data + envelope.size / 2, envelope.size - envelope.size / 2 };
	value = row->needed ? row->needed : (uint32_t)envelope.size;
	memcpy((char *)&limits + row->offset, &value, sizeof value);
	destination_init(&here, &limits);
	ck_assert_msg(import_whole(&here, &envelope) == LCOWMIG_OK, "%s: %s", row->path, here.error.message);
	destination_done(&here);
	value--;
	memcpy((char *)&limits + row->offset, &value, sizeof value);
	destination_init(&here, &limits);
	for (int in_pieces = 0; in_pieces < 2; in_pieces++) {
		ck_assert_int_eq(in_pieces ? import_pieces(&here, halves, 2) : import_whole(&here, &envelope), LCOWMIG_E_LIMIT_EXCEEDED);
		ck_assert_msg(strncmp(here.error.message, row->path, length) == 0 && here.error.message[length] == ':', "%s: %s", row->path,
		              here.error.message);
		ck_assert_uint_eq(heap.now, here.before);
	}
	destination_done(&here);
	lcowmig__buf_done(&envelope);
}
END_TEST

/* Containers as a host has them: some texts, a sandbox container without layers. */
static void many_envelope(size_t count, lcowmig__buf *ret_buf)
{
	static const char bundle[] = "C:\\ProgramData\\containerd\\state\\io.containerd.runtime.v2.task\\k8s.io\\container-with-a-long-name";
	lcowmig__wire_container *containers = calloc(count, sizeof *containers);
	lcowmig__wire_process *processes = calloc(count, sizeof *processes);
	char(*names)[80] = calloc(count, sizeof *names);
	lcowmig__wire_sandbox sandbox;
	lcowmig__wire_pod pod = { .pod_id = "p", .gcs_pod_id = "p", .has_network = true, .containers = containers, .n_containers = count };

	wire_sample_minimal(&sandbox);
	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof names[i], "%064zu", i);
		processes[i] = (lcowmig__wire_process){ .pid = 1 + (int32_t)i, .wait_call_id = 1 + (int64_t)i, .bundle = bundle };
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

/* What is kept are controllers, some two KiB for a container. What is only needed meanwhile is bounded by the envelope. */
START_TEST(test_import_needs_a_small_multiple_of_the_envelope)
{
	static const size_t counts[] = { 1, 100, 2000 };
	destination here;
	lcowmig__buf envelope;
	size_t peak, kept;

	many_envelope(counts[_i], &envelope);
	destination_init(&here, NULL);
	ck_assert_msg(import_whole(&here, &envelope) == LCOWMIG_OK, "%s", here.error.message);
	peak = heap.peak - here.before;
	kept = heap.now - here.before;
	ck_assert_msg(peak - kept <= 3 * envelope.size + 16384, "%zu bytes of envelope, %zu meanwhile", envelope.size, peak - kept);
	ck_assert_msg(kept <= 4096 * (counts[_i] + 1), "%zu containers, %zu bytes kept", counts[_i], kept);
	lcowmig__buf_done(&envelope);
	destination_done(&here);
}
END_TEST

/* An envelope that is nothing but one document of tiny values, or one disk of tiny mounts: what it can cost has a fixed bound. */
static void bomb_envelope(int which, lcowmig__buf *ret_buf)
{
	static const char head[] = "{\"VirtualMachine\":{\"x\":[0";
	lcowmig__wire_mount *mounts = calloc(LCOWMIG_LIMIT_RESERVATIONS, sizeof *mounts);
	lcowmig__wire_disk disk = { .type = "VirtualDisk", .host_path = "d", .mounts = mounts, .n_mounts = LCOWMIG_LIMIT_RESERVATIONS };
	lcowmig__wire_sandbox sandbox;
	lcowmig__buf document;
	size_t values = which == 0 ? LCOWMIG_LIMIT_JSON_VALUES - 10 : LCOWMIG_LIMIT_DOCUMENT_BYTES / 2 - 100;

	wire_sample_minimal(&sandbox);
	many_envelope(1, &document);
	document.size = 0;
	lcowmig__buf_text(&document, head);
	for (size_t i = 0; i < values; i++)
		lcowmig__buf_append(&document, ",0", 2);
	lcowmig__buf_text(&document, "]}}");
	if (which < 2)
		sandbox.vm.hcs_document = (lcowmig__wire_bytes){ (const uint8_t *)document.data, document.size };
	for (size_t i = 0; i < disk.n_mounts; i++)
		mounts[i].partition = i;
	if (which == 2) {
		sandbox.vm.has_scsi = true;
		sandbox.vm.scsi = (lcowmig__wire_scsi){ .num_controllers = 1, .disks = &disk, .n_disks = 1 };
	}
	wire_must_encode(&wire_payloads[0], &sandbox, ret_buf);
	lcowmig__buf_done(&document);
	free(mounts);
}

START_TEST(test_import_of_tiny_values_has_a_fixed_cost)
{
	static const lcowmig_status statuses[] = { LCOWMIG_OK, LCOWMIG_E_LIMIT_EXCEEDED, LCOWMIG_E_INVALID_ARGUMENT };
	destination here;
	lcowmig__buf envelope;

	bomb_envelope(_i, &envelope);
	destination_init(&here, NULL);
	ck_assert_msg(import_whole(&here, &envelope) == statuses[_i], "%s", here.error.message);
	ck_assert_msg(heap.peak - here.before <= 3 * envelope.size + (32u << 20), "%zu bytes of envelope, %zu needed", envelope.size,
	              heap.peak - here.before);
	lcowmig__buf_done(&envelope);
	destination_done(&here);
}
END_TEST

/* ---- with a source and a destination ---- */

START_TEST(test_envelope_tells_its_size_and_is_copied_without_memory)
{
	test_world *world = world_new(1, 3);
	const uint8_t *envelope;
	uint8_t *copy;
	size_t size, asked = 0;
	unsigned made;

	ck_assert_int_eq(world_migrate_until(world, WORLD_EXPORTED), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_migration_envelope(world->source.m, WORLD_SESSION, &envelope, &size, NULL), LCOWMIG_OK);
	copy = malloc(size);
	made = test_host_allocations(world->source.host);
	ck_assert_int_eq(lcowmig_migration_copy_envelope(world->source.m, WORLD_SESSION, NULL, 0, &asked, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(asked, size);
	ck_assert_int_eq(lcowmig_migration_copy_envelope(world->source.m, WORLD_SESSION, copy, size - 1, &asked, NULL),
	                 LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert_int_eq(lcowmig_migration_copy_envelope(world->source.m, WORLD_SESSION, copy, size, &asked, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_allocations(world->source.host), made);
	ck_assert_int_eq(memcmp(copy, envelope, size), 0);
	free(copy);
	world_free(world);
}
END_TEST

START_TEST(test_import_in_pieces_out_of_memory_changes_nothing)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;
	test_world *world = world_new(1, 2);
	test_host *host = world->destination.host;
	lcowmig_status status;
	lcowmig_piece pieces[3];
	unsigned nth = 0;

	ck_assert_int_eq(world_migrate_until(world, WORLD_EXPORTED), LCOWMIG_OK);
	for (size_t i = 0; i < 3; i++) {
		size_t part = world->envelope_size / 3;

		pieces[i] = (lcowmig_piece){ world->envelope + i * part, i < 2 ? part : world->envelope_size - 2 * part };
	}
	options.session_id = WORLD_SESSION;
	options.sandbox_id = "d-sb";
	options.pieces = pieces;
	options.n_pieces = 3;
	do {
		test_host_fail_allocation(host, ++nth, false);
		status = lcowmig_migration_import(world->destination.m, &options, &world->error);
		test_host_fail_allocation(host, 0, false);
		ck_assert(status == LCOWMIG_OK || status == LCOWMIG_E_NO_MEMORY);
		ck_assert_int_eq(world_state(&world->destination),
		                 status == LCOWMIG_OK ? LCOWMIG_MIGRATION_DESTINATION_IMPORTED : LCOWMIG_MIGRATION_IDLE);
	} while (status != LCOWMIG_OK);
	ck_assert_uint_gt(nth, 5);
	ck_assert_int_eq(world_patch_all(world), LCOWMIG_OK);
	world_free(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire import");
	TCase *tcase = tcase_create("import");

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_import_takes_an_envelope_cut_at_any_byte);
	tcase_add_test(tcase, test_import_takes_an_envelope_in_single_bytes);
	tcase_add_test(tcase, test_import_refuses_pieces_that_make_no_envelope);
	tcase_add_loop_test(tcase, test_import_obeys_the_limits_of_its_context, 0, LCOWMIG__COUNT(limit_rows));
	tcase_add_loop_test(tcase, test_import_needs_a_small_multiple_of_the_envelope, 0, 3);
	tcase_add_loop_test(tcase, test_import_of_tiny_values_has_a_fixed_cost, 0, 3);
	tcase_add_test(tcase, test_envelope_tells_its_size_and_is_copied_without_memory);
	tcase_add_test(tcase, test_import_in_pieces_out_of_memory_changes_nothing);
	return wire_main(suite);
}
