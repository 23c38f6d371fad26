/* What a real hypervisor taught. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* A peer in its blackout waits for a socket that our dead machine will never serve again: it is closed with the machine, not with the session. */
START_TEST(test_the_transport_closes_when_the_machine_ends)
{
	test_world *world = world_new(1, 2);
	test_side *side = _i ? &world->destination : &world->source;

	ck_assert_int_eq(world_migrate_until(world, WORLD_TRANSFERRED), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(side->host, "socket.close"), 0);
	world_kill_vm(world, side);
	ck_assert_uint_eq(test_host_count(side->host, "socket.close"), 1);
	ck_assert_int_eq(world_register(world, side), LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_int_eq(world_finalize(world, side, LCOWMIG_FINALIZE_STOP), LCOWMIG_OK);
	ck_assert_int_eq(world_cleanup(world, side), LCOWMIG_OK);
	ck_assert_uint_eq(test_host_count(side->host, "socket.close"), 1);
	world_free(world);
}
END_TEST

/* A destination's platform may tell of a blackout only when it is over, with its length. */
START_TEST(test_a_blackout_is_known_from_its_end)
{
	test_world *world = world_new(1, 1);
	lcowmig_migration *m = world->destination.m;
	uint64_t blackout = 0;

	ck_assert_int_eq(world_migrate_until(world, WORLD_TRANSFERRED), LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_migration_blackout(m, &blackout, NULL, NULL), LCOWMIG_E_NOT_FOUND);
	test_host_advance(world->destination.host, UINT64_C(1000000000));
	ck_assert_int_eq(lcowmig_sandbox_hcs_event(world->destination.sandbox, LCOWMIG_HCS_EVENT_GROUP_LIVE_MIGRATION,
	                                           "{\"Origin\":\"Destination\",\"Event\":\"BlackoutExited\",\"AdditionalDetails\":{"
	                                           "\"BlackoutDurationMilliseconds\":412,\"BlackoutStopTimestamp\":\"2026-08-20T01:05:49Z\"}}",
	                                           NULL),
	                 LCOWMIG_OK);
	ck_assert_int_eq(lcowmig_migration_blackout(m, &blackout, NULL, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(blackout, 412000000);
	world_free(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lessons");
	TCase *tcase = tcase_create("lessons");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_the_transport_closes_when_the_machine_ends, 0, 2);
	tcase_add_test(tcase, test_a_blackout_is_known_from_its_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
