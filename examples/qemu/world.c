/* The running sandbox: from a cold start to its end. */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void world_event(void *user, const lcowmig_event *event)
{
	demo_side *side = user;

	if (lcowmig_event_get_type(event) == LCOWMIG_EVENT_TASK_EXIT)
		side->exits++;
	if (side->world->options->is_verbose)
		fprintf(stderr, "%s: event %d of %s, status %u\n", side->site->name, (int)lcowmig_event_get_type(event),
		        lcowmig_event_container_id(event), (unsigned)lcowmig_event_exit_status(event));
}

static void world_phase(void *user, qemu_phase phase)
{
	static const demo_point points[] = { POINT_SETUP, POINT_TRANSFER, POINT_BLACKOUT, POINT_SWITCHOVER, POINT_MOVED };
	demo_side *side = user;
	demo_world *world = side->world;

	if (phase == QEMU_PHASE_RUNS) {
		world->runs_twice = world->runs_twice || (qemu_host_runs(world->sides[0].host) && qemu_host_runs(world->sides[1].host));
		return;
	}
	/* The points are the source's: each phase is told by both sides, and something goes wrong once. */
	if (world->migration && side->is_source)
		demo_reach(world->migration, points[phase]);
}

static void world_datagram(void *user, const uint8_t *bytes, size_t size)
{
	demo_side *side = user;

	if (size > 3 && memcmp(bytes, "c3 ", 3) == 0)
		side->datagrams++;
}

static void world_guest_log(void *user, const uint8_t *bytes, size_t size)
{
	demo_side *side = user;

	if (side->world->options->is_verbose)
		fprintf(stderr, "%s: guest: %.*s", side->site->name, (int)size, (const char *)bytes);
}

static FILE *world_log(demo_world *world)
{
	char path[600];

	snprintf(path, sizeof path, "%s/log", world->options->directory);
	if (!world->log)
		world->log = world->options->is_verbose ? stderr : fopen(path, "a");
	return world->log ? world->log : stderr;
}

qemu_host *demo_make_host(demo_world *world, unsigned index, const char *sandbox_id)
{
	demo_side *side = &world->sides[index];
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	qemu_host_config config = { .name = world->sites[index].name,
		                    .sandbox_id = sandbox_id,
		                    .console = world->sites[index].console,
		                    .use_kvm = world->options->use_kvm,
		                    .log_level = LCOWMIG_LOG_DEBUG,
		                    .log = world_log(world),
		                    .user = side,
		                    .event = world_event,
		                    .phase = world_phase,
		                    .guest_log = world_guest_log,
		                    .datagram = world_datagram };

	side->world = world;
	side->site = &world->sites[index];
	side->exits = 0;
	side->datagrams = 0;
	demo_name_site(side->site, world->hop);
	side->host = qemu_host_new(world->loop, &config, &error);
	if (!side->host) {
		fprintf(stderr, "%s: no host: %s\n", side->site->name, error.message);
		return NULL;
	}
	qemu_host_set_endpoints(side->host, side->site->namespace_id, side->site->endpoints);
	return side->host;
}

bool demo_drop_host(demo_world *world, unsigned index)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;

	for (int i = 0; i < 8; i++)
		mock_loop_step(world->loop, 0);
	if (world->sides[1 - index].host)
		qemu_host_set_peer(world->sides[1 - index].host, NULL);
	if (!qemu_host_free(world->sides[index].host, &error)) {
		fprintf(stderr, "%s: the host cannot be freed: %s\n", world->sites[index].name, error.message);
		return false;
	}
	world->sides[index].host = NULL;
	return true;
}

static bool world_fail(const char *what, lcowmig_status status, const lcowmig_error *error)
{
	fprintf(stderr, "lcowmig-qemu: %s: %s: %s\n", what, lcowmig_status_name(status), error->message);
	return false;
}

/* What an operation that was awaited says, whether it failed at once or later. */
#define AWAIT(world, end, what, operation)                                                \
	do {                                                                              \
		end = (demo_end){ .error = LCOWMIG_ERROR_INIT };                          \
		if (demo_await((world)->loop, &(end), (operation)) != LCOWMIG_OK)         \
			return world_fail((what), (end).status, &(end).error);            \
	} while (0)

static bool world_start_container(demo_world *world, lcowmig_pod *pod, const demo_place *place)
{
	lcowmig_container_options options = { .size = sizeof options, .oci_spec = place->spec, .oci_spec_size = strlen(place->spec),
		                              .n_rootfs = 1, .bundle = place->bundle, .stdout_path = place->log };
	char texts[2][1200];
	const char *list[2];
	lcowmig_rootfs_mount mount;
	lcowmig_container *container;
	demo_end end = { .error = LCOWMIG_ERROR_INIT };

	demo_rootfs(place, texts, list, &mount);
	options.rootfs = &mount;
	if (lcowmig_pod_new_container(pod, place->id, &container, &end.error) != LCOWMIG_OK)
		return world_fail("making a container", (lcowmig_status)end.error.status, &end.error);
	AWAIT(world, end, "creating a container", lcowmig_container_create(container, &options, demo_done, &end, &end.error));
	AWAIT(world, end, "starting a container", lcowmig_container_start(container, demo_done, &end, &end.error));
	return true;
}

