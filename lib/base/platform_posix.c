#if !defined(_WIN32)

#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* getentropy */

#include "platform.h"

#include <time.h>
#include <unistd.h>

#define GETENTROPY_MAX 256

void lcowmig__lock_init(lcowmig__lock *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
}

void lcowmig__lock_done(lcowmig__lock *lock)
{
	pthread_mutex_destroy(&lock->mutex);
}

void lcowmig__lock_take(lcowmig__lock *lock)
{
	pthread_mutex_lock(&lock->mutex);
}

void lcowmig__lock_drop(lcowmig__lock *lock)
{
	pthread_mutex_unlock(&lock->mutex);
}

uint64_t lcowmig__platform_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t lcowmig__platform_wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

lcowmig_status lcowmig__platform_random(void *bytes, size_t size)
{
	unsigned char *place = bytes;

	while (size) {
		size_t part = size < GETENTROPY_MAX ? size : GETENTROPY_MAX;

		if (getentropy(place, part) != 0)
			return LCOWMIG_E_HOST_FAILED;
		place += part;
		size -= part;
	}
	return LCOWMIG_OK;
}

#else
typedef int lcowmig__platform_posix_is_empty;
#endif
