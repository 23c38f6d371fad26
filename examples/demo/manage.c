/* What a client will ask one day of the side that has the sandbox: end a container, hear of its exit, take its disks away. */
#include "demo.h"

#include <stdio.h>
#include <string.h>

#define MANAGE_SIGTERM 15u
#define MANAGE_EXIT_STATUS (128u + MANAGE_SIGTERM)

static bool manage_has_disk(const demo_half *half, const char *path)
{
	for (uint32_t slot = 0; slot < 256; slot++) {
		const char *disk = mock_host_disk(half->host, slot / 64, slot % 64);

		if (disk && strcmp(disk, path) == 0)
			return true;
	}
	return false;
}

bool demo_prove_manageable(demo_half *half)
{
	const demo_place *place = &half->pod->places[half->pod->n_places - 1];
	lcowmig_exit how = LCOWMIG_EXIT_INIT;
	const cJSON *announced;
	lcowmig_container *container;
	lcowmig_pod *pod;
	demo_wait wait;
	bool ok;

	demo_begin(&wait);
	ok = lcowmig_sandbox_find_container(half->sandbox, place->id, &container, &pod, &wait.error) == LCOWMIG_OK &&
	     demo_end(half, &wait,
		      lcowmig_container_kill(container, NULL, MANAGE_SIGTERM, false, demo_done, demo_begin(&wait), &wait.error)) &&
	     demo_end(half, &wait, lcowmig_container_wait(container, demo_done, demo_begin(&wait), &wait.error)) &&
	     demo_end(half, &wait, lcowmig_container_delete(container, NULL, &how, demo_done, demo_begin(&wait), &wait.error)) &&
	     lcowmig_pod_delete_container(pod, place->id, &wait.error) == LCOWMIG_OK;
	announced = cJSON_GetObjectItemCaseSensitive(half->exits, place->id);
	if (!ok)
		demo_say(half, "container %s cannot be ended: %s", place->id, wait.error.message);
	else if (how.exit_status != MANAGE_EXIT_STATUS || !announced || announced->valuedouble != MANAGE_EXIT_STATUS)
		demo_say(half, "container %s ended with %u, LOST is the signal it was sent", place->id, (unsigned)how.exit_status);
	else if (manage_has_disk(half, place->scratch))
		demo_say(half, "the disk of container %s is still plugged in", place->id);
	else
		return demo_say(half, "container %s was ended with a signal (exit status %u), and its disk unplugged", place->id,
				(unsigned)how.exit_status),
		       true;
	return false;
}
