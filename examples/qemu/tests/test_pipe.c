/* What the example's bytes go through on their way from the guest, without a machine: frames that may be torn, and output that is repeated. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"
#include "join.h"

struct taken {
	unsigned n;
	uint32_t streams[16];
	uint8_t last[FRAME_PAYLOAD_MAX];
	size_t last_size;
};

static void take(void *user, const struct frame *frame)
{
	struct taken *taken = user;

	taken->streams[taken->n++ % 16] = frame->stream;
	taken->last_size = frame->size;
	memcpy(taken->last, frame->payload, frame->size);
}

static size_t wire_of(uint8_t *wire, uint32_t stream, const void *payload, size_t size)
{
	struct frame frame = { FRAME_DATA, stream, payload, size };

	return frame_write(wire, &frame);
}

START_TEST(test_frame_survives_every_byte_value_at_every_split)
{
	uint8_t payload[256];
	uint8_t wire[FRAME_WIRE_MAX];
	size_t size;

	for (unsigned i = 0; i < 256; i++)
		payload[i] = (uint8_t)i;
	size = wire_of(wire, 0x7e7d0102, payload, sizeof payload);
	for (size_t split = 0; split <= size; split++) {
		struct frame_reader reader = { .size = 0 };
		struct taken taken = { 0 };

		frame_read(&reader, wire, split, take, &taken);
		frame_read(&reader, wire + split, size - split, take, &taken);
		ck_assert_uint_eq(taken.n, 1);
		ck_assert_uint_eq(taken.streams[0], 0x7e7d0102);
		ck_assert_mem_eq(taken.last, payload, sizeof payload);
	}
}
END_TEST

/* As when a machine leaves half a frame behind in the old host's socket, and goes on in the middle of it in the new one's. */
START_TEST(test_frame_is_dropped_and_the_next_one_whole_when_torn_anywhere)
{
	uint8_t wire[FRAME_WIRE_MAX];
	uint8_t next[FRAME_WIRE_MAX];
	size_t size = wire_of(wire, 1, "half of this stays behind", 25);
	size_t next_size = wire_of(next, 2, "whole", 5);

	for (size_t cut = 0; cut < size; cut++) {
		struct frame_reader reader = { .size = 0 };
		struct taken taken = { 0 };

		frame_read(&reader, cut % 2 ? wire : wire + cut, cut % 2 ? cut : size - cut, take, &taken);
		frame_read(&reader, next, next_size, take, &taken);
		ck_assert_uint_ge(taken.n, 1);
		ck_assert_uint_eq(taken.streams[taken.n - 1], 2);
		ck_assert_uint_eq(taken.last_size, 5);
	}
}
END_TEST

START_TEST(test_frame_is_dropped_when_it_is_longer_than_any)
{
	struct frame_reader reader = { .size = 0 };
	struct taken taken = { 0 };
	uint8_t wire[FRAME_WIRE_MAX];

	for (unsigned i = 0; i < 3 * FRAME_CONTENT_MAX; i++)
		frame_read(&reader, (const uint8_t *)"x", 1, take, &taken);
	frame_read(&reader, wire, wire_of(wire, 3, "", 0), take, &taken);
	ck_assert_uint_eq(taken.n, 1);
	ck_assert_uint_eq(reader.dropped, 1);
}
END_TEST

/* The guest has said said; the file has its first `n_file` bytes; the guest repeats from `from` on, in portions. */
static void check_join(const char *said, size_t n_file, size_t from, size_t portion)
{
	char path[] = "/tmp/lcowmig-join-XXXXXX";
	int fd = mkstemp(path);
	struct join *join;
	const uint8_t *fresh = NULL;
	size_t n_fresh = 0;
	size_t at = from;
	bool is_joined = false;

	unlink(path);
	ck_assert_int_eq((int)write(fd, said, n_file), (int)n_file);
	join = join_new(fd);
	ck_assert_ptr_nonnull(join);
	while (at < strlen(said) && !is_joined) {
		size_t part = strlen(said) - at < portion ? strlen(said) - at : portion;

		is_joined = join_feed(join, (const uint8_t *)said + at, part, &fresh, &n_fresh);
		at += part;
	}
	if (!is_joined)
		join_end(join, &fresh, &n_fresh);
	ck_assert_uint_eq(at - n_fresh, n_file);
	join_free(join);
	close(fd);
}

START_TEST(test_join_writes_nothing_twice_wherever_the_guest_begins_again)
{
	static const char said[] = "c1 7\nc1 8\nc1 9\nc1 10\nc1 11\nc1 12\n";

	for (size_t n_file = 1; n_file < sizeof said; n_file++) {
		for (size_t from = 0; from < n_file; from += 5) {
			check_join(said, n_file, 0, 1 + from);
			if (n_file - from > 8) /* enough to tell one place from another */
				check_join(said, n_file, from, 3);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("qemu pipe");
	TCase *tcase = tcase_create("pipe");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, test_frame_survives_every_byte_value_at_every_split);
	tcase_add_test(tcase, test_frame_is_dropped_and_the_next_one_whole_when_torn_anywhere);
	tcase_add_test(tcase, test_frame_is_dropped_when_it_is_longer_than_any);
	tcase_add_test(tcase, test_join_writes_nothing_twice_wherever_the_guest_begins_again);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
