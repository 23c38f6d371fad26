#include "torture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_private.h"
#include "invariants.h"

#define SAMPLE 60u
#define REORDERINGS 12u
#define TRIES 3
#define RETRY_NS UINT64_C(10000000000)

static const char *const kind_names[TORTURE_KINDS] = {
	[TORTURE_NONE] = "none",
	[TORTURE_ALLOCATION] = "allocation",
	[TORTURE_ALLOCATIONS] = "allocations",
	[TORTURE_JSON] = "json",
	[TORTURE_JSON_ALL] = "json-all",
	[TORTURE_ERROR] = "error",
	[TORTURE_EFFECT_ERROR] = "effect-error",
	[TORTURE_MISSING] = "missing",
	[TORTURE_LATE_ERROR] = "late-error",
	[TORTURE_LATE] = "late",
	[TORTURE_INSIDE] = "inside",
	[TORTURE_INSIDE_THREAD] = "inside-thread",
	[TORTURE_THREAD] = "thread",
	[TORTURE_CANCEL_SUCCESS] = "cancel-success",
	[TORTURE_CANCEL_ERROR] = "cancel-error",
	[TORTURE_NEVER] = "never",
	[TORTURE_NEVER_ERROR] = "never-error",
	[TORTURE_REORDER] = "reorder",
	[TORTURE_AWAIT_CANCEL] = "await-cancel",
	[TORTURE_AWAIT_INTERRUPT] = "await-interrupt",
	[TORTURE_AWAIT_REFUSE] = "await-refuse",
	[TORTURE_AWAIT_REFUSE_ALL] = "refuse-all",
	[TORTURE_OVERLAP] = "overlap",
	[TORTURE_OVERLAP_CANCEL] = "overlap-cancel",
	[TORTURE_OVERLAP_CANCEL_FIRST] = "cancel-first",
	[TORTURE_OVERLAP_DEATH] = "overlap-death",
	[TORTURE_OVERLAP_INSIDE] = "overlap-inside",
	[TORTURE_FRAME_DROP] = "frame-drop",
	[TORTURE_FRAME_CUT] = "frame-cut",
	[TORTURE_FRAME_TWICE] = "frame-twice",
	[TORTURE_FRAME_DELAY] = "frame-delay",
	[TORTURE_FRAME_REFUSE] = "frame-refuse",
	[TORTURE_FRAME_GARBAGE] = "frame-garbage",
	[TORTURE_FRAME_CLOSE] = "frame-close",
};

typedef struct outcome {
	unsigned points;
	unsigned unharmed;  /* no step failed */
	unsigned repeated;  /* the step that failed succeeded when it was repeated */
	unsigned restarted; /* it was undone, and the whole succeeded then */
	unsigned wound_down;
} outcome;

#define POINT_SIZE 128

static char point[POINT_SIZE]; /* what runs now */
static bool is_loud;
static FILE *points_file;
static int slot;
static int n_slots;

/* Tests run in processes of their own, which end without a word when something fails: the file tells the parent where they were. */
static void name_point(void)
{
	if (!points_file || fseek(points_file, (long)slot * POINT_SIZE, SEEK_SET) != 0)
		return;
	fwrite(point, 1, sizeof point, points_file);
	fflush(points_file);
}

void torture_begin_program(void)
{
	points_file = tmpfile();
}

void torture_end_program(void)
{
	int i;

	for (i = 0; points_file && i < n_slots; i++) {
		if (fseek(points_file, (long)i * POINT_SIZE, SEEK_SET) == 0 && fread(point, 1, sizeof point, points_file) == sizeof point &&
		    point[0])
			fprintf(stderr, "failed at TORTURE_AT=%s\n", point);
	}
	if (points_file)
		fclose(points_file);
}

void torture_count_slots(int count)
{
	n_slots += count;
}

static bool counts_memory(torture_kind kind)
{
	return kind == TORTURE_ALLOCATION || kind == TORTURE_ALLOCATIONS;
}

static bool counts_json(torture_kind kind)
{
	return kind == TORTURE_JSON || kind == TORTURE_JSON_ALL;
}

static bool is_memory(torture_kind kind)
{
	return counts_memory(kind) || counts_json(kind);
}

bool torture_is_about_frames(torture_kind kind)
{
	return kind >= TORTURE_FRAME_DROP;
}

