/* Migrations, in all the ways they can go. */
#include <check.h>
#include <string.h>

#include "host_private.h"
#include "torture.h"

#define SECOND UINT64_C(1000000000)

#define STEP(name, call)                         \
	static lcowmig_status name(torture *t)   \
	{                                        \
		test_world *world = t->world;    \
                                                 \
		return call;                     \
	}

#define SOURCE (&world->source)
#define DESTINATION (&world->destination)

STEP(prepare_source, world_prepare_source(world))
STEP(export, world_export(world))
STEP(import, world_import(world))
STEP(patch, world_patch_all(world))
STEP(prepare_destination, world_prepare_destination(world))
STEP(transfer_source, world_transfer(world, SOURCE))
STEP(transfer_destination, world_transfer(world, DESTINATION))
STEP(release_source, world_release(world, SOURCE))
STEP(release_destination, world_release(world, DESTINATION))
STEP(resume_source, world_finalize(world, SOURCE, LCOWMIG_FINALIZE_RESUME))
STEP(resume_destination, world_finalize(world, DESTINATION, LCOWMIG_FINALIZE_RESUME))
STEP(stop_source, world_finalize(world, SOURCE, LCOWMIG_FINALIZE_STOP))
STEP(stop_destination, world_finalize(world, DESTINATION, LCOWMIG_FINALIZE_STOP))
STEP(cancel_source, world_cancel(world, SOURCE))
STEP(cancel_destination, world_cancel(world, DESTINATION))
STEP(clean_source, world_cleanup(world, SOURCE))
STEP(clean_destination, world_cleanup(world, DESTINATION))

/* The descriptor is taken once: a repetition finds it there. */
static lcowmig_status connect_side(torture *t, test_side *side)
{
	return side->m->socket ? LCOWMIG_OK : world_register(t->world, side);
}

STEP(connect_source, connect_side(t, SOURCE))
STEP(connect_destination, connect_side(t, DESTINATION))

/* The transfer is a background piece of work: its failure shows in the state. */
static lcowmig_status moved(torture *t, test_side *side)
{
	lcowmig_status status = LCOWMIG_OK;

	if (world_state(side) == LCOWMIG_MIGRATION_TRANSFER_COMPLETED)
		return LCOWMIG_OK;
	status = lcowmig_migration_failure(side->m, t->error);
	ck_assert_msg(status != LCOWMIG_OK, "the transfer has neither succeeded nor failed: %s",
	              lcowmig_migration_state_name(world_state(side)));
	return status;
}

STEP(moved_source, moved(t, SOURCE))
STEP(moved_destination, moved(t, DESTINATION))

/* An abandoned session is Idle, whatever the abandon says. A repetition has nothing left to do. */
static lcowmig_status abandon(torture *t, test_side *side)
{
	lcowmig_status status;

	if (world_state(side) == LCOWMIG_MIGRATION_IDLE && !lcowmig_migration_session_id(side->m)[0])
		return LCOWMIG_OK;
	status = world_abandon(t->world, side);
	if (status != LCOWMIG_OK && status != LCOWMIG_E_NO_MEMORY)
		ck_assert_int_eq(world_state(side), LCOWMIG_MIGRATION_IDLE);
	return status;
}

STEP(abandon_source, abandon(t, SOURCE))
STEP(abandon_destination, abandon(t, DESTINATION))

/* The guest has lost its connection in the blackout. */
static lcowmig_status disconnect(torture *t)
{
	if (torture_guest)
		torture_guest->disconnect(t->world->source.host);
	else
		test_host_disconnect(t->world->source.host);
	return LCOWMIG_OK;
}

static lcowmig_status hold_transfer(torture *t)
{
	test_host_hold(t->world->source.host, "hcs.transfer", true);
	return LCOWMIG_OK;
}

