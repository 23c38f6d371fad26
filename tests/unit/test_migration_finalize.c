/* The migration session: finalize, and the right to run. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "migration_fixture.h"

/* ---- Finalize ---- */

/* MIG-65, MIG-70 */
START_TEST(test_finalize_refuses_bad_arguments)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	FAILS(finalize_raw(source, 0, 0, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(finalize_raw(source, 3, 0, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(finalize_raw(source, LCOWMIG_FINALIZE_RESUME, 2, NULL), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(finalize_raw(source, LCOWMIG_FINALIZE_RESUME, LCOWMIG_FINALIZE_FORCE, ""), LCOWMIG_E_INVALID_ARGUMENT);
	FAILS(lcowmig_migration_finalize(source->m, WORLD_SESSION, NULL, NULL, NULL, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	STATE(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
}
END_TEST

/* MIG-66, X-43 */
START_TEST(test_finalize_again_is_a_no_op_for_the_same_action_only)
{
	OK(world_migrate_until(world, WORLD_STOPPED));
	test_host_clear_log(source->host);
	test_host_clear_log(destination->host);
	OK(finalize_raw(source, LCOWMIG_FINALIZE_STOP, 0, NULL));
	OK(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, 0, NULL));
	FAILS(finalize_raw(source, LCOWMIG_FINALIZE_RESUME, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(finalize_raw(destination, LCOWMIG_FINALIZE_STOP, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_expect_log(source->host, "");
	test_host_expect_log(destination->host, "");
}
END_TEST

/* MIG-67, X-50 */
START_TEST(test_finalize_stop_of_a_cancelled_destination_asks_nobody)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	OK(world_cancel(world, destination));
	test_host_clear_log(destination->host);
	OK(finalize_raw(destination, LCOWMIG_FINALIZE_STOP, 0, NULL));
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_uint_eq(test_host_count(destination->host, "hcs."), 0);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), 4);
	FAILS(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, LCOWMIG_FINALIZE_FORCE, "test"), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_cleanup(world, destination));
}
END_TEST

/* MIG-68, 11.7 */
START_TEST(test_finalize_resumes_a_cancelled_destination_that_holds_the_machine)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	OK(world_cancel(world, destination));
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	FAILS(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_release(world, source));
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME));
	STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_RUNNING);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
}
END_TEST

/* MIG-69 */
START_TEST(test_finalize_is_refused_while_transferring)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(world_transfer(world, source));
	FAILS(world_finalize(world, source, LCOWMIG_FINALIZE_STOP), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
}
END_TEST

/* MIG-71, MIG-74, MIG-82 and 11.9: whatever call of a resume fails, repeating it goes on from there. */
START_TEST(test_finalize_resume_is_repeated_from_where_it_stood)
{
	static const char *const operations[] = { "hcs.finalize_migration", "guest.connect", "stdio.attach", "network.endpoints",
						  "hcs.modify" };

	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_fail(destination->host, operations[_i], 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "broken");
	ck_assert_int_ne(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_OK);
	STATE(destination, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME));
	STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_uint_eq(test_host_count(destination->host, "event create"), 4);
	ck_assert_uint_eq(test_host_count(destination->host, "hcs.finalize_migration"), _i == 0 ? 2 : 1); /* MIG-76 */
}
END_TEST

/* X-43, MIG-75: and it can be turned into a stop instead. */
START_TEST(test_finalize_resume_that_failed_can_be_turned_into_a_stop)
{
	static const char *const operations[] = { "hcs.finalize_migration", "guest.connect", "stdio.attach", "network.endpoints",
						  "hcs.modify" };

	OK(world_migrate_until(world, WORLD_RELEASED));
	test_host_fail(destination->host, operations[_i], 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "broken");
	ck_assert_int_ne(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_OK);
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
	STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_TERMINATED);
	ck_assert_uint_eq(test_host_count(destination->host, "hcs.finalize_migration"), _i == 0 ? 2 : 1);
	FAILS(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_cleanup(world, destination));
}
END_TEST

