#if defined(_WIN32)

#include "platform.h"

#include <windows.h>
/* after windows.h */
#include <bcrypt.h>

#define FILETIME_UNIX_EPOCH 116444736000000000 /* 1970 in 100 ns since 1601 */

static SRWLOCK *lock_srw(lcowmig__lock *lock)
{
	return (SRWLOCK *)&lock->srw;
}

void lcowmig__lock_init(lcowmig__lock *lock)
{
	InitializeSRWLock(lock_srw(lock));
}

void lcowmig__lock_done(lcowmig__lock *lock)
{
	(void)lock;
}

void lcowmig__lock_take(lcowmig__lock *lock)
{
	AcquireSRWLockExclusive(lock_srw(lock));
}

void lcowmig__lock_drop(lcowmig__lock *lock)
{
	ReleaseSRWLockExclusive(lock_srw(lock));
}

uint64_t lcowmig__platform_now(void)
{
	LARGE_INTEGER frequency, ticks;

	QueryPerformanceFrequency(&frequency);
	QueryPerformanceCounter(&ticks);
	return (uint64_t)(ticks.QuadPart / frequency.QuadPart) * 1000000000u +
	       (uint64_t)(ticks.QuadPart % frequency.QuadPart) * 1000000000u / (uint64_t)frequency.QuadPart;
}

int64_t lcowmig__platform_wall_clock(void)
{
	FILETIME now;

	GetSystemTimeAsFileTime(&now);
	return (((int64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) - FILETIME_UNIX_EPOCH) * 100;
}

lcowmig_status lcowmig__platform_random(void *bytes, size_t size)
{
	return BCryptGenRandom(NULL, bytes, (ULONG)size, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0 ? LCOWMIG_OK : LCOWMIG_E_HOST_FAILED;
}

#else
typedef int lcowmig__platform_windows_is_empty;
#endif
