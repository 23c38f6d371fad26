/* Many threads on one context, many contexts at once, completions from anywhere. Meant for ThreadSanitizer; must hold in every build. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host.h"

#define THREADS 4
#define ROUNDS 60

static void start(pthread_t *thread, void *(*function)(void *), void *argument)
{
	ck_assert_int_eq(pthread_create(thread, NULL, function, argument), 0);
}

static void join(pthread_t thread)
{
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* ---- A callback that blocks ---- */

static void *transfer_main(void *argument)
{
	mt_host *host = argument;

	/* Blocks in the host's callback until the transfer was cancelled or let. */
	OK(lcowmig_migration_transfer(host->m, SESSION, NULL, NULL));
	return NULL;
}

typedef struct counter {
	pthread_mutex_t lock;
	unsigned told;
	unsigned ends;
} counter;

static void on_notification(void *user, const lcowmig_notification *notification)
{
	counter *c = user;

	pthread_mutex_lock(&c->lock);
	if (notification)
		c->told++;
	else
		c->ends++;
	pthread_mutex_unlock(&c->lock);
}

/* The end is told in order with the other events, by whichever thread is at them. */
static void await_end(counter *c)
{
	struct timespec time = { 0, 1000000 };
	unsigned ends = 0;
	unsigned i;

	for (i = 0; i < 10000 && !ends; i++) {
		nanosleep(&time, NULL);
		pthread_mutex_lock(&c->lock);
		ends = c->ends;
		pthread_mutex_unlock(&c->lock);
	}
	ck_assert_uint_eq(ends, 1);
	ck_assert_uint_gt(c->told, 0);
}

/* What must answer while the transfer blocks. */
static void look_around(mt_host *host, counter *c)
{
	lcowmig_subscription *subscription;
	lcowmig_container *container;
	lcowmig_pod *pods[2];
	waiter w;

	waiter_init(&w);
	ck_assert_int_eq(lcowmig_migration_get_state(host->m), LCOWMIG_MIGRATION_TRANSFERRING);
	ck_assert_int_eq(lcowmig_migration_get_origin(host->m), LCOWMIG_ORIGIN_SOURCE);
	ck_assert_str_eq(lcowmig_migration_session_id(host->m), SESSION);
	ck_assert(lcowmig_migration_has_right(host->m));
	ck_assert_uint_gt(lcowmig_migration_timeline_count(host->m), 0);
	ck_assert_int_eq(lcowmig_vm_get_state(host->vm), LCOWMIG_VM_SOURCE_MIGRATION_STARTED);
	ck_assert_uint_eq(lcowmig_sandbox_list_pods(host->sandbox, pods, 2), 1);
	OK(lcowmig_migration_subscribe(host->m, SESSION, LCOWMIG_SUBSCRIBE_STEPS, on_notification, c, &subscription, NULL));
	OK(lcowmig_sandbox_find_container(host->sandbox, "pod", &container, NULL, NULL));
	ck_assert_int_eq(lcowmig_container_wait(container, waiter_on_done, &w, NULL), LCOWMIG_PENDING);
	OK(lcowmig_context_cancel(host->context, waiter_on_done, &w));
	ck_assert_int_eq(waiter_wait(&w, LCOWMIG_PENDING), LCOWMIG_E_CANCELLED);
	lcowmig_context_advance(host->context, 0);
	waiter_done(&w);
}

static void resume_source(mt_host *host)
{
	lcowmig_finalize_options options = LCOWMIG_FINALIZE_OPTIONS_INIT;
	waiter w;

	waiter_init(&w);
	options.action = LCOWMIG_FINALIZE_RESUME;
	OK(waiter_wait(&w, lcowmig_migration_finalize(host->m, SESSION, &options, waiter_on_done, &w, NULL)));
	OK(lcowmig_migration_cleanup(host->m, SESSION, NULL));
	waiter_done(&w);
}

static void leave_destination(mt_host *host)
{
	waiter w;

	waiter_init(&w);
	OK(waiter_wait(&w, lcowmig_migration_abandon(host->m, SESSION, waiter_on_done, &w, NULL)));
	waiter_done(&w);
}

/* Cancel, state and subscribe get through while a host callback blocks in the transfer. */
START_TEST(test_cancel_gets_through_while_the_transfer_blocks)
{
	mt_host *source = mt_host_new("source", _i, true);
	mt_host *destination = mt_host_new(NULL, _i, false);
	counter c = { .told = 0 };
	pthread_t thread;
	waiter w;

	waiter_init(&w);
	pthread_mutex_init(&c.lock, NULL);
	mt_boot(source, 2);
	mt_prepare(source, destination, 2);
	start(&thread, transfer_main, source);
	mt_await_transfer(source);
	look_around(source, &c);
	OK(waiter_wait(&w, lcowmig_migration_cancel(source->m, SESSION, waiter_on_done, &w, NULL)));
	join(thread);
	mt_await_state(source, LCOWMIG_MIGRATION_CANCELLED);
	resume_source(source);
	await_end(&c);
	leave_destination(destination);
	mt_host_free(source);
	mt_host_free(destination);
	pthread_mutex_destroy(&c.lock);
	waiter_done(&w);
}
END_TEST

