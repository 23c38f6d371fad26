/* The source: makes a sandbox with a pod, and gives it to whoever listens. */
#include "demo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE_SANDBOX "demo-sandbox"
#define SOURCE_SESSION "5f0b1190-63be-4e0c-b974-bd0f55675a42"
#define SOURCE_PATIENCE (120 * MOCK_SECOND)

static bool source_start_container(demo_half *half, lcowmig_pod *pod, const demo_place *place)
{
	lcowmig_container_options options = { .size = sizeof options };
	lcowmig_rootfs_mount mount;
	lcowmig_container *container;
	char *texts[2];
	demo_wait wait;
	bool ok;

	demo_begin(&wait);
	if (lcowmig_pod_new_container(pod, place->id, &container, &wait.error) != LCOWMIG_OK)
		return demo_say(half, "container %s: %s", place->id, wait.error.message), false;
	demo_pod_rootfs(half->pod, place, texts, &mount);
	options.oci_spec = place->spec;
	options.oci_spec_size = strlen(place->spec);
	options.rootfs = &mount;
	options.n_rootfs = 1;
	options.bundle = place->bundle;
	options.stdout_path = place->is_sandbox ? NULL : place->stdout_path;
	ok = demo_end(half, &wait, lcowmig_container_create(container, &options, demo_done, demo_begin(&wait), &wait.error)) &&
	     demo_end(half, &wait, lcowmig_container_start(container, demo_done, demo_begin(&wait), &wait.error));
	if (!ok)
		demo_say(half, "container %s: %s", place->id, wait.error.message);
	free(texts[0]);
	free(texts[1]);
	return ok;
}

/* A machine, a pod with its network, and its containers: what a shim does long before anybody thinks of moving it. */
static bool source_bring_up(demo_half *half)
{
	lcowmig_vm *vm = lcowmig_sandbox_vm(half->sandbox);
	lcowmig_vm_options options = LCOWMIG_VM_OPTIONS_INIT;
	char *document = demo_pod_document(half->options->memory_mb);
	lcowmig_pod *pod;
	demo_wait wait;
	bool ok;

	options.architecture = "amd64";
	mock_host_set_endpoints(half->host, half->pod->namespace_id, half->pod->endpoints);
	ok = demo_end(half, &wait,
		      lcowmig_vm_create(vm, document, strlen(document), &options, demo_done, demo_begin(&wait), &wait.error)) &&
	     demo_end(half, &wait, lcowmig_vm_start(vm, demo_done, demo_begin(&wait), &wait.error)) &&
	     lcowmig_pod_new(half->sandbox, half->pod->places[0].id, half->pod->namespace_id, &pod, &wait.error) == LCOWMIG_OK &&
	     demo_end(half, &wait, lcowmig_pod_setup_network(pod, demo_done, demo_begin(&wait), &wait.error));
	free(document);
	if (!ok)
		demo_say(half, "the pod does not come up: %s", wait.error.message);
	for (unsigned i = 0; ok && i < half->pod->n_places; i++)
		ok = source_start_container(half, pod, &half->pod->places[i]);
	return ok;
}

/* Session, envelope and what the destination has to find a place for. */
static bool source_send_sandbox(demo_half *half, char *reason, size_t size)
{
	cJSON *hello = cJSON_CreateObject(), *places = cJSON_CreateObject(), *list;
	const uint8_t *envelope = NULL;
	size_t n = 0;
	char *hex;

	cJSON_AddStringToObject(hello, "session", half->session);
	cJSON_AddStringToObject(hello, "sandbox", SOURCE_SANDBOX);
	demo_control_send_json(half->control, DEMO_HELLO, hello);
	lcowmig_migration_envelope(half->migration, half->session, &envelope, &n, NULL);
	hex = demo_to_hex(envelope, n);
	demo_control_send_json(half->control, DEMO_ENVELOPE, cJSON_CreateString(hex));
	free(hex);
	list = cJSON_AddArrayToObject(places, "containers");
	for (unsigned i = 0; i < half->pod->n_places; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(half->pod->places[i].id));
	demo_control_send_json(half->control, DEMO_PLACES, places);
	demo_say(half, "sent an envelope of %zu bytes with %u containers", n, half->pod->n_places);
	return demo_expect(half, DEMO_READY, 0, SOURCE_PATIENCE, NULL, reason, size) != 0;
}

