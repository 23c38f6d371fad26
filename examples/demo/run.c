/* Both halves at once, each in a process of its own; then what they have left behind is judged. */
#include "demo.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_PATH_SIZE 512

static const char *const run_faults[] = { NULL,    "transfer",    "blackout",         "finalize",
					  "guest", "kill-source", "kill-destination", "kill-holder" };

static int run_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

/* The program again, as one of the halves. */
static pid_t run_start(const char *program, const demo_options *options, const char *half, const char *address, const char *directory)
{
	char report[RUN_PATH_SIZE], port_file[RUN_PATH_SIZE], numbers[4][16];
	const char *arguments[40] = { program,        half,           strcmp(half, "source") == 0 ? "--connect" : "--listen",
				      address,        "--dir",        directory,
				      "--report",     report,         "--specs",
				      options->specs, "--containers", numbers[0],
				      "--memory",     numbers[1],     "--bandwidth",
				      numbers[2],     "--run-ms",     numbers[3] };
	size_t n = 18;
	pid_t child;

	snprintf(report, sizeof report, "%s/%s.json", directory, half);
	snprintf(port_file, sizeof port_file, "%s/port", directory);
	snprintf(numbers[0], sizeof numbers[0], "%u", options->containers);
	snprintf(numbers[1], sizeof numbers[1], "%u", options->memory_mb);
	snprintf(numbers[2], sizeof numbers[2], "%u", options->bandwidth_mb);
	snprintf(numbers[3], sizeof numbers[3], "%u", options->run_ms);
	if (strcmp(half, "destination") == 0) {
		arguments[n++] = "--port-file";
		arguments[n++] = port_file;
	}
	if (options->fault != DEMO_FAULT_NONE) {
		arguments[n++] = "--fail";
		arguments[n++] = run_faults[options->fault];
	}
	if (options->progress && strcmp(half, "source") == 0)
		arguments[n++] = "--progress";
	if (options->verbose)
		arguments[n++] = "--verbose";
	fflush(stdout);
	child = fork();
	if (child == 0) {
		execvp(program, (char *const *)(uintptr_t)arguments);
		fprintf(stderr, "lcowmig-demo: cannot start %s: %s\n", program, strerror(errno));
		_exit(127);
	}
	return child;
}

/* The port at which the destination listens, 0 when it does not get that far. */
static unsigned run_await_port(const char *directory, pid_t destination)
{
	char path[RUN_PATH_SIZE];
	unsigned port = 0;

	snprintf(path, sizeof path, "%s/port", directory);
	for (int i = 0; i < 1000 && port == 0; i++) {
		FILE *file = fopen(path, "rb");

		if (file && fscanf(file, "%u", &port) != 1)
			port = 0;
		if (file)
			fclose(file);
		if (port == 0) {
			if (waitpid(destination, NULL, WNOHANG | WNOWAIT) != 0 && kill(destination, 0) != 0)
				break;
			usleep(10000);
		}
	}
	return port;
}

static cJSON *run_read_report(const char *directory, const char *half)
{
	char path[RUN_PATH_SIZE];
	char *text = mock_alloc(1 << 20);
	cJSON *report = NULL;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s.json", directory, half);
	file = fopen(path, "rb");
	if (file) {
		text[fread(text, 1, (1 << 20) - 1, file)] = '\0';
		fclose(file);
		report = cJSON_Parse(text);
	}
	free(text);
	return report;
}

/* Over both hosts' files a workload has counted from 1 on without gap or repeat. */
static unsigned run_check_outputs(const char *directory, unsigned n_workloads, bool migrated)
{
	static const char *const samples[] = { "web", "worker" };
	unsigned n_wrong = 0;
	char reason[600];

	for (unsigned i = 1; i <= n_workloads; i++) {
		char there[RUN_PATH_SIZE], here[RUN_PATH_SIZE];
		const char *paths[2] = { there, here };

		snprintf(there, sizeof there, "%s/source/demo-%s-%u-source/stdout.log", directory, samples[(i - 1) % 2], i);
		snprintf(here, sizeof here, "%s/destination/demo-%s-%u-destination/stdout.log", directory, samples[(i - 1) % 2], i);
		if (demo_check_output(paths, migrated ? 2 : 1, 1, reason, sizeof reason) > 0)
			continue;
		n_wrong++;
		printf("run: %s\n", reason);
	}
	return n_wrong;
}

static int run_judge(const demo_options *options, const char *directory, int source_status, int destination_status)
{
	cJSON *source = run_read_report(directory, "source"), *destination = run_read_report(directory, "destination");
	bool there = cJSON_IsTrue(cJSON_GetObjectItem(source, "runs"));
	bool here = cJSON_IsTrue(cJSON_GetObjectItem(destination, "runs"));
	const cJSON *lost = cJSON_GetObjectItem(destination, "lost");
	unsigned n_lost = cJSON_IsNumber(lost) ? (unsigned)lost->valuedouble : 0;

	n_lost += run_check_outputs(directory, options->containers, here);
	cJSON_Delete(source);
	cJSON_Delete(destination);
	if (there == here) {
		printf("run: the sandbox runs on %s\n", there ? "BOTH sides" : "NEITHER side");
		return DEMO_LOST;
	}
	printf("run: the sandbox ran on exactly one side in the end, the %s; %s\n", here ? "destination" : "source",
	       n_lost == 0 ? "nothing was lost" : "something was LOST");
	if (n_lost > 0)
		return DEMO_LOST;
	if (options->fault != DEMO_FAULT_NONE)
		return DEMO_MIGRATED;
	return here && source_status == 0 && destination_status == 0 ? DEMO_MIGRATED : DEMO_STAYED;
}

static int run_both(const demo_options *options, const char *program, const char *directory)
{
	pid_t destination = run_start(program, options, "destination", "127.0.0.1:0", directory);
	unsigned port = run_await_port(directory, destination);
	int source_status = -1, destination_status = -1;
	char address[32];
	pid_t source;

	if (port == 0) {
		fputs("run: the destination does not start\n", stderr);
		kill(destination, SIGKILL);
		waitpid(destination, NULL, 0);
		return DEMO_STAYED;
	}
	snprintf(address, sizeof address, "127.0.0.1:%u", port);
	source = run_start(program, options, "source", address, directory);
	waitpid(source, &source_status, 0);
	waitpid(destination, &destination_status, 0);
	return run_judge(options, directory, source_status, destination_status);
}

int demo_both(const demo_options *options, const char *program)
{
	const char *temporary = getenv("TMPDIR");
	char directory[256];
	int result;

	if (options->directory)
		snprintf(directory, sizeof directory, "%s", options->directory);
	else
		snprintf(directory, sizeof directory, "%s/lcowmig-demo-XXXXXX", temporary && *temporary ? temporary : "/tmp");
	if (options->directory ? mkdir(directory, 0755) != 0 && errno != EEXIST : !mkdtemp(directory)) {
		fprintf(stderr, "run: cannot make the directory %s: %s\n", directory, strerror(errno));
		return DEMO_STAYED;
	}
	result = run_both(options, program, directory);
	if (options->directory || options->keep)
		printf("run: disks, bundles and output are in %s\n", directory);
	else
		nftw(directory, run_remove, 16, FTW_DEPTH | FTW_PHYS);
	return result;
}
