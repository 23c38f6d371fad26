#include "invariants.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static lcowmig__vm_state vm_state(const test_side *side)
{
	return lcowmig__vm_get_state(side->sandbox->vm);
}

/* The host lets the machine run as the only one: it was resumed, or never stood still. */
static bool runs_alone(const test_side *side)
{
	lcowmig__vm_state state = side->sandbox ? vm_state(side) : LCOWMIG__VM_TERMINATED;

	return state == LCOWMIG__VM_RUNNING || state == LCOWMIG__VM_FINALIZED;
}

static void check_never_both(const test_world *world)
{
	ck_assert_msg(world->is_forced || !runs_alone(&world->source) || !runs_alone(&world->destination),
		      "the sandbox runs on both hosts: source %s, destination %s", lcowmig__vm_state_name(world->source.sandbox->vm),
		      lcowmig__vm_state_name(world->destination.sandbox->vm));
}

/* Whoever has the right and a machine that has not ended can still let it run. */
static bool can_run(const test_side *side)
{
	return side->sandbox && vm_state(side) != LCOWMIG__VM_TERMINATED && vm_state(side) != LCOWMIG__VM_NOT_CREATED &&
	       (runs_alone(side) || lcowmig__right_is_held(&side->m->right));
}

/* A token on its way keeps the sandbox alive as long as its receiver's machine is there. */
static bool token_can_be_used(const test_world *world, const test_side *side)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	uint32_t epoch;

	return side->sandbox && side->m->id && world->token_size && vm_state(side) != LCOWMIG__VM_TERMINATED && !side->m->is_stopped &&
	       !side->m->is_discarded &&
	       lcowmig__right_read(&side->m->right, world->token, world->token_size, &epoch, &error) == LCOWMIG_OK;
}

/* A machine that exited, or that somebody stopped on purpose, ends the promise. */
static void check_never_lost(const test_world *world)
{
	const test_side *source = &world->source, *destination = &world->destination;

	if (source->was_abandoned || destination->was_abandoned || source->vm_exit_is_told || destination->vm_exit_is_told ||
	    !source->sandbox || !destination->sandbox)
		return;
	if (source->m->is_stopped || destination->m->is_stopped || destination->m->is_discarded ||
	    vm_state(source) == LCOWMIG__VM_TERMINATED)
		return;
	ck_assert_msg(can_run(source) || can_run(destination) || token_can_be_used(world, source) || token_can_be_used(world, destination),
		      "the sandbox can run on neither host: source %s, destination %s", lcowmig__vm_state_name(source->sandbox->vm),
		      lcowmig__vm_state_name(destination->sandbox->vm));
}

/* While a finalize is half done its pods come back one by one. */
static void check_frozen_as_a_whole(const test_side *side)
{
	const lcowmig_sandbox *sandbox = side->sandbox;
	size_t frozen = 0;
	size_t count = 0;
	const lcowmig_pod *pod;

	if (!sandbox || side->m->work || side->m->resume_begun || side->vm_exit_is_told || vm_state(side) == LCOWMIG__VM_TERMINATED)
		return; /* half way back, or released by the end of the machine */
	for (pod = lcowmig__sandbox_next_pod(sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(sandbox, pod), count++)
		frozen += lcowmig__pod_is_migrating(pod);
	ck_assert_msg(frozen == 0 || frozen == count, "%s: %zu of %zu pods are frozen", side->name, frozen, count);
	if (lcowmig__session_is_source(side->m) && count)
		ck_assert_int_eq(frozen != 0, side->m->envelope != NULL && side->m->object.state != LCOWMIG_MIGRATION_IDLE);
}

static void check_session(const test_side *side)
{
	const lcowmig_migration *m = side->m;

	if (!side->sandbox)
		return;
	ck_assert_int_lt(m->object.state, LCOWMIG__MIGRATION_N_STATES);
	if (m->object.state != LCOWMIG_MIGRATION_IDLE)
		ck_assert_ptr_nonnull(m->id);
	if (m->object.state == LCOWMIG_MIGRATION_TRANSFERRING)
		ck_assert_ptr_nonnull(m->background);
	ck_assert_int_eq(m->quiet.is_set, !m->work && !m->patches);
	ck_assert_int_eq(m->background_over.is_set, !m->background);
	ck_assert_int_le(m->n_pending, m->imported.count);
}

static unsigned count_line(const test_side *side, const char *prefix, const char *id)
{
	char line[96];

	snprintf(line, sizeof line, "event exit %s%s ''", prefix, id);
	return test_host_count(side->host, line);
}

/* An imported container that nobody patched still has the id it came with. */
static unsigned count_exits(const test_side *side, const test_side *from, const char *id)
{
	unsigned count = count_line(side, side->prefix, id);

	return from ? count + count_line(side, from->prefix, id) : count;
}

static void check_exits_once(const test_world *world)
{
	unsigned p, c;

	for (p = 0; p < world->n_pods; p++) {
		for (c = 0; c < world->n_containers; c++) {
			const char *id = world_container_id(p, c);

			ck_assert_int_le(count_exits(&world->source, NULL, id), 1);
			ck_assert_int_le(count_exits(&world->destination, &world->source, id), 1);
		}
	}
}

void invariants_check(const test_world *world)
{
	check_never_both(world);
	check_never_lost(world);
	check_frozen_as_a_whole(&world->source);
	check_frozen_as_a_whole(&world->destination);
	check_session(&world->source);
	check_session(&world->destination);
	check_exits_once(world);
}

/* What never ran has no end either. */
static bool was_started(const lcowmig_container *container)
{
	const char *state = lcowmig_container_state_name(container);

	return strcmp(state, "NotCreated") != 0 && strcmp(state, "Created") != 0;
}

void invariants_check_end(const test_world *world, const test_side *side)
{
	const lcowmig_container *container;
	const lcowmig_pod *pod;

	(void)world;
	for (pod = lcowmig__sandbox_next_pod(side->sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(side->sandbox, pod)) {
		ck_assert_msg(!lcowmig__pod_is_migrating(pod), "%s: pod %s is still frozen", side->name, lcowmig__pod_id(pod));
		for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
			ck_assert_msg(lcowmig__container_has_ended(container) || !was_started(container), "%s: container %s has not ended", side->name,
				      lcowmig__container_id(container));
	}
}

void invariants_check_exits(const test_world *world)
{
	bool was_imported = test_host_count(world->destination.host, "event exit") > 0;
	unsigned p, c;

	check_exits_once(world);
	for (p = 0; p < world->n_pods; p++) {
		for (c = 0; c < world->n_containers; c++) {
			const char *id = world_container_id(p, c);

			ck_assert_msg(count_exits(&world->source, NULL, id) == 1, "%s: no exit on the source", id);
			if (was_imported)
				ck_assert_msg(count_exits(&world->destination, &world->source, id) == 1, "%s: no exit on the destination",
					      id);
		}
	}
}