static bool source_transfer(demo_half *half, char *reason, size_t size)
{
	demo_wait wait;
	bool ok;
	int fd = demo_connect(half->options->address, DEMO_GREETING_MEMORY, reason, size);

	if (fd < 0)
		return false;
	ok = demo_end(half, &wait,
		      lcowmig_migration_register_socket(half->migration, half->session, (const uint8_t *)&fd, sizeof fd, demo_done,
							demo_begin(&wait), &wait.error)) &&
	     lcowmig_migration_transfer(half->migration, half->session, NULL, &wait.error) == LCOWMIG_OK;
	close(fd); /* the library has its own */
	if (!ok)
		snprintf(reason, size, "%s", wait.error.message);
	return ok && demo_await_transfer(half, reason, size) &&
	       demo_expect(half, DEMO_ARRIVED, 0, SOURCE_PATIENCE, NULL, reason, size) != 0;
}

/* What the guest is like now that it stands still, and how much of its output has been passed on here. */
static cJSON *source_last_state(demo_half *half)
{
	cJSON *state = demo_describe(half);
	cJSON *outputs = cJSON_AddArrayToObject(state, "outputs");
	char reason[300];

	for (unsigned i = 0; i < half->pod->n_places; i++) {
		const demo_place *place = &half->pod->places[i];
		cJSON *output = cJSON_CreateObject();

		cJSON_AddNumberToObject(output, "bytes", (double)mock_host_stdout_bytes(half->host, place->id));
		cJSON_AddNumberToObject(output, "last",
					place->is_sandbox ? 0
							  : (double)demo_check_output((const char *const *)&place->stdout_path, 1, 1,
										      reason, sizeof reason));
		cJSON_AddItemToArray(outputs, output);
	}
	return state;
}

/* The sandbox goes on here, whatever happened. `token`: the right comes back. `force`: it is taken. */
static int source_stay(demo_half *half, const char *why, const char *token, const char *force)
{
	lcowmig_migration_state state = lcowmig_migration_get_state(half->migration);
	char reason[LCOWMIG_ERROR_MESSAGE_SIZE] = "";
	cJSON *now;
	demo_wait wait;
	bool runs;

	demo_say(half, "not moved: %s", why);
	if (state != LCOWMIG_MIGRATION_IDLE && state != LCOWMIG_MIGRATION_FAILED && state != LCOWMIG_MIGRATION_TRANSFER_COMPLETED)
		demo_end(half, &wait, lcowmig_migration_cancel(half->migration, half->session, demo_done, demo_begin(&wait), &wait.error));
	if (state != LCOWMIG_MIGRATION_IDLE) {
		if (!demo_finalize(half, LCOWMIG_FINALIZE_RESUME, token, force, reason, sizeof reason))
			demo_say(half, "the sandbox cannot be resumed: %s", reason);
		lcowmig_migration_cleanup(half->migration, half->session, NULL);
		now = demo_timeline(half);
		demo_print_timeline("source", now);
		cJSON_Delete(now);
	}
	runs = demo_prove_alive(half);
	now = demo_describe(half);
	runs = runs && demo_prove_manageable(half);
	demo_write_report(half, runs, 0, now);
	cJSON_Delete(now);
	return runs ? DEMO_STAYED : DEMO_LOST;
}

static int source_gone(demo_half *half)
{
	char reason[LCOWMIG_ERROR_MESSAGE_SIZE];
	cJSON *timeline;

	demo_say(half, "the destination runs the sandbox; ending it here");
	if (!demo_finalize(half, LCOWMIG_FINALIZE_STOP, NULL, NULL, reason, sizeof reason))
		demo_say(half, "the machine here does not end: %s", reason);
	timeline = demo_timeline(half);
	lcowmig_migration_cleanup(half->migration, half->session, NULL);
	demo_control_send_json(half->control, DEMO_STOPPED, timeline);
	demo_write_report(half, false, 0, NULL);
	demo_control_flush(half->control);
	return DEMO_MIGRATED;
}

