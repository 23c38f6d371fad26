/* What a save is made of: the state, and nothing of where or how often it is kept. And what nobody knows does no harm to it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/context.h"
#include "world.h"

#define WORLDS 50
#define SAVES 20 /* in each; the one after a rollback is of another state: requests have been numbered meanwhile */
#define BLOCKS 64

static uint32_t random_below(uint32_t limit)
{
	static uint32_t state = 1;

	state = state * 1664525u + 1013904223u;
	return (state >> 8) % limit;
}

/* Moves what is allocated next to other addresses, in another order. */
static void stir(void **blocks)
{
	size_t i;

	for (i = 0; i < BLOCKS; i++) {
		size_t place = random_below(BLOCKS);

		free(blocks[place]);
		blocks[place] = malloc(1 + random_below(2000));
		ck_assert_ptr_nonnull(blocks[place]);
	}
}

static void expect_same(const test_world *world, uint8_t **first, size_t *first_size)
{
	if (!*first) {
		*first_size = world->envelope_size;
		*first = malloc(*first_size);
		ck_assert_ptr_nonnull(*first);
		memcpy(*first, world->envelope, *first_size);
	}
	ck_assert_uint_eq(world->envelope_size, *first_size);
	ck_assert_int_eq(memcmp(world->envelope, *first, *first_size), 0);
}

static void roll_back(test_world *world)
{
	ck_assert_int_eq(world_cancel(world, &world->source), LCOWMIG_OK);
	ck_assert_int_eq(world_finalize(world, &world->source, LCOWMIG_FINALIZE_RESUME), LCOWMIG_OK);
	ck_assert_int_eq(world_cleanup(world, &world->source), LCOWMIG_OK);
}

START_TEST(test_a_thousand_saves_of_one_state_are_one_byte_string)
{
	void *blocks[BLOCKS] = { NULL };
	uint8_t *first[SAVES] = { NULL };
	size_t first_size[SAVES] = { 0 };
	unsigned i, j;

	for (i = 0; i < WORLDS; i++) {
		test_world *world;

		stir(blocks);
		world = world_new(2, 3);
		world->source.host->context->heap.is_plain = i % 2 == 0;
		for (j = 0; j < SAVES; j++) {
			stir(blocks);
			ck_assert_int_eq(world_migrate_until(world, WORLD_EXPORTED), LCOWMIG_OK);
			expect_same(world, &first[j], &first_size[j]);
			roll_back(world);
		}
		world_free(world);
	}
	for (i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	for (i = 0; i < SAVES; i++)
		free(first[i]);
}
END_TEST

static void tell_nonsense(test_side *side)
{
	static const char *const data[] = { NULL, "", "{}", "[]", "{\"Event\":\"NeverHeardOf\"}", "{\"Event\":7,\"Result\":{}}", "no JSON" };
	static const char *const notices[] = {
		"{}",
		"{\"ContainerId\":\"nobody\",\"Operation\":\"None\",\"Result\":0,\"Type\":\"UnexpectedExit\"}",
		"{\"ContainerId\":\"p0\",\"Operation\":\"NeverHeardOf\",\"Result\":\"x\",\"Type\":\"NeverHeardOf\"}",
		"{\"ContainerId\":17}",
		"no JSON",
	};
	lcowmig_migration_state state = world_state(side);
	size_t i;

	for (i = 0; i < sizeof data / sizeof data[0]; i++) {
		lcowmig_sandbox_hcs_event(side->sandbox, 0x7fff0001, data[i], NULL);
		lcowmig_sandbox_hcs_event(side->sandbox, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION, data[i], NULL);
	}
	for (i = 0; i < sizeof notices / sizeof notices[0]; i++)
		lcowmig_sandbox_guest_notification(side->sandbox, notices[i], strlen(notices[i]), NULL);
	ck_assert_int_eq(world_state(side), state);
}

START_TEST(test_unknown_ids_and_notifications_are_never_fatal)
{
	test_world *world = world_new(1, 2);
	int point;

	for (point = WORLD_PREPARED; point <= WORLD_CLEAN; point++) {
		tell_nonsense(&world->source);
		tell_nonsense(&world->destination);
		if (world_state(&world->source) != LCOWMIG_MIGRATION_IDLE)
			ck_assert_int_ne(lcowmig_migration_cancel(world->source.m, "5f0b1190-63be-4e0c-b974-000000000000", NULL, NULL, NULL),
			                 LCOWMIG_OK);
		ck_assert_int_eq(world_step(world, (world_point)point), LCOWMIG_OK);
	}
	tell_nonsense(&world->source);
	tell_nonsense(&world->destination);
	world_free(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("saves");
	TCase *tcase = tcase_create("saves");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_a_thousand_saves_of_one_state_are_one_byte_string);
	tcase_add_test(tcase, test_unknown_ids_and_notifications_are_never_fatal);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
