/* What the env_*.c files share. */
#ifndef LCOWMIG__ENV_CALL_H
#define LCOWMIG__ENV_CALL_H

#include <string.h>

#include "call.h"
#include "env.h"

/* A call to a member of the host's that may be `missing`: the await's failure then. NULL when there is none. */
lcowmig_call *lcowmig__env_call(lcowmig__flow *flow, const lcowmig__env *env, const char *what, bool has_member, const char *missing,
                                lcowmig_status (*invoke)(lcowmig_call *call));

/* The call fails for memory before the host sees it. */
void lcowmig__env_refuse(lcowmig_call *call);

/* Arguments. Without memory the call fails before the host sees it; nothing happens to a call that is NULL. */
void lcowmig__env_set_text(lcowmig_call *call, size_t i, const char *text);
void lcowmig__env_set_bytes(lcowmig_call *call, const void *bytes, size_t size);
/* Takes `text` over, also when there is no call; NULL: memory was out when it was made. */
void lcowmig__env_take_text(const lcowmig__env *env, lcowmig_call *call, size_t i, char *text);

/* A spare (see lcowmig__call_spare) without an environment. NULL when memory is out. */
lcowmig_call *lcowmig__call_bare(lcowmig_context *context);
/* Queues a spare as a call that belongs to no flow. Needs the lock. */
void lcowmig__env_post(lcowmig_call *spare, const char *what, lcowmig_status (*invoke)(lcowmig_call *call), void *handle);

/* Makes a late call the one that undoes it: a discard function in one line. */
void lcowmig__env_discard(lcowmig_call *late, const char *what, lcowmig_status (*invoke)(lcowmig_call *call), void *handle);

#endif