typedef struct observer {
	mt_host *host;
	pthread_mutex_t *lock;
	bool *ends;
	counter c; /* a notification under way when it was unsubscribed may still be told: lives as long as the context */
} observer;

static bool has_ended(observer *o)
{
	bool ends;

	pthread_mutex_lock(o->lock);
	ends = *o->ends;
	pthread_mutex_unlock(o->lock);
	return ends;
}

static void ask_sandbox(mt_host *host)
{
	lcowmig_sandbox_status status = { .size = sizeof status };
	lcowmig_vm_exit how = { .size = sizeof how };
	const char *architecture;
	lcowmig_pod *pods[2];
	uint64_t blackout;

	lcowmig_vm_get_state(host->vm);
	lcowmig_vm_start_time(host->vm);
	lcowmig_vm_exit_status(host->vm, &how, NULL);
	lcowmig_vm_architecture(host->vm, &architecture, NULL);
	lcowmig_sandbox_get_status(host->sandbox, &status, NULL);
	lcowmig_sandbox_check_task(host->sandbox, LCOWMIG_TASK_KILL, NULL);
	lcowmig_sandbox_check_call(host->sandbox, LCOWMIG_SANDBOX_STATUS, "source", NULL);
	lcowmig_sandbox_list_pods(host->sandbox, pods, 2);
	lcowmig_migration_blackout(host->m, &blackout, NULL, NULL);
}

/* Asks and subscribes for as long as the migration goes on. */
static void *observe_main(void *argument)
{
	observer *o = argument;
	lcowmig_subscription *subscription;
	lcowmig_timeline_entry entry = LCOWMIG_TIMELINE_ENTRY_INIT;
	lcowmig_error error = LCOWMIG_ERROR_INIT;
	size_t size;

	while (!has_ended(o)) {
		lcowmig_migration_get_state(o->host->m);
		lcowmig_migration_get_origin(o->host->m);
		lcowmig_migration_pending_count(o->host->m);
		lcowmig_migration_has_right(o->host->m);
		lcowmig_migration_failure(o->host->m, &error);
		lcowmig_migration_check(o->host->m, NULL, NULL, NULL);
		lcowmig_migration_timeline_entry(o->host->m, 0, &entry, NULL);
		lcowmig_migration_timeline_json(o->host->m, NULL, 0, &size, NULL);
		ask_sandbox(o->host);
		lcowmig_context_deadline(o->host->context);
		if (lcowmig_migration_subscribe(o->host->m, SESSION, LCOWMIG_SUBSCRIBE_STEPS, on_notification, &o->c, &subscription, NULL) == LCOWMIG_OK)
			lcowmig_migration_unsubscribe(subscription);
	}
	return NULL;
}

static void migrate_observed(bool by_worker)
{
	mt_host *source = mt_host_new("source", by_worker, false);
	mt_host *destination = mt_host_new(NULL, by_worker, false);
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	bool ends = false;
	observer observers[2] = { { .host = source }, { .host = destination } };
	pthread_t threads[2];
	unsigned i;

	mt_boot(source, 3);
	for (i = 0; i < 2; i++) {
		observers[i].lock = &lock;
		observers[i].ends = &ends;
		pthread_mutex_init(&observers[i].c.lock, NULL);
		start(&threads[i], observe_main, &observers[i]);
	}
	mt_prepare(source, destination, 3);
	mt_finish(source, destination);
	/* Who unsubscribes must not do so while another thread ends the session. */
	pthread_mutex_lock(&lock);
	ends = true;
	pthread_mutex_unlock(&lock);
	for (i = 0; i < 2; i++)
		join(threads[i]);
	mt_clean_up(source, destination);
	ck_assert_int_eq(lcowmig_vm_get_state(destination->vm), LCOWMIG_VM_RUNNING);
	mt_host_free(source);
	mt_host_free(destination);
	for (i = 0; i < 2; i++)
		pthread_mutex_destroy(&observers[i].c.lock);
}

START_TEST(test_migration_while_others_ask_and_subscribe)
{
	migrate_observed(_i);
}
END_TEST

/* ---- Many contexts ---- */

