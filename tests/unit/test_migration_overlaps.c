/* The migration session: calls and events that meet each other in the middle of something. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migration_fixture.h"

#define SECOND UINT64_C(1000000000)
#define EXITED "{\"Status\":0,\"ExitType\":\"GracefulExit\"}"

/* The end of an operation is judged later; what matters is when it was called. */
static test_done ended[3];

static void tear_down_overlaps(void)
{
	memset(ended, 0, sizeof ended);
	tear_down();
}

/* ---- Cancel ---- */

/* what the platform calls "there is no migration" in any of its ways is as good as a cancel. */
START_TEST(test_cancel_is_done_when_the_host_knows_of_no_migration)
{
	static const uint32_t answers[] = { 0xC0370105u, 0x80370105u, 0xC037010Eu, 0x80070006u };
	lcowmig_status expected = LCOWMIG_OK;

	OK(world_prepare_source(world));
	test_host_fail(source->host, "hcs.cancel_migration", 1, LCOWMIG_E_HOST_FAILED, answers[_i], "no");
	ck_assert_int_eq(world_cancel(world, source), expected);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_int_eq(lcowmig_migration_failure(source->m, NULL), LCOWMIG_OK);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* giving up the wait for a cancel does not take the cancel back, nor does it lose the session. */
START_TEST(test_cancel_that_is_not_waited_for_still_ends_the_preparation)
{
	test_host_hold(source->host, "hcs.initialize_migration", true);
	ck_assert_int_eq(lcowmig_migration_prepare_source(source->m, WORLD_SESSION, NULL, test_on_done, &ended[0], &world->error),
			 LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_migration_cancel(source->m, WORLD_SESSION, test_on_done, &ended[1], &world->error), LCOWMIG_PENDING);
	OK(lcowmig_context_cancel(source->host->context, test_on_done, &ended[1]));
	ck_assert_int_eq(ended[1].status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(ended[0].calls, 0);
	test_host_complete(source->host, "hcs.initialize_migration", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(ended[0].status, LCOWMIG_E_CANCELLED);
	STATE(source, LCOWMIG_MIGRATION_SOURCE_PREPARED);
	OK(world_cancel(world, source));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* an abandon takes a cancel over, wherever that waits: for the preparation, for what is in flight, for the host. */
START_TEST(test_abandon_ends_a_cancel_that_waits)
{
	static const char *const operations[] = { "hcs.initialize_migration", "hcs.close", "hcs.cancel_migration" };
	test_side *side = _i == 1 ? destination : source;

	if (_i == 1) {
		OK(world_migrate_until(world, WORLD_PATCHED));
		test_host_fail(side->host, "hcs.properties", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	}
	if (_i == 2)
		OK(world_migrate_until(world, WORLD_EXPORTED));
	test_host_hold(side->host, operations[_i], true);
	if (_i == 0)
		lcowmig_migration_prepare_source(side->m, WORLD_SESSION, NULL, test_on_done, &ended[0], &world->error);
	if (_i == 1)
		lcowmig_migration_prepare_destination(side->m, WORLD_SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED, test_on_done, &ended[0],
						      &world->error);
	ck_assert_int_eq(lcowmig_migration_cancel(side->m, WORLD_SESSION, test_on_done, &ended[1], &world->error), LCOWMIG_PENDING);
	side->was_abandoned = true;
	ck_assert_int_eq(lcowmig_migration_abandon(side->m, WORLD_SESSION, test_on_done, &ended[2], &world->error), LCOWMIG_PENDING);
	ck_assert_int_eq(ended[1].calls, 1);
	ck_assert_int_eq(ended[1].status, LCOWMIG_E_CANCELLED);
	ck_assert_ptr_nonnull(strstr(ended[1].message, "abandoned"));
	FAILS(lcowmig_migration_cancel(side->m, WORLD_SESSION, NULL, NULL, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	test_host_hold(side->host, operations[_i], false);
	while (test_host_pending(side->host, operations[_i]))
		test_host_complete(side->host, operations[_i], LCOWMIG_OK, 0, NULL);
	if (!ended[2].calls)
		ck_assert_int_eq(lcowmig_sandbox_hcs_event(side->sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, EXITED, NULL), LCOWMIG_OK);
	ck_assert_int_eq(ended[2].calls, 1);
	STATE(side, LCOWMIG_MIGRATION_IDLE);
	if (_i != 1) {
		ck_assert_int_eq(vm_state(side), LCOWMIG_VM_RUNNING);
		OK(world_prepare_source(world));
		OK(world_cancel(world, source)); /* of the new session: nothing is left of the old one */
		STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	}
}
END_TEST

/* ---- Patch and prepare destination ---- */

/* The one thing of a preparation that is not given up: closing the handle of a machine that did not come to life. */
static void prepare_and_keep_the_host_busy(void)
{
	test_host_hold(destination->host, "hcs.close", true);
	test_host_fail(destination->host, "hcs.properties", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(lcowmig_migration_prepare_destination(destination->m, WORLD_SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED,
							       test_on_done, &ended[0], &world->error),
			 LCOWMIG_PENDING);
}

static lcowmig_status patch_to(const char *source_id, const char *id, test_done *done)
{
	lcowmig_patch patch = { .size = sizeof patch };

	patch.source_container_id = source_id;
	patch.container_id = id;
	patch.stdout_path = "\\\\.\\pipe\\out-d";
	patch.namespace_id = strchr(source_id, '-') ? NULL : "a1b2c3d4-0000-4000-8000-000000000002";
	return lcowmig_migration_patch(destination->m, &patch, test_on_done, done, &world->error);
}

/* patches of several containers run side by side; a cancel ends all, and the containers stay as they were. */
START_TEST(test_cancel_ends_patches_in_flight)
{
	OK(world_migrate_until(world, WORLD_IMPORTED));
	test_host_hold(destination->host, "stdio.open", true);
	ck_assert_int_eq(patch_to("p0", "q0", &ended[0]), LCOWMIG_PENDING);
	ck_assert_int_eq(patch_to("p0-c1", "q0-c1", &ended[1]), LCOWMIG_PENDING);
	FAILS(lcowmig_migration_prepare_destination(destination->m, WORLD_SESSION, NULL, 0, NULL, NULL, &world->error),
	      LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "2 patches in flight"));
	OK(world_cancel(world, destination));
	ck_assert_int_eq(ended[0].status, LCOWMIG_E_CANCELLED);
	ck_assert_int_eq(ended[1].status, LCOWMIG_E_CANCELLED);
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 4);
	ck_assert_ptr_nonnull(lcowmig__sandbox_find(destination->sandbox, "p0-c1"));
	while (test_host_pending(destination->host, "stdio.open"))
		test_host_complete(destination->host, "stdio.open", LCOWMIG_OK, 0, NULL);
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	OK(world_cleanup(world, destination));
}
END_TEST

/* two patches that want the same id: the first to finish gets it, the other changes nothing and can be repeated. */
START_TEST(test_patches_in_flight_cannot_take_the_same_id)
{
	const char *second = _i ? "p1-c1" : "p0-c1"; /* in another pod, in the same one */
	const char *new_id = _i ? "d-p1-c1" : "d-p0-c1";

	OK(world_migrate_until(world, WORLD_IMPORTED));
	test_host_hold(destination->host, "stdio.open", true);
	ck_assert_int_eq(patch_to("p0", "d-p0", &ended[0]), LCOWMIG_PENDING);
	ck_assert_int_eq(patch_to(second, "d-p0", &ended[1]), LCOWMIG_PENDING);
	test_host_hold(destination->host, "stdio.open", false);
	while (test_host_pending(destination->host, "stdio.open"))
		test_host_complete(destination->host, "stdio.open", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(ended[0].status, LCOWMIG_OK);
	ck_assert_int_eq(ended[1].status, LCOWMIG_E_ALREADY_EXISTS);
	ck_assert_ptr_nonnull(strstr(ended[1].message, "cannot become d-p0"));
	ck_assert_ptr_nonnull(lcowmig__sandbox_find(destination->sandbox, second));
	ck_assert_uint_eq(lcowmig_migration_pending_count(destination->m), 3);
	OK(patch_to(second, new_id, &ended[2]));
	ck_assert_ptr_nonnull(lcowmig__sandbox_find(destination->sandbox, new_id));
}
END_TEST

/* while the machine is being created its disks are settled; while somebody leaves, nothing new begins. */
START_TEST(test_patches_are_refused_while_the_destination_is_prepared_or_abandoned)
{
	lcowmig_disk_patch disk = { "C:\\LinuxBoot\\rootfs.vhd", "D:\\rootfs.vhd" };

	OK(world_migrate_until(world, WORLD_PATCHED));
	prepare_and_keep_the_host_busy();
	FAILS(patch_to("p0", "q0", &ended[1]), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "prepare destination in flight"));
	FAILS(lcowmig_migration_patch_disks(destination->m, WORLD_SESSION, &disk, 1, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "prepare destination in flight"));
	destination->was_abandoned = true;
	ck_assert_int_eq(lcowmig_migration_abandon(destination->m, WORLD_SESSION, test_on_done, &ended[2], &world->error), LCOWMIG_PENDING);
	ck_assert_int_eq(ended[0].calls, 0);
	FAILS(patch_to("p0", "q0", &ended[1]), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "being abandoned"));
	FAILS(lcowmig_migration_patch_disks(destination->m, WORLD_SESSION, &disk, 1, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "being abandoned"));
	test_host_hold(destination->host, "hcs.close", false);
	test_host_complete(destination->host, "hcs.close", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(ended[0].status, LCOWMIG_E_CANCELLED);
	test_host_advance(destination->host, 60 * SECOND);
	ck_assert_int_eq(ended[2].calls, 1);
	STATE(destination, LCOWMIG_MIGRATION_IDLE);
}
END_TEST

/* what the host takes minutes for comes back after its session has been left, and touches nothing any more. */
START_TEST(test_late_end_of_a_preparation_touches_no_session)
{
	OK(world_migrate_until(world, WORLD_PATCHED));
	prepare_and_keep_the_host_busy();
	destination->was_abandoned = true;
	ck_assert_int_eq(lcowmig_migration_abandon(destination->m, WORLD_SESSION, test_on_done, &ended[2], &world->error), LCOWMIG_PENDING);
	test_host_advance(destination->host, 31 * SECOND);
	ck_assert_int_eq(ended[2].calls, 1);
	ck_assert_ptr_nonnull(strstr(ended[2].message, "could not end what was in flight"));
	STATE(destination, LCOWMIG_MIGRATION_IDLE);
	FAILS(lcowmig_sandbox_free(destination->sandbox, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "migration session (none) (Idle) has prepare destination in flight"));
	test_host_hold(destination->host, "hcs.close", false);
	test_host_complete(destination->host, "hcs.close", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(ended[0].status, LCOWMIG_E_CANCELLED);
	STATE(destination, LCOWMIG_MIGRATION_IDLE);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), 4);
}
END_TEST

/* ---- The socket ---- */

/* The transfer gives up its wait while the host still adopts the socket: what comes then is closed, and the error says what became of the
 * session. */
START_TEST(test_socket_that_comes_after_the_transfer_gave_up_is_closed)
{
	lcowmig_transfer_options options = LCOWMIG_TRANSFER_OPTIONS_INIT;
	bool succeeds = _i;

	options.socket_timeout_ns = SECOND;
	OK(world_migrate_until(world, WORLD_READY));
	OK(lcowmig_migration_transfer(source->m, WORLD_SESSION, &options, &world->error));
	test_host_hold(source->host, "socket.adopt", true);
	ck_assert_int_eq(lcowmig_migration_register_socket(source->m, WORLD_SESSION, SOCKET, 6, test_on_done, &ended[0], &world->error),
			 LCOWMIG_PENDING);
	test_host_advance(source->host, 2 * SECOND);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	ck_assert_int_eq(ended[0].calls, 0);
	test_host_complete(source->host, "socket.adopt", succeeds ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED, 0, NULL);
	ck_assert_int_eq(ended[0].status, succeeds ? LCOWMIG_E_FAILED_PRECONDITION : LCOWMIG_E_HOST_FAILED);
	if (succeeds)
		ck_assert_ptr_nonnull(strstr(ended[0].message, "is Failed; register socket needs"));
	ck_assert_uint_eq(test_host_count(source->host, "socket.close"), succeeds);
	FAILS(lcowmig_migration_failure(source->m, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "the socket did not come in time"));
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_RUNNING);
}
END_TEST

static unsigned told_failures, told_ends;

static void hear(void *user, const lcowmig_notification *notification)
{
	(void)user;
	if (!notification)
		told_ends++;
	else if (lcowmig_notification_phase(notification) == LCOWMIG_PHASE_FAILED)
		told_failures++;
}

/* leaving a session that waits for its socket is no failure of it. */
START_TEST(test_abandon_while_the_transfer_waits_tells_the_end_and_no_failure)
{
	test_side *side = _i ? destination : source;
	lcowmig_subscription *subscription;

	told_failures = told_ends = 0;
	OK(world_migrate_until(world, WORLD_READY));
	OK(world_transfer(world, side));
	STATE(side, LCOWMIG_MIGRATION_SOCKET_WAITING);
	OK(lcowmig_migration_subscribe(side->m, WORLD_SESSION, 0, hear, NULL, &subscription, &world->error));
	OK(world_abandon(world, side));
	STATE(side, LCOWMIG_MIGRATION_IDLE);
	ck_assert_uint_eq(told_failures, 0);
	ck_assert_uint_eq(told_ends, 1);
	if (!_i)
		OK(world_prepare_source(world));
}
END_TEST

/* ---- The transfer ---- */

static lcowmig_status transfer_within(test_side *side, uint64_t deadline)
{
	lcowmig_transfer_options options = LCOWMIG_TRANSFER_OPTIONS_INIT;

	options.deadline_ns = deadline;
	return lcowmig_migration_transfer(side->m, WORLD_SESSION, &options, &world->error);
}

/* A deadline beyond the end of the clock is none. */
START_TEST(test_transfer_with_an_endless_deadline_ends_as_any_other)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(transfer_within(source, UINT64_MAX));
	test_host_advance(source->host, 86400 * SECOND);
	STATE(source, LCOWMIG_MIGRATION_TRANSFERRING);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
}
END_TEST

/* the deadline of a transfer that was cancelled in time changes nothing. */
START_TEST(test_deadline_of_a_cancelled_transfer_is_void)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.transfer", true);
	OK(transfer_within(source, 10 * SECOND));
	OK(world_cancel(world, source));
	test_host_advance(source->host, 20 * SECOND);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	ck_assert_int_eq(lcowmig_migration_failure(source->m, NULL), LCOWMIG_OK);
	test_host_complete(source->host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0, NULL);
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME));
}
END_TEST

