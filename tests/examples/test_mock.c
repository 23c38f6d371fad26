/* The mock hypervisor by itself: what the examples stand on. The guest is driven with bridge frames written by hand. */
#include <check.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"
#include "image.h"
#include "transfer.h"

#define NULL_ID "00000000-0000-0000-0000-000000000000"

/* The host's side of one guest: the frames it has sent, and the bytes of one stdout. */
struct peer {
	mock_loop *loop;
	mock_vsock *vsock;
	mock_memory *memory;
	mock_guest *guest;
	mock_end *control;
	uint8_t received[65536];
	size_t n_received;
	char output[65536];
	size_t n_output;
	uint64_t place; /* of the first byte of the last stdout connection */
	unsigned n_connections;
	bool is_seeded;
	bool has_ended;
	uint32_t hresult;
};

static void control_data(void *user, mock_end *end, const uint8_t *bytes, size_t size)
{
	struct peer *peer = user;

	(void)end;
	ck_assert_uint_le(peer->n_received + size, sizeof peer->received);
	memcpy(peer->received + peer->n_received, bytes, size);
	peer->n_received += size;
}

static void control_over(void *user, mock_end *end, bool lost)
{
	struct peer *peer = user;

	(void)lost;
	peer->control = NULL;
	mock_end_close(end);
}

static const mock_end_ops control_ops = { control_data, control_over };

static void output_data(void *user, mock_end *end, const uint8_t *bytes, size_t size)
{
	struct peer *peer = user;

	(void)end;
	ck_assert_uint_le(peer->n_output + size, sizeof peer->output);
	memcpy(peer->output + peer->n_output, bytes, size);
	peer->n_output += size;
}

static void output_over(void *user, mock_end *end, bool lost)
{
	(void)user;
	(void)lost;
	mock_end_close(end);
}

static const mock_end_ops output_ops = { output_data, output_over };

static void accepted(void *user, uint32_t port, mock_end *end)
{
	struct peer *peer = user;
	uint8_t seed[512] = { 1 };

	if (port == 1) {
		mock_end_write(end, seed, sizeof seed);
		mock_end_close(end);
		peer->is_seeded = true;
	} else if (port == 0x40000000u) {
		peer->control = end;
		peer->n_received = 0;
		mock_end_take(end, &control_ops, peer);
	} else {
		peer->n_connections++;
		peer->n_output = 0;
		mock_end_take(end, &output_ops, peer);
	}
}

static void powered_off(void *user)
{
	(void)user;
}

static struct peer *peer_new(void)
{
	struct peer *peer = mock_alloc(sizeof *peer);

	peer->loop = mock_loop_new();
	peer->vsock = mock_vsock_new(peer->loop);
	peer->memory = mock_memory_new(16);
	peer->guest = mock_guest_new(peer->loop, peer->memory, peer->vsock, powered_off, peer);
	mock_vsock_listen(peer->vsock, 1, accepted, peer);
	mock_vsock_listen(peer->vsock, 0x40000000u, accepted, peer);
	mock_vsock_listen(peer->vsock, 0x40000001u, accepted, peer);
	return peer;
}

static void peer_free(struct peer *peer)
{
	mock_guest_free(peer->guest);
	if (peer->control)
		mock_end_close(peer->control);
	mock_memory_free(peer->memory);
	mock_vsock_free(peer->vsock);
	mock_loop_free(peer->loop);
	free(peer);
}

