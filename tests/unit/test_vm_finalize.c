/* The VM controller: finalize, resume, and cancels. */
#include "vm_fixture.h"

/* ---- Finalize ---- */

static bool may_finalize(int from)
{
	return from == LCOWMIG_VM_SOURCE_MIGRATION_INITIALIZED || from == LCOWMIG_VM_SOURCE_MIGRATION_STARTED ||
	       from == LCOWMIG_VM_DESTINATION_MIGRATION_CREATED || from == LCOWMIG_VM_DESTINATION_MIGRATION_PATCHED ||
	       from == LCOWMIG_VM_DESTINATION_MIGRATION_STARTED || from == LCOWMIG_VM_MIGRATION_TRANSFER_COMPLETED;
}

/* VM-25 */
START_TEST(test_vm_stop_on_source_thaws_clears_migrating_and_waits_for_the_exit)
{
	test_done done = { 0 };

	make_initialized();
	ck_assert_int_eq(save_and_forget(NULL), LCOWMIG_OK);
	test_enter(host);
	lcowmig__vm_freeze(vm);
	test_leave(host);
	ck_assert_int_eq(run(lcowmig__vm_start_source_flow(vm, NULL, 7, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(run(lcowmig__vm_transfer_flow(vm, NULL), NULL), LCOWMIG_OK);
	test_host_clear_log(host);
	ck_assert_int_eq(test_run(host, lcowmig__vm_finalize_flow(vm, false, NULL), &done, NULL), LCOWMIG_PENDING);
	ck_assert(!lcowmig__scsi_is_migrating(vm->scsi));
	exits();
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	test_host_expect_log(host, "hcs.finalize_migration {\"Origin\":\"Source\",\"FinalizedOperation\":\"Stop\"}\n"
				   "guest.set_migrating false\nguest.close\nhcs.close\n");
	ck_assert_int_eq(ended_calls, 1);
}
END_TEST

/* VM-26, VM-27, and the states of both. */
START_TEST(test_vm_finalize_is_legal_while_migrating)
{
	test_done done = { 0 };
	lcowmig_status status;

	make(_i);
	status = test_run(host, lcowmig__vm_finalize_flow(vm, false, NULL), &done, NULL);
	if (!may_finalize(_i)) {
		ck_assert_int_eq(status, LCOWMIG_E_FAILED_PRECONDITION);
		ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, true, NULL), NULL), LCOWMIG_E_FAILED_PRECONDITION);
		ck_assert_int_eq(state(), _i);
		return;
	}
	if (status == LCOWMIG_PENDING) {
		exits();
		status = done.status;
	}
	ck_assert_int_eq(status, LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert_int_eq(ended_calls, 1);
}
END_TEST

/* */
START_TEST(test_vm_stop_terminates_a_machine_that_does_not_end)
{
	test_done done = { 0 };

	make_transferred();
	ck_assert_int_eq(test_run(host, lcowmig__vm_finalize_flow(vm, false, NULL), &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_host_count(host, "hcs.terminate"), 0);
	test_host_advance(host, SECONDS(30));
	ck_assert_int_eq(test_host_count(host, "hcs.terminate"), 1);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_TRANSFER_COMPLETED);
	exits();
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
}
END_TEST

/* */
START_TEST(test_vm_stop_goes_on_from_where_it_stood_and_rules_out_a_resume)
{
	test_done done = { 0 };

	make_transferred();
	test_host_fail(host, "hcs.terminate", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(test_run(host, lcowmig__vm_finalize_flow(vm, false, NULL), &done, NULL), LCOWMIG_PENDING);
	test_host_advance(host, SECONDS(30));
	ck_assert_int_eq(done.status, LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, true, NULL), NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(test_run(host, lcowmig__vm_finalize_flow(vm, false, NULL), &done, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(test_host_count(host, "hcs.finalize_migration"), 1);
	exits();
	ck_assert_int_eq(done.status, LCOWMIG_OK);
}
END_TEST

/* VM-27: from wherever a migration stood when it was given up. */
START_TEST(test_vm_finalize_with_resume_from_every_migrating_state)
{
	if (!may_finalize(_i))
		return;
	make(_i);
	test_host_fail(host, "hcs.finalize_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, true, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), _i);
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, true, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_FINALIZED);
}
END_TEST

/* VM-27 */
START_TEST(test_vm_finalize_with_resume_happens_once_and_can_be_repeated_after_a_failure)
{
	make_transferred();
	test_host_fail(host, "hcs.finalize_migration", 1, LCOWMIG_E_HOST_FAILED, 0x80004005, "no");
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, true, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_TRANSFER_COMPLETED);
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, true, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_FINALIZED);
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, true, NULL), NULL), LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(run(lcowmig__vm_finalize_flow(vm, false, NULL), NULL), LCOWMIG_E_FAILED_PRECONDITION);
}
END_TEST

