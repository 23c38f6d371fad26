/*
 * A host for many threads: every callback may come from any of them, calls are completed inside the callback or by a worker thread, and a clock
 * thread tells the time. Nothing is scripted; everything succeeds, and processes run until somebody kills them.
 */
#ifndef THREADS_HOST_H
#define THREADS_HOST_H

#include <check.h>
#include <pthread.h>

#include "lcowmig/lcowmig.h"

#define SESSION "5f0b1190-63be-4e0c-b974-bd0f55675a42"

/* Somebody waits for the end of an operation. */
typedef struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int calls;
	lcowmig_status status;
	char message[LCOWMIG_ERROR_MESSAGE_SIZE];
} waiter;

void waiter_init(waiter *w);
void waiter_done(waiter *w);
void waiter_on_done(void *user, lcowmig_status status, const lcowmig_error *error);
/* The end of an operation that returned `status` and was begun with waiter_on_done and `w`: waits for it. Once. */
lcowmig_status waiter_wait(waiter *w, lcowmig_status status);

typedef struct mt_host mt_host;

struct mt_host {
	lcowmig_context *context;
	lcowmig_sandbox *sandbox;
	lcowmig_vm *vm;
	lcowmig_migration *m;
	bool by_worker;       /* calls are completed by the worker */
	bool blocks_transfer; /* transfer blocks inside its callback until it is cancelled or mt_let_transfer */
	struct mt_private *p;
};

/* `id` NULL: an empty sandbox, to migrate to. */
mt_host *mt_host_new(const char *id, bool by_worker, bool blocks_transfer);
/* Terminates the machine, and frees everything; asserts that nothing is open and no call outstanding. */
void mt_host_free(mt_host *host);

/* A machine with one pod "pod" of `n_containers` running ones: "pod", "c1", "c2" … */
void mt_boot(mt_host *host, unsigned n_containers);
/* The steps up to the transfer, both sides. */
void mt_prepare(mt_host *source, mt_host *destination, unsigned n_containers);
/* Waits until the session is in a state. */
void mt_await_state(mt_host *host, lcowmig_migration_state state);
/* From the transfer on: the destination runs, the source is stopped. */
void mt_finish(mt_host *source, mt_host *destination);
/* Ends both sessions. */
void mt_clean_up(mt_host *source, mt_host *destination);

/* Waits until the transfer blocks; lets it succeed. */
void mt_await_transfer(mt_host *host);
void mt_let_transfer(mt_host *host);

#define OK(call) ck_assert_msg((call) == LCOWMIG_OK, "%s", #call)

#endif