/* The platform ends the transfer once it was cancelled. */
static lcowmig_status end_transfer(torture *t)
{
	test_host *host = t->world->source.host;

	test_host_hold(host, "hcs.transfer", false);
	while (test_host_pending(host, "hcs.transfer"))
		test_host_complete(host, "hcs.transfer", LCOWMIG_E_HOST_FAILED, 0x80004005, NULL);
	return LCOWMIG_OK;
}

static void let_transfer_end(torture *t)
{
	end_transfer(t);
}

static lcowmig_status kill_source(torture *t)
{
	world_kill_vm(t->world, &t->world->source);
	return LCOWMIG_OK;
}

static lcowmig_status kill_destination(torture *t)
{
	world_kill_vm(t->world, &t->world->destination);
	return LCOWMIG_OK;
}

/* Both sides leave their session; the source runs on, and a new destination is there. */
static bool begin_anew(torture *t)
{
	test_world *world = t->world;
	test_side *source = &world->source;
	lcowmig_migration_state state = world_state(source);

	if (source->vm_exit_is_told || lcowmig_vm_get_state(lcowmig_sandbox_vm(source->sandbox)) == LCOWMIG_VM_TERMINATED)
		return false;
	end_transfer(t);
	if (state != LCOWMIG_MIGRATION_IDLE || lcowmig_migration_session_id(source->m)[0]) {
		if (!lcowmig_migration_has_right(source->m) || torture_has_lost_guest(t))
			return false;
		if (state == LCOWMIG_MIGRATION_FINALIZED && !source->m->was_resumed)
			return false;
		if (state != LCOWMIG_MIGRATION_TRANSFER_COMPLETED && state != LCOWMIG_MIGRATION_FINALIZED)
			ck_assert_msg(world_cancel(world, source) == LCOWMIG_OK, "cancel: %s", t->error->message);
		ck_assert_msg(world_finalize(world, source, LCOWMIG_FINALIZE_RESUME) == LCOWMIG_OK, "resume: %s", t->error->message);
		ck_assert_msg(world_cleanup(world, source) == LCOWMIG_OK, "cleanup: %s", t->error->message);
	}
	if (source->was_abandoned || lcowmig_vm_get_state(lcowmig_sandbox_vm(source->sandbox)) != LCOWMIG_VM_RUNNING)
		return false;
	if (t->side == &world->destination)
		torture_armed.host = NULL;
	world_new_destination(world);
	torture_armed.host = t->side->host;
	torture_expect_no_exit(t);
	return lcowmig_migration_check(source->m, NULL, NULL, t->error) == LCOWMIG_OK;
}

#define TO_EXPORTED { "prepare source", prepare_source }, { "export", export }
#define TO_PATCHED TO_EXPORTED, { "import", import }, { "patch", patch }
#define TO_READY TO_PATCHED, { "prepare destination", prepare_destination }
#define TO_CONNECTED TO_READY, { "socket of the source", connect_source }, { "socket of the destination", connect_destination }
#define TO_TRANSFERRED                                                                                          \
	TO_CONNECTED, { "transfer of the source", transfer_source }, { "source has moved", moved_source },      \
		{ "transfer of the destination", transfer_destination }, { "destination has moved", moved_destination }
#define TO_RELEASED TO_TRANSFERRED, { "release", release_source }
#define CLEAN_BOTH { "clean source", clean_source }, { "clean destination", clean_destination }
#define END { NULL, NULL }

static const torture_step success[] = { TO_RELEASED, { "resume", resume_destination }, { "stop", stop_source }, CLEAN_BOTH, END };
static const torture_step rollback_early[] = { TO_CONNECTED, { "hold the transfer", hold_transfer },
	                                       { "transfer", transfer_source }, { "cancel", cancel_source },
	                                       { "transfer ends", end_transfer }, { "resume the source", resume_source },
	                                       { "cancel the destination", cancel_destination }, CLEAN_BOTH, END };
