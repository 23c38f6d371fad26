/*
 * One thread's event loop: descriptors, timers, and jobs posted from anywhere. It also gives time to the library's contexts, so a program
 * that has nothing else to do is `while (!finished) mock_loop_step(loop, …)`.
 *
 * Everything in the mock runs on the loop's thread. Only mock_loop_post may be called from others; that is how host callbacks, which
 * may come from any thread, reach the mock without a lock around it.
 */
#ifndef MOCK_LOOP_H
#define MOCK_LOOP_H

#include <lcowmig/lcowmig.h>

typedef struct mock_loop mock_loop;
typedef struct mock_timer mock_timer;
typedef struct mock_watch mock_watch;
typedef void (*mock_job)(void *user);
typedef void (*mock_watch_fn)(void *user, short events);

#define MOCK_MS UINT64_C(1000000)
#define MOCK_SECOND UINT64_C(1000000000)

/* Monotonic nanoseconds: the clock of the library's default platform. */
uint64_t mock_now(void);
/* Nanoseconds since 1970 UTC. */
int64_t mock_wall_clock(void);
/* Like calloc, but ends the program when there is no memory: the mock is no place to learn that from. */
void *mock_alloc(size_t size);
char *mock_strdup(const char *text);

mock_loop *mock_loop_new(void);
void mock_loop_free(mock_loop *loop);

/* Runs `job` on the loop's thread, after what is posted already. Any thread. */
void mock_loop_post(mock_loop *loop, mock_job job, void *user);
/* Drops every posted job with this `user`: what it points to is about to be freed. */
void mock_loop_forget(mock_loop *loop, const void *user);

mock_timer *mock_timer_new(mock_loop *loop, mock_job job, void *user);
/* Fires once at `at`; setting it again moves it. */
void mock_timer_set(mock_timer *timer, uint64_t at);
void mock_timer_stop(mock_timer *timer);
void mock_timer_free(mock_timer *timer);

/* Calls `fn` while one of `events` (POLLIN, POLLOUT; 0: paused) is true of `fd`, or it failed. */
mock_watch *mock_watch_new(mock_loop *loop, int fd, short events, mock_watch_fn fn, void *user);
void mock_watch_set(mock_watch *watch, short events);
void mock_watch_free(mock_watch *watch);

/* Drives a context from this loop until it is removed. */
void mock_loop_add_context(mock_loop *loop, lcowmig_context *context);
void mock_loop_remove_context(mock_loop *loop, lcowmig_context *context);

/* One round: waits for something to do, at most `max_wait` nanoseconds, and does it. */
void mock_loop_step(mock_loop *loop, uint64_t max_wait);
/* Rounds until *flag is set or `timeout` nanoseconds have passed; returns the flag. */
bool mock_loop_run(mock_loop *loop, const bool *flag, uint64_t timeout);

#endif
