/* The destination: waits for a sandbox, finds places for what is in it, and runs it once it has been given the right. */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DESTINATION_PATIENCE (120 * MOCK_SECOND)

static const char *destination_text(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return text ? text : "";
}

static bool destination_import(demo_half *half, const cJSON *hello, const char *hex, char *reason, size_t size)
{
	lcowmig_import_options options = LCOWMIG_IMPORT_OPTIONS_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	uint8_t *envelope = demo_from_hex(hex, &options.envelope_size);
	lcowmig_status status;

	options.session_id = half->session;
	options.sandbox_id = destination_text(hello, "sandbox");
	options.envelope = envelope;
	status = lcowmig_migration_import(half->migration, &options, &error);
	free(envelope);
	if (status != LCOWMIG_OK)
		snprintf(reason, size, "%s", error.message);
	return status == LCOWMIG_OK;
}

/* New id, disks and stdio for one container; the sandbox container also brings the namespace. */
static bool destination_patch(demo_half *half, const demo_place *place, const char *source_id, char *reason, size_t size)
{
	lcowmig_patch patch = { .size = sizeof patch };
	lcowmig_rootfs_mount mount;
	char *texts[2];
	demo_wait wait;
	bool ok;

	demo_pod_rootfs(half->pod, place, texts, &mount);
	patch.source_container_id = source_id;
	patch.container_id = place->id;
	patch.rootfs = &mount;
	patch.n_rootfs = 1;
	patch.bundle = place->bundle;
	patch.stdout_path = place->is_sandbox ? NULL : place->stdout_path;
	patch.container_type = place->is_sandbox ? "sandbox" : "container";
	patch.namespace_id = place->is_sandbox ? half->pod->namespace_id : NULL;
	ok = demo_end(half, &wait, lcowmig_migration_patch(half->migration, &patch, demo_done, demo_begin(&wait), &wait.error));
	if (!ok)
		snprintf(reason, size, "%s", wait.error.message);
	free(texts[0]);
	free(texts[1]);
	return ok;
}

/* Everything up to a machine that waits for its memory. */
static bool destination_prepare(demo_half *half, char *reason, size_t size)
{
	cJSON *hello = NULL, *envelope = NULL, *places = NULL;
	const cJSON *ids;
	demo_wait wait;
	bool ok;

	ok = demo_expect(half, DEMO_HELLO, 0, DESTINATION_PATIENCE, &hello, reason, size) &&
	     demo_expect(half, DEMO_ENVELOPE, 0, DESTINATION_PATIENCE, &envelope, reason, size) &&
	     demo_expect(half, DEMO_PLACES, 0, DESTINATION_PATIENCE, &places, reason, size);
	ids = cJSON_GetObjectItemCaseSensitive(places, "containers");
	if (ok) {
		snprintf(half->session, sizeof half->session, "%s", destination_text(hello, "session"));
		ok = destination_import(half, hello, cJSON_GetStringValue(envelope) ? cJSON_GetStringValue(envelope) : "", reason, size);
	}
	if (ok) {
		demo_watch_session(half);
		half->pod = demo_pod_new(half->options, half->name, (unsigned)cJSON_GetArraySize(ids) - 1);
		ok = half->pod != NULL;
		if (!ok)
			snprintf(reason, size, "the destination has no place for the disks");
	}
	for (unsigned i = 0; ok && i < half->pod->n_places; i++)
		ok = destination_patch(half, &half->pod->places[i], cJSON_GetStringValue(cJSON_GetArrayItem(ids, (int)i)), reason, size);
	if (ok) {
		mock_host_set_endpoints(half->host, half->pod->namespace_id, half->pod->endpoints);
		ok = demo_end(half, &wait,
			      lcowmig_migration_prepare_destination(half->migration, half->session, NULL,
								    LCOWMIG_PREPARE_PATHS_SHARED /* the boot disk */, demo_done,
								    demo_begin(&wait), &wait.error));
		if (!ok)
			snprintf(reason, size, "%s", wait.error.message);
	}
	cJSON_Delete(hello);
	cJSON_Delete(envelope);
	cJSON_Delete(places);
	return ok;
}

