/* What the demo shows: a progress bar, timelines, and what arrived. */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void demo_show_progress(demo_half *half, const mock_transfer_progress *progress)
{
	static uint64_t last;
	uint64_t now = mock_now();
	unsigned percent = progress->pass_total ? (unsigned)(100 * progress->pass_bytes / progress->pass_total) : 0;
	char bar[33];

	if (half->options->fault == DEMO_FAULT_KILL_DESTINATION && strcmp(half->name, "destination") == 0 &&
	    progress->bytes > (uint64_t)half->options->memory_mb * 1024 * 256) {
		demo_say(half, "dies now, in the middle of pass %u", (unsigned)progress->pass);
		_exit(137);
	}
	if (!half->options->progress || progress->pass_total == 0 || (now - last < 50 * MOCK_MS && percent < 100))
		return;
	last = now;
	for (unsigned i = 0; i < 32; i++)
		bar[i] = i * 100 < percent * 32 ? '#' : '.';
	bar[32] = '\0';
	printf("%s%s: pass %u [%s] %3u %%  %.1f MB in all%s", isatty(STDOUT_FILENO) ? "\r\033[K" : "", half->name, (unsigned)progress->pass,
	       bar, percent, (double)progress->bytes / 1048576.0, isatty(STDOUT_FILENO) ? "" : "\n");
	fflush(stdout);
}

static void report_containers(const demo_half *half, cJSON *state)
{
	const mock_guest *guest = mock_host_guest(half->host);
	cJSON *list = cJSON_AddArrayToObject(state, "containers");
	mock_guest_container container;

	for (uint32_t i = 0; guest && mock_guest_get_container(guest, i, &container); i++) {
		cJSON *entry = cJSON_CreateObject();

		cJSON_AddStringToObject(entry, "id", container.id); /* as the guest knows it: it never changes */
		cJSON_AddStringToObject(entry, "state", container.state);
		cJSON_AddNumberToObject(entry, "pid", container.pid);
		cJSON_AddNumberToObject(entry, "counter", (double)container.counter);
		cJSON_AddItemToArray(list, entry);
	}
}

cJSON *demo_describe(const demo_half *half)
{
	const mock_guest *guest = mock_host_guest(half->host);
	cJSON *state = cJSON_CreateObject();
	cJSON *disks, *nics;
	const char *id, *mac, *address;

	report_containers(half, state);
	disks = cJSON_AddObjectToObject(state, "disks");
	for (uint32_t slot = 0; slot < 256; slot++) {
		const char *path = mock_host_disk(half->host, slot / 64, slot % 64);
		char name[16];

		snprintf(name, sizeof name, "%u:%u", (unsigned)slot / 64, (unsigned)slot % 64);
		if (path)
			cJSON_AddStringToObject(disks, name, path);
	}
	nics = cJSON_AddArrayToObject(state, "nics");
	for (uint32_t i = 0; guest && mock_guest_get_nic(guest, i, &id, &mac, &address); i++) {
		cJSON *nic = cJSON_CreateObject();

		cJSON_AddStringToObject(nic, "mac", mac);
		cJSON_AddStringToObject(nic, "address", address);
		cJSON_AddItemToArray(nics, nic);
	}
	return state;
}

