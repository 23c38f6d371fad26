/* The event loop; see loop.h. */
#include "loop.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOP_CONTEXTS 8

struct loop_job {
	struct loop_job *next;
	mock_job job;
	void *user;
};

struct mock_timer {
	mock_timer *next;
	mock_loop *loop;
	mock_job job;
	void *user;
	uint64_t at;    /* UINT64_MAX: stopped */
	uint64_t round; /* in which it fired last */
};

struct mock_watch {
	mock_watch *next;
	mock_loop *loop;
	mock_watch_fn fn; /* NULL: freed, to be swept after the round */
	void *user;
	int fd;
	short events;
};

struct mock_loop {
	pthread_mutex_t lock; /* of the jobs */
	struct loop_job *first_job;
	struct loop_job **last_job;
	int wake[2];
	mock_timer *timers;
	mock_watch *watches;
	size_t n_watches;
	struct pollfd *polled;
	mock_watch **polled_watches;
	size_t polled_capacity;
	uint64_t round;
	lcowmig_context *contexts[LOOP_CONTEXTS];
};

uint64_t mock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * MOCK_SECOND + (uint64_t)now.tv_nsec;
}

int64_t mock_wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * (int64_t)MOCK_SECOND + now.tv_nsec;
}

void *mock_alloc(size_t size)
{
	void *memory = calloc(1, size > 0 ? size : 1);

	if (!memory) {
		fputs("mock: out of memory\n", stderr);
		abort();
	}
	return memory;
}

char *mock_strdup(const char *text)
{
	size_t size = strlen(text ? text : "") + 1;

	return memcpy(mock_alloc(size), text ? text : "", size);
}

mock_loop *mock_loop_new(void)
{
	mock_loop *loop = mock_alloc(sizeof *loop);

	pthread_mutex_init(&loop->lock, NULL);
	loop->last_job = &loop->first_job;
	if (pipe(loop->wake) != 0) {
		perror("mock: pipe");
		abort();
	}
	for (int i = 0; i < 2; i++) {
		fcntl(loop->wake[i], F_SETFL, O_NONBLOCK);
		fcntl(loop->wake[i], F_SETFD, FD_CLOEXEC);
	}
	return loop;
}

static void loop_sweep(mock_loop *loop)
{
	for (mock_watch **at = &loop->watches; *at;) {
		mock_watch *watch = *at;

		if (watch->fn) {
			at = &watch->next;
			continue;
		}
		*at = watch->next;
		loop->n_watches--;
		free(watch);
	}
}

void mock_loop_free(mock_loop *loop)
{
	if (!loop)
		return;
	while (loop->first_job) {
		struct loop_job *job = loop->first_job;

		loop->first_job = job->next;
		free(job);
	}
	loop_sweep(loop);
	close(loop->wake[0]);
	close(loop->wake[1]);
	pthread_mutex_destroy(&loop->lock);
	free(loop->polled);
	free(loop->polled_watches);
	free(loop);
}

void mock_loop_post(mock_loop *loop, mock_job job, void *user)
{
	struct loop_job *node = mock_alloc(sizeof *node);
	ssize_t written;

	node->job = job;
	node->user = user;
	pthread_mutex_lock(&loop->lock);
	*loop->last_job = node;
	loop->last_job = &node->next;
	pthread_mutex_unlock(&loop->lock);
	written = write(loop->wake[1], "", 1); /* a full pipe wakes it as well */
	(void)written;
}

void mock_loop_forget(mock_loop *loop, const void *user)
{
	pthread_mutex_lock(&loop->lock);
	for (struct loop_job **at = &loop->first_job; *at;) {
		struct loop_job *node = *at;

		if (node->user != user) {
			at = &node->next;
			continue;
		}
		*at = node->next;
		free(node);
	}
	loop->last_job = &loop->first_job;
	while (*loop->last_job)
		loop->last_job = &(*loop->last_job)->next;
	pthread_mutex_unlock(&loop->lock);
}

mock_timer *mock_timer_new(mock_loop *loop, mock_job job, void *user)
{
	mock_timer *timer = mock_alloc(sizeof *timer);

	timer->loop = loop;
	timer->job = job;
	timer->user = user;
	timer->at = UINT64_MAX;
	timer->next = loop->timers;
	loop->timers = timer;
	return timer;
}

void mock_timer_set(mock_timer *timer, uint64_t at)
{
	timer->at = at;
}

void mock_timer_stop(mock_timer *timer)
{
	timer->at = UINT64_MAX;
}

void mock_timer_free(mock_timer *timer)
{
	if (!timer)
		return;
	for (mock_timer **at = &timer->loop->timers; *at; at = &(*at)->next) {
		if (*at == timer) {
			*at = timer->next;
			break;
		}
	}
	free(timer);
}

mock_watch *mock_watch_new(mock_loop *loop, int fd, short events, mock_watch_fn fn, void *user)
{
	mock_watch *watch = mock_alloc(sizeof *watch);

	watch->loop = loop;
	watch->fd = fd;
	watch->events = events;
	watch->fn = fn;
	watch->user = user;
	watch->next = loop->watches;
	loop->watches = watch;
	loop->n_watches++;
	return watch;
}