static void peer_run(struct peer *peer, unsigned milliseconds)
{
	uint64_t end = mock_now() + milliseconds * MOCK_MS;

	while (mock_now() < end)
		mock_loop_step(peer->loop, MOCK_MS);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void peer_send(struct peer *peer, uint32_t type, uint32_t id, const char *json)
{
	uint8_t header[16] = { 0 };
	uint32_t words[3] = { type, (uint32_t)(16 + strlen(json)), id };

	for (int i = 0; i < 12; i++)
		header[i] = (uint8_t)(words[i / 4] >> (8 * (i % 4)));
	ck_assert_ptr_nonnull(peer->control);
	mock_end_write(peer->control, header, sizeof header);
	mock_end_write(peer->control, json, strlen(json));
}

/* The payload of the answer to `id`, to be freed; NULL when there is none within a second. */
static cJSON *peer_answer(struct peer *peer, uint32_t type, uint32_t id)
{
	for (unsigned i = 0; i < 1000; i++) {
		for (size_t at = 0; at + 16 <= peer->n_received; at += get32(peer->received + at + 4)) {
			if (at + get32(peer->received + at + 4) > peer->n_received)
				break;
			if (get32(peer->received + at) == type && get32(peer->received + at + 8) == id)
				return cJSON_ParseWithLength((const char *)peer->received + at + 16, get32(peer->received + at + 4) - 16);
		}
		mock_loop_step(peer->loop, MOCK_MS);
	}
	return NULL;
}

static int peer_call(struct peer *peer, uint32_t type, uint32_t id, const char *json)
{
	cJSON *answer;
	int result;

	peer_send(peer, type, id, json);
	answer = peer_answer(peer, (type & 0x0fffffffu) | 0x20000000u, id);
	ck_assert_msg(answer != NULL, "no answer to %x", type);
	result = cJSON_GetObjectItem(answer, "Result")->valueint;
	cJSON_Delete(answer);
	return result;
}

#define REQUEST(container, rest) "{\"ContainerId\":\"" container "\",\"ActivityId\":\"" NULL_ID "\"" rest "}"
#define MODIFY(kind, type, settings)                                                                                                       \
	REQUEST(NULL_ID, ",\"Request\":{\"RequestType\":\"" kind "\",\"ResourceType\":\"" type "\",\"Settings\":" settings "}")

static void peer_boot(struct peer *peer)
{
	mock_guest_boot(peer->guest, 25);
	for (int i = 0; i < 500 && !peer->control; i++)
		mock_loop_step(peer->loop, MOCK_MS);
	ck_assert(peer->is_seeded);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, 0, REQUEST("", ",\"MinimumVersion\":4,\"MaximumVersion\":4")), 0);
}

/* A container "c1" that counts, with its stdout on the first port and a wait without end under id 5. */
static void peer_start_counter(struct peer *peer)
{
	ck_assert_int_eq(
		peer_call(peer, LCOWMIG_GCS_MODIFY_SETTINGS, 1, MODIFY("Add", "MappedVirtualDisk", "{\"MountPath\":\"/l\",\"Lun\":1}")), 0);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_MODIFY_SETTINGS, 2,
				   MODIFY("Add", "CombinedLayers", "{\"ContainerRootPath\":\"/r\",\"Layers\":[{\"Path\":\"/l\"}]}")),
			 0);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_CREATE, 3,
				   REQUEST("c1", ",\"ContainerConfig\":\"{\\\"SchemaVersion\\\":{\\\"Major\\\":2,\\\"Minor\\\":1},"
						 "\\\"OciBundlePath\\\":\\\"/b\\\",\\\"OciSpecification\\\":{\\\"linux\\\":{},\\\"root\\\":"
						 "{\\\"path\\\":\\\"/r\\\"},\\\"process\\\":{\\\"args\\\":[\\\"/bin/counter\\\","
						 "\\\"--every-ms\\\",\\\"2\\\"]}}}\"")),
			 0);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_EXECUTE_PROCESS, 4,
				   REQUEST("c1", ",\"Settings\":{\"ProcessParameters\":\"{\\\"CreateStdOutPipe\\\":true}\","
						 "\"VsockStdioRelaySettings\":{\"StdOut\":1073741825}}")),
			 0);
	peer_send(peer, LCOWMIG_GCS_WAIT_FOR_PROCESS, 5, REQUEST("c1", ",\"ProcessId\":100,\"TimeoutInMs\":4294967295"));
}

START_TEST(test_memory_knows_what_became_dirty)
{
	mock_memory *memory = mock_memory_new(1);
	uint32_t page = 0;

	ck_assert_uint_eq(mock_memory_pages(memory), 256);
	ck_assert_uint_eq(mock_memory_checksum(memory), mock_memory_checksum(memory));
	*(uint8_t *)mock_memory_edit(memory, 5 * MOCK_PAGE_SIZE + 4095, 2) = 7;
	ck_assert_uint_eq(mock_memory_n_dirty(memory), 2);
	ck_assert(mock_memory_take_dirty(memory, 0, &page));
	ck_assert_uint_eq(page, 5);
	ck_assert(mock_memory_take_dirty(memory, 6, &page));
	ck_assert(!mock_memory_take_dirty(memory, 0, &page));
	mock_memory_mark_all(memory);
	ck_assert_uint_eq(mock_memory_n_dirty(memory), 2);
	mock_memory_free(memory);
}
END_TEST

START_TEST(test_image_gives_a_block_again_after_it_was_freed)
{
	mock_memory *memory = mock_memory_new(1);
	uint64_t first, second;

	mock_image_format(memory);
	first = mock_image_alloc(memory, 100);
	second = mock_image_alloc(memory, 100);
	ck_assert_uint_ne(first, second);
	mock_image_free(memory, first);
	ck_assert_uint_eq(mock_image_alloc(memory, 90), first);
	ck_assert_uint_eq(mock_image_alloc(memory, 2 * 1024 * 1024), 0);
	ck_assert_str_eq(mock_image_get_text(memory, mock_image_text(memory, "text")), "text");
	mock_memory_free(memory);
}
END_TEST

