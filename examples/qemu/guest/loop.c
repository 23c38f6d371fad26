/* The guest's loop; see loop.h. */
#include "loop.h"

#include <stdlib.h>
#include <time.h>

#include "json.h"

static struct watch *watches;
static struct timer *timers;

int64_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct watch *loop_watch(int fd, short events, loop_fn fn, void *user)
{
	struct watch *watch = guest_alloc(sizeof *watch);

	watch->fd = fd;
	watch->events = events;
	watch->fn = fn;
	watch->user = user;
	watch->next = watches;
	watches = watch;
	return watch;
}

void loop_unwatch(struct watch *watch)
{
	if (watch)
		watch->fn = NULL;
}

void loop_set(struct timer *timer, int64_t at)
{
	timer->at = at;
	if (timer->is_known)
		return;
	timer->is_known = true;
	timer->next = timers;
	timers = timer;
}

void loop_forget(struct timer *timer)
{
	for (struct timer **at = &timers; *at; at = &(*at)->next) {
		if (*at == timer) {
			*at = timer->next;
			break;
		}
	}
	timer->is_known = false;
}

static void loop_sweep(void)
{
	for (struct watch **at = &watches; *at;) {
		struct watch *watch = *at;

		if (watch->fn) {
			at = &watch->next;
			continue;
		}
		*at = watch->next;
		free(watch);
	}
}

/* A timer's function may change the list, so the search starts over after each; what it sets again comes in the next round. */
static void loop_fire(int64_t now)
{
	struct timer *timer = timers;

	while (timer) {
		if (timer->at < 0 || timer->at > now) {
			timer = timer->next;
			continue;
		}
		timer->at = -1;
		timer->fn(timer->user);
		timer = timers;
	}
}

static int loop_wait_time(void)
{
	int64_t now = loop_now();
	int64_t wait = 10000;

	for (const struct timer *timer = timers; timer; timer = timer->next) {
		if (timer->at >= 0 && timer->at - now < wait)
			wait = timer->at - now;
	}
	return wait < 0 ? 0 : (int)wait;
}

static void loop_poll(void)
{
	struct pollfd *polled;
	struct watch **of;
	size_t n = 0;

	for (const struct watch *watch = watches; watch; watch = watch->next)
		n++;
	polled = guest_alloc(n * sizeof *polled);
	of = guest_alloc(n * sizeof(struct watch *));
	n = 0;
	for (struct watch *watch = watches; watch; watch = watch->next) {
		if (!watch->fn || !watch->events)
			continue;
		polled[n] = (struct pollfd){ .fd = watch->fd, .events = watch->events };
		of[n++] = watch;
	}
	if (poll(polled, n, loop_wait_time()) > 0) {
		for (size_t i = 0; i < n; i++) {
			of[i]->found = polled[i].revents;
			if (polled[i].revents && of[i]->fn && of[i]->events)
				of[i]->fn(of[i]->user);
		}
	}
	free(polled);
	free(of);
}

void loop_run(void)
{
	for (;;) {
		loop_sweep();
		loop_poll();
		loop_fire(loop_now());
	}
}