static const torture_step rollback_late[] = { TO_TRANSFERRED, { "disconnect", disconnect }, { "stop the destination", stop_destination },
	                                      { "resume the source", resume_source }, CLEAN_BOTH, END };
static const torture_step rollback_released[] = { TO_RELEASED, { "give back", release_destination }, { "resume the source", resume_source },
	                                          { "stop the destination", stop_destination }, CLEAN_BOTH, END };
static const torture_step discard[] = { TO_PATCHED, { "cancel the destination", cancel_destination },
	                                { "clean destination", clean_destination }, { "cancel the source", cancel_source },
	                                { "resume the source", resume_source }, { "clean source", clean_source }, END };
static const torture_step abort_ready[] = { TO_READY, { "cancel the destination", cancel_destination },
	                                    { "stop the destination", stop_destination }, { "clean destination", clean_destination },
	                                    { "cancel the source", cancel_source }, { "resume the source", resume_source },
	                                    { "clean source", clean_source }, END };
static const torture_step abandon_early[] = { TO_READY, { "abandon the destination", abandon_destination },
	                                      { "abandon the source", abandon_source }, END };
static const torture_step abandon_late[] = { TO_TRANSFERRED, { "abandon the destination", abandon_destination },
	                                     { "abandon the source", abandon_source }, END };
static const torture_step abandon_released[] = { TO_RELEASED, { "resume", resume_destination }, { "abandon the source", abandon_source },
	                                         { "abandon the destination", abandon_destination }, END };
static const torture_step source_dies[] = { TO_TRANSFERRED, { "the source's machine ends", kill_source },
	                                    { "stop the destination", stop_destination },
	                                    { "clean destination", clean_destination }, { "stop the source", stop_source },
	                                    { "clean source", clean_source }, END };
static const torture_step destination_dies[] = { TO_TRANSFERRED, { "the destination's machine ends", kill_destination },
	                                         { "stop the destination", stop_destination }, { "resume the source", resume_source },
	                                         CLEAN_BOTH, END };

const torture_scenario torture_migrations[] = {
	{ "migration", 1, 2, true, success, begin_anew, NULL, false, TORTURE_VM | TORTURE_SESSION | TORTURE_POD },
	{ "migration-of-nothing", 0, 0, true, success, begin_anew, NULL, false, TORTURE_SESSION },
	{ "migration-of-three", 1, 3, true, success, begin_anew, NULL, false, TORTURE_SESSION },
	{ "migration-of-two-pods", 2, 2, true, success, begin_anew, NULL, false, TORTURE_CONTAINER },
	{ "rollback-early", 1, 2, true, rollback_early, begin_anew, let_transfer_end, false, TORTURE_SESSION },
	{ "rollback-late", 1, 2, true, rollback_late, begin_anew, NULL, false, TORTURE_SESSION },
	{ "rollback-of-two-pods", 2, 2, true, rollback_late, begin_anew, NULL, false, TORTURE_SESSION },
	{ "rollback-released", 1, 2, true, rollback_released, begin_anew, NULL, false, TORTURE_SESSION },
	{ "discard", 1, 2, true, discard, begin_anew, NULL, false, TORTURE_SESSION },
	{ "abort", 1, 2, true, abort_ready, begin_anew, NULL, false, TORTURE_SESSION },
	{ "abandon-early", 1, 2, true, abandon_early, begin_anew, NULL, false, TORTURE_SESSION },
	{ "abandon-late", 1, 2, true, abandon_late, begin_anew, NULL, false, TORTURE_SESSION },
	{ "abandon-released", 1, 2, true, abandon_released, begin_anew, NULL, false, TORTURE_SESSION },
	{ "source-dies", 1, 2, true, source_dies, begin_anew, NULL, false, TORTURE_SESSION },
	{ "destination-dies", 1, 2, true, destination_dies, begin_anew, NULL, false, TORTURE_SESSION },
	{ NULL, 0, 0, false, NULL, NULL, NULL, false, 0 },
};