START_TEST(test_guest_refuses_requests_before_it_has_negotiated)
{
	struct peer *peer = peer_new();

	mock_guest_boot(peer->guest, 0);
	for (int i = 0; i < 500 && !peer->control; i++)
		mock_loop_step(peer->loop, MOCK_MS);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_GET_PROPERTIES, 1, REQUEST("c1", ",\"Query\":\"\"")), (int32_t)0x80004001u);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, 2, REQUEST("", ",\"MinimumVersion\":5,\"MaximumVersion\":6")),
			 (int32_t)0xC037010Cu);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, 3, REQUEST("", ",\"MinimumVersion\":4,\"MaximumVersion\":4")), 0);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, 4, REQUEST("", ",\"MinimumVersion\":4,\"MaximumVersion\":4")),
			 (int32_t)0x80004001u);
	peer_free(peer);
}
END_TEST

START_TEST(test_guest_counts_and_ends_with_its_signal)
{
	struct peer *peer = peer_new();
	cJSON *answer;

	peer_boot(peer);
	peer_start_counter(peer);
	peer_run(peer, 100);
	ck_assert_int_eq(memcmp(peer->output + 8, "counter 1\ncounter 2\n", 20), 0);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_WAIT_FOR_PROCESS, 6, REQUEST("c1", ",\"ProcessId\":100,\"TimeoutInMs\":50")),
			 (int32_t)0xC0370109u);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_SIGNAL_PROCESS, 7, REQUEST("c1", ",\"ProcessId\":100,\"Options\":{\"Signal\":15}")),
			 0);
	answer = peer_answer(peer, 0x20100601u, 5);
	ck_assert_ptr_nonnull(answer);
	ck_assert_int_eq(cJSON_GetObjectItem(answer, "ExitCode")->valueint, 143);
	cJSON_Delete(answer);
	answer = peer_answer(peer, LCOWMIG_GCS_NOTIFICATION, 0);
	ck_assert_ptr_nonnull(answer);
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(answer, "Type")), "GracefulExit");
	cJSON_Delete(answer);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_DELETE_CONTAINER_STATE, 8, REQUEST("c1", "")), 0);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_DELETE_CONTAINER_STATE, 9, REQUEST("c1", "")), (int32_t)0xC037010Eu);
	peer_free(peer);
}
END_TEST

START_TEST(test_guest_dials_again_and_repeats_output_after_its_connections_were_lost)
{
	struct peer *peer = peer_new();
	mock_guest_container before, after;

	peer_boot(peer);
	peer_start_counter(peer);
	peer_run(peer, 50);
	ck_assert(mock_guest_find_container(peer->guest, "c1", &before));
	mock_vsock_reset(peer->vsock);
	peer_run(peer, 250);
	ck_assert_uint_eq(peer->n_connections, 2);
	ck_assert_int_eq(memcmp(peer->output + 8, "counter 1\n", 10), 0); /* all of it, little as it is */
	ck_assert(mock_guest_find_container(peer->guest, "c1", &after));
	ck_assert_uint_gt(after.counter, before.counter);
	ck_assert_ptr_nonnull(peer->control);
	ck_assert_int_eq(peer_call(peer, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, 0, REQUEST("", ",\"MinimumVersion\":4,\"MaximumVersion\":4")), 0);
	peer_free(peer);
}
END_TEST

static void moved_step(void *user, mock_transfer_step step)
{
	struct peer *peer = user;

	if (step == MOCK_TRANSFER_BLACKOUT && mock_guest_is_running(peer->guest)) {
		mock_guest_hold(peer->guest);
		mock_vsock_reset(peer->vsock);
	}
}

static void moved_ended(void *user, uint32_t hresult, const char *message)
{
	struct peer *peer = user;

	(void)message;
	peer->has_ended = true;
	peer->hresult = hresult;
}

/* Runs a transfer between two peers; the sessions and faults are the caller's. */
static void peer_move(struct peer *from, struct peer *to, mock_transfer_config source, mock_transfer_config destination)
{
	int fds[2];
	mock_transfer *out, *in;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	source.loop = from->loop;
	source.memory = from->memory;
	source.user = from;
	destination.loop = to->loop;
	destination.memory = to->memory;
	destination.user = to;
	source.step = destination.step = moved_step;
	source.ended = destination.ended = moved_ended;
	source.is_source = true;
	out = mock_transfer_new(fds[0], &source);
	in = mock_transfer_new(fds[1], &destination);
	close(fds[0]);
	close(fds[1]);
	mock_transfer_begin(out);
	mock_transfer_begin(in);
	for (int i = 0; i < 5000 && !(from->has_ended && to->has_ended); i++) {
		mock_loop_step(from->loop, MOCK_MS);
		mock_loop_step(to->loop, MOCK_MS);
		if (from->has_ended && out) {
			mock_transfer_free(out);
			out = NULL;
		}
	}
	ck_assert(from->has_ended && to->has_ended);
	mock_transfer_free(out);
	mock_transfer_free(in);
}