bool torture_is_about_awaits(torture_kind kind)
{
	return kind >= TORTURE_AWAIT_CANCEL && kind <= TORTURE_AWAIT_REFUSE_ALL;
}

bool torture_is_overlap(torture_kind kind)
{
	return kind >= TORTURE_OVERLAP && kind <= TORTURE_OVERLAP_INSIDE;
}

static torture *running;

torture *torture_now(void)
{
	return running;
}

bool torture_has_lost_guest(const torture *t)
{
	return torture_guest && (torture_armed.kind == TORTURE_FRAME_DROP || !torture_guest->is_connected(t->world->source.host));
}

/* ---- One run ---- */

test_done *torture_done(torture *t)
{
	memset(&t->done, 0, sizeof t->done);
	return &t->done;
}

void torture_expect_no_exit(torture *t)
{
	t->world->source.waits_for_exit = false;
	t->world->destination.waits_for_exit = false;
}

lcowmig_status torture_settle(torture *t, lcowmig_status status)
{
	return world_settle(t->world, &t->world->source, status, &t->done);
}

static bool is_never(torture_kind kind)
{
	return kind == TORTURE_NEVER || kind == TORTURE_NEVER_ERROR;
}

static void flush_host(test_host *host)
{
	unsigned i;

	for (i = 0; torture_guest && torture_guest->has_kept(host) && i < 20; i++)
		torture_advance(host, UINT64_C(50000000000));
	for (i = 0; i < 100; i++) {
		unsigned seconds;

		for (seconds = 0; seconds < 700 && is_never(torture_armed.kind); seconds += 50)
			torture_advance(host, UINT64_C(50000000000));
		if (!torture_release(host))
			return;
	}
	ck_abort_msg("there is no end to the host calls");
}

/* Nothing is kept back from one step to the next. */
static void flush(torture *t)
{
	flush_host(t->world->source.host);
	flush_host(t->world->destination.host);
}

static lcowmig_status run_step(torture *t, const torture_step *step)
{
	lcowmig_status status;

	lcowmig__error_init(t->error);
	torture_armed.step_ns = 0;
	status = step->run(t);
	flush(t);
	torture_end_intruder(t);
	invariants_check(t->world);
	if (is_loud)
		fprintf(stderr, "torture: %s -> %s %s\n", step->name, lcowmig_status_name(status),
			status == LCOWMIG_OK ? "" : t->error->message);
	return status;
}

static void stop_failing(torture *t)
{
	test_host_fail_allocation(t->world->source.host, 0, false);
	test_host_fail_allocation(t->world->destination.host, 0, false);
	torture_json_fail(0, false);
	torture_restore_member();
	torture_armed.is_over = true;
}

static void look_whether_met(void)
{
	if (counts_memory(torture_armed.kind) && !torture_armed.was_met)
		torture_armed.was_met = test_host_allocations(torture_armed.host) >= torture_armed.last;
}

void torture_memory_returns(torture *t)
{
	look_whether_met();
	if (torture_armed.was_met)
		stop_failing(t);
}

/* A host that takes its time, and nothing else. */
static bool is_harmless(torture_kind kind)
{
	return kind == TORTURE_LATE || kind == TORTURE_INSIDE || kind == TORTURE_INSIDE_THREAD || kind == TORTURE_THREAD ||
	       kind == TORTURE_REORDER;
}

/* An operation came between that was let in: what becomes of the scenario's own is open. */
static bool is_disturbed(void)
{
	const torture_intrusion *intruder = torture_intruder();

	if (!intruder->has_begun)
		return false;
	if (torture_armed.kind == TORTURE_OVERLAP_DEATH)
		return true;
	return !intruder->asks_only && (intruder->status == LCOWMIG_OK || intruder->status == LCOWMIG_PENDING);
}

/* One that was refused has changed nothing. */
static bool was_refused(void)
{
	const torture_intrusion *intruder = torture_intruder();
	torture_kind kind = torture_armed.kind;

	return (kind == TORTURE_OVERLAP || kind == TORTURE_OVERLAP_INSIDE) && intruder->has_begun && intruder->status != LCOWMIG_OK &&
	       intruder->status != LCOWMIG_PENDING;
}

