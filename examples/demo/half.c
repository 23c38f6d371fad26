/* What both halves of the demo do: calls that pend, messages of the peer, the end of a session. */
#include "demo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void demo_say(const demo_half *half, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (half->options->progress && isatty(STDOUT_FILENO))
		fputs("\r\033[K", stdout); /* over the progress bar */
	printf("%s: ", half->name);
	vprintf(format, arguments);
	putchar('\n');
	fflush(stdout);
	va_end(arguments);
}

static void half_step(demo_half *half, const char *name)
{
	half->steps = realloc(half->steps, (half->n_steps + 1) * sizeof *half->steps);
	snprintf(half->steps[half->n_steps].name, sizeof half->steps->name, "%s", name);
	half->steps[half->n_steps++].at = mock_wall_clock();
}

static void half_event(void *user, const lcowmig_event *event)
{
	demo_half *half = user;

	if (lcowmig_event_get_type(event) == LCOWMIG_EVENT_TASK_EXIT)
		cJSON_AddNumberToObject(half->exits, lcowmig_event_container_id(event), lcowmig_event_exit_status(event));
}

static void half_progress(void *user, const mock_transfer_progress *progress)
{
	demo_show_progress(user, progress);
}

bool demo_half_init(demo_half *half, const demo_options *options, const char *name, const char *sandbox_id, const mock_faults *faults)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	mock_host_config config = {
		.name = name, .sandbox_id = sandbox_id, .fill_percent = 60, .user = half, .event = half_event, .progress = half_progress
	};

	*half = (demo_half){ .options = options, .name = name, .exits = cJSON_CreateObject(), .loop = mock_loop_new() };
	config.bandwidth = (uint64_t)options->bandwidth_mb << 20;
	config.log_level = LCOWMIG_LOG_INFO;
	config.quiet = !options->verbose;
	if (faults)
		config.faults = *faults;
	half->host = mock_host_new(half->loop, &config, &error);
	if (!half->host) {
		demo_say(half, "the library refuses to begin: %s", error.message);
		return false;
	}
	half->sandbox = mock_host_sandbox(half->host);
	half->migration = lcowmig_sandbox_migration(half->sandbox);
	return true;
}

void demo_half_done(demo_half *half)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	demo_wait wait;

	demo_control_free(half->control);
	if (half->sandbox && *lcowmig_migration_session_id(half->migration))
		demo_end(half, &wait,
			 lcowmig_migration_abandon(half->migration, lcowmig_migration_session_id(half->migration), demo_done,
						   demo_begin(&wait), &wait.error));
	if (half->sandbox &&
	    !demo_end(half, &wait, lcowmig_vm_terminate(lcowmig_sandbox_vm(half->sandbox), demo_done, demo_begin(&wait), &wait.error)))
		demo_say(half, "the virtual machine does not end: %s", wait.error.message);
	demo_run(half, 20);
	if (half->host && !mock_host_free(half->host, &error))
		demo_say(half, "the sandbox cannot be freed: %s", error.message);
	demo_pod_free(half->pod, half->options->directory || half->options->keep);
	mock_loop_free(half->loop);
	free(half->steps);
	cJSON_Delete(half->exits);
}

void demo_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	demo_wait *wait = user;

	wait->is_over = true;
	wait->status = status;
	if (status != LCOWMIG_OK)
		wait->error = *error;
}

demo_wait *demo_begin(demo_wait *wait)
{
	*wait = (demo_wait){ .error = LCOWMIG_ERROR_INIT };
	return wait;
}

bool demo_end(demo_half *half, demo_wait *wait, lcowmig_status status)
{
	if (status != LCOWMIG_PENDING)
		wait->status = status;
	while (status == LCOWMIG_PENDING && !wait->is_over)
		mock_loop_step(half->loop, MOCK_SECOND);
	return wait->status == LCOWMIG_OK;
}

void demo_run(demo_half *half, unsigned milliseconds)
{
	uint64_t end = mock_now() + milliseconds * MOCK_MS;

	while (mock_now() < end)
		mock_loop_step(half->loop, end - mock_now());
}

/* One message, if there is one: its type, with JSON parsed. */
static int half_take(demo_half *half, cJSON **ret_json, char *reason, size_t size)
{
	const uint8_t *data;
	size_t n;
	int type = half->control ? demo_control_next(half->control, &data, &n) : 0;

	if (type == 0)
		return 0;
	if (type == DEMO_FAILED)
		snprintf(reason, size, "the peer says: %.*s", (int)(n < size ? n : size - 1), (const char *)data);
	else if (ret_json)
		*ret_json = cJSON_ParseWithLength((const char *)data, n);
	return type;
}

int demo_expect(demo_half *half, int wanted, int or_else, uint64_t timeout, cJSON **ret_json, char *reason, size_t size)
{
	uint64_t end = mock_now() + timeout;
	int type;

	for (;;) {
		cJSON *json = NULL;

		type = half_take(half, &json, reason, size);
		if (type == wanted || (type == or_else && type != 0)) {
			if (ret_json)
				*ret_json = json;
			else
				cJSON_Delete(json);
			return type;
		}
		cJSON_Delete(json);
		if (type == DEMO_FAILED)
			return 0;
		if (type != 0) {
			snprintf(reason, size, "the peer said something unexpected (%d)", type);
			return 0;
		}
		if (!half->control || demo_control_is_lost(half->control)) {
			snprintf(reason, size, "the peer is gone");
			return 0;
		}
		if (mock_now() >= end) {
			snprintf(reason, size, "the peer says nothing");
			return 0;
		}
		mock_loop_step(half->loop, 100 * MOCK_MS);
	}
}