START_TEST(test_guest_goes_on_where_it_was_when_its_memory_has_moved)
{
	struct peer *from = peer_new(), *to = peer_new();
	mock_guest_container before, after;
	cJSON *answer;

	peer_boot(from);
	peer_start_counter(from);
	peer_run(from, 50);
	peer_move(from, to, (mock_transfer_config){ .devices = "0:0,0:1", .session = 7 },
		  (mock_transfer_config){ .devices = "0:0,0:1", .session = 7 });
	ck_assert_uint_eq(from->hresult, 0);
	ck_assert_uint_eq(to->hresult, 0);
	ck_assert(!mock_guest_is_running(from->guest));
	ck_assert(mock_guest_find_container(from->guest, "c1", &before));
	ck_assert(mock_guest_run(to->guest));
	for (int i = 0; i < 500 && !to->control; i++)
		mock_loop_step(to->loop, MOCK_MS);
	ck_assert_int_eq(peer_call(to, LCOWMIG_GCS_NEGOTIATE_PROTOCOL, 0, REQUEST("", ",\"MinimumVersion\":4,\"MaximumVersion\":4")), 0);
	peer_run(to, 50);
	ck_assert(mock_guest_find_container(to->guest, "c1", &after));
	ck_assert_uint_gt(after.counter, before.counter);
	ck_assert_uint_eq(after.pid, before.pid);
	/* The source's wait is answered here, under the source's id. */
	ck_assert_int_eq(peer_call(to, LCOWMIG_GCS_SIGNAL_PROCESS, 40, REQUEST("c1", ",\"ProcessId\":100")), 0);
	answer = peer_answer(to, 0x20100601u, 5);
	ck_assert_ptr_nonnull(answer);
	ck_assert_int_eq(cJSON_GetObjectItem(answer, "ExitCode")->valueint, 137);
	cJSON_Delete(answer);
	peer_free(from);
	peer_free(to);
}
END_TEST

START_TEST(test_transfer_refuses_another_session_and_other_disks_on_both_sides)
{
	for (int i = 0; i < 2; i++) {
		struct peer *from = peer_new(), *to = peer_new();

		mock_guest_boot(from->guest, 25);
		peer_move(from, to, (mock_transfer_config){ .devices = "0:0", .session = 7 },
			  (mock_transfer_config){ .devices = i == 0 ? "0:0" : "0:0,0:2", .session = i == 0 ? 8 : 7 });
		ck_assert_uint_eq(from->hresult, 0x8007000Du);
		ck_assert_uint_eq(to->hresult, 0x8007000Du);
		peer_free(from);
		peer_free(to);
	}
}
END_TEST

START_TEST(test_transfer_fails_on_both_sides_when_the_connection_breaks)
{
	for (int i = 0; i < 2; i++) {
		struct peer *from = peer_new(), *to = peer_new();

		mock_guest_boot(from->guest, 25);
		peer_move(from, to, (mock_transfer_config){ .devices = "", .break_in_pass = i == 0, .break_in_blackout = i == 1 },
			  (mock_transfer_config){ .devices = "" });
		ck_assert_uint_eq(from->hresult, 0x80072746u);
		ck_assert_uint_eq(to->hresult, 0x80072746u);
		ck_assert_int_eq(mock_guest_is_running(from->guest), i == 0);
		peer_free(from);
		peer_free(to);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mock");
	TCase *tests = tcase_create("mock");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_memory_knows_what_became_dirty);
	tcase_add_test(tests, test_image_gives_a_block_again_after_it_was_freed);
	tcase_add_test(tests, test_guest_refuses_requests_before_it_has_negotiated);
	tcase_add_test(tests, test_guest_counts_and_ends_with_its_signal);
	tcase_add_test(tests, test_guest_dials_again_and_repeats_output_after_its_connections_were_lost);
	tcase_add_test(tests, test_guest_goes_on_where_it_was_when_its_memory_has_moved);
	tcase_add_test(tests, test_transfer_refuses_another_session_and_other_disks_on_both_sides);
	tcase_add_test(tests, test_transfer_fails_on_both_sides_when_the_connection_breaks);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
