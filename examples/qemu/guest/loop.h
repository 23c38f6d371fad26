/* The guest's one loop: descriptors and timers. */
#ifndef GUEST_LOOP_H
#define GUEST_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

typedef void (*loop_fn)(void *user);

struct watch {
	struct watch *next;
	loop_fn fn; /* NULL: removed, and freed after the round */
	void *user;
	int fd;
	short events; /* 0: paused */
	short found;  /* what poll said, during the call */
};

struct timer {
	struct timer *next;
	loop_fn fn;
	void *user;
	int64_t at; /* milliseconds of loop_now; -1: stopped */
	bool is_known;
};

/* Milliseconds of a clock that never goes back. */
int64_t loop_now(void);

struct watch *loop_watch(int fd, short events, loop_fn fn, void *user);
/* Does not close the descriptor. NULL is fine. */
void loop_unwatch(struct watch *watch);

/* The timer's fn and user are set by its owner, who must call loop_forget before it goes away. */
void loop_set(struct timer *timer, int64_t at);
void loop_forget(struct timer *timer);

void loop_run(void) __attribute__((noreturn));

#endif
