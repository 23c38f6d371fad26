/* Many migrations, most of them with something that goes wrong, each at another point; and after each the promises are checked. */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULT_KINDS 3u

/* Number n of all pairs of a fault and a point, and every fourth time none. */
static void soak_choose(unsigned n, demo_fault *ret_fault, demo_point *ret_point)
{
	unsigned pair = n - n / 4;

	*ret_fault = FAULT_NONE;
	*ret_point = POINT_NONE;
	if (n % 4 == 3)
		return;
	*ret_fault = (demo_fault)(FAULT_CANCEL + pair % FAULT_KINDS);
	/* Points move on more slowly than faults, and in strides that meet all of them. */
	*ret_point = (demo_point)(POINT_PREPARED + (pair / FAULT_KINDS * 5 + pair % FAULT_KINDS) % (POINT_COUNT - 1));
}

static bool soak_begin(demo_world *world)
{
	demo_free_sites(world->sites);
	world->at = 0;
	world->hop = 0;
	if (!demo_make_sites(world->options, world->round++, world->sites) || !demo_start(world))
		return false;
	return demo_is_counting(world);
}

/* What must be so after a migration, however it ended. */
static bool soak_check(demo_world *world, demo_outcome outcome)
{
	if (outcome == OUTCOME_WRONG || !demo_check(world, false))
		return false;
	return outcome == OUTCOME_LOST || demo_is_counting(world);
}

int demo_soak(demo_world *world)
{
	unsigned counts[4] = { 0 };
	bool good = soak_begin(world);

	for (unsigned i = 0; i < world->options->soak && good; i++) {
		static const char *const outcomes[] = { "moved", "stayed", "lost", "WRONG" };
		demo_fault fault;
		demo_point point;
		demo_result result;

		soak_choose(i + world->options->seed, &fault, &point);
		result = demo_migrate(world, fault, point);
		counts[result.outcome]++;
		printf("%3u  %-17s %-11s %-7s %6.0f ms\n", i + 1, demo_fault_name(fault), demo_point_name(point), outcomes[result.outcome],
		       (double)result.total / 1e6);
		good = soak_check(world, result.outcome);
		if (good && result.outcome == OUTCOME_LOST && i + 1 < world->options->soak)
			good = soak_begin(world);
		else if (result.outcome == OUTCOME_LOST)
			break;
	}
	if (good && world->sides[world->at].host)
		good = demo_stop(world) && demo_check(world, true);
	printf("%u moved, %u stayed, %u lost with the only copy, %u wrong: %s\n", counts[OUTCOME_MOVED], counts[OUTCOME_STAYED], counts[OUTCOME_LOST],
	       counts[OUTCOME_WRONG], good ? "all is well" : "something is WRONG");
	return good ? 0 : 1;
}