cJSON *demo_timeline(const demo_half *half)
{
	size_t n = lcowmig_migration_timeline_count(half->migration);
	cJSON *timeline = cJSON_CreateObject();
	cJSON *spans = cJSON_AddArrayToObject(timeline, "spans");
	cJSON *steps = cJSON_AddArrayToObject(timeline, "steps");
	uint64_t blackout = 0, control = 0;

	for (size_t i = 0; i < n; i++) {
		lcowmig_timeline_entry entry = LCOWMIG_TIMELINE_ENTRY_INIT;
		cJSON *span = cJSON_CreateObject();

		lcowmig_migration_timeline_entry(half->migration, i, &entry, NULL);
		cJSON_AddStringToObject(span, "name", entry.name);
		cJSON_AddNumberToObject(span, "start", (double)entry.start);
		cJSON_AddNumberToObject(span, "duration", (double)entry.duration);
		cJSON_AddItemToArray(spans, span);
	}
	for (size_t i = 0; i < half->n_steps; i++) {
		cJSON *step = cJSON_CreateObject();

		cJSON_AddStringToObject(step, "name", half->steps[i].name);
		cJSON_AddNumberToObject(step, "at", (double)half->steps[i].at);
		cJSON_AddItemToArray(steps, step);
	}
	if (lcowmig_migration_blackout(half->migration, &blackout, &control, NULL) == LCOWMIG_OK) {
		cJSON_AddNumberToObject(timeline, "blackout", (double)blackout);
		cJSON_AddNumberToObject(timeline, "control", (double)control);
	}
	return timeline;
}

static double report_number(const cJSON *object, const char *key)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(number) ? number->valuedouble : 0;
}

static const char *report_text(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return text ? text : "";
}

void demo_print_timeline(const char *name, const cJSON *timeline)
{
	const cJSON *spans = cJSON_GetObjectItemCaseSensitive(timeline, "spans");
	const cJSON *steps = cJSON_GetObjectItemCaseSensitive(timeline, "steps");
	double origin = spans && spans->child ? report_number(spans->child, "start") : 0;
	const cJSON *entry;

	printf("\ntimeline of the %s\n  %-34s %12s %14s\n", name, "phase", "after", "took");
	cJSON_ArrayForEach(entry, spans) {
		if (report_number(entry, "start") < origin)
			origin = report_number(entry, "start");
	}
	cJSON_ArrayForEach(entry, spans) {
		printf("  %-34s %9.1f ms %11.1f ms\n", report_text(entry, "name"), (report_number(entry, "start") - origin) / 1e6,
		       report_number(entry, "duration") / 1e6);
	}
	if (cJSON_GetObjectItemCaseSensitive(timeline, "blackout"))
		printf("  the guest stood still for %.1f ms, %.1f of them after its memory had been moved\n",
		       report_number(timeline, "blackout") / 1e6, report_number(timeline, "control") / 1e6);
	printf("  told by the session:\n");
	cJSON_ArrayForEach(entry, steps) {
		time_t seconds = (time_t)(report_number(entry, "at") / 1e9);
		struct tm parts;
		char stamp[32];

		gmtime_r(&seconds, &parts);
		strftime(stamp, sizeof stamp, "%H:%M:%S", &parts);
		printf("    %s.%03d %s\n", stamp, (int)((long long)(report_number(entry, "at") / 1e6) % 1000), report_text(entry, "name"));
	}
}

static const cJSON *report_find(const cJSON *list, const char *key, const char *wanted)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, list) {
		if (strcmp(report_text(entry, key), wanted) == 0)
			return entry;
	}
	return NULL;
}

static unsigned report_print_containers(const demo_half *half, const cJSON *before, const cJSON *after)
{
	const cJSON *old;
	unsigned n_lost = 0, index = 0;

	printf("\n  %-26s %-26s %5s %9s %15s %14s\n", "container", "here", "pid", "state", "counter before", "counter after");
	cJSON_ArrayForEach(old, cJSON_GetObjectItemCaseSensitive(before, "containers")) {
		const cJSON *new = report_find(cJSON_GetObjectItemCaseSensitive(after, "containers"), "id", report_text(old, "id"));
		bool arrived = new &&report_number(new, "pid") == report_number(old, "pid") &&
			       strcmp(report_text(new, "state"), report_text(old, "state")) == 0 &&
			       report_number(new, "counter") >= report_number(old, "counter");

		n_lost += !arrived;
		printf("  %-26s %-26s %5.0f %9s %15.0f %14.0f%s\n", report_text(old, "id"),
		       index < half->pod->n_places ? half->pod->places[index].id : "", report_number(old, "pid"), report_text(new, "state"),
		       report_number(old, "counter"), report_number(new, "counter"), arrived ? "" : "   LOST");
		index++;
	}
	return n_lost;
}