void demo_fail_peer(demo_half *half, const char *reason)
{
	if (half->control)
		demo_control_send(half->control, DEMO_FAILED, reason, strlen(reason));
}

/* ---- The session ---- */

static void half_notified(void *user, const lcowmig_notification *notification)
{
	static const char *const phases[] = { "",
					      "setup done",
					      "transfer in progress",
					      "blackout started",
					      "offline done",
					      "blackout exited",
					      "done",
					      "recovery done",
					      "failed" };
	static const char *const steps[] = {
		"",       "exported", "imported",  "patched",   "transfer started", "transfer completed", "right released",
		"forced", "resumed",  "finalized", "cancelled", "machine ended"
	};
	demo_half *half = user;
	lcowmig_phase phase;
	lcowmig_step step;
	char name[48];

	if (!notification)
		return;
	phase = lcowmig_notification_phase(notification);
	step = lcowmig_notification_step(notification);
	if (lcowmig_notification_has_blackout(notification)) {
		snprintf(name, sizeof name, "blackout exited after %llu ms",
			 (unsigned long long)lcowmig_notification_blackout_ms(notification));
		half_step(half, name);
	} else if (step == LCOWMIG_STEP_NONE && phase <= LCOWMIG_PHASE_FAILED) {
		half_step(half, phases[phase]);
	} else if (step <= LCOWMIG_STEP_VM_ENDED && step != LCOWMIG_STEP_RESUMED && step != LCOWMIG_STEP_PATCHED) {
		half_step(half, steps[step]);
	} else if (lcowmig_notification_number(notification) == lcowmig_notification_total(notification)) {
		half_step(half, steps[step]);
	}
}

void demo_watch_session(demo_half *half)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_subscription *subscription;

	if (lcowmig_migration_subscribe(half->migration, half->session, LCOWMIG_SUBSCRIBE_STEPS, half_notified, half, &subscription,
					&error) != LCOWMIG_OK)
		demo_say(half, "there will be no timeline: %s", error.message);
}

bool demo_await_transfer(demo_half *half, char *reason, size_t size)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_migration_state state;

	for (;;) {
		state = lcowmig_migration_get_state(half->migration);
		if (state == LCOWMIG_MIGRATION_TRANSFER_COMPLETED)
			return true;
		if (state == LCOWMIG_MIGRATION_FAILED) {
			lcowmig_migration_failure(half->migration, &error);
			snprintf(reason, size, "%s", error.message);
			return false;
		}
		if (state != LCOWMIG_MIGRATION_SOCKET_WAITING && state != LCOWMIG_MIGRATION_SOCKET_READY &&
		    state != LCOWMIG_MIGRATION_TRANSFERRING) {
			snprintf(reason, size, "the session is %s", lcowmig_migration_state_name(state));
			return false;
		}
		mock_loop_step(half->loop, 100 * MOCK_MS);
	}
}

static int half_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *demo_to_hex(const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *text = mock_alloc(2 * size + 1);

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return text;
}

uint8_t *demo_from_hex(const char *text, size_t *ret_size)
{
	uint8_t *bytes = mock_alloc(strlen(text) / 2 + 1);
	size_t n = 0;

	while (half_digit(text[2 * n]) >= 0 && half_digit(text[2 * n + 1]) >= 0) {
		bytes[n] = (uint8_t)(half_digit(text[2 * n]) << 4 | half_digit(text[2 * n + 1]));
		n++;
	}
	*ret_size = n;
	return bytes;
}

bool demo_finalize(demo_half *half, lcowmig_finalize_action action, const char *token, const char *force, char *reason, size_t size)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	uint8_t *bytes = token ? demo_from_hex(token, &options.token_size) : NULL;
	demo_wait wait;
	bool ended;

	options.action = (uint32_t)action;
	options.token = bytes;
	if (force) {
		options.flags = LCOWMIG_FINALIZE_FORCE;
		options.reason = force;
	}
	ended = demo_end(half, &wait,
			 lcowmig_migration_finalize(half->migration, half->session, &options, demo_done, demo_begin(&wait), &wait.error));
	free(bytes); /* copied */
	if (!ended)
		snprintf(reason, size, "%s", wait.error.message);
	return ended;
}

char *demo_release(demo_half *half, char *reason, size_t size)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	uint8_t bytes[LCOWMIG_TOKEN_SIZE_MAX];
	size_t n = 0;

	if (lcowmig_migration_release(half->migration, half->session, bytes, sizeof bytes, &n, &error) != LCOWMIG_OK) {
		snprintf(reason, size, "%s", error.message);
		return NULL;
	}
	return demo_to_hex(bytes, n);
}

bool demo_prove_alive(demo_half *half)
{
	const mock_guest *guest = mock_host_guest(half->host);
	/* A guest that found nobody at its stdio ports tries again after 100 ms. */
	unsigned milliseconds = half->options->run_ms < 300 ? 300 : half->options->run_ms;
	unsigned long before = 0, after = 0;
	mock_guest_container container;
	uint32_t n = 0;

	for (; guest && mock_guest_get_container(guest, n, &container); n++)
		before += container.counter;
	demo_run(half, milliseconds);
	guest = mock_host_guest(half->host);
	for (uint32_t i = 0; guest && mock_guest_get_container(guest, i, &container); i++)
		after += container.counter;
	if (mock_host_guest_runs(half->host) && after > before) {
		demo_say(half, "the sandbox runs here: %u containers, their counters rose by %lu in %u ms", (unsigned)n, after - before,
			 milliseconds);
		return true;
	}
	demo_say(half, "the sandbox does not run here");
	return false;
}
