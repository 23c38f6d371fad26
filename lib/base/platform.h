/* What the operating system gives: a lock, clocks, random bytes. One file each for POSIX and Windows; nothing else in lib/ knows either. */
#ifndef LCOWMIG__PLATFORM_H
#define LCOWMIG__PLATFORM_H

#include <stddef.h>
#include <stdint.h>

#include "lcowmig/status.h"

#if defined(_WIN32)
typedef struct lcowmig__lock {
	void *srw; /* an SRWLOCK, which is one pointer that starts as NULL */
} lcowmig__lock;
#else
#include <pthread.h>
typedef struct lcowmig__lock {
	pthread_mutex_t mutex;
} lcowmig__lock;
#endif

void lcowmig__lock_init(lcowmig__lock *lock);
void lcowmig__lock_done(lcowmig__lock *lock);
void lcowmig__lock_take(lcowmig__lock *lock);
void lcowmig__lock_drop(lcowmig__lock *lock);

uint64_t lcowmig__platform_now(void);       /* monotonic nanoseconds */
int64_t lcowmig__platform_wall_clock(void); /* nanoseconds since 1970 UTC */
lcowmig_status lcowmig__platform_random(void *bytes, size_t size);

#endif