/* True: all steps succeeded. `ret_failures` counts those that did not at once. */
static bool run_steps(torture *t, unsigned *ret_failures)
{
	const torture_step *step;

	for (step = t->scenario->steps; step->name; step++) {
		lcowmig_status status = run_step(t, step);
		unsigned tries;

		if (is_disturbed())
			return false;
		if (status == LCOWMIG_OK)
			continue;
		ck_assert_msg(!is_memory(torture_armed.kind) || *ret_failures || status == LCOWMIG_E_NO_MEMORY,
			      "%s: %s instead of NO_MEMORY: %s", step->name, lcowmig_status_name(status), t->error->message);
		look_whether_met();
		ck_assert_msg(torture_armed.was_met && !is_harmless(torture_armed.kind) && !was_refused(), "%s fails without a fault: %s",
			      step->name, t->error->message);
		stop_failing(t);
		++*ret_failures;
		for (tries = 1; tries < TRIES && status != LCOWMIG_OK; tries++)
			status = run_step(t, step);
		if (status != LCOWMIG_OK)
			return false;
	}
	return true;
}

static torture *begin(const torture_scenario *scenario, unsigned side)
{
	torture *t = calloc(1, sizeof *t);

	ck_assert_ptr_nonnull(t);
	torture_armed = (torture_plan){ .kind = TORTURE_NONE };
	torture_proxy_reset();
	torture_reset_intruder();
	running = t;
	t->scenario = scenario;
	t->world = world_new(scenario->n_pods, scenario->n_containers);
	torture_expect_no_exit(t);
	t->error = &t->world->error;
	t->side = side ? &t->world->destination : &t->world->source;
	torture_armed.host = t->side->host;
	if (!torture_guest)
		torture_proxy(side ? t->world->destination.host : t->world->source.host,
			      side ? t->world->destination.sandbox : t->world->source.sandbox);
	return t;
}

/* A guest whose connection is gone for good ends its machine: nothing can be undone in it. */
static void end_lost_machine(torture *t, test_side *side)
{
	lcowmig_vm_state state = lcowmig_vm_get_state(lcowmig_sandbox_vm(side->sandbox));

	if (torture_guest && state == LCOWMIG_VM_RUNNING && !torture_guest->is_connected(side->host))
		world_kill_vm(t->world, side);
}

static void end(torture *t)
{
	stop_failing(t);
	flush(t);
	torture_armed.kind = TORTURE_NONE;
	torture_armed.is_due = false;
	/* What ran out of memory in the background tries again after a while. */
	test_host_advance(t->world->source.host, RETRY_NS);
	test_host_advance(t->world->destination.host, RETRY_NS);
	if (t->scenario->end)
		t->scenario->end(t);
	end_lost_machine(t, &t->world->source);
	end_lost_machine(t, &t->world->destination);
	world_free(t->world);
	ck_assert_uint_eq(torture_json_live(), 0);
	torture_proxy_reset();
	torture_reset_intruder();
	running = NULL;
	free(t);
}

static unsigned count_points(torture *t, torture_kind kind, unsigned side, unsigned before, unsigned json_before)
{
	test_host *host = side ? t->world->destination.host : t->world->source.host;

	if (counts_memory(kind))
		return test_host_allocations(host) - before;
	if (counts_json(kind))
		return torture_json_allocations() - json_before;
	if (kind == TORTURE_MISSING)
		return torture_count_members();
	if (torture_is_about_awaits(kind))
		return kind == TORTURE_AWAIT_REFUSE || kind == TORTURE_AWAIT_REFUSE_ALL ? torture_armed.refusable : torture_armed.awaits;
	if (torture_is_overlap(kind))
		return torture_armed.calls * torture_count_intruders(t->scenario->intruders);
	return kind == TORTURE_REORDER ? REORDERINGS : torture_armed.calls;
}

/* The run without a fault: how many points there are. */
static unsigned measure(const torture_scenario *scenario, torture_kind kind, unsigned side)
{
	torture *t = begin(scenario, side);
	test_host *host = side ? t->world->destination.host : t->world->source.host;
	unsigned before = test_host_allocations(host);
	unsigned json_before = torture_json_allocations();
	unsigned failures = 0;
	unsigned points;

	ck_assert(run_steps(t, &failures));
	ck_assert_uint_eq(failures, 0);
	points = count_points(t, kind, side, before, json_before);
	end(t);
	return points;
}