static bool destination_transfer(demo_half *half, int listener, char *reason, size_t size)
{
	demo_wait wait;
	bool ok;
	int fd;

	demo_control_send(half->control, DEMO_READY, "{}", 2);
	fd = demo_accept(half->loop, listener, DEMO_GREETING_MEMORY, half->control, 30 * MOCK_SECOND, reason, size);
	if (fd < 0)
		return false;
	ok = demo_end(half, &wait,
		      lcowmig_migration_register_socket(half->migration, half->session, (const uint8_t *)&fd, sizeof fd, demo_done,
							demo_begin(&wait), &wait.error)) &&
	     lcowmig_migration_transfer(half->migration, half->session, NULL, &wait.error) == LCOWMIG_OK;
	close(fd);
	if (!ok)
		snprintf(reason, size, "%s", wait.error.message);
	return ok && demo_await_transfer(half, reason, size);
}

/* Nothing of it stays here. The right to run it never came, or was given back. */
static int destination_discard(demo_half *half, const char *why)
{
	lcowmig_migration_state state = lcowmig_migration_get_state(half->migration);
	char reason[LCOWMIG_ERROR_MESSAGE_SIZE];
	demo_wait wait;

	demo_say(half, "not taken over: %s", why);
	demo_fail_peer(half, why);
	if (state != LCOWMIG_MIGRATION_IDLE && state != LCOWMIG_MIGRATION_FAILED && state != LCOWMIG_MIGRATION_TRANSFER_COMPLETED)
		demo_end(half, &wait, lcowmig_migration_cancel(half->migration, half->session, demo_done, demo_begin(&wait), &wait.error));
	if (state != LCOWMIG_MIGRATION_IDLE) {
		if (!demo_finalize(half, LCOWMIG_FINALIZE_STOP, NULL, NULL, reason, sizeof reason))
			demo_say(half, "the machine here does not end: %s", reason);
		lcowmig_migration_cleanup(half->migration, half->session, NULL);
	}
	demo_say(half, "the sandbox does not run here");
	demo_write_report(half, false, 0, NULL);
	return DEMO_STAYED;
}

static int destination_give_back(demo_half *half, const char *why)
{
	char reason[LCOWMIG_ERROR_MESSAGE_SIZE];
	cJSON *answer = cJSON_CreateObject();
	char *token = demo_release(half, reason, sizeof reason);

	if (token) {
		cJSON_AddStringToObject(answer, "token", token);
		cJSON_AddStringToObject(answer, "why", why);
		demo_control_send_json(half->control, DEMO_GIVEN_BACK, answer);
		free(token);
	} else {
		cJSON_Delete(answer);
		demo_say(half, "the right to run the sandbox cannot be given back: %s", reason);
	}
	return destination_discard(half, why);
}

/* The first number that each container prints here follows the last one that was printed there. */
static unsigned destination_check_outputs(const demo_half *half, const cJSON *before)
{
	const cJSON *outputs = cJSON_GetObjectItemCaseSensitive(before, "outputs");
	unsigned n_wrong = 0;
	char reason[400];

	for (unsigned i = 0; i < half->pod->n_places; i++) {
		const demo_place *place = &half->pod->places[i];
		const cJSON *last = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(outputs, (int)i), "last");

		if (place->is_sandbox ||
		    demo_check_output((const char *const *)&place->stdout_path, 1,
				      cJSON_IsNumber(last) ? (unsigned long)last->valuedouble + 1 : 1, reason, sizeof reason) > 0)
			continue;
		n_wrong++;
		demo_say(half, "output is not what it should be: %s", reason);
	}
	if (n_wrong == 0)
		demo_say(half, "every container's output goes on without gap or repeat");
	return n_wrong;
}

static int destination_report(demo_half *half, const cJSON *before, const cJSON *source_timeline)
{
	bool runs = demo_prove_alive(half);
	cJSON *after = demo_describe(half), *timeline = demo_timeline(half);
	unsigned n_lost;

	if (source_timeline)
		demo_print_timeline("source", source_timeline);
	demo_print_timeline("destination", timeline);
	n_lost = demo_print_arrival(half, before, after);
	n_lost += destination_check_outputs(half, before);
	n_lost += !demo_prove_manageable(half);
	demo_write_report(half, runs, n_lost, after);
	cJSON_Delete(after);
	cJSON_Delete(timeline);
	return runs && n_lost == 0 ? DEMO_MIGRATED : DEMO_LOST;
}

