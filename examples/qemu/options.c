/* The command line. */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const point_names[POINT_COUNT] = { "none",     "prepared",   "exported", "imported",  "patched",  "ready",   "setup",
	                                              "transfer", "blackout",   "switchover", "moved",   "completed", "released", "resumed" };
static const char *const fault_names[] = { "none", "cancel", "kill-source", "kill-destination" };

const char *demo_point_name(demo_point point)
{
	return point_names[point];
}

const char *demo_fault_name(demo_fault fault)
{
	return fault_names[fault];
}

static void options_help(void)
{
	printf("lcowmig-qemu: a pod in a real Linux machine moves from one QEMU process to another\n\n"
	       "  --guest DIRECTORY            kernel, initrd and layers, made by make-guest\n"
	       "  --dir DIRECTORY              for disks, logs and consoles; emptied first\n"
	       "  --back-and-forth N           N migrations, A to B and back (default 1)\n"
	       "  --cancel-at PHASE            cancel the first one there\n"
	       "  --kill source|destination@PHASE   kill -9 that QEMU process there\n"
	       "  --soak N                     N migrations, each but every fourth with another cancel or kill\n"
	       "  --seed N                     where the soak begins in its list of faults\n"
	       "  --memory MIB                 of the machine (default 256)\n"
	       "  --run-ms N                   how long it runs between migrations (default 700)\n"
	       "  --kvm                        with hardware's help, where /dev/kvm can be used\n"
	       "  --json FILE                  one line of figures for each migration\n"
	       "  --verbose                    the library's log on stderr, not in a file\n\n"
	       "PHASE is one of:");
	for (int i = POINT_PREPARED; i < POINT_COUNT; i++)
		printf(" %s", point_names[i]);
	printf("\n");
}

static bool options_point(const char *text, demo_point *ret_point)
{
	for (int i = POINT_PREPARED; i < POINT_COUNT; i++) {
		if (strcmp(text, point_names[i]) == 0) {
			*ret_point = (demo_point)i;
			return true;
		}
	}
	fprintf(stderr, "lcowmig-qemu: there is no phase \"%s\"; see --help\n", text);
	return false;
}

static bool options_kill(const char *text, demo_options *options)
{
	const char *at = strchr(text, '@');

	if (at && strncmp(text, "source", (size_t)(at - text)) == 0)
		options->fault = FAULT_KILL_SOURCE;
	else if (at && strncmp(text, "destination", (size_t)(at - text)) == 0)
		options->fault = FAULT_KILL_DESTINATION;
	else {
		fprintf(stderr, "lcowmig-qemu: --kill wants source@PHASE or destination@PHASE\n");
		return false;
	}
	return options_point(at + 1, &options->point);
}

static bool options_number(const char *name, const char *text, unsigned minimum, unsigned *ret_number)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || end == text || number < minimum || number > 1000000) {
		fprintf(stderr, "lcowmig-qemu: %s wants a number from %u on\n", name, minimum);
		return false;
	}
	*ret_number = (unsigned)number;
	return true;
}

/* An option that wants a value. */
static bool options_take(const char *name, const char *value, demo_options *options)
{
	if (strcmp(name, "--guest") == 0)
		options->guest = value;
	else if (strcmp(name, "--dir") == 0)
		options->directory = value;
	else if (strcmp(name, "--json") == 0)
		options->json = value;
	else if (strcmp(name, "--cancel-at") == 0) {
		options->fault = FAULT_CANCEL;
		return options_point(value, &options->point);
	} else if (strcmp(name, "--kill") == 0)
		return options_kill(value, options);
	else if (strcmp(name, "--back-and-forth") == 0)
		return options_number(name, value, 1, &options->hops);
	else if (strcmp(name, "--soak") == 0)
		return options_number(name, value, 1, &options->soak);
	else if (strcmp(name, "--seed") == 0)
		return options_number(name, value, 0, &options->seed);
	else if (strcmp(name, "--memory") == 0)
		return options_number(name, value, 128, &options->memory_mb);
	else if (strcmp(name, "--run-ms") == 0)
		return options_number(name, value, 0, &options->run_ms);
	else {
		fprintf(stderr, "lcowmig-qemu: there is no option %s; see --help\n", name);
		return false;
	}
	return true;
}

bool demo_parse_options(int argc, char **argv, demo_options *ret_options, int *ret_exit)
{
	demo_options options = { .hops = 1, .memory_mb = 256, .run_ms = 700 };

	*ret_exit = 2;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			options_help();
			*ret_exit = 0;
			return false;
		}
		if (strcmp(argv[i], "--kvm") == 0) {
			options.use_kvm = true;
		} else if (strcmp(argv[i], "--verbose") == 0) {
			options.is_verbose = true;
		} else {
			const char *name = argv[i];

			if (i + 1 == argc) {
				fprintf(stderr, "lcowmig-qemu: %s: no such option, or it wants a value; see --help\n", name);
				return false;
			}
			if (!options_take(name, argv[++i], &options))
				return false;
		}
	}
	if (!options.guest || !options.directory) {
		fprintf(stderr, "lcowmig-qemu: --guest and --dir are needed; sh scripts/demo-qemu gives them\n");
		return false;
	}
	*ret_options = options;
	return true;
}
