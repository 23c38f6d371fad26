/* The demo's command line. */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef DEMO_SPECS
#define DEMO_SPECS "."
#endif

static const char options_help[] = "usage: lcowmig-demo [run] [options]\n"
				   "       lcowmig-demo destination --listen HOST:PORT [options]\n"
				   "       lcowmig-demo source --connect HOST:PORT [options]\n"
				   "\n"
				   "Moves a running pod from one process to another. `run` starts both; to run the halves by\n"
				   "hand, start `destination` in one terminal and `source` in another:\n"
				   "\n"
				   "       lcowmig-demo destination --listen 127.0.0.1:7300\n"
				   "       lcowmig-demo source --connect 127.0.0.1:7300 --containers 3\n"
				   "\n"
				   "options of run and source\n"
				   "  --containers N     workload containers in the pod, besides its sandbox container (2; up to 200)\n"
				   "  --memory MB        memory of the virtual machine (64; 8 to 8192)\n"
				   "  --bandwidth MB     of the memory transfer, each second (200; 0: as fast as it goes)\n"
				   "  --run-ms MS        how long the pod runs before it is moved, and after (300)\n"
				   "  --progress         a progress bar even when the output is no terminal\n"
				   "options of all\n"
				   "  --fail WHAT        something goes wrong; the sandbox then runs on exactly one side:\n"
				   "       transfer          the memory connection breaks while the guest runs     -> source\n"
				   "       blackout          it breaks while the guest stands still                -> source\n"
				   "       finalize          the destination's hypervisor refuses to let it run    -> source\n"
				   "       guest             the guest refuses its new NIC once; tried again       -> destination\n"
				   "       kill-source       the source dies after it gave the sandbox away        -> destination\n"
				   "       kill-destination  the destination dies in the middle of the transfer    -> source\n"
				   "       kill-holder       the destination dies with the right to run it         -> source, by force\n"
				   "  --dir DIR          for disks, bundles and output (default: a temporary directory)\n"
				   "  --keep             leave the temporary directory\n"
				   "  --specs DIR        where pause.json, web.json and worker.json are\n"
				   "  --wait SECONDS     for the peer (60)\n"
				   "  --report FILE      writes the outcome as JSON\n"
				   "  --verbose          the library's log\n"
				   "  --help\n"
				   "\n"
				   "exit code: 0 everything has moved; 1 something was lost; 2 wrong arguments; 3 the sandbox\n"
				   "stayed where it was. With --fail, `run` gives 0 when the sandbox runs on exactly one side.\n";

static const struct {
	const char *name;
	demo_fault fault;
} options_faults[] = {
	{ "transfer", DEMO_FAULT_TRANSFER },       { "blackout", DEMO_FAULT_BLACKOUT },
	{ "finalize", DEMO_FAULT_FINALIZE },       { "guest", DEMO_FAULT_GUEST },
	{ "kill-source", DEMO_FAULT_KILL_SOURCE }, { "kill-destination", DEMO_FAULT_KILL_DESTINATION },
	{ "kill-holder", DEMO_FAULT_KILL_HOLDER },
};

static bool options_number(const char *name, const char *text, unsigned minimum, unsigned maximum, unsigned *ret_number)
{
	char *end = NULL;
	unsigned long number = text ? strtoul(text, &end, 10) : 0;

	if (!text || end == text || *end || *text == '-' || number < minimum || number > maximum) {
		fprintf(stderr, "lcowmig-demo: %s needs a number from %u to %u%s%s\n", name, minimum, maximum, text ? ", not " : "",
			text ? text : "");
		return false;
	}
	*ret_number = (unsigned)number;
	return true;
}

static bool options_fault(const char *text, demo_fault *ret_fault)
{
	for (size_t i = 0; text && i < sizeof options_faults / sizeof *options_faults; i++) {
		if (strcmp(options_faults[i].name, text) == 0) {
			*ret_fault = options_faults[i].fault;
			return true;
		}
	}
	fprintf(stderr, "lcowmig-demo: --fail knows nothing of \"%s\"; see --help\n", text ? text : "");
	return false;
}

