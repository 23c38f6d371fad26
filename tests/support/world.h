/*
 * Two hosts in one process: a source sandbox that runs pods, and an empty sandbox to migrate to. The steps of a migration as one call each;
 * every step says how it ended, whether it did so at once or later.
 *
 *     test_world *world = world_new(1, 3);
 *     ck_assert_int_eq(world_migrate_until(world, WORLD_TRANSFERRED), LCOWMIG_OK);
 *     …
 *     world_free(world);      (winds down both sides whatever state they are in, and checks the invariants)
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include "host.h"
#include "migration/migration.h"

#define WORLD_MAX_CONTAINERS 64
#define WORLD_SESSION "5f0b1190-63be-4e0c-b974-bd0f55675a42"
#define WORLD_EXITED "{\"Status\":0,\"ExitType\":\"GracefulExit\"}"

typedef struct test_side {
	test_host *host;
	lcowmig_sandbox *sandbox;
	lcowmig_migration *m;
	const char *name;     /* "source" or "destination" */
	char prefix[16];      /* of the ids there: "" for the first source, "d-", "d-d-" … for where it went */
	bool vm_exit_is_told; /* its machine's exit event was delivered */
	bool was_abandoned;   /* somebody gave this side up */
	bool is_lost;         /* its host is gone, and the machine with it; what is left here only has to be taken down */
	bool waits_for_exit;  /* an operation may wait for that event: world_settle delivers it */
} test_side;

typedef struct test_world {
	test_side source;
	test_side destination;
	unsigned n_pods;
	unsigned n_containers; /* of each pod, its sandbox container included */
	uint8_t token[LCOWMIG_TOKEN_SIZE_MAX];
	size_t token_size; /* 0: none was released */
	uint8_t *envelope;
	size_t envelope_size;
	bool is_slow;        /* host calls stay pending until world_settle completes them */
	bool is_forced;      /* somebody overrode the right: the invariants about it do not hold */
	lcowmig_error error; /* of the last step */
} test_world;

typedef enum world_point {
	WORLD_PREPARED, /* source prepared */
	WORLD_EXPORTED,
	WORLD_IMPORTED,
	WORLD_PATCHED,
	WORLD_READY,     /* destination prepared */
	WORLD_CONNECTED, /* sockets on both sides */
	WORLD_TRANSFERRED,
	WORLD_RELEASED, /* the destination may resume */
	WORLD_RESUMED,
	WORLD_STOPPED, /* source stopped */
	WORLD_CLEAN,   /* both sides Idle */
	WORLD_POINTS
} world_point;

test_world *world_new(unsigned n_pods, unsigned n_containers);
void world_free(test_world *world);

/* Runs the steps up to and including `point`; stops at the first failure. */
lcowmig_status world_migrate_until(test_world *world, world_point point);
/* One step: the one that leads to `point`. */
lcowmig_status world_step(test_world *world, world_point point);

/* How an operation ends that returned `status`: at once, or after time has passed and machines have exited. Asserts that it ends once. */
lcowmig_status world_settle(test_world *world, test_side *side, lcowmig_status status, test_done *done);

lcowmig_status world_prepare_source(test_world *world);
lcowmig_status world_export(test_world *world);
lcowmig_status world_import(test_world *world);
lcowmig_status world_patch(test_world *world, const char *source_id);
lcowmig_status world_patch_all(test_world *world);
lcowmig_status world_prepare_destination(test_world *world);
lcowmig_status world_register(test_world *world, test_side *side);
lcowmig_status world_transfer(test_world *world, test_side *side);
lcowmig_status world_release(test_world *world, test_side *side);
/* With the world's token on the side that needs it. */
lcowmig_status world_finalize(test_world *world, test_side *side, lcowmig_finalize_action action);
lcowmig_status world_cancel(test_world *world, test_side *side);
lcowmig_status world_cleanup(test_world *world, test_side *side);
lcowmig_status world_abandon(test_world *world, test_side *side);
/* The machine of a side exits by itself. */
void world_kill_vm(test_world *world, test_side *side);
/* An event of the platform's about the migration. */
void world_tell(test_side *side, const char *event, const char *result);

/* Takes the destination down, whatever has become of it, and makes an empty one: for another try. */
void world_new_destination(test_world *world);
/* Takes the source down; the destination, which runs the pods now, becomes the source of the next migration. */
void world_turn(test_world *world);
/* From now on no host call ends before world_settle makes it. */
void world_set_slow(test_world *world);
/* Completes what slow hosts have pending, until there is nothing more. */
void world_pump(test_world *world);
/* Completes one call; false when none is pending. */
bool world_pump_one(test_world *world);

/* "p0", "p0-c1", …: ids without the prefix of a side. */
const char *world_pod_id(unsigned pod);
const char *world_container_id(unsigned pod, unsigned container);
lcowmig_migration_state world_state(const test_side *side);

#endif