/* ---- Resume ---- */

/* VM-28, X-42 */
START_TEST(test_vm_resume_is_a_no_op_when_running_and_refused_elsewhere)
{
	if (_i == LCOWMIG_VM_MIGRATION_FINALIZED)
		return;
	make(_i);
	test_host_clear_log(host);
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, NULL), NULL),
			 _i == LCOWMIG_VM_RUNNING ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), _i);
	test_host_expect_log(host, "");
}
END_TEST

/* VM-29, X-44: any answer of the guest will do, an error too. */
START_TEST(test_vm_resume_on_source_keeps_a_live_connection_once_it_is_proven)
{
	make_source_finalized();
	test_host_clear_log(host);
	if (_i == 1)
		test_host_fail(host, "guest.rpc:10100901", 1, LCOWMIG_E_GUEST_FAILED, 0x80070057, "null GUID");
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "guest.rpc 0x10100901"), 1);
	ck_assert_int_eq(test_host_count(host, "guest.prepare"), 0);
	ck_assert_int_eq(test_host_count(host, "guest.resume"), 0);
	ck_assert_int_eq(test_host_count(host, "guest.raise"), 0);
	ck_assert_int_eq(test_host_count(host, "guest.set_migrating false"), 1);
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
}
END_TEST

/* */
START_TEST(test_vm_resume_on_source_rebuilds_a_connection_that_does_not_answer)
{
	test_done done = { 0 };

	make_source_finalized();
	test_host_clear_log(host);
	test_host_hold(host, "guest.rpc:10100901", true);
	ck_assert_int_eq(test_run(host, lcowmig__vm_resume_flow(vm, NULL), &done, NULL), LCOWMIG_PENDING);
	test_host_advance(host, SECONDS(10));
	ck_assert_int_eq(done.status, LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "guest.resume"), 1);
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
	test_host_complete(host, "guest.rpc:10100901", LCOWMIG_OK, 0, NULL);
}
END_TEST

/* VM-30, VM-32 */
START_TEST(test_vm_resume_on_source_swaps_the_transport_after_a_blackout)
{
	make_source_finalized();
	test_host_disconnect(host);
	test_host_clear_log(host);
	test_host_hold(host, "guest.log", true); /* nobody waits for it */
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, NULL), NULL), LCOWMIG_OK);
	test_host_expect_log(host, "guest.prepare 1073741824\nguest.resume\nguest.prepare 109\nguest.set_migrating false\nguest.log\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
}
END_TEST

/* VM-31, VM-32, X-39 */
START_TEST(test_vm_resume_on_destination_connects_warm_and_raises_the_floors)
{
	make_destination_finalized();
	ck_assert(lcowmig__scsi_is_migrating(vm->scsi));
	test_host_clear_log(host);
	test_host_hold(host, "guest.prepare", true); /* of the log: nobody waits for it */
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, NULL), NULL), LCOWMIG_OK);
	test_host_expect_log(host, "guest.connect warm\nguest.prepare 109\nguest.set_migrating false\nguest.raise_port 1073741833\n"
				   "guest.raise_request_id 77\n");
	ck_assert_int_eq(state(), LCOWMIG_VM_RUNNING);
	ck_assert(!lcowmig__scsi_is_migrating(vm->scsi));
	ck_assert(host->env.has_guest);
	ck_assert_int_ne(lcowmig_vm_start_time(vm), 0);
	test_host_complete(host, "guest.prepare", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(test_host_count(host, "guest.log"), 1);
}
END_TEST

