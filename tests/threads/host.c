#define _POSIX_C_SOURCE 200809L

#include "host_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/context.h"

#define EXITED "{\"Status\":0,\"ExitType\":\"GracefulExit\"}"

/* ---- Waiting ---- */

void waiter_init(waiter *w)
{
	memset(w, 0, sizeof *w);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
}

void waiter_done(waiter *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}

void waiter_on_done(void *user, lcowmig_status status, const lcowmig_error *error)
{
	waiter *w = user;

	pthread_mutex_lock(&w->lock);
	w->calls++;
	w->status = status;
	snprintf(w->message, sizeof w->message, "%s", error->message);
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

lcowmig_status waiter_wait(waiter *w, lcowmig_status status)
{
	pthread_mutex_lock(&w->lock);
	while (status == LCOWMIG_PENDING && !w->calls)
		pthread_cond_wait(&w->changed, &w->lock);
	ck_assert_int_eq(w->calls, status == LCOWMIG_PENDING);
	if (status == LCOWMIG_PENDING)
		status = w->status;
	w->calls = 0;
	pthread_mutex_unlock(&w->lock);
	return status;
}

/* ---- The worker and the clock ---- */

void mt_add_job(mt_host *host, lcowmig_call *call, lcowmig_status status)
{
	struct mt_private *p = host->p;
	job *added = calloc(1, sizeof *added);

	added->call = call;
	added->status = status;
	pthread_mutex_lock(&p->lock);
	*p->last_job = added;
	p->last_job = &added->next;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static void run_job(mt_host *host, job *taken)
{
	if (taken->call)
		lcowmig_call_complete(taken->call, taken->status);
	else
		OK(lcowmig_sandbox_hcs_event(host->sandbox, LCOWMIG_HCS_EVENT_SYSTEM_EXITED, EXITED, NULL));
	free(taken);
}

static void *worker_main(void *argument)
{
	mt_host *host = argument;
	struct mt_private *p = host->p;
	job *taken;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->jobs && !p->ends)
			pthread_cond_wait(&p->changed, &p->lock);
		taken = p->jobs;
		if (!taken)
			break;
		p->jobs = taken->next;
		if (!p->jobs)
			p->last_job = &p->jobs;
		pthread_mutex_unlock(&p->lock);
		run_job(host, taken);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

void mt_nap(long nanoseconds)
{
	struct timespec time = { 0, nanoseconds };

	nanosleep(&time, NULL);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static void *clock_main(void *argument)
{
	mt_host *host = argument;
	struct mt_private *p = host->p;
	bool ends = false;

	while (!ends) {
		lcowmig_context_advance(host->context, now());
		mt_nap(2000000);
		pthread_mutex_lock(&p->lock);
		ends = p->ends;
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

/* ---- Life ---- */

static void make_sandbox(mt_host *host, const char *id)
{
	lcowmig_sandbox_config config = LCOWMIG_SANDBOX_CONFIG_INIT;
	lcowmig_network_ops network;
	lcowmig_socket_ops socket;
	lcowmig_event_ops events;
	lcowmig_guest_ops guest;
	lcowmig_stdio_ops stdio;
	lcowmig_hcs_ops hcs;

	mt_host_ops(host, &hcs, &network, &stdio, &socket, &events);
	mt_guest_ops(host, &guest);
	config.id = id;
	config.hcs = &hcs;
	config.guest = &guest;
	config.network = &network;
	config.stdio = &stdio;
	config.socket = &socket;
	config.events = &events;
	OK(lcowmig_sandbox_new(host->context, &config, &host->sandbox, NULL));
	host->vm = lcowmig_sandbox_vm(host->sandbox);
	host->m = lcowmig_sandbox_migration(host->sandbox);
}

mt_host *mt_host_new(const char *id, bool by_worker, bool blocks_transfer)
{
	mt_host *host = calloc(1, sizeof *host);

	host->p = calloc(1, sizeof *host->p);
	host->by_worker = by_worker;
	host->blocks_transfer = blocks_transfer;
	host->p->last_job = &host->p->jobs;
	host->p->next_id = 1;
	host->p->next_port = LCOWMIG_GCS_FIRST_PORT;
	host->p->next_pid = 101;
	pthread_mutex_init(&host->p->lock, NULL);
	pthread_cond_init(&host->p->changed, NULL);
	OK(lcowmig_context_new(NULL, NULL, &host->context, NULL));
	/* Every allocation is the host's own, or imports put their pieces into chunks, as they do elsewhere. */
	host->context->heap.is_plain = getenv("TEST_HOST_CHUNKS") == NULL;
	make_sandbox(host, id);
	ck_assert_int_eq(pthread_create(&host->p->worker, NULL, worker_main, host), 0);
	ck_assert_int_eq(pthread_create(&host->p->clock, NULL, clock_main, host), 0);
	return host;
}

/* Other threads may still be on their way out of the library. */
static void free_sandbox(mt_host *host)
{
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	lcowmig_status status = LCOWMIG_E_FAILED_PRECONDITION;
	unsigned i;

	for (i = 0; i < 5000 && status == LCOWMIG_E_FAILED_PRECONDITION; i++) {
		status = lcowmig_sandbox_free(host->sandbox, &error);
		if (status != LCOWMIG_OK)
			mt_nap(1000000);
	}
	ck_assert_msg(status == LCOWMIG_OK, "%s", error.message);
}

void mt_host_free(mt_host *host)
{
	struct mt_private *p = host->p;
	waiter w;

	waiter_init(&w);
	OK(waiter_wait(&w, lcowmig_vm_terminate(host->vm, waiter_on_done, &w, NULL)));
	free_sandbox(host);
	pthread_mutex_lock(&p->lock);
	p->ends = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->worker, NULL);
	pthread_join(p->clock, NULL);
	OK(lcowmig_context_free(host->context));
	ck_assert_uint_eq(p->handles_open, 0);
	ck_assert_ptr_null(p->waits);
	waiter_done(&w);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
	free(host);
}
