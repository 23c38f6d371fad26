/* HCS, network, stdio, sockets and events for many threads. */
#include <stdlib.h>
#include <string.h>

#include "host_private.h"

/* ---- How calls end ---- */

lcowmig_status mt_end(mt_host *host, lcowmig_call *call, lcowmig_status status)
{
	if (!host->by_worker)
		return status;
	mt_add_job(host, call, status);
	return LCOWMIG_PENDING;
}

lcowmig_status mt_succeed(mt_host *host, lcowmig_call *call, const char *result)
{
	if (result)
		lcowmig_call_set_result(call, result, strlen(result));
	return mt_end(host, call, LCOWMIG_OK);
}

static void *open_handle(mt_host *host)
{
	pthread_mutex_lock(&host->p->lock);
	host->p->handles_open++;
	pthread_mutex_unlock(&host->p->lock);
	return calloc(1, 1);
}

static void close_handle(mt_host *host, void *handle)
{
	pthread_mutex_lock(&host->p->lock);
	host->p->handles_open--;
	pthread_mutex_unlock(&host->p->lock);
	free(handle);
}

/* ---- HCS ---- */

static lcowmig_status hcs_create(void *user, lcowmig_call *call, const char *id, const char *document)
{
	(void)id;
	(void)document;
	lcowmig_call_set_handle(call, open_handle(user));
	return mt_end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_with_socket(void *user, lcowmig_call *call, void *system, const char *options, void *socket)
{
	(void)system;
	(void)options;
	(void)socket;
	return mt_end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_terminate(void *user, lcowmig_call *call, void *system)
{
	(void)system;
	mt_add_job(user, NULL, LCOWMIG_OK);
	return mt_end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_close(void *user, lcowmig_call *call, void *system)
{
	close_handle(user, system);
	return mt_end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_with_text(void *user, lcowmig_call *call, void *system, const char *text)
{
	(void)system;
	(void)text;
	return mt_end(user, call, LCOWMIG_OK);
}

/* Stop ends the machine. */
static lcowmig_status hcs_finalize(void *user, lcowmig_call *call, void *system, const char *options)
{
	(void)system;
	if (strstr(options, "Stop"))
		mt_add_job(user, NULL, LCOWMIG_OK);
	return mt_end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_properties(void *user, lcowmig_call *call, void *system, const char *query)
{
	(void)system;
	if (strstr(query, "CompatibilityInfo"))
		return mt_succeed(user, call, "{\"PropertyResponses\":{\"CompatibilityInfo\":{\"Response\":{\"Data\":\"Y29tcGF0\"}}}}");
	return mt_succeed(user, call, "{\"Id\":\"test@vm\",\"RuntimeId\":\"b1c2d3e4-0000-4000-8000-00000000cafe\"}");
}

static lcowmig_status hcs_transfer(void *user, lcowmig_call *call, void *system, const char *options)
{
	mt_host *host = user;
	struct mt_private *p = host->p;
	lcowmig_status status;

	(void)system;
	(void)options;
	if (!host->blocks_transfer)
		return mt_end(user, call, LCOWMIG_OK);
	pthread_mutex_lock(&p->lock);
	p->in_transfer = true;
	pthread_cond_broadcast(&p->changed);
	while (!p->transfer_cancelled && !p->transfer_let)
		pthread_cond_wait(&p->changed, &p->lock);
	status = p->transfer_cancelled ? LCOWMIG_E_HOST_FAILED : LCOWMIG_OK;
	p->in_transfer = false;
	pthread_mutex_unlock(&p->lock);
	return status;
}

static lcowmig_status hcs_cancel(void *user, lcowmig_call *call, void *system, const char *options)
{
	mt_host *host = user;

	(void)system;
	(void)options;
	pthread_mutex_lock(&host->p->lock);
	host->p->transfer_cancelled = true;
	pthread_cond_broadcast(&host->p->changed);
	pthread_mutex_unlock(&host->p->lock);
	return mt_end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_grant(void *user, lcowmig_call *call, const char *id, const char *path)
{
	(void)id;
	(void)path;
	return mt_end(user, call, LCOWMIG_OK);
}

static lcowmig_status hcs_resolve(void *user, lcowmig_call *call, const char *path)
{
	return mt_succeed(user, call, path);
}

void mt_await_transfer(mt_host *host)
{
	pthread_mutex_lock(&host->p->lock);
	while (!host->p->in_transfer)
		pthread_cond_wait(&host->p->changed, &host->p->lock);
	pthread_mutex_unlock(&host->p->lock);
}

void mt_let_transfer(mt_host *host)
{
	pthread_mutex_lock(&host->p->lock);
	host->p->transfer_let = true;
	pthread_cond_broadcast(&host->p->changed);
	pthread_mutex_unlock(&host->p->lock);
}

/* ---- The rest ---- */

static lcowmig_status network_endpoints(void *user, lcowmig_call *call, const char *namespace_id)
{
	(void)namespace_id;
	return mt_succeed(user, call, "[{\"ID\":\"f7b5d1a0-2f3e-4b6c-8d9e-112233445566\",\"Name\":\"eth0\",\"MacAddress\":\"00-15-5D-01-02-03\","
	                           "\"IpConfigurations\":[{\"IpAddress\":\"10.244.1.7\",\"PrefixLength\":24}]}]");
}

static lcowmig_status stdio_open(void *user, lcowmig_call *call, const lcowmig_stdio_config *config)
{
	(void)config;
	lcowmig_call_set_handle(call, open_handle(user));
	return mt_end(user, call, LCOWMIG_OK);
}

static lcowmig_status stdio_attach(void *user, lcowmig_call *call, void *stdio, const uint32_t ports[3])
{
	(void)stdio;
	(void)ports;
	return mt_end(user, call, LCOWMIG_OK);
}

static lcowmig_status stdio_drain(void *user, lcowmig_call *call, void *stdio)
{
	(void)stdio;
	return mt_end(user, call, LCOWMIG_OK);
}

static void stdio_close_stdin(void *user, void *stdio)
{
	(void)user;
	(void)stdio;
}

static void handle_close(void *user, void *handle)
{
	close_handle(user, handle);
}

static lcowmig_status socket_adopt(void *user, lcowmig_call *call, const uint8_t *descriptor, size_t size)
{
	(void)descriptor;
	(void)size;
	lcowmig_call_set_handle(call, open_handle(user));
	return mt_end(user, call, LCOWMIG_OK);
}

static void on_event(void *user, const lcowmig_event *event)
{
	(void)user;
	ck_assert_ptr_nonnull(lcowmig_event_container_id(event));
}

void mt_host_ops(mt_host *host, lcowmig_hcs_ops *hcs, lcowmig_network_ops *network, lcowmig_stdio_ops *stdio, lcowmig_socket_ops *socket,
                 lcowmig_event_ops *events)
{
	*hcs = (lcowmig_hcs_ops){ sizeof *hcs, host, hcs_create, hcs_with_socket, hcs_terminate, hcs_close, hcs_with_text, hcs_properties,
		                  hcs_with_text, hcs_with_socket, hcs_transfer, hcs_finalize, hcs_cancel, hcs_grant, hcs_resolve, NULL };
	*network = (lcowmig_network_ops){ sizeof *network, host, network_endpoints };
	*stdio = (lcowmig_stdio_ops){ sizeof *stdio, host, stdio_open, stdio_attach, stdio_drain, stdio_close_stdin, handle_close };
	*socket = (lcowmig_socket_ops){ sizeof *socket, host, socket_adopt, handle_close, 0 };
	*events = (lcowmig_event_ops){ sizeof *events, host, on_event };
}
