/* The demo: start, migrate, show, check. */
#include "demo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show_migration(const demo_world *world, const demo_result *result)
{
	static const char *const outcomes[] = { "moved", "stayed where it was", "LOST: the only copy was killed", "WRONG" };

	printf("%u: the pod %s; it is on %s now (%.0f ms)\n", world->hop, outcomes[result->outcome], world->at == 0 ? "A" : "B",
	       (double)result->total / 1e6);
	if (result->outcome != OUTCOME_MOVED || result->bytes == 0)
		return;
	printf("   memory moved: %.1f MiB\n", (double)result->bytes / 1048576);
	printf("   blackout: %.1f ms by QEMU's events, from STOP on the source to RESUME on the destination\n",
	       (double)result->blackout_us / 1e3);
	printf("             %llu ms of it QEMU's own downtime, from STOP to the last byte\n",
	       (unsigned long long)result->qemu_downtime_ms);
	printf("             %.1f ms of it after memory had moved: release, finalize, and QEMU's cont\n",
	       (double)result->control_plane_us / 1e3);
	printf("   finalize on the destination, while the guest runs: %.0f ms until everything was reattached\n",
	       (double)result->finalize / 1e6);
}

static void show_timeline(const demo_result *result)
{
	printf("   timeline of the source (start, duration):\n%s   timeline of the destination:\n%s", result->timeline[0],
	       result->timeline[1]);
}

static void write_figures(FILE *file, const demo_result *result)
{
	if (!file)
		return;
	fprintf(file,
		"{\"outcome\":%d,\"total_us\":%llu,\"blackout_us\":%llu,\"qemu_downtime_ms\":%llu,\"control_plane_us\":%llu,"
		"\"finalize_us\":%llu,\"bytes\":%llu}\n",
		(int)result->outcome, (unsigned long long)result->total / 1000, (unsigned long long)result->blackout_us,
		(unsigned long long)result->qemu_downtime_ms, (unsigned long long)result->control_plane_us,
		(unsigned long long)result->finalize / 1000, (unsigned long long)result->bytes);
}

static bool demo_run(demo_world *world, FILE *figures)
{
	bool good = true;

	for (unsigned i = 0; i < world->options->hops && good; i++) {
		uint64_t datagrams;
		demo_result result = demo_migrate(world, i == 0 ? world->options->fault : FAULT_NONE, world->options->point);

		show_migration(world, &result);
		write_figures(figures, &result);
		if (i == 0 && result.outcome == OUTCOME_MOVED)
			show_timeline(&result);
		if (result.outcome == OUTCOME_WRONG)
			return false;
		if (result.outcome == OUTCOME_LOST)
			return demo_check(world, false);
		datagrams = world->sides[world->at].datagrams;
		demo_run_for(world, world->options->run_ms);
		good = demo_is_counting(world) && demo_check(world, false);
		if (world->sides[world->at].datagrams == datagrams) {
			printf("   nothing comes from the pod's network\n");
			good = false;
		}
	}
	if (!good || !demo_stop(world))
		return false;
	return demo_check(world, true);
}

int main(int argc, char **argv)
{
	demo_options options;
	demo_world world = { .options = &options };
	FILE *figures = NULL;
	uint64_t begin;
	int result;
	bool good;

	if (!demo_parse_options(argc, argv, &options, &result))
		return result;
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	world.loop = mock_loop_new();
	if (options.json)
		figures = fopen(options.json, "w");
	if (options.soak > 0) {
		result = demo_soak(&world);
	} else {
		begin = mock_now();
		good = demo_make_sites(&options, 0, world.sites) && demo_start(&world);
		if (good) {
			printf("the machine runs on A, with %u containers that count (%.1f s from power-on)\n", DEMO_COUNTERS,
			       (double)(mock_now() - begin) / 1e9);
			demo_run_for(&world, options.run_ms);
			good = demo_run(&world, figures);
		}
		printf("%s\n", good ? "all is well" : "something is WRONG");
		result = good ? 0 : 1;
	}
	demo_destroy(&world);
	demo_free_sites(world.sites);
	mock_loop_free(world.loop);
	if (figures)
		fclose(figures);
	if (world.log && world.log != stderr)
		fclose(world.log);
	if (result != 0)
		fprintf(stderr, "lcowmig-qemu: more is in %s/log and, of the machines, in the files named console\n", options.directory);
	return result;
}
