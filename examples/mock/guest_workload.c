/* What the processes of the mock guest do. The program is chosen by the last part of its path. */
#include "guest_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKLOAD_PAGES_PER_STEP 4u

static uint32_t workload_option(const char *arguments, const char *name, uint32_t otherwise)
{
	const char *at = strstr(arguments, name);
	unsigned long value = at ? strtoul(at + strlen(name), NULL, 10) : 0;

	return value > 0 && value < 1000000 ? (uint32_t)value : otherwise;
}

static bool workload_is(const char *arguments, const char *program)
{
	size_t length = strcspn(arguments, " ");
	size_t wanted = strlen(program);

	return length >= wanted && strncmp(arguments + length - wanted, program, wanted) == 0 &&
	       (length == wanted || arguments[length - wanted - 1] == '/');
}

void guest_plan_workload(mock_guest *guest, uint64_t process, const char *arguments)
{
	struct guest_process *record = MOCK_EDIT(guest->memory, struct guest_process, process);
	const char *rest = arguments + strcspn(arguments, " ");

	record->workload = GUEST_PAUSE; /* whatever we do not know sits and waits */
	record->due = guest_root(guest)->clock;
	if (workload_is(arguments, "counter")) {
		record->workload = GUEST_COUNTER;
		record->interval = workload_option(arguments, "--every-ms ", 20) * MOCK_MS;
		record->n_pages = workload_option(arguments, "--pages ", 16);
		record->pages = mock_image_alloc(guest->memory, (size_t)record->n_pages * MOCK_PAGE_SIZE);
	} else if (workload_is(arguments, "echo")) {
		record->workload = GUEST_ECHO;
		record->text = mock_image_text(guest->memory, rest + (*rest == ' '));
	} else if (workload_is(arguments, "exit")) {
		record->workload = GUEST_EXIT;
		record->counter = strtoul(rest, NULL, 10);
		record->due += workload_option(arguments, "--after-ms ", 1) * MOCK_MS;
	} else if (workload_is(arguments, "cat")) {
		record->workload = GUEST_CAT;
	}
}

/* One step: a line, one more, and some pages that say so. The count rises only when its line could be printed. */
static void workload_count(mock_guest *guest, uint64_t process)
{
	struct guest_process *record = MOCK_EDIT(guest->memory, struct guest_process, process);
	uint64_t clock = guest_root(guest)->clock;
	char line[64];
	int length = snprintf(line, sizeof line, "counter %llu\n", (unsigned long long)record->counter + 1);

	record->due = record->due + 10 * record->interval < clock ? clock + record->interval : record->due + record->interval;
	if (!guest_stdio_print(guest, process, 1, line, (size_t)length))
		return;
	record->counter++;
	for (uint32_t i = 0; i < WORKLOAD_PAGES_PER_STEP && i < record->n_pages && record->pages; i++) {
		uint64_t page = (record->counter * WORKLOAD_PAGES_PER_STEP + i) % record->n_pages;

		*MOCK_EDIT(guest->memory, uint64_t, record->pages + page * MOCK_PAGE_SIZE) = record->counter;
	}
}

static void workload_echo(mock_guest *guest, uint64_t process)
{
	const char *text = guest_text(guest, MOCK_VIEW(guest->memory, struct guest_process, process)->text);
	char line[1200];
	int length = snprintf(line, sizeof line, "%.1100s\n", text);

	guest_stdio_print(guest, process, 1, line, (size_t)length);
	guest_end_process(guest, process, 0);
}

void guest_workload_tick(mock_guest *guest, uint64_t process)
{
	const struct guest_process *record = MOCK_VIEW(guest->memory, struct guest_process, process);
	uint64_t clock = guest_root(guest)->clock;

	guest_stdio_tick(guest, process);
	if (record->has_exited || clock < record->due)
		return;
	if (record->workload == GUEST_COUNTER)
		workload_count(guest, process);
	else if (record->workload == GUEST_ECHO)
		workload_echo(guest, process);
	else if (record->workload == GUEST_EXIT)
		guest_end_process(guest, process, (uint32_t)record->counter);
}

void guest_workload_input(mock_guest *guest, uint64_t process, const uint8_t *bytes, size_t size)
{
	const struct guest_process *record = MOCK_VIEW(guest->memory, struct guest_process, process);

	if (record->workload != GUEST_CAT || record->has_exited)
		return;
	if (size > 0)
		guest_stdio_print(guest, process, 1, (const char *)bytes, size);
	else
		guest_end_process(guest, process, 0); /* the end of its input */
}
