/* What the files that build requests share. */
#ifndef LCOWMIG__GUEST_REQUEST_H
#define LCOWMIG__GUEST_REQUEST_H

#include "guest.h"

/* Sends a request: the keys that every one has, and the members of `form` (see lcowmig__json_write). Without memory the await fails. */
lcowmig_call *lcowmig__guest_send(lcowmig__flow *flow, const lcowmig__env *env, uint32_t message, const char *container_id, const char *form,
                                  ...);

#endif
