/* What the env_*.c files share. */
#ifndef LCOWMIG__ENV_CALL_H
#define LCOWMIG__ENV_CALL_H

#include <string.h>

#include "call.h"
#include "env.h"

/* Copies `text` into the call; without memory the call fails before the host sees it. */
void lcowmig__env_set_text(lcowmig_call *call, const char *text);

/* Queues a spare as a call that belongs to no flow. Needs the lock. */
void lcowmig__env_post(lcowmig_call *spare, const char *what, lcowmig_status (*invoke)(lcowmig_call *call), void *handle);

/* Makes a late call the one that undoes it: a discard function in one line. */
void lcowmig__env_discard(lcowmig_call *late, const char *what, lcowmig_status (*invoke)(lcowmig_call *call), void *handle);

#endif