static int destination_take_over(demo_half *half)
{
	char reason[LCOWMIG_ERROR_MESSAGE_SIZE] = "";
	cJSON *before = NULL, *timeline = NULL;
	const cJSON *outputs;
	int result;
	bool ok;

	if (!demo_expect(half, DEMO_TOKEN, 0, DESTINATION_PATIENCE, &before, reason, sizeof reason))
		return destination_discard(half, reason);
	if (half->options->fault == DEMO_FAULT_KILL_HOLDER) {
		demo_say(half, "dies now, with the right to run the sandbox");
		_exit(137);
	}
	outputs = cJSON_GetObjectItemCaseSensitive(before, "outputs");
	for (unsigned i = 0; i < half->pod->n_places; i++) {
		const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(outputs, (int)i), "bytes");

		mock_host_skip_stdout(half->host, half->pod->places[i].id, cJSON_IsNumber(bytes) ? (uint64_t)bytes->valuedouble : 0);
	}
	ok = demo_finalize(half, LCOWMIG_FINALIZE_RESUME, destination_text(before, "token"), NULL, reason, sizeof reason);
	if (!ok) {
		demo_say(half, "the sandbox does not resume: %s; trying again", reason);
		ok = demo_finalize(half, LCOWMIG_FINALIZE_RESUME, destination_text(before, "token"), NULL, reason, sizeof reason);
	}
	if (!ok) {
		cJSON_Delete(before);
		return destination_give_back(half, reason);
	}
	demo_control_send(half->control, DEMO_RUNNING, "{}", 2);
	demo_say(half, "the sandbox has been resumed");
	if (!demo_expect(half, DEMO_STOPPED, 0, 30 * MOCK_SECOND, &timeline, reason, sizeof reason))
		demo_say(half, "the source has not said goodbye: %s", reason);
	lcowmig_migration_cleanup(half->migration, half->session, NULL); /* the timeline outlives it */
	result = destination_report(half, before, timeline);
	cJSON_Delete(before);
	cJSON_Delete(timeline);
	return result;
}

static int destination_serve(demo_half *half, int listener)
{
	char reason[LCOWMIG_ERROR_MESSAGE_SIZE] = "";
	mock_watch *questions;
	int result;
	int fd = demo_accept(half->loop, listener, DEMO_GREETING_CONTROL, NULL, half->options->wait_seconds * MOCK_SECOND, reason,
			     sizeof reason);

	if (fd < 0)
		return destination_discard(half, reason);
	half->control = demo_control_new(half->loop, fd);
	if (!destination_prepare(half, reason, sizeof reason) || !destination_transfer(half, listener, reason, sizeof reason))
		return destination_discard(half, reason);
	demo_control_send(half->control, DEMO_ARRIVED, "{}", 2);
	questions = demo_answer_questions(half->loop, &listener);
	result = destination_take_over(half);
	mock_watch_free(questions);
	return result;
}

static bool destination_tell_port(const demo_half *half, unsigned port)
{
	FILE *file;

	demo_say(half, "waiting for a source at port %u", port);
	if (!half->options->port_file)
		return true;
	file = fopen(half->options->port_file, "wb");
	return file && fprintf(file, "%u\n", port) > 0 && fclose(file) == 0;
}

int demo_destination(const demo_options *options)
{
	mock_faults faults = { .refuse_finalize = options->fault == DEMO_FAULT_FINALIZE ? 100 : 0,
			       .guest = { .refuse_network_add = options->fault == DEMO_FAULT_GUEST } };
	char reason[300];
	unsigned port;
	demo_half half;
	int result = DEMO_STAYED;
	int listener = demo_listen(options->address, reason, sizeof reason, &port);

	if (listener < 0) {
		fprintf(stderr, "destination: %s\n", reason);
		return DEMO_STAYED;
	}
	if (demo_half_init(&half, options, "destination", NULL, &faults) && destination_tell_port(&half, port))
		result = destination_serve(&half, listener);
	demo_half_done(&half);
	close(listener);
	return result;
}