static void *migrate_main(void *argument)
{
	bool by_worker = argument != NULL;
	mt_host *source = mt_host_new("source", by_worker, false);
	mt_host *destination = mt_host_new(NULL, by_worker, false);

	mt_boot(source, 2);
	mt_prepare(source, destination, 2);
	mt_finish(source, destination);
	mt_clean_up(source, destination);
	mt_host_free(source);
	mt_host_free(destination);
	return NULL;
}

START_TEST(test_contexts_migrate_at_the_same_time)
{
	static char yes;
	pthread_t threads[THREADS];
	unsigned i;

	for (i = 0; i < THREADS; i++)
		start(&threads[i], migrate_main, i % 2 ? &yes : NULL);
	for (i = 0; i < THREADS; i++)
		join(threads[i]);
}
END_TEST

/* ---- One context ---- */

typedef struct worker {
	mt_host *host;
	unsigned number;
} worker;

/* An exec's whole life, again and again, in the container that all threads share. */
static void *exec_main(void *argument)
{
	worker *self = argument;
	lcowmig_process_options options = LCOWMIG_PROCESS_OPTIONS_INIT;
	lcowmig_container *container;
	lcowmig_process *process;
	lcowmig_exit how = LCOWMIG_EXIT_INIT;
	char id[16];
	unsigned i;
	waiter w;

	waiter_init(&w);
	options.process_spec = "{\"args\":[\"/bin/sh\"],\"cwd\":\"/\"}";
	options.stdout_path = "out";
	OK(lcowmig_sandbox_find_container(self->host->sandbox, "pod", &container, NULL, NULL));
	for (i = 0; i < ROUNDS; i++) {
		snprintf(id, sizeof id, "e%u-%u", self->number, i);
		OK(waiter_wait(&w, lcowmig_container_exec(container, id, &options, &process, waiter_on_done, &w, NULL)));
		OK(waiter_wait(&w, lcowmig_process_start(process, waiter_on_done, &w, NULL)));
		OK(waiter_wait(&w, lcowmig_process_kill(process, 9, waiter_on_done, &w, NULL)));
		OK(waiter_wait(&w, lcowmig_process_wait(process, waiter_on_done, &w, NULL)));
		OK(waiter_wait(&w, lcowmig_container_delete(container, id, &how, waiter_on_done, &w, NULL)));
		ck_assert_uint_eq(how.exit_status, 137);
	}
	waiter_done(&w);
	return NULL;
}

/* Waits that are cancelled, by two threads at once. */
static void *cancel_main(void *argument)
{
	worker *self = argument;
	lcowmig_container *container;
	lcowmig_status status;
	unsigned i;
	waiter w;

	waiter_init(&w);
	OK(lcowmig_sandbox_find_container(self->host->sandbox, "pod", &container, NULL, NULL));
	for (i = 0; i < ROUNDS * 4; i++) {
		status = lcowmig_container_wait(container, waiter_on_done, &w, NULL);
		ck_assert_int_eq(status, LCOWMIG_PENDING);
		OK(lcowmig_context_cancel(self->host->context, waiter_on_done, &w));
		ck_assert_int_eq(waiter_wait(&w, status), LCOWMIG_E_CANCELLED);
	}
	waiter_done(&w);
	return NULL;
}

/* A call under way that is cancelled and completed at the same moment: it ends once, with one or the other. */
static void *race_main(void *argument)
{
	worker *self = argument;
	lcowmig_vm_stats stats = { .size = sizeof stats };
	lcowmig_status status;
	unsigned i;
	waiter w;

	waiter_init(&w);
	for (i = 0; i < ROUNDS * 4; i++) {
		status = lcowmig_vm_get_stats(self->host->vm, &stats, waiter_on_done, &w, NULL);
		lcowmig_context_cancel(self->host->context, waiter_on_done, &w);
		status = waiter_wait(&w, status);
		ck_assert_msg(status != LCOWMIG_PENDING && status != LCOWMIG_E_NO_MEMORY, "%s", lcowmig_status_name(status));
	}
	waiter_done(&w);
	return NULL;
}

static void *ask_main(void *argument)
{
	worker *self = argument;
	lcowmig_process *processes[64];
	lcowmig_exit how = LCOWMIG_EXIT_INIT;
	lcowmig_container *container;
	lcowmig_process *init;
	unsigned i;
	waiter w;

	waiter_init(&w);
	OK(lcowmig_sandbox_find_container(self->host->sandbox, "pod", &container, NULL, NULL));
	for (i = 0; i < ROUNDS; i++) {
		lcowmig_stats *stats = NULL;

		lcowmig_container_list_processes(container, processes, 64);
		OK(lcowmig_container_get_process(container, NULL, &init, NULL));
		OK(lcowmig_process_get_exit(init, &how, NULL));
		ck_assert_int_eq(lcowmig_process_get_status(init), LCOWMIG_PROCESS_RUNNING);
		ck_assert_uint_eq(lcowmig_process_pid(init), how.pid);
		ck_assert_str_eq(lcowmig_container_state_name(container), "Running");
		OK(waiter_wait(&w, lcowmig_container_stats(container, &stats, waiter_on_done, &w, NULL)));
		lcowmig_stats_free(stats);
		OK(lcowmig_sandbox_check_task(self->host->sandbox, LCOWMIG_TASK_EXEC, NULL));
		lcowmig_context_advance(self->host->context, 0);
	}
	waiter_done(&w);
	return NULL;
}

