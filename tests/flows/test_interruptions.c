/*
 * Every operation of a session is interrupted after its 1st, 2nd, 3rd … host call: by a cancel of the session, by an abandon, by a cancel
 * of the operation, by the end of the machine. Each operation ends exactly once, and both sides can be wound down.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "invariants.h"
#include "world.h"

#define OK(call) ck_assert_msg((call) == LCOWMIG_OK, "%s: %s", #call, world->error.message)

static test_world *world;
static test_side *side;
static test_done done;

typedef enum interruption { BY_CANCEL, BY_ABANDON, BY_CANCEL_OF_THE_OPERATION, BY_END_OF_THE_MACHINE, N_INTERRUPTIONS } interruption;

typedef struct operation {
	world_point point; /* that it leads to */
	bool on_destination;
	lcowmig_status (*start)(void);
} operation;

static lcowmig_status start_prepare_source(void)
{
	return lcowmig_migration_prepare_source(side->m, WORLD_SESSION, NULL, test_on_done, &done, &world->error);
}

static lcowmig_status start_export(void)
{
	return lcowmig_migration_export(side->m, WORLD_SESSION, test_on_done, &done, &world->error);
}

static lcowmig_status start_patch(void)
{
	const char *options[1] = { "parentLayerPaths=[\"C:\\\\destination\\\\base\"]" };
	lcowmig_rootfs_mount rootfs = { "lcow-layer", "C:\\destination\\p0-c1", "", options, 1 };
	lcowmig_patch patch = { .size = sizeof patch,
				.source_container_id = "p0-c1",
				.container_id = "d-p0-c1",
				.rootfs = &rootfs,
				.n_rootfs = 1,
				.stdout_path = "\\\\.\\pipe\\out" };

	return lcowmig_migration_patch(side->m, &patch, test_on_done, &done, &world->error);
}

static lcowmig_status start_prepare_destination(void)
{
	return lcowmig_migration_prepare_destination(side->m, WORLD_SESSION, NULL, LCOWMIG_PREPARE_PATHS_SHARED, test_on_done, &done,
						     &world->error);
}

static lcowmig_status start_register(void)
{
	return lcowmig_migration_register_socket(side->m, WORLD_SESSION, (const uint8_t *)"socket", 6, test_on_done, &done, &world->error);
}

/* Not an operation of its caller's; it counts as done. */
static lcowmig_status start_transfer(void)
{
	done.calls = 1;
	return lcowmig_migration_transfer(side->m, WORLD_SESSION, NULL, &world->error) == LCOWMIG_OK ? LCOWMIG_PENDING
												     : LCOWMIG_E_HOST_FAILED;
}

static lcowmig_status start_finalize(lcowmig_finalize_action action)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;

	options.action = action;
	options.token = world->token_size && side == &world->destination ? world->token : NULL;
	options.token_size = options.token ? world->token_size : 0;
	return lcowmig_migration_finalize(side->m, WORLD_SESSION, &options, test_on_done, &done, &world->error);
}

static lcowmig_status start_resume(void)
{
	return start_finalize(LCOWMIG_FINALIZE_RESUME);
}

static lcowmig_status start_stop(void)
{
	return start_finalize(LCOWMIG_FINALIZE_STOP);
}

static const operation operations[] = {
	{ WORLD_PREPARED, false, start_prepare_source },
	{ WORLD_EXPORTED, false, start_export },
	{ WORLD_PATCHED, true, start_patch },
	{ WORLD_READY, true, start_prepare_destination },
	{ WORLD_CONNECTED, false, start_register },
	{ WORLD_CONNECTED, true, start_register },
	{ WORLD_TRANSFERRED, false, start_transfer },
	{ WORLD_TRANSFERRED, true, start_transfer },
	{ WORLD_RESUMED, true, start_resume },
	{ WORLD_RELEASED, false, start_resume }, /* a rollback, with the right still here */
	{ WORLD_RESUMED, true, start_stop },
	{ WORLD_STOPPED, false, start_stop },
};
#define N_OPERATIONS 12

