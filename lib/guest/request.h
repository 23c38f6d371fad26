/* What the files that build requests share. A NULL tree stands for a construction that ran out of memory. */
#ifndef LCOWMIG__GUEST_REQUEST_H
#define LCOWMIG__GUEST_REQUEST_H

#include "guest.h"

/* An object with the keys that every request has. */
cJSON *lcowmig__guest_request(const char *container_id);
/* Prints and sends it; takes `request`. An incomplete one fails the await for memory. */
lcowmig_call *lcowmig__guest_send(lcowmig__flow *flow, const lcowmig__env *env, uint32_t message, const char *container_id, cJSON *request,
                                  bool is_complete);
bool lcowmig__guest_add_strings(cJSON *object, const char *key, const char *const *texts, size_t n_texts);

#endif
