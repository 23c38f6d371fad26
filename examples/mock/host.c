/* One object of everything; see host.h. */
#include "host_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void host_run_call(void *user)
{
	mock_call *job = user;

	job->serve(job);
	free(job);
}

lcowmig_status mock_call_later(mock_loop *loop, const mock_call *job)
{
	mock_call_soon(loop, job);
	return LCOWMIG_PENDING;
}

void mock_call_soon(mock_loop *loop, const mock_call *job)
{
	mock_call *copy = mock_alloc(sizeof *copy);

	*copy = *job;
	mock_loop_post(loop, host_run_call, copy);
}

void mock_call_fail(lcowmig_call *call, uint32_t hresult, const char *format, ...)
{
	char message[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	lcowmig_call_set_error(call, hresult, message);
	lcowmig_call_complete(call, LCOWMIG_E_HOST_FAILED);
}

static void host_log(void *user, lcowmig_log_level level, const char *message)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	const mock_host *host = user;

	if (!host->config.quiet && (uint32_t)level <= host->config.log_level)
		fprintf(stderr, "%s: %s: %s\n", host->name, names[level], message);
}

static void host_event(void *user, const lcowmig_event *event)
{
	const mock_host *host = user;

	if (host->config.event)
		host->config.event(host->config.user, event);
}

static void host_guest_log(void *user, const uint8_t *bytes, size_t size)
{
	const mock_host *host = user;

	if (host->config.guest_log)
		host->config.guest_log(host->config.user, bytes, size);
}

static lcowmig_status host_make_bridge(mock_host *host, lcowmig_error *error)
{
	lcowmig_gcs_config config = LCOWMIG_GCS_CONFIG_INIT;
	lcowmig_stream_ops streams;

	mock_bridge_fill_ops(host->bridge, &streams);
	config.streams = &streams;
	config.user = host;
	config.log = host_guest_log;
	return lcowmig_gcs_new(host->context, &config, &host->gcs, error);
}

static lcowmig_status host_make_sandbox(mock_host *host, lcowmig_error *error)
{
	lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;
	lcowmig_event_ops events = { sizeof events, host, host_event };
	lcowmig_hcs_ops hcs;
	lcowmig_guest_ops guest;
	lcowmig_network_ops network;
	lcowmig_stdio_ops stdio;
	lcowmig_socket_ops socket;

	mock_hcs_fill_ops(host->hcs, &hcs);
	lcowmig_gcs_guest_ops(host->gcs, &guest);
	mock_network_fill_ops(host->network, &network);
	mock_stdio_fill_ops(host->stdio, &stdio);
	mock_socket_fill_ops(host, &socket);
	config.id = host->config.sandbox_id;
	config.hcs = &hcs;
	config.guest = &guest;
	config.network = &network;
	config.stdio = &stdio;
	config.socket = &socket;
	config.events = &events;
	return lcowmig_sandbox_new(host->context, &config, &host->sandbox, error);
}

mock_host *mock_host_new(mock_loop *loop, const mock_host_config *config, lcowmig_error *error)
{
	lcowmig_platform platform = LCOWMIG_PLATFORM_INIT;
	mock_host *host = mock_alloc(sizeof *host);

	host->loop = loop;
	host->config = *config;
	host->name = mock_strdup(config->name);
	host->vsock = mock_vsock_new(loop);
	host->hcs = mock_hcs_new(host);
	host->bridge = mock_bridge_new(host);
	host->stdio = mock_stdio_new(host);
	host->network = mock_network_new(host);
	platform.user = host;
	platform.log = host_log;
	platform.log_level = config->log_level;
	if (lcowmig_context_new(&platform, NULL, &host->context, error) == LCOWMIG_OK)
		mock_loop_add_context(loop, host->context);
	if (!host->context || host_make_bridge(host, error) != LCOWMIG_OK || host_make_sandbox(host, error) != LCOWMIG_OK) {
		mock_host_free(host, NULL);
		return NULL;
	}
	host->config.sandbox_id = NULL; /* the library has its copy */
	return host;
}

bool mock_host_free(mock_host *host, lcowmig_error *error)
{
	if (!host)
		return true;
	if (host->sandbox && lcowmig_sandbox_free(host->sandbox, error) != LCOWMIG_OK)
		return false;
	host->sandbox = NULL;
	if (host->gcs)
		lcowmig_gcs_close(host->gcs);
	for (int i = 0; i < 16; i++) /* what the library has closed last is on its way through the loop */
		mock_loop_step(host->loop, 0);
	if (host->gcs && lcowmig_gcs_free(host->gcs, error) != LCOWMIG_OK)
		return false;
	host->gcs = NULL;
	if (host->context) {
		mock_loop_remove_context(host->loop, host->context);
		if (lcowmig_context_free(host->context) != LCOWMIG_OK) {
			if (error)
				snprintf(error->message, sizeof error->message, "something made from the context of %s still exists",
					 host->name);
			return false;
		}
	}
	mock_hcs_free(host->hcs);
	mock_stdio_free(host->stdio);
	mock_bridge_free(host->bridge);
	mock_network_free(host->network);
	mock_vsock_free(host->vsock);
	free(host->name);
	free(host);
	return true;
}

lcowmig_context *mock_host_context(mock_host *host)
{
	return host->context;
}

lcowmig_sandbox *mock_host_sandbox(mock_host *host)
{
	return host->sandbox;
}