/* VM-33 */
START_TEST(test_vm_resume_failing_leaves_finalized_and_can_be_repeated)
{
	test_done done = { 0 };

	make_destination_finalized();
	test_host_hold(host, "guest.log", true);
	test_host_fail(host, "guest.connect", 1, LCOWMIG_E_HOST_FAILED, 0, "no");
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, NULL), NULL), LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_FINALIZED);
	ck_assert(lcowmig__scsi_is_migrating(vm->scsi));
	test_host_hold(host, "guest.connect", true);
	ck_assert_int_eq(test_run(host, lcowmig__vm_resume_flow(vm, NULL), &done, NULL), LCOWMIG_PENDING);
	test_host_advance(host, SECONDS(120));
	ck_assert_int_eq(done.status, LCOWMIG_E_TIMED_OUT);
	ck_assert_int_eq(state(), LCOWMIG_VM_MIGRATION_FINALIZED);
	test_host_complete(host, "guest.connect", LCOWMIG_E_HOST_FAILED, 0, NULL);
	test_host_hold(host, "guest.connect", false);
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(test_host_count(host, "guest.log"), 1); /* armed once */
	ck_assert_int_eq(test_host_count(host, "guest.raise_request_id 77"), 1);
}
END_TEST

START_TEST(test_vm_resume_ends_when_the_machine_exits_meanwhile)
{
	test_done done = { 0 };

	make_destination_finalized();
	test_host_hold(host, "guest.connect", true);
	ck_assert_int_eq(test_run(host, lcowmig__vm_resume_flow(vm, NULL), &done, NULL), LCOWMIG_PENDING);
	exits();
	ck_assert_int_eq(done.status, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	ck_assert(!host->env.has_guest);
}
END_TEST

/* A to B, and on from B: the document has no trace of the first migration. */
START_TEST(test_vm_migrates_on_with_the_document_it_came_with)
{
	lcowmig__wire_vm wire;
	lcowmig__arena arena;

	make_destination_finalized();
	ck_assert_int_eq(run(lcowmig__vm_resume_flow(vm, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(run(lcowmig__vm_initialize_source_flow(vm, NULL, NULL), NULL), LCOWMIG_OK);
	lcowmig__arena_init(&arena, &host->context->mem, 0);
	ck_assert_int_eq(save(&arena, &wire, NULL), LCOWMIG_OK);
	ck_assert_uint_eq(wire.hcs_document.size, strlen(STANDARD));
	ck_assert_int_eq(memcmp(wire.hcs_document.data, STANDARD, strlen(STANDARD)), 0);
	ck_assert_uint_eq(wire.scsi.n_disks, 3);
	ck_assert_str_eq(wire.vm_id, "test@vm");
	lcowmig__arena_done(&arena);
}
END_TEST

/* ---- Cancel ---- */

/* VM-34, VM-35: what can be told to cancel has a handle, and so a stream of events. */
START_TEST(test_vm_cancel_needs_a_handle_and_changes_no_state)
{
	bool legal = _i != LCOWMIG_VM_NOT_CREATED && _i != LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED && _i != LCOWMIG_VM_TERMINATED;
	bool is_destination = _i >= LCOWMIG_VM_DESTINATION_MIGRATION_IMPORTED; /* the fixture's road to it */
	const char *asked = is_destination ? "hcs.cancel_migration {\"Origin\":\"Destination\"}\n"
					   : "hcs.cancel_migration {\"Origin\":\"Source\"}\n";
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	make(_i);
	test_host_clear_log(host);
	if (legal)
		test_host_fail(host, "hcs.cancel_migration", 2, LCOWMIG_E_HOST_FAILED, 0x80370105, "invalid state");
	ck_assert_int_eq(run(lcowmig__vm_cancel_flow(vm, NULL), NULL), legal ? LCOWMIG_OK : LCOWMIG_E_FAILED_PRECONDITION);
	ck_assert_int_eq(state(), _i);
	test_host_expect_log(host, legal ? asked : "");
	if (!legal)
		return;
	ck_assert_int_eq(run(lcowmig__vm_cancel_flow(vm, NULL), &error), LCOWMIG_E_HOST_FAILED);
	ck_assert_uint_eq(error.hresult, 0x80370105);
}
END_TEST

/* VM-34, X-30 */
START_TEST(test_vm_cancel_does_not_wait_for_a_transfer)
{
	test_done transfer = { 0 };

	make_source_started();
	test_host_hold(host, "hcs.transfer", true);
	ck_assert_int_eq(test_run(host, lcowmig__vm_transfer_flow(vm, NULL), &transfer, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(run(lcowmig__vm_cancel_flow(vm, NULL), NULL), LCOWMIG_OK);
	ck_assert_int_eq(transfer.calls, 0);
	test_host_complete(host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0x800704C7, NULL);
	ck_assert_int_eq(transfer.status, LCOWMIG_E_HOST_FAILED);
	ck_assert_int_eq(state(), LCOWMIG_VM_SOURCE_MIGRATION_STARTED);
}
END_TEST

/* terminate gets through a transfer that hangs. */
START_TEST(test_vm_terminate_does_not_wait_for_a_transfer)
{
	test_done transfer = { 0 };
	test_done terminate = { 0 };

	make_source_started();
	test_host_hold(host, "hcs.transfer", true);
	ck_assert_int_eq(test_run(host, lcowmig__vm_transfer_flow(vm, NULL), &transfer, NULL), LCOWMIG_PENDING);
	ck_assert_int_eq(lcowmig_vm_terminate(vm, test_on_done, &terminate, NULL), LCOWMIG_PENDING);
	exits();
	ck_assert_int_eq(terminate.status, LCOWMIG_OK);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
	test_host_complete(host, "hcs.transfer", LCOWMIG_OK, 0, NULL);
	ck_assert_int_eq(transfer.status, LCOWMIG_E_UNAVAILABLE);
	ck_assert_int_eq(state(), LCOWMIG_VM_TERMINATED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vm finalize");
	TCase *tcase = tcase_create("vm finalize");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_vm_stop_on_source_thaws_clears_migrating_and_waits_for_the_exit);
	tcase_add_loop_test(tcase, test_vm_finalize_is_legal_while_migrating, 0, N_STATES);
	tcase_add_loop_test(tcase, test_vm_finalize_with_resume_from_every_migrating_state, 0, N_STATES);
	tcase_add_test(tcase, test_vm_stop_terminates_a_machine_that_does_not_end);
	tcase_add_test(tcase, test_vm_stop_goes_on_from_where_it_stood_and_rules_out_a_resume);
	tcase_add_test(tcase, test_vm_finalize_with_resume_happens_once_and_can_be_repeated_after_a_failure);
	tcase_add_loop_test(tcase, test_vm_resume_is_a_no_op_when_running_and_refused_elsewhere, 0, N_STATES);
	tcase_add_loop_test(tcase, test_vm_resume_on_source_keeps_a_live_connection_once_it_is_proven, 0, 2);
	tcase_add_test(tcase, test_vm_resume_on_source_rebuilds_a_connection_that_does_not_answer);
	tcase_add_test(tcase, test_vm_resume_on_source_swaps_the_transport_after_a_blackout);
	tcase_add_test(tcase, test_vm_resume_on_destination_connects_warm_and_raises_the_floors);
	tcase_add_test(tcase, test_vm_resume_failing_leaves_finalized_and_can_be_repeated);
	tcase_add_test(tcase, test_vm_resume_ends_when_the_machine_exits_meanwhile);
	tcase_add_test(tcase, test_vm_migrates_on_with_the_document_it_came_with);
	tcase_add_loop_test(tcase, test_vm_cancel_needs_a_handle_and_changes_no_state, 0, N_STATES);
	tcase_add_test(tcase, test_vm_cancel_does_not_wait_for_a_transfer);
	tcase_add_test(tcase, test_vm_terminate_does_not_wait_for_a_transfer);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