static void interrupt(interruption what)
{
	test_done mine = { 0 };
	lcowmig_status status = LCOWMIG_OK;

	switch (what) {
	case BY_CANCEL:
		status = lcowmig_migration_cancel(side->m, WORLD_SESSION, test_on_done, &mine, &world->error);
		if (status == LCOWMIG_E_FAILED_PRECONDITION)
			status = LCOWMIG_OK; /* a finalize stands */
		break;
	case BY_ABANDON:
		side->was_abandoned = true;
		status = lcowmig_migration_abandon(side->m, WORLD_SESSION, test_on_done, &mine, &world->error);
		break;
	case BY_CANCEL_OF_THE_OPERATION:
		lcowmig_context_cancel(side->host->context, test_on_done, &done);
		break;
	default:
		if (side->sandbox->env.system)
			world_kill_vm(world, side);
		break;
	}
	side->waits_for_exit = true;
	status = world_settle(world, side, status, &mine);
	ck_assert_msg(status == LCOWMIG_OK || what == BY_ABANDON, "%s: %s", side->name, world->error.message);
	if (what == BY_ABANDON)
		ck_assert_int_eq(world_state(side), LCOWMIG_MIGRATION_IDLE);
}

/* Every operation that was begun ends; a machine that is being stopped exits. */
static void settle_operation(lcowmig_status status)
{
	if (status != LCOWMIG_PENDING)
		return;
	if (side->sandbox->env.system && !side->vm_exit_is_told && !done.calls && side->m->work &&
	    side->m->object.state != LCOWMIG_MIGRATION_IDLE)
		side->waits_for_exit = true;
	world_settle(world, side, LCOWMIG_PENDING, &done);
}

/* How far a session gets is its own business; that it can be left is ours. A cancelled or failed one is left the ordinary way. */
static void wind_down(void)
{
	lcowmig_migration_state state = world_state(side);

	if (state == LCOWMIG_MIGRATION_CANCELLED || state == LCOWMIG_MIGRATION_FAILED) {
		bool resume = side == &world->source && lcowmig__vm_get_state(side->sandbox->vm) != LCOWMIG__VM_TERMINATED &&
			      lcowmig_migration_has_right(side->m);

		OK(world_finalize(world, side, resume ? LCOWMIG_FINALIZE_RESUME : LCOWMIG_FINALIZE_STOP));
		OK(world_cleanup(world, side));
		if (resume)
			ck_assert_str_eq(lcowmig__vm_state_name(side->sandbox->vm), "Running");
	}
	world_free(world);
}

static bool interrupt_after(const operation *begun, interruption what, unsigned n_calls)
{
	lcowmig_status status;
	bool was_reached;
	unsigned i;

	world = world_new(1, 2);
	side = begun->on_destination ? &world->destination : &world->source;
	OK(world_migrate_until(world, (world_point)(begun->point - 1)));
	memset(&done, 0, sizeof done);
	world_set_slow(world);
	side->waits_for_exit = false;
	status = begun->start();
	ck_assert_msg(status >= LCOWMIG_OK, "%s", world->error.message);
	for (i = 0; i < n_calls && world_pump_one(world); i++)
		;
	was_reached = i == n_calls;
	interrupt(what);
	settle_operation(status);
	ck_assert_int_eq(done.calls, 1);
	invariants_check(world);
	wind_down();
	return was_reached;
}

START_TEST(test_operation_is_interrupted_anywhere)
{
	const operation *begun = &operations[_i / N_INTERRUPTIONS];
	unsigned n_calls = 0;

	while (interrupt_after(begun, (interruption)(_i % N_INTERRUPTIONS), n_calls) && n_calls < 60)
		n_calls++;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("interruptions");
	TCase *interruptions = tcase_create("interruptions");
	SRunner *runner;
	int failed;

	tcase_set_timeout(interruptions, 120);
	tcase_add_loop_test(interruptions, test_operation_is_interrupted_anywhere, 0, N_OPERATIONS * N_INTERRUPTIONS);
	suite_add_tcase(suite, interruptions);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