/* nor does the deadline of a session that was left touch the next one. */
START_TEST(test_deadline_of_an_abandoned_transfer_is_void)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.start_migration", true);
	OK(transfer_within(source, 10000 * SECOND));
	ck_assert_int_ne(world_abandon(world, source), LCOWMIG_OK);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	test_host_advance(source->host, 20000 * SECOND);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	test_host_hold(source->host, "hcs.start_migration", false);
	test_host_complete(source->host, "hcs.start_migration", LCOWMIG_E_HOST_FAILED, 0x80004005, NULL);
	STATE(source, LCOWMIG_MIGRATION_IDLE);
	OK(world_prepare_source(world));
}
END_TEST

/* a start that the host accepts after all is cancelled there, even when the session was cancelled and left meanwhile. */
START_TEST(test_cleanup_of_a_cancelled_destination_while_its_late_start_is_cancelled)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(destination->host, "hcs.start", true);
	OK(world_transfer(world, destination));
	OK(world_cancel(world, destination));
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
	test_host_hold(destination->host, "hcs.cancel_migration", true);
	test_host_complete(destination->host, "hcs.start", LCOWMIG_OK, 0, NULL);
	ck_assert_uint_eq(test_host_pending(destination->host, "hcs.cancel_migration"), 1);
	OK(world_cleanup(world, destination));
	STATE(destination, LCOWMIG_MIGRATION_IDLE);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), 4);
	test_host_complete(destination->host, "hcs.cancel_migration", LCOWMIG_OK, 0, NULL);
	STATE(destination, LCOWMIG_MIGRATION_IDLE);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), 4);
	ck_assert_uint_eq(test_host_count(destination->host, "socket.close"), 1);
}
END_TEST

