/* One object of everything; see qemu_host.h. */
#include "host_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void host_explain(lcowmig_call *call, uint32_t hresult, const char *format, va_list arguments)
{
	char message[400];

	vsnprintf(message, sizeof message, format, arguments);
	lcowmig_call_set_error(call, hresult, message);
}

lcowmig_status host_fail(lcowmig_call *call, uint32_t hresult, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	host_explain(call, hresult, format, arguments);
	va_end(arguments);
	return LCOWMIG_E_HOST_FAILED;
}

void host_complete_failed(lcowmig_call *call, uint32_t hresult, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	host_explain(call, hresult, format, arguments);
	va_end(arguments);
	lcowmig_call_complete(call, LCOWMIG_E_HOST_FAILED);
}

void host_phase(qemu_host *host, qemu_phase phase)
{
	if (host->config.phase)
		host->config.phase(host->config.user, phase);
}

static void host_log(void *user, lcowmig_log_level level, const char *message)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	const qemu_host *host = user;

	fprintf(host->config.log, "%s: %s: %s\n", host->name, names[level], message);
}

static void host_event(void *user, const lcowmig_event *event)
{
	const qemu_host *host = user;

	if (host->config.event)
		host->config.event(host->config.user, event);
}

static void host_guest_log(void *user, const uint8_t *bytes, size_t size)
{
	const qemu_host *host = user;

	if (host->config.guest_log)
		host->config.guest_log(host->config.user, bytes, size);
}

static lcowmig_status host_make_bridge(qemu_host *host, lcowmig_error *error)
{
	lcowmig_gcs_config config = LCOWMIG_GCS_CONFIG_INIT;
	lcowmig_stream_ops streams;

	streams_fill_ops(host, &streams);
	config.streams = &streams;
	config.user = host;
	config.log = host_guest_log;
	return lcowmig_gcs_new(host->context, &config, &host->gcs, error);
}

static lcowmig_status host_make_sandbox(qemu_host *host, const char *id, lcowmig_error *error)
{
	lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;
	lcowmig_event_ops events = { sizeof events, host, host_event };
	lcowmig_hcs_ops hcs;
	lcowmig_guest_ops guest;
	lcowmig_network_ops network;
	lcowmig_stdio_ops stdio;
	lcowmig_socket_ops socket;

	hcs_fill_ops(host, &hcs);
	lcowmig_gcs_guest_ops(host->gcs, &guest);
	network_fill_ops(host, &network);
	stdio_fill_ops(host, &stdio);
	socket_fill_ops(host, &socket);
	config.id = id;
	config.hcs = &hcs;
	config.guest = &guest;
	config.network = &network;
	config.stdio = &stdio;
	config.socket = &socket;
	config.events = &events;
	return lcowmig_sandbox_new(host->context, &config, &host->sandbox, error);
}

qemu_host *qemu_host_new(mock_loop *loop, const qemu_host_config *config, lcowmig_error *error)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	qemu_host *host = mock_alloc(sizeof *host);

	host->loop = loop;
	host->config = *config;
	host->name = mock_strdup(config->name);
	host->console = mock_strdup(config->console);
	host->config.name = host->name;
	host->config.console = host->console;
	host->config.sandbox_id = NULL; /* the library has its copy */
	host->mux = qemu_mux_new(loop);
	platform.user = host;
	platform.log = host_log;
	platform.log_level = config->log_level;
	if (lcowmig_context_new(&platform, NULL, &host->context, error) == LCOWMIG_OK)
		mock_loop_add_context(loop, host->context);
	if (!host->context || host_make_bridge(host, error) != LCOWMIG_OK || host_make_sandbox(host, config->sandbox_id, error) != LCOWMIG_OK) {
		qemu_host_free(host, NULL);
		return NULL;
	}
	return host;
}

bool qemu_host_free(qemu_host *host, lcowmig_error *error)
{
	if (!host)
		return true;
	if (host->sandbox && lcowmig_sandbox_free(host->sandbox, error) != LCOWMIG_OK)
		return false;
	host->sandbox = NULL;
	for (int i = 0; i < 4; i++) /* machines that were closed are still to be freed */
		mock_loop_step(host->loop, 0);
	if (host->gcs) {
		lcowmig_gcs_close(host->gcs);
		if (lcowmig_gcs_free(host->gcs, error) != LCOWMIG_OK)
			return false;
	}
	host->gcs = NULL;
	if (host->context) {
		mock_loop_remove_context(host->loop, host->context);
		if (lcowmig_context_free(host->context) != LCOWMIG_OK)
			return false;
	}
	streams_free(host);
	network_free(host);
	qemu_mux_free(host->mux);
	free(host->name);
	free(host->console);
	free(host);
	return true;
}

lcowmig_context *qemu_host_context(qemu_host *host)
{
	return host->context;
}

lcowmig_sandbox *qemu_host_sandbox(qemu_host *host)
{
	return host->sandbox;
}

void qemu_host_set_peer(qemu_host *host, const qemu_host *peer)
{
	host->peer = peer;
}

const qemu_figures *qemu_host_figures(const qemu_host *host)
{
	return &host->figures;
}

bool qemu_host_has_machine(const qemu_host *host)
{
	return host && host->vm && host->vm->machine->pid > 0;
}

bool qemu_host_runs(const qemu_host *host)
{
	return qemu_host_has_machine(host) && host->vm->is_running;
}

void qemu_host_kill(qemu_host *host)
{
	if (host->vm)
		qemu_machine_kill(host->vm->machine);
}
