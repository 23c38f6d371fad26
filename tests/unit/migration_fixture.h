/* Two hosts, and a session between them: what the programs about the migration session share. */
#ifndef UNIT_MIGRATION_FIXTURE_H
#define UNIT_MIGRATION_FIXTURE_H

#include <check.h>

#include "migration/migration.h"
#include "world.h"

#define SOCKET ((const uint8_t *)"socket")

static test_world *world;
static test_side *source;
static test_side *destination;

static inline void set_up_empty(void)
{
	world = world_new(0, 0);
	source = &world->source;
	destination = &world->destination;
}

static inline void set_up_pods(void)
{
	world = world_new(2, 2);
	source = &world->source;
	destination = &world->destination;
}

static inline void tear_down(void)
{
	world_free(world);
}

#define OK(call) ck_assert_msg((call) == LCOWMIG_OK, "%s: %s", #call, world->error.message)
#define FAILS(call, expected)                                                                                                              \
	do {                                                                                                                               \
		lcowmig_status got_ = (call);                                                                                              \
		ck_assert_msg(got_ == (expected), "%s: %s (%s), expected %s", #call, lcowmig_status_name(got_), world->error.message,      \
			      lcowmig_status_name(expected));                                                                              \
	} while (0)
#define STATE(side, expected) ck_assert_str_eq(lcowmig_migration_state_name(world_state(side)), lcowmig_migration_state_name(expected))

static inline lcowmig_vm_state vm_state(const test_side *side)
{
	return lcowmig_vm_get_state(side->sandbox->vm);
}

static inline lcowmig_import_options import_options(void)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;

	options.session_id = WORLD_SESSION;
	options.sandbox_id = "d-sb";
	options.envelope = world->envelope;
	options.envelope_size = world->envelope_size;
	return options;
}

static inline lcowmig_status finalize_raw(test_side *side, uint32_t action, uint32_t flags, const char *reason)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;

	options.action = action;
	options.flags = flags;
	options.reason = reason;
	return lcowmig_migration_finalize(side->m, WORLD_SESSION, &options, NULL, NULL, &world->error);
}

#endif