void mock_watch_set(mock_watch *watch, short events)
{
	watch->events = events;
}

void mock_watch_free(mock_watch *watch)
{
	if (watch)
		watch->fn = NULL;
}

void mock_loop_add_context(mock_loop *loop, lcowmig_context *context)
{
	for (size_t i = 0; i < LOOP_CONTEXTS; i++) {
		if (!loop->contexts[i]) {
			loop->contexts[i] = context;
			return;
		}
	}
	abort();
}

void mock_loop_remove_context(mock_loop *loop, lcowmig_context *context)
{
	for (size_t i = 0; i < LOOP_CONTEXTS; i++) {
		if (loop->contexts[i] == context)
			loop->contexts[i] = NULL;
	}
}

static uint64_t loop_deadline(mock_loop *loop, uint64_t limit)
{
	uint64_t deadline = limit;

	for (const mock_timer *timer = loop->timers; timer; timer = timer->next) {
		if (timer->at < deadline)
			deadline = timer->at;
	}
	for (size_t i = 0; i < LOOP_CONTEXTS; i++) {
		uint64_t wanted = loop->contexts[i] ? lcowmig_context_deadline(loop->contexts[i]) : LCOWMIG_NO_DEADLINE;

		if (wanted < deadline)
			deadline = wanted;
	}
	return deadline;
}

/* The list may change under any callback, so the search starts over after each. A timer fires once in a round, even when it is set again.
 */
static void loop_fire_timers(mock_loop *loop, uint64_t now)
{
	mock_timer *timer = loop->timers;

	loop->round++;
	while (timer) {
		if (timer->at > now || timer->round == loop->round) {
			timer = timer->next;
			continue;
		}
		timer->at = UINT64_MAX;
		timer->round = loop->round;
		timer->job(timer->user);
		timer = loop->timers;
	}
}

/* Only what was posted before this round, so that a job that posts itself does not keep the loop from its descriptors. */
static void loop_run_jobs(mock_loop *loop)
{
	struct loop_job marker = { 0 };
	struct loop_job *job;

	pthread_mutex_lock(&loop->lock);
	*loop->last_job = &marker;
	loop->last_job = &marker.next;
	for (;;) {
		job = loop->first_job;
		loop->first_job = job->next;
		if (!loop->first_job)
			loop->last_job = &loop->first_job;
		if (job == &marker)
			break;
		pthread_mutex_unlock(&loop->lock);
		job->job(job->user);
		free(job);
		pthread_mutex_lock(&loop->lock);
	}
	pthread_mutex_unlock(&loop->lock);
}

static size_t loop_gather(mock_loop *loop)
{
	size_t n = 1;

	if (loop->polled_capacity < loop->n_watches + 1) {
		loop->polled_capacity = 2 * (loop->n_watches + 1);
		free(loop->polled);
		free(loop->polled_watches);
		loop->polled = mock_alloc(loop->polled_capacity * sizeof *loop->polled);
		loop->polled_watches = mock_alloc(loop->polled_capacity * sizeof(mock_watch *));
	}
	loop->polled[0] = (struct pollfd){ .fd = loop->wake[0], .events = POLLIN };
	for (mock_watch *watch = loop->watches; watch; watch = watch->next) {
		if (!watch->events)
			continue;
		loop->polled[n] = (struct pollfd){ .fd = watch->fd, .events = watch->events };
		loop->polled_watches[n++] = watch;
	}
	return n;
}

void mock_loop_step(mock_loop *loop, uint64_t max_wait)
{
	uint64_t now = mock_now();
	uint64_t deadline = loop_deadline(loop, now + max_wait);
	size_t n;
	char drain[256];

	loop_sweep(loop);
	n = loop_gather(loop);
	if (poll(loop->polled, (nfds_t)n, deadline <= now ? 0 : (int)((deadline - now + MOCK_MS - 1) / MOCK_MS)) > 0) {
		while (loop->polled[0].revents && read(loop->wake[0], drain, sizeof drain) == (ssize_t)sizeof drain)
			continue;
		for (size_t i = 1; i < n; i++) {
			mock_watch *watch = loop->polled_watches[i];

			if (loop->polled[i].revents && watch->fn && watch->events)
				watch->fn(watch->user, loop->polled[i].revents);
		}
	}
	loop_run_jobs(loop);
	now = mock_now();
	loop_fire_timers(loop, now);
	for (size_t i = 0; i < LOOP_CONTEXTS; i++) {
		if (loop->contexts[i] && lcowmig_context_deadline(loop->contexts[i]) <= now)
			lcowmig_context_advance(loop->contexts[i], now);
	}
	loop_sweep(loop);
}

bool mock_loop_run(mock_loop *loop, const bool *flag, uint64_t timeout)
{
	uint64_t end = mock_now() + timeout;

	while (!*flag) {
		uint64_t now = mock_now();

		if (now >= end)
			break;
		mock_loop_step(loop, end - now < MOCK_SECOND ? end - now : MOCK_SECOND);
	}
	return *flag;
}