/* MIG-72 */
START_TEST(test_finalize_resume_of_the_source_keeps_its_connection)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	test_host_clear_log(source->host);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	STATE(source, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_RUNNING);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.finalize_migration {\"Origin\":\"Source\",\"FinalizedOperation\":\"Resume\"}"),
			  1);
	ck_assert_uint_eq(test_host_count(source->host, "guest.connect"), 0);
	ck_assert_uint_eq(test_host_count(source->host, "event create"), 0);
}
END_TEST

/* MIG-73 */
START_TEST(test_finalize_stop_ends_either_side)
{
	test_side *side = _i ? destination : source;

	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	OK(world_finalize(world, side, LCOWMIG_FINALIZE_STOP));
	STATE(side, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_int_eq(vm_state(side), LCOWMIG_VM_TERMINATED);
	ck_assert_uint_eq(test_host_count(side->host, "guest.resume"), 0);
	ck_assert_uint_eq(test_host_count(side->host, "event exit"), 4);
}
END_TEST

/* MIG-77, MIG-78 */
START_TEST(test_finalize_of_a_machine_that_has_ended)
{
	test_side *side = _i ? destination : source;

	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	world_kill_vm(world, side);
	test_host_clear_log(side->host);
	FAILS(finalize_raw(side, LCOWMIG_FINALIZE_RESUME, LCOWMIG_FINALIZE_FORCE, "test"), LCOWMIG_E_FAILED_PRECONDITION);
	STATE(side, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	OK(world_finalize(world, side, LCOWMIG_FINALIZE_STOP));
	STATE(side, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_uint_eq(test_host_count(side->host, "hcs."), 0);
}
END_TEST

/* MIG-81 */
START_TEST(test_finalize_leaves_failed_and_cancelled_sources_either_way)
{
	bool is_failed = _i & 1;
	bool resume = _i & 2;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	if (is_failed) {
		test_host_fail(source->host, "hcs.transfer", 1, LCOWMIG_E_HOST_FAILED, 0, "broken");
		ck_assert_int_ne(world_transfer(world, source), LCOWMIG_OK);
	} else {
		OK(world_cancel(world, source));
	}
	STATE(source, is_failed ? LCOWMIG_MIGRATION_FAILED : LCOWMIG_MIGRATION_CANCELLED);
	FAILS(world_cleanup(world, source), LCOWMIG_E_FAILED_PRECONDITION); /* MIG-99 */
	OK(world_finalize(world, source, resume ? LCOWMIG_FINALIZE_RESUME : LCOWMIG_FINALIZE_STOP));
	STATE(source, LCOWMIG_MIGRATION_FINALIZED);
	OK(world_cleanup(world, source));
	ck_assert_int_eq(vm_state(source), resume ? LCOWMIG_VM_RUNNING : LCOWMIG_VM_TERMINATED);
}
END_TEST

/* a finalize in flight stands; whoever asks is told at once. */
START_TEST(test_finalize_in_flight_refuses_a_cancel_and_answers_questions)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	test_done done = { 0 };

	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	test_host_hold(source->host, "hcs.finalize_migration", true);
	options.action = LCOWMIG_FINALIZE_RESUME;
	ck_assert_int_eq(lcowmig_migration_finalize(source->m, WORLD_SESSION, &options, test_on_done, &done, &world->error),
			 LCOWMIG_PENDING);
	STATE(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
	FAILS(world_cancel(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(world_release(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	FAILS(finalize_raw(source, LCOWMIG_FINALIZE_STOP, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "finalize in flight"));
	test_host_hold(source->host, "hcs.finalize_migration", false);
	test_host_complete(source->host, "hcs.finalize_migration", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(done.calls, 1);
	STATE(source, LCOWMIG_MIGRATION_FINALIZED);
}
END_TEST

/* ---- The right to run ---- */

/* */
START_TEST(test_release_needs_a_completed_transfer_and_can_be_repeated)
{
	uint8_t again[LCOWMIG_TOKEN_SIZE_MAX];
	size_t size;

	OK(world_migrate_until(world, WORLD_CONNECTED));
	FAILS(world_release(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_transfer(world, source));
	OK(lcowmig_migration_release(source->m, WORLD_SESSION, NULL, 0, &size, &world->error));
	ck_assert_uint_eq(size, LCOWMIG__TOKEN_SIZE);
	ck_assert(lcowmig_migration_has_right(source->m)); /* asking gives nothing away */
	FAILS(lcowmig_migration_release(source->m, WORLD_SESSION, again, 4, &size, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	ck_assert(lcowmig_migration_has_right(source->m));
	OK(world_transfer(world, destination));
	OK(world_release(world, source));
	ck_assert(!lcowmig_migration_has_right(source->m));
	OK(lcowmig_migration_release(source->m, WORLD_SESSION, again, sizeof again, &size, &world->error));
	ck_assert_uint_eq(size, world->token_size);
	ck_assert_mem_eq(again, world->token, size);
	FAILS(finalize_raw(source, LCOWMIG_FINALIZE_RESUME, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* there and back. */
START_TEST(test_release_of_the_destination_gives_the_right_back)
{
	uint8_t first[LCOWMIG_TOKEN_SIZE_MAX];
	size_t first_size;

	OK(world_migrate_until(world, WORLD_RELEASED));
	memcpy(first, world->token, world->token_size);
	first_size = world->token_size;
	OK(world_release(world, destination));
	OK(world_release(world, destination));
	ck_assert(!lcowmig_migration_has_right(destination->m));
	FAILS(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_RUNNING);
	FAILS(world_release(world, source), LCOWMIG_E_FAILED_PRECONDITION);
	/* The first token is stale now. */
	memcpy(world->token, first, first_size);
	world->token_size = first_size;
	FAILS(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "stale"));
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
}
END_TEST

/* also a destination that has stopped says so, and the source gets its right back. */
START_TEST(test_release_of_a_stopped_destination_rescues_the_source)
{
	OK(world_migrate_until(world, WORLD_RELEASED));
	OK(world_finalize(world, destination, LCOWMIG_FINALIZE_STOP));
	OK(world_release(world, destination));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* */
START_TEST(test_force_overrides_the_right_and_leaves_a_record)
{
	OK(world_migrate_until(world, WORLD_TRANSFERRED));
	FAILS(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, 0, NULL), LCOWMIG_E_FAILED_PRECONDITION);
	world->is_forced = true;
	OK(finalize_raw(destination, LCOWMIG_FINALIZE_RESUME, LCOWMIG_FINALIZE_FORCE, "the \"other\" side knows no tokens"));
	STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
}
END_TEST

static void make_right(lcowmig__right *right, bool is_source)
{
	lcowmig__right_init(right, is_source, "session-1");
	lcowmig__right_bind(right, "sb@vm", "envelope", 8);
}

/* versioned, and bound to session, machine, envelope and hand-over. */
START_TEST(test_token_is_refused_when_it_belongs_elsewhere)
{
	lcowmig__right source_right, destination_right, other;
	uint8_t token[LCOWMIG__TOKEN_SIZE];
	uint32_t epoch;
	size_t i;

	make_right(&source_right, true);
	make_right(&destination_right, false);
	ck_assert(lcowmig__right_is_held(&source_right) && !lcowmig__right_is_held(&destination_right));
	OK(lcowmig__right_release(&source_right, token, &world->error));
	OK(lcowmig__right_read(&destination_right, token, sizeof token, &epoch, &world->error));
	ck_assert_uint_eq(epoch, 1);
	for (i = 0; i < sizeof token; i++)
		ck_assert_int_eq(lcowmig__right_read(&destination_right, token, i, &epoch, &world->error), LCOWMIG_E_CORRUPT_DATA);
	for (i = 0; i < sizeof token; i++) {
		token[i] ^= 1;
		ck_assert_int_ne(lcowmig__right_read(&destination_right, token, sizeof token, &epoch, &world->error), LCOWMIG_OK);
		token[i] ^= 1;
	}
	token[4] = 2;
	FAILS(lcowmig__right_read(&destination_right, token, sizeof token, &epoch, &world->error), LCOWMIG_E_UNSUPPORTED_VERSION);
	token[4] = 1;
	FAILS(lcowmig__right_read(&source_right, token, sizeof token, &epoch, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	lcowmig__right_init(&other, false, "session-2");
	lcowmig__right_bind(&other, "sb@vm", "envelope", 8);
	FAILS(lcowmig__right_read(&other, token, sizeof token, &epoch, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	lcowmig__right_init(&other, false, "session-1");
	lcowmig__right_bind(&other, "other@vm", "envelope", 8);
	FAILS(lcowmig__right_read(&other, token, sizeof token, &epoch, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
	lcowmig__right_bind(&other, "sb@vm", "Envelope", 8);
	FAILS(lcowmig__right_read(&other, token, sizeof token, &epoch, &world->error), LCOWMIG_E_INVALID_ARGUMENT);
}
END_TEST

/* at most one of the two sides, or one token on its way, has the right, whatever they do. */
START_TEST(test_right_exists_once)
{
	unsigned script;

	for (script = 0; script < 4096; script++) {
		uint8_t tokens[2][LCOWMIG__TOKEN_SIZE];
		bool has_token[2] = { false, false };
		lcowmig__right rights[2];
		unsigned step;

		make_right(&rights[0], true);
		make_right(&rights[1], false);
		for (step = 0; step < 6; step++) {
			unsigned side = script >> (2 * step) & 1;
			bool takes = script >> (2 * step) & 2;
			uint32_t epoch;

			if (takes && has_token[!side] &&
			    lcowmig__right_read(&rights[side], tokens[!side], LCOWMIG__TOKEN_SIZE, &epoch, NULL) == LCOWMIG_OK)
				lcowmig__right_take(&rights[side], epoch);
			else if (!takes && lcowmig__right_release(&rights[side], tokens[side], NULL) == LCOWMIG_OK)
				has_token[side] = true;
			ck_assert(!lcowmig__right_is_held(&rights[0]) || !lcowmig__right_is_held(&rights[1]));
		}
		/* Never neither: whoever waits for the other's latest token has it then. */
		if (!lcowmig__right_is_held(&rights[0]) && !lcowmig__right_is_held(&rights[1])) {
			uint32_t epoch;

			ck_assert((has_token[1] &&
				   lcowmig__right_read(&rights[0], tokens[1], LCOWMIG__TOKEN_SIZE, &epoch, NULL) == LCOWMIG_OK) ||
				  (has_token[0] &&
				   lcowmig__right_read(&rights[1], tokens[0], LCOWMIG__TOKEN_SIZE, &epoch, NULL) == LCOWMIG_OK));
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migration finalize");
	TCase *plain = tcase_create("session without pods");
	TCase *pods = tcase_create("session with pods");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(plain, set_up_empty, tear_down);
	tcase_set_timeout(plain, 60);
	tcase_add_checked_fixture(pods, set_up_pods, tear_down);
	tcase_set_timeout(pods, 60);
	tcase_add_test(plain, test_finalize_refuses_bad_arguments);
	tcase_add_test(plain, test_finalize_again_is_a_no_op_for_the_same_action_only);
	tcase_add_test(pods, test_finalize_stop_of_a_cancelled_destination_asks_nobody);
	tcase_add_test(pods, test_finalize_resumes_a_cancelled_destination_that_holds_the_machine);
	tcase_add_test(plain, test_finalize_is_refused_while_transferring);
	tcase_add_loop_test(pods, test_finalize_resume_is_repeated_from_where_it_stood, 0, 5);
	tcase_add_loop_test(pods, test_finalize_resume_that_failed_can_be_turned_into_a_stop, 0, 5);
	tcase_add_test(pods, test_finalize_resume_of_the_source_keeps_its_connection);
	tcase_add_loop_test(pods, test_finalize_stop_ends_either_side, 0, 2);
	tcase_add_loop_test(plain, test_finalize_of_a_machine_that_has_ended, 0, 2);
	tcase_add_loop_test(pods, test_finalize_leaves_failed_and_cancelled_sources_either_way, 0, 4);
	tcase_add_test(plain, test_finalize_in_flight_refuses_a_cancel_and_answers_questions);
	tcase_add_test(plain, test_release_needs_a_completed_transfer_and_can_be_repeated);
	tcase_add_test(pods, test_release_of_the_destination_gives_the_right_back);
	tcase_add_test(pods, test_release_of_a_stopped_destination_rescues_the_source);
	tcase_add_test(pods, test_force_overrides_the_right_and_leaves_a_record);
	tcase_add_test(plain, test_token_is_refused_when_it_belongs_elsewhere);
	tcase_add_test(plain, test_right_exists_once);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, pods);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