/* The right is given away. It comes back, or it does not; and if the other side is dead, an operator says so. */
static int source_hand_over(demo_half *half)
{
	char reason[LCOWMIG_ERROR_MESSAGE_SIZE], probe[200];
	cJSON *state = source_last_state(half), *answer = NULL;
	char *token = demo_release(half, reason, sizeof reason);
	int type, result;

	if (!token) {
		cJSON_Delete(state);
		demo_fail_peer(half, reason);
		return source_stay(half, reason, NULL, NULL);
	}
	cJSON_AddStringToObject(state, "token", token);
	free(token);
	demo_control_send_json(half->control, DEMO_TOKEN, state);
	if (half->options->fault == DEMO_FAULT_KILL_SOURCE) {
		demo_say(half, "dies now; it has given the sandbox away");
		raise(SIGKILL);
	}
	type = demo_expect(half, DEMO_RUNNING, DEMO_GIVEN_BACK, SOURCE_PATIENCE, &answer, reason, sizeof reason);
	if (type == DEMO_RUNNING) {
		result = source_gone(half);
	} else if (type == DEMO_GIVEN_BACK) {
		snprintf(probe, sizeof probe, "the destination gives the sandbox back: %.120s",
			 cJSON_GetStringValue(cJSON_GetObjectItem(answer, "why")));
		result = source_stay(half, probe, cJSON_GetStringValue(cJSON_GetObjectItem(answer, "token")), NULL);
	} else {
		demo_peer peer = demo_ask(half->options->address, probe, sizeof probe);

		/* A process that is gone took its machine along. Nothing less is proof; without it nobody but an operator may decide. */
		if (peer == DEMO_PEER_DEAD) {
			result = source_stay(half, "the destination died with the right to run the sandbox", NULL, probe);
		} else if (peer == DEMO_PEER_ALIVE) {
			result = source_gone(half);
		} else {
			demo_say(half, "cannot tell whether the destination runs the sandbox (%s); it is held here and not resumed", probe);
			result = DEMO_LOST;
		}
	}
	cJSON_Delete(answer);
	return result;
}

static int source_move(demo_half *half)
{
	char reason[LCOWMIG_ERROR_MESSAGE_SIZE] = "";
	demo_wait wait;
	int fd = demo_connect(half->options->address, DEMO_GREETING_CONTROL, reason, sizeof reason);

	if (fd < 0)
		return source_stay(half, reason, NULL, NULL);
	half->control = demo_control_new(half->loop, fd);
	snprintf(half->session, sizeof half->session, "%s", SOURCE_SESSION);
	if (!demo_end(half, &wait,
		      lcowmig_migration_prepare_source(half->migration, half->session, NULL, demo_done, demo_begin(&wait), &wait.error))) {
		demo_fail_peer(half, wait.error.message);
		return source_stay(half, wait.error.message, NULL, NULL);
	}
	demo_watch_session(half);
	if (!demo_end(half, &wait, lcowmig_migration_export(half->migration, half->session, demo_done, demo_begin(&wait), &wait.error))) {
		demo_fail_peer(half, wait.error.message);
		return source_stay(half, wait.error.message, NULL, NULL);
	}
	if (!source_send_sandbox(half, reason, sizeof reason) || !source_transfer(half, reason, sizeof reason)) {
		demo_fail_peer(half, reason);
		return source_stay(half, reason, NULL, NULL);
	}
	demo_say(half, "everything has been transferred");
	return source_hand_over(half);
}

int demo_source(const demo_options *options)
{
	mock_faults faults = { .break_in_pass = options->fault == DEMO_FAULT_TRANSFER,
			       .break_in_blackout = options->fault == DEMO_FAULT_BLACKOUT };
	demo_half half;
	int result = DEMO_LOST;

	if (demo_half_init(&half, options, "source", SOURCE_SANDBOX, &faults)) {
		half.pod = demo_pod_new(options, "source", options->containers);
		if (half.pod && source_bring_up(&half)) {
			demo_say(&half, "a sandbox with %u containers runs, %u MB of memory", half.pod->n_places, options->memory_mb);
			demo_run(&half, options->run_ms);
			result = source_move(&half);
		}
	}
	demo_half_done(&half);
	return result;
}