static void arm(torture *t, torture_kind kind, unsigned side, unsigned nth)
{
	test_host *host = side ? t->world->destination.host : t->world->source.host;

	torture_armed.kind = kind;
	torture_armed.nth = nth;
	if (torture_is_overlap(kind)) {
		unsigned intruders = torture_count_intruders(t->scenario->intruders);

		torture_armed.nth = (nth - 1) / intruders + 1;
		torture_armed.intruder = (nth - 1) % intruders;
	}
	torture_armed.last = test_host_allocations(host) + nth;
	if (kind == TORTURE_MISSING)
		torture_remove_member(nth);
	if (counts_memory(kind))
		test_host_fail_allocation(host, nth, kind == TORTURE_ALLOCATIONS);
	if (counts_json(kind))
		torture_json_fail(nth, kind == TORTURE_JSON_ALL);
}

static void run_point(const torture_scenario *scenario, torture_kind kind, unsigned side, unsigned nth, outcome *sum)
{
	torture *t = begin(scenario, side);
	unsigned failures = 0;
	bool is_done;

	arm(t, kind, side, nth);
	is_done = run_steps(t, &failures);
	look_whether_met();
	ck_assert_msg(torture_armed.was_met, "the run did not come to its point");
	sum->points++;
	if (is_done) {
		sum->unharmed += failures == 0;
		sum->repeated += failures != 0;
	} else if (!is_disturbed() && scenario->undo && scenario->undo(t)) {
		torture_armed.kind = TORTURE_NONE;
		is_done = run_steps(t, &failures);
		ck_assert_msg(is_done, "it cannot be done anew: %s", t->error->message);
		sum->restarted++;
	} else {
		sum->wound_down++;
	}
	end(t);
}

/* ---- All points ---- */

static unsigned number_from(const char *variable, unsigned otherwise)
{
	const char *text = getenv(variable);

	return text && text[0] ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static unsigned common_divisor(unsigned a, unsigned b)
{
	return b ? common_divisor(b, a % b) : a;
}

static void run_side(const torture_scenario *scenario, torture_kind kind, unsigned side, const char *only)
{
	outcome sum = { 0, 0, 0, 0, 0 };
	unsigned points, nth, stride;
	unsigned sample = number_from("TORTURE_POINTS", SAMPLE);
	unsigned intruders = torture_count_intruders(scenario->intruders);

	snprintf(point, sizeof point, "%s:%s:%u:0", scenario->name, kind_names[kind], side);
	name_point();
	points = measure(scenario, kind, side);
	stride = number_from("TORTURE_FULL", 0) || points <= sample ? 1 : (points + sample - 1) / sample;
	/* Not always the same intruders. */
	while (torture_is_overlap(kind) && stride > 1 && common_divisor(stride, intruders) > 1)
		stride++;
	/* The first points are dense in every flow; a stride that begins anywhere meets different ones in different scenarios. */
	for (nth = 1 + (unsigned)kind % stride; nth <= points; nth += stride) {
		snprintf(point, sizeof point, "%s:%s:%u:%u", scenario->name, kind_names[kind], side, nth);
		name_point();
		is_loud = only != NULL;
		if (!only || strcmp(only, point) == 0)
			run_point(scenario, kind, side, nth, &sum);
		is_loud = false;
	}
	memset(point, 0, sizeof point);
	name_point();
	printf("%-24s %-14s %s %4u of %4u points: %u unharmed, %u repeated, %u done anew, %u wound down\n", scenario->name,
	       kind_names[kind], side ? "destination" : "source     ", sum.points, points, sum.unharmed, sum.repeated, sum.restarted,
	       sum.wound_down);
	fflush(stdout);
}

void torture_run(const torture_scenario *scenario, torture_kind kind, int in_slot)
{
	const char *only = getenv("TORTURE_AT");
	char prefix[128];
	unsigned side;

	slot = in_slot;
	torture_json_install();
	if (torture_guest && scenario->needs_script)
		return;
	for (side = 0; side < (scenario->has_destination && !counts_json(kind) ? 2u : 1u); side++) {
		snprintf(prefix, sizeof prefix, "%s:%s:%u:", scenario->name, kind_names[kind], side);
		if (!only || strncmp(only, prefix, strlen(prefix)) == 0)
			run_side(scenario, kind, side, only);
	}
}