bool demo_start(demo_world *world)
{
	qemu_host *host = demo_make_host(world, world->at, "qemu-sandbox");
	demo_site *site = &world->sites[world->at];
	lcowmig_sandbox *sandbox = host ? qemu_host_sandbox(host) : NULL;
	lcowmig_vm *vm = lcowmig_sandbox_vm(sandbox);
	lcowmig_vm_options options = LCOWMIG_VM_OPTIONS_INIT;
	demo_end end = { .error = LCOWMIG_ERROR_INIT };
	char *document;
	lcowmig_pod *pod;

	if (!host)
		return false;
	options.architecture = "amd64";
	document = demo_document(world->options);
	demo_await(world->loop, &end, lcowmig_vm_create(vm, document, strlen(document), &options, demo_done, &end, &end.error));
	free(document);
	if (end.status != LCOWMIG_OK)
		return world_fail("creating the machine", end.status, &end.error);
	AWAIT(world, end, "starting the machine", lcowmig_vm_start(vm, demo_done, &end, &end.error));
	if (lcowmig_pod_new(sandbox, site->pod_id, site->namespace_id, &pod, &end.error) != LCOWMIG_OK)
		return world_fail("making the pod", (lcowmig_status)end.error.status, &end.error);
	AWAIT(world, end, "setting up the network", lcowmig_pod_setup_network(pod, demo_done, &end, &end.error));
	for (unsigned i = 0; i < DEMO_PLACES; i++) {
		if (!world_start_container(world, pod, &site->places[i]))
			return false;
	}
	return true;
}

void demo_run_for(demo_world *world, unsigned ms)
{
	uint64_t end = mock_now() + ms * MOCK_MS;

	while (mock_now() < end)
		mock_loop_step(world->loop, end - mock_now());
}

bool demo_is_counting(demo_world *world)
{
	long before[DEMO_PLACES];
	bool are_all = false;

	for (unsigned i = 1; i < DEMO_PLACES; i++)
		before[i] = demo_last_count(world->sites[0].places[i].log, NULL, NULL);
	for (int tries = 0; tries < 100 && !are_all; tries++) {
		demo_run_for(world, 50);
		are_all = true;
		for (unsigned i = 1; i < DEMO_PLACES; i++)
			are_all = are_all && demo_last_count(world->sites[0].places[i].log, NULL, NULL) > before[i];
	}
	if (!are_all)
		fprintf(stderr, "lcowmig-qemu: not every counter counts\n");
	return are_all;
}

static bool world_end_container(demo_world *world, const demo_place *place, uint32_t signal)
{
	lcowmig_sandbox *sandbox = qemu_host_sandbox(world->sides[world->at].host);
	lcowmig_container *container;
	lcowmig_pod *pod;
	lcowmig_exit how = LCOWMIG_EXIT_INIT;
	demo_end end = { .error = LCOWMIG_ERROR_INIT };

	if (lcowmig_sandbox_find_container(sandbox, place->id, &container, &pod, &end.error) != LCOWMIG_OK)
		return world_fail("finding a container", (lcowmig_status)end.error.status, &end.error);
	AWAIT(world, end, "a signal", lcowmig_container_kill(container, NULL, signal, false, demo_done, &end, &end.error));
	AWAIT(world, end, "waiting for a container", lcowmig_container_wait(container, demo_done, &end, &end.error));
	AWAIT(world, end, "deleting a container", lcowmig_container_delete(container, NULL, &how, demo_done, &end, &end.error));
	if (how.exit_status != (signal == 9 ? 137u : 0u))
		fprintf(stderr, "lcowmig-qemu: container %s ended with %u\n", place->id, (unsigned)how.exit_status);
	return lcowmig_pod_delete_container(pod, place->id, &end.error) == LCOWMIG_OK ||
	       world_fail("forgetting a container", (lcowmig_status)end.error.status, &end.error);
}

bool demo_stop(demo_world *world)
{
	lcowmig_sandbox *sandbox = qemu_host_sandbox(world->sides[world->at].host);
	demo_site *site = &world->sites[world->at];
	demo_end end = { .error = LCOWMIG_ERROR_INIT };
	lcowmig_pod *pod;

	for (unsigned i = DEMO_PLACES; i-- > 0;) {
		if (!world_end_container(world, &site->places[i], i == 0 ? 9 : 15))
			return false;
	}
	if (lcowmig_sandbox_find_pod(sandbox, site->pod_id, &pod, &end.error) != LCOWMIG_OK)
		return world_fail("finding the pod", (lcowmig_status)end.error.status, &end.error);
	AWAIT(world, end, "taking the network away", lcowmig_pod_teardown_network(pod, demo_done, &end, &end.error));
	if (lcowmig_pod_delete(pod, &end.error) != LCOWMIG_OK)
		return world_fail("forgetting the pod", (lcowmig_status)end.error.status, &end.error);
	AWAIT(world, end, "ending the machine", lcowmig_vm_terminate(lcowmig_sandbox_vm(sandbox), demo_done, &end, &end.error));
	if (world->sides[world->at].exits != DEMO_PLACES) {
		fprintf(stderr, "lcowmig-qemu: %u exits were told of %u containers\n", world->sides[world->at].exits, DEMO_PLACES);
		return false;
	}
	return demo_drop_host(world, world->at);
}

void demo_destroy(demo_world *world)
{
	for (unsigned i = 0; i < 2; i++) {
		demo_end end = { .error = LCOWMIG_ERROR_INIT };
		lcowmig_sandbox *sandbox;

		if (!world->sides[i].host)
			continue;
		sandbox = qemu_host_sandbox(world->sides[i].host);
		demo_await(world->loop, &end, lcowmig_vm_terminate(lcowmig_sandbox_vm(sandbox), demo_done, &end, &end.error));
		demo_drop_host(world, i);
	}
}