/* Disks of its own, and one that all threads share. */
static void *disk_main(void *argument)
{
	worker *self = argument;
	lcowmig_disk_config disk = LCOWMIG_DISK_CONFIG_INIT;
	lcowmig_mount_config mount = LCOWMIG_MOUNT_CONFIG_INIT;
	lcowmig_scsi *scsi;
	lcowmig_guid id;
	char path[64];
	unsigned i;
	waiter w;

	waiter_init(&w);
	OK(lcowmig_vm_scsi(self->host->vm, &scsi, NULL));
	disk.read_only = 1;
	mount.read_only = 1;
	for (i = 0; i < ROUNDS; i++) {
		lcowmig_status status;

		snprintf(path, sizeof path, i % 2 ? "C:\\own%u.vhdx" : "C:\\shared.vhdx", self->number);
		disk.host_path = path;
		status = lcowmig_scsi_reserve(scsi, &disk, &mount, &id, NULL);
		if (status == LCOWMIG_E_FAILED_PRECONDITION)
			continue; /* on its way out */
		OK(status);
		OK(waiter_wait(&w, lcowmig_scsi_map(scsi, &id, waiter_on_done, &w, NULL)));
		OK(waiter_wait(&w, lcowmig_scsi_unmap(scsi, &id, waiter_on_done, &w, NULL)));
	}
	waiter_done(&w);
	return NULL;
}

START_TEST(test_many_threads_use_one_context)
{
	static void *(*const functions[])(void *) = { exec_main, exec_main, cancel_main, cancel_main, race_main, ask_main, disk_main, disk_main };
	mt_host *host = mt_host_new("one", _i, false);
	pthread_t threads[8];
	worker workers[8];
	unsigned i;

	mt_boot(host, 1);
	for (i = 0; i < 8; i++) {
		workers[i] = (worker){ host, i };
		start(&threads[i], functions[i], &workers[i]);
	}
	for (i = 0; i < 8; i++)
		join(threads[i]);
	mt_host_free(host);
}
END_TEST

/* The machine is terminated while others work with it: everything ends once, in one way or another. */
static void *hopeful_main(void *argument)
{
	worker *self = argument;
	lcowmig_container *container;
	unsigned i;
	waiter w;

	waiter_init(&w);
	OK(lcowmig_sandbox_find_container(self->host->sandbox, "pod", &container, NULL, NULL));
	for (i = 0; i < ROUNDS; i++) {
		lcowmig_stats *stats = NULL;

		if (waiter_wait(&w, lcowmig_container_stats(container, &stats, waiter_on_done, &w, NULL)) == LCOWMIG_OK)
			lcowmig_stats_free(stats);
		waiter_wait(&w, lcowmig_container_kill(container, NULL, 9, true, waiter_on_done, &w, NULL));
		waiter_wait(&w, lcowmig_vm_update_memory(self->host->vm, 2048, waiter_on_done, &w, NULL));
	}
	OK(waiter_wait(&w, lcowmig_container_wait(container, waiter_on_done, &w, NULL)));
	waiter_done(&w);
	return NULL;
}

START_TEST(test_termination_while_others_work)
{
	mt_host *host = mt_host_new("one", _i, false);
	pthread_t threads[THREADS];
	worker workers[THREADS];
	unsigned i;
	waiter w;

	waiter_init(&w);
	mt_boot(host, 1);
	for (i = 0; i < THREADS; i++) {
		workers[i] = (worker){ host, i };
		start(&threads[i], hopeful_main, &workers[i]);
	}
	OK(waiter_wait(&w, lcowmig_vm_terminate(host->vm, waiter_on_done, &w, NULL)));
	for (i = 0; i < THREADS; i++)
		join(threads[i]);
	mt_host_free(host);
	waiter_done(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("threads");
	TCase *tests = tcase_create("threads");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 300);
	tcase_add_loop_test(tests, test_cancel_gets_through_while_the_transfer_blocks, 0, 2);
	tcase_add_loop_test(tests, test_migration_while_others_ask_and_subscribe, 0, 2);
	tcase_add_test(tests, test_contexts_migrate_at_the_same_time);
	tcase_add_loop_test(tests, test_many_threads_use_one_context, 0, 2);
	tcase_add_loop_test(tests, test_termination_while_others_work, 0, 2);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