unsigned demo_print_arrival(const demo_half *half, const cJSON *before, const cJSON *after)
{
	unsigned n_lost = 0;
	const cJSON *old;
	cJSON *nic;
	int width = 14;

	printf("\nwhat arrived\n");
	n_lost += report_print_containers(half, before, after);
	cJSON_ArrayForEach(old, cJSON_GetObjectItemCaseSensitive(before, "disks")) {
		if ((int)strlen(old->valuestring) > width)
			width = (int)strlen(old->valuestring);
	}
	printf("\n  %-6s %-*s %s\n", "disk", width, "on the source", "here");
	cJSON_ArrayForEach(old, cJSON_GetObjectItemCaseSensitive(before, "disks")) {
		const char *path = report_text(cJSON_GetObjectItemCaseSensitive(after, "disks"), old->string);

		bool moved = *path && (strcmp(old->valuestring, DEMO_BOOT_DISK) == 0 || strcmp(old->valuestring, path) != 0);

		n_lost += !moved;
		printf("  %-6s %-*s %s%s\n", old->string, width, old->valuestring, path, moved ? "" : "   LOST");
	}
	printf("\n  %-6s %-32s %s\n", "NIC", "on the source", "here");
	cJSON_ArrayForEach(old, cJSON_GetObjectItemCaseSensitive(before, "nics")) {
		nic = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(after, "nics"), 0);
		n_lost += !nic || strcmp(report_text(nic, "address"), report_text(old, "address")) != 0;
		printf("  %-6s %s %-14s %s %s\n", "eth0", report_text(old, "mac"), report_text(old, "address"),
		       nic ? report_text(nic, "mac") : "LOST", report_text(nic, "address"));
	}
	putchar('\n');
	fflush(stdout);
	return n_lost;
}

void demo_write_report(const demo_half *half, bool runs, unsigned n_lost, const cJSON *state)
{
	cJSON *report, *outputs;
	char *text;
	FILE *file;

	if (!half->options->report)
		return;
	report = cJSON_CreateObject();
	cJSON_AddStringToObject(report, "half", half->name);
	cJSON_AddBoolToObject(report, "runs", runs);
	cJSON_AddNumberToObject(report, "lost", n_lost);
	cJSON_AddItemToObject(report, "state", state ? cJSON_Duplicate(state, true) : cJSON_CreateObject());
	outputs = cJSON_AddArrayToObject(report, "outputs");
	for (unsigned i = 0; half->pod && i < half->pod->n_places; i++)
		cJSON_AddItemToArray(outputs, cJSON_CreateString(half->pod->places[i].stdout_path));
	text = cJSON_Print(report);
	file = fopen(half->options->report, "wb");
	if (file) {
		fputs(text, file);
		fclose(file);
	}
	cJSON_free(text);
	cJSON_Delete(report);
}

unsigned long demo_check_output(const char *const *paths, size_t n_paths, unsigned long first, char *reason, size_t size)
{
	unsigned long expected = first, number;
	char line[128];

	for (size_t i = 0; i < n_paths; i++) {
		FILE *file = fopen(paths[i], "rb");

		while (file && fgets(line, sizeof line, file)) {
			if (sscanf(line, "counter %lu", &number) != 1 || !strchr(line, '\n') || number != expected) {
				line[strcspn(line, "\n")] = '\0';
				snprintf(reason, size, "%s: \"%s\" where counter %lu was expected", paths[i], line, expected);
				fclose(file);
				return 0;
			}
			expected++;
		}
		if (file)
			fclose(file);
	}
	if (expected == first)
		snprintf(reason, size, "%s: nothing was printed", n_paths > 0 ? paths[n_paths - 1] : "no file");
	return expected == first ? 0 : expected - 1;
}
