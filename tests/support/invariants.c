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

	return !side->is_lost && (state == LCOWMIG__VM_RUNNING || state == LCOWMIG__VM_FINALIZED);
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
	    !source->sandbox || !destination->sandbox || source->is_lost || destination->is_lost)
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

	if (!*test_host_log(world->source.host) && !*test_host_log(world->destination.host))
		return;
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

/* ---- Task events ---- */

typedef struct task_line {
	const char *kind; /* "start" … */
	size_t kind_size;
	const char *task; /* "d-p0 ''": container and exec id */
	size_t task_size;
} task_line;

/* The next event of the log from `place` on; false: there is none. */
static bool next_event(const char **place, task_line *line)
{
	static const char prefix[] = "event ";
	const char *at = *place;

	while (*at && strncmp(at, prefix, sizeof prefix - 1) != 0)
		at = strchr(at, '\n') + 1;
	if (!*at)
		return false;
	*place = strchr(at, '\n') + 1;
	line->kind = at + sizeof prefix - 1;
	line->kind_size = strcspn(line->kind, " ");
	line->task = line->kind + line->kind_size + 1;
	line->task_size = strcspn(line->task, " ") + 1;
	line->task_size += strcspn(line->task + line->task_size, " \n");
	return true;
}

static bool line_is(const task_line *line, const char *kind)
{
	return line->kind_size == strlen(kind) && strncmp(line->kind, kind, line->kind_size) == 0;
}

static bool is_same_task(const task_line *a, const task_line *b)
{
	return a->task_size == b->task_size && strncmp(a->task, b->task, a->task_size) == 0;
}

/* How many events of a kind a log has for a task. */
static unsigned count_events(const char *log, const task_line *task, const char *kind)
{
	unsigned count = 0;
	task_line line;

	while (next_event(&log, &line))
		count += line_is(&line, kind) && is_same_task(&line, task);
	return count;
}

typedef enum task_life { TASK_NONE, TASK_CREATED, TASK_RUNS, TASK_ENDED } task_life;

/* One that was imported may end without having been told of before; one that was never started may be deleted without an end. */
static task_life follow_task(task_life life, const task_line *line, const char *name)
{
	int size = (int)line->task_size;

	if (line_is(line, "create") || line_is(line, "exec-added")) {
		ck_assert_msg(life == TASK_NONE, "%s: %.*s was created twice", name, size, line->task);
		return TASK_CREATED;
	}
	if (line_is(line, "start") || line_is(line, "exec-started")) {
		ck_assert_msg(life == TASK_CREATED, "%s: %.*s started without having been created", name, size, line->task);
		return TASK_RUNS;
	}
	if (line_is(line, "exit")) {
		ck_assert_msg(life != TASK_ENDED, "%s: %.*s ended twice", name, size, line->task);
		return TASK_ENDED;
	}
	ck_assert_msg(life != TASK_RUNS, "%s: %.*s was deleted without having ended", name, size, line->task);
	return TASK_NONE;
}

static bool is_first(const test_side *side, const task_line *of)
{
	const char *at = test_host_log(side->host);
	task_line line;

	while (next_event(&at, &line)) {
		if (is_same_task(&line, of))
			return line.kind == of->kind;
	}
	return false;
}

/* What started here has ended here, once in each of its lives. */
static void check_task_events(const test_side *side)
{
	const char *at = test_host_log(side->host);
	task_line first, line;

	while (next_event(&at, &first)) {
		const char *rest = first.kind - strlen("event ");
		task_life life = TASK_NONE;

		if (!is_first(side, &first))
			continue;
		while (next_event(&rest, &line)) {
			if (is_same_task(&line, &first))
				life = follow_task(life, &line, side->name);
		}
		ck_assert_msg(life != TASK_RUNS, "%s: %.*s started and has not ended", side->name, (int)first.task_size, first.task);
	}
}

/* An id belongs to one host: the other never tells of its end. */
static void check_own_exits(const test_world *world)
{
	const char *at = test_host_log(world->source.host);
	const char *log = test_host_log(world->destination.host);
	task_line line;

	while (next_event(&at, &line)) {
		if (!line_is(&line, "exit") || count_events(log, &line, "create") == 0)
			continue;
		ck_assert_msg(count_events(log, &line, "exit") == 0, "%.*s ended on both hosts", (int)line.task_size, line.task);
	}
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
	check_task_events(side);
	for (pod = lcowmig__sandbox_next_pod(side->sandbox, NULL); pod; pod = lcowmig__sandbox_next_pod(side->sandbox, pod)) {
		ck_assert_msg(!lcowmig__pod_is_migrating(pod), "%s: pod %s is still frozen", side->name, lcowmig__pod_id(pod));
		for (container = lcowmig__pod_next(pod, NULL); container; container = lcowmig__pod_next(pod, container))
			ck_assert_msg(lcowmig__container_has_ended(container) || !was_started(container), "%s: container %s has not ended",
				      side->name, lcowmig__container_id(container));
	}
}

void invariants_check_exits(const test_world *world)
{
	bool was_imported = test_host_count(world->destination.host, "event exit") > 0;
	unsigned p, c;

	check_exits_once(world);
	check_own_exits(world);
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