/* a decision waits for the transfer that did not end in time, and while the host does not answer, nothing else is decided. */
START_TEST(test_finalize_waits_for_the_host_after_a_deadline)
{
	OK(world_migrate_until(world, WORLD_CONNECTED));
	test_host_hold(source->host, "hcs.start_migration", true);
	OK(transfer_within(source, 10 * SECOND));
	test_host_advance(source->host, 11 * SECOND);
	STATE(source, LCOWMIG_MIGRATION_FAILED);
	{
		lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;

		options.action = LCOWMIG_FINALIZE_RESUME;
		ck_assert_int_eq(lcowmig_migration_finalize(source->m, WORLD_SESSION, &options, test_on_done, &ended[0], &world->error),
				 LCOWMIG_PENDING);
	}
	test_host_advance(source->host, 31 * SECOND);
	ck_assert_int_eq(ended[0].calls, 0);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.finalize_migration"), 0);
	test_host_hold(source->host, "hcs.start_migration", false);
	test_host_complete(source->host, "hcs.start_migration", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(ended[0].calls, 1);
	ck_assert_int_eq(ended[0].status, LCOWMIG_OK);
	STATE(source, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_int_eq(vm_state(source), LCOWMIG_VM_RUNNING);
	ck_assert_uint_eq(test_host_count(source->host, "hcs.cancel_migration"), 1);
}
END_TEST

/* undoing a late preparation does what it can when memory is out; the machine can be terminated whatever is left of it. */
START_TEST(test_late_preparation_is_undone_as_far_as_memory_goes)
{
	unsigned i, left = 0;

	for (i = 1; i <= 12; i++) {
		test_done done = { 0 };

		test_host_hold(source->host, "hcs.initialize_migration", true);
		ck_assert_int_eq(lcowmig_migration_prepare_source(source->m, WORLD_SESSION, NULL, test_on_done, &done, &world->error),
				 LCOWMIG_PENDING);
		ck_assert_int_ne(world_abandon(world, source), LCOWMIG_OK);
		test_host_hold(source->host, "hcs.initialize_migration", false);
		test_host_fail_allocation(source->host, i, _i);
		test_host_complete(source->host, "hcs.initialize_migration", LCOWMIG_OK, 0, NULL);
		test_host_fail_allocation(source->host, 0, false);
		ck_assert_int_eq(done.calls, 1);
		ck_assert_int_eq(done.status, LCOWMIG_E_CANCELLED);
		STATE(source, LCOWMIG_MIGRATION_IDLE);
		if (vm_state(source) == LCOWMIG_VM_RUNNING)
			continue;
		left++;
		FAILS(world_prepare_source(world), LCOWMIG_E_FAILED_PRECONDITION);
		ck_assert_msg(strstr(world->error.message, "is SourceMigrationInitialized") || strstr(world->error.message, "is MigrationFinalized"),
			      "%s", world->error.message);
		world_free(world);
		set_up_pods();
	}
	ck_assert_uint_gt(left, 0);
}
END_TEST

/* a stop without memory changes nothing and can be repeated, also after a resume that had come half-way. */
START_TEST(test_stop_without_memory_can_be_repeated)
{
	lcowmig_status status = LCOWMIG_E_NO_MEMORY;
	unsigned i;

	OK(world_migrate_until(world, WORLD_RELEASED));
	if (_i) {
		test_host_fail(destination->host, "guest.connect", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
		ck_assert_int_ne(world_finalize(world, destination, LCOWMIG_FINALIZE_RESUME), LCOWMIG_OK);
		ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_MIGRATION_FINALIZED);
	}
	for (i = 1; status == LCOWMIG_E_NO_MEMORY; i++) {
		STATE(destination, LCOWMIG_MIGRATION_TRANSFER_COMPLETED);
		test_host_fail_allocation(destination->host, i, false);
		status = world_finalize(world, destination, LCOWMIG_FINALIZE_STOP);
		test_host_fail_allocation(destination->host, 0, false);
	}
	OK(status);
	ck_assert_uint_gt(i, 3);
	STATE(destination, LCOWMIG_MIGRATION_FINALIZED);
	ck_assert_int_eq(vm_state(destination), LCOWMIG_VM_TERMINATED);
	ck_assert_uint_eq(test_host_count(destination->host, "event exit"), 4);
}
END_TEST

/* ---- What happens to the machine ---- */

/* A machine that nobody can use any more is no reason to say that it resumed. */
START_TEST(test_finalize_names_a_machine_that_cannot_resume)
{
	OK(world_prepare_source(world));
	OK(world_cancel(world, source));
	if (_i) {
		test_host_fail(source->host, "hcs.close", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
		source->waits_for_exit = true;
		ck_assert_int_ne(world_settle(world, source, lcowmig_vm_terminate(source->sandbox->vm, test_on_done, &ended[0], &world->error),
					      &ended[0]),
				 LCOWMIG_OK);
		ck_assert_int_eq(vm_state(source), LCOWMIG_VM_INVALID);
	} else {
		world_kill_vm(world, source);
	}
	FAILS(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, _i ? "the virtual machine is Invalid" : "the virtual machine is Terminated"));
	STATE(source, LCOWMIG_MIGRATION_CANCELLED);
	OK(world_finalize(world, source, LCOWMIG_FINALIZE_STOP));
	OK(world_cleanup(world, source));
}
END_TEST

START_TEST(test_finalize_names_a_destination_without_a_machine)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;

	OK(world_migrate_until(world, WORLD_PATCHED));
	OK(world_cancel(world, destination));
	options.action = LCOWMIG_FINALIZE_RESUME;
	FAILS(lcowmig_migration_finalize(destination->m, WORLD_SESSION, &options, NULL, NULL, &world->error), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(world->error.message, "was discarded here and cannot resume"));
	STATE(destination, LCOWMIG_MIGRATION_CANCELLED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migration overlaps");
	TCase *tcase = tcase_create("overlaps");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up_pods, tear_down_overlaps);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_cancel_is_done_when_the_host_knows_of_no_migration, 0, 4);
	tcase_add_test(tcase, test_cancel_that_is_not_waited_for_still_ends_the_preparation);
	tcase_add_loop_test(tcase, test_abandon_ends_a_cancel_that_waits, 0, 3);
	tcase_add_test(tcase, test_cancel_ends_patches_in_flight);
	tcase_add_loop_test(tcase, test_patches_in_flight_cannot_take_the_same_id, 0, 2);
	tcase_add_test(tcase, test_patches_are_refused_while_the_destination_is_prepared_or_abandoned);
	tcase_add_test(tcase, test_late_end_of_a_preparation_touches_no_session);
	tcase_add_loop_test(tcase, test_socket_that_comes_after_the_transfer_gave_up_is_closed, 0, 2);
	tcase_add_loop_test(tcase, test_abandon_while_the_transfer_waits_tells_the_end_and_no_failure, 0, 2);
	tcase_add_test(tcase, test_transfer_with_an_endless_deadline_ends_as_any_other);
	tcase_add_test(tcase, test_deadline_of_a_cancelled_transfer_is_void);
	tcase_add_test(tcase, test_deadline_of_an_abandoned_transfer_is_void);
	tcase_add_test(tcase, test_cleanup_of_a_cancelled_destination_while_its_late_start_is_cancelled);
	tcase_add_test(tcase, test_finalize_waits_for_the_host_after_a_deadline);
	tcase_add_loop_test(tcase, test_late_preparation_is_undone_as_far_as_memory_goes, 0, 2);
	tcase_add_loop_test(tcase, test_stop_without_memory_can_be_repeated, 0, 2);
	tcase_add_loop_test(tcase, test_finalize_names_a_machine_that_cannot_resume, 0, 2);
	tcase_add_test(tcase, test_finalize_names_a_destination_without_a_machine);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
