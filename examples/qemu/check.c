/* What the counters have left behind, line by line. */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* One line of a log ("c1 17", at the end "c1 end 17") or of a file on a scratch disk ("17 4711"). */
static bool check_line(const char *line, const char *name, long *last, bool *has_end)
{
	const char *at = line;
	char *end;
	long number;

	if (name) {
		size_t size = strlen(name);

		if (strncmp(line, name, size) != 0 || line[size] != ' ')
			return false;
		at = line + size + 1;
		if (strncmp(at, "end ", 4) == 0) {
			*has_end = true;
			return strtol(at + 4, &end, 10) == *last;
		}
	}
	number = strtol(at, &end, 10);
	if (end == at || number != *last + 1 || *has_end)
		return false;
	*last = number;
	return true;
}

static long check_stream(FILE *file, const char *what, const char *name, bool *ret_has_end)
{
	bool has_end = false;
	char line[256];
	long last = 0;

	while (fgets(line, sizeof line, file)) {
		if (!strchr(line, '\n'))
			break; /* it is being written */
		if (!check_line(line, name, &last, &has_end)) {
			fprintf(stderr, "lcowmig-qemu: %s says %ld, and then: %s", what, last, line);
			return -1;
		}
	}
	if (ret_has_end)
		*ret_has_end = has_end;
	return last;
}

/* The number in the last whole line. */
static long check_tail(FILE *file)
{
	char tail[257];
	char *end;
	char *start;
	long number = 0;
	size_t n;

	fseek(file, 0, SEEK_END);
	fseek(file, ftell(file) > 256 ? -256 : -ftell(file), SEEK_END);
	n = fread(tail, 1, sizeof tail - 1, file);
	tail[n] = '\0';
	end = strrchr(tail, '\n');
	if (!end)
		return 0;
	*end = '\0';
	start = strrchr(tail, '\n');
	sscanf(start ? start + 1 : tail, "c%*u %ld", &number);
	return number;
}

long demo_last_count(const char *path, const char *name, bool *ret_has_end)
{
	FILE *file = fopen(path, "rb");
	long last = 0;

	if (!file)
		return -1;
	last = name ? check_stream(file, path, name, ret_has_end) : check_tail(file);
	fclose(file);
	return last;
}

/* The file of a counter that ended, read from its scratch disk without mounting it. */
static long check_disk(const demo_site *site, unsigned index)
{
	char command[1600];
	FILE *pipe;
	long last;

	snprintf(command, sizeof command, "debugfs -R 'cat /scratch/pod-0/counter%u-0/upper/counts' '%s' 2>/dev/null", index,
	         site->places[index].scratch);
	pipe = popen(command, "r");
	if (!pipe)
		return -1;
	last = check_stream(pipe, site->places[index].scratch, NULL, NULL);
	return pclose(pipe) == 0 ? last : -1;
}

bool demo_check(demo_world *world, bool is_ended)
{
	bool good = !world->runs_twice;

	if (world->runs_twice)
		fprintf(stderr, "lcowmig-qemu: the machine has run on both hosts at the same time\n");
	for (unsigned i = 1; i < DEMO_PLACES; i++) {
		const demo_place *place = &world->sites[0].places[i];
		bool has_end = false;
		char name[8];
		long printed;
		long written;

		snprintf(name, sizeof name, "c%u", i);
		printed = demo_last_count(place->log, name, &has_end);
		good = good && printed > 0;
		if (!is_ended)
			continue;
		written = check_disk(&world->sites[0], i);
		printf("  %s printed 1 … %ld and wrote 1 … %ld, %s\n", name, printed, written,
		       has_end && printed == written ? "each once" : "which is WRONG");
		good = good && has_end && printed == written;
	}
	return good;
}
