/* cJSON's memory has process-wide hooks only. The library never sets them; this test does. */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "torture.h"

static struct json_memory {
	unsigned allocations;
	unsigned live;
	unsigned fail_in;
	bool fail_forever;
} json;

static void *json_allocate(size_t size)
{
	void *memory;

	json.allocations++;
	if (json.fail_in && --json.fail_in == 0) {
		json.fail_in = json.fail_forever ? 1 : 0;
		torture_armed.was_met = true;
		return NULL;
	}
	memory = malloc(size);
	if (memory)
		json.live++;
	return memory;
}

static void json_release(void *pointer)
{
	if (pointer)
		json.live--;
	free(pointer);
}

void torture_json_install(void)
{
	cJSON_Hooks hooks = { json_allocate, json_release };

	cJSON_InitHooks(&hooks);
}

void torture_json_fail(unsigned nth, bool forever)
{
	json.fail_in = nth;
	json.fail_forever = forever;
}

unsigned torture_json_allocations(void)
{
	return json.allocations;
}

unsigned torture_json_live(void)
{
	return json.live;
}