static bool options_text(const char *name, const char *text, const char **ret_text)
{
	if (!text || !*text) {
		fprintf(stderr, "lcowmig-demo: %s needs a value\n", name);
		return false;
	}
	*ret_text = text;
	return true;
}

/* An option with a value; false when it is none or the value is wrong. */
static bool options_take(const char *name, const char *value, demo_options *options)
{
	if (strcmp(name, "--containers") == 0)
		return options_number(name, value, 1, 200, &options->containers);
	if (strcmp(name, "--memory") == 0)
		return options_number(name, value, 8, 8192, &options->memory_mb);
	if (strcmp(name, "--bandwidth") == 0)
		return options_number(name, value, 0, 100000, &options->bandwidth_mb);
	if (strcmp(name, "--run-ms") == 0)
		return options_number(name, value, 50, 600000, &options->run_ms);
	if (strcmp(name, "--wait") == 0)
		return options_number(name, value, 1, 3600, &options->wait_seconds);
	if (strcmp(name, "--fail") == 0)
		return options_fault(value, &options->fault);
	if (strcmp(name, "--listen") == 0 || strcmp(name, "--connect") == 0)
		return options_text(name, value, &options->address);
	if (strcmp(name, "--dir") == 0)
		return options_text(name, value, &options->directory);
	if (strcmp(name, "--specs") == 0)
		return options_text(name, value, &options->specs);
	if (strcmp(name, "--report") == 0)
		return options_text(name, value, &options->report);
	if (strcmp(name, "--port-file") == 0)
		return options_text(name, value, &options->port_file);
	fprintf(stderr, "lcowmig-demo: unknown argument %s; see --help\n", name);
	return false;
}

static bool options_flag(const char *name, demo_options *options)
{
	bool *flag = strcmp(name, "--progress") == 0  ? &options->progress
		     : strcmp(name, "--keep") == 0    ? &options->keep
		     : strcmp(name, "--verbose") == 0 ? &options->verbose
						      : NULL;

	if (flag)
		*flag = true;
	return flag != NULL;
}

static bool options_fit(const demo_options *options)
{
	bool listens = strcmp(options->command, "destination") == 0;

	if (strcmp(options->command, "run") == 0) {
		if (!options->address)
			return true;
		fputs("lcowmig-demo: run takes neither --listen nor --connect\n", stderr);
		return false;
	}
	if (!options->address || !strchr(options->address, ':')) {
		fprintf(stderr, "lcowmig-demo: %s needs %s HOST:PORT\n", options->command, listens ? "--listen" : "--connect");
		return false;
	}
	return true;
}

bool demo_parse_options(int argc, char **argv, demo_options *ret_options, int *ret_exit)
{
	demo_options options = { .command = "run",
				 .specs = DEMO_SPECS,
				 .containers = 2,
				 .memory_mb = 64,
				 .bandwidth_mb = 200,
				 .wait_seconds = 60,
				 .run_ms = 300 };
	int i = 1;

	*ret_exit = DEMO_USAGE;
	options.progress = isatty(STDOUT_FILENO);
	if (i < argc && argv[i][0] != '-')
		options.command = argv[i++];
	if (strcmp(options.command, "run") != 0 && strcmp(options.command, "source") != 0 && strcmp(options.command, "destination") != 0) {
		fprintf(stderr, "lcowmig-demo: unknown command %s; see --help\n", options.command);
		return false;
	}
	while (i < argc) {
		const char *name = argv[i++];

		if (strcmp(name, "--help") == 0) {
			fputs(options_help, stdout);
			*ret_exit = 0;
			return false;
		}
		if (strcmp(name, "--listen") == 0 ? strcmp(options.command, "source") == 0
						  : strcmp(name, "--connect") == 0 && strcmp(options.command, "destination") == 0) {
			fprintf(stderr, "lcowmig-demo: a %s does not take %s; see --help\n", options.command, name);
			return false;
		}
		if (options_flag(name, &options))
			continue;
		if (!options_take(name, i < argc ? argv[i] : NULL, &options))
			return false;
		i++;
	}
	*ret_options = options;
	return options_fit(&options);
}
